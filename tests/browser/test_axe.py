"""The checker of the other tests finds one barrier of each sort, also where it is only in the dark
or only on a phone, and finds none on a sound page.
"""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.conftest import AXE_TAGS, COLOUR_RULES

SOUND = """<!doctype html><html lang="en"><head><title>A page</title>
<meta name="viewport" content="width=device-width"><style>
:root {{ --ink: #111111; --paper: #ffffff; --link: #0000ee; }}
@media (prefers-color-scheme: dark) {{ :root {{ --ink: #eeeeee; --paper: #111111; --link: #9cc8ff; }} }}
body {{ color: var(--ink); background: var(--paper); }} a {{ color: var(--link); }}
.cells a {{ display: inline-block; width: 30px; line-height: 30px; }}
{style}
</style></head><body><main><h1>A page</h1>
<p>Some words before <a href="#one">a link</a> and after it.</p>
<div class="cells"><a href="#one">1</a><a href="#two">2</a><a href="#three">3</a></div>
{body}
</main></body></html>"""
DARK = "@media (prefers-color-scheme: dark)"
PHONE = "@media (max-width: 400px)"
Axe = Callable[..., Any]


def open_page(
    new_context: Callable[..., BrowserContext], width: int, style: str, body: str
) -> Page:
    page = new_context(viewport={"width": width, "height": 2000}).new_page()
    page.set_content(SOUND.format(style=style, body=body))
    return page


@pytest.mark.parametrize("width", [1280, 320])
def test_a_sound_page_has_no_barrier(
    new_context: Callable[..., BrowserContext], axe: Axe, width: int
) -> None:
    found = axe(open_page(new_context, width, "", ""), dark=True)
    assert (found.violations, found.incomplete) == ([], [])


@pytest.mark.parametrize(
    ("style", "body", "rule"),
    [
        ("p { color: #999999; }", "", "color-contrast"),
        (f"{DARK} {{ p {{ color: #555555; }} }}", "", "in the dark: color-contrast"),
        (f"{DARK} {{ :root {{ --ink: #444444; }} }}", "", "in the dark: color-contrast"),
        ("a { text-decoration: none; color: #333333; }", "", "link-in-text-block"),
        (f"a {{ text-decoration: none; color: #c05000; }} {DARK} {{ a {{ color: #dddddd; }} }}", "", "in the dark: link-in-text-block"),
        (f"p {{ transition: color 0.5s; }} {DARK} {{ p {{ color: #555555; }} }}", "", "in the dark: color-contrast"),
        ("", "<input>", "label"),
        ("", "<h3>Third</h3>", "heading-order"),
        ("", "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>", "image-alt"),
        ("", "<div aria-hidden='true'><button>Go</button></div>", "aria-hidden-focus"),
    ],
)  # fmt: skip
def test_a_barrier_is_found(
    new_context: Callable[..., BrowserContext], axe: Axe, style: str, body: str, rule: str
) -> None:
    found = axe(open_page(new_context, 1280, style, body), dark=True)
    assert any(line.startswith(f"{rule}: ") for line in found.violations), found


@pytest.mark.parametrize(
    ("style", "body", "rule"),
    [
        ("{ .cells a { width: 12px; line-height: 12px; font-size: 8px; } }", "", "target-size"),
        ("{ .phone { display: block; } }", "<div class='phone' hidden><input></div>", "label"),
        ("{ p { color: #999999; } }", "", "color-contrast"),
    ],
)
@pytest.mark.parametrize("width", [1280, 320])
def test_a_barrier_on_the_phone_alone_is_found_there(
    new_context: Callable[..., BrowserContext], axe: Axe, style: str, body: str, rule: str, width: int
) -> None:  # fmt: skip
    found = axe(open_page(new_context, width, f"{PHONE} {style}", body), dark=True)
    assert any(line.startswith(f"{rule}: ") for line in found.violations) == (width == 320), found


def test_no_other_rule_of_the_checker_looks_at_colours(
    new_context: Callable[..., BrowserContext], axe: Axe
) -> None:
    page = open_page(new_context, 1280, "", "")
    axe(page)
    rules = """tags => axe.run({runOnly: {type: 'tag', values: tags}}).then(found =>
        [...found.passes, ...found.violations, ...found.incomplete, ...found.inapplicable])"""
    ran = page.evaluate(rules, AXE_TAGS)
    assert sorted(rule["id"] for rule in ran if "cat.color" in rule["tags"]) == COLOUR_RULES
    assert [rule["id"] for rule in ran if "experimental" in rule["tags"]] == []
    assert len(ran) > 80
