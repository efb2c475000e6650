"""The library: files that come, change, break and go while the tutor runs; what is remembered; how
far one may compute.
"""

from __future__ import annotations

import gc
import json
import os
import threading
import time
import weakref
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app import HOME, create_app
from tests.htmltree import read
from tests.visiting import NAMES, get, library, scenario
from tutor.errors import LessonError
from tutor.lesson.walk import furthest, open_lesson
from tutor.memo import Kept
from tutor.pages.view import View
from tutor.scenario.reader import load
from tutor.web.library import CONTEXTS, LESSONS, STEPS, ByContent, weight

if TYPE_CHECKING:
    from flask import Flask


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def running(tmp_path: Path) -> tuple[Flask, Path, Clock]:
    """The tutor over an empty folder, the folder, and its clock."""
    app, clock = create_app(tmp_path), Clock()
    library(app)._watched._clock = clock
    return app, tmp_path, clock


def lesson(title: str = "One", weight: float = 0.5, **more: Any) -> str:
    return json.dumps({
        "format": 1, "title": title,
        "network": {
            "inputs": 1, "layers": [{"units": 1, "activation": "sigmoid", "weights": [[weight]], "biases": [0.1]}],
            "loss": {"name": "squared_error"},
        },
        "data": {"inputs": [[1]], "targets": [[1]]}, "training": {"learning_rate": 0.5}, **more,
    })  # fmt: skip


def write(path: Path, text: str, clock: Clock) -> None:
    """Write a file so that its stamp is a new one, and let a second pass."""
    path.write_text(text, encoding="utf-8")
    clock.now += 2
    os.utime(path, (1_000_000 + clock.now, 1_000_000 + clock.now))


def test_an_empty_folder_is_a_gallery_that_says_what_to_do(
    running: tuple[Flask, Path, Clock],
) -> None:
    answer = get("/", running[0])
    assert answer.status_code == 200
    assert "There is no lesson here yet" in answer.text
    assert read(answer.text).problems == []


def test_a_folder_that_is_not_there_does_not_stop_the_tutor(tmp_path: Path) -> None:
    answer = get("/", create_app(tmp_path / "none"))
    assert answer.status_code == 200
    assert read(answer.text).problems == []
    assert str(tmp_path) not in answer.text


def test_a_file_that_is_added_while_the_tutor_runs_appears(
    running: tuple[Flask, Path, Clock],
) -> None:
    app, folder, clock = running
    assert get("/lessons/one", app).status_code == 404
    write(folder / "one.yaml", lesson(), clock)
    assert get("/lessons/one/steps/1", app).status_code == 200
    assert "One" in get("/", app).text


def test_a_file_that_changes_shows_its_new_numbers(running: tuple[Flask, Path, Clock]) -> None:
    app, folder, clock = running
    write(folder / "one.yaml", lesson(weight=0.5), clock)
    assert "0.6" in read(get("/lessons/one/steps/1", app).text).root.one("p", cls="result").text
    write(folder / "one.yaml", lesson(weight=0.7), clock)
    for address in ("/lessons/one/steps/1", "/lessons/one/steps/1?grain=layer"):
        assert "0.8" in read(get(address, app).text).root.one("p", cls="result").text


def test_a_file_that_goes_is_gone(running: tuple[Flask, Path, Clock]) -> None:
    app, folder, clock = running
    write(folder / "one.yaml", lesson(), clock)
    assert get("/lessons/one", app).status_code == 200
    (folder / "one.yaml").unlink()
    clock.now += 2
    assert get("/lessons/one", app).status_code == 404
    assert get("/", app).status_code == 200


def test_a_file_that_breaks_leaves_the_gallery_and_comes_back_when_it_is_mended(
    running: tuple[Flask, Path, Clock],
) -> None:
    app, folder, clock = running
    write(folder / "good.yaml", lesson("Good"), clock)
    write(folder / "one.yaml", lesson(), clock)
    write(folder / "one.yaml", "format: 1\ntitle: One\ncolour: blue\n", clock)
    root = read(get("/", app).text).root
    assert [card.one("h3").text for card in root.all("li", cls="card")] == ["Good"]
    assert root.one("p", cls="problems").text == "1 file has problems"
    listed = read(get("/problems", app).text).root
    problems = [item.text for item in listed.one("section", cls="broken").all("li")]
    assert len(problems) >= 4
    assert all("one.yaml:" in problem and problem.split(":")[1].isdigit() for problem in problems)
    assert any("one.yaml:3: colour" in problem for problem in problems)
    assert get("/lessons/one", app).status_code == 404
    assert get("/lessons/good/steps/1", app).status_code == 200
    write(folder / "one.yaml", lesson("Mended"), clock)
    root = read(get("/", app).text).root
    assert {card.one("h3").text for card in root.all("li", cls="card")} == {"Good", "Mended"}
    assert not list(root.all("p", cls="problems"))
    assert not list(read(get("/problems", app).text).root.all("section", cls="broken"))


HOSTILE = [
    b"",
    b"\xff\xfe\x00",
    b"[" * 20_000,
    b"a: &x [*x]",
    b'title: "\\ud800"',
    b"- \x00",
    b"x" * 70_000,
    b"format: 1\nformat: 1",
]


@pytest.mark.parametrize("content", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_file_is_listed_and_the_others_work(
    content: bytes, running: tuple[Flask, Path, Clock]
) -> None:
    app, folder, clock = running
    write(folder / "good.yaml", lesson("Good"), clock)
    (folder / "bad.yaml").write_bytes(content)
    clock.now += 2
    answer = get("/", app)
    assert answer.status_code == 200
    root = read(answer.text).root
    assert read(answer.text).problems == []
    assert [card.one("h3").text for card in root.all("li", cls="card")] == ["Good"]
    assert root.one("p", cls="problems").text == "1 file has problems"
    listed = read(get("/problems", app).text)
    assert listed.problems == []
    assert "bad.yaml" in listed.root.one("section", cls="broken").one("h2").text
    assert get("/lessons/good/steps/1", app).status_code == 200
    assert get("/lessons/bad", app).status_code == 404


@pytest.mark.parametrize(
    "odd",
    [
        {"weights": [[1e308]], "biases": [1e308]},
        {"weights": [[1e308]], "biases": [1e308], "activation": "identity"},
        {"weights": [[-1e308]], "biases": [0.0], "activation": "elu"},
        {"weights": [[0.0]], "biases": "none", "activation": "relu"},
        {"weights": [[1.0]], "biases": [0.0], "activation": "sign"},
    ],
)
def test_a_lesson_whose_numbers_overflow_is_a_lesson_all_the_same(
    odd: dict[str, Any], running: tuple[Flask, Path, Clock]
) -> None:
    app, folder, clock = running
    layer = {"units": 1, "activation": "sigmoid", **odd}
    network = {"inputs": 1, "layers": [layer], "loss": {"name": "squared_error"}}
    write(folder / "odd.yaml", lesson(network=network), clock)
    opened = library(app)
    found = opened.shelf.find("odd")
    assert found is not None, opened.shelf.broken
    for grain in ("number", "layer", "pass"):
        total = len(opened.context(found, View(grain=grain)).walk)
        assert total >= 1
        for n in range(1, total + 1):
            answer = get(f"/lessons/odd/steps/{n}?grain={grain}", app)
            assert answer.status_code == 200
            assert read(answer.text).problems == []
    for address in ("/", "/lessons/odd"):
        assert get(address, app).status_code == 200


# ---- what is remembered ----


def test_a_step_is_rendered_once_and_shown_again() -> None:
    shown = library()
    one = scenario("1-2-3-1-sigmoid")
    from tests.visiting import tutor

    with tutor().app_context():
        assert shown.step(one, View(), 3) is shown.step(one, View(), 3)
        assert shown.step(one, View(), 3) is not shown.step(one, View(decimals=6), 3)
        assert shown.lesson(one) is shown.lesson(one)
        before = shown.lesson(one)
        shown.clear()
        assert shown.lesson(one) is not before


def test_what_is_remembered_is_bounded() -> None:
    app = create_app()
    shown = library(app)
    for kept, most in ((shown._step, STEPS), (shown._context, CONTEXTS), (shown._lesson, LESSONS)):
        assert kept.most == most
    with app.app_context():
        one = scenario("1-2-3-1-sigmoid")
        size = len(shown.step(one, View(), 1))
        shown._step.most = 10 * size
        for n in range(1, 80):
            shown.step(one, View(), n)
            assert shown._step.bytes <= shown._step.most
        assert 3 <= len(shown._step) <= 10
        assert shown.step(one, View(), 79) is shown.step(one, View(), 79)


def test_of_heavy_lessons_only_a_few_are_kept() -> None:
    one = scenario("1-2-3-1-sigmoid")
    many = one.data.model_copy(update={"inputs": one.inputs * 20_000})
    assert weight(one) < LESSONS / 20
    assert LESSONS / 2 > weight(replace(one, data=many)) > LESSONS / 4


def test_a_lesson_that_is_read_again_is_known() -> None:
    shown = library()
    path = HOME / "scenarios" / "one-weight.yaml"
    one, again = load(path, path.name), load(path, path.name)
    assert one is not again
    assert shown.lesson(one) is shown.lesson(again)
    other = replace(again, mark="of another text")
    assert shown.lesson(other) is not shown.lesson(one)
    assert ByContent(replace(one, mark="")) != ByContent(replace(one, mark=""))


def test_what_is_kept_of_a_lesson_does_not_keep_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A saved lesson is read again and again where many are walked through; each of its steps would
    hold a copy of all its numbers.
    """
    monkeypatch.setattr("tutor.web.library.CONTEXTS", 0)
    monkeypatch.setattr("tutor.web.library.LESSONS", 0)
    app = create_app()
    shown, path = library(app), HOME / "scenarios" / "one-weight.yaml"
    read_again: list[weakref.ref[Any]] = []
    with app.test_request_context("/lessons/one-weight/steps/1?grain=layer"):
        site = app.extensions["tutor"]
        for n in range(1, 6):
            one = load(path, path.name)
            # a Scenario has no room for a weak reference, its network has
            read_again.append(weakref.ref(one.network))
            shown.step(one, View(), n)
            site._read(one, frozenset())
            shown._length.once(ByContent(one), lambda: None)
        del one
    gc.collect()
    assert len(shown._step) == 5
    assert len(site.views) == 1
    assert [ref() for ref in read_again] == [None] * 5


def test_a_lesson_without_a_mark_is_held_by_its_key() -> None:
    path = HOME / "scenarios" / "one-weight.yaml"
    one = replace(load(path, path.name), mark="")
    network, key = weakref.ref(one.network), ByContent(one)
    del one
    gc.collect()
    assert network() is not None
    assert hash(key)


def test_what_is_larger_than_the_room_is_made_each_time() -> None:
    made: list[int] = []
    kept = Kept(100, lambda found: 60 * found[0])

    def ask(n: int) -> Any:
        return kept.once(n, lambda: made.append(n) or [n])  # type: ignore[func-returns-value]

    assert [ask(1), ask(1), ask(2), ask(2), ask(1)] == [[1], [1], [2], [2], [1]]
    assert made == [1, 2, 2]
    assert kept.bytes == 60


def test_many_readers_at_once_get_the_same_step() -> None:
    app = create_app()
    found: list[str] = []

    def ask(n: int) -> None:
        found.append(get(f"/lessons/1-2-3-1-sigmoid/steps/{1 + n % 4}", app).text)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 16
    assert len(set(found)) == 4


# ---- how far one may compute ----


def test_the_last_iteration_can_be_opened_and_the_next_is_refused_with_a_word() -> None:
    one = scenario("1-2-3-1-sigmoid")
    last = furthest(one)
    assert last >= 100
    assert get(f"/lessons/{one.id}/steps/1?iteration={last}").status_code == 200
    answer = get(f"/lessons/{one.id}/steps/1?iteration={last + 1}")
    assert answer.status_code == 200
    assert f"{last:,}" in read(answer.text).root.one("p", cls="notice").text
    with pytest.raises(LessonError, match=str(last)):
        open_lesson(one, last + 1)
    end = len(library().context(one, View(iteration=last)).walk)
    assert (
        f"iteration={last + 1}" not in get(f"/lessons/{one.id}/steps/{end}?iteration={last}").text
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_lesson_can_be_gone_on_with(name: str) -> None:
    assert furthest(scenario(name)) >= 100


def test_a_large_network_is_opened_as_far_as_it_can_be_computed_at_once(
    running: tuple[Flask, Path, Clock],
) -> None:
    app, folder, clock = running

    def layer(units: int, name: str) -> dict[str, Any]:
        return {
            "units": units,
            "activation": name,
            "init": {"scheme": "he", "scale": 0.1, "seed": 1},
        }

    network = {
        "inputs": 150,
        "layers": [layer(700, "relu"), layer(100, "sigmoid")],
        "loss": {"name": "squared_error"},
    }
    rows = [[0.1] * 150] * 60
    text = lesson(
        network=network,
        data={"inputs": rows, "targets": [[0] * 100] * 60},
        training={"learning_rate": 0.01, "iterations": 1000},
    )
    write(folder / "large.json", text, clock)
    found = library(app).shelf.find("large")
    assert found is not None, library(app).shelf.broken
    last = furthest(found)
    assert 1 <= last < 100
    started = time.process_time()
    assert get(f"/lessons/large/steps/1?grain=layer&iteration={last}", app).status_code == 200
    assert time.process_time() - started < 20
    answer = get("/lessons/large/steps/1?grain=layer&iteration=1000", app)
    assert answer.status_code == 200
    assert str(last) in read(answer.text).root.one("p", cls="notice").text
