"""The numbers that say how a network learns, by their names in forms and addresses: what each
belongs to, what it is when nobody says, and what it may be.

    refusal("beta1", 2.0)                    why it cannot be this number, or ""
    chosen(training)                         {"optimizer": "adam", "schedule": "constant", …}
    number(training, "beta1")                what a training has, or the usual value
    changed(training, words, numbers)        the same training with other choices and numbers

Files write two of the choices as what they are for: the form of `l2` is a choice of penalty, the
key in `clip` one of clipping. All of it follows from the engine's tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from tutor.engine.optimizers import CLIPS, OPTIMIZERS, PENALTIES, SCHEDULES, Knob, knobs
from tutor.scenario.problem import Path
from tutor.scenario.update import (
    ClipSpec,
    Learning,
    OptimizerSpec,
    PenaltySpec,
    ScheduleSpec,
    stray,
)

NONE: Final = "none"
CONSTANT: Final = "constant"
CHOICES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({
    "optimizer": tuple(OPTIMIZERS),
    "schedule": (CONSTANT, *SCHEDULES),
    "penalty": (NONE, *PENALTIES),
    "clipping": (NONE, *CLIPS),
})  # fmt: skip
"""What is chosen from a list."""
USUAL: Final = MappingProxyType({part: words[0] for part, words in CHOICES.items()})
"""The choices of plain gradient descent."""


@dataclass(frozen=True, slots=True)
class TrainingNumber:
    """One number: the choice that it belongs to, and the words of that choice that have it."""

    name: str
    part: str
    owners: Mapping[str, Knob]
    label: str
    meaning: str

    @property
    def knob(self) -> Knob:
        """What it may be, the same for all owners."""
        return next(iter(self.owners.values()))

    @property
    def path(self) -> Path:
        """Where it stands in a file, below `training`; that of clipping is one key or another."""
        return {"penalty": ("l2", "weight"), "clipping": ("clip",)}.get(
            self.part, (self.part, self.knob.key)
        )

    @property
    def words(self) -> str:
        """What it is called where it stands alone."""
        return f"{self.label} of the schedule" if self.part == "schedule" else self.label

    def usual(self, owner: str) -> float:
        """What it is when nobody says; of the first owner where this one has no such number."""
        return self.owners.get(owner, self.knob).default

    def stray(self, word: str) -> str:
        """Why it does not belong to this choice, or ""."""
        return "" if word in self.owners else stray(self.part, list(self.owners), word)


_LABELS: Final = {
    "momentum": ("momentum", "the share of the last step that is kept"),
    "alpha": ("alpha", "the share of the mean square that is kept"),
    "beta1": ("beta 1", "the share of the mean gradient that is kept"),
    "beta2": ("beta 2", "the share of the mean square that is kept"),
    "epsilon": ("epsilon", "a small number that keeps the division safe"),
    "weight_decay": ("weight decay", "how strongly every parameter is pulled towards 0"),
    "every": ("iterations per step", "after how many iterations the learning rate changes"),
    "factor": ("factor", "what the learning rate is multiplied by"),
    "period": ("period", "how many iterations the learning rate takes to its minimum"),
    "minimum": ("minimum", "the smallest learning rate"),
    "decay": ("decay", "how fast the learning rate falls"),
    "l2": ("weight of the penalty", "how much large weights count"),
    "clip": ("limit of the clipping", "the largest length of the gradient, or size of a number"),
}  # fmt: skip
"""Label and meaning of each, by its name, in the order of forms and addresses."""


def _knobs_of(part: str, word: str) -> tuple[Knob, ...]:
    if word in {NONE, CONSTANT}:
        return ()
    plain = {"optimizer": "sgd", "schedule": "", "penalty": "", "clip": ""}
    return knobs(**{**plain, {"clipping": "clip"}.get(part, part): word})


def _table() -> dict[str, TrainingNumber]:
    owners: dict[tuple[str, str], dict[str, Knob]] = {}
    for part, words in CHOICES.items():
        for word in words:
            for knob in _knobs_of(part, word):
                name = knob.name if part in {"penalty", "clipping"} else knob.key
                owners.setdefault((name, part), {})[word] = knob
    made = {
        name: TrainingNumber(name, part, MappingProxyType(found), *_LABELS[name])
        for (name, part), found in owners.items()
    }
    return {name: made[name] for name in _LABELS}


KNOBS: Final[Mapping[str, TrainingNumber]] = MappingProxyType(_table())


_TITLES: Final = {
    ("penalty", "squared"): "half of the squares",
    ("penalty", "norm"): "length of the weights",
    ("clipping", "norm"): "by length",
    ("clipping", "value"): "each number",
}


def title(part: str, word: str) -> str:
    """What a word of a choice is called on a page."""
    if part == "optimizer" and word in OPTIMIZERS:
        return OPTIMIZERS[word].title
    return _TITLES.get((part, word)) or word.replace("_", " ")


def refusal(name: str, value: float) -> str:
    """Why a number cannot be this one, or ""."""
    return KNOBS[name].knob.refusal(value)


# ---- of a training, and into one ----


def chosen(training: Learning) -> dict[str, str]:
    """The word of each choice."""
    clip = training.clip
    return {
        "optimizer": training.optimizer.name,
        "schedule": training.schedule.name,
        "penalty": training.l2.form if training.l2 else NONE,
        "clipping": NONE if clip is None else "norm" if clip.norm is not None else "value",
    }


def number(training: Learning, name: str) -> float:
    """What a training has for a number, where nothing is given the usual value."""
    at, word = KNOBS[name], chosen(training)[KNOBS[name].part]
    if word not in at.owners:
        return at.usual(word)
    match at.part:
        case "penalty":
            each = training.l2 is None or training.l2.by_layer
            given = None if each else getattr(training.l2, "weight", None)
        case "clipping":
            given = getattr(training.clip, word)
        case part:
            given = getattr(getattr(training, part), at.knob.key)
    return float(at.usual(word) if given is None else given)


def changed(
    training: Learning, words: Mapping[str, str], numbers: Mapping[str, float]
) -> dict[str, Any]:
    """The keys of a training that differ after these choices and numbers. What is chosen anew has
    its usual numbers.
    """
    now = chosen(training)
    after, update = {**now, **words}, dict[str, Any]()
    for part in CHOICES:
        own = {name: KNOBS[name] for name in KNOBS if KNOBS[name].part == part}
        given = {name: value for name, value in numbers.items() if name in own}
        if after[part] == now[part] and not given:
            continue
        kept = own if after[part] == now[part] else {}
        values = {
            name: given.get(name, number(training, name) if name in kept else at.usual(after[part]))
            for name, at in own.items()
            if after[part] in at.owners
        }
        update |= _spec(training, part, after[part], values, given, bool(kept))
    return update


def _spec(
    training: Learning,
    part: str,
    word: str,
    values: Mapping[str, float],
    given: Mapping[str, float],
    same: bool,
) -> dict[str, Any]:
    match part:
        case "penalty":
            spec = {"weight": values.get("l2"), "form": word}
            return {"l2": None if word == NONE else PenaltySpec.model_validate(spec)}
        case "clipping":
            limit = {word: values.get("clip")}
            return {"clip": None if word == NONE else ClipSpec.model_validate(limit)}
    of: Any = OptimizerSpec if part == "optimizer" else ScheduleSpec
    own = getattr(training, part).model_dump(exclude_none=True) if same else {"name": word}
    said = {KNOBS[name].knob.key: value for name, value in given.items() if name in values}
    return {part: of.model_validate({**own, **said})}
