"""A local account with the reviews' Glue job and a table to change, for operators under test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3

from laptop import reviews_job
from redshift_etl.operators.glue_script import GlueScriptOperator

JOB = reviews_job.JOB_NAME
FILE = "sql/reviews/test.sql"
TABLES = ", ".join(f"digits d{number}" for number in range(13))
ENDLESS = f"delete from kept; insert into kept select sum(d0.n * d5.n + d12.n) from {TABLES}"


def set_up(aws: Callable[[str], Any]) -> Any:
    """Deploy the job and create the tables; returns a client of Glue."""
    reviews_job.deploy()
    sql("create table kept (n bigint)")
    sql("insert into kept values (7)")
    sql("create table digits (n int)")
    sql(f"insert into digits values {', '.join(f'({n})' for n in range(10))}")
    return aws("glue")


def sql(statement: str) -> list[Any]:
    """Run one statement beside the operators, and return the values of its rows."""
    client = boto3.client("redshift-data")
    where = {"Database": "dev", "ClusterIdentifier": "redshift-etl", "DbUser": "awsuser"}
    answer = client.execute_statement(Sql=statement, WaitTimeSeconds=30, **where)
    found = client.describe_statement(Id=answer["Id"], WaitTimeSeconds=30)
    assert found["Status"] == "FINISHED", found
    if not found["HasResultSet"]:
        return []
    return [
        next(iter(field.values()))
        for row in client.get_statement_result(Id=answer["Id"])["Records"]
        for field in row
    ]


def script(text: str, **arguments: Any) -> GlueScriptOperator:
    """Put a script into the bucket, and make an operator that runs it."""
    boto3.client("s3").put_object(Bucket=reviews_job.SCRIPT_BUCKET, Key=FILE, Body=text.encode())
    return GlueScriptOperator(task_id="load", job_name=JOB, file=FILE, poll_interval=1, **arguments)


def runs(glue: Any) -> list[dict[str, Any]]:
    """The job's runs, the latest first."""
    found: list[dict[str, Any]] = glue.get_job_runs(JobName=JOB)["JobRuns"]
    return found


def logged(run_id: str) -> str:
    """Everything that a run printed."""
    logs = boto3.client("logs")
    events = []
    for kind in ("output", "error"):
        where = {"logGroupName": f"/aws-glue/python-jobs/{kind}", "logStreamName": run_id}
        events += logs.get_log_events(**where)["events"]
    return "\n".join(event["message"] for event in events)
