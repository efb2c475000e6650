"""What an answer costs: time of the processor, of the whole worker or of nginx, over a connection
that is kept. docs/capacity.md computes from this.

Time of the processor, not of the clock: what else the machine does at that moment counts little.
"""

from __future__ import annotations

import http.client
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

from tests.benchmarks import table
from tests.deploy.nginx import Nginx
from tests.serving import Tutor

LESSON = "/lessons/1-2-3-1-sigmoid"
FRAGMENT = {"HX-Request": "true"}
STEPS = 79
ROUNDS, EACH, MANY, QUICK = 5, 200, 2_000, 3_000


class Processes:
    """The processes of a server, looked at from outside."""

    def __init__(self, main: int) -> None:
        self._main = main

    def all(self) -> list[Path]:
        """Their folders under /proc."""
        children = Path(f"/proc/{self._main}/task/{self._main}/children").read_text("ascii")
        return [Path(f"/proc/{pid}") for pid in (self._main, *children.split())]

    def seconds(self) -> float:
        """Time of the processor so far."""
        fields = (one.joinpath("stat").read_text("ascii").rpartition(")")[2] for one in self.all())
        ticks = sum(int(part) for text in fields for part in text.split()[11:13])
        return ticks / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        """The largest one's memory."""
        statuses = (one.joinpath("status").read_text("ascii") for one in self.all())
        return max(int(s.partition("VmRSS:")[2].split()[0]) for s in statuses) / 1024


def asked(port: int, addresses: Iterator[tuple[str, dict[str, str]]], many: int) -> int:
    """Ask for so many addresses, one after the other; the bytes of the answers."""
    size = 0
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        for _ in range(many):
            address, headers = next(addresses)
            connection.request("GET", address, headers=headers)
            answer = connection.getresponse()
            size += len(answer.read())
            assert answer.status == 200, address
    return size


def cost(
    processes: Processes,
    port: int,
    address: Callable[[int], str],
    headers: dict[str, str],
    each: int = EACH,
) -> tuple[float, float]:
    """(seconds of the processor, bytes) of one answer, the median over some rounds."""

    def endless() -> Iterator[tuple[str, dict[str, str]]]:
        n = 0
        while True:
            yield address(n), headers
            n += 1

    addresses, found, size = endless(), [], 0
    asked(port, addresses, each)
    for _ in range(ROUNDS):
        before = processes.seconds()
        size = asked(port, addresses, each)
        found.append((processes.seconds() - before) / each)
    return median(found), size / each


def row(name: str, found: tuple[float, float]) -> tuple[str, str, str, str]:
    seconds, size = found
    return name, f"{seconds * 1000:.2f}", f"{1 / seconds:,.0f}", f"{size / 1000:.1f}"


class Page(BaseHTTPRequestHandler):
    """An answer of the size of a fragment that may be kept."""

    body = b"x" * 10_000

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Cache-Control", "public, max-age=0, s-maxage=600")
        self.send_header("ETag", '"x"')
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_what_an_answer_costs(tmp_path: Path) -> None:
    with Tutor() as tutor:
        worker = Processes(tutor.pid)
        empty = worker.megabytes()
        step = f"{LESSON}/steps/{{}}"
        rows = [
            row("fragment of a step, warm", cost(worker, tutor.port, lambda n: step.format(n % STEPS + 1), FRAGMENT, MANY)),
            row("page of a step, warm", cost(worker, tutor.port, lambda n: step.format(n % STEPS + 1), {}, MANY)),
            # another learning rate is another lesson: nothing of it is known
            row("fragment of a lesson that nobody has opened", cost(worker, tutor.port, lambda n: f"{step.format(3)}?learning_rate={(n + 1) / 10_000}", FRAGMENT)),
            row("static file", cost(worker, tutor.port, lambda _: "/static/walk.js", {}, MANY)),
        ]  # fmt: skip
        note = f"A worker has {empty:.0f} MB before its first answer, {worker.megabytes():.0f} MB after these."
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as stub:
        threading.Thread(target=stub.serve_forever, daemon=True).start()
        with Nginx(tmp_path, stub.server_port, stub.server_port) as proxy:
            cached = cost(Processes(proxy.pid), proxy.port, lambda _: "/", {}, QUICK)
        stub.shutdown()
    table.show(
        "One answer, on one core",
        ("", "ms of a core", "a second and core", "KB"),
        [*rows, row("hit in nginx's cache", cached)],
        note,
    )
    assert cached[0] > 0
