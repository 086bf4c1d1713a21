"""reviews_etl twice on a real Airflow: Glue job, wire, Spectrum, UNLOAD, QuickSight's manifest."""

import csv
import io
import json
import sqlite3
from collections import Counter
from typing import Any

import boto3
import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from e2e_stack import BUCKET, Stack
from expected_reviews import COLUMNS, REPORT, load_reviews, top_reviews
from glue.redshift_sql.login import Login
from laptop import reviews_job
from laptop.airflow import AirflowError

pytestmark = pytest.mark.e2e

TOP_N = 3


@pytest.fixture(scope="module")
def stack(everything: Stack) -> Stack:
    return everything.of("reviews_etl")


@pytest.fixture(scope="module")
def runs(stack: Stack) -> list[str]:
    """Two runs of the pipeline: the second has everything of the first before it."""
    run_ids = ["first", "second"]
    for run_id in run_ids:
        assert stack.run(run_id, logical_date=None, top_n=TOP_N) == "success", stack.states(run_id)
    return run_ids


def query(sql: str) -> list[tuple[Any, ...]]:
    with Login.read(reviews_job.SECRET).connect("dev", "tests") as connection:
        cursor = connection.cursor()
        cursor.execute(sql)
        return [tuple(row) for row in cursor.fetchall()]


@pytest.mark.usefixtures("runs")
def test_the_table_holds_every_review_of_the_years_once(stack: Stack) -> None:
    expected = load_reviews(stack.raw / "reviews", 2015)
    assert len(expected) > 3_000
    rows = query(f"select {', '.join(COLUMNS)} from public.reviews")
    assert Counter(rows) == Counter(tuple(row.values()) for row in expected)


@pytest.mark.usefixtures("runs")
def test_the_report_is_what_the_files_imply_and_quicksight_is_told_of_all_of_it(stack: Stack) -> None:
    body = stack.s3.get_object(Bucket=BUCKET, Key="reports/top_reviews/quicksight.json")["Body"].read()
    urls = json.loads(body)["fileLocations"][0]["URIs"]
    rows: list[dict[str, str]] = []
    for url in urls:
        key = url.removeprefix(f"s3://{BUCKET}/")
        text = stack.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
        rows.extend(csv.DictReader(io.StringIO(text, newline="")))
    expected = top_reviews(load_reviews(stack.raw / "reviews", 2015), TOP_N)
    assert rows == [
        {column: "" if row[column] is None else str(row[column]) for column in REPORT} for row in expected
    ]
    written = stack.s3.list_objects_v2(Bucket=BUCKET, Prefix="reports/top_reviews/data/")["Contents"]
    keys = {found["Key"] for found in written} - {"reports/top_reviews/data/manifest"}
    assert {f"s3://{BUCKET}/{key}" for key in keys} == set(urls)


def test_the_partitions_are_those_of_the_lake_and_registered_once(stack: Stack, runs: list[str]) -> None:
    added = [stack.api.xcom(stack.dag_id, run_id, "register_partitions") for run_id in runs]
    assert len(added[0]) == 43
    assert "Health_&_Personal_Care" in added[0]
    assert added[1] == []


def test_every_task_ran_one_job_and_its_log_names_the_jobs_log(stack: Stack, runs: list[str]) -> None:
    job_runs = boto3.client("glue").get_job_runs(JobName=reviews_job.JOB_NAME)["JobRuns"]
    assert [run["JobRunState"] for run in job_runs] == ["SUCCEEDED"] * 3 * len(runs)
    log = stack.log("first", "load_reviews")
    assert "group /aws-glue/python-jobs/output, stream jr_" in log
    assert "QuickSight is not configured" in stack.log("first", "publish")


@pytest.mark.usefixtures("runs")
def test_a_bad_param_is_refused_before_anything_runs(stack: Stack) -> None:
    with pytest.raises(AirflowError, match="top_n"):
        stack.run("bad", logical_date=None, top_n=0)


@pytest.mark.usefixtures("runs")
def test_the_assets_tell_their_consumers_how_many_rows_there_are(stack: Stack) -> None:
    body = stack.s3.get_object(Bucket=BUCKET, Key="reports/top_reviews/data/manifest")["Body"].read()
    manifest = json.loads(body)
    events = stack.api._get("/api/v2/assets/events", limit=100)["asset_events"]
    told = {e["name"]: e["extra"] for e in events if e["source_dag_id"] == "reviews_etl"}
    headers = len(manifest["entries"])
    assert told["top_reviews"]["rows"] == manifest["meta"]["record_count"] - headers > 0
    assert "public.reviews" in told


def test_a_success_is_told_once(stack: Stack, runs: list[str]) -> None:
    for run_id in runs:
        (alert,) = stack.alerts(run_id)
        assert (alert["event"], alert["subject"]) == ("run_succeeded", "DONE: reviews_etl")


@pytest.mark.usefixtures("runs")
def test_a_failed_job_sends_one_alert_with_its_statement_and_is_not_tried_again(stack: Stack) -> None:
    found = stack.s3.list_objects_v2(Bucket=BUCKET, Prefix="raw/reviews/product_category=Books/")["Contents"]
    key = found[0]["Key"]
    good = stack.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    table = pq.ParquetFile(pa.BufferReader(good)).read()
    position = table.column_names.index("star_rating")
    sink = pa.BufferOutputStream()
    pq.write_table(table.set_column(position, "star_rating", pa.array(["five"] * len(table))), sink)
    stack.s3.put_object(Bucket=BUCKET, Key=key, Body=sink.getvalue().to_pybytes())
    try:
        assert stack.run("wrong-type", logical_date=None) == "failed"
    finally:
        stack.s3.put_object(Bucket=BUCKET, Key=key, Body=good)
    (alert,) = stack.alerts("wrong-type")
    assert (alert["event"], alert["subject"]) == ("task_failed", "FAILED: reviews_etl.load_reviews")
    assert "sql/reviews/etl.sql, statement 2 of 2, failed: " in alert["text"]
    assert "star_rating" in alert["text"]
    assert "insert into public.reviews" in alert["text"]
    assert "Try: 1\n" in alert["text"]  # the error would be the same
    assert seconds_until_late(stack, "wrong-type") == 3600


def seconds_until_late(stack: Stack, run_id: str) -> int:
    with sqlite3.connect(stack.folder / "airflow" / "airflow.db", timeout=30) as database:
        ((seconds,),) = database.execute(
            "select unixepoch(deadline_time) - unixepoch(queued_at)"
            " from deadline join dag_run on dag_run.id = dagrun_id"
            " where dag_id = 'reviews_etl' and run_id = ?",
            [run_id],
        )
    return int(seconds)


def test_a_failed_run_is_cleared_and_succeeds_when_its_data_is_mended(stack: Stack) -> None:
    """Airflow 3.3.1 answers with an error where a run has a deadline of its own kind."""
    answer = stack.api._client.post(
        "/api/v2/dags/reviews_etl/clearTaskInstances",
        json={"dry_run": False, "dag_run_id": "wrong-type", "only_failed": True},
    )
    assert answer.is_success, answer.text
    assert stack.end_of("wrong-type") == "success"


@pytest.mark.usefixtures("runs")
def test_the_password_is_in_no_log_no_table_of_airflows_and_no_statement(stack: Stack) -> None:
    password = Login.read(reviews_job.SECRET).password.encode()
    files = [path for path in stack.folder.rglob("*") if path.is_file() and path.suffix != ".parquet"]
    assert any(path.name == "airflow.db" for path in files)
    assert any("load_reviews" in str(path) for path in files)
    assert [str(path) for path in files if password in path.read_bytes()] == []

    logs = boto3.client("logs")
    said = []
    for kind in ("output", "error"):
        group = f"/aws-glue/python-jobs/{kind}"
        for stream in logs.describe_log_streams(logGroupName=group)["logStreams"]:
            said += logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    printed = "\n".join(event["message"] for event in said)
    assert "sql/reviews/etl.sql, statement 2 of 2" in printed
    assert password.decode() not in printed
    assert password not in httpx.get(f"{stack.endpoint}/_local/statements").content
