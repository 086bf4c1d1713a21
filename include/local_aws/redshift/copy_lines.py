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


class BlankLineError(Exception):
    """A blank line without IGNOREBLANKLINES.

    Attributes:
        path: the file.
        line: its number, from 1.
    """

    def __init__(self, path: Path, line: int) -> None:
        super().__init__(f"{path}: line {line} is blank")
        self.path, self.line = path, line


def prepare(options: CopyOptions, paths: Sequence[Path], columns: int) -> list[Path]:
    """Local files that DuckDB reads as Redshift reads the given ones.

    Backslash escapes become quotes, bytes that are not UTF-8 the character of ACCEPTINVCHARS, and blank lines
    go with IGNOREBLANKLINES; a file without any of them is given back as it is.

    Args:
        options: of COPY.
        paths: the files.
        columns: how many the data has.

    Raises:
        BlankLineError: a blank line stands for a row whose fields are missing.
        RedshiftError: 0A000 for a blank line where it stands for an empty value.
    """
    return [_prepared(options, path, columns) for path in paths]


def _prepared(options: CopyOptions, path: Path, columns: int) -> Path:
    data = gzip.decompress(path.read_bytes()) if options.gzip else path.read_bytes()
    changed = _blank_lines(options, path, data, columns) if options.format != "json" else data
    if options.acceptinvchars is not None:
        changed = changed.decode(errors="replace").replace("\ufffd", options.acceptinvchars).encode()
    if options.escape:
        changed = _as_csv(changed.decode(), options).encode()
    if changed is data:
        return path
    target = path.with_name(f"{path.name}.plain{'.gz' if options.gzip else ''}")
    target.write_bytes(gzip.compress(changed) if options.gzip else changed)
    return target


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
                raise BlankLineError(path, number)
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
