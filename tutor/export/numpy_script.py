"""A lesson as a plain NumPy script: the numbers it starts from, every pass written out, and a check
of every result.

    numpy_script(lesson) -> str

The script goes the way of the walk by matrices and uses the names of the page: z1, a1, dL_dz1,
W1_new. It imports NumPy and nothing else, prints each array, and ends by comparing them with the
lesson's own numbers. Where a walk ends early, so does the script, and says why. `parts` are the
pieces of it, which `notebook` puts into cells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from tutor.engine.code import Statement, source
from tutor.engine.dialects import Textbook, python_name
from tutor.engine.kinds import BACKWARD, KINDS, LOSS, SCALE, UPDATE, marked
from tutor.engine.network import Array
from tutor.engine.order import Stage
from tutor.engine.trace import Trace
from tutor.engine.tree import Apply, ArrayRef
from tutor.export.arrays import Result, jacobian_is_large, results, saturated
from tutor.export.formulas_as_code import (
    RATIO,
    Guarded,
    activation_functions,
    formula,
    loss_argument,
    loss_function,
    safe,
)
from tutor.export.source_text import array, broken, check_lines, comment, header
from tutor.lesson.explain import PHASE_ABOUT, PHASE_TITLES, explain_stop
from tutor.lesson.walk import Lesson
from tutor.number import exact

HUGE = 1e150
STEEP = 700.0
"""From here on e^z is close to the end of float64."""


_CHECK = (
    "def check(name, value, expected):",
    (
        '    """Compare with what the lesson has, to 12 digits; '
        'return how many numbers were compared."""'
    ),
    "    np.testing.assert_allclose(value, expected, rtol=1e-12, err_msg=name)",
    "    return np.size(value)",
)
_CHECK_SIZED = (
    "def check(name, value, expected, size=0.0):",
    '    """Compare with what the lesson has, to 12 digits; return how many numbers were compared.',
    "",
    (
        "    `size` is given where large terms nearly cancel: "
        "then their last digit, which differs from one"
    ),
    "    computer to the next, counts for more.",
    '    """',
    "    np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-14 * size, err_msg=name)",
    "    return np.size(value)",
)


@dataclass(frozen=True, slots=True)
class ScriptPart:
    """A piece of the script that belongs together; `phase` is empty before the first pass."""

    id: str
    phase: str
    lines: tuple[str, ...]


def numpy_script(lesson: Lesson) -> str:
    """The whole script; the same lesson gives the same text."""
    lines = header(
        lesson,
        "A Backprop Tutor lesson in NumPy: it computes, prints and checks every number.",
        "NumPy",
    )
    phase = ""
    for part in parts(lesson):
        if part.phase and part.phase != phase:
            phase = part.phase
            lines += ["", "", f"# ---- {PHASE_TITLES[phase]} ----", *comment(PHASE_ABOUT[phase])]
        lines += ["", *([] if part.phase or part.id == "setup" else [""]), *part.lines]
    return "\n".join(lines) + "\n"


def parts(lesson: Lesson) -> Iterator[ScriptPart]:
    """The pieces in their order: setup, rules, given numbers, one for each layer of each pass, the
    checks.
    """
    trace, found = lesson.trace, results(lesson)
    first = next((result for result in found if KINDS[result.stage.kind].derivative), None)
    yield ScriptPart("setup", "", tuple(_setup(lesson, found)))
    weightless = _is_zero(trace, "wnorm", "wnorm+")
    dialect = (Guarded if weightless else Textbook)(safe(trace))
    rules = [*map(source, _rules(trace, dialect)), *(["\n".join(RATIO)] if weightless else [])]
    yield ScriptPart("rules", "", tuple("\n\n\n".join(rules).split("\n")))
    yield ScriptPart("given", "", (*given(lesson), *learning(trace)))
    names: Counter[str] = Counter()
    for (phase, layer), group in groupby(
        found, lambda result: (result.stage.phase, result.stage.layer)
    ):
        steps = (_step(lesson, dialect, result, result is first) for result in group)
        head = [f"# {_layer(trace, layer)}"] if layer else []
        name = f"{phase}-{layer}" if layer or phase == BACKWARD else phase_end(phase)
        names[name] += 1
        name = f"{name}-again" if names[name] > 1 else name
        yield ScriptPart(name, phase, (*head, *(line for lines in steps for line in lines)))
    if reason := ending(lesson, found):
        yield ScriptPart("stop", "", tuple(comment(reason)))
    yield ScriptPart("check", "", tuple(check_lines(lesson, found)))


def _rules(trace: Trace, dialect: Textbook) -> list[Statement]:
    """The activation functions and the loss, as functions."""
    applied = [found.tree for found in trace.program.definitions if isinstance(found.tree, Apply)]
    return [*activation_functions(applied, dialect), loss_function(trace, dialect, dialect.safe)]


def phase_end(phase: str) -> str:
    """The id of a piece that belongs to no layer: about the loss, in the loss phase and in the
    verification, or about the whole update.
    """
    return phase if phase in {SCALE, LOSS, UPDATE} else f"{phase}-loss"


def ending(lesson: Lesson, found: Sequence[Result]) -> str:
    """Why the script ends early, in the lesson's words; empty where it does not."""
    stop = lesson.walk("layer").stop or lesson.trace.stop
    complete = bool(found) and found[-1].name == "drop"
    return "" if complete or stop is None else explain_stop(lesson.trace, stop)


def _setup(lesson: Lesson, found: Sequence[Result]) -> list[str]:
    lines = [
        "import numpy as np",
        "",
        f"np.set_printoptions(precision={max(lesson.scenario.display.decimals, 2)}, linewidth=120)",
    ]
    if _loud(lesson.trace, [result.values for result in found if result.values.ndim]):
        lines += [
            "# Some numbers here are so large that e^z or a product may overflow on the way;",
            "# 1 / (1 + infinity) is 0, as it should be.",
            'np.seterr(over="ignore", invalid="ignore")',
        ]
    if _is_zero(lesson.trace, "gnorm"):
        lines += [
            "# The whole gradient is 0; the limit over its length is infinite, and nothing is cut.",
            'np.seterr(divide="ignore")',
        ]
    lines += [
        "", "",
        "def show(name, value, words):",
        '    """Print an array under its name, and say what it is."""',
        '    print(f"{name}: {words}\\n{np.array2string(np.asarray(value))}")',
        "", "",
    ]  # fmt: skip
    return [*lines, *(_CHECK_SIZED if any(result.size for result in found) else _CHECK)]


def _is_zero(trace: Trace, *names: str) -> bool:
    """Whether one of these single numbers is there and 0."""
    return any(not array for (name, _), array in trace.items() if name in names)


def _loud(trace: Trace, made: Sequence[Array]) -> bool:
    """Whether NumPy would warn of an overflow although the results are right."""
    named = [(KINDS[kind.removesuffix("@")], array) for (kind, _), array in trace.items()]
    arrays = [*made, *(array for kind, array in named if kind.given)]
    steep = [array for kind, array in named if kind.base == "z"]
    with np.errstate(all="ignore"):
        return any(not (np.abs(a) < HUGE).all() for a in arrays) or any(
            not (z > -STEEP).all() for z in steep
        )


def given(
    lesson: Lesson,
    call: str = "np.array({})",
    parameter: str = "np.array({})",
    frozen: str = "np.array({})",
) -> list[str]:
    """The numbers that the lesson starts from; `call`, `parameter` and `frozen` make an array of
    nested lists.
    """
    trace = lesson.trace
    samples = f"{trace.samples} samples, one row each" if trace.samples > 1 else "one sample"
    before = ", before they are scaled," if trace.statistics else ""
    lines = [
        f"# The inputs{before} and targets: {samples}",
        *(comment(f"{lesson.batch}.") if lesson.batch else ()),
        *inputs(trace, call),
        f"y = {call.format(array(trace.y))}",
        "",
        f"# The weights and biases{_when(lesson)}",
    ]
    return [*lines, *parameters(trace, parameter, frozen)]


def inputs(trace: Trace, call: str) -> list[str]:
    """The inputs; where they are scaled, as they were before, and those that say how."""
    if not trace.statistics:
        return [f"x = {call.format(array(trace.x))}"]
    lines = [f"raw = {call.format(array(trace['raw', 0]))}"]
    if ("train", 0) in trace:
        lines += ["# The inputs of all training samples, which say how they are scaled"]
        lines += [f"train = {call.format(array(trace['train', 0]))}"]
    return lines


def parameters(trace: Trace, parameter: str, frozen: str) -> list[str]:
    """The weights, the biases and the learning rate."""
    lines = []
    for n, layer in enumerate(trace.network.layers, 1):
        weights = parameter if layer.train_weights else frozen
        lines.append(f"W{n} = {weights.format(array(layer.weights))}")
        if layer.biases is not None:
            biases = parameter if layer.train_biases else frozen
            lines.append(f"b{n} = {biases.format(array(layer.biases))}")
    still = _frozen(trace)
    if still:
        left = "it as it is" if len(still) == 1 else "them as they are"
        lines += comment(f"{', '.join(still)}: frozen, so the update leaves {left}")
    return [*lines, "", f"eta = {exact(trace.eta)}  # the learning rate"]


def learning(trace: Trace) -> list[str]:
    """What else an iteration needs: the numbers of its rule, and what changes from one iteration to
    the next.
    """
    return [*knobs(trace), *varying(trace)]


def knobs(trace: Trace, but: Container[str] = ()) -> list[str]:
    """The numbers of a rule."""
    found = [
        f"{python_name(kind)} = {_knob(trace.knobs[kind], kind)}  # the {KINDS[kind].words}"
        for kind in trace.program.knobs
        if kind not in but
    ]
    each = [name for name in trace.program.given if KINDS[name[0]].role == "knob"]
    return found + [
        f"{python_name(kind, n)} = {exact(float(trace[kind, n]))}"
        f"  # the {KINDS[kind].words} in layer {n}"
        for kind, n in sorted(each)
    ]


def varying(trace: Trace, library: str = "np", memory: bool = True) -> list[str]:
    """The masks of dropout and what the optimizer remembers."""
    lines = []
    masks = [name for name in trace.program.given if KINDS[name[0]].role == "mask"]
    earlier = [name for name in trace.program.given if KINDS[name[0]].earlier and memory]
    for about, names in (
        ("Dropout: 0 where an activation is dropped, else 1 over the share that is kept", masks),
        ("What the optimizer remembers of the iterations before", earlier),
    ):
        if names:
            lines += ["", f"# {about}"]
            lines += [f"{python_name(*n)} = {made(library, trace.arrays[n])}" for n in names]
    return lines


def made(library: str, values: Array) -> str:
    """An array as `np` or `torch` makes it."""
    if not values.any():
        return f"{library}.zeros({values.shape if values.ndim > 1 else len(values)})"
    return f"{library}.{'array' if library == 'np' else 'tensor'}({array(values)})"


def _knob(value: float, kind: str) -> str:
    return str(int(value)) if kind == "t" else exact(value)


def _frozen(trace: Trace) -> list[str]:
    names = []
    for n, layer in enumerate(trace.network.layers, 1):
        if not layer.train_weights:
            names.append(f"W{n}")
        if layer.biases is not None and not layer.train_biases:
            names.append(f"b{n}")
    return names


def _when(lesson: Lesson) -> str:
    return f" at the start of iteration {lesson.iteration}" if lesson.iteration > 1 else ""


def _layer(trace: Trace, n: int) -> str:
    layer = trace.network.layer(n)
    units = "1 unit" if layer.units == 1 else f"{layer.units} units"
    what = f"Layer {n}, the output" if n == trace.network.depth else f"Layer {n}"
    return f"{what}: {units}, {layer.activation.name.replace('_', ' ')}"


def _step(lesson: Lesson, dialect: Textbook, result: Result, first: bool) -> list[str]:
    """The lines that make and show one array; `first`: whether it is the first derivative."""
    trace = lesson.trace
    remarks = [*_mean(trace)] if first else []
    remarks += _remarks(trace, result) if result.stage.layer else []
    return [
        *remarks,
        *broken(f"{result.name} = {_formula(trace, dialect, result)}"),
        f'show("{result.name}", {result.name}, "{result.words}")',
    ]


def _formula(trace: Trace, dialect: Textbook, result: Result) -> str:
    """The right-hand side."""
    stage = result.stage
    if is_loss(trace, stage):
        return loss_call(trace, stage, loss_argument(trace, dialect.safe))
    return source(dialect.write(formula(trace, stage, jacobian_is_large(trace, stage.layer))))


def is_loss(trace: Trace, stage: Stage) -> bool:
    """Whether a stage is the loss on the data, of the samples or of the batch."""
    whole = "data_loss" if trace.network.rule.penalty else "loss"
    return KINDS[stage.kind].base == whole or stage.per_sample


def loss_call(trace: Trace, stage: Stage, argument: ArrayRef) -> str:
    """The loss of the samples or of the batch."""
    mark = KINDS[stage.kind].mark
    if trace.samples > 1 and not stage.per_sample:
        each = python_name(marked("loss", mark) + "@")
        return f"{each}.{trace.network.reduction}()"
    rule = (
        f"{trace.network.loss.name}({python_name(marked(argument.kind, mark), argument.layer)}, y)"
    )
    return rule if stage.per_sample else f"{rule}.sum()"


def _mean(trace: Trace) -> list[str]:
    """Where the 1/M of a mean comes in: at the first derivative."""
    if trace.scale == 1.0:
        return []
    return [
        ("# The loss of the batch is the mean over the M samples, so its derivatives contain 1/M."),
        "M = len(x)",
    ]


def _remarks(trace: Trace, result: Result) -> list[str]:
    """What a reader would ask at this line of the backward pass."""
    n = result.stage.layer
    full_jacobian = trace.network.layer(n).activation.full_jacobian
    kind = KINDS[result.stage.kind]
    if kind.role == "slope" and full_jacobian:
        return [
            (
                "# One matrix per sample: "
                "row i, column k says how output i responds to pre-activation k."
            )
        ]
    if kind.role != "error" or kind.by != "z":
        return []
    if n == trace.fused_layer:
        return _fused(trace, n, full_jacobian)
    if full_jacobian and jacobian_is_large(trace, n):
        return [
            (
                "# Each pre-activation reaches the loss through every output; "
                "sum over them, without building the matrices:"
            )
        ]
    return (
        [
            (
                "# Each pre-activation reaches the loss through every output: "
                "sum over them (i) for each sample (m)."
            )
        ]
        if full_jacobian
        else []
    )


def _fused(trace: Trace, n: int, full_jacobian: bool) -> list[str]:
    over = "" if trace.scale == 1.0 else ", over M"
    if saturated(trace):
        return [
            (
                "# An output is so close to 0 or 1 "
                "that float64 cannot hold the loss gradient there. Its product with"
            ),
            (
                "# the slope of the activation is harmless, because the two cancel: "
                f"it is the output minus the target{over}."
            ),
        ]
    if full_jacobian and jacobian_is_large(trace, n):
        return [
            (
                "# Softmax and cross-entropy simplify together: "
                f"the chain rule leaves only output minus target{over}."
            )
        ]
    long = (
        f'np.einsum("mi,mik->mk", dL_da{n}, da_dz{n})' if full_jacobian else f"dL_da{n} * da_dz{n}"
    )
    rule = "Softmax" if full_jacobian else "Sigmoid"
    return [
        (
            f"# {rule} and cross-entropy simplify together: "
            f"the chain rule leaves only output minus target{over}."
        ),
        f"# The long way is {long}, the same up to rounding.",
    ]
