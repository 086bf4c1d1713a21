"""What the Reports page draws beside text stands out 3:1, in light and in dark (WCAG 2.2, 1.4.11)."""

import re

import pytest

from laptop.environment import PROJECT

STATIC = PROJECT / "plugins" / "redshift_etl" / "reports_page" / "static"
PAGE_CSS = (STATIC / "page.css").read_text()
THEMES = {"light": ":root", "dark": ':root[data-theme="dark"]'}
SEEN_ON = [
    ("edge", "card", "the edge of a picker, a button or a pale bar"),
    ("edge", "page", "the edge of a picker above the cards"),
    ("accent", "card", "the bars of this week and of a day"),
    ("accent", "pale", "a statement within its task, this week beside the week before"),
    ("accent", "bad-soft", "a statement within a failed task"),
    ("bad", "card", "the edge of a failed run or task"),
    ("good", "bad-soft", "a run that succeeded beside the hollow one of a run that failed"),
    ("good", "card", "a run that succeeded"),
    ("calm", "card", "a run that goes on"),
    ("accent", "sunken", "a share of the longest"),
    ("accent", "page", "the open tab, and where the keyboard is"),
    ("warn", "card", "stars"),
]


def rules(selector: str) -> dict[str, str]:
    """The declarations of a rule of page.css."""
    found = re.search(rf"^{re.escape(selector)} {{\n(.*?)^}}", PAGE_CSS, re.DOTALL | re.MULTILINE)
    assert found, selector
    return dict(re.findall(r"^  ([\w-]+): (.*);$", found[1], re.MULTILINE))


def luminance(color: str) -> float:
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def test_the_ratio_is_that_of_wcag() -> None:
    assert contrast("#ffffff", "#000000") == 21
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("mark", "ground", "what"), SEEN_ON)
def test_a_mark_stands_out_from_its_ground(theme: str, mark: str, ground: str, what: str) -> None:
    palette = rules(THEMES[theme])
    found = contrast(palette[f"--{mark}"], palette[f"--{ground}"])
    assert found >= 3, f"{what}: --{mark} on --{ground} is {found:.2f}:1"


def test_pickers_and_buttons_have_the_edge() -> None:
    assert rules("select,\nbutton")["border"] == "1px solid var(--edge)"


def test_every_color_that_a_script_asks_for_is_in_both_palettes() -> None:
    asked = {
        name for file in STATIC.glob("*.js") for name in re.findall(r'color\("([\w-]+)"\)', file.read_text())
    }
    assert {"accent", "edge", "pale"} <= asked
    for selector in THEMES.values():
        assert {f"--{name}" for name in asked} <= rules(selector).keys()
