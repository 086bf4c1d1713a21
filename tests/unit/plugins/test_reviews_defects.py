"""The fifteen defects of the pipeline that reviews_etl replaces, each with a test that it is not ours.

The replaced one is the published walk-through with Step Functions and a Glue job: external schema, a load of
the years from 2015 on, a report of top reviews, a QuickSight manifest edited by hand.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import logging
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest
from airflow.sdk.exceptions import TaskDeferred
from botocore.stub import Stubber

from datasets import reviews
from expected_reviews import COLUMNS, REPORT, load_reviews, top_reviews
from glue.redshift_sql import job
from glue.redshift_sql.runner import Runner, StatementError
from glue.redshift_sql.script import Script
from laptop import reviews_job
from laptop.environment import PROJECT, airflow_environment
from redshift_etl.operators.glue_script import GlueScriptError, GlueScriptOperator
from redshift_etl.operators.quicksight_publish import QuickSightPublishOperator
from reviews_lakehouse import BUCKET, LOCATION, REPORT_PREFIX, ROLE, Lakehouse, running

KEPT = "select count(*), sum(helpful_votes) from public.reviews"


@pytest.fixture
def _no_waiting() -> None:
    """Here time passes as it does."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lakehouse]:
    with running(tmp_path_factory.mktemp("reviews"), rows=10_000) as found:
        found.load()
        yield found


@pytest.fixture(scope="module")
def dag(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The DAG as its file makes it, with the settings of a laptop."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("airflow")
        settings = airflow_environment(home=home, web_port=1, aws_endpoint="http://127.0.0.1:9")
        for name, value in settings.items():
            if name.startswith("AIRFLOW__REDSHIFT_ETL__"):
                patch.setenv(name, value)
        spec = importlib.util.spec_from_file_location("reviews_etl", PROJECT / "dags" / "reviews_etl.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module.dag


def run(house: Lakehouse, sql: str, **arguments: str) -> None:
    script = Script.read("test.sql", sql, arguments)
    with house.connect() as connection:
        Runner(connection, house.login, script).run(statement_timeout=60)


def scripts(dag: Any) -> list[GlueScriptOperator]:
    return [task for task in dag.tasks if isinstance(task, GlueScriptOperator)]


def sources() -> Iterator[tuple[Path, str]]:
    """Everything that is deployed."""
    for folder, suffix in (("dags", "py"), ("plugins", "py"), ("sql", "sql"), ("include/glue", "py")):
        for path in (PROJECT / folder).rglob(f"*.{suffix}"):
            yield path, path.read_text()


def terraform() -> Iterator[tuple[Path, str]]:
    """What makes the roles, the job and the network."""
    for path in (PROJECT / "include" / "terraform").glob("*.tf"):
        yield path, path.read_text()


def test_defect_01_a_last_statement_without_a_semicolon_was_silently_not_run(house: Lakehouse) -> None:
    run(house, "create table one (n integer); insert into one values (1);\ninsert into one values (2)")
    assert sorted(house.query("select n from one")) == [(1,), (2,)]


def test_defect_02_a_semicolon_in_a_string_or_comment_split_the_statement(house: Lakehouse) -> None:
    run(
        house,
        "create table two (t varchar(40)); -- not here; nor here\n"
        "insert into two values ('a;b'), ('it''s; c') /* nor; here */; insert into two values ($$d;e$$)",
    )
    assert sorted(house.query("select t from two")) == [("a;b",), ("d;e",), ("it's; c",)]


def test_defect_03_a_second_load_doubled_every_row(house: Lakehouse) -> None:
    before = house.query(KEPT)
    house.load()
    assert house.query(KEPT) == before


def test_defect_04_a_second_unload_failed_or_left_stale_files(house: Lakehouse) -> None:
    house.s3.put_object(Bucket=BUCKET, Key=f"{REPORT_PREFIX}0000_part_00", Body=b"stale")
    house.report()
    house.report()
    keys = {
        found["Key"] for found in house.s3.list_objects_v2(Bucket=BUCKET, Prefix=REPORT_PREFIX)["Contents"]
    }
    listed = {entry["url"].removeprefix(f"s3://{BUCKET}/") for entry in house.manifest()["entries"]}
    assert keys == listed | {f"{REPORT_PREFIX}manifest"}


def test_defect_05_the_average_was_a_whole_number_and_of_one_review(house: Lakehouse) -> None:
    report = house.report(10)
    assert any(Decimal(row["average_stars"]) % 1 for row in report)
    expected = {row["review_id"]: row for row in top_reviews(load_reviews(house.folder, 2015), 10)}
    for row in report:
        assert Decimal(row["average_stars"]) == expected[row["review_id"]]["average_stars"]


def test_defect_06_the_report_was_unordered_and_the_dashboard_read_one_file_of_it(house: Lakehouse) -> None:
    votes = [int(row["helpful_votes"]) for row in house.report(10)]
    assert votes == sorted(votes, reverse=True)
    # Without PARALLEL OFF every slice writes a file: all of them must be in QuickSight's manifest.
    where = f"s3://{BUCKET}/reports/parts/"
    run(
        house,
        "unload ('select review_id from public.reviews') to ${where} iam_role ${role}"
        " format as csv header cleanpath manifest",
        where=where,
        role=ROLE,
    )
    publish = QuickSightPublishOperator(
        task_id="publish",
        unload_manifest=f"{where}manifest",
        manifest=f"s3://{BUCKET}/reports/quicksight.json",
    )
    publish.execute({})  # type: ignore[typeddict-item]  # nothing of it is used without a data set
    urls = json.loads(house.object("reports/quicksight.json"))["fileLocations"][0]["URIs"]
    assert len(urls) > 1
    texts = [house.object(url.removeprefix(f"s3://{BUCKET}/")) for url in urls]
    rows = [row for text in texts for row in csv.DictReader(io.StringIO(text, newline=""))]
    assert [(len(rows),)] == house.query("select count(*) from public.reviews")


def test_defect_07_titles_were_cut_or_lost_and_a_bar_in_one_broke_its_line(house: Lakehouse) -> None:
    expected = Counter(row["product_title"] for row in load_reviews(house.folder, 2015))
    assert max(len(title) for title in expected if title) > 300
    assert Counter(title for (title,) in house.query("select product_title from public.reviews")) == expected
    titles = {row["product_title"] for row in house.report(1000)}
    assert any("|" in title for title in titles)
    assert titles - {""} <= set(expected)


def test_defect_08_the_password_was_printed_into_the_log(
    house: Lakehouse, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    password = house.login.password
    with pytest.raises(StatementError) as error:
        run(house, f"select '{password}'; select '{password}' from nowhere")
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("glue."))
    assert "statement 1 of 2" in ours
    assert "nowhere" in str(error.value)
    assert password not in ours + str(error.value) + repr(house.login)
    for path, text in terraform():
        assert not re.search(r'"secretsmanager:\*"|"\*:\*"', text), path.name


def test_defect_09_the_schema_file_could_not_run_twice(house: Lakehouse) -> None:
    before = house.query(KEPT)
    house.create_schema()
    house.create_schema()
    assert house.query(KEPT) == before


def test_defect_10_a_run_beside_another_failed_for_the_jobs_maximum(make_context: Any) -> None:
    operator = GlueScriptOperator(task_id="load", job_name="reviews-etl", file="sql/reviews/etl.sql")
    client = boto3.client("glue", "us-east-1", aws_access_key_id="any", aws_secret_access_key="any")
    operator.hook.__dict__["conn"] = client
    with Stubber(client) as glue:
        # What an earlier request left running, and what an earlier try of this one started.
        glue.add_response("get_job_runs", {"JobRuns": []})
        glue.add_response("get_job_runs", {"JobRuns": []})
        glue.add_client_error("start_job_run", "ConcurrentRunsExceededException")
        with pytest.raises(TaskDeferred) as caught:
            operator.execute(make_context(operator))
    assert caught.value.method_name == "execute_again"
    allowed = [
        int(n) for _, text in terraform() for n in re.findall(r"max_concurrent_runs\s*=\s*(\d+)", text)
    ]
    assert allowed
    assert min(allowed) > 1


def test_defect_11_the_public_data_set_was_gone(house: Lakehouse, dag: Any) -> None:
    """There is a data set of the same shape, and a copy of the real one is used by naming its location."""
    partitions = house.glue.get_partitions(DatabaseName="amzreviews", TableName="reviews")["Partitions"]
    assert {one["Values"][0] for one in partitions} == set(reviews.CATEGORIES)
    assert len(reviews.CATEGORIES) == 43
    assert dag.get_task("create_schema").parameters["reviews_location"] == LOCATION
    assert dag.get_task("register_partitions").location == LOCATION
    text = (PROJECT / "sql/reviews/schema.sql").read_text()
    copied = Script.read(
        "schema.sql", text, {"iam_role_arn": ROLE, "reviews_location": "s3://my-copy/parquet/"}
    )
    assert any("location 's3://my-copy/parquet/'" in one.query.sql for one in copied.statements)


def test_defect_12_nothing_was_tried_again_or_ended_and_a_failure_ended_green(
    dag: Any, make_context: Any
) -> None:
    assert dag.dagrun_timeout is not None
    for task in dag.tasks:
        assert task.retries == 2
        assert task.execution_timeout is not None
    for state in ("FAILED", "STOPPED", "TIMEOUT", "ERROR", "EXPIRED"):
        operator = GlueScriptOperator(task_id="load", job_name="reviews-etl", file="sql/reviews/etl.sql")
        client = boto3.client("glue", "us-east-1", aws_access_key_id="any", aws_secret_access_key="any")
        operator.hook.__dict__["conn"] = client
        with Stubber(client) as glue:
            found = {"Id": "jr_1", "JobRunState": state, "LogGroupName": "/aws-glue/python-jobs"}
            glue.add_response("get_job_run", {"JobRun": found})
            with pytest.raises(GlueScriptError, match=f"is {state}"):
                operator.execute_complete(make_context(operator), event={"work_id": "jr_1"})


def test_defect_13_regions_and_zones_were_mixed_up() -> None:
    """No deployed file names either: the environment says where it runs."""
    zone = re.compile(r"\b(us|eu|ap|sa|ca|me|af|il)-(gov-)?(north|south|east|west|central)\w*-\d[a-f]?\b")
    examples = "us-east-1"  # in sentences that say what an ARN or a URL looks like
    named = {
        (path.name, found[0])
        for path, text in sources()
        for found in zone.finditer(text)
        if found[0] != examples
    }
    assert named == set()
    network = "\n".join(text for _, text in terraform())
    assert 'data "aws_availability_zones"' in network
    assert re.search(r'"aws_vpc_endpoint" "s3" \{\n(.+\n){1,4}?.*vpc_endpoint_type += "Gateway"', network)


def test_defect_14_schema_partitions_manifest_and_column_names_were_work_by_hand(
    house: Lakehouse, dag: Any
) -> None:
    assert [task.task_id for task in dag.topological_sort()] == [
        "create_schema",
        "register_partitions",
        "load_reviews",
        "top_reviews",
        "publish",
    ]
    house.report()
    (first, *_) = [entry["url"] for entry in house.manifest()["entries"]]
    header = house.object(first.removeprefix(f"s3://{BUCKET}/")).splitlines()[0]
    assert header == ",".join(REPORT)
    assert len(COLUMNS) == 14


def test_defect_15_arguments_files_and_accounts_were_misspelt_or_fixed(house: Lakehouse, dag: Any) -> None:
    reviews_job.deploy()
    found = boto3.client("glue").get_job(JobName=dag.default_args["job_name"])["Job"]
    default = [text for item in found["DefaultArguments"].items() for text in item]
    for task in scripts(dag):
        house.s3.head_object(Bucket=reviews_job.SCRIPT_BUCKET, Key=task.file)
        options = job._options([*default, "--file", task.file, "--params", json.dumps(task.parameters)])
        assert (options.bucket, options.db_creds) == (reviews_job.SCRIPT_BUCKET, reviews_job.SECRET)
        Script.read(task.file, (PROJECT / task.file).read_text(), job._arguments(options.params, []))
    assert [path.name for path, text in sources() if re.search(r"(?<!\d)\d{12}(?!\d)", text)] == []
