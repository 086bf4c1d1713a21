"""From when on a run is late: a time of day after its refresh date, or so long after it was asked for."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self
from zoneinfo import ZoneInfo

from airflow.sdk.definitions.deadline import REFERENCE_TYPE_FIELD, BaseDeadlineReference

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class DayAfterReference(BaseDeadlineReference):
    """A deadline of scheduled runs: a local time on the day after the date of the logical date.

    Airflow's own references are an instant plus an interval, which daylight saving time moves by an hour, and
    they hold for runs by hand and backfills too: a day of 2003 loaded today would be late at once. Airflow
    evaluates this one when it creates a run, in the scheduler and in the API server, and finds it there
    through `plugins/redshift_etl_plugin.py`.

    Args:
        at: Time of day, HH:MM.
        timezone: IANA name of the zone.
    """

    required_kwargs: ClassVar[set[str]] = {"dag_id", "run_id"}

    def __init__(self, at: str, timezone: str) -> None:
        self.at = at
        self.timezone = timezone

    def serialize_reference(self) -> dict[str, Any]:
        """Return what `deserialize_reference` needs; JSON can hold it."""
        return {REFERENCE_TYPE_FIELD: self.reference_name, "at": self.at, "timezone": self.timezone}

    @classmethod
    def deserialize_reference(cls, reference_data: dict[str, Any]) -> Self:
        """Build it from what `serialize_reference` returned."""
        return cls(reference_data["at"], reference_data["timezone"])

    def due(self, logical_date: datetime) -> datetime:
        """Return when the run of this logical date must have succeeded."""
        zone = ZoneInfo(self.timezone)
        day = logical_date.astimezone(zone).date() + timedelta(days=1)
        return datetime.combine(day, time.fromisoformat(self.at), zone)

    def _evaluate_with(self, *, session: Session, dag_id: str, run_id: str) -> datetime | None:
        """Return the deadline of a new run; None: it has none."""
        # The metadata database is there where this runs, and nowhere else: not where DAG files are parsed.
        from airflow.models import DagRun  # noqa: PLC0415
        from airflow.utils.types import DagRunType  # noqa: PLC0415
        from sqlalchemy import select  # noqa: PLC0415

        run = session.execute(
            select(DagRun.run_type, DagRun.logical_date).where(
                DagRun.dag_id == dag_id, DagRun.run_id == run_id
            )
        ).one_or_none()
        if run is None or run.run_type != DagRunType.SCHEDULED or run.logical_date is None:
            return None
        return self.due(run.logical_date)


class QueuedReference(BaseDeadlineReference):
    """The moment at which a run was queued for the first time: the deadline counts from there.

    A run with Airflow 3.3.1's own `DeadlineReference.DAGRUN_QUEUED_AT` cannot be cleared: the web UI answers
    with HTTP 500 (https://github.com/apache/airflow/issues/70368).
    """

    required_kwargs: ClassVar[set[str]] = {"dag_id", "run_id"}

    def _evaluate_with(self, *, session: Session, dag_id: str, run_id: str) -> datetime | None:
        """Return when the new run was queued, to which Airflow adds the interval; None: no deadline."""
        from airflow.models import DagRun  # noqa: PLC0415 - as above
        from sqlalchemy import select  # noqa: PLC0415

        return session.scalar(
            select(DagRun.queued_at).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)
        )
