"""A warehouse and, where a test needs them, S3 and the Glue catalog in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer
from redshift_engine import BUCKET

from local_aws.redshift import Session, Warehouse
from local_aws.supplements import glue as glue_supplement
from local_aws.supplements import s3_denials


@pytest.fixture(scope="session")
def aws_endpoint() -> Iterator[str]:
    glue_supplement.install()
    s3_denials.install()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def clients(aws_endpoint: str) -> Iterator[Callable[[str], Any]]:
    def make(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=aws_endpoint,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    yield make
    import httpx

    httpx.post(f"{aws_endpoint}/moto-api/reset")


@pytest.fixture
def s3(clients: Callable[[str], Any]) -> Any:
    client = clients("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def glue(clients: Callable[[str], Any]) -> Any:
    return clients("glue")


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    """A warehouse whose statements need neither S3 nor Glue."""
    made = Warehouse("test", endpoint_url="http://127.0.0.1:9")
    yield made
    made.close()


@pytest.fixture
def session(warehouse: Warehouse) -> Session:
    return warehouse.connect("dev", "awsuser")


@pytest.fixture
def lake_warehouse(aws_endpoint: str, s3: Any) -> Iterator[Warehouse]:
    """A warehouse with S3 and the Glue catalog; the bucket exists."""
    assert s3.list_buckets()["Buckets"]
    made = Warehouse("lake", endpoint_url=aws_endpoint)
    yield made
    made.close()


@pytest.fixture
def lake(lake_warehouse: Warehouse) -> Session:
    return lake_warehouse.connect("dev", "awsuser")
