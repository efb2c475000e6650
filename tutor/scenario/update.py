"""How a scenario's network learns: optimizer, schedule, penalty and clipping, as files have them.

    rule_of(training) -> UpdateRule       what the engine computes with
    unfit(raw) -> (path, message)         numbers that do not belong together or lie outside

Names and limits come from the engine's tables (`tutor.engine.optimizers`), which files without
these keys can do without.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from tutor.scenario.problem import Found, Path

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


class PenaltySpec(_Model):
    """A penalty on large weights: ½λ‖W‖², or λ‖W‖ with the form norm; biases are left out."""

    weight: Annotated[Finite, Field(gt=0)]
    form: Literal["squared", "norm"] = "squared"


class ClipSpec(_Model):
    """A limit for the gradient: of its length, or of each number."""

    norm: Annotated[Finite, Field(gt=0)] | None = None
    value: Annotated[Finite, Field(gt=0)] | None = None


Optimizer: TypeAlias = Annotated[OptimizerSpec, BeforeValidator(named)]
Schedule: TypeAlias = Annotated[ScheduleSpec, BeforeValidator(named)]
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
        (training.schedule, optimizers.SCHEDULES[schedule][0] if schedule else ()),
    ):
        found = ((knob.name, getattr(spec, knob.key)) for knob in known)
        given |= {name: value for name, value in found if value is not None}
    if training.l2:
        given["l2"] = training.l2.weight
    if training.clip and clip:
        given["clip"] = getattr(training.clip, clip)
    return optimizers.rule(
        training.optimizer.name, schedule=schedule, penalty=penalty, clip=clip, numbers=given
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
    schedules = {name: found[0] for name, found in optimizers.SCHEDULES.items()}
    yield from _knobs("schedule", raw, {"constant": (), **schedules})
    clip = raw.get("clip")
    if isinstance(clip, dict) and len(clip.keys() & {"norm", "value"}) != 1:
        yield ("training", "clip"), "expected either norm or value, with a number above 0"


def _knobs(key: str, raw: dict[str, Any], known: dict[str, tuple[Knob, ...]]) -> Iterator[Found]:
    spec = named(raw.get(key))
    if not isinstance(spec, dict) or spec.get("name") not in known:
        return
    own = {knob.key: knob for knob in known[spec["name"]]}
    every = {knob.key for knobs in known.values() for knob in knobs}
    for name, value in spec.items():
        path: Path = ("training", key, name)
        if name in own and isinstance(value, int | float) and not isinstance(value, bool):
            refusal = own[name].refusal(value)
            if refusal:
                yield path, refusal
        elif name in every and name not in own:
            has = ", ".join(own) or "no numbers of its own"
            yield path, f"does not belong to {spec['name']}, which has {has}"
