"""What a formula answers about its numbers: values, nodes and derivatives.

find(context, name) -> Quantity      or UnknownQuantity, with the nearest names
GraphAnswers(context, asked)         for `tutor.pages.quantity_page`
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property

from tutor import suggestion
from tutor.draw.graph import draw_graph
from tutor.engine import other_names
from tutor.engine.graph import GraphNode, quantity
from tutor.engine.graph_jacobians import has_matrix
from tutor.engine.graph_nudge import GraphNudger
from tutor.engine.graph_users import leading_to, operands_of, users
from tutor.engine.operation import shape_words
from tutor.engine.program import Name
from tutor.engine.quantity import Quantity
from tutor.engine.tree import Elided, walk
from tutor.errors import QuantityError
from tutor.lesson import graph_changes, graph_words
from tutor.lesson.changes import Changes
from tutor.lesson.explain import Explanation
from tutor.lesson.formula import Formula
from tutor.lesson.titles import capital
from tutor.notation.markup import Markup
from tutor.pages.gradient_flow import Health
from tutor.pages.graph_context import GraphContext
from tutor.pages.graph_flow import node_health
from tutor.pages.graph_panels import value_field
from tutor.pages.graph_step import graph_changed, scene_at
from tutor.pages.nudge_view import ROUNDED, Moved, NudgeView, nudge_view
from tutor.pages.outline import Link
from tutor.pages.quantity_page import MOST_CHOICES, OF_ONE_KIND, Answers
from tutor.pages.quantity_query import Asked, unknown
from tutor.pages.what_if import Changed, ChangeField

MOST_NEAR = 3


class GraphAnswers(Answers):
    """What a formula answers."""

    context: GraphContext
    drawn = "Its place in the graph, and the path that leads to it"

    def __init__(self, context: GraphContext, asked: Asked) -> None:
        super().__init__(context, asked)
        self.trace, self.graph = context.trace, context.graph

    def title(self, q: Quantity) -> str:
        return graph_words.title(self.trace, q)

    def words(self, q: Quantity) -> Explanation | None:
        if q.given:
            return None
        found = graph_words.explain(self.trace, q)
        return replace(found, reason=f"{found.why} {found.reason}".rstrip())

    def origin(self, q: Quantity) -> str:
        return "given"

    def given_reason(self, q: Quantity) -> str:
        return graph_words.GIVEN

    def formula(self, q: Quantity) -> Formula:
        return self.context.formulas.number(q)

    def operands(self, q: Quantity) -> tuple[Quantity, ...]:
        return operands_of(self.trace, q)

    def elided(self, q: Quantity) -> int:
        nodes = walk(self.graph.tree(q), self.trace)
        return sum(node.count for node in nodes if isinstance(node, Elided))

    def users(self, q: Quantity) -> Iterator[tuple[tuple[Quantity, ...], int]]:
        for one in users(self.trace, q):
            yield one.first(OF_ONE_KIND), one.count

    @cached_property
    def nudger(self) -> GraphNudger:
        """The result with a value moved."""
        return GraphNudger(self.trace)

    @cached_property
    def moved(self) -> Moved:
        name = self.graph.result.name
        return Moved(
            self.nudger, name, f"the result {name}", f"values of {name}", name,
            "formula", "a value that the formula is differentiated with respect to", "Value",
            self._with,
        )  # fmt: skip

    def array(self, name: Name) -> tuple[Markup, str]:
        kind, layer = name
        shape, line = self.graph.nodes[kind].shape, self.context.line
        symbol = line.matrix(kind, layer) if shape else line.quantity(quantity(kind))
        return symbol, capital(shape_words(shape))

    def health(self) -> Health | None:
        return node_health(self.context)

    def _with(self, q: Quantity, text: str) -> Changes | None:
        source = self.context.source
        after, problems = graph_changes.edited(self.context.view.changes, {str(q): text}, source)
        return None if problems else after

    def nudge(self, q: Quantity) -> tuple[NudgeView | None, str]:
        if not q.given or self.trace.stop is not None:
            return None, ""
        if not self.nudger.can(q):
            return None, f"{self.graph.result.name} is not differentiated with respect to {q} here."
        if self.trace.paper:
            return None, ROUNDED
        back = self.nudger.gradient_of(q)
        if not self.known(back):
            return None, f"Once step {self.place(back)} is done, you can nudge it here."
        return nudge_view(self.context, self.moved, q, self.asked), ""

    def diagram(self, q: Quantity, n: int) -> Markup:
        node = self.graph.nodes[q.of.by or q.kind]
        told, focus = self.known(q), (node.kind, *node.inputs)
        if q.given or not told:
            uses = frozenset({q} if told else ())
            return draw_graph(scene_at(self.context, n, focus, uses, caption=self.title(q)))
        way, made = leading_to(self.trace, q), frozenset({q})
        scene = scene_at(self.context, n, focus, way, made, q.of.phase, self.title(q))
        return draw_graph(replace(scene, whole_way=True))

    def fields(
        self, q: Quantity, typed: Mapping[str, str], problems: Mapping[str, str]
    ) -> tuple[ChangeField, ...]:
        return (value_field(self.context, q, typed, dict(problems)),) if q.given else ()

    def elsewhere(self, q: Quantity) -> Iterator[Link]:
        node = self.graph.nodes[q.of.by or q.kind]
        view, lesson = self.context.view, self.context.source.id
        ended = self.trace.stop is None and self.asked.step is None
        if ended and not node.given and has_matrix(node):
            yield Link(f"Jacobians of {node.name}", view.jacobians(lesson, node.name))
        if node.given and not q.given:
            yield from self.measured(q, q._replace(kind=node.kind))

    def changed(self) -> Changed | None:
        return graph_changed(self.context, None)

    def of_step(self, n: int) -> Iterator[Quantity]:
        step = self.context.step(n)
        by_number = self.context.view.grain == "number"
        made = [step.anchor] if by_number else [q for part in step.made for q in _entries(part)]
        yield from made
        if len(made) <= MOST_CHOICES:
            used = dict.fromkeys(o for q in made for o in operands_of(self.trace, q))
            yield from (q for q in used if q not in set(made))

    def ends(self) -> Iterator[Quantity]:
        """The result, then the derivatives with respect to its values, and the values."""
        graph = self.graph
        yield quantity(graph.result.kind)
        for name in graph.differentiate:
            node = graph.by_name.get(name)
            if node is not None:
                yield from node.entries(graph.derivative(node).kind)
        for node in graph.values:
            yield from node.entries()

    def examples(self, numbers: Iterable[Quantity]) -> Iterable[str]:
        return dict.fromkeys(map(str, sorted(numbers, key=lambda q: q.given)))


def _entries(part: tuple[str, GraphNode]) -> Iterator[Quantity]:
    kind, node = part
    return node.entries(kind)


# ---- names ----


def find(context: GraphContext, name: str) -> Quantity:
    """The quantity of this name, or of one that is written otherwise. Raises UnknownQuantity where
    the lesson has none.
    """
    graph = context.graph
    try:
        return graph.parse(name)
    except QuantityError as error:
        with suppress(QuantityError):
            return graph.parse(other_names.in_graph(name, graph.result.name, graph.by_name))
        raise unknown(context, name, str(error), tuple(_near(context, name))) from None


def _near(context: GraphContext, name: str) -> Iterator[Quantity]:
    """Numbers of the lesson whose names are nearest: of the node that is probably meant, with
    indices brought into their range, or the derivative with respect to it.
    """
    graph = context.graph
    stem = name.strip().partition("[")[0]
    wanted = stem.removeprefix(f"d{graph.result.name}/d")
    indices = [int(n) for n in re.findall(r"[0-9]{1,7}", name[len(stem) :])]
    for known in suggestion.nearest(wanted, graph.by_name, MOST_NEAR):
        node = graph.by_name[known]
        back = wanted != stem and node.kind in graph.needed
        kind = graph.derivative(node).kind if back else node.kind
        rest = [*indices, 1, 1]
        yield quantity(
            kind,
            tuple(min(max(at, 1), most) for at, most in zip(rest, node.shape, strict=False)),
        )
