"""A cluster or workgroup: its databases, its users, and what its sessions share."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote
from weakref import WeakValueDictionary

import boto3
import duckdb

from .errors import RedshiftError
from .functions import INTERNAL, setup
from .object_store import ObjectStore
from .parquet_files import path_list
from .records import LoadError, QueryRecord, now
from .session import Session

if TYPE_CHECKING:
    from mypy_boto3_glue.client import GlueClient

_HISTORY = 10_000
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": 2,
    "memory_limit": "2GB",
    "integer_division": True,
    "preserve_insertion_order": True,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}

# Called with a session and the statement it is about to run; what it raises fails the statement.
type BeforeStatement = Callable[[Session, str], None]


class WriteLock:
    """One writer at a time; held by a session for the rest of its transaction."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._owner: Session | None = None

    def acquire(self, session: Session, check_cancelled: Callable[[], None]) -> None:
        """Waits until the session holds the lock; a session that holds it already goes on at once.

        Args:
            session: the new owner.
            check_cancelled: called while waiting; what it raises ends the wait.
        """
        with self._changed:
            while self._owner not in {None, session}:
                self._changed.wait()
                check_cancelled()
            self._owner = session

    def release(self, session: Session) -> None:
        """Gives the lock up, if the session holds it."""
        with self._changed:
            if self._owner is session:
                self._owner = None
                self._changed.notify_all()

    def wake(self) -> None:
        """Lets waiting sessions look whether they were cancelled."""
        with self._changed:
            self._changed.notify_all()


@dataclass
class Database:
    """One database: a DuckDB database in memory or in a file."""

    name: str
    connection: duckdb.DuckDBPyConnection
    lock: WriteLock = field(default_factory=WriteLock)


class Warehouse:
    """One cluster or workgroup.

    Args:
        name: its identifier.
        endpoint_url: where S3 and the Glue catalog answer.
        databases: databases that exist from the start; the first is the one catalog views call the main one.
        users: database users who may connect.
        region: AWS region of the clients.
        folder: where its databases are files, those that are there from before included; None keeps them in
            memory.
        before_statement: called before each statement but ROLLBACK, when its locks are taken.

    Attributes:
        scratch: folder of what statements need for a moment: what does not fit memory, UNLOAD's files.
    """

    def __init__(
        self,
        name: str,
        *,
        endpoint_url: str,
        databases: Sequence[str] = ("dev",),
        users: Sequence[str] = ("awsuser",),
        region: str = "us-east-1",
        folder: Path | None = None,
        before_statement: BeforeStatement | None = None,
    ) -> None:
        self.name = name
        self.users = list(users)
        self.store = ObjectStore(endpoint_url, region)
        self.history: deque[QueryRecord] = deque(maxlen=_HISTORY)
        self.load_errors: deque[LoadError] = deque(maxlen=_HISTORY)
        self.started = time.time()
        self.before_statement = before_statement
        self._endpoint_url = endpoint_url
        self._region = region
        self._glue: GlueClient | None = None
        self._folder = folder
        self._lock = threading.RLock()
        self.scratch = Path(tempfile.mkdtemp(prefix="redshift-scratch-"))
        # A session that nobody holds any more is gone, closed or not.
        self.sessions: WeakValueDictionary[int, Session] = WeakValueDictionary()
        self.databases: dict[str, Database] = {}
        kept = [unquote(file.stem) for file in folder.glob("*.duckdb")] if folder else []
        for database in dict.fromkeys([*databases, *kept]):
            self.create_database(database)
        self._numbers = itertools.count(1 + self._highest_number())

    @property
    def glue(self) -> GlueClient:
        """The client of the Glue catalog, made at first use."""
        with self._lock:
            if self._glue is None:
                self._glue = boto3.client(
                    "glue",
                    endpoint_url=self._endpoint_url,
                    region_name=self._region,
                    aws_access_key_id="warehouse",
                    aws_secret_access_key="local",  # noqa: S106 - any credentials are accepted locally
                )
            return self._glue

    def next_number(self) -> int:
        """A number no other object of this warehouse has: for query ids, backend pids and sequences."""
        with self._lock:
            return next(self._numbers)

    def connect(self, database: str, user: str) -> Session:
        """Opens a session.

        Args:
            database: name of an existing database.
            user: name of an existing user; an IAM identity such as ``IAM:alice`` is taken as it is.

        Raises:
            RedshiftError: 3D000 for an unknown database, 28000 for an unknown user.
        """
        with self._lock:
            found = self.databases.get(database)
        if found is None:
            raise RedshiftError(f'database "{database}" does not exist', "3D000")
        if user not in self.users and not user.startswith(("IAM:", "IAMR:")):
            raise RedshiftError(f'user "{user}" does not exist', "28000")
        session = Session(self, found, user, 1_073_741_824 + self.next_number())
        self.sessions[session.pid] = session
        return session

    def create_database(self, name: str) -> None:
        """Creates an empty database.

        Raises:
            RedshiftError: 42P04 when it exists.
        """
        with self._lock:
            if name in self.databases:
                raise RedshiftError(f'database "{name}" already exists', "42P04")
            connection = duckdb.connect(":memory:", config=_CONFIG | {"temp_directory": str(self.scratch)})
            file = self._file(name)
            # Our macros have typed parameters, which the oldest form of a file cannot hold.
            options = "(storage_version 'v1.4.0')" if file else ""
            place = str(file or ":memory:").replace("'", "''")
            connection.execute(f"attach '{place}' as \"{name}\" {options}")
            connection.execute(f'use "{name}"')
            connection.execute("begin")
            for statement in setup(name):
                connection.execute(statement)
            connection.execute("commit")
            self._lock_down(connection)
            self.databases[name] = Database(name, connection)

    def _lock_down(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Lets statements reach this database and what was fetched for them; no other file, no network."""
        for setting in (
            "timezone = 'UTC'",
            f"allowed_directories = {path_list([self.store.folder, self.scratch])}",
            "enable_external_access = false",
            "lock_configuration = true",
        ):
            connection.execute(f"set global {setting}")

    def drop_database(self, name: str) -> None:
        """Drops a database and everything in it.

        Raises:
            RedshiftError: 3D000 when there is none.
        """
        with self._lock:
            found = self.databases.pop(name, None)
        if found is None:
            raise RedshiftError(f'database "{name}" does not exist', "3D000")
        found.connection.close()
        file = self._file(name)
        if file is not None:
            for path in (file, file.with_name(f"{file.name}.wal")):
                path.unlink(missing_ok=True)

    @property
    def is_durable(self) -> bool:
        """Whether its databases are files."""
        return self._folder is not None

    def _file(self, database: str) -> Path | None:
        return self._folder / f"{quote(database, safe='')}.duckdb" if self._folder else None

    def _highest_number(self) -> int:
        """The highest number in the name of a sequence from before; no other numbers outlive the process."""
        text = """
            select max(replace(sequence_name, 'identity_', '')::bigint) from duckdb_sequences()
            where sequence_name like 'identity\\_%' escape '\\'
        """
        found = [database.connection.execute(text).fetchone() for database in self.databases.values()]
        return max((row[0] or 0 for row in found if row), default=0)

    def has_committed(self, statement_id: str) -> bool:
        """Whether a Data API's statement has taken effect, also one whose end nobody saw."""
        with self._lock:
            return any(
                database.connection.cursor()
                .execute(f'select 1 from "{name}".{INTERNAL}.committed where statement = ?', [statement_id])
                .fetchone()
                for name, database in self.databases.items()
            )

    def record(self, session: Session, text: str, kind: str) -> QueryRecord:
        """Starts a line of ``sys_query_history``."""
        record = QueryRecord(
            query_id=self.next_number(),
            user=session.user,
            database=session.database.name,
            pid=session.pid,
            text=text,
            kind=kind,
            label=session.settings.query_group,
            transaction_id=session.transaction_id,
            start=now(),
        )
        self.history.append(record)
        return record

    def close(self) -> None:
        """Closes every database and removes what was cached on disk."""
        with self._lock:
            for database in self.databases.values():
                database.connection.close()
            self.databases.clear()
        self.store.close()
        shutil.rmtree(self.scratch, ignore_errors=True)
