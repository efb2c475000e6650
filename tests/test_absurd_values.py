"""Values at the end of what float64 holds: every page answers, and NumPy warns nobody. Warnings are
errors in all tests, so a page that computes without care would have none.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, isfinite
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient

from app import create_app
from tests.visiting import context
from tutor.engine.health import flow
from tutor.engine.network import with_parameters
from tutor.engine.run import Run, loss_on, losses_of_first, measured, movers
from tutor.engine.training import Training
from tutor.lesson.walk import training
from tutor.pages.view import View

SCENARIOS = Path(__file__).parents[1] / "scenarios"
NETWORKS = {
    "1-2-3-1-sigmoid": (
        "w[1][1,1]=1e308&x[1]=1e308",
        "loss=squared_error&y[1]=1e200",
        "activation[1]=relu&w[1][1,1]=1e308&w[2][1,1]=1e308&w[2][2,1]=-1e308",
        "activation[2]=relu&w[2][1,1]=1e200&w[3][1,1]=-1e200",
        "w[3][1,1]=1e-320&w[2][1,1]=1e-320",
    ),
    "3-2-3-softmax": ("w[2][1,1]=-1e308&w[2][2,1]=1e308", "learning_rate=1e300"),
    "linear-regression": ("w[1][1,1]=1e153&learning_rate=1e100",),
    "exploding-clipped": ("w[1][1,1]=1e200",),
    "lifestyle-penalty": ("learning_rate=1e308",),
}
OF_NETWORKS = (
    "/steps/20", "/steps/9?grain=layer&paper=2", "/steps/3?grain=pass", "/check", "/paper?paper=3",
    "/quantities/loss", "/quantities/w[1][1,1]?h=1e300", "/paths/w[1][1,1]", "/jacobians/1",
    "/jacobians/2", "/training?iterations=20&at=2", "/export/worked",
)  # fmt: skip
FORMULAS = ("a/b", "tanh(a)*b", "exp(-a*a)*b", "a*b/(1%2Ba*a)", "a**b", "max(a,b)*abs(a)")
OF_FORMULAS = ("", "/steps/4", "/steps/3?grain=layer", "/paper", "/export/json")
VALUES = ("a=1e308&b=1e308", "a=1e-308&b=1e-308", "a=1e200&b=-1e200")


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    folders = (SCENARIOS / name for name in (".", "graphs", "operations", "training"))
    return create_app(*folders).test_client()


def visit(client: FlaskClient, address: str) -> int:
    """The status of a page, which is never an error of ours."""
    answer = client.get(address)
    assert answer.status_code < 500, address
    return answer.status_code


@pytest.mark.parametrize(
    ("name", "changed"), [(name, one) for name, those in NETWORKS.items() for one in those]
)
def test_a_network_with_absurd_numbers_answers_on_every_page(
    name: str, changed: str, client: FlaskClient
) -> None:
    seen = [
        visit(client, f"/lessons/{name}{page}{'&' if '?' in page else '?'}{changed}")
        for page in OF_NETWORKS
    ]
    assert seen.count(200) > len(seen) / 2


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_with_absurd_values_answers_on_every_page(
    text: str, values: str, client: FlaskClient
) -> None:
    for page in OF_FORMULAS:
        address = f"/formula{page}{'&' if '?' in page else '?'}expression={text}&{values}"
        assert visit(client, address) in {200, 302, 404}, address
        if "export" not in page:
            visit(client, f"{address}&paper=2")


@pytest.fixture(autouse=True)
def _warned() -> Iterator[None]:
    """Whatever ran before in this process, NumPy warns."""
    with np.errstate(all="warn", under="ignore"):
        yield


def test_a_warning_would_be_seen() -> None:
    with pytest.raises(RuntimeWarning, match="overflow"):
        np.multiply(np.array([1e200]), 1e200)


def test_the_size_of_a_gradient_whose_squares_are_beyond_float64_is_told() -> None:
    view = View(changes=(("loss", "squared_error"), ("y[1]", "1e200")))
    parts = flow(context("1-2-3-1-sigmoid", view).trace)
    sizes = [part.gradient for part in parts]
    assert all(size is not None and isfinite(size) and size > 1e150 for size in sizes)
    usual = flow(context("1-2-3-1-sigmoid").trace)
    for part in usual:
        gradients = context("1-2-3-1-sigmoid").trace.array("dL/dw", part.layer)
        assert part.gradient == pytest.approx(float(np.sqrt((gradients**2).mean())), rel=1e-14)


def large() -> Training:
    """A training whose weights are at the end of what float64 holds."""
    found = training(context("linear-regression").lesson.scenario)
    network = found.at(1).network
    weights = tuple(np.full(layer.weights.shape, 1e300) for layer in network.layers)
    biases = tuple(layer.biases for layer in network.layers)
    return Training(with_parameters(network, weights, biases), found.x * 1e200, found.y, found.eta)


def test_losses_beyond_float64_are_infinite_and_quiet() -> None:
    found = large()
    network = found.at(1).network
    assert loss_on(network, found.x, found.y) == inf
    assert losses_of_first(network, found.x, found.y)[-1] == inf
    assert measured(network, found.x, found.y, lambda a, b: 0.5).loss == inf


def test_a_run_that_ends_at_once_and_numbers_that_move_far_are_quiet() -> None:
    found = large()
    run = Run(found)
    run.record(5)
    assert run.length == 0
    assert run.ending is not None
    ends = [
        with_parameters(network, tuple(np.full(layer.weights.shape, size) for layer in network.layers),
                        tuple(layer.biases for layer in network.layers))
        for network in (found.at(1).network,) for size in (1e308, -1e308)
    ]  # fmt: skip
    assert len(movers(*ends, 1)) == 1


def test_the_mean_of_losses_that_add_up_beyond_float64_is_quiet() -> None:
    found = Run(training(context("stochastic-descent").lesson.scenario))
    each = found.training.batches.per_epoch
    assert each > 1
    assert found.epochs([1e308] * each) == ([each], [inf])
