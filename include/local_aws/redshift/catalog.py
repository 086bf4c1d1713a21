"""System views: their rows are made when a statement names them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from . import catalog_history, catalog_postgres, catalog_tables
from .types import DataType

if TYPE_CHECKING:
    from .session import Session

Rows = Iterator[Sequence[Any]]
View = tuple[str, Callable[["Session"], Rows]]

# name -> (columns with Redshift types, rows)
VIEWS: dict[str, View] = catalog_tables.VIEWS | catalog_history.VIEWS | catalog_postgres.VIEWS
_INFORMATION_SCHEMA = catalog_tables.INFORMATION_SCHEMA


def system_view(session: Session, schema: str, name: str) -> str | None:
    """DuckDB SQL with a system view's present rows; None when the name is no system view of ours.

    Args:
        session: whose catalog is shown.
        schema: as written, empty when not given.
        name: in lower case.
    """
    if schema == "information_schema":
        view = _INFORMATION_SCHEMA.get(name)
    elif schema in {"", "pg_catalog"}:
        view = VIEWS.get(name)
    else:
        view = None
    return _values(session, *view) if view else None


def _values(session: Session, columns: str, rows: Callable[[Session], Rows]) -> str:
    """A VALUES list: no state in the engine, and never stale."""
    parts = [column.rsplit(" ", 1) for column in columns.split(", ")]
    types = [DataType.parse(kind).duckdb for _, kind in parts]
    names = [name for name, _ in parts]
    made = [
        "(" + ", ".join(f"{_literal(value)}::{kind}" for value, kind in zip(row, types, strict=True)) + ")"
        for row in rows(session)
    ]
    listed = ", ".join(f'"{name}"' for name in names)
    if made:
        return f"select * from (values {', '.join(made)}) as v({listed})"
    empty = ", ".join(f'null::{kind} as "{name}"' for name, kind in zip(names, types, strict=True))
    return f"select {empty} where false"


def _literal(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, dt.datetime):
        return f"'{value}'"
    return "'" + str(value).replace("'", "''") + "'"
