"""The clients that people use on Redshift's port: redshift_connector, psycopg, psql."""

# A timestamp without time zone is a type of its own.
# ruff: noqa: DTZ001

import threading
import time
from datetime import UTC, date, datetime
from decimal import Decimal

import psycopg
import pytest
import redshift_connector

# redshift_connector


def test_redshift_connector_reads_every_type(connector):
    cursor = connector.cursor()
    cursor.execute(
        "select true, 1::int2, 2::int4, 3::int8, 0.5::float4, 1.5::float8, 12.30::numeric(7,2), "
        "'x'::varchar, date '2003-01-02', timestamp '2003-01-02 03:04:05.5', null::int"
    )
    assert cursor.fetchone() == [
        True, 1, 2, 3, 0.5, 1.5, Decimal("12.30"),
        "x", date(2003, 1, 2), datetime(2003, 1, 2, 3, 4, 5, 500000), None,
    ]  # fmt: skip


def test_redshift_connector_binds_every_type(connector):
    cursor = connector.cursor()
    cursor.execute(
        "create temp table bound "
        "(b bool, i int, l bigint, f float8, n numeric(9,2), v varchar(20), d date, t timestamp)"
    )
    row = [True, 5, 2**40, 2.5, Decimal("1.20"), "it's; %s", date(2003, 1, 2), datetime(2003, 1, 2, 3, 4, 5)]
    cursor.execute("insert into bound values (%s, %s, %s, %s, %s, %s, %s, %s)", row)
    assert cursor.rowcount == 1
    cursor.execute("insert into bound values (%s, %s, %s, %s, %s, %s, %s, %s)", [None] * 8)
    cursor.execute("select * from bound where v = %s", ("it's; %s",))
    assert cursor.fetchall() == (row,)
    cursor.execute("select count(*) from bound where v is null")
    assert cursor.fetchone() == [1]


def test_redshift_connector_has_transactions(connector, rows, execute):
    execute("create table wired (n int)")
    cursor = connector.cursor()
    cursor.execute("insert into wired values (1)")
    assert rows("select count(*) from wired") == [(0,)]
    connector.rollback()
    cursor.executemany("insert into wired values (%s)", [(2,), (3,)])
    connector.commit()
    assert rows("select n from wired order by n") == [(2,), (3,)]


def test_redshift_connector_meets_the_aborted_transaction(connector):
    cursor = connector.cursor()
    with pytest.raises(redshift_connector.ProgrammingError) as error:
        cursor.execute("select * from not_there")
    assert error.value.args[0]["C"] == "42P01"
    assert error.value.args[0]["M"] == 'relation "not_there" does not exist'
    with pytest.raises(redshift_connector.ProgrammingError) as error:
        cursor.execute("select 1")
    assert error.value.args[0]["C"] == "25P02"
    connector.rollback()
    cursor.execute("select 1")
    assert cursor.fetchone() == [1]


def test_redshift_connector_sends_one_statement_at_a_time(connector):
    with pytest.raises(
        redshift_connector.ProgrammingError, match="multiple commands into a prepared statement"
    ):
        connector.cursor().execute("select 1; select 2")


def test_redshift_connector_is_told_of_a_wrong_password(server):
    with pytest.raises(redshift_connector.ProgrammingError, match="password authentication failed") as error:
        redshift_connector.connect(
            host="127.0.0.1",
            port=server.wire_port,
            user="awsuser",
            password="guess",
            database="dev",
            ssl=False,
        )
    assert "28P01" in str(error.value)


# psycopg


def test_psycopg_reads_every_type_as_text_and_binary(pg):
    query = (
        "select true, 1::int2, 2::int4, 3::int8, 1.5::float8, -12.30::numeric(7,2), 'x'::varchar, "
        "date '2003-01-02', timestamp '2003-01-02 03:04:05.5', "
        "timestamptz '2003-01-02 03:04:05+00', null::int"
    )
    expected = (
        True, 1, 2, 3, 1.5, Decimal("-12.30"), "x", date(2003, 1, 2), datetime(2003, 1, 2, 3, 4, 5, 500000),
        datetime(2003, 1, 2, 3, 4, 5, tzinfo=UTC), None,
    )  # fmt: skip
    assert pg.execute(query, binary=False).fetchone() == expected
    assert pg.execute(query, binary=True).fetchone() == expected


@pytest.mark.parametrize("style", ["%s", "%b", "%t"])
def test_psycopg_binds_parameters(pg, style):
    values = (7, 2**40, Decimal("1.25"), True, date(2003, 1, 2), datetime(2003, 1, 2, 3, 4))
    casts = ("int", "bigint", "numeric(5,2)", "bool", "date", "timestamp")
    query = f"select {', '.join(f'{style}::{cast}' for cast in casts)}"
    assert pg.execute(query, values).fetchone() == values


def test_psycopg_compares_text_with_other_types(pg):
    pg.execute("create temp table days (d date, n int)")
    pg.execute("insert into days values (%s, %s)", ("2003-01-02", "5"))
    assert pg.execute("select n from days where d = %s and n = %s", ("2003-01-02", "5")).fetchall() == [(5,)]


def test_psycopg_prepares_statements(pg):
    for number in range(8):
        assert pg.execute("select %s::int + 1", (number,), prepare=True).fetchone() == (number + 1,)


def test_psycopg_sees_the_state_of_the_transaction(conninfo):
    status = psycopg.pq.TransactionStatus
    with psycopg.connect(**conninfo) as connection:
        assert connection.info.transaction_status == status.IDLE
        connection.execute("select 1")
        assert connection.info.transaction_status == status.INTRANS
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("select * from not_there")
        assert connection.info.transaction_status == status.INERROR
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            connection.execute("select 1")
        connection.rollback()
        assert connection.info.transaction_status == status.IDLE


def test_psycopg_reads_a_big_result_through_a_named_cursor(conninfo):
    with psycopg.connect(**conninfo) as connection:
        connection.execute("create temp table big (n int)")
        connection.execute(f"insert into big values {', '.join(f'({n})' for n in range(1000))}")
        with connection.cursor("big_cursor") as cursor:
            cursor.itersize = 300
            cursor.execute("select n from big order by n")
            assert [n for (n,) in cursor] == list(range(1000))
        with connection.cursor("some") as cursor:
            cursor.execute("select n from big order by n")
            assert cursor.fetchone() == (0,)
            assert cursor.fetchmany(2) == [(1,), (2,)]
        with pytest.raises(psycopg.errors.InvalidCursorName):
            connection.execute("fetch 1 from some")


def test_psycopg_cancels_a_running_query(pg, slow_query):
    timer = threading.Timer(0.5, pg.cancel_safe)
    timer.start()
    started = time.monotonic()
    with pytest.raises(psycopg.errors.QueryCanceled):
        pg.execute(slow_query)
    timer.join()
    assert time.monotonic() - started < 5
    assert pg.execute("select 1").fetchone() == (1,)


def test_psycopg_runs_several_statements_as_one_transaction(pg):
    pg.execute("create table several (n int); insert into several values (1); insert into several values (2)")
    with pytest.raises(psycopg.errors.UndefinedTable):
        pg.execute("insert into several values (3); select * from not_there")
    assert pg.execute("select count(*) from several").fetchone() == (2,)
    pg.execute("begin; insert into several values (4); rollback; insert into several values (5)")
    assert pg.execute("select max(n) from several").fetchone() == (5,)


def test_psycopg_pipelines(pg):
    with pg.pipeline():
        cursors = [pg.execute("select %s::int", (number,)) for number in range(5)]
        assert [cursor.fetchone() for cursor in cursors] == [(number,) for number in range(5)]


def test_psycopg_counts_the_rows_it_wrote(pg):
    pg.execute("create temp table written (n int)")
    assert pg.execute("insert into written values (1), (2)").rowcount == 2
    assert pg.execute("update written set n = 3").rowcount == 2
    assert pg.execute("delete from written where n = 3").rowcount == 2


def test_an_empty_query_is_answered(pg):
    assert pg.execute("").description is None
    assert pg.execute("-- nothing", ()).description is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"user": "nobody"}, 'password authentication failed for user "nobody"'),
        ({"password": "guess"}, 'password authentication failed for user "awsuser"'),
        ({"dbname": "nowhere"}, 'database "nowhere" does not exist'),
    ],
)
def test_a_login_that_is_refused_says_why(conninfo, change, message):
    with pytest.raises(psycopg.OperationalError, match=message):
        psycopg.connect(**conninfo | change)


# psql


def test_psql_runs_statements(psql):
    result = psql("-At", "-c", "select 1, true, null, 'a|b'; select 2")
    assert result.returncode == 0, result.stderr
    assert result.stdout == "1|t||a|b\n2\n"


def test_psql_runs_a_script_and_stops_at_its_error(psql):
    statements = ["create temp table t (n int)", "insert into t values (1), (2)", "select sum(n) from t"]
    script = "".join(f"{statement};\n" for statement in [*statements, "select * from nope"])
    result = psql("-At", "-v", "ON_ERROR_STOP=1", "-f", "-", stdin=script)
    assert result.returncode == 3
    assert result.stdout == "CREATE TABLE\nINSERT 0 2\n3\n"
    assert 'ERROR:  relation "nope" does not exist' in result.stderr


def test_psql_fetches_in_pieces(psql):
    script = "\\set FETCH_COUNT 2\nselect 1 as n union all select 2 union all select 3 order by n;\n"
    result = psql("-At", stdin=script)
    assert result.stdout == "1\n2\n3\n", result.stderr


def test_psql_is_told_of_a_wrong_password(psql):
    result = psql("-c", "select 1", password="guess")
    assert result.returncode == 2
    assert 'password authentication failed for user "awsuser"' in result.stderr
