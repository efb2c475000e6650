"""The shape of a scenario file, format 1: which keys there are, and what each may hold on its own.

Strict (a text is no number, 1.5 is no count, true is not 1), unknown keys are refused, everything
is frozen. Fractions are numbers already: `tutor.scenario.reader` has read them. What several keys
must agree on, such as the rows of a weight matrix, is `tutor.scenario.checks`; the words of the
messages are `tutor.scenario.messages`.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, TypeAlias, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    create_model,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from tutor import limits
from tutor.engine.parameters import PARAMETERS
from tutor.scenario.problem import described, quotable
from tutor.scenario.update import Learning

ActivationName: TypeAlias = Literal[
    "identity",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "softmax",
    "softplus",
    "step",
    "sign",
]
LossName: TypeAlias = Literal[
    "squared_error",
    "half_squared_error",
    "huber",
    "perceptron",
    "binary_cross_entropy",
    "cross_entropy",
]
ACTIVATIONS: tuple[str, ...] = get_args(ActivationName)
FORWARD_ONLY = frozenset({"step", "sign"})

LESSON_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,79}", re.ASCII)
"""What a lesson is called in addresses."""
PRINTED = re.compile(
    r"(?P<sign>[-\N{MINUS SIGN}]?)(?P<whole>[0-9]{1,15})"
    r"(?:\.(?P<fraction>[0-9]{1,15}))?(?P<percent> ?%)?",
    re.ASCII,
)


def _said(text: str) -> PydanticCustomError:
    return PydanticCustomError("said", "{text}", {"text": text})


def _visible(text: str) -> str:
    """A text with something to read in it, without white space around it."""
    stripped = text.strip()
    if not any(c.isprintable() and not c.isspace() for c in stripped):
        raise _said("expected a text, got one with nothing to read")
    return stripped


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _printed(text: str) -> str:
    if not PRINTED.fullmatch(text):
        raise _said(
            'expected a number as the slide prints it, such as "0.7739", "-1.29" or "34.5%", got '
            + repr(text[:40])
        )
    return text


def origin_id(text: str) -> str:
    """The id of a lesson."""
    if not LESSON_ID.fullmatch(text):
        raise _said(
            "expected the id of a lesson, 1 to 80 of a-z, 0-9 and -, such as two-layers, "
            f"got {quotable(text)!r}"
        )
    return text


def _biases(value: object) -> object:
    """The word none stands for a layer without biases."""
    if isinstance(value, str) and value != "none":
        raise _said(f"expected a list of numbers, or the word none, got the word {value[:40]!r}")
    return None if value == "none" else value


def _format(value: object) -> object:
    if type(value) is not int or value != 1:
        raise _said(f"expected 1, the only format that this version reads, got {described(value)}")
    return value


FormatNumber: TypeAlias = Annotated[Literal[1], BeforeValidator(_format)]
"""The number of the format."""
Finite: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]
NumberRow: TypeAlias = tuple[Finite, ...]
Rows: TypeAlias = tuple[NumberRow, ...]
Title: TypeAlias = Annotated[
    str, Field(max_length=limits.TITLE), AfterValidator(_visible), AfterValidator(_one_line)
]
LineText: TypeAlias = Annotated[
    str, Field(max_length=limits.LINE), AfterValidator(_visible), AfterValidator(_one_line)
]
About: TypeAlias = Annotated[str, Field(max_length=limits.ABOUT), AfterValidator(_visible)]
Text: TypeAlias = Annotated[str, Field(max_length=limits.NOTE), AfterValidator(_visible)]
NameText: TypeAlias = Annotated[str, Field(max_length=60)]
"""A quantity name; whether this network has it is checked later."""
FormulaText: TypeAlias = Annotated[str, Field(max_length=limits.EXPRESSION)]


class Model(BaseModel):
    """What all parts of a file have in common."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class Trainable(Model):
    """Which parameters learn. A key that is left out is the network's, and there it is true."""

    weights: bool | None = None
    biases: bool | None = None


class Init(Model):
    """How a layer's weights are made instead of written down."""

    scheme: Literal["uniform", "normal", "xavier", "he", "constant", "identity"]
    scale: Finite = 1.0
    seed: int = Field(0, ge=0, le=2**32 - 1)


class _Activated(Model):
    """What every layer has."""

    units: int = Field(ge=1, le=limits.UNITS)
    activation: ActivationName


_PARAMETERS: dict[str, Any] = dict.fromkeys(PARAMETERS, (Finite | None, None))
_WithParameters: Any = create_model("_WithParameters", __base__=_Activated, **_PARAMETERS)
"""And the parameters of activations, a key for each."""


class LayerSpec(_WithParameters, _Activated):
    """One layer. `biases` is None where the file says none; with `init` and no `biases` they are
    zeros.
    """

    weights: Rows | None = None
    biases: Annotated[NumberRow | None, BeforeValidator(_biases)]
    init: Init | None = None
    trainable: Trainable = Trainable()
    skip: int = Field(0, ge=0, le=limits.LAYERS)
    dropout: Annotated[Finite, Field(ge=0, lt=1)] = 0.0

    @model_validator(mode="before")
    @classmethod
    def _zero_biases(cls, data: Any) -> Any:
        """Made weights come with biases of 0 where the file does not speak of biases."""
        if isinstance(data, dict) and "init" in data and "biases" not in data:
            units = data.get("units")
            count = units if isinstance(units, int) and 1 <= units <= limits.UNITS else 0
            return {**data, "biases": (0.0,) * count}
        return data

    @property
    def parameters(self) -> dict[str, float]:
        """What goes to the activation beside z, where the file gives it."""
        return {name: value for name in PARAMETERS if (value := getattr(self, name)) is not None}


class LossSpec(Model):
    """The loss of the batch."""

    name: LossName
    reduction: Literal["sum", "mean"] = "mean"


class NetworkSpec(Model):
    """Inputs, layers and loss."""

    inputs: int = Field(ge=1, le=limits.UNITS)
    layers: tuple[LayerSpec, ...] = Field(min_length=1, max_length=limits.LAYERS)
    loss: LossSpec
    trainable: Trainable = Trainable()

    @property
    def sizes(self) -> tuple[int, ...]:
        """Inputs, then the units of every layer."""
        return (self.inputs, *(layer.units for layer in self.layers))

    def learns(self, layer: int) -> tuple[bool, bool]:
        """Whether the weights and the biases of a layer (counted from 1) learn; the layer's own
        word wins.
        """
        own, common = self.layers[layer - 1].trainable, self.trainable
        weights = own.weights if own.weights is not None else common.weights is not False
        return weights, own.biases if own.biases is not None else common.biases is not False


GeneratorName: TypeAlias = Literal["circle", "blobs", "xor", "moons", "sine", "ramp"]
CURVES: Final = frozenset({"sine", "ramp"})
"""Generators of a curve: one input and a number to predict. The others make points in classes."""
USUAL_NOISE: Final = {"blobs": 0.5, "moons": 0.1, "sine": 0.1}
"""Where the file says nothing; the other generators make data without noise."""
MOST_SEED: Final = 2**32 - 1
Seed: TypeAlias = Annotated[int, Field(ge=0, le=MOST_SEED)]


class Generator(Model):
    """Data that are made instead of written down."""

    name: GeneratorName
    samples: int = Field(ge=1, le=limits.SAMPLES)
    seed: Seed = 0
    noise: Annotated[Finite, Field(ge=0)] | None = None
    labels: Literal["zero_one", "minus_one_one", "one_hot"] = "zero_one"
    classes: int = Field(2, ge=2, le=limits.CLASSES)

    @property
    def inputs(self) -> int:
        """How many numbers a sample has."""
        return 1 if self.name in CURVES else 2

    @property
    def targets(self) -> int:
        """How many targets a sample has."""
        return self.classes if self.labels == "one_hot" and self.name not in CURVES else 1

    @property
    def usual_noise(self) -> float:
        """The standard deviation of the noise."""
        return USUAL_NOISE.get(self.name, 0.0) if self.noise is None else self.noise


class Split(Model):
    """The samples in three parts, drawn by a seeded shuffle."""

    train: Annotated[Finite, Field(gt=0)]
    validation: Annotated[Finite, Field(ge=0)] = 0.0
    test: Annotated[Finite, Field(ge=0)] = 0.0
    seed: Seed = 0

    def counts(self, samples: int) -> tuple[int, int, int]:
        """How many samples are for training, validation and test: the last two rounded, training
        has the rest.
        """
        validation, test = (int(samples * part + 0.5) for part in (self.validation, self.test))
        return samples - validation - test, validation, test


class Data(Model):
    """One row per sample, or a generator that makes them."""

    inputs: Rows = Field((), min_length=1, max_length=limits.SAMPLES)
    targets: Rows = Field((), min_length=1, max_length=limits.SAMPLES)
    generator: Generator | None = None
    split: Split | None = None
    scale: Literal["standardize", "min_max"] | None = None

    @model_serializer(mode="wrap")
    def _given(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without the keys that a file leaves out: rows or generator, split, scale."""
        return {key: value for key, value in write(self).items() if value not in (None, (), [])}

    @property
    def samples(self) -> int:
        """How many samples the data set has, all parts together."""
        return self.generator.samples if self.generator else len(self.inputs)

    @property
    def training_samples(self) -> int:
        """How many of them the network learns from."""
        return self.split.counts(self.samples)[0] if self.split else self.samples


def _batch(value: object) -> object:
    """All samples, one, or a number of them."""
    if type(value) is int or value in ("full", "online"):
        if type(value) is int and not 1 <= value <= limits.SAMPLES:
            raise _said(f"expected a whole number from 1 to {limits.SAMPLES:,}, got {value}")
        return value
    if isinstance(value, str):
        raise _said(
            f"{quotable(value)!r} is not known; known here: full, online, or a number of samples"
        )
    raise _said(f"expected full, online or a whole number of samples, got {described(value)}")


class Shuffle(Model):
    """Another order of the samples in each epoch, drawn from a seed."""

    seed: Seed = 0


class StopSpec(Model):
    """When a run ends before its last iteration."""

    loss_below: Annotated[Finite, Field(gt=0)] | None = None
    change_below: Annotated[Finite, Field(gt=0)] | None = None


class Training(Learning):
    """One iteration is shown; `iterations` says how far one can go on."""

    learning_rate: Annotated[Finite, Field(gt=0)]
    batch: Annotated[Literal["full", "online"] | int, BeforeValidator(_batch)] = "full"
    shuffle: Shuffle | None = None
    iterations: int = Field(1, ge=1, le=limits.ITERATIONS)
    stop: StopSpec | None = None

    @property
    def batch_size(self) -> int | None:
        """How many samples an iteration uses; None for all of them."""
        return None if self.batch == "full" else 1 if self.batch == "online" else int(self.batch)


class NotationSpec(Model):
    """A preset of `tutor.notation.conventions`, with single choices made differently."""

    preset: Literal["brackets", "letters", "parentheses", "left_superscripts"] = "brackets"
    layer_mark: Literal["brackets", "parentheses", "none"] | None = None
    weight_index: Literal["from_into", "into_from"] | None = None
    bias: Literal["w0", "b"] | None = None
    vectors: Literal["columns", "rows"] | None = None
    sample_mark: Literal["right", "left"] | None = None
    names: Literal["same", "letters"] | None = None
    hidden: Literal["a", "h"] | None = None
    output: Literal["a", "ŷ", "p"] | None = None
    loss: Literal["L", "J", "ℒ"] | None = None
    learning_rate: Literal["η", "α"] | None = None
    update: Literal["new", "t+1", "assign"] | None = None
    times: Literal["×", "·"] | None = None
    weights: Literal["units_by_inputs", "inputs_by_units"] | None = None
    factors: Literal["weight_first", "input_first"] | None = None

    @property
    def overrides(self) -> dict[str, str]:
        """The choices that the file makes itself."""
        return self.model_dump(exclude={"preset"}, exclude_none=True)


class Display(Model):
    """How numbers are shown at first."""

    decimals: int = Field(4, ge=0, le=limits.DECIMALS)
    input_gradients: bool = False


class Lecture(Model):
    """Where the lesson stands in the gallery: the lecture's slides, by title or number, and the
    place in their row.
    """

    deck: LineText
    order: int = Field(1, ge=0, le=10_000)

    @property
    def name(self) -> str:
        """The lecture as pages name it; a bare number says nothing by itself."""
        return f"lecture {self.deck}" if self.deck.isdecimal() else self.deck


class Printed(Model):
    """A number that a slide prints: of a quantity, or of an expression over quantities shown at the
    step `at`.
    """

    quantity: NameText | None = None
    expression: FormulaText | None = None
    at: NameText | None = None
    value: Annotated[str, AfterValidator(_printed)]
    where: LineText
    slip: Text | None = None
    left_open: Text | None = None

    @property
    def decimals(self) -> int:
        """How many digits the slide prints after the point."""
        match = PRINTED.fullmatch(self.value)
        return len(match["fraction"] or "") if match else 0

    @property
    def percent(self) -> bool:
        """Whether the slide prints a percentage."""
        return self.value.endswith("%")

    @property
    def number(self) -> float:
        """The number as it is printed: 34.5 for "34.5%"."""
        return float(self.value.replace("\N{MINUS SIGN}", "-").rstrip("% "))

    def agrees(self, computed: float) -> bool:
        """Whether a computed number, rounded to the printed digits, is the printed one (a tie may
        go either way).
        """
        error = abs((100 * computed if self.percent else computed) - self.number)
        return error <= 0.5 * 10.0**-self.decimals * (1 + 1e-9)


class Note(Model):
    """What the tutor adds at a step: a remark about the slides, or something else worth knowing."""

    at: NameText
    text: Text
    about_slides: bool = False


class Check(Model):
    """A closed form that must agree with the engine to 1e-12."""

    quantity: NameText
    equals: FormulaText
    text: LineText | None = None
    where: LineText | None = None


class ScenarioFile(Model):
    """A whole file."""

    format: FormatNumber
    title: Title
    course: LineText | None = None
    about: About | None = None
    lecture: Lecture | None = None
    origin: Annotated[str, AfterValidator(origin_id)] | None = None
    learn: tuple[LineText, ...] = Field((), max_length=limits.LEARN)
    network: NetworkSpec
    data: Data
    training: Training
    notation: NotationSpec = NotationSpec()
    display: Display = Display()
    printed: tuple[Printed, ...] = Field((), max_length=limits.PRINTED)
    notes: tuple[Note, ...] = Field((), max_length=limits.NOTES)
    checks: tuple[Check, ...] = Field((), max_length=limits.CHECKS)
