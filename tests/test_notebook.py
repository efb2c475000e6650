"""Notebooks of lessons: sound by the format, run from top to bottom, harmless whatever stands in
the titles.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.test_code_exports import ALL, HOSTILE, assert_prints_the_engine, lesson
from tutor.engine.kinds import SCALE
from tutor.export.notebook import notebook
from tutor.export.numpy_script import numpy_script
from tutor.export.run_notebook import run_notebook
from tutor.export.run_script import numpy_run
from tutor.lesson.explain import PHASE_ABOUT
from tutor.lesson.walk import Lesson, open_lesson
from tutor.scenario.reader import load

SCENARIOS = Path(__file__).parents[1] / "scenarios"
RUN = """\
import json, sys
names = {"__name__": "__main__"}
for cell in json.load(open(sys.argv[1], encoding="utf-8"))["cells"]:
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
"""
"""What a kernel does with the cells."""


def book(of: Lesson) -> dict[str, Any]:
    return dict(json.loads(notebook(of), parse_constant=pytest.fail))


def sources(of: Lesson, kind: str) -> dict[str, str]:
    return {
        cell["id"]: "".join(cell["source"])
        for cell in book(of)["cells"]
        if cell["cell_type"] == kind
    }


def assert_sound(found: dict[str, Any]) -> None:
    """Every rule of the schema of nbformat 4.5 that concerns cells without outputs."""
    assert set(found) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    assert (found["nbformat"], found["nbformat_minor"]) == (4, 5)
    assert found["metadata"]["kernelspec"]["name"] == "python3"
    assert found["metadata"]["kernelspec"]["display_name"]
    assert found["metadata"]["language_info"]["name"] == "python"
    ids = [cell["id"] for cell in found["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in found["cells"]:
        keys = {"cell_type", "id", "metadata", "source"}
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", cell["id"])
        assert cell["metadata"] == {}
        assert set(cell) == (
            keys if cell["cell_type"] == "markdown" else keys | {"execution_count", "outputs"}
        )
        assert cell["cell_type"] == "markdown" or (cell["execution_count"], cell["outputs"]) == (
            None,
            [],
        )
        assert all(isinstance(line, str) and line for line in cell["source"])
        assert all(line.endswith("\n") for line in cell["source"][:-1])
        assert not cell["source"][-1].endswith("\n")


@pytest.mark.parametrize("name", ALL)
def test_the_notebook_of_every_lesson_runs_and_agrees(name: str, tmp_path: Path) -> None:
    file = tmp_path / "lesson.ipynb"
    file.write_text(notebook(lesson(name)), encoding="utf-8")
    command = [sys.executable, "-W", "error::RuntimeWarning", "-I", "-c", RUN, str(file)]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"^all [1-9]\d* numbers agree\n\Z", done.stdout, re.MULTILINE)
    assert_prints_the_engine(lesson(name), done.stdout, tensors=False)


@pytest.mark.parametrize("name", ALL)
def test_the_notebook_of_every_lesson_is_sound(name: str) -> None:
    assert_sound(book(lesson(name)))
    assert notebook(lesson(name)) == notebook(lesson(name))


@pytest.mark.parametrize("name", ALL)
def test_the_cells_are_the_lines_of_the_script(name: str) -> None:
    script = numpy_script(lesson(name)).splitlines()
    cells = [line for text in sources(lesson(name), "code").values() for line in text.splitlines()]
    assert [line for line in script if line and line[0] != "#"] == [
        line for line in cells if line and line[0] != "#"
    ]


def test_each_pass_is_told_before_its_cells() -> None:
    cells = book(lesson("1-2-3-1-sigmoid"))["cells"]
    ids = [cell["id"] for cell in cells]
    assert ids[:8] == [
        "title",
        "about-setup",
        "setup",
        "about-rules",
        "rules",
        "about-given",
        "given",
        "about-forward",
    ]
    assert ids[8:11] == ["forward-1", "forward-2", "forward-3"]
    told = sources(lesson("1-2-3-1-sigmoid"), "markdown")
    for phase, about in PHASE_ABOUT.items():
        if phase == SCALE:
            continue  # this lesson does not scale its inputs
        assert about in told[f"about-{phase}"]
    assert told["title"].startswith("# A 1\\-2\\-3\\-1 sigmoid network by hand")
    assert r"$$L = -\sum_i" in told["about-loss"]
    assert all(text.count("$$") in {0, 2} for text in told.values())
    batch = sources(lesson("linear-regression"), "markdown")["about-loss"]
    assert r"$$L^{(m)} = \sum_i (a_i - y_i)^{2} \qquad L = \frac{1}{M} \sum_m L^{(m)}$$" in batch


def test_the_notebook_of_a_step_function_tells_why_it_ends() -> None:
    assert sources(lesson("perceptron-step"), "markdown")["stop"].startswith(
        "The backward pass ends here"
    )


def assert_harmless(markdown: str) -> None:
    """Every sign that Markdown, HTML or LaTeX acts on has a backslash before it or is written by
    its number.
    """
    assert "<" not in markdown
    assert ">" not in markdown
    assert "$" not in markdown
    rest = re.sub(r"&(?:amp|lt|gt|#36|#92);", "", markdown)
    assert "&" not in rest
    assert not re.search(r"[\\`*_\[\]{}()#+\-=!|~^]", re.sub(r"\\[`*_\[\]{}()#+\-=!|~^]", "", rest))


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]))
def test_no_text_does_anything_in_a_notebook(text: str) -> None:
    of = lesson("linear-regression")
    hostile = replace(of, scenario=replace(of.scenario, title=text, course=text, about=text))
    assert_sound(book(hostile))
    notebook(hostile).encode("utf-8")
    assert sources(hostile, "code") == sources(of, "code")
    title, *others = sources(hostile, "markdown")["title"].split("\n\n")
    assert_harmless(title.removeprefix("# "))
    for paragraph in others[:-1]:
        assert_harmless(paragraph)


@given(st.text(min_size=1, max_size=100).filter(lambda text: bool(text.strip())))
@settings(max_examples=60)
def test_no_text_at_all_changes_the_other_cells(text: str) -> None:
    of = lesson("perceptron-step")
    hostile = replace(of, scenario=replace(of.scenario, title=text, about=text))
    assert sources(hostile, "code") == sources(of, "code")
    assert_harmless(sources(hostile, "markdown")["title"].split("\n\n")[0].removeprefix("# "))


# ---- a whole run ----


@pytest.mark.parametrize(
    "name",
    [
        "training/xor",
        "training/stochastic-descent",
        "training/overfitting",
        "training/underfitting",
        "perceptron-step",
    ],
)
def test_a_notebook_of_a_run_does_what_its_script_does(name: str, tmp_path: Path) -> None:
    of = open_lesson(load(SCENARIOS / f"{name}.yaml"))
    found = dict(json.loads(run_notebook(of), parse_constant=pytest.fail))
    assert_sound(found)
    cells = ["".join(c["source"]) for c in found["cells"] if c["cell_type"] == "code"]
    script = numpy_run(of)
    assert script.endswith("\n\n\n".join(cells) + "\n")
    (tmp_path / "run.ipynb").write_text(run_notebook(of), encoding="utf-8")
    (tmp_path / "run.py").write_text(script, encoding="utf-8")
    (tmp_path / "kernel.py").write_text(RUN, encoding="utf-8")
    told = [
        subprocess.run(
            [sys.executable, *command], cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout
        for command in (["kernel.py", "run.ipynb"], ["run.py"])
    ]
    assert told[0] == told[1]
    assert told[0]
