"""Formulas are set in the vendored font under the strict policy, with brackets that grow."""

from pathlib import Path

from playwright.sync_api import Page

TALL = "<mtable>" + "<mtr><mtd><mi>w</mi></mtd></mtr>" * 4 + "</mtable>"
FORMULA = f"""<math id="one"><mo>[</mo><mi>w</mi><mo>]</mo></math> <math id="four"><mo>[</mo>{TALL}<mo>]</mo></math>"""
HEIGHTS = """async formula => {
    const place = document.createElement('div');
    document.body.append(place);
    place.innerHTML = formula;
    await document.fonts.ready;
    const height = selector => place.querySelector(selector).getBoundingClientRect().height;
    const font = [...document.fonts].find(face => face.family.includes('STIX Two Math'));
    return {one: height('#one mo'), four: height('#four mo'), font: font?.status};
}"""


def test_brackets_grow_with_what_they_hold(page: Page) -> None:
    page.goto("/")
    found = page.evaluate(HEIGHTS, FORMULA)
    assert found["font"] == "loaded"
    assert found["four"] > 2.5 * found["one"]


def test_the_font_comes_from_the_tutor_itself(page: Page, root: Path) -> None:
    answer = page.request.get("/static/fonts/stix-two-math.woff2")
    assert answer.status == 200
    assert answer.body() == (root / "static" / "fonts" / "stix-two-math.woff2").read_bytes()
