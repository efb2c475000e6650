"""What an author wants to know about a scenario file: is it valid, does it run, does it agree with
what the slides print?

`check(path)` and `check_text(text, where)` go further than `reader`: they compute the lesson and
compare every printed number and every closed form, with the line of each that needs a word.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from tutor.catalogue import folder
from tutor.errors import TutorError
from tutor.lesson.dataset import DataError
from tutor.lesson.opening import opened
from tutor.lesson.slides import closed_form, compare
from tutor.lesson.walk import AnyLesson
from tutor.number import counted, exact
from tutor.scenario import reader, strict_yaml
from tutor.scenario.model import Check, Printed
from tutor.scenario.problem import Path, ScenarioError, quotable
from tutor.scenario.reader import Scenario

MENDING = "; say why in a slip, or in left_open where the lecture leaves it open"


def check(path: str) -> AnyLesson:
    """The lesson of a file. Raises ScenarioError with every problem, also of what only the computed
    numbers show.
    """
    where = quotable(path, 300)
    return check_text(strict_yaml.decode(reader.read(path, where), where), where)


def check_text(text: str, where: str) -> AnyLesson:
    """The same for a text; `where` names it in the messages."""
    found = reader.parse(text, where)
    document = strict_yaml.load(text, where)
    try:
        lesson = opened(found)
    except DataError as error:
        raise ScenarioError([document.problem(error.path, str(error))]) from None
    except TutorError as error:
        key = "network" if isinstance(found, Scenario) else "graph"
        raise ScenarioError([document.problem((key,), str(error))]) from None
    problems = [document.problem(place, message) for place, message in disagreeing(lesson)]
    if problems:
        raise ScenarioError(problems)
    return lesson


def summary(lesson: AnyLesson) -> str:
    """A valid lesson in a few words: shape, steps, and whether it ends early."""
    steps, stop = len(lesson.walk("number")), lesson.stop
    words = f"{lesson.shape}, {counted(steps, 'step')}"
    if stop:
        words += f", ends early at {stop.quantity}"
    refusal = folder.unfit(PurePath(lesson.scenario.where).name)
    if refusal:
        words += f"; it is not in the gallery: {refusal}"
    return words


def disagreeing(lesson: AnyLesson) -> Iterator[tuple[Path, str]]:
    """Every printed number and closed form that the computed lesson does not agree with, as (path,
    message).
    """
    for n, entry in enumerate(lesson.scenario.printed):
        yield from _printed(("printed", n), entry, lesson)
    for n, form in enumerate(lesson.scenario.checks):
        yield from _closed_form(("checks", n), form, lesson)


def _printed(path: Path, entry: Printed, lesson: AnyLesson) -> Iterator[tuple[Path, str]]:
    name = "quantity" if entry.quantity else "expression"
    try:
        slide = compare(entry, lesson.trace, lesson.read)
    except (KeyError, ArithmeticError, TutorError) as error:
        yield (*path, name), _not_computed(lesson, error)
        return
    ours = _ours(entry, slide.computed)
    if not slide.agrees and not slide.why:
        yield (
            (*path, "value"),
            f"the slide prints {entry.value}, but the engine has {ours}{MENDING}",
        )
    if slide.agrees and entry.slip:
        yield (
            (*path, "slip"),
            f"{entry.value} agrees with the engine's {ours}, so there is no slip to explain",
        )
    if slide.agrees and entry.left_open:
        yield (
            (*path, "left_open"),
            f"{entry.value} agrees with the engine's {ours}, so nothing is left open",
        )


def _ours(entry: Printed, computed: float) -> str:
    return f"{exact(100 * computed)}%" if entry.percent else exact(computed)


def _closed_form(path: Path, form: Check, lesson: AnyLesson) -> Iterator[tuple[Path, str]]:
    try:
        found = closed_form(form, lesson.trace, lesson.read)
    except (KeyError, ArithmeticError, TutorError) as error:
        yield (*path, "equals"), _not_computed(lesson, error)
        return
    if not found.agrees:
        yield (
            (*path, "equals"),
            f"gives {exact(found.value)}, but the engine has another number for {form.quantity}",
        )


def _not_computed(lesson: AnyLesson, error: Exception) -> str:
    stop = lesson.stop
    return (
        f"cannot be compared: the lesson ends at {stop.quantity}"
        if stop
        else f"cannot be computed: {error}"
    )
