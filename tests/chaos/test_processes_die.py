"""Workers, triggerers, schedulers and API servers killed -9: the run completes, the SQL takes effect once."""

import signal

import pytest
from work import Work, both_operators

from chaos_stack import Chaos

pytestmark = pytest.mark.chaos


def test_a_worker_killed_before_it_submits(works: both_operators) -> None:
    def row(work: Work) -> None:
        work.fault(work.look_up, delay=15, times=1)
        work.start("worker")
        work.await_hits(work.look_up)
        work.kill_worker()
        assert work.statements() == []
        work.succeeds(statements=1)

    works(row)


def lose_the_answer(work: Work) -> None:
    """Let AWS take the work and the worker die before it knows; the work goes on."""
    work.delay(25)
    work.fault(work.submit, drop_response=True, times=1)
    if work.operator == "redshift":  # botocore sends it again
        work.fault(work.submit, delay=15, times=1)
    work.start("worker")
    work.await_hits(work.submit)
    if work.operator == "glue":  # the operator looks for it
        work.fault(work.look_up, delay=15, times=1)
        work.await_hits(work.look_up)
    else:
        work.await_hits(work.submit, 2)
    work.kill_worker()
    work.await_running()


def test_a_worker_killed_between_submission_and_answer(works: both_operators) -> None:
    def row(work: Work) -> None:
        lose_the_answer(work)
        work.succeeds(statements=1)

    works(row)


def test_a_worker_killed_between_submission_and_answer_and_the_task_cleared(works: both_operators) -> None:
    """Nothing remembers the work, and the clear is a new request: it is found by name, and cancelled."""

    def row(work: Work) -> None:
        lose_the_answer(work)
        work.mark_failed()
        work.clear()
        work.succeeds(statements=2)
        assert work.statements()[0]["status"] == "ABORTED"

    works(row)


def test_a_worker_killed_between_submission_and_answer_and_the_run_deleted(works: both_operators) -> None:
    def row(work: Work) -> None:
        lose_the_answer(work)
        work.delete_run()
        work.start("worker")
        work.succeeds(statements=2)
        assert work.statements()[0]["status"] == "ABORTED"

    works(row)


def test_a_worker_killed_after_the_answer(works: both_operators) -> None:
    def row(work: Work) -> None:
        work.delay()
        work.start("worker")
        work.await_running()
        work.kill_worker()
        work.succeeds(statements=1)

    works(row)


def test_a_worker_killed_and_the_statement_finished_meanwhile(works: both_operators) -> None:
    def row(work: Work) -> None:
        work.delay(2)
        work.start("worker")
        work.await_running()
        work.kill_worker()
        work.succeeds(statements=1)

    works(row)


def wait_in_the_triggerer(works: both_operators, seconds: float) -> None:
    for work in works:
        work.delay(seconds)
        work.start("triggerer")
    for work in works:
        work.await_running()
        work.await_state("deferred")


def test_a_triggerer_killed_and_restarted(stack: Chaos, works: both_operators) -> None:
    wait_in_the_triggerer(works, 12)
    stack.restart("triggerer")
    for work in works:
        work.succeeds(statements=1)


def test_a_triggerer_killed_beside_another(stack: Chaos, works: both_operators) -> None:
    wait_in_the_triggerer(works, 12)
    stack.start("triggerer-2")
    stack.kill("triggerer")
    try:
        for work in works:
            work.succeeds(statements=1)
    finally:
        stack.start("triggerer")
        stack.kill("triggerer-2")


def test_a_triggerer_that_hangs_until_another_has_taken_over(stack: Chaos, works: both_operators) -> None:
    """Airflow tells the first one that a user killed its triggers; they must not believe it."""
    wait_in_the_triggerer(works, 40)
    stack.start("triggerer-2")
    mine = [work.triggerer for work in works]
    stack.signal("triggerer", signal.SIGSTOP)
    try:
        stack.until(lambda: all(work.triggerer not in {None, *mine} for work in works))
        stack.signal("triggerer", signal.SIGCONT)
        for work in works:
            work.succeeds(statements=1)
    finally:
        stack.signal("triggerer", signal.SIGCONT)
        stack.kill("triggerer-2")


@pytest.mark.parametrize("component", ["scheduler", "api-server"])
def test_a_component_killed_and_restarted(stack: Chaos, works: both_operators, component: str) -> None:
    """While one task waits in the triggerer and one on the worker."""
    places = dict(zip(works, ("triggerer", "worker"), strict=True))
    for work, place in places.items():
        work.delay(15)
        work.start(place)
    for work in works:
        work.await_running()
    stack.restart(component)
    for work in works:
        work.succeeds(statements=1)
