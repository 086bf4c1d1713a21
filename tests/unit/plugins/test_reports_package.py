"""MWAA gets the Reports page whole: its files are in plugins.zip, and the page is served from there."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import chartkick

import redshift_etl.reports_page
from mwaa.package import package

STATIC = Path(redshift_etl.reports_page.__file__).parent / "static"
CHARTS = Path(chartkick.__file__).parent / "django" / "static" / "chartkick" / "Chart.bundle.js"


def test_the_page_is_served_from_the_unpacked_archive(tmp_path: Path) -> None:
    package(tmp_path / "dist")
    with zipfile.ZipFile(tmp_path / "dist" / "mwaa" / "plugins.zip") as archive:
        archive.extractall(tmp_path / "plugins")
    sizes = {path.name: path.stat().st_size for path in STATIC.iterdir()}
    assert "index.html" in sizes
    sizes["Chart.bundle.js"] = CHARTS.stat().st_size
    assert (tmp_path / "plugins" / "chartkick" / "licenses" / "LICENSE-chart.js.txt").is_file()
    assert not (tmp_path / "plugins" / "chartkick" / "django" / "__init__.py").exists()
    code = (
        "from starlette.requests import Request\n"
        "from redshift_etl.reports_page import static_files\n"
        f"print(static_files.__file__, static_files.files('chartkick'))\nfor name in {list(sizes)!r}:\n"
        "    answer = static_files.file_response(Request({'type': 'http', 'headers': []}), name)\n"
        "    print(name, len(answer.body))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(tmp_path / "plugins"), "AIRFLOW_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    where, *served = done.stdout.split("\n")[:-1]
    assert where.count(str(tmp_path)) == 2
    assert served == [f"{name} {size}" for name, size in sizes.items()]
