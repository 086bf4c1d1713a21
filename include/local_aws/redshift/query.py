"""Statements that sqlglot reads: SELECT, INSERT, UPDATE, DELETE, MERGE and what they need from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import duckdb
from sqlglot import exp

from . import backends, relations
from .column_names import name_columns
from .dialect import parse, render, translate
from .errors import RedshiftError, not_supported
from .expression_types import ExpressionTypes
from .statement import Statement, outside_parentheses
from .types import Column, DataType, Result

if TYPE_CHECKING:
    from .session import Session


def prepare(session: Session, tree: exp.Expr) -> str:
    """DuckDB text of a Redshift tree, with external tables, system views and late-binding views put in.

    Args:
        session: whose names and values apply.
        tree: from :func:`dialect.parse`; it is changed.
    """
    ExpressionTypes(session).mark_divisions(tree)
    translated = translate(tree, session.functions())
    return render(relations.resolve(session, translated))


def select(session: Session, statement: Statement) -> Result:
    """SELECT, WITH and VALUES."""
    text, types, calls = _select_sql(session, statement)
    cursor = session.run(text)
    columns = _declared(result_columns(cursor), types)
    rows = cursor.fetchall()
    for number, function in calls.items():
        rows = [
            (*row[:number], backends.call(session, function, row[number]), *row[number + 1 :]) for row in rows
        ]
    return Result("SELECT", columns, rows, len(rows))


def describe_select(session: Session, statement: Statement) -> tuple[Column, ...]:
    """The columns SELECT would give."""
    text, types, _ = _select_sql(session, statement)
    return _declared(describe(session, text), types)


def describe(session: Session, duckdb_sql: str) -> tuple[Column, ...]:
    """Result columns of DuckDB SQL without running it."""
    rows = session.cursor.execute(f"describe {duckdb_sql}").fetchall()
    return tuple(DataType.of_duckdb(row[1]).column(row[0].lower()) for row in rows)


def _select_sql(session: Session, statement: Statement) -> tuple[str, list[DataType | None], dict[int, str]]:
    tree = parse(statement.text)
    types = ExpressionTypes(session).of_columns(tree)
    name_columns(tree)
    calls = backends.calls(tree)
    return prepare(session, tree), types, calls


def _declared(columns: tuple[Column, ...], types: Sequence[DataType | None]) -> tuple[Column, ...]:
    """Columns with what the declarations know better than the engine: lengths, CHAR, the width of a sum."""
    if len(types) != len(columns):
        return columns
    return tuple(
        kind.column(column.name) if kind is not None and _refines(column, kind) else column
        for column, kind in zip(columns, types, strict=True)
    )


def _refines(column: Column, kind: DataType) -> bool:
    pair = (column.type, kind.name)
    return column.type == kind.name or pair in {("varchar", "bpchar"), ("int8", "numeric"), ("int8", "int4")}


def result_columns(cursor: duckdb.DuckDBPyConnection) -> tuple[Column, ...]:
    """Redshift's columns of DuckDB's result."""
    return tuple(
        DataType.of_duckdb(str(item[1])).column(item[0].lower()) for item in cursor.description or ()
    )


def explain(session: Session, statement: Statement) -> Result:
    """EXPLAIN: the engine's plan, which is DuckDB's."""
    sql = statement.after(statement.tokens[0])
    text = prepare(session, parse(sql))
    plan = session.run(f"explain {text}").fetchall()[0][1]
    rows = [(line,) for line in plan.splitlines()]
    return Result("EXPLAIN", (Column("QUERY PLAN", "varchar", length=65535),), rows, len(rows))


def insert(session: Session, statement: Statement) -> Result:
    """INSERT ... VALUES and INSERT ... SELECT."""
    tree = parse(statement.text)
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    table = relations.target(session, target)
    given = [item.name.lower() for item in tree.this.expressions] if isinstance(tree.this, exp.Schema) else []
    _refuse_identity(tree, given or [column.name for column in table.definition.columns], table)
    target.replace(table.node())
    return _changed(session, "INSERT", tree)


def _refuse_identity(tree: exp.Expr, given: list[str], table: relations.Table) -> None:
    always = {column.name for column in table.definition.columns if column.identity_always}
    if always & set(given) and not tree.args.get("default"):
        raise RedshiftError("cannot set an identity column to a value", "0A000")


def update(session: Session, statement: Statement) -> Result:
    """UPDATE, with or without FROM."""
    tree = parse(statement.text)
    _replace_target(session, tree.this)
    return _changed(session, "UPDATE", tree)


def delete(session: Session, statement: Statement) -> Result:
    """DELETE, with or without FROM and USING."""
    text = statement.text
    verb = next(token for token in outside_parentheses(statement.tokens) if token.value == "delete")
    following = next((token.value for token in statement.tokens if token.start > verb.start), "")
    if following != "from":
        # Redshift's FROM is optional here.
        text = f"{text[: verb.end]} from {statement.after(verb)}"
    tree = parse(text)
    _replace_target(session, tree.this)
    return _changed(session, "DELETE", tree)


def _replace_target(session: Session, node: exp.Expr) -> relations.Table:
    table = relations.target(session, node)
    _drop_schema(node, table)
    node.replace(table.node(alias=node.alias or table.name))
    return table


def _drop_schema(node: exp.Expr, table: relations.Table) -> None:
    """Names of the form schema.table.column lose the schema: the target goes by its alias."""
    for column in node.root().find_all(exp.Column):
        if column.text("db").lower() == table.schema and column.table.lower() == table.name:
            column.set("db", None)


def _changed(session: Session, tag: str, tree: exp.Expr) -> Result:
    row = session.run_tree(tree).fetchone()
    return Result(tag, None, [], int(row[0]) if row else 0)


def merge(session: Session, statement: Statement) -> Result:
    """MERGE; a target row that several source rows match is an error, as in Redshift."""
    words = [token.value for token in statement.tokens[-2:]]
    if words == ["remove", "duplicates"]:
        return _merge_remove_duplicates(session, statement)
    tree = parse(statement.text)
    whens = tree.args["whens"].expressions
    if {bool(when.args.get("matched")) for when in whens} != {True, False} or len(whens) != 2:
        raise RedshiftError("MERGE needs one WHEN MATCHED and one WHEN NOT MATCHED clause", "42601")
    _refuse_duplicate_matches(session, tree)
    _replace_target(session, tree.this)
    return _changed(session, "MERGE", tree)


def _refuse_duplicate_matches(session: Session, tree: exp.Expr) -> None:
    table = relations.target(session, tree.this)
    _drop_schema(tree.this, table)
    alias = tree.this.alias or tree.this.name
    probe = (
        exp.select("1")
        .from_(table.node(alias=alias.lower()))
        .join(tree.args["using"].copy(), on=tree.args["on"].copy())
        .group_by(exp.column("rowid", table=alias.lower()))
        .having("count(*) > 1")
        .limit(1)
    )
    if session.run_tree(probe).fetchone():
        raise RedshiftError("Found multiple matches to update the same tuple.", "21000")


def _merge_remove_duplicates(session: Session, statement: Statement) -> Result:
    """MERGE ... REMOVE DUPLICATES: matched rows of the target give way to the source's distinct rows."""
    tree = parse(statement.text[: statement.tokens[-2].start] + " when matched then delete")
    table = relations.target(session, tree.this)
    source, condition = tree.args["using"], tree.args["on"]
    alias = tree.this.alias or table.name
    matched = exp.Delete(
        this=table.node(alias=alias), using=[source.copy()], where=exp.Where(this=condition.copy())
    )
    session.run_tree(matched)
    rows = exp.Insert(this=table.node(), expression=exp.select("*").distinct().from_(source.copy()))
    return _changed(session, "MERGE", rows)


def query_columns(session: Session, sql: str) -> tuple[str, tuple[Column, ...]]:
    """DuckDB text of a query and its columns, for CREATE TABLE AS and UNLOAD.

    Raises:
        RedshiftError: 0A000 when it is no query.
    """
    tree = parse(sql)
    while isinstance(tree, exp.Subquery) and not tree.alias:
        tree = tree.this
    if not isinstance(tree, exp.Query):
        raise not_supported(sql)
    types = ExpressionTypes(session).of_columns(tree)
    name_columns(tree)
    text = prepare(session, tree)
    return text, _declared(describe(session, text), types)


def scalar(cursor: duckdb.DuckDBPyConnection) -> Any:
    """The only value of a result."""
    row = cursor.fetchone()
    return row[0] if row else None
