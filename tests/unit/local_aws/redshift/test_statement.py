"""Tokens, kinds of statements and parameters."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from redshift_engine import fails, rows

from local_aws.redshift import RedshiftError, Session
from local_aws.redshift.commands import COMMANDS
from local_aws.redshift.statement import KINDS, bind, parse_statement, tokenize


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("-- a comment\nselect 1;", "select"),
        ("/* a /* nested */ one */ (select 1) union (select 2)", "select"),
        ("with a as (select 1) select * from a", "with"),
        ("with a as (select 1) select * into t from a", "select into"),
        ("with a as (select 1 as b) update t set c = (select b from a)", "update"),
        ("with a as (select 1 as b) delete t using a where t.c = a.b", "delete"),
        ("with recursive a as (select 1) (select * from a)", "with"),
        ("select 1 into temp t", "select into"),
        ("CREATE LOCAL TEMPORARY TABLE t (a int)", "create table"),
        ("create or replace view v as select 1", "create view"),
        ("create external table s.t (a int) location 'x'", "create external table"),
        ("unload ('select 1') to 's3://b/k' iam_role default", "unload"),
        ("REFRESH MATERIALIZED VIEW v", "refresh materialized view"),
    ],
)
def test_the_first_words_decide_the_kind(sql: str, kind: str) -> None:
    assert parse_statement(sql).kind == kind


@pytest.mark.parametrize(
    "sql",
    [
        "create function f() returns int as $$ return 1 $$ language plpythonu",
        "create procedure p() as $$ begin end $$ language plpgsql",
        "create user alice password disable",
        "create group analysts",
        "call p()",
        "discard all",
        "declare c cursor for select 1",
        "alter external schema s rename to t",
        "create external function f(int) returns int lambda 'f'",
        "alter table t set table properties ('a' = 'b')",
        "set session authorization 'alice'",
    ],
)
def test_what_is_not_known_fails_and_is_never_passed_over(session: Session, sql: str) -> None:
    session.execute("create table t (a int)")
    state, message = fails(session, sql)
    assert state == "0A000"
    assert message.startswith(f"ERROR: not supported locally: {' '.join(sql.split())[:40]}")


@pytest.mark.parametrize("verb", ["insert into t select 1", "merge into t using a on true"])
def test_with_begins_no_other_statement(verb: str) -> None:
    with pytest.raises(RedshiftError, match=f'syntax error at or near "{verb.split(maxsplit=1)[0]}"'):
        parse_statement(f"with a as (select 1) {verb}")


def test_every_kind_that_is_read_has_a_command_or_fails() -> None:
    # EXECUTE becomes the statement that was prepared before its command is looked up.
    assert {*COMMANDS, "execute"} == {*KINDS, "select into"}


@pytest.mark.parametrize(
    ("sql", "state"),
    [("", "42601"), ("-- nothing", "42601"), ("select 1; select 2", "42601"), ("select 'x", "42601")],
)
def test_exactly_one_statement_is_run(session: Session, sql: str, state: str) -> None:
    assert fails(session, sql)[0] == state


def test_a_trailing_semicolon_and_comment_are_fine(session: Session) -> None:
    assert rows(session, "select 1; -- done") == [(1,)]


@pytest.mark.parametrize(
    ("sql", "bound"),
    [
        ("select :day", "select '2020-01-02'"),
        ("select a::date, :day::date", "select a::date, '2020-01-02'::date"),
        ("select ':day', \":day\" -- :day", "select ':day', \":day\" -- :day"),
        ("select $$:day$$ /* :day */", "select $$:day$$ /* :day */"),
        ("select '10:30'::time, :name", "select '10:30'::time, 'it''s \\\\ here'"),
    ],
)
def test_named_parameters_are_bound_outside_strings_comments_and_casts(sql: str, bound: str) -> None:
    assert bind(sql, {"day": "2020-01-02", "name": "it's \\ here"}) == bound


def test_a_named_value_takes_the_type_of_its_place(session: Session) -> None:
    session.execute("create table t (i int, d date, v varchar(20))")
    session.execute(
        "insert into t values (:i, :d, :v)", {"i": "5", "d": "2020-01-02", "v": "a'b\\c; drop table t"}
    )
    found = rows(
        session, "select * from t where i = :i and d = :d and i + 1 > :i", {"i": "5", "d": "2020-01-02"}
    )
    assert found == [(5, dt.date(2020, 1, 2), "a'b\\c; drop table t")]
    assert rows(session, "select dateadd(day, 1, cast(:d as date))::date", {"d": "2020-01-02"}) == [
        (dt.date(2020, 1, 3),)
    ]


@pytest.mark.parametrize(
    "value",
    [1, -1, 2**40, 1.5, Decimal("1.25"), "it's", "back\\slash", "line\nbreak", None, True,
     dt.date(2020, 1, 2), dt.datetime.fromisoformat("2020-01-02T03:04:05"), b"\x00\x01"],
)  # fmt: skip
def test_positional_values_arrive_as_they_are(session: Session, value: object) -> None:
    assert rows(session, "select $1, $2", [value, 1]) == [(value, 1)]


def test_a_parameter_without_a_value_is_an_error(session: Session) -> None:
    assert fails(session, "select :a", {"b": "1"}) == ("42P02", "ERROR: there is no parameter :a")
    assert fails(session, "select $2", [1]) == ("42P02", "ERROR: there is no parameter $2")


def test_describe_tells_parameters_and_columns_without_running(session: Session) -> None:
    session.execute("create table t (a int, b varchar(9))")
    types, columns = session.describe("select a, b from t where a = $1 and b = $2", ("int4",))
    assert types == ("int4", "varchar")
    assert columns is not None
    assert [(column.name, column.type) for column in columns] == [("a", "int4"), ("b", "varchar")]
    assert session.describe("insert into t values ($1, $2)") == (("varchar", "varchar"), None)
    assert rows(session, "select count(*) from t") == [(0,)]
    with pytest.raises(RedshiftError, match="does not exist"):
        session.describe("select nothing from t")


def test_tokens_tell_strings_from_identifiers() -> None:
    found = [
        (token.kind, token.value) for token in tokenize("Copy \"T\" FROM 's3://x''y' $$a$$ #tmp 1.5 a::int")
    ]
    assert found == [
        ("word", "copy"), ("quoted", "t"), ("word", "from"), ("string", "s3://x'y"), ("string", "a"),
        ("word", "#tmp"), ("number", "1.5"), ("word", "a"), ("symbol", "::"), ("word", "int"),
    ]  # fmt: skip
