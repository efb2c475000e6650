"""Templates place what a documented page object holds: they use all of it and nothing else, and
bring no script or style.
"""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import jinja2
import pytest
from jinja2 import meta, nodes

from tests.visiting import tutor
from tutor.builder.form_page import BuildPage, LivePart
from tutor.builder.text_page import TextPage
from tutor.export.export_page import ExportPage
from tutor.pages.accumulation import AccumulationPage
from tutor.pages.activations import ActivationsPage
from tutor.pages.both_routes import BothRoutesPage
from tutor.pages.check_page import CheckPage
from tutor.pages.comparison import SlidesPage
from tutor.pages.error_page import ErrorPage
from tutor.pages.formula_page import FormulaPage
from tutor.pages.gallery import GalleryPage, ProblemsPage
from tutor.pages.glossary import GlossaryPage
from tutor.pages.graph_jacobians_page import GraphJacobiansPage
from tutor.pages.jacobians_page import JacobiansPage
from tutor.pages.layer_graph_page import LayerGraphPage
from tutor.pages.overview import LessonPage
from tutor.pages.panels import Panels
from tutor.pages.paper_page import PaperPage
from tutor.pages.paths_page import PathsPage
from tutor.pages.quantity_page import QuantitiesPage, QuantityPage
from tutor.pages.share import SharePage
from tutor.pages.step_page import StepPage
from tutor.pages.style_guide import StyleGuide
from tutor.pages.training_page import TrainingPage

FOLDER = Path(__file__).parents[1] / "templates"
TEMPLATES = sorted(path.name for path in FOLDER.iterdir() if not path.name.startswith("worked_"))
"""All but those of the offline file, which carries its style and script inside."""
PAGES: dict[str, dict[str, type[Any]]] = {
    "gallery.html": {"page": GalleryPage},
    "problems.html": {"page": ProblemsPage},
    "lesson.html": {"page": LessonPage},
    "export.html": {"page": ExportPage},
    "text.html": {"page": TextPage},
    "build.html": {"page": BuildPage},
    "build_live.html": {"page": LivePart},
    "_build_live.html": {"page": LivePart},
    "slides.html": {"page": SlidesPage},
    "check.html": {"page": CheckPage},
    "_quantity.html": {"page": QuantityPage},
    "quantity.html": {"page": QuantityPage},
    "_quantities.html": {"page": QuantitiesPage},
    "quantities.html": {"page": QuantitiesPage},
    "both_routes.html": {"page": BothRoutesPage},
    "jacobians.html": {"page": JacobiansPage},
    "graph_jacobians.html": {"page": GraphJacobiansPage},
    "layer_graph.html": {"page": LayerGraphPage},
    "paper.html": {"page": PaperPage},
    "paths.html": {"page": PathsPage},
    "activations.html": {"page": ActivationsPage},
    "glossary.html": {"page": GlossaryPage},
    "style.html": {"page": StyleGuide},
    "_error.html": {"page": ErrorPage},
    "error.html": {"page": ErrorPage},
    "_fragment.html": {"page": StepPage},
    "_step.html": {"page": StepPage},
    "_panels.html": {"panels": Panels},
    "step.html": {"panels": Panels},
    "training.html": {"page": TrainingPage},
    "_training_run.html": {"page": TrainingPage},
    "_training_moment.html": {"page": TrainingPage},
    "formula.html": {"page": FormulaPage},
    "accumulation.html": {"page": AccumulationPage},
    "share.html": {"page": SharePage},
    "qr.html": {"page": SharePage},
    "embed_error.html": {"page": ErrorPage},
}
GIVEN = {
    "asset",
    "title",
    "fragment",
    "url_for",
    "request",
    "config",
    "g",
    "session",
    "get_flashed_messages",
}
"""What templates may know beside their page."""


LANGUAGE = {"items", "index0", "last", "partition"}
"""What Jinja's loops and words of text bring themselves."""


def tree(name: str) -> nodes.Template:
    return tutor().jinja_env.parse((FOLDER / name).read_text(encoding="utf-8"))


def has(kind: Any, name: str) -> bool:
    return name in {f.name for f in fields(kind)} or isinstance(getattr(kind, name, None), property)


def reached(kind: Any, above: frozenset[Any] = frozenset()) -> frozenset[Any]:
    """All dataclasses that a page is made of."""
    found = above | {kind}
    for hint in get_type_hints(kind).values():
        for part in _parts(hint):
            if isinstance(part, type) and is_dataclass(part) and part not in found:
                found = reached(part, found)
    return found


def _parts(hint: Any) -> list[Any]:
    return [hint, *(part for argument in get_args(hint) for part in _parts(argument))]


@pytest.mark.parametrize("name", PAGES)
def test_a_template_takes_from_its_page_what_the_page_has(name: str) -> None:
    for access in tree(name).find_all(nodes.Getattr):
        if isinstance(access.node, nodes.Name) and access.node.name in PAGES[name]:
            kind = PAGES[name][access.node.name]
            assert has(kind, access.attr), (
                f"{name}:{access.lineno}: {kind.__name__} has no {access.attr}"
            )


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_names_no_part_that_no_page_has(name: str) -> None:
    kinds = {part for pages in PAGES.values() for kind in pages.values() for part in reached(kind)}
    for access in tree(name).find_all(nodes.Getattr):
        assert any(has(kind, access.attr) for kind in kinds) or access.attr in LANGUAGE, (
            f"{name}:{access.lineno}: {access.attr}"
        )


@pytest.mark.parametrize(
    "kind", sorted({kind for pages in PAGES.values() for kind in pages.values()}, key=str)
)
def test_everything_on_a_page_is_used_by_a_template_or_by_its_own_properties(kind: type) -> None:
    accessed = {access.attr for name in TEMPLATES for access in tree(name).find_all(nodes.Getattr)}
    accessed |= {
        word
        for p in vars(kind).values()
        if isinstance(p, property) and p.fget
        for word in p.fget.__code__.co_names
    }
    for part in reached(kind):
        if part.__module__ in {
            kind.__module__,
            "tutor.pages.outline",
            "tutor.pages.tables",
            "tutor.pages.cells",
        }:
            assert {f.name for f in fields(part)} - accessed <= ALLOWED, part


ALLOWED = {
    "grain",  # of StepPage: for whoever exports a step, and for tests
    "course",  # of StepPage: the same
    "uses", "makes",  # of Formula: marked in tables and diagram
    "asked", "z",  # of ActivationsPage and its cards: what the query came to
}  # fmt: skip


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_knows_nothing_but_its_page(name: str) -> None:
    parsed = tree(name)
    macros = {macro.name for macro in parsed.find_all(nodes.Macro)}
    macros |= {str(macro) for part in parsed.find_all(nodes.FromImport) for macro in part.names}
    assert meta.find_undeclared_variables(parsed) - macros <= set(PAGES.get(name, {})) | GIVEN


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_has_no_script_no_style_and_no_way_around_the_escaping(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert name.endswith(".html")
    assert not re.search(
        r"\son[a-z]+\s*=|\sstyle\s*=|javascript:|<style|\|\s*safe|autoescape|\bMarkup\b|hx-on|hx-vals=.js:",
        text,
    )
    assert re.findall(r"<script[^>]*>(.*?)</script>", text, re.DOTALL) == [""] * text.count(
        "<script"
    )
    assert not re.search(r"(href|src|action)\s*=\s*\"?https?:", text)
    assert not re.search(r"\w=\{\{", text), "an attribute without quotes can be ended by a space"


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_computes_nothing(name: str) -> None:
    for kind in (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.Mod, nodes.Pow):
        assert not list(tree(name).find_all(kind))


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_htmx_link_repeats_its_address_and_has_an_id(name: str) -> None:
    for tag in re.findall(
        r"<[a-z][^<>]*\shx-get=[^<>]*>", (FOLDER / name).read_text(encoding="utf-8")
    ):
        href, target = re.search(r'\shref="([^"]*)"', tag), re.search(r'\shx-get="([^"]*)"', tag)
        assert href
        assert target
        assert href[1] == target[1]
        assert " id=" in tag


def test_a_name_that_is_not_there_is_an_error() -> None:
    assert issubclass(tutor().jinja_env.undefined, jinja2.StrictUndefined)
    assert tutor().jinja_env.autoescape


def test_every_page_class_is_documented() -> None:
    for pages in PAGES.values():
        for kind in pages.values():
            for part in reached(kind):
                if part.__module__.startswith("tutor."):
                    assert part.__doc__
                    assert not part.__doc__.startswith(f"{part.__name__}("), (
                        f"{part.__name__} has no docstring"
                    )
                    assert part.__dataclass_params__.frozen


def test_every_template_is_listed_here() -> None:
    of_their_own = {
        name for name in TEMPLATES if "page." not in (FOLDER / name).read_text(encoding="utf-8")
    }
    assert set(TEMPLATES) - set(PAGES) <= of_their_own, (
        "a template with a page has to say which: add it to PAGES"
    )
    assert set(PAGES) <= set(TEMPLATES)
