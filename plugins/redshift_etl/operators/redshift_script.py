"""Run a `.sql` file on Amazon Redshift through the Data API, once for each time Airflow asks for it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar, Final

from airflow.providers.amazon.aws.operators.redshift_data import RedshiftDataOperator
from airflow.sdk.exceptions import TaskDeferralError, TaskDeferralTimeout

from redshift_etl.audit import (
    TERMINAL,
    UNLESS,
    StatementAudit,
    audit,
    log_line,
    rows_written,
    statement_name,
    succeeded,
)
from redshift_etl.data_api import StatementLostError, StatementWatch
from redshift_etl.failure import RedshiftScriptError, script_error
from redshift_etl.script import InvalidScriptError, Script, names, statements
from redshift_etl.triggers.redshift_statement import RedshiftStatementTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context

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


class RedshiftScriptOperator(RedshiftDataOperator):
    """Runs the statements of one `.sql` file as one transaction, and waits without holding a worker.

    Jinja renders the file (for identifiers); values travel as the Data API's `:named` parameters. One
    statement goes out by ExecuteStatement, several by BatchExecuteStatement. Each is logged with its id,
    user, rows and time, and the list of them is the task's return value.

    The promise: **for each time that Airflow asks for the task, its SQL takes effect once.** The rule that
    keeps it stands in `_statement`.

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

    # Most statements end within seconds, and a deferral costs the start of two processes: wait here first.
    quick_seconds: ClassVar[float] = 5.0

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
        self.statement_id = ""
        self._entries: list[StatementAudit] = []

    def execute(self, context: Context) -> list[StatementAudit]:  # type: ignore[override]  # theirs: ids
        """Submit the script, or find the statement that an earlier try submitted, and see it through.

        Returns:
            One entry a statement; an empty list when `unless` returned a row.

        Raises:
            InvalidScriptError: The Data API could not take the script; nothing was submitted.
            RedshiftScriptError: Redshift did not carry it out.
        """
        statement_id = self._statement(context)
        return self._conclude(statement_id) if statement_id else []

    def execute_complete(  # type: ignore[override]  # theirs: ids
        self,
        context: Context,  # noqa: ARG002 - Airflow passes it
        event: dict[str, Any] | None = None,
    ) -> list[StatementAudit]:
        """Read the outcome after the trigger has fired."""
        return self._conclude((event or {})["statement_id"])

    def resume_execution(
        self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context
    ) -> object:
        """Take up the task after a deferral, also after one that ended badly.

        A wait that outlasted `execution_timeout` cancels the statement. A trigger that broke (its code
        missing in the triggerer, say) tells nothing about the statement, so the wait goes on here.
        """
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except TaskDeferralTimeout as error:
            _, statement_id = self._remembered(context)
            self._watch.cancel(statement_id)
            raise TaskDeferralTimeout(
                f"{self.file} ran longer than the task's execution_timeout of {self.execution_timeout}: "
                f"statement {statement_id} is cancelled."
            ) from error
        except TaskDeferralError as error:
            self.log.warning("The trigger failed (%s): waiting on the worker instead.", error)
            self.deferrable = False
            _, statement_id = self._remembered(context)
            return self._conclude(statement_id)

    def post_execute(self, context: Context, result: Any = None) -> None:
        """Tell the consumers of the task's assets what it did: rows, statement and parameters."""
        # Airflow 3.3.1 calls this without the result.
        entries: list[StatementAudit] = result or self._entries
        for asset in self.outlets:
            written = rows_written(entries, str(asset.name))
            told = {"rows": written, "statement_id": self.statement_id or None, **self._values()}
            context["outlet_events"][asset].extra = {k: v for k, v in told.items() if v is not None}

    def on_kill(self) -> None:
        """Cancel the statement when the task's process is told to stop or runs out of time."""
        if self.cancel_on_kill and self.statement_id:
            self._watch.cancel(self.statement_id, until_seen=False)

    @cached_property
    def _watch(self) -> StatementWatch:
        return StatementWatch(self.hook.conn, self.log)

    def _statement(self, context: Context) -> str | None:
        """Return the one statement of this request: an earlier try's or a new one; None for nothing to do.

        Airflow requests a task when it schedules it, and again at each clear; the tries in between serve one
        request. The task state store remembers the request and its last statement from try to try.

        - Same request, and the statement runs or has succeeded: it is this try's statement too.
        - Same request, and the statement failed, was cancelled or is lost: a new one.
        - Another request: if its statement still runs, cancel it and see it end; then a new one.

        A new statement's ClientToken follows from the request and from the statement it replaces. So a try
        that dies after submitting and before remembering is followed by one that submits under the same
        token, and the Data API answers with the statement that it already has.
        """
        request = self._request(context)
        remembered, replaced = self._remembered(context)
        if replaced and remembered != request:
            if self._watch.runs(replaced):
                self.log.info("Cancelling statement %s, which this task left before its clear.", replaced)
                self._watch.cancel(replaced)
            replaced = ""
        if replaced and self._serves(replaced):
            self.log.info("Statement %s of an earlier try is this try's statement.", replaced)
            return replaced
        script = self._script()
        name = self._statement_name(context)
        if self.unless and self._returns_a_row(self.unless, statement_name(name, UNLESS)):
            self.log.info("%s: nothing to do, because this returned a row: %s", self.file, self.unless)
            return None
        token = hashlib.sha256(f"{request}\n{replaced}".encode()).hexdigest()
        self.statement_id = self._submit(script, name, token)
        context["task_state_store"].set(
            self.external_id_key, {"request": request, "statement_id": self.statement_id}
        )
        return self.statement_id

    def _request(self, context: Context) -> str:
        """Identify what Airflow asked for: the task of a run, and the try with which this request began.

        A clear raises `max_tries` above `retries` by the tries already used; the try number itself would
        differ within one request. The run's start tells a run from a deleted one of the same id.
        """
        ti = context["ti"]
        first_try = ti.max_tries - (self.retries or 0) + 1
        start = context["dag_run"].start_date
        return "\n".join(map(str, [ti.dag_id, ti.run_id, start, ti.task_id, ti.map_index, first_try]))

    def _remembered(self, context: Context) -> tuple[str, str]:
        """Read the last request and its statement from the task state store; empty before the first."""
        stored = context["task_state_store"].get(self.external_id_key)
        return (str(stored["request"]), str(stored["statement_id"])) if isinstance(stored, dict) else ("", "")

    def _serves(self, statement_id: str) -> bool:
        """Whether an earlier try's statement runs or has succeeded."""
        try:
            found = self._watch.look(statement_id)
        except StatementLostError as error:
            self.log.warning("%s", error)
            return False
        # Unreadable just now: assume that it runs; the wait finds out.
        return found is None or found["Status"] not in TERMINAL or succeeded(found)

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
        if len(script.statements) == 1:
            answer = self.hook.conn.execute_statement(Sql=script.statements[0], **request)["Id"]
        else:
            answer = self.hook.conn.batch_execute_statement(
                Sqls=list(script.statements),
                ExecutionMode="TRANSACTION" if self.transaction else "AUTO_COMMIT",
                **request,
            )["Id"]
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
        self.statement_id = self.hook.conn.execute_statement(Sql=script.statements[0], **request)["Id"]
        found = self._watch.wait(self.statement_id, inf)
        if found is None or not succeeded(found):
            raise script_error(found, script.file) if found else RedshiftScriptError(script.file)
        return found.get("ResultRows", 0) > 0

    def _conclude(self, statement_id: str) -> list[StatementAudit]:
        """Wait, here or in the triggerer; log what each part did; fail unless all of it did."""
        self.statement_id = statement_id
        found = self._watch.wait(statement_id, self.quick_seconds if self.deferrable else inf)
        if found is None:
            self.defer(
                trigger=RedshiftStatementTrigger(
                    statement_id=statement_id,
                    task_id=self.task_id,
                    poll_interval=self.poll_interval,
                    aws_conn_id=self.aws_conn_id,
                    region_name=self.region_name,
                    verify=self.verify,
                    botocore_config=self.botocore_config,
                    cancel_on_kill=self.cancel_on_kill,
                ),
                method_name="execute_complete",
                timeout=self.execution_timeout,
            )
        entries = audit(found, self.file)
        for entry in entries:
            self.log.info("%s", log_line(entry, len(entries)))
        if not succeeded(found):
            raise script_error(found, self.file)
        self._entries = entries
        return entries
