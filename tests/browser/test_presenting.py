"""Presentation, auto-play, where one left off, print, and reduced motion."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.reading import shown, wait_for_step

LESSON = "/lessons/1-2-3-1-sigmoid/steps"


def size_of(page: Page, element: str) -> float:
    return float(
        page.locator(element).first.evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    )


# ---- the projector ----


def test_a_presentation_shows_the_step_alone_in_large_type(page: Page) -> None:
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto(f"{LESSON}/7")
    usual = {element: size_of(page, element) for element in ("h1", ".why", ".formula math")}
    page.goto(f"{LESSON}/7?present=yes")
    large = {element: size_of(page, element) for element in usual}
    assert all(large[element] >= 1.25 * usual[element] for element in usual)
    assert large[".why"] >= 22
    expect(page.get_by_role("banner")).to_be_hidden()
    expect(page.get_by_role("navigation", name="How much a step shows")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("img", name="Network 1-2-3-1")).to_be_visible()


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720), (1024, 768)])
def test_a_projector_shows_the_formula_without_scrolling(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    for n in (7, 27, 33, 49):
        page.goto(f"{LESSON}/{n}?present=yes")
        box = page.locator(".formula .result").first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= size[1], f"step {n}"
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_keys_move_a_presentation_and_it_stays_one(page: Page) -> None:
    page.goto(f"{LESSON}/7?present=yes")
    for key, n in (
        ("ArrowRight", 8),
        ("ArrowRight", 9),
        ("ArrowLeft", 8),
        ("End", 79),
        ("Home", 1),
    ):
        page.keyboard.press(key)
        wait_for_step(page, n)
        assert shown(page).address == f"{LESSON}/{n}?present=yes"
    expect(page.get_by_role("banner")).to_be_hidden()


def test_a_presentation_is_entered_and_left_at_the_same_step(page: Page) -> None:
    page.goto(f"{LESSON}/7?decimals=6")
    page.keyboard.press("ArrowRight")
    wait_for_step(page, 8)
    page.get_by_text("Notation and numbers").click()
    page.get_by_role("link", name="Present on a projector").click()
    expect(page).to_have_url(re.compile(r"/steps/8\?decimals=6&present=yes$"))
    page.keyboard.press("ArrowRight")
    wait_for_step(page, 9)
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(r"/steps/9\?decimals=6$"))
    expect(page.get_by_role("banner")).to_be_visible()


def test_a_presentation_can_be_left_with_the_mouse_or_a_finger(page: Page) -> None:
    page.goto(f"{LESSON}/7?present=yes")
    settings = page.get_by_text("Notation and numbers")
    expect(settings).to_be_visible()
    settings.click()
    page.get_by_role("link", name="Leave the presentation").click()
    expect(page).to_have_url(re.compile(r"/steps/7\??$"))


# ---- auto-play ----


def test_play_goes_on_at_its_speed_and_pause_stops_it(page: Page) -> None:
    page.clock.install()
    page.goto(f"{LESSON}/5")
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(4_100)
    wait_for_step(page, 6)
    page.get_by_role("combobox", name="Seconds a step").select_option("1")
    for n in (7, 8, 9):
        page.clock.run_for(1_050)
        wait_for_step(page, n)
    page.get_by_role("button", name="Pause").click()
    page.clock.run_for(20_000)
    page.wait_for_timeout(300)
    assert shown(page).n == 9
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_play_stops_at_the_last_step(page: Page) -> None:
    page.clock.install()
    page.goto(f"{LESSON}/78")
    page.get_by_role("combobox", name="Seconds a step").select_option("1")
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(1_050)
    wait_for_step(page, 79)
    page.clock.run_for(2_100)
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    assert shown(page).contradictions() == []


def test_play_works_by_keyboard_and_keeps_the_focus(page: Page) -> None:
    page.clock.install()
    page.goto(f"{LESSON}/5")
    page.get_by_role("button", name="Play").focus()
    page.keyboard.press("Space")
    page.clock.run_for(4_100)
    wait_for_step(page, 6)
    assert shown(page).focus == "play"
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play")).to_be_visible()


MOVING = """() => [...document.querySelectorAll('*')].filter(e => {
    const style = getComputedStyle(e);
    return [...style.transitionDuration.split(','), ...style.animationDuration.split(',')].some(t => parseFloat(t) > 0);
}).map(e => e.outerHTML.slice(0, 80))"""


def test_nothing_moves_for_a_reader_who_wants_no_motion(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    for address in ("/", f"{LESSON}/33", f"{LESSON}/33?present=yes", "/activations"):
        page.goto(address)
        assert page.evaluate(MOVING) == [], address
        assert (
            page.evaluate("() => getComputedStyle(document.documentElement).scrollBehavior")
            == "auto"
        )


# ---- where one left off ----


def test_the_gallery_offers_to_go_on_where_one_left_off_in_this_browser_only(
    page: Page, new_context: Callable[..., BrowserContext]
) -> None:
    page.goto("/")
    assert page.get_by_text("Continue at").count() == 0
    page.goto(f"{LESSON}/1")
    for n in (2, 3, 4, 5):
        page.keyboard.press("ArrowRight")
        wait_for_step(page, n)
    page.goto("/")
    page.get_by_role("link", name="Continue at step 5 of 79").click()
    wait_for_step(page, 5)
    other = new_context().new_page()
    other.goto("/")
    assert other.get_by_role("heading", level=1).is_visible()
    assert other.get_by_text("Continue at").count() == 0


def test_going_on_keeps_grain_and_decimals(page: Page) -> None:
    page.goto("/lessons/3-2-3-softmax/steps/7?grain=layer&decimals=6")
    page.goto("/")
    page.get_by_role("link", name="Continue at step 7 of 21").click()
    expect(page).to_have_url(re.compile(r"/steps/7\?grain=layer&decimals=6$"))


def test_the_browsers_way_back_to_the_gallery_offers_it_too(page: Page) -> None:
    page.goto("/")
    page.goto(f"{LESSON}/1")
    page.keyboard.press("ArrowRight")
    wait_for_step(page, 2)
    page.go_back()
    wait_for_step(page, 1)
    page.go_back()
    expect(page.get_by_role("link", name="Continue at step 1 of 79")).to_be_visible()


def test_a_spoilt_memory_does_no_harm(page: Page) -> None:
    page.goto("/")
    page.evaluate("""() => {
        localStorage.setItem('step:1-2-3-1-sigmoid', '{broken');
        localStorage.setItem('step:3-2-3-softmax', JSON.stringify({to: 'javascript:alert(1)', n: 1, of: 2}));
        localStorage.setItem('step:linear-regression', JSON.stringify({to: '/lessons/linear-regression/steps/4', n: '<b>4', of: 57}));
    }""")
    page.reload()
    expect(page.get_by_role("link", name="Continue at step <b>4 of 57")).to_be_visible()
    assert page.get_by_text("Continue at").count() == 1


# ---- paper ----


@pytest.mark.parametrize(
    "address",
    [f"{LESSON}/33", "/lessons/3-2-3-softmax/steps/8?grain=layer", f"{LESSON}/7?present=yes"],
)
def test_a_step_is_printed_without_its_controls(page: Page, address: str) -> None:
    page.goto(address)
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator(".formula").first).to_be_visible()
    expect(page.get_by_role("table").first).to_be_visible()
    expect(page.get_by_role("img").last).to_be_visible()
    shown_controls = page.evaluate("""() => [...document.querySelectorAll('button:not(.given), select, summary, nav a, .skip')]
        .filter(e => e.checkVisibility({opacityProperty: true, visibilityProperty: true})).map(e => e.textContent.trim())""")
    assert shown_controls == []
    paper = page.pdf(format="A4")
    assert paper.startswith(b"%PDF")
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", paper)) <= 3


def test_print_is_dark_on_light_whatever_the_screen(page: Page) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    page.goto(f"{LESSON}/33")
    colours = "() => ['body', 'h1'].map(name => getComputedStyle(document.querySelector(name))).map(s => [s.backgroundColor, s.color])"
    (paper, _), (_, ink) = page.evaluate(colours)
    assert paper == "rgb(255, 255, 255)"
    assert sum(map(int, re.findall(r"\d+", ink)[:3])) < 200
