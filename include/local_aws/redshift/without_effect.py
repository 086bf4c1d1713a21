"""Statements that mean nothing to one process and one user: read in full, looked up, and logged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import query
from .dialect import parse
from .errors import RedshiftError, not_supported, syntax_error
from .records import statement_log
from .relations import Table, require_table
from .schemas import schema_exists
from .statement import Statement, TokenReader
from .table_definition import quote
from .types import Result

if TYPE_CHECKING:
    from .session import Session

_PRIVILEGES = {
    "table": {"select", "insert", "update", "delete", "drop", "references", "alter", "truncate"},
    "schema": {"create", "usage", "alter", "drop"},
    "database": {"create", "temporary", "temp", "usage", "alter"},
}
# What else GRANT can begin with: roles, functions, models, datashares, system privileges.
_OTHER = {"role", "assumerole", "execute", "explain", "ignore", "share", "vacuum", "analyze", "cancel"}


def _nothing_done(session: Session, tag: str) -> Result:
    statement_log.info("pid %s: %s has no effect locally", session.pid, tag)
    return Result(tag, None, [], -1)


def analyze(session: Session, statement: Statement) -> Result:
    """ANALYZE [VERBOSE] [table [(columns)]] [PREDICATE COLUMNS | ALL COLUMNS]."""
    reader = TokenReader(statement)
    reader.take()
    reader.accept("verbose")
    if reader.accept("compression"):
        raise not_supported(statement.text)
    if not reader.at_end:
        table = require_table(session, *reader.name())
        if reader.peek.value == "(":
            _require_columns(table, reader.names())
        _ = reader.accept("predicate columns") or reader.accept("all columns")
    reader.finish()
    return _nothing_done(session, "ANALYZE")


def vacuum(session: Session, statement: Statement) -> Result:
    """VACUUM [FULL | SORT ONLY | DELETE ONLY | REINDEX | RECLUSTER] [table [TO n PERCENT] [BOOST]]."""
    reader = TokenReader(statement)
    reader.expect("vacuum")
    kinds = ("full", "sort only", "delete only", "reindex", "recluster")
    kind = next((kind for kind in kinds if reader.accept(kind)), "full")
    if not reader.at_end and not reader.accept("boost"):
        require_table(session, *reader.name())
        if kind != "reindex" and reader.accept("to"):
            if not 0 <= reader.number() <= 100:
                raise RedshiftError("VACUUM threshold must be between 0 and 100", "22023")
            reader.expect("percent")
        reader.accept("boost")
    reader.finish()
    return _nothing_done(session, "VACUUM")


def comment(session: Session, statement: Statement) -> Result:
    """COMMENT ON TABLE, COLUMN, CONSTRAINT, VIEW or DATABASE."""
    reader = TokenReader(statement)
    reader.expect("comment on")
    if reader.accept("column"):
        *place, name, column = _parts(reader, at_least=2)
        _require_columns(require_table(session, place[-1] if place else "", name), [column])
    elif reader.accept("view"):
        _require_relation(session, *reader.name())
    elif reader.accept("database"):
        reader.identifier()
    else:
        if reader.accept("constraint"):
            reader.identifier()
            reader.expect("on")
        else:
            reader.expect("table")
        require_table(session, *reader.name())
    reader.expect("is")
    if not reader.accept("null"):
        reader.string()
    reader.finish()
    return _nothing_done(session, "COMMENT")


def grant(session: Session, statement: Statement) -> Result:
    """GRANT and REVOKE on tables, views, schemas and databases; whoever is named there need not exist."""
    reader = TokenReader(statement)
    revoke = reader.accept("revoke")
    if revoke:
        reader.accept("grant option for")
    else:
        reader.expect("grant")
    privileges = _privileges(reader)
    if not reader.accept("on"):
        raise not_supported(statement.text)
    kind = _objects(session, reader)
    wrong = privileges - _PRIVILEGES[kind] - {"all"}
    if wrong:
        raise RedshiftError(f"invalid privilege type {min(wrong).upper()} for {kind}", "0LP01")
    reader.expect("from" if revoke else "to")
    while True:
        _ = reader.accept("group") or reader.accept("role")
        reader.identifier()
        if not revoke:
            reader.accept("with grant option")
        if not reader.accept(","):
            break
    _ = revoke and (reader.accept("restrict") or reader.accept("cascade"))
    reader.finish()
    return _nothing_done(session, "REVOKE" if revoke else "GRANT")


def _privileges(reader: TokenReader) -> set[str]:
    found: set[str] = set()
    while True:
        word = reader.peek.value
        if reader.peek.kind == "word" and word in _OTHER:
            raise not_supported(reader.statement.text)
        if word not in {"all"}.union(*_PRIVILEGES.values()):
            raise syntax_error(reader.peek_text)
        found.add(reader.take().value)
        _ = word == "all" and reader.accept("privileges")
        if reader.peek.value == "(":
            reader.names()
        if not reader.accept(","):
            return found


def _objects(session: Session, reader: TokenReader) -> str:
    """Reads what follows ON and looks it up; gives its kind."""
    all_tables = reader.accept("all tables in schema")
    kind = "schema" if all_tables or reader.accept("schema") else ""
    kind = kind or ("database" if reader.accept("database") else "table")
    if kind == "table" and not reader.accept("table") and reader.peek.value in _NOT_READ:
        raise not_supported(reader.statement.text)
    while True:
        if kind == "table":
            _require_relation(session, *reader.name())
        elif kind == "schema":
            name = reader.identifier()
            if not schema_exists(session, name):
                raise RedshiftError(f'schema "{name}" does not exist', "3F000")
        else:
            name = reader.identifier()
            if name not in session.warehouse.databases:
                raise RedshiftError(f'database "{name}" does not exist', "3D000")
        if not reader.accept(","):
            return "table" if all_tables else kind


_NOT_READ = {"all", "external", "function", "procedure", "language", "model", "datashare"}


def _parts(reader: TokenReader, at_least: int) -> list[str]:
    parts = [reader.identifier()]
    while len(parts) < at_least or reader.peek.value == ".":
        reader.expect(".")
        parts.append(reader.identifier())
    return parts


def _require_columns(table: Table, names: list[str]) -> None:
    for name in names:
        if name not in table.definition.names:
            raise RedshiftError(f'column "{name}" of relation "{table.name}" does not exist', "42703")


def _require_relation(session: Session, schema: str, name: str) -> None:
    """Fails as a query of it would unless it is a table or a view."""
    place = f"{quote(schema)}.{quote(name)}" if schema else quote(name)
    query.describe(session, query.prepare(session, parse(f"select * from {place}")))
