"""What htmx swaps: the next step is fetched ahead once, controls stay the same nodes, nothing
jumps, nothing is sent elsewhere.
"""

import re

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.reading import shown, wait_for_step

LESSON = "/lessons/1-2-3-1-sigmoid/steps"


def fragments(page: Page) -> list[str]:
    """The addresses that htmx asks for from now on."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if "hx-request" in request.headers:
            asked.append(request.url.rsplit("/", 1)[-1])

    page.on("request", note)
    return asked


def test_the_next_step_is_fetched_ahead_and_not_again(page: Page) -> None:
    asked = fragments(page)
    with page.expect_request(re.compile("/steps/4$")):
        page.goto(f"{LESSON}/3")
    for n in (4, 5, 6, 7):
        with page.expect_request(re.compile(f"/steps/{n + 1}$")):
            page.get_by_role("link", name="Next →").click()
        wait_for_step(page, n)
    assert sorted(asked) == ["4", "5", "6", "7", "8"]


def test_a_reader_who_rests_the_pointer_on_next_does_not_ask_twice(page: Page) -> None:
    asked = fragments(page)
    with page.expect_request(re.compile("/steps/4$")):
        page.goto(f"{LESSON}/3")
    page.get_by_role("link", name="Next →").hover()
    page.wait_for_timeout(200)
    page.mouse.move(10, 10)
    page.get_by_role("link", name="Next →").hover()
    page.wait_for_timeout(200)
    assert asked == ["4"]


def test_nothing_is_fetched_ahead_of_the_last_step(page: Page) -> None:
    asked = fragments(page)
    page.goto(f"{LESSON}/79")
    page.wait_for_timeout(300)
    assert asked == []


def test_the_controls_stay_the_same_elements(page: Page) -> None:
    page.goto(f"{LESSON}/10")
    page.evaluate(
        "() => { for (const id of ['first', 'back', 'next', 'last', 'title', 'said']) document.getElementById(id).mine = id; }"
    )
    page.get_by_role("link", name="Next →").click()
    wait_for_step(page, 11)
    page.keyboard.press("ArrowRight")
    wait_for_step(page, 12)
    kept = page.evaluate(
        "() => ['first', 'back', 'next', 'last', 'title', 'said'].filter(id => document.getElementById(id).mine === id)"
    )
    assert kept == ["first", "back", "next", "last", "title", "said"]


SHIFTS = """() => {
    window.moved = 0;
    new PerformanceObserver(list => { for (const shift of list.getEntries()) if (!shift.hadRecentInput) window.moved += shift.value; })
        .observe({type: 'layout-shift'});
}"""
PLACES = """() => ['where', 'phases', 'controls', 'lesson-bar', 'network'].map(name => {
    const box = document.querySelector(`.${name}`).getBoundingClientRect();
    return [name, Math.round(box.x), Math.round(box.y), Math.round(box.width)];
})"""


@pytest.mark.parametrize("start", [10, 32, 48])
def test_what_stays_from_step_to_step_stays_in_its_place(page: Page, start: int) -> None:
    page.goto(f"{LESSON}/{start}")
    page.evaluate("() => document.fonts.ready.then(() => true)")
    page.evaluate(SHIFTS)
    before = page.evaluate(PLACES)
    for n in range(start + 1, start + 4):
        page.keyboard.press("ArrowRight")
        wait_for_step(page, n)
        page.wait_for_timeout(100)
        assert page.evaluate(PLACES) == before
    assert page.evaluate("() => window.moved") == 0


def test_a_step_that_comes_by_itself_moves_the_page_only_a_little(page: Page) -> None:
    page.goto(f"{LESSON}/30")
    page.evaluate("() => document.fonts.ready.then(() => true)")
    page.wait_for_timeout(600)  # so that no input is recent, as in auto-play
    page.evaluate(SHIFTS)
    for n in (31, 32, 33):
        page.evaluate("() => document.getElementById('next').click()")
        wait_for_step(page, n)
    page.wait_for_timeout(100)
    # Google calls a page good up to here; a longer formula moves what follows
    assert page.evaluate("() => window.moved") < 0.1


def test_an_outline_jump_swaps_the_step_and_moves_its_mark(page: Page) -> None:
    page.goto(f"{LESSON}/1")
    page.get_by_text("Outline", exact=True).click()
    outline = page.get_by_role("navigation", name="Outline")
    outline.get_by_role("link", name="Hidden layer 2: gradients of the biases and weights").click()
    wait_for_step(page, 30)
    assert shown(page).contradictions() == []
    assert outline.is_visible()
    assert current_place(page) == "Hidden layer 2: gradients of the biases and weights"
    page.keyboard.press("End")
    wait_for_step(page, 79)
    assert current_place(page) == "Change of the loss"


def current_place(page: Page) -> str:
    """The place of the outline that is marked, without its symbols."""
    (text,) = page.locator("#outline [aria-current]").evaluate_all(
        "links => links.map(link => link.firstChild.textContent.trim())"
    )
    return str(text)


def test_a_link_to_the_step_that_made_a_number_leads_there(page: Page) -> None:
    page.goto(f"{LESSON}/7")
    page.locator("#ask-here").click()
    page.get_by_role("link", name="step 2", exact=True).click()
    wait_for_step(page, 2)
    assert shown(page).contradictions() == []
    page.evaluate("() => history.back()")
    wait_for_step(page, 7)


def test_the_settings_keep_the_step_and_the_numbers(page: Page) -> None:
    page.goto(f"{LESSON}/7")
    page.keyboard.press("ArrowRight")
    wait_for_step(page, 8)
    before = shown(page).results
    page.get_by_text("Notation and numbers").click()
    page.get_by_role("combobox", name="Notation").select_option("parentheses")
    page.get_by_role("button", name="Apply").click()
    expect(page).to_have_url(re.compile(r"/steps/8\?notation=parentheses"))
    assert shown(page).results == before


def test_no_cookie_is_set_and_no_policy_is_broken_on_the_way(page: Page) -> None:
    for address in (
        "/",
        "/activations?z=1",
        "/lessons/3-2-3-softmax",
        "/lessons/3-2-3-softmax/slides",
        "/nothing/here",
    ):
        page.goto(address)
    page.goto("/lessons/3-2-3-softmax/steps/1?grain=layer")
    for n in range(2, 22):
        page.keyboard.press("ArrowRight")
        wait_for_step(page, n)
    # the fixture itself looks at the console, at refused content and at other origins
    assert page.context.cookies() == []
    assert page.evaluate("() => Object.keys(sessionStorage)") == []


LINKED = """() => [...document.querySelectorAll('.board .numbers [data-q], .picture td[data-q], .picture svg text[data-q]')].map(place => {
    const style = getComputedStyle(place);
    return [place.dataset.q, place instanceof SVGElement && !(place.namespaceURI.includes('MathML')) ? style.fill : style.color,
            place.closest('svg') ? 'diagram' : place.closest('table') ? 'table' : 'formula'];
})"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "place",
    [
        "1-2-3-1-sigmoid/steps/7",
        "1-2-3-1-sigmoid/steps/27",
        "3-2-3-softmax/steps/24",
        "linear-sigmoid/steps/20",
    ],
)
def test_a_number_has_one_colour_in_formula_diagram_and_tables(
    page: Page, scheme: str, place: str
) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"/lessons/{place}")
    colours: dict[str, set[str]] = {}
    faces: dict[str, set[str]] = {}
    for name, colour, face in page.evaluate(LINKED):
        colours.setdefault(name, set()).add(colour)
        faces.setdefault(name, set()).add(face)
    assert {name: found for name, found in colours.items() if len(found) > 1} == {}
    assert any(found == {"formula", "diagram", "table"} for found in faces.values())


def test_a_number_under_the_pointer_lights_up_wherever_it_stands(page: Page) -> None:
    page.goto(f"{LESSON}/7")
    page.locator(".numbers").get_by_text("0.5744").hover()
    lit = page.evaluate("""() => [...document.querySelectorAll('.lit')].map(
        e => [e.dataset.q, e.closest('svg') ? 'diagram' : e.closest('td') ? 'table' : 'text'])""")
    assert {name for name, _ in lit} == {"a[1][1]"}
    assert {face for _, face in lit} == {"diagram", "table", "text"}
    page.get_by_role("heading", level=1).hover()
    assert page.locator(".lit").count() == 0


def test_a_number_of_the_diagram_lights_up_the_formula(page: Page) -> None:
    page.goto(f"{LESSON}/7")
    page.locator("svg text[data-q='w[2][2,1]']").hover()
    assert page.locator(".numbers .lit").text_content() == "0.3"


def test_the_result_lights_up_with_the_number_that_the_step_makes(page: Page) -> None:
    page.goto(f"{LESSON}/7")
    page.locator("td[data-q='z[2][2]']").hover()
    assert page.locator("svg .lit").count() >= 1
