"""Files that people take away have names that say what is inside, and the shelf takes them as they
are.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import create_app
from tests.htmltree import read
from tests.visiting import NAMES, get, scenario
from tutor.builder import text_page
from tutor.catalogue import course, folder
from tutor.catalogue.shelf import open_shelf
from tutor.export.file_name import LONGEST, SUFFIX, slug, stem
from tutor.export.registry import KINDS, ExportOrder, make
from tutor.lesson.walk import open_lesson
from tutor.pages.view import View
from tutor.scenario.reader import scenario_id

if TYPE_CHECKING:
    from flask import Flask

SAVED = "saved-" + "a2" * 10
WINDOWS = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]", re.ASCII)


@pytest.mark.parametrize(("title", "name"), [
    ("My first lesson", "my-first-lesson"), ("XOR, with two units!", "xor-with-two-units"), ("A student’s net", "a-students-net"),
    ("Größe & Übung", "grosse-ubung"), ("Rétropropagation à la main", "retropropagation-a-la-main"),
    ("Sieć neuronowa łatwa", "siec-neuronowa-latwa"),
    ("∂L/∂w in x₁", "l-w-in-x1"), ("  2-2-1  ", "2-2-1"), ("1", "lesson-1"), ("Course", "lesson-course"), ("CON", "lesson-con"),
    ("../../etc/passwd", "etc-passwd"), ("saved " + "a2" * 10, "lesson-saved-" + "a2" * 10), ("Обучение 2-2-1", "2-2-1"),
])  # fmt: skip
def test_a_title_becomes_a_name(title: str, name: str) -> None:
    assert slug(title) == name


def test_titles_without_latin_letters_have_names_of_their_own_that_stay() -> None:
    titles = ["Обратное распространение", "反向传播", "逆伝播", "الانتشار العكسي", "…", "🙂"]
    names = [slug(title) for title in titles]
    assert names == [slug(title) for title in titles]
    assert len(set(names)) == len(titles)
    assert all(re.fullmatch(r"lesson-[0-9a-f]{6}", name) for name in names)


def test_a_long_title_ends_with_a_whole_word() -> None:
    assert slug("word " * 40) == "-".join(["word"] * 12)
    assert slug("x" * 200) == "x" * LONGEST


@given(st.text(max_size=200))
def test_every_name_is_one_that_the_shelf_and_any_system_take(title: str) -> None:
    name = slug(title)
    assert scenario_id(name + SUFFIX) == name
    assert folder.unfit(name + SUFFIX) == ""
    assert not course.is_course(name + SUFFIX)
    assert not WINDOWS.fullmatch(name)
    assert len(name) <= LONGEST + len("lesson-")
    assert not name.endswith("-")


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_of_the_shelf_keeps_its_own_name(name: str) -> None:
    assert stem(scenario(name)) == name


@pytest.mark.parametrize("key", KINDS)
@pytest.mark.parametrize("id_", [SAVED, "größe"])
def test_files_of_a_lesson_whose_id_says_nothing_are_called_by_its_title(
    key: str, id_: str
) -> None:
    lesson = open_lesson(replace(scenario("linear-sigmoid"), id=id_, title="Two Inputs"))
    assert re.fullmatch(r"two-inputs-[a-z0-9.-]+", make(lesson, key, View(), ExportOrder()).name)


# ---- from a saved lesson to the shelf ----


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The tutor with a store of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(
            "DATABASE_URL", f"sqlite:///{tmp_path_factory.mktemp('store') / 'lessons.sqlite'}"
        )
        return create_app(Path(__file__).parents[1] / "scenarios")


def saved(app: Flask, title: str) -> str:
    """The address of a saved lesson."""
    text = text_page.EXAMPLE.replace("My first lesson", title)
    answer = app.test_client().post("/open", data={"text": text, "do": "save"})
    assert answer.status_code == 303
    return str(answer.location)


def downloaded(app: Flask, address: str, to: Path) -> Path:
    """The file behind the download link of the page Share, put where a browser would."""
    links = read(get(f"{address}/share", app).text).root.all("a")
    (link,) = [a for a in links if "download" in a.attributes]
    answer = get(link.attributes["href"], app)
    name = re.fullmatch(r'attachment; filename="([^"/\\]+)"', answer.headers["Content-Disposition"])
    assert name
    file = to / name[1]
    file.write_bytes(answer.data)
    return file


@pytest.mark.parametrize("title", ["A lesson on XOR", "反向传播", "Course", "saved " + "a2" * 10])
def test_a_saved_lesson_goes_from_its_page_to_the_shelf_as_it_is(
    app: Flask, title: str, tmp_path: Path
) -> None:
    file = downloaded(app, saved(app, title), tmp_path)
    shelf = open_shelf((tmp_path,))
    assert shelf.broken == ()
    assert [(lesson.id, lesson.title) for lesson in shelf.lessons] == [(file.stem, title)]
    served = create_app(tmp_path)
    assert title in get(f"/lessons/{file.stem}", served).text


def test_a_saved_lesson_does_not_take_the_name_of_a_lesson_that_is_there(
    app: Flask, tmp_path: Path
) -> None:
    assert downloaded(app, saved(app, "Linear sigmoid"), tmp_path).name == "linear-sigmoid-2.yaml"
    assert open_shelf((tmp_path,)).broken == ()


def test_a_lesson_of_the_shelf_is_downloaded_under_its_own_name(app: Flask, tmp_path: Path) -> None:
    assert downloaded(app, "/lessons/linear-sigmoid", tmp_path).name == "linear-sigmoid.yaml"
