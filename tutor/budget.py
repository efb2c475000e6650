"""How much of the processor's time one request may take, counted in the thread that works on it.

    allowed = Budget(2.0, "a file", "make it on your own computer")
    with allowed.running():          as often as there is something to do
        budget.check()               in each loop that can be long: raises OverBudgetError
        budget.foresee(done, of)     the same, and also where the parts that are done say that the
                                     whole would be too much
        budget.counted()             the work was counted before it began: nothing to foresee

Code below the web asks `check` and `foresee` and need not know whether anybody counts: outside of
`running`, on the command line for instance, nothing is limited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import chain
from time import thread_time
from typing import Final, TypeVar

Piece = TypeVar("Piece")
SAMPLE: Final = 0.05
"""The share of a budget that parts must have taken before the whole is foreseen from them."""
DOUBT: Final = 1.25
"""By how much the foreseen whole must be over before it counts: steps differ in length."""
PAUSE: Final = 0.001
"""Seconds of work after which others may go first."""
BEGUN: Final = 2.0
"""A file that has begun to arrive is ended only at so many times its budget."""


class OverBudgetError(Exception):
    """A request that costs more than one request may. Not a TutorError: nobody on the way may take
    it for a lesson that cannot be had. Its text is for the reader.
    """


class Budget:
    """The processor time of one request, in seconds. `what` names what was asked for, `advice` says
    how to have it all the same; `pause` lets others go first and is called now and then.
    """

    def __init__(
        self,
        seconds: float,
        what: str,
        advice: str = "",
        pause: Callable[[], None] | None = None,
    ) -> None:
        self.seconds, self.what, self.advice, self._pause = seconds, what, advice, pause
        self.begun = False
        """Whether the reader has the beginning of the answer, so that no other can be given."""
        self.foreseen = False
        """Whether so much was done that the rest could be foreseen."""
        self._before, self._since, self._paused = 0.0, 0.0, 0.0
        self._first = 0.0
        """Seconds until the first part was done. Whatever came before the parts is in it, and so is
        what only the first one needs; neither says how long the others take.
        """

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time of this thread until the block is left."""
        token, self._since = _current.set(self), thread_time()
        try:
            yield
        finally:
            self._before, self._since = self.spent, 0.0
            _current.reset(token)

    @property
    def spent(self) -> float:
        """Seconds so far."""
        return self._before + (thread_time() - self._since if self._since else 0.0)

    def check(self, done: int, of: int) -> None:
        """Raise OverBudgetError where the time is used up, or would be with all `of` parts."""
        spent = self.give_way()
        if spent > self.seconds * (BEGUN if self.begun else 1.0):
            raise OverBudgetError(self._text(f"takes more than {_seconds(self.seconds)}"))
        if done == 1:
            self._first = spent
        if done > 1 and not self.begun and spent - self._first >= SAMPLE * self.seconds:
            self.foreseen = True
            whole = self._first + (spent - self._first) / (done - 1) * (of - 1)
            if whole > DOUBT * self.seconds:
                about = f"would take about {_seconds(whole)}"
                raise OverBudgetError(
                    self._text(f"{about}, and {_seconds(self.seconds)} is the most")
                )

    def give_way(self) -> float:
        """Let others go first, where it is time to. The seconds so far."""
        spent = self.spent
        if self._pause is not None and spent - self._paused > PAUSE:
            self._pause()
            self._paused = spent
        return spent

    def _text(self, told: str) -> str:
        return f"{self.what} {told} of the server’s time for one request. {self.advice}".rstrip()


_current: ContextVar[Budget | None] = ContextVar("budget", default=None)


def current() -> Budget | None:
    """The budget of the request that is worked on; None where nobody counts."""
    return _current.get()


def check() -> None:
    """Raise OverBudgetError where the request that is worked on has used up its time."""
    foresee(0, 0)


def give_way() -> None:
    """Let others go first, whatever time is left."""
    budget = current()
    if budget is not None:
        budget.give_way()


def foresee(done: int, of: int) -> None:
    """The same after `done` of `of` parts that cost about the same; raises also where all of them
    would be too much.
    """
    budget = current()
    if budget is not None:
        budget.check(done, of)


def counted() -> None:
    """Say that the work was counted before it began and is not too much. Time depends on what else
    the machine does, so near a limit the same file would be made once and refused the next time.
    """
    budget = current()
    if budget is not None:
        budget.foreseen = True


def advise(text: str) -> None:
    """Say how to have all the same what the request that is worked on may be refused for."""
    budget = current()
    if budget is not None:
        budget.advice = text


def begun(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The same pieces, the first of them made already: as many as it takes to foresee the whole.
    Raises what the first ones raise, and OverBudgetError where all would be too much.
    """
    budget, held = current(), []
    for piece in pieces:
        held.append(piece)
        if budget is None or budget.foreseen:
            break
    if budget is not None:
        budget.begun = True
    return chain(held, pieces)


def foreseen(pieces: Iterable[Piece], of: int) -> Iterator[Piece]:
    """The same pieces, about `of` of them; raises OverBudgetError where all would be too much."""
    for done, piece in enumerate(pieces, 1):
        foresee(min(done, of), of)
        yield piece


def _seconds(amount: float) -> str:
    """0.5 seconds, 2 seconds, 56 seconds."""
    text = f"{amount:.0f}" if amount >= 10 else f"{amount:.2g}"
    return f"{text} second" if text == "1" else f"{text} seconds"
