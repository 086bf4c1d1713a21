"""sql/reviews as the Glue job runs it: its splitting, its driver, a Redshift with a lake of real reviews."""

from collections import Counter
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from expected_reviews import COLUMNS, REPORT, load_reviews, top_reviews
from glue.redshift_sql.runner import StatementError
from reviews_lakehouse import BUCKET, REPORT_PREFIX, Lakehouse


@pytest.fixture
def loaded(lakehouse: Lakehouse) -> Lakehouse:
    lakehouse.query("delete from public.reviews")
    lakehouse.load()
    return lakehouse


def test_the_schema_can_be_created_again_and_changes_nothing(loaded: Lakehouse) -> None:
    before = loaded.query("select count(*) from public.reviews")
    loaded.create_schema()
    assert loaded.query("select count(*) from public.reviews") == before
    assert len(loaded.glue.get_partitions(DatabaseName="amzreviews", TableName="reviews")["Partitions"]) == 43


def test_the_local_table_has_the_14_columns_its_distkey_and_its_sortkey(lakehouse: Lakehouse) -> None:
    found = lakehouse.query(
        'select "column", distkey, sortkey from pg_table_def'
        " where schemaname = 'public' and tablename = 'reviews'"
    )
    assert sorted(name for name, _, _ in found) == sorted(COLUMNS)
    assert [name for name, distkey, _ in found if distkey] == ["product_id"]
    assert [name for name, _, sortkey in found if sortkey] == ["review_date"]


@pytest.mark.parametrize("first_year", [2015, 2013])
def test_the_load_is_what_the_lake_holds_of_the_years(lakehouse: Lakehouse, first_year: int) -> None:
    lakehouse.load(first_year)
    expected = load_reviews(lakehouse.folder, first_year)
    assert len(expected) > 5_000
    rows = lakehouse.query(f"select {', '.join(COLUMNS)} from public.reviews where year >= {first_year}")
    assert Counter(rows) == Counter(tuple(row.values()) for row in expected)


def test_loading_twice_does_not_double_a_row(lakehouse: Lakehouse) -> None:
    lakehouse.load()
    first = lakehouse.query(f"select {', '.join(COLUMNS)} from public.reviews where year >= 2015")
    lakehouse.load()
    assert Counter(
        lakehouse.query(f"select {', '.join(COLUMNS)} from public.reviews where year >= 2015")
    ) == (Counter(first))


def test_the_load_follows_a_lake_that_changed(loaded: Lakehouse) -> None:
    path = loaded.folder / "product_category=Watches/part-00000.parquet"
    original = pq.ParquetFile(path).read()
    corrected = original.filter(pc.equal(original["star_rating"], 1), null_selection_behavior="drop")
    assert 0 < corrected.num_rows < original.num_rows
    try:
        loaded.replace("Watches", corrected)
        loaded.load()
        rows = loaded.query(f"select {', '.join(COLUMNS)} from public.reviews where year >= 2015")
        assert Counter(rows) == Counter(tuple(row.values()) for row in load_reviews(loaded.folder, 2015))
    finally:
        loaded.replace("Watches", original)


def test_a_load_that_fails_after_the_delete_leaves_the_table_as_it_was(loaded: Lakehouse) -> None:
    counts = "select count(*), sum(helpful_votes) from public.reviews"
    before = loaded.query(counts)
    key = "raw/reviews/product_category=Watches/part-99999.parquet"
    loaded.s3.put_object(Bucket=BUCKET, Key=key, Body=b"PAR1 half a file")
    try:
        with pytest.raises(StatementError, match=r"etl\.sql, statement 2 of 2, failed: "):
            loaded.load()
    finally:
        loaded.s3.delete_object(Bucket=BUCKET, Key=key)
    assert loaded.query(counts) == before


@pytest.mark.parametrize(
    ("column", "length"),
    [
        ("marketplace", 10),
        ("customer_id", 15),
        ("review_id", 15),
        ("product_id", 25),
        ("product_parent", 15),
        ("product_title", 2048),
        ("vine", 5),
        ("verified_purchase", 5),
    ],
)
def test_a_text_that_is_too_long_is_refused_and_never_cut(
    loaded: Lakehouse, column: str, length: int
) -> None:
    counts = "select count(*), sum(helpful_votes) from public.reviews"
    before = loaded.query(counts)
    original = pq.ParquetFile(loaded.folder / "product_category=Watches/part-00000.parquet").read()
    place = original.column_names.index(column)
    longer = pa.array(["x" * (length + 1)] * original.num_rows)
    try:
        loaded.replace("Watches", original.set_column(place, column, longer))
        with pytest.raises(StatementError, match=rf"value too long for type character varying\({length}\)"):
            loaded.load()
    finally:
        loaded.replace("Watches", original)
    assert loaded.query(counts) == before


def test_a_first_year_that_is_no_number_is_refused(loaded: Lakehouse) -> None:
    with pytest.raises(StatementError, match="20l5"):
        loaded.run("etl.sql", first_year="20l5")


def test_no_title_is_cut_or_lost(loaded: Lakehouse) -> None:
    expected = [row["product_title"] for row in load_reviews(loaded.folder, 2015)]
    assert max(len(title) for title in expected if title) == 400
    found = loaded.query("select product_title from public.reviews where year >= 2015")
    assert Counter(title for (title,) in found) == Counter(expected)


@pytest.mark.parametrize("top_n", [1, 10])
def test_the_report_is_the_top_reviews_in_order(loaded: Lakehouse, top_n: int) -> None:
    expected = top_reviews(load_reviews(loaded.folder, 2015), top_n)
    assert len(expected) > 100
    assert loaded.report(top_n) == [
        {column: "" if row[column] is None else str(row[column]) for column in REPORT} for row in expected
    ]


def test_average_stars_is_the_average_of_the_product_with_two_places(loaded: Lakehouse) -> None:
    report = loaded.report(10)
    assert all(Decimal(row["average_stars"]).as_tuple().exponent == -2 for row in report)
    assert any(Decimal(row["average_stars"]) % 1 for row in report)


def test_a_review_without_a_count_of_votes_is_not_the_most_helpful_one(loaded: Lakehouse) -> None:
    loaded.query(
        "insert into public.reviews (marketplace, product_category, review_id, product_id, star_rating)"
        " values ('US', 'Books', 'RNOVOTES', 'B000000000', 5)"
    )
    assert "RNOVOTES" not in {row["review_id"] for row in loaded.report(1)}


def test_a_review_of_a_product_without_stars_ranks_after_those_with(loaded: Lakehouse) -> None:
    loaded.query(
        "insert into public.reviews"
        " (marketplace, product_category, review_id, product_id, star_rating, helpful_votes) values"
        " ('US', 'Books', 'R0NOSTARS', 'UNRATED', null, 999999),"
        " ('US', 'Books', 'R1STARS', 'RATED', 1, 999999)"
    )
    assert [row["review_id"] for row in loaded.report(2)[:2]] == ["R1STARS", "R0NOSTARS"]
    assert "R0NOSTARS" not in {row["review_id"] for row in loaded.report(1)}


def test_titles_with_bars_quotes_and_line_feeds_come_back_from_the_csv(loaded: Lakehouse) -> None:
    titles = {row["product_title"] for row in loaded.report(100)}
    for mark in ("|", '"', "'", ",", "\n", "\t", "\\", "ü", "ー"):
        assert any(mark in title for title in titles), repr(mark)
    assert titles - {""} <= {row["product_title"] for row in load_reviews(loaded.folder, 2015)}


def test_the_report_can_be_written_again_and_its_manifest_lists_every_file(loaded: Lakehouse) -> None:
    many = loaded.report(10)
    few = loaded.report(1)
    assert len(few) < len(many)
    listed = {entry["url"].removeprefix(f"s3://{BUCKET}/") for entry in loaded.manifest()["entries"]}
    objects = loaded.s3.list_objects_v2(Bucket=BUCKET, Prefix=REPORT_PREFIX)["Contents"]
    assert {found["Key"] for found in objects} == listed | {f"{REPORT_PREFIX}manifest"}
    assert loaded.manifest()["meta"]["record_count"] == len(few) + len(loaded.manifest()["entries"])
