"""Scenarios: what a lesson is made of. `load(path)` reads a file, `parse(text, where)` and
`parse_data(data, where)` are pure.

    YAML text -> tutor.scenario.strict_yaml  plain data with line numbers
    a form                               plain data without them
              -> here                    fractions as the numbers that they are
              -> tutor.scenario.model    the shape of the file
              -> tutor.scenario.checks   what its parts must agree on
              -> Scenario, or ScenarioError with every problem at its line and path

Nothing here computes with the numbers; `tutor.lesson.setup` makes the network of a scenario.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import PurePath
from typing import Any, Final, TypeAlias

from pydantic import ValidationError

from tutor import limits, number
from tutor.errors import NumberError
from tutor.scenario import checks as scenario_checks
from tutor.scenario import graph_file, messages, strict_yaml
from tutor.scenario.graph_file import GraphFile, GraphSpec
from tutor.scenario.messages import takes_number
from tutor.scenario.model import (
    LESSON_ID,
    Check,
    Data,
    Display,
    Init,
    LayerSpec,
    Lecture,
    LossSpec,
    NetworkSpec,
    NotationSpec,
    Note,
    Printed,
    Rows,
    ScenarioFile,
    Trainable,
    Training,
)
from tutor.scenario.problem import Found, Path, Problem, ScenarioError, quotable, written
from tutor.scenario.scalars import FOREIGN

__all__ = [
    "SUFFIXES",
    "AnyScenario",
    "Check",
    "Data",
    "Display",
    "GraphScenario",
    "GraphSpec",
    "Init",
    "LayerSpec",
    "Lecture",
    "LossSpec",
    "NetworkSpec",
    "NotationSpec",
    "Note",
    "Printed",
    "Problem",
    "Rows",
    "Scenario",
    "ScenarioError",
    "Trainable",
    "Training",
    "load",
    "parse",
    "parse_data",
    "problems_of",
    "read",
    "scenario_id",
]

SUFFIXES: Final = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyScenario:
    """What all sound scenarios have, whatever is walked through. `id` is the stem of the file,
    `where` the name that its messages use.

    `origin` is the id of the lesson that it was made from, or empty.
    """

    id: str
    where: str
    title: str
    course: str
    about: str
    learn: tuple[str, ...]
    lecture: Lecture | None
    display: Display
    printed: tuple[Printed, ...]
    notes: tuple[Note, ...]
    checks: tuple[Check, ...]
    origin: str
    mark: str = field(default="", compare=False)
    """Changes with the text that it was read from; empty where there was none."""

    @property
    def weight(self) -> int:
        """About how many numbers a lesson of it has, for what is kept in memory."""
        raise NotImplementedError

    @property
    def source(self) -> str:
        """Where the lesson comes from: its course, and the lecture by its title. Empty where the
        file says neither.
        """
        return " · ".join(filter(None, (self.course, self.lecture.name if self.lecture else "")))


def _heading(file: ScenarioFile | GraphFile, where: str) -> dict[str, Any]:
    """What all files have."""
    texts = {key: getattr(file, key) or "" for key in ("course", "about", "origin")}
    kept = ("title", "learn", "lecture", "display", "printed", "notes", "checks")
    same = {key: getattr(file, key) for key in kept}
    return {"id": PurePath(where).stem, "where": where, **texts, **same}


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphScenario(AnyScenario):
    """A formula that is walked through node by node."""

    graph: GraphSpec

    @property
    def weight(self) -> int:
        texts = (self.graph.expression, *self.graph.names.values())
        return 8 * sum(map(len, texts)) + sum(map(graph_file.size, self.graph.values.values()))

    @classmethod
    def of(cls, file: GraphFile, where: str) -> GraphScenario:
        """The scenario of a checked file."""
        return cls(graph=file.graph, **_heading(file, where))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario(AnyScenario):
    """A network that is trained."""

    network: NetworkSpec
    data: Data
    training: Training
    notation: NotationSpec

    @classmethod
    def of(cls, file: ScenarioFile, where: str) -> Scenario:
        """The scenario of a checked file."""
        own = {key: getattr(file, key) for key in ("network", "data", "training", "notation")}
        return cls(**own, **_heading(file, where))

    @property
    def weight(self) -> int:
        sizes = self.network.sizes
        return sum(a * b for a, b in pairwise(sizes)) + sum(sizes) * self.batch

    @property
    def loss(self) -> LossSpec:
        """The loss, part of the network in the file."""
        return self.network.loss

    @property
    def inputs(self) -> Rows:
        """The rows of the file, one per sample; none where the data are made by a generator."""
        return self.data.inputs

    @property
    def targets(self) -> Rows:
        """The rows of the file, one number per unit of the last layer; none where they are made."""
        return self.data.targets

    @property
    def batch(self) -> int:
        """How many samples an iteration uses, the last one of an epoch aside."""
        return self.training.batch_size or self.data.training_samples

    @property
    def in_batches(self) -> bool:
        """Whether an iteration's samples may be others than all of the file in their order."""
        whole = self.batch == self.data.samples
        return not whole or self.training.shuffle is not None


def parse(text: str, where: str) -> AnyScenario:
    """The scenario of a text. Raises ScenarioError, never anything else; `where` names the text in
    messages.
    """
    document = strict_yaml.load(text, where)
    if not isinstance(document.data, dict):
        raise ScenarioError([document.problem((), "expected keys with values, such as format: 1")])
    found = _scenario(_examined(document.data), where, document.problem)
    return replace(found, mark=hashlib.sha256(text.encode("utf-8")).hexdigest()[:20])


def parse_data(data: dict[str, Any], where: str) -> Scenario:
    """The network of plain data, such as a form gives: dict, tuple, str, int, float and bool.

    The same checks as in `parse`. Raises ScenarioError; its problems have a path and the line 0.
    """
    found = _scenario(
        _examined_data(data), where, lambda path, message: Problem(where, 0, written(path), message)
    )
    assert isinstance(found, Scenario), "a form makes networks"
    return found


def parse_formula(data: dict[str, Any], where: str, mark: str) -> GraphScenario:
    """The same for a formula; `mark` changes with the data. Raises ScenarioError."""
    found = _scenario(
        _examined_data(data), where, lambda path, message: Problem(where, 0, written(path), message)
    )
    assert isinstance(found, GraphScenario), "the data have a graph"
    return replace(found, mark=mark)


def problems_of(data: dict[str, Any]) -> list[tuple[Path, str]]:
    """Everything that is wrong with plain data, as (path, message); an empty list where
    `parse_data` gives a scenario.
    """
    return list(dict.fromkeys(_examined_data(data)[1]))


Reading: TypeAlias = tuple[ScenarioFile | GraphFile | None, list[Found]]


def _examined_data(data: dict[str, Any]) -> Reading:
    unfit = list(unfit_values(data))
    return (None, unfit) if unfit else _examined(data)


def _examined(data: dict[str, Any]) -> Reading:
    """The file of plain data where its shape is sound, and all problems: of the shape and of what
    must agree.
    """
    data = valued(data)
    walked = "graph" in data and "network" not in data
    kind = messages.GRAPH if walked else messages.SCENARIO
    file: ScenarioFile | GraphFile | None = None
    problems: list[Found] = []
    try:
        file = (GraphFile if walked else ScenarioFile).model_validate(data)
    except ValidationError as error:
        problems = list(messages.of(error, kind))
    return file, [*problems, *(graph_file.of(data) if walked else scenario_checks.of(data))]


def _scenario(examined: Reading, where: str, at: Callable[[Path, str], Problem]) -> AnyScenario:
    file, problems = examined
    if problems or file is None:
        raise ScenarioError(at(path, message) for path, message in problems)
    return (
        GraphScenario.of(file, where) if isinstance(file, GraphFile) else Scenario.of(file, where)
    )


def load(path: str | os.PathLike[str], where: str | None = None) -> AnyScenario:
    """The scenario of a file. Raises ScenarioError, also where the file cannot be read."""
    name = quotable(str(path), 300) if where is None else where
    return parse(strict_yaml.decode(read(path, name), name), name)


def read(path: str | os.PathLike[str], where: str) -> bytes:
    """The bytes of a file, one more than the limit at most. Raises ScenarioError where there are
    none to read.
    """
    try:
        # a pipe must not keep us waiting
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ScenarioError([Problem(where, 0, "", "is not a file")])
            return file.read(limits.FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise ScenarioError([Problem(where, 0, "", f"cannot be read: {_reason(error)}")]) from None


def _reason(error: Exception) -> str:
    known = {
        errno.ENOENT: "there is no such file",
        errno.EACCES: "permission denied",
        errno.EISDIR: "it is a folder",
    }
    number = getattr(error, "errno", None) or 0
    return known.get(number) or (os.strerror(number).lower() if number else "its name is not valid")


def scenario_id(name: str) -> str | None:
    """The id of a file name, `1-2-3-1-sigmoid` of `1-2-3-1-sigmoid.yaml`, or None where it cannot
    be part of an address.
    """
    stem, suffix = os.path.splitext(name)  # noqa: PTH122  (the name of a file, not a path)
    return stem if suffix in SUFFIXES and LESSON_ID.fullmatch(stem) else None


# ---- Plain data that did not come from `strict_yaml` ----
#
# What could not have stood in a file is refused before anything else. A form or a program may hand
# over what the strict reader never gives: a value that is missing, a control character, a number of
# a thousand digits. What passes here can be written by `dump` and read again.


_LARGEST: Final = 10**limits.NUMBER_CHARACTERS


def unfit_values(value: Any, path: Path = ()) -> Iterator[Found]:
    """Everything that the strict reader would have refused, as (path, message)."""
    if len(path) > limits.DEPTH:
        yield path, f"more than {limits.DEPTH} lists and mappings inside each other"
    elif isinstance(value, str):
        yield from _text(value, path)
    elif isinstance(value, tuple):
        for n, item in enumerate(value):
            # most of the data are rows of numbers; the models see whether they are finite
            if type(item) is not float:
                yield from unfit_values(item, (*path, n))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from (
                _text(key, path) if isinstance(key, str) else [(path, "a key must be a word")]
            )
            yield from unfit_values(item, (*path, str(key)))
    elif isinstance(value, int) and abs(value) >= _LARGEST:
        yield path, f"is a number of more than {limits.NUMBER_CHARACTERS} digits"
    elif not isinstance(value, int | float):
        yield (
            path,
            "has no value; give one or leave the key out"
            if value is None
            else f"is a {type(value).__name__}, which a file cannot hold",
        )


def _text(text: str, path: Path) -> Iterator[Found]:
    found = FOREIGN.search(text)
    if found:
        yield path, f"has the character U+{ord(found[0]):04X}, which is not allowed in a text"


# ---- Fractions in a scenario file ----
#
#     valued(data) -> data    the same plain data with the value of each fraction in its place
#
# `1/3` is a number wherever the format has one, as in the form, and a text wherever it has a text.
# YAML knows no fractions: to it, `1/3` is a word. One that has no value (`1/0`) stays a word, and
# its problem is told as that of a word where a number belongs.


def valued(data: dict[str, Any]) -> dict[str, Any]:
    """Plain data with the values of its fractions."""
    return {key: _valued(item, (key,)) for key, item in data.items()}


def _valued(value: Any, path: Path) -> Any:
    if isinstance(value, str):
        return _number(value, path) if "/" in value else value
    if isinstance(value, dict):
        return {key: _valued(item, (*path, key)) for key, item in value.items()}
    if isinstance(value, tuple) and any(type(item) in {str, tuple, dict} for item in value):
        return tuple(_valued(item, (*path, n)) for n, item in enumerate(value))
    return value


def _number(text: str, path: Path) -> float | str:
    try:
        found = number.fraction(text)
    except NumberError:
        return text
    return text if found is None or not takes_number(path, ScenarioFile) else found
