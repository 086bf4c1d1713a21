"""Files whose columns are not those that were agreed: one table of them, each with the error that it gets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from extract_files import SCHEMAS, key_of, parquet
from store_sales_days import DAY


@dataclass(frozen=True)
class BadColumns:
    """One kind.

    Attributes:
        kind: What is wrong, in words.
        key: Where the file is delivered.
        schema: Its columns; it has no row.
        error: What the sensor says behind the file's name.
    """

    kind: str
    key: str
    schema: pa.Schema
    error: str

    @property
    def body(self) -> bytes:
        """The file."""
        return parquet(self.schema)


def _swapped(schema: pa.Schema, first: int, second: int) -> pa.Schema:
    fields = list(schema)
    fields[first], fields[second] = fields[second], fields[first]
    return pa.schema(fields)


def _of(extract: str) -> Iterator[BadColumns]:
    schema, key = SCHEMAS[extract], key_of(extract, DAY)
    names = schema.names
    for place in (0, len(names) - 1):
        name = names[place]
        renamed = schema.set(place, schema.field(place).with_name(f"{name}_2"))
        excess = "" if extract == "store_sales" else f" and has in excess {name}_2"
        yield BadColumns(f"{extract} without {name}", key, schema.remove(place), f"lacks {name}")
        yield BadColumns(f"{extract} with {name} renamed", key, renamed, f"lacks {name}{excess}")
    yield BadColumns(f"{extract} without columns", key, pa.schema([]), f"lacks {', '.join(names)}")
    twice = schema.append(schema.field(0))
    yield BadColumns(f"{extract} with {names[0]} twice", key, twice, f"repeats {names[0]}")
    if extract != "store_sales":
        order = f"has its columns in another order than {', '.join(names)}"
        for first, second in ((0, 1), (len(names) - 2, len(names) - 1)):
            swapped = _swapped(schema, first, second)
            kind = f"{extract} with {names[first]} and {names[second]} swapped"
            yield BadColumns(kind, key, swapped, order)
        longer = schema.append(pa.field("extra", pa.string()))
        yield BadColumns(f"{extract} with a column too many", key, longer, "has in excess extra")


BAD_COLUMNS = tuple(bad for extract in SCHEMAS for bad in _of(extract))
