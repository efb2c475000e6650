"""From YAML events to plain data and line numbers, noting on the way what is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

from tutor import limits, yaml_scalar
from tutor.problem import Path, Problem, quotable, written
from tutor.yaml_scanner import NUMBER, NUMBERS, StopReadingError, too_deep

Plain: TypeAlias = "str | int | float | bool | tuple[Plain, ...] | dict[str, Plain]"

_ROW = re.compile(r"\[[^\[\]]*\]")
_ENTRY = re.compile(NUMBER, re.ASCII)


@dataclass(slots=True)
class Builder:
    """Reads one document from its events; `lines` and `problems` are filled on the way."""

    where: str
    events: Iterator[yaml.Event]
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
            if isinstance(event, yaml.DocumentStartEvent):
                if data is not None:
                    raise StopReadingError(_line(event), "a second document starts here; a file has one")
                if event.version or event.tags:
                    self.refuse(_line(event), "directives (lines that start with %) are not read")
            elif isinstance(event, yaml.NodeEvent):
                self.lines[()] = _line(event)
                data = self._value(event, ())
        if data is None:
            self.refuse(0, "is empty")
        return data or {}

    def _value(self, event: yaml.NodeEvent, path: Path) -> Plain:
        self._count(event)
        self._check_properties(event, path)
        self.lines.setdefault(path, _line(event))
        if isinstance(event, yaml.ScalarEvent):
            return self._numbers(event, path) if event.style == NUMBERS else self._scalar(event, path)
        if isinstance(event, yaml.AliasEvent):
            return ""
        self.depth += 1
        if self.depth > limits.DEPTH:
            raise too_deep(_line(event))
        value = self._list(path) if isinstance(event, yaml.SequenceStartEvent) else self._mapping(path)
        self.depth -= 1
        return value

    def _count(self, event: yaml.NodeEvent) -> None:
        self.entries += 1
        if self.entries > limits.ENTRIES:
            raise StopReadingError(_line(event), f"has more than {limits.ENTRIES:,} entries by here")

    def _check_properties(self, event: yaml.NodeEvent, path: Path) -> None:
        """Aliases, anchors and tags are refused wherever they stand."""
        name = quotable(str(event.anchor))
        if isinstance(event, yaml.AliasEvent):
            self.refuse(_line(event), f"the alias *{name} is not read; write the value out", path)
            return
        if event.anchor is not None:
            self.refuse(_line(event), f"the anchor &{name} is not read; write the value out where it is needed", path)
        tag = getattr(event, "tag", None)
        if tag is not None:
            self.refuse(_line(event), f"the tag {quotable(str(tag))} is not read; write the plain value", path)

    def _scalar(self, event: yaml.ScalarEvent, path: Path) -> Plain:
        try:
            return yaml_scalar.read(event)
        except yaml_scalar.RefusedError as refused:
            self.refuse(_line(event), str(refused), path)
            return ""

    def _list(self, path: Path) -> tuple[Plain, ...]:
        items: list[Plain] = []
        for event in self.events:
            if not isinstance(event, yaml.NodeEvent):
                break
            items.append(self._value(event, (*path, len(items))))
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
        if not isinstance(event, yaml.ScalarEvent) or event.style == NUMBERS:
            self.refuse(_line(event), "a key must be a word, this is a list, a mapping or an alias", path)
            self._value(event, (*path, "?"))
            return "?"
        self._count(event)
        self._check_properties(event, path)
        key = str(event.value)
        if yaml_scalar.is_plain(event) and key == "<<":
            self.refuse(_line(event), "the merge key << is not read; write the keys out", path)
        elif not self._is_word(event):
            self.refuse(_line(event), f"a key must be a word, this is {quotable(key)!r}", path)
        elif (*path, key) in self.lines:
            self.refuse(_line(event), f"is there twice, first in line {self.lines[*path, key]}", (*path, key))
        self.lines.setdefault((*path, key), _line(event))
        return key

    def _is_word(self, event: yaml.ScalarEvent) -> bool:
        try:
            return isinstance(yaml_scalar.read(event), str)
        except yaml_scalar.RefusedError:
            return False

    def _numbers(self, event: yaml.ScalarEvent, path: Path) -> tuple[Plain, ...]:
        """A list of plain numbers, or a list of such lists, that the scanner took in one go."""
        text, line = event.value, _line(event)
        if "[" not in text[1:]:
            return self._row(text, line, path)
        rows: list[Plain] = []
        end = 0
        for match in _ROW.finditer(text, 1):
            line += text.count("\n", end, match.start())
            rows.append(self._row(match[0], line, (*path, len(rows))))
            line, end = line + match[0].count("\n"), match.end()
        return tuple(rows)

    def _row(self, text: str, line: int, path: Path) -> tuple[Plain, ...]:
        """One list of numbers; its entries have lines of their own where they are not in the line of its path."""
        if self.lines.setdefault(path, line) != line or "\n" in text:
            end = 0
            for n, match in enumerate(_ENTRY.finditer(text)):
                line += text.count("\n", end, match.start())
                end = match.start()
                self.lines[*path, n] = line
        return tuple(_number(entry) for entry in text[1:-1].split(",") if entry.strip())


def _number(text: str) -> int | float:
    return float(text) if "." in text or "e" in text or "E" in text else int(text)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0
