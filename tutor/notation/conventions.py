"""Notation: how a lecture writes its quantities. Data, not code: a preset plus overrides.

`Notation` holds the choices; `Alphabet` binds them to the shape of a network and answers what
symbol stands for a quantity or a matrix. Whatever draws, speaks or typesets a symbol asks here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import Any

from tutor.engine.kinds import BIAS, KINDS, WEIGHT, Kind, kind_of
from tutor.engine.network import Network
from tutor.engine.quantity import Quantity
from tutor.engine.tree import (
    Apply,
    ArrayRef,
    LargestOver,
    MatrixProduct,
    Node,
    Product,
    Ref,
    Stable,
    Sum,
    SumOver,
    Transpose,
)
from tutor.errors import LessonError
from tutor.memo import Memo

CHOICES: dict[str, tuple[str, ...]] = {
    "layer_mark": ("brackets", "parentheses", "none"),
    "weight_index": ("from_into", "into_from"),
    "bias": ("w0", "b"),
    "vectors": ("columns", "rows"),
    "sample_mark": ("right", "left"),
    "names": ("same", "letters"),
    "hidden": ("a", "h"),
    "output": ("a", "ŷ", "p"),
    "loss": ("L", "J", "ℒ"),
    "learning_rate": ("η", "α"),
    "update": ("new", "t+1", "assign"),
    "times": ("×", "·"),
    "weights": ("units_by_inputs", "inputs_by_units"),
    "factors": ("weight_first", "input_first"),
}
"""Every choice with its values; the first of `names` writes one letter for all layers, the other
one per role.
"""


@dataclass(frozen=True, slots=True)
class Notation:
    """The choices of one lecture. `CHOICES` lists the values."""

    preset: str
    title: str
    about: str
    layer_mark: str = "brackets"
    weight_index: str = "from_into"
    bias: str = "w0"
    vectors: str = "columns"
    sample_mark: str = "right"
    names: str = "same"
    hidden: str = "a"
    output: str = "ŷ"
    loss: str = "L"
    learning_rate: str = "η"
    update: str = "new"
    times: str = "×"
    weights: str = "units_by_inputs"
    factors: str = "weight_first"

    @property
    def weights_turned(self) -> bool:
        """Whether a weight matrix has one row per input here; the engine has one row per unit."""
        return self.weights == "inputs_by_units"

    @property
    def input_first(self) -> bool:
        return self.factors == "input_first"


PRESETS: dict[str, Notation] = {
    notation.preset: notation
    for notation in (
        Notation(
            "brackets", "Layers in brackets", "z with the layer in brackets, the bias as weight 0"
        ),
        Notation(
            "letters", "A letter for each table",
            "Q, H, Z, P with the weights V and W, samples as rows",
            layer_mark="none", bias="b", vectors="rows", names="letters", output="p",
            update="t+1", weights="inputs_by_units",
        ),
        Notation(
            "parentheses", "Layers in parentheses",
            "W, b and column vectors, the layer in parentheses",
            layer_mark="parentheses", weight_index="into_from", bias="b", sample_mark="left",
            update="assign",
        ),
        Notation(
            "left_superscripts", "Samples on the left",
            "the sample in front of the letter, X·wᵀ + b",
            layer_mark="parentheses", weight_index="into_from", bias="b", vectors="rows",
            sample_mark="left", loss="ℒ", learning_rate="α", update="assign",
            factors="input_first",
        ),
    )
}  # fmt: skip


def notation(preset: str, overrides: Mapping[str, str] | None = None) -> Notation:
    """A preset with its overrides. Raises LessonError that names the unknown and the known."""
    if preset not in PRESETS:
        raise LessonError(f"there is no notation called {preset!r}; there are {', '.join(PRESETS)}")
    for key, value in (overrides or {}).items():
        if key not in CHOICES:
            raise LessonError(f"a notation has no setting {key!r}; it has {', '.join(CHOICES)}")
        if value not in CHOICES[key]:
            raise LessonError(f"{key} can be {', '.join(CHOICES[key])}, not {value!r}")
    return replace(PRESETS[preset], **dict(overrides or {}))


assert {field.name for field in fields(Notation)} == {"preset", "title", "about", *CHOICES}


_LETTERS = {
    "z": ("q", "z"), "a": ("h", "a"), "d": ("d", "d"), "r": ("r", "r"),
    "w": ("v", "w"), "b": ("b", "c"),
}  # fmt: skip
"""Where each role has a letter: that of a hidden layer and that of the output layer."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A letter with its marks: hat, indices below, marks above, and a sample in front of it."""

    letter: str
    sub: str = ""
    sup: tuple[str, ...] = ()
    before: str = ""
    hat: bool = False
    bold: bool = False
    said: tuple[str, ...] = ()
    """What the marks mean, for the spoken text: "of layer 2", "of sample 3", "new"."""
    bar: bool = False
    """Whether it stands for the derivative with respect to it."""


@dataclass(frozen=True, slots=True)
class Alphabet:
    """A notation bound to a network: the symbol of every quantity and matrix of a lesson."""

    notation: Notation
    sizes: tuple[int, ...]
    samples: int = 1
    mean: bool = False
    """Whether the loss of the batch is the mean over the samples, so that each counts with 1/M."""
    penalised: bool = False
    """Whether the loss has a penalty, which the derivatives of the backward pass leave aside."""
    output: str = "a"
    """The kind of the outputs: r behind a skip connection."""
    written: dict[Any, Any] = field(default_factory=Memo, init=False, compare=False, repr=False)
    """What has been written in these symbols already: most of it stands at many steps."""

    @classmethod
    def of(cls, notation: Notation, network: Network, samples: int) -> Alphabet:
        """The alphabet for a network that sees `samples` samples: one for all views of a lesson
        that write it alike.
        """
        output, _ = network.passed(network.depth)
        mean, penalised = network.reduction == "mean", bool(network.rule.penalty)
        return _alphabet(notation, network.sizes, samples, mean, penalised, output)

    @property
    def depth(self) -> int:
        return len(self.sizes) - 1

    def symbol(self, q: Quantity) -> Symbol:
        """The symbol of a number. Derivatives have none: they are drawn as fractions of these."""
        base = q.of.base
        if q.of.letter:
            return self._lettered(q)
        match q.of.role:
            case "loss" if not q.of.shared:
                return Symbol("Δ" + self.notation.loss)
            case "loss":
                return self._marked(Symbol(self.notation.loss), q)
            case "data":
                index = self._unit(self.depth, q.i) if base == "y" else str(q.i)
                return self._marked(Symbol(base, index), q)
            case "parameter":
                return self._parameter(q, base)
            case "unit":
                return self._unit_symbol(q, base)
            case _:
                return Symbol(self.notation.learning_rate)

    def sign(self, kind: str) -> str:
        """With which sign a derivative is written: d or ∂."""
        return kind_of(kind).sign

    def barred(self, kind: str) -> bool:
        """Whether a derivative is written as a bar above what it is with respect to."""
        return False

    def _lettered(self, q: Quantity) -> Symbol:
        """The symbol of a number whose letter is its kind's own; one that belongs to a weight or a
        bias has its indices.
        """
        letter, _, below = q.of.letter.partition("_")
        hat, letter = letter.endswith("^"), letter.removesuffix("^")
        letter = {"L": self.notation.loss, "η": self.notation.learning_rate}.get(letter, letter)
        if q.of.role == "mask":
            return self._marked(Symbol(letter, self._unit(q.layer, q.i), self._layer(q.layer)), q)
        if q.of.role == "knob" and q.layer:
            return self._marked(Symbol(letter, str(q.layer)), q)
        if not q.of.axes and q.layer:
            above = self._layer(q.layer)
            return self._marked(Symbol(letter, below if above else str(q.layer), above), q)
        if not q.of.axes:
            return self._marked(Symbol(letter, below), q)
        if q.of.of_inputs:
            return self._marked(Symbol(letter, str(q.i)), q)
        one = self._parameter(Quantity(q.kind[-1], q.layer, q.i, q.j), q.kind[-1])
        of = one.letter if self.notation.names == "letters" or q.of.biases else ""
        of = "" if q.of.biases and self.notation.bias == "w0" else of
        old = ("old",) if q.of.earlier else ()
        said = (*one.said, *(("before",) if q.of.earlier else ()))
        return Symbol(letter, of + one.sub, (*one.sup, *old), hat=hat, said=said)

    def matrix(self, kind: str, layer: int, sample: int = 0) -> Symbol:
        """The symbol of a matrix (capital) or vector (small), bold; italic capitals where tables
        have letters.
        """
        of = KINDS[kind]
        one = self.symbol(Quantity(kind, layer, 1, 1 if of.weights else 0, sample))
        if not of.axes:
            return self._of_each(one)
        if of.role == "memory":
            return self._memory(of, one, layer)
        if of.of_inputs and of.letter:
            return replace(one, sub="")  # a word, which has no capital and no bold form
        letters = self.notation.names == "letters"
        capital = letters or self._is_matrix(kind, layer)
        letter = one.letter.upper() if capital else one.letter
        if of.biases and self.notation.bias == "w0":
            return replace(one, sub="0", bold=True)
        return replace(one, letter=letter, sub="", bold=not letters)

    def _memory(self, of: Kind, one: Symbol, layer: int) -> Symbol:
        """What an optimizer has for all weights or biases of a layer: its letter with theirs."""
        parameter = self.matrix(of.name[-1], layer)
        return replace(one, sub=parameter.letter + parameter.sub, bold=True)

    def _of_each(self, loss: Symbol) -> Symbol:
        """The loss of every sample: the letter with s in place of its number, so that it is not
        that of the batch.
        """
        said = ("of each sample", *loss.said)
        if self.notation.sample_mark == "left":
            return replace(loss, before="(s)", said=said)
        return replace(loss, sup=("(s)", *loss.sup), said=said)

    def _is_matrix(self, kind: str, layer: int) -> bool:
        if KINDS[kind].biases or KINDS[kind].feature:
            return False
        if KINDS[kind].weights:
            return min(self.sizes[layer], self.sizes[layer - 1]) > 1
        units = self.sizes[self.depth if kind == "y" else layer]
        return self.samples > 1 and units > 1

    def _unit(self, layer: int, i: int) -> str:
        """The index of a unit, left out where it is the only one of its layer."""
        return str(i) if self.sizes[layer] > 1 else ""

    def _unit_symbol(self, q: Quantity, base: str) -> Symbol:
        """z, a or r of a unit under the letters of this notation."""
        n, last = self.notation, q.layer == self.depth
        index = (
            str(q.i) if self.sizes[q.layer] > 1 or (self.depth > 1 and n.names == "same") else ""
        )
        if base == self.output and last and n.output != "a":
            letter, hat = ("y", True) if n.output == "ŷ" else (n.output, False)
            return self._marked(Symbol(letter, self._unit(q.layer, q.i), hat=hat), q)
        if n.names == "letters":
            return self._marked(Symbol(_LETTERS[base][last], index, self._only_if_many(q.layer)), q)
        if base == "a" and n.hidden == "h":
            return self._marked(Symbol("h", index, self._only_if_many(q.layer)), q)
        return self._marked(Symbol(base, index, self._layer(q.layer)), q)

    def _parameter(self, q: Quantity, base: str) -> Symbol:
        n = self.notation
        into, source = self._unit(q.layer, q.i), str(q.j)
        letter = base
        if n.names == "letters":
            letter = _LETTERS[base][q.layer == self.depth]
            layer = self._only_if_many(q.layer)
        else:
            layer = self._layer(q.layer)
        if q.of.biases and n.bias == "w0" and n.names == "same":
            letter = "w"
        elif q.of.biases:
            return self._marked(Symbol(letter, into, layer), q)
        pair = (source, into) if n.weight_index == "from_into" else (into, source)
        comma = "," if any(len(part) > 1 for part in pair) and all(pair) else ""
        return self._marked(Symbol(letter, comma.join(pair), layer), q)

    def _layer(self, layer: int) -> tuple[str, ...]:
        match self.notation.layer_mark:
            case "brackets":
                return (f"[{layer}]",)
            case "parentheses":
                return (f"({layer})",) if self.depth > 1 else ()
            case _:
                return ()

    def _only_if_many(self, layer: int) -> tuple[str, ...]:
        """Letters tell the output from the hidden layer; several hidden layers need a number."""
        return (f"({layer})",) if layer != self.depth and self.depth > 2 else ()

    def _marked(self, symbol: Symbol, q: Quantity) -> Symbol:
        """Add the sample and the mark of what is new after the update."""
        sup, before, said = symbol.sup, "", symbol.said
        if q.layer and symbol.sup:
            said = (*said, f"of layer {q.layer}")
        if q.sample:
            said = (*said, f"of sample {q.sample}")
        if q.sample and self.notation.sample_mark == "left":
            before = f"({q.sample})"
        elif q.sample:
            sup = (*sup, f"({q.sample})")
        if q.of.again:
            sup = (*sup, "(t+1)" if self.notation.update == "t+1" else "new")
            said = (*said, "after the update")
        return Symbol(symbol.letter, symbol.sub, sup, before, symbol.hat, symbol.bold, said)


@lru_cache(32)
def _alphabet(
    notation: Notation,
    sizes: tuple[int, ...],
    samples: int,
    mean: bool,
    penalised: bool,
    output: str,
) -> Alphabet:
    return Alphabet(notation, sizes, samples, mean, penalised, output)


# ---- Turn a tree the way a lecture writes it ----
#
# Rows or columns, bias first or last, weight before input or behind. The engine has one
# orientation: data has one row per sample, weights one row per unit. A lecture with column vectors
# writes Z = W·A + b where the engine computes Z = A·Wᵀ + b; transposing the whole tree and taking
# each leaf the lecture's way round gives the lecture's formula, and its value stays the engine's.


def flipped(kind: str, notation: Notation) -> bool:
    """Whether this lecture writes the matrices of a kind the other way round than the engine."""
    return notation.weights_turned if KINDS[kind].weights else notation.vectors == "columns"


def left_side(kind: str, notation: Notation) -> tuple[str, str]:
    """The kind left of the equals sign, and that sign.

    A lecture that assigns (w := w − …) has the old one there.
    """
    of = KINDS[kind]
    if of.again and of.parameter and notation.update == "assign":
        return of.before, ":="
    return kind, "="


def turned(leaf: ArrayRef, notation: Notation) -> ArrayRef:
    """A matrix the way the lecture writes it."""
    return replace(leaf, flipped=flipped(leaf.kind, notation))


def oriented(tree: Node, notation: Notation, transpose: bool) -> Node:
    """The tree in the lecture's orientation, its value the engine's, transposed if `transpose`."""
    match tree:
        case ArrayRef():
            shown = turned(tree, notation)
            return shown if shown.flipped == transpose else Transpose(shown)
        case Transpose():
            return oriented(tree.of, notation, not transpose)
        case MatrixProduct() if transpose:
            return MatrixProduct(
                tuple(oriented(term, notation, True) for term in reversed(tree.terms))
            )
        case SumOver() | LargestOver():
            axis = 1 - tree.axis if transpose else tree.axis
            return replace(tree, of=oriented(tree.of, notation, transpose), axis=axis)
        case Apply():
            return replace(tree, of=oriented(tree.of, notation, transpose), turned=transpose)
        case Stable():
            return replace(
                tree,
                shown=oriented(tree.shown, notation, transpose),
                exact=oriented(tree.exact, notation, transpose),
            )
        case _:
            return tree.rebuild(
                tuple(oriented(child, notation, transpose) for child in tree.children)
            )


def arranged(tree: Node, notation: Notation) -> Node:
    """A pre-activation's sum with its bias and its factors in the lecture's order."""
    if not isinstance(tree, Sum | Product):
        return tree
    if isinstance(tree, Product):
        return _factors(tree, notation)
    terms = tuple(
        _factors(term, notation) if isinstance(term, Product) else term for term in tree.terms
    )
    if notation.bias == "w0" and _role(terms[-1]) == BIAS:
        terms = (terms[-1], *terms[:-1])
    return Sum(terms)


def _factors(tree: Product, notation: Notation) -> Product:
    """w·a, or x·w where the lecture writes the input first."""
    first, *rest = tree.terms
    if (
        notation.input_first
        and len(rest) == 1
        and _role(first) == WEIGHT
        and isinstance(rest[0], Ref)
    ):
        return Product((rest[0], first))
    return tree


def _role(node: Node) -> tuple[str, ...]:
    """The axes of a parameter, which tell weights from biases; nothing for other nodes."""
    return (
        node.quantity.of.axes
        if isinstance(node, Ref) and node.quantity.of.role == "parameter"
        else ()
    )
