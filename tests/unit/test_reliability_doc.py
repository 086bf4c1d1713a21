"""Every row of docs/reliability.md names the tests that show it."""

import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]
TESTS = {
    name
    for file in (PROJECT / "tests").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
}


def rows() -> list[str]:
    text = (PROJECT / "docs" / "reliability.md").read_text()
    table = text.partition("| event |")[2].partition("\n\n")[0]
    return table.splitlines()[2:]


def test_every_row_names_tests_that_exist() -> None:
    assert len(rows()) >= 20
    for row in rows():
        named = re.findall(r"`(test_\w+)`", row)
        assert named, f"no test beside: {row}"
        assert set(named) <= TESTS, row


def test_every_chaos_test_is_in_the_table() -> None:
    table = "\n".join(rows())
    for file in (PROJECT / "tests" / "chaos").glob("test_*.py"):
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE):
            assert f"`{name}`" in table, name
