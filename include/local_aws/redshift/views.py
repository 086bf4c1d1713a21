"""Views: bound ones are DuckDB's, late-binding and materialized ones are kept as Redshift text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from . import query, tables
from .column_names import name_columns
from .dialect import parse
from .errors import RedshiftError
from .functions import INTERNAL
from .relations import Table, find_table, late_views, no_relation
from .spectrum_catalog import external_schemas
from .statement import Statement, TokenReader
from .table_definition import TableDefinition, quote
from .types import Result

if TYPE_CHECKING:
    from .session import Session


def create_view(session: Session, statement: Statement) -> Result:
    """CREATE [OR REPLACE] VIEW, with or without NO SCHEMA BINDING."""
    reader = TokenReader(statement)
    reader.expect("create")
    replace = reader.accept("or replace")
    reader.expect("view")
    schema, name = reader.name()
    schema = schema or session.search_path[0]
    tables.require_schema(session, schema)
    columns = reader.names() if reader.peek.value == "(" else []
    reader.expect("as")
    text = reader.rest()
    late = [token.value for token in statement.tokens[-4:]] == ["with", "no", "schema", "binding"]
    if late:
        text = text[: len(text) - (len(statement.text) - statement.tokens[-4].start)].strip()
    _make_way(session, schema, name, replace=replace)
    if late:
        if columns:
            text = f"select * from ({text}) as v ({', '.join(columns)})"
        parse(text)
        _keep(session, schema, name, text, materialized=False)
        return Result("CREATE VIEW", None, [], -1)
    _refuse_external(session, text)
    tree = parse(text)
    name_columns(tree)
    listed = f" ({', '.join(map(quote, columns))})" if columns else ""
    session.run(f"create view {quote(schema)}.{quote(name)}{listed} as {query.prepare(session, tree)}")
    return Result("CREATE VIEW", None, [], -1)


def _keep(session: Session, schema: str, name: str, text: str, *, materialized: bool) -> None:
    values = ", ".join("'" + value.replace("'", "''") + "'" for value in (schema, name, text))
    session.run(f"insert into {INTERNAL}.views values ({values}, {materialized})")


def _refuse_external(session: Session, text: str) -> None:
    externals = external_schemas(session)
    for table in parse(text).find_all(exp.Table):
        if table.text("db").lower() in externals:
            raise RedshiftError(
                "External tables are not supported in views; use WITH NO SCHEMA BINDING", "0A000"
            )


def _is_bound_view(session: Session, schema: str, name: str) -> bool:
    where = f"schema_name = '{schema}' and view_name = '{name}' and not internal"
    text = f"select 1 from duckdb_views() where {where}"
    return session.run(text).fetchone() is not None


def _make_way(session: Session, schema: str, name: str, *, replace: bool) -> None:
    found = _is_bound_view(session, schema, name) or (schema, name) in late_views(session)
    if found and replace:
        _remove(session, schema, name)
    elif found or find_table(session, schema, name) is not None:
        raise RedshiftError(f'Relation "{name}" already exists', "42P07")


def _remove(session: Session, schema: str, name: str) -> None:
    if _is_bound_view(session, schema, name):
        session.run(f"drop view {quote(schema)}.{quote(name)}")
    session.run(f"delete from {INTERNAL}.views where schema_name = '{schema}' and name = '{name}'")


def _materialized(session: Session, schema: str, name: str) -> tuple[Table, str] | None:
    text = f"""
        select query from {INTERNAL}.views
        where schema_name = '{schema}' and name = '{name}' and materialized
    """
    found = query.scalar(session.run(text))
    table = find_table(session, schema, name)
    return (table, str(found)) if found is not None and table is not None else None


def drop_view(session: Session, statement: Statement) -> Result:
    """DROP [MATERIALIZED] VIEW."""
    reader = TokenReader(statement)
    reader.expect("drop")
    materialized = reader.accept("materialized")
    reader.expect("view")
    if_exists = reader.accept("if exists")
    names = [reader.name()]
    while reader.accept(","):
        names.append(reader.name())
    _ = reader.accept("cascade") or reader.accept("restrict")
    reader.finish()
    for schema, name in ((schema or session.search_path[0], name) for schema, name in names):
        kept = _materialized(session, schema, name)
        if kept is not None and materialized:
            tables.remove_table(session, kept[0])
            _remove(session, schema, name)
        elif not materialized and (
            _is_bound_view(session, schema, name) or (schema, name) in late_views(session)
        ):
            _remove(session, schema, name)
        elif not if_exists:
            raise no_relation("", name)
    return Result(f"DROP {'MATERIALIZED ' if materialized else ''}VIEW", None, [], -1)


def create_materialized_view(session: Session, statement: Statement) -> Result:
    """CREATE MATERIALIZED VIEW: a table and the query that fills it."""
    reader = TokenReader(statement)
    reader.expect("create materialized view")
    schema, name = reader.name()
    schema = schema or session.search_path[0]
    while not reader.accept("as"):
        if reader.accept("distkey") or reader.accept("sortkey"):
            reader.names()
        elif reader.accept("backup") or reader.accept("auto refresh") or reader.accept("diststyle"):
            reader.identifier()
        else:
            reader.expect("as")
    text = reader.rest()
    _make_way(session, schema, name, replace=False)
    sql, columns = query.query_columns(session, text)
    table = tables.new_table(session, schema, name, TableDefinition(tables.definition_of(columns)))
    made = tables.make_table(session, table)
    session.run(f"insert into {made.sql} {sql}")
    _keep(session, schema, name, text, materialized=True)
    return Result("CREATE MATERIALIZED VIEW", None, [], -1)


def refresh_materialized_view(session: Session, statement: Statement) -> Result:
    """REFRESH MATERIALIZED VIEW: always in full."""
    reader = TokenReader(statement)
    reader.expect("refresh materialized view")
    schema, name = reader.name()
    reader.finish()
    kept = _materialized(session, schema or session.search_path[0], name)
    if kept is None:
        raise no_relation(schema, name)
    table, text = kept
    sql, _ = query.query_columns(session, text)
    session.run(f"delete from {table.sql}")
    session.run(f"insert into {table.sql} {sql}")
    return Result("REFRESH MATERIALIZED VIEW", None, [], -1)
