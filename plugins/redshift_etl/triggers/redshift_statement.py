"""Wait for a Redshift Data API statement without holding a worker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from airflow.providers.amazon.aws.triggers.redshift_data import RedshiftDataTrigger
from airflow.triggers.base import TriggerEvent

from redshift_etl.audit import TERMINAL
from redshift_etl.data_api import PERMANENT_ERRORS
from redshift_etl.triggers.poll import cancel, until_ended


class RedshiftStatementTrigger(RedshiftDataTrigger):
    """Fires once the statement is at an end, with its id only: the worker reads the outcome itself.

    The provider's trigger turns any exception while polling into an error event, upon which the task fails
    and a retry submits the SQL again while the first still runs. This one polls on, with growing pauses,
    through throttling, server faults, time-outs and lost connections. Where asking again cannot help it fires
    too: the worker asks once more and fails with the true error. The provider's `on_kill` cancels the
    statement also when the trigger has only gone to another triggerer; this one does not.
    """

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return this class's path, importable with only `plugins/` on the path, and its arguments."""
        return f"{__name__}.{type(self).__name__}", super().serialize()[1]

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll until the statement is at an end or its state cannot be read."""
        await until_ended(
            self.hook,
            self._ended,
            name=f"statement {self.statement_id}",
            interval=self.poll_interval,
            permanent_errors=PERMANENT_ERRORS,
            log=self.log,
        )
        yield TriggerEvent({"work_id": self.statement_id})  # type: ignore[no-untyped-call]  # Airflow

    async def on_kill(self) -> None:
        """Cancel the statement when a user takes the task away, and see it end."""
        if self.cancel_on_kill:
            await cancel(
                self,
                self.hook,
                lambda client: client.cancel_statement(Id=self.statement_id),
                self._ended,
                name=f"statement {self.statement_id}",
                permanent_errors=PERMANENT_ERRORS,
            )

    async def _ended(self, client: Any) -> bool:
        return (await client.describe_statement(Id=self.statement_id))["Status"] in TERMINAL
