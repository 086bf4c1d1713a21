"""Register the partitions that a lake holds, in the Glue catalog."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import batched
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from airflow.providers.amazon.aws.hooks.glue_catalog import GlueCatalogHook
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.operators.base_aws import AwsBaseOperator
from airflow.sdk.exceptions import AirflowException

if TYPE_CHECKING:
    from airflow.sdk import Context

# BatchCreatePartition takes at most 100 (AWS Glue API reference).
_AT_ONCE: Final = 100


class PartitionError(AirflowException):
    """The lake holds no partition, is not where the catalog looks, or the catalog refused a partition."""


class GluePartitionsOperator(AwsBaseOperator[GlueCatalogHook]):
    """Adds a partition for every `<key>=<value>/` folder below an external table's location.

    What the catalog has already stays as it is, so the task can run again at any time; the folders decide
    what is loaded, not a list in the code.

    Args:
        database_name: The catalog's database.
        table_name: The table, partitioned by one column.
        location: Where the lake is, `s3://bucket/prefix/`; templated. A table that was created for another
            place is refused: it would go on to be read from there.
        kwargs: The AWS connection, and BaseOperator's arguments.
    """

    aws_hook_class = GlueCatalogHook
    template_fields = ("database_name", "table_name", "location", "aws_conn_id", "region_name", "verify")
    ui_color = "#d8e4f8"

    def __init__(self, *, database_name: str, table_name: str, location: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.database_name = database_name
        self.table_name = table_name
        self.location = location

    def execute(self, context: Context) -> list[str]:  # noqa: ARG002 - Airflow passes it
        """Compare lake and catalog.

        Returns:
            The values that were added.

        Raises:
            PartitionError: The table has another location, there is no folder, or the catalog refuses a
                partition.
        """
        names: dict[str, str] = {"DatabaseName": self.database_name, "TableName": self.table_name}
        glue: Any = self.hook.conn
        table = glue.get_table(DatabaseName=self.database_name, Name=self.table_name)["Table"]
        storage = table["StorageDescriptor"]
        if storage["Location"].rstrip("/") != self.location.rstrip("/"):
            raise PartitionError(
                f"{self.database_name}.{self.table_name} was created for {storage['Location']} and the lake "
                f"is to be {self.location}: drop that external table, which leaves its files, and clear the "
                "task that creates it; or set the location back."
            )
        (key,) = [column["Name"] for column in table["PartitionKeys"]]
        folders = dict(self._folders(storage["Location"], key))
        if not folders:
            raise PartitionError(
                f"{storage['Location']} holds no folder {key}=...: put the data there, "
                f"or correct the location of {self.database_name}.{self.table_name}."
            )
        pages = glue.get_paginator("get_partitions").paginate(**names, ExcludeColumnSchema=True)
        known = {partition["Values"][0] for page in pages for partition in page["Partitions"]}
        missing = sorted(folders.keys() - known)
        for some in batched(missing, _AT_ONCE):
            inputs = [
                {"Values": [value], "StorageDescriptor": storage | {"Location": folders[value]}}
                for value in some
            ]
            answer = glue.batch_create_partition(**names, PartitionInputList=inputs)
            for refused in answer.get("Errors", []):
                detail = refused["ErrorDetail"]
                if detail["ErrorCode"] != "AlreadyExistsException":  # another run was faster
                    raise PartitionError(
                        f"The catalog refuses {key}={refused['PartitionValues'][0]} of {self.database_name}."
                        f"{self.table_name}: {detail['ErrorCode']}: {detail.get('ErrorMessage', '')}"
                    )
        self.log.info(
            "%s holds %s partitions, %s of them new: %s",
            storage["Location"], len(folders), len(missing), ", ".join(missing) or "none",
        )  # fmt: skip
        return missing

    def _folders(self, location: str, key: str) -> Iterator[tuple[str, str]]:
        """Value and location of every partition's folder, as Hive names it: with %XX for odd characters."""
        url = urlsplit(location, allow_fragments=False)
        prefix = f"{url.path.strip('/')}/".lstrip("/")
        s3: Any = S3Hook(aws_conn_id=self.aws_conn_id, region_name=self.region_name, verify=self.verify).conn
        pages = s3.get_paginator("list_objects_v2").paginate(
            Bucket=url.netloc, Prefix=f"{prefix}{key}=", Delimiter="/"
        )
        for page in pages:
            for found in page.get("CommonPrefixes", []):
                folder = found["Prefix"]
                value = folder.removeprefix(f"{prefix}{key}=").rstrip("/")
                yield unquote(value), f"s3://{url.netloc}/{folder}"
