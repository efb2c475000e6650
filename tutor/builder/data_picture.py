"""What the samples of a generator look like: points in their classes, or a curve.

picture_of(generator)   -> Picture | None      None where they cannot be drawn
"""

from __future__ import annotations

import numpy as np

from tutor import number
from tutor.draw import charts, planes
from tutor.draw.charts import Chart, Key, Series
from tutor.draw.planes import Plane, Samples
from tutor.engine.network import Array
from tutor.lesson.dataset import made
from tutor.number import counted
from tutor.pages.training_pictures import Picture, span
from tutor.scenario.model import CURVES, Generator

HEADING = "The samples that are made"


def picture_of(generator: Generator | None) -> Picture | None:
    """The samples of a generator as it makes them, before they are scaled."""
    if generator is None or generator.targets > charts.STYLES:
        return None
    x, y = made(generator)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return None
    return _curve(x, y) if generator.name in CURVES else _points(x, y)


def _curve(x: Array, y: Array) -> Picture:
    samples = (Series("samples", x[:, 0].tolist(), y[:, 0].tolist()),)
    low, high = span(x)
    text = f"{counted(len(x), 'sample')}: across the input, upwards the target."
    chart = Chart(
        "data", HEADING, (), "x", "target", (low, high), samples=samples, linear=True, words=text
    )
    return Picture(HEADING, charts.draw(chart), (Key("mark-1", "samples"),), text)


def _points(x: Array, y: Array) -> Picture:
    kinds = np.unique(y, axis=0)
    if y.shape[1] > 1:
        kinds = kinds[::-1]  # one-hot rows: class 1 first
    groups = [x[(y == kind).all(axis=1)] for kind in kinds]
    names = [
        f"target {number.shown(float(kind[0]))}" if len(kind) == 1 else f"class {at}"
        for at, kind in enumerate(kinds, 1)
    ]
    counts = ", ".join(
        f"{len(group):,} of {name}" for group, name in zip(groups, names, strict=True)
    )
    text = f"{counted(len(x), 'sample')}: {counts}."
    across, up = (np.array(span(x[:, i])) for i in (0, 1))
    samples = tuple(
        Samples(tuple((float(a), float(b)) for a, b in group), style)
        for style, group in enumerate(groups, 1)
    )
    plane = Plane("data", HEADING, text, "x\N{SUBSCRIPT ONE}", "x\N{SUBSCRIPT TWO}", across, up,
                  samples=samples)  # fmt: skip
    legend = tuple(Key(f"mark-{style}", name) for style, name in enumerate(names, 1))
    return Picture(HEADING, planes.draw(plane), legend, text)
