"""What Terraform and the source systems put into an account, put into the local one."""

import argparse
import os
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import boto3
from rich.console import Console

from laptop import reviews_job
from laptop.alerts import create_alert_topic


@dataclass(frozen=True)
class Sources:
    """What the source systems deliver.

    Attributes:
        start: First refresh date of the store sales.
        end: Last refresh date.
        scale_factor: TPC-DS scale factor of the store sales.
        reviews: Number of product reviews.
    """

    start: date = date(2002, 12, 31)
    end: date = date(2003, 1, 2)
    scale_factor: float = 0.1
    reviews: int = 100_000

    @property
    def days(self) -> list[date]:
        """The refresh dates, in order."""
        return [self.start + timedelta(days=n) for n in range((self.end - self.start).days + 1)]


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that `sources` reads."""
    default = Sources()
    parser.add_argument(
        "--from",
        dest="start",
        type=date.fromisoformat,
        default=default.start,
        help="first refresh date (default %(default)s)",
    )
    parser.add_argument(
        "--to",
        dest="end",
        type=date.fromisoformat,
        default=default.end,
        help="last refresh date (default %(default)s)",
    )
    parser.add_argument(
        "--scale-factor",
        type=float,
        default=default.scale_factor,
        help="TPC-DS scale factor (default %(default)s)",
    )
    parser.add_argument(
        "--reviews", type=int, default=default.reviews, help="number of reviews (default %(default)s)"
    )


def sources(options: argparse.Namespace) -> Sources:
    """Read what `add_source_arguments` added."""
    return Sources(options.start, options.end, options.scale_factor, options.reviews)


def furnish(delivered: Sources, cache: Path, console: Console) -> None:
    """Create the alerts' topic and the Glue job, and deliver the extracts.

    AWS is the one of the environment (`AWS_ENDPOINT_URL`); it has nothing of this yet.

    Args:
        delivered: What to generate.
        cache: Where generated data are kept for the next time.
        console: Where progress is shown.
    """
    # Imported late: DuckDB and the generator are not needed to say that a port is taken.
    from datasets import delivery, reviews, store_sales  # noqa: PLC0415
    from datasets.progress import progress_bars  # noqa: PLC0415

    bucket = os.environ["AIRFLOW__REDSHIFT_ETL__DATA_BUCKET"]
    create_alert_topic()
    started = time.monotonic()
    with progress_bars(console) as progress:
        deliveries = store_sales.deliver(
            delivered.start,
            delivered.end,
            scale_factor=delivered.scale_factor,
            cache=cache,
            progress=progress,
        )
        deliveries += reviews.deliver(rows=delivered.reviews, cache=cache, progress=progress)
        delivery.upload(deliveries, bucket, boto3.client("s3"), progress)
    console.print(
        f"The source systems delivered the sales of {delivered.start} to {delivered.end} and "
        f"{delivered.reviews:,} reviews to s3://{bucket}/raw "
        f"({len(deliveries)} files, {time.monotonic() - started:.0f} s)."
    )
    reviews_job.deploy()
