"""Redshift SQL as text: its tokens, where its statements end, and how a value is written as a literal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class ScriptError(ValueError):
    """A script that cannot run as it stands; the message is one sentence for whoever wrote it."""


class Token(NamedTuple):
    """A piece of SQL; the tokens of a text, joined, are the text.

    Attributes:
        kind: space, comment, string (quoted or dollar-quoted), quoted, name (`:name`), argument (`${name}`),
            word, semicolon or symbol.
        text: As it is written.
    """

    kind: str
    text: str

    @property
    def is_blank(self) -> bool:
        """Whether it is white space or a comment."""
        return self.kind in {"space", "comment"}


_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<comment>--[^\n]*)
    | (?P<block>/\*)
    | (?P<string>'[^'\\]*(?:(?:''|\\.)[^'\\]*)*' | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$)
    | (?P<quoted>"[^"]*(?:""[^"]*)*")
    | (?P<argument>\$\{[^{}\s]*\})
    | (?P<cast>::)
    | (?P<name>:[^\W\d]\w*)
    | (?P<semicolon>;)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<number>\d[\w.]*)
    | (?P<symbol>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_DOLLAR_QUOTE = re.compile(r"\$(?:[^\W\d]\w*)?\$")
_BLOCK_MARK = re.compile(r"/\*|\*/")


def tokens(sql: str) -> Iterator[Token]:
    """Cut SQL into tokens, losing nothing.

    Strings know both ways of Redshift to write a quote, `''` and a backslash; block comments nest.

    Args:
        sql: Any text; nothing in it is executed.

    Yields:
        The tokens in order.

    Raises:
        ScriptError: A string, a quoted name or a comment never ends.
    """
    position = 0
    while position < len(sql):
        match = _TOKEN.match(sql, position)
        if match is None:
            raise AssertionError("every character is at least a symbol")
        kind, end = str(match.lastgroup), match.end()
        if kind == "block":
            kind, end = "comment", _end_of_block(sql, position)
        elif match[0] == '"':
            raise _unended("quoted name", sql, position)
        elif match[0] == "'" or (match[0] == "$" and _DOLLAR_QUOTE.match(sql, position)):
            raise _unended("string", sql, position)
        yield Token("symbol" if kind in {"cast", "number"} else kind, sql[position:end])
        position = end


def _end_of_block(sql: str, start: int) -> int:
    depth = 0
    for mark in _BLOCK_MARK.finditer(sql, start):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    raise _unended("comment", sql, start)


def _unended(what: str, sql: str, start: int) -> ScriptError:
    line = sql.count("\n", 0, start) + 1
    return ScriptError(f"line {line}: a {what} starts that never ends.")


def split(sql: str) -> list[list[Token]]:
    """Split SQL at the semicolons between statements; the last statement needs none.

    Args:
        sql: Any number of statements.

    Returns:
        The tokens of every piece, without the semicolons. Pieces of only blanks and comments are there too,
        so that the pieces, joined by `;`, are the text.
    """
    pieces: list[list[Token]] = [[]]
    for token in tokens(sql):
        if token.kind == "semicolon":
            pieces.append([])
        else:
            pieces[-1].append(token)
    return pieces


def literal(value: str) -> str:
    """Write a value as a string literal of Redshift, where a backslash escapes as a quote does.

    Raises:
        ScriptError: It holds a NUL character, which Redshift cannot store.
    """
    if "\0" in value:
        raise ScriptError("it holds a NUL character, which Redshift cannot store: remove it.")
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def shortened(sql: str, most: int = 200) -> str:
    """Write SQL on one line of at most `most` characters and three dots."""
    line = " ".join(sql.split())
    return line if len(line) <= most else f"{line[:most]}..."
