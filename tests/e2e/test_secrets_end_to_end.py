"""After a run of the pipeline that logs in by a secret, the password is nowhere but in Secrets Manager."""

import json
from pathlib import Path

import boto3
import httpx
import pytest

from e2e_stack import BUCKET, Stack
from laptop import reviews_job

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def stack(everything: Stack) -> Stack:
    stack = everything.of("reviews_etl")
    assert stack.run("secrets", logical_date=None, top_n=1) == "success", stack.states("secrets")
    return stack


@pytest.fixture(scope="module")
def password() -> bytes:
    secret = boto3.client("secretsmanager").get_secret_value(SecretId=reviews_job.SECRET)
    return str(json.loads(secret["SecretString"])["password"]).encode()


def files_with(folder: Path, text: bytes) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and text in file.read_bytes()]


def test_no_log_xcom_or_rendered_field_holds_the_password(stack: Stack, password: bytes) -> None:
    """Airflow's whole home: its database (XCom, rendered fields, task state, audit log) and every log."""
    assert files_with(stack.folder, b"secrets")  # the run's own name is found in the same way
    assert files_with(stack.folder, password) == []


def test_no_statement_job_run_or_job_log_holds_the_password(stack: Stack, password: bytes) -> None:
    told = httpx.get(f"{stack.endpoint}/_local/statements").content
    assert b"public.reviews" in told
    assert password not in told
    assert password not in httpx.get(f"{stack.endpoint}/_local/calls").content
    runs = boto3.client("glue").get_job_runs(JobName=reviews_job.JOB_NAME)["JobRuns"]
    assert runs
    assert password not in json.dumps(runs, default=str).encode()
    logs = boto3.client("logs")
    lines = [
        event["message"]
        for group in logs.describe_log_groups()["logGroups"]
        for event in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
    ]
    assert any("connected to" in line for line in lines)
    assert password not in "\n".join(lines).encode()


def test_no_object_in_the_bucket_and_no_alert_holds_the_password(stack: Stack, password: bytes) -> None:
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
    assert any(key.startswith("reports/top_reviews/") for key in keys)
    holding = [key for key in keys if password in stack.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()]
    assert holding == []
    assert password not in json.dumps(stack.alerts("secrets")).encode()


def test_no_key_of_airflow_is_in_a_log(stack: Stack) -> None:
    names = ("AIRFLOW__API__SECRET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET")
    for folder in (stack.folder / "logs", stack.folder / "airflow" / "logs"):
        assert any(file.is_file() for file in folder.rglob("*"))
        for name in names:
            assert files_with(folder, stack.environment[name].encode()) == [], name
