"""A real local_aws and a real Airflow with both pipelines and their data, for the end-to-end tests.

The pipelines own the cluster, which is paused at first, and the schedule makes one run at the start. That
run is late, and a broken SQL file makes it fail; the file is mended before the tests begin.
"""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import boto3
import httpx
import psutil
import pytest

from datasets import delivery, reviews, store_sales
from extract_files import REFERENCE, SCHEMAS, key_of, parquet
from laptop import reviews_job
from laptop.airflow import AirflowApi, migrate_database, start_components
from laptop.alerts import create_alert_topic, take_alerts
from laptop.environment import PROJECT, airflow_environment
from laptop.processes import Processes
from ports import free_port

DAYS = [date(2003, 1, 1), date(2003, 1, 2)]
REVIEWS = 20_000
BUCKET = "redshift-etl-data"
CLUSTER = "redshift-etl"
Alerts = list[dict[str, str]]


@dataclass(frozen=True)
class Stack:
    """What runs, and the runs of one DAG in it."""

    api: AirflowApi
    processes: Processes
    s3: Any
    redshift: Any
    folder: Path
    """Airflow's home, every process's output, and the delivered files."""
    endpoint: str
    queue: str
    """Where the alerts arrive."""
    environment: dict[str, str]
    """Of Airflow's processes."""
    dag_id: str = ""
    scheduled: str = ""
    """The run that the schedule made: late, and failed."""
    statuses: tuple[str, ...] = ()
    """The cluster's statuses around that run."""
    arrived: Alerts = field(default_factory=list)

    @property
    def raw(self) -> Path:
        return self.folder / "raw"

    def of(self, dag_id: str) -> "Stack":
        return replace(self, dag_id=dag_id)

    def run(self, run_id: str, *, logical_date: str | None, seconds: float = 400, **conf: Any) -> str:
        self.api.trigger(self.dag_id, run_id, logical_date, conf)
        return self.end_of(run_id, seconds)

    def end_of(self, run_id: str, seconds: float = 400) -> str:
        """Wait for a run's end, and resume the cluster that it has paused: the tests look into it."""
        deadline = time.monotonic() + seconds
        while (state := self.api.run_state(self.dag_id, run_id)) not in {"success", "failed"}:
            self.processes.require_alive()
            assert time.monotonic() < deadline, self.states(run_id)
            time.sleep(0.5)
        resume_if_paused()
        return state

    def states(self, run_id: str) -> dict[str, str]:
        return {i["task_id"]: i["state"] for i in self.api.task_instances(self.dag_id, run_id)}

    def log(self, run_id: str, task_id: str) -> str:
        (instance,) = [i for i in self.api.task_instances(self.dag_id, run_id) if i["task_id"] == task_id]
        return "\n".join(self.api.task_log(self.dag_id, run_id, task_id, instance["try_number"]))

    def alerts(self, run_id: str, *events: str) -> Alerts:
        """What was sent about a run: these events or any, and whatever else comes within three seconds."""
        wanted = set(events)
        wait_for(lambda: (sent := self._sent(run_id)) and wanted <= {alert["event"] for alert in sent}, 60)
        time.sleep(3)
        return self._sent(run_id)

    def _sent(self, run_id: str) -> Alerts:
        while more := take_alerts(self.queue):
            self.arrived.extend(more)
        return [
            alert
            for alert in self.arrived
            if self.dag_id in alert["subject"] and f"Run: {run_id}\n" in alert["text"]
        ]

    def watch_scheduled_run(self) -> "Stack":
        """See the scheduled run through, and note how the cluster's status changes."""
        statuses = ["paused"]

        def ended() -> list[dict[str, Any]]:
            self.processes.require_alive()
            statuses.extend({cluster_status()} - {statuses[-1]})
            # Asked for the runs of one DAG, the API server loads the DAG each time, and fails now and then.
            runs = self.api._get("/api/v2/dags/~/dagRuns")["dag_runs"]
            return [run for run in runs if run["dag_id"] == self.dag_id and run["end_date"]]

        wait_for(ended, seconds=240)
        (run,) = ended()
        return replace(self, scheduled=str(run["dag_run_id"]), statuses=tuple(statuses))


@contextmanager
def running(folder: Path) -> Iterator[Stack]:
    """Start everything, deliver the data, and end all of it."""
    web_port, aws_port, wire_port = free_port(), free_port(), free_port()
    endpoint = f"http://127.0.0.1:{aws_port}"
    environment = airflow_environment(home=folder / "airflow", web_port=web_port, aws_endpoint=endpoint)
    # A minute ago the schedule made a run, due at a midnight that has passed; the next one comes tomorrow.
    minute = datetime.now(ZoneInfo(environment["AIRFLOW__REDSHIFT_ETL__TIMEZONE"])) - timedelta(minutes=1)
    environment["AIRFLOW__REDSHIFT_ETL__SCHEDULE"] = f"{minute:%-M %-H} * * *"
    environment["AIRFLOW__REDSHIFT_ETL__FIRST_REFRESH_DATE"] = f"{minute - timedelta(days=1):%Y-%m-%d}"
    environment["AIRFLOW__REDSHIFT_ETL__DEADLINE"] = "00:00"
    environment["AIRFLOW__REDSHIFT_ETL__PAUSE_CLUSTER"] = "true"
    environment["AIRFLOW__REDSHIFT_ETL__SQL_DIR"] = str(folder / "sql")
    shutil.copytree(PROJECT / "sql", folder / "sql")
    create_lake = folder / "sql" / "store_sales" / "create_lake.sql"
    mended = create_lake.read_text()
    create_lake.write_text("select * from nowhere;\n")
    (folder / "airflow").mkdir()
    # SQLite lets one process write at a time, and a busy machine makes the others wait for long.
    environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] += "?timeout=60"
    # Retries are for outages; a test of bad input should not wait for them.
    environment["AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY"] = "1"
    with Processes(folder / "logs") as processes:
        started = set(psutil.Process().children(recursive=True))
        command = [sys.executable, "-m", "local_aws", "--port", str(aws_port), "--wire-port", str(wire_port)]
        command.append("--faults")  # the tests read at /_local/statements what ran
        processes.start("local-aws", command, os.environ | {"PYTHONPATH": str(PROJECT / "include")})
        migrate_database(environment, folder / "logs" / "migrate.log")
        with pytest.MonkeyPatch.context() as patch:
            for name in (
                "AWS_ENDPOINT_URL",
                "AWS_DEFAULT_REGION",
                "AWS_ACCESS_KEY_ID",
                "AWS_SECRET_ACCESS_KEY",
                "AIRFLOW__REDSHIFT_ETL__SNS_TOPIC_ARN",
            ):
                patch.setenv(name, environment[name])
            s3, redshift = boto3.client("s3"), boto3.client("redshift-data")
            wait_for(lambda: httpx.get(f"{endpoint}/_local/health").is_success)
            queue = create_alert_topic()
            s3.create_bucket(Bucket=BUCKET)
            deliver_nothing_much(s3, minute.date() - timedelta(days=1), *REFERENCE)
            boto3.client("redshift").pause_cluster(ClusterIdentifier=CLUSTER)
            start_components(processes, environment)
            api = AirflowApi(f"http://127.0.0.1:{web_port}")
            api.wait_until_ready("store_sales_etl", processes)
            stack = Stack(
                api, processes, s3, redshift, folder, endpoint, queue, environment, "store_sales_etl"
            )
            stack = stack.watch_scheduled_run()
            create_lake.write_text(mended)
            cache = PROJECT / ".local" / "datasets"
            deliveries = store_sales.deliver(DAYS[0], DAYS[-1], scale_factor=0.1, cache=cache)
            deliveries += reviews.deliver(rows=REVIEWS, cache=cache)
            delivery.upload(deliveries, BUCKET, s3)
            delivery.copy_to(deliveries, folder)
            reviews_job.deploy()
            api.wait_until_ready("reviews_etl", processes)
            yield stack
            api.close()
        mine = set(psutil.Process().children(recursive=True)) - started
    _, alive = psutil.wait_procs(mine, timeout=5)
    assert not alive, f"processes left behind: {alive}"


def deliver_nothing_much(s3: Any, day: date, *more: str) -> None:
    """Put a file without rows wherever the sensor looks for one of the day, and for more extracts."""
    for name in ("store_sales", "customer", "customer_address", "item", "store", *more):
        s3.put_object(Bucket=BUCKET, Key=key_of(name, day), Body=parquet(SCHEMAS[name]))


def cluster_status() -> str:
    (cluster,) = boto3.client("redshift").describe_clusters(ClusterIdentifier=CLUSTER)["Clusters"]
    return str(cluster["ClusterStatus"])


def resume_if_paused() -> None:
    """Resume the cluster after a run has paused it."""
    if cluster_status() == "paused":
        boto3.client("redshift").resume_cluster(ClusterIdentifier=CLUSTER)


def wait_for(condition: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except httpx.TransportError:
            pass  # not listening yet
        assert time.monotonic() < deadline
        time.sleep(0.2)
