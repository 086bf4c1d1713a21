"""Runs the project's SQL files on a local Redshift, without Airflow around them."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import jinja2
import pytest

import reviews_lakehouse
from in_process import InProcess
from laptop.environment import PROJECT
from local_account import use_account
from local_aws.server import Server
from redshift_etl.script import Script, names, statements
from store_sales_days import DAY

BUCKET = "redshift-etl-data"
ROLE = "arn:aws:iam::123456789012:role/redshift-etl-warehouse"
CLUSTER = {"ClusterIdentifier": "redshift-etl", "Database": "dev", "DbUser": "awsuser"}


class Warehouse(SimpleNamespace):
    """An account with a bucket and a cluster, and the scripts of `sql/` ready to run on it."""

    s3: Any
    redshift: Any

    def run(self, file: str, *, transaction: bool = True, day: str = "2003-01-02", **parameters: str) -> None:
        """Run one file as the operator would: rendered, split, values bound, one transaction."""
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(PROJECT / "sql"), undefined=jinja2.StrictUndefined
        )
        text = environment.get_template(file).render(
            data_bucket=BUCKET, iam_role_arn=ROLE, refresh_date=lambda *_: day, dag_run=None, params=None
        )
        split = statements(text)
        used = set().union(*map(names, split))
        script = Script(
            file, split, {k: v for k, v in ({"refresh_date": day} | parameters).items() if k in used}
        )
        arguments: dict[str, Any] = dict(CLUSTER)
        if script.parameters:
            arguments["Parameters"] = script.bound
        if len(split) == 1:
            answer = self.redshift.execute_statement(Sql=split[0], **arguments)
        else:
            mode = "TRANSACTION" if transaction else "AUTO_COMMIT"
            answer = self.redshift.batch_execute_statement(Sqls=list(split), ExecutionMode=mode, **arguments)
        while True:
            found = self.redshift.describe_statement(Id=answer["Id"], WaitTimeSeconds=10)
            if found["Status"] in {"FINISHED", "FAILED", "ABORTED"}:
                break
        if found["Status"] != "FINISHED":
            raise RuntimeError(f"{file}: {found.get('Error')}")


@pytest.fixture
def warehouse(monkeypatch: pytest.MonkeyPatch) -> Iterator[Warehouse]:
    with Server() as server:
        use_account(monkeypatch, server.endpoint_url)
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        yield Warehouse(s3=s3, redshift=boto3.client("redshift-data"))


@pytest.fixture(scope="module")
def lakehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[reviews_lakehouse.Lakehouse]:
    with reviews_lakehouse.running(tmp_path_factory.mktemp("reviews")) as house:
        yield house


@pytest.fixture
def put_parquet(warehouse: Warehouse, tmp_path: Path) -> Callable[..., None]:
    """Put rows into the bucket as one Parquet file with a given schema."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    def put(key: str, schema: pa.Schema, rows: list[dict[str, Any]]) -> None:
        file = tmp_path / "rows.parquet"
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), file)
        warehouse.s3.upload_file(str(file), BUCKET, key)

    return put


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    made = InProcess(tmp_path_factory.mktemp("s3"))
    made.add_dates(DAY - timedelta(days=100), 120)
    yield made
    made.close()


@pytest.fixture
def world(engine: InProcess) -> InProcess:
    engine.empty()
    return engine
