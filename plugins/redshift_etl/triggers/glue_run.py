"""Wait for a run of a Glue job without holding a worker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from airflow.providers.amazon.aws.triggers.glue import GlueJobCompleteTrigger
from airflow.triggers.base import TriggerEvent

from redshift_etl.glue_runs import ENDED, PERMANENT_ERRORS
from redshift_etl.triggers.poll import cancel, until_ended


class GlueRunTrigger(GlueJobCompleteTrigger):
    """Fires once the run is at an end, with its id only: the worker reads the outcome itself.

    The provider's trigger fails after `waiter_max_attempts` looks or any error of Glue while the run goes on,
    takes a stopped run for a success, and leaves the run alone when the task is killed. This one polls on
    for as long as the task may be deferred, and stops the run on a user's mark-failed or clear.
    """

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll until the run is at an end or its state cannot be read."""
        await until_ended(
            self.hook(),
            self._ended,
            name=f"run {self.run_id} of job {self.job_name}",
            interval=self.waiter_delay,
            permanent_errors=PERMANENT_ERRORS,
            log=self.log,
        )
        yield TriggerEvent({"work_id": self.run_id})  # type: ignore[no-untyped-call]  # Airflow

    async def on_kill(self) -> None:
        """Stop the run when a user takes the task away, and see it end."""
        await cancel(
            self,
            self.hook(),
            lambda client: client.batch_stop_job_run(JobName=self.job_name, JobRunIds=[self.run_id]),
            self._ended,
            name=f"run {self.run_id} of job {self.job_name}",
            permanent_errors=PERMANENT_ERRORS,
        )

    async def _ended(self, client: Any) -> bool:
        answer = await client.get_job_run(JobName=self.job_name, RunId=self.run_id)
        return answer["JobRun"]["JobRunState"] in ENDED
