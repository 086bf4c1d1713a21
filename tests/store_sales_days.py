"""Small extracts of store sales, and days of them run through the real SQL files."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from in_process import InProcess

DAY = date(2003, 1, 2)
BEFORE, AFTER = DAY - timedelta(days=1), DAY + timedelta(days=1)
Rows = list[dict[str, Any]]
EMPTY_DAY: dict[str, Rows] = {"customer": [], "customer_address": [], "item": [], "store": []}


def line(ticket: int, item: str | None = "I1", day: date = DAY, **values: Any) -> dict[str, Any]:
    paid = Decimal(values.pop("paid", "10.00"))
    return {
        "sold_date": day, "i_item_id": item, "ss_ticket_number": ticket, "ss_quantity": 1,
        "ss_net_paid": paid, "ss_net_profit": paid / 2,
    } | values  # fmt: skip


# Every column of a line but those that identify it, with money that adds up.
FILLED = {
    "sold_time": 36_000, "c_customer_id": "C1", "cd_demo_sk": 1, "hd_income_band_sk": 1,
    "hd_buy_potential": "Unknown", "hd_dep_count": 0, "hd_vehicle_count": 0, "ca_address_id": "A1",
    "s_store_id": "S1", "p_promo_id": "P1", "ss_quantity": 2,
} | {
    name: Decimal(value)
    for name, value in {
        "ss_wholesale_cost": "10", "ss_list_price": "20", "ss_sales_price": "15", "ss_ext_discount_amt": "10",
        "ss_ext_sales_price": "30", "ss_ext_wholesale_cost": "20", "ss_ext_list_price": "40",
        "ss_ext_tax": "2", "ss_coupon_amt": "0", "ss_net_paid": "30", "ss_net_paid_inc_tax": "32",
        "ss_net_profit": "10",
    }.items()
}  # fmt: skip


def item(
    name: str, price: str | None = "1.00", category: str = "Books", product: str = "book"
) -> dict[str, Any]:
    return {
        "i_item_id": name,
        "i_current_price": None if price is None else Decimal(price),
        "i_category": category,
        "i_product_name": product,
    }


def load(world: InProcess, table: str, rows: Rows, day: date = DAY) -> None:
    """Deliver one extract and run its load, as a run of that day would."""
    world.put(table, day, rows)
    if table == "store_sales":
        world.stage_sales(day)
        world.run("load_store_sales", day)
    else:
        world.run(f"load_{table}", day)


def run_day(
    world: InProcess, day: date, sales: list[dict[str, Any]], **extracts: list[dict[str, Any]]
) -> None:
    """Run a whole day in the order of the DAG."""
    for table, rows in (EMPTY_DAY | extracts).items():
        load(world, table, rows, day)
    world.run("repair_store_sales", day)
    load(world, "store_sales", sales, day)
