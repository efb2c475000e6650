"""The arithmetic of docs/capacity.md: what is computed there follows from what is measured there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[1] / "docs" / "capacity.md").read_text(encoding="utf-8")
CLICKS = 1_000_000 / 3


def rows(heading: str) -> list[list[str]]:
    """The rows of the table below a heading, cell by cell."""
    below = TEXT.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = re.findall(r"^\| (.+) \|$", below, re.MULTILINE)
    return [line.split(" | ") for line in lines][1:]


def number(cell: str) -> float:
    return float(re.sub(r"[^0-9.]", "", cell))


COST = {name: number(cost) / 1000 for name, cost, _ in rows("Measured: what one answer costs")}
WARM, PAGE, NEW, FILE, HIT = COST.values()


@pytest.mark.parametrize("row", rows("Computed: a million students"))
def test_a_million_students_need_what_is_said(row: list[str]) -> None:
    hits, misses, warm, new, proxies = map(number, row)
    assert misses == pytest.approx(CLICKS * (1 - hits / 100), rel=0.001)
    assert warm == pytest.approx(misses * WARM, rel=0.01)
    assert new == pytest.approx(misses * NEW, rel=0.01)
    assert proxies == pytest.approx(CLICKS * HIT, rel=0.03)


@pytest.mark.parametrize("row", rows("Computed: what machines of four sizes can serve"))
def test_a_machine_carries_what_is_said(row: list[str]) -> None:
    cores, workers, pages, memory, alone, shared = map(number, row)
    assert workers == cores
    assert pages == 2 * workers
    assert memory == pytest.approx(0.6 * workers + 0.2, rel=0.01)
    each = (PAGE + 79 * WARM) / 80
    assert alone == pytest.approx(cores * 0.5 / each * 3, rel=0.02)
    assert shared == pytest.approx(alone / 2, rel=0.05)


def test_an_opening_costs_what_is_said() -> None:
    opening = PAGE + 7 * FILE
    assert f"{opening * 1000:.0f} ms of a core, so one core opens about {1 / opening:.0f}" in TEXT
    assert f"it is only the page: {1 / PAGE // 10 * 10:.0f} a second" in TEXT


def test_the_line_carries_what_is_said() -> None:
    whole, packed = 12.8, 3.7
    assert f"{packed} KB" in TEXT
    bits = [round(CLICKS * size * 8 / 1e6) for size in (packed, whole)]
    assert f"{bits[0]} Gbit a second compressed, and {bits[1]} without" in TEXT
