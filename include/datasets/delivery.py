"""Bring generated files to where the pipelines look for them: an S3 bucket, or a folder laid out alike."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.literals import BucketLocationConstraintType

type Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps are done, and how many there are."""


def silent(what: str, done: int, total: int) -> None:
    """The `Progress` of a caller who does not want to hear about it."""


@dataclass(frozen=True)
class Delivery:
    """One file a source system delivers.

    Attributes:
        key: The S3 object key, e.g. ``raw/item/extract_date=2003-01-02/part-00000.parquet``.
        path: The file on this machine.
        rows: Rows in the file; 0 is a valid extract.
        size: Bytes in the file.
        md5: MD5 of the file in hex, which is also the ETag of the object.
    """

    key: str
    path: Path
    rows: int
    size: int
    md5: str


def upload(
    deliveries: Sequence[Delivery], bucket: str, client: "S3Client", progress: Progress = silent
) -> list[Delivery]:
    """Put files into S3, in the order given, and skip those that are there already with the same content.

    Args:
        deliveries: The files.
        bucket: The bucket's name; it is created in the client's region where it does not exist.
        client: A boto3 S3 client.
        progress: Told about every file.

    Returns:
        The files that were put: those whose size or MD5 differed from the object in the bucket. (S3's ETag
        is the MD5 unless the bucket encrypts with KMS; there, every file is put again.)

    Raises:
        botocore.exceptions.ClientError: S3 refuses.
        botocore.exceptions.BotoCoreError: S3 cannot be reached, or there are no credentials.
    """
    _ensure_bucket(bucket, client)
    present = _objects(bucket, client, {delivery.key.split("/")[0] + "/" for delivery in deliveries})
    put = []
    for done, delivery in enumerate(deliveries):
        progress(f"uploading to s3://{bucket}", done, len(deliveries))
        if present.get(delivery.key) == (delivery.size, delivery.md5):
            continue
        client.put_object(Bucket=bucket, Key=delivery.key, Body=delivery.path.read_bytes())
        put.append(delivery)
    progress(f"uploading to s3://{bucket}", len(deliveries), len(deliveries))
    return put


def copy_to(deliveries: Sequence[Delivery], folder: Path, progress: Progress = silent) -> None:
    """Write files below a folder as they would lie in the bucket: ``folder / key``."""
    for done, delivery in enumerate(deliveries):
        progress(f"writing to {folder}", done, len(deliveries))
        target = folder / delivery.key
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(delivery.path, target)
    progress(f"writing to {folder}", len(deliveries), len(deliveries))


def _ensure_bucket(bucket: str, client: "S3Client") -> None:
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"404", "NoSuchBucket"}:
            raise
        region = client.meta.region_name
        if region == "us-east-1":  # the one region that must not be named
            client.create_bucket(Bucket=bucket)
        else:
            location = cast("BucketLocationConstraintType", region)
            client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": location})


def _objects(bucket: str, client: "S3Client", prefixes: set[str]) -> dict[str, tuple[int, str]]:
    """Size and ETag of every object below the prefixes, by key."""
    pages = client.get_paginator("list_objects_v2")
    return {
        found["Key"]: (found["Size"], found["ETag"].strip('"'))
        for prefix in sorted(prefixes)
        for page in pages.paginate(Bucket=bucket, Prefix=prefix)
        for found in page.get("Contents", [])
    }
