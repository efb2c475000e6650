"""One database, SQLite or PostgreSQL, as the store uses it: transactions, and one error for all
that can go wrong.

    database = Database(url, prepare)            nothing is opened yet
    with database.reading() as connection: …     only looks
    with database.writing() as connection: …     one writer at a time, and durable once the block is
                                                 left
    with database.reading(wait=2) as …           with less patience than the setting says

A writer waits for the one before it (BEGIN IMMEDIATE on SQLite, an advisory lock on PostgreSQL), so
what it reads stays true until it commits; decided against repeating transactions that collide, for
none does. Nothing is opened before it is needed, and each process opens its own: processes must not
share a connection.

A database may also say nothing at all. Its own limits do not help then: a frozen server keeps no
time, and TCP's limit does not fire while its kernel acknowledges. So each answer is waited for only
so long on our side, by a few threads at once.
"""

from __future__ import annotations

import logging
import math
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn, TypeAlias, TypeVar

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tutor.errors import StoreError

WAIT: Final = 5
"""Seconds to wait for a lock or an answer, unless the setting DATABASE_WAIT says otherwise."""
GRACE: Final = 0.5
"""So much longer is waited on our side: a server that is alive says itself that it took too long,
and its connection can be used again.
"""
SLOW, PAUSE = 0.8, 5.0
"""A failure that took so many seconds is followed by a pause in which all others fail at once: they
must not hold up the pages.
"""
READERS, WRITERS = 8, 2
"""Transactions of a process at once. Readers that find all places taken wait for SLOW only, so a
database that says nothing cannot hold all threads; writers take turns anyway.
"""
ONE_WRITER: Final = 0x6C6573736F6E73
"""The number of PostgreSQL's advisory lock."""
POSTGRESQL: Final[dict[str, Any]] = {"application_name": "backprop-tutor"}
SHORTEST_CONNECT: Final = 2
"""Seconds; psycopg makes more of less."""
SQLITE: Final = b"SQLite format 3\0"
GONE: Final = (
    "Saved lessons cannot be reached: the file that they are kept in is gone. "
    "All other lessons work. Whoever runs this site has to put the file back."
)
Owner: TypeAlias = tuple[int, tuple[int, int] | None]
log = logging.getLogger(__name__)
Result = TypeVar("Result")


class Deadline(threading.local):
    """How long this thread waits for each answer, and until when for connections."""

    wait: float = WAIT
    end: float = math.inf


_deadline = Deadline()


class Database:
    """A database for any number of threads and processes. `prepare` makes or checks its tables
    before the first transaction; `wait` is in seconds.
    """

    def __init__(
        self,
        url: URL,
        prepare: Callable[[Engine], None],
        wait: float | None = None,
    ) -> None:
        self._url = url
        self._prepare = prepare
        self._wait = WAIT if wait is None else wait
        self._lock = threading.RLock()
        self._readers, self._writers = threading.Semaphore(READERS), threading.Semaphore(WRITERS)
        self._engine: Engine | None = None
        self._belongs: Owner | None = None
        self._paused_until = 0.0
        self.file = Path(url.database or "") if url.get_backend_name() == "sqlite" else None
        self.was_there = self.file is not None and is_sqlite(self.file)
        """Whether the file is one that was there, so that it is not made anew where it is gone."""

    @property
    def missing(self) -> bool:
        """Whether there is no file yet, so that nothing can be in it. One that cannot be looked at
        counts as there. Raises StoreError where a file that was there is gone, or was emptied.
        """
        if self.file is None:
            return False
        try:
            if not self.file.stat().st_size:
                self._refuse_gone()
        except (FileNotFoundError, NotADirectoryError):
            self._refuse_gone()
            return True
        except OSError:
            return False
        # also one that another process has made
        self.was_there = self.was_there or is_sqlite(self.file)
        return False

    def _refuse_gone(self) -> None:
        """An empty store in place of one that was deleted would look as if all were well."""
        if self.was_there:
            log.error(
                "the store of saved lessons: %s was there and is gone; put it back, "
                "or start the tutor again for an empty one",
                self.file,
            )
            raise StoreError(GONE)

    def make(self) -> Path | None:
        """Make the file and the tables where there are none yet; the file, where it is new. Raises
        StoreError.
        """
        new = self.file if self.missing else None
        with self.reading():
            return new

    @contextmanager
    def reading(self, wait: float | None = None) -> Iterator[Connection]:
        """A transaction that only looks. Raises StoreError."""
        with (
            self._asked(self._readers, SLOW, wait),
            transaction(self._ready()) as connection,
        ):
            yield connection

    @contextmanager
    def writing(self, wait: float | None = None) -> Iterator[Connection]:
        """A transaction of the only writer. Raises StoreError; then nothing of it has happened,
        unless the database fell silent while it was told to keep it.
        """
        with (
            self._asked(self._writers, wait or self._wait, wait),
            transaction(self._ready(), writing=True) as connection,
        ):
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
        if not self._lock.acquire(timeout=SLOW if self._paused_until else _deadline.wait):
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
        if self.file is not None and self.missing:
            self.file.parent.mkdir(parents=True, exist_ok=True)
        opened = engine(self._url, self._wait)
        try:
            self._prepare(opened)
        except BaseException:
            opened.dispose()
            raise
        self._belongs, self._paused_until = self._owner(), 0.0
        self.was_there = self._belongs[1] is not None
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
    def _asked(
        self, places: threading.Semaphore, patience: float, wait: float | None
    ) -> Iterator[None]:
        """Take a place and set the deadlines. Say in one way what went wrong: the reason to the
        log, plain words to the reader.
        """
        began = time.monotonic()
        if began < self._paused_until:
            raise StoreError
        if not places.acquire(timeout=patience):
            self._fail(began, "others have been waiting for an answer too long")
        try:
            _deadline.wait = self._wait if wait is None else wait
            _deadline.end = time.monotonic() + _deadline.wait
            yield
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            self._fail(began, reason(error))
        finally:
            _deadline.end = math.inf
            places.release()

    def _fail(self, began: float, why: str) -> NoReturn:
        """After a slow failure all others fail at once for a while."""
        if time.monotonic() - began >= SLOW:
            self._paused_until = time.monotonic() + PAUSE
        log.error("the store of saved lessons: %s", why)
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


def is_sqlite(file: Path) -> bool:
    """Whether this is the file of an SQLite database."""
    try:
        with file.open("rb") as opened:
            return opened.read(len(SQLITE)) == SQLITE
    except OSError:
        return False


def engine(url: URL, wait: float = WAIT) -> Engine:
    """The engine of an address; it connects when it is first used."""
    if url.get_backend_name() == "sqlite":
        made = create_engine(
            url,
            connect_args={"timeout": wait},
            pool_size=READERS + WRITERS,
            max_overflow=0,
            hide_parameters=True,
        )
        event.listen(made, "connect", _set_up_sqlite)
        event.listen(made, "begin", _begin_sqlite)
        return made
    milliseconds = math.ceil(wait * 1000)
    given = {
        "connect_timeout": math.ceil(wait),
        "tcp_user_timeout": milliseconds,
        "options": f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds}",
    } | POSTGRESQL
    made = create_engine(
        url,
        connect_args={name: value for name, value in given.items() if name not in url.query},
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_size=READERS + WRITERS,
        max_overflow=0,
        pool_timeout=wait,
        hide_parameters=True,
    )
    event.listen(made, "do_connect", _connect_postgresql)
    event.listen(made, "begin", _begin_postgresql)
    return made


class NoAnswerError(psycopg.OperationalError):
    """The server said nothing for too long."""

    def __init__(self) -> None:
        super().__init__(f"no answer within {_deadline.wait:g} seconds")


class ImpatientConnection(psycopg.Connection[Any]):
    """A connection to PostgreSQL that waits only so long for each answer, and is closed then:
    nobody knows any more what the next answer on it would be about.
    """

    def wait(self, gen: Generator[Any, Any, Result], *rest: Any, **more: Any) -> Result:
        """All that psycopg waits for once it is connected comes by here."""
        try:
            return super().wait(_in_time(gen), *rest, **more)
        except NoAnswerError:
            self.close()
            raise


def _in_time(gen: Generator[Any, Any, Result]) -> Generator[Any, Any, Result]:
    """The same steps, as long as there is time. psycopg comes by each tenth of a second, also
    where nothing has arrived.
    """
    end = time.monotonic() + _deadline.wait + GRACE
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if not ready and time.monotonic() > end:
                raise NoAnswerError
            wanted = gen.send(ready)
    except StopIteration as done:
        result: Result = done.value
        return result


def _connect_postgresql(
    dialect: object, record: object, arguments: tuple[Any, ...], named: dict[str, Any]
) -> ImpatientConnection:
    """A new connection, in what is left of the time where another one has just been given up."""
    left = math.ceil(_deadline.end - time.monotonic())
    if left <= 0:
        raise NoAnswerError
    limit = max(SHORTEST_CONNECT, min(int(named["connect_timeout"]), left))
    return ImpatientConnection.connect(*arguments, **(named | {"connect_timeout": limit}))


def _set_up_sqlite(connection: Any, _: object) -> None:
    """Write-ahead log, so that readers and the writer do not wait for each other; FULL, so that
    saved means saved.
    """
    connection.isolation_level = None  # we say BEGIN ourselves
    connection.execute("PRAGMA synchronous=FULL")
    deadline = time.monotonic() + _deadline.wait
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
