"""What a step says, wherever it is shown: in the live page and in every export.

step_body(context, n) -> StepBody
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from tutor import number
from tutor.engine import quantity
from tutor.engine.order import Stage
from tutor.engine.quantity import Quantity
from tutor.lesson.explain import (
    BRIEF,
    PHASE_TITLES,
    Explanation,
    Remark,
    explain,
    explain_phase,
    explain_stage,
    explain_stop,
)
from tutor.lesson.formula import Formula, FormulaWriter, Lines
from tutor.lesson.slides import AGREES, DIFFERS, OPEN, Slide, SlideNumber, brief_tally, tree
from tutor.lesson.titles import inside, layer_title
from tutor.lesson.walk import AnyStep, Step
from tutor.notation.writer import SYMBOLS
from tutor.pages.context import Context
from tutor.scenario.arithmetic import ReadName

_FIRST = (DIFFERS, OPEN, AGREES)
ALL_OPEN = 3
"""Of a phase through so many layers all stand open; of a longer one the first, the last and the
loss.
"""


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
    """(formula, where, its value, whether the engine agrees)"""
    summary: str = ""
    """How many of the numbers agree, differ or are left open, or ""."""

    @property
    def heading(self) -> str:
        """Closed forms alone that name no place of a lecture are a check of the numbers."""
        said = self.numbers or self.remarks or any(where for _, where, *_ in self.closed_forms)
        return "On the slides" if said else "Checked"

    @property
    def fold(self) -> str:
        """The heading in one word."""
        return self.heading.split()[-1].capitalize()


@dataclass(frozen=True, slots=True)
class FormulaPart:
    """Formulas that belong together: those of a layer where a step is a whole phase, else all of
    the step.
    """

    formulas: tuple[Formula, ...]
    title: str = ""
    """What they are about, where there are other parts."""
    inside: str = ""
    """What is computed here, so that one knows it where the part is folded."""
    open: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBody:
    """One step in words and formulas: in one part, or in several for a whole phase."""

    step: AnyStep
    title: str
    why: str
    """The long reason at the first step of a kind, a short line at the others."""
    reason: str
    """The long reason where `why` is the short line, or ""."""
    term: tuple[str, str] | None
    """A word that first appears here, with its meaning."""
    parts: tuple[FormulaPart, ...]
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
    def n(self) -> int:
        return self.step.n

    @property
    def phase(self) -> str:
        return PHASE_TITLES[self.step.phase]

    @property
    def glossary(self) -> str:
        """The address of the term in the glossary; "" in a file, which has none."""
        return ""

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


def step_body(
    context: Context, n: int, formulas: FormulaWriter | None = None, most_printed: int | None = None
) -> StepBody:
    """What step n says. Raises LessonError where there is no such step.

    Another `formulas` writes the formulas in another dialect. Of the numbers that the lecture
    prints, `most_printed` are told, those that differ before the others.
    """
    step, formulas = context.step(n), formulas or context.formulas
    parts, explanation, places = _content(context, step, formulas)
    said = [context.slides[q] for q in places if q in context.slides]
    stop = step.walk.stop if step.last else None
    return StepBody(
        step=step,
        title=explanation.title,
        why=explanation.why,
        reason=explanation.reason,
        term=explanation.term,
        parts=parts,
        brief=BRIEF if step.walk.grain == "pass" else "",
        stop=explain_stop(context.trace, stop) if stop else "",
        remark=next((f.remark for part in parts for f in part.formulas if f.remark), None),
        slide=slide_view(said, formulas.line, context.decimals, most_printed),
        notes=tuple(note for slide in said for note in slide.notes),
    )


def _content(
    context: Context, step: Step, formulas: FormulaWriter
) -> tuple[tuple[FormulaPart, ...], Explanation, Sequence[Quantity]]:
    """The formulas, the words, the quantities at which the lecture may have something to say."""
    if not step.stages:
        q = step.anchor
        names = (q, Quantity("(loss-loss+)/loss")) if q.kind == "loss-loss+" else (q,)
        return (FormulaPart(tuple(map(formulas.number, names))),), explain(context.trace, q), names
    places = context.said.get(step.n, ())
    if step.walk.grain == "layer":
        return (
            (FormulaPart((formulas.stage(step.stages[0]),)),),
            explain_stage(context.trace, step.stages[0]),
            places,
        )
    return _layers(context, step.stages, formulas), explain_phase(step.phase), places


def _layers(
    context: Context, stages: tuple[Stage, ...], formulas: FormulaWriter
) -> tuple[FormulaPart, ...]:
    """A whole phase, layer by layer in the order of the walk: none is left out, those between the
    ends of a long one are folded.
    """
    groups = [(layer, tuple(own)) for layer, own in groupby(stages, lambda stage: stage.layer)]
    if len(groups) == 1:
        return (FormulaPart(tuple(map(formulas.brief, stages))),)
    layers = [layer for layer, _ in groups if layer]
    ends = {0, layers[0], layers[-1]}
    return tuple(
        FormulaPart(
            tuple(map(formulas.brief, own)),
            layer_title(context.trace.network, own[0]), inside(own),
            open=len(layers) <= ALL_OPEN or layer in ends,
        )
        for layer, own in groups
    )  # fmt: skip


def slide_view(
    said: list[Slide],
    line: Lines,
    decimals: int,
    most: int | None = None,
    read: ReadName = quantity.parse,
) -> SlideView | None:
    """What a lecture says at a step, the `most` important of its numbers; None where it says
    nothing. `read` reads the names of quantities.
    """
    found = [slide for slide in said if slide.numbers or slide.remarks or slide.closed_forms]
    if not found:
        return None
    entries = [entry for slide in found for entry in slide.numbers]
    entries.sort(key=lambda entry: _FIRST.index(entry.state))
    told = entries[:most]
    forms = tuple(
        (form.text, form.where, number.shown(form.value, decimals), form.agrees)
        for slide in found for form in slide.closed_forms
    )  # fmt: skip
    remarks = tuple(remark for slide in found for remark in slide.remarks)
    symbols = tuple(line.tree(tree(entry.quantity, read), SYMBOLS) for entry in told)
    states = [entry.state for entry in entries]
    states += [AGREES if agrees else DIFFERS for *_, agrees in forms]
    summary = brief_tally(*map(states.count, (AGREES, OPEN, DIFFERS)))
    return SlideView(tuple(told), symbols, len(entries) - len(told), remarks, forms, summary)
