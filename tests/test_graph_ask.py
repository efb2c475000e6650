"""Ask any number of a formula: from a derivative down to the values, without a script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from app import create_app
from tests.htmltree import Element, read
from tutor import number
from tutor.budget import Budget, OverBudgetError
from tutor.engine.graph import quantity
from tutor.engine.graph_trace import GraphTrace
from tutor.engine.graph_users import leading_to, operands_of, users
from tutor.engine.quantity import Quantity
from tutor.engine.tree import Elided, Node, Ref
from tutor.engine.tree import walk as walk_tree
from tutor.lesson.graph_lesson import GraphLesson, open_graph
from tutor.scenario import reader
from tutor.scenario.reader import GraphScenario

FOLDER = Path(__file__).parents[1] / "scenarios" / "graphs"
FILES = sorted((*FOLDER.glob("*.yaml"), *(FOLDER.parent / "operations").glob("*.yaml")))
TEXTS = {path.stem: path.read_text() for path in FILES}
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
LONG = f"""\
format: 1
title: Long sums
graph:
  expression: sum(r*r)/2 + mean(max(v, h)) + k*sum(v)
  names: {{r: M*k - N}}
  values: {{M: [[1, 2], [3, 4]], N: [[0, 1], [1, 0]], k: 0.5, h: 3, v: {list(range(1, 41))}}}
"""
STOP = "format: 1\ntitle: Stop\ngraph: {expression: log(x)*y, values: {x: -1, y: 2}}\n"


def lesson(text: str) -> GraphLesson:
    found = reader.parse(text, "a.yaml")
    assert isinstance(found, GraphScenario)
    return open_graph(found)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    folder = tmp_path_factory.mktemp("shelf")
    (folder / "long.yaml").write_text(LONG)
    (folder / "stop.yaml").write_text(STOP)
    return create_app(FOLDER.parent, folder).test_client()


def article(client: FlaskClient, address: str) -> Element:
    answer = client.get(address)
    assert answer.status_code == 200, address
    page = read(answer.text)
    assert page.problems == []
    return page.root.one("article", cls="quantity")


def links(found: Element, caption: str) -> dict[str, str]:
    """The numbers of a table, with the pages that they lead to."""
    for table in found.all("table"):
        if table.one("caption").text == caption:
            asks = [row.one("a", cls="ask").attributes for row in table.one("tbody").all("tr")]
            return {one["data-ask"] or "": one["href"] or "" for one in asks}
    return {}


def test_three_levels_deep_without_a_script_and_the_way_back(client: FlaskClient) -> None:
    step = read(client.get("/lessons/neuron-error/steps/13").text).root
    tool = next(a for a in step.all("a", cls="ask") if a.text == "Ask about a number")
    address = tool.attributes["href"] or ""
    names = ("df/dw2", "df/dn2", "df/dq", "n3", "q", "n2", "w2")
    for n, name in enumerate(names):
        page = client.get(address).text
        found = read(page).root.one("article", cls="quantity")
        asks = {a.attributes["data-ask"]: a.attributes["href"] for a in found.all("a", cls="ask")}
        address = asks[name] or ""
        found = article(client, address)
        trail = [a.attributes["data-ask"] for a in found.one("nav").all("a", cls="ask")]
        assert trail == list(names[:n])
        assert found.one("nav").one("a", cls="from").text == "Step 13"
    assert "given, not computed" in found.text
    assert links(found, "Computed from") == {}


@pytest.mark.parametrize("name", [*NAMES, "softmax", "convolution"])
def test_every_number_has_the_engines_value_and_its_operands(
    name: str, client: FlaskClient
) -> None:
    opened = lesson(TEXTS[name])
    trace, walk = opened.trace, opened.walk("number")
    decimals = opened.scenario.display.decimals
    anchors = [walk.anchor(n) for n in range(1, len(walk) + 1)]
    given = [q for node in trace.graph.values for q in node.entries()]
    for q in [*given, *anchors][::4]:
        found = article(client, f"/lessons/{name}/quantities/{quote(str(q))}")
        value = number.shown(trace.value(q), decimals)
        assert found.one("p", cls="answer").one("strong").text == value
        names = list(links(found, "Computed from"))
        assert names == list(map(str, operands_of(trace, q)))[:12]


@pytest.mark.parametrize("name", [*TEXTS, "long"])
def test_the_users_of_a_number_are_those_whose_formula_has_it(name: str) -> None:
    opened = lesson(TEXTS.get(name, LONG))
    trace, walk = opened.trace, opened.walk("number")
    every = [walk.anchor(n) for n in range(1, len(walk) + 1)]
    used: dict[Quantity, set[Quantity]] = {}
    for user in every:
        for leaf in everything(trace.graph.tree(user), trace):
            used.setdefault(leaf, set()).add(user)
    given = [q for node in trace.graph.values for q in node.entries()]
    for q in [*given, *every][:: 1 + len(every) // 60]:
        found = list(users(trace, q))
        told = {user for one in found for user in one.first(9_999)}
        assert told == used.get(q, set()), q
        assert sum(one.count for one in found) == len(told)


def everything(tree: Node, trace: GraphTrace) -> Iterator[Quantity]:
    """The numbers of a formula, those in the middle of a long sum too."""
    for part in walk_tree(tree, trace):
        if isinstance(part, Ref):
            yield part.quantity
        elif isinstance(part, Elided):
            yield from everything(part.body, trace)


def test_what_stands_in_the_middle_of_a_long_sum_is_used_there(client: FlaskClient) -> None:
    trace = lesson(LONG).trace
    middle = trace.graph.parse("v[20]")
    total = next(node for node in trace.graph.inner if node.inputs == ("given:v",))
    by_name = {str(user) for one in users(trace, middle) for user in one.first(9)}
    assert len(by_name) >= 2
    assert middle not in operands_of(trace, quantity(total.kind))
    found = article(client, f"/lessons/long/quantities/{total.name}")
    assert "terms left out of the sum" in found.text


def test_who_uses_a_number_is_looked_for_within_the_time_of_a_request() -> None:
    trace = lesson(LONG).trace
    with pytest.raises(OverBudgetError), Budget(0, "This page").running():
        list(users(trace, trace.graph.parse("v[20]")))


def test_a_value_whose_name_is_a_setting_elsewhere_can_be_changed(client: FlaskClient) -> None:
    found = article(client, "/lessons/long/quantities/h?h=4&step=4")
    assert found.one("p", cls="answer").one("strong").text == "4"
    assert "is ignored" not in found.text


def test_the_way_is_drawn_as_in_use_and_nothing_else_is(client: FlaskClient) -> None:
    trace = lesson((FOLDER / "neuron-error.yaml").read_text()).trace
    q = trace.graph.parse("n3")
    picture = article(client, "/lessons/neuron-error/quantities/n3").one("figure")
    boxes = [box.classes for box in picture.all("rect")]
    assert sum("uses" in box for box in boxes) == len(leading_to(trace, q)) == 8
    assert sum("makes" in box for box in boxes) == 2  # the node, and the ring round its number
    edges = [path for path in picture.all("path") if "line" in path.classes]
    assert len(edges) == 8
    back = article(client, "/lessons/neuron-error/quantities/df/dw2").one("figure")
    ways = [path.classes for path in back.all("path") if "line" in path.classes]
    assert len(ways) == 5
    assert all("g" in way for way in ways)


def test_a_number_leads_to_its_jacobians_and_to_its_nudge(client: FlaskClient) -> None:
    def elsewhere(name: str, query: str = "") -> dict[str, str]:
        found = article(client, f"/lessons/layer-norm/quantities/{name}{query}")
        links = list(found.all("p", cls="source"))[-1].all("a")
        return {link.text: link.attributes["href"] or "" for link in links}

    assert elsewhere("y[1]")["Jacobians of y"] == "/lessons/layer-norm/jacobians/y"
    nudge = elsewhere("df/dx[1]", "?decimals=6")["Measure it by nudging x[1]"]
    assert nudge == "/lessons/layer-norm/quantities/x%5B1%5D?decimals=6#nudge"
    assert article(client, nudge.partition("#")[0]).one("section", cls="nudge")
    assert list(elsewhere("y[1]", "?step=8")) == ["Other numbers of step 8"]
    assert list(elsewhere("df/dx[1]", "?paper=3")) == ["Other numbers"]


def test_asked_from_a_step_a_later_number_is_not_told(client: FlaskClient) -> None:
    text = client.get(
        "/lessons/neuron-error/quantities/df/dw2?step=3", headers={"HX-Request": "true"}
    ).text
    assert "Not computed yet at step 3" in text
    assert "0.2115" not in text
    assert 'class="formula"' not in text
    assert "<h1" not in text


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("x9", ["x2", "x1"]),
        ("df/dx1", ["x1", "x2", "df/dw1"]),
        ("w1[3]", ["w1", "x1", "w2"]),
        ("Q", ["q"]),
        ("loss", []),
        ("z[1][1]", []),
    ],
)
def test_an_unknown_number_is_refused_with_the_nearest(
    name: str, near: list[str], client: FlaskClient
) -> None:
    answer = client.get(f"/lessons/neuron-error/quantities/{quote(name)}")
    assert answer.status_code == 404
    found = read(answer.text).root.one("article", cls="error")
    asks = [a for a in found.all("a") if "/quantities/" in (a.attributes["href"] or "")]
    assert [a.text for a in asks] == near
    assert all(client.get(a.attributes["href"] or "").status_code == 200 for a in asks)
    typed = client.get(f"/lessons/neuron-error/quantities?name={quote(name)}")
    assert typed.status_code == 404
    assert 'id="ask-problem"' in typed.text


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (
            "layer-norm/quantities/%E2%80%AEx",
            "There is no \\u202ex in this graph; did you mean x? Near",
        ),
        (
            "one-weight/quantities/%E2%80%AEx",
            "\\u202ex' is not the name of a quantity; did you mean x? ",
        ),
        ("one-weight/paths/x%E2%80%AE", "is not the name of a quantity; did you mean x?"),
    ],
)
def test_a_name_that_turns_the_line_around_is_told_without_turning_it(
    address: str, said: str, client: FlaskClient
) -> None:
    answer = client.get(f"/lessons/{address}")
    assert answer.status_code == 404
    assert said in read(answer.text).root.one("main").text
    assert "\u202e" not in answer.text
    assert "?." not in answer.text


def test_a_value_is_changed_on_its_own_page(client: FlaskClient) -> None:
    form = article(client, "/lessons/sum-times/quantities/x?step=2").one("form", cls="change-one")
    assert form.one("input").attributes["value"] == "-2"
    answer = client.post(form.attributes["action"] or "", data={"x": "1"})
    assert answer.headers["Location"] == "/lessons/sum-times/quantities/x?x=1&step=2"
    after = client.get(answer.headers["Location"]).text
    assert "was −2" in re.sub(r"<[^>]+>", "", after)
    refused = client.post(form.attributes["action"] or "", data={"x": "ten"})
    assert refused.status_code == 422
    assert 'aria-invalid="true"' in refused.text
    assert not list(article(client, "/lessons/sum-times/quantities/q").all("form"))


def test_where_the_walk_ends_early_the_rest_says_so(client: FlaskClient) -> None:
    found = article(client, "/lessons/stop/quantities/df/dy")
    assert "The walk ends before this number." in found.text
    assert "NaN" not in article(client, "/lessons/stop/quantities/n1").text
    assert article(client, "/lessons/stop/quantities?step=1")


@pytest.mark.parametrize("grain", ["number", "layer", "pass"])
def test_the_numbers_of_a_step_are_listed_in_every_grain(grain: str, client: FlaskClient) -> None:
    found = article(client, f"/lessons/sum-times/quantities?step=1&grain={grain}")
    asks = links(found, "Numbers to ask about")
    assert next(iter(asks)) == "q"
    assert {"x", "y"} <= set(asks)
    assert all(client.get(address).status_code == 200 for address in asks.values())


# ---- a formula in the address ----

OWN = "expression=(x%2By)*z&x=-2&y=5&z=-4"
TYPED = "/formula/quantities"


def test_every_number_of_a_typed_formula_is_told_as_that_of_the_same_lesson(
    client: FlaskClient,
) -> None:
    lines = "format: 1\ntitle: A\ngraph:\n  expression: (x+y)*z\n  values: {x: -2, y: 5, z: -4}\n"
    trace = lesson(lines).trace
    walk = lesson(lines).walk("number")
    computed = [walk.anchor(n) for n in range(1, len(walk) + 1)]
    for q in [*computed, *(q for node in trace.graph.values for q in node.entries())]:
        found = article(client, f"{TYPED}/{quote(str(q))}?{OWN}")
        assert found.one("p", cls="answer").one("strong").text == number.shown(trace.value(q), 4)
        names = list(links(found, "Computed from"))
        assert names == list(map(str, operands_of(trace, q)))


def test_a_step_of_a_typed_formula_leads_to_its_numbers_and_they_lead_on(
    client: FlaskClient,
) -> None:
    step = read(client.get(f"/formula/steps/4?{OWN}").text).root
    address = step.one("a", id="ask-here").attributes["href"]
    assert address == f"{TYPED}?{OWN}&step=4"
    asks = links(article(client, address), "Numbers to ask about")
    assert asks["df/dz"] == f"{TYPED}/df/dz?{OWN}&step=4"
    third = article(client, asks["df/dz"])
    operands = links(third, "Computed from")
    assert operands["n1"] == f"{TYPED}/n1?{OWN}&step=4&asked.via=df%2Fdz"
    deepest = links(article(client, operands["n1"]), "Computed from")["x"]
    assert deepest == f"{TYPED}/x?{OWN}&step=4&asked.via=df%2Fdz+n1"
    trail = article(client, deepest).one("nav", cls="trail")
    assert [a.attributes["href"] for a in trail.all("a")] == [
        f"/formula/steps/4?{OWN}",
        f"{TYPED}/df/dz?{OWN}&step=4",
        f"{TYPED}/n1?{OWN}&step=4&asked.via=df%2Fdz",
    ]


def test_a_typed_value_is_nudged_and_changed_in_its_own_address(client: FlaskClient) -> None:
    text = client.get(f"{TYPED}/x?{OWN}&nudge.h=0.001").text
    assert "gradient by backpropagation" in text
    assert f"{TYPED}/x?expression=(x%2By)*z&amp;x=-1.8&amp;y=5&amp;z=-4" in text
    sent = client.post(f"{TYPED}/x?{OWN}&step=1", data={"x": "1/4"})
    assert sent.status_code == 303
    assert sent.headers["Location"] == f"{TYPED}/x?expression=(x%2By)*z&x=0.25&y=5&z=-4&step=1"
    kept = client.post(f"{TYPED}/x?{OWN}", data={"x": "much"})
    assert kept.status_code == 422
    assert 'value="much"' in kept.text
    assert "is not a number" in kept.text


def test_a_number_of_a_typed_list_is_changed_in_its_place(client: FlaskClient) -> None:
    query = "expression=sum(v*a)&a=2&v=[1,2,3]"
    sent = client.post(f"{TYPED}/v[2]?{query}", data={"v[2]": "7"})
    assert sent.headers["Location"] == f"{TYPED}/v%5B2%5D?expression=sum(v*a)&a=2&v=[1,+7,+3]"
    assert client.get(sent.headers["Location"]).status_code == 200


def test_the_derivatives_of_a_typed_formula_are_checked(client: FlaskClient) -> None:
    answer = client.get(f"/formula/check?{OWN}&check.of=y")
    assert answer.status_code == 200
    assert read(answer.text).problems == []
    assert "Check the gradient" in answer.text
    wrong = client.get(f"/formula/check?{OWN}&check.of=n7")
    assert wrong.status_code == 404
    assert "There is no n7 in this graph" in wrong.text


@pytest.mark.parametrize("field", ["name=dx", "name=df/dxx"])
def test_an_unknown_name_of_a_typed_formula_is_told_with_the_nearest(
    client: FlaskClient, field: str
) -> None:
    answer = client.get(f"{TYPED}?{OWN}&{field}")
    assert answer.status_code == 404
    near = [a.attributes["href"] for a in read(answer.text).root.one(id="ask-problem").all("a")]
    assert near
    assert all(address.startswith(TYPED) and address.endswith(OWN) for address in near)
    assert client.get(f"{TYPED}/nothing?{OWN}").status_code == 404


def test_questions_about_what_is_no_formula_are_refused_with_its_problem(
    client: FlaskClient,
) -> None:
    for address in (f"{TYPED}/x", TYPED, "/formula/check"):
        answer = client.get(f"{address}?expression=(x%2B&x=1")
        assert answer.status_code == 400
        assert "at character" in answer.text.lower()


def test_a_value_that_is_not_changed_stays_as_it_was_typed(client: FlaskClient) -> None:
    sent = client.post(f"{TYPED}/y?expression=x*y&x=1/3&y=2", data={"y": "4"})
    assert sent.headers["Location"] == f"{TYPED}/y?expression=x*y&x=1/3&y=4"


def test_nonsense_below_a_formula_is_refused_in_words(client: FlaskClient) -> None:
    chance = Random(8104)
    signs = "xyz12[]()+*/^=.%&;<é "
    for _ in range(200):
        word = "".join(chance.choice(signs) for _ in range(chance.randint(1, 12)))
        place = chance.choice(["", "steps/", "quantities/", "jacobians/", "export/", "check/"])
        query = chance.choice([OWN, "", f"expression={quote(word)}{quote(word)}&x=1"])
        answer = client.get(f"/formula/{place}~{quote(word, safe='')}?{query}")
        assert 400 <= answer.status_code < 500, (place, word, query)
        assert len(read(answer.text).root.one("main").text) > 20
