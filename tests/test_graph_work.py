"""The work of the derivatives of a graph, counted without listing anything: for random formulas and
for every operation what counting pair by pair gives; and of graphs that nobody could list.
"""

from __future__ import annotations

import time
from itertools import product

import numpy as np
import pytest

from tests.formulas import inputs, totals_by_pairs
from tests.test_graph import SEEDS, made, of_text
from tests.test_graph_jacobians import GRAPHS
from tutor.engine.graph_jacobians import uses_of
from tutor.engine.graph_trace import GraphTrace
from tutor.engine.graph_work import Work, totals
from tutor.engine.operation import places

WINDOWS = [
    of_text(f"sum(conv1d(x, k, {stride}, {padding}))", {"x": np.ones(n), "k": np.ones(m)})
    for n, m, stride, padding in product((5, 8), (3, 4), (1, 2), (0, 1, 2))
]
TRACES = [*(trace for _, trace in GRAPHS), *WINDOWS, *(made(seed)[2] for seed in SEEDS[::10])]


@pytest.mark.parametrize("trace", TRACES)
def test_the_work_of_all_ways_is_that_counted_pair_by_pair(trace: GraphTrace) -> None:
    graph = trace.graph
    assert totals(graph, len(inputs(graph))) == totals_by_pairs(graph)


@pytest.mark.parametrize("trace", TRACES)
def test_what_each_entry_depends_on_is_what_it_has_a_derivative_with_respect_to(
    trace: GraphTrace,
) -> None:
    for use in (use for node in trace.graph.inner for use in uses_of(node)):
        call, k = use.by.made, use.k
        own, reach = list(places(call.shapes[k])), call.operation.reach(k, call)
        found = dict.fromkeys(places(call.shape), 0)
        takers = []
        for n, at in enumerate(own):
            reached = [place for place, _ in call.operation.routes(k, call, at)]
            takers.append(len(reached))
            for place in reached:
                found[place] += 1 << n
        assert reach.takers.tolist() == takers
        bits = np.array([1 << n for n in range(len(own))], dtype=object)
        assert reach.either(bits).tolist() == [*found.values()]
        assert reach.total(bits).tolist() == [*found.values()]


def test_along_a_chain_all_ways_are_the_same_work() -> None:
    found = totals(of_text("tanh(tanh(tanh(x)))", {"x": 1}).graph)
    assert found.paths == 1
    assert found.by_paths == found.forward == found.reverse == Work(3, 0)


def test_paths_are_counted_where_nobody_could_list_them() -> None:
    names = {f"h{n}": f"h{n - 1}*h{n - 1}" for n in range(1, 300)} | {"h0": "x + y"}
    found = totals(of_text("h299*h299", {"x": 1.0, "y": 0.5}, **names).graph)
    assert found.paths == 2 * 2**300
    assert found.by_paths == Work(301 * 2 * 2**300, 2 * 2**300 - 2)
    assert found.reverse.products == 2 * 300 + 2


def test_large_arrays_are_counted_by_closed_form() -> None:
    n, m = 4_000, 1_900
    made = n - m + 1
    graph = of_text("sum(conv1d(x, k))", {"x": np.ones(n), "k": np.ones(m)}).graph
    start = time.process_time()
    found = totals(graph)
    assert time.process_time() - start < 5  # counted one by one it would be eight million pairs
    assert found.paths == 2 * made * m
    assert found.reverse.products == 2 * made * m + made
    each = sum(min(j + 1, m, made, n - j) for j in range(n))
    assert found.forward.products == made * m + each + each + made * m
