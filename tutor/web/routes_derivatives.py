"""The routes that ask how one number depends on another.

/lessons/<id>/paths             the form's way to the paths of a number: ?of=w[1][1,1]
/lessons/<id>/paths/<name>      how the loss depends on a number, path by path; ?path=2 is one
                                of them
/lessons/<id>/steps/<n>/chain   the same for the gradient that a step makes
/lessons/<id>/jacobians/<layer> the Jacobians of a layer, or of a node of a formula;
                                ?layout=denominator turns them
/lessons/<id>/both-routes       the error signals through the full Jacobian, and output minus
                                target
/lessons/<id>/graph             the computation graph of a network, collapsed by layer; ?open=2,3
                                opens layers, ?open=all each of them. That of a formula is its
                                walk by pass
/lessons/<id>/paper             every number rounded and carried on, beside full precision:
                                ?paper=4
/formula/paper                  the same of a formula in the address
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flask import Flask, render_template, request

from tutor.errors import TutorError
from tutor.lesson.by_hand import FEWEST, MOST
from tutor.lesson.changes import sentence
from tutor.lesson.opening import no_paper
from tutor.lesson.titles import capital
from tutor.pages import view
from tutor.pages.both_routes import both_routes_page
from tutor.pages.context import AnyContext, Context
from tutor.pages.error_page import Missing
from tutor.pages.faces import face
from tutor.pages.graph_jacobians_page import GraphJacobiansPage
from tutor.pages.jacobians_page import JacobiansPage
from tutor.pages.layer_graph_page import graph_asked, layer_graph_page
from tutor.pages.paper_page import paper_page
from tutor.pages.paths_page import FIRST, derivative, has_paths, named_otherwise, paths_page
from tutor.pages.quantity_query import Asked
from tutor.scenario.reader import GraphScenario
from tutor.web.site import Elsewhere, Site, as_asked, as_notices, step_number

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

MATRICES = {JacobiansPage: "jacobians.html", GraphJacobiansPage: "graph_jacobians.html"}
PATH = "path"
"""The number of the path to look at."""


def add(app: Flask, site: Site) -> None:
    """All routes of this module."""
    add_paths(app, site)
    add_paper(app, site)
    add_jacobians(app, site)
    add_graph(app, site)


def add_paths(app: Flask, site: Site) -> None:
    """The paths from a number to the loss."""

    @app.get("/lessons/<lesson>/paths")
    @app.get("/lessons/<lesson>/paths/")
    def asked_paths(lesson: str) -> AnyResponse:
        context, _ = site.opened_network(lesson, frozenset({"of"}))
        name = request.args.get("of", "").strip() or FIRST
        return Elsewhere(context.view.paths(context.source.id, name[:80]), 302)

    @app.get("/lessons/<lesson>/paths/<path:name>")
    def paths(lesson: str, name: str) -> AnyResponse | str:
        context, notices = site.opened_network(lesson, frozenset({PATH}))
        ours = named_otherwise(context, name)
        if ours:
            return Elsewhere(as_asked(context.view.paths(context.source.id, ours)), 302)
        return answer(context, name, notices)

    @app.get("/lessons/<lesson>/steps/<n>/chain")
    def chain(lesson: str, n: str) -> str:
        context, notices = site.opened_network(lesson, frozenset({PATH}))
        step = context.step(step_number(context, n))
        if not has_paths(step):
            raise Missing(
                "A chain is written out only for the gradient of a single weight or bias."
            )
        return answer(context, str(step.anchor), notices, context.address(f"{step.n}/chain"))


def add_paper(app: Flask, site: Site) -> None:
    """A lesson as on paper beside full precision."""

    @app.get("/lessons/<lesson>/paper")
    def paper(lesson: str) -> AnyResponse | str:
        return compared(site, *site.opened(lesson))


def add_jacobians(app: Flask, site: Site) -> None:
    """The Jacobians of a layer or a node, and both routes to the error signals of the outputs."""

    @app.get("/lessons/<lesson>/jacobians")
    @app.get("/lessons/<lesson>/jacobians/")
    def any_jacobians(lesson: str) -> AnyResponse:
        own = face(site.found(lesson))
        context, _ = site.opened(lesson, own.matrix_settings)
        try:
            return Elsewhere(as_asked(own.first_jacobians(context)), 302)
        except TutorError as error:
            raise Missing(said(error)) from None

    @app.get("/lessons/<lesson>/jacobians/<name>")
    def jacobians(lesson: str, name: str) -> str:
        context, notices = site.opened(lesson, face(site.found(lesson)).matrix_settings)
        return matrices(context, name, notices)

    @app.get("/lessons/<lesson>/both-routes")
    def both_routes(lesson: str) -> str:
        context, notices = site.opened_network(lesson, frozenset({"sample", "unit"}))
        network, ignored = context.trace.network, list[view.Ignored]()
        sample = view.whole(request.args, "sample", 1, context.trace.samples, 1, ignored) or 1
        unit = view.whole(request.args, "unit", 1, network.sizes[-1], 1, ignored) or 1
        told = (*notices, *as_notices(tuple(ignored)))
        try:
            page = both_routes_page(context, sample, unit, told)
        except TutorError as error:
            raise Missing(said(error)) from None
        return render_template("both_routes.html", page=page)


def add_graph(app: Flask, site: Site) -> None:
    """The computation graph of a network, collapsed by layer."""

    @app.get("/lessons/<lesson>/graph")
    def layer_graph(lesson: str) -> AnyResponse | str:
        if isinstance(site.found(lesson), GraphScenario):
            formula, _ = site.opened(lesson, frozenset({"open", "sample"}), grain="pass")
            return Elsewhere(formula.address(len(formula.walk)), 302)
        context, notices = site.opened_network(lesson, frozenset({"open", "sample"}))
        asked, ignored = graph_asked(context, request.args)
        page = layer_graph_page(context, asked, (*notices, *as_notices(ignored)))
        return render_template("layer_graph.html", page=page)


def compared(site: Site, context: AnyContext, notices: tuple[str, ...]) -> AnyResponse | str:
    """The page of a lesson as on paper, or 404 with why there is none."""
    scenario, view = context.source, context.view
    if why := no_paper(scenario):
        raise Missing(f"There is no such page: {why}.")
    if not view.paper:
        shown = min(max(scenario.display.decimals, FEWEST), MOST)
        if not notices:
            return Elsewhere(view.on_paper(scenario.id, shown), 302)
        context = site.library.context(scenario, replace(view, paper=shown))
    changed = face(scenario).answers(context, Asked()).changed()
    return render_template("paper.html", page=paper_page(context, changed, notices))


def matrices(context: AnyContext, name: str, notices: tuple[str, ...]) -> str:
    """The page with the Jacobians of a layer or a node, or 404 with why there are none."""
    try:
        page = face(context.source).jacobians(context, name, request.args, notices)
    except TutorError as error:
        raise Missing(said(error)) from None
    return render_template(MATRICES[type(page)], page=page)


def said(error: TutorError) -> str:
    """An error as a sentence."""
    return sentence(capital(str(error)))


def answer(context: Context, name: str, notices: tuple[str, ...], here: str = "") -> str:
    """The page of the paths of a derivative, by a name from an address."""
    try:
        q = derivative(context, name)
    except TutorError as error:
        raise Missing(said(error)) from None
    ignored: list[view.Ignored] = []
    n = view.whole(request.args, PATH, 1, view.MOST_PATH, 0, ignored) or 0
    content = paths_page(context, q, n, (*notices, *as_notices(tuple(ignored))), here)
    return render_template("paths.html", page=content)
