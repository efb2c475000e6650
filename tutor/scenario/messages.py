"""What is wrong with the shape of a scenario file, in words: what was found, what would be right,
what was meant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tutor import number, suggestion
from tutor.errors import NumberError
from tutor.scenario.graph_file import GraphFile
from tutor.scenario.model import ScenarioFile
from tutor.scenario.problem import MAX_PROBLEMS, Found, Path, described, quotable

OTHER: Final = {"graph": "takes the place of network and data; leave one of them out"}
"""Keys that another kind of lesson has, and what to say of them."""

MISSING: Final = {
    "format": "a scenario starts with format: 1",
    "title": "give the lesson a name",
    "weights": "give one row per unit, or init",
    "biases": "give one number per unit, or the word none",
    "inputs": "",
    "samples": "say how many samples to make",
    "train": "give the share of the samples to learn from, such as 0.6",
    "learning_rate": "give a number above 0",
    "weight": "give a number above 0",
    "value": "give the number as the slide prints it, in quotes",
    "where": "say where the slide prints it",
}


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file: its model, what helps where a key is missing, and what to say of keys that
    only another kind of file has.
    """

    model: type[BaseModel]
    missing: Mapping[str, str]
    other: Mapping[str, str] = field(default_factory=dict)


UNKNOWN: Final = "is not a key of the format"
SCENARIO: Final = Format(ScenarioFile, MISSING, OTHER)
GRAPH: Final = Format(
    GraphFile,
    {
        **MISSING,
        "expression": "give the formula, such as expression: (x + y)*z",
        "values": "give each name in the formula a value, such as {x: 2}",
    },
    dict.fromkeys(("network", "data", "training"), ""),
)


def of(error: ValidationError, kind: Format = SCENARIO) -> Iterator[Found]:
    """The problems of a validation error, each at its path.

    Unknown keys of one mapping come in the order of the text; behind as many as are ever shown,
    none is compared with what is known.
    """
    unknown: Counter[Path] = Counter()
    for detail in error.errors(include_url=False):
        path: Path = detail["loc"]
        stranger = detail["type"] == "extra_forbidden"
        unknown[path[:-1]] += stranger
        message = (
            UNKNOWN
            if stranger and unknown[path[:-1]] > MAX_PROBLEMS
            else _message(detail, path, kind)
        )
        if message:
            yield path, message


def _message(detail: ErrorDetails, path: Path, file: Format) -> str:
    """One problem in words; empty where it only follows from another one."""
    found, limit = detail["input"], detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            advice = file.missing.get(str(path[-1]), "")
            return f"is missing; {advice}" if advice else "is missing"
        case "extra_forbidden":
            return _unknown_key(path, file)
        case "literal_error":
            return _not_one_of(path, found, file)
        case "too_short":
            return "" if found else "is empty; there must be at least one"
        case "too_long":
            return f"expected at most {limit['max_length']:,} entries, got {len(found):,}"
        case "string_too_long":
            return f"expected at most {limit['max_length']:,} characters, got {len(found):,}"
        case "said":
            return str(limit["text"])
        case "greater_than":
            return f"expected a number above {limit['gt']:g}, got {quotable(str(found))}"
        case "greater_than_equal" | "less_than_equal" | "less_than":
            share = "; it is the share that is dropped" if path[-1] == "dropout" else ""
            return f"expected {_range(path, file)}, got {quotable(str(found))}{share}"
        case "unknown_name":
            return _not_known(found, list(limit["known"]))
        case kind:
            return (
                f"expected {_WANTED.get(kind, 'something else')}, "
                f"got {described(found)}{_advice(kind, found, path)}"
            )


_WANTED: Final = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "a text",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "model_type": "a mapping of keys to values",
}


MAPPINGS: Final = {
    ("training", "l2"): "{weight: 0.01}",
    ("training", "clip"): "{norm: 1}",
}
"""What a number alone may be meant for."""


def _advice(kind: str, found: object, path: Path) -> str:
    if kind == "model_type" and path in MAPPINGS:
        return f"; write it like {MAPPINGS[path]}"
    if kind == "string_type" and isinstance(found, int | float):
        return "; put it in quotes"
    if kind != "float_type" or not isinstance(found, str):
        return ""
    try:
        number.fraction(found)
    except NumberError as error:
        return f"; {error}"
    return "; write a decimal point, not a comma" if "," in found else ""


def _range(path: Path, file: Format) -> str:
    """The bounds of a field, `a whole number from 1 to 1,024`."""
    model = _model_at(path[:-1], file.model)
    bounds: dict[str, int] = {}
    field = model.model_fields[str(path[-1])] if model else None
    for part in (*(field.metadata if field else ()), *_constraints(field and field.annotation)):
        bounds |= {name: getattr(part, name) for name in ("ge", "le", "lt") if hasattr(part, name)}
    if "lt" in bounds:
        return f"a number of at least {bounds['ge']:,} and below {bounds['lt']:,}"
    if "le" not in bounds:
        return f"{bounds['ge']:,} or more"
    return f"a whole number from {bounds['ge']:,} to {bounds['le']:,}"


def _constraints(annotation: Any) -> Iterator[Any]:
    """What an annotation demands where it is one of several, such as a number or nothing."""
    for part in get_args(annotation):
        yield from getattr(part, "__metadata__", ())
        for own in getattr(part, "__metadata__", ()):
            yield from getattr(own, "metadata", ())
        yield from _constraints(part)


def _unknown_key(path: Path, file: Format) -> str:
    key = str(path[-1])
    if len(path) == 1 and key in file.other:
        return file.other[key]  # where it is empty, the checks have said it
    model = _model_at(path[:-1], file.model)
    known = list(model.model_fields) if model else []
    return f"{UNKNOWN}; {_meant(key, known)}"


def _not_one_of(path: Path, found: object, file: Format) -> str:
    known = _choices(path, file)
    if isinstance(found, str):
        return _not_known(found, known)
    return f"expected {_or(known)}, got {described(found)}"


def _not_known(found: str, known: list[str]) -> str:
    meant = _meant(found, known)
    also = f" Known here: {', '.join(known)}" if meant.endswith("?") else ""
    return f"{quotable(found)!r} is not known; {meant}{also}"


def _meant(text: str, known: list[str]) -> str:
    close = suggestion.meant(text, known)
    return f"did you mean {close}?" if close else f"known here: {', '.join(known)}"


def _or(known: list[str]) -> str:
    return f"{', '.join(known[:-1])} or {known[-1]}" if len(known) > 1 else known[0]


def _choices(path: Path, file: Format) -> list[str]:
    model = _model_at(path[:-1], file.model)
    annotation = model.model_fields[str(path[-1])].annotation if model else None
    return [choice for choice in _leaves(annotation) if isinstance(choice, str)]


def takes_number(path: Path, root: type[BaseModel]) -> bool:
    """Whether what stands at this path may be a number with decimals."""
    keys = [place for place, part in enumerate(path) if isinstance(part, str)]
    model = _model_at(path[: keys[-1]], root) if keys else None
    field = model.model_fields.get(str(path[keys[-1]])) if model else None
    return field is not None and float in _leaves(field.annotation)


def _model_at(path: Path, root: type[BaseModel]) -> type[BaseModel] | None:
    """The model that describes what stands at this path."""
    model: type[BaseModel] | None = root
    for part in path:
        if isinstance(part, str):
            field = model.model_fields.get(part) if model else None
            leaves = _leaves(field.annotation) if field else ()
            model = next(
                (leaf for leaf in leaves if isinstance(leaf, type) and issubclass(leaf, BaseModel)),
                None,
            )
    return model


def _leaves(annotation: Any) -> Iterator[Any]:
    """What an annotation is made of: the models of a tuple, the words of a Literal."""
    inner = get_args(annotation)
    if not inner:
        yield annotation
    for part in inner:
        yield from _leaves(part)
