"""Wait for an ingestion of a QuickSight data set without holding a worker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from airflow.providers.amazon.aws.hooks.quicksight import QuickSightHook
from airflow.triggers.base import BaseTrigger, TriggerEvent

from redshift_etl.quicksight_ingestions import ENDED, PERMANENT_ERRORS
from redshift_etl.triggers.poll import cancel, until_ended


class IngestionTrigger(BaseTrigger):
    """Fires once the ingestion is at an end, with its id only: the worker reads the outcome itself.

    Args:
        account_id: The account of the data set.
        data_set_id: The data set.
        ingestion_id: The ingestion.
        poll_interval: Seconds between two looks.
        aws_conn_id: Airflow's AWS connection.
        region_name: The data set's region; None: the connection's.
    """

    def __init__(
        self,
        *,
        account_id: str,
        data_set_id: str,
        ingestion_id: str,
        poll_interval: int,
        aws_conn_id: str | None,
        region_name: str | None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow
        self.arguments = {
            "account_id": account_id,
            "data_set_id": data_set_id,
            "ingestion_id": ingestion_id,
            "poll_interval": poll_interval,
            "aws_conn_id": aws_conn_id,
            "region_name": region_name,
        }
        self.request = {"AwsAccountId": account_id, "DataSetId": data_set_id, "IngestionId": ingestion_id}
        self.name = f"ingestion {ingestion_id} of data set {data_set_id}"
        self.poll_interval = poll_interval
        self.hook = QuickSightHook(aws_conn_id=aws_conn_id, region_name=region_name)  # type: ignore[no-untyped-call]  # provider

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return this class's path, importable with only `plugins/` on the path, and its arguments."""
        return f"{__name__}.{type(self).__name__}", self.arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll until the ingestion is at an end or its state cannot be read."""
        await until_ended(
            self.hook,
            self._ended,
            name=self.name,
            interval=self.poll_interval,
            permanent_errors=PERMANENT_ERRORS,
            log=self.log,
        )
        yield TriggerEvent({"work_id": self.request["IngestionId"]})  # type: ignore[no-untyped-call]  # Airflow

    async def on_kill(self) -> None:
        """Cancel the ingestion when a user takes the task away, and see it end."""
        await cancel(
            self,
            self.hook,
            lambda client: client.cancel_ingestion(**self.request),
            self._ended,
            name=self.name,
            permanent_errors=PERMANENT_ERRORS,
        )

    async def _ended(self, client: Any) -> bool:
        answer = await client.describe_ingestion(**self.request)
        return answer["Ingestion"]["IngestionStatus"] in ENDED
