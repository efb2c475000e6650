"""Operations over whole arrays: values and gradients against PyTorch and central differences for
random shapes, the tree of every number, and shapes that do not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from tests.formulas import forward_work, in_torch
from tests.oracle import needs_torch
from tests.test_graph import of_text
from tutor.engine.graph import Formula, GraphError, quantity
from tutor.engine.graph_trace import GraphTrace, tangents, walked
from tutor.engine.operation import places
from tutor.engine.tree import evaluate
from tutor.lesson.graph_formula import GraphFormulaWriter
from tutor.notation.node_names import alphabet
from tutor.scenario.formula_text import FormulaTextError, parse

Case = tuple[str, dict[str, np.ndarray]]
WAYS = range(6)


def _matmul(draw: np.random.Generator) -> Case:
    m, n, p = draw.integers(1, 5, 3)
    shapes = [((m, n), (n, p)), ((m, n), (n,)), ((m,), (m, n)), ((n,), (n,))]
    left, right = shapes[draw.integers(len(shapes))]
    return "sum(c*tanh(a @ b))", {"a": draw.normal(size=left), "b": draw.normal(size=right)}


def _transpose(draw: np.random.Generator) -> Case:
    m, n = draw.integers(1, 5, 2)
    return "sum(c*sin(t(a)))", {"a": draw.normal(size=(m, n))}


def _softmax(draw: np.random.Generator) -> Case:
    m, n = draw.integers(1, 10, 2)
    shape = [(n,), (m, n)][draw.integers(2)]
    return "sum(c*softmax(x))", {"x": 3 * draw.normal(size=shape)}


def _layernorm(draw: np.random.Generator) -> Case:
    m, n = draw.integers(2, 10, 2)
    shape = [(n,), (m, n)][draw.integers(2)]
    return "sum(c*layernorm(x))", {"x": draw.normal(size=shape)}


def _conv1d(draw: np.random.Generator) -> Case:
    k = int(draw.integers(1, 5))
    n, stride, padding = k + draw.integers(0, 8), draw.integers(1, 4), draw.integers(0, k)
    text = f"sum(c*tanh(conv1d(x, k, {stride}, {padding})))"
    return text, {"x": draw.normal(size=n), "k": draw.normal(size=k)}


def _conv2d(draw: np.random.Generator) -> Case:
    kernel = draw.integers(1, 4, 2)
    shape = kernel + draw.integers(0, 4, 2)
    stride, padding = draw.integers(1, 4), draw.integers(0, min(kernel))
    text = f"sum(c*tanh(conv2d(x, k, {stride}, {padding})))"
    return text, {"x": draw.normal(size=shape), "k": draw.normal(size=kernel)}


def _maxpool(draw: np.random.Generator) -> Case:
    axes, size = draw.integers(1, 3), draw.integers(1, 4)
    shape = size + draw.integers(0, 4, axes)
    values = draw.integers(-3, 3, shape) if draw.integers(2) else draw.normal(size=shape)
    return f"sum(c*sin(maxpool(x, {size}, {draw.integers(1, 4)})))", {"x": values.astype(float)}


def _embed(draw: np.random.Generator) -> Case:
    rows = draw.integers(1, 5, draw.integers(1, 5))
    return f"sum(c*sin(embed(E, {', '.join(map(str, rows))})))", {"E": draw.normal(size=(4, 3))}


MAKERS: dict[str, Callable[[np.random.Generator], Case]] = {
    "@": _matmul, "transpose": _transpose, "softmax": _softmax, "layernorm": _layernorm,
    "conv1d": _conv1d, "conv2d": _conv2d, "maxpool": _maxpool, "embed": _embed,
}  # fmt: skip
CASES = [(name, way) for name in MAKERS for way in WAYS]
each = pytest.mark.parametrize(("name", "way"), CASES)


def made(name: str, way: int) -> tuple[str, dict[str, np.ndarray], GraphTrace]:
    """An operation over values of random shapes; c has its shape, so that every entry counts
    differently.
    """
    draw = np.random.default_rng(100 * way + len(name))
    text, values = MAKERS[name](draw)
    values["c"] = np.array(draw.normal())
    inner = of_text(text, values).graph
    operation = next(node for node in inner.inner if node.operation.name == name)
    if operation.shape:
        values["c"] = draw.normal(size=operation.shape)
    return text, values, of_text(text, values)


def entries(trace: GraphTrace) -> Iterator[tuple[object, float, float]]:
    """Each number that is computed: its name, what its tree comes to, the engine's number."""
    for kind, node in trace.computed:
        for at in places(node.shape):
            q = quantity(kind, at)
            if q.of.by:
                trees = [trace.graph.derivative_entry(node, at)]
            else:
                trees = [trace.graph.entry(node, at, written=written) for written in (True, False)]
            for tree in trees:
                yield q, float(evaluate(tree, trace)), trace.value(q)


@needs_torch
@each
def test_values_and_gradients_are_those_of_pytorch(name: str, way: int) -> None:
    text, values, trace = made(name, way)
    result, known = in_torch(Formula(parse(text).expression), values)
    result.backward()
    assert float(trace["node:f"]) == pytest.approx(float(result.detach()), rel=1e-10)
    for node in trace.graph.values:
        expected = known[node.name].grad
        assert expected is not None
        found = trace[trace.graph.derivative(node).kind]
        np.testing.assert_allclose(found, expected.numpy(), rtol=1e-8, atol=1e-10)


@each
def test_gradients_are_those_of_central_differences(name: str, way: int) -> None:
    text, values, trace = made(name, way)
    if name == "maxpool":
        draw = np.random.default_rng(way)
        values["x"] = draw.permutation(values["x"].size).reshape(values["x"].shape) / 3.0
        trace = of_text(text, values)  # without equals: a corner has no derivative to measure
    graph, h = trace.graph, 1e-6
    for node in graph.values:
        for at in np.ndindex(*node.shape):
            ends = []
            for step in (h, -h):
                moved = {key: value.copy() for key, value in values.items()}
                moved[node.name][at] += step
                ends.append(float(walked(graph, moved)["node:f"]))
            slope = (ends[0] - ends[1]) / (2 * h)
            found = float(trace[graph.derivative(node).kind][at])
            assert found == pytest.approx(slope, rel=1e-5, abs=1e-6)


@each
def test_the_tree_of_every_number_evaluates_to_the_engines_number(name: str, way: int) -> None:
    _, _, trace = made(name, way)
    for q, found, value in entries(trace):
        assert found == pytest.approx(value, rel=1e-10, abs=1e-12), str(q)


@each
def test_the_formula_of_every_array_evaluates_to_the_engines_array(name: str, way: int) -> None:
    _, _, trace = made(name, way)
    writer = GraphFormulaWriter(trace, alphabet(), 4)
    for kind, node in trace.computed:
        if node.shape:
            found = evaluate(writer.whole_tree((kind, node)), trace)
            shown = trace[kind] if trace[kind].ndim == 2 else trace[kind].reshape(-1, 1)
            assert np.shape(found) in {shown.shape, ()}, kind
            np.testing.assert_allclose(np.broadcast_to(found, shown.shape), shown, atol=1e-12)


@each
def test_forward_accumulation_gives_the_same_gradient(name: str, way: int) -> None:
    _, _, trace = made(name, way)
    node = trace.graph.values[0]
    for q in node.entries():
        back = q._replace(kind=trace.graph.derivative(node).kind)
        found = tangents(trace, q).get(quantity("node:f"), 0.0)
        assert found == pytest.approx(trace.value(back), rel=1e-9, abs=1e-12)
    assert len(forward_work(trace.graph)) == sum(n.size for n in trace.graph.values)


# ---- known values ----


def value(text: str, values: dict[str, object], name: str) -> object:
    """The whole array of a node, or of the derivative with respect to it."""
    trace = of_text(text, values)
    node = trace.graph.by_name[name.removeprefix("df/d")]
    kind = trace.graph.derivative(node).kind if name.startswith("df/d") else node.kind
    return trace[kind].tolist()


def test_a_convolution_does_not_flip_its_kernel() -> None:
    values: dict[str, object] = {"x": [1, 2, 3], "k": [10, 1]}
    assert value("sum(conv1d(x, k))", values, "n1") == [12, 23]


def test_padding_adds_zeros_at_both_ends_and_stride_leaves_windows_out() -> None:
    values: dict[str, object] = {"x": [1, 2, 3, 4], "k": [1, 1]}
    assert value("sum(conv1d(x, k, 1, 1))", values, "n1") == [1, 3, 5, 7, 4]
    assert value("sum(conv1d(x, k, 2, 1))", values, "n1") == [1, 5, 4]
    assert value("sum(conv1d(x, k, 2))", values, "n1") == [3, 7]


def test_of_equal_numbers_in_a_window_the_first_wins_as_in_pytorch() -> None:
    values: dict[str, object] = {"x": [5, 5, 1, 5]}
    assert value("sum(maxpool(x, 2))", values, "df/dx") == [1, 0, 0, 1]


def test_a_row_that_is_taken_twice_adds_its_derivatives_and_others_get_0() -> None:
    values: dict[str, object] = {"E": [[1, 2], [3, 4], [5, 6]]}
    assert value("sum(embed(E, 3, 1, 3))", values, "df/dE") == [[1, 1], [0, 0], [2, 2]]


def test_softmax_takes_large_numbers() -> None:
    trace = of_text("sum(c*softmax(x))", {"x": [1000.0, 999.0], "c": [1.0, 0.0]})
    assert trace.stop is None
    for q, found, engine in entries(trace):
        assert found == pytest.approx(engine, rel=1e-12), str(q)


def test_a_short_name_is_a_function_only_where_it_is_called() -> None:
    assert parse("matmul(a, b)").expression == parse("a @ b").expression
    trace = of_text("t*sum(t(A))", {"t": 2, "A": [[1, 2]]})
    assert float(trace["node:f"]) == 6


# ---- what does not fit ----


@pytest.mark.parametrize(
    ("text", "values", "words"),
    [
        ("sum(A @ B)", {"A": [[1, 2]], "B": [[1, 2]]}, "1×2 and 1×2, with 2 columns and 1 row"),
        ("sum(A @ x)", {"A": [[1, 2]], "x": [1, 2, 3]}, "2 columns and 3 entries"),
        ("sum(A @ s)", {"A": [[1, 2]], "s": 3}, "a single number; to multiply by a number"),
        ("sum(t(x))", {"x": [1, 2]}, "a list of 2"),
        ("softmax(x)", {"x": 1}, "softmax needs a list or rows"),
        ("layernorm(x)", {"x": 1}, "layernorm needs a list or rows"),
        ("sum(layernorm(x))", {"x": [1] * 33}, "at most 32 numbers in a row.*here it has 33"),
        ("sum(softmax(x))", {"x": [1] * 101}, "at most 100 numbers in a row"),
        ("sum(conv1d(x, k))", {"x": [1], "k": [1, 2]}, "larger than its input: 2 over 1"),
        ("sum(conv1d(x, k))", {"x": [[1]], "k": [1]}, "conv1d takes two lists"),
        ("sum(conv1d(x, k, 0))", {"x": [1], "k": [1]}, "stride is a whole number from 1.*it is 0"),
        ("sum(conv1d(x, k, 1, 1))", {"x": [1], "k": [1]}, "padding must be smaller"),
        ("sum(conv1d(x, k, s))", {"x": [1], "k": [1], "s": 1}, "stride.*here it is a value"),
        ("sum(conv2d(x, k))", {"x": [1, 2], "k": [1]}, "rows of numbers and a kernel of rows"),
        ("sum(conv2d(x, k, 1.5))", {"x": [[1]], "k": [[1]]}, "stride.*it is 1.5"),
        ("sum(maxpool(x, 3))", {"x": [1, 2]}, "window is larger than its input: 3 over 2"),
        ("sum(maxpool(x, 0))", {"x": [1, 2]}, "size of the window is a whole number from 1"),
        ("sum(maxpool(x, 2))", {"x": 1}, "maxpool needs a list or rows"),
        ("sum(embed(E, 3))", {"E": [[1], [2]]}, "asks for row 3, but the table has 2 rows"),
        ("sum(embed(E, 0))", {"E": [[1], [2]]}, "number of a row is a whole number from 1"),
        ("sum(embed(E, i))", {"E": [[1], [2]], "i": 1}, "here it is a value"),
        ("sum(embed(E, 1))", {"E": [1, 2]}, "rows out of a table"),
    ],
)  # fmt: skip
def test_shapes_and_settings_that_do_not_fit_are_said(
    text: str, values: dict[str, object], words: str
) -> None:
    with pytest.raises(GraphError, match=words):
        of_text(text, values)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sum(conv1d(x))", "conv1d takes 2 to 4 inputs, but here it has 1"),
        ("sum(softmax(x, y))", "softmax takes 1 input, but here it has 2"),
        ("matmul(x)", "@ takes 2 inputs, but here it has 1"),
        ("sum(conv3d(x, k))", "did you mean conv"),
    ],
)
def test_too_few_or_many_inputs_are_said(text: str, words: str) -> None:
    assert any(words in problem for problem in parse(text).problems)


def test_an_operator_without_its_second_input_is_misplaced() -> None:
    with pytest.raises(FormulaTextError, match="the formula ends"):
        parse("a @")
