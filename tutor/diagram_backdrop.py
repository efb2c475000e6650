"""What a network diagram shows whatever the step: thin lines, headings, gaps; and the small picture of the gallery."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

from tutor.diagram_layout import LOSS_HALF, LOSS_HEIGHT, Layout, chosen_layers, chosen_units, column, length, trimmed
from tutor.markup import Markup, attribute, trusted


@lru_cache(maxsize=256)
def backdrop(layout: Layout, activations: tuple[str, ...]) -> str:
    """What is the same at every step: the thin lines, the headings, the gaps."""
    lines, texts = [], []
    for left, right in layout.gaps():
        if right.layer == left.layer + 1:
            ends = [((left.x, y1), (right.x, y2)) for _, y1 in left.spots for _, y2 in right.spots]
            lines += [_thin(*trimmed(*pair, layout.radius, layout.radius)) for pair in ends]
        else:
            count, between = right.layer - left.layer - 1, (left.x + right.x) // 2
            texts.append(f'<text class="dots" x="{between}" y="{layout.middle:.0f}">⋯</text>')
            texts.append(f'<text x="{between}" y="14">{count} more</text>')
    x, y = layout.loss
    outputs = layout.columns[-1]
    lines += [_thin(*trimmed((outputs.x, at), (x - LOSS_HALF, y), layout.radius, 0)) for _, at in outputs.spots]
    lines.append(f"M{x:.0f} {y + LOSS_HEIGHT:.0f}v{layout.targets.spots[0][1] - 11 - y - LOSS_HEIGHT:.0f}")
    for shown in layout.columns:
        texts += [_break(shown.x, at, f"{count} more") for count, at in shown.breaks]
    texts += [f'<text class="dots" x="{x:.0f}" y="{at + 7:.0f}">⋮</text>' for _, at in layout.targets.breaks]
    texts.append(f'<text x="{layout.columns[0].x}" y="14">input</text><text x="{x}" y="14">loss</text>')
    for shown in layout.columns[1:]:
        at, kind = f'<tspan x="{shown.x}" y=', activations[shown.layer - 1].replace("_", " ")
        texts.append(f'<text>{at}"14">layer {shown.layer}</tspan>{at}"28">{kind}</tspan></text>')
    return f'<path class="wires" d="{"".join(lines)}"/>{"".join(texts)}'


def _thin(x1: float, y1: float, x2: float, y2: float) -> str:
    return f"M{x1:.0f} {y1:.0f}L{x2:.0f} {y2:.0f}"


def _break(x: int, y: float, words: str) -> str:
    return f'<text class="dots" x="{x}" y="{y - 2:.0f}">⋮</text><text x="{x}" y="{y + 15:.0f}">{words}</text>'


@lru_cache(maxsize=256)
def thumbnail(sizes: tuple[int, ...], title: str) -> Markup:
    """A small picture of a network's shape, without numbers; three dots stand for units or layers left out."""
    layers = chosen_layers(len(sizes), set())
    rows = [chosen_units(sizes[layer], set(), most=5) for layer in layers]
    columns = [column(layer, 12 + 34 * n, r, 16, 46 - 8 * length(r)) for n, (layer, r) in enumerate(zip(layers, rows, strict=True))]
    lines, marks = [], []
    for left, right in pairwise(columns):
        if right.layer == left.layer + 1:
            lines += [f"M{left.x} {y1:.0f}L{right.x} {y2:.0f}" for _, y1 in left.spots for _, y2 in right.spots]
        else:
            marks += [f'<circle class="more" cx="{(left.x + right.x) // 2 + d}" cy="46" r="1.2"/>' for d in (-5, 0, 5)]
    for each in columns:
        marks += [f'<circle cx="{each.x}" cy="{y:.0f}" r="5.5"/>' for _, y in each.spots]
        marks += [f'<circle class="more" cx="{each.x}" cy="{y + d:.0f}" r="1.2"/>' for _, y in each.breaks for d in (-4, 0, 4)]
    wide, said = columns[-1].x + 12, attribute(title)
    return trusted(
        f'<svg class="thumb" viewBox="0 0 {wide} 92" width="{wide}" height="92" role="img" aria-label="{said}"><title>{said}</title>'
        f'<path d="{"".join(lines)}"/>{"".join(marks)}</svg>'
    )
