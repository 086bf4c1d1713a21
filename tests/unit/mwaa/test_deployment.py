"""The deployment's parts beside Terraform: checks, the upload of the DAGs, and Airflow through MWAA's API."""

import io
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from rich.console import Console

from local_account import use_account
from local_aws.server import Server
from mwaa import __main__ as command
from mwaa import deploy as deploy_module
from mwaa import environment as environment_module
from mwaa.checks import CheckError, require_credentials, require_free_bucket_names
from mwaa.deploy import HalfwayError, NotWantedError, _require_consent, deploy
from mwaa.environment import Environment, UnhealthyError, upload_dags
from mwaa.terraform import Change, Plan, Terraform, TerraformError

ENVIRONMENT = {
    "ExecutionRoleArn": "arn:aws:iam::123456789012:role/airflow",
    "SourceBucketArn": "arn:aws:s3:::airflow",
    "DagS3Path": "dags/",
    "NetworkConfiguration": {"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]},
}


class Airflow:
    """An API server that answers as it is told, in turn; the last answer stays."""

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[int, Any]]] = {}
        self.asked: list[tuple[str, str, Any]] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer()

            def do_POST(self) -> None:
                self._answer()

            def _answer(self) -> None:
                path = self.path.partition("?")[0]
                content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if path == "/auth/token":
                    status, body = 200, {"access_token": "token"}
                else:
                    assert self.headers["Authorization"] == "Bearer token" or path == "/api/v2/version"
                    fake.asked.append((self.command, self.path, json.loads(content) if content else None))
                    waiting = fake.answers.get(f"{self.command} {path}", [(404, {"detail": "not there"})])
                    status, body = waiting.pop(0) if len(waiting) > 1 else waiting[0]
                answer = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Silent."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def airflow() -> Iterator[Airflow]:
    running = Airflow()
    yield running
    running.stop()


@pytest.fixture
def aws(airflow: Airflow, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """An account with nothing in it, whose MWAA leads to the Airflow."""
    monkeypatch.setattr(environment_module, "_POLL_SECONDS", 0.01)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with Server(empty=True, airflow_url=airflow.url) as server:
        use_account(monkeypatch, server.endpoint_url)
        monkeypatch.setenv("AWS_DISABLE_HOST_PREFIX_INJECTION", "true")
        yield boto3.client


@pytest.fixture
def environment(aws: Callable[[str], Any]) -> Environment:
    aws("mwaa").create_environment(Name="etl", **ENVIRONMENT)
    return Environment("etl", "us-east-1", Console(quiet=True))


def test_the_dag_folder_in_s3_becomes_that_of_the_package(
    aws: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("deployment_check.py", "a.py", "sql/a.sql", ".airflowignore"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    s3 = aws("s3")
    s3.create_bucket(Bucket="airflow")
    s3.put_object(Bucket="airflow", Key="dags/old.py", Body=b"old")
    s3.put_object(Bucket="airflow", Key="plugins.zip", Body=b"plugins")
    order: list[str] = []
    upload = type(s3).upload_file

    def noted(self: Any, path: str, bucket: str, key: str) -> None:
        order.append(key)
        upload(self, path, bucket, key)

    monkeypatch.setattr(boto3, "client", lambda *_, **__: s3)
    monkeypatch.setattr(type(s3), "upload_file", noted)
    assert upload_dags(tmp_path, "s3://airflow/dags/", "us-east-1") == 4
    assert order[0] == "dags/sql/a.sql"
    assert order[-1] == "dags/deployment_check.py"
    found = s3.list_objects_v2(Bucket="airflow")["Contents"]
    assert {one["Key"] for one in found} == {*order, "plugins.zip"}
    assert s3.get_object(Bucket="airflow", Key="dags/a.py")["Body"].read() == b"a.py"


@pytest.mark.usefixtures("aws")
def test_an_upload_that_s3_refuses_is_told_in_a_sentence_with_the_way_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """boto3's transfers raise an error of their own, no ClientError."""

    class Applied:
        def __init__(self, *_: object) -> None:
            """Every environment is as it should be, but for its bucket."""

        def select_workspace(self) -> None: ...

        def plan(self) -> Plan:
            return Plan(Path("dev.tfplan"), [], [], "us-east-1", protected=True)

        def outputs(self) -> dict[str, Any]:
            return {"mwaa_environment_name": "etl", "dags_s3_uri": "s3://gone/dags/", "region": "us-east-1"}

    def built(folder: Path) -> None:
        (folder / "mwaa" / "dags").mkdir(parents=True)
        (folder / "mwaa" / "dags" / "a.py").touch()

    monkeypatch.setattr(deploy_module, "Terraform", Applied)
    monkeypatch.setattr(deploy_module, "PROJECT", tmp_path)
    monkeypatch.setattr(deploy_module, "package", built)
    monkeypatch.setattr(deploy_module, "digest", lambda _: "new")
    with pytest.raises(
        HalfwayError, match=r"a\.py to gone/dags/a\.py: .*NoSuchBucket.*run make deploy ENV=dev"
    ):
        deploy("dev", Console(quiet=True), ask=False)


@pytest.mark.usefixtures("aws")
def test_credentials_that_aws_accepts_are_told() -> None:
    assert require_credentials().startswith("arn:aws:sts::123456789012:")


def test_credentials_that_aws_refuses_are_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(CheckError, match=r"Unable to locate credentials.*aws sso login"):
        require_credentials()


def a_plan(*buckets: str) -> Plan:
    return Plan(Path("dev.tfplan"), [Change("create", "one")], list(buckets), "us-east-1", protected=False)


def test_a_bucket_name_that_is_free_is_accepted_and_one_of_ours_is_not(aws: Callable[[str], Any]) -> None:
    require_free_bucket_names(a_plan("free-1", "free-2"))
    aws("s3").create_bucket(Bucket="mine")
    with pytest.raises(CheckError, match=r"Bucket mine exists in this account already.*bucket_suffix"):
        require_free_bucket_names(a_plan("free-1", "mine"))


def test_a_bucket_name_that_somebody_else_has_is_told(
    aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 answers 403 to who asks for another account's bucket; here it is a server that answers so."""
    assert aws("s3").list_buckets()["Buckets"] == []

    class Forbidden(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(403)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Silent."""

    with HTTPServer(("127.0.0.1", 0), Forbidden) as s3:
        threading.Thread(target=s3.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{s3.server_port}")
        with pytest.raises(CheckError, match="Bucket theirs belongs to somebody else"):
            require_free_bucket_names(a_plan("theirs"))
        s3.shutdown()


def test_an_environment_without_a_file_is_refused_with_those_that_have_one(tmp_path: Path) -> None:
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "dev.tfvars").write_text("")
    with pytest.raises(TerraformError, match=r"no environment staging: use one of dev, or write .*staging"):
        Terraform(tmp_path, "staging")


def test_terraform_that_is_missing_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert command.main(["deploy", "dev"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert (
        said == "make deploy: nothing was changed. terraform is not on PATH: install Terraform 1.11 or newer."
    )


@pytest.mark.parametrize("version", ["1.9.8", "0.15.0"])
def test_a_terraform_that_is_too_old_is_told(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "terraform"
    old.write_text(f'#!/bin/sh\necho \'{{"terraform_version": "{version}"}}\'\n')
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert command.main(["destroy", "dev"]) == 1
    assert f"terraform is {version}: install 1.11 or newer." in " ".join(capsys.readouterr().out.split())


def test_an_environment_is_waited_for_until_its_airflow_answers(
    airflow: Airflow, environment: Environment, aws: Callable[[str], Any]
) -> None:
    airflow.answers["GET /api/v2/version"] = [(503, {}), (503, {}), (200, {"version": "3.3.1"})]
    assert aws("mwaa").get_environment(Name="etl")["Environment"]["Status"] == "CREATING"
    environment.wait_until_available()
    assert aws("mwaa").get_environment(Name="etl")["Environment"]["Status"] == "AVAILABLE"


def dags(*descriptions: tuple[str, str, str]) -> tuple[int, Any]:
    found = [
        {"dag_id": dag_id, "description": description, "last_parsed_time": f"2026-11-22T0{parsed}:00:00Z"}
        for dag_id, description, parsed in descriptions
    ]
    return 200, {"dags": found}


def test_the_package_is_read_when_every_dag_was_parsed_after_its_arrival(
    airflow: Airflow, environment: Environment
) -> None:
    airflow.answers["GET /api/v2/importErrors"] = [(200, {"import_errors": []})]
    airflow.answers["GET /api/v2/dags"] = [
        dags(("sales", "", "1")),
        dags(("sales", "", "1"), ("deployment_check", "works, package old", "1")),
        dags(("sales", "", "1"), ("deployment_check", "works, package new", "2")),
        dags(("sales", "", "3"), ("deployment_check", "works, package new", "3")),
    ]
    environment.wait_until_parsed({"sales", "deployment_check"}, "new")
    assert len([path for _, path, _ in airflow.asked if path.startswith("/api/v2/dags?")]) == 4


def import_error(hour: str) -> tuple[int, Any]:
    told = "Traceback\n  File\nImportError: no module named x\n"
    error = {"filename": "sales.py", "stack_trace": told, "timestamp": f"2026-11-22T0{hour}:00:00Z"}
    return 200, {"import_errors": [error]}


def test_a_dag_that_does_not_import_ends_the_wait_with_the_reason(
    airflow: Airflow, environment: Environment
) -> None:
    airflow.answers["GET /api/v2/importErrors"] = [import_error("3")]
    airflow.answers["GET /api/v2/dags"] = [dags(("deployment_check", "works, package new", "2"))]
    with pytest.raises(UnhealthyError, match=r"^sales.py does not import: ImportError: no module named x$"):
        environment.wait_until_parsed({"sales"}, "new")


def test_an_error_that_the_package_mends_does_not_end_the_wait(
    airflow: Airflow, environment: Environment
) -> None:
    """Airflow reads the broken file of before again after the upload, until MWAA brings the mended one."""
    airflow.answers["GET /api/v2/importErrors"] = [
        import_error("1"),
        import_error("2"),
        import_error("2"),
        (200, {"import_errors": []}),
    ]
    airflow.answers["GET /api/v2/dags"] = [
        dags(("sales", "", "1"), ("deployment_check", "works, package old", "1")),
        dags(("sales", "", "1"), ("deployment_check", "works, package old", "2")),
        dags(("sales", "", "1"), ("deployment_check", "works, package new", "3")),
        dags(("sales", "", "4"), ("deployment_check", "works, package new", "4")),
    ]
    environment.wait_until_parsed({"sales", "deployment_check"}, "new")


def test_an_error_that_is_still_there_when_the_package_has_not_come_is_the_reason(
    airflow: Airflow, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment_module, "_PARSE_SECONDS", 0.05)
    airflow.answers["GET /api/v2/importErrors"] = [import_error("1")]
    airflow.answers["GET /api/v2/dags"] = [dags(("deployment_check", "works, package old", "1"))]
    with pytest.raises(UnhealthyError, match=r"^sales.py does not import: ImportError: no module named x$"):
        environment.wait_until_parsed({"sales"}, "new")
    airflow.answers["GET /api/v2/importErrors"] = [(200, {"import_errors": []})]
    with pytest.raises(UnhealthyError, match=r"it is not so that Airflow has read package new: look at etl"):
        environment.wait_until_parsed({"sales"}, "new")


def test_the_check_runs_once_and_its_failure_says_where_to_look(
    airflow: Airflow, environment: Environment
) -> None:
    answers = {"state": [(200, {"state": "running"}), (200, {"state": "success"})]}

    class Answers(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            return answers["state"] if "/dagRuns/deploy-" in key else super().get(key, default)

    airflow.answers = Answers({"POST /api/v2/dags/deployment_check/dagRuns": [(200, {})]})
    environment.run_check()
    (posted,) = [body for method, _, body in airflow.asked if method == "POST"]
    assert posted["logical_date"] is None
    answers["state"] = [(200, {"state": "failed"})]
    with pytest.raises(UnhealthyError, match=r"deployment_check failed.*log group airflow-etl-Task"):
        environment.run_check()


def test_an_airflow_that_fails_once_is_asked_again(airflow: Airflow, environment: Environment) -> None:
    """An update exchanges the web servers, and not every call comes in time."""
    airflow.answers["GET /api/v2/importErrors"] = [
        (503, {"detail": "no healthy upstream"}),
        (200, {"import_errors": []}),
        (502, {}),
        (200, {"import_errors": []}),
    ]
    airflow.answers["GET /api/v2/dags"] = [
        (504, {"detail": "upstream request timeout"}),
        dags(("deployment_check", "works, package new", "2")),
    ]
    environment.wait_until_parsed({"deployment_check"}, "new")
    assert len([path for _, path, _ in airflow.asked if path == "/api/v2/importErrors"]) == 4


def test_an_airflow_that_goes_on_failing_is_told_at_the_limit_without_a_word_of_rights(
    airflow: Airflow, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment_module, "_PARSE_SECONDS", 0.05)
    airflow.answers["GET /api/v2/importErrors"] = [(503, {"detail": "no healthy upstream"})]
    with pytest.raises(
        UnhealthyError,
        match=r"package new \(.*does not answer GET /importErrors: no healthy upstream\): look",
    ) as told:
        environment.wait_until_parsed({"sales"}, "new")
    assert "InvokeRestApi" not in str(told.value)


@pytest.mark.usefixtures("aws")
def test_an_aws_that_cannot_be_reached_for_a_moment_is_asked_again(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [
        EndpointConnectionError(endpoint_url="https://airflow"),
        {"Environment": {"Status": "AVAILABLE"}},
    ]

    def answer(**_: str) -> Any:
        told = answers.pop(0)
        if isinstance(told, Exception):
            raise told
        return told

    monkeypatch.setattr(environment._mwaa, "get_environment", answer)
    environment.wait_until_available()
    assert answers == []


def test_what_airflow_refuses_is_told_with_its_answer(airflow: Airflow, environment: Environment) -> None:
    airflow.answers["GET /api/v2/dags"] = [(403, {"detail": "Forbidden."})]
    with pytest.raises(
        UnhealthyError, match=r"refuses GET /dags: Forbidden\. You need airflow:InvokeRestApi"
    ):
        environment.airflow("GET", "/dags")
    airflow.answers["GET /api/v2/dags"] = [(422, {"detail": "limit is no number"})]
    with pytest.raises(UnhealthyError, match=r"refuses GET /dags: limit is no number\.$"):
        environment.airflow("GET", "/dags")
    with pytest.raises(UnhealthyError, match="Path has 65 characters and MWAA takes 64"):
        environment.airflow("GET", f"/{'x' * 64}")


@pytest.mark.parametrize(
    ("answer", "wanted"), [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("", False)]
)
def test_only_a_yes_is_a_yes(answer: str, wanted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    shown = io.StringIO()
    console = Console(file=shown)
    if wanted:
        _require_consent("Apply?", console, ask=True)
    else:
        with pytest.raises(NotWantedError):
            _require_consent("Apply?", console, ask=True)
    assert shown.getvalue() == "Apply? [y/N] "
