"""Above the lessons: where to start, and one neuron with the numbers of the engine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app import create_app
from tests.htmltree import Element, read
from tests.visiting import get, library, page, scenario
from tutor import number
from tutor.engine.quantity import parse as quantity
from tutor.lesson.walk import open_lesson
from tutor.pages.front import SHOWN

ROOT = Path(__file__).parents[1]
STYLE = (ROOT / "static" / "gallery.css").read_text(encoding="utf-8")
NEURON = """\
format: 1
title: {title}
network:
  inputs: 2
  layers: [{{units: 1, activation: {activation}, weights: [[{weight}, 1]], biases: {biases}{more}}}]
  loss: {{name: squared_error}}
data: {{inputs: {rows}, targets: {targets}}}
training: {{learning_rate: 1}}
"""


def neuron(
    title: str = "N",
    activation: str = "tanh",
    weight: float = 0.25,
    biases: str = "[0]",
    more: str = "",
    samples: int = 1,
) -> str:
    return NEURON.format(
        title=title, activation=activation, weight=weight, biases=biases, more=more,
        rows=[[1, 2]] * samples, targets=[[1]] * samples,
    )  # fmt: skip


def front(folder: Path) -> Element:
    answer = get("/", create_app(folder))
    assert answer.status_code == 200
    made = read(answer.text)
    assert made.problems == []
    return made.root


def numbers(picture: Element) -> dict[str, str]:
    return {part.attributes["data-q"]: part.text for part in picture.all("tspan", "mn", "mrow") if "data-q" in part.attributes}  # fmt: skip


# ---- where to start ----


def test_the_first_lesson_of_the_shelf_is_one_weight_and_the_button_leads_to_its_first_step() -> (
    None
):
    assert [lesson.id for lesson in library().shelf.lessons][:2] == ["one-weight", "one-neuron"]
    (button,) = page("/").root.one("div", cls="hero").all("a")
    assert button.text == "Start with one weight"
    assert button.attributes["href"] == "/lessons/one-weight/steps/1"
    assert get(button.attributes["href"]).status_code == 200


def test_another_shelf_starts_with_its_own_first_lesson(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(neuron("B"), encoding="utf-8")
    (tmp_path / "a.yaml").write_text(neuron("Z"), encoding="utf-8")
    (button,) = front(tmp_path).one("div", cls="hero").all("a")
    assert button.text == "Start with the first lesson"
    assert button.attributes["href"] == "/lessons/b/steps/1"


def test_an_empty_shelf_has_nothing_to_start_with(tmp_path: Path) -> None:
    hero = front(tmp_path).one("div", cls="hero")
    assert not list(hero.all("a", "svg"))


def test_the_groups_go_from_one_weight_to_depth() -> None:
    section, training, graphs, operations = page("/").root.all("section", cls="lecture")
    assert [card.attributes["data-lesson"] for card in operations.all("li", cls="card")] == [
        "identity", "element-wise-sum", "element-wise-difference", "element-wise-product",
        "element-wise-quotient", "matrix-product", "softmax", "convolution", "convolution-2d", "max-pooling",
        "max-pooling-2d", "embedding", "layer-norm", "layer-norm-parts", "recurrent-cell",
        "recurrent-vector", "attention-head",
    ]  # fmt: skip
    assert [card.attributes["data-lesson"] for card in graphs.all("li", cls="card")] == [
        "sum-times", "used-twice", "max-switch", "sigmoid-circuit", "neuron-error",
        "vanishing-product",
    ]  # fmt: skip
    assert [card.attributes["data-lesson"] for card in training.all("li", cls="card")] == [
        "linear-until-converged", "sigmoid-until-converged", "narrow-valley", "valley-momentum",
        "adam-by-hand", "rate-too-large", "stochastic-descent", "batch-descent", "xor",
        "circle-summed", "circle-averaged", "perceptron-separable", "perceptron-inseparable",
        "relu-tower", "relu-tower-sum", "relu-towers", "init-small", "init-large", "init-xavier",
        "init-he", "deep-plain", "deep-residual", "underfitting", "overfitting", "lifestyle-unscaled", "lifestyle-scaled",
        "lifestyle-zeros", "lifestyle-initialisation", "lifestyle-penalty", "lifestyle-dropout", "lifestyle-schedule",
        "lifestyle-clipped", "exploding-clipped",
    ]  # fmt: skip
    assert [heading.text for heading in section.all("h3")] == [
        "Start here", "One unit", "A network by hand", "Deep networks",
    ]  # fmt: skip
    assert [card.attributes["data-lesson"] for card in section.all("li", cls="card")] == [
        "one-weight", "one-neuron", "linear-regression", "linear-sigmoid", "perceptron-step",
        "1-2-3-1-sigmoid", "3-2-3-softmax", "3-4-2-regression", "vanishing-gradient", "exploding-gradient",
    ]  # fmt: skip


# ---- the neuron ----


def test_the_numbers_of_the_picture_are_those_of_the_engine() -> None:
    trace = open_lesson(scenario("one-neuron")).trace
    shown = numbers(page("/").root.one("figure", cls="learning"))
    assert shown == {name: number.shown(trace.value(quantity(name))) for name in shown}
    assert set(shown) >= {
        "x[1]", "x[2]", "y[1]", "w[1][1,1]", "w[1][1,2]", "b[1][1]", "z[1][1]", "a[1][1]", "loss",
        "dL/da[1][1]", "dL/dz[1][1]", "dL/dw[1][1,1]", "dL/dw[1][1,2]",
        "w+[1][1,1]", "w+[1][1,2]", "b+[1][1]", "a+[1][1]", "loss+",
    }  # fmt: skip


def test_each_phase_says_the_formula_of_its_step() -> None:
    figure = page("/").root.one("figure", cls="learning")
    lines = list(figure.one("ol").all("li"))
    assert [line.one("b").text for line in lines] == [
        "Forward",
        "Loss",
        "Backward",
        "Update",
        "Better?",
    ]
    walk = open_lesson(scenario("one-neuron")).walk("number")
    for line, (key, _, q) in zip(lines, SHOWN, strict=True):
        step = page(f"/lessons/one-neuron/steps/{walk.step_of(q)}").root
        result = step.one("p", cls="result").one("math").text
        assert line.text.endswith(result)
        assert key in line.classes


def test_the_numbers_of_another_neuron_are_its_own(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(neuron(weight=0.125), encoding="utf-8")
    shown = numbers(front(tmp_path).one("figure", cls="learning"))
    assert shown["w[1][1,1]"] == "0.125"
    assert shown["z[1][1]"] == "2.125"


@pytest.mark.parametrize(
    "text",
    [
        neuron(samples=2),
        neuron(biases="none"),
        neuron(activation="step"),
        neuron(more=", trainable: {weights: false}"),
        neuron(more=", trainable: {biases: false}"),
        neuron(activation="identity", weight=1e308),
    ],
)
def test_what_is_not_one_neuron_that_learns_is_not_drawn(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    root = front(tmp_path)
    assert len(list(root.all("li", cls="card"))) == 1
    assert not list(root.all("figure"))


def test_a_hidden_lesson_is_neither_drawn_nor_started_with(tmp_path: Path) -> None:
    (tmp_path / "exam.yaml").write_text(neuron("The exam"), encoding="utf-8")
    (tmp_path / "open.yaml").write_text(neuron("Open", biases="none"), encoding="utf-8")
    (tmp_path / "course.yaml").write_text("format: 1\ntitle: T\nhidden: [exam]", encoding="utf-8")
    hero = front(tmp_path).one("div", cls="hero")
    assert [link.attributes["href"] for link in hero.all("a")] == ["/lessons/open/steps/1"]
    assert not list(hero.all("svg"))


# ---- motion ----


def test_the_picture_moves_only_where_motion_is_welcome_and_for_less_than_five_seconds() -> None:
    still, _, moving = STYLE.partition("@media (prefers-reduced-motion: no-preference) {")
    assert not re.search(r"animation|transition|@keyframes", still)
    assert "infinite" not in moving
    longest = max(float(s) for s in re.findall(r"animation: \S+ ([\d.]+)s", moving))
    latest = max(float(s) for s in re.findall(r"animation-delay: ([\d.]+)s", moving))
    assert latest + longest < 5


def test_every_part_that_comes_has_its_time() -> None:
    picture = page("/").root.one("svg", cls="neuron")
    comes = {css for part in picture.all("path", "text", "tspan") for css in part.classes if re.fullmatch(r"s\d", css)}  # fmt: skip
    assert comes == {"s1", "s2", "s3", "s4", "s5", "s6"}
    assert all(f".neuron .{css} {{ animation-delay" in STYLE for css in comes)
    phases = {key for key, _, _ in SHOWN}
    assert all(f".learning .{key} {{ animation-delay" in STYLE for key in phases)
