"""Pages of formulas: every step in every grain, what if, links that hold, the picture, limits."""

from __future__ import annotations

import json
import random
import re
import time
from itertools import pairwise
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from flask.testing import FlaskClient

from app import create_app
from tests.htmltree import read
from tests.oracle import INSTALLED
from tests.visiting import get
from tutor.draw.graph_layout import MOST_DRAWN, PART, _whole, laid_out
from tutor.engine.graph import Graph
from tutor.engine.graph_work import totals
from tutor.engine.tree import Rounded, evaluate
from tutor.lesson.calculator import enough
from tutor.lesson.graph_lesson import GraphLesson, open_graph
from tutor.number import gives, rounded
from tutor.pages import accumulation
from tutor.pages.faces import face
from tutor.pages.graph_context import GraphContext
from tutor.pages.graph_view import GraphView
from tutor.scenario import reader
from tutor.scenario.graph_file import graph_of
from tutor.scenario.reader import GraphScenario

FOLDERS = [Path(__file__).parents[1] / "scenarios" / name for name in ("graphs", "operations")]
FILES = [file for folder in FOLDERS for file in sorted(folder.glob("*.yaml"))]
CROSSINGS = {"used-twice": 1, "recurrent-cell": 2, "recurrent-vector": 2, "attention-head": 2}
"""Where edges have to cross."""
GRAINS = ("number", "layer", "pass")
ARRAYS = """\
format: 1
title: Arrays
graph:
  expression: sum(r*r)/2 + mean(max(v, 1))
  names: {r: M*k - N}
  values: {M: [[1, 2], [3, 4]], N: [[0, 1], [1, 0]], k: 0.5, v: [1, 2, 3]}
"""


def large(nodes: int) -> str:
    """A formula of about so many nodes, with values that are used again and again."""
    draw = random.Random(5)
    values = [f"x{n}" for n in range(40)]
    known, names = list(values), {}
    while 4 * len(names) < nodes - 60:
        a, b, c = (draw.choice(known[-60:]) for _ in range(3))
        names[f"h{len(names)}"] = f"tanh({a}*{b}) - sin({c})"
        known.append(f"h{len(names) - 1}")
    inner = "".join(f"    {name}: {text}\n" for name, text in names.items())
    given = ", ".join(f"{name}: {draw.uniform(-1, 1):.2f}" for name in values)
    total = " + ".join(known)
    return (
        f"format: 1\ntitle: Large\ngraph:\n  expression: {total}\n  names:\n{inner}"
        f"  values: {{{given}}}\n"
    )


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    folder = tmp_path_factory.mktemp("shelf")
    (folder / "arrays.yaml").write_text(ARRAYS)
    (folder / "stop.yaml").write_text(
        "format: 1\ntitle: Stop\ngraph:\n  expression: log(x)*y\n  values: {x: -1, y: 2}\n"
    )
    (folder / "large.yaml").write_text(large(1_900))
    return create_app(*FOLDERS, folder).test_client()


def lesson(file: Path) -> GraphLesson:
    found = reader.load(file)
    assert isinstance(found, GraphScenario)
    return open_graph(found)


def of_text(text: str) -> GraphContext:
    found = reader.parse(text, "a.yaml")
    assert isinstance(found, GraphScenario)
    return GraphContext(open_graph(found), GraphView())


# ---- every step ----


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("name", [*[file.stem for file in FILES], "arrays"])
def test_every_step_is_sound_markup_with_links_that_hold(
    name: str, grain: str, client: FlaskClient
) -> None:
    first = client.get(f"/lessons/{name}/steps/1?grain={grain}")
    total = int(re.search(r'data-total="(\d+)"', first.text)[1])  # type: ignore[index]
    for n in range(1, total + 1):
        address = f"/lessons/{name}/steps/{n}?grain={grain}"
        answer = client.get(address, headers={"HX-Request": "true"})
        assert answer.status_code == 200
        assert read(answer.text).problems == []
        assert "NaN" not in answer.text
        next_ = re.search(r'id="next" href="([^"]+)"', answer.text)
        assert (next_ is None) == (n == total)
        if next_:
            there = urlsplit(urljoin(address, next_[1].replace("&amp;", "&")))
            assert there.path.endswith(f"/{n + 1}")
            assert there.query == f"grain={grain}" * (grain != "number")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_calculator_gets_the_shown_results_from_the_shown_numbers(file: Path) -> None:
    found = lesson(file)
    context = GraphContext(found, GraphView())
    for n in range(1, len(context.walk) + 1):
        q = context.walk.anchor(n)
        tree, value = context.formulas.trees(q)[0], context.trace.value(q)
        digits = enough(tree, value, context.trace, context.decimals)
        shown = Rounded(
            context.trace, lambda v, more=digits.more: rounded(v, context.decimals, more)
        )
        assert digits.give
        assert gives(float(evaluate(tree, shown)), value, context.decimals)


def test_a_step_tells_formula_numbers_and_what_is_not_there_yet(client: FlaskClient) -> None:
    text = client.get("/lessons/sum-times/steps/5").text
    assert "Derivative with respect to q" in text
    assert 'data-q="df/dq"' in text
    assert "product passes back the derivative times the other input" in text
    assert text.count('class="todo">not yet') == 2  # of x and y
    assert '<path class="todo" data-q="df/dx"' in text
    assert "Diagram of the computation graph" in text


def test_a_value_that_is_used_twice_says_so(client: FlaskClient) -> None:
    text = client.get("/lessons/used-twice/steps/8").text
    assert "x is used 2 times, by n1 and f" in text


def test_a_walk_that_cannot_go_on_says_why_at_its_last_step(client: FlaskClient) -> None:
    text = client.get("/lessons/stop/steps/1").text
    assert "the logarithm of a negative number, −1, is not a real number" in text
    assert client.get("/lessons/stop/steps/2").status_code == 404
    assert client.get("/lessons/stop/accumulation").status_code == 404


# ---- the pages around the steps ----


@pytest.mark.parametrize("name", ["neuron-error", "arrays", "large", "stop"])
def test_the_pages_of_a_formula_are_sound(name: str, client: FlaskClient) -> None:
    pages = [
        "",
        "/export",
        "/export?kind=worksheet",
        "/export?kind=numpy",
        "/share",
        "/share?step=1",
    ]
    if name != "stop":
        pages.append("/accumulation")
    for page in pages:
        answer = client.get(f"/lessons/{name}{page}")
        assert answer.status_code == 200, page
        assert read(answer.text).problems == [], page
    assert read(client.get(f"/embed/lessons/{name}/steps/1").text).problems == []
    assert read(client.get(f"/open?from={name}").text).problems == []


def test_what_only_networks_have_says_so(client: FlaskClient) -> None:
    for page in ("training", "slides", "steps/1/chain"):
        answer = client.get(f"/lessons/neuron-error/{page}")
        assert answer.status_code == 404
        assert "only networks have such a page" in answer.text
    assert "for which the form has no fields" in client.get("/build?from=neuron-error").text
    refused = client.get("/lessons/neuron-error/export/numpy-run")
    assert refused.status_code == 404
    assert "a formula has no training run in numpy" in refused.text


def test_the_first_page_shows_formulas_among_the_lessons(client: FlaskClient) -> None:
    text = client.get("/").text
    assert "graph of 12 nodes" in text
    assert "/lessons/neuron-error" in text


def test_both_ways_may_take_the_same_work(client: FlaskClient) -> None:
    text = client.get("/formula/accumulation?expression=max(x,+y)&x=2&y=2").text
    assert "here both take the same number of multiplications" in text
    assert "1 times" not in text


def test_the_accumulation_page_has_both_ways_and_their_work(client: FlaskClient) -> None:
    text = client.get("/lessons/sum-times/accumulation").text
    assert "3 rounds" in text
    assert "Forward goes through the graph once for each of the 3 inputs" in text
    columns = re.findall(r'<td data-q="[^"]*">([^<]+)</td>', text)
    assert columns[-3:] == ["−4", "−4", "3"]


# ---- what if ----


def test_a_changed_value_becomes_an_address_and_every_step_follows(client: FlaskClient) -> None:
    answer = client.post("/lessons/sum-times/steps/2/change", data={"x": "1", "z": "-4"})
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/lessons/sum-times/steps/2?x=1"
    text = client.get(answer.headers["Location"]).text
    assert "What was changed" in text
    assert "With the lesson’s own numbers this was <del>−12</del>" in text
    assert "−24" in text


def test_an_entry_of_a_list_is_changed_by_its_place(client: FlaskClient) -> None:
    text = client.get("/lessons/arrays/steps/1?M[1,2]=5&v[3]=9").text
    assert text.count('class="reset"') == 3
    refused = client.get("/lessons/arrays/steps/1?M[3,1]=5&v=1").text
    assert "M[3,1]” is not changed" in refused
    assert "v” is not changed" in refused


def test_what_cannot_be_taken_is_said_beside_its_field(client: FlaskClient) -> None:
    answer = client.post("/lessons/sum-times/steps/2/change", data={"x": "ten"})
    assert answer.status_code == 422
    assert "is not a number" in answer.text
    assert 'id="problem-if-x"' in answer.text
    many = client.post("/lessons/large/steps/2/change", data={"name": "h1", "value": "3"})
    assert many.status_code in {303, 422}


def test_nonsense_in_an_address_is_told_and_the_page_is_there(client: FlaskClient) -> None:
    for query in ("zz=1", "x=abc", "grain=bits", "decimals=99", "x=1&x=2", "expression=1", "x="):
        answer = client.get(f"/lessons/sum-times/steps/1?{query}")
        assert answer.status_code == 200
        assert 'class="notice"' in answer.text, query
    assert client.get("/lessons/sum-times/export/numpy?zz=1").status_code == 400


def test_a_change_that_makes_the_walk_shorter_shows_its_end(client: FlaskClient) -> None:
    text = client.get("/lessons/sigmoid-circuit/steps/19?w2=-2000").text
    assert "larger than a 64-bit number can hold" in text


# ---- size ----


def test_a_large_graph_opens_collapsed(client: FlaskClient) -> None:
    for page in ("", "/steps/1", "/steps/1500", "/steps/1?grain=pass"):
        began = time.process_time()
        answer = client.get(f"/lessons/large{page}")
        assert answer.status_code == 200
        assert len(answer.data) < 130_000
        assert "not drawn" in answer.text
        assert answer.text.count("<rect class") < 3 * PART
        assert time.process_time() - began < 30  # a loop without an end, no speed
    text = client.get("/lessons/large/steps/1?grain=pass").text
    assert "the first 18 and the last 6" in text


# ---- the picture ----


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_lessons_are_drawn_without_crossings_and_always_the_same(file: Path) -> None:
    graph = lesson(file).trace.graph
    layout = laid_out(graph)
    assert layout == _whole.__wrapped__(graph), "made again it is the same"
    assert layout.left_out == 0
    assert set(layout.spots) == set(graph.nodes)
    assert layout.crossings <= CROSSINGS.get(file.stem, 0)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_edges_go_to_the_right_and_nodes_do_not_touch(file: Path) -> None:
    graph = lesson(file).trace.graph
    layout = laid_out(graph)
    for wire in layout.wires:
        xs = [x for x, _ in wire.points]
        assert xs == sorted(set(xs))
    spots = sorted(layout.spots.values())
    for (x, y), (x2, y2) in pairwise(spots):
        assert x != x2 or y2 - y >= 70


def test_of_a_large_graph_a_part_round_the_step_is_drawn() -> None:
    found = reader.parse(large(1_000), "a.yaml")
    assert isinstance(found, GraphScenario)
    graph: Graph = graph_of(found.graph)
    assert len(graph.nodes) > MOST_DRAWN
    layout = laid_out(graph, ("node:h7",))
    assert "node:h7" in layout.spots
    assert len(layout.spots) <= PART
    assert layout.left_out == len(graph.nodes) - len(layout.spots)


def test_what_is_not_computed_yet_is_empty_and_never_0() -> None:
    context = of_text("format: 1\ntitle: T\ngraph: {expression: x*y, values: {x: 0, y: 3}}\n")
    page = face(context.source).step(context, 1, ())
    svg = str(page.diagram)
    assert 'data-q="df/dx"' in svg
    assert re.search(r'<path class="todo" data-q="df/dx"', svg)
    assert not re.search(r'<text[^>]*data-q="df/d', svg)
    assert re.search(r'<text[^>]*data-q="f"[^>]*>0</text>', svg)


def test_a_long_name_fits_into_its_node() -> None:
    context = of_text(
        "format: 1\ntitle: T\ngraph: {expression: softplus(a_rather_long_name_here), "
        "values: {a_rather_long_name_here: 0}, result: another_long_result}\n"
    )
    svg = str(face(context.source).step(context, 1, ()).diagram)
    assert "…" in svg
    assert "another_long_result: softplus" in svg


# ---- files ----


def test_the_scripts_and_the_data_of_every_lesson_are_right(client: FlaskClient) -> None:
    for name in (*[file.stem for file in FILES], "arrays"):
        for kind in ("numpy", "torch"):
            text = client.get(f"/lessons/{name}/export/{kind}").text
            scope: dict[str, object] = {"print": lambda *_: None}
            code = compile(text, f"{name}.{kind}", "exec")
            if kind == "numpy" or INSTALLED:
                exec(code, scope)  # noqa: S102 - our own script
        data = json.loads(client.get(f"/lessons/{name}/export/json").text)
        rows = client.get(f"/lessons/{name}/export/csv").text.splitlines()
        assert len(rows) == len(data["quantities"]) + 1
        book = json.loads(client.get(f"/lessons/{name}/export/notebook").text)
        assert {cell["cell_type"] for cell in book["cells"]} == {"markdown", "code"}


def test_a_script_of_a_walk_that_ends_early_says_why() -> None:
    for kind in ("numpy", "torch", "notebook"):
        text = get(f"/formula/export/{kind}?expression=log(x)*y&x=-2&y=1").text
        said = " ".join(text.replace("\n# ", " ").split())
        assert "The walk ends at n1: the logarithm of a negative number" in said


def test_the_documents_have_every_step_and_a_worksheet_has_no_results(client: FlaskClient) -> None:
    solution = client.get("/lessons/neuron-error/export/html").text
    assert solution.count('<article class="step') == 15
    assert "0.2115" in solution
    sheet = client.get("/lessons/neuron-error/export/worksheet").text
    assert "0.2115" not in sheet
    assert 'class="blank"' in sheet
    key = client.get("/lessons/neuron-error/export/key").text
    assert "0.2115" in key
    assert "answer" in key
    tex = client.get("/lessons/neuron-error/export/latex").text
    assert tex.isascii()
    assert tex.count("\\step*{") == 15
    assert "\\frac{\\mathrm{d} f}{\\mathrm{d} q}" in tex


def counts_on(text: str) -> list[str]:
    return re.findall(r"<th scope=\"row\">(?:path by path|forward|reverse)</th>.*", text)


def test_of_forward_accumulation_the_columns_stand_that_are_not_too_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = "/lessons/matrix-product/accumulation"
    whole = get(address).text
    file = FOLDERS[1] / "matrix-product.yaml"
    carried = totals(of_text(file.read_text(encoding="utf-8")).graph, 8).carried
    monkeypatch.setattr(accumulation, "MOST_CARRIED", carried[1])
    part = get(f"{address}?decimals=3").text
    assert counts_on(part) == counts_on(whole)
    assert (
        f"would multiply by {carried[2]:,} local derivatives; the limit here is {carried[1]:,}."
        in part
    )
    monkeypatch.setattr(accumulation, "MOST_CARRIED", carried[0] - 1)
    nothing = get(f"{address}?decimals=5").text
    assert counts_on(nothing) == counts_on(whole)
    assert "Forward: the derivative of each node" in whole
    assert "Forward: the derivative of each node" in part
    assert "Forward: the derivative of each node" not in nothing
    assert f"the limit here is {carried[0] - 1:,}. The table below" in nothing
    assert "Reverse: with respect to each node" in nothing


def test_paths_that_nobody_could_list_are_counted() -> None:
    names = "".join(f"&h{n}=h{n - 1}*h{n - 1}" for n in range(1, 100))
    text = get(f"/formula/accumulation?expression=h99*h99&h0=x%2By&x=0.5&y=0.5{names}").text
    assert "<td>about 2.54e30 paths</td>" in text
    assert "<td>202</td>" in text
    assert "Path by path would take" in text
