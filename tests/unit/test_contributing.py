"""CONTRIBUTING.md names every command that tests, and where each folder goes."""

from __future__ import annotations

import re

import pytest

from laptop.environment import PROJECT

PAGE = (PROJECT / "CONTRIBUTING.md").read_text()
TARGETS = re.findall(r"^([a-z-]+):.*## ", (PROJECT / "Makefile").read_text(), re.MULTILINE)
FOLDERS = sorted(path.name for path in (PROJECT / "include").glob("[!_]*/"))


@pytest.mark.parametrize("target", [target for target in TARGETS if re.search("test|chaos", target)])
def test_a_command_that_tests_is_named(target: str) -> None:
    assert re.search(rf"^make {target} .*# ", PAGE, re.MULTILINE)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_of_include_has_its_place(folder: str) -> None:
    assert re.search(rf"^\|.*`include/{folder}/`.*\|.*\|.*\|$", PAGE, re.MULTILINE)
