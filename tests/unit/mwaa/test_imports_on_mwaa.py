"""All that the package imports is on MWAA: in its image, in requirements.txt, or in the package itself."""

import ast
import re
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

import pytest

from laptop.environment import PROJECT
from mwaa.package import package

IMAGE = Path(__file__).with_name("mwaa_image_3.3.1.txt")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def named_in(file: Path) -> set[str]:
    """The distributions of a requirements file."""
    lines = (line.partition("#")[0] for line in file.read_text().splitlines())
    return {normal(found[0]) for line in lines if (found := re.match(r"[\w.-]+", line.strip()))}


def modules_of(wanted: set[str]) -> set[str]:
    """Every module of some distributions, as they are installed here."""
    files = [file for found in distributions() if normal(found.name) in wanted for file in found.files or []]
    return {
        ".".join([*file.parent.parts, file.name.partition(".")[0]]).removesuffix(".__init__")
        for file in files
        if file.suffix in {".py", ".so"}
    }


def imported(node: ast.AST) -> Iterator[str]:
    """The modules that code imports when it runs, early or late; its own package's are left out."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level == 0:
        yield str(node.module)
    children: list[ast.AST] = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
        children = list(node.orelse)
    for child in children:
        yield from imported(child)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The code that MWAA gets, by its path from the DAG folder or the plugins'."""
    target = tmp_path_factory.mktemp("package")
    package(target)
    dags = target / "mwaa" / "dags"
    code = {path.relative_to(dags).as_posix(): path.read_text() for path in dags.rglob("*.py")}
    with zipfile.ZipFile(target / "mwaa" / "plugins.zip") as plugins:
        files = [name for name in plugins.namelist() if name.endswith(".py")]
        return code | {name: plugins.read(name).decode() for name in files}


@pytest.fixture(scope="module")
def known(shipped: dict[str, str]) -> set[str]:
    ours = {name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in shipped}
    return ours | modules_of(named_in(IMAGE) | named_in(PROJECT / "requirements.txt"))


def missing(code: str, known: set[str]) -> set[str]:
    return {
        module
        for module in imported(ast.parse(code))
        if module.partition(".")[0] not in sys.stdlib_module_names and module not in known
    }


def test_every_import_of_the_package_is_met_on_mwaa(shipped: dict[str, str], known: set[str]) -> None:
    assert {"deployment_check.py", "store_sales_etl.py", "redshift_etl/settings.py"} <= set(shipped)
    wrong = {name: found for name, code in shipped.items() if (found := missing(code, known))}
    assert wrong == {}, "add it to requirements.txt, or do without it"


@pytest.mark.parametrize(
    "line",
    [
        "import duckdb",
        "import moto.core",
        "from pandas import DataFrame",
        "from airflow.providers.snowflake.hooks.snowflake import SnowflakeHook",
        "def late():\n    import sqlglot",
        "if TYPE_CHECKING:\n    import boto3\nelse:\n    import sqlglot",
    ],
)
def test_what_is_only_on_a_developers_machine_is_not_met(line: str, known: set[str]) -> None:
    assert len(missing(line, known)) == 1


@pytest.mark.parametrize(
    "line",
    [
        "import json, boto3, redshift_etl.settings",
        "from airflow.sdk import dag",
        "from airflow.providers.amazon.aws.hooks.s3 import S3Hook",
        "from . import anything",
        "if TYPE_CHECKING:\n    import pandas",
    ],
)
def test_what_mwaa_has_is_met(line: str, known: set[str]) -> None:
    assert missing(line, known) == set()
