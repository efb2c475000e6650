"""What a reader changed, told on a page: old and new value of each part, and the links that take it
back.

    changed(context, n) -> Changed | None      at step n, or on a page beside the steps where n is
                                               None
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from tutor import number
from tutor.engine.kinds import KINDS
from tutor.engine.losses import LOSSES
from tutor.engine.parameters import PARAMETERS
from tutor.engine.quantity import Quantity
from tutor.errors import LessonError
from tutor.lesson.changeable import (
    NUMBERS,
    SEEDS,
    TEXTS,
    WORDS,
    Changeable,
    part,
    value,
    written,
)
from tutor.lesson.changes import AnyChange, Change, Changes, listed, structural, without
from tutor.lesson.titles import capital, enumerated
from tutor.lesson.walk import Walk
from tutor.notation.markup import Markup
from tutor.notation.mathml import Line
from tutor.notation.speech import Words
from tutor.pages.context import Context
from tutor.scenario.knobs import CHOICES, KNOBS, chosen, title
from tutor.scenario.reader import AnyScenario

DECIMALS = 6
"""Of old and new values, where that is enough to tell them apart."""
ABOUT = "The description below is about the lesson’s own numbers."


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """One change, with the address of the same place without it."""

    symbol: Markup | str
    old: str
    new: str
    reset: str


@dataclass(frozen=True, slots=True)
class Changed:
    """All changes of a view. `left_out` says which parts of the lesson spoke of its own numbers and
    are not shown.
    """

    rows: tuple[ChangedRow, ...]
    reset_all: str
    left_out: str


def changed(context: Context, n: int | None) -> Changed | None:
    """What is changed, or None."""
    line = Line(context.alphabet, context.decimals)
    now = context.view.changes
    rows = (
        (symbol(line, change.part), *old_and_new(change), without(now, change.name))
        for change in context.lesson.changes
    )
    return told(context.source, rows, partial(_address, context, n))


def told(
    source: AnyScenario,
    rows: Iterable[tuple[Markup | str, str, str, Changes]],
    address: Callable[[Changes], str],
) -> Changed | None:
    """Changes as (symbol, old, new, the changes without it), each with its way back; None where
    there are none. `address` is that of the same place with other changes.
    """
    found = tuple(ChangedRow(*row[:3], address(row[3])) for row in rows)
    return Changed(found, address(()), left_out(source)) if found else None


def above_description(found: Changed | None) -> Changed | None:
    """The same on a lesson's first page, above words that speak of the lesson's own numbers."""
    if found is None:
        return None
    return replace(found, left_out=f"{found.left_out} {ABOUT}".lstrip())


def marked(context: Context) -> dict[Quantity, str]:
    """The changed numbers with their old values, as the diagram marks them."""
    # later weights are computed
    kinds = {"x", "y", "w", "b"} if context.lesson.iteration == 1 else {"x", "y"}
    scaled = context.source.data.scale is not None
    if scaled and not context.trace.statistics:
        kinds -= {"x"}  # the changed number is not the one that the network sees
    return {
        (q._replace(kind="raw") if scaled and q.kind == "x" else q): old_and_new(change)[0]
        for change in context.lesson.changes
        if change.part.kind in kinds
        and (q := context.lesson.in_trace(change.part.quantity)) is not None
    }


def left_out(scenario: AnyScenario) -> str:
    """What of a lesson speaks of its own numbers only."""
    parts = [
        ("the numbers on the slides", scenario.printed),
        ("the notes", scenario.notes),
        ("the closed forms", scenario.checks),
    ]
    found = [text for text, there in parts if there]
    if not found:
        return ""
    names = capital(enumerated(found))
    return f"{names} belong to the lesson’s own numbers, so they are not shown here."


def symbol(line: Line, part: Changeable) -> Markup | str:
    """A part as a reader knows it: the symbol of a number, else words."""
    if part.kind in NUMBERS or part.kind == "learning_rate":
        return line.quantity(part.quantity)
    if part.knob:
        return part.knob.words
    if part.kind in SEED_OF:
        return SEED_OF[part.kind]
    return (
        f"{part.kind} of layer {part.layer}"
        if part.layer
        else "reduction of the loss"
        if part.kind == "reduction"
        else part.kind
    )


def numbers_apart(change: AnyChange) -> tuple[str, str]:
    """The same of two numbers, with as many decimals as tell them apart."""
    old, new = float(change.old), float(change.new)
    return number.apart(old, new, DECIMALS), number.apart(new, old, DECIMALS)


def old_and_new(change: Change) -> tuple[str, str]:
    """(old, new) as a page shows them."""
    kind = change.part.kind
    if kind in TEXTS:
        return choice_in_words(kind, change.old), choice_in_words(kind, change.new)
    return numbers_apart(change)


def choice_in_words(kind: str, word: str) -> str:
    """What one of the words of a choice is called on a page."""
    return title(kind, word) if kind in CHOICES else in_words(word)


def in_words(name: str) -> str:
    """What a loss or an activation is called on a page."""
    return LOSSES[name].title if name in LOSSES else name.replace("_", " ")


def _address(context: Context, n: int | None, rest: Changes) -> str:
    """The same place with other changes. Where the lesson has its own steps again, the step of the
    same quantity.
    """
    view, lesson = replace(context.view, changes=rest), context.source.id
    if (
        n is None
        or context.original is None
        or (rest and not any(structural(name) for name, _ in context.view.changes))
    ):
        return view.address(lesson, n)
    if any(structural(name) for name, _ in rest):
        return view.address(lesson, n)
    other = context.original.walk(view.grain)
    return view.address(lesson, same_step(context.walk, n, other) or min(n, len(other)))


def same_step(walk: Walk, n: int, other: Walk) -> int | None:
    """The step of another walk that makes what step n makes; None where it has none."""
    q = walk.anchor(n)
    # a softmax has a slope for each pair, other activations for each unit
    for same in (q, q._replace(j=0), q._replace(j=1)):
        try:
            return other.step_of(same)
        except (LessonError, LookupError, ValueError):
            continue
    return None


# ---- The form below a step in which every given number, the loss and the activations can be
# changed. It works without a script ----
#     what_if_form(context, n) -> WhatIfForm                 with what the lesson has now
# what_if_form(context, n, typed, problems)              with what was typed, and a problem beside
# its field
#
# Of a network with more than sixty given numbers the form asks for a name and a value instead.


MOST_FIELDS = 60
SIZE, LONGEST = 6, 24
"""Characters of an input, and of one with a long number."""
NAME, VALUE = "name", "value"
"""The two fields for a network with more numbers than a form can show."""
TITLES = {
    "learning_rate": "Learning rate",
    "batch": "Batch: full, online or a number",
    "loss": "Loss",
    "reduction": "Loss of a batch",
    "activation": "Activation of layer {}",
    "slope": "Slope of layer {}",
    "alpha": "Alpha of layer {}",
    "dropout": "Dropout of layer {}",
    "seed": "Seed of layer {}",
    "l2": "Weight of the penalty of layer {}",
    "shuffle": "Seed of the shuffle, or none",
    "data_seed": "Seed of the data",
    "optimizer": "Optimizer",
    "schedule": "Schedule of the learning rate",
    "penalty": "Penalty on large weights",
    "clipping": "Clipping of the gradient",
    NAME: "Which number",
    VALUE: "Its new value",
}
SEED_OF = {"shuffle": "seed of the shuffle", "data_seed": "seed of the data"}
WORDING = {"sum": "sum over samples", "mean": "mean over samples"}
NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class ChangeField:
    """One input. `group` names inputs that only make sense together, such as the targets of a
    sample that sum to 1.
    """

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
class ChangeChoice:
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
    fields: tuple[ChangeField, ...]


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
    fields: tuple[ChangeField, ...]
    """Learning rate, slopes, or the name and the value."""
    choices: tuple[ChangeChoice, ...]
    before: str
    """Which numbers these are, where a later iteration is shown."""
    problem: str
    """What is wrong with all of it."""
    own: str
    """The builder with these numbers, for a lesson of one's own."""
    samples: str
    """The numbers in the data set of this iteration's samples, where they are a batch."""
    scaled: bool
    """Whether the inputs are those before scaling."""
    given: str = ""
    """The names of the values of a formula, which have none that a script could guess."""


def what_if_form(
    context: Context,
    n: int,
    typed: Mapping[str, str] = NOTHING,
    problems: Mapping[str, str] = NOTHING,
) -> WhatIfForm:
    """The form at step n."""
    maker = _Maker(context, typed, dict(problems))
    small = given_numbers(context) <= MOST_FIELDS
    tables = tuple(maker.tables()) if small else ()
    fields, choices = tuple(maker.fields(single=not small)), tuple(maker.choices())
    rest = " ".join(maker.problems.values())
    own = replace(context.view, embedded=False).edit(context.source.id)
    batch = context.lesson.batch
    samples = " ".join(map(str, batch.samples)) if batch else ""
    return WhatIfForm(
        action(context, n), bool(problems), tables, fields, choices, before(context), rest, own,
        samples, context.source.data.scale is not None,
    )  # fmt: skip


def change_fields(
    context: Context, name: str, typed: Mapping[str, str], problems: dict[str, str]
) -> tuple[ChangeField, ...]:
    """The fields that change one number: its own, and those that only make sense with it."""
    maker = _Maker(context, typed, problems)
    at = part(name, context.lesson.scenario)
    return tuple(maker.field(one, group) for one, group in maker.together(at))


def action(context: Context, n: int) -> str:
    """Where the form of step n is sent."""
    return replace(context.view, embedded=False).address(context.source.id, f"{n}/change")


def before(context: Context) -> str:
    """Which numbers the form has, where the page shows a later iteration or a batch."""
    later = "These are the numbers that iteration 1 starts from."
    counted = "Samples are numbered as in the data set."
    lesson = context.lesson
    return " ".join(
        filter(None, (later if lesson.iteration > 1 else "", counted if lesson.batch else ""))
    )


def given_numbers(context: Context) -> int:
    """Inputs, targets, weights and biases."""
    trace = context.trace
    return int(trace.x.size + trace.y.size) + trace.network.parameters


class _Maker:
    """Makes the fields of one form; `problems` are taken out as they find their field."""

    def __init__(
        self, context: Context, typed: Mapping[str, str], problems: dict[str, str]
    ) -> None:
        self.scenario, self.source = context.lesson.scenario, context.source
        self.typed, self.problems = typed, problems
        self.changed: dict[str, Change] = {
            change.name: change for change in listed(context.source, context.view.changes)
        }
        self.samples = context.trace.samples
        self.batch = context.lesson.batch
        self.line = Line(context.alphabet, context.decimals)
        self.words = Words(context.alphabet, context.decimals)

    def tables(self) -> Iterator[FieldTable]:
        """All given numbers, matrix by matrix."""
        sizes = self.scenario.network.sizes
        scaled = ", before scaling" if self.scenario.data.scale is not None else ""
        yield self._data(f"Inputs{scaled}", "x", sizes[0])
        for depth, layer in enumerate(self.scenario.network.layers, 1):
            columns = tuple(
                f"from {'input' if depth == 1 else 'unit'} {j}"
                for j in range(1, sizes[depth - 1] + 1)
            )
            yield self._table(f"Weights of layer {depth}", "w", depth, columns, layer.units)
            if layer.biases is not None:
                yield self._table(f"Biases of layer {depth}", "b", depth, ("bias",), layer.units)
        yield self._data("Targets", "y", sizes[-1])

    def _data(self, caption: str, kind: str, width: int) -> FieldTable:
        many = self.scenario.data.samples > 1
        samples = self.batch.samples if self.batch else range(1, self.samples + 1)
        columns = tuple(f"{'input' if kind == 'x' else 'target'} {i}" for i in range(1, width + 1))
        together = kind == "y" and self.scenario.loss.name == "cross_entropy"
        rows = tuple(
            FieldRow(
                f"sample {s}" if many else "value",
                tuple(
                    self.field(
                        Changeable(kind, 0, i, 0, s if many else 0),
                        group=f"y@{s}" if together else "",
                    )
                    for i in range(1, width + 1)
                ),
            )
            for s in samples
        )
        return FieldTable(caption, columns, rows)

    def _table(
        self, caption: str, kind: str, layer: int, columns: tuple[str, ...], units: int
    ) -> FieldTable:
        def row(i: int) -> tuple[ChangeField, ...]:
            return tuple(
                self.field(Changeable(kind, layer, i, j if kind == "w" else 0))
                for j in range(1, len(columns) + 1)
            )

        rows = tuple(FieldRow(f"unit {i}", row(i)) for i in range(1, units + 1))
        return FieldTable(caption, columns, rows)

    def fields(self, *, single: bool) -> Iterator[ChangeField]:
        """The numbers that stand in no table."""
        if single:
            for name in (NAME, VALUE):
                yield ChangeField(
                    name,
                    f"if-{name}",
                    TITLES[name],
                    self.typed.get(name, ""),
                    "",
                    self.problems.pop(name, ""),
                )
        yield self.field(Changeable("learning_rate"))
        if self.scenario.data.training_samples > 1:
            yield self.field(Changeable("batch"))
            yield self.field(Changeable("shuffle"))
        if self.source.data.generator is not None:
            yield self.field(Changeable("data_seed"))
        words = chosen(self.scenario.training)
        for name, knob in KNOBS.items():
            if name == "l2" and self._by_layer:
                layers = range(1, len(self.scenario.network.layers) + 1)
                yield from (self.field(Changeable(name, layer)) for layer in layers)
            elif words[knob.part] in knob.owners or name in self.typed:
                yield self.field(Changeable(name))
        for depth, layer in enumerate(self.scenario.network.layers, 1):
            for kind, parameter in PARAMETERS.items():
                if layer.activation == parameter.owner or f"{kind}[{depth}]" in self.typed:
                    yield self.field(Changeable(kind, depth))
            if depth < len(self.scenario.network.layers):
                yield self.field(Changeable("dropout", depth))
            if self.source.network.layers[depth - 1].init is not None:
                yield self.field(Changeable("seed", depth))

    def together(self, at: Changeable) -> Iterator[tuple[Changeable, str]]:
        """A part with those that it must be changed with, and the name of their group."""
        if at.kind != "y" or self.scenario.loss.name != "cross_entropy":
            yield at, ""
            return
        for i in range(1, self.scenario.network.sizes[-1] + 1):
            yield replace(at, i=i), f"y@{at.sample}"

    @property
    def _by_layer(self) -> bool:
        """Whether each layer has its own penalty."""
        now, own = self.scenario.training.l2, self.source.training.l2
        return bool(now and own and now.by_layer and own.by_layer)

    def field(self, at: Changeable, group: str = "") -> ChangeField:
        name = str(at)
        label = self._label(at)
        text = self.typed.get(name, written(value(self.scenario, at)))
        plain = at.parameter or at.kind in {"batch", "dropout", *SEEDS}
        sign = "" if plain else self.line.quantity(at.quantity)
        return ChangeField(
            name,
            f"if-{name}",
            label,
            text,
            self._was(name),
            self.problems.pop(name, ""),
            group,
            sign,
        )

    def _label(self, at: Changeable) -> str:
        if at.knob:
            return capital(at.knob.words)
        return TITLES[at.kind].format(at.layer) if at.kind in TITLES else self._spoken(at)

    def _spoken(self, at: Changeable) -> str:
        """What a number is, and its symbol read out: `weight w 1 2 of layer 1`."""
        return f"{KINDS[at.kind].words} {self.words.name(at.quantity)}"

    def choices(self) -> Iterator[ChangeChoice]:
        """Loss, reduction, how it learns, and the activation of every layer."""
        for at in (
            Changeable("loss"),
            Changeable("reduction"),
            *map(Changeable, CHOICES),
            *(Changeable("activation", n) for n in range(1, len(self.scenario.network.layers) + 1)),
        ):
            name = str(at)
            chosen = self.typed.get(name, str(value(self.scenario, at)))
            options = tuple(
                (word, WORDING.get(word) or choice_in_words(at.kind, word), word == chosen)
                for word in WORDS[at.kind]
            )
            yield ChangeChoice(
                name,
                f"if-{name}",
                TITLES[at.kind].format(at.layer),
                options,
                self._was(name),
                self.problems.pop(name, ""),
            )

    def _was(self, name: str) -> str:
        """The lesson's own value of what is changed."""
        return old_and_new(self.changed[name])[0] if name in self.changed else ""
