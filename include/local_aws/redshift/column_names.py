"""The names Redshift gives to columns that a query leaves unnamed."""

from __future__ import annotations

from sqlglot import exp

# sqlglot's name of a function -> the name Redshift gives its column.
_NAMES = {
    "groupconcat": "listagg",
    "currenttimestamp": "getdate",
    "currentdate": "date",
    "tsordsadd": "date_add",
    "tsordsdiff": "date_diff",
    "timestamptrunc": "date_trunc",
    "extract": "date_part",
    "approxdistinct": "count",
}


def name_columns(tree: exp.Expr) -> None:
    """Gives unnamed columns of the outermost query the names Redshift gives them.

    Args:
        tree: a Redshift tree, before :func:`translate`; it is changed.
    """
    query = tree
    while isinstance(query, exp.SetOperation | exp.Subquery):
        query = query.this
    if not isinstance(query, exp.Select):
        return
    for item in query.expressions:
        if isinstance(item, exp.Alias | exp.Column | exp.Star | exp.Aliases):
            continue
        item.replace(exp.alias_(item.copy(), _column_name(item), quoted=True))


def _column_name(node: exp.Expr) -> str:  # noqa: PLR0911 - one line a kind of expression
    if isinstance(node, exp.Paren | exp.Window | exp.Filter | exp.WithinGroup):
        return _column_name(node.this)
    if isinstance(node, exp.Cast):
        inner = node.this
        if isinstance(inner, exp.Column):
            return inner.name.lower()
        kind = str(node.to.this.name)
        return {"INT": "int4", "BIGINT": "int8", "DECIMAL": "numeric"}.get(kind, kind.lower())
    if isinstance(node, exp.Column):
        return node.name.lower()
    if isinstance(node, exp.Case):
        return "case"
    if isinstance(node, exp.CurrentUser):
        return "current_user"
    if isinstance(node, exp.Subquery):
        inner = node.this.expressions[0] if node.this.expressions else None
        return inner.alias_or_name.lower() if inner is not None and inner.alias_or_name else "?column?"
    if isinstance(node, exp.Anonymous):
        return node.name.lower()
    if isinstance(node, exp.Func) and not isinstance(node, exp.Connector | exp.Binary):
        return _NAMES.get(node.key, node.sql_name().lower())
    return "?column?"
