"""The JSON Schema of scenario files, for editors: what they complete, explain and underline while one types.

It is made from the models, with the words of `scenario_meaning`. What a schema can say of how keys go together is said
here (`TOGETHER`); the rest, such as the rows of a weight matrix, only `python -m tutor validate` sees.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from tutor.number import FRACTION_PATTERN
from tutor.scenario_meaning import EXAMPLES, MEANINGS
from tutor.scenario_model import LESSON_ID, PRINTED, ScenarioFile

Schema: TypeAlias = dict[str, Any]

PATH: Final = "/schema/scenario.json"
DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema(address: str) -> Schema:
    """The schema of a whole file; `address` is where it can be fetched, its own name for itself."""
    generated = ScenarioFile.model_json_schema()
    models = generated.pop("$defs")
    return {
        "$schema": DRAFT,
        "$id": address,
        **_part(generated, "", models),
        "title": "A lesson of the backpropagation tutor",
        "description": "A scenario file, format 1: a network, its data, and how a lecture writes and prints them.",
    }


def _part(found: Schema, path: str, models: dict[str, Schema]) -> Schema:
    """What stands at a path: without references, without null, with its meaning."""
    kinds = [kind for kind in found.get("anyOf", ()) if kind.get("type") != "null"]
    merged = {**found, **(kinds[0] if kinds else {})}
    if "$ref" in merged:
        merged |= models[merged["$ref"].rsplit("/", 1)[1]]
    part = {key: value for key, value in merged.items() if key not in {"anyOf", "$ref", "title", "description", "default"}}
    if isinstance(found.get("default"), str | int | float):
        part["default"] = found["default"]
    if "properties" in part:
        above = f"{path}." if path else ""
        part["properties"] = {key: _part(value, f"{above}{key}", models) for key, value in part["properties"].items()}
    if "items" in part:
        part["items"] = _part(part["items"], f"{path}[]", models)
    if part.get("type") == "number":
        part = _number(part)
    if path in WORDS:
        part = {"anyOf": [part, {"const": WORDS[path]}]}
    return {**_words(path), **part, **TOGETHER.get(path, {})}


def _number(part: Schema) -> Schema:
    """A number, or a text such as 1/3 that stands for one."""
    default = {key: part.pop(key) for key in ("default",) if key in part}
    return {"anyOf": [part, {"type": "string", "pattern": FRACTION_PATTERN}], **default}


def _words(path: str) -> Schema:
    words: Schema = {"description": MEANINGS[path]} if path in MEANINGS else {}
    return {**words, "examples": list(EXAMPLES[path])} if path in EXAMPLES else words


def _whole(pattern: str) -> str:
    """A pattern of Python as one for a whole text that JavaScript reads too."""
    return f"^(?:{pattern.replace('?P<sign>', '').replace('?P<whole>', '').replace('?P<fraction>', '').replace('?P<percent>', '')})$"


def _given(key: str, *values: str) -> Schema:
    return {"properties": {key: {"enum": list(values)}}, "required": [key]}


WORDS: Final = {"network.layers[].biases": "none"}
"""The word that may stand in place of a value."""
VISIBLE: Final[Schema] = {"pattern": r"\S"}

TOGETHER: Final[dict[str, Schema]] = {
    "title": VISIBLE,
    "course": VISIBLE,
    "about": VISIBLE,
    "learn[]": VISIBLE,
    "lecture.deck": VISIBLE,
    "origin": {"pattern": _whole(LESSON_ID.pattern)},
    "network.layers[]": {
        "required": ["units", "activation"],
        "oneOf": [
            {"required": ["weights", "biases"], "not": {"required": ["init"]}},
            {"required": ["init"], "not": {"required": ["weights"]}},
        ],
        "dependentSchemas": {"slope": _given("activation", "leaky_relu"), "alpha": _given("activation", "elu")},
        "if": _given("activation", "softmax"),
        "then": {"properties": {"units": {"minimum": 2}}},
    },
    "network.layers[].alpha": {"exclusiveMinimum": 0},
    "network.layers[].init": {
        "if": _given("scheme", "uniform", "normal", "xavier", "he"),
        "then": {"properties": {"scale": {"minimum": 0}}},
    },
    "printed[]": {
        "oneOf": [{"required": ["quantity"]}, {"required": ["expression"]}],
        "dependentRequired": {"expression": ["at"]},
        "not": {"required": ["slip", "left_open"]},
    },
    "printed[].value": {"pattern": _whole(PRINTED.pattern)},
    "printed[].where": VISIBLE,
    "printed[].slip": VISIBLE,
    "printed[].left_open": VISIBLE,
    "notes[].text": VISIBLE,
}
"""What the models alone do not say: patterns, and which keys go together."""
