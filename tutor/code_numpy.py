"""A lesson as a plain NumPy script: the numbers it starts from, every pass written out, and a check of every result.

    numpy_script(lesson) -> str

The script goes the way of the walk by matrices and uses the names of the page: z1, a1, dL_dz1, W1_new. It imports NumPy and
nothing else, prints each array, and ends by comparing them with the lesson's own numbers. Where a walk ends early, so
does the script, and says why. `parts` are the pieces of it, which `notebook` puts into cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from tutor import code_rules
from tutor.code_checks import check_lines
from tutor.code_results import Result, jacobian_is_large, python_name, results, saturated
from tutor.code_text import array, comment, header
from tutor.explain import PHASE_ABOUT, PHASE_TITLES, explain_stop
from tutor.lesson import Lesson
from tutor.number import exact
from tutor.order import Stage
from tutor.trace import Trace

HUGE = 1e150
STEEP = 700.0
"""From here on e^z is close to the end of float64."""


_CHECK = (
    "def check(name, value, expected):",
    '    """Compare with what the lesson has, to 12 digits; return how many numbers were compared."""',
    "    np.testing.assert_allclose(value, expected, rtol=1e-12, err_msg=name)",
    "    return np.size(value)",
)
_CHECK_SIZED = (
    "def check(name, value, expected, size=0.0):",
    '    """Compare with what the lesson has, to 12 digits; return how many numbers were compared.',
    "",
    "    `size` is given where large terms nearly cancel: then their last digit, which differs from one",
    "    computer to the next, counts for more.",
    '    """',
    "    np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-14 * size, err_msg=name)",
    "    return np.size(value)",
)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the script that belongs together; `phase` is empty before the first pass."""

    id: str
    phase: str
    lines: tuple[str, ...]


def numpy_script(lesson: Lesson) -> str:
    """The whole script; the same lesson gives the same text."""
    lines = header(lesson, "A lesson of the backpropagation tutor in NumPy: it computes every number, prints it and checks it.", "NumPy")
    phase = ""
    for part in parts(lesson):
        if part.phase and part.phase != phase:
            phase = part.phase
            lines += ["", "", f"# ---- {PHASE_TITLES[phase]} ----", *comment(PHASE_ABOUT[phase])]
        lines += ["", *([] if part.phase or part.id == "setup" else [""]), *part.lines]
    return "\n".join(lines) + "\n"


def parts(lesson: Lesson) -> Iterator[Part]:
    """The pieces in their order: setup, rules, given numbers, one for each layer of each pass, the checks."""
    trace, found = lesson.trace, results(lesson)
    yield Part("setup", "", tuple(_setup(lesson, found)))
    yield Part("rules", "", tuple("\n\n\n".join("\n".join(rule) for rule in code_rules.definitions(lesson)).split("\n")))
    yield Part("given", "", tuple(given(lesson)))
    for (phase, layer), group in groupby(found, lambda result: (result.stage.phase, result.stage.layer)):
        lines = [line for result in group for line in _step(trace, result)]
        head = [f"# {_layer(trace, layer)}"] if layer else []
        yield Part(f"{phase}-{layer}" if layer else phase_end(phase), phase, (*head, *lines))
    if reason := ending(lesson, found):
        yield Part("stop", "", tuple(comment(reason)))
    yield Part("check", "", tuple(check_lines(lesson, found)))


def phase_end(phase: str) -> str:
    """The id of the piece about the loss, in the loss phase and in the verification."""
    return "loss" if phase == "loss" else f"{phase}-loss"


def ending(lesson: Lesson, found: Sequence[Result]) -> str:
    """Why the script ends early, in the lesson's words; empty where it does not."""
    stop = lesson.walk("layer").stop or lesson.trace.stop
    complete = bool(found) and found[-1].name == "drop"
    return "" if complete or stop is None else explain_stop(lesson.trace, stop)


def _setup(lesson: Lesson, found: Sequence[Result]) -> list[str]:
    lines = ["import numpy as np", "", f"np.set_printoptions(precision={max(lesson.scenario.display.decimals, 2)}, linewidth=120)"]
    if _loud(lesson.trace):
        lines += [
            "# Some numbers here are so large that e^z or a product may leave float64 on the way;",
            "# 1 / (1 + infinity) is 0, as it should be.",
            'np.seterr(over="ignore", invalid="ignore")',
        ]
    lines += [
        "", "",
        "def show(name, value, words):",
        '    """Print an array under its name, and say what it is."""',
        '    print(f"{name}: {words}\\n{np.array2string(np.asarray(value))}")',
        "", "",
    ]  # fmt: skip
    return [*lines, *(_CHECK_SIZED if any(result.size for result in found) else _CHECK)]


def _loud(trace: Trace) -> bool:
    """Whether NumPy would warn of an overflow although the results are right."""
    lists = (trace.z, trace.a, trace.dL_dz, trace.w, trace.z_new, trace.a_new)
    arrays = [array for arrays in lists for array in arrays if array is not None]
    sigmoid = [n for n, layer in enumerate(trace.network.layers, 1) if layer.activation.name == "sigmoid"]
    steep = [z[n] for z in (trace.z, trace.z_new) for n in sigmoid if z[n] is not None]
    with np.errstate(all="ignore"):
        return any(not (np.abs(a) < HUGE).all() for a in arrays) or any(not (z > -STEEP).all() for z in steep)


def given(lesson: Lesson, call: str = "np.array({})", parameter: str = "np.array({})", frozen: str = "np.array({})") -> list[str]:
    """The numbers that the lesson starts from; `call`, `parameter` and `frozen` make an array of nested lists."""
    trace = lesson.trace
    many = trace.samples > 1
    lines = [
        f"# The inputs and targets: {trace.samples} samples, one row each" if many else "# The inputs and targets: one sample",
        f"x = {call.format(array(trace.x))}", f"y = {call.format(array(trace.y))}",
    ]  # fmt: skip
    lines += ["", f"# The weights and biases{_when(lesson)}"]
    for n, layer in enumerate(trace.network.layers, 1):
        lines.append(f"W{n} = {(parameter if layer.train_weights else frozen).format(array(layer.weights))}")
        if layer.biases is not None:
            lines.append(f"b{n} = {(parameter if layer.train_biases else frozen).format(array(layer.biases))}")
    still = _frozen(trace)
    if still:
        lines += comment(f"{', '.join(still)}: frozen, the update leaves {'it as it is' if len(still) == 1 else 'them as they are'}")
    return [*lines, "", f"eta = {exact(trace.eta)}  # the learning rate"]


def _frozen(trace: Trace) -> list[str]:
    layers = enumerate(trace.network.layers, 1)
    return [
        name for n, layer in layers
        for name in ([] if layer.train_weights else [f"W{n}"]) + ([] if layer.biases is None or layer.train_biases else [f"b{n}"])
    ]  # fmt: skip


def _when(lesson: Lesson) -> str:
    return f" as iteration {lesson.iteration} finds them" if lesson.iteration > 1 else ""


def _layer(trace: Trace, n: int) -> str:
    layer = trace.network.layer(n)
    units = "1 unit" if layer.units == 1 else f"{layer.units} units"
    what = f"Layer {n}, the output" if n == trace.network.depth else f"Layer {n}"
    return f"{what}: {units}, {layer.activation.name.replace('_', ' ')}"


def _step(trace: Trace, result: Result) -> list[str]:
    """The lines that make and show one array."""
    remarks = [*_mean(trace, result.stage), *_remarks(trace, result)] if result.stage.phase == "backward" else []
    return [*remarks, f"{result.name} = {_formula(trace, result)}", f'show("{result.name}", {result.name}, "{result.words}")']


def _formula(trace: Trace, result: Result) -> str:
    """The right-hand side."""
    stage = result.stage
    n, mark = stage.layer, "_new" if stage.phase == "verify" else ""
    match stage.kind:
        case "z" | "z+":
            return weighted_sum(trace, n, mark)
        case "a" | "a+":
            return code_rules.applied(trace.network.layer(n).activation, f"z{n}{mark}")
        case "loss" | "loss+":
            return _loss(trace, stage.per_sample, mark)
        case "loss-loss+":
            return "loss - loss_new"
        case "dL/da":
            return f"dL_dz{n + 1} @ W{n + 1}" if n < trace.network.depth else code_rules.loss_gradient(trace, f"a{n}")
        case "da/dz":
            layer = trace.network.layer(n)
            return code_rules.slope(layer.activation, f"z{n}", f"a{n}", layer.units)
        case "dL/dz":
            return _signal(trace, n)
        case "dL/dw":
            return f"dL_dz{n}.T @ {_below(n)}"
        case "dL/db":
            return f"dL_dz{n}.sum(axis=0)"
        case _:
            old = stage.kind[0].replace("w", "W") + str(n)
            return f"{old} - eta * dL_d{old}"


def weighted_sum(trace: Trace, n: int, mark: str) -> str:
    """z of layer n; what is frozen keeps its name in the verification."""
    weights, biases = (python_name(trace.learned(f"{kind}+", n) if mark else kind, n) for kind in "wb")
    bias = f" + {biases}" if trace.network.layer(n).biases is not None else ""
    return f"{_below(n, mark)} @ {weights}.T{bias}"


def _below(n: int, mark: str = "") -> str:
    return f"a{n - 1}{mark}" if n > 1 else "x"


def _loss(trace: Trace, per_sample: bool, mark: str) -> str:
    if trace.samples > 1 and not per_sample:
        return f"losses{mark}.{trace.network.reduction}()"
    outputs = f"{'z' if code_rules.from_z(trace) else 'a'}{trace.network.depth}{mark}"
    rule = f"{trace.network.loss.name}({outputs}, y)"
    return rule if per_sample else f"{rule}.sum()"


def _signal(trace: Trace, n: int) -> str:
    if n == trace.fused_layer:
        return code_rules.shortcut(trace, f"a{n}")
    if not trace.network.layer(n).activation.couples:
        return f"dL_da{n} * da_dz{n}"
    if jacobian_is_large(trace, n):
        return f"a{n} * (dL_da{n} - (dL_da{n} * a{n}).sum(axis=1, keepdims=True))"
    return f'np.einsum("mi,mik->mk", dL_da{n}, da_dz{n})'


def _mean(trace: Trace, stage: Stage) -> list[str]:
    """Where the 1/M of a mean comes in: at the first derivative."""
    first = "dL/dz" if saturated(trace) else "dL/da"
    if trace.scale == 1.0 or (stage.kind, stage.layer) != (first, trace.network.depth):
        return []
    return ["# The loss of the batch is the mean over the M samples: from there its derivatives have their 1/M.", "M = len(x)"]


def _remarks(trace: Trace, result: Result) -> list[str]:
    """What a reader would ask at this line of the backward pass."""
    n = result.stage.layer
    couples = trace.network.layer(n).activation.couples
    if result.stage.kind == "da/dz" and couples:
        return ["# One matrix per sample: row i, column k says how output i answers to pre-activation k."]
    if result.stage.kind != "dL/dz":
        return []
    if n == trace.fused_layer:
        return _fused(trace, n, couples)
    if couples and jacobian_is_large(trace, n):
        return ["# Each pre-activation reaches the loss through every output; the sum over them, without making the matrices:"]
    return ["# Each pre-activation reaches the loss through every output: sum over them (i) for each sample (m)."] if couples else []


def _fused(trace: Trace, n: int, couples: bool) -> list[str]:
    over = "" if trace.scale == 1.0 else ", over M,"
    if saturated(trace):
        return [
            "# An output is so close to 0 or 1 that float64 cannot hold the derivative of the loss by it. Its product with",
            f"# the slope of the activation is harmless, because the two cancel: it is the output minus the target{over.rstrip(',')}.",
        ]
    if couples and jacobian_is_large(trace, n):
        return [f"# Softmax and cross-entropy fit together: of the chain rule only output minus target{over} is left."]
    long = f'np.einsum("mi,mik->mk", dL_da{n}, da_dz{n})' if couples else f"dL_da{n} * da_dz{n}"
    rule = "Softmax" if couples else "Sigmoid"
    return [
        f"# {rule} and cross-entropy fit together: of the chain rule only output minus target{over} is left.",
        f"# By the long way it is {long}, the same up to rounding.",
    ]
