"""Calls that fail, statements that fail, a warehouse that takes no work: retried by the stated rules."""

import boto3
import pytest
from work import Work, both_operators

pytestmark = pytest.mark.chaos
places = pytest.mark.parametrize("place", ["worker", "triggerer"])


@pytest.mark.parametrize("reason", ["drop_response", "ThrottlingException", "500"])
def test_a_submission_without_an_answer(works: both_operators, reason: str) -> None:
    def row(work: Work) -> None:
        what = {"drop_response": True} if reason == "drop_response" else {"error": reason}
        work.fault(work.submit, times=2, **what)
        work.start("triggerer")
        work.succeeds(statements=1)

    works(row)


@places
@pytest.mark.parametrize("reason", ["drop_response", "ThrottlingException", "500"])
def test_a_look_without_an_answer(works: both_operators, place: str, reason: str) -> None:
    def row(work: Work) -> None:
        what = {"drop_response": True} if reason == "drop_response" else {"error": reason}
        work.delay(6)
        work.fault(work.describe, times=6, **what)
        work.start(place)
        work.succeeds(statements=1)

    works(row)


@places
def test_a_failed_statement_fails_the_try_and_a_retry_is_a_new_one(works: both_operators, place: str) -> None:
    def row(work: Work) -> None:
        work.statement_fails("ERROR: Disk Full")
        work.start(place)
        work.succeeds(statements=2)
        assert "ERROR: Disk Full" in work.log(try_number=1)

    works(row)


def test_a_statement_that_every_retry_would_repeat_fails_the_task(works: both_operators) -> None:
    def row(work: Work) -> None:
        work.statement_fails('ERROR: relation "effects" does not exist')
        work.start("worker")
        assert work.end() == "failed"
        work.took_effect(0, statements=1)
        assert 'relation "effects" does not exist' in work.log(try_number=1)

    works(row)


@places
def test_a_statement_that_somebody_cancelled(works: both_operators, place: str) -> None:
    def row(work: Work) -> None:
        work.delay(60)
        work.start(place)
        work.await_running()
        work.somebody_cancels()
        work.succeeds(statements=2)
        assert work.statements()[0]["status"] == "ABORTED"

    works(row)


@pytest.mark.parametrize(
    "message",
    [
        "ERROR: 1023 DETAIL: Serializable isolation violation on table - 100",
        'FATAL: connection limit "500" exceeded for non-bootstrap users',
        "ERROR: The cluster is being resized.",
    ],
    ids=["serializable violation 1023", "out of connections", "cluster resizing"],
)
def test_what_passes_is_retried(works: both_operators, message: str) -> None:
    def row(work: Work) -> None:
        work.statement_fails(message)
        work.start("worker")
        work.succeeds(statements=2)

    works(row)


def test_a_cluster_that_is_paused(works: both_operators) -> None:
    client = boto3.client("redshift")
    client.pause_cluster(ClusterIdentifier="redshift-etl")
    try:
        for work in works:
            work.start("worker")
        for work in works:
            work.await_retry()
    finally:
        client.resume_cluster(ClusterIdentifier="redshift-etl")
    for work in works:
        work.succeeds(statements=1 if work.operator == "redshift" else None)
