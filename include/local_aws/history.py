"""Every statement that was run, by Data API or wire: a log line each, and all at /_local/statements."""

import threading
from collections import deque
from datetime import UTC, datetime
from typing import Any, Protocol

from local_aws import sqltext
from local_aws.durability import Store
from local_aws.redshift.records import QueryRecord, statement_log

KEPT = 50_000
_KIND = "statement"
LOST = "ERROR: The cluster was rebooted while the query was running; the query is lost and was rolled back"


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


class Recorded(Protocol):
    """What the history asks a statement each time it is shown, so that a running one shows its state."""

    def record(self) -> dict[str, Any]:
        """The statement's id, name, sqls, status, error, user, client_token, created, ended, rows, ..."""
        ...


class History:
    """The last 50,000 statements since the account was made or reset, oldest first.

    Args:
        store: Where statements are kept for the next process; None keeps them in memory.
    """

    def __init__(self, store: Store | None = None) -> None:
        self._statements: deque[Recorded] = deque()
        self._lock = threading.Lock()
        self._store = store

    def add(self, statement: Recorded) -> None:
        """Remembers a statement from its submission on, and forgets the oldest if there are too many."""
        with self._lock:
            oldest = self._statements.popleft() if len(self._statements) >= KEPT else None
            self._statements.append(statement)
        if self._store is not None:
            if oldest is not None:
                self._store.forget(_KIND, _key(oldest))
            self._store.keep(_KIND, _key(statement), statement)

    def keep(self, statement: Recorded) -> None:
        """Stores the statement as it is now, unless it is forgotten."""
        if self._store is not None:
            self._store.renew(_KIND, _key(statement), statement)

    def restore(self) -> list[Recorded]:
        """Remembers what other processes have kept, and returns it, the oldest first."""
        kept: list[Recorded] = self._store.kept(_KIND, newest=KEPT) if self._store is not None else []
        self._statements.extend(sorted(kept, key=lambda statement: statement.record()["created"]))
        return list(self._statements)

    def ended(self, statement: Recorded) -> None:
        """Logs one line for a statement that has ended; never a secret, never a parameter's value."""
        record = statement.record()
        milliseconds = (record["ended"] - record["created"]).total_seconds() * 1000
        sql = " ".join("; ".join(record["sqls"]).split())
        statement_log.info(
            "%s %s %s rows=%d %.0fms %s%s",
            record["id"],
            record["name"] or "-",
            record["status"],
            record["rows"],
            milliseconds,
            sql[:80],
            f" -- {record['error'].splitlines()[0]}" if record["error"] else "",
        )

    def records(self) -> list[dict[str, Any]]:
        """Every statement as JSON, with times in ISO 8601."""
        return [
            {
                key: value.isoformat() if isinstance(value, datetime) else value
                for key, value in one.record().items()
            }
            for one in list(self._statements)
        ]

    def clear(self) -> None:
        """Forgets them all."""
        self._statements.clear()


def _key(statement: Recorded) -> str:
    record = statement.record()
    # Backends' numbers, and so the wire's ids, begin anew with each process.
    return f"{record['id']} {record['created'].isoformat()}"


def executed(
    sql: str, status: str, error: str | None, record: QueryRecord | None, *, committed: bool = False
) -> dict[str, Any]:
    """One statement of those that a client sent together, as it may be shown.

    Args:
        sql: Its text.
        status: Its state.
        error: What it failed with.
        record: What the engine knows of it; None if it never came to that, or the engine has forgotten.
        committed: Whether it took effect although the engine has forgotten it.
    """
    return {
        "sql": sqltext.without_secrets(sql),
        "status": status,
        "error": error and sqltext.without_secrets(error),
        "started": record and record.start.replace(tzinfo=UTC).isoformat(),
        "ended": record and record.end and record.end.replace(tzinfo=UTC).isoformat(),
        "rows": record.rows if record else 0,
        "committed": committed or (record is not None and record.committed),
    }


def shown(sqls: list[str], error: str | None) -> dict[str, Any]:
    """A statement's texts, and its error that may quote them, as they may be shown."""
    return {
        "sqls": [sqltext.without_secrets(sql) for sql in sqls],
        "error": error and sqltext.without_secrets(error),
    }
