"""Job runs on the wire: AWS JSON 1.1 in, a call of the backend, AWS JSON 1.1 out."""

import json
import logging
import uuid
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache
from typing import Any

from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response

from local_aws.glue_jobs.exceptions import GlueError, InternalServiceException, InvalidInputException
from local_aws.glue_jobs.models import GlueJobsBackend

log = logging.getLogger(__name__)

type Body = dict[str, Any]

_MOST_RUNS = 200


@cache
def service_model() -> ServiceModel:
    """AWS's own description of Glue, as botocore ships it."""
    return ServiceModel(Loader().load_service_model("glue", "service-2"), "glue")


class GlueJobsResponse:
    """The WSGI application of job runs; each operation is the method of its name in snake case."""

    def __init__(self, backend: GlueJobsBackend) -> None:
        self.backend = backend

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answers one request."""
        http = HttpRequest(environ)
        operation = http.headers.get("X-Amz-Target", "").partition(".")[2]
        try:
            body, status = self.answer(operation, http.get_data()), 200
        except GlueError as error:
            body, status = {"__type": error.code, "Message": str(error)}, error.status
        except Exception as error:
            log.exception("%s failed", operation)
            body = {"__type": InternalServiceException.__name__, "Message": f"local_aws failed: {error!r}"}
            status = InternalServiceException.status
        text = json.dumps(body, default=_seconds, separators=(",", ":"))
        headers = {"x-amzn-RequestId": str(uuid.uuid4())}
        response = Response(text, status, headers, content_type="application/x-amz-json-1.1")
        return response(environ, start_response)

    def answer(self, operation: str, content: bytes) -> Body:
        """Runs one operation.

        Args:
            operation: AWS's name of it, one of those in urls.
            content: The request's body, JSON.

        Returns:
            The members of the operation's output shape; timestamps are datetimes.

        Raises:
            GlueError: Any error that AWS would send.
        """
        try:
            request = json.loads(content or b"{}")
        except ValueError:
            raise InvalidInputException("The request's body is not JSON.") from None
        shape = service_model().operation_model(operation).input_shape
        if shape is None:
            raise InvalidInputException(f"{operation} takes no request.")
        errors = ParamValidator().validate(request, shape)
        if errors.has_errors():
            raise InvalidInputException(errors.generate_report())
        call: Callable[[Body], Body] = getattr(self, xform_name(operation))
        return call(request)

    def start_job_run(self, request: Body) -> Body:
        """StartJobRun."""
        return {"JobRunId": self.backend.start(request).id}

    def get_job_run(self, request: Body) -> Body:
        """GetJobRun; a run has no predecessors, since there are no triggers."""
        return {"JobRun": _without_none(self.backend.run(request["JobName"], request["RunId"]).description())}

    def get_job_runs(self, request: Body) -> Body:
        """GetJobRuns, the latest first; the token is the place of the next run."""
        runs = self.backend.runs(request["JobName"])
        token = request.get("NextToken") or "0"
        if not token.isdigit():
            raise InvalidInputException(f"NextToken {token} is not one that GetJobRuns gave.")
        start = int(token)
        end = start + (request.get("MaxResults") or _MOST_RUNS)
        page: Body = {"JobRuns": [_without_none(run.description()) for run in runs[start:end]]}
        return page | ({"NextToken": str(end)} if end < len(runs) else {})

    def batch_stop_job_run(self, request: Body) -> Body:
        """BatchStopJobRun."""
        name = request["JobName"]
        answer: Body = {"SuccessfulSubmissions": [], "Errors": []}
        for run_id in request["JobRunIds"]:
            run = {"JobName": name, "JobRunId": run_id}
            try:
                self.backend.stop(name, run_id)
                answer["SuccessfulSubmissions"].append(run)
            except GlueError as error:
                detail = {"ErrorCode": error.code, "ErrorMessage": str(error)}
                answer["Errors"].append({**run, "ErrorDetail": detail})
        return answer


def _without_none(body: Body) -> Body:
    return {name: value for name, value in body.items() if value is not None}


def _seconds(value: object) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{type(value).__name__} has no JSON form")
