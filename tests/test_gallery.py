"""The gallery: courses with their groups and cards, the number of steps on each, the search, and
files that cannot be shown.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app import create_app
from tests.htmltree import Element, read, text_of
from tests.visiting import NAMES, fragment, get, scenario
from tutor.catalogue.shelf import open_shelf
from tutor.errors import LessonError
from tutor.export.registry import KINDS
from tutor.lesson import walk
from tutor.lesson.walk import Length, open_lesson
from tutor.pages.gallery import gallery_page
from tutor.scenario.reader import parse

if TYPE_CHECKING:
    from flask import Flask

ROOT = Path(__file__).parents[1]
FIRST_STEPS = {"one-weight", "one-neuron"}
"""The lessons that come from no lecture."""
LESSON = """\
format: 1
title: {title}
{more}network:
  inputs: 1
  layers: [{{units: 1, activation: {activation}, weights: [[{weight}]], biases: none}}]
  loss: {{name: squared_error}}
data: {{inputs: {rows}, targets: {rows}}}
training: {{learning_rate: 1}}
"""


def text(
    title: str = "A",
    activation: str = "relu",
    weight: object = 0.5,
    samples: int = 1,
    more: str = "",
) -> str:
    return LESSON.format(
        title=title, activation=activation, weight=weight, rows=[[1]] * samples, more=more
    )


def write(path: Path, *arguments: str, **more: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text(*arguments, **more), encoding="utf-8")  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "lessons"
    path.mkdir()
    return path


def page(*folders: Path, address: str = "/") -> Element:
    answer = get(address, create_app(*folders))
    assert answer.status_code == 200
    found = read(answer.text)
    assert found.problems == []
    return found.root


def test_courses_groups_and_cards_are_headings_below_each_other(folder: Path) -> None:
    for name in "abc":
        write(folder / f"{name}.yaml", name.upper())
    (folder / "course.yaml").write_text(
        "format: 1\ntitle: Nets\nabout: What it is about.\ngroups: [{title: First, about: Begin here., lessons: [c, a]}]",
        encoding="utf-8",
    )
    section = page(folder).one("section", cls="lecture")
    assert section.one("h2").text == "Nets"
    assert [element.text for element in section.all("h3")] == ["First", "More of this course"]
    assert [element.text for element in section.all("h4")] == ["C", "A", "B"]
    assert [element.text for element in section.all("p", cls="about")] == [
        "What it is about.",
        "Begin here.",
    ]


def test_without_groups_the_cards_stand_right_below_their_course(folder: Path) -> None:
    write(folder / "a.yaml", more="course: Perception\n")
    section = page(folder).one("section", cls="lecture")
    assert [section.one("h2").text, section.one("h3").text] == ["Perception", "A"]
    assert not list(section.all("h4"))


def test_several_courses_are_listed_with_links_to_their_places_and_a_single_one_is_not(
    folder: Path,
) -> None:
    write(folder / "a.yaml", more="course: Perception\n")
    assert not list(page(folder).all("nav", cls="contents"))
    write(folder / "inside" / "b.yaml", "B")
    root = page(folder)
    links = list(root.one("nav", cls="contents").all("a"))
    assert [link.text for link in links] == ["Perception", "inside"]
    assert [link.attributes["href"] for link in links] == [
        f"#{h.attributes['id']}" for h in root.all("h2") if "id" in h.attributes
    ]


def test_a_card_names_its_lecture_where_the_course_has_another_name(folder: Path) -> None:
    write(folder / "a.yaml", more="course: Perception\nlecture: {deck: '002'}\n")
    write(folder / "b.yaml", "B", more="course: Nets\n")
    write(folder / "c.yaml", "C")
    (folder / "course.yaml").write_text("format: 1\ntitle: Nets", encoding="utf-8")
    section = page(folder).one("section", cls="lecture")
    assert [element.text for element in section.all("p", cls="source")] == [
        "Perception · lecture 002"
    ]


@pytest.mark.parametrize("name", sorted({*NAMES} - FIRST_STEPS))
def test_a_lesson_names_its_course_and_the_title_of_its_lecture_and_no_number_of_a_deck(
    name: str,
) -> None:
    lesson, text = scenario(name), (ROOT / "scenarios" / f"{name}.yaml").read_text(encoding="utf-8")
    assert lesson.lecture is not None
    assert lesson.source == f"{lesson.course} · {lesson.lecture.deck}"
    first = get(f"/lessons/{lesson.id}").text
    files = [get(f"/lessons/{lesson.id}/export/{kind}").text for kind in ("html", "latex", "numpy")]
    assert lesson.source in text_of(first)
    assert lesson.source in text_of(get("/").text)
    assert all(lesson.lecture.deck in re.sub(r"[\s#]+", " ", file) for file in files)
    assert not re.search(r"\bdeck\b", text.replace("  deck:", ""), re.IGNORECASE)
    assert not re.search(r"\bdeck\b|\b00\d\b", text_of(first), re.IGNORECASE)


@pytest.mark.parametrize("name", sorted(FIRST_STEPS))
def test_a_first_lesson_comes_from_no_lecture_and_no_page_or_file_of_it_names_one(
    name: str,
) -> None:
    lesson = scenario(name)
    assert (lesson.lecture, lesson.course, lesson.source, lesson.printed) == (None, "", "", ())
    files = [get(f"/lessons/{name}/export/{kind}") for kind in KINDS]
    assert [file.status_code for file in files] == [200] * len(KINDS)
    pages = [get(f"/lessons/{name}").text, fragment(f"/lessons/{name}/steps/1").text]
    assert not any(re.search(r"\blecture\b", text_of(page)) for page in pages)


def test_a_hidden_lesson_has_no_card_and_opens_by_its_address(folder: Path) -> None:
    write(folder / "a.yaml")
    write(folder / "exam.yaml", "The exam")
    (folder / "course.yaml").write_text("format: 1\ntitle: Nets\nhidden: [exam]", encoding="utf-8")
    app = create_app(folder)
    assert "The exam" not in get("/", app).text
    assert get("/lessons/exam/steps/1", app).status_code == 200


def test_broken_files_are_listed_with_folder_and_file(folder: Path) -> None:
    write(folder / "a.yaml")
    write(folder / "inside" / "b.yaml")
    (folder / "inside" / "torn.yaml").write_text("format: 1\ntitle: <b>x</b>\n", encoding="utf-8")
    (folder / "course.yaml").write_text(
        "format: 1\ntitle: x\ngroups: [{title: G, lessons: [<b>no</b>]}]", encoding="utf-8"
    )
    link = page(folder).one("p", cls="problems").one("a")
    assert (link.text, link.attributes["href"]) == ("2 files have problems", "/problems")
    section = page(folder, address="/problems").one("section", cls="broken")
    assert [element.text for element in section.all("h2")] == [
        "lessons/inside/torn.yaml",
        "lessons/course.yaml",
    ]
    assert (
        "lessons/course.yaml:3: groups[0].lessons[0]: there is no lesson called '<b>no</b>'"
        in section.text
    )


BROKEN = "format: 1\ntitle: secret\nnetwrk: {}\n"
READERS: list[tuple[str, dict[str, str], dict[str, str]]] = [
    # where the tutor was asked, by whom, with which headers
    ("http://tutor.example", {}, {}), ("http://192.168.1.5:8000", {"REMOTE_ADDR": "192.168.1.7"}, {}),
    ("http://localhost", {"REMOTE_ADDR": "192.168.1.7"}, {}), ("http://localhost", {"REMOTE_ADDR": ""}, {}),
    ("http://localhost.evil.example", {}, {}), ("http://localhost", {}, {"X-Forwarded-For": "192.0.2.7"}),
    ("http://localhost", {}, {"Via": "1.1 x"}),
]  # fmt: skip


def asked(
    app: Flask, base: str, environ: dict[str, str], headers: dict[str, str], address: str = "/"
) -> str:
    client = app.test_client()
    return client.get(address, base_url=base, environ_overrides=environ, headers=headers).text


@pytest.mark.parametrize(("base", "environ", "headers"), READERS)
def test_readers_see_no_problems_of_files(
    folder: Path, base: str, environ: dict[str, str], headers: dict[str, str]
) -> None:
    write(folder / "a.yaml")
    (folder / "torn.yaml").write_text(BROKEN, encoding="utf-8")
    (folder / "course.yaml").write_text(
        "format: 1\ntitle: x\ngroups: [{title: G, lessons: [none-such]}]", encoding="utf-8"
    )
    app = create_app(folder)
    text = asked(app, base, environ, headers)
    assert 'data-lesson="a"' in text
    own_page = asked(app, base, environ, headers, "/problems")
    assert "There is no such page." in own_page
    assert not any(
        word in text + own_page
        for word in ("torn", "netwrk", "none-such", ".yaml", "problems", str(folder))
    )


@pytest.mark.parametrize(
    "base",
    [
        "http://localhost:8000",
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
        "http://LOCALHOST",
        "http://localhost.",
    ],
)
@pytest.mark.parametrize("client", ["127.0.0.1", "127.8.0.1", "::1"])
def test_the_author_sees_them_where_the_tutor_runs(folder: Path, base: str, client: str) -> None:
    (folder / "torn.yaml").write_text(BROKEN, encoding="utf-8")
    app = create_app(folder)
    first = asked(app, base, {"REMOTE_ADDR": client}, {})
    assert read(first).root.one("p", cls="problems").text == "1 file has problems"
    text = asked(app, base, {"REMOTE_ADDR": client}, {}, "/problems")
    assert (
        "lessons/torn.yaml:3: netwrk: is not a key of the format"
        in read(text).root.one("section", cls="broken").text
    )


def test_behind_a_proxy_nobody_is_taken_for_the_author(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "torn.yaml").write_text(BROKEN, encoding="utf-8")
    monkeypatch.setenv("BEHIND_PROXY", "1")
    app, headers = (
        create_app(folder),
        {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "https"},
    )
    for address in ("/", "/problems"):
        text = asked(app, "http://localhost", {}, headers, address)
        assert "torn" not in text
        assert 'class="problems"' not in text


def test_where_all_files_are_in_order_nothing_leads_to_the_page_that_says_so(folder: Path) -> None:
    write(folder / "a.yaml")
    assert not list(page(folder).all("p", cls="problems"))
    listed = page(folder, address="/problems")
    assert "No problems: all scenario and course files are valid." in listed.text
    assert not list(listed.all("section", cls="broken"))


def test_an_empty_gallery_tells_only_the_author_how_to_begin(folder: Path) -> None:
    app = create_app(folder)
    assert "Put a scenario file" in asked(app, "http://localhost", {}, {})
    text = asked(app, "http://tutor.example", {}, {})
    assert "There is no lesson here yet." in text
    assert "scenario" not in text


def test_texts_of_a_course_file_are_shown_as_they_are(folder: Path) -> None:
    write(folder / "a.yaml")
    hostile = "<script>alert(1)</script>\"'&lt;"
    quoted = "'" + hostile.replace("'", "''") + "'"
    (folder / "course.yaml").write_text(
        f"format: 1\ntitle: {quoted}\nabout: {quoted}\ngroups: [{{title: {quoted}, about: {quoted}, lessons: [a]}}]",
        encoding="utf-8",
    )
    section = page(folder).one("section", cls="lecture")
    assert [section.one(name).text for name in ("h2", "h3")] == [hostile, hostile]
    assert [element.text for element in section.all("p", cls="about")] == [hostile, hostile]


def test_the_shelf_and_the_shipped_lessons_are_served_together(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder / "mine.yaml", "Mine")
    (folder / "course.yaml").write_text(
        "format: 1\ntitle: My course\norder: 1\ngroups: [{title: G, lessons: [mine, 3-2-3-softmax]}]"
    )
    monkeypatch.setenv("SHELF", str(folder))
    app = create_app()
    root = read(get("/", app).text).root
    first, second, third, *_ = list(root.all("section", cls="lecture"))
    training = {path.stem for path in (ROOT / "scenarios" / "training").glob("*.yaml")}
    assert {card.attributes["data-lesson"] for card in third.all("li", cls="card")} == training
    assert [card.attributes["data-lesson"] for card in first.all("li", cls="card")] == [
        "mine",
        "3-2-3-softmax",
    ]
    assert {card.attributes["data-lesson"] for card in second.all("li", cls="card")} == set(NAMES)
    assert not list(root.all("p", cls="problems"))
    assert get("/lessons/mine/steps/1", app).status_code == 200


# ---- how many steps ----


@pytest.mark.parametrize("name", NAMES)
def test_a_card_tells_the_steps_that_the_lesson_has(name: str) -> None:
    exact = len(open_lesson(scenario(name)).walk("number"))
    assert walk.length(scenario(name)) == Length(exact)
    assert f"{exact:,} steps" in gallery_facts(name)


def gallery_facts(name: str) -> str:
    found = open_shelf((ROOT / "scenarios",))
    made = gallery_page(found, {name: walk.length(scenario(name))})
    return next(
        card.facts
        for section in made.courses
        for group in section.groups
        for card in group.cards
        if card.id == name
    )


@pytest.mark.parametrize("activation", ["relu", "step", "sign"])
@pytest.mark.parametrize("samples", [1, 3])
def test_a_large_lesson_is_counted_by_its_shape_and_says_that_it_may_be_shorter(
    activation: str, samples: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = parse(text(activation=activation, samples=samples), "a.yaml")
    exact = len(open_lesson(made).walk("number"))
    monkeypatch.setattr(walk, "EASY", 0)
    monkeypatch.setattr(walk, "open_lesson", lambda _: pytest.fail("nothing is computed"))
    found = walk.length(made)
    assert found == Length(exact, exact=False)
    assert str(found) == f"at most {exact} steps"


@pytest.mark.parametrize("name", NAMES)
def test_the_shape_of_each_shipped_lesson_gives_its_steps(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = len(open_lesson(scenario(name)).walk("number"))
    monkeypatch.setattr(walk, "EASY", 0)
    assert walk.length(scenario(name)) == Length(exact, exact=False)


def test_a_small_lesson_that_overflows_is_counted_up_to_there() -> None:
    made = parse(text(weight=1e308, activation="identity", samples=2), "a.yaml")
    lesson = open_lesson(made)
    assert lesson.trace.stop is not None
    assert walk.length(made) == Length(len(lesson.walk("number")))


def test_a_lesson_that_cannot_be_computed_has_a_card_without_steps(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder / "a.yaml")

    def refuse(_: object) -> None:
        raise LessonError("no")

    monkeypatch.setattr(walk, "open_lesson", refuse)
    assert page(folder).one("p", cls="facts").text == "1-1 · relu"


def test_one_step_is_written_in_the_singular() -> None:
    assert [str(Length(1)), str(Length(2)), str(Length(1234))] == [
        "1 step",
        "2 steps",
        "1,234 steps",
    ]


def test_a_gallery_of_many_lessons_counts_each_lesson_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        write(folder / f"n{number}.yaml", f"Lesson {number}")
    counted: list[str] = []
    real = walk.open_lesson
    monkeypatch.setattr(walk, "open_lesson", lambda made: counted.append(made.id) or real(made))  # type: ignore[func-returns-value]
    app = create_app(folder)
    for _ in range(3):
        assert get("/", app).text.count("data-lesson=") == 40
    assert sorted(counted) == sorted(f"n{number}" for number in range(40))


# ---- the search among many lessons ----


def shelf_of(folder: Path, count: int) -> Flask:
    for number in range(count):
        more = "learn: [How two <b>signs</b> differ.]\n" if number == 3 else ""
        write(
            folder / f"n{number}.yaml",
            f"Lesson {number}",
            "tanh" if number % 2 else "relu",
            more=more,
        )
    return create_app(folder)


def searched(app: Flask, query: str) -> Element:
    answer = get(f"/?q={query}", app)
    assert answer.status_code == 200
    made = read(answer.text)
    assert made.problems == []
    return made.root


def cards(root: Element) -> set[str]:
    return {card.attributes["data-lesson"] for card in root.all("li", cls="card")}


def test_twenty_lessons_need_no_search_and_one_more_does(folder: Path) -> None:
    few = searched(shelf_of(folder, 20), "nothing")
    assert (len(cards(few)), list(few.all("form"))) == (20, [])
    form = searched(shelf_of(folder, 21), "").one("form")
    assert (form.attributes["action"], form.attributes["method"]) == ("/", "get")
    assert form.one("label").text == "Find a lesson"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("lesson+7", {"n7", "n17"}),
        ("17+LESSON", {"n17"}),
        ("differ", {"n3"}),
        ("%3Cb%3Esigns", {"n3"}),
        ("relu+lesson+6", {"n6", "n16"}),
    ],
)
def test_a_search_keeps_the_lessons_that_have_all_its_words(
    folder: Path, query: str, expected: set[str]
) -> None:
    root = searched(shelf_of(folder, 21), query)
    assert cards(root) == expected
    count = "1 lesson matches “" if len(expected) == 1 else f"{len(expected)} lessons match “"
    assert root.one("p", cls="notice").text.startswith(count)
    assert root.one("h1").text == "Search results"


@pytest.mark.parametrize("query", ["zebra", "%00%F0%9F%90%9B", "%3Cscript%3E", "x" * 5000])
def test_a_search_that_finds_nothing_says_so_and_leads_back(folder: Path, query: str) -> None:
    root = searched(shelf_of(folder, 21), query)
    assert cards(root) == set()
    notice = root.one("p", cls="notice")
    assert notice.text.startswith("No lessons match “")
    assert notice.one("a").attributes["href"] == "/"
    assert all("src" in script.attributes for script in root.all("script"))


def test_the_words_of_a_search_stay_in_its_box(folder: Path) -> None:
    box = searched(shelf_of(folder, 21), "%22%3E%3Cb%3E").one("input")
    assert box.attributes["value"] == '"><b>'
    assert len(searched(shelf_of(folder, 21), "x" * 5000).one("input").attributes["value"]) == 100


def test_blanks_are_no_search(folder: Path) -> None:
    root = searched(shelf_of(folder, 21), "++")
    assert len(cards(root)) == 21
    assert not list(root.all("p", cls="notice"))
