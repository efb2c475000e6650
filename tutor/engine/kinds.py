"""The table of kinds: what sorts of numbers a lesson has, and everything that is to be known of
each.

The phase of a kind, its axes, what it is a derivative of and what it is called stand here; no
function elsewhere decides by a list of names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

GIVEN, SCALE, FORWARD, LOSS, BACKWARD, UPDATE, VERIFY = (
    "given",
    "scale",
    "forward",
    "loss",
    "backward",
    "update",
    "verify",
)

PHASES = (SCALE, FORWARD, LOSS, BACKWARD, UPDATE, VERIFY)
"""The phases of an iteration in their order; what is given comes before all of them. Only lessons
that scale their inputs have the first.
"""


def phases_of(*, scaled: bool) -> tuple[str, ...]:
    """The phases that an iteration can have, where its inputs are scaled or are not."""
    return tuple(phase for phase in PHASES if scaled or phase != SCALE)


DATA = ("sample", "unit")
WEIGHT = ("unit", "input")
BIAS = ("unit",)
FEATURE = ("feature",)

RULED = frozenset({"knob", "memory", "rate"})
"""The roles of numbers that only some ways to learn have."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of number.

    `axes` are those of its array in the engine; a `layer` of the name goes before them. `top` is
    the kind that is differentiated (the loss or, for a slope, the activation), `by` the one with
    respect to which it is. `before` is the kind that an update or the verification pass starts
    from: w for w+. `shared` says that `@s` names the share of one sample.
    """

    name: str
    phase: str
    words: str
    axes: tuple[str, ...] = ()
    layered: bool = True
    role: str = ""
    top: str = ""
    by: str = ""
    before: str = ""
    shared: bool = False
    contract: bool = True
    """Whether the name stands in files and addresses; the others are ours."""
    letter: str = ""
    """Its letter, where that is no notation's business: β₁ is β and 1 below it."""
    by_layer: bool = False
    """Whether a rule may have one for each layer in place of one for all: l2[2] for l2."""
    earlier: bool = False
    """Whether it is what an optimizer remembers from the iteration before."""
    sign: str = "∂"
    """How a derivative is written: d where it counts every way and a ∂ beside it only one."""
    said: str = "derivative"
    """How it is read out."""

    @property
    def base(self) -> str:
        """The kind that it is a later state of, or its own name: w for w+ and for w."""
        return self.before or self.name

    @property
    def indices(self) -> int:
        """How many indices a name has behind its layer."""
        return len([axis for axis in self.axes if axis != "sample"])

    @property
    def per_sample(self) -> bool:
        """Whether there is one for each sample, whatever the batch."""
        return "sample" in self.axes

    @property
    def names_samples(self) -> bool:
        """Whether `@s` may stand behind a name."""
        return self.per_sample or self.shared

    @property
    def parameter(self) -> bool:
        """Whether it belongs to weights or biases: one entry for each, and none for a sample."""
        return self.axes in {WEIGHT, BIAS}

    @property
    def weights(self) -> bool:
        """Whether its arrays have the shape of weights: a row per unit, a column per input."""
        return self.axes == WEIGHT

    @property
    def biases(self) -> bool:
        """Whether its arrays have the shape of biases."""
        return self.axes == BIAS

    @property
    def feature(self) -> bool:
        """Whether there is one for each input, whatever the sample: what inputs are scaled with."""
        return self.axes == FEATURE

    @property
    def of_inputs(self) -> bool:
        """Whether it belongs to the inputs, scaled or not yet, or is what scales them."""
        return self.feature or (self.role in {"data", "source"} and self.name != "y")

    @property
    def now(self) -> str:
        """The kind of this iteration that the next one remembers as this one: m.w for m-.w."""
        return self.name.replace("-", "") if self.earlier else self.name

    @property
    def ruled(self) -> bool:
        """Whether the rule of the update decides whether there is one."""
        lettered_loss = self.role == "loss" and bool(self.letter)
        return lettered_loss or self.role in RULED or self.top == "penalty"

    @property
    def given(self) -> bool:
        """Whether a lesson starts from it."""
        return self.phase == GIVEN

    @property
    def again(self) -> bool:
        """Whether it is a number of the updated network: of the update or the verification pass."""
        return bool(self.before)

    @property
    def mark(self) -> str:
        """The + of a kind of the updated network, else ""."""
        return "+" if self.again else ""

    @property
    def derivative(self) -> bool:
        """Whether it is a derivative of the loss."""
        return self.top == "loss"

    @property
    def residual(self) -> bool:
        """Whether only a layer with a skip connection has it."""
        return "r" in {self.name, self.before, self.by}

    @property
    def dropped(self) -> bool:
        """Whether only a layer with dropout has it."""
        return "d" in {self.name, self.by} or self.role == "mask"


def _knob(name: str, words: str, letter: str) -> Kind:
    """A number that says how the network learns."""
    return Kind(name, GIVEN, words, layered=False, role="knob", contract=False, letter=letter)


def _statistic(name: str, words: str) -> Kind:
    """A number of all training samples that an input is scaled with."""
    return Kind(name, SCALE, words, FEATURE, layered=False, role="statistic", letter=name)


_OF_PARAMETERS = tuple(
    Kind(
        f"{name}.{parameter}",
        GIVEN if name.endswith("-") else UPDATE,
        f"{words} of a {of}",
        axes,
        role="memory",
        contract=not name.endswith("-"),
        letter=letter,
        earlier=name.endswith("-"),
    )
    for name, words, letter in (
        ("g", "gradient after penalty and clipping", "g"),
        ("m-", "momentum from the iteration before", "m"),
        ("m", "momentum", "m"),
        ("v-", "accumulated squares from the iteration before", "v"),
        ("v", "accumulated squares", "v"),
        ("mhat", "bias-corrected momentum", "m^"),
        ("vhat", "bias-corrected squares", "v^"),
        ("step", "update step", "s"),
    )
    for parameter, of, axes in (("w", "weight", WEIGHT), ("b", "bias", BIAS))
)
"""What an optimizer has for each weight and bias, in the order in which it is computed; - marks
what it remembers.
"""

_TABLE = (
    Kind("x", GIVEN, "input", DATA, layered=False, role="data"),
    Kind("y", GIVEN, "target", DATA, layered=False, role="data"),
    Kind("raw", GIVEN, "input before scaling", DATA, layered=False, role="data", letter="raw"),
    Kind(
        "train",
        GIVEN,
        "input of a training sample before scaling",
        DATA,
        layered=False,
        role="source",
        letter="train",
    ),
    Kind("w", GIVEN, "weight", WEIGHT, role="parameter"),
    Kind("b", GIVEN, "bias", BIAS, role="parameter"),
    Kind("eta", GIVEN, "learning rate", layered=False, contract=False),
    _knob("t", "number of the iteration", "t"),
    _knob("every", "iterations of a stair of the schedule", "k"),
    _knob("factor", "factor of the schedule", "γ"),
    _knob("period", "iterations down to the smallest learning rate", "T"),
    _knob("minimum", "smallest learning rate", "η_min"),
    _knob("decay", "decay of the schedule", "k"),
    replace(_knob("l2", "weight of the penalty", "λ"), by_layer=True),
    _knob("clip", "limit of the clipping", "c"),
    _knob("mu", "momentum", "μ"),
    _knob("rho", "decay rate of the mean square", "ρ"),
    _knob("beta1", "decay rate of the momentum", "β_1"),
    _knob("beta2", "decay rate of the mean square", "β_2"),
    _knob("epsilon", "small number that keeps the division safe", "ε"),
    _knob("weight_decay", "weight decay", "λ"),
    Kind("mask", GIVEN, "dropout mask", DATA, role="mask", letter="M"),
    *(kind for kind in _OF_PARAMETERS if kind.given),
    _statistic("mean", "mean of an input"),
    _statistic("sd", "standard deviation of an input"),
    _statistic("min", "smallest value of an input"),
    _statistic("max", "largest value of an input"),
    Kind("z", FORWARD, "pre-activation", DATA, role="unit"),
    Kind("a", FORWARD, "activation", DATA, role="unit"),
    Kind("d", FORWARD, "activation after dropout", DATA, role="unit"),
    Kind("r", FORWARD, "skip-connection sum", DATA, role="unit"),
    Kind("data_loss", LOSS, "loss on the data", layered=False, role="loss", letter="L_data"),
    Kind(
        "wnorm",
        LOSS,
        "length of all weights",
        layered=False,
        role="loss",
        letter="‖W‖",
        by_layer=True,
    ),
    Kind("penalty", LOSS, "penalty on large weights", layered=False, role="loss", letter="R"),
    Kind("loss", LOSS, "loss", layered=False, role="loss", shared=True),
    Kind("da/dz", BACKWARD, "activation derivative", DATA, role="slope", top="a", by="z"),
    Kind(
        "dL/da",
        BACKWARD,
        "derivative of the loss with respect to an activation",
        DATA,
        role="error",
        top="loss",
        by="a",
    ),
    Kind(
        "dL/dr",
        BACKWARD,
        "derivative of the loss with respect to a skip-connection sum",
        DATA,
        role="error",
        top="loss",
        by="r",
    ),
    Kind(
        "dL/dd",
        BACKWARD,
        "derivative of the loss with respect to an activation after dropout",
        DATA,
        role="error",
        top="loss",
        by="d",
    ),
    Kind("dL/dz", BACKWARD, "error signal", DATA, role="error", top="loss", by="z"),
    Kind(
        "dL/dw",
        BACKWARD,
        "gradient of a weight",
        WEIGHT,
        role="gradient",
        top="loss",
        by="w",
        shared=True,
    ),
    Kind(
        "dL/db",
        BACKWARD,
        "gradient of a bias",
        BIAS,
        role="gradient",
        top="loss",
        by="b",
        shared=True,
    ),
    Kind("lr", UPDATE, "learning rate of this iteration", layered=False, role="rate", letter="η_t"),
    Kind(
        "dR/dw",
        UPDATE,
        "derivative of the penalty with respect to a weight",
        WEIGHT,
        role="gradient",
        top="penalty",
        by="w",
    ),
    Kind(
        "gnorm", UPDATE, "length of the whole gradient", layered=False, role="memory", letter="‖g‖"
    ),
    *(kind for kind in _OF_PARAMETERS if not kind.given),
    Kind("w+", UPDATE, "new weight", WEIGHT, role="parameter", before="w"),
    Kind("b+", UPDATE, "new bias", BIAS, role="parameter", before="b"),
    Kind("z+", VERIFY, "new pre-activation", DATA, role="unit", before="z"),
    Kind("a+", VERIFY, "new activation", DATA, role="unit", before="a"),
    Kind("r+", VERIFY, "new skip-connection sum", DATA, role="unit", before="r"),
    Kind(
        "data_loss+",
        VERIFY,
        "new loss on the data",
        layered=False,
        role="loss",
        before="data_loss",
        letter="L_data",
    ),
    Kind(
        "wnorm+",
        VERIFY,
        "new length of all weights",
        layered=False,
        role="loss",
        before="wnorm",
        letter="‖W‖",
        by_layer=True,
    ),
    Kind(
        "penalty+",
        VERIFY,
        "new penalty on large weights",
        layered=False,
        role="loss",
        before="penalty",
        letter="R",
    ),
    Kind("loss+", VERIFY, "new loss", layered=False, role="loss", before="loss", shared=True),
    Kind(
        "loss-loss+",
        VERIFY,
        "how much the loss fell",
        layered=False,
        role="loss",
        contract=False,
    ),
    Kind(
        "(loss-loss+)/loss",
        VERIFY,
        "the fraction of the loss that is gone",
        layered=False,
        role="loss",
        contract=False,
    ),
)

STATISTICS = {"standardize": ("mean", "sd"), "min_max": ("min", "max")}
"""The numbers of the training samples by which each way to scale goes, in their order."""

KINDS: dict[str, Kind] = {kind.name: kind for kind in _TABLE}

AFTER: dict[str, str] = {kind.before: kind.name for kind in _TABLE if kind.before}
"""w -> w+, z -> z+ and so on."""

SLOPE = next(kind.name for kind in _TABLE if kind.role == "slope")
"""The derivative of an activation function."""

GRADIENT: dict[str, str] = {kind.by: kind.name for kind in _TABLE if kind.derivative}
"""w -> dL/dw, z -> dL/dz and so on."""


def marked(kind: str, mark: str) -> str:
    """A kind of the forward pass, or with the mark + the same of the updated network; inputs have
    no other.
    """
    return AFTER.get(kind, kind) if mark else kind


# ---- The nodes of a computation graph ----
#
# A formula has nodes of its own names, so their kinds are not in the table. `given:w0` is a value
# that the formula starts from, `node:n1` one that it computes, `d:f:node:n1` the derivative of the
# result f with respect to that, `local:n1:0:given:w0` that of n1 with respect to its first input.

VALUE, NODE, DERIVATIVE, LOCAL = "given", "node", "d", "local"


def derivative_kind(result: str, kind: str) -> str:
    """The kind of the derivative of the node `result` with respect to a node of this kind."""
    return f"{DERIVATIVE}:{result}:{kind}"


def local_kind(node: str, k: int, kind: str) -> str:
    """The kind of the local derivative of a node with respect to its input k."""
    return f"{LOCAL}:{node}:{k}:{kind}"


def kind_of(kind: str) -> Kind:
    """The kind of this name: one of the table, or that of a node. Raises KeyError for others."""
    return KINDS.get(kind) or _node_kind(kind)


def node_name(kind: str) -> str:
    """What a node or its derivative is called: w0, n1, df/dn1."""
    family, *rest = kind.split(":")
    return f"d{rest[0]}/d{rest[-1]}" if family in {DERIVATIVE, LOCAL} else rest[-1]


@lru_cache(maxsize=16384)
def _node_kind(kind: str) -> Kind:
    match kind.split(":"):
        case [family, _] if family == VALUE:
            return Kind(kind, GIVEN, "given value", layered=False, role="value")
        case [family, _] if family == NODE:
            return Kind(kind, FORWARD, "node", layered=False, role="node")
        case [family, result, *by] if family == DERIVATIVE:
            words = "derivative of the result with respect to a node"
            top = f"{NODE}:{result}"
            return Kind(
                kind, BACKWARD, words, layered=False, role="gradient", top=top, by=":".join(by),
                sign="d",
            )  # fmt: skip
        case [family, node, _, *by] if family == LOCAL:
            words = "local derivative"
            return Kind(
                kind, BACKWARD, words, layered=False, role="slope", top=f"{NODE}:{node}",
                by=":".join(by), said="partial derivative",
            )  # fmt: skip
    raise KeyError(kind)
