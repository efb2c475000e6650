"""The arrays that a script of a lesson makes, in their order: Python name, words, numbers.

    results(lesson) -> (Result("z1", "pre-activations of layer 1", array, …), …)

They are the stages of the walk by matrices, as far as all of their numbers are finite. Left out are
the derivative of a saturated cross-entropy by its output, which is beyond float64 or a division of
0 by 0, and Jacobians of a softmax that would be very large; the scripts go around both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tutor.engine.dialects import python_name
from tutor.engine.kinds import KINDS
from tutor.engine.magnitude import magnitude
from tutor.engine.network import Array
from tutor.engine.order import Stage
from tutor.engine.program import ETA, Name
from tutor.engine.quantity import Quantity
from tutor.engine.trace import Trace
from tutor.engine.tree import Node, Numbers
from tutor.export.formulas_as_code import formula
from tutor.lesson.explain import explain_stage
from tutor.lesson.walk import LayerWalk, Lesson

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
    trace = lesson.trace
    scales = sizes(trace)
    found = []
    for stage in walk.stages:
        if ends(trace, stage):
            break
        if not skipped(trace, stage):
            own = scales.get(_name(stage))
            own = size(trace, formula(trace, stage), scales) if own is None else own
            found.append(_result(trace, stage, own))
    return tuple(found)


def _name(stage: Stage) -> tuple[str, int]:
    """Where the program has what a stage makes."""
    return stage.kind + "@" * stage.per_sample, stage.layer


def last_stage(lesson: Lesson) -> Stage | None:
    """The first array that cannot be had, or None."""
    walk = lesson.walk("layer")
    assert isinstance(walk, LayerWalk)
    return next((stage for stage in walk.stages if ends(lesson.trace, stage)), None)


def skipped(trace: Trace, stage: Stage) -> bool:
    """Whether the scripts go around this array."""
    kind = KINDS[stage.kind]
    if (
        kind.by == "a" and not stage.layer
    ):  # nothing else is made of the derivatives with respect to the inputs
        return not np.isfinite(_values(trace, stage)).all()
    if kind.by == "a" and stage.layer == trace.fused_layer:
        return saturated(trace)
    return kind.role == "slope" and jacobian_is_large(trace, stage.layer)


def ends(trace: Trace, stage: Stage) -> bool:
    """Whether this array cannot be had: the script ends before it."""
    if KINDS[stage.kind].role == "slope" and stage.layer == trace.blocked:
        return True
    return not skipped(trace, stage) and not np.isfinite(_values(trace, stage)).all()


def saturated(trace: Trace) -> bool:
    """Whether an output of a cross-entropy is too close to an edge to divide by it."""
    if not trace.fused_layer:
        return False
    a = trace.outputs
    edge = (
        (a == 0)
        if trace.network.layer(trace.fused_layer).activation.full_jacobian
        else (a == 0) | (a == 1)
    )
    return bool(edge.any() or not np.isfinite(trace.array("dL/da", trace.fused_layer)).all())


def jacobian_is_large(trace: Trace, layer: int) -> bool:
    """Whether the Jacobians of a softmax layer are too large to be made."""
    part = trace.network.layer(layer)
    return part.activation.full_jacobian and trace.samples * part.units**2 > MOST_JACOBIAN


def _result(trace: Trace, stage: Stage, size: Array) -> Result:
    values = _values(trace, stage)
    cancels = np.abs(values) < CANCELS * size
    return Result(
        python_name(*_name(stage)), _words(trace, stage), stage, values,
        float(f"{min(float(np.max(size)), 1e300):.1g}") if cancels.any() else 0.0,
    )  # fmt: skip


def _words(trace: Trace, stage: Stage) -> str:
    if stage.kind == "loss-loss+":
        return "how much the loss fell"
    kind = KINDS[stage.kind]
    if stage.single and kind.shared:
        what = (
            "the loss on the data and the penalty together"
            if trace.network.rule.penalty
            else trace.network.loss.title
            if trace.samples == 1
            else f"loss of the batch, the {trace.network.reduction} of them"
        )
        return what + " after the update" * kind.again
    title = explain_stage(trace, stage).title
    return title[0].lower() + title[1:]


def _values(trace: Trace, stage: Stage) -> Array:
    if stage.per_sample:
        return trace.sample_losses(stage.kind)
    if stage.single:
        return np.asarray(trace.value(Quantity(stage.kind, stage.layer)))
    if (
        KINDS[stage.kind].role == "slope"
        and trace.network.layer(stage.layer).activation.full_jacobian
    ):
        return np.stack([trace.jacobian(stage.layer, row) for row in range(trace.samples)])
    return trace.array(stage.kind, stage.layer)


# ---- How large the numbers are that come together in each array, cancelling there or not ----
#
#     sizes(trace) -> {("z", 1): array like z[1], ("dL/dw", 2): …, ("loss", 0): …}
#
# Another computer, or another library, may round the last digit of a term in another way. Where
# large terms nearly cancel, as in a − y of an output that is almost right, that digit is a large
# part of the result. A script that checks its numbers allows for it, and only there. The trees of
# the program say how large they are.


def sizes(trace: Trace) -> dict[Name, Array]:
    """The sizes of all arrays of a trace, in their shapes; infinite where none can be said."""
    made = trace.program.by_name
    found = {name: np.zeros_like(array) for name, array in trace.items() if name not in made}
    for definition in trace.program.definitions:
        found[definition.name] = size(trace, definition.tree, found)
    return found


def size(trace: Trace, tree: Node, found: Mapping[Name, Array]) -> Array:
    """That of one tree, where those of the arrays in it have been found."""
    knobs = {Quantity(name): value for name, value in trace.knobs.items()}
    numbers = Numbers({ETA.quantity: trace.eta, **knobs}, trace.arrays, trace.scale)
    behind = Numbers(dict.fromkeys(numbers.known, 0.0), found)
    with np.errstate(all="ignore"):
        found_size = np.asarray(magnitude(tree, numbers, behind))
        return np.where(np.isnan(found_size), np.inf, found_size)
