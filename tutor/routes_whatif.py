"""The route behind "What if": a changed number becomes another address of the same step.

    POST /lessons/<id>/steps/<n>/change     303 to the step with the changes, or 422 with the form and what is wrong
    GET                                     302 to the step
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from flask import Flask, request

from tutor.change_names import BadChangeError, known, part
from tutor.changes import Changes, edited
from tutor.context import Context
from tutor.errors import TutorError
from tutor.panels import panels
from tutor.site import Elsewhere, Site, onward, step_number, whole_page
from tutor.what_if import same_step
from tutor.what_if_form import NAME, VALUE

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse


def add(app: Flask, site: Site) -> None:
    """All routes of this module."""

    @app.post("/lessons/<lesson>/steps/<n>/change")
    def change(lesson: str, n: str) -> AnyResponse | tuple[str, int, dict[str, str]]:
        context, notices = site.opened(lesson)
        number = step_number(context, n)
        after, problems = wanted(context, request.form)
        if not problems:
            return Elsewhere(changed_address(site, context, number, after), 303)
        text = site.library.step(context.source, context.view, number, notices)
        beside = panels(context, number, request.form, problems)
        return whole_page(text, beside), 422, {"HX-Push-Url": "false"}  # the address of a form is no place to come back to

    @app.get("/lessons/<lesson>/steps/<n>/change")
    def unchanged(lesson: str, n: str) -> AnyResponse:
        context, notices = site.opened(lesson)
        return Elsewhere(onward(context, step_number(context, n), notices), 302)


def wanted(context: Context, form: Mapping[str, str]) -> tuple[Changes, dict[str, str]]:
    """The changes after the form, or a problem for each field that cannot be taken."""
    fields = {name: form[name] for name in form if known(name)}
    name = form.get(NAME, "").strip()
    if not name:
        missing = {NAME: "Write which number the value is for, such as w[2][1,3]."} if form.get(VALUE, "").strip() else {}
        after, problems = edited(context.view.changes, fields, context.source)
        return after, problems | missing
    try:
        name = str(part(name, context.source))
    except BadChangeError as error:
        return context.view.changes, {NAME: f"{error}."}
    after, problems = edited(context.view.changes, fields | {name: form.get(VALUE, "")}, context.source)
    return after, {VALUE if key == name else key: message for key, message in problems.items()}


def changed_address(site: Site, context: Context, n: int, after: Changes) -> str:
    """The step of the changed lesson that makes what step n makes; step n where there is none."""
    view = replace(context.view, changes=after)
    try:
        other = site.library.context(context.source, view)
    except TutorError:  # with these numbers training does not get to this iteration
        view = replace(view, iteration=1)
        other = site.library.context(context.source, view)
    found = same_step(context.walk, n, other.walk)
    return view.address(context.source.id, found or (n if after else min(n, len(other.walk))))
