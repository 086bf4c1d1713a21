"""Wait for a source system's extract in S3, and refuse one that is not what was agreed."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout

from redshift_etl.extracts import Columns
from redshift_etl.parquet_footer import NotParquetError, column_names

if TYPE_CHECKING:
    from airflow.sdk import Context

# An alert has room for so many files; of the others it says how many there are.
NAMED_FILES = 10


class BadExtractError(AirflowFailException):
    """A delivered file cannot be loaded; the task fails at once, because waiting would not mend it."""


class ExtractSensor(S3KeySensor):
    """Waits for the keys of an extract, in the triggerer, and says at a time-out which keys are missing.

    Of what has arrived, it refuses files of 0 bytes, and files whose columns, by the end of the file, are not
    those that were agreed: passed over in silence, they would be loaded as if the source had nothing to tell,
    or with one column's values in another. A source that has nothing to tell delivers a file without rows.

    Args:
        bucket_key: The keys, or patterns of keys: `raw/item/extract_date=2003-01-02/*.parquet`.
        columns: The columns of the files whose key matches a pattern: `raw/item/*`. Of a file that matches
            none, only the size is looked at.
        deferrable: Wait in the triggerer; False: on the worker.
        kwargs: S3KeySensor's other arguments.
    """

    def __init__(
        self,
        *,
        bucket_key: str | list[str],
        columns: Mapping[str, Columns] | None = None,
        deferrable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(bucket_key=bucket_key, wildcard_match=True, deferrable=deferrable, **kwargs)
        self.columns = columns or {}

    def execute(self, context: Context) -> None:
        """Look once, then wait; refuse what is not as agreed."""
        try:
            super().execute(context)
        except AirflowSensorTimeout as error:
            self._name_missing(context, error)
        self._refuse_bad()

    def resume_execution(
        self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context
    ) -> None:
        """Take up the task after the wait, also one that took too long; refuse what is not as agreed."""
        try:
            super().resume_execution(next_method, next_kwargs, context)
        except AirflowSensorTimeout as error:
            self._name_missing(context, error)
        self._refuse_bad()

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

    def _refuse_bad(self) -> None:
        bad = [
            f"s3://{bucket}/{key} {fault}"
            for bucket, key, size in self._files()
            if (fault := self._fault(bucket, key, size))
        ]
        if bad:
            more = [f"{len(bad) - NAMED_FILES} more"] if len(bad) > NAMED_FILES else []
            raise BadExtractError(
                f"The extract is not what was agreed: {'; '.join(bad[:NAMED_FILES] + more)}. "
                "Ask the source system for it, then clear this task."
            )

    def _files(self) -> Iterator[tuple[str, str, int]]:
        """Bucket, key and size in bytes of every delivered file."""
        for key in self._keys():
            bucket, pattern = self.hook.get_s3_bucket_key(self.bucket_name, key, "bucket_name", "bucket_key")
            prefix = re.split(r"[\[*?]", pattern, maxsplit=1)[0]
            for file in self.hook.iter_file_metadata(prefix, bucket):
                if fnmatch.fnmatch(file["Key"], pattern):
                    yield bucket, file["Key"], file["Size"]

    def _fault(self, bucket: str, key: str, size: int) -> str | None:
        """Tell what is wrong with a file, if anything is."""
        if size == 0:
            return "has 0 bytes"
        expected = next((one for pattern, one in self.columns.items() if fnmatch.fnmatch(key, pattern)), None)
        if expected is None:
            return None

        s3: Any = self.hook.conn

        def read(start: int, end: int) -> bytes:
            part = s3.get_object(Bucket=bucket, Key=key, Range=f"bytes={start}-{end - 1}")
            return bytes(part["Body"].read())

        try:
            return expected.fault(column_names(size, read))
        except NotParquetError as error:
            return f"is no Parquet file ({error})"
