"""What of a statement's conditions the Glue catalog is asked to judge, and what it then leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlglot
from redshift_engine import BUCKET, ROLE, rows

from local_aws.redshift import Session
from local_aws.redshift.spectrum_expression import partition_expression
from local_aws.redshift.types import DataType

KEYS = {
    "category": DataType.parse("varchar(40)"),
    "year": DataType.parse("int"),
    "day": DataType.parse("date"),
}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("category = 'Health_&_Personal_Care'", "(category = 'Health_&_Personal_Care')"),
        ("t.Category <> 'it''s'", "(category <> 'it''s')"),
        ("(year) >= 2015", ""),  # a column in parentheses is left to Redshift
        ("year >= 2015", "(year >= 2015)"),
        ("year between 2014 and 2015", "(year between 2014 and 2015)"),
        ("category in ('Books', 'Toys')", "(category in ('Books', 'Toys'))"),
        ("day < cast('2015-01-31' as date)", "(day < '2015-01-31')"),
        ("(year = 2015 or category = 'Books')", "((year = 2015) or (category = 'Books'))"),
        ("(year = 2015 or upper(category) = 'BOOKS')", ""),
        (
            "(year = 2015 and upper(category) = 'BOOKS' or year = 2014)",
            "(((year = 2015)) or (year = 2014))",
        ),
        ("not year = 2015", ""),
        ("category like 'B%'", ""),
        ("category = 5", ""),  # '05' is 5 for Redshift
        ("category = cast('2015-01-31' as date)", ""),
        ("upper(category) = 'BOOKS'", ""),
        ("category in (lower('BOOKS'))", ""),
        ("2015 = year", ""),
    ],
)
def test_a_condition_is_written_in_glues_grammar_or_left_to_redshift(condition: str, expected: str) -> None:
    assert partition_expression([sqlglot.parse_one(condition, read="redshift")], KEYS) == expected


def test_several_conditions_are_joined_and_those_that_glue_lacks_are_left_out() -> None:
    conditions = [sqlglot.parse_one(text) for text in ("year = 2015", "upper(category) = 'X'", "year < 2020")]
    assert partition_expression(conditions, KEYS) == "(year = 2015) and (year < 2020)"


@pytest.fixture
def asked(lake: Session) -> Iterator[list[dict[str, Any]]]:
    """What GetPartitions was asked and how many partitions it answered, of a table with three."""
    lake.execute(f"""
        create external schema spectrum from data catalog database 'spectrum' {ROLE}
        create external database if not exists
    """)
    lake.execute(f"""
        create external table spectrum.reviews (stars int)
        partitioned by (category varchar(40), year int) stored as parquet location 's3://{BUCKET}/reviews/'
    """)
    added = " ".join(
        f"partition (category='{category}', year={year}) location 's3://{BUCKET}/{category}/{year}/'"
        for category, year in [("Books", 2014), ("Books", 2015), ("Toys", 2015)]
    )
    lake.execute(f"alter table spectrum.reviews add {added}")
    found: list[dict[str, Any]] = []
    events = lake.warehouse.glue.meta.events

    def request(params: dict[str, Any], **_: object) -> None:
        found.append({"expression": params.get("Expression")})

    def answer(parsed: dict[str, Any], **_: object) -> None:
        found[-1]["partitions"] = len(parsed.get("Partitions", []))

    events.register("provide-client-params.glue.GetPartitions", request)
    events.register("after-call.glue.GetPartitions", answer)
    yield found
    events.unregister("provide-client-params.glue.GetPartitions", request)
    events.unregister("after-call.glue.GetPartitions", answer)


def test_glue_answers_only_the_partitions_that_a_statement_needs(
    lake: Session, asked: list[dict[str, Any]]
) -> None:
    """However many there are: what a scan costs does not grow with the partitions that it does not read."""
    assert rows(lake, "select count(*) from spectrum.reviews r where r.category = 'Books' and stars > 1") == [
        (0,)
    ]
    assert asked == [{"expression": "(category = 'Books')", "partitions": 2}]


def test_glue_leaves_the_columns_out_of_its_answer(lake: Session, asked: list[dict[str, Any]]) -> None:
    """They are the table's, told once for every partition: the greatest part of the answer."""
    answer = lake.warehouse.glue.get_partitions(
        DatabaseName="spectrum", TableName="reviews", ExcludeColumnSchema=True
    )
    whole = lake.warehouse.glue.get_partitions(DatabaseName="spectrum", TableName="reviews")
    assert len(asked) == 2
    for brief, told in zip(answer["Partitions"], whole["Partitions"], strict=True):
        columns = told["StorageDescriptor"].pop("Columns")
        assert [column["Name"] for column in columns] == ["stars"]
        assert brief["StorageDescriptor"] == told["StorageDescriptor"]


def test_a_statement_without_conditions_gets_every_partition(
    lake: Session, asked: list[dict[str, Any]]
) -> None:
    rows(lake, "select count(*) from spectrum.reviews")
    assert asked == [{"expression": "", "partitions": 3}]


def test_what_glue_cannot_compare_is_asked_for_as_a_whole_and_judged_here(
    lake: Session, asked: list[dict[str, Any]]
) -> None:
    """2015.0 is no integer, so the catalog refuses to compare it with one; Redshift converts."""
    assert rows(lake, "select count(*) from spectrum.reviews where year = 2015.0") == [(0,)]
    assert [one["partitions"] for one in asked] == [0, 3]
