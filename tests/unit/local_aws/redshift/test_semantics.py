"""Where Redshift and its engine here would give different answers, Redshift's answer is given."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from redshift_engine import fails, rows

from local_aws.redshift import Session, Warehouse


def at(year: int, month: int, day: int, hour: int = 0) -> dt.datetime:
    """A timestamp without zone."""
    return dt.datetime(year, month, day, hour)  # noqa: DTZ001 - Redshift's TIMESTAMP has none


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        # numbers
        ("7 / 4", 1),
        ("-7 / 4", -1),
        ("7 % 4", 3),
        ("mod(7, 4)", 3),
        ("7.0::float8 / 4", 1.75),
        ("cast(2.5 as numeric)", Decimal(3)),
        ("round(2.555, 2)", Decimal("2.56")),
        ("trunc(2.7::float8)", 2.0),
        ("greatest(1, null, 3)", 3),
        ("to_char(1234.5, 'FM9,999.00')", "1,234.50"),
        ("to_char(7, '999')", "   7"),
        # text
        ("'x' || null", None),
        ("concat('x', null)", None),
        ("concat('x', 'y')", "xy"),
        ("len('héllo')", 5),
        ("octet_length('héllo')", 6),
        ("strpos('hello', 'l')", 3),
        ("charindex('l', 'hello')", 3),
        ("split_part('a-b-c', '-', 2)", "b"),
        ("left('hello', 2) || right('hello', 2)", "helo"),
        ("lpad('7', 3, '0')", "007"),
        ("md5('a')", "0cc175b9c0f1b6a831c399e269772661"),
        ("regexp_replace('a1b2', '[0-9]', '#')", "a#b#"),
        ("regexp_substr('ab12', '[0-9]+')", "12"),
        ("'abc' similar to 'a%'", True),
        ("'abc' similar to '(a|b)c'", False),
        ("'ABC' ilike 'a%'", True),
        ("'a_c' like 'a\\\\_c'", True),
        ("'abc' like 'a\\\\_c'", False),
        ("cast('hello' as varchar(3))", "hel"),
        ("'hé'::varchar(2)", "h"),
        ("12345::varchar(3)", "123"),
        ("cast('hello' as char(2))", "he"),
        ("initcap('hello world')", "Hello World"),
        ("translate('abc', 'ab', 'xy')", "xyc"),
        # NULLs
        ("nvl(null, 2)", 2),
        ("nvl2(null, 1, 2)", 2),
        ("coalesce(null, 3)", 3),
        ("nullif(1, 1)", None),
        ("decode(1, 1, 0, 1)", 0),
        ("decode(null, null, 0, 1)", 0),
        ("decode(1, null, 0, 1)", 1),
        ("decode(null::int, 5, 0, 1)", 1),
        ("decode('b', 'a', 1, 'b', 2)", 2),
        # dates
        ("dateadd(day, 1, '2020-01-31'::date)", at(2020, 2, 1)),
        ("dateadd(month, 1, '2020-01-31'::date)", at(2020, 2, 29)),
        ("datediff(day, '2020-01-01'::date, '2020-03-01'::date)", 60),
        ("datediff(month, '2020-01-31'::date, '2020-02-01'::date)", 1),
        ("'2020-01-31'::date + 1", dt.date(2020, 2, 1)),
        ("'2020-01-31'::date - '2020-01-01'::date", 30),
        ("date_trunc('week', '2020-01-01'::date)", at(2019, 12, 30)),
        ("trunc('2020-01-01 12:30:00'::timestamp)", dt.date(2020, 1, 1)),
        ("extract(dow from '2020-01-05'::date)", 0),
        ("date_part(year, '2020-01-05'::date)", 2020),
        ("date_part('week', '2020-01-05'::date)", 1),
        ("last_day('2020-02-03'::date)", dt.date(2020, 2, 29)),
        ("add_months('2020-01-31'::date, 1)", at(2020, 2, 29)),
        ("to_char('2020-01-05'::date, 'YYYY-MM-DD')", "2020-01-05"),
        ("to_char('2020-01-05 13:07:09'::timestamp, 'DD.MM.YY HH24:MI:SS')", "05.01.20 13:07:09"),
        ("to_char('2020-01-05'::date, 'Mon DD, YYYY')", "Jan 05, 2020"),
        ("to_char('2020-01-05'::date, 'Month')", "January  "),
        ("to_char('2020-01-05'::date, 'IYYY-IW Q D')", "2020-01 1 1"),
        ("to_char('2020-01-05'::date, 'YYYYMMDD')", "20200105"),
        ("to_date('05.01.2020', 'DD.MM.YYYY')", dt.date(2020, 1, 5)),
        ("to_timestamp('2020-01-05 10:11:12', 'YYYY-MM-DD HH24:MI:SS')::varchar", "2020-01-05 10:11:12"),
        (("convert_timezone('UTC', 'America/New_York', '2020-01-05 "
            "12:00:00'::timestamp)"), at(2020, 1, 5, 7)),
        ("'2020-01-05'::date + interval '1 day'", at(2020, 1, 6)),
        # JSON
        ("json_extract_path_text('{\"a\": {\"b\": 1}}', 'a', 'b')", "1"),
        ("json_extract_array_element_text('[1, 2]', 1)", "2"),
        ("is_valid_json('{')", False),
        ("is_valid_json('{\"a\": 1}')", True),
    ],
)  # fmt: skip
def test_expressions(session: Session, expression: str, value: Any) -> None:
    assert rows(session, f"select {expression}") == [(value,)]


@pytest.mark.parametrize("divisor", ["0", "0.0", "0::float8", "(select 0)", "(n - 1)"])
@pytest.mark.parametrize("operator", ["/", "%"])
def test_division_by_zero_is_an_error(session: Session, operator: str, divisor: str) -> None:
    state, message = fails(session, f"select n {operator} {divisor} from (select 1 as n) as t")
    assert (state, message) == ("22012", "ERROR: Divide by zero")


def test_a_divisor_that_nullif_guards_gives_null(session: Session) -> None:
    assert rows(session, "select 1 / nullif(n, 0) from (select 0 as n) as t") == [(None,)]


@pytest.fixture
def numbers(session: Session) -> Session:
    session.execute("create table numbers (g int, i int, b bigint, d numeric(7,2), f float8)")
    session.execute(
        "insert into numbers values (1, 1, 1, 1.25, 1), (1, 2, 2, 1.50, 2), (2, 4, 4, 2, 4), (2, null, "
        "null, null, null)"
    )
    return session


def kinds(session: Session, sql: str) -> list[str]:
    columns = session.execute(sql).columns
    assert columns is not None
    return [column.type for column in columns]


def test_avg_of_integers_is_a_truncated_bigint_and_of_decimals_a_decimal(numbers: Session) -> None:
    query = "select avg(i), avg(b), avg(d), avg(f) from numbers where g = 1"
    assert rows(numbers, query) == [(1, 1, Decimal("1.38"), 1.5)]
    assert kinds(numbers, query) == ["int8", "int8", "numeric", "float8"]


def test_avg_keeps_its_types_over_windows_and_with_distinct(numbers: Session) -> None:
    query = """
        select avg(i) over (partition by g), avg(d) over (order by i rows unbounded preceding)
        from numbers order by i
    """
    assert rows(numbers, query) == [
        (1, Decimal("1.25")),
        (1, Decimal("1.38")),
        (4, Decimal("1.58")),
        (4, Decimal("1.58")),
    ]
    assert rows(numbers, "select avg(distinct i), avg(i + 0.5) from numbers where g = 1") == [
        (1, Decimal("2.0"))
    ]


def test_sums_of_integers_are_bigint_and_of_decimals_numeric_38(numbers: Session) -> None:
    result = numbers.execute("select sum(i), sum(d), sum(f), count(*), sum(i) / 2 from numbers")
    assert result.rows == [(7, Decimal("4.75"), 7.0, 4, 3)]
    assert result.columns is not None
    assert [column.type for column in result.columns] == ["int8", "numeric", "float8", "int8", "int8"]
    assert (result.columns[1].precision, result.columns[1].scale) == (38, 2)


def test_aggregates_and_windows(numbers: Session) -> None:
    assert rows(numbers, "select listagg(i, ', ') within group (order by i desc) from numbers") == [
        ("4, 2, 1",)
    ]
    assert rows(numbers, "select listagg(distinct g, '|') within group (order by g) from numbers") == [
        ("1|2",)
    ]
    assert rows(
        numbers, "select listagg(i) within group (order by i) over (partition by g) from numbers where g = 1"
    ) == [
        ("12",),
        ("12",),
    ]
    assert rows(numbers, "select median(f), approximate count(distinct i) from numbers") == [(2.0, 3)]
    assert rows(numbers, "select ratio_to_report(i) over (partition by g) from numbers where i = 4") == [
        (1.0,)
    ]
    assert rows(
        numbers,
        "select i from numbers qualify row_number() over (partition by g order by i desc nulls last) = 1 "
        "order by 1",
    ) == [
        (2,),
        (4,),
    ]
    assert rows(
        numbers, "select top 2 i, rank() over (order by i desc nulls last) from numbers order by i"
    ) == [(1, 3), (2, 2)]
    assert rows(
        numbers,
        "select lag(i) over (order by i), first_value(i ignore nulls) over (order by i rows between "
        "unbounded preceding and unbounded following) from numbers where g = 1 order by i",
    ) == [(None, 1), (1, 1)]
    assert rows(
        numbers, "select percentile_cont(0.5) within group (order by f) from numbers where g = 1"
    ) == [(1.5,)]


def test_nulls_sort_as_the_largest_value(numbers: Session) -> None:
    assert rows(numbers, "select i from numbers order by i") == [(1,), (2,), (4,), (None,)]
    assert rows(numbers, "select i from numbers order by i desc") == [(None,), (4,), (2,), (1,)]


@pytest.mark.parametrize(
    ("statement", "state", "message"),
    [
        ("insert into t (v) values ('abcd')", "22001", "value too long for type character varying(3)"),
        ("insert into t (v) values ('éé')", "22001", "value too long for type character varying(3)"),
        ("update t set v = v || 'cd'", "22001", "value too long for type character varying(3)"),
        ("insert into t (c) values ('abc')", "22001", "value too long for type character(2)"),
        (
            (
                "merge into t using (select 'ab' as k, 'long' as w) s on t.v = s.k when matched then update "
                "set v = s.w "
                "when not matched then insert (v) values (s.w)"
            ),
            "22001",
            "value too long for type character varying(3)",
        ),
        ("insert into t (must) values (null)", "23502", "Cannot insert a NULL value into column must"),
        ("insert into t (n) values (1000)", "22003", "numeric field overflow"),
        ("insert into t (i) values (3000000000)", "22003", None),
        ("insert into t (i) values ('x')", "22P02", 'invalid input syntax for type integer: "x"'),
        (
            "insert into t (day) values ('2020-13-01')",
            "22008",
            'date/time field value out of range: "2020-13-01"',
        ),
    ],
)
def test_values_that_do_not_fit_are_refused(
    session: Session, statement: str, state: str, message: str | None
) -> None:
    session.execute(
        "create table t (v varchar(3), c char(2), n numeric(4,2), i int, day date, must int not null "
        "default 0)"
    )
    session.execute("insert into t (v) values ('ab')")
    found, text = fails(session, statement)
    assert found == state
    if message is not None:
        assert text == f"ERROR: {message}"
    assert rows(session, "select v from t") == [("ab",)]


def test_lengths_count_bytes(session: Session) -> None:
    session.execute("create table t (v varchar(4))")
    session.execute("insert into t values ('éé')")
    assert rows(session, "select v, len(v) from t") == [("éé", 2)]


def test_keys_are_not_enforced(session: Session) -> None:
    session.execute("create table t (a int primary key, b int unique, c int references t (a), unique (b))")
    session.execute("insert into t values (1, 1, 9), (1, 1, 9)")
    assert rows(session, "select count(*) from t") == [(2,)]


def test_integer_division_holds_on_every_session(warehouse: Warehouse) -> None:
    for _ in range(3):
        assert rows(warehouse.connect("dev", "awsuser"), "select 7 / 4") == [(1,)]


def test_now_has_no_time_zone(session: Session) -> None:
    found = rows(session, "select getdate(), sysdate, current_date")[0]
    assert found[0].tzinfo is None
    assert found[0].microsecond == 0
    assert found[1].tzinfo is None
    assert isinstance(found[2], dt.date)


def test_columns_without_a_name_get_redshifts(session: Session) -> None:
    result = session.execute(
        "select 1, count(*), max(n), n::bigint, n + 1, upper('x'), case when true then 1 end, n as Total "
        "from (select 1 as N) t group by n"
    )
    assert result.columns is not None
    assert [column.name for column in result.columns] == [
        "?column?", "count", "max", "n", "?column?", "upper", "case", "total",
    ]  # fmt: skip


def test_result_columns_tell_redshifts_types(session: Session) -> None:
    session.execute("""
        create table t (a smallint, b int, c bigint, d numeric(12,3), e real, f float8, g bool, h
        varchar(9), i char(4),
                        j date, k timestamp, l timestamptz, m time, n super)
    """)
    columns = session.execute("select * from t").columns
    assert columns is not None
    assert [column.type for column in columns] == [
        "int2", "int4", "int8", "numeric", "float4", "float8", "bool", "varchar", "bpchar", "date",
        "timestamp", "timestamptz", "time", "super",
    ]  # fmt: skip
    assert (columns[3].precision, columns[3].scale) == (12, 3)
    assert (columns[7].length, columns[8].length) == (9, 4)


@pytest.mark.parametrize(
    ("expression", "precision", "scale", "value"),
    [
        ("d / 3", 18, 13, "0.4166666666667"),
        ("d / i", 18, 13, "1.2500000000000"),
        ("d / d", 15, 8, "1.00000000"),
        ("sum(d) / count(*)", 38, 2, "1.25"),
        ("sum(d) / nullif(sum(f2), 0)", 38, 4, "0.5000"),
        ("1.0 / 3", 13, 12, "0.333333333333"),
        ("sum(b)", 38, 0, "1"),
    ],
)
def test_computed_decimals_have_redshifts_precision_and_scale(
    session: Session, expression: str, precision: int, scale: int, value: str
) -> None:
    session.execute("create table t (i int, b bigint, d numeric(7,2), f2 numeric(12,4))")
    session.execute("insert into t values (1, 1, 1.25, 2.5)")
    grouped = "" if "(" in expression else " group by i, d"
    result = session.execute(
        f"with w as (select * from t) select {expression} from (select * from w) as s{grouped}"
    )
    assert result.columns is not None
    column = result.columns[0]
    assert (column.type, column.precision, column.scale) == ("numeric", precision, scale)
    assert str(result.rows[0][0]) == value


def test_create_table_as_keeps_declared_lengths(session: Session) -> None:
    session.execute("create table t (v varchar(7), c char(3))")
    session.execute("create table u as select v, c, v || 'x' as longer, count(*) as n from t group by 1, 2")
    types = """
        select data_type, character_maximum_length from svv_columns
        where table_name = 'u' order by ordinal_position
    """
    assert rows(session, types) == [
        ("character varying", 7),
        ("character", 3),
        ("character varying", 65535),
        ("bigint", None),
    ]
