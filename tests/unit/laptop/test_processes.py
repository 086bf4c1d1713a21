"""What `make run` starts must be gone when it ends, however it ends."""

import os
import time
from pathlib import Path

import psutil
import pytest

from laptop.processes import ProcessEndedError, Processes

# A leader with a child of its own; both ignore polite requests where asked to.
FAMILY = "sleep 60 & echo $! > {child}; {trap} wait"


def started(file: Path) -> int:
    deadline = time.monotonic() + 10
    while not file.exists() or not file.read_text().strip():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return int(file.read_text())


@pytest.mark.parametrize("trap", ["", "trap '' TERM; while :; do sleep 1; done;"], ids=["polite", "stubborn"])
def test_leaving_the_block_ends_every_process_and_its_children(
    tmp_path: Path, trap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("laptop.processes.GRACE_SECONDS", 1.0)
    child_file = tmp_path / "child"
    with Processes(tmp_path / "logs") as processes:
        leader = processes.start(
            "family", ["bash", "-c", FAMILY.format(child=child_file, trap=trap)], os.environ
        ).popen.pid
        child = started(child_file)
        assert psutil.pid_exists(leader)
        assert psutil.pid_exists(child)
    assert not psutil.pid_exists(leader)
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_everything_is_ended_when_the_block_fails(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    pid = processes.start("sleeper", ["sleep", "60"], os.environ).popen.pid
    with pytest.raises(KeyboardInterrupt), processes:
        raise KeyboardInterrupt
    assert not psutil.pid_exists(pid)


def test_a_process_that_ended_is_named_with_its_status_and_last_words(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes:
        short = processes.start("short", ["bash", "-c", "echo no such luck; exit 3"], os.environ)
        short.popen.wait()
        with pytest.raises(ProcessEndedError, match=r"short ended with status 3(.|\n)*no such luck"):
            processes.require_alive()
