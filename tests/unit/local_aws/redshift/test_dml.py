"""INSERT, UPDATE, DELETE, MERGE: forms, row counts and tags."""

from __future__ import annotations

import pytest
from redshift_engine import fails, rows

from local_aws.redshift import Session


@pytest.fixture
def tables(session: Session) -> Session:
    session.execute("create table t (k int, v varchar(10), n int default 1)")
    session.execute("create temp table s (k int, v varchar(10))")
    session.execute("insert into t (k, v) values (1, 'one'), (2, 'two'), (3, null)")
    session.execute("insert into s values (2, 'deux'), (4, 'quatre')")
    return session


def contents(session: Session) -> list[tuple[object, ...]]:
    return rows(session, "select k, v from t order by k")


@pytest.mark.parametrize(
    ("statement", "tag", "count", "left"),
    [
        (("insert into t (k) select max(k) + 1 from "
            "t"), "INSERT", 1, [(1, "one"), (2, "two"), (3, None), (4, None)]),
        (
            "insert into t (k, v) with c as (select k, v from s where k > 2) select k, v from c",
            "INSERT", 1, [(1, "one"), (2, "two"), (3, None), (4, "quatre")],
        ),
        (("insert into public.t values (9, 'x', "
            "default)"), "INSERT", 1, [(1, "one"), (2, "two"), (3, None), (9, "x")]),
        ("update t set v = s.v from s where t.k = s.k", "UPDATE", 1, [(1, "one"), (2, "deux"), (3, None)]),
        (("update t set v = 'x', n = n + 1 where decode(v, 'one', 0, 1) = "
            "1"), "UPDATE", 2, [(1, "one"), (2, "x"), (3, "x")]),
        ("delete from t where k in (select k from s)", "DELETE", 1, [(1, "one"), (3, None)]),
        ("delete from t using s where t.k = s.k", "DELETE", 1, [(1, "one"), (3, None)]),
        ("delete t where k = 1", "DELETE", 1, [(2, "two"), (3, None)]),
        (
            "with q as (select k from s) delete t using q where t.k = q.k",
            "DELETE", 1, [(1, "one"), (3, None)],
        ),
        (
            "with q as (select * from s) update public.t set v = q.v from q where t.k = q.k",
            "UPDATE", 1, [(1, "one"), (2, "deux"), (3, None)],
        ),
        ("delete from t", "DELETE", 3, []),
        ("delete from public.t using s where public.t.k = s.k", "DELETE", 1, [(1, "one"), (3, None)]),
        (
            ("merge into public.t using s as x on public.t.k = x.k when matched then update set v = x.v "
            "when not matched then insert (k, v) values (x.k, x.v)"),
            "MERGE", 2, [(1, "one"), (2, "deux"), (3, None), (4, "quatre")],
        ),
        (
            ("merge into t using s on t.k = s.k when matched then update set v = s.v "
            "when not matched then insert (k, v) values (s.k, s.v)"),
            "MERGE", 2, [(1, "one"), (2, "deux"), (3, None), (4, "quatre")],
        ),
        (
            ("merge into t using (select k, v from s) as s on t.k = s.k when matched then delete "
            "when not matched then insert values (s.k, s.v, 1)"),
            "MERGE", 2, [(1, "one"), (3, None), (4, "quatre")],
        ),
    ],
)  # fmt: skip
def test_statements_change_rows(
    tables: Session, statement: str, tag: str, count: int, left: list[tuple[object, ...]]
) -> None:
    result = tables.execute(statement)
    assert (result.tag, result.row_count, result.columns) == (tag, count, None)
    assert contents(tables) == left


def test_merge_remove_duplicates_replaces_matched_rows_by_distinct_source_rows(tables: Session) -> None:
    tables.execute("create temp table same (like t)")
    tables.execute("insert into same values (1, 'uno', 1), (1, 'uno', 1), (5, 'cinque', 1)")
    tables.execute("merge into t using same on t.k = same.k remove duplicates")
    assert contents(tables) == [(1, "uno"), (2, "two"), (3, None), (5, "cinque")]


def test_merge_with_several_source_rows_for_one_target_row_is_an_error(tables: Session) -> None:
    tables.execute("insert into s values (2, 'zwei')")
    state, message = fails(
        tables,
        "merge into t using s on t.k = s.k when matched then update set v = s.v "
        "when not matched then insert (k, v) values (s.k, s.v)",
    )
    assert (state, message) == ("21000", "ERROR: Found multiple matches to update the same tuple.")
    assert contents(tables) == [(1, "one"), (2, "two"), (3, None)]


def test_merge_needs_both_branches(tables: Session) -> None:
    assert fails(tables, "merge into t using s on t.k = s.k when matched then delete")[0] == "42601"


@pytest.mark.parametrize(
    ("statement", "state"),
    [
        ("insert into t (nothing) values (1)", "42703"),
        ("insert into t (k, v) values (1)", "42601"),
        ("update t set nothing = 1", "42703"),
        ("delete from nothing", "42P01"),
        ("select k, count(*) from t", "42803"),
        ("select x.k from t", "42P01"),
        ("select k from t, s", "42702"),
        ("select k from t where k = (select k from s)", "21000"),
    ],
)
def test_errors_have_redshifts_states(tables: Session, statement: str, state: str) -> None:
    assert fails(tables, statement)[0] == state
