"""Course files: what they may say, what is refused and in which words, and that they never hide a
lesson.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tutor import limits
from tutor.catalogue import course
from tutor.catalogue.folder import Contents
from tutor.catalogue.shelf import REST, Shelf, arranged, open_shelf
from tutor.scenario.reader import Scenario, parse

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "courses.md").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[0]
LESSON = """\
format: 1
title: {title}
network: {{inputs: 1, layers: [{{units: 1, activation: relu, weights: [[1]], biases: none}}], loss: {{name: squared_error}}}}
data: {{inputs: [[1]], targets: [[1]]}}
training: {{learning_rate: 1}}
"""
OWN = ("a", "b", "c", "exam")


def lesson(id_: str) -> Scenario:
    return parse(LESSON.format(title=id_.upper()), f"lessons/{id_}.yaml")


def said(text: str, known: tuple[str, ...] = OWN, own: tuple[str, ...] = OWN) -> list[str]:
    return [
        str(problem) for problem in course.read(text, "lessons/course.yaml").unknown(known, own)
    ]


def shown(shelf: Shelf) -> list[tuple[str, list[tuple[str, list[str]]]]]:
    """Courses, groups and ids as the gallery has them."""
    return [
        (c.title, [(group.title, [lesson.id for lesson in group.lessons]) for group in c.groups])
        for c in shelf.courses
    ]


def served(text: str, ids: tuple[str, ...] = OWN) -> Shelf:
    """The shelf of one folder with a course file."""
    contents = Contents(
        "lessons",
        tuple(map(lesson, ids)),
        course.read(text, "lessons/course.yaml"),
        ids=frozenset(ids),
    )
    return Shelf(*arranged([contents]))


def test_groups_and_lessons_stand_as_the_file_says_and_the_rest_comes_after_them() -> None:
    shelf = served(
        "format: 1\ntitle: Nets\ngroups: [{title: Second, lessons: [c]}, {title: First, lessons: [b, exam]}]"
    )
    assert shown(shelf) == [("Nets", [("Second", ["c"]), ("First", ["b", "exam"]), (REST, ["a"])])]
    assert [lesson.id for lesson in shelf.lessons] == ["c", "b", "exam", "a"]
    assert shelf.broken == ()


def test_a_course_without_groups_has_its_lessons_in_the_usual_order() -> None:
    assert shown(served("format: 1\ntitle: Nets")) == [("Nets", [("", ["a", "b", "c", "exam"])])]


def test_a_hidden_lesson_is_in_no_group_and_can_be_found() -> None:
    shelf = served("format: 1\ntitle: Nets\nhidden: [exam]")
    assert shown(shelf) == [("Nets", [("", ["a", "b", "c"])])]
    assert shelf.find("exam") is not None
    assert [lesson.id for lesson in shelf.hidden] == ["exam"]


def test_a_course_whose_lessons_are_all_hidden_is_not_listed() -> None:
    shelf = served("format: 1\ntitle: Nets\nhidden: [a, b, c, exam]")
    assert shelf.courses == ()
    assert len(shelf.lessons) == 4


def test_every_problem_is_told_at_once_with_its_line() -> None:
    text = """\
format: 2
titel: x
order: -1
groups:
  - {title: One, lessons: [a, a, 1]}
  - lessons: []
  - {title: Two, lessons: [bb.yaml, zebra]}
hidden: [a, x]
"""
    assert said(text, (*OWN, "bb")) == [
        "lessons/course.yaml:1: format: expected 1, the only format that this version reads, got the number 2",
        "lessons/course.yaml:1: title: is missing; give it a name",
        "lessons/course.yaml:2: titel: is not a key of the format; did you mean title?",
        "lessons/course.yaml:3: order: expected a whole number from 0 to 10,000, got -1",
        "lessons/course.yaml:5: groups[0].lessons[2]: expected a text, got the number 1; put it in quotes",
        "lessons/course.yaml:5: groups[0].lessons[1]: a is already listed, at groups[0].lessons[0]; a lesson has one place in a course",
        "lessons/course.yaml:6: groups[1].title: is missing; give it a name",
        "lessons/course.yaml:6: groups[1].lessons: is empty; there must be at least one",
        "lessons/course.yaml:7: groups[2].lessons[0]: there is no lesson called 'bb.yaml'; did you mean bb?",
        "lessons/course.yaml:7: groups[2].lessons[1]: there is no lesson called 'zebra'",
        "lessons/course.yaml:8: hidden[0]: a is already listed, at groups[0].lessons[0]; a lesson has one place in a course",
        "lessons/course.yaml:8: hidden[1]: there is no lesson called 'x'",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lessons/course.yaml: is empty"),
        ("[a]", "lessons/course.yaml:1: expected keys with values, such as format: 1"),
        ("format: 1\ntitle: x\nformat: 1", "format: appears twice"),
        ("format: 1\ntitle: &x y\nabout: *x", "anchor"),
        ("format: 1\ntitle: [", "is not YAML"),
        ("format: 1\ntitle: x\nschedule: 3", "schedule: is not a key of the format"),
        ("format: 1\ntitle: x\norder: 1.5", "order: expected a whole number, got the number 1.5"),
        ("format: 1\ntitle: x\norder: true", "order: expected a whole number, got true"),
        ("format: 1\ntitle: x\ngroups: {a: b}", "groups: expected a list, got a mapping"),
        ("format: 1\ntitle: x\ngroups: [a]", "groups[0]: expected a mapping of keys to values"),
        ("format: 1\ntitle: x\nhidden: a", "hidden: expected a list, got the word 'a'"),
        ("format: 1\ntitle: ' '", "title: expected a text, got one with nothing to read"),
        ("[" * 20_000, "more than 16 lists"),
        ("# " + "x" * 70_000, "is larger than 64 KB"),
        (f"format: 1\ntitle: {'x' * 300}", "title: expected at most 200 characters, got 300"),
        (
            "format: 1\ntitle: x\nhidden: [" + "a, " * 2_001 + "]",
            "hidden: expected at most 2,000 entries, got 2,001",
        ),
    ],
)
def test_what_is_no_course_is_refused_in_words_and_its_lessons_are_shown(
    text: str, message: str
) -> None:
    assert any(message in line for line in said(text)), said(text)
    shelf = served(text)
    assert shown(shelf) == [("More lessons", [("", ["a", "b", "c", "exam"])])]
    assert [broken.name for broken in shelf.broken] == ["lessons/course.yaml"]


def test_an_unknown_lesson_is_a_problem_and_the_rest_of_the_file_holds() -> None:
    shelf = served(
        "format: 1\ntitle: Nets\ngroups: [{title: One, lessons: [exom, b]}]\nhidden: [a]"
    )
    assert shown(shelf) == [("Nets", [("One", ["b"]), (REST, ["c", "exam"])])]
    (broken,) = shelf.broken
    assert [str(problem) for problem in broken.problems] == [
        "lessons/course.yaml:3: groups[0].lessons[0]: there is no lesson called 'exom'; did you mean exam?"
    ]


def test_a_lesson_of_another_folder_can_be_named_but_not_hidden() -> None:
    assert said("format: 1\ntitle: x\ngroups: [{title: One, lessons: [far]}]", (*OWN, "far")) == []
    assert said("format: 1\ntitle: x\nhidden: [far]", (*OWN, "far")) == [
        "lessons/course.yaml:3: hidden[0]: the lesson far is in another folder; a course can hide only lessons in its own folder"
    ]


def test_thousands_of_unknown_names_are_answered_quickly_and_shortly() -> None:
    names = [f"lesson-number-{n}" for n in range(limits.COURSE_LESSONS)]
    text = yaml.safe_dump(
        {
            "format": 1,
            "title": "x",
            "groups": [{"title": "One", "lessons": [f"{name}x" for name in names]}],
        }
    )
    found = said(text, tuple(names))
    assert len(found) == 50
    assert sum("did you mean" in line for line in found) == course.SUGGESTED


def test_the_example_of_the_documentation_is_a_course(tmp_path: Path) -> None:
    for name in (
        "two-layers",
        "dead-relu",
        "three-classes",
        "exam-2026",
        "linear-regression",
        "vanishing-gradient",
    ):
        (tmp_path / f"{name}.yaml").write_text(LESSON.format(title=name), encoding="utf-8")
    (tmp_path / "course.yaml").write_text(EXAMPLE, encoding="utf-8")
    shelf = open_shelf((tmp_path,))
    assert shelf.broken == ()
    assert shown(shelf) == [("Neural networks, summer 2026", [
        ("The first week", ["linear-regression", "two-layers"]),
        ("The second week", ["vanishing-gradient", "dead-relu"]),
        (REST, ["three-classes"]),
    ])]  # fmt: skip


def test_the_documentation_names_every_key_and_every_limit() -> None:
    named = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert named == set(course.CourseFile.model_fields)
    for number in (limits.SHELF_FILES, limits.SHELF_FOLDERS):
        assert f"{number:,}" in PAGE


def test_the_shipped_course_names_every_shipped_lesson() -> None:
    shelf = open_shelf((ROOT / "scenarios",))
    assert shelf.broken == ()
    assert [REST for c in shelf.courses for group in c.groups if group.title == REST] == []
    assert (len(shelf.courses), shelf.hidden) == (4, ())


# ---- any course file ----

WORDS = st.sampled_from([*OWN, "zebra", "A", "course", "", " a ", "1", "<b>", "\u202ea"])
GROUPS = st.fixed_dictionaries({}, optional={
    "title": st.one_of(WORDS, st.integers(), st.none()), "about": WORDS, "x": WORDS,
    "lessons": st.lists(st.one_of(WORDS, st.integers()), max_size=4),
})  # fmt: skip
FILES = st.fixed_dictionaries({}, optional={
    "format": st.sampled_from([1, 1, 1, 2, "1", True]),
    "title": st.one_of(WORDS, st.booleans()),
    "about": st.one_of(WORDS, st.lists(WORDS)),
    "order": st.one_of(st.integers(-2, 20_000), st.floats(), WORDS),
    "groups": st.one_of(st.lists(st.one_of(GROUPS, WORDS), max_size=4), WORDS),
    "hidden": st.one_of(st.lists(WORDS, max_size=4), st.integers()),
    "lessons": WORDS,
})  # fmt: skip


def holds(text: str) -> None:
    """Whatever the file says: each lesson is listed once or hidden by name, and what is wrong is
    said with a reason.
    """
    shelf = served(text)
    listed = [id_ for _, groups in shown(shelf) for _, ids in groups for id_ in ids]
    assert len(listed) == len(set(listed))
    assert {lesson.id for lesson in shelf.lessons} == set(OWN)
    file = course.read(text, "lessons/course.yaml").file
    assert set(OWN) - set(listed) <= (set(file.hidden) if file else set())
    assert all(problem.message for broken in shelf.broken for problem in broken.problems)
    assert (file is None) <= bool(shelf.broken)


@given(FILES)
def test_any_mapping_is_a_course_or_has_problems(data: dict[str, Any]) -> None:
    holds(yaml.safe_dump(data, allow_unicode=True))


@given(st.text(max_size=60))
def test_any_text_is_a_course_or_has_problems(text: str) -> None:
    holds(text)
    holds(f"format: 1\ntitle: x\n{text}")
    holds(f"format: 1\ntitle: x\ngroups:\n- title: a\n  lessons: [{text}]")
