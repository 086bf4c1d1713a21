"""Values on the wire: each Redshift type's oid, and its text and binary form in both directions."""

import struct
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from local_aws import values
from local_aws.redshift import Column
from local_aws.wire.messages import ProtocolError

OIDS = {
    "bool": 16,
    "int8": 20,
    "int2": 21,
    "int4": 23,
    "float4": 700,
    "float8": 701,
    "bpchar": 1042,
    "varchar": 1043,
    "date": 1082,
    "time": 1083,
    "timestamp": 1114,
    "timestamptz": 1184,
    "numeric": 1700,
    "super": 4000,
    "varbyte": 6551,
}
TYPES = {oid: name for name, oid in OIDS.items()} | {25: "varchar", 19: "varchar"}
# The client leaves the type to the server: none, and PostgreSQL's "unknown".
UNTYPED = frozenset({0, 705})
_SIZES = {"bool": 1, "int2": 2, "int4": 4, "int8": 8, "float4": 4, "float8": 8, "date": 4, "time": 8}
_SIZES |= {"timestamp": 8, "timestamptz": 8}

_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001  # PostgreSQL's, for a timestamp without time zone
_MICROSECOND = timedelta(microseconds=1)
_NUMERIC_NEGATIVE, _NUMERIC_NAN = 0x4000, 0xC000


def described(column: Column, format_code: int) -> tuple[str, int, int, int, int]:
    """A column for the row description."""
    modifier = -1
    if column.type in {"varchar", "bpchar"} and column.length:
        modifier = column.length + 4
    elif column.type == "numeric":
        modifier = (column.precision << 16 | column.scale) + 4
    return (
        column.name,
        OIDS.get(column.type, OIDS["varchar"]),
        _SIZES.get(column.type, -1),
        modifier,
        format_code,
    )


def encoders(columns: Sequence[Column], formats: Sequence[int]) -> list[Callable[[Any], bytes | None]]:
    """What turns each value of a row into bytes.

    Args:
        columns: The result's columns.
        formats: 0 for text or 1 for binary, one for each column.
    """
    return [_encoder(column.type, code) for column, code in zip(columns, formats, strict=True)]


def _encoder(kind: str, format_code: int) -> Callable[[Any], bytes | None]:
    write = _BINARY.get(kind, _as_text) if format_code else _TEXT.get(kind, _as_text)
    return lambda value: None if value is None else write(value)


def _as_text(value: Any) -> bytes:
    return values.text(value).encode()


def _numeric(value: Any) -> bytes:
    """PostgreSQL's binary numeric: digits of base 10000."""
    number = Decimal(value)
    if number.is_nan():
        return struct.pack("!hhHh", 0, 0, _NUMERIC_NAN, 0)
    sign, _, exponent = number.as_tuple()
    scale = max(0, -int(exponent))
    whole, _, fraction = f"{abs(number):f}".partition(".")
    whole = whole.lstrip("0")
    whole = whole.rjust(-(-len(whole) // 4) * 4, "0")
    fraction = fraction.ljust(-(-len(fraction) // 4) * 4, "0")
    digits = [int((whole + fraction)[at : at + 4]) for at in range(0, len(whole) + len(fraction), 4)]
    weight = len(whole) // 4 - 1
    while digits and digits[0] == 0:
        digits.pop(0)
        weight -= 1
    while digits and digits[-1] == 0:
        digits.pop()
    flag = _NUMERIC_NEGATIVE if sign and digits else 0
    return struct.pack(f"!hhHh{len(digits)}h", len(digits), weight if digits else 0, flag, scale, *digits)


def _read_numeric(content: bytes) -> Decimal:
    count, weight, flag, scale = struct.unpack_from("!hhHh", content)
    if flag == _NUMERIC_NAN:
        return Decimal("NaN")
    digits = struct.unpack_from(f"!{count}h", content, 8)
    number = sum(
        (Decimal(digit).scaleb(4 * (weight - place)) for place, digit in enumerate(digits)), Decimal(0)
    )
    number = number.quantize(Decimal(1).scaleb(-scale)) if scale >= 0 else number
    return -number if flag == _NUMERIC_NEGATIVE else number


def _microseconds(value: datetime) -> int:
    moment = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    return (moment - _EPOCH) // _MICROSECOND


def _time_of_day(value: time) -> int:
    return ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond


def _packer(code: str, convert: Callable[[Any], Any]) -> Callable[[Any], bytes]:
    return lambda value: struct.pack(f"!{code}", convert(value))


_TEXT: dict[str, Callable[[Any], bytes]] = {"bool": lambda value: b"t" if value else b"f"}
_BINARY: dict[str, Callable[[Any], bytes]] = {
    "bool": _packer("?", bool),
    "int2": _packer("h", int),
    "int4": _packer("i", int),
    "int8": _packer("q", int),
    "float4": _packer("f", float),
    "float8": _packer("d", float),
    "numeric": _numeric,
    "date": _packer("i", lambda value: (value - _EPOCH.date()).days),
    "time": _packer("q", _time_of_day),
    "timestamp": _packer("q", _microseconds),
    "timestamptz": _packer("q", _microseconds),
    "varbyte": bytes,
}


def _unpacker(code: str, convert: Callable[[Any], Any]) -> Callable[[bytes], Any]:
    def read(content: bytes) -> Any:
        (value,) = struct.unpack(f"!{code}", content)
        return convert(value)

    return read


def _of_microseconds(count: int) -> datetime:
    return _EPOCH + count * _MICROSECOND


_FROM_BINARY: dict[str, Callable[[bytes], Any]] = {
    "bool": _unpacker("?", bool),
    "int2": _unpacker("h", int),
    "int4": _unpacker("i", int),
    "int8": _unpacker("q", int),
    "float4": _unpacker("f", float),
    "float8": _unpacker("d", float),
    "numeric": _read_numeric,
    "date": _unpacker("i", lambda days: _EPOCH.date() + timedelta(days=days)),
    "time": _unpacker("q", lambda count: _of_microseconds(count).time()),
    "timestamp": _unpacker("q", _of_microseconds),
    "timestamptz": _unpacker("q", lambda count: _of_microseconds(count).replace(tzinfo=UTC)),
    "varbyte": bytes,
}
_FROM_TEXT: dict[str, Callable[[str], Any]] = {
    "bool": lambda text: text.lower() in {"t", "true", "1", "y", "yes", "on"},
    "int2": int,
    "int4": int,
    "int8": int,
    "float4": float,
    "float8": float,
    "numeric": Decimal,
    "date": date.fromisoformat,
}


def decode(content: bytes | None, format_code: int, kind: str) -> Any:
    """Reads a parameter.

    Args:
        content: Its bytes, None for NULL.
        format_code: 0 for text, 1 for binary.
        kind: Redshift's type of it; "" if nobody knows, which reads it as text.

    Returns:
        A Python value for the engine; text whose type has no better form stays text.

    Raises:
        ProtocolError: The bytes are not a value of the type.
    """
    if content is None:
        return None
    try:
        if format_code and kind in _FROM_BINARY:
            return _FROM_BINARY[kind](content)
        text = content.decode()
        return _FROM_TEXT[kind](text) if kind in _FROM_TEXT else text
    except (ValueError, ArithmeticError, struct.error):
        raise ProtocolError(f"a parameter is no {kind or 'text'}: {content[:40]!r}") from None
