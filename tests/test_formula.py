"""The formula of a step: rule, symbols, numbers, result; what it uses and makes; other ways to the
same number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from math import exp, log, tanh

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.htmltree import read, text_of
from tests.strategies import extreme_problems, problems
from tests.visiting import NAMES, SATURATED, WALKS, context, scenario, steps, texts
from tutor import number
from tutor.cli.transcript import paragraphs
from tutor.engine.derivation import derive
from tutor.engine.kinds import PHASES
from tutor.engine.order import NumberOrder, stages
from tutor.engine.quantity import Quantity
from tutor.engine.trace import run
from tutor.engine.tree import leaves
from tutor.export import latex_document
from tutor.lesson.calculator import MORE, UNROUNDED
from tutor.lesson.explain import ROUNDED
from tutor.lesson.formula import Formula, FormulaWriter
from tutor.lesson.setup import Setup, build
from tutor.lesson.walk import GRAINS, Lesson, PassWalk, open_lesson
from tutor.notation.conventions import PRESETS, Alphabet, notation
from tutor.notation.mathml import Line
from tutor.pages.context import Context
from tutor.pages.step_body import StepBody, step_body
from tutor.pages.view import View
from tutor.scenario.reader import parse

ORDER = ["in short", "chain rule", "symbols", "numbers", "result", "percent"]


def shown(value: float, decimals: int = 4) -> str:
    sign = "=" if float(number.plain(value, decimals)) == value else "≈"
    return sign + number.shown(value, decimals).replace("e", "·10")


def formulas(problem: Setup, preset: str = "brackets", decimals: int = 4) -> FormulaWriter:
    trace = run(problem.network, problem.x, problem.y, problem.eta)
    return FormulaWriter(
        trace, Alphabet.of(notation(preset), trace.network, trace.samples), decimals
    )


def assert_sound(formula: Formula) -> None:
    labels = [line.label for line in formula.lines]
    assert labels == [label for label in ORDER if label in labels]
    for math in (
        formula.left,
        *(line.math for line in (*formula.lines, *formula.shortcut)),
    ):
        page = read(str(math))
        assert [p for p in page.problems if "headings" not in p] == []
        for element in page.root.elements:
            assert element.tag == "math"
            assert not re.search(r"[<>{}]|None|  ", element.attributes["aria-label"])


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", NAMES)
def test_every_formula_is_sound_in_every_notation_and_has_a_name(
    name: str, preset: str, grain: str
) -> None:
    own = context(name).notation.preset == preset
    for _, page in steps(name, View(grain=grain, notation="" if own else preset), every=4):
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
def test_the_result_of_any_network_is_the_engines_number(
    problem: Setup, preset: str, decimals: int
) -> None:
    writer = formulas(problem, preset, decimals)
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
        for line in formula.stable[-1:]:
            assert text_of(line.math) == shown(value, decimals)


@given(extreme_problems())
@settings(max_examples=60)
def test_formulas_at_the_edges_of_float64_do_not_break(problem: Setup) -> None:
    writer = formulas(problem)
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
        used = {ref.quantity for ref in leaves(derive(opened.trace, q).tree, opened.trace)}
        assert formula.uses == {u for u in used if u.kind != "eta"}
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


def saturated(
    grain: str, inputs: str = "[[1]]", targets: str = "[[0]]", softmax: bool = False
) -> StepBody:
    """The loss step of a lesson whose output is rounded to 1."""
    text = SATURATED.replace("[[1]]", inputs).replace("[[0]]", targets)
    if softmax:
        text = text.replace(
            "{units: 1, activation: sigmoid, weights: [[50]]",
            "{units: 2, activation: softmax, weights: [[800], [0]]",
        )
        text = text.replace("binary_cross_entropy", "cross_entropy")
    opened = Context(open_lesson(parse(text, "saturated.yaml")), View(grain=grain))
    return step_body(
        opened, next(first for phase, first, _ in opened.walk.phases() if phase == "loss")
    )


@pytest.mark.parametrize("grain", GRAINS)
def test_the_loss_of_a_saturated_output_says_why_the_numbers_do_not_give_it_and_how_it_is_computed(
    grain: str,
) -> None:
    body = saturated(grain)
    assert body.remark == ROUNDED
    (formula,) = body.formulas
    assert [line.label for line in formula.stable] == ["symbols", "numbers", "result"]
    assert text_of(formula.stable[1].math).replace(" ", "") == "=0×log(1+e−50)+(1−0)×log(1+e50)"
    assert formula.stable[-1].math == formula.lines[-1].math
    assert Quantity("z", 1, 1) in formula.uses
    assert_sound(formula)


@pytest.mark.parametrize("grain", GRAINS)
def test_so_does_the_loss_of_a_saturated_softmax_and_of_samples_among_others(grain: str) -> None:
    softmax = saturated(grain, targets="[[0, 1]]", softmax=True)
    assert softmax.remark == ROUNDED
    assert "800−0" in text_of(softmax.formulas[0].stable[1].math)
    assert saturated(grain, inputs="[[1], [0.01]]", targets="[[0], [1]]").remark == ROUNDED
    assert (
        saturated(grain, inputs="[[1], [2]]", targets="[[0, 1], [0, 1]]", softmax=True).remark
        == ROUNDED
    )
    assert saturated(grain, inputs="[[0.01]]").remark is None


@pytest.mark.parametrize("grain", GRAINS)
def test_the_loss_of_a_batch_is_shown_with_the_losses_of_its_samples(grain: str) -> None:
    opened = context("linear-regression", View(grain=grain))
    (loss,) = (
        f
        for _, page in steps("linear-regression", View(grain=grain))
        for f in page.formulas
        if Quantity("loss") in f.makes
    )
    assert [line.label for line in loss.lines] == ["symbols", "numbers", "result"]
    assert text_of(loss.lines[1].math) == "=14×(0.25+2.25+6.25+2.25)"
    assert text_of(loss.lines[2].math) == "=2.75"
    assert loss.uses == {Quantity("loss", sample=s) for s in (1, 2, 3, 4)}
    assert opened.trace.loss == 2.75


def test_the_losses_of_the_samples_have_another_symbol_than_the_loss_of_the_batch() -> None:
    for preset in PRESETS:
        letters = Alphabet.of(notation(preset), context("linear-regression").trace.network, 4)
        assert letters.matrix("loss", 0) != letters.symbol(Quantity("loss"))


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_share_of_a_sample_in_a_gradient_is_the_derivative_of_its_own_loss_over_the_samples(
    reduction: str,
) -> None:
    """Checked by its meaning: the symbol's factor times the gradient of the sample's own loss is
    the number.
    """
    file = scenario("linear-regression")
    problem = build(file)
    network = replace(problem.network, reduction=reduction)
    trace = run(network, problem.x, problem.y, 0.1)
    alone = run(network, problem.x[1:2], problem.y[1:2], 0.1)
    share, line = (
        Quantity("dL/dw", 1, 1, 1, 2),
        Line(Alphabet.of(notation("brackets"), network, 4), 4),
    )
    factor = 0.25 if reduction == "mean" else 1.0
    assert trace.value(share) == factor * alone.value(Quantity("dL/dw", 1, 1, 1))
    assert text_of(line.quantity(share)).startswith("14·∂L(2)" if reduction == "mean" else "∂L(2)")
    assert "∂L∂" in text_of(line.quantity(Quantity("dL/dw", 1, 1, 1)))


def test_a_number_is_called_equal_only_where_all_its_digits_are_shown() -> None:
    writer = context("1-2-3-1-sigmoid").formulas
    assert text_of(writer.number(Quantity("z", 1, 2)).lines[-1].math) == "=0.4"
    assert text_of(writer.number(Quantity("a", 1, 1)).lines[-1].math) == "≈0.5744"


def test_a_notation_that_assigns_writes_the_old_symbol_and_becomes() -> None:
    overridden = notation("brackets", {"update": "assign"})
    opened = context("1-2-3-1-sigmoid")
    writer = FormulaWriter(opened.trace, Alphabet.of(overridden, opened.trace.network, 1), 4)
    formula = writer.number(Quantity("w+", 3, 1, 1))
    assert formula.left == writer.line.quantity(Quantity("w", 3, 1, 1))
    assert text_of(formula.lines[0].math).startswith(":=")
    assert "becomes" in str(formula.lines[0].math)
    assert opened.formulas.number(Quantity("w+", 3, 1, 1)).left != opened.formulas.line.quantity(
        Quantity("w", 3, 1, 1)
    )


def test_a_flat_activation_has_a_symbol_and_no_lines() -> None:
    opened = context("perceptron-step")
    formula = opened.formulas.number(Quantity("da/dz", 1, 1))
    assert formula.lines == ()
    assert formula.left
    assert formula.makes == {Quantity("da/dz", 1, 1)}


def test_a_phase_has_every_matrix_with_its_symbols_and_its_result() -> None:
    for name in NAMES:
        walk = context(name, View(grain="pass")).walk
        assert isinstance(walk, PassWalk)
        for n, page in steps(name, View(grain="pass")):
            stages_ = walk.stages(n)
            assert [len(formula.makes) > 0 for formula in page.formulas] == [
                not page.stop or stage is not stages_[-1] for stage in stages_
            ]
            for stage, formula in zip(stages_, page.formulas, strict=True):
                # a loss, or how much it fell: of its few numbers none is left out
                few = not (stage.layer or stage.per_sample)
                assert [line.label for line in formula.lines] in (
                    ["symbols", *["numbers"] * few, "result"],
                    [],
                )


def test_line_shows_a_number_on_its_own() -> None:
    line = Line(context("1-2-3-1-sigmoid").alphabet, 4)
    assert text_of(line.value(-0.25, "=")) == "=−0.25"
    assert 'aria-label="equals minus 0.25"' in str(line.value(-0.25, "="))


# ---- what a calculator gives ----

RESULT = re.compile(r"([≈=]) (−?[\d.]+)")
ALLOWED = re.compile(r"(?:exp|log|tanh|max)\(|[-+*/().\d ]")


def typed(line: str) -> float | None:
    """The value of a line of numbers as a calculator has it; None where it has more than a
    calculator's keys. Knows nothing of trees.
    """
    text = (
        line.replace("−", "-")
        .replace("×", "*")
        .replace("·", "*")
        .replace("²", "**2")
        .replace("^", "**")
    )
    text = re.sub(r"\be\*\*\(", "exp(", text)
    if ALLOWED.sub("", text):
        return None
    try:
        return float(eval(text, {"exp": exp, "log": log, "tanh": tanh, "max": max}))  # noqa: S307 - our own text
    except (ZeroDivisionError, OverflowError, ValueError):
        return None


def checked_by_hand(lesson: Lesson, decimals: int) -> Iterator[tuple[str, bool, str]]:
    """(step, whether a calculator gives what it shows, what is said of its numbers)."""
    for text in paragraphs(lesson, "number", notation("brackets"), decimals):
        lines = [line.strip() for line in text.splitlines()]
        for before, line, after in zip(lines, lines[1:], [*lines[2:], ""], strict=False):
            found = RESULT.fullmatch(line)
            value = typed(before[2:]) if found and before[:2] in {"= ", "≈ "} else None
            if found and value is not None:
                result = found[2].replace("−", "-")
                half = 0.5 * 10.0 ** -len(result.partition(".")[2]) if found[1] == "≈" else 1e-9
                yield (
                    f"{lines[0]}: {before} {line}",
                    abs(value - float(result)) <= half * 1.0000001,
                    after if after.startswith("(") else "",
                )
                break


@pytest.mark.parametrize("decimals", [2, 4, 6])
@pytest.mark.parametrize("name", NAMES)
def test_the_shown_numbers_of_a_transcript_give_the_shown_results(name: str, decimals: int) -> None:
    found = list(checked_by_hand(context(name).lesson, decimals))
    assert found
    assert [step for step, gives, _ in found if not gives] == []


def test_some_numbers_need_more_decimals_and_most_do_not() -> None:
    found = [noted for name in NAMES for _, _, noted in checked_by_hand(context(name).lesson, 4)]
    assert len(found) > 450
    assert set(found) == {"", f"({MORE})"}
    assert 10 < len(found) - found.count("") < len(found) / 10


@pytest.mark.parametrize("name", NAMES)
def test_page_transcript_and_latex_say_it_at_the_same_steps(name: str) -> None:
    opened = context(name)
    own, decimals = opened.notation, opened.decimals
    said = [text.count(f"({MORE})") for text in paragraphs(opened.lesson, "number", own, decimals)]
    pages = [page.formulas[:1] for _, page in steps(name)]
    assert said == [
        sum(line.note == MORE for f in found for line in (*f.lines, *f.shortcut)) for found in pages
    ]
    shown_too = sum(
        line.note == MORE
        for _, page in steps(name)
        for f in page.formulas
        for line in (*f.lines, *f.shortcut)
    )
    assert (
        "".join(latex_document.document(opened, PHASES)).count(rf"\text{{({MORE})}}") == shown_too
    )


def test_only_numbers_have_a_note_and_none_where_a_phase_leaves_its_numbers_out() -> None:
    for grain in GRAINS:
        formulas = [
            f for _, page in steps("3-2-3-softmax", View(grain=grain)) for f in page.formulas
        ]
        notes = [(line.label, line.note) for f in formulas for line in f.lines]
        assert all(label == "numbers" for label, note in notes if note)
        assert any(note for _, note in notes)
        without = [f for f in formulas if "numbers" not in {line.label for line in f.lines}]
        assert bool(without) == (grain == "pass")
        assert not any(line.note for f in without for line in f.lines)


def test_numbers_of_which_some_are_left_open_have_no_note_and_the_same_digits() -> None:
    opened = context("1-2-3-1-sigmoid")
    q, slope = Quantity("dL/dz", 2, 3), Quantity("da/dz", 2, 3)

    def notes(*left_open: Quantity) -> list[tuple[str, str]]:
        hidden = FormulaWriter(
            opened.trace, opened.alphabet, opened.decimals, lambda one: one in left_open
        )
        return [(line.note, text_of(line.math)) for line in hidden.number(q).lines[-2:]]

    (note, numbers), (_, result) = notes()
    assert note == MORE
    assert notes(q)[0] == (MORE, numbers)
    assert notes(slope)[0] == ("", numbers.partition("×")[0] + "×")
    assert notes(slope)[1] == ("", result)


def test_a_result_that_is_left_open_has_no_note() -> None:
    lesson = open_lesson(parse(SATURATED, "saturated.yaml"))
    opened, q = Context(lesson, View()), Quantity("loss")
    assert opened.formulas.number(q).lines[-1].note == UNROUNDED
    hidden = FormulaWriter(opened.trace, opened.alphabet, opened.decimals, lambda one: one == q)
    assert hidden.number(q).lines[-1].note == ""


def test_the_page_says_it_in_words() -> None:
    text = next(text for n, text in texts("1-2-3-1-sigmoid") if n == 29)
    assert f"=−0.13566×0.23843 {MORE}≈−0.0323" in text_of(text).replace("\n", "")


def test_more_decimals_need_no_note_where_they_show_all_there_is() -> None:
    assert not any(
        line.note
        for _, page in steps("linear-regression", View(decimals=12))
        for f in page.formulas
        for line in f.lines
    )
