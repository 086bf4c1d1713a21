"""Parquet files: their schema against declared columns, and Spectrum's words when they do not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from .errors import RedshiftError
from .table_definition import quote
from .types import DataType

if TYPE_CHECKING:
    from .session import Session

# Redshift type -> DuckDB types of a Parquet column that it can hold.
_FITS: dict[str, set[str]] = {
    "int2": {"TINYINT", "SMALLINT"},
    "int4": {"TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT"},
    "int8": {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"},
    "float4": {"FLOAT"},
    "float8": {"FLOAT", "DOUBLE"},
    "bool": {"BOOLEAN"},
    "varchar": {"VARCHAR", "BLOB", "JSON"},
    "bpchar": {"VARCHAR", "BLOB"},
    "date": {"DATE"},
    "timestamp": {"TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP WITH TIME ZONE"},
    "timestamptz": {"TIMESTAMP", "TIMESTAMP WITH TIME ZONE"},
    "time": {"TIME"},
    "varbyte": {"BLOB"},
}

_DECLARED = {
    "int2": "SMALLINT",
    "int4": "INT",
    "int8": "BIGINT",
    "float4": "FLOAT",
    "float8": "DOUBLE",
    "bool": "BOOLEAN",
    "varchar": "VARCHAR",
    "bpchar": "CHAR",
}


@dataclass(frozen=True)
class ParquetColumn:
    """A column of a Parquet file: DuckDB's type, and the file's own declaration for messages."""

    name: str
    type: str
    declaration: str


def read_schema(session: Session, path: Path, url: str) -> tuple[ParquetColumn, ...]:
    """The top-level columns of a Parquet file.

    Args:
        session: where DuckDB runs.
        path: the local copy.
        url: the object it is a copy of, for messages.

    Raises:
        RedshiftError: XX000 when the file is not Parquet, naming it.
    """
    try:
        types = session.run(
            f"describe select * from read_parquet({_text(str(path))}, hive_partitioning = false)"
        ).fetchall()
        rows = session.run(
            f"select name, type, repetition_type from parquet_schema({_text(str(path))})"
        ).fetchall()
    except duckdb.Error as error:
        if isinstance(error, duckdb.InterruptException):
            raise
        raise scan_error(
            f"File '{url}' has an invalid Parquet footer or is corrupt: {_reason(error)}"
        ) from error
    physical = {
        row[0]: f"{(row[2] or 'OPTIONAL').lower()} {(row[1] or 'group').lower()} {row[0]}" for row in rows
    }
    return tuple(ParquetColumn(row[0], row[1], physical.get(row[0], row[1].lower())) for row in types)


def _reason(error: duckdb.Error) -> str:
    return str(error).split("\n", 1)[0].split("Error: ", 1)[-1].replace("'", "").split(" file ")[0][:120]


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def path_list(paths: Sequence[Path]) -> str:
    """Paths as a DuckDB list."""
    return "[" + ", ".join(_text(str(path)) for path in paths) + "]"


def scan_error(detail: str) -> RedshiftError:
    """Spectrum's error."""
    return RedshiftError(f"Spectrum Scan Error. {detail}", "XX000")


def check_column(url: str, column: str, declared: DataType, found: ParquetColumn) -> None:
    """Compares a declared column with the file's.

    Raises:
        RedshiftError: XX000 naming file, column and both types when Redshift could not read it.
    """
    if _fits(declared, found.type):
        return
    shown = _DECLARED.get(declared.name, declared.name.upper())
    if declared.name == "numeric":
        shown = f"DECIMAL({declared.precision}, {declared.scale})"
    raise scan_error(
        f"File '{url}' has an incompatible Parquet schema for column '{url}.{column}'. "
        f"Column type: {shown}, Parquet schema: {found.declaration} ({found.type.lower()})"
    )


def is_unmarked_text(declared: DataType, found: ParquetColumn) -> bool:
    """Whether a text column is one of bytes in the file, which does not say that they are UTF-8."""
    return declared.name in {"varchar", "bpchar"} and found.type == "BLOB"


def check_text(session: Session, path: Path, url: str, column: ParquetColumn) -> None:
    """Holds the bytes of a text column to be UTF-8.

    Raises:
        RedshiftError: 22021 naming file, column and the first bytes that are not.
    """
    name = quote(column.name)
    bad = session.aside(
        f"select hex({name}) from read_parquet({_text(str(path))}, hive_partitioning = false) "
        f"where {name} is not null and try(decode({name})) is null limit 1"
    ).fetchone()
    if bad is not None:
        raise RedshiftError(
            "String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: "
            f"{bad[0][:32].lower()}, column {column.name}, File name: {url}",
            "22021",
        )


def corrupt(
    session: Session, urls: Sequence[str], paths: Sequence[Path], error: duckdb.Error
) -> RedshiftError:
    """Finds the file whose pages cannot be read, after the engine gave up on all of them together."""
    for url, path in zip(urls, paths, strict=True):
        try:
            session.aside(
                f"select sum(hash(f)) from read_parquet({_text(str(path))}, hive_partitioning = false) as f"
            ).fetchall()
        except duckdb.Error as own:
            return scan_error(f"File '{url}' is corrupt: {_reason(own)}")
    return scan_error(f"One of {', '.join(urls)} is corrupt: {_reason(error)}")


def _fits(declared: DataType, found: str) -> bool:
    if declared.name == "numeric":
        parquet = DataType.of_duckdb(found)
        return (
            parquet.name == "numeric"
            and parquet.scale == declared.scale
            and parquet.precision <= declared.precision
        )
    if declared.name == "super":
        return True
    return found in _FITS.get(declared.name, {found})
