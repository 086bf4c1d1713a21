"""What goes wrong in a storm: kills, faults and users, at moments that a seed decides."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

import httpx
import psutil

from chaos_stack import Chaos, kill_with_watcher
from laptop.airflow import AirflowError

COMPONENTS = ("scheduler", "triggerer", "dag-processor", "api-server", "local-aws")
# Calls of both operators and of everything around them.
CALLS = (
    ("redshift-data", "(Batch)?ExecuteStatement"),
    ("redshift-data", "DescribeStatement"),
    ("redshift-data", "ListStatements"),
    ("redshift-data", "CancelStatement"),
    ("glue", "StartJobRun"),
    ("glue", "GetJobRuns?"),
    ("glue", "BatchStopJobRun"),
    ("s3", "ListObjectsV2"),
    ("s3", "GetObject"),
    ("s3", "PutObject"),
    ("sns", "Publish"),
)
FAILURES: tuple[dict[str, object], ...] = (
    {"drop_response": True},
    {"error": "ThrottlingException"},
    {"error": "500"},
    {"error": "503"},
    {"delay": 3},
)
MESSAGES = (
    "ERROR: 1023 DETAIL: Serializable isolation violation on table - 100",
    'FATAL: connection limit "500" exceeded for non-bootstrap users',
    "ERROR: Disk Full",
)
STATEMENTS = ("^copy", "^insert", "^delete", "^update", "^unload", "^commit$", "^select")
# A task in one of these has not been started since it was last asked for.
NOT_STARTED = {None, "scheduled", "upstream_failed", "skipped", "removed"}
# Its failure does not fail the run, so that nobody would clear it.
TEARDOWN = "record_statements"


class Weather:
    """Breaks one thing after the other.

    Args:
        stack: What it breaks.
        seed: Of the random numbers.
        tell: Called with one line for each thing.
    """

    def __init__(self, stack: Chaos, seed: int, tell: Callable[[str], None]) -> None:
        self.stack = stack
        self.random = random.Random(seed)
        self.tell = tell
        self.kills = Counter[str]()
        self.faults = Counter[str]()
        self.interventions = Counter[str]()
        self.clears = defaultdict[str, list[datetime]](list)
        """When a task may have been asked for again, by the name of its work."""

    def strike(self, runs: list[tuple[str, str]]) -> float:
        """Break one thing, and return how many seconds the next one waits.

        Args:
            runs: DAG and id of every run that goes on.
        """
        happening = self.random.choices(
            [
                self._kill_worker,
                self._kill_component,
                self._call_fails,
                self._statement_fails,
                self._statement_dawdles,
                self._clear,
                self._mark_failed,
            ],
            weights=[5, 2, 5, 2, 3, 1, 1],
        )[0]
        # Dice of its own: what follows is the same, however far this one comes.
        dice = random.Random(self.random.getrandbits(32))
        wait = self.random.uniform(1, 7)
        # What is not there any more just now, or does not answer after a kill, is not broken once more.
        with suppress(AirflowError, httpx.HTTPError, psutil.NoSuchProcess, StopIteration):
            happening(dice, runs)
        return wait

    def _task(
        self, dice: random.Random, runs: list[tuple[str, str]], *states: str
    ) -> tuple[str, str, dict[str, Any]]:
        """Choose among the tasks in these states; StopIteration when there is none."""
        found = [
            (dag_id, run_id, instance)
            for dag_id, run_id in sorted(runs)
            for instance in sorted(
                self.stack.api.task_instances(dag_id, run_id), key=lambda one: str(one["task_id"])
            )
            if instance["state"] in states
        ]
        if not found:
            raise StopIteration
        return found[int(dice.random() * len(found))]

    def _kill_worker(self, dice: random.Random, runs: list[tuple[str, str]]) -> None:
        dag_id, run_id, task = self._task(dice, runs, "running")
        whole = dice.random() < 0.7
        if whole:
            kill_with_watcher(psutil.Process(task["pid"]))
        else:
            psutil.Process(task["pid"]).kill()
        self.kills["worker" if whole else "task process"] += 1
        self.tell(f"kill -9 the {'worker' if whole else 'process'} of {dag_id}.{task['task_id']} of {run_id}")

    def _kill_component(self, dice: random.Random, runs: list[tuple[str, str]]) -> None:  # noqa: ARG002
        name = dice.choice(COMPONENTS)
        if name == "local-aws":
            self.stack.restart_aws()
        else:
            self.stack.restart(name)
        self.kills[name] += 1
        self.tell(f"kill -9 the {name}, and start another")

    def _call_fails(self, dice: random.Random, runs: list[tuple[str, str]]) -> None:  # noqa: ARG002
        service, action = dice.choice(CALLS)
        failure = dice.choice(FAILURES)
        times = dice.randint(1, 4)
        self.stack.fault(service, action, times=times, **failure)
        self.faults[service] += 1
        self.tell(f"{service} {action}, {times} times: {failure}")

    def _statement_fails(self, dice: random.Random, runs: list[tuple[str, str]]) -> None:  # noqa: ARG002
        statement = dice.choice(STATEMENTS)
        message = dice.choice(MESSAGES)
        self.stack.fault("redshift", statement, error=message, times=1)
        self.faults["statement fails"] += 1
        self.tell(f"the next {statement} fails with {message}")

    def _statement_dawdles(self, dice: random.Random, runs: list[tuple[str, str]]) -> None:  # noqa: ARG002
        statement = dice.choice(STATEMENTS)
        seconds = round(dice.uniform(1, 8), 1)
        self.stack.fault("redshift", statement, delay=seconds, times=1)
        self.faults["statement dawdles"] += 1
        self.tell(f"the next {statement} takes {seconds} s longer")

    def _clear(self, dice: random.Random, runs: list[tuple[str, str]]) -> None:
        dag_id, run_id, task = self._task(dice, runs, "running", "deferred", "up_for_retry")
        self.ask_again(dag_id, run_id, {task["task_id"]: task["state"]})
        self.interventions["cleared while it ran"] += 1
        self.tell(f"a user clears {dag_id}.{task['task_id']} of {run_id}")

    def _mark_failed(self, dice: random.Random, runs: list[tuple[str, str]]) -> None:
        dag_id, run_id, task = self._task(dice, runs, "running", "deferred")
        if task["task_id"] == TEARDOWN:
            return
        self.stack.mark_failed(dag_id, run_id, task["task_id"])
        self.interventions["marked failed while it ran"] += 1
        self.tell(f"a user marks {dag_id}.{task['task_id']} of {run_id} failed")

    def ask_again(self, dag_id: str, run_id: str, states: Mapping[str, str | None]) -> None:
        """Clear tasks.

        Args:
            dag_id: Their DAG.
            run_id: Their run.
            states: The state of each; one that was not started since it was last asked for is not asked for
                once more, as Airflow asks for it only once.
        """
        asked = self.stack.clear(dag_id, run_id, *states)
        for task_id, state in states.items():
            if state not in NOT_STARTED:
                self.clears[f"{dag_id}.{run_id}.{task_id}"].extend(asked)

    def ceased(self) -> None:
        """Let the faults end that have not struck."""
        self.stack.mend()
