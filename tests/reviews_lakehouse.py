"""A cluster and a lake of real reviews, and sql/reviews on them as the Glue job runs it."""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets import reviews
from datasets.delivery import copy_to, upload
from glue.redshift_sql.login import Login
from glue.redshift_sql.runner import Runner
from glue.redshift_sql.script import Script
from laptop.environment import PROJECT
from local_account import use_account
from local_aws.server import Server

BUCKET = "redshift-etl-data"
LOCATION = f"s3://{BUCKET}/raw/reviews/"
REPORT_PREFIX = "reports/top_reviews/"
ROLE = "arn:aws:iam::123456789012:role/redshift-etl-warehouse"
ROWS = 30_000


@dataclass
class Lakehouse:
    """A cluster, a bucket with reviews, and the same reviews in a folder."""

    s3: Any
    glue: Any
    folder: Path
    login: Login

    def connect(self) -> Any:
        return self.login.connect("dev", "tests")

    def run(self, file: str, **arguments: str) -> None:
        script = Script.read(file, (PROJECT / "sql/reviews" / file).read_text(), arguments)
        with self.connect() as connection:
            Runner(connection, self.login, script).run(statement_timeout=60)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    def create_schema(self) -> None:
        self.run("schema.sql", iam_role_arn=ROLE, reviews_location=LOCATION)

    def load(self, first_year: int = 2015) -> None:
        self.run("etl.sql", first_year=str(first_year))

    def report(self, top_n: int = 3) -> list[dict[str, str]]:
        """Run the report and read what it wrote, file by file as the manifest lists them."""
        self.run(
            "topreviews.sql",
            top_n=str(top_n),
            iam_role_arn=ROLE,
            report_location=f"s3://{BUCKET}/{REPORT_PREFIX}",
        )
        rows: list[dict[str, str]] = []
        for entry in self.manifest()["entries"]:
            text = self.object(entry["url"].removeprefix(f"s3://{BUCKET}/"))
            rows.extend(csv.DictReader(io.StringIO(text, newline="")))
        return rows

    def manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.object(f"{REPORT_PREFIX}manifest"))
        return found

    def object(self, key: str) -> str:
        body: bytes = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return body.decode()

    def register_partitions(self) -> None:
        """What the pipeline does between schema and load: one partition for each folder of the lake."""
        answer = self.s3.list_objects_v2(Bucket=BUCKET, Prefix="raw/reviews/", Delimiter="/")
        storage = self.glue.get_table(DatabaseName="amzreviews", Name="reviews")["Table"]["StorageDescriptor"]
        for prefix in (found["Prefix"] for found in answer["CommonPrefixes"]):
            category = prefix.rstrip("/").partition("product_category=")[2]
            self.glue.create_partition(
                DatabaseName="amzreviews",
                TableName="reviews",
                PartitionInput={
                    "Values": [category],
                    "StorageDescriptor": storage | {"Location": f"s3://{BUCKET}/{prefix}"},
                },
            )

    def replace(self, category: str, table: pa.Table) -> None:
        """Put another file in the place of a category's first one, in the bucket and in the folder."""
        path = self.folder / f"product_category={category}" / "part-00000.parquet"
        pq.write_table(table, path)
        self.s3.upload_file(str(path), BUCKET, f"raw/reviews/product_category={category}/part-00000.parquet")


def catalogue_reviews(glue: Any) -> None:
    """Declare the reviews in the Data Catalog, without a partition."""
    glue.create_database(DatabaseInput={"Name": "amzreviews"})
    glue.create_table(
        DatabaseName="amzreviews",
        TableInput={
            "Name": "reviews",
            "PartitionKeys": [{"Name": "product_category", "Type": "varchar(40)"}],
            "StorageDescriptor": {"Location": LOCATION, "InputFormat": "parquet"},
        },
    )


@contextmanager
def running(folder: Path, rows: int = ROWS) -> Iterator[Lakehouse]:
    """Start a Redshift and fill its lake, in the environment's place of AWS."""
    with pytest.MonkeyPatch.context() as environment, Server(wire_port=0) as server:
        use_account(environment, server.endpoint_url)
        s3 = boto3.client("s3")
        deliveries = reviews.deliver(rows=rows, cache=folder / "cache")
        copy_to(deliveries, folder)
        upload(deliveries, BUCKET, s3)
        login = replace(Login.read(str(server.health()["secret"])), ssl=False)
        house = Lakehouse(s3, boto3.client("glue"), folder / "raw/reviews", login)
        house.create_schema()
        house.register_partitions()
        yield house
