"""The matrix calculus of one layer: its Jacobians with shapes and numbers, in either layout, and
the vectorised gradient beside the scalar ones.

    jacobians_page(context, layer, sample, layout, mark) -> JacobiansPage
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tutor import number
from tutor.engine.jacobians import by_inputs, by_weight, slopes
from tutor.engine.kinds import GRADIENT, KINDS, SLOPE
from tutor.engine.program import by
from tutor.engine.quantity import Quantity
from tutor.engine.trace import Array
from tutor.engine.tree import ArrayRef
from tutor.errors import LessonError
from tutor.lesson.titles import capital, place
from tutor.notation.markup import Markup
from tutor.pages.cells import Table, TextTable
from tutor.pages.context import Context
from tutor.pages.matrices import (
    DENOMINATOR,
    NUMERATOR,
    Layout,
    Piece,
    Section,
    explained,
    layout_asked,
    layouts,
)
from tutor.pages.outline import Link, numbered
from tutor.pages.view import IGNORED, Ignored, short, whole
from tutor.pages.what_if import Changed, changed
from tutor.scenario.problem import quotable

MOST_SCALARS = 12


@dataclass(frozen=True, slots=True)
class JacobiansPage:
    """The matrix calculus of a layer."""

    title: str
    home: Link
    layers: tuple[Link, ...]
    samples: tuple[Link, ...]
    layouts: tuple[Link, ...]
    about: str
    sections: tuple[Section, ...]
    scalars: TextTable
    """The same gradient, weight by weight."""
    marks: tuple[Link, ...]
    """Which weight is marked in all matrices of the gradient."""
    batch: Section | None
    """The gradient of all samples at once."""
    both: str
    """The page with both routes to the error signal, or ""."""
    changed: Changed | None
    notices: tuple[str, ...]
    variant: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a layer is asked for: the sample, the layout, the weight that is marked."""

    layer: int
    sample: int = 0
    layout: str = NUMERATOR
    mark: tuple[int, int] = (1, 1)

    def query(self) -> str:
        """The same as a query; what is shown anyway is left out."""
        parts = [f"sample={self.sample}"] if self.sample > 1 else []
        parts += [f"layout={self.layout}"] if self.layout != NUMERATOR else []
        parts += [f"mark={self.mark[0]},{self.mark[1]}"] if self.mark != (1, 1) else []
        return "&".join(parts)


class _Maker(Layout):
    """Makes the matrices of one page."""

    context: Context

    def __init__(self, context: Context, asked: Asked) -> None:
        super().__init__(context, turned=asked.layout == DENOMINATOR)
        self.trace, self.line, self.asked = context.trace, context.line, asked
        self.layer, self.row = asked.layer, max(asked.sample, 1) - 1
        self.sample = (self.row + 1) if self.trace.samples > 1 else 0
        sizes = self.trace.network.sizes
        self.units, self.inputs = sizes[self.layer], sizes[self.layer - 1]
        self.below = self.trace.network.passed(self.layer - 1)

    def named(self, kind: str, layer: int, i: int, j: int = 0) -> Quantity:
        return Quantity(kind, layer, i, j, self.sample)

    def symbol(self, top: tuple[str, int], bottom: tuple[str, int]) -> Markup:
        return self.line.fraction(top, bottom, self.sample)

    @property
    def loss(self) -> tuple[str, int]:
        return "loss", 0

    # ---- the sections ----

    def activation(self) -> Section:
        full = self.trace.network.layer(self.layer).activation.full_jacobian
        return Section("The activation", self._of_activation(full), (Piece("", self._slopes()),))

    def _of_activation(self, full: bool) -> str:
        if full:
            return (
                "Every output of a softmax depends on every pre-activation, so its Jacobian is "
                "full: aᵢ(1 − aᵢ) on the diagonal, −aᵢaₖ beside it."
            )
        if self.trace.network.layer(self.layer).activation.name == "identity":
            return (
                "The identity changes nothing: each number has the derivative 1 with respect to "
                "itself and 0 with respect to the others. Its Jacobian is the identity matrix I."
            )
        return (
            "The function is applied element by element: each activation depends on its own "
            "pre-activation only. The Jacobian is diagonal, and multiplying by it is the "
            "element-wise product ⊙ with the derivatives on the diagonal."
        )

    def _slopes(self) -> Table:
        array = slopes(self.trace, self.layer, self.row)
        full = self.trace.network.layer(self.layer).activation.full_jacobian

        def entry(i: int, k: int) -> tuple[float, Quantity | None]:
            q = self.named(SLOPE, self.layer, i, k if full else 0)
            return float(array[i - 1, k - 1]), q if full or i == k else None

        slope = KINDS[SLOPE]
        symbol = self.symbol((slope.top, self.layer), (slope.by, self.layer))
        return self.matrix(symbol, self.units, self.units, entry)

    def pre_activation(self) -> Section:
        why = (
            "Each pre-activation is a weighted sum of what comes from below. Its derivatives are "
            "the weights, so this Jacobian is the weight matrix itself."
        )
        return Section("The weighted sum, by its inputs", why, (Piece("", self._weights()),))

    def _weights(self) -> Table:
        array = by_inputs(self.trace, self.layer)

        def entry(i: int, j: int) -> tuple[float, Quantity | None]:
            return float(array[i - 1, j - 1]), Quantity("w", self.layer, i, j)

        symbol = self.symbol(("z", self.layer), self.below)
        return self.matrix(symbol, self.units, self.inputs, entry)

    def by_weights(self) -> Section:
        m = self.inputs

        def entry(i: int, k: int) -> tuple[float, Quantity | None]:
            unit, j = divmod(k - 1, m)
            q = self.named(*self.below, j + 1) if unit + 1 == i else None
            return by_weight(self.trace, self.layer, self.row, i, k), q

        why = (
            "The weights form one row here, those into unit 1 first. A pre-activation depends "
            "on the weights into its own unit alone, each with the derivative h, what comes from "
            "below: I ⊗ hᵀ, a copy of hᵀ for each unit on the diagonal and 0 elsewhere. With "
            "respect to the biases it is I."
        )
        symbol = self.symbol(("z", self.layer), ("w", self.layer))
        made = self.matrix(symbol, self.units, self.units * m, entry)
        return Section("The weighted sum, by its weights", why, (Piece("", made),))

    def back(self) -> Section:
        """∂L/∂a · ∂a/∂z = ∂L/∂z"""
        layer = self.layer
        ends = KINDS[SLOPE].top, KINDS[SLOPE].by
        grads, signal = (self._row(GRADIENT[end], layer) for end in ends)
        why = (
            "The chain rule is a product of Jacobians: through the activation, to the error signal."
        )
        pieces = *self.product(grads, self._slopes()), Piece("=", signal)
        return Section("From the activations to the error signals", why, pieces)

    def _row(self, kind: str, layer: int) -> Table:
        array = self.trace.array(kind, layer)[self.row]
        bottom = Quantity(kind, layer).of.by if layer else "x"

        def entry(_: int, i: int) -> tuple[float, Quantity | None]:
            return float(array[i - 1]), self.named(kind, layer, i)

        symbol = self.symbol(self.loss, (bottom, layer))
        return self.matrix(symbol, 1, len(array), entry)

    def onward(self) -> Section:
        """∂L/∂z · ∂z/∂a = ∂L/∂a of the layer below"""
        signal = self._row(GRADIENT["z"], self.layer)
        passed = by(ArrayRef(*self.below))
        alone = all(source != self.layer - 1 for source, _ in self.trace.network.skips)
        why = "On through the weights to the layer below"
        why += "." if alone else "; what a skip connection brings back is added to this."
        made = self._row(passed.kind, passed.layer) if alone else self._part()
        pieces = *self.product(signal, self._weights()), Piece("=", made)
        return Section("From the error signals to the layer below", why, pieces)

    def _part(self) -> Table:
        """The share of this layer in the derivative of the layer below."""
        signal = self.trace.array(GRADIENT["z"], self.layer)[self.row]
        array = signal @ by_inputs(self.trace, self.layer)
        return self.matrix("", 1, len(array), lambda _, j: (float(array[j - 1]), None))

    def gradient(self) -> Section:
        """δ hᵀ"""
        i, j = self.asked.mark
        signal = self.trace.array(GRADIENT["z"], self.layer)[self.row]
        inputs = self.trace.passed(self.layer - 1)[self.row]

        def of_signal(r: int, _: int) -> tuple[float, Quantity | None]:
            return float(signal[r - 1]), self.named(GRADIENT["z"], self.layer, r)

        def of_inputs(_: int, c: int) -> tuple[float, Quantity | None]:
            return float(inputs[c - 1]), self.named(*self.below, c)

        def of_gradient(r: int, c: int) -> tuple[float, Quantity | None]:
            q = self.named(GRADIENT["w"], self.layer, r, c)
            try:
                return self.trace.value(q), q
            except KeyError:  # frozen weights
                return float(signal[r - 1]) * float(inputs[c - 1]), None

        n, m = self.units, self.inputs
        column = self.matrix(
            self.symbol(self.loss, ("z", self.layer)), n, 1, of_signal, frozenset({(i, 1)}),
            fixed=True,
        )  # fmt: skip
        row = self.matrix(
            self.line.matrix(*self.below, self.sample),
            1,
            m,
            of_inputs,
            frozenset({(1, j)}),
            fixed=True,
        )
        whole = self.matrix(
            self.symbol(self.loss, ("w", self.layer)), n, m, of_gradient, frozenset({(i, j)}),
            fixed=True,
        )  # fmt: skip
        why = (
            "The row ∂L/∂z times I ⊗ hᵀ has one number for each weight. Put back into the shape of "
            "the weights it is the outer product δ hᵀ: the error signals as a column times the "
            "inputs as a row, in either layout. The marked cell is made of the two marked ones."
        )
        pieces = Piece("", column), Piece("·", row), Piece("=", whole)
        return Section("The gradient of the weights, δ hᵀ", why, pieces)

    def scalars(self) -> tuple[TextTable, tuple[Link, ...]]:
        """The same gradient, weight by weight, with a link that marks each."""
        signal = self.trace.array(GRADIENT["z"], self.layer)[self.row]
        inputs = self.trace.passed(self.layer - 1)[self.row]
        rows, links, decimals = [], [], self.context.decimals
        for i, j in list(np.ndindex(self.units, self.inputs))[:MOST_SCALARS]:
            at = i + 1, j + 1
            product = f"{self._factor(signal[i])} × {self._factor(inputs[j])}"
            value = number.shown(float(signal[i]) * float(inputs[j]), decimals)
            symbol = self.line.quantity(self.named(GRADIENT["w"], self.layer, *at))
            word = " (marked)" if at == self.asked.mark else ""
            rows.append((symbol, product, f"{value}{word}"))
            links.append(Link(f"{at[0]},{at[1]}", self.address(mark=at), at == self.asked.mark))
        more = self.units * self.inputs - MOST_SCALARS
        caption = "The same, weight by weight"
        caption += (
            f" (the first {MOST_SCALARS} of {self.units * self.inputs:,})" if more > 0 else ""
        )
        columns = ("Weight", "Error signal × input", "Gradient")
        return TextTable(caption, columns, tuple(rows)), tuple(links)

    def _factor(self, value: float) -> str:
        text = number.shown(float(value), self.context.decimals)
        return f"({text})" if text.startswith(number.MINUS) else text

    def batch(self) -> Section | None:
        """(1/M)(ŷ − y)ᵀ X"""
        trace, layer = self.trace, self.layer
        if trace.samples == 1 or (GRADIENT["w"], layer) not in trace:
            return None
        signals, inputs = trace.array(GRADIENT["z"], layer), trace.passed(layer - 1)
        grads, m = trace.array(GRADIENT["w"], layer), trace.samples

        def of_gradient(i: int, j: int) -> tuple[float, Quantity | None]:
            return float(grads[i - 1, j - 1]), Quantity(GRADIENT["w"], layer, i, j)

        def of_inputs(s: int, j: int) -> tuple[float, Quantity | None]:
            return float(inputs[s - 1, j - 1]), Quantity(*self.below, j, 0, s)

        top = self._times_difference(signals)
        plain = top > 0
        left: Array = (trace.outputs - trace.y) if plain else signals

        def of_left(i: int, s: int) -> tuple[float, Quantity | None]:
            q = None if plain else Quantity(GRADIENT["z"], layer, i, 0, s)
            return float(left[s - 1, i - 1]), q

        mean = trace.scale != 1.0
        factor = f"{top}/{m} · " if plain and mean else f"{top} · " if plain and top > 1 else ""
        names = f"{factor}(ŷ − y)ᵀ · X" if plain and layer == 1 else f"{factor}(ŷ − y)ᵀ · A"
        first = self.matrix("(ŷ − y)ᵀ" if plain else "∆ᵀ", self.units, m, of_left, fixed=True)
        second = self.matrix(self.line.matrix(*self.below), m, self.inputs, of_inputs, fixed=True)
        whole = self.matrix(
            self.line.matrix(GRADIENT["w"], layer), self.units, self.inputs, of_gradient,
            fixed=True,
        )  # fmt: skip
        why = (
            f"For all {m} samples at once the outer products are added up by one matrix product: "
            + (names if plain else "∆ᵀ · A, a column of ∆ᵀ and a row of A for each sample")
            + ". "
        ).strip()
        if not plain and mean:
            why += " The error signals carry the 1/M of the mean already."
        pieces = Piece(factor.strip(), first), Piece("·", second), Piece("=", whole)
        return Section("All samples at once", why, pieces)

    def _times_difference(self, signals: Array) -> int:
        """How many times output minus target (and the 1/M of a mean) the error signals are: 1, or 2
        for a square without its half; 0 where they are something else.
        """
        if self.layer != self.trace.network.depth:
            return 0
        apart = self.trace.scale * (self.trace.outputs - self.trace.y)
        fits = (n for n in (1, 2) if np.allclose(signals, n * apart, rtol=1e-9, atol=1e-15))
        return next(fits, 0)

    # ---- links ----

    def address(self, **other: object) -> str:
        """The address of this page with other choices."""
        now = {
            "layer": self.asked.layer, "sample": self.asked.sample, "layout": self.asked.layout,
            "mark": self.asked.mark,
        }  # fmt: skip
        return address(self.context, Asked(**{**now, **other}))  # type: ignore[arg-type]


def address(context: Context, asked: Asked) -> str:
    """The address of the matrix calculus of a layer."""
    return context.view.jacobians(context.lesson.scenario.id, asked.layer, asked.query())


def jacobians_page(context: Context, asked: Asked, notices: tuple[str, ...] = ()) -> JacobiansPage:
    """The page of a layer. Raises LessonError where the layer has no derivatives."""
    network = context.trace.network
    if asked.layer <= context.trace.blocked:
        raise LessonError("behind a step or sign function there are no derivatives")
    maker = _Maker(context, asked)
    scalars, marks = maker.scalars()
    return JacobiansPage(
        f"Matrix calculus: {place(network, asked.layer)}",
        Link(context.lesson.scenario.title, context.home),
        tuple(
            Link(capital(place(network, n)), maker.address(layer=n, mark=(1, 1)), n == asked.layer)
            for n in range(1, network.depth + 1)
        ),
        numbered(
            context.trace.samples, maker.row + 1, lambda s: maker.address(sample=s)
        ),
        layouts(asked.layout, lambda name: maker.address(layout=name)),
        explained(asked.layout, "the loss"),
        (
            maker.activation(), maker.pre_activation(), maker.by_weights(), maker.back(),
            maker.onward(), maker.gradient(),
        ),
        scalars, marks, maker.batch(),
        both(context, asked), changed(context, None), notices, context.variant,
    )  # fmt: skip


def layer_named(context: Context, name: str) -> int:
    """The layer of an address. Raises LessonError where the network has none of this number."""
    depth = context.trace.network.depth
    layer = number.whole(name, 1, depth)
    if layer is not None:
        return layer
    raise LessonError(
        f"this lesson has layers 1 to {depth}; there is no layer “{quotable(name, 20)}”"
    )


def layer_asked(
    context: Context, layer: int, query: Mapping[str, str]
) -> tuple[Asked, tuple[Ignored, ...]]:
    """What a query asks of a layer, and what in it makes no sense."""
    ignored: list[Ignored] = []
    sizes = context.trace.network.sizes
    sample = whole(query, "sample", 1, context.trace.samples, 1, ignored) or 1
    layout = layout_asked(query, context.view.asked.layout, ignored)
    text = query.get("mark", "").strip()
    found = _MARK.fullmatch(text)
    mark = (int(found[1]), int(found[2])) if found else (1, 1)
    if text and not (found and mark[0] <= sizes[layer] and mark[1] <= sizes[layer - 1]):
        ignored.append(
            Ignored(
                f"mark “{short(text)}” is not a weight of this layer, from 1,1 to "
                f"{sizes[layer]},{sizes[layer - 1]}",
                IGNORED,
            )
        )
        mark = (1, 1)
    return Asked(layer, sample, layout, mark), tuple(ignored)


_MARK = re.compile("([1-9][0-9]{0,4}),([1-9][0-9]{0,4})", re.ASCII)


def both(context: Context, asked: Asked) -> str:
    """The page with both routes to the error signal of the output layer."""
    if asked.layer != context.trace.fused_layer:
        return ""
    return context.view.both_routes(context.lesson.scenario.id, asked.sample)
