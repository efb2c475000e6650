"""The data set of a scenario: rows written down or made by a generator, split and scaled.

    data = dataset(scenario)
    data.x, data.y             all samples as the network sees them, (M, N) and (M, K)
    data.training              the rows that it learns from, counted from 0
    data.part("validation")    their x and y

The split is drawn by a shuffle with a seed of its own, so that a part is no better or worse than
chance makes it; within a part the samples keep the order of the data set. Scaling is fitted on the
training samples alone and applied to all: what it knows of the others would be cheating.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from tutor.engine import generators
from tutor.engine.network import Array, frozen
from tutor.engine.scaling import Scaling, constant
from tutor.errors import LessonError
from tutor.number import counted, shown
from tutor.scenario.model import CURVES, Generator, Split
from tutor.scenario.problem import Path
from tutor.scenario.reader import Data, Scenario

PARTS: Final = ("training", "validation", "test")


class DataError(LessonError):
    """Data that no lesson can be made of, found only when they were computed; `path` says where in
    the file.
    """

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """All samples, and which of them are for what."""

    raw: Array
    """The inputs as the file or the generator has them, (M, N)."""
    x: Array
    """The same as the network sees them."""
    y: Array
    training: Array
    validation: Array
    test: Array
    scaling: Scaling | None = None

    @property
    def samples(self) -> int:
        """How many there are, all parts together."""
        return len(self.raw)

    def rows(self, name: str) -> Array:
        """The rows of a part, counted from 0."""
        return {
            "training": self.training, "validation": self.validation, "test": self.test,
        }[name]  # fmt: skip

    def part(self, name: str) -> tuple[Array, Array]:
        """Inputs and targets of a part; all of them as they are where there is no other part."""
        rows = self.rows(name)
        if len(rows) == self.samples:
            return self.x, self.y
        return frozen(self.x[rows]), frozen(self.y[rows])

    @property
    def others(self) -> dict[str, tuple[Array, Array]]:
        """The parts that nothing is learned from, those that have samples."""
        return {name: self.part(name) for name in PARTS[1:] if len(self.rows(name))}


def dataset(scenario: Scenario) -> Dataset:
    """The data set of a scenario. Raises DataError where none can be made of its data."""
    raw, y = raw_rows(scenario.data)
    split, generator = scenario.data.split, scenario.data.generator
    if generator is not None and not (np.isfinite(raw).all() and np.isfinite(y).all()):
        raise DataError(
            ("data", "generator", "noise"),
            f"noise of {generator.usual_noise:g} makes numbers too large for float64; "
            "give a smaller one",
        )
    training, validation, test = _parts(split, len(raw))
    _check_classes(scenario, y, y[training])
    x, scaling = raw, None
    if scenario.data.scale is not None:
        scaling = Scaling.fitted(scenario.data.scale, raw[training])
        _check_scaling(scaling, raw[training], "training sample" if split else "sample")
        x = scaling(raw)
    return Dataset(raw, x, y, training, validation, test, scaling)


def raw_rows(data: Data) -> tuple[Array, Array]:
    """Inputs and targets before any scaling: the rows of the file, or what its generator makes."""
    if data.generator is None:
        return frozen(data.inputs), frozen(data.targets)
    return made(data.generator)


@lru_cache(maxsize=32)
def made(generator: Generator) -> tuple[Array, Array]:
    """The inputs (M, N) and targets (M, K) of a generator."""
    of = (generator.name, generator.samples, generator.seed, generator.usual_noise)
    with np.errstate(over="ignore"):  # `dataset` says it
        if generator.name in CURVES:
            x, values = generators.curve(*of)
            return frozen(x), frozen(values[:, None])
        x, classes = generators.points(*of, generator.classes)
    return frozen(x), generators.targets(classes, generator.labels, generator.classes)


@lru_cache(maxsize=32)
def _parts(split: Split | None, samples: int) -> tuple[Array, Array, Array]:
    """The rows of each part, in the order of the data set."""
    if split is None:
        return np.arange(samples), np.arange(0), np.arange(0)
    order = np.random.default_rng(split.seed).permutation(samples)
    train, validation, _ = split.counts(samples)
    found = np.split(order, [train, train + validation])
    return np.sort(found[0]), np.sort(found[1]), np.sort(found[2])


def _check_classes(scenario: Scenario, y: Array, training: Array) -> None:
    """Nothing can be learned about classes from samples of one alone. Rows that are written down
    may be so: `all_alike` says it.
    """
    generator, split = scenario.data.generator, scenario.data.split
    if not _of_one_class(scenario, training) or (split is None and generator is None):
        return
    if len(np.unique(y, axis=0)) > 1:
        raise DataError(
            ("data", "split"),
            f"{_all(len(training), 'training sample')} of one class; "
            "give the training part a larger share, or the split another seed",
        )
    if generator is not None:
        raise DataError(
            ("data", "generator"),
            f"{_all(len(y), 'sample')} of one class, with targets {_numbers(y[0])}; "
            "make more samples, or give another seed",
        )


def _of_one_class(scenario: Scenario, targets: Array) -> bool:
    """Whether these are targets of classes, and all the same."""
    is_class = scenario.network.layers[-1].activation in {"sigmoid", "softmax", "step", "sign"}
    if scenario.data.generator is not None:
        is_class = scenario.data.generator.name not in CURVES
    return is_class and len(np.unique(targets, axis=0)) == 1


def all_alike(scenario: Scenario) -> str:
    """That all training samples are of one class, where there are several, or ""."""
    y = dataset(scenario).part("training")[1]
    if len(y) < 2 or not _of_one_class(scenario, y):
        return ""
    return f"All {len(y):,} training samples are of one class, with targets {_numbers(y[0])}"


def _numbers(row: Array) -> str:
    return ", ".join(shown(number) for number in row.tolist())


def _every(count: int, what: str) -> str:
    return f"all {counted(count, what)}" if count > 1 else f"the only {what}"


def _all(count: int, what: str) -> str:
    return f"{_every(count, what)} {'are' if count > 1 else 'is'}"


def _check_scaling(scaling: Scaling, raw: Array, what: str) -> None:
    beyond = np.flatnonzero(~np.isfinite(scaling.divided))
    if beyond.size:
        raise DataError(
            ("data", "scale"),
            f"input {beyond[0] + 1} has numbers too large to be scaled in float64; "
            "leave out scale, or give smaller numbers",
        )
    alike = [f"input {column} is {shown(float(raw[0, column - 1]))}" for column in constant(raw)]
    if not alike:
        return
    zero = "standard deviation" if scaling.name == "standardize" else "range"
    raise DataError(
        ("data", "scale"),
        f"{', '.join(alike)} in {_every(len(raw), what)}, so the {zero} is 0 and nothing "
        "can be divided by it; leave out scale, or what never changes",
    )
