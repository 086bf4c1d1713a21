"""What the storm calls a broken promise, and what it does not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chaos.promise import Piece, at_once, of_data_api, of_glue, twice

TASK = "reviews_etl.run.load_reviews"
FILE = "sql/reviews/etl.sql"


def at(second: float) -> datetime:
    return datetime(2003, 1, 2, tzinfo=UTC) + timedelta(seconds=second)


def piece(created: float, ended: float, *, took_effect: bool = True) -> Piece:
    return Piece(TASK, at(created), at(ended), took_effect)


def clears(*seconds: float) -> dict[str, list[datetime]]:
    return {TASK: [at(second) for second in seconds]}


@pytest.mark.parametrize(
    ("pieces", "cleared", "excess"),
    [
        ([piece(0, 1)], [], 0),
        ([piece(0, 1, took_effect=False), piece(2, 3)], [], 0),
        ([piece(0, 1), piece(2, 3)], [], 1),
        ([piece(0, 1), piece(6, 7)], [5], 0),
        # Two before the clear and none after it are two for one request.
        ([piece(0, 1), piece(2, 3)], [5], 1),
        # It commits after the clear, and is the earlier request's.
        ([piece(0, 6), piece(7, 8)], [5], 0),
        # The worker that is not told yet submits after the clear.
        ([piece(6, 7), piece(8, 9)], [5], 0),
        ([piece(6, 7), piece(8, 9), piece(10, 11)], [5], 1),
    ],
)
def test_each_request_may_take_effect_once(pieces: list[Piece], cleared: list[float], excess: int) -> None:
    assert twice(pieces, clears(*cleared)) == ({TASK: excess} if excess else {})


def test_no_two_pieces_of_one_task_may_go_on_at_once() -> None:
    apart = [piece(0, 1), piece(1, 2)]
    assert at_once(apart) == []
    assert at_once([*apart, piece(1.5, 3, took_effect=False)]) == [
        (apart[1], piece(1.5, 3, took_effect=False))
    ]
    assert at_once([apart[0], Piece("another", at(0.5), at(2), took_effect=True)]) == []


def test_a_batch_took_effect_when_its_last_statement_is_committed() -> None:
    def batch(name: str, *committed: bool) -> dict[str, Any]:
        return {
            "source": "data-api",
            "name": name,
            "created": at(0).isoformat(),
            "ended": at(1.5).isoformat(),
            "statements": [{"committed": one} for one in committed],
        }

    told = [batch("store_sales_etl.r.t", True, True), batch("store_sales_etl.r.t", True, False)]
    told += [batch("store_sales_etl.r.t.unless", True), batch("somebody", True)]
    assert list(of_data_api(told)) == [
        Piece("store_sales_etl.r.t", at(0), at(1.5), took_effect=True),
        Piece("store_sales_etl.r.t", at(0), at(1.5), took_effect=False),
    ]


def run(number: int, state: str, began: float, ended: float, error: str | None = None) -> dict[str, Any]:
    arguments = {"--file": FILE, "--airflow_task_uuid": f"reviews_etl/run/load_reviews/-1/{number}"}
    return {
        "Id": f"jr_{number}",
        "Arguments": arguments,
        "JobRunState": state,
        "StartedOn": at(began),
        "CompletedOn": at(ended),
        "ErrorMessage": error,
    }


def connection(pid: int, began: float, *, committed: bool) -> list[dict[str, Any]]:
    sqls = [f"set query_group to '{FILE}'", "begin", "delete from t", "insert into t values (1)", "commit"]
    return [
        {
            "id": f"wire-{pid}-{number}",
            "source": "wire",
            "sqls": [sql],
            "created": (at(began) + number * timedelta(milliseconds=1)).isoformat(),
            "committed": committed,
        }
        for number, sql in enumerate(sqls, start=1)
    ]


@pytest.mark.parametrize(
    ("first", "committed", "effects"),
    [
        (run(1, "STOPPED", 0, 5), True, [True, True]),
        (run(1, "STOPPED", 0, 5), False, [False, True]),
        (
            run(1, "FAILED", 0, 5, "The run was lost when local_aws ended; start it again."),
            True,
            [False, True],
        ),
        # Two went on with this file: nobody can tell whose connection it is.
        (run(1, "STOPPED", 0, 25), True, [False, True]),
    ],
)
def test_a_job_run_took_effect_when_its_connection_committed(
    first: dict[str, Any], committed: bool, effects: list[bool]
) -> None:
    runs = [first, run(2, "SUCCEEDED", 10, 20)]
    if first["CompletedOn"] == at(25):
        runs.append(run(3, "SUCCEEDED", 30, 40))
        told = connection(7, 11, committed=committed) + connection(8, 31, committed=True)
        assert [one.took_effect for one in of_glue(runs, told)] == [*effects, True]
        return
    # The backends of a restarted local_aws have the same numbers.
    told = connection(7, 1, committed=committed) + connection(7, 11, committed=True)
    found = of_glue(runs, told)
    assert [one.took_effect for one in found] == effects
    assert {one.name for one in found} == {TASK}
