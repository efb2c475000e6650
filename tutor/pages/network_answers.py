"""What a network answers about its numbers.

find(context, name) -> Quantity      or UnknownQuantity, with the nearest names
NetworkAnswers(context, asked)       for `tutor.pages.quantity_page`
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property

from tutor import suggestion
from tutor.draw.diagram import draw
from tutor.engine import other_names, quantity
from tutor.engine.derivation import derive
from tutor.engine.kinds import BACKWARD, KINDS, RULED
from tutor.engine.layer_graph import UP_TO
from tutor.engine.network_nudge import NetworkNudger, gradient_of, moved_for
from tutor.engine.order import Stage
from tutor.engine.program import Name
from tutor.engine.quantity import Quantity, example
from tutor.engine.tree import Elided, walk
from tutor.engine.users import leading_to, operands_of, users
from tutor.errors import QuantityError, TutorError
from tutor.lesson.changeable import sizes
from tutor.lesson.changes import Changes, edited
from tutor.lesson.explain import Explanation, explain
from tutor.lesson.formula import Formula
from tutor.lesson.given import changeable_name, given_reason, named
from tutor.lesson.titles import capital, inside, place
from tutor.lesson.walk import NEVER
from tutor.notation.markup import Markup
from tutor.pages.cells import TableMaker
from tutor.pages.context import Context
from tutor.pages.data_facts import unscaled
from tutor.pages.gradient_flow import Health, layer_health
from tutor.pages.nudge_view import ROUNDED, Moved, NudgeView, nudge_view
from tutor.pages.outline import Link
from tutor.pages.paths_page import derivative
from tutor.pages.quantity_page import OF_ONE_KIND, Answers
from tutor.pages.quantity_query import Asked, unknown
from tutor.pages.step_page import scene
from tutor.pages.what_if import Changed, ChangeField, change_fields, changed
from tutor.scenario import names

MOST_NEAR = 3
IN_GRAPH = (*UP_TO, BACKWARD)
"""The phases whose numbers the computation graph has."""


class NetworkAnswers(Answers):
    """What a network answers."""

    context: Context
    drawn = "Its place in the network, and the path that leads to it"

    def __init__(self, context: Context, asked: Asked) -> None:
        super().__init__(context, asked)
        self.trace = context.trace

    def place(self, q: Quantity) -> int:
        """The derivatives with respect to the inputs are known behind the backward pass, whether or
        not they are steps.
        """
        place = super().place(q)
        if place == NEVER and q.of.phase == BACKWARD and not q.layer:
            ends = (last for phase, _, last in self.context.walk.phases() if phase == BACKWARD)
            return next(ends, NEVER) if self.trace.stop is None else NEVER
        return place

    def title(self, q: Quantity) -> str:
        return named(self.trace, q)

    def words(self, q: Quantity) -> Explanation | None:
        return None if self.context.walk.starts_from(q) else explain(self.trace, q)

    def origin(self, q: Quantity) -> str:
        iteration = self.context.lesson.iteration
        later = iteration > 1 and q.of.parameter
        return f"after iteration {iteration - 1}" if later else "given"

    def given_reason(self, q: Quantity) -> str:
        raw = unscaled(self.context, q)
        scaled = f" Before scaling it was {raw}." if raw else ""
        return given_reason(q, self.context.lesson.iteration) + scaled

    def made_before(self, q: Quantity) -> tuple[str, str]:
        """The step that scales an input, where this walk starts behind it."""
        if not unscaled(self.context, q):
            return "", ""
        view, source = self.context.view, self.context.source
        n = self.context.lesson.from_raw.walk(view.grain).place(q)
        return f"step {n}, which scales it", view.from_raw(source).address(source.id, n)

    def formula(self, q: Quantity) -> Formula:
        return self.context.formulas.number(q)

    def operands(self, q: Quantity) -> tuple[Quantity, ...]:
        return operands_of(self.trace, q)

    def elided(self, q: Quantity) -> int:
        nodes = walk(derive(self.trace, q).tree, self.trace)
        return sum(node.count for node in nodes if isinstance(node, Elided))

    def users(self, q: Quantity) -> Iterator[tuple[tuple[Quantity, ...], int]]:
        for one in users(self.trace, q):
            yield one.first(OF_ONE_KIND), one.count

    @cached_property
    def moved(self) -> Moved:
        return Moved(
            NetworkNudger(self.trace), "loss", "the loss", "losses", self.context.notation.loss,
            "network", "a weight, a bias or an input", "Array", self._with,
        )  # fmt: skip

    def array(self, name: Name) -> tuple[Markup, str]:
        kind, layer = name
        symbol = self.context.line.matrix(kind, layer)
        if not layer:
            return symbol, "Inputs"
        what = inside([Stage(KINDS[kind].phase, kind, layer)])
        return symbol, capital(f"{what} of {place(self.trace.network, layer)}")

    def health(self) -> Health | None:
        return layer_health(self.context)

    def _with(self, q: Quantity, text: str) -> Changes | None:
        name, source = changeable_name(q, self.context.lesson), self.context.source
        if not name or (q.of.role == "data" and source.data.scale is not None):
            return None
        after, problems = edited(self.context.view.changes, {name: text}, source)
        return None if problems else after

    def nudge(self, q: Quantity) -> tuple[NudgeView | None, str]:
        if not q.given or not self.moved.nudger.can(q):
            return None, ""
        if self.context.trace.paper:
            return None, ROUNDED
        gradient = gradient_of(q)
        if not self.known(gradient):
            return None, f"Once step {self.place(gradient)} is done, you can nudge it here."
        return nudge_view(self.context, self.moved, q, self.asked), ""

    def diagram(self, q: Quantity, n: int) -> Markup:
        step = self.context.step(n)
        told = self.known(q)
        sample = q.sample or step.sample
        made = told and not self.context.walk.starts_from(q)
        way = leading_to(self.trace, q, sample) if made else frozenset({q})
        makes = frozenset({q}) if made else frozenset()
        maker = TableMaker(self.context, step, way - makes if told else frozenset(), makes)
        return draw(replace(scene(maker, named(self.trace, q)), sample=sample))

    def fields(
        self, q: Quantity, typed: Mapping[str, str], problems: Mapping[str, str]
    ) -> tuple[ChangeField, ...]:
        field = changeable_name(q, self.context.lesson)
        return change_fields(self.context, field, typed, dict(problems)) if field else ()

    def elsewhere(self, q: Quantity) -> Iterator[Link]:
        view, lesson = self.context.view, self.context.source.id
        if q.of.phase in IN_GRAPH and q.of.role not in RULED:
            layers = (q.layer,) if q.layer else ()
            graph = view.layer_graph(lesson, layers, max(q.sample, 1))
            yield Link("Its place in the computation graph", graph)
        gradient = self._gradient(q)
        if gradient and self.known(gradient):
            yield Link("All its paths to the loss", view.paths(lesson, str(gradient)))
        if moved := moved_for(q):
            yield from self.measured(q, moved)

    def _gradient(self, q: Quantity) -> Quantity | None:
        """The derivative that paths lead along: q, or the one with respect to q; of several samples
        for the first.
        """
        try:
            return derivative(self.context, str(q))
        except TutorError:
            return None

    def changed(self) -> Changed | None:
        return changed(self.context, None)

    def of_step(self, n: int) -> Iterator[Quantity]:
        context, step = self.context, self.context.step(n)
        if not step.stages:
            yield step.anchor
            yield from operands_of(self.trace, step.anchor)
            return
        formulas = [context.formulas.stage(stage, brief=True) for stage in step.stages]
        made = [q for f in formulas for q in sorted(f.makes)]
        used = [q for f in formulas for q in sorted(f.uses)]
        yield from (q for q in dict.fromkeys([*made, *used]) if context.walk.place(q) <= n)

    def ends(self) -> Iterator[Quantity]:
        """The loss, then what it is computed from, nearest first."""
        walk, loss = self.context.walk, Quantity("loss")
        if walk.place(loss) == NEVER:
            loss = walk.anchor(len(walk))
        yield loss
        found = leading_to(self.trace, loss, 1 if self.trace.samples > 1 else 0)
        yield from sorted(found, key=lambda q: (-walk.place(q), q))

    def examples(self, numbers: Iterable[Quantity]) -> Iterable[str]:
        return map(example, dict.fromkeys(q.kind for q in numbers if q.of.contract))


# ---- names ----


def find(context: Context, name: str) -> Quantity:
    """The quantity of this name, or of one that is written otherwise. Raises UnknownQuantity where
    the lesson has none.
    """
    found, refused = _own(context, name)
    if found is None and (ours := other_names.in_network(name, context.trace.network.depth)):
        found, _ = _own(context, ours)
    if found is None:
        raise unknown(context, name, refused, tuple(_near(context, name)))
    return found


def _own(context: Context, name: str) -> tuple[Quantity | None, str]:
    """The quantity of a name in our own writing, or why there is none."""
    refused = _refusal(context, name)
    if refused:
        return None, refused
    q = quantity.parse(name)
    try:
        context.trace.value(q)
    except KeyError:
        return None, f"this lesson does not compute {name}"
    return q, ""


def _refusal(context: Context, name: str) -> str:
    """Why this lesson has no number of this name, or ""."""
    scenario, trace = context.lesson.scenario, context.trace
    try:
        refused = names.refusal(name, replace(sizes(scenario), samples=trace.samples))
    except QuantityError as error:
        return str(error)
    return refused


def _near(context: Context, name: str) -> Iterator[Quantity]:
    """Numbers of the lesson whose names are nearest: of the kind that is probably meant, with
    indices brought into their range.
    """
    stem = re.split(r"[\[@\s(]", name.strip(), maxsplit=1)[0]
    kind = stem if stem in KINDS else suggestion.meant(stem, KINDS)
    if not kind:
        return
    wanted = [int(n) for n in re.findall(r"[0-9]{1,7}", name[len(stem) :])]
    trace, of, found = context.trace, KINDS[kind], 0
    lowest, highest = (1, trace.network.depth) if of.layered else (0, 0)
    layer = min(max(wanted[0] if of.layered and wanted else lowest, lowest), highest)
    indices = wanted[1 if of.layered else 0 :]
    for at in sorted(range(lowest, highest + 1), key=lambda one: abs(one - layer)):
        q = _clamped(context, kind, at, indices)
        if q is not None and not _refusal(context, str(q)):
            yield q
            found += 1
        if found == MOST_NEAR:
            return


def _clamped(context: Context, kind: str, layer: int, indices: list[int]) -> Quantity | None:
    """The entry of an array that is nearest to these indices."""
    trace, of = context.trace, KINDS[kind]
    if not of.axes:
        return Quantity(kind)
    try:
        shape = trace.array(kind, layer).shape
    except KeyError:
        return None
    rest = [*indices, 1, 1, 1]
    i = min(max(rest[0], 1), shape[0] if of.parameter else shape[1])
    j = min(max(rest[1], 1), shape[1]) if of.weights else 0
    at = rest[of.indices]
    sample = min(max(at, 1), trace.samples) if of.per_sample and trace.samples > 1 else 0
    return Quantity(kind, layer, i, j, sample)
