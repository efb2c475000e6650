"""Programs: every number and every matrix is what its tree says, over any graph of skip
connections.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from tests.strategies import DIFFERENTIABLE, FLAT, LOSSES, OUTPUT_OF, extreme_problems, problems
from tests.test_code_exports import WRITERS, lesson_of, performed
from tests.test_derivation import assert_invariant, network_of
from tests.test_matrices import shown, size_of
from tests.test_matrices import trees as matrix_trees
from tutor.engine import activations, code
from tutor.engine.activations import activation
from tutor.engine.dialects import Python, python_name
from tutor.engine.losses import loss
from tutor.engine.network import Layer, Network, frozen
from tutor.engine.order import NumberOrder, stages
from tutor.engine.program import Definition, Name, Program, made_of
from tutor.engine.quantity import Quantity, parse
from tutor.engine.trace import Trace, advance, run, updated
from tutor.engine.tree import ArrayRef, Sum, evaluate, ratio
from tutor.errors import NetworkError
from tutor.export.numpy_script import numpy_script
from tutor.lesson.setup import Setup

SKIPPING: dict[str, Any] = {"skipping": True, "units": 12, "samples": 12}


def traced(problem: Setup) -> Trace:
    return run(problem.network, problem.x, problem.y, problem.eta)


def steps(trace: Trace) -> list[Quantity]:
    """The quantities of a walk with the derivatives by the inputs, at most about 300 of them,
    spread evenly.
    """
    order = NumberOrder.of(trace.network, trace.samples, trace.blocked, inputs=True)
    end = order.rank(trace.stop.quantity) if trace.stop else len(order)
    return [order[k] for k in range(0, end, 1 + end // 300)]


# ---- trees and numbers ----


@given(problems(**SKIPPING))
def test_every_number_of_a_network_with_skip_connections_is_what_its_trees_compute(
    problem: Setup,
) -> None:
    trace = traced(problem)
    for q in steps(trace):
        assert_invariant(trace, q)


def plainly(trace: Trace) -> dict[Name, Any]:
    """The arrays of a program in plain NumPy, one definition after the other, functions called."""
    dialect, program = Python(), trace.program
    rules = [
        code.defined(dialect.called(function), ["z"], code.function_lines(tree, dialect))
        for function, tree in code.functions([d.tree for d in program.definitions], dialect)
    ]
    body = [code.assigned(python_name(*d.name), dialect.write(d.tree)) for d in program.definitions]
    answer = code.answered(python_name(*name) for name in program.names)
    arguments = ["eta", "scale", *(python_name(*name) for name in program.given)]
    plain = code.defined("plain", arguments, [*body, answer])
    made = code.compiled("plain", [*rules, plain], {"np": np, "ratio": ratio})
    with np.errstate(all="ignore"):
        found = made(trace.eta, trace.scale, *(trace[name] for name in program.given))
    return dict(zip(program.names, found, strict=True))


@given(problems(hidden=(*DIFFERENTIABLE, *FLAT), outputs=(*DIFFERENTIABLE, *FLAT), **SKIPPING))
@settings(max_examples=50)
def test_the_quick_forms_of_a_program_are_its_plain_ones_bit_for_bit(problem: Setup) -> None:
    trace = traced(problem)
    for name, array in plainly(trace).items():
        assert trace[name].tobytes() == array.tobytes(), name


@given(problems(hidden=(*DIFFERENTIABLE, *FLAT), outputs=(*DIFFERENTIABLE, *FLAT), **SKIPPING))
@settings(max_examples=50)
def test_every_matrix_of_a_network_with_skip_connections_is_what_its_trees_compute(
    problem: Setup,
) -> None:
    trace = traced(problem)
    for stage in stages(trace.network, trace.samples, trace.blocked, True):
        if trace.blocked == stage.layer and stage.kind == "da/dz":
            continue
        for tree in matrix_trees(trace, stage):
            allowed = 1e-12 * max(1.0, size_of(tree, trace) ** 2)
            assert (
                np.abs(np.asarray(evaluate(tree, trace)) - shown(trace, stage)).max() <= allowed
            ), stage


@pytest.mark.parametrize("name", [*DIFFERENTIABLE, *FLAT])
@pytest.mark.parametrize("under", LOSSES)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_every_activation_and_loss_with_and_without_biases_and_freezing(
    name: str, under: str, reduction: str
) -> None:
    random = np.random.default_rng(3)
    output = OUTPUT_OF.get(under, "identity")
    last = (output, False, False, 0 if under in OUTPUT_OF else 3)
    parts = [(name, True, True, 1), ("tanh", False, True, 2), (name, True, False, 0), last]
    layers = tuple(
        Layer(
            random.standard_normal((3, 3)),
            random.standard_normal(3) if biased else None,
            activation(each),
            learns,
            not learns,
            skip,
        )
        for each, biased, learns, skip in parts
    )
    x, y = random.standard_normal((2, 3)), np.eye(3)[:2]
    trace = run(Network(layers, loss(under), reduction), x, y, 0.1)
    assert trace.blocked == (3 if name in FLAT else 0)
    for q in steps(trace):
        assert_invariant(trace, q)
    frozen_weights = {number for number, layer in enumerate(layers, 1) if not layer.train_weights}
    assert not any(
        ("dL/dw", number) in trace or ("w+", number) in trace.program.by_name
        for number in frozen_weights
    )


def test_a_skip_connection_adds_forward_and_hands_its_derivative_back() -> None:
    layers = (
        Layer([[0.5]], None, activation("identity")),
        Layer([[2.0]], None, activation("identity"), skip=1),
    )
    trace = run(
        Network(layers, loss("half_squared_error"), "sum"),
        np.array([[4.0]]),
        np.array([[1.0]]),
        0.1,
    )
    values = {
        "a[1][1]": 2.0,
        "a[2][1]": 4.0,
        "r[2][1]": 6.0,
        "loss": 12.5,
        "dL/dr[2][1]": 5.0,
        "dL/da[2][1]": 5.0,
        "dL/dz[2][1]": 5.0,
    }
    values |= {
        "dL/dw[2][1,1]": 10.0,
        "dL/da[1][1]": 2.0 * 5.0 + 5.0,
        "dL/dw[1][1,1]": 60.0,
        "dL/da[0][1]": 7.5,
    }
    assert {name: trace.value(parse(name)) for name in values} == values
    assert trace.outputs.tolist() == [[6.0]]


def test_a_skip_from_the_input_adds_to_the_derivative_by_the_input() -> None:
    layers = (
        Layer([[0.5]], None, activation("identity")),
        Layer([[2.0]], None, activation("identity"), skip=2),
    )
    trace = run(
        Network(layers, loss("half_squared_error"), "sum"),
        np.array([[4.0]]),
        np.array([[1.0]]),
        0.1,
    )
    assert trace.value(parse("r[2][1]")) == 8.0
    assert trace.value(parse("dL/da[0][1]")) == 7.0 * (2.0 * 0.5 + 1.0)


# ---- the program itself ----


@given(problems(**SKIPPING))
@settings(max_examples=40)
def test_a_program_names_each_array_once_and_only_after_what_it_is_made_of(problem: Setup) -> None:
    program = traced(problem).program
    assert len(program.by_name) == len(program.definitions)
    there = set(program.given)
    for found in program.definitions:
        assert set(made_of(found.tree)) <= there
        there.add(found.name)


def test_networks_of_one_structure_share_a_program_and_others_do_not() -> None:
    net, other = (network_of(([[w]], [0.1], "tanh")) for w in (1.0, 2.0))
    assert net.program(1) is other.program(1) is Program.of(net.plans[0])
    assert net.program(1) is not net.program(2)
    assert network_of(([[1.0]], None, "tanh")).program(1) is not net.program(1)
    assert activation("leaky_relu", slope=0.1) is activation("leaky_relu", slope=0.1)
    assert activation("leaky_relu", slope=0.1) is not activation("leaky_relu", slope=0.2)


@pytest.mark.parametrize(("name", "key"), [("leaky_relu", "slope"), ("elu", "alpha")])
def test_there_is_no_minus_zero_in_a_function_whichever_was_asked_for_first(
    monkeypatch: pytest.MonkeyPatch, name: str, key: str
) -> None:
    # nothing was asked for before
    monkeypatch.setattr(activations, "_made", activations._made.__wrapped__)
    assert str(activation(name, **{key: -0.0}).function.parameters[key]) == "0.0"


def defined(name: str, *reads: str) -> Definition:
    """An array of layer 1 as a sum of others."""
    return Definition(ArrayRef(name, 1), Sum(tuple(ArrayRef(other, 1) for other in reads)))


PLAN = network_of(([[1.0]], None, "tanh")).plans[0]


@pytest.mark.parametrize(
    ("definitions", "message"),
    [
        (
            [defined("a", "w"), defined("z", "a", "r"), defined("r", "a", "z")],
            "the program goes round in a circle: z[1], which reads r[1], which reads z[1]",
        ),
        (
            [defined("z", "w", "r"), defined("a", "b", "z"), defined("r", "a")],
            (
                "the program goes round in a circle: "
                "z[1], which reads r[1], which reads a[1], which reads z[1]"
            ),
        ),
        (
            [defined("z", "w"), defined("a", "z", "a")],
            "the program goes round in a circle: a[1], which reads a[1]",
        ),
        (
            [defined("z", "a"), defined("a", "r"), defined("r", "a")],
            "the program goes round in a circle: a[1], which reads r[1], which reads a[1]",
        ),
        (
            [defined("a", "z"), defined("z", "w")],
            "a[1] reads z[1], which is made only later",
        ),
        (
            [defined("z", "w"), defined("a", "z"), defined("z", "b")],
            "z[1] is made twice",
        ),
    ],
)
def test_an_array_that_reads_what_is_not_there_yet_is_refused(
    definitions: list[Definition], message: str
) -> None:
    with pytest.raises(NetworkError) as caught:
        Program(PLAN, tuple(definitions))
    assert str(caught.value) == message


def test_a_program_in_order_may_read_what_nobody_makes() -> None:
    program = Program(PLAN, (defined("z", "w", "b"), defined("a", "z", "w")))
    assert program.given == (("w", 1), ("b", 1))


# ---- the update alone ----


def assert_advances(problem: Setup) -> None:
    trace = traced(problem)
    found = advance(problem.network, problem.x, problem.y, problem.eta)
    if found is None:
        assert trace.stop
        return
    net, slots = found
    assert not slots
    assert not trace.blocked
    for one, other in zip(net.layers, updated(trace).layers, strict=True):
        assert one.weights.tobytes() == other.weights.tobytes()
        assert (one.biases is None) == (other.biases is None)
        assert one.biases is None or one.biases.tobytes() == other.biases.tobytes()
        assert replace(one, weights=other.weights, biases=other.biases).skip == other.skip


@given(problems(**SKIPPING))
def test_the_update_alone_has_the_numbers_of_the_trace_bit_for_bit(problem: Setup) -> None:
    assert advance(problem.network, problem.x, problem.y, problem.eta) is not None
    assert_advances(problem)


@given(extreme_problems())
def test_the_update_alone_ends_where_a_number_on_the_way_is_none(problem: Setup) -> None:
    assert_advances(problem)
    trace = traced(problem)
    if trace.stop is None or trace.stop_phase == "verify":
        assert advance(problem.network, problem.x, problem.y, problem.eta) is not None


# ---- scripts ----

TWO_SLOPES = Network(
    (
        Layer([[1.0], [-1.0]], None, activation("leaky_relu", slope=0.1)),
        Layer([[-1.0, 1.0]], [0.25], activation("leaky_relu", slope=0.3)),
    ),
    loss("squared_error"),
    "mean",
)


def test_two_leaky_relus_keep_their_own_slopes_in_the_engine() -> None:
    trace = run(TWO_SLOPES, np.array([[2.0]]), np.array([[0.0]]), 0.1)
    assert trace["a", 1].tolist() == [[2.0, -0.2]]
    assert trace["a", 2] == pytest.approx(0.3 * (-2.0 - 0.2 + 0.25))
    assert trace["da/dz", 1].tolist() == [[1.0, 0.1]]
    assert trace["da/dz", 2].tolist() == [[0.3]]


@pytest.mark.parametrize("write", WRITERS)
def test_two_leaky_relus_keep_their_own_slopes_in_a_script(write: Any) -> None:
    of = lesson_of(Setup(TWO_SLOPES, frozen([[2.0], [-1.0]]), frozen([[0.0], [1.0]]), 0.1))
    names, said = performed(write(of))
    assert said.endswith("numbers agree\n")
    a1, a2 = (
        getattr(names[name], "detach", lambda name=name: names[name])() for name in ("a1", "a2")
    )
    assert np.asarray(a1) == pytest.approx(of.trace["a", 1], rel=1e-12)
    assert np.asarray(a2) == pytest.approx(of.trace["a", 2], rel=1e-12)


@given(problems(skipping=True, wide=False, depth=3, samples=3))
@settings(max_examples=30)
def test_the_script_of_a_network_with_skip_connections_agrees(problem: Setup) -> None:
    assert performed(numpy_script(lesson_of(problem)))[1].endswith("numbers agree\n")


# ---- networks that cannot be ----


def skipping(skip: int, *sizes: int, under: str = "squared_error", output: str = "tanh") -> Network:
    """A network whose last layer has the skip connection."""
    layers = [
        Layer(np.ones((n, before)), None, activation("tanh")) for before, n in pairwise(sizes)
    ]
    layers[-1] = replace(layers[-1], skip=skip, activation=activation(output))
    return Network(tuple(layers), loss(under))


@pytest.mark.parametrize(
    ("skip", "sizes", "message"),
    [
        (3, (2, 2, 2), "layer 2 has 2 before it, counting the input: skip can be 1 to 2, not 3"),
        (2, (2, 2), "skip can be 1, not 2"),
        (-1, (2, 2), "skip can be 1, not -1"),
        (1, (2, 3, 2), "layer 2 has 2 units, but layer 1 has 3"),
        (2, (3, 2, 2), "layer 2 has 2 units, but the input has 3"),
    ],
)
def test_a_skip_that_reaches_too_far_or_does_not_fit_is_refused(
    skip: int, sizes: tuple[int, ...], message: str
) -> None:
    with pytest.raises(NetworkError) as caught:
        skipping(skip, *sizes)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("under", "output"), [("binary_cross_entropy", "sigmoid"), ("cross_entropy", "softmax")]
)
def test_nothing_is_added_to_the_outputs_of_a_cross_entropy(under: str, output: str) -> None:
    with pytest.raises(NetworkError, match="a skip connection would add to it"):
        skipping(1, 2, 2, under=under, output=output)
