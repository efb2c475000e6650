"""The routes of a lesson's training.

    /lessons/<id>/training             many iterations: curves, pictures, a way into each
    /lessons/<id>/training/progress    the same after another piece of a long run; for htmx the
                                       part that changes
    /lessons/<id>/training/moment      for htmx: the pictures after iteration `at`

A run takes no longer than a piece of time for each request, so it delays nobody and ends when its
reader leaves; what it has so far is kept, and the next request goes on from there. An answer that
is not the whole run yet is kept by no cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Flask, g, render_template, request

from tutor.pages.context import Context
from tutor.pages.error_page import Missing
from tutor.pages.training_page import training_page
from tutor.pages.training_query import NAMES, Asked, beside, read
from tutor.pages.training_runs import Trained, side_by_side
from tutor.pages.view import View
from tutor.web.site import Elsewhere, Site, wants_fragment

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

FIRST: Final = 0.12
"""Seconds of the processor for a run until its first curve is drawn."""
PIECE: Final = 0.12
"""The same for each further piece; the last one draws the pictures too."""
PATIENT: Final = 0.25
"""The same for who has no script and asks himself."""


def add(app: Flask, site: Site) -> None:
    """All routes of this module."""

    @app.get("/lessons/<lesson>/training")
    def training(lesson: str) -> ResponseReturnValue:
        return answer(site, lesson, FIRST)

    @app.get("/lessons/<lesson>/training/progress")
    def training_progress(lesson: str) -> ResponseReturnValue:
        return answer(site, lesson, PIECE if wants_fragment() else PATIENT)

    @app.get("/lessons/<lesson>/training/moment")
    def training_moment(lesson: str) -> ResponseReturnValue:
        if not wants_fragment():
            page = View().training(site.network(lesson).id)
            query = request.query_string.decode("ascii", "ignore")
            return Elsewhere(f"{page}?{query}#moment", 302)
        return answer(site, lesson, PATIENT, "_training_moment.html")


def answer(site: Site, lesson: str, seconds: float, part: str = "") -> ResponseReturnValue:
    """The page after at most so many seconds of training, or the part of it that htmx asks for."""
    context, notices = site.opened_network(lesson, NAMES, iteration=1, present=False, paper=0)
    asked = read(request.args, context)
    runs = () if asked.problems else trained(site, context, asked, seconds)
    page = training_page(context, asked, runs, notices)
    if not all(one.done for one in runs):
        g.tag = ""
    fragment = part or ("_training_run.html" if wants_fragment() else "")
    if part and (page.result is None or page.result.moment is None):
        raise Missing("There is no picture of this moment.")
    text = render_template(fragment or "training.html", page=page)
    return text, 422 if asked.problems else 200


def trained(site: Site, context: Context, asked: Asked, seconds: float) -> tuple[Trained, ...]:
    """The runs that are asked for, each gone on with for its part of the time."""
    source, second = context.source, beside(asked, context.source)
    views = (asked.view,) if second is None else (asked.view, second)
    runs = [site.library.running(source, view.changes) for view in views]
    return side_by_side(runs, views, asked, seconds)
