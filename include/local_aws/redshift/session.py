"""One connection to a database: how a statement travels.

``execute`` reads the statement's kind, ``commands`` names the function that handles that kind, and this
module puts a
transaction around it: autocommit, BEGIN to COMMIT, the aborted state, the write lock and cancelling.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import duckdb
from sqlglot import exp

from . import backends, catalog_postgres, commands, prepared, query
from .errors import TOO_DEEP, RedshiftError, translate
from .functions import INTERNAL
from .records import QueryRecord, now
from .settings import Settings
from .statement import Statement, parse_statement, replace_tokens
from .table_definition import quote
from .types import Column, Result

if TYPE_CHECKING:
    from .object_store import ObjectStore
    from .warehouse import Database, Warehouse

log = logging.getLogger(__name__)

VERSION = "PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2, Redshift 1.0.0 (local)"

# Redshift's limit for one statement, and its words for it.
_STATEMENT_BYTES = 16 * 1024**2
_TERMINATE_SECONDS = 5.0
_TERMINATED = "terminating connection due to administrator command"


class Session:
    """A connection; used by one thread at a time, except :meth:`cancel`.

    ``BEGIN READ WRITE`` takes the write lock at once, so that all that the transaction reads is as fresh as
    what it
    writes to; a plain ``BEGIN`` takes it before the first write.
    """

    def __init__(self, warehouse: Warehouse, database: Database, user: str, pid: int) -> None:
        self.warehouse = warehouse
        self.database = database
        self.user = user
        self.pid = pid
        self.transaction_status: Literal["idle", "open", "failed"] = "idle"
        self.transaction_id = 0
        self.terminated = False
        self.statement_name = ""
        self.statement_id = ""
        self.settings = Settings()
        self.prepared: dict[str, prepared.Prepared] = {}
        self.search_path: list[str] = ["public"]
        self.last_query_id = -1
        self.last_copy_count = 0
        self.query_id = -1
        self.record: QueryRecord | None = None
        self._uncommitted: list[QueryRecord] = []
        self._engine_began = False
        self._wrote = False
        self._cancelled = threading.Event()
        self._reason = ""
        self._busy = threading.Lock()
        self.cursor = database.connection.cursor()
        self.cursor.execute(f"use {quote(database.name)}.public")
        self.set_search_path(["public"])

    # -- the public face
    # -------------------------------------------------------------------------------------------

    def execute(self, sql: str, parameters: Mapping[str, str] | Sequence[Any] | None = None) -> Result:
        """Runs exactly one statement, in a transaction of its own unless one is open.

        Args:
            sql: the text, in Redshift's dialect.
            parameters: a mapping binds ``:name``, a sequence ``$1``.

        Raises:
            RedshiftError: with Redshift's text and SQLSTATE; an open transaction is aborted by it.
        """
        with self._statement():
            record = self.record = self.warehouse.record(self, sql, "unknown")
            self._uncommitted.append(record)
            self.query_id = record.query_id
            try:
                statement = self._parse(sql, parameters)
                record.kind = statement.kind
                with backends.timeout(self):
                    result = self._run(statement)
            except Exception as error:
                # Whatever goes wrong, also in boto3 or sqlglot, the transaction must know of it.
                failure = self._failure(error)
                self._end_record(record, failure)
                raise failure from error
            self.last_query_id = record.query_id
            self._end_record(record, result)
            return result

    def describe(
        self, sql: str, parameter_types: Sequence[str] = ()
    ) -> tuple[tuple[str, ...], tuple[Column, ...] | None]:
        """Parameter types and result columns of a statement, without running it.

        Args:
            sql: with ``$1`` parameters.
            parameter_types: Redshift type names of the first parameters; an empty name leaves one open.

        Returns:
            One type name a parameter (``varchar`` where nothing is known) and the columns, None without a
            result set.
        """
        types: dict[int, str] = {number: name for number, name in enumerate(parameter_types, 1) if name}
        count = 0

        def as_null(token: Any) -> str | None:
            nonlocal count
            if token.kind != "positional":
                return None
            count = max(count, int(token.value))
            known = types.get(int(token.value))
            return f"cast(null as {known})" if known else "null"

        with self._statement():
            try:
                statement = self._parse(replace_tokens(sql, as_null))
                self._refuse_if_aborted(statement)
                columns = commands.describe(self, statement)
            except Exception as error:
                raise self._failure(error) from error
        return tuple(types.get(number, "varchar") for number in range(1, count + 1)), columns

    def cancel(self, reason: str = "") -> None:
        """Ends the running statement with SQLSTATE 57014; called from another thread.

        Args:
            reason: the error's text, empty for Redshift's own.
        """
        self._reason = reason
        self._cancelled.set()
        self.database.lock.wake()
        with contextlib.suppress(duckdb.ConnectionException):  # closed at this moment: nothing runs any more
            self.cursor.interrupt()

    def terminate(self) -> None:
        """Ends the session from another one: its statement, its transaction, its locks."""
        self.terminated = True
        self.cancel()
        # Two sessions that terminate each other wait here for one another; the wire hangs up on both.
        if self._busy.acquire(timeout=_TERMINATE_SECONDS):
            try:
                self.close()
            finally:
                self._busy.release()

    def close(self) -> None:
        """Rolls an open transaction back and drops the session's temporary tables."""
        self.warehouse.sessions.pop(self.pid, None)
        try:
            self.rollback()
            self.cursor.close()
        except duckdb.Error:
            log.debug("session %s: its database is closed already", self.pid)
        finally:
            self.database.lock.release(self)

    # -- what the handlers use
    # -------------------------------------------------------------------------------------

    @property
    def store(self) -> ObjectStore:
        """S3."""
        return self.warehouse.store

    @property
    def cancelled(self) -> bool:
        """Whether the running statement was cancelled; long handlers ask between their steps."""
        return self._cancelled.is_set()

    def check_cancelled(self) -> None:
        """Raises 57014 when the statement was cancelled, 57P01 when the session was terminated."""
        if self.terminated:
            raise RedshiftError(_TERMINATED, "57P01")
        if self.cancelled:
            text = self._reason or f"Query ({self.query_id}) cancelled on user's request"
            raise RedshiftError(text, "57014")

    def pause(self, seconds: float) -> None:
        """Waits within the running statement, which can be cancelled all the while."""
        self._cancelled.wait(seconds)
        self.check_cancelled()

    def run(self, duckdb_sql: str) -> duckdb.DuckDBPyConnection:
        """Runs DuckDB SQL in the session's transaction."""
        self.check_cancelled()
        return self.cursor.execute(duckdb_sql)

    def aside(self, duckdb_sql: str) -> duckdb.DuckDBPyConnection:
        """Runs DuckDB SQL that reads no table beside the transaction, so that its failure harms nothing."""
        cursor = self.cursor.cursor()
        cursor.execute(f"use {quote(self.database.name)}.public")
        return cursor.execute(duckdb_sql)

    def run_tree(self, tree: exp.Expr) -> duckdb.DuckDBPyConnection:
        """Translates a Redshift tree, reads what it needs from S3 and the catalog, and runs it."""
        return self.run(query.prepare(self, tree))

    def set_search_path(self, schemas: Sequence[str]) -> None:
        """Where names without a schema are looked up; schemas that do not exist are kept and passed over."""
        self.search_path = list(schemas)
        existing = {
            row[0] for row in self.cursor.execute("select schema_name from duckdb_schemas()").fetchall()
        }
        path = [name for name in schemas if name in existing] or ["public"]
        quoted = ",".join(f"{self.database.name}.{name}" for name in [*path, INTERNAL])
        self.cursor.execute(f"set search_path = '{quoted}'")

    def functions(self) -> dict[str, str]:
        """DuckDB SQL of the functions that tell of this session."""
        return {
            "current_user": f"'{self.user}'",
            "session_user": f"'{self.user}'",
            "current_database": f"'{self.database.name}'",
            "current_schema": f"'{self.search_path[0]}'",
            "pg_backend_pid": str(self.pid),
            "pg_last_query_id": f"{self.last_query_id}::bigint",
            "pg_last_copy_count": f"{self.last_copy_count}::bigint",
            "version": f"'{VERSION}'",
            "pg_table_is_visible": catalog_postgres.is_visible([*self.search_path, "pg_catalog", "pg_temp"]),
            **self.settings.functions(),
        }

    def lock_for_writing(self) -> None:
        """Waits for the database's write lock; the transaction keeps it until it ends."""
        self.database.lock.acquire(self, self.check_cancelled)
        self._wrote = True

    # -- transactions
    # ----------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Opens a transaction; the engine's own begins with the first statement, so its snapshot is fresh."""
        self.transaction_status = "open"
        self.settings.begin()
        self.transaction_id = self.warehouse.next_number()

    def commit(self) -> None:
        """Makes what was done permanent and opens no new transaction."""
        if self._wrote and self._engine_began and self.statement_id and self.warehouse.is_durable:
            # Within the transaction: whoever finds it after a crash knows that all the rest is there too.
            self.cursor.execute(f"insert into {INTERNAL}.committed values (?)", [self.statement_id])
        self.commit_and_go_on()
        self.settings.commit()
        self._ended()

    def commit_and_go_on(self) -> None:
        """Commits as TRUNCATE does: an open transaction goes on with an empty one."""
        if self._engine_began:
            self.cursor.execute("commit")
            self._engine_began = False
        for record in self._uncommitted:
            record.committed = True
        self._uncommitted.clear()

    def rollback(self) -> None:
        """Undoes what the transaction did."""
        if self._engine_began:
            self._undo()
            self._engine_began = False
        self.settings.rollback()
        self._ended()

    def _undo(self) -> None:
        """Rolls the engine back, however often a cancel that came late interrupts even that."""
        while True:
            try:
                self.cursor.execute("rollback")
            except duckdb.InterruptException:
                continue
            except duckdb.TransactionException:
                log.debug("session %s: the engine rolled back by itself", self.pid)
            return

    def _ended(self) -> None:
        if self.search_path != self.settings.search_path:
            self.set_search_path(self.settings.search_path)
        self._uncommitted.clear()
        self._wrote = False
        self.transaction_status = "idle"
        self.transaction_id = 0
        self.database.lock.release(self)

    @contextlib.contextmanager
    def _statement(self) -> Iterator[None]:
        """While a statement is run or described; what was cancelled before it does not concern it."""
        with self._busy:
            self._cancelled.clear()
            self._reason = ""
            yield

    def _parse(self, sql: str, parameters: Mapping[str, str] | Sequence[Any] | None = None) -> Statement:
        self.check_cancelled()
        size = len(sql.encode(errors="surrogatepass"))
        if size > _STATEMENT_BYTES:
            raise RedshiftError(
                f"Statement is too large. Statement Size: {size} bytes. "
                f"Maximum Allowed: {_STATEMENT_BYTES} bytes",
                "54000",
            )
        return prepared.expand(self, parse_statement(sql, parameters))

    def _run(self, statement: Statement) -> Result:
        command = commands.COMMANDS[statement.kind]
        self._refuse_if_aborted(statement)
        if command.controls_transaction:
            return self._handle(command, statement)
        if self.transaction_status == "open" and command.outside_transaction:
            raise RedshiftError(f"{statement.kind.upper()} cannot run inside a transaction block", "25001")
        autocommit = self.transaction_status == "idle"
        if command.writes:
            self.lock_for_writing()
        if not self._engine_began:
            # Before it has: a cancel that comes in the middle leaves a transaction to roll back.
            self._engine_began = True
            self.cursor.execute("begin")
        result = self._handle(command, statement)
        if autocommit:
            self.commit()
        return result

    def _handle(self, command: commands.Command, statement: Statement) -> Result:
        if self.warehouse.before_statement is not None and statement.kind not in {"rollback", "abort"}:
            self.warehouse.before_statement(self, statement.text)
        return command.run(self, statement)

    def _refuse_if_aborted(self, statement: Statement) -> None:
        if self.transaction_status == "failed" and statement.kind not in commands.ENDS:
            raise RedshiftError(
                "current transaction is aborted, commands ignored until end of transaction block", "25P02"
            )

    def _failure(self, error: Exception) -> RedshiftError:
        """The error as the client gets it; the transaction is rolled back or aborted."""
        if isinstance(error, RedshiftError):
            failure = error
        elif isinstance(error, duckdb.Error):
            failure = translate(error)
        elif isinstance(error, RecursionError):
            failure = RedshiftError(TOO_DEEP, "54001")
        else:
            log.error("pid %s: %s", self.pid, type(error).__name__, exc_info=error)
            failure = RedshiftError(f"{type(error).__name__}: {error}", "XX000")
        try:
            self.check_cancelled()
        except RedshiftError as cancelled:
            failure = cancelled
        if self.transaction_status == "idle":
            self.rollback()
        else:
            self.transaction_status = "failed"
        return failure

    def _end_record(self, record: QueryRecord, outcome: Result | RedshiftError) -> None:
        record.end = now()
        seconds = (record.end - record.start).total_seconds()
        if isinstance(outcome, RedshiftError):
            record.status = "canceled" if outcome.sqlstate == "57014" else "failed"
            record.error = str(outcome)
            log.info(
                "pid %s query %s %s in %.3f s: %s", self.pid, record.query_id, record.kind, seconds, outcome
            )
        else:
            record.status = "success"
            record.rows = max(outcome.row_count, 0)
            log.info(
                "pid %s query %s %s in %.3f s: %s rows",
                self.pid,
                record.query_id,
                record.kind,
                seconds,
                record.rows,
            )
