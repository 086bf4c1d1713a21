"""The real job `reviews-etl` with its wheel, as a Glue run against the wire listener."""

import json
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


def test_a_run_stopped_half_way_leaves_the_table_as_it_was(  # noqa: PLR0917  # fixtures, by name
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


def test_no_password_is_in_any_log(
    start: Callable[..., str],
    wait: Finish,
    login: dict[str, Any],
    aws: Callable[[str], Any],
    server: Server,
) -> None:
    ids = [wait(start(sql))["Id"] for sql in ("select 1", "select i from nowhere", "select 'a")]
    everything = "\n".join([*(logged(aws, run_id) for run_id in ids), json.dumps(server._history.records())])
    assert "statement 1 of 1" in everything
    assert login["password"] not in everything
