"""The table of kinds agrees with itself, and with the names that stand in files and addresses."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tutor.engine.kinds import (
    AFTER,
    BACKWARD,
    GIVEN,
    GRADIENT,
    KINDS,
    PHASES,
    UPDATE,
    VERIFY,
    Kind,
    marked,
)
from tutor.engine.quantity import Quantity, example, parse
from tutor.errors import QuantityError

EACH = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


@EACH
def test_what_starts_again_from_another_kind_has_its_axes_and_its_role(kind: Kind) -> None:
    if not kind.before:
        between = kind.role in {"rate", "gradient", "memory"} and kind.phase == UPDATE
        assert kind.phase not in {UPDATE, VERIFY} or "-" in kind.name or between
        return
    old = KINDS[kind.before]
    assert (kind.axes, kind.role, kind.shared, kind.layered) == (
        old.axes,
        old.role,
        old.shared,
        old.layered,
    )
    assert kind.phase == (UPDATE if kind.parameter else VERIFY)
    assert AFTER[old.name] == kind.name == old.name + "+" == marked(old.name, "+")
    assert marked(old.name, "") == old.name


@EACH
def test_a_derivative_of_the_loss_has_the_axes_of_what_it_is_by(kind: Kind) -> None:
    if kind.derivative:
        assert kind.phase == BACKWARD
        assert kind.axes == KINDS[kind.by].axes
        assert GRADIENT[kind.by] == kind.name == f"dL/d{kind.by}"


@EACH
def test_a_kind_is_of_data_or_of_parameters_or_a_single_number(kind: Kind) -> None:
    assert kind.per_sample + kind.parameter + kind.feature + (not kind.axes) == 1
    assert kind.parameter == (kind.weights or kind.biases)
    assert (
        kind.indices
        == {
            (): 0,
            ("sample", "unit"): 1,
            ("unit",): 1,
            ("feature",): 1,
            ("unit", "input"): 2,
        }[kind.axes]
    )
    assert kind.words[0].islower()


def test_every_phase_has_its_kinds_and_every_kind_its_phase() -> None:
    phases = (GIVEN, *PHASES)
    assert [kind for phase in phases for kind in KINDS.values() if kind.phase == phase] == list(
        KINDS.values()
    )
    given = [kind for kind in KINDS.values() if kind.given]
    assert {kind.name for kind in given if not (kind.role == "knob" or kind.earlier)} == {
        "x", "y", "raw", "train", "w", "b", "eta", "mask",
    }  # fmt: skip


@EACH
def test_the_name_of_a_kind_has_as_many_indices_as_its_array_has_axes_beside_the_samples(
    kind: Kind,
) -> None:
    q = parse(example(kind.name))
    assert (bool(q.layer), bool(q.i) + bool(q.j)) == (kind.layered, kind.indices)
    assert q.of is kind
    if kind.names_samples:
        assert parse(f"{q}@3") == Quantity(q.kind, q.layer, q.i, q.j, 3)
    else:
        with pytest.raises(QuantityError):
            parse(f"{q}@3")


def test_the_derivative_by_an_input_is_the_only_name_with_a_layer_0() -> None:
    assert parse("dL/da[0][2]@3") == Quantity("dL/da", 0, 2, 0, 3)
    assert str(parse("dL/da[0][2]@3")) == "dL/da[0][2]@3"
    for kind in KINDS.values():
        name = str(Quantity(kind.name, 7, 1, 1 if kind.weights else 0)).replace("[7]", "[0]")
        if kind.layered and kind.name != "dL/da":
            with pytest.raises(QuantityError):
                parse(name)


# ---- who decides by names ----

TABLE = {
    "z",
    "a",
    "z+",
    "a+",
    "w+",
    "b+",
    "dL/da",
    "dL/dz",
    "dL/dw",
    "dL/db",
    "da/dz",
    "loss",
    "loss+",
    "loss-loss+",
    "eta",
}
"""Names of kinds that no other text has by chance (but for the letters, of which one alone is no
decision).
"""
HOME = Path(__file__).parents[1] / "tutor"


def deciding(path: Path) -> list[str]:
    """The functions of a module that mention two or more kinds by name."""
    functions = (
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    )
    return [f"{path.stem}.{node.name}" for node in functions if len(literals(node) & TABLE) > 1]


def literals(node: ast.AST) -> set[str]:
    return {
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    }


def test_outside_the_engine_nobody_decides_by_the_names_of_kinds() -> None:
    others = [
        path
        for path in HOME.rglob("*.py")
        if path.parent.name != "engine" and path.name != "conventions.py"
    ]
    assert [name for path in sorted(others) for name in deciding(path)] == []


def test_a_function_that_decides_by_names_would_be_seen(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text('def role(kind):\n    return kind in {"dL/dw", "w+"}\n', encoding="utf-8")
    assert deciding(module) == ["module.role"]
