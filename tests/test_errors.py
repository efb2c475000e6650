"""The tree of exceptions, and the error pages: our words, the right status, no trace and no path."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from flask import abort, request

from app import create_app
from tests.htmltree import read
from tests.visiting import get, page, send
from tutor import errors
from tutor.lesson.changes import ChangeError
from tutor.pages import faces, overview
from tutor.pages.error_page import MESSAGES, TITLES, error_page
from tutor.scenario.problem import ScenarioError
from tutor.web import routes_lessons

STATUSES = [400, 403, 404, 405, 409, 413, 415, 418, 422, 429, 500, 503]


def test_the_docstring_draws_the_tree_as_it_is() -> None:
    assert errors.__doc__
    drawn = {line.split()[1] for line in errors.__doc__.splitlines() if "── " in line}
    real = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and kind is not errors.TutorError
    }
    assert drawn == real | {"ScenarioError", "ChangeError"}
    assert all(issubclass(getattr(errors, name), errors.TutorError) for name in real)
    assert issubclass(ScenarioError, errors.TutorError)
    assert issubclass(ChangeError, errors.TutorError)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("htmx", [False, True], ids=["page", "fragment"])
def test_every_error_has_our_page_with_its_status(status: int, htmx: bool) -> None:
    app = create_app()
    app.add_url_rule("/wrong", view_func=lambda: abort(status))
    answer = get("/wrong", app, **({"HX_Request": "true"} if htmx else {}))
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    root = read(answer.text).root
    assert read(answer.text).problems == []
    article = root.one("article", cls="error")
    assert article.one("p", cls="where").text == str(status)
    assert article.one("h1").text == TITLES.get(status, "This did not work")
    assert MESSAGES.get(status, "Please go back and try again.") in article.text
    assert [link.attributes["href"] for link in article.all("a")] == ["/"]
    assert ("<html" in answer.text) != htmx


def test_every_status_that_the_tutor_answers_has_a_title_and_a_message_of_its_own() -> None:
    assert TITLES.keys() == MESSAGES.keys() >= {400, 403, 404, 405, 413, 415, 422, 429, 500}
    assert len(set(TITLES.values())) == len(TITLES)
    assert len(set(MESSAGES.values())) == len(MESSAGES)


def test_an_error_in_a_lesson_leads_back_to_it_unless_there_is_none() -> None:
    assert [
        link.href for link in error_page(404, "This lesson has steps 1 to 3.", "/lessons/x").links
    ] == ["/lessons/x", "/"]
    assert [
        link.href for link in error_page(404, "There is no lesson called “x”.", "/lessons/x").links
    ] == ["/"]
    assert [link.href for link in error_page(500, None, "").links] == ["/"]


@pytest.mark.parametrize(
    "address", ["/", "/lessons/perceptron-step", "/lessons/perceptron-step/steps/1"]
)
@pytest.mark.parametrize("htmx", [False, True], ids=["page", "fragment"])
def test_a_fault_of_ours_shows_no_trace_and_no_path(
    address: str, htmx: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"secret in {__file__}")

    for module, name in (
        (routes_lessons, "gallery_page"),
        (overview, "lesson_page"),
        (faces, "step_page"),
    ):
        monkeypatch.setattr(module, name, fail)
    with caplog.at_level(logging.ERROR):
        answer = get(address, create_app(), **({"HX_Request": "true"} if htmx else {}))
    assert (answer.status_code, answer.mimetype) == (500, "text/html")
    assert read(answer.text).problems == []
    for hidden in (
        "Traceback",
        "secret",
        "RuntimeError",
        __file__,
        "File ",
        ".py",
        str(Path.home()),
    ):
        assert hidden not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "secret" in caplog.text, "the fault is written to the log, for who runs the server"
    ways = [
        link.attributes["href"]
        for link in read(answer.text).root.one("article", cls="error").all("a")
    ]
    assert ways == (["/"] if address == "/" else ["/lessons/perceptron-step", "/"])


def test_a_template_that_asks_for_what_is_not_there_is_a_fault_and_no_empty_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(routes_lessons, "gallery_page", lambda *_, **__: object())
    assert get("/", create_app()).status_code == 500


def test_the_address_after_a_fault_works_again(monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app()
    with monkeypatch.context() as patch:
        patch.setattr(faces, "step_page", lambda *_: 1 / 0)
        assert get("/lessons/perceptron-step/steps/1", app).status_code == 500
    assert get("/lessons/perceptron-step/steps/1", app).status_code == 200


@pytest.mark.parametrize(
    ("size", "status"), [(256 * 1024, 200), (256 * 1024 + 1, 413), (5_000_000, 413)]
)
def test_a_body_that_is_too_large_is_refused_where_it_would_be_read(size: int, status: int) -> None:
    app = create_app()
    app.add_url_rule("/read", view_func=lambda: str(len(request.get_data())), methods=["POST"])
    answer = app.test_client().post("/read", data=b"x" * size)
    assert answer.status_code == status
    assert "Content-Security-Policy" in answer.headers
    if status == 413:
        assert "256 KB" in answer.text
        assert read(answer.text).problems == []


def test_an_unreadable_form_is_a_400_with_our_page() -> None:
    app = create_app()
    app.add_url_rule("/read", view_func=lambda: request.form["missing"], methods=["POST"])
    answer = app.test_client().post("/read", data={"other": "x"})
    assert answer.status_code == 400
    assert TITLES[400] in answer.text


def test_an_error_page_is_a_whole_page_with_the_way_home() -> None:
    root = read(get("/nothing").text).root
    assert root.one("main").one("h1").text == TITLES[404]
    assert root.one("head").one("title").text
    assert page("/").root.one("header").text == root.one("header").text


def test_an_error_is_not_kept_by_caches() -> None:
    for address in ("/nothing", "/static/nothing.js", "/static/nothing.js?v=1"):
        assert get(address).headers["Cache-Control"] == "no-cache"
    assert send("POST", "/").headers["Cache-Control"] == "no-cache"
