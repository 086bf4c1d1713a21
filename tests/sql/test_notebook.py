"""docs/store_sales_notebook.ipynb, cell by cell, against a warehouse behind the Data API."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from data_api import query
from laptop.environment import PROJECT

NOTEBOOK = PROJECT / "docs" / "store_sales_notebook.ipynb"
DAY = date(2003, 1, 2)
ROWS = 2_500


@pytest.fixture
def filled(warehouse: Any) -> Any:
    """Two stores in Bethel and one in Toronto; two days of this week and one of the week before."""
    warehouse.run("store_sales/create_schema.sql")
    days = [DAY, DAY - timedelta(days=1), DAY - timedelta(days=7)]
    dates = ", ".join(f"({d.toordinal() + 1_721_425}, 'D{d:%Y%m%d}', '{d}')" for d in days)
    stores = ", ".join(
        f"('{store}', '{name}', '{city}', '{country}', '{DAY}')"
        for store, name, city, country in (
            ("S1", "able", "Bethel", "United States"),
            ("S2", "ought", "Bethel", "United States"),
            ("S3", "bar", "Toronto", "Canada"),
        )
    )
    staged = f"('{DAY}', 'S1', 1, 2, 10.10), ('{DAY}', 'S1', 2, 2, 10.10)"
    for into, values in (
        ("date_dim (d_date_sk, d_date_id, d_date)", dates),
        ("store (s_store_id, s_store_name, s_city, s_country, s_extract_date)", stores),
        ("stg_store_sales (sale_date, s_store_id, ss_ticket_number, ss_quantity, ss_net_paid)", staged),
    ):
        query(warehouse.redshift, f"insert into tpcds.{into} values {values}")
    unknown = "values (-1, 'UNKNOWN', 'Unknown', '1900-01-01')"
    query(
        warehouse.redshift,
        f"insert into tpcds.store (s_store_sk, s_store_id, s_store_name, s_extract_date) {unknown}",
    )
    query(warehouse.redshift, "update tpcds.store set s_state = 'OH' where s_city = 'Bethel'")
    for day in days:
        for store in ("S1", "S2", "S3"):
            query(warehouse.redshift, fact(day, store))
    return warehouse


def fact(day: date, store: str) -> str:
    """Two lines on two tickets."""
    return (
        "insert into tpcds.store_sales (ss_sold_date_sk, ss_item_sk, ss_customer_sk, ss_hdemo_sk, ss_addr_sk,"
        " ss_store_sk, ss_promo_sk, ss_ticket_number, ss_item_id, ss_quantity, ss_net_paid)"
        f" select {day.toordinal() + 1_721_425}, -1, -1, -1, -1, s_store_sk, -1, n.ticket * 10 + s_store_sk,"
        " 'I', 2, 10.10 from tpcds.store cross join (select 1 as ticket union all select 2) as n"
        f" where s_store_id = '{store}'"
    )


def run_notebook() -> dict[str, Any]:
    """Execute the code cells in order, in one namespace, as a kernel would."""
    names: dict[str, Any] = {}
    for cell in json.loads(NOTEBOOK.read_text())["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), f"{NOTEBOOK.name}:{cell['id']}", "exec"), names)
    return names


@pytest.mark.usefixtures("filled")
def test_r11_r13_the_notebook_fetches_the_figures_with_their_types() -> None:
    names = run_notebook()
    daily, one_store, weekly = names["daily"], names["one_store"], names["weekly"]

    assert daily["sale_date"].dt.date.tolist() == [DAY, DAY - timedelta(days=1), DAY - timedelta(days=7)]
    assert daily["orders"].tolist() == [4, 4, 4]
    assert daily["net_sales"].tolist() == [Decimal("40.40")] * 3
    assert {name: str(kind) for name, kind in daily.dtypes.items()} == {
        "sale_date": "datetime64[ns]",
        "stores": "Int64",
        "orders": "Int64",
        "quantity": "Int64",
        "net_sales": "object",
    }

    # R12: what was delivered for the store is what the fact holds.
    assert one_store["place"].tolist() == ["fact", "staging"]
    assert one_store["net_sales"].tolist() == [Decimal("20.20")] * 2

    assert weekly["week_start"].dt.date.tolist() == [date(2002, 12, 30)] * 3 + [date(2002, 12, 23)] * 3
    assert weekly["sales_rank"].tolist() == [1, 2, 3] * 2
    assert names["sales_by_week"].shape == (3, 2)


@pytest.mark.usefixtures("filled")
def test_r13_a_result_of_many_pages_arrives_whole() -> None:
    names = run_notebook()
    numbers = " union all ".join(f"select {n} as digit" for n in range(10))
    digits = " cross join ".join(f"({numbers}) as d{n}" for n in range(4))
    sql = "select d0.digit + 10 * d1.digit + 100 * d2.digit + 1000 * d3.digit as number"
    frame = names["query"](f"select number from ({sql} from {digits}) as n where number < {ROWS} order by 1")
    assert frame["number"].tolist() == list(range(ROWS))
    empty = names["query"]("select s_store_id, s_tax_precentage from tpcds.store where s_store_sk = 0")
    assert empty.empty
    assert list(empty.columns) == ["s_store_id", "s_tax_precentage"]
    nulls = names["query"]("select s_city, s_tax_precentage from tpcds.store where s_store_sk = -1")
    assert nulls.isna().all().all()


@pytest.mark.usefixtures("filled")
def test_a_statement_that_fails_says_why() -> None:
    with pytest.raises(RuntimeError, match=r"FAILED.*nowhere"):
        run_notebook()["query"]("select * from nowhere")


def test_the_notebook_is_kept_without_outputs() -> None:
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    assert all(cell["outputs"] == [] for cell in cells if cell["cell_type"] == "code")
