"""Why a step that scales the inputs does what it does.

Kinds share `reasons.Reason`; the table of kinds there says which function explains which.
"""

from __future__ import annotations

from tutor.engine.order import Stage
from tutor.engine.quantity import Quantity
from tutor.engine.scales import ScalePlan
from tutor.engine.trace import Trace
from tutor.lesson.titles import input_name
from tutor.lesson.update_reasons import Reason

_LONG = {
    "mean": "Add {of} and divide by how many there are. Every sample is scaled with this one "
    "number, those for validation and test too.",
    "sd": "How far {of} typically are from their mean: square each difference, take the mean of "
    "the squares, then the square root. Every sample is divided by this one number.",
    "min": "The smallest of {of}. After scaling it is 0.",
    "max": "The largest of {of}. After scaling it is 1.",
}
_SHORT = {
    "mean": "The mean of {of}.",
    "sd": "The standard deviation of {of}.",
    "min": "The smallest of {of}.",
    "max": "The largest of {of}.",
}
_SCALED = {
    "standardize": "Subtract the mean, then divide by the standard deviation. Over the training "
    "samples each input then has mean 0 and standard deviation 1, so none counts more because of "
    "its unit.",
    "min_max": "Subtract the smallest value, then divide by the distance from the smallest to the "
    "largest. Over the training samples each input then goes from 0 to 1, so none counts more "
    "because of its unit.",
}
_ALL_SCALED = {
    "standardize": "Subtract the mean of each input and divide by its standard deviation, so that "
    "no input counts more because of its unit.",
    "min_max": "Move and stretch each input so that its training samples go from 0 to 1; then no "
    "input counts more because of its unit.",
}
_ONLY = " The network sees only the scaled value."
_SCALED_SHORT = {
    "standardize": "How many standard deviations {who} is above or below its mean.",
    "min_max": "How far {who} is from the smallest value to the largest, as a share.",
}


def _plan(t: Trace) -> ScalePlan:
    found = t.program.plan.scale
    assert found is not None
    return found


def _values(t: Trace, whose: str) -> str:
    """Which numbers a statistic is of."""
    plan = _plan(t)
    return f"the values of {whose} in all {plan.samples:,} training samples"


def statistic(t: Trace, q: Quantity) -> Reason:
    """Of the training samples, for one input."""
    of = _values(t, input_name(t.network, q.i))
    return Reason(_LONG[q.kind].format(of=of), _SHORT[q.kind].format(of=of))


def all_statistics(t: Trace, stage: Stage) -> Reason:
    """The same for every input."""
    of = _values(t, "each input")
    return Reason(_LONG[stage.kind].format(of=of), _SHORT[stage.kind].format(of=of))


def scaled(t: Trace, q: Quantity) -> Reason:
    """What becomes of one input."""
    plan = _plan(t)
    who = input_name(t.network, q.i)
    return Reason(_SCALED[plan.name] + _ONLY, _SCALED_SHORT[plan.name].format(who=who))


def all_scaled(t: Trace, _: Stage) -> Reason:
    """What becomes of all inputs."""
    return Reason(_ALL_SCALED[_plan(t).name])
