"""All numbers of an iteration as data: JSON by contract name, or CSV with a row for each quantity.

    as_json(lesson) -> pieces of text     what `python -m tutor trace` prints
    as_csv(lesson)  -> pieces of text     quantity,kind,layer,i,j,sample,value

Both come in pieces, block by block, so that a large network needs little memory. Numbers are the shortest text that
reads back as the same float64. CSV has no place for the reason where a walk ends early; its rows then end there too.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from tutor import trace_json
from tutor.engine import quantity
from tutor.lesson import Lesson

COLUMNS = ("quantity", "kind", "layer", "i", "j", "sample", "value")
RUNS = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is run as a formula by spreadsheets."""
ROWS = 2_000
"""At least so many rows in a piece, but for the last."""


def as_json(lesson: Lesson) -> Iterator[str]:
    """The JSON object of an iteration, in pieces."""
    return trace_json.chunks(lesson, [])


def as_csv(lesson: Lesson) -> Iterator[str]:
    """The header and a row for each quantity, in pieces of many lines each."""
    lines = [",".join(COLUMNS) + "\n"]
    heads: dict[str, str] = {}
    for names, values in trace_json.groups(lesson.trace):
        _, at, sample = names[0].partition("@")
        for name, value in zip(names, values.tolist(), strict=True):
            base = name.removesuffix(at + sample)
            if base not in heads:
                heads[base] = _head(base)
            if isfinite(value):
                lines.append(f"{heads[base] % (at + sample)},{sample},{value!r}\n")
        if len(lines) > ROWS:
            yield "".join(lines)
            lines = []
    yield "".join(lines)


def _head(base: str) -> str:
    """The cells of a quantity before its sample, with %s where its name takes the sample."""
    q = quantity.parse(base)
    cells = (f"{base}%s", q.kind, q.layer if q.of.layered else "", q.i or "", q.j or "")
    return ",".join(text_cell(str(cell)) for cell in cells)


def text_cell(text: str) -> str:
    """A text as a cell that a spreadsheet shows and does not run, in quotes where it needs them."""
    safe = "'" + text if text.startswith(RUNS) else text
    return '"' + safe.replace('"', '""') + '"' if any(c in safe for c in ',"\r\n') else safe
