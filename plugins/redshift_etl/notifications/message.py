"""What an alert says: a subject that SNS accepts, and a text that tells what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from inspect import cleandoc
from typing import Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from redshift_etl.links import airflow_url
from redshift_etl.refresh_date import RefreshDateError

RUNBOOK: Final = "docs/runbook.md"
# In a task's documentation: what follows it is for whoever is on call, and goes into the alert too.
IF_IT_FAILS: Final = "**If it fails:** "

# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html: no line breaks or control characters, less than
# 100 characters; a message of up to 256 KiB. ASCII reads the same in every mail program.
_SUBJECT_WIDTH: Final = 99
_ERROR_WIDTH: Final = 8_000


@dataclass(frozen=True)
class Alert:
    """One message.

    Attributes:
        event: task_failed, run_failed, run_succeeded or deadline_missed; subscriptions can filter by it.
        subject: One line of ASCII, less than 100 characters.
        text: The message.
    """

    event: str
    subject: str
    text: str


def task_failed(context: Mapping[str, Any]) -> Alert:
    """Say which task failed for good, of which run, why, and what to do.

    Args:
        context: The task's context, with `exception` when the task itself raised; a task whose process died
            has none.
    """
    ti, task = context["ti"], context["task"]
    day = refresh_date_of(context)
    error = context.get("exception")
    return Alert(
        event="task_failed",
        subject=_subject("FAILED", f"{ti.dag_id}.{ti.task_id}", day),
        text=_text(
            f"Task {ti.task_id} of {ti.dag_id} failed, and no further try follows."
            + (" What the run loads is not affected." if task.is_teardown else ""),
            {
                "Run": ti.run_id,
                "Refresh date": day,
                "Try": str(ti.try_number),
                "Error": f"{type(error).__name__}: {error}"
                if isinstance(error, BaseException)
                else str(error or "the task's process ended without one; its log or the worker's tells more"),
                "Log": ti.log_url,
            },
            _advice(task.doc_md),
            "A task failed",
        ),
    )


def run_failed(context: Mapping[str, Any]) -> Alert | None:
    """Say that a run failed in a way that no task reports; None if the failed task has reported it.

    Args:
        context: What Airflow hands a DAG's failure callback, with `reason`: task_failure, timed_out or
            all_tasks_deadlocked.
    """
    reason = context.get("reason")
    if reason == "task_failure":
        return None
    dag, run_id, day = context["dag"], _run_id(context), refresh_date_of(context)
    why = {
        "timed_out": f"it ran longer than its limit of {dag.dagrun_timeout}; its unfinished tasks were ended "
        "and count as skipped",
        "all_tasks_deadlocked": "no task could run any more",
    }.get(str(reason), str(reason))
    ti = context.get("ti")
    return Alert(
        event="run_failed",
        subject=_subject("FAILED", dag.dag_id, day, "" if reason is None else str(reason)),
        text=_text(
            f"The run of {dag.dag_id} failed: {why}.",
            {
                "Run": run_id,
                "Refresh date": day,
                "Unfinished task": ti.task_id if ti else "",
                # Where the pipelines own one: pause_after_timeout says what has become of it.
                "Cluster": str(context.get("cluster", "")),
                "Log": ti.log_url if ti else _run_url(dag.dag_id, run_id),
            },
            "",
            "A run failed without a failed task",
        ),
    )


def run_succeeded(context: Mapping[str, Any]) -> Alert:
    """Say that a run succeeded, and how long it took.

    Args:
        context: What Airflow hands a DAG's success callback.
    """
    dag, run_id, day = context["dag"], _run_id(context), refresh_date_of(context)
    run = context.get("dag_run")
    took = run.end_date - run.start_date if run and run.end_date and run.start_date else None
    return Alert(
        event="run_succeeded",
        subject=_subject("DONE", dag.dag_id, day),
        text=_text(
            f"The run of {dag.dag_id} succeeded.",
            {
                "Run": run_id,
                "Refresh date": day,
                "Took": f"{took.total_seconds():.0f} s" if took else "",
                "Tasks and their times": _run_url(dag.dag_id, run_id),
            },
        ),
    )


def deadline_missed(context: Mapping[str, Any], timezone: str) -> Alert:
    """Say that a run has not succeeded by its deadline.

    Args:
        context: What Airflow hands a deadline's callback: the run as a dict, and the deadline.
        timezone: IANA name of the pipeline's zone.
    """
    run, zone = context["dag_run"], ZoneInfo(timezone)
    due = _time(context["deadline"]["deadline_time"]).astimezone(zone)
    day = _time(run["logical_date"]).astimezone(zone).date().isoformat() if run["logical_date"] else ""
    return Alert(
        event="deadline_missed",
        subject=_subject("LATE", run["dag_id"], day, f"not ready by {due:%H:%M}"),
        text=_text(
            f"{run['dag_id']} was due by {due:%Y-%m-%d %H:%M} ({timezone}) and is {run['state']}: "
            "its reports are not ready.",
            {
                "Run": run["dag_run_id"],
                "Refresh date": day,
                "Log": _run_url(run["dag_id"], run["dag_run_id"]),
            },
            "",
            "A deadline was missed",
        ),
    )


def refresh_date_of(context: Mapping[str, Any]) -> str:
    """Return the day that a run loads, by its DAG's own macro; empty for a DAG without one or a bad date."""
    macros = getattr(context.get("dag"), "user_defined_macros", None) or {}
    if "refresh_date" not in macros or "dag_run" not in context:
        return ""
    try:
        return str(macros["refresh_date"](context["dag_run"], context.get("params") or {}))
    except RefreshDateError:  # it is what the alert is about
        return ""


def _subject(word: str, what: str, *details: str) -> str:
    subject = " ".join(" ".join([f"{word}:", what, *details]).split())
    return subject.encode("ascii", "replace").decode()[:_SUBJECT_WIDTH]


def _advice(documentation: str | None) -> str:
    """Return what a task's documentation says after `IF_IT_FAILS`, as a sentence; empty without it."""
    advice = cleandoc(documentation or "").partition(IF_IT_FAILS)[2]
    return f"{advice[0].upper()}{advice[1:]} " if advice else ""


def _text(news: str, facts: Mapping[str, str], advice: str = "", section: str = "") -> str:
    lines = [f"{name}: {value[:_ERROR_WIDTH]}" for name, value in facts.items() if value]
    what_to_do = [f'What to do: {advice}See {RUNBOOK}, "{section}".'] if section else []
    return "\n\n".join([news, "\n".join(lines), *what_to_do]) + "\n"


def _run_id(context: Mapping[str, Any]) -> str:
    """Name the run: in full contexts by the run itself, in Airflow's smallest one by its id alone."""
    return str(context["run_id"]) if "run_id" in context else str(context["dag_run"].run_id)


def _run_url(dag_id: str, run_id: str) -> str:
    return airflow_url(f"dags/{dag_id}/runs/{quote(run_id)}")


def _time(value: str | datetime) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)
