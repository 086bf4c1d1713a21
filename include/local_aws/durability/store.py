"""The folder in which an account outlives its process: a SQLite database, and a folder a warehouse."""

from __future__ import annotations

import contextlib
import fcntl
import pickle
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

# What is pickled changes with the code, so a folder belongs to one form of it.
FORMAT = 1

_TABLES = """
    create table if not exists request (
        number integer primary key,
        at text not null,
        seed integer not null,
        operation text not null,
        object text,
        environ text not null,
        body blob not null
    );
    create index if not exists request_object on request (object);
    create table if not exists kept (
        kind text not null,
        key text not null,
        content blob not null,
        primary key (kind, key)
    );
"""


class DataFolderError(Exception):
    """The folder cannot be used; one sentence."""


@dataclass(frozen=True)
class RecordedRequest:
    """A request that changed something.

    Attributes:
        at: When it was answered, in UTC without a zone.
        seed: Of the random numbers in the answer.
        operation: boto3's name of it.
        object: The S3 object that it writes or deletes whole, as bucket/key; else None.
        environ: The request's line and headers, as JSON.
        body: Its body.
    """

    at: datetime
    seed: int
    operation: str
    object: str | None
    environ: str
    body: bytes


class Store:
    """The folder; opened by one process at a time.

    What is written is safe from the death of this process from then on; not from that of the machine, for
    which every write would have to wait for the disk.

    Args:
        folder: Made if it does not exist.

    Raises:
        DataFolderError: Another process uses it, it holds another version's data, or it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._claim = (folder / "in-use").open("w")
        except OSError as error:
            raise DataFolderError(f"The data folder {folder} cannot be used: {error.strerror}.") from None
        try:
            fcntl.flock(self._claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._claim.close()
            raise DataFolderError(
                f"The data folder {folder} is in use by another local_aws; stop it or name another folder."
            ) from None
        self._lock = threading.Lock()
        self._database = sqlite3.connect(
            folder / "account.sqlite", check_same_thread=False, isolation_level=None
        )
        # Without waiting for the disk: the kernel keeps what a killed process wrote.
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = off")
        (version,) = self._database.execute("pragma user_version").fetchone()
        if version not in {0, FORMAT}:
            self.close()
            raise DataFolderError(
                f"The data folder {folder} was written by another version of local_aws (format {version}, "
                f"this one reads {FORMAT}); remove it or name another folder."
            )
        self._database.executescript(f"{_TABLES} pragma user_version = {FORMAT};")

    # Requests

    def record(self, request: RecordedRequest, *, forget_earlier: bool) -> None:
        """Keeps a request.

        Args:
            request: The request.
            forget_earlier: Whether the same object's earlier requests need not be replayed any more.
        """
        values = (
            request.at.isoformat(),
            request.seed,
            request.operation,
            request.object,
            request.environ,
            request.body,
        )
        with self._lock:
            self._database.execute("begin")
            if forget_earlier:
                # A copy still needs what its source was at that time.
                self._database.execute(
                    "delete from request where object = ? and number > (select coalesce(max(number), 0) "
                    "from request where operation in ('CopyObject', 'UploadPartCopy'))",
                    (request.object,),
                )
            self._database.execute(
                "insert into request (at, seed, operation, object, environ, body) values (?, ?, ?, ?, ?, ?)",
                values,
            )
            self._database.execute("commit")

    def requests(self) -> Iterator[RecordedRequest]:
        """The requests in their order."""
        rows = self._database.execute(
            "select at, seed, operation, object, environ, body from request order by number"
        )
        for at, *others in rows:
            yield RecordedRequest(datetime.fromisoformat(at), *others)

    # Things

    def keep(self, kind: str, key: str, value: object) -> None:
        """Keeps a value under a key, in the place of the one before."""
        content = pickle.dumps(value)
        with self._lock:
            self._database.execute("insert or replace into kept values (?, ?, ?)", (kind, key, content))

    def renew(self, kind: str, key: str, value: object) -> None:
        """Keeps a value in the place and the turn of the one before; not at all if that was forgotten."""
        content = pickle.dumps(value)
        with self._lock:
            self._database.execute(
                "update kept set content = ? where kind = ? and key = ?", (content, kind, key)
            )

    def forget(self, kind: str, key: str) -> None:
        """Forgets what is kept under a key."""
        with self._lock:
            self._database.execute("delete from kept where kind = ? and key = ?", (kind, key))

    def kept(self, kind: str, *, newest: int | None = None) -> list[Any]:
        """Every value of a kind, in no order.

        Args:
            kind: The kind.
            newest: Forgets all but so many, those whose keys came last.
        """
        if newest is not None:
            with self._lock:
                self._database.execute(
                    "delete from kept where kind = ? and rowid not in "
                    "(select rowid from kept where kind = ? order by rowid desc limit ?)",
                    (kind, kind, newest),
                )
        rows = self._database.execute("select content from kept where kind = ?", (kind,))
        return [pickle.loads(content) for (content,) in rows]  # noqa: S301  # this process wrote it

    def clear(self) -> None:
        """Forgets everything, the warehouses too."""
        with self._lock:
            self._database.executescript("delete from request; delete from kept; vacuum;")
        for warehouse in self.folder.iterdir():
            if warehouse.is_dir():
                shutil.rmtree(warehouse)

    def warehouse_folder(self, name: str, made: str) -> Path:
        """The folder of a warehouse; what an earlier one of the same name left is removed.

        Args:
            name: Tells it from all others that exist now.
            made: Tells it from those that had the same name before.
        """
        wanted = self.folder / name / made
        if wanted.parent.exists():
            for other in wanted.parent.iterdir():
                if other != wanted:
                    shutil.rmtree(other)
        wanted.mkdir(parents=True, exist_ok=True)
        return wanted

    def close(self) -> None:
        """Lets another process use the folder."""
        with contextlib.suppress(sqlite3.ProgrammingError):
            self._database.close()
        self._claim.close()
