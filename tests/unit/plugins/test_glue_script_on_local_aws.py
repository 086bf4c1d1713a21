"""GlueScriptOperator and its trigger against Glue runs that really run."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import boto3
import httpx
import pytest
from airflow.sdk._shared.module_loading import import_string
from airflow.sdk.exceptions import TaskDeferralTimeout, TaskDeferred
from botocore.exceptions import ClientError, ReadTimeoutError
from plugins_context import TaskStateStore
from reviews_account import ENDLESS, FILE, JOB, runs, script, set_up, sql

from laptop import reviews_job
from local_aws.server import Server
from redshift_etl.failure import UnrepeatableScriptError
from redshift_etl.operators.glue_script import GlueScriptError, GlueScriptOperator
from redshift_etl.operators.once import TaskStoppedError

Context = Callable[..., Any]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(wire_port=0, faults=True) as running:
        yield running


@pytest.fixture
def _no_waiting() -> None:
    """Here time passes as it does."""


@pytest.fixture(autouse=True)
def glue(aws: Callable[[str], Any]) -> Any:
    return set_up(aws)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def is_inserting(server: Server) -> bool:
    records = server._history.records()
    return any(
        one["status"] == "STARTED" and one["sqls"][0].startswith("insert into kept") for one in records
    )


@pytest.fixture
def deferred(
    server: Server, make_context: Context, monkeypatch: pytest.MonkeyPatch
) -> tuple[GlueScriptOperator, Any]:
    """An operator that waits in the triggerer for a run which has deleted and goes on inserting."""
    monkeypatch.setattr(GlueScriptOperator, "quick_seconds", 0.0)
    operator = script(ENDLESS, retries=2, execution_timeout=timedelta(minutes=5))
    with pytest.raises(TaskDeferred) as caught:
        operator.execute(make_context(operator))
    until(lambda: is_inserting(server))
    return operator, caught.value.trigger


def test_the_script_runs_once_and_retries_take_the_same_run(glue: Any, make_context: Context) -> None:
    first = script("insert into kept values (:n)", parameters={"n": "8"}, retries=2, deferrable=False)
    run_id = first.execute(make_context(first))
    second = script("insert into kept values (9)", retries=2, deferrable=False)
    assert second.execute(make_context(second, try_number=2)) == run_id
    assert sql("select n from kept order by n") == [7, 8]
    assert [run["JobRunState"] for run in runs(glue)] == ["SUCCEEDED"]


def test_a_try_that_died_before_remembering_its_run_is_followed_by_one_that_finds_it(
    glue: Any, make_context: Context, store: TaskStateStore
) -> None:
    operator = script("insert into kept values (8)", retries=2, deferrable=False)
    run_id = operator.execute(make_context(operator))
    store[operator.external_id_key]["work_id"] = ""
    assert operator.execute(make_context(operator, try_number=2)) == run_id
    assert len(runs(glue)) == 1


def test_a_start_whose_answer_is_lost_starts_one_run(
    glue: Any, make_context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = script("insert into kept values (8)", deferrable=False)
    client = operator._watch.client
    start = client.start_job_run

    def lost(**request: Any) -> Any:
        start(**request)
        raise ReadTimeoutError(endpoint_url="http://glue")

    monkeypatch.setattr(client, "start_job_run", lost)
    operator.execute(make_context(operator))
    assert len(runs(glue)) == 1
    assert sql("select n from kept order by n") == [7, 8]


@pytest.mark.parametrize("faults", [{"delay": 5}, {"drop_response": True}])
def test_a_start_that_glue_answers_too_late_or_never_starts_one_run(
    server: Server, glue: Any, make_context: Context, faults: dict[str, Any]
) -> None:
    """The run shows when whoever asked for it has stopped waiting."""
    fault = {"service": "glue", "action": "StartJobRun", "times": 1} | faults
    httpx.post(f"{server.endpoint_url}/_local/faults", json=fault).raise_for_status()
    operator = script("insert into kept values (8)", deferrable=False, botocore_config={"read_timeout": 2})
    operator.execute(make_context(operator))
    assert [run["JobRunState"] for run in runs(glue)] == ["SUCCEEDED"]
    assert sql("select n from kept order by n") == [7, 8]


def test_a_start_that_never_reached_glue_is_asked_for_again(
    glue: Any, make_context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GlueScriptOperator, "landing_seconds", 1)
    operator = script("insert into kept values (8)", deferrable=False)
    client = operator._watch.client
    start = client.start_job_run
    answers = iter([ReadTimeoutError(endpoint_url="http://glue")])

    def lost(**request: Any) -> Any:
        for error in answers:
            raise error
        return start(**request)

    monkeypatch.setattr(client, "start_job_run", lost)
    operator.execute(make_context(operator))
    assert [run["JobRunState"] for run in runs(glue)] == ["SUCCEEDED"]


def test_a_task_that_is_told_to_stop_while_glue_is_busy_starts_nothing_more(
    glue: Any, make_context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = script("insert into kept values (8)", deferrable=False)
    asked: list[str] = []

    def busy(**_: Any) -> None:
        asked.append("start")
        operator.on_kill()
        answer: Any = {"Error": {"Code": "ThrottlingException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
        raise ClientError(answer, "StartJobRun")

    monkeypatch.setattr(operator._watch.client, "start_job_run", busy)
    with pytest.raises(TaskStoppedError):
        operator.execute(make_context(operator))
    assert asked == ["start"]
    assert runs(glue) == []


def test_a_clear_after_success_runs_it_again(glue: Any, make_context: Context) -> None:
    for max_tries in (2, 3):
        operator = script("insert into kept values (8)", retries=2, deferrable=False)
        operator.execute(make_context(operator, max_tries=max_tries))
    assert len(runs(glue)) == 2


def test_what_the_text_of_a_statement_says_does_not_decide_whether_a_retry_helps(
    make_context: Context,
) -> None:
    operator = script("insert into kept select 1 / (n - 7) from kept where 'syntax error at or near' <> ''")
    operator.deferrable = False
    with pytest.raises(GlueScriptError, match="ivi"):
        operator.execute(make_context(operator))


def test_a_failing_statement_is_the_tasks_error_and_a_retry_is_a_new_run(
    glue: Any, make_context: Context
) -> None:
    operator = script("delete from kept; insert into kept select n from nowhere", retries=2, deferrable=False)
    with pytest.raises(UnrepeatableScriptError) as error:
        operator.execute(make_context(operator))
    text = str(error.value)
    assert f"{FILE}, statement 2 of 2, failed: " in text
    assert 'relation "nowhere" does not exist' in text
    assert "-- insert into kept select n from nowhere" in text
    assert "log group /aws-glue/python-jobs/error, stream jr_" in text
    assert sql("select n from kept") == [7]
    again = script("insert into kept values (8)", retries=2, deferrable=False)
    again.execute(make_context(again, try_number=2))
    assert [run["JobRunState"] for run in runs(glue)] == ["SUCCEEDED", "FAILED"]


def test_the_wait_is_in_the_triggerer_and_the_worker_reads_the_outcome(
    make_context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GlueScriptOperator, "quick_seconds", 0.0)
    operator = script("insert into kept values (8)")
    with pytest.raises(TaskDeferred) as caught:
        operator.execute(make_context(operator))
    path, arguments = caught.value.trigger.serialize()
    trigger = import_string(path)(**arguments)

    async def event() -> Any:
        return await anext(trigger.run())

    payload = asyncio.run(event()).payload
    assert payload == {"work_id": operator.work_id}
    assert operator.execute_complete(make_context(operator), event=payload) == operator.work_id


def test_a_stopped_run_is_a_failure_and_the_table_is_as_it_was(
    glue: Any, make_context: Context, deferred: tuple[GlueScriptOperator, Any]
) -> None:
    operator, _ = deferred
    glue.batch_stop_job_run(JobName=JOB, JobRunIds=[operator.work_id])
    operator.deferrable = False
    with pytest.raises(GlueScriptError, match="is STOPPED: no message; somebody may have stopped it"):
        operator.execute_complete(make_context(operator), event={"work_id": operator.work_id})
    assert sql("select n from kept") == [7]


def test_a_run_beyond_the_jobs_timeout_is_a_failure(
    server: Server, make_context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.glue_jobs, "_seconds_per_minute", 3.0)
    operator = script(ENDLESS, execution_timeout=timedelta(minutes=1), deferrable=False)
    with pytest.raises(GlueScriptError, match="is TIMEOUT: "):
        operator.execute(make_context(operator))
    assert sql("select n from kept") == [7]


def test_a_kill_on_the_worker_stops_the_run(glue: Any, deferred: tuple[GlueScriptOperator, Any]) -> None:
    operator, _ = deferred
    operator.on_kill()
    assert [run["JobRunState"] for run in runs(glue)] == ["STOPPED"]


def test_a_users_kill_of_a_deferred_task_stops_the_run(
    glue: Any, deferred: tuple[GlueScriptOperator, Any]
) -> None:
    _, trigger = deferred
    asyncio.run(trigger.on_kill())
    until(lambda: runs(glue)[0]["JobRunState"] == "STOPPED")


def test_a_wait_beyond_the_execution_timeout_stops_the_run(
    glue: Any, make_context: Context, deferred: tuple[GlueScriptOperator, Any]
) -> None:
    operator, _ = deferred
    with pytest.raises(TaskDeferralTimeout, match="was told to stop"):
        operator.resume_execution(
            "__fail__", {"error": "Trigger timeout", "traceback": None}, make_context(operator)
        )
    assert [run["JobRunState"] for run in runs(glue)] == ["STOPPED"]


def test_a_clear_stops_the_run_that_a_try_left_without_remembering_it(
    glue: Any,
    make_context: Context,
    store: TaskStateStore,
    deferred: tuple[GlueScriptOperator, Any],
) -> None:
    first, _ = deferred
    store.clear()  # as after the run was deleted
    second = script("insert into kept values (8)", retries=2, deferrable=False)
    second.execute(make_context(second, try_number=2, max_tries=3))
    assert {run["Id"]: run["JobRunState"] for run in runs(glue)} == {
        first.work_id: "STOPPED",
        second.work_id: "SUCCEEDED",
    }
    assert sql("select n from kept order by n") == [7, 8]


def test_a_kill_while_the_start_has_no_answer_stops_what_is_found(
    glue: Any, make_context: Context, store: TaskStateStore, deferred: tuple[GlueScriptOperator, Any]
) -> None:
    started, _ = deferred
    killed = script(ENDLESS, retries=2)
    killed._asked_in = make_context(killed)
    killed.on_kill()
    assert [(run["Id"], run["JobRunState"]) for run in runs(glue)] == [(started.work_id, "STOPPED")]
    assert store[killed.external_id_key]["work_id"] == started.work_id


@pytest.mark.usefixtures("deferred")
def test_a_clear_stops_the_run_that_goes_on_before_it_starts_another(
    glue: Any, make_context: Context
) -> None:
    cleared = script("insert into kept values (8)", retries=2, deferrable=False)
    cleared.execute(make_context(cleared, max_tries=3, try_number=2))
    assert [run["JobRunState"] for run in runs(glue)] == ["SUCCEEDED", "STOPPED"]
    assert sql("select n from kept order by n") == [7, 8]


def test_a_job_without_room_is_asked_again_without_a_worker(
    glue: Any, make_context: Context, deferred: tuple[GlueScriptOperator, Any], store: TaskStateStore
) -> None:
    one_at_a_time = {
        key: value
        for key, value in glue.get_job(JobName=JOB)["Job"].items()
        if key in {"Role", "Command", "DefaultArguments", "Connections"}
    }
    glue.delete_job(JobName=JOB)
    glue.create_job(Name=JOB, ExecutionProperty={"MaxConcurrentRuns": 1}, **one_at_a_time)
    store.clear()  # another task of the same job
    other = script("insert into kept values (8)", execution_timeout=timedelta(minutes=1))
    other.task_id = "another"
    run = {"run_id": "another"}
    with pytest.raises(TaskDeferred) as caught:
        other.execute(make_context(other, max_tries=1, **run))
    assert caught.value.method_name == "execute_again"
    assert caught.value.kwargs == {"waited": 30}
    with pytest.raises(GlueScriptError, match="no room for another run for 0:01:00: raise its MaxConcurrent"):
        other.execute_again(make_context(other, max_tries=1, **run), waited=60)
    operator, _ = deferred
    operator.on_kill()
    other.deferrable = False
    assert other.execute_again(make_context(other, max_tries=1, **run), waited=30)


def test_a_throttled_or_failing_get_job_run_never_starts_another(
    glue: Any, make_context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = script("insert into kept values (8)", deferrable=False)
    client = operator._watch.client
    ask, errors = client.get_job_run, ["ThrottlingException", "InternalServiceException"]

    def get(**request: Any) -> Any:
        if errors:
            raise ClientError({"Error": {"Code": errors.pop(), "Message": "no"}}, "GetJobRun")
        return ask(**request)

    monkeypatch.setattr(client, "get_job_run", get)
    monkeypatch.setattr("redshift_etl.watch.PAUSE", 0.1)
    operator.execute(make_context(operator))
    assert len(runs(glue)) == 1


@pytest.mark.parametrize(
    ("change", "file", "expected"),
    [
        ({}, FILE, ""),
        ({"password": "wrong-pass-word"}, FILE, "refuses user awsuser of secret"),
        ({"password": None}, FILE, "has no key password"),
        ({}, "sql/reviews/none.sql", "sql/reviews/none.sql cannot be read: .*NoSuchKey"),
    ],
)
def test_no_log_of_the_task_shows_the_password_whatever_becomes_of_the_run(
    make_context: Context,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    change: dict[str, Any],
    file: str,
    expected: str,
) -> None:
    secrets = boto3.client("secretsmanager")
    login = json.loads(secrets.get_secret_value(SecretId=reviews_job.SECRET)["SecretString"])
    secrets.put_secret_value(SecretId=reviews_job.SECRET, SecretString=json.dumps(login | change))
    caplog.set_level(logging.DEBUG, logger="redshift_etl")
    operator = script("select 1", deferrable=False)
    operator.file = file
    try:
        if expected:
            with pytest.raises(GlueScriptError, match=expected) as caught:
                operator.execute(make_context(operator))
            assert "\n" not in str(caught.value)
        else:
            operator.execute(make_context(operator))
    finally:
        secrets.put_secret_value(SecretId=reviews_job.SECRET, SecretString=json.dumps(login))
    said = caplog.text + "".join(capfd.readouterr()) + (str(caught.value) if expected else "")
    assert "started run" in said
    assert login["password"] not in said
    assert "wrong-pass-word" not in said


def test_a_job_that_does_not_exist_is_one_clear_error(make_context: Context) -> None:
    operator = GlueScriptOperator(task_id="load", job_name="no-such-job", file=FILE)
    with pytest.raises(
        GlueScriptError, match=r"Glue does not start job no-such-job for sql/reviews/test\.sql: "
    ):
        operator.execute(make_context(operator))
