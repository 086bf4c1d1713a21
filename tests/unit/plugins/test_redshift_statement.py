from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk._shared.module_loading import import_string
from airflow.triggers.base import TriggerEvent
from botocore.exceptions import ClientError, EndpointConnectionError
from plugins_context import STATEMENT_ID

from redshift_etl.triggers.poll import LONGEST_PAUSE
from redshift_etl.triggers.redshift_statement import RedshiftStatementTrigger

FIRED = [TriggerEvent({"work_id": STATEMENT_ID})]  # type: ignore[no-untyped-call]


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "DescribeStatement")


class DataApi:
    """An asynchronous client that gives these answers in turn: statuses, or errors to raise."""

    def __init__(self, *answers: str | BaseException) -> None:
        self.answers = list(answers)
        self.cancelled: list[str] = []
        self.refusals: list[ClientError] = []
        self.clients = 0

    async def describe_statement(self, Id: str) -> dict[str, str]:  # noqa: N803 - AWS's name
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return {"Id": Id, "Status": answer}

    async def cancel_statement(self, Id: str) -> dict[str, bool]:  # noqa: N803 - AWS's name
        self.cancelled.append(Id)
        if self.refusals:
            raise self.refusals.pop()
        return {"Status": True}

    async def get_async_conn(self) -> Any:
        @asynccontextmanager
        async def connect() -> Any:
            self.clients += 1
            yield self

        return connect()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that the trigger makes; none is waited for."""
    made: list[float] = []

    async def sleep(seconds: float) -> None:
        made.append(seconds)

    monkeypatch.setattr("redshift_etl.triggers.poll.asyncio.sleep", sleep)
    return made


def trigger(api: DataApi) -> RedshiftStatementTrigger:
    made = RedshiftStatementTrigger(statement_id=STATEMENT_ID, task_id="load", poll_interval=5)
    made.__dict__["hook"] = api
    return made


def events(api: DataApi) -> list[TriggerEvent]:
    async def collect() -> list[TriggerEvent]:
        return [event async for event in trigger(api).run()]

    return asyncio.run(collect())


def test_it_survives_serialising() -> None:
    path, arguments = trigger(DataApi()).serialize()
    assert path == "redshift_etl.triggers.redshift_statement.RedshiftStatementTrigger"
    again = import_string(path)(**arguments)
    assert isinstance(again, RedshiftStatementTrigger)
    assert again.serialize() == (path, arguments)


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "ABORTED"])
def test_it_fires_at_the_end_with_the_id_only(pauses: list[float], status: str) -> None:
    assert events(DataApi("SUBMITTED", "PICKED", "STARTED", status)) == FIRED
    assert pauses == [5, 5, 5]


def test_errors_that_pass_are_polled_through_with_growing_pauses(pauses: list[float]) -> None:
    """The provider's trigger makes an error event of each, and the retry submits the SQL again."""
    api = DataApi(
        error("ThrottlingException"),
        error("InternalServerException"),
        EndpointConnectionError(endpoint_url="https://redshift-data"),
        TimeoutError(),
        error("ExpiredTokenException"),
        "STARTED",
        error("ActiveWaitingRequestsExceededException"),
        "FINISHED",
    )
    assert events(api) == FIRED
    assert pauses == [10, 20, 40, LONGEST_PAUSE, LONGEST_PAUSE, 5, 10]
    assert api.clients == 7, "a new client after each error"


@pytest.mark.parametrize(
    "code", ["ResourceNotFoundException", "ValidationException", "AccessDeniedException"]
)
def test_where_asking_again_cannot_help_the_worker_decides(pauses: list[float], code: str) -> None:
    assert events(DataApi("STARTED", error(code))) == FIRED
    assert pauses == [5]


def kill(
    api: DataApi,
    monkeypatch: pytest.MonkeyPatch,
    *,
    again: bool = False,
    states: Callable[..., object] | None = None,
    **found: str,
) -> list[str]:
    """Kill the trigger while Airflow finds its task in this state; returns what it cancelled."""
    monkeypatch.setattr(
        "redshift_etl.triggers.poll.RuntimeTaskInstance.get_task_states",
        states or (lambda **_: {"run": found}),
    )
    made = trigger(api)
    made.task_instance = SimpleNamespace(dag_id="dag", run_id="run", task_id="load", map_index=-1)

    async def triggerer() -> None:
        killing = asyncio.create_task(made.on_kill())
        if again:
            await asyncio.wait([asyncio.create_task(asyncio.to_thread(lambda: None))])
            killing.cancel()
        await asyncio.wait([killing])
        assert killing.cancelled() == again
        await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()} or {killing})

    asyncio.run(triggerer())
    return api.cancelled


@pytest.mark.usefixtures("pauses")
def test_a_kill_goes_on_though_airflow_kills_the_trigger_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow 3.3 cancels it every second until it has ended."""
    api = DataApi("STARTED", "STARTED", "ABORTED")
    assert kill(api, monkeypatch, again=True, load="failed") == [STATEMENT_ID, STATEMENT_ID]


@pytest.mark.parametrize("states", [{"load": "failed"}, {"load": "scheduled"}, {"load": "skipped"}, {}])
def test_a_users_kill_cancels_the_statement_and_sees_it_cancelled(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch, states: dict[str, str]
) -> None:
    """Marked failed, cleared, timed out with its run; and nothing is found of a run that was deleted."""
    api = DataApi("STARTED", "STARTED", "ABORTED")
    assert kill(api, monkeypatch, **states) == [STATEMENT_ID, STATEMENT_ID]
    assert pauses == [1, 1]
    assert api.answers == []


@pytest.mark.usefixtures("pauses")
def test_a_users_kill_is_not_given_up_when_the_data_api_is_throttled(monkeypatch: pytest.MonkeyPatch) -> None:
    api = DataApi(error("ThrottlingException"), TimeoutError(), "STARTED", "ABORTED")
    assert kill(api, monkeypatch, load="failed") == [STATEMENT_ID]


@pytest.mark.usefixtures("pauses")
def test_a_users_kill_is_not_given_up_when_the_statement_cannot_be_cancelled_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A query must be running to be cancelled, says AWS's reference of CancelStatement."""
    api = DataApi("SUBMITTED", "STARTED", "ABORTED")
    api.refusals = [error("ValidationException")]
    assert kill(api, monkeypatch, load="failed") == [STATEMENT_ID, STATEMENT_ID]


def test_a_users_kill_is_not_given_up_when_airflow_cannot_tell_the_tasks_state(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([RuntimeError("no API server"), {"run": {"load": "failed"}}])

    def states(**_: object) -> dict[str, dict[str, str]]:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    api = DataApi("STARTED", "ABORTED")
    assert kill(api, monkeypatch, states=states) == [STATEMENT_ID]
    assert pauses == [1, 1]


def test_a_trigger_that_another_triggerer_took_over_cancels_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow kills it as after a user's action, but the task still waits."""
    assert kill(DataApi("STARTED"), monkeypatch, load="deferred") == []


def test_a_kill_of_a_statement_that_is_lost_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    assert kill(DataApi(error("ResourceNotFoundException")), monkeypatch, load="failed") == []


@pytest.mark.usefixtures("pauses")
def test_a_triggerer_that_stops_cancels_nothing() -> None:
    api = DataApi("STARTED", asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        events(api)
    assert api.cancelled == []
