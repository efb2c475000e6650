"""The small marks of a diagram as SVG text: numbers that fit, symbols with their indices, rings,
arrows.

Widths are reckoned with the advance widths of STIX Two Math, the font that the formulas use too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from tutor import number
from tutor.draw.layout import Place, trimmed
from tutor.engine.quantity import Quantity
from tutor.notation.conventions import Alphabet, Symbol
from tutor.notation.markup import Markup, attribute, trusted
from tutor.notation.mathml import bold

SIZES = (1.0, 13 / 14, 11.2 / 14)
"""How much smaller a number may be written, step by step; `static/diagram.css` has the same sizes
by the names below.
"""
SIZE_NAMES = ("", "small", "tiny")
_ADVANCE = {".": 0.245, number.MINUS: 0.72, "e": 0.464, "∞": 0.953, "?": 0.411}
_DIGIT = 0.495
_LEAD = _ADVANCE[number.MINUS] + _DIGIT + _ADVANCE["."]
"""The width of what stands before the decimals of −0.2261."""
_ITALIC_CAPITAL, _ITALIC_SMALL = 0x1D434, 0x1D44E


def width(text: str) -> float:
    """The width of a number in em."""
    return sum(_ADVANCE.get(c, _DIGIT) for c in text)


@dataclass(frozen=True, slots=True)
class Room:
    """The room for a number in one kind of place: how many em of the usual type it may be wide, and
    how small it may become.
    """

    em: float
    smallest: int = len(SIZES) - 1

    @property
    def decimals(self) -> int:
        """How many decimals a number like −0.2261 has room for in small type: none has more, so
        that all of a kind have as many.
        """
        return int((self.em / SIZES[1] - _LEAD) / _DIGIT)

    def size(self, em: float) -> int:
        """The largest type in which so many em have room; the smallest where they have room in
        none.
        """
        return next((n for n in range(self.smallest) if em * SIZES[n] <= self.em), self.smallest)

    @lru_cache(maxsize=256)  # noqa: B019 - rooms are few
    def usual(self, decimals: int) -> int:
        """The type that numbers of so many decimals need, while they are no wider than most."""
        return self.size(_LEAD + _DIGIT * min(decimals, self.decimals))


@lru_cache(maxsize=8192)
def fitted(value: float, decimals: int, room: Room) -> tuple[str, float, int]:
    """A number as tables and formulas have it, as far as there is room: (text, width in em, which
    of the sizes).

    Smaller type comes first; what is too wide in the smallest has fewer decimals.
    """
    if value != value:  # noqa: PLR0124 - not a number
        return "?", width("?"), 0
    first = min(decimals, room.decimals)
    text = number.shown(value, first)
    for fewer in range(first - 1, 0, -1):
        if width(text) * SIZES[room.smallest] <= room.em:
            break
        text = number.shown(value, fewer)
    return text, width(text), room.size(width(text))


def name(alphabet: Alphabet, q: Quantity) -> str:
    """The symbol of a quantity as the inside of a `<text>`; ∂L/∂z for a gradient."""
    written, key = alphabet.written, ("svg", q)
    found: str | None = written.get(key)
    if found is None:
        found = written[key] = _name(alphabet, q)
    return found


def axis_name(alphabet: Alphabet, q: Quantity) -> Markup:
    """The same as the name of an axis of a chart."""
    return trusted(name(alphabet, q))


def _name(alphabet: Alphabet, q: Quantity) -> str:
    if q.of.derivative:
        below = Quantity(q.of.by if q.layer else "x", q.layer, q.i, q.j, q.sample)
        return f"∂{symbol(alphabet.symbol(Quantity('loss')))}/∂{symbol(alphabet.symbol(below))}"
    return symbol(alphabet.symbol(q))


def symbol(s: Symbol) -> str:
    """A symbol as SVG text: letter, index below, marks above; the marks start over the index."""
    letter = (attribute(bold(s.letter)) if s.bold else italic(s.letter)) + (
        "\N{COMBINING CIRCUMFLEX ACCENT}" if s.hat else ""
    )
    if s.before:
        before = attribute(s.before)
        letter = f'<tspan dy="-5">{before}</tspan><tspan class="base" dy="5">{letter}</tspan>'
    down, back, raised = "3", "", "".join(s.sup)
    if s.sub and raised:  # one place a character: down to the index, then up and back to the marks
        rest = " 0" * (len(s.sub) - 1)
        down, back = f"3{rest} -9", f' dx="0{rest} {-5 * len(s.sub)}"'
    elif raised:
        down = "-6"
    marks = attribute(s.sub + raised)
    return f'{letter}<tspan dy="{down}"{back}>{marks}</tspan>' if marks else letter


def italic(letter: str) -> str:
    """A letter as mathematical italics, as formulas have it."""
    if len(letter) != 1 or not letter.isascii():
        return attribute(letter)
    if letter == "h":
        return "ℎ"
    start, base = (_ITALIC_SMALL, "a") if letter.islower() else (_ITALIC_CAPITAL, "A")
    return chr(start + ord(letter) - ord(base))


def ring(css: str, x: float, y: float, half: float, high: int) -> str:
    """A rounded box round a number twice `half` wide, the middle of its baseline at (x, y);
    `static/diagram.css` says how high it is.
    """
    wide = round(2 * half) + 8
    at = f'x="{x - wide / 2:.0f}" y="{y - high + 4:.0f}"'
    return f'<rect class="{css} o" {at} width="{wide}"/>'


def was(written: str, x: float, y: float, title: str) -> str:
    """A number that a reader changed: a corner beside it, and its old value as a title. It ends at
    (x, y).
    """
    return (
        f'<g class="changed"><title>{attribute(title)}</title>'
        f'<path d="M{x:.0f} {y - 12:.0f}h6v6z"/>{written}</g>'
    )


def arrow(start: Place, end: Place, before: float, after: float, *, pointed: bool = True) -> str:
    """The `d` of a line, with a head at its end where it points somewhere."""
    x1, y1, x2, y2 = map(round, trimmed(start, end, before, after))
    line = f"M{x1} {y1}L{x2} {y2}"
    return line + _head((x2, y2), (x1, y1)) if pointed else line


def thick(css: str, *lines: str) -> str:
    """Lines that stand out."""
    return f'<path class="{css} line" d="{"".join(lines)}"/>'


def bent(css: str, path: str, end: Place, before: Place) -> str:
    """A line along a path, with a head at `end` that points there from `before`."""
    return f'<path class="{css} line" d="{path}{_head(end, before)}"/>'


def _head(end: Place, before: Place) -> str:
    """The head of an arrow."""
    (x, y), (bx, by, _, _) = end, trimmed(end, before, 8, 0)
    ox, oy = (y - by) * 0.55, (bx - x) * 0.55
    return f"M{bx + ox:.1f} {by + oy:.1f}L{x:g} {y:g}L{bx - ox:.1f} {by - oy:.1f}"
