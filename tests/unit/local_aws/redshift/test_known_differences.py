"""The list of differences in docs/local-aws.md is true: what is mended here leaves the list."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from redshift_engine import BUCKET, ROLE, fails, rows

from local_aws.redshift import Session, Warehouse


@pytest.fixture
def table(session: Session) -> Session:
    session.execute("create table t (a int, b varchar(2), c char(3))")
    session.execute("insert into t values (1, 'x', 'x  '), (3, 'x ', 'y')")
    return session


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("select count(*) from t where b = 'x'", [(1,)]),
        ("select count(distinct b) from t", [(2,)]),
        ("select count(*) from t x join t y on x.b = y.b", [(2,)]),
        ("select count(*) from t where c = 'x'", [(0,)]),
        ("select len(c), c || '|' from t where a = 1", [(3, "x  |")]),
        ("select cast('2.5' as integer), cast('1e2' as integer)", [(3, 100)]),
        ("select cast('0x10' as integer), cast('1_000' as integer)", [(16, 1000)]),
        ("select count(*) from t where a = '2.5'", [(1,)]),
        (
            "select cast('12345678901234567.89' as numeric(38, 2)) / 1",
            [(Decimal("12345678901234567.68"),)],
        ),
        (
            "select avg(cast('12345678901234567.89' as numeric(38, 2)))",
            [(Decimal("12345678901234567.68"),)],
        ),
        ("show transaction isolation level", [("serializable",)]),
        # What Redshift refuses.
        (
            "select a, (select count(*) from t s where s.a = t.a) as n from t group by n, a order by a",
            [(1, 1), (3, 1)],
        ),
        (
            (
                "select a from t where not exists (select 1 from (select 1 as d) as l"
                " where not exists (select 1 from (select 1 as e) as s where e = a))"
            ),
            [(1,)],
        ),
        ("select a from t semi join (select 1 as a) as u using (a)", [(1,)]),
        ("select a from t limit 50 percent", [(1,)]),
        ("select a from t union by name select a from t order by a", [(1,), (3,)]),
        ("select count(*) from t tablesample bernoulli (100)", [(2,)]),
        ("select [1, 2], {'a': 1}, list_sum([1, 2])", [([1, 2], {"a": 1}, 3)]),
        ("select columns('a') from t order by a", [(1,), (3,)]),
        ("select a from t order by a for update", [(1,), (3,)]),
    ],
)
def test_a_query_runs_or_answers_as_the_list_says(
    table: Session, query: str, found: list[tuple[Any, ...]]
) -> None:
    assert rows(table, query) == found


@pytest.mark.parametrize(
    ("statement", "count"),
    [
        ("insert into t (a) values ('2.5')", 1),
        ("update t set b = 'z' from (select 1 as i union all select 1) as u where t.a = u.i", 2),
        ("create table u (user int, tag int)", -1),
        ("create table u (a int, b int) diststyle all distkey(a)", -1),
        ("create table u (a int identity(1, 1), b int identity(1, 1))", -1),
        ("grant select on t to group nobody", -1),
        ("set nothing_known to 1", -1),
    ],
)
def test_a_statement_runs_as_the_list_says(table: Session, statement: str, count: int) -> None:
    assert table.execute(statement).row_count == count


def test_blanks_that_do_not_fit_are_refused(table: Session) -> None:
    assert fails(table, "insert into t (b) values ('x  ')")[0] == "22001"


def test_a_read_only_transaction_writes(table: Session) -> None:
    table.execute("begin read only")
    assert table.execute("delete from t").row_count == 2
    table.execute("commit")


def test_explain_is_the_plan_of_duckdb(table: Session) -> None:
    assert "SEQ_SCAN" in str(rows(table, "explain select a from t"))


def test_two_transactions_that_write_what_the_other_has_read_are_both_committed(
    table: Session, warehouse: Warehouse
) -> None:
    other = warehouse.connect("dev", "awsuser")
    table.execute("create table u (a int)")
    for session, read in ((table, "t"), (other, "u")):
        session.execute("begin")
        rows(session, f"select count(*) from {read}")
    table.execute("insert into u values (1)")
    table.execute("commit")
    other.execute("delete from t")
    other.execute("commit")
    assert rows(table, "select (select count(*) from t), (select count(*) from u)") == [(0, 1)]


def test_maxerror_does_not_pass_over_a_line_that_cannot_be_split(lake: Session, s3: Any) -> None:
    lake.execute("create table t (a int, b int)")
    for name, line in (("short", b"1"), ("bytes", b"1,\xff"), ("blanks", b"1,2")):
        s3.put_object(Bucket=BUCKET, Key=f"{name}/a.csv", Body=b"1,2\n" + line + b"\n")
    for name in ("short", "bytes"):
        assert fails(lake, f"copy t from 's3://{BUCKET}/{name}/' {ROLE} csv maxerror 5")[0] == "XX000"
    assert lake.execute(f"copy t from 's3://{BUCKET}/blanks/' {ROLE} csv maxerror 5").row_count == 2
