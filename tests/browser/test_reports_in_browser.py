"""What a person sees in the Reports page: the tables' numbers, in both themes, by keyboard, on a phone."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
from airflow_pages import open_reports, run_address, show_reports
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from data_api import query
from e2e_stack import BUCKET, Stack
from expected_reviews import load_reviews, top_reviews

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("run")]

VIEWS = ["weekly", "city", "reviews", "runs", "freshness-details"]
REVIEWS_MANIFEST = "reports/top_reviews/data/manifest"
WEEKLY_MANIFEST = "reports/weekly_store_performance/refresh_date=2003-01-01/csv/manifest"
LAST_WEEK = """
    select s_store_name, sum(ss_net_paid) as net_sales, count(distinct ss_ticket_number) as orders
    from tpcds.store_sales
    inner join tpcds.store on s_store_sk = ss_store_sk
    inner join tpcds.date_dim on d_date_sk = ss_sold_date_sk
    inner join tpcds.country_region on country = s_country
    where region = 'North America' and d_date between '2002-12-30' and '2003-01-01'
    group by s_store_name
    order by net_sales desc
"""
BETHEL = """
    select sum(ss_net_paid) as net_sales, count(distinct ss_ticket_number) as orders
    from tpcds.store_sales
    inner join tpcds.store on s_store_sk = ss_store_sk
    inner join tpcds.date_dim on d_date_sk = ss_sold_date_sk
    where s_city = 'Bethel' and s_state = 'OH' and d_date = '2003-01-01'
"""


def test_the_weekly_tab_shows_the_numbers_of_the_tables(page: Page, stack: Stack) -> None:
    expected = query(stack.redshift, LAST_WEEK)
    assert expected
    frame = show_reports(page)
    rows = frame.locator("tbody tr")
    expect(rows).to_have_count(len(expected))
    for row, store in zip(rows.all(), expected, strict=True):
        expect(row.locator("th")).to_contain_text(store["s_store_name"])
        expect(row).to_contain_text(f"${store['net_sales']:,}")
    total = sum(store["net_sales"] for store in expected)
    expect(frame.locator(".value").first).to_have_text(f"${total:,.0f}")


def test_the_city_tab_shows_the_numbers_of_the_tables(page: Page, stack: Stack) -> None:
    (expected,) = query(stack.redshift, BETHEL)
    frame = show_reports(page, "city")
    expect(frame.get_by_label("State")).to_have_value("OH")
    latest = frame.locator("tbody tr").first
    expect(latest.locator("th")).to_have_text("Wed1 Jan 2003")
    expect(latest).to_contain_text(f"${expected['net_sales']:,}")
    expect(latest.locator("td").nth(1)).to_have_text(str(expected["orders"]))


def test_the_runs_tab_shows_every_task_and_its_statements(page: Page, stack: Stack, run: str) -> None:
    frame = show_reports(page, "runs")
    frame.get_by_role("link", name=run, exact=True).click()
    tasks = frame.get_by_role("region", name=f"Tasks of {run}").locator("tbody tr")
    expect(tasks).to_have_count(len(stack.states(run)))
    frame.get_by_label("Statements of", exact=True).select_option("load_store_sales")
    statements = frame.get_by_role("region", name="Statements of load_store_sales")
    expect(statements).to_contain_text("insert into tpcds.store_sales")
    frame.get_by_role("link", name="Open in the grid").click()
    page.wait_for_url(re.compile(re.escape(run_address(run).partition("manual")[0])))


def test_the_runs_tab_shows_the_day_that_the_server_reckons(page: Page, run: str) -> None:
    """It is no part of the run as Airflow's API has it, and the browser does not know the pipeline's zone."""
    reckoned = {"refresh_dates": {run: "2003-02-28"}}
    page.route("**/api/refresh-dates?*", lambda route: route.fulfill(json=reckoned))
    main = open_reports(page, "runs")
    expect(main.get_by_role("row").filter(has_text=run)).to_contain_text("28 Feb 2003")
    page.wait_for_load_state("networkidle")
    assert "28 Feb" in page.evaluate("Chart.getChart(document.querySelector('canvas')).data.labels")


@pytest.mark.usefixtures("reviews_run")
def test_runs_of_the_reviews_have_no_refresh_date(page: Page) -> None:
    runs = open_reports(page, "runs?dag=reviews_etl").get_by_role("table").first
    expect(runs.get_by_role("columnheader")).to_have_text(["Run", "State", "Began", "Duration"])


def test_a_failure_is_told_by_a_symbol_as_well_as_by_red(page: Page, stack: Stack, broken_run: str) -> None:
    open_reports(page, f"runs?run={quote(broken_run, safe='')}")
    page.wait_for_load_state("networkidle")
    history, tasks = page.evaluate(
        "[...document.querySelectorAll('canvas')].map(canvas => Chart.getChart(canvas).data.labels)"
    )
    assert {"✕ 5 Jan", "1 Jan"} <= set(history)
    failed = {name for name, state in stack.states(broken_run).items() if state == "failed"}
    assert {label for label in tasks if label.startswith("✕ ")} == {f"✕ {name}" for name in failed}


@pytest.mark.parametrize(
    ("status", "ready_at", "text"),
    [
        ("ready", "2026-11-21T13:30:00Z", "Fresh: 20 Nov 2026 was ready 30 min before 09:00"),
        ("ready_late", "2026-11-21T20:00:00Z", "Ready, 6 h 0 min late: 20 Nov 2026 was due at 09:00"),
        ("late", None, "Late: 20 Nov 2026 was due at 09:00, 7 h 0 min ago. Latest day 21 Nov 2026"),
    ],
)
def test_freshness_is_told_of_the_expected_day_behind_a_later_one(
    page: Page, status: str, ready_at: str | None, text: str
) -> None:
    """The expected day is 20 November, and the pointer was moved to the 21st at 15:00."""
    later = {"refresh_date": "2026-11-21", "rows": 7, "published_at": "2026-11-21T20:00:00Z"}
    answer = {
        "status": status,
        "expected": "2026-11-20",
        "due": "2026-11-21T09:00:00-05:00",
        "ready_at": ready_at,
        "now": "2026-11-21T21:00:00Z",
        "timezone": "America/New_York",
        "reports": [{"report": "daily_city_sales"} | later],
    }
    page.route("**/api/freshness", lambda route: route.fulfill(json=answer))
    main = open_reports(page, "freshness-details")
    expect(page.locator("#freshness")).to_contain_text(text)
    expect(main.locator(".verdict")).to_contain_text(text)


@pytest.mark.usefixtures("reviews_run")
def test_the_reviews_tab_shows_what_the_delivered_files_imply(page: Page, stack: Stack) -> None:
    implied = top_reviews(load_reviews(stack.raw / "reviews", 2015), 10)
    groups = list(dict.fromkeys((row["marketplace"], row["product_category"]) for row in implied))
    frame = show_reports(page, "reviews")
    for place, category in (groups[0], groups[-1]):
        frame.get_by_label("Marketplace").select_option(place)
        # The categories are that marketplace's only then.
        expect(frame.get_by_role("region", name=f", {place}")).to_be_visible()
        frame.get_by_label("Product category").select_option(category)
        expected = [
            row for row in implied if (row["marketplace"], row["product_category"]) == (place, category)
        ]
        rows = frame.get_by_role("region", name=f"{category.replace('_', ' ')}, {place}").locator("tbody tr")
        expect(rows).to_have_count(len(expected))
        for row, review in zip(rows.all(), expected, strict=True):
            expect(row).to_contain_text(review["review_id"])
            expect(row).to_contain_text(f"{review['helpful_votes']:,}")
            expect(row).to_contain_text(f"{review['average_stars']:.2f} of 5 stars")


@contextmanager
def without(stack: Stack, key: str) -> Iterator[None]:
    """Take a file away for a while."""
    body = stack.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    stack.s3.delete_object(Bucket=BUCKET, Key=key)
    yield
    stack.s3.put_object(Bucket=BUCKET, Key=key, Body=body)


@pytest.fixture
def no_reviews(stack: Stack, reviews_run: str) -> Iterator[None]:  # noqa: ARG001 - before it there are none
    """The report as it is before its first run is green."""
    with without(stack, REVIEWS_MANIFEST):
        yield


@pytest.fixture
def no_weekly_report(stack: Stack, run: str) -> Iterator[None]:  # noqa: ARG001 - before it there is none
    """The report as it is while it is unloaded again."""
    with without(stack, WEEKLY_MANIFEST):
        yield


@pytest.mark.usefixtures("no_weekly_report")
def test_the_city_tab_does_not_hang_on_the_weekly_report(page: Page) -> None:
    frame = show_reports(page, "city")
    expect(frame.get_by_role("heading", name="Daily sales in Bethel, OH")).to_be_visible()
    expect(frame.get_by_label("City", exact=True)).to_have_value("Bethel")


@pytest.mark.usefixtures("no_reviews")
def test_a_report_that_is_not_there_says_what_to_trigger(page: Page) -> None:
    frame = show_reports(page, "reviews")
    expect(frame.get_by_role("heading", name="Nothing to show yet")).to_be_visible()
    expect(frame.locator("main")).to_contain_text("trigger reviews_etl")


def test_the_page_follows_airflows_theme_while_it_is_open(page: Page) -> None:
    frame = show_reports(page)
    colors: dict[str, Any] = {}
    for theme in ("light", "dark"):
        page.evaluate("name => { document.documentElement.className = name }", theme)
        expect(frame.locator("html")).to_have_attribute("data-theme", theme)
        colors[theme] = frame.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    assert colors["light"] != colors["dark"]


@pytest.mark.parametrize("fragment", ["main", "toString", "weekly?as_of=%3Cimg src=x onerror=alert(1)%3E"])
def test_an_address_that_is_none_leads_to_something_to_read(page: Page, fragment: str) -> None:
    main = open_reports(page, fragment)
    expect(main.get_by_role("heading").first).to_be_visible()
    assert main.locator("img").count() == 0


@pytest.mark.usefixtures("reviews_run")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_to_object_to(page: Page, theme: str) -> None:
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    for view in VIEWS:
        main = open_reports(page, view)
        expect(main.get_by_role("table").first).to_be_visible()
        found = Axe().run(page)
        assert found.violations_count == 0, f"{view}, {theme}:\n{found.generate_report()}"


def test_the_keyboard_reaches_tabs_and_pickers(page: Page) -> None:
    open_reports(page, "weekly")
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim().slice(0, 20)"))
    assert reached[0] == "Skip to the report"
    assert {"Weekly stores", "City by day", "Top reviews", "Runs", "Freshness"} <= set(reached)
    assert page.evaluate("document.activeElement.id || document.activeElement.getAttribute('role')") in {
        "as-of",
        "region",
    }


@pytest.mark.usefixtures("reviews_run")
@pytest.mark.parametrize("view", VIEWS)
def test_a_phone_scrolls_down_only(page: Page, view: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    expect(open_reports(page, view).get_by_role("table").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
