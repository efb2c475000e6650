"""Programs: what a network computes, as a list of definitions in topological order.

    Program.of(plan) -> Program

A definition is the name of an array and its tree over other arrays. The forward operations are
listed; the backward pass is made from them: going down the list, whatever the loss's derivative by
an operation's output is, it is carried to each of its inputs, and where several operations use an
array their parts are added. Nothing assumes a chain.

All definitions together are one function of NumPy, and that is what runs: formula and computation
are the same trees. A program depends on the structure alone, so changed numbers cost nothing more;
programs are kept by their plan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from graphlib import CycleError, TopologicalSorter
from math import isfinite
from typing import Any, TypeAlias

import numpy as np

from tutor.engine import code, optimizers
from tutor.engine.activations import Activation
from tutor.engine.dialects import Engine, python_name
from tutor.engine.kinds import AFTER, GRADIENT, KINDS, VERIFY
from tutor.engine.losses import A, Loss, Y, Z, with_leaves
from tutor.engine.optimizers import PLAIN, UpdateRule
from tutor.engine.scales import ScalePlan, X
from tutor.engine.tree import (
    Apply,
    ArrayRef,
    Difference,
    Hadamard,
    Largest,
    MatrixProduct,
    Node,
    Product,
    Quotient,
    Ref,
    Share,
    Smallest,
    Stable,
    Sum,
    SumOver,
    Transpose,
    ratio,
    renamed,
    walk,
)
from tutor.errors import NetworkError

Array = np.ndarray
Name: TypeAlias = tuple[str, int]
"""Kind and layer of an array; `loss@` and `loss+@` are the losses of the samples, each by itself.
"""

Computed: TypeAlias = Callable[..., tuple[dict[Name, Any], bool]]
"""(eta, scale, *knobs, *given) -> arrays by name, and whether all numbers are finite. `scale`: the
1/M of a mean. What is left aside there, `_watched` says.
"""

ETA = optimizers.RATE


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """What of a layer decides its operations. `skip`: how many layers back what is added comes
    from, or 0.
    """

    activation: Activation
    biased: bool
    trains_weights: bool
    trains_biases: bool
    skip: int = 0
    drops: bool = False
    """Whether some of its activations are dropped while it learns."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What of a network and its batch decides the program. `mean`: whether derivatives carry the
    1/M of a mean.
    """

    layers: tuple[LayerPlan, ...]
    loss: Loss
    mean: bool
    rule: UpdateRule = PLAIN
    scale: ScalePlan | None = None
    """How the inputs are scaled, where that is computed too; else they are given."""


@dataclass(frozen=True, slots=True)
class Definition:
    """An array and its tree. `long` is the chain rule in full, where `tree` is a shortcut to the
    same numbers.
    """

    leaf: ArrayRef
    tree: Node
    long: Node | None = None

    @property
    def name(self) -> Name:
        return self.leaf.kind, self.leaf.layer


@dataclass(frozen=True, slots=True)
class Operation:
    """A step forward: what it makes, how, and of what."""

    out: ArrayRef
    tree: Node
    inputs: tuple[ArrayRef, ...]

    @property
    def product(self) -> bool:
        """Whether it connects every unit with every one below, each pair by a weight."""
        return any(isinstance(node, MatrixProduct) for node in walk(self.tree))

    @property
    def mixes(self) -> bool:
        """Whether every entry of its output depends on every entry of its input."""
        by_row = isinstance(self.tree, Apply) and self.tree.function.by_row
        return by_row or self.product


@dataclass(frozen=True)
class Program:
    """Definitions in the order in which they are computed; `blocked` is the layer behind which
    nothing is, or 0.
    """

    plan: Plan
    definitions: tuple[Definition, ...]
    blocked: int = 0
    by_name: dict[Name, Definition] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {found.name: found for found in self.definitions})
        self._check_order()

    def _check_order(self) -> None:
        """Each array is made once, and of what is there by then. Raises NetworkError."""
        reads = {found.name: made_of(found.tree) for found in self.definitions}
        try:
            TopologicalSorter(reads).prepare()
        except CycleError as error:
            circle = ", which reads ".join(_written(name) for name in reversed(error.args[1]))
            raise NetworkError(f"the program goes round in a circle: {circle}") from None
        made: set[Name] = set()
        for name in (found.name for found in self.definitions):
            if name in made:
                raise NetworkError(f"{_written(name)} is made twice")
            for other in reads[name]:
                if other in reads and other not in made:
                    later = f"{_written(other)}, which is made only later"
                    raise NetworkError(f"{_written(name)} reads {later}")
            made.add(name)

    @classmethod
    def of(cls, plan: Plan) -> Program:
        """The program of a plan, made once."""
        return _made(plan)

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """The steps forward, from the inputs to the outputs."""
        return tuple(_forward(self.plan))

    @cached_property
    def names(self) -> tuple[Name, ...]:
        """What is computed, in its order."""
        return tuple(self.by_name)

    @cached_property
    def given(self) -> tuple[Name, ...]:
        """The arrays that nobody defines."""
        return tuple(_given(self.definitions))

    @cached_property
    def knobs(self) -> tuple[str, ...]:
        """The numbers of the rule that are computed with."""
        found = (node for made in self.definitions for node in walk(made.tree))
        names = (node.quantity.kind for node in found if isinstance(node, Ref))
        return tuple(dict.fromkeys(name for name in names if KINDS[name].role == "knob"))

    def needed(self, wanted: Iterable[Name]) -> list[Definition]:
        """The definitions that something is made of, in their order."""
        needed, found = set(wanted), []
        for definition in reversed(self.definitions):
            if definition.name in needed:
                needed |= set(made_of(definition.tree))
                found.append(definition)
        return found[::-1]

    @cached_property
    def run(self) -> Computed:
        """The whole iteration: every array, by name, what is given and what stays included."""
        found = [*self.given, *self.names]
        stays = () if self.blocked else self._unchanged
        wanted = {**{n: n for n in found}, **dict(stays)}
        return _compiled(self.definitions, (self.knobs, self.given), wanted)

    @cached_property
    def advance(self) -> Computed:
        """The iteration up to the update: everything but the verification pass."""
        found = [d for d in self.definitions if KINDS[d.leaf.kind.rstrip("@")].phase != VERIFY]
        return _compiled(found, (self.knobs, self.given), {d.name: d.name for d in found})

    @property
    def _unchanged(self) -> Iterator[tuple[Name, Name]]:
        """What the update leaves as it is: the name after it, and the name before."""
        for kind, layer in self.given:
            new = AFTER.get(kind, ""), layer
            if kind in AFTER and KINDS[kind].parameter and new not in self.by_name:
                yield new, (kind, layer)


@lru_cache(maxsize=64)  # one takes about 0.3 MB
def _made(plan: Plan) -> Program:
    scaled = [Definition(*found) for found in plan.scale.trees()] if plan.scale else []
    forward = list(_forward(plan))
    ahead = [*(Definition(step.out, step.tree) for step in forward), *_losses(plan)]
    backward, blocked = _backward(plan, forward)
    if blocked:
        return Program(plan, (*scaled, *ahead, *backward), blocked)
    updates = list(_updates(plan))
    return Program(plan, (*scaled, *ahead, *backward, *updates, *_again(ahead, updates), _drop()))


# ---- forward ----


def _forward(plan: Plan) -> Iterator[Operation]:
    """z = a Wᵀ + b, a = f(z), and with a skip connection r = a + what an earlier layer gives."""
    passed = [X]
    for number, layer in enumerate(plan.layers, 1):
        w, b, z, a = (ArrayRef(kind, number) for kind in ("w", "b", "z", "a"))
        product = MatrixProduct((passed[-1], Transpose(w)))
        if layer.biased:
            yield Operation(z, Sum((product, b)), (b, w, passed[-1]))
        else:
            yield Operation(z, product, (w, passed[-1]))
        yield Operation(a, Apply(z, layer.activation.function), (z,))
        passed.append(a)
        if layer.drops:
            d, mask = ArrayRef("d", number), ArrayRef("mask", number)
            yield Operation(d, Hadamard((a, mask)), (a,))
            passed[-1] = a = d
        if layer.skip:
            r, earlier = ArrayRef("r", number), passed[number - layer.skip]
            yield Operation(r, Sum((a, earlier)), (a, earlier))
            passed[-1] = r


def output_leaves(plan: Plan) -> tuple[ArrayRef, ArrayRef, ArrayRef]:
    """The arrays that a loss is made of: outputs, targets, the output layer's pre-activations."""
    depth = len(plan.layers)
    return ArrayRef("r" if plan.layers[-1].skip else "a", depth), Y, ArrayRef("z", depth)


def loss_gradient(plan: Plan) -> Node:
    """The derivative of the loss of each sample with respect to its outputs."""
    return with_leaves(plan.loss.gradient, _leaves(plan))


def _leaves(plan: Plan) -> dict[Node, Node]:
    return dict(zip((A, Y, Z), output_leaves(plan), strict=True))


def _losses(plan: Plan) -> Iterator[Definition]:
    """The loss of each sample by itself, and that of the batch."""
    loss, each = plan.loss, ArrayRef("loss@")
    terms = with_leaves(loss.term, _leaves(plan))
    yield Definition(each, loss.of_sample(SumOver(terms, "outputs", 1, keep=False)))
    whole = shared(plan, SumOver(each, "samples", 0, keep=False))
    rule, depth = plan.rule, len(plan.layers)
    if not rule.penalty:
        yield Definition(ArrayRef("loss"), whole)
        return
    data, penalty = ArrayRef("data_loss"), ArrayRef("penalty")
    yield Definition(data, whole)
    if rule.penalty == "norm":
        yield from (Definition(*one) for one in optimizers.weights_lengths(rule, depth))
    yield Definition(penalty, optimizers.penalty(rule, depth))
    yield Definition(ArrayRef("loss"), Sum((data, penalty)))


def shared(plan: Plan, tree: Node) -> Node:
    """The 1/M of a mean in front."""
    return Product((Share(), tree)) if plan.mean else tree


# ---- backward ----


def by(leaf: ArrayRef) -> ArrayRef:
    """The derivative of the loss by an array: dL/dz[2] for z[2]. The inputs are the activations of
    layer 0.
    """
    return ArrayRef(GRADIENT["a" if leaf == X else leaf.kind], leaf.layer)


def _backward(plan: Plan, forward: Sequence[Operation]) -> tuple[list[Definition], int]:
    """The chain rule from the loss down the list; it ends at an activation without a derivative,
    which is told.
    """
    parts: dict[ArrayRef, list[Node]] = {forward[-1].out: [shared(plan, loss_gradient(plan))]}
    found: list[Definition] = []
    for step in reversed(forward):
        out = step.out
        long = None
        if out.kind == "z":
            layer = plan.layers[out.layer - 1]
            a = ArrayRef("a", out.layer)
            if layer.activation.flat:
                return found, out.layer
            if layer.activation.slope is not None:
                found.append(
                    Definition(ArrayRef("da/dz", out.layer), _slope(layer.activation, out, a))
                )
            if out.layer == len(plan.layers) and plan.loss.fused_with:
                long, parts[out] = parts[out][0], [shared(plan, _shortcut(layer.activation, a))]
        found.append(Definition(by(out), _added(parts.pop(out)), long))
        for leaf in step.inputs:
            parts.setdefault(leaf, []).insert(0, _carried(step, leaf))
        if out.kind == "z":
            learned = (
                leaf for leaf in step.inputs if KINDS[leaf.kind].parameter and _learns(plan, leaf)
            )
            found += [Definition(by(leaf), parts[leaf][0]) for leaf in learned]
    found.append(Definition(by(X), _added(parts.pop(X))))
    return found, 0


def _added(terms: Sequence[Node]) -> Node:
    return terms[0] if len(terms) == 1 else Sum(tuple(terms))


def _carried(step: Operation, leaf: ArrayRef) -> Node:
    """What the derivative by an operation's output contributes to that by one of its inputs."""
    grad = by(step.out)
    if not isinstance(step.tree, Apply):
        return _pullback(step.tree, leaf, grad)
    if step.tree.function.by_row:
        a = step.out
        return Hadamard((a, Difference(grad, SumOver(Hadamard((grad, a)), "outputs", 1))))
    return Hadamard((grad, ArrayRef("da/dz", step.out.layer)))


def _pullback(tree: Node, leaf: ArrayRef, grad: Node) -> Node:
    """The derivative by `leaf`, where that by `tree` is `grad`, for sums and matrix products."""
    match tree:
        case ArrayRef() if KINDS[leaf.kind].biases:
            # it was added to the row of every sample
            return SumOver(grad, "samples", 0, keep=False)
        case ArrayRef():
            return grad
        case Transpose():
            return _pullback(tree.of, leaf, _transposed(grad))
        case Hadamard(terms=(first, second)):
            return Hadamard((grad, second if leaf == first else first))
        case Sum():
            return next(_pullback(term, leaf, grad) for term in tree.terms if leaf in _uses(term))
        case MatrixProduct():
            left, right = tree.terms
            if leaf in _uses(left):
                return _pullback(left, leaf, MatrixProduct((grad, _transposed(right))))
            return _pullback(right, leaf, MatrixProduct((_transposed(left), grad)))
        case _:
            raise TypeError(f"no derivative of a {type(tree).__name__}")


def _transposed(tree: Node) -> Node:
    match tree:
        case Transpose():
            return tree.of
        case MatrixProduct():
            return MatrixProduct(tuple(_transposed(term) for term in reversed(tree.terms)))
        case _:
            return Transpose(tree)


def _slope(rule: Activation, z: ArrayRef, a: ArrayRef) -> Node:
    return Apply(z, rule.slope_function) if rule.slope_function else rule.derivative_formula(z, a)


def _shortcut(rule: Activation, a: ArrayRef) -> Node:
    """Of a cross-entropy on its own output activation: output minus target; a softmax counts the
    targets' sum.
    """
    return Difference(Hadamard((a, SumOver(Y, "outputs", 1))) if rule.full_jacobian else a, Y)


def _learns(plan: Plan, leaf: ArrayRef) -> bool:
    layer = plan.layers[leaf.layer - 1]
    return layer.trains_weights if KINDS[leaf.kind].weights else layer.trains_biases


# ---- update and verification ----


def _updates(plan: Plan) -> Iterator[Definition]:
    """θ⁺ = θ − η ∂L/∂θ for everything that learns, or what an optimizer makes of it."""
    rule, learned = plan.rule, list(_learned(plan))
    if rule.schedule:
        yield Definition(optimizers.SCHEDULED, optimizers.SCHEDULES[rule.schedule].rate)
    found = [
        Definition(*one) for leaf in learned for one in optimizers.update(rule, leaf, by(leaf))
    ]
    if rule.clip == "norm" and learned:
        made_of_all = optimizers.norm(rule, [(leaf, by(leaf)) for leaf in learned])
        needed = made_of(made_of_all)
        yield from (one for one in found if one.name in needed)
        yield Definition(optimizers.NORM, made_of_all)
        found = [one for one in found if one.name not in needed]
    yield from found


def _learned(plan: Plan) -> Iterator[ArrayRef]:
    """Weights and biases that learn, from the output down."""
    for number in range(len(plan.layers), 0, -1):
        for leaf in (ArrayRef("b", number), ArrayRef("w", number)):
            if _learns(plan, leaf) and (
                plan.layers[number - 1].biased or not KINDS[leaf.kind].biases
            ):
                yield leaf


def _again(ahead: Sequence[Definition], updates: Sequence[Definition]) -> Iterator[Definition]:
    """The forward pass and the losses once more, with everything that learns in its new state."""
    new = {
        ArrayRef(KINDS[found.leaf.kind].before, found.leaf.layer): found.leaf
        for found in updates
        if KINDS[found.leaf.kind].again
    }
    new |= {found.leaf: ArrayRef(_after(found.leaf.kind), found.leaf.layer) for found in ahead}
    for found in ahead:
        if found.leaf.kind in NOT_AGAIN:
            continue
        yield Definition(
            new[found.leaf],
            renamed(found.tree, lambda node: new.get(node) if isinstance(node, ArrayRef) else None),
        )


NOT_AGAIN = {"d": "a+"}
"""What is there only while the network learns, and what stands in its place afterwards."""


def _after(kind: str) -> str:
    if kind in NOT_AGAIN:
        return NOT_AGAIN[kind]
    return AFTER[kind.removesuffix("@")] + "@" * kind.endswith("@")


def _drop() -> Definition:
    return Definition(ArrayRef("loss-loss+"), Difference(ArrayRef("loss"), ArrayRef("loss+")))


# ---- what to look at, to know that every number is one ----


def _watched(definitions: Sequence[Definition]) -> tuple[Name, ...]:
    """What nothing is made of, and what the formula of another might hide.

    A sum or a product that holds a number that is none is none itself (0 · ∞ too), so the others
    need not be looked at. Left aside is the derivative with respect to the inputs, which is no
    step of most walks, and what a shortcut goes around.
    """
    used = {leaf for found in definitions if found.leaf != by(X) for leaf in _uses(found.tree)}
    around = {
        leaf for found in definitions if found.long is not None for leaf in _uses(found.long)
    } - used
    kept = [found for found in definitions if found.leaf not in around | {by(X)}]
    hidden = {leaf for found in kept for leaf in _hidden(found.tree)}
    return tuple(found.name for found in kept if found.leaf in hidden or found.leaf not in used)


def _hidden(tree: Node) -> Iterator[ArrayRef]:
    """The arrays whose infinite numbers a tree makes finite ones of: a function that flattens, a
    division by them, a limit.
    """
    for node in walk(tree):
        match node:
            case Apply():
                yield from _uses(node.of)
            case Quotient():
                yield from _uses(node.right)
            case Smallest() | Largest():
                yield from _uses(node)


# ---- to Python ----


def _compiled(
    definitions: Sequence[Definition],
    arguments: tuple[Sequence[str], Sequence[Name]],
    wanted: Mapping[Name, Name],
) -> Computed:
    """One function of NumPy of knobs and arrays. `wanted`: what it gives, and by which name that
    is computed.
    """
    made = ((python_name(*found.name), found.tree) for found in definitions)
    dialect = Engine()
    body = code.program_lines(made, dialect)
    arrays = (python_name(*found.name) for found in definitions if not _single(found.name))
    answer = code.answered_with_check(
        {name: python_name(*found) for name, found in wanted.items()},
        *_sorted_for_check(_watched(definitions)),
    )
    knobs, given = arguments
    names = ["eta", "scale", *map(python_name, knobs), *(python_name(*name) for name in given)]
    lines = [*body, *map(code.frozen, arrays), answer]
    scope = {name: np.asarray(value) for name, value in dialect.constants.items()}
    return code.compiled(
        "iteration",
        [code.defined("iteration", names, lines)],
        {"np": np, "ratio": ratio, "isfinite": isfinite, **scope},
    )


def _single(name: Name) -> bool:
    """Whether this is one number and no array."""
    return not name[0].endswith("@") and not KINDS[name[0]].axes


def _sorted_for_check(names: Sequence[Name]) -> tuple[list[str], list[str], list[str]]:
    """Arrays with a row for each sample, which fit side by side; other arrays; single numbers."""
    found: tuple[list[str], list[str], list[str]] = ([], [], [])
    for name in names:
        in_rows = not name[0].endswith("@") and KINDS[name[0]].per_sample
        found[0 if in_rows else 2 if _single(name) else 1].append(python_name(*name))
    return found


def _given(definitions: Sequence[Definition]) -> Iterator[Name]:
    made = {found.name for found in definitions}
    found = (name for definition in definitions for name in made_of(definition.tree))
    return iter(dict.fromkeys(name for name in found if name not in made))


def data_loss(program: Program) -> Name:
    """The loss without a penalty."""
    name = ("data_loss", 0)
    return name if name in program.by_name else ("loss", 0)


def made_of(tree: Node) -> tuple[Name, ...]:
    """The arrays that a tree is computed from, each once, in reading order."""
    return tuple(dict.fromkeys((leaf.kind, leaf.layer) for leaf in _uses(tree)))


def _written(name: Name) -> str:
    return f"{name[0]}[{name[1]}]" if name[1] else name[0]


def _uses(tree: Node) -> Iterator[ArrayRef]:
    """The arrays that are computed with: of a stable form those of the exact one."""
    for node in walk(tree):
        if isinstance(node, Stable):
            yield from _uses(node.exact)
        elif isinstance(node, ArrayRef):
            yield node
