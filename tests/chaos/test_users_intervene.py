"""Limits and users end a task: its work is cancelled, and seen cancelled, before another starts."""

import pytest
from work import PLACES, TRIGGERER, WORKER, Work, Works

from chaos_stack import Chaos

pytestmark = pytest.mark.chaos


def run_long(work: Work, limit: str = "") -> None:
    """Start work that would go on for longer than the test, and wait until Airflow waits for it."""
    work.delay(90)
    work.start(limit)
    work.await_running()
    if work.place == TRIGGERER:
        work.await_trigger()


def test_an_execution_timeout(works: Works) -> None:
    def row(work: Work) -> None:
        run_long(work, "_limited")
        work.succeeds()
        assert work.statements()[0]["status"] == "ABORTED"

    works.each(row, *PLACES)


def test_a_dagrun_timeout(works: Works) -> None:
    def row(work: Work) -> None:
        run_long(work, "_run_limited")
        assert work.end() == "failed"
        work.await_nothing_live()
        work.took_effect(0)
        work.clear()
        work.succeeds(statements=2)

    works.each(row, *PLACES)


def test_marked_failed(works: Works) -> None:
    def row(work: Work) -> None:
        run_long(work)
        work.mark_failed()
        work.await_nothing_live()
        assert work.end() == "failed"
        work.took_effect(0)
        work.clear()
        work.succeeds(statements=2)

    works.each(row, *PLACES)


def test_marked_failed_and_the_cancellation_refused_once(works: Works) -> None:
    """The worker is told to stop, asks AWS to cancel, and must ask again."""

    def row(work: Work) -> None:
        run_long(work)
        work.fault(work.cancel, error="ThrottlingException", times=1)
        work.mark_failed()
        work.await_hits(work.cancel)
        work.await_nothing_live()
        assert work.end() == "failed"
        work.took_effect(0)

    works.each(row, WORKER)


def test_cleared_while_it_runs(works: Works) -> None:
    def row(work: Work) -> None:
        run_long(work)
        work.clear()
        work.stack.until(lambda: len(work.statements()) == 2)
        work.succeeds(statements=2)
        assert work.statements()[0]["status"] == "ABORTED"

    works.each(row, *PLACES)


def test_its_run_deleted(works: Works) -> None:
    def row(work: Work) -> None:
        run_long(work)
        work.delete_run()
        work.await_nothing_live()
        work.took_effect(0)
        work.start()
        work.succeeds()  # Airflow may take the end of the deleted run's process for the new one's, and retry
        assert work.statements()[0]["status"] == "ABORTED"

    works.each(row, *PLACES)


def test_marked_failed_while_no_triggerer_lives(stack: Chaos, works: Works) -> None:
    """Nobody can cancel then; whoever clears the task does."""
    works.each(run_long, TRIGGERER)
    stack.kill("triggerer")
    for work in works.made:
        work.mark_failed()
    stack.start("triggerer")
    for work in works.made:
        assert work.end() == "failed"
        work.clear()
    for work in works.made:
        work.succeeds(statements=2)
        assert work.statements()[0]["status"] == "ABORTED"


def test_cleared_after_its_success(works: Works) -> None:
    def row(work: Work) -> None:
        work.start()
        work.succeeds(effects=1)
        work.clear()
        work.stack.until(lambda: len(work.statements()) == 2)
        work.succeeds(effects=2, statements=2)

    works.each(row, *PLACES)
