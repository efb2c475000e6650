"""Skip connections and input gradients in the diagram: drawn, marked, named, the same in every
file.
"""

from __future__ import annotations

from functools import cache, lru_cache
from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from tests.htmltree import read
from tests.test_diagram import classes, mentioned, named, parsed, text_boxes
from tests.test_worked import drawn, networks, seen_step
from tutor import number
from tutor.draw.diagram import thumbnail
from tutor.draw.layout import arrange
from tutor.engine.quantity import Quantity, parse
from tutor.export.worked import Sheet, worked
from tutor.lesson.walk import open_lesson
from tutor.notation.conventions import PRESETS
from tutor.pages.context import Context
from tutor.pages.step_body import step_body
from tutor.pages.step_page import step_page
from tutor.pages.view import View
from tutor.scenario.reader import parse as parse_scenario

if TYPE_CHECKING:
    from xml.etree import ElementTree as ET

TOP = "format: 1\ntitle: A residual layer\n"
END = "training: {learning_rate: 0.5}\ndisplay: {input_gradients: true}\n"
LESSONS = {
    "one": TOP + """\
network:
  inputs: 2
  layers:
    - {units: 2, activation: tanh, weights: [[0.4, -0.3], [0.2, 0.5]], biases: [0.1, -0.1]}
    - {units: 2, activation: relu, weights: [[0.3, 0.8], [-0.5, 0.6]], biases: [0.05, 0.2], skip: 1}
    - {units: 1, activation: sigmoid, weights: [[0.7, -0.4]], biases: [0.1]}
  loss: {name: binary_cross_entropy}
data: {inputs: [[1, 0.5]], targets: [[1]]}
""" + END,
    "output": TOP + """\
network:
  inputs: 2
  layers:
    - {units: 2, activation: softmax, weights: [[0.4, -0.3], [0.2, 0.5]], biases: none, skip: 1}
    - {units: 2, activation: tanh, weights: [[0.3, 0.8], [-0.5, 0.6]], biases: [0.05, 0.2], skip: 2}
  loss: {name: squared_error}
data: {inputs: [[1, 0.5], [0.5, -1]], targets: [[1, 0], [0.5, -0.5]]}
""" + END,
    "long": TOP + """\
network:
  inputs: 3
  layers:
    - {units: 3, activation: tanh, weights: [[0.4, -0.3, 0.1], [0.2, 0.5, -0.2], [0.3, 0.1, 0.2]], biases: [0.1, -0.1, 0.2], skip: 1}
    - {units: 2, activation: relu, weights: [[0.3, 0.8, 0.1], [-0.5, 0.6, 0.4]], biases: [0.05, 0.2]}
    - {units: 3, activation: tanh, weights: [[0.4, -0.3], [0.2, 0.5], [0.3, 0.1]], biases: [0.1, -0.1, 0.2], skip: 2}
    - {units: 2, activation: softmax, weights: [[0.7, -0.4, 0.2], [0.1, 0.3, 0.5]], biases: [0.1, 0]}
  loss: {name: cross_entropy}
data: {inputs: [[1, 0.5, -1]], targets: [[1, 0]]}
""" + END,
}  # fmt: skip
WIDE = (
    TOP
    + """\
network:
  inputs: 12
  layers:
    - {units: 20, activation: tanh, init: {scheme: he, seed: 3}}
    - {units: 20, activation: relu, init: {scheme: he, seed: 4}, skip: 1}
    - {units: 20, activation: relu, init: {scheme: he, seed: 5}, skip: 2}
    - {units: 1, activation: identity, init: {scheme: he, seed: 6}}
  loss: {name: squared_error}
data: {inputs: [[1, 0.5, -1, 0.2, 0.3, 0.5, 1, 0.5, -1, 0.2, 0.3, 0.5]], targets: [[1]]}
"""
    + END
)


@cache
def opened(text: str, view: View = View()) -> Context:  # noqa: B008 - frozen
    return Context(open_lesson(parse_scenario(text, "skip.yaml")), view)


@lru_cache(maxsize=1024)
def pictured(context: Context, n: int) -> str:
    return str(step_page(context, n).diagram)


def step(context: Context, q: str) -> ET.Element:
    return parsed(pictured(context, context.walk.step_of(parse(q))))


def shown(context: Context, n: int) -> tuple[frozenset[Quantity], frozenset[Quantity]]:
    """What a step uses and makes."""
    body = step_body(context, n)
    return body.uses, body.makes


def ways(svg: ET.Element) -> list[ET.Element]:
    """The skip connections that stand out."""
    return [e for e in svg.iter("path") if "skip" in classes(e) and "wires" not in classes(e)]


def head(path: ET.Element) -> tuple[float, float]:
    """The tip of an arrow."""
    x, y = path.get("d", "").split("M")[2].split("L")[1].split()
    return float(x), float(y)


@pytest.mark.parametrize("name", LESSONS)
def test_at_every_step_the_numbers_are_those_of_the_engine_and_those_made_and_used_are_marked(
    name: str,
) -> None:
    context = opened(LESSONS[name])
    trace = context.trace
    for n in range(1, len(context.walk) + 1):
        svg, (uses, makes) = parsed(pictured(context, n)), shown(context, n)
        assert "style" not in pictured(context, n)
        for element in svg.iter():
            if element.get("data-q"):
                q = parse(element.get("data-q", ""))
                known = q.given or context.walk.known(q, n)
                assert ("todo" in classes(element)) != known, (n, q)
                assert element.text == (number.shown(trace.value(q), 4) if known else None), (n, q)
                assert ("makes" in classes(element)) == (q in makes), (n, q)
                assert ("uses" in classes(element)) == (q in uses - makes), (n, q)
        assert str(context.walk.anchor(n)) in mentioned(svg), n
        unit_numbers = {str(q) for q in uses if q.of.axes and q.of.role in {"unit", "data"}}
        assert unit_numbers <= mentioned(svg), n


@pytest.mark.parametrize("name", LESSONS)
def test_a_skip_connection_stands_out_at_the_steps_that_go_along_it_and_at_no_other(
    name: str,
) -> None:
    context = opened(LESSONS[name])
    network = context.trace.network
    for n in range(1, len(context.walk) + 1):
        made, (uses, _) = context.walk.anchor(n), shown(context, n)
        layers = list(enumerate(network.layers, 1))
        if made.of.role == "unit":
            layer = network.layer(made.layer)
            wanted = int(layer.skip > 0 and made.kind.startswith("r"))
        elif (
            made.of.derivative
            and made.of.per_sample
            and made.of.by == (network.passed(made.layer)[0] if made.layer else "a")
        ):
            wanted = sum(layer.skip > 0 and k - layer.skip == made.layer for k, layer in layers)
            assert wanted == sum(q.kind == "dL/dr" for q in uses), n
        else:
            wanted = 0
        assert len(ways(parsed(pictured(context, n)))) == wanted, (n, made)


def test_the_way_of_a_skip_connection_points_forward_and_back_again() -> None:
    context = opened(LESSONS["one"])
    columns = arrange((2, 2, 2, 1), skips=((1, 2),)).columns
    (forward,), (back,) = ways(step(context, "r[2][1]")), ways(step(context, "dL/da[1][1]"))
    assert classes(forward)[0] == "a"
    assert classes(back)[0] == "g"
    assert columns[1].x < head(back)[0] < columns[2].x < head(forward)[0] < columns[3].x
    assert forward.get("d", "").split("M")[1] == back.get("d", "").split("M")[1], "the same way"


def test_a_way_starts_and_ends_at_its_units_and_goes_round_the_columns_between() -> None:
    layout = arrange((3, 3, 2, 3, 2), skips=((0, 1), (1, 3)))
    assert {(skip.source, skip.target, skip.unit) for skip in layout.skips} == {
        (s, t, u) for s, t in ((0, 1), (1, 3)) for u in (1, 2, 3)
    }
    for skip in layout.skips:
        for layer, ((x, y), _) in zip((skip.source, skip.target), skip.ends, strict=True):
            column = layout.columns[layer]
            middle = dict(column.spots)[skip.unit]
            at_the_right = x == layout.right(column)
            assert at_the_right or y == layout.bottom(column, middle)
            assert column.x < x <= layout.right(column)
            assert layout.top(column, middle) < y <= layout.bottom(column, middle)
    lowest = max(layout.bottom(column, y) for column in layout.columns for _, y in column.spots)
    floors = [
        float(skip.path.split("V")[1].split("Q")[0]) for skip in layout.skips if skip.target == 3
    ]
    assert len(set(floors)) == 3
    assert lowest < min(floors)
    assert max(floors) < layout.height - 20


def test_the_way_is_faint_in_the_backdrop_at_every_step() -> None:
    context = opened(LESSONS["one"])
    for n in range(1, len(context.walk) + 1):
        (faint,) = [
            e
            for e in parsed(pictured(context, n)).iter("path")
            if classes(e)[:2] == ["wires", "skip"]
        ]
        assert faint.get("d", "").count("M") == 2


def test_a_unit_behind_a_skip_connection_has_z_beside_a_beside_r() -> None:
    svg = step(opened(LESSONS["one"]), "r[2][1]")
    z, a, r = (named(svg, f"{kind}[2][1]") for kind in "zar")
    assert float(z.get("x", "")) < float(a.get("x", "")) < float(r.get("x", ""))
    assert z.get("y") == a.get("y") == r.get("y")
    assert [named(svg, f"{kind}[2][2]").tag for kind in "zar"] == ["rect"] * 3


def test_dl_by_r_keeps_its_own_place_when_the_others_come() -> None:
    context = opened(LESSONS["one"])
    first, later = step(context, "dL/dr[2][1]"), step(context, "dL/dz[2][1]")
    place = [
        (named(svg, "dL/dr[2][1]").get("x"), named(svg, "dL/dr[2][1]").get("y"))
        for svg in (first, later)
    ]
    assert place[0] == place[1]
    assert "dL/dz[2][1]" in mentioned(later)
    assert (
        named(first, "b[2][1]").get("y")
        == named(later, "b[2][1]").get("y")
        == named(step(context, "z[1][1]"), "b[2][1]").get("y")
    )


def test_the_derivatives_by_the_inputs_stand_at_the_inputs_once_they_are_made() -> None:
    context = opened(LESSONS["one"])
    svg = step(context, "dL/da[0][1]")
    made = named(svg, "dL/da[0][1]")
    assert made.get("x") == named(svg, "x[1]").get("x")
    assert float(made.get("y", "")) > float(named(svg, "x[1]").get("y", ""))
    assert "dL/da[0][2]" not in mentioned(svg)
    without = Context(
        open_lesson(parse_scenario(LESSONS["one"], "skip.yaml"), input_gradients=False), View()
    )
    assert not any("dL/da[0]" in pictured(without, n) for n in range(1, len(without.walk) + 1))


def test_the_picture_says_its_skip_connections() -> None:
    said = step(opened(LESSONS["long"]), "z[1][1]")
    skips = "from the input to layer 1, from layer 1 to layer 3"
    title = f"Network 3-3-2-3-2, with skip connections {skips}"
    assert said.get("aria-label") == title
    assert next(e.text for e in said.iter() if e.tag.endswith("title")) == title
    for q, heading in (("z[1][1]", "layer 1 · tanh + input"),
                       ("z[3][1]", "layer 3 · tanh + layer 1")):  # fmt: skip
        assert heading in {e.text for e in step(opened(LESSONS["long"]), q).iter("text")}


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", LESSONS)
def test_no_number_meets_another(name: str, preset: str) -> None:
    context = opened(LESSONS[name], View(notation="" if preset == "brackets" else preset))
    for n in range(1, len(context.walk) + 1, 3):
        boxes = text_boxes(parsed(pictured(context, n)))
        assert not [(n, one, two) for (one, p), (two, r) in combinations(boxes, 2)
                    if p[0] < r[2] and r[0] < p[2] and p[1] < r[3] and r[1] < p[3]]  # fmt: skip


@pytest.mark.parametrize("grain", ["number", "layer", "pass"])
@pytest.mark.parametrize("name", LESSONS)
def test_a_stepper_draws_at_every_step_what_its_page_draws(name: str, grain: str) -> None:
    context = opened(LESSONS[name], View(grain=grain))
    written = "".join(worked(context.lesson, context.view, Sheet(interactive=True)))
    figures = networks(read(written))
    for n in range(1, len(context.walk) + 1):
        assert seen_step(figures[context.walk.phase(n)], n) == drawn(
            read(pictured(context, n)).root.one("svg")
        ), n


@pytest.mark.parametrize("name", LESSONS)
def test_a_layer_at_once_goes_along_all_its_skip_connections(name: str) -> None:
    context = opened(LESSONS[name], View(grain="layer"))
    network = context.trace.network
    for n in range(1, len(context.walk) + 1):
        makes = shown(context, n)[1]
        layer = next(iter(makes)).layer
        if any(q.kind == "r" for q in makes) and context.trace.samples == 1:
            assert len(ways(parsed(pictured(context, n)))) == network.sizes[layer]


def test_wide_layers_keep_the_units_at_both_ends_of_a_skip_connection() -> None:
    context = opened(WIDE)
    for q, ends in (("r[2][9]", {"a[1][9]", "r[2][9]"}),
                    ("dL/da[1][17]", {"dL/da[1][17]", "dL/dr[2][17]", "dL/dr[3][17]"}),
                    ("dL/da[0][11]", {"dL/da[0][11]"})):  # fmt: skip
        svg = step(context, q)
        assert ends <= mentioned(svg), q
        assert len(ways(svg)) == (0 if "[0]" in q else len(ends) - 1), q
        assert " more" in "".join(svg.itertext())


def test_a_network_without_skip_connections_is_laid_out_as_ever() -> None:
    layout = arrange((2, 3, 1))
    assert layout.skips == ()
    assert [column.cells for column in layout.columns] == [1, 3, 3]


def test_the_small_picture_shows_skip_connections() -> None:
    plain, skipping = thumbnail((2, 2, 2, 1), "N"), thumbnail((2, 2, 2, 1), "N", ((1, 2),))
    assert plain.count("Q") == 0
    assert skipping.count("Q") == 2
    assert thumbnail((2, *[3] * 30, 1), "N", ((14, 15),)).count("Q") == 0, "neither layer is seen"
