"""What the reviews hold: the habits in the module's docstring, checked from the outside."""

from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto import mock_aws

from datasets import reviews
from datasets.__main__ import main
from datasets.delivery import Delivery

ROWS = 60_000
SCHEMA = [
    ("marketplace", pa.string()),
    ("customer_id", pa.string()),
    ("review_id", pa.string()),
    ("product_id", pa.string()),
    ("product_parent", pa.string()),
    ("product_title", pa.string()),
    ("star_rating", pa.int32()),
    ("helpful_votes", pa.int32()),
    ("total_votes", pa.int32()),
    ("vine", pa.string()),
    ("verified_purchase", pa.string()),
    ("review_headline", pa.string()),
    ("review_body", pa.string()),
    ("review_date", pa.date32()),
    ("year", pa.int32()),
]
# The categories as the real data set's folders are called.
FOLDERS = [
    "Apparel", "Automotive", "Baby", "Beauty", "Books", "Camera", "Digital_Ebook_Purchase",
    "Digital_Music_Purchase", "Digital_Software", "Digital_Video_Download", "Digital_Video_Games",
    "Electronics", "Furniture", "Gift_Card", "Grocery", "Health_&_Personal_Care", "Home",
    "Home_Entertainment", "Home_Improvement", "Jewelry", "Kitchen", "Lawn_and_Garden", "Luggage",
    "Major_Appliances", "Mobile_Apps", "Mobile_Electronics", "Music", "Musical_Instruments",
    "Office_Products", "Outdoors", "PC", "Personal_Care_Appliances", "Pet_Products", "Shoes", "Software",
    "Sports", "Tools", "Toys", "Video", "Video_DVD", "Video_Games", "Watches", "Wireless",
]  # fmt: skip


@pytest.fixture(scope="module")
def delivered(cache: Path) -> list[Delivery]:
    return reviews.deliver(rows=ROWS, cache=cache)


@pytest.fixture(scope="module")
def rows(delivered: list[Delivery]) -> list[dict[str, Any]]:
    return [
        row | {"product_category": category(delivery)}
        for delivery in delivered
        for row in read(delivery).to_pylist()
    ]


@pytest.fixture(scope="module")
def titles(rows: list[dict[str, Any]]) -> list[str]:
    return [row["product_title"] for row in rows if row["product_title"]]


def read(delivery: Delivery) -> pa.Table:
    # ParquetFile, because read_table would take the folder's name for a column.
    return pq.ParquetFile(delivery.path).read()


def category(delivery: Delivery) -> str:
    return delivery.key.split("/")[2].removeprefix("product_category=")


def test_every_file_has_the_columns_and_types_of_the_real_data_set(delivered: list[Delivery]) -> None:
    for delivery in delivered:
        schema = pq.ParquetFile(delivery.path).schema_arrow
        assert [(field.name, field.type) for field in schema] == SCHEMA, delivery.key


def test_there_is_a_folder_for_each_of_the_43_categories(delivered: list[Delivery]) -> None:
    assert list(dict.fromkeys(map(category, delivered))) == FOLDERS
    assert delivered[0].key == "raw/reviews/product_category=Apparel/part-00000.parquet"


def test_the_files_hold_as_many_rows_as_asked_for(delivered: list[Delivery]) -> None:
    for delivery in delivered:
        assert delivery.rows == pq.ParquetFile(delivery.path).metadata.num_rows
    assert sum(delivery.rows for delivery in delivered) == ROWS


def test_a_big_category_is_cut_into_files_of_bounded_size(tmp_path: Path) -> None:
    delivered = reviews.deliver(rows=90_000, cache=tmp_path)
    books = [delivery for delivery in delivered if category(delivery) == "Books"]
    assert [delivery.key.rpartition("/")[2] for delivery in books] == [
        "part-00000.parquet",
        "part-00001.parquet",
    ]
    assert books[0].rows == reviews.ROWS_PER_FILE
    assert all(0 < delivery.rows <= reviews.ROWS_PER_FILE for delivery in delivered)


def test_the_smallest_data_set_has_one_review_of_each_category(tmp_path: Path) -> None:
    assert [delivery.rows for delivery in reviews.deliver(rows=43, cache=tmp_path)] == [1] * 43


@pytest.mark.parametrize("count", [42, 0, -1, reviews.MOST_ROWS + 1])
def test_a_number_of_rows_that_cannot_be_made_is_refused_in_one_sentence(count: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"^{count} reviews cannot be generated: choose from 43"):
        reviews.deliver(rows=count, cache=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_second_generation_is_the_same_byte_for_byte(delivered: list[Delivery], tmp_path: Path) -> None:
    again = reviews.deliver(rows=ROWS, cache=tmp_path)
    assert [(d.key, d.size, d.md5) for d in again] == [(d.key, d.size, d.md5) for d in delivered]
    assert [d.path.read_bytes() for d in again[:3]] == [d.path.read_bytes() for d in delivered[:3]]


def test_the_cache_is_used_again_and_a_damaged_file_in_it_is_mended(tmp_path: Path) -> None:
    first = reviews.deliver(rows=500, cache=tmp_path)
    written = [delivery.path.stat().st_mtime_ns for delivery in first]
    first[0].path.write_bytes(b"damaged")
    again = reviews.deliver(rows=500, cache=tmp_path)
    assert again == first
    assert [delivery.path.stat().st_mtime_ns for delivery in again][1:] == written[1:]
    assert read(again[0]).num_rows == again[0].rows


def test_progress_is_told_up_to_the_last_category(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    reviews.deliver(rows=100, cache=tmp_path, progress=lambda *step: told.append(step))
    assert told == [("generating reviews", done, 43) for done in range(44)]


def test_the_first_reviews_of_a_category_are_the_same_in_a_larger_data_set(
    delivered: list[Delivery], tmp_path: Path
) -> None:
    small = {category(delivery): read(delivery) for delivery in reviews.deliver(rows=5_000, cache=tmp_path)}
    large = {category(delivery): read(delivery) for delivery in reversed(delivered)}  # ends with part 0
    for name, table in small.items():
        assert large[name].slice(0, table.num_rows).equals(table), name


def test_review_ids_are_unique_and_ids_fit_the_warehouse(rows: list[dict[str, Any]]) -> None:
    assert len({row["review_id"] for row in rows}) == ROWS
    assert all(row["review_id"].startswith("R") and len(row["review_id"]) <= 15 for row in rows)
    assert all(len(row["product_id"]) == 10 for row in rows)
    assert all(row["customer_id"].isdigit() and len(row["customer_id"]) <= 8 for row in rows)
    assert all(row["product_parent"].isdigit() and len(row["product_parent"]) <= 9 for row in rows)


def test_reviews_of_a_product_share_parent_title_and_category(rows: list[dict[str, Any]]) -> None:
    products = defaultdict(set)
    for row in rows:
        products[row["product_id"]].add(
            (row["product_parent"], row["product_title"], row["product_category"])
        )
    assert {len(described) for described in products.values()} == {1}
    parents = Counter(parent for described in products.values() for parent, _, _ in described)
    assert set(parents.values()) == {1, 2}, "some products share a parent"


def test_few_products_get_most_reviews(rows: list[dict[str, Any]]) -> None:
    counts = sorted(Counter(row["product_id"] for row in rows).values(), reverse=True)
    assert sum(counts[: len(counts) // 5]) > ROWS / 2
    assert counts[-1] == 1


def test_categories_are_skewed_as_in_the_real_data_set(rows: list[dict[str, Any]]) -> None:
    counts = Counter(row["product_category"] for row in rows)
    assert [name for name, _ in counts.most_common(3)] == ["Books", "Digital_Ebook_Purchase", "Wireless"]
    assert counts["Books"] / counts["Camera"] == pytest.approx(19_531 / 1_802, rel=0.02)
    assert counts["Personal_Care_Appliances"] < ROWS / 1_000


def test_marketplaces_are_skewed_and_none_is_missing(rows: list[dict[str, Any]]) -> None:
    counts = Counter(row["marketplace"] for row in rows)
    assert set(counts) == {"US", "UK", "DE", "FR", "JP"}
    assert counts["US"] > 0.6 * ROWS
    assert counts["UK"] > counts["DE"]
    assert min(counts.values()) > 0.02 * ROWS


def test_years_grow_from_1995_to_the_end_of_august_2015(rows: list[dict[str, Any]]) -> None:
    counts = Counter(row["year"] for row in rows)
    assert sorted(counts) == list(range(1995, 2016))
    assert (
        counts[1995] < counts[2000] < counts[2005] < counts[2010] < counts[2013] < counts[2014] < counts[2015]
    )
    assert all(row["year"] == row["review_date"].year for row in rows)
    assert max(row["review_date"] for row in rows) == date(2015, 8, 31)


def test_stars_are_shaped_like_a_j(rows: list[dict[str, Any]]) -> None:
    counts = Counter(row["star_rating"] for row in rows)
    assert set(counts) == {1, 2, 3, 4, 5}
    assert counts[5] > 0.5 * ROWS
    assert counts[5] > counts[4] > counts[1] > counts[2]


def test_products_differ_in_their_average_stars(rows: list[dict[str, Any]]) -> None:
    stars = defaultdict(list)
    for row in rows:
        stars[row["product_id"]].append(row["star_rating"])
    averages = [sum(given) / len(given) for given in stars.values() if len(given) >= 20]
    assert min(averages) < 3.5
    assert max(averages) > 4.5


def test_helpful_votes_have_a_long_tail_and_never_exceed_the_votes(rows: list[dict[str, Any]]) -> None:
    assert all(0 <= row["helpful_votes"] <= row["total_votes"] for row in rows)
    helpful = sorted((row["helpful_votes"] for row in rows), reverse=True)
    assert helpful[ROWS // 2] == 0
    assert helpful[0] > 1_000
    assert sum(helpful[: ROWS // 100]) > 0.4 * sum(helpful)
    assert any(0 < row["helpful_votes"] == row["total_votes"] for row in rows)


def test_vine_and_verified_purchase_are_yes_or_no(rows: list[dict[str, Any]]) -> None:
    vine = Counter(row["vine"] for row in rows)
    verified = Counter(row["verified_purchase"] for row in rows)
    assert set(vine) == set(verified) == {"Y", "N"}
    assert vine["Y"] < 0.02 * ROWS
    assert verified["Y"] > verified["N"]


def test_titles_are_long_but_never_longer_than_amazon_allows(titles: list[str]) -> None:
    assert max(map(len, titles)) == 400
    assert sum(len(title) > 200 for title in titles) > 0.05 * len(titles)
    assert max(len(title.encode()) for title in titles) > 400


@pytest.mark.parametrize(
    "mark", ["|", '"', "'", ",", "\n", "\t", "\\", "&amp;", "ß", "ü", "é", "œ", "ー", "」", "🎁"]
)
def test_titles_have_the_characters_that_break_files(titles: list[str], mark: str) -> None:
    found = mark.casefold() if mark.isalpha() else mark
    assert any(found in title.casefold() for title in titles)


@pytest.mark.parametrize("column", ["product_title", "review_headline", "review_body"])
def test_a_few_texts_are_empty_or_null(rows: list[dict[str, Any]], column: str) -> None:
    counts = Counter(row[column] for row in rows if not row[column])
    assert 0 < counts[None] < 0.01 * ROWS
    assert 0 < counts[""] < 0.01 * ROWS


def test_texts_are_written_in_the_language_of_the_marketplace(rows: list[dict[str, Any]]) -> None:
    def share(marketplace: str, word: str) -> float:
        bodies = [row["review_body"] or "" for row in rows if row["marketplace"] == marketplace]
        return sum(word in body for body in bodies) / len(bodies)

    for marketplace, word in (("US", " it"), ("UK", " it"), ("DE", "e"), ("FR", "e"), ("JP", "。")):
        assert share(marketplace, word) > 0.3
    assert share("US", "。") == share("DE", "。") == 0
    assert share("DE", "Empfehlung") > 0.1 > share("FR", "Empfehlung") == 0
    assert share("FR", "recommande") > 0.1 > share("UK", "recommande") == 0


def test_the_command_writes_the_tree_of_the_bucket(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(["reviews", "--rows", "50", "--cache", str(tmp_path / "cache"), "--to-dir", str(tmp_path)]) == 0
    )
    assert (tmp_path / "raw/reviews/product_category=Health_&_Personal_Care/part-00000.parquet").is_file()
    assert capsys.readouterr().out.startswith(f"43 categories, 43 files, 50 rows in {tmp_path}, ")


def test_the_command_refuses_too_few_rows_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reviews", "--rows", "42", "--cache", str(tmp_path)]) == 2
    assert capsys.readouterr().err.strip() == (
        "python -m datasets: error: 42 reviews cannot be generated: "
        f"choose from 43, one per category, to {reviews.MOST_ROWS}."
    )


def test_a_bucket_gets_each_file_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        for summary in ("43 uploaded, 0 already there", "0 uploaded, 43 already there"):
            assert main(["reviews", "--rows", "50", "--cache", str(tmp_path)]) == 0
            assert f"in s3://redshift-etl-data ({summary})" in capsys.readouterr().out
