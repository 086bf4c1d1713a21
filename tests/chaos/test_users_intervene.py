"""Limits and users end a task: its work is cancelled, and seen cancelled, before another starts."""

import pytest
from work import Work, both_operators

from chaos_stack import Chaos

pytestmark = pytest.mark.chaos
places = pytest.mark.parametrize("place", ["worker", "triggerer"])


def run_long(work: Work, place: str) -> None:
    """Start work that would go on for longer than the test, and wait until Airflow waits for it."""
    work.delay(90)
    work.start(place)
    work.await_running()
    if place.startswith("triggerer"):
        work.await_state("deferred", "up_for_retry", "skipped")


@places
def test_an_execution_timeout(works: both_operators, place: str) -> None:
    def row(work: Work) -> None:
        run_long(work, f"{place}_limited")
        work.succeeds()
        assert work.statements()[0]["status"] == "ABORTED"

    works(row)


@places
def test_a_dagrun_timeout(works: both_operators, place: str) -> None:
    def row(work: Work) -> None:
        run_long(work, f"{place}_run_limited")
        assert work.end() == "failed"
        work.await_nothing_live()
        work.took_effect(0)
        work.clear()
        work.succeeds(statements=2)

    works(row)


@places
def test_marked_failed(works: both_operators, place: str) -> None:
    def row(work: Work) -> None:
        run_long(work, place)
        work.mark_failed()
        work.await_nothing_live()
        assert work.end() == "failed"
        work.took_effect(0)
        work.clear()
        work.succeeds(statements=2)

    works(row)


@places
def test_cleared_while_it_runs(works: both_operators, place: str) -> None:
    def row(work: Work) -> None:
        run_long(work, place)
        work.clear()
        work.stack.until(lambda: len(work.statements()) == 2)
        work.succeeds(statements=2)
        assert work.statements()[0]["status"] == "ABORTED"

    works(row)


@places
def test_its_run_deleted(works: both_operators, place: str) -> None:
    def row(work: Work) -> None:
        run_long(work, place)
        work.delete_run()
        work.await_nothing_live()
        work.took_effect(0)
        work.start(place)
        work.succeeds(statements=2)

    works(row)


def test_marked_failed_while_no_triggerer_lives(stack: Chaos, works: both_operators) -> None:
    """Nobody can cancel then; whoever clears the task does."""
    works(lambda work: run_long(work, "triggerer"))
    stack.kill("triggerer")
    for work in works:
        work.mark_failed()
    stack.start("triggerer")

    def row(work: Work) -> None:
        work.clear()
        work.succeeds(statements=2)
        assert work.statements()[0]["status"] == "ABORTED"

    works(row)


@places
def test_cleared_after_its_success(works: both_operators, place: str) -> None:
    def row(work: Work) -> None:
        work.start(place)
        work.succeeds(effects=1)
        work.clear()
        work.stack.until(lambda: len(work.statements()) == 2)
        work.succeeds(effects=2, statements=2)

    works(row)
