"""Ask any number: its page says what its step says, leads on to every operand, and tells nothing that
is still ahead.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.htmltree import Element, read
from tests.visiting import NAMES, context, deep_network, fragment, get, page, tutor
from tutor import number
from tutor.engine import users
from tutor.engine.derivation import Derivation, derive
from tutor.engine.kinds import KINDS
from tutor.engine.quantity import Quantity, parse
from tutor.engine.trace import Trace
from tutor.engine.users import operands_of
from tutor.lesson.walk import open_lesson
from tutor.pages.view import View

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

ONE = "1-2-3-1-sigmoid"


def post(address: str, form: dict[str, str]) -> TestResponse:
    """The answer to a form."""
    return tutor().test_client().post(address, data=form)


def asked(name: str, q: str, query: str = "") -> Element:
    """The article of a number."""
    address = f"/lessons/{name}/quantities/{quote(q)}{query}"
    return page(address).root.one("article", cls="quantity")


def table(article: Element, caption: str) -> list[Element]:
    """The rows of a table, or none where the article has no such table."""
    for found in article.all("table"):
        if found.one("caption").text == caption:
            return list(found.one("tbody").all("tr"))
    return []


@pytest.mark.parametrize("name", NAMES)
def test_every_number_of_a_walk_answers_with_the_engines_number_and_its_operands(name: str) -> None:
    opened = context(name)
    for n in range(1, len(opened.walk) + 1, 7):
        q = opened.walk.anchor(n)
        if opened.fact(q)[1] is None:
            continue
        article = asked(name, str(q), f"?step={n}")
        value = number.shown(opened.trace.value(q), opened.decimals)
        assert article.one("p", cls="answer").one("strong").text == value
        rows = table(article, "Computed from")
        names = [row.one("a", cls="ask").attributes["data-ask"] for row in rows]
        assert names == list(map(str, operands_of(opened.trace, q)))[:12]
        for row, operand in zip(rows, map(parse, names), strict=True):
            shown = number.shown(opened.trace.value(operand), opened.decimals)
            assert next(iter(row.all("td"))).text == shown
            made = opened.walk.place(operand)
            assert made < n
            assert row.text.endswith(f"step {made}" if made else "given")


def test_from_a_gradient_one_comes_down_to_what_is_given() -> None:
    address, way = f"/lessons/{ONE}/quantities/dL/dw[1][1,1]?step=79", []
    for _ in range(40):
        article = page(address).root.one("article", cls="quantity")
        way.append(article.attributes["data-name"])
        rows = table(article, "Computed from")
        if not rows:
            break
        address = rows[0].one("a", cls="ask").attributes["href"] or ""
    assert way[:3] == ["dL/dw[1][1,1]", "dL/dz[1][1]", "dL/da[1][1]"]
    assert parse(way[-1]).given
    trail = [link.attributes["data-ask"] for link in article.one("nav").all("a", cls="ask")]
    assert trail == way[:-1][-12:]


def test_a_number_that_was_asked_before_takes_its_old_place_on_the_way() -> None:
    article = asked(ONE, "z[3][1]", "?step=20&via=loss+a[3][1]+z[3][1]+a[2][1]")
    trail = [link.attributes["data-ask"] for link in article.one("nav").all("a", cls="ask")]
    assert trail == ["loss", "a[3][1]"]


def test_the_later_numbers_are_links_without_values() -> None:
    rows = table(asked(ONE, "w[2][1,1]", "?step=4"), "Used later by")
    users = [row.one("a", cls="ask").attributes["data-ask"] for row in rows]
    assert users == ["z[2][1]", "dL/da[1][1]", "w+[2][1,1]"]
    links = [link.attributes["href"] for row in rows for link in row.all("a") if not link.classes]
    walk = context(ONE).walk
    assert links == [f"/lessons/{ONE}/steps/{walk.step_of(parse(name))}" for name in users]
    assert not any(re.search(r"\d\.\d", row.text) for row in rows)


def test_asked_from_a_step_a_later_number_says_where_it_is_made_and_no_more() -> None:
    trace = context(ONE).trace
    for name in ("loss", "dL/dw[2][1,1]", "w+[1][1,1]"):
        q = parse(name)
        text = fragment(f"/lessons/{ONE}/quantities/{quote(name)}?step=3").text
        made = context(ONE).walk.step_of(q)
        assert "Not computed yet at step 3" in text
        assert f"/lessons/{ONE}/steps/{made}" in text
        assert number.shown(trace.value(q), 4) not in text
        assert 'class="formula"' not in text


def test_what_a_reader_chose_goes_along() -> None:
    query = "?notation=parentheses&decimals=7&iteration=2&x[1]=3"
    article = asked(ONE, "dL/dw[2][1,1]", f"{query}&step=31")
    view = View(notation="parentheses", decimals=7, iteration=2, changes=(("x[1]", "3"),))
    opened = context(ONE, view)
    value = number.shown(opened.trace.value(parse("dL/dw[2][1,1]")), 7)
    assert article.one("p", cls="answer").one("strong").text == value
    links = [a.attributes["href"] or "" for a in article.all("a", cls="ask")]
    assert all(
        "decimals=7" in link and "iteration=2" in link and "x[1]=3" in link for link in links
    )
    given = table(asked(ONE, "z[1][1]", query), "Computed from")
    assert [row.text.endswith("after iteration 1") for row in given] == [
        KINDS[parse(row.one("a", cls="ask").attributes["data-ask"] or "").kind].parameter
        for row in given
    ]


def elsewhere(article: Element) -> dict[str, str]:
    """The other pages about a number."""
    links = list(article.all("p", cls="source"))[-1].all("a")
    return {link.text: link.attributes["href"] or "" for link in links}


def test_a_gradient_leads_to_its_paths_and_to_its_nudge_once_it_is_computed() -> None:
    place = f"/lessons/{ONE}"
    of = elsewhere(asked(ONE, "dL/dw[1][1,1]", "?decimals=6"))
    assert of["All its paths to the loss"] == f"{place}/paths/dL/dw[1][1,1]?decimals=6"
    nudge = of["Measure it by nudging w[1][1,1]"]
    assert nudge == f"{place}/quantities/{quote('w[1][1,1]')}?decimals=6#nudge"
    assert page(nudge.partition("#")[0]).root.one("section", cls="nudge").one("h2").text == (
        "Nudge it"
    )
    assert page(of["All its paths to the loss"])
    of_input = elsewhere(asked(ONE, "dL/da[0][1]"))
    assert "Measure it by nudging x[1]" in of_input
    in_between = elsewhere(asked(ONE, "dL/da[1][1]"))
    assert list(in_between)[1:] == [
        "Its place in the computation graph",
        "All its paths to the loss",
    ]
    early = elsewhere(asked(ONE, "w[1][1,1]", "?step=3"))
    assert list(early) == ["Other numbers of step 3", "Its place in the computation graph"]
    on_paper = elsewhere(asked(ONE, "dL/dw[1][1,1]", "?paper=3"))
    assert not any("nudging" in text for text in on_paper)


@pytest.mark.parametrize("name", NAMES)
def test_every_other_page_about_a_number_is_there(name: str) -> None:
    walk = context(name).lesson.walk("number")
    first = {walk.anchor(n).kind: walk.anchor(n) for n in range(len(walk), 0, -1)}
    names = [*map(str, first.values()), "w[1][1,1]", "x[1]", "x[1]@1"]
    there = [q for q in names if get(f"/lessons/{name}/quantities/{quote(q)}").status_code == 200]
    assert "w[1][1,1]" in there
    found = {href for q in there for href in elsewhere(asked(name, q)).values()}
    assert found
    for href in sorted(found):
        assert get(href.partition("#")[0]).status_code == 200, href


def test_page_and_panel_are_the_same_but_for_their_headings() -> None:
    address = f"/lessons/{ONE}/quantities/z[2][1]?step=9"
    alone, beside = page(address).root, read(fragment(address).text).root
    assert alone.one("article").one("h1").text == beside.one("article").one("h2").text
    assert not list(beside.all("h1"))
    assert len(fragment(address).text.encode()) < 15 * 1024
    words = [
        re.sub(r"\s+", " ", root.one("article", cls="quantity").text) for root in (alone, beside)
    ]
    assert words[0] == words[1]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("w[9][1,7]", ["w[3][1,3]", "w[2][1,2]", "w[1][1,1]"]),
        ("dL/dw[2][9,9]", ["dL/dw[2][3,2]", "dL/dw[1][2,1]", "dL/dw[3][1,3]"]),
        ("z[1][1]@4", ["z[1][1]", "z[2][1]", "z[3][1]"]),
        ("nonsense", []),
    ],
)
def test_an_unknown_number_is_refused_with_the_nearest(name: str, near: list[str]) -> None:
    answer = get(f"/lessons/{ONE}/quantities/{quote(name)}")
    assert answer.status_code == 404
    links = [
        a for a in read(answer.text).root.one("article", cls="error").all("a")
        if "/quantities/" in (a.attributes["href"] or "")
    ]  # fmt: skip
    assert [link.text for link in links] == near
    for link in links:
        assert get(link.attributes["href"] or "").status_code == 200


def test_what_a_lesson_does_not_compute_has_no_page() -> None:
    for name in ("dL/dw[1][1,1]", "da/dz[1][1]", "w+[1][1,1]"):
        assert get(f"/lessons/perceptron-step/quantities/{quote(name)}").status_code == 404


@given(st.text(st.characters(codec="utf-8", exclude_characters="/?#"), min_size=1, max_size=24))
@settings(max_examples=60)
def test_any_name_gets_an_answer(name: str) -> None:
    assert get(f"/lessons/{ONE}/quantities/{quote(name)}").status_code in {200, 404, 308}


def test_nonsense_behind_the_name_is_told() -> None:
    root = page(f"/lessons/{ONE}/quantities/loss?step=400&via=loss+zzz&colour=red").root
    notices = " ".join(notice.text for notice in root.all("p", cls="notice"))
    for word in ("step", "zzz", "colour"):
        assert word in notices


def test_the_list_of_a_step_has_what_it_makes_and_uses() -> None:
    opened = context(ONE)
    rows = page(f"/lessons/{ONE}/quantities?step=31").root.one("tbody").all("tr")
    names = [row.one("a", cls="ask").attributes["data-ask"] for row in rows]
    q = opened.walk.anchor(31)
    assert names == [str(q), *map(str, operands_of(opened.trace, q))]
    by_layer = page(f"/lessons/{ONE}/quantities?step=1&grain=layer").root.one("tbody").all("tr")
    assert {"z[1][1]", "z[1][2]", "x[1]"} <= {
        row.one("a", cls="ask").attributes["data-ask"] for row in by_layer
    }


def test_a_name_that_is_typed_leads_to_its_page_or_to_the_nearest() -> None:
    answer = get(f"/lessons/{ONE}/quantities?name=dL/dw[2][1,1]&step=40")
    assert answer.status_code == 302
    assert urlsplit(answer.headers["Location"]).query == "step=40"
    assert get(answer.headers["Location"]).status_code == 200
    refused = get(f"/lessons/{ONE}/quantities?name=w[2][1,7]")
    assert refused.status_code == 404
    problem = read(refused.text).root.one("p", cls="problem")
    assert [link.text for link in problem.all("a")] == ["w[2][1,2]", "w[1][1,1]", "w[3][1,3]"]


def test_a_given_number_is_changed_on_its_own_page() -> None:
    article = asked(ONE, "w[2][1,1]")
    form = article.one("form", cls="change-one")
    assert form.one("input").attributes["name"] == "w[2][1,1]"
    changed = post(form.attributes["action"] or "", {"w[2][1,1]": "-0.3"})
    assert changed.status_code == 303
    after = page(changed.headers["Location"]).root
    assert after.one("p", cls="answer").one("strong").text == "−0.3"
    assert "was 0.2" in after.one("form", cls="change-one").text
    refused = post(form.attributes["action"] or "", {"w[2][1,1]": "much"})
    assert refused.status_code == 422
    field = read(refused.text).root.one("form", cls="change-one").one("input")
    assert field.attributes["aria-invalid"] == "true"
    assert field.attributes["value"] == "much"
    assert not list(asked(ONE, "w[2][1,1]", "?iteration=2").all("form", cls="change-one"))
    assert not list(asked(ONE, "z[2][1]").all("form"))


def test_targets_that_belong_together_are_changed_together() -> None:
    names = [f.attributes["name"] for f in asked("3-2-3-softmax", "y[2]").one("form").all("input")]
    assert names == ["y[1]", "y[2]", "y[3]"]


def test_the_derivative_with_respect_to_an_input_is_told_behind_the_backward_pass() -> None:
    ends = next(end for phase, _, end in context(ONE).walk.phases() if phase == "backward")
    for step, told in ((ends - 1, False), (ends, True)):
        text = fragment(f"/lessons/{ONE}/quantities/dL/da[0][1]?step={step}").text
        assert ('class="formula"' in text) == told


def test_asking_in_a_large_network_costs_what_the_answer_shows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    derived: list[Quantity] = []

    def counting(trace: Trace, q: Quantity) -> Derivation:
        derived.append(q)
        return derive(trace, q)

    monkeypatch.setattr(users, "derive", counting)
    counts = []
    for size in (20, 200):
        trace = open_lesson(deep_network(2, inputs=size, units=size)).trace
        derived.clear()
        for name in ("x[1]", "a[1][10]", "w[2][10,10]", "dL/dz[2][1]", "loss"):
            users.users(trace, parse(name))
            users.leading_to(trace, parse(name))
        counts.append(len(derived))
    assert counts[1] <= counts[0]
