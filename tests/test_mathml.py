"""Formulas as MathML: well-formed, named, linked, without styles or scripts, with proper minus
signs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings

from tests.closeness import ordered
from tests.rules import Arrays
from tests.strategies import DIFFERENTIABLE, FLAT, extreme_problems, problems
from tutor.engine.derivation import derive, derive_stage, result
from tutor.engine.kinds import KINDS
from tutor.engine.quantity import K, Quantity, parse
from tutor.engine.trace import Trace, run
from tutor.engine.tree import Elided, Node, Numbers, Ref, Sum, leaves
from tutor.lesson.setup import Setup
from tutor.lesson.walk import LayerWalk, open_lesson
from tutor.notation.conventions import (
    PRESETS,
    Alphabet,
    arranged,
    flipped,
    notation,
    oriented,
    turned,
)
from tutor.notation.mathml import Line, role, shown_rows
from tutor.notation.writer import NUMBERS, RULE, SYMBOLS
from tutor.scenario.reader import load

SCENARIOS = sorted((Path(__file__).parents[1] / "scenarios").glob("*.yaml"))
ARITY = {"mfrac": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3}
TAGS = {
    "math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msub", "msup", "msubsup", "munder", "mover", "mmultiscripts",
    "mprescripts", "mtable", "mtr", "mtd",
}  # fmt: skip
ATTRIBUTES = {
    "aria-label",
    "class",
    "data-q",
    "form",
    "accent",
    "width",
    "displaystyle",
    "movablelimits",
    "stretchy",
    "display",
}


def parsed(markup: str) -> ET.Element:
    return ET.fromstring(f"<line>{markup}</line>")  # noqa: S314  (our own markup, and it must be well-formed)


def assert_sound(markup: str) -> ET.Element:
    line = parsed(markup)
    formulas = list(line)
    assert formulas
    for formula in formulas:
        assert formula.tag == "math"
        assert formula.get("aria-label", "").strip()
        assert len(formula)
    for element in line.iter():
        if element is line:
            continue
        assert element.tag in TAGS
        assert set(element.attrib) <= ATTRIBUTES
        if element.tag in ARITY:
            assert len(element) == ARITY[element.tag], ET.tostring(element, encoding="unicode")
        if "data-q" in element.attrib:
            parse(element.attrib["data-q"])
        if len(element) and element[0].text == "−":  # a prefix by its place, or it says what it is
            assert (element.tag == "mrow" and len(element) > 1) or element[0].get("form") == "infix"
    powers_of_ten = [e[1] for e in line.iter("msup") if e[0].text == "10"]
    for number in line.iter("mn"):
        assert number.text
        if number not in powers_of_ten:
            assert not number.text.startswith(("-", "−")), number.text
    for sign in line.iter("mo"):
        assert sign.text != "-"
    return line


def steps(trace: Trace) -> Iterator[tuple[Node, Quantity]]:
    """Every tree of a lesson with the quantity that it makes."""
    for q in ordered(trace):
        found = derive(trace, q)
        for tree in (found.tree, found.name, found.shortcut):
            if tree is not None:
                yield tree, q


def traced(problem: Setup) -> Trace:
    return run(problem.network, problem.x, problem.y, problem.eta)


@given(problems(hidden=(*DIFFERENTIABLE, *FLAT), outputs=(*DIFFERENTIABLE, *FLAT), depth=3))
@settings(max_examples=25)
def test_every_step_of_a_random_network_is_a_sound_formula_in_every_notation_and_mode(
    problem: Setup,
) -> None:
    trace = traced(problem)
    lines = [
        Line(Alphabet.of(way, trace.network, trace.samples), 4, env=trace)
        for way in PRESETS.values()
    ]
    for number, (tree, q) in enumerate(steps(trace)):
        line = lines[number % len(lines)]
        for mode in (RULE, SYMBOLS, NUMBERS):
            assert_sound(line.tree(arranged(tree, line.alphabet.notation), mode, "="))
        assert_sound(line.quantity(q))
        assert_sound(line.value(trace.value(q), "≈"))


@given(problems(hidden=(*DIFFERENTIABLE, *FLAT), outputs=(*DIFFERENTIABLE, *FLAT), depth=3))
@settings(max_examples=25)
def test_every_stage_of_a_random_network_is_a_sound_formula_in_every_notation(
    problem: Setup,
) -> None:
    trace = traced(problem)
    for way in PRESETS.values():
        line = Line(Alphabet.of(way, trace.network, trace.samples), 4, env=trace)
        for stage in LayerWalk(trace).stages:
            if not stage.layer or (stage.kind == "da/dz" and stage.layer == trace.blocked):
                continue
            tree = oriented(derive_stage(trace, stage).tree, way, flipped(stage.kind, way))
            assert_sound(line.matrix(stage.kind, stage.layer))
            for mode in (SYMBOLS, NUMBERS):
                assert_sound(line.tree(tree, mode, "="))
            assert_sound(line.tree(turned(result(trace, stage), way), NUMBERS, "="))


@given(extreme_problems())
@settings(max_examples=60)
def test_numbers_at_the_edges_of_float64_are_written_without_a_warning(problem: Setup) -> None:
    trace = traced(problem)
    line = Line(Alphabet.of(PRESETS["brackets"], trace.network, trace.samples), 4, env=trace)
    for tree, q in steps(trace):
        assert_sound(line.tree(tree, NUMBERS, "="))
        assert_sound(line.value(trace.value(q), "="))
    if trace.stop and trace.stop.why != "flat":
        assert_sound(line.tree(derive(trace, trace.stop.quantity).tree, NUMBERS, "="))
        assert_sound(line.value(trace.value(trace.stop.quantity), "="))


@given(problems(wide=False, depth=3))
@settings(max_examples=25)
def test_substituted_numbers_are_linked_to_the_steps_that_made_them(problem: Setup) -> None:
    trace = traced(problem)
    line = Line(Alphabet.of(PRESETS["brackets"], trace.network, trace.samples), 4, env=trace)
    for tree, _ in steps(trace):
        marked = {
            e.attrib["data-q"]
            for e in assert_sound(line.tree(tree, NUMBERS)).iter()
            if "data-q" in e.attrib
        }
        assert marked == {str(leaf.quantity) for leaf in leaves(tree, trace)}


def lines_of(name: str) -> tuple[Line, Trace]:
    scenario = load(next(path for path in SCENARIOS if path.stem == name))
    trace = open_lesson(scenario).trace
    way = notation(scenario.notation.preset, scenario.notation.overrides)
    return Line(Alphabet.of(way, trace.network, trace.samples), 4, env=trace), trace


def text(markup: str) -> str:
    return "".join(parsed(markup).itertext())


@pytest.mark.parametrize(
    ("scenario", "name", "mode", "seen"),
    [
        ("1-2-3-1-sigmoid", "z[2][1]", NUMBERS, "=0.3+0.2×0.5744 +0.1×0.5987"),
        ("1-2-3-1-sigmoid", "a[2][1]", NUMBERS, "=11+e−0.4748"),
        ("1-2-3-1-sigmoid", "dL/dz[3][1]", NUMBERS, "=−1.2921×0.1750"),
        ("1-2-3-1-sigmoid", "w+[2][1,2]", NUMBERS, "=0.1−0.1×(−0.0128)"),
        ("3-2-3-softmax", "dL/dz[2][1]", NUMBERS, "=−2.8995×0.2259 +0×(−0.1256) +0×(−0.1004)"),
        ("linear-regression", "dL/da[1][1]@2", NUMBERS, "=14×(2×(4.5−6))"),
        ("3-4-2-regression", "a[1][1]", NUMBERS, "=1since 1>0"),
    ],
)
def test_a_handful_of_steps_read_as_they_should(
    scenario: str, name: str, mode: str, seen: str
) -> None:
    line, trace = lines_of(scenario)
    tree = arranged(derive(trace, parse(name)).tree, line.alphabet.notation)
    assert re.sub(r"\s+", "", text(line.tree(tree, mode, "="))) == re.sub(r"\s+", "", seen)


def test_a_negative_number_has_a_prefix_minus_of_its_own() -> None:
    line, _ = lines_of("1-2-3-1-sigmoid")
    (number,) = parsed(line.value(-0.25)).iter("mrow")
    assert [(e.tag, e.text, e.attrib) for e in number] == [("mo", "−", {}), ("mn", "0.25", {})], (
        "the first of several is a prefix"
    )
    assert "<mo" not in line.value(0.25)
    assert "−" not in line.value(-0.0)


def test_a_negative_number_behind_another_sign_is_in_parentheses() -> None:
    line, _ = lines_of("1-2-3-1-sigmoid")
    first, second = Quantity("x", 0, 1), Quantity("x", 0, 2)
    tree = Sum((Ref(first), Ref(second)))
    assert (
        text(line.on(Numbers({first: -1.0, second: -2.0})).tree(tree, NUMBERS)).replace(" ", "")
        == "−1+(−2)"
    )


def test_a_power_of_ten_is_written_as_one() -> None:
    line, _ = lines_of("1-2-3-1-sigmoid")
    assert text(line.value(-1.5e-7)) == "−1.500·10−7"


def test_what_is_left_out_of_a_long_sum_is_counted_and_given() -> None:
    line = lines_of("1-2-3-1-sigmoid")[0].on(Arrays({"x": np.array([[1.0, *[0.15625] * 16, 3.0]])}))
    terms = Sum(
        (
            Ref(Quantity("x", 0, 1)),
            Elided(2, 17, Ref(Quantity("x", 0, K))),
            Ref(Quantity("x", 0, 18)),
        )
    )
    assert "16 more terms" in text(line.tree(terms, NUMBERS))
    assert "2.5" in text(line.tree(terms, NUMBERS))
    assert "⋯" in text(line.tree(terms, SYMBOLS))


def test_a_label_cannot_break_out_of_its_attribute() -> None:
    from tutor.notation.mathml import formula

    element = parsed(str(formula("<mn>1</mn>", '"><script>alert(1)</script>')))
    assert element[0].get("aria-label") == '"><script>alert(1)</script>'
    assert element.find(".//script") is None


def test_every_kind_of_quantity_has_a_colour_role() -> None:
    assert {role(kind) for kind in KINDS} == {"a", "y", "w", "b", "z", "l", "d", "g", "e"}
    assert role("w+") == role("w")
    assert {role(kind) for kind in ("dL/da", "dL/dz", "dL/dw", "dL/db")} == {"g"}


def test_a_large_matrix_shows_its_first_rows_a_gap_and_its_last() -> None:
    assert shown_rows(6) == [0, 1, 2, 3, 4, 5]
    assert shown_rows(7) == [0, 1, 2, 3, -1, 6]
    assert shown_rows(1) == [0]
