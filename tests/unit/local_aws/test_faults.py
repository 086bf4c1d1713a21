"""Faults asked for at /_local/faults: requests and statements that fail, dawdle or lose their answer."""

import json
import time
import urllib.error
import urllib.request

import psycopg
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError

from local_aws.server import Server

pytestmark = pytest.mark.filterwarnings(r"ignore:Exception\(_AskedForError\)")

WHERE = {"ClusterIdentifier": "redshift-etl", "Database": "dev", "DbUser": "awsuser"}
ONCE = Config(retries={"total_max_attempts": 1})
CONFLICT = (
    "ERROR: 1023 DETAIL: Serializable isolation violation on table - 100, transactions forming the cycle"
)


@pytest.fixture(scope="module")
def server():
    with Server(wire_port=0, faults=True) as running:
        yield running


@pytest.fixture
def call(server):
    """Sends a request to /_local/ and gives status and answer; no fault is left afterwards."""

    def send(method, body=None, path="/_local/faults"):
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        request = urllib.request.Request(server.endpoint_url + path, method=method, data=content)
        try:
            with urllib.request.urlopen(request) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    yield send
    send("DELETE")


@pytest.fixture
def fault(call):
    """Asks for a fault."""

    def ask(**members):
        status, answer = call("POST", members)
        assert status == 200, answer
        return answer

    return ask


def _records(call, name):
    return [one for one in call("GET", path="/_local/statements")[1] if one["name"] == name]


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "action"),
    [
        ("redshift-data", "list_statements", {}, "ListStatements"),
        ("glue", "get_job_run", {"JobName": "j", "RunId": "r"}, "GetJobRun"),
        ("s3", "list_objects_v2", {"Bucket": "b"}, "ListObjectsV2"),
        ("s3", "put_object", {"Bucket": "b", "Key": "k", "Body": b"x"}, "PutObject"),
        ("redshift", "describe_clusters", {}, "DescribeClusters"),
        ("secretsmanager", "get_secret_value", {"SecretId": "s"}, "GetSecretValue"),
        ("sns", "publish", {"TopicArn": "arn:aws:sns:us-east-1:123456789012:t", "Message": "m"}, "Publish"),
        ("sqs", "list_queues", {}, "ListQueues"),
        (
            "quicksight",
            "create_ingestion",
            {"AwsAccountId": "123456789012", "DataSetId": "d", "IngestionId": "i"},
            "CreateIngestion",
        ),
    ],
)
def test_every_service_s_client_reads_the_error(request, service, operation, arguments, action):
    aws, fault, call = map(request.getfixturevalue, ("aws", "fault", "call"))
    fault(service=service, action=action, error="ThrottlingException", times=1)
    with pytest.raises(ClientError) as raised:
        getattr(aws(service, config=ONCE), operation)(**arguments)
    response = raised.value.response
    assert response["Error"]["Code"] == "ThrottlingException"
    assert "asked for at /_local/faults" in response["Error"]["Message"]
    assert response["ResponseMetadata"]["HTTPStatusCode"] == (429 if service == "quicksight" else 400)
    assert [one["hits"] for one in call("GET")[1]] == [1]


@pytest.mark.parametrize(
    ("operation", "error", "answered"),
    [
        ("redshift-data list_statements", "InternalServerException", (500, "InternalServerException")),
        ("redshift-data list_statements", "503", (503, "ServiceUnavailable")),
        ("s3 list_buckets", "SlowDown", (503, "SlowDown")),
        ("s3 list_buckets", "500", (500, "InternalFailure")),
        ("s3 list_buckets", "AccessDenied", (403, "AccessDenied")),
        ("redshift describe_clusters", "ClusterNotFound", (404, "ClusterNotFound")),
    ],
)
def test_an_error_has_the_status_that_aws_gives_it(aws, fault, operation, error, answered):
    service, method = operation.split()
    fault(service=service, action=".*", error=error)
    with pytest.raises(ClientError) as raised:
        getattr(aws(service, config=ONCE), method)()
    response = raised.value.response
    assert (response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]) == answered


def test_a_refused_action_is_not_done_and_other_actions_go_on(aws, fault):
    s3 = aws("s3", config=ONCE)
    s3.create_bucket(Bucket="refused")
    fault(service="s3", action="PutObject", error="SlowDown")
    with pytest.raises(ClientError):
        s3.put_object(Bucket="refused", Key="k", Body=b"x")
    assert s3.list_objects_v2(Bucket="refused")["KeyCount"] == 0


def test_a_dropped_answer_leaves_the_action_done_and_a_token_finds_its_statement(aws, fault, call):
    fault(service="redshift-data", action="ExecuteStatement", drop_response=True, times=1)
    request = {"Sql": "select 1", "StatementName": "dropped", "ClientToken": "t" * 32, **WHERE}
    with pytest.raises((ConnectionClosedError, EndpointConnectionError)):
        aws("redshift-data", config=ONCE).execute_statement(**request)
    answered = aws("redshift-data", config=ONCE).execute_statement(**request, WaitTimeSeconds=10)
    (record,) = _records(call, "dropped")
    assert record["id"] == answered["Id"]
    assert (record["status"], record["client_token"]) == ("FINISHED", "t" * 32)


def test_the_sdk_s_own_retry_survives_a_dropped_answer(aws, fault):
    fault(service="s3", action="CreateBucket", drop_response=True, times=1)
    aws("s3").create_bucket(Bucket="twice")
    assert "twice" in [bucket["Name"] for bucket in aws("s3").list_buckets()["Buckets"]]


def test_a_delay_comes_before_the_action(aws, fault, monkeypatch):
    slept = []
    monkeypatch.setattr("local_aws.fault_injection.time.sleep", slept.append)
    fault(service="s3", action="ListBuckets", delay=2.5)
    assert "Buckets" in aws("s3").list_buckets()
    assert slept == [2.5]


def test_times_and_probability_choose_the_same_occurrences_for_the_same_seed(aws, fault, call):
    client = aws("redshift-data", config=ONCE)

    def struck():
        call("DELETE")
        fault(service="redshift-data", action="ListStatements", error="500", probability=0.5, seed=7, times=4)
        return [_fails(client.list_statements) for _ in range(20)]

    first = struck()
    assert sum(first) == 4
    assert first != sorted(first, reverse=True)
    assert struck() == first


def _fails(operation):
    try:
        operation()
    except ClientError:
        return True
    return False


def test_a_statement_fails_with_redshift_s_message_and_takes_its_batch_with_it(execute, rows, fault, call):
    execute("create table kept (n int)")
    fault(service="redshift", action=r"insert into kept values \(2\)", error=CONFLICT, times=1)
    batch = ["insert into kept values (1)", "insert into kept values (2)", "insert into kept values (3)"]

    described = execute(batch, StatementName="conflict")
    assert described["Status"] == "FAILED"
    assert described["Error"] == f"Query #2 failed with {CONFLICT}"
    assert [one["Status"] for one in described["SubStatements"]] == ["FINISHED", "FAILED", "ABORTED"]
    assert rows("select n from kept") == []
    assert execute(batch, StatementName="conflict")["Status"] == "FINISHED"
    assert rows("select n from kept order by n") == [(1,), (2,), (3,)]

    failed, finished = _records(call, "conflict")
    assert (failed["committed"], finished["committed"]) == (False, True)
    assert [one["committed"] for one in failed["statements"]] == [False, False, False]
    assert [one["status"] for one in failed["statements"]] == ["FINISHED", "FAILED", "ABORTED"]
    assert all(one["started"] <= one["ended"] for one in finished["statements"])


def test_a_statement_is_found_by_its_name_and_its_values(execute, fault):
    fault(service="redshift", action="^the name$", error="out of memory", times=1)
    fault(service="redshift", action="'2003-01-02'", error="disk full", times=1)
    assert execute("select 1", StatementName="the name")["Error"] == "ERROR: out of memory"
    day = [{"name": "day", "value": "2003-01-02"}]
    assert execute("select :day", Parameters=day)["Error"] == "ERROR: disk full"
    assert execute("select :day", Parameters=day, StatementName="the name")["Status"] == "FINISHED"


def test_a_commit_can_fail(execute, rows, fault):
    execute("create table uncommitted (n int)")
    fault(service="redshift", action="^commit$", error=CONFLICT, times=1)
    described = execute(["insert into uncommitted values (1)", "select 1"])
    assert (described["Status"], described["Error"]) == ("FAILED", CONFLICT)
    assert rows("select n from uncommitted") == []


def test_a_dawdling_statement_can_be_cancelled(data_api, execute, rows, fault, call):
    execute("create table dawdled (n int)")
    fault(service="redshift", action=r"values \(2\)", delay=600)
    sqls = ["insert into dawdled values (1)", "insert into dawdled values (2)"]
    statement = data_api.batch_execute_statement(Sqls=sqls, StatementName="dawdling", **WHERE)["Id"]
    _until(lambda: call("GET")[1][0]["hits"] == 1)
    assert data_api.describe_statement(Id=statement)["Status"] == "STARTED"
    (running,) = _records(call, "dawdling")
    assert (running["ended"], running["committed"]) == (None, False)

    data_api.cancel_statement(Id=statement)
    _until(lambda: data_api.describe_statement(Id=statement)["Status"] == "ABORTED")
    assert rows("select n from dawdled") == []
    (record,) = _records(call, "dawdling")
    assert (record["status"], record["committed"]) == ("ABORTED", False)


def _until(reached):
    """Waits for what other threads bring about; pytest's own time limit is the caller's."""
    for _ in range(600):
        if reached():
            return
        time.sleep(0.05)
    pytest.fail("It did not come about within 30 seconds.")


def test_a_statement_over_the_wire_fails_too(pg, fault, call):
    fault(service="redshift", action="select 'by wire'", error=CONFLICT, times=1)
    with pytest.raises(psycopg.errors.SerializationFailure, match="Serializable isolation violation"):
        pg.execute("select 'by wire'")
    assert pg.execute("select 'by wire'").fetchall() == [("by wire",)]
    wire = [one for one in call("GET", path="/_local/statements")[1] if one["source"] == "wire"]
    assert [(one["status"], one["committed"]) for one in wire[-2:]] == [("FAILED", False), ("FINISHED", True)]


def test_the_history_tells_what_an_open_wire_transaction_has_committed(conninfo, call):
    with psycopg.connect(**conninfo, application_name="open", autocommit=True) as connection:
        connection.execute("create table by_wire (n int)")
        connection.execute("begin")
        connection.execute("insert into by_wire values (1)")
        assert [one["committed"] for one in _records(call, "open")] == [True, False, False]
        connection.execute("commit")
        connection.execute("begin")
        connection.execute("insert into by_wire values (2)")
        connection.execute("rollback")
    assert [one["committed"] for one in _records(call, "open")] == [True] * 4 + [False] * 3


def test_faults_are_listed_and_forgotten(fault, call):
    asked = fault(service="glue", action="StartJobRun", error="500", times=2)
    assert asked == {
        "service": "glue",
        "action": "StartJobRun",
        "error": "500",
        "delay": 0.0,
        "drop_response": False,
        "times": 2,
        "probability": 1.0,
        "seed": 0,
        "hits": 0,
    }
    assert call("GET") == (200, [asked])
    assert call("DELETE") == (200, [])
    fault(service="s3", action="GetObject", delay=1)
    assert call("POST", path="/_local/reset")[0] == 200
    assert call("GET") == (200, [])


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"not JSON", "The request's body is not JSON."),
        ([], "The request's body is not a JSON object with a service and an action."),
        ({"action": "x", "error": "e"}, "service is missing; it must be a service as IAM writes it."),
        ({"service": "s3", "error": "e"}, "action is missing; it must be a regular expression."),
        ({"service": "s3", "action": "GetObject"}, "A fault must have an error, a delay or drop_response."),
        (
            {"service": "s3", "action": "GetObject", "error": "500", "drop_response": True},
            "A fault has an error or drop_response, not both.",
        ),
        (
            {"service": "s3", "action": "GetObject", "delay": "2"},
            'delay is "2" and must be a number of seconds.',
        ),
        (
            {"service": "s3", "action": "GetObject", "error": 500},
            "error is 500 and must be an error code, an HTTP status or Redshift's message, as a string.",
        ),
        (
            {"service": "s3", "action": "GetObject", "error": "500", "times": True},
            "times is true and must be a whole number.",
        ),
        (
            {"service": "s3", "action": "GetObject", "delay": 1, "probability": 2},
            (
                "delay must not be negative, probability must be from 0 to 1 and times at least 1; "
                "they are 1, 2 and None."
            ),
        ),
        (
            {"service": "s3", "action": "GetObject", "hits": 1},
            (
                "A fault has no member 'hits'; it has service, action, error, delay, drop_response, times, "
                "probability, seed."
            ),
        ),
        ({"service": "s3", "action": "Got", "error": "500"}, "s3 has no operation Got."),
        (
            {"service": "s33", "action": "GetObject", "error": "500"},
            "AWS has no service 's33'; write it as IAM policies do, for example redshift-data.",
        ),
        (
            {"service": "redshift", "action": "(", "error": "500"},
            "action '(' is not a regular expression: missing ), unterminated subpattern at position 0.",
        ),
        (
            {"service": "redshift", "action": "select 1", "drop_response": True},
            "A statement has no answer of its own to drop; drop the one to redshift-data ExecuteStatement.",
        ),
    ],
)
def test_a_fault_that_cannot_be_meant_so_gets_one_sentence(call, body, sentence):
    assert call("POST", body) == (400, {"error": sentence})
    assert call("GET") == (200, [])


def test_other_methods_are_refused(call):
    assert call("PUT", {})[0] == 405
