"""What the buttons of the form do to a draft: pure, from a draft to a draft and a word about it.

    edited(draft, "add-layer")   -> Edited(draft, said, problems)
    fitted(draft)                -> Edited     tables in the sizes that the form asks for; what is
                                 there is kept

New cells get friendly numbers, so that a lesson that was sound stays one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from tutor import limits
from tutor.builder.checked import MOST_NUMBERS, generator_of, rows_text, written
from tutor.builder.draft import DROPPABLE, EMPTY, Draft, LayerDraft, compact, count, frozen_texts
from tutor.builder.fields import GIVEN
from tutor.builder.grid import Cells, Grid, pasted
from tutor.errors import NumberError
from tutor.lesson.dataset import made as samples_of
from tutor.lesson.redraw import Pool, Stream
from tutor.lesson.setup import initial
from tutor.number import counted, read, whole
from tutor.scenario.model import Init


@dataclass(frozen=True, slots=True)
class Edited:
    """A draft after an operation: what is to be said of it, and what stood in the way, by field."""

    draft: Draft
    said: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)


def edited(draft: Draft, action: str) -> Edited:
    """The draft after a button was pressed; one that does not exist changes nothing but the sizes
    of tables.
    """
    name, _, where = action.partition(":")
    operation = OPERATIONS.get(name)
    if operation is None:
        return fitted(draft, texts=name == "resize")
    found = operation(draft, where)
    after = fitted(found.draft, texts=name in RESIZING)
    return Edited(after.draft, found.said or after.said, {**after.problems, **found.problems})


# ---- sizes ----


def fitted(draft: Draft, texts: bool = False) -> Edited:
    """The draft with every table in its size; those that are one long text only with `texts`."""
    problems: dict[str, str] = {}
    widths, layers, left = draft.widths, [], MOST_NUMBERS
    for n, typed in enumerate(draft.layers, 1):
        layer, rows, columns = typed, widths[n], widths[n - 1]
        wanted = (rows * columns if layer.given else 0) + (rows if layer.has_biases else 0)
        if wanted > left:
            problems[f"fill[{n}]"] = _too_many(wanted)
        else:
            layer, left = _fitted_layer(typed, n, rows, columns, texts), left - wanted
        layers.append(layer)
    found = _fitted_samples(
        replace(draft, layers=compact(layers)), widths[0], widths[-1], left, texts, problems
    )
    changed = [
        n for n, (old, new) in enumerate(zip(draft.layers, layers, strict=True), 1) if old != new
    ]
    resized = bool(changed) or (found.x, found.y) != (draft.x, draft.y)
    return Edited(
        found,
        "The tables are resized; new cells hold friendly numbers." if resized else "",
        problems,
    )


def _too_many(wanted: int) -> str:
    return (
        f"this layer would have {wanted:,} numbers, "
        f"and the form holds up to {MOST_NUMBERS:,} in all; "
        "let a rule make its weights, or write the lesson as text"
    )


def _fitted_layer(layer: LayerDraft, n: int, rows: int, columns: int, texts: bool) -> LayerDraft:
    weights, bias = layer.weights, layer.bias
    if layer.given and (weights.text is None or (texts and weights.even)):
        weights = weights.resized(rows, columns, partial(_new, f"w {n}"))
    if layer.has_biases and (bias.text is None or (texts and bias.even)):
        bias = bias.resized(1, rows, partial(_new, f"b {n}"))
    return replace(layer, weights=weights, bias=bias)


def _new(kind: str, r: int, c: int) -> str:
    """A friendly number for a new cell: the same whenever it is asked for."""
    stream = Stream(f"draft {kind} {r} {c}")
    return written(stream.signed(1 + stream.below(9)) / 10)


def _fitted_samples(
    draft: Draft, inputs: int, outputs: int, left: int, texts: bool, problems: dict[str, str]
) -> Draft:
    if draft.made:
        return draft
    x, y, height = draft.x, draft.y, draft.height
    if draft.rows is not None:
        if not (
            texts and len({len(a) + len(b) for a, b in zip(x.cells, y.cells, strict=True)}) == 1
        ):
            return draft
        x, y = _split_as_before(draft, x, y)
    if height * (inputs + outputs) > left:
        problems["samples"] = (
            f"{height:,} samples are too many numbers for the form; "
            f"it holds up to {MOST_NUMBERS:,} in all"
        )
        return draft
    x, y = (
        Grid(_cells(x, height, inputs, _new_input)),
        Grid(_cells(y, height, outputs, partial(_new_target, draft["loss"], outputs))),
    )
    typed = (
        draft.samples
        if count(draft.samples, limits.SAMPLES) == 0 and draft.samples.strip()
        else str(height)
    )
    return replace(
        draft.with_texts(inputs_before=str(inputs)), x=x, y=y, rows=rows_text(x, y), samples=typed
    )


def _split_as_before(draft: Draft, x: Grid, y: Grid) -> tuple[Grid, Grid]:
    """The samples of a text split where they were before the number of inputs changed."""
    before = count(draft["inputs_before"])
    whole = tuple((*a, *b) for a, b in zip(x.cells, y.cells, strict=True))
    if not 0 < before < len(whole[0]):
        return x, y
    return Grid(tuple(row[:before] for row in whole)), Grid(tuple(row[before:] for row in whole))


def _cells(
    grid: Grid, rows: int, columns: int, new: Callable[[int, int], str]
) -> tuple[tuple[str, ...], ...]:
    return tuple(
        tuple(
            grid.cells[r][c] if r < grid.rows and c < len(grid.cells[r]) else new(r, c)
            for c in range(columns)
        )
        for r in range(rows)
    )


def _new_input(r: int, c: int) -> str:
    return _new("x", r, c).removeprefix("-")


def _new_target(loss: str, outputs: int, r: int, c: int) -> str:
    """The one class in turn where targets must sum to 1, else 0."""
    return "1" if loss == "cross_entropy" and r % outputs == c else "0"


# ---- layers ----


def _add_layer(draft: Draft, _: str) -> Edited:
    """A hidden layer before the last one."""
    if len(draft.layers) >= limits.LAYERS:
        return Edited(draft, problems={"layers": f"a network has at most {limits.LAYERS} layers"})
    place = max(0, len(draft.layers) - 1)
    like = draft.layers[place - 1]["activation"] if place else "tanh"
    new = LayerDraft(
        frozen_texts(
            {
                "units": "2",
                "activation": like if draft.layers else "sigmoid",
                "seed": str(place + 1),
            }
        )
    )
    after = [_emptied(layer) for layer in draft.layers[place : place + 1]]
    layers = (*draft.layers[:place], new, *after, *draft.layers[place + 1 :])
    return Edited(replace(draft, layers=layers), f"Layer {place + 1} was added.")


def _emptied(layer: LayerDraft) -> LayerDraft:
    """A layer with other inputs: its weights would be about other units, so they begin anew."""
    return replace(layer, weights=EMPTY) if layer.given else layer


def _remove_layer(draft: Draft, where: str) -> Edited:
    n = count(where)
    if not 1 <= n <= len(draft.layers) or len(draft.layers) == 1:
        return Edited(draft, problems={"layers": "a network has at least one layer"})
    layers = [layer for k, layer in enumerate(draft.layers, 1) if k != n]
    if n <= len(layers):
        layers[n - 1] = _emptied(layers[n - 1])
    return Edited(replace(draft, layers=tuple(layers)), f"Layer {n} was removed.")


def _move_layer(step: int, draft: Draft, where: str) -> Edited:
    n, other = count(where), count(where) + step
    if not (1 <= n <= len(draft.layers) and 1 <= other <= len(draft.layers)):
        return Edited(draft)
    layers = list(draft.layers)
    layers[n - 1], layers[other - 1] = layers[other - 1], layers[n - 1]
    return Edited(replace(draft, layers=tuple(layers)), f"Layer {n} is now layer {other}.")


# ---- samples ----


def _add_sample(draft: Draft, _: str) -> Edited:
    height = draft.height
    if height >= limits.SAMPLES:
        return Edited(
            draft, problems={"samples": f"a lesson has at most {limits.SAMPLES:,} samples"}
        )
    if draft.rows is not None:
        inputs, outputs = draft.widths[0], draft.widths[-1]
        new = (
            *(_new_input(height, c) for c in range(inputs)),
            *(_new_target(draft["loss"], outputs, height, c) for c in range(outputs)),
        )
        text = f"{draft.rows.rstrip()}\n{'  '.join(new)}"
        x, y = Grid((*draft.x.cells, new[:inputs])), Grid((*draft.y.cells, new[inputs:]))
        return Edited(replace(draft, rows=text, x=x, y=y), f"Sample {height + 1} was added.")
    return Edited(replace(draft, samples=str(height + 1)), f"Sample {height + 1} was added.")


def _remove_sample(draft: Draft, where: str) -> Edited:
    n = count(where, limits.SAMPLES)
    if not 1 <= n <= draft.height or draft.height == 1 or draft.rows is not None:
        return Edited(
            draft,
            problems={"samples": "a lesson has at least one sample"} if draft.height == 1 else {},
        )
    x, y = (
        Grid(tuple(row for k, row in enumerate(grid.cells, 1) if k != n))
        for grid in (draft.x, draft.y)
    )
    return Edited(
        replace(draft, x=x, y=y, samples=str(draft.height - 1)), f"Sample {n} was removed."
    )


# ---- numbers ----


def _fill(draft: Draft, where: str) -> Edited:
    """Numbers for a layer, into its tables: friendly ones of its seed, or those of its rule."""
    if where == "data":
        return _write_out(draft) if draft.made else _fill_inputs(draft)
    n = count(where)
    if not 1 <= n <= len(draft.layers):
        return Edited(draft)
    layer, (columns, rows) = draft.layers[n - 1], draft.widths[n - 1 : n + 1]
    if rows * columns > MOST_NUMBERS:
        return Edited(draft, problems={f"fill[{n}]": _too_many(rows * columns)})
    if layer.given:
        return _fill_friendly(draft, n, rows, columns)
    found = made(layer["fill"], layer["scale"], layer["seed"], rows, columns)
    if isinstance(found, Mapping):
        return Edited(draft, problems={f"{key}[{n}]": message for key, message in found.items()})
    new = replace(layer.with_parts(fill=GIVEN), weights=Grid.of_rows(found))
    return Edited(
        draft.with_layer(n, new), f"The weights of layer {n} are now in its table, rounded."
    )


def _fill_friendly(draft: Draft, n: int, rows: int, columns: int) -> Edited:
    """The friendly numbers of the layer's seed."""
    layer = draft.layers[n - 1]
    seed = seed_of(layer["seed"])
    if seed is None:
        return Edited(draft, problems={f"seed[{n}]": NO_SEED})
    bias = Grid.of_rows(friendly(f"biases {n} {seed}", 1, rows)) if layer.has_biases else layer.bias
    new = replace(
        layer, weights=Grid.of_rows(friendly(f"weights {n} {seed}", rows, columns)), bias=bias
    )
    said = f"Layer {n} now has the friendly numbers from seed {seed}."
    if (new.weights.cells, new.bias.cells) == (layer.weights.cells, layer.bias.cells):
        said = (
            f"Layer {n} already has the friendly numbers from seed {seed}. "
            "“Other numbers” takes the next seed."
        )
    return Edited(draft.with_layer(n, new), said)


def _other(draft: Draft, where: str) -> Edited:
    """The numbers of the next seed; of a layer with a rule the rule's, which needs no table."""
    n = count(where)
    if not 1 <= n <= len(draft.layers):
        return Edited(draft)
    layer = draft.layers[n - 1]
    seed = seed_of(layer["seed"])
    if seed is None:
        return Edited(draft, problems={f"seed[{n}]": NO_SEED})
    after = draft.with_layer(n, layer.with_parts(seed=str((seed + 1) % SEEDS)))
    return (
        _fill(after, where)
        if layer.given
        else Edited(after, f"The rule for layer {n} now uses the next seed.")
    )


def _write_out(draft: Draft) -> Edited:
    """The samples of the generator, typed into the table."""
    generator = generator_of(draft)
    if generator is None:
        return Edited(draft)  # its problems stand beside its fields
    numbers = generator.samples * (generator.inputs + generator.targets)
    if numbers > MOST_NUMBERS:
        said = (
            f"{counted(generator.samples, 'sample')} are {numbers:,} numbers; "
            f"the form holds up to {MOST_NUMBERS:,}"
        )
        return Edited(draft, problems={"made_samples": said})
    x, y = (
        Grid(tuple(tuple(written(round(v, DECIMALS) + 0.0) for v in row) for row in rows.tolist()))
        for rows in samples_of(generator)
    )
    after = replace(
        draft.with_texts(generator=GIVEN, inputs_before=str(generator.inputs)),
        x=x, y=y, rows=rows_text(x, y), samples=str(generator.samples),
    )  # fmt: skip
    return Edited(after, "The samples are now in the table, rounded.")


def _fill_inputs(draft: Draft) -> Edited:
    rows, columns = draft.height, draft.widths[0]
    if rows * (columns + draft.y.columns) > MOST_NUMBERS:
        return Edited(draft, problems={"samples": "that would be too many numbers for the form"})
    drawn = friendly(f"inputs {draft.x.cells}", rows, columns)
    x = Grid(tuple(tuple(text.removeprefix("-") for text in row) for row in drawn))
    after = replace(draft, x=x, samples=str(rows))
    rows_now = rows_text(x, draft.y) if draft.rows is not None else None  # `fitted` sees to a table
    return Edited(
        replace(after, rows=rows_now),
        "The inputs are new friendly numbers; the targets stay the same.",
    )


def _paste(draft: Draft, where: str) -> Edited:
    n, text = count(where), draft.pastes.get(where, "")
    if where != "data" and not 1 <= n <= len(draft.layers):
        return Edited(draft)
    inputs, outputs = (
        (draft.widths[0], draft.widths[-1]) if where == "data" else (draft.widths[n - 1], 0)
    )
    with_bias = where != "data" and draft.layers[n - 1].has_biases
    found = pasted(text, inputs + outputs, bias=with_bias)
    most = limits.SAMPLES if where == "data" else limits.UNITS
    problem = found.problem or (
        f"it has {len(found.cells):,} rows; the limit is {most:,}"
        if len(found.cells) > most
        else ""
    )
    if problem:
        return Edited(draft, problems={f"paste[{where}]": problem})
    kept = replace(
        draft,
        pastes=frozen_texts({key: typed for key, typed in draft.pastes.items() if key != where}),
    )
    if where == "data":
        kept = kept.with_texts(inputs_before=str(inputs), generator=GIVEN)
        x, y = (
            Grid(tuple(row[part] for row in found.cells))
            for part in (slice(inputs), slice(inputs, None))
        )
        return Edited(
            replace(kept, x=x, y=y, rows=rows_text(x, y), samples=str(len(found.cells))), found.said
        )
    rows = str(len(found.cells))
    units = counted(len(found.cells), "unit")
    changed = (
        ""
        if rows == draft.layers[n - 1]["units"].strip()
        else f" Layer {n} now has {units}, one per row."
    )
    new = replace(
        draft.layers[n - 1].with_parts(fill=GIVEN, units=rows),
        weights=Grid.of_rows([row[:inputs] for row in found.cells]),
    )
    if len(found.cells[0]) > inputs:
        new = replace(new, bias=Grid.of_rows([[row[inputs] for row in found.cells]]))
    return Edited(kept.with_layer(n, new), found.said + changed)


def _drop(draft: Draft, where: str) -> Edited:
    """Leave out parts of what came with the lesson."""
    return Edited(replace(draft, drop=draft.drop | (set(where.split("+")) & {*DROPPABLE})))


OPERATIONS: Final[Mapping[str, Callable[[Draft, str], Edited]]] = {
    "add-layer": _add_layer, "remove-layer": _remove_layer,
    "move-up": partial(_move_layer, -1), "move-down": partial(_move_layer, 1),
    "add-sample": _add_sample, "remove-sample": _remove_sample,
    "fill": _fill, "other": _other, "paste": _paste, "drop": _drop,
}  # fmt: skip
RESIZING: Final = frozenset({"add-layer", "remove-layer", "move-up", "move-down"})


# ---- Numbers for a table of the form: friendly ones, or those of a scheme, rounded to be read ----
#
# friendly(key, rows, columns)                   tenths, the same for the same key
# seed_of("7")                                   a seed as it was typed, or None
# made("xavier", "1", "7", rows, columns)        texts, or what is wrong with scale and seed


DECIMALS = 4
"""Of made samples that are written into the table."""
LARGEST_SCALE = 1e6
SEEDS = 2**32
"""How many seeds there are; after the last one comes the first."""
NO_SEED = f"expected a whole number from 0 to {SEEDS - 1:,}"


def friendly(key: str, rows: int, columns: int) -> Cells:
    """Tenths from ±0.1 to ±0.9, different ones as far as they last."""
    pool = Pool(9, 10)
    return tuple(
        tuple(map(written, row)) for row in pool.matrix(Stream(f"draft {key}"), rows, columns)
    )


def seed_of(text: str) -> int | None:
    """A seed as it was typed; None where it is none."""
    return whole(text.strip(), 0, SEEDS - 1)


def made(scheme: str, scale: str, seed: str, rows: int, columns: int) -> Cells | dict[str, str]:
    """The weights of a scheme, or {field: message}."""
    problems, size = {}, 1.0
    try:
        size = read(scale)
        if not 0 <= abs(size) <= LARGEST_SCALE or (
            size < 0 and scheme not in {"constant", "identity"}
        ):
            problems["scale"] = (
                f"expected a number from 0 to {LARGEST_SCALE:,.0f}, got {scale.strip()[:40]}"
            )
    except NumberError as error:
        problems["scale"] = str(error)
    start = seed_of(seed)
    if start is None:
        problems["seed"] = NO_SEED
    if problems:
        return problems
    weights = initial(
        Init.model_validate({"scheme": scheme, "scale": size, "seed": start}), rows, columns
    )
    if scheme in {"constant", "identity"}:
        return tuple(tuple(written(float(w)) for w in row) for row in weights)
    digits = _digits(float(abs(weights).max()))
    return tuple(tuple(written(round(float(w), digits) + 0.0) for w in row) for row in weights)


def _digits(largest: float) -> int:
    """Two decimals, more where all numbers are small."""
    return 2 if largest >= 0.1 or largest == 0 else min(12, 1 - math.floor(math.log10(largest)))
