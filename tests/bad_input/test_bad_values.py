"""Values that cannot be meant: refused by name, or taken as the text that they are; never as SQL."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from bad_values import (
    BAD_JOB_SCRIPTS,
    BAD_MANIFESTS,
    BAD_PARAMS,
    BAD_POINTERS,
    BAD_REVIEW_MANIFESTS,
    BAD_SCRIPTS,
    BAD_SETTINGS,
    HOSTILE_TEXTS,
    BadParam,
    BadScript,
)

from glue.redshift_sql.script import Script as JobScript
from glue.redshift_sql.text import ScriptError
from in_process import BUCKET, InProcess
from store_sales_days import DAY

Unchanged = Callable[..., AbstractContextManager[None]]


@pytest.mark.parametrize("bad", BAD_PARAMS, ids=lambda bad: f"{bad.param} {bad.value!r}"[:60])
def test_a_bad_parameter_is_refused_by_name_before_a_task_runs(dags: Any, bad: BadParam) -> None:
    from airflow.sdk.definitions.param import process_params
    from airflow.sdk.exceptions import ParamValidationError

    dag = dags[bad.dag_id]
    with pytest.raises(ParamValidationError, match=bad.param):
        process_params(dag, dag.tasks[0], {bad.param: bad.value}, suppress_exception=False)


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_a_hostile_text_is_bound_and_names_nothing(world: InProcess, unchanged: Unchanged, text: str) -> None:
    with unchanged():
        world.run("unload_daily_city_sales", city=text, state="OH")
        world.run("unload_weekly_store_performance", region=text)
    report = f"s3://{BUCKET}/reports/daily_city_sales/refresh_date={DAY}/parquet/"
    paths = world.store.fetch(world.store.find(report), ".parquet")
    written = world.query(f"select distinct city, stores from read_parquet('{paths[0]}')")
    assert written == [(text, 0)]


def test_a_conf_key_that_no_parameter_has_reaches_no_template(dags: Any) -> None:
    from airflow.sdk.definitions.param import process_params

    dag = dags["store_sales_etl"]
    hostile = {"data_bucket": "their-bucket", "iam_role_arn": "x'; --", "city'; drop table x; --": "y"}
    params = process_params(dag, dag.tasks[0], hostile, suppress_exception=False)
    task = dag.get_task("load_item").prepare_for_execution()
    task.render_template_fields(
        {"params": params | {"refresh_date": "2003-01-02"}, "dag_run": None, "task": task}
    )
    assert "their-bucket" not in task.sql
    assert "x';" not in task.sql
    assert f"from 's3://{BUCKET}/raw/item/extract_date=2003-01-02/'" in task.sql


@pytest.mark.parametrize(("key", "value"), BAD_SETTINGS)
def test_a_bad_setting_is_refused_by_its_key(monkeypatch: pytest.MonkeyPatch, key: str, value: str) -> None:
    from airflow.sdk.exceptions import AirflowConfigException

    from redshift_etl.settings import load_settings, variable

    assert variable("database") in os.environ
    if key == "secret_arn":
        monkeypatch.delenv(variable("db_user"), raising=False)
    monkeypatch.setenv(variable(key), value)
    with pytest.raises(AirflowConfigException) as raised:
        load_settings()
    assert str(raised.value).startswith(f"[redshift_etl] {key} is {value!r}: set {variable(key)} to ")


@pytest.mark.parametrize("bad", BAD_SCRIPTS, ids=lambda bad: bad.kind)
def test_a_script_that_the_data_api_cannot_take_is_never_sent(bad: BadScript) -> None:
    from redshift_etl.script import InvalidScriptError, Script, statements

    with pytest.raises(InvalidScriptError, match=bad.error):
        Script("bad.sql", statements(bad.sql), bad.parameters)


@pytest.mark.parametrize("bad", BAD_JOB_SCRIPTS, ids=lambda bad: bad.kind)
def test_a_script_that_the_job_cannot_run_is_never_begun(bad: BadScript) -> None:
    with pytest.raises(ScriptError, match=bad.error):
        JobScript.read("bad.sql", bad.sql, bad.parameters)


@pytest.fixture
def s3(bucket: Any) -> Any:
    """The bucket with the files of a report."""
    folder = f"reports/city/refresh_date={DAY}"
    for kind in ("csv", "parquet"):
        bucket.put_object(Bucket=BUCKET, Key=f"{folder}/{kind}/000", Body=b"city")
        manifest = (
            f'{{"entries": [{{"url": "s3://{BUCKET}/{folder}/{kind}/000", "meta": {{"content_length": 4}}}}],'
            ' "meta": {"record_count": 1}}'
        )
        bucket.put_object(Bucket=BUCKET, Key=f"{folder}/{kind}/manifest", Body=manifest.encode())
    return bucket


def _publish() -> None:
    from redshift_etl.operators.publish_reports import PublishReportsOperator

    operator = PublishReportsOperator(
        task_id="publish", bucket=BUCKET, reports=["city"], refresh_date=str(DAY), aws_conn_id=None
    )
    operator.execute({})


@pytest.mark.parametrize(("kind", "body", "error"), BAD_MANIFESTS, ids=[kind for kind, *_ in BAD_MANIFESTS])
def test_a_bad_manifest_is_refused_by_name_and_no_pointer_moves(
    s3: Any, kind: str, body: bytes, error: str
) -> None:
    from redshift_etl.operators.publish_reports import ReportIncompleteError

    _publish()
    before = s3.get_object(Bucket=BUCKET, Key="reports/city/latest.json")["ETag"]
    key = f"reports/city/refresh_date={DAY}/csv/manifest"
    s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    with pytest.raises(ReportIncompleteError) as raised:
        _publish()
    assert re.search(error.replace("{manifest}", re.escape(f"s3://{BUCKET}/{key}")), str(raised.value)), kind
    assert s3.get_object(Bucket=BUCKET, Key="reports/city/latest.json")["ETag"] == before


@pytest.mark.parametrize(("kind", "body"), BAD_POINTERS)
def test_a_damaged_pointer_is_named_and_left_alone(s3: Any, kind: str, body: bytes) -> None:
    from redshift_etl.operators.publish_reports import ReportIncompleteError

    s3.put_object(Bucket=BUCKET, Key="reports/city/latest.json", Body=body)
    with pytest.raises(
        ReportIncompleteError, match=f"s3://{BUCKET}/reports/city/latest.json is not a pointer"
    ):
        _publish()
    assert s3.get_object(Bucket=BUCKET, Key="reports/city/latest.json")["Body"].read() == body, kind


@pytest.mark.parametrize("body", BAD_REVIEW_MANIFESTS)
def test_a_bad_manifest_of_the_reviews_is_refused_by_name(s3: Any, body: bytes) -> None:
    from redshift_etl.operators.quicksight_publish import QuickSightPublishOperator, ReportError

    s3.put_object(Bucket=BUCKET, Key="reports/top_reviews/data/manifest", Body=body)
    operator = QuickSightPublishOperator(
        task_id="publish",
        unload_manifest=f"s3://{BUCKET}/reports/top_reviews/data/manifest",
        manifest=f"s3://{BUCKET}/reports/top_reviews/quicksight.json",
        aws_conn_id=None,
    )
    with pytest.raises(ReportError, match="top_reviews/data/manifest is not the manifest of an UNLOAD"):
        operator._write_manifest()
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="reports/top_reviews/quicksight")["KeyCount"] == 0
