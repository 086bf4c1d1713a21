"""An account that starts without a cluster, and the wire in it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
import redshift_connector
from botocore.exceptions import ClientError

from local_aws.server import Server


@pytest.fixture(scope="module")
def empty() -> Iterator[Server]:
    with Server(empty=True, wire_port=0) as running:
        yield running


@pytest.fixture
def aws(empty: Server) -> Callable[[str], Any]:
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    empty.reset()
    return lambda service: boto3.client(
        service, endpoint_url=empty.endpoint_url, region_name="us-east-1", **keys
    )


def select_one(server: Server, login: dict[str, Any]) -> Any:
    with redshift_connector.connect(
        host="127.0.0.1",
        port=server.wire_port,
        database="dev",
        user=login["username"],
        password=login["password"],
        ssl=login["ssl"],
    ) as connection:
        cursor = connection.cursor()
        cursor.execute("select 1")
        return cursor.fetchone()[0]


def login(aws: Callable[[str], Any], secret: str) -> dict[str, Any]:
    return json.loads(aws("secretsmanager").get_secret_value(SecretId=secret)["SecretString"])


def test_there_is_no_cluster_no_workgroup_and_no_secret(empty: Server, aws: Callable[[str], Any]) -> None:
    assert aws("redshift").describe_clusters()["Clusters"] == []
    assert aws("secretsmanager").list_secrets()["SecretList"] == []
    with pytest.raises(ClientError, match="endpoint doesn't exist"):
        aws("redshift-data").execute_statement(WorkgroupName="redshift-etl", Database="dev", Sql="select 1")
    with pytest.raises(redshift_connector.Error, match="password authentication failed"):
        select_one(empty, {"username": "awsuser", "password": "x", "ssl": False})
    assert "cluster" not in empty.health()


def test_the_wire_leads_to_the_cluster_that_somebody_creates(
    empty: Server, aws: Callable[[str], Any]
) -> None:
    created = aws("redshift").create_cluster(
        ClusterIdentifier="redshift-etl",
        NodeType="ra3.large",
        ClusterType="single-node",
        DBName="dev",
        MasterUsername="awsuser",
        ManageMasterPassword=True,
        Port=5433,
    )["Cluster"]
    assert created["Endpoint"] == {"Address": "127.0.0.1", "Port": 5433}
    assert select_one(empty, login(aws, "redshift!redshift-etl-awsuser")) == 1
    aws("redshift").pause_cluster(ClusterIdentifier="redshift-etl")
    with pytest.raises(redshift_connector.Error, match="not available"):
        select_one(empty, login(aws, "redshift!redshift-etl-awsuser"))


def test_the_wire_leads_to_the_workgroup_that_somebody_creates(
    empty: Server, aws: Callable[[str], Any]
) -> None:
    serverless = aws("redshift-serverless")
    serverless.create_namespace(
        namespaceName="redshift-etl", adminUsername="boss", dbName="dev", manageAdminPassword=True
    )
    workgroup = serverless.create_workgroup(workgroupName="redshift-etl", namespaceName="redshift-etl")
    assert workgroup["workgroup"]["endpoint"]["address"] == "127.0.0.1"
    assert select_one(empty, login(aws, "redshift!redshift-etl-boss")) == 1
