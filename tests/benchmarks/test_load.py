"""Many students at once, against the server that `make run` starts, over the loopback.

The students are a process of their own (`load.py`) on the same machine, so they share its cores
with the server. First greedy clients, for requests per second; then a class as it clicks, everybody
opening the lesson in one second, and connections that do nothing. Bars: docs/benchmarks.md.
"""

import json
import random
import re
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.benchmarks import table
from tests.browser.conftest import Server
from tutor.web.library import STEPS as STEPS_KEPT

LESSON = "1-2-3-1-sigmoid"
STEPS = [f"/lessons/{LESSON}/steps/{n}" for n in range(1, 80)]
FIRST_PAGE = STEPS[:1]
SECONDS = 10
Row = tuple[object, ...]


def load(
    server: Server, root: Path, kind: str, clients: int, seconds: float, paths: Sequence[str]
) -> dict[str, object]:
    """What the clients met."""
    address = urlsplit(server.url)
    wanted = (kind, address.hostname, address.port, clients, seconds)
    command = [sys.executable, "-m", "tests.benchmarks.load", *map(str, wanted)]
    done = subprocess.run(
        command,
        cwd=root,
        check=True,
        capture_output=True,
        timeout=180,
        input=json.dumps(paths).encode(),
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def row(name: str, found: dict[str, object], bar: str = "") -> Row:
    waited, seconds = found["milliseconds"], found["seconds"]
    assert isinstance(waited, list)
    assert isinstance(seconds, float)
    shown = (f"{table.percentile(waited, share):.1f}" for share in (50, 95, 99, 100))
    return (name, f"{len(waited) / seconds:,.0f}", *shown, str(found["errors"] or 0), bar)


HEAD = ("", "a second", "p50 ms", "p95 ms", "p99 ms", "most ms", "errors", "bar")


@pytest.fixture
def _warm(server: Server, root: Path) -> None:
    """Both workers have seen every step."""
    load(server, root, "greedy", 8, 2, STEPS)


@pytest.mark.usefixtures("_warm")
def test_greedy_clients(server: Server, root: Path) -> None:
    rows = [
        row(f"{n} client{'s' * (n > 1)}", load(server, root, "greedy", n, SECONDS, STEPS))
        for n in (1, 32, 256)
    ]
    rows.append(
        row(
            "32 clients, each step rendered anew",
            load(server, root, "greedy", 32, SECONDS, unseen()),
        )
    )
    table.show(
        f"Requests per second: fragments of one lesson, {SECONDS} s each", HEAD, rows,
        "The server remembers the steps that it has rendered; the last row asks for many more than it keeps.",
    )  # fmt: skip


def unseen() -> list[str]:
    """Many more steps than a worker remembers, of one lesson with 240 learning rates, so that each
    is rendered anew.
    """
    found = [f"{step}?learning_rate=0.{rate:03}1" for rate in range(240) for step in STEPS]
    assert len(found) * 10_000 > 3 * STEPS_KEPT
    random.Random(0).shuffle(found)
    return found


def assets(server: Server) -> list[str]:
    """The style sheets and scripts of a page."""
    with urllib.request.urlopen(server.url + FIRST_PAGE[0], timeout=10) as answer:  # noqa: S310  (our own server)
        text = answer.read().decode()
    return re.findall(r'(?:<script src|<link rel="stylesheet" href)="([^"]+)"', text)


@pytest.mark.usefixtures("_warm")
def test_a_class(server: Server, root: Path) -> None:
    everything = [*FIRST_PAGE, *(path.replace("&amp;", "&") for path in assets(server))]
    rows = [
        row(
            "300 students, a click every 3 s",
            load(server, root, "class", 300, 20, STEPS),
            "p95 50, p99 100",
        ),
        row(
            "900 students, a click every 3 s",
            load(server, root, "class", 900, 20, STEPS),
            "p99 500",
        ),
        row(
            "300 open a step in one second",
            load(server, root, "opening", 300, 1, FIRST_PAGE),
            "p95 500",
        ),
        row(
            f"the same with its {len(everything) - 1} style sheets and scripts",
            load(server, root, "opening", 300, 1, everything),
        ),
        row(
            "beside 1,500 idle and 20 half-sent",
            load(server, root, "idle", 1500, 5, STEPS),
            "most 1,000",
        ),
    ]
    table.show(
        "A class",
        HEAD,
        rows,
        "Waiting counts from the click, so a late answer also delays what comes after it.",
    )
