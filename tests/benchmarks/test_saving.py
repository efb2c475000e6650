"""Saving a lesson against a bare INSERT of the same text, and opening a saved lesson against the
same lesson on the shelf.

The floor of saving is what the disk wants: one INSERT in one transaction, SQLite in WAL mode with
synchronous=FULL, or PostgreSQL as it comes. The floor of opening is the page of the preset.
`remembered` is the second visit, `new` the first one after a restart: the preset's lesson is
computed again; a saved one is read from the store and parsed before.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path
from statistics import median

import psycopg
import pytest
from flask import Flask

from app import create_app
from tests.benchmarks import table
from tests.benchmarks.test_fragment import request
from tests.databases import PostgreSQL, programs
from tutor.scenario import dump
from tutor.scenario.reader import Scenario, load
from tutor.store.texts import Allowance, Store, open_store

TABLE = "CREATE TABLE bare (id VARCHAR(26) NOT NULL PRIMARY KEY, text TEXT NOT NULL)"
LESSON = "3-2-3-softmax"
OPENED = ("", "/steps/1")


def texts(scenario: Scenario) -> Iterator[str]:
    """Canonical texts that all differ."""
    return (dump.write(replace(scenario, title=f"Lesson {n}")) for n in count())


def bare_sqlite(path: Path) -> Callable[[str], object]:
    """One INSERT of a text, by the library alone."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(TABLE)

    def insert(text: str) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO bare VALUES (?, ?)", (dump.content_id(text), text))
        connection.execute("COMMIT")

    return insert


def bare_postgresql(connection: psycopg.Connection) -> Callable[[str], object]:
    """One INSERT of a text, by the driver alone."""
    connection.execute(TABLE)
    connection.commit()

    def insert(text: str) -> None:
        connection.execute("INSERT INTO bare VALUES (%s, %s)", (dump.content_id(text), text))
        connection.commit()

    return insert


def saves(
    kind: str, store: Store, bare: Callable[[str], object], scenario: Scenario
) -> list[tuple[str, ...]]:
    """The rows of one database."""
    new = texts(scenario)
    known = next(new)
    store.save(known, "")
    ways: dict[str, Callable[[], object]] = {
        "a bare INSERT": lambda: bare(next(new)),
        "save": lambda: store.save(next(new), ""),
        "save, with the limit a minute": lambda: store.save(
            next(new), "", allowance=Allowance("192.0.2.1", 1_000_000)
        ),
        "save again what is there": lambda: store.save(known, ""),
        "find": lambda: store.find(dump.content_id(known)),
    }
    seconds = table.interleaved(ways, rounds=30, loops=10)
    floor = seconds["a bare INSERT"]
    return [
        (f"{kind}: {way}", table.micro(median(taken)), f"{table.ratio(taken, floor):.2f}")
        for way, taken in seconds.items()
    ]


def test_saving_against_a_bare_insert(
    root: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    scenario = load(root / "scenarios" / f"{LESSON}.yaml")
    store = open_store(f"sqlite:///{tmp_path}/lessons.sqlite", tmp_path)
    rows = saves("SQLite", store, bare_sqlite(tmp_path / "bare.sqlite"), scenario)
    store.close()
    if programs():
        server: PostgreSQL = request.getfixturevalue("postgresql")
        url = server.new()
        store = open_store(url, tmp_path)
        with closing(psycopg.connect(url)) as connection:
            rows += saves("PostgreSQL", store, bare_postgresql(connection), scenario)
        store.close()
    size = len(next(texts(scenario)).encode()) / 1024
    table.show(
        f"Saving {LESSON}, {size:.1f} KB", ("", "median", "× a bare INSERT"), rows,
        "Each includes writing the canonical text; a save also looks whether the lesson is there, and makes its id.",
    )  # fmt: skip


def opened(app: Flask, lesson: str, rest: str) -> tuple[Callable[[], bytes], Callable[[], float]]:
    """(the second visit of a page, seconds of the first one after everything was forgotten)."""
    page = request(app, f"/lessons/{lesson}{rest}")
    forget = app.extensions["tutor"].library.clear

    def first() -> float:
        forget()
        return table.timed(page)

    return page, first


def test_opening_a_saved_lesson_against_a_preset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/lessons.sqlite")
    app = create_app()
    site = app.extensions["tutor"]
    rows = []
    for name in (LESSON, "1-2-3-1-sigmoid"):
        saved = site.saving.save(site.library.shelf.find(name), "192.0.2.1")
        for rest in OPENED:
            preset, preset_first = opened(app, name, rest)
            ours, ours_first = opened(app, saved, rest)
            warm = table.interleaved({"preset": preset, "saved": ours}, rounds=30, loops=3)
            cold = [(preset_first(), ours_first()) for _ in range(15)]
            for state, floor, taken in (
                ("remembered", warm["preset"], warm["saved"]),
                ("new", [a for a, _ in cold], [b for _, b in cold]),
            ):
                what = f"{name}{rest or ', first page'}, {state}"
                rows.append(
                    (
                        what,
                        table.milli(median(floor)),
                        table.milli(median(taken)),
                        f"{table.ratio(taken, floor):.2f}",
                    )
                )
    table.show("Opening a saved lesson", ("", "preset", "saved", "× the preset"), rows, "Aim: at most 1.5 times the preset. "
        "A saved lesson that is new to a process is read and parsed first; a preset was parsed when the server started.")  # fmt: skip
