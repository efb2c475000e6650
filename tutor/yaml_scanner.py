"""PyYAML's own scanner with two changes, so that no text of 64 KB can keep it busy.

It refuses deep nesting while it reads brackets (left alone, 65,000 of them take it a minute, and its C version
crashes), and it reads a list of plain numbers, or a list of such lists, in one go: a weight matrix costs a
hundredth of what it would cost token by token. Such a list comes out as one scalar with the style `NUMBERS`.
"""

from __future__ import annotations

import re
from typing import Final

import yaml
from yaml.tokens import ScalarToken

from tutor import limits

NUMBERS: Final = "numbers"
NUMBER: Final = r"[-+]?(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{0,30})?(?:[eE][-+]?[0-9]{1,2})?"
"""Narrow enough to be finite and not to vanish; any other number takes the long way and gets its message there."""
_GAP = r"[ \n]*+"
_LIST = rf"\[{_GAP}{NUMBER}{_GAP}(?:,{_GAP}{NUMBER}{_GAP})*+(?:,{_GAP})?\]"
_LISTS = re.compile(rf"{_LIST}|\[{_GAP}{_LIST}{_GAP}(?:,{_GAP}{_LIST}{_GAP})*+(?:,{_GAP})?\]", re.ASCII)


class StopReadingError(Exception):
    """A reason to read no further, and its line."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def too_deep(line: int) -> StopReadingError:
    """Lists and mappings inside one another, more than any scenario needs."""
    return StopReadingError(line, f"more than {limits.DEPTH} lists and mappings inside one another")


class Loader(yaml.SafeLoader):
    """Turns text into events; nothing is ever constructed by it."""

    def fetch_flow_collection_start(self, token_class: type[yaml.Token]) -> None:
        """Refuse the bracket that goes too deep, and take a list of numbers whole."""
        if self.flow_level >= limits.DEPTH:
            raise too_deep(self.line + 1)
        numbers = _LISTS.match(self.buffer, self.pointer) if self.peek() == "[" else None
        if numbers is None:
            super().fetch_flow_collection_start(token_class)
        else:
            self._take(numbers[0])

    def _take(self, text: str) -> None:
        self.save_possible_simple_key()
        self.allow_simple_key = False
        start = self.get_mark()
        self._skip(text)
        self.tokens.append(ScalarToken(text, True, start, self.get_mark(), NUMBERS))

    def _skip(self, text: str) -> None:
        """What `forward(len(text))` does, without walking."""
        self.pointer += len(text)
        self.index += len(text)
        self.line += text.count("\n")
        self.column = len(text) - text.rfind("\n") - 1 if "\n" in text else self.column + len(text)
