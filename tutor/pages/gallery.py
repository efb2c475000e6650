"""The first page: where to start, and all courses with their lessons; and the page of the files
that cannot be shown.

Problems of files are for their author: on the author's own computer one quiet link leads to them.
The log at the start and `python -m tutor validate` name them too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from tutor.catalogue.shelf import Course, Group, Shelf
from tutor.draw.diagram import thumbnail
from tutor.draw.graph import graph_thumbnail
from tutor.draw.graph_layout import laid_out
from tutor.lesson.titles import capital
from tutor.lesson.walk import Length
from tutor.notation.markup import Markup
from tutor.number import counted
from tutor.pages.context import Context
from tutor.pages.front import NeuronPicture, Start, neuron_picture, start
from tutor.scenario.graph_file import graph_of
from tutor.scenario.problem import Problem, quotable
from tutor.scenario.reader import AnyScenario, GraphScenario, Scenario


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
class Search:
    """The search among many lessons: what was asked for, and what is said of the result."""

    query: str
    result: str


@dataclass(frozen=True, slots=True)
class GalleryPage:
    """All courses; `contents` lists them where there are several."""

    start: Start | None
    picture: NeuronPicture | None
    search: Search | None
    """None where there are few lessons: they are seen at a glance."""
    courses: tuple[CourseSection, ...]
    contents: tuple[CourseSection, ...]
    empty: str
    """What is said where there is no lesson."""
    problems: str
    """For the author: how many files have problems, or ""."""


@dataclass(frozen=True, slots=True)
class ProblemsPage:
    """For the author: files that cannot be shown, or not in full, with their problems."""

    files: tuple[tuple[str, tuple[Problem, ...]], ...]


NOTHING = "There is no lesson here yet."
BEGIN = "Put a scenario file into the folder scenarios/; README.md says how."
GLANCE = 20
"""So many lessons are found without a search."""
LONGEST = 100
"""So many characters of a query are read."""


def gallery_page(
    shelf: Shelf,
    steps: Mapping[str, Length | None],
    *,
    author: bool = False,
    query: str = "",
    neuron: Context | None = None,
) -> GalleryPage:
    """The first page, for readers or for the author. `steps` tells how many steps each lesson has,
    `neuron` is the lesson that is drawn above the others.
    """
    courses = tuple(
        _section(number, course, steps) for number, course in enumerate(shelf.courses, 1)
    )
    search = None
    if _count(courses) > GLANCE:
        query = query.strip()[:LONGEST]
        courses = _matching(courses, query.casefold().split())
        search = Search(query, _result(query, _count(courses)))
    searching = search is not None and bool(search.query)
    return GalleryPage(
        None if searching else start(shelf),
        None if searching or neuron is None else neuron_picture(neuron),
        search,
        courses,
        courses if len(courses) > 1 else (),
        "" if searching else f"{NOTHING} {BEGIN}" if author else NOTHING,
        _files_with_problems(len(shelf.broken)) if author else "",
    )


def problems_page(shelf: Shelf) -> ProblemsPage:
    """The files that cannot be shown, or not in full."""
    return ProblemsPage(tuple((file.name, file.problems) for file in shelf.broken))


def _files_with_problems(count: int) -> str:
    return f"{counted(count, 'file')} {'has' if count == 1 else 'have'} problems" if count else ""


def _count(courses: tuple[CourseSection, ...]) -> int:
    return len({card.id for course in courses for group in course.groups for card in group.cards})


def _result(query: str, count: int) -> str:
    """What is said of a search; nothing where nothing was asked for."""
    if not query:
        return ""
    matching = "1 lesson matches" if count == 1 else f"{count or 'No'} lessons match"
    return f"{matching} “{quotable(query, 40)}”."


def _matching(courses: tuple[CourseSection, ...], words: list[str]) -> tuple[CourseSection, ...]:
    """The courses with the lessons that have all these words."""
    return tuple(
        replace(course, groups=groups)
        for course in courses
        if (
            groups := tuple(
                replace(group, cards=cards)
                for group in course.groups
                if (cards := tuple(card for card in group.cards if _has(card, words)))
            )
        )
    )


def _has(card: LessonCard, words: list[str]) -> bool:
    text = " ".join((card.title, *card.learn, card.facts, card.source)).casefold()
    return all(word in text for word in words)


def _section(number: int, course: Course, steps: Mapping[str, Length | None]) -> CourseSection:
    groups = tuple(_cards(group, course, steps) for group in course.groups)
    return CourseSection(f"course-{number}", course.title, course.about, groups)


def _cards(group: Group, course: Course, steps: Mapping[str, Length | None]) -> LessonCards:
    cards = tuple(
        _card(scenario, course.title, steps.get(scenario.id)) for scenario in group.lessons
    )
    return LessonCards(group.title, group.about, 4 if group.title else 3, cards)


def _card(scenario: AnyScenario, course: str, steps: Length | None) -> LessonCard:
    network = isinstance(scenario, Scenario)
    kind, picture = _of_network(scenario) if network else _of_graph(scenario)
    return LessonCard(
        scenario.id, scenario.title, _source(scenario, course), scenario.learn,
        " · ".join(filter(None, (kind, str(steps or "")))), f"/lessons/{scenario.id}", picture,
    )  # fmt: skip


def _of_network(scenario: AnyScenario) -> tuple[str, Markup]:
    """(what kind of lesson it is, its picture)."""
    assert isinstance(scenario, Scenario)
    sizes = scenario.network.sizes
    shape = "-".join(map(str, sizes))
    picture = _picture(sizes, f"Network {shape}", _skips(scenario))
    return " · ".join(filter(None, (shape, _kind(scenario)))), picture


def _of_graph(scenario: AnyScenario) -> tuple[str, Markup]:
    assert isinstance(scenario, GraphScenario)
    graph = graph_of(scenario.graph)
    title = f"graph of {counted(len(graph.nodes), 'node')}"
    return title, graph_thumbnail(laid_out(graph), capital(title))


def _skips(scenario: Scenario) -> tuple[tuple[int, int], ...]:
    """The skip connections: (layer that the value comes from, layer that adds it)."""
    layers = enumerate(scenario.network.layers, 1)
    return tuple((n - layer.skip, n) for n, layer in layers if layer.skip)


def _kind(scenario: Scenario) -> str:
    rules = dict.fromkeys(layer.activation.replace("_", " ") for layer in scenario.network.layers)
    samples = scenario.data.samples
    return ", ".join(rules) + (f", {samples} samples" if samples > 1 else "")


def _source(scenario: AnyScenario, course: str) -> str:
    if scenario.course in {"", course}:
        return ""
    return scenario.source


@lru_cache(512)
def _picture(sizes: tuple[int, ...], title: str, skips: tuple[tuple[int, int], ...]) -> Markup:
    return thumbnail(sizes, title, skips)
