"""Derivations by matrices: each stage's tree is the engine's array, turned as each lecture writes
it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from tests.closeness import TINY
from tests.strategies import DIFFERENTIABLE, FLAT, extreme_problems, problems
from tutor.engine.derivation import derive, derive_stage, result
from tutor.engine.kinds import KINDS
from tutor.engine.order import Stage, stages
from tutor.engine.quantity import parse
from tutor.engine.trace import Trace, run
from tutor.engine.tree import ArrayRef, MatrixProduct, Node, Ref, Transpose, evaluate, walk
from tutor.lesson.setup import Setup
from tutor.lesson.walk import LayerWalk, open_lesson
from tutor.notation.conventions import (
    PRESETS,
    Notation,
    arranged,
    flipped,
    notation,
    oriented,
    turned,
)
from tutor.scenario.reader import load

SCENARIOS = sorted((Path(__file__).parents[1] / "scenarios").glob("*.yaml"))
WAYS = [
    *PRESETS.values(),
    notation("brackets", {"vectors": "rows"}),
    notation("letters", {"vectors": "columns"}),
]


def traced(problem: Setup) -> Trace:
    return run(problem.network, problem.x, problem.y, problem.eta)


def trees(trace: Trace, stage: Stage) -> list[Node]:
    found = derive_stage(trace, stage)
    return [tree for tree in (found.tree, found.shortcut, found.stable) if tree is not None]


def shown(trace: Trace, stage: Stage) -> np.ndarray:
    whole = KINDS[stage.kind].axes or stage.per_sample
    return np.asarray(
        evaluate(result(trace, stage), trace) if whole else trace.value(parse(stage.kind))
    )


def agree(found: np.ndarray, expected: np.ndarray, tolerance: float = 1e-12) -> bool:
    """Within 1e-12 of the largest entry: the entries of a matrix product are sums over terms of
    that size.
    """
    size = max(np.abs(found).max(), np.abs(expected).max())
    return found.shape == expected.shape and bool(
        (np.abs(found - expected) <= tolerance * size + TINY).all()
    )


def size_of(tree: Node, trace: Trace) -> float:
    """The largest number in a tree: what its sums are made of."""
    arrays = [
        float(np.abs(evaluate(node, trace)).max())
        for node in walk(tree)
        if isinstance(node, ArrayRef)
    ]
    return max(
        [
            1.0,
            *arrays,
            *(abs(trace.value(node.quantity)) for node in walk(tree) if isinstance(node, Ref)),
        ]
    )


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.preset}-{way.vectors}")
def test_every_stage_of_every_scenario_is_the_engines_array_in_each_notation(
    path: Path, way: Notation
) -> None:
    walk_by_layer = open_lesson(load(path)).walk("layer")
    assert isinstance(walk_by_layer, LayerWalk)
    trace = walk_by_layer.trace
    compared = 0
    for stage in walk_by_layer.stages:
        if trace.blocked and stage.kind == "da/dz" and stage.layer == trace.blocked:
            continue
        for tree in trees(trace, stage):
            expected = shown(trace, stage)
            assert agree(np.asarray(evaluate(tree, trace)), expected), stage
            turn = bool(stage.layer) and flipped(stage.kind, way)
            turned_tree = oriented(tree, way, turn)
            assert agree(
                np.asarray(evaluate(turned_tree, trace)), expected.T if turn else expected
            ), stage
            compared += 1
    assert compared >= len(walk_by_layer) - 1


@given(problems(hidden=(*DIFFERENTIABLE, *FLAT), outputs=(*DIFFERENTIABLE, *FLAT)))
def test_every_stage_of_a_random_network_is_the_engines_array_in_each_notation(
    problem: Setup,
) -> None:
    trace = traced(problem)
    for stage in stages(trace.network, trace.samples, trace.blocked):
        if trace.blocked == stage.layer and stage.kind == "da/dz":
            continue
        expected = shown(trace, stage)
        for tree in trees(trace, stage):
            allowed = 1e-12 * max(1.0, size_of(tree, trace) ** 2)
            assert np.abs(np.asarray(evaluate(tree, trace)) - expected).max() <= allowed, stage
            for way in WAYS:
                turn = bool(stage.layer) and flipped(stage.kind, way)
                found = np.asarray(evaluate(oriented(tree, way, turn), trace))
                assert found.shape == (expected.T if turn else expected).shape
                assert np.abs(found - (expected.T if turn else expected)).max() <= allowed, (
                    stage,
                    way.preset,
                )


@given(extreme_problems())
def test_at_the_edges_of_float64_the_stages_before_the_stop_are_the_engines_arrays(
    problem: Setup,
) -> None:
    trace = traced(problem)
    found = LayerWalk(trace).stages
    for stage in found[:-1] if trace.stop else found:
        if stage.layer and stage.kind[0] in "zab" and np.isfinite(shown(trace, stage)).all():
            for tree in trees(trace, stage):
                value = np.asarray(evaluate(tree, trace))
                if np.isfinite(value).all():
                    with np.errstate(over="ignore"):
                        assert (
                            np.abs(value - shown(trace, stage))
                            <= 1e-12 * min(size_of(tree, trace), 1e150) ** 2
                        ).all()
        if stage.per_sample:
            assert np.asarray(evaluate(trees(trace, stage)[0], trace)) == pytest.approx(
                shown(trace, stage), rel=1e-12
            )


@given(problems(hidden=DIFFERENTIABLE))
@settings(max_examples=40)
def test_leaves_are_the_traces_own_arrays(problem: Setup) -> None:
    trace = traced(problem)
    for stage in stages(trace.network, trace.samples, trace.blocked):
        for tree in trees(trace, stage):
            for node in walk(tree):
                if (
                    isinstance(node, ArrayRef)
                    and not node.sample
                    and node.kind not in {"loss", "loss+", "da/dz"}
                ):
                    own = trace.array(node.kind, node.layer)
                    assert (
                        evaluate(node, trace).shape
                        == (own if own.ndim == 2 else own[None, :]).shape
                    )
                    assert (evaluate(node, trace) == own).all()


def test_a_lecture_with_columns_reads_weights_times_inputs() -> None:
    trace = open_lesson(
        load(next(path for path in SCENARIOS if path.stem == "1-2-3-1-sigmoid"))
    ).trace
    tree = oriented(derive_stage(trace, Stage("forward", "z", 2)).tree, notation("brackets"), True)
    product = next(node for node in walk(tree) if isinstance(node, MatrixProduct))
    assert [node.kind for node in product.terms if isinstance(node, ArrayRef)] == ["w", "a"]
    assert not any(isinstance(node, Transpose) for node in walk(tree))


def test_a_lecture_with_letters_reads_inputs_times_weights() -> None:
    trace = open_lesson(
        load(next(path for path in SCENARIOS if path.stem == "3-2-3-softmax"))
    ).trace
    tree = oriented(derive_stage(trace, Stage("forward", "z", 1)).tree, notation("letters"), False)
    assert isinstance(tree, MatrixProduct)
    assert [
        (node.kind, evaluate(node, trace).shape)
        for node in tree.terms
        if isinstance(node, ArrayRef)
    ] == [("x", (1, 3)), ("w", (3, 2))]


def test_turning_a_matrix_twice_gives_it_back() -> None:
    trace = open_lesson(load(SCENARIOS[0])).trace
    leaf = result(trace, Stage("forward", "z", 2))
    once = turned(leaf, notation("brackets"))
    assert once.flipped
    assert (evaluate(leaf, trace) == evaluate(once, trace).T).all()
    assert turned(leaf, notation("letters")) == leaf == turned(once, notation("letters"))


@given(problems(wide=True, depth=3))
@settings(max_examples=40)
def test_arranging_a_sum_as_the_lecture_does_keeps_its_value(problem: Setup) -> None:
    trace = traced(problem)
    for number in range(1, trace.network.depth + 1):
        q = parse(f"z[{number}][1]" + ("@1" if trace.samples > 1 else ""))
        tree = derive(trace, q).tree
        terms = sum(abs(float(evaluate(term, trace))) for term in tree.children) + abs(
            trace.value(q)
        )
        for way in PRESETS.values():
            assert abs(evaluate(arranged(tree, way), trace) - trace.value(q)) <= 1e-12 * terms


def test_the_bias_comes_first_where_it_is_called_weight_zero() -> None:
    trace = open_lesson(
        load(next(path for path in SCENARIOS if path.stem == "1-2-3-1-sigmoid"))
    ).trace
    tree = derive(trace, parse("z[2][1]")).tree
    first = arranged(tree, notation("brackets")).children[0]
    last = arranged(tree, notation("parentheses")).children[-1]
    assert isinstance(first, Ref)
    assert isinstance(last, Ref)
    assert first.quantity == last.quantity == parse("b[2][1]")


def test_the_input_comes_first_where_the_lecture_says_so() -> None:
    trace = open_lesson(
        load(next(path for path in SCENARIOS if path.stem == "linear-regression"))
    ).trace
    tree = arranged(derive(trace, parse("z[1][1]@1")).tree, notation("left_superscripts"))
    kinds = [leaf.quantity.kind for leaf in walk(tree) if isinstance(leaf, Ref)]
    assert kinds == ["x", "w", "x", "w", "b"]


def test_a_flat_activation_has_no_stage_for_its_derivative() -> None:
    trace = open_lesson(
        load(next(path for path in SCENARIOS if path.stem == "perceptron-step"))
    ).trace
    with pytest.raises(KeyError):
        derive_stage(trace, Stage("backward", "da/dz", 1))
