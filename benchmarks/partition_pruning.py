"""What a load costs as the lake grows: its rows, or the lake?

    .venv/bin/python benchmarks/partition_pruning.py [--rows 430000] [--repeat 7]

Three external tables hold 1, 10 and 43 categories of reviews. Two loads are timed on each, in turns, so that
whatever else the machine does falls on all of them: that of sql/reviews/etl.sql restricted to one category,
the same rows every time, and that of etl.sql as it is, which loads every category. Printed are medians, the
first one's ratio to the smallest lake, and the second one's time per row loaded.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "include"))
sys.path.insert(0, str(PROJECT / "tests"))

from datasets import reviews  # noqa: E402 - found by the paths above, as the next ones
from datasets.delivery import upload  # noqa: E402
from glue.redshift_sql.runner import Runner  # noqa: E402
from glue.redshift_sql.script import Script  # noqa: E402
from reviews_lakehouse import BUCKET, ROLE, Lakehouse, running  # noqa: E402

LOADED = "Books"
COUNTS = (1, 10, 43)


def main() -> None:
    """Print a line for each lake."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=430_000, help="reviews of all 43 categories")
    parser.add_argument("--repeat", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), rows=43) as house:
        sizes = {count: make_lake(house, count, options.rows) for count in COUNTS}
        one: dict[int, list[float]] = {count: [] for count in COUNTS}
        whole: dict[int, list[float]] = {count: [] for count in COUNTS}
        rows = {}
        for turn in range(options.repeat + 1):  # the first is not counted
            for count in COUNTS:
                seconds, one_rows = load(house, count, f" and product_category = '{LOADED}'")
                all_seconds, all_rows = load(house, count, "")
                rows[count] = (one_rows, all_rows)
                if turn:
                    one[count].append(seconds)
                    whole[count].append(all_seconds)
    print(
        "categories  lake rows | one category: rows       s  ratio | all categories: rows       s  µs a row"
    )
    first = statistics.median(one[COUNTS[0]])
    for count in COUNTS:
        seconds, all_seconds = statistics.median(one[count]), statistics.median(whole[count])
        one_rows, all_rows = rows[count]
        print(
            f"{count:>10} {sizes[count]:>10,} | {one_rows:>18,} {seconds:>7.3f} {seconds / first:>6.2f}"
            f" | {all_rows:>20,} {all_seconds:>7.3f} {all_seconds / all_rows * 1e6:>9.2f}"
        )


def make_lake(house: Lakehouse, count: int, rows: int) -> int:
    """Deliver so many categories to a lake of their own, with its external table; returns its reviews."""
    order = sorted(reviews.CATEGORIES, key=lambda name: (name != LOADED, name))[:count]
    folders = tuple(f"raw/reviews/product_category={name}/" for name in order)
    deliveries = [
        replace(one, key=one.key.replace("raw/reviews/", f"raw/reviews_{count}/"))
        for one in reviews.deliver(rows=rows, cache=PROJECT / ".local" / "datasets")
        if one.key.startswith(folders)
    ]
    upload(deliveries, BUCKET, house.s3)
    location = f"s3://{BUCKET}/raw/reviews_{count}/"
    text = (PROJECT / "sql/reviews/schema.sql").read_text()
    text = text.replace("amzreviews.reviews", f"amzreviews.reviews_{count}").replace(
        "'reviews'", f"'reviews_{count}'"
    )
    run(house, text, iam_role_arn=ROLE, reviews_location=location)
    names = {"DatabaseName": "amzreviews", "TableName": f"reviews_{count}"}
    table = house.glue.get_table(DatabaseName="amzreviews", Name=f"reviews_{count}")["Table"]
    for name in order:
        storage = table["StorageDescriptor"] | {"Location": f"{location}product_category={name}/"}
        house.glue.create_partition(**names, PartitionInput={"Values": [name], "StorageDescriptor": storage})
    return sum(one.rows for one in deliveries)


def load(house: Lakehouse, count: int, condition: str) -> tuple[float, int]:
    """Seconds of the load from one lake, and the rows that it left."""
    house.query("truncate public.reviews")
    text = (PROJECT / "sql/reviews/etl.sql").read_text().rstrip().rstrip(";") + condition
    seconds = run(house, text.replace("amzreviews.reviews", f"amzreviews.reviews_{count}"), first_year="2015")
    ((rows,),) = house.query("select count(*) from public.reviews")
    return seconds, int(rows)


def run(house: Lakehouse, sql: str, **arguments: str) -> float:
    """Run a script as the Glue job does; returns its seconds."""
    script = Script.read("benchmark.sql", sql, arguments)
    with house.connect() as connection:
        started = time.perf_counter()
        Runner(connection, house.login, script).run(statement_timeout=600)
        return time.perf_counter() - started


if __name__ == "__main__":
    main()
