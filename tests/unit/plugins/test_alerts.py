"""Alerts, read from an SQS queue that subscribes to the topic, and as text."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from airflow.sdk import DAG
from plugins_context import TOPIC, dag_run, described, part

from redshift_etl.failure import script_error
from redshift_etl.notifications import message
from redshift_etl.notifications.message import IF_IT_FAILS
from redshift_etl.notifications.sns import (
    DeadlineMissedAlert,
    RunFailedAlert,
    RunSucceededAlert,
    TaskFailedAlert,
)
from redshift_etl.refresh_date import refresh_date


def context(**changes: Any) -> dict[str, Any]:
    """What Airflow hands a callback."""
    dag = DAG(
        dag_id="store_sales_etl",
        schedule=None,
        dagrun_timeout=timedelta(hours=4),
        user_defined_macros={"refresh_date": partial(refresh_date, timezone="America/New_York")},
    )
    ti = SimpleNamespace(
        dag_id="store_sales_etl",
        task_id="load_item",
        run_id="scheduled__2003-01-02T10:00:00+00:00",
        try_number=3,
        log_url="http://airflow/dags/store_sales_etl/runs/r/tasks/load_item?try_number=3",
    )
    values = {
        "dag": dag,
        "task": SimpleNamespace(doc_md=None, is_teardown=False),
        "ti": ti,
        "dag_run": dag_run(run_id=ti.run_id, logical_date=datetime(2003, 1, 2, 10, tzinfo=UTC)),
        "params": {},
    }
    return values | changes


def redshift_failure() -> Exception:
    return script_error(
        described(
            "FAILED",
            SubStatements=[
                part(1, "FINISHED", "delete from tpcds.stg_item"),
                part(
                    2, "FAILED", "insert into tpcds.stg_item\n select  1", Error='ERROR: relation "x" does …'
                ),
            ],
        ),
        "store_sales/load_item.sql",
    )


def test_a_failed_task_sends_one_message_that_tells_what_why_where_and_what_to_do(received: Any) -> None:
    TaskFailedAlert(topic_arn=TOPIC)(context(exception=redshift_failure()))
    (alert,) = received()
    assert alert["Subject"] == "FAILED: store_sales_etl.load_item 2003-01-02"
    assert alert["MessageAttributes"]["event"]["Value"] == "task_failed"
    assert "Run: scheduled__2003-01-02T10:00:00+00:00" in alert["Message"]
    assert "Try: 3" in alert["Message"]
    assert (
        'store_sales/load_item.sql, statement 2 of 2, FAILED: ERROR: relation "x" does …'
        " -- statement 11111111-1111-4111-8111-111111111111:2: insert into tpcds.stg_item select 1"
    ) in alert["Message"]
    assert "Log: http://airflow/dags/store_sales_etl/runs/r/tasks/load_item?try_number=3" in alert["Message"]
    assert 'What to do: See docs/runbook.md, "A task failed".' in alert["Message"]


def test_the_tasks_own_advice_comes_first(received: Any) -> None:
    task = SimpleNamespace(
        doc_md=f"\n    Waits.\n\n    {IF_IT_FAILS}ask the source for the files.\n    ", is_teardown=False
    )
    TaskFailedAlert(topic_arn=TOPIC)(context(task=task, exception=ValueError("no file")))
    (alert,) = received()
    assert "What to do: Ask the source for the files. See docs/runbook.md" in alert["Message"]
    assert "Error: ValueError: no file" in alert["Message"]


def test_a_task_whose_process_died_is_reported_without_an_exception(received: Any) -> None:
    TaskFailedAlert(topic_arn=TOPIC)(context())
    assert "Error: the task's process ended without one" in received()[0]["Message"]


def test_a_run_whose_task_failed_sends_no_second_message(received: Any) -> None:
    RunFailedAlert(topic_arn=TOPIC)(context(reason="task_failure"))
    assert received() == []


def test_a_run_that_timed_out_is_reported_though_no_task_failed(received: Any) -> None:
    RunFailedAlert(topic_arn=TOPIC)(context(reason="timed_out"))
    (alert,) = received()
    assert alert["Subject"] == "FAILED: store_sales_etl 2003-01-02 timed_out"
    assert "longer than its limit of 4:00:00" in alert["Message"]
    assert "Unfinished task: load_item" in alert["Message"]


def test_airflows_smallest_context_is_enough(received: Any) -> None:
    """Without a task to blame, Airflow hands over the DAG, the run's id and the reason, and no more."""
    smallest = {"dag": context()["dag"], "run_id": "by hand", "reason": "all_tasks_deadlocked"}
    RunFailedAlert(topic_arn=TOPIC)(smallest)
    (alert,) = received()
    assert alert["Subject"] == "FAILED: store_sales_etl all_tasks_deadlocked"
    assert "/dags/store_sales_etl/runs/by%20hand" in alert["Message"]


def test_a_success_is_told_with_its_time(received: Any) -> None:
    run = dag_run(end_date=datetime(2003, 1, 2, 3, 6, 6, tzinfo=UTC))
    RunSucceededAlert(topic_arn=TOPIC)(context(dag_run=run))
    (alert,) = received()
    assert alert["Subject"] == "DONE: store_sales_etl 2003-01-01"  # 03:04 UTC is the day before in New York
    assert "Took: 120 s" in alert["Message"]


def late() -> dict[str, Any]:
    """What the scheduler hands a deadline's callback: texts and dicts."""
    run = {
        "dag_id": "store_sales_etl",
        "dag_run_id": "scheduled__2003-01-02T10:00:00+00:00",
        "logical_date": "2003-01-02T10:00:00Z",
        "state": "running",
    }
    return {"dag_run": run, "deadline": {"id": "1", "deadline_time": "2003-01-03T14:00:00Z"}}


def test_a_missed_deadline_is_sent_from_the_triggerer(received: Any) -> None:
    async def run() -> None:
        await DeadlineMissedAlert(topic_arn=TOPIC, timezone="America/New_York", context=late())

    asyncio.run(run())
    (alert,) = received()
    assert alert["Subject"] == "LATE: store_sales_etl 2003-01-02 not ready by 09:00"
    assert "was due by 2003-01-03 09:00 (America/New_York) and is running" in alert["Message"]


@pytest.mark.parametrize("dag_id", ["d" * 250, "é\nü" * 60])
def test_the_subject_is_what_sns_accepts(dag_id: str) -> None:
    ti = SimpleNamespace(**vars(context()["ti"]) | {"dag_id": dag_id})
    subject = message.task_failed(context(ti=ti)).subject
    assert len(subject) < 100
    assert subject.isascii()
    assert subject.isprintable()


def test_a_refresh_date_that_is_no_date_does_not_silence_its_own_alert(received: Any) -> None:
    TaskFailedAlert(topic_arn=TOPIC)(context(params={"refresh_date": "2003-02-30"}))
    assert received()[0]["Subject"] == "FAILED: store_sales_etl.load_item"


def test_a_huge_error_still_fits_into_a_message(received: Any) -> None:
    TaskFailedAlert(topic_arn=TOPIC)(context(exception=ValueError("x" * 300_000)))
    assert len(received()[0]["Message"]) < 10_000


def test_an_alert_that_cannot_be_sent_is_logged_with_what_it_says(
    received: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    boto3.client("sns").delete_topic(TopicArn=TOPIC)
    TaskFailedAlert(topic_arn=TOPIC)(context(exception=redshift_failure()))
    log = capsys.readouterr().out
    assert "could not be sent to arn:aws:sns:us-east-1:123456789012:redshift-etl-alerts (" in log
    assert "NotFound" in log
    assert "FAILED: store_sales_etl.load_item 2003-01-02" in log
    assert received() == []


def test_an_alert_that_cannot_be_composed_is_logged(
    received: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    TaskFailedAlert(topic_arn=TOPIC)({"dag": None})
    assert "could not be sent" in capsys.readouterr().out
    assert received() == []
