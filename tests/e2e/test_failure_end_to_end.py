"""A scheduled run that fails and is late, on a cluster that is paused: what a real Airflow does about it."""

import json
from typing import Any

import pytest

from e2e_stack import BUCKET, Alerts, Stack

pytestmark = pytest.mark.e2e

DAG_ID = "store_sales_etl"


@pytest.fixture(scope="module")
def stack(everything: Stack) -> Stack:
    return everything.of(DAG_ID)


@pytest.fixture(scope="module")
def alerts(stack: Stack) -> Alerts:
    return stack.alerts(stack.scheduled, "task_failed", "deadline_missed")


@pytest.fixture(scope="module")
def tasks(stack: Stack) -> dict[str, str]:
    return stack.states(stack.scheduled)


def test_defect_11_a_failed_task_sends_one_alert_at_once_and_not_one_for_each_try(alerts: Alerts) -> None:
    (alert,) = [alert for alert in alerts if alert["event"] == "task_failed"]
    assert alert["subject"].startswith(f"FAILED: {DAG_ID}.create_lake ")
    assert "create_lake.sql, statement 1 of 1, FAILED: ERROR: " in alert["text"]
    assert "select * from nowhere" in alert["text"]
    assert "Try: 1\n" in alert["text"]  # a wrong statement is not tried again
    assert f"/dags/{DAG_ID}/runs/scheduled__" in alert["text"]
    assert "docs/runbook.md" in alert["text"]


def test_r1_a_scheduled_run_that_is_late_sends_one_alert(alerts: Alerts) -> None:
    (alert,) = [alert for alert in alerts if alert["event"] == "deadline_missed"]
    assert alert["subject"].startswith(f"LATE: {DAG_ID} ")
    assert alert["subject"].endswith(" not ready by 00:00")
    assert "Run: scheduled__" in alert["text"]


def test_nothing_else_is_sent(alerts: Alerts) -> None:
    assert {alert["event"] for alert in alerts} == {"task_failed", "deadline_missed"}


def test_a_failed_run_is_red_though_its_last_tasks_succeed(stack: Stack, tasks: dict[str, str]) -> None:
    assert stack.api.run_state(DAG_ID, stack.scheduled) == "failed"
    assert tasks["create_lake"] == "failed"
    assert tasks["load_store_sales"] == "upstream_failed"
    assert tasks["publish_reports"] == "upstream_failed"
    assert tasks["record_statements"] == "success"
    assert tasks["pause_cluster"] == "success"


def test_r15_defect_10_the_cluster_is_resumed_for_the_run_and_paused_after_its_failure(stack: Stack) -> None:
    assert stack.statuses == ("paused", "available", "paused")


def test_the_failed_statement_is_in_the_audit(stack: Stack) -> None:
    key = f"audit/statement_runs/{DAG_ID}/{stack.scheduled}.json"
    lines = stack.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode().splitlines()
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    (failed,) = [row for row in rows if row["status"] == "FAILED"]
    assert (failed["task_id"], failed["statement"]) == ("create_lake", "select * from nowhere")
    assert "nowhere" in failed["error"]
