"""What S3 says where a bucket's policy denies a read: AccessDenied in words, for listings as for objects.

moto answers a denied object with an empty 403, and lists a bucket whatever its policy says.
"""

from __future__ import annotations

from typing import Any

from moto.iam.access_control import PermissionResult
from moto.s3.exceptions import BucketAccessDeniedError
from moto.s3.responses import S3Response


def install() -> None:
    """Put it in place; a second time changes nothing."""
    if getattr(S3Response, "says_what_is_denied", False):
        return
    answer_object, list_bucket = S3Response._key_response, S3Response._bucket_response_get  # noqa: SLF001 - where moto decides

    def key_response(self: S3Response, request: Any, full_url: str) -> Any:
        answer = answer_object(self, request, full_url)
        if answer == (403, {}, "") and request.method != "HEAD":
            raise BucketAccessDeniedError(self.bucket_name)
        return answer

    def bucket_response_get(self: S3Response, bucket_name: str, querystring: dict[str, Any]) -> Any:
        # Every other reading of a bucket has a word for what is read.
        if "list-type" in querystring or querystring.keys() <= {"prefix", "delimiter", "marker", "max-keys"}:
            bucket = self.backend.get_bucket(bucket_name)
            if bucket.get_permission("s3:ListBucket", bucket.arn) == PermissionResult.DENIED:
                raise BucketAccessDeniedError(bucket_name)
        return list_bucket(self, bucket_name, querystring)

    S3Response._key_response = key_response  # type: ignore[method-assign]  # noqa: SLF001 - as above
    S3Response._bucket_response_get = bucket_response_get  # type: ignore[method-assign]  # noqa: SLF001 - as above
    S3Response.says_what_is_denied = True  # type: ignore[attr-defined]  # a mark on a class
