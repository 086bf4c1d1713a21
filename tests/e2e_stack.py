"""A real local_aws and a real Airflow with both pipelines and their data, for the end-to-end tests."""

import os
import socket
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
from laptop import reviews_job
from laptop.airflow import AirflowApi, migrate_database, start_components
from laptop.alerts import create_alert_topic, take_alerts
from laptop.environment import PROJECT, airflow_environment
from laptop.processes import Processes

DAYS = [date(2003, 1, 1), date(2003, 1, 2)]
REVIEWS = 20_000
BUCKET = "redshift-etl-data"
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
    dag_id: str = ""
    late: str = ""
    """The run that the schedule made, which has missed its deadline."""
    arrived: Alerts = field(default_factory=list)

    @property
    def raw(self) -> Path:
        return self.folder / "raw"

    def of(self, dag_id: str) -> "Stack":
        return replace(self, dag_id=dag_id)

    def run(self, run_id: str, *, logical_date: str | None, seconds: float = 180, **conf: Any) -> str:
        self.api.trigger(self.dag_id, run_id, logical_date, conf)
        deadline = time.monotonic() + seconds
        while (state := self.api.run_state(self.dag_id, run_id)) not in {"success", "failed"}:
            self.processes.require_alive()
            assert time.monotonic() < deadline, self.states(run_id)
            time.sleep(0.5)
        return state

    def states(self, run_id: str) -> dict[str, str]:
        return {i["task_id"]: i["state"] for i in self.api.task_instances(self.dag_id, run_id)}

    def log(self, run_id: str, task_id: str) -> str:
        (instance,) = [i for i in self.api.task_instances(self.dag_id, run_id) if i["task_id"] == task_id]
        return "\n".join(self.api.task_log(self.dag_id, run_id, task_id, instance["try_number"]))

    def alerts(self, run_id: str) -> Alerts:
        """What was sent about a run: something, and whatever else comes within three seconds."""
        wait_for(lambda: self._sent(run_id), seconds=60)
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

    def end_late_run(self) -> str:
        """Wait for the alert of the scheduled run, which waits for files, and end it: days run one by one."""
        path = f"/api/v2/dags/{self.dag_id}/dagRuns"
        wait_for(lambda: self.api._get(path)["dag_runs"], seconds=60)
        (run,) = self.api._get(path)["dag_runs"]
        run_id = str(run["dag_run_id"])
        self.alerts(run_id)
        sensor = f"{path}/{run_id}/taskInstances/wait_for_extract"
        self.api._client.patch(sensor, json={"new_state": "failed"}).raise_for_status()
        wait_for(lambda: self.api.run_state(self.dag_id, run_id) == "failed", seconds=60)
        return run_id


@contextmanager
def running(folder: Path) -> Iterator[Stack]:
    """Start everything, deliver the data, and end all of it."""
    web_port, aws_port, wire_port = free_port(), free_port(), free_port()
    endpoint = f"http://127.0.0.1:{aws_port}"
    environment = airflow_environment(home=folder / "airflow", web_port=web_port, aws_endpoint=endpoint)
    # A minute ago the schedule made a run, due at a midnight that has passed; the next one comes tomorrow.
    minute = datetime.now(ZoneInfo(environment["AIRFLOW__REDSHIFT_ETL__TIMEZONE"])) - timedelta(minutes=1)
    environment["AIRFLOW__REDSHIFT_ETL__SCHEDULE"] = f"{minute:%-M %-H} * * *"
    environment["AIRFLOW__REDSHIFT_ETL__DEADLINE"] = "00:00"
    (folder / "airflow").mkdir()
    # Retries are for outages; a test of bad input should not wait for them.
    environment["AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY"] = "1"
    with Processes(folder / "logs") as processes:
        started = set(psutil.Process().children(recursive=True))
        processes.start(
            "local-aws",
            [sys.executable, "-m", "local_aws", "--port", str(aws_port), "--wire-port", str(wire_port)],
            os.environ | {"PYTHONPATH": str(PROJECT / "include")},
        )
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
            start_components(processes, environment)
            api = AirflowApi(f"http://127.0.0.1:{web_port}")
            cache = PROJECT / ".local" / "datasets"
            deliveries = store_sales.deliver(DAYS[0], DAYS[-1], scale_factor=0.1, cache=cache)
            deliveries += reviews.deliver(rows=REVIEWS, cache=cache)
            delivery.upload(deliveries, BUCKET, s3)
            delivery.copy_to(deliveries, folder)
            reviews_job.deploy()
            for dag_id in ("store_sales_etl", "reviews_etl"):
                api.wait_until_ready(dag_id, processes)
            stack = Stack(api, processes, s3, redshift, folder, endpoint, queue)
            yield replace(stack, late=stack.of("store_sales_etl").end_late_run())
            api.close()
        mine = set(psutil.Process().children(recursive=True)) - started
    _, alive = psutil.wait_procs(mine, timeout=5)
    assert not alive, f"processes left behind: {alive}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
