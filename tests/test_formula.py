"""The formula of a step: rule, symbols, numbers, result; what it uses and makes; other ways to the same number."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.htmltree import read, text_of
from tests.strategies import extreme_problems, problems
from tests.visiting import NAMES, WALKS, context, steps
from tutor import number
from tutor.build import Problem
from tutor.derivation import derive
from tutor.expression import leaves
from tutor.formula import MOST_LINES, MOST_OPERANDS, Chalk, Formula
from tutor.lesson import GRAINS
from tutor.mathml import Line
from tutor.notation import PRESETS, Alphabet, notation
from tutor.order import NumberOrder, stages
from tutor.quantity import Quantity
from tutor.trace import run
from tutor.view import View

ORDER = ["in short", "chain rule", "symbols", "numbers", "result", "percent"]


def shown(value: float, decimals: int = 4) -> str:
    sign = "=" if float(number.plain(value, decimals)) == value else "≈"
    return sign + number.shown(value, decimals).replace("e", "·10")


def chalk(problem: Problem, preset: str = "brackets", decimals: int = 4) -> Chalk:
    trace = run(problem.network, problem.x, problem.y, problem.eta)
    return Chalk(trace, Alphabet.of(notation(preset), trace.network, trace.samples), decimals)


def assert_sound(formula: Formula) -> None:
    labels = [line.label for line in formula.lines]
    assert labels == [label for label in ORDER if label in labels]
    for math in (formula.left, *(line.math for line in (*formula.lines, *formula.shortcut)), *(o.symbol for o in formula.operands)):
        page = read(str(math))
        assert [p for p in page.problems if "headings" not in p] == []
        for element in page.root.elements:
            assert element.tag == "math"
            assert not re.search(r"[<>{}]|None|  ", element.attributes["aria-label"])


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", NAMES)
def test_every_formula_is_sound_in_every_notation_and_has_a_name(name: str, preset: str, grain: str) -> None:
    own = context(name).notation.preset == preset
    for _, page in list(steps(name, View(grain=grain, notation="" if own else preset)))[::4]:
        for formula in page.formulas:
            assert_sound(formula)


@pytest.mark.parametrize(("name", "grain"), [walk for walk in WALKS if walk[1] != "pass"])
def test_symbols_numbers_and_result_are_all_there(name: str, grain: str) -> None:
    for _, page in steps(name, View(grain=grain)):
        if not page.stop:
            labels = [line.label for line in page.formulas[0].lines if line.label != "percent"]
            assert labels[-3:] == ["symbols", "numbers", "result"]


@given(problems(depth=3, units=4, samples=3), st.sampled_from(sorted(PRESETS)), st.integers(0, 12))
@settings(max_examples=40)
def test_the_result_of_any_network_is_the_engines_number(problem: Problem, preset: str, decimals: int) -> None:
    writer = chalk(problem, preset, decimals)
    trace = writer.trace
    order = NumberOrder.of(trace.network, trace.samples, trace.blocked)
    for k in range(0, len(order), 1 + len(order) // 25):
        q = order[k]
        formula = writer.number(q)
        assert_sound(formula)
        value = trace.value(q)
        (result,) = (line for line in formula.lines if line.label == "result")
        assert text_of(result.math) == shown(value, decimals)
        assert formula.makes == {q}
        assert q not in formula.uses


@given(extreme_problems())
@settings(max_examples=60)
def test_formulas_at_the_edges_of_float64_do_not_break(problem: Problem) -> None:
    writer = chalk(problem)
    trace = writer.trace
    order = NumberOrder.of(trace.network, trace.samples, trace.blocked)
    end = order.rank(trace.stop.quantity) + 1 if trace.stop else len(order)
    for k in range(0, end, 1 + end // 12):
        assert_sound(writer.number(order[k]))
    if trace.stop is None:
        for stage in stages(trace.network, trace.samples)[::3]:
            assert_sound(writer.stage(stage))


@pytest.mark.parametrize("name", NAMES)
def test_a_formula_uses_exactly_the_leaves_of_its_tree(name: str) -> None:
    opened = context(name)
    for n, page in steps(name):
        formula = page.formulas[0]
        if page.stop:
            continue
        q = opened.walk.anchor(n)
        assert len(formula.operands) <= MOST_OPERANDS
        used = {ref.quantity for ref in leaves(derive(opened.trace, q).tree)}
        assert formula.uses == {u for u in used if u.kind != "eta"}
        assert {o.quantity for o in formula.operands} <= used
        assert all(u.given or opened.walk.known(u, n - 1) for u in used), (n, q)


@pytest.mark.parametrize("name", NAMES)
def test_another_way_arrives_at_the_same_number(name: str) -> None:
    ways = 0
    for _, page in steps(name):
        for formula in page.formulas:
            if formula.shortcut:
                ways += 1
                assert formula.shortcut[-1].label == "result"
                assert formula.shortcut[-1].math == formula.lines[-1].math
    fused = {"1-2-3-1-sigmoid": 1, "3-2-3-softmax": 3}
    assert ways == fused.get(name, 0)


def test_a_number_is_called_equal_only_where_all_its_digits_are_shown() -> None:
    writer = context("1-2-3-1-sigmoid").chalk
    assert text_of(writer.number(Quantity("z", 1, 2)).lines[-1].math) == "=0.4"
    assert text_of(writer.number(Quantity("a", 1, 1)).lines[-1].math) == "≈0.5744"


def test_a_notation_that_assigns_writes_the_old_symbol_and_becomes() -> None:
    overridden = notation("brackets", {"update": "assign"})
    opened = context("1-2-3-1-sigmoid")
    writer = Chalk(opened.trace, Alphabet.of(overridden, opened.trace.network, 1), 4)
    formula = writer.number(Quantity("w+", 3, 1, 1))
    assert formula.left == writer.line.quantity(Quantity("w", 3, 1, 1))
    assert text_of(formula.lines[0].math).startswith(":=")
    assert "becomes" in str(formula.lines[0].math)
    assert opened.chalk.number(Quantity("w+", 3, 1, 1)).left != opened.chalk.line.quantity(Quantity("w", 3, 1, 1))


def test_a_flat_activation_has_a_symbol_and_no_lines() -> None:
    opened = context("perceptron-step")
    formula = opened.chalk.number(Quantity("da/dz", 1, 1))
    assert formula.lines == ()
    assert formula.left
    assert formula.makes == {Quantity("da/dz", 1, 1)}


def test_a_long_phase_is_cut_to_a_page() -> None:
    for name in NAMES:
        for _, page in steps(name, View(grain="pass")):
            assert 1 <= len(page.formulas) <= MOST_LINES
            for formula in page.formulas:
                assert {line.label for line in formula.lines} <= {"symbols", "result", "numbers"}


def test_chains_are_written_out_for_gradients_of_single_weights() -> None:
    opened = context("1-2-3-1-sigmoid")
    written = opened.chalk.chain(Quantity("dL/dw", 1, 1, 1))
    assert written is not None
    assert_sound(written)
    assert written.lines[-1].math == opened.chalk.number(Quantity("dL/dw", 1, 1, 1)).lines[-1].math
    assert opened.chalk.chain(Quantity("z", 1, 1)) is None


def test_line_shows_a_number_on_its_own() -> None:
    line = Line(context("1-2-3-1-sigmoid").alphabet, 4)
    assert text_of(line.value(-0.25, "=")) == "=−0.25"
    assert 'aria-label="equals minus 0.25"' in str(line.value(-0.25, "="))
