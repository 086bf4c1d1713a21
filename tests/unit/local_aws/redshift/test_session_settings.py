"""SET, SHOW and RESET, and PREPARE, EXECUTE and DEALLOCATE."""

from __future__ import annotations

import pytest
from redshift_engine import fails, rows

from local_aws.redshift import Session


def test_current_setting_tells_the_query_group(session: Session) -> None:
    session.execute("set query_group to 'nightly'")
    assert rows(session, "select current_setting('query_group')") == [("nightly",)]
    assert fails(session, "select current_setting('no_such')")[0] == "42704"


def test_a_rollback_takes_settings_back_and_set_local_ends_with_the_transaction(session: Session) -> None:
    session.execute("create schema other")
    session.execute("begin")
    session.execute("set query_group to 'lost'")
    session.execute("set search_path to other")
    session.execute("rollback")
    assert rows(session, "show query_group") == [("unset",)]
    assert session.search_path == ["public"]
    session.execute("begin")
    session.execute("set local query_group to 'short'")
    session.execute("set datestyle to 'ISO'")
    assert rows(session, "show query_group") == [("short",)]
    session.execute("commit")
    assert rows(session, "show query_group") == [("unset",)]
    assert rows(session, "show datestyle") == [("ISO",)]


@pytest.mark.parametrize(
    "sql", ["set timezone to 'Europe/Berlin'", "set enable_case_sensitive_identifier to true"]
)
def test_settings_that_would_change_meaning_are_refused(session: Session, sql: str) -> None:
    assert fails(session, sql) == ("0A000", f"ERROR: not supported locally: {sql}")


@pytest.mark.parametrize(
    "sql",
    [
        "set session characteristics as transaction isolation level read committed",
        "set session characteristics as transaction isolation level serializable, read write",
        "set timezone to 'UTC'",
        "set query_group to default",
        "reset all",
    ],
)
def test_what_drivers_send_at_the_start_is_accepted(session: Session, sql: str) -> None:
    session.execute(sql)
    assert rows(session, "show transaction isolation level") == [("serializable",)]


def test_a_prepared_statement_runs_with_typed_values(session: Session) -> None:
    session.execute("create table t (d date, n numeric(9,2))")
    session.execute("prepare fill (date, numeric(9,2)) as insert into t values ($1, $2)")
    session.execute("execute fill ('2003-01-02', 1.5 + 1)")
    session.execute("prepare ask as select n from t where d = $1")
    assert rows(session, "execute ask ('2003-01-02')")[0][0] * 2 == 5
    columns = session.describe("execute ask ('2003-01-02')")[1]
    assert columns is not None
    assert columns[0].type == "numeric"
    assert fails(session, "execute fill ('2003-01-02')")[0] == "42601"
    assert fails(session, "execute ask")[0] == "42P02"
    assert fails(session, "prepare ask as select 1")[0] == "42P05"
    session.execute("deallocate ask")
    assert fails(session, "execute ask (1)")[0] == "26000"
    session.execute("deallocate all")
    assert session.prepared == {}


def test_a_failed_describe_aborts_the_transaction(session: Session) -> None:
    session.execute("begin")
    with pytest.raises(Exception, match="does not exist"):
        session.describe("select * from not_there")
    assert session.transaction_status == "failed"
    assert fails(session, "select 1")[0] == "25P02"


@pytest.mark.parametrize(
    "sql",
    [
        f"select {'(' * 2000}1{')' * 2000}",
        f"select {' + '.join(['1'] * 5000)}",
        f"create table deep (n int default {'(' * 2000}1{')' * 2000})",
    ],
)
def test_a_statement_that_nests_too_deeply_is_an_error(session: Session, sql: str) -> None:
    assert fails(session, sql)[0] == "54001"
    assert rows(session, "select 1") == [(1,)]


def test_text_with_a_zero_byte_and_text_over_16_mb_are_errors(session: Session) -> None:
    assert fails(session, "select 'a\0b'")[0] == "22021"
    state, message = fails(session, f"select '{'x' * 16 * 1024**2}'")
    assert state == "54000"
    assert message == (
        "ERROR: Statement is too large. Statement Size: 16777225 bytes. Maximum Allowed: 16777216 bytes"
    )


def test_a_long_statement_below_the_limit_runs(session: Session) -> None:
    assert len(rows(session, f"select '{'x' * 60000}' union all select '{'y' * 60000}'")) == 2


def test_columns_have_the_lengths_of_their_casts(session: Session) -> None:
    def lengths(sql: str) -> list[tuple[str, int]]:
        columns = session.execute(sql).columns
        assert columns is not None
        return [(column.type, column.length) for column in columns]

    assert lengths("select 'x'::varchar(10), cast('y' as char(3))") == [("varchar", 10), ("bpchar", 3)]
    assert lengths("select 'x'::varchar(10) union all select 'y'::varchar(12)") == [("varchar", 12)]
    assert lengths("with a as (select 'x'::varchar(7) as v) select * from a") == [("varchar", 7)]
    assert lengths("select * from (select 'x'::char(7) as v) as q") == [("bpchar", 7)]
