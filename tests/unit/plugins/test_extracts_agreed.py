"""The columns that are agreed: those of the SQL that reads them, and of the data that are generated."""

from __future__ import annotations

import re

import pytest

from extract_files import REFERENCE, SCHEMAS
from laptop.environment import PROJECT
from redshift_etl.extracts import EXTRACTS, Columns

SQL = PROJECT / "sql" / "store_sales"
COPY = re.compile(r"^copy (\w+)\nfrom 's3://{{ data_bucket }}/raw/(\w+)/", re.MULTILINE)
ORDERED = Columns(("a", "b", "c"))
NAMED = Columns(("a", "b", "c"), by_position=False)


def declared(create: str, sql: str) -> tuple[str, ...]:
    """The columns of a CREATE statement."""
    body = re.search(rf"^{re.escape(create)} \(\n(.*?)^\)", sql, re.MULTILINE | re.DOTALL)
    assert body, create
    return tuple(re.findall(r"^    (\w+) ", body[1], re.MULTILINE))


def test_the_columns_are_those_of_the_tables_that_copy_fills() -> None:
    copied = {}
    for file in SQL.glob("load_*.sql"):
        text = file.read_text()
        for table, extract in COPY.findall(text):
            copied[extract] = declared(f"create temp table {table}", text)
    assert len(copied) == 7
    assert {name: columns.names for name, columns in EXTRACTS.items() if columns.by_position} == copied


def test_the_columns_of_the_sales_are_those_of_the_external_table_and_of_staging() -> None:
    (names,) = [columns.names for columns in EXTRACTS.values() if not columns.by_position]
    assert names == EXTRACTS["store_sales"].names
    lake = declared("create external table tpcds_lake.store_sales", (SQL / "create_lake.sql").read_text())
    assert names == lake
    schema = (SQL / "create_schema.sql").read_text()
    staged = declared("create table if not exists tpcds.stg_store_sales", schema)
    assert staged == ("sale_date", "loaded_at", *names)


def test_text_is_wider_in_the_lake_than_in_staging() -> None:
    """Spectrum cuts what is too long for the lake's column; staging refuses what is too long for its own."""
    widths = r"^    (\w+) varchar\((\d+)\)"
    lake = dict(re.findall(widths, (SQL / "create_lake.sql").read_text(), re.MULTILINE))
    schema = (SQL / "create_schema.sql").read_text()
    body = schema.partition("create table if not exists tpcds.stg_store_sales (")[2].partition("\n)")[0]
    staging = dict(re.findall(widths, body, re.MULTILINE))
    assert len(lake) == 6
    assert lake.keys() == staging.keys()
    for name, width in lake.items():
        assert int(width) > int(staging[name]), name


def test_the_columns_are_those_of_the_tests_extracts() -> None:
    assert {name: columns.names for name, columns in EXTRACTS.items()} == {
        name: tuple(schema.names) for name, schema in SCHEMAS.items()
    }
    assert set(REFERENCE) <= set(EXTRACTS)


@pytest.mark.parametrize(
    ("columns", "found", "fault"),
    [
        (ORDERED, "a b c", None),
        (ORDERED, "a c b", "has its columns in another order than a, b, c"),
        (ORDERED, "a b", "lacks c"),
        (ORDERED, "", "lacks a, b, c"),
        (ORDERED, "a b c d", "has in excess d"),
        (ORDERED, "a b C", "lacks c and has in excess C"),
        (ORDERED, "a x y", "lacks b, c and has in excess x, y"),
        (ORDERED, "a b c b", "repeats b"),
        (NAMED, "a b c", None),
        (NAMED, "C B A", None),
        (NAMED, "d c b a", None),
        (NAMED, "d D a b c", None),
        (NAMED, "a b d", "lacks c"),
        (NAMED, "a b c C", "repeats c"),
    ],
)
def test_a_fault_says_what_is_wrong_with_the_columns(columns: Columns, found: str, fault: str | None) -> None:
    assert columns.fault(found.split()) == fault
