"""Holds the tables of a warehouse and the reports in S3 against `expected_store_sales`."""

import json
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from data_api import query
from expected_store_sales import (
    MEASURES,
    UNKNOWN,
    Warehouse,
    city_report,
    reconciliation_report,
    weekly_report,
)
from laptop.reports import read_report

FACT = f"""
select d.d_date, f.ss_sold_time_sk, f.ss_ticket_number, f.ss_cdemo_sk,
       i.i_item_id, i.i_rec_start_date, c.c_customer_id, a.ca_address_id, s.s_store_id, p.p_promo_id,
       h.hd_income_band_sk, h.hd_buy_potential, h.hd_dep_count, h.hd_vehicle_count,
       {", ".join(f"f.{measure}" for measure in MEASURES)}
from tpcds.store_sales f
join tpcds.date_dim d on f.ss_sold_date_sk = d.d_date_sk
join tpcds.item i on f.ss_item_sk = i.i_item_sk
join tpcds.customer c on f.ss_customer_sk = c.c_customer_sk
join tpcds.customer_address a on f.ss_addr_sk = a.ca_address_sk
join tpcds.store s on f.ss_store_sk = s.s_store_sk
join tpcds.promotion p on f.ss_promo_sk = p.p_promo_sk
join tpcds.household_demographics h on f.ss_hdemo_sk = h.hd_demo_sk
"""


def assert_tables_equal(client: Any, expected: Warehouse) -> None:
    """Every dimension row, every item version and every fact row, as multisets of business values."""
    for table, key in (
        ("customer", "c_customer_id"),
        ("customer_address", "ca_address_id"),
        ("store", "s_store_id"),
    ):
        rows = list(getattr(expected, table).values())
        columns = list(rows[0])
        actual = query(client, f"select {', '.join(columns)} from tpcds.{table} where {key} <> '{UNKNOWN}'")
        assert _bag(actual, columns) == _bag(rows, columns), table

    versions = [
        (item, v.start, v.end, v.price, v.category, v.name)
        for item, history in expected.item.items()
        for v in history
    ]
    actual_versions = query(
        client,
        "select i_item_id, i_rec_start_date, i_rec_end_date, i_current_price, i_category, i_product_name"
        f" from tpcds.item where i_item_id <> '{UNKNOWN}'",
    )
    assert Counter(tuple(row.values()) for row in actual_versions) == Counter(versions)

    lines = Counter(
        (
            row["sold_date"], row["sold_time"], row["ticket"], row["cdemo"], row["item"], row["item_start"],
            row["customer"], row["address"], row["store"], row["promotion"], *row["household"],
            *(row[measure] for measure in MEASURES),
        )
        for row in expected.store_sales
    )  # fmt: skip
    facts = query(client, FACT)
    assert Counter(tuple(row.values()) for row in facts) == lines
    # The joins of FACT would hide a dangling key: count the bare table too.
    assert query(client, "select count(*) as n from tpcds.store_sales") == [{"n": sum(lines.values())}]


def assert_reports_equal(s3: Any, bucket: str, expected: Warehouse, day: date) -> None:
    """Every report of a day, row by row and in order, every column, as CSV and as Parquet."""
    for name, rows in (
        ("daily_city_sales", city_report(expected, day, "Bethel", "OH")),
        ("store_reconciliation", reconciliation_report(expected, day)),
        ("weekly_store_performance", weekly_report(expected, day, "North America")),
    ):
        assert rows, f"{name} of {day} would be empty"
        actual = read_report(s3, bucket, name, str(day))
        assert set(actual[0]) == set(rows[0]), name
        assert [{k: _csv(v) for k, v in row.items()} for row in rows] == [
            {k: row[k] for k in rows[0]} for row in actual
        ], name
        assert read_parquet(s3, bucket, name, day) == rows, name


def read_parquet(s3: Any, bucket: str, report: str, day: date) -> list[dict[str, Any]]:
    """The rows of every Parquet file that the report's manifest names."""
    key = f"reports/{report}/refresh_date={day}/parquet/manifest"
    manifest = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    rows = []
    for entry in manifest["entries"]:
        body = s3.get_object(Bucket=bucket, Key=entry["url"].removeprefix(f"s3://{bucket}/"))["Body"].read()
        rows += pq.ParquetFile(pa.BufferReader(body)).read().to_pylist()
    return rows


def _bag(rows: list[dict[str, Any]], columns: list[str]) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(row[column] for column in columns) for row in rows)


def _csv(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, Decimal) else str(value)
