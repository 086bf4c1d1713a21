"""Runs both pipelines while everything around them is killed, fails and is meddled with, at random.

After every run, each table and report is held against a computation straight from the delivered files, no
statement may have taken effect twice, and none may be left running. The same seed breaks the same things in
the same order; how far the pipelines are by then depends on the machine.
"""

import argparse
import csv
import io
import json
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from datetime import date, timedelta
from math import inf
from pathlib import Path
from typing import Any

import boto3
from rich.console import Console
from rich.table import Table

from chaos import promise
from chaos.weather import Weather
from chaos_stack import Chaos, chaos
from compare_store_sales import assert_reports_equal, assert_tables_equal
from data_api import query
from datasets import delivery, reviews, store_sales
from expected_reviews import COLUMNS, REPORT, load_reviews, top_reviews
from expected_store_sales import Warehouse, load_days
from laptop import reviews_job
from laptop.airflow import AirflowError
from laptop.alerts import create_alert_topic
from laptop.environment import PROJECT
from postgresql import ServerMissingError

BUCKET = "redshift-etl-data"
REVIEWS = 20_000
TOP_N = 3
ENDED = {"success", "failed", "upstream_failed", "skipped", "removed"}
# Then the storm is over, and what goes on for ten minutes of calm hangs.
STORM_SECONDS = 300.0
RUN_SECONDS = STORM_SECONDS + 600


class StormError(Exception):
    """The promise is broken."""


class Storm:
    """Both pipelines in the weather.

    Args:
        stack: Where they run.
        runs: How many runs.
        seed: Of what goes wrong.
        console: Where to tell it.
    """

    def __init__(self, stack: Chaos, runs: int, seed: int, console: Console) -> None:
        self.stack = stack
        self.console = console
        self.began = time.monotonic()
        self.weather = Weather(stack, seed, self.tell)
        self.random = random.Random(seed + 1)
        days = -(-runs // 3)
        self.days = [store_sales.LAST_DAY - timedelta(days=days - 1 - n) for n in range(days)]
        self.reviews_runs = runs - days
        self.s3 = boto3.client("s3")
        self.done = 0
        self.bad_inputs = 0
        self.cleared = 0
        self.lost = self.doubled = 0
        self.twice = self.at_once = self.left = self.hanging = 0
        self.longest = 0.0

    def tell(self, line: str) -> None:
        self.console.print(f"{time.monotonic() - self.began:7.1f} s  {line}", markup=False, highlight=False)

    def deliver(self) -> None:
        """Let the source systems deliver every day and the reviews."""
        cache = PROJECT / ".local" / "datasets"
        delivered = store_sales.deliver(self.days[0], self.days[-1], scale_factor=0.1, cache=cache)
        delivered += reviews.deliver(rows=REVIEWS, cache=cache)
        delivery.upload(delivered, BUCKET, self.s3)
        delivery.copy_to(delivered, self.stack.folder)

    def rage(self) -> None:
        """Run everything, three runs at a time: a day of sales, and twice the reviews."""
        left = self.reviews_runs
        for number, day in enumerate(self.days, start=1):
            runs = [("store_sales_etl", f"storm-{number}-{day}", {"refresh_date": str(day)})]
            for half in range(min(2, left)):
                runs.append(("reviews_etl", f"storm-{number}-{half}", {"top_n": TOP_N}))
                left -= 1
            bad = self._spoil(day) if self.random.random() < 0.25 else None
            started = time.monotonic()
            for dag_id, run_id, conf in runs:
                self.stack.until(lambda d=dag_id, r=run_id, c=conf: self._trigger(d, r, c))
            self._see_through([run[:2] for run in runs], bad)
            self.longest = max(self.longest, time.monotonic() - started)
            self.weather.ceased()
            self._check(self.days[:number], [run[:2] for run in runs])
            self.done += len(runs)
            self.tell(f"{self.done} runs done: every table and report is right")

    def _trigger(self, dag_id: str, run_id: str, conf: dict[str, Any]) -> bool:
        """Trigger a run; the answer may be lost, and the run be there."""
        try:
            self.stack.api.trigger(dag_id, run_id, None, conf)
        except AirflowError as error:
            if "already exists" not in str(error):
                raise
        self.tell(f"run {run_id} of {dag_id}")
        return True

    def _spoil(self, day: date) -> tuple[str, bytes]:
        """Deliver half of a file; returns where, and the whole."""
        key = f"raw/store_sales/sale_date={day}/part-00000.parquet"
        whole = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=whole[: len(whole) // 2])
        self.bad_inputs += 1
        self.tell(f"half of {key} is delivered")
        return key, whole

    def _see_through(self, runs: list[tuple[str, str]], bad: tuple[str, bytes] | None) -> None:
        """Break things until every run has succeeded; do for a failed one what the runbook says."""
        calm = time.monotonic() + STORM_SECONDS
        deadline = time.monotonic() + RUN_SECONDS
        due = time.monotonic()
        going = list(runs)
        while going:
            if time.monotonic() > deadline:
                states = [self._states(*run) for run in going]
                self.hanging = sum(state not in ENDED for run in states for state in run.values())
                raise StormError(f"{going} hang: {states}")
            self.stack.keep_alive()
            if time.monotonic() >= calm:
                self.weather.ceased()
                calm = due = inf
            if time.monotonic() >= due:
                due = time.monotonic() + self.weather.strike(going)
            for run in list(going):
                state = self._state(*run)
                if state == "success":
                    going.remove(run)
                if state == "failed":
                    if bad and run[0] == "store_sales_etl":
                        key, whole = bad
                        bad = None
                        self.stack.until(
                            lambda k=key, w=whole: self.s3.put_object(Bucket=BUCKET, Key=k, Body=w)
                        )
                        self.tell(f"the whole of {key} is delivered")
                    self.stack.until(lambda r=run: self._clear_failed(*r))
            time.sleep(0.3)

    def _state(self, dag_id: str, run_id: str) -> str:
        return str(self.stack.until(lambda: self.stack.api.run_state(dag_id, run_id)))

    def _states(self, dag_id: str, run_id: str) -> dict[str, str | None]:
        return {i["task_id"]: i["state"] for i in self.stack.api.task_instances(dag_id, run_id)}

    def _clear_failed(self, dag_id: str, run_id: str) -> bool:
        states = self._states(dag_id, run_id)
        failed = {task: state for task, state in states.items() if state != "success"}
        self.tell(f"run {run_id} of {dag_id} has failed: an engineer clears {', '.join(sorted(failed))}")
        self.weather.ask_again(dag_id, run_id, failed)
        self.cleared += 1
        return True

    def _check(self, days: list[date], runs: list[tuple[str, str]]) -> None:
        client = boto3.client("redshift-data")
        raw = self.stack.folder / "raw"
        expected = load_days(raw, days)
        self._count_rows(client, expected)
        assert_tables_equal(client, expected)
        assert_reports_equal(self.s3, BUCKET, expected, days[-1])
        if any(dag_id == "reviews_etl" for dag_id, _ in runs):
            self._check_reviews(client, raw / "reviews")
        self._check_statements()

    def _count_rows(self, client: Any, expected: Warehouse) -> None:
        (found,) = query(client, "select count(*) as n from tpcds.store_sales")
        difference = found["n"] - len(expected.store_sales)
        self.doubled += max(difference, 0)
        self.lost += max(-difference, 0)

    def _check_reviews(self, client: Any, lake: Path) -> None:
        rows = load_reviews(lake, 2015)
        found = query(client, f"select {', '.join(COLUMNS)} from public.reviews")
        expected = Counter(tuple(str(row[name]) for name in COLUMNS) for row in rows)
        actual = Counter(tuple(str(row[name]) for name in COLUMNS) for row in found)
        self.lost += (expected - actual).total()
        self.doubled += (actual - expected).total()
        if actual != expected:
            raise StormError("public.reviews is not what the files imply")
        body = self.s3.get_object(Bucket=BUCKET, Key="reports/top_reviews/quicksight.json")["Body"].read()
        report: list[dict[str, str]] = []
        for url in json.loads(body)["fileLocations"][0]["URIs"]:
            key = url.removeprefix(f"s3://{BUCKET}/")
            text = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
            report.extend(csv.DictReader(io.StringIO(text, newline="")))
        top = [
            {name: "" if row[name] is None else str(row[name]) for name in REPORT}
            for row in top_reviews(rows, TOP_N)
        ]
        if report != top:
            raise StormError("the report of the reviews is not what the files imply")

    def _check_statements(self) -> None:
        """No work took effect more often than Airflow asked for it or beside another, and none goes on."""
        statements = self.stack.statements("")
        pages = boto3.client("glue").get_paginator("get_job_runs").paginate(JobName=reviews_job.JOB_NAME)
        runs = [run for page in pages for run in page["JobRuns"]]
        live = [one["id"] for one in statements if not one["ended"]]
        live += [run["Id"] for run in runs if run["JobRunState"] in {"STARTING", "RUNNING", "STOPPING"}]
        pieces = [*promise.of_data_api(statements), *promise.of_glue(runs, statements)]
        twice = promise.twice(pieces, self.weather.clears)
        at_once = promise.at_once(pieces)
        self.left, self.twice, self.at_once = len(live), sum(twice.values()), len(at_once)
        if live:
            raise StormError(f"left running: {live}")
        if twice:
            work = [piece for piece in pieces if piece.name in twice]
            clears = {name: self.weather.clears[name] for name in twice}
            raise StormError(f"took effect more often than asked for: {twice}, {work}, cleared at {clears}")
        if at_once:
            raise StormError(f"two at a time: {at_once}")

    def report(self) -> None:
        """Print the figures."""
        table = Table("what", "number", title="The storm")
        table.add_row("pipeline runs", str(self.done))
        for title, counter in (
            ("kill -9", self.weather.kills),
            ("faults", self.weather.faults),
            ("users", self.weather.interventions),
        ):
            table.add_row(title, str(counter.total()))
            for name, number in sorted(counter.items()):
                table.add_row(f"  {name}", str(number))
        table.add_row("bad inputs", str(self.bad_inputs))
        table.add_row("failed runs that an engineer cleared", str(self.cleared))
        table.add_row("statements", str(len(self.stack.statements(""))))
        for title, number in (
            ("rows lost", self.lost),
            ("rows doubled", self.doubled),
            ("statements that took effect twice", self.twice),
            ("statements beside another of their task", self.at_once),
            ("statements left running", self.left),
            ("tasks that hang", self.hanging),
        ):
            table.add_row(title, str(number))
        table.add_row("longest run, s", f"{self.longest:.0f}")
        table.add_row("all, s", f"{time.monotonic() - self.began:.0f}")
        self.console.print(table)


def main(argv: list[str] | None = None) -> int:
    """Raise a storm.

    Args:
        argv: The command line, without the program's name.

    Returns:
        The exit status: 0 when the promise was kept, else 1.
    """
    parser = argparse.ArgumentParser(prog="python -m chaos.storm", description=__doc__)
    parser.add_argument("--runs", type=int, default=30, help="pipeline runs (default: %(default)s)")
    parser.add_argument("--seed", type=int, help="what goes wrong, and in which order (default: random)")
    arguments = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends what was started, as Ctrl-C does
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(100_000)
    console = Console(width=110, soft_wrap=True)
    console.print(f"{arguments.runs} runs, seed {seed}: make chaos RUNS={arguments.runs} SEED={seed}")
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    broken = True
    try:
        with chaos(folder, {}) as stack:
            create_alert_topic()
            reviews_job.deploy()
            storm = Storm(stack, arguments.runs, seed, console)
            storm.deliver()
            for dag_id in ("store_sales_etl", "reviews_etl"):
                stack.api.wait_until_ready(dag_id, stack.processes)
            try:
                storm.rage()
                broken = False
            finally:
                storm.report()
    except ServerMissingError as error:
        broken = False
        console.print(str(error))
        return 1
    except (StormError, AssertionError) as error:
        console.print(f"BROKEN with seed {seed}: {error}", markup=False)
    finally:
        if broken:
            console.print(f"Logs and data: {folder}", markup=False)
        else:
            shutil.rmtree(folder)
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
