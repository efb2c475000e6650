"""How a scenario's network learns: optimizer, schedule, penalty and clipping, as files have them.

    rule_of(training) -> UpdateRule       what the engine computes with
    unfit(raw) -> (path, message)         numbers that do not belong together or lie outside

Names and limits come from the engine's tables (`tutor.engine.optimizers`), which files without
these keys can do without.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn, TypeAlias, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from tutor.scenario.problem import Found, Path, described

if TYPE_CHECKING:
    from tutor.engine.optimizers import Knob, UpdateRule

OptimizerName: TypeAlias = Literal[
    "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"
]
ScheduleName: TypeAlias = Literal["constant", "step", "exponential", "cosine", "inverse_time"]
Finite: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


def named(value: object) -> object:
    """A bare name stands for all defaults."""
    return {"name": value} if isinstance(value, str) else value


def _named(known: tuple[str, ...], what: str) -> Callable[[object], object]:
    """A reader of a name or a mapping, which refuses names that are not known at their place."""

    def read(value: object) -> object:
        if isinstance(value, str) and value not in known:
            raise PydanticCustomError("unknown_name", "", {"known": known})
        if not isinstance(value, str | dict | BaseModel):
            wanted = f"the name of {what}, or a mapping with its name and numbers"
            raise PydanticCustomError(
                "said", "{text}", {"text": f"expected {wanted}, got {described(value)}"}
            )
        return named(value)

    return read


class OptimizerSpec(_Model):
    """What makes an update of a gradient; what is left out is PyTorch's default."""

    name: OptimizerName
    momentum: Finite | None = None
    alpha: Finite | None = None
    beta1: Finite | None = None
    beta2: Finite | None = None
    epsilon: Finite | None = None
    weight_decay: Finite | None = None


class ScheduleSpec(_Model):
    """How the learning rate changes from iteration to iteration."""

    name: ScheduleName
    every: Finite | None = None
    factor: Finite | None = None
    period: Finite | None = None
    minimum: Finite | None = None
    decay: Finite | None = None


def _one_or_each(value: object, one: Callable[[object], float]) -> float | tuple[float, ...]:
    """A number above 0, or a list of numbers of at least 0: one for each layer."""
    if not isinstance(value, tuple | list):
        return one(value)
    for n, number in enumerate(value, 1):
        right = type(number) in {int, float} and 0 <= number < math.inf
        if not right:
            _refuse(f"expected a number of at least 0 for layer {n}, got {described(number)}")
    if not any(value):
        _refuse("expected a number above 0 for one layer at least; without a penalty leave out l2")
    return tuple(map(float, value))


def _refuse(text: str) -> NoReturn:
    raise PydanticCustomError("said", "{text}", {"text": text})


class PenaltySpec(_Model):
    """A penalty on large weights: ½λ‖W‖², or λ‖W‖ with the form norm; biases are left out. The
    weight is one λ for all layers, or a tuple with one for each.
    """

    weight: Annotated[
        Finite, Field(gt=0), WrapValidator(_one_or_each),
        PlainSerializer(lambda value: value, return_type=Any),
        WithJsonSchema({"anyOf": [
            {"type": "number", "exclusiveMinimum": 0},
            {"type": "array", "items": {"type": "number", "minimum": 0}},
        ]}),
    ]  # fmt: skip
    form: Literal["squared", "norm"] = "squared"

    @property
    def by_layer(self) -> tuple[float, ...]:
        """The λ of each layer; nothing where there is one for all."""
        given: Any = self.weight
        return given if isinstance(given, tuple) else ()


class ClipSpec(_Model):
    """A limit for the gradient: of its length, or of each number."""

    norm: Annotated[Finite, Field(gt=0)] | None = None
    value: Annotated[Finite, Field(gt=0)] | None = None


Optimizer: TypeAlias = Annotated[
    OptimizerSpec, BeforeValidator(_named(get_args(OptimizerName), "an optimizer"))
]
Schedule: TypeAlias = Annotated[
    ScheduleSpec, BeforeValidator(_named(get_args(ScheduleName), "a schedule"))
]
SGD = OptimizerSpec(name="sgd")
CONSTANT = ScheduleSpec(name="constant")


class Learning(_Model):
    """The keys of `training` that say how a gradient becomes an update."""

    optimizer: Optimizer = SGD
    schedule: Schedule = CONSTANT
    l2: PenaltySpec | None = None
    clip: ClipSpec | None = None


def rule_of(training: Learning) -> UpdateRule:
    """The rule of a training."""
    from tutor.engine import optimizers

    schedule = "" if training.schedule.name == "constant" else training.schedule.name
    penalty = training.l2.form if training.l2 else ""
    clip = _clip(training.clip)
    given: dict[str, float] = {}
    for spec, known in (
        (training.optimizer, optimizers.OPTIMIZERS[training.optimizer.name].knobs),
        (training.schedule, optimizers.SCHEDULES[schedule].knobs if schedule else ()),
    ):
        found = ((knob.name, getattr(spec, knob.key)) for knob in known)
        given |= {name: value for name, value in found if value is not None}
    each = training.l2.by_layer if training.l2 else ()
    if training.l2 and not each:
        given["l2"] = training.l2.weight
    if training.clip and clip:
        given["clip"] = getattr(training.clip, clip)
    return optimizers.rule(
        training.optimizer.name,
        schedule=schedule,
        penalty=penalty,
        clip=clip,
        numbers=given,
        by_layer=each,
    )


def _clip(clip: ClipSpec | None) -> str:
    if clip is None:
        return ""
    return "norm" if clip.norm is not None else "value" if clip.value is not None else ""


def unfit(raw: dict[str, Any]) -> Iterator[Found]:
    """What of a training's optimizer, schedule and clipping does not fit together."""
    if not {"optimizer", "schedule", "clip"} & raw.keys():
        return
    from tutor.engine import optimizers

    known = {name: found.knobs for name, found in optimizers.OPTIMIZERS.items()}
    yield from _knobs("optimizer", raw, known)
    schedules = {name: found.knobs for name, found in optimizers.SCHEDULES.items()}
    yield from _knobs("schedule", raw, {"constant": (), **schedules})
    clip = raw.get("clip")
    if isinstance(clip, dict) and not clip.keys() - ClipSpec.model_fields and len(clip) != 1:
        yield ("training", "clip"), "expected either norm or value, with a number above 0"


def _knobs(
    part: str, raw: Mapping[str, Any], known: Mapping[str, tuple[Knob, ...]]
) -> Iterator[Found]:
    """Numbers of another optimizer or schedule, and those that lie outside; what is no number is
    refused by the models.
    """
    spec = named(raw.get(part))
    word = spec.get("name") if isinstance(spec, dict) else None
    if not isinstance(spec, dict) or not isinstance(word, str) or word not in known:
        return
    own = {knob.key: knob for knob in known[word]}
    for key, value in spec.items():
        path: Path = ("training", part, key)
        owners = [name for name, knobs in known.items() if key in {knob.key for knob in knobs}]
        if key not in own and owners:
            yield path, stray(part, owners, word)
        elif key in own and type(value) in {int, float} and math.isfinite(value):
            refused = own[key].refusal(value)
            yield from [(path, refused)] if refused else []


def stray(part: str, owners: Sequence[str], word: str) -> str:
    """Why a number of these owners does not belong to another choice."""
    *others, last = owners
    names = f"{', '.join(others)} or {last}" if others else last
    return f"belongs to {names}, but the {part} here is {word}"
