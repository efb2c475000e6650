"""The parts of a lesson that a reader may change: their names, what the lesson has there, and how a
value is written.

    x[j]  y[i]  w[l][i,j]  b[l][i]           numbers; x and y with @s where there are several
          samples
    learning_rate  loss  reduction           of the whole lesson
    activation[l]  slope[l]  alpha[l]        of a layer; the parameters of its activation

A name is read with the scenario's own checks, so that a message is the same as for a file. A value
is written in one way only (`-0.3`, `2`, `1e-07`), whichever way it was typed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias, get_args

from tutor import number, suggestion
from tutor.engine import quantity
from tutor.engine.network import Array, frozen
from tutor.engine.parameters import PARAMETERS
from tutor.engine.quantity import Quantity
from tutor.errors import NumberError, QuantityError, TutorError
from tutor.lesson.dataset import raw_rows
from tutor.lesson.setup import initial
from tutor.scenario import names
from tutor.scenario.model import ACTIVATIONS, LossName
from tutor.scenario.names import Sizes
from tutor.scenario.problem import quotable
from tutor.scenario.reader import Init, Scenario

NUMBERS: Final = ("x", "y", "w", "b")
WORDS: Final[dict[str, tuple[str, ...]]] = {
    "loss": get_args(LossName),
    "reduction": ("sum", "mean"),
    "activation": ACTIVATIONS,
}
"""What is chosen from a list."""
OF_LAYERS: Final = ("activation", *PARAMETERS)
"""What each layer has of its own; its number stands behind the name."""
KINDS: Final = (*NUMBERS, "learning_rate", "loss", "reduction", *OF_LAYERS)
"""In the order in which they stand in an address."""
_OF_LAYERS = "|".join(OF_LAYERS)
_LAYERED = re.compile(rf"({_OF_LAYERS})\[([1-9][0-9]{{0,2}})\]", re.ASCII)
LOOKS: Final = re.compile(
    rf"\s*(?:[xywb]\[|learning_rate\b|loss\b|reduction\b|(?:{_OF_LAYERS})\[)", re.ASCII
)
"""What is meant as the name of such a part, whether or not there is one."""

ChangedValue: TypeAlias = float | str


class BadChangeError(TutorError, ValueError):
    """A name or a value that makes no sense in a lesson; the text says why."""


@dataclass(frozen=True, slots=True)
class Changeable:
    """One part of a lesson that can be changed. `str(part)` is its name."""

    kind: str
    layer: int = 0
    i: int = 0
    j: int = 0
    sample: int = 0

    def __str__(self) -> str:
        if self.kind in NUMBERS:
            return str(self.quantity)
        return f"{self.kind}[{self.layer}]" if self.layer else self.kind

    @property
    def quantity(self) -> Quantity:
        """The quantity of a number; the learning rate is `eta`."""
        return (
            Quantity("eta")
            if self.kind == "learning_rate"
            else Quantity(self.kind, self.layer, self.i, self.j, self.sample)
        )

    @property
    def place(self) -> tuple[int, ...]:
        """What parts are sorted by."""
        return KINDS.index(self.kind), self.layer, self.sample, self.i, self.j


def part(name: str, scenario: Scenario) -> Changeable:
    """The part of this name. Raises BadChangeError where this lesson has none."""
    if name in {"learning_rate", "loss", "reduction"}:
        return Changeable(name)
    layered = _LAYERED.fullmatch(name)
    if layered:
        layer, count = int(layered[2]), len(scenario.network.layers)
        if layer > count:
            raise BadChangeError(
                f"there is no layer {layer} here: the network has {number.counted(count, 'layer')}"
            )
        return Changeable(layered[1], layer)
    near = meant(name, scenario)
    if near:
        raise BadChangeError(f"there is no {quotable(name)!r} to change; did you mean {near}?")
    refused = names.refusal(name, sizes(scenario))
    if refused:
        raise BadChangeError(refused)
    q = quantity.parse(name)
    if q.kind not in NUMBERS:
        raise BadChangeError(f"{name} is computed; you can change {', '.join(KINDS)}")
    return Changeable(q.kind, q.layer, q.i, q.j, q.sample)


def meant(name: str, scenario: Scenario) -> str:
    """The name of a part of this lesson that is probably meant by one that is none, or ""."""
    if name in OF_LAYERS:
        return f"{name}[1]"
    stem, bracket, rest = name.strip().partition("[")
    if stem in KINDS:
        return ""
    near = f"{suggestion.meant(stem, KINDS)}{bracket}{rest}"
    try:
        return str(part(near, scenario)) if near != name else ""
    except BadChangeError:
        return ""


def sizes(scenario: Scenario) -> Sizes:
    """What names depend on."""
    network = scenario.network
    learns = tuple(network.learns(number) for number in range(1, len(network.layers) + 1))
    return Sizes(network.inputs, network.layers, learns, scenario.data.samples, scenario.training)


def value(scenario: Scenario, at: Changeable) -> ChangedValue:
    """What a lesson has at a part: a number or a word."""
    network = scenario.network
    layer = network.layers[at.layer - 1]
    match at.kind:
        case "x" | "y":
            x, y = raw_rows(scenario.data)
            return float((x if at.kind == "x" else y)[max(at.sample, 1) - 1, at.i - 1])
        case "w" if layer.init is not None:
            return float(
                made(layer.init, layer.units, network.sizes[at.layer - 1])[at.i - 1, at.j - 1]
            )
        case "w":
            return float((layer.weights or ())[at.i - 1][at.j - 1])
        case "b":
            return float((layer.biases or ())[at.i - 1])
        case "learning_rate":
            return float(scenario.training.learning_rate)
        case "loss":
            return str(network.loss.name)
        case "reduction":
            return str(network.loss.reduction)
        case "activation":
            return str(layer.activation)
        case kind:
            given = layer.parameters.get(kind)
            return float(PARAMETERS[kind].default if given is None else given)


@lru_cache(maxsize=8)
def made(init: Init, units: int, inputs: int) -> Array:
    """The weights that a layer's `init` makes, kept, so that reading one of them does not make them
    all again.
    """
    return frozen(initial(init, units, inputs))


def understood(at: Changeable, text: str) -> ChangedValue:
    """What a typed text stands for. Raises BadChangeError."""
    if at.kind in WORDS:
        word = text.strip()
        if word not in WORDS[at.kind]:
            raise BadChangeError(_unknown(word, WORDS[at.kind]))
        return word
    if not text.strip():
        raise BadChangeError("there is no number here; write one like 0.25, -1e-3 or 1/3")
    try:
        found = number.read(text) + 0.0  # no minus zero
    except NumberError as error:
        raise BadChangeError(_quoted(str(error))) from None
    parameter = PARAMETERS.get(at.kind)
    positive = parameter.positive if parameter else at.kind == "learning_rate"
    if positive and not found > 0:
        raise BadChangeError(f"expected a number above 0, got {written(found)}")
    return found


def written(found: ChangedValue) -> str:
    """The one way in which a value stands in an address."""
    if isinstance(found, str):
        return found
    return number.short(found).replace("e+", "e")


def _unknown(word: str, known: tuple[str, ...]) -> str:
    close = suggestion.meant(word, known)
    choose = f"choose one of {', '.join(known)}"
    return f"{quotable(word)!r} is not known; " + (
        f"did you mean {close}? If not, {choose}" if close else choose
    )


def _quoted(text: str) -> str:
    return quotable(text, 200)


def known(name: str) -> bool:
    """Whether a name is written as that of a part or of a quantity is, in whatever lesson."""
    if LOOKS.match(name):
        return True
    try:
        quantity.parse(name)
    except QuantityError:
        return False
    return True
