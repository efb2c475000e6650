"""Formulas as on paper: every number is what its tree gives of rounded numbers, rounded again; the
address says so on all pages, and files have full precision.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from app import create_app
from tests.formulas import Maker
from tests.visiting import sound
from tutor import limits, number
from tutor.engine.graph import Formula, Graph
from tutor.engine.graph_paper import on_paper, operands
from tutor.engine.graph_trace import GraphTrace, walked
from tutor.engine.paper import LARGE, by_hand
from tutor.engine.tree import evaluate, leaves
from tutor.lesson.by_hand import drifts
from tutor.lesson.graph_lesson import GraphLesson, open_graph
from tutor.lesson.opening import no_paper
from tutor.pages.graph_context import GraphContext
from tutor.pages.graph_step import graph_step_page
from tutor.pages.graph_view import GraphView
from tutor.scenario import reader
from tutor.scenario.formula_text import parse
from tutor.scenario.reader import GraphScenario

FOLDERS = [Path(__file__).parents[1] / "scenarios" / name for name in ("graphs", "operations")]
FILES = [file for folder in FOLDERS for file in sorted(folder.glob("*.yaml"))]
GRAINS = ("number", "layer", "pass")
NEURON = "/lessons/neuron-error"
QUERY = "expression=(y-sigmoid(w*x%2Bb))**2&w=2&x=-1&b=3.3&y=1"


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(*FOLDERS).test_client()


def scenario(text: str) -> GraphScenario:
    found = reader.parse(f"format: 1\ntitle: Paper\n{text}", "paper.yaml")
    assert isinstance(found, GraphScenario)
    return found


def lesson(file: Path) -> GraphLesson:
    found = reader.load(file)
    assert isinstance(found, GraphScenario)
    return open_graph(found)


def of_text(text: str, values: Mapping[str, float]) -> GraphTrace:
    graph = Graph.of(Formula(parse(text).expression), dict.fromkeys(values, ()))
    return walked(graph, {name: np.array(value) for name, value in values.items()})


def numbers(trace: GraphTrace, *names: str) -> list[float]:
    return [trace.value(trace.graph.parse(name)) for name in names]


# ---- the rounded walk ----


@given(st.integers(0, 10_000), st.integers(1, 8), st.integers(1, 8))
@settings(max_examples=60, deadline=None)
def test_every_number_of_a_random_formula_is_what_its_tree_gives_of_rounded_numbers(
    seed: int, decimals: int, copied: int
) -> None:
    maker = Maker(seed)
    formula = maker.formula()
    values = {name: np.array(value) for name, value in maker.values.items()}
    graph = Graph.of(formula, {name: value.shape for name, value in values.items()})
    trace = walked(graph, values)
    paper = on_paper(trace, decimals, copied)
    assert (paper.paper, paper.exact, trace.paper, trace.exact) == (decimals, trace, 0, None)
    for node in graph.values:
        for q in node.entries():
            assert paper.value(q) == by_hand(trace.value(q), copied), q
    for kind, node in paper.computed:
        for q in node.entries(kind):
            value = paper.value(q)
            assert few(value, decimals), (q, value)
            with np.errstate(all="ignore"):
                own = float(evaluate(graph.tree(q), paper))
            assert value == by_hand(own, decimals) or (np.isnan(value) and np.isnan(own)), q


def few(value: float, decimals: int) -> bool:
    """Whether a number has at most so many decimals, or, where it is small, one significant digit
    less than that.
    """
    if not np.isfinite(value) or abs(value) >= LARGE:
        return True
    digits, exponent = Decimal(repr(value)).normalize().as_tuple()[1:]
    assert isinstance(exponent, int)
    return -exponent <= decimals or len(digits) <= max(decimals - 1, 1)


def test_few_digits_are_told_from_many() -> None:
    assert few(0.25, 2)
    assert few(2.6e-7, 3)
    assert not few(0.251, 2)
    assert not few(2.61e-7, 3)


def test_a_neuron_by_hand() -> None:
    trace = of_text("(y - sigmoid(w*x + b))**2", {"w": 2, "x": -1, "b": 3.3, "y": 1})
    paper = on_paper(trace, 2, 4)
    names = ("n1", "n2", "n3", "n4", "f", "df/dn4", "df/dn3", "df/dn2", "df/db", "df/dw", "df/dx")
    # σ(1.3) = 0.7858 ≈ 0.79; 1 − 0.79 = 0.21; 0.21² = 0.0441 ≈ 0.04
    # 2·0.21 = 0.42; −0.42·0.79·0.21 = −0.069678 ≈ −0.07; −0.07·−1; −0.07·2
    assert numbers(paper, *names) == [
        -2, 1.3, 0.79, 0.21, 0.04, 0.42, -0.42, -0.07, -0.07, 0.07, -0.14,
    ]  # fmt: skip
    assert numbers(trace, "df/dx") != numbers(paper, "df/dx")


def test_a_product_by_hand_rounds_a_five_up_and_small_numbers_keep_a_digit() -> None:
    paper = on_paper(of_text("a*b*c", {"a": 0.5, "b": 0.37, "c": 0.01}), 2, 4)
    # 0.5·0.37 = 0.185 ≈ 0.19; 0.19·0.01 = 0.0019 ≈ 0.002, with one significant digit
    assert numbers(paper, "n1", "f", "df/dc", "df/dn1", "df/da", "df/db") == [
        0.19, 0.002, 0.19, 0.01, 0.004, 0.005,
    ]  # fmt: skip


@pytest.mark.parametrize("digits", range(1, 9))
def test_the_shown_digits_of_every_number_are_all_that_are_carried_on(digits: int) -> None:
    trace = of_text("a*b*c*exp(d)", {"a": 1.2345678e-5, "b": 8.7654321e-4, "c": 3.3, "d": -9.1})
    paper = on_paper(trace, digits, 8)
    for kind, node in paper.computed:
        value = paper.value(next(node.entries(kind)))
        assert float(number.plain(value, number.MAX_DECIMALS)) == value, (kind, value)


def test_given_numbers_are_copied_as_the_lesson_shows_them() -> None:
    found = open_graph(scenario("graph: {expression: x*y, values: {x: 0.123456, y: 2}}"))
    assert numbers(found.on_paper(2).trace, "x", "f") == [0.1235, 0.25]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_with_many_decimals_paper_is_close_to_full_precision(file: Path) -> None:
    found = lesson(file)
    listed = list(drifts(found.on_paper(8)))
    assert [one.quantity for one in listed] == [
        q for kind, node in found.trace.computed for q in node.entries(kind)
    ]
    for one in listed:
        assert abs(one.apart) <= 1e-6 * max(1.0, abs(one.exact)), one.quantity


@pytest.mark.parametrize("digits", [2, 4])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_shown_numbers_of_every_step_give_the_shown_result_once_rounded(
    file: Path, digits: int
) -> None:
    opened = GraphContext(lesson(file).on_paper(digits), GraphView(paper=digits))
    for n in range(1, len(opened.walk) + 1):
        for formula in graph_step_page(opened, n).formulas:
            assert not {line.note for line in formula.lines} - {""}, (file.stem, n)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_about_how_many_numbers_its_formulas_read_is_near_how_many_they_do(file: Path) -> None:
    trace = lesson(file).trace
    read = sum(
        len(leaves(trace.graph.tree(q), trace))
        for kind, node in trace.computed
        for q in node.entries(kind)
    )
    assert read / 6 <= operands(trace.graph) <= 3 * read


# ---- pages ----


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("name", ["neuron-error", "attention-head"])
def test_every_number_of_a_step_is_the_rounded_one(
    name: str, grain: str, client: FlaskClient
) -> None:
    file = next(file for file in FILES if file.stem == name)
    trace = lesson(file).on_paper(3).trace
    opened = GraphContext(lesson(file).on_paper(3), GraphView(grain, paper=3))
    seen = 0
    for n in range(1, len(opened.walk) + 1, 5):
        root = sound(f"/lessons/{name}/steps/{n}?grain={grain}&paper=3", client.application).root
        for cell in root.all("td"):
            asked, shown = cell.attributes.get("data-q"), cell.text.strip("\u2008\u2007")
            if asked and shown != "not yet":
                value = float(shown.replace("\N{MINUS SIGN}", "-"))
                assert value == trace.value(trace.graph.parse(asked)), (n, asked)
                seen += 1
    assert seen >= 12


def test_a_step_says_so_and_how_far_it_is_from_full_precision(client: FlaskClient) -> None:
    root = sound(f"{NEURON}/steps/4?paper=2", client.application).root
    assert "as on paper, every number rounded to 2 decimals" in root.one("p", cls="notice").text
    assert root.one("p", cls="was").text.startswith(
        "At full precision this number is 0.73106; on paper it is 0.0011 away, or 0.14%."
    )
    assert "On paper" not in sound(f"{NEURON}/steps/4", client.application).root.text
    whole = (
        sound(f"{NEURON}/steps/2?paper=2&grain=pass", client.application)
        .root.one("p", cls="was")
        .text
    )
    assert "the numbers of this step are at most 0.0085 away from full precision" in whole


def test_all_numbers_are_compared_and_where_rounding_first_comes_through(
    client: FlaskClient,
) -> None:
    root = sound(f"{NEURON}/paper?paper=2", client.application).root
    assert [len(list(root.all("tr", cls=name))) for name in ("agrees", "differs")] == [14, 1]
    assert "Of 1 the last digits differ" in root.text
    assert "Rounding first comes through at step 13." in root.text
    (step,) = [a for a in root.all("a") if a.text == "step 13"]
    assert step.attributes["href"] == f"{NEURON}/steps/13?paper=2"
    assert client.get(f"{NEURON}/paper").headers["Location"] == f"{NEURON}/paper?paper=4"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("0", "is too small; expected a whole number from 1 to 8"),
        ("9", "is too large; expected a whole number from 1 to 8"),
        ("many", "is not a whole number from 1 to 8"),
        ("4.0", "is not a whole number from 1 to 8"),
    ],
)
def test_other_digits_get_the_same_word_as_with_networks(
    wrong: str, said: str, client: FlaskClient
) -> None:
    said = f"paper “{wrong}” {said}"
    assert said in client.get(f"{NEURON}/steps/2?paper={wrong}").text
    assert said in client.get(f"{NEURON}/paper?paper={wrong}").text
    assert said in client.get(f"/formula/steps/2?{QUERY}&paper={wrong}").text


def test_links_of_a_step_stay_on_paper_and_files_do_not(client: FlaskClient) -> None:
    for base, query in ((NEURON, ""), ("/formula", f"&{QUERY}")):
        root = sound(f"{base}/steps/4?paper=3{query}", client.application).root
        links = {a.text: a.attributes["href"] or "" for a in root.all("a")}
        for text in ("Next →", "← Back", "All numbers compared", "Share this step"):
            assert "paper=3" in links[text], text
        assert "paper" not in links["Export this lesson"]
        refused = client.get(f"{base}/export/json?paper=3{query}")
        assert refused.status_code == 400
        assert "full precision, not as on paper" in refused.text
        assert "paper=3" in (client.get(f"{base}/steps?paper=3{query}").headers["Location"])


def test_the_switch_is_in_the_settings_with_what_is_chosen(client: FlaskClient) -> None:
    for address in (f"{NEURON}/steps/4?paper=3", f"/formula/steps/4?{QUERY}&paper=3"):
        form = sound(address, client.application).root.one("details", cls="settings")
        (chosen,) = [
            o.text for s in form.all("select") if s.attributes.get("name") == "paper"
            for o in s.all("option") if "selected" in o.attributes
        ]  # fmt: skip
        assert chosen == "rounded to 3 decimals"


def test_a_formula_in_an_address_is_compared_too(client: FlaskClient) -> None:
    root = sound(f"/formula/paper?{QUERY}&paper=2", client.application).root
    assert "each rounded to 2 decimals and carried on" in root.text
    assert f"/formula/paper?{QUERY}&paper=2" not in root.text
    first = client.get(f"/formula/paper?{QUERY}")
    assert first.status_code == 302
    assert first.headers["Location"].endswith("&paper=4")
    assert (
        "a variant: as on paper" in sound(f"/formula?{QUERY}&paper=2", client.application).root.text
    )


def test_where_the_walk_ends_at_once_there_is_nothing_to_compare(client: FlaskClient) -> None:
    root = sound("/formula/paper?expression=log(a)&a=-1&paper=3", client.application).root
    assert "The walk ends at its first number, so there is nothing to compare." in root.text


def test_a_changed_value_keeps_the_paper(client: FlaskClient) -> None:
    sent = client.post(f"{NEURON}/steps/3/change?paper=2", data={"w1": "3"})
    assert sent.headers["Location"] == f"{NEURON}/steps/3?paper=2&w1=3"
    sent = client.post(f"/formula/steps/3/change?{QUERY}&paper=2", data={"w": "3"})
    assert sent.headers["Location"].endswith("&w=3&x=-1&b=3.3&y=1&paper=2")


def test_numbers_have_pages_on_paper_but_are_not_nudged_there(client: FlaskClient) -> None:
    assert "0.73" in sound(f"{NEURON}/quantities/n3?paper=2", client.application).root.text
    nudged = sound(f"{NEURON}/quantities/w1?paper=2", client.application).root.text
    assert "rounded as on paper cannot be nudged" in nudged
    assert "cannot be nudged" not in sound(f"{NEURON}/quantities/w1", client.application).root.text


def test_the_jacobians_of_a_node_pass_on_what_is_carried_on(client: FlaskClient) -> None:
    root = sound("/lessons/softmax/jacobians/p?paper=2", client.application).root
    assert "as on paper" in root.text
    trace = lesson(next(file for file in FILES if file.stem == "softmax")).on_paper(2).trace
    named = [cell for cell in root.all("td") if cell.attributes.get("data-q")]
    assert named
    for cell in named:
        shown = float(cell.text.strip("\u2008\u2007").replace("\N{MINUS SIGN}", "-"))
        assert shown == trace.value(trace.graph.parse(cell.attributes["data-q"] or ""))
    assert any(sign.text == "≈" for sign in root.all("span")), "the row is rounded once more"


def test_what_a_reader_changes_is_on_paper_too(client: FlaskClient) -> None:
    root = sound(f"{NEURON}/steps/1?paper=2&w1=1.505", client.application).root
    assert "−1.51" in root.one("p", cls="result").text  # 1.505·−1, the five rounded up


# ---- where there is no paper ----


def test_a_value_called_paper_stays_one(client: FlaskClient) -> None:
    own = scenario("graph: {expression: paper*y, values: {paper: 3, y: 2}}")
    assert "is a value of this formula" in no_paper(own)
    root = sound("/formula/steps/1?expression=paper*y&paper=3&y=2", client.application).root
    assert "= 6" in re.sub(r"\s+", " ", root.one("p", cls="result").text).replace("=6", "= 6")
    assert "as on paper" not in root.text


def test_a_formula_that_reads_too_many_numbers_stays_at_full_precision_and_says_why(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [[1.0] * 40] * 40
    wide = scenario(f"graph: {{expression: sum(A @ A), values: {{A: {rows}}}}}")
    assert "read at most 4,000 numbers, and those of this one read" in no_paper(wide)
    monkeypatch.setattr(limits, "PAPER_NUMBERS", 10)
    answer = client.get(f"{NEURON}/steps/2?paper=7")
    assert (
        "at most 10 numbers, and those of this one read 19, so it is shown at full" in answer.text
    )
    assert client.get(f"{NEURON}/paper?paper=3").status_code == 404
    assert "As on paper" not in sound(f"{NEURON}", client.application).root.text


def test_a_walk_that_ends_on_paper_alone_says_so() -> None:
    found = open_graph(scenario("graph: {expression: log(1 - sigmoid(z)), values: {z: 9}}"))
    assert found.trace.stop is None
    paper = found.on_paper(2)
    here = GraphContext(paper, GraphView(paper=2))
    last = graph_step_page(here, len(here.walk))
    assert last.stop == (
        "The walk ends on paper at f, from numbers that are rounded to 2 decimals: 0 has no "
        "logarithm. With more decimals it goes on."
    )
    assert [str(one.quantity) for one in drifts(paper)] == ["n1", "n2"]
    assert found.on_paper(8).trace.stop is None
