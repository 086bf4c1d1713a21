from __future__ import annotations

import pytest
from airflow.sdk.exceptions import AirflowFailException

from redshift_etl.script import MOST_BYTES, InvalidScriptError, Script, names, statements


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select 1; select 2;", ["select 1", "select 2"]),
        ("select 1; select 2", ["select 1", "select 2"]),
        ("select 'a;b', 'it''s; fine'; select 2", ["select 'a;b', 'it''s; fine'", "select 2"]),
        ('select 1 as "a;b"; select 2', ['select 1 as "a;b"', "select 2"]),
        ("/* ; */ select 1 -- x; y\n; -- z;\nselect '--no;', 2 -- end;", ["select 1", "select '--no;', 2"]),
        ("select $q$ a; b $q$; select 1", ["select $q$ a; b $q$", "select 1"]),
        (
            "create procedure p() as $$ begin insert into t values (1); end; $$ language plpgsql; call p()",
            [
                "create procedure p() as $$ begin insert into t values (1); end; $$ language plpgsql",
                "call p()",
            ],
        ),
        (
            "unload ('select ''a;b'' from t') to 's3://b/p' iam_role 'r'; select case when a then 1 end",
            [
                "unload ('select ''a;b'' from t') to 's3://b/p' iam_role 'r'",
                "select case when a then 1 end",
            ],
        ),
        ("create table if not exists t (a int); drop table if exists s", None),
        (" ;;\n-- nothing\n;/* ; */", []),
        ("", []),
    ],
)
def test_only_semicolons_between_statements_split(sql: str, expected: list[str] | None) -> None:
    assert list(statements(sql)) == (expected if expected is not None else sql.split("; "))


def test_a_long_statement_splits_too() -> None:
    """Airflow's own splitter formats the text first and refuses more than 10,000 words."""
    long = "insert into t values " + ", ".join(f"({n}, 'a;b')" for n in range(5_000))
    assert statements(f"{long}; select 1") == (long, "select 1")


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("select :day::date, a::int from t where b = :name_1", {"day", "name_1"}),
        ("select cast(:day as date), (:x), ts > '10:30:00', '12:30'::time", {"day", "x"}),
        ('select \'a :b c\', "d:e", ":f", $$ :g $$ -- :h\n/* :i */', set()),
        ("select a :: numeric(7,2), d[1:2] from t", set()),
    ],
)
def test_only_what_the_data_api_binds_is_a_name(statement: str, expected: set[str]) -> None:
    assert names(statement) == expected


@pytest.mark.parametrize(
    ("sql", "parameters", "expected"),
    [
        ("-- nothing\n;", {}, "sales.sql holds no statement"),
        (
            "select 1;" * 41,
            {},
            "sales.sql holds 41 statements, but one batch",
        ),
        (
            f"select 1; select '{'ä' * (MOST_BYTES // 2)}'",
            {},
            "sales.sql, statement 2 of 2, is 102,409 bytes long, but the Redshift Data API takes",
        ),
        ("select 'a\0b'", {}, "sales.sql, statement 1 of 1, holds a NUL character"),
        (
            "select 1; select :day, :nay",
            {"day": "2003-01-02"},
            "sales.sql, statement 2 of 2, uses :nay, which has no value",
        ),
        ("select 1", {"day": "2003-01-02"}, "sales.sql uses :day in no statement"),
        ("select :day", {"day": ""}, "sales.sql is given '' for :day"),
        ("select :day", {"day": None}, "sales.sql is given None for :day"),
    ],
)
def test_what_the_data_api_would_refuse_is_refused_first(
    sql: str, parameters: dict[str, str], expected: str
) -> None:
    with pytest.raises(InvalidScriptError) as error:
        Script("sales.sql", statements(sql), parameters)
    assert str(error.value).startswith(expected)
    assert str(error.value).endswith(".")
    assert isinstance(error.value, AirflowFailException), "a retry would send the same"


def test_a_value_is_bound_and_never_part_of_the_text() -> None:
    script = Script("sales.sql", statements("select :city; select 2"), {"city": "Bethel'; drop table t; --"})
    assert script.statements == ("select :city", "select 2")
    assert script.bound == [{"name": "city", "value": "Bethel'; drop table t; --"}]
