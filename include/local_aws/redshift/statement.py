"""One Redshift statement as tokens: its kind, its parameters bound, and a reader for our own parsers."""

from __future__ import annotations

import datetime as dt
import decimal
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import RedshiftError, not_supported, syntax_error


@dataclass(frozen=True)
class Token:
    """A token of SQL text; ``value`` is what it means: an unquoted string, a lower-case word."""

    kind: str  # word, quoted, string, number, symbol, named, positional
    value: str
    start: int
    end: int


_TOKEN = re.compile(
    r"""
      (?P<space>\s+ | --[^\n]*)
    | (?P<comment>/\*)
    | (?P<string>'(?:[^'\\]|\\.|'')*')
    | (?P<dollar>\$(?P<mark>[A-Za-z_]\w*)?\$(?P<body>.*?)\$(?P=mark)?\$ | \$\$(?P<plain>.*?)\$\$)
    | (?P<quoted>"(?:[^"]|"")*")
    | (?P<positional>\$\d+)
    | (?P<named>(?<!:):(?=[A-Za-z0-9_])(?!\d+\])\w+)
    | (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
    | (?P<word>\#?[^\W\d][\w$]*)
    | (?P<symbol>::|<=|>=|<>|!=|\|\||!~\*|!~|~\*|.)
    """,
    re.VERBOSE | re.DOTALL,
)


def tokenize(sql: str) -> list[Token]:
    """Splits SQL into tokens; comments and white space are left out.

    Args:
        sql: any text; nothing in it is executed.

    Raises:
        RedshiftError: 42601 for a string, identifier or comment that never ends.
    """
    tokens: list[Token] = []
    position = 0
    while position < len(sql):
        match = _TOKEN.match(sql, position)
        if match is None:
            raise syntax_error(sql[position : position + 20])
        kind = str(match.lastgroup) if match.lastgroup not in {"body", "mark", "plain"} else "dollar"
        end = match.end()
        if kind == "comment":
            end = _comment_end(sql, position)
        elif kind != "space":
            tokens.append(Token(*_meaning(kind, match), position, end))
        position = end
    return tokens


def _comment_end(sql: str, start: int) -> int:
    """Where a comment ends; Redshift's block comments nest."""
    depth = 0
    for mark in re.finditer(r"/\*|\*/", sql[start:]):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return start + mark.end()
    raise RedshiftError("unterminated /* comment", "42601")


def _meaning(kind: str, match: re.Match[str]) -> tuple[str, str]:
    text = match[0]
    if kind == "string":
        return kind, re.sub(r"''|\\'|\\\\", lambda m: m[0][1], text[1:-1])
    if kind == "dollar":
        body = match["body"] if match["body"] is not None else match["plain"]
        return "string", body or ""
    if kind == "quoted":
        return kind, text[1:-1].replace('""', '"').lower()
    if kind == "symbol" and text in {"'", '"'}:
        raise RedshiftError(f"unterminated quoted {'string' if text == chr(39) else 'identifier'}", "42601")
    if kind in {"named", "positional"}:
        return kind, text[1:]
    return kind, text.lower() if kind == "word" else text


def literal(value: object) -> str:
    """A Python value as a Redshift SQL literal.

    Args:
        value: None, bool, int, float, Decimal, str, bytes, date, time or datetime.

    Raises:
        RedshiftError: 42804 for any other type.
    """
    if value is None or isinstance(value, bool):
        return "NULL" if value is None else str(value).upper()
    if isinstance(value, int | decimal.Decimal):
        return f"({value})" if value < 0 else str(value)
    if isinstance(value, float):
        return f"'{value!r}'::float8"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
    if isinstance(value, bytes | bytearray):
        return f"from_hex('{value.hex()}')"
    for kind, name in _TEMPORAL:
        if isinstance(value, kind):
            zoned = isinstance(value, dt.datetime) and value.tzinfo is not None
            return f"'{value}'::{name}{'tz' if zoned else ''}"
    raise RedshiftError(f"cannot bind a parameter of Python type {type(value).__name__}", "42804")


_TEMPORAL = ((dt.datetime, "timestamp"), (dt.date, "date"), (dt.time, "time"))


def bind(sql: str, parameters: Mapping[str, str] | Sequence[Any] | None) -> str:
    """Puts parameter values into a statement as literals, outside strings, comments and ``::`` casts.

    A value becomes a literal and not an engine parameter because Redshift types both alike: ``d = :day``
    compares a
    date with an untyped literal.

    Args:
        sql: the statement, with ``:name`` (a mapping is given) or ``$1`` (a sequence is given).
        parameters: the values.

    Raises:
        RedshiftError: 42P02 when a parameter has no value.
    """

    def render(token: Token) -> str | None:
        if token.kind == "named" and isinstance(parameters, Mapping):
            if token.value not in parameters:
                raise RedshiftError(f"there is no parameter :{token.value}", "42P02")
            return literal(parameters[token.value])
        if token.kind == "positional" and parameters is not None and not isinstance(parameters, Mapping):
            number = int(token.value)
            if not 1 <= number <= len(parameters):
                raise RedshiftError(f"there is no parameter ${number}", "42P02")
            return literal(parameters[number - 1])
        return None

    return replace_tokens(sql, render)


def replace_tokens(sql: str, render: Callable[[Token], str | None]) -> str:
    """Rewrites a text token by token.

    Args:
        sql: the text.
        render: gives a token's new text, or None to keep it.
    """
    pieces: list[str] = []
    position = 0
    for token in tokenize(sql):
        text = render(token)
        if text is not None:
            pieces += [sql[position : token.start], text]
            position = token.end
    return "".join([*pieces, sql[position:]])


@dataclass(frozen=True)
class Statement:
    """One statement.

    Attributes:
        text: without a trailing semicolon, parameters bound.
        tokens: of that text.
        kind: the words that decide who handles it, for example ``create external table``.
    """

    text: str
    tokens: tuple[Token, ...]
    kind: str

    def after(self, token: Token) -> str:
        """The text that follows a token."""
        return self.text[token.end :].strip()


# Longest first: the first that the statement's words start with is its kind.
KINDS = sorted(
    (
        "abort", "alter schema", "alter table", "analyze", "analyse", "begin", "cancel", "comment",
        "commit", "copy", "create database", "create external schema", "create external table",
        "create materialized view", "create schema", "create table", "create view", "deallocate", "delete",
        "drop database", "drop materialized view", "drop schema", "drop table", "drop view", "end",
        "execute", "explain", "grant", "insert", "lock", "merge", "prepare", "refresh materialized view",
        "reset", "revoke", "rollback", "select", "set", "show", "start transaction", "truncate", "unload",
        "update", "vacuum", "values", "with",
    ),
    key=len,
    reverse=True,
)  # fmt: skip
_NOISE = {"local", "temp", "temporary", "or", "replace"}
# Of these Redshift takes WITH before SELECT, UPDATE and DELETE.
_VERBS = {"select", "insert", "update", "delete", "merge"}


def parse_statement(sql: str, parameters: Mapping[str, str] | Sequence[Any] | None = None) -> Statement:
    """Reads exactly one statement and finds its kind.

    Args:
        sql: the text, with or without a trailing semicolon.
        parameters: values to bind, see :func:`bind`.

    Raises:
        RedshiftError: 42601 for no statement or several; 0A000 for a kind that is not supported locally.
    """
    bound = bind(sql, parameters) if parameters else sql
    if "\0" in bound:
        raise RedshiftError('invalid byte sequence for encoding "UTF8": 0x00', "22021")
    tokens = tokenize(bound)
    while tokens and tokens[-1].value == ";" and tokens[-1].kind == "symbol":
        tokens.pop()
    if not tokens:
        raise RedshiftError("the statement is empty", "42601")
    if any(token.kind == "symbol" and token.value == ";" for token in tokens):
        raise RedshiftError("cannot insert multiple commands into a prepared statement", "42601")
    offset = tokens[0].start
    text = bound[offset : tokens[-1].end]
    moved = tuple(Token(t.kind, t.value, t.start - offset, t.end - offset) for t in tokens)
    return Statement(text, moved, _kind(moved, text))


def kind_of(sql: str) -> str:
    """The kind of a statement that is not run yet; empty for one that will fail."""
    try:
        return parse_statement(sql).kind
    except RedshiftError:
        return ""


def _kind(tokens: Sequence[Token], text: str) -> str:
    first = tokens[0]
    if first.kind == "symbol" and first.value == "(":
        return "select"
    words = [token.value for token in tokens[:8] if token.kind == "word"]
    if words and words[0] == "create":
        words = ["create", *(word for word in words[1:] if word not in _NOISE)]
    line = " ".join(words) + " "
    if words and words[0] in {"select", "with"}:
        return _kind_of_query(tokens)
    for kind in KINDS:
        if line.startswith(kind + " "):
            return kind
    raise not_supported(text)


def _kind_of_query(tokens: Sequence[Token]) -> str:
    """What SELECT or WITH begins: a query, SELECT INTO, or an UPDATE or DELETE that has named subqueries."""
    words = [token.value for token in outside_parentheses(tokens)]
    verb = next((word for word in words if word in _VERBS), "select")
    if verb in {"insert", "merge"}:
        raise syntax_error(verb)
    return "select into" if verb == "select" and "into" in words else words[0] if verb == "select" else verb


def outside_parentheses(tokens: Sequence[Token]) -> Iterator[Token]:
    """The words of a statement that stand in no parenthesis."""
    depth = 0
    for token in tokens:
        if token.kind == "symbol":
            depth += {"(": 1, ")": -1}.get(token.value, 0)
        elif token.kind == "word" and depth == 0:
            yield token


class TokenReader:
    """A cursor over a statement's tokens for the statements that sqlglot does not read."""

    def __init__(self, statement: Statement) -> None:
        self.statement = statement
        self._tokens = statement.tokens
        self._next = 0

    @property
    def peek(self) -> Token:
        """The next token; an empty symbol at the end."""
        if self._next < len(self._tokens):
            return self._tokens[self._next]
        end = len(self.statement.text)
        return Token("symbol", "", end, end)

    @property
    def at_end(self) -> bool:
        """Whether every token was read."""
        return self._next >= len(self._tokens)

    def take(self) -> Token:
        """Reads any token."""
        token = self.peek
        if self.at_end:
            raise syntax_error("")
        self._next += 1
        return token

    def accept(self, words: str) -> bool:
        """Reads these words or symbols, separated by blanks, if they come next."""
        wanted = words.split()
        found = self._tokens[self._next : self._next + len(wanted)]
        if len(found) < len(wanted) or any(
            token.value != word or token.kind not in {"word", "symbol"}
            for token, word in zip(found, wanted, strict=True)
        ):
            return False
        self._next += len(wanted)
        return True

    def expect(self, words: str) -> None:
        """Reads these words or fails with a syntax error."""
        if not self.accept(words):
            raise syntax_error(self.peek_text)

    @property
    def peek_text(self) -> str:
        """The next token as it is written."""
        return self.statement.text[self.peek.start : self.peek.end]

    def string(self) -> str:
        """Reads a string literal."""
        if self.peek.kind != "string":
            raise syntax_error(self.peek_text)
        return self.take().value

    def identifier(self) -> str:
        """Reads an identifier, quoted or not; Redshift folds both to lower case."""
        if self.peek.kind not in {"word", "quoted"}:
            raise syntax_error(self.peek_text)
        return self.take().value

    def number(self) -> int:
        """Reads a whole number, with a sign or without."""
        negative = self.accept("-")
        if self.peek.kind != "number" or not self.peek.value.isdigit():
            raise syntax_error(self.peek_text)
        number = int(self.take().value)
        return -number if negative else number

    def name(self) -> tuple[str, str]:
        """Reads ``[[database.]schema.]name`` as (schema, name); an empty schema when none is given."""
        parts = [self.identifier()]
        while self.accept("."):
            parts.append(self.identifier())
        return (parts[-2] if len(parts) > 1 else "", parts[-1])

    def names(self) -> list[str]:
        """Reads ``(a, b, ...)``."""
        self.expect("(")
        names = [self.identifier()]
        while self.accept(","):
            names.append(self.identifier())
        self.expect(")")
        return names

    def group(self) -> list[list[Token]]:
        """Reads a parenthesised list; gives the tokens of each item."""
        self.expect("(")
        items: list[list[Token]] = [[]]
        depth = 0
        while True:
            token = self.take()
            if token.kind == "symbol" and token.value == ")" and depth == 0:
                return [item for item in items if item]
            if token.kind == "symbol" and token.value in {"(", ")"}:
                depth += 1 if token.value == "(" else -1
            if token.kind == "symbol" and token.value == "," and depth == 0:
                items.append([])
            else:
                items[-1].append(token)

    def text_of(self, tokens: Sequence[Token]) -> str:
        """The text from the first to the last of these tokens."""
        return self.statement.text[tokens[0].start : tokens[-1].end] if tokens else ""

    def rest(self) -> str:
        """Reads everything that is left, as text."""
        start = self.peek.start
        self._next = len(self._tokens)
        return self.statement.text[start:]

    def finish(self) -> None:
        """Fails with a syntax error unless everything was read."""
        if not self.at_end:
            raise syntax_error(self.peek_text)
