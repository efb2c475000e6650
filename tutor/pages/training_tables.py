"""The tables of a moment of a training, with a bar beside each number.

layers_table(run, network)   how large activations, error signals and gradients are in each layer
units_table(run, network)    the loss with the first units before the output alone
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tutor import number
from tutor.engine.network import Network
from tutor.engine.run import Run, layer_sizes, losses_of_first
from tutor.lesson.titles import capital, place
from tutor.pages.gradient_flow import scale
from tutor.pages.training_pictures import adds_units

DECIMALS = 4
MORE_DECIMALS = 6
"""Losses of a sum fall far: more decimals keep powers of ten away."""
MOST_LAYERS = 24
MOST_WORK = 20_000_000
"""Parameters times samples times units of a table of units: about a tenth of a second."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A number and the length of its bar in percent; "" where there is no number, None where there
    is no bar.
    """

    text: str
    bar: float | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of numbers whose bars have one scale."""

    css: str
    """The class of its bars: whose colour they have."""
    name: str
    scale: str
    """What the bars mean, in words."""
    lines: tuple[float, ...]
    """Where the powers of ten are on a logarithmic scale, in percent."""
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class SizeTable:
    """Numbers to compare from row to row."""

    id: str
    heading: str
    caption: str
    first: str
    """The head of the column of names."""
    names: tuple[str, ...]
    columns: tuple[Column, ...]
    text: str
    """What to see in it."""


def layers_table(run: Run, network: Network) -> SizeTable | None:
    """How large the numbers of each layer are, over all samples; None where there is one layer, or
    no error comes back. Outputs are of another kind than what hidden layers pass on, and have no
    bar beside theirs.
    """
    if not 2 <= network.depth <= MOST_LAYERS:
        return None
    sizes = layer_sizes(network, run.training.x, run.training.y)
    if not sizes:
        return None
    names = [capital(place(network, n).removeprefix("the ")) for n in range(1, len(sizes) + 1)]
    spreads = [one.spread for one in sizes]
    return SizeTable(
        "layers", "Layer by layer", "Sizes over all samples", "Layer", tuple(names),
        (
            _column("activation", "activations, standard deviation", spreads, len(sizes) - 1),
            _column("signal", "error signals, norm", [one.signal for one in sizes]),
            _column("signal", "gradient, norm", [one.gradient for one in sizes]),
        ),
        "Activations are computed down the table, error signals up. A weight’s gradient is the "
        "product of one of each: where either fades, the layer hardly learns; where either "
        "explodes, the step is too long.",
    )  # fmt: skip


def units_table(run: Run, network: Network) -> SizeTable | None:
    """The loss with none, one, two … of the units before the output; None where the output is not
    their sum, or it would take too long.
    """
    x, y = run.training.x, run.training.y
    if not adds_units(network) or network.parameters * len(x) * network.sizes[-2] > MOST_WORK:
        return None
    losses = losses_of_first(network, x, y)
    return SizeTable(
        "units", "The first units alone", "Loss with some of the units before the output", "Units",
        tuple(f"{n:,}" for n in range(len(losses))),
        (_column("loss", "loss", losses, decimals=MORE_DECIMALS),),
        "The weights of all other units into the output count as 0.",
    )  # fmt: skip


def _column(
    css: str,
    name: str,
    sizes: Sequence[float | None],
    bars: int | None = None,
    decimals: int = DECIMALS,
) -> Column:
    """With bars in the first rows, or in all."""
    scaled = scale(size for size in sizes[:bars] if size is not None)
    last = len(sizes) if bars is None else bars
    cells = tuple(
        Cell(
            "" if size is None else number.shown(size, decimals),
            None if size is None or n >= last else round(scaled(size), 1),
        )
        for n, size in enumerate(sizes)
    )
    return Column(css, name, scaled.words(decimals), scaled.lines, cells)
