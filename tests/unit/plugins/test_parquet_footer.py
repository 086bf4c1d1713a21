"""The names of columns, from the end of files that others have written, and of files that are none."""

from __future__ import annotations

import gzip
import io
import random
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from redshift_etl.parquet_footer import NotParquetError, column_names


def names(body: bytes) -> list[str]:
    return column_names(len(body), lambda start, end: body[start:end])


def written(table: pa.Table, **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


PLAIN = pa.table({"id": ["a", None], "price": pa.array([1, 2], pa.decimal128(7, 2)), "on": [True, False]})
NESTED = pa.table(
    {
        "first": [1],
        "place": [{"city": "Bethel", "at": {"x": 1.0, "y": 2.0}}],
        "tags": [["a", "b"]],
        "words": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int32())),
        "last": [1],
    }
)
TABLES = {
    "plain": PLAIN,
    "no rows": PLAIN.schema.empty_table(),
    "no columns": pa.table({}),
    "nested": NESTED,
    "names of other languages": pa.table({"größe": [1], "値": [2], "": [3], "two words": [4]}),
    "a thousand columns": pa.table({f"column_{number}": [number] for number in range(1000)}),
    "a name of a thousand characters": pa.table({"n" * 1000: [1]}),
    "key-value metadata": PLAIN.replace_schema_metadata({"note": "x" * 100_000}),
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("version", ["1.0", "2.6"])
def test_the_names_are_those_that_pyarrow_has_written(table: pa.Table, version: str) -> None:
    assert names(written(table, version=version)) == table.column_names


def test_a_footer_of_many_row_groups_is_not_read_whole() -> None:
    rows = pa.table({"id": [f"id-{number}" for number in range(40_000)], "n": range(40_000)})
    body = written(rows, row_group_size=5)
    length = int.from_bytes(body[-8:-4], "little")
    assert length > 1 << 20
    asked: list[int] = []

    def read(start: int, end: int) -> bytes:
        asked.append(end - start)
        return body[start:end]

    assert column_names(len(body), read) == ["id", "n"]
    assert asked == [8, 1 << 20]


def test_the_names_are_those_that_duckdb_has_written(tmp_path: Path) -> None:
    file = tmp_path / "written.parquet"
    duckdb.sql(f"copy (select 1 as a, {{'b': 2}} as s, [3] as l, 'x' as z) to '{file}' (format parquet)")
    assert names(file.read_bytes()) == ["a", "s", "l", "z"]


BODY = written(PLAIN)
NOT_PARQUET = {
    "nothing": b"",
    "the magic alone": b"PAR1",
    "the magic thrice": b"PAR1" * 3,
    "CSV": b"id,price\n1,2.00\n",
    "cut in half": BODY[: len(BODY) // 2],
    "without its last byte": BODY[:-1],
    "compressed as a whole": gzip.compress(BODY),
    "an encrypted footer": BODY[:-4] + b"PARE",
    "a footer longer than the file": BODY[:-8] + (2**31).to_bytes(4, "little") + b"PAR1",
    "a footer of no length": BODY[:-8] + bytes(4) + b"PAR1",
    "a footer of zeros": b"PAR1" + bytes(64) + (64).to_bytes(4, "little") + b"PAR1",
    "a footer of ones": b"PAR1" + b"\xff" * 64 + (64).to_bytes(4, "little") + b"PAR1",
    "lists in lists without end": b"PAR1" + b"\x29" + b"\x19" * 5000 + (5001).to_bytes(4, "little") + b"PAR1",
    "a schema that is a number": b"PAR1" + b"\x25\x02\x00" + (3).to_bytes(4, "little") + b"PAR1",
    "a schema without a root": b"PAR1" + b"\x29\x0c\x00" + (3).to_bytes(4, "little") + b"PAR1",
}


@pytest.mark.parametrize("body", NOT_PARQUET.values(), ids=NOT_PARQUET)
def test_what_is_no_parquet_file_is_told_as_such(body: bytes) -> None:
    with pytest.raises(NotParquetError):
        names(body)


def test_no_damage_to_a_footer_is_anything_but_told_or_harmless() -> None:
    """Whatever the bytes are, the names come back or one kind of error, soon."""
    dice = random.Random(1)
    told = 0
    start = len(BODY) - 8 - int.from_bytes(BODY[-8:-4], "little")
    for _ in range(3000):
        body = bytearray(BODY)
        for _ in range(dice.randint(1, 4)):
            body[start + dice.randrange(60)] = dice.randrange(256)  # where the schema is
        try:
            names(bytes(body))
        except NotParquetError:
            told += 1
    assert told > 300
