"""What went wrong in Redshift, and whether trying again can help: the one place that says so."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from airflow.sdk import ExceptionRetryPolicy, RetryRule
from airflow.sdk.definitions.retry_policy import RetryAction
from airflow.sdk.exceptions import AirflowException

from redshift_etl.audit import ABORTED, FAILED, one_line, parts_of

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_redshift_data.type_defs import (
        DescribeStatementResponseTypeDef,
        SubStatementDataTypeDef,
    )

_ERROR_WIDTH: Final = 500


class RedshiftScriptError(AirflowException):
    """Redshift did not carry out a script; a retry runs it as a new statement."""


class SerializationConflictError(RedshiftScriptError):
    """Another transaction came between, and Redshift undid this one: nothing is wrong, it runs again."""


class WarehouseUnavailableError(RedshiftScriptError):
    """Redshift takes no work just now: paused, resizing, restarting, or all connections are in use."""


class UnrepeatableScriptError(RedshiftScriptError):
    """The SQL, the data or a grant is wrong, so that every retry would fail alike."""


# https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html: 1023, and 1018 for a table that
# another transaction dropped and made anew; SQLSTATE 40001.
_CONFLICTS: Final = re.compile(
    r"ERROR:\s*1023\b|serializable isolation violation|could not serialize access"
    r"|ERROR:\s*1018\b|deadlock detected",
    re.IGNORECASE,
)

# What passes within minutes: https://docs.aws.amazon.com/redshift/latest/mgmt/amazon-redshift-limits.html,
# and the Data API's refusals while a cluster is paused, resizes or restarts.
_UNAVAILABLE: Final = re.compile(
    r'connection limit "?\d+"? exceeded|too many connections'
    r"|ActiveStatementsExceeded|ActiveSessionsExceeded"
    r"|endpoint doesn't exist|cluster (\S+ )?is (not available|being|paus|resum|resiz|reboot|restart)"
    r"|database system is (starting up|shutting down)",
    re.IGNORECASE,
)

# A wrong entry costs a night's run and a missing one costs two useless tries, so the list is short: errors
# that name what the author or the source system must change.
_UNREPEATABLE: Final = re.compile(
    r"syntax error at or near"
    r'|(relation|schema|column|type) "[^"]*" does not exist'
    r"|column \S+ does not exist"
    r"|permission denied for"
    r"|incompatible parquet schema"
    r"|value too long for (type|character)"
    r"|numeric(?: data)? overflow"
    r"|invalid input syntax"
    r"|cannot insert a null value into column"
    r"|\bnot supported\b",
    re.IGNORECASE,
)

# Airflow's worker asks it after each failure. What it does not name is tried again as often as the task's
# `retries` say, with growing pauses: lost connections, full queues, statements that someone cancelled.
RETRY_POLICY: Final = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            SerializationConflictError,
            RetryAction.RETRY,
            retry_delay=timedelta(seconds=10),
            reason="another transaction came between",
        ),
        RetryRule(
            WarehouseUnavailableError,
            RetryAction.RETRY,
            retry_delay=timedelta(minutes=5),
            reason="the warehouse takes no work just now",
        ),
        RetryRule(UnrepeatableScriptError, RetryAction.FAIL, reason="every retry would fail alike"),
    ]
)


def kind_of(cause: str, otherwise: type[RedshiftScriptError]) -> type[RedshiftScriptError]:
    """Tell by Redshift's message which kind of error a task shall raise.

    Args:
        cause: The message, without the text of the statement.
        otherwise: The class for all that `RETRY_POLICY` does not name.

    Returns:
        The class.
    """
    if _CONFLICTS.search(cause):
        return SerializationConflictError
    if _UNAVAILABLE.search(cause):
        return WarehouseUnavailableError
    if _UNREPEATABLE.search(cause):
        return UnrepeatableScriptError
    return otherwise


def script_error(description: DescribeStatementResponseTypeDef, file: str) -> RedshiftScriptError:
    """Make the error of a statement or batch that did not succeed, of the kind that `RETRY_POLICY` reads.

    Args:
        description: DescribeStatement's answer.
        file: The script, for the reader.

    Returns:
        The error, to be raised.
    """
    kind = kind_of(redshift_message(description), RedshiftScriptError)
    return kind(failure(description, file))


def refusal(error: ClientError, file: str) -> RedshiftScriptError:
    """Make the error of a script that the Data API did not take, of the kind that `RETRY_POLICY` reads.

    Args:
        error: The Data API's answer to the submission.
        file: The script, for the reader.

    Returns:
        The error, to be raised.
    """
    return kind_of(str(error), RedshiftScriptError)(f"{file} was not submitted: {error}")


def redshift_message(description: DescribeStatementResponseTypeDef) -> str:
    """Return what Redshift said about the statement that failed; empty when it said nothing."""
    _, part = _failed_part(description)
    # Of a batch in which no statement failed, only the batch itself says why: the login, a reboot.
    first, second = (part, description) if part.get("Status") == FAILED else (description, part)
    return first.get("Error") or second.get("Error") or ""


def failure(description: DescribeStatementResponseTypeDef, file: str) -> str:
    """Say which statement of a script went wrong, how, and what Redshift said.

    Args:
        description: DescribeStatement's answer for a statement or batch that did not succeed.
        file: The script, for the reader.

    Returns:
        File, number, status, message and shortened text of the statement, and its id.
    """
    number, part = _failed_part(description)
    message = redshift_message(description) or "no message; it may have been cancelled"
    return (
        f"{file}, statement {number} of {len(parts_of(description))}, "
        f"{part.get('Status', description['Status'])}: {message} "
        f"-- statement {part['Id']}: {one_line(part.get('QueryString', ''), _ERROR_WIDTH)}"
    )


def _failed_part(
    description: DescribeStatementResponseTypeDef,
) -> tuple[int, DescribeStatementResponseTypeDef | SubStatementDataTypeDef]:
    """Find the statement that went wrong, and its number."""
    parts = parts_of(description)
    bad = [
        (number, part)
        for number, part in enumerate(parts, start=1)
        if part.get("Status") in {FAILED, ABORTED}
    ]
    # In a transaction the statements after the failed one are ABORTED too: the failed one is the cause.
    return next((item for item in bad if item[1].get("Status") == FAILED), (bad or [(1, parts[0])])[0])
