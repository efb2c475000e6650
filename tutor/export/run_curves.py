"""The curves that a script of a whole training draws: what is recorded of each iteration, what of
some of the sets that nothing is learned from, and how both are drawn.

    measures(run)                   the functions that measure
    recorded(run, loss, norms)      the lines of an iteration that record it
    others(run, …), looked(run)     the validation and test samples, and the looks at them
    seen(run)                       the last look beside the tutor's
    curves(run)                     the plot, or a text where there is no Matplotlib
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite

from tutor.engine.dialects import python_name
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
    "    figure, axes = plt.subplots(len(groups), sharex=True, squeeze=False)",
    "    for group, (plot,) in zip(groups, axes):",
    "        for name in (name for name in curves if name.startswith(group)):",
)
_EACH = ("            plot.plot(range(1, iterations + 1), curves[name], label=name)",)
_BATCHES = (
    '            faint = 0.3 if group != "gradient" else 1',
    "            plot.plot(range(1, iterations + 1), curves[name], label=name, alpha=faint)",
    '            if group != "gradient":',
    '                plot.plot(*per_epoch(curves[name]), label="mean of each epoch")',
)
_SETS = (
    "        for name in (name for name in looks[0] if name.startswith(group)):",
    "            plot.plot(looked, [found[name] for found in looks], label=name)",
)
_SHOWN = (
    "        plot.set_ylabel(group)",
    "        plot.legend()",
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


def look(run: ScriptedRun, state: Sequence[str], forward: Sequence[str], loss: str) -> list[str]:
    """The function that looks at them; `forward` is what a set goes through, up to its `loss`."""
    left_out = [
        *(["without the penalty"] if run.first.network.rule.penalty else []),
        *(["with no unit dropped"] if run.dropout else []),
    ]
    said = ", ".join(["The loss on each set that nothing is learned from", *left_out])
    lines = [
        f"def look({'state' if state else ''}):", f'    """{said}."""', *state,
        "    record = {}", "    for name, (x, y) in others.items():",
        *(f"        {line}" for line in forward),
        f'        record[f"loss on the {{name}} set"] = float({loss})',
    ]  # fmt: skip
    if run.right:
        answer = python_name(*run.used.passed(run.used.depth))
        lines.append(f'        record[f"accuracy on the {{name}} set"] = accuracy({answer}, y)')
    return [*lines, "    return record"]


def looks(run: ScriptedRun, state: str) -> list[str]:
    """The line of the loop that looks, before the update."""
    if not run.data.others:
        return []
    line = f"looks.append(look({state}))"
    if len(run.looked) == run.iterations:
        return [f"    {line}"]
    return ["    if t in looked:", f"        {line}"]


def looked(run: ScriptedRun) -> list[str]:
    """Which iterations look, and what they find."""
    if not run.data.others:
        return []
    found = "range(1, iterations + 1)"
    if len(run.looked) < run.iterations:
        every = run.looked[1] - run.looked[0]
        found = f"sorted({{*range(1, iterations + 1, {every}), iterations}})"
    return [f"looked, looks = {found}, []"]


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
    yield from (*_START, *(_TEXT_OF_SETS if sets else _TEXT), *_GROUPS)
    yield from (*(_BATCHES if each > 1 else _EACH), *(_SETS if sets else ()), *_SHOWN)
