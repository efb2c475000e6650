"""How a reader looks at a graph lesson: grain, notation of derivatives, decimals, presentation,
changed values. All of it in the address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from tutor.lesson import changes, graph_changes
from tutor.lesson.opening import PAPER
from tutor.lesson.walk import GRAINS
from tutor.notation.conventions import PRESETS
from tutor.notation.node_names import DERIVATIVES, TOTAL
from tutor.number import MAX_DECIMALS
from tutor.pages.view import (
    IGNORED,
    AskedKeys,
    Ignored,
    View,
    choice,
    joined,
    paper_asked,
    repeated,
    short,
    unknown_setting,
    whole,
)
from tutor.scenario.reader import GraphScenario

KNOWN = frozenset({"grain", "decimals", "present", "notation", PAPER})
"""What an address may have beside changed values."""


@dataclass(frozen=True, slots=True)
class GraphView(View):
    """One reader's choices for a formula."""

    asked: ClassVar[AskedKeys] = AskedKeys(
        "asked.via", "nudge.h", "nudge.at", "check.of", "jacobians.layout"
    )
    """No value can be called so: its name has no dot."""

    def edit(self, lesson: str) -> str:
        """The address of the text page with a copy of the lesson, with the reader's changes."""
        return joined("/open", f"from={lesson}", changes.query(self.changes))

    def carried(self) -> tuple[tuple[str, str], ...]:
        """What else a form has to carry along, as fields that are not seen."""
        return ()

    def accumulation(self, lesson: str) -> str:
        """The address of the page that compares forward and reverse accumulation."""
        return joined(f"{self.root(lesson)}/accumulation", replace(self.bare, paper=0).query())


def examined(
    query: Mapping[str, str], scenario: GraphScenario, also: frozenset[str] = frozenset()
) -> tuple[GraphView, tuple[Ignored, ...]]:
    """The view that a query asks for, and everything in it that makes no sense."""
    notices: list[Ignored] = []
    grain = choice(query, "grain", GRAINS, View().grain, notices)
    decimals = whole(query, "decimals", 0, MAX_DECIMALS, None, notices)
    notation = _notation(query, notices)
    present = choice(query, "present", ("yes", "no"), "no", notices) == "yes"
    paper = 0 if PAPER in scenario.graph.values else paper_asked(query, scenario, notices)
    changed, ignored = graph_changes.read(query, scenario)
    notices += [Ignored(text.removesuffix(".")) for text in ignored]
    notices += repeated(query, lambda key: graph_changes.known(key, scenario))
    names = (*scenario.graph.values, *KNOWN, *also)
    notices += [
        Ignored(
            f"“{short(key)}” is not a setting of a lesson", IGNORED, unknown_setting(key, names)
        )
        for key in query
        if key not in KNOWN and key not in also and not graph_changes.known(key, scenario)
    ]
    own = scenario.display.decimals
    view = GraphView(
        grain=grain,
        notation="" if notation == TOTAL else notation,
        decimals=None if decimals == own else decimals,
        changes=changed,
        present=present,
        paper=paper,
    )
    return view, tuple(notices)


def _notation(query: Mapping[str, str], notices: list[Ignored]) -> str:
    """The notation that a query asks for; those of networks, which links from their lessons have,
    say nothing of a formula.
    """
    if query.get("notation", "").strip() in PRESETS:
        return TOTAL
    return choice(query, "notation", tuple(DERIVATIVES), TOTAL, notices)
