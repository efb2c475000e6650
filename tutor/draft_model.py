"""A draft: a lesson that is being written, every text exactly as it was typed, right or wrong.

Frozen like everything; `tutor.draft_edit` makes a new draft of an old one. Names of fields are those of the form:
`units[2]`, `w[2][1,3]`, `x[1]@2` (`@s` is left out where there is one sample).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from tutor import limits
from tutor.draft_grid import Grid

MOST_FIELDS: Final = 1_000
"""With more numbers in tables of their own a form is no pleasure; the further ones are texts."""
EMPTY: Final = Grid()
PLAIN: Final = (
    "title", "course", "about", "learn", "inputs", "loss", "reduction", "learning_rate", "optimizer", "batch", "notation",
    "decimals", "origin", "rest", "split",
)  # fmt: skip
"""Fields of the lesson as a whole. `rest` is the text of everything that has no field of its own, `split` says how many
numbers of each line of `rows` were inputs when the form was made."""
PARTS: Final = ("units", "activation", "slope", "alpha", "biases", "fill", "scale", "seed", "trainable")
"""Fields of a layer beside its two tables."""
DEFAULTS: Final = MappingProxyType(
    {"reduction": "mean", "optimizer": "sgd", "batch": "full", "notation": "brackets", "decimals": "4", "loss": "squared_error"}
)
PART_DEFAULTS: Final = MappingProxyType({"activation": "sigmoid", "biases": "on", "fill": "given", "scale": "1", "seed": "0"})
SCHEMES: Final = ("uniform", "normal", "xavier", "he", "constant", "identity")
DROPPABLE: Final = ("printed", "notes", "checks")
"""Parts of `rest` that speak of numbers, and may no longer hold when those change."""


@dataclass(frozen=True, slots=True)
class LayerDraft:
    """One layer as it was typed. `parts` has the texts of PARTS; `weights` has a row per unit, `bias` is one row."""

    parts: Mapping[str, str]
    weights: Grid = EMPTY
    bias: Grid = EMPTY

    def __getitem__(self, name: str) -> str:
        return self.parts.get(name, PART_DEFAULTS.get(name, ""))

    def with_parts(self, **changes: str) -> LayerDraft:
        """The layer with some texts changed."""
        return replace(self, parts=MappingProxyType({**self.parts, **changes}))

    @property
    def given(self) -> bool:
        """Whether the weights are written down, not made by a scheme."""
        return self["fill"] not in SCHEMES

    @property
    def has_biases(self) -> bool:
        return self["biases"] != "none"


@dataclass(frozen=True, slots=True)
class Draft:
    """A lesson that is being written."""

    texts: Mapping[str, str]
    layers: tuple[LayerDraft, ...] = ()
    x: Grid = EMPTY
    y: Grid = EMPTY
    rows: str | None = None
    """The samples as one text, a row per line, inputs and then targets; None where each number has a field."""
    drop: frozenset[str] = frozenset()
    """What of `rest` is to be left out."""
    pastes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """What stands in the fields to paste into: by layer, "data" for the samples."""
    repeated: tuple[str, ...] = ()
    """Fields that came more than once."""
    samples: str = ""
    """The number of samples as it was typed; "" stands for as many as there are."""

    def __getitem__(self, name: str) -> str:
        return self.texts.get(name, DEFAULTS.get(name, ""))

    def with_texts(self, **changes: str) -> Draft:
        """The draft with some texts changed."""
        return replace(self, texts=MappingProxyType({**self.texts, **changes}))

    def with_layer(self, number: int, layer: LayerDraft) -> Draft:
        """The draft with layer `number` (from 1) replaced."""
        return replace(self, layers=(*self.layers[: number - 1], layer, *self.layers[number:]))

    @property
    def widths(self) -> tuple[int, ...]:
        """Inputs and the units of every layer; where a text is no such number, what its table has, at least 1."""
        inputs = count(self["inputs"]) or self.x.columns or 1
        return (inputs, *(count(layer["units"]) or layer.weights.rows or layer.bias.columns or 1 for layer in self.layers))

    @property
    def height(self) -> int:
        """How many samples there are to be; a text with a row per line says so itself."""
        if self.rows is not None:
            return self.x.rows
        return count(self.samples, limits.SAMPLES) or max(self.x.rows, self.y.rows) or 1

    @property
    def output(self) -> str:
        """The activation of the last layer."""
        return self.layers[-1]["activation"] if self.layers else ""


def compact(layers: Iterable[LayerDraft]) -> tuple[LayerDraft, ...]:
    """The layers, those behind the first MOST_FIELDS numbers with their tables as text."""
    found, left = [], MOST_FIELDS
    for layer in layers:
        left -= sum(grid.rows * grid.columns for grid in (layer.weights, layer.bias) if grid.text is None)
        found.append(layer if left >= 0 else replace(layer, weights=_long(layer.weights), bias=_long(layer.bias)))
    return tuple(found)


def _long(grid: Grid) -> Grid:
    return grid.as_text() if grid.cells else grid


def count(text: str, most: int = limits.UNITS) -> int:
    """A whole number from 1 to `most`, else 0."""
    shown = text.strip()
    return int(shown) if shown.isascii() and shown.isdigit() and len(shown) < 6 and 1 <= int(shown) <= most else 0


def frozen_texts(texts: Mapping[str, Any]) -> Mapping[str, str]:
    """Texts that nobody can change."""
    return MappingProxyType({name: str(text) for name, text in texts.items()})
