"""A number of a lesson by itself: how it came about, from what, at which step, and who uses it.

    quantity_page(answers, q)      -> QuantityPage       one number
    quantities_page(answers)       -> QuantitiesPage     the numbers of a step, to choose from

A page of its own, and the panel beside a step: the same template, one heading lower. Asked from a
step, it tells nothing that the walk has not come to. What is asked of a lesson stands in `Answers`;
each sort of lesson has its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tutor import number
from tutor.engine.program import Name
from tutor.engine.quantity import Quantity
from tutor.lesson.explain import Explanation
from tutor.lesson.formula import Formula
from tutor.lesson.walk import NEVER
from tutor.notation.markup import Markup
from tutor.pages.context import AnyContext
from tutor.pages.glossary import address
from tutor.pages.gradient_flow import Health
from tutor.pages.nudge_view import Moved, NudgeView
from tutor.pages.outline import Link
from tutor.pages.quantity_query import Asked
from tutor.pages.what_if import Changed, ChangeField

MOST_OPERANDS = 12
MOST_USERS, OF_ONE_KIND = 12, 3
"""How many later numbers are listed, and how many of one kind and layer."""
NUDGE = "#nudge"
"""Where on the page of a number it is nudged."""
MOST_CHOICES = 40
"""How many numbers of a step are listed to choose from."""


@dataclass(frozen=True, slots=True)
class NumberRow:
    """A number that one may ask about next."""

    symbol: Markup | str
    name: str
    title: str
    href: str
    """Where its own page is."""
    text: str
    """Its value; "" where it is not told."""
    step: str
    """The step that makes it, "given", or ""."""
    step_href: str


@dataclass(frozen=True, slots=True)
class Crumb:
    """A number on the way to this one."""

    symbol: Markup | str
    name: str
    href: str


@dataclass(frozen=True, slots=True)
class QuantityPage:
    """Everything about one number."""

    name: str
    lesson_title: str
    home: str
    title: str
    symbol: Markup | str
    value: str
    """"" where the walk has not come to it."""
    was: str
    """What the original lesson has there, where that is another number."""
    why: str
    term: tuple[str, str] | None
    glossary: str
    """The address of the term."""
    ahead: str
    """Why it is not told, or ""."""
    formula: Formula | None
    made: str
    """`step 12`, or "" where no step makes it."""
    made_href: str
    operands: tuple[NumberRow, ...]
    more_operands: str
    users: tuple[NumberRow, ...]
    more_users: str
    diagram: Markup
    drawn: str
    """What the diagram is called."""
    crumbs: tuple[Crumb, ...]
    """From the number that was asked first."""
    back: str
    """The step that one came from; "" where one came from none."""
    back_n: int
    choose: str
    """The list of numbers to ask about."""
    elsewhere: tuple[Link, ...]
    """The other pages about it."""
    nudge: NudgeView | None
    """What the loss does where it is moved."""
    later: str
    """When that can be told, or ""."""
    fields: tuple[ChangeField, ...]
    """To change it, where it is given."""
    action: str
    base: str
    """What the address of a number in this lesson begins with, and what stands behind its name."""
    query: str
    notices: tuple[str, ...]
    variant: str
    changed: Changed | None
    panel: bool
    """Whether it stands beside a step."""

    @property
    def level(self) -> int:
        """The level of its heading: a page has one first heading."""
        return 2 if self.panel else 1

    @property
    def below(self) -> int:
        """The level of the headings in it."""
        return self.level + 1


# ---- what a lesson is asked ----


class Answers:
    """What one sort of lesson answers about its numbers, asked from a step or from none."""

    drawn: str
    """What the diagram is called."""

    def __init__(self, context: AnyContext, asked: Asked) -> None:
        self.context, self.asked = context, asked

    def title(self, q: Quantity) -> str:
        """What a number is called."""
        raise NotImplementedError

    def words(self, q: Quantity) -> Explanation | None:
        """The words of the step that makes it; None where it is given."""
        raise NotImplementedError

    def origin(self, q: Quantity) -> str:
        """Where a given number comes from, in a word or two."""
        raise NotImplementedError

    def given_reason(self, q: Quantity) -> str:
        """The same in a sentence or two."""
        raise NotImplementedError

    def made_before(self, q: Quantity) -> tuple[str, str]:
        """The step that makes a number in front of the first step of this walk, and its address;
        "" where there is none.
        """
        return "", ""

    def formula(self, q: Quantity) -> Formula:
        """The formula of a computed number."""
        raise NotImplementedError

    def operands(self, q: Quantity) -> tuple[Quantity, ...]:
        """The numbers of its formula, in reading order."""
        raise NotImplementedError

    def elided(self, q: Quantity) -> int:
        """How many terms the sums of its formula leave out."""
        raise NotImplementedError

    def users(self, q: Quantity) -> Iterator[tuple[tuple[Quantity, ...], int]]:
        """The numbers whose formula has it: of each kind the first, and how many there are."""
        raise NotImplementedError

    @property
    def moved(self) -> Moved:
        """What is measured where a number is moved."""
        raise NotImplementedError

    def nudge(self, q: Quantity) -> tuple[NudgeView | None, str]:
        """The result as a function of it; where its derivative is still ahead, when."""
        raise NotImplementedError

    def array(self, name: Name) -> tuple[Markup, str]:
        """Symbol and title of an array whose gradients are checked."""
        raise NotImplementedError

    def health(self) -> Health | None:
        """The health of its gradient, layer by layer, where it has layers."""
        raise NotImplementedError

    def diagram(self, q: Quantity, n: int) -> Markup:
        """The picture with what is known at step n, and the way that leads to a number in it."""
        raise NotImplementedError

    def fields(
        self, q: Quantity, typed: Mapping[str, str], problems: Mapping[str, str]
    ) -> tuple[ChangeField, ...]:
        """The fields that change it; none where it is computed."""
        raise NotImplementedError

    def elsewhere(self, q: Quantity) -> Iterator[Link]:
        """The other pages about it, as far as they tell nothing that is still ahead."""
        raise NotImplementedError

    def changed(self) -> Changed | None:
        """What is changed, or None."""
        raise NotImplementedError

    def of_step(self, n: int) -> Iterator[Quantity]:
        """What a step makes, then what it uses."""
        raise NotImplementedError

    def ends(self) -> Iterator[Quantity]:
        """What the lesson ends with, then what it starts from."""
        raise NotImplementedError

    def examples(self, numbers: Iterable[Quantity]) -> Iterable[str]:
        """Names that one may ask for, such as those of these numbers."""
        raise NotImplementedError

    def measured(self, derivative: Quantity, moved: Quantity) -> Iterator[Link]:
        """Where a derivative that is known is measured by moving what it is with respect to."""
        context = self.context
        if self.known(derivative) and not context.trace.paper and self.moved.nudger.can(moved):
            address = context.view.quantity(context.source.id, str(moved), self.asked.step)
            yield Link(f"Measure it by nudging {moved}", address + NUDGE)

    # ---- what the walk has come to ----

    def place(self, q: Quantity) -> int:
        """The step that makes q; 0 where it is given, NEVER where the walk does not come to it."""
        return self.context.walk.place(q)

    def known(self, q: Quantity) -> bool:
        """Whether a number may be told: the walk has come to it."""
        place = self.place(q)
        return place != NEVER and (self.asked.step is None or place <= self.asked.step)

    def there(self, q: Quantity) -> bool:
        """Whether the walk arrives at a number, and there is one."""
        return self.place(q) != NEVER and self.context.fact(q)[1] is not None


# ---- the page ----


def quantity_page(
    answers: Answers,
    q: Quantity,
    notices: tuple[str, ...] = (),
    *,
    panel: bool = False,
    typed: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
) -> QuantityPage:
    """The page of one number; `typed` and `problems` are of the form that changes it."""
    context, asked = answers.context, answers.asked
    asker = _Asker(answers, q)
    told = answers.known(q)
    words = answers.words(q)
    shown = told and not context.walk.starts_from(q)
    operands, more = asker.operands() if shown else ((), "")
    later, more_later = asker.users()
    place = context.step_of(q)
    before = answers.made_before(q)
    term = words.term if words else None
    old = context.was(q) if told else None
    value = context.trace.value(q)
    view, lesson = context.view, context.source.id
    nudge, later_nudge = answers.nudge(q)
    return QuantityPage(
        name=str(q),
        lesson_title=context.lesson.scenario.title,
        home=context.home,
        title=answers.title(q),
        symbol=context.line.quantity(q),
        value=number.shown(value, context.decimals) if told else "",
        was="" if old is None else number.apart(old, value, context.decimals),
        why=(words.reason or words.why) if words else answers.given_reason(q),
        term=term,
        glossary=address(term[0]) if term else "",
        ahead="" if told else asker.ahead(),
        formula=answers.formula(q) if shown else None,
        made=f"step {place}" if place > 0 else before[0],
        made_href=context.address(place) if place > 0 else before[1],
        operands=operands,
        more_operands=more,
        users=later,
        more_users=more_later,
        diagram=answers.diagram(q, asker.seen()),
        drawn=answers.drawn,
        crumbs=asker.crumbs(),
        back=context.address(asked.step) if asked.step else "",
        back_n=asked.step or 0,
        choose=view.quantity(lesson, step=asked.step),
        elsewhere=tuple(answers.elsewhere(q)),
        nudge=nudge,
        later=later_nudge,
        fields=answers.fields(q, typed or {}, problems or {}),
        action=view.quantity(lesson, str(q), asked.step),
        base=view.quantity(lesson).partition("?")[0],
        query=asker.onward().partition("?")[2],
        notices=notices,
        variant=context.variant,
        changed=None if panel else answers.changed(),
        panel=panel,
    )


class _Asker:
    """The parts of a page about one number, or of the list to choose from."""

    def __init__(self, answers: Answers, q: Quantity | None) -> None:
        self.answers, self.context, self.asked = answers, answers.context, answers.asked
        self.q = q
        via = self.asked.via
        self.via = via[: via.index(q)] if q in via else via
        """The numbers before this one; asked once more, it takes its old place."""

    def ahead(self) -> str:
        """Why a number is not told."""
        assert self.q is not None
        if self.answers.place(self.q) == NEVER:
            return "The walk ends before this number."
        return f"Not computed yet at step {self.asked.step}."

    def seen(self) -> int:
        """The step whose picture is drawn: the one that makes the number, or that one asks from."""
        assert self.q is not None
        place = self.answers.place(self.q)
        seen = place if 0 < place != NEVER else self.asked.step or 1
        return seen if self.asked.step is None else min(seen, self.asked.step)

    # ---- links ----

    def address(self, q: Quantity) -> str:
        """The page of a number that is asked next."""
        way = list(self.via)
        if self.q is not None and q != self.q:
            way.append(self.q)
        return self._address(q, way[: way.index(q)] if q in way else way)

    def onward(self) -> str:
        """An address of a number that is asked next, whichever."""
        assert self.q is not None
        return self._address(self.q, [*self.via, self.q])

    def _address(self, q: Quantity, way: Iterable[Quantity]) -> str:
        view, lesson = self.context.view, self.context.source.id
        return view.quantity(lesson, str(q), self.asked.step, map(str, way))

    def crumbs(self) -> tuple[Crumb, ...]:
        line = self.context.line
        return tuple(
            Crumb(line.quantity(q), str(q), self._address(q, self.via[:n]))
            for n, q in enumerate(self.via)
        )

    def row(self, q: Quantity) -> NumberRow:
        """A number with what may be told of it."""
        context, place, value = self.context, self.context.step_of(q), self.context.fact(q)[1]
        known = self.answers.known(q)
        return NumberRow(
            context.line.quantity(q),
            str(q),
            self.answers.title(q),
            self.address(q),
            number.shown(value, context.decimals) if known and value is not None else "",
            self.answers.origin(q)
            if context.walk.starts_from(q)
            else f"step {place}"
            if place > 0
            else "",
            context.address(place) if place > 0 else "",
        )

    # ---- what it is made of, what is made of it ----

    def operands(self) -> tuple[tuple[NumberRow, ...], str]:
        """The numbers of its formula, and how many are not listed."""
        assert self.q is not None
        refs = self.answers.operands(self.q)
        if not refs:
            return (), ""
        left_out = self.answers.elided(self.q)
        more = [f"{len(refs) - MOST_OPERANDS} more"] if len(refs) > MOST_OPERANDS else []
        more += [f"those of the {left_out:,} terms left out of the sum"] if left_out else []
        rows = tuple(map(self.row, refs[:MOST_OPERANDS]))
        return rows, f"and {' and '.join(more)}" if more else ""

    def users(self) -> tuple[tuple[NumberRow, ...], str]:
        """The later numbers whose formula has it, as far as the walk comes to them."""
        assert self.q is not None
        found, total = list[Quantity](), 0
        for first, count in self.answers.users(self.q):
            reached = [q for q in first[:OF_ONE_KIND] if self.answers.there(q)]
            found += reached
            total += count if reached else 0
        found.sort(key=self.answers.place)
        listed = found[:MOST_USERS]
        more = total - len(listed)
        return tuple(map(self.row, listed)), f"and {more:,} more" if more else ""


# ---- the list to choose from ----


@dataclass(frozen=True, slots=True)
class QuantitiesPage:
    """The numbers of a step, and a field for the name of any other."""

    lesson_title: str
    home: str
    title: str
    rows: tuple[NumberRow, ...]
    more: str
    examples: str
    action: str
    hidden: tuple[tuple[str, str], ...]
    """What else of the address the form sends along."""
    typed: str
    problem: str
    near: tuple[Link, ...]
    back: str
    back_n: int
    notices: tuple[str, ...]
    panel: bool

    @property
    def level(self) -> int:
        """The level of its heading: a page has one first heading."""
        return 2 if self.panel else 1


def quantities_page(
    answers: Answers,
    notices: tuple[str, ...] = (),
    *,
    panel: bool = False,
    typed: str = "",
    problem: str = "",
    near: tuple[Link, ...] = (),
    hidden: tuple[tuple[str, str], ...] = (),
) -> QuantitiesPage:
    """What a step makes and uses; without a step, what the lesson starts from and ends with."""
    context, asked = answers.context, answers.asked
    asker = _Asker(answers, None)
    numbers = list(answers.of_step(asked.step) if asked.step else answers.ends())
    numbers = [q for q in numbers if context.fact(q)[1] is not None]
    listed = numbers[:MOST_CHOICES]
    more = len(numbers) - len(listed)
    return QuantitiesPage(
        lesson_title=context.lesson.scenario.title,
        home=context.home,
        title=f"The numbers of step {asked.step}" if asked.step else "Ask about a number",
        rows=tuple(map(asker.row, listed)),
        more=f"and {more:,} more" if more > 0 else "",
        examples=", ".join(list(answers.examples(numbers))[:3]),
        action=context.view.quantity(context.source.id).partition("?")[0],
        hidden=hidden,
        typed=typed,
        problem=problem,
        near=near,
        back=context.address(asked.step) if asked.step else "",
        back_n=asked.step or 0,
        notices=notices,
        panel=panel,
    )
