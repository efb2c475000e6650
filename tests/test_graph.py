"""Computation graphs: values and gradients against PyTorch and central differences, the tree of
every number, both accumulations, what cannot be computed.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from tests.formulas import Maker, forward_work, in_torch, reverse_work
from tests.oracle import INSTALLED, needs_torch
from tutor.engine.array_operations import ARRAY_OPERATIONS
from tutor.engine.graph import (
    Applied,
    Constant,
    Expression,
    Formula,
    Graph,
    GraphError,
    Name,
    quantity,
)
from tutor.engine.graph_trace import GraphTrace, tangents, walked
from tutor.engine.operation import places
from tutor.engine.operations import FUNCTIONS, OPERATIONS
from tutor.engine.order import OVERFLOW
from tutor.engine.tree import evaluate
from tutor.errors import QuantityError
from tutor.scenario.formula_text import parse

SEEDS = range(200)
SIZED = {operation.name for operation in ARRAY_OPERATIONS}
"""Operations that ask for certain shapes: tests/test_array_operations.py."""


def trace_of(formula: Formula, values: Mapping[str, object]) -> GraphTrace:
    arrays = {name: np.array(value, dtype=float) for name, value in values.items()}
    graph = Graph.of(formula, {name: array.shape for name, array in arrays.items()})
    return walked(graph, {node.name: arrays[node.name] for node in graph.values})


def of_text(text: str, values: Mapping[str, object], **names: str) -> GraphTrace:
    inner = {name: parse(formula).expression for name, formula in names.items()}
    return trace_of(Formula(parse(text).expression, inner), values)


def numbers(trace: GraphTrace, *names: str) -> list[float]:
    return [trace.value(trace.graph.parse(name)) for name in names]


def made(seed: int) -> tuple[Formula, dict[str, np.ndarray], GraphTrace]:
    maker = Maker(seed)
    formula = maker.formula()
    return formula, maker.values, trace_of(formula, maker.values)


# ---- known values ----


def test_a_sum_times_a_number_has_the_gradient_of_the_textbook() -> None:
    trace = of_text("(x + y)*z", {"x": -2, "y": 5, "z": -4})
    assert numbers(trace, "f", "df/dx", "df/dy", "df/dz") == [-12, -4, -4, 3]


def test_a_sigmoid_neuron_has_the_gradient_of_the_textbook() -> None:
    values = {"w0": 2, "w1": -3, "w2": -3, "x0": -1, "x1": -2}
    trace = of_text("1/(1 + exp(-(w0*x0 + w1*x1 + w2)))", values)
    names = ("f", "df/dw0", "df/dw1", "df/dw2", "df/dx0", "df/dx1")
    assert [round(n, 2) for n in numbers(trace, *names)] == [0.73, -0.20, -0.39, 0.20, 0.39, -0.59]


def test_inner_nodes_without_a_name_are_counted_in_the_order_of_evaluation() -> None:
    trace = of_text("a*b + exp(q)", {"a": 1, "b": 2}, q="a - b")
    assert [node.name for node in trace.graph.inner] == ["n1", "q", "n2", "f"]
    assert [node.name for node in trace.graph.values] == ["a", "b"]


def test_backward_goes_against_the_order_and_a_value_follows_its_last_use() -> None:
    trace = of_text("(x + y)*z", {"x": -2, "y": 5, "z": -4})
    assert [node.name for node in trace.graph.backward] == ["f", "z", "n1", "x", "y"]


def test_a_value_that_is_used_twice_adds_what_comes_back_and_its_tree_says_so() -> None:
    trace = of_text("x*x + sin(x)", {"x": 0.5})
    (value,) = numbers(trace, "df/dx")
    assert value == pytest.approx(1.0 + np.cos(0.5))
    tree = trace.graph.derivative_entry(trace.graph.by_name["x"], ())
    assert len(tree.children) == 3


def test_only_what_something_to_differentiate_reaches_has_a_derivative() -> None:
    inner = Formula(parse("a*b + exp(c)").expression, {}, ("a",))
    trace = trace_of(inner, {"a": 2, "b": 3, "c": 1})
    assert [node.name for node in trace.graph.backward] == ["f", "n1", "a"]
    with pytest.raises(QuantityError, match="with respect to c"):
        trace.graph.parse("df/dc")


# ---- the oracles ----


@needs_torch
@pytest.mark.parametrize("seed", SEEDS)
def test_values_and_gradients_of_random_formulas_are_those_of_pytorch(seed: int) -> None:
    formula, values, trace = made(seed)
    result, known = in_torch(formula, values)
    result.backward()
    assert float(trace["node:f"]) == pytest.approx(float(result.detach()), rel=1e-10)
    for node in trace.graph.values:
        expected = known[node.name].grad
        assert expected is not None
        found = trace[trace.graph.derivative(node).kind]
        np.testing.assert_allclose(found, expected.numpy(), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("seed", SEEDS[::5])
def test_gradients_of_random_formulas_are_those_of_central_differences(seed: int) -> None:
    _, values, trace = made(seed)
    graph, h = trace.graph, 1e-5
    for node in graph.values:
        for q in node.entries():
            at = tuple(i - 1 for i in (q.i, q.j) if i)
            ends = []
            for way in (h, -h):
                moved = {other.name: np.array(values[other.name]) for other in graph.values}
                moved[node.name][at] += way
                ends.append(float(walked(graph, moved)["node:f"]))
            found = float(trace[graph.derivative(node).kind][at])
            slope = (ends[0] - ends[1]) / (2 * h)
            assert found == pytest.approx(slope, rel=2e-5, abs=2e-5 * max(1.0, abs(ends[0])))


@pytest.mark.parametrize("seed", SEEDS[::5])
def test_the_tree_of_every_number_evaluates_to_the_engines_number(seed: int) -> None:
    _, _, trace = made(seed)
    graph = trace.graph
    for kind, node in trace.computed:
        for q in node.entries(kind):
            at = tuple(i for i in (q.i, q.j) if i)
            trees = (
                [graph.derivative_entry(node, at)]
                if q.of.by
                else [graph.entry(node, at), graph.entry(node, at, written=True)]
            )
            for tree in trees:
                value = float(evaluate(tree, trace))
                assert value == pytest.approx(trace.value(q), rel=1e-12, abs=1e-13), str(q)


def test_a_wrong_local_derivative_would_be_seen() -> None:
    # of the oracle itself: a factor of one in a thousand is more than the tolerance
    assert pytest.approx(1.0, rel=2e-5, abs=2e-5) != 1.001


# ---- each operation ----


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in SIZED])
def test_routes_entry_by_entry_add_up_to_what_is_pulled_back_at_once(name: str) -> None:
    count = min(OPERATIONS[name].least, 2)
    values = {f"a{n}": np.random.default_rng(3 + n).uniform(0.2, 2, (2, 2)) for n in range(count)}
    applied = Applied(name, tuple(map(Name, values)))
    trace = trace_of(Formula(Applied("sum", (applied,))), values)
    for node in trace.graph.values:
        whole = trace[trace.graph.derivative(node).kind]
        for at in places(node.shape):
            entry = float(evaluate(trace.graph.derivative_entry(node, at), trace))
            assert entry == pytest.approx(float(whole[at[0] - 1, at[1] - 1]), rel=1e-12)


@pytest.mark.parametrize(
    ("text", "value", "slope"),
    [
        ("relu(x)", 0, 0),
        ("abs(x)", 0, 0),
        ("max(x, 0)", 0, 0.5),
        ("min(x, 0)", 0, 0.5),
    ],
)
def test_at_a_corner_we_choose_what_pytorch_chooses(text: str, value: float, slope: float) -> None:
    trace = of_text(text, {"x": value})
    assert numbers(trace, "df/dx") == [slope]
    if not INSTALLED:
        return
    import torch

    x = torch.tensor(float(value), dtype=torch.float64, requires_grad=True)
    zero = torch.zeros((), dtype=torch.float64)
    pairs = {"max": torch.maximum, "min": torch.minimum}
    name = text[: text.index("(")]
    result = pairs[name](x, zero) if name in pairs else getattr(torch, name)(x)
    result.backward()
    assert float(x.grad) == slope  # type: ignore[arg-type]


def test_every_operation_speaks_of_itself_in_whole_sentences() -> None:
    for operation in OPERATIONS.values():
        assert operation.about.startswith("It ")
        assert operation.about.endswith(".")
        assert operation.back[0].isupper()
        assert operation.back.endswith(".")
        assert operation.title[0].islower() or operation.title == "ReLU"
    assert set(FUNCTIONS) < set(OPERATIONS)


# ---- forward accumulation and work ----


@pytest.mark.parametrize("seed", SEEDS[::10])
def test_forward_accumulation_gives_the_same_gradient(seed: int) -> None:
    _, _, trace = made(seed)
    graph = trace.graph
    for node in graph.values:
        for q in node.entries():
            back = q._replace(kind=graph.derivative(node).kind)
            found = tangents(trace, q)[quantity("node:f")]
            assert found == pytest.approx(trace.value(back), rel=1e-9, abs=1e-10)


def chain(length: int) -> GraphTrace:
    expression: Expression = Name("x")
    for _ in range(length):
        expression = Applied("tanh", (expression,))
    return trace_of(Formula(expression), {"x": 0.3})


@pytest.mark.parametrize("length", [1, 2, 7])
def test_along_a_chain_both_ways_are_one_product_for_each_node(length: int) -> None:
    graph = chain(length).graph
    assert (reverse_work(graph).products, reverse_work(graph).sums) == (length, 0)
    (work,) = forward_work(graph).values()
    assert (work.products, work.sums) == (length, 0)


@pytest.mark.parametrize("inputs", [2, 3, 10])
def test_with_many_inputs_forward_is_as_many_rounds_and_reverse_is_one(inputs: int) -> None:
    """A sum of squares, then three functions in a row: 2n + 3 edges; one round is 3 + 3 of them."""
    terms = tuple(Applied("**", (Name(f"x{n}"), Constant(2.0))) for n in range(inputs))
    tail: Expression = Applied("+", terms)
    for name in ("sqrt", "sin", "exp"):
        tail = Applied(name, (tail,))
    graph = trace_of(Formula(tail), {f"x{n}": n + 1 for n in range(inputs)}).graph
    assert reverse_work(graph).products == 2 * inputs + 3
    assert {work.products for work in forward_work(graph).values()} == {2 + 3}
    assert len(forward_work(graph)) == inputs


def test_where_two_ways_meet_there_is_one_addition_each_way() -> None:
    graph = of_text("sin(x)*cos(x)", {"x": 1}).graph
    assert (reverse_work(graph).products, reverse_work(graph).sums) == (4, 1)
    (work,) = forward_work(graph).values()
    assert (work.products, work.sums) == (4, 1)


# ---- what cannot be computed ----


@pytest.mark.parametrize(
    ("text", "values", "at", "words"),
    [
        ("x/y", {"x": 1, "y": 0}, "f", "denominator is 0"),
        ("x/y", {"x": 0, "y": 0}, "f", "denominator is 0"),
        ("log(x)", {"x": -2}, "f", "logarithm of a negative number, −2, is not"),
        ("log(x)", {"x": 0}, "f", "0 has no logarithm"),
        ("sqrt(x) + 1", {"x": -1}, "n1", "square root of a negative number, −1, is"),
        ("sqrt(x)", {"x": 0}, "df/dx", "no finite derivative at 0"),
        (
            "x**y",
            {"x": -8, "y": 1 / 3},
            "f",
            "the negative number −8 has no real power with the exponent 0.333",
        ),
        ("x**-1", {"x": 0}, "f", "0 to the power of −1 divides by 0"),
        ("x**y", {"x": -2, "y": 2}, "df/dy", "logarithm of the base"),
    ],
)
def test_a_number_that_cannot_be_had_stops_the_walk_with_its_reason(
    text: str, values: dict[str, float], at: str, words: str
) -> None:
    trace = of_text(text, values)
    assert trace.stop is not None
    assert str(trace.stop.quantity) == at
    found = trace.trouble(trace.stop.quantity)
    assert found is not None
    assert words in found[1]


def test_an_overflow_stops_the_walk_and_blames_no_operation() -> None:
    trace = of_text("exp(x) + x", {"x": 1000})
    assert trace.stop is not None
    assert (str(trace.stop.quantity), trace.stop.why) == ("n1", OVERFLOW)
    assert trace.trouble(trace.stop.quantity) is None


def test_infinity_minus_infinity_is_not_reached_since_the_walk_stops_before() -> None:
    trace = of_text("exp(x) - exp(x)", {"x": 1000})
    assert trace.stop is not None
    assert str(trace.stop.quantity) == "n1"


@pytest.mark.parametrize(
    ("text", "values", "words"),
    [
        ("sum(a*b)", {"a": [1, 2], "b": [1, 2, 3]}, "a list of 2 and a list of 3"),
        ("a*2", {"a": [1, 2]}, "a list of 2, but only a single number"),
        ("sum(a + b)", {"a": [[1, 2]], "b": [1, 2]}, "1×2 and a list of 2"),
    ],
)
def test_shapes_that_do_not_fit_are_said_with_both(
    text: str, values: dict[str, object], words: str
) -> None:
    with pytest.raises(GraphError, match=words):
        of_text(text, values)


def test_names_that_go_round_in_a_circle_are_said() -> None:
    with pytest.raises(GraphError, match="a → b → a"):
        of_text("a + x", {"x": 1}, a="b + x", b="a + x")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("q9", "did you mean|there are"),
        ("v", "its last number is v\\[2\\]"),
        ("v[3]", "its last number is v\\[2\\]"),
        ("x[1]", "no index"),
        ("df/dv[1,1]", "last number"),
        ("dg/dx", "no dg/dx"),
    ],
)
def test_a_name_that_the_graph_does_not_have_is_refused_with_what_it_has(
    name: str, words: str
) -> None:
    graph = of_text("sum(v)*x", {"v": [1, 2], "x": 3}).graph
    with pytest.raises(QuantityError, match=words):
        graph.parse(name)


def test_names_are_read_back_as_they_are_written() -> None:
    trace = of_text("sum(M*k)", {"M": [[1, 2], [3, 4]], "k": 2})
    for kind, node in (*((n.kind, n) for n in trace.graph.values), *trace.computed):
        for q in node.entries(kind):
            assert trace.graph.parse(str(q)) == q


def test_a_formula_as_deep_as_it_is_long_is_walked() -> None:
    trace = chain(1_500)
    assert len(trace.graph.inner) == 1_500
    assert trace.stop is None
