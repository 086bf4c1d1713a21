"""What QuickSight is handed, and the refresh of its data set, on an account that answers."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Self

import boto3
import pytest
from airflow.sdk._shared.module_loading import import_string
from airflow.sdk.exceptions import TaskDeferralTimeout, TaskDeferred
from botocore.exceptions import ClientError, ReadTimeoutError
from plugins_context import TaskStateStore

from local_aws.supplements.quicksight import QuickSightBackend, quicksight_backends
from redshift_etl.operators.quicksight_publish import (
    IngestionError,
    QuickSightPublishOperator,
    ReportError,
)

Context = Callable[..., Any]
ACCOUNT = "123456789012"
BUCKET = "redshift-etl-data"
DATA_SET = "top-reviews"
FIRST_FILE = f"s3://{BUCKET}/reports/top_reviews/data/000"
MANIFEST = f"s3://{BUCKET}/reports/top_reviews/quicksight.json"


@pytest.fixture(autouse=True)
def s3(aws: Callable[[str], Any]) -> Any:
    client = aws("s3")
    client.create_bucket(Bucket=BUCKET)
    unloaded(client, FIRST_FILE)
    return client


def unloaded(s3: Any, *urls: str) -> None:
    body = json.dumps({"entries": [{"url": url, "meta": {"content_length": 1}} for url in urls]})
    s3.put_object(Bucket=BUCKET, Key="reports/top_reviews/data/manifest", Body=body.encode())


@pytest.fixture
def quicksight() -> Any:
    """QuickSight with the data set of the report."""
    client = boto3.client("quicksight")
    client.create_data_set(
        AwsAccountId=ACCOUNT, DataSetId=DATA_SET, Name="top reviews", PhysicalTableMap={}, ImportMode="SPICE"
    )
    return client


def ingestions() -> dict[str, dict[str, Any]]:
    """Every ingestion of the data set, by its id."""
    found = quicksight_backends[ACCOUNT]["us-east-1"].ingestions
    return {ingestion: body for (_, ingestion), body in found.items()}


@pytest.fixture
def lasting(quicksight: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - makes the data set
    """Ingestions go on until somebody ends them, and nobody waits for them on the worker."""
    ingest = QuickSightBackend.ingest

    def started(self: QuickSightBackend, data_set: str, ingestion: str) -> dict[str, Any]:
        answer = ingest(self, data_set, ingestion)
        self.ingestions[data_set, ingestion]["IngestionStatus"] = "RUNNING"
        return answer

    monkeypatch.setattr(QuickSightBackend, "ingest", started)
    monkeypatch.setattr(QuickSightPublishOperator, "quick_seconds", 0.0)


def publisher(data_set_id: str | None = None, **arguments: Any) -> QuickSightPublishOperator:
    return QuickSightPublishOperator(
        task_id="publish",
        unload_manifest=f"s3://{BUCKET}/reports/top_reviews/data/manifest",
        manifest=MANIFEST,
        data_set_id=data_set_id,
        **arguments,
    )


def publish(make_context: Context, data_set_id: str | None = None) -> Any:
    operator = publisher(data_set_id)
    return operator.execute(make_context(operator))


@pytest.fixture
def deferred(lasting: None, make_context: Context) -> tuple[QuickSightPublishOperator, Any]:  # noqa: ARG001 - changes QuickSight
    """An operator that waits in the triggerer for an ingestion that goes on."""
    operator = publisher(DATA_SET, retries=2, execution_timeout=timedelta(minutes=5), poll_interval=0)
    with pytest.raises(TaskDeferred) as caught:
        operator.execute(make_context(operator))
    assert caught.value.timeout == timedelta(minutes=5)
    return operator, caught.value.trigger


def end(status: str, **more: Any) -> None:
    """Bring the ingestion that goes on to its end."""
    (ingestion,) = (body for body in ingestions().values() if body["IngestionStatus"] == "RUNNING")
    ingestion.update({"IngestionStatus": status} | more)


def fire(trigger: Any) -> dict[str, Any]:
    """Run the trigger as the triggerer does, from what the database keeps of it; give its event's payload."""
    path, arguments = trigger.serialize()
    again = import_string(path)(**arguments)

    async def event() -> Any:
        return await anext(again.run())

    return asyncio.run(event()).payload


def test_the_manifest_names_every_file_that_the_unload_wrote(s3: Any, make_context: Context) -> None:
    urls = [f"s3://{BUCKET}/reports/top_reviews/data/00{number}" for number in range(3)]
    unloaded(s3, *urls)
    assert publish(make_context) == {"manifest": MANIFEST, "ingestion_id": None}
    body = s3.get_object(Bucket=BUCKET, Key="reports/top_reviews/quicksight.json")["Body"].read()
    assert json.loads(body) == {
        "fileLocations": [{"URIs": urls}],
        "globalUploadSettings": {
            "format": "CSV",
            "delimiter": ",",
            "textqualifier": '"',
            "containsHeader": "true",
        },
    }


def test_without_a_data_set_it_says_what_to_set(
    make_context: Context, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(make_context)
    said = caplog.text + capsys.readouterr().out
    assert "QuickSight is not configured: set quicksight_data_set_id in [redshift_etl]" in said
    assert ingestions() == {}


def test_the_data_set_is_refreshed_under_an_id_that_quicksight_takes(
    quicksight: Any, make_context: Context
) -> None:
    ingestion_id = publish(make_context, DATA_SET)["ingestion_id"]
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", ingestion_id)
    found = quicksight.describe_ingestion(AwsAccountId=ACCOUNT, DataSetId=DATA_SET, IngestionId=ingestion_id)
    assert found["Ingestion"]["IngestionStatus"] == "COMPLETED"


def test_the_ingestion_is_waited_for_in_the_triggerer_and_its_end_read_on_the_worker(
    make_context: Context, deferred: tuple[QuickSightPublishOperator, Any]
) -> None:
    operator, trigger = deferred
    end("COMPLETED")
    event = fire(trigger)
    (ingestion_id,) = ingestions()
    assert event == {"work_id": ingestion_id}
    resumed = publisher(DATA_SET)
    assert resumed.execute_complete(make_context(operator), event) == {
        "manifest": MANIFEST,
        "ingestion_id": ingestion_id,
    }


def test_the_trigger_looks_again_until_the_ingestion_has_ended(
    deferred: tuple[QuickSightPublishOperator, Any],
) -> None:
    _, trigger = deferred
    looks = 0

    class Client:
        async def describe_ingestion(self, **_: str) -> dict[str, Any]:
            nonlocal looks
            looks += 1
            return {"Ingestion": {"IngestionStatus": "RUNNING" if looks < 3 else "FAILED"}}

        async def __aenter__(self) -> Self:
            return self

        async def __aexit__(self, *_: object) -> None:
            """Nothing to close."""

    async def connect() -> Client:
        return Client()

    trigger.hook.get_async_conn = connect

    async def event() -> Any:
        return await anext(trigger.run())

    asyncio.run(event())
    assert looks == 3


@pytest.mark.parametrize(
    ("status", "more", "expected"),
    [
        (
            "FAILED",
            {"ErrorInfo": {"Type": "S3_MANIFEST_ERROR", "Message": "The manifest is malformed"}},
            "is FAILED: S3_MANIFEST_ERROR, The manifest is malformed. The data set still shows",
        ),
        ("CANCELLED", {}, "is CANCELLED: no reason given, somebody may have stopped it. The data set still"),
    ],
)
def test_an_ingestion_that_does_not_end_well_fails_the_task(
    make_context: Context,
    deferred: tuple[QuickSightPublishOperator, Any],
    status: str,
    more: dict[str, Any],
    expected: str,
) -> None:
    operator, trigger = deferred
    end(status, **more)
    with pytest.raises(IngestionError, match=expected):
        operator.execute_complete(make_context(operator), fire(trigger))


def test_a_retry_after_a_failed_ingestion_starts_another(
    make_context: Context, deferred: tuple[QuickSightPublishOperator, Any]
) -> None:
    operator, _ = deferred
    end("FAILED")
    with pytest.raises(TaskDeferred):
        operator.execute(make_context(operator, try_number=2))
    assert [body["IngestionStatus"] for body in ingestions().values()] == ["FAILED", "RUNNING"]


def test_a_retry_takes_the_ingestion_that_goes_on(
    make_context: Context, deferred: tuple[QuickSightPublishOperator, Any]
) -> None:
    operator, _ = deferred
    with pytest.raises(TaskDeferred):
        operator.execute(make_context(operator, try_number=2))
    assert len(ingestions()) == 1


def test_a_try_that_died_before_remembering_its_ingestion_is_followed_by_one_that_takes_it(
    make_context: Context, deferred: tuple[QuickSightPublishOperator, Any], store: TaskStateStore
) -> None:
    operator, _ = deferred
    store[operator.external_id_key]["work_id"] = ""
    with pytest.raises(TaskDeferred):
        operator.execute(make_context(operator, try_number=2))
    assert len(ingestions()) == 1


@pytest.mark.usefixtures("quicksight")
def test_a_start_whose_answer_is_lost_is_an_error_and_its_retry_takes_what_was_started(
    make_context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = publisher(DATA_SET, retries=2)
    start = operator.hook.conn.create_ingestion

    def lost(**request: Any) -> Any:
        start(**request)
        raise ReadTimeoutError(endpoint_url="http://quicksight")

    monkeypatch.setattr(operator.hook.conn, "create_ingestion", lost)
    with pytest.raises(ReadTimeoutError):
        operator.execute(make_context(operator))
    retry = publisher(DATA_SET, retries=2)
    assert [retry.execute(make_context(retry, try_number=2))["ingestion_id"]] == list(ingestions())


@pytest.mark.usefixtures("deferred")
def test_a_clear_cancels_the_ingestion_that_goes_on_before_it_starts_another(make_context: Context) -> None:
    cleared = publisher(DATA_SET, retries=2)
    with pytest.raises(TaskDeferred):
        cleared.execute(make_context(cleared, max_tries=3, try_number=2))
    assert [body["IngestionStatus"] for body in ingestions().values()] == ["CANCELLED", "RUNNING"]


def test_a_clear_cancels_what_a_try_started_that_died_before_it_remembered(
    make_context: Context, deferred: tuple[QuickSightPublishOperator, Any], store: TaskStateStore
) -> None:
    operator, _ = deferred
    store[operator.external_id_key]["work_id"] = ""
    cleared = publisher(DATA_SET, retries=2)
    with pytest.raises(TaskDeferred):
        cleared.execute(make_context(cleared, max_tries=3, try_number=2))
    assert [body["IngestionStatus"] for body in ingestions().values()] == ["CANCELLED", "RUNNING"]


def test_a_user_who_marks_the_task_failed_cancels_the_ingestion(
    deferred: tuple[QuickSightPublishOperator, Any],
) -> None:
    _, trigger = deferred
    asyncio.run(trigger.on_kill())
    assert [body["IngestionStatus"] for body in ingestions().values()] == ["CANCELLED"]


def test_a_task_that_is_killed_on_the_worker_cancels_the_ingestion(
    deferred: tuple[QuickSightPublishOperator, Any],
) -> None:
    operator, _ = deferred
    operator.on_kill()
    assert [body["IngestionStatus"] for body in ingestions().values()] == ["CANCELLED"]


def test_an_ingestion_longer_than_the_tasks_timeout_is_cancelled(
    make_context: Context, deferred: tuple[QuickSightPublishOperator, Any]
) -> None:
    operator, _ = deferred
    with pytest.raises(
        TaskDeferralTimeout, match=r"execution_timeout of 0:05:00: ingestion .* was told to stop"
    ):
        operator.resume_execution(
            "__fail__", {"error": "Trigger timeout", "traceback": None}, make_context(operator)
        )
    assert [body["IngestionStatus"] for body in ingestions().values()] == ["CANCELLED"]


def test_a_data_set_that_does_not_exist_fails_the_task(make_context: Context) -> None:
    with pytest.raises(ClientError, match="CreateIngestion"):
        publish(make_context, "no-such-data-set")


def test_without_a_report_there_is_nothing_to_publish(s3: Any, make_context: Context) -> None:
    unloaded(s3)
    with pytest.raises(ReportError, match="names no file: the report is empty"):
        publish(make_context)
    s3.delete_object(Bucket=BUCKET, Key="reports/top_reviews/data/manifest")
    with pytest.raises(ReportError, match="top_reviews/data/manifest does not exist: the UNLOAD before"):
        publish(make_context)
