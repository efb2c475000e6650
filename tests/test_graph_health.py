"""The health of the gradient in formulas: what is wrong is pointed out at the node where it happens,
with its number, and a healthy formula gets no warning.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from flask.testing import FlaskClient

from app import create_app
from tests.htmltree import read
from tests.visiting import sound
from tutor import number
from tutor.engine.graph import quantity
from tutor.engine.graph_health import (
    CORNER,
    STEEP,
    STEEPEST,
    ZEROED,
    NodeFinding,
    NodeSize,
    findings,
    sizes,
)
from tutor.engine.graph_trace import GraphTrace
from tutor.engine.health import DEAD, FADES, GROWS, SATURATED, SATURATES, VANISHED
from tutor.engine.tree import evaluate
from tutor.lesson.graph_health_words import HEALTHY, SCALE, heading, sentence
from tutor.lesson.graph_lesson import GraphLesson, open_graph
from tutor.pages import graph_flow
from tutor.pages.graph_context import GraphContext
from tutor.pages.graph_flow import health, node_health
from tutor.pages.graph_step import graph_step_page
from tutor.pages.graph_view import GraphView
from tutor.scenario import reader
from tutor.scenario.reader import GraphScenario

FOLDERS = [Path(__file__).parents[1] / "scenarios" / name for name in ("graphs", "operations")]
FILES = [file for folder in FOLDERS for file in sorted(folder.glob("*.yaml"))]
FADING = "vanishing-product"


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(*FOLDERS).test_client()


@cache
def lesson(expression: str, values: str) -> GraphLesson:
    text = f"format: 1\ntitle: H\ngraph: {{expression: {expression!r}, values: {{{values}}}}}\n"
    found = reader.parse(text, "health.yaml")
    assert isinstance(found, GraphScenario)
    return open_graph(found)


def found_in(expression: str, values: str) -> tuple[GraphTrace, tuple[NodeFinding, ...]]:
    trace = lesson(expression, values).trace
    return trace, findings(trace)


def told(expression: str, values: str) -> list[tuple[str, str, str]]:
    return [(one.what, one.node.name, one.below.name) for one in found_in(expression, values)[1]]


def loaded(file: Path) -> GraphLesson:
    found = reader.load(file)
    assert isinstance(found, GraphScenario)
    return open_graph(found)


# ---- what is found ----


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_healthy_lesson_gets_no_warning(file: Path) -> None:
    found = [one.what for one in findings(loaded(file).trace)]
    assert found == ([FADES, FADES] if file.stem == FADING else [])


@pytest.mark.parametrize(
    ("expression", "values", "expected"),
    [
        ("sigmoid(x)*y", "x: 9, y: 2", [(SATURATES, "n1", "x")]),
        ("sigmoid(x)*y", "x: 4, y: 2", []),
        ("tanh(x)*y", "x: -3, y: 2", [(SATURATES, "n1", "x")]),
        ("relu(x) + y", "x: -1, y: 2", [(DEAD, "n1", "x")]),
        ("relu(x) + y", "x: 0, y: 2", [(DEAD, "n1", "x")]),
        ("relu(x) + y", "x: 1, y: 2", []),
        ("sum(relu(v))", "v: [-1, 2]", []),
        ("sum(relu(v))", "v: [-1, 0]", [(DEAD, "n1", "v")]),
        ("max(x, y)", "x: 2, y: 2", [(CORNER, "f", "x")]),
        ("min(x, y)", "x: 2, y: 3", []),
        ("abs(x) + y", "x: 0, y: 1", [(CORNER, "n1", "x")]),
        ("a*b", "a: 0.001, b: 2", [(ZEROED, "f", "b")]),
        ("a*b", "a: 0.1, b: 2", []),
        ("0.001*b", "b: 2", [(FADES, "b", "b")]),
        ("a*b + b", "a: 0.001, b: 2", []),
        ("sum(m*v)", "m: [0, 1], v: [1, 2]", []),
        ("exp(x)", "x: 9", [(STEEP, "f", "x")]),
        ("x/y", "x: 1, y: 0.001", [(STEEP, "f", "y")]),
        ("sqrt(x)", "x: 0.000001", [(STEEP, "f", "x")]),
        ("x*x*x*x", "x: 4", [(GROWS, "x", "x")]),
        ("log(x)", "x: -1", []),
    ],
)
def test_it_is_found_where_it_happens(
    expression: str, values: str, expected: list[tuple[str, str, str]]
) -> None:
    assert told(expression, values) == expected


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("sigmoid(x)*y", "x: 9, y: 2"), ("tanh(x)*y", "x: -3, y: 2"), ("relu(x) + y", "x: -1, y: 2"),
        ("max(x, y)", "x: 2, y: 2"), ("a*b", "a: 0.001, b: 2"), ("x/y", "x: 1, y: 0.001"),
    ],
)  # fmt: skip
def test_its_number_is_the_local_derivative_in_the_formula_of_the_step_that_shows_it(
    expression: str, values: str
) -> None:
    trace, (one, *_) = found_in(expression, values)
    graph = trace.graph
    tree = graph.derivative_entry(one.below, ())
    up = trace.value(graph.parse(f"df/d{one.node.name}"))
    assert one.number * up == pytest.approx(float(evaluate(tree, trace)))
    assert one.shown_by == graph.parse(f"df/d{one.below.name}")
    limit = {
        SATURATES: abs(one.number) < SATURATED, DEAD: one.number == 0, CORNER: one.number == 0.5,
        ZEROED: abs(one.number) < VANISHED, STEEP: abs(one.number) > STEEPEST,
    }  # fmt: skip
    assert limit[one.what]


def test_the_derivative_with_respect_to_a_value_is_measured_against_the_result() -> None:
    trace = loaded(next(file for file in FILES if file.stem == FADING)).trace
    for one in findings(trace):
        assert one.number == trace.value(one.shown_by)
        assert 0 < abs(one.number) < VANISHED


def test_sizes_are_those_of_the_trace_and_steps_back_count_the_longest_way() -> None:
    trace = lesson("x*y + sigmoid(x*y*z)", "x: 2, y: 3, z: 0.1").trace
    found = {one.node.name: one for one in sizes(trace)}
    assert found["f"].back == 0
    assert found["f"].local is None
    # x*y stands in the formula twice, as n1 and n2; f <- n4 <- n3 <- n2 <- x
    assert {name: one.back for name, one in found.items()} == {
        "f": 0, "n1": 1, "n4": 1, "n3": 2, "n2": 3, "z": 3, "x": 4, "y": 4,
    }  # fmt: skip
    for one in found.values():
        array = trace[trace.graph.derivative(one.node).kind]
        assert one.size == float(np.abs(array).max())
    assert found["n3"].local == pytest.approx(trace.value(trace.graph.parse("n4")) * (
        1 - trace.value(trace.graph.parse("n4"))
    ))  # fmt: skip


# ---- words ----


@pytest.mark.parametrize(
    ("expression", "values", "title", "parts"),
    [
        ("sigmoid(x)*y", "x: 9, y: 2", "Saturated sigmoid",
         ["n1, whose input x is 9,", "0.000123, where 0.25 is the most", "would help"]),
        ("sum(tanh(v))", "v: [9, 1, -9]", "Saturated tanh", ["2 of 3 entries of n1 are", "at most"]),
        ("relu(x) + y", "x: -1, y: 2", "Dead ReLU", ["its input x is −1", "would help"]),
        ("sum(relu(v))", "v: [-1, 0]", "Dead ReLU", ["every entry of its input v is at most 0"]),
        ("max(x, y)", "x: 2, y: 2", "At a corner", ["both inputs are equal", "0.5 is a choice"]),
        ("a*b", "a: 0.001, b: 2", "Vanishing product",
         ["the factor a has the value 0.001", "comes back to b", "would help"]),
        ("exp(x)", "x: 9", "Steep exponential function", ["is 8100", "A smaller input would help"]),
        ("x/y", "x: 1, y: 0.001", "Steep quotient", ["is −1000000", "A larger denominator"]),
        ("0.001*b", "b: 2", "Vanishing gradient", ["with respect to b is 0.001", "would help"]),
        ("x*x*x*x", "x: 4", "Exploding gradient", ["with respect to x is 256", "would help"]),
        ("exp(x)*y", "x: 30, y: 1", "Steep product", ["is 1.07e13"]),
    ],
)  # fmt: skip
def test_it_is_said_with_its_number_and_what_would_help(
    expression: str, values: str, title: str, parts: list[str]
) -> None:
    trace, (one, *_) = found_in(expression, values)
    assert heading(one) == title
    said = sentence(trace, one)
    for part in parts:
        assert part in said, said


# ---- pages ----


@pytest.mark.parametrize("grain", ["number", "layer", "pass"])
def test_it_stands_at_the_step_that_shows_it_and_on_the_first_page(
    grain: str, client: FlaskClient
) -> None:
    file = next(file for file in FILES if file.stem == FADING)
    opened = GraphContext(loaded(file), GraphView(grain))
    found = findings(opened.trace)
    for n in range(1, len(opened.walk) + 1):
        root = sound(f"/lessons/{FADING}/steps/{n}?grain={grain}", client.application).root
        expected = [sentence(opened.trace, one) for one in found
                    if opened.step_of(one.shown_by) == n]  # fmt: skip
        notes = [note.text for note in root.all("p", cls="health")]
        assert [text.split(". ", 1)[1] for text in notes] == expected, n
    (note,) = sound(f"/lessons/{FADING}", client.application).root.all("p", cls="health")
    assert sentence(opened.trace, found[-1]) in note.text, "the smallest of both"


def test_the_check_page_has_the_sizes_as_chart_and_table(client: FlaskClient) -> None:
    root = sound(f"/lessons/{FADING}/check", client.application).root
    drawn = [svg.attributes.get("aria-label") for svg in root.all("svg", cls="chart")]
    assert "The size of the derivative of f from the result back" in drawn
    assert SCALE in root.text
    (table,) = [t for t in root.all("table") if "each node, from f back" in t.text]
    trace = loaded(next(file for file in FILES if file.stem == FADING)).trace
    rows = [row for row in table.all("tr") if list(row.all("td"))]
    assert len(rows) == len(trace.graph.backward)
    assert all(row.one("th").attributes["scope"] == "row" for row in rows)
    assert "0.000430" in rows[-1].text
    for note, n in zip(root.all("p", cls="health"), (17, 20), strict=True):
        assert note.one("a").attributes["href"] == f"/lessons/{FADING}/steps/{n}"


def test_a_healthy_formula_is_told_so(client: FlaskClient) -> None:
    root = sound("/lessons/sum-times/check", client.application).root
    assert HEALTHY in root.text
    assert not list(root.all("p", cls="health"))


def test_a_typed_formula_has_it_below_its_graph(client: FlaskClient) -> None:
    query = f"expression={quote('sigmoid(w*x)*y')}&w=9&x=1&y=2"
    root = sound(f"/formula?{query}", client.application).root
    first = next(iter(root.all("p", cls="health")))
    assert first.text.startswith("Saturated sigmoid. n2, whose input n1 is 9,")
    href = first.one("a").attributes["href"] or ""
    assert href.startswith("/formula/steps/7?expression=")
    step = sound(href, client.application).root
    assert "Saturated sigmoid." in step.one("p", cls="health").text
    assert "Health of the gradient" in root.text
    ends = sound(f"/formula?expression={quote('log(a)*b')}&a=-1&b=1", client.application).root
    assert "Health of the gradient" not in ends.text


def test_of_very_many_places_some_are_told_and_the_rest_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = GraphContext(
        lesson("relu(a) + relu(b) + relu(c)", "a: -1, b: -1, c: -1"), GraphView()
    )
    assert len(findings(context.trace)) == 3
    assert len(health(context)) == 1
    monkeypatch.setattr(graph_flow, "MOST_NOTES", 2)
    monkeypatch.setattr(graph_flow, "MOST_ROWS", 4)
    found = node_health(context)
    assert found is not None
    assert len(found.notes) == 2
    assert found.notes[-1].text.endswith("There is 1 more such place.")
    assert len(found.sizes.rows) == 4
    assert found.sizes.caption == "The 4 nodes of 7 with the smallest derivatives"


@pytest.mark.parametrize("grain", ["number", "layer", "pass"])
def test_the_bars_show_a_node_once_its_derivative_is_there(grain: str) -> None:
    opened = GraphContext(
        loaded(next(file for file in FILES if file.stem == FADING)), GraphView(grain)
    )
    parts = {one.node.name: one for one in sizes(opened.trace)}
    charts = [graph_step_page(opened, n).flow for n in range(1, len(opened.walk) + 1)]
    for n, chart in enumerate(charts, 1):
        assert (chart is not None) == (opened.walk.phase(n) == "backward"), n
        for row, one in zip(
            chart.rows if chart else (), sorted_back(parts), strict=chart is not None
        ):
            back = opened.trace.graph.derivative(one.node).kind
            done = opened.walk.known(quantity(back), n)
            assert (row.bar is not None) == done == bool(row.size)
            assert row.size == (number.shown(one.size, 6) if done else "")
            local = "" if one.local is None else number.shown(one.local, 6)
            assert row.factors == ((local,) if done else ("",))
    last = charts[-1]
    assert last is not None
    assert last.scale == "logarithmic scale from 0.0001 to 1"
    assert last.short == "1 → 0.000430"
    assert last.about.endswith("In total it shrinks by a factor of 2325.5 on its way to w1.")


def sorted_back(parts: dict[str, NodeSize]) -> list[NodeSize]:
    return sorted(parts.values(), key=lambda one: one.back)


def test_a_short_way_and_one_of_very_many_nodes_have_no_bars() -> None:
    for expression, values in (("x*y", "x: 1, y: 2"), ("+".join(["sin(sin(sin(x)))"] * 9), "x: 1")):
        context = GraphContext(lesson(expression, values), GraphView("pass"))
        assert graph_step_page(context, 2).flow is None


def test_absurd_values_have_a_page_all_the_same(client: FlaskClient) -> None:
    for values in ("a=1e308&b=1e308", "a=1e-308&b=1e-308", "a=-1e308&b=5", "a=1e200&b=-1e200"):
        for text in ("a/b", "tanh(a)*b", "exp(-a*a)*b", "sigmoid(a)+b", "a*b/(1+a*a)"):
            answer = client.get(f"/formula?expression={quote(text)}&{values}")
            assert answer.status_code == 200, (text, values)
            assert read(answer.text).problems == []
            assert not re.search(r"\bnan\b|>inf<", answer.text)
