"""The arrays that a script of a lesson makes, in their order: Python name, words, numbers.

    results(lesson) -> (Result("z1", "pre-activations of layer 1", array, …), …)

They are the stages of the walk by matrices, as far as all of their numbers are finite. Left out are the
derivative of a saturated cross-entropy by its output, which is beyond float64 or a division of 0 by 0, and Jacobians of
a softmax that would be very large; the scripts go around both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tutor.code_sizes import sizes
from tutor.explain import explain_stage
from tutor.lesson import LayerWalk, Lesson
from tutor.network import Array
from tutor.order import Stage
from tutor.quantity import Quantity
from tutor.trace import Trace

MOST_JACOBIAN = 10_000
"""Numbers in the Jacobians of one layer that are still written out."""
CANCELS = 1e-2
"""A number below this share of its terms has lost digits."""


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """One array of a script."""

    name: str
    words: str
    stage: Stage
    values: Array
    size: float
    """How large the terms are that cancel in some entry; 0 where none does."""


def results(lesson: Lesson) -> tuple[Result, ...]:
    """All arrays that can be computed, in the order of the walk."""
    walk = lesson.walk("layer")
    assert isinstance(walk, LayerWalk)
    scales = sizes(lesson.trace)
    found = []
    for stage in walk.stages:
        if ends(lesson.trace, stage):
            break
        if not skipped(lesson.trace, stage):
            found.append(_result(lesson.trace, stage, scales[stage.kind, stage.layer]))
    return tuple(found)


def end(lesson: Lesson) -> Stage | None:
    """The first array that cannot be had, or None."""
    walk = lesson.walk("layer")
    assert isinstance(walk, LayerWalk)
    return next((stage for stage in walk.stages if ends(lesson.trace, stage)), None)


def skipped(trace: Trace, stage: Stage) -> bool:
    """Whether the scripts go around this array."""
    if stage.kind == "dL/da" and stage.layer == trace.fused_layer:
        return saturated(trace)
    return stage.kind == "da/dz" and jacobian_is_large(trace, stage.layer)


def ends(trace: Trace, stage: Stage) -> bool:
    """Whether this array cannot be had: the script ends before it."""
    if stage.kind == "da/dz" and stage.layer == trace.blocked:
        return True
    return not skipped(trace, stage) and not np.isfinite(_values(trace, stage)).all()


def saturated(trace: Trace) -> bool:
    """Whether an output of a cross-entropy is so close to an edge that dividing by it is of no use."""
    if not trace.fused_layer:
        return False
    a = trace.array("a", trace.fused_layer)
    edge = (a == 0) if trace.network.layer(trace.fused_layer).activation.couples else (a == 0) | (a == 1)
    return bool(edge.any() or not np.isfinite(trace.array("dL/da", trace.fused_layer)).all())


def jacobian_is_large(trace: Trace, layer: int) -> bool:
    """Whether the Jacobians of a softmax layer are too large to be made."""
    part = trace.network.layer(layer)
    return part.activation.couples and trace.samples * part.units**2 > MOST_JACOBIAN


def python_name(kind: str, layer: int, per_sample: bool = False) -> str:
    """The name in a script: z1, a1_new, dL_dW2, losses, drop."""
    if kind == "loss-loss+":
        return "drop"
    stem, new = kind.removesuffix("+").replace("/", "_"), "_new" if kind.endswith("+") else ""
    stem = stem[:-1] + "W" if stem.endswith("w") else stem
    return f"{stem}{'es' if per_sample else ''}{layer or ''}{new}"


def _result(trace: Trace, stage: Stage, size: Array) -> Result:
    values = _values(trace, stage)
    if stage.kind in {"loss", "loss+"} and not stage.per_sample:
        size = np.asarray(trace.scale * sum(size.tolist()))
    elif values.ndim == 3:
        size = np.where(np.eye(values.shape[1], dtype=bool), size[:, :, None], np.abs(values))
    cancels = np.abs(values) < CANCELS * size
    return Result(
        python_name(stage.kind, stage.layer, stage.per_sample), _words(trace, stage), stage, values,
        float(f"{min(float(np.max(size)), 1e300):.1g}") if cancels.any() else 0.0,
    )  # fmt: skip


def _words(trace: Trace, stage: Stage) -> str:
    if stage.kind == "loss-loss+":
        return "how much the loss has fallen"
    if not stage.layer and not stage.per_sample:
        what = trace.network.loss.title if trace.samples == 1 else f"loss of the batch, the {trace.network.reduction} of them"
        return what + (" after the update" if stage.kind.endswith("+") else "")
    title = explain_stage(trace, stage).title
    return title[0].lower() + title[1:]


def _values(trace: Trace, stage: Stage) -> Array:
    if stage.per_sample:
        return trace.sample_losses(stage.kind)
    if not stage.layer:
        return np.asarray(trace.value(Quantity(stage.kind)))
    if stage.kind == "da/dz" and trace.network.layer(stage.layer).activation.couples:
        return np.stack([trace.jacobian(stage.layer, row) for row in range(trace.samples)])
    return trace.array(stage.kind, stage.layer)
