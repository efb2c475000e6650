"""What a step of a computation graph says: its title, why it does what it does, its words."""

from __future__ import annotations

from tutor.engine.graph import GraphNode, Use
from tutor.engine.graph_trace import GraphTrace
from tutor.engine.kinds import BACKWARD, FORWARD
from tutor.engine.order import OVERFLOW, EarlyEnd
from tutor.engine.quantity import Quantity
from tutor.engine.tree import ZERO
from tutor.lesson.explain import PHASE_TITLES, TERMS, Explanation
from tutor.lesson.titles import capital, enumerated
from tutor.number import counted

GRAPH = (
    "computation graph",
    "a formula taken apart into nodes; each node does one operation on the nodes before it",
)
CHAIN_RULE = (
    "chain rule",
    "multiply the derivatives along a way through the graph, and add over all ways",
)
DERIVATIVE = TERMS["dL/da"]
LOCAL_DERIVATIVE = (
    "local derivative",
    (
        "what one node alone makes of a small change of one of its inputs, all others held fixed; "
        "it is written with ∂, while d counts all ways through the graph"
    ),
)
PASSES = {
    FORWARD: "Each node computes its value from the nodes before it, until the result is there.",
    BACKWARD: "From the result back to the values: each derivative is what came back, times the "
    "local derivative, added up over all uses.",
}
GIVEN = "The formula starts from this value: it is given, not computed."
MOST_NAMED = 4


def title(trace: GraphTrace, q: Quantity) -> str:
    """`Product: n1`, `Given value: w0`, `Derivative with respect to w0`."""
    if q.of.by:
        return f"Derivative with respect to {below(q)}"
    node = trace.graph.nodes[q.kind]
    if node.given:
        return f"Given value: {q}"
    what = capital(node.operation.title)
    return f"Result {q}: {node.operation.title}" if node is trace.graph.result else f"{what}: {q}"


def below(q: Quantity) -> Quantity:
    """What a derivative is with respect to."""
    return Quantity(q.of.by, 0, q.i, q.j)


def explain(trace: GraphTrace, q: Quantity) -> Explanation:
    """The words for one number."""
    return (_backward if q.of.by else _forward)(trace, q)


def _forward(trace: GraphTrace, q: Quantity) -> Explanation:
    node = trace.graph.nodes[q.kind]
    first = node is trace.graph.inner[0] and q == next(node.entries())
    why = f"{node.name} {node.operation.about.removeprefix('It ')}"
    return Explanation(title(trace, q), why, GRAPH if first else None)


def _backward(trace: GraphTrace, q: Quantity) -> Explanation:
    graph = trace.graph
    node, result = graph.nodes[q.of.by], graph.result
    if node is result:
        why = f"Backward starts at the result: the derivative of {result.name} with respect to "
        return Explanation(title(trace, q), f"{why}itself is 1.", DERIVATIVE)
    uses = graph.parts(node)
    if graph.derivative_entry(node, tuple(index for index in (q.i, q.j) if index)) == ZERO:
        why = f"Nothing of {below(q)} reaches {result.name}, so the derivative is 0."
        return Explanation(title(trace, q), why, None, " ".join(_backs(uses)))
    term = None
    if node is graph.backward[1] and q == next(node.entries(q.kind)):
        term = LOCAL_DERIVATIVE
    elif len(uses) > 1 and node is next(n for n in graph.backward if len(graph.parts(n)) > 1):
        term = CHAIN_RULE
    if len(uses) > 1:
        why = (
            f"{node.name} is used {counted(len(uses), 'time')}, by {_users(uses)}. A change in it "
            f"reaches {result.name} along each of these ways, so what comes back is added."
        )
        return Explanation(title(trace, q), why, term, " ".join(_backs(uses)))
    user = uses[0].by
    came = f"The derivative comes back through {user.name}, times the local derivative."
    if q == next(node.entries(q.kind)) and _first_of_its_kind(trace, node, user):
        first, end, rest = user.operation.back.partition(". ")
        return Explanation(title(trace, q), f"{came} {first}{end.rstrip()}", term, rest)
    return Explanation(title(trace, q), came, term, user.operation.back)


def _users(uses: tuple[Use, ...]) -> str:
    names = list(dict.fromkeys(use.by.name for use in reversed(uses)))
    more = len(names) - MOST_NAMED
    return enumerated([*names[:MOST_NAMED], *([f"{more} more"] if more > 0 else [])])


def _backs(uses: tuple[Use, ...]) -> list[str]:
    """What the operations that use a node do to a derivative, each once."""
    found = (use.by.operation for use in uses)
    return list(dict.fromkeys(operation.back for operation in found))


def _first_of_its_kind(trace: GraphTrace, node: GraphNode, user: GraphNode) -> bool:
    """Whether the walk comes back through an operation of this kind for the first time."""
    graph = trace.graph
    for other in graph.backward:
        if other is node:
            return True
        uses = graph.parts(other)
        if any(use.by.operation is user.operation for use in uses):
            return False
    return True


def explain_pass(phase: str) -> Explanation:
    """The words for the whole way forward or backward."""
    return Explanation(PHASE_TITLES[phase], PASSES[phase])


def explain_stop(trace: GraphTrace, stop: EarlyEnd) -> str:
    """Why the walk ends at a node."""
    q, found = stop.quantity, trace.trouble(stop.quantity)
    if trace.exact is not None and not trace.exact.stop:
        why = f": {found[1]}" if found else ", which has no result"
        return (
            f"The walk ends on paper at {q}, from numbers that are rounded to "
            f"{counted(trace.paper, 'decimal')}{why}. With more decimals it goes on."
        )
    if found:
        node, text = found
        where = f"at {q}" if node.kind == q.kind else f"at {q}, coming back through {node.name}"
        return f"The walk ends {where}: {text}. Other values would help."
    if stop.why == OVERFLOW:
        return (
            f"The walk ends here: {q} is larger than a 64-bit number can hold, about 1.8 × 10 to "
            "the power of 308. Smaller values would help."
        )
    return (
        f"The walk ends here: {q} is not a number. In its formula infinity meets infinity or 0, "
        "and such a result is undefined. Smaller values would help."
    )
