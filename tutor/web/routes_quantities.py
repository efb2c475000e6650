"""The routes of questions: any number of a lesson, on a page of its own or in the panel of a step.

/lessons/<id>/quantities            the numbers of a step, to choose from (?step=n); with ?name=
                                    on to that number
/lessons/<id>/quantities/<name>     one number: its formula, its operands, who uses it; for
                                    htmx the part that stands in the panel. `step=n` is where
                                    one asks from: what comes later is not told; `via=`, with a
                                    formula `asked.via=`, are the numbers that led to it. A POST
                                    changes a given one. A name that is written otherwise,
                                    such as dL/dx[1], leads to ours
/lessons/<id>/check                 every gradient against central differences; `of=`, with a
                                    formula `check.of=`, is the number whose error is drawn
                                    against h
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, render_template, request

from tutor.pages.check_page import check_page
from tutor.pages.faces import Face, face
from tutor.pages.outline import Link
from tutor.pages.quantity_page import Answers, quantities_page, quantity_page
from tutor.pages.quantity_query import Asked, UnknownQuantity, names, read
from tutor.web.routes_lessons import changed_view
from tutor.web.site import Elsewhere, Site, as_asked, wants_fragment

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

NAME = "name"
"""The field of the form that asks for a number by its name."""
LONGEST = 80


def opened(site: Site, lesson: str, *also: str) -> tuple[Answers, Face, tuple[str, ...]]:
    """A lesson that answers, and what of the address makes no sense."""
    own = face(site.found(lesson))
    context, notices = site.opened(lesson, names(own.plain) | {*also})
    asked, ignored = read(request.args, context, own.find)
    return own.answers(context, asked), own, (*notices, *ignored)


def add(app: Flask, site: Site) -> None:
    """All routes of this module."""

    @app.get("/lessons/<lesson>/quantities")
    @app.get("/lessons/<lesson>/quantities/")
    def quantities(lesson: str) -> ResponseReturnValue:
        answers, own, notices = opened(site, lesson, NAME)
        context, asked = answers.context, answers.asked
        typed, panel = request.args.get(NAME, "").strip(), wants_fragment()
        problem, near = "", tuple[Link, ...]()
        if typed:
            try:
                found = own.find(context, typed)
            except UnknownQuantity as error:
                problem, near = error.description or "", error.links
            else:
                return Elsewhere(context.view.quantity(lesson, str(found), asked.step), 302)
        left = {NAME, context.view.asked.via}
        sent = tuple((k, v) for k, v in request.args.items() if k not in left)
        page = quantities_page(
            answers, notices, panel=panel, typed=typed[:LONGEST],
            problem=problem, near=near, hidden=sent,
        )  # fmt: skip
        template = "_quantities.html" if panel else "quantities.html"
        return render_template(template, page=page), 404 if problem else 200

    @app.get("/lessons/<lesson>/quantities/<path:name>")
    def quantity(lesson: str, name: str) -> ResponseReturnValue:
        answers, own, notices = opened(site, lesson)
        panel, q = wants_fragment(), own.find(answers.context, name)
        if str(q) != name:
            return Elsewhere(as_asked(answers.context.view.quantity(lesson, str(q))), 302)
        page = quantity_page(answers, q, notices, panel=panel)
        return render_template("_quantity.html" if panel else "quantity.html", page=page)

    @app.get("/lessons/<lesson>/check")
    def gradient_check(lesson: str) -> ResponseReturnValue:
        own = face(site.found(lesson))
        context, notices = site.opened(lesson, frozenset({own.plain.asked.of}), paper=0)
        answers = own.answers(context, Asked())
        sent = tuple((k, v) for k, v in request.args.items() if k != own.plain.asked.of)
        page = check_page(answers, own.find, request.args, sent, notices)
        return render_template("check.html", page=page), 404 if page.problem else 200

    @app.post("/lessons/<lesson>/quantities/<path:name>")
    def change_quantity(lesson: str, name: str) -> ResponseReturnValue:
        answers, own, notices = opened(site, lesson)
        context = answers.context
        q = own.find(context, name)
        after, problems = own.wanted(context, request.form)
        if not problems:
            view = changed_view(site, context, after)
            return Elsewhere(view.quantity(lesson, str(q), answers.asked.step), 303)
        page = quantity_page(answers, q, notices, typed=request.form, problems=problems)
        return render_template("quantity.html", page=page), 422
