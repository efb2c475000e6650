"""One folder of scenario files: what it holds now, and which of its files have changed since it was
looked at.

`Folder.look()` gives the same Contents object as before where nothing changed, so whoever compares
needs no second look. Files may come, change and vanish at any moment, also between the listing and
the reading: a file that is gone when it is opened is left out, one that changed meanwhile is read
again at the next look.
"""

from __future__ import annotations

import heapq
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from tutor import limits
from tutor.catalogue import course
from tutor.catalogue.course import CourseText
from tutor.scenario import reader, strict_yaml
from tutor.scenario.problem import Problem, ScenarioError, quotable
from tutor.scenario.reader import AnyScenario

Stamp: TypeAlias = tuple[int, int, int, int]

_SAVED: Final = re.compile(r"saved-[a-z2-7]{20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class BrokenScenario:
    """A file that is no lesson, and why. `name` has its folder and is safe to show; `problems` has
    at least one entry.
    """

    name: str
    problems: tuple[Problem, ...]


Read: TypeAlias = AnyScenario | BrokenScenario | CourseText | None
"""What a file turned out to be; None for one that vanished."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a folder holds. `files` are in the order of their names; `folders` are its subfolders,
    which are not looked into.
    """

    name: str
    files: tuple[AnyScenario | BrokenScenario, ...] = ()
    course: CourseText | None = None
    folders: tuple[str, ...] = ()
    ids: frozenset[str] = frozenset()
    """The lessons that the names of the files promise, those of broken files too."""
    title: str = ""
    """What its course is called where nothing else says so."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The names in a folder that matter, each with its stamp (None where it has none), and what was
    left out.
    """

    stamps: dict[str, Stamp | None]
    folders: tuple[str, ...]
    files_in_all: int
    folders_in_all: int


class Folder:
    """A folder that remembers what it has read. `name` is what messages call it. Used by one thread
    at a time.
    """

    def __init__(self, path: str, name: str, title: str = "") -> None:
        self.path, self.name, self.title = path, name, title
        self._read: dict[str, tuple[Stamp | None, Read]] = {}
        self._listing: Listing | None = None
        self._contents = Contents(name)

    def look(self) -> Contents:
        """What is there now. Never raises: a folder that cannot be read says so in `files`."""
        try:
            listing = listed(self.path)
        except (OSError, ValueError) as error:
            return self.refused(f"the folder cannot be read: {reason(error)}")
        before, read = self._read, {}
        for name, stamp in sorted(listing.stamps.items()):
            known = before.get(name)
            unchanged = (
                known is not None
                and stamp is not None
                and known[0] == stamp
                and known[1] is not None
            )
            read[name] = known if known and unchanged else (stamp, self._open(name, stamp))
        if listing != self._listing or read != before:
            self._read, self._listing = read, listing
            self._contents = self._arranged(listing, [item for _, item in read.values()])
        return self._contents

    def refused(self, message: str) -> Contents:
        """A folder of which nothing is read, and why."""
        contents = Contents(self.name, (_broken(self.name, message),))
        if contents != self._contents:
            self._contents, self._read, self._listing = contents, {}, None
        return self._contents

    def _open(self, name: str, stamp: Stamp | None) -> Read:
        where = f"{self.name}/{printable_name(name)}"
        path = os.path.join(self.path, name)  # noqa: PTH118  (bytes of any kind)
        refusal = unfit(name)
        if refusal:
            return _broken(where, refusal)
        try:
            if course.is_course(name):
                return course.read(strict_yaml.decode(reader.read(path, where), where), where)
            return reader.load(path, where)
        except ScenarioError as error:
            if stamp is not None and not os.path.lexists(path):
                return None
            return (
                CourseText(where, None, error.problems)
                if course.is_course(name)
                else BrokenScenario(where, error.problems)
            )

    def _arranged(self, listing: Listing, items: list[Read]) -> Contents:
        files = [item for item in items if isinstance(item, AnyScenario | BrokenScenario)]
        courses = [item for item in items if isinstance(item, CourseText)]
        files += [
            _broken(
                one.where,
                f"the course is already described in {courses[0].where}; keep one of the two",
            )
            for one in courses[1:]
        ]
        files += [_broken(self.name, message) for message in left_out(listing)]
        ids = frozenset(
            id_
            for name in listing.stamps
            if not course.is_course(name) and (id_ := reader.scenario_id(name))
        )
        return Contents(
            self.name, tuple(files), next(iter(courses), None), listing.folders, ids, self.title
        )


def listed(path: str) -> Listing:
    """The scenario files and subfolders of a folder, the first ones by name where there are too
    many. Raises OSError.
    """
    with os.scandir(path) as entries:
        found = {entry.name: entry for entry in entries if not entry.name.startswith(".")}
    names = [name for name in found if name.lower().endswith(reader.SUFFIXES)]
    lessons = [name for name in names if not course.is_course(name)]
    folders = [
        name
        for name, entry in found.items()
        if not name.lower().endswith(reader.SUFFIXES) and _is_folder(entry)
    ]
    kept = [*_first(lessons, limits.SHELF_FILES), *(name for name in course.NAMES if name in found)]
    stamps = {name: _stamp(found[name]) for name in kept}
    return Listing(stamps, tuple(_first(folders, limits.SHELF_FOLDERS)), len(lessons), len(folders))


def unfit(name: str) -> str:
    """Why a file of this name can be no lesson, or nothing."""
    id_ = reader.scenario_id(name)
    if id_ is None:
        return "the name of a scenario file is made of a-z, 0-9 and -, such as two-layers.yaml"
    if _SAVED.fullmatch(id_):
        return "such names belong to lessons that readers saved; give the file another name"
    return ""


def printable_name(name: str) -> str:
    """A file name as it can be shown, whatever its bytes are."""
    return quotable(name, 120)


def _first(names: list[str], most: int) -> Iterable[str]:
    return sorted(names) if len(names) <= most else heapq.nsmallest(most, names)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads round in a circle
        return False


def _stamp(entry: os.DirEntry[str]) -> Stamp | None:
    """How to tell that a file has changed; None where that cannot be told."""
    try:
        status = entry.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


def left_out(listing: Listing) -> Iterable[str]:
    """What is not read because there is too much of it."""
    most_files, most_folders = limits.SHELF_FILES, limits.SHELF_FOLDERS
    if listing.files_in_all > most_files:
        yield (
            f"has {listing.files_in_all:,} scenario files; "
            f"only the first {most_files:,} by name are read, which is the limit for a folder"
        )
    if listing.folders_in_all > most_folders:
        yield (
            f"has {listing.folders_in_all:,} folders; "
            f"only the first {most_folders:,} by name are read, which is the limit"
        )


def _broken(where: str, message: str) -> BrokenScenario:
    return BrokenScenario(where, (Problem(where, 0, "", message),))


def reason(error: Exception) -> str:
    """Why a folder cannot be read, in words."""
    number = getattr(error, "errno", None) or 0
    return os.strerror(number).lower() if number else "its name is not valid"
