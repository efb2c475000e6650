"""Variants of a lesson for worksheets: the same structure with new friendly numbers, from a seed.

    variant(scenario, seed, number)  -> Scenario        version `number` (from 1)
    variants(scenario, count, seed)  -> Scenario, ...   versions 1 to count, all different
                                                        (with `most`, refused where more numbers would have to be drawn)

The same (scenario, seed, number) gives the same numbers for ever, on every platform: `tests/test_variants.py` pins
two of them. Version n is the first of up to 200 draws that is fit for a worksheet and is neither the original nor an
earlier version; `tutor.redraw` says how numbers are drawn and what is kept, `tutor.degenerate` what is unfit.

Printed numbers, checks and notes are dropped, for they speak of the original's numbers; `about` is dropped where it
has a digit in it. Learning rate, notation, display and all other texts stay; the title says which version it is.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Final, TypeAlias

from tutor import limits
from tutor.build import build
from tutor.degenerate import Yardstick
from tutor.engine.trace import Trace, run
from tutor.errors import TutorError
from tutor.friendly import Stream
from tutor.redraw import kind_of_targets, redrawn
from tutor.scenario import Scenario

DRAWS: Final = 200
MOST: Final = 1_000
"""Versions of one seed."""
LARGEST_SEED: Final = 2**32 - 1

Numbers: TypeAlias = tuple[object, ...]


class VariantError(TutorError, ValueError):
    """A variant that cannot be had: no such version or seed, or a lesson whose structure leaves no fit numbers."""


def variant(scenario: Scenario, seed: int, number: int, most: int | None = None) -> Scenario:
    """Version `number` of a lesson. Raises VariantError, also where no fit numbers are found."""
    return variants(scenario, number, seed, most)[-1]


def variants(scenario: Scenario, count: int, seed: int, most: int | None = None) -> tuple[Scenario, ...]:
    """Versions 1 to `count` of a lesson, all different from each other and from the original. Raises VariantError.

    `most` is how many numbers may be drawn for all of them together, in vain or not.
    """
    if not 1 <= count <= MOST:
        raise VariantError(f"versions count from 1 to {MOST:,}, there is no version {count}")
    if not 0 <= seed <= LARGEST_SEED:
        raise VariantError(f"a seed is a whole number from 0 to {LARGEST_SEED:,}, got {seed}")
    return tuple(islice(_versions(scenario, seed, most), count))


def _versions(scenario: Scenario, seed: int, most: int | None) -> Iterator[Scenario]:
    """Version 1, 2, 3 …; a version depends on those before it only in that it is none of them."""
    trace = _trace(scenario)
    yardstick, structure = Yardstick.of(scenario, trace), _structure(scenario)
    seen, drawn, size = {_numbers(scenario)}, 0, _size(scenario)
    for number in range(1, MOST + 1):
        reasons: Counter[str] = Counter()
        for draw in range(1, DRAWS + 1):
            drawn += size
            if most is not None and drawn > most:
                raise VariantError(_too_many(number, most))
            found = redrawn(scenario, trace, Stream(json.dumps([structure, seed, number, draw])))
            reason = "the numbers have been used already" if _numbers(found) in seen else yardstick.fault(_trace(found))
            if not reason:
                break
            reasons[reason] += 1
        else:
            often = reasons.most_common(1)[0]
            raise VariantError(
                f"no numbers for version {number} of {scenario.title!r} were found in {DRAWS} draws from seed {seed}; "
                f"most often ({often[1]} times): {often[0]}"
            )
        seen.add(_numbers(found))
        yield _named(found, number)


def _trace(scenario: Scenario) -> Trace:
    problem = build(scenario)
    return run(problem.network, problem.x, problem.y, problem.eta)


def _named(scenario: Scenario, number: int) -> Scenario:
    """The scenario as version `number`, without what speaks of the original's numbers."""
    mark = f" (version {number})"
    about = "" if any(c.isdigit() for c in scenario.about) else scenario.about
    title = scenario.title[: limits.TITLE - len(mark)] + mark
    return replace(scenario, title=title, about=about, printed=(), notes=(), checks=())


def _numbers(scenario: Scenario) -> Numbers:
    """All numbers that a variant has of its own."""
    layers = tuple((layer.weights, layer.biases) for layer in scenario.network.layers)
    return layers, scenario.inputs, scenario.targets


def _size(scenario: Scenario) -> int:
    """How many numbers one draw makes."""
    given = sum(len(rows) * len(rows[0]) for layer in scenario.network.layers if (rows := layer.weights))
    biases = sum(len(layer.biases or ()) for layer in scenario.network.layers)
    return given + biases + len(scenario.inputs) * (len(scenario.inputs[0]) + len(scenario.targets[0]))


def _too_many(number: int, most: int) -> str:
    return (
        f"finding numbers for version {number} takes more than the {most:,} numbers that may be drawn for one download; "
        "take a smaller version, another seed, or python -m tutor export on your own computer, which draws on"
    )


def _structure(scenario: Scenario) -> list[object]:
    """What the lesson is without its numbers and texts, so that a corrected word leaves every sheet as it was."""
    network = scenario.network
    layers = [[layer.units, layer.activation, layer.biases is not None, layer.init is not None] for layer in network.layers]
    return [network.inputs, layers, network.loss.name, network.loss.reduction, len(scenario.inputs), kind_of_targets(scenario)]
