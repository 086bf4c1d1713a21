"""A running local_aws for a module of tests, its Data API's answers held against botocore's model."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import psycopg
import pytest
import redshift_connector
from botocore.validate import ParamValidator

from local_aws.redshift_data.responses import RedshiftDataResponse
from local_aws.redshift_data.validation import service_model
from local_aws.server import Server

WHERE = {"ClusterIdentifier": "redshift-etl", "Database": "dev", "DbUser": "awsuser"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RedshiftDataResponse, "answer", _validated(RedshiftDataResponse.answer))
        with Server(wire_port=0, faults=True) as running:
            yield running


def _validated(answer: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def validated(self: RedshiftDataResponse, operation: str, content: bytes, region: str) -> dict[str, Any]:
        body = answer(self, operation, content, region)
        shape = service_model().operation_model(operation).output_shape
        report = ParamValidator().validate(body, shape)
        assert not report.has_errors(), report.generate_report()
        assert set(body) <= set(shape.members), f"{operation} answered with unknown members"
        return body

    return validated


@pytest.fixture(scope="module")
def aws(server: Server) -> Callable[[str], Any]:
    """A boto3 client of a service, by its name."""

    def client(service: str, **settings: Any) -> Any:
        where = {"region_name": "us-east-1", "endpoint_url": server.endpoint_url, **settings}
        return boto3.client(service, aws_access_key_id="any", aws_secret_access_key="any", **where)

    return client


@pytest.fixture(scope="module")
def data_api(aws: Callable[[str], Any]) -> Any:
    return aws("redshift-data")


@pytest.fixture(scope="module")
def execute(data_api: Any) -> Callable[..., dict[str, Any]]:
    """Runs one statement, or a list as a batch, to its end and describes it."""

    def run(sql: str | list[str], **more: Any) -> dict[str, Any]:
        where = {} if "SessionId" in more else WHERE
        if isinstance(sql, list):
            call, text = data_api.batch_execute_statement, {"Sqls": sql}
        else:
            call, text = data_api.execute_statement, {"Sql": sql}
        statement = call(**{**where, **text, **more, "WaitTimeSeconds": 30})
        return data_api.describe_statement(Id=statement["Id"])

    return run


@pytest.fixture(scope="module")
def rows(data_api: Any, execute: Callable[..., dict[str, Any]]) -> Callable[..., list[tuple[Any, ...]]]:
    """Runs a query and gives its rows as plain values."""

    def run(sql: str, **more: Any) -> list[tuple[Any, ...]]:
        described = execute(sql, **more)
        assert described["Status"] == "FINISHED", described
        pages = data_api.get_paginator("get_statement_result").paginate(Id=described["Id"])
        return [tuple(_value(field) for field in row) for page in pages for row in page["Records"]]

    return run


def _value(field: dict[str, Any]) -> Any:
    ((kind, value),) = field.items()
    return None if kind == "isNull" else value


@pytest.fixture(scope="module")
def login(aws: Callable[[str], Any]) -> dict[str, Any]:
    """What the default cluster's secret holds."""
    secret = aws("secretsmanager").get_secret_value(SecretId="redshift-etl/awsuser")
    return json.loads(secret["SecretString"])


@pytest.fixture(scope="module")
def slow_query(execute: Callable[..., dict[str, Any]]) -> str:
    """A query that takes far longer than any test waits."""
    assert execute("create table digits (n int)")["Status"] == "FINISHED"
    assert (
        execute(f"insert into digits values {', '.join(f'({n})' for n in range(10))}")["Status"] == "FINISHED"
    )
    tables = ", ".join(f"digits d{number}" for number in range(13))
    return f"select sum(d0.n * d5.n + d12.n) from {tables}"


@pytest.fixture
def connector(server: Server, login: dict[str, Any]) -> Iterator[redshift_connector.Connection]:
    """A connection of Amazon's driver."""
    connection = redshift_connector.connect(
        host="127.0.0.1",
        port=server.wire_port,
        user="awsuser",
        password=login["password"],
        database="dev",
        ssl=False,
    )
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def conninfo(server: Server, login: dict[str, Any]) -> dict[str, Any]:
    """How to connect to the wire listener."""
    return {
        "host": "127.0.0.1",
        "port": server.wire_port,
        "user": "awsuser",
        "password": login["password"],
        "dbname": "dev",
    }


@pytest.fixture
def pg(conninfo: dict[str, Any]) -> Iterator[psycopg.Connection]:
    """A psycopg connection in autocommit mode."""
    with psycopg.connect(**conninfo, autocommit=True) as connection:
        yield connection


@pytest.fixture
def psql(conninfo: dict[str, Any]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs psql with arguments and an input."""
    if shutil.which("psql") is None:
        pytest.skip("psql is not installed")

    def run(
        *arguments: str, password: str = conninfo["password"], stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        command = [
            "psql",
            "-X",
            "-h",
            "127.0.0.1",
            "-p",
            str(conninfo["port"]),
            "-U",
            "awsuser",
            *arguments,
            "dev",
        ]
        return subprocess.run(
            command,
            env={"PGPASSWORD": password},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    return run
