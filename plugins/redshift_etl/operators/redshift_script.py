"""Run a `.sql` file on Amazon Redshift through the Data API, once for each time Airflow asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar, Final

from airflow.providers.amazon.aws.operators.redshift_data import RedshiftDataOperator
from botocore.exceptions import ClientError

from redshift_etl.audit import (
    TERMINAL,
    UNLESS,
    StatementAudit,
    audit,
    label,
    log_line,
    rows_written,
    statement_name,
    succeeded,
)
from redshift_etl.data_api import StatementWatch
from redshift_etl.failure import RedshiftScriptError, refusal, script_error
from redshift_etl.links import RedshiftConsoleLink, ReportLink, report_of
from redshift_etl.notifications.message import IF_IT_FAILS
from redshift_etl.operators.once import OnceMixin
from redshift_etl.script import InvalidScriptError, Script, first_comment, names, statements
from redshift_etl.triggers.redshift_statement import RedshiftStatementTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context
    from mypy_boto3_redshift_data.type_defs import DescribeStatementResponseTypeDef

# Arguments of RedshiftDataOperator that would mean nothing here, or break the promise.
_REFUSED: Final = frozenset(
    {
        "durable",
        "return_sql_result",
        "session_id",
        "session_keep_alive_seconds",
        "statement_name",
        "wait_for_completion",
    }
)


class RedshiftScriptOperator(  # type: ignore[misc]  # the provider's methods return ids
    OnceMixin[list[StatementAudit]], RedshiftDataOperator
):
    """Runs the statements of one `.sql` file as one transaction, and waits without holding a worker.

    Jinja renders the file (for identifiers); values travel as the Data API's `:named` parameters. One
    statement goes out by ExecuteStatement, several by BatchExecuteStatement with the statement's name as
    their query label. Each is logged with its id,
    user, rows and time, and the list of them is the task's return value.

    The promise: **for each time that Airflow asks for the task, its SQL takes effect once.** The rule that
    keeps it stands in `OnceMixin`.

    Args:
        sql: Path of the `.sql` file, relative to the DAG's template search path.
        parameters: Value by name for the file's `:names`; templated, bound by Redshift, never formatted.
        transaction: True: all statements or none. False: each commits by itself, for what Redshift refuses
            inside a transaction, such as DDL of external tables.
        unless: A query, or the path of a `.sql` file with one; when it returns a row, there is nothing to
            do. For statements that know no `if not exists`.
        deferrable: Wait in the triggerer; False: on the worker.
        poll_interval: Seconds between two looks of the triggerer at the statement.
        kwargs: RedshiftDataOperator's target (`database`, `cluster_identifier` or `workgroup_name`,
            `db_user` or `secret_arn`), its AWS connection, and BaseOperator's arguments.
    """

    template_fields = (*RedshiftDataOperator.template_fields, "unless")
    ui_color = "#d8e4f8"

    if_it_fails: ClassVar[str] = (
        "its log ends with the statement and Redshift's message. Nothing of the script took effect unless it "
        "runs statement by statement. Mend the cause and clear the task: it can run again at any time."
    )
    """What the task's documentation tells whoever is on call."""

    def __init__(
        self,
        *,
        sql: str,
        parameters: Mapping[str, str] | None = None,
        transaction: bool = True,
        unless: str | None = None,
        deferrable: bool = True,
        poll_interval: int = 5,
        **kwargs: Any,
    ) -> None:
        if refused := sorted(_REFUSED & kwargs.keys()):
            raise TypeError(f"{type(self).__name__} takes no {', '.join(refused)}: it waits and re-attaches.")
        if not sql.endswith(".sql"):
            raise ValueError(f"sql is {sql!r}: give the path of a .sql file in the folder of SQL files.")
        super().__init__(
            sql=sql,
            parameters=[{"name": name, "value": value} for name, value in (parameters or {}).items()],
            deferrable=deferrable,
            poll_interval=poll_interval,
            **kwargs,
        )
        self.file = sql  # rendering replaces `sql` by the file's content
        self.transaction = transaction
        self.unless = unless
        self._entries: list[StatementAudit] = []
        makes_report = any(report_of(asset) for asset in self.outlets)
        self.operator_extra_links = (RedshiftConsoleLink(), *([ReportLink()] if makes_report else []))

    def resolve_template_files(self) -> None:
        """Read the file, as Airflow asks when it parses the DAG; its first comment documents the task."""
        super().resolve_template_files()
        if self.doc_md is None:
            self.doc_md = f"{first_comment(str(self.sql))}\n\n{IF_IT_FAILS}{self.if_it_fails}"

    def execute(self, context: Context) -> list[StatementAudit]:  # type: ignore[override]  # theirs: ids
        """Submit the script, or find the statement that an earlier try submitted, and see it through.

        Returns:
            One entry a statement; an empty list when `unless` returned a row.

        Raises:
            InvalidScriptError: The Data API could not take the script; nothing was submitted.
            RedshiftScriptError: Redshift did not carry it out.
        """
        statement_id = self._work(context)
        return self._conclude(statement_id) if statement_id else []

    def post_execute(self, context: Context, result: Any = None) -> None:
        """Tell the consumers of the task's assets what it did: rows, statement and parameters."""
        # Airflow 3.3.1 calls this without the result.
        entries: list[StatementAudit] = result or self._entries
        for asset in self.outlets:
            written = rows_written(entries, str(asset.name))
            told = {"rows": written, "statement_id": self.work_id or None, **self._values()}
            context["outlet_events"][asset].extra = {k: v for k, v in told.items() if v is not None}

    def on_kill(self) -> None:
        """Cancel the statement when the task's process is told to stop or runs out of time."""
        if self.cancel_on_kill:
            super().on_kill()

    @cached_property
    def _watch(self) -> StatementWatch:
        return StatementWatch(self.hook.conn, self.log)

    def _running(self, context: Context) -> list[str]:
        """List the statements of this task instance's name that have not ended."""
        name = self._statement_name(context)
        pages = self.hook.conn.get_paginator("list_statements").paginate(
            StatementName=name, Status="ALL", RoleLevel=True
        )
        # AWS takes the name for a prefix.
        return [
            one["Id"]
            for page in pages
            for one in page["Statements"]
            if one.get("StatementName") in {name, statement_name(name, UNLESS)}
            and one.get("Status") not in TERMINAL
        ]

    def _start(self, context: Context, token: str) -> str | None:
        """Submit the script; the Data API answers a known token with the statement that it already has."""
        script = self._script()
        name = self._statement_name(context)
        if self.unless and self._returns_a_row(self.unless, statement_name(name, UNLESS)):
            self.log.info("%s: nothing to do, because this returned a row: %s", self.file, self.unless)
            return None
        return self._submit(script, name, token)

    def _statement_name(self, context: Context) -> str:
        """Name the statement so that `aws redshift-data list-statements --statement-name` finds it."""
        ti = context["ti"]
        mapped = str(ti.map_index) if ti.map_index is not None and ti.map_index >= 0 else None
        return statement_name(ti.dag_id, ti.run_id, ti.task_id, mapped)

    def _script(self) -> Script:
        """Split and check the rendered file."""
        return Script(self.file, statements(str(self.sql)), self._values())

    def _values(self) -> dict[str, str]:
        return {item["name"]: item["value"] for item in self.parameters or []}

    def _target(self) -> dict[str, Any]:
        """Where and as whom to run, in the Data API's names."""
        chosen = {
            "Database": self.database,
            "ClusterIdentifier": self.cluster_identifier,
            "WorkgroupName": self.workgroup_name,
            "DbUser": self.db_user,
            "SecretArn": self.secret_arn,
        }
        return {name: value for name, value in chosen.items() if value}

    def _submit(self, script: Script, name: str, token: str) -> str:
        """Hand the script to the Data API and return the statement's id.

        The call does not wait for the statement (`WaitTimeSeconds`): a task killed meanwhile would not know
        the id by which to cancel it.
        """
        request = self._target() | {"StatementName": name, "ClientToken": token, "WithEvent": self.with_event}
        if script.parameters:
            request["Parameters"] = script.bound
        self._require_going()
        try:
            if len(script.statements) == 1:
                answer = self.hook.conn.execute_statement(Sql=script.statements[0], **request)["Id"]
            else:
                answer = self.hook.conn.batch_execute_statement(
                    Sqls=[label(name), *script.statements],
                    ExecutionMode="TRANSACTION" if self.transaction else "AUTO_COMMIT",
                    **request,
                )["Id"]
        except ClientError as error:
            raise refusal(error, self.file) from error
        self.log.info(
            "%s: submitted %s statement(s) as %s with %s.",
            self.file,
            len(script.statements),
            answer,
            ", ".join(f"{key}={value!r}" for key, value in script.parameters.items()) or "no parameters",
        )
        return answer

    def _returns_a_row(self, query: str, name: str) -> bool:
        """Run one query, with those of the task's parameters that it names."""
        used = names(query)
        values = {name: value for name, value in self._values().items() if name in used}
        script = Script(f"{self.file} (unless)", statements(query), values)
        if len(script.statements) > 1:
            raise InvalidScriptError(
                f"{script.file} holds {len(script.statements)} statements: give one query."
            )
        request = self._target() | {"StatementName": name} | ({"Parameters": script.bound} if values else {})
        self.work_id = self.hook.conn.execute_statement(Sql=script.statements[0], **request)["Id"]
        found = self._watch.wait(self.work_id, inf)
        if found is None or not succeeded(found):
            raise script_error(found, script.file) if found else RedshiftScriptError(script.file)
        self.work_id = ""
        return found.get("ResultRows", 0) > 0

    def _trigger(self, work_id: str) -> RedshiftStatementTrigger:
        return RedshiftStatementTrigger(
            statement_id=work_id,
            task_id=self.task_id,
            poll_interval=self.poll_interval,
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            botocore_config=self.botocore_config,
            cancel_on_kill=self.cancel_on_kill,
        )

    def _result(self, found: DescribeStatementResponseTypeDef) -> list[StatementAudit]:
        entries = audit(found, self.file)
        for entry in entries:
            self.log.info("%s", log_line(entry, len(entries)))
        if not succeeded(found):
            raise script_error(found, self.file)
        self._entries = entries
        return entries
