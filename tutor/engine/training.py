"""Training: one iteration after the other, and any of them again.

    training = Training(network, x, y, eta)
    training.at(40) -> State                 what iteration 40 starts from
    training.step(state) -> (Trace, State)   that iteration with every number, and the next state
    training.advance(state) -> State         the next state alone, the same numbers bit for bit

A state is all that an iteration needs from the one before: the network, what an optimizer
remembers, and where the random numbers are. Some states are kept on the way, so that an iteration
opens without the whole run before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tutor import budget
from tutor.engine.kinds import FORWARD, LOSS
from tutor.engine.network import Array, Network
from tutor.engine.program import Name
from tutor.engine.trace import Trace, advance, run, updated
from tutor.errors import NetworkError

EVERY = 32
"""A state is kept every so many iterations at first; a longer run keeps fewer early ones."""
MOST_KEPT = 64
BYTES_KEPT = 16 * 2**20
"""About how much of a training is kept."""


class UnfinishedError(NetworkError):
    """An iteration that cannot be finished, so that none follows it. `iteration` says which."""

    def __init__(self, iteration: int) -> None:
        super().__init__(
            f"iteration {iteration} cannot be finished, so there is no iteration {iteration + 1}"
        )
        self.iteration = iteration


@dataclass(frozen=True, slots=True)
class State:
    """What iteration `iteration` (from 1) starts from; `slots` are what an optimizer keeps, `seed`
    draws its batches.
    """

    network: Network
    iteration: int = 1
    slots: Mapping[Name, Array] = field(default_factory=dict)
    seed: int | None = None


@dataclass(eq=False)
class Training:
    """A network that learns from inputs x (M, N) and targets y (M, K) at a learning rate, by plain
    gradient descent.
    """

    network: Network
    x: Array
    y: Array
    eta: float
    _kept: dict[int, State] = field(init=False)
    _every: int = EVERY

    def __post_init__(self) -> None:
        self._kept = {1: State(self.network)}

    def batch(self, state: State) -> tuple[Array, Array]:
        """The samples of an iteration: all of them."""
        return self.x, self.y

    def step(self, state: State) -> tuple[Trace, State]:
        """One iteration with every number. The next state holds numbers that are none where the
        trace has a stop.
        """
        trace = run(state.network, *self.batch(state), self.eta)
        return trace, replace(state, network=updated(trace), iteration=state.iteration + 1)

    def advance(self, state: State) -> State:
        """The state after an iteration, without its trace. Raises UnfinishedError where a number on
        the way is none.
        """
        network = advance(state.network, *self.batch(state), self.eta)
        if network is None:
            trace, _ = self.step(state)
            raise UnfinishedError(_unfinished(trace, state.iteration))
        return replace(state, network=network, iteration=state.iteration + 1)

    def at(self, iteration: int) -> State:
        """The state that an iteration starts from. Raises UnfinishedError where there is none."""
        state = self._kept[max(n for n in self._kept if n <= iteration)]
        while state.iteration < iteration:
            budget.check()
            state = self.advance(state)
            self.keep(state)
        return state

    def trace(self, iteration: int) -> Trace:
        """An iteration with every number. Raises UnfinishedError where training ends before it."""
        state = self.at(iteration)
        trace, _ = self.step(state)
        if _unfinished(trace, iteration) < iteration:
            raise UnfinishedError(iteration - 1)
        return trace

    def keep(self, state: State) -> None:
        """Keep a state on the way, where it is one of those that are kept. Other threads may look
        for one meanwhile, so the old ones stay as they are.
        """
        if not self.keeps(state.iteration):
            return
        kept = {**self._kept, state.iteration: state}
        if len(kept) > self._most:
            self._every *= 2
            kept = {n: found for n, found in kept.items() if n == 1 or n % self._every == 0}
        self._kept = kept

    def keeps(self, iteration: int) -> bool:
        """Whether the state of an iteration is one of those that are kept."""
        return iteration % self._every == 0

    @property
    def _most(self) -> int:
        """How many states are kept: fewer of a large network."""
        return max(4, min(MOST_KEPT, BYTES_KEPT // (8 * self.network.parameters)))


def _unfinished(trace: Trace, iteration: int) -> int:
    """Which iteration cannot be finished: a bad number on the way forward is in the verification
    pass of the one before.
    """
    early = trace.stop is not None and trace.stop_phase in {FORWARD, LOSS}
    return iteration - (early and iteration > 1)
