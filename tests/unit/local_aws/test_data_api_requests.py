"""Requests: what is refused before any SQL runs, and what counts as the same request."""

import json
import urllib.error
import urllib.request

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local_aws.redshift_data import models

WHERE = {"ClusterIdentifier": "redshift-etl", "Database": "dev", "DbUser": "awsuser"}


@pytest.fixture(scope="module")
def unchecked(aws):
    """A client that leaves the checking of parameters to the server."""
    return aws("redshift-data", config=Config(parameter_validation=False))


def _parameters(**values):
    return [{"name": name, "value": value} for name, value in values.items()]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"Sql": "select 1", "Database": "dev"}, "Exactly one of"),
        ({"Sql": "select 1", **WHERE, "WorkgroupName": "redshift-etl"}, "Exactly one of"),
        (
            {"Sql": "select 1", "ClusterIdentifier": "redshift-etl", "DbUser": "awsuser"},
            "Database must be given",
        ),
        (
            {"Sql": "select 1", **WHERE, "ClusterIdentifier": "no-such"},
            "Redshift endpoint doesn't exist in this region.",
        ),
        ({"Sql": "select 1", **WHERE, "ClusterIdentifier": "Not A Name"}, "regular expression pattern"),
        ({**WHERE}, "Value null at 'sql'"),
        ({"Sql": "  -- nothing\n", **WHERE}, "is empty"),
        ({"Sql": "select 1; select 2", **WHERE}, "holds 2 statements"),
        ({"Sql": f"select '{'x' * 102_400}'", **WHERE}, "longer than 102400 bytes"),
        ({"Sql": "select :a", **WHERE}, "no value for :a"),
        ({"Sql": "select 1", **WHERE, "Parameters": _parameters(a="1")}, "no SQL text names :a"),
        ({"Sql": "select ':a'::text", **WHERE, "Parameters": _parameters(a="1")}, "no SQL text names :a"),
        ({"Sql": "select :a", **WHERE, "Parameters": _parameters(a="")}, "greater than or equal to 1"),
        ({"Sql": "select 1", **WHERE, "Parameters": []}, "greater than or equal to 1"),
        (
            {"Sql": "select :a", **WHERE, "Parameters": _parameters(**{"a-b": "1"})},
            "regular expression pattern",
        ),
        ({"Sql": "select :a", **WHERE, "Parameters": 2 * _parameters(a="1")}, "more than once"),
        ({"Sql": "select 1", **WHERE, "WaitTimeSeconds": 31}, "less than or equal to 30"),
        ({"Sql": "select 1", **WHERE, "ClientToken": "x" * 65}, "less than or equal to 64"),
        ({"Sql": "select 1", **WHERE, "SessionKeepAliveSeconds": 86_401}, "less than or equal to 86400"),
        ({"Sql": "select 1", **WHERE, "ResultFormat": "XML"}, "enum value set"),
        ({"Sql": "select 1", **WHERE, "SecretArn": "any"}, "Only one of DbUser and SecretArn"),
    ],
)
def test_a_request_that_cannot_run_is_refused(unchecked, request_, message):
    with pytest.raises(ClientError) as error:
        unchecked.execute_statement(**request_)
    assert error.value.response["Error"]["Code"] == "ValidationException"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert message in str(error.value)


def test_a_batch_has_one_to_forty_statements(unchecked):
    for sqls in ([], ["select 1"] * 41):
        with pytest.raises(ClientError, match=r"ValidationException.*at 'sqls'"):
            unchecked.batch_execute_statement(Sqls=sqls, **WHERE)
    submitted = unchecked.batch_execute_statement(Sqls=["select 1"] * 40, WaitTimeSeconds=30, **WHERE)
    assert submitted["Status"] == "FINISHED"


def test_a_batch_parameter_must_be_named_by_one_statement_at_least(unchecked):
    with pytest.raises(ClientError, match="no SQL text names :b"):
        unchecked.batch_execute_statement(Sqls=["select :a"], Parameters=_parameters(a="1", b="2"), **WHERE)


def test_the_same_token_and_request_run_once(data_api, rows):
    rows("select 1")
    request = {"Sql": "insert into once values (1)", "ClientToken": "once", **WHERE}
    data_api.execute_statement(Sql="create table once (n int)", WaitTimeSeconds=10, **WHERE)
    first = data_api.execute_statement(**request)
    again = data_api.execute_statement(**request, WaitTimeSeconds=10)
    later = data_api.execute_statement(**request)

    assert first["Id"] == again["Id"] == later["Id"]
    assert rows("select count(*) from once") == [(1,)]


def test_the_same_token_with_another_request_is_refused(data_api):
    data_api.execute_statement(Sql="select 1", ClientToken="used", **WHERE)
    with pytest.raises(data_api.exceptions.ValidationException, match="ClientToken used was used"):
        data_api.execute_statement(Sql="select 2", ClientToken="used", **WHERE)
    with pytest.raises(data_api.exceptions.ValidationException, match="ClientToken used was used"):
        data_api.batch_execute_statement(Sqls=["select 1"], ClientToken="used", **WHERE)


def test_too_many_active_statements_are_refused(data_api, slow_query, monkeypatch):
    monkeypatch.setattr(models, "MAX_ACTIVE_STATEMENTS", 1)
    running = data_api.execute_statement(Sql=slow_query, **WHERE)["Id"]
    with pytest.raises(data_api.exceptions.ActiveStatementsExceededException, match="limit of 1"):
        data_api.execute_statement(Sql="select 1", **WHERE)
    data_api.cancel_statement(Id=running)
    data_api.describe_statement(Id=running, WaitTimeSeconds=10)
    assert data_api.execute_statement(Sql="select 1", **WHERE)["Id"]


def test_too_many_sessions_are_refused(data_api, monkeypatch):
    monkeypatch.setattr(models, "MAX_SESSIONS", 0)
    with pytest.raises(data_api.exceptions.ActiveSessionsExceededException):
        data_api.execute_statement(Sql="select 1", SessionKeepAliveSeconds=5, **WHERE)


def test_another_region_has_no_cluster(aws):
    with pytest.raises(ClientError, match="Redshift endpoint doesn't exist in this region"):
        aws("redshift-data", region_name="eu-west-1").execute_statement(Sql="select 1", **WHERE)


def _post(server, operation, body):
    request = urllib.request.Request(
        server.endpoint_url, body, {"X-Amz-Target": f"RedshiftData.{operation}"}, method="POST"
    )
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request)
    return error.value.code, json.loads(error.value.read())["__type"]


def test_errors_of_the_protocol_are_aws_errors(server):
    assert _post(server, "DropEverything", b"{}") == (400, "UnknownOperationException")
    assert _post(server, "ExecuteStatement", b"not json") == (400, "SerializationException")
    assert _post(server, "ExecuteStatement", b'{"Sql": 5}') == (400, "SerializationException")
    assert _post(server, "ExecuteStatement", b"[]") == (400, "SerializationException")
    assert _post(server, "ExecuteStatement", b"[1]") == (400, "SerializationException")
    assert _post(server, "ExecuteStatement", b"5") == (400, "SerializationException")


@pytest.mark.parametrize(
    "member",
    [
        b'"Sql": "select \'\\ud800\'"',
        b'"Sql": "select :x", "Parameters": [{"name": "x", "value": "\\uDFFF"}]',
    ],
)
def test_half_a_character_is_refused_and_a_whole_one_of_two_halves_is_taken(server, member, data_api):
    where = b'"ClusterIdentifier": "redshift-etl", "Database": "dev", "WaitTimeSeconds": 10'
    assert _post(server, "ExecuteStatement", b"{%b, %b}" % (where, member)) == (400, "SerializationException")

    whole = member.replace(b"\\ud800", b"\\ud83d\\ude00").replace(b"\\uDFFF", b"\\ud83d\\uDE00")
    request = urllib.request.Request(
        server.endpoint_url,
        b"{%b, %b}" % (where, whole),
        {"X-Amz-Target": "RedshiftData.ExecuteStatement"},
        method="POST",
    )
    with urllib.request.urlopen(request) as answer:
        statement = json.load(answer)["Id"]
    assert data_api.get_statement_result(Id=statement)["Records"] == [[{"stringValue": "\U0001f600"}]]
    assert _post(server, "ExecuteStatement", b"") == (400, "ValidationException")


def test_a_fault_of_the_service_is_an_internal_error_and_not_html(server, monkeypatch):
    monkeypatch.setattr(server.redshift_data, "statement", None)
    identifier = b'{"Id": "00000000-0000-4000-8000-000000000000"}'
    assert _post(server, "DescribeStatement", identifier) == (500, "InternalServerException")
