"""The JSON Schema of scenario files, for editors: what they complete, explain and underline while
one types.

It is made from the models, with the meanings below. What a schema can say of how keys go together
is said here (`TOGETHER`); the rest, such as the rows of a weight matrix, only `python -m tutor
validate` sees.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from tutor import limits, number
from tutor.engine.operations import FUNCTIONS
from tutor.engine.optimizers import OPTIMIZERS, Knob
from tutor.engine.parameters import PARAMETERS
from tutor.number import FRACTION_PATTERN
from tutor.scenario.formula_text import NAME
from tutor.scenario.graph_file import GraphFile
from tutor.scenario.knobs import CHOICES, KNOBS
from tutor.scenario.model import LESSON_ID, PRINTED, ScenarioFile

Schema: TypeAlias = dict[str, Any]

PATH: Final = "/schema/scenario.json"
DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema(address: str) -> Schema:
    """The schema of a whole file; `address` is where it can be fetched, its own name for itself."""
    generated, walked = ScenarioFile.model_json_schema(), GraphFile.model_json_schema()
    models = {**generated.pop("$defs"), **walked["$defs"]}
    generated["properties"]["graph"] = walked["properties"]["graph"]
    needed = {*generated["required"]} - {*walked["required"]}
    generated["required"] = [key for key in generated["required"] if key in walked["required"]]
    return {
        "$schema": DRAFT,
        "$id": address,
        **_part(generated, "", models),
        "oneOf": [
            {"required": sorted(needed), "not": {"required": ["graph"]}},
            {"required": ["graph"], "not": {"anyOf": [{"required": [k]} for k in NETWORK_ONLY]}},
        ],
        "title": "A lesson of the backpropagation tutor",
        "description": (
            "A scenario file, format 1: a network, its data, "
            "and how a lecture writes and prints them; or a formula that is walked node by node."
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
        part = _number({**part, **BOUNDS.get(path, {})})
    part |= TOGETHER.get(path, {})
    if path in NUMBERS:
        part = {"anyOf": [part, NUMBERS[path]]}
    if path in WORDS:
        part = {"anyOf": [part, {"const": WORDS[path]}]}
    if path in NAMED:
        part = {"anyOf": [{"enum": list(NAMED[path])}, part], "default": NAMED[path][0]}
    return {**_words(path), **part}


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


def _bounds(knob: Knob) -> Schema:
    least = {"exclusiveMinimum": 0} if knob.positive else {"minimum": knob.least}
    return least if knob.below == float("inf") else {**least, "exclusiveMaximum": knob.below}


def _own_numbers(part: str) -> Schema:
    """Which numbers an optimizer or a schedule has beside its name."""
    numbers = [at for at in KNOBS.values() if at.part == part]
    return {
        "dependentSchemas": {str(at.path[-1]): _given("name", *at.owners) for at in numbers},
    }


NAMED: Final = {f"training.{part}": CHOICES[part] for part in ("optimizer", "schedule")}
"""What may be a bare name, in place of a mapping with a name in it."""
BOUNDS: Final = {
    ".".join(map(str, ("training", *at.path))): _bounds(at.knob)
    for at in KNOBS.values()
    if at.part != "clipping"
}
"""Where numbers may lie, beside what the models say."""
WORDS: Final = {"network.layers[].biases": "none"}
"""The word that may stand in place of a value."""
NUMBERS: Final[dict[str, Schema]] = {
    "training.batch": {"type": "integer", "minimum": 1, "maximum": limits.SAMPLES}
}
"""The number that may stand in place of a word."""
VISIBLE: Final[Schema] = {"pattern": r"\S"}
NETWORK_ONLY: Final = ("network", "data", "training", "notation")
"""Keys that a formula does not have."""
_AMOUNT: Final[Schema] = {
    "anyOf": [{"type": "number"}, {"type": "string", "pattern": FRACTION_PATTERN}]
}
_LIST: Final[Schema] = {"type": "array", "minItems": 1, "items": _AMOUNT}

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
    **{path: _own_numbers(path.removeprefix("training.")) for path in NAMED},
    "training.clip": {"minProperties": 1, "maxProperties": 1},
    "data": {
        "oneOf": [
            {"required": ["inputs", "targets"], "not": {"required": ["generator"]}},
            {
                "required": ["generator"],
                "not": {"anyOf": [{"required": ["inputs"]}, {"required": ["targets"]}]},
            },
        ],
    },
    "data.generator": {"dependentSchemas": {"classes": _given("name", "blobs")}},
    "training.stop": {"minProperties": 1},
    "graph.names": {"propertyNames": {"pattern": _whole(NAME.pattern)}},
    "graph.values": {
        "minProperties": 1,
        "propertyNames": {"pattern": _whole(NAME.pattern)},
        "additionalProperties": {
            "anyOf": [_AMOUNT, _LIST, {"type": "array", "minItems": 1, "items": _LIST}]
        },
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


def _optimizers() -> str:
    return "; ".join(f"`{name}` {found.about}" for name, found in OPTIMIZERS.items())


def _numbers(part: str) -> Iterator[tuple[str, str]]:
    """The key of each number of an optimizer or a schedule, and its meaning."""
    for at in KNOBS.values():
        if at.part == part:
            path = ".".join(map(str, ("training", *at.path)))
            *others, last = (f"`{name}`" for name in at.owners)
            owners = f"{', '.join(others)} or {last}" if others else last
            usual = " or ".join(dict.fromkeys(number.short(k.default) for k in at.owners.values()))
            bounds = f"a number {at.knob.bounds}"
            yield path, f"only with {owners}: {at.meaning}. It is {bounds}; {usual} if left out"


MEANINGS: Final[Mapping[str, str]] = MappingProxyType({
    "format": "the version of this format",
    "title": "the lesson's name",
    "course": "the course, shown above the lesson's title",
    "about": "what the lesson is about, shown on its first page",
    "lecture": "where the lesson appears in the gallery; without it, at the end",
    "lecture.deck":
        'which lecture it belongs to: its title, or its number in quotes, `"3"`. '
        "Lectures are sorted by this name",
    "lecture.order": "its place within the lecture",
    "origin":
        "the id of the lesson that this one was made from. "
        "The tutor writes it when a copy of a lesson is edited and saved",
    "learn": "learning goals",
    "learn[]": "a short sentence",
    "network": "inputs, layers and loss",
    "network.inputs": "how many numbers one sample has",
    "network.layers":
        "the layers, with the output layer last. The first entry is layer 1; the input is layer 0",
    "network.layers[].units": "how many units",
    "network.layers[].activation":
        "the activation function. `step` and `sign` allow a forward pass only: "
        "the lesson says why the backward pass stops there. `softmax` needs at least two units",
    **{
        f"network.layers[].{name}":
            f"only with `{found.owner}`: {found.meaning}; {number.shown(found.default)} if left out"
        for name, found in PARAMETERS.items()
    },
    "network.layers[].weights":
        "one row per unit, one column per unit of the layer before. "
        "Give either `weights` or `init`",
    "network.layers[].biases":
        "one per unit, or the word `none` for a layer without biases. "
        "With `init` it may be left out; the biases are then 0",
    "network.layers[].init":
        "generates the weights, instead of `weights`; the same seed always gives the same weights",
    "network.layers[].init.scheme":
        "uniform between −scale and scale; normal with standard deviation scale; "
        "normal with variance scale² · 2/(inputs + units); "
        "normal with variance scale² · 2/inputs; scale everywhere; "
        "scale on the diagonal and 0 elsewhere",
    "network.layers[].init.scale": "see `scheme`; at least 0 for the four random schemes",
    "network.layers[].init.seed": "the seed of the random numbers",
    "network.layers[].trainable": "what learns in this layer; it overrides the network's setting",
    "network.layers[].trainable.weights":
        "whether this layer's weights learn; if left out, as for the network",
    "network.layers[].trainable.biases":
        "whether this layer's biases learn; if left out, as for the network",
    "network.layers[].skip":
        "a skip connection: the output of the layer this many layers back (1: this layer's own "
        "input) is added to this layer's activations, and it passes on the sum r. "
        "Both need the same number of units; 0 is none",
    "network.layers[].dropout":
        "the share of this layer's activations that is dropped in each iteration, by chance; "
        "the others are divided by the share that is kept. "
        "For hidden layers; in *verify* nothing is dropped",
    "network.loss": "the loss of the batch",
    "network.loss.name":
        "Σ(ŷ − y)², ½ Σ(ŷ − y)², the Huber loss, the perceptron loss max(0, −y · ŷ), or a "
        "cross-entropy. "
        "`binary_cross_entropy` needs a sigmoid in the last layer, `cross_entropy` a softmax; "
        "their targets are from 0 to 1, and those of `cross_entropy` sum to 1",
    "network.loss.reduction":
        "over the samples of the batch; over the outputs of one sample it is always a sum",
    "network.trainable": "what learns in all layers",
    "network.trainable.weights": "whether weights learn; they do if left out",
    "network.trainable.biases": "whether biases learn; they do if left out",
    "data": "the samples: either `inputs` and `targets`, or a `generator` that makes them",
    "data.inputs": "one row per sample, `network.inputs` numbers each",
    "data.targets":
        "one row per sample, one number per unit of the last layer. "
        "A squared error takes any number, even one that the last activation cannot reach",
    "data.generator":
        "makes the samples, instead of `inputs` and `targets`; "
        "the same seed always gives the same samples",
    "data.generator.name":
        "points from the standard normal distribution, of class 1 inside the unit circle; clouds "
        "around centres 2 away from the origin, one for each class; the corners of the unit square "
        "in turn, of class 1 where one coordinate alone is 1; two half circles that reach into "
        "each other; sin x from −π to π; 0 up to −1, a straight line, 1 from 1 on, between −2 "
        "and 2. The last two make a curve with one input, the others points with two",
    "data.generator.samples": "how many samples to make",
    "data.generator.seed": "the seed of the random numbers",
    "data.generator.noise":
        "the standard deviation of normal noise, on the coordinates of points or on the values of "
        "a curve; if left out, 0.5 for `blobs`, 0.1 for `moons` and `sine`, else 0",
    "data.generator.labels":
        "the targets of the classes: 0 and 1, −1 and 1, or a row with a 1 at its class",
    "data.generator.classes":
        "only with `blobs`: how many classes; more than two need `labels: one_hot`",
    "data.split":
        "the samples in three parts, drawn by a seeded shuffle. The network learns from the first; "
        "the others are never in a batch. The three shares add up to 1",
    "data.split.train": "the share of the samples to learn from: what the others leave",
    "data.split.validation": "the share to compare settings with, rounded to whole samples",
    "data.split.test": "the share to judge the result with, rounded to whole samples",
    "data.split.seed": "the seed of the shuffle",
    "data.scale":
        "scales each input by itself: (x − mean)/standard deviation, or (x − min)/(max − min). "
        "The numbers come from the training samples alone and are applied to all",
    "graph":
        "a formula that is walked node by node; it takes the place of `network`, `data`, "
        "`training` and `notation`",
    "graph.expression":
        "the formula: + − × ÷ written as `+ - * /`, powers as `**`, matrix products as `@`, "
        "parentheses, numbers, names, "
        f"and the functions {', '.join(FUNCTIONS)}",
    "graph.names":
        "inner nodes with names of their own, each with its formula: "
        "`{q: w0 + w1*x1}`. The others are n1, n2 … in the order of evaluation",
    "graph.values":
        "what the formula starts from, each name with its value: a number, a list of numbers, "
        "or a list of rows",
    "graph.differentiate":
        "with respect to which values the result is differentiated; all of them if left out",
    "graph.result": "the name of the result",
    "training": "how the network learns",
    "training.optimizer":
        "how a gradient becomes an update: a name, or a mapping with its name and its numbers. "
        "`sgd` if left out",
    "training.optimizer.name": _optimizers(),
    **dict(_numbers("optimizer")),
    "training.schedule":
        "how the learning rate changes: a name, or a mapping with its name and its numbers. "
        "`constant` if left out",
    "training.schedule.name":
        "the learning rate η of iteration t, counted from 1: always η; "
        "multiplied by `factor` after each `every` iterations; "
        "multiplied by `factor` in each iteration; "
        "down to `minimum` along a cosine in `period` iterations; "
        "η / (1 + `decay` · (t − 1))",
    **dict(_numbers("schedule")),
    "training.l2":
        "a penalty on large weights, added to the loss. Biases are left out",
    "training.l2.weight":
        "λ, how much the penalty counts: one number above 0 for all layers, or a list with a "
        "number of at least 0 for each layer, `[0.01, 0.001]`; `form` is then that of each layer, "
        "and they are added up",
    "training.l2.form":
        "`squared`: ½ λ‖W‖², where ‖W‖² is the sum of all squared weights. "
        "`norm`: λ‖W‖, as some slides print it",
    "training.clip":
        "a limit for the gradient, before the optimizer gets it. Give either `norm` or `value`",
    "training.clip.norm":
        "the largest length of the whole gradient: where it is longer, all of it is scaled down",
    "training.clip.value":
        "the largest size of each number of the gradient; what is beyond it is cut off",
    "training.learning_rate": "η, the number that multiplies the gradient in an update",
    "training.batch":
        "how many samples an update uses: all of them, one, or so many; the last batch of an epoch "
        "may be smaller",
    "training.shuffle":
        "another order of the samples in each epoch; without it, the order of the data set, again "
        "and again",
    "training.shuffle.seed": "the seed of these orders",
    "training.iterations":
        "how many iterations a reader can go through; "
        "always at least 100, except in large networks",
    "training.stop":
        "when a run ends before that, at the end of an epoch; its loss is the mean over its "
        "iterations",
    "training.stop.loss_below": "the loss is below this number",
    "training.stop.change_below":
        "the loss differs by less than this from that of the epoch before",
    "notation": "the lecture's notation; readers can switch to another preset",
    "notation.preset": "a complete notation; the other keys change parts of it",
    "notation.layer_mark": "how the layer is written above a letter: [2], (2) or not at all",
    "notation.weight_index": "w₂₁ goes from unit 2 into unit 1, or into unit 2 from unit 1",
    "notation.bias": "whether a bias is weight 0 or has its own letter",
    "notation.vectors": "whether samples are columns of a matrix, or rows",
    "notation.sample_mark": "whether the sample's number comes after the letter or before it",
    "notation.names":
        "z and a in all layers, or a letter for each role: "
        "q and h in hidden layers, z at the output; "
        "v and b into hidden layers, w and c into the output",
    "notation.hidden": "a hidden activation",
    "notation.output": "an output",
    "notation.loss": "the loss",
    "notation.learning_rate": "the learning rate",
    "notation.update":
        'how an updated weight is written: marked "new" or "(t+1)", or assigned with :=',
    "notation.times": "the sign between numbers",
    "notation.weights": "whether a weight matrix has one row per unit, or one row per input",
    "notation.factors": "w·x or x·w",
    "display": "how numbers are shown at first; readers can change it",
    "display.decimals":
        "decimals of numbers that are not exact; a formula shows more where it takes more to get "
        "its result on a calculator",
    "display.input_gradients":
        "whether the derivatives of the loss with respect to the inputs, `dL/da[0][1]`, are steps",
    "printed": "numbers that the slides print",
    "printed[].quantity": "the quantity with this value. Give either `quantity` or `expression`",
    "printed[].expression": "for a number that is not one quantity, such as `1 - {a[2][1]}`",
    "printed[].at":
        "the quantity at whose step it is shown: required with `expression`; "
        "otherwise the step of `quantity`",
    "printed[].value": 'as the slide prints it: `"0.7739"`, `"-1.29"`, `"34.5%"`',
    "printed[].where": "where it is on the slides",
    "printed[].slip":
        "why the slide differs. Where it does, `slip` or `left_open` is required; "
        "where it agrees, both are refused",
    "printed[].left_open":
        "instead of `slip`, where the lecture made no mistake: "
        "how it leaves this number open or unchanged",
    "notes": "what the tutor adds at a step",
    "notes[].at": "the step",
    "notes[].text": "what it says",
    "notes[].about_slides":
        "whether the note is about the slides, and shown with their numbers; "
        "otherwise its heading is *Worth knowing*",
    "checks": "closed forms that must agree with the engine",
    "checks[].quantity": "the quantity it is for; the formula is shown at its step",
    "checks[].equals": "the formula that must give its value",
    "checks[].text": "how the page writes the formula; as in `equals` if left out",
    "checks[].where": "where it is on the slides",
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
    "network.layers[].dropout": (0.2, 0.5),
    "data.generator": ({"name": "circle", "samples": 200, "seed": 0},),
    "data.split": ({"train": 0.6, "validation": 0.2, "test": 0.2},),
    "training.learning_rate": (0.1, 1e-3),
    "training.optimizer": ("momentum", "adam", {"name": "adam", "beta1": 0.8}),
    "training.schedule": ("cosine", {"name": "step", "every": 10, "factor": 0.5}),
    "training.l2": ({"weight": 0.01},),
    "training.clip": ({"norm": 1.0}, {"value": 0.5}),
    "training.batch": ("full", "online", 8),
    "training.shuffle": ({"seed": 0},),
    "training.stop": ({"loss_below": 0.01}, {"change_below": 1e-6}),
    "graph.expression": ("(y - sigmoid(q))**2",),
    "graph.names": ({"q": "w0 + w1*x1"},),
    "graph.values": ({"x": -2, "v": [1, 2], "M": [[1, 0], [0, 1]]},),
    "graph.differentiate": (["w0", "w1"],),
    "printed[].quantity": ("a[3][1]", "z[1][2]@1", "dL/dw[2][1,3]", "loss"),
    "printed[].expression": ("1 - {a[2][1]}",),
    "printed[].value": ("0.7739", "-1.29", "34.5%"),
    "printed[].where": ("Forward Propagation, layer 3",),
    "notes[].at": ("dL/dz[2][1]",),
    "checks[].equals": ("({a[2][1]@1} - {y[1]@1}) / 2",),
})  # fmt: skip
"""Something to begin with, where a description alone is not enough."""
