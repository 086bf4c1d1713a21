"""DuckDB's own 99 TPC-DS queries give the same through Redshift's dialect as in DuckDB."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from local_aws.redshift import RedshiftError, Session, Warehouse


def extension() -> Path:
    spec = importlib.util.find_spec("duckdb_extension_tpcds")
    assert spec is not None
    assert spec.origin is not None
    return next(Path(spec.origin).parent.rglob("tpcds.duckdb_extension"))


@pytest.fixture(scope="module")
def generated() -> Iterator[tuple[duckdb.DuckDBPyConnection, Session]]:
    """TPC-DS at a very small scale, once in plain DuckDB and once in a warehouse."""
    plain = duckdb.connect(":memory:", config={"allow_unsigned_extensions": "true"})
    plain.execute(f"load '{extension()}'")
    plain.execute("call dsdgen(sf = 0.01)")
    plain.execute("set integer_division = true")
    warehouse = Warehouse("tpcds", endpoint_url="http://127.0.0.1:9")
    session = warehouse.connect("dev", "awsuser")
    for (name,) in plain.execute("select table_name from duckdb_tables()").fetchall():
        table = plain.execute(f"from {name}").to_arrow_table()
        session.cursor.register("incoming", table)
        session.cursor.execute(f"create table dev.public.{name} as from incoming")
        session.cursor.unregister("incoming")
    yield plain, session
    warehouse.close()
    plain.close()


def agree(found: list[tuple[Any, ...]], expected: list[tuple[Any, ...]]) -> bool:
    """Whether two results hold the same rows, in whatever order of ties."""
    return len(found) == len(expected) and all(
        same(a, b)
        for left, right in zip(sorted(found, key=by_text), sorted(expected, key=by_text), strict=True)
        for a, b in zip(left, right, strict=True)
    )


def same(found: Any, expected: Any) -> bool:
    """Whether a value is DuckDB's. Only quotients differ: there a double, here of the dividend's kind.

    An average of integers is cut to an integer; a quotient of decimals is rounded to a decimal's places, and
    so are those that it is a sum of.
    """
    if not isinstance(expected, float):
        return bool(found == expected)
    if isinstance(found, int):
        return found == int(expected)
    if isinstance(found, Decimal):
        return math.isclose(found, expected, rel_tol=0, abs_tol=10.0 ** found.as_tuple().exponent)
    return isinstance(found, float) and math.isclose(found, expected, rel_tol=1e-9)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def by_text(row: tuple[Any, ...]) -> tuple[str, tuple[float, ...]]:
    """Text first: numbers that differ a little must not change the order."""
    return (
        repr([value for value in row if not is_number(value)]),
        tuple(round(float(value)) for value in row if is_number(value)),
    )


def test_all_queries_run_and_agree(generated: tuple[duckdb.DuckDBPyConnection, Session]) -> None:
    plain, session = generated
    different: dict[int, str] = {}
    for number, text in plain.execute("select query_nr, query from tpcds_queries()").fetchall():
        expected = plain.execute(text).fetchall()
        try:
            found = session.execute(text).rows
        except RedshiftError as error:
            different[number] = str(error)
            continue
        if not agree(found, expected):
            different[number] = f"{found[:3]}, expected {expected[:3]}"
    assert different == {}


@pytest.mark.parametrize(
    ("found", "expected"),
    [(1000, 1004), (2, 1.5), (Decimal("0.00"), Decimal("0.01")), (Decimal("1.00"), 1.02), (1.0, 1.001)],
)
def test_what_differs_does_not_agree(found: Any, expected: Any) -> None:
    assert not agree([(found,)], [(expected,)])
