"""Formulas as one types them: what they mean, and where and why they cannot be read."""

from __future__ import annotations

import pytest

from tutor import limits
from tutor.engine.graph import Applied, Constant, Name
from tutor.scenario.formula_text import FormulaTextError, operations, parse, unfit_name

X, Y = Name("x"), Name("y")


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("x + y", Applied("+", (X, Y))),
        ("x + y + x", Applied("+", (X, Y, X))),
        ("x - y", Applied("-", (X, Y))),
        ("x*y/x", Applied("/", (Applied("*", (X, Y)), X))),
        ("x · y", Applied("*", (X, Y))),
        ("x ÷ y − x", Applied("-", (Applied("/", (X, Y)), X))),
        ("-x**2", Applied("neg", (Applied("**", (X, Constant(2.0))),))),
        ("x^y^2", Applied("**", (X, Applied("**", (Y, Constant(2.0)))))),
        ("2**-x", Applied("**", (Constant(2.0), Applied("neg", (X,))))),
        ("1/4*x", Applied("*", (Constant(0.25), X))),
        ("-3*x", Applied("*", (Constant(-3.0), X))),
        ("σ(x)", Applied("sigmoid", (X,))),
        ("max(x, 0.5)", Applied("max", (X, Constant(0.5)))),
        ("1/0*x", Applied("*", (Applied("/", (Constant(1.0), Constant(0.0))), X))),
        ("x", X),
    ],
)
def test_a_formula_means_what_a_lecture_means(text: str, meaning: object) -> None:
    found = parse(text)
    assert found.expression == meaning
    assert found.problems == ()


def test_the_names_of_a_formula_are_known_with_their_first_places() -> None:
    assert parse("y + x*y").names == {"y": 1, "x": 5}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(x + y", "a closing parenthesis is missing"),
        ("x + y)", "at character 6: there is no opening parenthesis"),
        ("x +", "the formula ends where a name or a number should come"),
        ("", "the formula ends"),
        ("2x", "to multiply, write 2\\*x"),
        ("x y", "an operator is missing"),
        ("0,5*x", "write a decimal point"),
        ("x + * y", "at character 5: a name, a number or \\( should come here, not \\*"),
        ("x # y", "at character 3: '#' cannot be used here"),
        ("exp + x", "exp is a function and needs its input in parentheses, such as exp\\(x\\)"),
        ("x + max", "such as max\\(a, b\\)"),
        ("1e999*x", "too large"),
        ("__import__('os')", "cannot be used here"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(text: str, words: str) -> None:
    with pytest.raises(FormulaTextError, match=words):
        parse(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sigmod(x)", "at character 1: there is no function called sigmod; did you mean sigmoid?"),
        ("x + foo(x)", "there are exp, log, sqrt"),
        ("max(x)", "max takes 2 inputs, but here it has 1"),
        ("exp(x, y)", "exp takes 1 input, but here it has 2"),
    ],
)
def test_functions_that_there_are_not_are_said_all_at_once(text: str, words: str) -> None:
    (problem,) = parse(text).problems
    assert words in problem
    assert len(parse(f"{text} + nope(x)").problems) == 2


def test_a_formula_has_a_limit_of_length_and_depth_that_the_message_names() -> None:
    with pytest.raises(FormulaTextError, match=f"the limit is {limits.GRAPH_EXPRESSION:,}"):
        parse("x+" * limits.GRAPH_EXPRESSION + "x")
    deep = limits.GRAPH_DEPTH + 1
    with pytest.raises(FormulaTextError, match=f"more than {limits.GRAPH_DEPTH} parentheses"):
        parse("(" * deep + "x" + ")" * deep)
    assert operations(parse("(" * 40 + "x + y" + ")" * 40).expression) == 1


def test_a_long_chain_is_as_long_as_it_is() -> None:
    assert operations(parse("*".join(["x"] * 1_500)).expression) == 1_499


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("1x", "a letter, then"),
        ("x-y", "a letter, then"),
        ("x" * 30, "at most 24 characters"),
        ("exp", "is a function"),
        ("n12", "inner nodes without a name"),
        ("grain", "a setting in the address"),
        ("null", "a word of the file format"),
    ],
)
def test_a_name_that_cannot_be_one_is_refused_with_the_reason(name: str, words: str) -> None:
    assert words in unfit_name(name)


@pytest.mark.parametrize("name", ["x", "w0", "W_out", "nu", "n", "loss", "yes"])
def test_usual_names_can_be_used(name: str) -> None:
    assert unfit_name(name) == ""
