"""Command line of `make run`: sets up, runs the pipelines, prints the reports, stays up."""

import argparse
import os
import shutil
import socket
import sys
import time
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import boto3
import httpx
from rich.console import Console

from laptop import reports
from laptop.airflow import AirflowApi, AirflowError, migrate_database, start_components
from laptop.alerts import create_alert_topic
from laptop.environment import LOCAL_ENV, PROJECT, airflow_environment, read_env_file
from laptop.processes import ProcessEndedError, Processes
from laptop.progress import follow, print_failures

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DAG_ID = "store_sales_etl"
HOME = PROJECT / ".local"
NEEDED_BYTES = 2 * 1024**3


class CannotRunError(Exception):
    """Something on this machine is in the way; the text says what and what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run everything once, and then stay up unless told otherwise.

    Args:
        arguments: The command line without the program's name.

    Returns:
        The exit status: 0 when every run succeeded.
    """
    options = _parser().parse_args(arguments)
    # Where nobody watches (CI, a file) there is no width to fit: tables keep their words whole.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    try:
        _require_room(options)
        with Processes(HOME / "logs") as processes:
            return _run(options, console, processes)
    except (CannotRunError, ProcessEndedError, AirflowError) as error:
        console.print(f"[red]make run:[/] {error}", markup=True)
        return 1
    except KeyboardInterrupt:
        console.print("\nStopped.")
        return 130


def _run(options: argparse.Namespace, console: Console, processes: Processes) -> int:
    endpoint = f"http://127.0.0.1:{options.aws_port}"
    web = f"http://127.0.0.1:{options.web_port}"
    home = HOME / "airflow"
    # local_aws starts empty every time; an Airflow that remembers earlier runs would contradict it.
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    environment = airflow_environment(home=home, web_port=options.web_port, aws_endpoint=endpoint)

    with console.status("Starting AWS on this machine"):
        command = [sys.executable, "-m", "local_aws", "--port", str(options.aws_port)]
        command += ["--wire-port", str(options.wire_port)]
        processes.start("local-aws", command, os.environ | {"PYTHONPATH": str(PROJECT / "include")})
        migrate_database(environment, HOME / "logs" / "airflow-db-migrate.log")
        _wait_for_aws(endpoint, processes)
        start_components(processes, environment)
    console.print(f"AWS on this machine answers at {endpoint}.")

    os.environ.update(read_env_file(LOCAL_ENV) | {"AWS_ENDPOINT_URL": endpoint})
    bucket = os.environ["AIRFLOW__REDSHIFT_ETL__DATA_BUCKET"]
    s3 = boto3.client("s3")
    create_alert_topic()
    _deliver(options, bucket, s3, console)

    api = AirflowApi(web)
    with console.status("Starting Airflow"):
        api.wait_until_ready(DAG_ID, processes)
    console.print(f"Airflow answers at {web}.")

    for day in _days(options.start, options.end):
        run_id = f"laptop__{day}"
        # Noon is the same date in every time zone that the settings are likely to name.
        api.trigger(DAG_ID, run_id, f"{day}T12:00:00Z", {"refresh_date": str(day)})
        state = follow(api, DAG_ID, run_id, title=f"{DAG_ID} {day}", console=console, processes=processes)
        if state != "success":
            print_failures(api, DAG_ID, run_id, console)
            console.print(f"Logs of everything: {HOME / 'logs'} and {home / 'logs'}")
            if options.once:
                return 1
            break
    else:
        _print_reports(console, s3, bucket, str(options.end))
    if options.once:
        return 0

    _print_addresses(options, console, endpoint, web)
    while True:
        processes.require_alive()
        time.sleep(1)


def _deliver(options: argparse.Namespace, bucket: str, s3: "S3Client", console: Console) -> None:
    # Imported late: DuckDB and the generator are not needed to say that a port is taken.
    from datasets import delivery, store_sales  # noqa: PLC0415
    from datasets.progress import progress_bars  # noqa: PLC0415

    started = time.monotonic()
    with progress_bars(console) as progress:
        deliveries = store_sales.deliver(
            options.start,
            options.end,
            scale_factor=options.scale_factor,
            cache=HOME / "datasets",
            progress=progress,
        )
        delivery.upload(deliveries, bucket, s3, progress)
    console.print(
        f"The source system delivered {options.start} to {options.end} to s3://{bucket}/raw "
        f"({len(deliveries)} files, {time.monotonic() - started:.0f} s)."
    )


def _wait_for_aws(endpoint: str, processes: Processes) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        processes.require_alive()
        try:
            httpx.get(f"{endpoint}/_local/health", timeout=5).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.2)
        else:
            return
    raise CannotRunError(f"local_aws at {endpoint} did not answer within 60 s; its log is {HOME / 'logs'}.")


def _require_room(options: argparse.Namespace) -> None:
    for name, port in (("WEB", options.web_port), ("AWS", options.aws_port), ("WIRE", options.wire_port)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise CannotRunError(
                    f"port {port} is taken: end what uses it, or choose another: "
                    f"make run {name}_PORT={port + 1}"
                ) from None
    HOME.mkdir(exist_ok=True)
    free = shutil.disk_usage(HOME).free
    if free < NEEDED_BYTES:
        raise CannotRunError(
            f"{HOME} has {free / 1024**3:.1f} GiB free and a run needs {NEEDED_BYTES / 1024**3:.0f} GiB: "
            "free some disk."
        )


def _print_reports(console: Console, s3: "S3Client", bucket: str, refresh_date: str) -> None:
    weekly = reports.read_report(s3, bucket, "weekly_store_performance", refresh_date)
    week = f"{weekly[0]['week_start']} to {weekly[0]['week_end']}" if weekly else "no sales"
    columns = ["sales_rank", "store_name", "city", "state", "country", "orders", "quantity", "net_sales"]
    reports.print_report(
        console,
        f"Weekly store sales performance, North America, {week}, as of {refresh_date}",
        weekly,
        columns,
    )
    daily = reports.read_report(s3, bucket, "daily_store_sales", refresh_date)
    reports.print_report(console, f"Daily store sales, {refresh_date}", daily, columns[1:])
    console.print(f"Both reports are in s3://{bucket}/reports/.")


def _print_addresses(options: argparse.Namespace, console: Console, endpoint: str, web: str) -> None:
    cluster = os.environ["AIRFLOW__REDSHIFT_ETL__CLUSTER_IDENTIFIER"]
    console.print(f"""
[bold]Airflow[/]  {web}
[bold]AWS[/]      export AWS_ENDPOINT_URL={endpoint} AWS_DEFAULT_REGION=us-east-1 \\
                AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local
         aws s3 ls s3://{os.environ["AIRFLOW__REDSHIFT_ETL__DATA_BUCKET"]}/reports/ --recursive
         aws redshift-data execute-statement --cluster-identifier {cluster} --database dev \\
                --db-user awsuser --sql 'select 1'
[bold]SQL[/]      127.0.0.1:{options.wire_port}, database dev, user awsuser; the password:
         aws secretsmanager get-secret-value --secret-id redshift-etl/awsuser --query SecretString

Ctrl-C ends everything.""")


def _days(start: date, end: date) -> list[date]:
    return [start + timedelta(days=n) for n in range((end - start).days + 1)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m laptop", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the reports, with status 0 or 1")
    parser.add_argument(
        "--from", dest="start", type=date.fromisoformat, default=date(2002, 12, 31), help="first refresh date"
    )
    parser.add_argument(
        "--to", dest="end", type=date.fromisoformat, default=date(2003, 1, 2), help="last refresh date"
    )
    parser.add_argument("--scale-factor", type=float, default=0.1, help="TPC-DS scale factor (default 0.1)")
    parser.add_argument("--web-port", type=int, default=8080, help="Airflow's web UI (default 8080)")
    parser.add_argument("--aws-port", type=int, default=4599, help="AWS endpoint (default 4599)")
    parser.add_argument("--wire-port", type=int, default=5439, help="Redshift for SQL clients (default 5439)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
