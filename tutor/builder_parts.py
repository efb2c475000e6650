"""The parts that the page of the form is made of, as its template finds them."""

from __future__ import annotations

from dataclasses import dataclass

from tutor.builder_tables import NumberTable


@dataclass(frozen=True, slots=True)
class Field:
    """One field with its text. `kind` is text, whole (a count), number or lines."""

    name: str
    label: str
    text: str
    problem: str
    kind: str = "text"
    hint: str = ""
    only: str = ""
    """The activation that this field belongs to; with another one it is shown only while something stands in it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A field with a list to choose from: (value, text, chosen, can be chosen)."""

    name: str
    label: str
    options: tuple[tuple[str, str, bool, bool], ...]
    problem: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Paste:
    """A field for text from a spreadsheet; `action` is what its button does."""

    field: Field
    action: str
    open: bool


@dataclass(frozen=True, slots=True)
class LayerForm:
    """One layer: its fields, its table, and what can be done with it."""

    n: int
    title: str
    units: Field
    activation: Choice
    parameters: tuple[Field, ...]
    biases: Choice
    table: NumberTable
    long: tuple[Field, ...]
    """Tables that are one text, a row per line."""
    fill: Choice
    scale: Field
    seed: Field
    paste: Paste
    note: str
    hidden: tuple[tuple[str, str], ...]
    actions: tuple[tuple[str, str], ...]
    """(action, text) of the buttons that move or remove it."""

    @property
    def anchor(self) -> str:
        """Where the page goes on after a button of this layer."""
        return f"layer-{self.n}"


@dataclass(frozen=True, slots=True)
class SampleForm:
    """The samples as one table, inputs and then targets."""

    count: Field | None
    table: NumberTable
    long: Field | None
    paste: Paste


@dataclass(frozen=True, slots=True)
class Keeping:
    """What came with the lesson and has no field: (value, text, dropped)."""

    parts: tuple[tuple[str, str, bool], ...]
    others: str
    problem: str
