"""COPY of delimited text, CSV and JSON: text first, so that what does not fit becomes a load error."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from . import copy_lines, relations
from .copy_options import CopyOptions
from .errors import RedshiftError, not_supported
from .functions import INTERNAL
from .parquet_files import path_list
from .records import LoadError, now
from .table_definition import ColumnDefinition, quote

if TYPE_CHECKING:
    from .session import Session

_STAGE = "temp.main.copy_stage"
_NAMES = {
    "int2": "smallint", "int4": "integer", "int8": "bigint", "numeric": "numeric", "float4": "real",
    "float8": "double precision", "bool": "boolean", "date": "date", "timestamp": "timestamp",
}  # fmt: skip
_WHOLE = {"int2": "Short", "int4": "Integer", "int8": "Long"}
# r_Load_Error_Reference of Redshift's manual; any other reason has the code of a value out of range.
_CODES = (
    ("Extra column(s) found", 1202), ("Invalid Date Format", 1205), ("Invalid timestamp format", 1206),
    ("Invalid digit", 1207), ("Missing data for not-null field", 1213), ("Delimiter not found", 1214),
    ("String contains invalid or unsupported UTF-8 codepoints", 1220),
)  # fmt: skip


def load_text(
    session: Session,
    options: CopyOptions,
    table: relations.Table,
    columns: Sequence[ColumnDefinition],
    files: Mapping[Path, str],
) -> int:
    """Loads text, CSV or JSON.

    Args:
        session: where it runs.
        options: of COPY.
        table: the target.
        columns: what the data fills, in the order of the data.
        files: local copies and the addresses of their objects.

    Returns:
        The number of rows loaded.

    Raises:
        RedshiftError: XX000 when more rows than MAXERROR do not fit; they are in ``stl_load_errors``.
    """
    if not files:
        return 0
    try:
        readable = copy_lines.prepare(options, list(files), len(columns))
    except copy_lines.UnreadableLineError as error:
        _record_line(session, table, files[error.path], error.line, reason=error.reason)
        raise _failed(table) from error
    urls = dict(zip(map(str, readable), files.values(), strict=True))
    raw = [f"c{number}" for number in range(len(columns))]
    source = (
        _json_source(session, options, columns, readable)
        if options.format == "json"
        else _source(options, raw, readable)
    )
    session.run(f"drop table if exists {_STAGE}")
    try:
        session.run(
            f"create temp table copy_stage as select row_number() over (partition by __file) as __line, * "
            f"from {source}"
        )
        return _insert(session, options, table, columns, urls)
    except duckdb.InvalidInputException as error:
        _structural_error(session, table, urls, error)
        raise _failed(table) from error
    finally:
        for path in set(readable) - set(files):
            path.unlink(missing_ok=True)


def _failed(table: relations.Table) -> RedshiftError:
    return RedshiftError(
        f"Load into table '{table.name}' failed. Check 'sys_load_error_detail' system table for details.",
        "XX000",
    )


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _source(options: CopyOptions, raw: Sequence[str], paths: Sequence[Path]) -> str:
    quoted = options.format == "csv" or options.removequotes or options.escape
    types = ", ".join(f"{_text(name)}: 'VARCHAR'" for name in raw)
    mark = _text(options.quote if options.format == "csv" else '"') if quoted else "''"
    return (
        f"read_csv({path_list(paths)}, delim = {_text(options.delimiter)}, quote = {mark}, escape = {mark}, "
        f"header = false, skip = {options.ignoreheader}, auto_detect = false, columns = {{{types}}}, "
        f"nullstr = {_text(options.null_as)}, allow_quoted_nulls = true, compression = "
        f"'{'gzip' if options.gzip else 'none'}', "
        f"null_padding = {str(options.fillrecord).lower()}, filename = '__file', max_line_size = 4194304)"
    )


def _json_source(
    session: Session, options: CopyOptions, columns: Sequence[ColumnDefinition], paths: Sequence[Path]
) -> str:
    if options.jsonpaths == "auto":
        found = [f'$."{column.name}"' for column in columns]
    elif options.jsonpaths.startswith("s3://"):
        item = session.store.head(options.jsonpaths)
        if item is None:
            raise RedshiftError(f"JSONPaths file {options.jsonpaths} does not exist", "XX000")
        found = [
            re.sub(r"\['([^']*)'\]", r'."\1"', path)
            for path in json.loads(session.store.read(item))["jsonpaths"]
        ]
        if len(found) != len(columns):
            raise RedshiftError(
                f"Number of jsonpaths ({len(found)}) and of columns ({len(columns)}) should match", "XX000"
            )
    else:
        raise not_supported(f"copy with json '{options.jsonpaths}'")
    values = ", ".join(
        f"json_extract_string(json, {_text(path)}) as c{number}" for number, path in enumerate(found)
    )
    return (
        f"(select {values}, filename as __file from read_json_objects({path_list(paths)}, format = 'auto', "
        f"filename = true, compression = '{'gzip' if options.gzip else 'uncompressed'}')) as j"
    )


def _insert(
    session: Session,
    options: CopyOptions,
    table: relations.Table,
    columns: Sequence[ColumnDefinition],
    urls: dict[str, str],
) -> int:
    values = [_value(options, f"c{number}", column) for number, column in enumerate(columns)]
    wrong = [
        _wrong(options, f"c{number}", column, value)
        for number, (column, value) in enumerate(zip(columns, values, strict=True))
    ]
    failing = session.run(
        f"select __line, __file, {', '.join(wrong)}, {', '.join(f'c{n}' for n in range(len(columns)))} "
        f"from {_STAGE} "
        f"where {' or '.join(f'({text}) is not null' for text in wrong)} order by 2, 1 limit "
        f"{options.maxerror + 1}"
    ).fetchall()
    for row in failing:
        _record(session, options, table, columns, [row[0], urls[row[1]], *row[2:]])
    if len(failing) > options.maxerror:
        raise _failed(table)
    names = ", ".join(quote(column.name) for column in columns)
    good = " and ".join(f"({text}) is null" for text in wrong)
    loaded = session.run(
        f"insert into {table.sql} ({names}) select {', '.join(values)} from {_STAGE} where {good}"
    ).fetchone()
    session.run(f"drop table {_STAGE}")
    return int(loaded[0]) if loaded else 0


def _value(options: CopyOptions, raw: str, column: ColumnDefinition) -> str:
    """The typed value of a field; NULL when it does not fit."""
    kind = column.type
    if kind.name in {"varchar", "bpchar"}:
        value = f"rtrim({raw})" if options.trimblanks or kind.name == "bpchar" else raw
        if options.blanksasnull:
            value = f"(case when trim({value}) = '' then null else {value} end)"
        elif options.emptyasnull:
            value = f"nullif({value}, '')"
        return f"{INTERNAL}.truncate_bytes({value}, {kind.length})" if options.truncatecolumns else value
    value = f"nullif(trim({raw}), '')"
    if kind.name == "date" and options.dateformat.lower() != "auto":
        return f"try_strptime({value}, {_text(_strptime(options.dateformat))})::date"
    if kind.name in {"timestamp", "timestamptz"} and options.timeformat.lower() != "auto":
        epoch = {"epochsecs": "1", "epochmillisecs": "1000"}.get(options.timeformat.lower())
        if epoch:
            return f"to_timestamp(try_cast({value} as double) / {epoch})::timestamp"
        return f"try_strptime({value}, {_text(_strptime(options.timeformat))})"
    if kind.name in _WHOLE:
        return f"(case when {_is_whole(value)} then try_cast({value} as {kind.duckdb}) end)"
    return f"try_cast({value} as {kind.duckdb})"


def _is_whole(value: str) -> str:
    """The engine also casts 2.5, 0x10, 1e2 and 1_000 to integers."""
    return f"regexp_full_match({value}, '[+-]?[0-9]+')"


_STRPTIME = (
    ("YYYY", "%Y"), ("HH24", "%H"), ("HH12", "%I"), ("Month", "%B"), ("MON", "%b"), ("Mon", "%b"), ("MM",
    "%m"),
    ("DD", "%d"), ("HH", "%H"), ("MI", "%M"), ("SS", "%S"), ("AM", "%p"), ("PM", "%p"), ("YY", "%y"),
)  # fmt: skip


def _strptime(pattern: str) -> str:
    for redshift, strptime in _STRPTIME:
        pattern = pattern.replace(redshift, strptime)
    return pattern


def _wrong(options: CopyOptions, raw: str, column: ColumnDefinition, value: str) -> str:
    """SQL for why a field cannot be loaded; NULL when it can."""
    kind = column.type
    cases: list[str] = []
    if kind.name in _WHOLE:
        cases.append(_invalid_digit(f"nullif(trim({raw}), '')", _WHOLE[kind.name]))
    if kind.name in {"varchar", "bpchar"}:
        cases.append(f"when strlen({value}) > {kind.length} then 'String length exceeds DDL length'")
    elif not (options.acceptanydate and kind.name in {"date", "timestamp"}):
        # ACCEPTANYDATE loads NULL for what is no date.
        named = _NAMES.get(kind.name, kind.name)
        reason = {"date": "Invalid Date Format", "timestamp": "Invalid timestamp format or value"}.get(
            kind.name, f"Invalid value for type {named}"
        )
        cases.append(f"when nullif(trim({raw}), '') is not null and {value} is null then {_text(reason)}")
    if not column.nullable:
        cases.append(f"when {value} is null then 'Missing data for not-null field'")
    return f"case {' '.join(cases)} end" if cases else "null"


def _invalid_digit(field: str, kind: str) -> str:
    digits = f"length(regexp_extract({field}, '^[+-]?[0-9]*'))"
    return (
        f"when not {_is_whole(field)} then format('Invalid digit, Value ''{{}}'', Pos {{}}, Type: {kind}', "
        f"substr({field}, {digits} + 1, 1), {digits})"
    )


def _record(
    session: Session,
    options: CopyOptions,
    table: relations.Table,
    columns: Sequence[ColumnDefinition],
    row: Sequence[object],
) -> None:
    count = len(columns)
    reasons, values = row[2 : 2 + count], row[2 + count :]
    number = next(n for n, reason in enumerate(reasons) if reason)
    session.warehouse.load_errors.append(
        LoadError(
            query_id=session.query_id,
            pid=session.pid,
            table=table.name,
            start=now(),
            file=str(row[1]),
            line=int(str(row[0])) + options.ignoreheader,
            column=columns[number].name,
            type=columns[number].type.name,
            raw_line=options.delimiter.join("" if value is None else str(value) for value in values)[:1024],
            raw_value=str(values[number])[:1024],
            reason=str(reasons[number]),
            code=_code(str(reasons[number])),
        )
    )


def _structural_error(
    session: Session, table: relations.Table, urls: dict[str, str], error: duckdb.Error
) -> None:
    """A line that cannot be split into the table's columns."""
    message = str(error)
    line = re.search(r"Line: (\d+)", message)
    path = next((path for path in urls if path in message), next(iter(urls)))
    original = re.search(r"Original Line: (.*)", message)
    extra = (
        "Extra column(s) found"
        if "Too many" in message or ("Found: " in message and _too_many(message))
        else "Delimiter not found"
    )
    text = original[1] if original else ""
    _record_line(session, table, urls[path], int(line[1]) if line else 0, reason=extra, text=text)


def _record_line(
    session: Session, table: relations.Table, url: str, line: int, *, reason: str, text: str = ""
) -> None:
    session.warehouse.load_errors.append(
        LoadError(
            query_id=session.query_id,
            pid=session.pid,
            table=table.name,
            start=now(),
            file=url,
            line=line,
            column="",
            type="",
            raw_line=text[:1024],
            raw_value="",
            reason=reason,
            code=_code(reason),
        )
    )


def _code(reason: str) -> int:
    return next((code for beginning, code in _CODES if reason.startswith(beginning)), 1204)


def _too_many(message: str) -> bool:
    counts = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
    return counts is not None and int(counts[2]) > int(counts[1])
