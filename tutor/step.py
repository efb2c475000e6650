"""What a step says, wherever it is shown: in the live page and in every export.

    step_body(context, n) -> StepBody
"""

from __future__ import annotations

from dataclasses import dataclass

from tutor import number
from tutor.context import Context
from tutor.errors import LessonError
from tutor.explain import PHASE_TITLES, Explanation, Remark, explain, explain_phase, explain_stage, explain_stop
from tutor.formula import Chalk, Formula
from tutor.lesson import LayerWalk, PassWalk
from tutor.quantity import Quantity
from tutor.slides import AGREES, DIFFERS, OPEN, Slide, SlideNumber, tree
from tutor.writer import SYMBOLS

MOST_SLIDE_NUMBERS = 5
_FIRST = (DIFFERS, OPEN, AGREES)


@dataclass(frozen=True, slots=True)
class SlideView:
    """What the lecture says at this step, with what the tutor remarks on it."""

    numbers: tuple[SlideNumber, ...]
    symbols: tuple[str, ...]
    """What each of the numbers is the value of, in the lecture's symbols."""
    more: int
    remarks: tuple[str, ...]
    closed_forms: tuple[tuple[str, str, str, bool], ...]
    """(formula, where, what it comes to, whether the engine agrees)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBody:
    """One step in words and formulas; `formulas` has one entry, or several for a whole phase."""

    n: int
    phase: str
    title: str
    why: str
    term: tuple[str, str] | None
    """A word that first appears here, with its meaning."""
    formulas: tuple[Formula, ...]
    stop: str
    """Why the walk ends here, or ""."""
    remark: Remark | None
    """Why the numbers shown do not give the result, where that is so."""
    slide: SlideView | None
    notes: tuple[str, ...]
    """What the tutor adds of its own."""

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
    formulas, explanation, places = _content(context, n, chalk)
    said = [context.slides[q] for q in places if q in context.slides]
    stop = walk.stop if walk.stop and n == len(walk) else None
    return StepBody(
        n=n,
        phase=PHASE_TITLES[walk.phase(n)],
        title=explanation.title,
        why=explanation.why,
        term=explanation.term,
        formulas=formulas,
        stop=explain_stop(context.trace, stop) if stop else "",
        remark=next((f.remark for f in formulas if f.remark), None),
        slide=_slide(context, said, chalk),
        notes=tuple(note for slide in said for note in slide.notes),
    )


def _content(context: Context, n: int, chalk: Chalk) -> tuple[tuple[Formula, ...], Explanation, tuple[Quantity, ...]]:
    """The formulas, the words, and the quantities at which the lecture may have something to say."""
    walk = context.walk
    if isinstance(walk, PassWalk):
        made = chalk.phase(walk.stages(n))
        return made, explain_phase(walk.phase(n)), ()
    if isinstance(walk, LayerWalk):
        stage = walk.stages[n - 1]
        places = tuple(q for q in context.slides if context.step_of(q) == n)
        return (chalk.stage(stage),), explain_stage(context.trace, stage), places
    q = walk.anchor(n)
    extra = (Quantity("(loss-loss+)/loss"),) if q.kind == "loss-loss+" else ()
    return tuple(chalk.number(name) for name in (q, *extra)), explain(context.trace, q), (q, *extra)


def _slide(context: Context, said: list[Slide], chalk: Chalk) -> SlideView | None:
    found = [slide for slide in said if slide.numbers or slide.remarks or slide.closed_forms]
    if not found:
        return None
    entries = [entry for slide in found for entry in slide.numbers]
    entries.sort(key=lambda entry: _FIRST.index(entry.state))
    forms = tuple(
        (form.text, form.where, number.shown(form.value, context.decimals), form.agrees)
        for slide in found for form in slide.closed_forms[:MOST_SLIDE_NUMBERS]
    )  # fmt: skip
    remarks = tuple(remark for slide in found for remark in slide.remarks)
    shown = tuple(entries[:MOST_SLIDE_NUMBERS])
    symbols = tuple(chalk.line.tree(tree(entry.quantity, context.trace), SYMBOLS) for entry in shown)
    return SlideView(shown, symbols, max(0, len(entries) - MOST_SLIDE_NUMBERS), remarks, forms)
