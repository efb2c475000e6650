"""Runs: what is recorded of many iterations is what stepping through them shows, bit for bit."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import count, pairwise, takewhile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.engine.activations import activation
from tutor.engine.kinds import FORWARD
from tutor.engine.lean import Lean
from tutor.engine.losses import loss
from tutor.engine.network import Layer, Network
from tutor.engine.optimizers import OPTIMIZERS, rule
from tutor.engine.quantity import Quantity
from tutor.engine.run import (
    MOST_POINTS,
    PIECE,
    Goal,
    Measured,
    Run,
    Thinned,
    above_half,
    accuracy_of,
    layer_sizes,
    learning,
    looked,
    loss_on,
    losses_of_first,
    movers,
    norm,
    outputs,
    parameter_names,
    passed_to_output,
    surface,
    value,
    with_values,
)
from tutor.engine.trace import run as trace_of
from tutor.engine.training import Stop, Training
from tutor.lesson.setup import training
from tutor.scenario import reader

SHELF = sorted((Path(__file__).parents[1] / "scenarios").glob("*.yaml"))
TRAINED = [path for path in SHELF if path.stem not in {"perceptron-step", "exploding-gradient"}]
RANDOM = np.random.default_rng(0)
X = RANDOM.uniform(-1, 1, (40, 2))
Y = (np.hypot(X[:, 0], X[:, 1]) < 0.65).astype(float)[:, None]


def circle(eta: float = 0.5, hidden: str = "relu") -> Training:
    random = np.random.default_rng(3)
    layers = (
        Layer(random.standard_normal((8, 2)), np.zeros(8), activation(hidden)),
        Layer(random.standard_normal((1, 8)), np.zeros(1), activation("sigmoid")),
    )
    return Training(Network(layers, loss("binary_cross_entropy")), X, Y, eta)


def line(eta: float) -> Training:
    """One weight without a bias; it doubles its distance at eta 3 and leaves the range at last."""
    network = Network(
        (Layer(np.array([[2.0]]), None, activation("identity")),), loss("half_squared_error")
    )
    return Training(network, np.array([[1.0]]), np.array([[0.0]]), eta)


def same(one: Network, other: Network) -> bool:
    return all(
        value(one, q) == value(other, q) or math.isnan(value(one, q)) for q in parameter_names(one)
    )


@pytest.mark.parametrize("path", TRAINED, ids=lambda path: path.stem)
def test_a_run_of_a_lesson_is_what_stepping_through_it_gives(path: Path) -> None:
    run, walked = Run(training(reader.load(path))), training(reader.load(path))
    run.record(40)
    assert run.length == 40
    state = walked.at(1)
    for n in range(1, 41):
        trace, state_after = walked.step(state)
        assert run.losses[n - 1] == trace.loss
        assert run.points.kept[n].norms == tuple(
            norm(trace, layer) for layer in range(1, trace.network.depth + 1)
        )
        assert same(run.parameters(n), state.network)
        state = state_after
    assert same(run.parameters(41), state.network)


@pytest.mark.parametrize("hidden", ["relu", "tanh", "sigmoid", "softplus", "elu", "leaky_relu"])
def test_the_short_way_and_the_way_through_traces_are_the_same(hidden: str) -> None:
    short, long = Run(circle(hidden=hidden)), Run(circle(hidden=hidden))
    assert short._lean is not None
    long._lean = None
    short.record(70)
    long.record(70)
    assert short.losses == long.losses
    assert short.points.kept == long.points.kept
    assert all(same(short.parameters(n), long.parameters(n)) for n in (1, 2, 33, 70, 71))


def test_a_run_in_pieces_is_the_run_in_one_go() -> None:
    whole, pieces = Run(circle()), Run(circle())
    whole.record(50)
    for last in (1, 2, 17, 33, 50):
        pieces.record(last)
        assert pieces.length == last
    assert pieces.losses == whole.losses
    assert same(pieces.parameters(51), whole.parameters(51))


def test_a_run_stops_where_it_is_told_to_and_goes_on_from_there() -> None:
    run, looks = Run(circle()), count()
    run.record(1000, lambda: next(looks) < 3)
    reached = run.length
    assert 1 <= reached < 1000
    run.record(reached + 5)
    assert run.length == reached + 5


def test_a_run_leaves_its_states_to_whoever_opens_an_iteration() -> None:
    trained = circle()
    Run(trained).record(200)
    assert max(trained._kept) > 160
    assert same(trained.at(190).network, circle().at(190).network)


def test_a_long_run_has_few_points_and_all_its_losses() -> None:
    run = Run(line(0.01))
    run.record(2000)
    assert len(run.losses) == 2000
    assert len(run.points.kept) <= MOST_POINTS + PIECE
    assert len(run.states.kept) <= MOST_POINTS + PIECE
    assert {1, 1 + run.points.every} <= set(run.points.kept)
    assert same(run.parameters(1234), line(0.01).at(1234).network)


def test_what_is_thinned_keeps_the_first_and_every_so_many() -> None:
    thinned: Thinned[int] = Thinned(4)
    for n in range(1, 20):
        if thinned.wants(n):
            thinned.add(n, n)
    assert sorted(thinned.kept) == [1, 9, 17]
    assert thinned.every == 8


@given(st.integers(1, 3000), st.integers(2, 400))
def test_the_first_and_the_last_iteration_are_looked_at(last: int, most: int) -> None:
    found = looked(last, most)
    assert (found[0], found[-1]) == (1, last)
    assert len(found) <= most + 1
    assert len({b - a for a, b in pairwise(found[:-1])}) <= 1
    assert found == list(range(1, last + 1)) or last > most


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("last", [1, 400, 401, 430, 997, 1000])
def test_what_is_looked_at_of_a_run_is_there_though_it_has_gone_further(
    last: int, quick: bool
) -> None:
    run, whole = Run(line(0.01)), Run(line(0.01))
    if not quick:
        run._lean = None
    run.record(last)
    whole.points.most = 10_000
    whole.record(last + PIECE - 1)
    end = run.look(last)
    assert end == whole.points.kept[last]
    run.record(last + PIECE - 1)
    assert {*looked(last)} <= {*run.points.kept, last}
    assert run.look(last) == end
    assert {*looked(last, run.states.most)} <= {*run.states.kept, last}


# ---- where it ends ----


@pytest.mark.parametrize("eta", [3.0, 20.0, 1e6])
def test_a_run_that_explodes_ends_where_the_walk_ends(eta: float) -> None:
    run = Run(line(eta))
    run.record(5000)
    assert run.ending is not None
    n = run.ending.iteration
    trace = line(eta).trace(n)
    assert trace.stop == run.ending.why
    assert run.length in {n, n - 1}
    assert all(map(math.isfinite, run.losses))
    walked = list(takewhile(lambda m: line(eta).trace(m).stop is None, range(1, n + 1)))
    assert walked == list(range(1, n))


def test_a_circle_that_explodes_ends_in_the_same_iteration_by_both_ways() -> None:
    found = []
    for lean in (True, False):
        run = Run(circle(1e60))
        if not lean:
            run._lean = None
        run.record(50)
        found.append((run.ending and (run.ending.iteration, run.ending.why), list(run.losses)))
    assert found[0] == found[1]


def test_a_run_that_cannot_begin_says_so() -> None:
    run = Run(training(reader.load(SHELF[0].with_name("perceptron-step.yaml"))))
    run.record(10)
    assert run.ending is not None
    assert (run.ending.iteration, run.ending.why.why) == (1, "flat")


def test_an_input_that_is_near_the_end_of_the_range_is_not_taken_the_short_way() -> None:
    trained = Training(line(0.1).network, np.array([[1e200]]), np.array([[0.0]]), 0.1)
    assert Lean.of(trained, trained.at(1)) is None
    run = Run(trained)
    run.record(3)
    assert run.ending is not None
    assert run.ending.iteration == 1
    assert run.ending.why.quantity.of.phase != FORWARD


# ---- goals ----


def test_a_goal_is_met_by_the_first_iteration_that_meets_it() -> None:
    run = Run(line(0.1))
    run.record(1000, goal=Goal(loss_below=0.01))
    met = run.reached(Goal(loss_below=0.01))
    assert met is not None
    assert run.losses[met - 1] < 0.01 <= run.losses[met - 2]
    assert run.length < met + 32


def test_a_goal_for_the_change_compares_neighbours() -> None:
    run = Run(line(0.1))
    run.record(1000, goal=Goal(change_below=1e-3))
    met = run.reached(Goal(change_below=1e-3))
    assert met is not None
    assert abs(run.losses[met - 1] - run.losses[met - 2]) < 1e-3
    assert abs(run.losses[met - 2] - run.losses[met - 3]) >= 1e-3


def test_a_goal_for_the_accuracy_counts_right_answers() -> None:
    trained = circle()
    run = Run(trained, accuracy_of(trained.network, Y))
    run.record(2000, goal=Goal(accuracy=0.95))
    met = run.reached(Goal(accuracy=0.95))
    assert met is not None
    right = (outputs(run.parameters(met), X, Y) > 0.5) == (Y > 0.5)
    assert run.accuracies[met - 1] == np.mean(right) >= 0.95


def test_a_goal_that_was_met_already_adds_nothing() -> None:
    run = Run(line(0.1))
    run.record(100)
    run.record(5000, goal=Goal(loss_below=0.01))
    assert run.length == 100


# ---- classes ----


def network(output: str, name: str = "squared_error", units: int = 1) -> Network:
    return Network((Layer(np.ones((units, 2)), None, activation(output)),), loss(name))


@pytest.mark.parametrize(
    ("output", "targets", "found", "accuracy"),
    [
        ("sigmoid", [[0], [1], [1]], [[0.2], [0.7], [0.4]], 2 / 3),
        ("tanh", [[-1], [1]], [[-0.2], [0.9]], 1.0),
        ("identity", [[-1], [1]], [[3.0], [0.9]], 0.5),
        ("softmax", [[1, 0], [0, 1]], [[0.6, 0.4], [0.7, 0.3]], 0.5),
    ],
)
def test_targets_that_are_classes_are_counted(
    output: str, targets: list[list[float]], found: list[list[float]], accuracy: float
) -> None:
    y = np.array(targets, dtype=float)
    counted = accuracy_of(network(output, units=y.shape[1]), y)
    assert counted is not None
    assert counted(np.array(found), y) == accuracy


@pytest.mark.parametrize(
    ("output", "targets"),
    [
        ("sigmoid", [[0.3], [0.9]]),
        ("identity", [[2.0], [5.0]]),
        ("softmax", [[0.5, 0.5], [1, 0]]),
        ("sigmoid", [[1]]),
    ],
)
def test_other_targets_have_no_accuracy(output: str, targets: list[list[float]]) -> None:
    y = np.array(targets)
    assert accuracy_of(network(output, units=y.shape[1]), y) is None


# ---- single parameters ----


def test_every_parameter_that_learns_has_a_name_and_a_value() -> None:
    names = tuple(parameter_names(circle().network))
    assert learning(circle().network) == len(names)
    assert len(names) == 8 * 2 + 8 + 8 + 1
    assert len(set(names)) == len(names)
    changed = with_values(circle().network, {names[3]: 7.0, Quantity("b", 1, 2): -1.5})
    assert value(changed, names[3]) == 7.0
    assert value(changed, Quantity("b", 1, 2)) == -1.5
    kept = [q for q in names if q not in {names[3], Quantity("b", 1, 2)}]
    assert all(value(changed, q) == value(circle().network, q) for q in kept)


def test_a_surface_has_the_loss_of_the_network_in_its_middle() -> None:
    network = circle().network
    chosen = (Quantity("w", 1, 1, 1), Quantity("b", 2, 1))
    across = np.array([value(network, chosen[0]) - 1, value(network, chosen[0])])
    up = np.array([value(network, chosen[1]), value(network, chosen[1]) + 2])
    found = surface(network, X, Y, chosen, across, up)
    assert found[0, 1] == loss_on(network, X, Y)
    corner = with_values(network, {chosen[0]: across[0], chosen[1]: up[1]})
    assert found[1, 0] == loss_on(corner, X, Y)


def test_losses_on_other_sets_are_recorded_with_the_points() -> None:
    trained = circle()
    run = Run(trained, others={"validation": (X[:5], Y[:5])})
    run.record(10)
    for n, point in run.points.kept.items():
        network = run.parameters(n)
        assert point.others == (Measured(loss_on(network, X[:5], Y[:5]), None),)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_accuracies_on_other_sets_are_those_of_the_whole_network(dropout: float) -> None:
    trained = circle()
    hidden, output = trained.network.layers
    network = replace(trained.network, layers=(replace(hidden, dropout=dropout), output))
    run = Run(replace(trained, network=network), above_half, {"test": (X[:7], Y[:7])})
    run.record(20)
    for n, point in run.points.kept.items():
        network = run.parameters(n)
        share = above_half(outputs(network, X[:7], Y), Y[:7])
        assert point.others == (Measured(loss_on(network, X[:7], Y[:7]), share),)
    assert len({point.others[0].accuracy for point in run.points.kept.values()}) > 1


@pytest.mark.parametrize("optimizer", [*OPTIMIZERS])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_a_run_with_an_optimizer_is_that_of_stepping_bit_for_bit(
    optimizer: str, dropout: float
) -> None:
    by = rule(optimizer, schedule="cosine", penalty="squared", clip="norm")
    weights = np.array([[0.1, 0.2], [0.3, -0.4]])
    first = Layer(weights, np.array([0.1, 0.2]), activation("tanh"), dropout=dropout)
    last = Layer(np.array([[0.1, -0.3]]), np.array([0.1]), activation("sigmoid"))
    net = Network((first, last), loss("binary_cross_entropy"), "mean", by)
    random = np.random.default_rng(1)
    x, y = random.normal(size=(4, 2)), (random.random((4, 1)) > 0.5) * 1.0
    recorded = Run(Training(net, x, y, 0.1))
    recorded.record(50)
    assert recorded.quick
    straight = Training(net, x, y, 0.1)
    state, losses = straight.at(1), []
    for _ in range(50):
        trace, state = straight.step(state)
        losses.append(trace.loss)
    assert list(recorded.losses) == losses
    found = recorded.state(51)
    for one, other in zip(found.network.layers, state.network.layers, strict=True):
        assert one.weights.tobytes() == other.weights.tobytes()
    assert {k: v.tobytes() for k, v in found.slots.items()} == {
        k: v.tobytes() for k, v in state.slots.items()
    }


# ---- epochs, and where a training stops by itself ----


def batched(stop: Stop, size: int = 10, shuffle: int | None = 1) -> Training:
    trained = circle()
    return Training(trained.network, X, Y, 0.5, batch_size=size, shuffle=shuffle, stop=stop)


@pytest.mark.parametrize(("size", "shuffle"), [(10, 1), (10, None), (1, 2), (12, 1), (40, None)])
def test_a_run_in_batches_is_that_of_stepping(size: int, shuffle: int | None) -> None:
    walked = batched(Stop(), size, shuffle)
    run = Run(batched(Stop(), size, shuffle), accuracy_of(walked.network, Y))
    assert run.quick == (40 % size == 0)
    run.record(14)
    state = walked.at(1)
    for n in range(14):
        trace, after = walked.step(state)
        assert run.losses[n] == trace.loss
        assert run.accuracies[n] == np.mean((trace.outputs > 0.5) == (trace.y > 0.5))
        assert same(run.parameters(n + 1), state.network)
        state = after


def test_the_mean_of_each_epoch_is_taken_over_its_batches() -> None:
    run = Run(batched(Stop()))
    run.record(14)
    ends, means = run.epochs(run.losses)
    assert ends == [4, 8, 12]
    assert means[1] == pytest.approx(np.mean(run.losses[4:8]))
    assert Run(circle()).epochs([1.0]) == ([], [])


def test_a_training_that_stops_by_itself_ends_a_run_at_an_epoch() -> None:
    run = Run(batched(Stop(loss_below=0.4)))
    run.record(4000, goal=Goal(own=True))
    met = run.reached(Goal(own=True))
    assert met is not None
    assert met % 4 == 0
    assert np.mean(run.losses[met - 4 : met]) < 0.4
    assert all(np.mean(run.losses[n - 4 : n]) >= 0.4 for n in range(4, met, 4))
    assert run.reached(Goal(own=True), since=met - 1) == met


def test_the_loss_alone_is_that_of_a_trace() -> None:
    trained = circle()
    assert loss_on(trained.network, X, Y) == trained.trace(1).loss


def test_the_parameters_that_change_most_are_found_by_their_names() -> None:
    before = circle().network
    moved = {Quantity("w", 1, 3, 2): 90.0, Quantity("b", 1, 5): -80.0, Quantity("w", 2, 1, 8): 70.0}
    after = with_values(before, moved)
    assert movers(before, after, 3) == [
        Quantity("w", 1, 3, 2), Quantity("b", 1, 5), Quantity("w", 2, 1, 8),
    ]  # fmt: skip
    assert movers(before, after, 1) == [Quantity("w", 1, 3, 2)]
    assert len(movers(before, before, 6)) == 6


# ---- sizes layer by layer, and sums of units ----


def test_the_sizes_of_a_layer_are_those_of_its_trace() -> None:
    training = circle()
    trace = training.trace(1)
    for layer, size in enumerate(layer_sizes(training.network, X, Y), 1):
        assert size.spread == trace["a", layer].std()
        assert size.signal == pytest.approx(np.linalg.norm(trace["dL/dz", layer]))
        assert size.gradient == pytest.approx(norm(trace, layer))


def test_a_frozen_layer_has_no_gradient_and_numbers_out_of_range_have_no_size() -> None:
    first, last = circle().network.layers
    frozen = replace(first, train_weights=False, train_biases=False)
    sizes = layer_sizes(Network((frozen, last), loss("binary_cross_entropy")), X, Y)
    assert sizes[0].gradient is None
    assert sizes[0].signal > 0
    assert sizes[1].gradient is not None
    far = replace(first, weights=np.full((8, 2), 1e308))
    assert layer_sizes(Network((far, last), loss("binary_cross_entropy")), 9 * X, Y) == ()
    stairs = replace(first, activation=activation("step"))
    assert layer_sizes(Network((stairs, last), loss("binary_cross_entropy")), X, Y) == ()


def test_the_loss_with_the_first_units_leaves_the_others_out() -> None:
    network = circle().network
    losses = losses_of_first(network, X, Y)
    assert len(losses) == 9
    assert losses[8] == loss_on(network, X, Y)
    first, last = network.layers
    three = replace(last, weights=last.weights[:, :3])
    few = replace(first, weights=first.weights[:3], biases=np.zeros(3))
    alone = Network((few, three), network.loss)
    assert losses[3] == pytest.approx(loss_on(alone, X, Y))
    assert losses[0] == pytest.approx(math.log(2))


def test_what_the_units_before_the_output_pass_on_adds_up_to_it() -> None:
    network = circle().network
    last = network.layers[1]
    plain = Network(
        (network.layers[0], replace(last, activation=activation("identity"))), loss("squared_error")
    )
    passed = passed_to_output(plain, X, Y)
    assert passed.shape == (40, 8)
    assert np.allclose(passed @ last.weights.T, outputs(plain, X, Y))


def test_what_a_network_answers_is_what_its_trace_has_also_where_it_overflows() -> None:
    network = circle().network
    assert np.array_equal(outputs(network, X, Y), trace_of(network, X, Y, 0.1).outputs)
    first = network.layers[0]
    huge = replace(first, weights=np.full_like(first.weights, 1e308))
    assert outputs(Network((huge, network.layers[1]), network.loss), X, Y).shape == Y.shape
