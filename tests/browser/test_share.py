"""Sharing in a real browser: a frame on another site's page, what may not be framed, copying, QR
codes, saved lessons.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Frame, Page, expect

from tests.browser.conftest import AxeReport, Server

SIGMOID = "/lessons/1-2-3-1-sigmoid"
FITS = "() => document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight"
ISOLATED = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}
NO_STORAGE = "() => { Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('denied', 'SecurityError'); } }); }"


@dataclass
class CoursePage:
    """A page on another site, with one frame in it."""

    port: int
    frame: str = "about:blank"
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Another host than the tutor's 127.0.0.1: another origin and, for the browser, another
        site.
        """
        return f"http://localhost:{self.port}/course"

    def html(self) -> bytes:
        frame = f'<iframe id="lesson" src="{self.frame}" title="A lesson" width="100%" height="640"></iframe>'
        text = f'<!doctype html><html lang="en"><title>A course</title><h1>A course</h1><input id="own" aria-label="Notes">{frame}'
        return text.encode()


class Answer(BaseHTTPRequestHandler):
    """The course page at every address."""

    def __init__(self, *arguments: object, course: CoursePage) -> None:
        self.course = course
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        for name, value in self.course.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.course.html())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def course() -> Iterator[CoursePage]:
    """A course page that another server serves."""
    page = CoursePage(0)
    with ThreadingHTTPServer(("localhost", 0), partial(Answer, course=page)) as server:
        page.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield page
        server.shutdown()


@pytest.fixture
def visitor(new_context: Callable[..., BrowserContext]) -> Page:
    """A browser that looks at the course page; what it complains about is collected in
    `complaints`.
    """
    return new_context().new_page()


def complaints(page: Page) -> list[str]:
    """What the browser says from now on about errors, on the page and in its frames."""
    found: list[str] = []
    page.on(
        "console",
        lambda message: (
            found.append(message.text) if message.type in {"error", "warning"} else None
        ),
    )
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def framed(page: Page, course: CoursePage, address: str) -> Frame:
    """Open the course page with this address of the tutor in its frame."""
    course.frame = address
    page.goto(course.url)
    handle = page.wait_for_selector("#lesson")
    assert handle is not None
    frame = handle.content_frame()
    assert frame is not None
    return frame


def path(frame: Frame) -> str:
    return str(frame.evaluate("() => location.pathname + location.search"))


# ---- frames ----


@pytest.mark.parametrize("headers", [{}, ISOLATED], ids=["plain", "isolated"])
def test_another_site_can_frame_a_step_and_walk_it(
    visitor: Page, course: CoursePage, server: Server, headers: dict[str, str]
) -> None:
    said = complaints(visitor)
    course.headers = headers
    frame = framed(visitor, course, f"{server.url}/embed{SIGMOID}/steps/7?decimals=6")
    expect(frame.locator(".where")).to_contain_text("Step 7 of 79 ")
    assert visitor.evaluate("() => self.crossOriginIsolated") == bool(headers)
    assert frame.evaluate("() => document.fonts.check('16px \"STIX Two Math\"')")
    assert (
        frame.evaluate("() => getComputedStyle(document.querySelector('#next')).color")
        == "rgb(255, 255, 255)"
    )
    steps = frame.get_by_role("navigation", name="Steps")
    for name, n in (("Next →", 8), ("Next →", 9), ("← Back", 8), ("Last ⇥", 79), ("⇤ First", 1)):
        steps.get_by_role("link", name=name).click()
        expect(frame.locator(".where")).to_contain_text(f"Step {n} of 79 ")
        frame.wait_for_url(f"**/embed{SIGMOID}/steps/{n}?decimals=6")
    frame.get_by_role("navigation", name="Phases").get_by_role("link", name="Backward").click()
    expect(frame.get_by_text("· Backward pass")).to_be_visible()
    assert path(frame).startswith(f"/embed{SIGMOID}/steps/")
    assert visitor.url == course.url
    assert said == []


def test_a_lesson_in_a_frame_starts_at_its_first_step(
    visitor: Page, course: CoursePage, server: Server
) -> None:
    frame = framed(visitor, course, f"{server.url}/embed{SIGMOID}")
    expect(frame.locator(".where")).to_contain_text("Step 1 of 79 ")


def test_slides_that_are_opened_from_a_disk_can_frame_a_step(
    visitor: Page, course: CoursePage, server: Server, tmp_path: Path
) -> None:
    course.frame = f"{server.url}/embed{SIGMOID}/steps/7"
    slides = tmp_path / "slides.html"
    slides.write_bytes(course.html())
    visitor.goto(slides.as_uri())
    frame = visitor.frame_locator("#lesson")
    frame.get_by_role("link", name="Next →").click()
    expect(frame.locator(".where")).to_contain_text("Step 8 of 79 ")


def test_a_frame_walks_without_script(
    new_context: Callable[..., BrowserContext], course: CoursePage, server: Server
) -> None:
    visitor = new_context(java_script_enabled=False).new_page()
    frame = framed(visitor, course, f"{server.url}/embed{SIGMOID}/steps/7")
    frame.get_by_role("link", name="Next →").click()
    expect(frame.locator(".where")).to_contain_text("Step 8 of 79 ")
    assert frame.url == f"{server.url}/embed{SIGMOID}/steps/8"


@pytest.mark.parametrize(
    "address", ["/", SIGMOID, f"{SIGMOID}/steps/7", f"{SIGMOID}/share", "/activations", "/nothing"]
)
def test_the_browser_refuses_to_frame_anything_else(
    visitor: Page, course: CoursePage, server: Server, address: str
) -> None:
    said = complaints(visitor)
    frame = framed(visitor, course, f"{server.url}{address}")
    visitor.wait_for_load_state("networkidle")
    assert any(
        "frame-ancestors" in text or "refused to connect" in text.lower() for text in said
    ), said
    assert not frame.url.startswith(server.url)


def test_a_wrong_address_says_so_in_the_frame(
    visitor: Page, course: CoursePage, server: Server
) -> None:
    frame = framed(visitor, course, f"{server.url}/embed{SIGMOID}/steps/80")
    expect(frame.get_by_text("This lesson has steps 1 to 79")).to_be_visible()
    with visitor.expect_popup() as popup:
        frame.get_by_role("link", name="Back to the lesson").click()
    popup.value.wait_for_url(f"{server.url}{SIGMOID}")


def test_a_frame_takes_no_focus_from_the_page_around_it(
    visitor: Page, course: CoursePage, server: Server
) -> None:
    course.frame = f"{server.url}/embed{SIGMOID}/steps/7"
    visitor.goto(course.url, wait_until="commit")
    visitor.locator("#own").focus()
    expect(visitor.frame_locator("#lesson").locator(".where")).to_contain_text("Step 7 of 79 ")
    visitor.wait_for_load_state("networkidle")
    assert visitor.evaluate("() => document.activeElement.id") == "own"
    visitor.keyboard.type("→ my notes")
    visitor.keyboard.press("ArrowRight")
    assert visitor.locator("#own").input_value() == "→ my notes"
    expect(visitor.frame_locator("#lesson").locator(".where")).to_contain_text("Step 7 of 79 ")


def test_keys_walk_in_the_frame_once_it_has_the_focus(
    visitor: Page, course: CoursePage, server: Server
) -> None:
    frame = framed(visitor, course, f"{server.url}/embed{SIGMOID}/steps/7")
    frame.get_by_role("link", name="Next →").focus()
    visitor.keyboard.press("ArrowRight")
    expect(frame.locator(".where")).to_contain_text("Step 8 of 79 ")


def test_the_way_back_of_the_browser_goes_back_in_the_frame(
    visitor: Page, course: CoursePage, server: Server
) -> None:
    frame = framed(visitor, course, f"{server.url}/embed{SIGMOID}/steps/7")
    frame.get_by_role("link", name="Next →").click()
    expect(frame.locator(".where")).to_contain_text("Step 8 of 79 ")
    visitor.evaluate("() => history.back()")
    expect(frame.locator(".where")).to_contain_text("Step 7 of 79 ")
    assert visitor.url == course.url


def test_open_in_the_tutor_opens_the_step_that_is_shown_in_a_new_tab(
    visitor: Page, course: CoursePage, server: Server
) -> None:
    frame = framed(visitor, course, f"{server.url}/embed{SIGMOID}/steps/7?decimals=6")
    frame.get_by_role("link", name="Next →").click()
    expect(frame.locator(".where")).to_contain_text("Step 8 of 79 ")
    with visitor.expect_popup() as popup:
        frame.get_by_role("link", name="Open in the tutor").click()
    popup.value.wait_for_url(f"{server.url}{SIGMOID}/steps/8?decimals=6")
    assert popup.value.evaluate("() => window.opener === null")
    assert path(frame) == f"/embed{SIGMOID}/steps/8?decimals=6"


def test_a_frame_works_where_the_browser_denies_it_storage(
    visitor: Page, course: CoursePage, server: Server
) -> None:
    visitor.add_init_script(f"({NO_STORAGE})()")
    said = complaints(visitor)
    frame = framed(visitor, course, f"{server.url}/embed{SIGMOID}/steps/7")
    frame.get_by_role("link", name="Next →").click()
    expect(frame.locator(".where")).to_contain_text("Step 8 of 79 ")
    assert said == []


def test_a_frame_is_not_where_one_left_off(page: Page) -> None:
    page.goto(f"{SIGMOID}/steps/5")
    page.goto(f"/embed{SIGMOID}/steps/7")
    page.goto("/")
    expect(page.get_by_role("link", name="Continue at step 5 of 79")).to_be_visible()


# ---- the page with the links ----


def test_a_link_and_the_frame_are_copied_with_one_press(page: Page, server: Server) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{SIGMOID}/share?step=7&decimals=6")
    address = f"{server.url}{SIGMOID}/steps/7?decimals=6"
    page.get_by_role("button", name="Copy the Link to step 7").press("Enter")
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("() => navigator.clipboard.readText()") == address
    expect(page.get_by_role("button", name="Copy the Link to step 7")).to_be_focused()
    page.get_by_role("button", name="Copy the HTML").click()
    expect(page.get_by_text("Copied.")).to_have_count(2)
    assert page.evaluate("() => navigator.clipboard.readText()").startswith(
        f'<iframe src="{server.url}/embed{SIGMOID}/steps/7?decimals=6"'
    )


def test_where_copying_fails_the_text_is_selected(page: Page) -> None:
    page.add_init_script(
        "navigator.clipboard.writeText = () => Promise.reject(new Error('denied'));"
    )
    page.goto(f"{SIGMOID}/share")
    page.get_by_role("button", name="Copy the Link to this lesson").click()
    expect(page.get_by_text("press Ctrl+C")).to_be_visible()
    assert page.evaluate(
        "() => getSelection().toString() || document.activeElement.value"
    ).endswith(SIGMOID)


def test_without_script_links_can_be_read_and_no_button_does_nothing(
    page_without_script: Page, server: Server
) -> None:
    page_without_script.goto(f"{SIGMOID}/share?step=7")
    expect(page_without_script.get_by_label("Link to step 7")).to_have_value(
        f"{server.url}{SIGMOID}/steps/7"
    )
    assert page_without_script.get_by_role("button").count() == 0
    expect(page_without_script.get_by_role("img", name="QR code of step 7")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720), (1024, 768), (390, 844)])
def test_the_code_fills_a_projector_and_stays_on_it(
    page: Page, scheme: str, size: tuple[int, int]
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(f"{SIGMOID}/share?step=7")
    page.get_by_role("link", name="Show it large").click()
    code = page.get_by_role("img", name="QR code of step 7")
    box = code.bounding_box()
    assert box is not None
    assert box["height"] == pytest.approx(box["width"], abs=1)
    assert box["height"] >= 0.75 * min(size)
    assert page.evaluate(FITS)
    assert code.locator("rect").evaluate("e => getComputedStyle(e).fill") == "rgb(255, 255, 255)"
    assert code.locator("path").evaluate("e => getComputedStyle(e).fill") == "rgb(0, 0, 0)"
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Share step 7")).to_be_visible()


# ---- lessons saved in this browser ----

SAVED = ["saved-" + "a2" * 10, "saved-" + "b3" * 10]


def remember(page: Page, *entries: object) -> None:
    page.evaluate(
        "entries => localStorage.setItem('saved-lessons', JSON.stringify(entries))", list(entries)
    )


def test_a_saved_lesson_that_was_opened_is_listed_in_this_browser_only(
    page: Page, new_context: Callable[..., BrowserContext]
) -> None:
    address = saved(page)
    page.goto("/")
    shelf = page.get_by_role("region", name="Lessons saved in this browser").or_(
        page.locator("#shelf")
    )
    shelf.get_by_role("link", name="A lesson to keep").click()
    page.wait_for_url(f"**{address}")
    other = new_context().new_page()
    other.goto("/")
    expect(other.locator("#shelf")).to_be_hidden()
    other.goto(f"{address}/steps/2")
    other.goto("/")
    expect(other.get_by_role("link", name="A lesson to keep")).to_be_visible()


def saved(page: Page) -> str:
    """Save a small lesson through the page for texts; its address."""
    text = """
format: 1
title: A lesson to keep
network: {inputs: 1, layers: [{units: 1, activation: sigmoid, weights: [[0.5]], biases: [0.1]}], loss: {name: squared_error}}
data: {inputs: [[1]], targets: [[1]]}
training: {learning_rate: 0.5}
"""
    page.goto("/open")
    page.locator("textarea[name=text]").fill(text)
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/lessons/saved-*")
    return str(page.evaluate("() => location.pathname"))


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 320)])
def test_a_saved_lesson_and_the_list_have_no_barrier(
    page: Page, axe: Callable[[Page], AxeReport], scheme: str, width: int
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 5000})
    for address in (saved(page), "/"):
        page.goto(address)
        assert axe(page).violations == []
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    expect(page.locator("#shelf")).to_be_visible()


def test_forgetting_takes_a_lesson_off_the_list_and_keeps_the_focus(page: Page) -> None:
    page.goto("/")
    remember(page, {"id": SAVED[0], "title": "First"}, {"id": SAVED[1], "title": "Second"})
    page.reload()
    page.get_by_role("button", name="Forget First").press("Enter")
    expect(page.get_by_role("link", name="First", exact=True)).to_have_count(0)
    expect(page.get_by_role("button", name="Forget Second")).to_be_focused()
    expect(page.locator("#said")).to_have_text("First is no longer listed.")
    page.reload()
    expect(page.get_by_role("link", name="First", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Forget Second").click()
    expect(page.locator("#shelf")).to_be_hidden()


def test_a_spoilt_list_does_no_harm(page: Page) -> None:
    page.goto("/")
    for spoilt in (
        "{broken",
        "7",
        '"x"',
        "[null, 3, {}]",
        '[{"id": "javascript:alert(1)", "title": "x"}]',
        '[{"id": "saved-x/../../"}]',
    ):
        page.evaluate("text => localStorage.setItem('saved-lessons', text)", spoilt)
        page.reload()
        expect(page.locator("#shelf")).to_be_hidden()
    remember(
        page,
        {"id": SAVED[0], "title": "<img src=x onerror=alert(1)>"},
        *({"id": SAVED[1], "title": "x"} for _ in range(50)),
    )
    page.reload()
    expect(page.get_by_role("link", name="<img src=x onerror=alert(1)>")).to_be_visible()
    assert page.locator("#shelf li").count() == 30


def test_nothing_is_listed_where_storage_is_off(page: Page) -> None:
    page.add_init_script(f"({NO_STORAGE})()")
    page.goto("/")
    expect(page.locator("#shelf")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


@pytest.mark.parametrize("width", [320, 360, 480, 768])
def test_the_head_of_the_page_fits_on_one_line_of_a_phone(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 640})
    page.goto("/")
    nav = page.get_by_role("navigation", name="Site")
    assert len({round(link.bounding_box()["y"]) for link in nav.get_by_role("link").all()}) == 1  # type: ignore[index]
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    expect(page.get_by_role("link", name="Backprop Tutor")).to_be_visible()
