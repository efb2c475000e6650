"""The equations of Jacobians on a phone: broken at their signs, faded where they go on."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

BEYOND = """() => [...document.querySelectorAll('.scroll.matrices')].map(
  box => [box.scrollWidth - box.clientWidth, getComputedStyle(box).getPropertyValue('--beyond') !== '0px'])"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lesson", ["3-2-3-softmax", "1-2-3-1-sigmoid"])
def test_an_equation_is_broken_and_what_goes_on_says_so(
    new_context: Callable[..., BrowserContext],
    axe: Callable[[Page], Any],
    lesson: str,
    scheme: str,
) -> None:
    viewport = {"width": 390, "height": 760}
    page = new_context(viewport=viewport, color_scheme=scheme).new_page()
    page.goto(f"/lessons/{lesson}/jacobians/2")
    boxes = page.evaluate(BEYOND)
    assert len(boxes) > 4
    for beyond, faded in boxes:
        assert beyond <= 100  # a single matrix, no longer a whole equation of them
        assert faded == (beyond > 0)
    assert any(beyond for beyond, _ in boxes)
    found = axe(page)
    assert found.violations == []
    assert [line for line in found.incomplete if "bgGradient" in line] == []
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
