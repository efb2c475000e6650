"""Matrix calculus: the Jacobians of each layer against PyTorch's, in both layouts, and both routes to
the error signals of the outputs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings

from tests.oracle import INSTALLED, needs_torch
from tests.strategies import problems
from tests.typed import gives
from tests.visiting import context, get, page
from tutor.engine.cancelling import cancels, steps
from tutor.engine.jacobians import by_inputs, by_weight, slopes
from tutor.engine.quantity import Quantity, parse
from tutor.engine.trace import Array, Trace, run
from tutor.engine.tree import evaluate
from tutor.lesson.setup import Setup
from tutor.pages.both_routes import both_routes_page
from tutor.pages.view import View

if INSTALLED:
    import torch

SOFTMAX = "/lessons/3-2-3-softmax"
RULES = ("identity", "sigmoid", "tanh", "softmax")


def by_weights(trace: Trace, layer: int, row: int) -> Array:
    """∂z/∂W as a whole."""
    units, inputs = trace.network.sizes[layer], trace.network.sizes[layer - 1]
    return np.array(
        [
            [by_weight(trace, layer, row, i + 1, k + 1) for k in range(units * inputs)]
            for i in range(units)
        ]
    )


@needs_torch
@given(problems(hidden=RULES, outputs=RULES, depth=3, units=4, wide=False))
@settings(max_examples=25)
def test_the_jacobians_of_every_layer_are_those_of_pytorch(problem: Setup) -> None:
    trace = run(problem.network, problem.x, problem.y, problem.eta)
    assume(trace.finite)
    row = trace.samples - 1
    jacobian = torch.autograd.functional.jacobian
    rules: dict[str, Any] = {
        "identity": lambda z: z, "sigmoid": torch.sigmoid, "tanh": torch.tanh,
        "softmax": lambda z: torch.softmax(z, 0),
    }  # fmt: skip
    for number, layer in enumerate(trace.network.layers, 1):
        rule = rules[layer.activation.name]
        z = torch.tensor(trace["z", number][row])
        below = torch.tensor(trace.passed(number - 1)[row])
        weights = torch.tensor(np.array(layer.weights))
        bias = torch.tensor(
            np.zeros(layer.units) if layer.biases is None else np.array(layer.biases)
        )
        assert slopes(trace, number, row) == pytest.approx(jacobian(rule, z).numpy(), abs=1e-12)
        inner = jacobian(lambda a, w=weights, b=bias: w @ a + b, below).numpy()
        assert by_inputs(trace, number) == pytest.approx(inner, abs=1e-12)
        outer = jacobian(lambda w, a=below, b=bias: w @ a + b, weights).numpy()
        flat = outer.reshape(layer.units, -1)
        assert by_weights(trace, number, row) == pytest.approx(flat, abs=1e-12)


@given(problems(hidden=RULES, outputs=RULES, depth=3, units=4, wide=False, freezing=False))
@settings(max_examples=25)
def test_products_of_jacobians_are_the_numbers_of_the_backward_pass(problem: Setup) -> None:
    trace = run(problem.network, problem.x, problem.y, problem.eta)
    assume(trace.finite)
    for number, layer in enumerate(trace.network.layers, 1):
        for row in range(trace.samples):
            sample = row + 1 if trace.samples > 1 else 0
            signal = trace["dL/dz", number][row]
            if np.isfinite(trace["dL/da", number]).all():
                through = trace["dL/da", number][row] @ slopes(trace, number, row)
                size = np.abs(trace["dL/da", number][row]).max() + 1e-300
                assert np.allclose(through, signal, rtol=1e-9, atol=1e-12 * size)
            flat = signal @ by_weights(trace, number, row)
            for i, j in np.ndindex(layer.units, layer.inputs):
                share = trace.value(Quantity("dL/dw", number, i + 1, j + 1, sample))
                assert flat[i * layer.inputs + j] == pytest.approx(share, rel=1e-12, abs=1e-300)


@given(problems(losses=("cross_entropy", "binary_cross_entropy"), depth=2, units=4, wide=False))
@settings(max_examples=40)
def test_every_step_of_the_algebra_comes_to_the_error_signal(problem: Setup) -> None:
    trace = run(problem.network, problem.x, problem.y, problem.eta)
    assume(trace.finite and cancels(trace))
    for i in range(1, trace.network.sizes[-1] + 1):
        q = Quantity("dL/dz", trace.network.depth, i, 0, 1 if trace.samples > 1 else 0)
        if trace.goes_around(q):
            continue
        found = steps(trace, q)
        assert len(found) == 5
        for one in found:
            value = float(evaluate(one.tree, trace))
            assert value == pytest.approx(trace.value(q), rel=1e-9, abs=1e-12), one.why


def test_there_is_one_route_where_loss_and_activation_do_not_belong_together() -> None:
    with pytest.raises(KeyError):
        steps(context("3-4-2-regression").trace, parse("dL/dz[2][1]"))
    assert get("/lessons/3-4-2-regression/both-routes").status_code == 404


# ---- the pages ----


def cells(address: str, n: int) -> list[list[str]]:
    """The numbers of the n-th matrix of a page."""
    table = list(page(address).root.all("table", cls="matrix"))[n]
    return [[td.text for td in row.all("td")] for row in table.all("tr")]


def test_the_jacobian_of_a_softmax_is_full_and_that_of_a_sigmoid_diagonal() -> None:
    assert cells(f"{SOFTMAX}/jacobians/2", 0)[0] == ["0.2259", "−0.1256", "−0.1004"]
    assert cells(f"{SOFTMAX}/jacobians/1", 0) == [["0.2427", "0"], ["0", "0.2280"]]


def test_denominator_layout_has_the_same_numbers_turned() -> None:
    for n in (1, 2):
        here = cells(f"{SOFTMAX}/jacobians/1", n)
        there = cells(f"{SOFTMAX}/jacobians/1?layout=denominator", n)
        assert [list(row) for row in zip(*there, strict=True)] == here
    assert (
        "Denominator layout: everything is turned"
        in get(f"{SOFTMAX}/jacobians/1?layout=denominator").text
    )


def test_a_marked_weight_is_marked_in_all_three_matrices_of_its_gradient() -> None:
    root = page(f"{SOFTMAX}/jacobians/1?mark=2,3").root
    assert [td.attributes["data-q"] for td in root.all("td", cls="makes")] == [
        "dL/dz[1][2]", "x[3]", "dL/dw[1][2,3]",
    ]  # fmt: skip


def test_each_entry_with_a_name_leads_to_its_own_derivation() -> None:
    table = next(page(f"{SOFTMAX}/jacobians/2?decimals=3").root.all("table", cls="matrix"))
    links = [a.attributes["href"] for a in table.all("a")]
    assert len(links) == 9
    answer = get(links[1])
    assert answer.status_code == 200
    assert "decimals=3" in links[1]
    zeros = next(page(f"{SOFTMAX}/jacobians/1").root.all("table", cls="matrix"))
    assert len(list(zeros.all("a"))) == 2  # beside the diagonal nothing is computed


def test_the_gradient_of_many_samples_is_written_as_the_lecture_does() -> None:
    root = page("/lessons/linear-regression/jacobians/1").root
    assert "All samples at once" in [h2.text for h2 in root.all("h2")]
    assert get("/lessons/batch-descent/jacobians/1").status_code == 200
    assert "one matrix product: 2/4 · (ŷ − y)ᵀ · X." in root.text


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (f"{SOFTMAX}/jacobians/7", "layers 1 to 2; there is no layer “7”"),
        (f"{SOFTMAX}/jacobians/x", "there is no layer “x”"),
        ("/lessons/perceptron-step/jacobians/1", "there are no derivatives"),
        ("/lessons/sum-times/jacobians/q", "This formula has single numbers only"),
    ],
)
def test_layers_that_are_not_there_are_answered_with_the_reason(address: str, said: str) -> None:
    answer = get(address)
    assert answer.status_code == 404
    assert said in answer.text


def test_nonsense_in_the_address_is_told_and_the_page_is_there() -> None:
    answer = get(f"{SOFTMAX}/jacobians/2?mark=9,9&layout=sideways&sample=4")
    assert answer.status_code == 200
    for said in ("mark “9,9” is not a weight", "layout “sideways” is not known", "sample “4”"):
        assert said in answer.text


def test_both_routes_stand_side_by_side_and_come_to_the_same() -> None:
    root = page(f"{SOFTMAX}/both-routes?unit=2").root
    assert [p.one("math").text for p in root.all("p", cls="result")] == ["≈0.3641"] * 5
    assert len(list(root.one("table").one("tbody").all("tr"))) == 3
    assert get("/lessons/1-2-3-1-sigmoid/both-routes").status_code == 200


@pytest.mark.parametrize("name", ["3-2-3-softmax", "1-2-3-1-sigmoid"])
@pytest.mark.parametrize("seen", [View(), View(iteration=3), View(decimals=2), View(paper=2)])
def test_the_shown_numbers_of_both_routes_give_the_shown_results(name: str, seen: View) -> None:
    opened = context(name, seen)
    decimals = seen.paper or opened.decimals
    shown = both_routes_page(opened)
    pairs = [(line.numbers.math, line.value) for line in shown.lines]
    for _, long, *cells in shown.routes.rows:
        results = [cells[0], cells[2]] if seen.paper else [cells[1]] * 2
        ways = (long, cells[1] if seen.paper else cells[0])
        for way, result in zip(ways, results, strict=True):
            assert isinstance(result, str)
            value = float(result.replace("−", "-"))
            pairs.append((str(way), opened.line.value(value, "≈")))
    assert len(pairs) >= 7
    for numbers, result in pairs:
        assert gives(numbers, result, decimals), (numbers, result)


def test_every_sample_that_is_offered_has_both_routes() -> None:
    place = "/lessons/init-large/both-routes"
    links = page(place).root.one("nav", cls="samples").all("a")
    offered = [link.attributes["href"] or "" for link in links]
    assert len(offered) > 1
    assert f"{place}?sample=5" not in offered
    assert {get(href).status_code for href in offered} == {200}
    assert get(f"{place}?sample=5").status_code == 404


def test_on_paper_each_route_has_a_result_of_its_own() -> None:
    root = page(f"{SOFTMAX}/both-routes?paper=2").root
    table = root.one("table")
    assert [th.text for th in table.one("thead").all("th")][2:] == [
        "Result",
        "Output minus target",
        "Its result",
    ]
    first = [td.text for td in next(iter(table.one("tbody").all("tr"))).all("td")]
    assert (first[1], first[3]) == ("−0.65", "−0.66")  # 2.94 · 0.22 = 0.6468; 0.34 − 1
    assert "come apart by 0.01:" in root.text


def test_the_steps_of_the_backward_pass_lead_to_both_pages() -> None:
    n = context("3-2-3-softmax").walk.step_of(parse("dL/dz[2][2]"))
    hrefs = {a.attributes["href"] for a in page(f"{SOFTMAX}/steps/{n}").root.all("a")}
    assert {f"{SOFTMAX}/jacobians/2", f"{SOFTMAX}/both-routes?unit=2"} <= hrefs
    assert View().jacobians("a", 2) == "/lessons/a/jacobians/2"
