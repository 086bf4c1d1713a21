"""`make screenshots`: the pictures of the docs, taken from everything as `make run` starts it."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import boto3
from airflow_pages import PATIENCE, grid_cell, run_address, show_graph, show_reports, widen_grid
from chromium import MISSING, find_chromium, running
from playwright.sync_api import Browser, Page

from datasets import delivery, store_sales
from e2e_stack import BUCKET
from laptop.airflow import AirflowApi
from laptop.environment import LOCAL_ENV, PROJECT, read_env_file
from laptop.processes import Processes
from ports import free_port

# Two weeks up to their Tuesdays: what the weekly report compares.
FIRST, *FOLLOWING, LAST = (date(2002, 12, day) for day in (23, 24, 30, 31))
DAG_ID = "store_sales_etl"


def main(folder: Path) -> int:
    """Start everything, load the days, and take the pictures."""
    chromium = find_chromium()
    if chromium is None:
        sys.stderr.write(f"make screenshots: {MISSING}.\n")
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    with everything() as (web, aws):
        load_days(web, aws)
        with running(chromium) as browser:
            for theme in ("light", "dark"):
                take_pictures(browser, web, theme, folder)
    return 0


@contextmanager
def everything() -> Iterator[tuple[str, str]]:
    """`make run` for the first day; yields the addresses of Airflow and of AWS."""
    web, aws, wire = (str(free_port()) for _ in range(3))
    command = [sys.executable, "-u", "-m", "laptop", "--from", str(FIRST), "--to", str(FIRST)]
    command += ["--web-port", web, "--aws-port", aws, "--wire-port", wire]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stdout or ():
                sys.stdout.write(line)
                if line.startswith("Ctrl-C ends everything"):
                    break
            else:
                sys.exit("make screenshots: make run ended before its reports; its last lines say why.")
            yield f"http://127.0.0.1:{web}", f"http://127.0.0.1:{aws}"
        finally:
            process.terminate()


def load_days(web: str, aws: str) -> None:
    """Load the other days: all but the last at once, then the last, whose report looks back on them."""
    local = read_env_file(LOCAL_ENV)
    s3 = boto3.client(
        "s3",
        endpoint_url=aws,
        region_name=local["AWS_DEFAULT_REGION"],
        aws_access_key_id=local["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=local["AWS_SECRET_ACCESS_KEY"],
    )
    cache = PROJECT / ".local" / "datasets"
    delivery.upload(store_sales.deliver(FOLLOWING[0], LAST, scale_factor=0.1, cache=cache), BUCKET, s3)
    api = AirflowApi(web)
    api.wait_until_ready(DAG_ID, Processes(PROJECT / ".local" / "logs"))
    for together in (FOLLOWING, [LAST]):
        for day in together:
            api.trigger(DAG_ID, f"laptop__{day}", f"{day}T12:00:00Z", {"refresh_date": str(day)})
        for day in together:
            while (state := api.run_state(DAG_ID, f"laptop__{day}")) not in {"success", "failed"}:
                time.sleep(1)
            sys.stdout.write(f"{DAG_ID} {day}: {state}\n")
    api.close()


def take_pictures(browser: Browser, web: str, theme: str, folder: Path) -> None:
    """Take the pictures of one theme."""
    context = browser.new_context(
        base_url=web,
        viewport={"width": 1400, "height": 1000},
        color_scheme="dark" if theme == "dark" else "light",
        locale="en-US",
        timezone_id="America/New_York",
    )
    page = context.new_page()
    show_reports(page)
    picture(page, folder / f"reports-{theme}.png", height=1360)
    if theme == "light":
        show_reports(page, "reviews")
        picture(page, folder / "reports-reviews.png", height=900)
        gantt = show_reports(page, "runs").locator(".card").nth(1).bounding_box()
        assert gantt
        picture(page, folder / "reports-runs.png", height=int(gantt["y"] + gantt["height"]) + 24)
        run_id = f"laptop__{LAST}"
        page.goto(run_address(run_id, "load_store_sales"))
        grid_cell(page, run_id, "publish_reports").wait_for(timeout=PATIENCE)
        page.locator("code").filter(has_text="insert into").first.wait_for(timeout=PATIENCE)
        widen_grid(page)
        picture(page, folder / "grid.png", height=640)
        page.goto(run_address(run_id))
        show_graph(page)
        picture(page, folder / "graph.png", height=560)
    context.close()


def picture(page: Page, path: Path, height: int) -> None:
    """Take one picture as high as what it shows, when everything on the page has come to rest."""
    page.set_viewport_size({"width": 1400, "height": height})
    if (fit := page.get_by_role("button", name="Fit View")).is_visible():
        fit.click()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)  # charts and the graph's zoom
    page.screenshot(path=path)
    sys.stdout.write(f"{path}  {path.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
