"""The rows of the reports, as their UNLOADs name and type the columns; JSON carries money as text."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator


def _null(value: Any) -> Any:
    """An UNLOADed CSV writes null as nothing."""
    return None if value == "" else value


def _utc(value: datetime) -> datetime:
    """A TIMESTAMP of the audit is UTC, without saying so."""
    return value.replace(tzinfo=UTC)


type Null[T] = Annotated[T | None, BeforeValidator(_null)]


class Row(BaseModel):
    """One row of a report."""


class WeeklyStore(Row):
    """A store's week up to the refresh date, beside the same days of the week before."""

    week_start: date
    week_end: date
    region: str
    sales_rank: int
    previous_rank: Null[int]
    rank_change: Null[int]
    store_id: str
    store_name: str
    city: str
    state: str
    country: str
    days: int
    orders: int
    quantity: int
    net_sales: Decimal
    previous_net_sales: Null[Decimal]
    net_sales_change: Null[Decimal]
    net_sales_change_percent: Null[Decimal]
    net_profit: Decimal


class CityDay(Row):
    """A day's sales of all stores of a city."""

    sale_date: date
    city: str
    state: str
    stores: int
    orders: int
    quantity: int
    net_sales: Decimal
    net_profit: Decimal


class TopReview(Row):
    """One of the most helpful reviews of its marketplace and product category."""

    marketplace: str
    product_category: str
    product_title: str
    review_id: str
    helpful_votes: Null[int]
    average_stars: Null[Decimal]


class StatementRun(Row):
    """What one statement of a run did."""

    task_id: str
    statement_number: int
    statement_id: str
    file: str
    row_count: int | None
    duration_seconds: float
    status: str
    error: str | None
    statement: str
    submitted_at: Annotated[datetime, AfterValidator(_utc)]
