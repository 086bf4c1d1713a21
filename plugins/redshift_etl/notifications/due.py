"""The alerts for runs that are late."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert

from redshift_etl.deadline import DayAfterReference, QueuedReference
from redshift_etl.notifications.sns import DeadlineMissedAlert
from redshift_etl.settings import Settings


def reports_due(settings: Settings) -> DeadlineAlert | None:
    """Describe the deadline of a DAG's scheduled runs: the settings' time of day, after the refresh date.

    Args:
        settings: The pipelines' settings.

    Returns:
        For the DAG's argument `deadline`; None when the settings name no time.
    """
    if not settings.deadline:
        return None
    return DeadlineAlert(
        name="Reports are ready",
        reference=DayAfterReference(settings.deadline, settings.timezone),
        interval=timedelta(0),
        callback=_late(settings),
    )


def run_takes_long(settings: Settings, limit: timedelta) -> DeadlineAlert:
    """Describe the deadline of every run of a DAG without a schedule: so long after it was asked for.

    Args:
        settings: The pipelines' settings.
        limit: How long a run may wait and work before somebody is told; it goes on.

    Returns:
        For the DAG's argument `deadline`.
    """
    return DeadlineAlert(
        name="Run is done",
        reference=QueuedReference(),
        interval=limit,
        callback=_late(settings),
    )


def _late(settings: Settings) -> AsyncCallback:
    # For the triggerer, which finds classes of plugins/ and none of DAG files.
    return AsyncCallback(
        DeadlineMissedAlert, kwargs={"topic_arn": settings.sns_topic_arn, "timezone": settings.timezone}
    )
