"""The MWAA environment: its DAG folder in S3, its status, and Airflow's REST API through AWS."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as AwsConnectionError
from rich.console import Console

CHECK_DAG = "deployment_check"
_FAILED = {"CREATE_FAILED", "UPDATE_FAILED", "UNAVAILABLE", "DELETING", "DELETED"}
_UPDATE_SECONDS = 90 * 60.0
# MWAA syncs the folder about every half minute; Airflow looks for new files every five minutes.
_PARSE_SECONDS = 15 * 60.0
_RUN_SECONDS = 20 * 60.0
_POLL_SECONDS = 5.0


class UnhealthyError(Exception):
    """The environment, or Airflow in it, is not as it should be; one sentence."""


class _TooLongError(UnhealthyError):
    """What was waited for has not come."""


class _NoAnswerError(UnhealthyError):
    """This time there is no answer; another time there may be."""


def upload_dags(folder: Path, uri: str, region: str) -> int:
    """Make the environment's DAG folder equal to the package's: SQL first, the check last, then deletions.

    Args:
        folder: The package's DAG folder.
        uri: `s3://bucket/prefix/` of the environment's.
        region: The bucket's region.

    Returns:
        How many files were uploaded.
    """
    s3 = boto3.client("s3", region_name=region)
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    # The check tells which package it is of: once Airflow has it, it has what came before it.
    files = sorted(
        (path for path in folder.rglob("*") if path.is_file()),
        key=lambda path: (path.stem == CHECK_DAG, path.suffix != ".sql", str(path)),
    )
    keys = [prefix + path.relative_to(folder).as_posix() for path in files]
    for path, key in zip(files, keys, strict=True):
        s3.upload_file(str(path), bucket, key)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", []):
            if found["Key"] not in keys:
                s3.delete_object(Bucket=bucket, Key=found["Key"])
    return len(files)


class Environment:
    """One environment of Amazon MWAA.

    Args:
        name: Its name.
        region: Its region.
        console: Where progress is shown.
    """

    def __init__(self, name: str, region: str, console: Console) -> None:
        self.name = name
        self._console = console
        self._mwaa = boto3.client("mwaa", region_name=region)

    def wait_until_available(self) -> None:
        """Wait for a creation or an update to end.

        Raises:
            UnhealthyError: It has failed, or takes longer than an hour and a half.
        """

        def available() -> bool:
            found = self._mwaa.get_environment(Name=self.name)["Environment"]
            if found["Status"] in _FAILED:
                error = found.get("LastUpdate", {}).get("Error", {}).get("ErrorMessage", "no reason is told")
                raise UnhealthyError(f"Environment {self.name} is {found['Status']}: {error}")
            return bool(found["Status"] == "AVAILABLE")

        self._wait(f"environment {self.name} is available", available, _UPDATE_SECONDS)

    def wait_until_parsed(self, dag_ids: set[str], digest: str) -> None:
        """Wait until Airflow has read the package that was uploaded.

        MWAA brings the folder to Airflow some time after the upload, and Airflow reads files again and again
        meanwhile: an error is the package's when it is from after the check of this package came.

        Args:
            dag_ids: The DAGs that it holds.
            digest: The package's; the description of the check ends with it.

        Raises:
            UnhealthyError: A DAG does not import, or does not appear.
        """
        arrived: list[str] = []
        errors: list[dict[str, Any]] = []

        def parsed() -> bool:
            errors[:] = self.airflow("GET", "/importErrors")["import_errors"]
            dags = {dag["dag_id"]: dag for dag in self.airflow("GET", "/dags", limit=100)["dags"]}
            check = dags.get(CHECK_DAG)
            if check is None or not str(check["description"]).endswith(digest):
                return False
            if not arrived:
                arrived.append(check["last_parsed_time"])
            for error in errors:
                if error["timestamp"] >= arrived[0]:
                    raise _does_not_import(error)
            return all(
                dag_id in dags and dags[dag_id]["last_parsed_time"] >= arrived[0] for dag_id in dag_ids
            )

        try:
            self._wait(f"Airflow has read package {digest}", parsed, _PARSE_SECONDS)
        except _TooLongError:
            if errors:
                raise _does_not_import(errors[0]) from None
            raise

    def run_check(self) -> None:
        """Run the one task of the check.

        Raises:
            UnhealthyError: It failed, or did not end.
        """
        run_id = f"deploy-{datetime.now(UTC):%Y%m%dT%H%M%S}"
        runs = f"/dags/{CHECK_DAG}/dagRuns"
        self.airflow("POST", runs, {"dag_run_id": run_id, "logical_date": None})

        def succeeded() -> bool:
            state = self.airflow("GET", f"{runs}/{run_id}")["state"]
            if state == "failed":
                raise UnhealthyError(
                    f"The run {run_id} of {CHECK_DAG} failed: the log of its task in Airflow's web UI, or in "
                    f"log group airflow-{self.name}-Task, says what Airflow was refused."
                )
            return bool(state == "success")

        self._wait(f"run {run_id} of {CHECK_DAG} has succeeded", succeeded, _RUN_SECONDS)

    def airflow(self, method: str, path: str, body: dict[str, Any] | None = None, **query: Any) -> Any:
        """Call Airflow's REST API.

        Args:
            method: GET, POST and so on.
            path: The path below /api/v2, at most 64 characters.
            body: What to send.
            query: Query parameters.

        Raises:
            UnhealthyError: Airflow or MWAA refuses the call, or does not answer.
        """
        request: dict[str, Any] = {"Name": self.name, "Path": path, "Method": method}
        request |= {"QueryParameters": query} if query else {}
        request |= {"Body": body} if body else {}
        try:
            return self._mwaa.invoke_rest_api(**request)["RestApiResponse"]
        except (ClientError, BotoCoreError) as error:
            answer = getattr(error, "response", {})
            body = answer.get("RestApiResponse")
            detail = body.get("detail") if isinstance(body, dict) else body
            told = str(detail or error).rstrip(".")
            if _may_pass(error):
                raise _NoAnswerError(
                    f"Airflow of {self.name} does not answer {method} {path}: {told}."
                ) from None
            denied = "AccessDeniedException" in str(error) or answer.get("RestApiStatusCode") == 403
            need = " You need airflow:InvokeRestApi on the environment, with Airflow's role Op or Admin."
            raise UnhealthyError(
                f"Airflow of {self.name} refuses {method} {path}: {told}.{need if denied else ''}"
            ) from None

    def _wait(self, until: str, reached: Callable[[], bool], seconds: float) -> None:
        started = time.monotonic()
        with self._console.status(f"Waiting until {until}"):
            while True:
                why = ""
                try:
                    if reached():
                        break
                except (_NoAnswerError, AwsConnectionError, HTTPClientError) as error:
                    why = f" ({str(error).rstrip('.')})"
                if time.monotonic() - started > seconds:
                    raise _TooLongError(
                        f"After {seconds / 60:.0f} minutes it is not so that {until}{why}: look at "
                        f"{self.name} in the MWAA console."
                    )
                time.sleep(_POLL_SECONDS)
        self._console.print(f"{until[0].upper()}{until[1:]} ({time.monotonic() - started:.0f} s).")


def _may_pass(error: Exception) -> bool:
    """Whether it is no refusal: nobody answered, or Airflow's or MWAA's server failed.

    AWS tells a 5xx of Airflow's as a RestApiServerException with status 400, and botocore does not try again.
    """
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return error.response["Error"]["Code"] == "RestApiServerException" or status >= 500
    return isinstance(error, (AwsConnectionError, HTTPClientError))


def _does_not_import(error: dict[str, Any]) -> UnhealthyError:
    told = str(error["stack_trace"]).strip().splitlines()[-1]
    return UnhealthyError(f"{error['filename']} does not import: {told}")
