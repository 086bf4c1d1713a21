"""What a statement did, read from the Data API's description of it: for the log, for XCom and for errors."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TypedDict

if TYPE_CHECKING:
    from mypy_boto3_redshift_data.type_defs import DescribeStatementResponseTypeDef, SubStatementDataTypeDef

FINISHED: Final = "FINISHED"
FAILED: Final = "FAILED"
ABORTED: Final = "ABORTED"
TERMINAL: Final = frozenset({FINISHED, FAILED, ABORTED})

# The last part of the name of a script's `unless` query.
UNLESS: Final = "unless"

_LOG_WIDTH: Final = 200

# https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ExecuteStatement.html
_LONGEST_NAME: Final = 500

_LABEL: Final = "set query_group to "


class StatementAudit(TypedDict):
    """One statement of a script, as it ran.

    Attributes:
        number: Its place in the script, from 1.
        statement_id: The Data API's id, for `aws redshift-data describe-statement`.
        database_user: The user as whom it ran.
        file: The script.
        query_id: Redshift's own number, as in sys_query_history; None for one that did not reach it.
        rows: Rows returned or changed; None where the idea does not apply.
        bytes: Size of the result; None without one.
        seconds: How long Redshift worked on it.
        status: FINISHED, FAILED, ABORTED or, for one not reached, what the Data API says.
        error: Redshift's message; empty when there is none.
        sql: Its text on one line, shortened.
    """

    number: int
    statement_id: str
    database_user: str
    file: str
    query_id: int | None
    rows: int | None
    bytes: int | None
    seconds: float
    status: str
    error: str
    sql: str


def statement_name(*parts: str | None) -> str:
    """Name a statement by DAG, run and task, in this order: a run's statements share a prefix.

    Args:
        parts: The parts of the name; None is left out.

    Returns:
        A name of characters and a length that the Data API takes; where the end is cut off, a digest of the
        whole stands for it, so that no two tasks of a run share a name.
    """
    name = re.sub(r"[^\w.-]", "-", ".".join(filter(None, parts)), flags=re.ASCII)
    if len(name) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return f"{name[: _LONGEST_NAME - len(digest) - 1]}-{digest}"


def label(name: str) -> str:
    """Make the statement that labels what follows it in a session, as `query_label` of sys_query_history.

    Args:
        name: What `statement_name` returned: nothing in it needs quoting.
    """
    return f"{_LABEL}'{name[:320]}'"  # https://docs.aws.amazon.com/redshift/latest/dg/r_STL_QUERY.html


def parts_of(
    description: DescribeStatementResponseTypeDef,
) -> Sequence[DescribeStatementResponseTypeDef | SubStatementDataTypeDef]:
    """List a batch's statements without its label; a statement sent alone is its own only part."""
    parts: Sequence[DescribeStatementResponseTypeDef | SubStatementDataTypeDef]
    parts = description.get("SubStatements") or [description]
    return [part for part in parts if not part.get("QueryString", "").startswith(_LABEL)]


def audit(description: DescribeStatementResponseTypeDef, file: str) -> list[StatementAudit]:
    """List the statements of a script as they ran.

    Args:
        description: DescribeStatement's answer for the script's statement or batch.
        file: The script, for the reader.

    Returns:
        One entry a statement, in order; JSON can hold it.
    """
    return [
        StatementAudit(
            number=number,
            statement_id=part["Id"],
            database_user=description.get("DbUser", ""),
            file=file,
            query_id=query_id if (query_id := part.get("RedshiftQueryId", 0)) > 0 else None,
            rows=rows if (rows := part.get("ResultRows", -1)) >= 0 else None,
            bytes=size if (size := part.get("ResultSize", -1)) >= 0 else None,
            seconds=round(max(part.get("Duration", 0), 0) / 1e9, 3),  # the Data API gives nanoseconds
            status=part.get("Status", "") or "",
            error=part.get("Error", ""),
            sql=one_line(part.get("QueryString", ""), _LOG_WIDTH),
        )
        for number, part in enumerate(parts_of(description), start=1)
    ]


def succeeded(description: DescribeStatementResponseTypeDef) -> bool:
    """Whether every statement finished; a batch in AUTO_COMMIT mode goes on after one that failed."""
    parts = description.get("SubStatements", [])
    return description["Status"] == FINISHED and all(part.get("Status") == FINISHED for part in parts)


def rows_written(entries: Sequence[StatementAudit], table: str) -> int | None:
    """Count the rows that a script's INSERT and COPY statements wrote into a table; None without such."""
    into = re.compile(rf"(insert\s+into|copy)\s+{re.escape(table)}(\s|\()", re.IGNORECASE)
    counts = [entry["rows"] or 0 for entry in entries if into.match(entry["sql"])]
    return sum(counts) if counts else None


def log_line(entry: StatementAudit, total: int) -> str:
    """Put what a statement did on one line, such as `statement 2/4 insert into … 166 rows 0.12 s`."""
    rows = "" if entry["rows"] is None else f" {entry['rows']:,} rows"
    status = "" if entry["status"] == FINISHED else f" {entry['status']}"
    return (
        f"statement {entry['number']}/{total} {one_line(entry['sql'], 80)}{rows} {entry['seconds']:.2f} s"
        f"{status} ({entry['statement_id']}, {entry['database_user'] or 'user unknown'})"
    )


def one_line(sql: str, width: int) -> str:
    """Put a statement on one line of at most `width` characters."""
    line = " ".join(sql.split())
    return line if len(line) <= width else f"{line[: width - 1]}…"
