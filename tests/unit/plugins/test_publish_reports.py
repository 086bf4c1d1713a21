from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from redshift_etl.operators.publish_reports import PublishReportsOperator, ReportIncompleteError

BUCKET = "redshift-etl-data"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        monkeypatch.setattr(
            "airflow.providers.amazon.aws.hooks.s3.S3Hook",
            lambda **_: SimpleNamespace(get_conn=lambda: client),
        )
        yield client


def unload(s3: Any, report: str, day: str, *, formats: tuple[str, ...] = ("csv", "parquet")) -> None:
    """Leave what an UNLOAD of two rows in each format leaves; Redshift counts the CSV's header as a row."""
    for name in formats:
        prefix = f"reports/{report}/refresh_date={day}/{name}/"
        body = f"{report} {day}".encode()
        s3.put_object(Bucket=BUCKET, Key=f"{prefix}000", Body=body)
        manifest = {
            "entries": [{"url": f"s3://{BUCKET}/{prefix}000", "meta": {"content_length": len(body)}}],
            "meta": {"record_count": 3 if name == "csv" else 2},
        }
        s3.put_object(Bucket=BUCKET, Key=f"{prefix}manifest", Body=json.dumps(manifest).encode())


def publish(*reports: str, day: str) -> dict[str, str]:
    operator = PublishReportsOperator(task_id="publish", bucket=BUCKET, reports=reports, refresh_date=day)
    return operator.execute({})  # type: ignore[typeddict-item]  # the context is not used


def latest(s3: Any, report: str) -> dict[str, Any] | None:
    try:
        body = s3.get_object(Bucket=BUCKET, Key=f"reports/{report}/latest.json")["Body"].read()
    except s3.exceptions.NoSuchKey:
        return None
    return dict(json.loads(body))


def test_the_pointer_names_the_files_of_every_format(s3: Any) -> None:
    unload(s3, "city", "2003-01-02")
    assert publish("city", day="2003-01-02") == {"city": "2003-01-02"}
    prefix = f"s3://{BUCKET}/reports/city/refresh_date=2003-01-02"
    assert latest(s3, "city") == {
        "report": "city",
        "refresh_date": "2003-01-02",
        "formats": {
            name: {"manifest": f"{prefix}/{name}/manifest", "files": [f"{prefix}/{name}/000"], "rows": 2}
            for name in ("csv", "parquet")
        },
    }


def break_manifest(s3: Any) -> None:
    s3.delete_object(Bucket=BUCKET, Key="reports/city/refresh_date=2003-01-02/parquet/manifest")


def break_file(s3: Any) -> None:
    s3.delete_object(Bucket=BUCKET, Key="reports/city/refresh_date=2003-01-02/parquet/000")


def break_size(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="reports/city/refresh_date=2003-01-02/parquet/000", Body=b"half")


@pytest.mark.parametrize("damage", [break_manifest, break_file, break_size])
def test_no_pointer_moves_while_a_file_of_any_report_is_missing(
    s3: Any, damage: Callable[[Any], None]
) -> None:
    for report in ("stores", "city"):
        unload(s3, report, "2003-01-01")
    publish("stores", "city", day="2003-01-01")
    for report in ("stores", "city"):
        unload(s3, report, "2003-01-02")
    damage(s3)
    with pytest.raises(
        ReportIncompleteError, match=r"refresh_date=2003-01-02/parquet.*run the report's unload"
    ):
        publish("stores", "city", day="2003-01-02")
    for report in ("stores", "city"):
        found = latest(s3, report)
        assert found is not None
        assert found["refresh_date"] == "2003-01-01"


def test_a_past_day_does_not_take_the_pointer_back(s3: Any) -> None:
    for day in ("2003-01-02", "2003-01-01"):
        unload(s3, "city", day)
    publish("city", day="2003-01-02")
    assert publish("city", day="2003-01-01") == {"city": "2003-01-02"}


def test_of_two_runs_at_once_the_later_day_wins(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other run publishes between our look at the pointer and our write."""
    for day in ("2003-01-01", "2003-01-02"):
        unload(s3, "city", day)
    put = s3.put_object
    others = iter(["2003-01-02"])

    def put_after_the_other_run(**request: Any) -> Any:
        monkeypatch.setattr(s3, "put_object", put)
        publish("city", day=next(others))
        return put(**request)

    monkeypatch.setattr(s3, "put_object", put_after_the_other_run)
    assert publish("city", day="2003-01-01") == {"city": "2003-01-02"}
    found = latest(s3, "city")
    assert found is not None
    assert found["refresh_date"] == "2003-01-02"
