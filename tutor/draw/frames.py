"""The drawings of many steps in one: what several steps have in common is written once, and each
part says when it is seen.

    together(drawings, last) -> the drawings as SVG; without a script one sees the drawing of step
    `last`

A part that is not seen all the time has the numbers of its steps in `data-at` ("3-7 12"); it has
`data-on` where it is seen now, and `static/stepper.js` moves that along. What is seen at a step is,
part for part and in the same order, what the page of that step has. Only drawings with one layout
share a picture, so a large network or graph has several.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from tutor.draw.parts import Drawing
from tutor.notation.markup import Markup, trusted

_TAG = re.compile(r"<\w+")
Seen = list[tuple[str, list[int]]]
"""Parts in their order, each with the steps at which it is seen."""


def together(drawings: Iterable[tuple[int, Drawing]], last: int) -> Markup:
    """All drawings, by the number of their step; steps come in ascending order."""
    pictures: dict[tuple[str, str], dict[int, tuple[str, ...]]] = {}
    captions: dict[tuple[str, str], str] = {}
    for n, drawing in drawings:
        frame = drawing.opening, drawing.backdrop
        pictures.setdefault(frame, {})[n] = drawing.parts
        captions[frame] = drawing.about
    every = sorted(n for steps in pictures.values() for n in steps)
    return trusted(
        "".join(
            _picture(frame, captions[frame], steps, every, last)
            for frame, steps in pictures.items()
        )
    )


def _picture(
    frame: tuple[str, str],
    about: str,
    steps: dict[int, tuple[str, ...]],
    every: list[int],
    last: int,
) -> str:
    opening, backdrop = frame
    own = sorted(steps)
    parts = "".join(_marked(part, seen, own, last) for part, seen in _merged(steps))
    return f"{_marked(opening, own, every, last)}{about}{backdrop}{parts}</svg>"


def _merged(steps: dict[int, tuple[str, ...]]) -> Seen:
    """The parts of all steps in one order that keeps the order of each."""
    found: Seen = []
    for n, parts in steps.items():
        places: dict[str, list[int]] = {}
        for k, (part, _) in enumerate(found):
            places.setdefault(part, []).append(k)
        new: Seen = []
        behind = 0
        for part in parts:
            place = next((k for k in places.get(part, ()) if k >= behind), None)
            if place is None:
                new.append((part, [n]))
                continue
            new += found[behind:place]
            found[place][1].append(n)
            new.append(found[place])
            behind = place + 1
        found = new + found[behind:]
    return found


def _marked(part: str, seen: list[int], every: list[int], last: int) -> str:
    """The part with the steps at which it is seen, where these are not all."""
    if seen == every:
        return part
    mark = f' data-at="{" ".join(_ranges(seen, every))}"' + (" data-on" if last in seen else "")
    return _TAG.sub(lambda tag: tag[0] + mark, part, count=1)


def _ranges(seen: list[int], every: list[int]) -> Iterator[str]:
    """Steps as ranges; where the steps of a picture are not in a row, what lies between two of them
    is no gap.
    """
    place = {n: k for k, n in enumerate(every)}
    for _, run in groupby(enumerate(seen), key=lambda pair: place[pair[1]] - pair[0]):
        first, *rest = (n for _, n in run)
        yield f"{first}-{rest[-1]}" if rest else f"{first}"
