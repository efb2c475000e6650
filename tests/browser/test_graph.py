"""A formula in the browser: walked by keys, changed by a click, typed and sent as a link."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.reading import shown, tab_to, wait_for_step
from tutor import number
from tutor.lesson.graph_lesson import GraphLesson, open_graph
from tutor.scenario import reader
from tutor.scenario.reader import GraphScenario


def opened(root: Path, name: str) -> GraphLesson:
    found = reader.load(root / "scenarios" / "graphs" / f"{name}.yaml")
    assert isinstance(found, GraphScenario)
    return open_graph(found)


def result(page: Page) -> str:
    """The number that the step makes."""
    text = page.locator(".board .line.result math").first.text_content() or ""
    return text.lstrip("=≈")


def test_a_walk_by_keys_shows_the_numbers_of_the_engine(page: Page, root: Path) -> None:
    lesson = opened(root, "neuron-error")
    walk = lesson.walk("number")
    page.goto("/lessons/neuron-error")
    tab_to(page, "Start with step 1")
    page.keyboard.press("Enter")
    wait_for_step(page, 1)
    tab_to(page, "Next →")
    for n in range(1, len(walk) + 1):
        if n > 1:
            page.keyboard.press("ArrowRight")
            wait_for_step(page, n)
        assert shown(page).contradictions(spoken=n > 1) == []
        assert result(page) == number.shown(lesson.trace.value(walk.anchor(n)), 4)
    assert page.evaluate("() => document.activeElement.id") == "next"
    page.keyboard.press("Home")
    wait_for_step(page, 1)


def test_a_click_on_a_given_number_changes_it_and_every_step_follows(page: Page) -> None:
    page.goto("/lessons/sum-times/steps/2")
    assert result(page) == "−12"
    page.locator('#step svg text[data-q="z"]').click()
    field = page.locator("#editor").get_by_label("z")
    expect(field).to_be_focused()
    expect(field).to_have_value("-4")
    page.keyboard.type("abc")
    page.keyboard.press("Enter")
    expect(page.locator("#edit-problem")).to_contain_text("abc")
    field.fill("2")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/lessons/sum-times/steps/2\?z=2$"))
    assert result(page) == "6"
    expect(page.get_by_text("With the lesson’s own numbers this was −12")).to_be_visible()
    page.keyboard.press("ArrowRight")
    wait_for_step(page, 3)
    assert page.url.endswith("/3?z=2")


def typed(page: Page, text: str) -> None:
    page.get_by_label("Formula and values").fill(text)
    page.get_by_role("button", name="Walk").click()


def test_a_typed_formula_is_walked_and_its_address_shows_the_same(page: Page) -> None:
    page.goto("/formula")
    typed(page, "f = (x + y)*z\nx = 1\ny = 1\nz = -4")
    expect(page.get_by_role("heading", name="f = −8")).to_be_visible()
    page.get_by_role("link", name="Number by number").click()
    wait_for_step(page, 1)
    page.wait_for_load_state()  # the keys are there
    page.keyboard.press("ArrowRight")
    wait_for_step(page, 2)
    assert result(page) == "−8"
    address = page.url
    page.goto("/")
    page.goto(address)
    assert result(page) == "−8"
    page.locator('#step svg text[data-q="y"]').click()
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("y=2"))
    assert result(page) == "−12"


def test_a_formula_is_typed_corrected_and_walked_without_a_script(
    page_without_script: Page,
) -> None:
    page = page_without_script
    page.goto("/formula")
    typed(page, "f = a*sqrt(b")
    expect(page.get_by_text("At character 9: a closing parenthesis is missing.")).to_be_visible()
    field = page.get_by_label("Formula and values")
    expect(field).to_be_focused()
    expect(field).to_have_value("f = a*sqrt(b")
    typed(page, "f = a*sqrt(b)")
    page.get_by_role("link", name="Number by number").click()
    wait_for_step(page, 1)
    page.get_by_role("link", name="Next →").click()
    wait_for_step(page, 2)
    assert shown(page).contradictions(spoken=False) == []


# ---- as on paper ----


def rounded(page: Page, decimals: str) -> None:
    """The settings with another choice, by keys alone."""
    summary = page.locator("#settings > summary")
    summary.focus()
    page.keyboard.press("Enter")
    choice = page.get_by_label("As on paper")
    choice.focus()
    page.keyboard.type(f"rounded to {decimals}")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Apply")).to_be_focused()
    page.keyboard.press("Enter")


def test_a_formula_is_put_on_paper_and_back_by_keys(page: Page, root: Path) -> None:
    paper = opened(root, "neuron-error").on_paper(2)
    page.goto("/lessons/neuron-error/steps/13")
    rounded(page, "2")
    expect(page).to_have_url(re.compile(r"/lessons/neuron-error/steps/13\?.*paper=2"))
    drift = page.get_by_text("At full precision this number is 0.21151; on paper it is 0.0085 away")
    expect(drift).to_be_visible()
    walk = paper.walk("number")
    assert result(page) == number.shown(paper.trace.value(walk.anchor(13)), 12) == "0.22"
    tab_to(page, "Next →")
    page.keyboard.press("Enter")
    wait_for_step(page, 14)
    assert "paper=2" in page.url
    assert result(page) == number.shown(paper.trace.value(walk.anchor(14)), 12)
    tab_to(page, "All numbers compared")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("As on paper"))
    tab_to(page, "3 decimals")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/paper\?paper=3$"))
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_a_typed_formula_is_put_on_paper_without_a_script(page_without_script: Page) -> None:
    page = page_without_script
    page.goto("/formula/steps/3?expression=sigmoid(w*x%2Bb)&w=2&x=-1&b=3.3")
    assert result(page) == "0.7858"
    page.locator("#settings > summary").press("Enter")
    page.get_by_label("As on paper").select_option("rounded to 2 decimals")
    page.get_by_role("button", name="Apply").click()
    assert result(page) == "0.79"
    assert "paper=2" in page.url
    page.get_by_role("link", name="Next →").click()
    wait_for_step(page, 4)
    assert "paper=2" in page.url
    page.get_by_role("link", name="All numbers compared").click()
    expect(page.get_by_role("row", name=re.compile("step 3"))).to_contain_text("0.79")
    page.get_by_role("link", name="Walk through the lesson with 2 decimals").click()
    wait_for_step(page, 1)
