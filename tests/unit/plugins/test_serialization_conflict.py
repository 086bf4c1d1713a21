"""Redshift's error 1023 as it happens: two transactions, one of which has read what the other then writes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from airflow.sdk.definitions.retry_policy import RetryAction
from airflow.sdk.exceptions import TaskDeferred

from redshift_etl.failure import RETRY_POLICY, SerializationConflictError
from redshift_etl.operators.redshift_script import RedshiftScriptOperator

TARGET = {"Database": "dev", "ClusterIdentifier": "redshift-etl", "DbUser": "awsuser"}
# It reads, waits for its turn, and writes: the way of a load that looks before it locks.
SCRIPT = "begin; select city from sales; lock turn; update sales set city = 'ours'; commit"
LOCK = 3  # its place in the batch, which begins with its label


@pytest.fixture
def warehouse(aws: Callable[[str], Any]) -> Any:
    client = aws("redshift-data")
    for statement in (
        "create table sales (city varchar(40))",
        "insert into sales values ('Bethel')",
        "create table turn (nothing smallint)",
    ):
        finished(client, client.execute_statement(Sql=statement, **TARGET)["Id"])
    return client


@pytest.fixture
def _no_waiting() -> None:
    """Here time passes as it does."""


class Other:
    """Another writer: a session of the Data API with an open transaction that has its turn."""

    def __init__(self, client: Any) -> None:
        self.client = client
        first = client.execute_statement(Sql="begin", SessionKeepAliveSeconds=60, **TARGET)
        self.session_id = first["SessionId"]
        finished(client, first["Id"])
        self.run("lock turn")

    def run(self, sql: str) -> None:
        finished(self.client, self.client.execute_statement(Sql=sql, SessionId=self.session_id)["Id"])


def finished(client: Any, statement_id: str) -> dict[str, Any]:
    found: dict[str, Any] = client.describe_statement(Id=statement_id, WaitTimeSeconds=30)
    assert found["Status"] == "FINISHED", found.get("Error")
    return found


def submit(make_context: Callable[..., Any], **changes: Any) -> RedshiftScriptOperator:
    """Let the operator send its script and wait for it in the triggerer."""
    operator = RedshiftScriptOperator(
        task_id="load", sql="load.sql", transaction=False, retries=2,
        database="dev", cluster_identifier="redshift-etl", db_user="awsuser",
    )  # fmt: skip
    operator.sql = SCRIPT
    with pytest.raises(TaskDeferred):
        operator.execute(make_context(operator, **changes))
    return operator


def test_1023_is_tried_again_and_the_next_try_finds_what_the_other_left(
    warehouse: Any, make_context: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RedshiftScriptOperator, "quick_seconds", 0.0)
    other = Other(warehouse)
    task = submit(make_context)
    for _ in range(300):
        parts = warehouse.describe_statement(Id=task.work_id)["SubStatements"]
        if parts[LOCK]["Status"] == "STARTED":
            break
        time.sleep(0.1)
    else:
        pytest.fail(f"the script does not wait for its turn: {parts}")
    other.run("update sales set city = 'theirs'")
    other.run("commit")
    warehouse.describe_statement(Id=task.work_id, WaitTimeSeconds=30)

    with pytest.raises(SerializationConflictError, match="statement 4 of 5, FAILED: ERROR: 1023") as error:
        task.execute_complete(make_context(task), event={"work_id": task.work_id})
    decision = RETRY_POLICY.evaluate(error.value, try_number=1, max_tries=2)
    assert decision.action is RetryAction.RETRY
    assert decision.retry_delay is not None
    assert decision.retry_delay.total_seconds() == 10

    again = submit(make_context, try_number=2)
    assert again.work_id != task.work_id
    finished(warehouse, again.work_id)
    entries = again.execute_complete(make_context(again, try_number=2), event={"work_id": again.work_id})
    assert {entry["status"] for entry in entries} == {"FINISHED"}
    read = warehouse.execute_statement(Sql="select city from sales", **TARGET)["Id"]
    finished(warehouse, read)
    assert warehouse.get_statement_result(Id=read)["Records"] == [[{"stringValue": "ours"}]]
