"""The slides of a lesson, number by number: what they print beside what the engine computed.

Which of them stand in the table is a choice in the address, so that it can be passed on:
`?show=slips`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tutor import number
from tutor.lesson import changes
from tutor.lesson.by_hand import reason
from tutor.lesson.opening import no_paper
from tutor.lesson.slides import AGREES, DIFFERS, OPEN, SlideNumber, tally, tree
from tutor.notation.markup import Markup
from tutor.notation.mathml import Line
from tutor.notation.writer import SYMBOLS
from tutor.pages.context import Context
from tutor.pages.outline import Link
from tutor.pages.view import View
from tutor.scenario.problem import quotable

OWN = "These are the lesson’s own numbers, as on the slides, without your changes."
PAPER = 4
"""The decimals with which most lectures work by hand."""
ALL = "all"
CHOICES = {
    ALL: ("All", "", "Printed numbers"),
    "slips": ("Slips", DIFFERS, "Printed numbers that differ"),
    "open": (
        "Left open or unchanged",
        OPEN,
        "Printed numbers that the lecture leaves open or unchanged",
    ),
    "agrees": ("Agree", AGREES, "Printed numbers that agree"),
}
"""What `show` may be: what its link says, the state of the numbers that it keeps, and what their
table is called.
"""


@dataclass(frozen=True, slots=True)
class SlideRow:
    """A printed number beside ours, with the step that explains it."""

    symbol: Markup | str
    printed: str
    computed: str
    state: str
    """The class of the row."""
    word: str
    """The same in words."""
    where: str
    why: str
    by_hand: str
    """How a slip comes out by hand, or ""."""
    step: str
    href: str


@dataclass(frozen=True, slots=True)
class SlidesPage:
    """The numbers that the slides print, all or those in one state."""

    id: str
    title: str
    home: str
    tally: str
    """How many numbers there are, and how many in each state."""
    by_hand: str
    """How many of the slips come out by rounding by hand, or ""."""
    paper: str
    """The lesson as on paper, or "" where it is too long for that."""
    filters: tuple[Link, ...]
    caption: str
    rows: tuple[SlideRow, ...]
    notices: tuple[str, ...]
    """Whose numbers these are, for a reader who has changed some; what of the address was ignored.
    """


def slides_page(
    context: Context,
    show: str = ALL,
    view: View = View(),  # noqa: B008 - frozen
    ignored: tuple[str, ...] = (),
) -> SlidesPage:
    """The comparison of a lesson with its slides, in the order of the walk. `view` is the reader's,
    the numbers are the lesson's.
    """
    notices = (*ignored, *((OWN,) if view.changes else ()))
    if show not in CHOICES:
        asked, known = quotable(show, 30), ", ".join(CHOICES)
        notices += (f"show “{asked}” is not known, so all numbers are here. Choices: {known}.",)
        show = ALL
    line = Line(context.alphabet, context.decimals)
    entries = [
        (max(context.step_of(q), 0), entry)
        for q, slide in context.slides.items()
        for entry in slide.numbers
    ]
    entries.sort(key=lambda pair: pair[0])
    counts = Counter(entry.state for _, entry in entries)
    _, wanted, caption = CHOICES[show]
    scenario = context.lesson.scenario
    long = no_paper(scenario)
    rows = tuple(
        _row(context, line, n, entry, long=bool(long))
        for n, entry in entries
        if wanted in {"", entry.state}
    )
    said = (
        f"{number.counted(len(entries), 'printed number')}, each compared with the computed number "
        "to as many digits as the slide prints: "
    )
    found = tally(counts[AGREES], counts[OPEN], counts[DIFFERS])
    return SlidesPage(
        scenario.id, scenario.title, f"/lessons/{scenario.id}", said + found + ".",
        _by_hand(rows),
        "" if long else View(paper=PAPER).on_paper(scenario.id),
        tuple(_filters(scenario.id, show, view, counts)),
        f"{caption}, in the order of the lesson", rows, notices,
    )  # fmt: skip


def _by_hand(rows: tuple[SlideRow, ...]) -> str:
    """How many of the slips come out by hand."""
    slips = [row for row in rows if row.state == DIFFERS]
    count = sum(bool(row.by_hand) for row in slips)
    if not count:
        return ""
    come = "comes" if count == 1 else "come"
    return (
        f"{count} of {number.counted(len(slips), 'slip')} {come} out when one rounds or cuts off "
        "by hand and carries the short number on."
    )


def _filters(lesson: str, show: str, view: View, counts: Counter[str]) -> list[Link]:
    """A link for each state that a number is in, and for the one that is asked for."""
    found = []
    for key, (title, state, _) in CHOICES.items():
        count = counts[state] if state else counts.total()
        query = "&".join(
            filter(None, ("" if key == ALL else f"show={key}", changes.query(view.changes)))
        )
        if count or key == show:
            found.append(
                Link(
                    f"{title} ({count})",
                    f"/lessons/{lesson}/slides" + (f"?{query}" if query else ""),
                    key == show,
                )
            )
    return found


def _row(context: Context, line: Line, n: int, entry: SlideNumber, *, long: bool) -> SlideRow:
    slip = entry.state == DIFFERS
    return SlideRow(
        line.tree(tree(entry.quantity), SYMBOLS), entry.printed, entry.ours,
        entry.state, entry.word, entry.where, entry.why,
        reason(entry.entry, context.lesson) if slip and not long else "",
        f"step {n}" if n else "given", context.address(max(n, 1)),
    )  # fmt: skip
