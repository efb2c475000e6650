"""The store: the texts of lessons that readers have saved. The same text has the same id, and
nothing changes a text.

    store = open_store(None, Path("instance/lessons.sqlite"))    nothing is opened or made yet
    id = store.save(text, origin)                                once this returns, the lesson
                                                                 survives a crash
    store.find(id)                                               the text, or None

A lesson's id is made of its text (`scenario_text.content_id`), so a text that was damaged does not
fit its id and counts as not there. What a lesson says is no matter of the store: it keeps texts.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from tutor.errors import SettingError, StoreError, TooManySavesError
from tutor.scenario.dump import content_id
from tutor.store.database import Database
from tutor.store.migrations import KEY, LESSONS, SAVES, prepare, version
from tutor.store.visits import Visits

DAY: Final = 24 * 3600
MINUTE: Final = 60_000
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many new lessons `who` may save in a minute. `who` is kept as a keyed hash only."""

    who: str
    per_minute: int


class Store:
    """Texts by their ids, in one database. Many threads and processes may use it at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.visits = Visits(self._write)

    def save(
        self, text: str, origin: str, now: float | None = None, allowance: Allowance | None = None
    ) -> str:
        """Keep a text for good and return its id. Raises StoreError, or TooManySavesError where the
        allowance is used up.

        A text that is there already costs nothing of the allowance.
        """
        moment, made = time.time() if now is None else now, content_id(text)
        with self._database.writing() as connection:
            known = connection.scalar(select(LESSONS.c.text).where(LESSONS.c.id == made))
            if known == text:
                _mark(connection, {made: _day(moment)})
                return made
            if allowance is not None:
                _count(connection, allowance, moment)
            if known is not None:
                _clear_damaged(connection, made, known)
            _add(connection, made, text, origin, moment)
        return made

    def find(self, lesson: str, now: float | None = None) -> str | None:
        """The text of an id, and note that it was opened today. Raises StoreError where the store
        cannot be reached.
        """
        if self._database.missing:
            return None
        with self._database.reading() as connection:
            row = connection.execute(
                select(LESSONS.c.text, LESSONS.c.seen).where(LESSONS.c.id == lesson)
            ).first()
        if row is None:
            return None
        if not _sound(row.text, lesson):
            log.error("the saved lesson %s no longer matches its id and is not shown", lesson)
            return None
        moment = time.time() if now is None else now
        if row.seen < _day(moment):
            self.visits.note(lesson, _day(moment))
        text: str = row.text
        return text

    def prune(
        self, older_than_days: int, dry_run: bool = False, now: float | None = None
    ) -> list[str]:
        """Remove the lessons not opened on any of the last days that no kept lesson was made from;
        their ids. Raises StoreError.
        """
        if self._database.missing:
            return []
        self.visits.write_now()
        limit = _day(time.time() if now is None else now) - older_than_days
        with self._database.writing() as connection:
            rows = connection.execute(
                select(LESSONS.c.id, LESSONS.c.origin, LESSONS.c.seen).order_by(
                    LESSONS.c.saved, LESSONS.c.id
                )
            )
            gone = _unneeded([(row.id, row.origin, row.seen >= limit) for row in rows])
            for start in range(0, 0 if dry_run else len(gone), 500):
                connection.execute(
                    delete(LESSONS).where(LESSONS.c.id.in_(gone[start : start + 500]))
                )
        return gone

    def trouble(self, wait: float | None = None) -> str:
        """Why the store cannot be used now, or "" where it can or is not made yet; `wait` is how
        many seconds that may take.
        """
        try:
            if not self._database.missing:
                with self._database.reading(wait) as connection:
                    version(connection)
        except StoreError as error:
            return str(error)
        return ""

    def make(self) -> Path | None:
        """Make the file and the tables where there are none yet; the file, where it is new. Raises
        StoreError.
        """
        return self._database.make()

    @property
    def was_there(self) -> bool:
        """Whether there is a file, or was one."""
        return self._database.was_there

    def expect(self) -> None:
        """Never make the file, as another process has; where it is gone, say so."""
        self._database.was_there = self._database.file is not None

    def close(self) -> None:
        """Close the connections of this process; the next use opens new ones."""
        self.visits.write_now()
        self._database.close()

    def _write(self, days: Mapping[str, int]) -> None:
        with self._database.writing() as connection:
            _mark(connection, days)


def _day(moment: float) -> int:
    return int(moment // DAY)


def _sound(text: str, lesson: str) -> bool:
    return content_id(text) == lesson


def _mark(connection: Connection, days: Mapping[str, int]) -> None:
    """Note on which days lessons were opened."""
    marked = (
        update(LESSONS)
        .where(LESSONS.c.id == bindparam("lesson"), LESSONS.c.seen < bindparam("day"))
        .values(seen=bindparam("day"))
    )
    connection.execute(marked, [{"lesson": name, "day": day} for name, day in days.items()])


def _add(connection: Connection, lesson: str, text: str, origin: str, moment: float) -> None:
    """One new row; where it is there by now, nothing."""
    rows = {
        "id": lesson,
        "text": text,
        "origin": origin,
        "saved": int(moment),
        "seen": _day(moment),
    }
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(LESSONS).values(**rows).on_conflict_do_nothing())


def _clear_damaged(connection: Connection, lesson: str, known: str) -> None:
    """Make room for the right text where a damaged one stands; a sound one stays whatever comes."""
    if _sound(known, lesson):
        log.error("another lesson already has the id %s", lesson)
        raise StoreError(
            "Another lesson already has the address that this one would get. "
            "Change anything in it, and save again."
        )
    connection.execute(delete(LESSONS).where(LESSONS.c.id == lesson))


def _count(connection: Connection, allowance: Allowance, moment: float) -> None:
    """Count one save, or raise TooManySavesError. Rows older than a minute are removed, whoever
    they are about.
    """
    now = int(moment * 1000)
    connection.execute(
        delete(SAVES).where(or_(SAVES.c.at <= now - MINUTE, SAVES.c.at > now + MINUTE))
    )
    key = connection.scalar(select(KEY.c.key)) or ""
    who = hmac.new(
        key.encode(), allowance.who.encode("utf-8", "replace"), hashlib.sha256
    ).hexdigest()
    done, first = connection.execute(
        select(func.count(), func.min(SAVES.c.at)).where(SAVES.c.who == who)
    ).one()
    if done >= allowance.per_minute:
        wait = math.ceil((first + MINUTE - now) / 1000)
        raise TooManySavesError(allowance.per_minute, min(60, max(1, wait)))
    connection.execute(insert(SAVES).values(who=who, at=now))


def _unneeded(lessons: Iterable[tuple[str, str, bool]]) -> list[str]:
    """The ids that can go, of (id, origin, whether it was opened lately): neither opened nor, by
    any chain, an origin of one that was.
    """
    rows = list(lessons)
    origins = {lesson: origin for lesson, origin, _ in rows}
    kept: set[str] = set()
    for lesson, _, recent in rows:
        at: str | None = lesson if recent else None
        while at in origins and at not in kept:
            kept.add(at)
            at = origins[at]
    return [lesson for lesson, _, _ in rows if lesson not in kept]


def open_store(url: str | None, default: Path, wait: float | None = None) -> Store:
    """The store of an address such as sqlite:////srv/lessons.sqlite or
    postgresql://tutor@localhost/tutor; without one, of a file.

    Relative files are relative to the folder above `default`; `wait` is that of `Database`. Raises
    SettingError where the address cannot be used; whether anything answers there shows later.
    """
    return Store(Database(address(url, default), prepare, wait))


def address(url: str | None, default: Path) -> URL:
    """The address of a store, with our drivers. Its password is never shown."""
    if not url:
        return URL.create("sqlite", database=str(default.absolute()))
    try:
        read = make_url(url)
    except (ArgumentError, ValueError):
        raise SettingError(
            "DATABASE_URL cannot be read; write it like postgresql://user:password@host/name"
        ) from None
    backend = read.drivername
    if backend in {"postgres", "postgresql", "postgresql+psycopg"}:
        return read.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise SettingError(
            f"DATABASE_URL begins with {backend[:20]!r}; expected sqlite:///… or postgresql://…"
        )
    if not read.database or read.database == ":memory:" or read.database.startswith("file:"):
        raise SettingError(
            "DATABASE_URL names no file; write it like sqlite:////srv/lessons.sqlite, "
            "with four slashes"
        )
    return URL.create("sqlite", database=str(default.absolute().parents[1] / read.database))
