"""Watch and cancel statements of the Redshift Data API, patiently."""

from __future__ import annotations

import time
from math import ceil
from typing import TYPE_CHECKING, Final

from airflow.sdk.exceptions import AirflowException
from botocore.exceptions import ClientError, HTTPClientError

from redshift_etl.audit import TERMINAL

if TYPE_CHECKING:
    from airflow.sdk.types import Logger
    from mypy_boto3_redshift_data import RedshiftDataAPIServiceClient
    from mypy_boto3_redshift_data.type_defs import DescribeStatementResponseTypeDef

# The Data API answers either way for an id that it does not know (any more).
LOST_ERRORS: Final = frozenset({"ResourceNotFoundException", "ValidationException"})

# Asking again cannot help. Every other error passes: throttling, server faults, expired credentials.
PERMANENT_ERRORS: Final = LOST_ERRORS | {"AccessDeniedException"}

# DescribeStatement holds back its answer for at most 30 s while a statement runs.
LONGEST_HOLD: Final = 30

# An unreadable state is asked for again after a few seconds: botocore has retried by then.
PAUSE: Final = 5.0

CANCEL_SECONDS: Final = 5.0


class StatementLostError(AirflowException):
    """The Data API does not know the statement any more, so nobody can tell what became of it."""


class StatementWatch:
    """Sees statements through, while errors of the Data API come and go.

    Args:
        client: The boto3 client `redshift-data`.
        log: The task's log.
    """

    def __init__(self, client: RedshiftDataAPIServiceClient, log: Logger) -> None:
        self.client = client
        self.log = log

    def look(self, statement_id: str, seconds: float = 0) -> DescribeStatementResponseTypeDef | None:
        """Describe the statement; None when the Data API cannot say just now.

        Args:
            statement_id: The statement.
            seconds: How long the Data API may hold back its answer while the statement runs.

        Raises:
            StatementLostError: The Data API does not know the statement.
            ClientError: The caller may not describe it.
        """
        try:
            if seconds <= 0:
                return self.client.describe_statement(Id=statement_id)
            return self.client.describe_statement(
                Id=statement_id, WaitTimeSeconds=ceil(min(seconds, LONGEST_HOLD))
            )
        except HTTPClientError as error:
            reason: Exception = error
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in LOST_ERRORS:
                raise StatementLostError(
                    f"Statement {statement_id} is lost, because the Data API does not know it any more, as "
                    "after a restart of the warehouse or after 24 hours: a retry runs the script again."
                ) from error
            if code in PERMANENT_ERRORS:
                raise
            reason = error
        self.log.warning("Cannot read the state of statement %s: %s", statement_id, reason)
        return None

    def wait(self, statement_id: str, seconds: float) -> DescribeStatementResponseTypeDef | None:
        """Describe the statement once it is at an end; None when it is not after so many seconds."""
        until = time.monotonic() + seconds
        while True:
            found = self.look(statement_id, until - time.monotonic())
            if found and found["Status"] in TERMINAL:
                return found
            left = until - time.monotonic()
            if left <= 0:
                return None
            time.sleep(min(0.1 if found else PAUSE, left))

    def runs(self, statement_id: str) -> bool:
        """Whether the statement may still be running; it may when its state cannot be read just now."""
        try:
            found = self.look(statement_id)
        except StatementLostError:
            return False
        return found is None or found["Status"] not in TERMINAL

    def cancel(self, statement_id: str, *, until_seen: bool = True) -> None:
        """Cancel the statement and see it end.

        Args:
            statement_id: The statement.
            until_seen: False: ask once and look for a few seconds, for a process that is told to stop.
        """
        while True:
            try:
                self.client.cancel_statement(Id=statement_id)
            except (ClientError, HTTPClientError) as error:
                # Refused because it has ended, or not answered: the look below tells.
                self.log.info("Cancelling statement %s: %s", statement_id, error)
            try:
                found = self.wait(statement_id, CANCEL_SECONDS)
            except StatementLostError:
                return
            if found:
                self.log.info("Statement %s is %s.", statement_id, found["Status"])
            if found or not until_seen:
                return
