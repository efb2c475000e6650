"""Formulas are set in the vendored font under the strict policy, with brackets that grow."""

from pathlib import Path

from playwright.sync_api import Page

TALL = "<mtable>" + "<mtr><mtd><mi>w</mi></mtd></mtr>" * 4 + "</mtable>"
FORMULA = f"""<math id="one"><mo>[</mo><mi>w</mi><mo>]</mo></math> <math id="four"><mo>[</mo>{TALL}<mo>]</mo></math>
<math id="brace"><munder><mrow><mi>a</mi><mo>+</mo><mi>b</mi><mo>+</mo><mi>c</mi></mrow><mo stretchy="true">⏟</mo></munder></math>"""
SIZES = """formula => {
    const place = document.createElement('div');
    document.body.append(place);
    place.innerHTML = formula;
    const box = selector => place.querySelector(selector).getBoundingClientRect();
    return {one: box('#one mo').height, four: box('#four mo').height, brace: box('#brace > munder > mo').width, sum: box('#brace mrow').width};
}"""


def test_brackets_and_braces_grow_with_what_they_hold(page: Page) -> None:
    page.goto("/")
    page.evaluate("async () => { await document.fonts.load('16px \"STIX Two Math\"', '['); await document.fonts.ready }")
    sizes = page.evaluate(SIZES, FORMULA)
    assert sizes["four"] > 3 * sizes["one"]
    assert sizes["brace"] >= 0.9 * sizes["sum"]


def test_the_font_comes_from_the_tutor_itself(page: Page, root: Path) -> None:
    answer = page.request.get("/static/fonts/stix-two-math.woff2")
    assert answer.status == 200
    assert answer.body() == (root / "static" / "fonts" / "stix-two-math.woff2").read_bytes()
