"""Gives moto a memory: requests that changed something are recorded, and replayed at the next start.

moto holds an account in Python objects. The same requests, in the same order, at the same times by moto's
clock and with the same random numbers, make the same account again: the same ids, ARNs and dates.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

import moto.core.utils
from moto.backends import get_backend
from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY
from moto.moto_api._internal import mock_random
from moto.s3.models import FakeMultipart, s3_backends

from local_aws.durability.store import RecordedRequest, Store
from local_aws.keep_alive import Application
from local_aws.request_action import action_of

log = logging.getLogger(__name__)

_READING = re.compile(
    r"(Get|List|Describe|Head|BatchGet|Search|Select|Query|Scan|Lookup|Filter|Simulate|Decode|Estimate)[A-Z].*"
    r"|ListBuckets|HeadBucket"
)
# They ask the Airflow behind an environment, which may take its time and remembers by itself.
_OF_AIRFLOW = frozenset({("airflow", "GetEnvironment"), ("airflow", "InvokeRestApi")})
_WHOLE_OBJECT = frozenset({"PutObject", "DeleteObject"})


class _Clock:
    """moto's present: a fixed moment while a request is answered, so that its replay has the same."""

    def __init__(self) -> None:
        self.moment: datetime | None = None

    def now(self) -> datetime:
        return self.moment or datetime.now(UTC).replace(tzinfo=None)

    def install(self) -> None:
        """Puts it in the place of moto's own, also where that was imported by name."""
        original = moto.core.utils.utcnow
        if getattr(original, "__self__", None).__class__ is _Clock:
            return
        for name, module in list(sys.modules.items()):
            if name.startswith("moto.") and getattr(module, "utcnow", None) is original:
                module.utcnow = self.now  # type: ignore[attr-defined]  # it was there


_clock = _Clock()


def _seed_upload_ids() -> None:
    """Takes the ids of multipart uploads, alone of all, from the random numbers that are seeded."""
    moto_init = FakeMultipart.__init__
    if getattr(moto_init, "seeded", False):
        return

    def init(self: FakeMultipart, *arguments: Any, **named: Any) -> None:
        moto_init(self, *arguments, **named)
        self.id = mock_random.get_random_string(56)

    init.seeded = True  # type: ignore[attr-defined]  # a mark on a function
    FakeMultipart.__init__ = init  # type: ignore[method-assign]


class Recorded:
    """The WSGI application before moto's, when the account shall outlive the process.

    One request at a time: the order in which they are recorded is the one in which they took effect.

    Args:
        application: moto and its supplements.
        store: Where requests are kept.
    """

    def __init__(self, application: Application, store: Store) -> None:
        self._application = application
        self._store = store
        self._lock = threading.Lock()
        _clock.install()
        _seed_upload_ids()

    def replay(self) -> int:
        """Makes the account again.

        Returns:
            The number of requests.
        """
        number = 0
        for number, request in enumerate(self._store.requests(), 1):  # noqa: B007  # the last is returned
            status, _ = self._answer(_environ(request), request.body, request.seed, request.at, [])
            if status >= 400:
                log.debug("%s answered %s when replayed", request.operation, status)
        return number

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answers one request, and records it if it changed something."""
        service, operation = action_of(environ)
        if (service, operation) in _OF_AIRFLOW:
            return self._application(environ, start_response)
        body = environ["wsgi.input"].read()
        if (service, operation) == ("sqs", "ReceiveMessage"):
            body = _without_waiting(environ, body)
        kept = _kept_part(environ)
        started: list[tuple[str, list[tuple[str, str]]]] = []
        with self._lock:
            seed, at = secrets.randbits(63), datetime.now(UTC).replace(tzinfo=None)
            status, answer = self._answer(environ, body, seed, at, started)
            if status < 400 and not _READING.fullmatch(operation) and _has_effect(operation, answer):
                whole = _object_of(environ) if service == "s3" and operation in _WHOLE_OBJECT else None
                request = RecordedRequest(at, seed, operation, whole, kept, body)
                deleted = _each_deleted(request, environ, answer) if service == "s3" else []
                for one in deleted or [request]:
                    forget = one.object is not None and not _is_versioned(one.object)
                    self._store.record(one, forget_earlier=forget)
        start_response(*started[-1])
        return [answer]

    def _answer(
        self,
        environ: dict[str, Any],
        body: bytes,
        seed: int,
        at: datetime,
        started: list[tuple[str, list[tuple[str, str]]]],
    ) -> tuple[int, bytes]:
        def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> None:
            started.append((status, headers))

        environ["wsgi.input"] = BytesIO(body)
        _clock.moment = at
        mock_random.seed(seed)
        try:
            parts = self._application(environ, start_response)
            answer = b"".join(parts)
            if hasattr(parts, "close"):
                parts.close()
        finally:
            _clock.moment = None
        return int(started[-1][0].split()[0]), answer


def _kept_part(environ: dict[str, Any]) -> str:
    """A request's line and headers."""
    kept = {
        name: value
        for name, value in environ.items()
        if isinstance(value, str) and not name.startswith(("wsgi.", "werkzeug."))
    }
    names = environ.get(PRESERVED_HEADER_NAMES_ENVIRON_KEY) or {}
    return json.dumps([kept, names])


def _environ(request: RecordedRequest) -> dict[str, Any]:
    kept, names = json.loads(request.environ)
    return {
        **kept,
        PRESERVED_HEADER_NAMES_ENVIRON_KEY: names,
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.input_terminated": True,
        "wsgi.multithread": False,
    }


def _without_waiting(environ: dict[str, Any], body: bytes) -> bytes:
    """A long poll made short: it would hold up every other request, and SQS may always answer early."""
    asked = json.loads(body) if body.startswith(b"{") else None
    if not isinstance(asked, dict):
        return body
    content = json.dumps({**asked, "WaitTimeSeconds": 0}).encode()
    environ["CONTENT_LENGTH"] = str(len(content))
    return content


def _has_effect(operation: str, answer: bytes) -> bool:
    return operation != "ReceiveMessage" or b"ReceiptHandle" in answer


def _object_of(environ: dict[str, Any]) -> str | None:
    """The object as bucket/key; None where the bucket stands in the host's name, not in the path."""
    path = str(environ["PATH_INFO"]).lstrip("/")
    return path if path.partition("/")[0] in s3_backends.bucket_accounts else None


def _is_versioned(whole: str) -> bool:
    bucket = whole.partition("/")[0]
    partition, account = s3_backends.bucket_accounts[bucket]
    return bool(get_backend("s3")[account][partition].get_bucket(bucket).is_versioned)


def _each_deleted(request: RecordedRequest, environ: dict[str, Any], answer: bytes) -> list[RecordedRequest]:
    """A DeleteObjects as a DeleteObject of each, so that the objects' next requests make it forgotten.

    None of a request that is something else, of one that was refused for an object, and where versions are.
    """
    if request.operation != "DeleteObjects" or b"<Error>" in answer:
        return []
    bucket = _object_of(environ)
    asked = ET.fromstring(request.body).findall("{*}Object")  # noqa: S314  # moto has parsed it
    keys = [one.findtext("{*}Key") for one in asked if len(one) == 1]
    if bucket is None or _is_versioned(bucket) or len(keys) < len(asked):
        return []
    return [_as_deletion(request, f"{bucket.rstrip('/')}/{key}") for key in keys]


def _as_deletion(request: RecordedRequest, whole: str) -> RecordedRequest:
    line, names = json.loads(request.environ)
    address = f"/{quote(whole)}"
    # WSGI's text holds bytes.
    path = whole.encode().decode("latin-1")
    line |= {"REQUEST_METHOD": "DELETE", "PATH_INFO": f"/{path}", "RAW_URI": address, "REQUEST_URI": address}
    line |= {"QUERY_STRING": "", "CONTENT_LENGTH": "0"}
    return replace(
        request, operation="DeleteObject", object=path, environ=json.dumps([line, names]), body=b""
    )
