"""S3 as COPY, UNLOAD and Spectrum see it: find, fetch into a bounded cache, write and delete objects."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.iam.access_control import PermissionResult
from moto.s3.exceptions import MissingBucket
from moto.s3.models import s3_backends

from .errors import RedshiftError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_CACHE_BYTES = 1024**3
_SHARED_MEMORY = "/dev/shm"  # noqa: S108  # its own folder in it, removed at the end


@dataclass(frozen=True)
class S3Object:
    """An object as a listing shows it."""

    bucket: str
    key: str
    etag: str
    size: int

    @property
    def url(self) -> str:
        """``s3://bucket/key``."""
        return f"s3://{self.bucket}/{self.key}"


def split_url(url: str) -> tuple[str, str]:
    """Splits ``s3://bucket/key`` into bucket and key.

    Raises:
        RedshiftError: 22023 when it is not an S3 address.
    """
    scheme, _, rest = url.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise RedshiftError(f"'{url}' is not an S3 location; write s3://bucket/prefix", "22023")
    return bucket, key


class ObjectStore:
    """S3 behind one endpoint, with a cache of fetched objects keyed by bucket, key and ETag.

    Args:
        endpoint_url: where S3 answers.
        region: AWS region of the client.

    Attributes:
        folder: where the cache is.
    """

    def __init__(self, endpoint_url: str, region: str = "us-east-1") -> None:
        self._endpoint_url = endpoint_url
        self._region = region
        self._client: S3Client | None = None
        self._lock = threading.Lock()
        self.folder = Path(tempfile.mkdtemp(prefix="redshift-s3-", dir=_scratch()))
        self._cached: OrderedDict[Path, int] = OrderedDict()
        self._fetchers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="s3-fetch")

    @property
    def s3(self) -> S3Client:
        """The boto3 client, made at first use: sessions that touch no S3 do not pay for it."""
        with self._lock:
            if self._client is None:
                self._client = boto3.client(
                    "s3",
                    endpoint_url=self._endpoint_url,
                    region_name=self._region,
                    aws_access_key_id="warehouse",
                    aws_secret_access_key="local",  # noqa: S106 - any credentials are accepted locally
                    config=Config(
                        s3={"addressing_style": "path"},
                        retries={"max_attempts": 2},
                        response_checksum_validation="when_required",
                        request_checksum_calculation="when_required",
                    ),
                )
            return self._client

    def find(self, url: str) -> list[S3Object]:
        """Objects whose key starts with the address, in the order of their keys."""
        bucket, prefix = split_url(url)
        found: list[S3Object] = []
        try:
            for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                found += [S3Object(bucket, o["Key"], o["ETag"], o["Size"]) for o in page.get("Contents", [])]
        except ClientError as error:
            raise _s3_error(error, url) from error
        return found

    def head(self, url: str) -> S3Object | None:
        """One object, or None when it does not exist."""
        bucket, key = split_url(url)
        try:
            head = self.s3.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
                return None
            raise _s3_error(error, url) from error
        return S3Object(bucket, key, head["ETag"], head["ContentLength"])

    def fetch(self, objects: Sequence[S3Object], suffix: str = "") -> list[Path]:
        """Local copies of objects, in the same order; what is cached is not fetched again.

        Args:
            objects: what to fetch.
            suffix: ending of the local files' names.
        """
        paths = [self._path(item, suffix) for item in objects]
        self._evict(keep=set(paths))
        wanted = [(item, path) for item, path in zip(objects, paths, strict=True) if not path.exists()]
        if len(wanted) == 1:
            self._download(*wanted[0])
        else:
            list(self._fetchers.map(lambda pair: self._download(*pair), wanted))
        with self._lock:
            for item, path in zip(objects, paths, strict=True):
                self._cached[path] = item.size
                self._cached.move_to_end(path)
        return paths

    def read(self, item: S3Object) -> bytes:
        """An object's bytes: from moto itself where it runs in this process, else over S3's interface."""
        held = _in_this_process(item)
        if held is not None:
            return held
        try:
            return self.s3.get_object(Bucket=item.bucket, Key=item.key)["Body"].read()
        except ClientError as error:
            raise _s3_error(error, item.url) from error

    def write(self, url: str, source: Path | bytes, encryption: str | None) -> int:
        """Writes an object from a local file or from bytes.

        Args:
            url: where to.
            source: what.
            encryption: at rest, in S3's words (``AES256``); None for the bucket's default.

        Returns:
            Its size in bytes.
        """
        bucket, key = split_url(url)
        body = source if isinstance(source, bytes) else source.read_bytes()
        asked: dict[str, Any] = {"ServerSideEncryption": encryption} if encryption else {}
        try:
            self.s3.put_object(Bucket=bucket, Key=key, Body=body, **asked)
        except ClientError as error:
            raise _s3_error(error, url) from error
        return len(body)

    def delete(self, objects: Iterable[S3Object]) -> None:
        """Deletes objects."""
        for item in objects:
            self.s3.delete_object(Bucket=item.bucket, Key=item.key)

    def close(self) -> None:
        """Removes the cache."""
        self._fetchers.shutdown(wait=False, cancel_futures=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, item: S3Object, suffix: str) -> Path:
        name = hashlib.sha256(f"{item.bucket}\0{item.key}\0{item.etag}".encode()).hexdigest()
        return self.folder / f"{name}{suffix}"

    def _download(self, item: S3Object, path: Path) -> None:
        part = path.with_suffix(f".{threading.get_ident()}.part")
        part.write_bytes(self.read(item))
        part.replace(path)

    def _evict(self, keep: set[Path]) -> None:
        with self._lock:
            total = sum(self._cached.values())
            for path in list(self._cached):
                if total <= _CACHE_BYTES:
                    return
                if path not in keep:
                    total -= self._cached.pop(path)
                    path.unlink(missing_ok=True)


def _scratch() -> str | None:
    """Where the cache goes: into memory where there is room, since a disk costs a third of a COPY."""
    try:
        roomy = shutil.disk_usage(_SHARED_MEMORY).free > 2 * _CACHE_BYTES
    except OSError:
        return None  # not Linux: the usual folder for temporary files
    return _SHARED_MEMORY if roomy else None


def _in_this_process(item: S3Object) -> bytes | None:
    """The bytes of an object that the moto of this process holds; None when it does not hold this one.

    The listing came from the endpoint. Whoever answers there, an object with the same bucket, key and ETag
    has the same content. Where the bucket's policy denies the read it is None too: S3's interface says so.
    """
    place = s3_backends.bucket_accounts.get(item.bucket)
    if place is None:
        return None
    partition, account = place
    moto = s3_backends[account][partition]
    try:
        held, bucket = moto.get_object(item.bucket, item.key), moto.get_bucket(item.bucket)
    except MissingBucket:  # deleted at this moment
        return None
    if bucket.get_permission("s3:GetObject", f"{bucket.arn}/{item.key}") == PermissionResult.DENIED:
        return None
    return held.value if held is not None and held.etag == item.etag else None


def _s3_error(error: ClientError, url: str) -> RedshiftError:
    """In the words of COPY, UNLOAD and Spectrum; the address is ours, theirs is a request id."""
    code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    message = error.response["Error"].get("Message", "")
    return RedshiftError(f"S3ServiceException:{message},Status {status},Error {code},at {url}", "XX000")
