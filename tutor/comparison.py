"""The slides of a lesson, number by number: what they print beside what the engine computed."""

from __future__ import annotations

from dataclasses import dataclass

from tutor import number
from tutor.context import Context
from tutor.markup import Markup
from tutor.mathml import Line
from tutor.quantity import Quantity
from tutor.slides import SlideNumber, tree
from tutor.writer import SYMBOLS

OWN = "These are the lesson’s own numbers, as the slides have them; your changes are not in them."


@dataclass(frozen=True, slots=True)
class SlideRow:
    """A printed number beside ours, with the step that explains it."""

    symbol: Markup | str
    printed: str
    computed: str
    agrees: bool
    where: str
    slip: str
    n: int
    href: str


@dataclass(frozen=True, slots=True)
class SlidesPage:
    """Every number that the slides print."""

    id: str
    title: str
    home: str
    rows: tuple[SlideRow, ...]
    slips: int
    note: str
    """Whose numbers these are, for a reader who has changed some."""
    notices: tuple[str, ...]
    """What of the address was ignored."""


def slides_page(context: Context, notices: tuple[str, ...] = (), *, changed: bool = False) -> SlidesPage:
    """The comparison of a lesson with its slides, in the order of the walk."""
    line = Line(context.alphabet, context.decimals)
    rows = [
        _slide_row(context, line, q, entry) for q, slide in context.slides.items() for entry in slide.numbers
    ]
    rows.sort(key=lambda row: row.n)
    scenario = context.lesson.scenario
    slips, note = sum(not row.agrees for row in rows), OWN if changed else ""
    return SlidesPage(scenario.id, scenario.title, f"/lessons/{scenario.id}", tuple(rows), slips, note, notices)


def _slide_row(context: Context, line: Line, q: Quantity, entry: SlideNumber) -> SlideRow:
    n = max(context.step_of(q), 0)
    value = number.percent(entry.computed, 4) if entry.percent else number.shown(entry.computed, 6)
    return SlideRow(
        line.tree(tree(entry.quantity, context.trace), SYMBOLS),
        entry.printed, value, entry.agrees, entry.where, entry.slip, n, f"/lessons/{context.lesson.scenario.id}/steps/{max(n, 1)}",
    )  # fmt: skip
