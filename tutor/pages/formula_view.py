"""A formula that a reader typed: from the lines of a text, or from an address, to a scenario.

    typed(text)            -> Typed       `f = (x + y)*z`, `x = -2`, one to a line
    asked(query)           -> Typed       expression=(x + y)*z&x=-2
    Typed.scenario, Typed.view, Typed.problems

All of it stands in the address, so that what one sees can be sent to others.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from typing import Any, Final
from urllib.parse import urlencode

from tutor import limits, number, suggestion
from tutor.errors import NumberError
from tutor.lesson import graph_changes
from tutor.lesson.changes import Changes
from tutor.lesson.graph_lesson import open_graph
from tutor.lesson.opening import PAPER
from tutor.lesson.titles import capital
from tutor.pages import graph_view
from tutor.pages.graph_view import GraphView
from tutor.pages.view import EXPORT, Ignored, View, joined
from tutor.scenario import reader
from tutor.scenario.formula_text import RESERVED, FormulaTextError, parse
from tutor.scenario.graph_file import Value
from tutor.scenario.problem import Found, Path, quotable, visible
from tutor.scenario.reader import AnyScenario, GraphScenario

ID: Final = "formula"
TITLE: Final = "A formula of your own"
WANTED: Final = "differentiate"
"""The line, and the part of an address, that says with respect to which values."""
OWN: Final = frozenset({"expression", "result", WANTED})
"""What an address has of a formula beside names and values."""
KNOWN: Final = graph_view.KNOWN.union(EXPORT, {"step", "name"}, GraphView.asked)
"""What else an address of a formula may have."""
AROUND: Final = 60
"""So many characters are shown on either side of the place of a problem."""
PLAIN: Final = "()*,/[]:^"
"""Signs that stand in an address as they are."""
_LINE: Final = re.compile(r"\s*(?:(?P<name>[^=]*?)\s*=)?\s*(?P<text>.*?)\s*", re.DOTALL)
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class FormulaView(GraphView):
    """One reader's choices for a formula that stands in the address."""

    formula: Pairs = ()
    """The formula as it stands in the address."""

    def query(self) -> str:
        """The formula, and the choices that differ from what is shown anyway."""
        return "&".join(filter(None, (urlencode(self.formula, safe=PLAIN), View.query(self))))

    def root(self, lesson: str) -> str:
        """All pages of a formula are about the one in their query."""
        return "/formula"

    def with_changes(self, after: Changes, scenario: AnyScenario) -> View:
        """The view of the same formula with other values; they stand in the formula itself."""
        assert isinstance(scenario, GraphScenario)
        before = scenario.graph.values
        values = graph_changes.apply(scenario, after).graph.values
        pairs = tuple(
            (name, _written(values[name]) if values.get(name) != before.get(name) else text)
            for name, text in self.formula
        )
        return replace(self, formula=pairs)

    def file(self, lesson: str) -> str:
        """The address of the formula as a lesson's file."""
        return joined("/formula/scenario.yaml", urlencode(self.formula, safe=PLAIN))

    def edit(self, lesson: str) -> str:
        """The page of the formula, where it can be typed anew."""
        return replace(self, present=False, embedded=False).address(lesson)

    def carried(self) -> Pairs:
        """The formula, for forms."""
        return self.formula


@dataclass(frozen=True, slots=True)
class FormulaProblem:
    """What is wrong with a formula: where, what, and the text before, at and behind that place."""

    place: str
    message: str
    before: str = ""
    at: str = ""
    behind: str = ""


@dataclass(frozen=True, slots=True)
class Typed:
    """A formula as it was typed or asked for."""

    text: str
    """The lines, for the page on which it is typed."""
    pairs: Pairs
    scenario: GraphScenario | None
    """None where there is none, or where there are problems."""
    problems: tuple[FormulaProblem, ...] = ()
    notices: tuple[str, ...] = ()


NOTHING: Final = Typed("", (), None)


def _written(found: Value) -> str:
    """A value as one types it."""
    if isinstance(found, tuple):
        return f"[{', '.join(map(_written, found))}]"
    return number.short(found)


# ---- from lines ----


def typed(text: str) -> Typed:
    """The formula of some lines. What has a value is a value, what has a formula is a node; the one
    that no other line uses is the result.
    """
    if len(text) > limits.FORMULA:
        return replace(NOTHING, text=text[: limits.FORMULA], problems=(_too_long(len(text)),))
    parts: dict[str, str] = {}
    twice: list[FormulaProblem] = []
    for n, line in enumerate(re.split(r"[\n;]", text), 1):
        found = _LINE.fullmatch(line)
        if not line.strip() or found is None:
            continue
        name = found["name"] or ""
        if name in parts:
            what = f"{quotable(name, 30)} has" if name else "There is a formula without a name"
            message = f"{what} a line already" if name else f"{what} already; name one of them"
            twice.append(FormulaProblem(f"Line {n}", f"{message}."))
            continue
        parts[name] = found["text"]
    if twice:
        return replace(NOTHING, text=text, problems=tuple(twice))
    return _typed(text, parts)


def _typed(text: str, parts: dict[str, str]) -> Typed:
    formulas = {
        name: right for name, right in parts.items() if name != WANTED and value(right) is None
    }
    if not formulas:
        said = "There is no formula yet; write one, such as f = (x + y)*z."
        return replace(NOTHING, text=text, problems=(FormulaProblem("Formula", said),))
    result = "" if "" in formulas else _result(formulas)
    pairs = [("expression", formulas.pop(result))]
    if result not in {"", "f"}:
        pairs.append(("result", result))
    rest = [(name, right) for name, right in parts.items() if name not in {result, ""}]
    return _made(tuple(pairs + rest), text)


def _result(formulas: Mapping[str, str]) -> str:
    """The first formula that no other one uses; the last where each is used."""
    used: set[str] = set()
    for name, text in formulas.items():
        try:
            used |= set(parse(text).names) - {name}
        except FormulaTextError:
            continue
    return next((name for name in formulas if name not in used), [*formulas][-1])


def value(text: str) -> object | None:
    """A text as a value: a number, or numbers in brackets; None where it is neither."""
    try:
        return number.read(text)
    except NumberError:
        pass
    inner = text.strip()
    if not (inner.startswith("[") and inner.endswith("]")):
        return None
    rows = re.findall(r"\[([^\[\]]*)\]", inner[1:-1])
    if rows:
        return tuple(tuple(part.strip() for part in row.split(",")) for row in rows)
    return tuple(part.strip() for part in inner[1:-1].split(","))


# ---- from an address ----


def asked(query: Mapping[str, str]) -> Typed:
    """The formula of an address; nothing where it has none."""
    if not query.get("expression", "").strip():
        return NOTHING
    pairs = [(key, query[key].strip()) for key in OWN if query.get(key, "").strip()]
    pairs.sort(key=lambda pair: ["expression", "result", WANTED].index(pair[0]))
    settings = KNOWN - _values_called(query, PAPER)
    pairs += [(key, text) for key, text in query.items() if key not in OWN and key not in settings]
    size = sum(len(key) + len(text) for key, text in pairs)
    if size > limits.FORMULA:
        return replace(NOTHING, problems=(_too_long(size),))
    return _made(tuple(pairs), "\n".join(_lines(tuple(pairs))))


def _values_called(query: Mapping[str, str], name: str) -> frozenset[str]:
    """A setting, where the formula has a value of that name."""
    texts = (text for key, text in query.items() if key == "expression" or key not in OWN | KNOWN)
    for text in texts if name in query else ():
        with suppress(FormulaTextError):
            if name in parse(text).names:
                return frozenset({name})
    return frozenset()


def _too_long(size: int) -> FormulaProblem:
    return FormulaProblem(
        "Formula",
        f"It has {size:,} characters; here the limit is {limits.FORMULA:,}, since the address "
        "holds all of it. A longer one can be a lesson’s file.",
    )


def _lines(pairs: Pairs) -> Iterator[str]:
    """The same as lines."""
    known = dict(pairs)
    yield f"{known.get('result', 'f')} = {known['expression']}"
    yield from (f"{name} = {text}" for name, text in pairs if name not in OWN - {WANTED})


# ---- both ----


def _made(pairs: Pairs, text: str) -> Typed:
    """The scenario of a formula, or what is wrong with it. What has no value gets 1."""
    graph, missing = _graph(pairs)
    unread = tuple(_unread(graph))
    if unread:
        return Typed(text, pairs, None, unread)
    pairs += tuple((name, "1") for name in missing)
    data: dict[str, Any] = {"format": 1, "title": TITLE, "graph": graph}
    found = [*_mistyped(graph, missing), *reader.problems_of(data)]
    if found:
        problems = tuple(_problem(path, message, graph) for path, message in found)
        return Typed(text, pairs, None, problems)
    mark = hashlib.sha256(repr(pairs).encode()).hexdigest()[:20]
    scenario = reader.parse_formula(data, f"{ID}.yaml", mark)
    notices: tuple[str, ...] = ()
    if missing:
        names = ", ".join(missing)
        have = "has no value, so it is" if len(missing) == 1 else "have no value, so they are"
        notices = (f"{names} {have} 1. Click a number in a step to change it.",)
        text = "\n".join([text.rstrip(), *(f"{name} = 1" for name in missing)])
    return Typed(text, pairs, scenario, (), notices)


def _unread(graph: Mapping[str, Any]) -> Iterator[FormulaProblem]:
    """The formulas that cannot be read at all; nothing is known of their names."""
    texts: dict[Path, str] = {("expression",): graph["expression"]}
    texts |= {("names", name): text for name, text in graph.get("names", {}).items()}
    for path, text in texts.items():
        try:
            parse(text)
        except FormulaTextError as error:
            yield _problem(path, str(error), graph)
            return
    if not graph["values"]:
        said = "It has no value that could change; use a name, such as x."
        yield FormulaProblem("The formula", f"{_impossible(graph)}{said}")


def _impossible(graph: Mapping[str, Any]) -> str:
    """Which number of a formula of constants alone is not possible, as a sentence, or ""."""
    name = graph.get("result", "f")
    beside = {**graph, "expression": f"({graph['expression']}) + x", "values": {"x": 1.0}}
    data: dict[str, Any] = {"format": 1, "title": TITLE, "graph": beside}
    if name == "x" or graph.get("names") or reader.problems_of(data):
        return ""
    trace = open_graph(reader.parse_formula(data, f"{ID}.yaml", "")).trace
    if trace.stop is None:
        return ""
    found = trace.trouble(trace.stop.quantity)
    return f"At {found[0].name}, {found[1]}. " if found else ""


def _graph(pairs: Pairs) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The part `graph` of a file, and the names without a value."""
    known = dict(pairs)
    names: dict[str, str] = {}
    values: dict[str, object] = {}
    for name, text in pairs:
        if name in OWN:
            continue
        own = value(text)
        if own is None:
            names[name] = text
        else:
            values[name] = own
    missing = _missing([known["expression"], *names.values()], {*names, *values})
    graph: dict[str, Any] = {"expression": known["expression"]}
    graph |= {"names": names} if names else {}
    graph["values"] = values | dict.fromkeys(missing, 1)
    if WANTED in known:
        graph[WANTED] = tuple(filter(None, map(str.strip, known[WANTED].split(","))))
    graph |= {"result": known["result"]} if "result" in known else {}
    return graph, missing


def _missing(texts: list[str], known: set[str]) -> tuple[str, ...]:
    """The names in formulas that have neither value nor formula, as far as they can be read."""
    found: dict[str, None] = {}
    for text in texts:
        try:
            found |= dict.fromkeys(parse(text).names)
        except FormulaTextError:
            continue
    return tuple(name for name in found if name not in known and name not in RESERVED)


def _mistyped(graph: Mapping[str, Any], missing: tuple[str, ...]) -> Iterator[Found]:
    """Names without a value that are close to one that has a value and is used nowhere."""
    texts: dict[Path, str] = {("expression",): graph["expression"]}
    texts |= {("names", name): text for name, text in graph.get("names", {}).items()}
    places = {path: parse(text).names for path, text in texts.items()}
    used = {name for names in places.values() for name in names}
    spare = [name for name in (*graph["values"], *graph.get("names", {})) if name not in used]
    for path, names in places.items():
        for name in set(names).intersection(missing):
            if close := suggestion.meant(name, spare):
                yield (
                    path,
                    f"at character {names[name]}: {name} has no value; did you mean {close}?",
                )


def _problem(path: Path, message: str, graph: Mapping[str, Any]) -> FormulaProblem:
    """A problem of the file as one of what was typed, with the place in the text."""
    parts = [str(part) for part in path if part != "graph"]
    place = parts[-1] if parts and parts[0] in {"names", "values"} else graph.get("result", "f")
    place = {"expression": "The formula", WANTED: WANTED}.get("".join(parts[:1]), str(place))
    text = graph["expression"] if parts[:1] == ["expression"] else ""
    if parts[:1] == ["names"]:
        text = graph.get("names", {}).get(parts[-1], "")
    at = re.match(r"at character (\d+): ", message)
    begins = re.match(r"(?:at|a|the|there|expected|more|is)\b", message)
    said = capital(message) if begins else message
    said += "" if message.endswith("?") else "."
    if not (at and text):
        return FormulaProblem(place, said)
    n = int(at[1]) - 1
    before, behind = text[max(n - AROUND, 0) : n], text[n + 1 : n + 1 + AROUND]
    return FormulaProblem(
        place,
        said,
        "…" * (n > AROUND) + visible(before),
        visible(text[n : n + 1]) or "␣",
        visible(behind) + "…" * (len(text) > n + 1 + AROUND),
    )


def view_of(
    query: Mapping[str, str], found: Typed, also: frozenset[str] = frozenset()
) -> tuple[FormulaView, tuple[Ignored, ...]]:
    """The view that an address asks for, of a formula without problems."""
    assert found.scenario is not None
    rest = {key: text for key, text in query.items() if key in KNOWN}
    seen, ignored = graph_view.examined(rest, found.scenario, also)
    chosen = {field.name: getattr(seen, field.name) for field in fields(GraphView)}
    return FormulaView(**chosen, formula=found.pairs), ignored


def carried_on(query: Mapping[str, str], found: Typed) -> Pairs:
    """How an address looks at its formula: what stays where the formula is typed anew. What is a
    value of the formula now is no choice.
    """
    values = dict(found.pairs)
    return tuple(
        (key, query[key])
        for key in sorted(graph_view.KNOWN)
        if query.get(key, "").strip() and key not in values
    )


def address_of(found: Typed, chosen: Pairs) -> str:
    """The address of a formula that was typed, looked at as before."""
    view = FormulaView(formula=found.pairs)
    return joined(view.root(""), view.query(), urlencode(chosen))
