"""Quick readers and a slow server: when all is at rest, heading, address, title and live region
speak of one step.
"""

import random
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.browser.reading import Shown, shown, wait_for_step
from tests.browser.slow_server import SlowServer, slow_server

LESSON = "/lessons/1-2-3-1-sigmoid/steps"
KEYS = ["ArrowRight", "ArrowRight", "ArrowLeft", "Home", "End"]
Opener = Callable[[list[float]], tuple[Page, SlowServer]]


@pytest.fixture
def slowly(browser: Browser) -> Iterator[Opener]:
    """A page on a server with the given delays."""
    opened = []

    def start(delays: list[float]) -> tuple[Page, SlowServer]:
        serving = slow_server(delays)
        server = serving.__enter__()
        context = browser.new_context(base_url=server.url)
        complaints: list[str] = []
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda line: complaints.append(line.text) if line.type == "error" else None
        )
        opened.append((serving, context, complaints))
        return page, server

    yield start
    for serving, context, complaints in opened:
        context.close()
        serving.__exit__(None, None, None)
        assert complaints == []


def at_rest(page: Page, server: SlowServer) -> Shown:
    """What the page shows when nothing has been on its way for 400 ms."""
    quiet, answered = 0, -1
    for _ in range(200):
        page.wait_for_timeout(50)
        still = server.delayed.pending == 0 and server.delayed.answered == answered
        quiet, answered = (quiet + 1 if still else 0), server.delayed.answered
        if quiet >= 8:
            return shown(page)
    raise AssertionError("the page does not come to rest within 10 seconds")


def randomly(seed: int) -> tuple[list[float], list[str]]:
    """Delays of 0 to 300 ms, and ten keys."""
    chance = random.Random(seed)
    return [chance.uniform(0, 0.3) for _ in range(40)], [chance.choice(KEYS) for _ in range(10)]


@pytest.mark.parametrize("seed", range(5))
def test_ten_quick_keys_end_at_one_step(slowly: Opener, seed: int) -> None:
    delays, keys = randomly(seed)
    page, server = slowly(delays)
    page.goto(f"{LESSON}/30")
    for key in keys:
        page.keyboard.press(key)
        page.wait_for_timeout(15)
    assert at_rest(page, server).contradictions(spoken="End" in keys or "ArrowRight" in keys) == []


@pytest.mark.parametrize("seed", range(3))
def test_the_last_key_wins(slowly: Opener, seed: int) -> None:
    delays, keys = randomly(100 + seed)
    page, server = slowly(delays)
    page.goto(f"{LESSON}/30")
    for key in [*(key for key in keys if key != "End"), "End"]:
        page.keyboard.press(key)
        page.wait_for_timeout(10)
    rest = at_rest(page, server)
    assert rest.contradictions() == []
    assert rest.n == 79


@pytest.mark.parametrize("seed", range(2))
def test_quick_clicks_with_the_mouse_end_at_one_step(slowly: Opener, seed: int) -> None:
    delays, _ = randomly(200 + seed)
    page, server = slowly(delays)
    page.goto(f"{LESSON}/30")
    chance = random.Random(seed)
    for _ in range(10):
        place = page.locator(chance.choice(["#next", "#next", "#back", "#last"])).bounding_box()
        assert place is not None
        page.mouse.click(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    assert at_rest(page, server).contradictions() == []


def test_a_slow_answer_after_a_fast_one_does_not_win(slowly: Opener) -> None:
    # the page's own look ahead; then the slow one, the fast one
    page, server = slowly([0.0, 0.8, 0.0, 0.0, 0.0])
    page.goto(f"{LESSON}/30")
    at_rest(page, server)
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(50)
    page.keyboard.press("End")
    wait_for_step(page, 79)
    rest = at_rest(page, server)
    assert rest.contradictions() == []
    assert rest.n == 79


@pytest.mark.parametrize("delay", [0.15, 0.5])
def test_back_while_a_step_is_on_its_way_wins(slowly: Opener, delay: float) -> None:
    page, server = slowly([0.0])
    page.goto(f"{LESSON}/4")
    at_rest(page, server)
    page.keyboard.press("ArrowRight")
    wait_for_step(page, 5)
    at_rest(page, server)
    server.delayed.delays = iter([delay, 0.0, *[0.05] * 50])
    page.keyboard.press("ArrowLeft")  # slow; the browser's back comes before its answer
    page.wait_for_timeout(40)
    page.evaluate("() => history.back()")
    rest = at_rest(page, server)
    assert rest.contradictions(spoken=False) == []
    assert rest.n == 4


@pytest.mark.parametrize("seed", range(3))
def test_keys_mixed_with_the_browsers_back_end_at_one_step(slowly: Opener, seed: int) -> None:
    delays, _ = randomly(300 + seed)
    page, server = slowly(delays)
    page.goto(f"{LESSON}/30")
    for n in (31, 32, 33):
        page.keyboard.press("ArrowRight")
        wait_for_step(page, n)
    chance = random.Random(seed)
    backs = 3  # so many steps are in the history
    for _ in range(8):
        if backs and chance.random() < 0.4:
            backs -= 1
            page.evaluate("() => history.back()")
        else:
            page.keyboard.press(chance.choice(["ArrowRight", "ArrowLeft"]))
        page.wait_for_timeout(30)
    rest = at_rest(page, server)
    assert rest.contradictions(spoken=False) == []
    page.keyboard.press("End")
    wait_for_step(page, 79)
    assert shown(page).contradictions() == []


def test_a_page_takes_no_part_from_another_version_but_is_loaded_anew(page: Page) -> None:
    """While versions are changed machine by machine, either may answer."""

    def other(route: Route) -> None:
        if "hx-request" not in route.request.headers:
            route.continue_()
            return
        answer = route.fetch()
        headers = {**answer.headers, "tutor-version": "another"}
        route.fulfill(response=answer, headers=headers, body=answer.text().replace("w", "mixed"))

    page.route("**/steps/4", other)
    page.goto(f"{LESSON}/3")
    page.evaluate("window.before = true")
    with page.expect_navigation(wait_until="load"):
        page.keyboard.press("ArrowRight")
    wait_for_step(page, 4)
    assert page.evaluate("window.before") is None, "the whole page came"
    assert page.url.endswith("/steps/4")
    assert "mixed" not in page.content()
    page.evaluate("window.before = true")
    page.keyboard.press("ArrowRight")
    wait_for_step(page, 5)
    assert page.evaluate("window.before"), "a part of the same version is swapped in"
