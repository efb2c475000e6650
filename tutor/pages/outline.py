"""Where we are and where one can go: the phases as a timeline, an outline to jump with, and the
neighbours of a step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tutor.engine.kinds import KINDS
from tutor.engine.order import Block, Stage
from tutor.engine.quantity import Quantity
from tutor.engine.trace import Trace
from tutor.errors import LessonError
from tutor.lesson.explain import PHASE_NAMES, PHASE_TITLES
from tutor.lesson.titles import again, capital, enumerated, inside, place, words_of
from tutor.lesson.walk import NEVER, AnyStep, Step, Walk
from tutor.notation.markup import Markup
from tutor.notation.mathml import Line
from tutor.pages.cells import GAP, some
from tutor.pages.context import AnyContext

Address = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Link:
    """A place to go to. `current` marks where the reader is."""

    text: str
    href: str
    current: bool = False
    n: int = 0


def numbered(count: int, now: int, address: Callable[[int], str]) -> tuple[Link, ...]:
    """A link to each of so many samples or outputs, of many to some; none where there is one."""
    shown = some(count, (now,)) if count > 1 else ()
    return tuple(Link(str(n), address(n), n == now) for n in shown if n != GAP)


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
class PlaceLink:
    """A place of the outline: what is computed there, with its symbols."""

    text: str
    symbols: tuple[Markup, ...]
    href: str
    current: bool
    n: int


@dataclass(frozen=True, slots=True)
class Chapter:
    """A phase of the outline with the places in it."""

    title: str
    links: tuple[PlaceLink, ...]


def timeline(step: AnyStep, address: Address) -> tuple[PhaseLink, ...]:
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


@dataclass(frozen=True, slots=True)
class Place:
    """Where a walk comes to something new: what, its symbols, and the step at which it begins."""

    label: str
    symbols: tuple[Markup, ...]
    start: int


Places = tuple[tuple[str, int, tuple[Place, ...]], ...]
"""(phase, its last step, its places)."""


def places(walk: Walk, line: Line) -> Places:
    """Places to jump to, by phase and layer; with several samples those of the first."""
    if walk.grain == "pass":
        return ()
    found = ((phase, last, tuple(_places(walk, line, phase))) for phase, _, last in walk.phases())
    return tuple(part for part in found if part[2])


def outline(at: Places, n: int, address: Address) -> tuple[Chapter, ...]:
    """The places of a walk as links, where step n is shown."""
    return tuple(
        Chapter(PHASE_TITLES[phase], tuple(_links(there, n, last, address)))
        for phase, last, there in at
    )


def _links(there: tuple[Place, ...], n: int, last: int, address: Address) -> Iterator[PlaceLink]:
    """The places of a phase, of which `last` is the last step."""
    ends = [*(place.start for place in there[1:]), last + 1]
    for at, end in zip(there, ends, strict=True):
        current = at.start <= n < end
        yield PlaceLink(at.label, at.symbols, address(at.start), current, at.start)


def _places(walk: Walk, line: Line, phase: str) -> Iterator[Place]:
    """A place for each block of a phase that the walk reaches, each step once, in order. Where a
    step is a whole matrix, the shares of the samples and their sum are one step.
    """
    found: dict[int, Place] = {}
    for section in walk.order.sections:
        if section.phase != phase:
            continue
        for block in section.blocks:
            try:
                start = walk.step_of(block.at(0, 1 if section.samples else 0))
            except LessonError:
                continue
            kinds = tuple(filter(None, block.kinds))
            label = _label(walk.trace, Block(kinds, block.layer), sampled=bool(section.samples))
            symbols = tuple(_symbol(line, kind, block.layer) for kind in kinds)
            found[start] = Place(label, symbols, start)
    yield from (found[start] for start in sorted(found))


def _symbol(line: Line, kind: str, layer: int) -> Markup:
    return line.matrix(kind, layer) if KINDS[kind].axes else line.quantity(Quantity(kind, layer))


def _label(trace: Trace, block: Block, *, sampled: bool) -> str:
    """`Hidden layer 2: gradients of the biases and weights`, `New loss, added up`."""
    network, layer, of = trace.network, block.layer, KINDS[block.kinds[0]]
    if of.axes:
        where = place(network, layer).removeprefix("the ") if layer else "inputs"
        text = f"{where}: {_what(block)}"
    else:
        text = _what(block)
    if trace.samples > 1 and of.shared:
        text += ", sample by sample" if sampled else ", added up"
    return capital(text)


def _what(block: Block) -> str:
    """What is computed there: all its kinds in a few words."""
    of = KINDS[block.kinds[0]]
    if of.axes and not (block.layer or of.of_inputs):
        return inside([Stage(of.phase, of.name)])
    if of.parameter:
        names = enumerated("weights" if KINDS[kind].weights else "biases" for kind in block.kinds)
        return f"gradients of the {names}" if of.derivative else f"new {names}"
    return again(of.name) + enumerated(words_of(kind).inside for kind in block.kinds)


_GRAINS = {
    "number": ("Number", "by number"),
    "layer": ("Layer", "by layer"),
    "pass": ("Phase", "by phase"),
}


GrainWords = Mapping[str, tuple[str, str]]


def grains(
    context: AnyContext, step: AnyStep, words_of_grains: GrainWords = _GRAINS
) -> tuple[GrainLink, ...]:
    """The same place in each grain."""
    return tuple(
        GrainLink(
            *words,
            context.href(context.lesson.same_place(step, grain), grain),
            grain == step.walk.grain,
        )
        for grain, words in words_of_grains.items()
    )


def samples(step: Step, address: Address, most: int = 9) -> tuple[Link, ...]:
    """The same quantity for other samples, where the step is about one of several."""
    q, walk = step.anchor, step.walk
    if step.stages or not q.sample:
        return ()
    count = walk.trace.samples
    first = max(1, min(q.sample - most // 2, count - most + 1))
    wanted = sorted({1, count, *range(first, min(count, first + most - 1) + 1)})
    found = ((s, walk.place(q._replace(sample=s))) for s in wanted)
    return tuple(Link(str(s), address(n), s == q.sample, n) for s, n in found if n != NEVER)
