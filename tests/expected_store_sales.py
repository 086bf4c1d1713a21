"""What the store sales pipeline must produce, computed straight from the delivered Parquet files.

Nothing of the pipeline's SQL is used: dimensions are replayed in Python, day by day, and the fact and the
reports are looked up in them. Surrogate keys are not predicted; business keys stand in for them.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

UNKNOWN = "UNKNOWN"
REGIONS = {"United States": "North America", "Canada": "North America", "Mexico": "North America"}
MEASURES = (
    "ss_quantity", "ss_wholesale_cost", "ss_list_price", "ss_sales_price", "ss_ext_discount_amt",
    "ss_ext_sales_price", "ss_ext_wholesale_cost", "ss_ext_list_price", "ss_ext_tax", "ss_coupon_amt",
    "ss_net_paid", "ss_net_paid_inc_tax", "ss_net_profit",
)  # fmt: skip


@dataclass
class ItemVersion:
    """One price of an item, valid from `start` until before `end`."""

    start: date
    end: date | None
    price: Decimal | None
    category: str | None
    name: str | None


@dataclass
class Warehouse:
    """The state after some days, under business keys."""

    customer: dict[str, dict[str, Any]] = field(default_factory=dict)
    customer_address: dict[str, dict[str, Any]] = field(default_factory=dict)
    store: dict[str, dict[str, Any]] = field(default_factory=dict)
    item: dict[str, list[ItemVersion]] = field(default_factory=lambda: defaultdict(list))
    store_sales: list[dict[str, Any]] = field(default_factory=list)


def load_days(raw: Path, days: list[date]) -> Warehouse:
    """Replay the days in order from the folder that holds the extracts."""
    warehouse = Warehouse()
    for day in days:
        for table, key in (
            ("customer", "c_customer_id"),
            ("customer_address", "ca_address_id"),
            ("store", "s_store_id"),
        ):
            for row in _read(raw / table / f"extract_date={day}"):
                getattr(warehouse, table)[row[key]] = row
        for row in _read(raw / "item" / f"extract_date={day}"):
            _deliver_item(warehouse.item[row["i_item_id"]], row, day)
        for row in _read(raw / "store_sales" / f"sale_date={day}"):
            warehouse.store_sales.append(_resolve(row, warehouse, day))
    return warehouse


def daily_report(warehouse: Warehouse, day: date) -> list[dict[str, Any]]:
    """Orders, quantity and money per store on a day; the unknown store is a store."""
    rows = [_report_row(warehouse, store, lines) for store, lines in _by_store(warehouse, day, day).items()]
    rows.sort(key=lambda row: (-row["net_sales"], row["store_id"]))
    return [{"sale_date": day} | row for row in rows]


def weekly_report(warehouse: Warehouse, day: date, region: str) -> list[dict[str, Any]]:
    """The same per store of a region, from Monday up to the day, ranked by net sales."""
    monday = day - timedelta(days=day.weekday())
    rows = []
    for store, lines in _by_store(warehouse, monday, day).items():
        country = warehouse.store.get(store, {}).get("s_country")
        if REGIONS.get(country or "") == region:
            rows.append(
                _report_row(warehouse, store, lines) | {"days": len({line["sold_date"] for line in lines})}
            )
    rows.sort(key=lambda row: (-row["net_sales"], row["store_id"]))
    return [
        {"week_start": monday, "week_end": monday + timedelta(days=6), "region": region, "sales_rank": rank}
        | row
        for rank, row in enumerate(rows, start=1)
    ]


def _read(folder: Path) -> list[dict[str, Any]]:
    return [
        row for file in sorted(folder.glob("*.parquet")) for row in pq.ParquetFile(file).read().to_pylist()
    ]


def _deliver_item(versions: list[ItemVersion], row: dict[str, Any], day: date) -> None:
    latest = versions[-1] if versions else None
    if latest is not None and latest.price == row["i_current_price"]:
        latest.category, latest.name = row["i_category"], row["i_product_name"]
        return
    if latest is not None:
        latest.end = day
    versions.append(ItemVersion(day, None, row["i_current_price"], row["i_category"], row["i_product_name"]))


def _resolve(row: dict[str, Any], warehouse: Warehouse, day: date) -> dict[str, Any]:
    versions = warehouse.item.get(row["i_item_id"], [])
    version = next((v for v in versions if v.start <= day and (v.end is None or day < v.end)), None)
    return {
        "sold_date": row["sold_date"],
        "sold_time": row["sold_time"],
        "ticket": row["ss_ticket_number"],
        "item": row["i_item_id"] if version else UNKNOWN,
        "item_start": version.start if version else date(1900, 1, 1),
        "customer": row["c_customer_id"] if row["c_customer_id"] in warehouse.customer else UNKNOWN,
        "address": row["ca_address_id"] if row["ca_address_id"] in warehouse.customer_address else UNKNOWN,
        "store": row["s_store_id"] if row["s_store_id"] in warehouse.store else UNKNOWN,
        "promotion": row["p_promo_id"] or UNKNOWN,
        "household": (
            row["hd_income_band_sk"], row["hd_buy_potential"], row["hd_dep_count"], row["hd_vehicle_count"],
        ),
        "cdemo": row["cd_demo_sk"],
    } | {measure: row[measure] for measure in MEASURES}  # fmt: skip


def _by_store(warehouse: Warehouse, first: date, last: date) -> dict[str, list[dict[str, Any]]]:
    by_store = defaultdict(list)
    for line in warehouse.store_sales:
        if first <= line["sold_date"] <= last:
            by_store[line["store"]].append(line)
    return by_store


def _report_row(warehouse: Warehouse, store: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
    known = warehouse.store.get(store, {"s_store_name": "Unknown"})
    return {
        "store_id": store,
        "store_name": known["s_store_name"],
        "city": known.get("s_city"),
        "state": known.get("s_state"),
        "country": known.get("s_country"),
        "orders": len({line["ticket"] for line in lines}),
        "quantity": sum(line["ss_quantity"] or 0 for line in lines),
        "net_sales": sum((line["ss_net_paid"] or Decimal(0) for line in lines), Decimal(0)),
        "net_profit": sum((line["ss_net_profit"] or Decimal(0) for line in lines), Decimal(0)),
    }
