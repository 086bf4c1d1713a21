"""When the Reports page is first painted, and when its report is there, on an Airflow that runs here.

    make run                                          # in another terminal, until its reports are printed
    .venv/bin/python benchmarks/reports_page.py [http://127.0.0.1:8080]

Opens each tab with Chromium as a browser that has never seen it, and prints the median milliseconds from when
it was asked for. Target: the first paint within a second.
"""

import shutil
import statistics
import sys

from playwright.sync_api import Browser, sync_playwright

VIEWS = ("weekly", "city", "reviews", "runs", "freshness-details")
TIMES = 7
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def open_tab(browser: Browser, address: str, view: str) -> tuple[float, float]:
    """Return the milliseconds to the first paint with content, and to the report."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.goto(f"{address}/redshift-etl/reports#{view}", wait_until="commit")
    page.locator("main[aria-busy=false] table").first.wait_for()
    report = page.evaluate("performance.now()")
    page.wait_for_load_state("networkidle")
    first_paint = page.evaluate(FIRST_PAINT)
    context.close()
    return first_paint, report


def main() -> int:
    """Measure each tab."""
    address = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("There is no Chromium on the PATH: install it (Debian: apt-get install chromium).")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for view in VIEWS:
            seen = [open_tab(browser, address, view) for _ in range(TIMES)]
            first_paint, report = (statistics.median(times) for times in zip(*seen, strict=True))
            print(f"{view:18} first paint {first_paint:4.0f} ms, report {report:4.0f} ms")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
