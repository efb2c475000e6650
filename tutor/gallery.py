"""The first page: all lectures with their lessons, and the scenario files that cannot be shown."""

from __future__ import annotations

from dataclasses import dataclass

from tutor.diagram import thumbnail
from tutor.markup import Markup
from tutor.problem import Problem
from tutor.scenario import Scenario
from tutor.shelf import Shelf


@dataclass(frozen=True, slots=True)
class Card:
    """One lesson in the gallery."""

    id: str
    title: str
    learn: tuple[str, ...]
    shape: str
    kind: str
    steps: int
    href: str
    picture: Markup


@dataclass(frozen=True, slots=True)
class Lecture:
    """A course with its lessons."""

    course: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class GalleryPage:
    """All lectures; scenario files that cannot be shown, with their problems."""

    lectures: tuple[Lecture, ...]
    broken: tuple[tuple[str, tuple[Problem, ...]], ...]


def gallery_page(shelf: Shelf, steps: dict[str, int]) -> GalleryPage:
    """The first page. `steps` tells how many steps each lesson has."""
    courses: dict[str, list[Scenario]] = {}
    for scenario in shelf.lessons:
        courses.setdefault(scenario.course, []).append(scenario)
    lectures = tuple(
        Lecture(course or "More lessons", tuple(_card(scenario, steps.get(scenario.id, 0)) for scenario in group))
        for course, group in courses.items()
    )
    return GalleryPage(lectures, tuple((b.name, b.problems) for b in shelf.broken))


def _card(scenario: Scenario, steps: int) -> Card:
    sizes = scenario.network.sizes
    rules = dict.fromkeys(layer.activation.replace("_", " ") for layer in scenario.network.layers)
    samples_ = len(scenario.inputs)
    kind = ", ".join(rules) + (f", {samples_} samples" if samples_ > 1 else "")
    shape = "-".join(map(str, sizes))
    return Card(scenario.id, scenario.title, scenario.learn, shape, kind, steps, f"/lessons/{scenario.id}",
                thumbnail(sizes, f"Network {shape}"))  # fmt: skip
