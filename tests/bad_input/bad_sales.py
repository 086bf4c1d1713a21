"""Lines of sales that must not be: one table of them, each with the check of the gate that refuses it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from store_sales_days import AFTER, BEFORE, DAY, FILLED, line

Lines = tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class BadSales:
    """One kind.

    Attributes:
        kind: What is wrong, in words.
        lines: The day's extract.
        check: The check that finds it, before the fact is touched.
        found: What the check says, of its first row.
        day: The day that is loaded.
    """

    kind: str
    lines: Lines
    check: str
    found: dict[str, Any] = field(default_factory=dict)
    day: date = DAY


def _money(**values: str) -> Lines:
    """A line whose money is right but for what is named."""
    changed = {name: Decimal(value) for name, value in values.items()}
    return (line(7, **FILLED | changed),)


def _priced(kind: str, problem: str, **values: str) -> BadSales:
    return BadSales(
        kind, _money(**values), "prices_within_bounds", {"ss_ticket_number": 7, "problem": problem}
    )


def _unfilled(column: str, *, of: int = 12, empty: int = 12) -> BadSales:
    """A column that the source has left empty in so many of the day's tickets."""
    lines = tuple(line(ticket, **FILLED) | ({column: None} if ticket < empty else {}) for ticket in range(of))
    found = {"column_name": column, "line_count": of, "empty_count": empty}
    return BadSales(f"{column} empty in {empty} of {of} lines", lines, "extract_columns_filled", found)


BAD_SALES = (
    BadSales(
        "a line of the day before",
        (line(7), line(8, day=BEFORE)),
        "extract_dates",
        {"sold_date": BEFORE, "line_count": 1, "first_ticket_number": 8},
    ),
    BadSales(
        "a line of the day after",
        (line(7), line(8, day=AFTER)),
        "extract_dates",
        {"sold_date": AFTER, "first_ticket_number": 8},
    ),
    BadSales(
        "a line without a day",
        (line(7), line(8, sold_date=None)),
        "extract_dates",
        {"sold_date": None, "first_ticket_number": 8},
    ),
    BadSales(
        "all lines of another day",
        (line(7, day=BEFORE), line(8, day=BEFORE)),
        "extract_dates",
        {"sold_date": BEFORE, "line_count": 2},
    ),
    BadSales(
        "a line of the year 1",
        (line(8, day=date(1, 1, 1)),),
        "extract_dates",
        {"sold_date": date(1, 1, 1), "first_ticket_number": 8},
    ),
    BadSales(
        "a line of the year 9999",
        (line(8, day=date(9999, 12, 31)),),
        "extract_dates",
        {"sold_date": date(9999, 12, 31)},
    ),
    BadSales(
        "a line twice",
        (line(7), line(7)),
        "extract_lines_once",
        {"ss_ticket_number": 7, "i_item_id": "I1", "line_count": 2, "problem": "identical"},
    ),
    BadSales(
        "a line twice with two prices",
        (line(7), line(7, paid="11.00")),
        "extract_lines_once",
        {"ss_ticket_number": 7, "problem": "conflicting"},
    ),
    BadSales(
        "a line without a ticket number",
        (line(7), line(8, ss_ticket_number=None)),
        "extract_lines_once",
        {"ss_ticket_number": None, "problem": "no ticket number"},
    ),
    BadSales(
        "two lines without an item on one ticket",
        (line(7, None), line(7, None, paid="11.00")),
        "extract_lines_once",
        {"ss_ticket_number": 7, "i_item_id": None, "problem": "conflicting"},
    ),
    BadSales(
        "a quantity of zero",
        (line(7, ss_quantity=0),),
        "quantities_positive",
        {"ss_ticket_number": 7, "ss_quantity": 0},
    ),
    BadSales(
        "a negative quantity",
        (line(7, ss_quantity=-3),),
        "quantities_positive",
        {"ss_ticket_number": 7, "ss_quantity": -3},
    ),
    _priced("a cost above all bounds", "wholesale cost is not from 0 to 100", ss_wholesale_cost="100.01"),
    _priced("a negative cost", "wholesale cost is not from 0 to 100", ss_wholesale_cost="-0.01"),
    _priced("a list price above all bounds", "list price is not from 0 to 200", ss_list_price="200.01"),
    _priced(
        "a sales price above the list price",
        "sales price is not from 0 to the list price",
        ss_sales_price="20.01",
    ),
    _priced("a negative discount", "a discount, tax or coupon is negative", ss_ext_discount_amt="-1"),
    _priced("a negative tax", "a discount, tax or coupon is negative", ss_ext_tax="-1"),
    _priced("a negative coupon", "a discount, tax or coupon is negative", ss_coupon_amt="-1"),
    _priced(
        "sales that are not quantity times price",
        "sales are not quantity times sales price",
        ss_ext_sales_price="31",
    ),
    _priced("a payment that is not the sales", "net paid is not sales less coupon", ss_net_paid="31"),
    _priced(
        "a payment with another tax", "net paid with tax is not net paid plus tax", ss_net_paid_inc_tax="33"
    ),
    _priced("a profit that is not one", "net profit is not net paid less wholesale", ss_net_profit="11"),
    BadSales("no line at all", (), "extract_not_empty", {"refresh_date": DAY, "line_count": 0}),
    BadSales(
        "a day that the calendar does not hold",
        (line(7, day=date(2030, 1, 1)),),
        "extract_dates",
        {"sold_date": date(2030, 1, 1), "problem": "not in the calendar", "line_count": 1},
        date(2030, 1, 1),
    ),
    _unfilled("i_item_id"),
    *map(_unfilled, FILLED),
    _unfilled("s_store_id", empty=7),
    _unfilled("ss_net_paid", of=100, empty=51),
)
