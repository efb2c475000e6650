"""Worked solutions: the whole walk as one HTML file that needs nothing beside itself.

    worked(context, sheet) -> chunks of the file, phase by phase and step by step

The same document in four forms: to read (plain), to step through (interactive), to fill in (worksheet) and to check
(answer key). Steps are drawn by the same template as the live page. Nothing is collected in memory: the file is
made while it is written.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from tutor import rendering
from tutor.changes import told
from tutor.context import Context
from tutor.desk import Desk, Table
from tutor.diagram import Drawing, draw, drawing
from tutor.diagram_steps import together
from tutor.errors import LessonError
from tutor.explain import PHASE_ABOUT, PHASE_TITLES
from tutor.formula import Chalk
from tutor.lesson import Lesson, Walk
from tutor.markup import Markup, trusted
from tutor.mathml import Answered, Line, Unnamed
from tutor.order import PHASES
from tutor.outline import Chapter, outline
from tutor.overview import beginning, facts, given
from tutor.page import scene
from tutor.problem import quotable
from tutor.quantity import Quantity
from tutor.scenario import Scenario
from tutor.step import SlideView, StepBody, step_body
from tutor.tables import Tables, tables
from tutor.view import View
from tutor.writer import Hidden

MOST_STEPS = 2_000
SHEETS = ("colours.css", "content.css", "diagram.css", "export.css")
TELLING = {"w+", "b+", "loss-loss+"}
"""Steps whose explanation would give the result away on a worksheet."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What kind of document is wanted."""

    phases: tuple[str, ...] = PHASES
    interactive: bool = False
    blanks: str = ""
    """Which results are left open: "" none, "all", the name of a phase, or "every:3" for every third."""
    answers: bool = False
    """The answer key: the blanks are filled in and marked."""
    version: str = ""
    """Which version of a worksheet this is, e.g. `version 2 of seed 7`."""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """The top of the file."""

    title: str
    kind: str
    source: str
    about: str
    made_from: str
    mark: str
    policy: str
    style: Markup
    diagram: Markup
    given: tuple[Table, ...]
    facts: tuple[tuple[str, str], ...]
    chapters: tuple[Chapter, ...]
    all: bool


@dataclass(frozen=True, slots=True)
class End:
    """What stands at the end of a phase: its tables, full, and the diagram; in a stepper with the diagrams of all its steps."""

    tables: Tables
    diagram: Markup | str


def blanked(walk: Walk, blanks: str) -> Hidden | None:
    """Which quantities a worksheet leaves open; None for none. Raises LessonError where the wish cannot be read."""
    if not blanks:
        return None
    chosen = chooser(walk, blanks)

    def hidden(q: Quantity) -> bool:
        if q.given:
            return False
        try:
            n = walk.step_of(q)
        except LessonError:
            return False
        return chosen(n)

    return hidden


def chooser(walk: Walk, blanks: str) -> Callable[[int], bool]:
    """Which steps are left open."""
    refusal = unreadable_blanks(blanks)
    if refusal:
        raise LessonError(refusal)
    if blanks == "all":
        return lambda n: True
    if blanks in PHASES:
        return lambda n: walk.phase(n) == blanks
    every = int(blanks.removeprefix("every:"))
    return lambda n: n % every == 0


def unreadable_blanks(blanks: str) -> str:
    """Why a wish for what a worksheet leaves open cannot be read, or ""."""
    if blanks in {"all", *PHASES} or re.fullmatch(r"every:0*[1-9][0-9]?", blanks, re.ASCII):
        return ""
    return f"blanks are all, one of {', '.join(PHASES)}, or every:2 to every:99, not “{quotable(blanks, 30)}”"


def worked(lesson: Lesson, view: View, sheet: Sheet) -> Iterator[str]:
    """The file in chunks. Raises LessonError before the first chunk where it cannot be made."""
    walk = lesson.walk(view.grain)
    refuse_endless(walk)
    hidden = blanked(walk, sheet.blanks)
    context = Context(lesson, view, None if sheet.answers else hidden)
    return _chunks(context, sheet, hidden)


def refuse_endless(walk: Walk) -> None:
    """Raise LessonError where a document would have too many steps to be read."""
    if len(walk) > MOST_STEPS:
        raise LessonError(
            f"this lesson has {len(walk):,} steps in the grain {walk.grain}, a file holds {MOST_STEPS:,}; take the grain layer"
        )


def _chunks(context: Context, sheet: Sheet, hidden: Hidden | None) -> Iterator[str]:
    templates = rendering.environment()
    step_template = templates.get_template("worked_step.html")
    answers = hidden if sheet.answers else None
    lines = Line(context.alphabet, context.decimals, context.hidden, partial(Answered, answers) if answers else Unnamed)
    chalk = Chalk(context.trace, context.alphabet, context.decimals, context.hidden, lines)
    yield templates.get_template("worked_head.html").render(page=head(context, sheet))
    for phase, first, last in context.walk.phases():
        if phase not in sheet.phases:
            continue
        title, about = PHASE_TITLES[phase], PHASE_ABOUT[phase]
        yield templates.get_template("worked_phase.html").render(id=phase, title=title, about=about)
        pictures: list[tuple[int, Drawing]] = []
        for n in range(first, last + 1):
            body, open_ = _body(context, chalk, sheet, n, hidden)
            pictures += [(n, _picture(context, body, phase))] if sheet.interactive else []
            names = {"uses": _names(body.uses), "makes": _names(body.makes)} if sheet.interactive else None
            yield step_template.render(step=body, blank=open_, answer=open_ and sheet.answers, names=names)
        yield templates.get_template("worked_end.html").render(end=end(context, sheet, phase, last, pictures, answers))
    script = rendering.script("stepper.js") if sheet.interactive else ""
    yield templates.get_template("worked_tail.html").render(script=trusted(script))


def _picture(context: Context, body: StepBody, phase: str) -> Drawing:
    """The diagram of a step, as its page has it."""
    desk = Desk(context.walk, body.n, context.alphabet, context.decimals, body.uses, body.makes)
    return drawing(scene(context, desk, phase, body.title))


def _body(context: Context, chalk: Chalk, sheet: Sheet, n: int, hidden: Hidden | None) -> tuple[StepBody, bool]:
    """A step and whether its result is left open; a worksheet does not give results away in words."""
    body = step_body(context, n, chalk)
    if hidden is None:
        return replace(body, slide=_differing(body.slide)), False
    open_ = hidden(context.walk.anchor(n))
    telling = open_ and not sheet.answers and context.walk.anchor(n).kind in TELLING
    return replace(body, slide=None, notes=(), why="" if telling else body.why, term=None if telling else body.term), open_


def _differing(slide: SlideView | None) -> SlideView | None:
    """What the slides say of a step: the remarks, and of the printed numbers those that do not agree."""
    if slide is None:
        return None
    pairs = [pair for pair in zip(slide.numbers, slide.symbols, strict=True) if not pair[0].agrees]
    numbers, symbols = tuple(entry for entry, _ in pairs), tuple(symbol for _, symbol in pairs)
    return replace(slide, numbers=numbers, symbols=symbols, more=0) if numbers or slide.remarks or slide.closed_forms else None


def _names(quantities: frozenset[Quantity]) -> str:
    return " ".join(sorted(map(str, quantities)))


def head(context: Context, sheet: Sheet) -> Head:
    """The top of the file: what it is, what it was made from, what is given."""
    scenario = context.lesson.scenario
    style = rendering.styles(*SHEETS) + page_heading(scenario.title, kind(sheet))
    script = rendering.source_hash(rendering.script("stepper.js")) if sheet.interactive else "'none'"
    policy = (
        f"default-src 'none'; style-src {rendering.source_hash(style)}; script-src {script}; font-src data:; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    chapters = tuple(c for c in outline(context.walk, 1, lambda n: f"#step-{n}") if _wanted(c, sheet))
    return Head(
        scenario.title, kind(sheet), scenario.source, scenario.about, made_from(context, sheet), mark(context, sheet),
        policy, trusted(style), draw(beginning(context)), tuple(given(context)), facts(context), chapters,
        not sheet.interactive,
    )  # fmt: skip


def _wanted(chapter: Chapter, sheet: Sheet) -> bool:
    return any(PHASE_TITLES[phase] == chapter.title for phase in sheet.phases)


def kind(sheet: Sheet) -> str:
    """What the document is called."""
    if sheet.blanks:
        return "Answer key" if sheet.answers else "Worksheet"
    return "Worked solution, step by step" if sheet.interactive else "Worked solution"


def page_heading(title: str, what: str) -> str:
    """The heading and the number of each printed page."""
    heading = rendering.css_string(f"{title} – {what}")
    return (
        f"\n@page {{ margin: 18mm 15mm; @top-left {{ content: {heading}; font: 9pt sans-serif; }} "
        "@bottom-right { content: counter(page) ' / ' counter(pages); font: 9pt sans-serif; } }\n"
    )


def content_hash(scenario: Scenario) -> str:
    """The first letters of a hash over everything a scenario holds: same content, same letters."""
    models = (scenario.network, scenario.data, scenario.training, scenario.notation, scenario.display)
    parts = (scenario.id, scenario.title, scenario.about, *(part.model_dump_json() for part in models))
    return hashlib.sha256("\n".join(parts).encode("utf-8")).hexdigest()[:10]


def mark(context: Context, sheet: Sheet) -> str:
    """The version mark that a worksheet and its key have in common."""
    content = content_hash(context.lesson.scenario)
    parts = (content, context.view.query(), context.lesson.iteration, sheet.blanks, sheet.phases, sheet.version)
    return hashlib.sha256(repr(parts).encode("utf-8")).hexdigest()[:8] if sheet.blanks else ""


def made_from(context: Context, sheet: Sheet) -> str:
    """The line that says what the file was made from."""
    scenario = context.lesson.scenario
    parts = [f"Made from the scenario {scenario.id} ({content_hash(scenario)})", sheet.version, context.variant]
    parts += [f"grain {context.view.grain}", f"notation {context.notation.preset}", f"{context.decimals} decimals"]
    parts += [f"Backprop Tutor {rendering.version()}", sheet.address]
    made = ", ".join(part for part in parts if part) + "."
    return " ".join(part for part in (made, told(context.lesson.changes)) if part)


def end(
    context: Context, sheet: Sheet, phase: str, last: int, pictures: list[tuple[int, Drawing]], answers: Hidden | None
) -> End:
    """The tables of a phase, full; the diagram where the backward pass is done, and in a stepper those of all steps."""
    desk = Desk(context.walk, last, context.alphabet, context.decimals, whole=True, hidden=context.hidden, answers=answers)
    after = scene(context, desk, phase, f"The network after the phase: {PHASE_TITLES[phase].lower()}")
    if sheet.interactive:
        return End(tables(desk), together([*pictures, (last + 1, drawing(after))], last + 1))
    return End(tables(desk), draw(after) if phase == "backward" else "")
