"""Reads the reports that the pipelines UNLOADed, and shows them as tables."""

import csv
import io
import json
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LEFT_ALIGNED = {
    *("store_id", "store_name", "city", "state", "country", "region", "status"),
    *("marketplace", "product_category", "product_title", "review_id"),
}
TITLE_WIDTH = 44


def read_report(s3: "S3Client", bucket: str, report: str, refresh_date: str) -> list[dict[str, str]]:
    """Read every CSV file that the report's UNLOAD manifest names.

    Args:
        s3: A boto3 client.
        bucket: The data bucket.
        report: The folder under `reports/`.
        refresh_date: YYYY-MM-DD.

    Returns:
        The rows, in the order of the files.
    """
    return read_rows(s3, bucket, f"reports/{report}/refresh_date={refresh_date}/csv/")


def print_top_reviews(console: Console, s3: "S3Client", bucket: str, rows: int = 10) -> None:
    """Print the beginning of the top reviews, titles shortened.

    Args:
        console: Where to.
        s3: A boto3 client.
        bucket: The data bucket.
        rows: How many.
    """
    report = read_rows(s3, bucket, "reports/top_reviews/data/")
    shown = report[:rows]
    for row in shown:
        title = " ".join(row["product_title"].split())
        row["product_title"] = title if len(title) <= TITLE_WIDTH else f"{title[: TITLE_WIDTH - 1]}…"
    heading = f"The {len(shown)} most helpful of {len(report):,} top reviews"
    print_report(console, heading, shown, list(shown[0]) if shown else [])
    console.print(f"The whole report is in s3://{bucket}/reports/top_reviews/data/.")


def read_rows(s3: "S3Client", bucket: str, prefix: str) -> list[dict[str, str]]:
    """Read every CSV file that the manifest of an UNLOAD names.

    Args:
        s3: A boto3 client.
        bucket: The data bucket.
        prefix: Where the UNLOAD wrote, with a slash at its end.

    Returns:
        The rows, in the order of the files.
    """
    manifest = json.loads(s3.get_object(Bucket=bucket, Key=f"{prefix}manifest")["Body"].read())
    rows: list[dict[str, str]] = []
    for entry in manifest["entries"]:
        key = entry["url"].removeprefix(f"s3://{bucket}/")
        text = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        rows.extend(csv.DictReader(io.StringIO(text, newline="")))
    return rows


def print_report(console: Console, title: str, rows: list[dict[str, str]], columns: list[str]) -> None:
    """Print the chosen columns of a report.

    Args:
        console: Where to.
        title: The line above the table.
        rows: What `read_report` returned.
        columns: Which columns, in this order.
    """
    table = Table()
    for column in columns:
        table.add_column(column.replace("_", " "), justify="left" if column in LEFT_ALIGNED else "right")
    for row in rows:
        table.add_row(*(escape(_grouped(row[column])) for column in columns))
    console.print(f"\n[bold]{title}[/]")
    console.print(table)


def _grouped(text: str) -> str:
    """Group the thousands of a number; leave anything else alone."""
    whole, point, cents = text.partition(".")
    digits = whole.removeprefix("-")
    return f"{int(whole):,}{point}{cents}" if digits.isdigit() and len(digits) > 3 else text
