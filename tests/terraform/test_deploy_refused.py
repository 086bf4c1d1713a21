"""What `make deploy` and `make destroy` refuse, and that nothing is changed then."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from terraform_cli import copy_of_project

from local_aws.server import Server

pytestmark = pytest.mark.terraform

GOOD = 'alert_email = "team@example.com"\nschedule = null\n'


@dataclass(frozen=True)
class Project:
    """A copy of the project beside an AWS with nothing in it."""

    folder: Path
    environment: dict[str, str]
    s3: Any

    def run(self, command: str, variables: str, *, answer: str = "") -> tuple[int, str]:
        """Run `make deploy ENV=test` or destroy with a .tfvars file; exit status and what it said."""
        (self.folder / "include" / "terraform" / "environments" / "test.tfvars").write_text(variables)
        done = subprocess.run(
            [sys.executable, "-m", "mwaa", command, "test"],
            env=self.environment, input=answer, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    def buckets(self) -> list[str]:
        return [bucket["Name"] for bucket in self.s3.list_buckets()["Buckets"]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    folder = tmp_path_factory.mktemp("refused")
    with Server(empty=True) as server:
        environment = copy_of_project(folder) | {
            "PYTHONPATH": str(folder / "include"),
            "AWS_ENDPOINT_URL": server.endpoint_url,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }
        yield Project(folder, environment, _s3(server.endpoint_url))


def _s3(endpoint: str) -> Any:
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    return boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **keys)


BAD = """
redshift_mode   = "spot"
airflow_version = "3.2.1"
subnets         = { public_b = "10.71.0.0/21" }
"""
SENTENCES = (
    "alert_email is missing or not a mail address: set it, for example with TF_VAR_alert_email=",
    'redshift_mode is "spot": use provisioned or serverless.',
    'airflow_version is "3.2.1": these DAGs are made for 3.3.1',
    "subnets has ranges that overlap: ",
)


def test_bad_input_is_refused_with_a_sentence_for_each(project: Project) -> None:
    status, said = project.run("deploy", BAD)
    assert (status, project.buckets()) == (1, [])
    assert "make deploy: nothing was changed. terraform plan: " in said
    for sentence in SENTENCES:
        assert said.count(sentence) == 1
    assert "Apply" not in said


def test_a_bucket_that_exists_is_told_before_the_question(project: Project) -> None:
    project.s3.create_bucket(Bucket="redshift-etl-scripts-acme")
    try:
        status, said = project.run("deploy", GOOD + 'bucket_suffix = "-acme"\n')
        assert (status, project.buckets()) == (1, ["redshift-etl-scripts-acme"])
    finally:
        project.s3.delete_bucket(Bucket="redshift-etl-scripts-acme")
    assert "nothing was changed. Bucket redshift-etl-scripts-acme exists in this account already" in said
    assert "Apply" not in said


def test_without_a_yes_nothing_is_changed(project: Project) -> None:
    status, said = project.run("deploy", GOOD, answer="n\n")
    assert (status, project.buckets()) == (1, [])
    assert " to create, 0 to update, 0 to replace, 0 to delete" in said
    assert said.endswith("Apply this to test? [y/N] Nothing was changed.")
    told = re.search(r"all of it: (terraform .+?)\)", said)
    assert told
    shown = subprocess.run(
        shlex.split(told[1]), env=project.environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert "# aws_mwaa_environment.this[0]" in shown.stdout


def test_a_protected_environment_is_not_destroyed_nor_asked_about(project: Project) -> None:
    status, said = project.run("destroy", GOOD, answer="y\n")
    assert status == 1
    assert "make destroy: nothing was changed. test is protected (deletion_protection is true" in said
    assert "set deletion_protection = false in include/terraform/environments/test.tfvars" in said
    assert "[y/N]" not in said
