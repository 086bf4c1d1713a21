"""Calls that fail, statements that fail, a warehouse that takes no work: retried by the stated rules."""

from typing import Any

import boto3
import pytest
from work import PLACES, TRIGGERER, WORKER, Work, Works

pytestmark = pytest.mark.chaos

NO_ANSWER: list[dict[str, Any]] = [
    {"error": "ThrottlingException"},
    {"error": "500"},
    {"drop_response": True},  # a Glue run is found after this one, and not asked for again
]


def test_a_submission_without_an_answer(works: Works) -> None:
    def row(work: Work) -> None:
        for what in NO_ANSWER:
            work.fault(work.submit, times=1, **what)
        work.start()
        work.succeeds(statements=1)
        assert work.stack.hits(work.submit) == len(NO_ANSWER)

    works.each(row, TRIGGERER)


def test_a_look_without_an_answer(works: Works) -> None:
    def row(work: Work) -> None:
        work.delay(8)
        for what in NO_ANSWER:
            work.fault(work.describe, times=2, **what)
        work.start()
        work.succeeds(statements=1)
        assert work.stack.hits(work.describe) > 0

    works.each(row, *PLACES)


def test_calls_that_are_answered_too_late(works: Works) -> None:
    """AWS does what it is asked, and whoever asked has stopped waiting for the answer."""

    def row(work: Work) -> None:
        work.delay(8)
        for action in (work.submit, work.describe):
            work.fault(action, delay=5, times=1)
        work.start("_impatient")
        work.succeeds(statements=1)
        assert work.stack.hits(work.submit) > 0
        assert work.stack.hits(work.describe) > 0

    works.each(row, *PLACES)


def test_a_failed_statement_fails_the_try_and_a_retry_is_a_new_one(works: Works) -> None:
    def row(work: Work) -> None:
        work.statement_fails("ERROR: Disk Full")
        work.start()
        work.succeeds(statements=2)
        assert "Disk Full" in work.log(try_number=1)

    works.each(row, *PLACES)


def test_a_statement_that_every_retry_would_repeat_fails_the_task(works: Works) -> None:
    def row(work: Work) -> None:
        work.statement_fails('ERROR: relation "effects" does not exist')
        work.start()
        assert work.end() == "failed"
        work.took_effect(0, statements=1)
        assert 'relation "effects" does not exist' in work.log(try_number=1)

    works.each(row, WORKER)


def test_a_statement_that_somebody_cancelled(works: Works) -> None:
    def row(work: Work) -> None:
        work.delay(60)
        work.start()
        work.await_running()
        work.somebody_cancels()
        work.succeeds(statements=2)
        assert work.statements()[0]["status"] == "ABORTED"

    works.each(row, *PLACES)


def test_what_passes_is_retried(works: Works) -> None:
    """A serializable violation, then no free connection, then a resize."""

    def row(work: Work) -> None:
        work.statement_fails("ERROR: 1023 DETAIL: Serializable isolation violation on table - 100")
        work.statement_fails('FATAL: connection limit "500" exceeded for non-bootstrap users')
        work.statement_fails("ERROR: The cluster is being resized.")
        work.start()
        work.succeeds(statements=4)

    works.each(row, WORKER)


def test_a_cluster_that_is_paused(works: Works) -> None:
    client = boto3.client("redshift")
    client.pause_cluster(ClusterIdentifier="redshift-etl")
    try:
        for work in works.at(WORKER):
            work.start()
        for work in works.made:
            work.await_retry()
    finally:
        client.resume_cluster(ClusterIdentifier="redshift-etl")
    for work in works.made:
        work.succeeds()
