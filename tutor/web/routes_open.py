"""The routes of a lesson as text: paste or upload it, check it, save it, take it away.

    GET  /open                          an empty text; `?example=1` puts one in, `?from=<id>` a copy
         of that lesson
    POST /open                          text and file; do=check, do=save or do=form
    GET  /lessons/<id>/scenario.yaml    the file of a lesson

A reader's changes (`w[1][1,2]=0.3`) may stand in the addresses; text and file then have them.

What is posted always comes back in the page, whatever is wrong with it. Nothing is kept before it
is saved.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from flask import Flask, Response, redirect, request, url_for
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from tutor import limits
from tutor.builder import checked, text_page, upload
from tutor.errors import TutorError
from tutor.export import file_name
from tutor.lesson import validation
from tutor.pages.error_page import Explained, Missing, Unreadable
from tutor.scenario import dump, reader, schema
from tutor.scenario.problem import Problem, ScenarioError
from tutor.scenario.reader import AnyScenario, Scenario
from tutor.store import saving
from tutor.web import routes_build
from tutor.web.places import outside
from tutor.web.site import Site, as_notices, refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue
    from werkzeug.datastructures import FileStorage

FORMS: Final = ("multipart/form-data", "application/x-www-form-urlencoded")
WISHES: Final = ("check", "save", "form")
STARTS: Final = frozenset({"from", "example"})
"""What the address of the page has beside changes of a lesson."""
COPIED: Final = (
    "This is the text of a lesson. "
    "Saving your changes makes a new lesson; the original stays as it is."
)


class NoForm(Explained, UnsupportedMediaType):
    """415 with what would be right."""


class TooLarge(Explained, RequestEntityTooLarge):
    """413 with the limit."""


def add(app: Flask, site: Site) -> None:
    """All routes of this module."""

    @app.get("/open")
    def open_text() -> str:
        text, notices = starting(site)
        return text_page.show(text, notices=notices)

    @app.post("/open")
    def opened_text() -> ResponseReturnValue:
        wish, text, refusal = posted()
        return refused(text, [refusal]) if refusal else ANSWERS[wish](site, text)

    @app.get("/lessons/<lesson>/scenario.yaml")
    def scenario_file(lesson: str) -> Response:
        found, ignored = site.changed(lesson)
        refuse(ignored)
        response = Response(written(found), content_type="text/yaml; charset=utf-8")
        response.headers["Content-Disposition"] = f'attachment; filename="{called(site, found)}"'
        return response


def called(site: Site, found: AnyScenario) -> str:
    """What the file of a lesson is called: no lesson of the shelf has this name already, unless it
    is that very one.
    """
    stem = file_name.stem(found)
    names = itertools.chain([stem], (f"{stem}-{n}" for n in itertools.count(2)))
    return (
        next(name for name in names if name == found.id or site.library.shelf.find(name) is None)
        + file_name.SUFFIX
    )


# ---- what the page starts with ----


def starting(site: Site) -> tuple[str, tuple[str, ...]]:
    """The text that an address asks for (a lesson's, an example, or none), and a remark on it."""
    if "from" not in request.args:
        return text_page.EXAMPLE if "example" in request.args else "", ()
    found, ignored = site.changed(request.args["from"], STARTS)
    return written(replace(found, origin=found.id)), (COPIED, *as_notices(ignored))


def written(found: AnyScenario) -> str:
    """The text of a lesson, or 404 with the reason."""
    try:
        return dump.write(found)
    except TutorError as error:
        raise Missing(str(error)) from None


# ---- what was posted ----


def posted() -> tuple[str, str, Problem | None]:
    """(what to do, the text, why it cannot be read or None). Raises a page of 400, 413 or 415 where
    there is no form.
    """
    if request.mimetype not in FORMS:
        raise NoForm("This page reads a text or a file sent from the page “Open a file”.")
    try:
        form, file = request.form, request.files.get("file")
    except RequestEntityTooLarge:
        most = limits.amount(limits.FILE_BYTES)
        raise TooLarge(
            f"A lesson may have up to {most}. Go back to what you typed and choose a smaller file."
        ) from None
    wish = form.get("do", "check" if "text" in form or file else "")
    if wish not in WISHES:
        raise Unreadable("The form does not say what to do: check, save or form.")
    if file is not None and file.filename:
        return (wish, *uploaded(file, form.get("text", "")))
    return wish, form.get("text", "").replace("\r\n", "\n"), None


def uploaded(file: FileStorage, typed: str) -> tuple[str, Problem | None]:
    """The text of a file. What was typed stays where the file has none."""
    found = upload.read(file.read(), file.filename or "")
    if typed.strip() and not (found.problem or found.text.strip()):
        said = (
            f"{found.name} is empty, so your text was kept; "
            "check it without a file, or choose another one."
        )
        return typed, Problem(found.name, 0, "", said)
    if not found.problem:
        return found.text.replace("\r\n", "\n"), None
    return found.text or typed, Problem(found.name, 0, "", f"{found.name} {found.problem}.")


# ---- the answers ----


def check(site: Site, text: str) -> ResponseReturnValue:
    """The page with every problem, or with how the lesson begins."""
    try:
        return text_page.show(text, lesson=validation.check_text(text, text_page.WHERE))
    except ScenarioError as error:
        return refused(text, error.problems)


def save(site: Site, text: str) -> ResponseReturnValue:
    """To the lesson's own address, or the page with what speaks against it."""
    try:
        lesson = validation.check_text(text, text_page.WHERE)
    except ScenarioError as error:
        return refused(text, error.problems)
    try:
        return redirect(
            url_for(
                "lesson",
                lesson=outside(site.saving.save)(lesson.scenario, request.remote_addr or ""),
            ),
            303,
        )
    except saving.Refused as error:
        wait = {"Retry-After": str(error.wait)} if error.wait else {}
        return text_page.show(text, lesson=lesson, notices=(str(error),)), error.status, wait


def form(site: Site, text: str) -> ResponseReturnValue:
    """The builder's form with the text's values; printed numbers can be mended there too."""
    try:
        found = reader.parse(text, text_page.WHERE)
    except ScenarioError as error:
        return refused(text, error.problems)
    reason = checked.too_large(found) if isinstance(found, Scenario) else checked.NO_FORM
    return (
        routes_build.show(checked.of_scenario(found))
        if isinstance(found, Scenario) and not reason
        else (text_page.show(text, notices=(reason,)), 422)
    )


ANSWERS = {"check": check, "save": save, "form": form}


def refused(text: str, problems: Sequence[Problem]) -> ResponseReturnValue:
    """The page with its problems: 422, or 413 where the text is simply too long."""
    return text_page.show(text, problems), 413 if len(text.encode()) > limits.FILE_BYTES else 422


# ---- /schema/scenario.json: the JSON Schema of scenario files, which editors fetch ----


def add_schema(app: Flask, site: Site) -> None:
    """The JSON Schema."""

    @app.get(schema.PATH)
    def scenario_schema() -> Response:
        text = json.dumps(schema.schema(site.here() + schema.PATH), ensure_ascii=False, indent=1)
        return Response(f"{text}\n", content_type="application/schema+json")
