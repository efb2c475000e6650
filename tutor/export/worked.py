"""Worked solutions: the whole walk as one HTML file that needs nothing beside itself.

    worked(lesson, view, sheet)  -> chunks of the file, phase by phase and step by step
    Paper.of(lesson, view, sheet).chunks()     the same without the page around it, for a file of
                                               several

The same document in four forms: to read (plain), to step through (interactive), to fill in
(worksheet) and to check (answer key). Steps are drawn by the same template as the live page.
Nothing is collected in memory: the file is made while it is written.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Any, ClassVar, Self

from tutor import budget
from tutor.draw.diagram import draw, drawing
from tutor.draw.frames import together
from tutor.draw.parts import Drawing
from tutor.engine.kinds import BACKWARD, PHASES, UPDATE, Kind
from tutor.engine.quantity import Quantity
from tutor.errors import LessonError
from tutor.export import rendering
from tutor.export.training_section import training_section, training_title, trains
from tutor.lesson.changes import told
from tutor.lesson.explain import PHASE_ABOUT, PHASE_TITLES
from tutor.lesson.formula import FormulaWriter
from tutor.lesson.walk import AnyLesson, AnyWalk, Lesson
from tutor.notation.markup import Markup, trusted
from tutor.notation.mathml import Answered, Line, Unnamed
from tutor.notation.writer import Hidden
from tutor.number import counted
from tutor.pages.cells import Table, TableMaker
from tutor.pages.context import AnyContext, Context
from tutor.pages.outline import Chapter, PlaceLink, outline, places
from tutor.pages.overview import beginning, facts, given
from tutor.pages.step_body import SlideView, StepBody, step_body
from tutor.pages.step_page import scene
from tutor.pages.tables import StepTables, tables
from tutor.pages.view import View
from tutor.scenario.problem import quotable

MOST_STEPS = 2_000
SHEETS = ("tokens.css", "content.css", "diagram.css", "export.css")
CHARTS, STEPPER = ("charts.css",), ("stepper.css",)
"""What a file needs beside these where it has charts, and where it is one to step through."""
TRAINING = "training"
"""Where the training stands in a file."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What kind of document is wanted."""

    phases: tuple[str, ...] = PHASES
    interactive: bool = False
    blanks: str = ""
    """Which results are left open: "" none, "all", a phase, or "every:3" for every third."""
    answers: bool = False
    """The answer key: the blanks are filled in and marked."""
    version: str = ""
    """Which version of a worksheet this is, e.g. `version 2 of seed 7`."""
    address: str = ""

    @property
    def kind(self) -> str:
        """What the document is called."""
        if self.blanks:
            return "Answer key" if self.answers else "Worksheet"
        return "Worked solution, step by step" if self.interactive else "Worked solution"

    @property
    def title(self) -> str:
        """The same with its version."""
        return f"{self.kind}, {self.version}" if self.version else self.kind


@dataclass(frozen=True, slots=True)
class Frame:
    """The page around the documents of a file."""

    title: str
    policy: str
    style: Markup
    interactive: bool
    css: str = ""
    """A class for all of it, where its lesson is no network."""


@dataclass(frozen=True, slots=True)
class Head:
    """The top of a document."""

    title: str
    kind: str
    source: str
    about: str
    made_from: str
    mark: str
    diagram: Markup
    given: tuple[Table, ...]
    facts: tuple[tuple[str, str], ...]
    chapters: tuple[Chapter, ...]
    anchor: str
    """Where it stands in a file of several; "" where it is the whole file."""
    drawn: str
    """What the diagram is."""


@dataclass(frozen=True, slots=True)
class End:
    """What stands at the end of a phase: its tables, full, and the diagram; in a stepper with the
    diagrams of all its steps.
    """

    tables: StepTables
    diagram: Markup | str
    drawn: str


def blanked(walk: AnyWalk, blanks: str) -> Hidden | None:
    """Which quantities a worksheet leaves open; None for none. Raises LessonError where the wish
    cannot be read.
    """
    if not blanks:
        return None
    chosen = chooser(walk, blanks)

    def hidden(q: Quantity) -> bool:
        if walk.starts_from(q):
            return False
        try:
            n = walk.step_of(q)
        except LessonError:
            return False
        return chosen(n)

    return hidden


def chooser(walk: AnyWalk, blanks: str) -> Callable[[int], bool]:
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
    return (
        f"blanks can be all, one of {', '.join(PHASES)}, or every:2 to every:99, "
        f"not “{quotable(blanks, 30)}”"
    )


def worked(lesson: Lesson, view: View, sheet: Sheet) -> Iterator[str]:
    """The file in chunks. Raises LessonError before the first chunk where it cannot be made."""
    return document(Paper.of(lesson, view, sheet))


def document(paper: AnyPaper) -> Iterator[str]:
    """One document as a file; the first chunk has everything above the phases."""
    sheet, title = paper.sheet, paper.context.lesson.scenario.title
    chunks = paper.chunks()
    yield opening(
        f"{title} – {sheet.kind}",
        page_heading(f"{title} – {sheet.kind}"),
        interactive=sheet.interactive,
        charts=paper.trains,
        css=paper.css,
    ) + next(chunks)
    yield from budget.foreseen(chunks, len(paper))
    yield closing(interactive=sheet.interactive)


def opening(
    title: str, rules: str, *, interactive: bool = False, css: str = "", charts: bool = False
) -> str:
    """The beginning of a file; `rules` stand behind the style sheets of all."""
    more = (*(CHARTS if charts else ()), *(STEPPER if interactive else ()))
    style = rendering.styles(*SHEETS, *more) + rules
    script = rendering.source_hash(rendering.script("stepper.js")) if interactive else "'none'"
    policy = (
        f"default-src 'none'; style-src {rendering.source_hash(style)}; script-src {script}; "
        "font-src data:; img-src data:; base-uri 'none'; form-action 'none'"
    )
    return rendering.template("worked_open.html").render(
        page=Frame(title, policy, trusted(style), interactive, css)
    )


def closing(*, interactive: bool = False) -> str:
    """The end of a file."""
    return rendering.template("worked_tail.html").render(
        script=trusted(rendering.script("stepper.js") if interactive else "")
    )


def refuse_endless(walk: AnyWalk) -> None:
    """Raise LessonError where a document would have too many steps to be read."""
    if len(walk) > MOST_STEPS:
        raise LessonError(
            f"this lesson has {len(walk):,} steps in the grain {walk.grain}, but "
            f"a file has at most {MOST_STEPS:,}; take the grain layer"
        )


@dataclass(frozen=True, slots=True)
class AnyPaper:
    """One document of a file: a lesson under a view as a sheet."""

    context: AnyContext
    sheet: Sheet
    hidden: Hidden | None
    """What is left open, or filled in and marked."""
    anchor: str = ""
    """Its place in a file of several."""
    opened: ClassVar[type[Any]]
    """What opens a lesson under a view with numbers left open."""
    writer: ClassVar[type[Any]]
    """What writes the formulas of its steps."""
    drawn: ClassVar[str] = "Diagram of the network"
    """What its pictures are."""
    drawn_after: ClassVar[frozenset[str]] = frozenset({BACKWARD})
    """The phases that end with a picture, where there is not one for each step."""
    css: ClassVar[str] = ""
    """The class of a file of such documents."""

    @classmethod
    def of(cls, lesson: AnyLesson, view: View, sheet: Sheet, anchor: str = "") -> Self:
        """The document; `anchor` is its place in a file of several. Raises LessonError where it
        cannot be made.
        """
        walk = lesson.walk(view.grain)
        refuse_endless(walk)
        hidden = blanked(walk, sheet.blanks)
        context = cls.opened(lesson, view, None if sheet.answers else hidden)
        return cls(context, sheet, hidden, anchor)

    def __len__(self) -> int:
        """How many chunks it has."""
        return 1 + sum(last - first + 3 for _, first, last in self.phases) + self.trains

    @property
    def phases(self) -> tuple[tuple[str, int, int], ...]:
        """The phases that are wanted, each with its first and its last step."""
        return tuple(part for part in self.context.walk.phases() if part[0] in self.sheet.phases)

    @property
    def trains(self) -> bool:
        """Whether the lesson's training is a part of it."""
        return False

    @property
    def answers(self) -> Hidden | None:
        """What is filled in and marked."""
        return self.hidden if self.sheet.answers else None

    @property
    def lines(self) -> Line:
        """What writes its formulas."""
        context, answers = self.context, self.answers
        dialect = partial(Answered, answers) if answers else Unnamed
        return Line(context.alphabet, context.decimals, context.hidden, dialect, context.trace)

    @property
    def source(self) -> str:
        """Everything that its scenario holds."""
        raise NotImplementedError

    @property
    def content_hash(self) -> str:
        """The first letters of a hash over that: same content, same letters."""
        return hashlib.sha256(self.source.encode("utf-8")).hexdigest()[:10]

    @property
    def notation(self) -> str:
        """The notation, where the document says which it is."""
        raise NotImplementedError

    @property
    def remarks(self) -> tuple[str, ...]:
        """What else there is to say of its numbers, as sentences."""
        return (told(self.context.lesson.changes),)

    @property
    def made_from(self) -> str:
        """The line that says what the file was made from."""
        context, sheet = self.context, self.sheet
        parts = (
            f"Made from the scenario {context.lesson.scenario.id} ({self.content_hash})",
            sheet.version, context.variant, f"grain {context.view.grain}", self.notation,
            counted(context.decimals, "decimal"), f"Backprop Tutor {rendering.version()}",
            sheet.address,
        )  # fmt: skip
        made = f"{', '.join(filter(None, parts))}."
        return " ".join(filter(None, (made, *self.remarks)))

    @property
    def content(self) -> tuple[object, ...]:
        """What a worksheet and its key have in common, and no other has."""
        raise NotImplementedError

    @property
    def mark(self) -> str:
        """The version mark that a worksheet and its key have in common."""
        if not self.sheet.blanks:
            return ""
        return hashlib.sha256(repr(self.content).encode("utf-8")).hexdigest()[:8]

    def id(self, name: str) -> str:
        """The id of a part of the document, which no other part of the file has."""
        return f"{self.anchor}-{name}" if self.anchor else name

    @property
    def chapters(self) -> tuple[Chapter, ...]:
        """The contents; a document among several has none."""
        if self.anchor:
            return ()
        wanted = {PHASE_TITLES[phase] for phase, _, _ in self.phases}
        return tuple(chapter for chapter in self.outline() if chapter.title in wanted)

    def chunks(self) -> Iterator[str]:
        """The document piece by piece: its top, then each phase step by step."""
        context = self.context
        formulas = self.writer(
            context.trace, context.alphabet, context.decimals, context.hidden, self.lines
        )
        yield rendering.template("worked_head.html").render(page=self.head())
        for phase, first, last in self.phases:
            yield rendering.template("worked_phase.html").render(
                id=self.id(phase), title=PHASE_TITLES[phase], about=self.about(phase)
            )
            pictures: list[tuple[int, Drawing]] = []
            for n in range(first, last + 1):
                body = self.body(n, formulas)
                pictures += [(n, self.picture(body))] if self.sheet.interactive else []
                yield self._step(body)
            yield rendering.template("worked_end.html").render(end=self._end(phase, last, pictures))
        if self.trains:
            yield self.training()

    def is_open(self, q: Quantity) -> bool:
        """Whether a number is left open, or filled in and marked."""
        return self.hidden is not None and self.hidden(q)

    def _step(self, body: StepBody) -> str:
        """A step; one that is left open has its result to fill in."""
        open_ = self.is_open(body.step.anchor)
        names = {"uses": _names(body.uses), "makes": _names(body.makes)}
        return rendering.template("worked_step.html").render(
            id=self.id(f"step-{body.n}"),
            step=body,
            blank=open_,
            answer=open_ and self.sheet.answers,
            names=names if self.sheet.interactive else None,
        )

    def _end(self, phase: str, last: int, pictures: list[tuple[int, Drawing]]) -> End:
        """The end of a phase."""
        after: Markup | str = ""
        if self.sheet.interactive or phase in self.drawn_after:
            drawing = self.picture_after(phase, last)
            pictures = [*pictures, (last + 1, drawing)]
            after = together(pictures, last + 1) if self.sheet.interactive else drawing.svg
        return End(self.tables(last), after, self.drawn)

    # What a lesson of each sort has of its own

    def head(self) -> Head:
        """The top of the document: what it is, what it was made from, what is given."""
        raise NotImplementedError

    def outline(self) -> Iterable[Chapter]:
        """The places of all phases."""
        raise NotImplementedError

    def about(self, phase: str) -> str:
        """What happens in a phase."""
        raise NotImplementedError

    def body(self, n: int, formulas: Any) -> StepBody:
        """Step n as the document says it. On paper the long reason stands once, at the first step
        of its kind; a file to step through has it at each.
        """
        raise NotImplementedError

    def picture(self, body: StepBody) -> Drawing:
        """The diagram of a step, as its page has it."""
        raise NotImplementedError

    def picture_after(self, phase: str, last: int) -> Drawing:
        """The diagram behind the last step of a phase."""
        raise NotImplementedError

    def tables(self, last: int) -> StepTables:
        """The tables of a phase, of which `last` is the last step, full."""
        raise NotImplementedError

    def training(self) -> str:
        """The training of the lesson, where that is a part of it."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Paper(AnyPaper):
    """A network under a view as a sheet."""

    context: Context
    opened = Context
    writer = FormulaWriter

    @property
    def trains(self) -> bool:
        """Of a worksheet it is not."""
        return not self.sheet.blanks and trains(self.context, self.sheet.phases)

    @property
    def source(self) -> str:
        scenario = self.context.lesson.scenario
        models = (
            scenario.network, scenario.data, scenario.training, scenario.notation, scenario.display,
        )  # fmt: skip
        parts = (model.model_dump_json() for model in models)
        return "\n".join((scenario.id, scenario.title, scenario.about, *parts))

    @property
    def notation(self) -> str:
        return f"notation {self.context.notation.preset}"

    @property
    def remarks(self) -> tuple[str, ...]:
        context = self.context
        changes = told(context.lesson.changes)
        return context.batch, changes, "" if self.sheet.blanks else unnamed(context)

    @property
    def content(self) -> tuple[object, ...]:
        context, sheet = self.context, self.sheet
        return (
            self.content_hash, context.view.query(), context.lesson.iteration,
            sheet.blanks, sheet.phases, sheet.version,
        )  # fmt: skip

    def head(self) -> Head:
        context, sheet, scenario = self.context, self.sheet, self.context.lesson.scenario
        chapters = self.chapters
        if self.trains and chapters:
            curves = PlaceLink("curves and pictures", (), f"#{TRAINING}", current=False, n=0)
            chapters += (Chapter(training_title(scenario), (curves,)),)
        return Head(
            scenario.title, sheet.title, scenario.source, scenario.about,
            self.made_from, self.mark,
            draw(beginning(context)), tuple(given(context)), facts(context), chapters,
            self.anchor, self.drawn,
        )  # fmt: skip

    def outline(self) -> Iterable[Chapter]:
        return outline(places(self.context.walk, self.context.line), 1, place_of)

    def about(self, phase: str) -> str:
        return PHASE_ABOUT[phase]

    def body(self, n: int, formulas: FormulaWriter) -> StepBody:
        """A worksheet does not give results away in words."""
        body, sheet = step_body(self.context, n, formulas), self.sheet
        body = replace(body, parts=tuple(replace(part, open=True) for part in body.parts))
        body = body if sheet.interactive else replace(body, reason="")
        if self.hidden is None:
            return replace(body, slide=_differing(body.slide))
        body = replace(body, slide=None, notes=())
        anchor = body.step.anchor
        telling = self.is_open(anchor) and not sheet.answers and _tells(anchor.of)
        return replace(body, why="", term=None) if telling else body

    def picture(self, body: StepBody) -> Drawing:
        step = self.context.step(body.n)
        return drawing(scene(TableMaker(self.context, step, body.uses, body.makes), body.title))

    def picture_after(self, phase: str, last: int) -> Drawing:
        caption = f"The network after the phase: {PHASE_TITLES[phase].lower()}"
        return drawing(scene(self._maker(last), caption))

    def tables(self, last: int) -> StepTables:
        return tables(self._maker(last))

    def training(self) -> str:
        part = training_section(self.context, self.id(TRAINING))
        return rendering.template("worked_training.html").render(part=part)

    def _maker(self, last: int) -> TableMaker:
        return TableMaker(self.context, self.context.step(last), whole=True, answers=self.answers)


def place_of(n: int) -> str:
    """Where step n stands in a file."""
    return f"#step-{n}"


def _tells(kind: Kind) -> bool:
    """Whether the explanation of such a step would give its result away: updates, and the fall of
    the loss.
    """
    return kind.phase == UPDATE or not kind.contract


def _differing(slide: SlideView | None) -> SlideView | None:
    """What the slides say of a step: remarks, and the printed numbers that do not agree."""
    if slide is None:
        return None
    pairs = [pair for pair in zip(slide.numbers, slide.symbols, strict=True) if not pair[0].agrees]
    numbers, symbols = tuple(entry for entry, _ in pairs), tuple(symbol for _, symbol in pairs)
    return (
        replace(slide, numbers=numbers, symbols=symbols, more=0)
        if numbers or slide.remarks or slide.closed_forms
        else None
    )


def _names(quantities: frozenset[Quantity]) -> str:
    return " ".join(sorted(map(str, quantities)))


def page_heading(heading: str) -> str:
    """The heading and the number of each printed page."""
    return (
        "\n@page { "
        f"@top-left {{ content: {rendering.css_string(heading)}; font: 9pt sans-serif; }} "
        "@bottom-right { content: counter(page) ' / ' counter(pages); font: 9pt sans-serif; } }\n"
    )


def unnamed(context: Context) -> str:
    """That numbers of the slides which agree are not named in a file, where there are such."""
    agree = any(entry.agrees for slide in context.slides.values() for entry in slide.numbers)
    return "Where a number on the slides differs, the step says so." if agree else ""


# ---- A class set: versions of a worksheet and then their answer keys, in one file to print ----
#
#     class_set(title, papers, sheet, seed) -> chunks of the file
#
# First comes a page that lists them, then all worksheets, then all keys, so that what students get
# is one stack of paper. Each begins on a new page, and every page says at its top which one it
# belongs to.


@dataclass(frozen=True, slots=True)
class Cover:
    """The first page."""

    title: str
    what: str
    source: str
    seed: int
    versions: tuple[tuple[str, str, str], ...]
    """(where a worksheet stands, where its key stands, the mark that both have)"""


def class_set(
    title: str,
    papers: Sequence[Callable[[Sheet, str], AnyPaper]],
    sheet: Sheet,
    seed: int,
) -> Iterator[str]:
    """The file in chunks; of each version 1, 2, … what makes a sheet of it at a place. Raises
    LessonError before the first one where it cannot be made.
    """

    def made(*, answers: bool) -> tuple[AnyPaper, ...]:
        place = "key" if answers else "worksheet"
        return tuple(
            paper(
                replace(sheet, answers=answers, version=f"version {n} of seed {seed}"),
                f"{place}-{n}",
            )
            for n, paper in enumerate(papers, 1)
        )

    return _chunks(title, made(answers=False), made(answers=True), seed)


def _chunks(
    title: str, sheets: tuple[AnyPaper, ...], keys: tuple[AnyPaper, ...], seed: int
) -> Iterator[str]:
    papers = (*sheets, *keys)
    what = (
        "One worksheet with its answer key"
        if len(sheets) == 1
        else f"{len(sheets)} worksheets with their answer keys"
    )
    cover = Cover(
        title, what, sheets[0].context.lesson.scenario.source, seed, tuple(map(_line, sheets, keys))
    )
    top = rendering.template("worked_cover.html").render(page=cover)
    rules = "".join(_rule(title, paper) for paper in papers)
    yield opening(f"{title} – {what}", rules, css=papers[0].css) + top
    bodies = chain.from_iterable(chain(paper.chunks(), ["</article>\n"]) for paper in papers)
    yield from budget.foreseen(bodies, sum(map(len, papers)) + len(papers))
    yield closing()


def _line(sheet: AnyPaper, key: AnyPaper) -> tuple[str, str, str]:
    """What the cover says of a version."""
    return sheet.anchor, key.anchor, sheet.mark


def _rule(title: str, paper: AnyPaper) -> str:
    """Pages of its own for a document, with its name at their top."""
    name, heading = (
        paper.anchor,
        rendering.css_string(f"{title} – {paper.sheet.kind}, {paper.sheet.version}"),
    )
    return (
        f"\n@page {name} {{ @top-left {{ content: {heading}; font: 9pt sans-serif; }} }}"
        f" #{name} {{ page: {name}; }}"
    )
