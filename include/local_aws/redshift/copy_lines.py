"""Lines of COPY's text files before DuckDB reads them: what its CSV reader does not know is rewritten."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from .copy_options import CopyOptions
from .errors import not_supported

# A line that holds a line feed and nothing else.
_BLANK = re.compile(rb"(?:\A|\n)\r?(?=\n)")


class UnreadableLineError(Exception):
    """A line that holds no row: a blank one without IGNOREBLANKLINES, or one that is not UTF-8.

    Attributes:
        path: the file.
        line: its number, from 1.
        reason: as ``stl_load_errors`` gives it.
    """

    def __init__(self, path: Path, line: int, reason: str) -> None:
        super().__init__(f"{path}, line {line}: {reason}")
        self.path, self.line, self.reason = path, line, reason


def prepare(options: CopyOptions, paths: Sequence[Path], columns: int) -> list[Path]:
    """Local files that DuckDB reads as Redshift reads the given ones.

    Backslash escapes become quotes, bytes that are not UTF-8 the character of ACCEPTINVCHARS, and blank lines
    go with IGNOREBLANKLINES; a file without any of them is given back as it is.

    Args:
        options: of COPY.
        paths: the files.
        columns: how many the data has.

    Raises:
        UnreadableLineError: a line holds no row.
        RedshiftError: 0A000 for a blank line where it stands for an empty value.
    """
    return [_prepared(options, path, columns) for path in paths]


def _prepared(options: CopyOptions, path: Path, columns: int) -> Path:
    data = gzip.decompress(path.read_bytes()) if options.gzip else path.read_bytes()
    changed = _blank_lines(options, path, data, columns) if options.format != "json" else data
    if options.acceptinvchars is not None:
        changed = changed.decode(errors="replace").replace("\ufffd", options.acceptinvchars).encode()
    else:
        _check_encoding(path, data)
    if options.escape:
        changed = _as_csv(changed.decode(), options).encode()
    if changed is data:
        return path
    target = path.with_name(f"{path.name}.plain{'.gz' if options.gzip else ''}")
    target.write_bytes(gzip.compress(changed) if options.gzip else changed)
    return target


def _check_encoding(path: Path, data: bytes) -> None:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        sequence = data[error.start : error.end].hex(" ")
        raise UnreadableLineError(
            path,
            data.count(b"\n", 0, error.start) + 1,
            f"String contains invalid or unsupported UTF-8 codepoints. Bad UTF-8 hex sequence: {sequence}",
        ) from error


def _blank_lines(options: CopyOptions, path: Path, data: bytes, columns: int) -> bytes:
    if not _BLANK.search(data):
        return data
    kept: list[bytes] = []
    mark = options.quote.encode() if options.format == "csv" else b""
    inside = False
    for number, line in enumerate(re.split(rb"(?<=\n)", data), 1):
        if number > options.ignoreheader and not inside and line in {b"\n", b"\r\n"}:
            if options.ignoreblanklines:
                continue
            if columns > 1:
                raise UnreadableLineError(path, number, "Delimiter not found")
            raise not_supported("copy of one column from a file with blank lines, without IGNOREBLANKLINES")
        # A quoted or escaped field goes on over the end of the line.
        if mark and line.count(mark) % 2:
            inside = not inside
        elif options.escape:
            inside = _goes_on(line.rstrip(b"\r\n"))
        kept.append(line)
    return b"".join(kept)


def _goes_on(line: bytes) -> bool:
    """Whether the line feed after a line is escaped."""
    return (len(line) - len(line.rstrip(b"\\"))) % 2 == 1


def _as_csv(text: str, options: CopyOptions) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=options.delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for line in _lines(text):
        writer.writerow(_fields(line, options.delimiter))
    return out.getvalue()


def _lines(text: str) -> Iterator[str]:
    line = ""
    for part in text.removesuffix("\n").split("\n"):
        line += part
        if _goes_on(line.encode()):
            line += "\n"
            continue
        yield line
        line = ""
    if line:
        yield line


def _fields(line: str, delimiter: str) -> Iterator[str]:
    field, position = "", 0
    while position < len(line):
        letter = line[position]
        if letter == "\\" and position + 1 < len(line):
            position += 1
            # \N stands for NULL and is left for the reader to see.
            field += "\\N" if line[position] == "N" else line[position]
        elif letter == delimiter:
            yield field
            field = ""
        else:
            field += letter
        position += 1
    yield field
