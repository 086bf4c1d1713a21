"""The files that the source systems deliver: their columns, their places in the lake, and how to make one."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

MONEY = pa.decimal128(7, 2)
SALES_MONEY = (
    "ss_wholesale_cost", "ss_list_price", "ss_sales_price", "ss_ext_discount_amt", "ss_ext_sales_price",
    "ss_ext_wholesale_cost", "ss_ext_list_price", "ss_ext_tax", "ss_coupon_amt", "ss_net_paid",
    "ss_net_paid_inc_tax", "ss_net_profit",
)  # fmt: skip
SCHEMAS = {
    "customer": pa.schema(
        [(name, pa.string()) for name in (
            "c_customer_id", "c_current_addr_id", "c_first_name", "c_last_name",
        )]
    ),
    "customer_address": pa.schema(
        [(name, pa.string()) for name in ("ca_address_id", "ca_city", "ca_state", "ca_zip", "ca_country")]
    ),
    "item": pa.schema(
        [
            ("i_item_id", pa.string()),
            ("i_current_price", MONEY),
            ("i_category", pa.string()),
            ("i_product_name", pa.string()),
        ]
    ),
    "store": pa.schema(
        [
            ("s_store_id", pa.string()), ("s_store_name", pa.string()), ("s_number_employees", pa.int32()),
            ("s_floor_space", pa.int32()), ("s_manager", pa.string()), ("s_market_id", pa.int32()),
            ("s_division_name", pa.string()), ("s_company_name", pa.string()), ("s_city", pa.string()),
            ("s_county", pa.string()), ("s_state", pa.string()), ("s_zip", pa.string()),
            ("s_country", pa.string()), ("s_gmt_offset", pa.decimal128(5, 2)),
            ("s_tax_precentage", pa.decimal128(5, 2)),
        ]
    ),
    "date_dim": pa.schema(
        [
            ("d_date", pa.date32()), ("d_date_id", pa.string()), ("d_day_name", pa.string()),
            ("d_week_seq", pa.int32()), ("d_year", pa.int32()), ("d_moy", pa.int32()),
            ("d_dom", pa.int32()), ("d_quarter_name", pa.string()), ("d_holiday", pa.string()),
            ("d_weekend", pa.string()),
        ]
    ),
    "household_demographics": pa.schema(
        [
            ("hd_income_band_sk", pa.int32()), ("hd_buy_potential", pa.string()),
            ("hd_dep_count", pa.int32()), ("hd_vehicle_count", pa.int32()),
        ]
    ),
    "promotion": pa.schema(
        [(name, pa.string()) for name in (
            "p_promo_id", "p_promo_name", "p_purpose", "p_channel_tv", "p_channel_email",
            "p_discount_active",
        )]
    ),
    "store_sales": pa.schema(
        [
            ("sold_date", pa.date32()), ("sold_time", pa.int32()), ("i_item_id", pa.string()),
            ("c_customer_id", pa.string()), ("cd_demo_sk", pa.int32()), ("hd_income_band_sk", pa.int32()),
            ("hd_buy_potential", pa.string()), ("hd_dep_count", pa.int32()),
            ("hd_vehicle_count", pa.int32()), ("ca_address_id", pa.string()), ("s_store_id", pa.string()),
            ("p_promo_id", pa.string()), ("ss_ticket_number", pa.int64()), ("ss_quantity", pa.int32()),
            *((name, MONEY) for name in SALES_MONEY),
        ]
    ),
}  # fmt: skip
REFERENCE = ("date_dim", "household_demographics", "promotion")


def key_of(extract: str, day: date | str) -> str:
    """Where the file of an extract is delivered; reference data are not of a day."""
    if extract in REFERENCE:
        return f"raw/{extract}/part-00000.parquet"
    kind = "sale_date" if extract == "store_sales" else "extract_date"
    return f"raw/{extract}/{kind}={day}/part-00000.parquet"


def parquet(schema: pa.Schema, *rows: dict[str, Any]) -> bytes:
    """A file with these rows; columns that a row leaves out are NULL."""
    full = [{name: row.get(name) for name in schema.names} for row in rows]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(full, schema=schema), sink, compression="none")
    return sink.getvalue().to_pybytes()


def with_type(table: str, column: str, kind: pa.DataType) -> pa.Schema:
    """The table's schema with another type for one column."""
    schema = SCHEMAS[table]
    return schema.set(schema.get_field_index(column), pa.field(column, kind))
