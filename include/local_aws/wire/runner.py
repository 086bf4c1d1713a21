"""Runs the statements of one connection: on the engine, or on its named cursors; each is recorded."""

import itertools
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from local_aws import history
from local_aws.history import History, now
from local_aws.redshift import Column, RedshiftError, Result, Session
from local_aws.redshift.records import QueryRecord
from local_aws.wire import cursors
from local_aws.wire.startup import Login

QUERY_CANCELLED = "57014"


class WireStatement:
    """One statement as the history keeps it.

    Args:
        number: Its number in the connection, from 1.
        pid: The connection's backend.
        login: Who runs it.
        sql: Its text.
    """

    def __init__(self, number: int, pid: int, login: Login, sql: str) -> None:
        self._id = f"wire-{pid}-{number}"
        self._login = login
        self._sql = sql
        self._created = now()
        self._ended: datetime | None = None
        self._status = "STARTED"
        self._error: str | None = None
        self._rows = 0
        self._query: QueryRecord | None = None

    def ran(self, query: QueryRecord | None) -> None:
        """Remembers what the engine knows of it; None of a cursor's FETCH, which the engine never sees."""
        self._query = query

    def end(self, status: str, *, rows: int = 0, error: str | None = None) -> None:
        """Sets the last state."""
        self._status, self._rows, self._error, self._ended = status, max(rows, 0), error, now()

    def lose(self) -> None:
        """Ends a statement that was running when its process ended, if it was."""
        if self._ended is None:
            self.end("FAILED", error=history.LOST)

    def record(self) -> dict[str, Any]:
        """The statement as /_local/statements shows it."""
        query = history.executed(self._sql, self._status, self._error, self._query)
        return {
            "id": self._id,
            "source": "wire",
            "name": self._login.application or None,
            **history.shown([self._sql], self._error),
            "status": self._status,
            "database": self._login.database,
            "user": self._login.user,
            "client_token": None,
            "session_id": None,
            "parameters": [],
            "created": self._created,
            "ended": self._ended,
            "rows": self._rows,
            "committed": query["committed"],
            "statements": [query],
        }


class Runner:
    """Executes and describes statements for one connection.

    Args:
        session: The engine's connection.
        login: Who connected.
        statements: The history to report to.
    """

    def __init__(self, session: Session, login: Login, statements: History) -> None:
        self.session = session
        session.statement_name = login.application
        self._login = login
        self._history = statements
        self._numbers = itertools.count(1)
        self._transaction: list[WireStatement] = []
        self._cursors = cursors.Cursors()

    @property
    def transaction_status(self) -> str:
        """The transaction's state: idle, open or failed."""
        return self.session.transaction_status

    def run(self, sql: str, parameters: Sequence[Any] | None = None) -> Result:
        """Runs one statement.

        Raises:
            RedshiftError: It failed.
        """
        statement = WireStatement(next(self._numbers), self.session.pid, self._login, sql)
        self._history.add(statement)
        earlier = self.session.record
        try:
            result = self._execute(sql, parameters)
        except RedshiftError as error:
            statement.end("ABORTED" if error.sqlstate == QUERY_CANCELLED else "FAILED", error=str(error))
            raise
        except BaseException:
            statement.end("FAILED", error="ERROR: internal error of local_aws; its log has the traceback")
            raise
        else:
            statement.end("FINISHED", rows=result.row_count)
            return result
        finally:
            statement.ran(self.session.record if self.session.record is not earlier else None)
            self._history.ended(statement)
            self._transaction.append(statement)
            if self.session.transaction_status == "idle":
                # Only now is it known which of them took effect.
                for one in self._transaction:
                    self._history.keep(one)
                self._transaction.clear()
                self._cursors.close(None)

    def _execute(self, sql: str, parameters: Sequence[Any] | None) -> Result:
        match cursors.parse(sql):
            case None:
                return self.session.execute(sql, parameters)
            case cursors.Declare(name, query):
                if self.session.transaction_status == "idle":
                    raise RedshiftError("DECLARE CURSOR may only be used in transaction blocks", "25P01")
                return self._cursors.declare(name, self.session.execute(query, parameters))
            case cursors.Fetch() as fetch:
                return self._cursors.fetch(fetch)
            case cursors.Close(name):
                return self._cursors.close(name)

    def describe(self, sql: str, types: Sequence[str]) -> tuple[tuple[str, ...], tuple[Column, ...] | None]:
        """The parameters' types and the columns of a statement that has not run.

        Raises:
            RedshiftError: It cannot run; as in Redshift that aborts an open transaction.
        """
        match cursors.parse(sql):
            case None:
                return self.session.describe(sql, types)
            case cursors.Declare(_, query):
                return self.session.describe(query, types)[0], None
            case cursors.Fetch(name):
                return (), self._cursors.result(name).columns
            case cursors.Close():
                return (), None

    def cursor_columns(self, name: str) -> tuple[Column, ...] | None:
        """The columns of a named cursor, which the protocol also calls a portal."""
        return self._cursors.result(name).columns
