"""The diagram shows what is known, leaves empty what is not, says what the step does, and keeps its
labels apart.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from tutor import number
from tutor.draw.diagram import FLOW, Scene, draw, thumbnail
from tutor.draw.layout import arrange, chosen_layers, chosen_units
from tutor.draw.marks import SIZE_NAMES, SIZES, Room, fitted, name, width
from tutor.engine.activations import activation
from tutor.engine.derivation import derive
from tutor.engine.kinds import KINDS
from tutor.engine.losses import loss
from tutor.engine.network import Layer, Network, frozen
from tutor.engine.order import NumberOrder
from tutor.engine.quantity import Quantity, parse
from tutor.engine.trace import Trace, run
from tutor.engine.tree import leaves
from tutor.lesson.walk import open_lesson
from tutor.notation.conventions import PRESETS, Alphabet, notation
from tutor.notation.mathml import role
from tutor.scenario.reader import load

SCENARIOS = Path(__file__).parents[1] / "scenarios"
DECKS = ("1-2-3-1-sigmoid", "3-2-3-softmax")
HOSTILE = '</title></desc><script>alert(1)</script><b onload="x">\'&'

Box = tuple[float, float, float, float]


def scene(trace: Trace, q: Quantity, preset: str = "brackets", decimals: int = 4) -> Scene:
    """The scene of the step that makes q, in the number grain."""
    order = NumberOrder.of(trace.network, trace.samples, trace.blocked)
    k = order.rank(q)

    def value(name: Quantity) -> float | None:
        if not name.given and (name.kind, name.layer, name.sample > 0) not in order._place:
            return None
        return trace.value(name) if name.given or order.rank(name) <= k else None

    uses = frozenset(leaf.quantity for leaf in leaves(derive(trace, q).tree))
    alphabet = Alphabet.of(notation(preset), trace.network, trace.samples)
    return Scene(
        trace.network,
        alphabet,
        decimals,
        value,
        uses,
        frozenset({q}),
        order.phase(k),
        q.sample,
        f"Makes {q}.",
    )


def lecture(name: str) -> Trace:
    return open_lesson(load(SCENARIOS / f"{name}.yaml")).trace


def some(*sizes: int, output: str = "sigmoid", under: str = "binary_cross_entropy") -> Trace:
    """A network of these sizes with random numbers."""
    random = np.random.default_rng(7)
    rules = [activation("tanh")] * (len(sizes) - 2) + [activation(output)]
    layers = tuple(
        Layer(frozen(random.normal(size=(n, m)) / m**0.5), frozen(random.normal(size=n)), rule)
        for (m, n), rule in zip(pairwise(sizes), rules, strict=True)
    )
    return run(
        Network(layers, loss(under)),
        frozen(random.normal(size=(1, sizes[0]))),
        frozen(np.eye(sizes[-1])[:1]),
        0.1,
    )


def parsed(picture: str) -> ET.Element:
    return ET.fromstring(picture)  # noqa: S314 - our own pictures


def step(name: str, q: str) -> ET.Element:
    return parsed(draw(scene(lecture(name), parse(q))))


def named(svg: ET.Element, q: str) -> ET.Element:
    found = [e for e in svg.iter() if e.get("data-q") == q]
    assert len(found) == 1, (q, len(found))
    return found[0]


def classes(element: ET.Element) -> list[str]:
    return element.get("class", "").split()


def text_of(svg: ET.Element) -> str:
    return " ".join("".join(e.itertext()) for e in svg.iter("text"))


def mentioned(svg: ET.Element) -> set[str]:
    return {q for e in svg.iter() if (q := e.get("data-q"))}


# What is known and what is not


def test_before_the_first_step_only_what_is_given_has_numbers() -> None:
    trace = lecture(DECKS[0])
    blank = Scene(trace.network, Alphabet.of(notation("brackets"), trace.network, 1), 4,
                  lambda q: trace.value(q) if q.given else None, frozenset(), frozenset(), "")  # fmt: skip
    svg = parsed(draw(blank))
    numbers = {q for e in svg.iter("text") if (q := e.get("data-q"))}
    assert {parse(q).kind for q in numbers} == {"x", "y", "w", "b"}
    assert len(numbers) == 1 + 1 + 11 + 6
    assert not any(words in text_of(svg) for words in FLOW.values())


def test_a_number_that_is_not_computed_yet_is_a_dashed_shape_without_text() -> None:
    svg = step(DECKS[0], "z[2][1]")
    for q in ("a[2][1]", "z[2][2]", "a[3][1]", "loss"):
        empty = named(svg, q)
        assert empty.tag in {"path", "rect"}
        assert "todo" in classes(empty)
        assert not "".join(empty.itertext())


def test_a_unit_shows_its_pre_activation_before_its_activation_exists() -> None:
    svg = step(DECKS[0], "z[2][1]")
    assert named(svg, "z[2][1]").text == "0.4748"
    assert named(svg, "a[2][1]").tag == "rect"


@pytest.mark.parametrize("deck", DECKS)
def test_at_every_step_the_numbers_are_those_of_the_trace(deck: str) -> None:
    trace = lecture(deck)
    for q in NumberOrder.of(trace.network, 1):
        now = scene(trace, q)
        for element in parsed(draw(now)).iter():
            name = element.get("data-q")
            if name:
                value = now.value(parse(name))
                assert (value is None) == ("todo" in classes(element))
                assert element.text == (None if value is None else number.shown(value, 4))


@pytest.mark.parametrize("deck", DECKS)
def test_at_every_step_the_number_that_is_made_is_marked_in_the_picture(deck: str) -> None:
    trace = lecture(deck)
    for q in NumberOrder.of(trace.network, 1):
        svg = parsed(draw(scene(trace, q)))
        assert "makes" in classes(named(svg, str(q))), q
        assert any("makes" in classes(e) for e in svg.iter() if e.tag != "text"), q


def test_what_a_step_uses_is_marked_on_units_edges_and_biases() -> None:
    svg = step(DECKS[0], "z[2][1]")
    for q in ("a[1][1]", "a[1][2]", "w[2][1,1]", "w[2][1,2]", "b[2][1]"):
        assert "uses" in classes(named(svg, q)), q
    assert "uses" not in classes(named(svg, "w[2][2,1]"))


@pytest.mark.parametrize("sheet", ["tokens.css", "diagram.css"])
def test_each_kind_of_quantity_is_coloured_by_its_name_in_the_variable_of_its_role(
    sheet: str,
) -> None:
    rules = (Path(__file__).parents[1] / "static" / sheet).read_text(encoding="utf-8")
    for kind in KINDS.keys() - {"loss-loss+", "(loss-loss+)/loss"}:
        prefixes = [
            prefix for prefix in re.findall(r'data-q\^="(\w+)"', rules) if kind.startswith(prefix)
        ]
        longest = max(prefixes, key=len)
        rule = next(
            line
            for line in rules.splitlines()
            if f'data-q^="{longest}"' in line and "{" in line and "var(--" in line
        )
        assert f"var(--{role(kind)}" in rule, (kind, rule)


# The derivatives of a softmax form a matrix


def slopes(svg: ET.Element) -> dict[tuple[int, int], ET.Element]:
    found = {parse(e.get("data-q", "")): e for e in svg.iter("text") if e.get("data-q")}
    return {(q.i, q.j): e for q, e in found.items() if q.kind == "da/dz" and q.layer == 2}


def test_the_derivatives_of_a_softmax_stand_in_a_matrix_that_fills_up() -> None:
    first, last = step(DECKS[1], "da/dz[2][1,3]"), step(DECKS[1], "dL/dw[2][1,1]")
    assert slopes(first).keys() == {(1, 1), (1, 2), (1, 3)}, "the others are empty"
    states = {place: {*classes(e)} & {"makes", "uses"} for place, e in slopes(first).items()}
    assert states == {(1, 1): set(), (1, 2): set(), (1, 3): {"makes"}}
    matrix = slopes(last)
    assert matrix.keys() == {(i, k) for i in (1, 2, 3) for k in (1, 2, 3)}
    for across in (True, False):
        lines = [
            {
                e.get("y" if across else "x")
                for (i, k), e in matrix.items()
                if n == (i if across else k)
            }
            for n in (1, 2, 3)
        ]
        assert [len(line) for line in lines] == [1, 1, 1]
        places = [float(line.pop() or "") for line in lines]
        assert places == sorted(set(places))
    z, p = named(last, "z[2][1]"), named(last, "a[2][1]")
    xs = [float(e.get("x", "")) for e in (z, *(matrix[1, k] for k in (1, 2, 3)), p)]
    assert xs == sorted(xs), "between z and p"
    assert [matrix[i, 1].get("y") for i in (1, 2, 3)] == [
        named(last, f"dL/da[2][{i}]").get("y") for i in (1, 2, 3)
    ]
    names = ["".join(e.itertext()) for e in last.iter("text") if classes(e) == ["d", "n"]]
    assert [n.replace("\N{COMBINING CIRCUMFLEX ACCENT}", "") for n in sorted(names)] == [
        "∂𝑦1", "∂𝑦2", "∂𝑦3", "∂𝑧1", "∂𝑧2", "∂𝑧3"
    ]  # fmt: skip


def test_the_matrix_of_a_softmax_uses_the_column_of_the_pre_activation() -> None:
    matrix = slopes(step(DECKS[1], "dL/dz[2][2]"))
    assert {place for place, e in matrix.items() if "uses" in classes(e)} == {
        (1, 2),
        (2, 2),
        (3, 2),
    }


def test_made_at_once_all_derivatives_of_a_softmax_are_marked() -> None:
    one = scene(lecture(DECKS[1]), parse("da/dz[2][3,3]"))
    every = frozenset(Quantity("da/dz", 2, i, k) for i in (1, 2, 3) for k in (1, 2, 3))
    svg = parsed(draw(replace(one, makes=every)))
    assert all("makes" in classes(e) for e in slopes(svg).values())
    assert len(slopes(svg)) == 9
    assert sum({"d", "makes", "o"} <= {*classes(e)} for e in svg.iter("rect")) == 9


def test_of_many_classes_the_derivative_of_the_step_is_shown() -> None:
    trace = some(3, 4, 8, output="softmax", under="cross_entropy")
    assert slopes(parsed(draw(scene(trace, parse("da/dz[2][2,3]"))))).keys() == {(2, 3)}
    used = slopes(parsed(draw(scene(trace, parse("dL/dz[2][5]")))))
    assert used.keys() == {(i, 5) for i in range(1, 9)}
    assert not slopes(parsed(draw(scene(trace, parse("dL/dw[2][2,3]")))))


# The phases


def test_arrow_heads_follow_the_direction_of_flow() -> None:
    def ends(q: str) -> list[tuple[float, float]]:
        lines = [
            e.get("d", "")
            for e in step(DECKS[0], q).iter("path")
            if "line" in classes(e) and classes(e)[0] == "w"
        ]
        parts = [part for line in lines for part in line.split("M")[1:]]
        assert parts
        heads = parts[1::2]
        assert all(head.count("L") == 2 for head in heads), "a line and a head"
        assert len(heads) * 2 == len(parts)
        return [
            tuple(float(place.split(" ")[0]) for place in part.split("L")) for part in parts[::2]
        ]  # type: ignore[misc]

    assert all(start < end for start, end in ends("z[2][1]"))
    assert all(start > end for start, end in ends("dL/da[2][1]"))


def test_an_edge_whose_weight_only_gets_its_gradient_has_no_arrow_head() -> None:
    for lesson, q in (
        (DECKS[0], "dL/dw[2][1,1]"),
        ("linear-regression", "dL/dw[1][1,2]@2"),
        (DECKS[0], "w+[2][1,1]"),
    ):
        lines = [
            e.get("d", "")
            for e in step(lesson, q).iter("path")
            if "line" in classes(e) and classes(e)[0] == "w"
        ]
        assert [line.count("M") for line in lines] == [1], (lesson, q)


def test_the_direction_is_said_in_words_too() -> None:
    assert "forward →" in text_of(step(DECKS[0], "z[1][1]"))
    assert "← backward" in text_of(step(DECKS[0], "dL/da[3][1]"))


def test_every_number_of_a_unit_keeps_its_place_z_beside_a_and_gradients_below_them() -> None:
    def place(svg: ET.Element, q: str) -> tuple[float, float]:
        return float(named(svg, q).get("x", "")), float(named(svg, q).get("y", ""))

    steps = [step(DECKS[0], q) for q in ("dL/dz[3][1]", "dL/db[3][1]", "dL/dw[1][1,1]")]
    kinds = ("z", "a", "dL/dz", "dL/da", "da/dz")
    places = [{kind: place(svg, f"{kind}[3][1]") for kind in kinds} for svg in steps]
    assert places[0] == places[1] == places[2]
    at = places[0]
    assert at["z"][0] == at["dL/dz"][0] < at["a"][0] == at["dL/da"][0]
    assert at["z"][1] == at["a"][1] < at["dL/dz"][1] == at["dL/da"][1] < at["da/dz"][1]
    assert place(step(DECKS[0], "z[3][1]"), "z[3][1]") == at["z"], "the same on the way forward"


def test_the_names_of_a_unit_stand_above_its_numbers_at_every_step() -> None:
    for q in ("z[1][1]", "loss", "dL/da[1][1]", "w+[2][1,1]"):
        svg = step(DECKS[0], q)
        names = ["".join(e.itertext()) for e in svg.iter("text") if "n" in classes(e)]
        assert {"𝑧1[1]", "𝑎1[1]", "𝑧3[2]", "𝑎3[2]"} <= set(names), q


def test_an_edge_ends_at_the_line_of_its_weight_and_its_width_and_dashes_tell_of_the_weight() -> (
    None
):
    svg = step("3-4-2-regression", "loss")
    wires = " ".join(e.get("d", "") for e in svg.iter("path") if classes(e)[:1] == ["wires"])
    layout = arrange((3, 4, 2))
    for layer in (1, 2):
        for unit, y in layout.columns[layer].spots:
            x = layout.columns[layer].entrance
            listed = [
                e for e in svg.iter("text") if e.get("data-q", "").startswith(f"w[{layer}][{unit},")
            ]
            assert len(listed) == layout.columns[layer - 1].spots[-1][0]
            assert all(x < float(e.get("x", "")) < x + layout.cell for e in listed)
            for e in listed:
                at = float(e.get("y", ""))
                assert abs(at - y) < 45
                assert re.search(rf"L{x - 3} ({at - 6:.0f}|{at - 5:.0f}|{at - 4:.0f})", wires)
    trace = lecture("3-4-2-regression")
    drawn = {
        css: sum(e.get("d", "").count("M") for e in svg.iter("path") if css in classes(e))
        for css in ("t1", "t2", "t3", "t4", "minus")
    }
    weights = np.concatenate([layer.weights.ravel() for layer in trace.network.layers])
    widths = np.ceil(4 * np.abs(weights) / np.abs(weights).max()).clip(1)
    assert [drawn[f"t{n}"] for n in (1, 2, 3, 4)] == [
        int((widths == n).sum()) for n in (1, 2, 3, 4)
    ]
    assert drawn["minus"] == int((weights < 0).sum())
    assert "dashed: negative" in text_of(svg)


def test_a_slope_stands_in_its_own_row_once_it_is_known() -> None:
    assert "da/dz[3][1]" not in mentioned(step(DECKS[0], "dL/da[3][1]"))
    assert "makes" in classes(named(step(DECKS[0], "da/dz[3][1]"), "da/dz[3][1]"))
    assert "uses" in classes(named(step(DECKS[0], "dL/dz[3][1]"), "da/dz[3][1]"))
    assert not {"uses", "makes"} & set(classes(named(step(DECKS[0], "dL/db[3][1]"), "da/dz[3][1]")))


def test_the_new_weight_takes_the_place_of_the_old_one_once_it_is_made() -> None:
    shown = mentioned(step(DECKS[0], "w+[2][1,2]"))
    assert "w+[2][1,2]" in shown
    assert "w[2][1,2]" not in shown
    assert "w[1][1,1]" in shown
    assert "w+[1][1,1]" not in shown


def test_the_verification_pass_empties_the_network_and_fills_it_again() -> None:
    svg = step(DECKS[0], "z+[2][1]")
    assert named(svg, "a+[1][1]").text == "0.5748"
    assert "todo" in classes(named(svg, "a+[3][1]"))
    assert "todo" in classes(named(svg, "loss+"))
    assert named(svg, "loss").text == "0.2563"
    assert not {"a[1][1]", "z[2][1]"} & mentioned(svg)


def title_above(svg: ET.Element, q: str) -> str:
    """The name that stands next above a number, or above its empty box, in the same column."""
    shape = (
        next(
            e
            for e in svg.iter("rect")
            if classes(e)[:1] == ["l"] and "o" not in classes(e) and e.get("data-q") == q
        )
        if "todo" in classes(named(svg, q))
        else named(svg, q)
    )
    x = float(shape.get("x", "")) + float(shape.get("width", 0)) / 2
    y = float(shape.get("y", ""))
    above = [(float(e.get("y", "")), "".join(e.itertext())) for e in svg.iter("text")
             if "n" in classes(e) and float(e.get("x", "")) == x and float(e.get("y", "")) < y]  # fmt: skip
    return max(above)[1]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("lesson", [DECKS[0], DECKS[1], "linear-regression"])
def test_the_old_loss_the_new_one_and_their_difference_stand_under_their_own_names(
    lesson: str, preset: str
) -> None:
    trace = lecture(lesson)
    alphabet = Alphabet.of(notation(preset), trace.network, trace.samples)
    verified = [
        q
        for q in NumberOrder.of(trace.network, trace.samples)
        if q.kind.endswith("+") and q.kind not in {"w+", "b+"}
    ]
    for q in verified:
        svg = parsed(draw(scene(trace, q, preset)))
        losses = [e.get("data-q", "") for e in svg.iter() if e.get("data-q", "").startswith("loss")]
        assert len(losses) == (3 if q.kind == "loss-loss+" else 2)
        for each in losses:
            wanted = ET.fromstring(f"<text>{name(alphabet, parse(each))}</text>")  # noqa: S314 - our own
            assert title_above(svg, each) == "".join(wanted.itertext()), (q, each)


def test_a_sample_is_named_and_its_own_values_are_shown() -> None:
    svg = step("linear-regression", "z[1][1]@2")
    assert {"x[1]@2", "z[1][1]@2", "y[1]@2"} <= mentioned(svg)
    assert "sample 2 of 4" in text_of(svg)
    assert "makes" in classes(
        named(step("linear-regression", "dL/dw[1][1,1]@2"), "dL/dw[1][1,1]@2")
    )


def test_a_network_without_biases_shows_none() -> None:
    assert not any(q.startswith("b") for q in mentioned(step(DECKS[1], "z[1][1]")))


# Nothing meets anything


def text_boxes(svg: ET.Element) -> list[tuple[str, Box]]:
    """Boxes of all numbers and names, reckoned by the widths of the font."""
    boxes = []
    tight = "tight" in classes(svg)
    for e in svg.iter("text"):
        css = classes(e)
        if e.get("data-q"):
            smaller = SIZES[
                max(SIZE_NAMES.index(css) for css in ["", *classes(e)] if css in SIZE_NAMES)
            ]
            size = 12 if tight and not e.get("data-q", "").startswith(("l", "y")) else 14
            half, up = width(e.text or "") * size * smaller / 2, 10.0 * smaller * size / 14
        elif "n" in css and "t" not in css:
            base = e.text or ""
            marks = max(map(marks_wide, e.iter("tspan")), default=0)
            half, up = (7.0 * len(base) + 5.0 * marks) / 2, 10.0 if tight else 13.0
        else:
            continue
        x, y = float(e.get("x", "")), float(e.get("y", ""))
        boxes.append((e.get("data-q") or "name", (x - half, y - up, x + half, y + 1)))
    return boxes


def marks_wide(marks: ET.Element) -> int:
    """How many characters wide an index is with the marks that start over it."""
    both, index = len(marks.text or ""), -int(marks.get("dx", "0").split()[-1]) // 5
    return max(index, both - index)


def cards(svg: ET.Element) -> list[Box]:
    """The outlines of all units."""
    (path,) = [e.get("d", "") for e in svg.iter("path") if classes(e) == ["card"]]
    found = []
    for card in path.split("M")[1:]:
        x, y, across, down = map(float, re.match(CARD, card).groups())  # type: ignore[union-attr]
        found.append((x - 5, y, x + across + 5, y + down + 10))
    return found


CARD = r"(\S+) ([^h]+)h([^q]+)q5 0 5 5v([^q]+)q"


def meet(p: Box, q: Box) -> bool:
    return p[0] < q[2] and q[0] < p[2] and p[1] < q[3] and q[1] < p[3]


@pytest.mark.parametrize(
    ("preset", "decimals"), [*((preset, 4) for preset in PRESETS), ("brackets", 6), ("letters", 10)]
)
@pytest.mark.parametrize("deck", DECKS)
def test_no_text_meets_another_and_no_edge_number_meets_a_unit(
    deck: str, preset: str, decimals: int
) -> None:
    trace = lecture(deck)
    for q in NumberOrder.of(trace.network, 1):
        svg = parsed(draw(scene(trace, q, preset, decimals)))
        boxes = text_boxes(svg)
        assert not [(q, one, two) for (one, p), (two, r) in combinations(boxes, 2) if meet(p, r)], q
        edges = [box for name, box in boxes if name.startswith(("w", "dL/dw"))]
        assert not [box for box in edges for card in cards(svg) if meet(box, card)], q


@pytest.mark.parametrize("deck", DECKS)
def test_every_edge_of_the_deck_networks_has_its_number_at_every_step(deck: str) -> None:
    trace = lecture(deck)
    weights = sum(layer.weights.size for layer in trace.network.layers)
    for q in NumberOrder.of(trace.network, 1):
        shown = mentioned(parsed(draw(scene(trace, q))))
        assert sum(name.startswith("w") for name in shown) == weights, q


@pytest.mark.parametrize("deck", DECKS)
def test_the_deck_networks_can_be_read_on_a_laptop_and_stay_small(deck: str) -> None:
    trace = lecture(deck)
    pictures = [draw(scene(trace, q)) for q in NumberOrder.of(trace.network, 1)]
    assert arrange(trace.network.sizes).width * 11 / 14 <= 830, (
        "beside the formula, numbers stay at 11 pixels"
    )
    assert max(len(picture.encode()) for picture in pictures) < 7_400
    assert sorted(len(picture.encode()) for picture in pictures)[len(pictures) // 2] < 5_700


def test_edge_numbers_stay_where_they_are_from_phase_to_phase() -> None:
    at = [
        named(step(DECKS[0], q), "w[2][3,1]").get("x") for q in ("z[1][1]", "loss", "dL/da[1][1]")
    ]
    assert len(set(at)) == 1


def type_on_a_laptop(svg: ET.Element) -> float:
    """How large the type is beside a formula at 1366 x 657, in CSS pixels."""
    scale = min(838 / float(svg.get("width", "")), 300 / float(svg.get("height", "")))
    return scale * (12 if "tight" in classes(svg) else 14)


@pytest.mark.parametrize("name", sorted(path.stem for path in SCENARIOS.glob("*.yaml")))
def test_the_type_of_every_lecture_can_be_read_on_a_laptop(name: str) -> None:
    trace = lecture(name)
    for q in (parse("x[1]") if trace.stop else parse("dL/dz[1][1]"), parse("z[1][1]")):
        if not q.given:
            sample = 1 if trace.samples > 1 else 0
            svg = parsed(draw(scene(trace, q._replace(sample=sample))))
            assert type_on_a_laptop(svg) >= 11


@pytest.mark.parametrize("sizes", [(8, 8, 8, 2), (3, 8, 8, 3), (8, 8, 8, 8, 8, 3), (5, 6, 5, 2)])
def test_layers_of_up_to_eight_units_are_shown_whole_and_can_be_read(
    sizes: tuple[int, ...],
) -> None:
    trace = some(*sizes, output="softmax", under="cross_entropy")
    for q in ("z[2][3]", "dL/da[1][2]", "dL/dw[2][1,1]", "w+[1][1,2]", "loss"):
        svg = parsed(draw(scene(trace, parse(q))))
        shown = mentioned(svg)
        for layer, size in enumerate(sizes[1:], 1):
            assert {f"a[{layer}][{i}]" for i in range(1, size + 1)} <= shown, q
        assert {f"x[{i}]" for i in range(1, sizes[0] + 1)} <= shown
        assert type_on_a_laptop(svg) >= 10, q
        assert "makes" in classes(named(svg, q))


@pytest.mark.parametrize("sizes", [(8, 8, 8, 8, 8, 3), (2, 8, 8, 8, 8, 8, 1), (8, 5, 5, 5, 5, 5)])
@pytest.mark.parametrize("kind", ["a", "dL/dz", "w+"])
def test_a_whole_phase_of_a_deep_network_can_be_read(sizes: tuple[int, ...], kind: str) -> None:
    trace = some(*sizes, output="sigmoid", under="half_squared_error")
    units = [(layer, i) for layer, size in enumerate(sizes[1:], 1) for i in range(1, size + 1)]
    makes = frozenset(Quantity(kind, layer, i, int(kind == "w+")) for layer, i in units)
    last = parse(f"{kind}[{len(sizes) - 1}][1{',1' * (kind == 'w+')}]")
    svg = parsed(draw(replace(scene(trace, last), makes=makes)))
    assert type_on_a_laptop(svg) >= 11
    assert "makes" in classes(named(svg, str(last)))


def test_layers_that_a_step_leaves_alone_show_what_they_pass_on() -> None:
    trace = some(8, 8, 8, 8, 8, 3, output="softmax", under="cross_entropy")
    shown = mentioned(parsed(draw(scene(trace, parse("dL/da[2][3]")))))
    kinds = {
        layer: {parse(q).kind for q in shown if parse(q).layer == layer} for layer in range(1, 6)
    }
    assert kinds[2] == {"z", "a", "dL/da"}
    assert kinds[3] == {"z", "a", "w", "dL/dz", "da/dz", "dL/da"}
    assert kinds[1] == kinds[4] == kinds[5] == {"a"}


def test_many_edges_of_a_step_are_as_wide_as_their_weights_and_have_no_heads() -> None:
    trace = some(3, 8, 8, 2, output="softmax", under="cross_entropy")
    uses = frozenset(Quantity("w", 2, i, j) for i in range(1, 9) for j in range(1, 9))
    makes = frozenset(Quantity("z", 2, i) for i in range(1, 9))
    svg = parsed(draw(replace(scene(trace, parse("z[2][8]")), uses=uses, makes=makes)))
    lines = [e for e in svg.iter("path") if {"line", "uses", "many"} <= {*classes(e)}]
    assert sum(e.get("d", "").count("M") for e in lines) == 64
    dashed = sum(e.get("d", "").count("M") for e in lines if "minus" in classes(e))
    assert dashed == int((trace.network.layers[1].weights < 0).sum())


# Large networks


def test_a_large_layer_keeps_its_first_its_last_and_the_unit_in_question() -> None:
    trace = some(784, 128, 64, 10, output="softmax", under="cross_entropy")
    svg = parsed(draw(scene(trace, parse("dL/dw[1][70,300]"))))
    units = {q for q in mentioned(svg) if q.startswith("a[1]")}
    assert units == {"a[1][1]", "a[1][2]", "a[1][3]", "a[1][70]", "a[1][128]"}
    assert {"x[1]", "x[300]", "x[784]", "dL/dw[1][70,300]"} <= mentioned(svg)
    assert {"66 more", "57 more", "296 more", "483 more"} <= {
        "".join(e.itertext()) for e in svg.iter("text")
    }
    assert len(ET.tostring(svg)) < 10_000


def test_in_a_dense_network_only_the_edges_of_the_step_have_numbers() -> None:
    trace = some(5, 6, 5, 2, output="softmax", under="cross_entropy")
    shown = {
        q for q in mentioned(parsed(draw(scene(trace, parse("z[2][3]"))))) if q.startswith("w")
    }
    assert shown == {f"w[2][3,{j}]" for j in range(1, 7)}


def test_a_diagram_says_where_edges_have_no_room_for_their_numbers() -> None:
    crowded, roomy = some(5, 6, 5, 2, output="softmax", under="cross_entropy"), some(2, 2, 1)
    for trace, left_out in ((crowded, True), (roomy, False)):
        for q in ("z[1][1]", "dL/da[1][1]", "w+[1][1,1]"):
            svg = parsed(draw(scene(trace, parse(q))))
            assert ("other edges are left out" in text_of(svg)) == left_out, q
            assert max(float(e.get("y", "0")) for e in svg.iter("text")) < float(
                svg.get("height", "")
            )


def test_a_step_about_a_whole_large_matrix_draws_its_lines_without_numbers() -> None:
    trace = some(784, 128, 10, output="softmax", under="cross_entropy")
    uses = frozenset(Quantity("w", 2, i, j) for i in range(1, 11) for j in range(1, 129))
    whole = replace(
        scene(trace, parse("z[2][1]")),
        uses=uses,
        makes=frozenset(Quantity("z", 2, i) for i in range(1, 11)),
    )
    svg = parsed(draw(whole))
    lines = [e.get("d", "") for e in svg.iter("path") if {"line", "uses"} <= set(classes(e))]
    assert sum(line.count("M") for line in lines) == 2 * 4 * 4, "each with a head"
    assert not any(q.startswith("w") for q in mentioned(svg))


def test_a_deep_network_keeps_the_layers_of_the_step() -> None:
    trace = some(2, *[3] * 30, 1)
    for q, layers in (("z[15][2]", {14, 15}), ("dL/da[15][2]", {15, 16})):
        svg = parsed(draw(scene(trace, parse(q))))
        assert layers <= {parse(name).layer for name in mentioned(svg)}
        assert float(svg.get("width", "")) < 1000
        assert any("line" in classes(e) and classes(e)[0] == "w" for e in svg.iter("path"))


def test_elision_says_how_many_are_left_out() -> None:
    assert chosen_units(6, set()) == [1, 2, 3, 4, 5, 6]
    assert chosen_units(8, set()) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert chosen_units(9, set()) == [1, 2, 3, -5, 9]
    assert chosen_units(10, set()) == [1, 2, 3, -6, 10]
    assert chosen_units(10, {6}) == [1, 2, 3, -2, 6, -3, 10]
    assert chosen_layers(5, {3}) == [0, 1, 2, 3, 4]
    assert chosen_layers(13, {6, 7}) == [0, 1, 6, 7, 12]
    for count in range(9, 40):
        for unit in range(1, count + 1):
            rows = chosen_units(count, {unit})
            assert unit in rows
            assert sum(abs(row) if row < 0 else 1 for row in rows) == count


def test_wide_numbers_take_smaller_type_and_then_give_up_decimals_not_room() -> None:
    usual, long = Room(3.7), Room(4.28)
    for room in (usual, long, Room(3.5, 1)):
        for value in (
            -0.22609,
            1234.56789,
            -99999.5,
            123456789.0,
            -2.64e-11,
            1e300,
            -1e-300,
            0.1,
            0.0,
            1 / 3,
        ):
            for decimals in (2, 4, 12):
                text, em, size = fitted(value, decimals, room)
                assert em == width(text)
                assert em * SIZES[size] <= room.em + 1, value
    assert fitted(-0.2261, 4, usual) == ("−0.2261", width("−0.2261"), 0)
    assert fitted(-12.57444, 4, usual)[::2] == ("−12.5744", 1)
    assert fitted(-9.391e-4, 4, usual)[::2] == (number.shown(-9.391e-4, 4), 2)
    assert fitted(-0.226091234, 6, long)[::2] == ("−0.226091", 1)
    assert fitted(-0.226091234, 12, long)[::2] == ("−0.226091", 1)
    assert fitted(0.574442516, 12, long)[0] == "0.574443", (
        "as many decimals as a number with a sign has"
    )
    assert fitted(float("nan"), 4, usual)[0] == "?"


@pytest.mark.parametrize("decimals", [0, 2, 4, 6])
@pytest.mark.parametrize("lesson", sorted(path.stem for path in SCENARIOS.glob("*.yaml")))
def test_a_diagram_has_the_texts_of_tables_and_formulas(lesson: str, decimals: int) -> None:
    trace = lecture(lesson)
    order = NumberOrder.of(trace.network, trace.samples, trace.blocked)
    end = order.rank(trace.stop.quantity) if trace.stop else len(order)
    for k in range(0, end, 2):
        for element in parsed(draw(scene(trace, order[k], decimals=decimals))).iter("text"):
            if q := element.get("data-q"):
                value = trace.value(parse(q))
                text = number.shown(value, decimals)
                assert element.text == text or width(text) * SIZES[-1] > 3.7, q


@pytest.mark.parametrize("decimals", [4, 6, 10])
def test_numbers_of_one_kind_are_of_one_size_and_as_long_in_one_diagram(decimals: int) -> None:
    trace = lecture("vanishing-gradient")
    for q in NumberOrder.of(trace.network, 1):
        sizes: dict[str, set[str]] = {}
        places: dict[str, set[int]] = {}
        for element in parsed(draw(scene(trace, q, decimals=decimals))).iter("text"):
            if found := element.get("data-q"):
                sizes.setdefault(parse(found).kind, set()).update(
                    {*classes(element)} & {*SIZE_NAMES} or {""}
                )
                digits = (element.text or "").partition(".")[2]
                rounded = digits.isdigit() and not number.is_exact(
                    trace.value(parse(found)), decimals
                )
                places.setdefault(parse(found).kind, set()).update(
                    {len(digits)} if rounded else set()
                )
        assert all(len(found) == 1 for found in sizes.values()), (q, sizes)
        assert all(len(lengths) <= 1 for lengths in places.values()), (q, places)
        assert all(lengths <= {min(decimals, 6)} for lengths in places.values())


def test_a_number_in_a_small_card_has_the_sign_and_the_four_decimals_of_the_table() -> None:
    trace = some(3, 6, 5, 2, output="softmax", under="cross_entropy")
    svg = parsed(draw(scene(trace, parse("a[2][5]"))))
    assert "tight" in classes(svg)
    for e in svg.iter("text"):
        if e.get("data-q", "").startswith("a"):
            assert e.text == number.shown(trace.value(parse(e.get("data-q", ""))), 4)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_name_in_a_small_card_has_room_between_its_two_numbers(preset: str) -> None:
    svg = parsed(draw(scene(lecture("training/circle-averaged"), parse("z+[2][1]@1"), preset)))
    assert "tight" in classes(svg)
    boxes = text_boxes(svg)
    names, numbers = (
        [one for one in boxes if (one[0] == "name") is is_name] for is_name in (True, False)
    )
    assert len(names) > 9
    assert not [(name, q) for _, name in names for q, box in numbers if meet(name, box)]


# Markup


@pytest.mark.parametrize("name", sorted(path.stem for path in SCENARIOS.glob("*.yaml")))
def test_every_step_of_every_lecture_is_well_formed_and_plain(name: str) -> None:
    trace = lecture(name)
    order = NumberOrder.of(trace.network, trace.samples, trace.blocked)
    for k in range(0, len(order), 3):
        if trace.stop and k >= order.rank(trace.stop.quantity):
            break
        picture = draw(scene(trace, order[k]))
        svg = parsed(picture)
        assert svg.get("viewBox")
        assert svg.get("role") == "img"
        assert svg.find("title") is not None
        assert "style" not in picture
        assert "script" not in picture


def test_hostile_text_is_shown_not_run() -> None:
    trace = lecture(DECKS[0])
    svg = parsed(draw(replace(scene(trace, parse("z[1][1]")), caption=HOSTILE)))
    assert svg.findtext("desc") == HOSTILE
    small = parsed(thumbnail((1, 2, 1), HOSTILE))
    assert small.findtext("title") == HOSTILE
    assert small.get("aria-label") == HOSTILE
    assert not list(svg.iter("script")) + list(small.iter("script"))


def test_the_same_scene_gives_the_same_picture() -> None:
    trace = lecture(DECKS[1])
    assert draw(scene(trace, parse("dL/da[1][1]"))) == draw(scene(trace, parse("dL/da[1][1]")))


@pytest.mark.parametrize("sizes", [(1, 2, 3, 1), (2, 1), (784, 128, 64, 10), (2, *[3] * 31)])
def test_a_thumbnail_shows_the_shape_and_no_numbers(sizes: tuple[int, ...]) -> None:
    picture = thumbnail(sizes, "A network")
    svg = parsed(picture)
    assert not list(svg.iter("text"))
    assert len(picture) < 5_000
    if max(sizes) < 6 and len(sizes) < 6:
        assert len(list(svg.iter("circle"))) == sum(sizes)
