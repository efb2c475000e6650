"""Symbols as each lecture writes them, and what a notation may choose."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.closeness import ordered
from tests.strategies import problems
from tutor.engine.quantity import Quantity, parse
from tutor.engine.trace import run
from tutor.errors import LessonError
from tutor.lesson.setup import Setup
from tutor.lesson.walk import open_lesson
from tutor.notation.conventions import CHOICES, PRESETS, Alphabet, Symbol, notation
from tutor.scenario.reader import load

SCENARIOS = Path(__file__).parents[1] / "scenarios"


def alphabet(scenario: str, **overrides: str) -> Alphabet:
    """The alphabet of a scenario in its own notation, or with some choices made differently."""
    file = load(SCENARIOS / f"{scenario}.yaml")
    trace = open_lesson(file).trace
    return Alphabet.of(
        notation(file.notation.preset, file.notation.overrides | overrides),
        trace.network,
        trace.samples,
    )


def latex(symbol: Symbol) -> str:
    """A symbol as one would type it."""
    letter = rf"\hat{{{symbol.letter}}}" if symbol.hat else symbol.letter
    before = f"{{}}^{{{symbol.before}}}" if symbol.before else ""
    below = f"_{{{symbol.sub}}}" if symbol.sub else ""
    above = f"^{{{','.join(symbol.sup)}}}" if symbol.sup else ""
    return before + letter + below + above


def written(letters: Alphabet, name: str) -> str:
    return latex(letters.symbol(parse(name)))


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("x[1]", "x_{1}"),
        ("w[1][1,1]", "w_{11}^{[1]}"),
        ("w[1][2,1]", "w_{12}^{[1]}"),
        ("w[2][1,2]", "w_{21}^{[2]}"),
        ("w[2][3,1]", "w_{13}^{[2]}"),
        ("b[2][1]", "w_{01}^{[2]}"),
        ("w[3][1,2]", "w_{2}^{[3]}"),
        ("b[3][1]", "w_{0}^{[3]}"),
        ("z[2][3]", "z_{3}^{[2]}"),
        ("a[2][3]", "a_{3}^{[2]}"),
        ("a[3][1]", r"\hat{y}"),
        ("y[1]", "y"),
        ("loss", "L"),
        ("eta", "η"),
        ("w+[2][1,2]", "w_{21}^{[2],new}"),
        ("a+[3][1]", r"\hat{y}^{new}"),
        ("loss+", "L^{new}"),
    ],
)
def test_cpe_486_has_layers_in_brackets_and_the_bias_as_weight_zero(name: str, symbol: str) -> None:
    assert written(alphabet("1-2-3-1-sigmoid"), name) == symbol


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("x[3]", "x_{3}"),
        ("w[1][1,1]", "v_{11}"),
        ("w[1][2,3]", "v_{32}"),
        ("z[1][1]", "q_{1}"),
        ("a[1][1]", "h_{1}"),
        ("w[2][3,1]", "w_{13}"),
        ("z[2][3]", "z_{3}"),
        ("a[2][1]", "p_{1}"),
        ("y[2]", "y_{2}"),
        ("loss", "L"),
        ("eta", "η"),
        ("w+[1][1,1]", "v_{11}^{(t+1)}"),
    ],
)
def test_the_softmax_lecture_has_a_letter_for_each_table(name: str, symbol: str) -> None:
    assert written(alphabet("3-2-3-softmax"), name) == symbol


def test_the_softmax_lecture_names_its_tables() -> None:
    letters = alphabet("3-2-3-softmax")
    tables = [("x", 0), ("w", 1), ("z", 1), ("a", 1), ("w", 2), ("z", 2), ("a", 2), ("y", 0)]
    assert "".join(latex(letters.matrix(kind, layer)) for kind, layer in tables) == "XVQHWZPY"


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("w[1][2,3]", "w_{23}^{(1)}"),
        ("b[1][4]", "b_{4}^{(1)}"),
        ("w[2][1,4]", "w_{14}^{(2)}"),
        ("z[1][2]", "z_{2}^{(1)}"),
        ("x[3]", "x_{3}"),
        ("y[2]", "y_{2}"),
        ("eta", "η"),
    ],
)
def test_ece_484_has_layers_in_parentheses_and_indices_into_from(name: str, symbol: str) -> None:
    assert written(alphabet("3-4-2-regression"), name) == symbol


def test_ece_484_has_bold_capitals_for_matrices_and_bold_letters_for_columns() -> None:
    letters = alphabet("3-4-2-regression")
    assert latex(letters.matrix("w", 1)) == "W^{(1)}"
    assert latex(letters.matrix("w", 2)) == "W^{(2)}"
    assert latex(letters.matrix("b", 1)) == "b^{(1)}"
    assert latex(letters.matrix("x", 0)) == "x"
    assert all(letters.matrix(kind, 1).bold for kind in "wbza")


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("x[2]@3", "{}^{(3)}x_{2}"),
        ("y[1]@3", "{}^{(3)}y"),
        ("a[1][1]@3", r"{}^{(3)}\hat{y}"),
        ("z[1][1]@4", "{}^{(4)}z"),
        ("w[1][1,2]", "w_{2}"),
        ("b[1][1]", "b"),
        ("loss", "ℒ"),
        ("eta", "α"),
    ],
)
def test_engr_3321_has_the_sample_in_front_of_the_letter(name: str, symbol: str) -> None:
    assert written(alphabet("linear-regression"), name) == symbol


def test_engr_3321_has_a_capital_for_all_samples_and_small_letters_for_vectors() -> None:
    letters = alphabet("linear-regression")
    assert [
        latex(letters.matrix(kind, layer))
        for kind, layer in (("x", 0), ("w", 1), ("b", 1), ("y", 0))
    ] == ["X", "w", "b", "y"]


def test_indices_of_two_digits_are_kept_apart_by_a_comma() -> None:
    letters = Alphabet(PRESETS["brackets"], (12, 11, 2))
    assert written(letters, "w[1][11,12]") == "w_{12,11}^{[1]}"
    assert written(letters, "w[1][1,12]") == "w_{12,1}^{[1]}"
    assert written(letters, "w[1][1,2]") == "w_{21}^{[1]}"


def test_several_hidden_layers_keep_their_letters_apart_by_number() -> None:
    letters = Alphabet(PRESETS["letters"], (2, 2, 2, 2))
    assert written(letters, "z[1][1]") != written(letters, "z[2][1]")
    assert written(letters, "w[1][1,1]") != written(letters, "w[2][1,1]")


@pytest.mark.parametrize(
    ("choice", "value", "name", "symbol"),
    [
        ("layer_mark", "parentheses", "z[1][1]", "z_{1}^{(1)}"),
        ("layer_mark", "none", "z[1][1]", "z_{1}"),
        ("weight_index", "into_from", "w[2][1,2]", "w_{12}^{[2]}"),
        ("bias", "b", "b[2][1]", "b_{1}^{[2]}"),
        ("hidden", "h", "a[1][1]", "h_{1}^{(1)}"),
        ("output", "a", "a[3][1]", "a_{1}^{[3]}"),
        ("output", "p", "a[3][1]", "p"),
        ("loss", "J", "loss", "J"),
        ("learning_rate", "α", "eta", "α"),
        ("update", "t+1", "w+[1][1,1]", "w_{11}^{[1],(t+1)}"),
    ],
)
def test_a_single_choice_can_be_made_differently(
    choice: str, value: str, name: str, symbol: str
) -> None:
    assert written(alphabet("1-2-3-1-sigmoid", **{choice: value}), name) == symbol


def test_an_unknown_preset_choice_or_value_is_refused_with_what_there_is() -> None:
    with pytest.raises(LessonError, match="left_superscripts"):
        notation("greek")
    with pytest.raises(LessonError, match="layer_mark"):
        notation("brackets", {"colour": "red"})
    with pytest.raises(LessonError, match="w0, b"):
        notation("brackets", {"bias": "c"})


def test_every_choice_of_every_preset_is_one_of_those_listed() -> None:
    for preset in PRESETS.values():
        for choice, values in CHOICES.items():
            assert getattr(preset, choice) in values


@given(problems(wide=False))
@settings(max_examples=60)
def test_no_two_numbers_of_a_lesson_have_one_symbol(problem: Setup) -> None:
    trace = run(problem.network, problem.x, problem.y, problem.eta)
    steps = {q for q in ordered(trace) if re.fullmatch(r"[a-z]\+?|loss\+?", q.kind)}
    given_too = {
        Quantity("w", n, i, j)
        for n in range(1, trace.network.depth + 1)
        for i, j in ((1, 1), (trace.network.sizes[n], 1))
    }
    for preset in PRESETS.values():
        if preset.names == "letters" and trace.network.depth > 2:
            continue  # tables with letters are for one hidden layer
        letters = Alphabet.of(preset, trace.network, trace.samples)
        seen: dict[str, Quantity] = {}
        for q in steps | given_too:
            other = seen.setdefault(latex(letters.symbol(q)), q)
            assert other == q, (
                f"{other} and {q} are both {latex(letters.symbol(q))} in {preset.preset}"
            )


@given(problems(wide=False))
@settings(max_examples=30)
def test_what_the_marks_mean_is_said(problem: Setup) -> None:
    trace = run(problem.network, problem.x, problem.y, problem.eta)
    letters = Alphabet.of(PRESETS["brackets"], trace.network, trace.samples)
    for q in ordered(trace):
        if q.kind in {"z", "a", "z+", "a+"}:
            said = " ".join(letters.symbol(q).said)
            assert ("of sample" in said) == (q.sample > 0)
            assert ("after the update" in said) == q.kind.endswith("+")
