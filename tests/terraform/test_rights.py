"""The judge of the roles' rights notices what is missing and what is too much."""

from typing import Any

from rights import Call, Right, refused, unused

TABLE = "arn:aws:glue:us-east-1:123456789012:table/lake/sales"


def right(action: str, resource: str, condition: dict[str, Any] | None = None) -> Right:
    statement = {"Effect": "Allow", "Resource": resource} | ({"Condition": condition} if condition else {})
    return Right("Read", action, statement)


def test_a_call_that_no_statement_allows_is_refused() -> None:
    rights = [right("s3:GetObject", "arn:aws:s3:::lake/*"), right("glue:GetTable", TABLE)]
    calls = {
        Call("s3:GetObject", "arn:aws:s3:::lake/raw/a b.parquet"),
        Call("glue:GetTable", TABLE),
        Call("sts:GetCallerIdentity", "*"),  # needs no right
    }
    assert refused(rights, calls) == set()
    too_much = {
        Call("s3:PutObject", "arn:aws:s3:::lake/raw/a.parquet"),
        Call("s3:GetObject", "arn:aws:s3:::other/raw/a.parquet"),
        Call("glue:GetTable", f"{TABLE}2"),
        Call("glue:GetTables", TABLE),
    }
    assert refused(rights, calls | too_much) == too_much


def test_an_action_that_covers_no_call_is_unused() -> None:
    rights = [right("s3:GetObject*", "arn:aws:s3:::lake/*"), right("s3:DeleteObject", "arn:aws:s3:::lake/*")]
    assert unused(rights, {Call("s3:GetObject", "arn:aws:s3:::lake/a")}) == {("Read", "s3:DeleteObject")}
    assert unused(rights, {Call("s3:DeleteObject", "arn:aws:s3:::other/a")}) == {
        ("Read", "s3:GetObject*"),
        ("Read", "s3:DeleteObject"),
    }


def test_a_statement_for_ones_own_statements_covers_ours() -> None:
    own = {"StringEquals": {"redshift-data:statement-owner-iam-userid": "${aws:userid}"}}
    theirs = {"StringEquals": {"redshift-data:statement-owner-iam-userid": "AROA1:somebody"}}
    call = Call("redshift-data:DescribeStatement", "*")
    assert right("redshift-data:DescribeStatement", "*", own).covers(call)
    assert not right("redshift-data:DescribeStatement", "*", theirs).covers(call)
