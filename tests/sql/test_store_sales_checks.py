"""The checks of store sales: each sees its damage and no other, and names it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from in_process import InProcess
from store_sales_days import AFTER, BEFORE, DAY, FILLED, item, line, load, run_day

DAMAGE = {
    "extract_gate": {
        "extract_not_empty": "delete from tpcds.stg_store_sales",
        "extract_dates": "update tpcds.stg_store_sales set sold_date = date '2003-01-01'",
        "extract_lines_once": "update tpcds.stg_store_sales set ss_ticket_number = null",
        "quantities_positive": "update tpcds.stg_store_sales set ss_quantity = 0",
        "prices_within_bounds": "update tpcds.stg_store_sales set ss_wholesale_cost = 100.01",
    },
    "quality_gate": {
        "staging_equals_fact": "update tpcds.store_sales set ss_net_paid = 11",
        "keys_resolve": "update tpcds.store_sales set ss_store_sk = 4711",
        "item_history_sound": "update tpcds.item set i_rec_end_date = date '2003-01-05'"
        " where i_item_id = 'I1'",
    },
}


@pytest.mark.parametrize(
    ("gate", "damaged"), [(gate, check) for gate, checks in DAMAGE.items() for check in (None, *checks)]
)
def test_each_check_finds_its_damage_and_passes_without(
    world: InProcess, gate: str, damaged: str | None
) -> None:
    run_day(world, DAY, [line(1, s_store_id="S")], item=[item("I1")], store=[{"s_store_id": "S"}])
    if damaged:
        world.session.execute(DAMAGE[gate][damaged])
    failed = {check for check in DAMAGE[gate] if world.run(f"checks/{check}", DAY)}
    assert failed == ({damaged} if damaged else set())


@pytest.mark.parametrize(
    ("tickets", "empty", "found"),
    [(12, 6, []), (12, 7, ["s_store_id"]), (10, 10, ["s_store_id"]), (9, 9, []), (0, 0, [])],
)
def test_a_column_may_be_empty_in_half_of_the_lines_and_in_all_of_a_few_tickets(
    world: InProcess, tickets: int, empty: int, found: list[str]
) -> None:
    lines = [
        line(ticket, f"I{number}", **FILLED) | ({"s_store_id": None} if ticket < empty else {})
        for ticket in range(tickets)
        for number in range(5)
    ]
    world.put("store_sales", DAY, lines)
    world.stage_sales(DAY)
    assert [row["column_name"] for row in world.run("checks/extract_columns_filled", DAY)] == found


@pytest.mark.parametrize(
    ("end", "problem"),
    [("2003-01-04", "overlap"), ("2003-01-02", "gap"), ("2003-01-01", "no length"), (None, "overlap")],
)
def test_the_history_check_names_gap_overlap_and_no_length(
    world: InProcess, end: str | None, problem: str
) -> None:
    load(world, "item", [item("I1", "1.00")], BEFORE)
    load(world, "item", [item("I1", "2.00")], AFTER)
    changed = f"date '{end}'" if end else "null"
    world.session.execute(
        f"update tpcds.item set i_rec_end_date = {changed} where i_rec_start_date = '{BEFORE}'"
    )
    assert [row["problem"] for row in world.run("checks/item_history_sound", AFTER)] == [problem]


@pytest.mark.parametrize(
    ("weeks", "lines", "factor", "believed"),
    [
        (3, 100, "2", True), (4, 12, "2", True), (4, 13, "2", False), (4, 3, "2", True), (4, 2, "2", False),
        (8, 13, "20", True), (8, 0, "20", False),
    ],
)  # fmt: skip
def test_a_day_is_compared_with_the_same_weekday_before(
    world: InProcess, weeks: int, lines: int, factor: str, believed: bool
) -> None:
    """The weekday had 6 lines in each week before; other weekdays do not count."""
    for week in range(1, weeks + 1):
        for day, count in ((DAY - timedelta(days=7 * week), 6), (BEFORE - timedelta(days=7 * week), 90)):
            load(world, "store_sales", [line(n, day=day) for n in range(count)], day)
    world.put("store_sales", DAY, [line(n) for n in range(lines)])
    world.stage_sales(DAY)
    found = world.run("checks/row_count_within_band", DAY, row_count_factor=factor)
    assert (found == []) == believed
    if not believed:
        assert (found[0]["line_count"], found[0]["days_compared"]) == (lines, weeks)
