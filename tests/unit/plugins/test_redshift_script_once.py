"""For each time that Airflow asks for the task, its SQL takes effect once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.stub import Stubber
from plugins_context import (
    KEY,
    OTHER_ID,
    STATEMENT_ID,
    TaskStateStore,
    described,
    looks,
    remember,
    submitted,
)

from redshift_etl.operators.redshift_script import RedshiftScriptOperator

Make = Callable[..., RedshiftScriptOperator]
Context = Callable[..., Any]


def tokens(api: Stubber) -> list[str]:
    """Collect the ClientToken of every submission."""
    found: list[str] = []
    api.client.meta.events.register(
        "provide-client-params.redshift-data.ExecuteStatement",
        lambda params, **_: found.append(params["ClientToken"]),
    )
    return found


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
    submitted(api, OTHER_ID, Sql="select 1")
    looks(api, described("FINISHED", Id=OTHER_ID), OTHER_ID, WaitTimeSeconds=5)
    operator.execute(make_context(operator, try_number=2))
    assert store[KEY]["work_id"] == OTHER_ID


def test_a_try_killed_before_remembering_is_followed_by_one_with_the_same_token(
    make: Make, api: Stubber, make_context: Context, store: TaskStateStore
) -> None:
    """The Data API then answers with the statement that it already has."""
    seen = tokens(api)
    for try_number in (1, 2):
        operator = make(retries=2)
        submitted(api, Sql="select 1")
        looks(api, described("FINISHED"), WaitTimeSeconds=5)
        operator.execute(make_context(operator, try_number=try_number))
        store.clear()
    assert len(seen) == 2
    assert len(set(seen)) == 1
    assert len(seen[0]) <= 64


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
    run()  # a retry after a failure
    assert len(set(seen)) == 4


def test_a_clear_after_success_runs_it_again(
    make: Make, api: Stubber, make_context: Context, store: TaskStateStore
) -> None:
    """The provider's operator finds the old statement in the store and does nothing."""
    operator = make(retries=2)
    remember(operator, store, make_context)
    looks(api, described("FINISHED"))
    submitted(api, OTHER_ID, Sql="select 1")
    looks(api, described("FINISHED", Id=OTHER_ID), OTHER_ID, WaitTimeSeconds=5)
    operator.execute(make_context(operator, try_number=2, max_tries=3))
    api.assert_no_pending_responses()


def test_a_clear_after_the_retries_were_lowered_runs_it_again(
    make: Make, api: Stubber, make_context: Context, store: TaskStateStore
) -> None:
    """`max_tries` alone would be 2 both times: 0 + 2 at first, 1 + 1 after the clear."""
    remember(make(retries=2), store, make_context)
    operator = make(retries=1)
    looks(api, described("FINISHED"))
    submitted(api, OTHER_ID, Sql="select 1")
    looks(api, described("FINISHED", Id=OTHER_ID), OTHER_ID, WaitTimeSeconds=5)
    operator.execute(make_context(operator, try_number=2, max_tries=2))


def test_a_clear_while_running_cancels_and_sees_it_cancelled_before_another_starts(
    make: Make, api: Stubber, make_context: Context, store: TaskStateStore
) -> None:
    operator = make(retries=2)
    remember(operator, store, make_context)
    looks(api, described("STARTED"))
    api.add_response("cancel_statement", {"Status": True}, {"Id": STATEMENT_ID})
    looks(api, described("ABORTED"), WaitTimeSeconds=5)
    submitted(api, OTHER_ID, Sql="select 1")
    looks(api, described("FINISHED", Id=OTHER_ID), OTHER_ID, WaitTimeSeconds=5)
    operator.execute(make_context(operator, try_number=2, max_tries=3))
    api.assert_no_pending_responses()
