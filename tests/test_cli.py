"""The command line: what it prints, what it refuses, and that neither shows a trace of Python."""

import io
import json
import math
import re
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.visiting import SATURATED
from tutor.cli.main import main
from tutor.engine.order import NumberOrder
from tutor.engine.quantity import parse
from tutor.export import data
from tutor.lesson.explain import ROUNDED
from tutor.lesson.walk import GRAINS, Lesson, open_lesson
from tutor.notation.conventions import PRESETS
from tutor.scenario.reader import load

FIRST = "scenarios/1-2-3-1-sigmoid.yaml"
ALL = sorted(path.name for path in (Path(__file__).parents[1] / "scenarios").glob("*.yaml"))
GRAPHS = [path.name for path in (Path(__file__).parents[1] / "scenarios/graphs").glob("*.yaml")]
OPERATIONS = [
    path.name for path in (Path(__file__).parents[1] / "scenarios/operations").glob("*.yaml")
]
TRAINING = [
    path.name for path in (Path(__file__).parents[1] / "scenarios" / "training").glob("*.yaml")
]
SMALL = """\
format: 1
title: A small one
network:
  inputs: 2
  layers:
    - {{units: 2, activation: {activation}, weights: [[{w}, -0.2], [0.3, 0.4]], biases: [0.1, 0.2], trainable: {{biases: false}}}}
    - {{units: 2, activation: {output}, weights: [[0.5, 0.6], [0.7, 0.8]], biases: none, trainable: {{weights: {learn}}}}}
  loss: {{name: {loss}, reduction: mean}}
data:
  inputs: [[1, 2], [-1, 0.5]]
  targets: [[1, 0], [0, 1]]
training: {{learning_rate: 0.5}}
"""

Write = Callable[..., str]


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    monkeypatch.chdir(root)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a small scenario of two samples; the path of its file."""

    def written(more: str = "", **changes: object) -> str:
        chosen = {
            "activation": "tanh",
            "output": "softmax",
            "loss": "cross_entropy",
            "w": 0.1,
            "learn": "true",
            **changes,
        }
        file = tmp_path / "small.yaml"
        file.write_text(SMALL.format(**chosen) + more, encoding="utf-8")
        return str(file)

    return written


def run(*arguments: str, **options: object) -> "subprocess.CompletedProcess[str]":
    """The real program, from the project's folder."""
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [sys.executable, "-m", "tutor", *arguments], cwd=Path(__file__).parents[1], capture_output=True, encoding="utf-8",
        check=False, timeout=60, **options,
    )  # fmt: skip


def quantities(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, float]:
    assert main(["trace", *arguments]) == 0
    found: dict[str, float] = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)[
        "quantities"
    ]
    return found


# ---- the program ----


def test_list_names_every_lesson_with_shape_and_title() -> None:
    done = run("list")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(
        r"^1-2-3-1-sigmoid +1-2-3-1 +A 1-2-3-1 sigmoid network by hand$", done.stdout, re.MULTILINE
    )
    lessons = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    assert sorted(line.split()[0] + ".yaml" for line in lessons) == sorted(
        [*ALL, *TRAINING, *GRAPHS, *OPERATIONS]
    )


def test_validate_says_ok_for_every_scenario_of_the_tutor() -> None:
    done = run("validate", *(f"scenarios/{name}" for name in ALL))
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split(": ok (")[0] for line in done.stdout.splitlines()] == [
        f"scenarios/{name}" for name in ALL
    ]


def test_trace_prints_one_json_object() -> None:
    done = run("trace", FIRST)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert (found["scenario"], found["iteration"]) == ("1-2-3-1-sigmoid", 1)
    assert found["quantities"]["z[1][1]"] == pytest.approx(0.3, rel=1e-12)


def test_steps_prints_the_walk_as_text() -> None:
    done = run("steps", FIRST)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Step 5 of 79 · forward · z[2][1]\n" in done.stdout
    assert "  z_1^[2] = w_01^[2] + w_11^[2]·a_1^[1] + w_21^[2]·a_2^[1]\n" in done.stdout
    assert "= 0.3 + 0.2 × 0.5744 + 0.1 × 0.5987\n" in done.stdout
    assert "≈ 0.4748\n" in done.stdout


REFUSED = [
    ["trace", "scenarios/nowhere.yaml"], ["walk"], [], ["steps", FIRST, "--decimals", "13"],
    ["steps", "scenarios"], ["steps", FIRST, "--grain", "word"], ["steps", FIRST, "--notation", "runes"],
    ["steps", FIRST, "--decimals", "²"], ["trace", FIRST, "--iteration", "0"], ["trace", FIRST, "--iteration", "1e2"],
    ["trace", "no\nwhere"], ["trace"], ["validate"], ["list", "nowhere"], ["trace", FIRST, FIRST], ["steps", FIRST, "--gra", "layer"],
]  # fmt: skip


@pytest.mark.parametrize("arguments", REFUSED)
def test_what_cannot_be_done_is_said_on_stderr_with_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(arguments)
    except SystemExit as end:  # as argparse ends
        status = int(end.code or 0)
    said = capsys.readouterr()
    assert (status, said.out) == (2, "")
    assert said.err.strip()
    assert "Traceback" not in said.err


@pytest.mark.parametrize("arguments", REFUSED[:4])
def test_the_program_ends_with_the_status_of_what_was_asked(arguments: list[str]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


def test_help_explains_with_an_example() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert "python -m tutor steps scenarios/" in done.stdout
    assert all(command in done.stdout for command in ("list", "validate", "trace", "steps"))


def test_the_version_is_that_of_the_package() -> None:
    assert re.fullmatch(r"backprop-tutor \d+\.\d+\.\d+\n", run("--version").stdout)


def test_the_commands_that_only_read_files_load_neither_the_store_nor_the_server() -> None:
    commands = [
        ["list"],
        ["validate", FIRST],
        ["steps", FIRST],
        ["trace", FIRST],
        ["export", FIRST, "--to", "json", "-o", "-"],
    ]
    code = f"import sys; from tutor.cli.main import main; status = [main(c) for c in {commands}]"
    code += "; print(status, *sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True, timeout=60
    )
    assert done.stderr.startswith("[0, 0, 0, 0, 0] ")
    assert not {
        "sqlalchemy",
        "psycopg",
        "sqlite3",
        "flask",
        "werkzeug",
        "granian",
        "segno",
        "http.server",
    } & set(done.stderr.split())


def test_a_reader_who_has_seen_enough_is_not_told_about_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tutor", "steps", FIRST],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parents[1],
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_said_in_words() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tutor", "list"], stdout=full, stderr=subprocess.PIPE, encoding="utf-8", check=False,
            cwd=Path(__file__).parents[1],
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("the output cannot be written: ")
    assert "Traceback" not in done.stderr


def test_a_terminal_without_greek_gets_escapes_and_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = run("steps", FIRST)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u03c3(z_1^[1])" in done.stdout


# ---- list and validate ----


def test_a_broken_file_is_listed_on_stderr_and_the_others_on_stdout(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write()
    (tmp_path / "torn.yaml").write_text("format: 1\ntitle: [\n", encoding="utf-8")
    assert main(["list", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert said.out == "small  2-2-2  A small one\n"
    assert re.match(rf"{tmp_path.name}/torn.yaml:\d+: ", said.err)


def test_an_empty_folder_is_said_to_be_empty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", str(tmp_path)]) == 0
    assert "no scenario file" in capsys.readouterr().err


def test_list_shows_courses_and_groups_and_what_is_hidden(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path(write()).read_text()
    (tmp_path / "exam.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "other.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "course.yaml").write_text(
        "format: 1\ntitle: Nets\ngroups: [{title: First, lessons: [small]}]\nhidden: [exam]\n"
    )
    assert main(["list", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "# Nets", "## First", "small  2-2-2  A small one", "# inside", "other  2-2-2  A small one",
        "# Not in the gallery", "exam   2-2-2  A small one",
    ]  # fmt: skip


def test_list_takes_every_folder_that_validate_takes(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write()
    course = "format: 1\ntitle: Nets\ngroups:\n- {title: Ours, lessons: [small, 3-2-3-softmax]}\n"
    (tmp_path / "course.yaml").write_text(course, encoding="utf-8")
    assert main(["validate", str(tmp_path)]) == 0
    capsys.readouterr()
    assert main(["list", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    ids = [line.split()[0] for line in said.out.splitlines()]
    assert ids == ["#", "##", "small", "3-2-3-softmax"], (
        "what a course names of the shelf stands in it, and nothing else of the shelf"
    )


def test_list_says_where_a_course_names_a_lesson_that_is_nowhere(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write()
    (tmp_path / "course.yaml").write_text(
        "format: 1\ntitle: Nets\ngroups:\n- {title: Ours, lessons: [small, 3-2-3-softmix]}\n"
    )
    for command in ("list", "validate"):
        assert main([command, str(tmp_path)]) == 2
        assert (
            "there is no lesson called '3-2-3-softmix'; did you mean 3-2-3-softmax?"
            in capsys.readouterr().err
        )


def test_list_of_a_folder_of_the_shelf_needs_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "scenarios"]) == 0
    first = capsys.readouterr().out
    assert main(["list"]) == 0
    assert capsys.readouterr().out == first


def test_list_shows_the_shelf_beside_the_lessons_of_the_tutor(
    write: Write,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write()
    monkeypatch.setenv("SHELF", str(tmp_path))
    assert main(["list"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^small +2-2-2 +A small one$", said, re.MULTILINE)
    assert re.search(r"^3-2-3-softmax +3-2-3 ", said, re.MULTILINE)


def test_validate_looks_at_every_file_of_a_folder_and_of_the_folders_inside(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path(write()).read_text()
    (tmp_path / "inside" / "deeper").mkdir(parents=True)
    (tmp_path / "inside" / "other.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "inside" / "deeper" / "torn.yaml").write_text("x", encoding="utf-8")
    (tmp_path / "course.yaml").write_text(
        "format: 1\ntitle: Nets\ngroups: [{title: First, lessons: [small, 3-2-3-softmax]}]\n"
    )
    assert main(["validate", str(tmp_path)]) == 0
    assert [line.split(": ok (") for line in capsys.readouterr().out.splitlines()] == [
        [f"{tmp_path}/course.yaml", "a course: 1 group, 2 lessons listed)"],
        [f"{tmp_path}/small.yaml", "2-2-2, 99 steps)"],
        [f"{tmp_path}/inside/other.yaml", "2-2-2, 99 steps)"],
    ]


def test_validate_names_every_problem_of_a_course_file_with_its_line(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write()
    file = tmp_path / "course.yaml"
    file.write_text(
        "format: 1\ntitel: Nets\ngroups:\n- title: First\n  lessons: [smal]\nhidden: [3-2-3-softmax]\n"
    )
    assert main(["validate", str(file)]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"{file}:1: title: is missing; give it a name",
        f"{file}:2: titel: is not a key of the format; did you mean title?",
        f"{file}:5: groups[0].lessons[0]: there is no lesson called 'smal'; did you mean small?",
        f"{file}:6: hidden[0]: the lesson 3-2-3-softmax is in another folder; a course can hide only lessons in its own folder",
    ]


def test_validate_of_an_empty_folder_says_so_and_goes_on(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["validate", str(tmp_path / "empty"), write()]) == 2
    said = capsys.readouterr()
    assert said.err == f"{tmp_path}/empty: there is no scenario file in this folder\n"
    assert "small.yaml: ok" in said.out


def test_validate_says_where_a_name_belongs_to_saved_lessons(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / f"saved-{'a2' * 10}.yaml"
    file.write_text(Path(write()).read_text(), encoding="utf-8")
    assert main(["validate", str(file)]) == 0
    assert "such names belong to lessons that readers saved" in capsys.readouterr().out


def test_validate_names_every_problem_with_its_line_and_still_looks_at_the_others(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = write(activation="quick", learn="perhaps")
    assert main(["validate", broken, FIRST]) == 2
    said = capsys.readouterr()
    assert said.out == f"{FIRST}: ok (1-2-3-1, 79 steps)\n"
    assert f"{broken}:6: network.layers[0].activation: " in said.err
    assert f"{broken}:7: network.layers[1].trainable.weights: " in said.err


def test_validate_compares_what_the_slides_print(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    more = """\
printed:
  - {quantity: "z[1][1]@1", value: "-0.20", where: "a slide"}
  - {quantity: "z[1][1]@1", value: "-0.21", where: "a slide"}
  - {quantity: "z[1][1]@1", value: "-0.2", where: "a slide", slip: "none at all"}
  - {quantity: "z[1][1]@1", value: "-0.2", where: "a slide", left_open: "none at all"}
  - {quantity: "z[1][1]@1", value: "-0.3", where: "a slide", left_open: "unchanged"}
checks:
  - {quantity: "z[1][1]@1", equals: "{w[1][1,1]} * 3"}
"""
    file = write(more)
    assert main(["validate", file]) == 2
    places = [line.split(": ")[1] for line in capsys.readouterr().err.splitlines()]
    assert places == [
        "printed[1].value",
        "printed[2].slip",
        "printed[3].left_open",
        "checks[0].equals",
    ]


def test_a_lesson_that_ends_early_is_sound_and_validate_says_where_it_ends(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["validate", "scenarios/perceptron-step.yaml"]) == 0
    assert (
        capsys.readouterr().out
        == "scenarios/perceptron-step.yaml: ok (2-1, 5 steps, ends early at da/dz[1][1])\n"
    )


# ---- trace ----


def contract(lesson: Lesson) -> dict[str, float]:
    """Every quantity of an unbroken trace, looked up one by one."""
    trace, network = lesson.trace, lesson.trace.network
    computed = [
        q for q in NumberOrder.of(network, trace.samples, inputs=True) if q.kind != "loss-loss+"
    ]
    names = [str(q) for q in computed]
    for row in range(trace.samples):
        mark = f"@{row + 1}" if trace.samples > 1 else ""
        names += [f"x[{i}]{mark}" for i in range(1, network.sizes[0] + 1)] + [
            f"y[{i}]{mark}" for i in range(1, network.sizes[-1] + 1)
        ]
    for number, layer in enumerate(network.layers, 1):
        names += [
            f"{w}[{number}][{i + 1},{j + 1}]"
            for w in ("w", "w+")
            for i in range(layer.units)
            for j in range(layer.inputs)
        ]
        names += [
            f"{b}[{number}][{i + 1}]"
            for b in ("b", "b+")
            for i in range(layer.units)
            if layer.biases is not None
        ]
    return {name: trace.value(parse(name)) for name in names}


@pytest.mark.parametrize("name", [name for name in ALL if name != "perceptron-step.yaml"])
def test_the_trace_has_every_quantity_of_the_contract_and_no_other(
    name: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = root / "scenarios" / name
    assert quantities(capsys, str(file)) == contract(open_lesson(load(file)))


@pytest.mark.parametrize(
    "changes", [{}, {"learn": "false"}, {"output": "sigmoid", "loss": "binary_cross_entropy"}]
)
def test_several_samples_have_shares_and_totals_and_frozen_parameters_stay(
    changes: dict[str, str], write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(**changes)
    found = quantities(capsys, file)
    assert found == contract(open_lesson(load(file)))
    assert found["dL/dw[1][1,1]@1"] + found["dL/dw[1][1,1]@2"] == pytest.approx(
        found["dL/dw[1][1,1]"], rel=1e-12
    )
    assert (found["loss@1"] + found["loss@2"]) / 2 == pytest.approx(found["loss"], rel=1e-12)
    assert found["b+[1][1]"] == found["b[1][1]"] == 0.1
    assert "dL/db[1][1]" not in found
    assert ("dL/dw[2][1,1]" in found) == ("learn" not in changes)


def test_no_softmax_derivative_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    found = quantities(capsys, "scenarios/3-2-3-softmax.yaml")
    jacobian = [name for name in found if name.startswith("da/dz[2]")]
    assert jacobian == [f"da/dz[2][{i},{k}]" for i in (1, 2, 3) for k in (1, 2, 3)]


def test_a_later_iteration_starts_from_the_updated_weights(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, second = quantities(capsys, FIRST), quantities(capsys, FIRST, "--iteration", "2")
    assert second["w[3][1,2]"] == first["w+[3][1,2]"]
    assert second["loss"] == first["loss+"]


def test_where_backward_stops_the_trace_stops_and_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["trace", "scenarios/perceptron-step.yaml"]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert found["stopped"] == {"quantity": "da/dz[1][1]", "why": "flat"}
    assert list(found["quantities"])[-1] == "dL/da[1][1]"
    assert "The backward pass ends here" in said.err


@pytest.mark.filterwarnings("error")
def test_an_overflow_leaves_out_everything_behind_it(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(activation="identity", output="identity", loss="squared_error", w=1.7e308)
    assert main(["trace", file]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out, parse_constant=pytest.fail)
    assert found["stopped"]["why"] == "overflow"
    names = [str(q) for q in NumberOrder.of(open_lesson(load(file)).trace.network, 2)]
    place = names.index(found["stopped"]["quantity"])
    assert [name for name in names if name in found["quantities"]] == names[:place]
    assert found["stopped"]["quantity"] in said.err
    assert main(["trace", file, "--iteration", "2"]) == 2
    assert "cannot be finished" in capsys.readouterr().err


def test_a_single_number_beyond_float64_is_named_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "saturated.yaml"
    file.write_text(
        "format: 1\ntitle: Saturated\nnetwork:\n  inputs: 1\n  layers: [{units: 1, activation: sigmoid, weights: [[800]], biases: none}]\n"
        "  loss: {name: binary_cross_entropy}\ndata: {inputs: [[1]], targets: [[0]]}\ntraining: {learning_rate: 0.1}\n",
        encoding="utf-8",
    )
    assert main(["trace", str(file)]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out, parse_constant=pytest.fail)
    assert found["beyond"] == ["dL/da[1][1]"]
    assert "dL/da[1][1]" not in found["quantities"]
    assert found["quantities"]["dL/dz[1][1]"] == 1.0
    assert "stopped" not in found
    assert "dL/da[1][1]" in said.err


class Pieces(io.StringIO):
    """Counts how often something is written."""

    count = 0

    def write(self, text: str) -> int:
        self.count += 1
        return super().write(text)


def test_a_large_network_is_written_in_pieces(tmp_path: Path) -> None:
    pixels = ", ".join("1" for _ in range(784))
    shape = [(128, "relu"), (64, "relu"), (10, "softmax")]
    layers = "".join(
        f"    - {{units: {n}, activation: {f}, init: {{scheme: xavier, seed: 1}}}}\n"
        for n, f in shape
    )
    file = tmp_path / "digits.yaml"
    file.write_text(
        f"format: 1\ntitle: Digits\nnetwork:\n  inputs: 784\n  layers:\n{layers}  loss: {{name: cross_entropy}}\n"
        f"data:\n  inputs: [[{pixels}]]\n  targets: [[1, 0, 0, 0, 0, 0, 0, 0, 0, 0]]\ntraining: {{learning_rate: 0.1}}\n",
        encoding="utf-8",
    )
    out = Pieces()
    assert data.write(open_lesson(load(file)), out) == []
    found = json.loads(out.getvalue())["quantities"]
    assert out.count > 20
    assert sum(name.startswith("w+") for name in found) == 784 * 128 + 128 * 64 + 64 * 10


# ---- steps ----


@pytest.mark.parametrize("grain", ["number", "layer", "pass"])
def test_steps_says_how_the_loss_of_a_saturated_output_is_computed(
    grain: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "saturated.yaml"
    file.write_text(SATURATED, encoding="utf-8")
    assert main(["steps", str(file), "--grain", grain]) == 0
    said = capsys.readouterr().out
    assert f"  {ROUNDED.heading} {ROUNDED.text}\n  L = " in said
    assert "    = 50\n" in said
    assert "= 0 × log(1 + e^(−50)) + (1 − 0) × log(1 + e^(50))" in said


WORDS = ("  The ", "  Worth", "  On the", "  Check")


def formulas(text: str) -> list[list[str]]:
    """The formulas of each step: what stands right of the signs, line by line, the first line from
    the left-hand side on.
    """
    blocks = [step.splitlines()[2:] for step in text.split("\n\n")]
    found = []
    for block in blocks:
        lines = [
            line
            for line in block
            if re.match(r"  (\S.* (=|:=) |\s+[=≈] )", line) and not line.startswith(WORDS)
        ]
        starts = [n for n, line in enumerate(lines) if line[2] != " "] + [len(lines)]
        found += [
            [re.split(r" (?:=|:=|≈) ", line, maxsplit=1)[1] for line in lines[a:b]]
            for a, b in pairwise(starts)
        ]
    return found


def computed(text: str) -> float:
    """Compute a line of numbers as it is written."""
    code = re.sub(r" \(since [^)]*\)$", "", text)
    for old, new in (
        ("−", "-"),
        ("×", "*"),
        ("·", "*"),
        ("²", "**2"),
        ("e^(", "exp("),
        ("log(", "log("),
    ):
        code = code.replace(old, new)
    assert re.fullmatch(r"[-+*/(). 0-9eoxplgtanhmE]*", code), code
    with np.errstate(all="ignore"):
        known = {"exp": np.exp, "log": lambda p: np.log(p) if p else -1e300, "tanh": np.tanh}
        return float(eval(code, {"__builtins__": {}}, known))  # noqa: S307


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", ALL)
def test_every_line_of_numbers_comes_to_the_result_below_it(
    name: str, preset: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["steps", f"scenarios/{name}", "--notation", preset, "--decimals", "12"]) == 0
    found = formulas(capsys.readouterr().out)
    assert len(found) >= 4
    for lines in found:
        *_, numbers, result = lines
        assert math.isclose(computed(numbers), computed(result), rel_tol=1e-9, abs_tol=1e-11), lines


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("name", ALL)
def test_each_grain_has_a_paragraph_for_each_step(
    name: str, grain: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["steps", f"scenarios/{name}", "--grain", grain]) == 0
    text = capsys.readouterr().out
    walk = open_lesson(load(f"scenarios/{name}")).walk(grain)
    heads = [line for line in text.splitlines() if line.startswith("Step ")]
    assert [head.split(" · ")[:2] for head in heads] == [
        [f"Step {n} of {len(walk)}", walk.phase(n)] for n in range(1, len(walk) + 1)
    ]


def test_what_the_slide_prints_stands_at_its_step_with_the_slip(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["steps", FIRST])
    steps = capsys.readouterr().out.split("\n\n")
    (output,) = (step for step in steps if " · a[3][1]\n" in step)
    assert "The slide prints a[3][1] = 0.7739 (" in output
    slips = [
        line
        for line in "\n".join(steps).splitlines()
        if line.startswith("  The slide prints") and "; computed " in line
    ]
    assert len(slips) == sum(1 for entry in load(FIRST).printed if entry.slip)


def test_what_a_lecture_leaves_open_and_what_is_worth_knowing_stand_at_their_steps(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["steps", "scenarios/3-2-3-softmax.yaml"])
    output = capsys.readouterr().out
    assert (
        "w+[2][1,2] = 0.6323 (Apply Gradients, new W); left open or unchanged; computed 0.8447: The slide works out w11 only"
        in output
    )
    assert "  Worth knowing: The label is 0 here" in output
    assert "  On the slides: The lecture takes the long way" in output


def test_decimals_and_notation_can_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    main(["steps", FIRST, "--decimals", "2", "--notation", "letters", "--grain", "layer"])
    text = capsys.readouterr().out
    assert "≈ 0.26\n" in text
    assert "^[2]" not in text


def test_matrices_are_written_in_one_line_with_their_shape(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["steps", FIRST, "--grain", "layer"])
    text = capsys.readouterr().out
    assert "  z^[2] = W^[2]·a^[1] + w_0^[2]\n" in text
    assert "= [0.2 0.1; 0.3 0.2; 0.1 0.3]·[0.5744; 0.5987] + [0.3; 0.1; 0.2]\n" in text
    assert "= [0.4748; 0.3921; 0.4371]  (3×1)\n" in text


def test_the_walk_of_a_step_function_ends_with_the_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["steps", "scenarios/perceptron-step.yaml"])
    assert "The backward pass ends here." in capsys.readouterr().out.split("\n\n")[-1]
