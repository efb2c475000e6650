"""The app: its settings, the routes, headers and error pages. No arithmetic here.

tutor.web.routes_lessons   the gallery, lessons and their steps, slides, exports; links, QR
                           codes and frames on other sites; a changed number becomes another
                           address
tutor.web.routes_build     a form for a lesson of one's own
tutor.web.routes_open      a lesson as text: paste, upload, check, save, take away; the JSON
                           Schema, for editors
/activations               every activation function with its derivative
/glossary                  every technical term
/style                     the tutor's own design, each part once
/healthz                   200 while the app answers
"""

from __future__ import annotations

import hashlib
import os
import posixpath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, abort, redirect, render_template, request, url_for
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from tutor import limits
from tutor.catalogue import shelf
from tutor.errors import StoreError
from tutor.pages import activations as activation_page
from tutor.pages import glossary, style_guide
from tutor.pages.error_page import Explained, error_page
from tutor.store import saving
from tutor.web import routes_build, routes_lessons, routes_open, security
from tutor.web.library import Library
from tutor.web.request_body import REFUSED
from tutor.web.site import Site, step_renderer, wants_fragment

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

HOME = Path(__file__).parent
WEEK = 7 * 24 * 3600


def create_app(*folders: str | os.PathLike[str]) -> Flask:
    """The application over some folders of scenarios, without any over those that SCENARIOS and
    SHELF name.
    """
    app = Flask(
        __name__, static_folder=str(HOME / "static"), template_folder=str(HOME / "templates")
    )
    app.config["MAX_CONTENT_LENGTH"] = limits.REQUEST_BYTES
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["asset"] = asset_address
    # Pages have attributes, never keys.
    app.jinja_env.getattr = getattr  # type: ignore[method-assign,assignment]
    if os.environ.get("BEHIND_PROXY"):
        app.wsgi_app = ProxyFix(app.wsgi_app)  # type: ignore[method-assign]
    limits.check()
    saved = saving.from_environment(os.environ, HOME)
    render = step_renderer(app.jinja_env)
    site = Site(Library(folders or shelf.configured(), render, saved.find), saved)
    app.extensions["tutor"] = site
    add_pages(app)
    routes_lessons.add(app, site)
    routes_build.add(app, site)
    routes_lessons.add_share(app, site)
    routes_lessons.add_what_if(app, site)
    routes_open.add(app, site)
    routes_open.add_schema(app)
    add_errors(app)
    app.before_request(refuse_foreign)
    app.before_request(refuse_unread)
    app.after_request(finish)
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

    @app.get("/healthz")
    def healthz() -> Response:
        return Response("ok\n", mimetype="text/plain")

    @app.get("/favicon.ico")
    def favicon() -> AnyResponse:
        return redirect(asset_address("icon.svg"), 301)


def asset_address(name: str) -> str:
    """The address of a static file with its fingerprint, so that browsers may keep it.

    Not by url_for: that fails where the request names no proper host, and error pages have to be
    shown even then.
    """
    return f"/static/{name}?v={fingerprint(name)}"


def fingerprint(name: str, kept: dict[str, tuple[int, str]] = {}) -> str:  # noqa: B006 - a cache
    """The first letters of a file's hash; read again when the file changes."""
    path = HOME / "static" / name
    changed = path.stat().st_mtime_ns if path.exists() else 0
    if kept.get(name, (-1, ""))[0] != changed:
        kept[name] = (
            changed,
            hashlib.sha256(path.read_bytes()).hexdigest()[:10] if changed else "0",
        )
    return kept[name][1]


def is_fingerprinted() -> bool:
    """Whether the address is that of a static file as it is now. Under any other `v` it may be
    another file tomorrow.
    """
    if request.endpoint != "static" or "v" not in request.args:
        return False
    return request.args["v"] == fingerprint(
        posixpath.normpath((request.view_args or {})["filename"])
    )


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
    if status:
        abort(status)


def finish(response: Response) -> Response:
    """Headers for safety and for caches."""
    for name, value in security.headers(request.path).items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = security.STRICT_TRANSPORT
    if response.status_code < 400 and is_fingerprinted():
        response.headers["Cache-Control"] = f"public, max-age={WEEK}, immutable"
    elif request.endpoint != "static" or response.status_code >= 400:
        response.headers["Cache-Control"] = "no-cache"
        response.vary.add("HX-Request")
    return response


def add_errors(app: Flask) -> None:
    """One page for every error, in the tutor's words; a fragment where htmx asked."""

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Any:
        if error.code is not None and error.code < 400:
            return error
        ours = isinstance(error, Explained)
        reply = answer(
            error.code or 500, error.description if ours else None, getattr(error, "problems", ())
        )
        allowed = getattr(error, "valid_methods", None)
        return (*reply, {"Allow": ", ".join(sorted(allowed))}) if allowed else reply

    @app.errorhandler(StoreError)
    def unreachable(error: StoreError) -> Any:
        return (*answer(503, str(error)), {"Retry-After": "60"})

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Any:
        app.logger.error("a request failed", exc_info=error)
        return answer(500, None)


def answer(status: int, description: str | None, problems: tuple[str, ...] = ()) -> tuple[str, int]:
    """The error page of a status, or its fragment where htmx asked."""
    lesson = (request.view_args or {}).get("lesson")
    framed = security.framed(request.path)
    content = error_page(
        status,
        description,
        url_for("lesson", lesson=lesson) if lesson else "",
        problems,
        framed=framed,
    )
    whole = "embed_error.html" if framed else "error.html"
    return render_template("_error.html" if wants_fragment() else whole, page=content), status


app = create_app()
