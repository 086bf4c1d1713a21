from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glue.redshift_sql.text import ScriptError, literal, split, tokens

# Whole statements with a semicolon, a quote or a colon wherever Redshift lets one stand.
STATEMENTS = [
    "select 1",
    "select 'a;b', 'it''s; fine', 'it\\'s; fine', 'a\\\\'",
    'select 1 as "a;""b"',
    "select $$a; 'b$$, $q$ $$; $q$, $1",
    "select 1 -- x; it's\n",
    "select /* ; /* nested; */ it's */ 2",
    "create procedure p() as $body$ begin insert into t values (';'); end; $body$ language plpgsql",
    "select a$b$c, #t.d::int, :day::date, ${year} from #t",
    "unload ('select ''a;b'' from t') to 's3://b/p' iam_role 'r'",
    "",
    "\n  ",
    "/* only this; */",
]


@given(st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=8))
def test_no_statement_is_lost_and_none_is_cut(statements: list[str]) -> None:
    pieces = split(";".join(statements))
    assert ["".join(token.text for token in piece) for piece in pieces] == statements


@given(st.text(alphabet="ab1 ;:'\"$\\/*-\n{}.#é", max_size=40))
def test_the_pieces_of_any_text_joined_are_the_text(sql: str) -> None:
    try:
        pieces = split(sql)
    except ScriptError:
        return
    assert ";".join("".join(token.text for token in piece) for piece in pieces) == sql
    assert not any(token.kind == "semicolon" for piece in pieces for token in piece)


@given(st.text(max_size=30).filter(lambda value: "\0" not in value))
def test_a_literal_is_one_string_whatever_the_value(value: str) -> None:
    """Of all that Redshift reads in a string, only quotes and backslashes mean anything but themselves."""
    (token,) = tokens(literal(value))
    assert token.kind == "string"
    assert token.text[1:-1].replace("''", "'").replace("\\\\", "\\") == value


def test_a_literal_holds_no_nul() -> None:
    with pytest.raises(ScriptError, match="NUL"):
        literal("a\0b")


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("select 1;\nselect 'a", "line 2: a string starts that never ends."),
        ('select "a', "line 1: a quoted name starts that never ends."),
        ("select $q$ a $$", "line 1: a string starts that never ends."),
        ("/* /* */", "line 1: a comment starts that never ends."),
    ],
)
def test_what_never_ends_is_named_with_its_line(sql: str, what: str) -> None:
    with pytest.raises(ScriptError) as error:
        split(sql)
    assert str(error.value) == what


def test_names_stand_outside_of_strings_comments_and_casts_only() -> None:
    sql = "select :a::int, ':b', \":c\", $$:d ${e}$$, -- :f ${g}\n ${h} /* :i */ where t = '10:30'::time"
    found = [token.text for token in tokens(sql) if token.kind in {"name", "argument"}]
    assert found == [":a", "${h}"]
