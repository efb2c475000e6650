"""The shelf: every scenario file of some folders, the sound ones as lessons in courses, the broken
ones with their problems.

    Folder (what is there) -> Contents of all folders -> arranged -> Shelf

`open_shelf(paths)` looks once. `WatchedShelf(paths).shelf()` looks again at most once a second and
reads only files that are new or have changed, so a lesson that is added or mended is there without
a restart. The folders directly inside a folder are read too, each as a course of its own.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from tutor.catalogue.course import CourseFile
from tutor.catalogue.folder import BrokenScenario, Contents, Folder, printable_name
from tutor.scenario.problem import Problem
from tutor.scenario.reader import AnyScenario

AnyPath: TypeAlias = str | os.PathLike[str]
Identity: TypeAlias = tuple[int, int]

HOME = Path(__file__).parents[2]
PATIENCE = 1.0
"""Seconds between two looks at the folders."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """What the folders held at one moment. Lessons stand as their courses have them, hidden ones
    come last.
    """

    lessons: tuple[AnyScenario, ...] = ()
    broken: tuple[BrokenScenario, ...] = ()
    courses: tuple[Course, ...] = ()
    _by_id: dict[str, AnyScenario] = field(init=False, repr=False, compare=False)
    _mark: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        held = (
            [(lesson.id, lesson.mark) for lesson in self.lessons],
            [[(g.title, g.about, [lesson.id for lesson in g.lessons]) for g in course.groups]
             for course in self.courses],
            [(course.title, course.about) for course in self.courses],
            [str(problem) for file in self.broken for problem in file.problems],
        )  # fmt: skip
        object.__setattr__(self, "_mark", hashlib.sha256(repr(held).encode()).hexdigest()[:20])
        object.__setattr__(self, "_by_id", {lesson.id: lesson for lesson in self.lessons})

    @property
    def mark(self) -> str:
        """Changes with whatever the shelf holds."""
        return self._mark

    def find(self, scenario_id: str) -> AnyScenario | None:
        """The lesson of this id, also one that no course shows."""
        return self._by_id.get(scenario_id)

    def only(self, chosen: Container[str]) -> Shelf:
        """The shelf with some of its lessons; courses and groups without any are left out, and so
        are broken files.
        """
        courses = []
        for course in self.courses:
            kept = (
                replace(group, lessons=tuple(one for one in group.lessons if one.id in chosen))
                for group in course.groups
            )
            groups = tuple(group for group in kept if group.lessons)
            courses += [replace(course, groups=groups)] if groups else []
        return Shelf(tuple(one for one in self.lessons if one.id in chosen), (), tuple(courses))

    @property
    def hidden(self) -> tuple[AnyScenario, ...]:
        """The lessons that no course shows."""
        listed = {lesson.id for course in self.courses for lesson in course.lessons}
        return tuple(lesson for lesson in self.lessons if lesson.id not in listed)


def configured(settings: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """The folders that the settings SCENARIOS and SHELF name, from the project's folder where they
    are relative.
    """
    named = (settings.get("SCENARIOS") or "scenarios", settings.get("SHELF"))
    return tuple(HOME / name for name in named if name)


def open_shelf(paths: Iterable[AnyPath], beside: Iterable[AnyPath] = ()) -> Shelf:
    """What is in some folders now. Never raises: a folder that cannot be read is listed as broken.

    Their courses may also name lessons of the folders `beside`, of which nothing else is listed.
    """
    return Shelf(*arranged(WatchedShelf(paths).contents(), WatchedShelf(beside).contents()))


class WatchedShelf:
    """Folders that are looked at again when someone asks. Any number of threads may ask at once."""

    def __init__(
        self,
        paths: Iterable[AnyPath],
        clock: Callable[[], float] = time.monotonic,
        only: Container[str] | None = None,
    ) -> None:
        self._only = only
        self._paths = tuple(dict.fromkeys(os.fspath(path) for path in paths))
        self._clock = clock
        self._lock = threading.Lock()
        self._folders: dict[str, Folder] = {}
        self._contents: tuple[Contents, ...] = ()
        self._shelf: Shelf | None = None
        self._looked = 0.0

    def shelf(self) -> Shelf:
        """The shelf, at most a second old; while a thread looks, others get the one before."""
        known = self._shelf
        if known is not None and (self._clock() - self._looked < PATIENCE or self._lock.locked()):
            return known
        with self._lock:
            if self._shelf is None or self._clock() - self._looked >= PATIENCE:
                self._shelf = self._look(self._shelf)
                self._looked = self._clock()
            return self._shelf

    def contents(self) -> tuple[Contents, ...]:
        """What the folders hold at this moment."""
        return tuple(self._read({}))

    def _look(self, before: Shelf | None) -> Shelf:
        folders: dict[str, Folder] = {}
        contents = tuple(self._read(folders))
        same = len(contents) == len(self._contents) and all(
            a is b for a, b in zip(contents, self._contents, strict=True)
        )
        self._folders, self._contents = folders, contents
        if before and same:
            return before
        whole = Shelf(*arranged(contents))
        return whole if self._only is None else whole.only(self._only)

    def _read(self, folders: dict[str, Folder]) -> Iterator[Contents]:
        """The contents of all folders, first those that are named, then what is inside them; each
        folder once.
        """
        seen: dict[Identity, Folder] = {}
        roots = []
        for path, name in zip(self._paths, _names(self._paths), strict=True):
            folder = folders[path] = self._known(path, name, "")
            roots.append((folder, _once(folder, seen)))
        yield from (contents for _, contents in roots)
        for root, contents in roots:
            for name in contents.folders:
                path = os.path.join(root.path, name)  # noqa: PTH118  (bytes of any kind)
                if os.path.lexists(path):
                    folder = folders[path] = self._known(
                        path, f"{root.name}/{printable_name(name)}", printable_name(name)
                    )
                    yield _once(folder, seen)

    def _known(self, path: str, name: str, title: str) -> Folder:
        return self._folders.get(path) or Folder(path, name, title)


def _names(paths: tuple[str, ...]) -> list[str]:
    """What messages call the folders: the last part of the path, with the part before it where two
    end alike.
    """
    paths = tuple(map(os.path.normpath, paths))
    ends = [os.path.basename(path) for path in paths]  # noqa: PTH119
    return [
        printable_name(end if ends.count(end) == 1 else "/".join(Path(path).parts[-2:]))
        for path, end in zip(paths, ends, strict=True)
    ]


def _once(folder: Folder, seen: dict[Identity, Folder]) -> Contents:
    """What a folder holds, unless it has been read under another name, by a link for instance."""
    try:
        status = os.stat(folder.path)  # noqa: PTH116  (bytes of any kind)
    except (OSError, ValueError):
        return folder.look()
    first = seen.setdefault((status.st_dev, status.st_ino), folder)
    return (
        folder.look()
        if first is folder
        else folder.refused(f"is the same folder as {first.name}, which was already read")
    )


# ---- Which lesson stands where: courses, groups and lessons from what some folders hold ----
#
# A folder with a sound `course.yaml` is one course; what its groups do not name comes after them.
# The lessons of all other folders stand by the course that each names itself, by lecture, order and
# title. Courses stand by their `order`; those without one come last, in the order of the folders.
# Nothing is lost: each lesson is in a course or hidden by name.


REST = "More of this course"
OTHERS = "More lessons"


@dataclass(frozen=True, slots=True)
class Group:
    """Lessons that belong together; the only group of a course may have no title."""

    title: str
    about: str
    lessons: tuple[AnyScenario, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """A course with its lessons; `written` tells whether a course file says so."""

    title: str
    about: str
    groups: tuple[Group, ...]
    order: int | None = None
    written: bool = False

    @property
    def lessons(self) -> tuple[AnyScenario, ...]:
        """The lessons of all groups, in the order of the page."""
        return tuple(lesson for group in self.groups for lesson in group.lessons)


Arranged: TypeAlias = tuple[tuple[AnyScenario, ...], tuple[BrokenScenario, ...], tuple[Course, ...]]


def arranged(folders: Sequence[Contents], beside: Sequence[Contents] = ()) -> Arranged:
    """(lessons, broken files, courses) of all folders; of two files with the same id the second one
    is refused.

    Their courses may also name lessons of the folders `beside`, of which nothing else is taken.
    """
    lessons: dict[str, AnyScenario] = {}
    broken: list[BrokenScenario] = []
    for file in (file for folder in folders for file in folder.files):
        if isinstance(file, BrokenScenario):
            broken.append(file)
        elif file.id in lessons:
            broken.append(_refused(file, lessons[file.id]))
        else:
            lessons[file.id] = file
    broken += _broken_courses(folders, beside)
    known = {
        file.id: file for folder in beside for file in folder.files if isinstance(file, AnyScenario)
    } | lessons
    courses = tuple(
        sorted(
            _courses(folders, known),
            key=lambda course: (course.order is None, course.order or 0, not course.written),
        )
    )
    return _in_order(lessons, known, courses), tuple(broken), courses


def _refused(file: AnyScenario, first: AnyScenario) -> BrokenScenario:
    return BrokenScenario(
        file.where,
        (Problem(file.where, 0, "", f"there is already a lesson {file.id}, from {first.where}"),),
    )


def _broken_courses(
    folders: Sequence[Contents], beside: Sequence[Contents]
) -> Iterator[BrokenScenario]:
    known = frozenset().union(*(folder.ids for folder in (*folders, *beside)))
    for folder in folders:
        problems = folder.course.unknown(known, folder.ids) if folder.course else ()
        if folder.course and problems:
            yield BrokenScenario(folder.course.where, problems)


def _courses(folders: Sequence[Contents], lessons: dict[str, AnyScenario]) -> Iterator[Course]:
    plain: list[tuple[AnyScenario, str]] = []
    for folder in folders:
        own = [
            file
            for file in folder.files
            if isinstance(file, AnyScenario) and lessons[file.id] is file
        ]
        if folder.course and folder.course.file:
            course = _written(folder.course.file, own, lessons)
            yield from [course] if course.groups else []
        else:
            plain += [(lesson, lesson.course or folder.title or OTHERS) for lesson in own]
    titles: dict[str, list[AnyScenario]] = {}
    for lesson, title in sorted(plain, key=lambda one: _place(one[0])):
        titles.setdefault(title, []).append(lesson)
    yield from (
        Course(title, "", (Group("", "", tuple(group)),)) for title, group in titles.items()
    )


def _written(file: CourseFile, own: list[AnyScenario], lessons: dict[str, AnyScenario]) -> Course:
    """A course as its file has it. A lesson that is not there is passed over, one that is named
    twice stands first.
    """
    placed = set(file.hidden) & {lesson.id for lesson in own}
    groups = []
    for group in file.groups:
        named = [
            lessons[id_]
            for id_ in dict.fromkeys(group.lessons)
            if id_ in lessons and id_ not in placed
        ]
        placed.update(lesson.id for lesson in named)
        groups.append(Group(group.title, group.about or "", tuple(named)))
    groups = [group for group in groups if group.lessons]
    rest = tuple(sorted((lesson for lesson in own if lesson.id not in placed), key=_place))
    groups += [Group(REST if groups else "", "", rest)] if rest else []
    return Course(file.title, file.about or "", tuple(groups), file.order, written=True)


def _in_order(
    lessons: Iterable[str], known: dict[str, AnyScenario], courses: Iterable[Course]
) -> tuple[AnyScenario, ...]:
    listed = [lesson.id for course in courses for lesson in course.lessons]
    return tuple(known[id_] for id_ in dict.fromkeys((*listed, *lessons)))


def _place(lesson: AnyScenario) -> tuple[bool, str, int, str, str]:
    lecture = lesson.lecture
    return (
        lecture is None,
        lecture.deck if lecture else "",
        lecture.order if lecture else 0,
        lesson.title.casefold(),
        lesson.id,
    )
