"""Numbers for a table of the form: friendly ones, or those of a scheme, rounded to what one likes to read.

    friendly(key, rows, columns)                   tenths, the same for the same key
    seed_of("7")                                   a seed as it was typed, or None
    made("xavier", "1", "7", rows, columns)        texts, or what is wrong with scale and seed
"""

from __future__ import annotations

import math

from tutor.build import initial
from tutor.draft import written
from tutor.draft_grid import Cells
from tutor.errors import NumberError
from tutor.friendly import Pool, Stream
from tutor.number import read
from tutor.scenario_model import Init

LARGEST_SCALE = 1e6
SEEDS = 2**32
"""How many seeds there are; after the last one comes the first."""
NO_SEED = f"expected a whole number from 0 to {SEEDS - 1:,}"


def friendly(key: str, rows: int, columns: int) -> Cells:
    """Tenths from ±0.1 to ±0.9, different ones as far as they last."""
    pool = Pool(9, 10)
    return tuple(tuple(map(written, row)) for row in pool.matrix(Stream(f"draft {key}"), rows, columns))


def seed_of(text: str) -> int | None:
    """A seed as it was typed; None where it is none."""
    typed = text.strip()
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 11 and int(typed) < SEEDS else None


def made(scheme: str, scale: str, seed: str, rows: int, columns: int) -> Cells | dict[str, str]:
    """The weights of a scheme, or {field: message}."""
    problems, size = {}, 1.0
    try:
        size = read(scale)
        if not 0 <= abs(size) <= LARGEST_SCALE or (size < 0 and scheme not in {"constant", "identity"}):
            problems["scale"] = f"expected a number from 0 to {LARGEST_SCALE:,.0f}, got {scale.strip()[:40]}"
    except NumberError as error:
        problems["scale"] = str(error)
    start = seed_of(seed)
    if start is None:
        problems["seed"] = NO_SEED
    if problems:
        return problems
    weights = initial(Init.model_validate({"scheme": scheme, "scale": size, "seed": start}), rows, columns)
    if scheme in {"constant", "identity"}:
        return tuple(tuple(written(float(w)) for w in row) for row in weights)
    digits = _digits(float(abs(weights).max()))
    return tuple(tuple(written(round(float(w), digits) + 0.0) for w in row) for row in weights)


def _digits(largest: float) -> int:
    """Two decimals, more where all numbers are small."""
    return 2 if largest >= 0.1 or largest == 0 else min(12, 1 - math.floor(math.log10(largest)))
