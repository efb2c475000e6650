"""The numbers of a pass that lead to a number: its operands, theirs, and so on.

leading(q, operands, passes) -> frozenset of quantities, from near to far at most MOST
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable

from tutor.engine.quantity import Quantity

MOST = 300
"""How many numbers are gone through at most."""


def leading(
    q: Quantity, operands: Callable[[Quantity], Iterable[Quantity]], passes: Collection[str]
) -> frozenset[Quantity]:
    """What q is computed from. A number of another pass enters there, and is not gone behind."""
    found, waiting = {q}, deque([q])
    while waiting and len(found) < MOST:
        for operand in operands(waiting.popleft()):
            if operand not in found:
                found.add(operand)
                if operand.of.phase in passes:
                    waiting.append(operand)
    return frozenset(found - {q})
