"""The schedule of a pipeline that loads each day once, also the days that Airflow has missed."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.timetables.interval import CronDataIntervalTimetable

if TYPE_CHECKING:
    from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction

    from redshift_etl.settings import Settings


class DailyTimetable(CronDataIntervalTimetable):
    """Makes a run for each day from the first refresh date on; a DAG with it has `catchup=True`.

    The DAG's `start_date` cannot say which day is the first: Airflow leaves its tasks out of a run of an
    earlier day that somebody starts by hand, and calls that run a success.

    Args:
        cron: When the run of a day starts on the next one, as a cron expression.
        timezone: IANA name of the zone in which it is read.
        first_refresh_date: The first day, YYYY-MM-DD.
    """

    def __init__(self, cron: str, timezone: str, first_refresh_date: str) -> None:
        super().__init__(cron, timezone)
        self._arguments = {"cron": cron, "timezone": timezone, "first_refresh_date": first_refresh_date}
        first = date.fromisoformat(first_refresh_date)
        self._first = pendulum.datetime(first.year, first.month, first.day, tz=timezone)

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> DailyTimetable:
        """Make the timetable again from what `serialize` has returned."""
        return cls(**data)

    def serialize(self) -> dict[str, Any]:
        """Return the arguments."""
        return self._arguments

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Tell the run after the last one; by the schedule, none of a day before the first.

        A backfill, which Airflow asks for with its last day, may begin before.
        """
        if restriction.latest is None:
            first = max(self._first, restriction.earliest or self._first)
            restriction = restriction._replace(earliest=first)
        return super().next_dagrun_info(
            last_automated_data_interval=last_automated_data_interval, restriction=restriction
        )


def daily(settings: Settings) -> DailyTimetable | None:
    """Make the schedule that the settings ask for; None: runs are started by hand only."""
    if not settings.schedule or not settings.first_refresh_date:
        return None
    return DailyTimetable(settings.schedule, settings.timezone, settings.first_refresh_date)
