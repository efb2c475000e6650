"""Every kind of export has a name, a type and headers of its own, on the page and as a download."""

from __future__ import annotations

import re

import pytest

from tests.visiting import NAMES, get, page, scenario
from tutor.errors import LessonError
from tutor.export import KINDS, Order, make, versioned
from tutor.lesson import open_lesson
from tutor.view import View

DECK = "/lessons/1-2-3-1-sigmoid/export"


@pytest.mark.parametrize("key", KINDS)
def test_a_download_is_a_file_with_a_speaking_name_and_the_headers_of_every_answer(key: str) -> None:
    answer = get(f"{DECK}/{key}")
    assert answer.status_code == 200
    assert re.fullmatch(r'attachment; filename="1-2-3-1-sigmoid-[a-z.]+"', answer.headers["Content-Disposition"])
    assert answer.headers["Content-Type"] == KINDS[key].media
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.text


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("key", KINDS)
def test_names_of_files_are_safe(name: str, key: str) -> None:
    order = Order(seed=2**32 - 1, version=100) if name == "1-2-3-1-sigmoid" else Order()
    made = make(versioned(open_lesson(scenario(name)), View(), order), key, View(), order)
    assert re.fullmatch(r"[a-z0-9-]+\.(html|py|ipynb|json|csv|tex)", made.name)


@pytest.mark.parametrize("address", ["worksheet?blanks=some", "key?blanks=every:0", "pdf", "%3Cb%3E"])
def test_what_cannot_be_made_is_a_page_that_says_why(address: str) -> None:
    answer = get(f"{DECK}/{address}")
    assert answer.status_code == 404
    assert "blanks are all" in answer.text or "no export is called" in answer.text
    assert "<b>" not in answer.text.partition("no export is called")[2][:20]


def test_an_unknown_kind_is_an_error_of_the_lesson() -> None:
    with pytest.raises(LessonError, match="no export is called"):
        make(versioned(scenario("linear-sigmoid"), View(), Order()), "pdf", View(), Order())


@pytest.mark.parametrize("key", KINDS)
def test_the_export_page_offers_every_kind(key: str) -> None:
    shown = page(f"{DECK}?kind={key}&seed=7&version=2&blanks=every:3&phases=forward&phases=loss&grain=layer")
    assert shown.problems == []
    assert shown.root.one("a", cls="button").attributes["href"].startswith(f"{DECK}/{key}?")
    assert [a.named for a in shown.root.one("ul", cls="kinds").all("a") if "aria-current" in a.attributes] == [KINDS[key].title]
    values = {e.attributes["name"]: e.attributes.get("value") for e in shown.root.all("input") if e.attributes.get("name") != "phases"}
    assert (values["seed"], values["version"]) == ("7", "2")
    assert bool(list(shown.root.all("pre"))) == (not KINDS[key].media.startswith("text/html"))


@pytest.mark.parametrize("query", ["kind=pdf", "seed=x", "seed=-1", "seed=²", "version=0", "version=101", "phases=sideways", "grain=atom"])
def test_nonsense_is_noticed_and_ignored(query: str) -> None:
    assert list(page(f"{DECK}?{query}").root.all("p", cls="notice"))
