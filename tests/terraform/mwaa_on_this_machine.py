"""An Airflow made as MWAA makes one: from the environment's description and the objects in S3 alone."""

import io
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from laptop.airflow import migrate_database, start_components
from laptop.environment import airflow_environment
from laptop.processes import Processes

# MWAA's AIRFLOW_HOME, which a test may not write to: the same folders are made elsewhere.
HOME = "/usr/local/airflow"


@dataclass
class Mwaa:
    """Airflow of one environment.

    Attributes:
        name: The environment.
        home: Stands for /usr/local/airflow.
        endpoint: AWS.
        web_port: Where Airflow's API answers.
    """

    name: str
    home: Path
    endpoint: str
    web_port: int

    def start(self, processes: Processes) -> None:
        """Fetch the package with the environment's role, lay it out, and start every component."""
        self.described = boto3.client("mwaa").get_environment(Name=self.name)["Environment"]
        role = boto3.client("sts").assume_role(
            RoleArn=self.described["ExecutionRoleArn"], RoleSessionName="AmazonMWAA-airflow"
        )["Credentials"]
        self._credentials = {
            "AWS_ACCESS_KEY_ID": role["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": role["SecretAccessKey"],
            "AWS_SESSION_TOKEN": role["SessionToken"],
        }
        self._s3 = boto3.session.Session(
            role["AccessKeyId"], role["SecretAccessKey"], role["SessionToken"]
        ).client("s3")
        self._bucket = self.described["SourceBucketArn"].removeprefix("arn:aws:s3:::")
        for folder in ("dags", "plugins"):
            (self.home / folder).mkdir(parents=True)
        with zipfile.ZipFile(io.BytesIO(self._object("Plugins"))) as plugins:
            plugins.extractall(self.home / "plugins")
        self._require_installed(self._object("Requirements"))
        self.sync_dags()
        environment = self.environment()
        migrate_database(environment, processes.log_folder / "migrate.log")
        start_components(processes, environment)

    def _object(self, kind: str) -> bytes:
        """The very version that the environment names."""
        key, version = self.described[f"{kind}S3Path"], self.described[f"{kind}S3ObjectVersion"]
        body = self._s3.get_object(Bucket=self._bucket, Key=key, VersionId=version)["Body"]
        return bytes(body.read())

    def _require_installed(self, requirements: bytes) -> None:
        """MWAA's image holds what requirements.txt asks for: installing it changes nothing."""
        file = self.home / "requirements.txt"
        file.write_bytes(requirements)
        command = ["-m", "uv", "pip", "install", "--dry-run", "--no-index", "--python", sys.executable]
        done = subprocess.run(
            [sys.executable, *command, "-r", str(file)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "Would make no changes" in done.stderr

    def sync_dags(self) -> None:
        """Make the DAG folder what it is in S3, as MWAA does every half minute."""
        prefix, folder = self.described["DagS3Path"].rstrip("/") + "/", self.home / "dags"
        there = set()
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
            for found in page.get("Contents", []):
                path = folder / found["Key"].removeprefix(prefix)
                body = self._s3.get_object(Bucket=self._bucket, Key=found["Key"])["Body"].read()
                there.add(path)
                path.parent.mkdir(parents=True, exist_ok=True)
                if not path.exists() or path.read_bytes() != body:
                    path.write_bytes(body)
        for path in folder.rglob("*"):
            if path.is_file() and path not in there and "__pycache__" not in path.parts:
                path.unlink()

    def environment(self) -> dict[str, str]:
        """The environment of Airflow's processes: nothing of this project's laptop settings is left in it."""
        laptop = airflow_environment(home=self.home, web_port=self.web_port, aws_endpoint=self.endpoint)
        kept = {key: value for key, value in laptop.items() if not key.startswith("AIRFLOW__REDSHIFT_ETL__")}
        kept.pop("PYTHONPATH", None)
        return (
            kept
            | {_variable(key): value for key, value in self._options().items()}
            | self._credentials
            | {
                "AIRFLOW__CORE__DAGS_FOLDER": str(self.home / "dags"),
                "AIRFLOW__CORE__PLUGINS_FOLDER": str(self.home / "plugins"),
                "AIRFLOW_CONN_AWS_DEFAULT": "aws://",  # preset by MWAA
                "PYTHONSAFEPATH": "1",  # the current folder is not on MWAA's path
                # Not to wait minutes for new files.
                "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
                "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "10",
                # Retries are for outages; a test of a wrong file should not wait for them.
                "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "1",
            }
        )

    def _options(self) -> dict[str, str]:
        options: dict[str, Any] = self.described["AirflowConfigurationOptions"]
        return {key: str(value).replace(HOME, str(self.home)) for key, value in options.items()}


def _variable(option: str) -> str:
    section, _, key = option.partition(".")
    return f"AIRFLOW__{section}__{key}".upper()
