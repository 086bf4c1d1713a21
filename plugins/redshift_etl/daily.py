"""The schedule of a pipeline that loads each day once, also the days that Airflow has missed."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.timetables.base import DagRunInfo, TimeRestriction
from airflow.timetables.interval import CronDataIntervalTimetable

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from airflow.timetables.base import DataInterval

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
        found = super().next_dagrun_info(
            last_automated_data_interval=last_automated_data_interval, restriction=restriction
        )
        last = last_automated_data_interval
        if last and found and self._day(found.data_interval) == self._day(last):
            # The schedule was moved to a later hour, at which it would load this day again.
            return super().next_dagrun_info(
                last_automated_data_interval=found.data_interval, restriction=restriction
            )
        return found

    def run_info_from_dag_run(self, *, dag_run: DagRun) -> DagRunInfo:
        """Tell where the schedule goes on: after the last scheduled run, and past days that have one already.

        Airflow also asks with a backfill, if its day is later than that of every scheduled run, and with a
        run by hand, if it has taken the next run's logical date. To go on behind those would leave out the
        days that are still to be caught up, or would stop at the same day for ever.
        """
        # The metadata database is there where this runs, and nowhere else: not where DAG files are parsed.
        from airflow.models.dagrun import DagRun  # noqa: PLC0415
        from airflow.utils.types import DagRunType  # noqa: PLC0415
        from sqlalchemy import select  # noqa: PLC0415
        from sqlalchemy.orm import object_session  # noqa: PLC0415

        session = object_session(dag_run)
        if session is None or dag_run.run_type == DagRunType.SCHEDULED:
            return super().run_info_from_dag_run(dag_run=dag_run)
        of_dag = DagRun.dag_id == dag_run.dag_id
        scheduled = session.scalar(
            select(DagRun)
            .where(of_dag, DagRun.run_type == DagRunType.SCHEDULED)
            .order_by(DagRun.logical_date.desc())
            .limit(1)
        )
        following = self._following(
            super().run_info_from_dag_run(dag_run=scheduled).data_interval if scheduled else None
        )
        since = select(DagRun.logical_date).where(of_dag, DagRun.logical_date >= following.start)
        taken = set(session.scalars(since))
        while following.start in taken:
            following = self._following(following)
        return DagRunInfo.interval(start=self._get_prev(following.start), end=following.start)

    def _following(self, last: DataInterval | None) -> DataInterval:
        no_limit = TimeRestriction(earliest=None, latest=None, catchup=True)
        # Any: a cron expression always has a next run when there is no limit.
        found: Any = self.next_dagrun_info(last_automated_data_interval=last, restriction=no_limit)
        interval: DataInterval = found.data_interval
        return interval

    def _day(self, interval: DataInterval | None) -> date | None:
        return interval.start.in_timezone(self._timezone).date() if interval else None


def daily(settings: Settings) -> DailyTimetable | None:
    """Make the schedule that the settings ask for; None: runs are started by hand only."""
    if not settings.schedule or not settings.first_refresh_date:
        return None
    return DailyTimetable(settings.schedule, settings.timezone, settings.first_refresh_date)
