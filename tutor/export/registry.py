"""Exports: every kind of file that a lesson can become, with its name and its maker.

    make(lesson, view, order) -> Made(name, media type, chunks)

The registry that the export page, the download address and the command line share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from tutor import budget, limits, suggestion
from tutor.engine.kinds import PHASES, phases_of
from tutor.errors import LessonError
from tutor.export import data as data_export
from tutor.export import (
    file_name,
    graph_scripts,
    latex_document,
    notebook,
    numpy_script,
    run_notebook,
    run_script,
    torch_script,
)
from tutor.export.graph_files import (
    GraphPaper,
    graph_csv,
    graph_json,
    graph_latex,
    graph_worked,
)
from tutor.export.worked import (
    AnyPaper,
    Paper,
    Sheet,
    class_set,
    refuse_endless,
    unreadable_blanks,
    worked,
)
from tutor.lesson.changes import Change
from tutor.lesson.graph_lesson import GraphLesson, open_graph
from tutor.lesson.graph_variants import graph_variant, graph_variants
from tutor.lesson.variants import variant, variants
from tutor.lesson.walk import AnyLesson, Lesson, open_lesson
from tutor.number import counted
from tutor.pages.context import Context
from tutor.pages.graph_context import GraphContext
from tutor.pages.graph_view import GraphView
from tutor.pages.view import IGNORED, Ignored, View, unknown, whole
from tutor.scenario.problem import quotable

MOST_VERSIONS = 100
NUMBERS_A_MILLISECOND = 250
"""How many numbers of a JSON or CSV file count as a millisecond of LIMIT_FILE_MILLISECONDS (a quiet
core writes 400 to 700). Counted, not measured: the same file is always made or always refused. The
command line knows no limit.
"""
MOST_SEED = 2**32 - 1
STEPS_OF_A_TOP = 10
"""As many steps as the top and the tables of a worksheet take to make."""
SET_VERSIONS = 4
SET_SEED = 1
"""A class set has numbers of its own in any case."""


@dataclass(frozen=True, slots=True)
class ExportOrder:
    """What is wanted of an export beside the view."""

    phases: tuple[str, ...] = PHASES
    blanks: str = "all"
    """What a worksheet and its key leave open."""
    seed: int | None = None
    """With a seed, new friendly numbers; `version` counts the versions of one seed."""
    version: int = 1
    versions: int = SET_VERSIONS
    """How many of them a class set has."""
    address: str = ""
    most: int | None = None
    """How many numbers may be drawn for new versions; None for as many as it takes."""


@dataclass(frozen=True, slots=True)
class FileKind:
    """One kind of export."""

    key: str
    title: str
    about: str
    ending: str
    media: str
    make: Callable[[Any, Any, ExportOrder], Iterator[str]]
    document: bool = False
    """Whether grain, notation, decimals and phases make a difference."""
    data: bool = False
    """Whether it has every number, whatever is a step."""
    several: bool = False
    """Whether it draws versions itself, and holds them all."""


@dataclass(frozen=True, slots=True)
class Made:
    """A file on its way: its name, its media type and its text in chunks."""

    name: str
    media: str
    chunks: Iterator[str]


def _document(
    write: Callable[[Any, Any, Sheet], Iterator[str]], **choices: bool
) -> Callable[[Any, Any, ExportOrder], Iterator[str]]:
    """A maker of one form of the worked solution."""
    blanks, answers = choices.get("blanks", False), choices.get("answers", False)

    def make(lesson: AnyLesson, view: View, order: ExportOrder) -> Iterator[str]:
        version = f"version {order.version} of seed {order.seed}" if order.seed is not None else ""
        sheet = Sheet(
            order.phases,
            choices.get("interactive", False),
            order.blanks if blanks else "",
            answers,
            version,
            order.address,
        )
        return write(lesson, view, sheet)

    return make


def _class_set(lesson: Lesson, view: View, order: ExportOrder) -> Iterator[str]:
    """Worksheets and keys of all versions."""
    made = variants(lesson.scenario, order.versions, _set_seed(order), order.most)
    lessons = tuple(
        open_lesson(
            version, view.iteration, _kept(lesson), view.input_gradients, scaling=view.scaling
        )
        for version in made
    )
    papers = [partial(Paper.of, version, view) for version in lessons]
    return _papers(lesson, papers, order)


def _graph_class_set(lesson: GraphLesson, view: GraphView, order: ExportOrder) -> Iterator[str]:
    """The same of a formula."""
    made = graph_variants(lesson.scenario, order.versions, _set_seed(order), order.most)
    return _papers(lesson, [partial(GraphPaper.of, open_graph(v), view) for v in made], order)


def _papers(
    lesson: AnyLesson,
    papers: Sequence[Callable[[Sheet, str], AnyPaper]],
    order: ExportOrder,
) -> Iterator[str]:
    sheet = Sheet(order.phases, blanks=order.blanks, address=order.address)
    return class_set(lesson.scenario.title, papers, sheet, _set_seed(order))


def _set_seed(order: ExportOrder) -> int:
    return SET_SEED if order.seed is None else order.seed


def _latex(lesson: Lesson, view: View, order: ExportOrder) -> Iterator[str]:
    refuse_endless(lesson.walk(view.grain))
    return latex_document.document(Context(lesson, view), order.phases)


HTML = "text/html; charset=utf-8"
KINDS: Mapping[str, FileKind] = {
    kind.key: kind
    for kind in (
        FileKind(
            "html", "Worked solution",
            "one HTML file to read or print; works offline",
            "worked.html", HTML, _document(worked), True,
        ),
        FileKind(
            "interactive", "Worked solution, step by step",
            "the same file, to step through",
            "interactive.html", HTML, _document(worked, interactive=True), True,
        ),
        FileKind(
            "worksheet", "Worksheet", "the same document with blanks to fill in",
            "worksheet.html", HTML, _document(worked, blanks=True), True,
        ),
        FileKind(
            "key", "Answer key", "the worksheet with the answers filled in",
            "key.html", HTML, _document(worked, blanks=True, answers=True), True,
        ),
        FileKind(
            "class-set", "Class set",
            "several versions of the worksheet with new numbers, then their keys, "
            "in one file to print",
            "class-set.html", HTML, _class_set, True, several=True,
        ),
        FileKind(
            "numpy", "NumPy script", "a plain script that computes, prints and checks every number",
            "numpy.py", "text/x-python; charset=utf-8",
            lambda lesson, view, order: iter((numpy_script.numpy_script(lesson),)),
        ),
        FileKind(
            "torch", "PyTorch script", "the same with autograd",
            "torch.py", "text/x-python; charset=utf-8",
            lambda lesson, view, order: iter((torch_script.torch_script(lesson),)),
        ),
        FileKind(
            "notebook", "Jupyter notebook", "the NumPy script cell by cell, with explanations",
            "notebook.ipynb", "application/x-ipynb+json",
            lambda lesson, view, order: iter((notebook.notebook(lesson),)),
        ),
        FileKind(
            "numpy-run", "Training run in NumPy",
            "all iterations with their batches, masks and memory; ends with the same weights",
            "numpyrun.py", "text/x-python; charset=utf-8",
            lambda lesson, view, order: iter((run_script.numpy_run(lesson),)),
        ),
        FileKind(
            "notebook-run", "Training run as a notebook",
            "the NumPy run cell by cell, with its curves and the network at the end",
            "run.ipynb", "application/x-ipynb+json",
            lambda lesson, view, order: iter((run_notebook.run_notebook(lesson),)),
        ),
        FileKind(
            "torch-run", "Training run in PyTorch", "the same with autograd and torch.optim",
            "torchrun.py", "text/x-python; charset=utf-8",
            lambda lesson, view, order: iter((run_script.torch_run(lesson),)),
        ),
        FileKind(
            "json", "JSON", "every quantity under its name", "numbers.json", "application/json",
            lambda lesson, view, order: data_export.as_json(lesson), data=True,
        ),
        FileKind(
            "csv", "CSV", "every quantity as a row", "numbers.csv", "text/csv; charset=utf-8",
            lambda lesson, view, order: data_export.as_csv(lesson), data=True,
        ),
        FileKind(
            "latex", "LaTeX", "the formulas as a document",
            "formulas.tex", "application/x-tex; charset=utf-8", _latex, True,
        ),
    )
}  # fmt: skip


_GRAPH_MAKERS: Mapping[str, Callable[[GraphLesson, GraphView, ExportOrder], Iterator[str]]] = {
    "html": _document(graph_worked),
    "interactive": _document(graph_worked, interactive=True),
    "worksheet": _document(graph_worked, blanks=True),
    "key": _document(graph_worked, blanks=True, answers=True),
    "class-set": _graph_class_set,
    "numpy": lambda lesson, view, order: iter((graph_scripts.graph_numpy(lesson),)),
    "torch": lambda lesson, view, order: iter((graph_scripts.graph_torch(lesson),)),
    "notebook": lambda lesson, view, order: iter((graph_scripts.graph_notebook(lesson),)),
    "json": lambda lesson, view, order: graph_json(lesson),
    "csv": lambda lesson, view, order: graph_csv(lesson),
    "latex": lambda lesson, view, order: graph_latex(GraphContext(lesson, view), order.phases),
}
GRAPH_KINDS: Mapping[str, FileKind] = {
    key: replace(KINDS[key], make=maker) for key, maker in _GRAPH_MAKERS.items()
}
"""What a formula can become: the same kinds of files, as far as there is something to put in
them.
"""


def kinds_of(lesson: AnyLesson) -> Mapping[str, FileKind]:
    """What a lesson can become."""
    return GRAPH_KINDS if isinstance(lesson, GraphLesson) else KINDS


def make(lesson: AnyLesson, key: str, view: View, order: ExportOrder) -> Made:
    """An export. Raises LessonError where there is no such kind, or not for this lesson."""
    if key not in KINDS:
        raise LessonError(unknown_kind(key))
    kinds = kinds_of(lesson)
    if key not in kinds:
        raise LessonError(
            f"a formula has no {KINDS[key].title.lower()}; it can become {', '.join(kinds)}"
        )
    kind = kinds[key]
    if kind.several:
        version = f"-s{_set_seed(order)}-v1-{order.versions}"
    else:
        version = f"-s{order.seed}-v{order.version}" if order.seed is not None else ""
        lesson = versioned(lesson, view, order)
    iteration = f"-i{lesson.iteration}" if lesson.iteration > 1 else ""
    stem, dot, ending = kind.ending.partition(".")
    changed = "-changed" if lesson.changes else ""
    name = f"{file_name.stem(lesson.scenario)}{changed}{iteration}-{stem}{version}{dot}{ending}"
    return Made(name, kind.media, kind.make(lesson, view, order))


def unknown_kind(key: str) -> str:
    """What is said of a kind of export that there is not."""
    close = suggestion.meant(key, KINDS)
    meant = f"did you mean {close}? There" if close else "there"
    return f"there is no export called “{quotable(key, 30)}”; {meant} are {', '.join(KINDS)}"


def online(lesson: AnyLesson, key: str, view: View, order: ExportOrder) -> Made:
    """An export as a download. Raises LessonError also where a class set would take too long, and
    OverBudgetError where there are too many numbers.
    """
    if key in KINDS and KINDS[key].data:
        _count(lesson, at_home(lesson, key, view, order))
    refusal = too_long(lesson, key, view, order)
    if refusal:
        raise LessonError(refusal)
    return make(lesson, key, view, replace(order, most=limits.DRAWN))


def _count(lesson: AnyLesson, advice: str) -> None:
    """Decide by how many numbers there are whether a download may hold them all."""
    count = len(lesson.walk("number"))
    most = NUMBERS_A_MILLISECOND * limits.FILE_MILLISECONDS
    if count > most:
        said = f"This file would have {count:,} numbers, and a download has at most {most:,}."
        raise budget.OverBudgetError(f"{said} {advice}")
    budget.counted()


def too_long(lesson: AnyLesson, key: str, view: View, order: ExportOrder) -> str:
    """Why a class set is more than a download may hold, and what to do, or ""."""
    if key not in KINDS or not KINDS[key].several:
        return ""
    steps = sum(
        last - first + 1
        for phase, first, last in lesson.walk(view.grain).phases()
        if phase in order.phases
    )
    version, most = 2 * (steps + STEPS_OF_A_TOP), limits.SHEET_STEPS
    if order.versions * version <= most:
        return ""
    each = counted(steps, "step")
    fewer = (
        f"at most {most // version}, larger steps or fewer phases"
        if version <= most
        else "larger steps or fewer phases"
    )
    return (
        "that is too large for one download: "
        f"{2 * order.versions} sheets of {each}, "
        f"each counted with {STEPS_OF_A_TOP} more for its heading and tables; "
        f"the limit is {most:,}. Take {fewer}, or make the file on your own computer: "
        + _command(lesson, key, view, order)
    )


def at_home(lesson: AnyLesson, key: str, view: View, order: ExportOrder) -> str:
    """How to have a file that is too much for a download."""
    changed = " with your changes in it" if lesson.changes else ""
    return (
        f"To make it on your own computer, take the lesson’s file{changed} and type: "
        f"{_command(lesson, key, view, order)}"
    )


def _command(lesson: AnyLesson, key: str, view: View, order: ExportOrder) -> str:
    """The command that makes the same file."""
    several, plain, own = KINDS[key].several, ExportOrder(), View()
    options = [
        ("--iteration", view.iteration, own.iteration),
        ("--grain", view.grain, own.grain),
        ("--notation", view.notation, own.notation),
        ("--decimals", view.decimals, own.decimals),
        ("--phases", " ".join(order.phases), " ".join(plain.phases)),
        ("--blanks", order.blanks, plain.blanks),
        ("--variants", order.versions if several else order.version, None if several else 1),
        ("--seed", _set_seed(order) if several else order.seed, None),
    ]
    said = [f"{name} {value}" for name, value, usual in options if value != usual]
    if view.input_gradients is not None:
        said.append("--input-gradients" if view.input_gradients else "--no-input-gradients")
    if isinstance(lesson, Lesson) and lesson.scales and not view.scaling:
        said.append("--no-scaling")
    file = file_name.stem(lesson.scenario) + file_name.SUFFIX
    return " ".join([f"python -m tutor export {file} --to {key}", *said])


def versioned(lesson: AnyLesson, view: View, order: ExportOrder) -> AnyLesson:
    """A lesson as it is; with a seed, the version with new friendly numbers, which take the place
    of numbers that a reader changed.
    """
    if order.seed is None:
        return lesson
    if isinstance(lesson, GraphLesson):
        return open_graph(graph_variant(lesson.scenario, order.seed, order.version, order.most))
    assert isinstance(lesson, Lesson)
    return open_lesson(
        variant(lesson.scenario, order.seed, order.version, order.most),
        view.iteration,
        _kept(lesson),
        view.input_gradients,
        scaling=view.scaling,
    )


def _kept(lesson: Lesson) -> tuple[Change, ...]:
    """What a reader changed that new numbers leave as it is."""
    return tuple(change for change in lesson.changes if not change.number)


def read(
    query: Mapping[str, str], phases: tuple[str, ...], *, scaled: bool = False
) -> tuple[ExportOrder, tuple[Ignored, ...]]:
    """What a query wants of an export, and everything in it that makes no sense. `scaled`:
    whether the lesson begins with the scaling of its inputs.
    """
    own = phases_of(scaled=scaled)
    ignored = [
        unknown("phases", phase, own, IGNORED)
        for phase in dict.fromkeys(phases)
        if phase not in own
    ]
    seed = whole(query, "seed", 0, MOST_SEED, None, ignored)
    version = whole(query, "version", 1, MOST_VERSIONS, 1, ignored) or 1
    if version > 1 and not query.get("seed", "").strip():
        reason = f"version {version} has new numbers, which need a seed"
        ignored.append(Ignored(reason, "the lesson’s own numbers stay", field="seed"))
    blanks = query.get("blanks", "").strip() or "all"
    refusal = unreadable_blanks(blanks)
    if refusal:
        ignored.append(Ignored(refusal, "everything is left open"))
    chosen = tuple(phase for phase in own if phase in phases)
    chosen = PHASES if chosen in {(), own} else chosen
    versions = whole(query, "versions", 1, MOST_VERSIONS, SET_VERSIONS, ignored) or SET_VERSIONS
    order = ExportOrder(
        chosen, "all" if refusal else blanks, seed, version if seed is not None else 1, versions
    )
    return order, tuple(ignored)


def with_address(order: ExportOrder, address: str) -> ExportOrder:
    """The same order with the address that the file names as its source."""
    return replace(order, address=address)
