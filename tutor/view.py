"""How a reader looks at a lesson: grain, notation, decimals, iteration, presentation, changed numbers. All of it in the address.

`read` takes a query apart; what makes no sense there is ignored and said so, never an error. `address` writes the
shortest address for a step: what the lesson shows anyway is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from tutor import change_names, changes, suggestion
from tutor.changes import Changes
from tutor.lesson import GRAINS, furthest
from tutor.notation import PRESETS
from tutor.number import MAX_DECIMALS
from tutor.scenario import Scenario

KNOWN = frozenset({"grain", "notation", "decimals", "iteration", "present"})
EXPORT = frozenset({"kind", "phases", "blanks", "seed", "version"})
"""What an export asks for beside a view."""


@dataclass(frozen=True, slots=True)
class View:
    """One reader's choices; "" and None stand for the lesson's own."""

    grain: str = "number"
    notation: str = ""
    decimals: int | None = None
    iteration: int = 1
    changes: Changes = ()
    """What the reader put in place of the lesson's own numbers, loss and activations."""
    present: bool = False
    embedded: bool = False
    """Whether the page stands in a frame on another site. Not in the query: the path says it, /embed/lessons/…"""

    def query(self) -> str:
        """The choices that differ from the lesson's own, as a query."""
        chosen: dict[str, Any] = {}
        if self.grain != "number":
            chosen["grain"] = self.grain
        if self.notation:
            chosen["notation"] = self.notation
        if self.decimals is not None:
            chosen["decimals"] = self.decimals
        if self.iteration != 1:
            chosen["iteration"] = self.iteration
        if self.present:
            chosen["present"] = "yes"
        return "&".join(part for part in (urlencode(chosen), changes.query(self.changes)) if part)

    def step(self, n: int, **other: Any) -> str:
        """The address of step n, relative to any step of the same lesson."""
        query = (replace(self, **other) if other else self).query()
        return f"{n}?{query}" if query else str(n)

    def address(self, lesson: str, n: int | str | None = None, **other: Any) -> str:
        """The address of step n of a lesson (or of its first page) under this view."""
        query = (replace(self, **other) if other else self).query()
        frame = "/embed" if self.embedded else ""
        path = f"{frame}/lessons/{quote(lesson)}" + (f"/steps/{n}" if n is not None else "")
        return f"{path}?{query}" if query else path

    def export(self, lesson: str) -> str:
        """The address of the export page under this view."""
        return _with(f"/lessons/{quote(lesson)}/export", replace(self, present=False).query())

    def share(self, lesson: str, n: int | None = None, *, large: bool = False) -> str:
        """The address of the page with the links and the QR code of a lesson, or of its step n; `large` is the code alone."""
        return _with(f"/lessons/{quote(lesson)}/share", f"step={n}" if n is not None else "", replace(self, present=large).query())

    def file(self, lesson: str) -> str:
        """The address of the lesson's file, with the reader's changes."""
        return _with(f"/lessons/{quote(lesson)}/scenario.yaml", changes.query(self.changes))

    def edit(self, lesson: str) -> str:
        """The address of the builder with a copy of the lesson, with the reader's changes."""
        return _with("/build", f"from={quote(lesson)}", changes.query(self.changes))


def read(query: Mapping[str, str], scenario: Scenario, also: frozenset[str] = frozenset()) -> tuple[View, tuple[str, ...]]:
    """The view that a query asks for, and a notice for each part of it that was ignored."""
    notices: list[str] = []
    own = View()
    grain = _choice(query, "grain", GRAINS, own.grain, notices)
    notation = _choice(query, "notation", tuple(PRESETS), "", notices)
    decimals = whole(query, "decimals", 0, MAX_DECIMALS, None, notices)
    iteration = whole(query, "iteration", 1, furthest(scenario), 1, notices)
    present = _choice(query, "present", ("yes", "no"), "no", notices) == "yes"
    changed, ignored = changes.read(query, scenario)
    notices += ignored
    strange = (key for key in query if key not in KNOWN and key not in also and not change_names.known(key))
    notices += [f"“{_short(key)}” is no setting of a lesson, so it is ignored.{_near(key, scenario, KNOWN | also)}" for key in strange]
    view = View(
        grain,
        "" if notation == scenario.notation.preset else notation,
        None if decimals == scenario.display.decimals else decimals,
        iteration or 1,
        changed,
        present,
    )
    return view, tuple(notices[:5])


def _with(path: str, *query: str) -> str:
    return "?".join(part for part in (path, "&".join(filter(None, query))) if part)


def _choice(query: Mapping[str, str], key: str, choices: tuple[str, ...], default: str, notices: list[str]) -> str:
    text = query.get(key, "").strip()
    if not text or text in choices:
        return text or default
    meant = suggestion.meant(text, choices)
    notices.append(f"{key} “{_short(text)}” is not known, so the lesson keeps its own.{_asked(meant)} Choices: {', '.join(choices)}.")
    return default


def _near(key: str, scenario: Scenario, known: Iterable[str]) -> str:
    """The setting or the part of the lesson that is probably meant."""
    return _asked(change_names.meant(key, scenario) or suggestion.meant(key, sorted(known)))


def _asked(meant: str) -> str:
    return f" Did you mean {meant}?" if meant else ""


def whole(
    query: Mapping[str, str], key: str, least: int, most: int, default: int | None, notices: list[str]
) -> int | None:
    """A whole number of a query; nonsense is the default, with a notice."""
    text = query.get(key, "").strip()
    if not text:
        return default
    if text.isascii() and text.isdigit() and len(text) <= max(5, len(str(most)) + 1) and least <= int(text) <= most:
        return int(text)
    notices.append(f"{key} “{_short(text)}” is not a whole number from {least} to {most:,}, so it is ignored.")
    return default


def _short(text: str) -> str:
    shown = "".join(c for c in text if c.isprintable())[:40]
    return shown + ("…" if len(text) > 40 else "")
