"""Batches: each epoch visits every sample once, in an order that depends on the seed alone, and an
iteration is the same whichever way it is opened.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import problems
from tutor.engine import training
from tutor.engine.batches import Batches
from tutor.engine.trace import Trace, run, updated
from tutor.engine.training import Stop, Training
from tutor.errors import NetworkError


@st.composite
def batches(draw: Any) -> Batches:
    samples = draw(st.integers(1, 40))
    size = draw(st.none() | st.integers(1, samples))
    return Batches(samples, size, draw(st.none() | st.integers(0, 2**32 - 1)))


def same(one: Trace, other: Trace) -> bool:
    return one.keys() == other.keys() and all(
        np.array_equal(one[name], other[name], equal_nan=True) for name in one
    )


@given(batches(), st.integers(1, 5))
def test_every_epoch_visits_each_sample_once(found: Batches, epoch: int) -> None:
    first = (epoch - 1) * found.per_epoch + 1
    visited = [found.rows(t).tolist() for t in range(first, first + found.per_epoch)]
    assert sorted(row for rows in visited for row in rows) == list(range(found.samples))
    assert {found.epoch(t) for t in range(first, first + found.per_epoch)} == {epoch}
    assert [len(rows) for rows in visited[:-1]] == [found.each] * (found.per_epoch - 1)
    assert 1 <= len(visited[-1]) <= found.each


@given(batches(), st.integers(1, 10_000))
def test_the_order_depends_on_seed_and_iteration_alone(found: Batches, iteration: int) -> None:
    again = Batches(found.samples, found.size, found.seed)
    assert np.array_equal(found.rows(iteration), again.rows(iteration))
    if found.seed is not None:
        order = np.random.default_rng([found.seed, found.epoch(iteration) - 1])
        assert np.array_equal(
            found.rows(iteration), order.permutation(found.samples)[found.span(iteration)]
        )


def test_without_a_seed_the_order_is_that_of_the_data_again_and_again() -> None:
    found = Batches(5, 2)
    assert [found.rows(t).tolist() for t in range(1, 6)] == [[0, 1], [2, 3], [4], [0, 1], [2, 3]]


def test_with_a_seed_each_epoch_has_an_order_of_its_own() -> None:
    found = Batches(12, 12, seed=0)
    orders = {tuple(found.rows(t).tolist()) for t in range(1, 6)}
    assert len(orders) == 5
    assert tuple(Batches(12, 12, seed=1).rows(1).tolist()) not in orders


@pytest.mark.parametrize("size", [0, -1, 6])
def test_a_batch_has_at_least_one_sample_and_at_most_all(size: int) -> None:
    with pytest.raises(NetworkError, match="a batch has 1 to 5 samples"):
        Batches(5, size)


@settings(max_examples=40)
@given(problems(samples=6), st.data(), st.integers(1, 12))
def test_an_iteration_opened_by_checkpoints_is_that_of_the_straight_run_bit_for_bit(
    problem: Any, data: Any, last: int
) -> None:
    size = data.draw(st.none() | st.integers(1, len(problem.x)))
    seed = data.draw(st.none() | st.integers(0, 100))
    of = (problem.network, problem.x, problem.y, problem.eta)
    opened = Training(*of, batch_size=size, shuffle=seed)
    opened._every = 3
    network = problem.network
    for t in range(1, last + 1):
        rows = [number - 1 for number in opened.samples(t)]
        trace = run(network, problem.x[rows], problem.y[rows], problem.eta)
        if trace.stop is not None:
            return
        network = updated(trace)
        assert same(opened.trace(t), trace)
    backwards = Training(*of, batch_size=size, shuffle=seed)
    for t in range(last, 0, -1):
        assert same(backwards.trace(t), opened.trace(t))


@given(problems(samples=6))
def test_a_full_batch_without_a_seed_is_plain_descent_on_all_samples(problem: Any) -> None:
    of = (problem.network, problem.x, problem.y, problem.eta)
    plain = run(*of)
    if plain.stop is not None:
        return
    assert same(Training(*of).trace(1), plain)
    assert same(Training(*of, batch_size=len(problem.x)).trace(1), plain)
    assert Training(*of).samples(7) == tuple(range(1, len(problem.x) + 1))


def test_few_states_are_kept_however_long_the_run() -> None:
    network = _line()
    x = np.arange(6.0)[:, None]
    long = Training(network, x, 2 * x, 0.01, batch_size=2, shuffle=0)
    long.at(3_000)
    assert len(long._kept) <= training.MOST_KEPT


def _line() -> Any:
    from tutor.engine.activations import activation
    from tutor.engine.losses import loss
    from tutor.engine.network import Layer, Network, frozen

    layer = Layer(frozen([[0.5]]), frozen([0.0]), activation("identity"))
    return Network((layer,), loss("squared_error"))


# ---- when a run ends by itself ----


def test_a_run_ends_when_its_loss_is_below_the_limit_or_hardly_changes() -> None:
    full = Batches(4)
    assert not Stop().reached([0.0, 0.0], full)
    assert Stop(loss_below=0.1).reached([0.5, 0.09], full)
    assert not Stop(loss_below=0.1).reached([0.5, 0.1], full)
    assert Stop(change_below=0.01).reached([0.5, 0.495], full)
    assert not Stop(change_below=0.01).reached([0.5], full)
    assert not Stop(change_below=0.01).reached([0.5, 0.48], full)


def test_with_batches_only_the_end_of_an_epoch_ends_a_run() -> None:
    pairs = Batches(4, 2)
    assert not Stop(loss_below=0.1).reached([0.5, 0.4, 0.01], pairs)
    assert not Stop(loss_below=0.1).reached([0.5, 0.4, 0.01, 0.3], pairs)
    assert Stop(loss_below=0.1).reached([0.5, 0.4, 0.01, 0.1], pairs)
    assert Stop(change_below=0.1).reached([0.5, 0.4, 0.4, 0.49], pairs)
    assert not Stop(change_below=0.01).reached([0.5, 0.4, 0.4, 0.4], pairs)
