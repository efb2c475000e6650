"""Saved is saved: whatever kills the process that saved, and however many save at once."""

from __future__ import annotations

import os
import random
import select
import time
from pathlib import Path

import psycopg
import pytest

from tests.databases import PostgreSQL
from tests.saver import Saver, text_of
from tutor.store.texts import Store, open_store

ROOT = Path(__file__).parents[1]
ELSEWHERE = Path("/nowhere/instance/lessons.sqlite")
KILLS, WRITERS = 10, 8


def found(store: Store, lines: list[str]) -> int:
    """How many lessons the lines name; each must be there with its text."""
    for line in lines:
        lesson, name, number = line.split()
        assert store.find(lesson) == text_of(name, int(number)), line
    return len(lines)


def rows(store: Store) -> int:
    with store._database.reading() as connection:
        counted: int = connection.exec_driver_sql("SELECT count(*) FROM tutor_lessons").scalar_one()
    return counted


@pytest.mark.slow
def test_no_saved_lesson_is_lost_when_the_process_is_killed(store_url: str) -> None:
    chance, saved = random.Random(4), 0
    for number in range(KILLS):
        saver = Saver(store_url, f"killed-{number}", 0, threads=2)
        saver.begin()
        assert select.select([saver.said], [], [], 30)[0]
        time.sleep(chance.uniform(0, 0.3))
        saver.process.kill()
        said, _ = saver.rest()
        store = open_store(store_url, ELSEWHERE)
        saved += found(store, said)
        assert store.save("title: it goes on\n", "")
        store.close()
    assert saved >= KILLS


@pytest.mark.slow
def test_no_saved_lesson_is_lost_when_postgresql_itself_is_killed(postgresql: PostgreSQL) -> None:
    url = postgresql.new()
    saver = Saver(url, "server", 0)
    saver.begin()
    said = [saver.said.readline() for _ in range(50)]
    postgresql.kill()
    said += saver.rest()[0]
    assert saver.process.exitcode != 0
    postgresql.start()
    store = open_store(url, ELSEWHERE)
    assert found(store, said) >= 50
    store.close()


@pytest.mark.parametrize(("processes", "threads"), [(2, 1), (2, 4), (8, 1)])
def test_all_that_save_at_once_succeed(processes: int, threads: int, store_url: str) -> None:
    savers = [Saver(store_url, f"writer-{n}", 25, threads) for n in range(processes)]
    for saver in savers:
        saver.begin()
    lines = [line for saver in savers for line in saver.finished()]
    store = open_store(store_url, ELSEWHERE)
    assert found(store, lines) == 25 * processes * threads == rows(store)
    store.close()


def test_the_same_text_from_all_at_once_is_one_row(store_url: str) -> None:
    savers = [Saver(store_url, "same", 10, WRITERS // 2) for _ in range(2)]
    for saver in savers:
        saver.begin()
    lines = [line for saver in savers for line in saver.finished()]
    store = open_store(store_url, ELSEWHERE)
    assert found(store, lines) == 10 * WRITERS
    assert rows(store) == 10 == len(set(lines))
    store.close()


@pytest.mark.slow
@pytest.mark.parametrize("turn", range(5))
def test_two_processes_that_start_at_once_make_the_tables_once(turn: int, store_url: str) -> None:
    savers = [Saver(store_url, f"first-{n}", 1) for n in range(4)]
    for saver in savers:
        saver.begin()
    lines = [line for saver in savers for line in saver.finished()]
    store = open_store(store_url, ELSEWHERE)
    assert found(store, lines) == 4 == rows(store)
    with store._database.reading() as connection:
        assert [
            tuple(row) for row in connection.exec_driver_sql("SELECT version FROM tutor_store")
        ] == [(2,)]
        assert connection.exec_driver_sql("SELECT count(*) FROM tutor_key").scalar_one() == 1
    store.close()


def test_a_forked_process_uses_connections_of_its_own(store_url: str) -> None:
    store = open_store(store_url, ELSEWHERE)
    lesson = store.save("title: before\n", "")
    child = os.fork()
    if child == 0:  # the child must not run anything of pytest's
        try:
            good = store.find(lesson) == "title: before\n" and bool(
                store.save("title: child\n", "")
            )
        finally:
            os._exit(0 if good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.find(lesson) == "title: before\n"
    assert rows(store) == 2
    store.close()


def test_a_pooler_or_an_administrator_may_break_connections(postgresql: PostgreSQL) -> None:
    url = postgresql.new()
    store = open_store(url, ELSEWHERE)
    lesson = store.save("title: one\n", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'backprop-tutor'"
        )
    assert store.find(lesson) == "title: one\n"
    store.close()
