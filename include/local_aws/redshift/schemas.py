"""Schemas and databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import RedshiftError
from .functions import INTERNAL
from .spectrum_catalog import drop_external_schema, external_schemas
from .statement import Statement, TokenReader
from .table_definition import quote
from .types import Result

if TYPE_CHECKING:
    from .session import Session


def create_schema(session: Session, statement: Statement) -> Result:
    """CREATE SCHEMA."""
    reader = TokenReader(statement)
    reader.expect("create schema")
    if_not_exists = reader.accept("if not exists")
    name = reader.identifier()
    if reader.accept("authorization"):
        reader.identifier()
    if reader.accept("quota"):
        reader.rest()
    reader.finish()
    if schema_exists(session, name):
        if not if_not_exists:
            raise RedshiftError(f'Schema "{name}" already exists', "42P06")
    else:
        session.run(f"create schema {quote(name)}")
        _refresh_path(session)
    return Result("CREATE SCHEMA", None, [], -1)


def _refresh_path(session: Session) -> None:
    if session.search_path != ["public"]:
        session.set_search_path(session.search_path)


def schema_exists(session: Session, name: str) -> bool:
    """Whether there is such a schema, local or external."""
    text = f"""
        select 1 from duckdb_schemas()
        where schema_name = '{name.replace("'", "''")}' and database_name = '{session.database.name}'
    """
    return name in external_schemas(session) or session.run(text).fetchone() is not None


def alter_schema(session: Session, statement: Statement) -> Result:
    """ALTER SCHEMA ... OWNER TO and QUOTA; renaming is not supported locally."""
    reader = TokenReader(statement)
    reader.expect("alter schema")
    name = reader.identifier()
    if not schema_exists(session, name):
        raise RedshiftError(f'schema "{name}" does not exist', "3F000")
    if reader.accept("owner to"):
        reader.identifier()
    else:
        reader.expect("quota")
        reader.rest()
    reader.finish()
    return Result("ALTER SCHEMA", None, [], -1)


def drop_schema(session: Session, statement: Statement) -> Result:
    """DROP SCHEMA, of local and external schemas."""
    reader = TokenReader(statement)
    reader.expect("drop schema")
    if_exists = reader.accept("if exists")
    names = [reader.identifier()]
    while reader.accept(","):
        names.append(reader.identifier())
    drop_database = reader.accept("drop external database")
    cascade = reader.accept("cascade")
    reader.accept("restrict")
    reader.finish()
    for name in names:
        if name in external_schemas(session):
            drop_external_schema(session, name, drop_database=drop_database)
        elif schema_exists(session, name) and name != INTERNAL:
            _drop(session, name, cascade=cascade)
        elif not if_exists:
            raise RedshiftError(f'schema "{name}" does not exist', "3F000")
    _refresh_path(session)
    return Result("DROP SCHEMA", None, [], -1)


def _drop(session: Session, name: str, *, cascade: bool) -> None:
    where = f"schema_name = '{name}' and database_name = '{session.database.name}'"
    used = session.run(
        f"select 1 from duckdb_tables() where {where} union all select 1 from duckdb_views() where {where}"
    ).fetchone()
    if used and not cascade:
        raise RedshiftError(f"cannot drop schema {name} because other objects depend on it", "2BP01")
    session.run(f"drop schema {quote(name)}{' cascade' if cascade else ''}")
    session.run(f"delete from {INTERNAL}.views where schema_name = '{name}'")


def create_database(session: Session, statement: Statement) -> Result:
    """CREATE DATABASE."""
    reader = TokenReader(statement)
    reader.expect("create database")
    session.warehouse.create_database(reader.identifier())
    reader.accept("with")
    if reader.accept("owner"):
        reader.accept("=")
        reader.identifier()
    reader.finish()
    return Result("CREATE DATABASE", None, [], -1)


def drop_database(session: Session, statement: Statement) -> Result:
    """DROP DATABASE, of any but the session's own."""
    reader = TokenReader(statement)
    reader.expect("drop database")
    name = reader.identifier()
    reader.accept("force")
    reader.finish()
    if name == session.database.name:
        raise RedshiftError("cannot drop the currently open database", "55006")
    session.warehouse.drop_database(name)
    return Result("DROP DATABASE", None, [], -1)
