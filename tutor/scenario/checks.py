"""What the parts of a scenario must agree on: rows of a matrix, counts of samples, loss and output,
names in range.

The checks read the plain data of the file and use whatever part of it is sound, so that a wrong
word in one layer does not hide a wrong matrix in another. Each yields (path, message).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, Final, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from tutor import limits
from tutor.engine.parameters import PARAMETERS
from tutor.engine.skip import skip_fault
from tutor.number import counted
from tutor.scenario import names, update
from tutor.scenario.model import (
    CURVES,
    Check,
    Data,
    Generator,
    LayerSpec,
    LossSpec,
    NetworkSpec,
    Note,
    Printed,
    Split,
    Trainable,
    Training,
)
from tutor.scenario.names import Sizes
from tutor.scenario.problem import Found, Path
from tutor.scenario.update import Learning

M = TypeVar("M", bound=BaseModel)

OUTPUT_DROPOUT: Final = "dropout is for hidden layers; the outputs are the answer"


def of(data: dict[str, Any]) -> Iterator[Found]:
    """Everything that does not agree."""
    parts = Parts.of(data)
    yield from _layers(parts)
    yield from _parameters(parts)
    yield from _source(parts)
    yield from _samples(parts)
    yield from _batch(parts)
    yield from _loss(parts)
    yield from _targets(parts)
    yield from update.unfit(_mapping(data.get("training")))
    yield from _penalty(parts)
    if parts.sizes:
        yield from named(data, partial(names.refusal, sizes=parts.sizes),
                         partial(names.expression_refusal, sizes=parts.sizes))  # fmt: skip


def fit(network: NetworkSpec, data: Data) -> Iterator[Found]:
    """What of activations, loss and targets does not agree, where each layer, the loss and the rows
    are sound by themselves.
    """
    raw = tuple(
        {"units": layer.units, "activation": layer.activation, **layer.parameters}
        for layer in network.layers
    )
    parts = Parts(
        raw, network.layers, network.sizes, network.loss, (), data.targets, data, None, {}
    )
    for n, layer in enumerate(raw):
        yield from _activation(("network", "layers", n), layer)
    if data.generator:
        yield from _made_targets(parts, data.generator)
    yield from _loss(parts)
    yield from _targets(parts)


@dataclass(frozen=True, slots=True)
class Parts:
    """What is sound of a file. None stands for what is not; `widths[l]` are the units of layer l, 0
    the input.
    """

    raw_layers: tuple[Any, ...]
    layers: tuple[LayerSpec | None, ...]
    widths: tuple[int | None, ...]
    loss: LossSpec | None
    inputs: tuple[Any, ...]
    targets: tuple[Any, ...]
    data: Data | None
    """Where all of it is sound by itself: neither both nor none of rows and generator."""
    sizes: Sizes | None
    raw: dict[str, Any]

    @classmethod
    def of(cls, raw: dict[str, Any]) -> Parts:
        """Take plain data apart."""
        network, data = _mapping(raw.get("network")), _mapping(raw.get("data"))
        raw_layers = _list(network.get("layers"))[: limits.LAYERS]
        layers = tuple(_sound(LayerSpec, layer) for layer in raw_layers)
        widths = (
            _width(network.get("inputs")),
            *(_width(_mapping(layer).get("units")) for layer in raw_layers),
        )
        inputs, targets = (_list(data.get(key))[: limits.SAMPLES] for key in ("inputs", "targets"))
        sound = _sound(Data, data)
        if sound and bool(sound.generator) == bool(sound.inputs):
            sound = None
        return cls(
            raw_layers, layers, widths, _sound(LossSpec, network.get("loss")), inputs, targets,
            sound,
            _sizes(raw, layers, widths[0], _batch_size(raw, sound) if sound else None),
            raw,
        )  # fmt: skip

    @property
    def samples(self) -> int:
        """How many samples an iteration computes at most."""
        return (self.data and _batch_size(self.raw, self.data)) or len(self.inputs)

    @property
    def output(self) -> LayerSpec | None:
        """The last layer."""
        return self.layers[-1] if self.layers else None


def _sizes(
    raw: dict[str, Any], layers: tuple[LayerSpec | None, ...], inputs: int | None, batch: int | None
) -> Sizes | None:
    sound = tuple(layer for layer in layers if layer is not None)
    learning = _sound(Learning, raw.get("training"))
    if inputs is None or batch is None or learning is None:
        return None
    if not layers or len(sound) < len(layers):
        return None
    trainable = _sound(Trainable, _mapping(raw.get("network")).get("trainable")) or Trainable()
    loss = LossSpec(name="squared_error")
    network = NetworkSpec(inputs=inputs, layers=sound, loss=loss, trainable=trainable)
    return Sizes(
        inputs,
        sound,
        tuple(network.learns(number) for number in range(1, len(sound) + 1)),
        batch,
        learning,
        _mapping(raw.get("data")).get("scale"),
    )


def _batch_size(raw: dict[str, Any], data: Data) -> int:
    """How many samples the first iteration uses; all that there are where the file is unclear."""
    training = _sound(Training, raw.get("training"))
    most = max(data.training_samples, 1)
    return min(training.batch_size or most, most) if training else most


def _layers(parts: Parts) -> Iterator[Found]:
    for n, raw in enumerate(parts.raw_layers):
        path: Path = ("network", "layers", n)
        if not isinstance(raw, dict):
            continue
        if "weights" in raw and "init" in raw:
            yield (
                (*path, "init"),
                "there are both weights and init; keep one of them",
            )
        elif "weights" not in raw and "init" not in raw:
            yield (*path, "weights"), "is missing; give one row per unit, or init"
        rows, columns = parts.widths[n + 1], parts.widths[n]
        if rows is not None and columns is not None and "weights" in raw:
            yield from _matrix((*path, "weights"), raw["weights"], rows, columns)
        if rows is not None and isinstance(raw.get("biases"), tuple) and len(raw["biases"]) != rows:
            yield (
                (*path, "biases"),
                f"expected {counted(rows, 'number')}, got {len(raw['biases']):,}",
            )
        yield from _activation(path, raw)
        if n == len(parts.raw_layers) - 1 and _drops(raw.get("dropout")):
            yield (*path, "dropout"), OUTPUT_DROPOUT
        yield from _skip((*path, "skip"), n + 1, raw.get("skip"), parts.widths)


def _drops(share: object) -> bool:
    """Whether it is a share of activations to be dropped; what is none is refused elsewhere."""
    return isinstance(share, int | float) and 0 < share < 1


def _skip(path: Path, number: int, skip: object, widths: tuple[int | None, ...]) -> Iterator[Found]:
    """A skip connection reaches a layer or the input, and finds as many numbers there as here."""
    if type(skip) is int and 0 < skip <= limits.LAYERS:
        yield from _refused(path, skip_fault(number, skip, widths))


def _activation(path: Path, raw: dict[str, Any]) -> Iterator[Found]:
    name = raw.get("activation")
    for key, parameter in PARAMETERS.items():
        if key in raw and isinstance(name, str) and name != parameter.owner:
            yield (
                (*path, key),
                (f"belongs to {parameter.owner}, but the activation here is {name[:40]}"),
            )
        if name == parameter.owner and isinstance(raw.get(key), int | float):
            yield from _refused((*path, key), parameter.refusal(raw[key]))
    if name == "softmax" and _width(raw.get("units")) == 1:
        yield (
            (*path, "activation"),
            "a softmax of one unit is always 1; use sigmoid, or give it two units or more",
        )
    init = _mapping(raw.get("init"))
    if (
        init.get("scheme") in {"uniform", "normal", "xavier", "he"}
        and isinstance(init.get("scale"), int | float)
        and init["scale"] < 0
    ):
        yield (*path, "init", "scale"), f"expected 0 or more, got {init['scale']}"


def _matrix(path: Path, value: object, rows: int, columns: int) -> Iterator[Found]:
    """A list of rows as it should be; lists only, what stands in them is checked elsewhere."""
    lengths = {len(row) for row in _list(value) if isinstance(row, tuple)}
    if not isinstance(value, tuple) or not all(isinstance(row, tuple) for row in value):
        return
    if len(value) == rows and lengths - {columns} and len(lengths) > 1:
        for n, row in enumerate(value):
            if len(row) != columns:
                yield (*path, n), f"expected {counted(columns, 'number')}, got {len(row):,}"
    elif len(value) != rows or lengths != {columns}:
        got = (
            f"of {lengths.pop():,}"
            if len(lengths) == 1
            else "of different lengths"
            if lengths
            else ""
        )
        yield (
            path,
            f"expected {counted(rows, 'row')} of {columns:,}, "
            f"got {counted(len(value), 'row')} {got}".rstrip(),
        )


def _parameters(parts: Parts) -> Iterator[Found]:
    known = [width for width in parts.widths if width is not None]
    if len(known) < len(parts.widths):
        return
    count = sum(into * (below + 1) for below, into in pairwise(known))
    if count > limits.PARAMETERS:
        yield (
            ("network", "layers"),
            f"the network has {count:,} weights and biases; the limit is {limits.PARAMETERS:,}",
        )
    elif count * parts.samples > limits.WORK:
        work = count * parts.samples
        yield (
            _rows_path(parts),
            (
                f"parameters times samples are {work:,} products to compute at once; "
                f"the limit is {limits.WORK:,}"
            ),
        )


def _rows_path(parts: Parts) -> Path:
    made = parts.data is not None and parts.data.generator is not None
    return ("data", "generator", "samples") if made else ("data", "inputs")


def _source(parts: Parts) -> Iterator[Found]:
    """Rows or a generator, whose data fit the network, and what is made of them."""
    raw = parts.raw.get("data")
    if not isinstance(raw, dict):
        return
    written = [key for key in ("inputs", "targets") if key in raw]
    if "generator" in raw and written:
        both = " and ".join(written)
        yield (
            ("data", "generator"),
            f"there are both {both} and a generator; keep the one or the other",
        )
    for key, advice in ROWS.items():
        if "generator" not in raw and key not in written:
            yield ("data", key), f"is missing; {advice}"
    generator, split = _sound(Generator, raw.get("generator")), _sound(Split, raw.get("split"))
    if generator and "generator" in raw:
        yield from _generator(parts, generator, _mapping(raw["generator"]))
    if split and "split" in raw:
        samples = generator.samples if generator and "generator" in raw else len(parts.inputs)
        yield from _split(split, samples)


ROWS = {
    "inputs": "give one row per sample, or a generator",
    "targets": "give one row per sample; without targets there is no loss to learn from",
}
"""What helps where the rows are missing."""


def _generator(parts: Parts, made: Generator, raw: dict[str, Any]) -> Iterator[Found]:
    path: Path = ("data", "generator")
    if made.name in CURVES and "labels" in raw:
        yield (*path, "labels"), f"belongs to classes, but {made.name} makes a curve"
    if made.name != "blobs" and "classes" in raw:
        yield (*path, "classes"), f"belongs to blobs, but the generator here is {made.name}"
    elif made.name == "blobs" and made.classes > 2 and made.labels != "one_hot":
        yield (
            (*path, "labels"),
            f"{made.classes} classes need labels: one_hot; 0 and 1 tell only two apart",
        )
    least = made.classes if made.name not in CURVES else 1
    if made.samples < least:
        yield (
            (*path, "samples"),
            f"{least} classes need at least {counted(least, 'sample')}, got {made.samples}",
        )
    inputs, units = parts.widths[0], parts.widths[-1] if parts.raw_layers else None
    if inputs is not None and inputs != made.inputs:
        yield (
            (*path, "name"),
            (
                f"{made.name} makes {counted(made.inputs, 'input')} per sample, "
                f"but network.inputs is {inputs}"
            ),
        )
    if units is not None and units != made.targets:
        yield (
            (*path, "name"),
            (
                f"{made.name} makes {counted(made.targets, 'target')} per sample here, "
                f"but the last layer has {counted(units, 'unit')}"
            ),
        )
    yield from _made_targets(parts, made)


def _made_targets(parts: Parts, made: Generator) -> Iterator[Found]:
    """What a cross-entropy needs of targets that no file shows."""
    name = parts.loss.name if parts.loss else ""
    if not name.endswith("cross_entropy"):
        return
    path: Path = ("data", "generator", "name" if made.name in CURVES else "labels")
    if made.name in CURVES:
        yield path, f"{name} needs classes, but {made.name} makes numbers of a curve"
    elif name == "cross_entropy" and made.labels != "one_hot":
        yield path, f"{name} needs labels: one_hot, whose targets sum to 1"
    elif made.labels == "minus_one_one":
        yield path, f"{name} needs targets from 0 to 1, not -1; use zero_one"


def _split(split: Split, samples: int) -> Iterator[Found]:
    path: Path = ("data", "split")
    parts = {"train": split.train, "validation": split.validation, "test": split.test}
    total = math.fsum(parts.values())
    if not abs(total - 1) <= 1e-9:
        yield path, f"train, validation and test must add up to 1; these add up to {total:g}"
    elif samples:
        for (key, part), count in zip(parts.items(), split.counts(samples), strict=True):
            if part and count < 1:
                yield (
                    (*path, key),
                    (
                        f"{part:g} of {counted(samples, 'sample')} leaves none for this part; "
                        "give it a larger share or the data set more samples"
                    ),
                )


def _batch(parts: Parts) -> Iterator[Found]:
    """A batch is at most all samples that the network learns from."""
    training = _sound(Training, parts.raw.get("training"))
    size = training.batch_size if training else None
    if _mapping(parts.raw.get("training")).get("stop") == {}:
        yield ("training", "stop"), "is empty; give loss_below or change_below, or leave it out"
    if parts.data is None or size is None:
        return
    most = parts.data.training_samples
    if size > most >= 1:
        of = "training samples" if parts.data.split else "samples"
        yield (
            ("training", "batch"),
            (
                f"is {size:,}, more than the {most:,} {of} of this lesson; "
                f"the limit is {most:,}, which is full"
            ),
        )


def _samples(parts: Parts) -> Iterator[Found]:
    count = sum(width or 0 for width in parts.widths) * parts.samples
    if count > limits.ACTIVATIONS:
        yield (
            _rows_path(parts),
            (
                f"units times samples are {count:,} activations to keep; "
                f"the limit is {limits.ACTIVATIONS:,}"
            ),
        )
    if parts.inputs and parts.targets and len(parts.inputs) != len(parts.targets):
        wanted = counted(len(parts.inputs), "row")
        yield (
            ("data", "targets"),
            (
                f"expected {wanted}, one per row of data.inputs, "
                f"got {counted(len(parts.targets), 'row')}"
            ),
        )
    for key, rows, width, what in (
        ("inputs", parts.inputs, parts.widths[0], "network.inputs"),
        (
            "targets",
            parts.targets,
            parts.widths[-1] if parts.raw_layers else None,
            "the units of the last layer",
        ),
    ):
        for n, row in enumerate(rows):
            if width is not None and isinstance(row, tuple) and len(row) != width:
                yield (
                    ("data", key, n),
                    f"expected {counted(width, 'number')} as in {what}, got {len(row):,}",
                )


def _loss(parts: Parts) -> Iterator[Found]:
    if parts.loss is None or parts.output is None:
        return
    name, output = parts.loss.name, parts.output.activation
    if name == "cross_entropy" and output != "softmax":
        yield (
            ("network", "loss", "name"),
            f"cross_entropy needs a softmax in the last layer, got {output}",
        )
    if name == "binary_cross_entropy" and output != "sigmoid":
        yield (
            ("network", "loss", "name"),
            f"binary_cross_entropy needs a sigmoid in the last layer, got {output}",
        )
    if name.endswith("cross_entropy") and parts.output.skip:
        last: Path = ("network", "layers", len(parts.layers) - 1, "skip")
        needed = f"{name} needs the {output} itself as the output"
        yield last, f"{needed}; a skip connection would add to it"


def _targets(parts: Parts) -> Iterator[Found]:
    if parts.loss is None or not parts.loss.name.endswith("cross_entropy"):
        return
    for n, row in enumerate(parts.targets):
        if not isinstance(row, tuple) or not all(type(y) in {int, float} for y in row):
            continue
        outside = [i for i, y in enumerate(row) if not 0 <= y <= 1]
        for i in outside:
            yield (
                ("data", "targets", n, i),
                f"{parts.loss.name} needs targets from 0 to 1, got {row[i]}",
            )
        total = math.fsum(row)
        if parts.loss.name == "cross_entropy" and not outside and not abs(total - 1) <= 1e-9:
            yield (
                ("data", "targets", n),
                f"cross_entropy needs targets that sum to 1; these sum to {total:g}",
            )


def _penalty(parts: Parts) -> Iterator[Found]:
    """A weight of the penalty for each layer, where there is a list of them."""
    weight = _mapping(_mapping(parts.raw.get("training")).get("l2")).get("weight")
    depth = len(parts.raw_layers)
    if isinstance(weight, tuple) and depth and len(weight) != depth:
        yield (
            ("training", "l2", "weight"),
            (
                f"expected one number for all layers or {counted(depth, 'number')}, one for each "
                f"layer; got {counted(len(weight), 'number')}"
            ),
        )


class Refusal(Protocol):
    """Why a lesson has no quantity of a name, or an empty text; with `step`, why none can stand
    there.
    """

    def __call__(self, name: str, *, step: bool = False) -> str: ...


def named(
    data: dict[str, Any], refusal: Refusal, of_expression: Callable[[str], str]
) -> Iterator[Found]:
    """What is wrong with the names in printed numbers, notes and checks; `of_expression` says the
    same of an expression as `refusal` of a name.
    """
    for path, raw in _entries(data, "printed"):
        printed = _sound(Printed, raw)
        if printed:
            yield from _printed(path, printed, refusal, of_expression)
    for path, raw in _entries(data, "notes"):
        note = _sound(Note, raw)
        if note:
            yield from _refused((*path, "at"), refusal(note.at, step=True))
    for path, raw in _entries(data, "checks"):
        check = _sound(Check, raw)
        if check:
            yield from _refused((*path, "quantity"), refusal(check.quantity))
            yield from _refused((*path, "equals"), of_expression(check.equals))


def _printed(
    path: Path, printed: Printed, refusal: Refusal, of_expression: Callable[[str], str]
) -> Iterator[Found]:
    if (printed.quantity is None) == (printed.expression is None):
        yield path, "expected either a quantity or an expression"
    if printed.slip is not None and printed.left_open is not None:
        yield (
            (*path, "left_open"),
            (
                "expected either a slip or left_open: where the lecture leaves a number open, "
                "it made no mistake"
            ),
        )
    if printed.quantity is not None:
        yield from _refused((*path, "quantity"), refusal(printed.quantity))
    if printed.expression is not None:
        yield from _refused((*path, "expression"), of_expression(printed.expression))
        if printed.at is None:
            yield (
                (*path, "at"),
                "is missing; name the quantity at whose step the expression is shown",
            )
    if printed.at is not None:
        yield from _refused((*path, "at"), refusal(printed.at, step=True))


def _refused(path: Path, message: str) -> Iterator[Found]:
    if message:
        yield path, message


def _entries(raw: dict[str, Any], key: str) -> Iterator[tuple[Path, object]]:
    for n, entry in enumerate(_list(raw.get(key))):
        yield (key, n), entry


def _sound(model: type[M], raw: object) -> M | None:
    """This part alone, unknown keys left aside; None where it is not sound."""
    known = {key: value for key, value in _mapping(raw).items() if key in model.model_fields}
    try:
        return model.model_validate(known)
    except ValidationError:
        return None


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else ()


def _width(value: object) -> int | None:
    return (
        value
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= limits.UNITS
        else None
    )
