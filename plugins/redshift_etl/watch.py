"""See work that AWS does for a task through to its end, patiently, while errors of its API come and go."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from math import inf
from typing import TYPE_CHECKING, ClassVar, Final

from airflow.sdk.exceptions import AirflowException
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004 - botocore's

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

# An unreadable state is asked for again after a few seconds: botocore has retried by then.
PAUSE: Final = 5.0

# How long a process that is told to stop may try to cancel its work; then Airflow kills it.
HURRIED_SECONDS: Final = 5.0
# A work that is told to stop is told again after so long, if it goes on.
CANCEL_SECONDS: Final = 5.0
HURRIED_CANCEL_SECONDS: Final = 1.0

# Not connected, or connected and never answered.
NO_ANSWER: Final = (ConnectionError, HTTPClientError)


class LostError(AirflowException):
    """AWS does not know the work any more, so nobody can tell what became of it."""


class Watch[Found](ABC):
    """Sees work through: statements of the Data API, job runs of Glue. `Found` is AWS's description of it.

    Args:
        log: The task's log.
    """

    name: ClassVar[str]
    """What one piece of work is called in the log."""
    lost_errors: ClassVar[frozenset[str]]
    """The API's codes for work that it does not know (any more)."""
    permanent_errors: ClassVar[frozenset[str]]
    """Asking again cannot help. Every other error passes: throttling, server faults, expired credentials."""
    pause: ClassVar[float]
    """Seconds between two looks at work that goes on."""

    def __init__(self, log: Logger) -> None:
        self.log = log

    @abstractmethod
    def _describe(self, work_id: str, seconds: float) -> Found:
        """Ask AWS; the API may hold back its answer for so many seconds while the work goes on."""

    @abstractmethod
    def _stop(self, work_id: str) -> None:
        """Ask AWS to stop the work."""

    @abstractmethod
    def _lost(self, work_id: str) -> LostError:
        """Say that the work is lost."""

    @abstractmethod
    def state(self, found: Found) -> str:
        """Return AWS's name of the work's state."""

    @abstractmethod
    def ended(self, found: Found) -> bool:
        """Whether the work is at an end, good or bad."""

    @abstractmethod
    def succeeded(self, found: Found) -> bool:
        """Whether all of the work is done."""

    def look(self, work_id: str, seconds: float = 0) -> Found | None:
        """Describe the work; None when AWS cannot say just now.

        Args:
            work_id: The statement or job run.
            seconds: How long AWS may hold back its answer while the work goes on.

        Raises:
            LostError: AWS does not know the work.
            ClientError: The caller may not describe it.
        """
        try:
            return self._describe(work_id, seconds)
        except NO_ANSWER as error:
            reason: Exception = error
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in self.lost_errors:
                raise self._lost(work_id) from error
            if code in self.permanent_errors:
                raise
            reason = error
        self.log.warning("Cannot read the state of %s %s: %s", self.name, work_id, reason)
        return None

    def wait(self, work_id: str, seconds: float) -> Found | None:
        """Describe the work once it is at an end; None when it is not after so many seconds."""
        until = time.monotonic() + seconds
        while True:
            found = self.look(work_id, until - time.monotonic())
            if found and self.ended(found):
                return found
            left = until - time.monotonic()
            if left <= 0:
                return None
            time.sleep(min(self.pause if found else PAUSE, left))

    def runs(self, work_id: str) -> bool:
        """Whether the work may still go on; it may when its state cannot be read just now."""
        try:
            found = self.look(work_id)
        except LostError:
            return False
        return found is None or not self.ended(found)

    def serves(self, work_id: str) -> bool:
        """Whether an earlier try's work goes on or has succeeded, so that this try needs no other."""
        try:
            found = self.look(work_id)
        except LostError as error:
            self.log.warning("%s", error)
            return False
        # Unreadable just now: assume that it goes on; the wait finds out.
        return found is None or not self.ended(found) or self.succeeded(found)

    def cancel(self, work_id: str, *, until_seen: bool = True) -> None:
        """Stop the work and see it end.

        Args:
            work_id: The statement or job run.
            until_seen: False: try for a few seconds, for a process that is told to stop.
        """
        until = inf if until_seen else time.monotonic() + HURRIED_SECONDS
        pause = CANCEL_SECONDS if until_seen else HURRIED_CANCEL_SECONDS
        while True:
            try:
                self._stop(work_id)
            except (ClientError, *NO_ANSWER) as error:
                # Refused because it has ended, or not answered: the look below tells.
                self.log.info("Cancelling %s %s: %s", self.name, work_id, error)
            try:
                found = self.wait(work_id, pause)
            except LostError:
                return
            if found:
                self.log.info("%s %s is %s.", self.name.capitalize(), work_id, self.state(found))
            if found or time.monotonic() >= until:
                return
