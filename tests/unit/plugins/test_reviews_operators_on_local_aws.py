"""Partitions found in the lake, and what QuickSight is handed, on an account that answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local_aws.server import Server
from redshift_etl.operators.glue_partitions import GluePartitionsOperator, PartitionError
from redshift_etl.operators.quicksight_publish import QuickSightPublishOperator, ReportError

Context = Callable[..., Any]
BUCKET = "redshift-etl-data"
MANIFEST = f"s3://{BUCKET}/reports/top_reviews/quicksight.json"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture(autouse=True)
def s3(server: Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in {
        "AWS_ENDPOINT_URL": server.endpoint_url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }.items():
        monkeypatch.setenv(name, value)
    server.reset()
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def glue() -> Any:
    client = boto3.client("glue")
    client.create_database(DatabaseInput={"Name": "amzreviews"})
    client.create_table(
        DatabaseName="amzreviews",
        TableInput={
            "Name": "reviews",
            "PartitionKeys": [{"Name": "product_category", "Type": "varchar(40)"}],
            "StorageDescriptor": {"Location": f"s3://{BUCKET}/raw/reviews/", "InputFormat": "parquet"},
        },
    )
    return client


def locations(glue: Any) -> dict[str, str]:
    found = glue.get_partitions(DatabaseName="amzreviews", TableName="reviews")["Partitions"]
    return {one["Values"][0]: one["StorageDescriptor"]["Location"] for one in found}


def register(make_context: Context) -> list[str]:
    operator = GluePartitionsOperator(task_id="register", database_name="amzreviews", table_name="reviews")
    return operator.execute(make_context(operator))


def test_every_folder_of_the_lake_becomes_a_partition_once(s3: Any, glue: Any, make_context: Context) -> None:
    for folder in ("Books", "Health_&_Personal_Care", "Odd%3AName"):
        s3.put_object(
            Bucket=BUCKET, Key=f"raw/reviews/product_category={folder}/part-00000.parquet", Body=b""
        )
    s3.put_object(Bucket=BUCKET, Key="raw/reviews/_SUCCESS", Body=b"")
    assert register(make_context) == ["Books", "Health_&_Personal_Care", "Odd:Name"]
    assert locations(glue) == {
        "Books": f"s3://{BUCKET}/raw/reviews/product_category=Books/",
        "Health_&_Personal_Care": f"s3://{BUCKET}/raw/reviews/product_category=Health_&_Personal_Care/",
        "Odd:Name": f"s3://{BUCKET}/raw/reviews/product_category=Odd%3AName/",
    }
    assert register(make_context) == []
    s3.put_object(Bucket=BUCKET, Key="raw/reviews/product_category=Toys/part-00000.parquet", Body=b"")
    assert register(make_context) == ["Toys"]


def test_more_partitions_than_one_request_takes(s3: Any, glue: Any, make_context: Context) -> None:
    for number in range(101):
        s3.put_object(Bucket=BUCKET, Key=f"raw/reviews/product_category=C{number:03}/x.parquet", Body=b"")
    assert len(register(make_context)) == 101
    assert len(locations(glue)) == 101


@pytest.mark.usefixtures("glue")
def test_a_lake_without_a_folder_is_one_clear_error(make_context: Context) -> None:
    with pytest.raises(PartitionError, match=r"raw/reviews/ holds no folder product_category=\.\.\.: put"):
        register(make_context)


def unloaded(s3: Any, *urls: str) -> None:
    body = json.dumps({"entries": [{"url": url, "meta": {"content_length": 1}} for url in urls]})
    s3.put_object(Bucket=BUCKET, Key="reports/top_reviews/data/manifest", Body=body.encode())


def publish(make_context: Context, data_set_id: str | None = None, **changes: Any) -> Any:
    operator = QuickSightPublishOperator(
        task_id="publish",
        unload_manifest=f"s3://{BUCKET}/reports/top_reviews/data/manifest",
        manifest=MANIFEST,
        data_set_id=data_set_id,
    )
    return operator.execute(make_context(operator, **changes))


def test_the_manifest_names_every_file_that_the_unload_wrote(s3: Any, make_context: Context) -> None:
    urls = [f"s3://{BUCKET}/reports/top_reviews/data/00{number}" for number in range(3)]
    unloaded(s3, *urls)
    assert publish(make_context) == {"manifest": MANIFEST, "files": 3, "ingestion_id": None}
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
    s3: Any, make_context: Context, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    unloaded(s3, f"s3://{BUCKET}/reports/top_reviews/data/000")
    publish(make_context)
    said = caplog.text + capsys.readouterr().out
    assert "QuickSight is not configured: set quicksight_data_set_id in [redshift_etl]" in said


def test_every_try_has_an_ingestion_id_that_quicksight_takes(s3: Any, make_context: Context) -> None:
    quicksight = boto3.client("quicksight")
    account = "123456789012"
    quicksight.create_data_set(
        AwsAccountId=account,
        DataSetId="top-reviews",
        Name="top reviews",
        PhysicalTableMap={},
        ImportMode="SPICE",
    )
    unloaded(s3, f"s3://{BUCKET}/reports/top_reviews/data/000")
    ids = [publish(make_context, "top-reviews", try_number=number)["ingestion_id"] for number in (1, 2)]
    assert len(set(ids)) == 2
    for ingestion_id in ids:
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", ingestion_id)
        found = quicksight.describe_ingestion(
            AwsAccountId=account, DataSetId="top-reviews", IngestionId=ingestion_id
        )
        assert found["Ingestion"]["IngestionStatus"] == "COMPLETED"


def test_a_data_set_that_does_not_exist_fails_the_task(s3: Any, make_context: Context) -> None:
    unloaded(s3, f"s3://{BUCKET}/reports/top_reviews/data/000")
    with pytest.raises(ClientError, match="CreateIngestion"):
        publish(make_context, "no-such-data-set")


def test_without_a_report_there_is_nothing_to_publish(s3: Any, make_context: Context) -> None:
    with pytest.raises(ReportError, match="top_reviews/data/manifest does not exist: the UNLOAD before"):
        publish(make_context)
    unloaded(s3)
    with pytest.raises(ReportError, match="names no file: the report is empty"):
        publish(make_context)
