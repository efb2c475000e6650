"""Read YAML (and so JSON) text into plain data with the line of every value; refuse what surprises people.

What is left of YAML: mappings with words as keys, lists, text, numbers, true and false. Numbers are those of
YAML 1.2 (`1e-1` is a number, `no` is a word, `2026-01-05` is a word). Refused, each with its line: anchors and
aliases, merge keys, tags, duplicate keys, several documents, `.nan` and `.inf`, `010`, keys without a value,
control characters, text over 64 KB, deep nesting. Everything refused comes as one ScenarioError, all at once as
far as the text can be read at all. The C loader of PyYAML is never used: deep nesting crashes the process there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import yaml

from tutor import limits, yaml_scalar
from tutor.problem import Path, Problem, ScenarioError, quotable, written
from tutor.yaml_builder import Builder, Plain
from tutor.yaml_scanner import Loader, StopReadingError

__all__ = ["Document", "Plain", "decode", "load"]

Lines: TypeAlias = Mapping[Path, int]

_ADVICE = {
    r"'\t'": "a tab cannot indent a line; use spaces",
    "mapping values are not allowed": "a colon where none can be; put a text that has a colon in quotes",
    "found character '@'": "a text cannot start with @; put it in quotes",
    "found character '`'": "a text cannot start with `; put it in quotes",
    "found character '%'": "a text cannot start with %; put it in quotes",
}

@dataclass(frozen=True, slots=True)
class Document:
    """Plain data: dict, tuple, str, int, float, bool. `lines` has the line of every path, that of its key where it has one."""

    where: str
    data: Plain
    lines: Lines

    def line(self, path: Path) -> int:
        """The line of this path, or of the nearest thing around it that the text has."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, path: Path, message: str) -> Problem:
        """A problem at this path."""
        return Problem(self.where, self.line(path), written(path), message)


def decode(content: bytes, where: str) -> str:
    """Bytes of a file as text. Raises ScenarioError where it is too large or not UTF-8."""
    if len(content) > limits.FILE_BYTES:
        raise ScenarioError([Problem(where, 0, "", _too_large())])
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ScenarioError([Problem(where, line, "", f"is not UTF-8 text (byte {content[error.start]:#04x})")]) from None


def load(text: str, where: str) -> Document:
    """Read one document. Raises ScenarioError, never anything else."""
    if len(text) > limits.FILE_BYTES or len(text.encode("utf-8", "surrogatepass")) > limits.FILE_BYTES:
        raise ScenarioError([Problem(where, 0, "", _too_large())])
    cleaned = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    refused = yaml_scalar.FOREIGN.search(cleaned)
    if refused:
        line = cleaned.count("\n", 0, refused.start()) + 1
        message = f"the character U+{ord(refused[0]):04X} does not belong in a scenario; a text file has none of those"
        raise ScenarioError([Problem(where, line, "", message)])
    if cleaned.lstrip()[:1] in {"{", "["}:  # JSON may indent with tabs, PyYAML would refuse them
        cleaned = cleaned.replace("\t", " ")
    return _built(cleaned, where)


def _built(text: str, where: str) -> Document:
    builder = Builder(where, iter(yaml.parse(text, Loader=Loader)))
    data: Plain = ""
    try:
        data = builder.document()
    except StopReadingError as stop:
        builder.refuse(stop.line, str(stop))
    except yaml.MarkedYAMLError as error:
        builder.refuse(_line(error), _explained(error))
    except (yaml.YAMLError, ValueError, RecursionError, StopIteration) as error:
        builder.refuse(0, f"is not YAML ({type(error).__name__})")
    if builder.problems:
        raise ScenarioError(builder.problems)
    return Document(where, data, MappingProxyType(builder.lines))


def _line(error: yaml.MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return 0 if mark is None else int(mark.line) + 1


def _explained(error: yaml.MarkedYAMLError) -> str:
    """PyYAML's words, and what to do where they are known to puzzle people."""
    said = quotable(" ".join(str(part) for part in (error.context, error.problem) if part), 200)
    for known, advice in _ADVICE.items():
        if known in said:
            return f"is not YAML: {advice}"
    return f"is not YAML: {said}"


def _too_large() -> str:
    return f"is larger than {limits.amount(limits.FILE_BYTES)}, the limit of a scenario file"
