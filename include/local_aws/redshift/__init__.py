"""Amazon Redshift on this machine: DuckDB is the engine; SQL, types, transactions and errors are Redshift's.

A statement's way: ``Session.execute`` (session) -> its kind (statement) -> its handler (commands) -> for
what sqlglot
reads, Redshift's text in DuckDB's (dialect) with external tables and system views put in (relations).
"""

from .errors import RedshiftError
from .session import Session
from .types import Column, Result
from .warehouse import Warehouse

__all__ = ["Column", "RedshiftError", "Result", "Session", "Warehouse"]
