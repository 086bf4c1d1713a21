"""Both pipelines on what `make deploy` made: AWS by Terraform, Airflow as MWAA lays it out, from S3 alone."""

import csv
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from mwaa_on_this_machine import Mwaa
from rights import Call, calls_of, refused, rights_of, unused
from terraform_cli import PROJECT, Terraform, copy_of_project
from unseen_calls import unseen_calls

from compare_store_sales import assert_reports_equal, assert_tables_equal
from datasets import delivery, reviews, store_sales
from e2e_stack import Stack, wait_for
from expected_reviews import REPORT, load_reviews, top_reviews
from expected_store_sales import load_days
from laptop.airflow import AirflowApi
from laptop.processes import Processes
from ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.terraform]

DAY = date(2003, 1, 2)
REVIEWS = 20_000
TOP_N = 3
# Every part that the pipelines can use is on.
VARIABLES = """
alert_email              = "team@example.com"
redshift_mode            = "provisioned"
redshift_port            = {port}
pause_cluster            = true
schedule                 = null
deletion_protection      = false
enable_quicksight        = true
quicksight_principal_arn = "arn:aws:quicksight:us-east-1:123456789012:user/default/analyst"
# A minute and half a minute that the provider waits on any AWS.
enable_lifecycle_rules   = false
enable_snapshot_schedule = false
"""


@dataclass(frozen=True)
class Deployed:
    """What `make deploy` made, and the runs in it."""

    stack: Stack
    output: dict[str, Any]
    told: str
    """What the deployment printed."""
    calls: list[dict[str, Any]]
    """What was called in the runs."""

    @property
    def bucket(self) -> str:
        return str(self.output["bucket_names"]["data"])


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("deployed")
    web_port, aws_port, wire_port = free_port(), free_port(), free_redshift_port()
    endpoint = f"http://127.0.0.1:{aws_port}"
    environment = copy_of_project(folder / "project") | {
        "PYTHONPATH": str(folder / "project" / "include"),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        # MWAA's clients put `api.` and `env.` before the host, which no address can have: through a proxy.
        "AWS_ENDPOINT_URL_MWAA": "http://mwaa.test",
        "HTTP_PROXY": endpoint,
        "NO_PROXY": "127.0.0.1",
    }
    terraform = Terraform(folder / "project" / "include" / "terraform", environment)
    (terraform.folder / "environments" / "test.tfvars").write_text(VARIABLES.format(port=wire_port))
    with Processes(folder / "logs") as processes, pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, environment[name])
        patch.setenv("AWS_DISABLE_HOST_PREFIX_INJECTION", "true")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        aws = [sys.executable, "-m", "local_aws", "--empty", "--airflow-url", f"http://127.0.0.1:{web_port}"]
        aws += ["--port", str(aws_port), "--wire-port", str(wire_port)]
        processes.start("local-aws", aws, os.environ | {"PYTHONPATH": str(PROJECT / "include")})
        wait_for(lambda: httpx.get(f"{endpoint}/_local/health").is_success)
        mwaa = Mwaa("redshift-etl", folder / "airflow", endpoint, web_port)
        told = deploy(environment, folder, mwaa, processes)
        output = {name: given["value"] for name, given in terraform.json("output", "-json").items()}
        api = AirflowApi(f"http://127.0.0.1:{web_port}")
        api.wait_until_ready("store_sales_etl", processes)
        queue = listen(output["sns_topic_arn"])
        s3, redshift = boto3.client("s3"), boto3.client("redshift-data")
        stack = Stack(api, processes, s3, redshift, folder, endpoint, queue, mwaa.environment())
        run_everything(stack, mwaa, output["bucket_names"]["data"])
        calls = httpx.get(f"{endpoint}/_local/calls").json()
        yield Deployed(stack, output, told, calls)
        api.close()
        make("destroy", environment)
        assert boto3.client("s3").list_buckets()["Buckets"] == []
        assert boto3.client("redshift").describe_clusters()["Clusters"] == []


def deploy(environment: dict[str, str], folder: Path, mwaa: Mwaa, processes: Processes) -> str:
    """Deploy, and be MWAA meanwhile: start Airflow once there is an environment, and sync its DAGs."""
    log = folder / "deploy.log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "mwaa", "deploy", "test", "--yes"]
        deploying = subprocess.Popen(
            command, env=environment, stdout=output, stderr=subprocess.STDOUT, cwd=folder
        )
        try:
            deadline = time.monotonic() + 400
            started = False
            while deploying.poll() is None:
                processes.require_alive()
                assert time.monotonic() < deadline, log.read_text()
                if started:
                    mwaa.sync_dags()
                elif boto3.client("mwaa").list_environments()["Environments"]:
                    mwaa.start(processes)
                    started = True
                time.sleep(1)
        finally:
            deploying.kill()
            deploying.wait()
    assert deploying.returncode == 0, log.read_text()
    return log.read_text()


def make(command: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mwaa", command, "test", "--yes"],
        env=environment, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def listen(topic: str) -> str:
    """A queue that gets what the topic gets."""
    sqs = boto3.client("sqs")
    queue = str(sqs.create_queue(QueueName="alerts")["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return queue


def run_everything(stack: Stack, mwaa: Mwaa, bucket: str) -> None:
    """A run of store sales that fails, one that succeeds, and one of the reviews."""
    cache = PROJECT / ".local" / "datasets"
    deliveries = store_sales.deliver(DAY, DAY, scale_factor=0.1, cache=cache)
    deliveries += reviews.deliver(rows=REVIEWS, cache=cache)
    delivery.upload(deliveries, bucket, stack.s3)
    delivery.copy_to(deliveries, stack.folder)
    sales = stack.of("store_sales_etl")
    create_lake = mwaa.home / "dags" / "sql" / "store_sales" / "create_lake.sql"
    create_lake.write_text("select * from nowhere;\n")
    assert sales.run("broken", logical_date=None, refresh_date=str(DAY)) == "failed"
    mwaa.sync_dags()
    assert sales.run("mended", logical_date=None, refresh_date=str(DAY)) == "success", sales.states("mended")
    found = stack.of("reviews_etl")
    assert found.run("top", logical_date=None, top_n=TOP_N) == "success", found.states("top")


def free_redshift_port() -> int:
    """One of the ports that a cluster may have."""
    import socket

    for port in (*range(5431, 5456), *range(8191, 8216)):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("no port of Redshift's is free")


def test_the_deployment_tells_what_it_does(deployed: Deployed) -> None:
    for line in (
        "Credentials of arn:aws:sts::123456789012:",
        "to create, 0 to update, 0 to replace, 0 to delete",
        "Airflow has read package ",
        " of deployment_check has succeeded",
        "Airflow: https://redshift-etl.",
    ):
        assert line in deployed.told


def test_sales_and_reports_are_what_the_extracts_imply(deployed: Deployed) -> None:
    expected = load_days(deployed.stack.raw, [DAY])
    assert_tables_equal(deployed.stack.redshift, expected)
    assert_reports_equal(deployed.stack.s3, deployed.bucket, expected, DAY)


def test_top_reviews_are_what_the_lake_implies_and_quicksight_has_read_them(deployed: Deployed) -> None:
    def body(key: str) -> str:
        return deployed.stack.s3.get_object(Bucket=deployed.bucket, Key=key)["Body"].read().decode()

    rows: list[dict[str, str]] = []
    for url in json.loads(body(deployed.output["quicksight_manifest_key"]))["fileLocations"][0]["URIs"]:
        rows.extend(
            csv.DictReader(io.StringIO(body(url.removeprefix(f"s3://{deployed.bucket}/")), newline=""))
        )
    expected = top_reviews(load_reviews(deployed.stack.raw / "reviews", 2015), TOP_N)
    assert rows == [
        {column: "" if row[column] is None else str(row[column]) for column in REPORT} for row in expected
    ]
    ingestions = [call for call in deployed.calls if call["action"] == "quicksight:CreateIngestion"]
    assert [call["caller"] for call in ingestions] == [deployed.output["role_arns"]["airflow"]]


def test_somebody_hears_of_the_failure(deployed: Deployed) -> None:
    (alert,) = deployed.stack.of("store_sales_etl").alerts("broken")
    assert alert["subject"].startswith("FAILED: store_sales_etl.create_lake ")


ROLES = ("airflow", "glue", "warehouse")


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_what_its_runs_did(deployed: Deployed, role: str) -> None:
    calls = made_by(deployed, role)
    assert len(calls) > 5
    assert refused(rights_of(deployed.output["role_arns"][role]), calls) == set()


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_what_aws_does_by_itself(deployed: Deployed, role: str) -> None:
    rights = rights_of(deployed.output["role_arns"][role])
    for reason, calls in unseen_calls(role, deployed.output).items():
        assert refused(rights, calls) == set(), reason


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_nothing_beside(deployed: Deployed, role: str) -> None:
    unseen = set[Call]().union(*unseen_calls(role, deployed.output).values())
    rights = rights_of(deployed.output["role_arns"][role])
    assert unused(rights, made_by(deployed, role) | unseen) == set()


def made_by(deployed: Deployed, role: str) -> set[Call]:
    arn = deployed.output["role_arns"][role]
    return calls_of(deployed.calls, "warehouse" if role == "warehouse" else arn)
