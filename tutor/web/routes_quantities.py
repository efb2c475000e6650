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

from typing import TYPE_CHECKING, TypeAlias

from flask import Flask, render_template, request

from tutor.pages.check_page import check_page
from tutor.pages.context import AnyContext
from tutor.pages.faces import Face, face
from tutor.pages.outline import Link
from tutor.pages.quantity_page import Answers, quantities_page, quantity_page
from tutor.pages.quantity_query import NAME, Asked, UnknownQuantity, names, read
from tutor.web.routes_lessons import changed_view
from tutor.web.site import Elsewhere, Site, as_asked, wants_fragment

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

LONGEST = 80
Opened: TypeAlias = tuple[AnyContext, tuple[str, ...]]


def add(app: Flask, site: Site) -> None:
    """The routes of lessons; those of a formula in the address are in `routes_formula`."""

    def opened(lesson: str) -> Opened:
        return site.opened(lesson, names(face(site.found(lesson)).plain))

    @app.get("/lessons/<lesson>/quantities")
    @app.get("/lessons/<lesson>/quantities/")
    def quantities(lesson: str) -> ResponseReturnValue:
        return listed(*opened(lesson))

    @app.get("/lessons/<lesson>/quantities/<path:name>")
    def quantity(lesson: str, name: str) -> ResponseReturnValue:
        return told(*opened(lesson), name)

    @app.get("/lessons/<lesson>/check")
    def gradient_check(lesson: str) -> ResponseReturnValue:
        of = face(site.found(lesson)).plain.asked.of
        return checked(*site.opened(lesson, frozenset({of}), paper=0))

    @app.post("/lessons/<lesson>/quantities/<path:name>")
    def change_quantity(lesson: str, name: str) -> ResponseReturnValue:
        return changed(site, *opened(lesson), name)


def asked_of(
    context: AnyContext, notices: tuple[str, ...]
) -> tuple[Answers, Face, tuple[str, ...]]:
    """A lesson that answers, and what of the address makes no sense."""
    own = face(context.source)
    asked, ignored = read(request.args, context, own.find)
    return own.answers(context, asked), own, (*notices, *ignored)


def listed(context: AnyContext, notices: tuple[str, ...]) -> ResponseReturnValue:
    """The numbers of a step, or the way to the one whose name was typed."""
    answers, own, notices = asked_of(context, notices)
    panel = wants_fragment()
    typed = request.args.get(NAME, "").strip()
    problem, near = "", tuple[Link, ...]()
    if typed:
        try:
            found = own.find(context, typed)
        except UnknownQuantity as error:
            problem, near = error.description or "", error.links
        else:
            return Elsewhere(address(context, str(found), answers.asked.step), 302)
    left = {NAME, context.view.asked.via}
    sent = tuple((k, v) for k, v in request.args.items() if k not in left)
    page = quantities_page(
        answers, notices, panel=panel, typed=typed[:LONGEST],
        problem=problem, near=near, hidden=sent,
    )  # fmt: skip
    template = "_quantities.html" if panel else "quantities.html"
    return render_template(template, page=page), 404 if problem else 200


def told(context: AnyContext, notices: tuple[str, ...], name: str) -> ResponseReturnValue:
    """One number."""
    answers, own, notices = asked_of(context, notices)
    panel, q = wants_fragment(), own.find(context, name)
    if str(q) != name:
        return Elsewhere(as_asked(address(context, str(q))), 302)
    page = quantity_page(answers, q, notices, panel=panel)
    return render_template("_quantity.html" if panel else "quantity.html", page=page)


def checked(context: AnyContext, notices: tuple[str, ...]) -> ResponseReturnValue:
    """Every gradient against central differences."""
    own, of = face(context.source), context.view.asked.of
    sent = tuple((k, v) for k, v in request.args.items() if k != of)
    answers = own.answers(context, Asked())
    page = check_page(answers, own.find, request.args, sent, notices)
    return render_template("check.html", page=page), 404 if page.problem else 200


def changed(
    site: Site, context: AnyContext, notices: tuple[str, ...], name: str
) -> ResponseReturnValue:
    """The same number after a form changed it."""
    answers, own, notices = asked_of(context, notices)
    q = own.find(context, name)
    after, problems = own.wanted(context, request.form)
    if not problems:
        view, step = changed_view(site, context, after), answers.asked.step
        return Elsewhere(view.quantity(context.source.id, str(q), step), 303)
    page = quantity_page(answers, q, notices, typed=request.form, problems=problems)
    return render_template("quantity.html", page=page), 422


def address(context: AnyContext, name: str, step: int | None = None) -> str:
    """Where a number is told, asked from a step or from none."""
    return context.view.quantity(context.source.id, name, step)
