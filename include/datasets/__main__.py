"""``python -m datasets``: make a data set and deliver it to S3 or to a folder."""

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import boto3
import duckdb
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from datasets import reviews, store_sales
from datasets.delivery import Delivery, Progress, copy_to, upload
from datasets.progress import progress_bars

type _Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  # it has no public name

_EPILOG = """\
S3 is found as every AWS tool finds it: AWS_ENDPOINT_URL (AWS on this machine, e.g. http://127.0.0.1:4599),
AWS_DEFAULT_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY. Files already there with the
same content are skipped.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: The command line without the program's name; by default the process's own.

    Returns:
        The exit status: 0, 1 where the data set could not be made or delivered, 2 for a value out of range.

    Raises:
        SystemExit: The command line cannot be read (status 2), or ``--help``.
    """
    options = _parser().parse_args(arguments)
    try:
        _deliver(options)
    except (BotoCoreError, ClientError) as error:
        reason = str(error).rstrip(".")
        return _failed(
            f"cannot deliver to s3://{options.bucket}: {reason}; check AWS_ENDPOINT_URL and credentials."
        )
    except (OSError, RuntimeError, duckdb.Error) as error:
        return _failed(f"cannot make the data set in {options.cache}: {error}")
    except ValueError as error:
        return _failed(str(error), status=2)
    return 0


def _failed(message: str, status: int = 1) -> int:
    sys.stderr.write(f"python -m datasets: error: {message}\n")
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m datasets",
        description="Make a data set as its source system would deliver it.",
    )
    commands = parser.add_subparsers(required=True, metavar="DATA-SET")
    _add_store_sales(commands)
    _add_reviews(commands)
    for command in commands.choices.values():
        _add_target(command)
    return parser


def _add_store_sales(commands: _Commands) -> None:
    command = commands.add_parser(
        "store-sales",
        help="TPC-DS store sales: daily Parquet extracts with business keys",
        description="Make the daily Parquet extracts of the TPC-DS store sales system and put them into S3.\n"
        "The first day carries whole dimensions, every later day what differs from the day before.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    days = f"{store_sales.FIRST_DAY} to {store_sales.LAST_DAY}"
    command.add_argument(
        "--from",
        dest="start",
        type=_day,
        required=True,
        metavar="DATE",
        help=f"first day, YYYY-MM-DD, {days}",
    )
    command.add_argument(
        "--to", dest="end", type=_day, required=True, metavar="DATE", help="last day, YYYY-MM-DD, same range"
    )
    command.add_argument(
        "--scale-factor",
        type=float,
        default=0.1,
        metavar="N",
        help="TPC-DS scale factor; 1 is about 2.9 million sales (default: %(default)s)",
    )
    command.set_defaults(make=_make_store_sales)


def _add_reviews(commands: _Commands) -> None:
    command = commands.add_parser(
        "reviews",
        help="product reviews: Parquet in the form of Amazon Customer Reviews, by category",
        description="Make product reviews in the form of Amazon Customer Reviews and put them into S3:\n"
        "Parquet files in one folder for each of 43 categories.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "--rows",
        type=int,
        default=reviews.ROWS,
        metavar="N",
        help="how many reviews (default: %(default)s)",
    )
    command.set_defaults(make=_make_reviews)


def _add_target(command: argparse.ArgumentParser) -> None:
    target = command.add_mutually_exclusive_group()
    target.add_argument(
        "--bucket",
        default="redshift-etl-data",
        metavar="NAME",
        help="S3 bucket, created if it does not exist (default: %(default)s)",
    )
    target.add_argument("--to-dir", type=Path, metavar="DIR", help="write to a folder instead of S3")
    command.add_argument(
        "--cache",
        type=Path,
        default=Path(".local/datasets"),
        metavar="DIR",
        help="folder that keeps what was generated (default: %(default)s)",
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date: write it as YYYY-MM-DD.") from None


def _make_store_sales(options: argparse.Namespace, progress: Progress) -> tuple[str, list[Delivery]]:
    days = (options.end - options.start).days + 1
    deliveries = store_sales.deliver(
        options.start, options.end, scale_factor=options.scale_factor, cache=options.cache, progress=progress
    )
    return f"{days} days", deliveries


def _make_reviews(options: argparse.Namespace, progress: Progress) -> tuple[str, list[Delivery]]:
    deliveries = reviews.deliver(rows=options.rows, cache=options.cache, progress=progress)
    return f"{len(reviews.CATEGORIES)} categories", deliveries


def _deliver(options: argparse.Namespace) -> None:
    began = time.monotonic()
    with progress_bars(Console(stderr=True)) as show:
        scope, deliveries = options.make(options, show)
        if options.to_dir is None:
            put = len(upload(deliveries, options.bucket, boto3.client("s3"), show))
            target = f"in s3://{options.bucket} ({put} uploaded, {len(deliveries) - put} already there)"
        else:
            copy_to(deliveries, options.to_dir, show)
            target = f"in {options.to_dir}"
    rows = sum(delivery.rows for delivery in deliveries)
    seconds = time.monotonic() - began
    sys.stdout.write(f"{scope}, {len(deliveries)} files, {rows:,} rows {target}, {seconds:.1f} s\n")


if __name__ == "__main__":
    sys.exit(main())
