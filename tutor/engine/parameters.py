"""The parameters of activation functions: what files, checks, form, schema and addresses know of
them. Without NumPy, which reading a file does not need.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that belongs to an activation function beside z: files and addresses, checks, form
    and schema have its name and what it may be from here.
    """

    name: str
    owner: str
    """The activation function."""
    default: float
    label: str
    """Its name in the form."""
    meaning: str
    positive: bool = False
    """Whether it has to be above 0."""

    def refusal(self, value: float) -> str:
        """Why it cannot be this number, or ""."""
        return f"expected a number above 0, got {value}" if self.positive and value <= 0 else ""


SLOPE = Parameter("slope", "leaky_relu", 0.01, "slope below 0", "the slope below 0")
ALPHA = Parameter("alpha", "elu", 1.0, "alpha", "the value far below 0 is −alpha", positive=True)

PARAMETERS = {parameter.name: parameter for parameter in (SLOPE, ALPHA)}
"""Each belongs to one function."""
