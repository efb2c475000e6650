"""The tables beside a step, shaped like the lecture's slides. They fill up as the walk goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter

from tutor import number
from tutor.engine.kinds import (
    AFTER,
    BACKWARD,
    GRADIENT,
    KINDS,
    LOSS,
    SCALE,
    SLOPE,
    UPDATE,
    VERIFY,
    Kind,
    marked,
)
from tutor.engine.network import Layer, Network
from tutor.engine.optimizers import UpdateRule
from tutor.engine.order import loss_numbers, passed_back
from tutor.engine.quantity import Quantity
from tutor.lesson.titles import capital, heading, input_name, place, unit, words_of
from tutor.notation.conventions import flipped
from tutor.notation.markup import Markup
from tutor.pages.cells import FEW, GAP, Cell, Entry, Row, Table, TableMaker, gap, some


@dataclass(frozen=True, slots=True)
class StepTables:
    """All tables of one step."""

    by_row: tuple[Table, ...] = ()
    by_matrix: tuple[tuple[str, tuple[Table, ...]], ...] = ()
    """(heading, matrices side by side)"""


def tables(maker: TableMaker) -> StepTables:
    """The tables for a step, in the style of its notation."""
    if maker.context.notation.names == "letters":
        return StepTables(by_matrix=tuple(matrix_tables(maker)))
    return StepTables(by_row=tuple(row_tables(maker)))


# ---- Tables with one row per unit, parameter or sample. A step shows the one that it fills ----


MOST_COLUMNS = 10
MOST_PARAMETERS = 6
"""A network with more parameters than this shows those of one layer at a time."""
MOST_OF_A_PHASE = 60
"""The same where a step is a whole phase. On paper there is no such bound."""

_UNITS: dict[str, tuple[str, ...]] = {
    "forward": ("z", "a", "d", "r"), "loss": ("z", "a", "d", "r"),
    "backward": ("a", "dL/dr", "dL/dd", "dL/da", "da/dz", "dL/dz"),
    "verify": ("z", "z+", "a", "a+", "r", "r+"),
}  # fmt: skip
"""The columns of a phase's units; those of a skip connection only where there is one."""
_LOSSES = {LOSS: ("value",), VERIFY: ("before", "after")}
_OF_SLOPE = ("z", "a")
"""What a slope is by, and what it is of."""
_NEW_LOSS = AFTER["loss"]
_DROP = ("loss-loss+", "(loss-loss+)/loss")
"""What the last step makes of the loss before and the loss after."""
_BY_INPUT = "dL/da"
_OF_INPUTS = {"a": "x", _BY_INPUT: _BY_INPUT}
"""What stands in the row of an input."""
_PARAMETERS: dict[str, Mapping[str, str]] = {"value": {}, "gradient": GRADIENT, "new value": AFTER}
"""The columns of parameters, and which kind they have for w or b."""
_BETWEEN = {
    "dR/d": "penalty", "g.": "g", "m.": "m", "v.": "v", "mhat.": "m̂", "vhat.": "v̂",
    "step.": "step",
}  # fmt: skip
"""The columns of what an optimizer works out, by what their kinds begin with."""
_PARAMETERS |= {
    title: {letter: start + letter for letter in "wb"} for start, title in _BETWEEN.items()
}
_CLOSING = ("value", "gradient", "new value")
_BEFORE_AND_AFTER = ("before", "gradient", "after")
"""The same columns, when all is done."""


def row_tables(maker: TableMaker) -> Iterator[Table]:
    """The tables of a step: units (or samples), loss, parameters, as the phase needs them."""
    phase = maker.step.phase
    if phase == SCALE:
        yield _scaling(maker)
    many = maker.trace.samples > 1
    at_gradients = (
        maker.whole or maker.anchor.of.role == "gradient" or maker.step.walk.grain == "pass"
    )
    layers = maker.network.layers
    kinds = tuple(
        kind for kind in _UNITS.get(phase, ()) if any(_has(layer, KINDS[kind]) for layer in layers)
    )
    if phase == VERIFY and maker.step.last and not (maker.whole or maker.step.walk.grain == "pass"):
        kinds = ()  # the table of the parameters, beside what comes next, takes their place
    by_sample = kinds and many and maker.network.depth == 1
    if by_sample and phase == VERIFY and maker.anchor.of.role == "loss" and not maker.whole:
        kinds = (maker.network.passed(1, "+")[0],)  # the losses need the room
    in_rows = by_sample and len(_layout(maker, phase, kinds, narrow=True)) <= MOST_COLUMNS
    if in_rows:
        yield _samples(maker, phase, kinds)
    elif kinds and (
        maker.whole
        or not (
            at_gradients
            and maker.step.walk.grain != "pass"
            and maker.network.parameters > MOST_PARAMETERS
        )
    ):
        yield _units(maker, phase, kinds)
    if phase == BACKWARD and (maker.whole or not at_gradients or maker.step.walk.grain == "pass"):
        yield from (_jacobian(maker, layer) for layer in _with_jacobian(maker, _layers(maker)))
    if phase == LOSS or (phase == VERIFY and _verified(maker)):
        yield _losses(maker, phase, each=many and not in_rows)
    if phase == "update" or (phase == "backward" and at_gradients):
        yield from _parameters(maker, phase)


def _scaling(maker: TableMaker) -> Table:
    """A row for each input: as the data have it, what it is scaled with, and what becomes of it."""
    kinds = _scaled_kinds(maker)
    rows: list[Row] = []
    for i in some(maker.network.sizes[0], (maker.anchor.i,)):
        if i == GAP:
            rows.append(gap(len(kinds)))
            continue
        names = partial(_scaling_entries, maker, kinds, i)
        row = partial(_unit_row, maker.network, 0, i)
        rows.append(maker.shared(("scaling", i, maker.sample), names, row))
    of_sample = f", sample {maker.sample}" if maker.sample else ""
    return Table("Inputs" + of_sample, tuple(map(heading, kinds)), tuple(rows))


def _scaled_kinds(maker: TableMaker) -> tuple[str, ...]:
    return (_RAW, *maker.trace.statistics, _INPUT)


def _scaling_entries(maker: TableMaker, kinds: tuple[str, ...], i: int) -> Iterator[Entry]:
    samples = ((kind, maker.sample if KINDS[kind].per_sample else 0) for kind in kinds)
    return (Quantity(kind, 0, i, 0, sample) for kind, sample in samples)


_RAW, _INPUT = "raw", "x"


def _units(maker: TableMaker, phase: str, kinds: tuple[str, ...]) -> Table:
    """One row per unit: the whole network where it is small, else the layer of the step."""
    layers = _layers(maker)
    rows: list[Row] = []
    for layer in reversed(layers) if phase == "backward" else layers:
        rows.extend(_unit_rows(maker, kinds, layer))
    if phase == "backward" and maker.step.walk.inputs and layers[0] == 1:
        rows.extend(_unit_rows(maker, kinds, 0))
    of_sample = f", sample {maker.sample}" if maker.sample else ""
    whole = len(layers) == maker.network.depth
    scope = "" if whole else f", {place(maker.network, layers[0]).removeprefix('the ')}"
    titles = {
        "forward": "Units",
        "loss": "Units",
        "backward": "Going back",
        "verify": "Before and after",
    }
    return Table(
        titles[phase] + scope + of_sample,
        tuple(_heading(maker, kind) for kind in kinds),
        tuple(rows),
    )


def _layers(maker: TableMaker) -> Sequence[int]:
    """All layers where the network is small, and on paper, else the layer of the step."""
    small = maker.whole or sum(maker.network.sizes[1:]) <= 12
    return range(1, maker.network.depth + 1) if small else [maker.layer]


def _unit_rows(maker: TableMaker, kinds: tuple[str, ...], layer: int) -> Iterator[Row]:
    """The units of a layer; those of layer 0 are the inputs."""
    for i in some(maker.network.sizes[layer], (maker.anchor.i,)):
        if i == GAP:
            yield gap(len(kinds))
            continue
        key = ("unit", kinds, layer, i, maker.sample)
        row = partial(_unit_row, maker.network, layer, i)
        yield maker.shared(key, partial(_unit_entries, maker, kinds, layer, i), row)


def _unit_entries(maker: TableMaker, kinds: tuple[str, ...], layer: int, i: int) -> Iterator[Entry]:
    """The row of a unit; the slopes of a softmax are a matrix and stand in a table of their own."""
    part = maker.network.layer(layer) if layer else None
    for of in map(KINDS.__getitem__, kinds):
        if part is None:
            name = _OF_INPUTS.get(of.name)
            yield Quantity(name, 0, i, 0, maker.sample) if name else _NONE
        elif not _has(part, of) or (of.role == "slope" and part.activation.full_jacobian):
            yield _NONE
        else:
            yield Quantity(of.name, layer, i, 0, maker.sample)


def _has(layer: Layer, of: Kind) -> bool:
    """Whether a layer has numbers of a kind, as far as skip connections and dropout decide it."""
    return bool((layer.skip or not of.residual) and (layer.dropout or not of.dropped))


_NONE = Cell("–", "gap")
"""Where there is no such number."""


def _unit_row(network: Network, layer: int, i: int, cells: tuple[Cell, ...]) -> Row:
    """`input 2`, `hidden unit 1`, `unit 1 of hidden layer 2`, `output`: as in titles."""
    name = unit(network, layer, i) if layer else input_name(network, i)
    return Row(name.removeprefix("the "), cells)


def _heading(maker: TableMaker, kind: str) -> str:
    """A column's heading in the plain letters of the notation."""
    loss = maker.context.notation.loss
    return heading(kind).replace("L", loss)


def _samples(maker: TableMaker, phase: str, kinds: tuple[str, ...]) -> Table:
    """One row per sample: inputs, what the layer makes of them, target and loss, as in a data
    table.
    """
    layout = _layout(maker, phase, kinds)
    rows: list[Row] = []
    for s in some(maker.trace.samples, (maker.sample,)):
        if s == GAP:
            rows.append(gap(len(layout)))
            continue
        names = partial(_sample_entries, layout, s)
        rows.append(maker.shared(("sample", tuple(layout), s), names, partial(Row, f"sample {s}")))
    # The loss of a sample is not that of the batch, so its column does not have the same symbol.
    line = maker.line
    symbols = tuple(line.quantity(q) if q.of.axes else line.matrix(q.kind, 0) for q in layout)
    return Table("Samples", symbols, tuple(rows))


def _layout(
    maker: TableMaker, phase: str, kinds: tuple[str, ...], *, narrow: bool = False
) -> list[Quantity]:
    """The columns of the samples; `narrow`: without the targets and the loss."""
    ins, outs = (range(1, size + 1) for size in maker.network.sizes)
    inputs = [Quantity("x", 0, j) for j in ins]
    soft = maker.network.layer(1).activation.full_jacobian
    made = [
        Quantity(kind, 1, i)
        for kind in kinds if not (soft and KINDS[kind].role == "slope")
        for i in outs
    ]  # fmt: skip
    shown = phase == "backward" and maker.step.walk.inputs
    by_inputs = [Quantity(_BY_INPUT, 0, j) for j in ins] if shown else []
    if narrow:
        return [*inputs, *made, *by_inputs]
    targets = [Quantity("y", 0, i) for i in outs]
    if phase == "backward":
        return [*inputs, *made[: len(outs)], *targets, *made[len(outs) :], *by_inputs]
    losses = [Quantity("loss")] if phase == LOSS else []
    if phase == VERIFY and maker.anchor.of.role == "loss":
        losses = [Quantity(_NEW_LOSS)]
    return [*inputs, *made, *targets, *losses]


def _sample_entries(layout: list[Quantity], s: int) -> Iterator[Entry]:
    return (q._replace(sample=s) for q in layout)


def _jacobian(maker: TableMaker, layer: int) -> Table:
    """The slopes of a softmax: a row for each output, a column for each pre-activation."""
    shown = matrix_table(maker, "", SLOPE, layer)
    across, down = (
        [_symbol(maker, kind, layer, i) for i in axis.drawn]
        for kind, axis in zip(_OF_SLOPE, reversed(sides(maker, SLOPE, layer)), strict=True)
    )
    rows = (Row(symbol, row.cells) for symbol, row in zip(down, shown.rows, strict=True))
    of_sample = f", sample {maker.sample}" if maker.sample else ""
    caption = f"Softmax Jacobian {_heading(maker, SLOPE)}{of_sample}"
    return Table(caption, tuple(across), tuple(rows), shape=shown.shape)


def _symbol(maker: TableMaker, kind: str, layer: int, i: int) -> Markup | str:
    return "⋯" if i == GAP else maker.line.quantity(Quantity(kind, layer, i, 0, maker.sample))


def _with_jacobian(maker: TableMaker, layers: Iterable[int]) -> Iterator[int]:
    """Of these layers those in which every output depends on every pre-activation."""
    return (n for n in layers if maker.network.layer(n).activation.full_jacobian)


def _verified(maker: TableMaker) -> bool:
    """Whether a new loss is there to be compared with the old one."""
    return any(map(maker.step.known, (Quantity(_NEW_LOSS), Quantity(_NEW_LOSS, sample=1))))


def _losses(maker: TableMaker, phase: str, *, each: bool) -> Table:
    """The loss, and with `each` that of each sample; at the end what it fell by."""
    kinds = ("loss", _NEW_LOSS)[: len(_LOSSES[phase])]
    columns: tuple[Markup | str, ...] = _LOSSES[phase]
    if phase == VERIFY and maker.step.known(Quantity(_DROP[0])):
        kinds += _DROP
        columns += tuple(maker.line.quantity(Quantity(kind)) for kind in _DROP)
    samples = some(maker.trace.samples, (maker.sample,)) if each else []
    rows = [
        gap(len(kinds)) if s == GAP else Row(f"sample {s}", _losses_of(maker, kinds, s))
        for s in samples
    ]
    name = "whole batch" if maker.trace.samples > 1 else "loss"
    for part in loss_numbers(maker.network)[:-1]:
        both = (part, part.after)[: len(_LOSSES[phase])]
        cells = [maker.cell(q) for q in both]
        rows.append(Row(part_words(part), (*cells, *[_NONE] * (len(kinds) - len(both)))))
    return Table("Loss", columns, (*rows, Row(name, _losses_of(maker, kinds))))


def _losses_of(maker: TableMaker, kinds: Iterable[str], sample: int = 0) -> tuple[Cell, ...]:
    return tuple(
        _NONE if sample and not KINDS[kind].shared else maker.cell(Quantity(kind, sample=sample))
        for kind in kinds
    )


def _parameters(maker: TableMaker, phase: str) -> Iterator[Table]:
    """Weights and biases with their gradients; the layer of the step where there are many."""
    network = maker.network
    count = network.parameters
    layer = maker.layer
    most = MOST_OF_A_PHASE if maker.step.walk.grain == "pass" else MOST_PARAMETERS
    layers = range(network.depth, 0, -1) if maker.whole or count <= most else (layer,)
    columns: tuple[str, ...] = ("value", "gradient")
    if phase == UPDATE:
        columns = (*columns, *_between(network), "new value")
        if network.rule.whole():
            cells = ((kind, maker.cell(Quantity(kind))) for kind in network.rule.whole())
            whole = tuple(Row(capital(KINDS[kind].words), (cell,)) for kind, cell in cells)
            yield Table("This update", ("value",), whole)
    share = maker.sample if phase == "backward" and maker.anchor.sample and not maker.whole else 0
    rows: list[Row] = []
    for number_ in layers:
        rows.extend(_parameter_rows(maker, number_, columns, share))
    of_layer = "" if len(layers) == network.depth else f", {place(network, layer)}"
    title = "Weights and biases" + of_layer.replace("the ", "")
    title += f", shares of sample {share}" if share else ""
    if rows:
        yield Table(title, columns, tuple(rows))


def _between(network: Network) -> Iterator[str]:
    """The columns of what stands between gradient and update."""
    made = {kind[:-1] for letter in "wb" for kind in network.rule.made(letter)}
    yield from (title for start, title in _BETWEEN.items() if start in made)


def closing(maker: TableMaker) -> Table | None:
    """Every parameter before and after the update, with its gradient; of a large network those of
    the output layer. None where nothing was updated.
    """
    network = maker.network
    learns = any(layer.train_weights or layer.learns_biases for layer in network.layers)
    if maker.trace.stop or not learns:
        return None
    whole = network.parameters <= MOST_OF_A_PHASE
    layers = range(1, network.depth + 1) if whole else (network.depth,)
    rows = [
        row
        for layer in layers
        for row in _parameter_rows(maker, layer, _CLOSING, 0, MOST_OF_A_PHASE if whole else FEW)
    ]
    title = "Weights and biases of the output layer"
    return Table("All weights and biases" if whole else title, _BEFORE_AND_AFTER, tuple(rows))


def _parameter_rows(
    maker: TableMaker, layer: int, columns: tuple[str, ...], share: int, most: int = FEW
) -> Iterator[Row]:
    part = maker.network.layer(layer)
    names = [
        (i, j)
        for i in some(part.units, (maker.anchor.i,), most)
        for j in (
            (GAP,)
            if i == GAP
            else [0] * (part.biases is not None) + some(part.inputs, (maker.anchor.j,), most)
        )
    ]
    last_gap = False
    for i, j in names:
        if GAP in (i, j):
            if not last_gap:
                yield gap(len(columns))
            last_gap = True
            continue
        last_gap = False
        key = ("parameter", columns, layer, i, j, share)
        yield maker.shared(
            key,
            partial(_parameter_entries, part, maker.network.rule, columns, *key[2:]),
            partial(_parameter_row, maker, layer, i, j),
        )


def _parameter_entries(
    part: Layer, rule: UpdateRule, columns: tuple[str, ...], layer: int, i: int, j: int, share: int
) -> Iterator[Entry]:
    """A parameter, its gradient, its new value; what does not learn has its value alone."""
    letter = "w" if j else "b"
    learned = part.train_weights if j else part.learns_biases
    made = rule.made(letter)
    for column in columns:
        name = _PARAMETERS[column].get(letter, letter)
        if column in _BETWEEN.values() and name not in made:
            yield _NONE
            continue
        kind = KINDS[name]
        if learned or kind.given:
            yield Quantity(kind.name, layer, i, j, share if kind.derivative else 0)
        else:
            yield Cell("fixed", "gap")


def _parameter_row(maker: TableMaker, layer: int, i: int, j: int, cells: tuple[Cell, ...]) -> Row:
    return Row(maker.line.quantity(Quantity("w" if j else "b", layer, i, j)), cells)


# ---- Rows of small matrices with their shapes, as lectures with a letter for each table have them
# ---- Inputs X | Weights V | Linear Q | Hidden H | Weights W | Logits Z | Probs P | Labels Y


_DIGIT_ROOM, _POINT_ROOM = "\N{FIGURE SPACE}", "\N{PUNCTUATION SPACE}"


FORWARD_ROW = "Forward"
"""The heading of the row that lectures have on their slides."""


def matrix_tables(maker: TableMaker) -> Iterator[tuple[str, tuple[Table, ...]]]:
    """(heading, matrices) of each row of matrices that the phase needs, in the order of the
    diagram's columns.
    """
    phase, layers = maker.step.phase, _focus(maker, -1)
    of = _scope(maker, layers)
    if phase == SCALE:
        yield "Scaling", tuple(_scaling_matrices(maker))
        return
    if phase == UPDATE:
        yield "Update" + of, _as_drawn(_updates(maker, layers))
        return
    if phase != VERIFY:
        yield FORWARD_ROW + of, _as_drawn(_matrix_table_row(maker, layers, ""))
    if phase == BACKWARD:
        layers = _focus(maker, 1)
        yield "Gradients" + _scope(maker, layers), _as_drawn(_gradients(maker, layers))
    if phase == VERIFY:
        yield "After the update" + of, _as_drawn(_matrix_table_row(maker, layers, "+"))


def _scaling_matrices(maker: TableMaker) -> Iterator[Table]:
    """The inputs before and after, with what scales them between."""
    yield matrix_table(maker, "Before scaling", _RAW, 0)
    for kind in maker.trace.statistics:
        yield matrix_table(maker, capital(words_of(kind).inside), kind, 0)
    yield matrix_table(maker, "Inputs", _INPUT, 0)


def _as_drawn(matrices: Iterable[Table]) -> tuple[Table, ...]:
    return tuple(sorted(matrices, key=attrgetter("place")))


def _updates(maker: TableMaker, layers: Sequence[int]) -> Iterator[Table]:
    """Old, gradient and new, side by side."""
    for layer in layers:
        for title, kind in _learned(maker.network.layer(layer)):
            yield matrix_table(maker, title, kind, layer)
            yield matrix_table(maker, "", GRADIENT[kind], layer)
            for between in maker.network.rule.made(kind):
                yield matrix_table(maker, "", between, layer)
            yield matrix_table(maker, "New", AFTER[kind], layer)


def _learned(layer: Layer) -> Iterator[tuple[str, str]]:
    """(title, kind) of what a layer learns."""
    if layer.train_weights:
        yield "Weights", "w"
    if layer.learns_biases:
        yield "Biases", "b"


def _matrix_table_row(maker: TableMaker, layers: Sequence[int], mark: str) -> Iterator[Table]:
    """Inputs, then weights, linear and activation of each layer, then the labels and the loss."""
    yield matrix_table(maker, "Inputs", "x", 0)
    for layer in layers:
        for title, kind in _forward(maker.network, layer):
            if not (mark and KINDS[kind].dropped):
                yield matrix_table(maker, title, marked(kind, mark), layer)
    yield matrix_table(maker, "Labels", "y", 0)
    if maker.step.phase == LOSS or (mark and _verified(maker)):
        for part in loss_numbers(maker.network, mark)[:-1]:
            yield _loss_matrix(maker, capital(part_words(part)), part)
        for kind, title in _LOSS_TITLES[maker.step.phase]:
            if maker.trace.samples > 1 and KINDS[kind].shared:
                yield matrix_table(maker, "Losses", kind, 0)
            yield _loss_matrix(maker, title, Quantity(kind))


_LOSS_TITLES = {
    LOSS: (("loss", "Loss"),),
    VERIFY: (("loss", "Loss"), ("loss+", "New loss"), (_DROP[0], "Change"), (_DROP[1], "Fraction")),
}


def part_words(q: Quantity) -> str:
    """What a part of the loss is called: of a layer, where each has one."""
    return f"{q.of.words.replace('all', 'the')} of layer {q.layer}" if q.layer else q.of.words


def _loss_matrix(maker: TableMaker, title: str, q: Quantity) -> Table:
    """A number of the whole batch, as a matrix of one."""
    row = Row("", (maker.cell(q),))
    return Table(title, (), (row,), maker.line.quantity(q), "1×1", _place(maker, q.kind, q.layer))


def _forward(network: Network, layer: int) -> Iterator[tuple[str, str]]:
    """(title, kind) of what a layer has and makes on the way forward; behind a skip connection r
    too.
    """
    part, last = network.layer(layer), layer == network.depth
    soft = last and part.activation.full_jacobian and not part.skip
    yield "Weights", "w"
    if part.biases is not None:
        yield "Biases", "b"
    yield "Logits" if soft else "Linear", _LINEAR
    yield (
        "Activation" if part.skip else "Probs" if soft else "Output" if last else "Hidden",
        _ACTIVATION,
    )
    if part.dropout:
        yield "After dropout", "d"
    if part.skip:
        yield "Output with skip" if last else "With skip", "r"


_LINEAR, _ACTIVATION = "z", "a"


def _gradients(maker: TableMaker, layers: Sequence[int]) -> Iterator[Table]:
    """What belongs below the forward pass: a gradient for each number of it, the slopes between
    those of a unit. Gradients with respect to the inputs, where they are steps.
    """
    if maker.step.walk.inputs and layers[0] == 1:
        yield matrix_table(maker, "", GRADIENT[_ACTIVATION], 0)
    for layer in layers:
        part = maker.network.layer(layer)
        learned = (GRADIENT[kind] for _, kind in _learned(part))
        for kind in (*learned, GRADIENT[_LINEAR], SLOPE, *reversed(passed_back(part))):
            yield matrix_table(maker, "", kind, layer)


def _scope(maker: TableMaker, layers: Sequence[int]) -> str:
    """Which layers these are, where they are not all."""
    depth = maker.network.depth
    if len(layers) == depth:
        return ""
    return f", layer{'s' * (len(layers) > 1)} {' and '.join(map(str, layers))} of {depth}"


def _focus(maker: TableMaker, beside: int) -> list[int]:
    """All layers of a shallow network, and on paper; of a deep one the layer of the step and the
    one `beside` it: before it (-1), or behind it (1).
    """
    depth = maker.network.depth
    if depth <= 3 or maker.whole:
        return list(range(1, depth + 1))
    return [n for n in sorted((maker.layer, maker.layer + beside)) if 1 <= n <= depth]


@dataclass(frozen=True, slots=True)
class Axis:
    """A side of a matrix: which index of its quantities runs along it, from where to where, and
    what of it is drawn.
    """

    index: str
    count: int
    drawn: list[int]


def matrix_table(maker: TableMaker, title: str, kind: str, layer: int) -> Table:
    """A matrix as the notation writes it: drawn rows, shape and symbol all come from the same two
    sides.
    """
    # what decides which rows are left out
    sample = _of_sample(maker, kind, layer)
    focus = () if maker.small else (maker.anchor.i, maker.anchor.j, maker.sample)
    return maker.shared(
        ("matrix", title, kind, layer, sample, *focus),
        partial(_entries, maker, kind, layer),
        partial(_matrix, maker, title, kind, layer),
    )


def _entries(maker: TableMaker, kind: str, layer: int) -> Iterator[Entry]:
    """The places of a matrix, row by row."""
    down, across = sides(maker, kind, layer)
    sample = _of_sample(maker, kind, layer)
    for row in down.drawn:
        for column in across.drawn:
            if GAP in (row, column):
                yield Cell("⋯" if row != GAP else "⋮", "gap")
            else:
                at = {"sample": sample, down.index: row, across.index: column}
                yield Quantity(kind, layer, at.get("i", 0), at.get("j", 0), at["sample"])


def _matrix(maker: TableMaker, title: str, kind: str, layer: int, cells: tuple[Cell, ...]) -> Table:
    down, across = sides(maker, kind, layer)
    rows = _matrix_rows(cells, len(across.drawn))
    symbol = maker.line.matrix(kind, layer, _of_sample(maker, kind, layer))
    return Table(
        title, (), rows, symbol, f"{down.count}×{across.count}", _place(maker, kind, layer)
    )


def _place(maker: TableMaker, kind: str, layer: int) -> int:
    """Where a matrix stands among the columns of the diagram: 0 for the inputs, 1 for the weights
    into layer 1, 2 for layer 1 and so on, at last the labels and the loss.
    """
    of = KINDS[kind]
    if not of.layered and not of.of_inputs:
        return 2 * maker.network.depth + 1
    return 2 * layer - of.parameter


def _of_sample(maker: TableMaker, kind: str, layer: int) -> int:
    """The sample that a matrix is about, where it is about one of several: a Jacobian, or the share
    of a sample in a gradient.
    """
    share = KINDS[kind].role == maker.anchor.of.role == "gradient" and maker.anchor.sample
    return maker.sample if _square(maker, kind, layer) or (share and not maker.whole) else 0


def _square(maker: TableMaker, kind: str, layer: int) -> bool:
    """Whether it is a Jacobian, one for each sample: a row per output, a column per
    pre-activation.
    """
    return KINDS[kind].role == "slope" and maker.network.layer(layer).activation.full_jacobian


def sides(maker: TableMaker, kind: str, layer: int) -> tuple[Axis, Axis]:
    """(down, across) as the notation has them."""
    if _square(maker, kind, layer):
        count = maker.network.sizes[layer]
        return _axis("i", count, maker.anchor.i), _axis("j", count, maker.anchor.j)
    down, across = _sides_here(maker, kind, layer)
    return (across, down) if flipped(kind, maker.context.notation) else (down, across)


def _sides_here(maker: TableMaker, kind: str, layer: int) -> tuple[Axis, Axis]:
    """The sides in the engine's orientation: a row per sample, or a row per unit for weights;
    biases are one row, and so is what has no units.
    """
    sizes, of = maker.network.sizes, KINDS[kind]
    count = sizes[maker.network.depth if kind == "y" else layer]
    units = _axis("i", count, maker.anchor.i) if of.axes else Axis("i", 1, [0])
    if of.weights:
        return units, _axis("j", sizes[layer - 1], maker.anchor.j)
    if of.biases or of.feature:
        return Axis("j", 1, [0]), units
    samples = maker.trace.samples
    return _axis("sample", samples, maker.sample) if samples > 1 else Axis("sample", 1, [0]), units


def _axis(index: str, count: int, focus: int) -> Axis:
    return Axis(index, count, some(count, (focus,), FEW))


def _matrix_rows(cells: tuple[Cell, ...], columns: int) -> tuple[Row, ...]:
    places = max(_places(c.text) for c in cells)
    aligned = [_aligned_cell(c, places) for c in cells] if places else cells
    return tuple(Row("", tuple(aligned[k : k + columns])) for k in range(0, len(cells), columns))


def _aligned_cell(cell: Cell, places: int) -> Cell:
    text = _aligned(cell.text, places)
    return cell if text == cell.text else Cell(text, cell.state, cell.name, cell.was)


def _places(text: str) -> int:
    """Digits behind the point; 0 for powers of ten and for what is no number."""
    _, _, fraction = text.partition(".")
    return len(fraction) if fraction.isdigit() else 0


def _aligned(text: str, places: int) -> str:
    """The number with the room of the digits that it lacks behind it, so that the points of a
    matrix stand under each other.

    Room, not zeros: 0.132 is 0.132 in a formula, in the diagram and here.
    """
    if not places or not text.lstrip(number.MINUS).replace(".", "", 1).isdigit():
        return text
    return text + _POINT_ROOM * ("." not in text) + _DIGIT_ROOM * (places - _places(text))
