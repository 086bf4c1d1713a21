"""sql/reviews as the Glue job runs it: its splitting, its driver, a Redshift with a lake of real reviews."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from datasets import reviews
from datasets.delivery import copy_to, upload
from expected_reviews import COLUMNS, REPORT, load_reviews, top_reviews
from glue.redshift_sql.login import Login
from glue.redshift_sql.runner import Runner, StatementError
from glue.redshift_sql.script import Script
from laptop.environment import PROJECT
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


@pytest.fixture(scope="module")
def lakehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lakehouse]:
    folder = tmp_path_factory.mktemp("reviews")
    with pytest.MonkeyPatch.context() as environment, Server(wire_port=0) as server:
        environment.setenv("AWS_ENDPOINT_URL", server.endpoint_url)
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        environment.setenv("AWS_ACCESS_KEY_ID", "local")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "local")
        s3 = boto3.client("s3")
        deliveries = reviews.deliver(rows=ROWS, cache=folder / "cache")
        copy_to(deliveries, folder)
        upload(deliveries, BUCKET, s3)
        login = replace(Login.read(str(server.health()["secret"])), ssl=False)
        house = Lakehouse(s3, boto3.client("glue"), folder / "raw/reviews", login)
        house.create_schema()
        house.register_partitions()
        yield house


@pytest.fixture
def loaded(lakehouse: Lakehouse) -> Lakehouse:
    lakehouse.query("delete from public.reviews")
    lakehouse.load()
    return lakehouse


def test_the_schema_can_be_created_again_and_changes_nothing(loaded: Lakehouse) -> None:
    before = loaded.query("select count(*) from public.reviews")
    loaded.create_schema()
    assert loaded.query("select count(*) from public.reviews") == before
    assert len(loaded.glue.get_partitions(DatabaseName="amzreviews", TableName="reviews")["Partitions"]) == 43


def test_the_local_table_has_the_14_columns_its_distkey_and_its_sortkey(lakehouse: Lakehouse) -> None:
    found = lakehouse.query(
        'select "column", distkey, sortkey from pg_table_def'
        " where schemaname = 'public' and tablename = 'reviews'"
    )
    assert sorted(name for name, _, _ in found) == sorted(COLUMNS)
    assert [name for name, distkey, _ in found if distkey] == ["product_id"]
    assert [name for name, _, sortkey in found if sortkey] == ["review_date"]


@pytest.mark.parametrize("first_year", [2015, 2013])
def test_the_load_is_what_the_lake_holds_of_the_years(lakehouse: Lakehouse, first_year: int) -> None:
    lakehouse.load(first_year)
    expected = load_reviews(lakehouse.folder, first_year)
    assert len(expected) > 5_000
    rows = lakehouse.query(f"select {', '.join(COLUMNS)} from public.reviews where year >= {first_year}")
    assert Counter(rows) == Counter(tuple(row.values()) for row in expected)


def test_loading_twice_does_not_double_a_row(lakehouse: Lakehouse) -> None:
    lakehouse.load()
    first = lakehouse.query(f"select {', '.join(COLUMNS)} from public.reviews where year >= 2015")
    lakehouse.load()
    assert Counter(
        lakehouse.query(f"select {', '.join(COLUMNS)} from public.reviews where year >= 2015")
    ) == (Counter(first))


def test_the_load_follows_a_lake_that_changed(loaded: Lakehouse) -> None:
    path = loaded.folder / "product_category=Watches/part-00000.parquet"
    original = pq.ParquetFile(path).read()
    corrected = original.filter(pc.equal(original["star_rating"], 1), null_selection_behavior="drop")
    assert 0 < corrected.num_rows < original.num_rows
    try:
        loaded.replace("Watches", corrected)
        loaded.load()
        rows = loaded.query(f"select {', '.join(COLUMNS)} from public.reviews where year >= 2015")
        assert Counter(rows) == Counter(tuple(row.values()) for row in load_reviews(loaded.folder, 2015))
    finally:
        loaded.replace("Watches", original)


def test_a_load_that_fails_after_the_delete_leaves_the_table_as_it_was(loaded: Lakehouse) -> None:
    counts = "select count(*), sum(helpful_votes) from public.reviews"
    before = loaded.query(counts)
    key = "raw/reviews/product_category=Watches/part-99999.parquet"
    loaded.s3.put_object(Bucket=BUCKET, Key=key, Body=b"PAR1 half a file")
    try:
        with pytest.raises(StatementError, match=r"etl\.sql, statement 2 of 2, failed: "):
            loaded.load()
    finally:
        loaded.s3.delete_object(Bucket=BUCKET, Key=key)
    assert loaded.query(counts) == before


def test_a_first_year_that_is_no_number_is_refused(loaded: Lakehouse) -> None:
    with pytest.raises(StatementError, match="20l5"):
        loaded.run("etl.sql", first_year="20l5")


def test_no_title_is_cut_or_lost(loaded: Lakehouse) -> None:
    expected = [row["product_title"] for row in load_reviews(loaded.folder, 2015)]
    assert max(len(title) for title in expected if title) == 400
    found = loaded.query("select product_title from public.reviews where year >= 2015")
    assert Counter(title for (title,) in found) == Counter(expected)


@pytest.mark.parametrize("top_n", [1, 10])
def test_the_report_is_the_top_reviews_in_order(loaded: Lakehouse, top_n: int) -> None:
    expected = top_reviews(load_reviews(loaded.folder, 2015), top_n)
    assert len(expected) > 100
    assert loaded.report(top_n) == [
        {column: "" if row[column] is None else str(row[column]) for column in REPORT} for row in expected
    ]


def test_average_stars_is_the_average_of_the_product_with_two_places(loaded: Lakehouse) -> None:
    report = loaded.report(10)
    assert all(Decimal(row["average_stars"]).as_tuple().exponent == -2 for row in report)
    assert any(Decimal(row["average_stars"]) % 1 for row in report)


def test_a_review_without_a_count_of_votes_is_not_the_most_helpful_one(loaded: Lakehouse) -> None:
    loaded.query(
        "insert into public.reviews (marketplace, product_category, review_id, product_id, star_rating)"
        " values ('US', 'Books', 'RNOVOTES', 'B000000000', 5)"
    )
    assert "RNOVOTES" not in {row["review_id"] for row in loaded.report(1)}


def test_titles_with_bars_quotes_and_line_feeds_come_back_from_the_csv(loaded: Lakehouse) -> None:
    titles = {row["product_title"] for row in loaded.report(100)}
    for mark in ("|", '"', "'", ",", "\n", "\t", "\\", "ü", "ー"):
        assert any(mark in title for title in titles), repr(mark)
    assert titles - {""} <= {row["product_title"] for row in load_reviews(loaded.folder, 2015)}


def test_the_report_can_be_written_again_and_its_manifest_lists_every_file(loaded: Lakehouse) -> None:
    many = loaded.report(10)
    few = loaded.report(1)
    assert len(few) < len(many)
    listed = {entry["url"].removeprefix(f"s3://{BUCKET}/") for entry in loaded.manifest()["entries"]}
    objects = loaded.s3.list_objects_v2(Bucket=BUCKET, Prefix=REPORT_PREFIX)["Contents"]
    assert {found["Key"] for found in objects} == listed | {f"{REPORT_PREFIX}manifest"}
    assert loaded.manifest()["meta"]["record_count"] == len(few)
