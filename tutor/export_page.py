"""The export page of a lesson: what it can become, the choices, and a short preview of the chosen kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from urllib.parse import parse_qsl, urlencode

from tutor.changes import told
from tutor.context import Context
from tutor.errors import TutorError
from tutor.explain import PHASE_TITLES
from tutor.export import KINDS, Kind, Made, Order, make
from tutor.lesson import GRAINS
from tutor.order import PHASES
from tutor.panels import Choices, choices

PREVIEW_LINES = 60
BLANKS = (("all", "every result"), *((phase, f"the results of the phase {PHASE_TITLES[phase].lower()}") for phase in PHASES),
          ("every:2", "every second result"), ("every:3", "every third result"), ("every:5", "every fifth result"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class ExportPage:
    """The form with what is chosen, and what the file will be."""

    id: str
    title: str
    home: str
    kinds: tuple[tuple[Kind, str, bool], ...]
    """(kind, address of the page with this kind chosen, is it chosen)"""
    chosen: Kind
    grains: tuple[tuple[str, str, bool], ...]
    choices: Choices
    phases: tuple[tuple[str, str, bool], ...]
    blanks: tuple[tuple[str, str, bool], ...]
    seed: str
    version: str
    is_sheet: bool
    name: str
    download: str
    preview: str
    """The first lines, for kinds that are text to read."""
    cut: bool
    problem: str
    notices: tuple[str, ...]


def export_page(context: Context, key: str, order: Order, notices: tuple[str, ...]) -> ExportPage:
    """The page with one kind chosen; where this lesson cannot become that, the reason in place of a preview."""
    scenario, view = context.lesson.scenario, context.view
    kind = KINDS[key]
    query = _query(context, order)
    name, preview, cut, problem = _preview(context, kind, order)
    base = f"/lessons/{scenario.id}/export"
    grain_titles = {"number": "number by number", "layer": "layer by layer", "pass": "phase by phase"}
    return ExportPage(
        id=scenario.id, title=scenario.title, home=view.address(scenario.id),
        kinds=tuple((k, f"{base}?{urlencode({**query, 'kind': k.key}, doseq=True)}", k.key == key) for k in KINDS.values()),
        chosen=kind,
        grains=tuple((grain, grain_titles[grain], grain == view.grain) for grain in GRAINS),
        choices=choices(context),
        phases=tuple((phase, PHASE_TITLES[phase], phase in order.phases) for phase in PHASES),
        blanks=tuple((value, text, value == order.blanks) for value, text in BLANKS),
        seed="" if order.seed is None else str(order.seed), version=str(order.version),
        is_sheet=key in {"worksheet", "key"}, name=name,
        download=f"{base}/{key}" + (f"?{urlencode(query, doseq=True)}" if query else ""),
        preview=preview, cut=cut, problem=problem, notices=(*notices, *_changed(context, order)),
    )  # fmt: skip


def _changed(context: Context, order: Order) -> tuple[str, ...]:
    """What the file will have changed; a version with new numbers has none of the reader's."""
    said = told(change for change in context.lesson.changes if order.seed is None or not change.number)
    return (said,) if said else ()


def _query(context: Context, order: Order) -> dict[str, object]:
    """The choices that differ from the usual ones."""
    found: dict[str, object] = dict(parse_qsl(context.view.query()))
    if order.phases != PHASES:
        found["phases"] = list(order.phases)
    if order.blanks != "all":
        found["blanks"] = order.blanks
    if order.seed is not None:
        found["seed"], found["version"] = order.seed, order.version
    return found


def _preview(context: Context, kind: Kind, order: Order) -> tuple[str, str, bool, str]:
    """(file name, first lines, whether there are more, or the reason why there is no such file)."""
    try:
        made = make(context.lesson, kind.key, context.view, order)
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
