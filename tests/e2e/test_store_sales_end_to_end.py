"""store_sales_etl for two days: real local_aws, real API server, scheduler, DAG processor and triggerer.

Every table and both reports are compared with a computation straight from the delivered Parquet files.
"""

import json
from datetime import date
from typing import Any

import pytest

from compare_store_sales import assert_reports_equal, assert_tables_equal
from data_api import query
from e2e_stack import BUCKET, DAYS, Stack
from expected_store_sales import load_days
from laptop.airflow import AirflowError

pytestmark = pytest.mark.e2e

DAG_ID = "store_sales_etl"


@pytest.fixture(scope="module")
def stack(everything: Stack) -> Stack:
    return everything.of(DAG_ID)


def latest_days(s3: Any) -> set[date]:
    """The days to which the reports' pointers point."""
    reports = ("daily_city_sales", "store_reconciliation", "weekly_store_performance")
    bodies = [s3.get_object(Bucket=BUCKET, Key=f"reports/{name}/latest.json")["Body"] for name in reports]
    return {date.fromisoformat(json.loads(body.read())["refresh_date"]) for body in bodies}


def test_r16_two_days_from_an_empty_warehouse_give_the_tables_and_reports_that_the_extracts_imply(
    stack: Stack,
) -> None:
    for number, day in enumerate(DAYS, start=1):
        # The first day comes from the logical date, the second from the parameter.
        if number == 1:
            state = stack.run("first", logical_date=f"{day}T12:00:00Z")
        else:
            state = stack.run("second", logical_date=None, refresh_date=str(day))
        assert state == "success", stack.states("first" if number == 1 else "second")
        expected = load_days(stack.raw, DAYS[:number])
        assert_tables_equal(stack.redshift, expected)
        assert_reports_equal(stack.s3, BUCKET, expected, day)
        assert latest_days(stack.s3) == {day}


def test_r14_running_a_past_day_again_changes_no_table_and_moves_no_pointer(stack: Stack) -> None:
    assert stack.run("again", logical_date=None, refresh_date=str(DAYS[0])) == "success"
    assert_tables_equal(stack.redshift, load_days(stack.raw, DAYS))
    assert latest_days(stack.s3) == {DAYS[-1]}


def test_r8_r10_the_audit_tells_statement_user_rows_and_time(stack: Stack) -> None:
    audit = stack.api.xcom(DAG_ID, "second", "load_store_sales")
    assert {entry["status"] for entry in audit} == {"FINISHED"}
    inserted = next(entry for entry in audit if entry["sql"].startswith("insert into tpcds.store_sales ("))
    assert inserted["rows"] == 166
    assert {entry["database_user"] for entry in audit} == {"awsuser"}
    assert "166 rows" in stack.log("second", "load_store_sales")
    assert sum(entry["seconds"] for entry in audit) > 0
    assert all(task["duration"] for task in stack.api.task_instances(DAG_ID, "second"))


def test_r8_every_statement_of_a_run_is_a_row_of_the_audit_table(stack: Stack) -> None:
    columns = "task_id, attempt, statement_number, status, row_count, database_user, file, statement"
    rows = query(stack.redshift, f"select {columns} from etl_audit.statement_runs where run_id = 'second'")
    others = {"wait_for_extract", "resume_cluster", "publish_reports"}
    others |= {"record_statements", "require_reports", "pause_cluster"}
    scripts = {task_id for task_id in stack.states("second") if task_id not in others}
    assert {row["task_id"] for row in rows} == scripts
    assert {(row["attempt"], row["status"], row["database_user"]) for row in rows} == {
        (1, "FINISHED", "awsuser")
    }
    (inserted,) = [r for r in rows if r["statement"].startswith("insert into tpcds.store_sales (")]
    assert (inserted["task_id"], inserted["row_count"]) == ("load_store_sales", 166)
    assert inserted["file"] == "store_sales/load_store_sales.sql"


def test_a_success_is_told_and_the_assets_say_how_much(stack: Stack) -> None:
    (alert,) = stack.alerts("first")
    assert (alert["event"], alert["subject"]) == ("run_succeeded", f"DONE: {DAG_ID} {DAYS[0]}")
    events = stack.api._get("/api/v2/assets/events", limit=100)["asset_events"]
    told = {(e["name"], e["source_run_id"]): e["extra"] for e in events}
    assert told["tpcds.store_sales", "second"]["rows"] == 166
    assert told["tpcds.store_sales", "second"]["refresh_date"] == str(DAYS[1])
    for report in ("daily_city_sales", "store_reconciliation", "weekly_store_performance"):
        assert told[report, "second"]["rows"] > 0, report


def test_a_refresh_date_that_does_not_exist_is_refused_before_anything_runs(stack: Stack) -> None:
    with pytest.raises(AirflowError, match="refresh_date"):
        stack.run("bad-date", logical_date=None, refresh_date="2003-02-30")


def test_a_file_with_the_wrong_column_type_fails_and_leaves_the_tables_as_they_were(stack: Stack) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    key = f"raw/store_sales/sale_date={DAYS[1]}/part-00000.parquet"
    good = stack.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    table = pq.ParquetFile(pa.BufferReader(good)).read()
    position = table.column_names.index("ss_quantity")
    wrong = table.set_column(position, "ss_quantity", pa.array(["many"] * len(table)))
    sink = pa.BufferOutputStream()
    pq.write_table(wrong, sink)
    stack.s3.put_object(Bucket=BUCKET, Key=key, Body=sink.getvalue().to_pybytes())
    try:
        # Retries would repeat the same answer: fail the run once the first try has failed.
        assert stack.run("wrong-type", logical_date=None, refresh_date=str(DAYS[1])) == "failed"
    finally:
        stack.s3.put_object(Bucket=BUCKET, Key=key, Body=good)
    log = stack.log("wrong-type", "stage_store_sales")
    assert key in log
    assert "ss_quantity" in log
    assert "stage_store_sales.sql" in log
    assert stack.states("wrong-type")["load_store_sales"] == "upstream_failed"
    assert_tables_equal(stack.redshift, load_days(stack.raw, DAYS))
    # One message, though a run failed too; and the audit holds what failed.
    (alert,) = stack.alerts("wrong-type")
    assert alert["subject"] == f"FAILED: {DAG_ID}.stage_store_sales {DAYS[1]}"
    assert "ss_quantity" in alert["text"]
    assert "Try: 1\n" in alert["text"]  # a wrong file is not tried again
    assert f"/dags/{DAG_ID}/runs/wrong-type" in alert["text"]
    assert "docs/runbook.md" in alert["text"]
    failed = "select * from etl_audit.statement_runs where run_id = 'wrong-type' and status = 'FAILED'"
    (row,) = query(stack.redshift, failed)
    assert row["task_id"] == "stage_store_sales"
    assert "ss_quantity" in row["error"]


def test_days_that_run_at_once_load_what_they_loaded_one_after_the_other(stack: Stack) -> None:
    figures = (
        "select ss_sold_date_sk, count(*) as lines, sum(ss_quantity) as quantity, sum(ss_net_paid) as sales,"
        " (select count(*) from tpcds.item) as versions, (select count(*) from tpcds.customer) as customers,"
        " (select count(*) from tpcds.customer_address) as addresses"
        " from tpcds.store_sales group by ss_sold_date_sk order by ss_sold_date_sk"
    )
    before = query(stack.redshift, figures)
    assert len(before) == len(DAYS)
    runs = {f"at-once-{day}": day for day in DAYS}
    for run_id, day in runs.items():
        stack.api.trigger(DAG_ID, run_id, None, {"refresh_date": str(day)})
    assert {stack.end_of(run_id) for run_id in runs} == {"success"}
    begun, done = (
        [chosen(i[key] for i in stack.api.task_instances(DAG_ID, run_id)) for run_id in runs]
        for chosen, key in ((min, "start_date"), (max, "end_date"))
    )
    assert max(begun) < min(done), "the runs did not overlap"
    assert query(stack.redshift, figures) == before
