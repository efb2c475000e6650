"""A lesson as text in the browser: pasted, uploaded, mended, saved, and to the form and back; with
and without JavaScript.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Server, listen
from tests.browser.reading import shown, tab_to, wait_for_step
from tests.browser.test_accessibility import TOO_WIDE, WIDTHS, Axe, Looking, looking, problems
from tests.test_security import PAYLOADS, lesson
from tutor.scenario import dump
from tutor.scenario.reader import load

__all__ = ["looking"]  # the fixture

BAD = """\
format: 1
title: Two slips
network:
  inputs: 2
  layers:
    - units: 2
      activation: sigmod
      weights: [[0.1, 0.2], [0.3]]
      biases: [0.1, 0.1]
    - units: 1
      activation: sigmoid
      weights: [[0.5, 0.6]]
      biases: [0.2]
  loss: {name: squared_error}
data: {inputs: [[1, 0.5]], targets: [[1]]}
training: {learning_rate: 0.5}
"""
GOOD = (
    BAD.replace("sigmod", "sigmoid")
    .replace("[0.3]]", "[0.3, 0.4]]")
    .replace("Two slips", "Two slips mended")
)


@pytest.fixture(params=[True, False], ids=["with script", "without"])
def browsing(
    request: pytest.FixtureRequest, new_context: Callable[..., BrowserContext], server: Server
) -> Iterator[Page]:
    """A page with JavaScript, and one without."""
    page = new_context(java_script_enabled=request.param).new_page()
    complaints = listen(page, server)
    yield page
    assert complaints == []


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_a_pasted_text_is_checked_mended_and_saved(browsing: Page) -> None:
    page = browsing
    page.goto("/")
    page.get_by_role("navigation", name="Site").get_by_role("link", name="Open").click()
    page.get_by_label("The lesson as YAML or JSON").fill(BAD)
    press(page, "Check")
    expect(page.get_by_role("heading", name="2 problems to fix")).to_be_visible()
    field = page.get_by_label("The lesson as YAML or JSON")
    assert field.input_value() == BAD
    page.get_by_role("link", name="Line 8").click()
    assert page.url.endswith("/open#line-8")
    expect(page.locator("#line-8")).to_contain_text("weights: [[0.1, 0.2], [0.3]]")
    expect(page.locator("#line-8")).to_contain_text("expected 2 numbers, got 1")
    expect(page.locator("#line-8")).to_be_in_viewport()
    page.get_by_role("link", name="Back to the text").click()
    field.fill(GOOD)
    press(page, "Check")
    expect(page.get_by_role("heading", name="This lesson is valid")).to_be_visible()
    assert field.input_value() == GOOD
    press(page, "Save this lesson")
    expect(page.get_by_role("heading", level=1)).to_have_text("Two slips mended")
    page.get_by_role("link", name="Start with step 1").click()
    wait_for_step(page, 1)
    assert shown(page).heading == "Pre-activation of hidden unit 1"


def test_a_file_is_uploaded_and_saved(browsing: Page, root: Path) -> None:
    page = browsing
    page.goto("/open")
    page.get_by_label("Or a file").set_input_files(root / "scenarios" / "3-2-3-softmax.yaml")
    press(page, "Check")
    expect(page.locator("#sound")).to_contain_text("3-2-3, 68 steps")
    text = page.get_by_label("The lesson as YAML or JSON").input_value()
    assert text == (root / "scenarios" / "3-2-3-softmax.yaml").read_text(encoding="utf-8")
    press(page, "Save")
    expect(page.get_by_role("heading", level=1)).to_have_text("A 3-2-3 network with a softmax")


def test_a_file_that_is_no_text_says_so_and_leaves_what_was_typed(browsing: Page) -> None:
    page = browsing
    page.goto("/open")
    page.get_by_label("The lesson as YAML or JSON").fill(GOOD)
    page.get_by_label("Or a file").set_input_files(
        {"name": "a.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n" + bytes(99)}
    )
    press(page, "Check")
    expect(page.locator("#problems")).to_contain_text("a.png is a PNG picture")
    assert page.get_by_label("The lesson as YAML or JSON").input_value() == GOOD


def test_a_text_goes_to_the_form_and_back(browsing: Page) -> None:
    page = browsing
    page.goto("/open?example=1")
    press(page, "Edit in the form")
    expect(page.locator("#title")).to_have_value("My first lesson")
    page.locator('[id="w[1][2,1]"]').fill("-1/4")
    press(page, "Show as text")
    text = page.get_by_label("The lesson as YAML or JSON").input_value()
    assert "[-0.25, 0.4]" in text
    press(page, "Edit in the form")
    expect(page.locator('[id="w[1][2,1]"]')).to_have_value("-0.25")
    press(page, "Show as text")
    assert page.get_by_label("The lesson as YAML or JSON").input_value() == text


def test_a_form_with_a_problem_is_a_text_with_that_problem(browsing: Page) -> None:
    page = browsing
    page.goto("/build")
    page.locator('[id="w[1][1,1]"]').fill("much")
    press(page, "Show as text")
    expect(page.locator("#problems")).to_contain_text("network.layers[0].weights[0][0]")
    assert "much" in page.get_by_label("The lesson as YAML or JSON").input_value()


def test_the_file_of_a_lesson_is_saved_and_opened_again(
    browsing: Page, root: Path, tmp_path: Path
) -> None:
    page = browsing
    page.goto("/open")
    with page.expect_download() as waiting:
        _download(page)
    waiting.value.save_as(tmp_path / waiting.value.suggested_filename)
    assert waiting.value.suggested_filename == "3-2-3-softmax.yaml"
    written = dump.write(load(root / "scenarios" / "3-2-3-softmax.yaml"))
    assert (tmp_path / "3-2-3-softmax.yaml").read_text(encoding="utf-8") == written
    page.goto("/open")
    page.get_by_label("Or a file").set_input_files(tmp_path / "3-2-3-softmax.yaml")
    press(page, "Check")
    expect(page.locator("#sound")).to_be_visible()


def _download(page: Page) -> None:
    """Follow the address of a file, which leaves the page where it is."""
    with pytest.raises(Exception, match=r"ERR_ABORTED|Download is starting"):
        page.goto("/lessons/3-2-3-softmax/scenario.yaml")


def test_everything_is_in_reach_of_the_keyboard(page: Page) -> None:
    page.goto("/open")
    tab_to(page, "Put in an example")
    page.keyboard.press("Enter")
    expect(page.locator("#text")).not_to_have_value("")
    tab_to(page, "Check")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="This lesson is valid")).to_be_visible()
    tab_to(page, "Save this lesson")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("My first lesson")


@pytest.mark.parametrize("megabytes", [1, 8])
def test_a_large_file_is_answered_with_a_page_and_the_way_back_has_the_text(
    page: Page, tmp_path: Path, megabytes: int
) -> None:
    page.goto("/open")
    page.locator("#text").fill(GOOD)
    page.get_by_label("Or a file").set_input_files(sized(tmp_path, megabytes))
    press(page, "Check")
    expect(page.get_by_role("heading", level=1)).to_have_text("That is too large")
    expect(page.get_by_text("up to 64 KB")).to_be_visible()
    page.go_back()
    expect(page.locator("#text")).to_have_value(GOOD)


def test_an_upload_of_100_megabytes_leaves_the_server_as_it_was(page: Page, tmp_path: Path) -> None:
    page.goto("/open")
    page.get_by_label("Or a file").set_input_files(sized(tmp_path, 100))
    page.get_by_role("button", name="Check").click(no_wait_after=True)
    page.wait_for_timeout(1000)
    page.goto("/open")
    expect(page.get_by_role("heading", level=1)).to_have_text("Open a lesson from a file or text")


def sized(folder: Path, megabytes: int) -> Path:
    """A file of this size."""
    with (folder / "large.yaml").open("wb") as file:
        file.truncate(megabytes * 1024 * 1024)
    return folder / "large.yaml"


@pytest.mark.parametrize("chunk", range(4))
def test_nothing_that_looks_like_a_script_runs(page: Page, chunk: int) -> None:
    """All payloads in every text: as a text, in the form, and as a lesson with its steps; the page
    fixture hears every refusal.
    """
    for payload in PAYLOADS[chunk::4]:
        text = json.dumps(lesson(payload), ensure_ascii=False)
        page.goto("/open")
        page.locator("#text").fill(text)
        press(page, "Check")
        expect(page.locator("#sound")).to_contain_text(" ".join(payload.split()))
        assert page.locator("#text").input_value() == text
        press(page, "Edit in the form")
        expect(page.locator("#title")).to_have_value(payload)
        press(page, "Save")
        expect(page.get_by_role("heading", level=1)).to_have_text(" ".join(payload.split()))
        page.get_by_role("link", name="Start with step 1").click()
        wait_for_step(page, 1)
        assert page.locator("main").locator("script, iframe, img, style, base, x").count() == 0


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_has_no_barrier_and_fits(looking: Looking, axe: Axe, width: int) -> None:
    page = looking("light", width)
    found = [
        line
        for address in ("/open", "/open?example=1", "/open?from=3-2-3-softmax")
        for line in problems(page, axe, address, dark=True)
    ]
    found += (
        checked(page, axe, BAD)
        + checked(page, axe, "x: " + "[" * 20_000)
        + checked(page, axe, GOOD)
    )
    assert found == []


def checked(page: Page, axe: Axe, text: str) -> list[str]:
    """What axe finds after Check, and whether the page is too wide then."""
    page.goto("/open")
    page.locator("#text").fill(text)
    press(page, "Check")
    expect(page.locator("#problems, #sound")).to_be_visible()
    found: Any = axe(page, dark=True)
    wide = page.evaluate(TOO_WIDE)
    return [
        *found.violations,
        *([f"{wide} pixels too wide with {text[:20]!r}"] if wide > 0 else []),
    ]
