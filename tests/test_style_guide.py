"""The page of the design shows what the style sheets have: colours with their contrast, each part
once.
"""

from __future__ import annotations

import re

import pytest

from tests.visiting import page
from tutor.pages import style_guide

GUIDE = style_guide.page()


@pytest.mark.parametrize(
    ("one", "other", "figure"),
    [("#ffffff", "#000000", 21.0), ("#777777", "#ffffff", 4.48), ("#17457c", "#17457c", 1.0)],
)
def test_contrast_is_that_of_wcag(one: str, other: str, figure: float) -> None:
    assert style_guide.contrast(one, other) == pytest.approx(figure, abs=0.005)
    assert style_guide.contrast(other, one) == style_guide.contrast(one, other)


def test_every_colour_of_the_style_sheet_that_text_has_or_stands_on_is_there() -> None:
    sheet = (style_guide.SHEETS / "tokens.css").read_text(encoding="utf-8")
    light, dark = style_guide.schemes(sheet)
    assert set(light) == set(dark)
    assert set(light) - {"line", "plus", "minus", "on-accent"} == {
        role.name for role in (*GUIDE.inks, *GUIDE.grounds)
    }
    for role in (*GUIDE.inks, *GUIDE.grounds):
        assert (role.light.colour, role.dark.colour) == (light[role.name], dark[role.name])


def test_text_stands_out_from_the_page_and_from_every_ground() -> None:
    for role in GUIDE.inks:
        for shade in (role.light, role.dark):
            assert float(shade.on_page) >= 7, role
            assert float(shade.least.partition(" ")[0]) >= 4.5, role


def test_every_size_of_the_style_sheet_is_there_and_is_shown_at_its_size() -> None:
    sheet = (style_guide.SHEETS / "tokens.css").read_text(encoding="utf-8")
    shown = (GUIDE.type, GUIDE.spaces, GUIDE.targets, GUIDE.corners, GUIDE.lines)
    sizes = {measure.name: measure.size for group in shown for measure in group}
    declared = dict(re.findall(r"--([\w-]+): ([\d.]+(?:rem|px));", sheet))
    assert sizes == {name: size for name, size in declared.items() if name != "measure"}
    samples = (style_guide.SHEETS / "reference.css").read_text(encoding="utf-8")
    for name in sizes:
        assert re.search(rf"\.{name} \{{[^}}]*var\(--{name}\)", samples), name


def test_each_part_of_the_pages_is_there_once() -> None:
    root = page("/style").root
    for tag, css in (
        ("div", "formula"), ("section", "strip"), ("figure", "network"), ("p", "notice"),
        ("p", "stop"), ("p", "problem"), ("p", "term"), ("div", "slide"), ("div", "worth"),
        ("div", "more"), ("form", "settings"), ("nav", "controls"), ("nav", "grains"),
        ("div", "tools"),
    ):  # fmt: skip
        assert len(list(root.all(tag, cls=css))) == 1, css
    assert [td.attributes["data-q"] for td in root.all("td", cls="makes")] == [style_guide.AT]


def test_the_page_is_for_us_and_no_page_leads_to_it() -> None:
    assert all(link.attributes["href"] != "/style" for link in page("/").root.all("a"))
