"""A warehouse with a day of sales in it, the means to see that nothing of it has changed; DAGs; a bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

import boto3
import pytest

from in_process import BUCKET, InProcess
from local_account import use_account
from local_aws.server import Server
from project_dags import load_dags, use_laptop
from store_sales_days import BEFORE, DAY, item, line, run_day

Contents = dict[str, list[tuple[Any, ...]]]

BOOKS = [item("I1", "1.00"), item("I2", "2.00")]
STORES = [{"s_store_id": "S1", "s_city": "Bethel", "s_state": "OH", "s_country": "United States"}]
PEOPLE = [{"c_customer_id": "C1", "c_first_name": "Ada"}]
PLACES = [{"ca_address_id": "A1", "ca_city": "Bethel", "ca_state": "OH"}]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    """Two good days: the day before, and the day that the bad deliveries are for."""
    made = InProcess(tmp_path_factory.mktemp("bad-input"))
    made.add_dates(DAY - timedelta(days=100), 120)
    extracts = {"item": BOOKS, "store": STORES, "customer": PEOPLE, "customer_address": PLACES}
    for day, tickets in ((BEFORE, (1, 2)), (DAY, (3, 4, 5))):
        sales = [
            line(ticket, "I1", day, s_store_id="S1", c_customer_id="C1", ca_address_id="A1")
            for ticket in tickets
        ]
        run_day(made, day, sales, **extracts)
    yield made
    made.close()


def contents(world: InProcess) -> Contents:
    """Every row of every table."""
    tables = world.query(
        "select table_name from information_schema.tables"
        " where table_schema = 'tpcds' and table_type = 'BASE TABLE' order by 1"
    )
    return {name: world.query(f"select * from tpcds.{name} order by all") for (name,) in tables}


@pytest.fixture
def unchanged(world: InProcess) -> Callable[..., AbstractContextManager[None]]:
    """Holds, around a bad delivery, that all tables are as they were but those that are named."""

    @contextmanager
    def hold(*but: str) -> Iterator[None]:
        before = contents(world)
        assert sum(len(rows) for rows in before.values()) > 130
        yield
        after = contents(world)
        assert {name: rows for name, rows in after.items() if name not in but} == {
            name: rows for name, rows in before.items() if name not in but
        }

    return hold


@pytest.fixture(scope="module", autouse=True)
def airflow_environment_set(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        use_laptop(patch, tmp_path_factory.mktemp("airflow"))
        yield


@pytest.fixture(scope="module")
def dags() -> Any:
    return load_dags().dags


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def bucket(server: Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    """S3 with an empty bucket, in the place of AWS."""
    use_account(monkeypatch, server.endpoint_url)
    server.reset()
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client
