"""Reads UNLOAD: every option by name; one that is not known is an error."""

from __future__ import annotations

from dataclasses import dataclass, field

from .errors import RedshiftError, not_supported, syntax_error
from .records import statement_log
from .statement import Statement, TokenReader

_MB = 1024**2


@dataclass
class UnloadOptions:
    """UNLOAD as it was written; the attributes carry the options' names.

    Attributes:
        query: text of the query.
        target: S3 prefix of the files.
        format: ``text``, ``csv``, ``json`` or ``parquet``.
        maxfilesize: bytes after which a new file starts.
        encrypted_auto: whether the files get the bucket's default encryption instead of SSE-S3.
    """

    query: str
    target: str
    format: str = "text"
    delimiter: str = "|"
    null_as: str = ""
    header: bool = False
    manifest: bool = False
    verbose: bool = False
    parallel: bool = True
    allowoverwrite: bool = False
    cleanpath: bool = False
    addquotes: bool = False
    escape: bool = False
    gzip: bool = False
    encrypted_auto: bool = False
    extension: str = ""
    partition_by: list[str] = field(default_factory=list)
    include: bool = False
    maxfilesize: int = 6200 * _MB
    iam_role: str = ""
    given: set[str] = field(default_factory=set)


_FLAGS = {"header", "allowoverwrite", "cleanpath", "addquotes", "escape", "gzip"}


def parse_unload(statement: Statement) -> UnloadOptions:
    """Reads UNLOAD.

    Raises:
        RedshiftError: 42601 for a syntax error, 0A000 for an option or a combination Redshift refuses.
    """
    reader = TokenReader(statement)
    reader.expect("unload (")
    query = reader.string()
    reader.expect(")")
    reader.expect("to")
    options = UnloadOptions(query, reader.string())
    while not reader.at_end:
        _option(reader, options)
    if not options.iam_role:
        raise RedshiftError("UNLOAD needs credentials: give IAM_ROLE 'arn' or IAM_ROLE default", "42601")
    _check(options)
    return options


def _option(reader: TokenReader, options: UnloadOptions) -> None:  # noqa: C901, PLR0912 - one branch an option
    if reader.accept("format"):
        reader.accept("as")
        if reader.peek.value not in {"parquet", "csv", "json"}:
            raise not_supported(f"format {reader.peek_text} in {reader.statement.text}")
    name = reader.peek.value if reader.peek.kind == "word" else ""
    if not name:
        raise syntax_error(reader.peek_text)
    reader.take()
    options.given.add(name)
    if name in _FLAGS:
        setattr(options, name, True)
    elif name in {"parquet", "csv", "json"}:
        options.format = name
        if name == "csv" and "delimiter" not in options.given:
            options.delimiter = ","
    elif name in {"iam_role", "credentials"}:
        options.iam_role = "default" if reader.accept("default") else reader.string()
    elif name == "encrypted" and reader.accept("auto"):
        options.encrypted_auto = True
    elif name == "manifest":
        options.manifest, options.verbose = True, reader.accept("verbose")
    elif name == "parallel":
        options.parallel = not (reader.accept("off") or reader.accept("false"))
        _ = options.parallel and (reader.accept("on") or reader.accept("true"))
    elif name == "partition":
        reader.expect("by")
        options.partition_by = reader.names()
        options.include = reader.accept("include")
    elif name == "maxfilesize":
        options.maxfilesize = _size(reader)
    elif name in {"delimiter", "null", "extension", "region"}:
        reader.accept("as")
        value = reader.string()
        if name == "region":
            statement_log.info("UNLOAD option REGION has no effect locally")
        else:
            setattr(options, {"null": "null_as"}.get(name, name), value.replace("\\t", "\t"))
    else:
        raise not_supported(f"unload option {name} in {reader.statement.text}")


def _size(reader: TokenReader) -> int:
    reader.accept("as")
    number = float(reader.take().value)
    unit = 1024 * _MB if reader.accept("gb") else _MB
    reader.accept("mb")
    size = int(number * unit)
    if not 5 * _MB <= size <= 6200 * _MB:
        raise RedshiftError("MAXFILESIZE must be between 5 MB and 6.2 GB", "0A000")
    return size


def _check(options: UnloadOptions) -> None:
    if options.allowoverwrite and options.cleanpath:
        raise RedshiftError("ALLOWOVERWRITE and CLEANPATH cannot be used together", "0A000")
    if options.format == "parquet":
        wrong = options.given & {"header", "delimiter", "addquotes", "escape", "null", "gzip"}
        if wrong:
            raise RedshiftError(f"{min(wrong).upper()} is not supported for UNLOAD to PARQUET", "0A000")
    if options.format == "csv" and options.given & {"escape", "addquotes"}:
        raise RedshiftError("CSV is not compatible with ESCAPE or ADDQUOTES", "0A000")
    if options.format == "json" and options.given & {"header", "delimiter", "addquotes", "escape", "null"}:
        raise RedshiftError(
            "JSON is not compatible with HEADER, DELIMITER, ADDQUOTES, ESCAPE or NULL", "0A000"
        )
    if len(options.delimiter) != 1:
        raise RedshiftError("UNLOAD delimiter must be a single ASCII character", "0A000")
