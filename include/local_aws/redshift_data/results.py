"""Results as the Data API returns them: typed fields or CSV, column metadata, pages."""

import base64
import binascii
import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from local_aws import values
from local_aws.redshift import Column, Result
from local_aws.redshift_data.exceptions import ValidationException

# AWS documents neither: a page ends after this many rows or about this many bytes, whichever comes first.
PAGE_ROWS = 1_000
PAGE_BYTES = 1024 * 1024

_INTEGERS = {"int2": 5, "int4": 10, "int8": 19}
# What Redshift's JDBC driver, and so the Data API, calls precision: digits, or characters when shown.
_PRECISIONS = {**_INTEGERS, "bool": 1, "float4": 8, "float8": 17, "date": 13, "time": 15, "timestamp": 29}
_PRECISIONS["timestamptz"] = 35
_SIGNED = {*_INTEGERS, "numeric", "float4", "float8"}
_TEXT = {"varchar", "bpchar", "super"}


def field(column: Column, value: Any) -> dict[str, Any]:
    """One value as the union `Field`.

    Numbers with a scale, dates and times travel as strings, as the Data API documents for its JSON format.
    """
    if value is None:
        return {"isNull": True}
    if column.type == "bool":
        return {"booleanValue": bool(value)}
    if column.type in _INTEGERS:
        return {"longValue": int(value)}
    if column.type in {"float4", "float8"}:
        return {"doubleValue": float(value)}
    return {"stringValue": values.text(value)}


def metadata(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """The `ColumnMetadata` of a result."""
    return [
        {
            "isCaseSensitive": column.type in _TEXT,
            "isCurrency": False,
            "isSigned": column.type in _SIGNED,
            "label": column.name,
            "length": column.length,
            "name": column.name,
            "nullable": int(column.nullable),
            "precision": column.precision or _PRECISIONS.get(column.type, column.length),
            "scale": column.scale,
            "schemaName": column.schema,
            "tableName": column.table,
            "typeName": column.type,
        }
        for column in columns
    ]


def size(result: Result) -> int:
    """The size of a result in bytes, near enough to bound what is kept: text counted, all else eight."""
    if not result.columns:
        return 0
    width = 0
    for index, column in enumerate(result.columns):
        if column.type in _TEXT or column.type == "varbyte":
            width += sum(len(row[index]) if isinstance(row[index], str | bytes) else 8 for row in result.rows)
        else:
            width += 8 * len(result.rows)
    return width


def json_page(result: Result, token: str | None) -> dict[str, Any]:
    """One page of a result in the JSON format, from the place that the token names."""
    columns = result.columns or ()
    start = offset(token, len(result.rows))
    records: list[list[dict[str, Any]]] = []
    used = 0
    for row in result.rows[start : start + PAGE_ROWS]:
        record = [field(column, value) for column, value in zip(columns, row, strict=True)]
        used += sum(len(str(next(iter(one.values())))) + 20 for one in record)
        if records and used > PAGE_BYTES:
            break
        records.append(record)
    return _page(result, records, start + len(records))


def csv_page(result: Result, token: str | None) -> dict[str, Any]:
    """One page of a result in the CSV format: a header on the first page, NULL as an empty field."""
    columns = result.columns or ()
    start = offset(token, len(result.rows))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    if start == 0:
        writer.writerow([column.name for column in columns])
    end = start
    for row in result.rows[start : start + PAGE_ROWS]:
        writer.writerow(["" if value is None else values.text(value) for value in row])
        end += 1
        if text.tell() > PAGE_BYTES:
            break
    return {**_page(result, [{"CSVRecords": text.getvalue()}], end), "ResultFormat": "CSV"}


def _page(result: Result, records: list[Any], end: int) -> dict[str, Any]:
    page = {
        "Records": records,
        "ColumnMetadata": metadata(result.columns or ()),
        "TotalNumRows": len(result.rows),
    }
    return page if end >= len(result.rows) else {**page, "NextToken": next_token(end)}


def next_token(position: int) -> str:
    """An opaque token for a position in a list."""
    return base64.urlsafe_b64encode(f"at:{position}".encode()).decode()


def offset(token: str | None, length: int) -> int:
    """The position that a token names.

    Raises:
        ValidationException: The token is not one of this list's.
    """
    if not token:
        return 0
    try:
        word, _, position = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        start = int(position)
    except (binascii.Error, ValueError):
        word, start = "", -1
    if word != "at" or not 0 < start < length:
        raise ValidationException("NextToken is not a token that this operation returned.")
    return start


def take[T](
    items: Sequence[T], token: str | None, limit: int | None, default: int
) -> tuple[list[T], str | None]:
    """One page of a list and the token of the next, None after the last.

    Args:
        items: The whole list.
        token: The `NextToken` of the request.
        limit: Its `MaxResults`; None or 0 asks for the default.
        default: How many items make a page then.
    """
    start = offset(token, len(items))
    end = start + (limit or default)
    return list(items[start:end]), next_token(end) if end < len(items) else None


def utc_seconds(moment: datetime) -> float:
    """A timestamp as AWS JSON writes it: seconds since 1970."""
    return round(moment.timestamp(), 3)
