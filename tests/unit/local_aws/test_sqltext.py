"""Reading SQL without running it."""

import pytest

from local_aws import sqltext
from local_aws.redshift import RedshiftError


@pytest.mark.parametrize(
    ("sql", "statements"),
    [
        ("", []),
        ("  -- only a comment\n;;", []),
        ("select 1", ["select 1"]),
        ("select 1;", ["select 1"]),
        ("select ';' ; select 2", ["select ';'", "select 2"]),
        (
            "select 'it''s;' , \";\" /* ; */ -- ;\n; select 2",
            ["select 'it''s;' , \";\" /* ; */ -- ;", "select 2"],
        ),
        ("create procedure p() as $$ begin; end; $$ language plpgsql; call p()", 2),
        ("begin; insert into t values (1); end", ["begin", "insert into t values (1)", "end"]),
    ],
)
def test_sql_is_split_at_its_semicolons(sql, statements):
    found = sqltext.split(sql)
    assert found == statements or len(found) == statements


def test_a_string_without_end_is_a_syntax_error():
    with pytest.raises(RedshiftError, match="unterminated"):
        sqltext.split("select 'abc; select 2")


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("select :a, :b_2", {"a", "b_2"}),
        ("select ':a', \":b\", x::date -- :c\n/* :d */", set()),
        ("select :a::date", {"a"}),
        ("select '2003-01-02 10:30'::timestamp", set()),
    ],
)
def test_parameters_are_found_outside_strings_comments_and_casts(sql, names):
    assert sqltext.parameter_names(sql) == names


def test_the_first_word_comes_after_comments():
    assert sqltext.first_word("/* a */ -- b\n  BEGIN transaction") == "begin"
    assert sqltext.first_word("(select 1)") == ""


@pytest.mark.parametrize(
    "sql",
    [
        "create user u password 'hunter2'",
        "alter user u with PASSWORD 'hunter2'",
        "copy t from 's3://b/k' credentials 'aws_secret_access_key=hunter2'",
        "copy t from 's3://b/k' access_key_id 'x' secret_access_key 'hunter2'",
        "unload ('x') to 's3://b' credentials as 'hunter2'",
    ],
)
def test_secrets_are_masked(sql):
    assert "hunter2" not in sqltext.without_secrets(sql)
    assert "'***'" in sqltext.without_secrets(sql)
