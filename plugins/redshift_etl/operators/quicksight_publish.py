"""Hand an UNLOADed report to Amazon QuickSight."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.operators.quicksight import QuickSightCreateIngestionOperator
from airflow.sdk.exceptions import AirflowFailException
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from airflow.sdk import Context


class ReportError(AirflowFailException):
    """There is no report to publish; a retry would find none either."""


class QuickSightPublishOperator(QuickSightCreateIngestionOperator):
    """Writes QuickSight's manifest of a report, and refreshes the data set that reads it.

    The manifest names every file that the UNLOAD wrote, as the UNLOAD's own manifest lists them, and says
    that they are CSV with a header, so that the columns have their names.

    Args:
        unload_manifest: Location of the manifest that the UNLOAD wrote, `s3://bucket/prefix/manifest`.
        manifest: Location of QuickSight's manifest, outside of what the UNLOAD cleans.
        data_set_id: The data set to refresh; None: only the manifest is written.
        kwargs: The AWS connection, and BaseOperator's arguments.
    """

    template_fields = ("unload_manifest", "manifest", "data_set_id", "aws_conn_id", "region_name", "verify")

    def __init__(
        self, *, unload_manifest: str, manifest: str, data_set_id: str | None = None, **kwargs: Any
    ) -> None:
        # The ingestion's id is made when the task runs.
        super().__init__(data_set_id=data_set_id or "", ingestion_id="", **kwargs)
        self.unload_manifest = unload_manifest
        self.manifest = manifest

    def execute(self, context: Context) -> dict[str, Any]:
        """Write the manifest, and refresh the data set if there is one.

        Returns:
            The manifest's location, its number of files, and the ingestion's id or None.

        Raises:
            ReportError: The UNLOAD's manifest is missing or names no file.
        """
        s3: Any = S3Hook(aws_conn_id=self.aws_conn_id, region_name=self.region_name, verify=self.verify).conn
        urls = self._files(s3)
        content = {
            "fileLocations": [{"URIs": urls}],
            "globalUploadSettings": {
                "format": "CSV",
                "delimiter": ",",
                "textqualifier": '"',
                "containsHeader": "true",
            },
        }
        bucket, key = _split(self.manifest)
        s3.put_object(
            Bucket=bucket,
            Key=key,
            Body=json.dumps(content, indent=2).encode(),
            ContentType="application/json",
        )
        self.log.info("%s names %s file(s).", self.manifest, len(urls))
        done = {"manifest": self.manifest, "files": len(urls), "ingestion_id": None}
        if not self.data_set_id:
            self.log.info(
                "QuickSight is not configured: set quicksight_data_set_id in [redshift_etl] to the id of the "
                "data set that reads %s, and it is refreshed here.",
                self.manifest,
            )
            return done
        self.ingestion_id = _ingestion_id(context)
        super().execute(context)
        return done | {"ingestion_id": self.ingestion_id}

    def _files(self, s3: Any) -> list[str]:
        bucket, key = _split(self.unload_manifest)
        try:
            written = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            raise ReportError(
                f"{self.unload_manifest} does not exist: the UNLOAD before this task writes it, run it again."
            ) from error
        urls = [entry["url"] for entry in written["entries"]]
        if not urls:
            raise ReportError(
                f"{self.unload_manifest} names no file: the report is empty, and QuickSight takes no empty "
                "manifest. Load reviews first."
            )
        return urls


def _ingestion_id(context: Context) -> str:
    """Name this try: unique in the data set for ever, at most 128 letters, digits, hyphens, underscores."""
    ti = context["ti"]
    name = re.sub(r"[^\w-]", "-", f"{ti.dag_id}-{ti.run_id}-{ti.try_number}", flags=re.ASCII)
    # Airflow gives every try an id of its own; a run may be deleted and made again under its name.
    return f"{name[:91]}-{ti.id}"


def _split(location: str) -> tuple[str, str]:
    url = urlsplit(location, allow_fragments=False)
    return url.netloc, url.path.lstrip("/")
