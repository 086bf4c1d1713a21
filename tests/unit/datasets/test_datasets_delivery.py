"""Bringing files to S3 and to folders."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from datasets.delivery import Delivery, copy_to, upload


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.client("s3", region_name="us-east-1")


def delivery(folder: Path, key: str, content: bytes) -> Delivery:
    path = folder / key.replace("/", "_")
    path.write_bytes(content)
    return Delivery(key, path, rows=1, size=len(content), md5=hashlib.md5(content).hexdigest())


def content(client: Any, key: str) -> bytes:
    return client.get_object(Bucket="lake", Key=key)["Body"].read()


def test_upload_creates_the_bucket_and_puts_every_file(client, tmp_path):
    files = [delivery(tmp_path, "raw/a/1", b"one"), delivery(tmp_path, "raw/b/2", b"two")]
    assert upload(files, "lake", client) == files
    assert content(client, "raw/a/1") == b"one"
    assert content(client, "raw/b/2") == b"two"


def test_upload_skips_what_is_there_with_the_same_content(client, tmp_path):
    files = [delivery(tmp_path, "raw/a", b"one"), delivery(tmp_path, "raw/b", b"two")]
    upload(files, "lake", client)
    written = client.head_object(Bucket="lake", Key="raw/a")["LastModified"]
    changed = delivery(tmp_path, "raw/b", b"TWO")
    assert upload([files[0], changed], "lake", client) == [changed]
    assert content(client, "raw/b") == b"TWO"
    assert client.head_object(Bucket="lake", Key="raw/a")["LastModified"] == written


def test_upload_finds_present_files_among_more_than_one_page_of_objects(client, tmp_path):
    files = [delivery(tmp_path, f"raw/{number:04}", b"x") for number in range(1_001)]
    assert len(upload(files, "lake", client)) == 1_001
    assert upload(files, "lake", client) == []


def test_upload_keeps_the_order_and_tells_progress(client, tmp_path):
    files = [delivery(tmp_path, key, b"x") for key in ("raw/b", "raw/a")]
    steps = []
    put = upload(files, "lake", client, lambda *step: steps.append(step))
    assert [file.key for file in put] == ["raw/b", "raw/a"]
    assert steps == [("uploading to s3://lake", done, 2) for done in range(3)]


def test_upload_creates_the_bucket_in_the_client_s_region(client, tmp_path):
    frankfurt = boto3.client("s3", region_name="eu-central-1")
    upload([delivery(tmp_path, "raw/a", b"x")], "lake", frankfurt)
    assert client.get_bucket_location(Bucket="lake")["LocationConstraint"] == "eu-central-1"


def test_copy_to_lays_files_out_as_in_the_bucket(tmp_path):
    target = tmp_path / "lake"
    copy_to([delivery(tmp_path, "raw/a/extract_date=2003-01-02/part", b"one")], target)
    copy_to([delivery(tmp_path, "raw/a/extract_date=2003-01-02/part", b"two")], target)
    assert (target / "raw/a/extract_date=2003-01-02/part").read_bytes() == b"two"
    assert len(list(target.glob("**/part"))) == 1
