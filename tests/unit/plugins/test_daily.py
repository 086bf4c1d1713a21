"""Which day the schedule loads next, whatever runs were started beside it: by Airflow's own tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pendulum
import pytest
from airflow.models.dagrun import DagRun
from airflow.models.tasklog import LogTemplate
from airflow.timetables.base import DataInterval, TimeRestriction
from airflow.utils.types import DagRunType
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from redshift_etl.daily import DailyTimetable

SIX = DailyTimetable("0 6 * * *", "America/New_York", "2026-03-01")
NO_LIMIT = TimeRestriction(earliest=None, latest=None, catchup=True)


@pytest.fixture
def session() -> Iterator[Session]:
    engine = create_engine("sqlite://")
    for model in (LogTemplate, DagRun):
        model.__table__.create(engine)  # type: ignore[attr-defined]  # SQLAlchemy's
    with Session(engine) as session:
        yield session


def run(session: Session, day: int, kind: DagRunType) -> DagRun:
    logical_date = pendulum.datetime(2026, 3, day, 6, tz="America/New_York").in_timezone("UTC")
    new = DagRun(dag_id="store_sales_etl", run_id=f"{kind}{day}", run_type=kind, logical_date=logical_date)
    new.run_after = new.data_interval_end = SIX._get_next(logical_date)
    new.data_interval_start = logical_date
    new.span_status = "not_started"
    session.add(new)
    session.commit()
    return new


def next_day(after: DagRun) -> str:
    """What Airflow notes as the DAG's next run when it asks with this one."""
    return following(SIX, SIX.run_info_from_dag_run(dag_run=after).data_interval)


def following(timetable: DailyTimetable, last: DataInterval | None) -> str:
    found = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=NO_LIMIT)
    assert found
    return found.data_interval.start.in_timezone("America/New_York").format("MM-DD HH:mm")


def test_the_day_after_the_last_scheduled_run_is_next(session: Session) -> None:
    assert next_day(run(session, 5, DagRunType.SCHEDULED)) == "03-06 06:00"


def test_a_backfill_of_a_later_day_does_not_end_the_catch_up(session: Session) -> None:
    run(session, 5, DagRunType.SCHEDULED)
    later = [run(session, day, DagRunType.BACKFILL_JOB) for day in (9, 10)]
    assert next_day(later[-1]) == "03-06 06:00"


def test_days_that_a_backfill_has_made_are_passed_when_the_catch_up_reaches_them(session: Session) -> None:
    backfilled = [run(session, day, DagRunType.BACKFILL_JOB) for day in (6, 7, 9)]
    run(session, 5, DagRunType.SCHEDULED)
    assert next_day(backfilled[0]) == "03-08 06:00"


def test_a_backfill_before_the_first_scheduled_run_leaves_the_first_day_next(session: Session) -> None:
    assert next_day(run(session, 4, DagRunType.BACKFILL_JOB)) == "03-01 06:00"


@pytest.mark.parametrize("inferred", ["2026-03-06T11:00:00Z", "2026-03-20T10:00:00Z"])
def test_a_run_by_hand_in_the_place_of_the_next_one_neither_stops_nor_moves_the_schedule(
    session: Session, inferred: str
) -> None:
    """Airflow infers such a run's interval: it ends with the logical date, or when the run is triggered."""
    run(session, 5, DagRunType.SCHEDULED)
    by_hand = run(session, 6, DagRunType.MANUAL)
    by_hand.data_interval_end = datetime.fromisoformat(inferred)
    session.commit()
    assert next_day(by_hand) == "03-07 06:00"


@pytest.mark.parametrize(("cron", "expected"), [("0 7 * * *", "03-06 07:00"), ("0 5 * * *", "03-06 05:00")])
def test_a_schedule_that_was_moved_loads_no_day_again_and_leaves_none_out(cron: str, expected: str) -> None:
    moved = DailyTimetable(cron, "America/New_York", "2026-03-01")
    start = pendulum.datetime(2026, 3, 5, 6, tz="America/New_York")
    assert following(moved, DataInterval(start, start.add(days=1))) == expected
