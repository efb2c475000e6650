"""Formulas as spoken words: the same traversal as the formulas, in plain letters."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.closeness import ordered
from tests.strategies import DIFFERENTIABLE, FLAT, extreme_problems, problems
from tutor.engine.derivation import derive, derive_stage
from tutor.engine.quantity import parse
from tutor.engine.trace import Trace, run
from tutor.lesson.setup import Setup
from tutor.lesson.walk import LayerWalk, open_lesson
from tutor.notation.conventions import PRESETS, Alphabet, arranged, flipped, notation, oriented
from tutor.notation.speech import Words, spoken
from tutor.notation.writer import NUMBERS, RULE, SYMBOLS, Writer
from tutor.scenario.reader import load

SCENARIOS = Path(__file__).parents[1] / "scenarios"
ALLOWED = re.compile(r"(?:[A-Za-z0-9 .,;()]|(?<=[a-z])-(?=[a-z]))+", re.ASCII)


def traced(problem: Setup) -> Trace:
    return run(problem.network, problem.x, problem.y, problem.eta)


def assert_speakable(pieces: list[str]) -> None:
    text = " ".join(pieces)
    assert ALLOWED.fullmatch(text), text
    assert "  " not in text
    assert text.count("(") == text.count(")")
    assert not re.search(r"\d[eE]\d", text)


@given(problems(hidden=(*DIFFERENTIABLE, *FLAT), outputs=(*DIFFERENTIABLE, *FLAT), depth=3))
@settings(max_examples=30)
def test_every_step_can_be_read_out_in_plain_letters(problem: Setup) -> None:
    trace = traced(problem)
    for number, q in enumerate(ordered(trace)):
        way = list(PRESETS.values())[number % 4]
        letters = Alphabet.of(way, trace.network, trace.samples)
        found = derive(trace, q)
        for tree in (found.tree, found.name, found.shortcut):
            if tree is not None:
                for mode in (RULE, SYMBOLS, NUMBERS):
                    assert_speakable(Words(letters, 4, mode, env=trace).pieces(arranged(tree, way)))
        assert_speakable([Words(letters, 4).name(q)])


@given(problems(hidden=DIFFERENTIABLE, depth=3))
@settings(max_examples=30)
def test_every_stage_can_be_read_out_in_plain_letters(problem: Setup) -> None:
    trace = traced(problem)
    for way in PRESETS.values():
        letters = Alphabet.of(way, trace.network, trace.samples)
        for stage in LayerWalk(trace).stages:
            if stage.layer:
                tree = oriented(derive_stage(trace, stage).tree, way, flipped(stage.kind, way))
                for mode in (SYMBOLS, NUMBERS):
                    assert_speakable(Words(letters, 4, mode, env=trace).pieces(tree))
                assert_speakable([Words(letters, 4).matrix_name(stage.kind, stage.layer)])


@given(extreme_problems())
@settings(max_examples=40)
def test_numbers_at_the_edges_of_float64_can_be_read_out(problem: Setup) -> None:
    trace = traced(problem)
    letters = Alphabet.of(PRESETS["brackets"], trace.network, trace.samples)
    for q in ordered(trace):
        assert_speakable(Words(letters, 4, NUMBERS, env=trace).pieces(derive(trace, q).tree))


@pytest.mark.parametrize(
    ("scenario", "name", "mode", "words"),
    [
        ("1-2-3-1-sigmoid", "z[2][1]", SYMBOLS,
         "w 0 1 of layer 2 plus w 1 1 of layer 2 times a 1 of layer 1 plus w 2 1 of layer 2 times a 2 of layer 1"),
        ("1-2-3-1-sigmoid", "z[2][1]", NUMBERS, "0.3 plus 0.2 times 0.5744 plus 0.1 times 0.5987"),
        ("1-2-3-1-sigmoid", "a[2][1]", NUMBERS, "the fraction 1 over 1 plus e to the power of minus 0.4748, end of fraction"),
        ("1-2-3-1-sigmoid", "loss", SYMBOLS, "minus (y times log of y hat plus (1 minus y) times log of (1 minus y hat))"),
        ("1-2-3-1-sigmoid", "dL/dz[3][1]", SYMBOLS, "derivative of L with respect to y hat times derivative of y hat with respect to z 1 of layer 3"),
        ("1-2-3-1-sigmoid", "dL/dz[3][1]", NUMBERS, "minus 1.2921 times 0.1750"),
        ("1-2-3-1-sigmoid", "dL/dw[2][1,2]", RULE,
         "derivative of L with respect to z 1 of layer 2 times derivative of z 1 of layer 2 with respect to w 2 1 of layer 2"),
        ("1-2-3-1-sigmoid", "w+[2][1,2]", NUMBERS, "0.1 minus 0.1 times (minus 0.0128)"),
        ("3-2-3-softmax", "da/dz[2][1,2]", NUMBERS, "minus 0.3449 times 0.3641"),
        ("linear-regression", "loss@1", SYMBOLS, "(y hat of sample 1 minus y of sample 1) squared"),
        ("linear-regression", "loss", SYMBOLS, "1 over 4 times (L of sample 1 plus L of sample 2 plus L of sample 3 plus L of sample 4)"),
        ("linear-regression", "loss", NUMBERS, "1 over 4 times (0.25 plus 2.25 plus 6.25 plus 2.25)"),
        ("3-4-2-regression", "a[1][1]", SYMBOLS, "z 1 of layer 1 if z 1 of layer 1 is above 0; 0 if z 1 of layer 1 is 0 or less"),
        ("3-4-2-regression", "da/dz[1][2]", NUMBERS, "1, since 1.3 is above 0"),
    ],
)  # fmt: skip
def test_a_handful_of_steps_are_read_out_as_a_teacher_would(
    scenario: str, name: str, mode: str, words: str
) -> None:
    file = load(SCENARIOS / f"{scenario}.yaml")
    trace = open_lesson(file).trace
    way = notation(file.notation.preset, file.notation.overrides)
    letters = Alphabet.of(way, trace.network, trace.samples)
    assert (
        " ".join(
            Words(letters, 4, mode, env=trace).pieces(
                arranged(derive(trace, parse(name)).tree, way)
            )
        )
        == words
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.5, "0.5"),
        (-0.22609, "minus 0.2261"),
        (-0.0, "0"),
        (1.5e-7, "1.500 times 10 to the minus 7"),
        (-2e9, "minus 2.000 times 10 to the 9"),
        (float("inf"), "infinity"),
        (float("-inf"), "minus infinity"),
        (float("nan"), "not a number"),
    ],
)
def test_a_number_is_read_out_with_the_word_minus(value: float, words: str) -> None:
    assert spoken(value, 4) == words


def test_every_construct_of_a_formula_has_its_words() -> None:
    methods = {name: method for name, method in vars(Writer).items() if inspect.isfunction(method)}
    constructs = {
        name
        for name, method in methods.items()
        if "NotImplementedError" in inspect.getsource(method)
    }
    assert {"fraction", "power", "cases", "between"} <= constructs
    assert constructs <= set(vars(Words))
