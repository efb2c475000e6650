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
    chosen_layers,
    chosen_units,
    column,
    length,
    same_units,
)
from tutor.notation.markup import Markup, attribute, trusted


@lru_cache(maxsize=256)
def backdrop(layout: Layout, rules: tuple[str, ...]) -> str:
    """What is the same at every step: the cards, the lines to the loss, the headings, the gaps.

    `rules`: what each layer does.
    """
    lines, cards, dividers, texts = [], [], [], []
    for left, right in layout.gaps():
        if right.layer != left.layer + 1:
            count = right.layer - left.layer - 1
            between = (layout.right(left) + right.entrance) // 2
            texts.append(f'<text class="dots" x="{between}" y="{layout.middle:.0f}">⋯</text>')
            texts.append(f'<text x="{between}" y="14">{count} more</text>')
    x, y = layout.loss
    outputs = layout.columns[-1]
    for _, at in outputs.spots:
        start = layout.leaves(outputs, at)
        lines.append(f"M{start[0]} {start[1]:.0f}L{x - LOSS_HALF} {y:.0f}")
    lines.append(
        f"M{x:.0f} {y + LOSS_HEIGHT:.0f}v{layout.targets.spots[0][1] - 11 - y - LOSS_HEIGHT:.0f}"
    )
    for shown in layout.columns:
        middle = layout.centre(shown)
        texts += [_break(middle, at, f"{count} more") for count, at in shown.breaks]
        for _, at in shown.spots:
            cards.append(_card(layout, shown, at))
            dividers.append(_dividers(layout, shown, at))
    texts += [
        f'<text class="dots" x="{x:.0f}" y="{at + 7:.0f}">⋮</text>'
        for _, at in layout.targets.breaks
    ]
    texts.append(
        f'<text x="{layout.centre(layout.columns[0])}" y="14">input</text>'
        f'<text x="{x}" y="14">loss</text>'
    )
    for shown in layout.columns[1:]:
        rule = f" · {rules[shown.layer - 1]}" if shown.open else ""
        texts.append(f'<text x="{layout.centre(shown)}" y="14">layer {shown.layer}{rule}</text>')
    wires = f'<path class="wires" d="{"".join(lines)}"/>'
    if layout.skips:
        wires += f'<path class="wires skip a" d="{"".join(skip.path for skip in layout.skips)}"/>'
    outlines = f'<path class="card" d="{"".join(cards)}"/>'
    inside = f'<path class="rules" d="{"".join(dividers)}"/>'
    return f"{wires}{outlines}{inside}{''.join(texts)}"


def _card(layout: Layout, shown: Column, y: float) -> str:
    """The outline of a unit's card, with round corners."""
    top, bottom = layout.outline(shown, y)
    across, down = layout.right(shown) - shown.x - 10, round(bottom - top) - 10
    right, left = f"h{across}q5 0 5 5v{down}", f"q0 5-5 5h{-across}q-5 0-5-5v{-down}q0-5 5-5z"
    return f"M{shown.x + 5} {top:.0f}{right}{left}"


def _dividers(layout: Layout, shown: Column, y: float) -> str:
    """The lines between the places in a card: numbers above, their derivatives below; in a flat
    card with an arrow from z to a.
    """
    if not shown.open:
        return ""
    top, row, wide = layout.top(shown, y), layout.row, layout.cell
    inner = range(2, shown.slopes + 1)
    lines = [
        f"M{shown.x + n * wide} {top + row * (n in inner):.0f}v{row * (1 if n in inner else 2)}"
        for n in range(1, shown.cells)
    ]
    lines += [f"M{shown.x} {top + n * row:.0f}h{shown.cells * wide}" for n in range(1, shown.rows)]
    if shown.slopes == 1 and not layout.tight:
        x = shown.x + 3 * wide // 2
        lines.append(f"M{x - 11} {top + row / 2:.0f}h22m-5-3l5 3-5 3")
    return "".join(lines)


def _break(x: int, y: float, words: str) -> str:
    return (
        f'<text class="dots" x="{x}" y="{y - 2:.0f}">⋮</text>'
        f'<text x="{x}" y="{y + 15:.0f}">{words}</text>'
    )


@lru_cache(maxsize=256)
def thumbnail(
    sizes: tuple[int, ...], title: str, skips: tuple[tuple[int, int], ...] = ()
) -> Markup:
    """A small picture of a network's shape, without numbers; three dots stand for what is left out.

    `skips`: from which layer to which the skip connections go.
    """
    layers = chosen_layers(len(sizes), set(), most=6)
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
        f'<svg class="thumb" viewBox="0 0 {wide} 92" width="{wide}" height="92" '
        f'role="img" aria-label="{said}"><title>{said}</title>'
        f'<path d="{"".join(lines)}"/>{"".join(marks)}</svg>'
    )


def _bows(left: Column, right: Column) -> list[str]:
    """The skip connections of a small picture, as far as their units are seen."""
    middle = (left.x + right.x) // 2
    return [
        f"M{left.x} {y1:.0f}Q{middle} {max(y1, y2) + 22:.0f} {right.x} {y2:.0f}"
        for _, y1, y2 in same_units(left, right)
    ]
