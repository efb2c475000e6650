"""Files of graph lessons: every problem at once, at its line; written and read back; the lessons of
scenarios/graphs and scenarios/operations test themselves.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tutor import limits
from tutor.cli.main import main
from tutor.lesson.opening import length, opened
from tutor.lesson.validation import check, check_text, summary
from tutor.scenario import dump, reader
from tutor.scenario.problem import ScenarioError
from tutor.scenario.reader import GraphScenario

FOLDERS = [Path(__file__).parents[1] / "scenarios" / name for name in ("graphs", "operations")]
FILES = [file for folder in FOLDERS for file in sorted(folder.glob("*.yaml"))]
FILE = """\
format: 1
title: A formula
graph:
  expression: (y - sigmoid(q))**2
  names: {q: w0 + w1*x1 + w2*x2}
  values: {w0: -3, w1: 2, w2: -3, x1: -1, x2: -2, y: 1/2}
  differentiate: [w0, w1, w2]
"""


def problems(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as error:
        reader.parse(text, "f.yaml")
    return [str(problem) for problem in error.value.problems]


def test_there_are_lessons() -> None:
    assert {len(list(folder.glob("*.yaml"))) >= 6 for folder in FOLDERS} == {True}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_lesson_of_the_folder_is_valid_and_agrees_with_its_closed_forms(file: Path) -> None:
    lesson = check(str(file))
    assert lesson.stop is None
    assert lesson.scenario.checks
    assert "graph of" in summary(lesson)
    found = length(lesson.scenario)
    assert found is not None
    assert found.steps == len(lesson.walk("number"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_lesson_is_written_and_read_back(file: Path) -> None:
    found = reader.load(file)
    text = dump.write(found)
    again = reader.parse(text, found.where)
    assert isinstance(again, GraphScenario)
    assert dump.write(again) == text
    assert (again.graph, again.notes, again.checks) == (found.graph, found.notes, found.checks)  # type: ignore[attr-defined]


def test_arrays_are_values_too_and_are_written_back() -> None:
    text = FILE.replace("expression: (y - sigmoid(q))**2", "expression: sum(M*q) + sum(v*y)")
    text = text.replace("y: 1/2", "y: 1/2, M: [[1, 2], [3, 4]], v: [1, 1/4]")
    found = reader.parse(text, "f.yaml")
    assert isinstance(found, GraphScenario)
    assert found.graph.values["v"] == (1.0, 0.25)
    assert reader.parse(dump.write(found), "f.yaml").graph == found.graph  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("w2*x2", "w2*x3", "5: graph.names.q: at character 17: x3 has no value; give it one"),
        ("(y - ", "(y - + ", "4: graph.expression: at character 6: a name, a number or ("),
        ("y: 1/2", "y: 1/2, z: 3", "graph.values.z: z is not used in the formula"),
        ("y: 1/2", "y: true", "graph.values.y: expected a number, got true"),
        ("y: 1/2", "y: [1, [2]]", "rows of the same length"),
        ("y: 1/2", "y: []", "is empty; write a number"),
        ("y: 1/2", "y: ten", "'ten' is not a number"),
        ("w2]", "w9]", "graph.differentiate[2]: w9 is not a value"),
        ("w2]", "w1]", "w1 is there twice"),
        ("differentiate", "result: q\n  differentiate", "the result is called q"),
        ("differentiate", "result: 2f\n  differentiate", "graph.result: a name is a letter"),
        ("{q: w0", "{exp: x1, q: w0", "exp is a function"),
        ("title", "network: {}\ntitle", "graph: takes the place of network and data"),
        ("title", "data: {}\ntitle", "data: graph takes the place of network, data and training"),
        ("graph:", "notes: [{at: df/dx9, text: hm}]\ngraph:", "no df/dx9 in this graph"),
        ("graph:", "checks: [{quantity: f, equals: '{zz}'}]\ngraph:", "no zz in this graph"),
        (
            "graph:",
            "printed: [{value: '6', where: slide 2}]\ngraph:",
            "printed[0]: expected either a quantity or an expression",
        ),
        (
            "graph:",
            "printed: [{value: '6', expression: '{y}', where: slide 2}]\ngraph:",
            "printed[0].at: is missing; name the quantity",
        ),
        (
            "graph:",
            "printed: [{value: '6', quantity: f, slip: s, left_open: t, where: u}]\ngraph:",
            "printed[0].left_open: expected either a slip or left_open",
        ),
        ("values: {w0: -3", "values: {w0: [1, 2]", "a list of 2, but only a single number"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(old: str, new: str, words: str) -> None:
    found = problems(FILE.replace(old, new, 1))
    assert any(words in problem for problem in found), found


def test_all_problems_are_said_at_once() -> None:
    text = FILE.replace("w2*x2", "w2*x3").replace("sigmoid", "sigmod").replace("1/2", "ten")
    assert len(problems(text)) == 1  # the value first: without it nothing is known of the names
    text = FILE.replace("w2*x2", "w2*x3").replace("sigmoid", "sigmod")
    assert len(problems(text)) == 2


def test_a_graph_has_a_limit_of_nodes_and_numbers_that_the_message_names() -> None:
    chain = "*".join(["w0"] * (limits.GRAPH_NODES + 5))
    text = f"format: 1\ntitle: Long\ngraph:\n  expression: {chain}\n  values: {{w0: 1}}\n"
    assert any(f"the limit is {limits.GRAPH_NODES:,}" in problem for problem in problems(text))
    row = f"[{', '.join(['1'] * 2_000)}]"
    text = (
        f"format: 1\ntitle: Wide\ngraph:\n  expression: sum(v*v*v*v*v*v)\n  values: {{v: {row}}}\n"
    )
    assert any(f"the limit is {limits.GRAPH_NUMBERS:,}" in problem for problem in problems(text))


def test_a_closed_form_that_does_not_agree_is_a_problem_of_the_file() -> None:
    text = FILE + 'checks: [{quantity: df/dw0, equals: "{x1}"}]\n'
    with pytest.raises(ScenarioError, match="the engine has another number for df/dw0"):
        check_text(text, "f.yaml")


# ---- the command line ----


def test_the_commands_work_on_a_formula(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = str(FOLDERS[0] / "neuron-error.yaml")
    assert main(["steps", file, "--grain", "layer"]) == 0
    text = capsys.readouterr().out
    assert "Step 10 of 15 · backward · df/dq" in text
    assert "df/dq = df/dn_3·∂n_3/∂q" in text
    assert main(["trace", file]) == 0
    assert '"df/dw1": 0.1057' in capsys.readouterr().out
    assert main(["validate", file]) == 0
    assert "ok (graph of 12 nodes, 15 steps)" in capsys.readouterr().out
    assert main(["list", str(FOLDERS[0])]) == 0
    assert "neuron-error       graph  " in capsys.readouterr().out
    for kind in (
        "html", "interactive", "worksheet", "key", "class-set", "numpy", "torch", "notebook", "json", "csv", "latex",
    ):  # fmt: skip
        assert main(["export", file, "--to", kind, "-o", str(tmp_path)]) == 0
    assert len(list(tmp_path.iterdir())) == 11
    assert main(["export", file, "--to", "numpy-run", "-o", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "a formula has no training run in numpy; it can become html" in said
    assert main(["steps", file, "--iteration", "2"]) == 2
    assert "it has no iterations" in capsys.readouterr().err
    assert main(["steps", file, "--notation", "letters"]) == 2
    assert "a formula has no notation 'letters'; it has d, partial, bar" in capsys.readouterr().err


def test_a_walk_that_ends_early_says_why(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "stop.yaml"
    file.write_text(
        "format: 1\ntitle: Stop\ngraph:\n  expression: log(x)*y\n  values: {x: -1, y: 2}\n"
    )
    assert main(["steps", str(file)]) == 0
    assert "the logarithm of a negative number, −1, is not a real number" in capsys.readouterr().out
    assert main(["trace", str(file)]) == 0
    found = capsys.readouterr()
    assert '"stopped"' in found.out
    assert "NaN" not in found.out
    assert "n1: The walk ends at n1" in found.err


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_step_of_every_grain_is_opened_by_itself(file: Path) -> None:
    lesson = opened(reader.load(file))
    number = lesson.walk("number")
    for grain in ("number", "layer", "pass"):
        walk = lesson.walk(grain)
        assert [phase for phase, _, _ in walk.phases()] == ["forward", "backward"]
        for n in range(1, len(walk) + 1):
            step = walk.step(n)
            assert walk.step_of(step.anchor) == n
            there = lesson.same_place(step, "number")
            assert number.anchor(there) == step.anchor
