"""The health of the gradient of a formula in words: what is wrong, the number that shows it, what
would help.

heading(finding)          `Dead ReLU`
sentence(trace, finding)  one or two sentences
SCALE                     the limits, for who asks how it was decided
HEALTHY                   what is said where nothing is wrong
"""

from __future__ import annotations

from collections.abc import Callable

from tutor import number
from tutor.engine.graph import GraphNode, quantity
from tutor.engine.graph_health import CORNER, STEEP, STEEPEST, ZEROED, NodeFinding
from tutor.engine.graph_trace import GraphTrace
from tutor.engine.health import DEAD, FADES, GROWS, SATURATED, SATURATES, VANISHED
from tutor.engine.operations import Elementwise
from tutor.lesson.titles import capital

SCALE = (
    f"A sigmoid, tanh or softplus is called saturated where its slope is below {SATURATED:.0%} of "
    "the largest that it has; a ReLU dead where its input is at most 0. A product vanishes where "
    f"the factor that its input is multiplied by is below {VANISHED:g} in size and the input gets "
    f"nothing larger on another way. A local derivative above {STEEPEST:g} is called steep. The "
    "derivative with respect to a value is called vanishing below "
    f"{VANISHED:g}, and exploding above {STEEPEST:g}."
)
HEALTHY = (
    "Nothing stands out: no node is saturated, off or at a corner, and no derivative with respect "
    "to a value is very small or very large."
)


def heading(finding: NodeFinding) -> str:
    """What it is called."""
    return _SAID[finding.what][0].format(operation=_called(finding.node))


def sentence(trace: GraphTrace, finding: NodeFinding) -> str:
    """What is wrong, with the number that shows it, and what would help."""
    return _SAID[finding.what][1](trace, finding)


def _called(node: GraphNode) -> str:
    return "" if node.given else node.operation.title


def _amount(value: float) -> str:
    return number.shown(float(f"{value:.3g}"), 6 if abs(value) < number.LARGE else 3)


def _saturated(trace: GraphTrace, finding: NodeFinding) -> str:
    operation = finding.node.operation
    assert isinstance(operation, Elementwise)
    assert operation.rule is not None
    most = number.shown(operation.rule.bound or 0.0, 4)
    size = finding.node.size
    some = f"{finding.entries:,} of {size:,} entries of " if finding.node.shape else ""
    verb = "are" if finding.node.shape else "is"
    return (
        f"{some}{_with_input(trace, finding)} {verb} so far out on the flat part of the "
        f"{operation.title} that the local derivative is {_at_most(finding)}"
        f"{_amount(abs(finding.number))}, where {most} is the most there is. An input nearer to 0, "
        "by smaller weights or scaled values, would help."
    )


def _at_most(finding: NodeFinding) -> str:
    return "at most " if finding.node.shape else ""


def _with_input(trace: GraphTrace, finding: NodeFinding) -> str:
    """`n3, whose input n2 is 9`."""
    node, below = finding.node, finding.below
    if node.shape or below.shape:
        return node.name
    return f"{node.name}, whose input {below.name} is {_amount(trace.value(quantity(below.kind)))},"


def _dead(trace: GraphTrace, finding: NodeFinding) -> str:
    node, below = finding.node, finding.below
    inputs = (
        f"every entry of its input {below.name} is at most 0"
        if node.shape
        else f"its input {below.name} is {_amount(trace.value(quantity(below.kind)))}"
    )
    return (
        f"{node.name} is off, because {inputs}: the local derivative is 0, and nothing comes back "
        "through it. Other values, such as a larger bias, or a leaky ReLU would help."
    )


def _corner(trace: GraphTrace, finding: NodeFinding) -> str:
    node = finding.node
    return (
        f"{node.name} is exactly at a corner: {trace.corner(node)}. To the left and to the right "
        f"the slope differs, and the local derivative {_amount(finding.number)} is a choice. "
        "Values a little to one side leave none."
    )


def _zeroed(trace: GraphTrace, finding: NodeFinding) -> str:
    node, below = finding.node, finding.below
    other = next((kind for kind in node.inputs if kind != below.kind), below.kind)
    partner = trace.graph.nodes[other]
    has = (
        f"no entry above {VANISHED:g} in size"
        if partner.shape
        else "the value " + _amount(finding.number)
    )
    return (
        f"In the product {node.name} the factor {partner.name} has {has}, so almost nothing comes "
        f"back to {below.name}. A larger {partner.name} would help, or a sum in place of the "
        "product."
    )


def _steep(trace: GraphTrace, finding: NodeFinding) -> str:
    node, below = finding.node, finding.below
    operation = node.operation
    calmer = operation.calmer if isinstance(operation, Elementwise) else ""
    return (
        f"The local derivative of {node.name}, {operation.title}, with respect to {below.name} is "
        f"{'up to ' if node.shape else ''}{_amount(finding.number)}: a small change of "
        f"{below.name} throws {node.name} far. {capital(calmer or 'smaller values')} would help."
    )


def _fades(trace: GraphTrace, finding: NodeFinding) -> str:
    return _of_value(trace, finding, f"so {finding.node.name} hardly changes the result", (
        "Fewer factors below 1 on the way back, such as slopes of sigmoids or small weights, or a "
        "sum beside them that passes the derivative on, would help."
    ))  # fmt: skip


def _grows(trace: GraphTrace, finding: NodeFinding) -> str:
    return _of_value(trace, finding, "so one update may throw it far", (
        "Smaller factors on the way back, a smaller learning rate or clipping would help."
    ))  # fmt: skip


def _of_value(trace: GraphTrace, finding: NodeFinding, so: str, helps: str) -> str:
    node = finding.node
    largest = "largest derivative" if node.shape else "derivative"
    return f"The {largest} with respect to {node.name} is {_amount(finding.number)}, {so}. {helps}"


_SAID: dict[str, tuple[str, Callable[[GraphTrace, NodeFinding], str]]] = {
    SATURATES: ("Saturated {operation}", _saturated),
    DEAD: ("Dead {operation}", _dead),
    CORNER: ("At a corner", _corner),
    ZEROED: ("Vanishing product", _zeroed),
    STEEP: ("Steep {operation}", _steep),
    FADES: ("Vanishing gradient", _fades),
    GROWS: ("Exploding gradient", _grows),
}
"""What each is called, and what is said of it."""
