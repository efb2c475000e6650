"""A worked solution is one file that needs nothing beside itself, says every number, and keeps the
open ones to itself.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import Any

import numpy as np
import pytest

from tests.htmltree import Element, Page, read
from tests.visiting import NAMES, SATURATED, WALKS, context, deep_network, scenario, steps
from tutor import budget, limits, number
from tutor.engine.kinds import PHASES, phases_of
from tutor.engine.quantity import Quantity, parse
from tutor.engine.run import Run, loss_on, outputs
from tutor.errors import LessonError
from tutor.export.rendering import css_string
from tutor.export.worked import Sheet, blanked, worked
from tutor.lesson.explain import ROUNDED
from tutor.lesson.running import Running
from tutor.lesson.setup import training
from tutor.lesson.variants import variants
from tutor.lesson.walk import GRAINS, open_lesson
from tutor.notation.conventions import PRESETS
from tutor.pages import training_surface
from tutor.pages.context import Context
from tutor.pages.step_body import step_body
from tutor.pages.step_page import step_page
from tutor.pages.training_pictures import some, span
from tutor.pages.view import View
from tutor.scenario.model import Lecture
from tutor.scenario.reader import parse as parse_scenario

SIGMOID = "1-2-3-1-sigmoid"
ALWAYS = ("Gradient norm per layer", "Weights and biases")
"""Curves that every training has."""
SURFACE, UNITS = "Loss surface", "What each unit adds"
OF_THE_FILE = {"<style> directly in <head>", "a script with text"}
"""What a page of the server may not have, and a file needs."""


def written(name: str, view: View = View(), **wishes: object) -> str:  # noqa: B008 - frozen
    """The file of a lesson."""
    return "".join(worked(open_lesson(scenario(name), view.iteration), view, Sheet(**wishes)))  # type: ignore[arg-type]


def tree(text: str) -> Page:
    assert text.lstrip().lower().startswith("<!doctype html>")
    return read(text)


def hash_of(text: str) -> str:
    return "'sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


@pytest.mark.parametrize(("name", "grain"), WALKS)
def test_a_worked_solution_is_whole_valid_and_needs_nothing_else(name: str, grain: str) -> None:
    view = View(grain=grain)
    text, opened = written(name, view), context(name, view)
    page = tree(text)
    assert set(page.problems) <= OF_THE_FILE
    steps = list(page.root.all("article", cls="step"))
    assert [step.attributes["id"] for step in steps] == [
        f"step-{n}" for n in range(1, len(opened.walk) + 1)
    ]
    assert [s.attributes["id"] for s in page.root.all("section", cls="phase")] == [
        phase for phase, _, _ in opened.walk.phases()
    ]
    for n, step in enumerate(steps, 1):
        body = step_body(opened, n)
        assert body.title in step.one("h3").text
        assert body.why in " ".join(step.text.split()) or not body.why
        for made in body.makes if grain == "number" else ():
            if (value := shown(opened, made)) is not None:
                assert value in step.text, f"{made} = {value}"
    needs_nothing_else(page)


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize(
    "wishes", [{}, {"interactive": True}, {"blanks": "all"}, {"blanks": "all", "answers": True}]
)
def test_the_loss_of_a_saturated_output_is_explained_in_every_file(
    grain: str, wishes: dict[str, Any]
) -> None:
    text = "".join(
        worked(
            open_lesson(parse_scenario(SATURATED, "saturated.yaml")),
            View(grain=grain),
            Sheet(**wishes),
        )
    )
    step = next(
        step for step in tree(text).root.all("article", cls="step") if ROUNDED.heading in step.text
    )
    assert ROUNDED.text in " ".join(step.text.split())
    assert "log" in step.text.split(ROUNDED.text[-20:])[1]


def test_a_number_that_differs_without_a_word_is_not_said_to_agree() -> None:
    """As in a lesson that was saved when `loss@s` was what a sample adds to the mean."""
    text = SATURATED.replace("[[1]]", "[[0.02], [0.04]]").replace("[[0]]", "[[0], [0]]")
    text += "printed: [{quantity: 'loss@1', value: '0.6566', where: A slide}]\nchecks: [{quantity: 'loss@1', equals: '{loss@1} / 2'}]\n"
    opened = open_lesson(parse_scenario(text, "old.yaml"))
    page = tree("".join(worked(opened, View(), Sheet(phases=("loss",)))))
    (entry,) = page.root.all("li", cls="differs")
    assert "agrees" not in entry.text
    assert "0.6566" in entry.text
    (form,) = page.root.all("p", cls="differs")
    assert opened.trace.sample_losses("loss")[0] == pytest.approx(2 * 0.6566, abs=1e-4)
    assert "0.6566" in form.text


def shown(opened: Context, q: Quantity) -> str | None:
    """A number as its page shows it; None where the walk stops before."""
    try:
        return number.shown(opened.trace.value(q), opened.decimals)
    except KeyError:
        return None


def needs_nothing_else(page: Page) -> None:
    """Every link leads to a place in the file; nothing is loaded."""
    ids = {e.attributes["id"] for e in page.root.all() if "id" in e.attributes}
    for element in page.root.all():
        assert not {"src", "srcset", "action", "hx-get", "data"} & element.attributes.keys()
        if (href := element.attributes.get("href")) is not None:
            assert href.startswith("#")
            assert href[1:] in ids
    assert not list(page.root.all("link", "img", "iframe", "object", "embed", "form"))
    style = page.root.one("style").text
    assert not re.search(r"@import|url\((?!\"data:font/woff2;base64,)", style)


@pytest.mark.parametrize("interactive", [False, True])
def test_the_policy_allows_its_own_style_and_script_and_nothing_else(interactive: bool) -> None:
    page = tree(written(SIGMOID, interactive=interactive))
    metas = [m.attributes for m in page.root.all("meta")]
    policy = next(m["content"] for m in metas if m.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["style-src"] == hash_of(page.root.one("style").text)
    scripts = list(page.root.all("script"))
    assert rules["script-src"] == (hash_of(scripts[0].text) if interactive else "'none'")
    assert len(scripts) == int(interactive)
    assert "unsafe" not in policy
    assert "http" not in policy


def test_the_file_of_the_deck_lesson_is_small_enough() -> None:
    assert len(written(SIGMOID).encode()) <= 250_000


def test_the_file_names_its_source_and_has_contents_given_values_tables_update_and_verification() -> (
    None
):
    page = tree(written(SIGMOID, address="http://localhost/lessons/1"))
    made = page.root.one("p", cls="made").text
    assert SIGMOID in made
    assert "Backprop Tutor" in made
    assert "http://localhost/lessons/1" in made
    assert len(list(page.root.one("nav", cls="toc").all("a"))) > 5
    assert list(page.root.one("section", cls="given").all("table"))
    for phase in phases_of(scaled=False):
        assert list(page.root.one("section", cls="phase", id=phase).all("table")), phase


@pytest.mark.parametrize("name", NAMES)
def test_every_slip_of_the_slides_is_said(name: str) -> None:
    text = " ".join(tree(written(name)).root.text.split())
    for entry in scenario(name).printed:
        if entry.slip or entry.left_open:
            assert " ".join((entry.slip or entry.left_open or "").split()) in text


def test_what_is_worth_knowing_stands_apart_from_the_slides_and_not_on_a_worksheet() -> None:
    boxes = list(tree(written("3-4-2-regression")).root.all("div", cls="worth"))
    notes = [note for note in scenario("3-4-2-regression").notes if not note.about_slides]
    assert [(box.one("h4").text, box.one("p").text) for box in boxes] == [
        ("Worth knowing", note.text) for note in notes
    ]
    for answers in (False, True):
        assert not list(
            tree(written("3-4-2-regression", blanks="all", answers=answers)).root.all(
                "div", cls="worth"
            )
        )


def test_phases_notation_and_decimals_are_a_choice() -> None:
    page = tree(written(SIGMOID, phases=("forward", "loss")))
    assert [s.attributes["id"] for s in page.root.all("section", cls="phase")] == [
        "forward",
        "loss",
    ]
    needs_nothing_else(page)
    assert len({written(SIGMOID, View(notation=preset)) for preset in PRESETS}) == len(PRESETS)
    z = Quantity("z", 1, 1)
    for decimals in (2, 6):
        opened = context(SIGMOID, View(decimals=decimals))
        assert (
            number.shown(opened.trace.value(z), decimals)
            in tree(written(SIGMOID, View(decimals=decimals))).root.text
        )


def test_a_file_of_too_many_steps_is_refused_before_it_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tutor.export.worked.MOST_STEPS", 20)
    with pytest.raises(LessonError, match="a file has at most 20"):
        written(SIGMOID)


PAYLOADS = [
    *(f"<{tag}>alert(1)</{tag}>" for tag in ("script", "style", "title", "textarea", "xmp", "svg", "math", "noscript",
                                            "iframe", "template")),
    *(f'"><img src=x on{event}=alert(1)>' for event in ("error", "load", "click", "focus", "toggle", "wheel", "input", "copy")),
    *(f"{end}<script>alert(1)</script>" for end in ("</style>", "</title>", "-->", "]]>", "</script>", "</svg>", "</math>", '"', "'", "`")),
    '"; } body { display: none } @import "http://x.example/', "\\", "\\22", "*/ body{}", "a\u2028b", "{{ 7*7 }}", "{% raw %}",
    "javascript:alert(1)", "&lt;b&gt;", "&#60;script&#62;", "\u202egnp", "<!--",
]  # fmt: skip


def test_there_are_forty_hostile_texts() -> None:
    assert len(PAYLOADS) == 40


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_hostile_text_is_shown_and_not_obeyed(payload: str) -> None:
    plain = scenario("linear-sigmoid")
    hostile = replace(
        plain,
        title=payload,
        course=payload,
        about=payload,
        lecture=Lecture.model_construct(deck=payload),
    )
    lesson = open_lesson(hostile)
    page = tree(
        "".join(
            worked(
                lesson,
                View(grain="pass"),
                Sheet(phases=("loss",), address=payload, version=payload),
            )
        )
    )
    assert set(page.problems) <= OF_THE_FILE
    assert page.root.one("h1").text == payload
    assert page.root.one("p", cls="where").text == f"{payload} · {payload}"
    assert not list(page.root.all("script", "img", "iframe"))
    assert css_string(payload)[1:-1].replace("\\", "").isalnum() or not payload.isascii()
    assert "7*7" in page.root.text or "7*7" not in payload


# ---- worksheets ----


def labelled(element: Element) -> str:
    """All that can be read or heard of an element."""
    names = [e.attributes.get("aria-label", "") for e in element.all()]
    return " ".join(" ".join([element.text, *names]).split())


def numbers_in(text: str) -> set[str]:
    return set(re.findall(r"\d+\.\d+", text.replace("minus ", "").replace("−", "")))


def open_ones(name: str, view: View, blanks: str) -> dict[str, str]:
    """The quantities left open whose shown digits are neither given nor shown for another, closed
    quantity.
    """
    opened = context(name, view)
    hidden = blanked(opened.walk, blanks)
    assert hidden is not None
    texts = {q: shown(opened, q) for q in opened.walk.order if opened.step_of(q) > 0}
    digits = {q: text.lstrip("−") for q, text in texts.items() if text is not None}
    closed = {text for q, text in digits.items() if not hidden(q)}
    shown_otherwise = closed | given_numbers(name, view)
    return {
        str(q): text
        for q, text in digits.items()
        if hidden(q) and len(text) > 5 and text not in shown_otherwise
    }


@cache
def given_numbers(name: str, view: View) -> set[str]:
    """The numbers in the part of a worked solution that says what is given."""
    return numbers_in(labelled(read(written(name, view)).root.one("section", cls="given")))


@pytest.mark.parametrize("blanks", ["all", "forward", "backward", "update", "every:3"])
@pytest.mark.parametrize("name", NAMES)
def test_a_worksheet_gives_no_open_number_away(name: str, blanks: str) -> None:
    view = View(decimals=7)
    page = tree(written(name, view, blanks=blanks))
    assert set(page.problems) <= OF_THE_FILE
    told = numbers_in(labelled(page.root.one("body")))
    leaks = {q: text for q, text in open_ones(name, view, blanks).items() if text in told}
    assert leaks == {}
    assert bool(list(page.root.all("div", cls="room"))) == bool(
        list(page.root.all("article", cls="open"))
    )
    assert all(
        list(step.all("mtext", cls="blank"))
        for step in page.root.all("article", cls="open")
        if name != "perceptron-step"
    )


@pytest.mark.parametrize("blanks", ["all", "backward", "every:3"])
def test_the_key_has_exactly_the_answers_and_the_mark_of_its_sheet(blanks: str) -> None:
    sheet, key = (
        tree(written(SIGMOID, blanks=blanks, answers=answers)) for answers in (False, True)
    )
    open_steps = {s.attributes["id"] for s in sheet.root.all("article", cls="open")}
    assert {s.attributes["id"] for s in key.root.all("article", cls="answer")} == open_steps
    assert not list(key.root.all("mtext", cls="blank"))
    assert not list(key.root.all("div", cls="room"))
    opened = context(SIGMOID)
    for step in key.root.all("article", cls="answer"):
        q = opened.walk.anchor(int(step.attributes["id"].removeprefix("step-")))
        assert number.shown(opened.trace.value(q), opened.decimals) in step.text
    assert mark(sheet) == mark(key)


@pytest.mark.parametrize(
    ("name", "grain"),
    [*((name, "number") for name in NAMES), (SIGMOID, "layer"), ("3-2-3-softmax", "pass")],
)
@pytest.mark.parametrize("blanks", ["all", "every:3"])
def test_the_key_boxes_what_the_sheet_leaves_open_and_nothing_else(
    name: str, grain: str, blanks: str
) -> None:
    sheet, key = (
        tree(written(name, View(grain=grain), blanks=blanks, answers=answers))
        for answers in (False, True)
    )
    boxes = [e for e in key.root.all(cls="answer") if e.tag != "article"]
    never = Counter(place(e) for e in key.root.all("td", cls="todo")) - Counter(
        place(e) for e in sheet.root.all("td", cls="todo")
    )
    assert Counter(map(place, boxes)) + never == Counter(
        place(e) for e in sheet.root.all("mtext", "td", cls="blank")
    )
    assert never.total() == int(name == "perceptron-step" and blanks != "every:3"), (
        "where a walk ends early, its last cell has no number"
    )
    assert all(box.text and box.tag in {"mn", "mrow", "td"} for box in boxes)


def place(element: Element) -> str:
    """The step that a number belongs to; its phase where it stands in the tables at the end."""
    return next(e.attributes["id"] for e in element.above() if "id" in e.attributes)


def test_a_worked_solution_boxes_nothing() -> None:
    assert not list(tree(written(SIGMOID)).root.all(cls="answer"))


def mark(page: Page) -> str:
    found = re.search(r"sheet ([0-9a-f]{8})", page.root.one("header").text)
    assert found
    return found[1]


def test_each_sheet_has_a_mark_of_its_own() -> None:
    sheets = [{"blanks": "all"}, {"blanks": "backward"}, {"blanks": "every:3"}, {"blanks": "all", "version": "version 1 of seed 7"},
              {"blanks": "all", "version": "version 2 of seed 7"}, {"blanks": "all", "version": "version 1 of seed 8"}]  # fmt: skip
    assert len({mark(tree(written("linear-sigmoid", **sheet))) for sheet in sheets}) == len(sheets)


@pytest.mark.parametrize("name", [SIGMOID, "3-2-3-softmax"])
def test_versions_of_ten_seeds_become_sheets_of_their_own(name: str) -> None:
    marks = set()
    for seed in range(10):
        version = variants(scenario(name), 1, seed)[0]
        page = tree(
            "".join(
                worked(
                    open_lesson(version),
                    View(grain="layer"),
                    Sheet(blanks="all", version=f"version 1 of seed {seed}"),
                )
            )
        )
        assert set(page.problems) <= OF_THE_FILE
        assert f"seed {seed}" in page.root.one("p", cls="made").text
        marks.add(mark(page))
    assert len(marks) == 10


@pytest.mark.parametrize(
    "blanks", ["some", "every", "every:0", "every:100", "every:x", "every:²", "ALL", "<b>"]
)
def test_blanks_that_cannot_be_read_are_said(blanks: str) -> None:
    with pytest.raises(LessonError, match="blanks can be all"):
        written(SIGMOID, blanks=blanks)


def test_the_file_comes_piece_by_piece() -> None:
    lesson = open_lesson(scenario(SIGMOID))
    pieces = worked(lesson, View(), Sheet())
    first = list(islice(pieces, 3))
    assert first[0].rstrip().endswith(("</nav>", "</section>"))
    assert 'id="step-1"' in first[2]
    assert 'id="step-2"' not in first[2]


@pytest.mark.parametrize(
    "wishes", [{}, {"interactive": True}, {"blanks": "all"}, {"blanks": "all", "answers": True}]
)
def test_in_a_file_of_phases_every_matrix_of_every_layer_is_there_and_unfolded(
    wishes: dict[str, object],
) -> None:
    view = View(grain="pass")
    lesson = open_lesson(deep_network(6))
    page = tree("".join(worked(lesson, view, Sheet(**wishes))))  # type: ignore[arg-type]
    assert set(page.problems) <= {*OF_THE_FILE, "<script> directly in <body>"}
    assert len(list(page.root.all("div", cls="formula"))) == len(lesson.walk("layer"))
    parts = list(page.root.all("details", cls="layer"))
    assert len(parts) == 4 * 6 + 1
    assert all("open" in part.attributes for part in parts)


def test_the_tables_at_the_end_of_a_phase_have_every_layer() -> None:
    for preset in ("brackets", "letters"):
        page = tree(
            "".join(
                worked(open_lesson(deep_network(14)), View(grain="layer", notation=preset), Sheet())
            )
        )
        for phase in ("forward", "backward", "update", "verify"):
            cells = page.root.one("section", cls="phase", id=phase).one("div", cls="end").all("td")
            layers = {
                parse(cell.attributes["data-q"]).layer
                for cell in cells
                if cell.attributes.get("data-q")
            }
            assert layers >= set(range(1, 15)), (preset, phase)


def test_a_file_says_that_numbers_which_agree_are_not_named() -> None:
    assert (
        "Where a number on the slides differs, the step says so"
        in tree(written(SIGMOID)).root.one("p", cls="made").text
    )
    assert (
        "Where a number on the slides differs, the step says so"
        not in tree(written("perceptron-step")).root.one("p", cls="made").text
    )
    assert (
        "Where a number on the slides differs, the step says so"
        not in tree(written(SIGMOID, blanks="all")).root.one("p", cls="made").text
    )


# ---- the diagrams of a stepper ----

Drawn = list[tuple[str, dict[str, str], str]]
"""What is seen of a drawing: the elements in their order, with their attributes and their text."""


def drawn(svg: Element, n: int = 0) -> Drawn:
    """What is seen of a drawing, of a picture of many steps at step n; without its description,
    which is heard.
    """
    marks = [e for e in (svg, *svg.elements) if e.tag != "desc" and seen_at(e, n)]
    return [
        (
            e.tag,
            {k: v for k, v in e.attributes.items() if k not in {"data-at", "data-on"}},
            inside(e),
        )
        for e in marks
    ]


def inside(element: Element) -> str:
    """All that is written in an element, with the marks of the parts; nothing of the picture as a
    whole.
    """
    if element.tag == "svg":
        return ""
    return repr(
        [
            child if isinstance(child, str) else (child.attributes, inside(child))
            for child in element.children
        ]
    )


def seen_at(element: Element, n: int) -> bool:
    ranges = [part.partition("-") for part in element.attributes.get("data-at", "").split()]
    return not ranges or any(int(first) <= n <= int(last or first) for first, _, last in ranges)


def networks(file: Page) -> dict[str, Element]:
    """The drawings of a stepper, by phase."""
    sections = file.root.all("section", cls="phase")
    return {section.attributes["id"]: section.one("figure", cls="network") for section in sections}


def seen_step(figure: Element, n: int) -> Drawn:
    """What a stepper draws at a step."""
    (svg,) = (svg for svg in figure.elements if seen_at(svg, n))
    return drawn(svg, n)


@pytest.mark.parametrize(
    ("name", "preset"),
    [
        *((name, "") for name in NAMES),
        *((name, preset) for name in (SIGMOID, "3-2-3-softmax") for preset in PRESETS),
    ],
)
def test_a_stepper_draws_at_every_step_what_its_page_draws(name: str, preset: str) -> None:
    view = View(notation="" if context(name).notation.preset == preset else preset)
    figures = networks(tree(written(name, view, interactive=True)))
    opened = context(name, view)
    for n, page in steps(name, view):
        assert seen_step(figures[opened.walk.phase(n)], n) == drawn(
            read(str(page.diagram)).root.one("svg")
        ), n


@pytest.mark.parametrize("grain", ["layer", "pass"])
def test_a_stepper_draws_what_its_page_draws_in_every_grain(grain: str) -> None:
    view = View(grain=grain, decimals=6)
    for name in (SIGMOID, "linear-regression", "perceptron-step"):
        figures = networks(tree(written(name, view, interactive=True)))
        for n, page in steps(name, view):
            phase = context(name, view).walk.phase(n)
            assert seen_step(figures[phase], n) == drawn(read(str(page.diagram)).root.one("svg")), (
                name,
                n,
            )


def test_drawings_with_several_layouts_are_several_pictures_of_which_one_is_seen() -> None:
    lesson = open_lesson(deep_network(8))
    page = tree("".join(worked(lesson, View(grain="layer"), Sheet(interactive=True))))
    opened, figures = Context(lesson, View(grain="layer")), networks(page)
    pictures = 0
    for n in range(1, len(opened.walk) + 1):
        assert seen_step(figures[opened.walk.phase(n)], n) == drawn(
            read(str(step_page(opened, n).diagram)).root.one("svg")
        ), n
    for figure in (end.one("figure") for end in page.root.all("div", cls="end")):
        pictures += len(figure.elements)
        assert (
            sum(
                "data-on" in svg.attributes or "data-at" not in svg.attributes
                for svg in figure.elements
            )
            == 1
        )
    assert pictures > len(PHASES)


@pytest.mark.parametrize("phase", phases_of(scaled=False))
def test_without_a_script_a_stepper_shows_each_phase_at_its_end(phase: str) -> None:
    file, plain = tree(written(SIGMOID, interactive=True)), tree(written(SIGMOID))
    figure = file.root.one("section", cls="phase", id=phase).one("figure", cls="network")
    seen = [
        e
        for e in figure.one("svg").elements
        if "data-on" in e.attributes or "data-at" not in e.attributes
    ]
    assert not [e for e in seen if e.classes & {"uses", "makes"}]
    if phase == "backward":
        kept = (
            plain.root.one("section", cls="phase", id=phase).one("figure", cls="network").one("svg")
        )
        assert [inside(e) for e in seen] == [inside(e) for e in kept.elements]


def test_the_stepper_of_the_deck_lesson_stays_small() -> None:
    assert len(written(SIGMOID, interactive=True).encode()) <= 340_000


def test_names_on_a_step_are_quantities() -> None:
    page = tree(written(SIGMOID, interactive=True))
    for step in page.root.all("article", cls="step"):
        assert step.attributes["data-makes"]
        for name in f"{step.attributes['data-uses']} {step.attributes['data-makes']}".split():
            assert str(parse(name)) == name


# ---- the training of a lesson that trains ----


def trained(name: str, **wishes: object) -> Element | None:
    """The section of a training in a file of a lesson."""
    page = tree(written(name, View(grain="pass"), **wishes))
    assert set(page.problems) <= OF_THE_FILE | {"<script> directly in <body>"}
    needs_nothing_else(page)
    return next(page.root.all("section", cls="trained"), None)


@pytest.mark.parametrize(
    ("name", "headings"),
    [
        (
            "circle-averaged",
            ["Loss", "Accuracy", *ALWAYS, "Decision boundary", "Activations", SURFACE],
        ),
        ("overfitting", ["Loss", *ALWAYS, "Fitted curve", UNITS, "Activations", SURFACE]),
        ("stochastic-descent", ["Loss", "Accuracy", *ALWAYS, "Activations", SURFACE]),
        ("perceptron-separable", ["Loss", "Accuracy", *ALWAYS, "Decision boundary", SURFACE]),
    ],
)
def test_a_lesson_that_trains_has_its_curves_in_the_file(name: str, headings: list[str]) -> None:
    section = trained(name, interactive=name == "overfitting")
    assert section is not None
    figures = list(section.all("section", cls="plot"))
    assert [figure.one("h3").text for figure in figures] == headings
    for figure in figures:
        svg = next(svg for svg in figure.all("svg") if "role" in svg.attributes)
        assert svg.attributes["role"] == "img", "no links in it"
        assert svg.one("desc").text
    captions = [table.one("caption").text for table in section.all("table")]
    assert captions[0] == "Some iterations"
    one = {"Decision boundary", "Fitted curve", UNITS, "Activations"}
    assert len(captions) == 1 + len({*headings} & one) + 2 * (SURFACE in headings)


@pytest.mark.parametrize("name", ["relu-tower", "relu-tower-sum", "overfitting"])
def test_what_each_unit_adds_in_a_file_adds_up_to_the_network(name: str) -> None:
    section = trained(name)
    assert section is not None
    (table,) = (t for t in section.all("table") if "What each unit" in t.one("caption").text)
    run = Running(scenario(name)).run
    run.record(scenario(name).training.iterations)
    network = run.parameters(run.length + 1)
    heads = [head.text for head in table.one("thead").all("th")]
    units = [f"Unit {n}" for n in range(1, network.sizes[-2] + 1)]
    bias = ["Bias"] * (network.layers[-1].biases is not None)
    assert heads == ["x", "The network", *units, *bias]
    assert {head.attributes["scope"] for head in table.one("thead").all("th")} == {"col"}
    rows = list(table.one("tbody").all("tr"))
    places = some(np.linspace(*span(run.training.x), 161).tolist(), 24)
    for row, x in zip(rows, places, strict=True):
        assert row.one("th").attributes["scope"] == "row"
        texts = [cell.text for cell in row.all("th", "td")]
        own = outputs(network, np.array([[x]]), run.training.y).item()
        assert texts[:2] == [number.shown(x, 4), number.shown(own, 4)]
        each = [float(text.replace("−", "-")) for text in texts[2:]]
        assert own == pytest.approx(sum(each), abs=1e-4 * len(texts) + 1e-3 * max(map(abs, each)))


def test_the_loss_surface_of_a_file_has_its_numbers() -> None:
    section = trained("overfitting")
    assert section is not None
    *_, heights, path = section.all("table")
    first, second = "w 1 1 of layer 1", "w 3 of layer 2"
    over = f"over {first} (across) and {second} (up)"
    assert f"{over}, at 25 of the 441" in heights.one("caption").text
    run = Running(scenario("overfitting")).run
    run.record(1_000)
    rows = [[cell.text for cell in row.all("td")] for row in path.one("tbody").all("tr")]
    done = [int(row.one("th").text.replace(",", "")) for row in path.one("tbody").all("tr")]
    assert (done[0], done[-1]) == (0, 1_000)
    for n, row in zip(done, rows, strict=True):
        network = run.parameters(n + 1)
        x, y = run.training.x, run.training.y
        assert row[-1] == number.shown(loss_on(network, x, y), 4)


def test_a_surface_that_takes_too_long_is_in_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_surface, "MOST_WORK", 1000)
    section = trained("overfitting")
    assert section is not None
    assert SURFACE not in [heading.text for heading in section.all("h3")]


def test_the_numbers_of_a_training_in_a_file_are_those_of_its_run() -> None:
    section = trained("circle-averaged")
    assert section is not None
    own = scenario("circle-averaged")
    run = Run(training(own))
    run.record(own.training.iterations)
    table = next(section.all("table"))
    rows = [[cell.text for cell in row.all("th", "td")] for row in table.all("tr")]
    assert rows[0][:3] == ["Iteration", "Loss", "Accuracy"]
    assert rows[-1][0] == "1,000"
    for n, loss, *_ in rows[1:]:
        assert loss == number.shown(run.losses[int(n.replace(",", "")) - 1], 4)


def test_the_losses_on_other_sets_are_in_the_file() -> None:
    section = trained("overfitting")
    assert section is not None
    heads = [head.text for head in next(section.all("table")).all("th")]
    assert {"Loss on the validation set", "Loss on the test set"} <= set(heads)
    assert "Loss on the validation set" in next(section.all("section", cls="plot")).text


def test_a_file_that_is_no_whole_solution_has_no_training() -> None:
    for wishes in ({"blanks": "all"}, {"blanks": "all", "answers": True}, {"phases": ("loss",)}):
        assert trained("narrow-valley", **wishes) is None, wishes
    assert trained(SIGMOID) is None, "one iteration"


def test_a_training_that_is_too_long_for_a_download_says_how_to_have_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "TRAINED", 1199)
    whole = trained("narrow-valley")
    assert whole is not None
    assert list(whole.all("svg")), "on the command line there is no limit"
    with budget.Budget(60.0, "This file", "Type: python -m tutor export.").running():
        section = trained("narrow-valley")
        assert section is not None
    assert not list(section.all("svg"))
    text = " ".join(section.text.split())
    assert "is 1,200, and the limit is 1,199. Type: python -m tutor export." in text


def test_a_training_that_explodes_says_where_in_the_file() -> None:
    text = """\
format: 1
title: Too large
network: {inputs: 1, layers: [{units: 1, activation: identity, weights: [[1]], biases: none}], loss: {name: squared_error}}
data: {inputs: [[1]], targets: [[0]]}
training: {learning_rate: 1.0e+60, iterations: 50}
"""
    opened = open_lesson(parse_scenario(text, "large.yaml"))
    section = tree("".join(worked(opened, View(), Sheet()))).root.one("section", cls="trained")
    assert "training explodes" in section.text
    assert "the run stops in iteration 3" in section.text
    assert next(section.all("section", cls="plot")).one("h3").text == "Loss"
