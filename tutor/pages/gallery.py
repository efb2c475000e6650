"""The first page: all courses with their lessons; for their author also the files that cannot be
shown.

Problems of files are for their authors: on the author's own computer the page lists them,
everywhere else only the log and `python -m tutor validate` do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from tutor.catalogue.shelf import Course, Group, Shelf
from tutor.draw.diagram import thumbnail
from tutor.lesson.walk import Length
from tutor.notation.markup import Markup
from tutor.scenario.problem import Problem
from tutor.scenario.reader import Scenario


@dataclass(frozen=True, slots=True)
class LessonCard:
    """One lesson in the gallery. `source` is the lecture that it comes from, where the heading
    above does not say so.
    """

    id: str
    title: str
    source: str
    learn: tuple[str, ...]
    facts: str
    href: str
    picture: Markup


@dataclass(frozen=True, slots=True)
class LessonCards:
    """Lessons side by side. `title` may be empty; `level` is the level of the headings of its
    cards.
    """

    title: str
    about: str
    level: int
    cards: tuple[LessonCard, ...]


@dataclass(frozen=True, slots=True)
class CourseSection:
    """A course with its groups; `anchor` is its place on the page."""

    anchor: str
    title: str
    about: str
    groups: tuple[LessonCards, ...]


@dataclass(frozen=True, slots=True)
class GalleryPage:
    """All courses; `contents` lists them where there are several."""

    courses: tuple[CourseSection, ...]
    contents: tuple[CourseSection, ...]
    empty: str
    """What is said where there is no lesson."""
    broken: tuple[tuple[str, tuple[Problem, ...]], ...]
    """For the author: files that cannot be shown, with their problems."""


NOTHING = "There is no lesson here yet."
BEGIN = "Put a scenario file into the folder scenarios/; docs and the README say how."


def gallery_page(
    shelf: Shelf, steps: Mapping[str, Length | None], *, author: bool = False
) -> GalleryPage:
    """The first page, for readers or for the author. `steps` tells how many steps each lesson has."""
    courses = tuple(
        _section(number, course, steps) for number, course in enumerate(shelf.courses, 1)
    )
    contents = courses if len(courses) > 1 else ()
    broken = tuple((file.name, file.problems) for file in shelf.broken) if author else ()
    return GalleryPage(courses, contents, f"{NOTHING} {BEGIN}" if author else NOTHING, broken)


def _section(number: int, course: Course, steps: Mapping[str, Length | None]) -> CourseSection:
    groups = tuple(_cards(group, course, steps) for group in course.groups)
    return CourseSection(f"course-{number}", course.title, course.about, groups)


def _cards(group: Group, course: Course, steps: Mapping[str, Length | None]) -> LessonCards:
    cards = tuple(
        _card(scenario, course.title, steps.get(scenario.id)) for scenario in group.lessons
    )
    return LessonCards(group.title, group.about, 4 if group.title else 3, cards)


def _card(scenario: Scenario, course: str, steps: Length | None) -> LessonCard:
    sizes = scenario.network.sizes
    shape = "-".join(map(str, sizes))
    facts = " · ".join(filter(None, (shape, _kind(scenario), str(steps or ""))))
    return LessonCard(scenario.id, scenario.title, _source(scenario, course), scenario.learn, facts, f"/lessons/{scenario.id}",
                _picture(sizes, f"Network {shape}", _skips(scenario)))  # fmt: skip


def _skips(scenario: Scenario) -> tuple[tuple[int, int], ...]:
    """The skip connections: (layer that the value comes from, layer that adds it)."""
    layers = enumerate(scenario.network.layers, 1)
    return tuple((n - layer.skip, n) for n, layer in layers if layer.skip)


def _kind(scenario: Scenario) -> str:
    rules = dict.fromkeys(layer.activation.replace("_", " ") for layer in scenario.network.layers)
    samples = len(scenario.inputs)
    return ", ".join(rules) + (f", {samples} samples" if samples > 1 else "")


def _source(scenario: Scenario, course: str) -> str:
    if scenario.course in {"", course}:
        return ""
    return scenario.source


@lru_cache(512)
def _picture(sizes: tuple[int, ...], title: str, skips: tuple[tuple[int, int], ...]) -> Markup:
    return thumbnail(sizes, title, skips)
