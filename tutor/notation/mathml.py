"""Formulas as MathML Core, straight from the tree, each piece with its spoken text as `aria-label`.

No styles and no scripts: every term carries a class for its role (`tutor.pages.step_page` explains
the colours) and, where it stands for a number of the lesson, the quantity's name in `data-q`, by
which formula, diagram and tables are linked. A long line is cut into several formulas so that it
can wrap on a phone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from tutor import number
from tutor.engine.kinds import KINDS, SLOPE, kind_of
from tutor.engine.quantity import Quantity
from tutor.engine.tree import ArrayRef, Environment, Node
from tutor.notation.conventions import Alphabet, Symbol
from tutor.notation.markup import Markup, attribute, trusted
from tutor.notation.speech import Words
from tutor.notation.speech import spoken as read_out
from tutor.notation.writer import MODES, NOTHING, NUMBERS, Hidden, Writer

ROLES = {
    "x": "a", "a": "a", "r": "a", "z": "z", "w": "w", "b": "b", "y": "y", "eta": "e", "loss": "l",
    "da/dz": "d", "raw": "a",
}  # fmt: skip
"""The colour role of each kind of quantity; everything that is a gradient of the loss is `g`."""
_DERIVED = {"∂": "<mi>∂</mi>", "d": '<mi mathvariant="normal">d</mi>'}
_BY_ROLE = {
    "knob": "e", "rate": "e", "memory": "g", "gradient": "g", "unit": "a", "mask": "d",
    "value": "a", "node": "a", "statistic": "e", "source": "a",
}  # fmt: skip
SHOWN_ROWS = SHOWN_COLUMNS = 6
_BOLD_CAPITAL, _BOLD_SMALL = 0x1D400, 0x1D41A


def role(kind: str) -> str:
    """The class by which a kind of quantity is coloured everywhere."""
    of = kind_of(kind)
    return ROLES.get(of.base) or _BY_ROLE.get(of.role) or ("g" if of.derivative else "l")


class MathML(Writer):
    """The dialect: each method returns one MathML element (or a row of them)."""

    def constant(self, value: float, text: str) -> str:
        if text == "π":
            return "<mi>π</mi>"
        if "/" in text:
            top, bottom = text.split("/")
            return f"<mfrac><mn>{top}</mn><mn>{bottom}</mn></mfrac>"
        return f"<mn>{text}</mn>" if text else _digits(value, self.decimals, more=self.more)

    def amount(self, value: float, quantity: Quantity | None) -> str:
        mark = "" if quantity is None else f' data-q="{quantity}"'
        return _digits(value, self.decimals, mark, self.more)

    def blank(self, quantity: Quantity) -> str:
        return '<mtext class="blank">\u2003\u2003\u2003</mtext>'

    def letter(self, symbol: Symbol, kind: str) -> str:
        return _letter(symbol, role(kind) if kind else "")

    def derivative(self, top: str, bottom: str, kind: str) -> str:
        sign = _DERIVED[self.alphabet.sign(kind)]
        return (
            f'<mfrac class="{role(kind)}"><mrow>{sign}{top}</mrow>'
            f"<mrow>{sign}{bottom}</mrow></mfrac>"
        )

    def matrix(self, leaf: ArrayRef) -> str:
        array = self.array(leaf)
        height, columns = array.shape
        rows = "".join(
            "<mtr>"
            + "".join(f"<mtd>{self._entry(leaf, array, r, c)}</mtd>" for c in shown_rows(columns))
            + "</mtr>"
            for r in shown_rows(height)
        )
        folded = ["few-rows"] * (height > SHOWN_ROWS) + ["few-columns"] * (columns > SHOWN_COLUMNS)
        mark = f' class="{" ".join(folded)}"' if folded else ""
        css = role(leaf.kind)
        return f'<mrow class="{css}"><mo>[</mo><mtable{mark}>{rows}</mtable><mo>]</mo></mrow>'

    def _entry(self, leaf: ArrayRef, array: Any, r: int, c: int) -> str:
        if r < 0 or c < 0:
            return f"<mo>{'⋱' if r < 0 and c < 0 else '⋮' if r < 0 else '⋯'}</mo>"
        if self.hidden is not None and self.hidden(member(leaf)):
            return self.blank(member(leaf))
        return self.entry(float(array[r, c]), leaf)

    def entry(self, value: float, leaf: ArrayRef) -> str:
        """One number of a matrix."""
        return _digits(value, self.decimals, more=self.more)

    def shaped(self, x: str, rows: int, columns: int) -> str:
        return f'<munder>{x}<mtext class="s">({rows}×{columns})</mtext></munder>'

    def fraction(self, top: str, bottom: str) -> str:
        return f"<mfrac>{_row(top)}{_row(bottom)}</mfrac>"

    def parenthesised(self, x: str) -> str:
        return f"<mrow><mo>(</mo>{x}<mo>)</mo></mrow>"

    def joined(self, parts: list[str], sign: str) -> str:
        # at the start of a formula it would be drawn as a prefix
        leading = ' form="infix"' if parts[0] == "" else ""
        return f"<mo{leading}>{sign}</mo>".join(parts)

    def minus(self, x: str) -> str:
        return f"<mrow><mo>−</mo>{x}</mrow>"

    def power(self, base: str, exponent: str) -> str:
        return f"<msup>{_row(base)}{_row(exponent)}</msup>"

    def function(self, name: str, x: str) -> str:
        space = "" if x.startswith("<mrow><mo>(") else '<mspace width="0.17em"/>'
        return f"<mrow><mi>{name}</mi>{space}{x}</mrow>"

    def cases(self, rows: list[tuple[str, str, str]]) -> str:
        body = "".join(
            f"<mtr><mtd>{formula}</mtd>"
            f"<mtd><mtext>if\u00a0</mtext>{on}{_condition(condition)}</mtd></mtr>"
            for formula, on, condition in rows
        )
        return f'<mrow><mo>{{</mo><mtable class="cases">{body}</mtable></mrow>'

    def since(self, x: str, on: str, condition: str) -> str:
        return (
            f'{x}<mspace width="0.8em"/>'
            f'<mtext class="s">since\u00a0</mtext>{on}{_condition(condition)}'
        )

    def between(self, count: int, total: float) -> str:
        if self.mode != NUMBERS or self.hidden is not None:
            return "<mo>⋯</mo>"
        return (
            f"<munder><munder>{_row(_digits(total, self.decimals, more=self.more))}"
            "<mo>⏟</mo></munder>"
            f"<mtext>{count} more terms</mtext></munder>"
        )

    def root(self, x: str) -> str:
        return f"<msqrt>{x}</msqrt>"

    def floor(self, x: str) -> str:
        return f"<mrow><mo>⌊</mo>{x}<mo>⌋</mo></mrow>"

    def length(self, x: str) -> str:
        return f"<mrow><mo>‖</mo>{x}<mo>‖</mo></mrow>"

    def listed(self, parts: list[str]) -> str:
        return "<mo>,</mo>".join(parts)

    def bars(self, x: str) -> str:
        return f"<mrow><mo>|</mo>{x}<mo>|</mo></mrow>"

    def extreme_over(self, name: str, what: str, x: str) -> str:
        return f"<munder><mi>{name}</mi><mtext>{what}</mtext></munder>{x}"

    def over(self, what: str, x: str) -> str:
        return f'<munder><mo movablelimits="false">∑</mo><mtext>{what}</mtext></munder>{x}'


class Unnamed(MathML):
    """The same for files, where no number is linked to any other: its role in place of its name."""

    def amount(self, value: float, quantity: Quantity | None) -> str:
        mark = "" if quantity is None else f' class="{role(quantity.kind)}"'
        return _digits(value, self.decimals, mark, self.more)


class Answered(Unnamed):
    """The same for an answer key: what its worksheet leaves open stands in a box."""

    def __init__(
        self,
        answers: Hidden,
        alphabet: Alphabet,
        decimals: int,
        mode: str,
        hidden: Hidden | None,
        env: Environment,
    ) -> None:
        super().__init__(alphabet, decimals, mode, hidden, env)
        self.answers = answers

    def amount(self, value: float, quantity: Quantity | None) -> str:
        if quantity is None or not self.answers(quantity):
            return super().amount(value, quantity)
        mark = f' class="{role(quantity.kind)} answer"'
        return _digits(value, self.decimals, mark, self.more)

    def noted(self, value: float, operands: tuple[Quantity, ...]) -> str:
        mark = ' class="answer"' if any(map(self.answers, operands)) else ""
        return _digits(value, self.decimals, mark, self.more)

    def entry(self, value: float, leaf: ArrayRef) -> str:
        mark = ' class="answer"' if self.answers(member(leaf)) else ""
        return _digits(value, self.decimals, mark, self.more)


def _condition(condition: str) -> str:
    """What a case distinction asks, such as "> 0"."""
    sign, limit = condition.split(" ")
    return f"<mo>{sign.replace('<', '&lt;')}</mo><mn>{limit}</mn>"


def member(leaf: ArrayRef) -> Quantity:
    """The first number of a matrix: the one that is asked whether the matrix is hidden."""
    kind = kind_of(leaf.kind)
    return Quantity(
        leaf.kind, leaf.layer, 1 if kind.axes else 0, 1 if kind.weights else 0, leaf.sample
    )


def shown_rows(count: int, most: int = SHOWN_ROWS) -> list[int]:
    """Which rows (or columns) of a matrix are shown; −1 marks the gap."""
    if count <= most:
        return list(range(count))
    return [*range(most - 2), -1, count - 1]


def _row(x: str) -> str:
    """One element: a row of several, a single one as it is. Of its tag there is no other in it, so
    that its end is the end of all.
    """
    tag = x[1 : x.find(">")].partition(" ")[0]
    single = x.endswith(f"</{tag}>") and x.count(f"<{tag}") == 1
    return x if single else f"<mrow>{x}</mrow>"


def _digits(value: float, decimals: int, mark: str = "", more: int = 0) -> str:
    """A number; `mark` are the attributes of its outermost element."""
    negative, digits, exponent = number.parts(value, decimals, more)
    if not (negative or exponent):
        return f"<mn{mark}>{digits}</mn>"
    sign = "<mo>−</mo>" if negative else ""  # the first of several in a row is drawn as a prefix
    power = f"<mo>·</mo><msup><mn>10</mn><mn>{exponent}</mn></msup>" if exponent else ""
    return f"<mrow{mark}>{sign}<mn>{digits}</mn>{power}</mrow>"


def _letter(symbol: Symbol, css: str) -> str:
    mark = f' class="{css}"' if css else ""
    scripts = bool(symbol.sub or symbol.sup or symbol.before)
    letter = bold(symbol.letter) if symbol.bold else symbol.letter
    above = "ˆ" if symbol.hat else "¯" if symbol.bar else ""
    base = f"<mi{'' if scripts or above else mark}>{letter}</mi>"
    if above:
        base = f'<mover{"" if scripts else mark} accent="true">{base}<mo>{above}</mo></mover>'
    sub = f"<mn>{symbol.sub}</mn>" if symbol.sub else ""
    # of several letters each, so they stand upright
    sup = "".join(f"<mi>{part}</mi>" for part in symbol.sup)
    sup = _row(sup) if len(symbol.sup) > 1 else sup
    if symbol.before:
        both = f"{sub or '<mrow/>'}{sup or '<mrow/>'}"
        return (
            f"<mmultiscripts{mark}>{base}{both}"
            f"<mprescripts/><mrow/><mtext>{symbol.before}</mtext></mmultiscripts>"
        )
    if sub and sup:
        return f"<msubsup{mark}>{base}{sub}{sup}</msubsup>"
    if sub or sup:
        tag = "msub" if sub else "msup"
        return f"<{tag}{mark}>{base}{sub}{sup}</{tag}>"
    return base


def bold(letter: str) -> str:
    """Mathematical bold letters; MathML Core knows no other way."""
    for alphabet, start in ((ascii_uppercase, _BOLD_CAPITAL), (ascii_lowercase, _BOLD_SMALL)):
        if letter[-1] in alphabet:
            return letter[:-1] + chr(start + alphabet.index(letter[-1]))
    return letter


Dialect = Callable[[Alphabet, int, str, Hidden | None, Environment], MathML]


class Line:
    """Builds the lines of a formula: pieces of MathML, each with its spoken text."""

    def __init__(
        self,
        alphabet: Alphabet,
        decimals: int,
        hidden: Hidden | None = None,
        dialect: Dialect = MathML,
        env: Environment = NOTHING,
    ) -> None:
        self.dialect = dialect
        self.alphabet = alphabet
        self.decimals = decimals
        self.hidden = hidden
        made = (alphabet, decimals)
        self._writers = {
            mode: (dialect(*made, mode, hidden, env), Words(*made, mode, hidden, env))
            for mode in MODES
        }

    def on(self, env: Environment) -> Line:
        """The same with the numbers of another environment."""
        return Line(self.alphabet, self.decimals, self.hidden, self.dialect, env)

    def tree(self, node: Node, mode: str, sign: str = "", more: int = 0) -> Markup:
        """One tree in one mode behind a relation sign, in pieces that may wrap; with so many more
        digits of its numbers.
        """
        drawn, spoken = (writer.finer(more).pieces(node) for writer in self._writers[mode])
        return pieces(zip(drawn, spoken, strict=True), sign)

    def quantity(self, q: Quantity) -> Markup:
        """The symbol of one quantity."""
        written, key = self.alphabet.written, q
        found: Markup | None = written.get(key)
        if found is None:
            drawn, spoken = (
                dialect(self.alphabet, self.decimals).name(q) for dialect in (MathML, Words)
            )
            found = written[key] = formula(drawn, spoken)
        return found

    def said(self, q: Quantity) -> str:
        """The symbol of one quantity, as it is read out."""
        return Words(self.alphabet, self.decimals).name(q)

    def matrix(self, kind: str, layer: int, sample: int = 0) -> Markup:
        """The symbol of a whole matrix."""
        written, key = self.alphabet.written, (kind, layer, sample)
        found: Markup | None = written.get(key)
        if found is None:
            writers = (dialect(self.alphabet, self.decimals) for dialect in (MathML, Words))
            found = written[key] = formula(
                *(writer.matrix_name(kind, layer, sample) for writer in writers)
            )
        return found

    def letter(self, symbol: Symbol, kind: str = "") -> Markup:
        """A symbol that is put together elsewhere, such as that of a row of a matrix."""
        writers = (dialect(self.alphabet, self.decimals) for dialect in (MathML, Words))
        return formula(*(writer.letter(symbol, kind) for writer in writers))

    def fraction(self, top: tuple[str, int], bottom: tuple[str, int], sample: int = 0) -> Markup:
        """The symbol of a Jacobian, ∂z/∂a: whole arrays by kind and layer; the loss is a number."""
        return self.ratio(*(_whole(self.alphabet, *name, sample) for name in (top, bottom)))

    def ratio(self, top: Symbol, bottom: Symbol) -> Markup:
        """The same of any two symbols."""
        return formula(*(self._ratio(top, bottom, dialect) for dialect in (MathML, Words)))

    def spoken_ratio(self, top: Symbol, bottom: Symbol) -> str:
        """The same in words."""
        return self._ratio(top, bottom, Words)

    def _ratio(self, top: Symbol, bottom: Symbol, dialect: type[MathML | Words]) -> str:
        writer = dialect(self.alphabet, self.decimals)
        return writer.derivative(writer.letter(top, ""), writer.letter(bottom, ""), SLOPE)

    def percent(self, share: float, decimals: int) -> Markup:
        """A share of one as a percentage."""
        drawn = f"<mo>≈</mo>{_digits(100 * share, decimals)}<mtext>\u00a0%</mtext>"
        spoken = Words(self.alphabet, decimals).amount(100 * share, None)
        return formula(drawn, f"is about {spoken} percent")

    def value(self, value: float, sign: str = "") -> Markup:
        """A number on its own."""
        drawn = _digits(value, self.decimals)
        spoken = f"{_SIGNS.get(sign, '')}{read_out(value, self.decimals)}"
        return formula(f"<mo>{sign}</mo>{drawn}" if sign else drawn, spoken)

    def total(self, values: Sequence[float], sign: str = "=", more: int = 0) -> Markup:
        """A sum of numbers, written out, in pieces that may wrap."""
        parts = []
        for n, value in enumerate(values):
            less = n > 0 and value < 0
            lead = f'<mo form="infix">{"−" if less else "+"}</mo>' if n else ""
            size = -value if less else value
            said = f"{('minus ' if less else 'plus ') if n else ''}"
            spoken = f"{said}{read_out(size, self.decimals + more)}"
            parts.append((f"{lead}{_digits(size, self.decimals, more=more)}", spoken))
        return pieces(parts, sign)


def _whole(alphabet: Alphabet, kind: str, layer: int, sample: int) -> Symbol:
    """The symbol of an array inside a derivative; of the loss that of the number."""
    if not KINDS[kind].axes:
        return alphabet.symbol(Quantity(kind))
    return alphabet.matrix(kind, layer, sample * KINDS[kind].per_sample)


_SIGNS = {"=": "equals ", "≈": "is about ", ":=": "becomes ", "": ""}


def pieces(parts: Iterable[tuple[str, str]], sign: str) -> Markup:
    """Formulas one behind the other, the first with a relation sign in front."""
    lead, words = (f"<mo>{sign}</mo>", _SIGNS[sign]) if sign else ("", "")
    done = []
    for drawn, spoken in parts:
        done.append(f'<math aria-label="{attribute(words + spoken)}">{lead}{drawn}</math>')
        lead = words = ""
    return trusted(" ".join(done))


def formula(drawn: str, spoken: str) -> Markup:
    """One `<math>` element with its name for screen readers."""
    return trusted(f'<math aria-label="{attribute(spoken)}">{drawn}</math>')
