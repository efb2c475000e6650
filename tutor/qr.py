"""A text as a QR code: an SVG of one path, dark on white whatever the colours of the page around it.

    drawn("https://…", "QR code of this step") -> QrCode

`segno` finds the modules; we draw them ourselves, so that the picture brings no style of its own. Error level M: a code
of which a seventh is covered, blurred or in glaring light is still read; a level that costs no more room is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import segno

from tutor.markup import Markup, attribute, trusted

QUIET = 4
"""Modules of white around the code, as the standard wants; on a dark page it is not found without."""


@dataclass(frozen=True, slots=True)
class QrCode:
    """The picture, and how many modules stand in a row of the code: the more, the nearer one has to be to scan it."""

    picture: Markup
    modules: int


def drawn(text: str, title: str) -> QrCode:
    """The code of a text of at most 2,331 bytes, which is what the largest one of level M holds."""
    rows = matrix(text)
    size = len(rows) + 2 * QUIET
    return QrCode(trusted(
        f'<svg class="qr" viewBox="0 0 {size} {size}" role="img" aria-label="{attribute(title)}" shape-rendering="crispEdges">'
        f'<rect width="{size}" height="{size}" fill="#fff"/><path fill="#000" d="{"".join(_bars(rows))}"/></svg>'
    ), len(rows))  # fmt: skip


def matrix(text: str) -> tuple[bytes, ...]:
    """The modules of a text, row by row: 1 is dark."""
    return tuple(map(bytes, segno.make_qr(text, error="m").matrix))


def _bars(rows: tuple[bytes, ...]) -> Iterator[str]:
    """A bar for each run of dark modules in a row: as few as there can be without looking across rows."""
    for y, row in enumerate(rows, QUIET):
        x = QUIET
        for dark, run in groupby(row):
            length = len(list(run))
            if dark:
                yield f"M{x} {y}h{length}v1h-{length}z"
            x += length
