"""What the pipelines produce, as Airflow's assets: other DAGs can be scheduled on them."""

from __future__ import annotations

from airflow.sdk import Asset

from redshift_etl.settings import Settings


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
