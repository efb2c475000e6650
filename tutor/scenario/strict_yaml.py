"""Read YAML (and so JSON) text into plain data with the line of every value.

What is left of YAML: mappings with words as keys, lists, text, numbers, true and false. Numbers are
those of YAML 1.2 (`1e-1` is a number, `no` is a word, `2026-01-05` is a word). Refused, each with
its line: anchors and aliases, merge keys, tags, duplicate keys, several documents, `.nan` and
`.inf`, `010`, keys without a value, control characters, text over 64 KB, deep nesting. Everything
refused comes as one ScenarioError, all at once as far as the text can be read at all.

PyYAML's C parser reads the text, as events alone: its loader would crash on deep nesting. Events
come one by one and the parser looks 1,024 characters ahead at most, so counting their depth stops
it at the first bracket that is too deep. Where PyYAML was built without C, its own parser reads.

An event costs more than a number is worth, so a list of numbers in brackets on one line is read
beforehand and stands in the text as one word. Whatever then is not as expected is read again, as it
was written: every refusal comes from there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

import yaml

from tutor import limits
from tutor.scenario import scalars
from tutor.scenario.problem import Path, Problem, ScenarioError, quotable, written

Plain: TypeAlias = "str | int | float | bool | tuple[Plain, ...] | dict[str, Plain]"
LinesOf: TypeAlias = Mapping[Path, int]

_Loader: TypeAlias = "type[yaml.SafeLoader] | type[yaml.CSafeLoader]"
_LOADER: _Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""What turns text into events; nothing is ever constructed by it."""
_HALVES = re.compile(r"(?<!\\)\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")

_ADVICE = {
    r"'\t'": "a tab cannot indent a line; use spaces",
    "mapping values are not allowed":
        "a colon where none can be; put a text that has a colon in quotes",
    "found character '@'": "a text cannot start with @; put it in quotes",
    "found character '`'": "a text cannot start with `; put it in quotes",
    "found character '%'": "a text cannot start with %; put it in quotes",
    "character that cannot start": "a text cannot start with this character; put it in quotes",
}  # fmt: skip
_NUMBER = re.compile(
    r"[-+]?(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{0,30})?(?:[eE][-+]?[0-9]{1,2})?", re.ASCII
)
"""A number that is no entry of its own, in brackets: any number that a lesson needs."""
_PLAIN_NUMBER = r"-?(?:0|[1-9][0-9]{0,29}+)(?:\.[0-9]{1,30}+)?+(?:[eE][-+]?+[0-9]{1,2}+)?+"
_NUMBERS = re.compile(rf"\[ *+{_PLAIN_NUMBER} *+(?:, *+{_PLAIN_NUMBER} *+)*+\]")
"""A list of such numbers on one line, as JSON writes them. Nothing is tried twice: its time is that
of the text.
"""
_STANDS_FOR = re.compile("\ue000([0-9]+)\ue001")
"""The word that stands for a list of numbers, by its place among them: for private use, so no text
has it by chance, and one that has it on purpose is read as it is.
"""


class StopReadingError(Exception):
    """A reason to read no further, and its line."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


class ReadAgainError(Exception):
    """A list of numbers stands where a list cannot be, or where the parsers differ."""


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data: dict, tuple, str, int, float, bool.

    `lines` has the line of every path, that of its key where it has one.
    """

    where: str
    data: Plain
    lines: LinesOf

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
        message = f"is not UTF-8 text (byte {content[error.start]:#04x})"
        raise ScenarioError([Problem(where, line, "", message)]) from None


def load(text: str, where: str) -> Document:
    """Read one document. Raises ScenarioError, never anything else."""
    if max(len(text), len(text.encode("utf-8", "surrogatepass"))) > limits.FILE_BYTES:
        raise ScenarioError([Problem(where, 0, "", _too_large())])
    cleaned = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    refused = scalars.FOREIGN.search(cleaned)
    if refused:
        line = cleaned.count("\n", 0, refused.start()) + 1
        message = (
            f"the character U+{ord(refused[0]):04X} does not belong in a scenario; "
            "a text file has none of those"
        )
        raise ScenarioError([Problem(where, line, "", message)])
    if cleaned.lstrip()[:1] in {"{", "["}:
        # JSON may indent with tabs, and writes an emoji as two halves; the C parser takes neither.
        cleaned = cleaned.replace("\t", " ")
        cleaned = _HALVES.sub(lambda pair: str(json.loads(f'"{pair[0]}"')), cleaned)
    reader = _quickly(cleaned, where) or _read(cleaned, where, _LOADER)
    if reader.unreadable or "\t" in cleaned:  # the C parser lets tabs pass where they have no place
        # PyYAML's own parser has the last word and better ones, unless the text is too long for it.
        own = _read(cleaned, where, yaml.SafeLoader, free_numbers=False)
        reader = reader if own.stopped else own
    if reader.problems:
        raise ScenarioError(reader.problems)
    return Document(where, reader.data, MappingProxyType(reader.lines))


def _quickly(text: str, where: str) -> _Reader | None:
    """With lists of numbers read beforehand; None where there are none, or a problem is."""
    lists: list[str] = []

    def word(found: re.Match[str]) -> str:
        lists.append(found[0])
        return f"\ue000{len(lists) - 1}\ue001"

    # e000: as an escape in quotes
    odd = "\t" in text or "\ue000" in text or "e000" in text.lower()
    shorter = text if odd else _NUMBERS.sub(word, text)
    if not lists:
        return None
    try:
        reader = _read(shorter, where, _LOADER, lists=lists)
    except ReadAgainError:
        return None
    return None if reader.problems else reader


def _read(
    text: str, where: str, loader: _Loader, *, free_numbers: bool = True, lists: Sequence[str] = ()
) -> _Reader:
    reader = _Reader(where, iter(()), free_numbers, lists)
    try:
        reader.events = iter(loader(text).get_event, None)
        reader.data = reader.document()
    except StopReadingError as stop:
        reader.refuse(stop.line, str(stop))
        reader.stopped = True
    except yaml.MarkedYAMLError as error:
        reader.refuse(_line(error.problem_mark or error.context_mark), _explained(error))
        reader.unreadable = True
    except (yaml.YAMLError, ValueError, RecursionError, StopIteration) as error:
        reader.refuse(0, f"is not YAML ({type(error).__name__})")
    return reader


@dataclass(slots=True)
class _Reader:
    """Reads one document from its events; `lines` and `problems` are filled on the way."""

    where: str
    events: Iterator[yaml.Event]
    free_numbers: bool
    """Whether numbers in brackets, and lists of them, are no entries."""
    lists: Sequence[str]
    """Lists of numbers for which a word stands in the text."""
    data: Plain = ""
    stopped: bool = False
    """Whether a limit ended the reading."""
    unreadable: bool = False
    """Whether the text is not YAML."""
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    entries: int = 0
    depth: int = 0

    def refuse(self, line: int, message: str, path: Path = ()) -> None:
        """Note a problem."""
        self.problems.append(Problem(self.where, line, written(path), message))

    def document(self) -> Plain:
        """The value of the only document."""
        data: Plain | None = None
        for event in self.events:
            line = _line(event.start_mark)
            if isinstance(event, yaml.DocumentStartEvent):
                if data is not None:
                    raise StopReadingError(line, "a second document starts here; a file has one")
                if event.version or event.tags:
                    self.refuse(line, "directives (lines that start with %) are not read")
            elif isinstance(event, yaml.NodeEvent):
                self.lines[()] = line
                data = self._value(event, ())
        if data is None:
            self.refuse(0, "is empty")
        return data or {}

    def _value(self, event: yaml.NodeEvent, path: Path, in_brackets: bool = False) -> Plain:
        """What starts with this event."""
        line = _line(event.start_mark)
        self.lines.setdefault(path, line)
        self._check_properties(event, line, path)
        if isinstance(event, yaml.ScalarEvent):
            if self.lists and "\ue000" in event.value:
                return self._numbers(event, line, path, in_brackets)
            if not in_brackets or _number(event) is None:
                self._count(line)
            return self._scalar(event, line, path)
        if not in_brackets or isinstance(event, yaml.AliasEvent):
            self._count(line)
        if not isinstance(event, yaml.CollectionStartEvent):
            return ""
        self._deeper(line)
        before = self.entries
        is_list = isinstance(event, yaml.SequenceStartEvent)
        value = self._list(path, bool(event.flow_style)) if is_list else self._mapping(path)
        self.depth -= 1
        if in_brackets and (not value or self.entries > before):
            self._count(line)
        return value

    def _deeper(self, line: int) -> None:
        self.depth += 1
        if self.depth > limits.DEPTH:
            message = f"more than {limits.DEPTH} lists and mappings inside one another"
            raise StopReadingError(line, message)

    def _numbers(self, event: yaml.ScalarEvent, line: int, path: Path, in_brackets: bool) -> Plain:
        """The list that a word stands for; in a text it is a part of the text."""
        is_text = not scalars.is_plain(event)
        if is_text or not in_brackets:
            self._count(line)
        if is_text:
            return scalars.quoted(_STANDS_FOR.sub(lambda at: self.lists[int(at[1])], event.value))
        found = _STANDS_FOR.fullmatch(event.value)
        if not found:
            raise ReadAgainError
        self._deeper(line)
        self.depth -= 1
        numbers = tuple(json.loads(self.lists[int(found[1])]))
        if line != self.lines[path]:
            self.lines |= {(*path, n): line for n in range(len(numbers))}
        return numbers

    def _count(self, line: int) -> None:
        self.entries += 1
        if self.entries > limits.ENTRIES:
            raise StopReadingError(line, f"has more than {limits.ENTRIES:,} entries by here")

    def _check_properties(self, event: yaml.NodeEvent, line: int, path: Path) -> None:
        """Aliases, anchors and tags are refused wherever they stand."""
        if event.anchor is not None:
            name = quotable(str(event.anchor))
            if isinstance(event, yaml.AliasEvent):
                self.refuse(line, f"the alias *{name} is not read; write the value out", path)
                return
            message = f"the anchor &{name} is not read; write the value out where it is needed"
            self.refuse(line, message, path)
        tag = getattr(event, "tag", None)
        if tag is not None:
            message = f"the tag {quotable(str(tag))} is not read; write the plain value"
            self.refuse(line, message, path)

    def _scalar(self, event: yaml.ScalarEvent, line: int, path: Path) -> Plain:
        try:
            return scalars.read(event)
        except scalars.RefusedError as refused:
            # The parsers differ on where nothing stands; people look for the line of its key.
            self.refuse(line if event.value else self.lines[path], str(refused), path)
            return ""

    def _list(self, path: Path, in_brackets: bool) -> tuple[Plain, ...]:
        items: list[Plain] = []
        line, in_brackets = self.lines[path], in_brackets and self.free_numbers
        for event in self.events:
            if not isinstance(event, yaml.NodeEvent):
                break
            number = _number(event) if in_brackets else None
            if number is not None and _line(event.start_mark) == line:
                items.append(number)  # the quick way for most of a matrix, which needs no line
            else:
                items.append(self._value(event, (*path, len(items)), in_brackets))
        return tuple(items)

    def _mapping(self, path: Path) -> dict[str, Plain]:
        items: dict[str, Plain] = {}
        for event in self.events:
            if not isinstance(event, yaml.NodeEvent):
                break
            key = self._key(event, path)
            value = next(self.events)
            if isinstance(value, yaml.NodeEvent):
                items[key] = self._value(value, (*path, key))
        return items

    def _key(self, event: yaml.NodeEvent, path: Path) -> str:
        """A key: a word, given once. What is no word is read past and refused."""
        line = _line(event.start_mark)
        if self.lists and "\ue000" in getattr(event, "value", ""):
            raise ReadAgainError
        if not isinstance(event, yaml.ScalarEvent):
            self.refuse(line, "a key must be a word, this is a list, a mapping or an alias", path)
            self._value(event, (*path, "?"))
            return "?"
        self._count(line)
        self._check_properties(event, line, path)
        key = str(event.value)
        if scalars.is_plain(event) and key == "<<":
            self.refuse(line, "the merge key << is not read; write the keys out", path)
        elif not _is_word(event):
            self.refuse(line, f"a key must be a word, this is {quotable(key)!r}", path)
        elif (*path, key) in self.lines:
            first = self.lines[*path, key]
            self.refuse(line, f"is there twice, first in line {first}", (*path, key))
        self.lines.setdefault((*path, key), line)
        return key


def _number(event: yaml.NodeEvent) -> float | None:
    """The number that an event is, where it is plainly one."""
    if not isinstance(event, yaml.ScalarEvent) or event.style or event.anchor or event.tag:
        return None
    if not _NUMBER.fullmatch(event.value):
        return None
    text = event.value
    return float(text) if "." in text or "e" in text or "E" in text else int(text)


def _is_word(event: yaml.ScalarEvent) -> bool:
    try:
        return isinstance(scalars.read(event), str)
    except scalars.RefusedError:
        return False


def _line(mark: Any) -> int:
    """The line of a mark, of either parser; they count from 0."""
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
