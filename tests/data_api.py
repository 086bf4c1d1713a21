"""A query through the Data API as a client on AWS would make it, with typed values."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

CLUSTER = "redshift-etl"
_FROM_TEXT: dict[str, Callable[[str], Any]] = {"numeric": Decimal, "date": date.fromisoformat}


def query(client: Any, sql: str, parameters: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """Run one statement, wait, and return all pages of its result as dicts."""
    arguments: dict[str, Any] = {
        "ClusterIdentifier": CLUSTER,
        "Database": "dev",
        "DbUser": "awsuser",
        "Sql": sql,
    }
    if parameters:
        arguments["Parameters"] = [{"name": k, "value": v} for k, v in parameters.items()]
    statement = client.execute_statement(**arguments)["Id"]
    while True:
        described = client.describe_statement(Id=statement, WaitTimeSeconds=10)
        if described["Status"] in {"FINISHED", "FAILED", "ABORTED"}:
            break
    assert described["Status"] == "FINISHED", described.get("Error")
    if not described["HasResultSet"]:
        return []
    rows: list[dict[str, Any]] = []
    for page in client.get_paginator("get_statement_result").paginate(Id=statement):
        columns = page["ColumnMetadata"]
        rows.extend(
            {
                column["name"]: _value(value, column["typeName"])
                for column, value in zip(columns, record, strict=True)
            }
            for record in page["Records"]
        )
    return rows


def _value(value: dict[str, Any], type_name: str) -> Any:
    if value.get("isNull"):
        return None
    (plain,) = value.values()
    return _FROM_TEXT.get(type_name, lambda text: text)(plain)
