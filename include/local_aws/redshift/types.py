"""Redshift's data types: how they are written, what DuckDB stores for them, what a result says of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .errors import RedshiftError

VARCHAR_MAX = 65535
CHAR_MAX = 4096


@dataclass(frozen=True)
class Column:
    """One column of a result or a table.

    Attributes:
        name: as the client sees it, in lower case.
        type: Redshift's internal name, for example ``int4``, ``numeric``, ``varchar`` or ``bpchar``.
        length: bytes of a ``varchar`` or ``bpchar``; 0 for other types.
        precision: digits of a ``numeric``.
        scale: digits after the point of a ``numeric``.
        nullable: whether NULL may occur.
        table: table it comes from, where that is known.
        schema: schema of that table.
    """

    name: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    nullable: bool = True
    table: str = ""
    schema: str = ""


@dataclass(frozen=True)
class Result:
    """What a statement gives back.

    Attributes:
        tag: PostgreSQL's command tag without counts, for example ``SELECT`` or ``CREATE TABLE``.
        columns: None for a statement without a result set.
        rows: Python values, one tuple a row.
        row_count: rows returned or affected; -1 where the idea does not apply.
    """

    tag: str
    columns: tuple[Column, ...] | None
    rows: list[tuple[Any, ...]]
    row_count: int


TYPE_NAMES = {
    "smallint": "int2",
    "int2": "int2",
    "integer": "int4",
    "int": "int4",
    "int4": "int4",
    "bigint": "int8",
    "int8": "int8",
    "decimal": "numeric",
    "numeric": "numeric",
    "real": "float4",
    "float4": "float4",
    "double precision": "float8",
    "double": "float8",
    "float8": "float8",
    "float": "float8",
    "boolean": "bool",
    "bool": "bool",
    "character": "bpchar",
    "char": "bpchar",
    "nchar": "bpchar",
    "bpchar": "bpchar",
    "character varying": "varchar",
    "nvarchar": "varchar",
    "varchar": "varchar",
    "string": "varchar",
    "text": "varchar",
    "date": "date",
    "timestamp": "timestamp",
    "timestamp without time zone": "timestamp",
    "timestamptz": "timestamptz",
    "timestamp with time zone": "timestamptz",
    "time": "time",
    "time without time zone": "time",
    "super": "super",
    "varbyte": "varbyte",
    "varbinary": "varbyte",
    "binary varying": "varbyte",
}

_DUCKDB = {
    "int2": "SMALLINT",
    "int4": "INTEGER",
    "int8": "BIGINT",
    "float4": "FLOAT",
    "float8": "DOUBLE",
    "bool": "BOOLEAN",
    "varchar": "VARCHAR",
    "bpchar": "VARCHAR",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMPTZ",
    "time": "TIME",
    "super": "JSON",
    "varbyte": "BLOB",
}

_FROM_DUCKDB = {
    "TINYINT": "int2",
    "UTINYINT": "int2",
    "USMALLINT": "int4",
    "UINTEGER": "int8",
    "UBIGINT": "int8",
    # SUM of integers is HUGEINT in DuckDB and BIGINT in Redshift.
    "HUGEINT": "int8",
    "UHUGEINT": "int8",
    "TIMESTAMP_S": "timestamp",
    "TIMESTAMP_MS": "timestamp",
    "TIMESTAMP_NS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "TIME WITH TIME ZONE": "time",
    "INTERVAL": "interval",
    "UUID": "varchar",
    '"NULL"': "varchar",
} | {duckdb: redshift for redshift, duckdb in _DUCKDB.items() if redshift != "bpchar"}

_WRITTEN = {
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "bool": "boolean",
    "varchar": "character varying",
    "bpchar": "character",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "time": "time without time zone",
}

TYPE_OIDS = {
    "bool": 16,
    "int8": 20,
    "int2": 21,
    "int4": 23,
    "float4": 700,
    "float8": 701,
    "bpchar": 1042,
    "varchar": 1043,
    "date": 1082,
    "time": 1083,
    "timestamp": 1114,
    "timestamptz": 1184,
    "interval": 1186,
    "numeric": 1700,
    "super": 4000,
    "varbyte": 6551,
}


@dataclass(frozen=True)
class DataType:
    """A Redshift data type with its parameters."""

    name: str
    length: int = 0
    precision: int = 0
    scale: int = 0

    @classmethod
    def parse(cls, text: str) -> DataType:
        """Reads a type as it is written in SQL or in the Glue catalog.

        Args:
            text: for example ``varchar(16)``, ``double precision`` or ``decimal(7,2)``.

        Raises:
            RedshiftError: 42704 when Redshift has no such type.
        """
        match = re.fullmatch(r"\s*([a-z0-9_ ]+?)\s*(?:\(\s*(\w+)\s*(?:,\s*(\d+)\s*)?\))?\s*", text.lower())
        name = TYPE_NAMES.get(match[1]) if match else None
        if match is None or name is None:
            raise RedshiftError(f'type "{text.strip().lower()}" does not exist', "42704")
        if name == "numeric":
            return cls(name, precision=int(match[2] or 18), scale=int(match[3] or 0))
        if name in {"varchar", "bpchar"}:
            return cls(name, length=_length(name, match[1], match[2]))
        return cls(name)

    @classmethod
    def of_duckdb(cls, text: str) -> DataType:
        """The Redshift type that stands for a DuckDB type, for example ``DECIMAL(7,2)``."""
        upper = text.upper()
        if match := re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", upper):
            return cls("numeric", precision=int(match[1]), scale=int(match[2]))
        name = _FROM_DUCKDB.get(upper, "super")
        return cls(name, length=VARCHAR_MAX if name == "varchar" else 0)

    @property
    def duckdb(self) -> str:
        """The DuckDB type that holds the values."""
        if self.name == "numeric":
            return f"DECIMAL({self.precision},{self.scale})"
        return _DUCKDB.get(self.name, "VARCHAR")

    @property
    def written(self) -> str:
        """The type as the catalog views print it, for example ``character varying(16)``."""
        written = _WRITTEN.get(self.name, self.name)
        if self.name == "numeric":
            return f"{written}({self.precision},{self.scale})"
        return f"{written}({self.length})" if self.length else written

    def column(self, name: str, *, nullable: bool = True, table: str = "", schema: str = "") -> Column:
        """A column of this type."""
        return Column(name, self.name, self.length, self.precision, self.scale, nullable, table, schema)


def _length(name: str, written: str, given: str | None) -> int:
    if given is None:
        return 1 if name == "bpchar" and written != "bpchar" else 256
    limit = VARCHAR_MAX if name == "varchar" else CHAR_MAX
    if given == "max":
        return limit
    if not given.isdigit() or not 1 <= int(given) <= limit:
        raise RedshiftError(
            f"length for type {_WRITTEN[name]} must be between 1 and {limit}, not {given}", "22023"
        )
    return int(given)
