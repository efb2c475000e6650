"""One screen shows a step: title, formula with its result, the diagram, and of the tables what the
step uses and makes, above the controls, without scrolling. On a phone at least the formula with its
result and the number that the step makes.

A walk of many steps stays quick because the page is loaded once: the steps' fragments are put into
it as htmx does, and looked at in each size of window. What a box that scrolls cuts off is not seen.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, ViewportSize, expect

from tests.browser.kinds import formulas, kinds, lessons, trainings
from tests.browser.reading import tab_to, wait_for_step
from tutor.lesson.walk import Lesson

GRAINS = ("number", "layer", "pass")
LESSON = "/lessons/1-2-3-1-sigmoid/steps"
LAPTOP, DESK = ViewportSize(width=1366, height=657), ViewportSize(width=1920, height=950)
PHONE, FRAME = ViewportSize(width=390, height=760), ViewportSize(width=700, height=640)
PROJECTORS = (ViewportSize(width=1280, height=720), ViewportSize(width=1366, height=768))

LOAD = """async ([path, query, steps]) => {
    const load = async n => (await fetch(`${path}${n}${query}`, {headers: {'HX-Request': 'true'}})).text();
    window.steps = await Promise.all(steps.map(async n => [n, await load(n)]));
    await document.fonts.ready;
}"""
SEEN = """const seen = () => {
    const all = selector => [...document.querySelectorAll('#step ' + selector)];
    const controls = document.querySelector('nav.controls');
    const low = getComputedStyle(controls).opacity === '0' ? innerHeight : controls.getBoundingClientRect().top;
    const over = [...document.querySelectorAll('#step :is(.picture, figure.network, #more)')].filter(panel => getComputedStyle(panel).position === 'sticky');
    const inside = element => {
        const box = element.getBoundingClientRect();
        const beside = panel => { const {left, right} = panel.getBoundingClientRect(); return right <= box.left || left >= box.right; };
        const covers = over.filter(panel => !panel.contains(element) && !beside(panel)).map(panel => panel.getBoundingClientRect().top);
        let [left, top, right, bottom] = [0, 0, innerWidth, Math.min(low, ...covers)];
        for (let around = element.parentElement; around; around = around.parentElement) {
            const {overflowX, overflowY} = getComputedStyle(around);
            if (overflowX === 'visible' && overflowY === 'visible') continue;
            const cut = around.getBoundingClientRect();
            [left, top] = [Math.max(left, cut.left), Math.max(top, cut.top)];
            [right, bottom] = [Math.min(right, cut.right), Math.min(bottom, cut.bottom)];
        }
        return box.width > 0 && box.left >= left - 1.5 && box.right <= right + 1.5 && box.top >= top - 1 && box.bottom <= bottom + 1.5;
    };
    const some = marks => marks.length === 0 || marks.some(inside);
    const cells = all('td.makes'), marks = all('svg.net .makes'), page = document.documentElement;
    return {
        title: inside(all('#title')[0]), result: some(all('.formula :is(.result, .line:last-child)').slice(0, 1)),
        picture: inside(all('svg.net')[0]), mark: some(marks), cell: some(cells), made: some([...cells, ...marks]),
        used: all('td.uses').every(inside), width: page.scrollWidth <= innerWidth, height: page.scrollHeight <= innerHeight,
    };
};"""
WALK = f"""() => {{
    {SEEN}
    return window.steps.map(([n, text]) => {{
        const step = document.getElementById('step');
        step.innerHTML = text;
        for (const other of step.querySelectorAll('title, #said')) other.remove(); // these go elsewhere
        document.dispatchEvent(new CustomEvent('htmx:after:swap', {{detail: {{}}}}));
        return [n, seen()];
    }});
}}"""
LOOK = f"() => {{ {SEEN} return seen(); }}"

Seen = dict[str, bool]
ALL = ("title", "result", "picture", "mark", "cell", "used", "width", "height")
WHOLE_PHASE = ("title", "result", "picture", "mark", "cell", "width", "height")
"""A whole phase uses more than one screen of numbers."""


def walks(page: Page, grains: tuple[str, ...], start: str = "", end: str = "") -> Iterator[str]:
    """Load every lesson in each of the grains, every third step number by number and all steps
    else; its name, when it is loaded.
    """
    for lesson in lessons():
        for grain in grains:
            path, query = f"{start}/lessons/{lesson.scenario.id}/steps/", f"?grain={grain}{end}"
            steps = range(1, len(lesson.walk(grain)) + 1, 3 if grain == "number" else 1)
            page.goto(f"{path}1{query}")
            page.evaluate(LOAD, [path, query, list(steps)])
            yield f"{lesson.scenario.id}, {grain}"


def with_scaling(lesson: Lesson, grain: str) -> str:
    """The query of its steps in a grain, with those that scale its inputs."""
    return f"?grain={grain}" + ("&scaling=steps" if lesson.scenario.data.scale else "")


def updates(page: Page, grain: str) -> Iterator[str]:
    """Load every kind of step that lessons of many iterations have, once: schedules, penalties,
    clipping, dropout, each optimizer's memory. The name of each lesson, when its steps are loaded.
    """
    seen: set[str] = set()
    for lesson in trainings():
        new = {kind: n for kind, n in kinds(lesson.walk(grain)) if kind not in seen}
        seen |= new.keys()
        if not new:
            continue
        path, query = f"/lessons/{lesson.scenario.id}/steps/", with_scaling(lesson, grain)
        page.goto(f"{path}1{query}")
        page.evaluate(LOAD, [path, query, [*new.values()]])
        yield f"{lesson.scenario.id}, {grain}"


def looked(page: Page, size: ViewportSize) -> list[tuple[int, Seen]]:
    """What is seen of each loaded step in a window of this size."""
    page.set_viewport_size(size)
    return [(n, seen) for n, seen in page.evaluate(WALK)]


def missed(seen: Seen, needed: tuple[str, ...]) -> list[str]:
    return [what for what in needed if not seen[what]]


@pytest.mark.slow
def test_a_window_shows_a_step_without_scrolling(page: Page) -> None:
    hidden = [
        f"{name} {n} at {size['width']}: {what}"
        for name in walks(page, GRAINS)
        for size in (LAPTOP, DESK)
        for n, seen in looked(page, size)
        if (what := missed(seen, WHOLE_PHASE if name.endswith("pass") else ALL))
    ]
    assert hidden == []


@pytest.mark.slow
def test_a_phone_shows_the_formula_and_what_it_makes(page: Page) -> None:
    seen = [
        (f"{name} {n}", seen)
        for name in walks(page, ("number", "layer"))
        for n, seen in looked(page, PHONE)
    ]
    assert [place for place, found in seen if not found["width"]] == []
    hidden = [place for place, found in seen if missed(found, ("result", "made"))]
    assert len(hidden) <= 0.05 * len(seen), hidden


@pytest.mark.parametrize("grain", ["number", "layer"])
def test_each_kind_of_step_of_a_training_keeps_to_one_screen(page: Page, grain: str) -> None:
    """On a phone the last line of a long sum may be below; what the step makes is in sight."""
    hidden, below, seen = [], [], 0
    for name in updates(page, grain):
        places = [(f"{name} {n} at 1366", one) for n, one in looked(page, LAPTOP)]
        hidden += [(place, what) for place, one in places if (what := missed(one, ALL))]
        places = [(f"{name} {n} at 390", one) for n, one in looked(page, PHONE)]
        hidden += [
            (place, what) for place, one in places if (what := missed(one, ("made", "width")))
        ]
        below += [place for place, one in places if not one["result"]]
        seen += len(places)
    assert hidden == []
    assert len(below) <= 0.04 * seen, below


@pytest.mark.slow
@pytest.mark.parametrize("grain", GRAINS)
def test_every_training_keeps_to_one_screen(page: Page, grain: str) -> None:
    """On a phone a whole phase scrolls."""
    hidden, below, seen = [], [], 0
    for lesson in trainings():
        path, query = f"/lessons/{lesson.scenario.id}/steps/", with_scaling(lesson, grain)
        page.goto(f"{path}1{query}")
        page.evaluate(LOAD, [path, query, sorted({n for _, n in kinds(lesson.walk(grain))})])
        for n, one in looked(page, LAPTOP):
            if what := missed(one, WHOLE_PHASE if grain == "pass" else ALL):
                hidden.append((f"{path}{n}{query}", what))
        for n, one in looked(page, PHONE) if grain != "pass" else ():
            seen += 1
            below += [f"{path}{n}{query}"] if missed(one, ("result", "made", "width")) else []
    assert hidden == []
    assert len(below) <= 0.05 * seen, below


def test_high_matrices_scroll_behind_their_result(page: Page) -> None:
    """What a folded matrix leaves out is said by its dots; the result stays in sight."""
    page.set_viewport_size(LAPTOP)
    page.goto("/lessons/init-small/steps/27?grain=layer")
    lines = page.get_by_role("group", name="Formula", exact=True).first
    assert lines.evaluate("e => e.scrollHeight > e.clientHeight")
    for end in (0, 10_000):
        lines.evaluate("(e, end) => { e.scrollTop = end; }", end)
        assert missed(page.evaluate(LOOK), ("result", "mark", "cell")) == []
    page.goto("/lessons/circle-averaged/steps/1?grain=layer")
    first = page.locator(".numbers mtable").first
    assert first.locator("mtr").count() == 6
    assert first.locator("mtr:visible").count() == 4
    page.emulate_media(media="print")
    assert first.locator("mtr:visible").count() == 6


@pytest.mark.parametrize("lesson", ["adam-by-hand", "lifestyle-penalty", "xor", "batch-descent"])
def test_no_row_that_a_step_of_a_training_reads_or_makes_is_below(page: Page, lesson: str) -> None:
    page.set_viewport_size(LAPTOP)
    of = next(one for one in trainings() if one.scenario.id == lesson)
    for grain in ("number", "layer"):
        path, query = f"/lessons/{lesson}/steps/", with_scaling(of, grain)
        page.goto(f"{path}1{query}")
        page.evaluate(LOAD, [path, query, [n for _, n in kinds(of.walk(grain))]])
        found = [(n, missed(one, ("cell", "used", "made"))) for n, one in looked(page, LAPTOP)]
        assert [(grain, n, what) for n, what in found if what] == []


@pytest.mark.slow
@pytest.mark.parametrize("grain", ["number", "layer"])
def test_a_formula_keeps_to_one_screen(page: Page, grain: str) -> None:
    """On a phone the last line of a long sum may be below; what the step makes is in sight."""
    hidden, below, seen = [], [], 0
    for lesson in formulas():
        path, query = f"/lessons/{lesson.scenario.id}/steps/", f"?grain={grain}"
        steps = list(range(1, len(lesson.walk(grain)) + 1))
        page.goto(f"{path}1{query}")
        page.evaluate(LOAD, [path, query, steps])
        for size, needed in ((LAPTOP, ALL), (PHONE, ("made", "width"))):
            found = [(f"{path}{n} at {size['width']}", one) for n, one in looked(page, size)]
            hidden += [(place, what) for place, one in found if (what := missed(one, needed))]
        seen += len(found)
        below += [place for place, one in found if not one["result"]]
    assert hidden == []
    assert len(below) <= 0.03 * seen, below


@pytest.mark.slow
def test_a_frame_shows_formula_and_diagram(page: Page) -> None:
    needed = ("title", "result", "picture", "mark", "width", "height")
    hidden = [
        f"{name} {n}: {what}"
        for name in walks(page, ("layer",), start="/embed")
        for n, seen in looked(page, FRAME)
        if (what := missed(seen, needed))
    ]
    assert hidden == []


@pytest.mark.slow
def test_a_projector_shows_formula_and_diagram(page: Page) -> None:
    hidden = [
        f"{name} {n} at {size['width']}: {what}"
        for name in walks(page, ("layer",), end="&present=yes")
        for size in PROJECTORS
        for n, seen in looked(page, size)
        if (what := missed(seen, ALL))
    ]
    assert hidden == []


@pytest.mark.parametrize("grain", GRAINS)
def test_the_same_without_script(page_without_script: Page, grain: str) -> None:
    page = page_without_script
    page.set_viewport_size(LAPTOP)
    for lesson in lessons():
        n = len(lesson.walk(grain)) * 2 // 3 + 1
        page.goto(f"/lessons/{lesson.scenario.id}/steps/{n}?grain={grain}")
        needed = WHOLE_PHASE if grain == "pass" else ALL
        assert missed(page.evaluate(LOOK), needed) == [], page.url


def test_other_notations_and_changed_numbers_keep_to_one_screen(page: Page) -> None:
    page.set_viewport_size(LAPTOP)
    for place in (
        "1-2-3-1-sigmoid/steps/39?notation=letters",
        "3-4-2-regression/steps/12?grain=layer&notation=letters",
        "linear-sigmoid/steps/9?grain=layer&notation=letters",
        "3-2-3-softmax/steps/9?grain=layer&notation=parentheses",
        "1-2-3-1-sigmoid/steps/33?x[1]=3&w[2][2,1]=0.5",
    ):
        page.goto(f"/lessons/{place}")
        assert missed(page.evaluate(LOOK), WHOLE_PHASE) == [], place


MIDDLES = """() => {
    const middle = element => { const box = element.getBoundingClientRect(); return (box.left + box.right) / 2; };
    const heads = [...document.querySelectorAll('svg.net text')].filter(text => /^(input|layer|loss)/.test(text.textContent));
    const columns = heads.sort((a, b) => middle(a) - middle(b)).slice(0, 4).map(middle);
    const slots = [...document.querySelectorAll('.aligned .slot')].slice(0, 6);
    const under = slots.map(slot => {
        const boxes = [...slot.querySelectorAll('.matrix')].map(matrix => matrix.getBoundingClientRect());
        return (Math.min(...boxes.map(box => box.left)) + Math.max(...boxes.map(box => box.right))) / 2;
    });
    const wide = document.querySelector('.aligned .ruler').getBoundingClientRect().width;
    return {columns, under, wide};
}"""


@pytest.mark.parametrize("size", [LAPTOP, DESK, *PROJECTORS])
@pytest.mark.parametrize("n", [3, 9, 66])
def test_matrices_stand_under_their_columns(page: Page, size: ViewportSize, n: int) -> None:
    page.set_viewport_size(size)
    page.goto(f"/lessons/3-2-3-softmax/steps/{n}")
    found = page.evaluate(MIDDLES)
    inputs, v, hidden, w, outputs, labels = found["under"]
    assert v < hidden < w
    for matrix, column in zip((inputs, hidden, outputs, labels), found["columns"], strict=True):
        assert abs(matrix - column) <= 0.08 * found["wide"], (found, n)  # within a card


def test_on_a_phone_the_row_of_matrices_scrolls_in_its_own_box(page: Page) -> None:
    page.set_viewport_size(PHONE)
    page.goto("/lessons/3-2-3-softmax/steps/3?grain=pass")
    page.locator("#whole").check()
    row = page.locator(".aligned .scroll").first
    assert row.evaluate("e => e.scrollWidth > e.clientWidth && e.clientWidth <= innerWidth")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


# ---- where there is no room, the page scrolls, and nothing is cut off ----


@pytest.mark.parametrize("size", [(683, 328), (1366, 500), (320, 256), (390, 500)])
def test_a_small_or_enlarged_window_scrolls(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(f"{LESSON}/39")
    seen = page.evaluate(LOOK)
    assert seen["width"]
    assert not seen["height"]
    for part in (".formula .result", "svg.net", "td.makes", "#ask-here"):
        page.locator(f"#step {part}").first.scroll_into_view_if_needed()
        expect(page.locator(f"#step {part}").first).to_be_in_viewport(ratio=0.2)


SPACING = """* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
p { margin-bottom: 2em !important; }"""
CUT = """() => [...document.querySelectorAll('.board :is(h1, p, summary), .bar *, .tools summary, .tools > a, .grains a, .controls a')]
    .filter(e => e.checkVisibility() && !e.matches('.quiet, .quiet *') && !e.closest('.tools details > :not(summary)'))
    .filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX === 'hidden')
    .map(e => e.textContent.trim())"""


@pytest.mark.parametrize("size", [LAPTOP, PHONE])
def test_wider_spacing_of_text_cuts_nothing_off(
    new_context: Callable[..., BrowserContext], size: ViewportSize
) -> None:
    page = new_context(viewport=size, bypass_csp=True).new_page()
    page.goto(f"{LESSON}/39")
    page.add_style_tag(content=SPACING)
    assert page.evaluate(CUT) == []
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.locator("#ask-here").scroll_into_view_if_needed()
    expect(page.locator("#ask-here")).to_be_in_viewport(ratio=1)


def test_no_tool_lies_on_another_or_on_the_name_of_the_site(page: Page) -> None:
    boxes = """() => [...document.querySelectorAll('header.site a, .tools > a, .tools summary')].filter(e => e.checkVisibility())
        .map(e => { const { left, right, top, bottom } = e.getBoundingClientRect(); return { left, right, top, bottom, text: e.textContent }; })"""
    page.goto(f"{LESSON}/39")
    for width in range(480, 1500, 60):
        page.set_viewport_size({"width": width, "height": 700})
        found = page.evaluate(boxes)
        over = [
            (width, one["text"], other["text"])
            for i, one in enumerate(found)
            for other in found[:i]
            if min(one["right"], other["right"]) - max(one["left"], other["left"]) > 0.5
            and min(one["bottom"], other["bottom"]) - max(one["top"], other["top"]) > 0.5
        ]
        assert over == []


# ---- tools, whole tables, and what is opened below a formula ----


def test_a_tool_folds_up_on_escape_and_on_a_click_elsewhere(page: Page) -> None:
    page.goto(f"{LESSON}/7")
    outline = page.get_by_role("navigation", name="Outline")
    tool = page.locator("#outline summary")
    tool.press("Enter")
    expect(outline).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(outline).to_be_hidden()
    expect(tool).to_be_focused()
    tool.click()
    expect(outline).to_be_visible()
    page.locator(".controls .count").click()
    expect(outline).to_be_hidden()
    tool.click()
    page.get_by_text("Notation and numbers").click()
    expect(outline).to_be_hidden()
    expect(page.get_by_role("button", name="Apply")).to_be_visible()


def test_only_one_tool_is_open_without_script(page_without_script: Page) -> None:
    page = page_without_script
    page.goto(f"{LESSON}/7")
    page.locator("#outline summary").click()
    expect(page.get_by_role("navigation", name="Outline")).to_be_visible()
    page.get_by_text("Notation and numbers").click()
    expect(page.get_by_role("navigation", name="Outline")).to_be_hidden()


def test_whole_tables_stay_whole_from_step_to_step(page: Page) -> None:
    page.set_viewport_size(LAPTOP)
    page.goto(f"{LESSON}/7")
    rows = page.locator(".tables tbody tr:visible")
    few = rows.count()
    whole = page.get_by_role("checkbox", name="Whole tables")
    whole.check()
    every = rows.count()
    assert every > few
    page.keyboard.press("ArrowRight")  # a box to tick has no use for the arrow keys
    wait_for_step(page, 8)
    expect(whole).to_be_checked()
    expect(whole).to_be_focused()
    assert rows.count() == every
    page.get_by_role("link", name="Next →").click()
    wait_for_step(page, 9)
    expect(whole).to_be_checked()
    whole.uncheck()
    assert rows.count() == few


def test_one_tab_stop_of_a_table_is_a_number_in_sight(page: Page) -> None:
    stops = page.locator('.tables button.given[tabindex="0"]')
    page.goto(f"{LESSON}/33")
    expect(stops).to_have_count(1)
    expect(stops).to_be_visible()
    seen = stops.get_attribute("aria-label")
    page.get_by_role("checkbox", name="Whole tables").check()
    expect(stops).to_have_attribute("aria-label", seen or "")
    stops.press("ArrowUp")
    expect(stops).not_to_have_attribute("aria-label", seen or "")
    page.get_by_role("checkbox", name="Whole tables").uncheck()
    expect(stops).to_have_attribute("aria-label", seen or "")


def test_what_is_opened_below_a_formula_is_open_at_the_next_step(page: Page) -> None:
    page.goto(f"{LESSON}/7")
    page.locator("#slides summary").click()
    for key, n in (("ArrowRight", 8), ("ArrowRight", 9), ("Home", 1), ("ArrowRight", 2)):
        page.keyboard.press(key)
        wait_for_step(page, n)
        expect(page.locator("#slides ul")).to_be_visible()
    page.locator("#slides summary").click()
    page.keyboard.press("ArrowRight")
    wait_for_step(page, 3)
    expect(page.locator("#slides ul")).to_be_hidden()


def test_paper_has_slides_and_every_row(page: Page) -> None:
    page.goto(f"{LESSON}/33")
    page.emulate_media(media="print")
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    for part in (
        page.get_by_role("complementary", name="On the slides"),
        page.get_by_role("heading", name="On the slides"),
    ):
        expect(part).to_be_visible()
    rows = page.locator(".tables tbody tr")
    assert page.locator(".tables tbody tr:visible").count() == rows.count() > 4
    for gone in (".tools", ".whole", ".controls"):
        expect(page.locator(gone)).to_be_hidden()
    page.evaluate("() => dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    expect(page.locator("#slides ul")).to_be_hidden()


@pytest.mark.parametrize("size", PROJECTORS)
def test_tools_of_a_presentation_wait_for_the_keyboard_or_the_pointer(
    page: Page, size: ViewportSize
) -> None:
    page.set_viewport_size(size)
    page.goto(f"{LESSON}/39?present=yes")
    tools, controls = page.get_by_role("group", name="Tools"), page.locator("nav.controls")
    for bar in (tools, controls):
        expect(bar).to_have_css("opacity", "0")
        bar.hover()
        expect(bar).to_have_css("opacity", "1")
        page.locator("#title").hover()
        expect(bar).to_have_css("opacity", "0")
    tab_to(page, "Leave the presentation")
    expect(tools).to_have_css("opacity", "1")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/steps/39\??$"))
    page.go_back()
    page.locator("#outline summary").press("Enter")
    page.keyboard.press("Escape")  # folds the tool up
    expect(page).to_have_url(re.compile("present=yes"))
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(r"/steps/39\??$"))


def test_a_printed_step_of_a_formula_is_whole_and_has_no_controls(page: Page) -> None:
    """On A4: 180 mm between the margins."""
    page.set_viewport_size({"width": 680, "height": 986})
    page.emulate_media(media="print")
    page.goto("/lessons/layer-norm/steps/43")
    page.evaluate("() => document.fonts.ready.then(() => true)")
    cut = "boxes => boxes.filter(box => box.scrollWidth > box.clientWidth + 1).map(box => box.innerText)"
    assert page.locator(".formula .lines").evaluate_all(cut) == []
    for selector in ("nav.controls", ".tools", ".whole", "#ask-here", ".leads"):
        expect(page.locator(selector)).to_be_hidden()
    hint = "board => getComputedStyle(board, '::after').content"
    assert page.locator(".board").evaluate(hint) == "none"


EDGES = """box => {
    const style = getComputedStyle(box), faded = name => style.getPropertyValue(name) !== '0px';
    return [faded('--before'), faded('--beyond'), style.maskImage !== 'none'];
}"""


def test_what_scrolls_sideways_fades_where_there_is_more(page: Page) -> None:
    page.set_viewport_size(PHONE)
    page.goto("/lessons/circle-averaged/steps/21?grain=layer")
    box = page.get_by_role("group", name="Formula", exact=True).first
    seen = []
    for end in ("0", "box.scrollWidth / 2 - box.clientWidth / 2", "box.scrollWidth"):
        box.evaluate(f"box => {{ box.scrollLeft = {end}; }}")
        page.wait_for_function("() => new Promise(done => requestAnimationFrame(() => done(true)))")
        seen.append(box.evaluate(EDGES))
    assert seen == [[False, True, True], [True, True, True], [True, False, True]]
    page.locator("#title").focus()
    page.keyboard.press("Tab")
    box.focus()
    assert box.evaluate(EDGES) == [False, False, False]  # so that its outline is seen
    page.set_viewport_size(DESK)
    page.goto("/lessons/layer-norm/steps/1")
    assert page.get_by_role("group", name="Formula", exact=True).first.evaluate(EDGES)[:2] == [
        False,
        False,
    ]


def test_every_box_that_scrolls_is_in_reach_of_the_keyboard(
    page: Page, axe: Callable[[Page], Any]
) -> None:
    for size, address in (
        (LAPTOP, f"{LESSON}/33"),
        (LAPTOP, "/lessons/3-4-2-regression/steps/3?grain=pass"),
        (FRAME, "/embed/lessons/1-2-3-1-sigmoid/steps/33"),
        (PHONE, "/lessons/3-2-3-softmax/steps/8?grain=layer"),
        (PROJECTORS[0], f"{LESSON}/33?present=yes"),
    ):
        page.set_viewport_size(size)
        page.goto(address)
        assert axe(page).violations == []
