"""Ending statements and sessions: CANCEL, the functions, statement_timeout."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from redshift_engine import fails, rows

from local_aws.redshift import RedshiftError, Session, Warehouse

HEAVY = "select count(*) from d a, d b, d c, d e, d f, d g, d h, d i, d j where a.n + j.n + e.n * h.n > -1"


@pytest.fixture
def digits(session: Session) -> Session:
    session.execute("create table d (n int)")
    session.execute(f"insert into d values {', '.join(f'({n})' for n in range(100))}")
    return session


@pytest.fixture
def running(digits: Session, warehouse: Warehouse) -> Callable[[Callable[[Session], None]], RedshiftError]:
    """Runs a heavy query in another session, does something to it, and gives its error."""

    def run(do: Callable[[Session], None]) -> RedshiftError:
        assert rows(digits, "select count(*) from d") == [(100,)]
        other = warehouse.connect("dev", "awsuser")
        errors: list[RedshiftError] = []

        def work() -> None:
            try:
                other.execute(HEAVY)
            except RedshiftError as error:
                errors.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        until = time.monotonic() + 10
        while other.query_id < 0 and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.1)
        do(other)
        thread.join(10)
        assert not thread.is_alive()
        return errors[0]

    return run


def test_cancel_ends_another_sessions_statement_with_the_number_of_the_query(
    digits: Session, running: Callable[..., RedshiftError]
) -> None:
    numbers: list[int] = []

    def do(other: Session) -> None:
        numbers.append(other.query_id)
        assert digits.execute(f"cancel {other.pid}").tag == "CANCEL"

    error = running(do)
    assert error.sqlstate == "57014"
    assert str(error) == f"ERROR: Query ({numbers[0]}) cancelled on user's request"


def test_cancels_message_is_what_the_other_client_reads(
    digits: Session, running: Callable[..., RedshiftError]
) -> None:
    error = running(lambda other: digits.execute(f"cancel {other.pid} 'Long-running query'"))
    assert str(error) == "ERROR: Long-running query"


def test_pg_cancel_backend_cancels_once_and_leaves_the_session(
    digits: Session, running: Callable[..., RedshiftError]
) -> None:
    sessions: list[Session] = []

    def do(other: Session) -> None:
        sessions.append(other)
        digits.describe(f"select pg_cancel_backend({other.pid})")
        assert not other.cancelled
        assert rows(digits, f"select pg_cancel_backend({other.pid})") == [(1,)]

    assert running(do).sqlstate == "57014"
    assert rows(sessions[0], "select 1") == [(1,)]


def test_pg_terminate_backend_ends_the_session_and_gives_its_lock_back(
    digits: Session, warehouse: Warehouse
) -> None:
    other = warehouse.connect("dev", "awsuser")
    other.execute("begin")
    other.execute("insert into d values (1000)")
    assert rows(digits, f"select pg_terminate_backend({other.pid})") == [(1,)]
    digits.execute("insert into d values (2000)")
    assert rows(digits, "select max(n), count(*) from d") == [(2000, 101)]
    assert fails(other, "select 1") == ("57P01", "ERROR: terminating connection due to administrator command")
    assert rows(digits, f"select pg_terminate_backend({other.pid})") == [(0,)]


def test_pg_terminate_backend_ends_a_running_statement(
    digits: Session, running: Callable[..., RedshiftError]
) -> None:
    error = running(lambda other: digits.execute(f"select pg_terminate_backend({other.pid})"))
    assert error.sqlstate == "57P01"


def test_an_unknown_session_cannot_be_cancelled(session: Session) -> None:
    assert fails(session, "cancel 17")[1].startswith("ERROR: Session 17 does not exist.")
    assert rows(session, "select pg_cancel_backend(17)") == [(0,)]


def test_functions_that_end_sessions_are_columns_only(session: Session) -> None:
    assert fails(session, "select 1 where pg_cancel_backend(17) = 1")[0] == "0A000"


def test_statement_timeout_ends_a_heavy_cross_join(digits: Session) -> None:
    digits.execute("set statement_timeout to 300")
    started = time.monotonic()
    state, message = fails(digits, HEAVY)
    assert time.monotonic() - started < 5
    assert state == "57014"
    assert message.endswith("cancelled on user's request")
    assert rows(digits, "select 1") == [(1,)]
    assert rows(
        digits, "select status from sys_query_history where query_text like '%a.n + j.n%' limit 1"
    ) == [("canceled",)]


def test_statement_timeout_ends_the_wait_for_a_lock_and_aborts_the_transaction(
    digits: Session, warehouse: Warehouse
) -> None:
    digits.execute("begin read write")
    second = warehouse.connect("dev", "awsuser")
    second.execute("set statement_timeout = 100")
    second.execute("begin")
    assert fails(second, "insert into d values (1)")[0] == "57014"
    assert second.transaction_status == "failed"


def test_statement_timeout_is_a_number_of_milliseconds_and_0_is_off(session: Session) -> None:
    assert fails(session, "set statement_timeout to 'soon'")[0] == "22023"
    session.execute("set statement_timeout to 60000")
    assert rows(session, "show statement_timeout") == [("60000",)]
    session.execute("set statement_timeout to 0")
    assert session.settings.statement_timeout == 0
    session.execute("reset statement_timeout")
    assert rows(session, "select current_setting('statement_timeout')") == [("0",)]


def test_a_cancel_between_statements_concerns_neither(session: Session) -> None:
    session.cancel()
    columns = session.describe("select 1 as n")[1]
    assert columns is not None
    assert [column.name for column in columns] == ["n"]
