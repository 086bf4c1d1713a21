"""What a name in a statement stands for: a table, a view, an external table or a system view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from . import catalog, dialect, spectrum_scan
from .errors import RedshiftError
from .functions import INTERNAL
from .spectrum_catalog import external_schemas
from .table_definition import ColumnDefinition, TableDefinition, quote
from .types import DataType

if TYPE_CHECKING:
    from .session import Session


@dataclass(frozen=True)
class Table:
    """A table of the database or of the session.

    Attributes:
        schema: its schema; for a temporary table the session's own.
        name: its name.
        temporary: whether it belongs to the session.
        definition: how it was declared.
    """

    schema: str
    name: str
    temporary: bool
    definition: TableDefinition

    @property
    def sql(self) -> str:
        """Its quoted name for DuckDB."""
        return (
            f"temp.main.{quote(self.name)}" if self.temporary else f"{quote(self.schema)}.{quote(self.name)}"
        )

    def node(self, alias: str = "") -> exp.Table:
        """Its name as a node of a syntax tree."""
        if self.temporary:
            node = exp.table_(self.name, db="main", catalog="temp", quoted=True)
        else:
            node = exp.table_(self.name, db=self.schema, quoted=True)
        if alias:
            node.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
        return node


# What the engine keeps for itself is no table to any statement.
_FIND = f"""
    select schema_name, temporary, comment from duckdb_tables()
    where table_name = ? and schema_name <> '{INTERNAL}' and (
      (database_name = 'temp' and schema_name = 'main') or (database_name = ? and schema_name in ({{}})))
"""


def find_table(session: Session, schema: str, name: str) -> Table | None:
    """Looks a table up as the session sees it: temporary tables first, then along the search path.

    Args:
        session: whose temporary tables and search path apply.
        schema: empty to search.
        name: in lower case.
    """
    path = [schema] if schema else session.search_path
    listed = ", ".join("'" + part.replace("'", "''") + "'" for part in path)
    # Literals and not parameters: DuckDB imports pandas for the first bound parameter.
    text = _FIND.replace("?", "'{}'", 2).format(
        name.replace("'", "''"), session.database.name.replace("'", "''"), listed
    )
    found = {("" if row[1] else row[0]): row for row in session.run(text).fetchall()}
    if not schema and "" in found:
        return _table(session, "", name, found[""][2])
    for part in path:
        if part in found:
            return _table(session, part, name, found[part][2])
    return None


def _table(session: Session, schema: str, name: str, comment: str | None) -> Table:
    if comment:
        return Table(schema, name, not schema, TableDefinition.from_comment(comment))
    place = f"{quote(schema)}.{quote(name)}" if schema else f"temp.main.{quote(name)}"
    rows = session.run(f"describe {place}").fetchall()
    columns = tuple(ColumnDefinition(row[0], DataType.of_duckdb(row[1])) for row in rows)
    return Table(schema, name, not schema, TableDefinition(columns))


def target(session: Session, node: exp.Expr) -> Table:
    """The table a statement writes to.

    Raises:
        RedshiftError: 42P01 when there is none, 0A000 for an external table or a view.
    """
    schema, name = node.text("db").lower(), node.name.lower()
    if schema in external_schemas(session):
        raise RedshiftError(f'cannot write to external table "{schema}"."{name}"', "0A000")
    return require_table(session, schema, name)


def require_table(session: Session, schema: str, name: str) -> Table:
    """Looks a table up as `find_table` does.

    Raises:
        RedshiftError: 42P01 when there is none.
    """
    table = find_table(session, schema, name)
    if table is None:
        raise no_relation(schema, name)
    return table


def no_relation(schema: str, name: str) -> RedshiftError:
    """The error for a name that stands for nothing."""
    return RedshiftError(
        f'relation "{schema}.{name}" does not exist' if schema else f'relation "{name}" does not exist',
        "42P01",
    )


def resolve(session: Session, tree: exp.Expr) -> exp.Expr:
    """Puts subqueries in place of external tables, system views and late-binding views.

    Args:
        session: whose catalog applies.
        tree: a translated tree; it is changed.
    """
    tables = list(tree.find_all(exp.Table))
    if not tables:
        return tree
    ctes = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    externals = external_schemas(session)
    views = late_views(session)
    for table in tables:
        schema, name = table.text("db").lower(), table.name.lower()
        if table.text("catalog").lower() == session.database.name:
            table.set("catalog", None)
        if not name or (not schema and name in ctes) or isinstance(table.parent, exp.Drop):
            continue
        replacement = _replacement(session, table, externals, views)
        if replacement is not None:
            _put(table, replacement)
        elif schema == INTERNAL:
            raise no_relation(schema, name)
    return tree


def _replacement(
    session: Session, table: exp.Table, externals: dict[str, str], views: dict[tuple[str, str], str]
) -> str | None:
    schema, name = table.text("db").lower(), table.name.lower()
    if schema in externals:
        return spectrum_scan.scan(session, externals[schema], schema, table)
    found = (schema, name)
    if not schema:
        found = next(((part, name) for part in session.search_path if (part, name) in views), found)
    if found in views and find_table(session, "", name) is None:
        tree = dialect.translate(dialect.parse(views[found]), session.functions())
        return dialect.render(resolve(session, tree))
    return catalog.system_view(session, schema, name)


def _put(table: exp.Table, text: str) -> None:
    query: exp.Expr = exp.maybe_parse(text, dialect="duckdb")
    alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(table.name, quoted=True))
    subquery = exp.Subquery(this=query, alias=alias.copy())
    schema = table.text("db")
    for part in ("joins", "pivots", "sample"):
        if table.args.get(part):
            subquery.set(part, table.args[part])
    select = table.find_ancestor(exp.Select)
    if schema and select is not None:
        # schema.table.column no longer has a schema to name
        for column in select.find_all(exp.Column):
            if column.text("db").lower() == schema.lower() and column.table.lower() == table.name.lower():
                column.set("db", None)
    table.replace(subquery)


def late_views(session: Session) -> dict[tuple[str, str], str]:
    """Redshift text of the views that look their tables up when they are used, by schema and name."""
    rows = session.run(
        f"select schema_name, name, query from {INTERNAL}.views where not materialized"
    ).fetchall()
    return {(row[0], row[1]): row[2] for row in rows}
