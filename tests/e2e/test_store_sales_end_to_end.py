"""store_sales_etl for two days: real local_aws, real API server, scheduler, DAG processor and triggerer.

Every table and both reports are compared with a computation straight from the delivered Parquet files.
"""

import os
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import httpx
import psutil
import pytest
from compare_store_sales import assert_reports_equal, assert_tables_equal
from data_api import query
from datasets import delivery, store_sales
from expected_store_sales import load_days
from laptop.airflow import AirflowApi, AirflowError, migrate_database, start_components
from laptop.alerts import create_alert_topic, take_alerts
from laptop.environment import PROJECT, airflow_environment
from laptop.processes import Processes

pytestmark = pytest.mark.e2e

DAG_ID = "store_sales_etl"
DAYS = [date(2003, 1, 1), date(2003, 1, 2)]
BUCKET = "redshift-etl-data"


@dataclass
class Stack:
    api: AirflowApi
    processes: Processes
    s3: Any
    redshift: Any
    raw: Path
    alerts: str

    def run(self, run_id: str, *, logical_date: str | None, seconds: float = 180, **conf: Any) -> str:
        self.api.trigger(DAG_ID, run_id, logical_date, conf)
        deadline = time.monotonic() + seconds
        while (state := self.api.run_state(DAG_ID, run_id)) not in {"success", "failed"}:
            self.processes.require_alive()
            assert time.monotonic() < deadline, self.states(run_id)
            time.sleep(0.5)
        return state

    def states(self, run_id: str) -> dict[str, str]:
        return {i["task_id"]: i["state"] for i in self.api.task_instances(DAG_ID, run_id)}

    def log(self, run_id: str, task_id: str) -> str:
        (instance,) = [i for i in self.api.task_instances(DAG_ID, run_id) if i["task_id"] == task_id]
        return "\n".join(self.api.task_log(DAG_ID, run_id, task_id, instance["try_number"]))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("e2e")
    web_port, aws_port = free_port(), free_port()
    endpoint = f"http://127.0.0.1:{aws_port}"
    environment = airflow_environment(home=folder / "airflow", web_port=web_port, aws_endpoint=endpoint)
    (folder / "airflow").mkdir()
    # Retries are for outages; a test of bad input should not wait for them.
    environment["AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY"] = "1"
    with Processes(folder / "logs") as processes:
        started = set(psutil.Process().children(recursive=True))
        processes.start(
            "local-aws",
            [sys.executable, "-m", "local_aws", "--port", str(aws_port)],
            os.environ | {"PYTHONPATH": str(PROJECT / "include")},
        )
        migrate_database(environment, folder / "logs" / "migrate.log")
        start_components(processes, environment)
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
            api = AirflowApi(f"http://127.0.0.1:{web_port}")
            wait_for(lambda: httpx.get(f"{endpoint}/_local/health").is_success)
            alerts = create_alert_topic()
            deliveries = store_sales.deliver(
                DAYS[0], DAYS[-1], scale_factor=0.1, cache=PROJECT / ".local" / "datasets"
            )
            delivery.upload(deliveries, BUCKET, s3)
            delivery.copy_to(deliveries, folder)
            api.wait_until_ready(DAG_ID, processes)
            yield Stack(api, processes, s3, redshift, folder / "raw", alerts)
            api.close()
        mine = set(psutil.Process().children(recursive=True)) - started
    _, alive = psutil.wait_procs(mine, timeout=5)
    assert not alive, f"processes left behind: {alive}"


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


def test_two_days_give_the_tables_and_reports_that_the_extracts_imply(stack: Stack) -> None:
    for number, day in enumerate(DAYS, start=1):
        # The first day comes from the logical date, the second from the parameter.
        if number == 1:
            state = stack.run("first", logical_date=f"{day}T12:00:00Z")
        else:
            state = stack.run("second", logical_date=None, refresh_date=str(day))
        assert state == "success", stack.states("first" if number == 1 else "second")
        expected = load_days(stack.raw, DAYS[:number])
        assert_tables_equal(stack.redshift, expected)
        assert_reports_equal(stack.s3, BUCKET, expected, day)


def test_running_a_day_again_changes_nothing(stack: Stack) -> None:
    assert stack.run("again", logical_date=None, refresh_date=str(DAYS[-1])) == "success"
    assert_tables_equal(stack.redshift, load_days(stack.raw, DAYS))


def test_the_audit_tells_statement_user_rows_and_time(stack: Stack) -> None:
    audit = stack.api.xcom(DAG_ID, "second", "load_store_sales")
    assert [entry["status"] for entry in audit] == ["FINISHED", "FINISHED"]
    assert audit[1]["rows"] == 166
    assert {entry["database_user"] for entry in audit} == {"awsuser"}
    assert "166 rows" in stack.log("second", "load_store_sales")


def test_every_statement_of_a_run_is_a_row_of_the_audit_table(stack: Stack) -> None:
    columns = "task_id, attempt, statement_number, status, row_count, database_user, file"
    rows = query(stack.redshift, f"select {columns} from etl_audit.statement_runs where run_id = 'second'")
    scripts = {i for i in stack.states("second") if i not in {"wait_for_extract", "record_statements"}}
    assert {row["task_id"] for row in rows} == scripts
    assert {(row["attempt"], row["status"], row["database_user"]) for row in rows} == {
        (1, "FINISHED", "awsuser")
    }
    (inserted,) = [r for r in rows if (r["task_id"], r["statement_number"]) == ("load_store_sales", 2)]
    assert (inserted["row_count"], inserted["file"]) == (166, "store_sales/load_store_sales.sql")


def test_a_success_is_told_and_the_assets_say_how_much(stack: Stack) -> None:
    found: list[dict[str, str]] = []
    wait_for(lambda: found.extend(take_alerts(stack.alerts)) or len(found) >= 3, seconds=30)
    assert {alert["event"] for alert in found} == {"run_succeeded"}
    assert f"DONE: {DAG_ID} {DAYS[0]}" in {alert["subject"] for alert in found}
    events = stack.api._get("/api/v2/assets/events", limit=100)["asset_events"]
    told = {(e["name"], e["source_run_id"]): e["extra"] for e in events}
    assert told["tpcds.store_sales", "second"]["rows"] == 166
    assert told["tpcds.store_sales", "second"]["refresh_date"] == str(DAYS[1])
    assert told["daily_store_sales", "second"]["rows"] > 0


def test_a_refresh_date_that_does_not_exist_is_refused_before_anything_runs(stack: Stack) -> None:
    with pytest.raises(AirflowError, match="refresh_date"):
        stack.run("bad-date", logical_date=None, refresh_date="2003-02-30")


def test_a_file_with_the_wrong_column_type_fails_and_leaves_the_tables_as_they_were(stack: Stack) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    key = f"raw/store_sales/sale_date={DAYS[1]}/part-00000.parquet"
    good = stack.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    table = pq.ParquetFile(pa.BufferReader(good)).read()
    position = table.column_names.index("ss_quantity")
    wrong = table.set_column(position, "ss_quantity", pa.array(["many"] * len(table)))
    sink = pa.BufferOutputStream()
    pq.write_table(wrong, sink)
    stack.s3.put_object(Bucket=BUCKET, Key=key, Body=sink.getvalue().to_pybytes())
    try:
        # Retries would repeat the same answer: fail the run once the first try has failed.
        assert stack.run("wrong-type", logical_date=None, refresh_date=str(DAYS[1]), seconds=400) == "failed"
    finally:
        stack.s3.put_object(Bucket=BUCKET, Key=key, Body=good)
    log = stack.log("wrong-type", "stage_store_sales")
    assert key in log
    assert "ss_quantity" in log
    assert "stage_store_sales.sql" in log
    assert stack.states("wrong-type")["load_store_sales"] == "upstream_failed"
    assert_tables_equal(stack.redshift, load_days(stack.raw, DAYS))
    # One message, though a run failed too; and the audit holds what failed.
    found: list[dict[str, str]] = []
    wait_for(lambda: found.extend(take_alerts(stack.alerts)) or found, seconds=30)
    time.sleep(3)
    found += take_alerts(stack.alerts)
    assert [alert["subject"] for alert in found] == [f"FAILED: {DAG_ID}.stage_store_sales {DAYS[1]}"]
    assert "ss_quantity" in found[0]["text"]
    failed = "select * from etl_audit.statement_runs where run_id = 'wrong-type' and status = 'FAILED'"
    (row,) = query(stack.redshift, failed)
    assert row["task_id"] == "stage_store_sales"
    assert "ss_quantity" in row["error"]


def test_days_that_run_at_once_load_what_they_loaded_one_after_the_other(stack: Stack) -> None:
    figures = (
        "select ss_sold_date_sk, count(*) as lines, sum(ss_quantity) as quantity, sum(ss_net_paid) as sales,"
        " (select count(*) from tpcds.item) as versions, (select count(*) from tpcds.customer) as customers,"
        " (select count(*) from tpcds.customer_address) as addresses"
        " from tpcds.store_sales group by ss_sold_date_sk order by ss_sold_date_sk"
    )
    before = query(stack.redshift, figures)
    assert len(before) == len(DAYS)
    runs = {f"at-once-{day}": day for day in DAYS}
    for run_id, day in runs.items():
        stack.api.trigger(DAG_ID, run_id, None, {"refresh_date": str(day)})
    ended = {"success", "failed"}
    wait_for(lambda: all(stack.api.run_state(DAG_ID, run_id) in ended for run_id in runs), seconds=240)
    assert {stack.api.run_state(DAG_ID, run_id) for run_id in runs} == {"success"}
    begun, done = (
        [chosen(i[key] for i in stack.api.task_instances(DAG_ID, run_id)) for run_id in runs]
        for chosen, key in ((min, "start_date"), (max, "end_date"))
    )
    assert max(begun) < min(done), "the runs did not overlap"
    assert query(stack.redshift, figures) == before
