"""The command line: `python -m tutor list | validate | trace | steps | export | site | prune`.

What was asked for goes to stdout, what is wrong to stderr. The status is 0, or 2 where something
could not be done.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tutor import limits
from tutor.cli import export, prune, shelf, site, transcript
from tutor.cli.export import NOTATIONS, bounded, notation_of
from tutor.cli.graph_transcript import graph_paragraphs
from tutor.errors import SettingError, StoreError, TutorError
from tutor.export import data, graph_files, rendering
from tutor.lesson import graph_words
from tutor.lesson.explain import explain_stop
from tutor.lesson.graph_lesson import GraphLesson
from tutor.lesson.opening import opened
from tutor.lesson.titles import capital
from tutor.lesson.walk import GRAINS, AnyLesson, Lesson
from tutor.notation.conventions import notation
from tutor.number import MAX_DECIMALS
from tutor.scenario import reader
from tutor.scenario.problem import ScenarioError

FAILED = 2

ABOUT = "Use the lessons of Backprop Tutor without a browser."
EXAMPLE = """\
for example:
  python -m tutor list
  python -m tutor steps scenarios/1-2-3-1-sigmoid.yaml --grain layer
  python -m tutor trace scenarios/1-2-3-1-sigmoid.yaml > trace.json
  python -m tutor validate scenarios/
  python -m tutor export scenarios/1-2-3-1-sigmoid.yaml --to worksheet --variants 3 --seed 7
  python -m tutor site --out public/
  python -m tutor prune --older-than 365 --dry-run

The status is 0, or 2 where something could not be done; the reason is on stderr. \
`make run` starts the tutor for a browser.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its status. Bad usage raises SystemExit(2), as argparse does."""
    wanted = parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = wanted.command
    try:
        limits.check()
        status = command(wanted)
        sys.stdout.flush()
    except ScenarioError as error:
        complain(*map(str, error.problems))
    except (SettingError, StoreError) as error:
        complain(str(error))
    except TutorError as error:
        complain(f"{wanted.file}: {error}")
    except OSError as error:
        complain(f"the output cannot be written: {error.strerror}")
    except KeyboardInterrupt:
        return 130
    else:
        return status
    return FAILED


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(
        "python -m tutor",
        description=ABOUT,
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"backprop-tutor {rendering.version()}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)

    def add(
        name: str, command: Callable[[argparse.Namespace], int], about: str
    ) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name, help=about, description=f"{capital(about)}.", allow_abbrev=False
        )
        made.set_defaults(command=command)
        return made

    listing = add(
        "list", shelf.list_lessons, "list the courses and lessons of the shelf: id, shape, title"
    )
    listing.add_argument(
        "folder",
        metavar="FOLDER",
        nargs="?",
        type=Path,
        help="default: scenarios/ and the folder that SHELF names",
    )
    validating = add(
        "validate",
        shelf.validate,
        "check scenario and course files and list every problem with its line",
    )
    validating.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="a scenario file, a course.yaml, or a folder of them",
    )
    tracing = add("trace", trace, "print every quantity of one iteration as one JSON object")
    stepping = add("steps", steps, "print the walk as text, step by step")
    exporting = add(
        "export", export.export, "write a lesson as a file: worked solution, worksheet, code, data"
    )
    for command in (tracing, stepping, exporting):
        command.add_argument("file", metavar="FILE", help="a scenario file")
        command.add_argument(
            "--iteration",
            type=bounded(1, limits.ITERATIONS),
            default=1,
            metavar="N",
            help="default: 1",
        )
    export.add_options(exporting)
    site.add_options(
        add("site", site.site, "write the lessons as a folder of pages for any static host")
    )
    prune.add_options(
        add("prune", prune.prune, "remove saved lessons that nobody has opened for a long time")
    )
    stepping.add_argument("--grain", choices=GRAINS, default="number", help="default: number")
    stepping.add_argument("--notation", choices=NOTATIONS, help="default: the lesson's own")
    export.add_input_gradients(stepping)
    for command in (tracing, stepping):
        export.add_scaling(command)
    stepping.add_argument(
        "--decimals", type=bounded(0, MAX_DECIMALS), metavar="N", help="default: the lesson's own"
    )
    return top


def trace(wanted: argparse.Namespace) -> int:
    """The quantities as JSON; what is not in there is said on stderr too."""
    lesson = lesson_of(wanted)
    if isinstance(lesson, GraphLesson):
        sys.stdout.writelines(graph_files.graph_json(lesson))
        if lesson.stop:
            said = graph_words.explain_stop(lesson.trace, lesson.stop)
            complain(f"{wanted.file}: {lesson.stop.quantity}: {said}")
        return 0
    assert isinstance(lesson, Lesson)
    out_of_range = data.write(lesson, sys.stdout)
    if out_of_range:
        complain(
            f"{wanted.file}: left out, because it is larger than a 64-bit number can hold: "
            f"{', '.join(out_of_range)}"
        )
    if lesson.trace.stop:
        stop = lesson.trace.stop
        complain(f"{wanted.file}: {stop.quantity}: {explain_stop(lesson.trace, stop)}")
    return 0


def steps(wanted: argparse.Namespace) -> int:
    """The walk, a paragraph a step."""
    lesson = lesson_of(wanted)
    decimals = lesson.scenario.display.decimals if wanted.decimals is None else wanted.decimals
    chosen = notation_of(lesson.scenario, wanted.notation)
    if isinstance(lesson, GraphLesson):
        found = graph_paragraphs(lesson, wanted.grain, chosen, decimals)
    else:
        assert isinstance(lesson, Lesson)
        own = lesson.scenario.notation
        written = notation(chosen) if chosen else notation(own.preset, own.overrides)
        found = transcript.paragraphs(lesson, wanted.grain, written, decimals)
    for n, paragraph in enumerate(found):
        sys.stdout.write(paragraph if n == 0 else "\n" + paragraph)
    return 0


def lesson_of(wanted: argparse.Namespace) -> AnyLesson:
    """The lesson of a file at the iteration asked for."""
    inputs = getattr(wanted, "input_gradients", None)
    return opened(reader.load(wanted.file), wanted.iteration, inputs, wanted.scaling)


def complain(*lines: str) -> None:
    """What is wrong."""
    sys.stderr.writelines(line + "\n" for line in lines)
