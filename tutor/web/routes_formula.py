"""The routes of a formula that a reader typed; all of it is in the address.

/formula                    type it; with text= its lines lead to the address of the formula
/formula/steps/<n>          a step; a fragment of it for htmx
/formula/steps/<n>/change   POST: a changed value is another address
/formula/quantities         the numbers of a step, to choose from
/formula/quantities/<name>  one number, as `routes_quantities` tells it; a POST changes a given one
/formula/check              every derivative against central differences
/formula/jacobians/<node>   the Jacobians of a node
/formula/accumulation       forward and reverse accumulation side by side
/formula/export, /share     what it can become, and links to it
/formula/scenario.yaml      the formula as a lesson's file
/embed/formula/steps/<n>    a step for a frame
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, render_template, request

from tutor.errors import TutorError
from tutor.export import registry
from tutor.pages import view
from tutor.pages.accumulation import accumulation_page
from tutor.pages.error_page import Missing, Unreadable
from tutor.pages.faces import of_graph
from tutor.pages.formula_page import formula_page
from tutor.pages.formula_view import (
    KNOWN,
    FormulaView,
    Typed,
    address_of,
    asked,
    carried_on,
    typed,
    view_of,
)
from tutor.scenario import dump
from tutor.web.routes_derivatives import compared, matrices
from tutor.web.routes_lessons import (
    change_answer,
    export_answer,
    file_answer,
    framed_answer,
    share_answer,
    step_answer,
)
from tutor.web.routes_quantities import changed, checked, listed, told
from tutor.web.site import (
    Elsewhere,
    Site,
    as_notices,
    onward,
    step_number,
    whole,
)

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
    from werkzeug.wrappers import Response as AnyResponse

    from tutor.export.registry import ExportOrder
    from tutor.pages.graph_context import GraphContext
    from tutor.pages.view import Ignored

UNREADABLE = "This address has no formula that can be walked."


def add(app: Flask, site: Site) -> None:
    """All routes of this module."""
    add_pages(app, site)
    add_steps(app, site)
    add_questions(app, site)
    add_files(app, site)


def add_pages(app: Flask, site: Site) -> None:
    """The page of a formula, and what surrounds its steps."""

    @app.get("/formula")
    def formula() -> AnyResponse | tuple[str, int]:
        if "text" in request.args:
            found = typed(request.args["text"])
            if found.scenario is not None:
                return Elsewhere(address_of(found, carried_on(request.args, found)), 303)
            return show(found, None, (), 422)
        found = asked(request.args)
        if found.scenario is None:
            return show(found, None, (), 422 if found.problems else 200)
        context, ignored = opened(site, found)
        return show(found, context, as_notices(ignored), 200)

    @app.get("/formula/accumulation")
    def formula_accumulation() -> str:
        context, notices = walked(site, paper=0)
        whole(context)
        return render_template("accumulation.html", page=accumulation_page(context, notices))

    @app.get("/formula/jacobians/<name>")
    def formula_jacobians(name: str) -> str:
        context, notices = walked(site)
        return matrices(context, name, notices)

    @app.get("/formula/paper")
    def formula_paper() -> AnyResponse | str:
        context, notices = walked(site)
        return compared(site, context, notices)

    @app.get("/formula/share")
    def formula_share() -> str:
        return share_answer(site, *walked(site))

    @app.get("/formula/scenario.yaml")
    def formula_file() -> Response:
        context, _ = walked(site)
        response = Response(dump.write(context.source), content_type="text/yaml; charset=utf-8")
        response.headers["Content-Disposition"] = 'attachment; filename="formula.yaml"'
        return response


def add_steps(app: Flask, site: Site) -> None:
    """The steps of a formula, on a page and in a frame."""

    @app.get("/formula/steps")
    @app.get("/formula/steps/")
    def formula_first() -> AnyResponse:
        context, notices = walked(site)
        return Elsewhere(onward(context, 1, notices), 302)

    @app.get("/formula/steps/<n>")
    def formula_step(n: str) -> AnyResponse | str:
        return step_answer(site, n, *walked(site))

    @app.get("/embed/formula/steps/<n>")
    def formula_framed(n: str) -> str:
        return framed_answer(site, n, *walked(site, embedded=True, present=False))

    @app.post("/formula/steps/<n>/change")
    def formula_change(n: str) -> AnyResponse | tuple[str, int, dict[str, str]]:
        return change_answer(site, n, *walked(site))

    @app.get("/formula/steps/<n>/change")
    def formula_unchanged(n: str) -> AnyResponse:
        context, notices = walked(site)
        return Elsewhere(onward(context, step_number(context, n), notices), 302)


def add_questions(app: Flask, site: Site) -> None:
    """Any number of a formula, and the check of its derivatives."""

    @app.get("/formula/quantities")
    @app.get("/formula/quantities/")
    def formula_quantities() -> ResponseReturnValue:
        return listed(*walked(site))

    @app.get("/formula/quantities/<path:name>")
    def formula_quantity(name: str) -> ResponseReturnValue:
        return told(*walked(site), name)

    @app.post("/formula/quantities/<path:name>")
    def formula_change_quantity(name: str) -> ResponseReturnValue:
        return changed(site, *walked(site), name)

    @app.get("/formula/check")
    def formula_check() -> ResponseReturnValue:
        return checked(*walked(site, paper=0))


def add_files(app: Flask, site: Site) -> None:
    """What a formula can become."""

    @app.get("/formula/export")
    def formula_export() -> AnyResponse | tuple[str, int]:
        return export_answer(*ordered(site))

    @app.get("/formula/export/<kind>")
    def formula_download(kind: str) -> AnyResponse:
        return file_answer(site, kind, "", *ordered(site))


def show(
    found: Typed, context: GraphContext | None, notices: tuple[str, ...], status: int
) -> tuple[str, int]:
    """The page on which a formula is typed."""
    page = formula_page(found, context, carried_on(request.args, found), notices)
    return render_template("formula.html", page=page), status


def readable(site: Site) -> Typed:
    """The formula of the address, or 400 with what is wrong with it."""
    found: Typed = site.read_once((FormulaView,), lambda: asked(request.args))
    if found.scenario is None:
        raise Unreadable(UNREADABLE, [f"{p.place}: {p.message}" for p in found.problems])
    return found


def opened(site: Site, found: Typed, **fixed: Any) -> tuple[GraphContext, tuple[Ignored, ...]]:
    """A formula under the view of the address, and what in that makes no sense; `fixed` are choices
    that the page makes in place of the reader.
    """
    seen, ignored = view_of(request.args, found, view.EXPORT | KNOWN)
    seen = replace(seen, **fixed)
    assert found.scenario is not None
    try:
        return of_graph(site.library.context(found.scenario, seen)), ignored
    except TutorError as error:
        raise Missing(str(error)) from None


def ordered(site: Site) -> tuple[GraphContext, ExportOrder, tuple[Ignored, ...]]:
    """The same, with what of it is to be exported."""
    context, ignored = opened(site, readable(site))
    if context.view.paper:
        context, _ = opened(site, readable(site), paper=0)
        ignored = (*ignored, view.NOT_IN_FILES)
    order, more = registry.read(request.args, tuple(request.args.getlist("phases")))
    return context, order, (*ignored, *more)


def walked(site: Site, **fixed: Any) -> tuple[GraphContext, tuple[str, ...]]:
    """The same, with what a page says of it."""
    found = readable(site)
    context, ignored = opened(site, found, **fixed)
    return context, (*found.notices, *as_notices(ignored))
