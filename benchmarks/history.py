"""The cost of one day of store sales, with 1, 10 and 100 times the history in the warehouse.

    .venv/bin/python benchmarks/history.py

Fills three warehouses with 8, 80 and 800 days of sales, item versions and lines that wait for a member, then
runs the same new day in each of them, in turns: the SQL files of a day from the dimensions to the reports.
Extracts hold changes, not whole dimensions. Not timed are the tasks before (create_schema, create_lake,
register_partition, stage_store_sales: no catalog and no Spectrum is in this process) and record_statements.
Prints the best time of each, and what the day costs with 10 and 100 times the history as a multiple of the
first. Target: within 1.3.
"""

import sys
import tempfile
import time
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT / folder) for folder in ("plugins", "include", "tests")]

from in_process import InProcess  # noqa: E402 - the line above makes it importable

DAY = date(2003, 1, 2)
DAY_SK = DAY.toordinal() + 1_721_425
HISTORIES = (8, 80, 800)
LINES, ITEMS, CUSTOMERS, STORES = 4_000, 2_000, 5_000, 6
ROUNDS = 9
SCRIPTS = (
    "load_customer",
    "load_customer_address",
    "load_item",
    "load_reference",
    "load_store",
    "repair_store_sales",
    "checks/extract_not_empty",
    "checks/extract_dates",
    "checks/extract_lines_once",
    "checks/extract_columns_filled",
    "checks/quantities_positive",
    "checks/prices_within_bounds",
    "checks/row_count_within_band",
    "load_store_sales",
    "checks/staging_equals_fact",
    "checks/keys_resolve",
    "checks/item_history_sound",
    "unload_daily_city_sales",
    "unload_store_reconciliation",
    "unload_weekly_store_performance",
)
PARAMETERS = {"city": "Bethel", "state": "OH", "region": "North America", "row_count_factor": "20"}


def fill(world: InProcess, days: int) -> None:
    """Put `days` days before DAY into the warehouse: what that many runs would have left there."""
    world.add_dates(DAY - timedelta(days=days + 8), days + 16)
    run = world.session.run  # DuckDB's SQL: filling is not what is measured
    run(f"""insert into tpcds.customer (c_customer_id, c_extract_date)
            select 'C' || n, date '1998-01-01' from range({CUSTOMERS}) as t(n)""")
    run(f"""insert into tpcds.store (s_store_id, s_city, s_state, s_country, s_extract_date)
            select 'S' || n, 'Bethel', 'OH', 'United States', date '1998-01-01'
            from range({STORES}) as t(n)""")
    # An item has a new price every 25 days: 80 of 2,000 on each day.
    run(f"""insert into tpcds.stg_item
            select date '{DAY}' - (d + 1)::int, 'I' || n, (1 + d % 90)::decimal(7, 2), 'Books', 'book'
            from range({days}) as h(d), range({ITEMS}) as t(n)
            where (n + d) % 25 = 0 or d = {days} - 1 order by 1""")
    run("""insert into tpcds.item (i_item_id, i_version, i_rec_start_date, i_rec_end_date, i_current_price)
           select i_item_id, row_number() over item, extract_date, lead(extract_date) over item,
               i_current_price
           from tpcds.stg_item window item as (partition by i_item_id order by extract_date)""")
    # Sorted by day, as loading day after day leaves it. Every hundredth line waits for a customer.
    run(f"""insert into tpcds.store_sales (ss_sold_date_sk, ss_item_sk, ss_customer_sk, ss_hdemo_sk,
                ss_addr_sk, ss_store_sk, ss_promo_sk, ss_ticket_number, ss_item_id, ss_quantity, ss_net_paid,
                ss_net_profit)
            select {DAY_SK} - h.d, i.i_item_sk, if(n % 100 = 0, -1, 1 + n % {CUSTOMERS}), -1, -1,
                1 + (n // 4) % {STORES}, -1, h.d * {LINES} + n // 4, i.i_item_id, 1 + n % 9, 10, 1
            from (select {days} - d as d from range({days}) as t(d)) as h, range({LINES}) as l(n)
            join tpcds.item as i on i.i_item_id = 'I' || (n % {ITEMS})
                and date '{DAY}' - h.d::int >= i.i_rec_start_date
                and (date '{DAY}' - h.d::int < i.i_rec_end_date or i.i_rec_end_date is null)
            order by 1""")
    run("""insert into tpcds.store_sales_unresolved
           select ss_sold_date_sk, ss_ticket_number, ss_item_id, 'customer', 'never delivered'
           from tpcds.store_sales where ss_customer_sk = -1""")
    world.session.commit()


def deliver(world: InProcess) -> None:
    """The extracts of DAY: as many sales and price changes as on any other day."""
    world.put("customer", DAY, [{"c_customer_id": f"C{n}", "c_last_name": "x"} for n in range(50)])
    world.put("customer_address", DAY, [{"ca_address_id": f"A{n}"} for n in range(50)])
    world.put("store", DAY, [])
    world.put("promotion", DAY, [{"p_promo_id": f"P{n}"} for n in range(300)])
    world.put("household_demographics", DAY, [{"hd_income_band_sk": n} for n in range(7_200)])
    world.put(
        "date_dim",
        DAY,
        [{"d_date": DAY - timedelta(days=n), "d_date_id": f"D{n}"} for n in range(2_191)],
    )
    prices = [{"i_item_id": f"I{n}", "i_current_price": Decimal("99.99")} for n in range(0, ITEMS, 25)]
    world.put("item", DAY, prices)
    lines = [
        {
            "sold_date": DAY,
            "i_item_id": f"I{n % ITEMS}",
            "c_customer_id": "never delivered" if n % 100 == 0 else f"C{n % CUSTOMERS}",
            "s_store_id": f"S{(n // 4) % STORES}",
            "ss_ticket_number": n // 4,
            "ss_quantity": 1 + n % 9,
            "ss_net_paid": Decimal("10.00"),
        }
        for n in range(LINES)
    ]
    world.put("store_sales", DAY, lines)


def run_day(world: InProcess) -> dict[str, float]:
    """Run every script of DAY and return the seconds of each."""
    world.stage_sales(DAY)
    seconds = {}
    for script in SCRIPTS:
        started = time.perf_counter()
        world.run(script, DAY, **PARAMETERS)
        seconds[script] = time.perf_counter() - started
    return seconds


def main() -> None:
    """Fill, run in turns, print."""
    with tempfile.TemporaryDirectory() as folder:
        worlds = {days: InProcess(Path(folder) / str(days)) for days in HISTORIES}
        for days, world in worlds.items():
            fill(world, days)
            deliver(world)
            run_day(world)  # the first run inserts; all later ones replace
        times: dict[int, list[dict[str, float]]] = {days: [] for days in HISTORIES}
        for _ in range(ROUNDS):
            for days, world in worlds.items():
                times[days].append(run_day(world))
        report(times)
        for world in worlds.values():
            world.close()


def report(times: dict[int, list[dict[str, float]]]) -> None:
    """Print the best time of each script and of the day, and their ratios: other processes only add time."""
    print(f"{LINES:,} lines a day; best of {ROUNDS} runs, milliseconds; x = multiple of {HISTORIES[0]} days")
    print(f"{'':32}" + "".join(f"{days:>8} days{'':>8}" for days in HISTORIES))
    for name in (*SCRIPTS, "the day"):
        best = [
            min(sum(run.values()) if name == "the day" else run[name] for run in times[days])
            for days in HISTORIES
        ]
        cells = "".join(f"{1000 * value:>9,.0f} x{value / best[0]:<9.2f}" for value in best)
        print(f"{name:32}{cells}")


if __name__ == "__main__":
    main()
