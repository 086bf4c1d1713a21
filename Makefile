# The commands of this project. `make help` lists them.
SHELL := /bin/bash -eu -o pipefail
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Settings: make run WEB_PORT=8081 FROM=2002-12-02 TO=2003-01-02
PYTHON ?= $(shell command -v python3.12 || command -v python3)
WEB_PORT ?= 8080
AWS_PORT ?= 4599
WIRE_PORT ?= 5439
FROM ?= 2002-12-31
TO ?= 2003-01-02
SCALE_FACTOR ?= 0.1
ONCE ?=
ENV ?=
YES ?=
RUNS ?= 30
SEED ?=

VENV := .venv
BIN := $(VENV)/bin
INCLUDE := PYTHONPATH=include
# sqlfluff cannot parse the Data API's :named parameters, nor the ${names} of the Glue runner: it reads a copy in
# which they are strings.
SQL_COPY := .local/sqlfluff

.PHONY: help
help: ## List the commands
	@echo "Two Redshift pipelines on Apache Airflow. Start with: make run"
	@echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14
	@echo
	@echo "Settings of run: ONCE=1 FROM=$(FROM) TO=$(TO) SCALE_FACTOR=$(SCALE_FACTOR) \\"
	@echo "                 WEB_PORT=$(WEB_PORT) AWS_PORT=$(AWS_PORT) WIRE_PORT=$(WIRE_PORT)"

.PHONY: setup
setup: $(VENV)/.ready ## Install everything into .venv (Python 3.12)

# Bytecode is compiled once here: without it every Airflow process starts three times slower.
$(VENV)/.ready: requirements-dev.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 12))' 2>/dev/null || { \
		echo "Python 3.12 is needed and '$(PYTHON)' is not it: install it, or name it with make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; \
		exit 1; }
	@echo "Installing into $(VENV) (about a minute the first time)"
	@"$(PYTHON)" -m venv $(VENV)
	@sed -n '/^uv==/,/[^\\]$$/p' requirements-dev.txt > $(VENV)/uv.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $(VENV)/uv.txt
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements-dev.txt
	@touch $@

.PHONY: run
run: setup ## Run AWS, Airflow and the pipelines on this machine; ONCE=1 ends after the reports
	@$(INCLUDE) $(BIN)/python -m laptop $(if $(ONCE),--once) --from $(FROM) --to $(TO) \
		--scale-factor $(SCALE_FACTOR) --web-port $(WEB_PORT) --aws-port $(AWS_PORT) --wire-port $(WIRE_PORT)

.PHONY: local-aws
local-aws: setup ## Run only AWS on this machine, empty, and print how to connect
	@$(INCLUDE) $(BIN)/python -m local_aws --port $(AWS_PORT) --wire-port $(WIRE_PORT)

.PHONY: test
test: setup ## Run the tests, the end-to-end ones with a real Airflow last
	@$(BIN)/python -m pytest -n 2 --dist loadscope -m "not e2e and not compose and not chaos and not browser"
	@$(BIN)/python -m pytest -n 2 --dist loadscope -m e2e

.PHONY: test-chaos
test-chaos: setup ## Kill each of Airflow's processes once, and fail each call, in mid-statement (needs postgresql, redis-server)
	@$(BIN)/python -m pytest -m chaos tests/chaos

.PHONY: chaos
chaos: setup ## Kill and break everything around both pipelines: make chaos RUNS=30 SEED=7 (needs postgresql)
	@PYTHONPATH=tests:include:plugins $(BIN)/python -m chaos.storm --runs $(RUNS) $(if $(SEED),--seed $(SEED))

.PHONY: test-compose
test-compose: setup ## Run docker-compose.yaml whole on a Docker Engine, and take it down again
	@$(BIN)/python -m pytest -m compose tests/compose

.PHONY: test-browser
test-browser: setup ## Click through the web UI with Chromium; REQUIRE_BROWSER=1 fails without one
	@$(BIN)/python -m pytest -m browser tests/browser

.PHONY: screenshots
screenshots: setup ## Take the pictures in docs/images anew (needs Chromium)
	@PYTHONPATH=include:plugins:tests $(BIN)/python tests/browser/screenshots.py docs/images

.PHONY: check
check: setup ## Verify style, types and SQL; changes nothing
	@$(BIN)/ruff format --check --quiet . || { echo "Not formatted: make fix" >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(MAKE) sql-copy
	@$(BIN)/sqlfluff lint --config pyproject.toml $(SQL_COPY)

# A list that cannot be reached, or does not know a package, is an error and never "nothing found".
.PHONY: audit
audit: setup ## Look for known vulnerabilities in what the locks name (asks PyPI)
	@$(BIN)/pip-audit --strict --disable-pip --require-hashes --progress-spinner off \
		--requirement requirements-dev.txt --requirement include/docker/requirements.txt

.PHONY: fix
fix: setup ## Format Python and SQL, and mend what can be mended
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .
	@$(MAKE) sql-copy
	@$(BIN)/sqlfluff fix --quiet --config pyproject.toml $(SQL_COPY) || true
	@find $(SQL_COPY) -name '*.sql' -exec sed -i -E "s/'(:[a-z_]+|\\$$\{[a-z_]+\})'/\1/g" {} +
	@cp -r $(SQL_COPY)/. sql/

.PHONY: sql-copy
sql-copy:
	@rm -rf $(SQL_COPY) && mkdir -p .local && cp -r sql $(SQL_COPY)
	@find $(SQL_COPY) -name '*.sql' -exec \
		sed -i -E 's/([^:]):([a-z_]+)/\1'"':\2'"'/g; s/(\$$\{[a-z_]+\})/'"'\1'"'/g' {} +

.PHONY: package
package: setup ## Build what AWS needs into dist/ (DAGs with SQL, plugins.zip, the Glue wheel)
	@$(INCLUDE) $(BIN)/python -m mwaa.package

.PHONY: deploy
deploy: setup ## Bring AWS and MWAA to this working copy: make deploy ENV=dev (YES=1 does not ask)
	@test -n "$(ENV)" || { echo "Name an environment: make deploy ENV=dev" >&2; exit 1; }
	@$(INCLUDE) $(BIN)/python -m mwaa deploy $(ENV) $(if $(YES),--yes)

.PHONY: destroy
destroy: setup ## Take away what deploy has made: make destroy ENV=dev (YES=1 does not ask)
	@test -n "$(ENV)" || { echo "Name an environment: make destroy ENV=dev" >&2; exit 1; }
	@$(INCLUDE) $(BIN)/python -m mwaa destroy $(ENV) $(if $(YES),--yes)

.PHONY: lock
lock: setup ## Resolve both requirements files anew under MWAA's pins: make lock CONSTRAINTS=FILE
	@test -n "$(CONSTRAINTS)" || { echo "Name MWAA's constraints file: make lock CONSTRAINTS=FILE" >&2; exit 1; }
	@for group in local:include/docker/requirements.txt dev:requirements-dev.txt; do \
		$(BIN)/uv pip compile --quiet --group "$${group%%:*}" --constraint "$(CONSTRAINTS)" --generate-hashes \
			--no-emit-index-url --no-header --no-annotate --output-file "$${group##*:}"; done
