"""The shelf: every scenario file of a folder, the sound ones as lessons, the broken ones with their problems.

`open_folder(path)` looks once. `WatchedFolder(path).shelf()` looks again at most once a second and reads only files
that are new or have changed, so a lesson that is added or mended is there without a restart.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from tutor import scenario
from tutor.problem import Problem, ScenarioError, quotable
from tutor.scenario import Scenario

Stamp: TypeAlias = tuple[int, int, int, int]

PATIENCE = 1.0
"""Seconds between two looks at a folder."""


@dataclass(frozen=True, slots=True)
class BrokenScenario:
    """A file that is no lesson, and why. `name` is safe to show, `problems` has at least one entry."""

    name: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a folder held at one moment. Lessons stand by deck, order and title; those without a deck come last."""

    lessons: tuple[Scenario, ...] = ()
    broken: tuple[BrokenScenario, ...] = ()
    _by_id: dict[str, Scenario] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_id", {lesson.id: lesson for lesson in self.lessons})

    def find(self, scenario_id: str) -> Scenario | None:
        """The lesson of this id."""
        return self._by_id.get(scenario_id)


def open_folder(path: str | os.PathLike[str]) -> Shelf:
    """What is in a folder now. Never raises: a folder that cannot be read is listed as broken."""
    return WatchedFolder(path).shelf()


class WatchedFolder:
    """A folder that is looked at again when someone asks. Any number of threads may ask at once."""

    def __init__(self, path: str | os.PathLike[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._path = os.fspath(path)
        self._clock = clock
        self._lock = threading.Lock()
        self._read: dict[str, tuple[Stamp | None, Scenario | BrokenScenario]] = {}
        self._shelf: Shelf | None = None
        self._looked = 0.0

    def shelf(self) -> Shelf:
        """The shelf, at most a second old. Who comes while another thread looks gets the one before."""
        known = self._shelf
        if known is not None and (self._clock() - self._looked < PATIENCE or self._lock.locked()):
            return known
        with self._lock:
            if self._shelf is None or self._clock() - self._looked >= PATIENCE:
                self._shelf = self._look()
                self._looked = self._clock()
            return self._shelf

    def _look(self) -> Shelf:
        try:
            stamps = _stamps(self._path)
        except (OSError, ValueError) as error:
            self._read = {}
            name = _shown(os.path.basename(os.path.normpath(self._path)))  # noqa: PTH119  (bytes of any kind)
            reason = os.strerror(error.errno).lower() if isinstance(error, OSError) and error.errno else "its name is not valid"
            return Shelf(broken=(BrokenScenario(name, (Problem(name, 0, "", f"the folder cannot be read: {reason}"),)),))
        before, self._read = self._read, {}
        for name, stamp in sorted(stamps.items()):
            known = before.get(name)
            unchanged = known is not None and stamp is not None and known[0] == stamp
            self._read[name] = known if known and unchanged else (stamp, self._open(name))
        if before == self._read and self._shelf is not None:
            return self._shelf
        return _arranged(item for _, item in self._read.values())

    def _open(self, name: str) -> Scenario | BrokenScenario:
        folder = os.path.basename(os.path.normpath(self._path))  # noqa: PTH119
        where = f"{_shown(folder)}/{_shown(name)}"
        if scenario.scenario_id(name) is None:
            message = "the name of a scenario file is made of a-z, 0-9 and -, such as two-layers.yaml"
            return BrokenScenario(_shown(name), (Problem(where, 0, "", message),))
        try:
            return scenario.load(os.path.join(self._path, name), where)  # noqa: PTH118
        except ScenarioError as error:
            return BrokenScenario(_shown(name), error.problems)


def _stamps(folder: str) -> dict[str, Stamp | None]:
    """The scenario files of a folder and how to tell that one has changed; None where that cannot be told."""
    found: dict[str, Stamp | None] = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or not entry.name.lower().endswith(scenario.SUFFIXES):
                continue
            try:
                status = entry.stat()
            except OSError:
                found[entry.name] = None
            else:
                found[entry.name] = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
    return found


def _arranged(items: Iterable[Scenario | BrokenScenario]) -> Shelf:
    """Lessons in their order; of two files with the same id the second one is refused."""
    lessons: dict[str, Scenario] = {}
    broken: list[BrokenScenario] = []
    for item in items:
        if isinstance(item, BrokenScenario):
            broken.append(item)
        elif item.id in lessons:
            message = f"the lesson {item.id} is already there, from {lessons[item.id].where}"
            broken.append(BrokenScenario(item.where.rpartition("/")[2], (Problem(item.where, 0, "", message),)))
        else:
            lessons[item.id] = item
    return Shelf(tuple(sorted(lessons.values(), key=_place)), tuple(broken))


def _place(lesson: Scenario) -> tuple[bool, str, int, str, str]:
    lecture = lesson.lecture
    return (lecture is None, lecture.deck if lecture else "", lecture.order if lecture else 0, lesson.title.casefold(), lesson.id)


def _shown(name: str) -> str:
    """A file name as it can be shown, whatever its bytes are."""
    return quotable(name, 120)
