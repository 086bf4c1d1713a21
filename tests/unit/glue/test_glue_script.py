from __future__ import annotations

import pytest

from glue.redshift_sql.script import Script
from glue.redshift_sql.text import ScriptError


def script(sql: str, **arguments: str) -> Script:
    return Script.read("etl.sql", sql, arguments)


def texts(sql: str) -> list[str]:
    return [statement.text for statement in script(sql).statements]


def test_a_file_without_a_trailing_semicolon_keeps_its_last_statement() -> None:
    """The original took split(';')[:-1]: its load had no semicolon, did nothing, and the job was green."""
    assert texts("insert into reviews select 1") == ["insert into reviews select 1"]
    assert texts("select 1; insert into reviews select 2") == ["select 1", "insert into reviews select 2"]
    assert texts("select 1;") == ["select 1"]


def test_a_semicolon_in_a_string_a_dollar_quote_or_a_comment_does_not_split() -> None:
    """The original split on every one."""
    sql = "select ';', $$;$$ -- ;\n, 2 /* ; */ as \";\"; select 3"
    assert texts(sql) == ["select ';', $$;$$ -- ;\n, 2 /* ; */ as \";\"", "select 3"]


@pytest.mark.parametrize("sql", ["", ";;", "-- nothing\n;", "/* select 1; */"])
def test_a_file_without_a_statement_is_an_error_and_not_a_green_job(sql: str) -> None:
    with pytest.raises(ScriptError, match=r"etl\.sql holds no statement"):
        script(sql)


def test_a_name_becomes_a_bound_value_and_an_argument_a_literal() -> None:
    (statement,) = script(
        "select :year, :top, :year from t where path = ${path} -- :no",
        year="2015",
        top="3",
        path="s3://b/it's\\x/",
    ).statements
    tail = " from t where path = 's3://b/it''s\\\\x/'"
    assert statement.query.sql == f"select ?, ?, ?{tail}"
    assert statement.query.numbered == f"select $1, $2, $3{tail}"
    assert statement.query.values == ("2015", "3", "2015")
    assert "it's" not in statement.text


@pytest.mark.parametrize(
    ("sql", "arguments", "expected"),
    [
        ("select 1; select :year", {}, "etl.sql, statement 2 uses :year, which has no value"),
        ("select ${year}", {}, "etl.sql, statement 1 uses ${year}, which has no value"),
        ("-- unless: select :day\nselect 1", {}, "etl.sql, statement 1 uses :day, which has no value"),
        ("select 1", {"year": "2015"}, "etl.sql uses neither :year nor ${year}"),
        ("select ':year'", {"year": "2015"}, "etl.sql uses neither :year nor ${year}"),
        ("select 's3://${bucket}/x'", {"bucket": "b"}, "etl.sql, statement 1 has ${bucket} between quotes"),
        ("select ${x}", {"x": "a\0b"}, "The argument 'x' of etl.sql, statement 1 is refused: it holds a NUL"),
        ("select :x", {"x": "a\0b"}, "The argument 'x' of etl.sql, statement 1 is refused: it holds a NUL"),
        ("begin; select 1", {}, "etl.sql, statement 1 is BEGIN, but the runner opens and ends"),
        ("select 1; commit", {}, "etl.sql, statement 2 is COMMIT, but the runner opens and ends"),
        ("select 'a", {}, "etl.sql, line 1: a string starts that never ends"),
        ("-- unless: select 1\n", {}, "etl.sql, statement 1: an '-- unless:' must"),
        ("select 1 -- unless: select 1\n + 1", {}, "etl.sql, statement 1: an '-- unless:' must"),
        ("-- unless: select 1\n-- unless: select 2\n;", {}, "etl.sql, statement 1: an '-- unless:' must"),
        (
            "-- unless: select 1\n-- unless: select 2\nselect 3",
            {},
            "etl.sql, statement 1 has 2 lines with '-- unless:'",
        ),
        (
            "-- unless: drop table t\nselect 3",
            {},
            "etl.sql, statement 1: after '-- unless:' stands one query",
        ),
        ("-- unless: select 1; select 2\nselect 3", {}, "etl.sql, statement 1: after '-- unless:' stands"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_before_anything_runs(
    sql: str, arguments: dict[str, str], expected: str
) -> None:
    with pytest.raises(ScriptError) as error:
        script(sql, **arguments)
    assert str(error.value).startswith(expected)
    assert str(error.value).endswith(".")


def test_an_unless_goes_on_in_the_comment_lines_that_follow() -> None:
    (first, second) = script(
        "-- Creates the table.\n"
        "-- unless: select 1 from svv_external_tables\n"
        "--         where tablename = :name -- as it was\n"
        "create external table x.y (a int);\n"
        "-- UNLESS: select 2\n"
        "\n"
        "-- another comment\n"
        "select 3",
        name="y",
    ).statements
    assert first.unless is not None
    assert " ".join(first.unless.sql.split()) == "select 1 from svv_external_tables where tablename = ?"
    assert first.unless.values == ("y",)
    assert first.text == "create external table x.y (a int)"
    assert second.unless is not None
    assert second.unless.sql == "select 2"


@pytest.mark.parametrize(
    "sql",
    [
        "create external table x.y (a int) location 's3://b/'",
        "CREATE /* c */ EXTERNAL SCHEMA x from data catalog database 'd'",
        "create or replace external view x.v as select 1",
        "alter external schema x owner to me",
        "alter table x.y add if not exists partition (c='a') location 's3://b/'",
        "alter table x.y drop partition (c='a')",
        "alter table x.y set location 's3://b/'",
        "alter table x.y set table properties ('numRows'='1')",
        "alter table t append from s",
        "alter table t alter column c type varchar(20)",
        "drop schema x drop external database cascade",
        "grant select on external table x.y to role r",
        "vacuum reviews",
        "truncate table reviews",
        "create database d",
        "drop database d",
        "create or replace library l language plpythonu from 's3://b/'",
        "drop table if exists lake.reviews",
        'drop table "Lake".reviews',
        "alter table lake.reviews add columns (a int)",
    ],
)
def test_what_redshift_refuses_inside_a_transaction_runs_alone(sql: str) -> None:
    (statement,) = script(sql).statements
    assert statement.runs_alone({"lake"})


@pytest.mark.parametrize(
    "sql",
    [
        "create table if not exists public.reviews (external int, vacuum varchar)",
        "create temp table t as select 1 as external",
        "alter table public.reviews add column format varchar(10)",
        "alter table public.reviews rename to location",
        "drop table if exists public.reviews",
        "drop table lake",
        "drop schema x cascade",
        "insert into t select 'vacuum' from lake.reviews",
        "unload ('select 1') to 's3://b/' iam_role 'r' allowoverwrite",
        "grant select on t to role r",
    ],
)
def test_everything_else_shares_a_transaction(sql: str) -> None:
    (statement,) = script(sql).statements
    assert not statement.runs_alone({"lake"})


def test_the_stretches_between_lone_statements_are_a_transaction_each() -> None:
    read = script(
        "create table a (i int); insert into a values (1);"
        "create external schema if not exists lake from data catalog database 'd';"
        "drop table if exists lake.t; vacuum;"
        "insert into a values (2)"
    )
    shape = [(transaction, [one.number for one in together]) for transaction, together in read.stretches()]
    assert shape == [(True, [1, 2]), (False, [3]), (False, [4]), (False, [5]), (True, [6])]
