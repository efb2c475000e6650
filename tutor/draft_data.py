"""What a draft says: plain data as a scenario file would give it, and the problems beside their fields.

    data(draft)            -> dict          unreadable texts stay texts, so that every check still finds them
    typing(draft)          -> {field: message}   what cannot be read, in the words of the one who typed it

`tutor.draft_fields` finds the field that a path of the data came from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tutor import limits, yaml_scalar
from tutor.draft_grid import TOO_MANY, Cells, Grid
from tutor.draft_kept import kept
from tutor.draft_model import DROPPABLE, Draft, LayerDraft
from tutor.errors import NumberError
from tutor.number import read
from tutor.problem import ScenarioError, quotable

EMPTY = "is empty; give a number, such as 0.5"
TEXTS = {"title": "the title", "course": "the course", "about": "the text", "learn": "the list", "origin": "the address"}
WHOLE = 1e15
"""Below this a number without decimals is given as a whole one."""
_TRAINABLE = re.compile(r"(weights|biases): (true|false)")


def data(draft: Draft) -> dict[str, Any]:
    """The lesson as plain data: dict, tuple, str, int, float, bool."""
    rest = _kept(draft)
    network = {**rest.get("network", {}), "inputs": _whole(draft["inputs"]), "layers": tuple(map(_layer, draft.layers))}
    return {
        "format": 1,
        **_texts(draft),
        **{key: value for key, value in rest.items() if key not in {"network", "training", "notation"}},
        "network": {**network, "loss": {"name": _clean(draft["loss"]), "reduction": _clean(draft["reduction"])}},
        "data": {"inputs": _numbers(draft.x.cells), "targets": _numbers(draft.y.cells)},
        "training": {
            **rest.get("training", {}), "optimizer": _clean(draft["optimizer"]), "learning_rate": _number(draft["learning_rate"]),
            "batch": _whole(draft["batch"]),
        },
        "notation": {**rest.get("notation", {}), "preset": _clean(draft["notation"])},
        "display": {"decimals": _whole(draft["decimals"])},
    }  # fmt: skip


def _texts(draft: Draft) -> dict[str, Any]:
    """Title and texts; those left empty are left out. Browsers send line ends as two characters."""
    found: dict[str, Any] = {"title": _clean(draft["title"])}
    found |= {key: text for key in ("course", "about", "origin") if (text := _clean(draft[key]))}
    learn = tuple(line.strip() for line in _clean(draft["learn"]).split("\n") if line.strip())
    return {**found, "learn": learn} if learn else found


def _joined(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _clean(text: str) -> str:
    """A text without what no file may hold: `typing` has said so, the other checks go on."""
    return yaml_scalar.FOREIGN.sub("", _joined(text))


def _layer(layer: LayerDraft) -> dict[str, Any]:
    found: dict[str, Any] = {"units": _whole(layer["units"]), "activation": _clean(layer["activation"])}
    found |= {key: _number(layer[key]) for key in ("slope", "alpha") if layer[key].strip()}
    if layer.given:
        found["weights"] = _numbers(layer.weights.cells)
    else:
        found["init"] = {"scheme": layer["fill"], "scale": _number(layer["scale"]), "seed": _whole(layer["seed"])}
    biases = _numbers(layer.bias.cells)
    found["biases"] = (biases[0] if len(biases) == 1 else sum(biases, ())) if layer.has_biases else "none"
    trainable = {key: word == "true" for key, word in _TRAINABLE.findall(layer["trainable"])}
    return {**found, "trainable": trainable} if trainable else found


def _numbers(cells: Cells) -> tuple[tuple[float | str, ...], ...]:
    return tuple(tuple(map(_number, row)) for row in cells)


def _number(text: str) -> float | int | str:
    """A number as a file would have it, so that messages say 7 and not 7.0; a text that is none stays one."""
    try:
        value = read(text)
    except NumberError:
        return _clean(text)
    return int(value) if value.is_integer() and abs(value) < WHOLE else value


def _whole(text: str) -> int | str:
    shown = _clean(text)
    return int(shown) if re.fullmatch(r"-?[0-9]{1,12}", shown, re.ASCII) else shown


def rest(draft: Draft) -> dict[str, Any]:
    """What the lesson has beside the fields. Raises ScenarioError where that text cannot be read."""
    if not draft["rest"].strip() or "rest" in draft.drop:
        return {}
    return kept(draft["rest"])


def _kept(draft: Draft) -> dict[str, Any]:
    """The rest without what is to be dropped and without what has a field; nothing where it cannot be read."""
    try:
        found = rest(draft)
    except ScenarioError:
        return {}
    known = {"format", "title", "course", "about", "learn", "origin", "data", "display"}
    return {key: value for key, value in found.items() if key not in known and not (key in DROPPABLE and key in draft.drop)}


# ---- what cannot be read ----


def typing(draft: Draft) -> dict[str, str]:
    """Every field whose text cannot be read, with what would be right."""
    found = dict(_unreadable(draft))
    for name, what in TEXTS.items():
        if match := yaml_scalar.FOREIGN.search(_joined(draft[name])):
            found[name] = f"{what} has the character U+{ord(match[0]):04X}, which cannot be seen and does not belong in a text"
    for name in draft.repeated:
        found[name] = "came more than once; the first one counts, so look at it and send the form again"
    try:
        rest(draft)
    except ScenarioError as error:
        found["rest"] = f"what came with the lesson cannot be read ({error.problems[0].message}); drop it, or start again from the lesson"
    return found


def _unreadable(draft: Draft) -> Iterator[tuple[str, str]]:
    yield from _wholes({"inputs": draft["inputs"]}, 1, limits.UNITS)
    yield from _wholes({"decimals": draft["decimals"]}, 0, limits.DECIMALS)
    yield from _fields({"learning_rate": draft["learning_rate"]})
    for n, layer in enumerate(draft.layers, 1):
        yield from _wholes({f"units[{n}]": layer["units"]}, 1, limits.UNITS)
        yield from _fields({f"{key}[{n}]": layer[key] for key in ("slope", "alpha") if layer[key].strip()})
        if layer.given:
            yield from _grid(f"w[{n}]", layer.weights, "[{r},{c}]")
        else:
            yield from _fields({f"scale[{n}]": layer["scale"]})
            yield from _wholes({f"seed[{n}]": layer["seed"]}, 0, 2**32 - 1)
        if layer.has_biases:
            yield from _grid(f"b[{n}]", layer.bias, "[{c}]")
    if draft.rows is not None:
        whole = Grid(tuple((*x, *y) for x, y in zip(draft.x.cells, draft.y.cells, strict=True)), draft.rows)
        yield from _grid("rows", whole, "")
        return
    if draft.samples.strip():
        yield from _wholes({"samples": draft.samples}, 1, limits.SAMPLES)
    for kind, grid in (("x", draft.x), ("y", draft.y)):
        yield from _grid(kind, Grid(grid.cells), place_in_samples(draft))


def place_in_samples(draft: Draft) -> str:
    """How the place of a number among the samples is written: `@s` only where there are several."""
    return "[{c}]@{r}" if max(draft.x.rows, draft.y.rows) > 1 else "[{c}]"


def _wholes(texts: dict[str, str], least: int, most: int) -> Iterator[tuple[str, str]]:
    for name, text in texts.items():
        value = _whole(text)
        if isinstance(value, str) or not least <= value <= most:
            yield name, f"expected a whole number from {least:,} to {most:,}, got {_found(text)}"


def _fields(texts: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in texts.items():
        if message := _message(text):
            yield name, message


def _message(text: str) -> str:
    if not text.strip():
        return EMPTY
    try:
        read(text)
    except NumberError as error:
        return quotable(str(error), 200)
    return ""


def _grid(name: str, grid: Grid, place: str) -> Iterator[tuple[str, str]]:
    if grid.text is not None:
        yield from [(name, TOO_MANY)] if grid.overlong else _lines(name, grid.cells)
        return
    for r, row in enumerate(grid.cells, 1):
        yield from _fields({name + place.format(r=r, c=c): text for c, text in enumerate(row, 1)})


def _lines(name: str, cells: Cells) -> Iterator[tuple[str, str]]:
    """The first number of a long table that cannot be read: one field, one message."""
    for r, row in enumerate(cells, 1):
        for c, text in enumerate(row, 1):
            if message := _message(text):
                yield name, f"row {r}, number {c}: {message}"
                return


def _found(text: str) -> str:
    return f"“{quotable(text.strip())}”" if text.strip() else "nothing"
