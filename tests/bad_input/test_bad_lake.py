"""Sales that Spectrum cannot read, and a lake that holds no partition: named, and nothing is changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from bad_files import BAD_SALES_FILES, BadSalesFile, without

from data_api import CLUSTER, query
from extract_files import SCHEMAS, parquet
from in_process import BUCKET, script
from local_account import use_account
from local_aws.server import Server
from reviews_lakehouse import catalogue_reviews

DAY = "2003-01-02"
KEY = f"raw/store_sales/sale_date={DAY}/part-00000.parquet"


class Lake:
    """An account with the tables of store sales, and the day's extract in them."""

    def __init__(self) -> None:
        self.s3, self.data_api = boto3.client("s3"), boto3.client("redshift-data")
        self.s3.create_bucket(Bucket=BUCKET)
        self.deliver(parquet(SCHEMAS["store_sales"], {"ss_ticket_number": 1}, {"ss_ticket_number": 2}))
        for name, mode in (
            ("create_schema", "TRANSACTION"),
            ("create_lake", "AUTO_COMMIT"),
            ("register_partition", "AUTO_COMMIT"),
            ("stage_store_sales", "TRANSACTION"),
        ):
            described = self.run(name, mode)
            assert described["Status"] == "FINISHED", described

    def deliver(self, body: bytes) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=KEY, Body=body)

    def run(self, name: str, mode: str = "TRANSACTION") -> dict[str, Any]:
        wanted: dict[str, Any] = {"ClusterIdentifier": CLUSTER, "Database": "dev", "DbUser": "awsuser"}
        sqls = list(script(f"store_sales/{name}.sql", DAY))
        if any(":refresh_date" in sql for sql in sqls):
            wanted["Parameters"] = [{"name": "refresh_date", "value": DAY}]
        if len(sqls) == 1:
            statement = self.data_api.execute_statement(Sql=sqls[0], WaitTimeSeconds=30, **wanted)
        else:
            statement = self.data_api.batch_execute_statement(
                Sqls=sqls, ExecutionMode=mode, WaitTimeSeconds=30, **wanted
            )
        return dict(self.data_api.describe_statement(Id=statement["Id"]))

    def tables(self) -> list[dict[str, Any]]:
        return query(
            self.data_api,
            "select ss_ticket_number, sale_date, loaded_at from tpcds.stg_store_sales order by 1",
        )


@pytest.fixture(scope="module")
def lake() -> Iterator[Lake]:
    with pytest.MonkeyPatch.context() as environment, Server() as server:
        use_account(environment, server.endpoint_url)
        yield Lake()


@pytest.mark.parametrize("bad", BAD_SALES_FILES, ids=lambda bad: bad.kind)
def test_a_file_that_spectrum_cannot_read_is_named(lake: Lake, bad: BadSalesFile) -> None:
    before = lake.tables()
    assert len(before) == 2
    lake.deliver(bad.body)
    described = lake.run("stage_store_sales")
    assert described["Status"] == "FAILED"
    assert re.search(bad.error.replace("{file}", re.escape(f"s3://{BUCKET}/{KEY}")), described["Error"])
    assert lake.tables() == before


def test_a_file_without_the_ticket_numbers_is_found_by_the_gate(lake: Lake) -> None:
    lake.deliver(parquet(without("store_sales", "ss_ticket_number"), {"i_item_id": "I1"}))
    assert lake.run("stage_store_sales")["Status"] == "FINISHED"
    (check,) = script("store_sales/checks/extract_lines_once.sql", DAY)
    (found,) = query(lake.data_api, check, {"refresh_date": DAY})
    assert (found["ss_ticket_number"], found["problem"]) == (None, "no ticket number")


@pytest.mark.parametrize("body", [parquet(SCHEMAS["store_sales"]), b""], ids=["no rows", "0 bytes"])
def test_sales_without_a_row_are_found_by_the_gate(lake: Lake, body: bytes) -> None:
    lake.deliver(body)
    assert lake.run("stage_store_sales")["Status"] == "FINISHED"
    (check,) = script("store_sales/checks/extract_not_empty.sql", DAY)
    (found,) = query(lake.data_api, check, {"refresh_date": DAY})
    assert (str(found["refresh_date"]), found["line_count"]) == (DAY, 0)


def test_a_day_that_was_registered_for_another_bucket_is_read_from_this_one(lake: Lake) -> None:
    place = {"DatabaseName": "tpcds_lake", "TableName": "store_sales", "PartitionValues": [DAY]}
    glue = boto3.client("glue")
    storage = glue.get_partition(**place)["Partition"]["StorageDescriptor"]
    here = storage["Location"]
    assert here == f"s3://{BUCKET}/{KEY.rpartition('/')[0]}/"
    glue.update_partition(
        DatabaseName="tpcds_lake",
        TableName="store_sales",
        PartitionValueList=[DAY],
        PartitionInput={"Values": [DAY], "StorageDescriptor": storage | {"Location": "s3://old/raw/"}},
    )
    assert lake.run("register_partition", "AUTO_COMMIT")["Status"] == "FINISHED"
    assert glue.get_partition(**place)["Partition"]["StorageDescriptor"] == storage
    assert lake.run("register_partition", "AUTO_COMMIT")["Status"] == "FINISHED", "it can run again"


def test_a_lake_with_other_folders_than_partitions_is_named(lake: Lake) -> None:
    from redshift_etl.operators.glue_partitions import GluePartitionsOperator, PartitionError

    glue = boto3.client("glue")
    catalogue_reviews(glue)
    for folder in ("category=Books", "Books", "product_category/Books"):
        lake.s3.put_object(Bucket=BUCKET, Key=f"raw/reviews/{folder}/part.parquet", Body=b"")
    operator = GluePartitionsOperator(
        task_id="register",
        database_name="amzreviews",
        table_name="reviews",
        location=f"s3://{BUCKET}/raw/reviews/",
        aws_conn_id=None,
    )
    with pytest.raises(
        PartitionError, match=f"^s3://{BUCKET}/raw/reviews/ holds no folder product_category="
    ):
        operator.execute({})
    assert glue.get_partitions(DatabaseName="amzreviews", TableName="reviews")["Partitions"] == []
