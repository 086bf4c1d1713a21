"""Job runs as boto3 and the provider's hook see them; every run is a real script in a real process."""

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from local_aws.glue_jobs.models import GlueJobsBackend
from local_aws.glue_jobs.responses import GlueJobsResponse, service_model
from local_aws.server import Server

BUCKET = "glue-scripts"
SLEEP = "import time\nprint('sleeping', flush=True)\ntime.sleep(60)\n"

CreateJob = Callable[..., str]
Wait = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module", autouse=True)
def validated() -> Iterator[None]:
    """Holds every answer against botocore's model of the operation."""
    answer = GlueJobsResponse.answer

    def checked(self: GlueJobsResponse, operation: str, content: bytes) -> dict[str, Any]:
        body = answer(self, operation, content)
        shape = service_model().operation_model(operation).output_shape
        report = ParamValidator().validate(body, shape)
        assert not report.has_errors(), report.generate_report()
        for run in [body.get("JobRun", {}), *body.get("JobRuns", [])]:
            assert set(run) <= set(service_model().shape_for("JobRun").members)
        return body

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GlueJobsResponse, "answer", checked)
        yield


@pytest.fixture(scope="module")
def glue(aws: Callable[[str], Any]) -> Any:
    aws("s3").create_bucket(Bucket=BUCKET)
    return aws("glue")


@pytest.fixture
def create_job(
    glue: Any, aws: Callable[[str], Any], request: pytest.FixtureRequest, server: Server
) -> Iterator[CreateJob]:
    """Uploads a script and defines a job that runs it; no run is left when the test ends."""
    name = re.sub(r"\W+", "-", request.node.name)[:80]

    def create(script: str, *, arguments: dict[str, str] | None = None, **more: Any) -> str:
        aws("s3").put_object(Bucket=BUCKET, Key=f"{name}.py", Body=script)
        command = {
            "Name": "pythonshell",
            "PythonVersion": "3.9",
            "ScriptLocation": f"s3://{BUCKET}/{name}.py",
        }
        glue.create_job(
            Name=name,
            Role="arn:aws:iam::123456789012:role/glue",
            **{"Command": command, "DefaultArguments": arguments or {}, **more},
        )
        return name

    yield create
    server.glue_jobs.close()


@pytest.fixture
def wait(glue: Any) -> Wait:
    """Waits until a run is in a state, which is a last one unless named."""

    def until(name: str, run_id: str, *states: str) -> dict[str, Any]:
        wanted = states or ("SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED")
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            run = glue.get_job_run(JobName=name, RunId=run_id)["JobRun"]
            if run["JobRunState"] in wanted:
                return run
            time.sleep(0.05)
        raise AssertionError(f"The run is still {run['JobRunState']}.")

    return until


@pytest.fixture
def finish(glue: Any, wait: Wait) -> Callable[..., dict[str, Any]]:
    """Starts a run and waits for its end."""
    return lambda name, **more: wait(name, glue.start_job_run(JobName=name, **more)["JobRunId"])


def logged(aws: Callable[[str], Any], run: dict[str, Any], kind: str = "output") -> list[str]:
    events = aws("logs").get_log_events(
        logGroupName=f"/aws-glue/python-jobs/{kind}", logStreamName=run["Id"], startFromHead=True
    )["events"]
    return [event["message"] for event in events]


def lives(pid: int) -> bool:
    """Whether a process runs; where nobody reaps orphans, an ended one stays as a zombie."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def error_of(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as raised:
        call(**arguments)
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_script_that_ends_well_succeeds(create_job: CreateJob, finish: Wait, aws: Any) -> None:
    run = finish(create_job("print('hello')\nprint()\nprint('wörld')"))
    assert run["JobRunState"] == "SUCCEEDED"
    assert re.fullmatch(r"jr_[0-9a-f]{64}", run["Id"])
    assert run["Attempt"] == 0
    assert run["StartedOn"] <= run["CompletedOn"] == run["LastModifiedOn"]
    assert 0 <= run["ExecutionTime"] < 10
    assert run["Timeout"] == 2880
    assert run["LogGroupName"] == "/aws-glue/python-jobs"
    assert "ErrorMessage" not in run
    assert logged(aws, run) == ["hello", "wörld"]


def test_a_script_that_raises_fails_with_its_exception(create_job: CreateJob, finish: Wait, aws: Any) -> None:
    """An emulator that answers SUCCEEDED without running anything is worse than none."""
    run = finish(create_job("print('before')\nraise ValueError('no such table')"))
    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"] == "ValueError: no such table"
    assert logged(aws, run) == ["before"]
    assert logged(aws, run, "error")[0] == "Traceback (most recent call last):"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("import sys; sys.exit('statement 3 of 5 failed')", "statement 3 of 5 failed"),
        ("import sys; sys.exit(3)", "The script ended with exit code 3."),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "The script was ended by SIGKILL."),
    ],
)
def test_an_exit_status_fails_the_run(create_job: CreateJob, finish: Wait, script: str, message: str) -> None:
    run = finish(create_job(script))
    assert (run["JobRunState"], run["ErrorMessage"]) == ("FAILED", message)


def test_the_script_gets_glues_command_line(create_job: CreateJob, finish: Wait, aws: Any) -> None:
    name = create_job(
        "import json, sys; print(json.dumps(sys.argv))",
        arguments={"--db": "dev", "--file": "etl.sql", "--enable-metrics": ""},
        NonOverridableArguments={"--bucket": "fixed"},
    )
    arguments = {"--file": "sql/other file.sql", "--params": '{"a": "it\'s; $x"}', "--bucket": "mine"}
    run = finish(name, Arguments=arguments)
    assert run["Arguments"] == arguments
    script, *rest = json.loads(logged(aws, run)[0])
    assert script.endswith(f"{name}.py")
    assert rest == [
        *("--db", "dev"),
        *("--file", "sql/other file.sql"),
        "--enable-metrics",
        *("--params", '{"a": "it\'s; $x"}'),
        *("--bucket", "fixed"),
        *("--scriptLocation", f"s3://{BUCKET}/{name}.py"),
    ]


def test_the_script_sees_nothing_of_this_process(
    create_job: CreateJob, finish: Wait, aws: Any, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "include")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of the real account")
    monkeypatch.setenv("AIRFLOW_HOME", "airflow")
    name = create_job(
        "import json, os, sys\n"
        "import boto3, shared_code\n"
        "boto3.client('s3').put_object(Bucket='glue-scripts', Key='made/by/job', Body=shared_code.NAME)\n"
        "try:\n    import local_aws\nexcept ImportError:\n    print('alone')\n"
        "print(json.dumps([dict(os.environ), os.getcwd()]))",
        arguments={"--extra-py-files": f"s3://{BUCKET}/shared_code.py"},
    )
    aws("s3").put_object(Bucket=BUCKET, Key="shared_code.py", Body="NAME = b'shared'")
    run = finish(name)
    assert run["JobRunState"] == "SUCCEEDED", run
    alone, seen = logged(aws, run)
    environment, folder = json.loads(seen)
    assert alone == "alone"
    assert environment["AWS_ENDPOINT_URL"] == server.endpoint_url
    assert environment["HOME"] == environment["TMPDIR"] == folder
    assert environment["AWS_SESSION_TOKEN"] != "of the real account"
    assert "AIRFLOW_HOME" not in environment
    assert "include" not in environment["PYTHONPATH"].split("/")
    assert aws("s3").get_object(Bucket=BUCKET, Key="made/by/job")["Body"].read() == b"shared"


def test_a_run_that_takes_longer_than_its_timeout_is_ended(
    create_job: CreateJob, finish: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Glue counts in minutes; a minute of this test is half a second."""
    monkeypatch.setattr(GlueJobsBackend, "_seconds_per_minute", 0.5)
    started = time.monotonic()
    run = finish(create_job(SLEEP, Timeout=9), Timeout=2)
    assert run["JobRunState"] == "TIMEOUT"
    assert run["Timeout"] == 2
    assert "timeout of 2 minutes" in run["ErrorMessage"]
    assert 1 <= time.monotonic() - started < 10


def test_a_stopped_run_is_ended_with_all_it_started(
    create_job: CreateJob, glue: Any, wait: Wait, aws: Callable[[str], Any]
) -> None:
    name = create_job(
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {SLEEP!r}])\nprint(child.pid)\nchild.wait()"
    )
    run_id = glue.start_job_run(JobName=name)["JobRunId"]
    run = wait(name, run_id, "RUNNING")
    deadline = time.monotonic() + 10
    while not logged(aws, run) and time.monotonic() < deadline:
        time.sleep(0.05)
    unknown = "jr_" + "0" * 64
    answer = glue.batch_stop_job_run(JobName=name, JobRunIds=[run_id, unknown])
    assert answer["SuccessfulSubmissions"] == [{"JobName": name, "JobRunId": run_id}]
    (error,) = answer["Errors"]
    assert (error["JobRunId"], error["ErrorDetail"]["ErrorCode"]) == (unknown, "EntityNotFoundException")
    run = wait(name, run_id)
    assert run["JobRunState"] == "STOPPED"
    assert not lives(int(logged(aws, run)[0]))
    assert "ErrorMessage" not in run
    (late,) = glue.batch_stop_job_run(JobName=name, JobRunIds=[run_id])["Errors"]
    assert late["ErrorDetail"]["ErrorCode"] == "InvalidInputException"


def test_one_run_at_a_time_unless_the_job_allows_more(create_job: CreateJob, glue: Any, wait: Wait) -> None:
    """The console's default is one; runs that overlapped failed the original's state machine."""
    name = create_job(SLEEP, ExecutionProperty={"MaxConcurrentRuns": 2})
    first, _ = (glue.start_job_run(JobName=name)["JobRunId"] for _ in range(2))
    code, message = error_of(glue.start_job_run, JobName=name)
    assert (code, message) == ("ConcurrentRunsExceededException", f"Concurrent runs exceeded for {name}")
    glue.batch_stop_job_run(JobName=name, JobRunIds=[first])
    wait(name, first, "STOPPED")
    assert glue.start_job_run(JobName=name)["JobRunId"]


def test_what_does_not_exist_is_not_found(glue: Any, create_job: CreateJob) -> None:
    name = create_job("print(1)")
    assert error_of(glue.start_job_run, JobName="nope") == ("EntityNotFoundException", "Job nope not found.")
    assert error_of(glue.get_job_runs, JobName="nope")[0] == "EntityNotFoundException"
    assert error_of(glue.get_job_run, JobName=name, RunId="jr_x")[0] == "EntityNotFoundException"


@pytest.mark.parametrize(
    ("job", "request_", "message"),
    [
        ({"MaxRetries": 1}, {}, "MaxRetries 1, which is not supported locally"),
        (
            {"Command": {"Name": "glueetl", "ScriptLocation": "s3://b/x.py"}},
            {},
            "only pythonshell is supported",
        ),
        ({}, {"JobRunId": "jr_1"}, "JobRunId is not supported locally"),
        ({}, {"JobRunQueuingEnabled": True}, "JobRunQueuingEnabled is not supported locally"),
        ({}, {"Arguments": {"file": "x"}}, "must be named --file"),
    ],
)
def test_what_is_not_supported_is_refused_and_not_ignored(
    create_job: CreateJob, glue: Any, job: dict[str, Any], request_: dict[str, Any], message: str
) -> None:
    code, said = error_of(glue.start_job_run, JobName=create_job("print(1)", **job), **request_)
    assert code == "InvalidInputException"
    assert message in said


@pytest.mark.parametrize(
    ("job", "message"),
    [
        ({"Connections": {"Connections": ["nowhere"]}}, "Connection nowhere not found"),
        (
            {"arguments": {"--scriptLocation": f"s3://{BUCKET}/none.py"}},
            f"s3://{BUCKET}/none.py cannot be read",
        ),
        ({"arguments": {"--extra-py-files": "here.whl"}}, "here.whl is not the address of a file in S3"),
        (
            {"arguments": {"--additional-python-modules": "pandas"}},
            "Installing pandas with pip is not",
        ),
    ],
)
def test_a_run_that_cannot_start_fails_and_says_why(
    create_job: CreateJob, finish: Wait, job: dict[str, Any], message: str
) -> None:
    run = finish(create_job("print(1)", **job))
    assert run["JobRunState"] == "FAILED"
    assert message in run["ErrorMessage"]
    assert run["ExecutionTime"] == 0


def test_a_connection_that_exists_lets_the_run_start(create_job: CreateJob, finish: Wait, glue: Any) -> None:
    glue.create_connection(
        ConnectionInput={"Name": "redshift", "ConnectionType": "NETWORK", "ConnectionProperties": {}}
    )
    assert (
        finish(create_job("print(1)", Connections={"Connections": ["redshift"]}))["JobRunState"]
        == "SUCCEEDED"
    )


def test_the_latest_runs_come_first_page_by_page(create_job: CreateJob, finish: Wait, glue: Any) -> None:
    name = create_job("print(1)")
    ids = [finish(name)["Id"] for _ in range(3)]
    first = glue.get_job_runs(JobName=name, MaxResults=2)
    assert [run["Id"] for run in first["JobRuns"]] == [ids[2], ids[1]]
    second = glue.get_job_runs(JobName=name, MaxResults=2, NextToken=first["NextToken"])
    assert [run["Id"] for run in second["JobRuns"]] == [ids[0]]
    assert "NextToken" not in second
    pages = glue.get_paginator("get_job_runs").paginate(JobName=name, PaginationConfig={"PageSize": 1})
    assert [run["Id"] for page in pages for run in page["JobRuns"]] == ids[::-1]


def test_the_log_is_there_while_the_script_runs(
    create_job: CreateJob, glue: Any, wait: Wait, aws: Any
) -> None:
    name = create_job(SLEEP)
    run = wait(name, glue.start_job_run(JobName=name)["JobRunId"], "RUNNING")
    deadline = time.monotonic() + 10
    while logged(aws, run) != ["sleeping"] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert logged(aws, run) == ["sleeping"]


def test_a_lot_of_output_is_kept_whole_and_in_order(create_job: CreateJob, finish: Wait, aws: Any) -> None:
    run = finish(create_job("for n in range(3000):\n    print(n)\nprint('x' * 2500)"))
    pages = (
        aws("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName="/aws-glue/python-jobs/output", logStreamNames=[run["Id"]])
    )
    messages = [event["message"] for page in pages for event in page["events"]]
    assert messages[:3000] == [str(n) for n in range(3000)]
    assert [len(message) for message in messages[3000:]] == [1000, 1000, 500]


def test_the_providers_hook_waits_for_the_run_and_prints_its_log(
    create_job: CreateJob, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.providers.amazon.aws.hooks.glue import GlueJobHook
    from airflow.providers.common.compat.sdk import AirflowException

    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint_url)
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", "aws://")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    name = create_job(
        "import sys\nprint('said by the script')\nif '--fail' in sys.argv: sys.exit('it failed')"
    )
    hook = GlueJobHook(job_name=name, region_name="us-east-1", job_poll_interval=0.1)
    printed: list[str] = []
    monkeypatch.setattr(hook.log, "info", lambda text, *args: printed.append(text % args if args else text))
    run_id = hook.initialize_job({"--x": "1"})["JobRunId"]
    assert hook.job_completion(name, run_id, verbose=True) == {"JobRunState": "SUCCEEDED", "JobRunId": run_id}
    assert any("said by the script" in text for text in printed)
    failing = hook.initialize_job({"--fail": ""})["JobRunId"]
    with pytest.raises(AirflowException, match="FAILED"):
        hook.job_completion(name, failing, verbose=True)
    assert any("/aws-glue/python-jobs/error" in text and "it failed" in text for text in printed)


def test_the_end_of_the_server_ends_its_runs(
    create_job: CreateJob, glue: Any, aws: Callable[[str], Any], wait: Wait, server: Server
) -> None:
    name = create_job(
        "import os, signal, time\nsignal.signal(signal.SIGTERM, lambda *_: os._exit(0))\n"
        "print(os.getpid())\ntime.sleep(60)"
    )
    run = wait(name, glue.start_job_run(JobName=name)["JobRunId"], "RUNNING")
    deadline = time.monotonic() + 10
    while not logged(aws, run) and time.monotonic() < deadline:
        time.sleep(0.05)
    pid = int(logged(aws, run)[0])
    assert lives(pid)
    server.glue_jobs.close()
    assert not lives(pid)
    assert glue.get_job_runs(JobName=name)["JobRuns"] == []
