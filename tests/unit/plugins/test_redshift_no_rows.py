from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from plugins_context import STATEMENT_ID, described, nothing_runs, part

from redshift_etl.operators.redshift_no_rows import RedshiftNoRowsOperator

Make = Callable[[], RedshiftNoRowsOperator]


@pytest.fixture
def check(attach: Callable[[Any], Any]) -> RedshiftNoRowsOperator:
    operator = RedshiftNoRowsOperator(
        task_id="check_sales", sql="check_sales.sql", database="dev", workgroup_name="redshift-etl"
    )
    operator.sql = "select day, rows, note from bad_sales"
    return attach(operator)


def finished(api: Stubber, rows: int, **more: Any) -> None:
    nothing_runs(api)
    api.add_response("execute_statement", {"Id": STATEMENT_ID}, None)
    api.add_response("describe_statement", described("FINISHED", ResultRows=rows, **more), None)


def page(first: int, count: int, total: int, token: str | None = None) -> dict[str, Any]:
    rows = [
        [{"stringValue": f"2003-01-{n:02d}"}, {"longValue": n}, {"isNull": True}]
        for n in range(first, first + count)
    ]
    columns = [{"name": "day"}, {"name": "rows", "label": "rows"}, {"name": "note"}]
    more = {"NextToken": token} if token else {}
    return {"Records": rows, "ColumnMetadata": columns, "TotalNumRows": total} | more


def test_no_rows_is_a_success(check: Any, api: Stubber, make_context: Callable[..., Any]) -> None:
    finished(api, 0)
    assert check.execute(make_context(check))[0]["rows"] == 0


def test_defect_15_rows_fail_the_task_for_good_and_are_shown(
    check: Any, api: Stubber, make_context: Callable[..., Any]
) -> None:
    finished(api, 1)
    api.add_response("get_statement_result", page(1, 1, 1), {"Id": STATEMENT_ID})
    with pytest.raises(AirflowFailException) as error:
        check.execute(make_context(check))
    assert str(error.value) == (
        "Check check_sales (check_sales.sql) found 1 row(s): day=2003-01-01, rows=1, note=None"
    )


def test_only_as_many_pages_are_read_as_are_shown(
    check: Any, api: Stubber, make_context: Callable[..., Any]
) -> None:
    finished(api, 1200)
    api.add_response("get_statement_result", page(1, 3, 1200, "2"), {"Id": STATEMENT_ID})
    api.add_response("get_statement_result", page(4, 3, 1200, "3"), {"Id": STATEMENT_ID, "NextToken": "2"})
    with pytest.raises(AirflowFailException) as error:
        check.execute(make_context(check))
    message = str(error.value)
    assert "found 1,200 row(s), the first 5: day=2003-01-01, rows=1, note=None; day=2003-01-02" in message
    assert "2003-01-05" in message
    assert "2003-01-06" not in message


def test_the_last_statement_of_a_batch_is_the_check(
    check: Any, api: Stubber, make_context: Callable[..., Any]
) -> None:
    check.sql = "create temp table t as select 1; select * from t"
    nothing_runs(api)
    api.add_response("batch_execute_statement", {"Id": STATEMENT_ID}, None)
    parts = [part(1, "FINISHED", "create", ResultRows=-1), part(2, "FINISHED", "select", ResultRows=1)]
    api.add_response("describe_statement", described("FINISHED", SubStatements=parts), None)
    api.add_response("get_statement_result", page(1, 1, 1), {"Id": f"{STATEMENT_ID}:2"})
    with pytest.raises(AirflowFailException, match="day=2003-01-01"):
        check.execute(make_context(check))


def test_a_script_that_selects_nothing_is_refused(
    check: Any, api: Stubber, make_context: Callable[..., Any]
) -> None:
    nothing_runs(api)
    check.sql = "select 1; insert into bad_sales select 1"
    with pytest.raises(AirflowFailException, match=r"check_sales\.sql checks nothing: end it with a select"):
        check.execute(make_context(check))


def test_a_sample_is_kept_in_s3_with_what_was_asked(
    check: Any, api: Stubber, make_context: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    written: dict[str, Any] = {}

    def load_string(text: str, **arguments: Any) -> None:
        written.update(arguments, text=text)

    monkeypatch.setattr(
        "airflow.providers.amazon.aws.hooks.s3.S3Hook", lambda **_: SimpleNamespace(load_string=load_string)
    )
    check.sample_url = "s3://data/quality/check_sales/refresh_date=2003-01-02/sample.json"
    check.sql = "select day, rows, note from bad_sales where day = :day"
    check.parameters = [{"name": "day", "value": "2003-01-02"}]
    finished(api, 150)
    api.add_response("get_statement_result", page(1, 80, 150, "2"), {"Id": STATEMENT_ID})
    api.add_response("get_statement_result", page(81, 70, 150), {"Id": STATEMENT_ID, "NextToken": "2"})
    with pytest.raises(AirflowFailException, match=r"; 100 row\(s\) kept in s3://data/quality/check_sales/"):
        check.execute(make_context(check))
    sample = json.loads(written["text"])
    assert (written["key"], written["replace"]) == (check.sample_url, True)
    assert (sample["check"], sample["count"], len(sample["rows"])) == ("check_sales", 150, 100)
    assert sample["parameters"] == {"day": "2003-01-02"}
    assert sample["rows"][0] == {"day": "2003-01-01", "rows": 1, "note": None}


def test_a_sample_that_cannot_be_kept_does_not_hide_what_was_found(
    check: Any, api: Stubber, make_context: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def load_string(*_: Any, **__: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutObject")

    monkeypatch.setattr(
        "airflow.providers.amazon.aws.hooks.s3.S3Hook", lambda **_: SimpleNamespace(load_string=load_string)
    )
    check.sample_url = "s3://data/quality/sample.json"
    finished(api, 1)
    api.add_response("get_statement_result", page(1, 1, 1), {"Id": STATEMENT_ID})
    with pytest.raises(AirflowFailException, match=r"note=None$"):
        check.execute(make_context(check))
