"""Who called what, as `/_local/calls` tells it."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local_aws import calls
from local_aws.server import Server

ROLE = "arn:aws:iam::123456789012:role/reader"
Client = Callable[..., Any]


@pytest.fixture(scope="module")
def empty() -> Iterator[Server]:
    with Server(empty=True) as running:
        yield running


@pytest.fixture
def client(empty: Server) -> Client:
    """A boto3 client of a service, as the account's owner or with credentials of STS."""

    def make(service: str, credentials: dict[str, str] | None = None) -> Any:
        given = credentials or {"AccessKeyId": "local", "SecretAccessKey": "local"}
        return boto3.client(
            service,
            endpoint_url=empty.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given.get("SessionToken"),
        )

    return make


@pytest.fixture
def as_role(empty: Server, client: Client) -> Client:
    """The same with a role's credentials; what was called before is forgotten."""
    empty.reset()
    credentials = client("sts").assume_role(RoleArn=ROLE, RoleSessionName="test")["Credentials"]
    return lambda service: client(service, credentials)


def recorded(server: Server, caller: str = ROLE) -> dict[tuple[str, str], int]:
    with urllib.request.urlopen(f"{server.endpoint_url}/_local/calls") as answer:
        records = json.load(answer)
    return {(r["action"], r["resource"]): r["count"] for r in records if r["caller"] == caller}


def test_a_call_is_told_with_the_role_whose_credentials_signed_it(empty: Server, as_role: Client) -> None:
    as_role("sts").get_caller_identity()
    as_role("sts").get_caller_identity()
    assert recorded(empty) == {("sts:GetCallerIdentity", "*"): 2}
    assert recorded(empty, "local") == {("sts:AssumeRole", "*"): 1}


def test_what_s3_does_is_told_as_the_permission_it_needs(
    empty: Server, client: Client, as_role: Client
) -> None:
    s3 = as_role("s3")
    client("s3").create_bucket(Bucket="lake")
    s3.put_object(Bucket="lake", Key="raw/a b.txt", Body=b"a")
    s3.head_object(Bucket="lake", Key="raw/a b.txt")
    s3.get_object(Bucket="lake", Key="raw/a b.txt")
    s3.list_objects_v2(Bucket="lake")
    s3.delete_objects(Bucket="lake", Delete={"Objects": [{"Key": "raw/a b.txt"}]})
    assert recorded(empty) == {
        ("s3:PutObject", "arn:aws:s3:::lake/raw/a b.txt"): 1,
        ("s3:GetObject", "arn:aws:s3:::lake/raw/a b.txt"): 2,
        ("s3:ListBucket", "arn:aws:s3:::lake"): 1,
        ("s3:DeleteObject", "arn:aws:s3:::lake/*"): 1,
    }


def test_calls_name_their_resource(empty: Server, client: Client, as_role: Client) -> None:
    topic = client("sns").create_topic(Name="alerts")["TopicArn"]
    client("glue").create_database(DatabaseInput={"Name": "lake"})
    as_role("sns").publish(TopicArn=topic, Message="hello")
    as_role("sns").publish(TargetArn=topic, Message="hello")
    as_role("glue").get_tables(DatabaseName="lake")
    for service, call, arguments in (
        ("glue", "get_job", {"JobName": "load"}),
        ("glue", "get_table", {"DatabaseName": "lake", "Name": "sales"}),
        ("glue", "get_connection", {"Name": "warehouse"}),
        ("secretsmanager", "get_secret_value", {"SecretId": "login"}),
        ("redshift", "describe_clusters", {"ClusterIdentifier": "one"}),
        ("redshift-data", "execute_statement", {"ClusterIdentifier": "one", "Database": "d", "Sql": "x"}),
        ("quicksight", "describe_data_set", {"AwsAccountId": "123456789012", "DataSetId": "top"}),
    ):
        with pytest.raises(ClientError):
            getattr(as_role(service), call)(**arguments)
    where = "us-east-1:123456789012"
    assert set(recorded(empty)) == {
        ("sns:Publish", topic),
        ("glue:GetTables", f"arn:aws:glue:{where}:database/lake"),
        ("glue:GetJob", f"arn:aws:glue:{where}:job/load"),
        ("glue:GetTable", f"arn:aws:glue:{where}:table/lake/sales"),
        ("glue:GetConnection", f"arn:aws:glue:{where}:connection/warehouse"),
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{where}:secret:login"),
        ("redshift:DescribeClusters", f"arn:aws:redshift:{where}:cluster:one"),
        ("redshift-data:ExecuteStatement", f"arn:aws:redshift:{where}:cluster:one"),
        ("quicksight:DescribeDataSet", f"arn:aws:quicksight:{where}:dataset/top"),
    }


def test_the_oldest_calls_are_forgotten_when_they_become_too_many(
    empty: Server, client: Client, as_role: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client("s3").create_bucket(Bucket="lake")
    monkeypatch.setattr(calls, "_REMEMBERED", 3)
    for number in range(5):
        as_role("s3").put_object(Bucket="lake", Key=str(number), Body=b"")
    assert [resource for _, resource in recorded(empty)] == [
        "arn:aws:s3:::lake/2",
        "arn:aws:s3:::lake/3",
        "arn:aws:s3:::lake/4",
    ]
