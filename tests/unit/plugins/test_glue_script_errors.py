"""What is wrong with the login, the script or the bucket: one clear error, and never the password."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from reviews_account import FILE, JOB, logged, runs, script, set_up, sql

from laptop import reviews_job
from local_aws.server import Server
from redshift_etl.operators.glue_script import GlueScriptError, GlueScriptOperator

Context = Callable[..., Any]
Login = dict[str, Any]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(wire_port=0) as running:
        yield running


@pytest.fixture
def _no_waiting() -> None:
    """Here time passes as it does."""


@pytest.fixture(autouse=True)
def glue(aws: Callable[[str], Any]) -> Any:
    return set_up(aws)


@pytest.fixture
def login() -> Login:
    client = boto3.client("secretsmanager")
    found: Login = json.loads(client.get_secret_value(SecretId=reviews_job.SECRET)["SecretString"])
    return found


@pytest.fixture
def error_of(glue: Any, make_context: Context, login: Login) -> Callable[[GlueScriptOperator], str]:
    """The error of a task; the table must be as it was, and the password nowhere."""

    def run(operator: GlueScriptOperator) -> str:
        operator.deferrable = False
        with pytest.raises(GlueScriptError) as error:
            operator.execute(make_context(operator))
        assert sql("select n from kept") == [7]
        (run,) = runs(glue)
        assert run["JobRunState"] == "FAILED"
        assert login["password"] not in logged(run["Id"])
        assert login["password"] not in str(error.value)
        assert "\n" not in str(error.value)
        return str(error.value)

    return run


def store(login: Login) -> None:
    boto3.client("secretsmanager").put_secret_value(
        SecretId=reviews_job.SECRET, SecretString=json.dumps(login)
    )


def test_a_wrong_password_is_one_clear_error_without_the_password(
    login: Login, error_of: Callable[..., str]
) -> None:
    store(login | {"password": "Wrong1Secret"})
    text = error_of(script("delete from kept"))
    assert f"refuses user awsuser of secret {reviews_job.SECRET}" in text
    assert "Wrong1Secret" not in text


@pytest.mark.parametrize(
    ("key", "advice"),
    [
        ("username", "store username and password in it"),
        ("password", "store username and password in it"),
        ("host", "store it, or give the job the argument --host"),
        ("port", "store it, or give the job the argument --port"),
    ],
)
def test_a_secret_that_lacks_a_key_is_one_clear_error(
    login: Login, error_of: Callable[..., str], key: str, advice: str
) -> None:
    store({name: value for name, value in login.items() if name != key})
    text = error_of(script("delete from kept"))
    assert f"Secret {reviews_job.SECRET} has no key {key}: {advice}" in text


def test_a_script_that_does_not_exist_is_one_clear_error(error_of: Callable[..., str]) -> None:
    operator = GlueScriptOperator(task_id="load", job_name=JOB, file="sql/reviews/missing.sql")
    text = error_of(operator)
    assert f"s3://{reviews_job.SCRIPT_BUCKET}/sql/reviews/missing.sql cannot be read: " in text
    assert "NoSuchKey" in text


def test_a_bucket_that_one_may_not_read_is_one_clear_error(error_of: Callable[..., str]) -> None:
    operator = script("delete from kept")
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{reviews_job.SCRIPT_BUCKET}/sql/*",
    }
    boto3.client("s3").put_bucket_policy(
        Bucket=reviews_job.SCRIPT_BUCKET,
        Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    text = error_of(operator)
    assert f"s3://{reviews_job.SCRIPT_BUCKET}/{FILE} cannot be read: " in text
    assert "403" in text or "Denied" in text or "Forbidden" in text


def test_a_value_that_no_statement_uses_is_one_clear_error(error_of: Callable[..., str]) -> None:
    assert "uses neither :year nor ${year}" in error_of(script("delete from kept", parameters={"year": "1"}))


def test_a_value_is_bound_and_never_sql(glue: Any, make_context: Context) -> None:
    operator = script(
        "insert into kept select 8 where 'x' = :text",
        parameters={"text": "x' or 'a' = 'a'; drop table kept; --"},
        deferrable=False,
    )
    operator.execute(make_context(operator))
    assert sql("select n from kept") == [7]
    assert [run["JobRunState"] for run in runs(glue)] == ["SUCCEEDED"]
