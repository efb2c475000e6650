"""Lessons that strain the pages: a title of two hundred characters over 32 layers, numbers from
1.2e-300 to 123456789 with twelve decimals, and a title that is read from the right. On a laptop, on
the smallest phone, enlarged to 200% and with the text spacing of WCAG 1.4.12 nothing overlaps,
nothing is cut without a way to read it, and no page scrolls sideways; nor on paper.
"""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page

TITLE = (
    "How a deep and narrow network of thirty-two layers loses its gradient on the way back, told in"
    " two hundred characters, with Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunter"
    "beamtengesell"
)
RIGHT_TO_LEFT = "שבכה עצבית קטנה: كيف تتعلم الشبكة العصبية خطوة بخطوة (1)"
TAIL = {"training": {"learning_rate": 0.5}, "display": {"decimals": 12}}
DEEP = {
    "format": 1, "title": TITLE, "about": "A text that goes on and on. " * 20,
    "network": {
        "inputs": 2,
        "layers": [
            {"units": 2 if k < 32 else 1, "activation": "tanh", "init": {"scheme": "xavier", "seed": k}}
            for k in range(1, 33)
        ],
        "loss": {"name": "squared_error"},
    },
    "data": {"inputs": [[1, 2]], "targets": [[1]]}, **TAIL,
}  # fmt: skip
EDGE = {
    "format": 1, "title": "Numbers at the edge: 1.2e-300 and 123456789.123456789012",
    "network": {
        "inputs": 2,
        "layers": [
            {"units": 2, "activation": "identity", "biases": [-1.2e-300, 0.123456789012],
             "weights": [[1.2e-300, -3.456789012345e-200], [123456789.123456, -1.2e-11]]},
            {"units": 2, "activation": "identity", "biases": [0, -1.25e-12],
             "weights": [[1.2e-100, -1], [0.333333333333, 1.2e-9]]},
        ],
        "loss": {"name": "squared_error"},
    },
    "data": {"inputs": [[1.2e-300, -123456.789012], [0.1, 1e-12]], "targets": [[1, -1.2e-300], [0, 0]]},
    **TAIL,
}  # fmt: skip
FROM_RIGHT = {
    "format": 1, "title": RIGHT_TO_LEFT, "course": "الدورة الأولى · המחלקה להנדסה 486",
    "about": "رسالة قصيرة تشرح الشبكة: مدخلان، طبقة مخفية واحدة، ومخرج واحد.",
    "learn": ["كيف تنتقل الأرقام إلى الأمام.", "איך הגרדיינט חוזר אחורה."],
    "network": {
        "inputs": 2,
        "layers": [{"units": 1, "activation": "sigmoid", "weights": [[0.5, -0.5]], "biases": [0]}],
        "loss": {"name": "binary_cross_entropy"},
    },
    "data": {"inputs": [[1, 2]], "targets": [[1]]}, **TAIL,
}  # fmt: skip
LESSONS = {"deep": DEEP, "edge": EDGE, "from right": FROM_RIGHT}
PLACES = {
    "deep": ("", "/steps/40", "/steps/400?grain=number", "/steps/40?grain=layer", "/steps/2?grain=pass"),
    "edge": ("/steps/7", "/steps/22", "/export", "/share"),
    "from right": ("", "/steps/3", "/share", "/build?from={id}"),
}  # fmt: skip
WAYS = {
    "laptop": (1366, 657, 1, False), "smallest phone": (320, 640, 1, False),
    "enlarged to 200%": (683, 328, 2, False), "spaced": (1366, 657, 1, True),
    "spaced on a phone": (390, 760, 1, True),
}  # fmt: skip

SPACE = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: 0.12em !important;
        word-spacing: 0.16em !important; } p { margin-bottom: 2em !important; }`);
    document.adoptedStyleSheets = [sheet];
}"""
STRAINED = """() => {
    const found = new Set();
    const name = e => `${e.tagName.toLowerCase()}.${e.getAttribute('class') ?? ''} "${(e.textContent || e.value || '').trim().slice(0, 40)}"`;
    const wide = document.documentElement.scrollWidth - innerWidth;
    if (wide > 0) found.add(`the page is ${wide} too wide`);
    const shown = e => e.checkVisibility({opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true})
        && !e.closest('.quiet, .skip, .brand span') && e.closest('svg, math') === null;
    // What is drawn above the page: its boxes may lie over what scrolls beneath.
    const panels = [...document.querySelectorAll('#step :is(.picture, figure.network, #more)')].filter(panel => getComputedStyle(panel).position === 'sticky');
    const layer = e => e.closest('.controls, .autoplay, .tools details > :not(summary), .tools, #build > .actions')
        ?? panels.find(panel => panel.contains(e)) ?? null;
    const seen = (box, e) => {
        let [left, top, right, bottom] = [box.left, box.top, box.right, box.bottom];
        for (let around = e.parentElement; around && around !== document.documentElement; around = around.parentElement) {
            const style = getComputedStyle(around);
            if (style.overflowX !== 'visible' || style.overflowY !== 'visible') {
                const cut = around.getBoundingClientRect();
                [left, top, right, bottom] = [Math.max(left, cut.left), Math.max(top, cut.top), Math.min(right, cut.right), Math.min(bottom, cut.bottom)];
            }
            if (style.position === 'fixed') break;
        }
        return {left, top, right, bottom};
    };
    const over = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
    for (const e of document.querySelectorAll('body *')) {
        const {overflowX, overflowY} = getComputedStyle(e);
        if (!shown(e) || e.closest('[title]') || e.matches('input, textarea')) continue; // in a field the cursor moves the text
        if (['hidden', 'clip'].includes(overflowX) && e.scrollWidth > e.clientWidth + 1) found.add(`cut at the side: ${name(e)}`);
        if (['hidden', 'clip'].includes(overflowY) && e.scrollHeight > e.clientHeight + 2) found.add(`cut below: ${name(e)}`);
    }
    const lines = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text; (text = texts.nextNode());) {
        const around = text.parentElement;
        if (!text.data.trim() || around.matches('script, option, textarea') || !shown(around)) continue;
        const range = document.createRange();
        range.selectNodeContents(text);
        for (const box of range.getClientRects()) {
            const leading = Math.min(3, box.height / 6);
            lines.push([around, seen({left: box.left, right: box.right, top: box.top + leading, bottom: box.bottom - leading}, around)]);
        }
    }
    const apart = (a, b) => !a.contains(b) && !b.contains(a) && layer(a) === layer(b);
    const controls = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [aria-disabled]')].filter(shown);
    for (const control of controls) {
        if (control.matches('.card a')) continue; // fills its card
        const box = seen(control.getBoundingClientRect(), control);
        for (const [e, line] of lines) if (apart(control, e) && over(box, line)) found.add(`${name(control)} lies over ${name(e)}`);
    }
    lines.forEach(([e, line], k) => {
        for (const [other, second] of lines.slice(k + 1)) if (apart(e, other) && over(line, second)) found.add(`${name(e)} and ${name(other)} overlap`);
    });
    return [...found];
}"""


@pytest.fixture(scope="module")
def saved() -> dict[str, str]:
    """The addresses of the lessons that have been saved."""
    return {}


def address(page: Page, saved: dict[str, str], lesson: str) -> str:
    """Where a lesson lies; it is saved the first time."""
    if lesson not in saved:
        answer = page.request.post(
            "/open",
            form={"text": json.dumps(LESSONS[lesson]), "do": "save"},
            headers={"Sec-Fetch-Site": "same-origin"},
        )
        assert answer.ok
        saved[lesson] = answer.url.partition("?")[0]
    return saved[lesson]


@pytest.mark.parametrize("way", WAYS)
def test_nothing_overlaps_and_nothing_is_cut(
    new_context: Callable[..., BrowserContext], saved: dict[str, str], way: str
) -> None:
    width, height, factor, spaced = WAYS[way]
    page = new_context(
        viewport={"width": width, "height": height}, device_scale_factor=factor
    ).new_page()
    found = []
    for lesson, places in PLACES.items():
        lies = address(page, saved, lesson)
        for place in places:
            page.goto(
                place.format(id=lies.rpartition("/")[2]) if place.startswith("/b") else lies + place
            )
            if spaced:
                page.evaluate(SPACE)
            found += [f"{lesson} {place}: {line}" for line in page.evaluate(STRAINED)]
    assert found == []


def test_a_panel_holds_all_its_numbers_on_the_smallest_phone(
    page: Page, saved: dict[str, str]
) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    for lesson, panel in (("edge", "whatif"), ("deep", "outline")):
        page.goto(address(page, saved, lesson) + "/steps/7")
        page.locator(f"#{panel} > summary").click()
        assert page.evaluate(STRAINED) == []


def test_a_title_is_read_in_its_own_direction(page: Page, saved: dict[str, str]) -> None:
    page.goto(address(page, saved, "from right"))
    direction = "e => getComputedStyle(e).direction"
    assert page.locator("h1").evaluate(direction) == "rtl"
    assert page.locator(".about").evaluate(direction) == "rtl"
    assert page.locator("main").evaluate(direction) == "ltr"
    page.goto(address(page, saved, "from right") + "/steps/3")
    title = page.locator(".crumb a")
    assert title.evaluate(direction) == "rtl"
    assert title.get_attribute("title") == RIGHT_TO_LEFT


PAPER = 680  # the width of A4 between its margins
BEYOND = """paper => [...document.querySelectorAll('body *')].filter(e => e.checkVisibility() && !e.closest('.quiet, math'))
    .filter(e => e.getBoundingClientRect().right > paper + 1).map(e => `${e.tagName} ${e.textContent.trim().slice(0, 40)}`)"""


@pytest.mark.parametrize(
    "place", ["/lessons/3-2-3-softmax/steps/33", "/lessons/1-2-3-1-sigmoid", "/"]
)
def test_on_paper_nothing_is_cut_and_nothing_is_to_be_clicked(page: Page, place: str) -> None:
    page.set_viewport_size({"width": PAPER, "height": 1000})
    page.emulate_media(media="print", reduced_motion="reduce")
    page.goto(place)
    assert page.evaluate(BEYOND, PAPER) == []
    for control in (".controls", ".tools", "header.site", ".whole", "input", ".autoplay"):
        assert page.locator(control).locator("visible=true").count() == 0, control
