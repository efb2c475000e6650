"""Skip connections and derivatives by the inputs: in files, settings, data, scripts and worksheets."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings

from app import create_app
from tests.oracle import needs_torch
from tests.strategies import problems
from tests.test_code_exports import lesson_of, performed
from tutor.cli.main import main
from tutor.engine.activations import NAMES, activation
from tutor.engine.losses import NAMES as LOSSES
from tutor.engine.losses import loss
from tutor.engine.network import Layer, Network, frozen
from tutor.engine.quantity import parse
from tutor.engine.trace import run
from tutor.export import data
from tutor.export.arrays import sizes as term_sizes
from tutor.export.notebook import notebook
from tutor.export.numpy_script import numpy_script
from tutor.export.torch_script import torch_script
from tutor.lesson import changes
from tutor.lesson.changeable import sizes
from tutor.lesson.setup import Setup, build
from tutor.lesson.variants import _alive, variants
from tutor.lesson.walk import Lesson, open_lesson
from tutor.scenario import dump, reader, strict_yaml
from tutor.scenario.names import refusal
from tutor.scenario.reader import Scenario, ScenarioError

FOLDER = Path(__file__).parents[1] / "docs" / "examples"
SKIPS = ["skip", "skip-from-input"]
WRITERS = [
    pytest.param(numpy_script, id="numpy"),
    pytest.param(torch_script, id="torch", marks=needs_torch),
]


def text(name: str = "skip") -> str:
    return (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


def told(file: str) -> list[str]:
    """What is wrong with a file, without its name."""
    with pytest.raises(ScenarioError) as caught:
        reader.parse(file, "f.yaml")
    return [str(problem).removeprefix("f.yaml:") for problem in caught.value.problems]


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(FOLDER).test_client()


# ---- files ----


@pytest.mark.parametrize("name", [*SKIPS, "input-gradients"])
def test_a_file_is_written_as_it_was_read(name: str) -> None:
    found = reader.parse(text(name), "f.yaml")
    written = dump.write(found)
    assert reader.parse(written, "f.yaml") == found
    assert dump.as_data(found) == strict_yaml.load(written, "f.yaml").data
    assert ("skip: " in written) == (name in SKIPS)
    assert ("input_gradients: true" in written) == (name not in SKIPS)


def test_what_is_at_its_default_is_not_written() -> None:
    plain = text().replace(", skip: 1", "").partition("checks:")[0]
    said = plain.replace("0.2]}", "0.2], skip: 0}") + "display: {input_gradients: false}\n"
    assert said.count("skip: 0") == 1
    same, own = (reader.parse(file, "f.yaml") for file in (said, plain))
    assert dump.write(same) == dump.write(own)


@pytest.mark.parametrize(
    ("skip", "message"),
    [
        (
            "3",
            "8: network.layers[1].skip: layer 2 has 2 before it, counting the input: skip can be 1 to 2, not 3",
        ),
        ("-1", "8: network.layers[1].skip: expected a whole number from 0 to 32, got -1"),
        ("33", "8: network.layers[1].skip: expected a whole number from 0 to 32, got 33"),
        ("yes", "8: network.layers[1].skip: expected a whole number, got the word 'yes'"),
        ("1.5", "8: network.layers[1].skip: expected a whole number, got the number 1.5"),
        ("true", "8: network.layers[1].skip: expected a whole number, got true"),
    ],
)
def test_a_skip_that_cannot_be_is_refused_at_its_line(skip: str, message: str) -> None:
    assert told(text().replace("skip: 1", f"skip: {skip}"))[0] == message


def test_units_that_do_not_add_up_are_told_with_everything_else() -> None:
    file = text("skip-from-input").replace("inputs: 2", "inputs: 3").replace("0.1}\n", "-0.1}\n")
    found = told(file)
    added = "a skip connection needs equal sizes: layer 2 has 2 units, but the input has 3"
    assert "7: network.layers[0].weights: expected 3 rows of 3, got 3 rows of 2" in found
    assert f"8: network.layers[1].skip: {added}" in found
    assert any("training.learning_rate" in problem for problem in found)


def test_a_skip_of_a_layer_names_the_layer() -> None:
    file = text().replace(", skip: 1", "").replace("biases: [0]}", "biases: [0], skip: 1}")
    added = "a skip connection needs equal sizes: layer 3 has 1 unit, but layer 2 has 2"
    assert told(file)[0] == f"9: network.layers[2].skip: {added}"


def test_a_cross_entropy_needs_the_output_itself() -> None:
    file = text().replace("[[1, -1]], biases: [0]}", "[[1, -1], [1, 1]], biases: none, skip: 1}")
    file = file.replace("units: 1", "units: 2").replace("[[1]]", "[[1, 0]]")
    (problem,) = told(file)
    assert problem == (
        "9: network.layers[2].skip: binary_cross_entropy needs the sigmoid itself as the output; "
        "a skip connection would add to it"
    )


# ---- names ----


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("r[2][1]", ""), ("r+[2][2]", ""), ("dL/dr[2][1]", ""), ("dL/da[0][2]", ""),
        ("r[1][1]", "there is no r[1][1] here: layer 1 has no skip connection; it passes on its activation"),
        ("dL/dr[3][1]", "there is no dL/dr[3][1] here: layer 3 has no skip connection; it passes on its activation"),
        ("r[4][1]", "there is no r[4][1] here: the network has 3 layers"),
        ("dL/da[0][3]", "there is no dL/da[0][3] here: there are 2 inputs"),
        ("r[2][1]@1", "there is no r[2][1]@1 here: there is one sample, so leave out @1"),
    ],
)  # fmt: skip
def test_names_are_taken_where_the_network_has_the_number(name: str, wrong: str) -> None:
    found = reader.parse(text(), "f.yaml")
    assert refusal(name, sizes(found)) == wrong
    if not wrong:
        trace = open_lesson(found).trace
        value = trace.value(parse(name))
        said = f'printed: [{{quantity: "{name}", value: "{value:.4f}", where: slide 1}}]\n'
        said += f'notes: [{{at: "{name}", text: Look.}}]\n'
        assert reader.parse(text() + said, "f.yaml").printed[0].agrees(value)


def test_behind_a_step_there_are_no_derivatives_by_the_inputs() -> None:
    flat = text().replace("tanh", "step")
    assert "dL/dr[2][1]" not in refusal("dL/dr[2][1]", sizes(reader.parse(flat, "f.yaml")))
    assert "step function of layer 1" in refusal("dL/da[0][1]", sizes(reader.parse(flat, "f.yaml")))
    flat = text().replace("relu", "step")
    assert refusal("dL/dr[2][1]", sizes(reader.parse(flat, "f.yaml"))) == ""
    assert "backward pass stops there" in refusal(
        "dL/dz[2][1]", sizes(reader.parse(flat, "f.yaml"))
    )


@pytest.mark.parametrize(
    "path", ["", "/steps/1", "/steps/72", "/export/latex", "/export/html", "/export/key"]
)
def test_a_note_at_a_derivative_by_an_input_does_not_ask_for_its_step(
    path: str, tmp_path: Path
) -> None:
    at = "dL/da[0][1]"
    value = open_lesson(reader.parse(text(), "f.yaml")).trace.value(parse(at))
    said = f'notes: [{{at: "{at}", text: Look at the inputs.}}]\n'
    said += f'printed: [{{quantity: "{at}", value: "{value:.3f}", where: slide 1}}]\n'
    (tmp_path / "given.yaml").write_text(text() + said, encoding="utf-8")
    answer = create_app(tmp_path).test_client().get(f"/lessons/given{path}")
    assert answer.status_code == 200


# ---- what if ----


def test_a_changed_lesson_keeps_its_skips_and_steps() -> None:
    own = reader.parse(text() + "display: {input_gradients: true}\n", "f.yaml")
    changed = changes.apply(
        own, (("activation[2]", "sigmoid"), ("b[2][1]", "0.5"), ("w[2][1,1]", "-0.25"))
    )
    assert [layer.skip for layer in changed.network.layers] == [0, 1, 0]
    assert changed.display.input_gradients
    assert open_lesson(changed).input_gradients


def test_a_loss_that_cannot_stand_behind_a_skip_is_not_taken() -> None:
    file = text("skip-from-input").replace("[1.5, 0.5]", "[1, 0]").replace("- [-1, 1]", "- [0, 1]")
    own = reader.parse(file, "f.yaml")
    found, notices = changes.read({"activation[2]": "softmax", "loss": "cross_entropy"}, own)
    assert "loss" not in dict(found)
    assert any("a skip connection would add to it" in notice for notice in notices)


# ---- settings ----


def test_the_setting_stands_in_the_address_and_works_without_a_script(client: FlaskClient) -> None:
    steps = len(open_lesson(reader.parse(text(), "f.yaml")).walk("number"))
    page = client.get("/lessons/skip/steps/1").text
    select = re.search(r'<select name="input_gradients">(.*?)</select>', page, re.DOTALL)
    assert select
    assert "Derivatives with respect to the inputs" in page
    assert re.findall(r'value="(\w+)"( selected)?', select[1]) == [("no", " selected"), ("yes", "")]
    asked = client.get("/lessons/skip/steps/1?input_gradients=yes").text
    assert f"of {steps + 2}" in asked
    assert re.search(r'<option value="yes" selected>shown', asked)
    assert "input_gradients=yes" in re.findall(r'href="(2[^"]*)"', asked)[0]


def test_the_setting_of_the_file_can_be_taken_back(client: FlaskClient) -> None:
    own = len(open_lesson(reader.parse(text("input-gradients"), "f.yaml")).walk("number"))
    assert f"of {own}" in client.get("/lessons/input-gradients/steps/1").text
    asked = client.get("/lessons/input-gradients/steps/1?input_gradients=no").text
    assert f"of {own - 2}" in asked
    assert re.search(r'<option value="no" selected>', asked)


def test_what_is_no_answer_is_told(client: FlaskClient) -> None:
    page = client.get("/lessons/skip/steps/1?input_gradients=maybe").text
    assert "input_gradients “maybe” is not known" in page


def test_behind_a_step_function_there_is_nothing_to_choose(client: FlaskClient) -> None:
    assert (
        "Derivatives with respect to the inputs"
        not in client.get("/lessons/perceptron-step/steps/1").text
    )


def test_the_export_page_offers_the_setting_and_the_files_follow_it(client: FlaskClient) -> None:
    page = client.get("/lessons/skip/export?kind=numpy&input_gradients=yes").text
    assert re.search(r'<option value="yes" selected>shown', page)
    assert "dL_da0 = " in client.get("/lessons/skip/export/numpy?input_gradients=yes").text
    assert "dL_da0 = " not in client.get("/lessons/skip/export/numpy").text
    assert "respect to the inputs" not in client.get("/lessons/skip/export?kind=csv").text


def test_the_command_line_has_the_setting(capsys: pytest.CaptureFixture[str]) -> None:
    def steps(*options: str, file: str = "skip") -> str:
        assert main(["steps", str(FOLDER / f"{file}.yaml"), *options]) == 0
        return capsys.readouterr().out

    assert len(steps("--input-gradients")) > len(steps()) == len(steps("--no-input-gradients"))
    assert len(steps("--no-input-gradients", file="input-gradients")) < len(
        steps(file="input-gradients")
    )
    assert (
        main(
            [
                "export",
                str(FOLDER / "skip.yaml"),
                "--to",
                "numpy",
                "--out",
                "-",
                "--input-gradients",
            ]
        )
        == 0
    )
    assert "dL_da0 = " in capsys.readouterr().out


# ---- data ----


def as_json(lesson: Lesson) -> dict[str, Any]:
    out = io.StringIO()
    data.write(lesson, out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


@given(problems(skipping=True))
@settings(max_examples=40)
def test_data_have_everything_of_a_skip_connection_and_the_inputs(problem: Setup) -> None:
    lesson = lesson_of(problem)
    trace, network = lesson.trace, lesson.trace.network
    found = as_json(lesson)["quantities"]
    assert found == {name: trace.value(parse(name)) for name in found}
    marks = [f"@{s}" for s in range(1, trace.samples + 1)] if trace.samples > 1 else [""]
    wanted = [f"dL/da[0][{i}]" for i in range(1, network.sizes[0] + 1)]
    for n, layer in enumerate(network.layers, 1):
        wanted += [
            f"{kind}[{n}][{i}]"
            for kind in ("r", "r+", "dL/dr")
            for i in range(1, layer.units + 1)
            if layer.skip
        ]
    assert {f"{name}{mark}" for name in wanted for mark in marks} == {
        name for name in found if name.startswith(("r[", "r+[", "dL/dr", "dL/da[0]"))
    }
    table = "".join(data.as_csv(lesson)).splitlines()[1:]
    assert len(table) == len(found)


@pytest.mark.parametrize("shown", [False, True])
def test_data_do_not_depend_on_what_is_a_step(shown: bool) -> None:
    own = reader.parse(text(), "f.yaml")
    assert as_json(open_lesson(own, input_gradients=shown)) == as_json(open_lesson(own))


def test_a_row_of_the_inputs_has_layer_0() -> None:
    table = "".join(data.as_csv(open_lesson(reader.parse(text(), "f.yaml"))))
    assert re.search(r"^dL/da\[0\]\[2\],dL/da,0,2,,,", table, re.MULTILINE)
    assert re.search(r"^x\[2\],x,,2,,,", table, re.MULTILINE)


# ---- scripts ----


def shown(problem: Setup) -> Lesson:
    return replace(lesson_of(problem), input_gradients=True)


@given(problems(skipping=True))
@settings(max_examples=40)
def test_a_numpy_script_computes_skips_and_derivatives_by_the_inputs(problem: Setup) -> None:
    lesson = shown(problem)
    names, said = performed(numpy_script(lesson))
    assert said.endswith("numbers agree\n")
    np.testing.assert_allclose(
        names["dL_da0"],
        lesson.trace["dL/da", 0],
        rtol=1e-9,
        atol=1e-9 * np.abs(lesson.trace["dL/da", 0]).max(),
    )
    for n, layer in enumerate(lesson.trace.network.layers, 1):
        assert ({f"r{n}", f"r{n}_new", f"dL_dr{n}"} <= names.keys()) == bool(layer.skip)


@needs_torch
@given(problems(skipping=True))
@settings(max_examples=40)
def test_pytorch_finds_the_same(problem: Setup) -> None:
    import torch

    try:
        names, said = performed(torch_script(shown(problem)))
    finally:
        torch.set_default_dtype(torch.float32)
    assert said.endswith("numbers agree\n")
    assert names["x"].grad is not None


@pytest.mark.parametrize("write", WRITERS)
def test_what_is_shown_is_checked(write: Any) -> None:
    lesson = open_lesson(reader.parse(text(), "f.yaml"), input_gradients=True)
    script = write(lesson)
    place = "x.grad" if write is torch_script else "dL_da0"
    assert f'show("{place}", {place}, "loss gradient at the inputs")' in script
    for name in ("r2", "dL_dr2", "r2_new", "dL_da0"):
        assert f'check("{name}", ' in script
    with pytest.raises(AssertionError):
        performed(script.replace("r2 = a2 + a1\n", "r2 = a2 + a1 * (1 + 1e-8)\n"))


def test_the_number_of_samples_comes_in_at_the_first_derivative_of_a_skip() -> None:
    lines = numpy_script(open_lesson(reader.parse(text("skip-from-input"), "f.yaml"))).splitlines()
    at = lines.index("M = len(x)")
    assert lines[at + 1].startswith("dL_dr2 = ")
    assert lines[at + 1].endswith(" / M")
    assert lines.count("M = len(x)") == 1


def test_a_notebook_has_a_cell_for_the_inputs() -> None:
    book = json.loads(notebook(open_lesson(reader.parse(text(), "f.yaml"), input_gradients=True)))
    cells = {cell["id"]: "".join(cell["source"]) for cell in book["cells"]}
    assert len(cells) == len(book["cells"])
    assert cells["backward-0"].startswith("dL_da0 = ")
    assert "passes on the sum `r`." in cells["about-forward"]


def test_derivatives_by_the_inputs_beyond_float64_end_no_script() -> None:
    network = Network(
        (Layer(frozen([[1e200]]), None, activation("identity")),), loss("squared_error"), "mean"
    )
    lesson = shown(Setup(network, frozen([[1e-200]]), frozen([[-1e120]]), 1e-300))
    assert not np.isfinite(lesson.trace["dL/da", 0]).all()
    script = numpy_script(lesson)
    assert "dL_da0 = " not in script
    assert performed(script)[1].endswith("numbers agree\n")
    assert as_json(lesson)["beyond"] == ["dL/da[0][1]"]


@pytest.mark.parametrize("name", LOSSES)
def test_the_formula_of_a_loss_in_a_notebook_is_that_of_its_tree(name: str) -> None:
    book = json.loads(
        notebook(open_lesson(reader.load(FOLDER / f"loss-{name.replace('_', '-')}.yaml")))
    )
    told = next("".join(cell["source"]) for cell in book["cells"] if cell["id"] == "about-loss")
    wanted = {
        "squared_error": r"\sum_i (a_i - y_i)^{2}",
        "half_squared_error": r"\frac{1}{2} \cdot \sum_i (a_i - y_i)^{2}",
        "huber": r"\sum_i \left( \begin{cases} \frac{1}{2} \cdot (a_i - y_i)^{2} & \text{if } \left| a_i - y_i \right| \le 1",
        "perceptron": r"\begin{cases}",
        "binary_cross_entropy": r"-\sum_i (y_i \cdot \log a_i + (1 - y_i) \cdot \log(1 - a_i))",
        "cross_entropy": r"-\sum_i (y_i \cdot \log a_i)",
    }
    assert wanted[name] in told


# ---- how large the terms are ----


@given(problems(skipping=True))
@settings(max_examples=40)
def test_no_array_is_larger_than_the_terms_that_it_is_made_of(problem: Setup) -> None:
    trace = lesson_of(problem).trace
    found = term_sizes(trace)
    for name in trace.program.names:
        assert np.shape(found[name]) == np.shape(trace[name]), name
        assert (found[name] >= np.abs(trace[name]) * (1 - 1e-9)).all(), name


@pytest.mark.parametrize("name", NAMES)
def test_what_nearly_cancels_keeps_the_size_of_its_terms(name: str) -> None:
    layer = Layer(frozen([[1.0, 1.0], [1.0, 2.0]]), None, activation(name))
    network = Network((layer,), loss("squared_error"), "sum")
    trace = run(network, frozen([[1e6, -1e6 - 1e-9]]), frozen([[0.0, 0.0]]), 0.1)
    assert 1e6 < term_sizes(trace)["z", 1][0, 0] < 1e7


def test_a_saturated_unit_hands_little_on_of_what_its_sum_may_be_off() -> None:
    network = Network(
        (Layer(frozen([[1.0]]), None, activation("tanh")),), loss("squared_error"), "sum"
    )
    trace = run(network, frozen([[30.0]]), frozen([[0.0]]), 0.1)
    assert term_sizes(trace)["a", 1][0, 0] == pytest.approx(1.0)
    assert term_sizes(trace)["z", 1][0, 0] >= 30.0


# ---- worksheets ----


@pytest.mark.parametrize("name", SKIPS)
def test_versions_of_a_lesson_with_skips_keep_them_and_are_fit(name: str) -> None:
    own = reader.parse(text(name), "f.yaml")
    made = variants(own, 3, 7)
    assert len({dump.write(one) for one in made}) == 3
    for one in made:
        assert [layer.skip for layer in one.network.layers] == [
            layer.skip for layer in own.network.layers
        ]
        lesson = open_lesson(one)
        assert lesson.trace.stop is None


def scenario_off() -> Scenario:
    """A lesson whose second layer, a ReLU with a skip connection, is off."""
    return reader.parse(text().replace("biases: [0.1, 0.2]", "biases: [-9, -9]"), "f.yaml")


def test_units_are_alive_through_a_skip_connection() -> None:
    problem = build(scenario_off())
    trace = run(problem.network, problem.x, problem.y, problem.eta)
    alive = _alive(trace)
    assert not alive[2].any()
    assert alive[1].all()
    assert (trace["dL/dz", 1] != 0).all()
