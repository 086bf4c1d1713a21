"""The rules of job runs: which may start, how many at once, which of them can be stopped."""

import threading
from typing import Any

from local_aws.durability import Store
from local_aws.glue_jobs.exceptions import (
    ConcurrentRunsExceededException,
    EntityNotFoundException,
    InvalidInputException,
)
from local_aws.glue_jobs.run import RUNNING_STATES, Account, JobRun

# Glue's defaults for a Python shell job: 48 hours, one run at a time, a sixteenth of a DPU.
DEFAULT_TIMEOUT_MINUTES = 2880
DEFAULT_CONCURRENT_RUNS = 1
DEFAULT_CAPACITY = 0.0625

_KIND = "job run"

# Members of StartJobRun that change what a run does and that are not there locally.
_UNSUPPORTED = ("JobRunId", "JobRunQueuingEnabled", "ExecutionRoleSessionPolicy")


class GlueJobsBackend:
    """All job runs of the account.

    Args:
        account: Where the job definitions, scripts and logs are.
        store: Where runs are kept for the next process; None keeps them in memory.
    """

    _seconds_per_minute: float = 60

    def __init__(self, account: Account, store: Store | None = None) -> None:
        self._account = account
        self._store = store
        self._lock = threading.Lock()
        self._runs: dict[str, list[JobRun]] = {}

    def restore(self) -> None:
        """Takes over the runs that an earlier process has kept; what was going on then is lost."""
        kept: list[JobRun] = self._store.kept(_KIND) if self._store is not None else []
        for run in sorted(kept, key=lambda run: run.started_on):
            if run.state in RUNNING_STATES:
                run.lose()
                self._keep(run)
            self._runs.setdefault(run.job["Name"], []).append(run)

    def _keep(self, run: JobRun) -> None:
        if self._store is not None:
            self._store.keep(_KIND, run.id, run)

    def start(self, request: dict[str, Any]) -> JobRun:
        """Starts a run.

        Args:
            request: The members of StartJobRunRequest.

        Returns:
            The run, on its way.

        Raises:
            EntityNotFoundException: There is no such job.
            InvalidInputException: The job or the request asks for what is not supported locally.
            ConcurrentRunsExceededException: The job's runs that go on are as many as it allows.
        """
        name = request["JobName"]
        job = self._job(name)
        _require_supported(job, request)
        allowed = (job.get("ExecutionProperty") or {}).get("MaxConcurrentRuns", DEFAULT_CONCURRENT_RUNS)
        capacity = request.get("MaxCapacity") or job.get("MaxCapacity") or DEFAULT_CAPACITY
        run = JobRun(
            account=self._account,
            job=job,
            arguments=dict(request.get("Arguments") or {}),
            timeout=request.get("Timeout") or job.get("Timeout") or DEFAULT_TIMEOUT_MINUTES,
            seconds_per_minute=self._seconds_per_minute,
            attributes={"MaxCapacity": float(capacity), "GlueVersion": job.get("GlueVersion") or None},
            keep=self._keep,
        )
        with self._lock:
            runs = self._runs.setdefault(name, [])
            if sum(one.state in RUNNING_STATES for one in runs) >= allowed:
                raise ConcurrentRunsExceededException(f"Concurrent runs exceeded for {name}")
            runs.append(run)
            run.start()
        return run

    def run(self, name: str, run_id: str) -> JobRun:
        """One run of a job.

        Raises:
            EntityNotFoundException: There is no such run.
        """
        for run in self._of(name):
            if run.id == run_id:
                return run
        raise EntityNotFoundException(f"Job run {run_id} of job {name} not found.")

    def runs(self, name: str) -> list[JobRun]:
        """A job's runs, the latest first.

        Raises:
            EntityNotFoundException: There is no such job.
        """
        self._job(name)
        return self._of(name)[::-1]

    def _of(self, name: str) -> list[JobRun]:
        with self._lock:
            return list(self._runs.get(name, []))

    def stop(self, name: str, run_id: str) -> None:
        """Asks a run to stop.

        Raises:
            EntityNotFoundException: There is no such run.
            InvalidInputException: It has ended.
        """
        run = self.run(name, run_id)
        if not run.stop():
            raise InvalidInputException(f"Job run {run_id} cannot be stopped, it is {run.state}.")

    def close(self) -> None:
        """Stops every run, waits for its end, and forgets them all."""
        with self._lock:
            runs = [run for runs in self._runs.values() for run in runs]
        for run in runs:
            run.stop()
        for run in runs:
            run.join()
        with self._lock:
            self._runs.clear()

    def _job(self, name: str) -> dict[str, Any]:
        glue = self._account.client("glue")
        try:
            return dict(glue.get_job(JobName=name)["Job"])
        except glue.exceptions.EntityNotFoundException:
            raise EntityNotFoundException(f"Job {name} not found.") from None


def _require_supported(job: dict[str, Any], request: dict[str, Any]) -> None:
    name, kind = job["Name"], job["Command"].get("Name")
    if kind != "pythonshell":
        raise InvalidInputException(f"Job {name} is of type {kind}; only pythonshell is supported locally.")
    if job.get("MaxRetries"):
        raise InvalidInputException(
            f"Job {name} has MaxRetries {job['MaxRetries']}, which is not supported locally; set it to 0."
        )
    for member in _UNSUPPORTED:
        if request.get(member):
            raise InvalidInputException(f"{member} is not supported locally; leave it out.")
    for argument in request.get("Arguments") or {}:
        if not argument.startswith("--"):
            raise InvalidInputException(f"The argument {argument} must be named --{argument}.")
