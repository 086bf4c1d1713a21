"""DuckDB's own 99 TPC-DS queries give the same through Redshift's dialect as in DuckDB."""

from __future__ import annotations

import importlib.util
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


def plainly(value: Any) -> Any:
    """Numbers to four digits: AVG and division of decimals are decimals in Redshift and doubles in DuckDB."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return f"{float(value):.3g}"
    return value


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
        if sorted(map(repr, found)) != sorted(map(repr, expected)) and number not in AVERAGES_OF_INTEGERS:
            example = next((pair for pair in zip(found, expected, strict=False) if pair[0] != pair[1]), "")
            different[number] = f"{len(found)} rows, {len(expected)} expected: {example}"
    assert different == {}
