"""On the pages beside the steps every factor leads to its own page, in the same iteration and for
the same sample.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

import pytest

from tests.htmltree import Element
from tests.visiting import context, deep_network, get, library, page
from tutor import number
from tutor.engine.quantity import parse
from tutor.engine.tree import ONE, Product, Ref
from tutor.pages.number_links import number_links
from tutor.pages.paths_page import derivative, paths_page
from tutor.pages.view import View

PAGES = (
    "/lessons/1-2-3-1-sigmoid/paths/w[1][1,1]",
    "/lessons/1-2-3-1-sigmoid/paths/x[1]?iteration=2",
    "/lessons/linear-regression/paths/dL/dw[1][1,1]@2?decimals=3",
    "/lessons/1-2-3-1-sigmoid/paths/b[2][1]?paper=3",
    "/lessons/3-2-3-softmax/both-routes",
    "/lessons/3-2-3-softmax/both-routes?unit=2&iteration=2",
)


def asks(root: Element) -> Iterator[Element]:
    for line in root.all("p", cls="asks"):
        yield from line.all("a")


@pytest.mark.parametrize("address", PAGES)
def test_every_number_of_a_product_leads_to_its_own_page(address: str) -> None:
    root = page(address).root
    found = {a.attributes["data-ask"]: a.attributes["href"] or "" for a in asks(root)}
    in_formulas = {
        mark.attributes["data-q"]
        for lines in root.all("div", cls="lines")
        for mark in lines.all("mn")
        if "data-q" in mark.attributes
    }
    assert in_formulas
    assert in_formulas <= set(found)
    _, _, query = address.partition("?")
    kept = [part for part in query.split("&") if part and not part.startswith("unit")]
    for name, href in found.items():
        assert unquote(href.partition("?")[0]).endswith(f"/quantities/{name}")
        assert all(part in href for part in kept)
        answer = get(href)
        assert answer.status_code == 200, href
        assert f'data-name="{name}"' in answer.text


@pytest.mark.parametrize("address", PAGES)
def test_a_link_is_called_by_its_symbol_and_its_value(address: str) -> None:
    for link in asks(page(address).root):
        assert link.one("math").attributes["aria-label"]
        assert " = " in link.text


def test_a_number_is_listed_once_and_in_the_order_of_the_formula() -> None:
    opened = context("1-2-3-1-sigmoid")
    w, x = Ref(parse("w[1][1,1]")), Ref(parse("x[1]"))
    links = number_links(opened, [Product((w, x, w)), Product((ONE, x))])
    assert [link.name for link in links] == ["w[1][1,1]", "x[1]"]
    assert links[1].text == number.shown(opened.trace.value(parse("x[1]")), opened.decimals)


def test_long_paths_that_share_their_factors_have_one_list_of_them() -> None:
    opened = library().context(deep_network(31), View())
    found = paths_page(opened, derivative(opened, "w[1][1,1]"))
    assert len(found.rows) == 12
    assert all(row.factors == () for row in found.rows)
    names = [link.name for link in found.factors]
    assert len(names) == len(set(names)) < 200
    assert {"x[1]", "da/dz[31][1]"} <= set(names)


def test_the_derivative_itself_and_the_error_signal_are_askable() -> None:
    root = page("/lessons/1-2-3-1-sigmoid/paths/w[1][1,1]").root
    names = [a.attributes["data-ask"] for a in root.all("a") if "data-ask" in a.attributes]
    assert "dL/dw[1][1,1]" in names
    root = page("/lessons/3-2-3-softmax/both-routes?unit=3").root
    left = [a.attributes["data-ask"] for d in root.all("div", cls="left") for a in d.all("a")]
    assert set(left) == {"dL/dz[2][3]"}


def test_the_numbers_of_formulas_know_where_their_pages_are_for_the_script() -> None:
    root = page("/lessons/1-2-3-1-sigmoid/paths/w[1][1,1]?iteration=2").root
    article = next(root.all("article"))
    assert article.attributes["data-base"] == "/lessons/1-2-3-1-sigmoid/quantities"
    assert article.attributes["data-query"] == "iteration=2"
    assert any("ask.js" in (script.attributes.get("src") or "") for script in root.all("script"))


def test_entries_of_jacobians_are_called_by_name_when_read_out() -> None:
    table = next(page("/lessons/3-2-3-softmax/jacobians/2").root.all("table", cls="matrix"))
    labels = [a.attributes["aria-label"] or "" for a in table.all("a")]
    assert len(labels) == len(set(labels)) == 9
    assert all("with respect to" in label for label in labels)
    assert all(
        label.endswith(f": {a.text}") for label, a in zip(labels, table.all("a"), strict=True)
    )
