"""Sessions: a connection that lives on between statements."""

import time

import pytest

WHERE = {"ClusterIdentifier": "redshift-etl", "Database": "dev", "DbUser": "awsuser"}


def test_a_temporary_table_lives_as_long_as_its_session(execute, rows):
    session = execute("create temp table mine (n int)", SessionKeepAliveSeconds=60)["SessionId"]
    execute("insert into mine values (4)", SessionId=session)

    assert rows("select n from mine", SessionId=session) == [(4,)]
    assert execute("select n from mine")["Status"] == "FAILED"


def test_a_session_runs_one_statement_at_a_time(data_api, execute, slow_query):
    session = execute("select 1", SessionKeepAliveSeconds=60)["SessionId"]
    running = data_api.execute_statement(Sql=slow_query, SessionId=session)["Id"]

    with pytest.raises(data_api.exceptions.ValidationException, match=f"running statement {running}"):
        data_api.execute_statement(Sql="select 1", SessionId=session)
    busy = data_api.list_sessions(SessionId=session)["Sessions"][0]
    assert (busy["Status"], busy["CurrentStatementId"]) == ("BUSY", running)
    data_api.cancel_statement(Id=running)
    data_api.describe_statement(Id=running, WaitTimeSeconds=10)
    assert execute("select 1", SessionId=session)["Status"] == "FINISHED"


def test_a_session_closes_when_its_time_is_over(data_api, execute):
    session = execute("select 1", SessionKeepAliveSeconds=1)["SessionId"]
    assert data_api.list_sessions(SessionId=session)["Sessions"][0]["Status"] == "AVAILABLE"
    time.sleep(1.3)

    assert data_api.list_sessions(SessionId=session)["Sessions"][0]["Status"] == "CLOSED"
    with pytest.raises(data_api.exceptions.ResourceNotFoundException, match="does not exist or is closed"):
        data_api.execute_statement(Sql="select 1", SessionId=session)


def test_keeping_a_session_alive_for_no_time_closes_it(data_api, execute):
    session = execute("select 1", SessionKeepAliveSeconds=60)["SessionId"]
    execute("select 1", SessionId=session, SessionKeepAliveSeconds=0)
    assert data_api.list_sessions(SessionId=session)["Sessions"][0]["Status"] == "CLOSED"


def test_sessions_are_listed_by_status_and_place(data_api, execute):
    session = execute("select 1", SessionKeepAliveSeconds=60)["SessionId"]

    def ids(**filters):
        return [one["SessionId"] for one in data_api.list_sessions(**filters)["Sessions"]]

    assert session in ids()
    assert session in ids(Status="AVAILABLE", ClusterIdentifier="redshift-etl", Database="dev")
    assert session not in ids(Status="CLOSED")
    assert session not in ids(WorkgroupName="redshift-etl")
    with pytest.raises(data_api.exceptions.ValidationException, match="SessionId excludes"):
        data_api.list_sessions(SessionId=session, Status="BUSY")


def test_a_transaction_may_span_the_statements_of_a_session(execute, rows):
    execute("create table spanned (n int)")
    session = execute("begin", SessionKeepAliveSeconds=60)["SessionId"]
    execute("insert into spanned values (1)", SessionId=session)
    assert rows("select count(*) from spanned") == [(0,)]
    execute("commit", SessionId=session)
    assert rows("select count(*) from spanned") == [(1,)]


def test_a_session_excludes_a_cluster(data_api, execute):
    session = execute("select 1", SessionKeepAliveSeconds=60)["SessionId"]
    with pytest.raises(data_api.exceptions.ValidationException, match="Exactly one of"):
        data_api.execute_statement(Sql="select 1", SessionId=session, **WHERE)
