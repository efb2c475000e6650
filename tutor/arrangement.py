"""Which lesson stands where: courses, their groups and the lessons in them, from what some folders hold.

A folder with a sound `course.yaml` is one course; what its groups do not name comes after them. The lessons of all other
folders stand by the course that each names itself, by lecture, order and title. Courses stand by their `order`; those
without one come last, in the order of the folders. Nothing is lost: each lesson is in a course or hidden by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tutor.course import CourseFile
from tutor.folder import BrokenScenario, Contents
from tutor.problem import Problem
from tutor.scenario import Scenario

REST = "More of this course"
OTHERS = "More lessons"


@dataclass(frozen=True, slots=True)
class Group:
    """Lessons that belong together. Where a course has only one group, that group may have no title."""

    title: str
    about: str
    lessons: tuple[Scenario, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """A course with its lessons; `written` tells whether a course file says so."""

    title: str
    about: str
    groups: tuple[Group, ...]
    order: int | None = None
    written: bool = False


Arranged: TypeAlias = tuple[tuple[Scenario, ...], tuple[BrokenScenario, ...], tuple[Course, ...]]


def arranged(folders: Sequence[Contents], beside: Sequence[Contents] = ()) -> Arranged:
    """(lessons, broken files, courses) of all folders; of two files with the same id the second one is refused.

    Their courses may also name lessons of the folders `beside`, of which nothing else is taken.
    """
    lessons: dict[str, Scenario] = {}
    broken: list[BrokenScenario] = []
    for file in (file for folder in folders for file in folder.files):
        if isinstance(file, BrokenScenario):
            broken.append(file)
        elif file.id in lessons:
            broken.append(_refused(file, lessons[file.id]))
        else:
            lessons[file.id] = file
    broken += _broken_courses(folders, beside)
    known = {file.id: file for folder in beside for file in folder.files if isinstance(file, Scenario)} | lessons
    courses = tuple(sorted(_courses(folders, known), key=lambda course: (course.order is None, course.order or 0, not course.written)))
    return _in_order(lessons, known, courses), tuple(broken), courses


def _refused(file: Scenario, first: Scenario) -> BrokenScenario:
    return BrokenScenario(file.where, (Problem(file.where, 0, "", f"the lesson {file.id} is already there, from {first.where}"),))


def _broken_courses(folders: Sequence[Contents], beside: Sequence[Contents]) -> Iterator[BrokenScenario]:
    known = frozenset().union(*(folder.ids for folder in (*folders, *beside)))
    for folder in folders:
        problems = folder.course.unknown(known, folder.ids) if folder.course else ()
        if folder.course and problems:
            yield BrokenScenario(folder.course.where, problems)


def _courses(folders: Sequence[Contents], lessons: dict[str, Scenario]) -> Iterator[Course]:
    plain: list[tuple[Scenario, str]] = []
    for folder in folders:
        own = [file for file in folder.files if isinstance(file, Scenario) and lessons[file.id] is file]
        if folder.course and folder.course.file:
            course = _written(folder.course.file, own, lessons)
            yield from [course] if course.groups else []
        else:
            plain += [(lesson, lesson.course or folder.title or OTHERS) for lesson in own]
    titles: dict[str, list[Scenario]] = {}
    for lesson, title in sorted(plain, key=lambda one: _place(one[0])):
        titles.setdefault(title, []).append(lesson)
    yield from (Course(title, "", (Group("", "", tuple(group)),)) for title, group in titles.items())


def _written(file: CourseFile, own: list[Scenario], lessons: dict[str, Scenario]) -> Course:
    """A course as its file has it. A lesson that is not there is passed over, one that is named twice stands first."""
    placed = set(file.hidden) & {lesson.id for lesson in own}
    groups = []
    for group in file.groups:
        named = [lessons[id_] for id_ in dict.fromkeys(group.lessons) if id_ in lessons and id_ not in placed]
        placed.update(lesson.id for lesson in named)
        groups.append(Group(group.title, group.about or "", tuple(named)))
    groups = [group for group in groups if group.lessons]
    rest = tuple(sorted((lesson for lesson in own if lesson.id not in placed), key=_place))
    groups += [Group(REST if groups else "", "", rest)] if rest else []
    return Course(file.title, file.about or "", tuple(groups), file.order, written=True)


def _in_order(lessons: Iterable[str], known: dict[str, Scenario], courses: Iterable[Course]) -> tuple[Scenario, ...]:
    listed = [lesson.id for course in courses for group in course.groups for lesson in group.lessons]
    return tuple(known[id_] for id_ in dict.fromkeys((*listed, *lessons)))


def _place(lesson: Scenario) -> tuple[bool, str, int, str, str]:
    lecture = lesson.lecture
    return (lecture is None, lecture.deck if lecture else "", lecture.order if lecture else 0, lesson.title.casefold(), lesson.id)
