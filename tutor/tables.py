"""The tables beside a step, in the shape of the lecture's slides. They fill up as the walk goes on."""

from __future__ import annotations

from dataclasses import dataclass

from tutor.desk import Desk, Table
from tutor.ledgers import ledgers
from tutor.strips import strips


@dataclass(frozen=True, slots=True)
class Tables:
    """All tables of one step."""

    ledgers: tuple[Table, ...] = ()
    strips: tuple[tuple[str, tuple[Table, ...]], ...] = ()
    """(heading, matrices side by side)"""


def tables(desk: Desk) -> Tables:
    """The tables for a step, in the style of its notation."""
    if desk.context.notation.names == "letters":
        return Tables(strips=tuple(strips(desk)))
    return Tables(ledgers=tuple(ledgers(desk)))
