"""Scripts of lessons: run on their own they print and check the engine's numbers, whatever stands
in the titles.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import io
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle import needs_torch
from tests.strategies import extreme_problems, problems
from tutor.engine.activations import activation
from tutor.engine.losses import loss
from tutor.engine.network import Layer, Network, frozen
from tutor.engine.trace import run
from tutor.export.numpy_script import numpy_script
from tutor.export.torch_script import torch_script
from tutor.lesson.setup import Setup
from tutor.lesson.walk import Lesson, open_lesson
from tutor.scenario.reader import Scenario, load

ROOT = Path(__file__).parents[1]
ALL = sorted(path.stem for path in (ROOT / "scenarios").glob("*.yaml"))
WRITERS = [
    pytest.param(numpy_script, id="numpy"),
    pytest.param(torch_script, id="torch", marks=needs_torch),
]
HOSTILE = [
    "two\nlines", "a\rreturn", "\r\nimport os", "coding: utf-7", "-*- coding: rot13 -*-", 'a " quote', "an ' apostrophe", '"""', "'''",
    "\\", "back\\nslash", "*/ end",
    "</script><script>alert(1)</script>", "{x} %s %(y)s", "\x0bvertical\x0cfeed", "\x1c\x1d\x1e", "\x85next",
    "\u2028line\u2029paragraph", "\u202eright to left", "nul\x00", "\ud800 alone", "été 網絡 🎓", "# # -", "=1+1", "x" * 2000, "\ufeff",
    "$\\alpha$ `code` [a](javascript:b)",
]  # fmt: skip


@cache
def scenario(name: str) -> Scenario:
    return load(ROOT / "scenarios" / f"{name}.yaml")


@cache
def lesson(name: str, iteration: int = 1) -> Lesson:
    return open_lesson(scenario(name), iteration)


def lesson_of(problem: Setup) -> Lesson:
    """A lesson about any network; the texts are those of the first scenario."""
    return Lesson(
        scenario("1-2-3-1-sigmoid"), run(problem.network, problem.x, problem.y, problem.eta), 1
    )


def outcome(script: str, tmp_path: Path) -> str:
    """What a script prints in a process of its own, where every warning is an error."""
    file = tmp_path / "script.py"
    file.write_text(script, encoding="utf-8")
    command = [sys.executable, "-W", "error", "-I", "-X", "utf8=0", str(file)]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def performed(script: str) -> tuple[dict[str, Any], str]:
    """The names that a script leaves behind, and what it prints, in this process."""
    names: dict[str, Any] = {}
    said = io.StringIO()
    with contextlib.redirect_stdout(said), np.errstate():
        exec(compile(script, "script.py", "exec"), names)  # noqa: S102
    return names, said.getvalue()


def of_engine(of: Lesson, name: str) -> Any:
    """The engine's array behind a name of a script."""
    trace = of.trace
    if name in {"loss", "loss_new", "drop", "losses", "losses_new"}:
        one = {"loss": trace.loss, "loss_new": trace.loss_new, "drop": trace.loss - trace.loss_new}
        return (
            one[name]
            if name in one
            else trace.sample_losses("loss+" if name.endswith("new") else "loss")
        )
    match = re.fullmatch(r"(z|a|W|b|dL_da|da_dz|dL_dz|dL_dW|dL_db)(\d+)(_new)?", name)
    assert match, name
    kind, layer = match[1], int(match[2])
    if kind == "da_dz" and ("da/dz", layer) not in trace:
        return np.stack([trace.jacobian(layer, row) for row in range(trace.samples)])
    return trace.array(
        kind.replace("_", "/").replace("W", "w") + "+" * (match[3] is not None), layer
    )


def plain_name(shown: str) -> str:
    """The name of a tensor in the words of the NumPy script: its gradient, or a parameter after the
    step.
    """
    if shown.endswith(".grad"):
        return f"dL_d{shown.removesuffix('.grad')}"
    return f"{shown}_new" if re.fullmatch(r"[Wb]\d+", shown) else shown


BLOCK = re.compile(
    r"^(?P<name>[\w.]+): (?P<words>[^\n]+)\n(?P<array>(?:tensor|\[| |-?\d).*?)(?=^[\w.]+: |^all )",
    re.MULTILINE | re.DOTALL,
)


def printed(text: str) -> dict[str, list[float]]:
    """The numbers that stand under each name."""
    numbers = r"-?\d+\.?\d*(?:e[-+]?\d+)?"
    return {
        match["name"]: [float(n) for n in re.findall(numbers, match["array"])]
        for match in BLOCK.finditer(text)
    }


def assert_prints_the_engine(of: Lesson, text: str, tensors: bool) -> None:
    blocks = printed(text)
    assert len(blocks) >= 3
    for shown, numbers in blocks.items():
        expected = np.ravel(of_engine(of, plain_name(shown) if tensors else shown))
        assert len(numbers) == expected.size, shown
        np.testing.assert_allclose(
            numbers,
            expected,
            rtol=1e-3,
            atol=0.51 * 10.0**-of.scenario.display.decimals,
            err_msg=shown,
        )


# ---- every scenario ----


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("name", ALL)
def test_the_script_of_every_lesson_prints_and_checks_the_numbers_of_the_engine(
    write: Any, name: str, tmp_path: Path
) -> None:
    text = outcome(write(lesson(name)), tmp_path)
    assert re.search(r"^all [1-9]\d* numbers agree\n\Z", text, re.MULTILINE)
    assert_prints_the_engine(lesson(name), text, write is torch_script)


@pytest.mark.parametrize("name", ALL)
def test_a_lesson_of_one_sample_checks_as_many_numbers_as_its_walk_has_steps(name: str) -> None:
    of = lesson(name)
    steps = len(of.walk("number")) - (of.trace.stop is not None)
    _, said = performed(numpy_script(of))
    if of.trace.samples == 1:
        assert said.endswith(f"all {steps} numbers agree\n")


@pytest.mark.parametrize("write", WRITERS)
def test_a_later_iteration_starts_from_its_own_weights(write: Any, tmp_path: Path) -> None:
    of = lesson("3-2-3-softmax", 3)
    script = write(of)
    assert "# Iteration 3\n" in script
    assert "at the start of iteration 3" in script
    assert repr(float(of.trace["w", 1][0, 0])) in script
    assert_prints_the_engine(of, outcome(script, tmp_path), write is torch_script)


@pytest.mark.parametrize("write", [numpy_script, torch_script])
@pytest.mark.parametrize("name", ALL)
def test_the_same_lesson_gives_the_same_script(write: Any, name: str) -> None:
    assert write(lesson(name)) == write(open_lesson(load(ROOT / "scenarios" / f"{name}.yaml")))


@pytest.mark.parametrize("name", ALL)
def test_a_numpy_script_needs_numpy_alone_and_is_easy_to_read(name: str) -> None:
    script = numpy_script(lesson(name))
    imports = [
        node
        for node in ast.walk(ast.parse(script))
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert [ast.unparse(node) for node in imports] == ["import numpy as np"]
    assert max(map(len, script.splitlines())) <= 130
    assert script.endswith(")\n")
    assert not re.search(r"[ \t]$|\n{4}", script, re.MULTILINE)
    functions = {
        node.name for node in ast.walk(ast.parse(script)) if isinstance(node, ast.FunctionDef)
    }
    rules = {layer.activation.name for layer in lesson(name).trace.network.layers} | {
        lesson(name).trace.network.loss.name
    }
    assert functions - {"show", "check"} <= rules


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("write", WRITERS)
def test_the_loss_of_the_batch_is_a_line_of_its_own_over_the_losses_of_the_samples(
    write: Any, reduction: str
) -> None:
    network = Network(
        (Layer(frozen([[0.5]]), None, activation("sigmoid")),),
        loss("binary_cross_entropy"),
        reduction,
    )
    of = lesson_of(
        Setup(network, frozen([[1.0], [2.0], [3.0]]), frozen([[0.0], [1.0], [1.0]]), 0.5)
    )
    lines = [line.strip() for line in write(of).splitlines()]
    for mark in ("", "_new"):
        (own,) = (n for n, line in enumerate(lines) if line.startswith(f"losses{mark} = "))
        assert " / " not in lines[own]
        assert f"loss{mark} = losses{mark}.{reduction}()" in lines[own + 1 : own + 3]
    names, said = performed(write(of))
    losses = names["losses"]
    assert np.asarray(losses.detach() if write is torch_script else losses) == pytest.approx(
        of.trace.sample_losses("loss"), rel=1e-12
    )
    assert said.endswith("numbers agree\n")


def test_the_number_of_samples_comes_in_where_the_mean_is_derived_and_is_explained_there() -> None:
    lines = numpy_script(lesson("linear-regression")).splitlines()
    first = lines.index("M = len(x)")
    assert "mean over the M samples" in lines[first - 1]
    assert lines[first + 1].startswith("dL_da1 = ")
    assert not any(" / M" in line for line in lines[:first])
    assert not any(
        "M = " in line or " / M" in line
        for line in torch_script(lesson("linear-regression")).splitlines()
    )


def test_the_script_says_where_a_fitting_output_and_loss_shorten_the_way() -> None:
    script = numpy_script(lesson("1-2-3-1-sigmoid"))
    assert "dL_dz3 = a3 - y\n" in script
    assert "Sigmoid and cross-entropy simplify together" in script
    assert "dL_dz1 = dL_da1 * da_dz1\n" in script
    assert "fit together" not in numpy_script(lesson("linear-sigmoid"))


@pytest.mark.parametrize("write", [numpy_script, torch_script])
def test_behind_a_step_function_the_script_says_why_it_ends(write: Any) -> None:
    script = write(lesson("perceptron-step"))
    assert "# The backward pass ends here. The step function is flat" in script
    assert "W1_new" not in script


# ---- texts ----


def code_of(script: str) -> str:
    return ast.dump(ast.parse(script.encode("utf-8")))


@pytest.mark.parametrize("write", [numpy_script, torch_script])
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]))
def test_no_text_breaks_out_of_its_comment(write: Any, text: str) -> None:
    of = lesson("linear-regression")
    plain = write(of)
    hostile = write(replace(of, scenario=replace(of.scenario, title=text, course=text, about=text)))
    assert code_of(hostile) == code_of(plain)
    compile(hostile.encode("utf-8"), "script.py", "exec")
    assert all(character.isprintable() or character == "\n" for character in hostile)


@given(st.text(max_size=60), st.text(max_size=300), st.sampled_from([numpy_script, torch_script]))
@settings(max_examples=60)
def test_no_text_at_all_changes_the_code(title: str, about: str, write: Any) -> None:
    of = lesson("perceptron-step")
    assert code_of(
        write(replace(of, scenario=replace(of.scenario, title=title, about=about)))
    ) == code_of(write(of))


def test_a_title_in_any_script_can_be_read_in_the_comment() -> None:
    of = lesson("perceptron-step")
    assert "# Été 網絡 🎓 </script>\n" in numpy_script(
        replace(of, scenario=replace(of.scenario, title="Été 網絡\n🎓 </script>"))
    )


# ---- any network ----


def assert_computes(of: Lesson, names: dict[str, Any]) -> None:
    """Every name that the script leaves behind is the engine's array, to the digits that rounding
    leaves.
    """
    found = {
        name: value
        for name, value in names.items()
        if re.fullmatch(r"(z|a|dL_d[azWb]|da_dz)\d+|[zaWb]\d+_new|loss\w*|drop", name)
    }
    for name, value in found.items():
        expected = np.asarray(of_engine(of, name))
        assert np.shape(value) == expected.shape, name
        largest = of.trace.loss if name == "drop" else float(np.abs(expected).max())
        np.testing.assert_allclose(value, expected, rtol=1e-9, atol=1e-9 * largest, err_msg=name)


@given(problems())
@settings(max_examples=60)
def test_the_numpy_script_of_any_network_agrees(problem: Setup) -> None:
    of = lesson_of(problem)
    names, said = performed(numpy_script(of))
    assert said.endswith("numbers agree\n")
    assert "drop" in names
    assert_computes(of, names)


@given(extreme_problems())
@settings(max_examples=80)
def test_at_the_edges_of_float64_the_numpy_script_ends_where_the_lesson_does(
    problem: Setup,
) -> None:
    of = lesson_of(problem)
    script = numpy_script(of)
    names, said = performed(script)
    assert said.endswith("numbers agree\n")
    assert ("drop" in names) == (of.walk("layer").stop is None or "ends here" not in script)
    if of.trace.stop is None:
        assert "drop" in names


@needs_torch
@given(problems())
@settings(max_examples=30)
def test_the_torch_script_of_any_network_agrees(problem: Setup) -> None:
    of = lesson_of(problem)
    try:
        _, said = performed(torch_script(of))
    finally:
        importlib.import_module("torch").set_default_dtype(importlib.import_module("torch").float32)
    assert said.endswith("numbers agree\n")


@pytest.mark.parametrize("name", ALL)
def test_a_computer_that_rounds_differently_still_agrees(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    nudge(monkeypatch)
    assert performed(numpy_script(lesson(name)))[1].endswith("numbers agree\n")


@given(st.data())
@settings(max_examples=30)
def test_any_network_still_agrees_where_the_last_digit_differs(data: st.DataObject) -> None:
    script = numpy_script(lesson_of(data.draw(problems())))
    with pytest.MonkeyPatch.context() as patch:
        nudge(patch)
        assert performed(script)[1].endswith("numbers agree\n")


def nudge(patch: pytest.MonkeyPatch) -> None:
    """Let NumPy's functions be wrong by one in the last digit, each in its own direction; 0 and 1
    stay exact, as everywhere.
    """

    def off(real: Any, towards: float, *z: Any) -> Any:
        value = real(*z)
        return np.where((value == 0) | (value == 1), value, np.nextafter(value, towards))

    for name, towards in (
        ("exp", np.inf),
        ("tanh", -np.inf),
        ("log", np.inf),
        ("expm1", -np.inf),
        ("logaddexp", np.inf),
    ):
        patch.setattr(np, name, partial(off, getattr(np, name), towards))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("eta = 0.1 ", "eta = 0.1000000001 "),
        ("a3 - y", "a3 - y * 1.000000001"),
        ("[[2.0]]", "[[2.00000001]]"),
    ],
)
def test_a_wrong_number_or_rule_is_found(old: str, new: str) -> None:
    script = numpy_script(lesson("1-2-3-1-sigmoid"))
    assert old in script
    with pytest.raises(AssertionError):
        performed(script.replace(old, new))


def test_a_small_error_in_a_vanishing_gradient_is_found() -> None:
    script = numpy_script(lesson("vanishing-gradient"))
    assert script.count("dL_dz1 = dL_da1 * da_dz1\n") == 1
    with pytest.raises(AssertionError):
        performed(
            script.replace("dL_dz1 = dL_da1 * da_dz1\n", "dL_dz1 = dL_da1 * da_dz1 * (1 + 1e-9)\n")
        )


def test_what_is_frozen_stays_and_is_said_to(tmp_path: Path) -> None:
    layers = (
        Layer(
            frozen([[0.5, -0.25]]),
            frozen([0.1]),
            activation("tanh"),
            train_weights=False,
            train_biases=False,
        ),
        Layer(frozen([[0.75], [0.5]]), None, activation("softmax")),
    )
    network = Network(layers, loss("half_squared_error"), "sum")
    of = lesson_of(
        Setup(network, frozen([[1.0, 2.0], [0.5, -1.0]]), frozen([[1.0, 0.0], [0.0, 1.0]]), 0.5)
    )
    script = numpy_script(of)
    assert "# W1, b1: frozen, so the update leaves them as they are\n" in script
    assert "z1_new = x @ W1.T + b1\n" in script
    assert "W1_new" not in script
    assert_prints_the_engine(of, outcome(script, tmp_path), tensors=False)


def big(units: int = 50) -> Lesson:
    random = np.random.default_rng(3)
    layers = tuple(
        Layer(
            frozen(random.normal(0, 0.2, (n, m))), frozen(random.normal(0, 0.2, n)), activation(f)
        )
        for m, n, f in ((40, units, "relu"), (units, 12, "sigmoid"), (12, 10, "softmax"))
    )
    x, y = random.random((30, 40)), np.eye(10)[np.arange(30) % 10]
    return lesson_of(
        Setup(Network(layers, loss("cross_entropy"), "mean"), frozen(x), frozen(y), 0.5)
    )


@pytest.mark.parametrize("write", WRITERS)
def test_a_large_network_is_written_in_full_and_checked_in_places(
    write: Any, tmp_path: Path
) -> None:
    of = big()
    script = write(of)
    assert "# This network is large" in script
    assert script.count(repr(float(of.trace["w", 1][17, 5]))) == 1
    assert 'numbers += check("W1_new[0, 0]", ' in script
    assert 'numbers += check("sum of |W1_new|", ' in script
    assert outcome(script, tmp_path).endswith("numbers agree\n")
    wrong = script.replace(repr(float(of.trace["w", 1][17, 5])), "0.3")
    with pytest.raises(AssertionError):
        outcome(wrong, tmp_path)
