"""Quantities: the names of the numbers in a lesson, such as `z[2][1]` or `dL/dw[3][1,2]@4`.

The same names stand in addresses, JSON, error messages, tests and scenario files. Layers, units,
inputs and samples count from 1; 0 in a field means that the quantity has no such index. `@s` names
a sample and is left out where there is one sample only, or where the quantity belongs to the whole
batch. Layer 0 has a name in `dL/da[0][i]` alone, the derivative by an input.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from tutor import suggestion
from tutor.engine.kinds import AFTER, KINDS, Kind, kind_of, node_name
from tutor.errors import QuantityError

MOST_NAMES = 16384
"""So many names are kept."""
K = -1
"""Stands for an index that runs: in the elided middle of a sum, over all terms that are left out.
"""

_INDEX = r"[1-9][0-9]{0,6}"
_NAME = re.compile(
    rf"(?P<kind>{'|'.join(sorted(map(re.escape, KINDS), key=len, reverse=True))})"
    rf"(?P<brackets>(?:\[0\](?=\[))?(?:\[{_INDEX}(?:,{_INDEX})?\])*)(?:@(?P<sample>{_INDEX}))?",
    re.ASCII,
)


class Quantity(NamedTuple):
    """One number of a lesson. `str(quantity)` is its contract name and `parse` reads it back.

    A tuple, because a step looks up hundreds of them: comparing and hashing a tuple takes a fifth
    of the time.
    """

    kind: str
    layer: int = 0
    i: int = 0
    j: int = 0
    sample: int = 0

    def __str__(self) -> str:
        return _name(*self)

    @property
    def of(self) -> Kind:
        """What is to be known of its kind."""
        return kind_of(self.kind)

    @property
    def given(self) -> bool:
        """Whether the lesson starts from this number."""
        return kind_of(self.kind).given

    @property
    def after(self) -> Quantity:
        """The same quantity in the verification pass: `w` becomes `w+`, `x` stays as it is."""
        return Quantity(AFTER[self.kind], *self[1:]) if self.kind in AFTER else self


@lru_cache(MOST_NAMES)
def _name(kind: str, layer: int, i: int, j: int, sample: int) -> str:
    """The contract name; a step writes the same ones in formula, diagram and tables."""
    found = kind_of(kind)
    place = f"[{layer}]" if found.layered or (found.by_layer and layer) else ""
    indices = f"[{i},{j}]" if j else f"[{i}]" if i else ""
    stem = kind if kind in KINDS else node_name(kind)
    return f"{stem}{place}{indices}{f'@{sample}' if sample else ''}"


def parse(name: str) -> Quantity:
    """Read a contract name. Raises QuantityError where the text is none."""
    match = _NAME.fullmatch(name)
    if match is None or (match["brackets"].startswith("[0]") and match["kind"] not in BY_INPUT):
        raise QuantityError(f"{name[:60]!r} is not the name of a quantity; {_meant(name)}")
    kind = KINDS[match["kind"]]
    groups = [
        [int(n) for n in group.split(",")] for group in match["brackets"][1:-1].split("][") if group
    ]
    sample = int(match["sample"] or 0)
    layered = kind.layered or (kind.by_layer and bool(groups))
    fits = len(groups) == layered + (kind.indices > 0) and (not layered or len(groups[0]) == 1)
    indices = groups[-1] if fits and kind.indices else []
    wanted = {kind.indices, 2} if kind.name in JACOBIAN else {kind.indices}
    if not fits or len(indices) not in wanted or (sample and not kind.names_samples):
        raise QuantityError(
            f"{name[:60]!r} has the wrong indices; a {kind.name} is written {example(kind.name)}"
        )
    i, j = [*indices, 0, 0][:2]
    return Quantity(kind.name, groups[0][0] if layered else 0, i, j, sample)


JACOBIAN = frozenset(kind.name for kind in KINDS.values() if kind.role == "slope")
"""Kinds that have two indices behind a softmax."""

BY_INPUT = frozenset(kind.name for kind in KINDS.values() if kind.by == "a")
"""Kinds that layer 0, the inputs, has as well."""


def _meant(name: str) -> str:
    """The name that is probably meant, else what names look like."""
    stem, bracket, rest = name.partition("[")
    close = suggestion.meant(stem, KINDS)
    near = f"{close}{bracket}{rest}"
    return (
        f"did you mean {near}?"
        if close and _NAME.fullmatch(near)
        else "names look like z[1][2], w[2][1,3] or loss"
    )


def example(kind: str) -> str:
    """A name of this kind, as an example in a message."""
    found = KINDS[kind]
    indices = found.indices
    return str(
        Quantity(kind, 2 if found.layered else 0, 1 if indices else 0, 3 if indices == 2 else 0)
    )
