from __future__ import annotations

from datetime import timedelta

import pytest
from airflow.sdk.definitions.retry_policy import RetryAction
from botocore.exceptions import ClientError
from plugins_context import described, part

from redshift_etl.failure import (
    RETRY_POLICY,
    RedshiftScriptError,
    SerializationConflictError,
    UnrepeatableScriptError,
    WarehouseUnavailableError,
    refusal,
    script_error,
)


def action(message: str, **more: object) -> tuple[RetryAction, type[Exception]]:
    error = script_error(described("FAILED", Error=message, **more), "load.sql")
    assert message in str(error)
    decision = RETRY_POLICY.evaluate(error, try_number=1, max_tries=2)
    return decision.action, type(error)


@pytest.mark.parametrize(
    "message",
    [
        "ERROR: 1023\n  DETAIL: Serializable isolation violation on table - 1, transactions",
        "ERROR: Serializable isolation violation on table in Redshift",
        "ERROR: 1018\n  DETAIL: Relation does not exist.",
        "ERROR: could not serialize access due to concurrent update",
    ],
)
def test_a_conflict_of_transactions_is_tried_again(message: str) -> None:
    assert action(message) == (RetryAction.RETRY, SerializationConflictError)


@pytest.mark.parametrize(
    "message",
    [
        'FATAL: connection limit "500" exceeded for non-bootstrap users',
        "FATAL: the database system is starting up",
        "Redshift endpoint doesn't exist in this region.",
        "Cluster redshift-etl is paused.",
        "The cluster is being resized.",
        "The cluster is not available",
    ],
)
def test_a_warehouse_that_takes_no_work_just_now_is_asked_again_minutes_later(message: str) -> None:
    assert action(message) == (RetryAction.RETRY, WarehouseUnavailableError)
    decision = RETRY_POLICY.evaluate(WarehouseUnavailableError(message), try_number=1, max_tries=2)
    assert decision.retry_delay == timedelta(minutes=5)


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("ActiveStatementsExceededException", "500 active statements", WarehouseUnavailableError),
        ("ValidationException", "Redshift endpoint doesn't exist in this region.", WarehouseUnavailableError),
        ("ThrottlingException", "Rate exceeded", RedshiftScriptError),
    ],
)
def test_a_script_that_the_data_api_does_not_take_is_tried_again(
    code: str, message: str, kind: type[Exception]
) -> None:
    error = ClientError({"Error": {"Code": code, "Message": message}}, "ExecuteStatement")
    refused = refusal(error, "load.sql")
    assert type(refused) is kind
    assert str(refused).startswith("load.sql was not submitted: ")
    assert message in str(refused)
    assert RETRY_POLICY.evaluate(refused, 1, 2).action is not RetryAction.FAIL


@pytest.mark.parametrize(
    "message",
    [
        'ERROR: syntax error at or near "selct"',
        'ERROR: relation "tpcds.nowhere" does not exist',
        'ERROR: column "i_item" does not exist in item',
        "ERROR: permission denied for relation item",
        "ERROR: Spectrum Scan Error DETAIL: File 's3://b/k' has an incompatible Parquet schema for column",
        "ERROR: value too long for type character varying(16)",
        'ERROR: invalid input syntax for integer: "many"',
        "ERROR: Cannot insert a NULL value into column day_still_staged",
    ],
)
def test_what_every_try_would_repeat_fails_at_once(message: str) -> None:
    assert action(message) == (RetryAction.FAIL, UnrepeatableScriptError)


@pytest.mark.parametrize(
    "message",
    [
        "ERROR: Disk Full",
        "ERROR: S3ServiceException: Please reduce your request rate., Status 503, Error SlowDown",
        "ERROR: The specified key does not exist.",
        "connection lost",
    ],
)
def test_anything_else_is_tried_as_often_as_the_task_says(message: str) -> None:
    assert action(message) == (RetryAction.DEFAULT, RedshiftScriptError)


def test_the_text_of_the_statement_does_not_decide() -> None:
    quoted = "select 'ERROR: 1023 syntax error at or near'"
    assert action("ERROR: Disk Full", QueryString=quoted)[0] is RetryAction.DEFAULT


def test_in_a_batch_the_statement_that_failed_decides() -> None:
    found = described(
        "FAILED",
        SubStatements=[
            part(1, "ABORTED", "insert into a select 1"),
            part(2, "FAILED", "insert into b select 1", Error="ERROR: 1023 DETAIL: Serializable isolation"),
        ],
    )
    assert isinstance(script_error(found, "load.sql"), SerializationConflictError)


def test_the_policy_survives_airflows_serialization() -> None:
    restored = type(RETRY_POLICY).deserialize(RETRY_POLICY.serialize())
    error = SerializationConflictError("x")
    assert restored.evaluate(error, 1, 2) == RETRY_POLICY.evaluate(error, 1, 2)


def test_of_a_batch_in_which_no_statement_failed_the_batch_itself_says_why() -> None:
    refused = 'FATAL: password authentication failed for user "awsuser"'
    aborted = [
        part(number, "ABORTED", "select 1", Error="Connection or an prior query failed.") for number in (1, 2)
    ]
    error = script_error(described("FAILED", Error=refused, SubStatements=aborted), "load.sql")
    assert str(error).startswith(f"load.sql, statement 1 of 2, ABORTED: {refused} -- statement ")
