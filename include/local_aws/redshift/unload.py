"""UNLOAD: runs the query, writes its files under Redshift's names, and refuses a target that is not empty."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote as url_quote

from sqlglot import exp

from . import query
from .dialect import parse
from .errors import RedshiftError
from .statement import Statement
from .table_definition import quote
from .types import Column, Result
from .unload_options import UnloadOptions, parse_unload

if TYPE_CHECKING:
    from .session import Session

_SLICES = 2
_NOT_EMPTY = (
    "Specified unload destination on S3 is not empty. Consider using a different bucket / prefix, "
    "manually removing the "
    "target files in S3, or using the ALLOWOVERWRITE option."
)


@dataclass(frozen=True)
class _Written:
    url: str
    size: int
    rows: int


def unload(session: Session, statement: Statement) -> Result:
    """UNLOAD of a query to S3."""
    options = parse_unload(statement)
    _refuse_limit(options)
    text, columns = query.query_columns(session, options.query)
    for name in options.partition_by:
        if name not in {column.name for column in columns}:
            raise RedshiftError(f'column "{name}" of PARTITION BY is not in the query', "42703")
    # As r_UNLOAD of Redshift's manual says: SSE-S3 whatever the bucket's default, unless it is asked for.
    encryption = None if options.encrypted_auto else "AES256"
    _clear_target(session, options)
    session.run(
        f"create or replace temp table unload_result as select row_number() over () as __row, * from ({text})"
    )
    with tempfile.TemporaryDirectory(prefix="unload-", dir=session.warehouse.scratch) as folder:
        files = [
            _Written(url, session.store.write(url, path, encryption), rows)
            for url, path, rows in _files(session, options, columns, Path(folder))
        ]
    session.run("drop table temp.main.unload_result")
    total = sum(file.rows for file in files)
    if options.manifest:
        session.store.write(f"{options.target}manifest", _manifest(options, columns, files), encryption)
    return Result("UNLOAD", None, [], total)


def _refuse_limit(options: UnloadOptions) -> None:
    tree = parse(options.query)
    if isinstance(tree, exp.Select) and (tree.args.get("limit") or tree.args.get("offset")):
        raise RedshiftError("Limit clause is not supported in UNLOAD; put it into a nested query", "0A000")


def _clear_target(session: Session, options: UnloadOptions) -> None:
    if options.partition_by and not options.target.endswith("/"):
        options.target += "/"
    if options.cleanpath and options.partition_by:
        return  # only the folders that receive files are cleaned, see _files
    existing = session.store.find(options.target)
    if options.cleanpath:
        session.store.delete(existing)
    elif existing and not options.allowoverwrite:
        raise RedshiftError(_NOT_EMPTY, "XX000")


def _files(
    session: Session, options: UnloadOptions, columns: Sequence[Column], folder: Path
) -> Iterator[tuple[str, Path, int]]:
    """Writes the result to local files; gives the address, the file and its number of rows."""
    shown = [c for c in columns if options.include or c.name not in options.partition_by]
    for number, (prefix, where) in enumerate(_partitions(session, options)):
        if options.cleanpath and prefix:
            session.store.delete(session.store.find(f"{options.target}{prefix}"))
        for part in range(_SLICES) if options.parallel else range(1):
            rows_here = (
                f"({where}) and __row % {_SLICES} = {(part + 1) % _SLICES}" if options.parallel else where
            )
            count = int(
                query.scalar(session.run(f"select count(*) from unload_result where {rows_here}")) or 0
            )
            # Redshift writes a file for a slice without rows too, except into a partition and as Parquet.
            if count == 0 and part and (options.partition_by or options.format == "parquet"):
                continue
            write = _write_parquet if options.format == "parquet" else _write_text
            path = folder / f"{number}-{part}"
            for chunk, (file, rows) in enumerate(write(session, options, shown, rows_here, path)):
                name = f"{part:04d}_part_{chunk:02d}" if options.parallel else f"{chunk:03d}"
                yield f"{options.target}{prefix}{name}{_ending(options)}", file, rows


def _ending(options: UnloadOptions) -> str:
    if options.extension:
        return f".{options.extension.lstrip('.')}"
    if options.format == "parquet":
        return ".parquet"
    return ".gz" if options.gzip else ""


def _partitions(session: Session, options: UnloadOptions) -> Iterator[tuple[str, str]]:
    """The folder and the condition of each partition; one of all rows without PARTITION BY."""
    if not options.partition_by:
        yield "", "true"
        return
    keys = ", ".join(map(quote, options.partition_by))
    for row in session.run(f"select distinct {keys} from unload_result order by all").fetchall():
        folders = "".join(
            f"{name}={'__HIVE_DEFAULT_PARTITION__' if value is None else url_quote(str(value), safe=' ')}/"
            for name, value in zip(options.partition_by, row, strict=True)
        )
        same = " and ".join(
            f"{quote(name)}::varchar is not distinct from {_text(None if value is None else _shown(value))}"
            for name, value in zip(options.partition_by, row, strict=True)
        )
        yield folders, same


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(value: str | None) -> str:
    return "null" if value is None else "'" + value.replace("'", "''") + "'"


def _write_parquet(
    session: Session, options: UnloadOptions, columns: Sequence[Column], where: str, path: Path
) -> Iterator[tuple[Path, int]]:
    """One file, or as many of the same number of rows as MAXFILESIZE asks for."""
    listed = ", ".join(_stored(column) for column in columns)
    count = int(query.scalar(session.run(f"select count(*) from unload_result where {where}")) or 0)
    rows = f"select {listed} from unload_result where {where} order by __row"
    session.run(f"copy ({rows}) to {_text(str(path))} (format parquet)")
    size = path.stat().st_size
    if size <= options.maxfilesize:
        yield path, count
        return
    step = max(1, count * options.maxfilesize // size)
    for start in range(0, count, step):
        part = path.with_name(f"{path.name}-{start}")
        session.run(f"copy ({rows} limit {step} offset {start}) to {_text(str(part))} (format parquet)")
        yield part, min(step, count - start)


def _write_text(
    session: Session, options: UnloadOptions, columns: Sequence[Column], where: str, path: Path
) -> Iterator[tuple[Path, int]]:
    """Text, CSV or JSON; a new file begins when a line would exceed MAXFILESIZE."""
    if options.format == "json":
        listed = f"to_json(struct_pack({', '.join(f'{quote(c.name)} := {quote(c.name)}' for c in columns)}))"
    else:
        listed = ", ".join(_as_text(column) for column in columns)
    cursor = session.run(f"select {listed} from unload_result where {where} order by __row")
    header = options.delimiter.join(column.name for column in columns) + "\n" if options.header else ""
    lines, size, chunk = [header.encode()], len(header), 0
    while batch := cursor.fetchmany(10_000):
        for row in batch:
            line = f"{_line(options, row)}\n".encode()
            if size + len(line) > options.maxfilesize:
                yield _chunk(options, path, chunk, lines), len(lines) - 1
                lines, size, chunk = [header.encode()], len(header), chunk + 1
            lines.append(line)
            size += len(line)
    yield _chunk(options, path, chunk, lines), len(lines) - 1


def _chunk(options: UnloadOptions, path: Path, number: int, lines: Sequence[bytes]) -> Path:
    content = b"".join(lines)
    file = path.with_name(f"{path.name}-{number}")
    file.write_bytes(gzip.compress(content, mtime=0) if options.gzip else content)
    return file


def _stored(column: Column) -> str:
    """HUGEINT, the engine's SUM of integers, is a BIGINT in the file."""
    return (
        f"{quote(column.name)}::bigint as {quote(column.name)}"
        if column.type == "int8"
        else quote(column.name)
    )


def _as_text(column: Column) -> str:
    name = quote(column.name)
    if column.type == "bool":
        return f"case when {name} then 't' when not {name} then 'f' end"
    return f"{name}::varchar"


def _line(options: UnloadOptions, row: Sequence[Any]) -> str:
    if options.format == "json":
        return str(row[0])
    write = _csv_field if options.format == "csv" else _text_field
    return options.delimiter.join(write(options, value) for value in row)


def _csv_field(options: UnloadOptions, value: str | None) -> str:
    if value is None:
        return options.null_as
    if any(mark in value for mark in (options.delimiter, '"', "\n", "\r")):
        return '"' + value.replace('"', '""') + '"'
    return value


def _text_field(options: UnloadOptions, value: str | None) -> str:
    if value is None:
        return options.null_as
    if options.escape:
        for mark in ("\\", "\n", "\r", options.delimiter, '"', "'"):
            value = value.replace(mark, f"\\{mark}")
    return f'"{value}"' if options.addquotes else value


def _manifest(options: UnloadOptions, columns: Sequence[Column], files: Sequence[_Written]) -> bytes:
    """The manifest; its row counts include the header lines, as r_UNLOAD of Redshift's manual says."""
    entries: list[dict[str, Any]] = [{"url": file.url} for file in files]
    if options.format == "parquet" or options.verbose:
        for entry, file in zip(entries, files, strict=True):
            entry["meta"] = {"content_length": file.size}
            if options.verbose:
                entry["meta"]["record_count"] = file.rows + options.header
    content: dict[str, Any] = {"entries": entries}
    if options.verbose:
        content["schema"] = {"elements": [_element(column) for column in columns]}
        content["meta"] = {
            "content_length": sum(file.size for file in files),
            "record_count": sum(file.rows + options.header for file in files),
        }
        content["author"] = {"name": "Amazon Redshift", "version": "1.0.0"}
    return json.dumps(content, indent=2).encode()


def _element(column: Column) -> dict[str, Any]:
    base = {"varchar": "character varying", "bpchar": "character", "int4": "integer", "int8": "bigint"}
    kind: dict[str, Any] = {"base": base.get(column.type, column.type)}
    if column.length:
        kind["max_length"] = column.length
    if column.precision:
        kind |= {"precision": column.precision, "scale": column.scale}
    return {"name": column.name, "type": kind}
