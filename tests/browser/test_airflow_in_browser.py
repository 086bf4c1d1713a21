"""A person at Airflow's web UI: in without a password, a run by the form, its grid, logs, and a failure."""

import re

import pytest
from airflow_pages import PATIENCE, color_of, grid_cell, run_address
from playwright.sync_api import Page, expect

from e2e_stack import Stack

pytestmark = pytest.mark.browser


def test_opening_the_address_is_enough_to_be_logged_in(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("link", name="Reports")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="User").click()
    expect(page.get_by_role("menuitem", name="Logout")).to_be_visible()


def test_a_run_by_the_form_turns_green_in_the_grid(page: Page, stack: Stack, run: str) -> None:
    page.goto(run_address(run))
    for task_id in ("stage_store_sales", "load_store_sales", "publish_reports"):
        assert color_of(grid_cell(page, run, task_id)) == "green", task_id
    assert stack.api.run_state(stack.dag_id, run) == "success"


def test_the_date_of_the_form_is_the_day_that_was_loaded(stack: Stack, run: str) -> None:
    assert "refresh_date='2003-01-01'" in stack.log(run, "load_store_sales")


def test_a_tasks_log_names_its_statements_with_rows_and_seconds(page: Page, run: str) -> None:
    page.goto(run_address(run, "load_store_sales"))
    lines = page.get_by_test_id(re.compile("^virtualized-item-"))
    expect(lines.filter(has_text="store_sales/load_store_sales.sql: submitted")).to_be_visible(
        timeout=PATIENCE
    )
    insert = lines.filter(has_text="insert into tpcds.store_sales (")
    expect(insert.first).to_contain_text(" rows ")
    expect(insert.first).to_contain_text("awsuser")


def test_a_broken_extract_turns_red_and_its_log_says_why(page: Page, stack: Stack, broken_run: str) -> None:
    page.goto(run_address(broken_run, "stage_store_sales"))
    assert color_of(grid_cell(page, broken_run, "stage_store_sales")) == "red"
    message = page.get_by_text("store_sales/stage_store_sales.sql, statement").first
    expect(message).to_contain_text("incompatible Parquet schema", timeout=PATIENCE)
    expect(message).to_contain_text("ss_ticket_number")
    assert stack.states(broken_run)["load_store_sales"] == "upstream_failed"
