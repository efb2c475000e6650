"""Exported files opened from disk, without a network: read, stepped through, printed; and the page
that offers them.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.test_accessibility import OPEN, TOO_WIDE, WIDTHS, Axe
from tutor.export.registry import KINDS, ExportOrder, make
from tutor.lesson.graph_lesson import open_graph
from tutor.lesson.walk import open_lesson
from tutor.pages.graph_view import GraphView
from tutor.pages.view import View
from tutor.scenario import reader
from tutor.scenario.reader import GraphScenario

ROOT = Path(__file__).parents[2]
Opening = Callable[..., Page]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The deck lesson as every kind of document, and a formula to step through."""
    found = tmp_path_factory.mktemp("files")
    lesson = open_lesson(reader.load(ROOT / "scenarios" / "1-2-3-1-sigmoid.yaml"))
    for key in ("html", "interactive", "worksheet", "key"):
        (found / f"{key}.html").write_text(
            "".join(make(lesson, key, View(), ExportOrder()).chunks), encoding="utf-8"
        )
    made = make(lesson, "class-set", View(grain="pass"), ExportOrder(versions=2))
    (found / "class-set.html").write_text("".join(made.chunks), encoding="utf-8")
    formula = reader.load(ROOT / "scenarios" / "graphs" / "neuron-error.yaml")
    assert isinstance(formula, GraphScenario)
    made = make(open_graph(formula), "interactive", GraphView(), ExportOrder())
    (found / "formula.html").write_text("".join(made.chunks), encoding="utf-8")
    return found


@pytest.fixture
def opening(new_context: Callable[..., BrowserContext], folder: Path) -> Any:
    """A file opened offline; the browser's complaints and requests are counted at the end."""
    complaints: list[str] = []

    def visit(key: str, place: str = "", **options: Any) -> Page:
        context = new_context(**options)
        context.set_offline(True)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda sent: (
                None if sent.url.startswith(("file:", "data:")) else complaints.append(sent.url)
            ),
        )
        page.goto(f"{(folder / key).with_suffix('.html').as_uri()}{place}")
        return page

    yield visit
    assert complaints == []


def bar(page: Page) -> Any:
    return page.get_by_role("navigation", name="Steps")


def test_one_steps_through_a_file_with_buttons_and_keys(opening: Opening) -> None:
    page = opening("interactive")
    expect(bar(page)).to_contain_text("1 / 79")
    expect(page.locator(".step:visible")).to_have_count(1)
    bar(page).get_by_role("button", name="Next").click()
    expect(page.get_by_role("heading", level=3)).to_contain_text(
        "Activation of unit 1 of hidden layer 1"
    )
    page.keyboard.press("ArrowRight")
    expect(bar(page)).to_contain_text("3 / 79")
    page.keyboard.press("End")
    expect(bar(page)).to_contain_text("79 / 79")
    expect(page.get_by_role("status")).to_contain_text("Step 79 of 79")
    expect(bar(page).get_by_role("button", name="Next")).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Home")
    expect(bar(page)).to_contain_text("1 / 79")
    bar(page).get_by_role("button", name="Back").click(force=True)
    expect(bar(page)).to_contain_text("1 / 79")


def test_one_steps_through_a_formula_with_keys_and_its_graph_follows(opening: Opening) -> None:
    page = opening("formula")
    expect(bar(page)).to_contain_text("1 / 15")
    made = page.locator(".phase.now .net text.makes:visible")
    expect(made).to_have_text("−2")
    for _ in range(11):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".step:visible h3")).to_contain_text("Derivative with respect to n2")
    expect(made).to_have_text("−0.1058")
    expect(page.locator(".phase.now .net path.uses.line:visible")).to_have_count(1)
    expect(page.locator(".phase.now .net desc")).to_have_text("Derivative with respect to n2")
    expect(page.locator(".phase.now .end td.makes")).to_have_attribute("data-q", "df/dn2")
    expect(page.locator('.phase.now .end td[data-q="df/dw2"]')).to_be_hidden()
    page.keyboard.press("End")
    expect(bar(page)).to_contain_text("15 / 15")
    bar(page).get_by_role("button", name="Show all").click()
    expect(page.locator(".end .net :is(text, path, rect).makes:visible")).to_have_count(0)
    expect(page.locator("#backward .net desc")).to_have_text(
        "The graph after the phase: backward pass"
    )


def test_the_contents_lead_to_a_step_and_show_all_shows_all(opening: Opening) -> None:
    page = opening("interactive")
    link = page.get_by_role("navigation", name="Contents").get_by_role("link").nth(4)
    place = link.get_attribute("href")
    link.click()
    expect(page.locator(f".step{place}")).to_be_visible()
    expect(page.locator(".step:visible")).to_have_count(1)
    bar(page).get_by_role("button", name="Show all").click()
    expect(page.locator(".step:visible")).to_have_count(79)
    bar(page).get_by_role("button", name="Step by step").click()
    expect(page.locator(".step:visible")).to_have_count(1)


def test_diagram_and_tables_show_only_what_is_known(opening: Opening) -> None:
    page = opening("interactive", "#step-3")
    known = """q => [...document.querySelectorAll('.phase.now .end [data-q]')]
        .filter(e => e.dataset.q === q && e.textContent.trim() && e.checkVisibility({visibilityProperty: true})).map(e => e.tagName)"""
    assert set(page.evaluate(known, "z[1][1]")) == {"TD", "text"}
    assert set(page.evaluate(known, "z[1][2]")) == {"TD", "text"}
    assert set(page.evaluate(known, "a[1][2]")) == set()
    page.keyboard.press("ArrowRight")
    assert set(page.evaluate(known, "a[1][2]")) == {"TD", "text"}


SEEN = """() => [...document.querySelectorAll('.phase.now .net')].filter(net => net.checkVisibility()).flatMap(net =>
    [...net.querySelectorAll('text, path')].filter(e => e.checkVisibility())
        .map(e => [e.getAttribute('class') ?? '', e.textContent, e.getAttribute('d') ?? '']))"""


@pytest.mark.parametrize("width", [1000, 1366])
def test_the_diagram_of_a_step_is_that_of_its_page(opening: Opening, width: int) -> None:
    page = opening("interactive", "#step-39", viewport={"width": width, "height": 800})
    seen = page.evaluate(SEEN)
    names = [text for css, text, _ in seen if css in {"z n", "a n"}]
    assert {"𝑧1[1]", "𝑎1[1]", "𝑧3[2]", "𝑎3[2]"} <= set(names)
    made = page.locator(".phase.now .net text.makes:visible")
    expect(made).to_have_text("−0.0108")
    arrows = [line for css, _, line in seen if css.startswith("w") and css.endswith("line")]
    assert sum(line.count("M") for line in arrows) == 3 * 2, "three lines with their heads"
    figure, heading = (
        page.locator(".phase.now figure.network"),
        page.locator(".phase.now .net text").get_by_text("loss", exact=True),
    )
    box = page.locator(".phase.now .net rect.l:visible").bounding_box()
    around = figure.bounding_box()
    assert box is not None
    assert around is not None
    assert around["x"] <= box["x"]
    assert box["x"] + box["width"] <= around["x"] + around["width"]
    assert around["x"] + around["width"] <= width
    expect(heading).to_be_visible()
    expect(page.locator(".phase.now .net desc")).to_have_text(
        "Loss gradient at unit 1 of hidden layer 1"
    )


def test_showing_all_puts_every_diagram_at_the_end_of_its_phase(opening: Opening) -> None:
    page = opening("interactive", "#step-39")
    bar(page).get_by_role("button", name="Show all").click()
    expect(page.locator(".end .net :is(text, path, rect).makes:visible")).to_have_count(0)
    expect(page.locator("#backward .net text[data-q='dL/dz[1][2]']:visible")).to_have_count(1)
    expect(page.locator("#forward .net text[data-q='a[3][1]']:visible")).to_have_count(1)


@pytest.mark.parametrize(("key", "steps"), [("interactive", 79), ("formula", 15)])
def test_a_stepper_prints_every_step(opening: Opening, key: str, steps: int) -> None:
    page = opening(key, "#step-12")
    page.emulate_media(media="print")
    expect(page.locator(".step:visible")).to_have_count(steps)


@pytest.mark.parametrize("key", ["html", "interactive", "worksheet", "key", "formula"])
def test_without_a_script_the_whole_solution_is_there(opening: Opening, key: str) -> None:
    page = opening(key, java_script_enabled=False)
    steps = 15 if key == "formula" else 79
    expect(page.locator(".step")).to_have_count(steps)
    expect(page.locator(f"#step-{steps} h3")).to_be_visible()
    expect(page.locator(".stepper")).to_have_count(1 if key in {"interactive", "formula"} else 0)
    expect(page.locator(".stepper:visible")).to_have_count(0)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_file_has_a_barrier_or_scrolls_sideways(opening: Opening, axe: Axe, width: int) -> None:
    found = []
    for key, place in (
        ("html", ""), ("interactive", "#step-33"), ("worksheet", ""), ("key", ""),
        ("formula", "#step-12"),
    ):  # fmt: skip
        page = opening(
            key,
            place,
            viewport={"width": width, "height": 3000},
            bypass_csp=True,
        )
        report = axe(page, dark=True)
        found += [f"{key}: {line}" for line in report.violations]
        found += [f"{key}: open: {line}" for line in report.incomplete if not OPEN.match(line)]
        if (wide := page.evaluate(TOO_WIDE)) > 0:
            found.append(f"{key}: {wide} pixels too wide")
    assert found == []


@pytest.mark.parametrize("width", [320, 1280])
def test_the_buttons_of_a_file_are_in_reach(opening: Opening, width: int) -> None:
    page = opening("interactive", "#step-33", viewport={"width": width, "height": 640})
    for button in bar(page).get_by_role("button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["height"] >= 44
    heading = page.locator("#step-33 h3").bounding_box()
    assert heading is not None
    assert 0 <= heading["y"] < 560, "the step is seen without scrolling"


@pytest.mark.parametrize("size", ["A4", "Letter"])
@pytest.mark.parametrize("key", ["html", "worksheet"])
def test_a_file_prints(opening: Opening, key: str, size: str) -> None:
    pages = re.findall(rb"/Type\s*/Page\b", opening(key).pdf(format=size))
    assert 10 < len(pages) < 40


@pytest.mark.parametrize("media", ["screen", "print"])
@pytest.mark.parametrize("width", [320, 1280])
def test_the_boxes_of_the_key_are_whole(opening: Opening, width: int, media: str) -> None:
    page = opening("key", viewport={"width": width, "height": 800})
    page.emulate_media(media=media)
    cut = page.evaluate("""() => [...document.querySelectorAll('.step :is(mn, mrow).answer')].map(box => {
        const around = box.closest('.lines'), inner = box.getBoundingClientRect(), outer = around.getBoundingClientRect();
        const within = around.scrollWidth > around.clientWidth || inner.right <= outer.right;
        const border = parseFloat(getComputedStyle(box).borderTopWidth);
        return border >= 1 && within && inner.left >= outer.left && inner.top >= outer.top && inner.bottom <= outer.bottom;
    })""")
    assert len(cut) > 100
    assert all(cut)


@pytest.mark.parametrize(("scheme", "width"), [("light", 320), ("dark", 1280)])
def test_a_class_set_has_no_barrier_and_its_cover_leads_to_every_paper(
    opening: Opening, axe: Axe, scheme: str, width: int
) -> None:  # fmt: skip
    page = opening(
        "class-set", color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True
    )
    report = axe(page)
    assert report.violations == []
    assert [line for line in report.incomplete if not OPEN.match(line)] == []
    assert page.evaluate(TOO_WIDE) <= 0
    page.get_by_role("link", name="key 2").click()
    expect(page.locator("#key-2 h1")).to_be_in_viewport()


def test_every_paper_of_a_class_set_begins_on_a_page_of_its_own(opening: Opening) -> None:
    page = opening("class-set")
    page.emulate_media(media="print")
    placed = "papers => papers.map(paper => getComputedStyle(paper)).map(style => [style.breakBefore, style.page])"
    assert page.locator(".sheet").evaluate_all(placed) == [
        ["page", name] for name in ("worksheet-1", "worksheet-2", "key-1", "key-2")
    ]


# ---- the page that offers the files ----


def test_the_choices_are_kept_without_a_script(page_without_script: Page) -> None:
    page = page_without_script
    page.goto("/lessons/1-2-3-1-sigmoid/export?kind=worksheet")
    page.get_by_label("Left open").select_option("every:3")
    page.get_by_label("Seed").fill("7")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_label("Left open")).to_have_value("every:3")
    expect(page.get_by_label("Seed")).to_have_value("7")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download").click()
    assert waiting.value.suggested_filename == "1-2-3-1-sigmoid-worksheet-s7-v1.html"
    page.goto("/lessons/1-2-3-1-sigmoid/export?kind=numpy")
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)


def test_download_takes_what_is_typed_without_a_script(page_without_script: Page) -> None:
    downloads_what_is_typed(page_without_script)


def test_download_takes_what_is_typed(page: Page) -> None:
    downloads_what_is_typed(page)


def downloads_what_is_typed(page: Page) -> None:
    page.goto("/lessons/linear-sigmoid/export?kind=worksheet")
    page.get_by_label("Seed").fill("x")
    page.get_by_role("button", name="Download").click()
    expect(page.get_by_label("Seed")).to_have_value("x")
    expect(page.get_by_label("Seed")).to_be_focused()
    expect(page.get_by_label("Seed")).to_have_accessible_description(
        re.compile("not a whole number")
    )
    page.get_by_label("Seed").fill("7")
    page.get_by_label("Steps").select_option("layer")
    page.get_by_label("Decimals").select_option("2")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download").click()
    assert waiting.value.suggested_filename == "linear-sigmoid-worksheet-s7-v1.html"
    text = waiting.value.path().read_text(encoding="utf-8")
    assert "version 1 of seed 7, grain layer" in text
    assert "2 decimals" in text


def test_the_copy_button_copies_the_file(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/lessons/linear-sigmoid/export?kind=numpy")
    page.get_by_role("button", name="Copy").click()
    expect(page.locator(".copied")).not_to_be_empty()
    first = page.evaluate("navigator.clipboard.readText()")
    assert "import numpy" in first
    page.get_by_label("Seed").fill("7")
    page.get_by_role("button", name="Copy").click()
    page.wait_for_function(
        "first => navigator.clipboard.readText().then(now => now !== first)", arg=first
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_no_choice_has_a_barrier(
    new_context: Callable[..., BrowserContext], axe: Axe, width: int
) -> None:
    page = new_context(viewport={"width": width, "height": 3000}).new_page()
    found = []
    for kind in KINDS:
        page.goto(f"/lessons/1-2-3-1-sigmoid/export?kind={kind}")
        report = axe(page, dark=True)
        found += [f"{kind}: {line}" for line in report.violations]
        found += [f"{kind}: open: {line}" for line in report.incomplete if not OPEN.match(line)]
        if (wide := page.evaluate(TOO_WIDE)) > 0:
            found.append(f"{kind}: {wide} pixels too wide")
    assert found == []
