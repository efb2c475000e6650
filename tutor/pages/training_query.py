"""What a reader asks of the page of a training: how far, until when, what to compare, which moment.

    read(query, context) -> Asked

Nothing here fails. A text that makes no sense keeps its place in the form with a word beside it,
and the page runs nothing until it is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import log10
from typing import Any
from urllib.parse import quote_plus

from tutor import number
from tutor.engine.quantity import Quantity
from tutor.engine.run import Goal, accuracy_of, parameter_names
from tutor.errors import NumberError
from tutor.lesson import changes
from tutor.lesson.changeable import BadChangeError, Changeable, understood
from tutor.lesson.dataset import dataset
from tutor.lesson.running import usual
from tutor.lesson.walk import furthest
from tutor.pages.context import Context
from tutor.pages.view import View
from tutor.scenario.problem import quotable
from tutor.scenario.reader import Scenario

OTHERS = {"other": "learning_rate", "other_batch": "batch", "other_optimizer": "optimizer"}
"""What a second run may have of its own: the name in the address, and what it changes."""
EPOCH, ITERATION = "epoch", "iteration"
NAMES = frozenset({
    "iterations", "loss_below", "change_below", "accuracy", "at", "first", "second", "of", "per",
    "slide", *OTHERS,
})  # fmt: skip
SLIDES, MIDDLE, DECADE = 100, 50, 25
"""Places of the slider for the other learning rate: the lesson's own is in the middle, and so many
places make it ten times as large.
"""
LONGEST = 80


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for."""

    lesson: str
    view: View
    iterations: int
    usual: int
    """How many there are where the address does not say."""
    goal: Goal = field(default_factory=Goal)
    other: float | None = None
    """A second learning rate, for a run beside the first."""
    other_batch: str = ""
    """The size of its batches: full, online or a number; "" for that of the first."""
    other_optimizer: str = ""
    per: str = ""
    """Whether curves go over epochs or iterations; "" for epochs where the runs have batches of
    different sizes, else iterations.
    """
    at: int | None = None
    """After which iteration the pictures are drawn; None for the last."""
    chosen: tuple[Quantity, ...] = ()
    """The two parameters of the loss surface; the page chooses where there are none."""
    of: int = 0
    """How many iterations were wanted, where the reader stopped before."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """What stands in the fields."""
    problems: Mapping[str, str] = field(default_factory=dict)
    """What is wrong with them."""

    def address(self, part: str = "", **other: Any) -> str:
        """The address of the page, or of a part of it, with other wishes."""
        query = "&".join(f"{key}={quote_plus(text)}" for key, text in self.query(**other).items())
        whole = "&".join(part for part in (query, self.view.query()) if part)
        path = f"/lessons/{self.lesson}/training{'/' + part if part else ''}"
        return f"{path}?{whole}" if whole else path

    def trained(self, iterations: int) -> str:
        """The address of the page with so many iterations."""
        return self.address(iterations=iterations, at=None, of=0)

    def compared(self, **other: Any) -> str:
        """The address of the page with another run beside the lesson's own: at another learning
        rate (`other`), with other batches (`other_batch`), by another optimizer.
        """
        return self.address(**other, at=None)

    def query(self, **other: Any) -> dict[str, str]:
        """The wishes that differ from the usual, as they stand in an address."""
        asked = replace(self, **other) if other else self
        goal = asked.goal
        wishes: dict[str, Any] = {
            "iterations": asked.iterations if asked.iterations != asked.usual else None,
            "loss_below": goal.loss_below,
            "change_below": goal.change_below,
            "accuracy": goal.accuracy,
            "other": asked.other,
            "other_batch": asked.other_batch or None,
            "other_optimizer": asked.other_optimizer or None,
            "per": asked.per or None,
            "at": asked.at,
            "first": asked.chosen[0] if asked.chosen else None,
            "second": asked.chosen[1] if asked.chosen else None,
            "of": asked.of or None,
        }
        return {
            key: number.short(wish) if isinstance(wish, float) else str(wish)
            for key, wish in wishes.items()
            if wish is not None
        }


def has_classes(context: Context) -> bool:
    """Whether right answers can be counted; all training samples tell, not those of a batch."""
    y = dataset(context.lesson.scenario).part("training")[1]
    return accuracy_of(context.trace.network, y) is not None


def slid(rate: float, at: int) -> float:
    """The learning rate at a place of the slider."""
    return float(f"{rate * 10 ** ((at - MIDDLE) / DECADE):.2g}")


def slide(rate: float, other: float) -> int:
    """The place of a learning rate on the slider, or the end that is nearest."""
    at = MIDDLE + DECADE * (log10(other) - log10(rate))
    return round(min(max(at, 0), SLIDES))


def read(query: Mapping[str, str], context: Context) -> Asked:
    """What a query asks for, with a problem for each text that cannot be taken."""
    scenario = context.lesson.scenario
    texts = {name: query.get(name, "").strip()[:LONGEST] for name in NAMES}
    problems: dict[str, str] = {}
    most, first = furthest(scenario), usual(scenario)

    def whole(name: str, least: int, greatest: int) -> int | None:
        text = texts[name].replace(",", "") if name == "iterations" else texts[name]
        if not text:
            return None
        value = number.whole(text, least, greatest)
        if value is None:
            said = number.not_whole(text, least, greatest)
            problems[name] = f"“{quotable(text, 20)}” {said}."
        return value

    def positive(name: str, greatest: float | None = None) -> float | None:
        text = texts[name]
        if not text:
            return None
        try:
            found = number.read(text)
        except NumberError as error:
            problems[name] = f"{str(error)[:1].upper()}{str(error)[1:]}."
            return None
        if found > 0 and (greatest is None or found <= greatest):
            return found
        limit = "above 0" if greatest is None else f"above 0 and at most {greatest:g}"
        problems[name] = f"Expected a number {limit}, got {number.shown(found)}."
        return None

    iterations = whole("iterations", 1, most) or first
    goal = Goal(positive("loss_below"), positive("change_below"), positive("accuracy", 1.0))
    if goal.accuracy is not None and not has_classes(context):
        problems["accuracy"] = (
            "The targets of this lesson are not classes, so there is no accuracy."
        )
    if not goal and iterations == scenario.training.iterations:
        goal = Goal(own=scenario.training.stop is not None)

    def word(name: str) -> str:
        try:
            changed = Changeable(OTHERS[name])
            return str(understood(changed, texts[name], scenario)) if texts[name] else ""
        except BadChangeError as error:
            problems[name] = changes.sentence(f"{str(error)[:1].upper()}{str(error)[1:]}")
            return ""

    place = whole("slide", 0, SLIDES)
    if place is not None:
        texts["other"] = number.short(slid(scenario.training.learning_rate, place))
    if texts["per"] not in {"", EPOCH, ITERATION}:
        problems["per"] = (
            f"“{quotable(texts['per'], 20)}” is not known; expected {EPOCH} or {ITERATION}."
        )
    return Asked(
        scenario.id, replace(context.view, iteration=1, present=False), iterations, first, goal,
        positive("other"), word("other_batch"), word("other_optimizer"),
        "" if "per" in problems else texts["per"],
        whole("at", 0, iterations), _chosen(texts, context, problems),
        whole("of", 1, most) or 0, texts, problems,
    )  # fmt: skip


def _chosen(
    texts: Mapping[str, str], context: Context, problems: dict[str, str]
) -> tuple[Quantity, ...]:
    """Two different parameters, where both fields name one."""
    if not (texts["first"] or texts["second"]):
        return ()
    known = {str(q): q for q in parameter_names(context.trace.network)}
    for name in ("first", "second"):
        text = texts[name]
        if text and text not in known:
            problems[name] = (
                f"“{quotable(text, 20)}” is not a weight or bias that learns here, "
                f"such as {next(iter(known), 'w[1][1,1]')}."
            )
    found = tuple(known[texts[name]] for name in ("first", "second") if texts[name] in known)
    if len(found) == 2 and found[0] == found[1]:
        problems["second"] = "The surface needs two different parameters."
    return found if len(found) == 2 and found[0] != found[1] else ()


def beside(asked: Asked, scenario: Scenario) -> View | None:
    """The view of the second run; None where it would be the first again. `scenario` is that of
    the file.
    """
    rate = None if asked.other is None else number.short(asked.other)
    texts = (rate, asked.other_batch, asked.other_optimizer)
    wanted = {name: text for name, text in zip(OTHERS.values(), texts, strict=True) if text}
    changed = changes.read({**dict(asked.view.changes), **wanted}, scenario)[0]
    return replace(asked.view, changes=changed) if changed != asked.view.changes else None
