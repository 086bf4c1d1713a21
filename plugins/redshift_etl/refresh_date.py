"""The day a run loads: chosen by its param, else by its logical date, else by its start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from airflow.sdk.exceptions import AirflowFailException


class RefreshDateError(AirflowFailException, ValueError):
    """A refresh date that is no date; the task fails at once, because a retry would read the same text."""


class RunDates(Protocol):
    """The two dates of a DAG run that choose its day."""

    @property
    def logical_date(self) -> datetime | None:
        """The run's logical date; None for a run by an asset, or by hand without one."""

    @property
    def run_after(self) -> datetime:
        """The earliest time at which the run may start; always set."""


def refresh_date(dag_run: RunDates, params: Mapping[str, Any], timezone: str) -> str:
    """Return the day that a run loads; meant as a `user_defined_macros` entry.

    The param `refresh_date` wins. Without it the day is the run's logical date or, for a run that has none,
    the time at which it was due, each as a date in the pipeline's time zone.

    Args:
        dag_run: The run, as Airflow's template context holds it.
        params: The run's params, as Airflow's template context holds them.
        timezone: IANA name of the zone in which a day begins and ends.

    Returns:
        The date as YYYY-MM-DD.

    Raises:
        RefreshDateError: The param is not a calendar date in this form.
    """
    given = params.get("refresh_date")
    if given is None or given == "":
        return (dag_run.logical_date or dag_run.run_after).astimezone(ZoneInfo(timezone)).date().isoformat()
    if isinstance(given, str) and (day := calendar_date(given)):
        return day.isoformat()
    raise RefreshDateError(
        f"refresh_date {given!r} is not a calendar date: give it as YYYY-MM-DD, for example 2003-01-02."
    )


def calendar_date(text: str) -> date | None:
    """Read a date that is written as YYYY-MM-DD; None for any other text."""
    # fromisoformat alone would also take 20030102 and 2003-W01-4.
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
