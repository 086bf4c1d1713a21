"""The alert of a deadline in a real Airflow: scheduler, DAG processor and triggerer, and the topic's queue.

The tests of the pipelines hold the alerts of their failures and successes.
"""

import pytest

from e2e_stack import Stack

pytestmark = pytest.mark.e2e

DAG_ID = "store_sales_etl"


def test_a_scheduled_run_that_is_late_sends_one_alert(everything: Stack) -> None:
    stack = everything.of(DAG_ID)
    (alert,) = [alert for alert in stack.alerts(stack.late) if alert["event"] == "deadline_missed"]
    assert alert["subject"].startswith(f"LATE: {DAG_ID} ")
    assert alert["subject"].endswith(" not ready by 00:00")
    assert f"/dags/{DAG_ID}/runs/scheduled__" in alert["text"]
    assert "docs/runbook.md" in alert["text"]


def test_a_run_that_was_started_by_hand_has_no_deadline(everything: Stack) -> None:
    assert everything.late.startswith("scheduled__")
    late = {alert["text"] for alert in everything.arrived if alert["event"] == "deadline_missed"}
    assert len(late) == 1
