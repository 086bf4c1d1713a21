from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from airflow.sdk.bases.operator import TriggerFailureReason
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout, TaskDeferred
from moto import mock_aws

from redshift_etl.extracts import Columns
from redshift_etl.sensors.extract import BadExtractError, ExtractSensor

BUCKET = "redshift-etl-data"
ITEM = "raw/item/extract_date=2003-01-02/part-00000.parquet"
STORE = "raw/store/extract_date=2003-01-02/part-00000.parquet"
TIMED_OUT = {"error": TriggerFailureReason.TRIGGER_TIMEOUT}


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client


def sensor(**arguments: Any) -> ExtractSensor:
    values = {"bucket_name": BUCKET, "bucket_key": [ITEM, STORE], "timeout": 3600}
    return ExtractSensor(task_id="wait_for_extract", **(values | arguments))


@pytest.mark.usefixtures("s3")
def test_it_waits_in_the_triggerer(make_context: Callable[..., Any]) -> None:
    task = sensor()
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(make_context(task))
    assert deferred.value.timeout is not None
    assert deferred.value.timeout.total_seconds() == 3600


def test_an_extract_that_is_there_is_not_waited_for(s3: Any, make_context: Callable[..., Any]) -> None:
    for key in (ITEM, STORE):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"PAR1")
    task = sensor()
    assert task.execute(make_context(task)) is None


def test_a_time_out_names_the_keys_that_are_missing(s3: Any, make_context: Callable[..., Any]) -> None:
    s3.put_object(Bucket=BUCKET, Key=ITEM, Body=b"PAR1")
    task = sensor()
    with pytest.raises(AirflowSensorTimeout) as error:
        task.resume_execution("__fail__", TIMED_OUT, make_context(task))
    assert str(error.value) == (
        f"No extract after 3600 s: still waiting for s3://{BUCKET}/{STORE}. "
        "Ask the source system for it, then clear this task."
    )


@pytest.mark.usefixtures("s3")
def test_full_addresses_and_patterns_are_named_as_given(make_context: Callable[..., Any]) -> None:
    address = f"s3://{BUCKET}/raw/store_sales/sale_date=2003-01-02/*.parquet"
    task = sensor(bucket_name=None, bucket_key=address)
    with pytest.raises(AirflowSensorTimeout) as error:
        task.resume_execution("__fail__", TIMED_OUT, make_context(task))
    assert f"still waiting for {address}. " in str(error.value)


@pytest.mark.usefixtures("s3")
def test_a_worker_that_waits_itself_names_them_too(make_context: Callable[..., Any]) -> None:
    task = sensor(deferrable=False, timeout=0, poke_interval=0)
    with pytest.raises(
        AirflowSensorTimeout, match=f"waiting for s3://{BUCKET}/{ITEM}, s3://{BUCKET}/{STORE}"
    ):
        task.execute(make_context(task))


LOOKS: dict[str, Callable[[ExtractSensor, Any], object]] = {
    "at the first look": lambda task, context: task.execute(context),
    "after a wait": lambda task, context: task.resume_execution(
        "execute_complete", {"event": {"status": "success"}}, context
    ),
    "at the last moment": lambda task, context: task.resume_execution("__fail__", TIMED_OUT, context),
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_a_file_of_0_bytes_is_refused_for_good(
    s3: Any, make_context: Callable[..., Any], look: Callable[[ExtractSensor, Any], object]
) -> None:
    s3.put_object(Bucket=BUCKET, Key=ITEM, Body=b"")
    s3.put_object(Bucket=BUCKET, Key=STORE, Body=b"PAR1")
    task = sensor()
    context = make_context(task)
    with pytest.raises(BadExtractError) as error:
        look(task, context)
    assert str(error.value) == (
        f"The extract is not what was agreed: s3://{BUCKET}/{ITEM} has 0 bytes. "
        "Ask the source system for it, then clear this task."
    )
    assert isinstance(error.value, AirflowFailException), "a retry would see the same file"


def test_every_file_of_a_pattern_is_looked_at_and_no_marker_beside_them(
    s3: Any, make_context: Callable[..., Any]
) -> None:
    folder = "raw/item/extract_date=2003-01-02"
    s3.put_object(Bucket=BUCKET, Key=f"{folder}/_SUCCESS", Body=b"")
    s3.put_object(Bucket=BUCKET, Key=f"{folder}/a.parquet", Body=b"PAR1")
    task = sensor(bucket_key=f"{folder}/*.parquet")
    assert task.execute(make_context(task)) is None
    s3.put_object(Bucket=BUCKET, Key=f"{folder}/b.parquet", Body=b"")
    with pytest.raises(BadExtractError, match=f"agreed: s3://{BUCKET}/{folder}/b.parquet has 0 bytes. "):
        task.execute(make_context(task))


def parquet(*names: str) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({name: ["x"] for name in names}), out)
    return out.getvalue()


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_files_of_other_columns_are_refused_in_one_sentence_that_names_them(
    s3: Any, make_context: Callable[..., Any], look: Callable[[ExtractSensor, Any], object]
) -> None:
    s3.put_object(Bucket=BUCKET, Key=ITEM, Body=parquet("id", "price"))
    s3.put_object(Bucket=BUCKET, Key=STORE, Body=parquet("name", "id"))
    agreed = {"raw/item/*": Columns(("id", "name")), "raw/store/*": Columns(("id", "name"))}
    task = sensor(columns=agreed)
    with pytest.raises(BadExtractError) as error:
        look(task, make_context(task))
    assert str(error.value) == (
        f"The extract is not what was agreed: s3://{BUCKET}/{ITEM} lacks name and has in excess price; "
        f"s3://{BUCKET}/{STORE} has its columns in another order than id, name. "
        "Ask the source system for it, then clear this task."
    )
    for key in (ITEM, STORE):
        s3.put_object(Bucket=BUCKET, Key=key, Body=parquet("id", "name"))
    assert look(task, make_context(task)) is None


def test_only_the_end_of_a_file_is_read(s3: Any, make_context: Callable[..., Any]) -> None:
    body = bytearray(parquet("id"))
    length = int.from_bytes(body[-8:-4], "little")
    body[4:4] = bytes(5_000_000)
    s3.put_object(Bucket=BUCKET, Key=ITEM, Body=bytes(body))
    task = sensor(bucket_key=ITEM, columns={"raw/item/*": Columns(("id",))})
    asked: list[str] = []
    task.hook.conn.meta.events.register(
        "before-parameter-build.s3.GetObject", lambda params, **_: asked.append(params["Range"])
    )
    assert task.execute(make_context(task)) is None
    end = len(body) - 8
    assert asked == [f"bytes={end}-{end + 7}", f"bytes={end - length}-{end - 1}"]


def test_of_many_bad_files_the_first_are_named(s3: Any, make_context: Callable[..., Any]) -> None:
    folder = "raw/item/extract_date=2003-01-02"
    for number in range(25):
        s3.put_object(Bucket=BUCKET, Key=f"{folder}/{number:02}.parquet", Body=b"<html>")
    task = sensor(bucket_key=f"{folder}/*.parquet", columns={"raw/item/*": Columns(("id",))})
    with pytest.raises(BadExtractError) as error:
        task.execute(make_context(task))
    assert str(error.value).count("is no Parquet file (it has 6 bytes)") == 10
    assert "09.parquet is no Parquet file (it has 6 bytes); 15 more. Ask" in str(error.value)


def test_an_extract_at_the_last_moment_is_accepted(s3: Any, make_context: Callable[..., Any]) -> None:
    for key in (ITEM, STORE):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"PAR1")
    task = sensor()
    assert task.resume_execution("__fail__", TIMED_OUT, make_context(task)) is None
