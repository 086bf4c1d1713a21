"""The alert for reports that are not ready in the morning."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert

from redshift_etl.deadline import DayAfterReference
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
        # For the triggerer, which finds classes of plugins/ and none of DAG files.
        callback=AsyncCallback(
            DeadlineMissedAlert,
            kwargs={"topic_arn": settings.sns_topic_arn, "timezone": settings.timezone},
        ),
    )
