"""The routes of lessons: the gallery, a lesson's first page, its steps, its slides, its exports.

    /                               all lectures and their lessons
    /lessons/<id>                   what a lesson is about
    /lessons/<id>/steps/<n>         one step; a fragment of it for htmx
    /lessons/<id>/steps/<n>/chain   a gradient written out along every path
    /lessons/<id>/export            what a lesson can become, with a preview; with do=download to the file, or 422 with what is wrong
    /lessons/<id>/export/<kind>     the file
    /lessons/<id>/slides            every printed number beside the computed one; ?show=slips, open or agrees keeps those

A step's page and its fragment are the same text: the page includes the fragment word for word.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING
from urllib.parse import unquote

from flask import Flask, Response, redirect, render_template, request, url_for

from tutor import security, view
from tutor.comparison import ALL, slides_page
from tutor.error_page import Missing
from tutor.errors import TutorError
from tutor.export import KINDS, online, with_address
from tutor.export_page import export_page, file_address
from tutor.gallery import gallery_page
from tutor.overview import lesson_page
from tutor.page import chain_page
from tutor.panels import panels
from tutor.problem import quotable
from tutor.site import Elsewhere, Site, cut_short, onward, refuse, step_number, wants_fragment, whole_page
from tutor.view import Ignored

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse


def add(app: Flask, site: Site) -> None:
    """All routes of this module."""
    add_pages(app, site)
    add_steps(app, site)
    add_exports(app, site)


def add_pages(app: Flask, site: Site) -> None:
    """The gallery and the pages around the steps."""

    @app.get("/")
    def gallery() -> str:
        author = security.local(request.remote_addr, request.host, request.headers.keys())
        return render_template("gallery.html", page=gallery_page(site.library.shelf, site.library.steps(), author=author))

    @app.get("/lessons")
    @app.get("/lessons/")
    def lessons() -> AnyResponse:
        return redirect("/", 301)

    @app.get("/lessons/<lesson>")
    def lesson(lesson: str) -> str:
        context, notices = site.opened(lesson)
        origin = site.origin(context.lesson.scenario)
        return render_template("lesson.html", page=lesson_page(context, notices, origin))

    @app.get("/lessons/<lesson>/slides")
    def slides(lesson: str) -> str:
        scenario = site.found(lesson)
        if not scenario.printed:
            raise Missing("The slides of this lesson print no numbers.")
        wanted, ignored = view.read(request.args, scenario, frozenset({"show"}))
        context = site.library.context(scenario, view.View())
        return render_template("slides.html", page=slides_page(context, request.args.get("show", ALL), wanted, ignored))


def add_steps(app: Flask, site: Site) -> None:
    """The step of a lesson: whole page, or the fragment that htmx swaps in."""

    @app.get("/lessons/<lesson>/steps")
    @app.get("/lessons/<lesson>/steps/")
    def first_step(lesson: str) -> AnyResponse:
        context, notices = site.opened(lesson)
        return Elsewhere(onward(context, 1, notices), 302)

    @app.get("/lessons/<lesson>/steps/<n>")
    def step(lesson: str, n: str) -> AnyResponse | str:
        context, notices = site.opened(lesson)
        number, notices = step_number(context, n), (*notices, *cut_short(context, n))
        if "notation" in request.args and not notices:  # the form sends every choice; the short address is the one to share
            short = context.address(number)
            if unquote(short) != unquote(request.full_path.rstrip("?")):
                return Elsewhere(short, 302)
        text = site.library.step(context.source, context.view, number, notices)
        return text.fragment if wants_fragment() else whole_page(text, panels(context, number))

    @app.get("/lessons/<lesson>/steps/<n>/chain")
    def chain(lesson: str, n: str) -> str:
        context, notices = site.opened(lesson)
        content = chain_page(context, step_number(context, n), notices)
        if content is None:
            raise Missing("This lesson writes out whole chains for gradients of single weights with few paths only.")
        return render_template("chain.html", page=content)


def contradiction(kind: str) -> tuple[Ignored, ...]:
    """What is wrong where an address names two kinds of file: in its path and in its query, where the form has it."""
    also = request.args.get("kind", kind)
    return () if also == kind else (Ignored(f"the address asks for two kinds of file, {kind} and {quotable(also, 30)}"),)


def add_exports(app: Flask, site: Site) -> None:
    """What a lesson can become, and the files."""

    @app.get("/lessons/<lesson>/export")
    def export_choices(lesson: str) -> AnyResponse | tuple[str, int]:
        context, order, ignored = site.ordered(lesson)
        key = request.args.get("kind", "html")
        if key not in KINDS:
            ignored, key = (view.unknown("kind", key, KINDS, "another one is shown"), *ignored), "html"
        wanted = request.args.get("do") == "download"
        page = export_page(context, key, order, request.args, ignored, wanted=wanted)
        if wanted and page.fits and not ignored:
            return Elsewhere(file_address(context, key, order), 302)
        return render_template("export.html", page=page), 422 if wanted else 200

    @app.get("/lessons/<lesson>/export/<kind>")
    def download(lesson: str, kind: str) -> AnyResponse:
        context, order, ignored = site.ordered(lesson)
        if kind in KINDS:
            refuse((*contradiction(kind), *ignored))
        if not security.only_here(request.host):  # a loopback address on paper leads nobody anywhere
            order = with_address(order, url_for("lesson", lesson=lesson, _external=True))
        try:
            made = online(context.lesson, kind, context.view, order)
            first = next(made.chunks, "")
        except TutorError as error:
            raise Missing(str(error)) from None
        response = Response(itertools.chain([first], made.chunks), content_type=made.media)
        response.headers["Content-Disposition"] = f'attachment; filename="{made.name}"'
        return response
