"""Reads reports where the pipelines UNLOADed them: by pointer and manifest in S3, never from a table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from pydantic import ValidationError

from redshift_etl.refresh_date import calendar_date
from redshift_etl.reports_page.rows import CityDay, Row, StatementRun, TopReview, WeeklyStore

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Three months of days: what a reader picks from, and as many requests as S3 answers in a blink.
DAYS_KEPT = 92
CITY_REPORTS_READ = 28
TOP_REVIEWS_MANIFEST = "reports/top_reviews/data/manifest"
UNLOAD_AGAIN = "run the task that unloads it again"


class NoReportError(Exception):
    """There is no such report yet; the text says what makes one."""


class ReportUnreadableError(Exception):
    """A report is there and not as it should be; the text says what to run again."""


@dataclass(frozen=True)
class Published:
    """What `latest.json` of a report says.

    Attributes:
        report: The folder under `reports/`.
        refresh_date: The latest day.
        rows: How many rows the report has.
        published_at: When the pointer was written, with a time zone.
    """

    report: str
    refresh_date: date
    rows: int
    published_at: datetime


@dataclass(frozen=True)
class ReportFiles:
    """The reports in one bucket.

    Args:
        s3: A boto3 client; its time-outs bound every call here.
        bucket: The data bucket.
    """

    s3: S3Client
    bucket: str

    def published(self, report: str) -> Published | None:
        """Read a report's pointer; None: nothing has been published yet."""
        key = f"reports/{report}/latest.json"
        try:
            found = self.s3.get_object(Bucket=self.bucket, Key=key)
        except self.s3.exceptions.NoSuchKey:
            return None
        with _reading(
            f"s3://{self.bucket}/{key}", "clear publish_reports of the latest run of store_sales_etl"
        ):
            pointer = json.loads(found["Body"].read())
            day = date.fromisoformat(pointer["refresh_date"])
            rows = int(pointer["formats"]["csv"]["rows"])
        return Published(report, day, rows, found["LastModified"])

    def unloaded_at(self, report: str, day: date) -> datetime | None:
        """Look up when a day of a report was unloaded, its manifest last; None: it is not there."""
        try:
            return self.s3.head_object(Bucket=self.bucket, Key=_manifest(report, day))["LastModified"]
        except ClientError as error:
            if _is_missing(error):
                return None
            raise

    def refresh_dates(self, report: str) -> list[date]:
        """List the days of a report, the latest first, none later than what is published."""
        latest = self._latest(report)
        prefix = f"reports/{report}/refresh_date="
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix, Delimiter="/"
        )
        names = (found["Prefix"] for page in pages for found in page.get("CommonPrefixes", []))
        # None: somebody keeps something else beside the days.
        days = (calendar_date(name.removeprefix(prefix).rstrip("/")) for name in names)
        found_days = sorted((day for day in days if day and day <= latest), reverse=True)
        if not found_days:
            raise NoReportError(_not_there(report, latest))
        return found_days[:DAYS_KEPT]

    def weekly_stores(self, refresh_date: date | None = None) -> list[WeeklyStore]:
        """Read the weekly store performance as of a day, or of the latest."""
        report = "weekly_store_performance"
        day = refresh_date or self._latest(report)
        rows = self._day(WeeklyStore, report, day)
        if rows is None:
            raise NoReportError(_not_there(report, day))
        return rows

    def city_days(self) -> list[CityDay]:
        """Read the daily sales of all cities that were reported, each day once, as its last report has it.

        A run reports the seven days of one city, which its parameters name; reports of several days
        together cover more days, and more cities when the parameters changed.
        """
        report = "daily_city_sales"
        days = self.refresh_dates(report)[:CITY_REPORTS_READ]
        with ThreadPoolExecutor(8) as pool:
            reports = list(pool.map(lambda day: self._day(CityDay, report, day), days))
        if all(rows is None for rows in reports):
            raise NoReportError(_not_there(report, days[0]))
        found: dict[tuple[str, str, date], CityDay] = {}
        for rows in reversed(reports):
            # An UNLOAD that is under way has no manifest: that day is not there yet.
            found |= {(row.state, row.city, row.sale_date): row for row in rows or []}
        return [found[key] for key in sorted(found)]

    def top_reviews(self) -> tuple[list[TopReview], datetime]:
        """Read the top reviews, and when they were written."""
        try:
            found = self.s3.head_object(Bucket=self.bucket, Key=TOP_REVIEWS_MANIFEST)
            rows = self._rows(TopReview, TOP_REVIEWS_MANIFEST)
        except ClientError as error:
            if not _is_missing(error):
                raise
            raise NoReportError(
                "There are no top reviews yet: trigger reviews_etl, and look again when its run is green."
            ) from error
        return rows, found["LastModified"]

    def statement_runs(self, dag_id: str, run_id: str) -> list[StatementRun]:
        """Read what a run's statements did, in the order in which they were sent.

        The list is the one that `record_statements` leaves in S3 and loads into `etl_audit.statement_runs`.
        """
        url = f"s3://{self.bucket}/audit/statement_runs/{dag_id}/{run_id}.json"
        try:
            with _reading(url, "clear record_statements of the run within 24 hours"):
                # Not splitlines: an error may quote a value with one of the other characters that end a line.
                rows = [StatementRun(**json.loads(line)) for line in self._text(url).split("\n") if line]
        except ClientError as error:
            if not _is_missing(error):
                raise
            raise NoReportError(
                f"No statements of {run_id} are recorded: record_statements does so at the end of a run of "
                "store_sales_etl; clear it within 24 hours if it failed."
            ) from error
        return sorted(rows, key=lambda row: (row.submitted_at, row.statement_number))

    def _latest(self, report: str) -> date:
        published = self.published(report)
        if published is None:
            raise NoReportError(
                "There is no report yet: trigger store_sales_etl with a refresh date, and look again when "
                "its run is green."
            )
        return published.refresh_date

    def _day[T: Row](self, row: type[T], report: str, day: date) -> list[T] | None:
        """Read one day of a report; None: it has no manifest, so it is not there."""
        try:
            return self._rows(row, _manifest(report, day))
        except ClientError as error:
            if _is_missing(error):
                return None
            raise

    def _rows[T: Row](self, row: type[T], manifest_key: str) -> list[T]:
        manifest = f"s3://{self.bucket}/{manifest_key}"
        with _reading(manifest, UNLOAD_AGAIN):
            urls = [str(entry["url"]) for entry in json.loads(self._text(manifest))["entries"]]
        rows: list[T] = []
        for url in urls:
            with _reading(url, UNLOAD_AGAIN):
                lines = csv.DictReader(io.StringIO(self._text(url), newline=""))
                rows += [row(**record) for record in lines]
        return rows

    def _text(self, url: str) -> str:
        where = urlsplit(url, allow_fragments=False)
        found = self.s3.get_object(Bucket=where.netloc, Key=where.path.removeprefix("/"))
        return found["Body"].read().decode()


def _manifest(report: str, day: date) -> str:
    return f"reports/{report}/refresh_date={day}/csv/manifest"


def _not_there(report: str, day: date) -> str:
    return (
        f"There is no {report} of {day}: wait for a run that is writing it, or trigger store_sales_etl with "
        f"refresh_date {day}."
    )


@contextmanager
def _reading(url: str, remedy: str) -> Iterator[None]:
    """Name the file that turns out not to be what it should be, and what makes it anew."""
    try:
        yield
    except ValidationError as error:
        first = error.errors()[0]
        what = f"has a row whose {first['loc'][0]} is {first['input']!r} ({first['msg']})"
        raise ReportUnreadableError(f"{url} {what}: {remedy}.") from error
    except (ValueError, LookupError, TypeError, csv.Error) as error:
        raise ReportUnreadableError(f"{url} cannot be understood ({error!r}): {remedy}.") from error


def _is_missing(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in {"NoSuchKey", "404"}
