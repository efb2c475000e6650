"""The invariant: the tree of every step computes what the engine computed, from the engine's own
numbers.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from tests.closeness import agree, ordered, size
from tests.strategies import extreme_problems, problems
from tutor.engine.activations import activation
from tutor.engine.derivation import derive
from tutor.engine.entry import LONGEST
from tutor.engine.losses import loss
from tutor.engine.network import Layer, Network, frozen
from tutor.engine.order import NumberOrder
from tutor.engine.quantity import Quantity, parse
from tutor.engine.stable_loss import loses_digits
from tutor.engine.trace import Trace, run
from tutor.engine.tree import Elided, Log, Node, Quotient, Ref, Stable, evaluate, leaves, walk
from tutor.lesson.setup import Setup
from tutor.lesson.walk import open_lesson
from tutor.scenario.reader import load

SCENARIOS = sorted((Path(__file__).parents[1] / "scenarios").glob("*.yaml"))
EXTRA = Quantity("(loss-loss+)/loss")


def traced(problem: Setup) -> Trace:
    return run(problem.network, problem.x, problem.y, problem.eta)


def network_of(
    *layers: tuple[object, object, str], under: str = "half_squared_error", reduction: str = "mean"
) -> Network:
    made = (
        Layer(frozen(w), None if b is None else frozen(b), activation(name))
        for w, b, name in layers
    )
    return Network(tuple(made), loss(under), reduction)


def trees(trace: Trace, q: Quantity) -> list[Node]:
    """Every tree that the lesson has for a quantity: in full, by name, by the shortcut, in the
    stable form.
    """
    found = derive(trace, q)
    return [
        tree for tree in (found.tree, found.name, found.shortcut, found.stable) if tree is not None
    ]


def scale_of(trace: Trace, q: Quantity, tree: Node) -> float:
    """What the tree's terms come to without cancelling, those hidden in the gradient at the output
    included.
    """
    scales = [size(tree, trace)]
    if q.kind in {"dL/dz", "dL/dw", "dL/db"}:
        used = [leaf.quantity for leaf in leaves(tree, trace)]
        heads = [
            head for head in used if head.kind == "dL/da" and head.layer == trace.network.depth
        ]
        worst = max(
            (
                size(derive(trace, q).tree, trace) / abs(trace.value(q))
                for q in heads
                if trace.value(q)
            ),
            default=1.0,
        )
        scales.append(size(tree, trace) * worst)
        # a chain that starts at a softmax
        if heads and trace.network.layers[-1].activation.full_jacobian:
            outputs = [
                Quantity("dL/dz", trace.network.depth, k + 1, 0, q.sample)
                for k in range(trace.network.sizes[-1])
            ]
            sums = [(softmax_size(trace, z), size(derive(trace, z).tree, trace)) for z in outputs]
            scales.append(
                size(tree, trace) * max((own / other for own, other in sums if other), default=1.0)
            )
    if q.kind == "dL/dz" and trace.network.layer(q.layer).activation.full_jacobian:
        scales.append(softmax_size(trace, q))
    shortcut = derive(trace, q).shortcut
    return max(*scales, 0.0 if shortcut is None else size(shortcut, trace))


def softmax_size(trace: Trace, q: Quantity) -> float:
    """What the engine adds up for the dL/dz of a softmax, a (dL/da − Σ dL/da·a): near a = 1 it
    cancels, the tree does not.
    """
    row = max(q.sample, 1) - 1
    grads, a = np.abs(trace.array("dL/da", q.layer)[row]), np.abs(trace.array("a", q.layer)[row])
    with np.errstate(all="ignore"):
        return float(a[q.i - 1] * (grads[q.i - 1] + grads @ a))


def assert_invariant(trace: Trace, q: Quantity, *, exact: bool = False) -> None:
    if trace.out_of_range(q):
        return
    for tree in trees(trace, q):
        scale = 0.0 if exact else scale_of(trace, q, tree)
        assert agree(evaluate(tree, trace), trace.value(q), scale), (
            str(q),
            evaluate(tree, trace),
            trace.value(q),
        )


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_step_of_every_scenario_computes_the_engines_number(path: Path) -> None:
    trace = open_lesson(load(path)).trace
    order = NumberOrder.of(trace.network, trace.samples, trace.blocked)
    steps = list(order)[: order.rank(trace.stop.quantity)] if trace.stop else [*order, EXTRA]
    assert steps
    for q in steps:
        assert not trace.out_of_range(q)
        for tree in trees(trace, q):
            value = trace.value(q)
            # A gradient that is 0 by cancelling has no digits to compare; its terms have.
            assert agree(evaluate(tree, trace), value, size(tree, trace) if value == 0 else 0.0), (
                str(q),
                evaluate(tree, trace),
                value,
            )


@given(problems())
def test_every_step_of_a_random_network_computes_the_engines_number(problem: Setup) -> None:
    trace = traced(problem)
    for q in [*ordered(trace), *([] if trace.stop else [EXTRA])]:
        assert_invariant(trace, q)


@given(problems(hidden=("sigmoid", "sign", "step", "relu"), outputs=("step", "sign", "identity")))
@settings(max_examples=40)
def test_the_steps_before_a_flat_activation_compute_the_engines_number(problem: Setup) -> None:
    trace = traced(problem)
    for q in ordered(trace):
        assert_invariant(trace, q)


@given(extreme_problems())
def test_at_the_edges_of_float64_the_trees_stay_quiet_and_agree_wherever_their_terms_are_finite(
    problem: Setup,
) -> None:
    trace = traced(problem)
    for q in ordered(trace):
        for tree in trees(trace, q):
            with np.errstate(all="ignore"):
                scale = scale_of(trace, q, tree) + sum(
                    abs(trace.value(leaf.quantity)) for leaf in leaves(tree, trace)
                )
            if np.isfinite(scale) and not trace.out_of_range(q):
                assert agree(evaluate(tree, trace), trace.value(q), scale), (
                    str(q),
                    evaluate(tree, trace),
                    trace.value(q),
                )
    if trace.stop and trace.stop.why != "flat":
        assert np.ndim(evaluate(derive(trace, trace.stop.quantity).tree, trace)) == 0


@given(problems())
@settings(max_examples=50)
def test_leaves_are_numbers_of_the_trace(problem: Setup) -> None:
    trace = traced(problem)
    for q in ordered(trace):
        for tree in trees(trace, q):
            for leaf in leaves(tree, trace):
                assert evaluate(leaf, trace) == trace.value(leaf.quantity)


@given(problems())
@settings(max_examples=50)
def test_every_leaf_is_given_or_computed_at_an_earlier_step(problem: Setup) -> None:
    trace = traced(problem)
    order = NumberOrder.of(trace.network, trace.samples, trace.blocked)
    for q in ordered(trace):
        for tree in trees(trace, q):
            for leaf in leaves(tree, trace):
                assert leaf.quantity.given or order.rank(leaf.quantity) < order.rank(q), (
                    str(q),
                    str(leaf.quantity),
                )


@given(problems(losses=("binary_cross_entropy", "cross_entropy")))
def test_the_logarithms_are_those_of_the_outputs_unless_these_are_saturated(problem: Setup) -> None:
    trace = traced(problem)
    for q in ordered(trace):
        if q.kind.startswith("loss"):
            for node in walk(derive(trace, q).tree):
                if isinstance(node, Stable):
                    assert isinstance(node.shown, Log)
                    inside, log = (
                        float(evaluate(node.shown.of, trace)),
                        float(evaluate(node, trace)),
                    )
                    if inside == 0:
                        continue
                    # log(p) loses the digits that p itself lost near 1: an error of one unit in p's
                    # last place.
                    assert abs(np.log(inside) - log) <= 1e-12 * abs(log) + 2.3e-16 / inside


def test_the_logarithm_keeps_its_digits_where_the_probability_has_lost_them() -> None:
    net = network_of(([[1.0]], None, "sigmoid"), under="binary_cross_entropy")
    trace = run(net, frozen([[40.0]]), frozen([[0.0]]), 0.1)
    assert trace.value(parse("a[1][1]")) == 1.0
    assert trace.loss == pytest.approx(40.0, rel=1e-15)
    assert evaluate(derive(trace, parse("loss")).tree, trace) == trace.loss


@pytest.mark.parametrize(
    ("output", "z", "y", "result"),
    [
        ("sigmoid", [50.0], [0.0], 50.0), ("sigmoid", [50.0], [1.0], np.exp(-50.0)), ("sigmoid", [800.0], [0.0], 800.0),
        ("sigmoid", [10.0], [0.25], 7.5 + np.log1p(np.exp(-10.0))), ("sigmoid", [60.0, -60.0], [0.0, 1.0], 120.0),
        ("softmax", [900.0, 0.0], [0.0, 1.0], 900.0), ("softmax", [50.0, 0.0], [1.0, 0.0], np.exp(-50.0)),
    ],
)  # fmt: skip
def test_the_loss_of_a_saturated_output_is_shown_as_it_is_computed(
    output: str, z: list[float], y: list[float], result: float
) -> None:
    under = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy"}[output]
    trace = run(
        network_of((np.array(z)[:, None], None, output), under=under),
        frozen([[1.0]]),
        frozen([y]),
        0.1,
    )
    found = derive(trace, parse("loss"))
    assert loses_digits(found.tree, trace, 4)
    assert found.stable is not None
    assert {leaf.quantity.kind for leaf in leaves(found.stable, trace)} == {"z", "y"}
    assert evaluate(found.stable, trace) == pytest.approx(trace.loss, rel=1e-15)
    assert trace.loss == pytest.approx(result, rel=1e-12)
    # What the logarithms are written of is what they are of: 1 over the output, or over 1 − it.
    for node in walk(found.stable):
        if isinstance(node, Stable):
            assert isinstance(node.shown, Log)
            inside = evaluate(node.shown.of, trace)
            assert not np.isfinite(inside) or np.log(inside) == pytest.approx(
                evaluate(node, trace), rel=1e-12, abs=1e-15
            )


@pytest.mark.parametrize(("z", "y", "decimals", "lost"), [
    (2.0, 0.0, 4, False), (-20.0, 0.0, 4, False), (-30.0, 0.0, 4, True), (-20.0, 1.0, 4, False), (-300.0, 1.0, 4, False),
    (10.0, 0.0, 4, True), (10.0, 0.0, 6, False), (10.0, 1.0, 4, True), (4.0, 0.0, 4, False), (6.0, 0.0, 2, True), (6.0, 0.0, 0, True),
])  # fmt: skip
def test_a_logarithm_loses_its_digits_where_the_output_reads_as_0_or_1(
    z: float, y: float, decimals: int, lost: bool
) -> None:
    trace = run(
        network_of(([[1.0]], None, "sigmoid"), under="binary_cross_entropy"),
        frozen([[z]]),
        frozen([[y]]),
        0.1,
    )
    assert loses_digits(derive(trace, parse("loss")).tree, trace, decimals) == lost
    assert not loses_digits(derive(trace, parse("a[1][1]")).tree, trace, decimals)


@given(problems(wide=True, depth=3))
@settings(max_examples=60)
def test_no_sum_shows_more_terms_than_a_reader_can_take_in(problem: Setup) -> None:
    trace = traced(problem)
    for q in ordered(trace):
        for tree in trees(trace, q):
            for node in walk(tree):
                # A bias beside the sum and the elided middle come on top.
                assert len(node.children) <= LONGEST + 1


def test_a_long_sum_says_how_many_terms_it_leaves_out_and_what_they_come_to() -> None:
    net = network_of((np.arange(1.0, 21.0)[None, :], [0.5], "identity"))
    trace = run(net, frozen(np.ones((1, 20))), frozen([[0.0]]), 0.1)
    tree = derive(trace, parse("z[1][1]")).tree
    (middle,) = (node for node in walk(tree) if isinstance(node, Elided))
    assert middle.count == 16
    assert evaluate(middle, trace) == sum(range(4, 20))
    assert evaluate(tree, trace) == 210.5


def test_a_sum_over_many_samples_is_elided_with_the_right_total() -> None:
    net = network_of(([[1.0]], None, "identity"), reduction="sum")
    x = frozen(np.arange(1.0, 13.0)[:, None])
    trace = run(net, x, frozen(np.zeros((12, 1))), 0.1)
    tree = derive(trace, parse("dL/dw[1][1,1]")).tree
    assert any(isinstance(node, Elided) and node.count == 8 for node in walk(tree))
    assert (
        evaluate(tree, trace)
        == sum(n * n for n in range(1, 13))
        == trace.value(parse("dL/dw[1][1,1]"))
    )


def test_saturated_output_takes_the_shortcut_and_says_that_the_long_way_is_beyond_float64() -> None:
    net = network_of(([[1.0]], None, "sigmoid"), under="binary_cross_entropy")
    trace = run(net, frozen([[800.0]]), frozen([[0.0]]), 0.1)
    assert derive(trace, parse("dL/da[1][1]")).out_of_range
    found = derive(trace, parse("dL/dz[1][1]"))
    assert found.shortcut is None
    assert evaluate(found.tree, trace) == trace.value(parse("dL/dz[1][1]")) == 1.0


def test_long_way_and_shortcut_both_exist_where_loss_and_output_fit_together() -> None:
    net = network_of(([[1.0], [2.0]], None, "softmax"), under="cross_entropy")
    trace = run(net, frozen([[0.5]]), frozen([[1.0, 0.0]]), 0.1)
    found = derive(trace, parse("dL/dz[1][2]"))
    assert found.shortcut is not None
    assert {str(leaf.quantity) for leaf in leaves(found.shortcut)} == {"a[1][2]", "y[2]"}
    assert {leaf.quantity.kind for leaf in leaves(found.tree)} == {"dL/da", "da/dz"}


@pytest.mark.parametrize("total", [0.0, 0.7, 2.0])
def test_shortcut_of_a_softmax_is_right_for_targets_that_do_not_add_up_to_one(total: float) -> None:
    net = network_of(([[1.0], [2.0], [-1.0]], None, "softmax"), under="cross_entropy")
    trace = run(net, frozen([[0.5]]), frozen([[total / 2, total / 2, 0.0]]), 0.1)
    for i in (1, 2, 3):
        assert_invariant(trace, Quantity("dL/dz", 1, i))


@pytest.mark.parametrize(
    "row",
    [
        [-690.0, -744.0],
        [-100.0, -720.0],
        [705.0, 1.0],
        [0.0, -740.0],
        [-1000.0, -1001.0],
        [1e308, -1e308],
    ],
)
def test_softmax_tree_is_right_far_from_zero(row: list[float]) -> None:
    net = network_of((np.array(row)[:, None], None, "softmax"), under="cross_entropy")
    trace = run(net, frozen([[1.0]]), frozen([[1.0, 0.0]]), 0.0)
    for i in (1, 2):
        tree = derive(trace, Quantity("a", 1, i)).tree
        assert isinstance(tree, Quotient)
        assert evaluate(tree, trace) == pytest.approx(
            trace.value(Quantity("a", 1, i)), rel=1e-12, abs=1e-300
        )


def test_softmax_is_written_without_a_shift_where_none_is_needed() -> None:
    net = network_of(([[1.0], [2.0]], None, "softmax"), under="cross_entropy")
    trace = run(net, frozen([[0.5]]), frozen([[1.0, 0.0]]), 0.1)
    assert {str(leaf.quantity) for leaf in leaves(derive(trace, parse("a[1][1]")).tree)} == {
        "z[1][1]",
        "z[1][2]",
    }


def test_frozen_parameters_are_the_same_before_and_after_and_so_are_their_leaves() -> None:
    layers = (
        Layer(
            frozen([[1.0]]),
            frozen([0.5]),
            activation("sigmoid"),
            train_weights=False,
            train_biases=True,
        ),
        Layer(
            frozen([[2.0]]),
            frozen([0.5]),
            activation("identity"),
            train_weights=True,
            train_biases=False,
        ),
    )
    trace = run(
        Network(layers, loss("squared_error"), "mean"), frozen([[1.0]]), frozen([[0.0]]), 0.1
    )
    used = [
        str(leaf.quantity)
        for n in (1, 2)
        for leaf in leaves(derive(trace, Quantity("z+", n, 1)).tree)
    ]
    assert used == ["w[1][1,1]", "x[1]", "b+[1][1]", "w+[2][1,1]", "a+[1][1]", "b[2][1]"]


def test_a_loss_of_zero_that_stays_zero_has_fallen_by_a_share_of_zero() -> None:
    net = network_of(([[1.0]], None, "identity"))
    trace = run(net, frozen([[1.0]]), frozen([[1.0]]), 0.1)
    assert trace.loss == trace.loss_new == 0.0
    assert trace.value(EXTRA) == evaluate(derive(trace, EXTRA).tree, trace) == 0.0


def test_a_loss_that_grows_from_zero_has_no_finite_share_in_engine_and_tree_alike() -> None:
    net = network_of(([[1e-200]], None, "identity"))
    trace = run(net, frozen([[1.0]]), frozen([[0.0]]), 1e250)
    assert trace.loss == 0.0 < trace.loss_new
    assert trace.value(EXTRA) == evaluate(derive(trace, EXTRA).tree, trace) == -np.inf


def test_a_quantity_that_the_trace_does_not_have_is_a_key_error() -> None:
    trace = run(network_of(([[1.0]], None, "step")), frozen([[1.0]]), frozen([[1.0]]), 0.1)
    for name in ("da/dz[1][1]", "dL/dz[1][1]", "w+[1][1,1]", "loss+", "z+[1][1]"):
        with pytest.raises(KeyError):
            derive(trace, parse(name))


def test_refs_are_leaves_and_each_is_listed_once() -> None:
    trace = run(network_of(([[1.0]], None, "sigmoid")), frozen([[1.0]]), frozen([[1.0]]), 0.1)
    slope = derive(trace, parse("da/dz[1][1]")).tree
    assert next(node for node in walk(slope) if isinstance(node, Ref)).quantity == parse("a[1][1]")
    assert len(leaves(slope)) == 1


def test_the_head_of_a_long_sum_keeps_the_order_of_the_units() -> None:
    net = network_of((np.ones((1, 20)), None, "identity"))
    trace = run(net, frozen(np.ones((1, 20))), frozen([[0.0]]), 0.1)
    units = [
        leaf.quantity.j
        for leaf in leaves(derive(trace, parse("z[1][1]")).tree)
        if leaf.quantity.kind == "w"
    ]
    assert units == [1, 2, 3, 20]
    assert all(before < after for before, after in pairwise(units))
