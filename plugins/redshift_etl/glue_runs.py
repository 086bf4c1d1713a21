"""Watch and stop runs of an AWS Glue job."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from redshift_etl.watch import LostError, Watch

if TYPE_CHECKING:
    from airflow.sdk.types import Logger
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_glue.type_defs import JobRunTypeDef

SUCCEEDED: Final = "SUCCEEDED"
# EXPIRED and ERROR end a run as well; unlike the provider's hook, STOPPED is no success.
ENDED: Final = frozenset({SUCCEEDED, "FAILED", "TIMEOUT", "STOPPED", "ERROR", "EXPIRED"})

LOST_ERRORS: Final = frozenset({"EntityNotFoundException"})

PERMANENT_ERRORS: Final = LOST_ERRORS | {"AccessDeniedException", "InvalidInputException"}


class RunLostError(LostError):
    """Glue does not know the job run any more."""


class GlueRunWatch(Watch["JobRunTypeDef"]):
    """Sees runs of one job through.

    Args:
        client: The boto3 client `glue`.
        job_name: The job.
        log: The task's log.
    """

    name: ClassVar[str] = "job run"
    lost_errors: ClassVar[frozenset[str]] = LOST_ERRORS
    permanent_errors: ClassVar[frozenset[str]] = PERMANENT_ERRORS
    pause: ClassVar[float] = 1.0

    def __init__(self, client: GlueClient, job_name: str, log: Logger) -> None:
        super().__init__(log)
        self.client = client
        self.job_name = job_name

    def _describe(self, work_id: str, seconds: float) -> JobRunTypeDef:  # noqa: ARG002 - Glue holds nothing back
        return self.client.get_job_run(JobName=self.job_name, RunId=work_id)["JobRun"]

    def _stop(self, work_id: str) -> None:
        self.client.batch_stop_job_run(JobName=self.job_name, JobRunIds=[work_id])

    def _lost(self, work_id: str) -> RunLostError:
        return RunLostError(
            f"Run {work_id} of job {self.job_name} is lost, because Glue does not know it any more: "
            "a retry starts another."
        )

    def state(self, found: JobRunTypeDef) -> str:
        """Return the run's state."""
        return found["JobRunState"]

    def ended(self, found: JobRunTypeDef) -> bool:
        """Whether the run is at an end."""
        return found["JobRunState"] in ENDED

    def succeeded(self, found: JobRunTypeDef) -> bool:
        """Whether the script ended well; a run that somebody stopped did not."""
        return found["JobRunState"] == SUCCEEDED
