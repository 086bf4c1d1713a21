from __future__ import annotations

import os

import pytest
from airflow.sdk.exceptions import AirflowConfigException

from redshift_etl.settings import KEYS, Settings, load_settings, variable

CLUSTER = {
    "database": "dev",
    "cluster_identifier": "redshift-etl",
    "db_user": "awsuser",
    "iam_role_arn": "arn:aws:iam::123456789012:role/redshift-etl-warehouse",
    "data_bucket": "redshift-etl-data",
    "glue_job_name": "reviews-etl",
    "reviews_location": "s3://redshift-etl-data/raw/reviews/",
    "sql_dir": "/usr/local/airflow/dags/sql",
    "sns_topic_arn": "arn:aws:sns:us-east-1:123456789012:redshift-etl-alerts",
    "timezone": "America/New_York",
}
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:redshift-etl/warehouse-AbCdEf"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AIRFLOW__REDSHIFT_ETL__")]:
        monkeypatch.delenv(name)


def load(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> Settings:
    for key, value in (CLUSTER | changes).items():
        if value is not None:
            monkeypatch.setenv(variable(key), value)
    return load_settings()


def test_settings_come_from_airflows_section(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, schedule=" 0 6 * * * ", first_refresh_date="2026-11-30")
    assert settings.data_bucket == "redshift-etl-data"
    assert settings.schedule == "0 6 * * *"
    assert settings.target == {"database": "dev", "cluster_identifier": "redshift-etl", "db_user": "awsuser"}


def test_a_schedule_needs_a_first_day(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AirflowConfigException, match="FIRST_REFRESH_DATE to the first day that the schedule"):
        load(monkeypatch, schedule="0 6 * * *")


def test_an_empty_value_is_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, schedule="", workgroup_name="")
    assert settings.schedule is None
    assert settings.workgroup_name is None


def test_a_workgroup_needs_neither_user_nor_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, cluster_identifier=None, db_user=None, workgroup_name="redshift-etl")
    assert settings.target == {"database": "dev", "workgroup_name": "redshift-etl"}


def test_a_workgroup_may_have_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {"cluster_identifier": None, "db_user": None, "workgroup_name": "redshift-etl"}
    settings = load(monkeypatch, **changes, secret_arn=SECRET)
    assert settings.target["secret_arn"] == SECRET


@pytest.mark.parametrize(
    "key",
    [
        "database",
        "iam_role_arn",
        "data_bucket",
        "glue_job_name",
        "reviews_location",
        "sql_dir",
        "sns_topic_arn",
        "timezone",
    ],
)
def test_a_missing_key_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    with pytest.raises(AirflowConfigException) as error:
        load(monkeypatch, **{key: None})
    assert f"[redshift_etl] {key} is not set: set AIRFLOW__REDSHIFT_ETL__{key.upper()} to the " in str(
        error.value
    )
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("database", "dev; drop table t"),
        ("cluster_identifier", "Redshift--ETL"),
        ("cluster_identifier", "a" * 64),
        ("db_user", "aws user"),
        ("iam_role_arn", "redshift-etl-warehouse"),
        ("iam_role_arn", "arn:aws:iam::123456789012:role/x' or 'a"),
        ("iam_role_arn", "arn:aws:iam::123456789012:role/x\n"),
        ("data_bucket", "s3://redshift-etl-data"),
        ("data_bucket", "redshift-etl-data/raw"),
        ("data_bucket", "Data"),
        ("glue_job_name", "reviews/etl"),
        ("reviews_location", "redshift-etl-data/raw/reviews/"),
        ("reviews_location", "s3://redshift-etl-data/raw/reviews"),
        ("reviews_location", "s3://redshift-etl-data/it's/"),
        ("quicksight_data_set_id", "top reviews"),
        ("sql_dir", "sql"),
        ("timezone", "Mars/Olympus"),
        ("timezone", "Europe"),
        ("timezone", "../etc/passwd"),
        ("sns_topic_arn", "redshift-etl-alerts"),
        ("sns_topic_arn", "arn:aws:sns:us-east-1:123456789012:redshift-etl-alerts.fifo"),
        ("deadline", "9:00"),
        ("deadline", "24:00"),
        ("pause_cluster", "yes"),
        ("schedule", "every day"),
        ("schedule", "0 25 * * *"),
        ("schedule", "0 6 * * 1-5"),  # Saturday and Sunday would never be loaded
        ("schedule", "0 6,18 * * *"),
        ("schedule", "0 * * * *"),
        ("first_refresh_date", "2026-11-31"),
        ("first_refresh_date", "yesterday"),
        ("first_refresh_date", "20261130"),
    ],
)
def test_a_misshapen_value_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, key: str, value: str
) -> None:
    changes = {key: value}
    if value.endswith("\n"):  # the section's reader strips it, so it is tried on the class itself
        with pytest.raises(AirflowConfigException):
            Settings(**(CLUSTER | changes))  # type: ignore[arg-type]
        return
    with pytest.raises(AirflowConfigException) as error:
        load(monkeypatch, **changes)
    assert f"[redshift_etl] {key} is {value!r}" in str(error.value)
    assert variable(key) in str(error.value)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"workgroup_name": "redshift-etl"}, ("cluster_identifier", "workgroup_name")),
        ({"cluster_identifier": None}, ("cluster_identifier", "workgroup_name")),
        ({"secret_arn": SECRET}, ("db_user", "secret_arn")),
        ({"db_user": None}, ("db_user", "secret_arn")),
        ({"cluster_identifier": None, "workgroup_name": "redshift-etl"}, ("db_user", "workgroup_name")),
        (
            {
                "cluster_identifier": None,
                "db_user": None,
                "workgroup_name": "redshift-etl",
                "pause_cluster": "true",
            },
            ("pause_cluster", "workgroup_name"),
        ),
    ],
)
def test_a_contradiction_names_both_keys(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str | None], named: tuple[str, str]
) -> None:
    with pytest.raises(AirflowConfigException) as error:
        load(monkeypatch, **changes)
    assert str(error.value).startswith(f"[redshift_etl] {named[0]} and {named[1]} are both ")


def test_the_cluster_is_left_alone_unless_the_pipelines_own_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, pause_cluster="true").pauses_cluster
    assert not load(monkeypatch, pause_cluster="false").pauses_cluster
    assert not load(monkeypatch, pause_cluster="").pauses_cluster


def test_every_key_is_documented() -> None:
    assert Settings.__doc__ is not None
    assert [key for key in KEYS if f"        {key}: " not in Settings.__doc__] == []
