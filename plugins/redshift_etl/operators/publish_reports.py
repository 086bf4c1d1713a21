"""Point to a day's reports as the latest ones, once all their files are there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException
from botocore.exceptions import ClientError

from redshift_etl.assets import row_count
from redshift_etl.links import ReportLink

if TYPE_CHECKING:
    from airflow.sdk import Context
    from mypy_boto3_s3 import S3Client


class ReportIncompleteError(AirflowException):
    """A file that a manifest names is not there as it should be; no pointer has been moved."""


class PublishReportsOperator(BaseOperator):
    """Switches `reports/<report>/latest.json` to the reports of one refresh date.

    An UNLOAD's manifest is written after its files and lists them with their sizes. Each file of each report
    in each format is looked up before the first pointer moves. A pointer is one object, so that a reader
    sees the old day or the new one. It never goes back: a past day that is run again replaces that day's
    files, and `latest` stays at the later day.

    Args:
        bucket: The data bucket.
        reports: The folders under `reports/`.
        refresh_date: YYYY-MM-DD; templated.
        aws_conn_id: Airflow's AWS connection.
        kwargs: BaseOperator's arguments.
    """

    template_fields: Sequence[str] = ("bucket", "reports", "refresh_date")
    ui_color = "#dcefdc"
    operator_extra_links = (ReportLink(),)

    formats: ClassVar[tuple[str, ...]] = ("csv", "parquet")

    def __init__(
        self,
        *,
        bucket: str,
        reports: Sequence[str],
        refresh_date: str,
        aws_conn_id: str | None = "aws_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.bucket = bucket
        self.reports = reports
        self.refresh_date = refresh_date
        self.aws_conn_id = aws_conn_id

    def execute(self, context: Context) -> dict[str, str]:  # noqa: ARG002 - Airflow passes it
        """Look every file up, then switch every pointer.

        Returns:
            The refresh date to which each report's pointer points now.

        Raises:
            ReportIncompleteError: A manifest or a file is missing, or has another size.
        """
        # Imported late: it brings all of boto3 into every parse of a DAG.
        from airflow.providers.amazon.aws.hooks.s3 import S3Hook  # noqa: PLC0415

        s3 = S3Hook(aws_conn_id=self.aws_conn_id).get_conn()
        pointers = {report: self._pointer(s3, report) for report in self.reports}
        return {report: self._switch(s3, report, pointer) for report, pointer in pointers.items()}

    def _pointer(self, s3: S3Client, report: str) -> dict[str, Any]:
        """Describe the day's report: each format's manifest, and the files that it names."""
        formats = {}
        for name in self.formats:
            key = f"reports/{report}/refresh_date={self.refresh_date}/{name}/manifest"
            sizes, rows = self._manifest(s3, key, header=name == "csv")
            for url, size in sizes.items():
                self._require(s3, key, url, size)
            formats[name] = {"manifest": f"s3://{self.bucket}/{key}", "files": list(sizes), "rows": rows}
        return {"report": report, "refresh_date": self.refresh_date, "formats": formats}

    def _manifest(self, s3: S3Client, key: str, *, header: bool) -> tuple[dict[str, int], int]:
        """Read an UNLOAD's manifest: the size of each file by its URL, and the number of rows."""
        try:
            manifest = json.loads(s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())
            sizes = {str(entry["url"]): int(entry["meta"]["content_length"]) for entry in manifest["entries"]}
            return sizes, row_count(manifest, header=header)
        except ClientError as error:
            raise ReportIncompleteError(
                f"s3://{self.bucket}/{key} cannot be read ({error}): run the report's unload task again."
            ) from error
        except (ValueError, LookupError, TypeError) as error:
            raise ReportIncompleteError(
                f"s3://{self.bucket}/{key} is not the manifest of an UNLOAD ({error!r}): "
                "run the report's unload task again."
            ) from error

    def _require(self, s3: S3Client, manifest: str, url: str, size: int) -> None:
        if not url.startswith(f"s3://{self.bucket}/"):
            raise ReportIncompleteError(
                f"{url} is in s3://{self.bucket}/{manifest} and not in bucket {self.bucket}: "
                "run the report's unload task again."
            )
        try:
            found = s3.head_object(Bucket=self.bucket, Key=url.removeprefix(f"s3://{self.bucket}/"))
        except ClientError as error:
            raise ReportIncompleteError(
                f"{url} is in its manifest and not in S3 ({error}): run the report's unload task again."
            ) from error
        if found["ContentLength"] != size:
            raise ReportIncompleteError(
                f"{url} has {found['ContentLength']:,} bytes and its manifest says {size:,}: "
                "run the report's unload task again."
            )

    def _switch(self, s3: S3Client, report: str, pointer: dict[str, Any]) -> str:
        """Write the pointer unless it is at a later day; look again if another run was quicker."""
        key = f"reports/{report}/latest.json"
        body = json.dumps(pointer, indent=2).encode()
        while True:
            condition: dict[str, str]
            try:
                current = s3.get_object(Bucket=self.bucket, Key=key)
            except s3.exceptions.NoSuchKey:
                condition = {"IfNoneMatch": "*"}
            else:
                latest = self._latest(key, current["Body"].read())
                if latest > self.refresh_date:
                    self.log.info("%s stays at %s, which is later than %s.", key, latest, self.refresh_date)
                    return latest
                condition = {"IfMatch": current["ETag"]}
            try:
                s3.put_object(Bucket=self.bucket, Key=key, Body=body, **condition)  # type: ignore[arg-type]  # by name
            except ClientError as error:
                # https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
                if error.response["Error"]["Code"] in {"PreconditionFailed", "ConditionalRequestConflict"}:
                    continue
                raise
            self.log.info("%s points to %s.", key, self.refresh_date)
            return self.refresh_date

    def _latest(self, key: str, body: bytes) -> str:
        """Read the day that a pointer points to."""
        try:
            return str(json.loads(body)["refresh_date"])
        except (ValueError, LookupError, TypeError) as error:
            raise ReportIncompleteError(
                f"s3://{self.bucket}/{key} is not a pointer to a report ({error!r}): delete it, or restore "
                "an earlier version of it, and clear this task."
            ) from error
