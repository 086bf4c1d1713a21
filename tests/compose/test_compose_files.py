"""What docker compose makes of docker-compose.yaml, alone and on a real AWS account; no engine is asked."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from compose_stack import compose_command
from laptop.environment import PROJECT

LAPTOP, AWS = "docker-compose.yaml", "docker-compose.aws.yaml"
OURS = {"api-server", "scheduler", "dag-processor", "triggerer"}


def services(*files: str, **environment: str) -> dict[str, Any]:
    """The services that `up` starts."""
    command = compose_command(os.environ)
    for file in files:
        command += ["--file", file]
    done = subprocess.run(
        [*command, "config"],
        cwd=PROJECT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = yaml.safe_load(done.stdout)["services"]
    return {name: service for name, service in found.items() if not service.get("profiles")}


def test_the_containers_user_is_airflow_or_whoever_may_read_the_aws_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_UID", raising=False)
    aws_env = tmp_path / "aws.env"
    aws_env.write_text("AIRFLOW__REDSHIFT_ETL__DATABASE=dev\n")
    mine = services(LAPTOP, AWS, AIRFLOW_UID="1234", AWS_ENV_FILE=str(aws_env))
    for found, uid in ((mine, "1234"), (services(LAPTOP), "50000")):
        assert found.keys() >= OURS
        assert {one["build"]["args"]["AIRFLOW_UID"] for one in found.values() if "build" in one} == {uid}
    dockerfile = (PROJECT / "include" / "docker" / "Dockerfile").read_text()
    assert "\nARG AIRFLOW_UID=50000\nRUN useradd --non-unique --uid ${AIRFLOW_UID} " in dockerfile


def test_on_a_real_account_nothing_local_is_started_or_waited_for(tmp_path: Path) -> None:
    (tmp_path / "aws.env").touch()
    found = services(LAPTOP, AWS, AWS_ENV_FILE=str(tmp_path / "aws.env"))
    assert found.keys() == OURS | {"postgres", "airflow-init"}
    for name, service in found.items():
        assert service.get("depends_on", {}).keys() <= found.keys(), name
    for name in OURS:
        assert found[name]["environment"]["AWS_ENDPOINT_URL"] == ""
        assert any("/usr/local/airflow/.aws" in str(volume) for volume in found[name]["volumes"])


def test_on_a_real_account_nothing_starts_by_itself_or_pauses_the_cluster(tmp_path: Path) -> None:
    """The schedule of Terraform's env file loaded each day beside MWAA, as soon as the stack was up."""
    keys = {"SCHEDULE": "0 6 * * *", "DEADLINE": "09:00", "PAUSE_CLUSTER": "true"}
    aws_env = tmp_path / "aws.env"
    aws_env.write_text("".join(f"AIRFLOW__REDSHIFT_ETL__{key}={value}\n" for key, value in keys.items()))
    found = services(LAPTOP, AWS, AWS_ENV_FILE=str(aws_env))
    for name in OURS:
        environment = found[name]["environment"]
        assert environment["AIRFLOW__REDSHIFT_ETL__DEADLINE"] == "09:00", "the env file is read"
        assert environment["AIRFLOW__REDSHIFT_ETL__SCHEDULE"] == ""
        assert environment["AIRFLOW__REDSHIFT_ETL__PAUSE_CLUSTER"] == "false"
        assert environment["AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION"] == "True"


def test_the_env_file_of_an_account_stays_out_of_git() -> None:
    assert "${AWS_ENV_FILE:-aws.env}" in (PROJECT / AWS).read_text()
    assert "aws.env" in (PROJECT / ".gitignore").read_text().splitlines()


def test_the_memory_limits_with_celery_fit_a_laptop_of_8_gib() -> None:
    declared = yaml.safe_load((PROJECT / LAPTOP).read_text())["services"]
    assert "celery-worker" in declared
    # airflow-init has ended when the others start.
    limits = {name: bytes_of(one["mem_limit"]) for name, one in declared.items() if name != "airflow-init"}
    assert sum(limits.values()) <= 7 * 1024**3, limits


def bytes_of(limit: str) -> int:
    return int(limit[:-1]) * {"m": 1024**2, "g": 1024**3}[limit[-1]]
