"""Hand an UNLOADed report to Amazon QuickSight."""

from __future__ import annotations

import json
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.operators.quicksight import QuickSightCreateIngestionOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from botocore.exceptions import ClientError

from redshift_etl.links import ReportLink
from redshift_etl.operators.once import OnceMixin
from redshift_etl.quicksight_ingestions import IngestionWatch
from redshift_etl.triggers.quicksight_ingestion import IngestionTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context


class ReportError(AirflowFailException):
    """There is no report to publish; a retry would find none either."""


class IngestionError(AirflowException):
    """QuickSight did not take the report; a retry starts another ingestion."""


class QuickSightPublishOperator(OnceMixin[dict[str, Any]], QuickSightCreateIngestionOperator):
    """Writes QuickSight's manifest of a report, and refreshes the data set that reads it.

    The manifest names every file that the UNLOAD wrote, as the UNLOAD's own manifest lists them, and says
    that they are CSV with a header, so that the columns have their names.

    The refresh keeps the promise of `OnceMixin`, and is waited for without holding a worker. An ingestion
    that failed or was cancelled fails the task.

    Args:
        unload_manifest: Location of the manifest that the UNLOAD wrote, `s3://bucket/prefix/manifest`.
        manifest: Location of QuickSight's manifest, outside of what the UNLOAD cleans.
        data_set_id: The data set to refresh; None: only the manifest is written.
        deferrable: Wait in the triggerer; False: on the worker.
        poll_interval: Seconds between two looks of the triggerer at the ingestion.
        kwargs: The AWS connection, and BaseOperator's arguments.
    """

    template_fields = ("unload_manifest", "manifest", "data_set_id", "aws_conn_id", "region_name", "verify")
    operator_extra_links = (ReportLink(),)
    external_id_key = "quicksight_ingestion"

    def __init__(
        self,
        *,
        unload_manifest: str,
        manifest: str,
        data_set_id: str | None = None,
        deferrable: bool = True,
        poll_interval: int = 10,
        **kwargs: Any,
    ) -> None:
        # The provider's wait holds a worker; the ingestion's id is made when the task runs.
        super().__init__(data_set_id=data_set_id or "", ingestion_id="", wait_for_completion=False, **kwargs)
        self.unload_manifest = unload_manifest
        self.manifest = manifest
        self.deferrable = deferrable
        self.poll_interval = poll_interval

    def execute(self, context: Context) -> dict[str, Any]:
        """Write the manifest, and refresh the data set if there is one.

        Returns:
            The manifest's location, and the ingestion's id or None.

        Raises:
            ReportError: The UNLOAD's manifest is missing or names no file.
            IngestionError: QuickSight did not take the report.
        """
        self._write_manifest()
        if not self.data_set_id:
            self.log.info(
                "QuickSight is not configured: set quicksight_data_set_id in [redshift_etl] to the id of the "
                "data set that reads %s, and it is refreshed here.",
                self.manifest,
            )
            return {"manifest": self.manifest, "ingestion_id": None}
        ingestion_id = self._work(context)
        if not ingestion_id:
            raise AssertionError("_start gives an ingestion or raises")
        return self._conclude(ingestion_id)

    @cached_property
    def _watch(self) -> IngestionWatch:
        return IngestionWatch(self.hook.conn, self.hook.account_id, self.data_set_id, self.log)

    def _running(self, context: Context) -> list[str]:
        """List the ingestions that this task instance started and that have not ended."""
        own = self._name(context)
        return [
            found["IngestionId"]
            for found in self._watch.ingestions()
            if found["IngestionId"].startswith(own) and not self._watch.ended(found)
        ]

    def _name(self, context: Context) -> str:
        """Name the task instance: what the ids of its ingestions begin with."""
        ti = context["ti"]
        name = re.sub(r"[^\w-]", "-", f"{ti.dag_id}-{ti.run_id}", flags=re.ASCII)
        return f"{name[:63]}-"  # with a token 128 characters, the most that QuickSight takes

    def _start(self, context: Context, token: str) -> str:
        """Start an ingestion. Its id ends with the token, so QuickSight refuses to start a second one."""
        self.ingestion_id = self._name(context) + token
        try:
            super().execute(context)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceExistsException":
                raise
            self.log.info("Ingestion %s is an earlier try's.", self.ingestion_id)
        return self.ingestion_id

    def _trigger(self, work_id: str) -> IngestionTrigger:
        return IngestionTrigger(
            account_id=self._watch.account_id,
            data_set_id=self.data_set_id,
            ingestion_id=work_id,
            poll_interval=self.poll_interval,
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
        )

    def _result(self, found: dict[str, Any]) -> dict[str, Any]:
        ingestion_id, status = found["IngestionId"], found["IngestionStatus"]
        if not self._watch.succeeded(found):
            error = found.get(
                "ErrorInfo", {"Type": "no reason given", "Message": "somebody may have stopped it"}
            )
            raise IngestionError(
                f"Ingestion {ingestion_id} of QuickSight data set {self.data_set_id} is {status}: "
                f"{error['Type']}, {error['Message']}. The data set still shows the report of before: see "
                f"that it can read {self.manifest}, and clear the task."
            )
        self.log.info("Data set %s is refreshed by ingestion %s.", self.data_set_id, ingestion_id)
        return {"manifest": self.manifest, "ingestion_id": ingestion_id}

    def _write_manifest(self) -> None:
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

    def _files(self, s3: Any) -> list[str]:
        bucket, key = _split(self.unload_manifest)
        try:
            written = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
            urls = [str(entry["url"]) for entry in written["entries"]]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            raise ReportError(
                f"{self.unload_manifest} does not exist: the UNLOAD before this task writes it, run it again."
            ) from error
        except (ValueError, LookupError, TypeError) as error:
            raise ReportError(
                f"{self.unload_manifest} is not the manifest of an UNLOAD ({error!r}): run the UNLOAD before "
                "this task again."
            ) from error
        if not urls:
            raise ReportError(
                f"{self.unload_manifest} names no file: the report is empty, and QuickSight takes no empty "
                "manifest. Load reviews first."
            )
        return urls


def _split(location: str) -> tuple[str, str]:
    url = urlsplit(location, allow_fragments=False)
    return url.netloc, url.path.lstrip("/")
