"""How large the numbers are that come together in each array, whether or not they cancel there.

    sizes(trace) -> {("z", 1): array like z[1], ("dL/dw", 2): …, ("loss", 0): …}

Another computer, or another library, may round the last digit of a term in another way. Where large terms
nearly cancel, as in a − y of an output that is almost right, that digit is a large part of the result. A
script that checks its numbers allows for it, and only there. The trees of the program say how large they are.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tutor.engine.network import Array
from tutor.engine.program import ETA, Name
from tutor.engine.trace import Trace
from tutor.engine.tree import Node, Numbers, magnitude


def sizes(trace: Trace) -> dict[Name, Array]:
    """The sizes of all arrays of a trace, each of the array's shape; infinite where nothing can be said."""
    made = trace.program.by_name
    found = {name: np.zeros_like(array) for name, array in trace.items() if name not in made}
    for definition in trace.program.definitions:
        found[definition.name] = size(trace, definition.tree, found)
    return found


def size(trace: Trace, tree: Node, found: Mapping[Name, Array]) -> Array:
    """That of one tree, where those of the arrays in it have been found."""
    numbers = Numbers({ETA.quantity: trace.eta}, trace.arrays, trace.scale)
    behind = Numbers({ETA.quantity: 0.0}, found)
    with np.errstate(all="ignore"):
        found_size = np.asarray(magnitude(tree, numbers, behind))
        return np.where(np.isnan(found_size), np.inf, found_size)
