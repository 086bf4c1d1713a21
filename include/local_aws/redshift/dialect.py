"""Redshift SQL to DuckDB SQL: sqlglot's reader and writer, and rewrites for what they get wrong.

Each rewrite is a small function on one kind of node, listed in ``_REWRITES``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import ClassVar

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import ParseError, TokenError

from .errors import RedshiftError, not_supported, syntax_error
from .formats import date_format, number_format
from .functions import INTERNAL
from .refusals import refuse
from .statement import tokenize

# Functions that stay under Redshift's name, because sqlglot's reading of them loses what we need.
_KEPT = {"TO_CHAR", "TRUNC", "VERSION", "CURRENT_DATABASE", "CURRENT_SCHEMA", "CURRENT_SCHEMAS"}


class LocalRedshift(Redshift):
    """sqlglot's Redshift without the functions that are rewritten here."""

    class Parser(Redshift.Parser):  # type: ignore[misc, valid-type]  # sqlglot builds this class at run time
        """Reads what it does not know as an anonymous function."""

        FUNCTIONS: ClassVar[dict[str, Callable[..., exp.Expr]]] = {
            name: make for name, make in Redshift.Parser.FUNCTIONS.items() if name not in _KEPT
        }


def parse(sql: str) -> exp.Expr:
    """Redshift SQL as a syntax tree.

    Args:
        sql: one statement.

    Raises:
        RedshiftError: 42601 for a syntax error, 0A000 for a statement sqlglot does not know or Redshift
            refuses.
    """
    plain = _plain(sql)
    try:
        tree = sqlglot.parse_one(plain, read=LocalRedshift)
    except ParseError as error:
        found = error.errors[0].get("highlight") if error.errors else ""
        raise syntax_error(str(found or "")) from error
    except TokenError as error:
        raise RedshiftError(f"syntax error: {str(error).splitlines()[0]}", "42601") from error
    if tree.find(exp.Command):
        raise not_supported(sql)
    refuse(tree)
    return tree


def _plain(sql: str) -> str:
    """Text that sqlglot can read: ``#temp`` in quotes, without psql's ``pg_catalog.`` and ``OPERATOR()``."""
    pieces: list[str] = []
    position = 0
    tokens = tokenize(sql)
    words = [token.value if token.kind in {"word", "symbol"} else "" for token in tokens]
    for number, token in enumerate(tokens):
        if token.start < position:
            continue
        text, end = None, token.end
        if words[number].startswith("#"):
            text = f'"{token.value}"'
        elif words[number : number + 4] == ["operator", "(", "pg_catalog", "."]:
            closing = words.index(")", number)
            text, end = "".join(words[number + 4 : closing]), tokens[closing].end
        elif words[number : number + 4] == ["collate", "pg_catalog", ".", "default"]:
            text, end = "", tokens[number + 3].end
        elif words[number : number + 2] == ["pg_catalog", "."]:
            text, end = "", tokens[number + 1].end
        if text is not None:
            pieces += [sql[position : token.start], text]
            position = end
    return "".join([*pieces, sql[position:]])


def translate(tree: exp.Expr, session: Mapping[str, str] | None = None) -> exp.Expr:
    """Rewrites a Redshift tree into one that means the same in DuckDB.

    Args:
        tree: from :func:`parse`; it is changed.
        session: values of functions that tell of the session, for example ``current_user``, as DuckDB SQL.
    """
    values = session or {}
    # Children first: a rewrite sees what is below it already in DuckDB's terms.
    for node in reversed(list(tree.walk())):
        replacement: exp.Expr | None = None
        if isinstance(node, exp.Anonymous | exp.CurrentUser | exp.SessionUser):
            replacement = _session_function(node, values)
        if replacement is None:
            rewrite = _REWRITES.get(type(node))
            replacement = rewrite(node) if rewrite else None
        if replacement is not None and replacement is not node:
            if node is tree:
                tree = replacement
            else:
                node.replace(replacement)
    return tree


def expression_to_duckdb(sql: str) -> str:
    """One Redshift expression, such as a column's default, as DuckDB text."""
    tree = parse(f"select {sql}")
    return render(translate(tree).expressions[0])


def render(tree: exp.Expr) -> str:
    """DuckDB text of a translated tree."""
    return tree.sql(dialect="duckdb", unsupported_level=sqlglot.ErrorLevel.IGNORE)


@functools.cache
def _reserved() -> frozenset[str]:
    with duckdb.connect(":memory:") as connection:
        rows = connection.execute(
            "select keyword_name from duckdb_keywords() where keyword_category <> 'unreserved'"
        ).fetchall()
    return frozenset(row[0] for row in rows)


def _identifier(node: exp.Expr) -> exp.Expr:
    """Redshift folds every identifier to lower case; DuckDB reserves words that Redshift does not."""
    name = node.name.lower()
    node.set("this", name)
    node.set("quoted", node.args.get("quoted") or name in _reserved())
    return node


def _is_nonzero(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string and float(node.name) != 0


def _checked_divisor(node: exp.Expr) -> exp.Expr:
    """Redshift fails on a division by zero; DuckDB gives NULL or infinity."""
    divisor = node.expression
    node.set("typed", False)
    node.set("safe", False)
    if not _is_nonzero(divisor):
        node.set("expression", _checked(divisor))
    if "numeric" in node.meta:
        precision, scale = node.meta["numeric"]
        return exp.cast(node.copy(), f"decimal({precision}, {scale})")
    return node


def _checked(divisor: exp.Expr) -> exp.Expr:
    zero = exp.EQ(this=_parenthesised(divisor.copy()), expression=exp.Literal.number(0))
    failure = exp.Anonymous(this="error", expressions=[exp.Literal.string("Divide by zero")])
    return exp.Case(ifs=[exp.If(this=zero, true=failure)], default=divisor.copy())


def _parenthesised(node: exp.Expr) -> exp.Expr:
    return exp.Paren(this=node) if isinstance(node, exp.Binary | exp.Connector) else node


def _aggregate_frame(node: exp.Expr) -> exp.Expr:
    """The aggregate with its FILTER and OVER around it."""
    outer = node
    while isinstance(outer.parent, exp.Filter | exp.Window | exp.WithinGroup) and outer.arg_key == "this":
        outer = outer.parent
    return outer


def _swap(outer: exp.Expr, inner: exp.Expr, other: exp.Expr) -> exp.Expr:
    """A copy of ``outer`` in which ``other`` stands for ``inner``."""
    if outer is inner:
        return other
    mark = exp.Anonymous(this="__mark")
    inner.replace(mark)
    copy = outer.copy()
    mark.replace(inner)
    found = next(n for n in copy.find_all(exp.Anonymous) if n.name == "__mark")
    found.replace(other)
    return copy


def _average(node: exp.Expr) -> exp.Expr | None:
    """AVG of integers is a BIGINT and of decimals a decimal: the argument's type decides."""
    outer = _aggregate_frame(node)
    argument = node.this
    plain = argument.expressions[0] if isinstance(argument, exp.Distinct) else argument
    total = _swap(outer, node, exp.Sum(this=argument.copy()))
    count = _swap(outer, node, exp.Count(this=argument.copy()))
    kind = exp.Add(
        this=_swap(outer, node, exp.Anonymous(this="any_value", expressions=[plain.copy()])),
        expression=exp.cast(exp.Literal.number(0), "bigint"),
    )
    average = exp.Anonymous(this="cast_to_type", expressions=[exp.Div(this=total, expression=count), kind])
    if outer is node:
        return average
    outer.replace(average)
    return None


def _cast(node: exp.Expr) -> exp.Expr:
    """CAST to VARCHAR(n) cuts at n bytes; NUMERIC alone is NUMERIC(18,0); CHAR alone is CHAR(1)."""
    to = node.args["to"]
    kind = to.this
    if kind == exp.DType.DECIMAL and not to.expressions:
        to.set("expressions", [exp.DataTypeParam(this=exp.Literal.number(n)) for n in (18, 0)])
    elif kind in {exp.DType.VARCHAR, exp.DType.CHAR, exp.DType.NVARCHAR, exp.DType.NCHAR, exp.DType.TEXT}:
        length = (
            to.expressions[0].name.lower() if to.expressions else ("1" if kind == exp.DType.CHAR else "max")
        )
        node.set("to", exp.DataType.build("text"))
        if length != "max":
            return _macro("truncate_bytes", node.copy(), exp.Literal.number(length))
    elif kind == exp.DType.SUPER:
        node.set("to", exp.DataType.build("json"))
    return node


def _macro(name: str, *arguments: exp.Expr) -> exp.Expr:
    call = exp.Anonymous(this=name, expressions=list(arguments))
    return exp.Dot(this=exp.to_identifier(INTERNAL), expression=call)


def _listagg(node: exp.Expr) -> exp.Expr:
    """LISTAGG has no separator unless one is given; DISTINCT applies to the value alone."""
    value = node.this
    separator = node.args.get("separator") or exp.Literal.string("")
    if isinstance(value, exp.Distinct) and len(value.expressions) > 1:
        value, separator = exp.Distinct(expressions=[value.expressions[0]]), value.expressions[1]
    within = node.parent if isinstance(node.parent, exp.WithinGroup) else None
    order = within.expression if within else None
    text = render(value) + ", " + render(separator) + (f" {render(order).strip()}" if order else "")
    call = exp.Anonymous(this="string_agg", expressions=[exp.Var(this=text)])
    if within is None:
        return call
    within.replace(call)
    return node


def _regexp_replace(node: exp.Expr) -> exp.Expr:
    if node.args.get("position") is not None and node.args["position"].name not in {"", "1"}:
        raise not_supported(node.sql("redshift"))
    node.set("position", None)
    node.set("modifiers", exp.Literal.string("g"))
    if node.args.get("replacement") is None:
        node.set("replacement", exp.Literal.string(""))
    return node


def _similar_to(node: exp.Expr) -> exp.Expr:
    """SIMILAR TO is a regular expression with LIKE's wildcards, matched against the whole value."""
    pattern = node.expression
    if not (isinstance(pattern, exp.Literal) and pattern.is_string):
        raise not_supported(node.sql("redshift"))
    regex = re.sub(r"\\.|[%_.^$]", _similar_part, pattern.name)
    return exp.Anonymous(this="regexp_full_match", expressions=[node.this.copy(), exp.Literal.string(regex)])


def _similar_part(match: re.Match[str]) -> str:
    return {"%": ".*", "_": ".", ".": r"\.", "^": r"\^", "$": r"\$"}.get(match[0], match[0])


def _like(node: exp.Expr) -> exp.Expr | None:
    r"""LIKE's default escape character is ``\`` in Redshift and none in DuckDB."""
    pattern = node.expression
    if isinstance(node.parent, exp.Escape) or not (isinstance(pattern, exp.Literal) and "\\" in pattern.name):
        return None
    return exp.Escape(this=node.copy(), expression=exp.Literal.string("\\"))


def _now(node: exp.Expr) -> exp.Expr:
    """GETDATE() has whole seconds, SYSDATE microseconds; neither has a time zone."""
    now = exp.cast(exp.Anonymous(this="now"), "timestamp")
    if node.args.get("sysdate"):
        return now
    return exp.Anonymous(this="date_trunc", expressions=[exp.Literal.string("second"), now])


def _today(_: exp.Expr) -> exp.Expr:
    return exp.cast(exp.Anonymous(this="now"), "date")


def _concat(node: exp.Expr) -> exp.Expr:
    """CONCAT with a NULL is NULL in Redshift."""
    first, *rest = node.expressions
    for part in rest:
        first = exp.DPipe(this=_parenthesised(first.copy()), expression=_parenthesised(part.copy()))
    return exp.Paren(this=first)


def _date_part(node: exp.Expr) -> exp.Expr:
    """DuckDB's EXTRACT gives a BIGINT where Redshift's gives an INTEGER."""
    if node.name.upper() in {"EPOCH", "EPOCH_MS"}:
        return node
    return exp.cast(node.copy(), "int")


def _anonymous(node: exp.Expr) -> exp.Expr | None:
    name = node.name.lower()
    arguments = node.expressions
    if name == "to_char" and len(arguments) == 2 and arguments[1].is_string:
        value, pattern = arguments
        return number_format(value, pattern.name) or date_format(value, pattern.name)
    if name == "trunc":
        return _macro("trunc_to_unit", *arguments) if len(arguments) == 1 else None
    if name == "octet_length":
        return exp.Anonymous(this="strlen", expressions=[argument.copy() for argument in arguments])
    if name == "ratio_to_report":
        return _ratio_to_report(node)
    if name in _MACRO_NAMES:
        return _macro(name, *(argument.copy() for argument in arguments))
    if name in {"to_char", "to_number"}:
        raise not_supported(node.sql("redshift"))
    return None


def _merge_insert(node: exp.Expr) -> exp.Expr:
    """Sqlglot reads INSERT VALUES (...) in a MERGE as a column list with one call of a function VALUES."""
    then = node.args["then"]
    columns = then.this if isinstance(then, exp.Insert) else None
    if isinstance(columns, exp.Tuple) and isinstance(columns.expressions[0], exp.Anonymous):
        then.set(
            "expression",
            exp.Tuple(expressions=[value.copy() for value in columns.expressions[0].expressions]),
        )
        then.set("this", None)
    return node


def _ratio_to_report(node: exp.Expr) -> exp.Expr | None:
    window = node.parent
    if not isinstance(window, exp.Window):
        raise RedshiftError("window function ratio_to_report requires an OVER clause", "42P20")
    value = exp.cast(node.expressions[0].copy(), "double")
    total = window.copy()
    total.set("this", exp.Sum(this=value.copy()))
    window.replace(exp.Paren(this=exp.Div(this=value, expression=total, typed=False, safe=True)))
    return None


def _session_function(node: exp.Expr, values: Mapping[str, str]) -> exp.Expr | None:
    name = node.name.lower()
    if name == "current_setting" and len(node.expressions) == 1 and node.expressions[0].is_string:
        setting = node.expressions[0].name.lower()
        if f"current_setting {setting}" not in values:
            raise RedshiftError(f'unrecognized configuration parameter "{setting}"', "42704")
        return exp.maybe_parse(values[f"current_setting {setting}"], dialect="duckdb")
    if name == "pg_table_is_visible" and len(node.expressions) == 1 and name in values:
        oid = node.expressions[0].sql(dialect="duckdb")
        return exp.maybe_parse(values[name].format(oid), dialect="duckdb")
    if isinstance(node, exp.Anonymous) and node.expressions:
        return None
    if isinstance(node, exp.CurrentUser | exp.SessionUser):
        name = "current_user" if isinstance(node, exp.CurrentUser) else "session_user"
    value = values.get(name)
    return exp.maybe_parse(value, dialect="duckdb") if value is not None else None


_MACRO_NAMES = {
    "is_valid_json", "is_valid_json_array", "json_extract_array_element_text", "json_serialize", "isnull",
    "zeroifnull", "textlen", "btrim", "func_sha1", "dexp", "dlog10", "bpcharcmp", "pg_get_userbyid",
    "has_schema_privilege",
    "has_table_privilege", "pg_encoding_to_char", "pg_get_expr", "obj_description", "col_description",
}  # fmt: skip

_REWRITES: dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr | None]] = {
    exp.Identifier: _identifier,
    exp.Div: _checked_divisor,
    exp.Mod: _checked_divisor,
    exp.Avg: _average,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.GroupConcat: _listagg,
    exp.RegexpReplace: _regexp_replace,
    exp.SimilarTo: _similar_to,
    exp.Like: _like,
    exp.ILike: _like,
    exp.CurrentTimestamp: _now,
    exp.CurrentDate: _today,
    exp.Concat: _concat,
    exp.Extract: _date_part,
    exp.Anonymous: _anonymous,
    exp.When: _merge_insert,
}
