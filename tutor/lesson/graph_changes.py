"""What if, for a formula: some of its values changed, in the address of every page.

    read(query, scenario)          -> (changes, notices)          from an address
    edited(changes, form, scen.)   -> (changes, {name: problem})  from a form
    apply(scenario, changes)       -> GraphScenario
    listed(scenario, changes)      -> (ValueChange, …)            old and new, to be told

A change has the name of a number: `w0`, or `v[2]` for an entry of a list. Like those of networks,
changes are canonical: in the order of the formula, each once, and nothing that is there anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tutor import number
from tutor.engine.graph import Graph
from tutor.engine.quantity import Quantity
from tutor.errors import NumberError, QuantityError
from tutor.lesson.changes import AnyChange, Changes, repeated, sentence, too_many, within
from tutor.scenario.graph_file import Value, graph_of
from tutor.scenario.problem import quotable
from tutor.scenario.reader import GraphScenario


@dataclass(frozen=True, slots=True)
class ValueChange(AnyChange):
    """A changed value of a formula."""

    quantity: Quantity = field(kw_only=True)

    @property
    def name(self) -> str:
        return str(self.quantity)

    @property
    def number(self) -> bool:
        return True


def stem(name: str) -> str:
    """The name of the value that an entry belongs to."""
    return name.partition("[")[0]


def known(name: str, scenario: GraphScenario) -> bool:
    """Whether a part of an address is about a value."""
    return stem(name) in scenario.graph.values


def own(scenario: GraphScenario, q: Quantity) -> float:
    """A number that the formula starts from."""
    node = graph_of(scenario.graph).nodes[q.kind]
    return entry(scenario.graph.values[node.name], q)


def entry(value: Value, q: Quantity) -> float:
    """One number of a value."""
    found: object = value
    for index in (q.i, q.j):
        if index:
            assert isinstance(found, tuple)
            found = found[index - 1]
    assert isinstance(found, float)
    return found


def read(query_: Mapping[str, str], scenario: GraphScenario) -> tuple[Changes, tuple[str, ...]]:
    """The changes that a query asks for, and a notice for each part of it that was ignored."""
    notices: list[str] = []
    wanted: dict[Quantity, float] = {}
    graph = graph_of(scenario.graph)
    for name in query_:
        if not known(name, scenario):
            continue
        notices += repeated(query_, name)
        try:
            q = _given(graph, name)
            wanted[q] = number.read(query_[name])
        except (QuantityError, NumberError) as error:
            notices.append(sentence(f"“{quotable(name)}” is not changed: {error}"))
    return within(_canonical(wanted, scenario), notices), tuple(notices)


def _given(graph: Graph, name: str) -> Quantity:
    q = graph.parse(name)
    if not q.given:
        raise QuantityError(f"{name} is computed; change the values that it is made of")
    return q


def _canonical(wanted: Mapping[Quantity, float], scenario: GraphScenario) -> Changes:
    rank = {kind: n for n, kind in enumerate(graph_of(scenario.graph).nodes)}
    return tuple(
        (str(q), number.short(wanted[q]))
        for q in sorted(wanted, key=lambda q: (rank[q.kind], q.i, q.j))
        if wanted[q] != own(scenario, q)
    )


def edited(
    now: Changes, form: Mapping[str, str], scenario: GraphScenario
) -> tuple[Changes, dict[str, str]]:
    """The changes after a form was sent, and a problem for each field that cannot be taken."""
    problems: dict[str, str] = {}
    graph = graph_of(scenario.graph)
    wanted = {graph.parse(name): number.read(text) for name, text in now}
    for name, text in form.items():
        try:
            wanted[_given(graph, name)] = number.read(text)
        except (QuantityError, NumberError) as error:
            problems[name] = sentence(str(error))
    after = _canonical(wanted, scenario)
    if said := too_many(after):
        problems[""] = said
    return (now, problems) if problems else (after, {})


def apply(scenario: GraphScenario, changes: Changes) -> GraphScenario:
    """The scenario with the changes made; what spoke of its own numbers is left out."""
    if not changes:
        return scenario
    graph = graph_of(scenario.graph)
    values = dict(scenario.graph.values)
    for name, text in changes:
        q = graph.parse(name)
        values[stem(name)] = _put(values[stem(name)], (q.i, q.j), number.read(text))
    spec = scenario.graph.model_copy(update={"values": values})
    return replace(scenario, graph=spec, printed=(), notes=(), checks=(), lecture=None)


def _put(value: Value, at: tuple[int, ...], new: float) -> Value:
    """A value with one of its numbers replaced."""
    if not isinstance(value, tuple):
        return new
    rows: list[object] = list(value)
    rows[at[0] - 1] = _put(value[at[0] - 1], at[1:], new)
    return tuple(rows)  # type: ignore[return-value]


def listed(scenario: GraphScenario, changes: Changes) -> tuple[ValueChange, ...]:
    """What is changed, with what the lesson itself has there."""
    graph = graph_of(scenario.graph)
    parsed = ((graph.parse(name), text) for name, text in changes)
    return tuple(
        ValueChange(number.short(own(scenario, q)), text, quantity=q) for q, text in parsed
    )
