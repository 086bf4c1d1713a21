"""Whether the reports are ready in time, by the schedule and the deadline of the settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
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
        expected: The day that the last scheduled run loads, or the first one; None without a schedule.
        due: When its reports must be ready; None without a deadline.
        ready_at: When the last of them was; None: not all are, or nobody asks.
    """

    status: Status
    expected: date | None = None
    due: datetime | None = None
    ready_at: datetime | None = None


def freshness(
    settings: Settings,
    reports: Sequence[Published | None],
    unloaded_at: Callable[[str, date], datetime | None],
    now: datetime,
) -> Freshness:
    """Compare what is published with what the schedule has asked for.

    Args:
        settings: The pipelines' settings: schedule, time zone, deadline.
        reports: What each report's pointer says; None: nothing is published.
        unloaded_at: Looks up when a day of a report was unloaded; None: that day is not there. Asked where
            the pointer is at a later day already, which says nothing about the expected one.
        now: The time, with a time zone.

    Returns:
        The status. A report counts as ready when it was last written, so one that is run again after its
        deadline counts as late.
    """
    if not settings.schedule or not settings.first_refresh_date:
        return Freshness(status=Status.NO_SCHEDULE)
    zone = ZoneInfo(settings.timezone)
    fires = croniter(settings.schedule, now.astimezone(zone))
    fires.get_prev(datetime)
    # A run is due at the end of its data interval, and its refresh date is the date of the beginning.
    first = datetime.combine(date.fromisoformat(settings.first_refresh_date), time.min, zone)
    logical_date = max(fires.get_prev(datetime), first)
    expected = logical_date.date()
    if not settings.deadline:
        return Freshness(status=Status.NO_DEADLINE, expected=expected)
    due = DayAfterReference(settings.deadline, settings.timezone).due(logical_date)

    def ready_at(report: Published | None) -> datetime | None:
        if report is None or report.refresh_date < expected:
            return None
        if report.refresh_date == expected:
            return report.published_at
        return unloaded_at(report.report, expected)

    ready = [at for report in reports if (at := ready_at(report))]
    if len(ready) < len(reports):
        return Freshness(status=Status.DUE if now < due else Status.LATE, expected=expected, due=due)
    status = Status.READY if max(ready) <= due else Status.READY_LATE
    return Freshness(status=status, expected=expected, due=due, ready_at=max(ready))
