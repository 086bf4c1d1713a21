"""Ten days by Airflow's backfill, three at a time and the latest first: the tables of ten days one by one.

The commands are those of docs/runbook.md. Each day comes before the days that it follows, so that prices,
members and sales arrive late throughout; days overlap, so that tasks of three days meet in the warehouse.
"""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from compare_store_sales import assert_reports_equal, assert_tables_equal
from data_api import query
from datasets import delivery, store_sales
from e2e_stack import BUCKET, DAYS, Stack, resume_if_paused, wait_for
from expected_store_sales import load_days
from laptop.environment import PROJECT

pytestmark = pytest.mark.e2e

DAG_ID = "store_sales_etl"
TEN_DAYS = [DAYS[-1] - timedelta(days=n) for n in reversed(range(10))]
AT_ONCE = 3
# Local ones (New York, in winter): the first day's, and that after the last day.
MIDNIGHTS = [f"{day}T00:00-05:00" for day in (TEN_DAYS[0], TEN_DAYS[-1] + timedelta(days=1))]


@pytest.fixture(scope="module")
def stack(everything: Stack) -> Stack:
    """The ten days delivered and loaded."""
    stack = everything.of(DAG_ID)
    deliveries = store_sales.deliver(
        TEN_DAYS[0], TEN_DAYS[-1], scale_factor=0.1, cache=PROJECT / ".local" / "datasets"
    )
    delivery.upload(deliveries, BUCKET, stack.s3)
    delivery.copy_to(deliveries, stack.folder)
    airflow(
        stack, "backfill", "create", "--dag-id", DAG_ID, "--from-date", MIDNIGHTS[0],
        "--to-date", MIDNIGHTS[1], "--max-active-runs", str(AT_ONCE), "--run-backwards",
    )  # fmt: skip
    wait_until_done(stack)
    return stack


def airflow(stack: Stack, *command: str) -> str:
    """Run a command of Airflow's command line, as the runbook gives it."""
    done = subprocess.run(
        [sys.executable, PROJECT / "tests" / "airflow_cli.py", *command],
        env=stack.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def backfill_runs(stack: Stack) -> list[dict[str, Any]]:
    runs = stack.api._get("/api/v2/dags/~/dagRuns", limit=100)["dag_runs"]
    return [run for run in runs if run["dag_id"] == DAG_ID and run["run_type"] == "backfill"]


def wait_until_done(stack: Stack) -> None:
    """Wait for the end of every run, and resume the cluster that the last one has paused."""

    def done() -> bool:
        stack.processes.require_alive()
        runs = backfill_runs(stack)
        return len(runs) == len(TEN_DAYS) and {run["state"] for run in runs} <= {"success", "failed"}

    wait_for(done, seconds=3600)
    resume_if_paused()


def test_defect_12_a_backfill_runs_ten_days_with_three_at_once(stack: Stack) -> None:
    runs = backfill_runs(stack)
    assert {run["state"] for run in runs} == {"success"}
    spans = [(moment(run["start_date"]), moment(run["end_date"])) for run in runs]
    at_once = [sum(start <= begun < end for start, end in spans) for begun, _ in spans]
    assert max(at_once) == AT_ONCE


def test_ten_days_at_once_give_the_tables_of_ten_days_one_at_a_time(stack: Stack) -> None:
    assert_tables_equal(stack.redshift, load_days(stack.raw, TEN_DAYS))
    waiting = "select count(*) as n from tpcds.store_sales_unresolved"
    assert query(stack.redshift, waiting) == [{"n": 0}]


def test_defect_08_no_member_has_two_keys_after_loads_at_once(stack: Stack) -> None:
    for table, member in (
        ("customer", "c_customer_id"), ("customer_address", "ca_address_id"), ("store", "s_store_id"),
        ("item", "i_item_id || cast(i_rec_start_date as varchar)"), ("promotion", "p_promo_id"),
        ("date_dim", "cast(d_date as varchar)"),
    ):  # fmt: skip
        twice = f"select {member} as member from tpcds.{table} group by 1 having count(*) > 1"
        assert query(stack.redshift, twice) == [], table


def test_reports_of_days_that_ran_before_earlier_ones_are_mended_by_clearing_them(stack: Stack) -> None:
    expected = load_days(stack.raw, TEN_DAYS)
    with pytest.raises(AssertionError):
        assert_reports_equal(stack.s3, BUCKET, expected, TEN_DAYS[-1])
    airflow(
        stack, "tasks", "clear", DAG_ID, "--task-regex", "unload_", "--downstream",
        "--start-date", MIDNIGHTS[0], "--end-date", MIDNIGHTS[1], "--yes",
    )  # fmt: skip
    wait_until_done(stack)
    for day in TEN_DAYS:
        assert_reports_equal(stack.s3, BUCKET, expected, day)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
