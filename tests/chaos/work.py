"""One run of one task that adds one row: how to break it, and how to see that it took effect once."""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import boto3
import httpx

from chaos_stack import Chaos, script, waits
from data_api import query
from laptop import reviews_job
from laptop.alerts import create_alert_topic

JOB = "reviews-etl"
WORKER, TRIGGERER = PLACES = "worker", "triggerer"
# What each operator calls to look up, to submit, to follow and to cancel its work.
CALLS = {
    "redshift": (
        "redshift-data",
        "ListStatements",
        "BatchExecuteStatement",
        "DescribeStatement",
        "CancelStatement",
    ),
    "glue": ("glue", "GetJobRuns", "StartJobRun", "GetJobRun", "BatchStopJobRun"),
}


class Work:
    """A run of one of the DAGs in `dags/once.py`.

    Args:
        stack: Where it runs.
        operator: redshift or glue.
        place: Where it waits: worker or triggerer.
        test: Whose run it is.
    """

    def __init__(self, stack: Chaos, operator: str, place: str, test: str) -> None:
        self.stack = stack
        self.operator = operator
        self.place = place
        self.run_id = "__".join([operator, place, re.sub(r"[^a-z0-9]+", "_", test.removeprefix("test_"))])
        self.service, self.look_up, self.submit, self.describe, self.cancel = CALLS[operator]
        self.dag_id = ""

    def start(self, kind: str = "") -> None:
        """Trigger the run.

        Args:
            kind: `_limited`, `_run_limited` or `_impatient`, as the DAGs' names end.
        """
        self.dag_id = f"{self.operator}_{self.place}{kind}"
        self.stack.trigger(self.dag_id, self.run_id)

    def fault(self, action: str, **what: Any) -> None:
        self.stack.fault(self.service, action, **what)

    def await_hits(self, action: str, number: int = 1) -> None:
        self.stack.until(lambda: self.stack.hits(action) >= number)

    def delay(self, seconds: float = 12) -> None:
        """Let the next statement take its time."""
        self.stack.fault("redshift", waits(self.run_id), delay=seconds, times=1)

    def statement_fails(self, message: str) -> None:
        self.stack.fault("redshift", f"insert into effects .*'{self.run_id}'", error=message, times=1)

    def await_running(self) -> None:
        self.stack.until(lambda: [one for one in self.statements() if one["status"] == "STARTED"])

    def await_remembered(self) -> None:
        """Wait until the task has noted its work in the task state store."""
        self.stack.until(lambda: self.stack.remembered(self.dag_id, self.run_id) in self.work_ids())

    def await_state(self, *states: str) -> None:
        self.stack.until(lambda: self.state in states)

    def await_retry(self) -> None:
        self.stack.until(lambda: self.stack.instance(self.dag_id, self.run_id)["try_number"] > 1)

    def await_trigger(self) -> None:
        """Wait until a triggerer waits: until then Airflow has nobody to tell of a user's act."""
        self.stack.until(lambda: self.triggerer)
        time.sleep(3)  # it is assigned first, and looks for new triggers every second

    @property
    def triggerer(self) -> int | None:
        """The triggerer that waits for the task."""
        job = self.stack.instance(self.dag_id, self.run_id)["triggerer_job"]
        return job and int(job["id"])

    @property
    def state(self) -> str:
        return self.stack.state(self.dag_id, self.run_id)

    def kill_worker(self) -> None:
        self.stack.kill_worker(self.dag_id, self.run_id)

    def clear(self) -> None:
        self.stack.clear(self.dag_id, self.run_id, "work")

    def mark_failed(self) -> None:
        self.stack.mark_failed(self.dag_id, self.run_id)

    def delete_run(self) -> None:
        self.stack.delete_run(self.dag_id, self.run_id)

    def end(self) -> str:
        return self.stack.end_of(self.dag_id, self.run_id)

    def log(self, try_number: int) -> str:
        return "\n".join(self.stack.api.task_log(self.dag_id, self.run_id, "work", try_number))

    def somebody_cancels(self) -> None:
        if self.operator == "redshift":
            boto3.client("redshift-data").cancel_statement(Id=self.statements()[0]["id"])
        else:
            boto3.client("glue").batch_stop_job_run(JobName=JOB, JobRunIds=[self.job_runs()[0]["Id"]])

    def statements(self) -> list[dict[str, Any]]:
        """The scripts that ran, in order: the batches of the Data API, the first statements on the wire."""
        return sorted(self.stack.statements(waits(self.run_id)), key=lambda one: str(one["created"]))

    def effects(self) -> list[dict[str, Any]]:
        """The inserts that took effect."""
        sql = f"insert into effects values ('{self.run_id}')"
        return [
            part
            for one in self.stack.statements(sql)
            for part in one["statements"]
            if part["sql"] == sql and part["committed"]
        ]

    def job_runs(self) -> list[dict[str, Any]]:
        """The runs of the Glue job on behalf of this run, in order."""
        runs = boto3.client("glue").get_job_runs(JobName=JOB)["JobRuns"]
        return [run for run in runs[::-1] if run["Arguments"]["--file"] == f"sql/{self.run_id}.sql"]

    def work_ids(self) -> list[str]:
        """The ids by which the operator knows its work."""
        if self.operator == "redshift":
            return [str(one["id"]) for one in self.statements()]
        return [str(run["Id"]) for run in self.job_runs()]

    def spans(self) -> list[tuple[datetime, datetime]]:
        """When each work began and ended, in order; for all of it is at an end."""
        if self.operator == "redshift":
            times = [(str(one["created"]), str(one["ended"])) for one in self.statements()]
            return [(datetime.fromisoformat(began), datetime.fromisoformat(ended)) for began, ended in times]
        return [(run["StartedOn"], run["CompletedOn"]) for run in self.job_runs()]

    def live(self) -> list[str]:
        """What is not at an end."""
        ended = {"FINISHED", "FAILED", "ABORTED", "SUCCEEDED", "STOPPED", "TIMEOUT"}
        states = {one["id"]: one["status"] for one in self.statements()}
        states |= {run["Id"]: run["JobRunState"] for run in self.job_runs()}
        return [f"{work_id} {state}" for work_id, state in states.items() if state not in ended]

    def await_nothing_live(self) -> None:
        """Wait until everything is cancelled."""
        self.stack.until(lambda: not self.live(), seconds=40)

    def succeeds(self, effects: int = 1, statements: int | None = None) -> None:
        """See the run succeed and its SQL take effect so often.

        Args:
            effects: How often Airflow asked for the task.
            statements: How many there were, those included that were cancelled or failed; None for any.
        """
        assert self.end() == "success"
        self.took_effect(effects, statements)

    def took_effect(self, effects: int, statements: int | None = None) -> None:
        assert self.live() == []
        found = self.statements()
        assert len(self.effects()) == effects, found
        assert statements in {None, len(found)}, found
        spans = self.spans()
        assert statements in {None, len(spans)}, spans
        assert all(earlier[1] <= later[0] for earlier, later in pairwise(spans)), f"two at once: {spans}"
        rows = query(boto3.client("redshift-data"), f"select * from effects where run_id = '{self.run_id}'")
        assert len(rows) == effects


class Works:
    """The runs of one test: for each place where it asks, one of each operator.

    Args:
        stack: Where they run.
        test: Whose runs they are.
    """

    def __init__(self, stack: Chaos, test: str) -> None:
        self.stack = stack
        self.test = test
        self.made: list[Work] = []

    def at(self, *places: str) -> list[Work]:
        """Make a work of each operator for each place."""
        self.made = [Work(self.stack, operator, place, self.test) for operator in CALLS for place in places]
        return self.made

    def each(self, row: Callable[[Work], None], *places: str) -> None:
        """Do the same to all of them at the same time."""
        works = self.at(*places)
        with ThreadPoolExecutor(len(works)) as pool:
            for done in [pool.submit(row, work) for work in works]:
                done.result()


def with_sql(folder: Path) -> dict[str, str]:
    """Write the SQL of the DAGs in `dags/once.py`; returns the setting that tells where."""
    sql = folder / "sql"
    sql.mkdir()
    (sql / "add_row.sql").write_text(script("{{ run_id }}"))
    return {"AIRFLOW__REDSHIFT_ETL__SQL_DIR": str(sql)}


def set_up(stack: Chaos) -> None:
    """Create what the runs need, and wait until Airflow is ready for them."""
    create_alert_topic()
    reviews_job.deploy()
    query(boto3.client("redshift-data"), "create table effects (run_id varchar(200))")
    stack.api.wait_until_ready("redshift_worker", stack.processes)
    # The API server builds what tasks speak to at its first request, and answers nobody meanwhile.
    stack.until(lambda: httpx.get(f"{stack.api.url}/execution/health", timeout=150).is_success, seconds=180)
