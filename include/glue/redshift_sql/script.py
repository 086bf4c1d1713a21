"""One SQL file with its arguments: the statements as they are sent, and which of them share a transaction.

In a file,

- `:name` is a value that the driver binds: in queries and changes of rows, where Redshift takes bound values;
- `${name}` is replaced by the value as a quoted string literal: for COPY, UNLOAD and DDL;
- `-- unless: <query>` directly before a statement skips it when the query returns a row. The query may go on
  in the comment lines that follow.

Transactions: statements that stand together run in one. What Redshift refuses inside a transaction
runs alone, in autocommit: what stands before it is committed first, what follows is another transaction.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .text import ScriptError, Token, literal, split, tokens

_TRANSACTION_WORDS = frozenset({"begin", "start", "commit", "end", "rollback", "abort"})
_UNLESS = "-- unless:"
_EXTERNAL_SCHEMA = re.compile(r"create external schema (?:if not exists )?(\S+)")

# The rule of transactions: what cannot run in a transaction block, by the Redshift Database Developer Guide;
# and TRUNCATE, which can, but commits it.
_RUNS_ALONE = re.compile(
    r"""(?:
      vacuum | truncate
    | (?:create|alter|drop)\ database | (?:create(?:\ or\ replace)?|drop)\ library
    | (?:create(?:\ or\ replace)?|alter|drop)\ external
    | drop\ schema\ .*\ drop\ external\ database
    | (?:grant|revoke)\ .*\ on\ external
    | alter\ table\ .*\ (?:partition | set\ (?:location|file\ format|table\ properties))
    | alter\ table\ .*\ (?:append\ from | alter\ column\ .*\ type)
    )\b""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Query:
    """SQL as it is sent.

    Attributes:
        sql: With a `?` for every bound value, redshift_connector's paramstyle "qmark".
        numbered: The same with `$1`, `$2`, ..., which is what the driver must make of it.
        values: The bound values in order.
    """

    sql: str
    numbered: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Statement:
    """One statement of a file.

    Attributes:
        number: Its place in the file, from 1.
        text: As it is written, without arguments: fit for a log.
        query: As it is sent.
        unless: The query that skips it, or None.
    """

    number: int
    text: str
    query: Query
    unless: Query | None

    def runs_alone(self, external_schemas: Collection[str]) -> bool:
        """Whether Redshift refuses the statement inside a transaction, or would commit the transaction there.

        Args:
            external_schemas: Names of external schemas, in lower case; ALTER and DROP TABLE look the same for
                a table in one of them and for a local table.
        """
        if _RUNS_ALONE.match(self._line):
            return True
        return self.changes_table and not self.schemas.isdisjoint(external_schemas)

    @property
    def changes_table(self) -> bool:
        """Whether it is ALTER TABLE or DROP TABLE of a table named with its schema."""
        return self._line.startswith(("alter table ", "drop table ")) and bool(self.schemas)

    @property
    def creates_external_schema(self) -> str:
        """The name of the external schema that it creates, in lower case; "" for another statement."""
        match = _EXTERNAL_SCHEMA.match(self._line)
        return match[1] if match else ""

    @property
    def schemas(self) -> set[str]:
        """The first parts of the statement's dotted names, in lower case."""
        names = self._line.split()
        return {name for name, dot in zip(names, names[1:]) if dot == "."}

    @property
    def _line(self) -> str:
        """Its names, words and symbols in lower case, a blank between them; no strings and no comments."""
        parts = (token for token in tokens(self.text) if token.kind in {"word", "quoted", "symbol"})
        return " ".join(token.text.strip('"').lower() for token in parts)


@dataclass(frozen=True)
class Script:
    """The statements of one file, ready to be sent."""

    file: str
    statements: tuple[Statement, ...]

    @classmethod
    def read(cls, file: str, sql: str, arguments: Mapping[str, str]) -> Script:
        """Read a file's text and put the arguments in.

        Args:
            file: The file's name, for messages.
            sql: Its text.
            arguments: Value by name.

        Returns:
            The script; nothing has run.

        Raises:
            ScriptError: There is no statement, one does not end, one opens or ends a transaction, a name has
                no value or a value no name, or an `unless` does not stand before a statement.
        """
        try:
            pieces = [piece for piece in split(sql) if piece]
        except ScriptError as error:
            raise ScriptError(f"{file}, {error}") from None
        statements: list[Statement] = []
        used: set[str] = set()
        for piece in pieces:
            where = f"{file}, statement {len(statements) + 1}"
            unless, body = _guarded(piece, where)
            if not body:
                continue
            _check(body, where)
            used |= {_name(token) for token in [*body, *unless] if token.kind in {"name", "argument"}}
            text = "".join(token.text for token in body)
            guard = _query(unless, arguments, where) if unless else None
            statements.append(Statement(len(statements) + 1, text, _query(body, arguments, where), guard))
        if not statements:
            raise ScriptError(f"{file} holds no statement: write one.")
        if unused := sorted(arguments.keys() - used):
            raise ScriptError(
                f"{file} uses neither :{unused[0]} nor ${{{unused[0]}}}: remove the argument or correct it."
            )
        return cls(file, tuple(statements))

    def stretches(self, external_schemas: Collection[str] = ()) -> Iterator[tuple[bool, Sequence[Statement]]]:
        """Group the statements by transaction.

        Args:
            external_schemas: Those that exist, in lower case; those that the file creates are known.

        Yields:
            Whether it is a transaction, and its statements; a statement outside a transaction comes alone.
        """
        together: list[Statement] = []
        external = {*external_schemas, *(statement.creates_external_schema for statement in self.statements)}
        for statement in self.statements:
            if statement.runs_alone(external):
                if together:
                    yield True, together
                yield False, [statement]
                together = []
            else:
                together.append(statement)
        if together:
            yield True, together


def _guarded(piece: Sequence[Token], where: str) -> tuple[list[Token], list[Token]]:
    """Take the `unless` query and the statement, without blanks and comments around it, from a piece."""
    solid = [index for index, token in enumerate(piece) if not token.is_blank]
    body = list(piece[solid[0] : solid[-1] + 1]) if solid else []
    guards = [index for index, token in enumerate(piece) if _is_guard(token)]
    if not guards:
        return [], body
    if not solid or guards[-1] > solid[0]:
        raise ScriptError(
            f"{where}: an {_UNLESS!r} must stand directly before the statement that it may skip."
        )
    if len(guards) > 1:
        raise ScriptError(
            f"{where} has {len(guards)} lines with {_UNLESS!r}: join their queries with union all."
        )
    lines = [piece[guards[0]].text[len(_UNLESS) :]]
    following = iter(piece[guards[0] + 1 : solid[0]])
    for gap, comment in zip(following, following):
        if gap.text.count("\n") != 1 or not comment.text.startswith("--"):
            break
        lines.append(comment.text[2:])
    query = [token for token in tokens("\n".join(lines)) if token.kind != "comment"]
    words = [token.text.lower() for token in query if token.kind == "word"]
    if any(token.kind == "semicolon" for token in query) or words[:1] not in (["select"], ["with"]):
        raise ScriptError(f"{where}: after {_UNLESS!r} stands one query, which starts with select or with.")
    return query, body


def _is_guard(token: Token) -> bool:
    return token.kind == "comment" and token.text.lower().startswith(_UNLESS)


def _check(body: Sequence[Token], where: str) -> None:
    if body[0].text.lower() in _TRANSACTION_WORDS:
        raise ScriptError(
            f"{where} is {body[0].text.upper()}, but the runner opens and ends the transactions: remove it."
        )
    for token in body:
        if token.kind in {"string", "quoted"} and (argument := _argument_inside(token.text)):
            raise ScriptError(
                f"{where} has {argument} between quotes, where it is not replaced: an argument is a whole "
                "string literal, so write it without quotes and give the whole text as its value."
            )


def _argument_inside(text: str) -> str:
    start = text.find("${")
    end = text.find("}", start)
    return text[start : end + 1] if start >= 0 and end > start else ""


def _name(token: Token) -> str:
    return token.text[1:] if token.kind == "name" else token.text[2:-1]


def _query(parts: Sequence[Token], arguments: Mapping[str, str], where: str) -> Query:
    marks: list[str] = []
    numbers: list[str] = []
    values: list[str] = []
    for token in parts:
        mark = number = token.text
        if token.kind in {"name", "argument"}:
            name = _name(token)
            if name not in arguments:
                raise ScriptError(
                    f"{where} uses {token.text}, which has no value: give the argument {name!r}."
                )
            try:
                mark = number = literal(arguments[name])
            except ScriptError as error:
                raise ScriptError(f"The argument {name!r} of {where} is refused: {error}") from None
        if token.kind == "name":
            values.append(arguments[_name(token)])
            mark, number = "?", f"${len(values)}"
        marks.append(mark)
        numbers.append(number)
    return Query("".join(marks).strip(), "".join(numbers).strip(), tuple(values))
