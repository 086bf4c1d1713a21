"""Ending what runs: CANCEL, pg_cancel_backend and pg_terminate_backend on another session, and time-outs."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlglot import exp

from .errors import RedshiftError, not_supported
from .statement import Statement, TokenReader
from .types import Result

if TYPE_CHECKING:
    from .session import Session

_FUNCTIONS = {"pg_cancel_backend", "pg_terminate_backend"}


def cancel(session: Session, statement: Statement) -> Result:
    """CANCEL pid ['message']; the message is what the cancelled session's client reads."""
    reader = TokenReader(statement)
    reader.expect("cancel")
    pid = reader.number()
    reason = "" if reader.at_end else reader.string()
    reader.finish()
    other = session.warehouse.sessions.get(pid)
    if other is None:
        raise RedshiftError(
            f"Session {pid} does not exist. The session PID might have changed. Check the "
            "stl_restarted_sessions system table for details.",
            "XX000",
        )
    other.cancel(reason)
    return Result("CANCEL", None, [], -1)


@contextlib.contextmanager
def timeout(session: Session) -> Iterator[None]:
    """Cancels the statement that runs inside when it takes longer than ``statement_timeout``.

    Redshift gives a statement that timed out the same error as one that a user cancelled.
    """
    milliseconds = session.settings.statement_timeout
    if not milliseconds:
        yield
        return
    timer = threading.Timer(milliseconds / 1000, session.cancel)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        # Joined, so that it cannot hit the statement after this one.
        timer.cancel()
        timer.join()


def calls(tree: exp.Expr) -> dict[int, str]:
    """Takes the functions that end other sessions out of a query's columns, leaving their argument.

    They act once for each row of the result and not when the query is described or planned, so the engine
    must not see them.

    Args:
        tree: a Redshift tree whose columns have names; it is changed.

    Returns:
        The function of each such column, by its position.

    Raises:
        RedshiftError: 0A000 when one is called anywhere but as a column.
    """
    found: dict[int, str] = {}
    for number, item in enumerate(tree.expressions if isinstance(tree, exp.Select) else []):
        call = item.unalias()
        if isinstance(call, exp.Anonymous) and call.name.lower() in _FUNCTIONS and len(call.expressions) == 1:
            found[number] = call.name.lower()
            call.replace(exp.cast(call.expressions[0].copy(), "int"))
    for call in tree.find_all(exp.Anonymous):
        if call.name.lower() in _FUNCTIONS:
            raise not_supported(f"{call.sql('redshift')}, which is no column of the outermost SELECT")
    return found


def call(session: Session, function: str, pid: int | None) -> int | None:
    """Runs a function that ends another session's statement or the session; 1 when there was one."""
    if pid is None:
        return None
    other = session.warehouse.sessions.get(pid)
    if other is None:
        return 0
    if function == "pg_cancel_backend":
        other.cancel()
    elif other is session:
        session.terminated = True
        session.check_cancelled()
    else:
        other.terminate()
    return 1
