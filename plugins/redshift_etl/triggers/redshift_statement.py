"""Wait for a Redshift Data API statement without holding a worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

from airflow.providers.amazon.aws.triggers.redshift_data import RedshiftDataTrigger
from airflow.triggers.base import TriggerEvent
from botocore.exceptions import ClientError

from redshift_etl.audit import TERMINAL
from redshift_etl.data_api import PERMANENT_ERRORS

LONGEST_PAUSE: Final = 60.0


class RedshiftStatementTrigger(RedshiftDataTrigger):
    """Fires once the statement is at an end, with its id only: the worker reads the outcome itself.

    The provider's trigger turns any exception while polling into an error event, upon which the task fails
    and a retry submits the SQL again while the first still runs. This one polls on, with growing pauses,
    through throttling, server faults, time-outs and lost connections. Where asking again cannot help it fires
    too: the worker asks once more and fails with the true error. Cancelling on a user's mark-failed or clear
    (`on_kill`) is the provider's.
    """

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return this class's path, importable with only `plugins/` on the path, and its arguments."""
        return f"{__name__}.{type(self).__name__}", super().serialize()[1]

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll until the statement is at an end or its state cannot be read."""
        failures = 0
        while True:
            try:
                # A client per streak of good answers: after an error its credentials and connections are new.
                async with await self.hook.get_async_conn() as client:  # type: ignore[no-untyped-call]  # provider
                    while (await client.describe_statement(Id=self.statement_id))["Status"] not in TERMINAL:
                        failures = 0
                        await asyncio.sleep(self.poll_interval)
                break
            except Exception as error:  # noqa: BLE001 - whatever ended this poll, the statement still runs
                if isinstance(error, ClientError) and error.response["Error"]["Code"] in PERMANENT_ERRORS:
                    break
                failures += 1
                pause = min(self.poll_interval * 2**failures, LONGEST_PAUSE)
                self.log.warning(
                    "Cannot read the state of statement %s (%s); asking again in %.0f s.",
                    self.statement_id,
                    error,
                    pause,
                )
                await asyncio.sleep(pause)
        yield TriggerEvent({"statement_id": self.statement_id})  # type: ignore[no-untyped-call]  # Airflow
