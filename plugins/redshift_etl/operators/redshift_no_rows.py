"""A check: a query that selects what must not be."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from airflow.sdk.exceptions import AirflowFailException

from redshift_etl.audit import StatementAudit
from redshift_etl.operators.redshift_script import RedshiftScriptOperator
from redshift_etl.script import InvalidScriptError, Script

if TYPE_CHECKING:
    from mypy_boto3_redshift_data.type_defs import DescribeStatementResponseTypeDef, FieldTypeDef


class RowsFoundError(AirflowFailException):
    """A check found offending rows; the task fails at once, because a retry would read the same data."""


class RedshiftNoRowsOperator(RedshiftScriptOperator):
    """Runs a script whose last statement selects offending rows; succeeds when there are none."""

    ui_color = "#f8e8d4"

    rows_shown: ClassVar[int] = 5

    def _script(self) -> Script:
        """Refuse a script that would check nothing."""
        script = super()._script()
        if script.statements[-1].split(None, 1)[0].lower() not in {"select", "with"}:
            raise InvalidScriptError(
                f"{self.file} checks nothing: end it with a select of the rows that must not be."
            )
        return script

    def _result(self, found: DescribeStatementResponseTypeDef) -> list[StatementAudit]:
        """Fail if the last statement returned rows, and show the first of them."""
        entries = super()._result(found)
        if entries[-1]["rows"] == 0:
            return entries
        total, rows = self._offending(entries[-1]["statement_id"])
        shown = "; ".join(", ".join(f"{name}={value}" for name, value in row) for row in rows)
        first = f", the first {len(rows)}" if total > len(rows) else ""
        raise RowsFoundError(f"Check {self.task_id} ({self.file}) found {total:,} row(s){first}: {shown}")

    def _offending(self, statement_id: str) -> tuple[int, list[list[tuple[str, object]]]]:
        """Read the number of rows and, page by page, only as many rows as are shown."""
        pages = self.hook.conn.get_paginator("get_statement_result").paginate(Id=statement_id)
        total = 0
        rows: list[list[tuple[str, object]]] = []
        for page in pages:
            total = page["TotalNumRows"]
            labels = [column.get("label") or column.get("name", "") for column in page["ColumnMetadata"]]
            rows += [list(zip(labels, map(value_of, row), strict=True)) for row in page["Records"]]
            if len(rows) >= self.rows_shown:
                break
        return total, rows[: self.rows_shown]


def value_of(field: FieldTypeDef) -> object:
    """Return the value of a Data API field, which is a union of one member; None for NULL."""
    return None if field.get("isNull") else next(iter(field.values()))
