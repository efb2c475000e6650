"""The routes: look up, compute, render. No arithmetic here.

    /                               all lectures and their lessons
    /lessons/<id>                   what a lesson is about
    /lessons/<id>/steps/<n>         one step; a fragment of it for htmx
    /lessons/<id>/steps/<n>/chain   a gradient written out along every path
    /lessons/<id>/export            what a lesson can become, with a preview
    /lessons/<id>/export/<kind>     the file
    /lessons/<id>/slides            every printed number beside the computed one
    /activations                    every activation function with its derivative
    /healthz                        200 while the app answers

A step's page and its fragment are the same text: the page includes the fragment word for word.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, abort, redirect, render_template, request, url_for
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from tutor import export, gallery_activations, security, view
from tutor.comparison import slides_page
from tutor.error_page import NO_LESSON, Explained, Missing, error_page
from tutor.errors import TutorError
from tutor.export import KINDS, Order, online, versioned, with_address
from tutor.export_page import export_page
from tutor.gallery import gallery_page
from tutor.library import Library
from tutor.markup import trusted
from tutor.overview import lesson_page
from tutor.page import chain_page, step_page
from tutor.panels import Panels, panels
from tutor.problem import quotable

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from tutor.context import Context
    from tutor.scenario import Scenario

HOME = Path(__file__).parent
LARGEST_REQUEST = 256 * 1024
WEEK = 7 * 24 * 3600


def create_app(folder: str | os.PathLike[str] | None = None) -> Flask:
    """The application over a folder of scenarios (SCENARIOS in the environment, else scenarios/)."""
    app = Flask(__name__, static_folder=str(HOME / "static"), template_folder=str(HOME / "templates"))
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["asset"] = asset_address
    if os.environ.get("BEHIND_PROXY"):
        app.wsgi_app = ProxyFix(app.wsgi_app)  # type: ignore[method-assign]
    library = Library(folder or os.environ.get("SCENARIOS") or HOME / "scenarios", render_step)
    app.extensions["tutor"] = library
    add_pages(app, library)
    add_step(app, library)
    add_errors(app)
    app.before_request(refuse_foreign)
    app.after_request(finish)
    return app


def add_pages(app: Flask, library: Library) -> None:
    """The pages around the steps."""

    @app.get("/")
    def gallery() -> str:
        return render_template("gallery.html", page=gallery_page(library.shelf, library.steps()))

    @app.get("/lessons")
    @app.get("/lessons/")
    def lessons() -> AnyResponse:
        return redirect("/", 301)

    @app.get("/lessons/<lesson>")
    def lesson(lesson: str) -> str:
        context, notices = opened(library, lesson)
        return render_template("lesson.html", page=lesson_page(context, notices))

    @app.get("/lessons/<lesson>/export")
    def export_choices(lesson: str) -> str:
        context, order, notices = ordered(library, lesson)
        key = request.args.get("kind", "html")
        if key not in KINDS:
            notices, key = (*notices, f"kind “{quotable(key, 30)}” is not known; there are {', '.join(KINDS)}."), "html"
        return render_template("export.html", page=export_page(context, key, order, notices))

    @app.get("/lessons/<lesson>/export/<kind>")
    def download(lesson: str, kind: str) -> AnyResponse:
        context, order, _ = ordered(library, lesson)
        order = with_address(order, url_for("lesson", lesson=lesson, _external=True))
        try:
            made = online(versioned(context.lesson.scenario, context.view, order), kind, context.view, order)
            first = next(made.chunks, "")
        except TutorError as error:
            raise Missing(str(error)) from None
        response = Response(itertools.chain([first], made.chunks), content_type=made.media)
        response.headers["Content-Disposition"] = f'attachment; filename="{made.name}"'
        return response

    @app.get("/lessons/<lesson>/slides")
    def slides(lesson: str) -> str:
        scenario = found(library, lesson)
        if not scenario.printed:
            raise Missing("The slides of this lesson print no numbers.")
        return render_template("slides.html", page=slides_page(library.context(scenario, view.View())))

    @app.get("/activations")
    def activations() -> str:
        return render_template("activations.html", page=gallery_activations.page(request.args))

    @app.get("/healthz")
    def healthz() -> Response:
        return Response("ok\n", mimetype="text/plain")

    @app.get("/favicon.ico")
    def favicon() -> AnyResponse:
        return redirect(asset_address("icon.svg"), 301)


def add_step(app: Flask, library: Library) -> None:
    """The step of a lesson: whole page, or the fragment that htmx swaps in."""

    @app.get("/lessons/<lesson>/steps")
    @app.get("/lessons/<lesson>/steps/")
    def first_step(lesson: str) -> AnyResponse:
        context, _ = opened(library, lesson)
        return redirect(context.address(1), 302)

    @app.get("/lessons/<lesson>/steps/<n>")
    def step(lesson: str, n: str) -> AnyResponse | str:
        context, notices = opened(library, lesson)
        number = step_number(context, n)
        if "notation" in request.args and not notices:  # the form sends every choice; the short address is the one to share
            short = context.address(number)
            if short != request.full_path.rstrip("?"):
                return redirect(short, 302)
        text = library.step(context.lesson.scenario, context.view, number, notices)
        return text if wants_fragment() else whole_page(text, panels(context, number))

    @app.get("/lessons/<lesson>/steps/<n>/chain")
    def chain(lesson: str, n: str) -> str:
        context, _ = opened(library, lesson)
        content = chain_page(context, step_number(context, n))
        if content is None:
            raise Missing("This lesson writes out whole chains for gradients of single weights with few paths only.")
        return render_template("chain.html", page=content)


def whole_page(fragment: str, beside: Panels) -> str:
    """The page around a fragment; its title is the fragment's own."""
    title, _, body = fragment.split("\n", 2)
    inner = title.removeprefix("<title>").removesuffix("</title>")
    return render_template("step.html", title=trusted(inner), fragment=trusted(body), panels=beside)


def render_step(context: Context, n: int, notices: tuple[str, ...]) -> str:
    """The text of a step, the same in page and fragment."""
    content = step_page(context, n, notices)
    return render_template("_fragment.html", page=content) + "\n" + render_template("_step.html", page=content)


def found(library: Library, lesson: str) -> Scenario:
    """The scenario of an address, or 404 with the way back."""
    scenario = library.shelf.find(lesson)
    if scenario is None:
        raise Missing(f"{NO_LESSON} called “{quotable(lesson, 80)}”.")
    return scenario


def opened(library: Library, lesson: str) -> tuple[Context, tuple[str, ...]]:
    """A lesson under the view that the address asks for, and what of the address was ignored."""
    scenario = found(library, lesson)
    wanted, notices = view.read(request.args, scenario)
    try:
        return library.context(scenario, wanted), notices
    except TutorError as error:
        raise Missing(str(error)) from None


def ordered(library: Library, lesson: str) -> tuple[Context, Order, tuple[str, ...]]:
    """A lesson under a view, and what of it is to be exported."""
    scenario = found(library, lesson)
    wanted, notices = view.read(request.args, scenario, view.EXPORT)
    told = list(notices)
    order = export.read(request.args, tuple(request.args.getlist("phases")), told)
    try:
        return library.context(scenario, wanted), order, tuple(told)
    except TutorError as error:
        raise Missing(str(error)) from None


def step_number(context: Context, text: str) -> int:
    """The number of a step, or 404 with the range."""
    total = len(context.walk)
    if not (text.isascii() and text.isdigit() and len(text) < 12 and 1 <= int(text) <= total):
        raise Missing(f"This lesson has the steps 1 to {total}; there is no step “{quotable(text, 20)}”.")
    return int(text)


def wants_fragment() -> bool:
    """Whether htmx asks for a part of a page (a history restore asks for the whole)."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def asset_address(name: str) -> str:
    """The address of a static file with its fingerprint, so that browsers may keep it."""
    return url_for("static", filename=name, v=fingerprint(name))


def fingerprint(name: str, kept: dict[str, tuple[int, str]] = {}) -> str:  # noqa: B006 - a small cache by time of change
    """The first letters of a file's hash; read again when the file changes."""
    path = HOME / "static" / name
    changed = path.stat().st_mtime_ns if path.exists() else 0
    if kept.get(name, (-1, ""))[0] != changed:
        kept[name] = (changed, hashlib.sha256(path.read_bytes()).hexdigest()[:10] if changed else "0")
    return kept[name][1]


def refuse_foreign() -> None:
    """Refuse what another site's page would change here."""
    headers = request.headers
    if security.foreign(request.method, headers.get("Sec-Fetch-Site"), headers.get("Origin"), request.host):
        abort(403)


def finish(response: Response) -> Response:
    """Headers for safety and for caches."""
    for name, value in security.HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = security.STRICT_TRANSPORT
    if request.endpoint == "static" and "v" in request.args and response.status_code == 200:
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
        reply = answer(error.code or 500, error.description if ours else None)
        allowed = getattr(error, "valid_methods", None)
        return (*reply, {"Allow": ", ".join(sorted(allowed))}) if allowed else reply

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Any:
        app.logger.error("a request failed", exc_info=error)
        return answer(500, None)


def answer(status: int, description: str | None) -> tuple[str, int]:
    """The error page of a status, or its fragment where htmx asked."""
    lesson = (request.view_args or {}).get("lesson")
    content = error_page(status, description, url_for("lesson", lesson=lesson) if lesson else "")
    return render_template("_error.html" if wants_fragment() else "error.html", page=content), status


app = create_app()
