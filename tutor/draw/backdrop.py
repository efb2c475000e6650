"""What a network diagram shows whatever the step: thin lines, headings, gaps; and the small picture
of the gallery.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

from tutor.draw.layout import (
    LOSS_HALF,
    LOSS_HEIGHT,
    Column,
    Layout,
    Place,
    chosen_layers,
    chosen_units,
    column,
    length,
    same_units,
    trimmed,
)
from tutor.notation.markup import Markup, attribute, trusted


@lru_cache(maxsize=256)
def backdrop(layout: Layout, rules: tuple[str, ...]) -> str:
    """What is the same at every step: the thin lines, the headings, the gaps.

    `rules`: what each layer does.
    """
    lines, texts = [], []
    for left, right in layout.gaps():
        if right.layer == left.layer + 1:
            ends = [((left.x, y1), (right.x, y2)) for _, y1 in left.spots for _, y2 in right.spots]
            lines += [_thin(layout, left.layer, right.layer, *pair) for pair in ends]
        else:
            count, between = right.layer - left.layer - 1, (left.x + right.x) // 2
            texts.append(f'<text class="dots" x="{between}" y="{layout.middle:.0f}">⋯</text>')
            texts.append(f'<text x="{between}" y="14">{count} more</text>')
    x, y = layout.loss
    outputs = layout.columns[-1]
    ties = [((outputs.x, at), (x - LOSS_HALF, y)) for _, at in outputs.spots]
    lines += [_thin(layout, outputs.layer, 0, *tie) for tie in ties]
    lines.append(
        f"M{x:.0f} {y + LOSS_HEIGHT:.0f}v{layout.targets.spots[0][1] - 11 - y - LOSS_HEIGHT:.0f}"
    )
    for shown in layout.columns:
        texts += [_break(shown.x, at, f"{count} more") for count, at in shown.breaks]
    texts += [
        f'<text class="dots" x="{x:.0f}" y="{at + 7:.0f}">⋮</text>'
        for _, at in layout.targets.breaks
    ]
    texts.append(
        f'<text x="{layout.columns[0].x}" y="14">input</text><text x="{x}" y="14">loss</text>'
    )
    for shown in layout.columns[1:]:
        at, rule = f'<tspan x="{shown.x}" y=', rules[shown.layer - 1]
        texts.append(f'<text>{at}"14">layer {shown.layer}</tspan>{at}"28">{rule}</tspan></text>')
    wires = f'<path class="wires" d="{"".join(lines)}"/>'
    if layout.skips:
        wires += f'<path class="wires skip a" d="{"".join(skip.path for skip in layout.skips)}"/>'
    return f"{wires}{''.join(texts)}"


def _thin(layout: Layout, layer: int, other: int, start: Place, end: Place) -> str:
    """A thin line from a unit to one of another layer, or to the loss (0)."""
    reach = layout.reach(other, end, start) if other else 0
    x1, y1, x2, y2 = trimmed(start, end, layout.reach(layer, start, end), reach)
    return f"M{x1:.0f} {y1:.0f}L{x2:.0f} {y2:.0f}"


def _break(x: int, y: float, words: str) -> str:
    return f'<text class="dots" x="{x}" y="{y - 2:.0f}">⋮</text><text x="{x}" y="{y + 15:.0f}">{words}</text>'


@lru_cache(maxsize=256)
def thumbnail(
    sizes: tuple[int, ...], title: str, skips: tuple[tuple[int, int], ...] = ()
) -> Markup:
    """A small picture of a network's shape, without numbers; three dots stand for what is left out.

    `skips`: from which layer to which the skip connections go.
    """
    layers = chosen_layers(len(sizes), set())
    rows = [chosen_units(sizes[layer], set(), most=5) for layer in layers]
    columns = [
        column(layer, 12 + 34 * n, r, 16, 46 - 8 * length(r))
        for n, (layer, r) in enumerate(zip(layers, rows, strict=True))
    ]
    lines, marks = [], []
    for left, right in pairwise(columns):
        if right.layer == left.layer + 1:
            lines += [
                f"M{left.x} {y1:.0f}L{right.x} {y2:.0f}"
                for _, y1 in left.spots
                for _, y2 in right.spots
            ]
        else:
            marks += [
                f'<circle class="more" cx="{(left.x + right.x) // 2 + d}" cy="46" r="1.2"/>'
                for d in (-5, 0, 5)
            ]
    shown = {each.layer: each for each in columns}
    for source, target in skips:
        if source in shown and target in shown:
            lines += _bows(shown[source], shown[target])
    for each in columns:
        marks += [f'<circle cx="{each.x}" cy="{y:.0f}" r="5.5"/>' for _, y in each.spots]
        marks += [
            f'<circle class="more" cx="{each.x}" cy="{y + d:.0f}" r="1.2"/>'
            for _, y in each.breaks
            for d in (-4, 0, 4)
        ]
    wide, said = columns[-1].x + 12, attribute(title)
    return trusted(
        f'<svg class="thumb" viewBox="0 0 {wide} 92" width="{wide}" height="92" role="img" aria-label="{said}"><title>{said}</title>'
        f'<path d="{"".join(lines)}"/>{"".join(marks)}</svg>'
    )


def _bows(left: Column, right: Column) -> list[str]:
    """The skip connections of a small picture, as far as their units are seen."""
    middle = (left.x + right.x) // 2
    return [
        f"M{left.x} {y1:.0f}Q{middle} {max(y1, y2) + 22:.0f} {right.x} {y2:.0f}"
        for _, y1, y2 in same_units(left, right)
    ]
