"""Quantities: the names of the numbers in a lesson, such as `z[2][1]` or `dL/dw[3][1,2]@4`.

The same names stand in addresses, JSON, error messages, tests and scenario files. Layers, units, inputs and
samples count from 1; 0 in a field means that the quantity has no such index. `@s` names a sample and is left out
where there is one sample only, or where the quantity belongs to the whole batch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from tutor import suggestion
from tutor.errors import QuantityError

SHAPES: dict[str, tuple[bool, int, bool]] = {
    # kind: (has a layer, number of indices, may name a sample)
    "x": (False, 1, True),
    "y": (False, 1, True),
    "w": (True, 2, False),
    "b": (True, 1, False),
    "z": (True, 1, True),
    "a": (True, 1, True),
    "loss": (False, 0, True),
    "da/dz": (True, 1, True),  # two indices behind a softmax
    "dL/da": (True, 1, True),
    "dL/dz": (True, 1, True),
    "dL/dw": (True, 2, True),
    "dL/db": (True, 1, True),
    "w+": (True, 2, False),
    "b+": (True, 1, False),
    "z+": (True, 1, True),
    "a+": (True, 1, True),
    "loss+": (False, 0, True),
    # Ours, beside the contract.
    "eta": (False, 0, False),
    "loss-loss+": (False, 0, False),
    "(loss-loss+)/loss": (False, 0, False),
}

GIVEN = frozenset({"x", "y", "w", "b", "eta"})
"""Kinds that a lesson starts from; everything else is computed."""

_INDEX = r"[1-9][0-9]{0,6}"
_NAME = re.compile(
    rf"(?P<kind>{'|'.join(sorted(map(re.escape, SHAPES), key=len, reverse=True))})"
    rf"(?P<brackets>(?:\[{_INDEX}(?:,{_INDEX})?\])*)(?:@(?P<sample>{_INDEX}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number of a lesson. `str(quantity)` is its contract name and `parse` reads it back."""

    kind: str
    layer: int = 0
    i: int = 0
    j: int = 0
    sample: int = 0

    def __str__(self) -> str:
        layer = f"[{self.layer}]" if self.layer else ""
        indices = f"[{self.i},{self.j}]" if self.j else f"[{self.i}]" if self.i else ""
        return f"{self.kind}{layer}{indices}{f'@{self.sample}' if self.sample else ''}"

    @property
    def given(self) -> bool:
        """Whether the lesson starts from this number."""
        return self.kind in GIVEN

    @property
    def after(self) -> Quantity:
        """The same quantity in the verification pass: `w` becomes `w+`, `x` stays as it is."""
        return replace(self, kind=self.kind + "+") if self.kind in {"w", "b", "z", "a", "loss"} else self


def parse(name: str) -> Quantity:
    """Read a contract name. Raises QuantityError where the text is none."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise QuantityError(f"{name[:60]!r} is not the name of a quantity; {_meant(name)}")
    kind = match["kind"]
    groups = [[int(n) for n in group.split(",")] for group in match["brackets"][1:-1].split("][") if group]
    sample = int(match["sample"] or 0)
    has_layer, count, may_name_sample = SHAPES[kind]
    fits = len(groups) == has_layer + (count > 0) and (not has_layer or len(groups[0]) == 1)
    indices = groups[-1] if fits and count else []
    wanted = {count, 2} if kind == "da/dz" else {count}
    if not fits or len(indices) not in wanted or (sample and not may_name_sample):
        raise QuantityError(f"{name[:60]!r} has the wrong indices; a {kind} is written {example(kind)}")
    i, j = [*indices, 0, 0][:2]
    return Quantity(kind, groups[0][0] if has_layer else 0, i, j, sample)


def _meant(name: str) -> str:
    """The name that is probably meant, else what names look like."""
    stem, bracket, rest = name.partition("[")
    close = suggestion.meant(stem, SHAPES)
    near = f"{close}{bracket}{rest}"
    return f"did you mean {near}?" if close and _NAME.fullmatch(near) else "names look like z[1][2], w[2][1,3] or loss"


def example(kind: str) -> str:
    """A name of this kind, as an example in a message."""
    has_layer, count, _ = SHAPES[kind]
    return str(Quantity(kind, 2 if has_layer else 0, 1 if count else 0, 3 if count == 2 else 0))
