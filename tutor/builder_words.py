"""What the fields of the form are called, in labels, for screen readers and in lists of problems."""

from __future__ import annotations

import re
from typing import Final

from tutor.problem import quotable

PLAIN: Final = {
    "title": "Title", "course": "Course", "about": "What it is about", "learn": "What one learns", "inputs": "Inputs",
    "layers": "Layers", "samples": "Samples", "rows": "Samples", "loss": "Loss", "reduction": "Over the samples",
    "learning_rate": "Learning rate", "optimizer": "Optimizer", "batch": "Batch", "notation": "Notation",
    "decimals": "Decimals", "rest": "What came with the lesson", "origin": "Where it comes from", "": "The lesson",
}  # fmt: skip
PARTS: Final = {
    "units": "units", "activation": "activation", "slope": "slope below 0", "alpha": "alpha", "biases": "biases", "fill": "weights",
    "scale": "scale", "seed": "seed", "w": "weights", "b": "biases", "paste": "pasted numbers", "trainable": "what learns",
}  # fmt: skip
_PART = re.compile(r"([a-z]+)\[([0-9]+)\]")
_WEIGHT = re.compile(r"w\[([0-9]+)\]\[([0-9]+),([0-9]+)\]")
_BIAS = re.compile(r"b\[([0-9]+)\]\[([0-9]+)\]")
_SAMPLE = re.compile(r"([xy])\[([0-9]+)\](?:@([0-9]+))?")


def pasted_weights(*, biases: bool) -> str:
    """What may be pasted as the weights of a layer."""
    return "one row per unit, as copied from a spreadsheet" + ("; the bias may stand in a last column" if biases else "")


def label(name: str) -> str:
    """What a field is called where it stands alone: `Layer 2: weight of unit 1 from unit 3`."""
    if match := _WEIGHT.fullmatch(name) or _BIAS.fullmatch(name):
        return f"Layer {match[1]}: {cell(name)}"
    if _SAMPLE.fullmatch(name):
        return cell(name).capitalize()
    if match := _PART.fullmatch(name):
        return f"Layer {match[2]}: {PARTS.get(match[1], match[1])}"
    if name == "paste[data]":
        return "Samples: pasted numbers"
    return PLAIN.get(name) or f"The field “{quotable(name)}”"


def cell(name: str) -> str:
    """What one number of a table is called within its table."""
    if match := _WEIGHT.fullmatch(name):
        return f"weight of unit {match[2]} from {'input' if match[1] == '1' else 'unit'} {match[3]}"
    if match := _BIAS.fullmatch(name):
        return f"bias of unit {match[2]}"
    match = _SAMPLE.fullmatch(name)
    if match is None:
        return name
    what = f"{'input' if match[1] == 'x' else 'target'} {match[2]}"
    return f"{what} of sample {match[3]}" if match[3] else what
