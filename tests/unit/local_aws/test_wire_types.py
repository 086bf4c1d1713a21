"""Values on the wire, both ways, text and binary."""

# A timestamp without time zone is a type of its own.
# ruff: noqa: DTZ001

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_aws.redshift import Column
from local_aws.wire import types
from local_aws.wire.messages import ProtocolError

VALUES = {
    "bool": [True, False],
    "int2": [-32768, 0, 7],
    "int4": [-(2**31), 2**31 - 1],
    "int8": [-(2**63), 2**63 - 1],
    "float4": [0.5, -1.25],
    "float8": [0.1, -1e300],
    "numeric": [
        Decimal(0),
        Decimal("0.00"),
        Decimal("-12345.6780"),
        Decimal(100000000),
        Decimal("0.0001"),
    ],
    "date": [date(1, 1, 1), date(2000, 1, 1), date(9999, 12, 31)],
    "time": [time(0, 0), time(23, 59, 59, 999999)],
    "timestamp": [datetime(1970, 1, 1), datetime(2003, 1, 2, 3, 4, 5, 600000)],
    "timestamptz": [datetime(2003, 1, 2, 3, 4, 5, tzinfo=UTC)],
    "varchar": ["", "a'b\\ü"],
}


@pytest.mark.parametrize(
    ("kind", "value"), [(kind, value) for kind, some in VALUES.items() for value in some]
)
def test_what_is_written_in_binary_is_read_back(kind, value):
    (encode,) = types.encoders([Column("c", kind)], [1])
    assert types.decode(encode(value), 1, kind) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=6))
def test_every_numeric_is_read_back_with_its_scale(value):
    (encode,) = types.encoders([Column("c", "numeric", precision=38, scale=6)], [1])
    found = types.decode(encode(value), 1, "numeric")
    assert found == value
    assert found.as_tuple().exponent == -6


def test_text_is_written_as_redshift_writes_it():
    written = {
        ("bool", True): b"t",
        ("int4", -5): b"-5",
        ("float8", 1.0): b"1",
        ("float8", float("inf")): b"Infinity",
        ("numeric", Decimal("1E+2")): b"100",
        ("date", date(2003, 1, 2)): b"2003-01-02",
        ("timestamp", datetime(2003, 1, 2, 3, 4, 5, 100000)): b"2003-01-02 03:04:05.1",
        ("timestamptz", datetime(2003, 1, 2, 3, 4, 5, tzinfo=UTC)): b"2003-01-02 03:04:05+00",
        ("varbyte", b"\x01\xff"): b"01ff",
    }
    for (kind, value), expected in written.items():
        (encode,) = types.encoders([Column("c", kind)], [0])
        assert encode(value) == expected
        assert encode(None) is None


def test_a_parameter_that_is_no_value_of_its_type_is_refused():
    for content, code, kind in (
        (b"x", 0, "int4"),
        (b"\x00", 1, "int4"),
        (b"2003-13-01", 0, "date"),
        (b"", 1, "numeric"),
    ):
        with pytest.raises(ProtocolError, match=f"is no {kind}"):
            types.decode(content, code, kind)
