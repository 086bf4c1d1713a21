"""What the Data API lists of a database: databases, schemas, tables, columns."""

from typing import Any

from local_aws.redshift import RedshiftError
from local_aws.redshift_data.exceptions import ValidationException
from local_aws.redshift_data.statements import LoginRefusedError, Target

_DATABASES = "select datname from pg_database order by 1"
_SCHEMAS = """
select schema_name from svv_all_schemas
where database_name = :database and schema_name like :schema
order by 1
"""
_TABLES = """
select schema_name, table_name, table_type from svv_all_tables
where database_name = :database and schema_name like :schema and table_name like :table
order by 1, 2
"""
_COLUMNS = """
select column_name, data_type, is_nullable, column_default, character_maximum_length, numeric_precision,
    numeric_scale
from svv_all_columns
where database_name = :database and schema_name = :schema and table_name = :table
order by ordinal_position
"""
_TYPE_NAMES = {
    "bigint": "int8",
    "boolean": "bool",
    "character": "bpchar",
    "character varying": "varchar",
    "double precision": "float8",
    "integer": "int4",
    "real": "float4",
    "smallint": "int2",
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
}


def _rows(target: Target, sql: str, **parameters: str) -> list[tuple[Any, ...]]:
    try:
        connection = target.connect()
        try:
            return connection.execute(sql, parameters or None).rows
        finally:
            connection.close()
    except (LoginRefusedError, RedshiftError) as error:
        raise ValidationException(str(error)) from None


def databases(target: Target) -> list[str]:
    """The cluster's databases."""
    return [name for (name,) in _rows(target, _DATABASES)]


def schemas(target: Target, database: str, pattern: str | None) -> list[str]:
    """The schemas, external ones too, whose name is like the pattern (`%` and `_`)."""
    return [name for (name,) in _rows(target, _SCHEMAS, database=database, schema=pattern or "%")]


def tables(target: Target, database: str, schema: str | None, table: str | None) -> list[dict[str, Any]]:
    """The tables and views, external ones too, as `TableMember`s."""
    found = _rows(target, _TABLES, database=database, schema=schema or "%", table=table or "%")
    return [{"schema": schema_name, "name": name, "type": kind} for schema_name, name, kind in found]


def columns(target: Target, database: str, schema: str, table: str) -> list[dict[str, Any]]:
    """A table's columns as `ColumnMetadata`, in their order; none for a table that does not exist."""
    return [
        {
            "name": name,
            "label": name,
            "typeName": _TYPE_NAMES.get(kind, kind),
            "nullable": int(nullable in {True, "YES"}),
            "length": length or 0,
            "precision": precision or 0,
            "scale": scale or 0,
            "isCaseSensitive": kind.startswith("character"),
            "isCurrency": False,
            "isSigned": kind in {"smallint", "integer", "bigint", "real", "double precision", "numeric"},
            "schemaName": schema,
            "tableName": table,
            **({"columnDefault": default} if default else {}),
        }
        for name, kind, nullable, default, length, precision, scale in _rows(
            target, _COLUMNS, database=database, schema=schema, table=table
        )
    ]
