from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from redshift_etl.deadline import DayAfterReference

REFERENCE = DayAfterReference("09:00", "America/New_York")


def evaluate(run: Any) -> datetime | None:
    session: Any = SimpleNamespace(execute=lambda _: SimpleNamespace(one_or_none=lambda: run))
    return REFERENCE._evaluate_with(session=session, dag_id="store_sales_etl", run_id="run")


@pytest.mark.parametrize(
    ("logical_date", "due"),
    [
        ("2026-11-21T10:00", "2026-11-22T14:00"),  # standard time
        ("2026-03-07T10:00", "2026-03-08T13:00"),  # the night on which summer time begins
        ("2026-10-31T09:00", "2026-11-01T14:00"),  # and ends
        ("2026-11-22T03:00", "2026-11-22T14:00"),  # still the 21st in New York
    ],
)
def test_r1_the_deadline_is_a_local_time_on_the_day_after(logical_date: str, due: str) -> None:
    run = SimpleNamespace(
        run_type="scheduled", logical_date=datetime.fromisoformat(logical_date).replace(tzinfo=UTC)
    )
    found = evaluate(run)
    assert found is not None
    assert found.astimezone(UTC) == datetime.fromisoformat(due).replace(tzinfo=UTC)


@pytest.mark.parametrize("run_type", ["manual", "backfill", "asset_triggered"])
def test_only_scheduled_runs_have_a_deadline(run_type: str) -> None:
    """A day of 2003, loaded today by hand, would be late before it began."""
    assert evaluate(SimpleNamespace(run_type=run_type, logical_date=datetime(2003, 1, 2, tzinfo=UTC))) is None


def test_a_run_without_a_logical_date_or_without_a_row_has_no_deadline() -> None:
    assert evaluate(SimpleNamespace(run_type="scheduled", logical_date=None)) is None
    assert evaluate(None) is None


def test_it_survives_airflows_serialization_and_is_found_through_the_plugin() -> None:
    from airflow.serialization.encoders import encode_deadline_reference

    from redshift_etl_plugin import RedshiftEtlPlugin

    encoded = encode_deadline_reference(REFERENCE)
    assert encoded["__class_path"] == "redshift_etl.deadline.DayAfterReference"
    assert DayAfterReference in RedshiftEtlPlugin.deadline_references
    assert DayAfterReference.deserialize_reference(encoded) == REFERENCE
