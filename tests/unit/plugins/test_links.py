"""Where the button of a task leads that makes a report."""

from __future__ import annotations

import pytest
from airflow.sdk import Asset, BaseOperator

from redshift_etl.links import ReportLink

PAGE = "http://airflow.example/redshift-etl/reports"


@pytest.mark.parametrize(
    ("outlets", "address"),
    [
        (["reports/daily_city_sales"], f"{PAGE}#city"),
        (["reports/weekly_store_performance"], f"{PAGE}#weekly"),
        (["reports/top_reviews"], f"{PAGE}#reviews"),
        ([], f"{PAGE}#main"),
        (["raw/store_sales"], f"{PAGE}#main"),
    ],
)
def test_a_report_is_shown_on_its_tab(
    monkeypatch: pytest.MonkeyPatch, outlets: list[str], address: str
) -> None:
    assert link(monkeypatch, outlets) == address


def test_a_report_without_a_tab_has_no_button(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow shows no button for an empty address; the page would show another report."""
    assert link(monkeypatch, ["reports/store_reconciliation"]) == ""


def link(monkeypatch: pytest.MonkeyPatch, outlets: list[str]) -> str:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "http://airflow.example/")
    made = [Asset(uri=f"s3://redshift-etl-data/{folder}", name=folder) for folder in outlets]
    task = BaseOperator(task_id="unload", outlets=made)
    return ReportLink().get_link(task, ti_key=None)  # type: ignore[arg-type]  # it is not looked at
