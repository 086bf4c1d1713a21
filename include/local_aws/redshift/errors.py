"""Redshift's errors: the exception every statement can raise, and DuckDB's errors put in Redshift's words."""

from __future__ import annotations

import re
from collections.abc import Callable

import duckdb

TOO_DEEP = "stack depth limit exceeded: the statement nests too deeply"


class RedshiftError(Exception):
    """A statement failed as Redshift would have failed it.

    Args:
        message: Redshift's text without the leading ``ERROR: ``.
        sqlstate: the five-character SQLSTATE, for example ``42P01``.
    """

    def __init__(self, message: str, sqlstate: str) -> None:
        super().__init__(f"ERROR: {message}")
        self.sqlstate = sqlstate


def not_supported(text: str) -> RedshiftError:
    """The error for SQL that Redshift may know and this engine does not.

    Args:
        text: the statement, or the part of it that is not known.

    Returns:
        An error with SQLSTATE 0A000 and the first 200 characters of the text.
    """
    return RedshiftError(f"not supported locally: {' '.join(text.split())[:200]}", "0A000")


def syntax_error(near: str) -> RedshiftError:
    """Redshift's syntax error, naming the text it stopped at."""
    where = f'syntax error at or near "{near}"' if near else "syntax error at end of input"
    return RedshiftError(where, "42601")


def _value_too_long(match: re.Match[str]) -> tuple[str, str]:
    kind = "character" if match[1] else "character varying"
    return f"value too long for type {kind}({match[2]})", "22001"


def _conflict(match: re.Match[str]) -> tuple[str, str]:
    # ALTER TABLE moves rows by way of a table of that name.
    table = next((name for name in match.groups() if name), "").removesuffix("$old")
    where = f"on table - {table}" if table else "on table"
    text = f"1023 DETAIL: Serializable isolation violation {where}, another transaction changed the same rows"
    return text, "40001"


_Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], tuple[str, str]]]

# Read from top to bottom; the first pattern found in DuckDB's message decides.
_RULES: tuple[_Rule, ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), make)
    for pattern, make in (
        (r"CHECK\(\(strlen\((rtrim\()?[^<]*\)+ <= (\d+)\)\)", _value_too_long),
        (
            r"NOT NULL constraint failed: (?:.*\.)?([^.\s]+)$",
            lambda m: (f"Cannot insert a NULL value into column {m[1]}", "23502"),
        ),
        (r"Divide by zero", lambda _: ("Divide by zero", "22012")),
        (
            (
                r"write-write conflict on \w+ with \"(?:[^\"]*\\0)?([^\"]+)\"|"
                r"Transaction conflict: .* table \"([^\"]+)\" but|Attempting to modify table (\S+) but|"
                r"Conflict on|write-write conflict|Transaction conflict|"
                r"Cannot update a table that has been altered"
            ),
            _conflict,
        ),
        (r"INTERRUPT", lambda _: ("Query cancelled on user's request", "57014")),
        (r"Max expression depth limit", lambda _: (TOO_DEEP, "54001")),
        (
            r"(?:Table|View) with name \"?([^\"\s]+)\"? does not exist",
            lambda m: (f'relation "{m[1].lower()}" does not exist', "42P01"),
        ),
        (
            r"(?:Table|View|Catalog) (?:with name )?\"?([^\"\s]+)\"? already exists",
            lambda m: (f'Relation "{m[1]}" already exists', "42P07"),
        ),
        (
            r"Schema with name \"?([^\"\s]+)\"? already exists",
            lambda m: (f'Schema "{m[1]}" already exists', "42P06"),
        ),
        (
            r"schema (?:with name )?\"?([^\"\s!]+)\"? (?:does not exist|not found)",
            lambda m: (f'schema "{m[1]}" does not exist', "3F000"),
        ),
        (
            r"No catalog \+ schema named \"([^\"]+)\" found",
            lambda m: (f'schema "{m[1]}" does not exist', "3F000"),
        ),
        (
            r"Function with name \"?(\w+)\"? does not exist",
            lambda m: (f"function {m[1].lower()}() does not exist", "42883"),
        ),
        (
            r"No function matches the given name and argument types '([^']+)'",
            lambda m: (f"function {m[1].lower()} does not exist", "42883"),
        ),
        (
            r"Referenced table \"([^\"]+)\" not found",
            lambda m: (f'missing FROM-clause entry for table "{m[1]}"', "42P01"),
        ),
        (
            (
                r"Referenced (?:update )?column \"?([^\"\s]+)\"? not found|"
                r"does not have a column (?:with name|named) \"?([^\"\s!]+)"
            ),
            lambda m: (f'column "{m[1] or m[2]}" does not exist', "42703"),
        ),
        (
            r"column \"([^\"]+)\" must appear in the GROUP BY clause",
            lambda m: (
                f'column "{m[1]}" must appear in the GROUP BY clause or be used in an aggregate function',
                "42803",
            ),
        ),
        (
            r"Ambiguous reference to column name \"([^\"]+)\"",
            lambda m: (f'column reference "{m[1]}" is ambiguous', "42702"),
        ),
        (
            r"Could not convert string '(.*)' to U?INT(\d+)",
            lambda m: (
                f'invalid input syntax for type {"bigint" if m[2] == "64" else "integer"}: "{m[1]}"',
                "22P02",
            ),
        ),
        (
            r"Could not convert string [\"'](.*)[\"'] to (DECIMAL|DOUBLE|FLOAT)",
            lambda m: (f'invalid input syntax for type numeric: "{m[1]}"', "22P02"),
        ),
        (
            r"(date|time|timestamp) field value out of range: \"(.*?)\"",
            lambda m: (f'date/time field value out of range: "{m[2]}"', "22008"),
        ),
        (
            r"invalid (date|timestamp) field format: \"(.*?)\"",
            lambda m: (f'invalid input syntax for type {m[1]}: "{m[2]}"', "22007"),
        ),
        (
            r"DECIMAL\((\d+),\s*(\d+)\).*out of range|Could not cast value .* to DECIMAL\((\d+),\s*(\d+)\)",
            lambda _: ("numeric field overflow", "22003"),
        ),
        (r"out of range|Overflow", lambda m: (f"value out of range: {_first_line(m.string)}", "22003")),
        (
            r"expected \d+ columns? but \d+ values? were|has \d+ columns? but \d+ values? were supplied",
            lambda _: ("INSERT has a different number of expressions than target columns", "42601"),
        ),
        (
            r"More than one row returned by a subquery",
            lambda _: ("single-row subquery returns more than one row", "21000"),
        ),
        (r"syntax error at or near \"([^\"]*)\"", lambda m: (f'syntax error at or near "{m[1]}"', "42601")),
        (r"syntax error at end of input", lambda _: ("syntax error at end of input", "42601")),
    )
)

_CLASS_STATES: tuple[tuple[type[duckdb.Error], str], ...] = (
    (duckdb.ParserException, "42601"),
    (duckdb.CatalogException, "42704"),
    (duckdb.BinderException, "42804"),
    (duckdb.ConversionException, "22P02"),
    (duckdb.OutOfRangeException, "22003"),
    (duckdb.ConstraintException, "23000"),
    (duckdb.OutOfMemoryException, "53200"),
)


def _first_line(message: str) -> str:
    return re.sub(r"^[A-Za-z ]+ Error: ", "", message).split("\n", 1)[0]


def translate(error: duckdb.Error) -> RedshiftError:
    """DuckDB's error in Redshift's words.

    Args:
        error: what DuckDB raised.

    Returns:
        The matching error; DuckDB's first line where Redshift's own text is not known.
    """
    message = str(error)
    if isinstance(error, duckdb.InterruptException):
        message = "INTERRUPT"
    for pattern, make in _RULES:
        if match := pattern.search(message):
            text, sqlstate = make(match)
            return RedshiftError(text, sqlstate)
    for kind, sqlstate in _CLASS_STATES:
        if isinstance(error, kind):
            return RedshiftError(_first_line(message), sqlstate)
    return RedshiftError(_first_line(message), "XX000")
