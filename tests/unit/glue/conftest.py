"""The runner as Glue starts it, against a running local_aws and its real PostgreSQL listener."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
import redshift_connector
from job_outcome import BUCKET, SECRET, Outcome

from glue.redshift_sql import job
from local_account import use_account
from local_aws.server import Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with Server(wire_port=0) as running:
        yield running


@pytest.fixture(scope="session")
def aws(server: Server) -> Callable[[str], Any]:
    def client(service: str) -> Any:
        where = {"region_name": "us-east-1", "endpoint_url": server.endpoint_url}
        return boto3.client(service, aws_access_key_id="any", aws_secret_access_key="any", **where)

    return client


@pytest.fixture(scope="session")
def login(aws: Callable[[str], Any]) -> dict[str, Any]:
    """The login of the default cluster, which also lies in the secret that the tests give to the job."""
    secrets = aws("secretsmanager")
    login = json.loads(secrets.get_secret_value(SecretId="redshift-etl/awsuser")["SecretString"])
    login["ssl"] = False
    secrets.create_secret(Name=SECRET, SecretString=json.dumps(login))
    aws("s3").create_bucket(Bucket=BUCKET)
    return login


@pytest.fixture(scope="session")
def query(login: dict[str, Any]) -> Callable[[str], list[tuple[Any, ...]]]:
    """Asks the warehouse on another connection than the job's."""

    def ask(sql: str) -> list[tuple[Any, ...]]:
        where = {name: login[name] for name in ("host", "port", "password")} | {"user": login["username"]}
        with redshift_connector.connect(**where, database="dev", ssl=False) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    return ask


@pytest.fixture
def run(
    server: Server,
    aws: Callable[[str], Any],
    login: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Outcome]:
    """Uploads a script and runs it; keyword arguments are the script's own."""
    use_account(monkeypatch, server.endpoint_url)

    def start(
        sql: str | bytes, *more: str, secret: str = SECRET, db: str = "dev", **arguments: str
    ) -> Outcome:
        aws("s3").put_object(Bucket=BUCKET, Key="sql/test.sql", Body=sql)
        where = ["--file", "sql/test.sql", "--db_creds", secret, "--db", db, "--bucket", BUCKET]
        params = ["--params", json.dumps(arguments)] if arguments else []
        error = job.main("reviews-etl", [*where, *params, *more])
        out, err = capsys.readouterr()
        assert err == ""
        for said in (out, error or ""):
            assert login["password"] not in said
        return Outcome(error, out)

    return start
