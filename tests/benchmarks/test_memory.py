"""Memory of the workers: after 300 saved lessons as large as they may be, visited in rotation, and
after the clicks of an hour, in fast motion, anywhere in all lessons.

Bar: 300 MB a worker.
"""

from __future__ import annotations

import http.client
import random
import threading
from collections.abc import Sequence
from contextlib import closing
from itertools import islice, pairwise
from pathlib import Path

from tests.benchmarks import table
from tests.serving import Tutor

LESSONS, WALKED, CLICKS, CLIENTS = 300, 4, 12_000, 8
"""Lessons; steps of each in the rotation; clicks, as a class of 10 makes in an hour; readers at
once.
"""
SIZES = (60, 60, 34, 1)
BAR = 300
STEPS = {"number": 12_206, "layer": 36, "pass": 5}
"""How many steps of each grain a lesson has."""
FRAGMENT = {"HX-Request": "true"}


def large(seed: int) -> str:
    """A lesson of about 59 KB: every weight with six decimals."""
    chance = random.Random(seed)

    def row(count: int) -> str:
        return "[" + ", ".join(f"{chance.uniform(-0.2, 0.2):.6f}" for _ in range(count)) + "]"

    layers = "\n".join(
        f"    - units: {units}\n      activation: tanh\n      weights:\n"
        + "".join(f"        - {row(below)}\n" for _ in range(units))
        + f"      biases: {row(units)}"
        for below, units in pairwise(SIZES)
    )
    return (
        f"format: 1\ntitle: Large lesson {seed}\nnetwork:\n  inputs: {SIZES[0]}\n  layers:\n{layers}\n"
        "  loss: {name: squared_error}\n"
        f"data:\n  inputs: [{row(SIZES[0])}]\n  targets: [[0.5]]\ntraining: {{learning_rate: 0.1}}\n"
    )


def memory(tutor: Tutor) -> list[int]:
    """Megabytes of each worker, and of each that makes what can be long."""
    processes = (*tutor.workers(), *tutor.long_workers())
    statuses = (Path(f"/proc/{process}/status").read_text("ascii") for process in processes)
    return [int(status.partition("VmRSS:")[2].split()[0]) // 1024 for status in statuses]


def saved(tutor: Tutor, text: str) -> str:
    """The address of a lesson, saved."""
    status, headers, _ = tutor.post("/open", {"do": "save", "text": text})
    assert status == 303
    return str(headers["Location"])


def clicked(tutor: Tutor, addresses: Sequence[str]) -> dict[int, int]:
    """Ask for all addresses, by several readers at once; how many answers there were of a status."""
    found: dict[int, int] = {}
    lock, left = threading.Lock(), iter(addresses)

    def read() -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", tutor.port, timeout=60)) as line:
            while True:
                with lock:
                    address = next(left, None)
                if address is None:
                    return
                line.request("GET", address, headers=FRAGMENT)
                answer = line.getresponse()
                answer.read()
                with lock:
                    found[answer.status] = found.get(answer.status, 0) + 1

    readers = [threading.Thread(target=read) for _ in range(CLIENTS)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    return found


def test_memory(tmp_path: Path) -> None:
    chance = random.Random(0)
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path}/lessons.sqlite", "SAVES_PER_MINUTE": "10000"}
    size = len(large(0))
    with Tutor(workers=2, **settings) as tutor:
        rows: list[tuple[object, ...]] = []

        def note(what: str, found: dict[int, int]) -> None:
            told = ", ".join(f"{many:,} × {status}" for status, many in sorted(found.items()))
            rows.append((what, *memory(tutor), told))

        clicked(tutor, ["/"] * 20)
        note("a page or two", {})
        lessons = [saved(tutor, large(seed)) for seed in range(LESSONS)]
        note(f"{LESSONS} lessons of {size / 1000:.0f} KB saved", {})
        walk = [f"{lesson}/steps/{n}" for n in range(1, WALKED + 1) for lesson in lessons]
        note(f"each visited {WALKED} times, in rotation", clicked(tutor, walk))
        grains = chance.choices([*STEPS], [6, 3, 1], k=CLICKS)
        anywhere = (
            f"{chance.choice(lessons)}/steps/{chance.randint(1, STEPS[grain])}?grain={grain}"
            for grain in grains
        )
        for part in range(1, 5):
            note(
                f"{CLICKS * part // 4:,} clicks anywhere",
                clicked(tutor, [*islice(anywhere, CLICKS // 4)]),
            )
    head = (
        "after", "MB of a worker", "of the other", "of a long worker", "of the other", "answers",
    )  # fmt: skip
    table.show("Memory", head, rows, f"Bar: {BAR} MB a worker.")
    assert max(max(row[1:5]) for row in rows) < BAR  # type: ignore[type-var,operator]
