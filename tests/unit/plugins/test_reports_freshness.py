"""Whether the reports count as fresh, minute by minute around the deadline."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from reports_site import SETTINGS

from redshift_etl.reports_page.freshness import Freshness, Status, freshness
from redshift_etl.reports_page.report_files import Published
from redshift_etl.settings import Settings

ZONE = ZoneInfo("America/New_York")


def settings(**changes: str | None) -> Settings:
    values = {name.lower(): value for name, value in SETTINGS.items()}
    return Settings(
        **(
            values
            | {"schedule": "0 5 * * *", "first_refresh_date": "2026-01-01", "deadline": "09:00"}
            | changes
        )
    )  # type: ignore[arg-type]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def published(day: str, when: str = "2026-03-10 06:00") -> Published:
    return Published("weekly_store_performance", date.fromisoformat(day), 5, at(when))


def nothing_else(_report: str, _day: date) -> None:
    """What was unloaded of other days than the pointer's: nothing."""


EARLIER = published("2026-03-08", "2026-03-09 06:00")


@pytest.mark.parametrize(
    ("now", "report", "status", "expected"),
    [
        ("2026-03-10 04:59", EARLIER, Status.READY, "2026-03-08"),
        ("2026-03-10 05:01", EARLIER, Status.DUE, "2026-03-09"),
        ("2026-03-10 08:59", None, Status.DUE, "2026-03-09"),
        ("2026-03-10 09:00", EARLIER, Status.LATE, "2026-03-09"),
        ("2026-03-10 09:00", None, Status.LATE, "2026-03-09"),
        ("2026-03-10 11:00", published("2026-03-09"), Status.READY, "2026-03-09"),
        ("2026-03-10 11:00", published("2026-03-09", "2026-03-10 09:01"), Status.READY_LATE, "2026-03-09"),
    ],
)
def test_a_scheduled_day_is_due_at_nine_on_the_morning_after(
    now: str, report: Published | None, status: Status, expected: str
) -> None:
    day = date.fromisoformat(expected)
    due = at(f"{day + timedelta(days=1)} 09:00")
    ready_at = report.published_at if report and status in {Status.READY, Status.READY_LATE} else None
    assert freshness(settings(), [report], nothing_else, at(now)) == Freshness(
        status=status, expected=day, due=due, ready_at=ready_at
    )


def test_before_the_schedules_first_day_nothing_is_late() -> None:
    soon = settings(first_refresh_date="2026-03-10")
    due = Freshness(status=Status.DUE, expected=date(2026, 3, 10), due=at("2026-03-11 09:00"))
    assert freshness(soon, [None], nothing_else, at("2026-03-10 10:00")) == due
    assert freshness(soon, [None], nothing_else, at("2026-03-11 06:00")) == due


@pytest.mark.parametrize(
    ("unloaded", "status"),
    [
        ("2026-03-10 06:00", Status.READY),
        ("2026-03-10 09:00", Status.READY),
        ("2026-03-10 09:01", Status.READY_LATE),
        (None, Status.LATE),
    ],
)
def test_a_later_day_does_not_stand_for_the_expected_one(unloaded: str | None, status: Status) -> None:
    """The trigger form without a date loads today, also after a morning on which the scheduled run failed."""
    ready_at = at(unloaded) if unloaded else None
    asked = []

    def unloaded_at(report: str, day: date) -> datetime | None:
        asked.append((report, day))
        return ready_at

    today = published("2026-03-10", "2026-03-10 15:00")
    found = freshness(settings(), [today], unloaded_at, at("2026-03-10 16:00"))
    assert (found.status, found.ready_at) == (status, ready_at)
    assert asked == [("weekly_store_performance", date(2026, 3, 9))]


def test_the_last_report_that_was_ready_counts() -> None:
    reports = [published("2026-03-09", "2026-03-10 06:00"), published("2026-03-10", "2026-03-10 15:00")]
    found = freshness(settings(), reports, lambda *_: at("2026-03-10 08:00"), at("2026-03-10 16:00"))
    assert (found.status, found.ready_at) == (Status.READY, at("2026-03-10 08:00"))


def test_the_deadline_is_local_time_on_the_day_the_clocks_change() -> None:
    """On 8 March 2026 New York skips an hour; nine o'clock is nine o'clock."""
    found = freshness(settings(), [None], nothing_else, at("2026-03-08 08:59"))
    assert (found.status, found.due) == (Status.DUE, at("2026-03-08 09:00"))


def test_one_report_that_is_behind_makes_all_late() -> None:
    reports = [published("2026-03-09"), published("2026-03-08")]
    assert freshness(settings(), reports, nothing_else, at("2026-03-10 10:00")).status is Status.LATE


def test_without_a_deadline_only_the_expected_day_is_known() -> None:
    found = freshness(settings(deadline=None), [None], nothing_else, at("2026-03-10 10:00"))
    assert found == Freshness(status=Status.NO_DEADLINE, expected=date(2026, 3, 9))


def test_without_a_schedule_nothing_is_expected() -> None:
    assert freshness(settings(schedule=None), [None], nothing_else, at("2026-03-10 10:00")) == Freshness(
        status=Status.NO_SCHEDULE
    )
