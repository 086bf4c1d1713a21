"""Queries that the engine would run and Redshift refuses, found on the syntax tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlglot import exp

from .errors import RedshiftError, syntax_error

# Window functions that rank or look at another row; every other one aggregates its frame.
_RANKING = (
    exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile, exp.Lag, exp.Lead,
)  # fmt: skip


def refuse(tree: exp.Expr) -> None:
    """Fails for what the manual says is not supported.

    Args:
        tree: of Redshift's SQL.

    Raises:
        RedshiftError: 0A000, or 42601 for a clause that Redshift does not know.
    """
    for node in tree.walk():
        rule = _RULES.get(type(node))
        if rule is not None:
            rule(node)


def _refusal(text: str) -> RedshiftError:
    return RedshiftError(text, "0A000")


def _window(node: exp.Expr) -> None:
    """An aggregate over an order needs its frame (r_Window_function_synopsis), and is never of DISTINCT."""
    function = node.this
    while isinstance(function, exp.IgnoreNulls | exp.RespectNulls):
        function = function.this
    if isinstance(function, _RANKING):
        return
    if isinstance(function.this, exp.Distinct):
        raise _refusal("DISTINCT is not supported in window functions")
    if node.args.get("order") and not node.args.get("spec"):
        raise _refusal("Aggregate window functions with an ORDER BY clause require a frame clause")


def _column(node: exp.Expr) -> None:
    """The correlations that r_correlated_subqueries lists, of columns that name their table."""
    if not node.text("table"):
        return
    blocks = list(_blocks(node))
    if len(blocks) < 2:
        return
    level = next((n for n, block in enumerate(blocks) if node.text("table").lower() in _sources(block)), 0)
    if level == 0:
        return
    join = blocks[0].find_ancestor(exp.Join, exp.Select)
    windows = (window for window in blocks[0].find_all(exp.Window))
    if (
        level > 1
        or (isinstance(join, exp.Join) and join.side)
        or any(next(_blocks(window)) is blocks[0] for window in windows)
    ):
        raise _refusal("This type of correlated subquery pattern is not supported yet")


def _blocks(node: exp.Expr) -> Iterator[exp.Select]:
    """The queries around a node, from the inside out."""
    block = node.find_ancestor(exp.Select)
    while block is not None:
        yield block
        block = block.find_ancestor(exp.Select)


def _sources(block: exp.Select) -> set[str]:
    sources = block.find_all(exp.Table, exp.Subquery)
    return {source.alias_or_name.lower() for source in sources if next(_blocks(source)) is block}


def _distinct(node: exp.Expr) -> None:
    if node.args.get("on"):
        raise _refusal("SELECT DISTINCT ON is not supported")


def _set_operation(node: exp.Expr) -> None:
    if not node.args.get("distinct"):
        raise _refusal(f"{node.key.upper()} ALL is not supported")


def _unknown_clause(node: exp.Expr) -> None:
    raise syntax_error(node.key)


_RULES: dict[type[exp.Expr], Callable[[exp.Expr], None]] = {
    exp.Window: _window,
    exp.Column: _column,
    exp.Distinct: _distinct,
    exp.Intersect: _set_operation,
    exp.Except: _set_operation,
    exp.Filter: _unknown_clause,
    exp.Returning: _unknown_clause,
}
