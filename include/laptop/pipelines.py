"""`python -m laptop.pipelines`: runs both pipelines on an Airflow that is there, and prints the reports."""

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import boto3
from rich.console import Console
from rich.text import Text

from laptop import reports
from laptop.airflow import AirflowApi, AirflowError
from laptop.furnish import Sources, add_source_arguments, sources
from laptop.processes import Processes
from laptop.progress import follow, print_failures

STORE_SALES = "store_sales_etl"
REVIEWS = "reviews_etl"


def wait_until_ready(api: AirflowApi, processes: Processes) -> None:
    """Wait until Airflow has read both DAGs.

    Args:
        api: Airflow.
        processes: Checked on the way: a dead process ends the wait.
    """
    for dag_id in (STORE_SALES, REVIEWS):
        api.wait_until_ready(dag_id, processes)


def run_all(delivered: Sources, api: AirflowApi, console: Console, processes: Processes) -> bool:
    """Run every day's store sales and then the reviews, up to the first failure, and print the reports.

    Args:
        delivered: What the source systems delivered.
        api: Airflow.
        console: Where progress and reports are shown.
        processes: Checked on the way: a dead process ends the wait.

    Returns:
        Whether every run succeeded.
    """
    days = [str(day) for day in delivered.days]
    runs: list[tuple[str, str, dict[str, str]]] = [(STORE_SALES, day, {"refresh_date": day}) for day in days]
    for dag_id, day, conf in [*runs, (REVIEWS, days[-1], {})]:
        run_id = f"laptop__{day}"
        what = f"The sales of {day}" if dag_id == STORE_SALES else f"{delivered.reviews:,} reviews"
        note = f"{what}, generated and delivered on this machine."
        # Noon is the same date in every time zone that the settings are likely to name.
        api.trigger(dag_id, run_id, f"{day}T12:00:00Z", conf, note)
        state = follow(api, dag_id, run_id, title=f"{dag_id} {day}", console=console, processes=processes)
        if state != "success":
            print_failures(api, dag_id, run_id, console)
            return False
    _print_reports(console, delivered.end)
    return True


def _print_reports(console: Console, refresh_date: date) -> None:
    s3, bucket, day = boto3.client("s3"), os.environ["AIRFLOW__REDSHIFT_ETL__DATA_BUCKET"], str(refresh_date)
    weekly = reports.read_report(s3, bucket, "weekly_store_performance", day)
    week = f"{weekly[0]['week_start']} to {weekly[0]['week_end']}" if weekly else "no sales"
    columns = ["sales_rank", "rank_change", "store_name", "city", "country", "orders", "net_sales"]
    reports.print_report(
        console,
        f"Weekly store sales performance, North America, {week}, as of {day}",
        weekly,
        [*columns, "net_sales_change_percent"],
    )
    city = reports.read_report(s3, bucket, "daily_city_sales", day)
    reports.print_report(
        console,
        f"Daily sales of all stores in {city[0]['city']}, {city[0]['state']}",
        city,
        ["sale_date", "stores", "orders", "quantity", "net_sales"],
    )
    stores = reports.read_report(s3, bucket, "store_reconciliation", day)
    reports.print_report(
        console,
        f"Store reconciliation, {day}: delivered beside loaded",
        stores,
        [
            "store_name",
            "orders",
            "staged_lines",
            "loaded_lines",
            "staged_net_sales",
            "loaded_net_sales",
            "status",
        ],
    )
    console.print(f"All reports are in s3://{bucket}/reports/, as CSV and as Parquet.")
    reports.print_top_reviews(console, s3, bucket)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run both pipelines once; runs that are there already are not started again.

    Args:
        arguments: The command line without the program's name.

    Returns:
        The exit status: 0 when every run succeeded.
    """
    parser = argparse.ArgumentParser(prog="python -m laptop.pipelines", description=__doc__)
    parser.add_argument("--airflow", default="http://127.0.0.1:8080", help="Airflow (default %(default)s)")
    add_source_arguments(parser)
    options = parser.parse_args(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    api, nobody = AirflowApi(options.airflow), Processes(Path())
    try:
        wait_until_ready(api, nobody)
        return 0 if run_all(sources(options), api, console, nobody) else 1
    except AirflowError as error:
        console.print(Text.assemble(("pipelines:", "red"), f" {error}"))
        return 1
    finally:
        api.close()


if __name__ == "__main__":
    sys.exit(main())
