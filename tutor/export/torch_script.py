"""A lesson as a PyTorch script: the same numbers, found by automatic differentiation.

    torch_script(lesson) -> str

Weights and biases are tensors that learn, the forward pass is written out, and everything backward
is one call: `loss.backward()`. Cross-entropies are taken on the pre-activations (logits), as
PyTorch wants them, and the update is an optimizer of `torch.optim`, with its memory of the
iterations before. What autograd or an optimizer does not keep, such as da/dz, is not compared;
where a pass cannot be finished, the script ends before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from tutor.engine.code import answered, assigned, defined, source
from tutor.engine.dialects import Torch, python_name
from tutor.engine.kinds import (
    BACKWARD,
    FORWARD,
    KINDS,
    LOSS,
    PHASES,
    SCALE,
    UPDATE,
    VERIFY,
    marked,
)
from tutor.engine.optimizers import LENGTH, UpdateRule
from tutor.engine.order import Stage, loss_numbers
from tutor.engine.program import NOT_AGAIN, Name
from tutor.engine.trace import Trace
from tutor.engine.tree import ArrayRef, Node
from tutor.export.arrays import Result, last_stage, results
from tutor.export.formulas_as_code import (
    activation_functions,
    formula,
    loss_argument,
    loss_function,
)
from tutor.export.numpy_script import ending, given, is_loss, knobs, loss_call, varying
from tutor.export.source_text import check_lines, comment, header
from tutor.lesson.explain import PHASE_ABOUT, PHASE_TITLES
from tutor.lesson.walk import Lesson
from tutor.number import exact

WHAT = "A Backprop Tutor lesson in PyTorch: autograd finds the same numbers, and they are checked."


def torch_script(lesson: Lesson) -> str:
    """The whole script; the same lesson gives the same text."""
    trace = lesson.trace
    done = _done(lesson)
    found = [result for result in results(lesson) if _kept(trace, result, done)]
    lines = ["", "", *_given(lesson), "", "", *_rules(trace, found)]
    for phase in PHASES:
        makers: dict[str, Callable[[Trace, Sequence[Result]], list[str]]] = {
            "scale": partial(_scale, lesson),
            "forward": _forward,
            "loss": _loss,
            "backward": _backward,
            "update": _update,
            "verify": _verify,
        }
        body = makers[phase](trace, found)
        if phase == SCALE and not body:
            continue
        if phase in done or (phase == FORWARD and body):
            lines += [
                "",
                "",
                f"# ---- {PHASE_TITLES[phase]} ----",
                *comment(PHASE_ABOUT[phase]),
                "",
                *body,
            ]
    if reason := ending(lesson, results(lesson)):
        lines += ["", "", *comment(reason)]
    lines = [*header(lesson, WHAT, "PyTorch"), "", *_setup(lesson), *lines]
    return "\n".join([*lines, "", "", *check_lines(lesson, found, partial(python, trace))]) + "\n"


def _done(lesson: Lesson) -> tuple[str, ...]:
    """The phases that can be finished."""
    last = last_stage(lesson)
    return PHASES if last is None else PHASES[: PHASES.index(last.phase)]


def _kept(trace: Trace, result: Result, done: Sequence[str]) -> bool:
    """Whether PyTorch keeps this array: no slopes, no dL/da of a loss that is taken on logits, and
    of an optimizer its memory alone.
    """
    stage, kind = result.stage, KINDS[result.stage.kind]
    if kind.role == "slope" or (kind.by == "a" and 0 < stage.layer == trace.fused_layer):
        return False
    if kind.role == "memory" and kind.axes and kind.name[:2] not in {"g.", *_slots(trace)}:
        return False
    return stage.phase in done or stage.phase == "forward"


def _slots(trace: Trace) -> dict[str, str]:
    """Where a PyTorch optimizer keeps what."""
    return {f"{name}.": slot for name, slot in trace.network.rule.how.slots.items()}


def python(trace: Trace, result: Result) -> str:
    """Where the script has an array: gradients belong to their tensor, an updated parameter is the
    parameter itself.
    """
    kind, n = KINDS[result.stage.kind], result.stage.layer
    if kind.derivative and not (kind.parameter and changed(trace)):
        return f"{'x' if not n else python_name(kind.by, n)}.grad"
    if result.stage.phase != UPDATE or kind.role in {"rate", "gradient"} or not n:
        return result.name
    parameter = python_name(kind.before or kind.name[-1], n)
    if kind.before:
        return parameter
    slot = _slots(trace).get(kind.name[:2], "")
    return f"optimizer.state[{parameter}]['{slot}']" if slot else f"{parameter}.grad"


def changed(trace: Trace) -> bool:
    """Whether an optimizer gets something else than the gradient of the data."""
    return bool(trace.network.rule.penalty or trace.network.rule.clip)


def _setup(lesson: Lesson) -> list[str]:
    decimals = max(lesson.scenario.display.decimals, 2)
    return [
        "import torch",
        "",
        "torch.set_default_dtype(torch.float64)",
        f"torch.set_printoptions(precision={decimals}, linewidth=120)",
        "", "",
        "def show(name, value, words):",
        '    """Print a tensor under its name, and say what it is."""',
        '    print(f"{name}: {words}\\n{value.detach()}")',
        "", "",
        "def check(name, value, expected, size=0.0):",
        ('    """Compare with what the lesson has, to 10 digits; '
        'return how many numbers were compared.'),
        "",
        ("    `size` is given where large terms nearly cancel: "
        "then their last digit counts for more."),
        '    """',
        "    expected = torch.tensor(expected)",
        ("    torch.testing.assert_close("
        "value.detach(), expected, rtol=1e-10, atol=1e-12 * size, "
        'msg=lambda text: f"{name}: {text}")'),
        "    return expected.numel()",
    ]  # fmt: skip


def _given(lesson: Lesson) -> list[str]:
    lines = given(
        lesson, "torch.tensor({})", "torch.tensor({}, requires_grad=True)", "torch.tensor({})"
    )
    trace = lesson.trace
    lines += [*knobs(trace, {"t"}), *varying(trace, "torch", memory=lesson.iteration > 1)]
    if trace.network.rule.schedule:
        lines.append(f"t = torch.tensor({exact(lesson.iteration)})  # the number of the iteration")
    return lines if trace.statistics else [*lines, *_followed(lesson)]


def _followed(lesson: Lesson) -> list[str]:
    """Lines that let autograd go back to the inputs, where it has to."""
    lines: list[str] = []
    first = lesson.trace.network.layer(1)
    if lesson.input_gradients:
        lines += [
            "",
            "x.requires_grad_()  # the loss is differentiated with respect to the inputs as well",
        ]
    elif not (first.train_weights or first.learns_biases):
        lines += [
            "",
            (
                "x.requires_grad_()  # nothing learns in layer 1; "
                "with this the error signals reach it all the same"
            ),
        ]
    return lines


def _tensors(found: Sequence[Result]) -> list[str]:
    return [result.name for result in found if result.stage.phase == "forward"]


def _rules(trace: Trace, found: Sequence[Result]) -> list[str]:
    """The forward pass and the loss as functions: both are needed twice."""
    dialect = Torch()
    made = [result for result in found if result.stage.phase == "forward"]
    trees = [formula(trace, result.stage) for result in made]
    lines = [
        assigned(result.name, dialect.write(tree)) for result, tree in zip(made, trees, strict=True)
    ]
    answer = answered(result.name for result in made)
    forward = defined(
        "forward",
        ["x", *masks(trace)],
        [*lines, answer],
        "The pre-activations and activations of every layer.",
    )
    rules = [*activation_functions(trees, dialect), forward]
    if any(result.stage.kind == "loss" for result in found):
        rules.append(loss_function(trace, dialect, bool(trace.fused_layer)))
    return "\n\n\n".join(map(source, rules)).split("\n")


def masks(trace: Trace) -> list[str]:
    """The names of the masks of dropout."""
    return [python_name(*name) for name in trace.program.given if KINDS[name[0]].role == "mask"]


def _scale(lesson: Lesson, trace: Trace, found: Sequence[Result]) -> list[str]:
    """What the inputs are scaled with, and the inputs."""
    made = [result for result in found if result.stage.phase == SCALE]
    lines = [
        source(assigned(result.name, Torch().write(formula(trace, result.stage))))
        for result in made
    ]
    return [*lines, *_shows(trace, found, SCALE), *_followed(lesson)] if lines else []


def _shows(trace: Trace, found: Sequence[Result], phase: str) -> list[str]:
    chosen = [result for result in found if result.stage.phase == phase]
    return [_show(trace, result) for result in chosen]


def _show(trace: Trace, result: Result) -> str:
    where = python(trace, result)
    name = result.name if "[" in where else where
    return f'show("{name}", {where}, "{result.words}")'


def _forward(trace: Trace, found: Sequence[Result]) -> list[str]:
    names = _tensors(found)
    return (
        [
            f"{_unpacked(names)} = forward({', '.join(['x', *masks(trace)])})",
            *_shows(trace, found, FORWARD),
        ]
        if names
        else []
    )


def _unpacked(names: Sequence[str]) -> str:
    return ", ".join(names) + "," * (len(names) == 1)


def _loss(trace: Trace, found: Sequence[Result], mark: str = "") -> list[str]:
    stages = [
        result.stage
        for result in found
        if result.stage.phase == (VERIFY if mark else LOSS)
        and not (KINDS[result.stage.kind].axes or result.name == "drop")
    ]
    names = (python_name(s.kind + "@" * s.per_sample, s.layer) for s in stages)
    lines = [
        f"{name} = {_of_loss(trace, stage, mark)}"
        for name, stage in zip(names, stages, strict=True)
    ]
    return [*lines, *([] if mark else _shows(trace, found, LOSS))]


def _of_loss(trace: Trace, stage: Stage, mark: str) -> str:
    """The loss or a part of it; afterwards the parameters have the same names as before."""
    if is_loss(trace, stage):
        return loss_call(trace, stage, loss_argument(trace, bool(trace.fused_layer)))
    return part_of_loss(trace, (KINDS[stage.kind].base, stage.layer), mark)


def part_of_loss(trace: Trace, part: Name, mark: str = "") -> str:
    """The loss as a sum, its penalty, or the length of all weights: where that is 0, PyTorch's own
    has a derivative.
    """
    kind, layer = part
    if kind == LENGTH.kind and layer:
        return f"W{layer}.norm()"
    if kind == LENGTH.kind:
        weights = (f"W{n}.flatten()" for n in range(1, trace.network.depth + 1))
        return f"torch.cat([{', '.join(weights)}]).norm()"
    parts = [ArrayRef(q.kind, q.layer) for q in loss_numbers(trace.network)]
    names: dict[Node, str] = {p: python_name(marked(p.kind, mark), p.layer) for p in parts}
    return source(Torch().having(names).write(trace.program.by_name[part].tree))


def _backward(trace: Trace, found: Sequence[Result]) -> list[str]:
    lines = [
        f"for tensor in ({', '.join(_tensors(found))}):",
        (
            "    tensor.retain_grad()  # autograd keeps the gradients of parameters; "
            "these are the ones in between"
        ),
    ]
    learned = [
        python_name(KINDS[result.stage.kind].by, result.stage.layer)
        for result in found
        if result.stage.phase == BACKWARD and KINDS[result.stage.kind].parameter
    ]
    lines.append(f"{'data_loss' if trace.network.rule.penalty else 'loss'}.backward()")
    if changed(trace) and learned:
        lines.append("# The gradients of the data, before the update changes them")
        lines += [f"dL_d{name} = {name}.grad.clone()" for name in learned]
    return [*lines, *_shows(trace, found, BACKWARD)]


def _update(trace: Trace, found: Sequence[Result]) -> list[str]:
    made = [result for result in found if result.stage.phase == UPDATE]
    rule = trace.network.rule
    names = [python(trace, result) for result in made if KINDS[result.stage.kind].before][::-1]
    lines = [
        f"lr = {source(Torch().write(formula(trace, result.stage)))}"
        for result in made
        if result.name == "lr"
    ]
    if not names:
        lines.append("# Nothing learns here: every parameter is frozen.")
        return [*lines, *_shows(trace, found, UPDATE)]
    if changed(trace):
        lines.append(f"parameters = [{', '.join(names)}]")
    lines += _penalised(rule, [name for name in names if name[0] == "W"])
    lines += clipped(rule)
    of = "parameters" if changed(trace) else f"[{', '.join(names)}]"
    lines.append(optimizer(rule, of, "lr.item()" if rule.schedule else "eta"))
    lines += _memory(trace, names)
    lines.append("optimizer.step()  # changes the parameters in place")
    return [*lines, *_shows(trace, found, UPDATE)]


def _penalised(rule: UpdateRule, weights: Sequence[str]) -> Iterator[str]:
    """The derivative of the penalty, and what it adds to the gradient."""
    if not rule.penalty or not weights:
        return
    found = _unpacked([f"dR_d{name}" for name in weights])
    yield f"{found} = torch.autograd.grad(penalty, [{', '.join(weights)}])"
    yield "# (data_loss + penalty).backward() adds them up at once"
    yield from (f"{name}.grad += dR_d{name}" for name in weights)


def clipped(rule: UpdateRule) -> list[str]:
    """Lines that clip the gradients of `parameters`."""
    if rule.clip == "value":
        return ["torch.nn.utils.clip_grad_value_(parameters, clip)"]
    if not rule.clip:
        return []
    return [
        "gnorm = torch.cat([tensor.grad.flatten() for tensor in parameters]).norm()",
        "# torch.nn.utils.clip_grad_norm_ does the same, but divides by gnorm + 1e-6",
        "if gnorm > clip:",
        "    for tensor in parameters:",
        "        tensor.grad *= clip / gnorm",
    ]


def optimizer(rule: UpdateRule, of: str, rate: str) -> str:
    """The line that makes an optimizer."""
    how = rule.how
    more = f", {how.arguments}" if how.arguments else ""
    return f"optimizer = torch.optim.{how.torch}({of}, lr={rate}{more})"


def _memory(trace: Trace, names: Sequence[str]) -> Iterator[str]:
    """What an optimizer has to know of the iterations before."""
    rule, t = trace.network.rule, trace.knobs.get("t", 1.0)
    if t == 1 or not rule.how.slots:
        return
    yield "# What it remembers is that of the iteration before"
    step = [] if rule.how.torch == "SGD" else [f"step=torch.tensor({exact(t - 1)})"]
    for name in names:
        kept = (f"{slot}={kind}_before_{name}" for kind, slot in rule.how.slots.items())
        yield f"optimizer.state[{name}].update({', '.join([*step, *kept])})"


def _verify(trace: Trace, found: Sequence[Result]) -> list[str]:
    names = [
        "_" if result.stage.kind in NOT_AGAIN else f"{result.name}_new"
        for result in found
        if result.stage.phase == FORWARD
    ]
    call = f"forward({', '.join(['x', *['1.0'] * len(masks(trace))])})"
    dropped = "  # now nothing is dropped" * bool(masks(trace))
    body = [f"{', '.join(names)} = {call}{dropped}", *_loss(trace, found, "_new")]
    return [
        "with torch.no_grad():",
        *(f"    {line}" for line in body),
        "drop = loss - loss_new",
        *_shows(trace, found, VERIFY),
    ]
