"""Alerts of a real Airflow: its scheduler, DAG processor and triggerer, read from the topic's queue.

The schedule is on and the source system delivers nothing, so that a scheduled run waits and misses its
deadline; one SQL file is broken, so that a task fails.
"""

import os
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from laptop.airflow import AirflowApi, migrate_database, start_components
from laptop.alerts import create_alert_topic, take_alerts
from laptop.environment import PROJECT, airflow_environment
from laptop.processes import Processes

pytestmark = pytest.mark.e2e

DAG_ID = "store_sales_etl"
Alerts = list[dict[str, str]]


@pytest.fixture(scope="module")
def alerts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alerts]:
    """Every alert that arrives while a scheduled run waits and a task of it fails for good."""
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
        start_components(processes, environment)
        api = AirflowApi(f"http://127.0.0.1:{web_port}")
        api.wait_until_ready(DAG_ID, processes)
        found: Alerts = []
        deadline = time.monotonic() + 120
        while {"task_failed", "deadline_missed"} - {alert["event"] for alert in found}:
            processes.require_alive()
            assert time.monotonic() < deadline, found
            found += take_alerts(queue)
            time.sleep(0.5)
        time.sleep(3)  # a second message for the same failure would come now
        found += take_alerts(queue)
        api.close()
        yield found


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


def test_a_failed_task_sends_one_alert_at_once_and_not_one_for_each_try(alerts: Alerts) -> None:
    (alert,) = [alert for alert in alerts if alert["event"] == "task_failed"]
    assert alert["subject"].startswith(f"FAILED: {DAG_ID}.create_lake ")
    assert "create_lake.sql, statement 1 of 1, FAILED: ERROR: " in alert["text"]
    assert "select * from nowhere" in alert["text"]
    assert "Try: 1\n" in alert["text"]  # a wrong statement is not tried again
    assert f"/dags/{DAG_ID}/runs/scheduled__" in alert["text"]
    assert "docs/runbook.md" in alert["text"]


def test_a_scheduled_run_that_is_late_sends_one_alert(alerts: Alerts) -> None:
    (alert,) = [alert for alert in alerts if alert["event"] == "deadline_missed"]
    assert alert["subject"].startswith(f"LATE: {DAG_ID} ")
    assert alert["subject"].endswith(" not ready by 00:00")
    assert "Run: scheduled__" in alert["text"]


def test_nothing_else_is_sent(alerts: Alerts) -> None:
    assert {alert["event"] for alert in alerts} == {"task_failed", "deadline_missed"}
