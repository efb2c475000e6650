"""What stands beside all steps of a formula: the outline, the numbers that can be changed, the
settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from tutor import number
from tutor.engine.graph import GraphNode, quantity
from tutor.engine.quantity import Quantity
from tutor.lesson import graph_words
from tutor.lesson.explain import PHASE_TITLES
from tutor.lesson.graph_changes import own
from tutor.lesson.graph_lesson import Computed
from tutor.notation.node_names import DERIVATIVES, TOTAL
from tutor.pages.graph_context import GraphContext
from tutor.pages.outline import Address, Chapter, PlaceLink
from tutor.pages.panels import Choices, Panels, decimal_choices, paper_choices
from tutor.pages.what_if import (
    MOST_FIELDS,
    NAME,
    NOTHING,
    TITLES,
    VALUE,
    ChangeField,
    FieldRow,
    FieldTable,
    WhatIfForm,
)

MOST_PLACES = 40
"""Places of the outline in each direction."""


def graph_panels(
    context: GraphContext,
    n: int,
    typed: Mapping[str, str] = NOTHING,
    problems: Mapping[str, str] = NOTHING,
) -> Panels:
    """The outline, the settings and the form at step n; `typed` and `problems` are of a form that
    was sent and cannot be taken.
    """
    view, lesson = context.view, context.source.id
    toggle = replace(view, present=not view.present).query()
    return Panels(
        tuple(graph_outline(context, n, context.href)), graph_choices(context),
        graph_form(context, n, typed, problems), view.present,
        view.export(lesson), view.share(lesson, n), view.edit(lesson), f"?{toggle}",
    )  # fmt: skip


def graph_choices(context: GraphContext) -> Choices:
    """Notations of derivatives and decimals to choose from, with what is chosen."""
    view = context.view
    names = tuple(
        (key, way.title, key == (view.notation or TOTAL)) for key, way in DERIVATIVES.items()
    )
    hidden = [("grain", view.grain)] if view.grain != "number" else []
    hidden += [("present", "yes")] if view.present else []
    rest = (*hidden, *view.carried(), *view.changes)
    return Choices(names, decimal_choices(context), (), rest, paper_choices(context))


def graph_outline(context: GraphContext, n: int, address: Address) -> Iterator[Chapter]:
    """The nodes that are computed, forward and backward; of many some. Step n is shown."""
    if context.view.grain == "pass":
        return
    for phase, _, _ in context.walk.phases():
        own = [c for c in context.walk.computed if quantity(c[0]).of.phase == phase]
        every = -(-len(own) // MOST_PLACES)
        links = tuple(_link(context, computed, n, address) for computed in own[::every])
        yield Chapter(PHASE_TITLES[phase], links)


def _link(context: GraphContext, computed: Computed, n: int, address: Address) -> PlaceLink:
    kind, node = computed
    first = next(node.entries(kind))
    start = context.step_of(first)
    end = start + (node.size if context.view.grain == "number" else 1)
    text = graph_words.title(context.trace, quantity(kind))
    symbol = context.line.matrix(kind, 0) if node.shape else context.line.quantity(first)
    return PlaceLink(text, (symbol,), address(start), start <= n < end, start)


# ---- what if ----


def graph_form(
    context: GraphContext,
    n: int,
    typed: Mapping[str, str] = NOTHING,
    problems: Mapping[str, str] = NOTHING,
) -> WhatIfForm:
    """The form in which every value can be changed; with very many values it asks for a name."""
    left = dict(problems)
    few = sum(node.size for node in context.graph.values) <= MOST_FIELDS
    fields, tables = [], []
    if few:
        for node in context.graph.values:
            if node.shape:
                tables.append(_table(context, node, typed, left))
            else:
                fields.append(value_field(context, quantity(node.kind), typed, left))
    else:
        fields += [
            ChangeField(name, f"if-{name}", TITLES[name], typed.get(name, ""), "",
                        left.pop(name, ""))
            for name in (NAME, VALUE)
        ]  # fmt: skip
    view = replace(context.view, embedded=False)
    return WhatIfForm(
        view.address(context.source.id, f"{n}/change"), bool(problems), tuple(tables),
        tuple(fields), (), "", " ".join(left.values()), view.edit(context.source.id), "", False,
        " ".join(node.name for node in context.graph.values),
    )  # fmt: skip


def _table(
    context: GraphContext, node: GraphNode, typed: Mapping[str, str], problems: dict[str, str]
) -> FieldTable:
    rows, columns = (node.shape[0], node.shape[1] if len(node.shape) > 1 else 0)

    def row(i: int) -> tuple[ChangeField, ...]:
        places = [(i, j) for j in range(1, columns + 1)] if columns else [(i,)]
        return tuple(
            value_field(context, quantity(node.kind, at), typed, problems) for at in places
        )

    heads = tuple(f"column {j}" for j in range(1, columns + 1)) or ("value",)
    return FieldTable(
        node.name, heads, tuple(FieldRow(f"row {i}", row(i)) for i in range(1, rows + 1))
    )


def value_field(
    context: GraphContext, q: Quantity, typed: Mapping[str, str], problems: dict[str, str]
) -> ChangeField:
    """The field that changes one number of a value."""
    name, now = str(q), own(context.lesson.scenario, q)
    before = own(context.source, q)
    other = context.line.alphabet.symbol(q).letter not in name  # alpha is written α
    return ChangeField(
        name, f"if-{name}", name, typed.get(name, number.short(now)),
        number.short(before) if before != now else "", problems.pop(name, ""),
        symbol=context.line.quantity(q) if other else "",
    )  # fmt: skip
