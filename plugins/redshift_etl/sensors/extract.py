"""Wait for a source system's extract in S3."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import Context


class EmptyExtractError(AirflowFailException):
    """A file of the extract holds no byte; the task fails at once, because waiting would not fill it."""


class ExtractSensor(S3KeySensor):
    """Waits for the keys of an extract, in the triggerer, and says at a time-out which keys are missing.

    A file of 0 bytes is refused: passed over in silence, it would be loaded as if the source had nothing to
    tell. A source that has nothing to tell delivers a Parquet file without rows.

    Args:
        bucket_key: The keys, or patterns of keys: `raw/item/extract_date=2003-01-02/*.parquet`.
        deferrable: Wait in the triggerer; False: on the worker.
        kwargs: S3KeySensor's other arguments.
    """

    def __init__(self, *, bucket_key: str | list[str], deferrable: bool = True, **kwargs: Any) -> None:
        super().__init__(bucket_key=bucket_key, wildcard_match=True, deferrable=deferrable, **kwargs)

    def execute(self, context: Context) -> None:
        """Look once, then wait; refuse what arrived empty."""
        try:
            super().execute(context)
        except AirflowSensorTimeout as error:
            self._name_missing(context, error)
        self._refuse_empty()

    def resume_execution(
        self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context
    ) -> None:
        """Take up the task after the wait, also after one that took too long; refuse what arrived empty."""
        try:
            super().resume_execution(next_method, next_kwargs, context)
        except AirflowSensorTimeout as error:
            self._name_missing(context, error)
        self._refuse_empty()

    def _keys(self) -> list[str]:
        return [self.bucket_key] if isinstance(self.bucket_key, str) else self.bucket_key

    def _name_missing(self, context: Context, error: AirflowSensorTimeout) -> None:
        """Look a last time and fail with the keys that are still missing; succeed if there are none."""
        missing = [key for key in self._keys() if not self._check_key(key, context)]
        if missing:
            # Keys may be full s3:// addresses; then they name their bucket themselves.
            named = [key if key.startswith("s3://") else f"s3://{self.bucket_name}/{key}" for key in missing]
            raise AirflowSensorTimeout(
                f"No extract after {self.timeout:.0f} s: still waiting for {', '.join(named)}. "
                "Ask the source system for it, then clear this task."
            ) from error
        self.log.info("The extract arrived at the last moment.")

    def _refuse_empty(self) -> None:
        empty = list(self._empty_files())
        if empty:
            raise EmptyExtractError(
                f"Delivered with 0 bytes, which is no Parquet file: {', '.join(empty)}; "
                "ask the source system for it, then clear this task."
            )

    def _empty_files(self) -> Iterator[str]:
        """Find the addresses of delivered files that hold no byte."""
        for key in self._keys():
            bucket, pattern = self.hook.get_s3_bucket_key(self.bucket_name, key, "bucket_name", "bucket_key")
            prefix = re.split(r"[\[*?]", pattern, maxsplit=1)[0]
            for file in self.hook.iter_file_metadata(prefix, bucket):
                if file["Size"] == 0 and fnmatch.fnmatch(file["Key"], pattern):
                    yield f"s3://{bucket}/{file['Key']}"
