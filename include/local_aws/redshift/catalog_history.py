"""Rows of the views about what ran, what could not be loaded, and who is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .session import Session

Rows = Iterator[Sequence[Any]]


def _sys_query_history(session: Session) -> Rows:
    for record in list(session.warehouse.history):
        elapsed = int(((record.end or record.start) - record.start).total_seconds() * 1_000_000)
        yield (
            100, record.user, record.query_id, record.label, record.transaction_id, record.pid,
            record.database,
            record.kind.upper(), record.status, record.start, record.end, elapsed, record.error, record.rows,
            record.text[:4000],
        )  # fmt: skip


def _stl_query(session: Session) -> Rows:
    for record in list(session.warehouse.history):
        aborted = 0 if record.status in {"success", "running"} else 1
        yield (
            100, record.query_id, record.label, record.transaction_id, record.pid, record.database,
            record.text[:4000],
            record.start, record.end, aborted,
        )  # fmt: skip


def _stl_load_errors(session: Session) -> Rows:
    for error in list(session.warehouse.load_errors):
        yield (
            100, 0, error.start, error.query_id, error.file, error.line, error.column, error.type,
            error.raw_line,
            error.raw_value, error.code, error.reason,
        )  # fmt: skip


def _sys_load_error_detail(session: Session) -> Rows:
    for error in list(session.warehouse.load_errors):
        yield (
            100, error.query_id, error.table, error.start, error.pid, session.database.name, error.file,
            error.line,
            error.column, error.type, error.raw_value, error.code, error.reason,
        )  # fmt: skip


def _users(session: Session) -> Rows:
    for number, user in enumerate(session.warehouse.users):
        yield user, 100 + number, True, True, True


def _svv_user_info(session: Session) -> Rows:
    for number, user in enumerate(session.warehouse.users):
        yield user, 100 + number, True, True


def _databases(session: Session) -> Rows:
    for number, name in enumerate(session.warehouse.databases):
        yield 100_000 + number, name, 100, 6, True


VIEWS: dict[str, tuple[str, Callable[[Session], Rows]]] = {
    "sys_query_history": (
        (
            "user_id int, username varchar, query_id bigint, query_label varchar, transaction_id bigint, "
            "session_id int, "
            "database_name varchar, query_type varchar, status varchar, start_time timestamp, end_time "
            "timestamp, "
            "elapsed_time bigint, error_message varchar, returned_rows bigint, query_text varchar"
        ),
        _sys_query_history,
    ),
    "stl_query": (
        (
            "userid int, query bigint, label varchar, xid bigint, pid int, database varchar, querytxt "
            "varchar, "
            "starttime timestamp, endtime timestamp, aborted int"
        ),
        _stl_query,
    ),
    "stl_load_errors": (
        (
            "userid int, slice int, starttime timestamp, query bigint, filename varchar, line_number bigint, "
            "colname varchar, type varchar, raw_line varchar, raw_field_value varchar, err_code int, "
            "err_reason varchar"
        ),
        _stl_load_errors,
    ),
    "sys_load_error_detail": (
        (
            "user_id int, query_id bigint, table_name varchar, start_time timestamp, session_id int, "
            "database_name varchar, file_name varchar, line_number bigint, column_name varchar, column_type "
            "varchar, "
            "raw_field_value varchar, error_code int, error_message varchar"
        ),
        _sys_load_error_detail,
    ),
    "pg_user": (
        "usename varchar, usesysid int, usecreatedb bool, usesuper bool, usecatupd bool",
        _users,
    ),
    "svv_user_info": ("user_name varchar, user_id int, createdb bool, superuser bool", _svv_user_info),
    "pg_database": ("oid int, datname varchar, datdba int, encoding int, datallowconn bool", _databases),
    "pg_database_info": (
        "datid int, datname varchar, datdba int, encoding int, datallowconn bool",
        _databases,
    ),
}
