"""Which number of a lesson is asked about, from where, and on which way.

    read(query, context, find) -> Asked      the step one asks from, the numbers asked before, and
                                             how far this one is nudged
    unknown(context, name, why, near)        what is raised for a name that a lesson does not have

What makes no sense in an address is ignored with a notice; an unknown name is an error of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tutor import number
from tutor.engine.quantity import Quantity
from tutor.errors import NumberError
from tutor.lesson.changes import sentence
from tutor.lesson.titles import capital
from tutor.pages.context import AnyContext
from tutor.pages.error_page import Missing
from tutor.pages.outline import Link
from tutor.pages.view import IGNORED, Ignored, View, whole
from tutor.scenario.problem import quotable

STEP, NAME = "step", "name"
"""What every question may have beside the view: the step one asks from, and a name that is typed;
`View.asked` names the rest.
"""
DEEPEST = 12
"""So many numbers of the way are kept; the first of a longer one are dropped."""
LONGEST = 400
"""Characters of what is said of an unknown name."""
SMALLEST = 1e-15
"""The least that a number can be nudged by."""


class UnknownQuantity(Missing):
    """404: a lesson has no such number. `links` lead to the nearest that it has."""

    def __init__(self, description: str, links: tuple[Link, ...]) -> None:
        super().__init__(description)
        self.links = links


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of a question says."""

    step: int | None = None
    """The step that the reader looks at; None where the whole lesson may be told."""
    via: tuple[Quantity, ...] = ()
    """The numbers that led to this one, from the first."""
    h: float | None = None
    """How far the number is nudged to both sides."""
    at: float | None = None
    """Where it is moved to, to see what the loss is there."""


def names(view: View) -> frozenset[str]:
    """What an address may have beside the view."""
    keys = view.asked
    return frozenset({STEP, NAME, keys.via, keys.size, keys.at})


def read(
    query: Mapping[str, str], context: AnyContext, find: Callable[[AnyContext, str], Quantity]
) -> tuple[Asked, tuple[str, ...]]:
    """The step and the way; and what of them makes no sense."""
    ignored: list[Ignored] = []
    keys = context.view.asked
    step = whole(query, STEP, 1, len(context.walk), None, ignored)
    via = []
    for name in query.get(keys.via, "").split()[-DEEPEST:]:
        try:
            via.append(find(context, name))
        except UnknownQuantity:
            ignored.append(Ignored(f"“{quotable(name, 40)}” is no number of this lesson"))
    h, at = (_number(query, key, ignored) for key in (keys.size, keys.at))
    if h is not None and not SMALLEST <= h <= 1:
        size = f"h “{quotable(query[keys.size], 20)}” is not a number from {SMALLEST:g} to 1"
        ignored.append(Ignored(size, IGNORED, field=keys.size))
        h = None
    return Asked(step, tuple(via), h, at), tuple(map(str, ignored))


def _number(query: Mapping[str, str], key: str, ignored: list[Ignored]) -> float | None:
    text = query.get(key, "").strip()
    if not text:
        return None
    try:
        return number.read(text)
    except NumberError as error:
        ignored.append(Ignored(f"{key}: {error}", IGNORED, field=key))
        return None


def unknown(
    context: AnyContext, name: str, refused: str, near: tuple[Quantity, ...]
) -> UnknownQuantity:
    """The error for a name that a lesson does not have: why, and the nearest that it has."""
    links = tuple(Link(str(q), context.view.quantity(context.source.id, str(q))) for q in near)
    told = f" Near it are {', '.join(map(str, near))}." if near else ""
    text = sentence(capital(quotable(refused.removesuffix("."), LONGEST)))
    return UnknownQuantity(f"{text}{told}", links)
