"""Days in any order, again, and delivered anew: the dimensions and the fact end as a simple model says.

Hypothesis draws small worlds (two items, customers, addresses and stores, four days) and sequences of tasks
on them, as parallel and repeated runs would interleave them: each task is one transaction. The real SQL files
run on the real engine. `--hypothesis-profile=thorough` runs 2,000 sequences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from in_process import InProcess

UNKNOWN = "UNKNOWN"
DAYS = [date(2003, 1, 1) + timedelta(days=n) for n in range(4)]
TYPE_1 = {
    "customer": ("c_customer_id", "c_last_name", "load_customer"),
    "customer_address": ("ca_address_id", "ca_city", "load_customer_address"),
    "store": ("s_store_id", "s_manager", "load_store"),
}
Step = tuple[str, date, list[dict[str, Any]] | None]


@dataclass
class Model:
    """What the tables must hold: deliveries and sales kept as they came, the rest looked up at the end."""

    deliveries: dict[date, dict[str, dict[str, Any]]] = field(default_factory=dict)
    members: dict[str, dict[str, tuple[date, str | None]]] = field(
        default_factory=lambda: {name: {} for name in TYPE_1}
    )
    sales: dict[date, list[dict[str, Any]]] = field(default_factory=dict)

    def load(self, table: str, day: date, rows: list[dict[str, Any]]) -> None:
        if table == "store_sales":
            self.sales[day] = rows
        elif table == "item":
            self.deliveries[day] = {}
            for row in rows:
                values = (row["i_current_price"], row["i_category"])
                known = self.deliveries[day].get(row["i_item_id"])
                if known is None or _nulls_last(values) < _nulls_last((known["price"], known["category"])):
                    self.deliveries[day][row["i_item_id"]] = {"price": values[0], "category": values[1]}
        else:
            key, attribute, _ = TYPE_1[table]
            day_rows: dict[str, str | None] = {}
            for row in rows:
                value = row[attribute]
                if row[key] not in day_rows or _nulls_last((value,)) < _nulls_last((day_rows[row[key]],)):
                    day_rows[row[key]] = value
            for member, value in day_rows.items():
                if member not in self.members[table] or self.members[table][member][0] <= day:
                    self.members[table][member] = (day, value)

    def history(self, item: str) -> list[tuple[date, Decimal | None, str | None]]:
        """(start, price, category) of an item's versions; each ends where the next one starts."""
        versions: list[tuple[date, Decimal | None, str | None]] = []
        for day in sorted(self.deliveries):
            if row := self.deliveries[day].get(item):
                if versions and versions[-1][1] == row["price"]:
                    versions[-1] = (versions[-1][0], row["price"], row["category"])
                else:
                    versions.append((day, row["price"], row["category"]))
        return versions

    def items(self) -> list[tuple[Any, ...]]:
        rows = []
        for item in {name for delivery in self.deliveries.values() for name in delivery}:
            versions = self.history(item)
            ends = [start for start, *_ in versions[1:]] + [None]
            for number, ((start, price, category), end) in enumerate(zip(versions, ends, strict=True), 1):
                rows.append((item, number, start, end, price, category))
        return rows

    def facts(self) -> list[tuple[Any, ...]]:
        rows = []
        for day, lines in self.sales.items():
            for line in lines:
                starts = [start for start, *_ in self.history(line["i_item_id"] or "")]
                valid = [start for start in starts if start <= day]
                start = valid[-1] if valid else starts[0] if starts else None
                members = tuple(
                    line[key] if line[key] in self.members[table] else UNKNOWN
                    for table, (key, *_) in TYPE_1.items()
                )
                item = line["i_item_id"] if start else UNKNOWN
                rows.append(
                    (day, line["ss_ticket_number"], line["i_item_id"] or UNKNOWN, item, start, *members)
                )
        return rows

    def unresolved(self) -> int:
        """Lines and members that have an id which no dimension knows."""
        ids = {"item": "i_item_id"} | {table: key for table, (key, *_) in TYPE_1.items()}
        known = {table: set(rows) for table, rows in self.members.items()} | {
            "item": {row[0] for row in self.items()}
        }
        return sum(
            line[key] is not None and line[key] not in known[table]
            for lines in self.sales.values()
            for line in lines
            for table, key in ids.items()
        )


def _nulls_last(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple((value is None, value if value is not None else 0) for value in values)


def _identity(line: dict[str, Any]) -> tuple[Any, ...]:
    return line["ss_ticket_number"], line["i_item_id"]


def extracts(table: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    """The rows of a day's extract; a member may be missing, unchanged, changed, or there twice."""
    if table == "item":
        row = st.fixed_dictionaries(
            {
                "i_item_id": st.sampled_from(["A", "A", "B"]),
                "i_current_price": st.sampled_from([Decimal("1.00"), Decimal("2.00"), None]),
                "i_category": st.sampled_from(["Books", "Music", None]),
            }
        )
        return st.lists(row, min_size=1, max_size=3)
    if table == "store_sales":
        line = st.fixed_dictionaries(
            {
                "ss_ticket_number": st.sampled_from([1, 2]),
                "i_item_id": st.sampled_from(["A", "A", "B", "B", "never", None]),
                "c_customer_id": st.sampled_from(["A", "B", "never", None]),
                "ca_address_id": st.sampled_from(["A", "B", None]),
                "s_store_id": st.sampled_from(["A", None]),
            }
        )
        return st.lists(
            line, min_size=1, max_size=4, unique_by=lambda x: (x["ss_ticket_number"], x["i_item_id"])
        )
    key, attribute, _ = TYPE_1[table]
    row = st.fixed_dictionaries(
        {key: st.sampled_from(["A", "B"]), attribute: st.sampled_from(["x", "y", None])}
    )
    return st.lists(row, max_size=3)


def steps() -> st.SearchStrategy[list[Step]]:
    """Tasks of runs: a load of a new extract, the same load again, or the repair.

    Each sequence keeps to a few tables and days, so that its steps meet each other.
    """
    items_and_sales = ("item", "item", "store_sales")
    tables = st.sampled_from(
        [items_and_sales, items_and_sales, *((name, "store_sales") for name in TYPE_1), ("item", *TYPE_1)]
    )
    days = st.lists(st.sampled_from(DAYS), min_size=2, max_size=4, unique=True)
    return st.tuples(tables, days).flatmap(lambda world: _steps(*world))


def _steps(tables: tuple[str, ...], days: list[date]) -> st.SearchStrategy[list[Step]]:
    table, day = st.sampled_from(tables), st.sampled_from(days)
    load = table.flatmap(lambda name: st.tuples(st.just(name), day, extracts(name)))
    again = st.tuples(table, day, st.none())
    repair = st.tuples(st.just("repair"), day, st.none())
    return st.lists(st.one_of(load, load, load, load, again, repair), min_size=4, max_size=12)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    made = InProcess(tmp_path_factory.mktemp("s3"))
    made.add_dates(DAYS[0] - timedelta(days=1), 10)
    yield made
    made.close()


@given(sequence=steps())
def test_any_sequence_of_loads_ends_as_the_model_says(world: InProcess, sequence: list[Step]) -> None:
    world.empty()
    model = Model()
    delivered: dict[tuple[str, date], list[dict[str, Any]]] = {}
    keys: dict[tuple[str, date], int] = {}
    for table, day, extract in [*sequence, ("repair", DAYS[-1], None)]:
        if table == "repair":
            world.run("repair_store_sales")
            continue
        rows = delivered.get((table, day), []) if extract is None else extract
        delivered[table, day] = rows
        model.load(table, day, rows)
        extra = {"sold_date": day} if table == "store_sales" else {}
        world.put(table, day, [row | extra for row in rows])
        if table == "store_sales":
            world.stage_sales(day)
            world.run("load_store_sales", day)
        else:
            world.run("load_item" if table == "item" else TYPE_1[table][2], day)
        if table == "item":
            # Whatever the order, at no moment is the history unsound, a key changed or a sale left dangling.
            found = {
                (item, start): key
                for item, start, key in world.query(
                    "select i_item_id, i_rec_start_date, i_item_sk from tpcds.item where i_item_sk <> -1"
                )
            }
            assert all(found[version] == keys[version] for version in found.keys() & keys.keys())
            keys = found
            for loaded in model.sales:  # a newer day may be between its load and its gate
                assert world.run("checks/keys_resolve", loaded) == []
    if any(table == "item" for table, *_ in sequence):
        problems = world.run("checks/item_history_sound", DAYS[0])
        assert [row for row in problems if row["problem"] != "delivered twice"] == []
    _assert_tables(world, model)


FACTS = """
select d.d_date, f.ss_ticket_number, f.ss_item_id, i.i_item_id,
       case when i.i_item_sk <> -1 then i.i_rec_start_date end, c.c_customer_id, a.ca_address_id, s.s_store_id
from tpcds.store_sales as f
join tpcds.date_dim as d on f.ss_sold_date_sk = d.d_date_sk
join tpcds.item as i on f.ss_item_sk = i.i_item_sk
join tpcds.customer as c on f.ss_customer_sk = c.c_customer_sk
join tpcds.customer_address as a on f.ss_addr_sk = a.ca_address_sk
join tpcds.store as s on f.ss_store_sk = s.s_store_sk
"""


def _assert_tables(world: InProcess, model: Model) -> None:
    items = world.query(
        "select i_item_id, i_version, i_rec_start_date, i_rec_end_date, i_current_price, i_category"
        " from tpcds.item where i_item_sk <> -1"
    )
    assert Counter(items) == Counter(model.items())
    for table, (key, attribute, _) in TYPE_1.items():
        rows = world.query(f"select {key}, {attribute} from tpcds.{table} where {key} <> '{UNKNOWN}'")
        assert Counter(rows) == Counter((m, value) for m, (_, value) in model.members[table].items()), table
    assert Counter(world.query(FACTS)) == Counter(model.facts())
    assert world.query("select count(*) from tpcds.store_sales_unresolved") == [(model.unresolved(),)]
