"""The small arithmetic of `checks` and `printed`: what it computes, what it refuses and with which
words.
"""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor import limits
from tutor.engine import quantity
from tutor.engine.tree import Negative, Number, Numbers, Product, Ref, leaves
from tutor.errors import QuantityError
from tutor.scenario.arithmetic import BadArithmeticError, evaluate, parse

VALUES = {"x[1]": 2.0, "y[1]": 1.0, "dL/dz[2][1]": -0.25, "(loss-loss+)/loss": 0.5}


def value(expression: str, **other: float) -> float:
    known = {quantity.parse(name): number for name, number in {**VALUES, **other}.items()}
    return evaluate(parse(expression), Numbers(known))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1", 1.0),
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * 3", 9.0),
        ("7 - 2 - 1", 4.0),
        ("8 / 4 / 2", 1.0),
        ("-2^2", -4.0),
        ("2^-1", 0.5),
        ("2 ** 3 ^ 2", 512.0),
        ("--2", 2.0),
        ("2 - -2", 4.0),
        ("1.5e2 + .5 + 2.", 152.5),
        ("8 * (16 * {x[1]} - {y[1]})", 248.0),
        ("{dL/dz[2][1]} * { x[1] }", -0.5),
        ("1 - {(loss-loss+)/loss}", 0.5),
        ("(" * 20 + "3" + ")" * 20, 3.0),
    ],
)
def test_it_computes_as_on_paper(expression: str, expected: float) -> None:
    assert value(expression) == expected


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", "at character 1: the expression ends where a number should come"),
        ("1 +", "at character 4: the expression ends where a number should come"),
        ("1 + * 2", "at character 5: a number should come here"),
        ("+1", "at character 1: a number should come here"),
        ("(1", "at character 3: a closing parenthesis is missing"),
        ("(1 2)", "at character 4: a closing parenthesis or an operator should come here"),
        ("1)", "at character 2: there is no opening parenthesis for it"),
        ("2 {x[1]}", "at character 3: an operator is missing"),
        ("2(3)", "at character 2: an operator is missing"),
        (
            "1 % 2",
            "at character 3: '%' cannot be used here; use numbers, + - * / ^, parentheses and {names}",
        ),
        (
            "exp(1)",
            "at character 1: 'e' cannot be used here; use numbers, + - * / ^, parentheses and {names}",
        ),
        (
            "1 + {x[1]",
            "at character 5: '{' cannot be used here; use numbers, + - * / ^, parentheses and {names}",
        ),
        ("{ }", "at character 1: the braces are empty; they hold the name of a quantity"),
        (
            "٣",
            "at character 1: '٣' cannot be used here; use numbers, + - * / ^, parentheses and {names}",
        ),
        (
            "1_0",
            "at character 2: '_' cannot be used here; use numbers, + - * / ^, parentheses and {names}",
        ),
        ("1e999", "at character 1: the number is too large"),
        (
            "(" * 21 + "1" + ")" * 21,
            "at character 22: more than 20 parentheses, signs and powers inside each other",
        ),
        (
            "-" * 400 + "1",
            "at character 22: more than 20 parentheses, signs and powers inside each other",
        ),
        ("1" * 501, "the expression has 501 characters; the limit is 500"),
        ("1 / 0", "divides by zero"),
        ("1 / (2 - {x[1]})", "divides by zero"),
        ("0 ^ -1", "divides by zero (0 to a negative power)"),
        ("2 ^ 101", "the exponent 101 is outside -100 to 100"),
        ("2 ^ 10 ^ 10", "the exponent 1e+10 is outside -100 to 100"),
        ("(-8) ^ (1 / 3)", "-8 to the power 0.333333 is not a real number"),
        ("1e300 ^ 2", "1e+300 to the power 2 is too large"),
        ("1e300 * 1e300", "the result is inf, which cannot be compared with a number"),
    ],
)
def test_what_it_cannot_read_or_compute_is_refused_with_the_place(
    expression: str, message: str
) -> None:
    with pytest.raises(BadArithmeticError) as caught:
        value(expression)
    assert str(caught.value) == message


def test_names_are_listed_once_in_the_order_of_their_first_use() -> None:
    tree = parse("{y[1]} * ({x[1]} - {y[1]}) / -{ x[2] }^2")
    assert [str(leaf.quantity) for leaf in leaves(tree)] == ["y[1]", "x[1]", "x[2]"]


def test_the_tree_can_be_walked() -> None:
    assert parse("2 * -{x[1]}") == Product((Number(2.0), Negative(Ref(quantity.parse("x[1]")))))


def test_a_name_that_is_none_is_told_where_the_rest_can_be_read() -> None:
    with pytest.raises(QuantityError, match="'q' is not the name of a quantity"):
        parse("{x[1]} + {q} * {p}")
    with pytest.raises(BadArithmeticError, match="at character 6"):
        parse("{q} +")


def test_a_top_of_zero_does_not_hide_a_division_by_zero() -> None:
    with pytest.raises(BadArithmeticError, match="divides by zero"):
        value("0 / 0")
    assert value("0 / 3") == 0.0


def test_a_value_that_is_not_finite_is_refused_and_not_compared() -> None:
    with pytest.raises(BadArithmeticError):
        value("{x[1]} * 2", **{"x[1]": math.nan})


def test_what_the_look_up_raises_is_passed_on() -> None:
    with pytest.raises(KeyError):
        value("{w[9][9,9]}")


def test_the_longest_chain_is_computed() -> None:
    assert value("1" + "+1" * ((limits.EXPRESSION - 1) // 2)) == 250.0


@given(st.text(alphabet="0123456789.eE+-*/^() {}x[]", max_size=60))
def test_any_text_has_a_value_or_a_reason(text: str) -> None:
    with contextlib.suppress(BadArithmeticError, QuantityError):
        assert math.isfinite(value(text, **{"x[1]": 1.5}))


_CHAINS = st.recursive(
    st.integers(0, 99).map(str),
    lambda inner: st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(
        lambda t: f"({t[0]} {t[1]} {t[2]})"
    ),
    max_leaves=8,
)


@given(_CHAINS)
def test_whole_numbers_are_computed_as_python_does(text: str) -> None:
    assert value(text) == float(eval(text))  # noqa: S307  (made of digits, + - * and parentheses above)
