"""Where we are and where one can go: the phases as a timeline, an outline to jump with, and the neighbours of a step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tutor.errors import LessonError
from tutor.explain import PHASE_NAMES, PHASE_TITLES
from tutor.lesson import GRAINS, Lesson, Walk
from tutor.order import Block
from tutor.quantity import Quantity
from tutor.view import View

Address = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Link:
    """A place to go to. `current` marks where the reader is."""

    text: str
    href: str
    current: bool = False
    n: int = 0


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


def timeline(walk: Walk, n: int, address: Address) -> tuple[PhaseLink, ...]:
    """The five phases (those that the walk reaches)."""
    return tuple(
        PhaseLink(PHASE_NAMES[phase], address(first), first <= n <= last, max(0, min(n, last) - first + 1), last - first + 1)
        for phase, first, last in walk.phases()
    )


def outline(walk: Walk, n: int, address: Address) -> tuple[Chapter, ...]:
    """Places to jump to, by phase and layer; with several samples those of the first."""
    if walk.grain == "pass":
        return ()
    chapters = []
    for phase, _, last in walk.phases():
        places = list(_places(walk, phase))
        if places:
            chapters.append(Chapter(PHASE_TITLES[phase], tuple(_links(places, n, last, address))))
    return tuple(chapters)


def _links(places: list[tuple[str, int]], n: int, last: int, address: Address) -> Iterator[Link]:
    """The places of a phase, of which `last` is the last step."""
    ends = [*(start for _, start in places[1:]), last + 1]
    for (text, start), end in zip(places, ends, strict=True):
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
                found.append((walk.step_of(q), _label(block, bool(section.samples), walk.trace.samples)))
            except LessonError:
                continue
    for n, label in sorted(found):
        if n != seen:
            seen = n
            yield label, n


_KINDS = {
    "z": "layer {l}", "z+": "layer {l}", "loss": "loss", "loss+": "new loss", "loss-loss+": "has it fallen?",
    "dL/da": "into layer {l}", "da/dz": "through layer {l}", "dL/dz": "error signals of layer {l}",
    "dL/dw": "gradients of layer {l}", "w+": "layer {l}", "b+": "layer {l}",
}  # fmt: skip


def _label(block: Block, sampled: bool, samples: int) -> str:
    kind = block.kinds[1] if block.inputs and block.kinds[1] else "dL/dw" if block.kinds[0] == "dL/db" else block.kinds[0]
    text = _KINDS[kind].format(l=block.layer)
    if samples > 1 and kind in {"loss", "loss+", "dL/dw"}:
        text += ", sample by sample" if sampled else ", added up"
    return text


def grains(lesson: Lesson, grain: str, n: int, view: View) -> tuple[Link, ...]:
    """The same place in each grain."""
    titles = {"number": "Number by number", "layer": "Layer by layer", "pass": "Phase by phase"}
    return tuple(
        Link(titles[g], view.step(lesson.same_place(n, grain, g), grain=g), g == grain) for g in GRAINS
    )


def samples(walk: Walk, n: int, address: Address, most: int = 9) -> tuple[Link, ...]:
    """The same quantity for other samples, where the step is about one of several."""
    q = walk.anchor(n)
    if walk.grain != "number" or not q.sample:
        return ()
    count = walk.trace.samples
    first = max(1, min(q.sample - most // 2, count - most + 1))
    wanted = sorted({1, count, *range(first, min(count, first + most - 1) + 1)})
    return tuple(_sample_link(walk, q, s, address) for s in wanted if walk.known(replace(q, sample=s), len(walk)))


def _sample_link(walk: Walk, q: Quantity, s: int, address: Address) -> Link:
    n = walk.step_of(replace(q, sample=s))
    return Link(str(s), address(n), s == q.sample, n)
