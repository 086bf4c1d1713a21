"""Sales that must not be: a check of the gate names the line, and neither the fact nor a report sees it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from decimal import Decimal

import pytest
from bad_sales import BAD_SALES, BadSales

from in_process import InProcess
from store_sales_days import DAY, item

Unchanged = Callable[..., AbstractContextManager[None]]
# That load_store_sales waits for each of them is held in tests/dags.
GATE: dict[str, dict[str, str]] = {
    "extract_not_empty": {},
    "extract_dates": {},
    "extract_lines_once": {},
    "extract_columns_filled": {},
    "quantities_positive": {},
    "prices_within_bounds": {},
    "row_count_within_band": {"row_count_factor": "20"},
}


@pytest.mark.parametrize("bad", BAD_SALES, ids=lambda bad: bad.kind)
def test_bad_lines_are_refused_before_the_fact_is_touched(
    world: InProcess, unchanged: Unchanged, bad: BadSales
) -> None:
    """Staging holds the refused lines, to be looked at; the next delivery of the day replaces them."""
    with unchanged("stg_store_sales"):
        world.put("store_sales", bad.day, list(bad.lines))
        world.stage_sales(bad.day)
        found = {check: world.run(f"checks/{check}", bad.day, **GATE[check]) for check in GATE}
    assert [check for check in GATE if found[check]] == [bad.check]
    assert len(found[bad.check]) == 1
    assert found[bad.check][0] | bad.found == found[bad.check][0]


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
