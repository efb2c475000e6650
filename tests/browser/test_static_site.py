"""The lessons as a folder of files: a plain file server below a path serves them, and the disk.

The pages are walked from the gallery to the last step by keyboard, with JavaScript on and off.
"""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from tests.browser.conftest import AxeReport
from tests.browser.reading import shown, tab_to, wait_for_step
from tutor.cli.main import main

LESSON, TITLE, STEPS = "one-weight", "One weight", 12
WITH_SLIDES = "3-2-3-softmax"
PREFIX = "course/tutor"


class Quiet(SimpleHTTPRequestHandler):
    """What `python -m http.server` serves with, without its log."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A host's folder, with the lessons below a path."""
    home = tmp_path_factory.mktemp("host")
    assert main(["site", "--out", str(home / PREFIX), LESSON, WITH_SLIDES]) == 0
    return home


@pytest.fixture(scope="module")
def host(folder: Path) -> Iterator[str]:
    """The address of the lessons on a plain file server."""
    handler = functools.partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{PREFIX}"
        server.shutdown()


@pytest.fixture(params=[True, False], ids=["with script", "without script"])
def files(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that must not complain, with JavaScript on and off."""
    context = browser.new_context(java_script_enabled=request.param)
    page, complaints = opened(context)
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def script(browser: Browser) -> Iterator[Page]:
    """A page with JavaScript that must not complain."""
    context = browser.new_context()
    page, complaints = opened(context)
    yield page
    context.close()
    assert complaints == []


def opened(context: BrowserContext) -> tuple[Page, list[str]]:
    """A page, and what the browser complains about: on its console, of scripts, of files that are
    not there.
    """
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
    page.on("requestfailed", lambda sent: complaints.extend(failed(sent)))
    page.on(
        "response",
        lambda answer: (
            complaints.append(f"{answer.url}: {answer.status}") if answer.status >= 400 else None
        ),
    )
    return page, complaints


def failed(sent: Request) -> list[str]:
    """A request that failed; one that was cut off by the way to the next page has not."""
    return [] if sent.failure == "net::ERR_ABORTED" else [f"{sent.url}: {sent.failure}"]


def walk(page: Page, start: str) -> None:
    """From the gallery to the last step by keyboard alone."""
    page.goto(start)
    tab_to(page, TITLE)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    tab_to(page, "Start with step 1")
    page.keyboard.press("Enter")
    wait_for_step(page, 1)
    tab_to(page, "Next →")
    for n in range(2, STEPS + 1):
        page.keyboard.press("Enter")
        wait_for_step(page, n)
        assert shown(page).contradictions(spoken=False) == []
        expect(page.locator("#next")).to_be_focused()
    expect(page.get_by_role("link", name="Next →")).to_be_disabled()
    assert page.evaluate("() => scrollY") == 0


def test_a_lesson_is_walked_to_its_end_by_keyboard_from_a_plain_file_server(
    files: Page, host: str
) -> None:
    walk(files, f"{host}/")
    assert urlsplit(files.url).path == f"/{PREFIX}/lessons/{LESSON}/steps/{STEPS}.html"


def test_a_lesson_is_walked_to_its_end_by_keyboard_from_the_disk(files: Page, folder: Path) -> None:
    walk(files, (folder / PREFIX / "index.html").as_uri())


def test_styles_and_the_font_are_there(files: Page, host: str) -> None:
    files.goto(f"{host}/lessons/{LESSON}/steps/3.html")
    assert (
        files.evaluate("() => getComputedStyle(document.querySelector('.controls')).position")
        == "fixed"
    )
    assert files.evaluate(
        "() => document.fonts.ready.then(() => document.fonts.check('16px \"STIX Two Math\"'))"
    )


def test_the_arrow_keys_go_from_step_to_step_and_never_out_of_the_lesson(
    script: Page, host: str
) -> None:
    page = script
    page.goto(f"{host}/lessons/{LESSON}/steps/layer/1.html")
    for key, n in (
        ("ArrowLeft", 1), ("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2), ("End", 12),
        ("ArrowRight", 12), ("Home", 1),
    ):  # fmt: skip
        page.keyboard.press(key)
        wait_for_step(page, n)
    assert re.search(r"/steps/layer/1\.html", page.url)


def test_auto_play_goes_on_from_page_to_page_until_it_is_stopped(script: Page, host: str) -> None:
    page = script
    page.goto(f"{host}/lessons/{LESSON}/steps/1.html")
    page.get_by_label("Seconds a step").select_option("1")
    page.get_by_role("button", name="Play").click()
    wait_for_step(page, 3)
    expect(page.get_by_label("Seconds a step")).to_have_value("1")
    page.get_by_role("button", name="Pause").click()
    page.wait_for_timeout(1500)
    n = shown(page).n
    page.reload()
    page.wait_for_timeout(1500)
    assert shown(page).n == n
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_the_gallery_says_where_one_left_off(script: Page, host: str) -> None:
    page = script
    page.goto(f"{host}/lessons/{LESSON}/steps/layer/5.html")
    wait_for_step(page, 5)
    page.goto(f"{host}/index.html")
    page.get_by_role("link", name="Continue at step 5 of 12").click()
    wait_for_step(page, 5)
    assert page.url.endswith(f"/lessons/{LESSON}/steps/layer/5.html")


def test_a_tool_says_what_needs_the_tutor_running(script: Page, host: str) -> None:
    page = script
    page.goto(f"{host}/lessons/{LESSON}/steps/3.html")
    line = page.get_by_text("need the tutor running")
    expect(line).to_be_hidden()
    page.get_by_text("More with the tutor running").click()
    expect(line).to_be_visible()
    page.keyboard.press("Escape")
    expect(line).to_be_hidden()


def test_slides_and_files_are_reached_by_links(files: Page, host: str) -> None:
    files.goto(f"{host}/lessons/{WITH_SLIDES}.html")
    files.get_by_role("link", name="Compare them all").click()
    files.get_by_role("link", name="Slips (3)").click()
    expect(files.get_by_role("row")).to_have_count(4)
    files.get_by_role("row").nth(1).get_by_role("link").click()
    expect(files.get_by_role("navigation", name="Steps")).to_be_visible()
    files.goto(f"{host}/lessons/{WITH_SLIDES}/export/numpy.html")
    with files.expect_download() as download:
        files.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename.endswith("-numpy.py")


@pytest.mark.parametrize(
    "path",
    [
        "index",
        f"lessons/{LESSON}",
        f"lessons/{LESSON}/steps/5",
        f"lessons/{LESSON}/export",
        "activations/z_2",
        "404",
    ],
)
def test_pages_are_accessible(
    script: Page, host: str, path: str, axe: Callable[[Page], AxeReport]
) -> None:
    script.goto(f"{host}/{path}.html")
    assert axe(script).violations == []
