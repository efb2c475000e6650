"""A class beside readers who ask for the largest files, and beside those who hang up.

100 students click every 3 seconds, and meanwhile others download the heaviest files of a saved
440-440-1 network and of a shipped lesson, one after the other. Bar: the students' p99 is at most 3
times what it is without them, no click is lost, and /healthz answers within 100 ms.
"""

import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.benchmarks import table
from tests.benchmarks.test_load import HEAD, STEPS, load, row
from tests.browser.conftest import Server

STUDENTS, SECONDS = 100, 15
DRAWN = "/lessons/1-2-3-1-sigmoid/export/html?grain=layer&seed=9&version=100"
LARGE = """\
format: 1
title: A large network
network:
  inputs: 440
  layers:
    - {units: 440, activation: sigmoid, init: {scheme: xavier, seed: 1}}
    - {units: 1, activation: sigmoid, init: {scheme: xavier, seed: 2}}
  loss: {name: squared_error}
data:
  inputs: [[ONES]]
  targets: [[1]]
training: {learning_rate: 0.1}
""".replace("ONES", ", ".join(["1"] * 440))


def saved(server: Server, text: str) -> str:
    """The address of a lesson, saved."""
    form = urllib.parse.urlencode({"text": text, "do": "save"}).encode()
    with urllib.request.urlopen(f"{server.url}/open", form, timeout=20) as answer:  # noqa: S310  (our own server)
        return urlsplit(answer.url).path


@contextmanager
def beside(server: Server, path: str, readers: int, patience: float) -> Iterator[Counter[str]]:
    """So many readers who ask for a file again and again, and give up after `patience` seconds;
    what they got, and how long /healthz took at most.
    """
    found: Counter[str] = Counter()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                with urllib.request.urlopen(server.url + path, timeout=patience) as answer:  # noqa: S310  (our own server)
                    began = time.monotonic()
                    while answer.read(65_536) and time.monotonic() - began < patience:
                        pass
                    found[str(answer.status)] += 1
            except urllib.error.HTTPError as error:
                found[str(error.code)] += 1
                done.wait(float(error.headers.get("Retry-After") or 1))
            except OSError as error:
                found[type(error).__name__] += 1

    def ask() -> None:
        while not done.wait(0.1):
            began = time.monotonic()
            with urllib.request.urlopen(f"{server.url}/healthz", timeout=60):  # noqa: S310  (our own server)
                took = round((time.monotonic() - began) * 1000)
            found["healthz at most, ms"] = max(found["healthz at most, ms"], took)

    threads = [threading.Thread(target=read) for _ in range(readers)]
    threads.append(threading.Thread(target=ask))
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        done.set()
        for thread in threads:
            thread.join(90)


def test_a_class_beside_heavy_readers(server: Server, root: Path) -> None:
    large = saved(server, LARGE)
    load(server, root, "class", STUDENTS, 5, STEPS)
    alone = load(server, root, "class", STUDENTS, SECONDS, STEPS)
    rows = [row(f"{STUDENTS} students alone", alone)]
    quiet = table.percentile(alone["milliseconds"], 99)  # type: ignore[arg-type]
    for name, path, readers, patience in (
        ("8 readers of the CSV of 440-440-1", f"{large}/export/csv", 8, 60.0),
        ("16 readers of it", f"{large}/export/csv", 16, 60.0),
        ("8 readers of a drawn version", DRAWN, 8, 60.0),
        ("4 who hang up after a second", f"{large}/export/json", 4, 1.0),
    ):
        with beside(server, path, readers, patience) as got:
            found = load(server, root, "class", STUDENTS, SECONDS, STEPS)
        ratio = table.percentile(found["milliseconds"], 99) / quiet  # type: ignore[arg-type]
        told = ", ".join(f"{key}: {value}" for key, value in sorted(got.items()))
        rows.append(row(f"{name} (p99 × {ratio:.1f}; {told})", found, "p99 × 3"))
    table.show("A class beside heavy readers", HEAD, rows)


pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
