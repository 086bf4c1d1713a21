"""A whole Airflow of real processes, and its REST API."""

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from laptop.processes import Processes, uninterrupted

COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
AIRFLOW = [sys.executable, "-m", "airflow"]
START_SECONDS = 180.0


class AirflowError(Exception):
    """Airflow could not be started, or refused a request."""


def migrate_database(environment: Mapping[str, str], log: Path) -> None:
    """Create Airflow's metadata tables.

    Args:
        environment: What `airflow_environment` returned.
        log: The file for the output.

    Raises:
        AirflowError: The command failed.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        with uninterrupted():
            migration = subprocess.Popen(  # noqa: S603 - our own command, no shell
                [*AIRFLOW, "db", "migrate"], env=dict(environment), stdout=output, stderr=subprocess.STDOUT
            )
        with migration:
            try:
                status = migration.wait()
            except BaseException:
                migration.kill()
                raise
    if status:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise AirflowError(f"'airflow db migrate' failed with status {status}. {log} ends:\n{tail}")


def start_components(processes: Processes, environment: Mapping[str, str]) -> None:
    """Start API server, scheduler, DAG processor and triggerer, as they run in production.

    Args:
        processes: What owns them from here on.
        environment: What `airflow_environment` returned.
    """
    for component in COMPONENTS:
        processes.start(component, [*AIRFLOW, component], environment)


class AirflowApi:
    """The few calls of Airflow's public REST API (v2) that a run needs.

    Args:
        url: The address of the API server.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=url, timeout=30)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def wait_until_ready(self, dag_id: str, processes: Processes) -> None:
        """Wait until the API answers and the DAG is there.

        Args:
            dag_id: The DAG to wait for.
            processes: Checked on the way: a dead process ends the wait.

        Raises:
            AirflowError: The DAG has an import error, or nothing was ready in three minutes.
        """
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            processes.require_alive()
            try:
                if "Authorization" not in self._client.headers:
                    token = self._client.get("/auth/token").raise_for_status().json()["access_token"]
                    self._client.headers["Authorization"] = f"Bearer {token}"
                if self._client.get(f"/api/v2/dags/{dag_id}").status_code == httpx.codes.OK:
                    return
                for error in self._get("/api/v2/importErrors")["import_errors"]:
                    raise AirflowError(f"{error['filename']} does not import:\n{error['stack_trace']}")
            except httpx.TransportError:
                pass  # not listening yet
            time.sleep(0.5)
        raise AirflowError(
            f"Airflow at {self.url} did not show the DAG {dag_id} within {START_SECONDS:.0f} s."
        )

    def trigger(
        self,
        dag_id: str,
        run_id: str,
        logical_date: str | None,
        conf: Mapping[str, Any],
        note: str | None = None,
    ) -> None:
        """Start a DAG run, unless the run is there already.

        Args:
            dag_id: The DAG.
            run_id: A name for the run, unique in the DAG.
            logical_date: ISO 8601 with an offset, or None for a run without one.
            conf: Values for the DAG's params.
            note: What the web UI shows beside the run.

        Raises:
            AirflowError: Airflow refused it; the text is Airflow's.
        """
        body = {"dag_run_id": run_id, "logical_date": logical_date, "conf": dict(conf), "note": note}
        response = self._client.post(f"/api/v2/dags/{dag_id}/dagRuns", json=body)
        if response.is_error and response.status_code != httpx.codes.CONFLICT:
            raise AirflowError(f"Airflow refused to run {dag_id} as {run_id}: {response.text}")

    def run_state(self, dag_id: str, run_id: str) -> str:
        """Return the state of a run: queued, running, success or failed."""
        return str(self._get(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Return the run's task instances: task_id, state, duration in seconds, try_number and more."""
        instances = self._get(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances", limit=200)
        return list(instances["task_instances"])

    def task_log(self, dag_id: str, run_id: str, task_id: str, try_number: int) -> list[str]:
        """Return the messages that a try of a task logged, errors with their text."""
        content = self._get(
            f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}",
            full_content=True,
        )["content"]
        lines = []
        for entry in content:
            lines.append(str(entry.get("event", "")))
            details = entry.get("error_detail") or []
            lines.extend(f"{detail['exc_type']}: {detail['exc_value']}" for detail in details)
        return lines

    def xcom(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """Return what a task returned."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        return self._get(path, deserialize=True)["value"]

    def _get(self, path: str, **query: Any) -> Any:
        response = self._client.get(path, params=query)
        if response.is_error:
            raise AirflowError(f"Airflow answered {response.status_code} to GET {path}: {response.text}")
        return response.json()
