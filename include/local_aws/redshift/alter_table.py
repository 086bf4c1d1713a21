"""ALTER TABLE: most changes make the table anew, because DuckDB cannot alter columns that are checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from . import tables
from .create_table import parse_column, read_encoding, read_type
from .errors import RedshiftError, not_supported
from .relations import Table, find_table, require_table
from .spectrum_catalog import alter_external_table, external_schemas
from .statement import Statement, TokenReader
from .table_definition import ColumnDefinition, quote
from .types import Result

if TYPE_CHECKING:
    from .session import Session


def alter_table(session: Session, statement: Statement) -> Result:
    """ALTER TABLE of a table or, for partitions, of an external table."""
    reader = TokenReader(statement)
    reader.expect("alter table")
    schema, name = reader.name()
    if schema in external_schemas(session):
        if session.transaction_status == "open":
            raise RedshiftError("ALTER EXTERNAL TABLE cannot run inside a transaction block", "25001")
        return alter_external_table(session, reader, schema, name)
    table = require_table(session, schema, name)
    for words, change in _CHANGES:
        if reader.accept(words):
            change(session, reader, table)
            reader.finish()
            return Result("ALTER TABLE", None, [], -1)
    raise not_supported(statement.text)


def _column(table: Table, name: str) -> ColumnDefinition:
    if name not in table.definition.names:
        raise RedshiftError(f'column "{name}" of relation "{table.name}" does not exist', "42703")
    return table.definition.names[name]


def _rebuild(
    session: Session, table: Table, columns: Sequence[ColumnDefinition], source: Sequence[str]
) -> None:
    """Makes the table anew with other columns and moves its rows.

    Args:
        session: where it runs.
        table: as it is.
        columns: the new ones.
        source: an expression over the old table for each new column.
    """
    old = replace(table, name=f"{table.name}$old")
    session.run(f"alter table {table.sql} rename to {quote(old.name)}")
    new = replace(table, definition=table.definition.with_columns(columns))
    tables.make_table(session, new)
    session.run(f"insert into {new.sql} select {', '.join(source)} from {old.sql}")
    session.run(f"drop table {old.sql}")


def _remember(session: Session, table: Table, **changes: object) -> None:
    definition = replace(table.definition, **changes)  # type: ignore[arg-type]  # names of the dataclass's own fields
    session.run(definition.comment(table.sql))


def _add_column(session: Session, reader: TokenReader, table: Table) -> None:
    if_not_exists = reader.accept("if not exists")
    column = parse_column(reader.rest())
    if column.name in table.definition.names:
        if if_not_exists:
            return
        raise RedshiftError(f'column "{column.name}" of relation "{table.name}" already exists', "42701")
    if not column.nullable and not column.default:
        raise RedshiftError(
            "ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression", "0A000"
        )
    if column.identity is not None:
        raise RedshiftError("ALTER TABLE ADD COLUMN cannot add an IDENTITY column", "0A000")
    kept = [quote(old.name) for old in table.definition.columns]
    _rebuild(session, table, [*table.definition.columns, column], [*kept, column.default or "null"])


def _drop_column(session: Session, reader: TokenReader, table: Table) -> None:
    name = reader.identifier()
    _ = reader.accept("cascade") or reader.accept("restrict")
    column = _column(table, name)
    if name in (table.definition.distkey, *table.definition.sortkey):
        raise RedshiftError(f'cannot drop column "{name}": it is a distribution or sort key', "0A000")
    kept = [old for old in table.definition.columns if old.name != name]
    _rebuild(session, table, kept, [quote(old.name) for old in kept])
    if column.sequence:
        session.run(f"drop sequence {column.sequence}")


def _rename_column(session: Session, reader: TokenReader, table: Table) -> None:
    old = reader.identifier()
    reader.expect("to")
    new = reader.identifier()
    _column(table, old)
    if new in table.definition.names:
        raise RedshiftError(f'column "{new}" of relation "{table.name}" already exists', "42701")
    session.run(f"alter table {table.sql} rename column {quote(old)} to {quote(new)}")
    _remember(
        session,
        table,
        columns=tuple(replace(c, name=new) if c.name == old else c for c in table.definition.columns),
        distkey=new if table.definition.distkey == old else table.definition.distkey,
        sortkey=tuple(new if key == old else key for key in table.definition.sortkey),
        primary_key=tuple(new if key == old else key for key in table.definition.primary_key),
    )


def _rename(session: Session, reader: TokenReader, table: Table) -> None:
    new = reader.identifier()
    if find_table(session, "" if table.temporary else table.schema, new) is not None:
        raise RedshiftError(f'Relation "{new}" already exists', "42P07")
    session.run(f"alter table {table.sql} rename to {quote(new)}")


def _alter_column(session: Session, reader: TokenReader, table: Table) -> None:
    column = _column(table, reader.identifier())
    if reader.accept("encode"):
        changed = replace(column, encoding=read_encoding(reader, column.type))
        _remember(session, table, columns=_with(table, changed))
        return
    reader.expect("type")
    kind = read_type(reader)
    if (kind.name, column.type.name) != ("varchar", "varchar"):
        raise RedshiftError(
            "target data type is not supported: only the length of a VARCHAR can be altered", "0A000"
        )
    changed = replace(column, type=kind)
    _rebuild(session, table, _with(table, changed), [quote(c.name) for c in table.definition.columns])


def _with(table: Table, changed: ColumnDefinition) -> tuple[ColumnDefinition, ...]:
    return tuple(changed if c.name == changed.name else c for c in table.definition.columns)


def _distkey(session: Session, reader: TokenReader, table: Table) -> None:
    name = reader.identifier()
    _column(table, name)
    _remember(session, table, diststyle="KEY", distkey=name)


def _diststyle(session: Session, reader: TokenReader, table: Table) -> None:
    if reader.accept("key distkey"):
        _distkey(session, reader, table)
        return
    style = reader.identifier().upper()
    if style not in {"ALL", "EVEN", "AUTO"}:
        raise not_supported(reader.statement.text)
    _remember(session, table, diststyle=style, distkey="")


def _sortkey(session: Session, reader: TokenReader, table: Table) -> None:
    if reader.accept("auto"):
        _remember(session, table, sortstyle="AUTO", sortkey=())
    elif reader.accept("none"):
        _remember(session, table, sortstyle="", sortkey=())
    else:
        names = reader.names()
        for name in names:
            _column(table, name)
        _remember(session, table, sortstyle="COMPOUND", sortkey=tuple(names))


def _append(session: Session, reader: TokenReader, table: Table) -> None:
    """ALTER TABLE APPEND moves another table's rows and, like TRUNCATE, commits at once."""
    schema, name = reader.name()
    fill_target = reader.accept("filltarget")
    ignore_extra = reader.accept("ignoreextra")
    source = require_table(session, schema, name)
    if session.transaction_status == "open":
        raise RedshiftError("ALTER TABLE APPEND cannot run inside a transaction block", "25001")
    wanted, given = table.definition.names, source.definition.names
    if (set(given) - set(wanted) and not ignore_extra) or (set(wanted) - set(given) and not fill_target):
        raise RedshiftError(f'columns of "{name}" and "{table.name}" do not match', "0A000")
    common = ", ".join(quote(name) for name in wanted if name in given)
    session.run(f"insert into {table.sql} ({common}) select {common} from {source.sql}")
    session.run(f"delete from {source.sql}")


def _add_constraint(session: Session, reader: TokenReader, table: Table) -> None:
    """Keys are informational in Redshift: they are remembered, never enforced."""
    if reader.accept("constraint"):
        reader.identifier()
    if reader.accept("primary key"):
        _remember(session, table, primary_key=tuple(reader.names()))
    elif reader.accept("unique"):
        _remember(session, table, unique=(*table.definition.unique, tuple(reader.names())))
    elif reader.accept("foreign key"):
        reader.names()
        reader.expect("references")
        reader.name()
        if reader.peek.value == "(":
            reader.names()
    else:
        _add_column(session, reader, table)


def _owner(_: Session, reader: TokenReader, __: Table) -> None:
    """One superuser owns everything here."""
    reader.identifier()


_CHANGES: Sequence[tuple[str, Callable[[Session, TokenReader, Table], None]]] = (
    ("add column", _add_column),
    ("add", _add_constraint),
    ("drop column", _drop_column),
    ("drop", _drop_column),
    ("rename column", _rename_column),
    ("rename to", _rename),
    ("alter column", _alter_column),
    ("alter distkey", _distkey),
    ("alter diststyle", _diststyle),
    ("alter compound sortkey", _sortkey),
    ("alter sortkey", _sortkey),
    ("append from", _append),
    ("owner to", _owner),
)
