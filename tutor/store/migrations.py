"""The tables of the store, and how an older store becomes one of today.

    1   the lessons
    2   the saves of the last minute, for the limit

Each migration runs in a transaction of its own, by whichever process comes first; the others find
it done. A migration that has been in a release is never changed: what comes next is added below it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    inspect,
    select,
    text,
    update,
)

from tutor.errors import StoreError
from tutor.store.database import transaction

TABLES: Final = MetaData()
STORE: Final = Table("tutor_store", TABLES, Column("version", Integer))
LESSONS: Final = Table(
    "tutor_lessons",
    TABLES,
    Column("id", String, primary_key=True),
    Column("text", Text),
    Column("origin", String),
    Column("saved", BigInteger),
    Column("seen", Integer),
)
"""`saved` in seconds since 1970; `seen` in days since 1970: when it was last opened."""
SAVES: Final = Table("tutor_saves", TABLES, Column("who", String), Column("at", BigInteger))
"""One row for each lesson saved in the last minute: a keyed hash of the address, and when, in
milliseconds since 1970.
"""
KEY: Final = Table("tutor_key", TABLES, Column("key", String))
"""The key of those hashes, one row."""


def _lessons(connection: Connection) -> None:
    connection.execute(text("CREATE TABLE tutor_store (version INTEGER NOT NULL)"))
    connection.execute(text("INSERT INTO tutor_store (version) VALUES (0)"))
    connection.execute(
        text(
            "CREATE TABLE tutor_lessons (id VARCHAR(26) NOT NULL PRIMARY KEY,"
            " text TEXT NOT NULL, origin VARCHAR(80) NOT NULL,"
            " saved BIGINT NOT NULL, seen INTEGER NOT NULL)"
        )
    )


def _saves(connection: Connection) -> None:
    connection.execute(
        text("CREATE TABLE tutor_saves (who VARCHAR(64) NOT NULL, at BIGINT NOT NULL)")
    )
    connection.execute(text("CREATE INDEX tutor_saves_who_at ON tutor_saves (who, at)"))
    connection.execute(text("CREATE TABLE tutor_key (key VARCHAR(64) NOT NULL)"))
    connection.execute(
        text("INSERT INTO tutor_key (key) VALUES (:key)"), {"key": secrets.token_hex(32)}
    )


MIGRATIONS: Final[tuple[Callable[[Connection], None], ...]] = (_lessons, _saves)
NEWEST: Final = len(MIGRATIONS)


def prepare(engine: Engine) -> None:
    """Bring a store up to date, an empty one too. Raises StoreError where it is of a later version
    of the tutor.
    """
    with transaction(engine) as connection:
        found = version(connection)
    while found < NEWEST:
        with transaction(engine, writing=True) as connection:
            found = _step(connection)
    if found > NEWEST:
        raise StoreError(
            f"Saved lessons cannot be opened: the store has version {found}, "
            f"but this tutor reads versions up to {NEWEST}. "
            "A newer tutor has written to it; start that one."
        )


def _step(connection: Connection) -> int:
    """The next migration, unless another process has done it; the version that the store has."""
    found = version(connection)
    if found >= NEWEST:
        return found
    MIGRATIONS[found](connection)
    connection.execute(update(STORE).values(version=found + 1))
    return found + 1


def version(connection: Connection) -> int:
    """The version of a store; 0 where there is none yet."""
    return (
        connection.scalar(select(STORE.c.version)) or 0
        if inspect(connection).has_table(STORE.name)
        else 0
    )
