"""The configuration on a whole AWS of this machine: created, found unchanged, used, and gone again."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from terraform_cli import CONFIGURATION, PROJECT, Terraform, copy_of_configuration

from local_aws.server import Server
from mwaa.diagram import draw

pytestmark = [
    pytest.mark.terraform,
    pytest.mark.parametrize("stack", ["provisioned", "serverless"], indirect=True),
]

# Options that the other mode leaves alone: every switch is on in one of the two.
MODES = {
    "provisioned": {
        "egress": "single_nat",
        "pause_cluster": "true",
        "enable_quicksight": "true",
        "quicksight_principal_arn": "arn:aws:quicksight:us-east-1:123456789012:user/default/analyst",
    },
    "serverless": {"egress": "interface_endpoints"},
}


@dataclass(frozen=True)
class Stack:
    """A stack that exists.

    Attributes:
        mode: How Redshift runs.
        terraform: To plan it again or to destroy it.
        output: The outputs' values.
        aws: A boto3 client by the service's name.
    """

    mode: str
    terraform: Terraform
    output: dict[str, Any]
    aws: Callable[[str], Any]


@pytest.fixture(scope="module")
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack of one mode; its second plan is empty, and `destroy` leaves nothing."""
    mode = request.param
    copy = copy_of_configuration(tmp_path_factory.mktemp(mode))
    with Server(empty=True) as server:
        aws = _clients(server.endpoint_url)
        terraform = Terraform(copy.folder, copy.environment | _settings(server.endpoint_url, mode))
        try:
            terraform.run("apply", "-auto-approve")
            output = {name: given["value"] for name, given in terraform.json("output", "-json").items()}
            yield Stack(mode, terraform, output, aws)
        finally:
            terraform.run("destroy", "-auto-approve")
        _nothing_is_left(aws)


def _settings(endpoint: str, mode: str) -> dict[str, str]:
    """MWAA's client puts `api.` before the host, which no address can have: it goes through a proxy."""
    variables = {
        "alert_email": "team@example.com",
        "first_refresh_date": "2026-11-30",
        "redshift_mode": mode,
        "deletion_protection": "false",
        # A minute and half a minute that the provider waits on any AWS.
        "enable_lifecycle_rules": "false",
        "enable_snapshot_schedule": "false",
        **MODES[mode],
    }
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ENDPOINT_URL_MWAA": "http://mwaa.test",
        "HTTP_PROXY": endpoint,
        "NO_PROXY": "",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        **{f"TF_VAR_{name}": value for name, value in variables.items()},
    }


def _clients(endpoint: str) -> Callable[[str], Any]:
    def client(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    return client


def _nothing_is_left(aws: Callable[[str], Any]) -> None:
    assert aws("s3").list_buckets()["Buckets"] == []
    assert aws("redshift").describe_clusters()["Clusters"] == []
    assert aws("secretsmanager").list_secrets()["SecretList"] == []
    assert aws("glue").get_connections()["ConnectionList"] == []
    assert aws("glue").get_databases()["DatabaseList"] == []
    assert [vpc for vpc in aws("ec2").describe_vpcs()["Vpcs"] if not vpc["IsDefault"]] == []


def test_a_second_plan_changes_nothing_of_what_is_there_and_a_run_has_written(stack: Stack) -> None:
    """Every run of the reviews writes QuickSight's manifest anew, without Terraform's tags."""
    bucket, key = stack.output["bucket_names"]["data"], stack.output["quicksight_manifest_key"]
    stack.aws("s3").put_object(Bucket=bucket, Key=key, Body=b"{}", ContentType="application/json")
    stack.terraform.run("plan", "-detailed-exitcode", "-no-color", expect=0)


def test_the_subnets_have_the_documented_addresses(stack: Stack) -> None:
    found = stack.aws("ec2").describe_subnets(
        Filters=[{"Name": "vpc-id", "Values": [stack.output["vpc_id"]]}]
    )
    ranges = {subnet["CidrBlock"] for subnet in found["Subnets"]}
    four = {"10.71.0.0/20", "10.71.16.0/20", "10.71.32.0/20", "10.71.48.0/20"}
    assert ranges == (four if stack.mode == "provisioned" else four | {"10.71.64.0/20"})


def test_every_bucket_is_encrypted_versioned_and_closed(stack: Stack) -> None:
    s3 = stack.aws("s3")
    for purpose, name in stack.output["bucket_names"].items():
        assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
        assert all(s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values())
        rules = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
        algorithm = rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
        assert algorithm == ("AES256" if purpose == "logs" else "aws:kms")
        assert "aws:SecureTransport" in s3.get_bucket_policy(Bucket=name)["Policy"]


def test_the_settings_are_accepted_by_the_pipelines(stack: Stack) -> None:
    """What MWAA gets as configuration options makes the Settings that the DAGs read."""
    from redshift_etl.settings import KEYS, Settings

    given = stack.output["airflow_settings"]
    assert tuple(sorted(given)) == tuple(sorted(KEYS))
    settings = Settings(**given)
    assert settings.target["database"] == "dev"
    options = stack.output["airflow_configuration_options"]
    assert {key: value for key, value in given.items() if value is not None} == {
        key.removeprefix("redshift_etl."): value
        for key, value in options.items()
        if key.startswith("redshift_etl.")
    }


def test_the_warehouse_answers_who_logs_in_with_the_managed_secret(stack: Stack) -> None:
    settings = stack.output["airflow_settings"]
    where = "cluster_identifier" if stack.mode == "provisioned" else "workgroup_name"
    member = {"cluster_identifier": "ClusterIdentifier", "workgroup_name": "WorkgroupName"}[where]
    data_api = stack.aws("redshift-data")
    statement = data_api.execute_statement(
        Sql="select current_user",
        Database=settings["database"],
        SecretArn=settings["secret_arn"],
        **{member: settings[where]},
        WaitTimeSeconds=30,
    )
    described = data_api.describe_statement(Id=statement["Id"])
    assert described["Status"] == "FINISHED", described
    assert data_api.get_statement_result(Id=statement["Id"])["Records"] == [[{"stringValue": "awsuser"}]]


def test_the_job_finds_its_script_and_its_wheel(stack: Stack) -> None:
    job = stack.aws("glue").get_job(JobName=stack.output["glue_job_name"])["Job"]
    addresses = [job["Command"]["ScriptLocation"], job["DefaultArguments"]["--extra-py-files"]]
    for address in addresses:
        bucket, key = address.removeprefix("s3://").split("/", 1)
        assert stack.aws("s3").head_object(Bucket=bucket, Key=key)["ContentLength"] > 0
    assert job["Connections"]["Connections"] == [stack.output["glue_connection_name"]]
    assert job["DefaultArguments"]["--db_creds"] == stack.output["secret_arn"]


def test_no_password_is_in_the_state(stack: Stack) -> None:
    secret = stack.aws("secretsmanager").get_secret_value(SecretId=stack.output["secret_arn"])
    password = json.loads(secret["SecretString"])["password"]
    state = (stack.terraform.folder / "terraform.tfstate").read_text()
    assert password not in state


def test_the_diagram_in_the_docs_is_current(stack: Stack) -> None:
    """Made anew by `terraform show -json | python -m mwaa.diagram`; the docs show the provisioned mode."""
    drawn = draw(stack.terraform.json("show", "-json"))
    if stack.mode == "provisioned":
        assert f"```mermaid\n{drawn}```" in (PROJECT / "docs" / "aws.md").read_text(), drawn
    else:
        assert '["Amazon Redshift Serverless<br/>8 RPU"]' in drawn


# The provider waits a minute for each on any AWS: the mocked tests have them.
SLOW = {
    "aws_redshift_snapshot_schedule",
    "aws_redshift_snapshot_schedule_association",
    "aws_s3_bucket_lifecycle_configuration",
}
OF_ONE_MODE = {
    "provisioned": {
        "aws_eip",
        "aws_nat_gateway",
        "aws_quicksight_data_set",
        "aws_quicksight_data_source",
        "aws_redshift_cluster",
        "aws_redshift_logging",
        "aws_redshift_parameter_group",
        "aws_redshift_subnet_group",
        "aws_redshift_usage_limit",
    },
    "serverless": {
        "aws_redshiftserverless_namespace",
        "aws_redshiftserverless_usage_limit",
        "aws_redshiftserverless_workgroup",
    },
}


def test_every_kind_of_resource_is_really_created_but_the_slow_ones(stack: Stack) -> None:
    written = {
        kind
        for path in CONFIGURATION.rglob("*.tf")
        for kind in re.findall(r'^resource "(\w+)"', path.read_text(), re.MULTILINE)
    }
    listed = stack.terraform.run("state", "list").splitlines()
    created = {re.findall(r"\b(aws_\w+)[.]", line)[-1] for line in listed if not line.startswith("data.")}
    other = "serverless" if stack.mode == "provisioned" else "provisioned"
    assert written - created == SLOW | OF_ONE_MODE[other]


def test_a_warehouse_keeps_the_database_and_superuser_that_it_was_created_with(stack: Stack) -> None:
    """Another database would be another namespace, and on a cluster none at all."""
    told = stack.terraform.run("plan", "-json", "-var=database=other", "-var=admin_user=other", expect=1)
    lines = [json.loads(line) for line in told.splitlines()]
    errors = {line["diagnostic"]["detail"] for line in lines if line["@level"] == "error"}
    keeps = "but a warehouse keeps the one that it was created with"
    assert errors == {
        f'database is "other", {keeps}: set database = "dev".',
        f'admin_user is "other", {keeps}: set admin_user = "awsuser".',
    }


def test_a_changed_package_changes_only_what_runs_it(stack: Stack) -> None:
    """The environment is updated, because the version of the object that it names has changed."""
    requirements = Path(stack.terraform.folder, "../../dist/mwaa/requirements.txt")
    before = requirements.read_text()
    requirements.write_text(before + "# changed\n")
    try:
        plan = stack.terraform.run("plan", "-detailed-exitcode", "-no-color", expect=2)
    finally:
        requirements.write_text(before)
    changed = set(re.findall(r"# (\S+) will be updated in-place", plan))
    assert changed == {'aws_s3_object.airflow["requirements.txt"]', "aws_mwaa_environment.this[0]"}
    assert "0 to add, 2 to change, 0 to destroy" in plan


def test_tags_say_what_belongs_to_the_stack(stack: Stack) -> None:
    job = f"arn:aws:glue:us-east-1:123456789012:job/{stack.output['glue_job_name']}"
    tags = stack.aws("glue").get_tags(ResourceArn=job)["Tags"]
    assert tags == {
        "Project": "redshift-etl",
        "Stack": "redshift-etl",
        "Environment": "dev",
        "ManagedBy": "terraform",
    }
