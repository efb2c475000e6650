"""What stands beside all steps of a lesson under one view: the outline to jump with, and the
settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tutor import number
from tutor.lesson.opening import no_paper
from tutor.notation.conventions import PRESETS
from tutor.pages.context import AnyContext, Context
from tutor.pages.outline import Chapter, outline, places
from tutor.pages.what_if import NOTHING, WhatIfForm, action, what_if_form


@dataclass(frozen=True, slots=True)
class Choices:
    """The settings of the form, with what is chosen."""

    notations: tuple[tuple[str, str, bool], ...]
    decimals: tuple[tuple[str, str, bool], ...]
    input_gradients: tuple[tuple[str, str, bool], ...]
    """Whether the derivatives dL/dx are steps; empty where backward never gets there."""
    hidden: tuple[tuple[str, str], ...]
    """What the form has to carry along."""
    paper: tuple[tuple[str, str, bool], ...] = ()
    """Full precision, or the decimals to round to; empty where the lesson is too long for paper."""


@dataclass(frozen=True, slots=True)
class Panels:
    """What stands beside all steps of a lesson under one view: the outline and the settings."""

    chapters: tuple[Chapter, ...]
    choices: Choices
    what_if: WhatIfForm
    present: bool
    export: str
    """The address of the export page under this view."""
    share: str
    """The address of the page with the links to this step."""
    edit: str
    """The builder with a copy of the lesson."""
    toggle_present: str
    """A query: it leads to the step that is shown."""


def panels(
    context: Context,
    n: int,
    typed: Mapping[str, str] = NOTHING,
    problems: Mapping[str, str] = NOTHING,
) -> Panels:
    """The outline, the settings and the form; of all this only links depend on n, and the page's
    script moves those.

    `typed` and `problems` are of a form that was sent and cannot be taken.
    """
    view, lesson = context.view, context.source.id
    toggle = replace(view, present=not view.present).query()
    return Panels(
        outline(
            context.memo.once("outline", lambda: places(context.walk, context.line)),
            n, context.href,
        ),
        context.memo.once("choices", lambda: choices(context)),
        _form(context, n, typed, problems), view.present,
        view.export(lesson), view.share(lesson, n), view.edit(lesson), f"?{toggle}",
    )  # fmt: skip


def _form(
    context: Context, n: int, typed: Mapping[str, str], problems: Mapping[str, str]
) -> WhatIfForm:
    """The form; at every step the same but for where it is sent, unless something was typed."""
    if typed or problems:
        return what_if_form(context, n, typed, problems)
    kept: WhatIfForm = context.memo.once("what if", lambda: what_if_form(context, n))
    return replace(kept, action=action(context, n))


def choices(context: Context) -> Choices:
    """Notations, decimals and further steps to choose from, with what is chosen."""
    scenario, view = context.lesson.scenario, context.view
    own = scenario.notation.preset
    chosen, whose = view.notation or own, "lecture" if scenario.source else "lesson"
    names = tuple(
        (
            p.preset,
            p.title + (f" (the {whose}’s own)" if p.preset == own else ""),
            p.preset == chosen,
        )
        for p in PRESETS.values()
    )
    seen = context.lesson.input_gradients
    inputs = (("no", "not shown", not seen), ("yes", "shown", seen))
    ends = context.lesson.trace.blocked > 0
    hidden = [("grain", view.grain)] if view.grain != "number" else []
    hidden += [("iteration", str(view.iteration))] if view.iteration != 1 else []
    hidden += [("scaling", "steps")] if view.scaling else []
    hidden += [("present", "yes")] if view.present else []
    return Choices(
        names,
        decimal_choices(context),
        () if ends else inputs,
        (*hidden, *view.changes),
        paper_choices(context),
    )


def decimal_choices(context: AnyContext) -> tuple[tuple[str, str, bool], ...]:
    """How many decimals numbers have."""
    own = context.lesson.scenario.display.decimals
    shown = own if context.view.decimals is None else context.view.decimals
    return tuple(
        (str(d), number.counted(d, "decimal"), d == shown)
        for d in sorted({2, 3, 4, 5, 6, 8, 10, shown})
    )


def paper_choices(context: AnyContext) -> tuple[tuple[str, str, bool], ...]:
    """Whether every number is rounded and carried on, and to how many decimals."""
    chosen = context.trace.paper
    if no_paper(context.lesson.scenario):
        return ()
    return (
        ("", "full precision", not chosen),
        *(
            (str(d), f"rounded to {number.counted(d, 'decimal')}", d == chosen)
            for d in sorted(_ROUNDED | {chosen} - {0})
        ),
    )


_ROUNDED = {2, 3, 4, 5, 6}
