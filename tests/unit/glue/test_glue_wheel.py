"""The wheel that Glue takes, and that it runs on the Python that Glue has."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from glue import wheel

JOB = Path(wheel.__file__).with_name("reviews_etl.py")


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = wheel.build(tmp_path / "a"), wheel.build(tmp_path / "b")
    assert first.name == "redshift_sql-0.1.0-py3-none-any.whl"
    assert first.read_bytes() == second.read_bytes()


def test_the_wheel_installs_whole(tmp_path: Path) -> None:
    built = wheel.build(tmp_path)
    uv = Path(sys.executable).with_name("uv")
    assert zipfile.ZipFile(built).testzip() is None
    target = tmp_path / "installed"
    where = ["--offline", "--no-deps", "--target", str(target)]
    subprocess.run([uv, "pip", "install", *where, str(built)], check=True, capture_output=True, timeout=60)
    (distribution,) = importlib.metadata.distributions(path=[str(target)])
    assert distribution.name == "redshift-sql"
    assert distribution.version == "0.1.0"
    assert {path.name for path in wheel.PACKAGE.glob("*.py")} <= {
        path.name for path in distribution.files or []
    }


def _python39() -> tuple[str, dict[str, str]] | None:
    """A Python 3.9 of the PATH, or of the version manager on the PATH."""
    environments = [dict(os.environ)]
    if shutil.which("pyenv"):
        versions = subprocess.run(
            ["pyenv", "versions", "--bare"], capture_output=True, text=True, check=False
        )
        environments += [
            {**os.environ, "PYENV_VERSION": name}
            for name in versions.stdout.split()
            if name.startswith("3.9.")
        ]
    for environment in environments:
        if shutil.which("python3.9"):
            command = ["python3.9", "--version"]
            if subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0:
                return "python3.9", environment
    return None


def test_the_package_runs_on_the_python_of_glue(tmp_path: Path) -> None:
    """All modules are imported and a script is read; boto3 and the driver are Glue's, here only named."""
    found = _python39()
    if found is None:
        pytest.skip("there is no Python 3.9 on the PATH; ruff checks the syntax alone")
    python, environment = found
    stand_ins = {
        "boto3.py": "",
        "botocore/__init__.py": "",
        "botocore/exceptions.py": "class BotoCoreError(Exception): ...\nclass ClientError(Exception): ...\n",
        "redshift_connector/__init__.py": "",
        "redshift_connector/core.py": "convert_paramstyle = None\n",
        "redshift_connector/error.py": "class Error(Exception): pass\n",
    }
    for name, text in stand_ins.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    built = wheel.build(tmp_path)
    sql = "select ';'; vacuum; -- unless: select 1\nselect :a, ${a}"
    check = f"""
import sys, py_compile
assert sys.version_info[:2] == (3, 9), sys.version
from redshift_sql import job, login, runner, script, text
py_compile.compile({str(JOB)!r}, cfile={str(tmp_path / "job.pyc")!r}, doraise=True)
read = script.Script.read("a.sql", {sql!r}, {{"a": "x"}})
print([(transaction, [one.text for one in together]) for transaction, together in read.stretches()])
"""
    path = {**environment, "PYTHONPATH": os.pathsep.join([str(built), str(tmp_path)])}
    ran = subprocess.run([python, "-c", check], env=path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    expected = [(True, ["select ';'"]), (False, ["vacuum"]), (True, ["select :a, ${a}"])]
    assert ran.stdout.strip() == str(expected)
