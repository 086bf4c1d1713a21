"""The promise of the operators: for each time that Airflow asks for a task, its work is done once."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk.exceptions import AirflowException, TaskDeferralError, TaskDeferralTimeout

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator, Context
    from airflow.triggers.base import BaseTrigger

    from redshift_etl.watch import Watch

    _Operator = BaseOperator
else:
    # Airflow's metaclass would give a mixin that is an operator BaseOperator's own __init__.
    _Operator = ABC


class TaskStoppedError(AirflowException):
    """Airflow has told the task's process to stop: nothing new may be started."""


class OnceMixin[Result](_Operator):
    """Starts work in AWS once for each request, and sees it through without holding a worker.

    Airflow requests a task when it schedules it, and again at each clear; the tries in between serve one
    request. The task state store remembers the request and its last work from try to try.

    - A new request first clears the way: whatever this task instance has left running is looked up in AWS,
      cancelled, and seen to end. Only then is the request remembered.
    - Same request, and the work goes on or has succeeded: it is this try's work too.
    - Same request, and the work failed, was cancelled or is lost: new work.

    New work carries a token that follows from the request and from the work it replaces. So a try that dies
    after starting work and before remembering it is followed by one with the same token, by which AWS, or
    the operator itself, finds the work that is already there. When a user clears that task instead, or
    deletes the run and starts it again, the look-up finds the work.
    """

    external_id_key: ClassVar[str]
    """The task state store's key."""

    # Most work ends within seconds, and a deferral costs the start of two processes: wait here first.
    quick_seconds: ClassVar[float] = 5.0

    deferrable: bool
    work_id: str = ""

    _killed = False
    _asked_in: Context | None = None

    @property
    @abstractmethod
    def _watch(self) -> Watch[Any]:
        """What looks at the work and cancels it."""

    @abstractmethod
    def _running(self, context: Context) -> list[str]:
        """Look up what goes on in AWS on behalf of this task instance, whichever try started it."""

    @abstractmethod
    def _start(self, context: Context, token: str) -> str | None:
        """Start the work, or find what was started with this token; None for nothing to do."""

    @abstractmethod
    def _trigger(self, work_id: str) -> BaseTrigger:
        """Make what waits in the triggerer; its event holds `work_id`."""

    @abstractmethod
    def _result(self, found: Any) -> Result:
        """Log what the work at its end did; raise unless all of it is done."""

    def on_kill(self) -> None:
        """Cancel the work when the task's process is told to stop or runs out of time.

        Airflow goes on with the task where it was, and kills the process some seconds later.
        """
        self._killed = True
        if self.work_id:
            self._watch.cancel(self.work_id, until_seen=False)
        elif self._asked_in:  # AWS has not answered yet
            for work_id in self._running(self._asked_in):
                self._watch.cancel(work_id, until_seen=False)

    def _told_to_stop(self) -> bool:
        # Asked anew each time: the signal sets it between any two lines.
        return self._killed

    def _require_going(self) -> None:
        """Raise once the task's process is told to stop; called right before anything is started."""
        if self._told_to_stop():
            raise TaskStoppedError(f"Task {self.task_id} was told to stop before its work was started.")

    def execute_complete(
        self,
        context: Context,  # noqa: ARG002 - Airflow passes it
        event: dict[str, Any] | None = None,
    ) -> Result:
        """Read the outcome after the trigger has fired."""
        return self._conclude((event or {})["work_id"])

    def resume_execution(
        self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context
    ) -> object:
        """Take up the task after a deferral, also after one that ended badly.

        A wait that outlasted `execution_timeout` cancels the work. A trigger that broke (its code missing in
        the triggerer, say) tells nothing about the work, so the wait goes on here.
        """
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except TaskDeferralTimeout as error:
            _, self.work_id = self._remembered(context)
            self._watch.cancel(self.work_id)
            raise TaskDeferralTimeout(
                f"Task {self.task_id} ran longer than its execution_timeout of {self.execution_timeout}: "
                f"{self._watch.name} {self.work_id} was told to stop, and has ended."
            ) from error
        except TaskDeferralError as error:
            request, work_id = self._remembered(context)
            if request != self._request(context) or not work_id:
                raise  # nothing was started yet
            self.log.warning("The trigger failed (%s): waiting on the worker instead.", error)
            self.deferrable = False
            return self._conclude(work_id)

    def _work(self, context: Context) -> str | None:
        """Return the one work of this request: an earlier try's or new; None for nothing to do."""
        self._asked_in = context
        request = self._request(context)
        remembered, last = self._remembered(context)
        if remembered != request:
            self._clear_the_way(context, last)
            self._remember(context, request, "")
            last = ""
        self.work_id = last
        if last and self._watch.serves(last):
            self.log.info("%s %s of an earlier try is this try's.", self._watch.name.capitalize(), last)
            return last
        self.work_id = ""
        self._require_going()
        token = hashlib.sha256(f"{request}\n{last}".encode()).hexdigest()
        work_id = self._start(context, token)
        if work_id:
            self.work_id = work_id
            if self._told_to_stop():
                self.on_kill()
            self._remember(context, request, work_id)
        return work_id

    def _clear_the_way(self, context: Context, last: str) -> None:
        """See to an end what this task instance has left running: what it remembers, and what AWS knows."""
        left = self._running(context)
        if last and last not in left and self._watch.runs(last):
            left.append(last)
        for work_id in left:
            self.log.info("Cancelling %s %s, which this task has left running.", self._watch.name, work_id)
            self._watch.cancel(work_id)

    def _request(self, context: Context) -> str:
        """Identify what Airflow asked for: the task of a run, and the try with which this request began.

        A clear raises `max_tries` above `retries` by the tries already used; the try number itself would
        differ within one request. The run's start tells a run from a deleted one of the same id.
        """
        ti = context["ti"]
        first_try = ti.max_tries - (self.retries or 0) + 1
        start = context["dag_run"].start_date
        return "\n".join(map(str, [ti.dag_id, ti.run_id, start, ti.task_id, ti.map_index, first_try]))

    def _remember(self, context: Context, request: str, work_id: str) -> None:
        context["task_state_store"].set(self.external_id_key, {"request": request, "work_id": work_id})

    def _remembered(self, context: Context) -> tuple[str, str]:
        """Read the last request and its work, each empty before the first, from the task state store."""
        stored = context["task_state_store"].get(self.external_id_key)
        return (str(stored["request"]), str(stored["work_id"])) if isinstance(stored, dict) else ("", "")

    def _conclude(self, work_id: str) -> Result:
        """Wait, here or in the triggerer, and turn the outcome into the task's."""
        self.work_id = work_id
        found = self._watch.wait(work_id, self.quick_seconds if self.deferrable else inf)
        if found is None:
            self.defer(
                trigger=self._trigger(work_id), method_name="execute_complete", timeout=self.execution_timeout
            )
        return self._result(found)
