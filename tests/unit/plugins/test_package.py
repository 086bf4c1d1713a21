"""The package as Airflow's processes find it: by `plugins/` on the path, and by nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import redshift_etl

PLUGINS = Path(redshift_etl.__file__).parents[1]
MODULES = sorted(
    ".".join(path.relative_to(PLUGINS).with_suffix("").parts).removesuffix(".__init__")
    for path in (PLUGINS / "redshift_etl").rglob("*.py")
)


def run(code: str, home: Path) -> str:
    """Run code in a Python that knows the installed packages and plugins/, as the triggerer does."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW")}
    environment |= {"AIRFLOW_HOME": str(home), "AIRFLOW__CORE__PLUGINS_FOLDER": str(PLUGINS)}
    environment["PYTHONPATH"] = str(PLUGINS)
    result = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:redshift_etl", "-c", code],
        env=environment,
        cwd=home,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_every_module_imports_with_only_plugins_on_the_path(tmp_path: Path) -> None:
    assert len(MODULES) > 10
    run(f"import importlib\nfor name in {MODULES!r}: importlib.import_module(name)", tmp_path)


def test_the_operators_import_little_more_than_the_providers(tmp_path: Path) -> None:
    """A DAG's parse time is Airflow's and the provider's; ours must not add a library of its own to it."""
    added = run(
        "import sys\n"
        "import airflow.providers.amazon.aws.hooks.s3, airflow.providers.amazon.aws.operators.redshift_data\n"
        "before = set(sys.modules)\n"
        "import redshift_etl.operators.redshift_script, redshift_etl.operators.redshift_no_rows\n"
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))",
        tmp_path,
    )
    assert set(added.split()) - sys.stdlib_module_names <= {"redshift_etl", "sqlparse", "airflow"}


def test_plugin_discovery_leaves_the_package_alone(tmp_path: Path) -> None:
    """Without .airflowignore, Airflow executes each file a second time, under its bare file name."""
    stray = run(
        "import sys\n"
        "from airflow import plugins_manager\n"
        "plugins_manager._get_plugins()\n"
        f"names = {[name.rsplit('.', 1)[-1] for name in MODULES]!r}\n"
        f"ours = {str(PLUGINS / 'redshift_etl') + os.sep!r}\n"
        "print(*[name for name, module in sys.modules.items()"
        " if not name.startswith('redshift_etl.') and name != 'redshift_etl'"
        " and (getattr(module, '__file__', None) or '').startswith(ours)])",
        tmp_path,
    )
    assert stray.split() == []
