"""What Airflow's task runner hands an operator, without a scheduler or a database."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

# Before Airflow's first import, which reads both.
os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-home-"))
os.environ["AIRFLOW_CONN_AWS_DEFAULT"] = "aws://"

import boto3
import pytest
from airflow.sdk import BaseOperator
from botocore.stub import Stubber
from plugins_context import TOPIC, TaskStateStore, dag_run

from local_account import use_account
from local_aws.server import Server
from redshift_etl.operators.redshift_script import RedshiftScriptOperator


@pytest.fixture(scope="session", autouse=True)
def _remove_airflow_home() -> Iterator[None]:
    yield
    home = Path(os.environ["AIRFLOW_HOME"])
    if home.name.startswith("airflow-home-"):  # made above; never somebody's own
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def store() -> TaskStateStore:
    return TaskStateStore()


@pytest.fixture
def make_context(store: TaskStateStore) -> Callable[..., Any]:
    """Build the context of one try; the store is the task's, the same for every try."""

    def context(task: BaseOperator, *, max_tries: int | None = None, try_number: int = 1, **run: Any) -> Any:
        ti = SimpleNamespace(
            id=UUID(int=try_number),
            dag_id="store_sales_etl",
            task_id=task.task_id,
            run_id="manual__2003-01-02T03:04:05+00:00",
            map_index=-1,
            try_number=try_number,
            max_tries=task.retries if max_tries is None else max_tries,
        )
        return {"ti": ti, "task": task, "dag_run": dag_run(**run), "params": {}, "task_state_store": store}

    return context


@pytest.fixture
def api() -> Iterator[Stubber]:
    """The Data API with scripted answers; botocore checks them against AWS's service model."""
    client = boto3.client(
        "redshift-data", region_name="us-east-1", aws_access_key_id="any", aws_secret_access_key="any"
    )
    with Stubber(client) as stubber:
        yield stubber


@pytest.fixture
def attach(api: Stubber) -> Callable[[Any], Any]:
    """Let an operator call the scripted Data API."""

    def attached(operator: Any) -> Any:
        operator.hook.__dict__["conn"] = api.client
        return operator

    return attached


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses pass at once: time.sleep moves the clock that the pauses are measured with."""
    clock = SimpleNamespace(now=1000.0)

    def sleep(seconds: float) -> None:
        clock.now += seconds

    monkeypatch.setattr("redshift_etl.watch.time", SimpleNamespace(sleep=sleep, monotonic=lambda: clock.now))


@pytest.fixture
def make(attach: Callable[[Any], Any]) -> Callable[..., RedshiftScriptOperator]:
    """An operator after rendering: `sql` holds the file's text, as the task runner leaves it."""

    def made(text: str = "select 1", **arguments: Any) -> RedshiftScriptOperator:
        target = {"database": "dev", "cluster_identifier": "redshift-etl", "db_user": "awsuser"}
        operator = RedshiftScriptOperator(task_id="load", sql="store_sales/load.sql", **(target | arguments))
        operator.sql = text
        return attach(operator)

    return made


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def aws(server: Server, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Clients of an empty account, to which Airflow's AWS connection leads too."""
    use_account(monkeypatch, server.endpoint_url)
    server.reset()  # the tests' tasks are one and the same, and so would be their ClientTokens
    return boto3.client


@pytest.fixture
def redshift(aws: Callable[[str], Any]) -> Any:
    return aws("redshift")


@pytest.fixture
def received(aws: Callable[[str], Any]) -> Callable[[], list[dict[str, Any]]]:
    """Subscribe a queue to the alerts' topic; calling it returns what has come since."""
    sns, sqs = aws("sns"), aws("sqs")
    assert sns.create_topic(Name=TOPIC.rsplit(":", 1)[1])["TopicArn"] == TOPIC
    queue = sqs.create_queue(QueueName="alerts")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=attributes["QueueArn"])

    def messages() -> list[dict[str, Any]]:
        found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for one in found:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
        return [json.loads(one["Body"]) for one in found]

    return messages
