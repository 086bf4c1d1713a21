"""Runs a script on a connection, transaction by transaction, and says what each statement did."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

from redshift_connector.core import convert_paramstyle
from redshift_connector.error import Error

from .login import Login, message
from .script import Query, Script, Statement
from .text import ScriptError, literal, shortened

log = logging.getLogger(__name__)


class StatementError(Exception):
    """Redshift refused a statement; one line names the file, the statement and Redshift's reason."""


class Runner:
    """One connection at work on one script.

    Args:
        connection: Of redshift_connector, in autocommit.
        login: Knows what must not be shown.
        script: What to run.
    """

    def __init__(self, connection: Any, login: Login, script: Script) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self._cursor.paramstyle = "qmark"
        self._login = login
        self._script = script

    def run(self, *, statement_timeout: int) -> None:
        """Run the script to its end or to its first error, which rolls its transaction back.

        Args:
            statement_timeout: Seconds after which Redshift cancels a statement.

        Raises:
            ScriptError: The driver would misread a statement; nothing has run.
            StatementError: A statement failed.
        """
        for statement in self._script.statements:
            for query in filter(None, [statement.unless, statement.query]):
                self._check(query, statement)
        try:
            self._cursor.execute(f"set statement_timeout to {statement_timeout * 1000}")
            self._cursor.execute(f"set query_group to {literal(self._script.file)}")
            external_schemas = self._external_schemas()
        except (Error, OSError) as error:
            reason = self._login.conceal(message(error))
            raise StatementError(f"{self._script.file}, nothing has run: {reason}") from None
        for transaction, statements in self._script.stretches(external_schemas):
            self._run_together(statements, transaction=transaction)

    def _check(self, query: Query, statement: Statement) -> None:
        """The driver looks for `?` on its own, and knows fewer forms of strings than Redshift does."""
        if convert_paramstyle("qmark", query.sql)[0] != query.numbered:
            raise ScriptError(
                f"{self._where(statement)}, cannot be sent: the driver would misread a question mark in it; "
                "write quotes in strings as '', not with a backslash, and strings without dollar quotes."
            )

    def _external_schemas(self) -> set[str]:
        """Asked only where the answer decides whether a statement may run in a transaction."""
        if not any(statement.changes_table for statement in self._script.statements):
            return set()
        self._cursor.execute("select schemaname from svv_external_schemas")
        return {str(name).lower() for (name,) in self._cursor.fetchall()}

    def _run_together(self, statements: Sequence[Statement], *, transaction: bool) -> None:
        statement = statements[0]
        try:
            if transaction:
                self._cursor.execute("begin")
            for statement in statements:
                self._run(statement)
            if transaction:
                self._cursor.execute("commit")
        except (Error, OSError) as error:
            if transaction:
                self._roll_back()
            raise StatementError(self._failure(statement, statements[0], error)) from None

    def _run(self, statement: Statement) -> None:
        text = shortened(self._login.conceal(statement.text), 80)
        if statement.unless is not None:
            self._execute(statement.unless)
            if self._cursor.fetchone() is not None:
                log.info("%s skipped, its unless returned a row: %s", self._where(statement), text)
                return
        log.info("%s: %s", self._where(statement), text)
        started = time.monotonic()
        self._execute(statement.query)
        rows = self._rows()
        seconds = time.monotonic() - started
        log.info("%s took %.2f s, %s", self._where(statement), seconds, rows)
        self._log_notices()

    def _execute(self, query: Query) -> None:
        self._cursor.execute(query.sql, query.values or None)

    def _rows(self) -> str:
        """Redshift counts the rows of a change but not those of a query, which the driver has fetched all."""
        if self._cursor.description:
            return f"{len(self._cursor.fetchall()):,} rows returned"
        return f"{self._cursor.rowcount:,} rows" if self._cursor.rowcount >= 0 else "no row count"

    def _log_notices(self) -> None:
        """Redshift tells the rows of COPY and UNLOAD in a notice."""
        while self._connection.notices:
            notice = self._connection.notices.popleft()
            fields = {_text(key): _text(value) for key, value in notice.items()}
            log.info("Redshift: %s", shortened(self._login.conceal(fields.get("M", ""))))

    def _roll_back(self) -> None:
        try:
            self._cursor.execute("rollback")
        except (Error, OSError) as error:
            log.warning("The connection is lost (%s); Redshift rolls back on its own.", message(error))

    def _where(self, statement: Statement) -> str:
        return f"{self._script.file}, statement {statement.number} of {len(self._script.statements)}"

    def _failure(self, statement: Statement, first: Statement, error: BaseException) -> str:
        kept = ""
        if first.number > 1:
            kept = f" (statements before {first.number} are committed)"
        reason, text = (self._login.conceal(said) for said in (message(error), statement.text))
        return f"{self._where(statement)}, failed: {reason}{kept} -- {shortened(text)}"


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
