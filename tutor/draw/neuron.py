"""One neuron with two inputs as SVG, with its numbers: forward, loss, backward and update in one
picture.

Solid lines carry the values forward, dashed lines the gradients back. Each part has a class that
says when it comes: `s1` for the sums, `s2` for the output, `s3` for the loss, `s4` and `s5` for the
two parts of the way back, `s6` for the update. `static/gallery.css` lets them come in that order;
without it, or without motion, everything is there at once.
"""

from __future__ import annotations

from tutor.draw.layout import Place
from tutor.draw.marks import Room, arrow, fitted, name, thick
from tutor.engine.kinds import GRADIENT
from tutor.engine.quantity import Quantity
from tutor.engine.trace import Trace
from tutor.notation.conventions import Alphabet
from tutor.notation.markup import Markup, attribute, trusted
from tutor.notation.mathml import role

WIDTH, HEIGHT = 440, 280
INPUTS = ((46, 52), (46, 228))
UNIT = (228, 140)
LOSS = (390, 140)
INPUT_RADIUS, RADIUS = 26, 44
LOSS_WIDTH, LOSS_HEIGHT = 84, 46
ROOM = Room(3.2)
"""The room for a number, in em: −0.2261 fits."""
APART = 5.0
"""How far a way back lies from the way forward, both from the middle of an edge."""


def neuron(trace: Trace, alphabet: Alphabet, decimals: int, title: str) -> Markup:
    """The picture of a trained neuron: a layer of one unit with a bias, two inputs and one sample.

    `title` is what the picture says to those who do not see it.
    """
    picture = _Neuron(trace, alphabet, decimals)
    said = attribute(title)
    return trusted(
        f'<svg class="neuron" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{said}">'
        f"<title>{said}</title>{''.join(picture.parts())}</svg>"
    )


_BY_WEIGHT, _BY_SUM, _BY_OUTPUT = (GRADIENT[kind] for kind in ("w", "z", "a"))
"""The derivatives that come back."""


class _Neuron:
    """Collects the parts, from back to front."""

    def __init__(self, trace: Trace, alphabet: Alphabet, decimals: int) -> None:
        self.trace, self.alphabet, self.decimals = trace, alphabet, decimals

    def parts(self) -> list[str]:
        """Lines, shapes, then text."""
        return [*self._lines(), *self._shapes(), *self._forward(), *self._backward()]

    def _number(self, q: Quantity, y: int, apart: int = 0) -> str:
        """A number at a height, `apart` from what stands before it: the index of a symbol would
        pull it down.
        """
        shown = fitted(self.trace.value(q), self.decimals, ROOM)[0]
        gap = f' dx="{apart}"' if apart else ""
        return f'<tspan data-q="{q}" y="{y}"{gap}>{shown}</tspan>'

    def _named(self, q: Quantity, y: int) -> str:
        apart = 11 if self.alphabet.symbol(q).hat else 6  # a hat counts as less than no width
        return f"{self._name(q)}{self._number(q, y, apart)}"

    def _name(self, q: Quantity) -> str:
        return f'<tspan class="{role(q.kind)}">{name(self.alphabet, q)}</tspan>'

    def _lines(self) -> list[str]:
        ends = [(place, UNIT, INPUT_RADIUS, RADIUS) for place in INPUTS]
        ahead = [_moved(*end, APART) for end in ends]
        back = [_moved(*end, -APART) for end in ends]
        x, y = LOSS
        out = (UNIT, LOSS, RADIUS, LOSS_WIDTH // 2)
        wires = [f"M{a} {b}L{UNIT[0]} {UNIT[1]}" for a, b in INPUTS]
        return [
            f'<path class="wires" d="{"".join(wires)}M{UNIT[0]} {UNIT[1]}H{x}"/>',
            *(thick("a s1", arrow(start, end, a, b)) for start, end, a, b in ahead),
            thick("a s2", arrow(*_moved(*out, APART))),
            *(thick("g s5 back", arrow(end, start, b, a)) for start, end, a, b in back),
            thick("g s4 back", arrow(*_turned(*_moved(*out, -APART)))),
            f'<path class="y line" d="M{x} {y + LOSS_HEIGHT // 2}v24"/>',
        ]

    def _shapes(self) -> list[str]:
        x, y = UNIT
        wide, high = LOSS_WIDTH, LOSS_HEIGHT
        left, top = LOSS[0] - wide // 2, LOSS[1] - high // 2
        return [
            *(f'<circle class="a" cx="{a}" cy="{b}" r="{INPUT_RADIUS}"/>' for a, b in INPUTS),
            f'<circle class="a" cx="{x}" cy="{y}" r="{RADIUS}"/>',
            f'<path class="a line" d="M{x - RADIUS} {y}h{2 * RADIUS}"/>',
            f'<rect class="l" x="{left}" y="{top}" width="{wide}" height="{high}" rx="10"/>',
        ]

    def _forward(self) -> list[str]:
        """What is given, and what is computed from left to right."""
        (x, y), (lx, ly) = UNIT, LOSS
        inputs = [Quantity("x", 0, j) for j in (1, 2)]
        weights = [Quantity("w", 1, 1, j) for j in (1, 2)]
        z, output, bias = (Quantity(kind, 1, 1) for kind in "zab")
        target, loss = Quantity("y", 0, 1), Quantity("loss")
        return [
            *(_text(a, b, self._number(q, b)) for (a, b), q in zip(INPUTS, inputs, strict=True)),
            _text(46, 16, self._name(inputs[0])),
            _text(46, 266, self._name(inputs[1])),
            self._changed(weights[0], 94, 50),
            self._changed(weights[1], 94, 234),
            self._changed(bias, 184, 206),
            _text(x, y - 16, self._named(z, y - 16), "s1"),
            _text(x, y + 18, self._named(output, y + 18), "s2"),
            _text(lx, ly - 36, "loss", "l"),
            _text(lx, ly, self._number(loss, ly), "s3"),
            _text(lx, ly + 62, self._named(target, ly + 62)),
        ]

    def _changed(self, q: Quantity, x: int, y: int) -> str:
        """A weight or bias, and what the update makes of it."""
        new = f'<tspan class="s6"> → {self._number(q.after, y)}</tspan>'
        return _text(x, y, f"{self._named(q, y)}{new}", "start")

    def _backward(self) -> list[str]:
        first, second = (Quantity(_BY_WEIGHT, 1, 1, j) for j in (1, 2))
        signal = Quantity(_BY_SUM, 1, 1)
        return [
            _text(UNIT[0], 80, self._named(signal, 80), "s4"),
            _text(309, 166, self._number(Quantity(_BY_OUTPUT, 1, 1), 166), "s4"),
            _text(104, 118, self._number(first, 118), "s5"),
            _text(104, 164, self._number(second, 164), "s5"),
        ]


def _text(x: int, y: int, inside: str, css: str = "") -> str:
    """Text whose middle is at y."""
    mark = f' class="{css}"' if css else ""
    return f'<text{mark} x="{x}" y="{y}">{inside}</text>'


def _moved(
    start: Place, end: Place, before: float, after: float, by: float
) -> tuple[Place, Place, float, float]:
    """The ends of a line that runs beside another one, `by` away from it towards the outside."""
    (x1, y1), (x2, y2) = start, end
    length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
    outside = by if y1 > y2 else -by
    dx, dy = -(y2 - y1) / length * outside, (x2 - x1) / length * outside
    return (x1 + dx, y1 + dy), (x2 + dx, y2 + dy), before, after


def _turned(
    start: Place, end: Place, before: float, after: float
) -> tuple[Place, Place, float, float]:
    """The same line the other way."""
    return end, start, after, before
