"""What Airflow and the Data API hand an operator, for the tests of this folder."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.sdk.api.datamodels._generated import DagRun
from airflow.sdk.types import DagRunProtocol

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
        "conf": None,
        "consumed_asset_events": [],
    }
    return DagRun.model_validate(values | changes)


def described(status: str, **more: Any) -> dict[str, Any]:
    """DescribeStatement's answer."""
    return {"Id": STATEMENT_ID, "Status": status, "DbUser": "awsuser", "QueryString": "select 1"} | more


def part(number: int, status: str, sql: str, **more: Any) -> dict[str, Any]:
    """One statement in DescribeStatement's answer for a batch."""
    return {"Id": f"{STATEMENT_ID}:{number}", "Status": status, "QueryString": sql} | more
