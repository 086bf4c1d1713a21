"""A task that logs in by a secret: its password is in nothing that a task, Airflow or Redshift tells."""

from __future__ import annotations

import itertools
import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import httpx
import pytest
from airflow.sdk.exceptions import TaskDeferred

from laptop.environment import PROJECT
from local_account import use_account
from local_aws.server import Server
from redshift_etl.failure import RedshiftScriptError
from redshift_etl.operators.redshift_no_rows import RedshiftNoRowsOperator, RowsFoundError
from redshift_etl.operators.redshift_script import RedshiftScriptOperator

RUNS = itertools.count()
PASSWORD = "Aa1-never-to-be-told"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(faults=True) as running:
        fault = json.dumps({"service": "redshift", "action": "slow", "delay": 600})
        httpx.post(f"{running.endpoint_url}/_local/faults", content=fault).raise_for_status()
        yield running


@pytest.fixture
def _no_waiting() -> None:
    """Here time passes as it does."""


@pytest.fixture
def secret(server: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """The ARN of the cluster's login, with a password that can be searched for."""
    use_account(monkeypatch, server.endpoint_url)
    client = boto3.client("secretsmanager")
    login = json.dumps({"username": "awsuser", "password": PASSWORD})
    return str(client.put_secret_value(SecretId="redshift-etl/awsuser", SecretString=login)["ARN"])


def made(secret: str, kind: type[RedshiftScriptOperator], text: str, **more: Any) -> RedshiftScriptOperator:
    target = {"database": "dev", "cluster_identifier": "redshift-etl", "secret_arn": secret}
    operator = kind(task_id="load", sql="store_sales/load.sql", **(target | more))
    operator.sql = text
    return operator


@pytest.mark.parametrize(
    ("kind", "text", "deferrable", "error"),
    [
        (RedshiftScriptOperator, "select 1; select 2", False, None),
        (RedshiftScriptOperator, "select 1 as slow", True, TaskDeferred),
        (RedshiftScriptOperator, "select 1; select * from nowhere", False, RedshiftScriptError),
        (RedshiftNoRowsOperator, "select 7 as n", False, RowsFoundError),
    ],
)
@pytest.mark.parametrize("password_is_right", [True, False])
def test_no_log_result_error_trigger_or_statement_holds_the_password(
    server: Server,
    secret: str,
    make_context: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[RedshiftScriptOperator],
    text: str,
    deferrable: bool,
    error: type[BaseException] | None,
    password_is_right: bool,
) -> None:
    if not password_is_right:
        monkeypatch.setattr(server.clusters, "password_is", lambda *_: False)
        error = RedshiftScriptError
    caplog.set_level(logging.INFO)
    operator = made(secret, kind, text, deferrable=deferrable, retries=0)
    # Time for a login to be refused, not for a statement that dawdles.
    monkeypatch.setattr(RedshiftScriptOperator, "quick_seconds", 2.0)
    context = make_context(operator)
    context["ti"].run_id = f"run-{next(RUNS)}"  # each has a ClientToken of its own
    told: list[object] = []
    if error is None:
        told.append(operator.execute(context))
    else:
        with pytest.raises(error) as raised:
            operator.execute(context)
        told.append(str(raised.value))
        if isinstance(raised.value, TaskDeferred):
            told += [raised.value.trigger.serialize(), raised.value.kwargs]
    told += [getattr(operator, name) for name in operator.template_fields]
    told += [context["task_state_store"], caplog.text, server._history.records()]
    data_api = boto3.client("redshift-data")
    for statement in data_api.list_statements(RoleLevel=True)["Statements"]:
        told.append(data_api.describe_statement(Id=statement["Id"]))
    everything = json.dumps(told, default=str)
    assert text.split(";", 1)[0] in everything  # it is what was told
    assert PASSWORD not in everything


@pytest.mark.parametrize("file", sorted((PROJECT / "sql").rglob("*.sql")), ids=lambda file: file.name)
def test_no_script_holds_a_secret(file: Any) -> None:
    words = r"\b(password|credentials|access_key_id|secret_access_key|session_token)\b|\bAKIA[A-Z0-9]{16}\b"
    assert re.findall(words, file.read_text(), re.IGNORECASE) == []
