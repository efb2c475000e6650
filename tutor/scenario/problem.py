"""Problems of a scenario file: where, what was found, what would be right; all at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from tutor.errors import TutorError

Path: TypeAlias = tuple[str | int, ...]
"""The way to a value: `("network", "layers", 1, "units")` is shown as `network.layers[1].units`."""

Found: TypeAlias = tuple[Path, str]
"""What is wrong at a path, before anyone knows its line."""

MAX_PROBLEMS = 50
MAX_QUOTED = 40


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem. `line` counts from 1; 0 means that the problem is the file itself, `path` is
    then empty as a rule.
    """

    where: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        place = f"{self.where}:{self.line}" if self.line else self.where
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class ScenarioError(TutorError):
    """A scenario that cannot be used; `problems` has at least one entry, in line order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        ordered = sorted(dict.fromkeys(problems), key=lambda problem: problem.line)
        self.problems: tuple[Problem, ...] = tuple(_shortened(ordered))
        super().__init__("\n".join(map(str, self.problems)))


def _shortened(problems: list[Problem]) -> list[Problem]:
    """The first fifty: a page of a thousand problems helps nobody."""
    if len(problems) <= MAX_PROBLEMS:
        return problems
    last = problems[MAX_PROBLEMS - 1]
    more = len(problems) - MAX_PROBLEMS + 1
    return [
        *problems[: MAX_PROBLEMS - 1],
        Problem(last.where, last.line, "", f"and {more} more problems from here on"),
    ]


def written(path: Path) -> str:
    """A path as people write it: `network.layers[1].weights`."""
    text = ""
    for part in path:
        text += (
            f"[{part}]"
            if isinstance(part, int)
            else f".{quotable(part)}"
            if text
            else quotable(part)
        )
    return text


def quotable(text: str, length: int = MAX_QUOTED) -> str:
    """A piece of someone's text on one line, shortened, with what does not print as an escape."""
    shown = visible(text[: length + 1])
    return shown if len(shown) <= length else shown[: length - 1] + "…"


def visible(text: str) -> str:
    """A text with what does not print, such as a sign that turns the direction, as an escape."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def described(value: object) -> str:
    """What was found, in words: `the word 'abc'`, `the number 3`, `a list of 2`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value!r}"
    if isinstance(value, str):
        return (
            f"the text {quotable(value)!r}"
            if " " in value.strip()
            else f"the word {quotable(value)!r}"
        )
    if isinstance(value, tuple | list):
        return f"a list of {len(value)}"
    return "nothing" if value is None else "a mapping of keys to values"
