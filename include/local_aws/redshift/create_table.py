"""Reads CREATE TABLE: sqlglot does not know all of Redshift's attributes, and we want to remember them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .dialect import expression_to_duckdb
from .errors import RedshiftError, not_supported, syntax_error
from .statement import Statement, Token, TokenReader, tokenize
from .table_definition import ColumnDefinition, TableDefinition
from .types import TYPE_NAMES, DataType

_ATTRIBUTES = {
    "default", "identity", "generated", "encode", "distkey", "sortkey", "not", "null", "unique", "primary",
    "references", "collate",
}  # fmt: skip
_INTEGERS = {"int2", "int4", "int8"}
_TIMES = {"date", "timestamp", "timestamptz"}
_EXACT = _INTEGERS | {"numeric"} | _TIMES
_TEXT = {"varchar", "bpchar"}
_ENCODED = _EXACT | _TEXT | {"float4", "float8", "bool"}
# The types of each encoding, c_Compression_encodings of Redshift's manual; it says nothing of other types.
_ENCODINGS = {
    "auto": _ENCODED,
    "raw": _ENCODED,
    "zstd": _ENCODED,
    "runlength": _ENCODED,
    "bytedict": _ENCODED - {"bool"},
    "lzo": _EXACT | _TEXT,
    "az64": _EXACT,
    "delta": _EXACT - {"timestamptz"},
    "delta32k": _EXACT - {"timestamptz", "int2"},
    "mostly8": _INTEGERS | {"numeric"},
    "mostly16": {"int4", "int8", "numeric"},
    "mostly32": {"int8", "numeric"},
    "text255": {"varchar"},
    "text32k": {"varchar"},
}


@dataclass(frozen=True)
class CreateTable:
    """CREATE TABLE as it was written.

    Attributes:
        schema: empty when not given.
        name: in lower case; ``#name`` for a temporary table.
        temporary: whether it belongs to the session.
        if_not_exists: whether an existing table is left alone.
        definition: columns and attributes; without columns for LIKE and CTAS.
        like: (schema, name, including defaults) of the parent.
        query: text of the query of CREATE TABLE AS.
        column_names: column names given to CREATE TABLE AS.
    """

    schema: str
    name: str
    temporary: bool
    if_not_exists: bool
    definition: TableDefinition
    like: tuple[str, str, bool] | None = None
    query: str = ""
    column_names: tuple[str, ...] = ()


def parse_create_table(statement: Statement) -> CreateTable:
    """Reads CREATE [TEMP] TABLE in its three forms.

    Args:
        statement: of kind ``create table``.
    """
    reader = TokenReader(statement)
    reader.expect("create")
    reader.accept("local")
    temporary = reader.accept("temp") or reader.accept("temporary")
    reader.expect("table")
    if_not_exists = reader.accept("if not exists")
    schema, name = reader.name()
    definition = TableDefinition(())
    like: tuple[str, str, bool] | None = None
    column_names: tuple[str, ...] = ()
    if reader.peek.value == "(" and not reader.accept("( select"):
        items = reader.group()
        if items and items[0][0].value == "like":
            like = _like(reader, items[0])
        elif all(len(item) == 1 for item in items):
            column_names = tuple(item[0].value for item in items)
        else:
            definition = _items(reader, items)
    definition = _table_attributes(reader, definition)
    query = ""
    if reader.accept("as"):
        query = reader.rest()
    elif not definition.columns and like is None:
        raise syntax_error(reader.peek_text)
    reader.finish()
    return CreateTable(
        schema, name, temporary or name.startswith("#"), if_not_exists, definition, like, query, column_names
    )


def parse_column(text: str) -> ColumnDefinition:
    """Reads one column definition, as ALTER TABLE ADD COLUMN has it."""
    reader = TokenReader(_fragment(text))
    definition = _items(reader, [list(reader.statement.tokens)])
    return definition.columns[0]


def _fragment(text: str) -> Statement:
    return Statement(text, tuple(tokenize(text)), "fragment")


def _like(reader: TokenReader, tokens: Sequence[Token]) -> tuple[str, str, bool]:
    part = TokenReader(_fragment(reader.text_of(tokens)))
    part.expect("like")
    schema, name = part.name()
    including = part.accept("including defaults")
    part.accept("excluding defaults")
    part.finish()
    return schema, name, including


def _items(reader: TokenReader, items: Sequence[Sequence[Token]]) -> TableDefinition:
    definition = TableDefinition(())
    for item in items:
        part = TokenReader(_fragment(reader.text_of(item)))
        if part.accept("constraint"):
            part.identifier()
        if part.accept("primary key"):
            definition = replace(definition, primary_key=tuple(part.names()))
        elif part.accept("unique"):
            definition = replace(definition, unique=(*definition.unique, tuple(part.names())))
        elif part.accept("foreign key"):
            part.names()
            _references(part)
        else:
            definition = _column(part, definition)
        part.finish()
    _refuse_duplicates([column.name for column in definition.columns])
    return definition.with_columns(
        [replace(c, nullable=c.nullable and c.name not in definition.primary_key) for c in definition.columns]
    )


def _refuse_duplicates(names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise RedshiftError(f'column "{name}" specified more than once', "42701")


def _references(part: TokenReader) -> None:
    part.expect("references")
    part.name()
    if part.peek.value == "(":
        part.names()


def _column(part: TokenReader, table: TableDefinition) -> TableDefinition:
    column = ColumnDefinition(part.identifier(), read_type(part))
    while not part.at_end:
        column, table = _column_attribute(part, column, table)
    return table.with_columns([*table.columns, column])


def _column_attribute(  # noqa: C901, PLR0912 - one branch an attribute of the grammar reads best in one place
    part: TokenReader, column: ColumnDefinition, table: TableDefinition
) -> tuple[ColumnDefinition, TableDefinition]:
    if part.accept("not null"):
        column = replace(column, nullable=False)
    elif part.accept("null"):
        pass
    elif part.accept("default"):
        column = replace(column, default=_default(part))
    elif part.accept("generated by default as identity"):
        column = replace(column, identity=_identity(part), nullable=False)
    elif part.accept("identity"):
        column = replace(column, identity=_identity(part), identity_always=True, nullable=False)
    elif part.accept("encode"):
        column = replace(column, encoding=read_encoding(part, column.type))
    elif part.accept("distkey"):
        table = replace(table, diststyle="KEY", distkey=column.name)
    elif part.accept("sortkey"):
        table = replace(table, sortkey=(*table.sortkey, column.name), sortstyle="COMPOUND")
    elif part.accept("unique"):
        table = replace(table, unique=(*table.unique, (column.name,)))
    elif part.accept("primary key"):
        table = replace(table, primary_key=(column.name,))
    elif part.accept("collate"):
        if part.identifier() not in {"case_sensitive", "cs"}:
            raise not_supported(f"collate in {part.statement.text}")
    elif part.peek.value == "references":
        _references(part)
    else:
        raise syntax_error(part.peek_text)
    return column, table


def read_encoding(part: TokenReader, kind: DataType) -> str:
    """Reads what follows ENCODE.

    Raises:
        RedshiftError: 42601 for an encoding that does not exist, 0A000 for one that is not of the type.
    """
    name = part.identifier()
    if name not in _ENCODINGS:
        raise RedshiftError(f'encoding "{name}" not recognized', "42601")
    if kind.name in _ENCODED and kind.name not in _ENCODINGS[name]:
        raise RedshiftError(f'invalid encoding type specified: "{name}" for {kind.name}', "0A000")
    return name


def _identity(part: TokenReader) -> tuple[int, int]:
    part.expect("(")
    seed = part.number()
    part.expect(",")
    step = part.number()
    part.expect(")")
    return seed, step


def _default(part: TokenReader) -> str:
    taken = [part.take()]
    depth = 1 if taken[0].value == "(" else 0
    while not part.at_end and (depth or part.peek.kind != "word" or part.peek.value not in _ATTRIBUTES):
        token = part.take()
        depth += {"(": 1, ")": -1}.get(token.value, 0) if token.kind == "symbol" else 0
        taken.append(token)
    return expression_to_duckdb(part.text_of(taken))


def read_type(part: TokenReader) -> DataType:
    """Reads a type of one word or several, with its length or precision."""
    words = [part.identifier()]
    while part.peek.kind == "word" and any(
        known.startswith(" ".join([*words, part.peek.value])) for known in TYPE_NAMES
    ):
        words.append(part.take().value)
    text = " ".join(words)
    if part.peek.value == "(":
        text += "(" + ",".join(part.text_of(item) for item in part.group()) + ")"
        # "timestamp(6) without time zone" and the like
        if part.accept("without time zone"):
            text = words[0]
    return DataType.parse(text)


def _table_attributes(reader: TokenReader, definition: TableDefinition) -> TableDefinition:
    while not reader.at_end and reader.peek.value != "as":
        if reader.accept("diststyle"):
            style = reader.identifier().upper()
            if style not in {"AUTO", "EVEN", "KEY", "ALL"}:
                raise syntax_error(style.lower())
            definition = replace(definition, diststyle=style)
        elif reader.accept("distkey"):
            definition = replace(definition, diststyle="KEY", distkey=reader.names()[0])
        elif reader.accept("sortkey auto"):
            definition = replace(definition, sortstyle="AUTO")
        elif reader.accept("interleaved sortkey"):
            definition = replace(definition, sortstyle="INTERLEAVED", sortkey=tuple(reader.names()))
        elif reader.accept("compound sortkey") or reader.accept("sortkey"):
            definition = replace(definition, sortstyle="COMPOUND", sortkey=tuple(reader.names()))
        elif reader.accept("backup"):
            definition = replace(definition, backup=reader.identifier() == "yes")
        elif not reader.accept("encode auto"):
            raise syntax_error(reader.peek_text)
    _check_keys(definition)
    return definition


def _check_keys(definition: TableDefinition) -> None:
    if not definition.columns:
        return
    for key in (definition.distkey, *definition.sortkey, *definition.primary_key):
        if key and key not in definition.names:
            raise RedshiftError(f'column "{key}" named in key does not exist', "42703")
    if definition.diststyle == "KEY" and not definition.distkey:
        raise RedshiftError("must specify a DISTKEY column when DISTSTYLE is KEY", "42601")
