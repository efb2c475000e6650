"""All paths of the chain rule: they add up to the gradient, are counted without listing, and the
work is counted three ways.
"""

from __future__ import annotations

from itertools import combinations, pairwise
from math import dist, prod
from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import assume, given, settings

from tests.strategies import problems
from tests.visiting import context, deep_network, get, library, page
from tutor.cli.site_paths import path as site_path
from tutor.engine.activations import activation
from tutor.engine.losses import loss
from tutor.engine.network import Layer, Network, frozen
from tutor.engine.paths import Paths, bottom, changes, paths
from tutor.engine.quantity import Quantity, parse
from tutor.engine.trace import Trace, run
from tutor.engine.tree import evaluate
from tutor.engine.work import work
from tutor.lesson.setup import Setup
from tutor.lesson.walk import open_lesson
from tutor.pages.context import Context
from tutor.pages.paths_page import derivative, paths_page
from tutor.pages.view import View
from tutor.scenario.reader import Scenario

V11 = parse("dL/dw[1][1,1]")


def dense(*sizes: int, rule: str = "sigmoid", last: str = "", biased: bool = True) -> Network:
    """A network of random weights without skip connections."""
    random = np.random.default_rng(7)
    layers = []
    for below, units in pairwise(sizes):
        name = last if last and units == sizes[-1] and len(layers) == len(sizes) - 2 else rule
        biases = frozen(random.standard_normal(units)) if biased else None
        layers.append(
            Layer(frozen(random.standard_normal((units, below))), biases, activation(name))
        )
    return Network(tuple(layers), loss("half_squared_error"))


def traced(network: Network, samples: int = 1) -> Trace:
    random = np.random.default_rng(8)
    x, y = (random.standard_normal((samples, n)) for n in (network.sizes[0], network.sizes[-1]))
    return run(network, frozen(x), frozen(y), 0.1)


def derivatives(trace: Trace) -> list[Quantity]:
    """A derivative of every kind in every layer, for the last sample."""
    found, sample = [], trace.samples if trace.samples > 1 else 0
    for kind, layer in trace:
        q = Quantity(kind, layer) if not kind.endswith("@") else Quantity("loss")
        if q.of.derivative:
            units = trace.network.sizes[layer]
            j = trace.network.sizes[layer - 1] if q.of.weights else 0
            found.append(q._replace(i=units, j=j, sample=sample))
    return found


def size_of(found: Paths) -> float:
    """What the paths come to without cancelling."""
    return float(sum(abs(evaluate(path.tree, found.trace)) for path in found.first(10**6)))


@given(problems(depth=4, units=3, wide=False, skipping=True))
@settings(max_examples=60)
def test_the_paths_from_any_number_add_up_to_its_derivative(problem: Setup) -> None:
    trace = run(problem.network, problem.x, problem.y, problem.eta)
    assume(trace.finite)
    for q in derivatives(trace):
        found = paths(trace, q)
        if found.count > 3000:
            continue
        listed = found.first(10**6)
        assert len(listed) == found.count
        assert len({path.stops for path in listed}) == found.count
        total = float(sum(evaluate(path.tree, trace) for path in listed))
        assert abs(total - trace.value(q)) <= 1e-10 * max(size_of(found), 1e-300), q
        for cut in found.cuts():
            assert sum(cut.counts) + cut.count_aside == found.count
            assert abs(cut.total - trace.value(q)) <= 1e-10 * max(size_of(found), 1e-300), q


def test_paths_of_the_lecture_are_three_and_each_has_its_value() -> None:
    trace = context("3-2-3-softmax").trace
    found = paths(trace, V11)
    assert (found.count, found.left_out) == (3, 6)
    assert [[str(stop) for stop in path.stops] for path in found.first(9)] == [
        ["w[1][1,1]", "z[1][1]", "a[1][1]", f"z[2][{k}]", "a[2][1]"] for k in (1, 2, 3)
    ]
    values = [evaluate(path.tree, trace) for path in found.first(9)]
    assert np.round(values, 4).tolist() == [-0.0273, 0.0277, 0.0113]
    assert sum(values) == pytest.approx(trace.value(V11), rel=1e-14)


def test_forward_accumulation_gives_the_derivatives_that_differences_give() -> None:
    network = dense(3, 4, 2, rule="tanh", last="softmax")
    trace = traced(network)
    small = 1e-6
    found = changes(trace, parse("x[2]"), 0)
    moved = [
        run(network, frozen(trace.x + small * d * np.eye(3)[1]), trace.y, 0.1) for d in (1, -1)
    ]
    difference = (moved[0]["a", 2] - moved[1]["a", 2])[0] / (2 * small)
    assert found["a", 2] == pytest.approx(difference, rel=1e-6)
    assert ("z", 1) in found


def test_more_paths_than_anybody_can_list_are_counted_exactly_and_at_once() -> None:
    trace = traced(dense(2, *[40] * 30, 3))
    found = paths(trace, V11)
    assert found.count == 3 * 40**29
    assert len(found.first(5)) == 5
    assert [sum(cut.counts) for cut in found.cuts()] == [found.count] * 31
    assert found.cuts()[15].counts == tuple(found.count // 40 for _ in range(40))


def test_an_output_that_is_exactly_right_has_no_path() -> None:
    layer = Layer(frozen([[1.0], [2.0]]), frozen([0.0, 0.0]), activation("identity"))
    network = Network((layer,), loss("half_squared_error"))
    trace = run(network, frozen([[1.0]]), frozen([[1.0, 0.0]]), 0.1)
    found = paths(trace, V11)
    assert (found.count, found.left_out, found.first(3)) == (0, 1, ())
    assert paths(trace, parse("dL/dw[1][2,1]")).count == 1
    assert paths(trace, parse("dL/da[0][1]")).count == 1


def test_behind_a_saturated_output_the_paths_begin_at_its_error_signal() -> None:
    layer = Layer(frozen([[1.0]]), None, activation("sigmoid"))
    network = Network((layer,), loss("binary_cross_entropy"))
    trace = run(network, frozen([[800.0]]), frozen([[0.0]]), 0.1)
    (path,) = paths(trace, V11).first(3)
    assert str(path.stops[-1]) == "z[1][1]"
    assert evaluate(path.tree, trace) == trace.value(V11) == 800.0


def test_paths_are_those_of_one_sample() -> None:
    trace = traced(dense(2, 2, 1), samples=2)
    with pytest.raises(KeyError):
        paths(trace, V11)
    assert bottom(parse("dL/da[0][2]@2")) == parse("x[2]@2")
    assert bottom(parse("dL/db[1][2]@2")) == parse("b[1][2]")
    shares = [paths(trace, V11._replace(sample=s)) for s in (1, 2)]
    total = sum(evaluate(path.tree, trace) for each in shares for path in each.first(9))
    assert total == pytest.approx(trace.value(V11), rel=1e-12)


# ---- the work ----


@pytest.mark.parametrize(
    "sizes", [(1, 1), (2, 3), (1, 2, 3, 1), (3, 4, 2), (5, 4, 3, 2, 6), (784, 128, 64, 10)]
)
def test_work_has_a_closed_form_where_every_layer_works_unit_by_unit(
    sizes: tuple[int, ...],
) -> None:
    n, depth = sizes, len(sizes) - 1
    found = work(dense(*sizes))
    assert found.parameters == sum(a * b + b for a, b in pairwise(n))
    through = {layer: prod(n[layer + 1 :]) for layer in range(1, depth + 1)}
    assert found.paths == sum(n[k] * (n[k - 1] + 1) * through[k] for k in through)
    assert found.by_paths == sum(
        through[k] * n[k] * (n[k - 1] * (2 * (depth - k) + 2) + 2 * (depth - k) + 1)
        for k in through
    )
    edges = sum(a * b for a, b in pairwise(n))
    assert found.reverse == sum(n[1:]) + (edges - n[0] * n[1]) + edges
    forward = 0
    for k in through:
        once = 1 + (n[-1] if k < depth else 1)
        once += sum(n[m] * (1 if m == k + 1 else n[m - 1]) + n[m] for m in range(k + 1, depth + 1))
        forward += n[k] * (n[k - 1] * once + once - 1)  # a bias begins with a 1
    assert found.forward == forward


def test_work_of_a_softmax_has_a_factor_for_each_pair_and_that_of_a_skip_connection_none() -> None:
    soft = work(dense(2, 3, last="softmax", biased=False))
    assert (soft.paths, soft.by_paths, soft.forward, soft.reverse) == (18, 36, 36, 15)
    layer = Layer(frozen([[1.0]]), None, activation("tanh"))
    skipping = Layer(frozen([[1.0]]), None, activation("tanh"), skip=1)
    plain = work(Network((layer, layer), loss("squared_error")))
    residual = work(Network((layer, skipping), loss("squared_error")))
    assert (plain.paths, residual.paths) == (2, 3)
    assert (plain.reverse, residual.reverse) == (5, 5)
    assert (plain.by_paths, residual.by_paths) == (6, 8)


def test_counting_by_paths_is_what_multiplying_out_each_listed_path_takes() -> None:
    network = dense(2, 3, 2, 2)
    trace, total = traced(network), 0
    for layer, (below, units) in enumerate(pairwise(network.sizes), 1):
        for q in (
            Quantity(kind, layer, i, j)
            for i in range(1, units + 1)
            for kind, js in (("dL/dw", range(1, below + 1)), ("dL/db", (0,)))
            for j in js
        ):
            for path in paths(trace, q).first(10**6):
                ones = sum(str(factor).startswith("Partial(of=Number") for factor in path.factors)
                total += len(path.factors) - ones - 1
    assert total == work(network).by_paths


def test_forward_accumulation_of_a_bias_copies_its_first_factor() -> None:
    # 1-2-3-1 by hand, layer by layer: weights 2·12 + 6·4 + 3·2, biases 2·11 + 3·3 + 1
    assert work(dense(1, 2, 3, 1)).forward == 54 + 32
    weightless = work(dense(2, 3, last="softmax", biased=False))
    biased = work(dense(2, 3, last="softmax"))
    assert biased.forward - weightless.forward == 3 * 3  # the losses; the column is copied


def test_frozen_parameters_have_no_derivative_to_compute() -> None:
    layer = Layer(frozen([[1.0, 2.0]]), frozen([0.0]), activation("tanh"), train_biases=False)
    assert work(Network((layer,), loss("squared_error"))).parameters == 2


def test_there_is_no_work_behind_a_step_function() -> None:
    with pytest.raises(KeyError):
        work(dense(2, 2, 1, rule="step"))


# ---- the page ----


def test_the_page_shows_each_path_as_a_link_a_route_and_a_product() -> None:
    root = page("/lessons/3-2-3-softmax/paths/w[1][1,1]").root
    rows = list(root.all("li", cls="path"))
    assert [row.one("strong").text for row in rows] == ["≈−0.0273", "≈0.0277", "≈0.0113"]
    assert [row.one("p", cls="head").one("a").attributes["href"] for row in rows] == [
        f"/lessons/3-2-3-softmax/paths/w[1][1,1]?path={n}#path-{n}".replace("/w[", "/dL/dw[")
        for n in (1, 2, 3)
    ]
    routes = list(root.all("g", cls="route"))
    assert [route.one("text").text for route in routes] == ["1", "2", "3"]
    assert len({route.one("path").attributes["class"] for route in routes}) == 3
    assert [p.one("math").text for p in root.all("p", cls="result")] == ["≈0.0117"]


def test_a_path_that_is_chosen_is_marked_in_list_and_diagram() -> None:
    root = page("/lessons/3-2-3-softmax/paths/dL/dw[1][1,1]?path=2").root
    (current,) = root.all("g", cls="current")
    assert "path-2" in current.attributes["class"]
    assert [a.text for a in root.all("a") if a.attributes.get("aria-current") == "true"] == [
        " Path 2"
    ]
    assert "There is no path 9 here" in get("/lessons/3-2-3-softmax/paths/w[1][1,1]?path=9").text


def test_on_paper_each_path_is_rounded_and_their_sum_is_that_of_the_rounded_ones() -> None:
    text = page("/lessons/1-2-3-1-sigmoid/paths/w[1][1,1]?paper=3").root.text
    # by hand: 1.292·0.175·0.4·0.236·0.2·0.245·2 = 0.002092 and so on
    assert "On paper backpropagation gives −0.0054" in text
    assert "The difference is 0.0001." in text
    assert "the last digits of float64" not in text
    assert "0.00209169" not in text
    assert "−0.0021, −0.0016, −0.0016" in text


def test_every_sample_has_its_own_paths() -> None:
    root = page(
        "/lessons/linear-regression/paths/w[1][1,1]@2".replace("w[1][1,1]", "dL/dw[1][1,1]")
    ).root
    nav = root.one("nav", cls="samples")
    links = list(nav.all("a"))
    assert len(links) == context("linear-regression").trace.samples
    assert [a.text for a in links if "aria-current" in a.attributes] == ["2"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("w[1][9,9]", "no dl/dw[1][9,9]"), ("banana", "is not the name of a quantity"),
        ("x[7]", "no dl/da[0][7]"), ("loss", "no path leads from loss"), ("w+[1][1,1]", "no path leads"),
        ("eta", "no path leads"), ("da/dz[1][1]", "no path leads"), ("dL/dw[1][1,1]@3", "no dl/dw"),
    ],
)  # fmt: skip
def test_what_has_no_paths_is_answered_with_the_reason(name: str, said: str) -> None:
    answer = get(f"/lessons/3-2-3-softmax/paths/{name}")
    assert answer.status_code == 404
    assert said in answer.text.lower()


def test_behind_a_step_function_there_are_no_paths() -> None:
    assert get("/lessons/perceptron-step/paths/w[1][1,1]").status_code == 404


def test_where_a_step_function_ends_the_way_back_the_work_is_not_counted() -> None:
    text = page("/lessons/perceptron-step/paths/dL/da[1][1]").root.text
    assert "Every path" in text
    assert "Multiplications" not in text
    assert "Why backpropagation never lists them" not in text


def test_the_form_leads_to_the_paths_of_the_number() -> None:
    answer = get("/lessons/3-2-3-softmax/paths?of=b[1][2]&decimals=6")
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith("/lessons/3-2-3-softmax/paths/b[1][2]?decimals=6")
    assert get("/lessons/3-2-3-softmax/paths").headers["Location"].endswith("/paths/w[1][1,1]")


def test_of_too_many_paths_the_page_says_how_many_and_lists_the_first() -> None:
    lesson = open_lesson(deep_network(31, units=8))
    here = Context(lesson, View())
    shown = paths_page(here, derivative(here, "w[1][1,1]"))
    assert "9,903,520,314,283,042,199,192,993,792" not in shown.count
    assert f"There are {8**30:,} paths; the first 12 are listed." in shown.count
    assert len(shown.rows) == 12
    assert shown.cuts is not None
    assert len(shown.cuts.rows) == 31
    assert all(row[-1] == shown.cuts.rows[0][-1] for row in shown.cuts.rows)


def test_every_lesson_of_the_shelf_has_the_paths_of_its_first_weight() -> None:
    networks = (found for found in library().shelf.lessons if isinstance(found, Scenario))
    for lesson in networks:
        opened = library().network(lesson, View())
        if not opened.trace.stop:
            shown = paths_page(opened, derivative(opened, "w[1][1,1]"))
            assert shown.rows or "No path" in shown.count
            assert str(shown.diagram).count('class="route') == len(shown.rows)


def test_a_site_in_a_folder_has_the_chain_of_a_step_once_for_all_its_paths() -> None:
    assert site_path("/lessons/a/steps/7/chain?path=2") == "lessons/a/steps/7-chain.html"
    assert site_path("/lessons/a/steps/7/chain") == "lessons/a/steps/7-chain.html"


def test_the_number_of_a_route_stands_where_no_numbers_are_and_away_from_the_others() -> None:
    for address in ("1-2-3-1-sigmoid/paths/w[1][1,1]", "3-2-3-softmax/paths/w[1][1,1]"):
        net = page(f"/lessons/{address}").root.one("svg", cls="net")
        cards = [
            (float(box.attributes["x"]), float(box.attributes["width"])) for box in net.all("rect")
        ]
        marks = [
            (float(mark.attributes["cx"]), float(mark.attributes["cy"]))
            for route in net.all("g", cls="route")
            for mark in route.all("circle")
        ]
        assert len(marks) == 3
        assert all(dist(one, other) >= 16 for one, other in combinations(marks, 2))
        assert not any(x < at < x + width for x, width in cards for at, _ in marks)


@pytest.mark.parametrize("name", ["b[1][1]", "dL/db[1][1]"])
def test_a_bias_that_a_layer_does_not_have_has_no_paths(name: str) -> None:
    answer = get(f"/lessons/valley-momentum/paths/{name}")
    assert answer.status_code == 404
    assert "layer 1 has no biases" in answer.text


@pytest.mark.parametrize(("theirs", "ours"), [
    ("dL/dx[1]", "dL/da[0][1]"), ("w1[1,1]", "w[1][1,1]"), ("yhat[1]", "a[3][1]"),
])  # fmt: skip
def test_a_name_that_is_written_otherwise_leads_to_ours_with_the_query(
    theirs: str, ours: str
) -> None:
    answer = get(f"/lessons/1-2-3-1-sigmoid/paths/{theirs}?path=1&decimals=6")
    assert answer.status_code == 302
    where = unquote(answer.headers["Location"])
    assert where == f"/lessons/1-2-3-1-sigmoid/paths/{ours}?path=1&decimals=6"
    assert get(where).status_code == 200


def test_a_name_that_no_number_has_is_refused_as_it_is_written() -> None:
    answer = get("/lessons/1-2-3-1-sigmoid/paths/w9[1,1]")
    assert answer.status_code == 404
    assert "w9[1,1]" in answer.text
