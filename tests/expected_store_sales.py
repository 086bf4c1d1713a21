"""What the store sales pipeline must produce, computed straight from the delivered Parquet files.

Nothing of the pipeline's SQL is used: dimensions are replayed in Python, day by day, and then the sales of
all days are looked up in what the dimensions hold at the end: a member that arrives after its sales is theirs
all the same. Surrogate keys are not predicted; business keys stand in for them.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
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
    """Replay the days in order from the folder that holds the extracts; then resolve the sales."""
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
    for day in days:
        for row in _read(raw / "store_sales" / f"sale_date={day}"):
            warehouse.store_sales.append(_resolve(row, warehouse, day))
    return warehouse


def city_report(warehouse: Warehouse, day: date, city: str, state: str) -> list[dict[str, Any]]:
    """All stores of a city together, one row for each of the seven days up to the day, latest first."""
    stores = {
        name for name, row in warehouse.store.items() if (row["s_city"], row["s_state"]) == (city, state)
    }
    rows = []
    for sale_date in (day - timedelta(days=n) for n in range(7)):
        lines = [
            line
            for line in warehouse.store_sales
            if line["sold_date"] == sale_date and line["store"] in stores
        ]
        rows.append(
            {
                "sale_date": sale_date,
                "city": city,
                "state": state,
                "stores": len({line["store"] for line in lines}),
            }
            | _totals(lines)
        )
    return rows


def reconciliation_report(warehouse: Warehouse, day: date) -> list[dict[str, Any]]:
    """Each store's lines, quantity and sales of the day; delivered and loaded are the same."""
    rows = []
    for store, lines in _by_store(warehouse, day, day).items():
        totals = _totals(lines)
        rows.append(
            {"sale_date": day}
            | _store_columns(warehouse, store)
            | {
                "orders": totals["orders"],
                "staged_lines": len(lines),
                "loaded_lines": len(lines),
                "staged_quantity": totals["quantity"],
                "loaded_quantity": totals["quantity"],
                "staged_net_sales": totals["net_sales"],
                "loaded_net_sales": totals["net_sales"],
                "status": "equal",
            }
        )
    return sorted(rows, key=lambda row: (-row["loaded_net_sales"], row["store_id"]))


def weekly_report(warehouse: Warehouse, day: date, region: str) -> list[dict[str, Any]]:
    """Stores of a region, from Monday up to the day, beside the same days of the week before."""
    monday, week = day - timedelta(days=day.weekday()), timedelta(days=7)
    current = _by_store(warehouse, monday, day)
    previous = _by_store(warehouse, monday - week, day - week)
    in_region = [
        store
        for store in current.keys() | previous.keys()
        if REGIONS.get(warehouse.store.get(store, {}).get("s_country") or "") == region
    ]
    totals = {store: _totals(current.get(store, [])) for store in in_region}
    before = {store: _totals(previous[store])["net_sales"] for store in in_region if store in previous}
    ranks = _ranks({store: row["net_sales"] for store, row in totals.items()})
    previous_ranks = _ranks(before)
    rows = []
    for store, rank in ranks.items():
        sales, earlier = totals[store]["net_sales"], before.get(store)
        previous_rank = previous_ranks.get(store)
        rows.append(
            {
                "week_start": monday,
                "week_end": monday + timedelta(days=6),
                "region": region,
                "sales_rank": rank,
                "previous_rank": previous_rank,
                "rank_change": previous_rank - rank if previous_rank else None,
            }
            | _store_columns(warehouse, store)
            | {"days": len({line["sold_date"] for line in current.get(store, [])})}
            | totals[store]
            | {
                "previous_net_sales": earlier,
                "net_sales_change": None if earlier is None else sales - earlier,
                "net_sales_change_percent": (
                    (100 * (sales - earlier) / earlier).quantize(Decimal("0.01"), ROUND_HALF_UP)
                    if earlier
                    else None
                ),
            }
        )
    return rows


def _ranks(sales: dict[str, Decimal]) -> dict[str, int]:
    """Rank stores by sales, ties by id."""
    ordered = sorted(sales, key=lambda store: (-sales[store], store))
    return {store: rank for rank, store in enumerate(ordered, start=1)}


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
    # A sale before an item's first version is a sale of that version.
    version = next((v for v in reversed(versions) if v.start <= day), versions[0] if versions else None)
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


def _store_columns(warehouse: Warehouse, store: str) -> dict[str, Any]:
    known = warehouse.store.get(store, {"s_store_name": "Unknown"})
    return {
        "store_id": store,
        "store_name": known["s_store_name"],
        "city": known.get("s_city"),
        "state": known.get("s_state"),
        "country": known.get("s_country"),
    }


def _totals(lines: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "orders": len({line["ticket"] for line in lines}),
        "quantity": sum(line["ss_quantity"] or 0 for line in lines),
        "net_sales": sum((line["ss_net_paid"] or Decimal(0) for line in lines), Decimal(0)),
        "net_profit": sum((line["ss_net_profit"] or Decimal(0) for line in lines), Decimal(0)),
    }
