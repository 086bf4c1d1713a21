"""The alerts' way out: Amazon SNS. A DAG names these notifiers as its callbacks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from airflow.providers.amazon.aws.notifications.sns import SnsNotifier

from redshift_etl.notifications import message
from redshift_etl.notifications.message import Alert


class SnsAlert(SnsNotifier):
    """Publishes an alert composed from the callback's context.

    An alert that cannot be sent is logged with everything it says; the failure that it reports stays what it
    is. Each message has the attribute `event`, by which a subscription can filter.

    Args:
        topic_arn: The SNS topic.
        kwargs: BaseNotifier's `context`, which Airflow passes to a deadline's callback.
    """

    def __init__(self, *, topic_arn: str, **kwargs: Any) -> None:
        region = topic_arn.split(":")[3]
        super().__init__(target_arn=topic_arn, message="", region_name=region, **kwargs)

    @abstractmethod
    def compose(self, context: Mapping[str, Any]) -> Alert | None:
        """Compose the alert; None when there is nothing to tell."""

    def notify(self, context: Any) -> None:
        """Publish, from a task's process or from the DAG processor."""
        alert = None
        try:
            if alert := self.compose(context):
                self.hook.publish_to_target(**self._publication(alert))
                self.log.info("Alert sent to %s: %s", self.target_arn, alert.subject)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not bury what it was to report
            self._log_lost(alert, error)

    async def async_notify(self, context: Any) -> None:
        """Publish, from the triggerer."""
        alert = None
        try:
            if alert := self.compose(context):
                await self.hook.apublish_to_target(**self._publication(alert))
                self.log.info("Alert sent to %s: %s", self.target_arn, alert.subject)
        except Exception as error:  # noqa: BLE001 - as above
            self._log_lost(alert, error)

    def _publication(self, alert: Alert) -> dict[str, Any]:
        return {
            "target_arn": self.target_arn,
            "subject": alert.subject,
            "message": alert.text,
            "message_attributes": {"event": alert.event},
        }

    def _log_lost(self, alert: Alert | None, error: Exception) -> None:
        self.log.error(
            "The alert could not be sent to %s (%s: %s): check that the topic exists and that Airflow's role "
            "may publish to it. The alert was: %s",
            self.target_arn,
            type(error).__name__,
            error,
            f"{alert.subject}\n{alert.text}" if alert else "not composed yet",
        )


class TaskFailedAlert(SnsAlert):
    """For `on_failure_callback` of a task: called once, when no further try follows."""

    def compose(self, context: Mapping[str, Any]) -> Alert | None:
        """Say which task failed and why."""
        return message.task_failed(context)


class RunFailedAlert(SnsAlert):
    """For `on_failure_callback` of a DAG: silent where a failed task has sent its own alert."""

    def compose(self, context: Mapping[str, Any]) -> Alert | None:
        """Say why a run failed whose tasks did not."""
        return message.run_failed(context)


class RunSucceededAlert(SnsAlert):
    """For `on_success_callback` of a DAG."""

    def compose(self, context: Mapping[str, Any]) -> Alert | None:
        """Say that the run succeeded."""
        return message.run_succeeded(context)


class DeadlineMissedAlert(SnsAlert):
    """For `AsyncCallback` of a DAG's deadline, which runs in the triggerer.

    Args:
        topic_arn: The SNS topic.
        timezone: IANA name of the pipeline's zone.
        kwargs: BaseNotifier's `context`, which Airflow passes.
    """

    def __init__(self, *, topic_arn: str, timezone: str, **kwargs: Any) -> None:
        super().__init__(topic_arn=topic_arn, **kwargs)
        self.timezone = timezone

    def compose(self, context: Mapping[str, Any]) -> Alert | None:
        """Say which run is late."""
        return message.deadline_missed(context, self.timezone)
