"""A whole training run as a script: every iteration of it, and the same weights in the end.

    numpy_run(lesson) -> str       each update is the program's own trees, with NumPy alone
    torch_run(lesson) -> str       the same run by autograd and torch.optim, with PyTorch alone

Both start from the lesson's numbers, take the samples of each iteration and drop the activations
that the tutor does, compare the final weights with the tutor's, and draw its curves: the loss and,
where targets are classes, the accuracy, also on validation and test sets, and the gradient norm of
each layer, and the weights that change most; of one input or two also the fitted curve or the
decision boundary at the end. Where there is not even a first iteration, the script says why.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from tutor.engine.code import assigned, source
from tutor.engine.dialects import Python, Textbook, Torch, python_name
from tutor.engine.kinds import AFTER, FORWARD, KINDS, LOSS, Kind
from tutor.engine.network import Array
from tutor.engine.optimizers import SCHEDULED
from tutor.engine.order import Stage, loss_numbers
from tutor.engine.program import Definition, Name, Program
from tutor.engine.scales import RAW, ScalePlan
from tutor.engine.tree import Node, Power, Share, walk
from tutor.export.arrays import Result
from tutor.export.formulas_as_code import (
    RATIO,
    Guarded,
    activation_functions,
    loss_argument,
    loss_function,
)
from tutor.export.numpy_random import Random
from tutor.export.numpy_script import knobs, parameters
from tutor.export.run_curves import (
    KEPT,
    after_the_last,
    chosen,
    curves,
    look,
    looked,
    looks,
    measures,
    recorded,
    seen,
)
from tutor.export.run_picture import NUMPY as NUMPY_PICTURE
from tutor.export.run_picture import TORCH as TORCH_PICTURE
from tutor.export.run_picture import answer, drawn, picture
from tutor.export.scripted_run import ScriptedRun, run_of
from tutor.export.source_text import array, broken, check_lines, comment, filled, header
from tutor.export.torch_script import clipped, optimizer, part_of_loss
from tutor.lesson.walk import Lesson

NUMPY = "A training run of a Backprop Tutor lesson in NumPy: every update, the same final weights."
TORCH = "A training run of a Backprop Tutor lesson in PyTorch, with the same final weights."
MATPLOTLIB = (
    "With Matplotlib it draws the curves of the loss, the accuracy, the gradients and the weights."
)


def numpy_run(lesson: Lesson) -> str:
    """The whole script with NumPy; the same lesson gives the same text."""
    run = run_of(lesson)
    parts = [line for _, lines in numpy_parts(run) for line in ("", "", *lines)]
    return _ended([*_head(run, NUMPY, "NumPy"), *parts[1:]])


def numpy_parts(run: ScriptedRun) -> Iterator[tuple[str, list[str]]]:
    """The parts of it, each with a name, in their order."""
    setup = [
        "import numpy as np", "",
        "# Some powers of e overflow on the way; 1 / (1 + infinity) is 0, as it should be.",
        'np.seterr(all="ignore")',
    ]  # fmt: skip
    if not run.iterations:
        yield "setup", setup
        yield "nothing", _nothing(run)
        return
    memory = [
        f"{python_name(*name)} = np.zeros_like({python_name(name[0][-1], name[1])})"
        for name in run.memory
    ]
    if memory:
        memory = ["", "# The optimizer remembers nothing yet", *memory]
    yield "setup", [*setup, "", "", *_NUMPY_CHECK]
    yield "rules", "\n\n\n".join(_numpy_rules(run)).split("\n")
    yield "given", [*_given(run, Textbook(), "np.array({})", "np.array({})"), *memory]
    batch = _batch(run, "np.random.default_rng([shuffle, epoch])")
    yield "batch", [*batch, *(_NUMPY_MASK if run.dropout else ())]
    yield "iteration", list(_iteration(run))
    if run.data.others or drawn(run):
        yield "answer", _answer(run, _Exact(), "state, x", _unpacked(run))
    if run.data.others:
        others = _others(run, Textbook(), "np.array({})")
        yield "others", [*others, "", "", *_look(run, "state", "state, x")]
    yield "training", list(_numpy_loop(run))
    yield "check", _checks(run)
    yield "curves", list(curves(run))
    if drawn(run):
        yield "picture", list(picture(run, NUMPY_PICTURE, _asked(run, "state, {}")))


def torch_run(lesson: Lesson) -> str:
    """The whole script with PyTorch; the same lesson gives the same text."""
    run = run_of(lesson)
    lines = [
        *_head(run, TORCH, "PyTorch"),
        "", "import torch", "", "torch.set_default_dtype(torch.float64)",
    ]  # fmt: skip
    if not run.iterations:
        return _ended([*lines, "", "", *_nothing(run)])
    dialect = Torch()
    trees = [found.tree for found in _forward(run.program)]
    rules = [*map(source, activation_functions(trees, dialect))]
    rules.append(source(loss_function(run.first, dialect, bool(run.first.fused_layer))))
    rules += measures(run)
    draws = bool(run.dropout) or run.training.shuffle is not None
    lines += [
        "", "", *_TORCH_CHECK, "", "", *"\n\n\n".join(rules).split("\n"), "", "",
        *_given(run, dialect, "torch.tensor({})", "torch.tensor({}, requires_grad=True)"),
        *([] if not draws else ["", "", *inspect.getsource(Random).rstrip().split("\n")]),
        "", "", *_batch(run, "Random(shuffle, epoch)"),
        *(_TORCH_MASK if run.dropout else ()), *_torch_rate(run), "", "",
        *_torch_iteration(run, dialect), "", "", *_torch_look(run, dialect), *_torch_loop(run),
        *_ending(run),
    ]  # fmt: skip
    if drawn(run):
        lines += ["", "", *picture(run, TORCH_PICTURE, _asked(run, "{}"))]
    return _ended(lines)


def _ended(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"


def _head(run: ScriptedRun, what: str, needs: str) -> list[str]:
    return [*header(replace(run.lesson, iteration=1), what, needs), *comment(MATPLOTLIB)]


def _nothing(run: ScriptedRun) -> list[str]:
    """Where there is no iteration to repeat."""
    return [*comment(run.reason), f"print({run.reason!a})"]


# ---- what both have ----


def _given(run: ScriptedRun, dialect: Python, plain: str, learns: str) -> Iterator[str]:
    samples, scaled = len(run.training.x), bool(run.lesson.trace.statistics)
    before = ", before they are scaled," if scaled else ""
    yield f"# The inputs{before} and targets: {samples} samples" if samples > 1 else "# The sample"
    if scaled:
        yield from _scaling(run, dialect, plain)
    else:
        yield f"x = {plain.format(array(run.training.x))}"
    yield f"y = {plain.format(array(run.training.y))}"
    yield from ("", "# The weights and biases at the start")
    yield from parameters(run.first, learns, plain)
    yield from knobs(run.first, {"t"})
    yield f"iterations = {run.iterations}"
    if run.reason:
        yield from comment(run.reason)
    if not run.training.batches.full:
        yield f"batch_size = {run.training.batches.each}"
    if run.training.shuffle is not None:
        yield f"shuffle = {run.training.shuffle}  # the seed of the order of samples"
    if run.dropout:
        yield f"dropout = {run.dropout!r}  # the share that is dropped in each layer"
        yield f"seed = {run.end.seed}  # of what is dropped"


def _scaling(run: ScriptedRun, dialect: Python, plain: str) -> Iterator[str]:
    """The inputs of all training samples as they are, and what makes x of them."""
    yield f"raw = {plain.format(array(run.data.raw[run.data.training]))}"
    for leaf, tree in _scale(run).trees():
        yield source(assigned(python_name(leaf.kind), dialect.write(tree)))


def _scale(run: ScriptedRun) -> ScalePlan:
    plan = run.lesson.trace.program.plan.scale
    assert plan is not None
    return ScalePlan(plan.name, plan.samples)


def _others(run: ScriptedRun, dialect: Python, plain: str) -> Iterator[str]:
    """The sets that nothing is learned from. Training samples alone say how they are scaled."""
    sets = [f"the {name} set has {len(y)}" for name, (_, y) in run.data.others.items()]
    yield f"# Samples that nothing is learned from: {', '.join(sets)}"
    for name, (x, y) in run.data.others.items():
        if run.lesson.trace.statistics:
            rows = run.data.raw[run.data.rows(name)]
            yield f"raw_{name} = {plain.format(array(rows))}"
            *_, (_, tree) = _scale(run).trees()
            scaled = dialect.having({RAW: f"raw_{name}"}).write(tree)
            yield source(assigned(f"x_{name}", scaled))
        else:
            yield f"x_{name} = {plain.format(array(x))}"
        yield f"y_{name} = {plain.format(array(y))}"
    yield from ("others = {", *(f'    "{n}": (x_{n}, y_{n}),' for n in run.data.others), "}")


def _answer(run: ScriptedRun, dialect: Python, arguments: str, state: Sequence[str]) -> list[str]:
    """The function that says what the network makes of inputs."""
    forward = [
        line
        for found in _forward(run.used.program(len(run.training.x)))
        for line in broken(f"{python_name(*found.name)} = {source(dialect.write(found.tree))}")
    ]
    return answer(run, arguments, state, forward, ", ".join(_answers(run)))


def _answers(run: ScriptedRun) -> list[str]:
    """What that gives: what the loss is of, and the output, which may be the same."""
    argument = loss_argument(run.first, bool(run.first.fused_layer))
    output = run.used.passed(run.used.depth)
    return [*dict.fromkeys((python_name(argument.kind, argument.layer), python_name(*output)))]


def _asked(run: ScriptedRun, arguments: str) -> str:
    """The call of it that gives the output."""
    return f"answer({arguments})" + "[-1]" * (len(_answers(run)) > 1)


def _look(run: ScriptedRun, state: str, arguments: str) -> list[str]:
    """The function that looks at them."""
    names = _answers(run)
    found = [
        f"{', '.join(names)} = answer({arguments})",
        f"losses = {run.used.loss.name}({names[0]}, y)",
    ]
    return look(run, state, found, f"losses.{run.used.reduction}()")


def _forward(program: Program) -> list[Definition]:
    return [found for found in program.definitions if _kind(found).phase == FORWARD]


def _kind(found: Definition) -> Kind:
    return KINDS[found.leaf.kind.removesuffix("@")]


def _batch(run: ScriptedRun, generator: str) -> list[str]:
    """The function that says which samples an iteration takes."""
    several, shuffle = not run.training.batches.full, run.training.shuffle
    lines = ["def batch(t):"]
    if shuffle is None and not several:
        return [*lines, '    """All samples, in every iteration."""', "    return x, y"]
    lines.append('    """The samples of iteration t; an epoch takes all of them once."""')
    if several:
        lines += [
            "    batches = (len(x) + batch_size - 1) // batch_size",
            "    epoch, place = divmod(t - 1, batches)",
        ]
    else:
        lines.append("    epoch = t - 1")
    part = "place * batch_size:(place + 1) * batch_size"
    if shuffle is None:
        return [
            *lines,
            f"    rows = slice({part.replace(':', ', ')})",
            "    return x[rows], y[rows]",
        ]
    lines.append(f"    rows = {generator}.permutation(len(x))" + f"[{part}]" * several)
    return [*lines, "    return x[rows], y[rows]"]


def _ending(run: ScriptedRun) -> Iterator[str]:
    """The final weights and the last loss compared, and the curve."""
    yield from ("", "", *_checks(run), "", "", *curves(run))


def _checks(run: ScriptedRun) -> list[str]:
    *lines, said = check_lines(run.lesson, tuple(_results(run)))
    return [*lines, *seen(run), said]


def _results(run: ScriptedRun) -> Iterator[Result]:
    for kind, n in run.learned:
        layer = run.end.network.layer(n)
        values = layer.weights if KINDS[kind].weights else layer.biases
        assert values is not None
        yield _result(python_name(kind, n), values)
    yield _result("loss", np.asarray(run.loss))


def _result(name: str, values: Array) -> Result:
    return Result(name, "", Stage(LOSS, "loss"), values, 0.0)


_NUMPY_CHECK = (
    "def check(name, value, expected):",
    '    """Compare with what the tutor has, to 9 digits; return how many numbers these are."""',
    "    largest = np.max(np.abs(expected))",
    (
        "    np.testing.assert_allclose("
        "value, expected, rtol=1e-9, atol=1e-9 * largest, err_msg=name)"
    ),
    "    return np.size(value)",
)
_TORCH_CHECK = (
    "def check(name, value, expected):",
    '    """Compare with what the tutor has, to 9 digits; return how many numbers these are."""',
    "    value, expected = torch.as_tensor(value).detach(), torch.tensor(expected)",
    "    largest = float(expected.abs().max())",
    "    torch.testing.assert_close(",
    ('        value, expected, rtol=1e-9, atol=1e-9 * largest, msg=lambda text: f"{name}: {text}"'),
    "    )",
    "    return expected.numel()",
)
_NUMPY_MASK = (
    "",
    "",
    "def mask(t, layer, shape):",
    '    """0 where an activation is dropped in iteration t, else 1 over the share kept."""',
    "    random = np.random.default_rng([seed, t, layer])",
    "    return (random.random(shape) >= dropout[layer]) / (1 - dropout[layer])",
)
_TORCH_MASK = (
    "",
    "",
    "def mask(t, layer, shape):",
    '    """0 where an activation is dropped in iteration t, else 1 over the share kept."""',
    "    random = Random(seed, t, layer)",
    "    kept = [random.random() >= dropout[layer] for _ in range(shape[0] * shape[1])]",
    "    return torch.tensor(kept).reshape(shape) / (1 - dropout[layer])",
)


# ---- NumPy ----


def _needed(run: ScriptedRun) -> list[Definition]:
    """What an update and its loss are made of, in its order."""
    wanted = [("loss", 0), *((AFTER[kind], layer) for kind, layer in run.learned)]
    wanted += [_after(name) for name in run.memory]
    wanted += [run.output] if run.right else []
    wanted += [name for names in run.gradients.values() for name in names]
    return run.program.needed(wanted)


def _after(name: Name) -> Name:
    """What the next iteration remembers: m for m-."""
    return KINDS[name[0]].now, name[1]


def _numpy_rules(run: ScriptedRun) -> Iterator[str]:
    dialect = Textbook(safe=True)
    trees = [found.tree for found in _needed(run)]
    yield from map(source, activation_functions(trees, dialect))
    yield source(loss_function(run.first, dialect, bool(run.first.fused_layer)))
    if run.first.network.rule.penalty == "norm":
        yield "\n".join(RATIO)
    yield from measures(run)


class _Exact(Guarded):
    """What the engine computes, to the last digit: a mean is a factor, and a power that of arrays.
    A long run may make much of a last digit.
    """

    def write(self, node: Node) -> ast.expr:
        if not isinstance(node, Power) or node in self.names:
            return super().write(node)
        return self.library("power", self.write(node.left), self.write(node.right))

    def shared(self, whole: ast.expr) -> ast.expr:
        return Python.shared(self, whole)


def _iteration(run: ScriptedRun) -> Iterator[str]:
    """One update as a function: the trees of the program."""
    needed, dialect = _needed(run), _Exact()
    state = [python_name(*name) for name in (*run.learned, *run.memory)]
    new = [python_name(AFTER[kind], layer) for kind, layer in run.learned]
    new += [python_name(*_after(name)) for name in run.memory]
    yield "def iteration(t, x, y, state):"
    yield '    """One update of everything that learns: what is drawn of it, the state after it."""'
    if state:
        yield from _indented(filled("(", state, ")", " = state"))
    if any(isinstance(node, Share) for found in needed for node in walk(found.tree)):
        yield "    scale = 1 / len(x)  # the loss of the batch is the mean over its samples"
    phase = FORWARD
    for found in needed:
        kind, n = _kind(found), found.leaf.layer
        if kind.phase != phase:
            phase = kind.phase
            yield ""
        if kind.name == "d":
            yield f"    mask{n} = mask(t, {n}, a{n}.shape)"
        right = _own_loss(run, found) or source(dialect.write(found.tree))
        yield from _indented(broken(f"{python_name(*found.name)} = {right}"))
    norms = {
        layer: ", ".join(python_name(*name) for name in names)
        for layer, names in run.gradients.items()
    }
    yield from recorded(run, "loss", norms)
    yield from _indented(filled("return record, (", new, ")"))


def _own_loss(run: ScriptedRun, found: Definition) -> str:
    """The loss of the samples as a call of the function, that of the batch as their mean or sum."""
    network, kind = run.first.network, found.leaf.kind
    if kind == "loss@":
        argument = loss_argument(run.first, bool(run.first.fused_layer))
        return f"{network.loss.name}({python_name(argument.kind, argument.layer)}, y)"
    if kind == ("data_loss" if network.rule.penalty else "loss"):
        return f"losses.{network.reduction}()"
    return ""


def _unpacked(run: ScriptedRun) -> list[str]:
    """The weights and biases out of the state, in a function."""
    learned = [python_name(*name) for name in run.learned]
    more = ["*_"] if run.memory else []
    return _indented(filled("(", [*learned, *more], ")", " = state")) if learned else []


def _numpy_loop(run: ScriptedRun) -> Iterator[str]:
    state = [python_name(*name) for name in (*run.learned, *run.memory)]
    yield from chosen(run, _unpacked(run), "float({})")
    yield "# ---- Training ----"
    yield from filled("state = (", state, ")")
    yield from (
        *looked(run),
        "records = []",
        "for t in range(1, iterations + 1):",
        *looks(run, "state"),
        "    record, state = iteration(t, *batch(t), state)",
        *KEPT,
        *after_the_last(run, "state"),
    )
    if state:
        yield from filled("(", state, ")", " = state")


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in lines]


# ---- PyTorch ----


def _torch_rate(run: ScriptedRun) -> list[str]:
    if not run.first.network.rule.schedule:
        return []
    tree = run.made[SCHEDULED.kind, 0].tree
    return [
        "", "",
        "def rate(t):",
        '    """The learning rate of iteration t."""',
        "    t = torch.tensor(float(t))",
        f"    return ({source(Torch().write(tree))}).item()",
    ]  # fmt: skip


def _torch_iteration(run: ScriptedRun, dialect: Torch) -> Iterator[str]:
    rule = run.first.network.rule
    yield "def iteration(t, x, y):"
    yield '    """One update of everything that learns: what is drawn of it."""'
    for found in _forward(run.program):
        n = found.leaf.layer
        if found.leaf.kind == "d":
            yield f"    mask{n} = mask(t, {n}, a{n}.shape)"
        yield f"    {python_name(*found.name)} = {source(dialect.write(found.tree))}"
    argument = loss_argument(run.first, bool(run.first.fused_layer))
    name = run.first.network.loss.name
    yield f"    losses = {name}({python_name(argument.kind, argument.layer)}, y)"
    whole = "data_loss" if rule.penalty else "loss"
    yield f"    {whole} = losses.{run.first.network.reduction}()"
    for q in loss_numbers(run.first.network)[1:]:
        right = part_of_loss(run.first, (q.kind, q.layer))
        yield from _indented(broken(f"{python_name(q.kind, q.layer)} = {right}"))
    if not run.learned:
        yield from recorded(run, "loss.item()", {})
        yield "    return record"
        return
    yield from ("", "    optimizer.zero_grad()")
    learns = {
        layer: [python_name(*name).removeprefix("dL_d") for name in names]
        for layer, names in run.gradients.items()
    }
    norms = {layer: ", ".join(f"{of}.grad" for of in names) for layer, names in learns.items()}
    if rule.penalty:
        yield "    # the gradients of the loss on the data alone, as the tutor draws them"
        norms = {
            layer: f"*torch.autograd.grad({whole}, [{', '.join(names)}], retain_graph=True)"
            for layer, names in learns.items()
        }
        yield from recorded(run, "loss.item()", norms)
        yield "    loss.backward()"
    else:
        yield "    loss.backward()"
        yield from recorded(run, "loss.item()", norms)
    yield from _indented(clipped(rule))
    if rule.schedule:
        yield '    optimizer.param_groups[0]["lr"] = rate(t)'
    yield from ("    optimizer.step()", "    return record")


def _torch_look(run: ScriptedRun, dialect: Torch) -> list[str]:
    lines: list[str] = []
    if run.data.others or drawn(run):
        lines += ["@torch.no_grad()", *_answer(run, dialect, "x", ()), "", ""]
    if run.data.others:
        given = _others(run, dialect, "torch.tensor({})")
        lines += [*given, "", "", "@torch.no_grad()", *_look(run, "", "x"), "", ""]
    return lines


def _torch_loop(run: ScriptedRun) -> Iterator[str]:
    yield from chosen(run, (), "{}.item()")
    yield "# ---- Training ----"
    learned = [python_name(*name) for name in run.learned]
    if learned:
        yield from filled("parameters = [", learned, "]")
        yield optimizer(run.first.network.rule, "parameters", "eta")
    yield from (
        *looked(run),
        "records = []",
        "for t in range(1, iterations + 1):",
        *looks(run, ""),
        "    record = iteration(t, *batch(t))",
        *KEPT,
        *after_the_last(run, ""),
    )
