"""Command line of `make run`: sets up, runs the pipelines, prints the reports, stays up."""

import argparse
import fcntl
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
from rich.console import Console
from rich.text import Text

from laptop.airflow import AirflowApi, AirflowError, migrate_database, start_components
from laptop.environment import LOCAL_ENV, PROJECT, airflow_environment, read_env_file
from laptop.furnish import add_source_arguments, furnish, sources
from laptop.pipelines import run_all, wait_until_ready
from laptop.processes import ProcessEndedError, Processes

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
    # Ended by another program it must clean up as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Where nobody watches (CI, a file) there is no width to fit: tables keep their words whole.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    try:
        _require_room(options)
        with _sole_use(options.folder), Processes(options.folder / "logs") as processes:
            return _run(options, console, processes)
    except (CannotRunError, ProcessEndedError, AirflowError) as error:
        console.print(Text.assemble(("make run:", "red"), f" {error}"))
        return 1
    except KeyboardInterrupt:
        console.print("\nStopped.")
        return 130


def _run(options: argparse.Namespace, console: Console, processes: Processes) -> int:
    endpoint = f"http://127.0.0.1:{options.aws_port}"
    web = f"http://127.0.0.1:{options.web_port}"
    logs, home = options.folder / "logs", options.folder / "airflow"
    # local_aws starts empty every time; an Airflow that remembers earlier runs would contradict it.
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    environment = airflow_environment(home=home, web_port=options.web_port, aws_endpoint=endpoint)

    with console.status("Starting AWS on this machine"):
        command = [sys.executable, "-m", "local_aws", "--port", str(options.aws_port)]
        command += ["--wire-port", str(options.wire_port)]
        processes.start("local-aws", command, environment | {"PYTHONPATH": str(PROJECT / "include")})
        migrate_database(environment, logs / "airflow-db-migrate.log")
        _wait_for_aws(endpoint, processes)
        start_components(processes, environment)
    console.print(f"AWS on this machine answers at {endpoint}.")

    # boto3 of this process must see the local account, whatever the shell says.
    os.environ.pop("AWS_PROFILE", None)
    os.environ.update(read_env_file(LOCAL_ENV) | {"AWS_ENDPOINT_URL": endpoint})
    delivered = sources(options)
    furnish(delivered, options.folder / "datasets", console)

    api = AirflowApi(web)
    with console.status("Starting Airflow"):
        wait_until_ready(api, processes)
    console.print(f"Airflow answers at {web}.")

    if not run_all(delivered, api, console, processes):
        console.print(f"Logs of everything: {logs} and {home / 'logs'}")
        if options.once:
            return 1
    if options.once:
        return 0

    _print_addresses(options, console, endpoint, web)
    while True:
        processes.require_alive()
        time.sleep(1)


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
    raise CannotRunError(
        f"local_aws at {endpoint} did not answer within 60 s; its log is {processes.log_folder}."
    )


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
    options.folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(options.folder).free
    if free < NEEDED_BYTES:
        raise CannotRunError(
            f"{options.folder} has {free / 1024**3:.1f} GiB free and a run needs "
            f"{NEEDED_BYTES / 1024**3:.0f} GiB: free some disk."
        )


@contextmanager
def _sole_use(folder: Path) -> Iterator[None]:
    """Hold a lock on the folder: two runs would delete each other's Airflow."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotRunError(f"another make run uses {folder}: end it first.") from None
        yield


def _print_addresses(options: argparse.Namespace, console: Console, endpoint: str, web: str) -> None:
    cluster = os.environ["AIRFLOW__REDSHIFT_ETL__CLUSTER_IDENTIFIER"]
    console.print(f"""
[bold]Airflow[/]  {web}
[bold]Reports[/]  {web}/redshift-etl/reports
[bold]AWS[/]      export AWS_ENDPOINT_URL={endpoint} AWS_DEFAULT_REGION=us-east-1 \\
                AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local
         aws s3 ls s3://{os.environ["AIRFLOW__REDSHIFT_ETL__DATA_BUCKET"]}/reports/ --recursive
         aws redshift-data execute-statement --cluster-identifier {cluster} --database dev \\
                --db-user awsuser --sql 'select 1'
[bold]SQL[/]      127.0.0.1:{options.wire_port}, database dev, user awsuser; the password:
         aws secretsmanager get-secret-value --secret-id redshift-etl/awsuser --query SecretString

Ctrl-C ends everything.""")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m laptop", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the reports, with status 0 or 1")
    add_source_arguments(parser)
    parser.add_argument(
        "--folder",
        type=Path,
        default=PROJECT / ".local",
        help="where logs, generated data and Airflow's state go (default .local)",
    )
    parser.add_argument("--web-port", type=int, default=8080, help="Airflow's web UI (default 8080)")
    parser.add_argument("--aws-port", type=int, default=4599, help="AWS endpoint (default 4599)")
    parser.add_argument("--wire-port", type=int, default=5439, help="Redshift for SQL clients (default 5439)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
