from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG, Asset
from airflow.sdk.bases.operator import TriggerFailureReason
from airflow.sdk.exceptions import TaskDeferralTimeout, TaskDeferred
from botocore.stub import ANY, Stubber
from plugins_context import (
    OTHER_ID,
    STATEMENT_ID,
    TaskStateStore,
    described,
    looks,
    nothing_runs,
    part,
    remember,
    submitted,
)

from redshift_etl.audit import statement_name
from redshift_etl.data_api import StatementLostError
from redshift_etl.failure import RedshiftScriptError
from redshift_etl.operators.redshift_script import RedshiftScriptOperator
from redshift_etl.script import InvalidScriptError
from redshift_etl.triggers.redshift_statement import RedshiftStatementTrigger

Make = Callable[..., RedshiftScriptOperator]
Context = Callable[..., Any]


# --- arguments


def test_only_the_path_of_a_sql_file_is_accepted() -> None:
    with pytest.raises(ValueError, match=r"sql is 'select 1': give the path of a \.sql file"):
        RedshiftScriptOperator(task_id="load", sql="select 1")


@pytest.mark.parametrize("argument", ["durable", "session_id", "return_sql_result", "wait_for_completion"])
def test_what_would_mean_nothing_is_refused(argument: str) -> None:
    with pytest.raises(TypeError, match=f"RedshiftScriptOperator takes no {argument}"):
        RedshiftScriptOperator(task_id="load", sql="load.sql", **{argument: None})


def test_a_dags_default_args_reach_it() -> None:
    with DAG("d", schedule=None, default_args={"database": "dev", "workgroup_name": "wg", "retries": 2}):
        operator = RedshiftScriptOperator(task_id="load", sql="load.sql")
    assert (operator.database, operator.workgroup_name, operator.retries) == ("dev", "wg", 2)
    assert operator.deferrable


def test_file_values_and_query_are_rendered(tmp_path: Any) -> None:
    (tmp_path / "load.sql").write_text("insert into {{ params.schema }}.t select :day")
    with DAG("d", schedule=None, template_searchpath=[str(tmp_path)], params={"schema": "tpcds"}) as dag:
        operator = RedshiftScriptOperator(
            task_id="load",
            sql="load.sql",
            parameters={"day": "{{ day }}"},
            unless="select '{{ params.schema }}'",
        )
    operator.render_template_fields({"params": dag.params, "day": "2003-01-02"}, dag.get_template_env())
    assert operator.sql == "insert into tpcds.t select :day"
    assert operator.parameters == [{"name": "day", "value": "2003-01-02"}]
    assert operator.unless == "select 'tpcds'"
    assert operator.file == "load.sql"


# --- submitting


def test_one_statement_goes_out_alone(make: Make, api: Stubber, make_context: Context) -> None:
    operator = make("-- sales\nselect :day;", parameters={"day": "2003-01-02"})
    submitted(api, Sql="select :day", Parameters=[{"name": "day", "value": "2003-01-02"}])
    looks(
        api,
        described("FINISHED", ResultRows=1, ResultSize=4, RedshiftQueryId=71, Duration=120_000_000),
        WaitTimeSeconds=5,
    )
    assert operator.execute(make_context(operator)) == [
        {
            "number": 1,
            "statement_id": STATEMENT_ID,
            "database_user": "awsuser",
            "file": "store_sales/load.sql",
            "query_id": 71,
            "rows": 1,
            "bytes": 4,
            "seconds": 0.12,
            "status": "FINISHED",
            "error": "",
            "sql": "select 1",
        }
    ]
    api.assert_no_pending_responses()


@pytest.mark.parametrize(("transaction", "mode"), [(True, "TRANSACTION"), (False, "AUTO_COMMIT")])
def test_r6_several_statements_go_out_as_one_batch(
    make: Make,
    api: Stubber,
    make_context: Context,
    capsys: pytest.CaptureFixture[str],
    *,
    transaction: bool,
    mode: str,
) -> None:
    operator = make("delete from t; insert into t\n  select 1", transaction=transaction)
    label = "set query_group to 'store_sales_etl.manual__2003-01-02T03-04-05-00-00.load'"
    submitted(api, Sqls=[label, "delete from t", "insert into t\n  select 1"], ExecutionMode=mode)
    parts = [
        part(1, "FINISHED", label, ResultRows=-1, Duration=1_000_000),
        part(2, "FINISHED", "delete from t", ResultRows=-1, Duration=5_000_000),
        part(3, "FINISHED", "insert into t\n  select 1", ResultRows=1660, Duration=120_000_000),
    ]
    looks(api, described("FINISHED", SubStatements=parts), WaitTimeSeconds=5)
    entries = operator.execute(make_context(operator))
    assert [(entry["number"], entry["rows"]) for entry in entries] == [(1, None), (2, 1660)]
    assert json.loads(json.dumps(entries)) == entries
    line = f"statement 2/2 insert into t select 1 1,660 rows 0.12 s ({STATEMENT_ID}:3, awsuser)"
    assert line in capsys.readouterr().out


def test_a_dba_finds_the_statement_by_its_name(make: Make, api: Stubber, make_context: Context) -> None:
    operator = make()
    submitted(
        api,
        Sql="select 1",
        StatementName="store_sales_etl.manual__2003-01-02T03-04-05-00-00.load",
    )
    looks(api, described("FINISHED"), WaitTimeSeconds=5)
    operator.execute(make_context(operator))


def test_a_bad_script_is_refused_before_anything_is_submitted(
    make: Make, api: Stubber, make_context: Context
) -> None:
    operator = make("select 1; select :day")
    nothing_runs(api)
    with pytest.raises(InvalidScriptError, match=r"store_sales/load\.sql, statement 2 of 2, uses :day"):
        operator.execute(make_context(operator))


# --- failing


def test_a_failed_statement_is_shown_with_number_text_and_message(
    make: Make, api: Stubber, make_context: Context
) -> None:
    operator = make("select 1; insert into nowhere select 2; select 3")
    error_text = 'ERROR: relation "nowhere" does not exist'
    submitted(api, Sqls=ANY, ExecutionMode="TRANSACTION")
    parts = [
        part(1, "FINISHED", "select 1"),
        part(
            2,
            "FAILED",
            f"insert into nowhere select {'2' * 600}",
            Error=error_text,
        ),
        part(3, "ABORTED", "select 3"),
    ]
    looks(api, described("FAILED", SubStatements=parts, Error="batch failed"), WaitTimeSeconds=5)
    with pytest.raises(RedshiftScriptError) as error:
        operator.execute(make_context(operator))
    assert str(error.value).startswith(
        f"store_sales/load.sql, statement 2 of 3, FAILED: {error_text} -- "
        f"statement {STATEMENT_ID}:2: insert into nowhere select 222"
    )
    assert len(str(error.value)) < 700


def test_defect_01_a_cancelled_statement_ends_the_task_and_says_so(
    make: Make, api: Stubber, make_context: Context
) -> None:
    operator = make()
    submitted(api, Sql="select 1")
    looks(api, described("ABORTED"), WaitTimeSeconds=5)
    with pytest.raises(RedshiftScriptError, match="statement 1 of 1, ABORTED: no message; it may have been"):
        operator.execute(make_context(operator))


def test_auto_commit_fails_with_any_part_even_if_the_batch_finished(
    make: Make, api: Stubber, make_context: Context
) -> None:
    operator = make("select 1; select 2", transaction=False)
    submitted(api, Sqls=ANY, ExecutionMode="AUTO_COMMIT")
    parts = [part(1, "FAILED", "select 1", Error="ERROR: permission denied"), part(2, "FINISHED", "select 2")]
    looks(api, described("FINISHED", SubStatements=parts), WaitTimeSeconds=5)
    with pytest.raises(RedshiftScriptError, match="statement 1 of 2, FAILED: ERROR: permission denied"):
        operator.execute(make_context(operator))


# --- waiting


def test_r3_r5_a_slow_statement_waits_in_the_triggerer(
    make: Make, api: Stubber, make_context: Context
) -> None:
    operator = make(execution_timeout=timedelta(minutes=5), poll_interval=7)
    submitted(api, Sql="select 1")
    for _ in range(60):  # the answers come at once, so the quick wait asks every tenth of a second
        api.add_response("describe_statement", described("STARTED"), None)
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(make_context(operator))
    trigger = deferred.value.trigger
    assert isinstance(trigger, RedshiftStatementTrigger)
    assert (trigger.statement_id, trigger.poll_interval) == (STATEMENT_ID, 7)
    assert deferred.value.timeout == timedelta(minutes=5)
    assert deferred.value.method_name == "execute_complete"


def test_after_the_trigger_the_outcome_is_read_from_the_data_api(
    make: Make, api: Stubber, make_context: Context
) -> None:
    operator = make()
    looks(api, described("FAILED", Error="ERROR: 1023"), WaitTimeSeconds=5)
    with pytest.raises(RedshiftScriptError, match="FAILED: ERROR: 1023"):
        operator.resume_execution(
            "execute_complete", {"event": {"work_id": STATEMENT_ID}}, make_context(operator)
        )


def test_without_deferring_it_waits_through_errors_of_the_data_api(
    make: Make, api: Stubber, make_context: Context
) -> None:
    operator = make(deferrable=False)
    submitted(api, Sql="select 1")
    looks(api, described("STARTED"), WaitTimeSeconds=30)
    api.add_client_error("describe_statement", "ThrottlingException")
    api.add_client_error("describe_statement", "InternalServerException", http_status_code=500)
    looks(api, described("FINISHED"), WaitTimeSeconds=30)
    assert operator.execute(make_context(operator))[0]["status"] == "FINISHED"


def test_a_statement_the_data_api_forgot_is_reported_lost(
    make: Make, api: Stubber, make_context: Context
) -> None:
    operator = make()
    submitted(api, Sql="select 1")
    api.add_client_error("describe_statement", "ResourceNotFoundException")
    with pytest.raises(StatementLostError, match=f"Statement {STATEMENT_ID} is lost"):
        operator.execute(make_context(operator))


def test_a_trigger_that_broke_leaves_the_wait_to_the_worker(
    make: Make, api: Stubber, make_context: Context, store: TaskStateStore
) -> None:
    operator = make()
    remember(operator, store, make_context)
    looks(api, described("STARTED"), WaitTimeSeconds=30)
    looks(api, described("FINISHED"), WaitTimeSeconds=30)
    broken = {"error": TriggerFailureReason.TRIGGER_FAILURE, "traceback": ["No module named redshift_etl"]}
    assert operator.resume_execution("__fail__", broken, make_context(operator))


def test_execution_timeout_while_deferred_cancels_and_sees_it_cancelled(
    make: Make, api: Stubber, make_context: Context, store: TaskStateStore
) -> None:
    operator = make(execution_timeout=timedelta(minutes=5))
    remember(operator, store, make_context)
    api.add_response("cancel_statement", {"Status": True}, {"Id": STATEMENT_ID})
    looks(api, described("STARTED"), WaitTimeSeconds=5)
    looks(api, described("ABORTED"), WaitTimeSeconds=5)
    with pytest.raises(TaskDeferralTimeout, match=f"0:05:00: statement {STATEMENT_ID} was told to stop"):
        operator.resume_execution(
            "__fail__", {"error": TriggerFailureReason.TRIGGER_TIMEOUT}, make_context(operator)
        )
    api.assert_no_pending_responses()


def test_a_kill_cancels_the_statement(make: Make, api: Stubber) -> None:
    operator = make()
    operator.on_kill()  # nothing is submitted yet
    operator.work_id = STATEMENT_ID
    api.add_response("cancel_statement", {"Status": True}, {"Id": STATEMENT_ID})
    looks(api, described("ABORTED"), WaitTimeSeconds=1)
    operator.on_kill()
    api.assert_no_pending_responses()


def test_a_kill_ends_even_if_the_cancel_is_not_seen(make: Make, api: Stubber) -> None:
    operator = make()
    operator.work_id = STATEMENT_ID
    for _ in range(5):  # seconds, until Airflow kills the process
        api.add_client_error("cancel_statement", "InternalServerException")
        api.add_client_error("describe_statement", "ThrottlingException")
        api.add_client_error("describe_statement", "ThrottlingException")
    operator.on_kill()
    api.assert_no_pending_responses()


# --- unless


def test_unless_with_a_row_leaves_nothing_to_do(
    make: Make, api: Stubber, make_context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    operator = make("create external table t (a int)", unless="select 1 from svv_external_tables")
    target = {"Database": "dev", "ClusterIdentifier": "redshift-etl", "DbUser": "awsuser"}
    nothing_runs(api)
    api.add_response(
        "execute_statement",
        {"Id": STATEMENT_ID},
        target
        | {
            "Sql": "select 1 from svv_external_tables",
            "StatementName": "store_sales_etl.manual__2003-01-02T03-04-05-00-00.load.unless",
        },
    )
    looks(api, described("FINISHED", ResultRows=1), WaitTimeSeconds=30)
    assert operator.execute(make_context(operator)) == []
    assert "store_sales/load.sql: nothing to do" in capsys.readouterr().out


def test_unless_without_a_row_runs_the_script(make: Make, api: Stubber, make_context: Context) -> None:
    operator = make(
        "select :city", unless="select 1 where 'a' = :day", parameters={"city": "Bethel", "day": "x"}
    )
    nothing_runs(api)
    with pytest.raises(InvalidScriptError, match="uses :day in no statement"):
        operator.execute(make_context(operator))
    operator = make("select :day", unless="select 1 where 'a' = :day", parameters={"day": "x"})
    values = [{"name": "day", "value": "x"}]
    api.add_response("execute_statement", {"Id": OTHER_ID}, None)
    looks(api, described("FINISHED", ResultRows=0), OTHER_ID, WaitTimeSeconds=30)
    submitted(api, retry=True, Sql="select :day", Parameters=values)
    looks(api, described("FINISHED", ResultRows=1), WaitTimeSeconds=5)
    assert len(operator.execute(make_context(operator))) == 1


# --- assets


def test_an_event_of_an_asset_tells_rows_statement_and_parameters(
    make: Make, api: Stubber, make_context: Context
) -> None:
    table, other = Asset(name="tpcds.t", uri="x://t"), Asset(name="tpcds.other", uri="x://other")
    operator = make(
        "delete from tpcds.t; insert into tpcds.t (a) select :day; insert into tpcds.t_2 select 1",
        parameters={"day": "2003-01-02"},
        outlets=[table, other],
    )
    submitted(api, Sqls=ANY, Parameters=ANY, ExecutionMode="TRANSACTION")
    parts = [
        part(1, "FINISHED", "delete from tpcds.t", ResultRows=9),
        part(2, "FINISHED", "insert into tpcds.t (a) select :day", ResultRows=166),
        part(3, "FINISHED", "insert into tpcds.t_2 select 1", ResultRows=1),
    ]
    looks(api, described("FINISHED", SubStatements=parts), WaitTimeSeconds=5)
    context = make_context(operator)
    context["outlet_events"] = {table: SimpleNamespace(), other: SimpleNamespace()}
    operator.execute(context)
    operator.post_execute(context)
    common = {"day": "2003-01-02", "statement_id": STATEMENT_ID}
    assert context["outlet_events"][table].extra == common | {"rows": 166}
    assert context["outlet_events"][other].extra == common


def test_no_two_tasks_of_a_run_share_a_name_however_long_it_is() -> None:
    long = "x" * 490
    names = {statement_name("dag", long, task) for task in ("load_customer_address", "load_customer")}
    assert len(names) == 2
    assert {len(name) for name in names} == {500}
    (name, _) = sorted(names)
    assert statement_name(name, "unless") not in names
