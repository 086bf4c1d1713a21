"""The Reports page's routes, each behind Airflow's own login and permissions.

A mounted app inherits nothing of Airflow's protection: the app's dependencies ask for a login on every
route, and a route of data asks for the right to read the DAG that made it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import requires_access_dag, requires_access_view
from airflow.models import DagRun
from airflow.sdk.exceptions import AirflowConfigException
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError
from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import select

from redshift_etl.refresh_date import RefreshDateError, refresh_date
from redshift_etl.reports_page.freshness import freshness
from redshift_etl.reports_page.report_files import NoReportError, ReportFiles, ReportUnreadableError
from redshift_etl.reports_page.static_files import file_response
from redshift_etl.settings import Settings, load_settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

STORE_SALES, REVIEWS = "store_sales_etl", "reviews_etl"
REPORTS = ("weekly_store_performance", "daily_city_sales", "store_reconciliation")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

app = FastAPI(
    title="Redshift ETL reports",
    openapi_url=None,
    dependencies=[Depends(requires_access_view(AccessView.WEBSITE))],
)
reads_store_sales = Depends(requires_access_dag("GET", DagAccessEntity.RUN, STORE_SALES))
reads_reviews = Depends(requires_access_dag("GET", DagAccessEntity.RUN, REVIEWS))
reads_logs = Depends(requires_access_dag("GET", DagAccessEntity.TASK_LOGS))


@cache
def s3_client() -> S3Client:
    """Make the client of this process; a page waits seconds for S3, not minutes."""
    # Imported late: it brings all of boto3.
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook  # noqa: PLC0415

    limits = Config(
        connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 2}, max_pool_connections=16
    )
    client: S3Client = S3Hook(aws_conn_id="aws_default", config=limits).get_conn()
    return client


def report_files(settings: Annotated[Settings, Depends(load_settings)]) -> ReportFiles:
    """Find the reports."""
    return ReportFiles(s3_client(), settings.data_bucket)


Files = Annotated[ReportFiles, Depends(report_files)]
Configured = Annotated[Settings, Depends(load_settings)]
Text = Annotated[str | None, Query(max_length=100)]


@app.middleware("http")
async def add_headers(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    """Let the page load from this server only, and keep nothing of it in shared caches."""
    response = await answer(request)
    response.headers.update(HEADERS)
    response.headers.setdefault("Cache-Control", "private, no-cache")
    return response


@app.get("/reports")
def page(request: Request) -> Response:
    """Return the page without data: it is on screen while the reports are read."""
    return file_response(request, "index.html")


@app.get("/static/{name}")
def static(request: Request, name: str) -> Response:
    """Return a style sheet, script or icon of the page."""
    return file_response(request, name)


@app.get("/api/freshness", dependencies=[reads_store_sales])
def get_freshness(files: Files, settings: Configured) -> dict[str, Any]:
    """Say for each report which day it is at, and whether that is in time."""
    published = {report: files.published(report) for report in REPORTS}
    now = datetime.now(UTC)
    return {
        **vars(freshness(settings, list(published.values()), files.unloaded_at, now)),
        "now": now,
        "timezone": settings.timezone,
        "reports": [
            {
                "report": report,
                "refresh_date": found and found.refresh_date,
                "rows": found and found.rows,
                "published_at": found and found.published_at,
            }
            for report, found in published.items()
        ],
    }


@app.get("/api/weekly-store-performance", dependencies=[reads_store_sales])
def get_weekly_store_performance(files: Files, refresh_date: date | None = None) -> dict[str, Any]:
    """Return the weekly report as of a day, or of the latest, and the days there are."""
    days = files.refresh_dates("weekly_store_performance")
    day = refresh_date or days[0]
    return {"refresh_date": day, "refresh_dates": days, "stores": files.weekly_stores(day)}


@app.get("/api/daily-city-sales", dependencies=[reads_store_sales])
def get_daily_city_sales(files: Files, city: Text = None, state: Text = None) -> dict[str, Any]:
    """Return the days of a city, or of the one last reported, and the cities to pick from.

    These are the cities that were reported and those of the weekly report: it has the stores of its region
    that sold anything in its two weeks.
    """
    days = files.city_days()
    reported = {(row.state, row.city) for row in days}
    last = max(days, key=lambda row: row.sale_date, default=None)
    chosen = (state or "", city or "") if city or state else (last.state, last.city) if last else ("", "")
    try:
        with_stores = {(row.state, row.city) for row in files.weekly_stores()}
    except (NoReportError, ReportUnreadableError):
        with_stores = set()  # the weekly report's own tab says why
    return {
        "state": chosen[0],
        "city": chosen[1],
        "cities": [
            {"state": of_state, "city": name, "reported": (of_state, name) in reported}
            for of_state, name in sorted(with_stores | reported)
        ],
        "days": [row for row in days if (row.state, row.city) == chosen],
    }


@app.get("/api/top-reviews", dependencies=[reads_reviews])
def get_top_reviews(files: Files, marketplace: Text = None, product_category: Text = None) -> dict[str, Any]:
    """Return the top reviews of a marketplace and category, or of the most helpful one, and all groups."""
    reviews, written_at = files.top_reviews()
    groups = sorted({(row.marketplace, row.product_category) for row in reviews})
    # The report begins with the most helpful review of all.
    chosen = next(
        (
            (row.marketplace, row.product_category)
            for row in reviews
            if marketplace in {None, row.marketplace} and product_category in {None, row.product_category}
        ),
        (marketplace or "", product_category or ""),
    )
    return {
        "marketplace": chosen[0],
        "product_category": chosen[1],
        "groups": [{"marketplace": place, "product_category": category} for place, category in groups],
        "written_at": written_at,
        "reviews": [row for row in reviews if (row.marketplace, row.product_category) == chosen],
    }


@app.get("/api/refresh-dates", dependencies=[reads_store_sales])
def get_refresh_dates(
    session: SessionDep, settings: Configured, run_id: Annotated[list[str], Query(max_length=100)]
) -> dict[str, Any]:
    """Return the day that each of these runs loads, as its tasks reckon it; None: it was given no date."""

    def loads(run: DagRun) -> str | None:
        try:
            return refresh_date(run, run.conf or {}, settings.timezone)
        except RefreshDateError:
            return None  # its tasks fail with it

    runs = session.scalars(select(DagRun).where(DagRun.dag_id == STORE_SALES, DagRun.run_id.in_(run_id)))
    return {"refresh_dates": {run.run_id: loads(run) for run in runs}}


@app.get("/api/statement-runs/{dag_id}", dependencies=[reads_logs])
def get_statement_runs(
    files: Files,
    dag_id: Literal["store_sales_etl", "reviews_etl"],
    run_id: Annotated[str, Query(max_length=250, pattern=r"^[\w.~:+-]+$")],
) -> dict[str, Any]:
    """Return what a run's statements did, to those who may read its tasks' logs."""
    if dag_id == REVIEWS:
        raise NoReportError("The statements of reviews_etl are in the logs of its tasks' Glue job runs.")
    return {"statements": files.statement_runs(dag_id, run_id)}


@app.exception_handler(NoReportError)
def nothing_there(_: Request, error: Exception) -> JSONResponse:
    """Say what to do so that there is a report."""
    return JSONResponse({"detail": str(error)}, 404)


@app.exception_handler(ReportUnreadableError)
@app.exception_handler(AirflowConfigException)
def not_as_it_should_be(_: Request, error: Exception) -> JSONResponse:
    """Say what is wrong with a report, or with the settings."""
    return JSONResponse({"detail": str(error)}, 500)


@app.exception_handler(BotoCoreError)
def not_reachable(_: Request, error: Exception) -> JSONResponse:
    """Say where AWS did not answer."""
    if isinstance(error, EndpointConnectionError | ConnectTimeoutError):
        where = error.kwargs["endpoint_url"]
        text = f"AWS is not reachable at {where}: start it, or mend the way there, and try again."
    else:
        text = f"AWS cannot be asked: {error}"
    return JSONResponse({"detail": text}, 503)


@app.exception_handler(ClientError)
def refused(_: Request, error: Exception) -> JSONResponse:
    """Pass on why AWS refused: mostly a right that the API server's role has not."""
    return JSONResponse({"detail": f"AWS refused to read the reports: {error}"}, 503)
