"""COPY: finds the objects, fetches them, and loads Parquet by position or text with load errors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from . import relations
from .copy_options import CopyOptions, parse_copy
from .copy_text import load_text
from .errors import RedshiftError, translate
from .object_store import S3Object
from .parquet_files import (
    check_column,
    check_text,
    corrupt,
    is_unmarked_text,
    path_list,
    read_schema,
    scan_error,
)
from .statement import Statement
from .table_definition import ColumnDefinition, quote
from .types import Result

if TYPE_CHECKING:
    from .session import Session


def copy(session: Session, statement: Statement) -> Result:
    """COPY from S3 into a table; all of it or nothing."""
    options = parse_copy(statement)
    table = relations.find_table(session, options.schema, options.table)
    if table is None:
        raise relations.no_relation(options.schema, options.table)
    columns = _columns(table, options)
    objects = _objects(session, options)
    if options.format == "parquet":
        paths = session.store.fetch(objects, ".parquet")
        session.check_cancelled()
        rows = _load_parquet(session, table, columns, objects, paths)
    else:
        paths = session.store.fetch(objects, ".gz" if options.gzip else ".txt")
        session.check_cancelled()
        urls = dict(zip(paths, (item.url for item in objects), strict=True))
        rows = load_text(session, options, table, columns, urls)
    session.last_copy_count = rows
    return Result("COPY", None, [], rows)


def _columns(table: relations.Table, options: CopyOptions) -> list[ColumnDefinition]:
    """The columns that the data fills, in the order of the data."""
    known = table.definition.names
    for name in options.columns:
        if name not in known:
            raise RedshiftError(f'column "{name}" of relation "{table.name}" does not exist', "42703")
        if known[name].identity_always and not options.explicit_ids:
            raise RedshiftError("cannot COPY into an identity column without EXPLICIT_IDS", "0A000")
    if options.columns:
        return [known[name] for name in options.columns]
    return [column for column in known.values() if options.explicit_ids or not column.identity_always]


def _objects(session: Session, options: CopyOptions) -> list[S3Object]:
    if options.manifest:
        return _from_manifest(session, options.source)
    objects = [item for item in session.store.find(options.source) if not _is_hidden(item.key)]
    if not objects:
        prefix = options.source.partition("://")[2].partition("/")[2]
        raise RedshiftError(f"The specified S3 prefix '{prefix}' does not exist", "XX000")
    return [item for item in objects if item.size > 0]


def _is_hidden(key: str) -> bool:
    name = key.rsplit("/", 1)[-1]
    return not name or name.startswith(("_", ".", "#")) or name.endswith("~")


def _from_manifest(session: Session, url: str) -> list[S3Object]:
    manifest = session.store.head(url)
    if manifest is None:
        raise RedshiftError(f"Problem reading manifest file: {url} does not exist", "XX000")
    try:
        entries = [
            (entry["url"], entry.get("mandatory", False))
            for entry in json.loads(session.store.read(manifest))["entries"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise RedshiftError(
            f"Problem reading manifest file: {url} is not a manifest ({error})", "XX000"
        ) from error
    found: list[S3Object] = []
    for entry, mandatory in entries:
        item = session.store.head(entry)
        if item is not None:
            found.append(item)
        elif mandatory:
            raise RedshiftError(
                f"Problem reading manifest file: {entry} is mandatory and does not exist", "XX000"
            )
    return found


def _load_parquet(
    session: Session,
    table: relations.Table,
    columns: Sequence[ColumnDefinition],
    objects: Sequence[S3Object],
    paths: Sequence[Path],
) -> int:
    """Parquet columns fill table columns by position, whatever their names."""
    fields = [f"f{number}" for number in range(len(columns))]
    values = list(fields)
    for item, path in zip(objects, paths, strict=True):
        found = read_schema(session, path, item.url)
        if len(found) != len(columns):
            raise scan_error(
                f"Unmatched number of columns between table and file. Table columns: {len(columns)}, "
                f"Data columns: {len(found)}, Table name: {table.name}, File name: {item.url}"
            )
        for number, (column, parquet) in enumerate(zip(columns, found, strict=True)):
            check_column(item.url, column.name, column.type, parquet)
            if is_unmarked_text(column.type, parquet):
                check_text(session, path, item.url, parquet)
                values[number] = f"decode(f{number}::blob)"
    if not paths:
        return 0
    names = ", ".join(quote(column.name) for column in columns)
    reader = f"read_parquet({path_list(paths)}, hive_partitioning = false) as f({', '.join(fields)})"
    try:
        row = session.run(
            f"insert into {table.sql} ({names}) select {', '.join(values)} from {reader}"
        ).fetchone()
    except duckdb.ConstraintException as error:
        raise _explain(session, columns, objects, paths, error) from error
    except duckdb.Error as error:
        # Of damaged pages DuckDB also raises errors without a class.
        if type(error) not in {duckdb.Error, duckdb.InvalidInputException}:
            raise
        raise corrupt(session, [item.url for item in objects], paths, error) from error
    return int(row[0]) if row else 0


def _explain(
    session: Session,
    columns: Sequence[ColumnDefinition],
    objects: Sequence[S3Object],
    paths: Sequence[Path],
    error: duckdb.Error,
) -> RedshiftError:
    """Finds the file and the column that broke a constraint, after the engine refused the whole load."""
    for item, path in zip(objects, paths, strict=True):
        names = [f"c{number}" for number in range(len(columns))]
        source = f"read_parquet({path_list([path])}, hive_partitioning = false) as f({', '.join(names)})"
        for name, column in zip(names, columns, strict=True):
            if column.type.length:
                longest = session.aside(f"select max(strlen({name})) from {source}").fetchall()[0][0]
                if longest is not None and longest > column.type.length:
                    return scan_error(
                        f"The length of the data column {column.name} is longer than the length defined "
                        f"in the table. "
                        f"Table: {column.type.length}, Data: {longest}, File name: {item.url}"
                    )
            if (
                not column.nullable
                and session.aside(f"select 1 from {source} where {name} is null limit 1").fetchall()
            ):
                return RedshiftError(
                    f"Cannot insert a NULL value into column {column.name}, File name: {item.url}", "23502"
                )
    return translate(error)
