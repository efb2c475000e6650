"""Fill in the form of the builder as a browser would: its fields are read from the page that was
rendered.

    fields(page)             every field with what stands in it, as a browser would send them
    sent(fields, do, …)      the answer to the form
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from werkzeug.datastructures import MultiDict

from tests.htmltree import Element, Page, read
from tests.visiting import tutor

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse


def form_of(page: Page) -> Element:
    """The builder's form."""
    return page.root.one("form", id="build")


def fields(page: Page) -> MultiDict[str, str]:
    """What a browser sends when a button of this page is pressed, but for the button."""
    found: MultiDict[str, str] = MultiDict()
    for element in form_of(page).all("input", "select", "textarea"):
        name = element.attributes["name"]
        if element.tag == "select":
            chosen = [
                o for o in element.elements if "selected" in o.attributes
            ] or element.elements[:1]
            found.add(name, chosen[0].attributes["value"])
        elif element.tag == "textarea":
            found.add(name, element.text.removeprefix("\n").replace("\n", "\r\n"))
        elif element.attributes.get("type") != "checkbox" or "checked" in element.attributes:
            found.add(name, element.attributes["value"])
    return found


def opened(address: str = "/build", app: Flask | None = None) -> MultiDict[str, str]:
    """The fields of a page of the builder."""
    answer = (app or tutor()).test_client().get(address)
    assert answer.status_code == 200, answer.status
    return fields(sound(answer))


def sent(
    form: Mapping[str, object], do: str = "check", app: Flask | None = None, headers: Mapping[str, str] | None = None
) -> TestResponse:  # fmt: skip
    """The answer to a form."""
    data = MultiDict(form)
    data["do"] = do
    return (
        (app or tutor())
        .test_client()
        .post("/build", data=data, headers=dict(headers or {}), buffered=True)
    )


def sound(answer: TestResponse) -> Page:
    """The page of an answer, with nothing wrong in its markup."""
    page = read(answer.text)
    assert not page.problems, page.problems[:5]
    return page


def problems(page: Page) -> dict[str, str]:
    """What the page says of each field."""
    return {
        p.attributes["id"].removeprefix("problem-"): p.text
        for p in page.root.all("p", cls="problem")
    }
