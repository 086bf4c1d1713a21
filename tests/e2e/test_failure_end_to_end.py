"""A scheduled run that fails and is late, on a cluster that is paused: what a real Airflow does about it.

The schedule is on, the deadline has passed, the pipelines own the cluster, and one SQL file is broken.
"""

import json
import os
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from laptop.airflow import AirflowApi, migrate_database, start_components
from laptop.alerts import create_alert_topic, take_alerts
from laptop.environment import PROJECT, airflow_environment
from laptop.processes import Processes

pytestmark = pytest.mark.e2e

DAG_ID = "store_sales_etl"
BUCKET = "redshift-etl-data"
CLUSTER = "redshift-etl"


@dataclass
class Outcome:
    """What the run left behind."""

    alerts: list[dict[str, str]]
    run: dict[str, Any]
    tasks: dict[str, str]
    cluster: list[str]
    audit: list[dict[str, Any]]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    folder = tmp_path_factory.mktemp("alerts")
    web_port, aws_port = free_port(), free_port()
    endpoint = f"http://127.0.0.1:{aws_port}"
    environment = airflow_environment(home=folder / "airflow", web_port=web_port, aws_endpoint=endpoint)
    environment |= {
        "AIRFLOW__REDSHIFT_ETL__SQL_DIR": str(broken_sql(folder)),
        "AIRFLOW__REDSHIFT_ETL__TIMEZONE": "UTC",
        # Yesterday's run starts at once, and was due at the midnight that has just passed.
        "AIRFLOW__REDSHIFT_ETL__SCHEDULE": "0 0 * * *",
        "AIRFLOW__REDSHIFT_ETL__DEADLINE": "00:00",
        "AIRFLOW__REDSHIFT_ETL__PAUSE_CLUSTER": "true",
    }
    (folder / "airflow").mkdir()
    with Processes(folder / "logs") as processes, pytest.MonkeyPatch.context() as patch:
        processes.start(
            "local-aws",
            [sys.executable, "-m", "local_aws", "--port", str(aws_port)],
            os.environ | {"PYTHONPATH": str(PROJECT / "include")},
        )
        for name, value in environment.items():
            if name.startswith(("AWS_", "AIRFLOW__REDSHIFT_ETL__")):
                patch.setenv(name, value)
        migrate_database(environment, folder / "logs" / "migrate.log")
        wait_for_aws(endpoint)
        queue = create_alert_topic()
        redshift, s3 = boto3.client("redshift"), boto3.client("s3")
        deliver_nothing_much(s3)
        redshift.pause_cluster(ClusterIdentifier=CLUSTER)
        start_components(processes, environment)
        api = AirflowApi(f"http://127.0.0.1:{web_port}")
        api.wait_until_ready(DAG_ID, processes)
        cluster = ["paused"]
        deadline = time.monotonic() + 150
        ended = False
        while not ended:
            processes.require_alive()
            runs = api._get(f"/api/v2/dags/{DAG_ID}/dagRuns")["dag_runs"]
            ended = bool(runs and runs[0]["end_date"])
            assert time.monotonic() < deadline, runs
            status = redshift.describe_clusters(ClusterIdentifier=CLUSTER)["Clusters"][0]["ClusterStatus"]
            cluster += [status] if status != cluster[-1] else []
            time.sleep(0.5)
        alerts = take_alerts(queue)
        while {"task_failed", "deadline_missed"} - {alert["event"] for alert in alerts}:
            assert time.monotonic() < deadline, alerts
            time.sleep(0.5)
            alerts += take_alerts(queue)
        time.sleep(3)  # a second message for the same failure would come now
        alerts += take_alerts(queue)
        tasks = {i["task_id"]: i["state"] for i in api.task_instances(DAG_ID, runs[0]["dag_run_id"])}
        key = f"audit/statement_runs/{DAG_ID}/{runs[0]['dag_run_id']}.json"
        lines = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode().splitlines()
        api.close()
        yield Outcome(alerts, runs[0], tasks, cluster, [json.loads(line) for line in lines])


def deliver_nothing_much(s3: Any) -> None:
    """Put a file wherever the sensor looks for one: what is in them is never read."""
    day = (datetime.now(UTC) - timedelta(days=1)).date()
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key=f"raw/store_sales/sale_date={day}/part-00000.parquet")
    for name in ("customer", "customer_address", "item", "store"):
        s3.put_object(Bucket=BUCKET, Key=f"raw/{name}/extract_date={day}/part-00000.parquet")


def broken_sql(folder: Path) -> Path:
    shutil.copytree(PROJECT / "sql", folder / "sql")
    (folder / "sql" / "store_sales" / "create_lake.sql").write_text("select * from nowhere;\n")
    return folder / "sql"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_aws(endpoint: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            httpx.get(f"{endpoint}/_local/health").raise_for_status()
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        else:
            return


def test_a_failed_task_sends_one_alert_at_once_and_not_one_for_each_try(outcome: Outcome) -> None:
    (alert,) = [alert for alert in outcome.alerts if alert["event"] == "task_failed"]
    assert alert["subject"].startswith(f"FAILED: {DAG_ID}.create_lake ")
    assert "create_lake.sql, statement 1 of 1, FAILED: ERROR: " in alert["text"]
    assert "select * from nowhere" in alert["text"]
    assert "Try: 1\n" in alert["text"]  # a wrong statement is not tried again
    assert f"/dags/{DAG_ID}/runs/scheduled__" in alert["text"]
    assert "docs/runbook.md" in alert["text"]


def test_a_scheduled_run_that_is_late_sends_one_alert(outcome: Outcome) -> None:
    (alert,) = [alert for alert in outcome.alerts if alert["event"] == "deadline_missed"]
    assert alert["subject"].startswith(f"LATE: {DAG_ID} ")
    assert alert["subject"].endswith(" not ready by 00:00")
    assert "Run: scheduled__" in alert["text"]


def test_nothing_else_is_sent(outcome: Outcome) -> None:
    assert {alert["event"] for alert in outcome.alerts} == {"task_failed", "deadline_missed"}


def test_a_failed_run_is_red_though_its_last_tasks_succeed(outcome: Outcome) -> None:
    assert outcome.run["run_type"] == "scheduled"
    assert outcome.run["state"] == "failed"
    assert outcome.tasks["create_lake"] == "failed"
    assert outcome.tasks["load_store_sales"] == "upstream_failed"
    assert outcome.tasks["record_statements"] == "success"
    assert outcome.tasks["pause_cluster"] == "success"


def test_the_cluster_is_resumed_for_the_run_and_paused_after_its_failure(outcome: Outcome) -> None:
    assert outcome.cluster == ["paused", "available", "paused"]


def test_the_failed_statement_is_in_the_audit(outcome: Outcome) -> None:
    (failed,) = [row for row in outcome.audit if row["status"] == "FAILED"]
    assert (failed["task_id"], failed["statement"]) == ("create_lake", "select * from nowhere")
    assert "nowhere" in failed["error"]
