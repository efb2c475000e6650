"""axe-core finds nothing on any kind of page or step, light and dark, on a phone and on a desk;
nothing scrolls sideways.

Every page is loaded on a phone and on a desk; there every rule is run in light, and in dark the
rules that look at colours: `axe(page, dark=True)`. Each kind of step is looked at twice, in light
and in dark or on a phone and on a desk; notations and ways of looking go round, so that every
notation meets every phase and every way.
"""

import re
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.kinds import NOTATIONS, across, pages, steps

WIDTHS = [1280, 320]
WAYS = [("light", 1280), ("dark", 320), ("dark", 1280), ("light", 320)]
PARTS = 4
"""In so many tests all pages and steps are looked at, so that a slow machine ends each in time."""
# axe leaves contrast to the eye for lone symbols, words in a drawing, and what lies in a box that
# scrolls or on the marked ground of a result; there every colour of text is tested on every ground,
# at the end of this file.
REASON = "(shortTextContent|nonBmp|imgNode|bgOverlap|elmPartiallyObscured|elmPartiallyObscuring)"
OPEN = re.compile(rf"^color-contrast: .* \[{REASON}(, {REASON})*\] at ")
TOO_WIDE = "() => document.documentElement.scrollWidth - window.innerWidth"
Axe = Callable[..., Any]
Looking = Callable[[str, int], Page]


@pytest.fixture
def looking(new_context: Callable[..., BrowserContext]) -> Looking:
    """A page in light or dark, of a width; one for each way. So high that the controls at the
    bottom hide nothing.
    """
    kept: dict[tuple[str, int], Page] = {}

    def look(scheme: str, width: int) -> Page:
        if (scheme, width) not in kept:
            kept[scheme, width] = new_context(
                color_scheme=scheme, viewport={"width": width, "height": 5000}
            ).new_page()
        return kept[scheme, width]

    return look


def problems(page: Page, axe: Axe, address: str, *, dark: bool = False) -> Iterator[str]:
    """What axe finds at an address, what it leaves open except for lone symbols, and whether the
    page is too wide.
    """
    page.goto(address)
    found = axe(page, dark=dark)
    yield from (f"{address}: {line}" for line in found.violations)
    yield from (f"{address}: open: {line}" for line in found.incomplete if not OPEN.match(line))
    wide = page.evaluate(TOO_WIDE)
    if wide > 0:
        yield f"{address}: {wide} pixels too wide"


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_has_a_barrier(looking: Looking, axe: Axe, width: int, part: int) -> None:
    page = looking("light", width)
    own = [*pages()][part::PARTS]
    assert [line for address in own for line in problems(page, axe, address, dark=True)] == []


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("grain", ["number", "layer", "pass"])
def test_no_kind_of_step_has_a_barrier(looking: Looking, axe: Axe, grain: str, part: int) -> None:
    found = []
    for i, (lesson, n) in [*enumerate(across(grain))][part::PARTS]:
        for j in (0, 1):
            page = looking(*WAYS[(i + i // 4 + j) % 4])
            found += problems(
                page,
                axe,
                f"/lessons/{lesson}/steps/{n}?grain={grain}&notation={NOTATIONS[(i + 2 * j) % 4]}",
            )
    assert found == []


@pytest.mark.slow
@pytest.mark.parametrize("grain", ["number", "layer", "pass"])
def test_no_step_scrolls_sideways_on_the_smallest_phone(looking: Looking, grain: str) -> None:
    page = looking("light", 320)
    page.context.set_default_timeout(10_000)
    wide = []
    for (lesson, n), notation in zip(steps(grain), cycle(NOTATIONS), strict=False):
        address = f"/lessons/{lesson}/steps/{n}?grain={grain}&notation={notation}&decimals=10"
        page.goto(address, wait_until="domcontentloaded")
        if (pixels := page.evaluate(TOO_WIDE)) > 0:
            wide.append(f"{address}: {pixels} pixels too wide")
    assert wide == []


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_next_and_back_are_in_reach_and_large_enough(looking: Looking, width: int) -> None:
    page = looking("light", width)
    page.set_viewport_size({"width": width, "height": 640})
    page.goto("/lessons/1-2-3-1-sigmoid/steps/33")
    controls = page.get_by_role("navigation", name="Steps")
    for name in ("Back", "Next"):
        box = controls.get_by_role("link", name=re.compile(name)).bounding_box()
        assert box is not None
        assert box["height"] >= 44
        assert box["width"] >= 44
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= 640


def test_the_comparison_with_the_slides_is_there_on_a_phone_and_scrolls_in_its_frame(
    looking: Looking,
) -> None:
    page = looking("light", 320)
    page.goto("/lessons/3-2-3-softmax/slides?show=slips")
    expect(page.get_by_role("table")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_on_a_phone_the_step_comes_before_the_diagram_and_the_tables(looking: Looking) -> None:
    page = looking("light", 390)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/lessons/1-2-3-1-sigmoid/steps/33")
    formula, diagram = (
        page.locator(".formula").first.bounding_box(),
        page.locator("figure").first.bounding_box(),
    )
    assert formula is not None
    assert diagram is not None
    assert formula["y"] + formula["height"] <= 844 - 60  # above the controls
    assert diagram["y"] > formula["y"] + formula["height"]


def test_small_targets_are_at_least_24_pixels(looking: Looking) -> None:
    page = looking("light", 320)
    lessons = ("linear-sigmoid/steps/20", "1-2-3-1-sigmoid/steps/79", "3-2-3-softmax/slides")
    for address in (*(f"/lessons/{place}" for place in lessons), "/", "/activations"):
        page.goto(address)
        small = page.evaluate("""() => [...document.querySelectorAll('a[href], button, select, summary')]
            .filter(a => !a.closest('p') && !a.matches('.skip, .card h3 a') && a.checkVisibility())  // a card's link fills its card
            .map(a => [a.textContent.trim().slice(0, 40), a.getBoundingClientRect()])
            .filter(([, box]) => box.width < 24 || box.height < 24)
            .map(([text, box]) => `${text}: ${Math.round(box.width)} by ${Math.round(box.height)}`)""")
        assert small == [], address


CONTRAST = """() => {
    const style = getComputedStyle(document.documentElement);
    const shade = name => {
        const [r, g, b] = [1, 3, 5].map(i => parseInt(style.getPropertyValue(name).trim().slice(i, i + 2), 16) / 255)
            .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const pairs = [];
    for (const ink of ['--ink', '--quiet', '--accent', '--good', '--bad', '--a', '--z', '--w', '--b', '--y', '--g', '--d', '--l', '--e']) {
        for (const ground of ['--paper', '--soft', '--makes', '--uses', '--note']) {
            const [dark, light] = [shade(ink), shade(ground)].sort((p, q) => p - q);
            pairs.push([`${ink} on ${ground}`, (light + 0.05) / (dark + 0.05)]);
        }
    }
    return pairs;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_of_text_stands_out_from_every_ground(looking: Looking, scheme: str) -> None:
    page = looking(scheme, 1280)
    page.goto("/lessons/1-2-3-1-sigmoid/steps/7")
    pairs = dict(page.evaluate(CONTRAST))
    assert len(pairs) == 14 * 5
    assert {pair: ratio for pair, ratio in pairs.items() if not ratio >= 4.5} == {}
    assert [
        pair for pair, ratio in pairs.items() if pair.endswith("--paper") and not ratio >= 7
    ] == []


@pytest.mark.parametrize("width", [1201, 1280, 1366])
def test_the_tools_of_a_step_leave_the_links_of_the_site_alone(
    looking: Looking, width: int
) -> None:
    page = looking("light", 1280)
    page.set_viewport_size({"width": width, "height": 657})
    page.goto("/lessons/1-2-3-1-sigmoid/steps/7")
    site = page.get_by_role("navigation", name="Site").bounding_box()
    tools = page.get_by_role("group", name="Tools").bounding_box()
    assert site is not None
    assert tools is not None
    assert site["x"] + site["width"] <= tools["x"]
    assert site["height"] <= 32  # in one line


def test_a_term_leads_to_its_place_in_the_glossary(looking: Looking) -> None:
    page = looking("light", 1280)
    page.goto("/lessons/1-2-3-1-sigmoid/steps/1")
    page.get_by_role("link", name="Pre-activation", exact=True).click()
    expect(page).to_have_url(re.compile(r"/glossary#pre-activation$"))
    expect(page.locator(":target")).to_contain_text("weighted sum")
