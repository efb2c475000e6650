"""Every kind of export has a name, a type and headers of its own, on the page and as a download."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest

from tests.htmltree import read
from tests.visiting import NAMES, get, page, scenario
from tutor.errors import LessonError
from tutor.export.registry import KINDS, ExportOrder, make
from tutor.lesson.walk import open_lesson
from tutor.pages.view import View

DECK = "/lessons/1-2-3-1-sigmoid/export"


@pytest.mark.parametrize("key", KINDS)
def test_a_download_is_a_file_with_a_speaking_name_and_the_headers_of_every_answer(
    key: str,
) -> None:
    answer = get(f"{DECK}/{key}")
    assert answer.status_code == 200
    # a class set always has versions of a seed
    name = "class-set-s1-v1-4.html" if key == "class-set" else "[a-z.]+"
    assert re.fullmatch(
        rf'attachment; filename="1-2-3-1-sigmoid-{name}"', answer.headers["Content-Disposition"]
    )
    assert answer.headers["Content-Type"] == KINDS[key].media
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.text


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("key", KINDS)
def test_names_of_files_are_safe(name: str, key: str) -> None:
    order = ExportOrder(seed=2**32 - 1, version=100) if name == "1-2-3-1-sigmoid" else ExportOrder()
    made = make(open_lesson(scenario(name)), key, View(), order)
    assert re.fullmatch(r"[a-z0-9-]+\.(html|py|ipynb|json|csv|tex)", made.name)


@pytest.mark.parametrize(
    "address", ["worksheet?blanks=some", "key?blanks=every:0", "pdf", "%3Cb%3E"]
)
def test_what_cannot_be_made_is_a_page_that_says_why(address: str) -> None:
    answer = get(f"{DECK}/{address}")
    assert answer.status_code == (400 if "blanks" in address else 404)
    assert "blanks can be all" in answer.text or "there is no export called" in answer.text
    assert "<b>" not in answer.text.partition("there is no export called")[2][:20]


def test_an_unknown_kind_is_an_error_of_the_lesson() -> None:
    with pytest.raises(LessonError, match="there is no export called"):
        make(open_lesson(scenario("linear-sigmoid")), "pdf", View(), ExportOrder())


@pytest.mark.parametrize("key", KINDS)
def test_the_export_page_offers_every_kind(key: str) -> None:
    shown = page(
        f"{DECK}?kind={key}&seed=7&version=2&blanks=every:3&phases=forward&phases=loss&grain=layer"
    )
    assert shown.problems == []
    assert [b.named for b in shown.root.one("form").all("button")] == ["Show", "Download"]
    assert [
        a.named
        for a in shown.root.one("ul", cls="kinds").all("a")
        if "aria-current" in a.attributes
    ] == [KINDS[key].title]
    values = {
        e.attributes["name"]: e.attributes.get("value")
        for e in shown.root.all("input")
        if e.attributes.get("name") != "phases"
    }
    assert (values["seed"], values.get("version", "2")) == ("7", "2")
    assert ("version" in values) == (key != "class-set")
    assert bool(list(shown.root.all("pre"))) == (not KINDS[key].media.startswith("text/html"))


@pytest.mark.parametrize(
    "query",
    [
        "kind=pdf",
        "seed=x",
        "seed=-1",
        "seed=²",
        "version=0",
        "version=101",
        "phases=sideways",
        "grain=atom",
    ],
)
def test_nonsense_is_noticed_and_ignored(query: str) -> None:
    assert list(page(f"{DECK}?{query}").root.all("p", cls="notice"))


# ---- the form: its Download takes what stands in its fields ----


def form(address: str) -> dict[str, str]:
    """What a browser sends of the form where nothing is changed."""
    shown = page(address).root.one("form", id="choices")
    typed = [
        f.attributes
        for f in shown.all("input")
        if "name" in f.attributes and f.attributes.get("type") != "checkbox"
    ]
    chosen = [
        (choice, option)
        for choice in shown.all("select")
        for option in choice.all("option")
        if "selected" in option.attributes
    ]
    return {f["name"]: f["value"] for f in typed} | {
        choice.attributes["name"]: option.attributes["value"] for choice, option in chosen
    }


@pytest.mark.parametrize("key", KINDS)
def test_download_sends_the_form_and_leads_to_the_shortest_address_of_the_file(key: str) -> None:
    typed, version = (
        form(f"{DECK}?kind={key}") | {"do": "download"},
        "" if key == "class-set" else "&version=1",
    )
    answer = get(f"{DECK}?{urlencode(typed)}")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{DECK}/{key}")
    answer = get(f"{DECK}?{urlencode({**typed, 'seed': '7', 'grain': 'layer', 'decimals': '6'})}")
    assert (answer.status_code, answer.headers["Location"]) == (
        302,
        f"{DECK}/{key}?grain=layer&decimals=6&seed=7{version}",
    )
    assert get(answer.headers["Location"]).headers["Content-Disposition"].startswith("attachment")


BAD = [
    ({"seed": "x"}, "seed"),
    ({"seed": "-3"}, "seed"),
    ({"seed": "1", "version": "0"}, "version"),
    ({"version": "2"}, "seed"),
]


@pytest.mark.parametrize(("typed", "field"), BAD)
@pytest.mark.parametrize("key", ["worksheet", "numpy"])
def test_what_does_not_fit_comes_back_beside_its_field_as_it_was_typed(
    key: str, typed: dict[str, str], field: str
) -> None:
    sent = {**form(f"{DECK}?kind={key}"), **typed, "do": "download"}
    answer = get(f"{DECK}?{urlencode(sent)}")
    assert answer.status_code == 422
    shown = read(answer.text)
    assert shown.problems == []
    inputs = {
        f.attributes["name"]: f.attributes
        for f in shown.root.one("form").all("input")
        if "id" in f.attributes
    }
    assert {name: inputs[name]["value"] for name in typed} == typed
    assert [name for name in inputs if inputs[name].get("aria-invalid")] == [field]
    assert shown.root.one("p", id=inputs[field]["aria-describedby"]).text.startswith(
        (f"{field} “", "version 2 has new numbers")
    )
    assert "There is no file yet" in shown.root.one("p", cls="notice").text
    assert not list(shown.root.all("pre"))


@pytest.mark.parametrize(
    "query", ["grain=atom", "blanks=some", "kind=pdf", "iteration=x", "sedd=3", "phases=sideways"]
)
def test_what_no_field_can_say_stands_above_and_no_file_is_made(query: str) -> None:
    answer = get(f"{DECK}?do=download&{query}")
    assert answer.status_code == 422
    first, *others = [notice.text for notice in read(answer.text).root.all("p", cls="notice")]
    assert "There is no file yet" in first
    assert len(others) == 1
    assert "ignored" not in others[0]


def test_a_file_that_cannot_be_made_is_said_in_the_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tutor.export.worked.MOST_STEPS", 20)
    answer = get(f"{DECK}?kind=html&do=download&grain=number")
    assert answer.status_code == 422
    assert "a file has at most 20" in read(answer.text).root.one("form").one("p", cls="stop").text
    assert get(f"{DECK}?kind=html&do=download&grain=pass").status_code == 302


def test_the_preview_shows_the_numbers_of_the_seed() -> None:
    texts = {
        page(f"{DECK}?kind=json{seed}").root.one("pre").text
        for seed in ("", "&seed=7", "&seed=7&version=2", "&seed=8")
    }
    assert len(texts) == 4


# ---- a file is what was asked for, or none ----

NONSENSE = [
    "seed=-3", "seed=x", "seed=²", "seed=4294967296", "seed=1&version=0", "seed=1&version=101", "version=2", "grain=atom", "grain=Layer",
    "decimals=13", "decimals=-1", "decimals=1.5", "notation=runes", "notation=Letters", "iteration=0", "iteration=10001", "present=maybe",
    "phases=sideways", "phases=forward&phases=back", "phases=", "blanks=some", "blanks=every:0", "blanks=every:x", "sedd=3",
    "seed=1&seed=2", "grain=layer&grain=pass", "w[9][1,1]=1", "w[1][1,1]=x", "loss=hinge", "learning_rate=0", "lr=1", "kind=pdf",
    "kind=csv", "x[1]=1&x[1]=2",
]  # fmt: skip


@pytest.mark.parametrize("query", NONSENSE)
def test_nonsense_in_the_address_of_a_file_is_said_and_no_file_is_made(query: str) -> None:
    answer = get(f"{DECK}/worksheet?{query}")
    assert (answer.status_code, answer.mimetype) == (400, "text/html")
    assert "Content-Disposition" not in answer.headers
    shown = read(answer.text)
    assert shown.problems == []
    article = shown.root.one("article", cls="error")
    assert "The file was not made" in article.text
    assert len([item for item in article.all("li") if item.text]) == 1
    assert "ignored" not in article.text
    assert "keeps its own" not in article.text


@pytest.mark.parametrize("key", KINDS)
def test_every_kind_of_file_is_refused_with_all_that_is_wrong(key: str) -> None:
    answer = get(
        f"{DECK}/{key}?grain=atom&decimals=x&seed=-3&version=0&phases=sideways&blanks=some&lr=0.1&w[9][1,1]=1"
    )
    assert answer.status_code == 400
    said = [item.text for item in read(answer.text).root.one("article", cls="error").all("li")]
    assert len(said) == 8
    for part in (
        "grain “atom”",
        "decimals “x”",
        "seed “-3”",
        "version “0”",
        "phases “sideways”",
        "blanks can be",
        "learning_rate?",
        "w[9]",
    ):
        assert any(part in line for line in said), part


def test_the_file_of_a_lesson_is_refused_too() -> None:
    answer = get("/lessons/1-2-3-1-sigmoid/scenario.yaml?w[1][1,1]=x&lr=0.3")
    assert answer.status_code == 400
    assert "w[1][1,1]" in answer.text
    assert "Did you mean learning_rate?" in answer.text
    assert (
        get("/lessons/1-2-3-1-sigmoid/scenario.yaml?w[1][1,1]=1/3&grain=layer").status_code == 200
    )


@pytest.mark.parametrize("query", [
    "", "kind=worksheet&seed=&version=1&blanks=all&grain=number&notation=brackets&decimals=4&phases=forward&phases=loss",
    "present=yes", "present=no", "seed=%207%20&version=2", "blanks=every:1", "phases=loss&phases=loss", "w[1][1,1]=0,5&loss=squared_error",
])  # fmt: skip
def test_what_the_form_sends_is_a_file(query: str) -> None:
    assert get(f"{DECK}/worksheet?{query}").status_code == 200


@pytest.mark.parametrize(
    "address", ["steps", "steps/40/change", "steps/46/chain", "slides", "share", ""]
)
def test_every_page_says_what_it_ignores(address: str) -> None:
    base = f"/lessons/1-2-3-1-sigmoid/{address}".rstrip("/")
    answer = get(f"{base}?grain=number&lr=0.3&decimals=x")
    if answer.status_code == 302:
        answer = get(answer.headers["Location"])
    notices = [notice.text for notice in read(answer.text).root.all("p", cls="notice")]
    assert any("Did you mean learning_rate?" in notice for notice in notices)
    assert any("decimals “x”" in notice for notice in notices)


@pytest.mark.parametrize("address", ["/build", "/open"])
def test_a_copy_says_what_it_ignores(address: str) -> None:
    answer = get(f"{address}?from=1-2-3-1-sigmoid&w[1][1,1]=x&lr=0.3")
    assert answer.status_code == 200
    assert "“w[1][1,1]” is not changed" in answer.text
    assert "Did you mean learning_rate?" in answer.text


def test_a_frame_says_what_it_ignores() -> None:
    answer = get("/embed/lessons/1-2-3-1-sigmoid?lr=0.3")
    assert "Did you mean learning_rate?" in get(answer.headers["Location"]).text
