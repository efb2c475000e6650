"""The routes: look up, compute, render. No arithmetic here.

    /                               all lectures and their lessons
    /lessons/<id>                   what a lesson is about
    /lessons/<id>/steps/<n>         one step; a fragment of it for htmx
    /lessons/<id>/steps/<n>/chain   a gradient written out along every path
    /lessons/<id>/slides            every printed number beside the computed one
    /activations                    every activation function with its derivative
    /healthz                        200 while the app answers

A step's page and its fragment are the same text: the page includes the fragment word for word.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, abort, redirect, render_template, request, url_for
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from tutor import gallery_activations, page, security, view
from tutor.errors import LessonError
from tutor.library import Library
from tutor.markup import trusted
from tutor.outline import Link

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from tutor.page import Context
    from tutor.scenario import Scenario

HOME = Path(__file__).parent
LARGEST_REQUEST = 256 * 1024
WEEK = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """What went wrong, in words, and where one may go."""

    status: int
    title: str
    message: str
    links: tuple[Link, ...]


TITLES = {
    400: "This request cannot be read", 403: "This request came from another site", 404: "There is nothing here",
    405: "This address does not take that", 413: "That is too large", 415: "That kind of content cannot be read",
    422: "Something in it is not right", 429: "That was a lot at once", 500: "Something went wrong on our side",
}  # fmt: skip
MESSAGES = {
    400: "The browser sent something that is not a proper request. Going back and trying again usually helps.",
    403: "Changes are only taken from the tutor’s own pages.",
    404: "No page has this address. It may be a typing mistake, or the lesson has been removed.",
    405: "Pages here are there to be looked at; the request wanted something else.",
    413: "The request is larger than the tutor reads, 256 KB.",
    415: "The tutor does not know this kind of content.",
    422: "The request was understood, but what it asks for does not fit together.",
    429: "Please wait a moment and try again.",
    500: "It is not your fault, and nothing of yours is lost. Trying again may help; if not, the lesson’s other steps still work.",
}  # fmt: skip


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
        return render_template("gallery.html", page=page.gallery_page(library.shelf, library.steps()))

    @app.get("/lessons")
    @app.get("/lessons/")
    def lessons() -> AnyResponse:
        return redirect("/", 301)

    @app.get("/lessons/<lesson>")
    def lesson(lesson: str) -> str:
        context, notices = opened(library, lesson)
        return render_template("lesson.html", page=page.lesson_page(context, notices))

    @app.get("/lessons/<lesson>/slides")
    def slides(lesson: str) -> str:
        scenario = found(library, lesson)
        if not scenario.printed:
            abort(404, description="The slides of this lesson print no numbers.")
        return render_template("slides.html", page=page.slides_page(library.context(scenario, view.View())))

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
        if "from" in request.args or "notation" in request.args:
            tidy = tidied(context, number)
            if tidy != request.full_path.rstrip("?") and not notices:
                return redirect(tidy, 302)
        text = library.step(context.lesson.scenario, context.view, number, notices)
        return text if wants_fragment() else whole_page(text, page.panels(context, number))

    @app.get("/lessons/<lesson>/steps/<n>/chain")
    def chain(lesson: str, n: str) -> str:
        context, _ = opened(library, lesson)
        content = page.chain_page(context, step_number(context, n))
        if content is None:
            abort(404, description="This lesson writes out whole chains for gradients of single weights with few paths only.")
        return render_template("chain.html", page=content)


def whole_page(fragment: str, panels: page.Panels) -> str:
    """The page around a fragment; its title is the fragment's own."""
    title, _, body = fragment.split("\n", 2)
    inner = title.removeprefix("<title>").removesuffix("</title>")
    return render_template("step.html", title=trusted(inner), fragment=trusted(body), panels=panels)


def render_step(context: Context, n: int, notices: tuple[str, ...]) -> str:
    """The text of a step, the same in page and fragment."""
    content = page.step_page(context, n, notices)
    return render_template("_fragment.html", page=content) + "\n" + render_template("_step.html", page=content)


def found(library: Library, lesson: str) -> Scenario:
    """The scenario of an address, or 404 with the way back."""
    scenario = library.shelf.find(lesson)
    if scenario is None:
        abort(404, description=f"There is no lesson called “{lesson[:80]}”.")
    return scenario


def opened(library: Library, lesson: str) -> tuple[Context, tuple[str, ...]]:
    """A lesson under the view that the address asks for, and what of the address was ignored."""
    scenario = found(library, lesson)
    wanted, notices = view.read(request.args, scenario)
    try:
        return library.context(scenario, wanted), notices
    except LessonError as error:
        abort(404, description=str(error))


def step_number(context: Context, text: str) -> int:
    """The number of a step, or 404 with the range."""
    total = len(context.walk)
    if not (text.isascii() and text.isdigit() and len(text) < 12 and 1 <= int(text) <= total):
        abort(404, description=f"This lesson has the steps 1 to {total}; there is no step “{text[:20]}”.")
    return int(text)


def tidied(context: Context, n: int) -> str:
    """The short address of a view; a form may ask for the place it came from in another grain."""
    before = request.args.get("from", "")
    if before in context.lesson.walks and before != context.view.grain:
        n = context.lesson.same_place(min(n, len(context.lesson.walk(before))), before, context.view.grain)
    return context.address(n)


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
    elif request.endpoint != "static":
        response.headers["Cache-Control"] = "no-cache"
        response.vary.add("HX-Request")
    return response


def add_errors(app: Flask) -> None:
    """One page for every error, in the tutor's words; a fragment where htmx asked."""

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Any:
        if error.code is not None and error.code < 400:
            return error
        return answer(error.code or 500, error.description if getattr(error, "response", None) is None else None)

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Any:
        app.logger.exception("a request failed")
        return answer(500, None)


def answer(status: int, description: str | None) -> tuple[str, int]:
    """The error page of a status. Werkzeug's own descriptions are replaced by ours."""
    ours = description if description and status == 404 and description.startswith(("There is no", "This lesson", "The slides", "iteration")) else ""
    links = [Link("All lectures and lessons", "/")]
    lesson = (request.view_args or {}).get("lesson")
    if lesson and status != 404 or (lesson and ours.startswith(("This lesson", "iteration", "The slides"))):
        links.insert(0, Link("Back to the lesson", url_for("lesson", lesson=lesson)))
    content = ErrorPage(status, TITLES.get(status, "This did not work"), ours or MESSAGES.get(status, "Please go back and try again."), tuple(links))
    return render_template("_error.html" if wants_fragment() else "error.html", page=content), status


app = create_app()
