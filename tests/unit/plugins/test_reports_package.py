"""MWAA gets the Reports page whole: its files are in plugins.zip, and the page is served from there."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import redshift_etl.reports_page
from mwaa.package import package

STATIC = Path(redshift_etl.reports_page.__file__).parent / "static"


def test_the_page_is_served_from_the_unpacked_archive(tmp_path: Path) -> None:
    package(tmp_path / "dist")
    with zipfile.ZipFile(tmp_path / "dist" / "mwaa" / "plugins.zip") as archive:
        archive.extractall(tmp_path / "plugins")
    names = sorted(path.name for path in STATIC.iterdir())
    assert "index.html" in names
    code = (
        "from starlette.requests import Request\n"
        "from redshift_etl.reports_page import static_files\n"
        f"print(static_files.__file__)\nfor name in {names!r}:\n"
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
    assert where.startswith(str(tmp_path))
    assert served == [f"{name} {(STATIC / name).stat().st_size}" for name in names]
