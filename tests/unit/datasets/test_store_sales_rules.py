"""What the extracts hold: the rules in the module's docstring, checked from the outside."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets.delivery import Delivery

MONEY = pa.decimal128(7, 2)
RATE = pa.decimal128(5, 2)
SCHEMAS = {
    "store_sales": [
        ("sold_date", pa.date32()),
        ("sold_time", pa.int32()),
        ("i_item_id", pa.string()),
        ("c_customer_id", pa.string()),
        ("cd_demo_sk", pa.int32()),
        ("hd_income_band_sk", pa.int32()),
        ("hd_buy_potential", pa.string()),
        ("hd_dep_count", pa.int32()),
        ("hd_vehicle_count", pa.int32()),
        ("ca_address_id", pa.string()),
        ("s_store_id", pa.string()),
        ("p_promo_id", pa.string()),
        ("ss_ticket_number", pa.int64()),
        ("ss_quantity", pa.int32()),
        ("ss_wholesale_cost", MONEY),
        ("ss_list_price", MONEY),
        ("ss_sales_price", MONEY),
        ("ss_ext_discount_amt", MONEY),
        ("ss_ext_sales_price", MONEY),
        ("ss_ext_wholesale_cost", MONEY),
        ("ss_ext_list_price", MONEY),
        ("ss_ext_tax", MONEY),
        ("ss_coupon_amt", MONEY),
        ("ss_net_paid", MONEY),
        ("ss_net_paid_inc_tax", MONEY),
        ("ss_net_profit", MONEY),
    ],
    "customer": [
        ("c_customer_id", pa.string()),
        ("c_current_addr_id", pa.string()),
        ("c_first_name", pa.string()),
        ("c_last_name", pa.string()),
    ],
    "customer_address": [
        ("ca_address_id", pa.string()),
        ("ca_city", pa.string()),
        ("ca_state", pa.string()),
        ("ca_zip", pa.string()),
        ("ca_country", pa.string()),
    ],
    "item": [
        ("i_item_id", pa.string()),
        ("i_current_price", MONEY),
        ("i_category", pa.string()),
        ("i_product_name", pa.string()),
    ],
    "store": [
        ("s_store_id", pa.string()),
        ("s_store_name", pa.string()),
        ("s_number_employees", pa.int32()),
        ("s_floor_space", pa.int32()),
        ("s_manager", pa.string()),
        ("s_market_id", pa.int32()),
        ("s_division_name", pa.string()),
        ("s_company_name", pa.string()),
        ("s_city", pa.string()),
        ("s_county", pa.string()),
        ("s_state", pa.string()),
        ("s_zip", pa.string()),
        ("s_country", pa.string()),
        ("s_gmt_offset", RATE),
        ("s_tax_precentage", RATE),
    ],
    "date_dim": [
        ("d_date", pa.date32()),
        ("d_date_id", pa.string()),
        ("d_day_name", pa.string()),
        ("d_week_seq", pa.int32()),
        ("d_year", pa.int32()),
        ("d_moy", pa.int32()),
        ("d_dom", pa.int32()),
        ("d_quarter_name", pa.string()),
        ("d_holiday", pa.string()),
        ("d_weekend", pa.string()),
    ],
    "household_demographics": [
        ("hd_income_band_sk", pa.int32()),
        ("hd_buy_potential", pa.string()),
        ("hd_dep_count", pa.int32()),
        ("hd_vehicle_count", pa.int32()),
    ],
    "promotion": [
        ("p_promo_id", pa.string()),
        ("p_promo_name", pa.string()),
        ("p_purpose", pa.string()),
        ("p_channel_tv", pa.string()),
        ("p_channel_email", pa.string()),
        ("p_discount_active", pa.string()),
    ],
}
DIMENSIONS = ["customer", "customer_address", "item", "store"]
NEWCOMERS = {"customer": "c_customer_id", "customer_address": "ca_address_id", "item": "i_item_id"}

DECEMBER = ("2002-12-01", "2003-01-02")


def read(delivery: Delivery, columns: str = "*", condition: str = "true") -> list[tuple[Any, ...]]:
    return duckdb.sql(f"select {columns} from read_parquet('{delivery.path}') where {condition}").fetchall()


def business_id(key: int) -> str:
    return "AAAAAAAA" + "".join("ABCDEFGHIJKLMNOP"[int(digit, 16)] for digit in reversed(f"{key:08X}"))


def ordinal(day: date) -> int:
    return (day - date(1998, 1, 1)).days


def members(delivery: Delivery) -> dict[str, tuple[Any, ...]]:
    return {row[0]: row for row in read(delivery)}


def days(start: str, end: str) -> list[date]:
    first, last = date.fromisoformat(start), date.fromisoformat(end)
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


@pytest.fixture(scope="session")
def december(deliver):
    return deliver(*DECEMBER)


def test_a_range_delivers_every_extract_in_the_order_a_source_system_would(deliver):
    assert list(deliver("2003-01-01", "2003-01-02")) == [
        "date_dim",
        "household_demographics",
        "promotion",
        "customer/2003-01-01",
        "customer_address/2003-01-01",
        "item/2003-01-01",
        "store/2003-01-01",
        "store_sales/2003-01-01",
        "customer/2003-01-02",
        "customer_address/2003-01-02",
        "item/2003-01-02",
        "store/2003-01-02",
        "store_sales/2003-01-02",
    ]


def test_keys_are_those_the_pipeline_reads(deliver):
    found = deliver("2003-01-02", "2003-01-02")
    assert found["store_sales/2003-01-02"].key == "raw/store_sales/sale_date=2003-01-02/part-00000.parquet"
    assert found["item/2003-01-02"].key == "raw/item/extract_date=2003-01-02/part-00000.parquet"
    assert found["promotion"].key == "raw/promotion/part-00000.parquet"


def test_extracts_have_exactly_the_agreed_columns_and_types_even_without_rows(december):
    for name, delivery in december.items():
        schema = pq.read_schema(delivery.path)
        assert [(field.name, field.type) for field in schema] == SCHEMAS[name.split("/")[0]], name
    assert any(delivery.rows == 0 for delivery in december.values())


def test_a_delivery_states_the_rows_and_bytes_of_its_file(december):
    for name, delivery in december.items():
        assert delivery.rows == pq.read_metadata(delivery.path).num_rows, name
        assert delivery.size == delivery.path.stat().st_size, name


def test_only_the_codes_without_a_business_id_are_keys_of_tpc_ds(december):
    columns = {column for delivery in december.values() for column in pq.read_schema(delivery.path).names}
    assert {column for column in columns if column.endswith("_sk")} == {"cd_demo_sk", "hd_income_band_sk"}


def test_no_text_has_blanks_at_its_end(december):
    for name, delivery in december.items():
        table = pq.read_table(delivery.path)
        for column in table.select([field.name for field in table.schema if field.type == pa.string()]):
            assert all(text == text.rstrip(" ") for text in column.drop_null().to_pylist()), name


def test_the_last_day_has_the_sales_that_tpc_ds_generates(deliver):
    sales = deliver("2003-01-02", "2003-01-02")["store_sales/2003-01-02"]
    assert read(sales, "count(*), count(distinct ss_ticket_number), sum(ss_net_paid)") == [
        (166, 15, Decimal("262381.24"))
    ]
    assert read(sales, "distinct sold_date") == [(date(2003, 1, 2),)]


def test_business_ids_encode_tpc_ds_keys_and_continue_with_those_of_new_members(deliver):
    assert business_id(7550) == "AAAAAAAAOHNBAAAA"
    assert business_id(13971208) == "AAAAAAAAIAPCFNAA"
    assert business_id(2452642) == "AAAAAAAACKMGFCAA"
    extracts = deliver("1998-01-05", "1998-01-05")
    # day 4: its own members arrive late
    newcomers = {business_id(10_000_000 + day) for day in (1, 2, 3)}
    assert (
        members(extracts["customer/1998-01-05"]).keys()
        == {business_id(key) for key in range(1, 10_001)} | newcomers
    )
    assert (
        members(extracts["customer_address/1998-01-05"]).keys()
        == {business_id(key) for key in range(1, 5_001)} | newcomers
    )
    assert len(members(extracts["item/1998-01-05"])) == 900 + len(newcomers)
    assert newcomers <= members(extracts["item/1998-01-05"]).keys()
    dates = read(extracts["date_dim"], "d_date_id", "d_date = '2003-01-02'")
    assert dates == [(business_id(2452642),)]


def test_a_business_id_stands_once_in_an_extract(december):
    for name, delivery in december.items():
        if name.split("/")[0] in {*DIMENSIONS, "promotion"}:
            assert len(members(delivery)) == delivery.rows, name


def test_item_and_ticket_number_identify_a_sale(december):
    lines = [
        line
        for day in days(*DECEMBER)
        for line in read(december[f"store_sales/{day}"], "i_item_id, ss_ticket_number")
    ]
    assert len(lines) > 9_000
    assert len(set(lines)) == len(lines)


def test_sales_name_only_members_of_the_dimensions_or_nobody(deliver):
    """On an odd day all of the day's new members are there; some sales have no customer, address or store."""
    extracts = deliver("2003-01-02", "2003-01-02")
    sales = extracts["store_sales/2003-01-02"]
    for name, column in (NEWCOMERS | {"store": "s_store_id"}).items():
        known = members(extracts[f"{name}/2003-01-02"]).keys()
        named = {key for (key,) in read(sales, column)}
        assert named - known <= {None}, name
        assert (None in named) == (name != "item"), name


def test_extracts_of_later_days_lead_from_the_first_day_to_the_last(december, deliver):
    last = DECEMBER[1]
    whole = deliver(last, last)
    for name in DIMENSIONS:
        state: dict[str, Any] = {}
        for day in days(*DECEMBER):
            state |= members(december[f"{name}/{day}"])
        assert state == members(whole[f"{name}/{last}"]), name


def test_extracts_of_later_days_carry_only_what_differs_from_the_day_before(december, deliver):
    first, second = days("2002-12-30", "2002-12-31")
    for name in DIMENSIONS:
        before = members(deliver(str(first), str(first))[f"{name}/{first}"])
        after = members(deliver(str(second), str(second))[f"{name}/{second}"])
        changed = {key: row for key, row in after.items() if before.get(key) != row}
        assert members(december[f"{name}/{second}"]) == changed, name


def test_prices_follow_their_closed_form(deliver):
    """Item 1 costs 27.02 in TPC-DS; on day 20 its v is (20 + 1) div (20 + 1) = 1, the day before it is 0."""
    item = f"i_item_id = '{business_id(1)}'"
    extracts = deliver("1998-01-20", "1998-01-21")
    assert read(extracts["item/1998-01-20"], "i_current_price", item) == [(Decimal("27.02"),)]
    assert read(extracts["item/1998-01-21"], "i_current_price", item) == [(Decimal("27.83"),)]


def test_every_day_a_few_items_change_their_price_and_some_only_their_name(december):
    names_only = 0
    state = members(december["item/2002-12-01"])
    for day in days("2002-12-02", "2003-01-02"):
        changes = members(december[f"item/{day}"])
        known = {key: row for key, row in changes.items() if key in state}
        prices = [key for key, row in known.items() if row[1] != state[key][1]]
        assert 0.01 < len(prices) / len(state) < 0.10, day
        names_only += sum(row[1] == state[key][1] and row[2:] != state[key][2:] for key, row in known.items())
        state |= changes
    assert names_only > 100


@pytest.mark.parametrize(("name", "column"), NEWCOMERS.items())
def test_a_new_member_arrives_on_odd_days_and_a_day_late_on_even_ones(december, name, column):
    assert ordinal(date(2002, 12, 31)) % 2 == 1
    arrivals = {day: members(december[f"{name}/{day}"]).keys() for day in days(*DECEMBER)}
    for day in days("2002-12-03", "2003-01-02"):
        newcomer = business_id(10_000_000 + ordinal(day))
        bought = read(december[f"store_sales/{day}"], "ss_ticket_number", f"{column} = '{newcomer}'")
        arrives = day if ordinal(day) % 2 == 1 else day + timedelta(days=1)
        known = [other for other in days(*DECEMBER) if newcomer in arrivals[other]]
        assert known[0] == arrives, day
        first_ticket = read(december[f"store_sales/{day}"], "min(ss_ticket_number)")
        assert set(bought) == set(first_ticket), day


def test_the_first_ticket_is_bought_by_the_new_customer_at_the_new_address_with_one_new_item(december):
    for day in days(*DECEMBER):
        newcomer = business_id(10_000_000 + ordinal(day))
        ticket = read(
            december[f"store_sales/{day}"],
            "c_customer_id, ca_address_id, i_item_id",
            f"ss_ticket_number = (select min(ss_ticket_number) from '{december[f'store_sales/{day}'].path}')",
        )
        assert {row[:2] for row in ticket} == {(newcomer, newcomer)}
        assert sum(row[2] == newcomer for row in ticket) == 1


def test_the_new_customer_lives_at_the_new_address(december):
    newcomer = business_id(10_000_000 + ordinal(date(2002, 12, 31)))
    assert members(december["customer/2002-12-31"])[newcomer][1] == newcomer
    assert newcomer in members(december["customer_address/2002-12-31"])


def test_stores_lie_in_bethel_in_north_america_and_outside(deliver):
    stores = deliver("2003-01-02", "2003-01-02")["store/2003-01-02"]
    assert sorted(read(stores, "s_city, s_state, s_zip, s_county, s_country"), key=str) == [
        ("Bethel", "OH", "45106", "Clermont County", "United States"),
        ("Bethel", "OH", "45106", "Clermont County", "United States"),
        ("London", None, "SE1 9SG", "Greater London", "United Kingdom"),
        ("Midway", "TN", "31904", "Williamson County", "United States"),
        ("Monterrey", "NL", "64000", "Monterrey", "Mexico"),
        ("Toronto", "ON", "M5J 2N8", "Toronto", "Canada"),
    ]


def test_stores_change_their_managers(deliver):
    first = members(deliver("1998-01-02", "1998-01-02")["store/1998-01-02"])
    later = members(deliver("1998-06-30", "1998-06-30")["store/1998-06-30"])
    assert first[business_id(1)][4] == "William Ward"
    assert first.keys() == later.keys()
    for store, row in first.items():
        assert row[4] != later[store][4]
        assert row[:4] + row[5:] == later[store][:4] + later[store][5:]


def test_bethel_sells_on_most_days(december):
    bethel = tuple(row[0] for row in read(december["store/2002-12-01"], condition="s_city = 'Bethel'"))
    selling = [
        day
        for day in days(*DECEMBER)
        if read(december[f"store_sales/{day}"], condition=f"s_store_id in {bethel}")
    ]
    assert len(selling) >= 30


def test_all_lines_of_a_ticket_that_have_a_store_have_the_same(december):
    for day in days(*DECEMBER):
        stores = read(
            december[f"store_sales/{day}"],
            "ss_ticket_number % 6, count(distinct s_store_id)",
            "s_store_id is not null group by 1",
        )
        assert {count for _, count in stores} == {1}, day


def test_a_day_without_sales_is_an_extract_without_rows(deliver):
    extracts = deliver("1998-01-02", "1998-01-31", scale_factor=0.01)
    empty = [
        name for name, delivery in extracts.items() if name.startswith("store_sales") and not delivery.rows
    ]
    assert empty
    assert pq.read_schema(extracts[empty[0]].path).names == [name for name, _ in SCHEMAS["store_sales"]]


def test_reference_data_are_whole(deliver):
    extracts = deliver("2003-01-02", "2003-01-02")
    assert read(extracts["date_dim"], "min(d_date), max(d_date), count(*), count(distinct d_date)") == [
        (date(1998, 1, 1), date(2003, 12, 31), 2191, 2191)
    ]
    assert extracts["household_demographics"].rows == 7200
    assert len(set(read(extracts["household_demographics"]))) == 7200
    assert extracts["promotion"].rows == 30
