"""Shown numbers agree with each other: whoever types the numbers of a formula gets its result."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rules import Arrays
from tests.strategies import problems
from tests.typed import gives, typed
from tests.visiting import NAMES, SATURATED, context
from tutor import number
from tutor.engine.order import NumberOrder, Stage, stages
from tutor.engine.quantity import Quantity
from tutor.engine.trace import run
from tutor.engine.tree import ArrayRef, Difference, Node, Number, Numbers, Product, Ref
from tutor.lesson.calculator import MORE, UNROUNDED, Digits, enough
from tutor.lesson.explain import ROUNDED
from tutor.lesson.formula import Formula, FormulaLine, FormulaWriter
from tutor.lesson.graph_lesson import open_graph
from tutor.lesson.setup import Setup, build
from tutor.notation.conventions import PRESETS, Alphabet, notation
from tutor.pages.context import Context
from tutor.pages.graph_context import GraphContext
from tutor.pages.graph_view import GraphView
from tutor.pages.paths_page import paths_page
from tutor.pages.view import View
from tutor.scenario.reader import GraphScenario, load, parse

Way = tuple[FormulaLine, ...]
FORMULAS = [
    file
    for folder in ("graphs", "operations")
    for file in sorted((Path(__file__).parents[1] / "scenarios" / folder).glob("*.yaml"))
]
"""The lessons of formulas that come with the tutor."""


def ways(formula: Formula) -> Iterator[tuple[FormulaLine, FormulaLine]]:
    """The numbers and the result of a formula, and of every other way to it."""
    for way in (formula.lines, formula.stable, formula.shortcut):
        lines = {line.label: line for line in way}
        if "numbers" in lines:
            yield lines["numbers"], lines["result"]


def shown_of(writer: FormulaWriter, every: int = 1) -> Iterator[tuple[str, Formula]]:
    """Every formula of a lesson: of its numbers, of its matrices."""
    trace = writer.trace
    order = NumberOrder.of(trace.network, trace.samples, trace.blocked)
    for k in range(0, len(order), every):
        yield str(order[k]), writer.number(order[k])
    for stage in stages(trace.network, trace.samples):
        if not trace.blocked:
            yield f"{stage.kind}[{stage.layer}]", writer.stage(stage)


def disagreeing(writer: FormulaWriter, every: int = 1) -> tuple[list[str], int]:
    """Where the shown numbers do not give the shown result, though nothing is said; how many were
    typed.
    """
    wrong, count = [], 0
    for name, formula in shown_of(writer, every):
        for numbers, result in ways(formula):
            agree = gives(numbers.math, result.math, writer.decimals)
            count += agree is not None
            if agree is False and result.note != UNROUNDED:
                wrong.append(f"{name}: {numbers.math} {result.math}")
    return wrong, count


def disagreeing_paths(opened: Context, every: int = 1) -> tuple[list[str], int]:
    """The same for the product of each path of the chain rule, and for their sum."""
    wrong, count = [], 0
    trace = opened.trace
    if trace.blocked:
        return [], 0
    order = NumberOrder.of(trace.network, trace.samples, trace.blocked)
    alone = trace.samples == 1
    gradients = [q for q in order if q.of.derivative and q.of.role == "gradient"]
    for q in [q for q in gradients if alone or q.sample][::every]:
        page = paths_page(opened, q)
        shown = [(row.lines[-1].math, row.value) for row in page.rows]
        if len(page.total) > 1:
            shown.append((page.total[0].math, page.total[1].math))
        for numbers, result in shown:
            agree = gives(numbers, result, opened.decimals)
            count += agree is not None
            if agree is False:
                wrong.append(f"{q}: {numbers} {result}")
    return wrong, count


@pytest.mark.parametrize("decimals", [1, 2, 4, 6])
@pytest.mark.parametrize("name", NAMES)
def test_the_shown_numbers_of_every_step_give_the_shown_result(name: str, decimals: int) -> None:
    opened = context(name, View(decimals=decimals))
    wrong, count = disagreeing(opened.formulas)
    wrong_paths, more = disagreeing_paths(opened)
    assert wrong + wrong_paths == []
    assert count + more > {"perceptron-step": 2, "one-weight": 20}.get(name, 30)


@pytest.mark.parametrize("preset", PRESETS)
def test_they_do_in_every_notation(preset: str) -> None:
    for name in NAMES:
        view = View(notation="" if context(name).notation.preset == preset else preset)
        opened = context(name, view)
        assert disagreeing(opened.formulas, every=3)[0] == []
        assert disagreeing_paths(opened, every=3)[0] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_step_of_a_lesson_needs_unrounded_values(name: str) -> None:
    for q, formula in shown_of(context(name).formulas):
        assert [line.note for _, line in ways(formula) if line.note] == [], q


@pytest.mark.parametrize("decimals", [2, 4])
@pytest.mark.parametrize("file", FORMULAS, ids=lambda file: file.stem)
def test_the_shown_numbers_of_every_node_give_the_shown_result(file: Path, decimals: int) -> None:
    scenario = load(file)
    assert isinstance(scenario, GraphScenario)
    opened = GraphContext(open_graph(scenario), GraphView(decimals=decimals))
    writer, wrong, count = opened.formulas, [], 0
    numbers = opened.lesson.walk("number")
    shown = [writer.number(numbers.anchor(n)) for n in range(1, len(numbers) + 1)]
    shown += [writer.whole(made) for made in opened.lesson.walk("layer").computed]
    for formula in shown:
        for line, result in ways(formula):
            agree = gives(line.math, result.math, decimals)
            count += agree is not None
            if agree is False and result.note != UNROUNDED:
                wrong.append(f"{formula.left}: {line.math} {result.math}")
    assert wrong == []
    assert count >= 4


@given(problems(skipping=True), st.sampled_from(sorted(PRESETS)), st.integers(0, 8))
@settings(max_examples=60)
def test_the_shown_numbers_of_any_network_give_the_shown_result(
    problem: Setup, preset: str, decimals: int
) -> None:
    trace = run(problem.network, problem.x, problem.y, problem.eta)
    alphabet = Alphabet.of(notation(preset), trace.network, trace.samples)
    writer = FormulaWriter(trace, alphabet, decimals)
    order = NumberOrder.of(trace.network, trace.samples, trace.blocked)
    wrong, _ = disagreeing(writer, every=1 + len(order) // 25)
    assert wrong == []


@given(
    problems(
        hidden=("sigmoid", "tanh", "relu", "elu"),
        outputs=("sigmoid", "tanh", "identity"),
        losses=("squared_error", "half_squared_error"),
        depth=3,
        units=3,
        wide=False,
        scales=(0.5,),
    ),
    st.integers(2, 8),
)
@settings(max_examples=40)
def test_a_network_that_is_not_saturated_needs_no_unrounded_values(
    problem: Setup, decimals: int
) -> None:
    trace = run(problem.network, problem.x, problem.y, problem.eta)
    writer = FormulaWriter(
        trace, Alphabet.of(notation("brackets"), trace.network, trace.samples), decimals
    )
    for q in list(NumberOrder.of(trace.network, trace.samples, trace.blocked))[::3]:
        assert all(result.note == "" for _, result in ways(writer.number(q))), q


def number_lines(
    writer: FormulaWriter, every: int = 1
) -> Iterator[tuple[FormulaLine, FormulaLine]]:
    for _, formula in shown_of(writer, every):
        yield from ways(formula)


def test_more_decimals_are_few_and_say_so() -> None:
    notes = [numbers.note for name in NAMES for numbers, _ in number_lines(context(name).formulas)]
    assert set(notes) == {"", MORE}
    assert 20 < notes.count(MORE) < len(notes) / 5


def test_no_line_has_more_decimals_than_it_takes() -> None:
    values = {Quantity("z", 1, 1): 0.123456, Quantity("z", 1, 2): 700.0}
    env = Numbers(values)
    product = Product((Ref(Quantity("z", 1, 1)), Ref(Quantity("z", 1, 2))))
    value = np.float64(0.123456 * 700.0)
    assert enough(product, value, env, 6) == Digits(0)
    assert enough(product, value, env, 5) == Digits(1)
    assert enough(product, value, env, 4) == Digits(2)
    assert enough(product, value, env, 0) == Digits(1)


def test_a_power_of_ten_gets_more_digits_as_well() -> None:
    tiny = Ref(Quantity("z", 1, 1))
    value = np.float64(2.63951e-7 * 3000.0)
    env = Numbers({tiny.quantity: 2.63951e-7})
    found = enough(Product((tiny, Number(3000.0))), value, env, 4)
    assert found == Digits(1)
    assert number.plain(2.63951e-7, 4) == "2.640e-7"
    assert number.plain(2.63951e-7, 4, found.more) == "2.6395e-7"


def test_where_no_digits_are_left_the_result_says_so() -> None:
    one = Ref(Quantity("a", 1, 1))
    tree: Node = Difference(Number(1.0), one)
    assert enough(tree, np.float64(1e-20), Numbers({one.quantity: 1.0}), 4) == Digits(0, False)
    problem = build(parse(SATURATED, "saturated.yaml"))
    trace = run(problem.network, problem.x, problem.y, problem.eta)
    writer = FormulaWriter(trace, Alphabet.of(notation("brackets"), trace.network, 1), 4)
    formula = writer.stage(Stage("loss", "loss"))
    assert formula.remark is ROUNDED
    assert [line.note for line in formula.lines] == ["", "", UNROUNDED]
    assert gives(formula.stable[-2].math, formula.stable[-1].math, 4)


def test_what_is_left_out_cannot_be_typed() -> None:
    tree = Product((ArrayRef("z", 1), ArrayRef("a", 1)))
    large, small = (
        Arrays({"z": np.full((1, n), 0.12345), "a": np.full((1, n), 3.0)}) for n in (7, 6)
    )
    assert enough(tree, np.full((1, 6), 0.37035), small, 2).more > 0
    assert enough(tree, np.full((1, 7), 0.37035), large, 2) == Digits()


def test_the_reader_with_the_calculator_can_calculate() -> None:
    assert (
        typed("<math><mo>=</mo><mn>2</mn><mo>·</mo><msup><mn>10</mn><mn>−3</mn></msup></math>")
        == 0.002
    )
    opened = context("1-2-3-1-sigmoid").formulas.number(Quantity("z", 2, 1))
    numbers, result = next(ways(opened))
    assert gives(numbers.math, result.math, 4)
    assert not gives(numbers.math.replace("0.5744", "0.5740"), result.math, 4)
