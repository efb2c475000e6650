"""Courses: `course.yaml` in a folder says what its course is called, which groups its lessons form
and in which order.

    read(text, where) -> CourseText     the checked file, or every problem of it; never raises

Whether the lessons that it names exist is known only when all folders have been read;
`CourseText.unknown` says it then. A course is about lessons and holds none, so a broken course file
never hides one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, ValidationError

from tutor import limits, suggestion
from tutor.scenario import messages, strict_yaml
from tutor.scenario.model import About, FormatNumber, Model, Text, Title
from tutor.scenario.problem import Found, Path, Problem, ScenarioError, quotable, written
from tutor.scenario.reader import scenario_id
from tutor.scenario.strict_yaml import Document

NAMES: Final = ("course.yaml", "course.yml")
"""What a course file may be called; the first one that is there is read."""
SUGGESTED = 10
"""For how many unknown names a known one that is close is looked for."""


def _word(text: str) -> str:
    """The name of a lesson as it stands in the file, without white space around it."""
    return text.strip()


Word = Annotated[str, Field(max_length=limits.LINE), AfterValidator(_word)]


class GroupFile(Model):
    """Lessons that belong together, in their order."""

    title: Title
    about: Text | None = None
    lessons: tuple[Word, ...] = Field(min_length=1, max_length=limits.COURSE_LESSONS)


class CourseFile(Model):
    """A whole course file."""

    format: FormatNumber
    title: Title
    about: About | None = None
    order: int | None = Field(None, ge=0, le=10_000)
    groups: tuple[GroupFile, ...] = Field((), max_length=limits.COURSE_GROUPS)
    hidden: tuple[Word, ...] = Field((), max_length=limits.COURSE_LESSONS)


COURSE: Final = messages.Format(CourseFile, {
    "format": "a course file starts with format: 1",
    "title": "give it a name",
    "lessons": "list the ids of the lessons in their order",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    """A lesson that a course file names, and where."""

    id: str
    place: Problem
    """A problem at this place that lacks only its words."""
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class CourseText:
    """A course file as it was read. `file` is None where its shape is not sound; `problems` are
    those of the text alone.
    """

    where: str
    file: CourseFile | None
    problems: tuple[Problem, ...] = ()
    named: tuple[Named, ...] = ()

    def unknown(self, known: Collection[str], own: Collection[str]) -> tuple[Problem, ...]:
        """All problems, with those of the names: `known` are all lessons that there are, `own`
        those of this folder.
        """
        found = list(self.problems)
        closest = SUGGESTED
        for name in self.named:
            if name.id not in known:
                closest -= 1
                meant = _meant(name.id, known) if closest >= 0 else ""
                found.append(
                    _said(name, f"there is no lesson called {quotable(name.id, 80)!r}{meant}")
                )
            elif name.hidden and name.id not in own:
                found.append(
                    _said(
                        name,
                        f"the lesson {name.id} is in another folder; "
                        "a course can hide only lessons in its own folder",
                    )
                )
        return ScenarioError(found).problems if found else ()


def is_course(name: str) -> bool:
    """Whether a file of this name is about a course and is no scenario."""
    return name in NAMES


def read(text: str, where: str) -> CourseText:
    """The course of a text, with everything that is wrong with it."""
    try:
        document = strict_yaml.load(text, where)
    except ScenarioError as error:
        return CourseText(where, None, error.problems)
    if not isinstance(document.data, dict):
        return CourseText(
            where, None, (document.problem((), "expected keys with values, such as format: 1"),)
        )
    try:
        file, found = CourseFile.model_validate(document.data), []
    except ValidationError as error:
        file, found = None, list(messages.of(error, COURSE))
    names = tuple(_names(document.data))
    problems = tuple(document.problem(*one) for one in [*found, *_twice(names)])
    return CourseText(
        where, file, problems, tuple(_named(document, path, name) for path, name in names)
    )


def _names(data: dict[str, Any]) -> Iterator[Found]:
    """The lessons that plain data names, where each stands; what is not sound is passed over."""
    groups = data.get("groups")
    for n, group in enumerate(groups[: limits.COURSE_GROUPS] if isinstance(groups, tuple) else ()):
        yield from _words(
            ("groups", n, "lessons"), group.get("lessons") if isinstance(group, dict) else ()
        )
    yield from _words(("hidden",), data.get("hidden"))


def _words(path: Path, words: object) -> Iterator[Found]:
    for n, word in enumerate(words[: limits.COURSE_LESSONS] if isinstance(words, tuple) else ()):
        if isinstance(word, str) and len(word) <= limits.LINE:
            yield (*path, n), word.strip()


def _twice(names: Collection[Found]) -> Iterator[Found]:
    first: dict[str, Path] = {}
    for path, name in names:
        if name in first:
            yield (
                path,
                (
                    f"{quotable(name, 80)} is already listed, at {written(first[name])}; "
                    "a lesson has one place in a course"
                ),
            )
        first.setdefault(name, path)


def _named(document: Document, path: Path, name: str) -> Named:
    return Named(name, document.problem(path, ""), path[0] == "hidden")


def _said(name: Named, message: str) -> Problem:
    return Problem(name.place.where, name.place.line, name.place.path, message)


def _meant(name: str, known: Collection[str]) -> str:
    stem = scenario_id(name)
    close = stem if stem in known else suggestion.meant(name, known)
    return f"; did you mean {close}?" if close else ""
