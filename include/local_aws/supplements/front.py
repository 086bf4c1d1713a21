"""Sends the requests for services that moto lacks to ours, by the service that a request was signed for."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

from moto.backends import get_backend  # noqa: F401  # imported first: moto's modules import one another in a circle
from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response

from local_aws.keep_alive import Application
from local_aws.supplements import (
    budgets,
    glue,
    mwaa,
    quicksight,
    redshift,
    redshift_serverless,
    s3_denials,
    security_groups,
    tls_only_policies,
    unsupported,
)
from local_aws.supplements.request import AwsError, Body, Request

_SIGNED = re.compile(r"Credential=[^/]*/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")


class SupplementedMoto:
    """The WSGI application before moto's.

    Args:
        moto: Answers whatever is not ours; its classes are supplemented in place, once in a process.
        airflow_url: The Airflow behind MWAA's environments, if one runs.
    """

    def __init__(self, moto: Application, airflow_url: str | None = None) -> None:
        for module in (budgets, glue, redshift, s3_denials, security_groups, tls_only_policies, unsupported):
            module.install()
        self._moto = moto
        self._lock = threading.Lock()
        self._services: dict[str, Callable[[Request], Body | None]] = {
            "airflow": partial(mwaa.answer, airflow_url=airflow_url),
            "redshift-serverless": redshift_serverless.answer,
            "quicksight": quicksight.answer,
        }

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answers one request."""
        signed = _SIGNED.search(environ.get("HTTP_AUTHORIZATION", ""))
        answer = self._services.get(signed["service"]) if signed else None
        if signed is None or answer is None:
            return self._moto(environ, start_response)
        http = HttpRequest(environ)
        content = http.get_data()
        try:
            with self._lock:
                body = answer(_request(http, signed["region"], content))
        except AwsError as error:
            body = {"__type": error.code, "message": str(error), **error.members}
            headers = {"x-amzn-ErrorType": error.code}
            return _response(body, error.status, headers)(environ, start_response)
        if body is None:
            environ["wsgi.input"].seek(0)
            return self._moto(environ, start_response)
        return _response(body, 200, {})(environ, start_response)


def _request(http: HttpRequest, region: str, content: bytes) -> Request:
    # Ids and ARNs in a path are percent-encoded, and a proxy's request line is a whole address.
    path = urlsplit(http.environ.get("RAW_URI") or http.path).path
    return Request(
        method=http.method,
        path=tuple(unquote(part) for part in path.strip("/").split("/")),
        query={key: tuple(values) for key, values in http.args.lists()},
        operation=http.headers.get("X-Amz-Target", "").rpartition(".")[2],
        body=json.loads(content) if content.strip() else {},
        region=region,
    )


def _response(body: Body, status: int, headers: dict[str, str]) -> Response:
    return Response(json.dumps(body), status, headers, content_type="application/x-amz-json-1.1")
