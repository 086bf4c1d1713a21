"""What Airflow and the Data API hand an operator, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from airflow.sdk.api.datamodels._generated import DagRun
from airflow.sdk.types import DagRunProtocol
from botocore.stub import ANY, Stubber

from redshift_etl.operators.redshift_script import RedshiftScriptOperator

KEY = RedshiftScriptOperator.external_id_key
TOPIC = "arn:aws:sns:us-east-1:123456789012:redshift-etl-alerts"
STATEMENT_ID = "11111111-1111-4111-8111-111111111111"
OTHER_ID = "22222222-2222-4222-8222-222222222222"


class TaskStateStore(dict[str, Any]):
    """Airflow's task state store, as far as a task sees it."""

    def set(self, key: str, value: object) -> None:
        self[key] = value


def dag_run(**changes: Any) -> DagRunProtocol:
    """A DAG run as the Task SDK gives it to a task."""
    values: dict[str, Any] = {
        "dag_id": "store_sales_etl",
        "run_id": "manual__2003-01-02T03:04:05+00:00",
        "logical_date": datetime(2003, 1, 2, 3, 4, 5, tzinfo=UTC),
        "run_after": datetime(2003, 1, 2, 3, 4, 5, tzinfo=UTC),
        "start_date": datetime(2003, 1, 2, 3, 4, 6, tzinfo=UTC),
        "data_interval_start": None,
        "data_interval_end": None,
        "run_type": "manual",
        "state": "running",
        "end_date": None,
        "conf": None,
        "partition_key": None,
        "consumed_asset_events": [],
    }
    return DagRun.model_validate(values | changes)


def described(status: str, **more: Any) -> dict[str, Any]:
    """DescribeStatement's answer."""
    return {"Id": STATEMENT_ID, "Status": status, "DbUser": "awsuser", "QueryString": "select 1"} | more


def part(number: int, status: str, sql: str, **more: Any) -> dict[str, Any]:
    """One statement in DescribeStatement's answer for a batch."""
    return {"Id": f"{STATEMENT_ID}:{number}", "Status": status, "QueryString": sql} | more


def nothing_runs(api: Stubber, *listed: dict[str, Any]) -> None:
    """Expect the look-up that begins a request; it finds nothing, or these statements."""
    api.add_response(
        "list_statements",
        {"Statements": list(listed)},
        {"StatementName": ANY, "Status": "ALL", "RoleLevel": True},
    )


def submitted(
    api: Stubber, statement_id: str = STATEMENT_ID, *, retry: bool = False, **expected: Any
) -> None:
    """Expect one statement to be submitted, with these arguments among others.

    A new request looks first whether something is left running, a retry does not.
    """
    if not retry:
        nothing_runs(api)
    common = {
        "Database": "dev",
        "ClusterIdentifier": "redshift-etl",
        "DbUser": "awsuser",
        "StatementName": ANY,
        "ClientToken": ANY,
        "WithEvent": False,
    }
    action = "batch_execute_statement" if "Sqls" in expected else "execute_statement"
    api.add_response(action, {"Id": statement_id}, common | expected)


def looks(api: Stubber, answer: dict[str, Any], statement_id: str = STATEMENT_ID, **expected: Any) -> None:
    api.add_response("describe_statement", answer, {"Id": statement_id} | expected)


def remember(task: Any, store: TaskStateStore, make_context: Callable[..., Any], **changes: Any) -> None:
    """Leave what an earlier try of the same request would have left."""
    request = task._request(make_context(task, **changes))
    store.set(KEY, {"request": request, "work_id": STATEMENT_ID})
