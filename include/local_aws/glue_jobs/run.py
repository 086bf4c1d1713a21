"""One run of a job: its script as a subprocess, from STARTING to its last state."""

import functools
import logging
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local_aws.glue_jobs.role import JobRole
from local_aws.glue_jobs.run_log import GROUP, RunLog
from local_aws.history import now

log = logging.getLogger(__name__)

RUNNING_STATES = frozenset({"STARTING", "RUNNING", "STOPPING"})
_POLL_SECONDS = 0.2
_GRACE_SECONDS = 5.0
# What a run has only while it goes on.
_LIVE = frozenset({"account", "keep", "_stop", "_lock", "_thread", "_launched"})


class StartError(Exception):
    """The run fails before its script starts; one sentence, which becomes its ErrorMessage."""


class Account:
    """What a run uses of the account.

    Args:
        endpoint_url: Where all services are.
        client: Makes a boto3 client of one of them; each is made once and used by all threads.
    """

    def __init__(self, endpoint_url: str, client: Callable[[str], Any]) -> None:
        self.endpoint_url = endpoint_url
        self.client = functools.cache(client)

    def assume(self, role: str) -> JobRole:
        """A job's role, by its name or ARN, for one run."""
        return JobRole.assume(role, self.endpoint_url, self.client("sts"))


@dataclass
class JobRun:
    """A run and, while it goes on, its process.

    Attributes:
        account: Where scripts, connections and logs are.
        job: The definition, as GetJob returned it when the run started.
        arguments: The run's own, which go over the job's DefaultArguments.
        timeout: Minutes.
        seconds_per_minute: 60; less in tests.
        attributes: Members of the JobRun shape that only say what was asked for.
        keep: Stores the run for the next process; called when it starts and when it ends.
    """

    account: Account
    job: dict[str, Any]
    arguments: dict[str, str]
    timeout: int
    seconds_per_minute: float
    attributes: dict[str, Any]
    keep: Callable[["JobRun"], None]
    id: str = field(default_factory=lambda: f"jr_{secrets.token_hex(32)}")
    state: str = "STARTING"
    error: str | None = None
    started_on: datetime = field(default_factory=now)
    modified_on: datetime = field(default_factory=now)
    completed_on: datetime | None = None
    _launched: float | None = None  # by the clock of this process
    _execution_seconds: int = 0

    def __post_init__(self) -> None:
        """Makes the run's thread, which start() starts."""
        self._make_ready()

    def _make_ready(self) -> None:
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name=self.id[:16], daemon=True)

    def __getstate__(self) -> dict[str, Any]:
        """What outlives the process."""
        return {name: value for name, value in self.__dict__.items() if name not in _LIVE}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A run of an earlier process; it cannot be started."""
        self.__dict__ |= state
        self._make_ready()

    def lose(self) -> None:
        """Ends a run that was going on when its process ended."""
        self._set("FAILED")
        self.error = "The run was lost when local_aws ended; start it again."
        self.completed_on = self.modified_on

    def start(self) -> None:
        """Starts the run; it goes on by itself."""
        self.keep(self)
        self._thread.start()

    def stop(self) -> bool:
        """Asks the run to stop.

        Returns:
            Whether it was going on.
        """
        with self._lock:
            if self.state not in RUNNING_STATES:
                return False
            self._set("STOPPING")
            self._stop.set()
            return True

    def join(self, seconds: float | None = None) -> None:
        """Waits until the run has ended; one of an earlier process has."""
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def description(self) -> dict[str, Any]:
        """The run as a JobRun of Glue's API."""
        with self._lock:
            seconds = self._execution_seconds
            if self._launched is not None and self.completed_on is None:
                seconds = int(time.monotonic() - self._launched)
            return {
                **self.attributes,
                "Id": self.id,
                "Attempt": 0,
                "JobName": self.job["Name"],
                "JobMode": "SCRIPT",
                "StartedOn": self.started_on,
                "LastModifiedOn": self.modified_on,
                "CompletedOn": self.completed_on,
                "JobRunState": self.state,
                "Arguments": self.arguments,
                "ErrorMessage": self.error,
                "PredecessorRuns": [],
                "ExecutionTime": seconds,
                "Timeout": self.timeout,
                "LogGroupName": GROUP,
            }

    def _set(self, state: str) -> None:
        self.state, self.modified_on = state, now()

    def _end(self, state: str, error: str | None) -> None:
        with self._lock:
            if self._launched is not None:
                self._execution_seconds = round(time.monotonic() - self._launched)
            self._set("STOPPED" if self._stop.is_set() else state)
            self.error = None if self._stop.is_set() else error
            self.completed_on = self.modified_on
            self._launched = None
            self.keep(self)
        log.info("Run %s of job %s %s %s", self.id, self.job["Name"], self.state, self.error or "")

    def _work(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="glue-python-"))
        try:
            self._end(*self._run(folder))
        except StartError as error:
            self._end("FAILED", str(error))
        except Exception as error:
            log.exception("Run %s failed in local_aws", self.id)
            self._end("FAILED", f"local_aws failed: {error!r}")
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _run(self, folder: Path) -> tuple[str, str | None]:
        """Runs the script to its end.

        Returns:
            The last state and the error message.
        """
        role = self.account.assume(str(self.job["Role"]))
        logs = role.client("logs")
        output, errors = RunLog(logs, "output", self.id), RunLog(logs, "error", self.id)
        self._require_connections(role)
        command, environment = self._prepare(folder, role)
        if self._stop.is_set():
            return "STOPPED", None
        process = subprocess.Popen(  # noqa: S603  # running the user's script is the purpose
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            with self._lock:
                self._launched = time.monotonic()
                if not self._stop.is_set():
                    self._set("RUNNING")
            output.follow(process.stdout)
            errors.follow(process.stderr)
            in_time = self._wait(process, [output, errors])
        finally:
            _end_group(process)
        output.finish()
        errors.finish()
        if not in_time:
            return "TIMEOUT", f"The run was ended after its timeout of {self.timeout} minutes."
        if process.returncode == 0:
            return "SUCCEEDED", None
        return "FAILED", errors.last_line or _ending(process.returncode)

    def _wait(self, process: subprocess.Popen[bytes], logs: list[RunLog]) -> bool:
        """Sends the logs until the process has ended or must end.

        Returns:
            Whether it ended, or was stopped, before its timeout.
        """
        deadline = time.monotonic() + self.timeout * self.seconds_per_minute
        while not self._stop.is_set() and time.monotonic() < deadline:
            with suppress(subprocess.TimeoutExpired):
                process.wait(min(_POLL_SECONDS, max(0.0, deadline - time.monotonic())))
                return True
            for one in logs:
                one.send()
        return self._stop.is_set()

    def _require_connections(self, role: JobRole) -> None:
        glue = role.client("glue")
        for name in (self.job.get("Connections") or {}).get("Connections", []):
            try:
                glue.get_connection(Name=name)
            except glue.exceptions.EntityNotFoundException:
                raise StartError(f"Connection {name} not found; create it or take it off the job.") from None

    def _prepare(self, folder: Path, role: JobRole) -> tuple[list[str], dict[str, str]]:
        """Downloads the script and its libraries.

        The command line is that of a Python shell job as people have printed it: every argument as
        `--name value`, an empty one as `--name` alone, and the script's own location; no `--JOB_NAME`.

        Returns:
            The command and its whole environment; nothing of this process's reaches the script.
        """
        arguments = {
            **(self.job.get("DefaultArguments") or {}),
            **self.arguments,
            **(self.job.get("NonOverridableArguments") or {}),
        }
        if modules := arguments.get("--additional-python-modules"):
            raise StartError(f"Installing {modules} with pip is not supported locally; use --extra-py-files.")
        location = arguments.get("--scriptLocation") or str(self.job["Command"].get("ScriptLocation"))
        s3 = role.client("s3")
        script = _download(s3, location, folder)
        libraries = folder / "libraries"
        libraries.mkdir()
        path = [str(libraries)]
        for url in filter(None, arguments.get("--extra-py-files", "").split(",")):
            library = _download(s3, url.strip(), libraries)
            if library.suffix in {".whl", ".egg", ".zip"}:
                path.append(str(library))
        command = [sys.executable, str(script)]
        for name, value in {**arguments, "--scriptLocation": location}.items():
            command += [name, value] if value else [name]
        home = str(folder)
        return command, {
            "PATH": os.defpath,
            "HOME": home,
            "TMPDIR": home,
            "LANG": "C.UTF-8",
            "PYTHONPATH": os.pathsep.join(path),
            "PYTHONUNBUFFERED": "1",
            "PYTHONNOUSERSITE": "1",
            **role.environment,
        }


def _download(s3: Any, url: str, folder: Path) -> Path:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    name = Path(key).name
    if not url.startswith("s3://") or not name:
        raise StartError(f"{url} is not the address of a file in S3; write s3://bucket/key.")
    try:
        s3.download_file(bucket, key, str(folder / name))
    except ClientError as error:
        raise StartError(f"{url} cannot be read: {error}") from None
    return folder / name


def _ending(status: int) -> str:
    if status < 0:
        return f"The script was ended by {signal.Signals(-status).name}."
    return f"The script ended with exit code {status}."


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Ends the process and all it started: politely, then by force."""
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
    _signal(process, signal.SIGKILL)
    process.wait()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group that has ended
        os.killpg(process.pid, number)
