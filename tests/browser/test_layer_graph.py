"""The computation graph of a network in the browser: layers opened by keys, in light and dark, on a
desk and on the smallest phone.
"""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.reading import tab_to

ADDRESS = "/lessons/1-2-3-1-sigmoid/graph"
TOO_WIDE = "() => document.documentElement.scrollWidth - window.innerWidth"


def test_a_layer_is_opened_and_closed_by_keys(page: Page) -> None:
    page.goto("/lessons/1-2-3-1-sigmoid")
    tab_to(page, "Computation graph")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Computation graph")
    nodes = page.get_by_role("table", name="The nodes").get_by_role("row")
    expect(nodes).to_have_count(16)
    tab_to(page, "Open hidden layer 2")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{ADDRESS}?open=2#layers")
    expect(nodes).to_have_count(27)
    tab_to(page, "Close hidden layer 2")
    page.keyboard.press("Enter")
    expect(nodes).to_have_count(16)


def test_a_node_in_the_picture_leads_to_its_page_and_a_layer_to_its_step(page: Page) -> None:
    page.goto(f"{ADDRESS}?open=2")
    page.locator(
        "svg.layers a[href*='quantities/z%5B2%5D%5B1%5D'], svg.layers a[href*='quantities/z[2][1]']"
    ).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Pre-activation of unit 1")
    page.get_by_role("link", name="Its place in the computation graph").click()
    expect(page.get_by_role("link", name="Close hidden layer 2")).to_be_visible()
    page.locator("svg.layers a[aria-label='Pre-activations of hidden layer 1']").click()
    expect(page).to_have_url("/lessons/1-2-3-1-sigmoid/steps/1?grain=layer")


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("address", [
    f"{ADDRESS}?open=1,2,3", "/lessons/3-2-3-softmax/graph?open=2", "/lessons/deep-residual/graph",
    "/lessons/lifestyle-dropout/graph?scaling=steps&open=1",
])  # fmt: skip
def test_the_graph_has_no_barrier_and_scrolls_in_its_frame(
    new_context: Callable[..., BrowserContext],
    axe: Callable[..., Any],
    address: str,
    width: int,
) -> None:
    viewport = {"width": width, "height": 900}
    page = new_context(viewport=viewport).new_page()
    page.goto(address)
    assert axe(page, dark=True).violations == []
    assert page.evaluate(TOO_WIDE) <= 0
