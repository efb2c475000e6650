"""The parts of a lesson that a reader may change: their names, what the lesson has there, and how a
value is written.

    x[j]  y[i]  w[l][i,j]  b[l][i]           numbers; x and y with @s where there are several
          samples
    learning_rate  loss  reduction           of the whole lesson
    batch  shuffle                           samples of an update: full, online, or how many; the
                                             seed of their order, or none
    data_seed  seed[l]                       of made samples, and of a layer's made weights
    optimizer  schedule  penalty  clipping   how it learns; each with its numbers:
    momentum  beta1  every  factor  l2  clip …
    activation[l]  slope[l]  alpha[l]        of a layer; the parameters of its activation
    l2[l]                                    of a layer, where each has its own penalty
    dropout[l]                               of a hidden layer: the share that is dropped

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
from tutor.engine.parameters import PARAMETERS, Parameter
from tutor.engine.quantity import Quantity
from tutor.errors import NumberError, QuantityError, TutorError
from tutor.lesson.dataset import raw_rows
from tutor.lesson.setup import initial
from tutor.scenario import checks, knobs, names
from tutor.scenario.knobs import CHOICES, KNOBS, NONE, TrainingNumber
from tutor.scenario.model import ACTIVATIONS, MOST_SEED, LossName
from tutor.scenario.names import Sizes
from tutor.scenario.problem import quotable
from tutor.scenario.reader import Init, Scenario

NUMBERS: Final = ("x", "y", "w", "b")
WORDS: Final[dict[str, tuple[str, ...]]] = {
    "loss": get_args(LossName),
    "reduction": ("sum", "mean"),
    "activation": ACTIVATIONS,
    **CHOICES,
}
"""What is chosen from a list."""
FULL, ONLINE = "full", "online"
SEEDS: Final = frozenset({"shuffle", "data_seed", "seed"})
"""What decides other numbers: the order of the samples, the samples, the weights of a layer."""
TEXTS: Final = frozenset({*WORDS, *SEEDS, "batch"})
"""What is no number, or not only one."""
OF_LAYERS: Final = ("activation", *PARAMETERS, "dropout", "seed", "l2")
"""What each layer has of its own; its number stands behind the name."""
_FIRST: Final = ("learning_rate", "batch", "shuffle", "data_seed", "loss", "reduction")
WHOLE: Final = (*_FIRST, *CHOICES, *KNOBS)
"""What the lesson has as a whole."""
KINDS: Final = tuple(dict.fromkeys((*NUMBERS, *_FIRST, *OF_LAYERS, *CHOICES, *KNOBS)))
"""In the order in which they stand in an address; `alpha` is of a layer and of an optimizer."""
_OF_LAYERS = "|".join(OF_LAYERS)
_LAYERED = re.compile(rf"({_OF_LAYERS})\[([1-9][0-9]{{0,2}})\]", re.ASCII)
LOOKS: Final = re.compile(rf"\s*(?:[xywb]\[|(?:{'|'.join(WHOLE)})\b|(?:{_OF_LAYERS})\[)", re.ASCII)
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
        if self.knob:
            return Quantity(self.knob.knob.name)
        if self.kind == "learning_rate":
            return Quantity("eta")
        return Quantity(self.kind, self.layer, self.i, self.j, self.sample)

    @property
    def knob(self) -> TrainingNumber | None:
        """The number of training that it is, if it is one."""
        return None if self.layer else KNOBS.get(self.kind)

    @property
    def parameter(self) -> Parameter | None:
        """The parameter of an activation that it is, if it is one."""
        return PARAMETERS.get(self.kind) if self.layer else None

    @property
    def place(self) -> tuple[int, ...]:
        """What parts are sorted by."""
        rank = list(KNOBS).index(self.kind) + len(KINDS) if self.knob else KINDS.index(self.kind)
        return rank, self.layer, self.sample, self.i, self.j


def part(name: str, scenario: Scenario) -> Changeable:
    """The part of this name. Raises BadChangeError where this lesson has none."""
    each = penalties(scenario)
    if name == "l2" and each:
        raise BadChangeError(f"each layer has its own penalty here: l2[1] to l2[{len(each)}]")
    if name in WHOLE:
        if name == "data_seed" and scenario.data.generator is None:
            raise BadChangeError("the samples of this lesson are written down, not made by a seed")
        return Changeable(name)
    layered = _LAYERED.fullmatch(name)
    if layered:
        layer, count = int(layered[2]), len(scenario.network.layers)
        if layer > count:
            raise BadChangeError(
                f"there is no layer {layer} here: the network has {number.counted(count, 'layer')}"
            )
        if layered[1] == "dropout" and layer == count:
            raise BadChangeError(checks.OUTPUT_DROPOUT)
        if layered[1] == "l2" and not each:
            raise BadChangeError("the penalty here is one for all layers; its number is l2")
        if layered[1] == "seed" and scenario.network.layers[layer - 1].init is None:
            raise BadChangeError(
                f"the weights of layer {layer} are written down, not made by a seed"
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
        given = ", ".join(NUMBERS)
        raise BadChangeError(
            f"{name} is computed; you can change {given}, and settings such as learning_rate"
        )
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
    data = scenario.data
    return Sizes(
        network.inputs, network.layers, learns, data.samples, scenario.training, data.scale
    )


def value(scenario: Scenario, at: Changeable) -> ChangedValue:
    """What a lesson has at a part: a number or a word."""
    network = scenario.network
    if at.knob:
        return knobs.number(scenario.training, at.kind)
    if at.kind in {*CHOICES, *SEEDS}:
        return _word(scenario, at)
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
        case "batch":
            return batch_word(scenario, scenario.batch)
        case "loss" | "reduction" as kind:
            return str(network.loss.name if kind == "loss" else network.loss.reduction)
        case "activation":
            return str(layer.activation)
        case "dropout" | "l2" as kind:
            return float(layer.dropout if kind == "dropout" else penalties(scenario)[at.layer - 1])
        case kind:
            given = layer.parameters.get(kind)
            return float(PARAMETERS[kind].default if given is None else given)


def penalties(scenario: Scenario) -> tuple[float, ...]:
    """The weight of the penalty of each layer, where each has its own."""
    return scenario.training.l2.by_layer if scenario.training.l2 else ()


def _word(scenario: Scenario, at: Changeable) -> str:
    """What a lesson has for a choice of how it learns or for a seed; none where it has no use for
    it.
    """
    if at.kind in CHOICES:
        return knobs.chosen(scenario.training)[at.kind]
    init = scenario.network.layers[at.layer - 1].init if at.layer else None
    found = {
        "shuffle": scenario.training.shuffle, "data_seed": scenario.data.generator, "seed": init,
    }[at.kind]  # fmt: skip
    return NONE if found is None else str(found.seed)


@lru_cache(maxsize=8)
def made(init: Init, units: int, inputs: int) -> Array:
    """The weights that a layer's `init` makes, kept, so that reading one of them does not make them
    all again.
    """
    return frozen(initial(init, units, inputs))


def batch_word(scenario: Scenario, size: int) -> str:
    """The one way to write the size of a batch: `full`, `online`, or how many samples it has."""
    return {1: ONLINE, scenario.data.training_samples: FULL}.get(size, str(size))


def understood(at: Changeable, text: str, scenario: Scenario) -> ChangedValue:
    """What a typed text stands for. Raises BadChangeError."""
    if at.kind == "batch":
        return batch_of(text, scenario)
    if at.kind in SEEDS:
        return _seed_of(at.kind, text.strip())
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
    refused = _refusal(at, found)
    if refused:
        raise BadChangeError(refused)
    return found


def batch_of(text: str, scenario: Scenario) -> str:
    """The size of a batch that is typed. Raises BadChangeError."""
    word, most = text.strip().lower(), scenario.data.training_samples
    if word in {FULL, ONLINE}:
        return batch_word(scenario, 1 if word == ONLINE else most)
    size = number.whole(word.replace(",", ""), 1, most)
    if size is not None:
        return batch_word(scenario, size)
    sizes = f"{FULL}, {ONLINE} or a whole number of samples from 1 to {most:,}"
    only = f"{FULL}, for there is one sample"
    raise BadChangeError(f"expected {sizes if most > 1 else only}; got {quotable(word, 20)!r}")


def _seed_of(kind: str, text: str) -> str:
    """A seed that is typed; a shuffle may have none."""
    if kind == "shuffle" and text == NONE:
        return NONE
    seed = number.whole(text, 0, MOST_SEED)
    if seed is not None:
        return str(seed)
    start = f"{NONE} or " if kind == "shuffle" else ""
    raise BadChangeError(
        f"expected {start}a whole number from 0 to {MOST_SEED:,}, got {quotable(text, 20)!r}"
    )


def _refusal(at: Changeable, found: float) -> str:
    if at.knob:
        return knobs.refusal(at.kind, found)
    if at.kind == "l2" and found < 0:
        return f"expected a number of at least 0, got {written(found)}"
    if at.kind == "dropout" and not 0 <= found < 1:
        bounds = "expected a number of at least 0 and below 1"
        return f"{bounds}, got {written(found)}; it is the share that is dropped"
    positive = at.parameter.positive if at.parameter else at.kind == "learning_rate"
    return f"expected a number above 0, got {written(found)}" if positive and found <= 0 else ""


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
        # many call the learning rate itself lr
        return quantity.parse(name).of.role != "rate"
    except QuantityError:
        return False
