"""What the Reports page says of files in S3 that are not as the pipelines leave them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from reports_site import BUCKET, Account, Site, account, site

WEEKLY, CITY = "reports/weekly_store_performance", "reports/daily_city_sales"
REVIEWS = "reports/top_reviews/data"
POINTER = {"refresh_date": "2003-01-02", "formats": {"csv": {"rows": 1}}}
STATEMENT = {
    "task_id": "load_item", "statement_number": 1, "statement_id": "1", "file": "load_item.sql",
    "row_count": None, "duration_seconds": 0.25, "status": "FINISHED", "error": None,
    "statement": "lock t", "submitted_at": "2026-11-22 05:45:01.500000",
}  # fmt: skip


@pytest.fixture(scope="module")
def opened() -> Iterator[tuple[Site, Account]]:
    with account() as made, site(str(made.s3.meta.endpoint_url)) as page:
        yield page.log_in("VIEWER"), made


@pytest.fixture
def viewer(opened: tuple[Site, Account]) -> Site:
    return opened[0]


@pytest.fixture
def aws(opened: tuple[Site, Account]) -> Iterator[Account]:
    """An account with the pointers to the reports of a day, and nothing else."""
    _, made = opened
    for report in (WEEKLY, CITY):
        made.put(f"{report}/latest.json", json.dumps(POINTER))
    yield made
    for found in made.s3.list_objects_v2(Bucket=BUCKET)["Contents"]:
        made.s3.delete_object(Bucket=BUCKET, Key=found["Key"])


def problem(viewer: Site, path: str, **parameters: str) -> str:
    """What the page says of a file that is broken."""
    answer = viewer.get(f"/redshift-etl/api/{path}", params=parameters)
    assert answer.status_code == 500
    return str(answer.json()["detail"])


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        '{"refresh_date": "2003-01',
        '{"refresh_date": "soon"}',
        '{"refresh_date": "2003-01-02", "formats": {"csv": {}}}',
        '{"refresh_date": "2003-01-02", "formats": {"csv": {"rows": null}}}',
    ],
)
def test_a_misshapen_pointer_names_its_place_and_the_way_out(viewer: Site, aws: Account, body: str) -> None:
    key = f"{WEEKLY}/latest.json"
    aws.put(key, body)
    for path in ("weekly-store-performance", "freshness"):
        said = problem(viewer, path)
        assert said.startswith(f"s3://{BUCKET}/{key} cannot be understood (")
        assert said.endswith(": clear publish_reports of the latest run of store_sales_etl.")


@pytest.mark.parametrize(
    "name", ["2003-01-02_old", "20030102", "2003-W01-4", "2003-02-30", "__HIVE_DEFAULT__"]
)
def test_a_folder_that_is_no_day_is_passed_over(viewer: Site, aws: Account, name: str) -> None:
    """Somebody keeps a copy of a day beside it."""
    for folder in ("2003-01-01", name):
        aws.put(f"{WEEKLY}/refresh_date={folder}/csv/manifest", '{"entries": []}')
    assert viewer.data("weekly-store-performance")["refresh_dates"] == ["2003-01-01"]


@pytest.mark.parametrize("path", ["weekly-store-performance", "daily-city-sales"])
@pytest.mark.usefixtures("aws")
def test_a_pointer_without_any_day_says_what_to_trigger(viewer: Site, path: str) -> None:
    answer = viewer.get(f"/redshift-etl/api/{path}")
    assert answer.status_code == 404
    assert "trigger store_sales_etl with refresh_date 2003-01-02" in answer.json()["detail"]


def test_cities_wait_for_the_first_report_that_is_whole(viewer: Site, aws: Account) -> None:
    """Its only day is being unloaded again: there are files, and no manifest."""
    aws.put(f"{CITY}/refresh_date=2003-01-02/csv/000", "sale_date")
    answer = viewer.get("/redshift-etl/api/daily-city-sales")
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("There is no daily_city_sales of 2003-01-02: wait for a run")


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("weekly-store-performance", f"{WEEKLY}/refresh_date=2003-01-02/csv"),
        ("daily-city-sales", f"{CITY}/refresh_date=2003-01-02/csv"),
        ("top-reviews", REVIEWS),
    ],
)
@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"entries": [{"ur', '{"entries": null}', '{"entries": [{}]}']
)
def test_a_manifest_that_is_none_is_named(
    viewer: Site, aws: Account, path: str, folder: str, body: str
) -> None:
    aws.put(f"{folder}/manifest", body)
    said = problem(viewer, path)
    assert said.startswith(f"s3://{BUCKET}/{folder}/manifest cannot be understood (")
    assert said.endswith(": run the task that unloads it again.")


@pytest.mark.parametrize(
    "body", [b"marketplace\n\xff", b"marketplace\n" + 200_000 * b"x", b"marketplace\nUS,Books"]
)
def test_a_file_that_is_no_report_is_named(viewer: Site, aws: Account, body: bytes) -> None:
    """Not text, a field without an end, a column too many."""
    aws.put(f"{REVIEWS}/manifest", json.dumps({"entries": [{"url": f"s3://{BUCKET}/{REVIEWS}/000"}]}))
    aws.s3.put_object(Bucket=BUCKET, Key=f"{REVIEWS}/000", Body=body)
    said = problem(viewer, "top-reviews")
    assert said.startswith(f"s3://{BUCKET}/{REVIEWS}/000 cannot be understood (")
    assert said.endswith(": run the task that unloads it again.")


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85"])
def test_an_error_keeps_what_some_take_for_the_end_of_a_line(
    viewer: Site, aws: Account, separator: str
) -> None:
    """Redshift's messages quote values; record_statements leaves such characters as they are."""
    failed = STATEMENT | {"statement_number": 2, "error": f"Invalid digit, Value '{separator}'"}
    lines = [json.dumps(row, ensure_ascii=False) for row in (STATEMENT, failed)]
    aws.put("audit/statement_runs/store_sales_etl/manual.json", "\n".join(lines))
    found = viewer.data("statement-runs/store_sales_etl", run_id="manual")["statements"]
    assert [row["error"] for row in found] == [None, failed["error"]]


@pytest.mark.parametrize("line", ['{"task_id": "load', "7", "[]", "{}"])
def test_a_line_that_is_no_statement_is_named(viewer: Site, aws: Account, line: str) -> None:
    key = "audit/statement_runs/store_sales_etl/manual.json"
    aws.put(key, f"{json.dumps(STATEMENT)}\n{line}")
    said = problem(viewer, "statement-runs/store_sales_etl", run_id="manual")
    assert said.startswith(f"s3://{BUCKET}/{key} ")
    assert said.endswith(": clear record_statements of the run within 24 hours.")
