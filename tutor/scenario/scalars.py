"""What a word of a YAML file stands for: text, number, true or false. YAML 1.2's rules, and a
reason for each refusal.
"""

from __future__ import annotations

import math
import re
from typing import TypeAlias

import yaml

from tutor import limits

Scalar: TypeAlias = str | int | float | bool

FOREIGN = re.compile(
    # Control characters, other line breaks than \\n, what turns the text after it round, byte order
    # marks, half characters.
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
    r"\ufeff\ud800-\udfff\ufffe\uffff]"
)
_INTEGER = re.compile(r"[-+]?[0-9]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.inf|\.nan", re.IGNORECASE | re.ASCII)
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})


class RefusedError(ValueError):
    """A scalar that is not taken; the text says why."""


def read(event: yaml.ScalarEvent) -> Scalar:
    """The value of a scalar. Raises RefusedError."""
    return plain(event.value) if is_plain(event) else quoted(event.value)


def is_plain(event: yaml.ScalarEvent) -> bool:
    """Whether it stands without quotes, and so may be a number."""
    return event.style in {None, ""}


def plain(text: str) -> Scalar:
    """A word without quotes."""
    if _FLOAT.fullmatch(text):
        return _number(text)
    if text in _NULL:
        raise RefusedError("has no value; give one or leave the key out")
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _NOT_FINITE.fullmatch(text):
        raise RefusedError(f"{text} cannot be computed with; give a finite number")
    return text


def quoted(text: str) -> str:
    """A text in quotes or in a block. An escape may bring in what files themselves cannot hold."""
    try:
        # JSON writes U+1F600 as two halves
        joined = text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise RefusedError("has half a character (a lone surrogate)") from None
    found = FOREIGN.search(joined)
    if found:
        raise RefusedError(
            f"has the character U+{ord(found[0]):04X}, which is not allowed in a text"
        )
    return joined


def _number(text: str) -> int | float:
    if len(text) > limits.NUMBER_CHARACTERS:
        raise RefusedError(
            f"is a number of {len(text):,} characters; the limit is {limits.NUMBER_CHARACTERS}"
        )
    if _LEADING_ZERO.match(text):
        raise RefusedError(
            f'{text} starts with a 0; write the number without it, or "{text}" in quotes for a text'
        )
    if _INTEGER.fullmatch(text):
        return int(text)
    value = float(text)
    if not math.isfinite(value):
        raise RefusedError(f"{text} is too large; numbers go up to about 1.8e308")
    if value == 0 and re.search("[1-9]", re.split("[eE]", text)[0]):
        raise RefusedError(f"{text} is too small to tell from 0; numbers go down to about 5e-324")
    return value
