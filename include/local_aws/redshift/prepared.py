"""PREPARE, EXECUTE and DEALLOCATE: statements that a session keeps under a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import RedshiftError
from .statement import Statement, Token, TokenReader, parse_statement, replace_tokens
from .types import Result

if TYPE_CHECKING:
    from .session import Session


@dataclass(frozen=True)
class Prepared:
    """A statement with ``$1`` parameters and the types its PREPARE declares."""

    text: str
    types: tuple[str, ...]


def prepare(session: Session, statement: Statement) -> Result:
    """PREPARE name [(types)] AS statement."""
    reader = TokenReader(statement)
    reader.expect("prepare")
    name = reader.identifier()
    types: tuple[str, ...] = ()
    if reader.peek.value == "(":
        types = tuple(reader.text_of(item) for item in reader.group())
    reader.expect("as")
    text = reader.rest()
    parse_statement(text)
    if name in session.prepared:
        raise RedshiftError(f'prepared statement "{name}" already exists', "42P05")
    session.prepared[name] = Prepared(text, types)
    return Result("PREPARE", None, [], -1)


def deallocate(session: Session, statement: Statement) -> Result:
    """DEALLOCATE [PREPARE] name, or ALL."""
    reader = TokenReader(statement)
    reader.expect("deallocate")
    reader.accept("prepare")
    name = reader.identifier()
    reader.finish()
    if name == "all":
        session.prepared.clear()
    else:
        _find(session, name)
        del session.prepared[name]
    return Result("DEALLOCATE", None, [], -1)


def expand(session: Session, statement: Statement) -> Statement:
    """The statement that EXECUTE name [(values)] stands for; any other statement as it is.

    Raises:
        RedshiftError: 26000 for an unknown name, 42601 for a wrong number of values.
    """
    if statement.kind != "execute":
        return statement
    reader = TokenReader(statement)
    reader.expect("execute")
    name = reader.identifier()
    values = [] if reader.at_end else [reader.text_of(item) for item in reader.group()]
    reader.finish()
    found = _find(session, name)
    if found.types and len(values) != len(found.types):
        raise RedshiftError(f'wrong number of parameters for prepared statement "{name}"', "42601")
    typed = [
        f"cast({value} as {found.types[number]})" if found.types else f"({value})"
        for number, value in enumerate(values)
    ]

    def value(token: Token) -> str | None:
        if token.kind != "positional":
            return None
        if not 1 <= int(token.value) <= len(typed):
            raise RedshiftError(f"there is no parameter ${token.value}", "42P02")
        return typed[int(token.value) - 1]

    return parse_statement(replace_tokens(found.text, value))


def _find(session: Session, name: str) -> Prepared:
    if name not in session.prepared:
        raise RedshiftError(f'prepared statement "{name}" does not exist', "26000")
    return session.prepared[name]
