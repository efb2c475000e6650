"""The curves that a script of a whole training draws: what is recorded of each iteration, what of
some of the sets that nothing is learned from, and how both are drawn.

    measures(run)                   the functions that measure
    recorded(run, loss, norms)      the lines of an iteration that record it
    look(run, …), chosen(run, …)    the functions that look at validation and test samples, and at
                                    the weights that change most
    looked(run), looks(run, …)      when these look, and the lines that do it in the loop
    seen(run)                       the last look beside the tutor's
    curves(run)                     the plot, or a text where there is no Matplotlib
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite

from tutor.engine.dialects import python_name
from tutor.engine.quantity import Quantity
from tutor.export.scripted_run import ScriptedRun
from tutor.number import exact

NORM = (
    "def norm(*gradients):",
    '    """How long all gradients of a layer are together."""',
    "    return sum(float((gradient**2).sum()) for gradient in gradients) ** 0.5",
)
KEPT = (
    "    records.append(record)",
    '    loss = record["loss"]',
    "    if t in {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, iterations}:",
    '        print(f"iteration {t}: loss {loss:.6g}")',
)
_START = ("try:", "    import matplotlib.pyplot as plt", "except ImportError:", "    print()")
_TEXT = (
    '    curve = curves["loss"]',
    "    largest = max(curve) or 1",
    "    for t in sorted({1 + k * (iterations - 1) // 19 for k in range(20)}):",
    '        print(f"{t:>8} {curve[t - 1]:>12.6g} " + "#" * round(50 * (curve[t - 1] / largest)))',
)
_TEXT_OF_SETS = (
    '    print("iteration, loss, " + ", ".join(looks[0]))',
    "    for k in sorted({n * (len(looks) - 1) // 19 for n in range(20)}):",
    '        found = [curves["loss"][looked[k] - 1], *looks[k].values()]',
    '        print(f"{looked[k]:>9} " + " ".join(f"{value:>12.6g}" for value in found))',
)
_GROUPS = (
    "else:",
    '    groups = ["loss", "accuracy", "gradient"]',
    "    groups = [group for group in groups if any(name.startswith(group) for name in curves)]",
    "    figure, axes = plt.subplots(len(groups){}, sharex=True, squeeze=False)",
    "    for group, (plot,) in zip(groups, axes):",
    "        for name in (name for name in curves if name.startswith(group)):",
)
_AT = '            at = looked if group == "gradient" else range(1, iterations + 1)'
_EACH = (_AT, "            plot.plot(at, [curves[name][t - 1] for t in at], label=name)")
_BATCHES = (
    _AT,
    '            faint = 0.3 if group != "gradient" else 1',
    "            plot.plot(at, [curves[name][t - 1] for t in at], label=name, alpha=faint)",
    '            if group != "gradient":',
    '                plot.plot(*per_epoch(curves[name]), label="mean of each epoch")',
)
_SETS = (
    "        for name in (name for name in looks[0] if name.startswith(group)):",
    "            plot.plot(looked, [found[name] for found in looks], label=name)",
)
_SCALES = (
    "        values = [y for line in plot.get_lines() for y in line.get_ydata()]",
    '        if group == "accuracy":',
    "            plot.set_ylim(-0.03, 1.03)",
    "        elif min(values) > 0 and max(values) >= 100 * min(values):",
    '            plot.set_yscale("log")',
    "        plot.set_ylabel(group)",
    "        plot.legend()",
)
_WEIGHTS = (
    "    for name in weights[0]:",
    "        found = [values[name] for values in weights]",
    "        axes[-1][0].plot([n + 1 for n in moments], found, label=name)",
    '    axes[-1][0].set_ylabel("value")',
    "    axes[-1][0].legend()",
)
_TEXT_OF_WEIGHTS = (
    '    print("iterations done, " + ", ".join(weights[0]))',
    "    for k in sorted({n * (len(moments) - 1) // 19 for n in range(20)}):",
    '        print(f"{moments[k]:>9} " + " ".join(f"{w:>12.6g}" for w in weights[k].values()))',
)
_SHOWN = (
    '    axes[-1][0].set_xlabel("iteration")',
    "    plt.show()",
)


def measures(run: ScriptedRun) -> Iterator[str]:
    """The functions that measure an iteration."""
    if run.right:
        yield "\n".join((
            "def accuracy(a, y):",
            '    """The share of the samples that are classified right."""',
            f"    right = {run.right}",
            "    return float(right.sum()) / len(y)",
        ))  # fmt: skip
    if run.gradients:
        yield "\n".join(NORM)


def recorded(run: ScriptedRun, loss: str, norms: Mapping[int, str]) -> Iterator[str]:
    """What the curves of an iteration need."""
    yield f'    record = {{"loss": {loss}}}'
    if run.right:
        yield f'    record["accuracy"] = accuracy({python_name(*run.output)}, y)'
    for layer, gradients in norms.items():
        yield f'    record["gradient of layer {layer}"] = norm({gradients})'


# ---- the sets that nothing is learned from ----


def look(run: ScriptedRun, state: str, forward: Sequence[str], loss: str) -> list[str]:
    """The function that looks at them; `forward` is what a set goes through, up to its `loss`."""
    left_out = [
        *(["without the penalty"] if run.first.network.rule.penalty else []),
        *(["with no unit dropped"] if run.dropout else []),
    ]
    said = ", ".join(["The loss on each set that nothing is learned from", *left_out])
    lines = [
        f"def look({state}):", f'    """{said}."""',
        "    record = {}", "    for name, (x, y) in others.items():",
        *(f"        {line}" for line in forward),
        f'        record[f"loss on the {{name}} set"] = float({loss})',
    ]  # fmt: skip
    if run.right:
        answer = python_name(*run.used.passed(run.used.depth))
        lines.append(f'        record[f"accuracy on the {{name}} set"] = accuracy({answer}, y)')
    return [*lines, "    return record"]


def chosen(run: ScriptedRun, state: Sequence[str], item: str) -> list[str]:
    """The function that looks at the weights that change most; `item` makes one a number."""
    if not run.chosen:
        return []
    return [
        f"def chosen({'state' if state else ''}):",
        '    """The weights and biases that change most over the run."""',
        *state, "    return {", *(f'        "{q}": {item.format(_entry(q))},' for q in run.chosen),
        "    }", "", "",
    ]  # fmt: skip


def _entry(q: Quantity) -> str:
    """A weight or a bias as an entry of its array."""
    places = (q.i, q.j) if q.j else (q.i,)
    return f"{python_name(q.kind, q.layer)}[{', '.join(str(n - 1) for n in places)}]"


def looks(run: ScriptedRun, state: str) -> list[str]:
    """The lines of the loop that look, before the update."""
    lines = []
    if run.chosen:
        lines += _when("weights", "chosen", "t - 1 in moments", run.every_moment, state)
    if run.data.others:
        lines += _when("looks", "look", "t in looked", run.every_look, state)
    return lines


def _when(kept: str, called: str, condition: str, always: bool, state: str) -> list[str]:
    line = f"{kept}.append({called}({state}))"
    return [f"    {line}"] if always else [f"    if {condition}:", f"        {line}"]


def after_the_last(run: ScriptedRun, state: str) -> list[str]:
    """The look after the last update."""
    return [f"weights.append(chosen({state}))"] if run.chosen else []


def looked(run: ScriptedRun) -> list[str]:
    """Which iterations look, and what they find."""
    found = "range(1, iterations + 1)" if run.every_look else ranges(run.looked)
    lines = [f"looked = {found}  # the iterations that are looked at"]
    if run.data.others:
        lines.append("looks = []")
    if run.chosen:
        found = "range(iterations + 1)" if run.every_moment else ranges(run.moments)
        lines.append(f"moments = {found}  # iterations done")
        lines.append("weights = []")
    return lines


def ranges(numbers: Sequence[int]) -> str:
    """A list of numbers from low to high, those at equal distances as a range."""
    words: list[str] = []
    at = 0
    while at < len(numbers):
        step = numbers[at + 1] - numbers[at] if at + 1 < len(numbers) else 1
        end = at + 1
        while end < len(numbers) and numbers[end] - numbers[end - 1] == step:
            end += 1
        if end - at < 3:
            words, at = [*words, str(numbers[at])], at + 1
            continue
        by = f", {step}" if step > 1 else ""
        words, at = [*words, f"*range({numbers[at]}, {numbers[end - 1] + 1}{by})"], end
    return f"[{', '.join(words)}]"


def seen(run: ScriptedRun) -> list[str]:
    """The last look beside the tutor's."""
    found = {name: value for name, value in run.seen.items() if isfinite(value)}
    if not found:
        return []
    return [
        f"# The sets that nothing is learned from, before iteration {run.iterations}",
        "tutor = {",
        *(f'    "{name}": {exact(value)},' for name, value in found.items()),
        "}",
        "for name, value in tutor.items():",
        '    print(f"{name}: {looks[-1][name]:.12g}, the tutor has {value:.12g}")',
        "    numbers += check(name, looks[-1][name], value)",
    ]


# ---- the plot ----


def curves(run: ScriptedRun) -> Iterator[str]:
    """What the tutor draws of each iteration; of batches also the mean of each epoch."""
    each, sets = run.training.batches.per_epoch, bool(run.data.others)
    if each > 1:
        yield from (
            "def per_epoch(values):",
            '    """The last iteration of each epoch, and the mean over its iterations."""',
            f"    ends = range({each}, len(values) + 1, {each})",
            f"    return ends, [sum(values[t - {each}:t]) / {each} for t in ends]",
            "",
            "",
        )
    yield "# ---- The curves over all iterations ----"
    yield "curves = {name: [record[name] for record in records] for name in records[0]}"
    yield from (*_START, *(_TEXT_OF_SETS if sets else _TEXT))
    if run.chosen:
        yield from _TEXT_OF_WEIGHTS
    yield from (line.format(" + 1" if run.chosen else "") for line in _GROUPS)
    yield from (*(_BATCHES if each > 1 else _EACH), *(_SETS if sets else ()), *_SCALES)
    yield from (*(_WEIGHTS if run.chosen else ()), *_SHOWN)
