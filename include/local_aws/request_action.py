"""Which service and which operation an HTTP request is for, told from its signature and its form."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import UnknownServiceError
from moto.core.request import Request
from moto.core.routing import get_service_router
from werkzeug.exceptions import NotFound

# In the Authorization header, or in the query of a presigned address.
_SIGNED_FOR = re.compile(r"Credential=[^/]*/\d{8}/[^/]+/(?P<service>[^/]+)/aws4_request")
# https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html: what CloudWatch speaks.
_RPC_PATH = re.compile(r"/service/[^/]+/operation/(?P<operation>\w+)")

# IAM's prefix where it is not the name that requests are signed for.
_IAM_PREFIXES = {"monitoring": "cloudwatch"}
# botocore's name of a REST service where it is not the name that requests are signed for.
_MODELS = {"airflow": "mwaa", "ses": "sesv2"}
_ACCOUNT_WIDE_S3 = "/v20180820/"


def action_of(environ: dict[str, Any]) -> tuple[str, str]:
    """Names the AWS call that a request is; its body can be read again afterwards.

    Args:
        environ: The WSGI environment of a request whose `wsgi.input` holds the whole body.

    Returns:
        The service as IAM policies write it, for example "redshift-data", and the operation as boto3's model
        names it, for example "ExecuteStatement" or "ListObjectsV2". The operation is empty where the model
        knows none for the request. An unsigned request is S3's.
    """
    signed = _SIGNED_FOR.search(environ.get("HTTP_AUTHORIZATION", "")) or _SIGNED_FOR.search(
        unquote(environ.get("QUERY_STRING", ""))
    )
    service = signed["service"] if signed else "s3"
    return _IAM_PREFIXES.get(service, service), _operation(environ, service)


def model_name(service: str) -> str:
    """Give botocore's name of the service that IAM calls so."""
    return _MODELS.get(service, service)


def _operation(environ: dict[str, Any], service: str) -> str:
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return str(target).rpartition(".")[2]
    if rpc := _RPC_PATH.fullmatch(environ["PATH_INFO"]):
        return rpc["operation"]
    if str(environ.get("CONTENT_TYPE", "")).startswith("application/x-www-form-urlencoded"):
        return _query_action(environ)
    model = model_name(service)
    if service == "s3" and environ["PATH_INFO"].startswith(_ACCOUNT_WIDE_S3):
        model = "s3control"
    try:
        operation, _ = get_service_router(model).match(Request(environ))
    except (NotFound, UnknownServiceError):
        return ""
    return str(operation.name)


def _query_action(environ: dict[str, Any]) -> str:
    body = environ["wsgi.input"].read()
    environ["wsgi.input"] = BytesIO(body)
    action = str(Request(environ).values.get("Action", ""))
    environ["wsgi.input"] = BytesIO(body)
    return action
