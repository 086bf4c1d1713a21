"""A run that Airflow ended at its time limit ran no teardown: the DAG's failure callback pauses instead."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from cluster_account import NAME, become, status_of

from redshift_etl.cluster import BROKEN, OFF, USABLE, pause_after_timeout

pytestmark = pytest.mark.usefixtures("redshift")

DAGS = ["store_sales_etl", "reviews_etl"]


def callback(*, reason: str = "timed_out", cluster: str = NAME, **needing: int) -> str:
    """Call it as the DAG processor does, with so many other runs that need the cluster; return its word."""

    def states(*, dag_id: str, task_ids: list[str]) -> dict[str, dict[str, str | None]]:
        assert task_ids == ["resume_cluster", "pause_cluster"]
        ended: dict[str, dict[str, str | None]] = {
            "this one": {"resume_cluster": "success", "pause_cluster": "skipped"}
        }
        at_work: dict[str, str | None] = {"resume_cluster": "success", "pause_cluster": None}
        return ended | {f"run {n}": at_work for n in range(needing.get(dag_id, 0))}

    context: dict[str, Any] = {"reason": reason, "ti": SimpleNamespace(get_task_states=states)}
    pause_after_timeout(context, cluster_identifier=cluster, dag_ids=DAGS)
    return str(context.get("cluster", ""))


@pytest.mark.parametrize("status", sorted(USABLE | {"storage-full"}))
def test_the_cluster_is_paused_though_no_teardown_runs(status: str, redshift: Any) -> None:
    become(status)
    assert callback() == f"{NAME} is told to pause"
    assert status_of(redshift) == "paused"


@pytest.mark.parametrize("dag_id", DAGS)
def test_a_cluster_that_another_run_needs_is_left_on(dag_id: str, redshift: Any) -> None:
    assert callback(**{dag_id: 1}) == f"{NAME} is left on for other runs: {{'{dag_id}': 1}}"
    assert status_of(redshift) == "available"


@pytest.mark.parametrize("status", sorted(OFF))
def test_a_cluster_that_is_off_is_left_alone(status: str, redshift: Any) -> None:
    become(status)
    assert callback() == f"{NAME} is {status}"
    assert status_of(redshift) == status


@pytest.mark.parametrize("status", ["resuming", "modifying", "rebooting", *sorted(BROKEN - {"storage-full"})])
def test_a_cluster_that_cannot_be_paused_now_is_told_as_it_is(status: str, redshift: Any) -> None:
    become(status)
    assert callback() == f"{NAME} is {status} and was not paused: pause it in the Redshift console"
    assert status_of(redshift) == status


def test_an_error_is_told_and_does_not_keep_the_alert_from_being_sent() -> None:
    assert "nowhere could not be paused (ClusterNotFoundFault" in callback(cluster="nowhere")


@pytest.mark.parametrize("reason", ["task_failure", "all_tasks_deadlocked"])
def test_a_run_that_failed_by_its_tasks_has_its_teardown(reason: str, redshift: Any) -> None:
    assert not callback(reason=reason)
    assert status_of(redshift) == "available"
