"""The operators and their trigger against a Data API that really runs SQL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred
from plugins_context import TaskStateStore

from redshift_etl.failure import RedshiftScriptError
from redshift_etl.operators.redshift_no_rows import RedshiftNoRowsOperator
from redshift_etl.operators.redshift_script import RedshiftScriptOperator

Context = Callable[..., Any]

# 1,024 rows against themselves and once more: work to wait for; a fourth time: work to cancel.
PAIRS = "sales as a inner join sales as b on a.n <> b.n"
SLOW = f"select count(*) from {PAIRS} inner join sales as c on c.n <> b.n and c.n <= 128"
ENDLESS = SLOW.replace(" and c.n <= 128", " inner join sales as d on d.n <> c.n")


@pytest.fixture
def _no_waiting() -> None:
    """Here time passes as it does."""


@pytest.fixture(autouse=True)
def warehouse(aws: Callable[[str], Any]) -> Any:
    """A warehouse with a table of numbers."""
    client = aws("redshift-data")
    sql(client, "create table sales (n integer, city varchar(40))")
    sql(client, "insert into sales values (1, 'Bethel'), (2, 'Fairview')")
    return client


def sql(client: Any, statement: str) -> list[list[Any]]:
    """Run one statement beside the operators, and return its rows."""
    answer = client.execute_statement(
        Sql=statement, Database="dev", ClusterIdentifier="redshift-etl", DbUser="awsuser", WaitTimeSeconds=30
    )
    found = client.describe_statement(Id=answer["Id"], WaitTimeSeconds=30)
    assert found["Status"] == "FINISHED", found.get("Error")
    if not found["HasResultSet"]:
        return []
    records = client.get_statement_result(Id=answer["Id"])["Records"]
    return [[next(iter(field.values())) for field in row] for row in records]


def script(text: str, kind: type[Any] = RedshiftScriptOperator, **arguments: Any) -> Any:
    target = {"database": "dev", "cluster_identifier": "redshift-etl", "db_user": "awsuser"}
    operator = kind(task_id="load", sql="load.sql", **(target | arguments))
    operator.sql = text
    return operator


def test_a_script_is_one_transaction_and_reports_each_statement(
    warehouse: Any, make_context: Context
) -> None:
    operator = script(
        "delete from sales where city = :city; insert into sales values (3, :city), (4, :city);",
        parameters={"city": "Bethel; drop table sales"},
    )
    entries = operator.execute(make_context(operator))
    assert [(entry["number"], entry["rows"], entry["status"]) for entry in entries] == [
        (1, 0, "FINISHED"),
        (2, 2, "FINISHED"),
    ]
    assert {entry["database_user"] for entry in entries} == {"awsuser"}
    assert sql(warehouse, "select n, city from sales where n > 2 order by n") == [
        [3, "Bethel; drop table sales"],
        [4, "Bethel; drop table sales"],
    ]


def test_a_dba_finds_a_run_in_the_system_views_by_its_label(warehouse: Any, make_context: Context) -> None:
    operator = script("delete from sales where n = 1; insert into sales values (3, 'Salem')")
    operator.execute(make_context(operator))
    found = sql(
        warehouse,
        "select query_text from sys_query_history"
        " where query_label like 'store_sales_etl.manual__2003-01-02%.load' order by query_id",
    )
    assert [text for (text,) in found][:2] == [
        "delete from sales where n = 1",
        "insert into sales values (3, 'Salem')",
    ]


def test_a_failing_statement_undoes_those_before_it(warehouse: Any, make_context: Context) -> None:
    operator = script("delete from sales; insert into nowhere select 1; select 1")
    with pytest.raises(RedshiftScriptError, match=r"load\.sql, statement 2 of 3, FAILED: .*nowhere.*"):
        operator.execute(make_context(operator))
    assert sql(warehouse, "select count(*) from sales") == [[2]]


def test_in_auto_commit_those_before_it_stay(warehouse: Any, make_context: Context) -> None:
    operator = script("delete from sales where n = 1; insert into nowhere select 1", transaction=False)
    with pytest.raises(RedshiftScriptError, match=r"load\.sql, statement 2 of 2, FAILED: "):
        operator.execute(make_context(operator))
    assert sql(warehouse, "select n from sales") == [[2]]


def test_unless_asks_the_warehouse(warehouse: Any, make_context: Context) -> None:
    for clear in range(2):
        operator = script("insert into sales values (9, 'Oak')", unless="select 1 from sales where n = 9")
        operator.execute(make_context(operator, max_tries=clear))
    assert sql(warehouse, "select count(*) from sales where n = 9") == [[1]]


def test_a_try_that_died_before_remembering_takes_effect_once(
    warehouse: Any, make_context: Context, store: TaskStateStore
) -> None:
    insert = "insert into sales values (5, 'Salem')"
    first, second = script(insert, retries=2), script(insert, retries=2)
    before = first.execute(make_context(first))
    store[RedshiftScriptOperator.external_id_key]["work_id"] = ""
    after = second.execute(make_context(second, try_number=2))
    assert after[0]["statement_id"] == before[0]["statement_id"]
    assert sql(warehouse, "select count(*) from sales where n = 5") == [[1]]


def test_a_clear_cancels_the_statement_that_a_try_left_without_remembering_it(
    warehouse: Any, make_context: Context, store: TaskStateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RedshiftScriptOperator, "quick_seconds", 0.0)
    add_rows(warehouse)
    first = script(f"insert into sales {ENDLESS.replace('count(*)', 'count(*), null')}", retries=2)
    with pytest.raises(TaskDeferred):
        first.execute(make_context(first))
    store.clear()  # as after the run was deleted
    second = script("insert into sales values (5, 'Salem')", retries=2, deferrable=False)
    second.execute(make_context(second, try_number=2, max_tries=3))
    assert warehouse.describe_statement(Id=first.work_id)["Status"] == "ABORTED"
    assert sql(warehouse, "select count(*) from sales where city = 'Salem'") == [[1]]


def test_a_clear_after_success_takes_effect_again(warehouse: Any, make_context: Context) -> None:
    insert = "insert into sales values (6, 'Salem')"
    for max_tries in (2, 3):
        operator = script(insert, retries=2)
        operator.execute(make_context(operator, max_tries=max_tries))
    assert sql(warehouse, "select count(*) from sales where n = 6") == [[2]]


def add_rows(warehouse: Any) -> None:
    """Double the two rows until there are 1,024."""
    for power in range(1, 10):
        sql(warehouse, f"insert into sales select n + {2**power}, city from sales")


def test_r3_r5_a_slow_statement_waits_in_the_triggerer_and_its_outcome_is_read(
    warehouse: Any, make_context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RedshiftScriptOperator, "quick_seconds", 0.0)
    add_rows(warehouse)
    operator = script(SLOW, poll_interval=1)
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(make_context(operator))

    async def event() -> Any:
        return await anext(deferred.value.trigger.run())

    fired = asyncio.run(event())
    assert fired.payload == {"work_id": operator.work_id}
    entries = script(SLOW).execute_complete(make_context(operator), event=fired.payload)
    assert entries[0]["rows"] == 1


def test_a_kill_is_seen_by_the_warehouse(
    warehouse: Any, make_context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RedshiftScriptOperator, "quick_seconds", 0.0)
    add_rows(warehouse)
    operator = script(ENDLESS)
    with pytest.raises(TaskDeferred):
        operator.execute(make_context(operator))
    started = time.monotonic()
    operator.on_kill()
    assert warehouse.describe_statement(Id=operator.work_id)["Status"] == "ABORTED"
    assert time.monotonic() - started < 5


def test_a_users_kill_of_a_deferred_task_is_seen_by_the_warehouse(
    warehouse: Any, make_context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RedshiftScriptOperator, "quick_seconds", 0.0)
    add_rows(warehouse)
    operator = script(ENDLESS)
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(make_context(operator))
    asyncio.run(deferred.value.trigger.on_kill())
    found = warehouse.describe_statement(Id=operator.work_id, WaitTimeSeconds=10)
    assert found["Status"] == "ABORTED"


@pytest.mark.usefixtures("warehouse")
def test_offending_rows_are_shown_typed(make_context: Context) -> None:
    operator = script(
        "select n, city, cast(1.50 as numeric(7, 2)) as price, null as note from sales order by n",
        RedshiftNoRowsOperator,
    )
    with pytest.raises(AirflowFailException) as error:
        operator.execute(make_context(operator))
    assert str(error.value) == (
        "Check load (load.sql) found 2 row(s): n=1, city=Bethel, price=1.50, note=None; "
        "n=2, city=Fairview, price=1.50, note=None"
    )


def test_a_thousand_offending_rows_are_counted(warehouse: Any, make_context: Context) -> None:
    add_rows(warehouse)
    operator = script("select * from sales order by n", RedshiftNoRowsOperator)
    with pytest.raises(AirflowFailException, match=r"found 1,024 row\(s\), the first 5: n="):
        operator.execute(make_context(operator))


@pytest.mark.usefixtures("warehouse")
def test_no_offending_rows_pass(make_context: Context) -> None:
    operator = script("select n from sales where n < 0", RedshiftNoRowsOperator)
    assert operator.execute(make_context(operator))[0]["rows"] == 0
