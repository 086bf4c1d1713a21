"""Reading SQL without running it: where statements end, which parameters they name, what may be logged."""

import re

from local_aws.redshift.statement import tokenize

_SECRET = re.compile(
    r"(\b(?:password|credentials|access_key_id|secret_access_key|session_token|master_symmetric_key)\b"
    r"(?:\s+as)?\s*=?\s*)'(?:''|[^'])*'",
    re.IGNORECASE,
)


def split(sql: str) -> list[str]:
    """Splits SQL at the semicolons outside strings, comments and dollar quotes.

    Args:
        sql: Any number of statements; the last needs no semicolon.

    Returns:
        The statements without their semicolons; those that are only blanks or comments are left out.

    Raises:
        RedshiftError: A string, identifier or comment never ends.
    """
    statements, start, empty = [], 0, True
    for token in tokenize(sql):
        if token.kind == "symbol" and token.value == ";":
            if not empty:
                statements.append(sql[start : token.start].strip())
            start, empty = token.end, True
        else:
            empty = False
    if not empty:
        statements.append(sql[start:].strip())
    return statements


def parameter_names(sql: str) -> set[str]:
    """The names that a statement refers to as `:name`; a cast (`::date`) or a colon in a string is none."""
    return {token.value for token in tokenize(sql) if token.kind == "named"}


def first_word(sql: str) -> str:
    """The statement's first keyword in lower case, past blanks and comments; "" if it begins otherwise."""
    tokens = tokenize(sql)
    return tokens[0].value if tokens and tokens[0].kind == "word" else ""


def without_secrets(sql: str) -> str:
    """The SQL with passwords and access keys masked, fit for a log."""
    return _SECRET.sub(r"\1'***'", sql)
