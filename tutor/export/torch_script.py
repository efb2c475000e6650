"""A lesson as a PyTorch script: the same numbers, found by automatic differentiation.

    torch_script(lesson) -> str

Weights and biases are tensors that learn, the forward pass is written out, and everything backward
is one call: `loss.backward()`. Cross-entropies are taken on the pre-activations (logits), as
PyTorch wants them. What autograd does not keep, such as da/dz, is not compared; where a pass cannot
be finished, the script ends before it.
"""

from __future__ import annotations

from collections.abc import Sequence

from tutor.engine.code import answered, assigned, defined, source
from tutor.engine.dialects import Torch, python_name
from tutor.engine.kinds import KINDS, PHASES
from tutor.engine.trace import Trace
from tutor.export.arrays import Result, last_stage, results
from tutor.export.formulas_as_code import (
    activation_functions,
    formula,
    loss_argument,
    loss_function,
)
from tutor.export.numpy_script import ending, given, loss_call
from tutor.export.source_text import check_lines, comment, header
from tutor.lesson.explain import PHASE_ABOUT, PHASE_TITLES
from tutor.lesson.walk import Lesson

WHAT = (
    "A lesson of the backpropagation tutor in PyTorch: autograd finds the same numbers, "
    "and they are checked."
)


def torch_script(lesson: Lesson) -> str:
    """The whole script; the same lesson gives the same text."""
    trace = lesson.trace
    done = _done(lesson)
    found = [result for result in results(lesson) if _kept(trace, result, done)]
    lines = ["", "", *_given(lesson), "", "", *_rules(trace, found)]
    for phase in PHASES:
        body = {
            "forward": _forward,
            "loss": _loss,
            "backward": _backward,
            "update": _update,
            "verify": _verify,
        }[phase](trace, found)
        if phase in done or (phase == "forward" and body):
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
    return "\n".join([*lines, "", "", *check_lines(lesson, found, python)]) + "\n"


def _done(lesson: Lesson) -> tuple[str, ...]:
    """The phases that can be finished."""
    last = last_stage(lesson)
    return PHASES if last is None else PHASES[: PHASES.index(last.phase)]


def _kept(trace: Trace, result: Result, done: Sequence[str]) -> bool:
    """Whether autograd gives this array: no slopes, no dL/da of a loss that is taken on logits."""
    stage, kind = result.stage, KINDS[result.stage.kind]
    if kind.role == "slope" or (kind.by == "a" and 0 < stage.layer == trace.fused_layer):
        return False
    return stage.phase in done or stage.phase == "forward"


def python(result: Result) -> str:
    """Where the script has an array: gradients belong to their tensor, an updated parameter is the
    parameter itself.
    """
    kind, n = result.stage.kind, result.stage.layer
    if KINDS[kind].derivative:
        return f"{'x' if not n else python_name(KINDS[kind].by, n)}.grad"
    return python_name(KINDS[kind].before, n) if result.stage.phase == "update" else result.name


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
        "forward", ["x"], [*lines, answer], "The pre-activations and activations of every layer."
    )
    rules = [*activation_functions(trees, dialect), forward]
    if any(result.stage.kind == "loss" for result in found):
        rules.append(loss_function(trace, dialect, bool(trace.fused_layer)))
    return "\n\n\n".join(map(source, rules)).split("\n")


def _shows(found: Sequence[Result], phase: str) -> list[str]:
    chosen = [result for result in found if result.stage.phase == phase]
    return [f'show("{python(result)}", {python(result)}, "{result.words}")' for result in chosen]


def _forward(trace: Trace, found: Sequence[Result]) -> list[str]:
    names = _tensors(found)
    return (
        [
            f"{', '.join(names)}{',' if len(names) == 1 else ''} = forward(x)",
            *_shows(found, "forward"),
        ]
        if names
        else []
    )


def _loss(trace: Trace, found: Sequence[Result], mark: str = "") -> list[str]:
    argument = loss_argument(trace, bool(trace.fused_layer))
    stages = [
        result.stage
        for result in found
        if result.stage.phase == ("verify" if mark else "loss") and KINDS[result.stage.kind].shared
    ]
    lines = [
        f"{python_name(stage.kind + '@' * stage.per_sample)} = {loss_call(trace, stage, argument)}"
        for stage in stages
    ]
    return [*lines, *([] if mark else _shows(found, "loss"))]


def _backward(trace: Trace, found: Sequence[Result]) -> list[str]:
    return [
        f"for tensor in ({', '.join(_tensors(found))}):",
        (
            "    tensor.retain_grad()  # autograd keeps the gradients of parameters; "
            "these are the ones in between"
        ),
        "loss.backward()",
        *_shows(found, "backward"),
    ]


def _update(trace: Trace, found: Sequence[Result]) -> list[str]:
    names = [python(result) for result in found if result.stage.phase == "update"]
    if not names:
        return ["# Nothing learns here: every parameter is frozen."]
    return [
        f"optimizer = torch.optim.SGD([{', '.join(reversed(names))}], lr=eta)",
        "optimizer.step()  # changes the parameters in place",
        *_shows(found, "update"),
    ]


def _verify(trace: Trace, found: Sequence[Result]) -> list[str]:
    names = [f"{name}_new" for name in _tensors(found)]
    body = [f"{', '.join(names)} = forward(x)", *_loss(trace, found, "_new")]
    return [
        "with torch.no_grad():",
        *(f"    {line}" for line in body),
        "drop = loss - loss_new",
        *_shows(found, "verify"),
    ]
