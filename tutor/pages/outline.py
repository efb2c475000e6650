"""Where we are and where one can go: the phases as a timeline, an outline to jump with, and the
neighbours of a step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tutor.engine.kinds import KINDS
from tutor.engine.order import Block
from tutor.engine.trace import Trace
from tutor.errors import LessonError
from tutor.lesson.explain import PHASE_NAMES, PHASE_TITLES
from tutor.lesson.titles import chapter
from tutor.lesson.walk import NEVER, Step, Walk
from tutor.pages.context import Context

Address = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Link:
    """A place to go to. `current` marks where the reader is."""

    text: str
    href: str
    current: bool = False
    n: int = 0


@dataclass(frozen=True, slots=True)
class GrainLink:
    """The same place in one of the grains; where there is little room only `word` is seen."""

    word: str
    rest: str
    href: str
    current: bool


@dataclass(frozen=True, slots=True)
class PhaseLink:
    """A phase of the timeline with how much of it is done."""

    title: str
    href: str
    current: bool
    done: int
    steps: int


@dataclass(frozen=True, slots=True)
class Chapter:
    """A phase of the outline with the places in it."""

    title: str
    links: tuple[Link, ...]


def timeline(step: Step, address: Address) -> tuple[PhaseLink, ...]:
    """The five phases (those that the walk reaches)."""
    return tuple(
        _phase_link(step.n, phase, first, last, address)
        for phase, first, last in step.walk.phases()
    )


def _phase_link(n: int, phase: str, first: int, last: int, address: Address) -> PhaseLink:
    steps = last - first + 1
    return PhaseLink(
        PHASE_NAMES[phase],
        address(first),
        first <= n <= last,
        max(0, min(n - first + 1, steps)),
        steps,
    )


Places = tuple[tuple[str, int, tuple[tuple[str, int], ...]], ...]
"""(phase, its last step, its places with the step at which each begins)."""


def places(walk: Walk) -> Places:
    """Places to jump to, by phase and layer; with several samples those of the first."""
    if walk.grain == "pass":
        return ()
    found = ((phase, last, tuple(_places(walk, phase))) for phase, _, last in walk.phases())
    return tuple(part for part in found if part[2])


def outline(at: Places, n: int, address: Address) -> tuple[Chapter, ...]:
    """The places of a walk as links, where step n is shown."""
    return tuple(
        Chapter(PHASE_TITLES[phase], tuple(_links(there, n, last, address)))
        for phase, last, there in at
    )


def _links(
    there: tuple[tuple[str, int], ...], n: int, last: int, address: Address
) -> Iterator[Link]:
    """The places of a phase, of which `last` is the last step."""
    ends = [*(start for _, start in there[1:]), last + 1]
    for (text, start), end in zip(there, ends, strict=True):
        yield Link(text, address(start), start <= n < end, start)


def _places(walk: Walk, phase: str) -> Iterator[tuple[str, int]]:
    """(label, step) of each block of a phase that the walk reaches, each step once, in order."""
    seen = -1
    found: list[tuple[int, str]] = []
    for section in walk.order.sections:
        if section.phase != phase:
            continue
        for block in section.blocks:
            try:
                q = block.at(0, 1 if section.samples else 0)
                found.append(
                    (walk.step_of(q), _label(walk.trace, block, sampled=bool(section.samples)))
                )
            except LessonError:
                continue
    for n, label in sorted(found):
        if n != seen:
            seen = n
            yield label, n


def _label(trace: Trace, block: Block, *, sampled: bool) -> str:
    kind = next(filter(None, block.kinds))
    text = chapter(trace.network, kind, block.layer)
    if trace.samples > 1 and KINDS[kind].shared:
        text += ", sample by sample" if sampled else ", added up"
    return text


_GRAINS = {
    "number": ("Number", "by number"),
    "layer": ("Layer", "by layer"),
    "pass": ("Phase", "by phase"),
}


def grains(context: Context, step: Step) -> tuple[GrainLink, ...]:
    """The same place in each grain."""
    return tuple(
        GrainLink(
            *words,
            context.href(context.lesson.same_place(step, grain), grain),
            grain == step.walk.grain,
        )
        for grain, words in _GRAINS.items()
    )


def samples(step: Step, address: Address, most: int = 9) -> tuple[Link, ...]:
    """The same quantity for other samples, where the step is about one of several."""
    q, walk = step.anchor, step.walk
    if step.stages or not q.sample:
        return ()
    count = walk.trace.samples
    first = max(1, min(q.sample - most // 2, count - most + 1))
    wanted = sorted({1, count, *range(first, min(count, first + most - 1) + 1)})
    found = ((s, walk.place(replace(q, sample=s))) for s in wanted)
    return tuple(Link(str(s), address(n), s == q.sample, n) for s, n in found if n != NEVER)
