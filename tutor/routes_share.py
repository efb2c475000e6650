"""The routes of what surrounds a lesson: its links and QR code, and its steps in frames on other sites.

    /lessons/<id>/share                 links, QR code, what to paste into a course page; with step=n those of a step
    /embed/lessons/<id>/steps/<n>       one step for a frame; a fragment of it for htmx

Only what stands under /embed may be framed (`security.headers`). It takes nothing in: no form, no saving, no changing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, abort, render_template, request

from tutor.share import STEP, share_page
from tutor.site import Elsewhere, Site, cut_short, framed_page, onward, step_number, wants_fragment

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse


def add(app: Flask, site: Site) -> None:
    """All routes of this module."""
    add_sharing(app, site)
    add_frames(app, site)


def add_sharing(app: Flask, site: Site) -> None:
    """The page with a lesson's links, and its QR code alone for the projector (present=yes)."""

    @app.get("/lessons/<lesson>/share")
    def share(lesson: str) -> str:
        if not request.host:  # a Host header that is none: there would be nothing to link to
            abort(400)
        context, notices = site.opened(lesson, STEP)
        page = share_page(context, f"{request.scheme}://{request.host}", request.args, notices)
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
        context, notices = site.opened(lesson, embedded=True, present=False)
        number, notices = step_number(context, n), (*notices, *cut_short(context, n))
        text = site.library.step(context.source, context.view, number, notices)
        return text.fragment if wants_fragment() else framed_page(text)
