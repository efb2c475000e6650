"""Made data: points in the plane in classes, and curves with noise.

    circle   points from the standard normal distribution; class 1 inside the unit circle
    blobs    clouds around centres on a circle of radius 2, one for each class
    xor      the corners of the unit square in turn; class 1 where one coordinate alone is 1
    moons    two half circles that reach into each other
    sine     sin x at points from −π to π, evenly spaced
    ramp     0 up to −1, 1 from 1 on, a straight line between; at points from −2 to 2

    points("circle", 200, seed=0) -> x (200, 2), classes (200,)

Noise is normal: on the coordinates of points, on the values of a curve. The same seed gives the
same data.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np

from tutor.engine.network import Array, frozen

Made: TypeAlias = tuple[Array, Array]
"""Points (M, 2) and their classes (M,) from 0; or places (M, 1) and values (M,)."""
Random: TypeAlias = np.random.Generator


def points(name: str, samples: int, seed: int, noise: float, classes: int = 2) -> Made:
    """The points of a class generator with their classes."""
    return CLASSES[name](np.random.default_rng(seed), samples, noise, classes)


def curve(name: str, samples: int, seed: int, noise: float) -> Made:
    """Places and values of a curve generator."""
    start, end, function = CURVES[name]
    x = np.linspace(start, end, samples)
    return x[:, None], function(x) + noise * np.random.default_rng(seed).standard_normal(samples)


def targets(classes: Array, labels: str, count: int) -> Array:
    """Targets (M, K) of class numbers: 0 and 1, −1 and 1, or one-hot rows."""
    if labels == "one_hot":
        return frozen(np.eye(count)[classes])
    low = 0.0 if labels == "zero_one" else -1.0
    return frozen(np.where(classes == 1, 1.0, low)[:, None])


def _circle(random: Random, samples: int, noise: float, classes: int) -> Made:
    x = random.standard_normal((samples, 2))
    inside = (x[:, 0] ** 2 + x[:, 1] ** 2 < 1).astype(int)
    return _noisy(random, x, noise), inside


def _blobs(random: Random, samples: int, noise: float, classes: int) -> Made:
    group = np.arange(samples) % classes
    turn = 2 * np.pi * group / classes + np.pi / 4
    return _noisy(random, 2 * np.column_stack([np.cos(turn), np.sin(turn)]), noise), group


def _xor(random: Random, samples: int, noise: float, classes: int) -> Made:
    corner = np.arange(samples) % 4
    x = np.column_stack([corner // 2, corner % 2]).astype(float)
    return _noisy(random, x, noise), (corner // 2) ^ (corner % 2)


def _moons(random: Random, samples: int, noise: float, classes: int) -> Made:
    group = np.arange(samples) % 2
    turn = np.pi * random.uniform(size=samples)
    upper = np.column_stack([np.cos(turn), np.sin(turn)])
    lower = np.column_stack([1 - np.cos(turn), 0.5 - np.sin(turn)])
    return _noisy(random, np.where(group[:, None] == 0, upper, lower), noise), group


def _noisy(random: Random, x: Array, noise: float) -> Array:
    return np.asarray(x + noise * random.standard_normal(x.shape)) if noise else x


def _ramp(x: Array) -> Array:
    return np.asarray(np.clip((x + 1) / 2, 0, 1))


CLASSES: Final = MappingProxyType({
    "circle": _circle, "blobs": _blobs, "xor": _xor, "moons": _moons,
})  # fmt: skip
CURVES: Final[MappingProxyType[str, tuple[float, float, Callable[[Array], Array]]]] = (
    MappingProxyType({"sine": (-np.pi, np.pi, np.sin), "ramp": (-2.0, 2.0, _ramp)})
)
