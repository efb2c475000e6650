"""The routes of lessons: the gallery, a lesson's first page, its steps, its slides, its exports.

    /                               where to start, and all lessons; with ?q= those that have the
                                    words, where there are many
    /problems                       for the author: the files that cannot be shown
    /lessons/<id>                   what a lesson is about
    /lessons/<id>/steps/<n>         one step; a fragment of it for htmx
    /lessons/<id>/export            what a lesson can become, with a preview; with do=download to
                                    the file, or 422 with what is wrong
    /lessons/<id>/export/<kind>     the file
    /lessons/<id>/accumulation      of a formula: forward and reverse accumulation side by side
    /lessons/<id>/slides            every printed number beside the computed one; ?show=slips, open
                                    or agrees keeps those

A step's page and its fragment are the same text: the page includes the fragment word for word.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from flask import Flask, Response, abort, redirect, render_template, request, url_for

from tutor import budget
from tutor.errors import TutorError
from tutor.export.export_page import export_page, file_address
from tutor.export.registry import KINDS, ExportOrder, at_home, online, with_address
from tutor.lesson.changes import Changes
from tutor.pages import share, view
from tutor.pages.accumulation import accumulation_page
from tutor.pages.comparison import ALL, slides_page
from tutor.pages.context import AnyContext
from tutor.pages.error_page import Missing
from tutor.pages.faces import face
from tutor.pages.gallery import gallery_page, problems_page
from tutor.pages.share import STEP, share_page
from tutor.pages.view import Ignored, View
from tutor.scenario.problem import quotable
from tutor.web.site import (
    Elsewhere,
    Site,
    cut_short,
    framed_page,
    onward,
    refuse,
    step_number,
    wants_fragment,
    whole_page,
)

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse


def add(app: Flask, site: Site) -> None:
    """All routes of this module."""
    add_pages(app, site)
    add_steps(app, site)
    add_graphs(app, site)
    add_exports(app, site)


def add_pages(app: Flask, site: Site) -> None:
    """The gallery and the pages around the steps."""

    @app.get("/")
    def gallery() -> str:
        library = site.library
        page = gallery_page(
            library.shelf,
            library.steps(),
            author=by_author(),
            query=request.args.get("q", ""),
            neuron=site.neuron(),
        )
        return render_template("gallery.html", page=page)

    @app.get("/problems")
    def problems() -> str:
        if not by_author():
            raise Missing("There is no such page.")
        return render_template("problems.html", page=problems_page(site.library.shelf))

    @app.get("/lessons")
    @app.get("/lessons/")
    def lessons() -> AnyResponse:
        return redirect("/", 301)

    @app.get("/lessons/<lesson>")
    def lesson(lesson: str) -> str:
        context, notices = site.opened(lesson)
        origin = site.origin(context.lesson.scenario)
        page = face(context.source).overview(context, notices, origin)
        return render_template("lesson.html", page=page)

    @app.get("/lessons/<lesson>/slides")
    def slides(lesson: str) -> str:
        scenario = site.network(lesson)
        if not scenario.printed:
            raise Missing("The slides of this lesson print no numbers.")
        wanted, ignored = view.read(request.args, scenario, frozenset({"show"}))
        context = site.library.network(scenario, view.View().from_raw(scenario))
        return render_template(
            "slides.html", page=slides_page(context, request.args.get("show", ALL), wanted, ignored)
        )


def add_graphs(app: Flask, site: Site) -> None:
    """What only a formula has."""

    @app.get("/lessons/<lesson>/accumulation")
    def accumulation(lesson: str) -> str:
        context, notices = site.opened_graph(lesson)
        return render_template("accumulation.html", page=accumulation_page(context, notices))


def by_author() -> bool:
    """Whether the request comes from the computer that the tutor runs on."""
    return share.local(request.remote_addr, request.host, request.headers.keys())


def add_steps(app: Flask, site: Site) -> None:
    """The step of a lesson: whole page, or the fragment that htmx swaps in."""

    @app.get("/lessons/<lesson>/steps")
    @app.get("/lessons/<lesson>/steps/")
    def first_step(lesson: str) -> AnyResponse:
        context, notices = site.opened(lesson)
        return Elsewhere(onward(context, 1, notices), 302)

    @app.get("/lessons/<lesson>/steps/<n>")
    def step(lesson: str, n: str) -> AnyResponse | str:
        return step_answer(site, n, *site.opened(lesson))


def step_answer(
    site: Site, n: str, context: AnyContext, notices: tuple[str, ...]
) -> AnyResponse | str:
    """A step, or its fragment for htmx."""
    number, notices = step_number(context, n), (*notices, *cut_short(context, n))
    # the form sends every choice; the short address is the one to share
    if "notation" in request.args and not notices:
        short = context.address(number)
        if unquote(short) != unquote(request.full_path.rstrip("?")):
            return Elsewhere(short, 302)
    text = site.library.step(context.source, context.view, number, notices)
    if wants_fragment():
        return text.fragment
    return whole_page(text, face(context.source).panels(context, number))


def contradiction(kind: str) -> tuple[Ignored, ...]:
    """What is wrong where an address names two kinds of file: in its path and in its query, where
    the form has it.
    """
    also = request.args.get("kind", kind)
    return (
        ()
        if also == kind
        else (Ignored(f"the address asks for two kinds of file, {kind} and {quotable(also, 30)}"),)
    )


def add_exports(app: Flask, site: Site) -> None:
    """What a lesson can become, and the files."""

    @app.get("/lessons/<lesson>/export")
    def export_choices(lesson: str) -> AnyResponse | tuple[str, int]:
        return export_answer(*site.ordered(lesson))

    @app.get("/lessons/<lesson>/export/<kind>")
    def download(lesson: str, kind: str) -> AnyResponse:
        return file_answer(site, kind, url_for("lesson", lesson=lesson), *site.ordered(lesson))


def export_answer(
    context: AnyContext, order: ExportOrder, ignored: tuple[Ignored, ...]
) -> AnyResponse | tuple[str, int]:
    """The page of what a lesson can become; `ignored` is what of its address makes no sense."""
    key = request.args.get("kind", "html")
    if key not in KINDS:
        ignored, key = (
            (view.unknown("kind", key, KINDS, "another one is shown"), *ignored),
            "html",
        )
    wanted = request.args.get("do") == "download"
    page = export_page(context, key, order, request.args, ignored, wanted=wanted)
    if wanted and page.fits and not ignored:
        return Elsewhere(file_address(context, key, order), 302)
    return render_template("export.html", page=page), 422 if wanted else 200


def file_answer(
    site: Site,
    kind: str,
    home: str,
    context: AnyContext,
    order: ExportOrder,
    ignored: tuple[Ignored, ...],
) -> AnyResponse:
    """The file; `home` is the address that it names as its source, "" for none."""
    if kind in KINDS:
        refuse((*contradiction(kind), *ignored))
        budget.advise(at_home(context.lesson, kind, context.view, order))
    here = site.here()
    # a loopback address on paper leads nobody anywhere
    if home and not share.only_here(here.partition("://")[2]):
        order = with_address(order, here + home)
    try:
        made = online(context.lesson, kind, context.view, order)
        chunks = budget.begun(made.chunks)
    except TutorError as error:
        raise Missing(str(error)) from None
    response = Response(chunks, content_type=made.media)
    response.headers["Content-Disposition"] = f'attachment; filename="{made.name}"'
    return response


# ---- The routes of what surrounds a lesson: links and QR code, and steps in frames elsewhere ----
#
#     /lessons/<id>/share                 links, QR code, what to paste into a course page;
#                                         with step=n those of a step
#     /embed/lessons/<id>/steps/<n>       one step for a frame; a fragment of it for htmx
#
# Only what stands under /embed may be framed (`security.headers`). It takes nothing in: no form, no
# saving, no changing.


def add_share(app: Flask, site: Site) -> None:
    """Links, QR code and frames."""
    add_sharing(app, site)
    add_frames(app, site)


def add_sharing(app: Flask, site: Site) -> None:
    """The page with a lesson's links, and its QR code alone for the projector (present=yes)."""

    @app.get("/lessons/<lesson>/share")
    def share(lesson: str) -> str:
        return share_answer(site, *site.opened(lesson, STEP))


def share_answer(site: Site, context: AnyContext, notices: tuple[str, ...]) -> str:
    """The links of a lesson, or its code alone."""
    if not request.host:  # a Host header that is none: there would be nothing to link to
        abort(400)
    page = share_page(context, site.here(), request.args, notices)
    return render_template("qr.html" if context.view.present else "share.html", page=page)


def add_frames(app: Flask, site: Site) -> None:
    """The steps of a lesson in a frame; what has no step of its own leads to the first."""

    @app.get("/embed/lessons/<lesson>")
    @app.get("/embed/lessons/<lesson>/steps")
    @app.get("/embed/lessons/<lesson>/steps/")
    def first_framed(lesson: str) -> AnyResponse:
        context, notices = site.opened(lesson, embedded=True, present=False)
        return Elsewhere(onward(context, 1, notices), 302)

    @app.get("/embed/lessons/<lesson>/steps/<n>")
    def framed_step(lesson: str, n: str) -> str:
        return framed_answer(site, n, *site.opened(lesson, embedded=True, present=False))


def framed_answer(site: Site, n: str, context: AnyContext, notices: tuple[str, ...]) -> str:
    """A step for a frame, or its fragment."""
    number, notices = step_number(context, n), (*notices, *cut_short(context, n))
    text = site.library.step(context.source, context.view, number, notices)
    return text.fragment if wants_fragment() else framed_page(text)


# ---- The route behind "What if": a changed number becomes another address of the same step ----
# POST /lessons/<id>/steps/<n>/change     303 to the step with the changes, or 422 with the form and
# what is wrong
# GET                                     302 to the step


def add_what_if(app: Flask, site: Site) -> None:
    """From a changed number to its address."""

    @app.post("/lessons/<lesson>/steps/<n>/change")
    def change(lesson: str, n: str) -> AnyResponse | tuple[str, int, dict[str, str]]:
        return change_answer(site, n, *site.opened(lesson))

    @app.get("/lessons/<lesson>/steps/<n>/change")
    def unchanged(lesson: str, n: str) -> AnyResponse:
        context, notices = site.opened(lesson)
        return Elsewhere(onward(context, step_number(context, n), notices), 302)


def change_answer(
    site: Site, n: str, context: AnyContext, notices: tuple[str, ...]
) -> AnyResponse | tuple[str, int, dict[str, str]]:
    """On to the changed step, or the step with the form and what is wrong in it."""
    number, own = step_number(context, n), face(context.source)
    after, problems = own.wanted(context, request.form)
    if not problems:
        return Elsewhere(changed_address(site, context, number, after), 303)
    text = site.library.step(context.source, context.view, number, notices)
    beside = own.panels(context, number, request.form, problems)
    # the address of a form is no place to come back to
    return whole_page(text, beside), 422, {"HX-Push-Url": "false"}


def changed_view(site: Site, context: AnyContext, after: Changes) -> View:
    """The view with these changes; of the first iteration where training with these numbers does
    not get to the one that is looked at.
    """
    view = context.view.with_changes(after, context.source)
    if view.iteration == 1:
        return view
    try:
        site.library.context(context.source, view)
    except TutorError:
        return replace(view, iteration=1)
    return view


def changed_address(site: Site, context: AnyContext, n: int, after: Changes) -> str:
    """The step of the changed lesson that makes what step n makes; step n where there is none."""
    view = changed_view(site, context, after)
    other = site.library.context(context.source, view)
    found = face(context.source).same_step(context, n, other)
    return view.address(context.source.id, found or (n if after else min(n, len(other.walk))))
