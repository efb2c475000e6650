"""The form below a step in which every given number, the loss and the activations can be changed. It works without a script.

    what_if_form(context, n) -> WhatIfForm                 with what the lesson has now
    what_if_form(context, n, typed, problems)              with what was typed, and a problem beside its field

Of a network with more than sixty given numbers the form asks for a name and a value instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tutor.change_names import OWNERS, WORDS, Part, value, written
from tutor.changes import Change, listed
from tutor.context import Context
from tutor.markup import Markup
from tutor.mathml import Line
from tutor.what_if import in_words, shown, symbol

MOST_FIELDS = 60
SIZE, LONGEST = 6, 24
"""Characters of an input, and of one with a long number."""
NAME, VALUE = "name", "value"
"""The two fields for a network with more numbers than a form can show."""
TITLES = {"learning_rate": "Learning rate", "loss": "Loss", "reduction": "Loss of a batch", "activation": "Activation of layer {}",
          "slope": "Slope of layer {}", "alpha": "Alpha of layer {}", NAME: "Which number", VALUE: "Its new value"}  # fmt: skip
WORDING = {"sum": "sum over samples", "mean": "mean over samples"}
NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Field:
    """One input. `group` names inputs that only make sense together, such as the targets of a sample that sum to 1."""

    name: str
    id: str
    label: str
    text: str
    was: str
    problem: str
    group: str = ""
    symbol: Markup | str = ""
    """How the lesson writes what the field is for."""

    @property
    def size(self) -> int:
        """Characters that are seen at once: all of a number with many digits."""
        return min(max(len(self.text), SIZE), LONGEST)


@dataclass(frozen=True, slots=True)
class Choice:
    """One list to choose from: (value, text, chosen)."""

    name: str
    id: str
    label: str
    options: tuple[tuple[str, str, bool], ...]
    was: str
    problem: str


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A row of inputs with what it is called."""

    header: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class FieldTable:
    """The numbers of one matrix."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[FieldRow, ...]


@dataclass(frozen=True, slots=True)
class WhatIfForm:
    """The form. It is open where something is wrong in it."""

    action: str
    open: bool
    tables: tuple[FieldTable, ...]
    fields: tuple[Field, ...]
    """Learning rate, slopes, or the name and the value."""
    choices: tuple[Choice, ...]
    before: str
    """Which numbers these are, where a later iteration is shown."""
    problem: str
    """What is wrong with all of it."""
    own: str
    """The builder with these numbers, for a lesson of one's own."""


def what_if_form(context: Context, n: int, typed: Mapping[str, str] = NOTHING, problems: Mapping[str, str] = NOTHING) -> WhatIfForm:
    """The form at step n."""
    maker = _Maker(context, typed, dict(problems))
    small = given_numbers(context) <= MOST_FIELDS
    tables = tuple(maker.tables()) if small else ()
    fields, choices = tuple(maker.fields(single=not small)), tuple(maker.choices())
    rest = " ".join(maker.problems.values())
    own = replace(context.view, embedded=False).edit(context.source.id)
    return WhatIfForm(
        action(context, n), bool(problems), tables, fields, choices, before(context), rest, own
    )


def action(context: Context, n: int) -> str:
    """Where the form of step n is sent."""
    return replace(context.view, embedded=False).address(context.source.id, f"{n}/change")


def before(context: Context) -> str:
    """Which numbers the form has, where the page shows a later iteration."""
    return "These are the numbers that iteration 1 starts from." if context.lesson.iteration > 1 else ""


def given_numbers(context: Context) -> int:
    """Inputs, targets, weights and biases."""
    trace = context.trace
    return int(trace.x.size + trace.y.size) + trace.network.parameters


class _Maker:
    """Makes the fields of one form; `problems` are taken out as they find their field."""

    def __init__(self, context: Context, typed: Mapping[str, str], problems: dict[str, str]) -> None:
        self.scenario, self.source = context.lesson.scenario, context.source
        self.typed, self.problems = typed, problems
        self.changed: dict[str, Change] = {change.name: change for change in listed(context.source, context.view.changes)}
        self.samples = context.trace.samples
        self.line = Line(context.alphabet, context.decimals)

    def tables(self) -> Iterator[FieldTable]:
        """All given numbers, matrix by matrix."""
        sizes = self.scenario.network.sizes
        yield self._data("Inputs", "x", sizes[0])
        for number, layer in enumerate(self.scenario.network.layers, 1):
            columns = tuple(f"from {'input' if number == 1 else 'unit'} {j}" for j in range(1, sizes[number - 1] + 1))
            yield self._table(f"Weights of layer {number}", "w", number, columns, layer.units)
            if layer.biases is not None:
                yield self._table(f"Biases of layer {number}", "b", number, ("bias",), layer.units)
        yield self._data("Targets", "y", sizes[-1])

    def _data(self, caption: str, kind: str, width: int) -> FieldTable:
        many = self.samples > 1
        columns = tuple(f"{'input' if kind == 'x' else 'target'} {i}" for i in range(1, width + 1))
        together = kind == "y" and self.scenario.loss.name == "cross_entropy"
        rows = tuple(
            FieldRow(
                f"sample {s}" if many else "value",
                tuple(self.field(Part(kind, 0, i, 0, s if many else 0), group=f"y@{s}" if together else "") for i in range(1, width + 1)),
            )
            for s in range(1, self.samples + 1)
        )
        return FieldTable(caption, columns, rows)

    def _table(self, caption: str, kind: str, layer: int, columns: tuple[str, ...], units: int) -> FieldTable:
        def row(i: int) -> tuple[Field, ...]:
            return tuple(self.field(Part(kind, layer, i, j if kind == "w" else 0)) for j in range(1, len(columns) + 1))

        rows = tuple(FieldRow(f"unit {i}", row(i)) for i in range(1, units + 1))
        return FieldTable(caption, columns, rows)

    def fields(self, *, single: bool) -> Iterator[Field]:
        """The numbers that stand in no table."""
        if single:
            for name in (NAME, VALUE):
                yield Field(name, f"if-{name}", TITLES[name], self.typed.get(name, ""), "", self.problems.pop(name, ""))
        yield self.field(Part("learning_rate"))
        for number, layer in enumerate(self.scenario.network.layers, 1):
            for kind, owner in OWNERS.items():
                if layer.activation == owner or f"{kind}[{number}]" in self.typed:
                    yield self.field(Part(kind, number))

    def field(self, at: Part, group: str = "") -> Field:
        name = str(at)
        label = TITLES[at.kind].format(at.layer) if at.kind in TITLES else name
        text = self.typed.get(name, written(value(self.scenario, at)))
        sign = "" if at.kind in OWNERS else symbol(self.line, at)
        return Field(name, f"if-{name}", label, text, self._was(name), self.problems.pop(name, ""), group, sign)

    def choices(self) -> Iterator[Choice]:
        """Loss, reduction and the activation of every layer."""
        for at in (Part("loss"), Part("reduction"), *(Part("activation", n) for n in range(1, len(self.scenario.network.layers) + 1))):
            name = str(at)
            chosen = self.typed.get(name, str(value(self.scenario, at)))
            options = tuple((word, WORDING.get(word) or in_words(word), word == chosen) for word in WORDS[at.kind])
            yield Choice(name, f"if-{name}", TITLES[at.kind].format(at.layer), options, self._was(name), self.problems.pop(name, ""))

    def _was(self, name: str) -> str:
        """The lesson's own value of what is changed."""
        return shown(self.changed[name])[0] if name in self.changed else ""
