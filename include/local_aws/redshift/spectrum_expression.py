"""Conditions on partition columns, as the Glue catalog takes them to leave partitions out of its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from .types import DataType

_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
}


def partition_expression(conditions: Sequence[exp.Expr], keys: Mapping[str, DataType]) -> str:
    """What GetPartitions takes as `Expression`, which leaves out no partition that the conditions keep.

    A condition that Glue's grammar lacks, such as a function, is not in it: whoever asks judges the answer.
    See https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html for the grammar.

    Args:
        conditions: Conditions on partition columns alone; all of them must hold.
        keys: The partition columns' types by name.

    Returns:
        The expression; "" when Glue can judge none of them.
    """
    return " and ".join(f"({text})" for condition in conditions if (text := _written(condition, keys)))


def _written(condition: exp.Expr, keys: Mapping[str, DataType]) -> str:
    plain = condition.unnest()
    if isinstance(plain, exp.Or):
        sides = [_written(plain.left, keys), _written(plain.right, keys)]
        return " or ".join(f"({side})" for side in sides) if all(sides) else ""
    if isinstance(plain, exp.And):
        return partition_expression([plain.left, plain.right], keys)
    if not isinstance(plain.this, exp.Column):
        return ""
    name = plain.this.name.lower()
    if operator := _COMPARISONS.get(type(plain)):
        values, text = [plain.expression], f"{name} {operator} {{}}"
    elif isinstance(plain, exp.Between):
        values, text = [plain.args["low"], plain.args["high"]], f"{name} between {{}} and {{}}"
    elif isinstance(plain, exp.In):
        values, text = plain.expressions, f"{name} in ({', '.join(['{}'] * len(plain.expressions))})"
    else:
        return ""
    literals = [_literal(value, keys[name]) for value in values]
    return text.format(*literals) if literals and all(literals) else ""


def _literal(value: exp.Expr, kind: DataType) -> str:
    """A literal as Glue compares it with a column of this type; "" where Redshift would convert first."""
    plain = value.unnest()
    if isinstance(plain, exp.Cast) and plain.is_type(exp.DType.DATE) and kind.name == "date":
        plain = plain.this
    if not isinstance(plain, exp.Literal):
        return ""
    if plain.is_string:
        return "'" + plain.name.replace("'", "''") + "'"
    return plain.name if kind.name in {"int2", "int4", "int8"} else ""
