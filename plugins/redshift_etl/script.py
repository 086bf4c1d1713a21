"""A rendered `.sql` file as the Redshift Data API takes it: statements and bound values, within limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

import sqlparse
from airflow.sdk.exceptions import AirflowFailException
from sqlparse import lexer
from sqlparse import tokens as token

if TYPE_CHECKING:
    from mypy_boto3_redshift_data.type_defs import SqlParameterTypeDef

# https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html, "Considerations when calling the Data API"
# and one of its forty is the label.
MOST_STATEMENTS: Final = 39
MOST_BYTES: Final = 100 * 1024


class InvalidScriptError(AirflowFailException):
    """A script that the Data API cannot take; the task fails at once, because a retry would send the same."""


def first_comment(sql: str) -> str:
    """Return what a file says of itself: the text of the comment lines with which it begins."""
    lines = takewhile(lambda line: line.startswith("--"), sql.lstrip().splitlines())
    return " ".join(line.removeprefix("--").strip() for line in lines)


@dataclass(frozen=True)
class Script:
    """The statements of one file, and the values bound to their `:names`.

    Attributes:
        file: Path of the file, for messages.
        statements: The statements in order, without comments and without their semicolons.
        parameters: Value by name; Redshift binds them, they are never formatted into the text.
    """

    file: str
    statements: tuple[str, ...]
    parameters: Mapping[str, str]

    def __post_init__(self) -> None:
        """Refuse what the Data API would refuse, before anything is submitted.

        Raises:
            InvalidScriptError: One sentence that names the file and, where there is one, the statement.
        """
        if not self.statements:
            raise InvalidScriptError(f"{self.file} holds no statement: write one, or remove the task.")
        if len(self.statements) > MOST_STATEMENTS:
            raise InvalidScriptError(
                f"{self.file} holds {len(self.statements)} statements, but one batch of the Redshift Data "
                f"API takes at most {MOST_STATEMENTS}: split the file into several tasks."
            )
        for number, statement in enumerate(self.statements, start=1):
            self._check_statement(f"{self.file}, statement {number} of {len(self.statements)},", statement)
        used = set().union(*map(names, self.statements))
        for name, value in self.parameters.items():
            if name not in used:
                raise InvalidScriptError(
                    f"{self.file} uses :{name} in no statement: remove the parameter or correct its name."
                )
            if not isinstance(value, str) or value == "":
                raise InvalidScriptError(
                    f"{self.file} is given {value!r} for :{name}, but the Redshift Data API binds only texts "
                    "of at least one character: give one, or write null or '' into the statement."
                )

    def _check_statement(self, where: str, statement: str) -> None:
        """Refuse one statement: its size, its characters, its names."""
        if (size := len(statement.encode())) > MOST_BYTES:
            raise InvalidScriptError(
                f"{where} is {size:,} bytes long, but the Redshift Data API takes at most {MOST_BYTES:,}: "
                "load long lists of values with COPY instead."
            )
        if "\0" in statement:
            raise InvalidScriptError(f"{where} holds a NUL character, which Redshift cannot read: remove it.")
        for name in sorted(names(statement) - self.parameters.keys()):
            raise InvalidScriptError(
                f"{where} uses :{name}, which has no value: add it to the task's parameters."
            )

    @property
    def bound(self) -> list[SqlParameterTypeDef]:
        """The parameters in the Data API's form."""
        return [{"name": name, "value": value} for name, value in self.parameters.items()]


def statements(sql: str) -> tuple[str, ...]:
    """Split SQL into its statements.

    Semicolons in strings, quoted names, `$$` bodies and comments do not split. Comments are dropped first,
    so that one after the last semicolon is no statement of its own. sqlparse does the reading, as in
    Airflow's SQL hooks; theirs also formats the text, which refuses a statement of more than 10,000 words.
    """
    bare = "".join(
        # The lexer also knows MySQL's "# comment"; in Redshift # is an operator.
        "\n" if kind in token.Comment and text.startswith(("--", "/*")) else text
        for kind, text in _tokens(sql)
    )
    split = (statement.strip() for statement in sqlparse.split(bare, strip_semicolon=True))
    return tuple(statement for statement in split if statement)


def names(statement: str) -> set[str]:
    """Find the `:names` that the Data API would bind: none in strings, quoted names, comments or casts."""
    return {
        text[1:]
        for kind, text in _tokens(statement)
        if kind in token.Name.Placeholder and text.startswith(":")
    }


def _tokens(sql: str) -> Iterator[tuple[Any, str]]:
    """Cut SQL into (kind, text), losing nothing."""
    return lexer.tokenize(sql)  # type: ignore[no-any-return,no-untyped-call]  # sqlparse ships no types
