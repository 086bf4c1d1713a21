"""Workers, triggerers, schedulers, API servers, local_aws killed -9: the SQL takes effect once."""

import signal
from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from work import TRIGGERER, WORKER, Work, Works

from chaos_stack import Chaos

pytestmark = pytest.mark.chaos


def test_a_worker_killed_before_it_submits(works: Works) -> None:
    def row(work: Work) -> None:
        work.fault(work.look_up, delay=15, times=1)
        work.start()
        work.await_hits(work.look_up)
        work.kill_worker()
        assert work.statements() == []
        work.succeeds(statements=1)

    works.each(row, WORKER)


def lose_the_answer(work: Work, seconds: float = 25) -> None:
    """Let AWS take the work and the worker die before it knows; the work goes on for so many seconds."""
    work.delay(seconds)
    work.fault(work.submit, drop_response=True, delay=3, times=1)
    if work.operator == "redshift":  # botocore sends it again
        work.fault(work.submit, delay=15, times=1)
    work.start()
    work.await_hits(work.submit)
    if work.operator == "glue":  # the operator looks for it
        work.fault(work.look_up, delay=15, times=1)
        work.await_hits(work.look_up)
    else:
        work.await_hits(work.submit, 2)
    work.kill_worker()
    work.await_running()


def test_a_worker_killed_between_submission_and_answer(works: Works) -> None:
    def row(work: Work) -> None:
        lose_the_answer(work)
        work.succeeds(statements=1)

    works.each(row, WORKER)


def test_a_worker_killed_between_submission_and_answer_and_the_task_cleared(works: Works) -> None:
    """Nothing remembers the work, and the clear is a new request: it is found by name, and cancelled."""

    def row(work: Work) -> None:
        lose_the_answer(work, seconds=90)
        work.mark_failed()
        assert work.end() == "failed"  # until then the scheduler may fail the run after the clear
        work.clear()
        work.succeeds(statements=2)
        assert work.statements()[0]["status"] == "ABORTED"

    works.each(row, WORKER)


def test_a_worker_killed_between_submission_and_answer_and_the_run_deleted(works: Works) -> None:
    def row(work: Work) -> None:
        lose_the_answer(work, seconds=90)
        work.delete_run()
        work.start()
        work.succeeds(statements=2)
        assert work.statements()[0]["status"] == "ABORTED"

    works.each(row, WORKER)


def test_a_worker_killed_after_the_answer(works: Works) -> None:
    def row(work: Work) -> None:
        work.delay()
        work.start()
        work.await_running()
        work.await_remembered()
        work.kill_worker()
        work.succeeds(statements=1)

    works.each(row, WORKER)


def test_a_worker_killed_and_the_statement_finished_meanwhile(works: Works) -> None:
    """It ends before Airflow misses the worker's heartbeats, and long before there is a second try."""

    def row(work: Work) -> None:
        work.delay(8)
        work.start()
        work.await_remembered()
        work.kill_worker()
        work.stack.until(lambda: work.effects() and not work.live())
        work.succeeds(statements=1)
        second = work.stack.instance(work.dag_id, work.run_id)
        assert second["try_number"] == 2
        ((_, ended),) = work.spans()
        assert ended < datetime.fromisoformat(second["start_date"])

    works.each(row, WORKER)


def wait_in_the_triggerer(works: Works, seconds: float) -> list[Work]:
    waiting = works.at(TRIGGERER)
    for work in waiting:
        work.delay(seconds)
        work.start()
    for work in waiting:
        work.await_running()
        work.await_state("deferred")
    return waiting


def test_a_triggerer_killed_and_restarted(stack: Chaos, works: Works) -> None:
    waiting = wait_in_the_triggerer(works, 25)
    stack.restart("triggerer")
    for work in waiting:
        work.succeeds(statements=1)


def test_a_triggerer_ended_and_restarted(stack: Chaos, works: Works) -> None:
    """As by a deployment: it cancels its triggers, which must not take that for a user's act."""
    waiting = wait_in_the_triggerer(works, 45)
    for work in waiting:
        work.await_trigger()
    stack.end_and_restart("triggerer")
    for work in waiting:
        work.succeeds(statements=1)


def start_another_triggerer(stack: Chaos) -> None:
    """Start one, and wait until both tell Airflow that they live."""
    since = datetime.now(UTC)
    stack.start("triggerer-2")
    stack.until(lambda: stack.triggerers_alive_since(since) == 2)


def test_a_triggerer_killed_beside_another(stack: Chaos, works: Works) -> None:
    waiting = wait_in_the_triggerer(works, 60)
    mine = [work.triggerer for work in waiting]
    start_another_triggerer(stack)
    stack.kill("triggerer")
    try:
        stack.until(lambda: all(work.triggerer not in {None, *mine} for work in waiting))
        for work in waiting:
            work.succeeds(statements=1)
    finally:
        stack.start("triggerer")
        stack.kill("triggerer-2")


def test_a_triggerer_that_hangs_until_another_has_taken_over(stack: Chaos, works: Works) -> None:
    """Airflow tells the first one that a user killed its triggers; they must not believe it."""
    waiting = wait_in_the_triggerer(works, 90)
    for work in waiting:
        work.await_trigger()
    start_another_triggerer(stack)
    mine = [work.triggerer for work in waiting]
    stack.signal("triggerer", signal.SIGSTOP)
    try:
        stack.until(lambda: all(work.triggerer not in {None, *mine} for work in waiting))
        stack.signal("triggerer", signal.SIGCONT)
        for work in waiting:
            work.succeeds(statements=1)
    finally:
        stack.signal("triggerer", signal.SIGCONT)
        stack.kill("triggerer-2")


def restart_amid_work(stack: Chaos, works: Works, component: str) -> None:
    for work in works.at(WORKER, TRIGGERER):
        work.delay(30)
        work.start()
    for work in works.made:
        work.await_running()
    stack.restart(component)
    for work in works.made:
        work.succeeds(statements=1)


def test_the_scheduler_killed_and_restarted(stack: Chaos, works: Works) -> None:
    restart_amid_work(stack, works, "scheduler")


def test_the_api_server_killed_and_restarted(stack: Chaos, works: Works) -> None:
    """The scheduler must not miss the tasks meanwhile: it waits five minutes by default, 10 s here."""
    with patch.dict(stack.environment, {"AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "300"}):
        stack.restart("scheduler")
        restart_amid_work(stack, works, "api-server")
    stack.restart("scheduler")


def test_the_cluster_reboots_in_mid_statement(stack: Chaos, works: Works) -> None:
    """The statement is lost, and with it what it had done; Airflow does not reach AWS for some seconds."""
    for work in works.at(WORKER, TRIGGERER):
        work.delay(60)
        work.start()
    for work in works.made:
        work.await_running()
    stack.restart_aws()
    for work in works.made:
        work.succeeds(statements=2)
        assert work.statements()[0]["status"] == "FAILED"
