"""Watch and cancel statements of the Redshift Data API."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, ClassVar, Final

from redshift_etl.audit import TERMINAL, succeeded
from redshift_etl.watch import LostError, Watch

if TYPE_CHECKING:
    from airflow.sdk.types import Logger
    from mypy_boto3_redshift_data import RedshiftDataAPIServiceClient
    from mypy_boto3_redshift_data.type_defs import DescribeStatementResponseTypeDef

# The Data API answers either way for an id that it does not know (any more).
LOST_ERRORS: Final = frozenset({"ResourceNotFoundException", "ValidationException"})

PERMANENT_ERRORS: Final = LOST_ERRORS | {"AccessDeniedException"}

# DescribeStatement holds back its answer for at most 30 s while a statement runs.
LONGEST_HOLD: Final = 30


class StatementLostError(LostError):
    """The Data API does not know the statement any more, so nobody can tell what became of it."""


class StatementWatch(Watch["DescribeStatementResponseTypeDef"]):
    """Sees statements through.

    Args:
        client: The boto3 client `redshift-data`.
        log: The task's log.
    """

    name: ClassVar[str] = "statement"
    lost_errors: ClassVar[frozenset[str]] = LOST_ERRORS
    permanent_errors: ClassVar[frozenset[str]] = PERMANENT_ERRORS
    pause: ClassVar[float] = 0.1

    def __init__(self, client: RedshiftDataAPIServiceClient, log: Logger) -> None:
        super().__init__(log)
        self.client = client

    def _describe(self, work_id: str, seconds: float) -> DescribeStatementResponseTypeDef:
        if seconds <= 0:
            return self.client.describe_statement(Id=work_id)
        return self.client.describe_statement(Id=work_id, WaitTimeSeconds=ceil(min(seconds, LONGEST_HOLD)))

    def _stop(self, work_id: str) -> None:
        self.client.cancel_statement(Id=work_id)

    def _lost(self, work_id: str) -> StatementLostError:
        return StatementLostError(
            f"Statement {work_id} is lost, because the Data API does not know it any more, as after a "
            "restart of the warehouse or after 24 hours: a retry runs the script again."
        )

    def state(self, found: DescribeStatementResponseTypeDef) -> str:
        """Return the statement's status."""
        return found["Status"]

    def ended(self, found: DescribeStatementResponseTypeDef) -> bool:
        """Whether the statement is at an end."""
        return found["Status"] in TERMINAL

    def succeeded(self, found: DescribeStatementResponseTypeDef) -> bool:
        """Whether every statement of the batch finished."""
        return succeeded(found)
