"""A number of a lesson by itself: how it came about, from what, at which step, and who uses it.

    quantity_page(context, q, asked)     -> QuantityPage       one number
    quantities_page(context, asked)      -> QuantitiesPage     the numbers of a step, to choose from

A page of its own, and the panel beside a step: the same template, one heading lower. Asked from a
step, it tells nothing that the walk has not come to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from tutor import number
from tutor.draw.diagram import draw
from tutor.engine.derivation import derive
from tutor.engine.kinds import BACKWARD
from tutor.engine.nudge import can_nudge, gradient_of
from tutor.engine.quantity import Quantity, example
from tutor.engine.tree import Elided, walk
from tutor.engine.users import leading_to, operands_of, users
from tutor.lesson.explain import explain
from tutor.lesson.formula import Formula
from tutor.lesson.given import changeable_name, given_reason, named
from tutor.lesson.walk import NEVER
from tutor.notation.markup import Markup
from tutor.pages.cells import TableMaker
from tutor.pages.context import Context
from tutor.pages.data_facts import unscaled
from tutor.pages.glossary import address
from tutor.pages.nudge_view import NudgeView, nudge_view
from tutor.pages.outline import Link
from tutor.pages.quantity_query import Asked
from tutor.pages.step_page import scene
from tutor.pages.what_if import Changed, ChangeField, change_fields, changed

MOST_OPERANDS = 12
MOST_USERS, OF_ONE_KIND = 12, 3
"""How many later numbers are listed, and how many of one kind and layer."""
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
    open: bool
    """Whether the walk has come to it, so that it can be told."""
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
    crumbs: tuple[Crumb, ...]
    """From the number that was asked first."""
    back: str
    """The step that one came from; "" where one came from none."""
    back_n: int
    choose: str
    """The list of numbers to ask about."""
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


def quantity_page(
    context: Context,
    q: Quantity,
    asked: Asked,
    notices: tuple[str, ...] = (),
    *,
    panel: bool = False,
    typed: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
) -> QuantityPage:
    """The page of one number; `typed` and `problems` are of the form that changes it."""
    asker = _Asker(context, q, asked)
    told = asker.known(q)
    given = context.walk.starts_from(q)
    words = None if given else explain(context.trace, q)
    shown = told and not given
    operands, more = asker.operands() if shown else ((), "")
    later, more_later = asker.users()
    place = context.step_of(q)
    term = words.term if words else None
    old = context.was(q) if told else None
    value = context.trace.value(q)
    view, lesson = context.view, context.source.id
    field = changeable_name(q, context.lesson)
    nudge, later_nudge = asker.nudge()
    return QuantityPage(
        name=str(q),
        lesson_title=context.lesson.scenario.title,
        home=context.home,
        title=named(context.trace, q),
        symbol=context.line.quantity(q),
        value=number.shown(value, context.decimals) if told else "",
        was="" if old is None else number.apart(old, value, context.decimals),
        why=(words.reason or words.why) if words else asker.given_reason(),
        term=term,
        glossary=address(term[0]) if term else "",
        open=told,
        ahead="" if told else asker.ahead(),
        formula=context.formulas.number(q) if shown else None,
        made=f"step {place}" if place > 0 else asker.scaled()[0],
        made_href=context.address(place) if place > 0 else asker.scaled()[1],
        operands=operands,
        more_operands=more,
        users=later,
        more_users=more_later,
        diagram=asker.diagram(),
        crumbs=asker.crumbs(),
        back=context.address(asked.step) if asked.step else "",
        back_n=asked.step or 0,
        choose=view.quantity(lesson, step=asked.step),
        nudge=nudge,
        later=later_nudge,
        fields=change_fields(context, field, typed or {}, dict(problems or {})) if field else (),
        action=view.quantity(lesson, str(q), asked.step),
        base=view.quantity(lesson).partition("?")[0],
        query=asker.onward().partition("?")[2],
        notices=notices,
        variant=context.variant,
        changed=None if panel else changed(context, None),
        panel=panel,
    )


class _Asker:
    """Answers about one number, asked from a step or from none."""

    def __init__(self, context: Context, q: Quantity | None, asked: Asked) -> None:
        self.context, self.trace, self.asked = context, context.trace, asked
        self.q = q
        via = asked.via
        self.via = via[: via.index(q)] if q in via else via
        """The numbers before this one; asked once more, it takes its old place."""

    def known(self, q: Quantity) -> bool:
        """Whether a number may be told: the walk has come to it."""
        place = self.place(q)
        return place != NEVER and (self.asked.step is None or place <= self.asked.step)

    def place(self, q: Quantity) -> int:
        """The step that makes q; 0 where it is given. The derivatives with respect to the inputs
        are known behind the backward pass, whether or not they are steps.
        """
        place = self.context.walk.place(q)
        if place == NEVER and q.of.phase == BACKWARD and not q.layer:
            ends = (last for phase, _, last in self.context.walk.phases() if phase == BACKWARD)
            return next(ends, NEVER) if self.trace.stop is None else NEVER
        return place

    def ahead(self) -> str:
        """Why a number is not told."""
        assert self.q is not None
        if self.place(self.q) == NEVER:
            return "The walk ends before this number."
        return f"Not computed yet at step {self.asked.step}."

    def given_reason(self) -> str:
        """Where a given number comes from."""
        assert self.q is not None
        raw = unscaled(self.context, self.q)
        scaled = f" Before scaling it was {raw}." if raw else ""
        return given_reason(self.q, self.context.lesson.iteration) + scaled

    def scaled(self) -> tuple[str, str]:
        """The step that scales an input, and its address, where this walk starts behind it."""
        assert self.q is not None
        if not unscaled(self.context, self.q):
            return "", ""
        view, lesson = self.context.view, self.context.lesson.from_raw
        n = lesson.walk(view.grain).place(self.q)
        source = self.context.source
        return f"step {n}, which scales it", view.from_raw(source).address(source.id, n)

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
        known = self.known(q)
        return NumberRow(
            context.line.quantity(q),
            str(q),
            named(self.trace, q),
            self.address(q),
            number.shown(value, context.decimals) if known and value is not None else "",
            self._origin(q)
            if context.walk.starts_from(q)
            else f"step {place}"
            if place > 0
            else "",
            context.address(place) if place > 0 else "",
        )

    def _origin(self, q: Quantity) -> str:
        """Where a given number comes from, in a word or two."""
        iteration = self.context.lesson.iteration
        later = iteration > 1 and q.of.parameter
        return f"after iteration {iteration - 1}" if later else "given"

    # ---- what it is made of, what is made of it ----

    def operands(self) -> tuple[tuple[NumberRow, ...], str]:
        """The numbers of its formula, and how many are not listed."""
        assert self.q is not None
        refs = operands_of(self.trace, self.q)
        if not refs:
            return (), ""
        tree = derive(self.trace, self.q).tree
        middle = [node for node in walk(tree, self.trace) if isinstance(node, Elided)]
        more = [f"{len(refs) - MOST_OPERANDS} more"] if len(refs) > MOST_OPERANDS else []
        more += [f"those of the {node.count:,} terms left out of the sum" for node in middle]
        return tuple(
            map(self.row, refs[:MOST_OPERANDS])
        ), f"and {' and '.join(more)}" if more else ""

    def users(self) -> tuple[tuple[NumberRow, ...], str]:
        """The later numbers whose formula has it, as far as the walk comes to them."""
        assert self.q is not None
        found, total = list[Quantity](), 0
        for one in users(self.trace, self.q):
            first = [q for q in one.first(OF_ONE_KIND) if self._there(q)]
            found += first
            total += one.count if first else 0
        found.sort(key=self.place)
        listed = found[:MOST_USERS]
        more = total - len(listed)
        return tuple(map(self.row, listed)), f"and {more:,} more" if more else ""

    def _there(self, q: Quantity) -> bool:
        """Whether the walk arrives at a number, and there is one."""
        return self.place(q) != NEVER and self.context.fact(q)[1] is not None

    def nudge(self) -> tuple[NudgeView | None, str]:
        """The loss as a function of it; where the gradient is still ahead, when."""
        assert self.q is not None
        if not can_nudge(self.trace, self.q):
            return None, ""
        if self.context.view.paper:
            return None, "Numbers rounded as on paper cannot be nudged; in full precision they can."
        gradient = gradient_of(self.q)
        if not self.known(gradient):
            return None, f"Once step {self.place(gradient)} is done, you can nudge it here."
        return nudge_view(self.context, self.q, self.asked), ""

    # ---- the picture ----

    def diagram(self) -> Markup:
        """The network, with the way along which the number came about drawn as in use. It shows
        what is known when the number is made, or at the step one asks from.
        """
        assert self.q is not None
        context, q = self.context, self.q
        place = self.place(q)
        seen = place if 0 < place != NEVER else self.asked.step or 1
        if self.asked.step is not None:
            seen = min(seen, self.asked.step)
        step = context.step(seen)
        told = self.known(q)
        sample = q.sample or step.sample
        way = (
            leading_to(self.trace, q, sample)
            if told and not context.walk.starts_from(q)
            else frozenset({q})
        )
        makes = frozenset({q}) if told and not context.walk.starts_from(q) else frozenset()
        maker = TableMaker(context, step, way - makes if told else frozenset(), makes)
        return draw(replace(scene(maker, named(self.trace, q)), sample=sample))


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
    context: Context,
    asked: Asked,
    notices: tuple[str, ...] = (),
    *,
    panel: bool = False,
    typed: str = "",
    problem: str = "",
    near: tuple[Link, ...] = (),
    hidden: tuple[tuple[str, str], ...] = (),
) -> QuantitiesPage:
    """What a step makes and uses; without a step, what the lesson starts from and ends with."""
    asker = _Asker(context, None, asked)
    numbers = list(_of_step(context, asked.step) if asked.step else _ends(context))
    numbers = [q for q in numbers if context.fact(q)[1] is not None]
    listed = numbers[:MOST_CHOICES]
    more = len(numbers) - len(listed)
    kinds = dict.fromkeys(q.kind for q in numbers if q.of.contract)
    return QuantitiesPage(
        lesson_title=context.lesson.scenario.title,
        home=context.home,
        title=f"The numbers of step {asked.step}" if asked.step else "Ask about a number",
        rows=tuple(map(asker.row, listed)),
        more=f"and {more:,} more" if more > 0 else "",
        examples=", ".join([*map(example, list(kinds)[:3])]),
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


def _of_step(context: Context, n: int) -> Iterator[Quantity]:
    """What a step makes, then what it uses."""
    step = context.step(n)
    if not step.stages:
        yield step.anchor
        yield from operands_of(context.trace, step.anchor)
        return
    formulas = [context.formulas.stage(stage, brief=True) for stage in step.stages]
    made = [q for f in formulas for q in sorted(f.makes)]
    used = [q for f in formulas for q in sorted(f.uses)]
    yield from (q for q in dict.fromkeys([*made, *used]) if context.walk.place(q) <= n)


def _ends(context: Context) -> Iterator[Quantity]:
    """The loss, then what it is computed from, nearest first."""
    loss = Quantity("loss")
    if context.walk.place(loss) == NEVER:
        loss = context.walk.anchor(len(context.walk))
    yield loss
    trace = context.trace
    sample = 1 if trace.samples > 1 else 0
    found = leading_to(trace, loss, sample)
    yield from sorted(found, key=lambda q: (-context.walk.place(q), q))
