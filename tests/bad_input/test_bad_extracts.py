"""Extracts that are not what was agreed: the pipeline names the files before it loads anything of the day."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pyarrow as pa
import pytest
from bad_columns import BAD_COLUMNS, BadColumns
from bad_files import BAD_FILES, BAD_SALES_FILES, EMPTY_FILES, FOOTER, BadFile, BadSalesFile

from extract_files import SCHEMAS, key_of, parquet
from in_process import BUCKET
from local_account import use_account
from local_aws.server import Server
from store_sales_days import DAY

# Kinds that COPY and Spectrum would refuse for their footer. A note beside the data is left to COPY.
FOOTERS = [bad for bad in BAD_FILES if bad.error == FOOTER and bad.name.endswith(".parquet")]
SALES_FOOTERS = [bad for bad in BAD_SALES_FILES if bad.error == FOOTER]
REFUSED = (
    r"^The extract is not what was agreed: s3://{0}/{1} {2}\. Ask the source system for it, then clear this"
)


class Extract:
    """A day's extract that the pipeline accepts, and the pipeline's task for it."""

    def __init__(self, s3: Any, dags: Any) -> None:
        self.s3 = s3
        self.s3.create_bucket(Bucket=BUCKET)
        self.files = {key_of(extract, DAY): parquet(schema) for extract, schema in SCHEMAS.items()}
        for key, body in self.files.items():
            self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        self.task = dags["store_sales_etl"].get_task("wait_for_extract").prepare_for_execution()
        context = {"params": {"refresh_date": str(DAY)}, "dag_run": None, "task": self.task}
        self.task.render_template_fields(context)

    def look(self) -> None:
        self.task.execute({})

    @contextmanager
    def delivered(self, key: str, body: bytes) -> Iterator[None]:
        """A file in the place of one of the extract, or beside them."""
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        try:
            yield
        finally:
            if key in self.files:
                self.s3.put_object(Bucket=BUCKET, Key=key, Body=self.files[key])
            else:
                self.s3.delete_object(Bucket=BUCKET, Key=key)

    def refuses(self, key: str, body: bytes, fault: str) -> None:
        from airflow.sdk.exceptions import AirflowFailException

        refused = REFUSED.format(BUCKET, re.escape(key), fault)
        with self.delivered(key, body), pytest.raises(AirflowFailException, match=refused):
            self.look()


@pytest.fixture(scope="module")
def extract(dags: Any) -> Iterator[Extract]:
    with pytest.MonkeyPatch.context() as environment, Server() as server:
        use_account(environment, server.endpoint_url)
        yield Extract(boto3.client("s3"), dags)


def test_an_extract_as_agreed_is_accepted(extract: Extract) -> None:
    extract.look()


@pytest.mark.parametrize("key", [key for _, key in EMPTY_FILES], ids=[kind for kind, _ in EMPTY_FILES])
def test_a_file_of_0_bytes_is_refused_by_name(extract: Extract, key: str) -> None:
    extract.refuses(key, b"", "has 0 bytes")
    extract.look()


@pytest.mark.parametrize("bad", BAD_COLUMNS, ids=lambda bad: bad.kind)
def test_a_file_of_other_columns_is_refused_by_name(extract: Extract, bad: BadColumns) -> None:
    extract.refuses(bad.key, bad.body, re.escape(bad.error))


@pytest.mark.parametrize(
    "bad", [*FOOTERS, *SALES_FOOTERS], ids=lambda bad: f"{type(bad).__name__} {bad.kind}"
)
def test_a_file_that_is_no_parquet_file_is_refused_by_name(
    extract: Extract, bad: BadFile | BadSalesFile
) -> None:
    body = bad.body() if callable(bad.body) else bad.body
    key = key_of(bad.table if isinstance(bad, BadFile) else "store_sales", DAY)
    extract.refuses(key, body, r"is no Parquet file \((it has|its footer) .*\)")


def test_pages_that_are_damaged_under_a_sound_footer_are_left_to_copy(extract: Extract) -> None:
    (bad,) = [bad for bad in BAD_FILES if bad.kind == "with damaged pages"]
    assert callable(bad.body)
    with extract.delivered(key_of(bad.table, DAY), bad.body()):
        extract.look()


def test_the_sales_may_have_their_columns_in_any_order_and_case_and_further_ones(extract: Extract) -> None:
    fields = [field.with_name(field.name.upper()) for field in reversed(list(SCHEMAS["store_sales"]))]
    schema = pa.schema([pa.field("note", pa.string()), *fields])
    with extract.delivered(key_of("store_sales", DAY), parquet(schema)):
        extract.look()


def test_every_bad_file_of_a_day_is_named_at_once(extract: Extract) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    page = b"<html>403 Forbidden</html>"
    files = [f"s3://{BUCKET}/{key_of(name, DAY)}" for name in ("store_sales", "promotion")]
    told = "; ".join(f"{file} is no Parquet file (it has no footer)" for file in files)
    with (
        extract.delivered(key_of("store_sales", DAY), page),
        extract.delivered(key_of("promotion", DAY), page),
        pytest.raises(AirflowFailException, match=re.escape(f"agreed: {told}. Ask")),
    ):
        extract.look()
