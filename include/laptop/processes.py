"""Long-running processes, each in a process group of its own, so that ending one ends all it started."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

GRACE_SECONDS = 10.0


class ProcessEndedError(Exception):
    """A process ended that should have gone on."""


@dataclass
class RunningProcess:
    """One process group and the file that takes its output."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path

    def require_alive(self) -> None:
        """Raise if the process has ended.

        Raises:
            ProcessEndedError: With the exit status and the last lines of the log.
        """
        if (status := self.popen.poll()) is not None:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
            raise ProcessEndedError(
                f"{self.name} ended with status {status}. Its log, {self.log}, ends:\n{tail}"
            )


class Processes:
    """Starts processes and, on leaving the `with` block, ends every one with all its children.

    Args:
        log_folder: One log file per process goes here.
    """

    def __init__(self, log_folder: Path) -> None:
        self.log_folder = log_folder
        self.running: dict[str, RunningProcess] = {}

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> RunningProcess:
        """Start a command in its own process group, its output going to `<name>.log`.

        Args:
            name: A short name for logs and errors.
            command: Program and arguments.
            environment: The whole environment of the process.

        Returns:
            The running process.
        """
        self.log_folder.mkdir(parents=True, exist_ok=True)
        log = self.log_folder / f"{name}.log"
        with log.open("wb") as output, uninterrupted():
            popen = subprocess.Popen(  # noqa: S603 - our own commands, no shell
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self.running[name] = RunningProcess(name, popen, log)
        return self.running[name]

    def require_alive(self) -> None:
        """Raise `ProcessEndedError` for the first process that has ended."""
        for process in self.running.values():
            process.require_alive()

    def stop(self) -> None:
        """End every group: politely, all at once, then by force what is left after ten seconds."""
        groups = [process.popen.pid for process in self.running.values()]
        for group in groups:
            _signal_group(group, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while any(map(_group_lives, groups)) and time.monotonic() < deadline:
            for process in self.running.values():
                process.popen.poll()  # reaps, so that an ended leader does not count as alive
            time.sleep(0.1)
        for group in groups:
            _signal_group(group, signal.SIGKILL)
        for process in self.running.values():
            process.popen.wait()
        self.running.clear()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End everything, whatever happened; a second Ctrl-C must not leave half of it running."""
        previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self.stop()
        finally:
            signal.signal(signal.SIGINT, previous)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let signals wait: one between a process's birth and its registration would leave it to itself."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    arrived: list[int] = []
    previous = {
        number: signal.signal(number, lambda number, _: arrived.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        for waiting in arrived:
            signal.raise_signal(waiting)


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
