"""For each time that Airflow asks for the task, its SQL takes effect once."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from botocore.stub import Stubber
from plugins_context import (
    KEY,
    OTHER_ID,
    STATEMENT_ID,
    TaskStateStore,
    described,
    looks,
    nothing_runs,
    remember,
    submitted,
)

from redshift_etl.failure import RedshiftScriptError
from redshift_etl.operators.once import TaskStoppedError
from redshift_etl.operators.redshift_script import RedshiftScriptOperator

Make = Callable[..., RedshiftScriptOperator]
Context = Callable[..., Any]


def cancelled(api: Stubber, *, seconds: int = 5) -> None:
    """Expect the statement to be cancelled, and seen to have ended."""
    api.add_response("cancel_statement", {"Status": True}, {"Id": STATEMENT_ID})
    looks(api, described("ABORTED"), WaitTimeSeconds=seconds)


def replaced(api: Stubber) -> None:
    """Expect another statement in the first one's place; it finishes."""
    submitted(api, OTHER_ID, retry=True, Sql="select 1")
    looks(api, described("FINISHED", Id=OTHER_ID), OTHER_ID, WaitTimeSeconds=5)


def tokens(api: Stubber) -> list[str]:
    """Collect the ClientToken of every submission."""
    found: list[str] = []
    api.client.meta.events.register(
        "provide-client-params.redshift-data.ExecuteStatement",
        lambda params, **_: found.append(params["ClientToken"]),
    )
    return found


def kill_during(call: str, operator: RedshiftScriptOperator, api: Stubber) -> None:
    """Tell the task to stop when it makes its next call of this kind."""
    told: list[str] = []

    def stop(**_: Any) -> None:
        if not told:
            told.append(call)
            operator.on_kill()

    api.client.meta.events.register_first(f"provide-client-params.redshift-data.{call}", stop)


@pytest.mark.parametrize("status", ["SUBMITTED", "STARTED", "FINISHED"])
def test_a_retry_takes_the_statement_that_an_earlier_try_submitted(
    make: Make, api: Stubber, make_context: Context, store: TaskStateStore, status: str
) -> None:
    operator = make(retries=2)
    remember(operator, store, make_context)
    looks(api, described(status))
    looks(api, described("FINISHED"), WaitTimeSeconds=5)
    entries = operator.execute(make_context(operator, try_number=2))
    assert entries[0]["statement_id"] == STATEMENT_ID
    api.assert_no_pending_responses()


def test_a_retry_does_not_submit_because_the_data_api_is_throttled(
    make: Make, api: Stubber, make_context: Context, store: TaskStateStore
) -> None:
    operator = make(retries=2)
    remember(operator, store, make_context)
    api.add_client_error("describe_statement", "ThrottlingException")
    looks(api, described("FINISHED"), WaitTimeSeconds=5)
    assert operator.execute(make_context(operator, try_number=2))


@pytest.mark.parametrize(
    "error",
    [EndpointConnectionError, ConnectTimeoutError, ReadTimeoutError, ConnectionClosedError],
)
def test_a_retry_does_not_submit_because_the_data_api_cannot_be_reached(
    make: Make,
    api: Stubber,
    make_context: Context,
    store: TaskStateStore,
    monkeypatch: pytest.MonkeyPatch,
    *,
    error: type[Exception],
) -> None:
    operator = make(retries=2)
    remember(operator, store, make_context)
    looks(api, described("FINISHED"), WaitTimeSeconds=5)
    unreachable = [error(endpoint_url="https://redshift-data")]

    describe = api.client.describe_statement

    def connect(**request: Any) -> Any:
        if unreachable:
            raise unreachable.pop()
        return describe(**request)

    monkeypatch.setattr(api.client, "describe_statement", connect)
    assert operator.execute(make_context(operator, try_number=2))
    assert unreachable == []


@pytest.mark.parametrize("status", ["FAILED", "ABORTED", "lost"])
def test_a_retry_after_a_failure_submits_a_new_statement(
    make: Make,
    api: Stubber,
    make_context: Context,
    store: TaskStateStore,
    status: str,
) -> None:
    operator = make(retries=2)
    remember(operator, store, make_context)
    if status == "lost":
        api.add_client_error("describe_statement", "ResourceNotFoundException")
    else:
        looks(api, described(status))
    replaced(api)
    operator.execute(make_context(operator, try_number=2))
    assert store[KEY]["work_id"] == OTHER_ID


def forget(store: TaskStateStore) -> None:
    """Leave what a try leaves that is killed after it submitted and before it remembered."""
    store[KEY]["work_id"] = ""


def test_a_try_killed_before_remembering_is_followed_by_one_with_the_same_token(
    make: Make, api: Stubber, make_context: Context, store: TaskStateStore
) -> None:
    """The Data API then answers with the statement that it already has."""
    seen = tokens(api)
    for try_number in (1, 2):
        operator = make(retries=2)
        submitted(api, retry=try_number > 1, Sql="select 1")
        looks(api, described("FINISHED"), WaitTimeSeconds=5)
        operator.execute(make_context(operator, try_number=try_number))
        forget(store)
    assert len(seen) == 2
    assert len(set(seen)) == 1
    assert len(seen[0]) <= 64
    api.assert_no_pending_responses()


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "InternalServerException", "ActiveStatementsExceededException"]
)
def test_a_try_whose_submission_got_no_answer_is_followed_by_one_with_the_same_token(
    make: Make, api: Stubber, make_context: Context, code: str
) -> None:
    seen = tokens(api)
    operator = make(retries=2)
    nothing_runs(api)
    api.add_client_error("execute_statement", code, http_status_code=500)
    with pytest.raises(RedshiftScriptError, match=r"store_sales/load\.sql was not submitted: "):
        operator.execute(make_context(operator))
    again = make(retries=2)
    submitted(api, retry=True, Sql="select 1")
    looks(api, described("FINISHED"), WaitTimeSeconds=5)
    again.execute(make_context(again, try_number=2))
    assert len(seen) == 2
    assert len(set(seen)) == 1


def test_botocore_repeats_a_submission_that_was_not_answered_with_the_same_token() -> None:
    client = boto3.client(
        "redshift-data", region_name="us-east-1", aws_access_key_id="any", aws_secret_access_key="any"
    )
    sent: list[str] = []

    def answer(request: Any, **_: Any) -> AWSResponse:
        sent.append(json.loads(request.body)["ClientToken"])
        if len(sent) == 1:
            raise ReadTimeoutError(endpoint_url=request.url)
        status, body = (500, b"{}") if len(sent) == 2 else (200, json.dumps({"Id": STATEMENT_ID}).encode())
        return AWSResponse(request.url, status, {}, SimpleNamespace(stream=lambda: [body]))

    client.meta.events.register("before-send.redshift-data.ExecuteStatement", answer)
    assert client.execute_statement(Sql="select 1", Database="dev", ClientToken="t")["Id"] == STATEMENT_ID
    assert sent == ["t", "t", "t"]


def test_a_clear_finds_by_name_what_a_killed_try_submitted_and_sees_it_cancelled(
    make: Make, api: Stubber, make_context: Context, store: TaskStateStore
) -> None:
    """A clear is a new request with a new token, and nothing remembers the statement."""
    operator = make(retries=2)
    remember(operator, store, make_context)
    forget(store)
    name = operator._statement_name(make_context(operator))
    nothing_runs(
        api,
        {"Id": OTHER_ID, "StatementName": f"{name}_of_another_task", "Status": "STARTED"},
        {"Id": OTHER_ID, "StatementName": name, "Status": "FINISHED"},
        {"Id": STATEMENT_ID, "StatementName": name, "Status": "STARTED"},
    )
    api.add_response("cancel_statement", {"Status": True}, {"Id": STATEMENT_ID})
    looks(api, described("STARTED"), WaitTimeSeconds=5)
    looks(api, described("ABORTED"), WaitTimeSeconds=5)
    replaced(api)
    operator.execute(make_context(operator, try_number=2, max_tries=3))
    api.assert_no_pending_responses()


def test_nothing_is_submitted_while_the_look_up_is_refused(
    make: Make, api: Stubber, make_context: Context, store: TaskStateStore
) -> None:
    operator = make(retries=2)
    api.add_client_error("list_statements", "InternalServerException")
    with pytest.raises(ClientError, match="ListStatements"):
        operator.execute(make_context(operator))
    assert KEY not in store, "the retry looks again"


def test_every_new_request_and_every_replacement_has_a_token_of_its_own(
    make: Make, api: Stubber, make_context: Context, store: TaskStateStore
) -> None:
    seen = tokens(api)

    def run(**changes: Any) -> None:
        operator = make(retries=2)
        submitted(api, Sql="select 1")
        looks(api, described("FINISHED"), WaitTimeSeconds=5)
        operator.execute(make_context(operator, **changes))
        store.clear()

    run()
    run(max_tries=3)  # cleared after its first try
    run(start_date="2003-01-02T09:00:00Z")  # deleted, and triggered again with the same run id
    operator = make(retries=2)
    remember(operator, store, make_context)
    looks(api, described("FAILED"))
    submitted(api, retry=True, Sql="select 1")
    looks(api, described("FINISHED"), WaitTimeSeconds=5)
    operator.execute(make_context(operator, try_number=2))  # a retry after a failure
    assert len(set(seen)) == 4


def test_a_clear_after_success_runs_it_again(
    make: Make, api: Stubber, make_context: Context, store: TaskStateStore
) -> None:
    """The provider's operator finds the old statement in the store and does nothing."""
    operator = make(retries=2)
    remember(operator, store, make_context)
    nothing_runs(api)
    looks(api, described("FINISHED"))
    replaced(api)
    operator.execute(make_context(operator, try_number=2, max_tries=3))
    api.assert_no_pending_responses()


def test_a_clear_after_the_retries_were_lowered_runs_it_again(
    make: Make, api: Stubber, make_context: Context, store: TaskStateStore
) -> None:
    """`max_tries` alone would be 2 both times: 0 + 2 at first, 1 + 1 after the clear."""
    remember(make(retries=2), store, make_context)
    operator = make(retries=1)
    nothing_runs(api)
    looks(api, described("FINISHED"))
    replaced(api)
    operator.execute(make_context(operator, try_number=2, max_tries=2))


def test_a_clear_while_running_cancels_and_sees_it_cancelled_before_another_starts(
    make: Make, api: Stubber, make_context: Context, store: TaskStateStore
) -> None:
    operator = make(retries=2)
    remember(operator, store, make_context)
    nothing_runs(api)  # the list may lag behind
    looks(api, described("STARTED"))
    cancelled(api)
    replaced(api)
    operator.execute(make_context(operator, try_number=2, max_tries=3))
    api.assert_no_pending_responses()


def test_a_kill_while_the_submission_has_no_answer_cancels_what_it_submits(
    make: Make, api: Stubber, make_context: Context
) -> None:
    """The signal comes during the call; Airflow then waits five seconds before it kills for good."""
    operator = make(retries=2)
    name = operator._statement_name(make_context(operator))
    nothing_runs(api)
    nothing_runs(api, {"Id": OTHER_ID, "StatementName": f"{name}.other", "Status": "STARTED"})
    submitted(api, retry=True, Sql="select 1")
    cancelled(api, seconds=1)
    looks(api, described("ABORTED"), WaitTimeSeconds=5)
    kill_during("ExecuteStatement", operator, api)
    with pytest.raises(RedshiftScriptError, match="ABORTED"):
        operator.execute(make_context(operator))
    api.assert_no_pending_responses()


def test_a_timeout_while_the_submission_has_no_answer_cancels_what_is_found_by_name(
    make: Make, api: Stubber, make_context: Context
) -> None:
    operator = make(retries=2)
    name = operator._statement_name(make_context(operator))
    nothing_runs(api)
    api.add_client_error("execute_statement", "InternalServerException")
    with pytest.raises(RedshiftScriptError):
        operator.execute(make_context(operator))
    nothing_runs(api, {"Id": STATEMENT_ID, "StatementName": name, "Status": "PICKED"})
    cancelled(api, seconds=1)
    operator.on_kill()
    api.assert_no_pending_responses()


def test_a_task_that_is_told_to_stop_before_it_submits_submits_nothing(
    make: Make, api: Stubber, make_context: Context
) -> None:
    operator = make(retries=2)
    kill_during("ListStatements", operator, api)
    nothing_runs(api)  # what on_kill looks for
    nothing_runs(api)
    with pytest.raises(TaskStoppedError, match="was told to stop before"):
        operator.execute(make_context(operator))
    api.assert_no_pending_responses()


def test_a_task_that_is_told_to_stop_while_it_looks_at_an_earlier_trys_statement_cancels_it(
    make: Make, api: Stubber, make_context: Context, store: TaskStateStore
) -> None:
    operator = make(retries=2)
    remember(operator, store, make_context)
    kill_during("DescribeStatement", operator, api)
    cancelled(api, seconds=1)
    looks(api, described("ABORTED"))
    with pytest.raises(TaskStoppedError):
        operator.execute(make_context(operator, try_number=2))
    api.assert_no_pending_responses()


def test_a_task_that_is_told_to_stop_asks_again_when_the_cancellation_is_refused(
    make: Make, api: Stubber
) -> None:
    operator = make(retries=2)
    operator.work_id = STATEMENT_ID
    api.add_client_error("cancel_statement", "ThrottlingException")
    api.add_client_error("describe_statement", "ThrottlingException")
    api.add_client_error("describe_statement", "ThrottlingException")
    cancelled(api, seconds=1)
    operator.on_kill()
    api.assert_no_pending_responses()
