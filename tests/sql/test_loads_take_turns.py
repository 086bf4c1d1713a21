"""Scripts that write the same table take turns, by a lock that they take before they look at anything.

Redshift enforces no primary key, and it takes a transaction's snapshot with the first statement that reads or
writes (https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html). Two loads that look for a new
member at once would both find it missing. LOCK takes no snapshot: the second load looks after the first one's
commit. The engine of these tests lets only one transaction write at a time, and so could not show a missing
lock: the scripts are held to the rule instead.
"""

from __future__ import annotations

import re

import pytest

from in_process import InProcess, script
from laptop.environment import PROJECT

FOLDER = PROJECT / "sql" / "store_sales"
# External DDL commits by itself; create_schema makes the tables that are locked, and fills one of its own.
UNLOCKED = {"create_lake", "create_schema", "register_partition"}
FILES = {
    name: script(f"store_sales/{name}.sql", "2003-01-02")
    for name in (str(file.relative_to(FOLDER).with_suffix("")) for file in sorted(FOLDER.rglob("*.sql")))
}
WRITES = re.compile(
    r"^\s*(?:insert\s+into|update|delete\s+from|copy|merge\s+into|truncate)\s+(tpcds\.\w+)", re.IGNORECASE
)
LOCK = re.compile(r"^\s*lock\s+(tpcds\.\w+)\s*$", re.IGNORECASE)


def without_comments(statement: str) -> str:
    return re.sub(r"--[^\n]*", "", statement)


def written(name: str) -> set[str]:
    found = (WRITES.match(without_comments(statement)) for statement in FILES[name])
    return {match[1] for match in found if match}


def lock(name: str) -> str | None:
    match = LOCK.match(without_comments(FILES[name][0]))
    return match[1] if match else None


WRITERS = sorted(name for name in FILES if name not in UNLOCKED and written(name))


def test_the_scripts_that_write_are_these() -> None:
    assert WRITERS == [
        "load_customer", "load_customer_address", "load_item", "load_reference", "load_store",
        "load_store_sales", "repair_store_sales", "stage_store_sales",
    ]  # fmt: skip


@pytest.mark.parametrize("name", WRITERS)
def test_a_script_that_writes_locks_first(name: str) -> None:
    assert lock(name), f"{name}.sql writes {written(name)} and does not begin with a lock"


def test_all_scripts_that_write_a_table_take_the_same_lock() -> None:
    locks: dict[str, set[str | None]] = {}
    for name in WRITERS:
        for table in written(name):
            locks.setdefault(table, set()).add(lock(name))
    assert {table: taken for table, taken in locks.items() if len(taken) > 1} == {}
    assert locks["tpcds.store_sales"] == {"tpcds.store_sales_unresolved"}


def test_what_is_written_without_a_lock_has_no_other_writer() -> None:
    """Unknown members were: beside another day's loads, Redshift could refuse either transaction (1023)."""
    alone = set().union(*(written(name) for name in UNLOCKED))
    assert alone == {"tpcds.country_region"}
    assert not alone & set().union(*(written(name) for name in WRITERS))


def test_r4_dimensions_take_different_locks_and_load_side_by_side() -> None:
    dimensions = [name for name in WRITERS if name.startswith("load_") and name != "load_store_sales"]
    assert len({lock(name) for name in dimensions}) == len(dimensions) == 5


def test_nobody_who_only_reads_waits_for_a_lock(world: InProcess) -> None:
    locked = {lock(name) for name in WRITERS}
    for name, statements in FILES.items():
        if name not in WRITERS and name not in UNLOCKED:
            read = set(re.findall(r"tpcds\.\w+", " ".join(map(without_comments, statements))))
            assert not read & locked, name
    for table in locked:
        assert world.query(f"select count(*) from {table}") == [(0,)]
