"""The JSON Schema of scenario files, for editors: what they complete, explain and underline while
one types.

It is made from the models, with the meanings below. What a schema can say of how keys go together
is said here (`TOGETHER`); the rest, such as the rows of a weight matrix, only `python -m tutor
validate` sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from tutor import number
from tutor.engine.parameters import PARAMETERS
from tutor.number import FRACTION_PATTERN
from tutor.scenario.model import LESSON_ID, PRINTED, ScenarioFile

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
        "description": (
            "A scenario file, format 1: a network, its data, "
            "and how a lecture writes and prints them."
        ),
    }


def _part(found: Schema, path: str, models: dict[str, Schema]) -> Schema:
    """What stands at a path: without references, without null, with its meaning."""
    kinds = [kind for kind in found.get("anyOf", ()) if kind.get("type") != "null"]
    merged = {**found, **(kinds[0] if kinds else {})}
    if "$ref" in merged:
        merged |= models[merged["$ref"].rsplit("/", 1)[1]]
    part = {
        key: value
        for key, value in merged.items()
        if key not in {"anyOf", "$ref", "title", "description", "default"}
    }
    if isinstance(found.get("default"), str | int | float):
        part["default"] = found["default"]
    if "properties" in part:
        above = f"{path}." if path else ""
        part["properties"] = {
            key: _part(value, f"{above}{key}", models) for key, value in part["properties"].items()
        }
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
    for group in ("sign", "whole", "fraction", "percent"):
        pattern = pattern.replace(f"?P<{group}>", "")
    return f"^(?:{pattern})$"


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
        "dependentSchemas": {
            name: _given("activation", found.owner) for name, found in PARAMETERS.items()
        },
        "if": _given("activation", "softmax"),
        "then": {"properties": {"units": {"minimum": 2}}},
    },
    **{
        f"network.layers[].{name}": {"exclusiveMinimum": 0}
        for name, found in PARAMETERS.items()
        if found.positive
    },
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


# ---- What each key of a scenario file means, in plain words: the one place for them ----
# The JSON Schema has them as descriptions (`tutor.scenario.schema`), docs/scenarios.md in its
# tables; `make docs` renews those. A key is written as a path, `[]` stands for each entry of a
# list.


MEANINGS: Final[Mapping[str, str]] = MappingProxyType({
    "format": "the version of this format",
    "title": "the lesson's name",
    "course": "the course; it heads the lesson's row in the gallery",
    "about": "what the lesson is about, on its first page",
    "lecture": "where the lesson stands in the gallery; without it, at the end",
    "lecture.deck":
        'which lecture it belongs to: its title, or its number in quotes, `"3"`. '
        "Rows stand in the order of these names",
    "lecture.order": "its place in the row",
    "origin":
        "the id of the lesson that this one was made from. "
        "The tutor writes it when a copy of a lesson is edited and saved",
    "learn": "learning goals",
    "learn[]": "a short sentence",
    "network": "inputs, layers and loss",
    "network.inputs": "how many numbers one sample has",
    "network.layers":
        "the layers, the output layer last. Layer 1 is the first entry, the input is layer 0",
    "network.layers[].units": "how many units",
    "network.layers[].activation":
        "the activation function. `step` and `sign` can only be walked forward: "
        "the lesson says why backward stops there. `softmax` needs two units or more",
    **{
        f"network.layers[].{name}":
            f"only with `{found.owner}`: {found.meaning}; left out, {number.shown(found.default)}"
        for name, found in PARAMETERS.items()
    },
    "network.layers[].weights":
        "one row per unit, one column per unit of the layer before. "
        "Either `weights` or `init` must be there",
    "network.layers[].biases":
        "one per unit, or the word `none` for a layer without biases. "
        "With `init` it may be left out and is then all 0",
    "network.layers[].init":
        "makes the weights in place of `weights`; the same seed gives the same weights again",
    "network.layers[].init.scheme":
        "between −scale and scale; normal with standard deviation scale; "
        "normal with variance scale² · 2/(inputs + units); "
        "normal with variance scale² · 2/inputs; scale everywhere; "
        "scale on the diagonal and 0 elsewhere",
    "network.layers[].init.scale": "see `scheme`; not below 0 for the four random ones",
    "network.layers[].init.seed": "where the random numbers begin",
    "network.layers[].trainable": "what learns in this layer; its word counts before the network's",
    "network.layers[].trainable.weights":
        "whether this layer's weights learn; left out, the network decides",
    "network.layers[].trainable.biases":
        "whether this layer's biases learn; left out, the network decides",
    "network.layers[].skip":
        "a skip connection: what the layer so many layers before passes on is added to this "
        "layer's activations (1: its own input), and the sum r is what it passes on. "
        "Both need as many units; 0 is none",
    "network.loss": "the loss of the batch",
    "network.loss.name":
        "Σ(ŷ − y)², ½ Σ(ŷ − y)², or a cross-entropy. "
        "`binary_cross_entropy` needs a sigmoid in the last layer, `cross_entropy` a softmax; "
        "their targets are from 0 to 1, and those of `cross_entropy` sum to 1",
    "network.loss.reduction":
        "over the samples of the batch. Over the outputs of one sample it is always a sum",
    "network.trainable": "what learns in all layers",
    "network.trainable.weights": "whether weights learn; left out, they do",
    "network.trainable.biases": "whether biases learn; left out, they do",
    "data": "the samples",
    "data.inputs": "one row per sample, `network.inputs` numbers each",
    "data.targets":
        "one row per sample, one number per unit of the last layer. "
        "A squared error takes any number, also one that the last activation cannot reach",
    "training": "how the network learns",
    "training.optimizer": "how the weights move: against the gradient, times the learning rate",
    "training.learning_rate": "η, what the gradient is multiplied with in an update",
    "training.batch": "how many samples an update uses: all of them",
    "training.iterations":
        "how many iterations a reader can go through. "
        "100 can always be opened, except in large networks",
    "notation": "how the lecture writes; readers can switch to another preset",
    "notation.preset": "one way of writing; the other choices change single things of it",
    "notation.layer_mark": "the layer above a letter: [2], (2) or not at all",
    "notation.weight_index": "w₂₁ goes from unit 2 into unit 1, or into unit 2 from unit 1",
    "notation.bias": "a bias is weight number 0, or has its own letter",
    "notation.vectors": "samples are columns of a matrix, or rows",
    "notation.sample_mark": "the sample's number behind the letter or in front of it",
    "notation.names":
        "z and a in all layers, or a letter for each role: "
        "q and h in hidden layers, z at the output; "
        "v and b into hidden layers, w and c into the output",
    "notation.hidden": "a hidden activation",
    "notation.output": "an output",
    "notation.loss": "the loss",
    "notation.learning_rate": "the learning rate",
    "notation.update":
        'an updated weight is marked "new" or "(t+1)", or the old one is assigned to with :=',
    "notation.times": "the sign between numbers",
    "notation.weights": "a weight matrix has a row per unit, or a row per input",
    "notation.factors": "w·x or x·w",
    "display": "how numbers are shown at first; readers can change it",
    "display.decimals":
        "decimals of numbers that are not exact; where they are too few for a formula to give its "
        "result on a calculator, its numbers have more",
    "display.input_gradients":
        "whether the derivatives of the loss with respect to the inputs, `dL/da[0][1]`, are steps",
    "printed": "numbers that the slides print",
    "printed[].quantity": "the quantity whose value it is. Either `quantity` or `expression`",
    "printed[].expression": "for a number that is not one quantity, such as `1 - {a[2][1]}`",
    "printed[].at":
        "at whose step it is shown: required with `expression`, otherwise the step of `quantity`",
    "printed[].value": 'as the slide prints it: `"0.7739"`, `"-1.29"`, `"34.5%"`',
    "printed[].where": "where on the slides",
    "printed[].slip":
        "why the slide differs; this or `left_open` is required where it does, "
        "both are refused where it does not",
    "printed[].left_open":
        "in place of `slip`, where the lecture made no mistake: "
        "how it leaves this number open or unchanged",
    "notes": "what the tutor adds at a step",
    "notes[].at": "the step",
    "notes[].text": "what it says",
    "notes[].about_slides":
        "whether it is a remark about what the slides print or say, "
        "and stands with their numbers. Otherwise it is headed *Worth knowing*",
    "checks": "closed forms that must agree with the engine",
    "checks[].quantity": "the quantity that it is for; the formula is shown at its step",
    "checks[].equals": "what it must be",
    "checks[].text": "how the page writes the formula; left out, as in `equals`",
    "checks[].where": "where on the slides",
})  # fmt: skip
"""What each key is for; what it may hold is said by the models."""

EXAMPLES: Final[Mapping[str, tuple[Any, ...]]] = MappingProxyType({
    "title": ("A 1-2-3-1 sigmoid network by hand",),
    "course": ("CPE 486/586, Spring 2026",),
    "lecture.deck": ("Introducing Deep Learning: Neural Networks", "3"),
    "origin": ("1-2-3-1-sigmoid", "saved-kwug5sx2udkgdj3sooh6"),
    "network.layers[].weights": ([[0.2, 0.1], [0.3, 0.2], [0.1, 0.3]],),
    "network.layers[].biases": ([0.3, 0.1, 0.2], "none"),
    "network.layers[].skip": (1, 2),
    "network.layers[].init": ({"scheme": "xavier", "seed": 3},),
    "data.inputs": ([[1, 0.5], [0, 2]],),
    "data.targets": ([[1, 0], [0, 1]],),
    "training.learning_rate": (0.1, 1e-3),
    "printed[].quantity": ("a[3][1]", "z[1][2]@1", "dL/dw[2][1,3]", "loss"),
    "printed[].expression": ("1 - {a[2][1]}",),
    "printed[].value": ("0.7739", "-1.29", "34.5%"),
    "printed[].where": ("Forward Propagation, layer 3",),
    "notes[].at": ("dL/dz[2][1]",),
    "checks[].equals": ("({a[2][1]@1} - {y[1]@1}) / 2",),
})  # fmt: skip
"""Something to begin with, where a description alone is not enough."""
