"""The shelf: folders and their courses, order, broken files beside sound ones, and changes that are
noticed without a restart.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tutor import limits
from tutor.catalogue import folder as folders
from tutor.catalogue import shelf
from tutor.catalogue.shelf import Shelf, WatchedShelf, open_shelf
from tutor.scenario import reader

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


def test_lessons_stand_by_deck_order_and_title_and_those_without_a_deck_come_last(
    folder: Path,
) -> None:
    write(folder / "e.yaml", "Z", "002", 1)
    write(folder / "d.yaml", "b", "001", 2)
    write(folder / "c.yaml", "A", "001", 2)
    write(folder / "b.yml", "Z", "001", 1)
    write(folder / "a.json", "A")
    (folder / "a.json").write_text(
        (folder / "a.json").read_text().replace('lecture: {deck: "001", order: 1}\n', "")
    )
    assert ids(open_shelf((folder,))) == ["b", "c", "d", "e", "a"]


def test_a_lesson_is_found_by_its_id(folder: Path) -> None:
    write(folder / "one.yaml", "One")
    shelf = open_shelf((folder,))
    found = shelf.find("one")
    assert found is not None
    assert (found.title, found.where) == ("One", "lessons/one.yaml")
    assert shelf.find("two") is None


def test_some_lessons_of_a_shelf_are_a_shelf_without_empty_groups_and_broken_files(
    folder: Path,
) -> None:
    for name in "abc":
        write(folder / f"{name}.yaml", name)
    (folder / "broken.yaml").write_text("format: 1", encoding="utf-8")
    groups = "{title: One, lessons: [a, b]}, {title: Two, lessons: [c]}"
    (folder / "course.yaml").write_text(
        f"format: 1\ntitle: All\ngroups: [{groups}]\n", encoding="utf-8"
    )
    whole = open_shelf([folder])
    some = whole.only({"b", "x"})
    assert ids(some) == ["b"]
    assert [[group.title for group in course.groups] for course in some.courses] == [["One"]]
    assert (some.broken, some.find("a"), some.hidden) == ((), None, ())
    assert some.mark != whole.mark
    assert WatchedShelf([folder], only={"b"}).shelf().mark == some.mark


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
    shelf = open_shelf((folder,))
    assert ids(shelf) == ["good"]
    found = problems(shelf)
    assert (
        found.pop("lessons/bad.yaml")[0]
        == "lessons/bad.yaml:1: title: is missing; give the lesson a name"
    )
    assert found == {
        "lessons/Bad Name.yaml": [
            "lessons/Bad Name.yaml: the name of a scenario file is made of a-z, 0-9 and -, such as two-layers.yaml"
        ],
        "lessons/empty.yaml": ["lessons/empty.yaml: is empty"],
        "lessons/large.yaml": [
            "lessons/large.yaml: is larger than 64 KB, the limit for a scenario file"
        ],
        "lessons/lost.yaml": ["lessons/lost.yaml: cannot be read: there is no such file"],
        "lessons/picture.yaml": ["lessons/picture.yaml:1: is not UTF-8 text (byte 0x89)"],
        "lessons/pipe.yaml": ["lessons/pipe.yaml: is not a file"],
        "lessons/round.yaml": [
            "lessons/round.yaml: cannot be read: too many levels of symbolic links"
        ],
        "lessons/sub.yaml": ["lessons/sub.yaml: cannot be read: it is a folder"],
    }


def test_a_refused_permission_is_told_in_words(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder / "secret.yaml")

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(reader.os, "open", refuse)
    assert problems(open_shelf((folder,))) == {
        "lessons/secret.yaml": ["lessons/secret.yaml: cannot be read: permission denied"]
    }


def test_of_two_files_with_one_id_the_second_is_listed(folder: Path) -> None:
    write(folder / "a.json", "First")
    write(folder / "a.yaml", "Second")
    shelf = open_shelf((folder,))
    assert [lesson.title for lesson in shelf.lessons] == ["First"]
    assert problems(shelf) == {
        "lessons/a.yaml": ["lessons/a.yaml: there is already a lesson a, from lessons/a.json"]
    }


def test_hidden_and_other_files_are_passed_over(folder: Path) -> None:
    for name in (".a.yaml", ".#b.yaml", "README.md", "c.yaml~", "d.yaml.bak"):
        (folder / name).write_text("nothing")
    assert open_shelf((folder,)) == Shelf()


def test_a_name_of_odd_bytes_can_be_shown(folder: Path) -> None:
    (folder / os.fsdecode(b"\xff\n.yaml")).write_text("x")
    (broken,) = open_shelf((folder,)).broken
    assert broken.name == "lessons/\\udcff\\n.yaml"
    str(broken.problems[0]).encode("utf-8")


@pytest.mark.parametrize("kind", ["missing", "file", "bad name"])
def test_a_folder_that_is_none_is_a_problem_and_not_a_crash(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").touch()
    shelf = open_shelf((f"{tmp_path}/{kind}" if kind != "bad name" else "a\0b",))
    assert shelf.lessons == ()
    assert (
        str(shelf.broken[0].problems[0])
        == {
            "missing": "missing: the folder cannot be read: no such file or directory",
            "file": "file: the folder cannot be read: not a directory",
            "bad name": "a\\x00b: the folder cannot be read: its name is not valid",
        }[kind]
    )


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
    real: Callable[..., reader.Scenario] = reader.load

    def counted(path: str, where: str) -> reader.Scenario:
        names.append(where)
        return real(path, where)

    monkeypatch.setattr(reader, "load", counted)
    return names


def test_new_changed_and_removed_files_are_noticed_after_a_second(
    folder: Path, loads: list[str]
) -> None:
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


def test_while_nothing_changes_the_shelf_is_the_same_and_nothing_is_read(
    folder: Path, loads: list[str]
) -> None:
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
    assert (ids(watched.shelf()), [broken.name for broken in watched.shelf().broken]) == (
        [],
        ["lessons/a.yaml"],
    )


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


# ---- several folders, courses ----


def courses(found: Shelf) -> dict[str, list[str]]:
    return {
        each.title: [lesson.id for group in each.groups for lesson in group.lessons]
        for each in found.courses
    }


def describe(path: Path, title: str, more: str = "") -> None:
    path.mkdir(exist_ok=True)
    (path / "course.yaml").write_text(f"format: 1\ntitle: {title}\n{more}", encoding="utf-8")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own"
    path.mkdir()
    return path


def test_courses_stand_by_their_order_and_those_without_a_course_file_last(
    folder: Path, own: Path
) -> None:
    for name in ("late", "early", "plain", "unordered"):
        (own / name).mkdir()
        write(own / name / f"{name}.yaml")
    describe(own / "late", "Late", "order: 20")
    describe(own / "early", "Early", "order: 1")
    describe(own / "unordered", "Unordered")
    describe(folder, "Shipped", "order: 5")
    write(folder / "a.yaml")
    write(own / "b.yaml")
    found = open_shelf([folder, own])
    assert list(courses(found).items()) == [
        ("Early", ["early"]), ("Shipped", ["a"]), ("Late", ["late"]), ("Unordered", ["unordered"]),
        ("More lessons", ["b"]), ("plain", ["plain"]),
    ]  # fmt: skip
    assert problems(found) == {}
    assert found.find("plain").where == "own/plain/plain.yaml"  # type: ignore[union-attr]


def test_lessons_of_folders_without_course_files_stand_by_the_course_that_they_name(
    folder: Path, own: Path
) -> None:
    for number, path in enumerate((folder, own)):
        write(path / f"x{number}.yaml", deck=f"{number}")
        text = (path / f"x{number}.yaml").read_text()
        (path / f"x{number}.yaml").write_text(text + "course: Perception\n", encoding="utf-8")
    assert courses(open_shelf([folder, own])) == {"Perception": ["x0", "x1"]}


def test_the_same_id_in_two_folders_is_refused_in_the_second_with_the_place_of_the_first(
    folder: Path, own: Path
) -> None:
    (own / "inside").mkdir()
    write(folder / "a.yaml", "First")
    write(own / "a.yaml", "Second")
    write(own / "inside" / "a.yaml", "Third")
    write(own / "inside" / "b.yaml", "Only")
    describe(own / "inside", "Inside", "groups: [{title: G, lessons: [a, b]}]")
    found = open_shelf([folder, own])
    assert problems(found) == {
        "own/a.yaml": ["own/a.yaml: there is already a lesson a, from lessons/a.yaml"],
        "own/inside/a.yaml": [
            "own/inside/a.yaml: there is already a lesson a, from lessons/a.yaml"
        ],
    }
    assert courses(found) == {"Inside": ["a", "b"], "More lessons": ["a"]}


def test_a_name_like_that_of_a_saved_lesson_is_refused(folder: Path) -> None:
    saved = "saved-" + "a2" * 10
    for name in (saved, saved + "a", "saved-" + "a1" * 10):
        write(folder / f"{name}.yaml")
    found = open_shelf((folder,))
    assert ids(found) == ["saved-" + "a1" * 10, saved + "a"]
    assert problems(found) == {
        f"lessons/{saved}.yaml": [
            f"lessons/{saved}.yaml: such names belong to lessons that readers saved; give the file another name"
        ]
    }


def test_a_course_names_a_lesson_that_has_problems_without_having_one(folder: Path) -> None:
    write(folder / "good.yaml")
    (folder / "torn.yaml").write_text("format: 1")
    describe(folder, "Nets", "groups: [{title: G, lessons: [torn, good]}]")
    found = open_shelf((folder,))
    assert courses(found) == {"Nets": ["good"]}
    assert list(problems(found)) == ["lessons/torn.yaml"]


def test_of_two_course_files_the_second_is_refused(folder: Path) -> None:
    write(folder / "a.yaml")
    describe(folder, "First")
    (folder / "course.yml").write_text("format: 1\ntitle: Second\n", encoding="utf-8")
    found = open_shelf((folder,))
    assert list(courses(found)) == ["First"]
    assert problems(found) == {
        "lessons/course.yml": [
            "lessons/course.yml: the course is already described in lessons/course.yaml; keep one of the two"
        ]
    }


@pytest.mark.parametrize("kind", ["pipe", "folder", "lost", "bytes"])
def test_a_course_file_that_cannot_be_read_is_listed_and_hides_nothing(
    folder: Path, kind: str
) -> None:
    write(folder / "a.yaml")
    path = folder / "course.yaml"
    {"pipe": lambda: os.mkfifo(path), "folder": path.mkdir, "lost": lambda: path.symlink_to("nowhere"),
     "bytes": lambda: path.write_bytes(b"format: 1\xff")}[kind]()  # fmt: skip
    found = open_shelf((folder,))
    assert courses(found) == {"More lessons": ["a"]}
    assert [str(problem) for broken in found.broken for problem in broken.problems] == [{
        "pipe": "lessons/course.yaml: is not a file", "folder": "lessons/course.yaml: cannot be read: it is a folder",
        "lost": "lessons/course.yaml: cannot be read: there is no such file",
        "bytes": "lessons/course.yaml:1: is not UTF-8 text (byte 0xff)",
    }[kind]]  # fmt: skip


def test_only_the_folders_directly_inside_are_read_and_hidden_or_empty_ones_are_passed_over(
    folder: Path,
) -> None:
    for path in (folder / "one" / "two", folder / ".git", folder / "empty"):
        path.mkdir(parents=True)
    write(folder / "one" / "a.yaml")
    write(folder / "one" / "two" / "deep.yaml")
    write(folder / ".git" / "hidden.yaml")
    assert courses(open_shelf((folder,))) == {"one": ["a"]}
    assert problems(open_shelf((folder,))) == {}


def test_links_that_lead_in_a_circle_are_read_once(folder: Path) -> None:
    write(folder / "a.yaml")
    (folder / "again").symlink_to(folder)
    (folder / "circle").symlink_to("circle")
    (folder / "nowhere").symlink_to("gone")
    found = open_shelf((folder,))
    assert ids(found) == ["a"]
    assert problems(found) == {
        "lessons/again": ["lessons/again: is the same folder as lessons, which was already read"]
    }
    assert ids(open_shelf([folder, folder])) == ["a"]
    assert problems(open_shelf([folder / "again", folder])).keys() == {"again/again", "lessons"}


def test_two_folders_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for name in ("x", "y"):
        (tmp_path / name / "lessons").mkdir(parents=True)
        write(tmp_path / name / "lessons" / "a.yaml")
    found = open_shelf([tmp_path / "x" / "lessons", tmp_path / "y" / "lessons"])
    assert problems(found) == {
        "y/lessons/a.yaml": ["y/lessons/a.yaml: there is already a lesson a, from x/lessons/a.yaml"]
    }


def test_a_folder_of_odd_bytes_is_a_course_that_can_be_shown(folder: Path) -> None:
    inside = folder / os.fsdecode(b"\xffodd")
    inside.mkdir()
    write(inside / "a.yaml")
    (inside / os.fsdecode(b"\xfe.yaml")).write_text("x")
    found = open_shelf((folder,))
    assert courses(found) == {"\\udcffodd": ["a"]}
    assert [broken.name for broken in found.broken] == ["lessons/\\udcffodd/\\udcfe.yaml"]
    str(problems(found)).encode("utf-8")


def test_an_unreadable_folder_is_listed_and_the_others_are_read(
    folder: Path, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder / "a.yaml")
    (own / "inside").mkdir()
    write(own / "inside" / "b.yaml")
    real = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("inside"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(folders.os, "scandir", refuse)
    found = open_shelf([folder, own])
    assert ids(found) == ["a"]
    assert problems(found) == {
        "own/inside": ["own/inside: the folder cannot be read: permission denied"]
    }


def test_a_file_that_vanishes_between_listing_and_reading_is_left_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder / "a.yaml")
    write(folder / "b.yaml")
    describe(folder, "Nets")
    real = reader.read

    def vanish(path: str, where: str) -> bytes:
        if not where.endswith("b.yaml"):
            Path(path).unlink()
        return real(path, where)

    monkeypatch.setattr(reader, "read", vanish)
    found = open_shelf((folder,))
    assert (courses(found), problems(found)) == ({"More lessons": ["b"]}, {})


def test_course_files_and_folders_are_noticed_after_a_second(
    folder: Path, own: Path, loads: list[str]
) -> None:
    clock = Clock()
    watched = WatchedShelf([folder, own], clock)
    write(folder / "a.yaml")
    write(folder / "b.yaml", "B")

    def seen() -> dict[str, list[str]]:
        clock.now += 1.1
        return courses(watched.shelf())

    assert seen() == {"More lessons": ["a", "b"]}
    describe(folder, "Nets", "groups: [{title: G, lessons: [b]}]")
    assert courses(watched.shelf()) == {"More lessons": ["a", "b"]}
    assert seen() == {"Nets": ["b", "a"]}
    describe(folder, "Networks", "hidden: [b]")
    assert seen() == {"Networks": ["a"]}
    (folder / "course.yaml").write_text("format: 7")
    assert seen() == {"More lessons": ["a", "b"]}
    (own / "week").mkdir()
    write(own / "week" / "c.yaml")
    assert seen() == {"More lessons": ["a", "b"], "week": ["c"]}
    describe(own / "week", "The week")
    (folder / "course.yaml").unlink()
    assert seen() == {"The week": ["c"], "More lessons": ["a", "b"]}
    (own / "week").rename(own / "other")
    assert seen() == {"The week": ["c"], "More lessons": ["a", "b"]}
    for path in (own / "other").iterdir():
        path.unlink()
    (own / "other").rmdir()
    assert seen() == {"More lessons": ["a", "b"]}
    assert problems(watched.shelf()) == {}
    assert loads == ["lessons/a.yaml", "lessons/b.yaml", "own/week/c.yaml", "own/other/c.yaml"]


def test_while_no_folder_changes_nothing_is_read_and_arranged_anew(
    folder: Path, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    describe(own / "inside", "Broken", "hidden: [nothing]")
    write(own / "inside" / "a.yaml")
    (own / "again").symlink_to(own)
    watched = WatchedShelf([folder, own, own / "missing"], clock)
    first = watched.shelf()
    assert len(first.broken) == 3
    monkeypatch.setattr(shelf, "arranged", lambda _: pytest.fail("nothing has changed"))
    for _ in range(3):
        clock.now += 2
        assert watched.shelf() is first


def test_of_twenty_thousand_files_the_first_are_read_and_the_rest_is_said(
    folder: Path, loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SHELF_FILES", 20)
    for number in range(20_000):
        (folder / f"n{number:05}.yaml").touch()
    describe(folder, "Many")
    found = open_shelf((folder,))
    assert loads == [f"lessons/n{number:05}.yaml" for number in range(20)]
    assert problems(found)["lessons"] == [
        "lessons: has 20,000 scenario files; only the first 20 by name are read, which is the limit for a folder"
    ]


def test_of_too_many_folders_the_first_are_read_and_the_rest_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SHELF_FOLDERS", 3)
    for number in range(5):
        (folder / f"f{number}").mkdir()
        write(folder / f"f{number}" / f"a{number}.yaml")
    found = open_shelf((folder,))
    assert ids(found) == ["a0", "a1", "a2"]
    assert problems(found) == {
        "lessons": ["lessons: has 5 folders; only the first 3 by name are read, which is the limit"]
    }


def test_the_folders_are_those_of_the_settings(tmp_path: Path) -> None:
    home = Path(__file__).parents[1]
    assert shelf.configured({}) == (home / "scenarios",)
    assert shelf.configured({"SHELF": "", "SCENARIOS": ""}) == (home / "scenarios",)
    assert shelf.configured({"SHELF": str(tmp_path), "SCENARIOS": "mine"}) == (
        home / "mine",
        tmp_path,
    )


def test_the_shelf_of_the_project_has_no_broken_file() -> None:
    found = open_shelf((Path(__file__).parents[1] / "scenarios",))
    assert problems(found) == {}
    assert found.lessons
