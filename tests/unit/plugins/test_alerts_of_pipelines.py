"""Each pipeline's own callbacks, as its file names them, and the one message that each sends to a queue."""

from __future__ import annotations

import asyncio
import importlib.util
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk._shared.module_loading import import_string
from plugins_context import dag_run

from laptop.environment import PROJECT, airflow_environment

PIPELINES = ("store_sales_etl", "reviews_etl")
RUN_ID = "manual__2003-01-02T03:04:05+00:00"


@pytest.fixture(params=PIPELINES)
def dag(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """The DAG as its file makes it, with the settings of a laptop."""
    home = tmp_path_factory.mktemp("airflow")
    for name, value in airflow_environment(home=home, web_port=1, aws_endpoint="http://127.0.0.1:9").items():
        if name.startswith("AIRFLOW__REDSHIFT_ETL__"):
            monkeypatch.setenv(name, value)
    spec = importlib.util.spec_from_file_location(request.param, PROJECT / "dags" / f"{request.param}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.dag


def context(dag: Any, **more: Any) -> dict[str, Any]:
    """What Airflow hands a callback of this DAG."""
    task = dag.tasks[0]
    ti = SimpleNamespace(
        dag_id=dag.dag_id, task_id=task.task_id, run_id=RUN_ID, try_number=1, log_url="http://airflow/the-log"
    )
    run = dag_run(dag_id=dag.dag_id, run_id=RUN_ID)
    return {"dag": dag, "task": task, "ti": ti, "dag_run": run, "params": {}} | more


def callbacks(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]


def test_a_failed_task_sends_one_message(dag: Any, received: Any) -> None:
    """One task's callback is every task's, as the DAGs' integrity tests show."""
    for callback in callbacks(dag.tasks[0].on_failure_callback):
        callback(context(dag, exception=ValueError("no such column")))
    (alert,) = received()
    assert alert["Subject"].startswith(f"FAILED: {dag.dag_id}.")
    assert len(alert["Subject"]) < 100
    assert "Error: ValueError: no such column" in alert["Message"]
    assert "Log: http://airflow/the-log" in alert["Message"]
    assert "What to do: " in alert["Message"]


def test_a_failed_run_sends_one_message_and_none_beside_its_tasks(dag: Any, received: Any) -> None:
    for callback in callbacks(dag.on_failure_callback):
        callback(context(dag, reason="task_failure"))
    assert received() == []
    for callback in callbacks(dag.on_failure_callback):
        callback(context(dag, reason="timed_out"))
    (alert,) = received()
    assert alert["Subject"].startswith(f"FAILED: {dag.dag_id} ")
    assert "longer than its limit of 4:00:00" in alert["Message"]


def test_a_missed_deadline_sends_one_message(dag: Any, received: Any) -> None:
    run = {"dag_id": dag.dag_id, "dag_run_id": RUN_ID, "logical_date": None, "state": "running"}
    late = {"dag_run": run, "deadline": {"id": "1", "deadline_time": "2003-01-03T14:00:00Z"}}
    for deadline in callbacks(dag.deadline):
        alert = import_string(deadline.callback.path)(**deadline.callback.kwargs, context=late)

        async def run_in_triggerer(alert: Any = alert) -> None:
            await alert

        asyncio.run(run_in_triggerer())
    (alert,) = received()
    assert alert["Subject"].startswith(f"LATE: {dag.dag_id} not ready by ")
    assert "and is running" in alert["Message"]


def test_a_success_sends_one_message(dag: Any, received: Any) -> None:
    for callback in callbacks(dag.on_success_callback):
        callback(context(dag))
    (alert,) = received()
    assert alert["Subject"].startswith(f"DONE: {dag.dag_id}")
    assert alert["MessageAttributes"]["event"]["Value"] == "run_succeeded"
