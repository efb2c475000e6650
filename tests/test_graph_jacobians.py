"""Jacobians of the nodes of computation graphs: for every operation with arrays against PyTorch's and
central differences; times what comes back they are what backpropagation passes on. And their pages.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod
from urllib.parse import quote

import numpy as np
import pytest

from tests.formulas import in_torch_each
from tests.oracle import needs_torch
from tests.test_array_operations import CASES, MAKERS
from tests.test_graph import of_text
from tests.visiting import get, page
from tutor.engine.graph_jacobians import LocalJacobian, place_at, uses_of
from tutor.engine.graph_trace import Array, Arrays, GraphTrace
from tutor.engine.operations import OPERATIONS, Elementwise
from tutor.engine.tree import ArrayRef, Number

# ---- one graph for each operation ----

ENTRYWISE = [name for name, found in OPERATIONS.items() if isinstance(found, Elementwise)]
SHAPES = [(3,), (2, 3)]
WRITTEN = {"neg": "c*(-u)", "copy": "c*y"}
"""Operations that have no name in a formula."""


def entrywise(name: str, shape: tuple[int, ...]) -> GraphTrace:
    """An operation entry by entry over u and, where it takes two, v; both between 0.5 and 2, where
    every operation has a derivative.
    """
    draw = np.random.default_rng(len(name))
    values = {key: draw.uniform(0.5, 2.0, shape) for key in "uvc"}
    second = ", v" if OPERATIONS[name].least == 2 else ""
    plain = f"c*{name}(u{second})" if name.isidentifier() else f"c*(u {name} v)"
    text = WRITTEN.get(name, plain)
    if "v" not in text.replace("relu", ""):
        del values["v"]
    return of_text(f"sum({text})", values, **({"y": "u"} if name == "copy" else {}))


def whole(name: str, way: int) -> GraphTrace:
    """An operation over whole arrays of random shapes, without equal numbers in a pool: a corner
    has no derivative that could be measured.
    """
    draw = np.random.default_rng(100 * way + len(name))
    text, values = MAKERS[name](draw)
    if name == "maxpool":
        values["x"] = draw.permutation(values["x"].size).reshape(values["x"].shape) / 3.0
    values["c"] = np.array(draw.normal())
    made = next(n for n in of_text(text, values).graph.inner if n.operation.name == name)
    values["c"] = draw.normal(size=made.shape) if made.shape else values["c"]
    return of_text(text, values)


def graphs() -> Iterator[tuple[str, GraphTrace]]:
    yield from ((name, entrywise(name, shape)) for name in ENTRYWISE for shape in SHAPES)
    yield from ((name, whole(name, way)) for name, way in CASES)
    for name in ("sum", "mean"):
        for shape in SHAPES:
            numbers = np.arange(1.0, 1.0 + prod(shape)).reshape(shape)
            yield name, of_text(f"c*{name}(u)", {"u": numbers, "c": 2.0})
    values = {"u": [1.0, 2.0], "s": 3.0, "c": [1.0, -2.0]}
    for text in ("u*s", "s - u", "u/s", "u + s + u", "u**2"):
        used = {key: value for key, value in values.items() if key == "c" or key in text}
        yield text, of_text(f"sum(c*({text}))", used)


GRAPHS = list(graphs())
each = pytest.mark.parametrize("trace", [t for _, t in GRAPHS], ids=[name for name, _ in GRAPHS])


def jacobians(trace: GraphTrace) -> Iterator[LocalJacobian]:
    for node in trace.graph.inner:
        yield from (LocalJacobian(trace, use) for use in uses_of(node))


def test_every_operation_has_its_jacobian_looked_at() -> None:
    seen = {node.operation.name for _, trace in GRAPHS for node in trace.graph.inner}
    assert seen == OPERATIONS.keys()


def measured(found: LocalJacobian) -> Array:
    """The same by central differences: the node by itself, with one entry of one input moved."""
    node, below, h = found.node, found.below, 1e-6
    arguments = list(node.made.arguments)
    arguments[found.use.k] = ArrayRef("moved")
    tree = node.operation.tree(replace(node.made, arguments=tuple(arguments)))

    def with_moved(j: int, by: float) -> Array:
        other = found.trace[below.kind].copy()
        other[tuple(n - 1 for n in place_at(below, j))] += by
        value = tree.value(Arrays({**found.trace.arrays, "moved": other}))
        return np.array(np.broadcast_to(value, node.shape)).ravel()

    ends = [(with_moved(j, h), with_moved(j, -h)) for j in range(1, below.size + 1)]
    return np.array([(more - less) / (2 * h) for more, less in ends]).T


@each
def test_every_jacobian_is_the_one_of_central_differences(trace: GraphTrace) -> None:
    for found in jacobians(trace):
        array = found.array()
        assert array.shape == found.shape
        np.testing.assert_allclose(array, measured(found), rtol=1e-5, atol=1e-6)


@each
@needs_torch
def test_every_jacobian_is_that_of_pytorch(trace: GraphTrace) -> None:
    import torch

    for found in jacobians(trace):
        node, k = found.node, found.use.k
        given = [
            leaf.number if isinstance(leaf, Number) else torch.tensor(np.array(trace[leaf.kind]))
            for leaf in node.made.arguments
            if isinstance(leaf, Number | ArrayRef)
        ]
        if node.operation.name in {"max", "min"}:
            given = [torch.as_tensor(one) for one in given]

        def alone(x: object, given: list[object] = given, k: int = k, name: str = node.operation.name) -> object:  # fmt: skip
            return in_torch_each()[name](*given[:k], x, *given[k + 1 :])

        made = torch.autograd.functional.jacobian(alone, given[k])
        expected = made.numpy().reshape(found.shape)
        np.testing.assert_allclose(found.array(), expected, rtol=1e-8, atol=1e-10)


@each
def test_what_comes_back_times_the_jacobian_is_what_the_engine_passes_on(
    trace: GraphTrace,
) -> None:
    graph = trace.graph
    for node in graph.values:
        parts = [LocalJacobian(trace, use) for use in graph.parts(node)]
        for found in parts:
            came = trace[graph.derivative(found.node).kind].ravel()
            row = came @ found.array()
            passed = found.passed_on.ravel()
            np.testing.assert_allclose(row, passed, rtol=1e-9, atol=1e-12)
        whole_sum = sum(found.passed_on for found in parts)
        np.testing.assert_allclose(whole_sum, trace[graph.derivative(node).kind], rtol=1e-12)


def test_what_is_passed_on_is_computed_once_however_often_it_is_read() -> None:
    found = one("conv2d")
    assert found.passed_on is found.passed_on


def one(name: str, way: int = 0, k: int = 0) -> LocalJacobian:
    trace = whole(name, way)
    node = next(n for n in trace.graph.inner if n.operation.name == name)
    return LocalJacobian(trace, uses_of(node)[k])


def test_the_shape_of_a_jacobian_tells_the_operation() -> None:
    for way in range(6):
        pooled = one("maxpool", way).array()
        assert (pooled.sum(axis=1) == 1).all()
        assert set(pooled.ravel()) <= {0.0, 1.0}
        rows = one("embed", way).array()
        assert (rows.sum(axis=1) == 1).all()
        assert set(rows.ravel()) <= {0.0, 1.0}
        for full in ("softmax", "layernorm"):
            np.testing.assert_allclose(one(full, way).array().sum(axis=1), 0.0, atol=1e-12)


def test_a_convolution_is_a_banded_matrix_with_the_kernel_in_each_row() -> None:
    trace = of_text("sum(conv1d(x, k))", {"x": [1, 2, 3, 4], "k": [5, 6]})
    into, of_kernel, _ = jacobians(trace)
    assert into.array().tolist() == [[5, 6, 0, 0], [0, 5, 6, 0], [0, 0, 5, 6]]
    assert of_kernel.array().tolist() == [[1, 2], [2, 3], [3, 4]]


def test_only_what_works_entry_by_entry_on_arrays_of_one_shape_is_diagonal() -> None:
    trace = of_text("sum(softmax(u*v + s))", {"u": [1, 2], "v": [3, 4], "s": 1})
    found = {(j.node.operation.name, j.below.name): j.diagonal for j in jacobians(trace)}
    assert found == {
        ("*", "u"): True, ("*", "v"): True, ("+", "n1"): True, ("+", "s"): False,
        ("softmax", "n2"): False, ("sum", "n3"): False,
    }  # fmt: skip


# ---- the pages ----

PRODUCT = "/lessons/element-wise-product"
TURNED = "jacobians.layout=denominator"


def ledger(address: str, n: int = 0) -> list[list[str]]:
    """The n-th table with headers of a page."""
    found = list(page(address).root.all("table", cls="ledger"))[n]
    return [[cell.text for cell in row.all("td")] for row in found.one("tbody").all("tr")]


def matrices(address: str) -> list[list[list[str]]]:
    """All matrices of a page."""
    tables = page(address).root.all("table", cls="matrix")
    return [[[td.text for td in row.all("td")] for row in table.all("tr")] for table in tables]


def test_an_element_wise_product_has_each_factor_on_the_diagonal_of_the_other() -> None:
    by_w, opened, by_x, _ = (ledger(f"{PRODUCT}/jacobians/y", n) for n in range(4))
    assert by_w == [["2", "0", "0"], ["0", "−1", "0"], ["0", "0", "4"]]
    assert by_x == [["1", "0", "0"], ["0", "2", "0"], ["0", "0", "3"]]
    assert [row[-1] for row in opened] == ["=2", "=−3", "=−8"]
    assert "3 products do what the matrix would take 9 for" in get(f"{PRODUCT}/jacobians/y").text


def test_what_comes_back_times_the_matrix_stands_there_with_its_result() -> None:
    row, matrix, result, *_ = matrices(f"{PRODUCT}/jacobians/y")
    assert row == [["1", "3", "−2"]]
    assert matrix == [["2", "0", "0"], ["0", "−1", "0"], ["0", "0", "4"]]
    assert result == [["2", "−3", "−8"]]


def test_denominator_layout_is_turned_and_multiplies_from_the_other_side() -> None:
    here, there = "/lessons/convolution/jacobians/c", f"/lessons/convolution/jacobians/c?{TURNED}"
    assert [list(row) for row in zip(*ledger(there), strict=True)] == ledger(here)
    row, matrix, result, *_ = matrices(here)
    turned = [[list(line) for line in zip(*one, strict=True)] for one in (matrix, row, result)]
    assert matrices(there)[:3] == turned
    assert "the chain rule reads from right to left" in get(there).text


@pytest.mark.parametrize(
    ("lesson", "node", "said"),
    [
        ("identity", "y", "the identity matrix I"),
        ("element-wise-sum", "y", "the identity matrix I"),
        ("element-wise-difference", "y", "the Jacobian is −I"),
        ("element-wise-quotient", "y", "a diagonal matrix"),
        ("softmax", "p", "the Jacobian is full"),
        ("layer-norm", "z", "in the mean and in the variance"),
        ("convolution", "c", "Such a matrix is banded"),
        ("embedding", "h", "a single 1, at the place in the table"),
        ("matrix-product", "P", "An entry of the product uses one row of it only"),
        ("recurrent-vector", "n4", "the Jacobian with respect to the list is the matrix itself"),
    ],
)
def test_a_page_says_what_its_matrix_looks_like(lesson: str, node: str, said: str) -> None:
    assert said in get(f"/lessons/{lesson}/jacobians/{node}").text


def test_the_identity_lesson_shows_the_identity_matrix() -> None:
    assert ledger("/lessons/identity/jacobians/y") == [
        ["1", "0", "0"], ["0", "1", "0"], ["0", "0", "1"],
    ]  # fmt: skip


def test_entries_that_are_numbers_of_the_graph_lead_to_their_own_page() -> None:
    links = {a.attributes["href"] for a in page(f"{PRODUCT}/jacobians/y").root.all("a")}
    names = {"x[1]", "w[3]", "df/dy[2]", "df/dx[2]"}
    assert {f"{PRODUCT}/quantities/{quote(name)}" for name in names} <= links
    assert all(get(link).status_code == 200 for link in links if "/quantities/" in link)


def test_a_changed_value_stays_changed_on_the_page_and_in_its_links() -> None:
    here = f"{PRODUCT}/jacobians/y?x[1]=7"
    links = [a.attributes["href"] for a in page(here).root.one("article").all("a")]
    assert ledger(here)[0] == ["7", "0", "0"]
    assert {link for link in links if "x[1]=7" not in link} == {PRODUCT}  # takes the change back


def test_an_input_that_is_used_elsewhere_gets_a_part_only_and_that_is_said() -> None:
    text = get("/lessons/layer-norm-parts/jacobians/m").text
    assert "x is used 2 times; this is one of the parts that are added to df/dx" in text


def test_an_input_that_is_not_differentiated_says_so() -> None:
    text = get("/lessons/softmax/jacobians/n1").text
    assert "This lesson does not differentiate with respect to y" not in text
    assert "This lesson does not differentiate with respect to y" in get("/lessons/softmax/jacobians/n2").text  # fmt: skip


def test_a_large_matrix_shows_its_corners_and_says_so() -> None:
    query = f"expression=sum(softmax(x))&x=[{','.join(['1'] * 40)}]"
    answer = get(f"/formula/jacobians/n1?{query}")
    assert "It is large, so the first rows and columns and the last are shown." in answer.text
    assert len(ledger(f"/formula/jacobians/n1?{query}")) <= 8


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (f"{PRODUCT}/jacobians/z", "There is no node “z” in this graph; those with Jacobians are y, f."),
        (f"{PRODUCT}/jacobians/w", "The value w is given, not computed, so it has no Jacobian; those that have are y, f."),
        ("/lessons/recurrent-vector/jacobians/H3", "There is no node “H3” in this graph; did you mean h3?"),
        ("/lessons/sum-times/jacobians/q", "This formula has single numbers only"),
        ("/lessons/sum-times/jacobians", "This formula has single numbers only"),
        ("/formula/jacobians/n1?expression=sum(log(x))&x=[-1,2]", "The walk ends at n1[1]: the logarithm of a negative number, −1, is not a real number."),
    ],
)  # fmt: skip
def test_what_has_no_matrix_is_answered_with_the_reason(address: str, said: str) -> None:
    answer = get(address)
    assert answer.status_code == 404
    assert said in answer.text


def test_nonsense_in_the_address_is_told_and_the_page_is_there() -> None:
    answer = get(f"{PRODUCT}/jacobians/y?jacobians.layout=sideways&colour=red")
    assert answer.status_code == 200
    for said in ("layout “sideways” is not known", "“colour” is not a setting"):
        assert said in answer.text


def test_the_way_to_the_page_and_back() -> None:
    first = get(f"{PRODUCT}/jacobians")
    assert (first.status_code, first.headers["Location"]) == (302, f"{PRODUCT}/jacobians/y")
    hrefs = [a.attributes["href"] for a in page(f"{PRODUCT}/steps/10").root.all("a")]
    assert f"{PRODUCT}/jacobians/y" in hrefs  # df/dw[2] comes back through y
    assert f"{PRODUCT}/jacobians/y" in [a.attributes["href"] for a in page(PRODUCT).root.all("a")]
    assert "jacobians" not in get(f"{PRODUCT}/steps/2").text
    assert "jacobians" not in get("/lessons/sum-times/steps/6").text


def test_a_typed_formula_has_the_same_page() -> None:
    query = "expression=sum(a*x)&a=2&x=[1,2]"
    by_a, by_x = (ledger(f"/formula/jacobians/n1?{query}", n) for n in (0, 1))
    assert (by_a, by_x) == ([["1"], ["2"]], [["2", "0"], ["0", "2"]])
    turned = f"/formula/jacobians/n1?{query}&{TURNED}"
    assert ledger(turned) == [["1", "2"]]
    assert "/formula/jacobians/n1" in get(f"/formula/steps/8?{query}").text


@pytest.mark.parametrize("lesson", ["1-2-3-1-sigmoid", "softmax"])
def test_the_layout_is_kept_on_the_way_to_the_first_jacobians(lesson: str) -> None:
    answer = get(f"/lessons/{lesson}/jacobians?layout=denominator&decimals=6")
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith("?layout=denominator&decimals=6")
    assert get(answer.headers["Location"]).status_code == 200
