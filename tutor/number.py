"""Numbers as text, and texts as numbers: the one place for each.

The rule for showing: a number that is exact within the decimals asked for is shown as it is (0.1,
2, -0.25); any other is rounded to that many decimals (0.5744); where rounding would leave fewer
than two significant digits, or the number is large, powers of ten take over (2.64e-7), so a small
gradient never reads as 0. The numbers of a formula may need `more` digits than that to give its
result (`tutor.lesson.calculator`).
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from functools import lru_cache

from tutor.errors import NumberError

MINUS = "\N{MINUS SIGN}"
MAX_DECIMALS = 12
LARGE = 1e7
TINY = 1e-6
"""Of numbers below this the decimals may have no room for what is carried on as on paper."""
MOST_FIXED = 1e15
ROUNDING = 1e-15
MOST_SHOWN = 16384
"""So many numbers are kept as text: each stands in formulas, tables and diagrams of many steps."""

_DECIMAL = re.compile(
    r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]{1,4})?", re.ASCII
)
_FRACTION = re.compile(r"(?P<top>[+-]?[0-9]+)\s*/\s*(?P<bottom>[0-9]+)", re.ASCII)
FRACTION_PATTERN = rf"^[+{MINUS}-]?[0-9]+ */ *0*[1-9][0-9]*$"
"""What `fraction` reads, for a JSON Schema."""
MAX_LENGTH = 40
MOST_DIGITS = 19
MOST_WHOLE = 10**MOST_DIGITS - 1
"""Larger whole numbers are not read."""


@lru_cache(MOST_SHOWN)
def plain(value: float, decimals: int = 4, more: int = 0) -> str:
    """Show a number in plain ASCII: `-0.2261`, `0.1`, `1.31e-7`, `inf`, `nan`.

    `more` digits are added to those that the decimals ask for, in a power of ten as well.
    """
    value = float(value)
    if not math.isfinite(value):
        return str(value)
    if value == 0:
        return "0"
    exact = _exact(value, decimals + more)
    if exact is not None:
        return exact
    if decimals >= MAX_DECIMALS and abs(value) < TINY and (few := _few_digits(value)):
        return few
    if not 10.0 ** (1 - decimals) <= abs(value) < LARGE:
        return _scientific(value, decimals, more)
    return f"{value:.{decimals + more}f}"


def is_exact(value: float, decimals: int = 4, more: int = 0) -> bool:
    """Whether the shown digits are the whole number, up to the last bits that float64 rounds anyway
    (0.1 + 0.2 is 0.3).

    A whole number is taken literally: a probability of 0.9999999999999999 is not 1.
    """
    if not math.isfinite(value):
        return True
    near = float(plain(value, decimals, more))
    return near == value or (not near.is_integer() and abs(near - value) <= ROUNDING * abs(value))


def rounded(value: float, decimals: int = 4, more: int = 0) -> float:
    """The number that the shown digits stand for."""
    return float(plain(value, decimals, more))


def gives(typed: float, value: float, decimals: int = 4) -> bool:
    """Whether a calculator whose result is `typed` gives the digits that are shown of `value`;
    there is none for what is not finite.
    """
    if not math.isfinite(value):
        return True
    if is_exact(value, decimals):
        return math.isclose(typed, value, rel_tol=1e-9, abs_tol=0.0 if value else 1e-14)
    text = plain(value, decimals)
    last = 10.0 ** int(Decimal(text).as_tuple().exponent)
    return abs(typed - float(text)) <= 0.5 * last * (1 + 1e-7)


def _exact(value: float, decimals: int) -> str | None:
    """The shortest text that is this number to 15 digits, where the decimals have room for it."""
    near = float(f"{value:.15g}")
    text = repr(value if near.is_integer() else near)
    if "e" in text:
        text = f"{value:.{decimals}f}"
        return text.rstrip("0").rstrip(".") if abs(value) < LARGE and float(text) == value else None
    whole, _, fraction = text.partition(".")
    if abs(value) >= LARGE or len(fraction.rstrip("0")) > decimals:
        return None
    return whole if not fraction.strip("0") else text


def _few_digits(value: float) -> str:
    """A number that has no more digits than that, as a power of ten with all of them; else ""."""
    mantissa, exponent = f"{value:.{MAX_DECIMALS}e}".split("e")
    whole = f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    return whole if float(whole) == value else ""


def _scientific(value: float, decimals: int, more: int) -> str:
    mantissa, exponent = f"{value:.{max(1, min(decimals, 4) - 1) + more}e}".split("e")
    if exponent in {"+00", "-01"}:  # with no or one decimal, 3.7 and 0.57 need no power of ten
        return f"{value:.{2 + more}g}"
    return f"{mantissa}e{int(exponent)}"


@lru_cache(MOST_SHOWN)
def shown(value: float, decimals: int = 4, more: int = 0) -> str:
    """Show a number for reading: `plain` with a real minus sign and words for what is no number."""
    text = plain(value, decimals, more)
    if text in {"inf", "-inf", "nan"}:
        return {"inf": "∞", "-inf": f"{MINUS}∞", "nan": "not a number"}[text]
    return text.replace("-", MINUS)


def fixed(value: float, decimals: int) -> str:
    """Show a number with exactly so many decimals, zeros included (`0.3500`), as a table of equal
    digits has it.
    """
    if not math.isfinite(value) or abs(value) >= MOST_FIXED:
        return shown(value, decimals)
    text = f"{value:.{decimals}f}"
    return (text if float(text) else text.removeprefix("-")).replace("-", MINUS)


def apart(value: float, other: float, decimals: int = 4) -> str:
    """Show a number so that it differs from how another is shown: with as many more decimals as
    that takes.

    Empty where twelve do not tell them apart.
    """
    for enough in range(decimals, MAX_DECIMALS + 1):
        text = shown(value, enough)
        if text != shown(other, enough):
            return text
    return ""


@lru_cache(MOST_SHOWN)
def parts(value: float, decimals: int = 4, more: int = 0) -> tuple[bool, str, str]:
    """Take a shown number apart for a formula: (is it negative, digits, power of ten or "")."""
    digits, _, exponent = plain(value, decimals, more).partition("e")
    names = {"inf": "∞", "nan": "not a number"}
    unsigned = digits.removeprefix("-")
    return digits.startswith("-"), names.get(unsigned, unsigned), exponent.replace("-", MINUS)


def counted(count: int, noun: str) -> str:
    """A number of things in words: `1 step`, `1,200 steps`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def whole_shown(count: int) -> str:
    """A whole number of any size for reading: all of it, or of a very long one a few digits."""
    return f"{count:,}" if count <= MOST_WHOLE else f"about {Decimal(count):.2e}".replace("e+", "e")


def exact(value: float) -> str:
    """The shortest text that reads back as exactly this number (for JSON, addresses and code)."""
    return repr(float(value))


def short(value: float) -> str:
    """`exact` as people write it: `-0.3`, `2` in place of `2.0`."""
    return exact(value).removesuffix(".0")


def read(text: str) -> float:
    """Read a number as people write it: `0.1`, `-1e-3`, `0,5`, `1/3`. Raises NumberError, never
    guesses.
    """
    cleaned = text.strip().replace(MINUS, "-")
    if len(cleaned) > MAX_LENGTH:
        raise NumberError(
            f"a number has at most {MAX_LENGTH} characters; this text has {len(cleaned)}"
        )
    found = fraction(cleaned)
    if found is not None:
        return found
    if not _DECIMAL.fullmatch(cleaned):
        raise NumberError(
            f"{text[:MAX_LENGTH]!r} is not a number; write it like 0.25, -1e-3 or 1/3"
        )
    return _finite(float(cleaned.replace(",", ".")), text)


def fraction(text: str) -> float | None:
    """The value of a simple fraction, `1/3` or `-2 / 7`; None for any other text. Raises
    NumberError where it has no value.
    """
    cleaned = text.strip().replace(MINUS, "-")
    found = _FRACTION.fullmatch(cleaned) if len(cleaned) <= MAX_LENGTH else None
    if found is None:
        return None
    if int(found["bottom"]) == 0:
        raise NumberError(f"{cleaned!r} divides by zero")
    return int(found["top"]) / int(found["bottom"])


def whole(text: str, least: int, most: int) -> int | None:
    """Read a whole number within its bounds, written in digits alone; None for any other text."""
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        return None
    return int(text) if least <= int(text) <= most else None


def not_whole(text: str, least: int, most: int) -> str:
    """What is wrong with a text that `whole` does not take, as the rest of a sentence about it."""
    expected = f"a whole number from {least:,} to {most:,}" if least < most else f"{most:,}"
    size = text.removeprefix("-").removeprefix(MINUS)
    if not (size.isascii() and size.isdigit()):
        return f"is not {expected}" if least < most else f"is not a whole number; expected {most:,}"
    small = size != text or (len(size) <= MOST_DIGITS and int(size) < least)
    return f"is too {'small' if small else 'large'}; expected {expected}"


def _finite(value: float, text: str) -> float:
    if not math.isfinite(value):
        raise NumberError(
            f"{text.strip()[:MAX_LENGTH]!r} is too large; numbers go up to about 1.8e308"
        )
    return value
