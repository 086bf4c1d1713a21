from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from redshift_etl.operators.require_success import RequireSuccessOperator


def require(make_context: Callable[..., Any], **states: str | None) -> None:
    task = RequireSuccessOperator(task_id="require_reports", required=["publish_reports"])
    context = make_context(task)
    ti = context["ti"]

    def get_task_states(*, dag_id: str, task_ids: list[str], run_ids: list[str]) -> dict[str, Any]:
        assert (dag_id, task_ids, run_ids) == (ti.dag_id, ["publish_reports"], [ti.run_id])
        return {ti.run_id: states} if states else {}

    ti.get_task_states = get_task_states
    task.execute(context)


def test_a_run_whose_last_task_succeeded_succeeds(make_context: Callable[..., Any]) -> None:
    require(make_context, publish_reports="success")


@pytest.mark.parametrize("state", ["skipped", "upstream_failed", "failed"])
def test_a_run_whose_last_task_did_not_succeed_fails_though_airflow_counts_skipped_as_success(
    state: str, make_context: Callable[..., Any]
) -> None:
    with pytest.raises(AirflowFailException, match=f"publish_reports is {state}, so this run has failed"):
        require(make_context, publish_reports=state)


def test_a_task_that_never_ran_has_not_succeeded(make_context: Callable[..., Any]) -> None:
    with pytest.raises(AirflowFailException, match="publish_reports is not run"):
        require(make_context, publish_reports=None)


def test_it_sends_no_alert_and_is_not_tried_again() -> None:
    task = RequireSuccessOperator(
        task_id="require_reports", required=["a"], retries=2, on_failure_callback=print
    )
    assert task.retries == 0
    assert not task.on_failure_callback
