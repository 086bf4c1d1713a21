"""Whether the reports are ready in time, by the schedule and the deadline of the settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from croniter import croniter  # type: ignore[import-untyped]  # ships no types

from redshift_etl.deadline import DayAfterReference
from redshift_etl.reports_page.report_files import Published
from redshift_etl.settings import Settings


class Status(StrEnum):
    """How the reports stand."""

    READY = "ready"
    READY_LATE = "ready_late"
    DUE = "due"
    LATE = "late"
    NO_SCHEDULE = "no_schedule"
    NO_DEADLINE = "no_deadline"


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """What should be ready, by when, and whether it is.

    Attributes:
        status: How the reports stand.
        expected: The day that the last scheduled run loads; None without a schedule.
        due: When its reports must be ready; None without a deadline.
    """

    status: Status
    expected: date | None = None
    due: datetime | None = None


def freshness(settings: Settings, reports: Sequence[Published | None], now: datetime) -> Freshness:
    """Compare what is published with what the schedule has asked for.

    Args:
        settings: The pipelines' settings: schedule, time zone, deadline.
        reports: What each report's pointer says; None: nothing is published.
        now: The time, with a time zone.

    Returns:
        The status. A report counts as ready when it was last written, so one that is run again after its
        deadline counts as late.
    """
    if not settings.schedule:
        return Freshness(status=Status.NO_SCHEDULE)
    fires = croniter(settings.schedule, now.astimezone(ZoneInfo(settings.timezone)))
    fires.get_prev(datetime)
    # A run is due at the end of its data interval, and its refresh date is the date of the beginning.
    logical_date = fires.get_prev(datetime)
    expected = logical_date.date()
    if not settings.deadline:
        return Freshness(status=Status.NO_DEADLINE, expected=expected)
    due = DayAfterReference(settings.deadline, settings.timezone).due(logical_date)
    if any(one is None or one.refresh_date < expected for one in reports):
        return Freshness(status=Status.DUE if now < due else Status.LATE, expected=expected, due=due)
    late = any(one and one.refresh_date == expected and one.published_at > due for one in reports)
    return Freshness(status=Status.READY_LATE if late else Status.READY, expected=expected, due=due)
