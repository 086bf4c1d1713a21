"""The few things that a person does in Airflow's web UI and that the browser tests do after them."""

import re
from urllib.parse import quote, unquote

from playwright.sync_api import FrameLocator, Locator, Page, expect

DAG_ID = "store_sales_etl"
# A page of Airflow on a busy machine.
PATIENCE = 60_000


def trigger(page: Page, refresh_date: str) -> str:
    """Trigger a run by the form, and return its id from the page that follows."""
    page.goto(f"/dags/{DAG_ID}")
    page.get_by_role("button", name=re.compile("^Trigger")).first.click(timeout=PATIENCE)
    form = page.get_by_role("dialog")
    form.locator("[name=element_refresh_date]").fill(refresh_date, timeout=PATIENCE)
    form.get_by_role("button", name=re.compile("^Trigger")).click()
    page.wait_for_url(re.compile(rf"/dags/{DAG_ID}/runs/manual__"), timeout=PATIENCE)
    return unquote(page.url.rpartition("/runs/")[2].partition("/")[0])


def run_address(run_id: str, task_id: str | None = None) -> str:
    """The path of a run's page, or of a task's in it."""
    task = f"/tasks/{task_id}" if task_id else ""
    return f"/dags/{DAG_ID}/runs/{quote(run_id, safe='')}{task}"


def grid_cell(page: Page, run_id: str, task_id: str) -> Locator:
    """The small square of a task in a run."""
    return page.get_by_test_id(f"grid-{run_id}-{task_id}").get_by_test_id("task-state-badge")


def color_of(mark: Locator) -> str:
    """What a person would call a mark's color: red, green or blue, whichever is strongest."""
    mark.wait_for(timeout=PATIENCE)
    red, green, blue = mark.evaluate(
        """mark => {
            const pixel = new OffscreenCanvas(1, 1).getContext("2d");
            pixel.fillStyle = getComputedStyle(mark).backgroundColor;
            pixel.fillRect(0, 0, 1, 1);
            return [...pixel.getImageData(0, 0, 1, 1).data.slice(0, 3)];
        }"""
    )
    shares = {"red": red, "green": green, "blue": blue}
    return max(shares, key=lambda name: shares[name])


def show_graph(page: Page) -> None:
    """Turn from the grid to the graph, give it the whole width, and wait until it is drawn."""
    page.get_by_role("button", name=re.compile("^Show Graph")).click(timeout=PATIENCE)
    page.locator(".react-flow__node").first.wait_for(timeout=PATIENCE)
    page.get_by_role("button", name="Collapse Details Panel").click()


def widen_grid(page: Page) -> None:
    """Draw the edge between the grid and the details to the right, so that more runs fit."""
    edge = page.get_by_role("button", name="Collapse Details Panel").bounding_box()
    assert edge
    page.mouse.move(edge["x"] + edge["width"] / 2, edge["y"] + 100)
    page.mouse.down()
    page.mouse.move(edge["x"] + 120, edge["y"] + 100, steps=5)
    page.mouse.up()


def show_reports(page: Page, view: str = "weekly") -> FrameLocator:
    """Open a tab of the Reports page from Airflow's navigation, and return the page in its frame."""
    page.goto("/")
    page.get_by_role("link", name="Reports").click(timeout=PATIENCE)
    frame = page.frame_locator("iframe[title=Reports]")
    frame.locator(f'nav a[href="#{view}"]').click(timeout=PATIENCE)
    expect(frame.locator("main")).to_have_attribute("aria-busy", "false", timeout=PATIENCE)
    return frame


def open_reports(page: Page, view: str) -> Locator:
    """Open a tab of the Reports page outside of Airflow's frame, and return its main part."""
    page.goto(f"/redshift-etl/reports#{view}")
    page.reload()  # another fragment alone loads nothing
    main = page.locator("main")
    expect(main).to_have_attribute("aria-busy", "false", timeout=PATIENCE)
    return main
