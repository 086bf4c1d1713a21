"""What a session does over the wire beside plain statements: time-outs, typed parameters, psql's catalog."""

import datetime as dt
import time
from decimal import Decimal

import psycopg
import pytest
import redshift_connector


def test_statement_timeout_reaches_the_client(pg, slow_query):
    pg.execute("set statement_timeout to 300")
    started = time.monotonic()
    with pytest.raises(psycopg.errors.QueryCanceled, match=r"Query \(\d+\) cancelled on user's request"):
        pg.execute(slow_query)
    assert time.monotonic() - started < 5
    assert pg.execute("select 1").fetchone() == (1,)


def test_statement_timeout_reaches_redshift_connector(connector, slow_query):
    cursor = connector.cursor()
    cursor.execute("set statement_timeout to 300")
    with pytest.raises(redshift_connector.ProgrammingError) as error:
        cursor.execute(slow_query)
    assert error.value.args[0]["C"] == "57014"


def test_a_terminated_session_is_hung_up_on(pg, conninfo):
    with psycopg.connect(**conninfo, autocommit=True) as other:
        pid = other.info.backend_pid
        assert pg.execute("select pg_terminate_backend(%s)", (pid,)).fetchone() == (1,)
        with pytest.raises(psycopg.errors.AdminShutdown):
            other.execute("select 1")
        time.sleep(1)
        with pytest.raises(psycopg.OperationalError):
            other.execute("select 1")


def test_redshift_connector_binds_typed_parameters_of_insert_select(connector):
    cursor = connector.cursor()
    cursor.execute("create temp table typed (d date, n numeric(9,2), v varchar(10))")
    statement = "insert into typed select %s, %s, %s"
    for row in ((dt.date(2003, 1, 2), Decimal("-1.25"), "x"), (None, None, None), (None, Decimal(7), "y")):
        cursor.execute(statement, row)
    cursor.execute("insert into typed select d, n + %s, %s from typed where d = %s",
                   (Decimal("0.50"), None, dt.date(2003, 1, 2)))  # fmt: skip
    cursor.execute("select d, n, v from typed order by n")
    assert cursor.fetchall() == (
        [dt.date(2003, 1, 2), Decimal("-1.25"), "x"],
        [dt.date(2003, 1, 2), Decimal("-0.75"), None],
        [None, Decimal("7.00"), "y"],
        [None, None, None],
    )


def test_a_long_statement_and_one_that_nests_too_deeply(pg):
    long = f"select length('{'x' * 50_000}'), length('{'y' * 60_000}')"
    assert pg.execute(long).fetchone() == (50_000, 60_000)
    for query in (f"select {'(' * 20_000}1{')' * 20_000}", f"select {'+'.join(['1'] * 20_000)}"):
        for binary in (False, True):
            with pytest.raises(psycopg.errors.StatementTooComplex):
                pg.execute(query, () if binary else None, binary=binary)
    assert pg.execute("select 1").fetchone() == (1,)


def test_text_that_is_not_utf8_is_an_error_and_the_connection_goes_on(pg):
    with pytest.raises(psycopg.errors.CharacterNotInRepertoire, match="0xff"):
        pg.execute(b"select '\xff'")
    with pytest.raises(psycopg.errors.CharacterNotInRepertoire, match="0xff"):
        pg.execute(b"select '\xff' where %s = 1", (1,))
    assert pg.execute("select 1").fetchone() == (1,)


def test_a_failed_describe_aborts_the_transaction(conninfo):
    with psycopg.connect(**conninfo) as connection:
        connection.execute("select 1")
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("select * from not_there where a = %s", (1,))
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INERROR


def test_psql_lists_schemas_tables_and_views(psql):
    result = psql(
        "-At", "-q", "-v", "ON_ERROR_STOP=1",
        "-c", "create schema mart", "-c", "create table mart.sales (n int)",
        "-c", "create view mart.totals as select sum(n) as n from mart.sales",
        "-c", "create table listed (n int)", "-c", "create temp table passing (n int)",
        "-c", r"\dn", "-c", r"\dt", "-c", r"\dt mart.*", "-c", r"\dv mart.*", "-c", "set search_path to mart",
        "-c", r"\d", "-c", "select pg_catalog.version()",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert "mart|awsuser" in lines
    assert "public|awsuser" in lines
    assert "public|listed|table|awsuser" in lines
    assert "pg_temp|passing|table|awsuser" in lines
    assert lines.count("mart|sales|table|awsuser") == 2
    assert lines.count("mart|totals|view|awsuser") == 2
    assert lines[-1].startswith("PostgreSQL 8.0.2")
