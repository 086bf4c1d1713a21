"""Wait for a source system's extract in S3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor
from airflow.sdk.exceptions import AirflowSensorTimeout

if TYPE_CHECKING:
    from airflow.sdk import Context


class ExtractSensor(S3KeySensor):
    """Waits for the keys of an extract, in the triggerer, and says at a time-out which keys are missing.

    Args:
        deferrable: Wait in the triggerer; False: on the worker.
        kwargs: S3KeySensor's arguments: `bucket_name`, `bucket_key` and the rest.
    """

    def __init__(self, *, deferrable: bool = True, **kwargs: Any) -> None:
        super().__init__(deferrable=deferrable, **kwargs)

    def execute(self, context: Context) -> None:
        """Look once, then wait."""
        try:
            super().execute(context)
        except AirflowSensorTimeout as error:
            self._name_missing(context, error)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Take up the task after the wait, also after one that took too long."""
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except AirflowSensorTimeout as error:
            return self._name_missing(context, error)

    def _name_missing(self, context: Context, error: AirflowSensorTimeout) -> None:
        """Look a last time and fail with the keys that are still missing; succeed if there are none."""
        keys = [self.bucket_key] if isinstance(self.bucket_key, str) else self.bucket_key
        missing = [key for key in keys if not self._check_key(key, context)]
        if missing:
            # Keys may be full s3:// addresses; then they name their bucket themselves.
            named = [key if key.startswith("s3://") else f"s3://{self.bucket_name}/{key}" for key in missing]
            raise AirflowSensorTimeout(
                f"No extract after {self.timeout:.0f} s: still waiting for {', '.join(named)}. "
                "Ask the source system for it, then clear this task."
            ) from error
        self.log.info("The extract arrived at the last moment.")
