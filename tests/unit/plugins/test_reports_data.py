"""What the Reports page shows equals what was unloaded, and that equals the tables."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from reports_site import BUCKET, Account, Site, account, site

REVIEWS = [
    {"marketplace": "US", "product_category": "Books", "product_title": "A <i>tale</i>", "review_id": "R1",
     "helpful_votes": "90", "average_stars": "4.50"},
    {"marketplace": "DE", "product_category": "Toys", "product_title": "Kreisel", "review_id": "R2",
     "helpful_votes": "40", "average_stars": "3.00"},
    {"marketplace": "US", "product_category": "Books", "product_title": "Another", "review_id": "R3",
     "helpful_votes": "", "average_stars": ""},
]  # fmt: skip


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Account]:
    with account() as made:
        made.load()
        made.unload("2003-01-01", daily_city_sales={"city": "Midway", "state": "TN"})
        made.unload("2003-01-02")
        made.put_reviews(REVIEWS)
        yield made


@pytest.fixture(scope="module")
def viewer(warehouse: Account) -> Iterator[Site]:
    with site(str(warehouse.s3.meta.endpoint_url)) as made:
        yield made.log_in("VIEWER")


def unloaded(warehouse: Account, report: str, day: str) -> list[dict[str, str]]:
    body = warehouse.s3.get_object(Bucket=BUCKET, Key=f"reports/{report}/refresh_date={day}/csv/000")["Body"]
    return list(csv.DictReader(io.StringIO(body.read().decode(), newline="")))


def as_text(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    return [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]


@pytest.mark.parametrize("day", ["2003-01-01", "2003-01-02"])
def test_a_weekly_report_is_what_was_unloaded(viewer: Site, warehouse: Account, day: str) -> None:
    found = viewer.data("weekly-store-performance", refresh_date=day)
    assert found["refresh_date"] == day
    assert found["stores"]
    assert as_text(found["stores"]) == unloaded(warehouse, "weekly_store_performance", day)


def test_the_latest_weekly_report_comes_unasked_with_the_days_there_are(viewer: Site) -> None:
    found = viewer.data("weekly-store-performance")
    assert found["refresh_dates"] == ["2003-01-02", "2003-01-01"]
    assert found["refresh_date"] == "2003-01-02"


def test_weekly_sales_equal_the_tables(viewer: Site, warehouse: Account) -> None:
    """This week up to Thursday, and the same days of the week before: Saturday's 999.00 is in neither."""
    tables = warehouse.query(
        "select s_store_id, sum(case when ss_sold_date_sk >= 14 then ss_net_paid end) as now,"
        " sum(case when ss_sold_date_sk between 7 and 10 then ss_net_paid end) as before"
        " from tpcds.store_sales inner join tpcds.store on s_store_sk = ss_store_sk group by s_store_id"
    )
    shown = viewer.data("weekly-store-performance")["stores"]
    assert {
        row["store_id"]: (Decimal(row["net_sales"]), Decimal(row["previous_net_sales"])) for row in shown
    } == {row["s_store_id"]: (row["now"], row["before"]) for row in tables}
    assert [row["sales_rank"] for row in shown] == [1, 2]


def test_markup_in_a_name_arrives_as_it_is(viewer: Site) -> None:
    """The page makes text of it; escaped here it would be shown escaped."""
    names = {row["store_name"] for row in viewer.data("weekly-store-performance")["stores"]}
    assert "Plane <b>Street</b>" in names


def test_a_day_that_was_not_reported_says_what_to_trigger(viewer: Site) -> None:
    answer = viewer.get("/redshift-etl/api/weekly-store-performance", params={"refresh_date": "2002-12-24"})
    assert answer.status_code == 404
    assert "trigger store_sales_etl with refresh_date 2002-12-24" in answer.json()["detail"]


def test_the_city_last_reported_comes_unasked(viewer: Site, warehouse: Account) -> None:
    found = viewer.data("daily-city-sales")
    assert (found["state"], found["city"]) == ("OH", "Bethel")
    assert as_text(found["days"]) == unloaded(warehouse, "daily_city_sales", "2003-01-02")[::-1]


def test_another_city_is_found_in_the_report_of_its_day(viewer: Site, warehouse: Account) -> None:
    found = viewer.data("daily-city-sales", state="TN", city="Midway")
    assert as_text(found["days"]) == unloaded(warehouse, "daily_city_sales", "2003-01-01")[::-1]


def test_city_sales_equal_the_tables(viewer: Site, warehouse: Account) -> None:
    tables = warehouse.query(
        "select d_date, sum(ss_net_paid) as net_sales, count(distinct ss_ticket_number) as orders"
        " from tpcds.store_sales inner join tpcds.date_dim on d_date_sk = ss_sold_date_sk"
        " inner join tpcds.store on s_store_sk = ss_store_sk"
        " where s_city = 'Bethel' and d_date between '2002-12-27' and '2003-01-02' group by d_date"
    )
    shown = viewer.data("daily-city-sales", state="OH", city="Bethel")["days"]
    assert len(shown) == 7
    assert {
        (row["sale_date"], Decimal(row["net_sales"]), row["orders"]) for row in shown if row["orders"]
    } == {(str(row["d_date"]), row["net_sales"], row["orders"]) for row in tables}


def test_cities_with_stores_can_be_picked_before_they_are_reported(viewer: Site) -> None:
    found = viewer.data("daily-city-sales", state="ZZ", city="'; select 1; --")
    assert found["days"] == []
    assert found["cities"] == [
        {"state": "OH", "city": "Bethel", "reported": True},
        {"state": "TN", "city": "Midway", "reported": True},
    ]


def test_a_day_that_is_being_unloaded_again_is_left_out(viewer: Site, warehouse: Account) -> None:
    key = "reports/daily_city_sales/refresh_date=2003-01-01/csv/manifest"
    manifest = warehouse.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    warehouse.s3.delete_object(Bucket=BUCKET, Key=key)
    found = viewer.data("daily-city-sales", state="TN", city="Midway")
    warehouse.s3.put_object(Bucket=BUCKET, Key=key, Body=manifest)
    assert found["days"] == []
    assert {"state": "TN", "city": "Midway", "reported": False} in found["cities"]


@pytest.mark.parametrize("manifest", [None, "{}"])
def test_the_cities_do_not_hang_on_the_weekly_report(
    viewer: Site, warehouse: Account, manifest: str | None
) -> None:
    """It is being unloaded again, or broken: only the cities are missing that nobody has reported."""
    key = "reports/weekly_store_performance/refresh_date=2003-01-02/csv/manifest"
    whole = warehouse.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    before = viewer.data("daily-city-sales")
    warehouse.s3.delete_object(Bucket=BUCKET, Key=key)
    if manifest:
        warehouse.put(key, manifest)
    answer = viewer.get("/redshift-etl/api/daily-city-sales")
    warehouse.s3.put_object(Bucket=BUCKET, Key=key, Body=whole)
    assert answer.status_code == 200, answer.text
    assert answer.json() == before


def test_the_reviews_of_a_group_are_what_was_unloaded(viewer: Site) -> None:
    found = viewer.data("top-reviews", marketplace="US", product_category="Books")
    assert as_text(found["reviews"]) == [REVIEWS[0], REVIEWS[2]]
    assert found["groups"] == [
        {"marketplace": "DE", "product_category": "Toys"},
        {"marketplace": "US", "product_category": "Books"},
    ]


@pytest.mark.parametrize(
    ("asked", "group"),
    [
        ({}, ("US", "Books")),
        ({"marketplace": "DE"}, ("DE", "Toys")),
        ({"product_category": "Toys"}, ("DE", "Toys")),
    ],
)
def test_half_a_choice_of_reviews_is_made_whole(
    viewer: Site, asked: dict[str, str], group: tuple[str, str]
) -> None:
    found = viewer.data("top-reviews", **asked)
    assert (found["marketplace"], found["product_category"]) == group


def test_a_group_without_reviews_is_empty(viewer: Site) -> None:
    assert viewer.data("top-reviews", marketplace="US", product_category="' or 1 = 1")["reviews"] == []


def test_a_row_that_is_none_names_file_and_column(viewer: Site, warehouse: Account) -> None:
    warehouse.put_reviews([REVIEWS[0] | {"helpful_votes": "many"}])
    answer = viewer.get("/redshift-etl/api/top-reviews")
    warehouse.put_reviews(REVIEWS)
    assert answer.status_code == 500
    assert (
        "s3://redshift-etl-data/reports/top_reviews/data/000 has a row whose helpful_votes is 'many'"
        in (answer.json()["detail"])
    )


def test_statements_come_in_the_order_in_which_they_ran(viewer: Site, warehouse: Account) -> None:
    statement = {
        "task_id": "load_item", "statement_number": 1, "statement_id": "1", "file": "load_item.sql",
        "row_count": None, "duration_seconds": 0.25, "status": "FINISHED", "error": None,
        "statement": "lock <b>t</b>", "submitted_at": "2026-11-22 05:45:01.500000",
    }  # fmt: skip
    later = statement | {"statement_number": 2, "statement_id": "2", "status": "FAILED", "error": "no"}
    earlier = statement | {"task_id": "stage", "submitted_at": "2026-11-22 05:45:00.000000", "row_count": 7}
    run_id = "manual__2003-01-02T03:04:05+00:00"
    warehouse.put(
        f"audit/statement_runs/store_sales_etl/{run_id}.json",
        "\n".join(json.dumps(row) for row in (later, statement, earlier)),
    )
    found = viewer.data("statement-runs/store_sales_etl", run_id=run_id)["statements"]
    assert [(row["task_id"], row["statement_number"]) for row in found] == [
        ("stage", 1),
        ("load_item", 1),
        ("load_item", 2),
    ]
    assert found[1] == statement | {"submitted_at": "2026-11-22T05:45:01.500000Z"}


def test_freshness_names_the_day_and_rows_of_each_report(viewer: Site) -> None:
    found = viewer.data("freshness")
    assert [(row["report"], row["refresh_date"], row["rows"]) for row in found["reports"]] == [
        ("weekly_store_performance", "2003-01-02", 2),
        ("daily_city_sales", "2003-01-02", 7),
        ("store_reconciliation", "2003-01-02", 2),
    ]
    assert all(row["published_at"] for row in found["reports"])
    assert found["status"] == "no_schedule"
