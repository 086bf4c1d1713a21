"""Reads COPY: every option by name; one that is not known is an error."""

from __future__ import annotations

from dataclasses import dataclass, field

from .errors import RedshiftError, not_supported, syntax_error
from .records import statement_log
from .statement import Statement, TokenReader


@dataclass
class CopyOptions:
    """COPY as it was written; the attributes carry the options' names.

    Attributes:
        schema: of the target, empty when not given.
        table: the target.
        columns: column list, empty when not given.
        source: S3 prefix or, with MANIFEST, the manifest.
        format: ``text``, ``csv``, ``json`` or ``parquet``.
    """

    schema: str
    table: str
    columns: list[str]
    source: str
    format: str = "text"
    delimiter: str = "|"
    quote: str = '"'
    jsonpaths: str = "auto"
    gzip: bool = False
    manifest: bool = False
    ignoreheader: int = 0
    null_as: str = "\\N"
    dateformat: str = "auto"
    timeformat: str = "auto"
    emptyasnull: bool = False
    blanksasnull: bool = False
    truncatecolumns: bool = False
    trimblanks: bool = False
    fillrecord: bool = False
    removequotes: bool = False
    escape: bool = False
    explicit_ids: bool = False
    ignoreblanklines: bool = False
    acceptanydate: bool = False
    maxerror: int = 0
    acceptinvchars: str | None = None
    iam_role: str = ""
    given: set[str] = field(default_factory=set)


_FLAGS = {
    "gzip", "manifest", "emptyasnull", "blanksasnull", "truncatecolumns", "trimblanks", "fillrecord",
    "removequotes", "escape", "explicit_ids", "ignoreblanklines", "acceptanydate",
}  # fmt: skip
# Statistics, compression analysis and the S3 region change nothing about what is loaded here.
_WITHOUT_EFFECT = {"statupdate", "compupdate", "region", "comprows"}


def parse_copy(statement: Statement) -> CopyOptions:
    """Reads COPY.

    Raises:
        RedshiftError: 42601 for a syntax error, 0A000 for an option that is not supported locally.
    """
    reader = TokenReader(statement)
    reader.expect("copy")
    schema, table = reader.name()
    columns = reader.names() if reader.peek.value == "(" else []
    reader.expect("from")
    source = reader.string()
    if not source.startswith("s3://"):
        raise not_supported(f"copy from '{source}'")
    options = CopyOptions(schema, table, columns, source)
    while not reader.at_end:
        _option(reader, options)
    if not options.iam_role:
        raise RedshiftError("COPY needs credentials: give IAM_ROLE 'arn' or IAM_ROLE default", "42601")
    _check(options)
    return options


def _option(reader: TokenReader, options: CopyOptions) -> None:
    if reader.accept("format"):
        reader.accept("as")
        if reader.peek.value not in {"parquet", "csv", "json", "delimited"}:
            raise not_supported(f"format {reader.peek_text} in {reader.statement.text}")
    name = reader.peek.value if reader.peek.kind == "word" else ""
    options.given.add(name)
    if name in _FLAGS:
        reader.take()
        setattr(options, name, True)
    elif name in _WITHOUT_EFFECT:
        reader.take()
        statement_log.info("COPY option %s has no effect locally", name.upper())
        reader.accept("as")
        if (
            name == "region"
            or reader.peek.value in {"on", "off", "true", "false", "preset"}
            or name == "comprows"
        ):
            reader.take()
    elif name in _VALUES:
        reader.take()
        reader.accept("as")
        _VALUES[name](reader, options)
    elif name:
        raise not_supported(f"copy option {name} in {reader.statement.text}")
    else:
        raise syntax_error(reader.peek_text)


def _iam_role(reader: TokenReader, options: CopyOptions) -> None:
    options.iam_role = "default" if reader.accept("default") else reader.string()


def _credentials(reader: TokenReader, options: CopyOptions) -> None:
    options.iam_role = reader.string()


def _parquet(_: TokenReader, options: CopyOptions) -> None:
    options.format = "parquet"


def _csv(reader: TokenReader, options: CopyOptions) -> None:
    options.format = "csv"
    if "delimiter" not in options.given:
        options.delimiter = ","
    if reader.accept("quote"):
        reader.accept("as")
        options.quote = reader.string()


def _json(reader: TokenReader, options: CopyOptions) -> None:
    options.format = "json"
    options.jsonpaths = reader.string() if reader.peek.kind == "string" else "auto"


def _delimiter(reader: TokenReader, options: CopyOptions) -> None:
    options.delimiter = reader.string().replace("\\t", "\t")


def _null(reader: TokenReader, options: CopyOptions) -> None:
    options.null_as = reader.string()


def _quote(reader: TokenReader, options: CopyOptions) -> None:
    options.quote = reader.string()


def _ignoreheader(reader: TokenReader, options: CopyOptions) -> None:
    options.ignoreheader = reader.number()


def _maxerror(reader: TokenReader, options: CopyOptions) -> None:
    options.maxerror = reader.number()


def _dateformat(reader: TokenReader, options: CopyOptions) -> None:
    options.dateformat = reader.string()


def _timeformat(reader: TokenReader, options: CopyOptions) -> None:
    options.timeformat = reader.string()


def _acceptinvchars(reader: TokenReader, options: CopyOptions) -> None:
    options.acceptinvchars = reader.string() if reader.peek.kind == "string" else "?"


def _tsv(_: TokenReader, options: CopyOptions) -> None:
    options.delimiter = "\t"


_VALUES = {
    "iam_role": _iam_role,
    "credentials": _credentials,
    "parquet": _parquet,
    "csv": _csv,
    "json": _json,
    "delimited": lambda *_: None,
    "delimiter": _delimiter,
    "null": _null,
    "quote": _quote,
    "ignoreheader": _ignoreheader,
    "maxerror": _maxerror,
    "dateformat": _dateformat,
    "timeformat": _timeformat,
    "acceptinvchars": _acceptinvchars,
    "tsv": _tsv,
}


# What a format does not go with: Redshift's guide lists it for JSON and CSV, for Parquet what is allowed.
_EXCLUDED = {
    "parquet": {
        "delimiter", "null", "quote", "ignoreheader", "maxerror", "dateformat", "timeformat",
        "acceptinvchars", "gzip", "emptyasnull", "blanksasnull", "truncatecolumns", "trimblanks",
        "removequotes", "escape", "ignoreblanklines", "acceptanydate",
    },
    "json": {
        "delimiter", "escape", "fillrecord", "ignoreblanklines", "null", "quote", "removequotes",
        "ignoreheader",
    },
    "csv": {"escape", "removequotes"},
    "text": {"quote"},
}  # fmt: skip


def _check(options: CopyOptions) -> None:
    wrong = options.given & _EXCLUDED[options.format]
    if wrong:
        name, shown = min(wrong).upper(), options.format.upper()
        raise RedshiftError(f"{name} argument is not supported for {shown} based COPY", "0A000")
    if options.format == "parquet" and options.fillrecord:
        raise not_supported("copy of parquet with fillrecord")
    if len(options.delimiter) != 1:
        raise RedshiftError("COPY delimiter must be a single ASCII character", "0A000")
