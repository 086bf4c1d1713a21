"""Batches: one transaction by default, each statement for itself with AUTO_COMMIT."""

import pytest

WHERE = {"ClusterIdentifier": "redshift-etl", "Database": "dev", "DbUser": "awsuser"}


def _states(described):
    return [sub["Status"] for sub in described["SubStatements"]]


def test_a_batch_that_succeeds_is_committed_whole(execute, rows, data_api):
    described = execute(
        ["create table good (n int)", "insert into good values (1), (2)", "select sum(n) as s from good"]
    )

    assert described["Status"] == "FINISHED"
    assert described["HasResultSet"] is True
    assert described["ExecutionMode"] == "TRANSACTION"
    assert _states(described) == ["FINISHED"] * 3
    assert [sub["Id"] for sub in described["SubStatements"]] == [f"{described['Id']}:{n}" for n in (1, 2, 3)]
    assert [sub["HasResultSet"] for sub in described["SubStatements"]] == [False, False, True]
    assert described["SubStatements"][1]["ResultRows"] == 2
    assert all(sub["Duration"] > 0 for sub in described["SubStatements"])
    assert rows("select count(*) from good") == [(2,)]
    result = data_api.get_statement_result(Id=f"{described['Id']}:3")
    assert result["Records"] == [[{"longValue": 3}]]


def test_a_failure_rolls_the_whole_batch_back(execute):
    described = execute(
        ["create table bad (n int)", "insert into bad values (1)", "select * from missing", "select 1"]
    )

    assert described["Status"] == "FAILED"
    assert described["Error"].startswith("Query #3 failed with ERROR:")
    assert _states(described) == ["FINISHED", "FINISHED", "FAILED", "ABORTED"]
    assert 'relation "missing" does not exist' in described["SubStatements"][2]["Error"]
    assert execute("select * from bad")["Status"] == "FAILED"


def test_auto_commit_keeps_what_succeeded_and_goes_on_after_a_failure(execute, rows):
    described = execute(
        ["create table kept (n int)", "insert into missing values (1)", "insert into kept values (2)"],
        ExecutionMode="AUTO_COMMIT",
    )

    assert described["Status"] == "FAILED"
    assert described["Error"].startswith("Query #2 failed with ERROR:")
    assert _states(described) == ["FINISHED", "FAILED", "FINISHED"]
    assert rows("select n from kept") == [(2,)]


def test_each_statement_takes_the_parameters_it_names(execute, rows):
    execute(
        [
            "create table shared (a int, b varchar(5))",
            "insert into shared values (:a, 'x')",
            "update shared set b = :b",
        ],
        Parameters=[{"name": "a", "value": "5"}, {"name": "b", "value": "y"}],
    )
    assert rows("select a, b from shared") == [(5, "y")]


def test_one_statement_of_a_batch_can_be_described_by_its_id(execute, data_api):
    described = execute(["select 1", "select 2 as two"])
    second = data_api.describe_statement(Id=f"{described['Id']}:2")

    assert second["QueryString"] == "select 2 as two"
    assert second["Status"] == "FINISHED"
    with pytest.raises(data_api.exceptions.ResourceNotFoundException):
        data_api.describe_statement(Id=f"{described['Id']}:3")


def test_the_batch_itself_has_no_result(execute, data_api):
    described = execute(["select 1"])
    with pytest.raises(data_api.exceptions.ResourceNotFoundException, match="does not have result"):
        data_api.get_statement_result(Id=described["Id"])


def test_a_batch_that_only_reads_does_not_wait_for_a_writer(execute):
    execute("create table busy (n int)")
    session = execute("begin", SessionKeepAliveSeconds=60)["SessionId"]
    execute("insert into busy values (1)", SessionId=session)

    assert execute(["select count(*) from busy", "select 1"])["Status"] == "FINISHED"
    execute("rollback", SessionId=session)


def test_a_cancelled_batch_is_rolled_back(data_api, execute, slow_query):
    statement = data_api.batch_execute_statement(
        Sqls=["create table half (n int)", slow_query, "select 3"], **WHERE
    )["Id"]
    while data_api.describe_statement(Id=statement)["SubStatements"][1]["Status"] != "STARTED":
        pass
    with pytest.raises(data_api.exceptions.ValidationException, match="one statement of a batch"):
        data_api.cancel_statement(Id=f"{statement}:2")
    data_api.cancel_statement(Id=statement)
    described = data_api.describe_statement(Id=statement, WaitTimeSeconds=10)

    assert described["Status"] == "ABORTED"
    assert _states(described) == ["FINISHED", "ABORTED", "ABORTED"]
    assert execute("select * from half")["Status"] == "FAILED"


def test_two_batches_that_write_wait_for_each_other(data_api, execute, rows):
    execute("create table tally (n int)")
    execute("insert into tally values (0)")
    statements = [
        data_api.batch_execute_statement(Sqls=["update tally set n = n + 1", "select n from tally"], **WHERE)[
            "Id"
        ]
        for _ in range(8)
    ]
    ended = [data_api.describe_statement(Id=one, WaitTimeSeconds=30) for one in statements]

    assert [one["Status"] for one in ended] == ["FINISHED"] * 8
    assert rows("select n from tally") == [(8,)]


@pytest.mark.parametrize(
    ("second", "status", "left"),
    [
        ("with q as (select 1 as n) select n from q", "FINISHED", 1),
        ("with q as (select 1 as n) delete from queue using q where queue.n = q.n", "STARTED", 0),
    ],
)
def test_only_a_batch_that_writes_waits_for_a_writer_before_it_reads(
    data_api, execute, rows, second, status, left
):
    execute(["drop table if exists queue", "create table queue (n int)"])
    session = execute("begin read write", SessionKeepAliveSeconds=60)["SessionId"]
    execute("insert into queue values (1)", SessionId=session)
    batch = data_api.batch_execute_statement(Sqls=["select n from queue", second], **WHERE)["Id"]
    assert data_api.describe_statement(Id=batch, WaitTimeSeconds=1)["Status"] == status

    execute("commit", SessionId=session)
    assert data_api.describe_statement(Id=batch, WaitTimeSeconds=10)["Status"] == "FINISHED"
    assert rows("select count(*) from queue") == [(left,)]
