"""What the reviews pipeline must produce, computed straight from the delivered Parquet files in Python."""

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

COLUMNS = (
    "marketplace", "customer_id", "review_id", "product_id", "product_parent", "product_title", "star_rating",
    "helpful_votes", "total_votes", "vine", "verified_purchase", "review_date", "year", "product_category",
)  # fmt: skip
REPORT = ("marketplace", "product_category", "product_title", "review_id", "helpful_votes", "average_stars")


def load_reviews(lake: Path, first_year: int) -> list[dict[str, Any]]:
    """The rows of public.reviews.

    Args:
        lake: The folder with the `product_category=X` folders.
        first_year: Earlier reviews are left out.
    """
    return [
        {column: row[column] for column in COLUMNS}
        for folder in sorted(lake.glob("product_category=*"))
        for file in sorted(folder.glob("*.parquet"))
        # Not read_table: it would take the folder's name for a column, too.
        for row in _with_category(pq.ParquetFile(file).read(list(COLUMNS[:-1])).to_pylist(), folder)
        if row["year"] >= first_year
    ]


def top_reviews(reviews: list[dict[str, Any]], top_n: int) -> list[dict[str, Any]]:
    """The rows of the report, in its order; average_stars is a Decimal with two places."""
    stars = defaultdict(list)
    for review in reviews:
        stars[review["product_id"]].append(review["star_rating"])
    average = {product: Fraction(sum(given), len(given)) for product, given in stars.items()}

    groups = defaultdict(list)
    for review in reviews:
        groups[review["marketplace"], review["product_category"]].append(review)
    top = []
    for group in groups.values():
        group.sort(key=lambda r: (-r["helpful_votes"], -average[r["product_id"]], r["review_id"]))
        top += group[:top_n]

    rows = [
        {column: review[column] for column in REPORT[:-1]}
        | {"average_stars": _rounded(average[review["product_id"]])}
        for review in top
    ]
    rows.sort(key=lambda row: (-row["helpful_votes"], -row["average_stars"], row["review_id"]))
    return rows


def _with_category(rows: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    return [row | {"product_category": folder.name.partition("=")[2]} for row in rows]


def _rounded(average: Fraction) -> Decimal:
    exact = Decimal(average.numerator) / Decimal(average.denominator)
    return exact.quantize(Decimal("0.01"), ROUND_HALF_UP)
