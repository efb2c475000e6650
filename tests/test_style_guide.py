"""The page of the design shows what the style sheets have: colours with their contrast, each part
once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

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


def test_in_the_dark_nothing_differs_but_colours(root: Path) -> None:
    """So tests/browser/conftest.py runs there only the rules of axe that look at colours."""
    sheet = (style_guide.SHEETS / "tokens.css").read_text(encoding="utf-8")
    (dark,) = re.findall(r"prefers-color-scheme: dark\) \{\s*:root \{([^}]*)\}\s*\}", sheet)
    assert re.fullmatch(r"(\s*--[\w-]+: #[0-9a-f]{6};)+\s*", dark)
    asked = re.compile(r"(?:prefers-)?color-scheme|light-dark\(")
    said = [
        f"{path.name}: {found[0]}"
        for folder in ("static", "templates", "tutor")
        for path in sorted((root / folder).rglob("*"))
        if path.suffix in {".css", ".js", ".html", ".svg", ".py"}
        for found in asked.finditer(path.read_text(encoding="utf-8"))
    ]
    assert sorted(said) == [
        "shell.html: color-scheme",  # the browser's own fields and scroll bars
        "tokens.css: prefers-color-scheme",
        "worked_open.html: color-scheme",
    ]


def test_text_stands_out_from_the_page_and_from_every_ground() -> None:
    for role in GUIDE.inks:
        for shade in (role.light, role.dark):
            assert float(shade.on_page) >= 7, role
            assert float(shade.least.partition(" ")[0]) >= 7, role


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_words_on_buttons_and_faint_numbers_in_the_diagram_stand_out(scheme: int) -> None:
    colours = style_guide.schemes((style_guide.SHEETS / "tokens.css").read_text("utf-8"))[scheme]
    assert style_guide.contrast(colours["on-accent"], colours["accent"]) >= 7
    diagram = (style_guide.SHEETS / "diagram.css").read_text("utf-8")
    faint = min(map(float, re.findall(r"fill-opacity: ([\d.]+)", diagram)))
    for name in style_guide.INKS:
        seen = "#" + "".join(
            f"{round(faint * int(colours[name][k : k + 2], 16) + (1 - faint) * int(colours['paper'][k : k + 2], 16)):02x}"
            for k in (1, 3, 5)
        )
        assert style_guide.contrast(seen, colours["paper"]) >= 4.5, name


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


# The other sheets

SHEETS = sorted(set(style_guide.SHEETS.glob("*.css")) - {style_guide.SHEETS / "tokens.css"})
DECLARATION = re.compile(r"(?<=[{;\s])([a-z-]+):\s+([^;{}]+?)\s*(?=[;}])")
COLOUR = re.compile(
    r"#[0-9a-f]{3,8}\b|\b(?:rgb|rgba|hsl|hsla|oklch|color)\(|\b(?:black|white|red|gr[ae]y)\b"
)
SIZE = re.compile(r"(?<![\w-])-?\d*\.?\d+(?:rem|px|pt|em)\b")
ROOM = re.compile(
    r"(?:margin|padding)(?:-\w+)*|(?:row-|column-)?gap|border-radius|border(?:-(?!spacing)\w+)*|outline"
)
OWN_SIZES = {
    ("content.css", "9pt"), ("export.css", "10.5pt"),  # paper
    ("content.css", "1.12em"), ("content.css", "0.7em"),  # inside formulas, by the letters beside
    ("gallery.css", "1.75rem"), ("gallery.css", "1.1rem"), ("gallery.css", "2.9rem"),  # the first page's heading grows with the window
}  # fmt: skip
"""Sizes of type that are on no scale, and why."""
OWN_ROOM = {
    "18mm",
    "15mm",
    "-1.5rem",
    "1.5em",
    "3.25rem",
    "3.6rem",
    "3.75rem",
    "4rem",
    "4.5rem",
    "5.5rem",
    "6rem",
}
"""Room for the controls at the bottom, for the numbers of lines, for a label above a button."""


def declarations(sheet: Path) -> Iterator[tuple[str, str]]:
    """(property, value) of each declaration."""
    yield from DECLARATION.findall(without_comments(sheet))


def without_comments(sheet: Path) -> str:
    return re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_a_colour_is_said_by_its_role(sheet: Path) -> None:
    assert [(name, value) for name, value in declarations(sheet) if COLOUR.search(value)] == []


DRAWINGS = {"diagram.css", "curves.css", "gallery.css", "charts.css", "paths.css"}
"""Sheets of drawings."""


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_type_and_room_come_from_the_scales(sheet: Path) -> None:
    """Sizes in px are those of drawings, in their own units."""
    type_sizes = {
        (sheet.name, size)
        for name, value in declarations(sheet)
        if name in {"font", "font-size"}
        for size in SIZE.findall(value)
        if not size.endswith("px") or sheet.name not in DRAWINGS
    }
    assert type_sizes <= OWN_SIZES
    room = {
        size
        for name, value in declarations(sheet)
        if ROOM.fullmatch(name)
        for size in SIZE.findall(value)
    }
    assert room <= OWN_ROOM


def test_every_class_that_a_sheet_names_is_given_somewhere() -> None:
    """A rule for a class that no template, module or script names is dead. Names such as `rows-3`
    and `chain-rule` are put together from words, `t2` from a letter and a digit.
    """
    selectors = re.sub(r"\{[^{}]*\}", "{", "".join(map(without_comments, SHEETS)))
    root = style_guide.SHEETS.parent
    places = (*root.glob("templates/*"), *root.glob("static/*.js"), *root.glob("tutor/**/*.py"))
    words = set(re.findall("[a-z]+", "".join(p.read_text(encoding="utf-8") for p in places)))
    named = set(re.findall(r"\.([a-z][\w-]*)", selectors))
    assert [name for name in named if not set(re.findall("[a-z]+", name)) <= words] == []
