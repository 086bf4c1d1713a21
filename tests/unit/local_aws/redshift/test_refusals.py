"""What the engine could run and Redshift refuses."""

from __future__ import annotations

import pytest
from redshift_engine import fails, rows

from local_aws.redshift import Session


@pytest.fixture
def tickets(session: Session) -> Session:
    session.execute("create table event (eventid int, catid int, name varchar(9))")
    session.execute("create table listing (listid int, eventid int)")
    session.execute("create table sales (salesid int, eventid int, qty int)")
    session.execute("insert into sales values (1, 1, 5), (2, 1, 7)")
    return session


@pytest.mark.parametrize(
    "query",
    [
        "select sum(qty) over (order by salesid) from sales",
        "select last_value(qty ignore nulls) over (partition by eventid order by salesid) from sales",
        "select 1 where exists (select count(*) over (order by qty desc) from sales)",
    ],
)
def test_an_aggregate_over_an_order_needs_its_frame(tickets: Session, query: str) -> None:
    message = "ERROR: Aggregate window functions with an ORDER BY clause require a frame clause"
    assert fails(tickets, query) == ("0A000", message)


def test_what_ranks_needs_no_frame_and_a_frame_is_enough(tickets: Session) -> None:
    assert rows(
        tickets,
        "select rank() over (order by qty desc), lag(qty) over (order by salesid), sum(qty) over (),"
        " sum(qty) over (order by salesid rows unbounded preceding) from sales order by salesid",
    ) == [(2, None, 12, 5), (1, 5, 12, 12)]


@pytest.mark.parametrize(
    "query",
    [
        # The patterns of r_correlated_subqueries.
        (
            "select name from event where not exists (select 1 from listing where not exists"
            " (select 1 from sales where event.eventid = sales.eventid))"
        ),
        (
            "select salesid from sales s where qty not in"
            " (select sum(listid) over () from listing l where s.eventid = l.eventid)"
        ),
        (
            "select * from listing l left join event e on l.eventid = e.eventid and e.eventid ="
            " (select max(s.eventid) from sales s where s.eventid = e.eventid)"
        ),
    ],
)
def test_correlations_that_the_manual_lists_are_refused(tickets: Session, query: str) -> None:
    message = "ERROR: This type of correlated subquery pattern is not supported yet"
    assert fails(tickets, query) == ("0A000", message)


@pytest.mark.parametrize(
    "query",
    [
        (
            "select salesid from sales s where qty = (select max(x.qty) from sales x"
            " where x.eventid = s.eventid and x.salesid > 1)"
        ),
        (
            "select salesid from sales s where exists (select 1 from listing s where s.eventid in"
            " (select e.eventid from event e where e.eventid = s.eventid)) or qty = 7"
        ),
        (
            "select salesid from (select s.* from sales s where exists (select 1 from sales x"
            " where x.salesid = s.salesid and x.qty > 5)) as d where d.qty = 7"
        ),
        (
            "with s as (select * from sales) select s.salesid from s"
            " join (select max(s.qty) as m from s) as x on s.qty = x.m"
        ),
    ],
)
def test_other_correlations_run(tickets: Session, query: str) -> None:
    assert rows(tickets, query) == [(2,)]


@pytest.mark.parametrize(
    ("statement", "state"),
    [
        ("select count(distinct qty) over (partition by eventid) from sales", "0A000"),
        ("select distinct on (eventid) eventid, qty from sales", "0A000"),
        ("select qty from sales intersect all select listid from listing", "0A000"),
        ("select qty from sales except all select listid from listing", "0A000"),
        ("select sum(qty) filter (where qty > 5) from sales", "42601"),
        ("insert into listing values (1, 1) returning listid", "42601"),
        ("delete from sales returning *", "42601"),
        ("create table e (a int encode best)", "42601"),
        ("create table e (a varchar(9) encode az64)", "0A000"),
        ("create table e (a int encode text255)", "0A000"),
        ("create table e (a smallint encode mostly16)", "0A000"),
        ("alter table event alter column name encode delta", "0A000"),
    ],
)
def test_clauses_and_encodings_that_redshift_does_not_have(
    tickets: Session, statement: str, state: str
) -> None:
    assert fails(tickets, statement)[0] == state
    assert rows(tickets, "select count(*) from sales") == [(2,)]
