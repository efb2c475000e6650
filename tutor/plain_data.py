"""Plain data that did not come from `strict_yaml`: what could not have stood in a file is refused before anything else.

A form or a program may hand over what the strict reader never gives: a value that is missing, a control character, a
number of a thousand digits. What passes here can be written by `scenario_text` and read again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tutor import limits
from tutor.problem import Found, Path
from tutor.yaml_scalar import FOREIGN

_LARGEST: Final = 10**limits.NUMBER_CHARACTERS


def unfit(value: Any, path: Path = ()) -> Iterator[Found]:
    """Everything that the strict reader would have refused, as (path, message)."""
    if len(path) > limits.DEPTH:
        yield path, f"more than {limits.DEPTH} lists and mappings inside one another"
    elif isinstance(value, str):
        yield from _text(value, path)
    elif isinstance(value, tuple):
        for n, item in enumerate(value):
            if type(item) is not float:  # most of the data are rows of numbers; the models see whether they are finite
                yield from unfit(item, (*path, n))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _text(key, path) if isinstance(key, str) else [(path, "a key must be a word")]
            yield from unfit(item, (*path, str(key)))
    elif isinstance(value, int) and abs(value) >= _LARGEST:
        yield path, f"is a number of more than {limits.NUMBER_CHARACTERS} digits"
    elif not isinstance(value, int | float):
        yield path, "has no value; give one or leave the key out" if value is None else f"is a {type(value).__name__}, which no file holds"


def _text(text: str, path: Path) -> Iterator[Found]:
    found = FOREIGN.search(text)
    if found:
        yield path, f"has the character U+{ord(found[0]):04X}, which does not belong in a text"
