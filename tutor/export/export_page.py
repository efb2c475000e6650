"""The export page of a lesson: what it can become, the choices, and a short preview of the chosen
kind.

Its form has two buttons: Show, and Download, which takes what stands in the fields and not what was
shown last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from urllib.parse import parse_qsl, urlencode

from tutor.engine.kinds import PHASES, phases_of
from tutor.errors import TutorError
from tutor.export.registry import (
    KINDS,
    SET_SEED,
    SET_VERSIONS,
    ExportOrder,
    FileKind,
    Made,
    kinds_of,
    online,
    too_long,
)
from tutor.lesson.changes import told
from tutor.lesson.explain import PHASE_TITLES
from tutor.lesson.walk import GRAINS
from tutor.pages.context import AnyContext, Context
from tutor.pages.faces import face
from tutor.pages.panels import Choices
from tutor.pages.view import MOST_NOTICES, Ignored

PREVIEW_LINES = 60


def _phases(context: AnyContext) -> tuple[str, ...]:
    """The phases that there are to choose from."""
    if isinstance(context, Context):
        return phases_of(scaled=bool(context.trace.statistics))
    return tuple(phase for phase, _, _ in context.walk.phases())


def _blanks(phases: Iterable[str]) -> Iterator[tuple[str, str]]:
    """What a worksheet can leave open, and how that is called."""
    yield "all", "every result"
    for phase in phases:
        yield phase, f"the results of one phase: {PHASE_TITLES[phase].lower()}"
    yield "every:2", "every second result"
    yield "every:3", "every third result"
    yield "every:5", "every fifth result"


NO_FILE = "There is no file yet: please fix what is marked here first."


@dataclass(frozen=True, slots=True)
class Typed:
    """A field with what was typed into it, and what is wrong with that."""

    name: str
    label: str
    text: str
    placeholder: str
    problem: str


@dataclass(frozen=True, slots=True)
class ExportPage:
    """The form with what is chosen, and what the file will be."""

    id: str
    title: str
    home: str
    kinds: tuple[tuple[FileKind, str, bool], ...]
    """(kind, address of the page with this kind chosen, is it chosen)"""
    chosen: FileKind
    grains: tuple[tuple[str, str, bool], ...]
    choices: Choices
    phases: tuple[tuple[str, str, bool], ...]
    blanks: tuple[tuple[str, str, bool], ...]
    numbers: tuple[Typed, ...]
    """The fields of new numbers."""
    is_sheet: bool
    name: str
    file: str
    """The address of the file without the choices, which stand in the form."""
    preview: str
    """The first lines, for kinds that are text to read."""
    cut: bool
    problem: str
    notices: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether a file can be made as it is asked for."""
        return not self.problem and not any(field.problem for field in self.numbers)


def export_page(
    context: AnyContext,
    key: str,
    order: ExportOrder,
    query: Mapping[str, str],
    ignored: tuple[Ignored, ...] = (),
    *,
    wanted: bool = False,
) -> ExportPage:
    """The page with one kind chosen; where this lesson cannot become that, the reason in place of a
    preview.

    `query` is what was typed, and `ignored` what of it makes no sense; `wanted` tells whether the
    file was to be made of it.
    """
    scenario, view = context.lesson.scenario, context.view
    kinds = kinds_of(context.lesson)
    kind = kinds.get(key, KINDS[key])
    long = too_long(context.lesson, key, view, order)
    name, preview, cut, problem = (
        _preview(context, kind, order)
        if not (long or (wanted and ignored))
        else ("", "", False, "")
    )
    numbers = tuple(_numbers(kind, order, query, ignored, long))
    elsewhere = tuple(one for one in ignored if one.field not in {f.name for f in numbers})
    base = view.files(scenario.id)
    phases = _phases(context)
    grain_titles = {
        "number": "number by number",
        "layer": "layer by layer",
        "pass": "phase by phase",
    }
    ignored_here = _refused(elsewhere) if wanted else map(str, ignored[:MOST_NOTICES])
    return ExportPage(
        id=scenario.id, title=scenario.title, home=view.address(scenario.id),
        kinds=tuple((k, _page_address(context, k, order), k is kind) for k in kinds.values()),
        chosen=kind,
        grains=tuple((grain, grain_titles[grain], grain == view.grain) for grain in GRAINS),
        choices=face(context.source).choices(context),
        phases=tuple((phase, PHASE_TITLES[phase], phase in order.phases) for phase in phases),
        blanks=tuple((value, text, value == order.blanks) for value, text in _blanks(phases)),
        numbers=numbers,
        is_sheet=key in {"worksheet", "key", "class-set"}, name=name,
        file=f"{base}/{key}", preview=preview, cut=cut, problem=problem,
        notices=(*ignored_here, *_changed(context, order)),
    )  # fmt: skip


def _page_address(context: AnyContext, kind: FileKind, order: ExportOrder) -> str:
    """This page with another kind chosen."""
    query = urlencode({**_query(context, kind, order), "kind": kind.key}, doseq=True)
    return f"{context.view.files(context.lesson.scenario.id)}?{query}"


def file_address(context: AnyContext, key: str, order: ExportOrder) -> str:
    """The address of a file: the shortest one, for it may be kept and sent."""
    chosen = _query(context, KINDS[key], order)
    return f"{context.view.files(context.lesson.scenario.id)}/{key}" + (
        f"?{urlencode(chosen, doseq=True)}" if chosen else ""
    )


def _numbers(
    kind: FileKind,
    order: ExportOrder,
    query: Mapping[str, str],
    ignored: tuple[Ignored, ...],
    long: str,
) -> Iterator[Typed]:
    """Seed and version, or how many versions: as typed where it makes no sense, else as shown."""
    problems = {one.field: one.reason for one in ignored} | ({"versions": long} if long else {})
    seed = str(SET_SEED) if kind.several else ""
    shown = {
        "seed": seed if order.seed is None else str(order.seed),
        "version": str(order.version), "versions": str(order.versions),
    }  # fmt: skip
    fields = [("versions", "How many versions", "")] if kind.several else []
    fields += [("seed", "Seed", seed or "none: the lesson’s own")]
    fields += [] if kind.several else [("version", "Version", "")]
    for name, label, placeholder in fields:
        yield Typed(
            name,
            label,
            query.get(name, shown[name]) if problems else shown[name],
            placeholder,
            problems.get(name, ""),
        )


def _refused(elsewhere: tuple[Ignored, ...]) -> tuple[str, ...]:
    """Why there is no file, as far as no field says it."""
    return (NO_FILE, *(one.reason for one in elsewhere[:MOST_NOTICES]))


def _changed(context: AnyContext, order: ExportOrder) -> tuple[str, ...]:
    """What the file will have changed; a version with new numbers has none of the reader's."""
    said = told(
        change for change in context.lesson.changes if order.seed is None or not change.number
    )
    return (said,) if said else ()


def _query(context: AnyContext, kind: FileKind, order: ExportOrder) -> dict[str, object]:
    """The choices that differ from the usual ones."""
    found: dict[str, object] = dict(parse_qsl(context.view.query()))
    if order.phases != PHASES:
        found["phases"] = list(order.phases)
    if order.blanks != "all":
        found["blanks"] = order.blanks
    if order.seed is not None and not (kind.several and order.seed == SET_SEED):
        found["seed"] = order.seed
        found |= {} if kind.several else {"version": order.version}
    if kind.several and order.versions != SET_VERSIONS:
        found["versions"] = order.versions
    return found


def _preview(context: AnyContext, kind: FileKind, order: ExportOrder) -> tuple[str, str, bool, str]:
    """(file name, first lines, whether there are more, or the reason why there is no such file)."""
    try:
        made = online(context.lesson, kind.key, context.view, order)
        if kind.media.startswith("text/html"):
            return made.name, "", False, ""
        lines = list(islice(_lines(made), PREVIEW_LINES + 1))
    except TutorError as error:
        return "", "", False, str(error)
    return made.name, "\n".join(lines[:PREVIEW_LINES]), len(lines) > PREVIEW_LINES, ""


def _lines(made: Made) -> Iterator[str]:
    """The lines of a file, one after the other, long ones cut."""
    rest = ""
    for chunk in made.chunks:
        *whole, rest = (rest + chunk).split("\n")
        yield from (line[:200] for line in whole)
    if rest:
        yield rest[:200]
