"""What Airflow finds by itself in `plugins/`: the classes that its own processes look up by name."""

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from redshift_etl.deadline import DayAfterReference


class RedshiftEtlPlugin(AirflowPlugin):
    """Registers the deadline reference, which the scheduler and the API server evaluate."""

    name = "redshift_etl"
    deadline_references: list[Any] = [DayAfterReference]  # noqa: RUF012 - Airflow's base class declares it so
