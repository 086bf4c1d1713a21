"""One statement: from submission through its states to its result or its error."""

import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

WHERE = {"ClusterIdentifier": "redshift-etl", "Database": "dev", "DbUser": "awsuser"}


def _until_ended(data_api, statement_id):
    for _ in range(300):
        described = data_api.describe_statement(Id=statement_id)
        if described["Status"] in {"FINISHED", "FAILED", "ABORTED"}:
            return described
        time.sleep(0.02)
    pytest.fail(f"statement {statement_id} does not end: {described}")


def test_a_client_that_polls_sees_the_statement_finish(data_api):
    submitted = data_api.execute_statement(Sql="select 1 as one", StatementName="poll", **WHERE)
    described = _until_ended(data_api, submitted["Id"])

    assert submitted["ClusterIdentifier"] == "redshift-etl"
    assert submitted["Database"] == "dev"
    assert submitted["DbUser"] == "awsuser"
    assert abs(submitted["CreatedAt"] - datetime.now(UTC)) < timedelta(seconds=30)
    assert described["Status"] == "FINISHED"
    assert described["QueryString"] == "select 1 as one"
    assert described["HasResultSet"] is True
    assert described["ResultRows"] == 1
    assert described["ResultSize"] > 0
    assert described["Duration"] > 0
    assert described["RedshiftPid"] > 0
    assert described["RedshiftQueryId"] > 0
    assert described["UpdatedAt"] >= described["CreatedAt"]
    assert "Error" not in described
    assert "SubStatements" not in described


def test_waiting_for_the_submission_answers_with_the_end_state(data_api):
    submitted = data_api.execute_statement(Sql="select 1", WaitTimeSeconds=10, **WHERE)

    assert submitted["Status"] == "FINISHED"
    assert submitted["HasResultSet"] is True
    assert submitted["RedshiftPid"] > 0


def test_waiting_for_a_running_statement_ends_when_the_time_is_over(data_api, slow_query):
    statement = data_api.execute_statement(Sql=slow_query, **WHERE)["Id"]
    started = time.monotonic()
    described = data_api.describe_statement(Id=statement, WaitTimeSeconds=1)
    waited = time.monotonic() - started
    data_api.cancel_statement(Id=statement)

    assert described["Status"] == "STARTED"
    assert described["Duration"] == -1
    assert described["ResultRows"] == -1
    assert 0.9 < waited < 5


def test_an_sql_error_is_no_http_error_but_a_failed_statement(execute, data_api):
    described = execute("select * from no_such_table")

    assert described["Status"] == "FAILED"
    assert 'relation "no_such_table" does not exist' in described["Error"]
    assert described["HasResultSet"] is False
    with pytest.raises(ClientError, match="Query does not have result"):
        data_api.get_statement_result(Id=described["Id"])


def test_rows_written_are_counted(execute):
    execute("create table counted (n int)")

    assert execute("insert into counted values (1), (2), (3)")["ResultRows"] == 3
    assert execute("update counted set n = 0 where n > 1")["ResultRows"] == 2
    deleted = execute("delete from counted")
    assert deleted["ResultRows"] == 3
    assert deleted["HasResultSet"] is False


def test_parameters_are_bound_as_values(execute, rows):
    parameters = [{"name": "text", "value": "it's; :n"}, {"name": "n", "value": "7"}]
    execute("create table bound (t varchar(20), n int)")
    described = execute("insert into bound values (:text, :n)", Parameters=parameters)

    assert described["QueryParameters"] == parameters
    assert described["QueryString"] == "insert into bound values (:text, :n)"
    assert rows("select t, n from bound") == [("it's; :n", 7)]


def test_a_cancelled_statement_is_aborted(data_api, slow_query):
    statement = data_api.execute_statement(Sql=slow_query, **WHERE)["Id"]
    time.sleep(0.2)

    assert data_api.cancel_statement(Id=statement)["Status"] is True
    described = data_api.describe_statement(Id=statement, WaitTimeSeconds=10)
    assert described["Status"] == "ABORTED"
    assert "cancelled on user's request" in described["Error"]


def test_a_statement_cancelled_right_after_submission_is_aborted(data_api, slow_query):
    for _ in range(10):
        statement = data_api.execute_statement(Sql=slow_query, **WHERE)["Id"]
        data_api.cancel_statement(Id=statement)
        assert data_api.describe_statement(Id=statement, WaitTimeSeconds=10)["Status"] == "ABORTED"


def test_a_finished_statement_cannot_be_cancelled(data_api, execute):
    statement = execute("select 1")["Id"]
    with pytest.raises(data_api.exceptions.ValidationException, match="already in FINISHED state"):
        data_api.cancel_statement(Id=statement)


def test_a_statement_that_waits_for_another_writer_can_be_cancelled(data_api, execute):
    execute("create table contended (n int)")
    session = data_api.execute_statement(
        Sql="begin read write", SessionKeepAliveSeconds=60, WaitTimeSeconds=10, **WHERE
    )["SessionId"]
    data_api.execute_statement(Sql="insert into contended values (1)", SessionId=session, WaitTimeSeconds=10)
    waiting = data_api.batch_execute_statement(Sqls=["insert into contended values (2)"], **WHERE)["Id"]
    assert data_api.describe_statement(Id=waiting, WaitTimeSeconds=1)["Status"] == "STARTED"

    data_api.cancel_statement(Id=waiting)
    assert data_api.describe_statement(Id=waiting, WaitTimeSeconds=10)["Status"] == "ABORTED"
    closed = data_api.execute_statement(Sql="rollback", SessionId=session, WaitTimeSeconds=10)
    assert closed["Status"] == "FINISHED"


def test_an_unknown_statement_is_not_found(data_api):
    nobody = str(uuid.uuid4())
    for call in (data_api.describe_statement, data_api.get_statement_result, data_api.cancel_statement):
        with pytest.raises(data_api.exceptions.ResourceNotFoundException) as error:
            call(Id=nobody)
        assert error.value.response["ResourceId"] == nobody


def test_statements_are_listed_by_status_name_and_place(data_api, execute):
    execute("select 1", StatementName="listed-1")
    execute(["select 1", "select 2"], StatementName="listed-2")
    execute("select nonsense", StatementName="listed-3")

    def names(**filters):
        pages = data_api.get_paginator("list_statements").paginate(**filters)
        return [one["StatementName"] for page in pages for one in page["Statements"]]

    assert names(StatementName="listed-") == ["listed-2", "listed-1"]
    assert names(StatementName="listed-", Status="ALL") == ["listed-3", "listed-2", "listed-1"]
    assert names(StatementName="listed-", Status="FAILED", RoleLevel=False) == ["listed-3"]
    assert names(StatementName="listed-", ClusterIdentifier="redshift-etl", Database="dev") != []
    assert names(StatementName="listed-", ClusterIdentifier="another") == []
    assert names(StatementName="isted") == []


def test_listed_statements_are_paged(data_api, execute):
    for number in range(5):
        execute("select 1", StatementName=f"paged-{number}")
    first = data_api.list_statements(StatementName="paged-", MaxResults=2)
    pages = data_api.get_paginator("list_statements").paginate(
        StatementName="paged-", PaginationConfig={"PageSize": 2}
    )

    assert len(first["Statements"]) == 2
    assert [len(page["Statements"]) for page in pages] == [2, 2, 1]
    assert first["Statements"][0]["QueryString"] == "select 1"
    with pytest.raises(data_api.exceptions.ValidationException, match="NextToken"):
        data_api.list_statements(NextToken="made-up")


def test_an_event_is_sent_to_eventbridge_when_asked_for(aws, execute):
    queue = aws("sqs").create_queue(QueueName="statement-events")["QueueUrl"]
    events = aws("events")
    events.put_rule(Name="statements", EventPattern='{"source": ["aws.redshift-data"]}')
    arn = "arn:aws:sqs:us-east-1:123456789012:statement-events"
    events.put_targets(Rule="statements", Targets=[{"Id": "queue", "Arn": arn}])
    statement = execute("select 1", WithEvent=True, StatementName="with event")["Id"]
    execute("select 2")

    received = aws("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=5, MaxNumberOfMessages=10)[
        "Messages"
    ]
    assert len(received) == 1
    assert "Redshift Data Statement Status Change" in received[0]["Body"]
    assert statement in received[0]["Body"]
    assert "FINISHED" in received[0]["Body"]
