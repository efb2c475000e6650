"""Lessons that scale their inputs begin with the steps that do it: the numbers are those that the
training has, each step has its tree, its words and its place, and addresses from before there were
such steps still open what they opened.
"""

from __future__ import annotations

import csv
import json
from functools import cache, partial
from itertools import product
from typing import Any

import numpy as np
import pytest

from app import create_app
from tests.htmltree import read
from tests.oracle import INSTALLED
from tests.visiting import context, get, page
from tutor import number
from tutor.cli import site_paths
from tutor.engine.derivation import derive, derive_stage, result
from tutor.engine.kinds import SCALE, STATISTICS
from tutor.engine.order import Stage
from tutor.engine.quantity import Quantity, parse
from tutor.engine.scaling import Scaling, from_raw
from tutor.engine.tree import Rounded, evaluate
from tutor.errors import NetworkError
from tutor.export import data
from tutor.export.latex_document import document
from tutor.export.notebook import notebook
from tutor.export.numpy_script import numpy_script
from tutor.export.run_script import numpy_run, torch_run
from tutor.export.torch_script import torch_script
from tutor.lesson.dataset import dataset
from tutor.lesson.setup import training
from tutor.lesson.walk import GRAINS, LayerWalk, Lesson, length, open_lesson
from tutor.notation.conventions import PRESETS
from tutor.pages.context import Context
from tutor.pages.step_page import StepPage, step_page
from tutor.pages.view import View
from tutor.scenario import reader

SCALED = "lifestyle-scaled"
HEAD = """\
format: 1
title: Scaled
network:
  inputs: 2
  layers:
    - {units: 2, activation: tanh, weights: [[0.5, -0.5], [1, 0.5]], biases: [0, 0.1]}
    - {units: 1, activation: sigmoid, weights: [[1, -1]], biases: [0]}
  loss: {name: binary_cross_entropy}
data:
"""
ROWS = """\
  inputs: [[1.5, 200], [2, 110], [0, 100], [1, -3], [2, 205], [7, 1], [3, 3], [0.25, 8], [4, 4]]
  targets: [[1], [0], [1], [0], [1], [0], [1], [0], [1]]
"""
DATA = {
    "few": "  inputs: [[1, 200], [2, 100]]\n  targets: [[1], [0]]\n",
    "some": ROWS,
    "split": ROWS + "  split: {train: 0.67, test: 0.33, seed: 3}\n",
    "many": "  generator: {name: moons, samples: 200, seed: 5}\n",
}
BATCHES = {"full": "", "online": ", batch: online", "shuffled": ", batch: 2, shuffle: {seed: 4}"}
CASES = list(product(STATISTICS, DATA, BATCHES))
EACH = pytest.mark.parametrize(("name", "rows", "batches"), CASES, ids=map("-".join, CASES))


@cache
def lesson(name: str, rows: str, batches: str, iteration: int = 1) -> Lesson:
    """A lesson of `CASES`."""
    text = (
        f"{HEAD}{DATA[rows]}  scale: {name}\ntraining: {{learning_rate: 0.5{BATCHES[batches]}}}\n"
    )
    return open_lesson(reader.parse(text, "scaled.yaml"), iteration)


def scaling_steps(found: Lesson, most: int = 12) -> list[Quantity]:
    """What the first steps make, some of them where they are many."""
    walk = found.walk("number")
    last = next(last for phase, _, last in walk.phases() if phase == SCALE)
    chosen = sorted({*range(1, min(last, most) + 1), last})
    return [walk.anchor(n) for n in chosen]


# ---- the numbers ----


@EACH
def test_every_step_is_what_its_tree_gives(name: str, rows: str, batches: str) -> None:
    for iteration in (1, 3):
        found = lesson(name, rows, batches, iteration)
        for q in scaling_steps(found):
            own = found.trace.value(q)
            assert evaluate(derive(found.trace, q).tree, found.trace) == pytest.approx(
                own, rel=1e-12, abs=1e-12
            )
        for kind in (*STATISTICS[name], "x"):
            stage = Stage(SCALE, kind)
            tree, made = derive_stage(found.trace, stage).tree, result(found.trace, stage)
            assert np.array_equal(evaluate(tree, found.trace), made.value(found.trace))


@EACH
def test_the_trees_compute_the_very_numbers_of_the_training(
    name: str, rows: str, batches: str
) -> None:
    found = lesson(name, rows, batches, 3)
    want = training(found.scenario).trace(3)
    assert all(np.array_equal(found.trace[key], want[key]) for key in want)
    given = [found.trace.get(key, None) for key in found.trace.program.given]
    fixed = np.asarray(found.trace.eta), found.trace.scale
    arrays, finite = found.trace.program.run(*fixed, *given)
    assert finite
    assert all(np.array_equal(arrays[key], want[key]) for key in want)
    assert {("raw", 0), (STATISTICS[name][0], 0)} <= arrays.keys()


def test_statistics_and_scaled_inputs_are_numpys_to_the_last_bit() -> None:
    random = np.random.default_rng(5)
    for shape in ((2, 1), (6, 3), (200, 1), (999, 4)):
        x = 50 + 100 * random.standard_normal(shape)
        mean, sd, low, high = x.mean(axis=0), x.std(axis=0), x.min(axis=0), x.max(axis=0)
        found = Scaling.fitted("standardize", x)
        assert np.array_equal(found.statistics["mean", 0], mean)
        assert np.array_equal(found.statistics["sd", 0], sd)
        assert np.array_equal(found(x), (x - mean) / sd)
        assert np.array_equal(Scaling.fitted("min_max", x)(x), (x - low) / (high - low))


def test_inputs_that_are_not_those_of_the_trace_are_refused() -> None:
    found = lesson("standardize", "few", "full")
    scaling = dataset(found.scenario).scaling
    assert scaling is not None
    raw = found.trace["raw", 0]
    with pytest.raises(NetworkError, match="not these, scaled"):
        from_raw(found.trace, scaling, raw + 1, raw)


@EACH
def test_the_shown_digits_give_the_shown_result(name: str, rows: str, batches: str) -> None:
    found = lesson(name, rows, batches)
    shown = Context(found, View())
    for q in scaling_steps(found):
        tree = derive(found.trace, q).tree
        digits = shown.formulas.digits(tree, found.trace.value(q))
        assert digits.give, q
        rounded = partial(number.rounded, decimals=shown.decimals, more=digits.more)
        typed = float(evaluate(tree, Rounded(found.trace, rounded)))
        assert number.gives(typed, found.trace.value(q), shown.decimals), q


def test_the_sum_over_many_samples_is_elided_and_says_of_how_many_terms() -> None:
    found = lesson("standardize", "many", "online")
    said = [step_page(Context(found, View()), n).formulas[0] for n in (1, 2)]
    mean, sd = ("".join(line.math for line in formula.lines) for formula in said)
    assert "197 more terms" in mean
    assert "199 more terms" in sd
    assert all("<mn>200</mn>" in text for text in (mean, sd))
    assert ">train<" in mean, "the mean is not of the one sample of this iteration"
    assert ">raw<" in "".join(lesson_line(found, 5))


def lesson_line(found: Lesson, n: int) -> list[str]:
    return [line.math for line in step_page(Context(found, View()), n).formulas[0].lines]


# ---- the walk ----


@EACH
def test_each_statistic_and_each_input_of_each_sample_is_a_step(
    name: str, rows: str, batches: str
) -> None:
    found = lesson(name, rows, batches)
    samples = range(1, found.trace.samples + 1) if found.trace.samples > 1 else (0,)
    want = [Quantity(kind, 0, i) for i in (1, 2) for kind in STATISTICS[name]]
    want += [Quantity("x", 0, i, 0, s) for s in samples for i in (1, 2)]
    walk = found.walk("number")
    assert [walk.anchor(n) for n in range(1, len(want) + 1)] == want
    assert [walk.step_of(q) for q in want] == list(range(1, len(want) + 1))
    assert walk.anchor(len(want) + 1).kind == "z"
    layers = found.walk("layer")
    assert isinstance(layers, LayerWalk)
    assert [stage.kind for stage in layers.stages][:4] == [*STATISTICS[name], "x", "z"]
    assert found.walk("pass").phase(1) == SCALE
    assert not walk.known(want[-1], len(want) - 1)


def test_the_steps_after_them_are_those_without_them() -> None:
    for grain in GRAINS:
        with_them = lesson("min_max", "some", "full").walk(grain)
        without = open_lesson(with_lesson(), scaling=False).walk(grain)
        more = len(with_them) - len(without)
        assert more == {"number": 4 + 2 * 9, "layer": 3, "pass": 1}[grain]
        assert [with_them.anchor(n + more) for n in range(1, len(without) + 1)] == [
            without.anchor(n) for n in range(1, len(without) + 1)
        ]


def with_lesson() -> reader.Scenario:
    return lesson("min_max", "some", "full").scenario


def test_a_list_of_lessons_counts_them() -> None:
    found = length(with_lesson())
    assert found is not None
    assert found.steps == len(lesson("min_max", "some", "full").walk("number"))


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("notation", PRESETS)
def test_every_step_has_a_page_in_every_grain_and_notation(name: str, notation: str) -> None:
    for grain in GRAINS:
        found = lesson(name, "some", "full")
        shown = Context(found, View(grain=grain, notation=notation))
        last = next(last for phase, _, last in shown.walk.phases() if phase == SCALE)
        for n in range(1, last + 2):
            _says_what_it_makes(step_page(shown, n))


def _says_what_it_makes(body: StepPage) -> None:
    assert body.title[0].isupper()
    assert body.why.endswith(".")
    assert 20 < len(body.why) < 420
    assert body.makes
    tables = [*body.tables.by_row, *(t for _, row in body.tables.by_matrix for t in row)]
    cells = [cell for table in tables for row in table.rows for cell in row.cells]
    assert any(cell.state == "makes" for cell in cells), body.title
    assert all('aria-label="' in line.math for f in body.formulas for line in f.lines)


def test_the_diagram_shows_an_input_before_and_after() -> None:
    shown = Context(lesson("standardize", "some", "full"), View())
    first, scaled, later = (step_page(shown, n).diagram for n in (1, 5, 24))
    assert 'todo" data-q="x[1]@1"' in first
    assert 'data-q="raw[1]@1"' in first
    assert 'class="makes" data-q="x[1]@1"' in scaled.replace('makes small"', 'makes"')
    assert "raw[" not in later


def test_a_formula_is_read_out_in_words() -> None:
    shown = Context(lesson("min_max", "some", "full"), View())
    smallest, scaled = (step_page(shown, n).formulas[0].lines[0].math for n in (1, 5))
    said = "the smallest of raw 1 of sample 1, raw 1 of sample 2, and so on and raw 1 of sample 9"
    assert said in smallest
    assert "raw 1 of sample 1 minus minimum 1" in scaled
    assert "maximum 1 minus minimum 1" in scaled


# ---- addresses ----


def makes(address: str) -> str:
    """What the step at an address makes."""
    found = page(address).root.one("h1", id="title").attributes
    n, total = int(found["data-n"] or 0), int(found["data-total"] or 0)
    view = View(scaling="scaling=steps" in address)
    walk = context(SCALED, view).walk
    assert total == len(walk)
    return str(walk.anchor(n))


def test_an_address_from_before_opens_the_step_that_it_opened() -> None:
    assert makes(f"/lessons/{SCALED}/steps/1") == "z[1][1]@1"
    assert makes(f"/lessons/{SCALED}/steps/229") == "loss-loss+"
    assert makes(f"/lessons/{SCALED}/steps/1?scaling=steps") == "mean[1]"
    assert makes(f"/lessons/{SCALED}/steps/253?scaling=steps") == "loss-loss+"
    plain = open_lesson(context(SCALED).lesson.scenario, scaling=False)
    kept, now = context(SCALED).lesson, "".join(data.as_json(plain))
    assert "".join(data.as_json(kept)) == now
    assert "raw" not in now


def test_the_first_page_leads_to_the_steps_that_scale() -> None:
    text = get(f"/lessons/{SCALED}").text
    for grain in ("", "grain=layer&amp;", "grain=pass&amp;"):
        assert f'href="/lessons/{SCALED}/steps/1?{grain}scaling=steps"' in text
    assert f"/lessons/{SCALED}/export?scaling=steps" in text
    assert "253 steps" in text


def test_a_scaled_number_of_an_older_address_leads_to_the_step_that_makes_it() -> None:
    answer = page(View().quantity(SCALED, "x[2]@1", 1)).root.one("p", cls="answer")
    (link,) = answer.all("a")
    assert link.text == "step 8, which scales it"
    assert makes(str(link.attributes["href"])) == "x[2]@1"


@pytest.mark.parametrize("step", [None, 9, 253])
@pytest.mark.parametrize("name", ["raw[1]@1", "raw[3]@6", "mean[1]", "sd[2]", "x[1]@1", "x[3]@6"])
def test_every_number_answers_where_it_comes_from(name: str, step: int | None) -> None:
    found = page(View(scaling=True).quantity(SCALED, name, step)).root
    text = " ".join(found.one("main").text.split())
    if name.startswith("raw"):
        assert "It comes with the data" in text
        assert "before scaling" in text
    elif step != 9 or name != "x[3]@6":
        n = context(SCALED, View(scaling=True)).walk.step_of(parse(name))
        assert f"step {n}" in text
    else:
        assert "Not computed yet at step 9" in text


def test_links_and_the_form_keep_the_choice() -> None:
    text = get(f"/lessons/{SCALED}/steps/30?scaling=steps").text
    assert 'href="31?scaling=steps"' in text
    assert '<input type="hidden" name="scaling" value="steps">' in text
    assert "scaling=steps" in text.split('id="share"')[1][:200]


def test_a_lesson_that_scales_nothing_says_so() -> None:
    text = get("/lessons/xor/steps/1?scaling=steps").text
    assert "This lesson does not scale its inputs, so there are no such steps." in text
    assert "scaling “maybe” is not known" in get(f"/lessons/{SCALED}/steps/1?scaling=maybe").text
    assert "scaling=steps" not in get("/lessons/xor").text
    assert get("/lessons/xor/export/numpy?scaling=steps").status_code == 400


def test_a_changed_input_is_marked_before_scaling_and_moves_the_others() -> None:
    text = get(f"/lessons/{SCALED}/steps/7?scaling=steps&x[1]@1=200").text
    assert "raw[1]@1 was 180" in text
    cells = {str(td.attributes.get("data-q")): td for td in read(text).root.all("td")}
    assert cells["mean[1]"].text.startswith("153.3333")
    assert cells["x[1]@1"].one("del").text.strip() == "was 0.2928"


# ---- files ----


def run(text: str) -> None:
    exec(compile(text, "script", "exec"), {"__name__": "__main__"})  # noqa: S102 - our own script


@EACH
def test_the_scripts_scale_the_inputs_themselves_and_agree(
    name: str, rows: str, batches: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = lesson(name, rows, batches, 2)
    for write in (numpy_script, torch_script):
        text = write(found)
        assert "raw = " in text
        assert "\nx = (raw - " in text
        assert "x = np.array" not in text
        assert (
            "train = " in text if ("train", 0) in found.trace else "train" not in text.split('"')[0]
        )
        if write is torch_script and not INSTALLED:
            continue
        run(text)
        assert "numbers agree" in capsys.readouterr().out


@pytest.mark.parametrize("name", STATISTICS)
def test_the_scripts_of_a_run_scale_the_inputs_themselves_and_end_with_the_same_weights(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = lesson(name, "split", "shuffled", 5)
    for write in (numpy_run, torch_run):
        text = write(found)
        assert "raw = " in text
        assert "\nx = (raw - " in text
        if write is torch_run and not INSTALLED:
            continue
        run(text)
        assert "numbers agree" in capsys.readouterr().out
    kept = numpy_run(open_lesson(found.scenario, 5, scaling=False))
    assert "raw = " not in kept


def test_the_notebook_has_the_formulas_and_agrees(capsys: pytest.CaptureFixture[str]) -> None:
    book = json.loads(notebook(lesson("standardize", "some", "full")))
    cells = {cell["id"]: "".join(cell["source"]) for cell in book["cells"]}
    assert (
        r"\mathrm{sd} &= \sqrt{\frac{\sum_m (\mathrm{raw} - \mathrm{mean})^{2}}{9}}"
        in cells["about-scale"]
    )
    assert r"x &= \frac{\mathrm{raw} - \mathrm{mean}}{\mathrm{sd}}" in cells["about-scale"]
    run("\n".join("".join(c["source"]) for c in book["cells"] if c["cell_type"] == "code"))
    assert "numbers agree" in capsys.readouterr().out


@EACH
def test_data_files_have_every_number_in_the_order_of_the_walk(
    name: str, rows: str, batches: str
) -> None:
    found = lesson(name, rows, batches)
    quantities: dict[str, float] = json.loads("".join(data.as_json(found)))["quantities"]
    assert {q: found.trace.value(parse(q)) for q in quantities} == quantities
    made = [q for q in quantities if not parse(q).given or parse(q).kind == "x"]
    walk = found.walk("number")
    steps = [str(walk.anchor(n)) for n in range(1, len(walk) + 1)]
    assert [q for q in made if q in set(steps)] == [q for q in steps if q in quantities]
    assert {"raw", "x", *STATISTICS[name]} <= {parse(q).kind for q in quantities}
    rows_of_csv = list(csv.DictReader("".join(data.as_csv(found)).splitlines()))
    assert [row["quantity"] for row in rows_of_csv] == list(quantities)
    of_training = [row for row in rows_of_csv if row["kind"] == "train" and found.batch]
    assert {int(row["data_sample"]) - 1 for row in of_training} <= {
        int(row) for row in dataset(found.scenario).training
    }
    assert {row["layer"] for row in rows_of_csv if row["kind"] in STATISTICS[name]} == {""}


def test_documents_begin_with_the_raw_inputs_and_the_scaling() -> None:
    shown = Context(lesson("min_max", "some", "full"), View(grain="layer"))
    text = "".join(document(shown))
    assert r"\section*{Scaling}" in text
    assert r"\mathrm{raw}" in text
    assert r"\min_{\text{samples}}" in text
    worked = get(f"/lessons/{SCALED}/export/html?scaling=steps&grain=layer").text
    assert "Scaled values of the inputs" in worked
    assert "not yet" not in worked
    sheet = get(f"/lessons/{SCALED}/export/worksheet?scaling=steps&grain=layer&blanks=scale").text
    assert 'class="blank"' in sheet


def test_a_lesson_without_scaling_has_no_such_phase_to_choose() -> None:
    assert 'value="scale"' in get(f"/lessons/{SCALED}/export?scaling=steps").text
    for address in (f"/lessons/{SCALED}/export", "/lessons/xor/export"):
        assert 'value="scale"' not in get(address).text


# ---- what files may say of them ----

CHECKED = """\
checks:
  - {quantity: "mean[1]", equals: "({raw[1]@1} + {raw[1]@2}) / 2"}
  - {quantity: "x[1]@2", equals: "({raw[1]@2} - {mean[1]}) / {sd[1]}"}
notes:
  - {at: "sd[2]", text: "Divided by 2, not by 1."}
"""


def scaled_text(name: str, more: str = "") -> str:
    data_rows = DATA["few"]
    return f"{HEAD}{data_rows}  scale: {name}\ntraining: {{learning_rate: 0.5}}\n{more}"


def test_a_file_may_have_closed_forms_and_notes_at_these_steps(tmp_path: Any) -> None:
    (tmp_path / "checked.yaml").write_text(scaled_text("standardize", CHECKED), encoding="utf-8")
    app = create_app(tmp_path)
    walk = open_lesson(reader.load(tmp_path / "checked.yaml")).walk("number")
    n = walk.step_of(parse("sd[2]"))
    assert "Divided by 2" in get(f"/lessons/checked/steps/{n}?scaling=steps", app).text
    assert "(raw[1]@1 + raw[1]@2) / 2" in get("/lessons/checked/steps/1?scaling=steps", app).text
    for address in ("/lessons/checked/steps/1", "/lessons/checked", "/lessons/checked/steps/9"):
        assert get(address, app).status_code == 200


@pytest.mark.parametrize(
    ("name", "quantity", "why"),
    [
        ("standardize", "min[1]", "with scale: standardize there are mean and sd"),
        ("min_max", "sd[1]", "with scale: min_max there are min and max"),
        ("min_max", "min[3]", "there are 2 inputs"),
        ("min_max", "raw[1]@3", "there are 2 samples"),
        ("min_max", "train[1]@1", "a file speaks of the samples of an iteration"),
        ("", "mean[1]", "its inputs are not scaled"),
    ],
)  # fmt: skip
def test_a_number_that_the_lesson_lacks_is_refused_with_the_reason(
    name: str, quantity: str, why: str
) -> None:
    text = scaled_text(name or "min_max", f'checks: [{{quantity: "{quantity}", equals: "1"}}]\n')
    text = text if name else text.replace("  scale: min_max\n", "")
    with pytest.raises(reader.ScenarioError) as caught:
        reader.parse(text, "scaled.yaml")
    assert f"there is no {quantity} here: {why}" in str(caught.value.problems[0])


def test_in_a_folder_of_pages_both_walks_have_their_files() -> None:
    for query, want in (
        ("", "steps/3.html"),
        ("?scaling=steps", "steps/scaling/3.html"),
        ("?grain=layer&scaling=steps", "steps/scaling/layer/3.html"),
    ):
        assert site_paths.path(f"/lessons/a/steps/3{query}") == f"lessons/a/{want}"
    assert site_paths.path("/lessons/a?scaling=steps") == "lessons/a.html"
