"""Every kind of export: how long it takes and how large it is, for a deck lesson and for a large
network.

Aim: the worked solution of 1-2-3-1 in less than 150 ms after the first, of 784-128-64-10 by layers
in less than 2 s. JSON and CSV of the large network are left out: they hold seven million numbers
and are streamed by the command line.
"""

import time
from pathlib import Path

from tests.benchmarks import table
from tests.benchmarks.test_large_network import lesson
from tutor.export.registry import KINDS, ExportOrder, make
from tutor.lesson.walk import Lesson, open_lesson
from tutor.pages.view import View
from tutor.scenario.reader import load

DATA = {"json", "csv"}
ROUNDS = 7


def measured(opened: Lesson, key: str, view: View, rounds: int) -> tuple[float, int]:
    """(median seconds after the first, bytes) of one kind of export."""
    seconds, size = [], 0
    for _ in range(rounds + 1):
        begin = time.perf_counter()
        size = sum(len(chunk.encode()) for chunk in make(opened, key, view, ExportOrder()).chunks)
        seconds.append(time.perf_counter() - begin)
    return table.percentile(seconds[1:], 50), size


def test_exports(root: Path) -> None:
    small = open_lesson(load(root / "scenarios" / "1-2-3-1-sigmoid.yaml"))
    large = lesson()
    rows = []
    for key, kind in KINDS.items():
        seconds, size = measured(small, key, View(), ROUNDS)
        row = [kind.title, table.milli(seconds), f"{size / 1000:,.1f} KB"]
        if key in DATA:
            row += ["", ""]
        else:
            seconds, size = measured(large, key, View(grain="layer"), 1)
            row += [table.milli(seconds), f"{size / 1000:,.1f} KB"]
        rows.append(row)
    table.show("Exports", ("kind", "1-2-3-1", "size", "784-128-64-10, by layers", "size"), rows)
