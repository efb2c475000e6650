"""Which quantities a scenario's lesson has: layers, units and samples in range, and nothing behind
a step function.

Works on the sizes in the file, before any network is built. Quantity names are read by
`tutor.engine.quantity`.
"""

from __future__ import annotations

from dataclasses import dataclass

from tutor.engine import quantity
from tutor.engine.kinds import BACKWARD, STATISTICS, UPDATE, VERIFY
from tutor.engine.quantity import Quantity
from tutor.errors import QuantityError, TutorError
from tutor.number import counted
from tutor.scenario import update
from tutor.scenario.model import FORWARD_ONLY, LayerSpec
from tutor.scenario.update import Learning

PLAIN = Learning()


@dataclass(frozen=True, slots=True)
class Sizes:
    """What names depend on. Layer l is `layers[l - 1]`; `learns[l - 1]` is (weights, biases)."""

    inputs: int
    layers: tuple[LayerSpec, ...]
    learns: tuple[tuple[bool, bool], ...]
    samples: int
    learning: Learning = PLAIN
    scale: str | None = None
    """How the inputs are scaled, if they are."""

    def units(self, layer: int) -> int:
        """The units of a layer; layer 0 is the input."""
        return self.layers[layer - 1].units if layer else self.inputs

    @property
    def flat(self) -> int:
        """The last layer whose activation has no derivative to use, or 0: backward stops there."""
        flats = [
            number
            for number, layer in enumerate(self.layers, 1)
            if layer.activation in FORWARD_ONLY
        ]
        return max(flats, default=0)


def refusal(name: str, sizes: Sizes, *, step: bool = False) -> str:
    """Why this lesson has no quantity of this name, or an empty text where it has.

    With `step` the question is whether one can stand there: at the derivative of a step function
    one can, and is told why backward stops, though it has no number.
    """
    try:
        q = quantity.parse(name)
    except QuantityError as error:
        return str(error)
    if step and q.of.role == "slope" and 0 < q.layer == sizes.flat:
        return ""
    checks = (_scaling, _layer, _indices, _sample, _parameters, _skip, _learning, _derivative)
    found = next(filter(None, (check(q, sizes) for check in checks)), "")
    return f"there is no {name} here: {found}" if found else ""


def expression_refusal(expression: str, sizes: Sizes) -> str:
    """Why an expression cannot be computed in this lesson, or an empty text."""
    # with NumPy, which reading a file without formulas can do without
    from tutor.scenario import arithmetic

    try:
        found = arithmetic.quantities(expression)
    except TutorError as error:
        return str(error)
    return next(filter(None, (refusal(str(q), sizes) for q in found)), "")


def _scaling(q: Quantity, sizes: Sizes) -> str:
    """What only lessons have that scale their inputs."""
    if not q.of.of_inputs or q.kind == "x":
        return ""
    if not sizes.scale:
        return "its inputs are not scaled"
    if q.of.role == "source":
        return f"a file speaks of the samples of an iteration, such as raw[{q.i}]"
    if q.of.feature and q.kind not in STATISTICS[sizes.scale]:
        return f"with scale: {sizes.scale} there are {' and '.join(STATISTICS[sizes.scale])}"
    return ""


def _layer(q: Quantity, sizes: Sizes) -> str:
    if q.layer > len(sizes.layers):
        return f"the network has {counted(len(sizes.layers), 'layer')}"
    return ""


def _indices(q: Quantity, sizes: Sizes) -> str:
    layer = {"x": 0, "y": len(sizes.layers)}.get(q.kind, q.layer)
    if q.i > sizes.units(layer):
        return (
            f"layer {layer} has {counted(sizes.units(layer), 'unit')}"
            if layer
            else f"there are {counted(sizes.inputs, 'input')}"
        )
    if q.of.role == "slope":
        return _jacobian(q, sizes)
    if q.j > sizes.units(max(q.layer - 1, 0)):
        below = sizes.units(q.layer - 1)
        return f"layer {q.layer} has {counted(below, 'input')}"
    return ""


def _jacobian(q: Quantity, sizes: Sizes) -> str:
    layer = sizes.layers[q.layer - 1]
    if q.j and layer.activation != "softmax":
        return (
            f"the units of a {layer.activation} layer do not depend on one another; "
            f"write da/dz[{q.layer}][{q.i}]"
        )
    if not q.j and layer.activation == "softmax":
        return (
            "each output of a softmax depends on every pre-activation; "
            f"write da/dz[{q.layer}][{q.i},1]"
        )
    return f"layer {q.layer} has {counted(layer.units, 'unit')}" if q.j > layer.units else ""


def _sample(q: Quantity, sizes: Sizes) -> str:
    if q.sample > sizes.samples:
        return f"there {'is' if sizes.samples == 1 else 'are'} {counted(sizes.samples, 'sample')}"
    if q.sample and sizes.samples == 1:
        return f"there is one sample, so leave out @{q.sample}"
    if q.of.per_sample and not q.sample and sizes.samples > 1:
        return f"there are {sizes.samples:,} samples; say which one, such as {q}@1"
    return ""


def _parameters(q: Quantity, sizes: Sizes) -> str:
    if not q.of.parameter:
        return ""
    if q.of.biases and sizes.layers[q.layer - 1].biases is None:
        return f"layer {q.layer} has no biases"
    weights, biases = sizes.learns[q.layer - 1]
    if q.of.derivative and not (weights if q.of.weights else biases):
        return f"the {'weights' if q.of.weights else 'biases'} of layer {q.layer} do not learn"
    return ""


def _skip(q: Quantity, sizes: Sizes) -> str:
    if (q.of.before or q.of.by or q.kind) != "r" or sizes.layers[q.layer - 1].skip:
        return ""
    return f"layer {q.layer} has no skip connection; it passes on its activation"


def _learning(q: Quantity, sizes: Sizes) -> str:
    """What only some networks have: dropout, a penalty, clipping, an optimizer's memory."""
    if q.of.dropped:
        dropped = sizes.layers[q.layer - 1].dropout
        return "" if dropped else f"layer {q.layer} has no dropout"
    if not q.of.ruled:
        return ""
    rule = update.rule_of(sizes.learning)
    if rule.has(q.kind):
        if not q.of.by_layer or bool(q.layer) == bool(rule.by_layer):
            return ""
        if q.layer:
            return f"the penalty here is one for all layers; its number is {q.kind}"
        return f"each layer has its own penalty here, such as {q.kind}[1]"
    return f"its training does not have the {q.of.words}"


def _derivative(q: Quantity, sizes: Sizes) -> str:
    ahead = q.of.role == "error" and q.of.by != "z"  # comes before the derivative of the activation
    behind = q.of.phase == BACKWARD and q.layer <= sizes.flat - ahead
    if not (behind or q.of.phase in {UPDATE, VERIFY}):
        return ""
    name = sizes.layers[sizes.flat - 1].activation
    return (
        f"the {name} function of layer {sizes.flat} has no derivative to learn from, "
        "so the backward pass stops there"
        if sizes.flat
        else ""
    )
