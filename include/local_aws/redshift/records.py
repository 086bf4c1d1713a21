"""What a warehouse remembers of statements and of rows it could not load."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass

# What is told of statements; `python -m local_aws` shows it.
statement_log = logging.getLogger("local_aws.statements")


@dataclass
class QueryRecord:
    """A statement in ``sys_query_history``."""

    query_id: int
    user: str
    database: str
    pid: int
    text: str
    kind: str
    label: str
    transaction_id: int
    start: dt.datetime
    end: dt.datetime | None = None
    status: str = "running"
    rows: int = 0
    error: str = ""
    # Whether the transaction that it ran in took effect.
    committed: bool = False


@dataclass(frozen=True)
class LoadError:
    """A row that COPY could not load, in ``stl_load_errors``."""

    query_id: int
    pid: int
    table: str
    start: dt.datetime
    file: str
    line: int
    column: str
    type: str
    raw_line: str
    raw_value: str
    reason: str
    code: int


def now() -> dt.datetime:
    """The present in UTC without a zone, as Redshift's system tables give times."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)
