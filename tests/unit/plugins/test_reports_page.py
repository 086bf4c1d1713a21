"""The Reports page's routes: who gets in, what a browser is told, what values cannot do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from reports_site import BUCKET, Account, Site, account, site

import redshift_etl.reports_page
from local_account import use_account
from redshift_etl_plugin import RedshiftEtlPlugin

STATIC = Path(redshift_etl.reports_page.__file__).parent / "static"
PAGES = ["reports", "static/page.js", "static/page.css", "static/Chart.bundle.js", "static/icon.svg"]
DATA = [
    "api/freshness",
    "api/weekly-store-performance",
    "api/daily-city-sales",
    "api/top-reviews",
    "api/statement-runs/store_sales_etl?run_id=manual",
    "api/refresh-dates?run_id=manual",
]


@pytest.fixture(scope="module")
def aws() -> Iterator[Account]:
    with account() as made:
        yield made


@pytest.fixture(scope="module")
def mounted(aws: Account) -> Iterator[Site]:
    with site(str(aws.s3.meta.endpoint_url)) as made:
        yield made


@pytest.fixture
def stranger(mounted: Site) -> Site:
    mounted.cookies.clear()
    return mounted


@pytest.fixture
def viewer(stranger: Site) -> Site:
    return stranger.log_in("VIEWER")


def test_every_route_is_tried_here() -> None:
    from redshift_etl.reports_page.app import app

    tried = {re.sub(r"\?.*", "", path) for path in PAGES + DATA}
    for route in app.routes:
        pattern = re.compile(route.path_regex)  # type: ignore[attr-defined]
        assert any(pattern.match(f"/{path}") for path in tried), route
    assert len(app.routes) == 8


@pytest.mark.parametrize("path", PAGES + DATA)
def test_nobody_gets_in_without_a_login(stranger: Site, path: str) -> None:
    answer = stranger.get(f"/redshift-etl/{path}")
    assert answer.status_code == 401
    assert answer.json() == {"detail": "Not authenticated"}


@pytest.mark.parametrize("path", PAGES + DATA)
def test_a_forged_login_is_refused(stranger: Site, path: str) -> None:
    stranger.cookies.set("_token", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiIsInJvbGUiOiJBRE1JTiJ9.")
    assert stranger.get(f"/redshift-etl/{path}").status_code == 403


@pytest.mark.parametrize("path", DATA)
def test_a_user_without_a_role_sees_no_data(stranger: Site, path: str) -> None:
    answer = stranger.log_in(None).get(f"/redshift-etl/{path}")
    assert answer.status_code == 403
    assert answer.json() == {"detail": "Forbidden"}


@pytest.mark.parametrize(
    ("path", "dag_id", "entity"),
    [
        ("api/freshness", "store_sales_etl", "RUN"),
        ("api/weekly-store-performance", "store_sales_etl", "RUN"),
        ("api/daily-city-sales", "store_sales_etl", "RUN"),
        ("api/refresh-dates?run_id=manual", "store_sales_etl", "RUN"),
        ("api/top-reviews", "reviews_etl", "RUN"),
        ("api/statement-runs/store_sales_etl?run_id=manual", "store_sales_etl", "TASK_LOGS"),
        ("api/statement-runs/reviews_etl?run_id=manual", "reviews_etl", "TASK_LOGS"),
    ],
)
def test_data_asks_for_the_right_to_read_its_dag(
    viewer: Site, monkeypatch: pytest.MonkeyPatch, path: str, dag_id: str, entity: str
) -> None:
    from airflow.api_fastapi.app import get_auth_manager

    asked = []

    def refuse(*, method: str, user: object, access_entity: object, details: object) -> bool:
        asked.append((method, user.username, access_entity.value, details.id))  # type: ignore[attr-defined]
        return False

    monkeypatch.setattr(get_auth_manager(), "is_authorized_dag", refuse)
    assert viewer.get(f"/redshift-etl/{path}").status_code == 403
    assert asked == [("GET", "ann", entity, dag_id)]


@pytest.mark.parametrize("path", PAGES)
def test_a_viewer_gets_the_page_and_its_files(viewer: Site, path: str) -> None:
    answer = viewer.get(f"/redshift-etl/{path}")
    assert answer.status_code == 200
    assert answer.content
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"].startswith("private")


@pytest.mark.parametrize("path", PAGES)
def test_a_browser_that_has_a_file_gets_it_once(viewer: Site, path: str) -> None:
    tag = viewer.get(f"/redshift-etl/{path}").headers["ETag"]
    for given in (tag, f"W/{tag}"):  # compressed on the way, it comes back as a weak one
        answer = viewer.get(f"/redshift-etl/{path}", headers={"If-None-Match": given})
        assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize(
    "name", ["../app.py", "..%2Fapp.py", "..%2F..%2Fsettings.py", ".hidden", "nothing.js", "%2Fetc%2Fpasswd"]
)
def test_only_the_pages_own_files_are_served(viewer: Site, name: str) -> None:
    assert viewer.get(f"/redshift-etl/static/{name}").status_code == 404


def test_the_page_holds_neither_script_nor_style_of_its_own() -> None:
    """The policy forbids them: what is in the page is text, files are files."""
    page = (STATIC / "index.html").read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=\"static/)|https?:", page)
    for script in STATIC.glob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|https?:", script.read_text()
        )


def test_every_file_that_a_file_names_is_there(viewer: Site) -> None:
    named = set(re.findall(r"static/([\w.-]+)", "".join(f.read_text() for f in STATIC.glob("*.[hj]*"))))
    named |= {name for f in STATIC.glob("*.js") for name in re.findall(r'from "\./([\w.]+)"', f.read_text())}
    for name in named:
        assert viewer.get(f"/redshift-etl/static/{name}").status_code == 200, name
    assert {"page.js", "weekly.js", "Chart.bundle.js", "page.css"} <= named


def test_without_the_chart_library_the_script_says_what_to_install(
    viewer: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from redshift_etl.reports_page import static_files

    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(static_files, "files", missing)
    static_files._read.cache_clear()
    answer = viewer.get("/redshift-etl/static/Chart.bundle.js")
    assert answer.status_code == 404
    assert "chartkick" in answer.json()["detail"]


@pytest.mark.parametrize("path", DATA[:4])
def test_before_the_first_run_a_report_says_what_to_trigger(viewer: Site, path: str) -> None:
    answer = viewer.get(f"/redshift-etl/{path}")
    if path == "api/freshness":
        assert [report["refresh_date"] for report in answer.json()["reports"]] == [None, None, None]
    else:
        assert answer.status_code == 404
        assert re.search("trigger (store_sales|reviews)_etl", answer.json()["detail"])


def test_a_run_without_a_record_says_what_makes_one(viewer: Site) -> None:
    answer = viewer.get("/redshift-etl/api/statement-runs/store_sales_etl?run_id=manual__2003")
    assert answer.status_code == 404
    assert "No statements of manual__2003 are recorded: record_statements" in answer.json()["detail"]


def test_the_statements_of_a_glue_job_are_said_to_be_in_its_logs(viewer: Site) -> None:
    answer = viewer.get("/redshift-etl/api/statement-runs/reviews_etl?run_id=manual__2003")
    assert answer.status_code == 404
    assert "in the logs of its tasks' Glue job runs" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("weekly-store-performance", {"refresh_date": "2003-01-02'; drop table store_sales; --"}),
        ("weekly-store-performance", {"refresh_date": "../../audit"}),
        ("daily-city-sales", {"city": "x" * 101}),
        ("top-reviews", {"marketplace": "x" * 101}),
        ("statement-runs/store_sales_etl", {"run_id": "../../reports/latest"}),
        ("statement-runs/store_sales_etl", {"run_id": "<script>"}),
        ("statement-runs/store_sales_etl", {}),
        ("statement-runs/other_etl", {"run_id": "manual"}),
        ("refresh-dates", {}),
    ],
)
def test_a_value_that_is_none_is_refused(viewer: Site, path: str, parameters: dict[str, str]) -> None:
    assert viewer.get(f"/redshift-etl/api/{path}", params=parameters).status_code == 422


@pytest.fixture
def dag_runs(mounted: Site) -> Iterator[list[str]]:  # noqa: ARG001 - it makes the database
    """The ids of some runs in Airflow's database: by the schedule, and by hand late in New York's evening."""
    from airflow.models import DagRun
    from airflow.utils.session import create_session

    morning, evening = (datetime.fromisoformat(f"2026-11-{at}Z") for at in ("20T11:00:00", "21T01:30:00"))
    runs = {
        "scheduled": {"logical_date": morning, "run_after": evening},
        "evening": {"logical_date": evening, "run_after": evening},
        "no_logical_date": {"run_after": evening},
        "chosen": {"run_after": evening, "conf": {"refresh_date": "2003-01-02"}},
        "left_empty": {"run_after": evening, "conf": {"refresh_date": "", "city": "Bethel"}},
        "no_date": {"run_after": evening, "conf": {"refresh_date": "20030102"}},
    }
    with create_session() as session:
        made = [DagRun("store_sales_etl", name, run_type="manual", **values) for name, values in runs.items()]
        made.append(DagRun("reviews_etl", "of_another_dag", run_type="manual", run_after=evening))
        session.add_all(made)
    yield [run.run_id for run in made]
    with create_session() as session:
        for run in made:
            session.delete(run)


@pytest.mark.parametrize(
    ("timezone", "morning", "evening"),
    [("America/New_York", "2026-11-20", "2026-11-20"), ("Asia/Tokyo", "2026-11-20", "2026-11-21")],
)
def test_a_run_loads_the_day_that_its_tasks_reckon(
    viewer: Site,
    dag_runs: list[str],
    monkeypatch: pytest.MonkeyPatch,
    timezone: str,
    morning: str,
    evening: str,
) -> None:
    monkeypatch.setenv("AIRFLOW__REDSHIFT_ETL__TIMEZONE", timezone)
    asked = [*dag_runs, "none_such", "'; drop table dag_run; --"]
    answer = viewer.get("/redshift-etl/api/refresh-dates", params={"run_id": asked})
    assert answer.status_code == 200, answer.text
    assert answer.json()["refresh_dates"] == {
        "scheduled": morning,
        "evening": evening,
        "no_logical_date": evening,
        "chosen": "2003-01-02",
        "left_empty": evening,
        "no_date": None,
    }


def test_the_expected_day_is_looked_up_behind_a_later_one(
    viewer: Site, aws: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Due at the midnight at which it is called for: what is written now is late, and so is what is not."""
    monkeypatch.setenv("AIRFLOW__REDSHIFT_ETL__SCHEDULE", "0 0 * * *")
    monkeypatch.setenv("AIRFLOW__REDSHIFT_ETL__FIRST_REFRESH_DATE", "2026-01-01")
    monkeypatch.setenv("AIRFLOW__REDSHIFT_ETL__DEADLINE", "00:00")
    reports = ("weekly_store_performance", "daily_city_sales", "store_reconciliation")
    pointer = {"refresh_date": "2999-12-31", "formats": {"csv": {"rows": 2}}}
    keys = [f"reports/{report}/latest.json" for report in reports]
    for key in keys:
        aws.put(key, json.dumps(pointer))
    before = viewer.data("freshness")
    keys += [f"reports/{report}/refresh_date={before['expected']}/csv/manifest" for report in reports]
    for key in keys[3:]:
        aws.put(key, "{}")
    after = viewer.data("freshness")
    written = aws.s3.head_object(Bucket=BUCKET, Key=keys[-1])["LastModified"]
    for key in keys:
        aws.s3.delete_object(Bucket=BUCKET, Key=key)
    assert (before["status"], before["ready_at"]) == ("late", None)
    assert after["status"] == "ready_late"
    assert datetime.fromisoformat(after["ready_at"]) == written


def test_a_missing_setting_is_named(viewer: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW__REDSHIFT_ETL__DATA_BUCKET")
    answer = viewer.get("/redshift-etl/api/freshness")
    assert answer.status_code == 500
    assert "AIRFLOW__REDSHIFT_ETL__DATA_BUCKET" in answer.json()["detail"]


def test_aws_out_of_reach_is_named_with_its_address(viewer: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from redshift_etl.reports_page.app import s3_client

    use_account(monkeypatch, "http://127.0.0.1:9")  # nothing listens on the discard port
    s3_client.cache_clear()
    answer = viewer.get("/redshift-etl/api/freshness")
    s3_client.cache_clear()
    assert answer.status_code == 503
    assert answer.json()["detail"].startswith("AWS is not reachable at http://127.0.0.1:9/")


def test_a_refusal_of_aws_is_passed_on(viewer: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__REDSHIFT_ETL__DATA_BUCKET", "no-such-bucket")
    answer = viewer.get("/redshift-etl/api/freshness")
    assert answer.status_code == 503
    assert "NoSuchBucket" in answer.json()["detail"]


def test_airflow_shows_the_page_in_its_navigation() -> None:
    (view,) = RedshiftEtlPlugin.external_views
    assert (view["name"], view["url_route"], view["destination"]) == ("Reports", "reports", "nav")
    (mounted,) = RedshiftEtlPlugin.fastapi_apps
    for link in (view["href"], view["icon"], view["icon_dark_mode"]):
        assert f"/{link}".startswith(mounted["url_prefix"] + "/")
    for icon in (view["icon"], view["icon_dark_mode"]):
        assert (STATIC / Path(icon).name).is_file()


def test_the_plugin_costs_a_task_no_import_of_the_page() -> None:
    import subprocess
    import sys

    code = (
        "import sys, redshift_etl_plugin;"
        "page = 'redshift_etl.reports_page.app', 'fastapi', 'airflow.api_fastapi.core_api.security';"
        "print([name for name in page if name in sys.modules])"
    )
    plugins = STATIC.parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=plugins, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().endswith("[]")
