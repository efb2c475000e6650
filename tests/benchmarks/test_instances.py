"""One instance, two of them, the cache in front; and a class beside a database that says nothing.

The same class of 100 each time: against one instance, against two on one PostgreSQL behind nginx
that only passes on, and behind the same nginx with its cache as docs/deploy has it. The hit rate is
what the instances were not asked for. Then the database is stopped where it is, and eight readers
ask for saved lessons that nobody knows, while the class walks on through the shelf.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.benchmarks import table
from tests.benchmarks.test_heavy import beside
from tests.benchmarks.test_load import STEPS, load
from tests.databases import PostgreSQL, postgresql  # noqa: F401  (a fixture)
from tests.deploy.nginx import Nginx, program
from tests.serving import Tutor

STUDENTS, SECONDS, READERS = 100, 15, 8
UNKNOWN = "/lessons/saved-aaaaaaaaaaaaaaaaaaaa"
PASSING_ON = ("proxy_cache pages;", "proxy_cache off;")
HEAD = ("", "hit rate", "a second", "p50 ms", "p95 ms", "p99 ms", "most ms", "errors", "bar")


def at(port: int) -> Any:
    """What `load` and `beside` take for a server."""
    return SimpleNamespace(url=f"http://127.0.0.1:{port}")


def asked(instances: list[Tutor]) -> int:
    """How many steps the instances have answered so far."""
    return sum(len(re.findall(r"GET \S+/steps/", each.log())) for each in instances)


@contextmanager
def proxied(folder: Path, instances: list[Tutor], *changed: str) -> Iterator[Nginx]:
    """nginx in front of the instances."""
    folder.mkdir()
    with Nginx(folder, *(each.port for each in instances), *changed) as proxy:
        yield proxy


def test_instances(root: Path, tmp_path: Path, postgresql: PostgreSQL) -> None:  # noqa: F811
    program()
    settings = {"DATABASE_URL": postgresql.new(), "BEHIND_PROXY": "1", "DATABASE_WAIT": "3"}
    instances = [Tutor(workers=1, **settings) for _ in range(2)]
    rows: list[tuple[object, ...]] = []

    def measured(name: str, port: int, bar: str = "") -> None:
        before = asked(instances)
        found = load(at(port), root, "class", STUDENTS, SECONDS, STEPS)
        waited, seconds = found["milliseconds"], found["seconds"]
        assert isinstance(waited, list)
        assert isinstance(seconds, float)
        hits = 1 - (asked(instances) - before) / len(waited)
        shown = (f"{table.percentile(waited, share):.1f}" for share in (50, 95, 99, 100))
        rows.append(
            (
                name,
                f"{hits:.0%}",
                f"{len(waited) / seconds:,.0f}",
                *shown,
                found["errors"] or 0,
                bar,
            )
        )

    with instances[0], instances[1]:
        for each in instances:
            load(at(each.port), root, "greedy", 4, 2, STEPS)
        measured("one instance", instances[0].port)
        with proxied(tmp_path / "passing", instances, *PASSING_ON) as proxy:
            measured("two, nginx passes on", proxy.port)
        with proxied(tmp_path / "caching", instances) as proxy:
            measured("two, with the cache in front", proxy.port)
        with (
            postgresql.frozen(),
            beside(at(instances[0].port), UNKNOWN, READERS, 60) as got,
        ):
            measured("one, beside a frozen database", instances[0].port, "p99 × 3")
        told = ", ".join(f"{key}: {value}" for key, value in sorted(got.items()))
    table.show(
        f"{STUDENTS} students, one instance and two", HEAD, rows,
        f"{READERS} readers of unknown saved lessons at the frozen database got {told}.",
    )  # fmt: skip
