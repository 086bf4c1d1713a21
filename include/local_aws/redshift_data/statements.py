"""One statement of the Data API, from submission to its end, on a thread of its own."""

import copy
import itertools
import logging
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local_aws import history
from local_aws.clusters import Compute
from local_aws.history import now
from local_aws.redshift import RedshiftError, Result, Session
from local_aws.redshift.records import QueryRecord
from local_aws.redshift.statement import kind_of
from local_aws.redshift_data import results

log = logging.getLogger(__name__)

ENDED = frozenset({"FINISHED", "FAILED", "ABORTED"})
QUERY_CANCELLED = "57014"
CANCELLED = "Query cancelled on user's request"
# What a statement has only while it runs.
_LIVE = frozenset({"_changed", "_connections", "_history", "_running"})
# A batch of nothing else needs no write lock; any other takes it first, so that its snapshot is fresh.
_READING = frozenset({"select", "show", "unload", "values", "with"})
# Redshift numbers queries over the life of a cluster.
_query_ids = itertools.count(1)


class LoginRefusedError(Exception):
    """The database does not let the user in; says so as Redshift does."""


@dataclass(frozen=True)
class Target:
    """Where a statement runs and as whom."""

    compute: Compute
    serverless: bool
    database: str
    db_user: str
    secret_arn: str | None = None
    # False when the secret's password is wrong: the statement then fails as the database would refuse it.
    password_is_right: bool = True

    @property
    def cluster_identifier(self) -> str | None:
        """The provisioned cluster's name."""
        return None if self.serverless else self.compute.name

    @property
    def workgroup_name(self) -> str | None:
        """The serverless workgroup's name."""
        return self.compute.name if self.serverless else None

    def connect(self) -> Session:
        """Opens a connection.

        Raises:
            LoginRefusedError: The password is wrong, or the database or the user does not exist.
        """
        if not self.password_is_right:
            raise LoginRefusedError(f'FATAL: password authentication failed for user "{self.db_user}"')
        try:
            return self.compute.warehouse.connect(self.database, self.db_user)
        except RedshiftError as error:
            raise LoginRefusedError(f"FATAL: {str(error).removeprefix('ERROR:').strip()}") from None


@dataclass
class Query:
    """One SQL text: the whole of an ExecuteStatement, or one of a batch."""

    sql: str
    parameters: dict[str, str]
    status: str = "SUBMITTED"
    error: str | None = None
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)
    duration: int = -1
    rows: int = -1
    size: int = -1
    query_id: int = 0
    result: Result | None = None
    record: QueryRecord | None = None
    # It took effect, and the process ended before the engine's record of it was kept.
    committed_unseen: bool = False

    @property
    def has_result_set(self) -> bool:
        """Whether the query returned columns; its rows may have expired since."""
        return self.size >= 0

    def become(self, status: str, error: str | None = None) -> None:
        """Moves to another state."""
        self.status, self.error, self.updated_at = status, error, now()


@dataclass(frozen=True)
class Request:
    """What a client asked for, beside the SQL."""

    target: Target
    name: str | None = None
    client_token: str | None = None
    parameters: tuple[dict[str, str], ...] = ()
    batch: bool = False
    mode: str = "TRANSACTION"
    result_format: str = "JSON"
    with_event: bool = False
    # Tells whether another request with the same token is the same request.
    fingerprint: str = ""


class Connections:
    """Where a statement gets its connection from: a new one each time, or its session's."""

    session_id: str | None = None

    def open(self, target: Target) -> Session:
        """A connection for one statement."""
        return target.connect()

    def done(self, connection: Session) -> None:
        """Takes the connection back."""
        connection.close()


class Statement:
    """A submitted statement or batch.

    Args:
        request: What the client asked for.
        queries: Its SQL texts with their parameters.
        connections: Where its connection comes from.
        statements: The history to report to.
    """

    def __init__(
        self, request: Request, queries: list[Query], connections: Connections, statements: history.History
    ) -> None:
        self.id = str(uuid.uuid4())
        self.request = request
        self.queries = queries
        self.session_id = connections.session_id
        self.status = "SUBMITTED"
        self.error: str | None = None
        self.created_at = self.updated_at = now()
        self.duration = -1
        self.pid = 0
        self._connections = connections
        self._history = statements
        self._changed = threading.Condition()
        self._cancelled = False
        self._running: Session | None = None
        statements.add(self)

    def __getstate__(self) -> dict[str, Any]:
        """What outlives the process."""
        return {name: value for name, value in self.__dict__.items() if name not in _LIVE}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A statement of an earlier process, or a copy; it cannot be run."""
        self.__dict__ |= state
        self._changed = threading.Condition()

    @property
    def is_atomic(self) -> bool:
        """Whether all of it takes effect or nothing."""
        return len(self.queries) == 1 or self.request.mode == "TRANSACTION"

    def lose(self, *, committed: bool) -> None:
        """Ends a statement that was running when its process ended.

        Args:
            committed: Whether its transaction was through, and only the news of it was lost.
        """
        if committed:
            for query in self.queries:
                query.become("FINISHED")
                query.committed_unseen = True
            self._become("FINISHED")
        else:
            # Which of a batch was running is lost too; the first then stands for it.
            self.queries[0].become("FAILED", history.LOST)
            self._end_the_rest(history.LOST)
            self._become("FAILED", history.LOST)

    @property
    def ended(self) -> bool:
        """Whether the statement has reached its last state."""
        return self.status in ENDED

    def wait(self, seconds: float | None) -> None:
        """Blocks until the statement has ended, or for so many seconds; not at all for None."""
        if seconds:
            with self._changed:
                self._changed.wait_for(lambda: self.ended, timeout=seconds)

    def run(self) -> None:
        """Connects, runs every query, and ends in FINISHED, FAILED or ABORTED; never raises."""
        self._become("PICKED")
        started = time.perf_counter_ns()
        try:
            error = self._run()
        except (LoginRefusedError, RedshiftError) as refused:
            error = str(refused)
        except Exception:
            log.exception("Statement %s met an error of local_aws itself", self.id)
            error = "ERROR: internal error of local_aws; its log has the traceback"
        self._end_the_rest(error)
        self.duration = time.perf_counter_ns() - started
        status = "ABORTED" if self._cancelled and error else "FAILED" if error else "FINISHED"
        # Kept before anybody can see it: what was seen to have ended has ended after a crash too.
        ended = copy.copy(self)
        ended.status, ended.error, ended.updated_at = status, error, now()
        self._history.keep(ended)
        self._become(status, error)
        self._history.ended(self)

    def _end_the_rest(self, error: str | None) -> None:
        """Gives the queries that never ran their last state."""
        for query in self.queries:
            if query.status in ENDED:
                continue
            if self._cancelled:
                query.become("ABORTED", f"ERROR: {CANCELLED}")
            elif self.request.batch:
                query.become("ABORTED", "Connection or an prior query failed.")
            else:
                query.become("FAILED", error)

    def _run(self) -> str | None:
        """Returns the error that the statement ends with."""
        connection = self._connections.open(self.request.target)
        try:
            self.pid = connection.pid
            connection.statement_name = self.request.name or ""
            connection.statement_id = self.id
            self._become("STARTED")
            if self.request.batch and self.request.mode == "TRANSACTION":
                return self._run_in_transaction(connection)
            errors = [self._run_query(number, connection) for number in range(len(self.queries))]
            return next(filter(None, errors), None)
        finally:
            self._connections.done(connection)

    def _run_in_transaction(self, connection: Session) -> str | None:
        """The Data API's default: all or nothing."""
        reads_only = all(kind_of(query.sql) in _READING for query in self.queries)
        self._execute(connection, Query("begin" if reads_only else "begin read write", {}))
        for number in range(len(self.queries)):
            if error := self._run_query(number, connection):
                if connection.transaction_status != "idle":
                    connection.execute("rollback")
                return error
        if connection.transaction_status != "idle":
            connection.execute("commit")
        return None

    def _run_query(self, number: int, connection: Session) -> str | None:
        """Runs one query and returns its error as the whole statement reports it."""
        query = self.queries[number]
        query.query_id = next(_query_ids)
        query.become("STARTED")
        started = time.perf_counter_ns()
        try:
            result = self._execute(connection, query)
        except RedshiftError as error:
            query.duration = time.perf_counter_ns() - started
            query.become("ABORTED" if error.sqlstate == QUERY_CANCELLED else "FAILED", str(error))
            return f"Query #{number + 1} failed with {error}" if self.request.batch else str(error)
        query.duration = time.perf_counter_ns() - started
        query.rows = result.row_count
        if result.columns is not None:
            query.result, query.size = result, results.size(result)
        query.become("FINISHED")
        return None

    def _execute(self, connection: Session, query: Query) -> Result:
        """Runs what may be cancelled; a rollback or commit may not."""
        with self._changed:
            if self._cancelled:
                raise RedshiftError(CANCELLED, QUERY_CANCELLED)
            self._running = connection
        try:
            return connection.execute(query.sql, query.parameters or None)
        finally:
            query.record = connection.record
            with self._changed:
                self._running = None

    def cancel(self) -> bool:
        """Asks the statement to stop; it ends ABORTED soon after.

        Returns:
            False if it has already ended.
        """
        with self._changed:
            if self.ended:
                return False
            self._cancelled = True
            self.updated_at = now()
        threading.Thread(target=self._interrupt, name=f"cancel-{self.id}", daemon=True).start()
        return True

    def _interrupt(self) -> None:
        """Interrupts until the statement has ended: one that comes before the engine starts is lost."""
        with self._changed:
            while not self.ended:
                if self._running is not None:
                    self._running.cancel()
                self._changed.wait(0.05)

    def _become(self, status: str, error: str | None = None) -> None:
        with self._changed:
            self.status, self.error, self.updated_at = status, error, now()
            self._changed.notify_all()

    def record(self) -> dict[str, Any]:
        """The statement as /_local/statements shows it: parameters by name only, secrets masked."""
        queries = [
            history.executed(
                query.sql, query.status, query.error, query.record, committed=query.committed_unseen
            )
            for query in self.queries
        ]
        return {
            "id": self.id,
            "source": "data-api",
            "name": self.request.name,
            **history.shown([query.sql for query in self.queries], self.error),
            "status": self.status,
            "database": self.request.target.database,
            "user": self.request.target.db_user,
            "client_token": self.request.client_token,
            "session_id": self.session_id,
            "parameters": [parameter["name"] for parameter in self.request.parameters],
            "created": self.created_at,
            "ended": self.updated_at if self.ended else None,
            "rows": sum(query.rows for query in self.queries if query.rows > 0),
            "committed": any(query["committed"] for query in queries),
            "statements": queries,
        }
