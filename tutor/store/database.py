"""One database, SQLite or PostgreSQL, as the store uses it: transactions, and one error for all
that can go wrong.

    database = Database(url, prepare)            nothing is opened yet
    with database.reading() as connection: …     only looks
    with database.writing() as connection: …     one writer at a time, and durable once the block is
                                                 left

A writer waits for the one before it (BEGIN IMMEDIATE on SQLite, an advisory lock on PostgreSQL), so
what it reads stays true until it commits; decided against repeating transactions that collide, for
none does. Nothing is opened before it is needed, and each process opens its own: processes must not
share a connection.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tutor.errors import StoreError

WAIT: Final = 5
"""Seconds to wait for a lock or an answer."""
SLOW, PAUSE = 0.8, 5.0
"""A failure that took so many seconds is followed by a pause in which all others fail at once: they
must not hold up the pages.
"""
ONE_WRITER: Final = 0x6C6573736F6E73
"""The number of PostgreSQL's advisory lock."""
POSTGRESQL: Final = {
    "connect_timeout": WAIT,
    "tcp_user_timeout": WAIT * 1000,
    "application_name": "backprop-tutor",
    "options": f"-c statement_timeout={WAIT}s -c lock_timeout={WAIT}s",
}
Owner: TypeAlias = tuple[int, tuple[int, int] | None]
log = logging.getLogger(__name__)


class Database:
    """A database for any number of threads and processes. `prepare` makes or checks its tables
    before the first transaction.
    """

    def __init__(self, url: URL, prepare: Callable[[Engine], None]) -> None:
        self._url = url
        self._prepare = prepare
        self._lock = threading.RLock()
        self._engine: Engine | None = None
        self._belongs: Owner | None = None
        self._paused_until = 0.0
        self.file = Path(url.database or "") if url.get_backend_name() == "sqlite" else None

    @property
    def missing(self) -> bool:
        """Whether there is no file yet, so that nothing can be in it. One that cannot be looked at
        counts as there.
        """
        try:
            return self.file is not None and not self.file.stat()
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:
            return False

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only looks. Raises StoreError."""
        with self._told(), transaction(self._ready()) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction of the only writer. Raises StoreError; then nothing of it has happened."""
        with self._told(), transaction(self._ready(), writing=True) as connection:
            yield connection

    def close(self) -> None:
        """Close the connections of this process; the next transaction opens new ones."""
        with self._lock:
            if self._engine is not None and self._belongs is not None:
                self._engine.dispose(close=self._belongs[0] == os.getpid())
            self._engine = None

    def _ready(self) -> Engine:
        """The engine of this process and of the file that is there now, its tables prepared."""
        known = self._engine
        if known is not None and self._belongs == self._owner():
            return known
        # another thread is opening it; lately in vain?
        if not self._lock.acquire(timeout=SLOW if self._paused_until else WAIT):
            log.error("the store of saved lessons: another request is still waiting for it")
            raise StoreError
        try:
            if self._engine is None or self._belongs != self._owner():
                self._engine = self._open()
            return self._engine
        finally:
            self._lock.release()

    def _open(self) -> Engine:
        if self._engine is not None:
            # a parent's connections, or those of a file that is gone
            self._engine.dispose(close=False)
        if self.file is not None:
            self.file.parent.mkdir(parents=True, exist_ok=True)
        opened = engine(self._url)
        try:
            self._prepare(opened)
        except BaseException:
            opened.dispose()
            raise
        self._belongs, self._paused_until = self._owner(), 0.0
        return opened

    def _owner(self) -> Owner:
        """To whom an engine belongs: to a process and, where it is one, to a file, for another may
        have taken its place.
        """
        try:
            status = self.file.stat() if self.file is not None else None
        except OSError:
            status = None
        return os.getpid(), (status.st_dev, status.st_ino) if status else None

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say in one way what went wrong: the reason to the log, plain words to the reader."""
        began = time.monotonic()
        if began < self._paused_until:
            raise StoreError
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            if time.monotonic() - began >= SLOW:
                self._paused_until = time.monotonic() + PAUSE
            # The reason is enough; a trace for each request is not
            log.error("the store of saved lessons: %s", reason(error))  # noqa: TRY400
            raise StoreError from None


@contextmanager
def transaction(opened: Engine, *, writing: bool = False) -> Iterator[Connection]:
    """A transaction; with `writing` that of the only writer."""
    with opened.connect() as connection, connection.execution_options(writing=writing).begin():
        yield connection


def reason(error: BaseException) -> str:
    """What the database itself says, on one line, without the statement and its values."""
    original = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return " ".join(f"{type(original).__name__}: {original}".split())


def engine(url: URL) -> Engine:
    """The engine of an address; it connects when it is first used."""
    if url.get_backend_name() == "sqlite":
        made = create_engine(url, connect_args={"timeout": WAIT}, hide_parameters=True)
        event.listen(made, "connect", _set_up_sqlite)
        event.listen(made, "begin", _begin_sqlite)
        return made
    arguments = {name: value for name, value in POSTGRESQL.items() if name not in url.query}
    made = create_engine(
        url,
        connect_args=arguments,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_timeout=WAIT,
        hide_parameters=True,
    )
    event.listen(made, "begin", _begin_postgresql)
    return made


def _set_up_sqlite(connection: Any, _: object) -> None:
    """Write-ahead log, so that readers and the writer do not wait for each other; FULL, so that
    saved means saved.
    """
    connection.isolation_level = None  # we say BEGIN ourselves
    connection.execute("PRAGMA synchronous=FULL")
    deadline = time.monotonic() + WAIT
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            break  # also where the file system knows no WAL: slower, as safe
        # changing the mode does not wait for others as all else does
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(
        "BEGIN IMMEDIATE" if connection.get_execution_options().get("writing") else "BEGIN"
    )


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("writing"):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ONE_WRITER})")
