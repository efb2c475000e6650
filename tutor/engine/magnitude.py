"""How large the numbers are whose last digits reach what a tree comes to: by that much two ways to
compute the same may differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tutor.engine.tree import (
    Apply,
    ArrayRef,
    Cases,
    Environment,
    Jacobians,
    LargestOver,
    MatrixProduct,
    Node,
    Number,
    Ref,
    Share,
    Squares,
    Stable,
    SumOver,
    Transpose,
    Value,
    put,
)


@dataclass(frozen=True, slots=True, eq=False)
class Known(Node):
    """A value in the place of a tree that comes to it."""

    known: Value

    def value(self, env: Environment) -> Value:
        return self.known


NUDGE = 2.0**-20


def magnitude(tree: Node, env: Environment, sizes: Environment) -> Value:
    """How large the numbers are whose last digits reach what a tree comes to, whether they cancel
    or not.

    Each operation rounds its own result, and hands on by how much its arguments may be off. `env`
    has the numbers, `sizes` the same of what is behind each leaf: 0 for what is given. For the
    trees of arrays.
    """
    match tree:
        case Number() | Share():
            return np.float64(0.0)
        case Ref() | ArrayRef():
            return tree.value(sizes)
        case Stable():
            return magnitude(tree.exact, env, sizes)
        case Transpose():
            return magnitude(tree.of, env, sizes).T
        case MatrixProduct():
            return _magnitude_of_product(tree, env, sizes)
        case Squares():
            return tree.value(env)
        case SumOver():
            terms = np.abs(tree.of.value(env)) + magnitude(tree.of, env, sizes)
            return terms.sum(axis=tree.axis, keepdims=tree.keep)
        case LargestOver():
            return magnitude(tree.of, env, sizes).max(axis=tree.axis, keepdims=tree.keep)
        case Jacobians():
            return _magnitude_of_jacobians(tree, env, sizes)
        case Cases():
            branches = (magnitude(branch, env, sizes) for branch in (tree.then, tree.otherwise))
            return np.where(tree.holds(env), *branches)
        case Apply() if tree.function.by_row:
            return magnitude(put(tree.function.computed, tree.of), env, sizes)
        case _:
            return _magnitude_by_entry(tree, env, sizes)


def _magnitude_of_product(tree: MatrixProduct, env: Environment, sizes: Environment) -> Value:
    value, size = tree.terms[0].value(env), magnitude(tree.terms[0], env, sizes)
    for term in tree.terms[1:]:
        factor = term.value(env)
        own = np.abs(factor) + magnitude(term, env, sizes)
        size = np.abs(value) @ own + size @ np.abs(factor)
        value = value @ factor
    return size


def _magnitude_of_jacobians(tree: Jacobians, env: Environment, sizes: Environment) -> Value:
    a, size = np.abs(tree.of.value(env)), magnitude(tree.of, env, sizes)
    rest = np.abs(np.eye(a.shape[1]) - a[:, None, :])
    return (a + size)[:, :, None] * rest + a[:, :, None] * (rest + size[:, None, :])


def _magnitude_by_entry(tree: Node, env: Environment, sizes: Environment) -> Value:
    """Of a node that takes numbers one by one: what nudging each argument does, on the side where
    it does less.
    """
    known = tuple(Known(child.value(env)) for child in tree.children)
    here = tree.rebuild(known).value(env)
    size = np.abs(here)
    for n, child in enumerate(tree.children):
        off = NUDGE * magnitude(child, env, sizes)
        if not np.any(off):
            continue
        nudged = (Known(known[n].known + way) for way in (off, -off))
        moved = (tree.rebuild((*known[:n], node, *known[n + 1 :])).value(env) for node in nudged)
        size = size + np.minimum(*(np.abs(value - here) for value in moved)) / NUDGE
    return size
