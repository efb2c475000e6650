"""The shelf: order, broken files beside sound ones, and changes that are noticed without a restart."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tutor import scenario
from tutor.shelf import Shelf, WatchedShelf, open_folder

TEXT = """\
format: 1
title: {title}
lecture: {{deck: "{deck}", order: {order}}}
network:
  inputs: 1
  layers: [{{units: 1, activation: relu, weights: [[1]], biases: none}}]
  loss: {{name: squared_error}}
data: {{inputs: [[1]], targets: [[1]]}}
training: {{learning_rate: 1}}
"""


def write(path: Path, title: str = "A", deck: str = "001", order: int = 1) -> None:
    path.write_text(TEXT.format(title=title, deck=deck, order=order), encoding="utf-8")


def ids(shelf: Shelf) -> list[str]:
    return [lesson.id for lesson in shelf.lessons]


def problems(shelf: Shelf) -> dict[str, list[str]]:
    return {broken.name: [str(problem) for problem in broken.problems] for broken in shelf.broken}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "lessons"
    path.mkdir()
    return path


def test_lessons_stand_by_deck_order_and_title_and_those_without_a_deck_come_last(folder: Path) -> None:
    write(folder / "e.yaml", "Z", "002", 1)
    write(folder / "d.yaml", "b", "001", 2)
    write(folder / "c.yaml", "A", "001", 2)
    write(folder / "b.yml", "Z", "001", 1)
    write(folder / "a.json", "A")
    (folder / "a.json").write_text((folder / "a.json").read_text().replace('lecture: {deck: "001", order: 1}\n', ""))
    assert ids(open_folder(folder)) == ["b", "c", "d", "e", "a"]


def test_a_lesson_is_found_by_its_id(folder: Path) -> None:
    write(folder / "one.yaml", "One")
    shelf = open_folder(folder)
    found = shelf.find("one")
    assert found is not None
    assert (found.title, found.where) == ("One", "lessons/one.yaml")
    assert shelf.find("two") is None


def test_one_broken_file_hurts_no_other(folder: Path) -> None:
    write(folder / "good.yaml")
    (folder / "bad.yaml").write_text("format: 1\n")
    (folder / "Bad Name.yaml").write_text("x")
    (folder / "picture.yaml").write_bytes(b"\x89PNG\x00")
    (folder / "large.yaml").write_text("# " + "x" * 70_000)
    (folder / "sub.yaml").mkdir()
    os.mkfifo(folder / "pipe.yaml")
    (folder / "lost.yaml").symlink_to("nowhere.yaml")
    (folder / "round.yaml").symlink_to("round.yaml")
    (folder / "empty.yaml").touch()
    shelf = open_folder(folder)
    assert ids(shelf) == ["good"]
    found = problems(shelf)
    assert found.pop("lessons/bad.yaml")[0] == "lessons/bad.yaml:1: title: is missing; give the lesson a name"
    assert found == {
        "lessons/Bad Name.yaml": ["lessons/Bad Name.yaml: the name of a scenario file is made of a-z, 0-9 and -, such as two-layers.yaml"],
        "lessons/empty.yaml": ["lessons/empty.yaml: is empty"],
        "lessons/large.yaml": ["lessons/large.yaml: is larger than 64 KB, the limit of a scenario file"],
        "lessons/lost.yaml": ["lessons/lost.yaml: cannot be read: there is no such file"],
        "lessons/picture.yaml": ["lessons/picture.yaml:1: is not UTF-8 text (byte 0x89)"],
        "lessons/pipe.yaml": ["lessons/pipe.yaml: is not a file"],
        "lessons/round.yaml": ["lessons/round.yaml: cannot be read: too many levels of symbolic links"],
        "lessons/sub.yaml": ["lessons/sub.yaml: cannot be read: it is a folder"],
    }


def test_a_refused_permission_is_told_in_words(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder / "secret.yaml")

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(scenario.os, "open", refuse)
    assert problems(open_folder(folder)) == {"lessons/secret.yaml": ["lessons/secret.yaml: cannot be read: permission denied"]}


def test_of_two_files_with_one_id_the_second_is_listed(folder: Path) -> None:
    write(folder / "a.json", "First")
    write(folder / "a.yaml", "Second")
    shelf = open_folder(folder)
    assert [lesson.title for lesson in shelf.lessons] == ["First"]
    assert problems(shelf) == {"lessons/a.yaml": ["lessons/a.yaml: the lesson a is already there, from lessons/a.json"]}


def test_hidden_and_other_files_are_passed_over(folder: Path) -> None:
    for name in (".a.yaml", ".#b.yaml", "README.md", "c.yaml~", "d.yaml.bak"):
        (folder / name).write_text("nothing")
    assert open_folder(folder) == Shelf()


def test_a_name_of_odd_bytes_can_be_shown(folder: Path) -> None:
    (folder / os.fsdecode(b"\xff\n.yaml")).write_text("x")
    (broken,) = open_folder(folder).broken
    assert broken.name == "lessons/\\udcff\\n.yaml"
    str(broken.problems[0]).encode("utf-8")


@pytest.mark.parametrize("kind", ["missing", "file", "bad name"])
def test_a_folder_that_is_none_is_a_problem_and_not_a_crash(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").touch()
    shelf = open_folder(f"{tmp_path}/{kind}" if kind != "bad name" else "a\0b")
    assert shelf.lessons == ()
    assert str(shelf.broken[0].problems[0]) == {
        "missing": "missing: the folder cannot be read: no such file or directory",
        "file": "file: the folder cannot be read: not a directory",
        "bad name": "a\\x00b: the folder cannot be read: its name is not valid",
    }[kind]


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read."""
    names: list[str] = []
    real: Callable[..., scenario.Scenario] = scenario.load

    def counted(path: str, where: str) -> scenario.Scenario:
        names.append(where)
        return real(path, where)

    monkeypatch.setattr(scenario, "load", counted)
    return names


def test_new_changed_and_removed_files_are_noticed_after_a_second(folder: Path, loads: list[str]) -> None:
    clock = Clock()
    watched = WatchedShelf([folder], clock)
    write(folder / "a.yaml", "A")
    assert ids(watched.shelf()) == ["a"]
    write(folder / "b.yaml", "B")
    clock.now += 0.9
    assert ids(watched.shelf()) == ["a"]
    clock.now += 0.2
    assert ids(watched.shelf()) == ["a", "b"]
    write(folder / "a.yaml", "Changed")
    clock.now += 1.1
    assert [lesson.title for lesson in watched.shelf().lessons] == ["B", "Changed"]
    (folder / "b.yaml").unlink()
    clock.now += 1.1
    assert ids(watched.shelf()) == ["a"]
    assert loads == ["lessons/a.yaml", "lessons/b.yaml", "lessons/a.yaml"]


def test_while_nothing_changes_the_shelf_is_the_same_and_nothing_is_read(folder: Path, loads: list[str]) -> None:
    clock = Clock()
    watched = WatchedShelf([folder], clock)
    write(folder / "a.yaml")
    (folder / "bad.yaml").write_text("x")
    first = watched.shelf()
    for _ in range(5):
        clock.now += 2
        assert watched.shelf() is first
    assert loads == ["lessons/a.yaml", "lessons/bad.yaml"]


def test_a_mended_file_becomes_a_lesson_and_a_spoilt_one_a_problem(folder: Path) -> None:
    clock = Clock()
    watched = WatchedShelf([folder], clock)
    (folder / "a.yaml").write_text("format: 1")
    assert [broken.name for broken in watched.shelf().broken] == ["lessons/a.yaml"]
    write(folder / "a.yaml")
    clock.now += 2
    assert (ids(watched.shelf()), watched.shelf().broken) == (["a"], ())
    (folder / "a.yaml").write_text("format: 1")
    clock.now += 2
    assert (ids(watched.shelf()), [broken.name for broken in watched.shelf().broken]) == ([], ["lessons/a.yaml"])


def test_a_folder_may_come_later_and_go_again(tmp_path: Path) -> None:
    clock = Clock()
    path = tmp_path / "late"
    watched = WatchedShelf([path], clock)
    assert watched.shelf().broken[0].name == "late"
    path.mkdir()
    write(path / "a.yaml")
    clock.now += 2
    assert ids(watched.shelf()) == ["a"]
    (path / "a.yaml").unlink()
    path.rmdir()
    clock.now += 2
    assert watched.shelf().broken[0].name == "late"


def test_many_threads_may_ask_while_the_folder_changes(folder: Path) -> None:
    ticks = Clock()

    def clock() -> float:
        ticks.now += 0.3
        return ticks.now

    watched = WatchedShelf([folder], clock)
    write(folder / "always.yaml")
    seen: list[bool] = []

    def ask() -> None:
        for _ in range(200):
            shelf = watched.shelf()
            seen.append(shelf.find("always") is not None)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for n in range(20):
        write(folder / f"n{n}.yaml", f"Lesson {n}")
    for thread in threads:
        thread.join()
    assert len(seen) == 1600
    assert all(seen)
    ticks.now += 2
    assert (len(watched.shelf().lessons), watched.shelf().broken) == (21, ())


def test_the_shelf_of_the_project_has_no_broken_file() -> None:
    shelf = open_folder(Path(__file__).parents[1] / "scenarios")
    assert problems(shelf) == {}
    assert shelf.lessons
