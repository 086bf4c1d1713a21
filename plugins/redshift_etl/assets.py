"""What the pipelines produce, as Airflow's assets: other DAGs can be scheduled on them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset

from redshift_etl.settings import Settings

if TYPE_CHECKING:
    from airflow.sdk import Context


def table(settings: Settings, name: str) -> Asset:
    """Name a table of the warehouse.

    Args:
        settings: The pipelines' settings.
        name: Schema and table, as in `insert into`: by it a task counts the rows that it has written.

    Returns:
        The asset, with a task's rows, statement and parameters in the `extra` of each event.
    """
    where = settings.cluster_identifier or settings.workgroup_name
    return Asset(name=name, uri=f"redshift://{where}/{settings.database}/{name.replace('.', '/')}")


def files(settings: Settings, folder: str, name: str | None = None) -> Asset:
    """Name a folder of the data bucket.

    Args:
        settings: The pipelines' settings.
        folder: Such as `reports/weekly_store_performance`.
        name: The temp table that is unloaded there, whose rows count; None: nothing is counted.

    Returns:
        The asset.
    """
    return Asset(name=name or folder, uri=f"s3://{settings.data_bucket}/{folder}")


def row_count(manifest: Mapping[str, Any], *, header: bool) -> int:
    """Count the rows of an UNLOAD.

    Args:
        manifest: What `manifest verbose` wrote. It counts each file's header line as a row
            (https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html).
        header: Whether the files have one.

    Returns:
        The rows of all files, without headers.
    """
    lines = int(manifest["meta"]["record_count"])
    # A file without rows may be without its header too.
    return max(lines - len(manifest["entries"]), 0) if header else lines


def rows_unloaded(manifest: str) -> Callable[[Context, object], None]:
    """Make a task's `post_execute` that tells the consumers of its assets how many rows an UNLOAD wrote.

    For a task whose SQL does not go through the Data API: operators of scripts tell it by themselves.

    Args:
        manifest: The UNLOAD's manifest, written with `header` and `manifest verbose`.

    Returns:
        The function; it puts `rows` and `manifest` into the `extra` of each event.
    """

    def tell(context: Context, _: object) -> None:
        # Imported late: it brings all of boto3 into every parse of a DAG.
        from airflow.providers.amazon.aws.hooks.s3 import S3Hook  # noqa: PLC0415

        rows = row_count(json.loads(S3Hook().read_key(manifest)), header=True)
        for asset in context["task"].outlets:
            context["outlet_events"][asset].extra = {"rows": rows, "manifest": manifest}

    return tell
