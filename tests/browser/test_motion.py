"""Movement that explains: the numbers of a step travel from the picture into the formula and its
result back, a wave runs through a whole phase. It is short, it is never in the way, it moves
nothing else, and nothing of it stays.
"""

from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import BrowserContext, Page, ViewportSize, expect

from tests.browser.kinds import kinds, lessons
from tests.browser.reading import shown, wait_for_step
from tutor.lesson.walk import Lesson

LESSON = "/lessons/1-2-3-1-sigmoid/steps"
LAPTOP, PHONE = ViewportSize(width=1366, height=657), ViewportSize(width=390, height=760)
DESK = ViewportSize(width=1920, height=950)
READ = 700
"""Milliseconds for which a reader who does not skim looks at a step."""
LONGEST = 500
"""Milliseconds after which everything stands still."""

WATCH = """() => {
    window.seen = {copies: [], moved: 0, delays: [], ends: [], policy: 0, properties: []};
    addEventListener('securitypolicyviolation', () => { seen.policy += 1; });
    new MutationObserver(records => {
        for (const node of records.flatMap(record => [...record.addedNodes])) {
            if (!node.matches?.('.motion')) continue;
            seen.copies.push([...node.children].map(copy => copy.textContent));
            seen.hidden = node.getAttribute('aria-hidden');
            seen.pointer = getComputedStyle(node).pointerEvents;
        }
    }).observe(document.body, {childList: true});
    new PerformanceObserver(list => { for (const shift of list.getEntries()) seen.moved += shift.value; })
        .observe({type: 'layout-shift'});
    const painted = then => requestAnimationFrame(() => requestAnimationFrame(then));
    document.addEventListener('htmx:after:swap', () => painted(() => {
        const running = document.getAnimations().filter(one => one.timeline === document.timeline && !(one instanceof CSSTransition));
        seen.ends.push(...running.map(one => one.effect.getComputedTiming().endTime));
        seen.properties.push(...running.flatMap(one => one.effect.getKeyframes()).flatMap(Object.keys));
        seen.delays = running.filter(one => one.effect.target.matches('.net .makes')).map(one => {
            const box = one.effect.target.getBoundingClientRect();
            return [Math.round(box.left + box.width / 2), Math.round(one.effect.getComputedTiming().delay)];
        });
    }));
}"""
FRAMES = """() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(
    () => requestAnimationFrame(done))))"""
LEFT = """() => [document.querySelectorAll('.motion').length,
    document.getAnimations().filter(one => one.timeline === document.timeline && !(one instanceof CSSTransition)).length]"""


def opened(page: Page, address: str) -> None:
    """Open a step and look at it."""
    page.goto(address)
    page.evaluate("() => document.fonts.ready.then(() => true)")
    page.evaluate(WATCH)
    page.wait_for_timeout(READ)


def go_on(page: Page, n: int) -> None:
    page.keyboard.press("ArrowRight")
    wait_for_step(page, n)
    page.evaluate(FRAMES)


@pytest.mark.parametrize("size", [LAPTOP, PHONE])
@pytest.mark.parametrize("start", ["", "/embed"])
def test_operands_travel_into_the_formula_and_the_result_into_its_place(
    page: Page, size: ViewportSize, start: str
) -> None:
    page.set_viewport_size(size)
    opened(page, f"{start}{LESSON}/6")
    go_on(page, 7)
    page.wait_for_timeout(LONGEST + 100)
    seen = page.evaluate("() => seen")
    ((*operands, result),) = seen["copies"]
    assert result == "0.3921"
    assert set(operands) <= {"0.1", "0.3", "0.5744", "0.2", "0.5987"}
    assert len(operands) >= (5 if size == LAPTOP else 2)  # a phone has not all of them in sight
    assert (seen["hidden"], seen["pointer"]) == ("true", "none")
    assert max(seen["ends"]) <= LONGEST
    moving = {"transform", "opacity", "offset", "computedOffset", "easing", "composite"}
    assert set(seen["properties"]) <= moving
    assert seen["policy"] == 0
    assert page.evaluate(LEFT) == [0, 0]
    assert page.locator("#step [style]").count() == 0


def test_a_presentation_moves_too(page: Page) -> None:
    page.set_viewport_size(LAPTOP)
    opened(page, f"{LESSON}/6?present=yes")
    go_on(page, 7)
    assert page.evaluate("() => seen.copies.length") == 1


def test_many_numbers_do_not_travel_but_what_is_made_shows_itself(page: Page) -> None:
    page.set_viewport_size(LAPTOP)
    opened(page, f"{LESSON}/3?grain=layer")
    go_on(page, 4)
    seen = page.evaluate("() => seen")
    assert seen["copies"] == []
    assert 0 < max(seen["ends"]) <= LONGEST


@pytest.mark.parametrize(("phase", "turned"), [(1, False), (2, True)])
def test_a_wave_runs_through_a_phase_the_way_that_things_flow(
    page: Page, phase: int, turned: bool
) -> None:
    page.set_viewport_size(LAPTOP)
    opened(page, f"{LESSON}/{phase}?grain=pass")
    for n in range(phase + 1, phase + (2 if turned else 5)):
        go_on(page, n)
        page.wait_for_timeout(READ)
    marks = sorted(
        page.evaluate("() => seen.delays"), key=lambda mark: -mark[0] if turned else mark[0]
    )
    delays = [delay for _, delay in marks]
    assert delays[-1] > delays[0] + 100
    assert all(later >= earlier - 1 for earlier, later in pairwise(delays))
    assert max(page.evaluate("() => seen.ends")) <= LONGEST
    assert page.evaluate(LEFT) == [0, 0]


def test_nothing_moves_on_the_way_back(page: Page) -> None:
    opened(page, f"{LESSON}/8")
    page.keyboard.press("ArrowLeft")
    wait_for_step(page, 7)
    page.evaluate(FRAMES)
    assert page.evaluate("() => seen.ends") == []


def test_nothing_moves_for_those_who_ask_for_less_motion(
    new_context: Callable[..., BrowserContext],
) -> None:
    page = new_context(reduced_motion="reduce").new_page()
    for address, n in ((f"{LESSON}/6", 7), (f"{LESSON}/1?grain=pass", 2)):
        opened(page, address)
        go_on(page, n)
        assert page.evaluate("() => seen.ends") == []


def test_ten_quick_clicks_leave_nothing_behind(page: Page) -> None:
    opened(page, f"{LESSON}/6")
    forward = page.locator("#next")
    for n in range(7, 17):
        forward.click()
        wait_for_step(page, n)
    expect(forward).to_be_focused()
    page.wait_for_timeout(LONGEST + 100)
    assert page.evaluate(LEFT) == [0, 0]
    assert shown(page).contradictions() == []
    assert shown(page).n == 16
    assert page.evaluate("() => seen.copies.length") < 3  # who skims is not held up


def test_a_new_step_ends_the_movement_at_once(page: Page) -> None:
    opened(page, f"{LESSON}/6")
    page.evaluate("""() => document.addEventListener('htmx:after:swap', () => {
        seen.copied = document.querySelectorAll('.motion').length; })""")
    go_on(page, 7)
    go_on(page, 8)
    assert page.evaluate("() => seen.copied") == 0


def test_movement_shifts_nothing(page: Page) -> None:
    page.set_viewport_size(LAPTOP)
    opened(page, f"{LESSON}/4")
    go_on(page, 5)
    page.evaluate(
        "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => { seen.moved = 0; done(); })))"
    )
    page.wait_for_timeout(LONGEST)
    assert page.evaluate("() => [seen.copies.length, seen.moved]") == [1, 0]


# ---- a number lights up everywhere: by touch, by keyboard ----

LIT = """() => [...new Set([...document.querySelectorAll('.lit')].map(
    lit => lit.closest('svg') ? 'diagram' : lit.closest('td') ? 'table' : 'text'))].sort()"""
EVERYWHERE = ["diagram", "table", "text"]


def test_a_tap_lights_a_number_up_everywhere(new_context: Callable[..., BrowserContext]) -> None:
    page = new_context(viewport=PHONE, has_touch=True, is_mobile=True).new_page()
    page.goto(f"{LESSON}/7")
    page.locator(".numbers [data-q='a[1][1]']").tap()
    assert page.evaluate(LIT) == EVERYWHERE
    page.locator("#title").tap()
    assert page.evaluate(LIT) == []
    page.locator("svg.net text.makes").tap()
    assert page.evaluate(LIT) == EVERYWHERE


def test_arrow_keys_light_up_the_numbers_of_a_formula_and_of_a_table(page: Page) -> None:
    page.goto(f"{LESSON}/7")
    page.get_by_role("group", name="Formula").focus()
    for number in ("0.1", "0.3", "0.5744"):
        page.keyboard.press("ArrowRight")
        assert page.locator(".numbers .lit").text_content() == number
    assert page.evaluate(LIT) == EVERYWHERE
    page.keyboard.press("ArrowLeft")
    assert page.locator(".numbers .lit").text_content() == "0.3"
    page.get_by_role("group", name="Units").focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator("td.lit").count() == 1
    assert shown(page).n == 7


def test_the_link_to_a_number_lights_it_up(page: Page) -> None:
    page.goto(f"{LESSON}/7")
    page.locator("#ask-here").click()
    page.locator('#ask a[data-ask="a[1][1]"]').focus()
    assert page.evaluate(LIT) == EVERYWHERE


# ---- what stays from step to step stands still, whether one asked for it or not ----

SETTLED = """() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => {
    const box = document.querySelector('figure.network').getBoundingClientRect();
    done([seen.moved, [box.top, box.height].map(Math.round), document.querySelector('.board > .formula').getBoundingClientRect().top]);
    seen.moved = 0;
}, 50))))"""
"""How far all things have moved since the last call, input or not; where the diagram stands; where
the formula begins.
"""


@pytest.mark.parametrize(
    ("lesson", "first", "last"),
    [
        ("1-2-3-1-sigmoid", 1, 14),
        ("1-2-3-1-sigmoid", 28, 40),
        ("vanishing-gradient", 20, 32),
        ("3-4-2-regression", 2, 12),
        ("one-weight", 1, 6),
    ],
)
def test_a_step_moves_what_stays_by_a_hundredth_at_most(
    page: Page, lesson: str, first: int, last: int
) -> None:
    page.set_viewport_size(LAPTOP)
    opened(page, f"/lessons/{lesson}/steps/{first}")
    page.evaluate(SETTLED)
    moved = {}
    for n in range(first + 1, last + 1):
        go_on(page, n)
        moved[n] = round(page.evaluate(SETTLED)[0], 4)
    assert {n: far for n, far in moved.items() if far > 0.01} == {}


SWAPPED = """([address, n]) => new Promise(done => {
    const settled = () => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => {
        done(seen.moved);
        seen.moved = 0;
    }, 20)));
    const swapped = () => {
        if (Number(document.querySelector('#title').dataset.n) !== n) return;
        document.removeEventListener('htmx:after:swap', swapped);
        settled();
    };
    document.addEventListener('htmx:after:swap', swapped);
    if (address) htmx.ajax('GET', address, {target: '#step', swap: 'innerMorph'}); else document.querySelector('#next').click();
})"""
"""Go to step n, by its address or with Next, and tell how far all things moved."""


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.scenario.id)
@pytest.mark.parametrize("size", [LAPTOP, PHONE, pytest.param(DESK, marks=pytest.mark.slow)])
def test_no_kind_of_step_moves_what_stays(
    new_context: Callable[..., BrowserContext], size: ViewportSize, lesson: Lesson
) -> None:
    page = new_context(viewport=size, reduced_motion="reduce").new_page()
    moved = {}
    for grain in ("number", "layer", "pass"):
        walk = lesson.walk(grain)
        path = f"/lessons/{lesson.scenario.id}/steps"
        page.goto(f"{path}/1?grain={grain}")
        page.evaluate("() => document.fonts.ready.then(() => true)")
        page.evaluate(WATCH)
        page.wait_for_timeout(100)
        at = 1
        for n in sorted({n for _, first in kinds(walk) for n in (first, first + 1)} - {1}):
            if n > len(walk):
                continue
            if at != n - 1:
                page.evaluate(SWAPPED, [f"{path}/{n - 1}?grain={grain}", n - 1])
            moved[grain, n] = round(page.evaluate(SWAPPED, ["", n]), 4)
            at = n
    assert len(moved) > 5
    assert {step: far for step, far in moved.items() if far > 0.01} == {}
