"""Ask any number, three levels deep and back: by keyboard, by touch, without a script."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, ViewportSize, expect
from playwright.sync_api import Error as PlaywrightError

from tests.browser.reading import wait_for_step

LESSON = "/lessons/1-2-3-1-sigmoid/steps"
LAPTOP, PHONE = ViewportSize(width=1366, height=657), ViewportSize(width=390, height=760)
TYPED = (
    "/formula/steps/13?expression=(y-sigmoid(q))**2&differentiate=w0,w1,w2"
    "&w0=-3&w1=2&w2=-3&x1=-1&x2=-2&y=1&q=w0%2Bw1*x1%2Bw2*x2"
)
"""The formula of the lesson neuron-error, in the address."""
FOCUS = "() => document.activeElement.dataset.q"
Axe = Callable[[Page], Any]


def asked(page: Page, name: str) -> None:
    """The sheet has the answer about a number."""
    expect(page.locator("#ask article.quantity")).to_have_attribute("data-name", name)


def test_three_levels_deep_by_keyboard_and_back_to_the_very_number(page: Page) -> None:
    page.goto(f"{LESSON}/31")
    page.get_by_role("group", name="Formula").focus()
    page.keyboard.press("ArrowRight")
    first = page.evaluate(FOCUS)
    page.keyboard.press("Enter")
    asked(page, first)
    expect(page.locator("#asked")).to_be_focused()
    expect(page.locator("#said")).to_have_text("Error signal at unit 1 of hidden layer 2")
    way = [first]
    for operand in ("dL/da[2][1]", "dL/dz[3][1]", "dL/da[3][1]"):
        link = page.locator(f'#ask a[data-ask="{operand}"]').first
        link.focus()
        page.keyboard.press("Enter")
        asked(page, operand)
        expect(page.locator("#asked")).to_be_focused()
        way.append(operand)
    trail = page.get_by_role("navigation", name="The way here").locator("a.ask")
    assert trail.evaluate_all("links => links.map(a => a.dataset.ask)") == way[:-1]
    for child, parent in zip(way[:0:-1], way[-2::-1], strict=True):
        trail.last.focus()
        page.keyboard.press("Enter")
        asked(page, parent)
        assert page.evaluate("() => document.activeElement.dataset.ask") == child
    page.keyboard.press("Escape")
    expect(page.locator("#ask")).to_be_hidden()
    assert page.evaluate(FOCUS) == first
    assert page.url.endswith("/31")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(FOCUS) == "a[1][1]"
    page.keyboard.press("Escape")
    expect(page.get_by_role("group", name="Formula")).to_be_focused()


def test_the_numbers_of_the_diagram_and_the_tables_are_asked_by_keys_too(page: Page) -> None:
    page.goto(f"{LESSON}/31")
    for box, key in (
        (page.get_by_role("group", name="Diagram of the network"), "Enter"),
        (page.get_by_role("group", name="Weights and biases, hidden layer 2"), "Enter"),
    ):
        box.focus()
        page.keyboard.press(key)
        assert page.evaluate(FOCUS) == "dL/dw[2][1,1]"
        page.keyboard.press("Enter")
        asked(page, "dL/dw[2][1,1]")
        page.keyboard.press("Escape")
        assert page.evaluate(FOCUS) == "dL/dw[2][1,1]"
        page.keyboard.press("ArrowLeft")
        assert page.evaluate(FOCUS) != "dL/dw[2][1,1]"
        page.keyboard.press("Escape")
        expect(box).to_be_focused()
    wait_for_step(page, 31)


def test_the_way_to_a_number_is_lit_in_the_diagram_and_goes_again(page: Page) -> None:
    page.set_viewport_size(LAPTOP)
    page.goto(f"{LESSON}/31")
    used = page.locator("#step svg.net text.uses")
    before = used.evaluate_all("marks => marks.map(mark => mark.dataset.q)")
    page.locator(".formula .numbers [data-q='dL/dz[2][1]']").click()
    asked(page, "dL/dz[2][1]")
    now = used.evaluate_all("marks => marks.map(mark => mark.dataset.q)")
    assert {"w[3][1,1]", "dL/dz[3][1]", "dL/da[2][1]"} <= set(now)
    box = page.locator("#ask").bounding_box()
    picture = page.locator("#step figure.network").bounding_box()
    assert box
    assert picture
    assert box["x"] + box["width"] <= picture["x"] + 1, "the diagram stays in sight"
    page.get_by_role("button", name="Close").click()
    assert used.evaluate_all("marks => marks.map(mark => mark.dataset.q)") == before


def test_by_touch_a_sheet_comes_up_and_leads_to_the_step_that_made_a_number(
    new_context: Callable[..., BrowserContext],
) -> None:
    page = new_context(viewport=PHONE, has_touch=True, is_mobile=True).new_page()
    page.goto(f"{LESSON}/31")
    page.locator(".formula .numbers [data-q='dL/dz[2][1]']").tap()
    asked(page, "dL/dz[2][1]")
    box = page.locator("#ask").bounding_box()
    assert box
    assert box["y"] > PHONE["height"] / 5
    page.locator("#ask .formula .numbers [data-q='dL/da[2][1]']").tap()
    asked(page, "dL/da[2][1]")
    page.locator("#ask").get_by_role("link", name="step 21").first.tap()
    wait_for_step(page, 21)
    expect(page.locator("#ask")).to_be_hidden()


def test_of_two_questions_the_last_one_is_answered(page: Page) -> None:
    page.goto(f"{LESSON}/31")
    page.evaluate(
        """() => ['dL/dz[2][1]', 'a[1][1]'].forEach(name => document.querySelector(
            `.formula .numbers [data-q="${name}"]`).dispatchEvent(new MouseEvent('click', { bubbles: true })))"""
    )
    asked(page, "a[1][1]")
    page.wait_for_load_state("networkidle")
    asked(page, "a[1][1]")


def test_without_a_script_three_levels_deep_and_back(page_without_script: Page) -> None:
    page = page_without_script
    page.goto(f"{LESSON}/31?decimals=6")
    page.get_by_role("link", name="Ask about a number").click()
    for title in ("Gradient of the weight", "Error signal at unit 1", "Loss gradient at unit 1"):
        row = page.locator("tr", has_text=title).first
        row.locator("a.ask").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(title)
    assert "decimals=6" in page.url
    trail = page.get_by_role("navigation", name="The way here").get_by_role("link")
    assert trail.count() == 3
    trail.nth(1).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Gradient of the weight")
    page.get_by_role("link", name="Step 31", exact=True).click()
    expect(page).to_have_url(f"{page.url.split('/lessons')[0]}{LESSON}/31?decimals=6")


@pytest.mark.parametrize(("scheme", "size"), [("light", LAPTOP), ("dark", PHONE)])
def test_sheet_and_pages_have_no_barrier(
    new_context: Callable[..., BrowserContext], axe: Axe, scheme: str, size: ViewportSize
) -> None:
    page = new_context(color_scheme=scheme, viewport=size).new_page()
    page.goto(f"{LESSON}/31")
    page.locator(".formula .numbers [data-q='dL/dz[2][1]']").click()
    asked(page, "dL/dz[2][1]")
    assert axe(page).violations == []
    for name in ("quantities/dL/dw[2][1,1]", "quantities/w[2][1,1]", "quantities?name=w[9][1,1]"):
        page.goto(f"/lessons/1-2-3-1-sigmoid/{name}")
        assert axe(page).violations == []
        assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.parametrize("address", ["/lessons/neuron-error/steps/13", TYPED])
def test_a_formula_answers_by_keyboard_three_levels_deep_and_back(page: Page, address: str) -> None:
    page.set_viewport_size(LAPTOP)
    page.goto(address)
    used = page.locator("#step svg.net rect.uses")
    before = used.count()
    page.get_by_role("group", name="Diagram of the computation graph").focus()
    page.keyboard.press("Enter")
    assert page.evaluate(FOCUS) == "df/dw2"
    page.keyboard.press("Enter")
    asked(page, "df/dw2")
    assert used.count() > before
    way = ["df/dw2"]
    for operand in ("df/dn2", "df/dq", "n3"):
        link = page.locator(f'#ask a[data-ask="{operand}"]').first
        link.focus()
        page.keyboard.press("Enter")
        asked(page, operand)
        expect(page.locator("#asked")).to_be_focused()
        way.append(operand)
    trail = page.get_by_role("navigation", name="The way here").locator("a.ask")
    assert trail.evaluate_all("links => links.map(a => a.dataset.ask)") == way[:-1]
    page.keyboard.press("Escape")
    expect(page.locator("#ask")).to_be_hidden()
    assert page.evaluate(FOCUS) == "df/dw2"
    assert used.count() == before
    wait_for_step(page, 13)


def test_a_typed_formula_is_asked_and_changed_without_a_script(page_without_script: Page) -> None:
    page = page_without_script
    page.goto(TYPED)
    page.get_by_role("link", name="Ask about a number").click()
    for name in ("df/dw2", "df/dn2", "df/dq", "n3", "q", "n2", "w2"):
        page.locator(f'article.quantity a.ask[data-ask="{name}"]').first.click()
        expect(page.locator("article.quantity")).to_have_attribute("data-name", name)
    page.get_by_role("textbox", name="w2").fill("0.5")
    page.get_by_role("button", name="Change").click()
    expect(page.locator("article.quantity .answer strong")).to_have_text("0.5")
    assert "w2=0.5" in page.url
    page.get_by_role("link", name="Step 13", exact=True).click()
    wait_for_step(page, 13)


def test_a_typed_value_is_nudged_where_it_is_asked(page: Page) -> None:
    page.set_viewport_size(LAPTOP)
    page.goto("/formula/steps/4?expression=x*y&x=2&y=3")
    page.locator(".formula .numbers [data-q='x']").first.click()
    asked(page, "x")
    expect(page.get_by_role("heading", name="Nudge it")).to_be_visible()


@pytest.mark.parametrize("address", ["paths/w[1][1,1]?iteration=2", "paths/w[1][1,1]"])
def test_a_factor_in_the_formula_of_a_path_leads_to_its_page(page: Page, address: str) -> None:
    page.goto(f"/lessons/1-2-3-1-sigmoid/{address}")
    page.get_by_role("group", name="Product of path 2").locator('mn[data-q="w[3][1,2]"]').click()
    expect(page.locator("article.quantity")).to_have_attribute("data-name", "w[3][1,2]")
    assert page.url.endswith("iteration=2" if "iteration" in address else "%5D")
    page.go_back()
    page.get_by_role("group", name="Product of path 1").focus()
    page.keyboard.press("Enter")
    first = page.evaluate(FOCUS)
    page.keyboard.press("Enter")
    expect(page.locator("article.quantity")).to_have_attribute("data-name", first)


def test_an_answer_that_comes_after_the_reader_went_on_is_not_shown(page: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.goto(f"{LESSON}/7")
    page.route("**/quantities/**", hold)
    with page.expect_request("**/quantities/**"):
        page.locator(".numbers [data-q='a[1][1]']").click()
    page.locator("#title").click()
    for route in held:
        with suppress(PlaywrightError):  # it is not wanted any more
            route.continue_()
    page.wait_for_timeout(500)
    expect(page.locator("#ask")).to_be_hidden()
