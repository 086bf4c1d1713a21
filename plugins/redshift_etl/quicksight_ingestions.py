"""Watch and cancel ingestions of Amazon QuickSight, which fill a data set's copy in SPICE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from redshift_etl.watch import LostError, Watch

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

COMPLETED: Final = "COMPLETED"
ENDED: Final = frozenset({COMPLETED, "FAILED", "CANCELLED"})

LOST_ERRORS: Final = frozenset({"ResourceNotFoundException"})

PERMANENT_ERRORS: Final = LOST_ERRORS | {"AccessDeniedException", "InvalidParameterValueException"}


class IngestionLostError(LostError):
    """QuickSight does not know the ingestion any more."""


class IngestionWatch(Watch[dict[str, Any]]):
    """Sees ingestions of one data set through.

    Args:
        client: The boto3 client `quicksight`.
        account_id: The account of the data set, which QuickSight wants in every request.
        data_set_id: The data set.
        log: The task's log.
    """

    name: ClassVar[str] = "ingestion"
    lost_errors: ClassVar[frozenset[str]] = LOST_ERRORS
    permanent_errors: ClassVar[frozenset[str]] = PERMANENT_ERRORS
    pause: ClassVar[float] = 1.0

    def __init__(self, client: Any, account_id: str, data_set_id: str, log: Logger) -> None:
        super().__init__(log)
        self.client = client
        self.account_id = account_id
        self.data_set_id = data_set_id

    def ingestions(self) -> list[dict[str, Any]]:
        """List the data set's ingestions of the last 90 days, as long as QuickSight remembers them."""
        pages = self.client.get_paginator("list_ingestions").paginate(
            AwsAccountId=self.account_id, DataSetId=self.data_set_id
        )
        return [found for page in pages for found in page["Ingestions"]]

    def _describe(self, work_id: str, seconds: float) -> dict[str, Any]:  # noqa: ARG002 - QuickSight holds nothing back
        request = {"AwsAccountId": self.account_id, "DataSetId": self.data_set_id, "IngestionId": work_id}
        found: dict[str, Any] = self.client.describe_ingestion(**request)["Ingestion"]
        return found

    def _stop(self, work_id: str) -> None:
        self.client.cancel_ingestion(
            AwsAccountId=self.account_id, DataSetId=self.data_set_id, IngestionId=work_id
        )

    def _lost(self, work_id: str) -> IngestionLostError:
        return IngestionLostError(
            f"Ingestion {work_id} of data set {self.data_set_id} is lost, because QuickSight does not know "
            "it any more: a retry starts another."
        )

    def state(self, found: dict[str, Any]) -> str:
        """Return the ingestion's status."""
        return str(found["IngestionStatus"])

    def ended(self, found: dict[str, Any]) -> bool:
        """Whether the ingestion is at an end."""
        return self.state(found) in ENDED

    def succeeded(self, found: dict[str, Any]) -> bool:
        """Whether the data set holds the report's rows."""
        return self.state(found) == COMPLETED
