"""What the tests of the engine share: a bucket, a role, and short ways to run a statement."""

from __future__ import annotations

from typing import Any

import pytest

from local_aws.redshift import RedshiftError, Session

BUCKET = "lake"
ROLE = "iam_role 'arn:aws:iam::123456789012:role/warehouse'"


def rows(session: Session, sql: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    return session.execute(sql, parameters).rows


def fails(session: Session, sql: str, parameters: Any = None) -> tuple[str, str]:
    """SQLSTATE and message of a statement that must fail."""
    with pytest.raises(RedshiftError) as caught:
        session.execute(sql, parameters)
    return caught.value.sqlstate, str(caught.value)
