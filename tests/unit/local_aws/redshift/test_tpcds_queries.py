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
    """Whether two results hold the same rows, in whatever order of ties.

    Numbers may differ in their second decimal: a quotient of decimals is a decimal of few places in Redshift
    and a double in DuckDB.
    """
    return len(found) == len(expected) and all(
        is_number(a) == is_number(b)
        and (math.isclose(a, b, rel_tol=5e-3, abs_tol=0.011) if is_number(a) else a == b)
        for left, right in zip(sorted(found, key=by_text), sorted(expected, key=by_text), strict=True)
        for a, b in zip(left, right, strict=True)
    )


def is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def by_text(row: tuple[Any, ...]) -> tuple[str, tuple[float, ...]]:
    """Text first: numbers that differ a little must not change the order."""
    return (
        repr([value for value in row if not is_number(value)]),
        tuple(round(float(value)) for value in row if is_number(value)),
    )


# These average integers, which Redshift truncates; their values differ on purpose.
AVERAGES_OF_INTEGERS = {7, 13, 17, 22, 26, 27, 35, 39, 85}


def test_all_queries_run_and_agree(generated: tuple[duckdb.DuckDBPyConnection, Session]) -> None:
    plain, session = generated
    different: dict[int, str] = {}
    for number, text in plain.execute("select query_nr, query from tpcds_queries()").fetchall():
        expected = [tuple(map(plainly, row)) for row in plain.execute(text).fetchall()]
        try:
            found = [tuple(map(plainly, row)) for row in session.execute(text).rows]
        except RedshiftError as error:
            different[number] = str(error)
            continue
        if number not in AVERAGES_OF_INTEGERS and not agree(found, expected):
            different[number] = f"{found[:3]}, expected {expected[:3]}"
    assert different == {}


def plainly(value: Any) -> Any:
    return float(value) if is_number(value) else value
