from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.sdk import DAG, Param
from airflow.sdk.definitions.param import ParamsDict
from airflow.sdk.exceptions import AirflowFailException
from plugins_context import dag_run

from redshift_etl.refresh_date import RefreshDateError, refresh_date


def test_the_param_wins() -> None:
    params = ParamsDict({"refresh_date": Param("1998-02-03", type=["null", "string"], format="date")})
    assert refresh_date(dag_run(), params, "UTC") == "1998-02-03"


@pytest.mark.parametrize("params", [{}, {"refresh_date": None}, {"refresh_date": ""}])
def test_without_a_param_the_logical_date_counts(params: dict[str, Any]) -> None:
    assert refresh_date(dag_run(), params, "UTC") == "2003-01-02"


def test_a_day_is_one_of_the_pipelines_zone() -> None:
    """03:04 in UTC is still the evening before in New York."""
    assert refresh_date(dag_run(), {}, "America/New_York") == "2003-01-01"


def test_a_run_without_logical_date_loads_the_day_it_was_due() -> None:
    run = dag_run(logical_date=None, run_after=datetime(2003, 5, 6, 23, 30, tzinfo=UTC))
    assert refresh_date(run, {}, "UTC") == "2003-05-06"
    assert refresh_date(run, {}, "Asia/Tokyo") == "2003-05-07"


@pytest.mark.parametrize(
    "given",
    [
        "2003-02-30",
        "2003-13-01",
        "2003-2-3",
        "20030102",
        "2003-W01-4",
        "2003-01-02T00:00:00",
        "2003-01-02\n",
        "\u0662\u0660\u0660\u0663-\u0660\u0661-\u0660\u0662",
        "2003-01-02'; drop table t; --",
        "yesterday",
        20030102,
    ],
)
def test_what_is_no_calendar_date_is_refused_and_not_retried(given: object) -> None:
    with pytest.raises(RefreshDateError) as error:
        refresh_date(dag_run(), {"refresh_date": given}, "UTC")
    assert isinstance(error.value, AirflowFailException)
    assert isinstance(error.value, ValueError)
    assert str(error.value) == (
        f"refresh_date {given!r} is not a calendar date: give it as YYYY-MM-DD, for example 2003-01-02."
    )


def test_it_works_as_a_macro_in_a_template() -> None:
    with DAG("d", schedule=None, user_defined_macros={"refresh_date": refresh_date}) as dag:
        template = dag.get_template_env().from_string("{{ refresh_date(dag_run, params, 'UTC') }}")
    assert template.render(
        dag_run=dag_run(), params=ParamsDict({"refresh_date": Param(None, type="null")})
    ) == ("2003-01-02")
