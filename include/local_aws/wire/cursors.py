"""Named cursors: DECLARE, FETCH and CLOSE, which Redshift's drivers use to read a big result in pieces."""

import re
from dataclasses import dataclass

from local_aws.redshift import RedshiftError, Result

_NAME = r'(?P<name>"[^"]+"|\w+)'
_DECLARE = re.compile(
    rf"declare\s+{_NAME}\s+(?:no\s+scroll\s+)?cursor\s+(?:without\s+hold\s+)?for\s+(?P<query>.+)",
    re.IGNORECASE | re.DOTALL,
)
_FETCH = re.compile(
    rf"fetch\s+(?:(?:forward\s+)?(?P<count>\d+|all)\s+|forward\s+|next\s+)?(?:from|in)\s+{_NAME}",
    re.IGNORECASE,
)
_CLOSE = re.compile(rf"close\s+{_NAME}", re.IGNORECASE)


@dataclass(frozen=True)
class Declare:
    """`declare name cursor for query`."""

    name: str
    query: str


@dataclass(frozen=True)
class Fetch:
    """`fetch n from name`; None fetches all that is left."""

    name: str
    count: int | None


@dataclass(frozen=True)
class Close:
    """`close name`; None closes every cursor."""

    name: str | None


def parse(sql: str) -> Declare | Fetch | Close | None:
    """Reads a cursor statement; None for any other.

    Raises:
        RedshiftError: It begins like one but cannot be read.
    """
    word = sql.split(maxsplit=1)[0].lower() if sql.strip() else ""
    if word not in {"declare", "fetch", "close"}:
        return None
    if found := _DECLARE.fullmatch(sql):
        return Declare(_unquoted(found["name"]), found["query"])
    if found := _FETCH.fullmatch(sql):
        count = (found["count"] or "1").lower()
        return Fetch(_unquoted(found["name"]), None if count == "all" else int(count))
    if found := _CLOSE.fullmatch(sql):
        name = _unquoted(found["name"])
        return Close(None if name == "all" else name)
    raise RedshiftError(f"not supported locally: {sql[:200]}", "0A000")


def _unquoted(name: str) -> str:
    return name[1:-1] if name.startswith('"') else name.lower()


class Cursors:
    """The open cursors of one connection; they end with their transaction."""

    def __init__(self) -> None:
        self._results: dict[str, Result] = {}
        self._positions: dict[str, int] = {}

    def declare(self, name: str, result: Result) -> Result:
        """Opens a cursor on a result."""
        if name in self._results:
            raise RedshiftError(f'cursor "{name}" already exists', "42P03")
        self._results[name], self._positions[name] = result, 0
        return Result("DECLARE CURSOR", None, [], -1)

    def result(self, name: str) -> Result:
        """The whole result behind a cursor."""
        if name not in self._results:
            raise RedshiftError(f'cursor "{name}" does not exist', "34000")
        return self._results[name]

    def fetch(self, wanted: Fetch) -> Result:
        """The next rows of a cursor."""
        result = self.result(wanted.name)
        start = self._positions[wanted.name]
        rows = result.rows[start:] if wanted.count is None else result.rows[start : start + wanted.count]
        self._positions[wanted.name] = start + len(rows)
        return Result("FETCH", result.columns, rows, len(rows))

    def close(self, name: str | None) -> Result:
        """Closes a cursor, or all."""
        if name is None:
            self._results.clear()
        else:
            self.result(name)
            del self._results[name]
        return Result("CLOSE CURSOR", None, [], -1)
