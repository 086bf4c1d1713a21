"""External schemas, tables and partitions: their DDL. The Glue catalog is the only truth about tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from .create_table import read_type
from .errors import RedshiftError, not_supported, syntax_error
from .functions import INTERNAL
from .statement import Statement, Token, TokenReader, literal, tokenize
from .types import VARCHAR_MAX, DataType, Result

if TYPE_CHECKING:
    from mypy_boto3_glue.type_defs import (
        ColumnTypeDef,
        PartitionInputTypeDef,
        StorageDescriptorTypeDef,
        TableTypeDef,
    )

    from .session import Session

_GLUE_TYPES = {
    "int2": "smallint",
    "int4": "int",
    "int8": "bigint",
    "float4": "float",
    "float8": "double",
    "bool": "boolean",
    "varbyte": "binary",
}

_PARQUET = (
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
)
_TEXT = (
    "org.apache.hadoop.mapred.TextInputFormat",
    "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
)


def external_schemas(session: Session) -> dict[str, str]:
    """Glue database of each external schema."""
    rows = session.run(f"select name, glue_database from {INTERNAL}.external_schemas").fetchall()
    return {row[0]: row[1] for row in rows}


def glue_type(kind: DataType) -> str:
    """Redshift's type as the Glue catalog writes it."""
    if kind.name == "numeric":
        return f"decimal({kind.precision},{kind.scale})"
    if kind.length:
        return f"{'char' if kind.name == 'bpchar' else 'varchar'}({kind.length})"
    return _GLUE_TYPES.get(kind.name, kind.name)


def type_of_glue(text: str) -> DataType:
    """Redshift's type of a Glue column."""
    plain = text.lower().strip()
    if plain == "string":
        return DataType("varchar", length=VARCHAR_MAX)
    if plain == "float":
        return DataType("float4")
    if plain.startswith(("array<", "struct<", "map<")):
        return DataType("super")
    return DataType.parse({"tinyint": "smallint", "binary": "varbyte"}.get(plain, plain))


def is_not_found(error: ClientError) -> bool:
    """Whether Glue said that something does not exist."""
    return error.response["Error"]["Code"] == "EntityNotFoundException"


def glue_table(session: Session, glue_database: str, schema: str, name: str) -> TableTypeDef:
    """A table of the Glue catalog.

    Raises:
        RedshiftError: 42P01 when there is none.
    """
    try:
        return session.warehouse.glue.get_table(DatabaseName=glue_database, Name=name)["Table"]
    except ClientError as error:
        if is_not_found(error):
            raise RedshiftError(f'relation "{schema}.{name}" does not exist', "42P01") from error
        raise


def create_external_schema(session: Session, statement: Statement) -> Result:
    """CREATE EXTERNAL SCHEMA ... FROM DATA CATALOG."""
    reader = TokenReader(statement)
    reader.expect("create external schema")
    if_not_exists = reader.accept("if not exists")
    name = reader.identifier()
    if not reader.accept("from data catalog"):
        raise not_supported(statement.text)
    reader.expect("database")
    glue_database = reader.string()
    iam_role, create_database = "", False
    while not reader.at_end:
        if reader.accept("iam_role"):
            iam_role = "default" if reader.accept("default") else reader.string()
        elif reader.accept("region") or reader.accept("catalog_role"):
            reader.string()
        elif reader.accept("create external database if not exists"):
            create_database = True
        else:
            raise syntax_error(reader.peek_text)
    if create_database and session.transaction_status == "open":
        raise RedshiftError(
            "CREATE EXTERNAL SCHEMA with CREATE EXTERNAL DATABASE cannot run inside a transaction block",
            "25001",
        )
    if not iam_role:
        raise RedshiftError("CREATE EXTERNAL SCHEMA needs an IAM_ROLE", "42601")
    if name in external_schemas(session) or _schema_exists(session, name):
        if if_not_exists:
            return Result("CREATE SCHEMA", None, [], -1)
        raise RedshiftError(f'Schema "{name}" already exists', "42P06")
    if create_database:
        _create_glue_database(session, glue_database)
    values = ", ".join(_quoted(text) for text in (name, glue_database, iam_role, session.user))
    session.run(f"insert into {INTERNAL}.external_schemas values ({values})")
    return Result("CREATE SCHEMA", None, [], -1)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _schema_exists(session: Session, name: str) -> bool:
    text = f"select 1 from duckdb_schemas() where schema_name = {_quoted(name)}"
    return session.run(text).fetchone() is not None


def _create_glue_database(session: Session, name: str) -> None:
    try:
        session.warehouse.glue.create_database(DatabaseInput={"Name": name})
    except ClientError as error:
        if error.response["Error"]["Code"] != "AlreadyExistsException":
            raise


def drop_external_schema(session: Session, name: str, *, drop_database: bool) -> None:
    """DROP SCHEMA of an external schema, with its Glue database if asked."""
    glue_database = external_schemas(session)[name]
    if drop_database:
        if session.transaction_status == "open":
            raise RedshiftError("DROP EXTERNAL DATABASE cannot run inside a transaction block", "25001")
        session.warehouse.glue.delete_database(Name=glue_database)
    session.run(f"delete from {INTERNAL}.external_schemas where name = {_quoted(name)}")


def create_external_table(session: Session, statement: Statement) -> Result:
    """CREATE EXTERNAL TABLE: a table in the Glue catalog."""
    reader = TokenReader(statement)
    reader.expect("create external table")
    if_not_exists = reader.accept("if not exists")
    schema, name = reader.name()
    glue_database = _glue_database(session, schema)
    columns = _columns(reader)
    partition_keys = _columns(reader) if reader.accept("partitioned by") else []
    storage, properties = _storage(reader, columns)
    try:
        session.warehouse.glue.create_table(
            DatabaseName=glue_database,
            TableInput={
                "Name": name,
                "TableType": "EXTERNAL_TABLE",
                "Owner": session.user,
                "PartitionKeys": partition_keys,
                "Parameters": {"EXTERNAL": "TRUE", **properties},
                "StorageDescriptor": storage,
            },
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "AlreadyExistsException":
            if is_not_found(error):
                raise RedshiftError(
                    f"Database {glue_database} not found in the data catalog", "3D000"
                ) from error
            raise
        if not if_not_exists:
            raise RedshiftError(f'Relation "{name}" already exists', "42P07") from error
    return Result("CREATE EXTERNAL TABLE", None, [], -1)


def _glue_database(session: Session, schema: str) -> str:
    schemas = external_schemas(session)
    if schema not in schemas:
        raise RedshiftError(f'External schema "{schema}" does not exist', "3F000")
    return schemas[schema]


def _columns(reader: TokenReader) -> list[ColumnTypeDef]:
    columns: list[ColumnTypeDef] = []
    for item in reader.group():
        text = reader.text_of(item)
        part = TokenReader(Statement(text, tuple(tokenize(text)), "fragment"))
        name = part.identifier()
        kind = DataType("varchar", length=VARCHAR_MAX) if part.accept("string") else read_type(part)
        part.finish()
        columns.append({"Name": name, "Type": glue_type(kind)})
    return columns


def _storage(
    reader: TokenReader, columns: Sequence[ColumnTypeDef]
) -> tuple[StorageDescriptorTypeDef, dict[str, str]]:
    """Reads what follows the columns: row format, file format, location and properties."""
    formats, properties, location = _TEXT, {}, ""
    serde: dict[str, str] = {}
    while not reader.at_end:
        if reader.accept("row format delimited"):
            while reader.accept("fields terminated by") or reader.accept("lines terminated by"):
                serde.setdefault("field.delim", reader.string().replace("\\t", "\t"))
        elif reader.accept("stored as parquet"):
            formats = _PARQUET
        elif reader.accept("stored as textfile"):
            formats = _TEXT
        elif reader.accept("location"):
            location = reader.string()
        elif reader.accept("table properties"):
            properties = _properties(reader)
        else:
            raise not_supported(f"{reader.rest()} in {reader.statement.text}")
    if not location:
        raise RedshiftError("CREATE EXTERNAL TABLE needs a LOCATION", "42601")
    input_format, output_format, library = formats
    if formats is _PARQUET:
        serde = {"serialization.format": "1"}
    return {
        "Columns": columns,
        "Location": location,
        "InputFormat": input_format,
        "OutputFormat": output_format,
        "SerdeInfo": {"SerializationLibrary": library, "Parameters": serde},
    }, properties


def _properties(reader: TokenReader) -> dict[str, str]:
    properties: dict[str, str] = {}
    reader.expect("(")
    while not reader.accept(")"):
        key = reader.string()
        reader.expect("=")
        properties[key] = reader.string()
        reader.accept(",")
    return properties


def drop_external_table(session: Session, schema: str, name: str, *, if_exists: bool) -> None:
    """DROP TABLE of an external table: it leaves the catalog, its objects stay."""
    try:
        session.warehouse.glue.delete_table(DatabaseName=_glue_database(session, schema), Name=name)
    except ClientError as error:
        if not is_not_found(error):
            raise
        if not if_exists:
            raise RedshiftError(f'Table "{schema}.{name}" does not exist', "42P01") from error


def alter_external_table(session: Session, reader: TokenReader, schema: str, name: str) -> Result:
    """ALTER TABLE of an external table: ADD and DROP PARTITION, and where a PARTITION lies.

    Args:
        session: whose catalog applies.
        reader: behind the table's name.
        schema: the external schema.
        name: the table.
    """
    glue_database = _glue_database(session, schema)
    table = glue_table(session, glue_database, schema, name)
    keys = [key["Name"] for key in table.get("PartitionKeys", [])]
    if reader.accept("add"):
        if_not_exists = reader.accept("if not exists")
        _add_partitions(session, reader, glue_database, table, keys, if_not_exists=if_not_exists)
    elif reader.accept("drop"):
        if_exists = reader.accept("if exists")
        while reader.accept("partition"):
            values = _partition_values(reader, keys, name)
            _drop_partition(session, glue_database, name, values, if_exists=if_exists)
            reader.accept(",")
    elif reader.accept("partition"):
        values = _partition_values(reader, keys, name)
        reader.expect("set location")
        _move_partition(session, glue_database, name, values, reader.string())
    else:
        raise not_supported(reader.statement.text)
    reader.finish()
    return Result("ALTER TABLE", None, [], -1)


def _partition_values(reader: TokenReader, keys: Sequence[str], table: str) -> list[str]:
    given: dict[str, str] = {}
    for item in reader.group():
        name, equals, *value = item
        if equals.value != "=" or len(value) != 1:
            raise syntax_error(reader.text_of(item))
        given[name.value] = _plain(value[0])
    if set(given) != set(keys):
        raise RedshiftError(
            f"partition ({', '.join(given)}) does not match the partition columns ({', '.join(keys)}) "
            f'of "{table}"',
            "42601",
        )
    return [given[key] for key in keys]


def _plain(token: Token) -> str:
    if token.kind not in {"string", "number"}:
        raise syntax_error(literal(token.value))
    return token.value


def _add_partitions(
    session: Session,
    reader: TokenReader,
    glue_database: str,
    table: TableTypeDef,
    keys: list[str],
    *,
    if_not_exists: bool,
) -> None:
    wanted: list[PartitionInputTypeDef] = []
    while reader.accept("partition"):
        values = _partition_values(reader, keys, table["Name"])
        reader.expect("location")
        storage = dict(table["StorageDescriptor"]) | {"Location": reader.string()}
        wanted.append({"Values": values, "StorageDescriptor": storage})  # type: ignore[typeddict-item]  # a copy of a typed dict
        reader.accept(",")
    if not wanted:
        raise syntax_error(reader.peek_text)
    answer = session.warehouse.glue.batch_create_partition(
        DatabaseName=glue_database, TableName=table["Name"], PartitionInputList=wanted
    )
    for failed in answer.get("Errors", []):
        detail = failed.get("ErrorDetail", {})
        if detail.get("ErrorCode") == "AlreadyExistsException":
            if if_not_exists:
                continue
            raise RedshiftError(f"Partition already exists: {failed.get('PartitionValues')}", "42710")
        raise RedshiftError(f"{detail.get('ErrorCode')}: {detail.get('ErrorMessage')}", "XX000")


def _move_partition(
    session: Session, glue_database: str, table: str, values: list[str], location: str
) -> None:
    glue = session.warehouse.glue
    try:
        found = glue.get_partition(DatabaseName=glue_database, TableName=table, PartitionValues=values)
    except ClientError as error:
        if is_not_found(error):
            raise RedshiftError(f"Partition does not exist: {values}", "42704") from error
        raise
    glue.update_partition(
        DatabaseName=glue_database,
        TableName=table,
        PartitionValueList=values,
        PartitionInput={
            "Values": values,
            "StorageDescriptor": found["Partition"]["StorageDescriptor"] | {"Location": location},
        },
    )


def _drop_partition(
    session: Session, glue_database: str, table: str, values: list[str], *, if_exists: bool
) -> None:
    try:
        session.warehouse.glue.delete_partition(
            DatabaseName=glue_database, TableName=table, PartitionValues=values
        )
    except ClientError as error:
        if not is_not_found(error):
            raise
        if not if_exists:
            raise RedshiftError(f"Partition does not exist: {values}", "42704") from error
