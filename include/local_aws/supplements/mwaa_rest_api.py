"""MWAA's InvokeRestApi: Airflow's REST API through AWS, led to an Airflow that runs on this machine."""

from __future__ import annotations

import httpx

from local_aws.supplements.request import AwsError, Body, InvalidError

# What MWAA puts before the path that a caller names.
_ROOT = "/api/v2"
_LONGEST_PATH = 64
_SECONDS = 30


class RestApiClientError(AwsError):
    """Airflow refused the request; its answer is in the error."""

    code = "RestApiClientException"
    status = 400


class RestApiServerError(RestApiClientError):
    """Airflow failed; its answer is in the error."""

    code = "RestApiServerException"


def answers(airflow_url: str | None) -> bool:
    """Whether an Airflow's API server answers at an address."""
    try:
        return (
            airflow_url is not None and httpx.get(f"{airflow_url}{_ROOT}/version", trust_env=False).is_success
        )
    except httpx.HTTPError:
        return False


def invoke(name: str, airflow_url: str | None, request: Body) -> Body:
    """Calls Airflow, as whom its simple auth manager makes everybody: the administrator.

    Args:
        name: The environment.
        airflow_url: The address of Airflow's API server, or None if there is none.
        request: InvokeRestApi's members.

    Returns:
        Airflow's status and answer.

    Raises:
        InvalidError: The path is too long for MWAA, or no Airflow runs behind the environment.
        RestApiClientError: Airflow answered with a status from 400 on.
    """
    path = str(request["Path"])
    if len(path) > _LONGEST_PATH:
        raise InvalidError(
            f"Path has {len(path)} characters and MWAA takes {_LONGEST_PATH}: use shorter ids."
        )
    if airflow_url is None:
        raise InvalidError(
            f"No Airflow runs behind environment {name}: start one, and local_aws with --airflow-url."
        )
    try:
        with httpx.Client(base_url=airflow_url, timeout=_SECONDS, trust_env=False) as airflow:
            token = airflow.get("/auth/token").raise_for_status().json()["access_token"]
            answer = airflow.request(
                request["Method"],
                f"{_ROOT}{path}",
                params=request.get("QueryParameters"),
                json=request.get("Body"),
                headers={"Authorization": f"Bearer {token}"},
            )
    except httpx.HTTPError as error:
        raise InvalidError(f"Airflow at {airflow_url} does not answer: {error}.") from None
    told = answer.json() if answer.content else {}
    body = {"RestApiStatusCode": answer.status_code, "RestApiResponse": told}
    if answer.is_error:
        kind = RestApiServerError if answer.is_server_error else RestApiClientError
        raise kind(f"Airflow answered {answer.status_code} to {request['Method']} {path}.", body)
    return body
