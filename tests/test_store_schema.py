"""The tables are made when they are first needed, an older store is brought up to date, a newer one
is left alone.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, inspect, text

from tutor.errors import StoreError
from tutor.scenario.dump import content_id
from tutor.store import migrations
from tutor.store.migrations import NEWEST, TABLES
from tutor.store.texts import Allowance, address, open_store

ELSEWHERE = Path("/nowhere/instance/lessons.sqlite")
TEXT = "title: saved by the first version\n"
VERSION_1 = (
    "CREATE TABLE tutor_store (version INTEGER NOT NULL)",
    "INSERT INTO tutor_store (version) VALUES (1)",
    """CREATE TABLE tutor_lessons (id VARCHAR(26) NOT NULL PRIMARY KEY, text TEXT NOT NULL, origin VARCHAR(80) NOT NULL,
    saved BIGINT NOT NULL, seen INTEGER NOT NULL)""",
    f"INSERT INTO tutor_lessons VALUES ('{content_id(TEXT)}', '{TEXT}', '', 1, 1)",  # noqa: S608  (our own words)
)


def run(url: str, *statements: str) -> None:
    engine = create_engine(address(url, ELSEWHERE))
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def versions(url: str) -> list[int]:
    engine = create_engine(address(url, ELSEWHERE))
    with engine.connect() as connection:
        found = [row[0] for row in connection.execute(text("SELECT version FROM tutor_store"))]
    engine.dispose()
    return found


def folder_of(url: str) -> Path | None:
    return Path(url.removeprefix("sqlite:///")).parent if url.startswith("sqlite") else None


@pytest.fixture
def old(store_url: str) -> str:
    """A store of version 1, with a lesson."""
    folder = folder_of(store_url)
    if folder:
        folder.mkdir()
    run(store_url, *VERSION_1)
    return store_url


def test_a_store_is_made_when_something_is_first_saved(store_url: str) -> None:
    store = open_store(store_url, ELSEWHERE)
    folder = folder_of(store_url)
    if folder:
        assert store.find("saved-aaaaaaaaaaaaaaaaaaaa") is None
        assert not folder.exists()
    store.save("title: one\n", "")
    assert versions(store_url) == [NEWEST]
    store.close()


def test_the_tables_are_those_that_the_program_speaks_of(store_url: str) -> None:
    store = open_store(store_url, ELSEWHERE)
    store.save("title: one\n", "")
    store.close()
    engine = create_engine(address(store_url, ELSEWHERE))
    made = {
        name: {column["name"] for column in inspect(engine).get_columns(name)}
        for name in inspect(engine).get_table_names()
    }
    engine.dispose()
    assert made == {
        table.name: {column.name for column in table.columns} for table in TABLES.sorted_tables
    }


def test_a_store_of_version_1_comes_up_to_date_and_keeps_its_lessons(old: str) -> None:
    store = open_store(old, ELSEWHERE)
    assert store.find(content_id(TEXT)) == TEXT
    assert versions(old) == [NEWEST]
    store.save("title: new\n", "", allowance=Allowance("192.0.2.1", 1))
    store.close()


def test_a_migration_that_fails_changes_nothing_and_is_tried_again(
    old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = migrations.MIGRATIONS

    def torn(connection: Connection) -> None:
        good[1](connection)
        connection.execute(text("INSERT INTO no_such_table VALUES (1)"))

    store = open_store(old, ELSEWHERE)
    monkeypatch.setattr(migrations, "MIGRATIONS", (good[0], torn))
    with pytest.raises(StoreError):
        store.find(content_id(TEXT))
    assert versions(old) == [1]
    monkeypatch.setattr(migrations, "MIGRATIONS", good)
    assert store.find(content_id(TEXT)) == TEXT
    store.close()


def test_a_store_of_a_newer_tutor_is_left_alone(store_url: str) -> None:
    store = open_store(store_url, ELSEWHERE)
    store.save("title: one\n", "")
    store.close()
    run(store_url, "UPDATE tutor_store SET version = 99")
    for act in (
        lambda: store.save("title: two\n", ""),
        lambda: store.find(content_id("title: one\n")),
        lambda: store.prune(1),
    ):
        with pytest.raises(
            StoreError, match=f"version 99, but this tutor reads versions up to {NEWEST}"
        ):
            act()
    assert "newer tutor" in store.trouble()
    store.close()
