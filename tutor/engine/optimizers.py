"""Optimizers and everything else between a gradient and the update: schedules, penalties, clipping.

Each has its formulas once, as trees over whole arrays; the program, the steps and the scripts are
made of them. What they mean and their defaults are PyTorch's.

    rule("adam", schedule="step", numbers={"beta1": 0.8, …}) -> UpdateRule

A new optimizer is one entry of `OPTIMIZERS`: what it computes for each parameter, in its order, and
the numbers that it needs. `m-` is what `m` was in the iteration before; a `step` is subtracted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from math import pi

from tutor.engine.kinds import KINDS
from tutor.engine.quantity import Quantity
from tutor.engine.tree import (
    ONE,
    ArrayRef,
    Cos,
    Difference,
    Floor,
    Largest,
    Negative,
    Node,
    Number,
    Power,
    Product,
    Quotient,
    Ref,
    Smallest,
    Sqrt,
    Square,
    Squares,
    Sum,
    walk,
)


def knob(name: str) -> Ref:
    """A number that says how the network learns, by the name of its kind."""
    return Ref(Quantity(name))


HALF = Number(0.5, "1/2")
PI = Number(pi, "π")
RATE, SCHEDULED, NORM = Ref(Quantity("eta")), ArrayRef("lr"), ArrayRef("gnorm")
LENGTH = ArrayRef("wnorm")
T, LIMIT, WEIGHT = knob("t"), knob("clip"), knob("l2")


@dataclass(frozen=True, slots=True)
class Parameter:
    """The weights or the biases of a layer, where an optimizer works on them."""

    leaf: ArrayRef
    gradient: Node
    """What it gets: after penalty and clipping."""
    rate: Node

    def __call__(self, name: str) -> ArrayRef:
        """An array that belongs to it: what `m` is here."""
        return ArrayRef(f"{name}.{self.leaf.kind}", self.leaf.layer)


Words = tuple[str, str]
"""A sentence or two for the first step of a kind, and a line for the others; in both, {parameter}
stands for weight or bias.
"""
Formulas = Callable[[Parameter], Iterator[tuple[str, Node]]]


@dataclass(frozen=True, slots=True)
class Knob:
    """A number of a rule: its key in files, what it is when nobody says, and where it may lie."""

    name: str
    """The name of its kind."""
    key: str
    default: float
    least: float = 0.0
    below: float = float("inf")
    positive: bool = False
    """Whether it has to be above 0."""

    def refusal(self, value: float) -> str:
        """Why it cannot be this number, or ""."""
        if (value > 0 if self.positive else value >= self.least) and value < self.below:
            return ""
        return f"expected a number {self.bounds}, got {str(value).removesuffix('.0')}"

    @property
    def bounds(self) -> str:
        """Where it may lie, in words."""
        start = "above 0" if self.positive else f"of at least {self.least:g}"
        return start if self.below == float("inf") else f"{start} and below {self.below:g}"


@dataclass(frozen=True, slots=True)
class Optimizer:
    """How a gradient becomes an update."""

    name: str
    title: str
    about: str
    knobs: tuple[Knob, ...] = ()
    formulas: Formulas = lambda of: iter(())
    torch: str = "SGD"
    """Its class in PyTorch."""
    arguments: str = ""
    """What that is told beside the learning rate, by the names of the knobs."""
    slots: Mapping[str, str] = field(default_factory=dict)
    """What that calls m and v."""
    words: Mapping[str, Words] = field(default_factory=dict)
    """Why it computes what it computes."""
    squares: str = "mean square"
    """What v is."""


def _momentum(of: Parameter) -> Iterator[tuple[str, Node]]:
    yield "m", Sum((Product((knob("mu"), of("m-"))), of.gradient))
    yield "step", Product((of.rate, of("m")))


def _nesterov(of: Parameter) -> Iterator[tuple[str, Node]]:
    yield "m", Sum((Product((knob("mu"), of("m-"))), of.gradient))
    yield "step", Product((of.rate, Sum((of.gradient, Product((knob("mu"), of("m")))))))


def _adagrad(of: Parameter) -> Iterator[tuple[str, Node]]:
    yield "v", Sum((of("v-"), Square(of.gradient)))
    yield "step", Quotient(Product((of.rate, of.gradient)), _root(of("v")))


def _rmsprop(of: Parameter) -> Iterator[tuple[str, Node]]:
    yield "v", _mixed(knob("rho"), of("v-"), Square(of.gradient))
    yield "step", Quotient(Product((of.rate, of.gradient)), _root(of("v")))


def _moments(of: Parameter) -> Iterator[tuple[str, Node]]:
    """Adam's means of gradient and square, without the pull towards the zeros they start from."""
    yield "m", _mixed(knob("beta1"), of("m-"), of.gradient)
    yield "v", _mixed(knob("beta2"), of("v-"), Square(of.gradient))
    for corrected, moment, rate in (("mhat", "m", "beta1"), ("vhat", "v", "beta2")):
        yield corrected, Quotient(of(moment), Difference(ONE, Power(knob(rate), T)))


def _adam(of: Parameter) -> Iterator[tuple[str, Node]]:
    yield from _moments(of)
    yield "step", Quotient(Product((of.rate, of("mhat"))), _root(of("vhat")))


def _adamw(of: Parameter) -> Iterator[tuple[str, Node]]:
    yield from _moments(of)
    decay = Product((knob("weight_decay"), of.leaf))
    yield "step", Product((of.rate, Sum((Quotient(of("mhat"), _root(of("vhat"))), decay))))


def _mixed(rate: Ref, before: Node, now: Node) -> Node:
    """ρ · before + (1 − ρ) · now"""
    return Sum((Product((rate, before)), Product((Difference(ONE, rate), now))))


def _root(square: Node) -> Node:
    return Sum((Sqrt(square), knob("epsilon")))


_ROLLS: Words = (
    (
        "Momentum keeps μ of what it was and adds the gradient, like a ball that rolls downhill: "
        "steps "
        "in one direction add up, steps that turn back and forth cancel."
    ),
    "Part of what it was, plus the gradient of this {parameter}.",
)
_BY_SQUARES: Words = (
    (
        "Divide by the root of the squares: where gradients have been large, steps are small, so "
        "all "
        "parameters move at a similar pace. The tiny ε keeps the division safe."
    ),
    "Learning rate × gradient over the root of its squares.",
)
_CORRECTED: Words = (
    (
        "The running mean starts at 0, which makes it too small in the first iterations. Dividing "
        "by "
        "1 − βᵗ makes up for that; later on this is almost 1."
    ),
    "Without the pull towards the 0 that it started from.",
)


def _running(letter: str) -> Words:
    return (
        (
            f"A running mean of the squares of the gradient: {letter} of what it was, and 1 − "
            f"{letter} "
            "of the new square. It starts at 0."
        ),
        "Running mean of the squares, for this {parameter}.",
    )


_MOMENTS: dict[str, Words] = {
    "m": (
        (
            "A running mean of the gradients: β₁ of what it was, and 1 − β₁ of the gradient of "
            "this "
            "iteration. It starts at 0."
        ),
        "Running mean of the gradients of this {parameter}.",
    ),
    "v": _running("β₂"),
    "mhat": _CORRECTED,
    "vhat": _CORRECTED,
}
_MU = Knob("mu", "momentum", 0.9, below=1.0)
_RHO = Knob("rho", "alpha", 0.99, below=1.0)
_BETAS = (Knob("beta1", "beta1", 0.9, below=1.0), Knob("beta2", "beta2", 0.999, below=1.0))
_TINY = Knob("epsilon", "epsilon", 1e-8, positive=True)
_DECAY = Knob("weight_decay", "weight_decay", 0.01)

OPTIMIZERS: dict[str, Optimizer] = {
    found.name: found
    for found in (
        Optimizer("sgd", "gradient descent", "subtracts learning rate × gradient"),
        Optimizer(
            "momentum",
            "momentum",
            "keeps part of the last step, so that steps in one direction add up and steps that "
            "turn back and forth cancel",
            (_MU,),
            _momentum,
            arguments="momentum=mu",
            slots={"m": "momentum_buffer"},
            words={"m": _ROLLS, "step": ("The step is learning rate × momentum.", "")},
        ),
        Optimizer(
            "nesterov",
            "Nesterov momentum",
            "looks ahead: the gradient counts once more, together with the momentum that it has "
            "just changed",
            (_MU,),
            _nesterov,
            arguments="momentum=mu, nesterov=True",
            slots={"m": "momentum_buffer"},
            words={
                "m": _ROLLS,
                "step": (
                    (
                        "Nesterov's step looks ahead: the gradient, plus μ of the momentum that "
                        "it has "
                        "just changed; times the learning rate."
                    ),
                    "Learning rate × (gradient + μ × momentum).",
                ),
            },
        ),
        Optimizer(
            "adagrad",
            "AdaGrad",
            "adds up the squares of all gradients so far: what has moved much moves less",
            (replace(_TINY, default=1e-10),),
            _adagrad,
            torch="Adagrad",
            arguments="eps=epsilon",
            slots={"v": "sum"},
            words={
                "v": (
                    (
                        "AdaGrad adds up the squares of all gradients so far, for each parameter "
                        "by "
                        "itself."
                    ),
                    "What it was, plus the square of the gradient.",
                ),
                "step": _BY_SQUARES,
            },
            squares="accumulated squares",
        ),
        Optimizer(
            "rmsprop",
            "RMSProp",
            "divides by the root of a running mean of the squares, so that all parameters move at "
            "a similar pace",
            (_RHO, _TINY),
            _rmsprop,
            torch="RMSprop",
            arguments="alpha=rho, eps=epsilon",
            slots={"v": "square_avg"},
            words={"v": _running("ρ"), "step": _BY_SQUARES},
        ),
        Optimizer(
            "adam",
            "Adam",
            "divides a running mean of the gradients by the root of a running mean of their "
            "squares; both start at 0, which the correction makes up for",
            (*_BETAS, _TINY),
            _adam,
            torch="Adam",
            arguments="betas=(beta1, beta2), eps=epsilon",
            slots={"m": "exp_avg", "v": "exp_avg_sq"},
            words={**_MOMENTS, "step": _BY_SQUARES},
        ),
        Optimizer(
            "adamw",
            "AdamW",
            "is Adam, and pulls every parameter towards 0 by a small share of itself",
            (*_BETAS, _TINY, _DECAY),
            _adamw,
            torch="AdamW",
            arguments="betas=(beta1, beta2), eps=epsilon, weight_decay=weight_decay",
            slots={"m": "exp_avg", "v": "exp_avg_sq"},
            words={
                **_MOMENTS,
                "step": (
                    (
                        "As in Adam, and a small share of the parameter itself comes on top: "
                        "weight "
                        "decay, which the running means do not see."
                    ),
                    "Adam's step, plus weight decay.",
                ),
            },
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Schedule:
    """How the learning rate changes from iteration to iteration."""

    how: str
    """In words: the learning rate …"""
    short: str
    """The same as short as can be, with the numbers in braces."""
    knobs: tuple[Knob, ...]
    rate: Node


SCHEDULES: dict[str, Schedule] = {
    "step": Schedule(
        "falls in stairs: after every k iterations it is multiplied by γ",
        "step: learning rate × {factor} after every {every} iterations",
        (Knob("every", "every", 100.0, least=1.0), Knob("factor", "factor", 0.5, positive=True)),
        Product(
            (
                RATE,
                Power(knob("factor"), Floor(Quotient(Difference(T, ONE), knob("every")))),
            )
        ),
    ),
    "exponential": Schedule(
        "is multiplied by γ after every iteration",
        "exponential: learning rate × {factor} in each iteration",
        (Knob("factor", "factor", 0.99, positive=True),),
        Product((RATE, Power(knob("factor"), Difference(T, ONE)))),
    ),
    "cosine": Schedule(
        "falls along half a cosine: slowly, then fast, then slowly again",
        "cosine: learning rate down to {minimum} in {period} iterations",
        (Knob("period", "period", 100.0, least=1.0), Knob("minimum", "minimum", 0.0)),
        Sum(
            (
                knob("minimum"),
                Product(
                    (
                        HALF,
                        Difference(RATE, knob("minimum")),
                        Sum(
                            (
                                ONE,
                                Cos(Quotient(Product((PI, Difference(T, ONE))), knob("period"))),
                            )
                        ),
                    )
                ),
            )
        ),
    ),
    "inverse_time": Schedule(
        "is divided by a number that grows with every iteration",
        "inverse time: learning rate / (1 + {decay} (t − 1)) in iteration t",
        (Knob("decay", "decay", 0.01),),
        Quotient(RATE, Sum((ONE, Product((knob("decay"), Difference(T, ONE)))))),
    ),
}
"""The learning rate of iteration t, from 1, by the name of the schedule."""

PENALTIES = ("squared", "norm")
CLIPS = ("norm", "value")


@dataclass(frozen=True)
class UpdateRule:
    """How a network learns; plain gradient descent where nothing else is said."""

    optimizer: str = "sgd"
    schedule: str = ""
    penalty: str = ""
    clip: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict, hash=False)
    """The knobs, by the name of their kind."""
    by_layer: tuple[float, ...] = ()
    """The weight of the penalty for each layer, where they differ; in a plan zeros."""

    @property
    def plan(self) -> UpdateRule:
        """What of it decides the program: everything but the numbers."""
        return replace(self, numbers={}, by_layer=(0.0,) * len(self.by_layer))

    @property
    def plain(self) -> bool:
        """Whether it is gradient descent without anything else."""
        return self.plan == PLAIN

    @property
    def how(self) -> Optimizer:
        return OPTIMIZERS[self.optimizer]

    @property
    def rate(self) -> Node:
        """The learning rate that an update uses."""
        return SCHEDULED if self.schedule else RATE

    @property
    def stateful(self) -> bool:
        """Whether an iteration is another one for its number or for those before it."""
        return bool(self.schedule or self.remembered("w"))

    @property
    def counts(self) -> bool:
        """Whether its formulas have the number of the iteration."""
        return bool(self.schedule) or "mhat.w" in self.made("w")

    def made(self, parameter: str) -> tuple[str, ...]:
        """The kinds that there are for every w or b, in their order, the updated ones left out."""
        return _made(self.plan, parameter)[0]

    def remembered(self, parameter: str) -> tuple[str, ...]:
        """The kinds that an iteration takes over from the one before: m-.w and so on."""
        return _made(self.plan, parameter)[1]

    def whole(self) -> tuple[str, ...]:
        """The single numbers of an update, in their order."""
        return ("lr",) * bool(self.schedule) + ("gnorm",) * (self.clip == "norm")

    def has(self, kind: str) -> bool:
        """Whether there are numbers of this kind, of those that not every rule has."""
        of = KINDS[kind]
        if kind == "t":
            return self.counts
        if kind == "l2":
            return bool(self.penalty)
        if of.role == "knob":
            return kind in self.numbers
        if kind in {"lr", "gnorm"}:
            return kind in self.whole()
        if of.base == "wnorm":
            return self.penalty == "norm"
        if of.base in {"data_loss", "penalty"} or of.top == "penalty":
            return bool(self.penalty)
        return kind in {*self.made(kind[-1]), *self.remembered(kind[-1])}

    @cached_property
    def quantities(self) -> dict[Quantity, float]:
        """The knobs as numbers of the lesson."""
        return {Quantity(name): value for name, value in self.numbers.items()}


PLAIN = UpdateRule()


@lru_cache
def _made(rule: UpdateRule, parameter: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    leaf = ArrayRef(parameter, 1)
    found = list(update(rule, leaf, ArrayRef(f"dL/d{parameter}", 1)))
    leaves = (node.kind for _, tree in found for node in walk(tree) if isinstance(node, ArrayRef))
    earlier = dict.fromkeys(kind for kind in leaves if KINDS[kind].earlier)
    return tuple(leaf.kind for leaf, _ in found[:-1]), tuple(earlier)


def update(rule: UpdateRule, leaf: ArrayRef, gradient: ArrayRef) -> Iterator[tuple[ArrayRef, Node]]:
    """Everything between the gradient of the data and the new value, which is the last."""
    penalised, layer = bool(rule.penalty) and KINDS[leaf.kind].weights, leaf.layer
    if penalised:
        yield ArrayRef("dR/dw", layer), _by_weight(rule, leaf)
    given: Node = gradient
    if penalised or rule.clip:
        given = ArrayRef(f"g.{leaf.kind}", layer)
        yield given, _clipped(rule, raw(rule, leaf, gradient))
    of = Parameter(leaf, given, rule.rate)
    found = list(rule.how.formulas(of))
    for name, tree in found:
        yield of(name), tree
    step = of("step") if found else Product((rule.rate, given))
    yield ArrayRef(f"{leaf.kind}+", layer), Difference(leaf, step)


def raw(rule: UpdateRule, leaf: ArrayRef, gradient: ArrayRef) -> Node:
    """The gradient before clipping: that of the data, plus the penalty's."""
    if rule.penalty and KINDS[leaf.kind].weights:
        return Sum((gradient, ArrayRef("dR/dw", leaf.layer)))
    return gradient


def _clipped(rule: UpdateRule, whole: Node) -> Node:
    if rule.clip == "norm":
        return Product((Smallest(Quotient(LIMIT, NORM), ONE), whole))
    return Largest(Smallest(whole, LIMIT), Negative(LIMIT)) if rule.clip == "value" else whole


def norm(rule: UpdateRule, parameters: Sequence[tuple[ArrayRef, ArrayRef]]) -> Node:
    """The length of all gradients together, before clipping; of (parameter, gradient) each."""
    return Sqrt(Squares(tuple(raw(rule, leaf, gradient) for leaf, gradient in parameters)))


def penalty(rule: UpdateRule, depth: int) -> Node:
    """½λ times the sum of all squared weights, or λ times its root; biases are left out. With a λ
    for each layer, the sum of those of the layers.
    """
    if rule.by_layer:
        layers = range(1, depth + 1)
        if rule.penalty == "norm":
            return _sum(Product((_weight(layer), _length(layer))) for layer in layers)
        squares = (Product((_weight(n), Squares((ArrayRef("w", n),)))) for n in layers)
        return Product((HALF, _sum(squares)))
    if rule.penalty == "squared":
        return Product((HALF, WEIGHT, _all_squares(depth)))
    return Product((WEIGHT, LENGTH))


def _sum(terms: Iterable[Node]) -> Node:
    found = tuple(terms)
    return found[0] if len(found) == 1 else Sum(found)


def _weight(layer: int) -> ArrayRef:
    """The λ of a layer."""
    return ArrayRef("l2", layer)


def _length(layer: int) -> ArrayRef:
    """The length of the weights of a layer."""
    return ArrayRef(LENGTH.kind, layer)


def weights_lengths(rule: UpdateRule, depth: int) -> Iterator[tuple[ArrayRef, Node]]:
    """The root of the sum of all squared weights, or that of each layer."""
    if not rule.by_layer:
        yield LENGTH, Sqrt(_all_squares(depth))
        return
    for layer in range(1, depth + 1):
        yield _length(layer), Sqrt(Squares((ArrayRef("w", layer),)))


def _by_weight(rule: UpdateRule, leaf: ArrayRef) -> Node:
    each = bool(rule.by_layer)
    pull = Product((_weight(leaf.layer) if each else WEIGHT, leaf))
    if rule.penalty == "squared":
        return pull
    return Quotient(pull, _length(leaf.layer) if each else LENGTH)


def _all_squares(depth: int) -> Node:
    return Squares(tuple(ArrayRef("w", layer) for layer in range(1, depth + 1)))


def rule(
    optimizer: str = "sgd",
    *,
    schedule: str = "",
    penalty: str = "",
    clip: str = "",
    numbers: Mapping[str, float] | None = None,
    by_layer: tuple[float, ...] = (),
) -> UpdateRule:
    """A rule with the defaults of all numbers that are not given; `by_layer` has a weight of the
    penalty for each layer in place of one for all.
    """
    found = knobs(optimizer, schedule, penalty, clip)
    values = {**{knob.name: knob.default for knob in found}, **(numbers or {})}
    if by_layer:
        del values["l2"]
    return UpdateRule(optimizer, schedule, penalty, clip, values, by_layer)


def knobs(optimizer: str, schedule: str, penalty: str, clip: str) -> tuple[Knob, ...]:
    """The numbers that a rule has."""
    return (
        *OPTIMIZERS[optimizer].knobs,
        *(SCHEDULES[schedule].knobs if schedule else ()),
        *((Knob("l2", "weight", 0.01, positive=True),) if penalty else ()),
        *((Knob("clip", clip, 1.0, positive=True),) if clip else ()),
    )
