"""The routes of the form in which a lesson is made.

    GET  /build                 a small lesson to begin with; `?from=<id>` a copy of another, with
         its what-if changes
    POST /build                 do=check | save | text | live | resize | add-layer | remove-layer:2
                                | fill:2 | paste:data | …
    GET  /lessons/<id>/edit     to the copy

What is posted always comes back in the form, whatever is wrong with it: 200, or 422 with every
problem beside its field. Only `save` keeps anything, and answers with the lesson's own address.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import yaml
from flask import Flask, current_app, redirect, render_template, request, url_for

from tutor.builder import checked, text_page
from tutor.builder.checked import Draft
from tutor.builder.edit import edited, fitted
from tutor.builder.form_page import build_page, live_part
from tutor.builder.preview import Examined, examined
from tutor.errors import TutorError
from tutor.lesson import validation
from tutor.scenario import dump
from tutor.scenario.reader import Scenario, ScenarioError
from tutor.store.saving import Refused
from tutor.web.places import outside
from tutor.web.site import Site, as_notices

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
    from werkzeug.wrappers import Response as AnyResponse

FORM_PARTS = 4_000
"""Fields that a form may have: more than the largest of ours."""


def add(app: Flask, site: Site) -> None:
    """All routes of this module."""
    app.config["MAX_FORM_PARTS"] = FORM_PARTS

    @app.get("/build")
    def build() -> ResponseReturnValue:
        return (
            copied(site, request.args["from"]) if "from" in request.args else show(checked.blank())
        )

    @app.post("/build")
    def built() -> ResponseReturnValue:
        wish = request.form.get("do", "check")
        return WISHES.get(wish, pressed)(site, checked.of_form(request.form))

    @app.get("/lessons/<lesson>/edit")
    def edit(lesson: str) -> AnyResponse:
        found = site.found(lesson)
        asked = request.query_string.decode("ascii", "ignore")
        return redirect(
            url_for("build") + f"?from={found.id}" + (f"&{asked}" if asked else ""), 302
        )


def show(shown: Draft, status: int = 200) -> ResponseReturnValue:
    """The form with a draft in it."""
    return answer(examined(shown), status=status)


def answer(
    found: Examined, said: str = "", status: int = 200, notes: tuple[str, ...] = ()
) -> ResponseReturnValue:
    """The page of a draft after its checks."""
    site: Site = current_app.extensions["tutor"]
    origin = title_of(site, found.draft["origin"])
    page = build_page(
        found, said, focused=status >= 400, can_save=site.saving.on, notes=notes, origin=origin
    )
    return visible(render_template("build.html", page=page)), status


def title_of(site: Site, lesson: str) -> str:
    """The title of a lesson, or "" where it is not there or cannot be reached."""
    try:
        found = site.library.find(lesson) if lesson else None
    except TutorError:
        return ""
    return found.title if found else ""


def visible(page: str) -> str:
    """A page without the character 0, which no page may hold: the mark for what cannot be shown
    stands there.
    """
    return page.replace("\0", "\N{REPLACEMENT CHARACTER}")


def copied(site: Site, lesson: str) -> ResponseReturnValue:
    """The form with a copy of a lesson, with the changes that the address asks for; what is too
    large for it is shown as text.
    """
    scenario, ignored = site.changed(lesson, frozenset({"from"}))
    reason = checked.too_large(scenario) if isinstance(scenario, Scenario) else checked.NO_FORM
    if not isinstance(scenario, Scenario) or reason:
        return text_page.show(
            dump.write(replace(scenario, origin=scenario.id)),
            notices=(reason, *as_notices(ignored)),
        )
    return answer(
        examined(checked.of_scenario(scenario).with_texts(origin=scenario.id)),
        notes=as_notices(ignored),
    )


# ---- the buttons ----


def pressed(_: Site, posted: Draft) -> ResponseReturnValue:
    """The form after a button that changes the draft, or after Check."""
    wish = request.form.get("do", "check")
    after = edited(posted, wish)
    found = examined(after.draft)
    if after.problems:
        found = replace(found, problems={**found.problems, **after.problems}, scenario=None)
    refused = bool(after.problems) or (wish == "check" and bool(found.problems))
    return answer(found, after.said, 422 if refused else 200)


def live(_: Site, posted: Draft) -> ResponseReturnValue:
    """What stands beside the form, while one types; the form itself is not touched."""
    after = fitted(posted)
    found = examined(after.draft)
    found = replace(found, problems={**found.problems, **after.problems})
    notes = (
        ("The sizes have changed. “Update the tables” shows the new cells.",) if after.said else ()
    )
    return visible(render_template("build_live.html", page=live_part(found, notes)))


def save(site: Site, posted: Draft) -> ResponseReturnValue:
    """To the lesson's own address, or the form with what speaks against it."""
    after = fitted(posted)
    found = examined(after.draft, thorough=True)
    if after.problems or found.scenario is None:
        return answer(
            replace(found, problems={**found.problems, **after.problems}, scenario=None),
            after.said,
            422,
        )
    if after.said:
        return answer(found, f"{after.said} Check them and save again.", 422)
    try:
        return redirect(
            url_for(
                "lesson",
                lesson=outside(site.saving.save)(found.scenario, request.remote_addr or ""),
            ),
            303,
        )
    except Refused as error:
        return answer(found, str(error), error.status)
    except TutorError as error:
        return answer(found, str(error), 422)


def as_text(_: Site, posted: Draft) -> ResponseReturnValue:
    """The page with the text of the draft: the canonical one where it is sound, else all that was
    typed, with its problems.
    """
    scenario, problems = checked.checked(posted)
    if "rest" in problems:  # the text would be without what came with the lesson
        return answer(examined(posted), status=422)
    try:
        text = plainly(posted) if scenario is None else dump.write(scenario)
    except TutorError as error:
        return answer(examined(posted), str(error), 422)
    try:
        return text_page.show(text, lesson=validation.check_text(text, text_page.WHERE))
    except ScenarioError as error:
        return text_page.show(text, error.problems), 422


def plainly(posted: Draft) -> str:
    """The text of a draft that is not sound."""
    return yaml.safe_dump(
        _lists(checked.data(posted)),
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=120,
    )


def _lists(value: object) -> object:
    """Plain data with lists for tuples, as YAML has them."""
    if isinstance(value, dict):
        return {key: _lists(item) for key, item in value.items()}
    return [_lists(item) for item in value] if isinstance(value, tuple) else value


WISHES = {"save": save, "text": as_text, "live": live}
