"""What the benchmarks share: timing in interleaved rounds, medians, and a Markdown table.

Every ratio compares numbers of the same run, measured in turns, so that whatever else the machine
does meets all alike.
"""

import gc
import math
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median

Seconds = list[float]


def interleaved(
    candidates: Mapping[str, Callable[[], object]], rounds: int = 60, loops: int = 50
) -> dict[str, Seconds]:
    """Seconds for one call of each candidate: `rounds` rounds, in each of which every candidate
    runs `loops` times in a row.

    The order turns from round to round; the first three rounds warm up and do not count; the
    collector waits.
    """
    found: dict[str, Seconds] = {name: [] for name in candidates}
    names = list(candidates)
    gc.collect()
    gc.disable()
    try:
        for turn in range(rounds + 3):
            start = turn % len(names)
            for name in names[start:] + names[:start]:
                seconds = timed(candidates[name], loops)
                if turn >= 3:
                    found[name].append(seconds)
    finally:
        gc.enable()
    return found


def timed(call: Callable[[], object], loops: int = 1) -> float:
    """Seconds for one of `loops` calls."""
    begin = time.perf_counter()
    for _ in range(loops):
        call()
    return (time.perf_counter() - begin) / loops


def ratio(ours: Seconds, theirs: Seconds) -> float:
    """The median over the rounds of ours / theirs."""
    return median(a / b for a, b in zip(ours, theirs, strict=True))


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that `share` percent of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share / 100) - 1)] if ordered else math.nan


def micro(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f} µs"


def milli(seconds: float) -> str:
    return f"{seconds * 1e3:,.1f} ms"


def show(title: str, head: Sequence[str], rows: Iterable[Sequence[object]], *notes: str) -> None:
    """Print one table; the first column is text, the others are right-aligned."""
    print(f"\n\n### {title}\n")
    print("| " + " | ".join(head) + " |")
    print("|---" + "|--:" * (len(head) - 1) + "|")
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    for note in (*notes, busy()):
        print(f"\n{note}")


def busy() -> str:
    """How much the machine had to do in the last minute: much more than its cores, and milliseconds
    mean little.
    """
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return f"Load average of the last minute: {load} on {os.cpu_count()} cores."
