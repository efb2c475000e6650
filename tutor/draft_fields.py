"""Where a problem of the data belongs in the form, and what is said there.

    field_of(draft, path)            the field that a path of the data came from, TOP where there is none
    said_at(draft, path, message)    the message in the words of the form
    in_order(found)                  problems as they follow one another in the form
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tutor.draft_data import place_in_samples
from tutor.draft_model import Draft
from tutor.problem import Path

TOP = ""
"""The field of what belongs to no field: it goes to the top of the form."""
_NAMED: dict[Path, str] = {
    ("network", "inputs"): "inputs", ("network", "loss"): "loss", ("network", "loss", "name"): "loss",
    ("network", "loss", "reduction"): "reduction", ("training", "learning_rate"): "learning_rate",
    ("training", "optimizer"): "optimizer", ("training", "batch"): "batch", ("notation", "preset"): "notation",
    ("display", "decimals"): "decimals", ("network", "layers"): "layers",
}  # fmt: skip


def field_of(draft: Draft, path: Path) -> str:
    """The field of a path, TOP where there is none."""
    if path in _NAMED:
        return _NAMED[path]
    match path:
        case ("title" | "course" | "about" | "learn" | "origin", *_):
            return str(path[0])
        case ("network", "layers", int(n), *inner):
            return _layer_field(draft, n + 1, tuple(inner))
        case ("data", "inputs" | "targets" as key, *place):
            return _sample_field(draft, "x" if key == "inputs" else "y", place)
        case ("printed" | "notes" | "checks" | "lecture" | "training" | "notation" | "network", *_) if draft["rest"].strip():
            return "rest"
    return TOP


def _layer_field(draft: Draft, number: int, inner: Path) -> str:
    if not 1 <= number <= len(draft.layers):
        return TOP
    layer = draft.layers[number - 1]
    match inner:
        case ("weights", int(r), int(c)) if layer.weights.text is None:
            return f"w[{number}][{r + 1},{c + 1}]"
        case ("weights", *_):
            return f"w[{number}]"
        case ("biases", int(c)) if layer.bias.text is None:
            return f"b[{number}][{c + 1}]"
        case ("biases", *_):
            return f"b[{number}]"
        case ("init", "scale" | "seed" as key):
            return f"{key}[{number}]"
        case ("init", *_):
            return f"fill[{number}]"
        case (str(key), *_) if key in {"units", "activation", "slope", "alpha"}:
            return f"{key}[{number}]"
    return f"activation[{number}]" if not inner else TOP


def _sample_field(draft: Draft, kind: str, place: list[str | int]) -> str:
    if draft.rows is not None or not place:
        return "rows"
    row, column = place[0], place[1] if len(place) > 1 else 0
    grid = draft.x if kind == "x" else draft.y
    if not (isinstance(row, int) and isinstance(column, int) and row < grid.rows and column < max(1, grid.columns)):
        return "rows"
    return kind + place_in_samples(draft).format(r=row + 1, c=column + 1)


def said_at(draft: Draft, path: Path, message: str) -> str:
    """A message in the words of the form: for a whole long table it says which row."""
    match path:
        case ("data", "inputs" | "targets" as key, int(row), *_) if draft.rows is not None:
            return f"row {row + 1}, {key}: {message}"
        case ("network", "layers", int(_), "weights", int(row)):
            return f"unit {row + 1}: {message}"
        case ("printed" | "notes" | "checks" as key, int(n), *_):
            return f"{key}, entry {n + 1}: {message}"
        case ("learn", int(n)):
            return f"line {n + 1}: {message}"
    return message


_BEFORE = ("", "title", "course", "about", "learn", "inputs", "layers")
_AFTER = ("samples", "rows", "loss", "reduction", "learning_rate", "optimizer", "batch", "notation", "decimals", "rest")
_OF_LAYER = re.compile(r"[a-z]+\[([0-9]{1,4})\]")


def in_order(found: Mapping[str, str]) -> dict[str, str]:
    """Problems in the order of the form, those of one table as they were found."""

    def place(name: str) -> tuple[int, int]:
        if name in _BEFORE:
            return 0, _BEFORE.index(name)
        if name in _AFTER:
            return 3, _AFTER.index(name)
        of_layer = _OF_LAYER.match(name)
        return (1, int(of_layer[1])) if of_layer and name[0] not in "xy" else (2, 0)

    return {name: found[name] for name in sorted(found, key=place)}
