"""What a reader changed, told on a page: old and new value of each part, and the links that take it back.

    changed(context, n) -> Changed | None      at step n, or on the lesson's first page where n is None
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tutor import number
from tutor.change_names import NUMBERS, WORDS, Part
from tutor.changes import Change, Changes, structural, without
from tutor.context import Context
from tutor.engine.losses import LOSSES
from tutor.engine.quantity import Quantity
from tutor.errors import LessonError
from tutor.lesson import Walk
from tutor.markup import Markup
from tutor.mathml import Line
from tutor.scenario import Scenario

DECIMALS = 6
"""Of old and new values, where that is enough to tell them apart."""
ABOUT = "The description below speaks of the lesson’s own numbers."


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """One change, with the address of the same place without it."""

    symbol: Markup | str
    name: str
    old: str
    new: str
    reset: str


@dataclass(frozen=True, slots=True)
class Changed:
    """All changes of a view. `left_out` says which parts of the lesson spoke of its own numbers and are not shown."""

    rows: tuple[ChangedRow, ...]
    reset_all: str
    left_out: str


def changed(context: Context, n: int | None) -> Changed | None:
    """What is changed, or None."""
    if not context.lesson.changes:
        return None
    line = Line(context.alphabet, context.decimals)
    rows = tuple(_row(context, line, change, n) for change in context.lesson.changes)
    return Changed(rows, _address(context, n, ()), " ".join(filter(None, (left_out(context.source), ABOUT if n is None else ""))))


def marked(context: Context) -> dict[Quantity, str]:
    """The changed numbers with their old values, as the diagram marks them."""
    kinds = {"x", "y", "w", "b"} if context.lesson.iteration == 1 else {"x", "y"}  # later weights are computed
    return {change.part.quantity: shown(change)[0] for change in context.lesson.changes if change.part.kind in kinds}


def left_out(scenario: Scenario) -> str:
    """What of a lesson speaks of its own numbers only."""
    parts = [("the numbers on the slides", scenario.printed), ("the notes", scenario.notes), ("the closed forms", scenario.checks)]
    found = [text for text, there in parts if there]
    if not found:
        return ""
    names = f"{', '.join(found[:-1])} and {found[-1]}" if len(found) > 1 else found[0]
    return f"{names[0].upper()}{names[1:]} belong to the lesson’s own numbers, so they are not shown here."


def _row(context: Context, line: Line, change: Change, n: int | None) -> ChangedRow:
    old, new = shown(change)
    rest = without(context.view.changes, change.name)
    return ChangedRow(symbol(line, change.part), change.name, old, new, _address(context, n, rest))


def symbol(line: Line, part: Part) -> Markup | str:
    """A part as a reader knows it: the symbol of a number, else words."""
    if part.kind in NUMBERS or part.kind == "learning_rate":
        return line.quantity(part.quantity)
    return f"{part.kind} of layer {part.layer}" if part.layer else "reduction of the loss" if part.kind == "reduction" else part.kind


def shown(change: Change) -> tuple[str, str]:
    """(old, new) as a page shows them."""
    if change.part.kind in WORDS:
        return in_words(change.old), in_words(change.new)
    old, new = float(change.old), float(change.new)
    return number.apart(old, new, DECIMALS), number.apart(new, old, DECIMALS)


def in_words(name: str) -> str:
    """What a loss or an activation is called on a page."""
    return LOSSES[name].title if name in LOSSES else name.replace("_", " ")


def _address(context: Context, n: int | None, rest: Changes) -> str:
    """The same place with other changes. Where the lesson has its own steps again, the step of the same quantity."""
    view, lesson = replace(context.view, changes=rest), context.source.id
    if n is None or context.original is None or (rest and not any(structural(name) for name, _ in context.view.changes)):
        return view.address(lesson, n)
    if any(structural(name) for name, _ in rest):
        return view.address(lesson, n)
    other = context.original.walk(view.grain)
    return view.address(lesson, same_step(context.walk, n, other) or min(n, len(other)))


def same_step(walk: Walk, n: int, other: Walk) -> int | None:
    """The step of another walk that makes what step n makes; None where it has none."""
    q = walk.anchor(n)
    for same in (q, replace(q, j=0), replace(q, j=1)):  # a softmax has a slope for each pair, other activations for each unit
        try:
            return other.step_of(same)
        except (LessonError, LookupError, ValueError):
            continue
    return None
