"""`python -m tutor export`: a lesson as a file, or as several versions of it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from tutor import number
from tutor.engine.kinds import PHASES
from tutor.errors import LessonError
from tutor.export.registry import (
    KINDS,
    MOST_SEED,
    MOST_VERSIONS,
    SET_VERSIONS,
    ExportOrder,
    Made,
    make,
)
from tutor.lesson.opening import opened
from tutor.lesson.walk import GRAINS
from tutor.notation.conventions import PRESETS
from tutor.notation.node_names import DERIVATIVES, TOTAL
from tutor.number import MAX_DECIMALS
from tutor.pages.graph_view import GraphView
from tutor.pages.view import View
from tutor.scenario import reader
from tutor.scenario.reader import AnyScenario, Scenario

NOTATIONS = (*PRESETS, *DERIVATIVES)
"""Those of networks, and those of formulas."""


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `export`, beside FILE and --iteration."""
    command.add_argument("--to", choices=KINDS, required=True, help="what to make of the lesson")
    command.add_argument(
        "-o",
        "--out",
        metavar="OUT",
        help="file or folder to write; - for standard output; default: named after the lesson",
    )
    command.add_argument("--force", action="store_true", help="overwrite a file that exists")
    command.add_argument("--grain", choices=GRAINS, default="number", help="default: number")
    command.add_argument(
        "--notation", choices=NOTATIONS, default="", help="default: the lesson's own"
    )
    command.add_argument(
        "--decimals", type=bounded(0, MAX_DECIMALS), metavar="N", help="default: the lesson's own"
    )
    add_input_gradients(command)
    add_scaling(command)
    command.add_argument(
        "--phases", nargs="+", choices=PHASES, default=list(PHASES), help="default: all"
    )
    command.add_argument(
        "--blanks",
        default="all",
        help="what a worksheet leaves open: all, a phase, or every:3; default: all",
    )
    several = (
        "N versions with new numbers, one file each or, as a class-set, all in one; needs --seed"
    )
    command.add_argument("--variants", type=bounded(1, MOST_VERSIONS), metavar="N", help=several)
    command.add_argument(
        "--seed",
        type=bounded(0, MOST_SEED),
        metavar="S",
        help="the same seed always gives the same numbers",
    )


def add_input_gradients(command: argparse.ArgumentParser) -> None:
    """The option of whatever walks through a lesson."""
    about = (
        "whether derivatives of the loss with respect to the inputs are steps; "
        "default: as the lesson says"
    )
    command.add_argument("--input-gradients", action=argparse.BooleanOptionalAction, help=about)


def add_scaling(command: argparse.ArgumentParser) -> None:
    """The option of whatever starts from the data."""
    about = (
        "whether a lesson that scales its inputs begins with the steps that do it; default: it does"
    )
    command.add_argument(
        "--scaling", action=argparse.BooleanOptionalAction, default=True, help=about
    )


def bounded(least: int, most: int) -> Callable[[str], int]:
    """A reader of whole numbers within bounds."""

    def read(text: str) -> int:
        value = number.whole(text, least, most)
        if value is None:
            said = number.not_whole(text, least, most)
            raise argparse.ArgumentTypeError(f"{text[:40]!r} {said}")
        return value

    return read


def export(wanted: argparse.Namespace) -> int:
    """Write the file, or one for each version where one file does not hold them all; print the name
    of each file written.
    """
    if wanted.variants and wanted.seed is None:
        raise LessonError("--variants needs a --seed, so that the same sheets can be made again")
    one = KINDS[wanted.to].several
    if wanted.out == "-" and (wanted.variants or 1) > 1 and not one:
        raise LessonError("only one file fits on standard output; leave out -o - to write several")
    lesson = reader.load(wanted.file)
    view = _view(lesson, wanted)
    phases = tuple(phase for phase in PHASES if phase in wanted.phases)
    order = ExportOrder(
        phases, wanted.blanks, wanted.seed, versions=wanted.variants or SET_VERSIONS
    )
    lesson_ = opened(lesson, view.iteration, view.input_gradients, view.scaling)
    for version in range(1, 2 if one else (wanted.variants or 1) + 1):
        chosen = replace(order, version=version)
        write(make(lesson_, wanted.to, view, chosen), wanted.out, wanted.force)
    return 0


def _view(scenario: AnyScenario, wanted: argparse.Namespace) -> View:
    """How the lesson is looked at. Raises LessonError where it has no such choice."""
    notation = notation_of(scenario, wanted.notation)
    if isinstance(scenario, Scenario):
        return View(
            wanted.grain, notation, wanted.decimals,
            wanted.iteration, input_gradients=wanted.input_gradients,
            scaling=wanted.scaling and scenario.data.scale is not None,
        )  # fmt: skip
    return GraphView(wanted.grain, notation, wanted.decimals, wanted.iteration)


def notation_of(scenario: AnyScenario, asked: str | None) -> str:
    """The notation that is asked for, "" for the lesson's own. Raises LessonError where this sort
    of lesson has no such notation.
    """
    what, own, known = (
        ("network", scenario.notation.preset, tuple(PRESETS))
        if isinstance(scenario, Scenario)
        else ("formula", TOTAL, tuple(DERIVATIVES))
    )
    if asked and asked not in known:
        raise LessonError(f"a {what} has no notation {asked!r}; it has {', '.join(known)}")
    return asked if asked and asked != own else ""


def write(made: Made, out: str | None, force: bool) -> None:
    """Write one file; nothing is left behind where it cannot be finished."""
    if out == "-":
        sys.stdout.writelines(made.chunks)
        return
    path = target(made, out)
    if path.exists() and not force:
        raise LessonError(f"{path} exists already; --force overwrites it")
    chunks = started(made.chunks)
    draft = path.with_name(path.name + ".part")
    try:
        with draft.open("w", encoding="utf-8", newline="") as file:
            file.writelines(chunks)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    sys.stdout.write(f"{path}\n")


def started(chunks: Iterator[str]) -> Iterator[str]:
    """The chunks with the first already made: what is wrong shows before a file is opened."""
    first = next(chunks, "")

    def rest() -> Iterator[str]:
        yield first
        yield from chunks

    return rest()


def target(made: Made, out: str | None) -> Path:
    """Where the file goes: the name asked for, or its own name in the folder asked for or the
    current one.
    """
    path = Path(out or ".")
    return path / made.name if path.is_dir() else path
