"""The file of a formula to step through: whole, small, and at every step what the page draws."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import create_app
from tests.htmltree import Page, read
from tests.test_graph_pages import ARRAYS, FILES, large
from tests.test_worked import OF_THE_FILE, drawn, hash_of, needs_nothing_else, networks, seen_step
from tutor.draw.graph_layout import MOST_DRAWN
from tutor.errors import LessonError
from tutor.export.registry import ExportOrder, make, versioned
from tutor.lesson.graph_lesson import GraphLesson, open_graph
from tutor.pages.graph_context import GraphContext
from tutor.pages.graph_step import graph_step_page
from tutor.pages.graph_view import GraphView
from tutor.scenario import reader
from tutor.scenario.reader import GraphScenario

ROOT = Path(__file__).parents[1]
MOST_BYTES, STEPS = 340_000, 79
"""How large the file of the deck lesson may be, and how many steps it has."""


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(ROOT / "scenarios").test_client()


def opened(text: str) -> GraphLesson:
    found = reader.parse(text, "own.yaml")
    assert isinstance(found, GraphScenario)
    return open_graph(found)


def shipped(file: Path) -> GraphLesson:
    return opened(file.read_text(encoding="utf-8"))


def written(
    lesson: GraphLesson, view: GraphView = GraphView(), order: ExportOrder = ExportOrder()  # noqa: B008 - frozen
) -> str:  # fmt: skip
    return "".join(make(lesson, "interactive", view, order).chunks)


def draws_what_its_pages_draw(file: Page, context: GraphContext, every: int = 1) -> None:
    figures = networks(file)
    for n in range(1, len(context.walk) + 1, every):
        page = read(str(graph_step_page(context, n).diagram))
        assert seen_step(figures[context.walk.phase(n)], n) == drawn(page.root.one("svg")), n


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_lesson_becomes_one_small_whole_file(file: Path) -> None:
    lesson, view = shipped(file), GraphView()
    text = written(lesson)
    page, context = read(text), GraphContext(lesson, view)
    assert len(text.encode()) <= MOST_BYTES * max(1, len(context.walk) / STEPS)
    assert set(page.problems) <= OF_THE_FILE | {"<script> directly in <body>"}
    needs_nothing_else(page)
    steps = [step.attributes["id"] for step in page.root.all("article", cls="step")]
    assert steps == [f"step-{n}" for n in range(1, len(context.walk) + 1)]
    leads = [a.attributes["href"][1:] for a in page.root.one("nav", cls="toc").all("a")]
    assert leads[0] == "step-1"
    assert set(leads) <= set(steps)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_draws_at_every_step_what_the_page_draws(file: Path) -> None:
    lesson, view = shipped(file), GraphView(grain="layer")
    draws_what_its_pages_draw(read(written(lesson, view)), GraphContext(lesson, view))


@pytest.mark.parametrize("view", [GraphView(), GraphView("pass"), GraphView(decimals=7)])
def test_arrays_are_drawn_as_on_their_pages(view: GraphView) -> None:
    lesson = opened(ARRAYS)
    draws_what_its_pages_draw(read(written(lesson, view)), GraphContext(lesson, view))


def test_of_a_large_graph_each_step_has_the_part_that_its_page_has() -> None:
    lesson, view = opened(large(70)), GraphView()
    file, context = read(written(lesson, view)), GraphContext(lesson, view)
    assert len(context.graph.nodes) > MOST_DRAWN
    draws_what_its_pages_draw(file, context, every=9)


def test_a_version_has_its_own_numbers() -> None:
    lesson, view = shipped(FILES[3]), GraphView(decimals=2)
    order = ExportOrder(seed=7, version=2)
    text = written(lesson, view, order)
    assert "version 2 of seed 7" in text
    other = versioned(lesson, view, order)
    assert isinstance(other, GraphLesson)
    draws_what_its_pages_draw(read(text), GraphContext(other, view))


@pytest.mark.parametrize("text", [ARRAYS, FILES[0].read_text(encoding="utf-8")])
@pytest.mark.parametrize("grain", ["number", "layer", "pass"])
def test_every_number_that_a_step_makes_is_in_the_table_beside_it(text: str, grain: str) -> None:
    page = read(written(opened(text), GraphView(grain=grain)))
    for phase in page.root.all("section", cls="phase"):
        cells = [td.attributes.get("data-q") for td in phase.one("div", cls="end").all("td")]
        for step in phase.all("article", cls="step"):
            made = step.attributes["data-makes"].split()
            assert made
            assert {cells.count(name) for name in made} == {1}


def test_without_a_script_each_phase_is_seen_at_its_end() -> None:
    page = read(written(shipped(FILES[1])))
    for phase in page.root.all("section", cls="phase"):
        svg = phase.one("svg")
        seen = [e for e in svg.elements if "data-on" in e.attributes or "data-at" not in e.attributes]  # fmt: skip
        assert not [e for e in seen if e.classes & {"uses", "makes"}]
        assert svg.one("desc").text == (
            f"The graph after the phase: {phase.one('h2').text.lower()}"
        )


def test_its_policy_allows_its_own_style_and_script_alone() -> None:
    page = read(written(shipped(FILES[0])))
    (policy,) = (
        m.attributes["content"] for m in page.root.all("meta")
        if m.attributes.get("http-equiv") == "Content-Security-Policy"
    )  # fmt: skip
    for kind in ("style", "script"):
        assert f"{kind}-src {hash_of(page.root.one(kind).text)};" in policy
    assert "unsafe" not in policy


def test_of_some_phases_the_contents_name_only_those() -> None:
    page = read(written(shipped(FILES[0]), order=ExportOrder(phases=("backward",))))
    assert [s.attributes["id"] for s in page.root.all("section", cls="phase")] == ["backward"]
    needs_nothing_else(page)
    assert "Forward" not in page.root.one("nav", cls="toc").text


def test_too_many_steps_are_refused_before_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tutor.export.worked.MOST_STEPS", 5)
    with pytest.raises(LessonError, match="a file has at most 5"):
        written(shipped(FILES[0]))


@pytest.mark.parametrize(
    "address",
    [
        "/lessons/sum-times/export/interactive?x=3&grain=layer",
        "/formula/export/interactive?expression=(x%2By)*z&x=-2&y=5&z=-4",
        "/formula/export/interactive?expression=(x%2By)*z&x=-2&y=5&z=-4&seed=7&version=2",
    ],
)
def test_it_is_a_download_of_lessons_and_of_typed_formulas(
    client: FlaskClient, address: str
) -> None:
    answer = client.get(address)
    assert answer.status_code == 200
    assert "interactive" in answer.headers["Content-Disposition"]
    assert len(list(read(answer.text).root.all("article", cls="step"))) == 7
    offer = client.get(address.replace("/interactive?", "?kind=interactive&"))
    assert "to step through" in offer.text
