"""Rows of the views about tables, columns and schemas, local and external."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .functions import INTERNAL
from .spectrum_catalog import external_schemas, is_not_found, type_of_glue
from .table_definition import TableDefinition, quote
from .types import DataType

if TYPE_CHECKING:
    from mypy_boto3_glue.type_defs import TableTypeDef

    from .session import Session

Rows = Iterator[Sequence[Any]]
_TEMP_SCHEMA = "pg_temp"


@dataclass(frozen=True)
class Relation:
    """A table or view of the database."""

    oid: int
    schema: str
    name: str
    kind: str
    columns: tuple[tuple[str, DataType, bool, str], ...]  # name, type, nullable, default
    definition: TableDefinition | None


def relations(session: Session) -> Iterator[Relation]:
    """Tables and views that the session sees; not our own."""
    database = session.database.name
    where = f"(database_name = '{database}' and schema_name <> '{INTERNAL}') or database_name = 'temp'"
    columns: dict[tuple[int, str], list[tuple[str, DataType, bool, str]]] = {}
    for row in session.run(
        f"select table_oid, table_name, column_name, data_type, is_nullable, column_default from "
        f"duckdb_columns() "
        f"where ({where}) and not internal order by table_oid, column_index"
    ).fetchall():
        columns.setdefault((row[0], row[1]), []).append(
            (row[2], DataType.of_duckdb(row[3]), row[4], row[5] or "")
        )
    found = session.run(
        f"select table_oid, schema_name, table_name, 'BASE TABLE', comment, temporary from "
        f"duckdb_tables() where {where} "
        f"union all select view_oid, schema_name, view_name, 'VIEW', null, temporary from duckdb_views() "
        f"where ({where}) and not internal order by 2, 3"
    ).fetchall()
    for oid, schema, name, kind, comment, temporary in found:
        definition = TableDefinition.from_comment(comment) if comment else None
        listed = tuple(columns.get((oid, name), ()))
        if definition is not None:
            listed = tuple((c.name, c.type, c.nullable, c.default) for c in definition.columns)
        yield Relation(oid, _TEMP_SCHEMA if temporary else schema, name, kind, listed, definition)
    for schema, name in session.run(
        f"select schema_name, name from {INTERNAL}.views where not materialized order by 1, 2"
    ).fetchall():
        yield Relation(0, schema, name, "VIEW", (), None)


def local_schemas(session: Session) -> list[str]:
    """Schemas of the database itself, without our own."""
    rows = session.run(
        f"select schema_name from duckdb_schemas() where database_name = '{session.database.name}' "
        f"and schema_name not in ('main', '{INTERNAL}') order by 1"
    ).fetchall()
    return [row[0] for row in rows]


def _external_tables(session: Session) -> Iterator[tuple[str, str, TableTypeDef]]:
    """Schema, Glue database and table of everything in the Glue catalog that an external schema shows."""
    glue = session.warehouse.glue
    for schema, database in sorted(external_schemas(session).items()):
        try:
            for page in glue.get_paginator("get_tables").paginate(DatabaseName=database):
                for table in page["TableList"]:
                    yield schema, database, table
        except glue.exceptions.ClientError as error:
            if not is_not_found(error):
                raise


def _svv_table_info(session: Session) -> Rows:
    for relation in relations(session):
        definition = relation.definition
        if relation.kind != "BASE TABLE" or definition is None:
            continue
        place = "temp.main" if relation.schema == _TEMP_SCHEMA else quote(relation.schema)
        rows = session.run(f"select count(*) from {place}.{quote(relation.name)}").fetchall()[0][0]
        sortkey = (
            definition.sortkey[0]
            if definition.sortkey
            else ("AUTO(SORTKEY)" if not definition.sortstyle else "")
        )
        yield (
            session.database.name, relation.schema, relation.oid, relation.name, definition.encoded,
            definition.shown_diststyle, sortkey, len(definition.sortkey), 0, 0.0, rows, rows, 0.0, 0.0,
        )  # fmt: skip


def _svv_tables(session: Session) -> Rows:
    for relation in relations(session):
        yield session.database.name, relation.schema, relation.name, relation.kind, ""
    for schema, _, table in _external_tables(session):
        yield session.database.name, schema, table["Name"], "EXTERNAL TABLE", ""


def _all_tables(session: Session) -> Rows:
    for catalog, schema, name, kind, remarks in _svv_tables(session):
        yield catalog, schema, name, kind.removeprefix("BASE "), "", remarks


def _information_tables(session: Session) -> Rows:
    for catalog, schema, name, kind, _ in _svv_tables(session):
        if kind != "EXTERNAL TABLE":
            yield catalog, schema, name, kind


def _column_rows(session: Session) -> Iterator[tuple[str, str, int, str, DataType, bool, str]]:
    for relation in relations(session):
        for number, (name, kind, nullable, default) in enumerate(relation.columns, 1):
            yield relation.schema, relation.name, number, name, kind, nullable, default


def _external_column_rows(session: Session) -> Iterator[tuple[str, str, int, str, DataType, int, str]]:
    for schema, _, table in _external_tables(session):
        columns = table.get("StorageDescriptor", {}).get("Columns", [])
        keys = table.get("PartitionKeys", [])
        for number, column in enumerate([*columns, *keys], 1):
            written = column.get("Type", "string")
            part = number - len(columns) if number > len(columns) else 0
            yield schema, table["Name"], number, column["Name"], type_of_glue(written), part, written


def _type_columns(kind: DataType) -> tuple[str, int | None, int | None, int | None]:
    """Written name without parameters, length, precision, scale."""
    whole = {"int2": (16, 0), "int4": (32, 0), "int8": (64, 0)}.get(kind.name)
    name = kind.written.partition("(")[0]
    if kind.name == "numeric":
        return name, None, kind.precision, kind.scale
    return name, kind.length or None, whole[0] if whole else None, whole[1] if whole else None


def _svv_columns(session: Session) -> Rows:
    database = session.database.name
    for schema, table, number, name, kind, nullable, default in _column_rows(session):
        shown, length, precision, scale = _type_columns(kind)
        yield (
            database, schema, table, name, number, default or None, "YES" if nullable else "NO", shown,
            length, precision, scale, "",
        )  # fmt: skip
    for schema, table, number, name, kind, _, _ in _external_column_rows(session):
        shown, length, precision, scale = _type_columns(kind)
        yield database, schema, table, name, number, None, "YES", shown, length, precision, scale, ""


def _information_columns(session: Session) -> Rows:
    external = external_schemas(session)
    for row in _svv_columns(session):
        if row[1] not in external:
            yield row[:11]


def _pg_table_def(session: Session) -> Rows:
    for relation in relations(session):
        definition = relation.definition
        if definition is None or relation.schema not in (*session.search_path, _TEMP_SCHEMA):
            continue
        for column in definition.columns:
            sort = definition.sortkey.index(column.name) + 1 if column.name in definition.sortkey else 0
            yield (
                relation.schema, relation.name, column.name, column.type.written, column.encoding or "none",
                column.name == definition.distkey, sort, not column.nullable,
            )  # fmt: skip


def _information_schemata(session: Session) -> Rows:
    for schema in local_schemas(session):
        yield session.database.name, schema, "awsuser"


def _all_schemas(session: Session) -> Rows:
    for schema in local_schemas(session):
        yield session.database.name, schema, 100, "", "local", ""
    for schema in sorted(external_schemas(session)):
        yield session.database.name, schema, 100, "", "external", ""


def _external_schemas(session: Session) -> Rows:
    rows = session.run(
        f"select name, glue_database, iam_role from {INTERNAL}.external_schemas order by name"
    ).fetchall()
    for number, (name, database, role) in enumerate(rows):
        yield 100_000 + number, 1, name, 100, database, json.dumps({"IAM_ROLE": role})


def _svv_external_tables(session: Session) -> Rows:
    for schema, _, table in _external_tables(session):
        storage = table.get("StorageDescriptor", {})
        serde = storage.get("SerdeInfo", {})
        yield (
            session.database.name, schema, table["Name"], "TABLE", storage.get("Location", ""),
            storage.get("InputFormat", ""), storage.get("OutputFormat", ""),
            serde.get("SerializationLibrary", ""), json.dumps(serde.get("Parameters", {})), 0,
            json.dumps(table.get("Parameters", {})),
        )  # fmt: skip


def _svv_external_columns(session: Session) -> Rows:
    for schema, table, number, name, _, part, written in _external_column_rows(session):
        yield session.database.name, schema, table, name, written, number, part, "true"


def _svv_external_partitions(session: Session) -> Rows:
    glue = session.warehouse.glue
    for schema, database, table in _external_tables(session):
        if not table.get("PartitionKeys"):
            continue
        for page in glue.get_paginator("get_partitions").paginate(
            DatabaseName=database, TableName=table["Name"]
        ):
            for partition in page["Partitions"]:
                storage = partition.get("StorageDescriptor", {})
                yield (
                    schema, table["Name"], json.dumps(partition["Values"]), storage.get("Location", ""),
                    storage.get("InputFormat", ""), storage.get("OutputFormat", ""),
                    storage.get("SerdeInfo", {}).get("SerializationLibrary", ""), "{}", 0, "{}",
                )  # fmt: skip


def _svv_external_databases(session: Session) -> Rows:
    for number, database in enumerate(sorted(set(external_schemas(session).values()))):
        yield 1, database, str(number)


_TYPED = "data_type varchar, character_maximum_length int, numeric_precision int, numeric_scale int"
_COLUMNS = (
    "table_schema varchar, table_name varchar, column_name varchar, ordinal_position int, column_default "
    "varchar, "
    f"is_nullable varchar, {_TYPED}"
)

VIEWS: dict[str, tuple[str, Callable[[Session], Rows]]] = {
    "svv_table_info": (
        (
            "database varchar, schema varchar, table_id int, table varchar, encoded varchar, diststyle "
            "varchar, "
            "sortkey1 varchar, sortkey_num int, size bigint, pct_used float8, tbl_rows bigint, "
            "estimated_visible_rows bigint, "
            "unsorted float8, stats_off float8"
        ),
        _svv_table_info,
    ),
    "svv_tables": (
        (
            "table_catalog varchar, table_schema varchar, table_name varchar, table_type varchar, remarks "
            "varchar"
        ),
        _svv_tables,
    ),
    "svv_all_tables": (
        (
            "database_name varchar, schema_name varchar, table_name varchar, table_type varchar, table_acl "
            "varchar, "
            "remarks varchar"
        ),
        _all_tables,
    ),
    "svv_redshift_tables": (
        (
            "database_name varchar, schema_name varchar, table_name varchar, table_type varchar, table_acl "
            "varchar, "
            "remarks varchar"
        ),
        _all_tables,
    ),
    "svv_columns": (f"table_catalog varchar, {_COLUMNS}, remarks varchar", _svv_columns),
    "svv_all_columns": (
        f"database_name varchar, {_COLUMNS.replace('table_schema', 'schema_name', 1)}, remarks varchar",
        _svv_columns,
    ),
    "svv_redshift_columns": (
        f"database_name varchar, {_COLUMNS.replace('table_schema', 'schema_name', 1)}, remarks varchar",
        _svv_columns,
    ),
    "svv_all_schemas": (
        (
            "database_name varchar, schema_name varchar, schema_owner int, schema_acl varchar, schema_type "
            "varchar, "
            "schema_option varchar"
        ),
        _all_schemas,
    ),
    "svv_external_schemas": (
        (
            "esoid int, eskind smallint, schemaname varchar, esowner int, databasename varchar, esoptions "
            "varchar"
        ),
        _external_schemas,
    ),
    "svv_external_databases": ("eskind int, databasename varchar, location varchar", _svv_external_databases),
    "svv_external_tables": (
        (
            "redshift_database_name varchar, schemaname varchar, tablename varchar, tabletype varchar, "
            "location varchar, "
            "input_format varchar, output_format varchar, serialization_lib varchar, serde_parameters "
            "varchar, "
            "compressed int, parameters varchar"
        ),
        _svv_external_tables,
    ),
    "svv_external_columns": (
        (
            "redshift_database_name varchar, schemaname varchar, tablename varchar, columnname varchar, "
            "external_type varchar, columnnum int, part_key int, is_nullable varchar"
        ),
        _svv_external_columns,
    ),
    "svv_external_partitions": (
        (
            "schemaname varchar, tablename varchar, values varchar, location varchar, input_format varchar, "
            "output_format varchar, serialization_lib varchar, serde_parameters varchar, compressed int, "
            "parameters varchar"
        ),
        _svv_external_partitions,
    ),
    "pg_table_def": (
        (
            "schemaname varchar, tablename varchar, column varchar, type varchar, encoding varchar, distkey "
            "bool, "
            "sortkey int, notnull bool"
        ),
        _pg_table_def,
    ),
}

INFORMATION_SCHEMA: dict[str, tuple[str, Callable[[Session], Rows]]] = {
    "tables": (
        "table_catalog varchar, table_schema varchar, table_name varchar, table_type varchar",
        _information_tables,
    ),
    "columns": (f"table_catalog varchar, {_COLUMNS}", _information_columns),
    "schemata": ("catalog_name varchar, schema_name varchar, schema_owner varchar", _information_schemata),
}
