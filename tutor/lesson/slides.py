"""What the lecture says at a step: printed numbers compared with ours, notes, and closed forms
checked.

Every printed number is compared at the digits that the slide prints. Where the two differ, the
scenario says why: the slide has a slip, or the lecture leaves the number open or unchanged, which
is no mistake.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from tutor import number
from tutor.engine.quantity import Quantity, parse
from tutor.engine.tree import Environment, Node, Ref
from tutor.scenario import arithmetic
from tutor.scenario.arithmetic import ReadName
from tutor.scenario.model import Check, Printed
from tutor.scenario.reader import AnyScenario

AGREES, OPEN, DIFFERS = "agrees", "left-open", "differs"
"""How a printed number stands to the computed one: it agrees; the lecture leaves it open or
unchanged; it is a slip.
"""
MOST_TREES = 1024
"""So many of the expressions of slides are kept as trees."""
_WORDS = {AGREES: "agrees", OPEN: "left open", DIFFERS: "slip"}


@dataclass(frozen=True, slots=True)
class SlideNumber:
    """A number that a slide prints beside the one that the engine computed."""

    printed: str
    where: str
    computed: float
    ours: str
    """The computed number beside the printed one: at its digits, or at as many more as show why
    they differ.
    """
    state: str
    """`AGREES`, `OPEN` or `DIFFERS`."""
    why: str
    """Why it differs, or how the lecture leaves it open."""
    quantity: str
    """The name of the quantity, or an expression over quantities."""
    entry: Printed
    """As the file has it."""

    @property
    def agrees(self) -> bool:
        return self.state == AGREES

    @property
    def word(self) -> str:
        """The state in words."""
        return _WORDS[self.state]


@dataclass(frozen=True, slots=True)
class ClosedForm:
    """A formula of the lecture for a quantity, with its value."""

    text: str
    where: str
    value: float
    agrees: bool


@dataclass(frozen=True, slots=True)
class Slide:
    """What the lecture has to say at one quantity."""

    numbers: tuple[SlideNumber, ...] = ()
    remarks: tuple[str, ...] = ()
    """What the tutor says about the slides; `notes` is what it adds of its own."""
    notes: tuple[str, ...] = ()
    closed_forms: tuple[ClosedForm, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.numbers or self.remarks or self.notes or self.closed_forms)


class Numbers(Environment, Protocol):
    """The numbers of a lesson, whatever it is made of."""

    def value(self, q: Quantity) -> float:
        """Look up one number. Raises KeyError where there is none."""

    def __contains__(self, name: Any) -> bool:
        """Whether there is an array of this name."""

    def __getitem__(self, name: Any) -> Any:
        """An array."""

    @property
    def paper(self) -> int:
        """To how many decimals every number is rounded, as on paper; 0 where none is."""

    def written(self, value: float) -> float:
        """A number as it is carried on."""


def slides(
    scenario: AnyScenario,
    trace: Numbers,
    *,
    notes_fit: bool,
    numbers_fit: bool,
    read: ReadName = parse,
) -> dict[Quantity, Slide]:
    """Everything the lecture says, by the quantity at whose step it is shown.

    Another iteration or another loss has other numbers than the slides, so only the notes on
    concepts remain out of it, and nothing is compared. `read` reads the names of quantities.
    """
    numbers: dict[Quantity, list[SlideNumber]] = defaultdict(list)
    remarks: dict[Quantity, list[str]] = defaultdict(list)
    notes: dict[Quantity, list[str]] = defaultdict(list)
    forms: dict[Quantity, list[ClosedForm]] = defaultdict(list)
    if notes_fit:
        for note in scenario.notes:
            (remarks if note.about_slides else notes)[read(note.at)].append(note.text)
    if numbers_fit:
        for entry in scenario.printed:
            numbers[place(entry, read)].append(compare(entry, trace, read))
        for check in scenario.checks:
            forms[read(check.quantity)].append(closed_form(check, trace, read))
    keys = {*numbers, *remarks, *notes, *forms}
    return {
        q: Slide(tuple(numbers[q]), tuple(remarks[q]), tuple(notes[q]), tuple(forms[q]))
        for q in keys
    }


def place(entry: Printed, read: ReadName = parse) -> Quantity:
    """The quantity at whose step a printed number is shown."""
    return read(entry.at or entry.quantity or "loss")


def computed(text: str, trace: Numbers, read: ReadName = parse) -> float:
    """The value of an expression over quantity names on a trace."""
    return arithmetic.evaluate(arithmetic.parse(text, read), trace)


@lru_cache(MOST_TREES)
def tree(text: str, read: ReadName = parse) -> Node:
    """What a slide prints a number of, as a tree: a quantity, or small arithmetic over quantities
    in braces.
    """
    return arithmetic.parse(text, read) if "{" in text else Ref(read(text))


def compare(entry: Printed, trace: Numbers, read: ReadName = parse) -> SlideNumber:
    """A printed number beside the computed one."""
    value = (
        computed(entry.expression, trace, read)
        if entry.expression
        else trace.value(read(entry.quantity or ""))
    )
    name = entry.expression or entry.quantity or ""
    printed = entry.value.replace("-", number.MINUS)
    state = AGREES if entry.agrees(value) else OPEN if entry.left_open else DIFFERS
    return SlideNumber(
        printed,
        entry.where,
        value,
        _beside(entry, value),
        state,
        entry.slip or entry.left_open or "",
        name,
        entry,
    )


def _beside(entry: Printed, value: float) -> str:
    """The computed number at the digits of the slide; at two more where the last of them decides,
    so that one sees why.
    """
    shown, places = 100 * value if entry.percent else value, entry.decimals
    text, more = number.fixed(shown, places), number.fixed(shown, places + 2)
    alike = entry.agrees(value) and text == number.fixed(entry.number, places)
    near = abs(shown - entry.number) < 2 * 10.0**-places
    return (text if alike or not near or more.endswith("00") else more) + entry.value[
        len(entry.value.rstrip("% ")) :
    ]


def tally(agree: int, left_open: int, differ: int) -> str:
    """How many numbers are in each state, in words: "29 agree, 13 are left open or unchanged by the
    lecture, 3 differ".
    """
    rest = "left open or unchanged by the lecture"
    return _counted(
        (agree, "{} agrees", "{} agree"),
        (left_open, f"{{}} is {rest}", f"{{}} are {rest}"),
        (differ, "{} differs", "{} differ"),
    )


def brief_tally(agree: int, left_open: int, differ: int) -> str:
    """The same in short, what matters most first: "≠ 1 differs, ✓ 3 agree"."""
    return _counted(
        (differ, "≠ {} differs", "≠ {} differ"),
        (left_open, "○ {} left open", "○ {} left open"),
        (agree, "✓ {} agrees", "✓ {} agree"),
    )


def _counted(*parts: tuple[int, str, str]) -> str:
    """What there is some of, each in words for one or for several."""
    return ", ".join(
        (one if count == 1 else several).format(count) for count, one, several in parts if count
    )


def closed_form(check: Check, trace: Numbers, read: ReadName = parse) -> ClosedForm:
    """A closed form beside the engine's value; they agree to 1e-12 relative."""
    value, own = computed(check.equals, trace, read), trace.value(read(check.quantity))
    agrees = abs(value - own) <= 1e-12 * max(abs(value), abs(own))
    text = check.text or check.equals.replace("{", "").replace("}", "")
    return ClosedForm(text, check.where or "", value, agrees)
