"""Numbers as text and texts as numbers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.errors import NumberError
from tutor.number import MINUS, counted, exact, fixed, not_whole, parts, plain, read, shown, whole

finite = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0.5744425168116589, 4, "0.5744"),
        (0.1, 4, "0.1"),
        (2.0, 4, "2"),
        (-0.25, 4, "-0.25"),
        (0.0, 4, "0"),
        (-0.0, 4, "0"),
        (-0.2261, 2, "-0.23"),
        (1e-7, 6, "1.000e-7"),
        (1.31e-7, 4, "1.310e-7"),
        (-0.00004, 4, "-4.000e-5"),
        (5e-324, 4, "4.941e-324"),
        (1.7976931348623157e308, 4, "1.798e308"),
        (12345678.9, 4, "1.235e7"),
        (123456.789, 2, "123456.79"),
        (0.1 + 0.2, 4, "0.3"),
        (1 - 2**-53, 4, "1.0000"),
        (1 / 3, 12, "0.333333333333"),
        (float("inf"), 4, "inf"),
        (float("-inf"), 4, "-inf"),
        (float("nan"), 4, "nan"),
    ],
)
def test_a_number_is_shown_by_the_one_rule(value: float, decimals: int, text: str) -> None:
    assert plain(value, decimals) == text


@given(finite, st.integers(0, 12))
def test_a_number_other_than_zero_never_reads_as_zero_and_zero_has_no_sign(
    value: float, decimals: int
) -> None:
    text = plain(value, decimals)
    assert (float(text) == 0) == (value == 0)
    assert text.startswith("-") == (value < 0)


@given(finite, st.integers(0, 12))
def test_what_is_shown_is_within_the_rounding_of_the_decimals_or_of_two_digits(
    value: float, decimals: int
) -> None:
    if abs(value) > 1.7e308:
        return  # two digits of such a number may round up past the end of float64
    error = abs(float(plain(value, decimals)) - value)
    assert error <= 0.5 * 10.0**-decimals * (1 + 1e-9) or error <= 0.051 * abs(value)


@given(st.floats(-9_999, 9_999), st.integers(2, 12))
def test_the_exact_text_of_a_short_decimal_is_kept(value: float, decimals: int) -> None:
    short = round(value, 2)
    if short and abs(short) >= 0.01:
        assert float(plain(short, decimals)) == short


@pytest.mark.parametrize("decimals", [0, 1])
@pytest.mark.parametrize("value", [3.7, 0.57444, -8.04])
def test_powers_of_ten_do_not_take_over_for_an_everyday_number(value: float, decimals: int) -> None:
    assert "e0" not in plain(value, decimals)


def test_reading_text_has_a_real_minus_sign_and_words() -> None:
    assert shown(-0.25) == f"{MINUS}0.25"
    assert shown(1.5e-7) == f"1.500e{MINUS}7"
    assert shown(float("inf")) == "∞"
    assert shown(float("-inf")) == f"{MINUS}∞"
    assert shown(float("nan")) == "not a number"


@pytest.mark.parametrize(
    ("value", "taken_apart"),
    [
        (-0.5, (True, "0.5", "")),
        (2.0, (False, "2", "")),
        (-1.5e-7, (True, "1.500", f"{MINUS}7")),
        (3e9, (False, "3.000", "9")),
        (-0.0, (False, "0", "")),
        (float("-inf"), (True, "∞", "")),
        (float("nan"), (False, "not a number", "")),
    ],
)
def test_a_number_is_taken_apart_for_a_formula(
    value: float, taken_apart: tuple[bool, str, str]
) -> None:
    assert parts(value) == taken_apart


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0.35, 4, "0.3500"), (0.291027926, 9, "0.291027926"), (-0.4, 0, "0"), (-0.2261, 2, f"{MINUS}0.23"), (-1e-9, 3, "0.000"),
        (2.64e-7, 4, "0.0000"), (12345678.5, 1, "12345678.5"), (math.inf, 2, "∞"), (-math.inf, 2, f"{MINUS}∞"), (1e300, 2, "1.0e300"),
    ],
)  # fmt: skip
def test_a_fixed_number_has_all_its_decimals(value: float, decimals: int, text: str) -> None:
    assert fixed(value, decimals) == text


def test_things_are_counted_with_the_right_word() -> None:
    assert [counted(n, "number") for n in (0, 1, 2, 1200)] == [
        "0 numbers",
        "1 number",
        "2 numbers",
        "1,200 numbers",
    ]


@given(finite)
def test_the_exact_text_reads_back_as_the_same_number(value: float) -> None:
    assert float(exact(value)) == value
    assert math.copysign(1, float(exact(value))) == math.copysign(1, value)


@given(st.floats(-1e6, 1e6))
def test_what_is_shown_can_be_read(value: float) -> None:
    assert read(shown(value, 6)) == float(plain(value, 6))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", 0.1), (" 0.1 ", 0.1), ("0,5", 0.5), ("-1e-3", -0.001), (f"{MINUS}2", -2.0), ("+3", 3.0), (".5", 0.5),
        ("5.", 5.0), ("1/3", 1 / 3), ("-1 / 4", -0.25), ("1E5", 1e5), ("007", 7.0), ("1e-9999", 0.0),
    ],
)  # fmt: skip
def test_a_number_is_read_as_people_write_it(text: str, value: float) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "", " ", ".", "-", "1_000", "1.2.3", "1,2,3", "inf", "nan", "Infinity", "0x10", "١", "1e", "e5", "1e99999", "1e309",
        "-2e308", "1/0", "1/2/3", "1/-2", "0,5x", "--1", "1 2", "5%", "9" * 41, "1e400", "\x00", "½",
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused_and_never_guessed(text: str) -> None:
    with pytest.raises(NumberError):
        read(text)


@given(st.text(max_size=60))
def test_any_text_is_a_finite_number_or_a_number_error(text: str) -> None:
    message = ""
    try:
        number = read(text)
    except NumberError as error:
        number, message = 0.0, str(error)
    assert math.isfinite(number)
    assert len(message) < 200


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("007", 7), ("10000", 10_000), ("0", None), ("10001", None), ("-1", None)]
    + [
        (text, None) for text in ("", " 1", "1.0", "1e3", "+1", "1,000", "²", "１", "x", "9" * 5000)
    ],
)
def test_a_whole_number_is_written_in_digits_and_within_its_bounds(
    text: str, value: int | None
) -> None:
    assert whole(text, 1, 10_000) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x", "is not a whole number from 1 to 10,000"),
        ("1.5", "is not a whole number from 1 to 10,000"),
        ("10000000", "is too large; expected a whole number from 1 to 10,000"),
        ("9" * 5000, "is too large; expected a whole number from 1 to 10,000"),
        ("0", "is too small; expected a whole number from 1 to 10,000"),
        ("-3", "is too small; expected a whole number from 1 to 10,000"),
        (f"{MINUS}3", "is too small; expected a whole number from 1 to 10,000"),
    ],
)
def test_a_whole_number_out_of_bounds_is_not_called_no_whole_number(text: str, said: str) -> None:
    assert not_whole(text, 1, 10_000) == said


def test_the_only_whole_number_that_fits_is_named() -> None:
    assert not_whole("4", 1, 1) == "is too large; expected 1"
    assert not_whole("x", 1, 1) == "is not a whole number; expected 1"
