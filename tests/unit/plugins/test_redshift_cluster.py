"""A cluster is resumed and paused, whatever it is doing, on a control plane that really does it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, TaskDeferred
from cluster_account import NAME, become, status_of

from redshift_etl.cluster import BROKEN, GONE, OFF, USABLE
from redshift_etl.operators.redshift_cluster import (
    ClusterTimeoutError,
    PauseClusterOperator,
    ResumeClusterOperator,
)
from redshift_etl.triggers.redshift_cluster import ClusterStatusTrigger

pytestmark = pytest.mark.usefixtures("redshift")

ON_ITS_WAY = [
    "cancelling-resize", "creating", "modifying", "rebooting", "renaming", "resizing", "resuming",
    "rotating-keys", "unavailable", "updating-hsm",
]  # fmt: skip
# https://docs.aws.amazon.com/redshift/latest/APIReference/API_Cluster.html, ClusterStatus
DOCUMENTED = {
    "available", "available, prep-for-resize", "available, resize-cleanup", "cancelling-resize", "creating",
    "deleting", "final-snapshot", "hardware-failure", "incompatible-hsm", "incompatible-network",
    "incompatible-parameters", "incompatible-restore", "modifying", "paused", "rebooting", "renaming",
    "resizing", "rotating-keys", "storage-full", "updating-hsm",
}  # fmt: skip


def resume(**arguments: Any) -> ResumeClusterOperator:
    return ResumeClusterOperator(task_id="resume_cluster", cluster_identifier=NAME, **arguments)


def pause(**arguments: Any) -> PauseClusterOperator:
    dag_ids = ["store_sales_etl", "reviews_etl"]
    return PauseClusterOperator(
        task_id="pause_cluster", cluster_identifier=NAME, dag_ids=dag_ids, **arguments
    )


@pytest.fixture
def context(make_context: Callable[..., Any]) -> Callable[..., Any]:
    """A context in which so many other runs of a DAG need the cluster, or wait for their extracts."""

    def made(task: Any, *, waiting: int = 0, **needing: int) -> Any:
        found = make_context(task)

        def states(*, dag_id: str, task_ids: list[str]) -> dict[str, dict[str, str | None]]:
            assert task_ids == ["resume_cluster", "pause_cluster"]
            runs: list[dict[str, str | None]] = [
                {"resume_cluster": "success", "pause_cluster": "success"},
                {"resume_cluster": "success", "pause_cluster": "running"},  # this one
                {"resume_cluster": "skipped", "pause_cluster": "skipped"},
            ]
            runs += [{"resume_cluster": None, "pause_cluster": None}] * waiting
            runs += [{"resume_cluster": "deferred", "pause_cluster": None}] * needing.get(dag_id, 0)
            return {f"run {number}": run for number, run in enumerate(runs)}

        found["ti"].get_task_states = states
        return found

    return made


def fire(deferred: TaskDeferred) -> dict[str, Any]:
    """Run the trigger as the triggerer does, from its serialized form."""
    path, arguments = deferred.trigger.serialize()
    assert path == "redshift_etl.triggers.redshift_cluster.ClusterStatusTrigger"
    trigger = ClusterStatusTrigger(**arguments | {"poll_interval": 0})

    async def event() -> Any:
        return await asyncio.wait_for(anext(trigger.run()), timeout=20)

    return dict(asyncio.run(event()).payload)


def test_defect_10_every_status_that_aws_documents_is_tested_here_in_one_way() -> None:
    kinds = [USABLE, OFF, BROKEN, set(ON_ITS_WAY)]
    assert set().union(*kinds) >= DOCUMENTED
    assert sum(map(len, kinds)) == len(set().union(*kinds))


@pytest.mark.parametrize("status", sorted(USABLE))
def test_a_cluster_that_is_available_is_used_as_it_is(status: str, context: Any) -> None:
    become(status)
    task = resume()
    assert task.execute(context(task)) == status


def test_a_paused_cluster_is_resumed_and_waited_for_in_the_triggerer(redshift: Any, context: Any) -> None:
    redshift.pause_cluster(ClusterIdentifier=NAME)
    task = resume()
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context(task))
    event = fire(deferred.value)
    assert getattr(task, deferred.value.method_name)(context(task), event=event) == "available"
    assert status_of(redshift) == "available"


@pytest.mark.parametrize("status", [*ON_ITS_WAY, "pausing", "a status of next year"])
def test_a_cluster_on_its_way_is_waited_for(status: str, redshift: Any, context: Any) -> None:
    become(status)
    task = resume()
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context(task))
    assert status_of(redshift) == status  # nothing was asked of it
    become("paused" if status == "pausing" else "available")
    event = fire(deferred.value)
    if status == "pausing":
        with pytest.raises(TaskDeferred):
            task.look_again(context(task), event)
    assert task.look_again(context(task), event) == "available"


@pytest.mark.parametrize("status", sorted(GONE | BROKEN))
def test_a_cluster_that_only_a_person_can_help_fails_at_once(status: str, context: Any) -> None:
    become(status)
    task = resume()
    with pytest.raises(AirflowFailException, match=f"Cluster {NAME} is {status}: bring it back"):
        task.execute(context(task))


def test_a_cluster_that_is_not_there_is_named(context: Any) -> None:
    task = ResumeClusterOperator(task_id="resume_cluster", cluster_identifier="nowhere")
    with pytest.raises(AirflowFailException, match="There is no cluster nowhere: create it, or name another"):
        task.execute(context(task))


def test_the_wait_has_a_limit(context: Any) -> None:
    become("modifying")
    task = resume(time_limit=timedelta(seconds=1))
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context(task))
    started = time.monotonic()
    event = fire(deferred.value)
    assert time.monotonic() - started < 5
    with pytest.raises(ClusterTimeoutError, match=r"still modifying after 0:00:01"):
        task.look_again(context(task), event)


def test_a_call_that_comes_too_early_is_made_again(
    redshift: Any, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redshift says available a moment before it accepts a pause."""
    task = pause()
    refusals = [True]

    def early(**_: Any) -> None:
        if refusals:
            refusals.pop()
            error = {"Error": {"Code": "InvalidClusterState", "Message": "There is an operation running"}}
            raise task.hook.conn.exceptions.InvalidClusterStateFault(error, "PauseCluster")
        redshift.pause_cluster(ClusterIdentifier=NAME)

    monkeypatch.setattr(task.hook.conn, "pause_cluster", early)
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context(task))
    task.look_again(context(task), fire(deferred.value))
    assert status_of(redshift) == "paused"


def test_a_trigger_outlives_a_status_that_cannot_be_read(redshift: Any, context: Any) -> None:
    become("modifying")
    task = resume(time_limit=timedelta(seconds=2))
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context(task))
    redshift.delete_cluster(ClusterIdentifier=NAME, SkipFinalClusterSnapshot=True)
    event = fire(deferred.value)
    with pytest.raises(AirflowException, match="There is no cluster"):
        task.look_again(context(task), event)


def test_the_last_run_pauses_the_cluster_and_nothing_answers_then(redshift: Any, context: Any) -> None:
    task = pause()
    task.execute(context(task))
    assert status_of(redshift) == "paused"
    with pytest.raises(boto3.client("redshift-data").exceptions.ClientError):
        boto3.client("redshift-data").execute_statement(
            Sql="select 1", Database="dev", ClusterIdentifier=NAME, DbUser="awsuser"
        )


@pytest.mark.parametrize("dag_id", ["store_sales_etl", "reviews_etl"])
def test_a_cluster_that_another_run_needs_is_left_on(dag_id: str, redshift: Any, context: Any) -> None:
    task = pause()
    assert task.execute(context(task, **{dag_id: 1})) == "available"
    assert status_of(redshift) == "available"


def test_a_run_that_waits_for_its_extracts_does_not_keep_the_cluster_on(redshift: Any, context: Any) -> None:
    task = pause()
    task.execute(context(task, waiting=2))
    assert status_of(redshift) == "paused"


@pytest.mark.parametrize("status", ["paused", "pausing", *sorted(GONE)])
def test_a_cluster_that_is_off_already_is_no_failure(status: str, context: Any) -> None:
    become(status)
    task = pause()
    assert task.execute(context(task)) == status


@pytest.mark.parametrize("status", ON_ITS_WAY)
def test_a_busy_cluster_is_paused_once_it_is_available(status: str, redshift: Any, context: Any) -> None:
    become(status)
    task = pause()
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context(task))
    become("available")
    task.look_again(context(task), fire(deferred.value))
    assert status_of(redshift) == "paused"


def test_a_full_cluster_is_paused_and_a_broken_one_is_reported(redshift: Any, context: Any) -> None:
    become("storage-full")
    task = pause()
    task.execute(context(task))
    assert status_of(redshift) == "paused"
    become("hardware-failure")
    with pytest.raises(AirflowFailException, match="is hardware-failure and cannot be paused"):
        task.execute(context(task))
