"""Write down, in the warehouse, what a run's statements did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook

from redshift_etl.audit import UNLESS, StatementAudit, audit, statement_name
from redshift_etl.operators.redshift_script import RedshiftScriptOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class RecordStatementsOperator(RedshiftScriptOperator):
    """Inserts one row per statement of the run into `etl_audit.statement_runs`; meant as a teardown task.

    It asks the Data API, which knows failed and cancelled statements too, also those of a task whose process
    died; writes the answer to S3; and has its script COPY it. So a run costs one small COPY, and the list is
    kept in S3 when the warehouse does not answer. It does not record itself.

    Args:
        bucket_name: The bucket for the list.
        sql: The script; it reads the list from `key`.
        key: Where to write the list; templated.
        kwargs: RedshiftScriptOperator's arguments.
    """

    template_fields = (*RedshiftScriptOperator.template_fields, "key")
    ui_color = "#e8e8e8"

    def __init__(
        self,
        *,
        bucket_name: str,
        sql: str = "etl_audit/record_statements.sql",
        key: str = "audit/statement_runs/{{ dag_run.dag_id }}/{{ dag_run.run_id }}.json",
        **kwargs: Any,
    ) -> None:
        kwargs["parameters"] = {"dag_id": "{{ dag_run.dag_id }}", "run_id": "{{ dag_run.run_id }}"}
        super().__init__(sql=sql, **kwargs)
        self.bucket_name = bucket_name
        self.key = key

    def execute(self, context: Context) -> list[StatementAudit]:  # type: ignore[override]  # theirs: ids
        """List the run's statements, write the list, and load it."""
        rows = list(self._rows(context))
        if not rows:
            self.log.info("This run has sent no statement to Redshift.")
            return []
        lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        s3 = S3Hook(aws_conn_id=self.aws_conn_id, region_name=self.region_name, verify=self.verify)
        s3.load_string(lines, self.key, self.bucket_name, replace=True)
        self.log.info("%s statement(s) listed in s3://%s/%s.", len(rows), self.bucket_name, self.key)
        return super().execute(context)

    def _rows(self, context: Context) -> Iterator[dict[str, Any]]:
        """Describe every statement of the run's tasks."""
        ti = context["ti"]
        # A run whose name begins like this one's shares the prefix, but not the names.
        scripts = dict(self._names(context))
        pages = self.hook.conn.get_paginator("list_statements").paginate(
            StatementName=f"{statement_name(ti.dag_id, ti.run_id)}.", Status="ALL"
        )
        for listed in (one for page in pages for one in page["Statements"]):
            if listed.get("StatementName") not in scripts:
                continue
            task_id, file = scripts[listed["StatementName"]]
            found = self.hook.conn.describe_statement(Id=listed["Id"])
            for entry in audit(found, file):
                yield {
                    "dag_id": ti.dag_id,
                    "run_id": ti.run_id,
                    "task_id": task_id,
                    "statement_number": entry["number"],
                    "statement_id": entry["statement_id"],
                    "query_id": entry["query_id"],
                    "database_user": entry["database_user"],
                    "file": entry["file"],
                    "row_count": entry["rows"],
                    "byte_count": entry["bytes"],
                    "duration_seconds": entry["seconds"],
                    "status": entry["status"],
                    "error": entry["error"] or None,
                    "statement": entry["sql"],
                    "submitted_at": found["CreatedAt"].astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
                }

    def _names(self, context: Context) -> Iterator[tuple[str, tuple[str, str]]]:
        """Name the statements that the DAG's tasks send in a run, with task and file."""
        ti = context["ti"]
        for task in context["dag"].tasks:
            if isinstance(task, RedshiftScriptOperator) and task.task_id != self.task_id:
                name = statement_name(ti.dag_id, ti.run_id, task.task_id)
                yield name, (task.task_id, task.file)
                yield statement_name(name, UNLESS), (task.task_id, f"{task.file} ({UNLESS})")
