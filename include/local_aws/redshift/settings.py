"""SET, RESET and SHOW: a session's settings, and what becomes of them when its transaction ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import RedshiftError, not_supported
from .records import statement_log
from .statement import Statement, TokenReader
from .types import Column, Result

if TYPE_CHECKING:
    from .session import Session

_DEFAULTS = {
    "query_group": "unset",
    "search_path": "$user, public",
    "timezone": "UTC",
    "datestyle": "ISO, MDY",
    "server_version": "8.0.2",
    "server_encoding": "UNICODE",
    "client_encoding": "UTF8",
    "standard_conforming_strings": "on",
    "statement_timeout": "0",
    "transaction_isolation": "serializable",
    "enable_case_sensitive_identifier": "off",
    "describe_field_name_in_uppercase": "off",
    "max_identifier_length": "127",
}
# Settings that change what a statement means, and the only values that the engine has.
_ONLY = {
    "timezone": {"utc", "gmt", "etc/utc", "default"},
    "enable_case_sensitive_identifier": {"off", "false", "default"},
    "describe_field_name_in_uppercase": {"off", "false", "default"},
    "client_encoding": {"utf8", "utf-8", "unicode", "default"},
    "standard_conforming_strings": {"on", "true", "default"},
}
_EFFECTIVE = {"search_path", "statement_timeout", "query_group"}


class Settings:
    """What SET has set in a session; a transaction that is rolled back takes its settings with it."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._before: dict[str, str] | None = None
        self._local: set[str] = set()

    @property
    def query_group(self) -> str:
        """The label of the session's queries."""
        return self._values.get("query_group", "default")

    def shown(self, name: str) -> str:
        """The value that SHOW gives.

        Raises:
            RedshiftError: 42704 for a setting that does not exist.
        """
        value = self._values.get(name, _DEFAULTS.get(name))
        if value is None:
            raise RedshiftError(f'unrecognized configuration parameter "{name}"', "42704")
        return value

    def set(self, name: str, value: str, *, local: bool = False) -> None:
        """Sets a value; a local one ends with the transaction."""
        if local and self._before is not None:
            self._local.add(name)
        elif not local:
            self._local.discard(name)
        self._values[name] = value

    def reset(self, name: str) -> None:
        """Puts one setting back to its default, or all."""
        if name == "all":
            self._values.clear()
        self._values.pop(name, None)

    def functions(self) -> dict[str, str]:
        """DuckDB SQL of ``current_setting('name')``, by ``current_setting name``."""
        return {
            f"current_setting {name}": "'" + value.replace("'", "''") + "'"
            for name, value in {**_DEFAULTS, **self._values}.items()
        }

    @property
    def statement_timeout(self) -> int:
        """Milliseconds after which a statement is cancelled; 0 for never."""
        return int(self._values.get("statement_timeout", "0"))

    @property
    def search_path(self) -> list[str]:
        """Schemas in which names are looked up."""
        value = self._values.get("search_path", "public")
        return [part.strip().strip('"') for part in value.split(",")]

    def begin(self) -> None:
        """A transaction begins."""
        self._before = dict(self._values)
        self._local.clear()

    def commit(self) -> None:
        """The transaction ends: what it set stays, except SET LOCAL."""
        before = self._before or {}
        for name in self._local:
            self._values.pop(name, None)
            if name in before:
                self._values[name] = before[name]
        self._before = None
        self._local.clear()

    def rollback(self) -> None:
        """The transaction is undone: so is what it set."""
        if self._before is not None:
            self._values = self._before
        self._before = None
        self._local.clear()


def set_value(session: Session, statement: Statement) -> Result:
    """SET [SESSION | LOCAL] name TO value, and SET SESSION CHARACTERISTICS."""
    reader = TokenReader(statement)
    reader.expect("set")
    if reader.accept("session characteristics as transaction") or reader.accept("transaction"):
        transaction_modes(reader)
        return Result("SET", None, [], -1)
    local = reader.accept("local")
    _ = local or reader.accept("session")
    if reader.accept("session authorization") or reader.accept("authorization"):
        raise not_supported(statement.text)
    name = _name(reader)
    if not (reader.accept("to") or reader.accept("=")):
        raise not_supported(statement.text)
    negative = "-" if reader.accept("-") else ""
    values = [negative + reader.take().value]
    while reader.accept(","):
        values.append(reader.take().value)
    reader.finish()
    value = ", ".join(values)
    _check(statement, name, value)
    if value == "default":
        session.settings.reset(name)
    else:
        session.settings.set(name, value, local=local)
    if name == "search_path":
        session.set_search_path(session.settings.search_path)
    elif name not in _EFFECTIVE:
        statement_log.info("pid %s: setting %s is remembered and has no effect locally", session.pid, name)
    return Result("SET", None, [], -1)


def _check(statement: Statement, name: str, value: str) -> None:
    if name in _ONLY and value.lower() not in _ONLY[name]:
        raise not_supported(statement.text)
    if name == "statement_timeout" and value != "default" and not value.isdigit():
        raise RedshiftError(f'invalid value for parameter "statement_timeout": "{value}"', "22023")


def _name(reader: TokenReader) -> str:
    name = reader.identifier()
    while reader.accept("."):
        name += f".{reader.identifier()}"
    return name


def transaction_modes(reader: TokenReader) -> bool:
    """Reads ISOLATION LEVEL, READ WRITE and READ ONLY to the end of the statement.

    Whatever is asked for, the transaction reads a snapshot, writers take turns, and it may write. That is
    less than serializable: two transactions may each write what the other has read.

    Returns:
        Whether READ WRITE was asked for.
    """
    read_write = False
    while not reader.at_end:
        if reader.accept("isolation level"):
            levels = ("serializable", "snapshot", "read committed", "read uncommitted")
            if not any(map(reader.accept, levels)):
                reader.expect("repeatable read")
        elif reader.accept("read write"):
            read_write = True
        else:
            reader.expect("read only")
        reader.accept(",")
    return read_write


def reset(session: Session, statement: Statement) -> Result:
    """RESET name, or ALL."""
    reader = TokenReader(statement)
    reader.expect("reset")
    name = _name(reader)
    reader.finish()
    if name != "all":
        session.settings.shown(name)  # one that does not exist is an error
    session.settings.reset(name)
    if name in {"all", "search_path"}:
        session.set_search_path(session.settings.search_path)
    return Result("RESET", None, [], -1)


def show(session: Session, statement: Statement) -> Result:
    """SHOW name."""
    reader = TokenReader(statement)
    reader.expect("show")
    name = "transaction_isolation" if reader.accept("transaction isolation level") else _name(reader)
    reader.finish()
    value = session.settings.shown(name)
    return Result("SHOW", (Column(name, "varchar", length=65535),), [(value,)], 1)
