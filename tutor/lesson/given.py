"""What a lesson starts from, in words: inputs, targets, weights, settings of the training.

named(trace, q)                 `Input 2, sample 1`; of a computed number its title
given_reason(q, iteration)      where a given number comes from, in a sentence or two
changeable_name(q, lesson)      the name by which a reader may change it, or ""
"""

from __future__ import annotations

from tutor.engine.kinds import KINDS
from tutor.engine.quantity import Quantity
from tutor.engine.trace import Trace
from tutor.lesson.changeable import NUMBERS, Changeable
from tutor.lesson.titles import capital, input_name, title, unit
from tutor.lesson.walk import Lesson
from tutor.scenario.knobs import KNOBS

_RATE = Changeable("learning_rate")
RAW = frozenset({"raw"})
"""Inputs as the data have them, where the walk scales them; readers change them as x."""


def named(trace: Trace, q: Quantity) -> str:
    """What a number is called, a given one too."""
    if not q.given or (q.of.parameter and q.of.role == "parameter"):
        return title(trace, q)
    text = capital(_called(trace, q))
    return f"{text}, sample {q.sample}" if q.sample else text


def _called(trace: Trace, q: Quantity) -> str:
    network, role = trace.network, q.of.role
    if role == "data":
        inputs = q.of.of_inputs
        name = input_name(network, q.i) if inputs else f"target {q.i}"
        several = inputs or network.sizes[-1] > 1
        before = " before scaling" if q.kind in RAW else ""
        return (name if several else "target").removeprefix("the ") + before
    if role == "mask":
        return f"dropout mask of {unit(network, q.layer, q.i)}"
    if q.of.earlier:
        whose = title(trace, Quantity(_parameter(q), *q[1:]))
        what = q.of.words.rsplit(" of a ", 1)[0]
        return f"{what}: {whose[0].lower()}{whose[1:]}"
    return q.of.words


def _parameter(q: Quantity) -> str:
    """The weight or bias that an optimizer's memory belongs to."""
    return q.kind.rpartition(".")[2]


def given_reason(q: Quantity, iteration: int) -> str:
    """Where a given number comes from."""
    of = q.of
    if of.role == "parameter":
        if iteration > 1:
            return f"The update of iteration {iteration - 1} made it; this one starts from it."
        return "It is given at the start. The update changes it, if its layer learns."
    return _OF_ROLES.get(of.role, _SETTING)


_SETTING = "It is chosen, not computed."
_OF_ROLES = {
    "data": "It comes with the data, so nothing is computed to get it.",
    "knob": "It is a setting of the training: chosen, not computed.",
    "mask": (
        "It is drawn at random: 0 where the unit is dropped, otherwise 1 divided by the share of "
        "units that are kept."
    ),
    "memory": (
        "The optimizer kept it from the iteration before; in the first iteration it starts at 0."
    ),
}


def changeable_name(q: Quantity, lesson: Lesson) -> str:
    """The name of the part that a reader changes to change this number; "" where there is none,
    as for weights that an earlier update made.
    """
    if q == _RATE.quantity:
        return str(_RATE)
    if q.of.role == "knob":
        return next((name for name in KNOBS if Changeable(name).quantity == q), "")
    if lesson.trace.statistics and q.of.of_inputs:
        if q.kind not in RAW:
            return ""  # what is scaled follows from what the data have
        q = q._replace(kind="x")
    if q.kind not in NUMBERS or (q.of.parameter and lesson.iteration > 1):
        return ""
    number = lesson.batch.number(q.sample) if lesson.batch and not KINDS[q.kind].layered else 0
    return str(q._replace(sample=number) if number else q)
