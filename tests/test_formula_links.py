"""Every link and form of every page of a formula in the address keeps the formula and how one looks
at it, as far as the page that it leads to can; and what is typed anew is looked at as before.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import SplitResult, parse_qsl, urlencode, urljoin, urlsplit

import pytest

from tests.htmltree import Element
from tests.visiting import get, sound

FORMULA = {"expression": "sum(A@x)*s", "differentiate": "x, s", "A": "[[1, 2], [3, 4]]",
           "x": "[1, -1]", "s": "2"}  # fmt: skip
EXACT = ("/accumulation", "/check", "/export")
"""Pages of numbers at full precision, never as on paper."""
FILE = "/formula/scenario.yaml"
PAGES = [
    "/formula", "/formula/steps/2", "/formula/steps/5", "/formula/quantities",
    "/formula/quantities/x[1]", "/formula/check", "/formula/jacobians/n1", "/formula/accumulation",
    "/formula/paper", "/formula/share", "/formula/export", "/embed/formula/steps/2",
]  # fmt: skip


def fields(form: Element) -> dict[str, str]:
    """What a form sends that is sent as it is, of what stands in an address."""
    found = {
        field.attributes["name"] or "": field.attributes.get("value") or ""
        for field in form.all("input")
        if field.attributes.get("type") == "hidden"
    }
    for select in form.all("select"):
        for option in select.all("option"):
            if "selected" in option.attributes:
                found[select.attributes["name"] or ""] = option.attributes["value"] or ""
    return found


def led_to(root: Element, address: str) -> Iterator[SplitResult]:
    """Where the links of a page lead, and its forms, as far as they keep the formula at all."""
    for link in root.all("a"):
        found = urlsplit(urljoin(address, link.attributes.get("href") or ""))
        if "expression=" in found.query or ("/formula/" in found.path and not found.fragment):
            yield found
    for form in root.all("form"):
        sent = fields(form)
        if form.attributes.get("method", "get") == "get" and "expression" in sent:
            yield urlsplit(f"{form.attributes.get('action') or address}?{urlencode(sent)}")


@pytest.mark.parametrize("address", PAGES)
def test_every_link_keeps_the_formula_and_the_choices(address: str) -> None:
    chosen = {"notation": "bar", "decimals": "6"} | (
        {} if address.endswith(EXACT) else {"paper": "3"}
    )
    links = set(led_to(sound(f"{address}?{urlencode(FORMULA | chosen)}").root, address))
    assert links
    for link in links:
        known = dict(parse_qsl(link.query))
        wanted = {**FORMULA} | ({} if link.path == FILE else chosen)
        if link.path.endswith(EXACT) or "/export/" in link.path:
            wanted.pop("paper", "")
        elif address == "/formula/paper" and "paper" in known:  # it leads to other decimals
            wanted |= {"paper": known["paper"]}
        assert wanted.items() <= known.items(), link
        assert get(f"{link.path}?{link.query}").status_code in {200, 302}, link


def retyped(text: str, **chosen: str) -> dict[str, str]:
    """The query of the address that a formula has which was typed in place of another."""
    answer = get(f"/formula?{urlencode({**chosen, 'text': text})}")
    assert answer.status_code == 303
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def test_what_is_typed_anew_is_looked_at_as_before() -> None:
    chosen = {
        "paper": "3", "decimals": "6", "grain": "layer", "present": "yes", "notation": "partial",
    }  # fmt: skip
    root = sound(f"/formula?{urlencode({'expression': 'x*y', 'x': '2', 'y': '3'} | chosen)}").root
    hidden = fields(next(iter(root.all("form"))))
    assert hidden == chosen
    assert retyped("f = x + y\nx = 2\ny = 3", **hidden) == {
        "expression": "x + y", "x": "2", "y": "3", **chosen,
    }  # fmt: skip
    wrong = get(f"/formula?{urlencode({**chosen, 'text': 'f = x +'})}")
    assert wrong.status_code == 422
    for name, text in chosen.items():
        assert f'<input type="hidden" name="{name}" value="{text}">' in wrong.text


def test_with_respect_to_what_is_a_line_that_stays() -> None:
    query = urlencode({"expression": "x*y", "differentiate": "x", "x": "2", "y": "3"})
    text = sound(f"/formula?{query}").root.one("textarea", id="text").text
    assert text.splitlines() == ["f = x*y", "differentiate = x", "x = 2", "y = 3"]
    assert retyped(text) == dict(parse_qsl(query))
    wrong = get("/formula?" + urlencode({"text": text.replace("= x\n", "= z\n")}))
    assert wrong.status_code == 422
    assert "<b>differentiate</b>: " in wrong.text


def test_what_is_a_value_of_the_new_formula_is_no_choice_any_more() -> None:
    assert retyped("f = x*paper\nx = 2\npaper = 3", paper="4", decimals="6") == {
        "expression": "x*paper", "x": "2", "paper": "3", "decimals": "6",
    }  # fmt: skip


def test_what_the_new_formula_cannot_have_is_said() -> None:
    query = retyped("f = x*2\nx = 2", paper="99")
    assert "paper" in query
    assert "paper" in sound(f"/formula?{urlencode(query)}").root.one("p", cls="notice").text
