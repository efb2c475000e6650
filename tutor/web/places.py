"""Places: how many requests a worker works on at once, each kind in a line of its own,
and how much time of the processor a request may take (`tutor.budget`).

    pages    a few at a time; one more would only take turns at the same core
    files    what is made piece by piece while its reader takes it: a place is kept until the last
             piece is taken or the reader is gone, and only one file at a time is worked on
    runs     lessons at a later iteration: the training before it

Static files and questions whether the tutor is well need no place. Who finds a line too long, or
waits in it for too long, is told to come back (503), with a page of ours and without the work.

It wraps any WSGI application, which finds a refusal in the environment. Threads are many, so that
those who wait keep nobody from a thread.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from werkzeug.wsgi import ClosingIterator

from tutor import limits
from tutor.budget import Budget
from tutor.web.request_body import BUSY, REASON, REFUSED

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LINE: Final = 128
"""Who may wait for a place of a kind that is quickly free again."""
SHORT_LINE: Final = 4
"""Who may wait for a place that is kept for long."""
GIVES_WAY: Final = 0.005
"""Seconds for which a file or a run waits, again and again, while pages are worked on."""
PATIENT: Final = 3
"""A training waits so many times longer for its place: others give way for it, and it for all."""
TRAINING_PAGES: Final = "training pages"
AT_HOME: Final = (
    "Fewer steps, a larger grain or an earlier iteration take less; and on your own computer "
    "(python -m tutor serve, with the lesson’s file) the tutor works as long as it takes."
)


@dataclass(eq=False)
class Place:
    """The places of one kind. `name` is what is made there, for the message."""

    name: str
    seats: int
    line: int
    """Who may wait."""
    patience: float
    """Seconds."""
    one: str
    """One of what is made there."""
    seconds: float
    """Of the processor, for one request."""
    advice: str = ""
    """How to have it where that is too little."""
    until_closed: bool = False
    """Whether a place is kept until the answer is sent."""
    taken: int = 0
    waiting: int = 0
    _free: threading.Condition = field(default_factory=threading.Condition)

    def enter(self) -> bool:
        """Take a place, after some waiting; False where there is none to be had."""
        with self._free:
            if self.taken >= self.seats or self.waiting:
                if self.waiting >= self.line:
                    return False
                self.waiting += 1
                try:
                    if not self._free.wait_for(lambda: self.taken < self.seats, self.patience):
                        return False
                finally:
                    self.waiting -= 1
            self.taken += 1
            return True

    def come_back(self) -> None:
        """Take a place again, however long it takes."""
        with self._free:
            self._free.wait_for(lambda: self.taken < self.seats)
            self.taken += 1

    def leave(self) -> None:
        """Give it back."""
        with self._free:
            self.taken -= 1
            self._free.notify()

    @property
    def busy(self) -> str:
        """What is said to who finds no place."""
        return (
            f"The tutor is making as many {self.name} as it makes at once ({self.seats}), and "
            f"others wait already. Please try again in {RETRY} seconds."
        )


RETRY: Final = 5
"""Seconds after which who found no place is asked to come back."""


def kind(environ: WSGIEnvironment) -> str:
    """Which kind of place a request needs: "pages", "files", "runs" or "trainings"; "" for none."""
    path = environ.get("PATH_INFO", "")
    if path in FREE or path.startswith("/static/"):
        return ""
    if _FILE.fullmatch(path):
        return "files"
    if _TRAINING.fullmatch(path):
        return "trainings"
    return "runs" if _RUN.search(environ.get("QUERY_STRING", "")) else "pages"


FREE: Final = {"/healthz", "/readyz", "/favicon.ico"}
_FILE = re.compile(r"/(?:lessons/[^/]+|formula)/export/[^/]+")
_TRAINING = re.compile(r"/lessons/[^/]+/training(?:/[^/]*)?")
_RUN = re.compile(r"(?:^|&)iteration=(?!1?(?:&|$))")


def standard() -> dict[str, Place]:
    """The places of a worker, as the limits set them."""
    wait, page = limits.WAIT_SECONDS, limits.PAGE_MILLISECONDS / 1000
    return {
        "pages": Place("pages", limits.PAGES_AT_ONCE, LINE, wait, "page", page, AT_HOME),
        "files": Place(
            "files", limits.FILES_AT_ONCE, SHORT_LINE, wait,
            "file", limits.FILE_MILLISECONDS / 1000, AT_HOME, until_closed=True,
        ),
        "runs": Place("training runs", limits.RUNS_AT_ONCE, LINE, wait, "training", page, AT_HOME),
        "trainings": Place(
            TRAINING_PAGES, limits.RUNS_AT_ONCE, LINE, PATIENT * wait, "training", page, AT_HOME
        ),
    }  # fmt: skip


class PlacedApplication:
    """The application, each request in a place and with a budget of its kind."""

    def __init__(
        self, application: WSGIApplication, places: dict[str, Place] | None = None
    ) -> None:
        self.application = application
        self.places = standard() if places is None else places
        self.turn = threading.Lock()
        """Whose turn it is to work on a file: one at a time."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer in a place; without one, let the application say so."""
        place = self.places.get(kind(environ))
        if place is None or REFUSED in environ:
            return self.application(environ, start_response)
        if not place.enter():
            environ[REFUSED], environ[REASON] = BUSY, place.busy
            return self.application(environ, start_response)
        stream = Stream(self, place)
        try:
            pieces = stream.start(environ, start_response)
        except BaseException:
            place.leave()
            raise
        if place.until_closed:
            return ClosingIterator(stream.each(pieces), [close(pieces), place.leave])
        place.leave()
        return pieces

    def give_way(self) -> None:
        """Let those go first who wait for a page, for a moment."""
        self._let_pass("pages")

    def give_way_to_steps(self) -> None:
        """The same for a training, which lets the steps of single iterations pass as well."""
        self._let_pass("pages", "runs")

    def _let_pass(self, *kinds: str) -> None:
        until = time.monotonic() + GIVES_WAY
        ahead = [self.places[kind] for kind in kinds if kind in self.places]
        while any(place.taken for place in ahead) and time.monotonic() < until:
            time.sleep(0.001)


class Stream:
    """An answer while it is made."""

    def __init__(self, application: PlacedApplication, place: Place) -> None:
        self.application, self.place = application, place
        pause = {
            "pages": None,
            TRAINING_PAGES: application.give_way_to_steps,
        }.get(place.name, application.give_way)
        self.budget = Budget(place.seconds, f"This {place.one}", place.advice, pause)
        self.turn = application.turn if place.until_closed else nullcontext()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Work on the answer: a file in its turn, all by their budget."""
        token = _held.set(self)
        try:
            with self.turn, self.budget.running():
                yield
        finally:
            _held.reset(token)

    def start(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The answer's pieces."""
        with self.running():
            return self.application.application(environ, start_response)

    def each(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The same pieces, each made in its turn and handed on before the next is begun."""
        source = iter(pieces)
        while True:
            with self.running():
                piece = next(source, None)
            if piece is None:
                return
            yield piece

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Without the place, and without the turn."""
        self.turn.__exit__(None, None, None)
        self.place.leave()
        try:
            yield
        finally:
            self.place.come_back()
            self.turn.__enter__()


_held: ContextVar[Stream | None] = ContextVar("held", default=None)
Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


def outside(ask: Callable[Asked, Answer]) -> Callable[Asked, Answer]:
    """The same function, which waits for others, a database for instance: meanwhile the request
    gives its place to those who can work.
    """

    @wraps(ask)
    def asking(*args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
        held = _held.get()
        with held.outside() if held is not None else nullcontext():
            return ask(*args, **kwargs)

    return asking


class PerMinute:
    """How much an address may ask for in a minute, as this worker counts it."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.most, self._clock = most, clock
        self._minute, self._counts = 0, dict[str, int]()
        self._lock = threading.Lock()

    def wait(self, address: str) -> int:
        """Count a request. 0 where it may be answered, else how many seconds are left."""
        with self._lock:
            minute, second = divmod(self._clock(), 60)
            if minute != self._minute:
                self._minute, self._counts = int(minute), {}
            if self._counts.get(address, 0) >= self.most:
                return 60 - int(second)
            self._counts[address] = self._counts.get(address, 0) + 1
            return 0


def close(pieces: object) -> Callable[[], None]:
    """How to close the pieces of an answer."""
    found: Callable[[], None] = getattr(pieces, "close", lambda: None)
    return found
