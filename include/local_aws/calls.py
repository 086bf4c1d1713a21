"""Who called what: each call as IAM sees it, for `/_local/calls`.

The caller is the role whose temporary credentials signed the request, as STS AssumeRole gave them out. A
warehouse signs with the access key id `warehouse`; any other key id is told as it is.
"""

import json
import re
import threading
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any
from urllib.parse import unquote

from moto.core.request import Request
from moto.sts.models import sts_backends

from local_aws.clusters import ACCOUNT_ID
from local_aws.control import PREFIX
from local_aws.keep_alive import Application
from local_aws.request_action import action_of
from local_aws.supplements.redshift_serverless import redshift_serverless_backends

# Different calls that are remembered; beyond, the oldest are forgotten.
_REMEMBERED = 20_000

_SIGNED = re.compile(r"Credential=(?P<key>[^/]*)/\d{8}/(?P<region>[^/]+)/")

# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html: operations that need
# the permission of another name.
_PERMISSIONS = {
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:CopyObject": "s3:PutObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:UploadPart": "s3:PutObject",
    "sns:PublishBatch": "sns:Publish",
}

# The member of a request that names what it is about, and how an ARN of the service ends with it.
_NAMED_BY = {
    "secretsmanager": (("SecretId", "secretsmanager", "secret:{}"),),
    "sns": (("TopicArn", "sns", "{}"), ("TargetArn", "sns", "{}")),
    "redshift": (("ClusterIdentifier", "redshift", "cluster:{}"),),
    "redshift-data": (("ClusterIdentifier", "redshift", "cluster:{}"),),
    "logs": (("logGroupName", "logs", "log-group:{}"),),
}


class Calls:
    """The calls that were made since the start or the last reset, each with how often."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str], int] = {}
        self._lock = threading.Lock()

    def recorded(self, services: Application) -> Application:
        """The application with each of its requests recorded, but those of the control plane."""

        def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            if not environ["PATH_INFO"].startswith(PREFIX):
                self._record(environ)
            return services(environ, start_response)

        return application

    def records(self) -> list[dict[str, object]]:
        """Caller, action, resource ("*" where none is known) and count of each call."""
        with self._lock:
            counts = dict(self._counts)
        return [
            {"caller": caller, "action": action, "resource": resource, "count": count}
            for (caller, action, resource), count in counts.items()
        ]

    def clear(self) -> None:
        """Forgets them all."""
        with self._lock:
            self._counts.clear()

    def _record(self, environ: dict[str, Any]) -> None:
        service, operation = action_of(environ)
        action = f"{service}:{operation}"
        action = _PERMISSIONS.get(action, action)
        signed = _SIGNED.search(environ.get("HTTP_AUTHORIZATION", ""))
        caller = _caller(signed["key"]) if signed else "anonymous"
        call = (caller, action, _resource(service, action, environ, signed["region"] if signed else ""))
        with self._lock:
            self._counts[call] = self._counts.get(call, 0) + 1
            if len(self._counts) > _REMEMBERED:
                del self._counts[next(iter(self._counts))]


def _caller(key: str) -> str:
    for role in sts_backends[ACCOUNT_ID]["aws"].assumed_roles:
        if role.access_key_id == key:
            return str(role.role_arn)
    return key


def _resource(service: str, action: str, environ: dict[str, Any], region: str) -> str:
    """The ARN of what a call is about, or "*" where the request does not name it as we know it."""
    if service == "s3":
        bucket, _, key = unquote(environ["PATH_INFO"]).strip("/").partition("/")
        return f"arn:aws:s3:::{bucket}/{key or '*'}" if _is_object(action, key) else f"arn:aws:s3:::{bucket}"
    members = _members(environ)
    where = f"{region}:{ACCOUNT_ID}"
    if service == "glue":
        return f"arn:aws:glue:{where}:{_in_glue(action, members)}"
    if service == "quicksight":
        found = re.search(r"/data-sets/([^/]+)(?:/ingestions/([^/]+))?", environ["PATH_INFO"])
        ingestion = f"/ingestion/{found[2]}" if found and found[2] else ""
        return f"arn:aws:quicksight:{where}:dataset/{found[1]}{ingestion}" if found else "*"
    if workgroup := members.get("WorkgroupName"):
        known = redshift_serverless_backends[ACCOUNT_ID][region].workgroups.get(workgroup, {})
        return str(known.get("workgroupArn", "*"))
    for member, named, ending in _NAMED_BY.get(service, ()):
        if name := members.get(member):
            return name if name.startswith("arn:") else f"arn:aws:{named}:{where}:{ending.format(name)}"
    return "*"


def _is_object(action: str, key: str) -> bool:
    """DeleteObjects names its keys in the body only: any of the bucket."""
    return bool(key) or action == "s3:DeleteObject"


def _in_glue(action: str, members: dict[str, str]) -> str:
    name = members.get("Name", "")
    if job := members.get("JobName"):
        return f"job/{job}"
    if database := members.get("DatabaseName"):
        table = members.get("TableName") or name
        return f"table/{database}/{table}" if table else f"database/{database}"
    kind = action.removeprefix("glue:").lower()
    for what in ("database", "connection"):
        if what in kind and name:
            return f"{what}/{name}"
    return "catalog"


def _members(environ: dict[str, Any]) -> dict[str, str]:
    """The members of a request that are text, whether it is JSON or a form; it can be read again."""
    body = environ["wsgi.input"].read()
    environ["wsgi.input"] = BytesIO(body)
    content_type = str(environ.get("CONTENT_TYPE", ""))
    try:
        members = json.loads(body) if "json" in content_type and body else {}
    except ValueError:
        members = {}
    if not isinstance(members, dict):  # the service refuses it in its own words
        return {}
    if content_type.startswith("application/x-www-form-urlencoded"):
        members = Request(environ).values.to_dict()
        environ["wsgi.input"] = BytesIO(body)
    return {name: value for name, value in members.items() if isinstance(value, str)}
