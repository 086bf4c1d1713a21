"""Runs that end in other ways than by their tasks: at the time limit, and by somebody's hand."""

import sqlite3
import time

import pytest

from e2e_stack import Stack, cluster_status, resume_if_paused, wait_for

pytestmark = pytest.mark.e2e

DAG_ID = "store_sales_etl"


@pytest.fixture(scope="module")
def stack(everything: Stack) -> Stack:
    return everything.of(DAG_ID)


def wait_for_extracts_that_never_come(stack: Stack, run_id: str) -> None:
    stack.api.trigger(DAG_ID, run_id, None, {"refresh_date": "2000-01-01"})
    wait_for(lambda: stack.states(run_id).get("wait_for_extract") in {"running", "deferred"})


def wait_until_ended(stack: Stack, run_id: str) -> None:
    wait_for(lambda: stack.api.run_state(DAG_ID, run_id) in {"success", "failed"}, seconds=120)


def test_defect_10_a_run_at_its_time_limit_is_told_and_the_cluster_is_paused_though_no_teardown_runs(
    stack: Stack,
) -> None:
    """The run is made to look as if it had begun long ago; the DAG processor pauses in its callback."""
    resume_if_paused()
    wait_for_extracts_that_never_come(stack, "too-long")
    with sqlite3.connect(stack.folder / "airflow" / "airflow.db", timeout=30) as database:
        database.execute("update dag_run set start_date = '2020-01-01 00:00:00' where run_id = 'too-long'")
    wait_until_ended(stack, "too-long")
    assert stack.api.run_state(DAG_ID, "too-long") == "failed"
    assert stack.states("too-long")["pause_cluster"] == "skipped"
    (alert,) = stack.alerts("too-long", "run_failed")
    assert cluster_status() == "paused"
    assert "it ran longer than its limit of 4:00:00" in alert["text"]
    assert "Cluster: redshift-etl is told to pause\n" in alert["text"]


def test_a_run_marked_as_failed_is_red_and_nobody_is_told_that_it_is_done(stack: Stack) -> None:
    wait_for_extracts_that_never_come(stack, "marked")
    answer = stack.api._client.patch(
        f"/api/v2/dags/{DAG_ID}/dagRuns/marked", json={"state": "failed"}, params={"update_mask": "state"}
    )
    assert answer.is_success, answer.text
    wait_until_ended(stack, "marked")
    assert stack.api.run_state(DAG_ID, "marked") == "failed"
    states = stack.states("marked")
    assert (states["publish_reports"], states["require_reports"]) == ("skipped", "failed")
    time.sleep(10)  # an alert of a run's end comes seconds later, from the DAG processor
    assert stack._sent("marked") == []
