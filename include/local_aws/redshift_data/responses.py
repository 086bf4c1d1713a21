"""The Data API on the wire: AWS JSON 1.1 in, a call of the backend, AWS JSON 1.1 out."""

import json
import logging
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from botocore import xform_name
from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response

from local_aws.clusters import REGION
from local_aws.redshift_data import catalog, results
from local_aws.redshift_data.exceptions import (
    InternalServerException,
    RedshiftDataError,
    ResourceNotFoundException,
    SerializationException,
    UnknownOperationException,
    ValidationException,
)
from local_aws.redshift_data.models import RedshiftDataBackend
from local_aws.redshift_data.statements import Query, Statement, Target
from local_aws.redshift_data.validation import check_request, service_model

log = logging.getLogger(__name__)

type Body = dict[str, Any]


class RedshiftDataResponse:
    """The WSGI application of the service; each operation is the method of its name in snake case."""

    def __init__(self, backend: RedshiftDataBackend) -> None:
        self.backend = backend

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answers one request."""
        http = HttpRequest(environ)
        operation = http.headers.get("X-Amz-Target", "").partition(".")[2]
        try:
            body = self.answer(
                operation, http.get_data(), _signed_region(http.headers.get("Authorization", ""))
            )
            status = 200
        except RedshiftDataError as error:
            body = {"__type": error.code, "Message": str(error), **error.members}
            status = error.status
        except Exception as error:
            log.exception("%s failed", operation)
            body = {"__type": InternalServerException.__name__, "Message": f"local_aws failed: {error!r}"}
            status = InternalServerException.status
        headers = {"x-amzn-RequestId": str(uuid.uuid4())}
        if status != 200:
            headers["x-amzn-ErrorType"] = body["__type"]
        text = json.dumps(body, default=_scalar, separators=(",", ":"))
        response = Response(text, status, headers, content_type="application/x-amz-json-1.1")
        return response(environ, start_response)

    def answer(self, operation: str, content: bytes, region: str) -> Body:
        """Runs one operation.

        Args:
            operation: AWS's name of it.
            content: The request's body, JSON.
            region: The region that the request was signed for.

        Returns:
            The members of the operation's output shape; timestamps are datetimes.

        Raises:
            RedshiftDataError: Any error that AWS would send.
        """
        if operation not in service_model().operation_names:
            raise UnknownOperationException(f"The Redshift Data API has no operation {operation!r}.")
        request = _read(content)
        check_request(operation, request)
        if region != REGION and ("ClusterIdentifier" in request or "WorkgroupName" in request):
            raise ValidationException("Redshift endpoint doesn't exist in this region.")
        call: Callable[[Body], Body] = getattr(self, xform_name(operation))
        return _without_none(call(request))

    # Running

    def execute_statement(self, request: Body) -> Body:
        """ExecuteStatement."""
        others = {name: value for name, value in request.items() if name != "Sql"}
        statement = self.backend.submit([request["Sql"]], others, batch=False)
        return self._submitted(statement, request)

    def batch_execute_statement(self, request: Body) -> Body:
        """BatchExecuteStatement."""
        others = {name: value for name, value in request.items() if name != "Sqls"}
        statement = self.backend.submit(request["Sqls"], others, batch=True)
        return self._submitted(statement, request)

    def _submitted(self, statement: Statement, request: Body) -> Body:
        wait = request.get("WaitTimeSeconds")
        statement.wait(wait)
        answer = {"Id": statement.id, "CreatedAt": statement.created_at, **_where(statement.request.target)}
        answer |= {"SessionId": statement.session_id, "Status": statement.status}
        if statement.ended:
            answer |= {"RedshiftPid": statement.pid, "HasResultSet": _has_result_set(statement)}
        return answer

    def cancel_statement(self, request: Body) -> Body:
        """CancelStatement."""
        self.backend.cancel(request["Id"])
        return {"Status": True}

    # Describing

    def describe_statement(self, request: Body) -> Body:
        """DescribeStatement."""
        statement, query = self.backend.statement(request["Id"])
        statement.wait(request.get("WaitTimeSeconds"))
        asked = statement.request
        answer = {
            "Id": request["Id"],
            **_where(asked.target),
            "RedshiftPid": statement.pid,
            "ResultFormat": asked.result_format,
            "SessionId": statement.session_id,
        }
        if query is not None:
            return answer | _progress(query)
        if not asked.batch:
            answer |= _progress(statement.queries[0]) | {"QueryParameters": list(asked.parameters) or None}
        else:
            answer |= {
                "RedshiftQueryId": 0,
                "ResultRows": -1,
                "ResultSize": -1,
                "HasResultSet": _has_result_set(statement),
                "QueryParameters": list(asked.parameters) or None,
                "ExecutionMode": asked.mode,
                "SubStatements": [
                    {"Id": f"{statement.id}:{number}", **_progress(one)}
                    for number, one in enumerate(statement.queries, 1)
                ],
            }
        return answer | {
            "Status": statement.status,
            "Error": statement.error,
            "Duration": statement.duration,
            "CreatedAt": statement.created_at,
            "UpdatedAt": statement.updated_at,
        }

    def list_statements(self, request: Body) -> Body:
        """ListStatements; all callers are one role here, so RoleLevel changes nothing."""
        status = request.get("Status", "FINISHED")
        prefix = request.get("StatementName", "")
        chosen = [
            statement
            for statement in self.backend.statements()
            if status in {"ALL", statement.status}
            and (statement.request.name or "").startswith(prefix)
            and _is_at(statement.request.target, request)
        ]
        page, token = results.take(chosen, request.get("NextToken"), request.get("MaxResults"), 100)
        return {"Statements": [_listed(statement) for statement in page], "NextToken": token}

    def list_sessions(self, request: Body) -> Body:
        """ListSessions; those that are open unless Status asks for closed ones."""
        chosen = self.backend.sessions()
        if session_id := request.get("SessionId"):
            if len(request.keys() & {"Status", "ClusterIdentifier", "WorkgroupName", "Database"}):
                raise ValidationException(
                    "SessionId excludes Status, ClusterIdentifier, WorkgroupName and Database."
                )
            chosen = [session for session in chosen if session.id == session_id]
            if not chosen:
                raise ResourceNotFoundException("Session does not exist.", session_id)
        else:
            wanted = {request["Status"]} if "Status" in request else {"AVAILABLE", "BUSY"}
            chosen = [one for one in chosen if one.status in wanted and _is_at(one.target, request)]
        page, token = results.take(chosen, request.get("NextToken"), request.get("MaxResults"), 100)
        return {"Sessions": [session.description() for session in page], "NextToken": token}

    # Results

    def get_statement_result(self, request: Body) -> Body:
        """GetStatementResult."""
        return results.json_page(self._result(request, "JSON"), request.get("NextToken"))

    def get_statement_result_v2(self, request: Body) -> Body:
        """GetStatementResultV2."""
        return results.csv_page(self._result(request, "CSV"), request.get("NextToken"))

    def _result(self, request: Body, result_format: str) -> Any:
        statement, query = self.backend.statement(request["Id"])
        statement.wait(request.get("WaitTimeSeconds"))
        if statement.request.result_format != result_format:
            other = "GetStatementResultV2" if result_format == "JSON" else "GetStatementResult"
            raise ValidationException(
                f"The result of {request['Id']} is in {statement.request.result_format} format; use {other}."
            )
        if query is None and not statement.request.batch:
            query = statement.queries[0]
        if query is None or query.result is None or query.status != "FINISHED":
            raise ResourceNotFoundException(
                "Query does not have result. Please check query status with DescribeStatement.", request["Id"]
            )
        return query.result

    # The catalog

    def list_databases(self, request: Body) -> Body:
        """ListDatabases."""
        return _listing(request, "Databases", catalog.databases(self.backend.target(request)))

    def list_schemas(self, request: Body) -> Body:
        """ListSchemas."""
        found = catalog.schemas(
            self.backend.target(request), request["Database"], request.get("SchemaPattern")
        )
        return _listing(request, "Schemas", found)

    def list_tables(self, request: Body) -> Body:
        """ListTables."""
        target = self.backend.target(request)
        patterns = (request.get("SchemaPattern"), request.get("TablePattern"))
        return _listing(request, "Tables", catalog.tables(target, request["Database"], *patterns))

    def describe_table(self, request: Body) -> Body:
        """DescribeTable; a table without a schema is looked for in `public`."""
        target = self.backend.target(request)
        if not (table := request.get("Table")):
            raise ValidationException("Table must be given.")
        found = catalog.columns(target, request["Database"], request.get("Schema", "public"), table)
        return {"TableName": table, **_listing(request, "ColumnList", found)}


def _read(content: bytes) -> Any:
    try:
        request = json.loads(content or b"{}")
    except ValueError:
        raise SerializationException("The request's body is not JSON.") from None
    try:
        json.dumps(request, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):x}"
        raise SerializationException(f"{half} in the request's body is half of a character.") from None
    return request


def _signed_region(authorization: str) -> str:
    """The region of a request's credential scope; ours for a request that is not signed."""
    scope = authorization.partition("Credential=")[2].partition(",")[0].split("/")
    return scope[2] if len(scope) == 5 else REGION


def _where(target: Target) -> Body:
    return {
        "ClusterIdentifier": target.cluster_identifier,
        "WorkgroupName": target.workgroup_name,
        "Database": target.database,
        "DbUser": target.db_user,
        "SecretArn": target.secret_arn,
    }


def _is_at(target: Target, request: Mapping[str, Any]) -> bool:
    wanted = {
        "ClusterIdentifier": target.cluster_identifier,
        "WorkgroupName": target.workgroup_name,
        "Database": target.database,
    }
    return all(request.get(name) in {None, value} for name, value in wanted.items())


def _progress(query: Query) -> Body:
    return {
        "Status": query.status,
        "Error": query.error,
        "Duration": query.duration,
        "CreatedAt": query.created_at,
        "UpdatedAt": query.updated_at,
        "QueryString": query.sql,
        "ResultRows": query.rows,
        "ResultSize": query.size,
        "RedshiftQueryId": query.query_id,
        "HasResultSet": query.has_result_set,
    }


def _has_result_set(statement: Statement) -> bool:
    return any(query.has_result_set for query in statement.queries)


def _listed(statement: Statement) -> Body:
    texts = [query.sql for query in statement.queries]
    asked = statement.request
    return _without_none(
        {
            "Id": statement.id,
            "IsBatchStatement": asked.batch,
            "QueryString": None if asked.batch else texts[0],
            "QueryStrings": texts if asked.batch else None,
            "QueryParameters": list(asked.parameters) or None,
            "SecretArn": asked.target.secret_arn,
            "StatementName": asked.name,
            "Status": statement.status,
            "ResultFormat": asked.result_format,
            "SessionId": statement.session_id,
            "CreatedAt": statement.created_at,
            "UpdatedAt": statement.updated_at,
        }
    )


def _listing(request: Body, name: str, found: list[Any]) -> Body:
    page, token = results.take(found, request.get("NextToken"), request.get("MaxResults"), 1000)
    return {name: page, "NextToken": token}


def _without_none(body: Body) -> Body:
    return {
        name: [_without_none(one) if isinstance(one, dict) else one for one in value]
        if isinstance(value, list)
        else value
        for name, value in body.items()
        if value is not None
    }


def _scalar(value: object) -> float:
    if isinstance(value, datetime):
        return results.utc_seconds(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
