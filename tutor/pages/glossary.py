"""Every technical term of the tutor, with its symbol and what it means.

What a term means is written once: the terms that a step explains are those of
`tutor.lesson.explain`, functions and losses speak for themselves, and all others stand here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from tutor.engine.activations import NAMES, activation
from tutor.engine.losses import LOSSES
from tutor.engine.quantity import Quantity, parse
from tutor.engine.tree import Apply, Ref
from tutor.lesson.explain import TERMS
from tutor.lesson.titles import capital
from tutor.notation.conventions import Alphabet, notation
from tutor.notation.markup import Markup
from tutor.notation.mathml import Line
from tutor.notation.writer import SYMBOLS

OTHERS = {
    "activation function": (
        "The function that a unit applies to its pre-activation, such as sigmoid, tanh or ReLU. "
        "Without one between them, several layers could do no more than a single layer."
    ),
    "backward pass": (
        "The second half of an iteration: from the loss back to the inputs, layer by layer, it "
        "computes the derivative of the loss with respect to every weight and bias."
    ),
    "batch": (
        "The samples that one iteration uses together. The loss of the batch is the mean or the "
        "sum of their losses."
    ),
    "bias": (
        "A number that a unit adds to its weighted sum. It shifts the point at which the unit "
        "responds, whatever its inputs are; training changes it."
    ),
    "chain rule": (
        "The rule for the derivative of one function inside another: multiply the derivatives "
        "along the path. If there are several paths, add the products."
    ),
    "computation graph": (
        "A formula as a drawing: a node for each operation, an edge for each number that goes "
        "into it. Values go forward along the edges, derivatives backward."
    ),
    "epoch": (
        "One round through all training samples. With the whole data set as one batch, an epoch "
        "is one iteration."
    ),
    "exploding gradient": (
        "A gradient that grows from layer to layer on the way back, because large weights and "
        "slopes are multiplied. The updates become too large to help."
    ),
    "forward accumulation": (
        "The chain rule from the inputs to the result. One walk gives the derivatives of every "
        "node with respect to one input, so each further input costs a walk of its own."
    ),
    "forward pass": (
        "The first half of an iteration: from the inputs to the outputs, layer by layer, it "
        "computes every pre-activation and activation, and then the loss."
    ),
    "gradient descent": (
        "The way the network learns: compute the gradient of the loss, take a small step against "
        "it, and repeat."
    ),
    "input": "A number of a sample that the network starts from. Inputs are given, not learned.",
    "iteration": (
        "One round of training: forward pass, loss, backward pass, update. The next one starts "
        "with the new weights and biases."
    ),
    "Jacobian": (
        "The table of all derivatives of several outputs with respect to several inputs: one row "
        "for each output, one column for each input. Softmax needs it, because each probability "
        "depends on every logit."
    ),
    "layer": (
        "Units side by side that take in the same numbers. What one layer passes on is the input "
        "of the next; the last one is the output layer."
    ),
    "logits": (
        "The pre-activations of a softmax or sigmoid output: any numbers, before they become "
        "probabilities."
    ),
    "one-hot": "A target that is 1 for the right class and 0 for all others.",
    "output": (
        "An activation of the last layer, the network’s answer. The loss compares it with the "
        "target."
    ),
    "parameter": "A number that training can change: a weight or a bias.",
    "path": (
        "One route from a weight or bias through the network to the loss. Its local derivatives "
        "are multiplied; the products of all paths are added."
    ),
    "reverse accumulation": (
        "The chain rule from the result back to the inputs. One walk gives the derivatives of one "
        "result with respect to all inputs, which is why networks are trained this way."
    ),
    "sample": "One example of the data: the inputs, with the targets that belong to them.",
    "saturated": (
        "A unit is saturated where its activation function is almost flat. Its slope is close "
        "to 0 there, so hardly any gradient gets through."
    ),
    "slope": (
        "The local derivative of an activation function: how much the activation changes when the "
        "pre-activation changes a little."
    ),
    "target": "The answer that a sample asks for. The loss measures how far the output is from it.",
    "unit": (
        "The smallest part of a network, also called a neuron: it computes a weighted sum of its "
        "inputs and applies its activation function."
    ),
    "update": (
        "The step that changes the parameters: from every weight and bias, subtract learning rate "
        "× gradient."
    ),
    "vanishing gradient": (
        "A gradient that shrinks from layer to layer on the way back, because small slopes are "
        "multiplied. The first layers then hardly learn."
    ),
    "weight": (
        "The number by which a unit multiplies one of its inputs: how strongly that input counts, "
        "and in which direction. Training changes it."
    ),
}  # fmt: skip
"""The terms that no step explains."""

_QUANTITIES = {
    "activation": "a[1][1]", "bias": "b[1][1]", "derivative": "dL/da[1][1]",
    "error signal": "dL/dz[1][1]", "gradient": "dL/dw[1][1,1]", "input": "x[1]",
    "learning rate": "eta", "local derivative": "da/dz[1][1]", "loss": "loss",
    "pre-activation": "z[1][1]", "slope": "da/dz[1][1]", "skip connection": "r[1][1]",
    "target": "y[1]", "weight": "w[1][1,1]",
}  # fmt: skip
"""The quantities whose symbols belong to a term."""
_READ = {
    "derivative": "Read ∂L/∂a as “the derivative of L with respect to a”.",
}
"""How a symbol is read, behind the meaning of its term."""
_LINE = Line(Alphabet(notation("parentheses", {"output": "a"}), (1, 1)), decimals=0)


@dataclass(frozen=True, slots=True)
class Entry:
    """A term with its meaning in a sentence or two."""

    word: str
    meaning: str
    symbol: Markup | str = ""
    curve: str = ""
    """Where the function of this name is drawn."""

    @property
    def anchor(self) -> str:
        return anchor(self.word)


@dataclass(frozen=True, slots=True)
class GlossaryPage:
    """All terms, in alphabetical order."""

    entries: tuple[Entry, ...]


def anchor(word: str) -> str:
    """Where a term stands on the page."""
    return word.lower().replace(" ", "-")


def address(word: str) -> str:
    """The address of a term."""
    return f"/glossary#{anchor(word)}"


@cache
def page() -> GlossaryPage:
    """The page."""
    entries = [
        *(_entry(word, f"{capital(meaning)}.") for word, meaning in TERMS.values()),
        *(_entry(word, meaning) for word, meaning in OTHERS.items()),
        *map(_function, NAMES),
        *(Entry(capital(loss.title), loss.about) for loss in LOSSES.values()),
    ]
    return GlossaryPage(tuple(sorted(entries, key=lambda entry: entry.word.lower())))


def _entry(word: str, meaning: str) -> Entry:
    name = _QUANTITIES.get(word)
    symbol = _LINE.quantity(parse(name)) if name else ""
    return Entry(capital(word), " ".join(filter(None, (meaning, _READ.get(word)))), symbol)


def _function(name: str) -> Entry:
    rule = activation(name)
    symbol = _LINE.tree(Apply(Ref(Quantity("z", 1, 1)), rule.function), SYMBOLS)
    return Entry(rule.title, rule.about, symbol, f"/activations#{name}")
