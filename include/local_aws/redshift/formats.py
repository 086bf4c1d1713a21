"""TO_CHAR's formats for dates and numbers as DuckDB expressions."""

from __future__ import annotations

import re

from sqlglot import exp

from .errors import not_supported

# Redshift's pattern -> strftime's; longest first.
_STRFTIME = (
    ("YYYY", "%Y"), ("IYYY", "%G"), ("HH24", "%H"), ("HH12", "%I"), ("FMMonth", "%B"), ("FMDay", "%A"),
    ("FMMM", "%-m"), ("FMDD", "%-d"), ("DDD", "%j"), ("Mon", "%b"), ("Dy", "%a"), ("YY", "%y"), ("MM", "%m"),
    ("DD", "%d"), ("HH", "%I"),
    ("MI", "%M"), ("SS", "%S"), ("MS", "%g"), ("US", "%f"), ("AM", "%p"), ("PM", "%p"), ("IW", "%V"),
)  # fmt: skip

# What strftime lacks: SQL around the value {0}.
_EXPRESSIONS = {
    "Month": "rpad(strftime({0}, '%B'), 9, ' ')",
    "MONTH": "rpad(upper(strftime({0}, '%B')), 9, ' ')",
    "FMMONTH": "upper(strftime({0}, '%B'))",
    "month": "rpad(lower(strftime({0}, '%B')), 9, ' ')",
    "MON": "upper(strftime({0}, '%b'))",
    "mon": "lower(strftime({0}, '%b'))",
    "Day": "rpad(strftime({0}, '%A'), 9, ' ')",
    "DAY": "rpad(upper(strftime({0}, '%A')), 9, ' ')",
    "FMDAY": "upper(strftime({0}, '%A'))",
    "day": "rpad(lower(strftime({0}, '%A')), 9, ' ')",
    "DY": "upper(strftime({0}, '%a'))",
    "dy": "lower(strftime({0}, '%a'))",
    "am": "lower(strftime({0}, '%p'))",
    "pm": "lower(strftime({0}, '%p'))",
    "WW": "lpad(cast((dayofyear({0}) - 1) // 7 + 1 as varchar), 2, '0')",
    "W": "cast((day({0}) - 1) // 7 + 1 as varchar)",
    "D": "cast(dayofweek({0}) + 1 as varchar)",
    "Q": "cast(quarter({0}) as varchar)",
    "J": "cast(cast(julian({0}) as int) as varchar)",
    "CC": "lpad(cast(century({0}) as varchar), 2, '0')",
}

_PATTERNS = sorted([*_EXPRESSIONS, *(name for name, _ in _STRFTIME)], key=len, reverse=True)
_LOWER_TOO = {name.lower(): name for name, _ in _STRFTIME if name.isupper() or name[:2].isupper()}
_TOKEN = re.compile(
    "|".join(
        [
            r'"[^"]*"',
            *map(re.escape, _PATTERNS),
            *(name for name in map(str.lower, _PATTERNS) if name in _LOWER_TOO),
            ".",
        ]
    ),
    re.DOTALL,
)


def date_format(value: exp.Expr, pattern: str) -> exp.Expr:
    """TO_CHAR of a date or timestamp.

    Args:
        value: the date, in DuckDB's terms.
        pattern: Redshift's format, for example ``YYYY-MM-DD HH24:MI``.
    """
    strftime = dict(_STRFTIME)
    source = value.sql(dialect="duckdb")
    pieces: list[str] = []
    text = ""
    for token in _TOKEN.findall(pattern):
        name = token if token in strftime or token in _EXPRESSIONS else _LOWER_TOO.get(token, token)
        if name in strftime:
            text += strftime[name]
        elif name in _EXPRESSIONS:
            pieces += [_strftime(source, text)] * bool(text) + [_EXPRESSIONS[name].format(f"({source})")]
            text = ""
        else:
            text += token.strip('"').replace("%", "%%")
    if text or not pieces:
        pieces.append(_strftime(source, text))
    return exp.maybe_parse("(" + " || ".join(pieces) + ")", dialect="duckdb")


def _strftime(source: str, pattern: str) -> str:
    quoted = pattern.replace("'", "''")
    return f"strftime({source}, '{quoted}')"


def number_format(value: exp.Expr, pattern: str) -> exp.Expr | None:
    """TO_CHAR of a number, or None when the format is one of dates.

    Args:
        value: the number, in DuckDB's terms.
        pattern: digits ``9`` and ``0``, a point, group separators, ``FM`` and ``$``.

    Raises:
        RedshiftError: 0A000 for a numeric format with other parts, such as ``S`` or ``MI``.
    """
    upper = pattern.upper()
    if not re.search("[09]", upper) or re.sub("FM|MI|SG|PL|PR|RN|TH|[09.,DGSLV$]", "", upper):
        return None
    if not re.fullmatch(r"(FM)?\$?[09,G]*([.D][09]*)?", upper):
        raise not_supported(f"to_char with format '{pattern}'")
    fill = not upper.startswith("FM")
    body = upper.removeprefix("FM")
    dollar = body.startswith("$")
    whole, _, decimals = body.lstrip("$").replace("D", ".").partition(".")
    groups = "," if "," in whole or "G" in whole else ""
    zeros = len(whole) - whole.index("0") if "0" in whole else 0
    source = value.sql(dialect="duckdb")
    exact = f"abs(({source})::decimal(38, {max(len(decimals), 6)}))"
    text = f"format('{{:{groups}.{len(decimals)}f}}', {exact}::double)"
    if zeros:
        text = (
            f"lpad({text}, greatest(length({text}), {zeros + (len(decimals) + 1 if decimals else 0)}), '0')"
        )
    sign = f"case when ({source}) < 0 then '-' else '{' ' if fill else ''}' end"
    text = f"{sign} || '{'$' if dollar else ''}' || {text}"
    if fill:
        text = f"lpad({text}, {len(body) + 1}, ' ')"
    return exp.maybe_parse(f"({text})", dialect="duckdb")
