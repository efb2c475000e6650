"""The app: its settings, the routes, headers and error pages. No arithmetic here.

tutor.web.routes_lessons   the gallery, lessons and their steps, slides, exports; links, QR
                           codes and frames on other sites; a changed number becomes another
                           address
tutor.web.routes_quantities  any number of a lesson, on a page of its own or in a panel
tutor.web.routes_formula   a formula that a reader typed, walked at once; all of it in the address
tutor.web.routes_derivatives
                           how the loss depends on a number, path by path
tutor.web.routes_training  a lesson's training: many iterations, their curves, a way into each
tutor.web.routes_build     a form for a lesson of one's own
tutor.web.routes_open      a lesson as text: paste, upload, check, save, take away; the JSON
                           Schema, for editors
/activations               every activation function with its derivative
/glossary                  every technical term
/style                     the tutor's own design, each part once
/healthz                   200 while the app answers
/readyz                    200 while it can give lessons, saved ones too
"""

from __future__ import annotations

import os
from collections.abc import Container
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import (
    Flask,
    Response,
    abort,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from tutor import limits
from tutor.budget import OverBudgetError
from tutor.catalogue import shelf
from tutor.errors import StoreError
from tutor.number import counted
from tutor.pages import activations as activation_page
from tutor.pages import glossary, style_guide
from tutor.pages.error_page import Busy, Explained, TooMuch, TooOften, error_page
from tutor.pages.outline import Link
from tutor.store import saving
from tutor.web import (
    routes_build,
    routes_derivatives,
    routes_formula,
    routes_lessons,
    routes_open,
    routes_quantities,
    routes_training,
    security,
)
from tutor.web.caching import PARTS, Caching
from tutor.web.forwarding import has_one_host, trusted_proxies
from tutor.web.library import Library
from tutor.web.places import RETRY, PerMinute, kind, outside
from tutor.web.request_body import REASON, REFUSED
from tutor.web.site import Site, step_renderer, wants_fragment
from tutor.web.static_files import TOGETHER, StaticFiles

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

HOME = Path(__file__).parent
STATIC = StaticFiles(HOME / "static", TOGETHER)
TOLD = {"Allow", "Retry-After"}
"""Headers of an error that go with its page."""
VERSION = "Tutor-Version"
"""The header that says which version made an answer: a page of another one has itself loaded anew
before it shows a part of it (static/walk.js).
"""
READY_WAIT = 2
"""Seconds for the store to answer whether it can be used."""


def create_app(*folders: str | os.PathLike[str], only: Container[str] | None = None) -> Flask:
    """The application over some folders of scenarios, without any over those that SCENARIOS and
    SHELF name; with `only`, over the lessons with these ids.
    """
    app = Flask(__name__, static_folder=None, template_folder=str(HOME / "templates"))
    app.config["MAX_CONTENT_LENGTH"] = limits.REQUEST_BYTES
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["asset"] = STATIC.address
    app.wsgi_app = STATIC.before(app.wsgi_app)  # type: ignore[method-assign,assignment]
    # Pages have attributes, never keys.
    app.jinja_env.getattr = getattr  # type: ignore[method-assign,assignment]
    proxies = trusted_proxies(os.environ)
    if proxies:
        # each proxy adds an address; the one next to us says by which scheme the reader came
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=1)  # type: ignore[method-assign]
    limits.check()
    saved = saving.from_environment(os.environ, HOME)
    render = step_renderer(app.jinja_env)
    library = Library(folders or shelf.configured(), render, outside(saved.find), only)
    site = Site(library, saved, Caching.of(os.environ, HOME))
    app.jinja_env.globals["version"] = site.caching.version
    app.extensions["tutor"] = site
    add_pages(app)
    add_health(app, site)
    routes_lessons.add(app, site)
    routes_quantities.add(app, site)
    routes_formula.add(app, site)
    routes_derivatives.add(app, site)
    routes_training.add(app, site)
    routes_build.add(app, site)
    routes_lessons.add_share(app, site)
    routes_lessons.add_what_if(app, site)
    routes_open.add(app, site)
    routes_open.add_schema(app, site)
    add_errors(app)
    app.before_request(refuse_unknown_host)
    app.before_request(refuse_foreign)
    app.before_request(refuse_unread)
    app.before_request(partial(refuse_often, PerMinute(limits.FILES_A_MINUTE)))
    app.before_request(partial(known, site))
    app.after_request(partial(finish, site))
    return app


def add_pages(app: Flask) -> None:
    """The pages that need no lesson."""

    @app.get("/activations")
    def activations() -> str:
        return render_template("activations.html", page=activation_page.page(request.args))

    @app.get("/glossary")
    def glossary_page() -> str:
        return render_template("glossary.html", page=glossary.page())

    @app.get("/style")
    def style() -> str:
        return render_template("style.html", page=style_guide.page())

    @app.get("/static/<path:filename>")
    def static(filename: str) -> Response:
        abort(404)  # what is there, `STATIC` has given

    @app.get("/favicon.ico")
    def favicon() -> AnyResponse:
        return redirect(STATIC.address("icon.svg"), 301)


def add_health(app: Flask, site: Site) -> None:
    """For who restarts the tutor, and for who sends it readers."""

    @app.get("/healthz")
    def healthz() -> Response:
        return Response("ok\n", mimetype="text/plain")

    @app.get("/readyz")
    def readyz() -> Response:
        wrong = [f"{part}: {why}\n" for part, why in site.unready(READY_WAIT)]
        return Response(
            wrong or "ready\n",
            503 if wrong else 200,
            {"Retry-After": "5"} if wrong else {},
            mimetype="text/plain",
        )


def refuse_unknown_host() -> None:
    """Refuse what does not say once which host it asks: links could not be made, and caches in
    between might take another one.
    """
    if not has_one_host(request.environ):
        abort(400)


def refuse_foreign() -> None:
    """Refuse what another site's page would change here."""
    headers = request.headers
    if security.foreign(
        request.method,
        headers.get("Sec-Fetch-Site"),
        headers.get("Origin"),
        f"{request.scheme}://{request.host}",
    ):
        abort(403)


def refuse_unread() -> None:
    """Refuse what the server could not take in; `tutor.web.request_body` has tried."""
    status = request.environ.get(REFUSED)
    if REASON in request.environ:
        raise Busy(request.environ[REASON], retry_after=RETRY)
    if status:
        abort(status)


def refuse_often(files: PerMinute) -> None:
    """Refuse the many downloads of one address. The author's own computer may have them all."""
    if kind(request.environ) != "files" or routes_lessons.by_author():
        return
    wait = files.wait(saving.client(request.remote_addr or ""))
    if wait:
        raise TooOften(
            f"One address can download {files.most:,} files a minute. Please try again in "
            f"{counted(wait, 'second')}; python -m tutor export makes any number of them.",
            retry_after=wait,
        )


def finish(site: Site, response: Response) -> Response:
    """Headers for safety and for caches."""
    for name, value in security.headers(request.path).items():
        response.headers.setdefault(name, value)
    response.headers[VERSION] = site.caching.version
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = security.STRICT_TRANSPORT
    tag = g.get("tag") if response.status_code in {200, 304} else ""
    response.headers["Cache-Control"] = site.caching.control(request) if tag else "no-cache"
    response.vary.update(PARTS)
    if tag:
        site.keep(tag, response)
        response.set_etag(tag)
    return response


def known(site: Site) -> Response | None:
    """304 where the reader has the answer already; a page as it was made for another reader."""
    g.tag = "" if request.endpoint == "gallery" and routes_lessons.by_author() else site.tag()
    asked = request.if_none_match
    if g.tag and not asked.star_tag and asked.contains_weak(g.tag):
        return Response(status=304)
    return site.again(g.tag)


def add_errors(app: Flask) -> None:
    """One page for every error, in the tutor's words; a fragment where htmx asked."""

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Any:
        if error.code is not None and error.code < 400:
            return error
        ours = isinstance(error, Explained)
        reply = answer(
            error.code or 500,
            error.description if ours else None,
            getattr(error, "problems", ()),
            getattr(error, "links", ()),
        )
        headers = {name: value for name, value in error.get_headers() if name in TOLD}
        return (*reply, headers)

    @app.errorhandler(OverBudgetError)
    def costly(error: OverBudgetError) -> Any:
        return refused(TooMuch(str(error)))

    @app.errorhandler(StoreError)
    def unreachable(error: StoreError) -> Any:
        return (*answer(503, str(error)), {"Retry-After": "60"})

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Any:
        app.logger.error("a request failed", exc_info=error)
        return answer(500, None)


def answer(
    status: int,
    description: str | None,
    problems: tuple[str, ...] = (),
    near: tuple[Link, ...] = (),
) -> tuple[str, int]:
    """The error page of a status, or its fragment where htmx asked."""
    lesson = (request.view_args or {}).get("lesson")
    framed = security.framed(request.path)
    content = error_page(
        status,
        description,
        url_for("lesson", lesson=lesson) if lesson else "",
        problems,
        near,
        framed=framed,
    )
    whole = "embed_error.html" if framed else "error.html"
    return render_template("_error.html" if wants_fragment() else whole, page=content), status


app = create_app()
