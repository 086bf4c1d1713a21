"""How Redshift writes a value as text, in a result of the Data API as on the wire."""

import json
import math
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any


def text(value: Any) -> str:  # noqa: PLR0911  # one line a type
    """Writes one non-NULL value as Redshift does.

    Args:
        value: What DuckDB returned: a number, a string, bytes, a date or time, a list or dict (SUPER).

    Returns:
        The text: ISO dates, a blank between date and time, no trailing zeros of a second, bytes in hex.
    """
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float():
            return _float(value)
        case Decimal():
            return f"{value:f}"
        case datetime():
            return _timestamp(value)
        case date():
            return value.isoformat()
        case time():
            return _without_trailing_zeros(value.isoformat())
        case bytes() | bytearray() | memoryview():
            return bytes(value).hex()
        case list() | dict() | tuple():
            return json.dumps(value, default=text, separators=(",", ":"), ensure_ascii=False)
        case _:
            return str(value)


def _float(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value).removesuffix(".0")


def _timestamp(value: datetime) -> str:
    if value.tzinfo is None:
        return _without_trailing_zeros(value.isoformat(sep=" "))
    utc = value.astimezone(UTC).replace(tzinfo=None)
    return _without_trailing_zeros(utc.isoformat(sep=" ")) + "+00"


def _without_trailing_zeros(moment: str) -> str:
    return moment.rstrip("0").rstrip(".") if "." in moment else moment
