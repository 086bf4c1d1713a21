"""Redshift types of expressions, from the declarations of the tables they read.

The engine types a division of decimals as a double and forgets lengths; Redshift's rules are worked out here.
What is not known stays unknown: the engine's own type is then used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlglot import exp

from . import relations
from .errors import RedshiftError
from .types import DataType

if TYPE_CHECKING:
    from .session import Session

_INTEGERS = {"int2": 5, "int4": 10, "int8": 19}
_SAME = (
    exp.Alias, exp.Paren, exp.Window, exp.Filter, exp.Neg, exp.Min, exp.Max, exp.AnyValue, exp.FirstValue,
    exp.LastValue, exp.Lag, exp.Lead, exp.Abs, exp.Nullif, exp.IgnoreNulls, exp.Distinct,
)  # fmt: skip


class ExpressionTypes:
    """Types of the expressions of one statement.

    Args:
        session: whose tables the statement reads.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._tables: dict[tuple[str, str], relations.Table | None] = {}
        self._asked: set[tuple[int, str]] = set()
        self._starred: set[int] = set()

    def mark_divisions(self, tree: exp.Expr) -> None:
        """Notes on each division of decimals the precision and scale that Redshift gives it."""
        for node in tree.find_all(exp.Div):
            found = self.of(node)
            if found is not None and found.name == "numeric":
                node.meta["numeric"] = (found.precision, found.scale)

    def of_columns(self, tree: exp.Expr) -> list[DataType | None]:
        """Types of the columns of a query; empty when it has a star."""
        query = tree
        while isinstance(query, exp.Subquery):
            query = query.this
        if isinstance(query, exp.SetOperation):
            sides = self.of_columns(query.this), self.of_columns(query.expression)
            return [_common(list(pair)) for pair in zip(*sides, strict=False)]
        if not isinstance(query, exp.Select):
            return []
        if len(query.expressions) == 1 and isinstance(query.expressions[0], exp.Star):
            return self._of_star(query)
        if query.is_star:
            return []
        return [self.of(item) for item in query.expressions]

    def _of_star(self, query: exp.Select) -> list[DataType | None]:
        sources = list(_sources(query))
        if len(sources) != 1:
            return []
        source = sources[0]
        cte = _cte(source, source.name.lower()) if isinstance(source, exp.Table) else None
        inner = cte or source
        if isinstance(inner, exp.CTE | exp.Subquery) and id(inner) not in self._starred:
            # A recursive query asks for itself.
            self._starred.add(id(inner))
            alias = inner.args.get("alias")
            return [] if alias is not None and alias.args.get("columns") else self.of_columns(inner.this)
        if not isinstance(source, exp.Table) or cte is not None:
            return []
        table = self._table(source)
        return [column.type for column in table.definition.columns] if table else []

    def of(self, node: exp.Expr | None) -> DataType | None:  # noqa: PLR0911 - one line a kind of expression
        """The type of an expression; None where it is not known."""
        if isinstance(node, exp.Column):
            return self._column(node)
        if isinstance(node, exp.Distinct):
            return self.of(node.expressions[0])
        if isinstance(node, _SAME):
            return self.of(node.this)
        if isinstance(node, exp.Cast):
            return _written(node.to)
        if isinstance(node, exp.Literal):
            return _literal(node)
        if isinstance(node, exp.Count):
            return DataType("int8")
        if isinstance(node, exp.Sum | exp.Avg):
            return _total(self.of(node.this), average=isinstance(node, exp.Avg))
        if isinstance(node, exp.Coalesce):
            return _common([self.of(part) for part in (node.this, *node.expressions)])
        if isinstance(node, exp.Case):
            branches = [branch.args["true"] for branch in node.args["ifs"]] + [node.args.get("default")]
            return _common([self.of(b) for b in branches if b is not None and not isinstance(b, exp.Null)])
        if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Div):
            return _computed(node, self.of(node.this), self.of(node.expression))
        return None

    def _column(self, node: exp.Column) -> DataType | None:
        name, table = node.name.lower(), node.table.lower()
        select = node.find_ancestor(exp.Select)
        while select is not None:
            for source in _sources(select):
                if (not table or source.alias_or_name.lower() == table) and (found := self._of(source, name)):
                    return found
            select = select.find_ancestor(exp.Select)
        return None

    def _of(self, source: exp.Expr, name: str) -> DataType | None:
        """The type of a column of a source of FROM."""
        if isinstance(source, exp.Subquery):
            return self._of_query(source.this, name)
        if not isinstance(source, exp.Table):
            return None
        cte = None if source.text("db") else _cte(source, source.name.lower())
        if cte is not None:
            return None if cte.args["alias"].args.get("columns") else self._of_query(cte.this, name)
        table = self._table(source)
        column = table.definition.names.get(name) if table else None
        return column.type if column else None

    def _of_query(self, query: exp.Expr, name: str) -> DataType | None:
        key = (id(query), name)
        if key in self._asked:
            # A recursive query asks for itself.
            return None
        self._asked.add(key)
        try:
            if isinstance(query, exp.SetOperation):
                return _common([self._of_query(query.this, name), self._of_query(query.expression, name)])
            if not isinstance(query, exp.Select):
                return None
            for item in query.expressions:
                if item.alias_or_name.lower() == name:
                    return self.of(item)
            if query.is_star:
                found = [self._of(source, name) for source in _sources(query)]
                return next((kind for kind in found if kind), None)
            return None
        finally:
            self._asked.discard(key)

    def _table(self, node: exp.Table) -> relations.Table | None:
        key = (node.text("db").lower(), node.name.lower())
        if key not in self._tables:
            self._tables[key] = relations.find_table(self._session, *key)
        return self._tables[key]


def _sources(select: exp.Select) -> Iterator[exp.Expr]:
    start = select.args.get("from_")
    if start is not None:
        yield start.this
    for join in select.args.get("joins") or []:
        yield join.this


def _cte(node: exp.Expr, name: str) -> exp.CTE | None:
    parent = node.parent
    while parent is not None:
        for cte in (parent.args.get("with_") or exp.With(expressions=[])).expressions:
            if cte.alias.lower() == name and isinstance(cte, exp.CTE):
                return cte
        parent = parent.parent
    return None


def _written(kind: exp.Expr) -> DataType | None:
    try:
        return DataType.parse(kind.sql(dialect="redshift"))
    except RedshiftError:
        return None


def _literal(node: exp.Literal) -> DataType | None:
    if node.is_string:
        return None
    whole, point, decimals = node.name.partition(".")
    if point and (whole + decimals).isdigit():
        return DataType("numeric", precision=len(whole.lstrip("0") + decimals), scale=len(decimals))
    if not whole.isdigit():
        return None
    return DataType("int4" if int(whole) < 2**31 else "int8")


def _total(kind: DataType | None, *, average: bool) -> DataType | None:
    """SUM and AVG: INT8 of integers, though SUM of INT8 is NUMERIC(38,0); NUMERIC(38,s) of numerics."""
    if kind is None or kind.name not in {*_INTEGERS, "numeric", "float4", "float8"}:
        return None
    if kind.name in _INTEGERS:
        return DataType("numeric", precision=38) if kind.name == "int8" and not average else DataType("int8")
    return (
        DataType("numeric", precision=38, scale=kind.scale) if kind.name == "numeric" else DataType("float8")
    )


def _common(kinds: list[DataType | None]) -> DataType | None:
    first = kinds[0]
    if first is not None and all(kind == first for kind in kinds):
        return first
    texts = [kind for kind in kinds if kind is not None and kind.length]
    if texts and len(texts) == len(kinds):
        name = "bpchar" if all(kind.name == "bpchar" for kind in texts) else "varchar"
        return DataType(name, length=max(kind.length for kind in texts))
    numbers = [_as_numeric(kind) for kind in kinds]
    if not numbers or any(number is None for number in numbers):
        return None
    known = [kind for kind in kinds if kind is not None]
    if all(kind.name in _INTEGERS for kind in known):
        return max(known, key=lambda kind: _INTEGERS[kind.name])
    scale = max(number.scale for number in numbers if number)
    whole = max(number.precision - number.scale for number in numbers if number)
    return DataType("numeric", precision=min(38, whole + scale), scale=scale)


def _as_numeric(kind: DataType | None) -> DataType | None:
    if kind is None or kind.name == "numeric":
        return kind
    return DataType("numeric", precision=_INTEGERS[kind.name]) if kind.name in _INTEGERS else None


def _computed(node: exp.Expr, left: DataType | None, right: DataType | None) -> DataType | None:
    """Redshift's precision and scale of computed decimals (its guide, "Computations with numeric values")."""
    a, b = _as_numeric(left), _as_numeric(right)
    if left is None or right is None or a is None or b is None:
        return None
    if left.name in _INTEGERS and right.name in _INTEGERS:
        return max(left, right, key=lambda kind: _INTEGERS[kind.name])
    if isinstance(node, exp.Mul):
        scale, precision = a.scale + b.scale, a.precision + b.precision + 1
    elif isinstance(node, exp.Div):
        scale = max(4, a.scale + b.precision - b.scale + 1)
        precision = a.precision - a.scale + b.scale + scale
    else:
        scale = max(a.scale, b.scale)
        precision = max(a.precision - a.scale, b.precision - b.scale) + 1 + scale
    if precision > 38:
        scale = max(38 + scale - precision, min(4, max(a.scale, b.scale)))
    return DataType("numeric", precision=min(38, precision), scale=min(38, scale))
