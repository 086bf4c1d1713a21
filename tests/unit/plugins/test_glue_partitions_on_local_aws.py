"""Partitions found in the lake, on an account that answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from redshift_etl.operators.glue_partitions import GluePartitionsOperator, PartitionError
from reviews_lakehouse import catalogue_reviews

Context = Callable[..., Any]
BUCKET = "redshift-etl-data"


@pytest.fixture(autouse=True)
def s3(aws: Callable[[str], Any]) -> Any:
    client = aws("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def glue() -> Any:
    client = boto3.client("glue")
    catalogue_reviews(client)
    return client


def locations(glue: Any) -> dict[str, str]:
    found = glue.get_partitions(DatabaseName="amzreviews", TableName="reviews")["Partitions"]
    return {one["Values"][0]: one["StorageDescriptor"]["Location"] for one in found}


def register(make_context: Context, location: str = f"s3://{BUCKET}/raw/reviews/") -> list[str]:
    operator = GluePartitionsOperator(
        task_id="register", database_name="amzreviews", table_name="reviews", location=location
    )
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


def test_a_table_that_was_created_for_another_lake_is_refused(
    s3: Any, glue: Any, make_context: Context
) -> None:
    """CREATE EXTERNAL TABLE is skipped where the table exists: the old lake would go on to be loaded."""
    for folder in ("raw/reviews", "my-copy"):
        s3.put_object(Bucket=BUCKET, Key=f"{folder}/product_category=Books/x.parquet", Body=b"")
    with pytest.raises(
        PartitionError,
        match=rf"^amzreviews\.reviews was created for s3://{BUCKET}/raw/reviews/ and the lake is to be "
        rf"s3://{BUCKET}/my-copy/: drop that external table",
    ):
        register(make_context, f"s3://{BUCKET}/my-copy/")
    assert locations(glue) == {}
    assert register(make_context, f"s3://{BUCKET}/raw/reviews") == ["Books"]
