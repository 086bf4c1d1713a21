"""Every kind of statement and the function that runs it: the engine's table of contents."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import (
    alter_table,
    backends,
    copy_command,
    prepared,
    query,
    schemas,
    settings,
    spectrum_catalog,
    tables,
    unload,
    views,
    without_effect,
)
from .relations import require_table
from .statement import Statement, TokenReader
from .types import Column, Result

if TYPE_CHECKING:
    from .session import Session

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Command:
    """How a kind of statement is run.

    Attributes:
        run: does it.
        writes: whether the write lock is taken first.
        outside_transaction: whether Redshift refuses it inside a transaction block.
        controls_transaction: whether it is BEGIN, COMMIT, ROLLBACK and the like.
    """

    run: Callable[[Session, Statement], Result]
    writes: bool = False
    outside_transaction: bool = False
    controls_transaction: bool = False


def describe(session: Session, statement: Statement) -> tuple[Column, ...] | None:
    """Result columns of a statement that is not run; None for one without a result set."""
    if statement.kind in {"select", "with", "values"}:
        return query.describe_select(session, statement)
    if statement.kind == "show":
        return settings.show(session, statement).columns
    if statement.kind == "explain":
        return (Column("QUERY PLAN", "varchar", length=65535),)
    return None


def _begin(session: Session, statement: Statement) -> Result:
    reader = TokenReader(statement)
    if not reader.accept("start transaction"):
        reader.expect("begin")
        _ = reader.accept("work") or reader.accept("transaction")
    read_write = settings.transaction_modes(reader)
    if session.transaction_status == "idle":
        session.begin()
    else:
        log.warning("pid %s: there is already a transaction in progress", session.pid)
    if read_write:
        session.lock_for_writing()
    return Result("BEGIN", None, [], -1)


def _end_words(statement: Statement) -> None:
    reader = TokenReader(statement)
    reader.take()
    _ = reader.accept("work") or reader.accept("transaction")
    reader.finish()


def _commit(session: Session, statement: Statement) -> Result:
    _end_words(statement)
    if session.transaction_status == "failed":
        session.rollback()
        return Result("ROLLBACK", None, [], -1)
    try:
        session.commit()
    except Exception:
        # A commit that fails ends the transaction all the same.
        session.rollback()
        raise
    return Result("COMMIT", None, [], -1)


def _rollback(session: Session, statement: Statement) -> Result:
    _end_words(statement)
    session.rollback()
    return Result("ROLLBACK", None, [], -1)


def _lock(session: Session, statement: Statement) -> Result:
    """LOCK takes the database's write lock, which is what writers wait for here."""
    reader = TokenReader(statement)
    reader.expect("lock")
    reader.accept("table")
    while True:
        require_table(session, *reader.name())
        if not reader.accept(","):
            break
    reader.finish()
    return Result("LOCK TABLE", None, [], -1)


COMMANDS: dict[str, Command] = {
    "select": Command(query.select),
    "with": Command(query.select),
    "values": Command(query.select),
    "explain": Command(query.explain),
    "select into": Command(tables.select_into, writes=True),
    "insert": Command(query.insert, writes=True),
    "update": Command(query.update, writes=True),
    "delete": Command(query.delete, writes=True),
    "merge": Command(query.merge, writes=True),
    "copy": Command(copy_command.copy, writes=True),
    "unload": Command(unload.unload),
    "truncate": Command(tables.truncate, writes=True),
    "create table": Command(tables.create_table, writes=True),
    "alter table": Command(alter_table.alter_table, writes=True),
    "drop table": Command(tables.drop_table, writes=True),
    "create view": Command(views.create_view, writes=True),
    "drop view": Command(views.drop_view, writes=True),
    "create materialized view": Command(views.create_materialized_view, writes=True),
    "refresh materialized view": Command(views.refresh_materialized_view, writes=True),
    "drop materialized view": Command(views.drop_view, writes=True),
    "create schema": Command(schemas.create_schema, writes=True),
    "alter schema": Command(schemas.alter_schema, writes=True),
    "drop schema": Command(schemas.drop_schema, writes=True),
    "create database": Command(schemas.create_database, outside_transaction=True),
    "drop database": Command(schemas.drop_database, outside_transaction=True),
    "create external schema": Command(spectrum_catalog.create_external_schema, writes=True),
    "create external table": Command(spectrum_catalog.create_external_table, outside_transaction=True),
    "begin": Command(_begin, controls_transaction=True),
    "start transaction": Command(_begin, controls_transaction=True),
    "commit": Command(_commit, controls_transaction=True),
    "end": Command(_commit, controls_transaction=True),
    "rollback": Command(_rollback, controls_transaction=True),
    "abort": Command(_rollback, controls_transaction=True),
    "lock": Command(_lock, writes=True),
    "set": Command(settings.set_value),
    "reset": Command(settings.reset),
    "show": Command(settings.show),
    "prepare": Command(prepared.prepare),
    "deallocate": Command(prepared.deallocate),
    "cancel": Command(backends.cancel),
    # Deliberately without effect.
    "analyze": Command(without_effect.analyze),
    "analyse": Command(without_effect.analyze),
    "vacuum": Command(without_effect.vacuum, outside_transaction=True),
    "grant": Command(without_effect.grant),
    "revoke": Command(without_effect.grant),
    "comment": Command(without_effect.comment),
}

# What an aborted transaction accepts.
ENDS = {"commit", "end", "rollback", "abort"}
