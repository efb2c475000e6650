"""What a step says, wherever it is shown: in the live page and in every export.

    step_body(context, n) -> StepBody
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from tutor import number
from tutor.context import Context
from tutor.errors import LessonError
from tutor.explain import (
    BRIEF,
    PHASE_TITLES,
    Explanation,
    Remark,
    explain,
    explain_phase,
    explain_stage,
    explain_stop,
    inside,
    layer_title,
)
from tutor.formula import Chalk, Formula
from tutor.lesson import LayerWalk, NumberWalk, PassWalk
from tutor.order import Stage
from tutor.quantity import Quantity
from tutor.slides import AGREES, DIFFERS, OPEN, Slide, SlideNumber, tree
from tutor.writer import SYMBOLS

_FIRST = (DIFFERS, OPEN, AGREES)
ALL_OPEN = 3
"""Of a phase through so many layers all stand open; of a longer one the first, the last and the loss."""


@dataclass(frozen=True, slots=True)
class SlideView:
    """What the lecture says at this step, with what the tutor remarks on it."""

    numbers: tuple[SlideNumber, ...]
    symbols: tuple[str, ...]
    """What each of the numbers is the value of, in the lecture's symbols."""
    more: int
    """How many numbers are not among them."""
    remarks: tuple[str, ...]
    closed_forms: tuple[tuple[str, str, str, bool], ...]
    """(formula, where, what it comes to, whether the engine agrees)"""


@dataclass(frozen=True, slots=True)
class Part:
    """Formulas that belong together: those of a layer where a step is a whole phase, else all of the step."""

    formulas: tuple[Formula, ...]
    title: str = ""
    """What they are about, where there are other parts."""
    inside: str = ""
    """What is computed here, so that one knows it where the part is folded."""
    open: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBody:
    """One step in words and formulas: in one part, or in several for a whole phase."""

    n: int
    phase: str
    title: str
    why: str
    term: tuple[str, str] | None
    """A word that first appears here, with its meaning."""
    parts: tuple[Part, ...]
    brief: str
    """What the formulas leave out, or ""."""
    stop: str
    """Why the walk ends here, or ""."""
    remark: Remark | None
    """Why the numbers shown do not give the result, where that is so."""
    slide: SlideView | None
    notes: tuple[str, ...]
    """What the tutor adds of its own."""

    @property
    def formulas(self) -> tuple[Formula, ...]:
        """The formulas of all parts."""
        return tuple(formula for part in self.parts for formula in part.formulas)

    @property
    def uses(self) -> frozenset[Quantity]:
        """The quantities that the formulas take in."""
        return frozenset[Quantity]().union(*(f.uses for f in self.formulas))

    @property
    def makes(self) -> frozenset[Quantity]:
        """The quantities that the formulas give."""
        return frozenset[Quantity]().union(*(f.makes for f in self.formulas))


def step_body(context: Context, n: int, chalk: Chalk | None = None) -> StepBody:
    """What step n says; another `chalk` writes the formulas in another dialect. Raises LessonError where there is no such step."""
    walk = context.walk
    if not 1 <= n <= len(walk):
        raise LessonError(f"this lesson has the steps 1 to {len(walk)}, there is no step {n}")
    chalk = chalk or context.chalk
    parts, explanation, places = _content(context, n, chalk)
    said = [context.slides[q] for q in places if q in context.slides]
    stop = walk.stop if walk.stop and n == len(walk) else None
    return StepBody(
        n=n,
        phase=PHASE_TITLES[walk.phase(n)],
        title=explanation.title,
        why=explanation.why,
        term=explanation.term,
        parts=parts,
        brief=BRIEF if walk.grain == "pass" else "",
        stop=explain_stop(context.trace, stop) if stop else "",
        remark=next((f.remark for part in parts for f in part.formulas if f.remark), None),
        slide=_slide(context, said, chalk),
        notes=tuple(note for slide in said for note in slide.notes),
    )


def _content(context: Context, n: int, chalk: Chalk) -> tuple[tuple[Part, ...], Explanation, tuple[Quantity, ...]]:
    """The formulas, the words, and the quantities at which the lecture may have something to say."""
    walk = context.walk
    if isinstance(walk, NumberWalk):
        q = walk.anchor(n)
        names = (q, Quantity("(loss-loss+)/loss")) if q.kind == "loss-loss+" else (q,)
        return (Part(tuple(chalk.number(name) for name in names)),), explain(context.trace, q), names
    places = _in_order(context, [q for q in context.slides if context.step_of(q) == n])
    if isinstance(walk, LayerWalk):
        stage = walk.stages[n - 1]
        return (Part((chalk.stage(stage),)),), explain_stage(context.trace, stage), places
    assert isinstance(walk, PassWalk)
    return _layers(context, walk.stages(n), chalk), explain_phase(walk.phase(n)), places


def _in_order(context: Context, places: list[Quantity]) -> tuple[Quantity, ...]:
    """The places of a step that makes many numbers, as the walk number by number comes to them."""
    numbers = context.lesson.walk("number")
    return tuple(sorted(places, key=lambda q: numbers.step_of(q) if numbers.known(q, len(numbers)) else len(numbers)))


def _layers(context: Context, stages: tuple[Stage, ...], chalk: Chalk) -> tuple[Part, ...]:
    """A whole phase, layer by layer in the order of the walk: none is left out, those between the ends of a long one are folded."""
    groups = [(layer, tuple(own)) for layer, own in groupby(stages, lambda stage: stage.layer)]
    if len(groups) == 1:
        return (Part(tuple(map(chalk.brief, stages))),)
    layers = [layer for layer, _ in groups if layer]
    ends = {0, layers[0], layers[-1]}
    return tuple(
        Part(
            tuple(map(chalk.brief, own)), layer_title(context.trace.network, layer), inside(own),
            open=len(layers) <= ALL_OPEN or layer in ends,
        )
        for layer, own in groups
    )  # fmt: skip


def _slide(context: Context, said: list[Slide], chalk: Chalk) -> SlideView | None:
    found = [slide for slide in said if slide.numbers or slide.remarks or slide.closed_forms]
    if not found:
        return None
    entries = [entry for slide in found for entry in slide.numbers]
    entries.sort(key=lambda entry: _FIRST.index(entry.state))
    forms = tuple(
        (form.text, form.where, number.shown(form.value, context.decimals), form.agrees)
        for slide in found for form in slide.closed_forms
    )  # fmt: skip
    remarks = tuple(remark for slide in found for remark in slide.remarks)
    symbols = tuple(chalk.line.tree(tree(entry.quantity, context.trace), SYMBOLS) for entry in entries)
    return SlideView(tuple(entries), symbols, 0, remarks, forms)
