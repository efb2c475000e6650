"""A lesson as on paper beside the lesson at full precision: how far the two drift apart, and which
of a lecture's numbers come from rounding.

    drifts(lesson)             every number of a rounded lesson beside the one at full precision
    reason(entry, lesson)      how a printed number comes out by hand, or ""
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from tutor.engine.derivation import derive
from tutor.engine.paper import by_hand
from tutor.engine.quantity import Quantity
from tutor.engine.tree import Ref, evaluate
from tutor.lesson.slides import tree
from tutor.lesson.walk import AnyLesson, Lesson
from tutor.number import counted, fixed
from tutor.scenario.model import Printed

FEWEST, MOST = 1, 8
"""The decimals that a reader may round to."""
LAST_DIGITS = 1e-14
"""What is no more than this share of a number apart is the same number."""
LIKELY = range(3, 7)
"""Those that somebody may have rounded to who works by hand."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One number on paper and at full precision."""

    quantity: Quantity
    paper: float
    exact: float
    rounded: float
    """The full-precision number, rounded once, now."""

    @property
    def apart(self) -> float:
        """The difference; 0 where only the last digits of float64 differ."""
        alike = math.isclose(self.paper, self.exact, rel_tol=LAST_DIGITS)
        return 0.0 if alike else self.paper - self.exact

    @property
    def relative(self) -> float:
        """Its share of the number; 0 where both are 0."""
        if not self.apart:
            return 0.0
        return abs(self.apart / self.exact) if self.exact else math.inf

    @property
    def carried(self) -> bool:
        """Whether the last digits differ from those of the number itself: what was rounded before
        has come through.
        """
        return self.paper != self.rounded


def drift(lesson: AnyLesson, q: Quantity) -> Drift:
    """One number of a rounded lesson. Raises KeyError where it has none."""
    paper, exact = lesson.trace.value(q), lesson.exact.value(q)
    return Drift(q, paper, exact, by_hand(exact, lesson.trace.paper))


def drifts(lesson: AnyLesson) -> Iterator[Drift]:
    """Every computed number that both walks come to, in the order of the walk."""
    walk = lesson.walk("number")
    for n in range(1, len(walk) + (walk.stop is None)):
        found = drift(lesson, walk.anchor(n))
        if not (math.isfinite(found.paper) and math.isfinite(found.exact)):
            return
        yield found


# ---- what a lecture prints ----


def reason(entry: Printed, lesson: Lesson) -> str:
    """How a printed number comes out by hand; "" where neither rounding nor cutting off gives it.

    First as many decimals as the slide prints, then fewer or more: somebody may have carried on
    other digits than the slide shows.
    """
    likely = sorted(LIKELY, key=lambda d: (abs(d - entry.decimals), d))
    for decimals in likely[:1]:
        if entry.agrees(_by_hand(entry, lesson.on_paper(decimals))):
            return _said("rounded to", decimals)
    if math.isclose(_cut(_value(entry, lesson), entry), entry.number, rel_tol=1e-12):
        return f"By hand: the last digit is cut off, not rounded ({_more(entry, lesson)})."
    for cut, words in ((False, "rounded to"), (True, "cut off after")):
        for decimals in likely:
            if entry.agrees(_by_hand(entry, lesson.on_paper(decimals, cut=cut))):
                return _said(words, decimals)
    return ""


def _said(words: str, decimals: int) -> str:
    return f"By hand: it comes out when every number is {words} {counted(decimals, 'decimal')}."


def _value(entry: Printed, lesson: Lesson) -> float:
    """The number at full precision, as the slide writes it."""
    value = float(evaluate(tree(entry.expression or entry.quantity or ""), lesson.exact))
    return 100 * value if entry.percent else value


def _more(entry: Printed, lesson: Lesson) -> str:
    return fixed(_value(entry, lesson), entry.decimals + 2)


def _cut(value: float, entry: Printed) -> float:
    """A number cut off behind the digits that a slide prints."""
    scale = 10**entry.decimals
    return float(math.trunc(value * scale) / scale)


def _by_hand(entry: Printed, lesson: Lesson) -> float:
    """What a printed number comes to, computed from rounded numbers but not yet rounded itself: the
    slide has done that.
    """
    found = tree(entry.expression or entry.quantity or "")
    if isinstance(found, Ref) and not found.quantity.given:
        found = derive(lesson.trace, found.quantity).tree
    return float(evaluate(found, lesson.trace))
