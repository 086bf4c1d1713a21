"""The project's SQL files on the local Redshift engine in this process: no server, S3 in a folder.

For tests that run thousands of loads. The engine and the SQL text are the real ones; only the way there
(Data API, HTTP) is left out, which the tests on `warehouse` and the end-to-end tests take.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import jinja2

from extract_files import REFERENCE, SCHEMAS, key_of, parquet
from laptop.environment import PROJECT
from local_aws.redshift import Warehouse
from local_aws.redshift.object_store import ObjectStore, S3Object, split_url
from redshift_etl.script import names, statements

BUCKET = "redshift-etl-data"
ROLE = "arn:aws:iam::123456789012:role/redshift-etl-warehouse"
TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(PROJECT / "sql"), undefined=jinja2.StrictUndefined
)


class FolderStore(ObjectStore):
    """S3 as a folder of files: what COPY and UNLOAD need, without HTTP.

    Args:
        folder: The buckets.
        fetched: Where statements may read.
    """

    def __init__(self, folder: Path, fetched: Path) -> None:
        super().__init__("http://127.0.0.1:9")
        self.root, self.fetched = folder, fetched

    def path(self, url: str) -> Path:
        bucket, key = split_url(url)
        return self.root / bucket / key

    def find(self, url: str) -> list[S3Object]:
        bucket, prefix = split_url(url)
        home = self.root / bucket
        start = home / prefix if prefix.endswith("/") else (home / prefix).parent
        keys = sorted(str(file.relative_to(home)) for file in start.rglob("*") if file.is_file())
        return [
            S3Object(bucket, key, "", (home / key).stat().st_size) for key in keys if key.startswith(prefix)
        ]

    def head(self, url: str) -> S3Object | None:
        bucket, key = split_url(url)
        file = self.path(url)
        return S3Object(bucket, key, "", file.stat().st_size) if file.is_file() else None

    def fetch(self, objects: Sequence[S3Object], suffix: str = "") -> list[Path]:
        """A file for each content: DuckDB keeps parts of files that it has read under their names."""
        paths = []
        for item in objects:
            body = self.path(item.url).read_bytes()
            path = self.fetched / f"{hashlib.sha256(body).hexdigest()}{suffix}"
            if not path.exists():
                path.write_bytes(body)
            paths.append(path)
        return paths

    def read(self, item: S3Object) -> bytes:
        return self.path(item.url).read_bytes()

    def write(self, url: str, source: Path | bytes, encryption: str | None) -> int:  # noqa: ARG002 - a folder has none
        file = self.path(url)
        file.parent.mkdir(parents=True, exist_ok=True)
        body = source if isinstance(source, bytes) else source.read_bytes()
        return file.write_bytes(body)

    def delete(self, objects: Any) -> None:
        for item in objects:
            self.path(item.url).unlink()


@cache
def script(file: str, day: str) -> tuple[str, ...]:
    """The statements of a rendered file."""
    text = TEMPLATES.get_template(file).render(
        data_bucket=BUCKET, iam_role_arn=ROLE, refresh_date=lambda *_: day, dag_run=None, params=None
    )
    return statements(text)


class InProcess:
    """A warehouse with the schema of store sales, and a bucket in a folder."""

    def __init__(self, folder: Path) -> None:
        logging.getLogger("local_aws").setLevel(logging.WARNING)  # thousands of statements
        # Tables of a few rows: waking a second thread costs more than it does.
        with mock.patch.dict("local_aws.redshift.warehouse._CONFIG", threads=1):
            self.warehouse = Warehouse("test", endpoint_url="http://127.0.0.1:9")
        self.store = FolderStore(folder, self.warehouse.scratch)
        self.warehouse.store.close()
        self.warehouse.store = self.store
        self.session = self.warehouse.connect("dev", "awsuser")
        self.run("create_schema")
        for table in ("customer", "customer_address", "item", "store", *REFERENCE):
            self.put(table, "1998-01-01", [])
        for name in ("customer", "customer_address", "item", "store", "reference"):
            self.run(f"load_{name}", "1998-01-01")  # adds the unknown members

    def close(self) -> None:
        self.session.close()
        self.warehouse.close()

    def run(self, name: str, day: date | str = "2003-01-02", **parameters: str) -> list[dict[str, Any]]:
        """Run a file of `sql/store_sales` as the operator would, and return its last statement's rows."""
        bound = {"refresh_date": str(day)} | parameters
        session = self.warehouse.connect("dev", "awsuser")  # as the Data API: temp tables end with the batch
        try:
            session.execute("begin read write")
            for statement in script(f"store_sales/{name}.sql", str(day)):
                used = {key: value for key, value in bound.items() if key in names_of(statement)}
                result = session.execute(statement, used or None)
            session.execute("commit")
        finally:
            session.close()
        if result.columns is None:
            return []
        return [
            dict(zip((column.name for column in result.columns), row, strict=True)) for row in result.rows
        ]

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a test's own query, in DuckDB's SQL: only the files under test need Redshift's."""
        return self.session.run(sql).fetchall()

    def put(self, table: str, day: date | str, rows: list[dict[str, Any]]) -> None:
        """Deliver an extract; columns that a row leaves out are NULL. Reference data are not of a day."""
        file = self.store.root / BUCKET / key_of(table, day)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(parquet(SCHEMAS[table], *rows))

    def stage_sales(self, day: date | str) -> None:
        """Put the day's extract into staging, as stage_store_sales does; only Spectrum is left out."""
        columns = ", ".join(SCHEMAS["store_sales"].names)
        url = f"s3://{BUCKET}/raw/store_sales/sale_date={day}/"
        (file,) = self.store.fetch(self.store.find(url), ".parquet")
        _, *purge, _ = script("store_sales/stage_store_sales.sql", str(day))
        for statement in purge:
            self.session.execute(statement, {"refresh_date": str(day)})
        self.session.run(
            f"insert into tpcds.stg_store_sales (sale_date, {columns})"
            f" select date '{day}', {columns} from read_parquet('{file}', hive_partitioning = false)"
        )

    def add_dates(self, first: date, days: int) -> None:
        """Fill date_dim with the days that a test needs."""
        self.session.execute(
            "insert into tpcds.date_dim (d_date_sk, d_date_id, d_date) values "
            + ", ".join(
                f"({day.toordinal() + 1_721_425}, 'D{day:%Y%m%d}', '{day}')"
                for day in (date.fromordinal(first.toordinal() + n) for n in range(days))
            )
        )

    def empty(self) -> None:
        """Remove everything but date_dim, the regions and the unknown members."""
        for table, key in (
            ("item", "i_item_sk"), ("customer", "c_customer_sk"), ("customer_address", "ca_address_sk"),
            ("store", "s_store_sk"), ("promotion", "p_promo_sk"), ("household_demographics", "hd_demo_sk"),
        ):  # fmt: skip
            self.session.run(f"delete from tpcds.{table} where {key} <> -1")
        for table in (
            "stg_item", "stg_store_sales", "stg_store_sales_purged", "store_sales", "store_sales_unresolved",
        ):  # fmt: skip
            self.session.run(f"delete from tpcds.{table}")


@cache
def names_of(statement: str) -> frozenset[str]:
    """The parameters of a statement."""
    return frozenset(names(statement)) if re.search(r":\w", statement) else frozenset()
