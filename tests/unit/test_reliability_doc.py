"""Every row of docs/reliability.md names the tests with real processes that show it."""

import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def names_in(folder: Path) -> set[str]:
    return {
        name
        for file in folder.rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
    }


TESTS = names_in(PROJECT / "tests")
CHAOS_TESTS = names_in(PROJECT / "tests" / "chaos")


def rows() -> list[str]:
    text = (PROJECT / "docs" / "reliability.md").read_text()
    table = text.partition("| event |")[2].partition("\n\n")[0]
    return table.splitlines()[2:]


def test_every_row_names_tests_that_exist_and_one_that_breaks_real_processes() -> None:
    assert len(rows()) >= 20
    for row in rows():
        named = set(re.findall(r"`(test_\w+)`", row))
        assert named <= TESTS, row
        assert named & CHAOS_TESTS, f"no test of tests/chaos beside: {row}"


def test_every_chaos_test_is_in_the_table() -> None:
    table = "\n".join(rows())
    for name in CHAOS_TESTS:
        assert f"`{name}`" in table, name
