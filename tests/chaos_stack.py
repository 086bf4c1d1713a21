"""A real Airflow, a real local_aws, and the means to break them: kills by PID, faults, users who intervene.

Every component is a process of its own. Their intervals are shorter than Airflow's defaults, so that what
takes minutes for a user (a lost heartbeat, a dead triggerer) takes seconds here; nothing else differs.
"""

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import httpx
import psutil
from botocore.exceptions import BotoCoreError, ClientError

from laptop.airflow import AIRFLOW, COMPONENTS, AirflowApi, AirflowError, migrate_database
from laptop.environment import PROJECT, airflow_environment
from laptop.processes import Processes
from ports import free_port
from postgresql import postgresql

DAGS = Path(__file__).with_name("chaos") / "dags"
INTERVALS = {
    "AIRFLOW__CORE__PARALLELISM": "6",
    "AIRFLOW__SCHEDULER__JOB_HEARTBEAT_SEC": "1",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "8",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "3",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "10",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "1",
    "AIRFLOW__SCHEDULER__TRIGGER_TIMEOUT_CHECK_INTERVAL": "1",
    "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "1",
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "8",
    # Together a minute: a new API server takes 15 s and more on a busy machine.
    "AIRFLOW__WORKERS__MAX_FAILED_HEARTBEATS": "60",
}


@dataclass
class Chaos:
    """What runs."""

    api: AirflowApi
    processes: Processes
    environment: dict[str, str]
    folder: Path
    aws_command: list[str]
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @cached_property
    def aws(self) -> httpx.Client:
        """What local_aws tells and takes beside AWS's interfaces; on a busy machine it takes its time."""
        return httpx.Client(base_url=self.environment["AWS_ENDPOINT_URL"], timeout=60)

    # Processes

    def start(self, name: str) -> None:
        """Start a component of Airflow; `triggerer-2` is a second triggerer."""
        self.processes.start(name, [*AIRFLOW, *name.removesuffix("-2").split()], self.environment)

    def kill(self, name: str) -> None:
        """Kill -9 a process and all that it started, as the end of its container does."""
        process = self.processes.running.pop(name)
        with suppress(psutil.NoSuchProcess):
            leader = psutil.Process(process.popen.pid)
            for member in [leader, *leader.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):
                    member.kill()
        with suppress(ProcessLookupError):
            os.killpg(process.popen.pid, signal.SIGKILL)
        process.popen.wait()
        shutil.move(process.log, process.log.with_name(f"{name}-{process.popen.pid}.log"))

    def restart(self, name: str) -> None:
        self.kill(name)
        self.start(name)

    def end_and_restart(self, name: str) -> None:
        """Ask a process to end (SIGTERM), as a deployment does, see it end, and start another."""
        leader = self.processes.running[name].popen
        leader.terminate()
        leader.wait(60)
        self.restart(name)

    def signal(self, name: str, number: signal.Signals) -> None:
        os.killpg(self.processes.running[name].popen.pid, number)

    def keep_alive(self) -> None:
        """Start again what has ended by itself, as MWAA does; local_aws may not."""
        with self._one_at_a_time:
            for name, process in list(self.processes.running.items()):
                if name == "local-aws":
                    process.require_alive()
                elif process.popen.poll() is not None:
                    self.restart(name)

    def start_aws(self) -> None:
        self.processes.start(
            "local-aws", self.aws_command, os.environ | {"PYTHONPATH": str(PROJECT / "include")}
        )
        self.until(lambda: self.aws.get("/_local/health").is_success)

    def restart_aws(self) -> None:
        """Kill -9 local_aws, as a reboot of the cluster in mid-statement, and start it on the same data."""
        self.kill("local-aws")
        self.start_aws()

    def kill_worker(self, dag_id: str, run_id: str, task_id: str = "work") -> None:
        """Kill -9 the process that runs the task, and the one that watches it."""
        kill_with_watcher(self.until(lambda: self._process_of(dag_id, run_id, task_id)))

    def _process_of(self, dag_id: str, run_id: str, task_id: str) -> psutil.Process | None:
        found = self.instance(dag_id, run_id, task_id)
        if found["state"] != "running" or not found["pid"]:
            return None
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(found["pid"])
        return None

    # Faults

    def fault(self, service: str, action: str, **what: Any) -> None:
        """Ask local_aws to let something go wrong."""
        answer = self.aws.post("/_local/faults", json={"service": service, "action": action} | what)
        assert answer.is_success, answer.text

    def hits(self, action: str) -> int:
        found = self.aws.get("/_local/faults").json()
        return sum(fault["hits"] for fault in found if fault["action"] == action)

    def mend(self) -> None:
        self.aws.delete("/_local/faults")

    # What a user does

    def trigger(self, dag_id: str, run_id: str, **conf: Any) -> None:
        boto3.client("s3").put_object(
            Bucket="redshift-etl-scripts",
            Key=f"sql/{run_id}.sql",
            Body=script(run_id).encode(),
        )
        self._ask(
            "POST", f"dags/{dag_id}/dagRuns", {"dag_run_id": run_id, "logical_date": None, "conf": conf}
        )

    def clear(self, dag_id: str, run_id: str, *task_ids: str) -> list[datetime]:
        """Clear tasks; returns when Airflow was asked to, each time that it may have done it."""
        return self._ask(
            "POST",
            f"dags/{dag_id}/clearTaskInstances",
            {"dry_run": False, "dag_run_id": run_id, "task_ids": task_ids, "only_failed": False},
        )

    def mark_failed(self, dag_id: str, run_id: str, task_id: str = "work") -> None:
        self._ask("PATCH", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}", {"new_state": "failed"})

    def delete_run(self, dag_id: str, run_id: str) -> None:
        """Airflow deletes no run that goes on: whoever wants to marks it failed first."""
        self._ask("PATCH", f"dags/{dag_id}/dagRuns/{run_id}", {"state": "failed"})
        self._ask("DELETE", f"dags/{dag_id}/dagRuns/{run_id}")

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> list[datetime]:
        """Ask Airflow for something; ask again while it does not answer, as a user would.

        Returns:
            The moments before each request that reached it.
        """
        asked: list[datetime] = []

        def answered() -> httpx.Response:
            asked.append(datetime.now(UTC))
            try:
                response = self.api._client.request(method, f"/api/v2/{path}", json=body)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                asked.pop()
                raise
            if response.is_server_error:
                raise AirflowError(f"{response.status_code} {response.text}")
            return response

        response = self.until(answered)
        # Asked again, Airflow says that it is done: the first answer was lost.
        if response.is_error and not (len(asked) > 1 and response.status_code in {404, 409}):
            raise AirflowError(f"Airflow answered {response.status_code} to {method} {path}: {response.text}")
        return asked

    # What one sees

    def triggerers_alive_since(self, moment: datetime) -> int:
        """How many triggerers have told that they live since a moment."""
        jobs = self.api._get("/api/v2/jobs", job_type="TriggererJob", is_alive=True)["jobs"]
        return sum(datetime.fromisoformat(job["latest_heartbeat"]) > moment for job in jobs)

    def remembered(self, dag_id: str, run_id: str, task_id: str = "work") -> str:
        """The work that a task has noted in the task state store; empty before."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/state-store"
        noted = self.api._get(path)["task_state_store"]
        return next((str(one["value"]["work_id"]) for one in noted if "work_id" in one["value"]), "")

    def instance(self, dag_id: str, run_id: str, task_id: str = "work") -> dict[str, Any]:
        return next(i for i in self.api.task_instances(dag_id, run_id) if i["task_id"] == task_id)

    def state(self, dag_id: str, run_id: str) -> str:
        return str(self.instance(dag_id, run_id)["state"])

    def end_of(self, dag_id: str, run_id: str, seconds: float = 150) -> str:
        """Wait until the run is at an end."""

        def ended() -> str | None:
            state = self.api.run_state(dag_id, run_id)
            return state if state in {"success", "failed"} else None

        return str(self.until(ended, seconds))

    def statements(self, text: str) -> list[dict[str, Any]]:
        """Every statement with this in it since the start."""
        found = self.aws.get("/_local/statements").json()
        return [one for one in found if any(text in sql for sql in one["sqls"])]

    def until[Found](self, condition: Callable[[], Found | None], seconds: float = 90) -> Found:
        """Wait for something to be so, through restarts of whatever is asked."""
        deadline = time.monotonic() + seconds
        last: Exception | None = None
        while True:
            try:
                if found := condition():
                    return found
            except (httpx.TransportError, AirflowError, StopIteration, BotoCoreError, ClientError) as error:
                last = error
            self.keep_alive()
            assert time.monotonic() < deadline, f"waited in vain; the last error: {last!r}"
            time.sleep(0.1)


def kill_with_watcher(task: psutil.Process) -> None:
    """Kill -9 a task's process and the executor's that watches it.

    The watcher is held still first: an idle one holds the lock of LocalExecutor's queue, and would take it
    along for ever.
    """
    watcher = task.parent()
    if watcher is not None and watcher.pid > 1:
        watcher.suspend()
        if not task.is_running() or task.status() == psutil.STATUS_ZOMBIE:
            watcher.resume()
            return
        watcher.kill()
    task.kill()


def waits(run_id: str) -> str:
    """The first statement of a run's script. Faults let it wait: it locks nothing, so that others go on."""
    return f"select '{run_id}' as waits"


def script(run_id: str) -> str:
    """A script that adds one row, after a while."""
    return f"{waits(run_id)};\ninsert into effects values ('{run_id}');\n"


@contextmanager
def chaos(folder: Path, more: Mapping[str, str], components: Sequence[str] = COMPONENTS) -> Iterator[Chaos]:
    """Start everything, and end all of it.

    Args:
        folder: For Airflow's home, local_aws's data and every process's output.
        more: Settings of Airflow beside those of a laptop.
        components: Airflow's components.
    """
    web_port, aws_port, wire_port, database_port = (free_port() for _ in range(4))
    environment = (
        airflow_environment(
            home=folder / "airflow", web_port=web_port, aws_endpoint=f"http://127.0.0.1:{aws_port}"
        )
        | INTERVALS
        | {
            "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        }
        | more
    )
    (folder / "airflow").mkdir(parents=True)
    aws = {key: value for key, value in environment.items() if key.startswith(("AWS_", "AIRFLOW__REDSHIFT"))}
    # Another stack may be running in this process, and be used again after this one.
    with (
        patch.dict(os.environ, aws),
        postgresql(database_port) as database,
        Processes(folder / "logs") as processes,
    ):
        os.environ.pop("AWS_PROFILE", None)
        # As MWAA has it: so many processes at a time would wait for each other at SQLite.
        environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = database
        command = [sys.executable, "-m", "local_aws", "--port", str(aws_port), "--wire-port", str(wire_port)]
        command += ["--faults", "--quiet", "--data-dir", str(folder / "aws")]
        api = AirflowApi(f"http://127.0.0.1:{web_port}")
        found = Chaos(api, processes, environment, folder, command)
        found.start_aws()
        migrate_database(environment, folder / "logs" / "migrate.log")
        for component in components:
            found.start(component)
        yield found
        found.aws.close()
        api.close()
