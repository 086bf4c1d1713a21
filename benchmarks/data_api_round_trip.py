"""What a Data API call costs on this machine: `python benchmarks/data_api_round_trip.py`.

Starts its own local_aws in another process, so that client and server share no interpreter, and measures
ExecuteStatement followed by DescribeStatement of `select 1`, as a client that polls sees them. The aim is a
median of at most 25 ms on two cores.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3

INCLUDE = Path(__file__).resolve().parent.parent / "include"
WHERE = {"ClusterIdentifier": "redshift-etl", "Database": "dev", "DbUser": "awsuser"}


@contextmanager
def running_server() -> Iterator[str]:
    """A local_aws of its own on a free port; gives its address."""
    command = [sys.executable, "-m", "local_aws", "--port", "0", "--quiet"]
    server = subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": str(INCLUDE)}, stdout=subprocess.PIPE, text=True
    )
    try:
        yield server.stdout.readline().split()[4]
    finally:
        server.terminate()
        server.wait(timeout=10)


def median_milliseconds(call: Callable[[], object], rounds: int) -> tuple[float, float]:
    """The median and the 95th percentile of so many calls, in milliseconds, after ten to warm up."""
    times = []
    for number in range(rounds + 10):
        started = time.perf_counter()
        call()
        if number >= 10:
            times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=200, help="calls to measure (default: %(default)s)")
    rounds = parser.parse_args().rounds
    with running_server() as endpoint_url:
        client = boto3.client(
            "redshift-data",
            endpoint_url=endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

        def execute_and_describe() -> None:
            client.describe_statement(Id=client.execute_statement(Sql="select 1", **WHERE)["Id"])

        def until_finished() -> None:
            client.execute_statement(Sql="select 1", WaitTimeSeconds=10, **WHERE)

        def with_result() -> None:
            statement = client.execute_statement(Sql="select 1", WaitTimeSeconds=10, **WHERE)
            client.get_statement_result(Id=statement["Id"])

        for name, call in (
            ("ExecuteStatement + DescribeStatement", execute_and_describe),
            ("ExecuteStatement with WaitTimeSeconds", until_finished),
            ("ExecuteStatement + GetStatementResult", with_result),
        ):
            median, slow = median_milliseconds(call, rounds)
            print(f"{name:40} median {median:6.1f} ms   95th percentile {slow:6.1f} ms")


if __name__ == "__main__":
    main()
