"""Redshift text in, DuckDB text out."""

from __future__ import annotations

import pytest

from local_aws.redshift.dialect import parse, render, translate
from local_aws.redshift.errors import RedshiftError

PAIRS = [
    ("select 1", "SELECT 1"),
    ("select A.B from T as a", "SELECT a.b FROM t AS a"),
    ("select a / 2", "SELECT a / 2"),
    ("select a / b", "SELECT a / CASE WHEN b = 0 THEN ERROR('Divide by zero') ELSE b END"),
    ("select avg(a)", "SELECT CAST_TO_TYPE(SUM(a) / COUNT(a), ANY_VALUE(a) + CAST(0 AS BIGINT))"),
    (
        "select avg(a) over (partition by b)",
        (
            "SELECT CAST_TO_TYPE(SUM(a) OVER (PARTITION BY b) / COUNT(a) OVER (PARTITION BY b), "
            "ANY_VALUE(a) OVER (PARTITION BY b) + CAST(0 AS BIGINT))"
        ),
    ),
    ("select a::varchar(3)", "SELECT pg_internal.truncate_bytes(CAST(a AS TEXT), 3)"),
    ("select a::numeric", "SELECT CAST(a AS DECIMAL(18, 0))"),
    ("select decode(a, b, 0, 1)", "SELECT CASE WHEN a = b OR (a IS NULL AND b IS NULL) THEN 0 ELSE 1 END"),
    ("select getdate()", "SELECT DATE_TRUNC('second', CAST(NOW() AS TIMESTAMP))"),
    ("select dateadd(day, 1, d)", "SELECT CAST(d AS TIMESTAMP) + INTERVAL 1 DAY"),
    (
        "select listagg(distinct a, ', ') within group (order by a)",
        "SELECT STRING_AGG(DISTINCT a, ', ' ORDER BY a)",
    ),
    ("select a similar to 'x_%'", "SELECT REGEXP_FULL_MATCH(a, 'x..*')"),
    ("select regexp_replace(a, 'x', 'y')", "SELECT REGEXP_REPLACE(a, 'x', 'y', 'g')"),
    ("select to_char(d, 'YYYY-MM-DD')", "SELECT (STRFTIME(d, '%Y-%m-%d'))"),
    ("select a from #t", 'SELECT a FROM "#t"'),
    ('select "offset" from t', 'SELECT "offset" FROM t'),
    ("select a from t order by a desc", "SELECT a FROM t ORDER BY a DESC NULLS FIRST"),
    (
        "insert into t (a) with c as (select 1 as a) select a from c",
        "INSERT INTO t (a) WITH c AS (SELECT 1 AS a) SELECT a FROM c",
    ),
    ("update t set a = s.a from s where s.b = t.b", "UPDATE t SET a = s.a FROM s WHERE s.b = t.b"),
    ("delete from t using s where s.b = t.b", "DELETE FROM t USING s WHERE s.b = t.b"),
    (
        (
            "merge into t using s on t.a = s.a when matched then update set b = s.b "
            "when not matched then insert (a, b) values (s.a, s.b)"
        ),
        (
            "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET b = s.b "
            "WHEN NOT MATCHED THEN INSERT (a, b) VALUES (s.a, s.b)"
        ),
    ),
]


def to_duckdb(sql: str, session: dict[str, str] | None = None) -> str:
    return render(translate(parse(sql), session))


@pytest.mark.parametrize(("redshift", "duckdb"), PAIRS)
def test_redshift_becomes_duckdb(redshift: str, duckdb: str) -> None:
    assert to_duckdb(redshift) == duckdb


def test_functions_of_the_session_become_its_values() -> None:
    assert (
        to_duckdb("select current_user, version()", {"current_user": "'a'", "version": "'v'"})
        == "SELECT 'a', 'v'"
    )


@pytest.mark.parametrize(
    ("sql", "state"),
    [
        ("select from where", "42601"),
        ("select (1", "42601"),
        ("select a similar to b", "0A000"),
        ("select to_char(a, 'S99MI')", "0A000"),
        ("select to_char(a, b)", "0A000"),
        ("select ratio_to_report(a)", "42P20"),
    ],
)
def test_what_cannot_be_translated_fails(sql: str, state: str) -> None:
    with pytest.raises(RedshiftError) as caught:
        to_duckdb(sql)
    assert caught.value.sqlstate == state
