"""Sales that must not be: a check names the line, before it counts in the fact or in a report."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from decimal import Decimal

import pytest
from bad_sales import AT_THE_GATE, BEFORE_THE_REPORTS, BadSales

from in_process import InProcess
from store_sales_days import DAY, item

Unchanged = Callable[..., AbstractContextManager[None]]
GATE = ("extract_dates", "extract_lines_once")
QUALITY = ("staging_equals_fact", "keys_resolve", "quantities_positive", "prices_within_bounds")


def stage(world: InProcess, bad: BadSales) -> None:
    world.put("store_sales", bad.day, list(bad.lines))
    world.stage_sales(bad.day)


@pytest.mark.parametrize("bad", AT_THE_GATE, ids=lambda bad: bad.kind)
def test_bad_lines_are_refused_before_the_fact_is_touched(
    world: InProcess, unchanged: Unchanged, bad: BadSales
) -> None:
    with unchanged("stg_store_sales"):
        stage(world, bad)
        found = {check: world.run(f"checks/{check}", bad.day) for check in GATE}
    assert [check for check in GATE if found[check]] == [bad.check]
    assert len(found[bad.check]) == 1
    assert found[bad.check][0] | bad.found == found[bad.check][0]


@pytest.mark.parametrize("bad", BEFORE_THE_REPORTS, ids=lambda bad: bad.kind)
def test_bad_lines_are_found_before_a_report_is_written(
    world: InProcess, unchanged: Unchanged, bad: BadSales
) -> None:
    before = fact_of_other_days(world)
    good = world.query("select * from tpcds.store_sales")
    try:
        with unchanged("stg_store_sales", "store_sales", "store_sales_unresolved"):
            stage(world, bad)
            world.run("load_store_sales", bad.day)
            found = {check: world.run(f"checks/{check}", bad.day) for check in QUALITY}
        assert [check for check in QUALITY if found[check]] == [bad.check]
        assert found[bad.check][0] | bad.found == found[bad.check][0]
        assert fact_of_other_days(world) == before
    finally:
        world.session.run("delete from tpcds.store_sales")
        for row in good:
            marks = ", ".join("?" for _ in row)
            world.session.cursor.execute(f"insert into tpcds.store_sales values ({marks})", row)


def fact_of_other_days(world: InProcess) -> list[tuple[object, ...]]:
    return world.query(
        "select f.* from tpcds.store_sales as f join tpcds.date_dim as d on f.ss_sold_date_sk = d.d_date_sk"
        f" where d.d_date <> '{DAY}' order by all"
    )


def test_an_item_delivered_with_two_prices_is_found(world: InProcess) -> None:
    folder = world.store.path(f"s3://redshift-etl-data/raw/item/extract_date={DAY}/part-00000.parquet")
    good = folder.read_bytes()
    try:
        world.put("item", DAY, [item("I1", "1.00"), item("I1", "9.00"), item("I2", "2.00")])
        world.run("load_item")
        (found,) = world.run("checks/item_history_sound", DAY)
        assert (found["i_item_id"], found["problem"]) == ("I1", "delivered twice")
    finally:
        folder.write_bytes(good)
        world.run("load_item")
    assert world.run("checks/item_history_sound", DAY) == []
    assert world.query("select i_current_price from tpcds.item where i_item_id = 'I1'") == [(Decimal(1),)]
