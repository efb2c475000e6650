"""The file of a graph lesson: a formula over named values in place of a network and its data.

    GraphFile           the shape of the file
    of(data)            what its parts must agree on, as (path, message)
    graph_of(spec)      the graph of a sound file

The values are single numbers, lists of numbers or lists of lists: `2`, `1/3`, `[1, 2]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from math import prod
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

from tutor import limits, number, suggestion
from tutor.errors import NumberError, TutorError
from tutor.number import counted
from tutor.scenario import checks
from tutor.scenario.model import (
    About,
    Check,
    Display,
    FormatNumber,
    Lecture,
    LineText,
    Model,
    Note,
    Printed,
    Title,
    origin_id,
)
from tutor.scenario.problem import Found, described, quotable

if TYPE_CHECKING:
    from tutor.engine.graph import Graph
    from tutor.scenario.formula_text import Parsed

Value: TypeAlias = float | tuple[float, ...] | tuple[tuple[float, ...], ...]
LIKE: Final = "write a number, a list such as [1, 2], or rows such as [[1, 2], [3, 4]]"


def _said(text: str) -> PydanticCustomError:
    return PydanticCustomError("said", "{text}", {"text": text})


def value_of(raw: object) -> Value:
    """A value as a file or a form has it. Raises a PydanticCustomError."""
    if not isinstance(raw, tuple | list):
        return _number(raw)
    if not raw:
        raise _said(f"is empty; {LIKE}")
    if not any(isinstance(row, tuple | list) for row in raw):
        return tuple(map(_number, raw))
    widths = {len(row) if isinstance(row, tuple | list) else 0 for row in raw}
    if len(widths) > 1 or not min(widths):
        raise _said(f"expected rows of the same length; {LIKE}")
    return tuple(tuple(map(_number, row)) for row in raw)


def _number(raw: object) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise _said(f"expected a number, got {described(raw)}; {LIKE}")
    try:
        return number.read(raw) if isinstance(raw, str) else float(raw)
    except NumberError as error:
        raise _said(str(error)) from None
    except OverflowError:
        raise _said("the number is too large; numbers go up to about 1.8e308") from None


def _some(values: Mapping[str, Value]) -> Mapping[str, Value]:
    if not values:
        raise _said("is empty; give each name in the formula a value, such as {x: 2}")
    return values


GraphValue: TypeAlias = Annotated[Any, BeforeValidator(value_of)]
FormulaText: TypeAlias = Annotated[str, Field(max_length=limits.GRAPH_EXPRESSION)]


class GraphSpec(Model):
    """A formula, its values, and with respect to which of them it is differentiated."""

    expression: FormulaText
    names: dict[str, FormulaText] = Field(default_factory=dict)
    values: Annotated[dict[str, GraphValue], AfterValidator(_some)]
    differentiate: tuple[str, ...] = ()
    result: str = "f"


class GraphFile(Model):
    """A whole file."""

    format: FormatNumber
    title: Title
    course: LineText | None = None
    about: About | None = None
    lecture: Lecture | None = None
    origin: Annotated[str, AfterValidator(origin_id)] | None = None
    learn: tuple[LineText, ...] = Field((), max_length=limits.LEARN)
    graph: GraphSpec
    display: Display = Display()
    printed: tuple[Printed, ...] = Field((), max_length=limits.PRINTED)
    notes: tuple[Note, ...] = Field((), max_length=limits.NOTES)
    checks: tuple[Check, ...] = Field((), max_length=limits.CHECKS)


def shape(value: Value) -> tuple[int, ...]:
    """The shape of a value: () for a number, (n,) for a list, (rows, columns)."""
    if not isinstance(value, tuple):
        return ()
    return (len(value), *shape(value[0])) if value else (0,)


def size(value: Value) -> int:
    """How many numbers a value has."""
    return prod(shape(value))


def graph_of(spec: GraphSpec) -> Graph:
    """The graph of a sound file; one for all files with the same formula."""
    shapes = tuple((name, shape(value)) for name, value in spec.values.items())
    names = tuple(spec.names.items())
    return _graph(spec.expression, names, shapes, spec.differentiate, spec.result)


@lru_cache(maxsize=64)  # one of 2,000 nodes takes about 3 MB
def _graph(
    expression: str,
    names: tuple[tuple[str, str], ...],
    shapes: tuple[tuple[str, tuple[int, ...]], ...],
    differentiate: tuple[str, ...],
    result: str,
) -> Graph:
    from tutor.engine.graph import Formula, Graph
    from tutor.scenario.formula_text import parse

    inner = {name: parse(text).expression for name, text in names}
    formula = Formula(parse(expression).expression, inner, differentiate or None, result)
    return Graph.of(formula, dict(shapes))


def of(data: dict[str, Any]) -> Iterator[Found]:
    """Everything that does not agree in plain data, as far as its parts are sound."""
    raw = data.get("graph")
    if not isinstance(raw, dict):
        return
    for key in ("network", "data", "training"):
        if key in data:
            yield (key,), "graph takes the place of network, data and training; leave this out"
    try:
        spec = GraphSpec.model_validate(raw)
    except ValidationError:
        return  # its own problems are told already
    found = list(unfit(spec))
    yield from found
    if not found:
        yield from _names(data, graph_of(spec))


def unfit(spec: GraphSpec) -> Iterator[Found]:
    """What of a formula and its values does not agree."""
    from tutor.scenario.formula_text import FormulaTextError, parse, unfit_name

    for key, names in (("names", spec.names), ("values", spec.values)):
        for name in names:
            message = unfit_name(name)
            if message:
                yield ("graph", key, name), message
    yield from _clashes(spec, unfit_name)
    parsed: dict[str, Parsed] = {}
    sound = True
    for path, text in _formulas(spec):
        try:
            found = parsed[path[-1]] = parse(text)
        except FormulaTextError as error:
            yield path, str(error)
            sound = False
            continue
        unknown = [
            f"at character {at}: {_unknown(name, spec)}"
            for name, at in found.names.items()
            if name not in spec.values and name not in spec.names
        ]
        sound = sound and not unknown and not found.problems
        yield from ((path, message) for message in (*found.problems, *unknown))
    if sound:
        yield from _together(spec, parsed)


def _formulas(spec: GraphSpec) -> Iterator[tuple[tuple[str, ...], str]]:
    yield ("graph", "expression"), spec.expression
    yield from ((("graph", "names", name), text) for name, text in spec.names.items())


def _clashes(spec: GraphSpec, unfit_name: Callable[[str], str]) -> Iterator[Found]:
    for name in spec.names:
        if name in spec.values:
            yield ("graph", "names", name), f"{name} has a value too; leave one of them out"
    message = unfit_name(spec.result)
    if message:
        yield ("graph", "result"), message
    elif spec.result in spec.values or spec.result in spec.names:
        key = "value" if spec.result in spec.values else "part of the formula"
        advice = "give the result another name, such as result: L"
        yield (
            ("graph", "result"),
            f"the result is called {spec.result}, and so is a {key}; {advice}",
        )


def _unknown(name: str, spec: GraphSpec) -> str:
    known = (*spec.values, *spec.names)
    close = suggestion.meant(name, known)
    advice = f"did you mean {close}?" if close else f"give it one, such as values: {{{name}: 1}}"
    return f"{quotable(name, 30)} has no value; {advice}"


def _together(spec: GraphSpec, parsed: Mapping[str, Parsed]) -> Iterator[Found]:
    """What only the whole formula shows: what it does not use, circles, shapes, size."""
    from tutor.engine.graph import GraphError
    from tutor.scenario.formula_text import operations

    used = _used(parsed, "expression", spec)
    for key, names in (("names", spec.names), ("values", spec.values)):
        for name in names:
            if name not in used:
                yield ("graph", key, name), f"{name} is not used in the formula; leave it out"
    for n, name in enumerate(spec.differentiate):
        path = ("graph", "differentiate", n)
        if name not in spec.values:
            known = ", ".join(spec.values)
            yield path, f"{quotable(name, 30)} is not a value; the values are {known}"
        elif name in spec.differentiate[:n]:
            yield path, f"{name} is there twice"
    nodes = len(spec.values) + sum(operations(part.expression) for part in parsed.values())
    if nodes > limits.GRAPH_NODES:
        count = f"the formula has {counted(nodes, 'node')}, values among them"
        yield ("graph", "expression"), f"{count}; the limit is {limits.GRAPH_NODES:,}"
        return
    try:
        graph = graph_of(spec)
    except GraphError as error:
        at = ("expression",) if error.key == "expression" else ("names", error.key)
        yield ("graph", *at), str(error)
        return
    numbers = sum(node.size for node in graph.nodes.values())
    if numbers > limits.GRAPH_NUMBERS:
        count = f"its nodes have {counted(numbers, 'number')} in all"
        yield ("graph", "expression"), f"{count}; the limit is {limits.GRAPH_NUMBERS:,}"


def _used(parsed: Mapping[str, Parsed], start: str, spec: GraphSpec) -> set[str]:
    """The names that the formula comes to."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for name in parsed[waiting.pop()].names:
            if name not in found:
                found.add(name)
                waiting += [name] if name in spec.names else []
    return found


def _names(data: dict[str, Any], graph: Graph) -> Iterator[Found]:
    """What is wrong with the names in what the lecture prints, in notes and in checks."""
    from tutor.scenario import arithmetic

    def refusal(name: str, *, step: bool = False) -> str:
        del step  # all that a graph has, it has at a step
        return _refused(graph.parse, name)

    def of_expression(text: str) -> str:
        return _refused(partial(arithmetic.parse, read=graph.parse), text)

    yield from checks.named(data, refusal, of_expression)


def _refused(parse: Callable[[str], object], text: str) -> str:
    try:
        parse(text)
    except TutorError as error:
        return str(error)
    return ""
