"""One Chromium and one whole Airflow for all browser tests."""

import os
from collections.abc import Iterator
from datetime import date

import pyarrow as pa
import pytest
from airflow_pages import trigger
from chromium import MISSING, find_chromium, running
from playwright.sync_api import Browser, Page

import e2e_stack
from e2e_stack import BUCKET, Stack, deliver_nothing_much
from extract_files import key_of, parquet, with_type


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path, asked for before anything is started."""
    path = find_chromium()
    if path is None and os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail(f"REQUIRE_BROWSER=1, but {MISSING}")
    if path is None:
        pytest.skip(MISSING)
    return path


@pytest.fixture(scope="session")
def stack(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:  # noqa: ARG001 - first
    """Everything as `make run` starts it."""
    with e2e_stack.running(tmp_path_factory.mktemp("browser")) as started:
        yield started.of("store_sales_etl")


@pytest.fixture(scope="session")
def browser(chromium: str, stack: Stack) -> Iterator[Browser]:  # noqa: ARG001 - it ends before the stack
    with running(chromium) as started:
        yield started


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    """A fresh browser profile; a script error or a breach of a security policy fails the test."""
    context = browser.new_context(
        base_url=stack.api.url, viewport={"width": 1400, "height": 900}, locale="en-US"
    )
    opened = context.new_page()
    troubles: list[str] = []
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("console", lambda line: troubles.append(line.text) if "Content Security" in line.text else None)
    yield opened
    context.close()
    assert not troubles


@pytest.fixture(scope="session")
def triggered(browser: Browser, stack: Stack) -> tuple[str, str]:
    """Two runs by the form, side by side: a good day, and one whose extract has text for numbers."""
    broken = date(2003, 1, 5)
    deliver_nothing_much(stack.s3, broken)
    text = with_type("store_sales", "ss_ticket_number", pa.string())
    file = parquet(text, {"ss_ticket_number": "many"})
    stack.s3.put_object(Bucket=BUCKET, Key=key_of("store_sales", broken), Body=file)
    context = browser.new_context(base_url=stack.api.url, locale="en-US")
    page = context.new_page()
    runs = trigger(page, "2003-01-01"), trigger(page, str(broken))
    context.close()
    return runs


@pytest.fixture(scope="session")
def run(stack: Stack, triggered: tuple[str, str]) -> str:
    """The run of the good day, ended."""
    assert stack.end_of(triggered[0]) == "success", stack.states(triggered[0])
    return triggered[0]


@pytest.fixture(scope="session")
def broken_run(stack: Stack, triggered: tuple[str, str]) -> str:
    """The run of the broken day, ended."""
    assert stack.end_of(triggered[1]) == "failed"
    return triggered[1]


@pytest.fixture(scope="session")
def reviews_run(stack: Stack) -> str:
    """A run of the other pipeline, ended."""
    reviews = stack.of("reviews_etl")
    assert reviews.run("reviews", logical_date=None) == "success", reviews.states("reviews")
    return "reviews"
