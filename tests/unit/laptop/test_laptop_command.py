"""`make run` says in one sentence what is in its way, and starts nothing then."""

import fcntl
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from rich.console import Console

from laptop import __main__ as command
from laptop import pipelines
from laptop.airflow import AirflowError
from laptop.environment import LOCAL_ENV, PROJECT, airflow_environment, read_env_file
from laptop.progress import print_failures
from ports import free_port

# What a terminal library may take for markup: tags of styles, and codes of emoji.
AS_IT_IS = "[redshift_etl] data_bucket is not set, says [/opt/a.py] of {'a':key:'b'}"


def test_a_taken_port_is_named_with_the_setting_that_changes_it(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status = command.main(["--web-port", str(free_port()), "--aws-port", str(port)])
    assert status == 1
    said = capsys.readouterr().out
    assert f"port {port} is taken" in said
    assert f"make run AWS_PORT={port + 1}" in said


def test_a_full_disk_is_told_before_anything_starts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    usage = SimpleNamespace(free=1024**2)
    monkeypatch.setattr(command.shutil, "disk_usage", lambda _: usage)
    options = [f"--{name}-port={free_port()}" for name in ("web", "aws", "wire")]
    assert command.main([*options, f"--folder={tmp_path}"]) == 1
    assert "0.0 GiB free and a run needs 2 GiB" in capsys.readouterr().out


def test_a_second_run_in_the_same_folder_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ports = [f"--{name}-port={free_port()}" for name in ("web", "aws", "wire")]
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert command.main([f"--folder={tmp_path}", *ports]) == 1
    assert f"another make run uses {tmp_path}" in capsys.readouterr().out.replace("\n", "")


def test_what_went_wrong_is_told_as_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*_: object) -> None:
        raise AirflowError(AS_IT_IS)

    monkeypatch.setattr(command, "_run", fail)
    ports = [f"--{name}-port={free_port()}" for name in ("web", "aws", "wire")]
    assert command.main([f"--folder={tmp_path}", *ports]) == 1
    monkeypatch.setattr(pipelines, "wait_until_ready", fail)
    assert pipelines.main([]) == 1
    assert capsys.readouterr().out == f"make run: {AS_IT_IS}\npipelines: {AS_IT_IS}\n"


def test_the_end_of_a_failed_tasks_log_is_told_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    failed = {"task_id": "load", "state": "failed", "try_number": 1}
    airflow = SimpleNamespace(task_instances=lambda *_: [failed], task_log=lambda *_: [AS_IT_IS])
    print_failures(airflow, "dag", "run", Console(width=140))
    assert capsys.readouterr().out == f"load failed. Its log ends:\n  {AS_IT_IS}\n"


@pytest.mark.parametrize("bad", [["--from", "2003-02-30"], ["--to", "yesterday"], ["--web-port", "http"]])
def test_a_bad_option_is_refused_by_name(capsys: pytest.CaptureFixture[str], bad: list[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(bad)
    assert bad[0] in capsys.readouterr().err


def test_make_names_python_3_12_when_it_is_missing(tmp_path: Path) -> None:
    for name in ("Makefile", "requirements-dev.txt"):
        (tmp_path / name).write_bytes((PROJECT / name).read_bytes())
    done = subprocess.run(
        ["make", "setup", "PYTHON=/bin/false"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "Python 3.12 is needed and '/bin/false' is not it" in done.stderr
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_it_starts_leaves_no_process_behind(number: signal.Signals, tmp_path: Path) -> None:
    ports = [f"--{name}-port={free_port()}" for name in ("web", "aws", "wire")]
    run = subprocess.Popen(
        [sys.executable, "-m", "laptop", f"--folder={tmp_path}", *ports],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(PROJECT / "include"), "HOME": "/nonexistent"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=PROJECT,
    )
    try:
        deadline = time.monotonic() + 30
        while not (family := psutil.Process(run.pid).children(recursive=True)):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        run.send_signal(number)
        run.wait(timeout=30)
    finally:
        run.kill()
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []


def test_what_the_shell_says_about_aws_and_airflow_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "from-the-shell")
    environment = airflow_environment(home=tmp_path, web_port=1, aws_endpoint="http://127.0.0.1:2")
    assert "AWS_PROFILE" not in environment
    assert "AIRFLOW__CORE__FERNET_KEY" not in environment
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:2"
    assert environment["AIRFLOW__API__HOST"] == "127.0.0.1"


def test_a_line_that_is_no_setting_is_refused_with_its_number(tmp_path: Path) -> None:
    file = tmp_path / "some.env"
    file.write_text("A=1\n# comment\nB\n")
    with pytest.raises(ValueError, match=r"some\.env line 3 is not KEY=VALUE: 'B'"):
        read_env_file(file)
    assert read_env_file(LOCAL_ENV)["AIRFLOW__REDSHIFT_ETL__DATABASE"] == "dev"
