"""The health of the gradient in words: what is wrong, the number that shows it, what would help.

heading(finding)          `Vanishing gradient`
sentence(trace, finding)  one or two sentences
SCALE                     the limits, for who asks how it was decided
HEALTHY                   what is said where nothing is wrong
"""

from __future__ import annotations

from tutor import number
from tutor.engine.activations import Activation
from tutor.engine.health import (
    DEAD,
    DEAD_BATCH,
    EXPLODED,
    FADES,
    GROWS,
    SATURATED,
    SATURATES,
    VANISHED,
    Finding,
)
from tutor.engine.trace import Trace
from tutor.lesson.titles import enumerated, function, place

MOST_NAMED = 5
"""Units that are named; of more there is the count."""
_HEADINGS = {
    SATURATES: "Saturated units",
    DEAD: "Dead units",
    FADES: "Vanishing gradient",
    GROWS: "Exploding gradient",
}
SCALE = (
    f"A unit is called saturated where its slope is below {SATURATED:.0%} of the largest that its "
    "function has, for every sample of the batch; dead where its slope is 0 for every sample and "
    f"there are at least {DEAD_BATCH}, or the whole layer is off. The gradient of a layer is "
    f"called vanishing where its largest error signal is below {VANISHED:.0%} of that of the "
    f"output layer, and exploding above {EXPLODED:g} times it."
)

HEALTHY = (
    "Nothing stands out: no unit is saturated or dead for this batch, and the gradient keeps its "
    "size from layer to layer."
)


def heading(finding: Finding) -> str:
    """What it is called."""
    return _HEADINGS[finding.what]


def sentence(trace: Trace, finding: Finding) -> str:
    """What is wrong, with the number that shows it, and what would help."""
    where = place(trace.network, finding.layer)
    amount = number.shown(float(f"{finding.number:.3g}"), 6)
    rule = trace.network.layer(finding.layer).activation
    samples = "for this sample" if trace.samples == 1 else f"for all {trace.samples:,} samples"
    if finding.what == SATURATES:
        most = number.shown(rule.bound or 0.0, 4)
        return (
            f"{_units(finding, where)} so far out on the flat part of the {function(rule)} that "
            f"the slope is at most {amount} {samples}, where {most} is the most there is. Smaller "
            "weights or scaled inputs bring pre-activations back toward 0."
        )
    if finding.what == DEAD:
        return (
            f"{_units(finding, where)} off {samples}: the slope is 0, so no gradient gets through "
            "and the weights into it do not learn. A smaller learning rate, other first weights "
            "or a leaky ReLU would help."
        )
    if finding.what == FADES:
        if not finding.number:
            return (
                f"No gradient arrives at {where}: every error signal there is 0. Weights of 0 "
                "above it, or dead units, stop it; random first weights would let it through."
            )
        return (
            f"The largest error signal at {where} is {amount} of the output layer’s, so its "
            f"weights hardly learn. Skip connections{_steeper(rule)} or first weights of the right "
            "size for the layer (Xavier, He) would help."
        )
    return (
        f"The largest error signal at {where} is {amount} times the output layer’s, so one update "
        "may throw its weights far. Smaller first weights, clipping or a smaller learning rate "
        "would help."
    )


def _steeper(rule: Activation) -> str:
    """A function with larger slopes, where this one’s are small."""
    return ", a steeper function such as ReLU" if rule.bound and rule.bound < 1 else ""


def _units(finding: Finding, where: str) -> str:
    """`Units 1 and 3 of the hidden layer are`, `All 4 units of hidden layer 2 are`."""
    count = len(finding.units)
    if count == finding.of:
        return f"The only unit of {where} is" if count == 1 else f"All {count} units of {where} are"
    if count > MOST_NAMED:
        return f"{count:,} of {finding.of:,} units of {where} are"
    word, verb = ("Unit", "is") if count == 1 else ("Units", "are")
    return f"{word} {enumerated(map(str, finding.units))} of {where} {verb}"
