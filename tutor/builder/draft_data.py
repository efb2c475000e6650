"""What a draft says: plain data as a file would give it, and the problems beside their fields.

    data(draft)                      unreadable texts stay texts: every check still finds them
    typing(draft)                    {field: message} of what cannot be read as it was typed
    field_of(draft, path)            the field that a path of the data came from, TOP for none
    said_at(draft, path, message)    the message in the words of the form
    kept_text(data), kept(text)      what has no field, as a text that the form carries, and back

Each value stands at the path that its field has in FIELDS.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NoReturn

from tutor import limits
from tutor.builder.draft import DROPPABLE, Draft, LayerDraft
from tutor.builder.fields import (
    BATCHES,
    EMPTY,
    FIELDS,
    MINI_BATCH,
    PARTS,
    PLAIN,
    TOP,
    field_at,
    no_number,
    number,
    unreadable,
    whole,
)
from tutor.builder.grid import TOO_MANY, Cells, Grid
from tutor.engine.optimizers import CLIPS
from tutor.scenario import strict_yaml
from tutor.scenario.knobs import CHOICES, KNOBS, NONE
from tutor.scenario.problem import Path, ScenarioError, quotable

WHERE: Final = "kept"
OPEN: Final = ("network", "data", "training", "notation")
"""Parts of a lesson that have keys with a field and others without."""
_FIRST = {field.path[0] for field in FIELDS.values() if field.path and not field.of_layer}
_OWNED: Final = {"format"} | _FIRST - {*OPEN}


def data(draft: Draft) -> dict[str, Any]:
    """The lesson as plain data: dict, tuple, str, int, float, bool."""
    tables = {
        "layers": tuple(map(_layer, draft.layers)),
        "x": _numbers(draft.x.cells), "y": _numbers(draft.y.cells),
        "l2": "" if draft["penalty"].strip() == NONE else FIELDS["l2"].kind.read(draft["l2"]),
        "clip": _clip(draft), "batch_size": _batch(draft),
    }  # fmt: skip
    names = [n for n in dict.fromkeys((*PLAIN, *tables)) if FIELDS[n].made in {None, draft.made}]
    found, others = _nested(names, draft, tables), _kept(draft)
    mappings = {key: value for key, value in found.items() if isinstance(value, dict)}
    return {
        "format": 1,
        **{key: value for key, value in found.items() if key not in mappings},
        **{key: value for key, value in others.items() if key not in OPEN},
        **{key: {**others.get(key, {}), **value} for key, value in mappings.items()},
    }


def _clip(draft: Draft) -> dict[str, Any]:
    """The limit under the key of its kind; nothing where there is no clipping."""
    word = draft["clipping"].strip()
    return {word: number(draft["clip"])} if word in CLIPS else {}


def _batch(draft: Draft) -> int | str:
    """What an iteration takes: a word, or how many samples."""
    word = draft["batch"].strip()
    if word == MINI_BATCH:
        return whole(draft["batch_size"])
    return word if word in BATCHES else ""


def _layer(layer: LayerDraft) -> dict[str, Any]:
    biases = _numbers(layer.bias.cells)
    flat = biases[0] if len(biases) == 1 else sum(biases, ())
    tables = {"w": _numbers(layer.weights.cells), "b": flat if layer.has_biases else "none"}
    names = [name for name in (*PARTS, *tables) if FIELDS[name].made in {None, not layer.given}]
    return _nested(names, layer, tables)


def _nested(
    names: Iterable[str], texts: Draft | LayerDraft, tables: Mapping[str, Any]
) -> dict[str, Any]:
    """The values of these fields, each at its path, in the order of FIELDS."""
    found: dict[str, Any] = {}
    for name in sorted(names, key=list(FIELDS).index):
        field = FIELDS[name]
        value = tables[name] if name in tables else field.kind.read(texts[name])
        if not field.path or (field.optional and value in ("", (), {})):
            continue
        inside = found
        for key in field.path[:-1]:
            inside = inside.setdefault(key, {})
        inside[field.path[-1]] = value
    return found


def _numbers(cells: Cells) -> tuple[tuple[float | str, ...], ...]:
    return tuple(tuple(map(number, row)) for row in cells)


# ---- what has no field ----


def kept_text(data: dict[str, Any]) -> str:
    """The text of some plain data; JSON is YAML."""
    return json.dumps(data, ensure_ascii=False) if data else ""


@lru_cache(64)
def kept(text: str) -> dict[str, Any]:
    """The data of a text, read once for all checks of a form. Raises ScenarioError."""
    found = _own(text)
    if found is None:
        found = strict_yaml.load(text, WHERE).data
    if not isinstance(found, dict) or not all(isinstance(found.get(key, {}), dict) for key in OPEN):
        nothing = strict_yaml.Document(WHERE, "", {})
        raise ScenarioError([nothing.problem((), "expected keys with values")])
    return found


def _own(text: str) -> Any:
    """The data of a text as `kept_text` makes it, faster than YAML; None for any other."""
    if len(text) > limits.FILE_BYTES or not text.startswith("{"):
        return None
    try:
        return _tuples(json.loads(text, object_pairs_hook=_mapping, parse_constant=_refuse))
    except (ValueError, RecursionError):
        return None


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key appears twice")
    return found


def _refuse(word: str) -> NoReturn:
    raise ValueError(word)


def _tuples(value: Any) -> Any:
    """Plain data as the strict reader gives it."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def rest(draft: Draft) -> dict[str, Any]:
    """What the lesson has beside the fields. Raises ScenarioError where it cannot be read."""
    if not draft["rest"].strip() or "rest" in draft.drop:
        return {}
    return kept(draft["rest"])


def _kept(draft: Draft) -> dict[str, Any]:
    """The rest without what is dropped and what has a field; nothing where it cannot be read."""
    try:
        found = rest(draft)
    except ScenarioError:
        return {}
    dropped = draft.drop & {*DROPPABLE}
    return {key: value for key, value in found.items() if key not in _OWNED | dropped}


# ---- what cannot be read ----


def typing(draft: Draft) -> dict[str, str]:
    """Every field whose text cannot be read, with what would be right."""
    found = {name: message for name, message in _unreadable(draft) if message}
    for name in draft.repeated:
        found[name] = (
            "was sent more than once; the first value counts: check it and send the form again"
        )
    try:
        rest(draft)
    except ScenarioError as error:
        found["rest"] = (
            f"what came with the lesson cannot be read ({error.problems[0].message}); "
            "drop it, or start again from the lesson"
        )
    return found


def _unreadable(draft: Draft) -> Iterator[tuple[str, str]]:
    asked = (name for name in PLAIN if FIELDS[name].made in {None, draft.made})
    yield from ((name, unreadable(FIELDS[name], draft[name])) for name in asked)
    yield from _choices(draft)
    for n, layer in enumerate(draft.layers, 1):
        asked = (name for name in PARTS if FIELDS[name].made in {None, not layer.given})
        yield from ((f"{name}[{n}]", unreadable(FIELDS[name], layer[name])) for name in asked)
        if layer.given:
            yield from _grid(f"w[{n}]", layer.weights, "[{r},{c}]")
        if layer.has_biases:
            yield from _grid(f"b[{n}]", layer.bias, "[{c}]")
    if draft.made:
        return
    if draft.rows is not None:
        pairs = zip(draft.x.cells, draft.y.cells, strict=True)
        yield from _grid("rows", Grid(tuple((*x, *y) for x, y in pairs), draft.rows), "")
        return
    yield "samples", unreadable(FIELDS["samples"], draft.samples)
    for kind, grid in (("x", draft.x), ("y", draft.y)):
        yield from _grid(kind, Grid(grid.cells), place_in_samples(draft))


def _choices(draft: Draft) -> Iterator[tuple[str, str]]:
    """A penalty, a clipping or a mini-batch without its number, or a number without them."""
    batch, size = draft["batch"].strip(), draft["batch_size"].strip()
    if batch not in BATCHES:
        yield "batch", f"{quotable(batch)!r} is not known; known here: {', '.join(BATCHES)}"
    elif batch == MINI_BATCH and not size:
        yield "batch_size", "is empty; enter a whole number, such as 10"
    elif batch != MINI_BATCH and size:
        yield "batch_size", f"belongs to a mini-batch, but the batch here is {batch}"
    for name, at in KNOBS.items():
        if at.part not in {"penalty", "clipping"}:
            continue
        word = draft[at.part].strip()
        if word not in CHOICES[at.part]:
            known = ", ".join(CHOICES[at.part])
            yield at.part, f"{quotable(word)!r} is not known; known here: {known}"
        elif word == NONE and draft[name].strip():
            yield name, at.stray(word)
        elif word != NONE and not draft[name].strip():
            yield name, EMPTY


def place_in_samples(draft: Draft) -> str:
    """How the place of a number among the samples is written: `@s` only where there are several."""
    return "[{c}]@{r}" if max(draft.x.rows, draft.y.rows) > 1 else "[{c}]"


def _grid(name: str, grid: Grid, place: str) -> Iterator[tuple[str, str]]:
    if grid.text is not None:
        yield from [(name, TOO_MANY)] if grid.overlong else _lines(name, grid.cells)
        return
    for r, row in enumerate(grid.cells, 1):
        for c, text in enumerate(row, 1):
            yield name + place.format(r=r, c=c), no_number(text)


def _lines(name: str, cells: Cells) -> Iterator[tuple[str, str]]:
    """The first number of a long table that cannot be read: one field, one message."""
    for r, row in enumerate(cells, 1):
        for c, text in enumerate(row, 1):
            if message := no_number(text):
                yield name, f"row {r}, number {c}: {message}"
                return


# ---- where a problem belongs ----


def field_of(draft: Draft, path: Path) -> str:
    """The field of a path, TOP where there is none."""
    match path:
        case ("network", "layers", int(n), *inner):
            return _layer_field(draft, n + 1, tuple(inner))
        case ("data", "inputs" | "targets" as key, *place):
            return _sample_field(draft, "x" if key == "inputs" else "y", place)
    if field := field_at(path):
        return field.name
    known = path[:1] and path[0] in {*DROPPABLE, *OPEN, "lecture"}
    return "rest" if known and draft["rest"].strip() else TOP


def _layer_field(draft: Draft, number: int, inner: Path) -> str:
    if not 1 <= number <= len(draft.layers):
        return TOP
    field = field_at(inner, of_layer=True) if inner else FIELDS["activation"]
    if field is None:
        return TOP
    layer, name = draft.layers[number - 1], f"{field.name}[{number}]"
    match field.name, *inner:
        case ("w", _, int(r), int(c)) if layer.weights.text is None:
            return f"{name}[{r + 1},{c + 1}]"
        case ("b", _, int(c)) if layer.bias.text is None:
            return f"{name}[{c + 1}]"
    return name


def _sample_field(draft: Draft, kind: str, place: list[str | int]) -> str:
    if draft.rows is not None or not place:
        return "rows"
    row, column = place[0], place[1] if len(place) > 1 else 0
    grid = draft.x if kind == "x" else draft.y
    if not (isinstance(row, int) and isinstance(column, int)):
        return "rows"
    if row >= grid.rows or column >= max(1, grid.columns):
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
