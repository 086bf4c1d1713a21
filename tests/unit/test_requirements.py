"""docs/requirements.md names tests: they exist, and are named after what they show."""

from __future__ import annotations

import re

import pytest

from laptop.environment import PROJECT

PAGE = (PROJECT / "docs" / "requirements.md").read_text()
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
ROW = re.compile(r"^\| R?(\d+) \|(.*)$", re.MULTILINE)
NAMED = sorted(set(TEST.findall(PAGE)))

# Shown by a command beside or in place of a test.
BY_COMMAND = {"R9": "benchmarks/make_run.py"}


def rows(section: str) -> dict[int, str]:
    return {int(number): text for number, text in ROW.findall(SECTIONS[section])}


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_test_that_the_page_names_exists(path: str, name: str) -> None:
    assert re.search(rf"^def {name}\(", (PROJECT / path).read_text(), re.MULTILINE), f"{path} has no {name}"


@pytest.mark.parametrize("number", range(1, 17))
def test_every_requirement_has_a_test_named_after_it_or_a_command(number: int) -> None:
    row = rows("Store sales: requirements")[number]
    if command := BY_COMMAND.get(f"R{number}"):
        assert command in row
        assert (PROJECT / command).is_file()
    else:
        assert any(f"_r{number}_" in name for _, name in TEST.findall(row)), row


@pytest.mark.parametrize("pipeline", ["Store sales", "Reviews"])
@pytest.mark.parametrize("number", range(1, 16))
def test_every_defect_has_a_test_named_after_it(pipeline: str, number: int) -> None:
    row = rows(f"{pipeline}: defects of the pipeline that it replaces")[number]
    assert any(f"_defect_{number:02}_" in name for _, name in TEST.findall(row)), row
