"""The picture at the end of a script of a whole training: what the network makes of its inputs.

drawn(run)                whether there is one: for one input or two
answer(run, …)            the function that a script asks what the network makes of inputs
picture(run, dialect)     the fitted curve, the decision boundary or lines of equal output,
                          over the places of the page's own picture
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tutor.export.scripted_run import ScriptedRun
from tutor.number import exact
from tutor.pages.training_pictures import (
    GRID,
    LINE_OF,
    boundary,
    class_names,
    has_picture,
    reach,
)

_START = ("try:", "    import matplotlib.pyplot as plt", "except ImportError:", "    print()")
_CURVE_TEXT = (
    '    print("x, then what the network makes of it")',
    "    for k in range(0, len(across), 8):",
    "        found = [across[k].item(), *answers[k].tolist()]",
    '        print(" ".join(f"{value:>12.6g}" for value in found))',
)
_CURVE_PLOT = (
    "else:",
    "    figure, plot = plt.subplots()",
    "    for k in range(y.shape[1]):",
    '        plot.plot(across.tolist(), answers[:, k].tolist(), label=f"output {k + 1}")',
    '        plot.scatter(x[:, 0].tolist(), y[:, k].tolist(), label=f"targets {k + 1}")',
)
_CURVE_SETS = (
    "    for name, (x_other, y_other) in others.items():",
    "        inputs, targets = x_other[:, 0].tolist(), y_other[:, 0].tolist()",
    '        plot.scatter(inputs, targets, marker="x", label=f"{name} set")',
)
_CURVE_NAMES = ('    plot.set_xlabel("x")', '    plot.set_ylabel("output")')
_CLASSES_TEXT = (
    '    print("The class at each place, from 0 on; the second input goes up")',
    "    for row in reversed(guessed[::2].tolist()):",
    '        print("".join(map(str, row)))',
)
_CLASSES_PLOT = (
    "else:",
    "    figure, plot = plt.subplots()",
    "    places = across.tolist(), up.tolist()",
    '    plot.pcolormesh(*places, guessed.tolist(), alpha=0.2, shading="nearest")',
    "    for k in range(len(names) if len(names) > 2 else 1):",
    "        plot.contour(*places, fields[:, :, k].tolist(), [0])",
    "    for k, name in enumerate(names):",
    "        own = x[right == k]",
    "        plot.scatter(own[:, 0].tolist(), own[:, 1].tolist(), label=name)",
    "    missed = x[right != ahead(answered).argmax(1)]",
    '    style = {"s": 90, "facecolors": "none", "edgecolors": "black"}',
    '    label = f"{len(missed)} classified wrong"',
    "    plot.scatter(missed[:, 0].tolist(), missed[:, 1].tolist(), label=label, **style)",
)
_HEIGHTS_TEXT = (
    '    print("The output at some places; the second input goes up")',
    "    for row in reversed(field[::5, ::5].tolist()):",
    '        print(" ".join(f"{value:>9.4g}" for value in row))',
)
_HEIGHTS_PLOT = (
    "else:",
    "    figure, plot = plt.subplots()",
    "    lines = plot.contour(across.tolist(), up.tolist(), field.tolist(), 8)",
    "    plot.clabel(lines)",
    '    plot.scatter(x[:, 0].tolist(), x[:, 1].tolist(), label="samples")',
)
_PLANE_NAMES = ('    plot.set_xlabel("x1")', '    plot.set_ylabel("x2")')
_SHOWN = ("    plot.legend()", "    plt.show()")


@dataclass(frozen=True, slots=True)
class Library:
    """How a script calls its library."""

    name: str
    largest: str
    """The largest of each row, as a method."""
    over: str
    """What makes a grid go over the first place across and the second up."""


NUMPY = Library("np", "max(1)", "")
TORCH = Library("torch", "amax(1)", ', indexing="xy"')


def drawn(run: ScriptedRun) -> bool:
    """Whether there is a picture."""
    return has_picture(run.first.network)


def answer(
    run: ScriptedRun, arguments: str, state: Sequence[str], forward: Sequence[str], found: str
) -> list[str]:
    """The function of the inputs x; `found` are the names of what it gives."""
    dropped = ", with no unit dropped" if run.dropout else ""
    return [
        f"def answer({arguments}):", f'    """What the network makes of inputs x{dropped}."""',
        *state, *(f"    {line}" for line in forward), f"    return {found}",
    ]  # fmt: skip


def picture(run: ScriptedRun, library: Library, called: str) -> Iterator[str]:
    """The picture; `called` asks for the answers at inputs, which its braces stand for."""
    ends = [", ".join(map(exact, each)) for each in reach(run.training.x, run.data.others)]
    if len(ends) == 1:
        yield "# ---- The fitted curve at the end ----"
        yield f"across = {library.name}.linspace({ends[0]}, {LINE_OF})"
        yield f"answers = {called.format('across[:, None]')}"
        yield from (*_START, *_CURVE_TEXT, *_CURVE_PLOT)
        if run.data.others and run.training.y.shape[1] == 1:
            yield from _CURVE_SETS
        yield from (*_CURVE_NAMES, *_SHOWN)
        return
    classes = run.classified is not None
    if classes:
        yield from (*_ahead(run, library), "", "")
    what = "The decision boundary" if classes else "Lines of equal output"
    yield f"# ---- {what} at the end ----"
    for name, each in zip(("across", "up"), ends, strict=True):
        yield f"{name} = {library.name}.linspace({each}, {GRID})"
    yield f"grid = {library.name}.meshgrid(across, up{library.over})"
    yield f"places = {library.name}.stack([part.ravel() for part in grid], 1)"
    yield f"answers = {called.format('places')}"
    if classes:
        yield f"fields = ahead(answers).reshape({GRID}, {GRID}, -1)"
        yield f"names = {class_names(run.training.y)!r}".replace("'", '"')
        yield f"guessed, answered = fields.argmax(2), {called.format('x')}"
        yield "right = ahead(y).argmax(1)"
        yield from (*_START, *_CLASSES_TEXT, *_CLASSES_PLOT)
    else:
        yield f"field = answers[:, 0].reshape({GRID}, {GRID})"
        yield from (*_START, *_HEIGHTS_TEXT, *_HEIGHTS_PLOT)
    yield from (*_PLANE_NAMES, *_SHOWN)


def _ahead(run: ScriptedRun, library: Library) -> Iterator[str]:
    yield "def ahead(a):"
    yield '    """By how much each class is ahead of the others; above 0 where it wins."""'
    if run.training.y.shape[1] == 1:
        at = exact(boundary(run.training.y))
        yield f"    return {library.name}.stack([{at} - a[:, 0], a[:, 0] - {at}], 1)"
        return
    yield "    classes = range(a.shape[1])"
    yield f"    most = [a[:, [j for j in classes if j != k]].{library.largest} for k in classes]"
    yield f"    return {library.name}.stack([a[:, k] - most[k] for k in classes], 1)"
