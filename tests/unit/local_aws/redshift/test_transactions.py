"""Transactions: autocommit, the aborted state, TRUNCATE's commit, one writer at a time, cancelling."""

from __future__ import annotations

import re
import threading
import time

import pytest
from redshift_engine import fails, rows

from local_aws.redshift import RedshiftError, Session, Warehouse


@pytest.fixture
def table(session: Session) -> Session:
    session.execute("create table t (a int)")
    return session


def test_a_statement_alone_commits_itself(table: Session, warehouse: Warehouse) -> None:
    table.execute("insert into t values (1)")
    assert table.transaction_status == "idle"
    assert rows(warehouse.connect("dev", "awsuser"), "select a from t") == [(1,)]


@pytest.mark.parametrize(
    ("begin", "end", "kept"),
    [
        ("begin", "commit", 1),
        ("begin transaction", "end transaction", 1),
        ("start transaction isolation level serializable", "commit work", 1),
        ("begin read write", "commit", 1),
        ("begin", "rollback", 0),
        ("begin work", "abort", 0),
    ],
)
def test_transactions_begin_and_end(
    table: Session, warehouse: Warehouse, begin: str, end: str, kept: int
) -> None:
    other = warehouse.connect("dev", "awsuser")
    assert table.execute(begin).tag == "BEGIN"
    table.execute("insert into t values (1)")
    assert table.transaction_status == "open"
    assert rows(other, "select count(*) from t") == [(0,)]
    table.execute(end)
    assert table.transaction_status == "idle"
    assert rows(other, "select count(*) from t") == [(kept,)]


def test_ddl_rolls_back_with_what_was_remembered_of_it(session: Session) -> None:
    session.execute("create table t (a int distkey)")
    session.execute("begin")
    session.execute("alter table t alter diststyle even")
    session.execute("create table u (id bigint identity(1,1))")
    session.execute("rollback")
    assert rows(session, 'select "table", diststyle from svv_table_info') == [("t", "KEY(a)")]


def test_after_an_error_only_the_end_of_the_transaction_is_accepted(table: Session) -> None:
    table.execute("begin")
    table.execute("insert into t values (1)")
    assert fails(table, "select 1/0")[0] == "22012"
    assert table.transaction_status == "failed"
    state, message = fails(table, "select 1")
    assert (state, message) == (
        "25P02",
        "ERROR: current transaction is aborted, commands ignored until end of transaction block",
    )
    with pytest.raises(RedshiftError, match="aborted"):
        table.describe("select 1")
    assert table.execute("commit").tag == "ROLLBACK"
    assert rows(table, "select count(*) from t") == [(0,)]


def test_truncate_commits_what_the_transaction_did_before_it(table: Session) -> None:
    table.execute("create table u (a int)")
    table.execute("insert into u values (1)")
    table.execute("begin")
    table.execute("insert into t values (1)")
    table.execute("truncate table u")
    table.execute("insert into t values (2)")
    assert table.transaction_status == "open"
    table.execute("rollback")
    assert rows(table, "select a from t") == [(1,)]
    assert rows(table, "select count(*) from u") == [(0,)]


@pytest.mark.parametrize(
    "update", ["update t set a = a * 10", "with q as (select 10 as f) update t set a = a * q.f from q"]
)
def test_a_second_writer_waits_for_the_first(table: Session, warehouse: Warehouse, update: str) -> None:
    table.execute("insert into t values (1)")
    table.execute("begin")
    table.execute("update t set a = a + 1")
    second = warehouse.connect("dev", "awsuser")
    done = threading.Event()

    def write() -> None:
        second.execute(update)
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    assert not done.wait(0.2)
    table.execute("commit")
    thread.join(5)
    assert done.is_set()
    assert rows(table, "select a from t") == [(20,)]


def test_lock_takes_the_write_lock(table: Session, warehouse: Warehouse) -> None:
    table.execute("begin")
    table.execute("lock table t")
    second = warehouse.connect("dev", "awsuser")
    thread = threading.Thread(target=second.execute, args=("insert into t values (1)",))
    thread.start()
    time.sleep(0.1)
    assert thread.is_alive()
    assert rows(table, "select count(*) from t") == [(0,)]
    table.execute("end")
    thread.join(5)
    assert rows(table, "select count(*) from t") == [(1,)]
    assert fails(table, "lock nothing")[0] == "42P01"


def test_begin_read_write_waits_and_then_sees_what_the_other_writer_did(
    table: Session, warehouse: Warehouse
) -> None:
    table.execute("begin read write")
    table.execute("insert into t values (1)")
    second = warehouse.connect("dev", "awsuser")
    seen: list[int] = []

    def batch() -> None:
        second.execute("begin read write")
        seen.append(rows(second, "select count(*) from t")[0][0])
        second.execute("update t set a = 5")
        second.execute("commit")

    thread = threading.Thread(target=batch)
    thread.start()
    time.sleep(0.1)
    table.execute("commit")
    thread.join(5)
    assert seen == [1]
    assert rows(table, "select a from t") == [(5,)]


def test_a_transaction_that_read_before_another_wrote_is_a_serializable_violation(
    table: Session, warehouse: Warehouse
) -> None:
    table.execute("insert into t values (1)")
    table.execute("begin")
    rows(table, "select * from t")
    warehouse.connect("dev", "awsuser").execute("update t set a = 2")
    state, message = fails(table, "update t set a = 3")
    assert state == "40001"
    assert message.startswith("ERROR: 1023 DETAIL: Serializable isolation violation on table")


def test_a_conflict_names_the_table_where_the_engine_does(table: Session, warehouse: Warehouse) -> None:
    table.execute("begin")
    rows(table, "select * from t")
    warehouse.connect("dev", "awsuser").execute("drop table t")
    state, message = "", ""
    try:
        table.execute("insert into t values (1)")
        table.execute("commit")
    except RedshiftError as error:
        state, message = error.sqlstate, str(error)
    assert state == "40001"
    assert "isolation violation on table - t," in message


def test_cancel_ends_a_running_statement(session: Session) -> None:
    timer = threading.Timer(0.2, session.cancel)
    timer.start()
    state, message = fails(
        session,
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000000) select "
        "max(i) from n",
    )
    assert state == "57014"
    assert re.fullmatch(r"ERROR: Query \(\d+\) cancelled on user's request", message)
    assert session.transaction_status == "idle"
    assert rows(session, "select 1") == [(1,)]


def test_a_cancel_at_any_moment_leaves_a_session_that_goes_on(table: Session) -> None:
    """Also one that comes while the statement before it begins, is committed or rolled back."""
    done = threading.Event()

    def cancel() -> None:
        while not done.is_set():
            table.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    states = set()
    try:
        for _ in range(100):
            try:
                table.execute("insert into t values (1)")
            except RedshiftError as error:
                states.add(error.sqlstate)
    finally:
        done.set()
        thread.join()
    assert states == {"57014"}
    assert rows(table, "select 1") == [(1,)]


def test_cancel_ends_the_wait_for_the_write_lock(table: Session, warehouse: Warehouse) -> None:
    table.execute("begin read write")
    second = warehouse.connect("dev", "awsuser")
    threading.Timer(0.1, second.cancel).start()
    assert fails(second, "insert into t values (1)")[0] == "57014"


def test_a_cancel_without_a_running_statement_harms_nothing(session: Session) -> None:
    session.cancel()
    assert rows(session, "select 1") == [(1,)]


def test_an_error_outside_the_engine_aborts_the_transaction_too(session: Session) -> None:
    """Nothing answers at the endpoint of this warehouse."""
    session.execute("begin")
    assert fails(session, "copy nothing from 's3://b/k' iam_role default csv")[0] == "42P01"
    assert session.transaction_status == "failed"
    session.execute("rollback")
    session.execute("create table t (a int)")
    assert "EndpointConnectionError" in fails(session, "copy t from 's3://b/k' iam_role default csv")[1]
    assert session.transaction_status == "idle"
    session.execute("insert into t values (1)")


def test_closing_a_session_rolls_back_and_lets_the_next_writer_on(
    table: Session, warehouse: Warehouse
) -> None:
    table.execute("begin")
    table.execute("insert into t values (1)")
    table.close()
    second = warehouse.connect("dev", "awsuser")
    second.execute("insert into t values (2)")
    assert rows(second, "select a from t") == [(2,)]


@pytest.mark.parametrize("name", ["#scratch", "scratch"])
def test_a_temporary_table_belongs_to_its_session(session: Session, warehouse: Warehouse, name: str) -> None:
    create = f"create table {name} (a int)" if name.startswith("#") else f"create temp table {name} (a int)"
    session.execute(create)
    session.execute(f"insert into {name} values (1)")
    assert rows(session, f"select a from {name}") == [(1,)]
    other = warehouse.connect("dev", "awsuser")
    assert fails(other, f"select a from {name}")[0] == "42P01"
    other.execute(create)
    assert rows(other, f"select count(*) from {name}") == [(0,)]


def test_a_temporary_table_hides_a_table_of_the_same_name(session: Session) -> None:
    session.execute("create table t (a int)")
    session.execute("create temporary table t (b int)")
    session.execute("insert into t (b) values (1)")
    assert rows(session, "select * from public.t") == []
    assert rows(session, "select b from t") == [(1,)]
    session.execute("drop table t")
    assert rows(session, "select a from t") == []


def test_a_session_needs_a_known_database_and_user(warehouse: Warehouse) -> None:
    for database, user, state in (("nowhere", "awsuser", "3D000"), ("dev", "nobody", "28000")):
        with pytest.raises(RedshiftError) as caught:
            warehouse.connect(database, user)
        assert caught.value.sqlstate == state


def test_databases_are_created_and_dropped(session: Session, warehouse: Warehouse) -> None:
    session.execute("create database sales")
    other = warehouse.connect("sales", "awsuser")
    other.execute("create table t (a int)")
    assert rows(other, "select current_database()") == [("sales",)]
    assert fails(session, "select * from t")[0] == "42P01"
    assert rows(session, "select datname from pg_database order by 1") == [("dev",), ("sales",)]
    session.execute("drop database sales")
    assert fails(session, "drop database dev")[0] == "55006"


def test_every_session_has_its_own_pid(warehouse: Warehouse) -> None:
    first, second = (warehouse.connect("dev", "awsuser") for _ in range(2))
    assert first.pid != second.pid
    assert rows(first, "select pg_backend_pid()") == [(first.pid,)]
