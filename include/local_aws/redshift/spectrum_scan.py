"""Reads an external table: registered partitions only, pruned by the statement, from what lies in S3 now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from botocore.exceptions import ClientError
from sqlglot import exp

from .errors import not_supported
from .functions import INTERNAL
from .object_store import S3Object
from .parquet_files import (
    ParquetColumn,
    check_column,
    check_text,
    is_unmarked_text,
    path_list,
    read_schema,
)
from .spectrum_catalog import glue_table, type_of_glue
from .spectrum_expression import partition_expression
from .table_definition import quote
from .types import DataType

if TYPE_CHECKING:
    from mypy_boto3_glue.type_defs import GetPartitionsRequestPaginateTypeDef, TableTypeDef

    from .session import Session


@dataclass(frozen=True)
class _Partition:
    values: tuple[str, ...]
    location: str


def scan(session: Session, glue_database: str, schema: str, node: exp.Table) -> str:
    """DuckDB SQL that reads an external table as one reference to it needs.

    Args:
        session: where it will run.
        glue_database: the Glue database of its schema.
        schema: the external schema.
        node: the reference, in the tree of its statement.

    Raises:
        RedshiftError: 42P01 for an unknown table; XX000 for a file that does not fit.
    """
    table = glue_table(session, glue_database, schema, node.name.lower())
    columns = {column["Name"]: type_of_glue(column.get("Type", "string")) for column in _columns(table)}
    keys = {key["Name"]: type_of_glue(key.get("Type", "string")) for key in table.get("PartitionKeys", [])}
    conditions = [condition for condition in _conjuncts(node) if _only_on(condition, node, keys)]
    partitions = _partitions(session, glue_database, table, partition_expression(conditions, keys))
    if conditions and partitions:
        partitions = _prune(session, node, keys, conditions, partitions)
    files: list[tuple[S3Object, _Partition]] = []
    for partition in partitions:
        location = partition.location.rstrip("/") + "/"
        files += [(item, partition) for item in session.store.find(location) if _is_data(item)]
    session.check_cancelled()
    if not files:
        return _empty(columns, keys)
    suffix = ".parquet" if _is_parquet(table) else ""
    paths = session.store.fetch([item for item, _ in files], suffix)
    present = _check(session, columns, files, paths) if suffix else dict.fromkeys(columns, "f.{}")
    reader = _parquet(paths) if suffix else _text_reader(table, columns, paths)
    shown = [
        f"{_cut(present.get(name, 'null').format(quote(name)), kind)} as {quote(name)}"
        for name, kind in columns.items()
    ]
    shown += [f"p.{quote(name)}::{kind.duckdb} as {quote(name)}" for name, kind in keys.items()]
    shown += ['p."$path" as "$path"', 'p."$size" as "$size"'] if _asks_for_path(node) else []
    names = ", ".join(quote(name) for name in ("__file", "$path", "$size", *keys))
    rows = ", ".join(_row(path, *file) for path, file in zip(paths, files, strict=True))
    return (
        f"select {', '.join(shown)} from {reader} as f join (values {rows}) as p({names}) "
        "on f.__file = p.__file"
    )


def _cut(value: str, kind: DataType) -> str:
    """A column's value: Spectrum cuts text to the bytes that are declared, and says nothing of it.

    Source: the Database Developer Guide, CREATE EXTERNAL TABLE, "results are truncated to fit the defined
    column size without returning an error".
    """
    typed = f"{value}::{kind.duckdb}"
    return f"{INTERNAL}.truncate_bytes({typed}, {kind.length})" if kind.length else typed


def _row(path: Path, item: S3Object, partition: _Partition) -> str:
    """What is known of a file besides its content: its object and its partition's values."""
    values = [_literal(str(path)), _literal(item.url), f"{item.size}::bigint", *map(_key, partition.values)]
    return f"({', '.join(values)})"


def _columns(table: TableTypeDef) -> Sequence[dict[str, str]]:
    return table["StorageDescriptor"].get("Columns", [])  # type: ignore[return-value]  # a typed dict is a dict of text here


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _key(value: str) -> str:
    return "null" if value == "__HIVE_DEFAULT_PARTITION__" else _literal(value)


def _is_data(item: S3Object) -> bool:
    name = item.key.rsplit("/", 1)[-1]
    return bool(name) and item.size > 0 and not name.startswith(("_", "."))


def _is_parquet(table: TableTypeDef) -> bool:
    library = table["StorageDescriptor"].get("SerdeInfo", {}).get("SerializationLibrary", "").lower()
    if "parquet" in library:
        return True
    if "lazysimpleserde" in library or "opencsv" in library:
        return False
    raise not_supported(f"external table {table['Name']} with serde {library}")


def _asks_for_path(node: exp.Table) -> bool:
    root = node.root()
    return any(column.name in {"$path", "$size"} for column in root.find_all(exp.Column))


def _partitions(
    session: Session, glue_database: str, table: TableTypeDef, expression: str
) -> list[_Partition]:
    """The registered partitions; the expression lets the catalog leave some out of its answer."""
    if not table.get("PartitionKeys"):
        return [_Partition((), table["StorageDescriptor"].get("Location", ""))]
    request: GetPartitionsRequestPaginateTypeDef = {
        "DatabaseName": glue_database,
        "TableName": table["Name"],
        "ExcludeColumnSchema": True,
    }
    try:
        return _registered(session, request | {"Expression": expression})
    except ClientError as error:
        # A value or a literal is not of its column's type for Glue; it may be one for Redshift.
        if error.response["Error"]["Code"] not in {"InvalidInputException", "InvalidStateException"}:
            raise
        return _registered(session, request)


def _registered(session: Session, request: GetPartitionsRequestPaginateTypeDef) -> list[_Partition]:
    return [
        _Partition(tuple(found["Values"]), found["StorageDescriptor"].get("Location", ""))
        for page in session.warehouse.glue.get_paginator("get_partitions").paginate(**request)
        for found in page["Partitions"]
    ]


def _prune(
    session: Session,
    node: exp.Table,
    keys: dict[str, DataType],
    conditions: Sequence[exp.Expr],
    partitions: list[_Partition],
) -> list[_Partition]:
    """Leaves out partitions that the conditions rule out; when unsure, none."""
    rows = ", ".join(
        f"({number}, {', '.join(map(_key, partition.values))})" for number, partition in enumerate(partitions)
    )
    names = ", ".join(quote(name) for name in keys)
    typed = ", ".join(f"{quote(name)}::{kind.duckdb} as {quote(name)}" for name, kind in keys.items())
    alias = quote(node.alias_or_name)
    wanted = " and ".join(f"({condition.sql(dialect='duckdb')})" for condition in conditions)
    text = f"""
        select __number from (select __number, {typed} from (values {rows}) as v(__number, {names})) as
        {alias}
        where {wanted}
    """
    try:
        kept = {row[0] for row in session.aside(text).fetchall()}
    except duckdb.Error:
        # A condition that DuckDB cannot judge by itself prunes nothing; the statement itself will judge it.
        return partitions
    return [partition for number, partition in enumerate(partitions) if number in kept]


def _conjuncts(node: exp.Table) -> list[exp.Expr]:
    """Conditions that every row of the reference must meet: of WHERE, and of ON of inner joins."""
    select = node.find_ancestor(exp.Select, exp.Update, exp.Delete, exp.Merge)
    if select is None or isinstance(select, exp.Merge):
        return []
    found: list[exp.Expr] = []
    where = select.args.get("where")
    outer_joined = any(join.side for join in select.args.get("joins") or [])
    if where is not None:
        found.append(where.this)
    if not outer_joined:
        found += [
            join.args["on"] for join in select.args.get("joins") or [] if join.args.get("on") is not None
        ]
    return _flatten(found)


def _flatten(conditions: Sequence[exp.Expr]) -> list[exp.Expr]:
    parts: list[exp.Expr] = []
    for condition in conditions:
        plain = condition.unnest()
        if isinstance(plain, exp.And):
            parts += _flatten([plain.left, plain.right])
        else:
            parts.append(plain)
    return parts


def _only_on(condition: exp.Expr, node: exp.Table, keys: dict[str, DataType]) -> bool:
    """Whether a condition looks at partition columns of this reference and at nothing else."""
    if condition.find(exp.Subquery, exp.Select, exp.Exists, exp.Window, exp.AggFunc):
        return False
    columns = list(condition.find_all(exp.Column))
    name = node.alias_or_name.lower()
    if not columns:
        return False
    alone = _is_alone(node)
    return all(
        column.name.lower() in keys and (column.table.lower() == name or (not column.table and alone))
        for column in columns
    )


def _is_alone(node: exp.Table) -> bool:
    select = node.find_ancestor(exp.Select, exp.Update, exp.Delete)
    return isinstance(select, exp.Select) and not select.args.get("joins")


def _empty(columns: dict[str, DataType], keys: dict[str, DataType]) -> str:
    shown = ", ".join(f"null::{kind.duckdb} as {quote(name)}" for name, kind in (columns | keys).items())
    return f'select {shown}, null::varchar as "$path", null::bigint as "$size" where false'


def _check(
    session: Session,
    columns: dict[str, DataType],
    files: Sequence[tuple[S3Object, _Partition]],
    paths: Sequence[Path],
) -> dict[str, str]:
    """Compares every file with the declared columns; gives how to read those that at least one file has."""
    present: dict[str, str] = {}
    for path, (item, _) in zip(paths, files, strict=True):
        found: dict[str, ParquetColumn] = {c.name.lower(): c for c in read_schema(session, path, item.url)}
        for name, kind in columns.items():
            if name in found:
                check_column(item.url, name, kind, found[name])
                present.setdefault(name, "f.{}")
                if is_unmarked_text(kind, found[name]):
                    check_text(session, path, item.url, found[name])
                    present[name] = "decode(f.{}::blob)"
    return present


def _parquet(paths: Sequence[Path]) -> str:
    options = "union_by_name = true, hive_partitioning = false, filename = '__file'"
    return f"read_parquet({path_list(paths)}, {options})"


def _text_reader(table: TableTypeDef, columns: dict[str, DataType], paths: Sequence[Path]) -> str:
    parameters = table["StorageDescriptor"].get("SerdeInfo", {}).get("Parameters", {})
    delimiter = parameters.get("field.delim") or parameters.get("separatorChar") or "\x01"
    skip = int(table.get("Parameters", {}).get("skip.header.line.count", "0"))
    types = ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in columns)
    return (
        f"read_csv({path_list(paths)}, delim = {_literal(delimiter)}, quote = '', escape = '', header = "
        f"false, "
        f"skip = {skip}, auto_detect = false, null_padding = true, nullstr = '\\N', columns = {{{types}}}, "
        "filename = '__file')"
    )
