"""The computation graph of a network: its nodes are the arrays of the trace, its edges what the
formulas are made of, and the page says all of it in words too.
"""

from __future__ import annotations

import re
from collections import Counter
from math import comb
from pathlib import Path

import pytest

from tests.htmltree import Element
from tests.visiting import context, deep_network, get, library, page
from tutor.draw.layer_graph import Box, Figures, _laid_out, draw_boxes
from tutor.engine.kinds import GRADIENT, LOSS
from tutor.engine.layer_graph import (
    FIRST_UNITS,
    FULL,
    MOST_OPENED,
    MOST_UNITS,
    OTHER,
    ROWS,
    Block,
    Edge,
    LayerGraph,
    layer_graph,
)
from tutor.engine.quantity import Quantity
from tutor.engine.trace import Trace
from tutor.engine.users import operands_of
from tutor.lesson.walk import Lesson, open_lesson
from tutor.pages.context import Context
from tutor.pages.layer_graph_page import GraphAsked, _Maker, layer_graph_page
from tutor.pages.view import View
from tutor.scenario import reader
from tutor.scenario.reader import Scenario

ROOT = Path(__file__).parents[1] / "scenarios"
FILES = [*sorted(ROOT.glob("*.yaml")), *sorted((ROOT / "training").glob("*.yaml"))]
CROSSINGS = {"lifestyle-penalty": 1}
"""A norm of all weights takes them at once, in whatever layer they are; the others have none."""
SIGMOID, SOFTMAX, XOR = (f"/lessons/{n}/graph" for n in ("1-2-3-1-sigmoid", "3-2-3-softmax", "xor"))


def lesson(file: Path) -> Lesson:
    found = reader.load(file)
    assert isinstance(found, Scenario)
    return open_lesson(found).from_raw


def graphs(trace: Trace) -> list[LayerGraph]:
    """The graph with all layers collapsed, with each alone open, with all of them open."""
    layers = range(1, trace.network.depth + 1)
    return [layer_graph(trace, opened) for opened in ((), *((n,) for n in layers), tuple(layers))]


def members(trace: Trace, block: Block, sample: int) -> list[Quantity]:
    """The numbers of a node, one by one."""
    first = block.quantity(sample if trace.samples > 1 else 0)
    units = range(block.units[0], block.units[1] + 1)
    inputs = range(block.inputs[0], block.inputs[1] + 1)
    return [first._replace(i=i, j=j) for i in units for j in inputs]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_numbers_of_every_node_are_those_of_the_trace(file: Path) -> None:
    trace = lesson(file).trace
    sample = trace.samples
    for graph in graphs(trace):
        whole = [block for block in graph.nodes if block.of.role != "source"]
        for block in whole:
            numbers = [trace.value(q) for q in members(trace, block, sample)]
            assert graph.numbers(block, sample).ravel().tolist() == numbers, block
            found = graph.derivative(block, sample)
            kind = GRADIENT.get("a" if block.kind == "x" else block.kind)
            if block.of.phase == LOSS or found is None:
                continue
            assert kind is not None
            own = [q._replace(kind=kind) for q in members(trace, block, sample)]
            assert found.ravel().tolist() == pytest.approx(
                [trace.value(q) for q in own], nan_ok=True
            )
        learned = [b for b in whole if (GRADIENT.get(b.kind), b.layer) in trace]
        assert all(graph.derivative(b, sample) is not None for b in learned)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_edges_of_every_node_lead_from_what_its_formula_names(file: Path) -> None:
    trace = lesson(file).trace
    sample = 1 if trace.samples > 1 else 0
    for graph in graphs(trace):
        owner = {q: b for b in graph.nodes if b.of.role != "source" for q in members(trace, b, 1)}
        for block, edges in graph.nodes.items():
            if not edges or block.of.feature:
                continue
            named = {
                owner[other]
                for q in members(trace, block, 1)
                for other in operands_of(trace, q)
                if other in owner and (not other.sample or other.sample == sample)
            }
            found = {edge.source for edge in edges}
            assert found == named, f"{block}: {found ^ named}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_numbers_on_edges_give_what_the_backward_pass_computes(file: Path) -> None:
    trace = lesson(file).trace
    checked = 0
    for graph in graphs(trace):
        for block, edges in graph.uses.items():
            if _by_edges(graph, block, edges):
                checked += 1
    assert checked or trace.blocked, "no number was checked"


def _by_edges(graph: LayerGraph, block: Block, edges: tuple[Edge, ...]) -> bool:
    """Compare the derivative of a number with the sum over its edges, where all have a number."""
    trace, sample = graph.trace, 1 if graph.trace.samples > 1 else 0
    own = graph.derivative(block, 1)
    if own is None or not block.single or not edges or (block.of.parameter and sample):
        return False
    total = 0.0
    for edge in edges:
        behind, q = graph.derivative(edge.target, 1), edge.entry(sample)
        factor = graph.number(edge, 1)
        local = trace.value(q) if q is not None else factor
        if behind is None or local is None or not edge.target.single or edge.local.form == OTHER:
            return False
        total += float(behind[0, 0]) * local
    assert total == pytest.approx(float(own[0, 0]), rel=1e-9, abs=1e-12), block
    return True


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_collapsed_network_is_drawn_without_crossings_and_always_the_same(file: Path) -> None:
    found = library().network(lesson(file).scenario, View())
    boxes = _boxes(found)
    layout = _laid_out(boxes)
    assert layout == _laid_out(boxes)
    assert set(layout.spots) == set(boxes)
    assert layout.crossings <= CROSSINGS.get(file.stem, 0)
    for x, y in layout.spots.values():
        assert 0 < x < layout.width
        assert 0 < y < layout.height


def _boxes(found: Context) -> dict[str, Box]:
    return _Maker(found, GraphAsked()).boxes()


def test_the_arrays_of_each_layer_are_nodes() -> None:
    def kinds(name: str) -> list[str]:
        return [f"{b.kind}{b.layer or ''}" for b in layer_graph(lesson(ROOT / name).trace).nodes]

    assert kinds("1-2-3-1-sigmoid.yaml") == [
        "x", "w1", "b1", "z1", "a1", "w2", "b2", "z2", "a2", "w3", "b3", "z3", "a3", "y", "loss",
    ]  # fmt: skip
    assert {"d1", "mask1"} <= set(kinds("training/lifestyle-dropout.yaml"))
    assert {"r1", "r6", "loss@"} <= set(kinds("training/deep-residual.yaml"))
    penalised = set(kinds("training/lifestyle-penalty.yaml"))
    assert {"raw", "mean", "sd", "wnorm", "l2", "penalty", "data_loss", "loss"} <= penalised


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_crossings_of_opened_layers_are_those_of_layers_that_are_dense(file: Path) -> None:
    """Where each of a units leads to each of b, every two of both cross once, however they stand."""
    if file.stem in {"lifestyle-penalty", "deep-residual"}:
        pytest.skip("a norm of all weights, and skips, cross what is between")
    found = library().network(lesson(file).scenario, View())
    for graph in graphs(found.trace):
        boxes = _Maker(found, GraphAsked(graph.opened)).boxes()
        sizes = Counter((b.kind, b.layer) for b in graph.nodes)
        dense = {
            (edge.source.kind, edge.source.layer, block.kind, block.layer)
            for block, edges in graph.nodes.items()
            for edge in edges
            if edge.local.form in {ROWS, FULL}
        }
        needed = sum(comb(sizes[a, n], 2) * comb(sizes[b, m], 2) for a, n, b, m in dense)
        assert _laid_out(boxes).crossings == needed, graph.opened


def test_an_output_has_the_derivative_of_its_loss_as_a_number_on_its_edge() -> None:
    for name in ("1-2-3-1-sigmoid", "one-weight", "xor"):
        found = tables(f"/lessons/{name}/graph")[1]
        local = next(cells[1] for cells in found if "of the loss formula" in cells[2])
        assert re.fullmatch(r"−?\d+(\.\d+)?", local), name
    trace = context("xor").trace
    graph = layer_graph(trace)
    edge = next(e for edges in graph.nodes.values() for e in edges if e.local.form == "loss")
    for s in range(1, trace.samples + 1):
        own = graph.derivative(edge.source, s)
        assert own is not None
        assert graph.number(edge, s) == pytest.approx(float(own[0, 0]) * trace.samples)


def test_what_a_loss_is_added_up_from_has_the_product_of_its_factors() -> None:
    trace = lesson(ROOT / "training" / "lifestyle-penalty.yaml").trace
    graph = layer_graph(trace)
    found = {b.kind: graph.derivative(b, 1) for b in graph.nodes}
    single = {
        kind: float(value[0, 0])
        for kind, value in found.items()
        if value is not None and value.size == 1
    }
    assert single["loss"] == single["data_loss"] == single["penalty"] == 1
    assert single["loss@"] == pytest.approx(1 / trace.samples)
    assert single["wnorm"] == trace.knobs["l2"]
    assert found["y"] is found["l2"] is found["raw"] is None


# ---- large layers ----


def large() -> str:
    layers = "".join(
        f"\n    - {{units: {n}, activation: relu, init: {{scheme: he, seed: {n}}}}}"
        for n in (128, 64, 10)
    )
    return (
        f"format: 1\ntitle: Digits\nabout: Large.\ncourse: Test\nnetwork:\n  inputs: 784\n  layers:{layers}\n"
        f"  loss: {{name: squared_error}}\ndata:\n  inputs: [{[0.5] * 784}]\n  targets: [{[0.1] * 10}]\n"
        "training: {learning_rate: 0.1}\n"
    )


@pytest.mark.parametrize("opened", [(), (1,), (2,), (3,), (1, 2, 3)])
def test_a_large_network_opens_collapsed_and_an_open_layer_says_what_it_leaves_out(
    opened: tuple[int, ...],
) -> None:
    found = reader.parse(large(), "large.yaml")
    assert isinstance(found, Scenario)
    made = layer_graph_page(library().network(found, View()), GraphAsked(opened))
    said = " ".join(made.about)
    assert "784×128" in str(made.diagram) or "128×784" in str(made.diagram) or 1 in opened
    assert "‖·‖" in said
    assert len(str(made.diagram)) < 72_000
    assert len(made.nodes) <= 15 + MOST_OPENED
    for layer, units in ((1, 128), (2, 64), (3, 10)):
        assert (f"Of the {units} units" in said) == (layer in opened)
    assert ("share theirs" in said) == bool(opened)


def test_the_units_that_are_left_share_nodes_and_no_unit_is_forgotten() -> None:
    found = reader.parse(large(), "large.yaml")
    assert isinstance(found, Scenario)
    graph = layer_graph(open_lesson(found).trace, (1,))
    for kind in ("z", "a", "b", "w"):
        spans = [b.units for b in graph.nodes if (b.kind, b.layer) == (kind, 1)]
        assert spans == [*((i, i) for i in range(1, FIRST_UNITS + 1)), (FIRST_UNITS + 1, 128)]
    assert FIRST_UNITS < MOST_UNITS


def test_layers_for_which_there_is_no_room_stay_closed_and_the_page_says_so() -> None:
    asked = tuple(range(1, 8))
    made = layer_graph_page(library().network(deep_network(30, 6, 6), View()), GraphAsked(asked))
    assert any("stays closed" in notice for notice in made.notices)
    assert len(made.nodes) < 130 + MOST_OPENED


# ---- the page ----


def test_the_page_names_every_node_and_edge_in_its_tables() -> None:
    nodes, edges = tables(SIGMOID)
    first = [cells[0] for cells in nodes][:3]
    assert first == ["Input", "Weights of hidden layer 1", "Biases of hidden layer 1"]
    graph = layer_graph(context("1-2-3-1-sigmoid").trace)
    assert len(nodes) == len(graph.nodes)
    assert len(edges) == sum(map(len, graph.nodes.values()))


def rows(table: Element) -> list[list[str]]:
    """The cells of each row, its header apart."""
    return [[td.text for td in tr.all("td")] for tr in table.all("tr")][1:]


def tables(address: str) -> list[list[list[str]]]:
    """The tables of the nodes and of the edges."""
    return [rows(table) for table in page(address).root.all("table", cls="ledger")]


def row(address: str, title: str) -> list[str]:
    """The cells of the node that is called so."""
    return next(cells for cells in tables(address)[0] if title in cells)


def test_the_numbers_belong_to_the_sample_the_iteration_and_the_changes_of_the_address() -> None:
    assert row(SIGMOID, "Output")[4] == "0.7739"
    assert row(f"{SIGMOID}?w[3][1,1]=2", "Output")[4] != "0.7739"
    later = context("1-2-3-1-sigmoid", View(iteration=3)).trace
    assert row(f"{SIGMOID}?iteration=3&decimals=6", "Output")[4] == f"{later.outputs[0, 0]:.6f}"
    for s in (1, 2):
        value = context("xor").trace.outputs[s - 1, 0]
        text = row(f"{XOR}?sample={s}&decimals=8", f"Output, sample {s}")[4]
        assert float(text.replace("−", "-")) == pytest.approx(value, abs=1e-8)


def test_an_open_layer_has_its_units_singly_and_a_link_that_closes_it() -> None:
    text = get(f"{SIGMOID}?open=2").text
    for name in ("z[2][1]", "a[2][3]", "w[2][1,2]", "b[2][2]"):
        assert f"/lessons/1-2-3-1-sigmoid/quantities/{name}" in text.replace("%5B", "[").replace(
            "%5D", "]"
        ).replace("%2C", ",")
    assert "Close hidden layer 2" in text
    assert "Open hidden layer 1" in text
    assert "Each of the 3 units of hidden layer 2 has nodes of its own." in text


def layer_links(address: str) -> dict[str, str]:
    """The links that open and close layers, with where they lead."""
    nav = page(address).root.one("nav", id="layers")
    return {a.text: a.attributes["href"] for a in nav.all("a")}


@pytest.mark.parametrize("address", [f"{SIGMOID}?open=1,2,3", f"{SOFTMAX}?open=1", XOR])
def test_every_link_of_the_picture_says_where_it_leads(address: str) -> None:
    (picture,) = page(address).root.all("figure")
    names = [a.attributes["aria-label"] for a in picture.all("a")]
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_the_link_on_an_edge_says_which_derivative_it_is() -> None:
    text = get(f"{SOFTMAX}?open=1").text
    said = "Local derivative of q 1 with respect to v 1 1: what the weight is multiplied by"
    assert f'aria-label="{said}"' in text


def test_all_layers_open_and_close_at_once() -> None:
    closed = layer_links(SIGMOID)
    assert closed["Open all layers"] == f"{SIGMOID}?open=all#layers"
    assert "Close all layers" not in closed
    everything = get(f"{SIGMOID}?open=all").text
    for layer in ("hidden layer 1", "hidden layer 2", "the output layer"):
        assert f"Close {layer}" in everything
    opened = layer_links(f"{SIGMOID}?open=1,2,3")
    assert opened["Close all layers"] == f"{SIGMOID}#layers"
    assert "Open all layers" not in opened
    two = layer_links(f"{SOFTMAX}?open=2")
    assert two["Open the hidden layer"].startswith(f"{SOFTMAX}?open=all")
    assert "Open all layers" not in two
    assert "layers" not in "".join(layer_links("/lessons/one-weight/graph"))


@pytest.mark.parametrize("address", [
    SIGMOID, f"{SIGMOID}?open=all", f"{SOFTMAX}?open=2&sample=1", f"{XOR}?sample=3&open=1",
    "/lessons/lifestyle-penalty/graph?scaling=steps&open=1", "/lessons/lifestyle-dropout/graph?open=1",
    "/lessons/deep-residual/graph?iteration=2", "/lessons/perceptron-step/graph",
])  # fmt: skip
def test_every_link_of_the_page_leads_somewhere(address: str) -> None:
    found = page(address)
    links = {a.attributes["href"] for a in found.root.all("a") if "href" in a.attributes}
    here = [href for href in links if href.startswith("/lessons/")]
    assert here
    for href in here:
        assert get(href).status_code in {200, 302}, href
    tags = [*found.root.all("tr"), *found.root.all("div")]
    ids = {tag.attributes["id"] for tag in tags if "id" in tag.attributes}
    assert {"nodes", "edges"} <= {href[1:] for href in links if href.startswith(("#node", "#edge"))}
    assert {href[1:] for href in links if href.startswith(("#node", "#edge"))} <= ids


def test_nonsense_in_the_address_is_ignored_with_what_would_be_right() -> None:
    text = get(f"{SIGMOID}?open=9,two&sample=4").text
    assert "There is no layer “9” to open; this lesson has layers 1 to 3" in text
    assert "There is no layer “two” to open" in text
    assert "sample “4” is too large; expected 1" in text
    alone = get("/lessons/one-weight/graph?open=2").text
    assert "this lesson has only layer 1" in alone
    assert get(f"{SIGMOID}?open={'9' * 5000}").status_code == 200
    assert get("/lessons/nope/graph").status_code == 404


def test_a_formula_goes_to_its_own_whole_graph() -> None:
    answer = get("/lessons/sum-times/graph?z=2")
    assert answer.status_code == 302
    where = answer.headers["Location"]
    assert where.startswith("/lessons/sum-times/steps/2?grain=pass")
    assert "z=2" in where
    assert get(where).status_code == 200


def test_where_a_lesson_ends_early_nothing_behind_it_is_told() -> None:
    text = get("/lessons/perceptron-step/graph").text
    assert "The walk ends at" in text
    nodes = tables("/lessons/perceptron-step/graph")[0]
    weights = next(cells for cells in nodes if "Weights" in cells[0])
    assert weights[5] == "–"


def test_the_first_page_a_step_and_the_page_of_a_number_link_to_the_graph() -> None:
    for address in (
        "/lessons/1-2-3-1-sigmoid", "/lessons/1-2-3-1-sigmoid/steps/33",
        "/lessons/1-2-3-1-sigmoid/quantities/w[2][1,1]", "/lessons/lifestyle-scaled",
    ):  # fmt: skip
        text = get(address).text
        assert re.search(r'href="/lessons/[a-z0-9-]+/graph', text), address
    assert "/graph" not in get("/lessons/1-2-3-1-sigmoid/quantities/w+[2][1,1]").text


# ---- the picture ----


def test_a_picture_tells_boxes_apart_by_shape_and_has_no_script_or_style() -> None:
    words = Figures((("[3×4]",), ("‖·‖ 2",)))
    given = Box(
        "w", "w", given=True, said="Weights", href="#a", above=words, below=Figures(()), joints=()
    )
    svg = str(draw_boxes({"a": given}, "A <title>", "About"))
    assert "A &lt;title&gt;" in svg
    assert 'class="w round"' in svg
    assert "style=" not in svg
    assert "<script" not in svg
