"""The state and rules of the Data API: statements, sessions, idempotency, limits, retention."""

import json
import logging
import threading
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.clusters import ACCOUNT_ID, REGION, Clusters, Credentials, EndpointNotFoundError, SecretError
from local_aws.history import History, now
from local_aws.redshift_data.exceptions import (
    ActiveSessionsExceededException,
    ActiveStatementsExceededException,
    ResourceNotFoundException,
    ValidationException,
)
from local_aws.redshift_data.sessions import DataApiSession
from local_aws.redshift_data.statements import Connections, Query, Request, Statement, Target
from local_aws.redshift_data.validation import bound_parameters

log = logging.getLogger(__name__)

# AWS's limits and times where it documents them; the number of sessions and the memory are ours.
MAX_ACTIVE_STATEMENTS = 500
MAX_SESSIONS = 500
RETENTION = timedelta(hours=24)
CLIENT_TOKEN_LIFE = timedelta(hours=8)
MAX_RESULT_BYTES = 512 * 1024 * 1024

ONE_PLACE = "Exactly one of ClusterIdentifier, WorkgroupName and SessionId must be given."


class RedshiftDataBackend:
    """All statements and sessions of the account.

    Args:
        clusters: Where statements find their warehouse.
        statements: The history that statements report to.
    """

    def __init__(self, clusters: Clusters, statements: History) -> None:
        self.clusters = clusters
        self._history = statements
        self._lock = threading.Lock()
        self._statements: dict[str, Statement] = {}
        self._sessions: dict[str, DataApiSession] = {}
        self._active: set[Statement] = set()
        self._tokens: dict[str, tuple[str, Statement]] = {}

    def restore(self, statements: Iterable[Statement]) -> None:
        """Takes over what an earlier process has kept; what was running then is lost, as in a reboot.

        Args:
            statements: The oldest first.
        """
        for statement in statements:
            if not statement.ended:
                statement.lose(committed=statement.is_atomic and self._has_committed(statement))
                self._history.keep(statement)
            self._statements[statement.id] = statement
            if statement.request.client_token is not None:
                self._tokens[statement.request.client_token] = (statement.request.fingerprint, statement)
        self._forget_old()

    def _has_committed(self, statement: Statement) -> bool:
        target = statement.request.target
        find = self.clusters.workgroup if target.serverless else self.clusters.cluster
        try:
            return find(target.compute.name).warehouse.has_committed(statement.id)
        except EndpointNotFoundError:
            return False  # paused or deleted in the meantime: nobody can tell, and nobody can see

    # Submitting

    def submit(self, sqls: list[str], request: Mapping[str, Any], *, batch: bool) -> Statement:
        """Starts a statement, or returns the one that the same ClientToken started.

        Args:
            sqls: The SQL texts.
            request: The other members of ExecuteStatementInput or BatchExecuteStatementInput.
            batch: Whether it is a batch.

        Returns:
            The statement, running on its own thread.
        """
        parameters = tuple(request.get("Parameters", ()))
        bound = bound_parameters(sqls, parameters)
        in_session = "SessionId" in request
        if in_session and request.keys() & {"ClusterIdentifier", "WorkgroupName"}:
            raise ValidationException(ONE_PLACE)
        target = None if in_session else self.target(request)
        fingerprint = json.dumps(
            [batch, sqls, {k: v for k, v in request.items() if k not in {"ClientToken", "WaitTimeSeconds"}}],
            sort_keys=True,
        )
        with self._lock:
            token = request.get("ClientToken")
            if token is not None and (known := self._known(token, fingerprint)):
                return known
            self._forget_old()
            connections = self._connections(target, request)
            wanted = Request(
                target=target or self._sessions[request["SessionId"]].target,
                name=request.get("StatementName"),
                client_token=token,
                parameters=parameters,
                batch=batch,
                mode=request.get("ExecutionMode", "TRANSACTION"),
                result_format=request.get("ResultFormat", "JSON"),
                with_event=bool(request.get("WithEvent")),
                fingerprint=fingerprint,
            )
            queries = [Query(sql, values) for sql, values in zip(sqls, bound, strict=True)]
            statement = Statement(wanted, queries, connections, self._history)
            if isinstance(connections, DataApiSession):
                connections.current_statement_id = statement.id
            self._statements[statement.id] = statement
            self._active.add(statement)
            if token is not None:
                self._tokens[token] = (fingerprint, statement)
        threading.Thread(
            target=self._run, args=(statement,), name=f"statement-{statement.id}", daemon=True
        ).start()
        return statement

    def _run(self, statement: Statement) -> None:
        statement.run()
        with self._lock:
            self._active.discard(statement)
            self._shed_results()
        if statement.request.with_event:
            self._send_event(statement)

    def _known(self, token: str, fingerprint: str) -> Statement | None:
        earlier, statement = self._tokens.get(token, ("", None))
        if statement is None or now() - statement.created_at > CLIENT_TOKEN_LIFE:
            return None
        if earlier != fingerprint:
            raise ValidationException(
                f"ClientToken {token} was used for a request with other parameters; send a new token."
            )
        return statement

    def _connections(self, target: Target | None, request: Mapping[str, Any]) -> Connections:
        """The connection source of a new statement; a session is taken for it."""
        if len(self._active) >= MAX_ACTIVE_STATEMENTS:
            raise ActiveStatementsExceededException(
                f"The number of active statements exceeds the limit of {MAX_ACTIVE_STATEMENTS}."
            )
        keep_alive = request.get("SessionKeepAliveSeconds")
        if target is None:
            return self._take_session(request["SessionId"], keep_alive)
        if not keep_alive:
            return Connections()
        if sum(session.status != "CLOSED" for session in self._sessions.values()) >= MAX_SESSIONS:
            raise ActiveSessionsExceededException(
                f"The number of sessions exceeds the limit of {MAX_SESSIONS}."
            )
        session = DataApiSession(target, keep_alive)
        self._sessions[session.id] = session
        return session

    def _take_session(self, session_id: str, keep_alive: int | None) -> DataApiSession:
        session = self._sessions.get(session_id)
        if session is None or session.status == "CLOSED":
            raise ResourceNotFoundException(f"Session {session_id} does not exist or is closed.", session_id)
        if not session.reserve():
            raise ValidationException(
                f"Session {session_id} is running statement {session.current_statement_id}; "
                "a session runs one at a time."
            )
        if keep_alive is not None:
            session.keep_alive = keep_alive
        return session

    def target(self, request: Mapping[str, Any]) -> Target:
        """Where a request runs and as whom.

        Raises:
            ValidationException: Not exactly one of cluster, workgroup and session is named, or it does not
                exist, or the database is not named, or the secret cannot be used.
        """
        cluster, workgroup = request.get("ClusterIdentifier"), request.get("WorkgroupName")
        if (cluster is None) == (workgroup is None):
            raise ValidationException(ONE_PLACE)
        database = request.get("ConnectedDatabase") or request.get("Database")
        if not database:
            raise ValidationException("Database must be given.")
        try:
            compute = self.clusters.cluster(cluster) if cluster else self.clusters.workgroup(str(workgroup))
        except EndpointNotFoundError:
            raise ValidationException("Redshift endpoint doesn't exist in this region.") from None
        secret_arn, user = request.get("SecretArn"), request.get("DbUser")
        if secret_arn and user:
            raise ValidationException("Only one of DbUser and SecretArn may be given.")
        password_is_right = True
        if secret_arn:
            login = self._secret(secret_arn)
            user = login.user
            password_is_right = self.clusters.password_is(compute.name, login)
        # Without either, AWS logs in as the caller's IAM identity; here that is the superuser.
        user = user or compute.master_user
        return Target(compute, cluster is None, database, user, secret_arn, password_is_right)

    def _secret(self, secret_arn: str) -> Credentials:
        try:
            return self.clusters.secret(secret_arn)
        except SecretError as error:
            raise ValidationException(str(error)) from None

    # Finding

    def statement(self, statement_id: str) -> tuple[Statement, Query | None]:
        """A statement by its id, and the query of a batch that a suffix like `:2` names.

        Raises:
            ResourceNotFoundException: There is none, or it has expired.
        """
        own_id, _, suffix = statement_id.partition(":")
        with self._lock:
            self._forget_old()
            found = self._statements.get(own_id)
        if found is not None:
            if not suffix:
                return found, None
            if found.request.batch and 1 <= int(suffix) <= len(found.queries):
                return found, found.queries[int(suffix) - 1]
        raise ResourceNotFoundException("Query does not exist.", statement_id)

    def statements(self) -> list[Statement]:
        """Every statement that has not expired, the newest first."""
        with self._lock:
            self._forget_old()
            return list(reversed(self._statements.values()))

    def sessions(self) -> list[DataApiSession]:
        """Every session of the last 24 hours, the newest first."""
        with self._lock:
            return list(reversed(self._sessions.values()))

    def cancel(self, statement_id: str) -> None:
        """Cancels a statement that has not ended.

        Raises:
            ResourceNotFoundException: There is none.
            ValidationException: It has ended, or it is one of a batch.
        """
        statement, query = self.statement(statement_id)
        if query is not None:
            raise ValidationException(
                f"{statement_id} is one statement of a batch; cancel {statement.id} instead."
            )
        if not statement.cancel():
            raise ValidationException(
                f"Could not cancel a query that is already in {statement.status} state "
                f"with ID: {statement_id}"
            )

    # Keeping

    def _forget_old(self) -> None:
        """Drops what AWS would have dropped."""
        horizon = now() - RETENTION
        for statement in list(self._statements.values()):
            if statement.created_at > horizon:
                break
            if statement.ended:
                del self._statements[statement.id]
                self._drop(statement, statement.queries)
        for token, (_, statement) in list(self._tokens.items()):
            if statement.created_at > now() - CLIENT_TOKEN_LIFE:
                break
            del self._tokens[token]
        for session in list(self._sessions.values()):
            if session.status == "CLOSED" and session.updated_at < horizon:
                del self._sessions[session.id]

    def _shed_results(self) -> None:
        """Drops the oldest results when all together fill the memory set aside for them."""
        kept = 0
        for statement in reversed(self._statements.values()):
            too_many = []
            for query in statement.queries:
                if query.result is not None:
                    kept += query.size
                    if kept > MAX_RESULT_BYTES and statement.ended and query.size < kept:
                        too_many.append(query)
            self._drop(statement, too_many)

    def _drop(self, statement: Statement, queries: Iterable[Query]) -> None:
        """Drops results of a statement that has ended; the history holds the statement itself for longer."""
        dropped = [query for query in queries if query.result is not None]
        for query in dropped:
            query.result = None
        if dropped:
            self._history.keep(statement)

    def _send_event(self, statement: Statement) -> None:
        """Puts AWS's event on the default bus, where EventBridge rules find it."""
        target = statement.request.target
        detail = {
            "principal": f"arn:aws:iam::{ACCOUNT_ID}:root",
            "statementName": statement.request.name or "",
            "statementId": statement.id,
            "redshiftQueryId": statement.queries[-1].query_id,
            "state": statement.status,
            "rows": sum(query.rows for query in statement.queries if query.rows > 0),
            "expireAt": int((statement.created_at + RETENTION).timestamp()),
        }
        event = {
            "Source": "aws.redshift-data",
            "DetailType": "Redshift Data Statement Status Change",
            "Detail": json.dumps(detail),
            "Resources": [f"arn:aws:redshift:{REGION}:{ACCOUNT_ID}:cluster:{target.compute.name}"],
        }
        try:
            answer = self.clusters.client("events").put_events(Entries=[event])
        except (BotoCoreError, ClientError) as error:
            log.warning("The event of statement %s was not sent: %s", statement.id, error)
            return
        if answer["FailedEntryCount"]:
            log.warning("The event of statement %s was refused: %s", statement.id, answer["Entries"])

    def close(self) -> None:
        """Cancels what runs, waits for it up to two seconds, closes the sessions and forgets everything."""
        with self._lock:
            running = [statement for statement in self._statements.values() if statement.cancel()]
            sessions = list(self._sessions.values())
        deadline = now() + timedelta(seconds=2)
        for statement in running:
            statement.wait(max((deadline - now()).total_seconds(), 0.001))
        for session in sessions:
            session.close()
        with self._lock:
            self._statements.clear()
            self._sessions.clear()
            self._tokens.clear()
