"""A check: a query that selects what must not be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk.exceptions import AirflowFailException
from botocore.exceptions import BotoCoreError, ClientError

from redshift_etl.audit import StatementAudit
from redshift_etl.operators.redshift_script import RedshiftScriptOperator
from redshift_etl.script import InvalidScriptError, Script

if TYPE_CHECKING:
    from mypy_boto3_redshift_data.type_defs import DescribeStatementResponseTypeDef, FieldTypeDef


class RowsFoundError(AirflowFailException):
    """A check found offending rows; the task fails at once, because a retry would read the same data."""


class RedshiftNoRowsOperator(RedshiftScriptOperator):
    """Runs a script whose last statement selects offending rows; succeeds when there are none.

    Args:
        sample_url: Where a failed check leaves its first rows as JSON, `s3://bucket/key`; templated. Empty:
            only in the log.
        kwargs: RedshiftScriptOperator's arguments.
    """

    template_fields = (*RedshiftScriptOperator.template_fields, "sample_url")
    ui_color = "#f8e8d4"
    if_it_fails = (
        "it found such rows: its log shows the first of them, and the sample that the log names has more. "
        "Have the source mend its extract, or mend what the check finds, and clear the run from "
        "stage_store_sales on. The reports wait for it."
    )

    rows_shown: ClassVar[int] = 5
    rows_kept: ClassVar[int] = 100

    def __init__(self, *, sample_url: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sample_url = sample_url

    def _script(self) -> Script:
        """Refuse a script that would check nothing."""
        script = super()._script()
        if script.statements[-1].split(None, 1)[0].lower() not in {"select", "with"}:
            raise InvalidScriptError(
                f"{self.file} checks nothing: end it with a select of the rows that must not be."
            )
        return script

    def _result(self, found: DescribeStatementResponseTypeDef) -> list[StatementAudit]:
        """Fail if the last statement returned rows; show the first of them and keep some more."""
        entries = super()._result(found)
        if entries[-1]["rows"] == 0:
            return entries
        total, rows = self._offending(entries[-1]["statement_id"])
        shown = rows[: self.rows_shown]
        text = "; ".join(", ".join(f"{name}={value}" for name, value in row.items()) for row in shown)
        first = f", the first {len(shown)}" if total > len(shown) else ""
        kept = self._keep(entries[-1]["statement_id"], total, rows)
        raise RowsFoundError(
            f"Check {self.task_id} ({self.file}) found {total:,} row(s){first}: {text}{kept}"
        )

    def _offending(self, statement_id: str) -> tuple[int, list[dict[str, object]]]:
        """Read the number of rows and, page by page, only as many rows as are used."""
        wanted = self.rows_kept if self.sample_url else self.rows_shown
        pages = self.hook.conn.get_paginator("get_statement_result").paginate(Id=statement_id)
        total = 0
        rows: list[dict[str, object]] = []
        for page in pages:
            total = page["TotalNumRows"]
            labels = [column.get("label") or column.get("name", "") for column in page["ColumnMetadata"]]
            rows += [dict(zip(labels, map(value_of, row), strict=True)) for row in page["Records"]]
            if len(rows) >= wanted:
                break
        return total, rows[:wanted]

    def _keep(self, statement_id: str, total: int, rows: list[dict[str, object]]) -> str:
        """Write the sample to S3, replacing that of an earlier try; return where it is, for the message."""
        if not self.sample_url:
            return ""
        sample = {
            "check": self.task_id,
            "file": self.file,
            "parameters": self._values(),
            "statement_id": statement_id,
            "count": total,
            "rows": rows,
        }
        # Imported late: it brings all of boto3 into every parse of a DAG.
        from airflow.providers.amazon.aws.hooks.s3 import S3Hook  # noqa: PLC0415

        hook = S3Hook(aws_conn_id=self.aws_conn_id, region_name=self.region_name, verify=self.verify)
        try:
            hook.load_string(json.dumps(sample, indent=2), key=self.sample_url, replace=True)
        except (BotoCoreError, ClientError) as error:
            # What was found matters more than where it could not be kept.
            self.log.warning("No sample is kept at %s: %s", self.sample_url, error)
            return ""
        return f"; {len(rows)} row(s) kept in {self.sample_url}"


def value_of(field: FieldTypeDef) -> object:
    """Return the value of a Data API field, which is a union of one member; None for NULL."""
    return None if field.get("isNull") else next(iter(field.values()))
