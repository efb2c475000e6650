"""`python -m tutor list` and `validate`: the lessons as the gallery shows them, and the files
before it does.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from tutor.catalogue import course, folder, shelf
from tutor.catalogue.shelf import OTHERS, Shelf
from tutor.lesson import validation
from tutor.number import counted
from tutor.scenario import reader, strict_yaml
from tutor.scenario.problem import Problem, ScenarioError, quotable
from tutor.scenario.reader import AnyScenario, Scenario

FAILED = 2


def list_lessons(wanted: argparse.Namespace) -> int:
    """A line for each lesson below its course and group, whose lines begin with #; broken files on
    stderr.
    """
    found = (
        shelf.open_shelf([wanted.folder], shelf.configured())
        if wanted.folder
        else shelf.open_shelf(shelf.configured())
    )
    sys.stdout.writelines(line + "\n" for line in listing(found))
    complain(*(str(problem) for file in found.broken for problem in file.problems))
    if not (found.lessons or found.broken):
        complain(f"{wanted.folder or 'the shelf'}: there is no scenario file in this folder")
    return FAILED if found.broken else 0


def listing(found: Shelf) -> Iterator[str]:
    """The shelf as lines of text: id, shape and title of each lesson."""
    ids = max((len(lesson.id) for lesson in found.lessons), default=0)
    widest = max((len(shape(lesson)) for lesson in found.lessons), default=0)

    def lines(lessons: tuple[AnyScenario, ...]) -> Iterator[str]:
        yield from (
            f"{lesson.id:<{ids}}  {shape(lesson):<{widest}}  {lesson.title}" for lesson in lessons
        )

    for each in found.courses:
        yield from [f"# {each.title}"] if len(found.courses) > 1 or each.title != OTHERS else []
        for group in each.groups:
            yield from [f"## {group.title}"] if group.title else []
            yield from lines(group.lessons)
    if found.hidden:
        yield "# Not in the gallery"
        yield from lines(found.hidden)


def shape(lesson: AnyScenario) -> str:
    """The sizes of a network, 1-2-3-1; of a formula the word graph."""
    return "-".join(map(str, lesson.network.sizes)) if isinstance(lesson, Scenario) else "graph"


def validate(wanted: argparse.Namespace) -> int:
    """A line for each valid file; every problem of the others on stderr."""
    good = True
    for given in wanted.files:
        names, problems = files(given)
        complain(*map(str, problems))
        good = all([not problems, *map(sound, names)]) and good
    return 0 if good else FAILED


def sound(name: str) -> bool:
    """Say whether a file is valid, or why it is not."""
    try:
        is_course = course.is_course(os.path.basename(name))  # noqa: PTH119
        words = course_words(name) if is_course else lesson_words(name)
    except ScenarioError as error:
        complain(*map(str, error.problems))
        return False
    sys.stdout.write(f"{quotable(name, 300)}: ok ({words})\n")
    return True


def files(given: str, deeper: int = 1) -> tuple[list[str], list[Problem]]:
    """The file itself, or of a folder what the gallery would read of it and of the folders directly
    inside; and what is left out.
    """
    where = quotable(given, 300)
    if not os.path.isdir(given):  # noqa: PTH112  (a name of any kind)
        return [given], []
    try:
        listing = folder.listed(given)
    except OSError as error:
        return [], [Problem(where, 0, "", f"the folder cannot be read: {folder.reason(error)}")]
    names = [str(Path(given, name)) for name in sorted(listing.stamps)]
    problems = [Problem(where, 0, "", message) for message in folder.left_out(listing)]
    for name in listing.folders if deeper else ():
        more, others = files(str(Path(given, name)), deeper - 1)
        names, problems = names + more, problems + others
    if deeper and not (names or problems):
        problems = [Problem(where, 0, "", "there is no scenario file in this folder")]
    return names, problems


def lesson_words(name: str) -> str:
    """The summary of a valid scenario file."""
    return validation.summary(validation.check(name))


def course_words(name: str) -> str:
    """The summary of a valid course file. Raises ScenarioError with all its problems, unknown
    lessons among them.
    """
    where = quotable(name, 300)
    found = course.read(strict_yaml.decode(reader.read(name, where), where), where)
    own = {
        id_
        for file in folder.listed(str(Path(name).parent)).stamps
        if (id_ := reader.scenario_id(file))
    }
    served = {lesson.id for lesson in shelf.open_shelf(shelf.configured()).lessons}
    problems = found.unknown(own | served, own)
    if problems or found.file is None:
        raise ScenarioError(problems)
    groups, lessons = len(found.file.groups), len(found.named)
    return f"a course: {counted(groups, 'group')}, {counted(lessons, 'lesson')} listed"


def complain(*lines: str) -> None:
    """What is wrong."""
    sys.stderr.writelines(line + "\n" for line in lines)
