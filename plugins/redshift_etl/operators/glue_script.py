"""Run a `.sql` file on Amazon Redshift through an AWS Glue job, once for each time Airflow asks for it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING, Any, ClassVar, Final

from airflow.providers.amazon.aws.hooks.glue import get_glue_log_group_names
from airflow.providers.amazon.aws.operators.glue import GlueJobOperator
from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from botocore.exceptions import ClientError, HTTPClientError

from redshift_etl.failure import RedshiftScriptError, kind_of
from redshift_etl.glue_runs import GlueRunWatch
from redshift_etl.links import GlueRunLink, glue_run_url
from redshift_etl.operators.once import OnceMixin
from redshift_etl.triggers.glue_run import GlueRunTrigger
from redshift_etl.watch import NO_ANSWER

if TYPE_CHECKING:
    from airflow.sdk import Context
    from mypy_boto3_glue.type_defs import JobRunTypeDef

# As many runs go on as the job, or the account, allows.
_BUSY: Final = frozenset({"ConcurrentRunsExceededException", "ResourceNumberLimitExceededException"})
_THROTTLED: Final = frozenset({"ThrottlingException", "OperationTimeoutException", "RequestLimitExceeded"})
_ATTEMPTS: Final = 6

# Glue ends a job run after two days, unless the job says otherwise.
_LONGEST_RUN: Final = timedelta(days=2)


class GlueScriptError(RedshiftScriptError):
    """The job run did not carry out the script; a retry starts another."""


class GlueScriptOperator(OnceMixin[str], GlueJobOperator):
    """Runs one `.sql` file by an existing Glue job, and waits without holding a worker.

    The job is Terraform's: this operator neither creates nor changes it, and uploads nothing. What is the
    same for all scripts (`--db`, `--db_creds`, `--bucket`, the wheel) stands in the job's DefaultArguments.

    The promise is that of `OnceMixin`. Glue has no client token: every run carries the task instance and
    the request's token as an argument, and before a run is started the job's runs are searched for it. A run
    that was stopped or timed out has failed.

    Args:
        job_name: The job.
        file: The script's key in the job's script bucket.
        parameters: Value by name for the file's `:names` and `${names}`; templated.
        deferrable: Wait in the triggerer; False: on the worker.
        poll_interval: Seconds between two looks of the triggerer at the run.
        kwargs: The AWS connection, and BaseOperator's arguments.
    """

    template_fields = ("job_name", "file", "parameters", "aws_conn_id", "region_name", "verify")
    template_fields_renderers: ClassVar[dict[str, str]] = {"parameters": "json"}
    ui_color = "#d8e4f8"
    operator_extra_links = (GlueRunLink(),)  # type: ignore[assignment]  # theirs wants an XCom of its own
    external_id_key = "glue_job_run"

    turn_seconds: ClassVar[int] = 30
    """How long to wait before asking again whether the job has room for another run."""

    landing_seconds: ClassVar[int] = 60
    """How long a start that was not answered may take to show as a run, before it is asked for again."""

    def __init__(
        self,
        *,
        job_name: str,
        file: str,
        parameters: Mapping[str, str] | None = None,
        deferrable: bool = True,
        poll_interval: int = 5,
        **kwargs: Any,
    ) -> None:
        # botocore's own retry of a StartJobRun whose answer was lost would start a second run.
        config = {"retries": {"total_max_attempts": 1}} | (kwargs.pop("botocore_config", None) or {})
        super().__init__(job_name=job_name, deferrable=deferrable, botocore_config=config, **kwargs)
        self.file = file
        self.parameters = dict(parameters or {})
        self.poll_interval = poll_interval

    def execute(self, context: Context) -> str:
        """Start a run, or find the one that an earlier try started, and see it through.

        Returns:
            The run's id.

        Raises:
            GlueScriptError: The run could not be started, or did not succeed.
            RedshiftScriptError: Redshift refused a statement in a way that `failure` knows.
        """
        return self._see_through(context, waited=0)

    def execute_again(
        self,
        context: Context,
        waited: int,
        event: object = None,  # noqa: ARG002 - Airflow passes it
    ) -> str:
        """Ask again for a run, after so many seconds in which the job had no room for another."""
        return self._see_through(context, waited)

    def _see_through(self, context: Context, waited: int) -> str:
        while True:
            try:
                run_id = self._work(context)
            except ClientError as error:
                if error.response["Error"]["Code"] not in _BUSY:
                    raise GlueScriptError(
                        f"Glue does not start job {self.job_name} for {self.file}: {error}"
                    ) from error
                waited = self._wait_for_turn(waited, error)
            else:
                if not run_id:
                    raise AssertionError("_start gives a run or raises")
                return self._conclude(run_id)

    @cached_property
    def _watch(self) -> GlueRunWatch:
        return GlueRunWatch(self.hook.conn, self.job_name, self.log)

    def _wait_for_turn(self, waited: int, error: ClientError) -> int:
        """Wait a turn, here or in the triggerer; returns how long it has been."""
        limit = self.execution_timeout or timedelta(hours=1)
        if waited >= limit.total_seconds():
            raise GlueScriptError(
                f"Job {self.job_name} has had no room for another run for {timedelta(seconds=waited)}: "
                f"raise its MaxConcurrentRuns or end what runs. Glue says: {error}"
            ) from error
        self.log.info("%s; asking again in %s s.", error, self.turn_seconds)
        waited += self.turn_seconds
        if self.deferrable:
            self.defer(
                trigger=TimeDeltaTrigger(timedelta(seconds=self.turn_seconds)),
                method_name="execute_again",
                kwargs={"waited": waited},
            )
        time.sleep(self.turn_seconds)
        return waited

    def _running(self, context: Context) -> list[str]:
        """List the runs that this task instance started and that have not ended."""
        own = f"{self._name(context)}/"
        since = datetime.now(UTC) - _LONGEST_RUN
        return self._patiently(
            lambda: [
                run["Id"]
                for run in self._runs(since)
                if self._mark(run).startswith(own) and not self._watch.ended(run)
            ]
        )

    def _start(self, context: Context, token: str) -> str:
        """Start a run under this token, or find the one that an earlier try of the request started."""
        mark = f"{self._name(context)}/{token}"
        # The two clocks may differ.
        since = (context["dag_run"].start_date or datetime.now(UTC)) - timedelta(minutes=5)

        def find() -> str | None:
            return next((run["Id"] for run in self._runs(since) if self._mark(run) == mark), None)

        def find_or_submit() -> str:
            return find() or self._submit_once(mark, find)

        return self._patiently(find_or_submit)

    def _submit_once(self, mark: str, find: Callable[[], str | None]) -> str:
        """Start a run; where no answer comes, look for it until it cannot be on its way any more."""
        try:
            return self._submit(mark)
        except HTTPClientError as error:
            self.log.warning("No answer to the start of job %s: looking for it. %s", self.job_name, error)
            for _ in range(self.landing_seconds):
                time.sleep(1)
                with suppress(ClientError, *NO_ANSWER):
                    if run_id := find():
                        return run_id
            raise

    def _patiently[Answer](self, ask: Callable[[], Answer]) -> Answer:
        """Ask Glue, and ask again where no answer came or Glue is busy."""
        for attempt in range(_ATTEMPTS):
            try:
                return ask()
            except NO_ANSWER as error:
                reason: Exception = error
            except ClientError as error:
                status = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
                if status < 500 and error.response["Error"]["Code"] not in _THROTTLED:
                    raise
                reason = error
            self.log.warning("No answer from Glue about job %s: %s", self.job_name, reason)
            time.sleep(2**attempt)
        raise GlueScriptError(
            f"Glue does not answer the start of job {self.job_name} for {self.file}: {reason}"
        )

    def _name(self, context: Context) -> str:
        """Name the task instance, for people and for the look-up of its runs."""
        ti = context["ti"]
        return f"{ti.dag_id}/{ti.run_id}/{ti.task_id}/{ti.map_index}"

    def _mark(self, run: JobRunTypeDef) -> str:
        """Return the task instance and token that a run carries."""
        return (run.get("Arguments") or {}).get(self.TASK_UUID_ARG, "")

    def _runs(self, since: datetime) -> Iterator[JobRunTypeDef]:
        """Read the job's runs, the latest first, back to a moment."""
        pages = self._watch.client.get_paginator("get_job_runs").paginate(JobName=self.job_name)
        for page in pages:
            for run in page["JobRuns"]:
                if run["StartedOn"] < since:
                    return
                yield run

    def _submit(self, mark: str) -> str:
        request: dict[str, Any] = {
            "JobName": self.job_name,
            "Arguments": {"--file": self.file, self.TASK_UUID_ARG: mark},
        }
        if self.parameters:
            request["Arguments"]["--params"] = json.dumps(self.parameters, sort_keys=True)
        if self.execution_timeout:
            # Should Airflow itself die for good, Glue ends the run.
            request["Timeout"] = ceil(self.execution_timeout.total_seconds() / 60)
        self._require_going()
        run_id = self._watch.client.start_job_run(**request)["JobRunId"]
        self.log.info(
            "%s: started run %s of job %s with %s.",
            self.file,
            run_id,
            self.job_name,
            ", ".join(f"{name}={value!r}" for name, value in self.parameters.items()) or "no parameters",
        )
        return run_id

    def _conclude(self, work_id: str) -> str:
        url = glue_run_url(self.hook, self.job_name, work_id)
        self.log.info("The run in the console: %s", url)
        return super()._conclude(work_id)

    def _trigger(self, work_id: str) -> GlueRunTrigger:
        return GlueRunTrigger(
            job_name=self.job_name,
            run_id=work_id,
            waiter_delay=self.poll_interval,
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            botocore_config=self.botocore_config,
        )

    def _result(self, found: JobRunTypeDef) -> str:
        output, errors = get_glue_log_group_names(dict(found))
        run_id, seconds = found["Id"], found.get("ExecutionTime", 0)
        self.log.info(
            "%s: run %s %s after %s s; its log: group %s, stream %s.",
            self.file,
            run_id,
            found["JobRunState"],
            seconds,
            output,
            run_id,
        )
        if not self._watch.succeeded(found):
            reason = found.get("ErrorMessage") or "no message; somebody may have stopped it"
            # The job's line ends with the statement's text, which does not decide.
            kind = kind_of(reason.partition(" -- ")[0], GlueScriptError)
            raise kind(
                f"{self.file}: run {run_id} of job {self.job_name} is {found['JobRunState']}: {reason} "
                f"-- log group {errors}, stream {run_id}"
            )
        return run_id
