"""The audit of a run, written by the real script into a warehouse that runs SQL."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import jinja2
import pytest
from plugins_context import TaskStateStore

from local_aws.server import Server
from redshift_etl.failure import RedshiftScriptError
from redshift_etl.operators.record_statements import RecordStatementsOperator
from redshift_etl.operators.redshift_script import RedshiftScriptOperator

BUCKET = "redshift-etl-data"
SQL = Path(__file__).parents[3] / "sql"
TARGET: dict[str, Any] = {
    "database": "dev",
    "cluster_identifier": "redshift-etl",
    "db_user": "awsuser",
    "deferrable": False,
}


@pytest.fixture
def _no_waiting() -> None:
    """Here time passes as it does."""


@pytest.fixture(autouse=True)
def data_api(aws: Callable[[str], Any]) -> Any:
    aws("s3").create_bucket(Bucket=BUCKET)
    return aws("redshift-data")


class Run:
    """A run of a DAG with two tasks and the audit; each call is a try of one of them."""

    def __init__(self, make_context: Callable[..., Any], run_id: str = "scheduled__2003-01-03") -> None:
        self.make_context = make_context
        self.run_id = run_id
        self.stores: dict[str, TaskStateStore] = {}
        self.tries: dict[str, int] = {}

    def script(self, task_id: str, text: str, **arguments: Any) -> None:
        task = RedshiftScriptOperator(task_id=task_id, sql=f"{task_id}.sql", **TARGET, **arguments)
        task.sql = text
        self._execute(task)

    def record(self) -> list[Any]:
        task = RecordStatementsOperator(task_id="record_statements", bucket_name=BUCKET, **TARGET)
        scripts = [
            RedshiftScriptOperator(task_id=task_id, sql=f"{task_id}.sql", **TARGET)
            for task_id in ("stage", "load")
        ]
        dag = SimpleNamespace(tasks=[*scripts, task], dag_id="store_sales_etl")
        names = {
            "dag_run": SimpleNamespace(dag_id="store_sales_etl", run_id=self.run_id),
            "data_bucket": BUCKET,
            "iam_role_arn": "arn:aws:iam::123456789012:role/redshift-etl-warehouse",
        }
        task.sql = jinja2.Template((SQL / task.sql).read_text()).render(names)
        task.key = jinja2.Template(task.key).render(names)
        task.parameters = [
            {"name": "dag_id", "value": "store_sales_etl"},
            {"name": "run_id", "value": self.run_id},
        ]
        return list(self._execute(task, dag))

    def _execute(self, task: Any, dag: Any = None) -> Any:
        self.tries[task.task_id] = number = self.tries.get(task.task_id, 0) + 1
        # As after a clear: every try is asked for anew.
        context = self.make_context(task, try_number=number, max_tries=task.retries + number - 1)
        context["ti"].run_id = self.run_id
        context["task_state_store"] = self.stores.setdefault(task.task_id, TaskStateStore())
        if dag:
            context["dag"] = dag
        return task.execute(context)


@pytest.fixture
def run(make_context: Callable[..., Any]) -> Run:
    return Run(make_context)


def select(data_api: Any, query: str) -> list[list[Any]]:
    answer = data_api.execute_statement(
        Sql=query, Database="dev", ClusterIdentifier="redshift-etl", DbUser="awsuser", WaitTimeSeconds=30
    )
    found = data_api.describe_statement(Id=answer["Id"], WaitTimeSeconds=30)
    assert found["Status"] == "FINISHED", found.get("Error")
    rows = data_api.get_statement_result(Id=answer["Id"])["Records"]
    return [[None if field.get("isNull") else next(iter(field.values())) for field in row] for row in rows]


def test_r8_each_statement_of_a_run_is_one_row(run: Run, data_api: Any) -> None:
    run.script("stage", "create table sales (n integer); insert into sales values (1), (2)")
    run.script("load", "select n from sales")
    run.record()
    assert select(
        data_api,
        "select dag_id, run_id, task_id, attempt, statement_number, database_user, file, row_count, status, "
        "statement from etl_audit.statement_runs order by submitted_at, statement_number",
    ) == [
        ["store_sales_etl", run.run_id, "stage", 1, 1, "awsuser", "stage.sql", None, "FINISHED",
         "create table sales (n integer)"],
        ["store_sales_etl", run.run_id, "stage", 1, 2, "awsuser", "stage.sql", 2, "FINISHED",
         "insert into sales values (1), (2)"],
        ["store_sales_etl", run.run_id, "load", 1, 1, "awsuser", "load.sql", 2, "FINISHED",
         "select n from sales"],
    ]  # fmt: skip
    (row,) = select(
        data_api,
        "select byte_count, duration_seconds, query_id, error from etl_audit.statement_runs"
        " where task_id = 'load'",
    )
    assert row[0] > 0
    assert float(row[1]) >= 0
    assert row[2] > 0
    assert row[3] is None


def test_a_failed_statement_is_recorded_with_redshifts_message_and_its_retry_beside_it(
    run: Run, data_api: Any
) -> None:
    with pytest.raises(RedshiftScriptError):
        run.script("load", "select 1; insert into nowhere values ('it''s, \"quoted\" | ü')")
    run.script("load", "select 2")
    run.record()
    rows = select(
        data_api,
        "select attempt, statement_number, status, error from etl_audit.statement_runs"
        " order by attempt, statement_number",
    )
    assert [row[:2] for row in rows] == [[1, 1], [1, 2], [2, 1]]
    assert rows[1][2] == "FAILED"
    assert "nowhere" in rows[1][3]
    assert rows[2][2:] == ["FINISHED", None]


def test_recording_again_doubles_nothing_and_forgets_nothing(run: Run, data_api: Any, server: Server) -> None:
    run.script("stage", "select 1")
    run.record()
    before = select(data_api, "select * from etl_audit.statement_runs")
    run.record()
    assert select(data_api, "select * from etl_audit.statement_runs") == before
    # A day later the Data API has forgotten the first statement, and the task is cleared.
    server.redshift_data._statements.clear()
    run.script("stage", "select 2")
    run.record()
    assert select(data_api, "select attempt, statement from etl_audit.statement_runs order by attempt") == [
        [1, "select 1"],
        [2, "select 2"],
    ]


def test_the_query_that_asks_unless_is_recorded_too(run: Run, data_api: Any) -> None:
    run.script("load", "select 2", unless="select 1")
    run.record()
    assert select(data_api, "select task_id, file, statement from etl_audit.statement_runs") == [
        ["load", "load.sql (unless)", "select 1"]
    ]


def test_a_run_whose_name_begins_alike_is_another_run(run: Run, make_context: Any, data_api: Any) -> None:
    other = Run(make_context, run_id=f"{run.run_id}.load")
    other.script("load", "select 'other'")
    run.script("load", "select 'mine'")
    run.record()
    assert select(data_api, "select statement from etl_audit.statement_runs") == [["select 'mine'"]]
    other.record()
    assert select(data_api, "select count(*) from etl_audit.statement_runs") == [[2]]


def test_a_run_that_sent_nothing_records_nothing(run: Run) -> None:
    assert run.record() == []


def test_the_list_stays_in_s3(run: Run) -> None:
    run.script("stage", "select 1")
    run.record()
    key = f"audit/statement_runs/store_sales_etl/{run.run_id}.json"
    body = boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
    assert [json.loads(line)["task_id"] for line in body.splitlines()] == ["stage"]
