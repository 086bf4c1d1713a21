"""The rules of store sales, each on the smallest data that shows it: the real SQL files on the local engine.

Named after the requirement or the defect of the earlier implementations that a test is about.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from in_process import InProcess
from local_aws.redshift import RedshiftError
from store_sales_days import AFTER, BEFORE, DAY, item, line, load, run_day


def fact_items(world: InProcess) -> list[tuple[Any, ...]]:
    """(day, ticket, item, start of its version), of every fact line."""
    return world.query(
        "select d.d_date, f.ss_ticket_number, i.i_item_id, i.i_rec_start_date from tpcds.store_sales as f"
        " join tpcds.date_dim as d on f.ss_sold_date_sk = d.d_date_sk"
        " join tpcds.item as i on f.ss_item_sk = i.i_item_sk order by 1, 2, 3"
    )


def versions(world: InProcess) -> list[tuple[Any, ...]]:
    return world.query(
        "select i_item_id, i_rec_start_date, i_rec_end_date, i_current_price from tpcds.item"
        " where i_item_sk <> -1 order by 1, 2"
    )


# -- the original's samples ------------------------------------------------------------------------


def test_parity_addresses_grow_from_three_to_seven(world: InProcess) -> None:
    baseline = [("A1", "NE", "63451"), ("A2", "SD", "58883"), ("A3", "CA", "99310")]
    staged = [("B1", "NE", ""), ("B2", "NE", "61749"), ("B3", "OK", ""), ("B4", "AL", "")]
    for day, rows in ((BEFORE, baseline), (DAY, staged), (DAY, staged)):
        extract = [
            {"ca_address_id": a, "ca_state": s, "ca_zip": z, "ca_country": "United States"}
            for a, s, z in rows
        ]
        load(world, "customer_address", extract, day)
    found = world.query(
        "select ca_address_id, ca_state, ca_zip from tpcds.customer_address where ca_address_sk > 0"
    )
    assert sorted(found) == sorted(baseline + staged)


SAMPLE_ITEMS = [
    item("I3417", "14.29", "Electronics", "barpricallypri"), item("I9615", "9.68", "Home"),
    item("I3693", "2.10", "Men"), item("I3630", "2.95", "Electronics", "barpricallypri"),
    item("I16506", "3.85", "Home"), item("I7866", "12.60", "Jewelry"),
]  # fmt: skip
SAMPLE_CHANGES = [
    item("I3417", "15.10", "Electronics", "barpricallypri"), item("I9615", "9.96", "Home"),
    item("I3693", "2.25", "Men"), item("I3630", "2.95", "Electronics", "barprically"),
    item("I16506", "3.85", "Home"), item("I7866", "12.60", "Jewelry"),
]  # fmt: skip


def test_parity_items_grow_from_six_to_nine_and_three_are_closed(world: InProcess) -> None:
    load(world, "item", SAMPLE_ITEMS, BEFORE)
    assert len(versions(world)) == 6
    for _ in range(2):  # an immediate re-run adds none
        load(world, "item", SAMPLE_CHANGES, DAY)
        found = versions(world)
        assert len(found) == 9
        closed = [(name, end) for name, _, end, _ in found if end is not None]
        assert closed == [("I3417", DAY), ("I3693", DAY), ("I9615", DAY)]
    name = world.query("select i_product_name from tpcds.item where i_item_id = 'I3630'")
    assert name == [("barprically",)]


def test_parity_eight_new_items_are_added_where_the_original_left_all_of_them_out(world: InProcess) -> None:
    """The original joined staging with the open rows: its six items stayed six. Our correction: fourteen."""
    prices = ("4.10", "4.22", "29.30", "1.93", "9.96", "2.25", "1.71", "5.55")
    categories = ("Books",) * 6 + ("Music", "Home")
    staged = [item(f"N{n}", *row) for n, row in enumerate(zip(prices, categories, strict=True))]
    load(world, "item", SAMPLE_ITEMS, BEFORE)
    load(world, "item", staged, DAY)
    found = versions(world)
    assert len(found) == 14
    assert [end for _, _, end, _ in found if end] == []
    assert {name: str(price) for name, start, _, price in found if start == DAY} == {
        row["i_item_id"]: str(row["i_current_price"]) for row in staged
    }


def test_parity_eight_rows_give_the_golden_totals_once_each_line_has_its_own_item(world: InProcess) -> None:
    """The original's sample has 8 rows on 3 tickets and only 4 pairs of item and ticket.

    Our correction: the day is refused as it stands, and loads when each line has its own item.
    """
    amounts = [
        (11, "2220.30", "-1154.42"), (19, "2220.31", "-1154.42"), (12, "2220.31", "-1154.42"),
        (18, "2220.31", "-1154.42"), (15, "2220.31", "-1154.42"), (16, "2220.31", "-1154.42"),
        (14, "2220.31", "-1154.42"), (16, "2220.31", "-1154.43"),
    ]  # fmt: skip
    pairs = [(1, "A"), (1, "A"), (1, "B"), (1, "B"), (2, "A"), (2, "A"), (3, "C"), (3, "C")]
    sample = [
        line(ticket, name, ss_quantity=quantity, ss_net_paid=Decimal(paid), ss_net_profit=Decimal(profit))
        for (ticket, name), (quantity, paid, profit) in zip(pairs, amounts, strict=True)
    ]
    world.put("store_sales", DAY, sample)
    world.stage_sales(DAY)
    refused = world.run("checks/extract_lines_once", DAY)
    assert {(row["ss_ticket_number"], row["i_item_id"], row["line_count"]) for row in refused} == {
        (1, "A", 2), (1, "B", 2), (2, "A", 2), (3, "C", 2)
    }  # fmt: skip
    assert world.query("select count(*) from tpcds.store_sales") == [(0,)]

    corrected = [row | {"i_item_id": f"{row['i_item_id']}{n % 2}"} for n, row in enumerate(sample)]
    run_day(world, DAY, corrected)
    assert world.run("checks/extract_lines_once", DAY) == []
    assert world.query(
        "select count(*), sum(ss_quantity), sum(ss_net_paid), sum(ss_net_profit),"
        " count(distinct ss_ticket_number) from tpcds.store_sales"
    ) == [(8, 121, Decimal("17762.47"), Decimal("-9235.37"), 3)]


# -- requirements ----------------------------------------------------------------------------------


def test_r14_a_day_run_again_replaces_its_rows_and_no_others(world: InProcess) -> None:
    run_day(world, BEFORE, [line(1, day=BEFORE)], item=[item("I1")])
    run_day(world, DAY, [line(2), line(3)])
    run_day(world, DAY, [line(2), line(4)])
    assert [(day, ticket) for day, ticket, *_ in fact_items(world)] == [(BEFORE, 1), (DAY, 2), (DAY, 4)]


def age_staging(world: InProcess) -> None:
    """Let eight days pass, until the next day is staged."""
    world.session.execute("update tpcds.stg_store_sales set loaded_at = dateadd(day, -8, loaded_at)")
    world.put("store_sales", AFTER, [])
    world.stage_sales(AFTER)
    assert world.query("select count(*) from tpcds.stg_store_sales") == [(0,)]


def test_r14_a_day_that_has_left_staging_keeps_its_sales_until_it_is_staged_again(world: InProcess) -> None:
    """Clearing a task of an older run with all that follows, such as load_item, loads its day again."""
    run_day(world, DAY, [line(1, "nobody knows"), line(2)], item=[item("I1")])
    age_staging(world)
    loaded = (fact_items(world), world.query("select * from tpcds.store_sales_unresolved"))
    with pytest.raises(RedshiftError, match="NULL value into column day_still_staged"):
        world.run("load_store_sales", DAY)
    assert (fact_items(world), world.query("select * from tpcds.store_sales_unresolved")) == loaded
    load(world, "store_sales", [line(3)])
    assert [ticket for _, ticket, *_ in fact_items(world)] == [3]


def test_a_day_that_is_delivered_without_a_line_is_emptied_and_refused_by_its_check(world: InProcess) -> None:
    run_day(world, DAY, [line(1)])
    run_day(world, DAY, [])
    assert fact_items(world) == []
    assert [row["line_count"] for row in world.run("checks/extract_not_empty", DAY)] == [0]


def test_r7_dimensions_load_in_any_order(world: InProcess) -> None:
    """No dimension reads another one: the customer keeps its address by business id."""
    load(world, "customer", [{"c_customer_id": "C", "c_current_addr_id": "late"}])
    load(world, "customer_address", [{"ca_address_id": "late"}])
    assert world.query("select c_current_addr_id from tpcds.customer where c_customer_id = 'C'") == [
        ("late",)
    ]


def test_r12_the_reconciliation_shows_one_store_with_a_line_missing(world: InProcess) -> None:
    stores = [{"s_store_id": name, "s_store_name": name, "s_country": "Canada"} for name in ("S1", "S2")]
    run_day(world, DAY, [line(1, s_store_id="S1"), line(2, s_store_id="S2"), line(3)], store=stores)
    world.session.execute("delete from tpcds.store_sales where ss_ticket_number = 1")
    assert [row["measure"] for row in world.run("checks/staging_equals_fact", DAY)] == [
        "rows", "quantity", "net paid", "net profit"
    ]  # fmt: skip
    rows = {row["store_id"]: row for row in report(world, "store_reconciliation")}
    assert {name: row["status"] for name, row in rows.items()} == {
        "S1": "different", "S2": "equal", "UNKNOWN": "equal"
    }  # fmt: skip
    assert (rows["S1"]["staged_lines"], rows["S1"]["loaded_lines"]) == (1, 0)


def test_the_reconciliation_of_a_day_that_has_left_staging_stays_as_it_was_written(world: InProcess) -> None:
    run_day(world, DAY, [line(1)])
    written = report(world, "store_reconciliation")
    assert [row["status"] for row in written] == ["equal"]
    age_staging(world)
    with pytest.raises(RedshiftError, match="NULL value into column day_still_staged"):
        world.run("unload_store_reconciliation", DAY)
    assert written_report(world, "store_reconciliation") == written


def test_r11_a_city_counts_each_order_once_over_all_its_stores_and_no_other_city(world: InProcess) -> None:
    stores = [
        {"s_store_id": "S1", "s_city": "Bethel", "s_state": "OH"},
        {"s_store_id": "S2", "s_city": "Bethel", "s_state": "OH"},
        {"s_store_id": "S3", "s_city": "Bethel", "s_state": "CT"},
    ]
    sales = [
        line(1, "I1", s_store_id="S1"), line(1, "I2", s_store_id="S1"), line(2, s_store_id="S2"),
        line(3, s_store_id="S3"),
    ]  # fmt: skip
    run_day(world, DAY, sales, store=stores)
    rows = report(world, "daily_city_sales")
    assert [row["sale_date"] for row in rows] == [DAY - timedelta(days=n) for n in range(7)]
    assert (rows[0]["stores"], rows[0]["orders"], rows[0]["net_sales"]) == (2, 2, Decimal("30.00"))
    assert rows[1]["orders"] == 0


def test_r13_a_week_stands_beside_the_same_days_of_the_week_before(world: InProcess) -> None:
    """2003-01-02 is a Thursday: Monday to Thursday of both weeks count, last Friday does not."""
    stores = [
        {"s_store_id": name, "s_country": country}
        for name, country in (("S1", "Canada"), ("S2", "Mexico"), ("S3", "United States"), ("S4", "Spain"))
    ]
    load(world, "store", stores)
    week = timedelta(days=7)
    for day, sales in (
        (DAY - week, [("S1", "50.00"), ("S2", "80.00")]),
        (DAY - timedelta(days=6), [("S1", "900.00")]),
        (DAY, [("S1", "100.00"), ("S3", "70.00"), ("S4", "999.00")]),
    ):
        rows = [line(n, s_store_id=store, paid=paid, day=day) for n, (store, paid) in enumerate(sales)]
        load(world, "store_sales", rows, day)
    found = [
        (r["store_id"], r["sales_rank"], r["previous_rank"], r["rank_change"], r["net_sales"],
         r["net_sales_change"], r["net_sales_change_percent"])
        for r in report(world, "weekly_store_performance")
    ]  # fmt: skip
    money = Decimal
    assert found == [
        ("S1", 1, 2, 1, money("100.00"), money("50.00"), money("100.00")),
        ("S3", 2, None, None, money("70.00"), None, None),
        ("S2", 3, 1, -2, money("0.00"), money("-80.00"), money("-100.00")),
    ]


def report(world: InProcess, name: str) -> list[dict[str, Any]]:
    """Run a report and read what it wrote."""
    world.run(f"unload_{name}", DAY, region="North America", city="Bethel", state="OH")
    return written_report(world, name)


def written_report(world: InProcess, name: str) -> list[dict[str, Any]]:
    """Read the Parquet files of a report."""
    import pyarrow.parquet as pq

    from in_process import BUCKET

    folder = world.store.root / BUCKET / "reports" / name / f"refresh_date={DAY}" / "parquet"
    return [
        row for file in sorted(folder.glob("*.parquet")) for row in pq.ParquetFile(file).read().to_pylist()
    ]


# -- members that arrive late ----------------------------------------------------------------------


def test_sales_wait_at_the_unknown_member_and_are_repaired_when_it_arrives(world: InProcess) -> None:
    sale = line(1, c_customer_id="C", ca_address_id="A", s_store_id="S")
    run_day(world, BEFORE, [sale | {"sold_date": BEFORE}])
    keys = "select ss_item_sk, ss_customer_sk, ss_addr_sk, ss_store_sk from tpcds.store_sales"
    assert world.query(keys) == [(-1, -1, -1, -1)]
    run_day(
        world, DAY, [],
        item=[item("I1")], customer=[{"c_customer_id": "C"}], customer_address=[{"ca_address_id": "A"}],
        store=[{"s_store_id": "S"}],
    )  # fmt: skip
    assert -1 not in world.query(keys)[0]
    assert fact_items(world) == [(BEFORE, 1, "I1", DAY)], "a sale before the first version is a sale of it"
    assert world.query("select count(*) from tpcds.store_sales_unresolved") == [(0,)]


def test_what_comes_without_an_id_stays_unknown_and_is_not_looked_for(world: InProcess) -> None:
    run_day(world, DAY, [line(1, None)])
    assert world.query("select ss_item_sk, ss_item_id from tpcds.store_sales") == [(-1, "UNKNOWN")]
    assert world.query("select count(*) from tpcds.store_sales_unresolved") == [(0,)]


def test_promotions_and_households_that_arrive_late_are_repaired_too(world: InProcess) -> None:
    household = {
        "hd_income_band_sk": 2,
        "hd_buy_potential": "0-500",
        "hd_dep_count": 1,
        "hd_vehicle_count": 0,
    }
    run_day(world, DAY, [line(1, p_promo_id="P", **household)])
    world.session.execute("insert into tpcds.promotion (p_promo_id) values ('P')")
    world.session.execute(
        "insert into tpcds.household_demographics (hd_income_band_sk, hd_buy_potential, hd_dep_count,"
        " hd_vehicle_count) values (2, '0-500', 1, 0)"
    )
    world.run("repair_store_sales")
    ((promo, home),) = world.query("select ss_promo_sk, ss_hdemo_sk from tpcds.store_sales")
    assert promo > 0
    assert home > 0


def test_a_version_that_arrives_for_a_past_day_takes_over_the_sales_since(world: InProcess) -> None:
    run_day(world, BEFORE, [line(1, day=BEFORE)], item=[item("I1", "1.00")])
    run_day(world, AFTER, [line(2, day=AFTER)])
    run_day(world, DAY, [line(3)], item=[item("I1", "2.00")])
    assert fact_items(world) == [(BEFORE, 1, "I1", BEFORE), (DAY, 3, "I1", DAY), (AFTER, 2, "I1", DAY)]


def test_a_newer_day_passes_its_gate_though_an_older_one_splits_a_version_after_its_load(
    world: InProcess,
) -> None:
    """The older day's load moves the newer day's sales in the transaction that splits the version."""
    run_day(world, BEFORE, [], item=[item("I1", "1.00")])
    run_day(world, AFTER, [line(2, day=AFTER)])
    load(world, "item", [item("I1", "2.00")], DAY)
    for check in ("keys_resolve", "staging_equals_fact", "item_history_sound"):
        assert world.run(f"checks/{check}", AFTER) == [], check
    assert fact_items(world) == [(AFTER, 2, "I1", DAY)]


def test_sales_of_a_version_that_a_delivery_takes_back_return_to_the_one_before(world: InProcess) -> None:
    run_day(world, BEFORE, [], item=[item("I1", "1.00")])
    run_day(world, DAY, [line(1)], item=[item("I1", "2.00")])
    load(world, "item", [], DAY)
    assert fact_items(world) == [(DAY, 1, "I1", BEFORE)]
    load(world, "item", [], BEFORE)
    assert [row[2] for row in fact_items(world)] == ["UNKNOWN"]
    run_day(world, AFTER, [], item=[item("I1")])
    assert fact_items(world) == [(DAY, 1, "I1", AFTER)]


# -- reference data --------------------------------------------------------------------------------


def test_reference_data_are_added_once_also_with_empty_attributes_and_named_twice(world: InProcess) -> None:
    """A second member of the same day, promotion or household would double the sales that refer to it."""
    known, half_known = {"hd_income_band_sk": 2, "hd_dep_count": 1}, {"hd_dep_count": 3}
    full = known | {"hd_buy_potential": "0-500", "hd_vehicle_count": 0}
    day = {"d_date": DAY + timedelta(days=4000), "d_date_id": "late"}
    delivered: dict[str, list[dict[str, Any]]] = {
        "date_dim": [day | {"d_day_name": "b"}, day | {"d_day_name": "a"}],
        "household_demographics": [known, known, half_known, full, full],
        "promotion": [{"p_promo_id": "P", "p_promo_name": name} for name in ("b", "a")],
    }
    for table, rows in delivered.items():
        world.put(table, DAY, rows)
    for _ in range(2):
        world.run("load_reference")
        assert world.query("select d_day_name from tpcds.date_dim where d_date_id = 'late'") == [("a",)]
        assert world.query("select p_promo_name from tpcds.promotion where p_promo_sk > 0") == [("a",)]
        assert world.query(
            "select hd_income_band_sk, hd_buy_potential, hd_dep_count, hd_vehicle_count"
            " from tpcds.household_demographics where hd_demo_sk > 0 order by all"
        ) == [(2, "0-500", 1, 0), (2, None, 1, None), (None, None, 3, None)]


# -- defects of earlier implementations ------------------------------------------------------------


def test_defect_02_a_brand_new_item_reaches_the_dimension(world: InProcess) -> None:
    load(world, "item", [item("NEW", "4.10")])
    assert versions(world) == [("NEW", DAY, None, Decimal("4.10"))]


def test_defect_03_a_version_starts_on_the_refresh_date_where_the_one_before_ends(world: InProcess) -> None:
    for day, price in ((AFTER, "3.00"), (BEFORE, "1.00"), (DAY, "2.00"), (DAY, "2.50")):
        load(world, "item", [item("I1", price)], day)
    assert versions(world) == [
        ("I1", BEFORE, DAY, Decimal("1.00")),
        ("I1", DAY, AFTER, Decimal("2.50")),
        ("I1", AFTER, None, Decimal("3.00")),
    ]
    assert world.run("checks/item_history_sound", DAY) == []


def test_defect_04_an_empty_price_is_a_price_and_compares_with_itself(world: InProcess) -> None:
    for day, price in ((BEFORE, None), (DAY, None), (AFTER, "1.00")):
        load(world, "item", [item("I1", price)], day)
    assert versions(world) == [("I1", BEFORE, AFTER, None), ("I1", AFTER, None, Decimal("1.00"))]


def test_defect_05_lines_of_another_day_are_refused_before_the_fact_is_touched(world: InProcess) -> None:
    run_day(world, DAY, [line(1)])
    world.put(
        "store_sales", DAY, [line(1), line(2, day=BEFORE), line(3, day=BEFORE), line(4, sold_date=None)]
    )
    world.stage_sales(DAY)
    found = {row["sold_date"]: row["line_count"] for row in world.run("checks/extract_dates", DAY)}
    assert found == {BEFORE: 2, None: 1}
    assert len(fact_items(world)) == 1


def test_defect_06_an_unknown_item_does_not_fail_the_load(world: InProcess) -> None:
    run_day(world, DAY, [line(1, "nobody knows"), line(2)], item=[item("I1")])
    assert [row[2] for row in fact_items(world)] == ["UNKNOWN", "I1"]
    assert world.run("checks/staging_equals_fact", DAY) == []


def test_defect_07_duplicates_are_found_and_told_apart(world: InProcess) -> None:
    sales = [line(1), line(1), line(2), line(2, paid="11.00"), line(3), line(None)]  # type: ignore[arg-type]
    world.put("store_sales", DAY, sales)
    world.stage_sales(DAY)
    found = {r["ss_ticket_number"]: r["problem"] for r in world.run("checks/extract_lines_once", DAY)}
    assert found == {1: "identical", 2: "conflicting", None: "no ticket number"}


def test_defect_08_keys_come_from_the_table_also_when_it_is_empty_and_survive_reruns(
    world: InProcess,
) -> None:
    for table, key, rows in (
        ("customer", "c_customer_sk", [{"c_customer_id": "A"}, {"c_customer_id": "B"}]),
        ("item", "i_item_sk", [item("A"), item("B")]),
    ):
        query = f"select {key} from tpcds.{table} where {key} <> -1 order by 1"
        load(world, table, rows)
        first = world.query(query)
        assert None not in {key for (key,) in first}
        assert len(set(first)) == 2
        load(world, table, rows)
        assert world.query(query) == first


def test_defect_09_a_load_that_fails_midway_leaves_the_day_as_it_was(world: InProcess) -> None:
    run_day(world, DAY, [line(1)])
    world.put("store_sales", DAY, [line(None)])  # type: ignore[arg-type]
    world.stage_sales(DAY)
    with pytest.raises(RedshiftError, match="ss_ticket_number"):
        world.run("load_store_sales", DAY)
    assert [row[1] for row in fact_items(world)] == [1]


def test_defect_12_a_run_keeps_the_history_that_it_does_not_touch(world: InProcess) -> None:
    run_day(world, BEFORE, [], item=[item("I1")], customer=[{"c_customer_id": "C"}])
    world.run("create_schema")
    run_day(world, DAY, [])
    assert len(versions(world)) == 1
    assert world.query("select c_customer_id from tpcds.customer where c_customer_sk > 0") == [("C",)]


def test_defect_13_a_name_with_a_quote_is_a_value_and_not_sql(world: InProcess) -> None:
    city = "O'Fallon'; drop table tpcds.store; --"
    stores = [{"s_store_id": "S", "s_city": city, "s_state": "IL"}]
    run_day(world, DAY, [line(1, s_store_id="S")], store=stores)
    world.run("unload_daily_city_sales", DAY, city=city, state="IL")
    found = written_report(world, "daily_city_sales")
    assert [(row["sale_date"], row["city"], row["stores"], row["orders"]) for row in found] == [
        (DAY - timedelta(days=ago), city, int(not ago), int(not ago)) for ago in range(7)
    ]
    assert world.query("select s_city from tpcds.store where s_store_sk > 0") == [(city,)]


def test_defect_14_a_ticket_number_beyond_four_bytes_is_kept(world: InProcess) -> None:
    run_day(world, DAY, [line(9_000_000_000_000)])
    assert world.query("select ss_ticket_number from tpcds.store_sales") == [(9_000_000_000_000,)]


def test_a_member_named_twice_in_one_extract_is_one_member(world: InProcess) -> None:
    load(
        world,
        "customer",
        [{"c_customer_id": "C", "c_last_name": "b"}, {"c_customer_id": "C", "c_last_name": "a"}],
    )
    assert world.query("select c_last_name from tpcds.customer where c_customer_sk > 0") == [("a",)]
    load(world, "item", [item("I1", "2.00"), item("I1", "1.00")])
    assert versions(world) == [("I1", DAY, None, Decimal("1.00"))]
    assert [row["problem"] for row in world.run("checks/item_history_sound", DAY)] == ["delivered twice"]
