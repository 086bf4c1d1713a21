"""The WSGI application that makes requests fail as /_local/faults asked for, and answers there."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from botocore.exceptions import UnknownServiceError
from moto.core.exceptions import ServiceException
from moto.core.request import Request, determine_request_protocol
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.wrappers import Response

from local_aws.control import PREFIX
from local_aws.faults import BadFaultError, Fault, Faults
from local_aws.keep_alive import Application, HangUpError
from local_aws.request_action import action_of, model_name

PATH = f"{PREFIX}faults"

# Any code may be asked for, also one that the service's model lacks, as AWS's common ones.
warnings.filterwarnings("ignore", message=r"Exception\(_AskedForError\)")

_OFF = "Faults are off: start local_aws with --faults."
# Codes that services' models do not hold, or hold without their status.
_STATUSES = {
    "AccessDenied": 403,
    "InternalError": 500,
    "InternalFailure": 500,
    "InternalServerException": 500,
    "InternalServiceException": 500,
    "NoSuchBucket": 404,
    "NoSuchKey": 404,
    "ServiceUnavailable": 503,
    "SlowDown": 503,
}
_CODES = {500: "InternalFailure", 503: "ServiceUnavailable"}


class _AskedForError(ServiceException):
    """A fault's error; moto would look one of its own class up in a service named "core"."""


class FaultInjection:
    """The application before all others.

    Args:
        application: Answers the requests that no fault refuses.
        faults: What shall go wrong; None when this process was started without.
    """

    def __init__(self, application: Application, faults: Faults | None) -> None:
        self._application = application
        self._faults = faults

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answers one request.

        Raises:
            HangUpError: The answer shall be lost.
        """
        if environ["PATH_INFO"] == PATH:
            return self._control(environ)(environ, start_response)
        if self._faults is None or environ["PATH_INFO"].startswith(PREFIX):
            return self._application(environ, start_response)
        service, operation = action_of(environ)
        fault = self._faults.of_request(service, operation)
        if fault is None:
            return self._application(environ, start_response)
        time.sleep(fault.delay)
        if fault.error:
            return _refusal(environ, service, operation, fault)(environ, start_response)
        answer = self._application(environ, start_response)
        if fault.drop_response:
            raise HangUpError(f"{service} {operation}")
        return answer

    def _control(self, environ: dict[str, Any]) -> Response:
        if self._faults is None:
            return _json({"error": _OFF}, 403)
        method = environ["REQUEST_METHOD"]
        if method == "POST":
            try:
                return _json(self._faults.add(environ["wsgi.input"].read()).shown(), 200)
            except BadFaultError as error:
                return _json({"error": str(error)}, 400)
        if method == "DELETE":
            self._faults.clear()
        elif method != "GET":
            return _json({"error": f"There is no {method} {PATH}; there are GET, POST and DELETE."}, 405)
        return _json(self._faults.shown(), 200)


def _json(value: object, status: int) -> Response:
    return Response(json.dumps(value, indent=2) + "\n", status, content_type="application/json")


def _refusal(environ: dict[str, Any], service: str, operation: str, fault: Fault) -> Response:
    """The error in the format that the client's SDK reads for this service."""
    asked = str(fault.error)
    status = int(asked) if asked.isdecimal() else _STATUSES.get(asked)
    code = asked if not asked.isdecimal() else _CODES.get(int(asked), "InternalFailure")
    model = get_service_model(model_name(service))
    try:
        protocol = determine_request_protocol(model, Request(environ).content_type)
        serializer = get_serializer_class(model.service_name, protocol)(model.operation_model(operation))
    except (NotImplementedError, UnknownServiceError) as error:
        return _json({"error": f"The error of {service} {operation} cannot be put into words: {error}"}, 500)
    answer = serializer.serialize(_AskedForError(code, f"{code}: asked for at {PATH}"))
    return Response(answer["body"], status or answer["status_code"], answer["headers"])
