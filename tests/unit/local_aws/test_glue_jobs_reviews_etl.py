"""The real job `reviews-etl` with its wheel, as a Glue run against the wire listener."""

import json
import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from glue import wheel
from local_aws.server import Server

BUCKET = "reviews-scripts"
JOB = "reviews-etl"
Finish = Callable[..., dict[str, Any]]
Rows = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def glue(aws: Callable[[str], Any], login: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The job as it is deployed: script and wheel in S3, the login in a secret, a connection."""
    s3 = aws("s3")
    s3.create_bucket(Bucket=BUCKET)
    built = wheel.build(tmp_path_factory.mktemp("wheel"))
    s3.upload_file(str(built), BUCKET, f"python/{built.name}")
    s3.upload_file(str(Path(wheel.__file__).with_name("reviews_etl.py")), BUCKET, "python/reviews_etl.py")
    secret = json.dumps(login | {"ssl": False})
    aws("secretsmanager").create_secret(Name="reviews-etl", SecretString=secret)
    glue = aws("glue")
    glue.create_connection(
        ConnectionInput={"Name": "redshift", "ConnectionType": "NETWORK", "ConnectionProperties": {}}
    )
    glue.create_job(
        Name=JOB,
        Role="arn:aws:iam::123456789012:role/redshift-etl-glue",
        Command={
            "Name": "pythonshell",
            "PythonVersion": "3.9",
            "ScriptLocation": f"s3://{BUCKET}/python/reviews_etl.py",
        },
        Connections={"Connections": ["redshift"]},
        DefaultArguments={
            "--db": "dev",
            "--db_creds": "reviews-etl",
            "--bucket": BUCKET,
            "--extra-py-files": f"s3://{BUCKET}/python/{built.name}",
            "--library-set": "analytics",
        },
        ExecutionProperty={"MaxConcurrentRuns": 3},
        Timeout=60,
    )
    return glue


@pytest.fixture
def start(glue: Any, aws: Callable[[str], Any]) -> Callable[..., str]:
    """Uploads a script and starts a run of it; keyword arguments are the script's own."""

    def run(sql: str, **arguments: str) -> str:
        aws("s3").put_object(Bucket=BUCKET, Key="sql/reviews/etl.sql", Body=sql)
        own = {"--params": json.dumps(arguments)} if arguments else {}
        asked = {"--file": "sql/reviews/etl.sql", "--airflow_task_uuid": "a:b:c:-1", **own}
        return str(glue.start_job_run(JobName=JOB, Arguments=asked)["JobRunId"])

    return run


@pytest.fixture
def wait(glue: Any) -> Finish:
    """Waits for the end of a run."""

    def until(run_id: str) -> dict[str, Any]:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            run: dict[str, Any] = glue.get_job_run(JobName=JOB, RunId=run_id)["JobRun"]
            if run["JobRunState"] not in {"STARTING", "RUNNING", "STOPPING"}:
                return run
            time.sleep(0.05)
        raise AssertionError(f"The run is still {run['JobRunState']}.")

    return until


def logged(aws: Callable[[str], Any], run_id: str) -> str:
    logs = aws("logs")
    kinds = ("output", "error")
    streams = [
        logs.get_log_events(logGroupName=f"/aws-glue/python-jobs/{kind}", logStreamName=run_id)
        for kind in kinds
    ]
    return "\n".join(event["message"] for stream in streams for event in stream["events"])


def test_the_job_loads_and_says_what_it_did(
    start: Callable[..., str], wait: Finish, rows: Rows, aws: Callable[[str], Any]
) -> None:
    sql = "create table loaded (title varchar(100), year int);\ninsert into loaded values (:title, :year)"
    run = wait(start(sql, title="it's; |", year="2015"))
    assert run["JobRunState"] == "SUCCEEDED", run
    assert rows("select title, year from loaded") == [("it's; |", 2015)]
    assert "sql/reviews/etl.sql, statement 2 of 2: insert into loaded" in logged(aws, run["Id"])


def test_a_failing_statement_is_the_runs_error_message(start: Callable[..., str], wait: Finish) -> None:
    """The original's runs ended green after a failure."""
    run = wait(start("create table lost (i int); insert into lost select i from nowhere"))
    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"].startswith("sql/reviews/etl.sql, statement 2 of 2, failed: ")
    assert run["ErrorMessage"].endswith(" -- insert into lost select i from nowhere")


def test_a_run_stopped_half_way_leaves_the_table_as_it_was(
    start: Callable[..., str],
    wait: Finish,
    rows: Rows,
    glue: Any,
    execute: Callable[..., dict[str, Any]],
    slow_query: str,
    server: Server,
) -> None:
    assert execute(["create table kept (i bigint)", "insert into kept values (7)"])["Status"] == "FINISHED"
    run_id = start(f"delete from kept; insert into kept {slow_query}")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not _is_running(server, "insert into kept"):
        time.sleep(0.05)
    glue.batch_stop_job_run(JobName=JOB, JobRunIds=[run_id])
    assert wait(run_id)["JobRunState"] == "STOPPED"
    assert rows("select i from kept") == [(7,)]
    assert execute("insert into kept values (8)")["Status"] == "FINISHED", "the stopped run holds its lock"


def _is_running(server: Server, sql: str) -> bool:
    records = server._history.records()
    return any(one["status"] == "STARTED" and one["sqls"][0].startswith(sql) for one in records)


def _processes() -> list[int]:
    """The runs of the job that this process has started."""
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=", "-o", "ppid=", "-o", "args="],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = (line.split(None, 2) for line in listed.splitlines())
    return [
        int(pid) for pid, parent, text in found if int(parent) == os.getpid() and "reviews_etl.py" in text
    ]


def test_a_job_killed_half_way_leaves_the_table_as_it_was(
    start: Callable[..., str],
    wait: Finish,
    rows: Rows,
    execute: Callable[..., dict[str, Any]],
    slow_query: str,
    server: Server,
) -> None:
    """kill -9: the job cannot say good-bye, its connection just ends."""
    assert (
        execute(["create table spared (i bigint)", "insert into spared values (7)"])["Status"] == "FINISHED"
    )
    run_id = start(f"delete from spared; insert into spared {slow_query}")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not _is_running(server, "insert into spared"):
        time.sleep(0.05)
    (pid,) = _processes()
    os.kill(pid, signal.SIGKILL)
    run = wait(run_id)
    assert run["JobRunState"] == "FAILED"
    assert "SIGKILL" in run["ErrorMessage"]
    assert rows("select i from spared") == [(7,)]
    assert execute("insert into spared values (8)")["Status"] == "FINISHED", "the dead run holds its lock"


@pytest.fixture(scope="module")
def locked_bucket(aws: Callable[[str], Any]) -> str:
    """A bucket that nobody may read, with a script and data in it."""
    s3 = aws("s3")
    s3.create_bucket(Bucket="locked")
    s3.put_object(Bucket="locked", Key="sql/reviews/etl.sql", Body=b"select 1")
    denied = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::locked/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [denied]}
    s3.put_bucket_policy(Bucket="locked", Policy=json.dumps(policy))
    return "locked"


COPY = "create table if not exists copied (i int); copy copied from 's3://locked/sql/' iam_role default csv"
FAILURES = {
    "a statement that fails": ("select i from nowhere", {}, "statement 1 of 1, failed: "),
    "a script that does not end": ("select 'a", {}, "sql/reviews/etl.sql, line 1: a string starts"),
    "a password that is wrong": (
        "select 1",
        {"--db_creds": "wrong"},
        "refuses user awsuser of secret wrong, or cannot be reached: password authentication failed",
    ),
    "a secret without a key": (
        "select 1",
        {"--db_creds": "keyless"},
        "Secret keyless has no key username: store username and password in it.",
    ),
    "a secret that does not exist": ("select 1", {"--db_creds": "none"}, "Secret none cannot be read: "),
    "a script that does not exist": (
        "select 1",
        {"--file": "sql/none.sql"},
        f"s3://{BUCKET}/sql/none.sql cannot be read: ",
    ),
    "a script that one may not read": (
        "select 1",
        {"--bucket": "locked"},
        "s3://locked/sql/reviews/etl.sql cannot be read: An error occurred (AccessDenied) when calling ",
    ),
    "data that one may not read": (
        COPY,
        {},
        "S3ServiceException:Access Denied,Status 403,Error AccessDenied,at s3://locked/sql/reviews/etl.sql",
    ),
}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.usefixtures("locked_bucket")
def test_a_failure_is_one_clear_error_and_no_log_shows_the_password(
    failure: str,
    wait: Finish,
    login: dict[str, Any],
    aws: Callable[[str], Any],
    glue: Any,
    server: Server,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    sql, arguments, expected = FAILURES[failure]
    secrets = aws("secretsmanager")
    wrong = {
        "wrong": login | {"ssl": False, "password": "wrong-pass-word"},
        "keyless": login | {"username": None},
    }
    if (name := arguments.get("--db_creds")) in wrong:
        secrets.create_secret(Name=name, SecretString=json.dumps(wrong[name]))
    aws("s3").put_object(Bucket=BUCKET, Key="sql/reviews/etl.sql", Body=sql)
    caplog.set_level(logging.DEBUG, logger="local_aws")
    asked = {"--file": "sql/reviews/etl.sql"} | arguments
    run = wait(glue.start_job_run(JobName=JOB, Arguments=asked)["JobRunId"])
    assert run["JobRunState"] == "FAILED"
    assert expected in run["ErrorMessage"]
    assert "\n" not in run["ErrorMessage"]
    assert "Traceback" not in logged(aws, run["Id"])
    _no_secret(login, aws, server, [run], caplog.text + "".join(capfd.readouterr()))


def test_no_log_of_a_run_that_succeeds_shows_the_password(
    start: Callable[..., str],
    wait: Finish,
    login: dict[str, Any],
    aws: Callable[[str], Any],
    server: Server,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG, logger="local_aws")
    run = wait(start("select 1"))
    assert run["JobRunState"] == "SUCCEEDED", run
    assert "statement 1 of 1" in logged(aws, run["Id"])
    _no_secret(login, aws, server, [run], caplog.text + "".join(capfd.readouterr()))


def _no_secret(
    login: dict[str, Any], aws: Callable[[str], Any], server: Server, runs: list[dict[str, Any]], said: str
) -> None:
    """Neither the job's logs, its outcome, the record of statements nor what local_aws says of itself."""
    shown = [
        *(logged(aws, run["Id"]) for run in runs),
        str(runs),
        json.dumps(server._history.records()),
        said,
    ]
    for text in shown:
        assert login["password"] not in text
        assert "wrong-pass-word" not in text
