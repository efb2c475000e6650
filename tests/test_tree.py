"""Trees are values over names: changed, compared, taken apart and put together, with the numbers of
any environment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.closeness import ordered
from tests.rules import Arrays
from tests.strategies import problems
from tutor.engine.activations import activation
from tutor.engine.derivation import derive
from tutor.engine.entry import HEAD, LONGEST, TAIL, long_sum
from tutor.engine.losses import loss
from tutor.engine.network import Layer, Network, frozen
from tutor.engine.quantity import K, Quantity, parse
from tutor.engine.trace import Trace, run
from tutor.engine.tree import (
    ONE,
    Apply,
    ArrayRef,
    Cases,
    Difference,
    Elided,
    Log,
    Negative,
    Node,
    Number,
    Numbers,
    Product,
    Ref,
    Rounded,
    Stable,
    Sum,
    Through,
    evaluate,
    leaves,
    renamed,
    rewrite,
    walk,
)
from tutor.lesson.setup import Setup

A, Z = Quantity("a", 1, 1), Quantity("z", 1, 1)


def traced(problem: Setup) -> Trace:
    return run(problem.network, problem.x, problem.y, problem.eta)


def one_unit(name: str, z: float, y: float, under: str = "squared_error") -> Trace:
    layer = Layer(frozen([[1.0]]), None, activation(name))
    return run(Network((layer,), loss(under), "mean"), frozen([[z]]), frozen([[y]]), 0.1)


# ---- changed trees ----


def test_replacing_the_inside_of_a_logarithm_changes_the_loss() -> None:
    trace = one_unit("sigmoid", 2.0, 1.0, "binary_cross_entropy")
    tree = derive(trace, parse("loss")).tree
    a = trace.value(A)
    wrong = rewrite(
        tree, lambda node: Log(Difference(ONE, Ref(A))) if node == Log(Ref(A)) else None
    )
    assert evaluate(tree, trace) == pytest.approx(-np.log(a), rel=1e-14)
    assert evaluate(wrong, trace) == pytest.approx(-np.log(1 - a), rel=1e-14)


def test_a_logarithm_over_something_else_is_no_longer_computed_from_the_pre_activation() -> None:
    stable = Stable(Log(Ref(A)), Apply(Ref(Z), activation("identity").function), Ref(A))
    assert stable.rebuild(stable.children) == stable
    assert stable.rebuild((Log(ONE),)) == Log(ONE)
    moved = renamed(
        stable, lambda node: Ref(node.quantity.after) if isinstance(node, Ref) else None
    )
    assert moved == Stable(
        Log(Ref(A.after)), Apply(Ref(Z.after), activation("identity").function), Ref(A.after)
    )


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu"])
def test_negating_the_argument_of_a_rectifier_takes_the_other_branch(name: str) -> None:
    trace = one_unit(name, 2.0, 0.0)
    tree = derive(trace, A).tree
    assert isinstance(tree, Cases)
    assert (tree.chosen(trace), evaluate(tree, trace)) == (0, 2.0)
    other = rewrite(tree, lambda node: Negative(node) if node == Ref(Z) else None)
    assert isinstance(other, Cases)
    assert other.chosen(trace) == 1
    assert evaluate(other, trace) == activation(name).f(np.array([-2.0]))[0]


def test_another_activation_in_the_place_of_one_gives_its_number() -> None:
    trace = one_unit("tanh", 0.5, 0.0)
    tree = rewrite(
        derive(trace, A).tree,
        lambda node: (
            Apply(node.of, activation("sigmoid").function) if isinstance(node, Apply) else None
        ),
    )
    assert evaluate(tree, trace) == activation("sigmoid").f(np.array([0.5]))[0]


# ---- values ----


def test_trees_are_equal_by_structure_and_have_the_same_hash() -> None:
    def made() -> Node:
        return Sum((Product((Ref(Quantity("w", 1, 1, 1)), Ref(Quantity("x", 0, 1)))), Number(0.5)))

    assert made() == made()
    assert hash(made()) == hash(made())
    assert len({made(), made()}) == 1
    assert made() != Sum(tuple(reversed(made().children)))
    assert Sum((ONE, ONE)) != Product((ONE, ONE))
    assert Difference(ONE, Ref(A)) != Difference(Ref(A), ONE)


@given(problems(wide=True, depth=3))
@settings(max_examples=40)
def test_every_node_is_rebuilt_from_its_children(problem: Setup) -> None:
    trace = traced(problem)
    trees = [derive(trace, q).tree for q in ordered(trace)[::3]] + [
        found.tree for found in trace.program.definitions
    ]
    for node in (node for tree in trees for node in walk(tree)):
        again = node.rebuild(node.children)
        assert again == node
        assert type(again) is type(node)
        assert hash(again) == hash(node)
    for tree in trees:
        assert rewrite(tree, lambda _: None) is tree
        assert renamed(tree, lambda _: None) == tree


def test_the_tree_of_a_step_is_the_same_whatever_the_numbers() -> None:
    first, second = (one_unit("sigmoid", z, 1.0, "binary_cross_entropy") for z in (0.5, -1.0))
    for name in (
        "z[1][1]",
        "a[1][1]",
        "loss",
        "dL/da[1][1]",
        "dL/dz[1][1]",
        "dL/dw[1][1,1]",
        "w+[1][1,1]",
        "loss+",
    ):
        assert derive(first, parse(name)).tree == derive(second, parse(name)).tree


# ---- environments ----


def test_leaves_are_those_of_the_branch_that_is_taken() -> None:
    tree = Cases(Ref(Z), ">", 0.0, Ref(Z), Ref(A))
    assert leaves(tree) == (Ref(Z), Ref(A))
    assert leaves(tree, Numbers({Z: 1.0, A: 0.0})) == (Ref(Z),)
    assert leaves(tree, Numbers({Z: -1.0, A: 0.0})) == (Ref(A), Ref(Z))


@pytest.mark.parametrize(
    ("sign", "taken"),
    [(">", [1, 1, 0]), ("≥", [1, 0, 0]), ("<", [0, 1, 1]), ("≤", [0, 0, 1]), ("=", [1, 0, 1])],
)
def test_a_case_distinction_takes_the_branch_that_its_sign_says_for_numbers_and_arrays_alike(
    sign: str, taken: list[int]
) -> None:
    z = np.array([[-1.0, 0.5, 2.0]])
    tree = Cases(ArrayRef("z", 1), sign, 0.5, Number(10.0), Number(20.0))
    assert evaluate(tree, Arrays({"z": z})).tolist() == [[20.0 if k else 10.0 for k in taken]]
    for number, k in zip(z[0], taken, strict=True):
        one = Cases(Ref(Z), sign, 0.5, Number(10.0), Number(20.0))
        assert one.chosen(Numbers({Z: number})) == k
        assert evaluate(one, Numbers({Z: number})) == (20.0 if k else 10.0)


def test_with_rounded_numbers_a_tree_computes_what_a_calculator_does() -> None:
    trace = one_unit("sigmoid", 2.0, 1.0, "binary_cross_entropy")
    loss_by_hand = -np.log(round(trace.value(A), 2))
    assert evaluate(
        derive(trace, parse("loss")).tree, Rounded(trace, lambda x: round(x, 2))
    ) == pytest.approx(loss_by_hand, rel=1e-15)


def test_numbers_that_nobody_gave_are_a_key_error() -> None:
    with pytest.raises(KeyError):
        evaluate(Ref(A), Numbers({Z: 1.0}))


# ---- long sums ----


@dataclass(frozen=True)
class Long:
    """How a long sum is written in full."""

    first: int
    last: int
    body: Node

    def terms(self) -> tuple[Node, ...]:
        def place(n: int, node: Node) -> Node | None:
            if not isinstance(node, Ref):
                return None
            q = node.quantity
            at = [n if index == K else index for index in (q.i, q.j, q.sample)]
            return Ref(Quantity(q.kind, q.layer, *at))

        return tuple(
            rewrite(self.body, lambda node, n=n: place(n, node))
            for n in range(self.first, self.last + 1)
        )


@given(st.integers(LONGEST + 1, 40), st.integers(0, 1000))
def test_the_elided_middle_is_the_sum_of_the_terms_that_are_left_out(count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    env = Arrays({"x": random.standard_normal((1, count)), "y": random.standard_normal((1, count))})
    tree = long_sum(count, lambda n: Product((Ref(Quantity("x", 0, n)), Ref(Quantity("y", 0, n)))))
    *head, middle, last = tree.children
    assert isinstance(middle, Elided)
    assert (len(head), middle.first, middle.last, middle.count) == (
        HEAD,
        HEAD + 1,
        count - TAIL,
        count - HEAD - TAIL,
    )
    full = Sum((*head, *Long(middle.first, middle.last, middle.body).terms(), last))
    terms = np.abs(env.known["x"] * env.known["y"]).sum()
    assert abs(evaluate(tree, env) - evaluate(full, env)) <= 1e-15 * terms
    assert abs(evaluate(full, env) - (env.known["x"] * env.known["y"]).sum()) <= 1e-15 * terms


@given(problems(wide=True, depth=3))
@settings(max_examples=40)
def test_every_elided_sum_of_a_network_is_the_full_one(problem: Setup) -> None:
    trace = traced(problem)
    for q in ordered(trace):
        for node in walk(derive(trace, q).tree):
            if isinstance(node, Elided):
                full = [
                    evaluate(term, trace) for term in Long(node.first, node.last, node.body).terms()
                ]
                assert (
                    abs(evaluate(node, trace) - sum(full)) <= 1e-14 * sum(map(abs, full)) + 1e-300
                )


def test_a_middle_that_does_not_run_counts_as_often_as_it_stands_for() -> None:
    assert evaluate(Elided(4, 19, ONE), Arrays({"x": np.zeros((1, 20))})) == 16.0


def test_rows_go_each_through_its_own_matrix() -> None:
    rows, matrices = np.array([[1.0, 2.0], [3.0, 4.0]]), np.arange(8.0).reshape(2, 2, 2)
    found: Any = evaluate(Through(ArrayRef("a"), ArrayRef("z")), Arrays({"a": rows, "z": matrices}))
    assert found.tolist() == [
        (row @ matrix).tolist() for row, matrix in zip(rows, matrices, strict=True)
    ]
