"""CREATE TABLE in its forms, DROP TABLE and TRUNCATE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from . import query
from .create_table import CreateTable, parse_create_table
from .dialect import parse
from .errors import RedshiftError
from .functions import INTERNAL
from .relations import Table, find_table, require_table
from .spectrum_catalog import drop_external_table, external_schemas
from .statement import Statement, TokenReader
from .table_definition import ColumnDefinition, TableDefinition
from .types import Column, DataType, Result

if TYPE_CHECKING:
    from .session import Session


def create_table(session: Session, statement: Statement) -> Result:
    """CREATE [TEMP] TABLE with columns, LIKE another table or AS a query."""
    wanted = parse_create_table(statement)
    if wanted.query:
        return _create_as(session, wanted)
    definition = wanted.definition
    if wanted.like is not None:
        definition = _like(session, *wanted.like)
    if not _exists(session, wanted):
        make_table(
            session, new_table(session, wanted.schema, wanted.name, definition, temporary=wanted.temporary)
        )
    return Result("CREATE TABLE", None, [], -1)


def _exists(session: Session, wanted: CreateTable) -> bool:
    found = find_table(
        session, "" if wanted.temporary else (wanted.schema or session.search_path[0]), wanted.name
    )
    if found is None or found.temporary != wanted.temporary:
        return False
    if not wanted.if_not_exists:
        raise RedshiftError(f'Relation "{wanted.name}" already exists', "42P07")
    return True


def new_table(
    session: Session, schema: str, name: str, definition: TableDefinition, *, temporary: bool = False
) -> Table:
    """A table that is to be made, in the given schema or the first of the search path.

    Raises:
        RedshiftError: 3F000 for a schema that does not exist.
    """
    place = "" if temporary else (schema or session.search_path[0])
    if place:
        require_schema(session, place)
    return Table(place, name, temporary, definition)


def require_schema(session: Session, name: str) -> None:
    """Raises 3F000 unless the schema exists."""
    if name in external_schemas(session):
        raise RedshiftError(
            f'Operations on local objects in external schema "{name}" are not supported', "0A000"
        )
    text = f"""
        select 1 from duckdb_schemas()
        where schema_name = '{name.replace("'", "''")}' and database_name = '{session.database.name}'
    """
    if name == INTERNAL or session.run(text).fetchone() is None:
        raise RedshiftError(f'schema "{name}" does not exist', "3F000")


def make_table(session: Session, table: Table) -> Table:
    """Makes a table with the sequences of its identity columns."""
    columns: list[ColumnDefinition] = []
    for column in table.definition.columns:
        made = column
        if column.identity is not None and not column.sequence:
            seed, step = column.identity
            made = replace(column, sequence=f"{INTERNAL}.identity_{session.warehouse.next_number()}")
            lowest = min(seed, -(2**62))
            session.run(f"create sequence {made.sequence} minvalue {lowest} start {seed} increment {step}")
        columns.append(made)
    made_table = replace(table, definition=table.definition.with_columns(columns))
    session.run(made_table.definition.create(made_table.sql, temporary=table.temporary))
    session.run(made_table.definition.comment(made_table.sql))
    return made_table


def _like(session: Session, schema: str, name: str, including_defaults: bool) -> TableDefinition:
    parent = require_table(session, schema, name)
    columns = [
        replace(
            column,
            default=column.default if including_defaults else "",
            identity=None,
            identity_always=False,
            sequence="",
        )
        for column in parent.definition.columns
    ]
    # The primary key is not inherited; distribution and sort keys are.
    return replace(parent.definition.with_columns(columns), primary_key=(), unique=())


def definition_of(columns: Sequence[Column], names: Sequence[str] = ()) -> tuple[ColumnDefinition, ...]:
    """Column definitions for a query's columns.

    Args:
        columns: of the query.
        names: other names for them, if any are given.
    """
    if names and len(names) != len(columns):
        raise RedshiftError(
            "CREATE TABLE AS specifies a different number of column names than columns", "42601"
        )
    made = tuple(
        ColumnDefinition(name, DataType(column.type, column.length, column.precision, column.scale))
        for name, column in zip(names or [column.name for column in columns], columns, strict=True)
    )
    for column in made:
        if sum(other.name == column.name for other in made) > 1:
            raise RedshiftError(f'column "{column.name}" specified more than once', "42701")
    return made


def _create_as(session: Session, wanted: CreateTable) -> Result:
    if _exists(session, wanted):
        return Result("CREATE TABLE", None, [], -1)
    text, columns = query.query_columns(session, wanted.query)
    definition = replace(wanted.definition, columns=definition_of(columns, wanted.column_names))
    table = make_table(
        session, new_table(session, wanted.schema, wanted.name, definition, temporary=wanted.temporary)
    )
    rows = query.scalar(session.run(f"insert into {table.sql} {text}"))
    return Result("SELECT", None, [], int(rows or 0))


def select_into(session: Session, statement: Statement) -> Result:
    """SELECT ... INTO [TEMP] TABLE: CREATE TABLE AS in other words."""
    tree = parse(statement.text)
    select = tree.find(exp.Select)
    into = select.args["into"] if select is not None else None
    if select is None or into is None:
        raise RedshiftError("SELECT INTO must be the outermost query", "42601")
    select.set("into", None)
    temporary = bool(into.args.get("temporary")) or into.this.name.startswith("#")
    wanted = CreateTable(
        into.this.text("db").lower(),
        into.this.name.lower(),
        temporary,
        if_not_exists=False,
        definition=TableDefinition(()),
        query=tree.sql(dialect="redshift"),
    )
    return _create_as(session, wanted)


def drop_table(session: Session, statement: Statement) -> Result:
    """DROP TABLE of tables, temporary tables and external tables."""
    reader = TokenReader(statement)
    reader.expect("drop table")
    if_exists = reader.accept("if exists")
    names = [reader.name()]
    while reader.accept(","):
        names.append(reader.name())
    _ = reader.accept("cascade") or reader.accept("restrict")
    reader.finish()
    externals = external_schemas(session)
    for schema, name in names:
        if schema in externals:
            if session.transaction_status == "open":
                raise RedshiftError("DROP EXTERNAL TABLE cannot run inside a transaction block", "25001")
            drop_external_table(session, schema, name, if_exists=if_exists)
            continue
        table = find_table(session, schema, name)
        if table is not None:
            remove_table(session, table)
        elif not if_exists:
            raise RedshiftError(f'Table "{name}" does not exist', "42P01")
    return Result("DROP TABLE", None, [], -1)


def remove_table(session: Session, table: Table) -> None:
    """Drops a table and the sequences of its identity columns."""
    session.run(f"drop table {table.sql}")
    for column in table.definition.columns:
        if column.sequence:
            session.run(f"drop sequence {column.sequence}")


def truncate(session: Session, statement: Statement) -> Result:
    """TRUNCATE: it commits the transaction it runs in, with all that was done before."""
    reader = TokenReader(statement)
    reader.expect("truncate")
    reader.accept("table")
    schema, name = reader.name()
    reader.finish()
    table = require_table(session, schema, name)
    session.run(f"delete from {table.sql}")
    session.commit_and_go_on()
    return Result("TRUNCATE TABLE", None, [], -1)
