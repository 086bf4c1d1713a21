"""What a run prints, sent to CloudWatch Logs where GlueJobHook and the console look for it."""

import threading
import time
from contextlib import suppress
from typing import IO, Any

GROUP = "/aws-glue/python-jobs"
# PutLogEvents takes 1 MB and 10,000 events at a time, and 256 KB for one event.
_MOST_EVENTS = 1_000
_MOST_CHARACTERS = 1_000


class RunLog:
    """One output of one run: a log stream, named after the run.

    Args:
        logs: A boto3 client of CloudWatch Logs.
        kind: `output` or `error`.
        run_id: The run.
    """

    def __init__(self, logs: Any, kind: str, run_id: str) -> None:
        self._logs = logs
        self._where = {"logGroupName": f"{GROUP}/{kind}", "logStreamName": run_id}
        self._lock = threading.Lock()
        self._waiting: list[dict[str, Any]] = []
        self._thread: threading.Thread | None = None
        self.last_line = ""
        with suppress(logs.exceptions.ResourceAlreadyExistsException):  # one group for all jobs
            logs.create_log_group(logGroupName=f"{GROUP}/{kind}")
        logs.create_log_stream(**self._where)

    def follow(self, stream: IO[bytes] | None) -> None:
        """Reads a process's pipe to its end, on a thread of its own."""
        if stream is None:
            raise ValueError("The process has no pipe to follow.")
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                self.add(line.decode(errors="replace").rstrip())

    def add(self, line: str) -> None:
        """Takes one line; CloudWatch has no empty ones, and long ones become several events."""
        if not line:
            return
        now = int(time.time() * 1000)
        with self._lock:
            self.last_line = line
            for start in range(0, len(line), _MOST_CHARACTERS):
                part = line[start : start + _MOST_CHARACTERS]
                self._waiting.append({"timestamp": now, "message": part})

    def send(self) -> None:
        """Sends what has been read so far."""
        with self._lock:
            events, self._waiting = self._waiting, []
        for start in range(0, len(events), _MOST_EVENTS):
            self._logs.put_log_events(**self._where, logEvents=events[start : start + _MOST_EVENTS])

    def finish(self) -> None:
        """Waits for the pipe's end and sends the rest."""
        if self._thread is not None:
            self._thread.join()
        self.send()
