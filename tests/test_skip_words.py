"""Skip connections and derivatives by the inputs as they are read: names, words, formulas, tables,
pages and files.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from flask import Flask

from app import create_app
from tests.htmltree import read
from tests.visiting import get
from tutor.cli.transcript import paragraphs
from tutor.engine.derivation import derive, derive_stage, result
from tutor.engine.kinds import KINDS, SCALE
from tutor.engine.quantity import Quantity, parse
from tutor.engine.tree import evaluate
from tutor.lesson import explain as words
from tutor.lesson.explain import explain, explain_stage
from tutor.lesson.reasons import REASONS, reasons_of
from tutor.lesson.titles import TITLES, layer_title, words_of
from tutor.lesson.walk import GRAINS, LayerWalk, Lesson, NumberWalk, open_lesson
from tutor.notation.conventions import PRESETS, Alphabet, notation
from tutor.notation.latex import Latex
from tutor.notation.mathml import MathML, role
from tutor.notation.plain import PlainText
from tutor.notation.speech import Words
from tutor.pages.cells import Table, TableMaker
from tutor.pages.context import Context
from tutor.pages.outline import outline, places
from tutor.pages.tables import StepTables, tables
from tutor.pages.view import View
from tutor.scenario.reader import parse as parse_file

ONE, THREE = "inputs: [[1.0, 0.5]]", "inputs: [[1.0, 0.5], [-0.5, 2], [0.2, -1]]"
TANH = "{units: 2, activation: tanh, weights: [[0.4, -0.3], [0.2, 0.5]], biases: [0.1, -0.1]%s}"
RELU = "{units: 2, activation: relu, weights: [[0.3, 0.8], [-0.5, 0.6]], biases: [0.05, 0.2]%s}"
SOFT = "{units: 2, activation: softmax, weights: [[0.3, 0.8], [-0.5, 0.6]], biases: none%s}"
SIGMOID = "{units: 1, activation: sigmoid, weights: [[0.7, -0.4]], biases: [0.1]}"
LINEAR = "{units: 2, activation: identity, weights: [[0.7, -0.4], [0.1, 0.2]], biases: [0.1, 0]%s}"
BINARY, CROSS, SQUARED = "binary_cross_entropy", "cross_entropy", "squared_error"


def _file(layers: list[str], loss: str, inputs: str = ONE, reduction: str = "") -> str:
    """A lesson with two inputs, whose derivatives are steps."""
    count = 3 if inputs == THREE else 1
    target = "[1]" if "units: 1" in layers[-1] else "[1, 0]"
    return "\n".join([
        "format: 1", "title: A residual lesson", "network:", "  inputs: 2", "  layers:",
        *(f"    - {layer}" for layer in layers),
        f"  loss: {{name: {loss}{reduction}}}",
        f"data: {{{inputs}, targets: [{', '.join([target] * count)}]}}",
        "training: {learning_rate: 0.5}", "display: {input_gradients: true}", "",
    ])  # fmt: skip


FILES = {
    "around-one": _file([TANH % "", RELU % ", skip: 1", SIGMOID], BINARY),
    "around-one-batch": _file([TANH % "", RELU % ", skip: 1", SIGMOID], BINARY, THREE),
    "from-the-input": _file([TANH % ", skip: 1", RELU % "", SIGMOID], BINARY),
    "around-two": _file(
        [TANH % "", RELU % "", LINEAR % ", skip: 2", SIGMOID], BINARY, THREE, ", reduction: sum"
    ),
    "two-from-the-input": _file([TANH % ", skip: 1", RELU % ", skip: 2", SIGMOID], BINARY),
    "softmax-above": _file([TANH % "", RELU % ", skip: 1", SOFT % ""], CROSS, THREE),
    "around-softmax": _file([SOFT % ", skip: 1", SIGMOID], BINARY),
    "at-the-output": _file([TANH % "", LINEAR % ", skip: 1"], SQUARED, THREE),
    "one-layer": _file([LINEAR % ", skip: 1"], SQUARED, THREE),
}
NAMES = sorted(FILES)


@cache
def lesson(name: str) -> Lesson:
    """A lesson of this file."""
    return open_lesson(parse_file(FILES[name], f"{name}.yaml"))


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """An application over these lessons."""
    folder: Path = tmp_path_factory.mktemp("shelf")
    for name, text in FILES.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return create_app(folder)


def tables_at(name: str, q: str, preset: str = "brackets", grain: str = "number") -> StepTables:
    """The tables at the step that makes a number."""
    context = Context(lesson(name), View(grain=grain, notation=preset))
    return tables(TableMaker(context, context.step(context.step_of(parse(q)))))


def _rows(table: Table) -> dict[str, tuple[str, ...]]:
    return {str(row.header): tuple(cell.text for cell in row.cells) for row in table.rows}


# ---- words ----


@pytest.mark.parametrize("name", NAMES)
def test_every_number_has_a_title_a_sentence_and_a_tree_that_gives_it(name: str) -> None:
    trace = lesson(name).trace
    for q in lesson(name).walk("number").order:
        said = explain(trace, q)
        assert said.title[0].isupper(), q
        assert said.why.endswith((".", "!", "?")), q
        tree = derive(trace, q).tree
        assert np.isclose(evaluate(tree, trace), trace.value(q), rtol=1e-12, atol=1e-15), q


@pytest.mark.parametrize("name", NAMES)
def test_every_matrix_has_a_title_a_sentence_and_a_tree_that_gives_it(name: str) -> None:
    trace, walk = lesson(name).trace, lesson(name).walk("layer")
    assert isinstance(walk, LayerWalk)
    for stage in walk.stages:
        said = explain_stage(trace, stage)
        assert said.title[0].isupper(), stage
        assert said.why.endswith((".", "?")), stage
        assert "{" not in said.title + said.why, stage
        found = derive_stage(trace, stage)
        made = (
            trace.value(Quantity(stage.kind)) if stage.single else result(trace, stage).value(trace)
        )
        assert np.allclose(evaluate(found.tree, trace), made, rtol=1e-12, atol=1e-15), stage


@pytest.mark.parametrize("grain", ["number", "layer"])
@pytest.mark.parametrize("name", NAMES)
def test_each_word_is_explained_once(name: str, grain: str) -> None:
    trace, walk = lesson(name).trace, lesson(name).walk(grain)
    if isinstance(walk, LayerWalk):
        terms = [explain_stage(trace, stage).term for stage in walk.stages]
    else:
        assert isinstance(walk, NumberWalk)
        terms = [explain(trace, q).term for q in walk.order]
    said = Counter(term[0] for term in terms if term)
    learning = {"d", "penalty", "lr", "gnorm", "m.w", "v.w"}
    elsewhere = learning | {kind for kind in words.TERMS if KINDS[kind].phase == SCALE}
    wanted = {word for kind, (word, _) in words.TERMS.items() if kind not in elsewhere}
    assert said == Counter(wanted)
    first = next(n for n, term in enumerate(terms, 1) if term and term[0] == "skip connection")
    assert walk.anchor(first).kind == "r"


def test_the_words_of_a_sum_say_where_it_comes_from_and_what_it_is_good_for() -> None:
    trace = lesson("around-one").trace
    said = explain(trace, parse("r[2][1]"))
    assert said.title == "Skip-connection sum of unit 1 of hidden layer 2"
    assert "adds the activation of unit 1 of hidden layer 1" in said.why
    assert "unchanged" in said.why
    assert "adds input 2" in explain(lesson("from-the-input").trace, parse("r[1][2]")).why
    assert "hidden layers 2 and 3" in explain(lesson("around-two").trace, parse("r[3][1]@1")).why
    again = explain(lesson("two-from-the-input").trace, parse("r+[2][1]"))
    assert again.title.startswith("New ")
    assert "input 1" in again.why


def test_the_paths_back_are_told_and_added_up() -> None:
    trace = lesson("around-one").trace
    back = explain(trace, parse("dL/da[1][2]")).reason
    assert "both units of hidden layer 2" in back
    assert "all paths" in back
    assert "also adds it to the activation of unit 2 of hidden layer 2" in back
    assert "unchanged" in explain(trace, parse("dL/da[2][1]")).why
    twice = explain(lesson("two-from-the-input").trace, parse("dL/da[0][1]")).why
    assert "unit 1 of hidden layer 1 and unit 1 of hidden layer 2" in twice


def test_a_derivative_with_respect_to_an_input_says_that_nothing_is_updated_with_it() -> None:
    said = explain(lesson("around-one").trace, parse("dL/da[0][2]"))
    assert said.title == "Loss gradient at input 2"
    assert "Nothing is updated" in said.reason
    walk = lesson("around-one").walk("layer")
    assert isinstance(walk, LayerWalk)
    stage = walk.stages[walk.step_of(parse("dL/da[0][1]")) - 1]
    assert explain_stage(walk.trace, stage).title == "Loss gradient at the inputs"
    assert layer_title(walk.trace.network, stage) == "Inputs"


def test_behind_a_skip_connection_the_sum_is_the_output() -> None:
    trace = lesson("at-the-output").trace
    assert (
        explain(trace, parse("r[2][1]@1")).title
        == "Output 1: activation plus skip connection, sample 1"
    )
    assert "network's answer" in explain(trace, parse("r[2][1]@1")).why
    assert explain(trace, parse("a[2][1]@1")).title == "Activation of output 1, sample 1"
    assert "starts at the loss" in explain(trace, parse("dL/dr[2][1]@1")).why
    assert "starts at the loss" not in explain(trace, parse("dL/da[2][1]@1")).why


def test_every_computed_kind_has_words() -> None:
    for kind in KINDS.values():
        if not kind.given:
            name = kind.name if kind.name in TITLES else kind.before
            assert words_of(kind.name) is TITLES[name]
            assert reasons_of(kind.name) is REASONS[name]


# ---- symbols ----

SYMBOLS = {
    "brackets": ("r_2^[2]", "∂L/∂r_2^[2]", "∂L/∂x_2"),
    "letters": ("r_2^(2)", "∂L/∂r_2^(2)", "∂L/∂x_2"),
    "parentheses": ("r_2^(2)", "∂L/∂r_2^(2)", "∂L/∂x_2"),
    "left_superscripts": ("r_2^(2)", "∂ℒ/∂r_2^(2)", "∂ℒ/∂x_2"),
}


@pytest.mark.parametrize("preset", PRESETS)
def test_the_symbols_of_the_sum_and_of_the_derivatives(preset: str) -> None:
    alphabet = Alphabet.of(notation(preset), lesson("around-one").trace.network, 1)
    write = PlainText(alphabet, 4)
    assert (
        tuple(write.name(parse(q)) for q in ("r[2][2]", "dL/dr[2][2]", "dL/da[0][2]"))
        == SYMBOLS[preset]
    )


def test_latex_and_speech_of_the_new_symbols() -> None:
    network = lesson("around-one").trace.network
    alphabet = Alphabet.of(notation("brackets"), network, 1)
    assert Latex(alphabet, 4).name(parse("dL/dr[2][1]")) == r"\frac{\partial L}{\partial r_1^{[2]}}"
    assert Latex(alphabet, 4).matrix_name("dL/da", 0) == r"\frac{\partial L}{\partial \mathbf{x}}"
    spoken = Words(alphabet, 4)
    assert spoken.name(parse("r[2][1]")) == "r 1 of layer 2"
    assert spoken.name(parse("dL/da[0][1]")) == "derivative of L with respect to x 1"
    assert spoken.name(parse("r+[2][1]")) == "r 1 of layer 2 after the update"
    assert role("r") == role("r+") == role("a")
    assert role("dL/dr") == role("dL/da")
    assert 'class="a"' in MathML(alphabet, 4).name(parse("r[2][1]"))


def test_the_output_behind_a_skip_connection_has_the_letter_of_outputs() -> None:
    network = lesson("at-the-output").trace.network
    write = PlainText(Alphabet.of(notation("brackets"), network, 1), 4)
    assert write.name(Quantity("r", 2, 1)) == "ŷ_1"
    assert write.name(Quantity("a", 2, 1)) == "a_1^[2]"
    plain = PlainText(Alphabet.of(notation("brackets", {"output": "a"}), network, 1), 4)
    assert plain.name(Quantity("r", 2, 1)) == "r_1^[2]"


# ---- tables ----


def test_the_units_have_columns_for_the_sum() -> None:
    (units,) = tables_at("around-one", "r[2][1]").by_row
    assert units.columns == ("z", "a", "r")
    assert _rows(units)["unit 1 of hidden layer 1"] == ("0.35", "0.3364", "–")
    assert _rows(units)["unit 1 of hidden layer 2"] == ("0.4200", "0.4200", "0.7564")
    assert _rows(units)["output"] == ("", "", "–")
    back = tables_at("around-one", "dL/da[0][2]").by_row[0]
    assert back.columns == ("a", "∂L/∂r", "∂L/∂a", "∂a/∂z", "∂L/∂z")
    assert _rows(back)["input 2"] == ("0.5", "–", "0.1326", "–", "–")
    assert _rows(back)["unit 2 of hidden layer 2"][1:3] == ("0.1604", "0.1604")
    after = tables_at("around-one", "r+[2][1]").by_row[0]
    assert after.columns == ("z", "new z", "a", "new a", "r", "new r")


def test_samples_of_one_layer_are_shown_with_their_sums_or_unit_by_unit() -> None:
    (samples,) = (table for table in tables_at("one-layer", "r[1][1]@2").by_row)
    assert samples.caption == "Samples"
    assert len(samples.rows) == 3
    assert [cell.name for cell in samples.rows[0].cells][2:8] == [
        "z[1][1]@1", "z[1][2]@1", "a[1][1]@1", "a[1][2]@1", "r[1][1]@1", "r[1][2]@1",
    ]  # fmt: skip
    back = tables_at("one-layer", "dL/da[0][1]@2").by_row[0]
    assert back.columns[1:3] == ("∂L/∂r", "∂L/∂a")
    assert _rows(back)["input 1"][2]


def test_strips_have_the_sum_and_the_derivatives_by_it_and_by_the_inputs() -> None:
    (forward,) = tables_at("around-one-batch", "r[2][1]@1", "letters").by_matrix
    assert [table.caption for table in forward[1]] == [
        "Inputs", "Weights", "Biases", "Linear", "Hidden", "Weights", "Biases", "Linear", "Activation", "With skip",
        "Weights", "Biases", "Linear", "Output", "Labels",
    ]  # fmt: skip
    assert forward[1][9].shape == "3×2"
    assert forward[1][9].rows[0].cells[0].name == "r[2][1]@1"
    back = dict(tables_at("around-one-batch", "dL/da[0][1]@1", "letters").by_matrix)["Gradients"]
    assert back[0].rows[0].cells[0].name == "dL/da[0][1]@1"
    assert "dL/dr[2][1]@1" in [table.rows[0].cells[0].name for table in back]
    verify = tables_at("around-one-batch", "r+[2][1]@1", "letters").by_matrix[0][1]
    assert "r+[2][1]@1" in [table.rows[0].cells[0].name for table in verify]


# ---- the way through ----


def test_the_outline_leads_to_the_sum_and_to_the_inputs() -> None:
    opened = Context(lesson("around-one"), View(grain="layer"))
    (backward,) = (
        chapter
        for chapter in outline(places(opened.walk, opened.line), 1, str)
        if chapter.title == "Backward pass"
    )
    labels = [link.text for link in backward.links]
    assert "Hidden layer 2: loss gradient at the sums" in labels
    assert "Hidden layer 2: loss gradient" in labels
    assert labels[-1] == "Inputs: loss gradient at the inputs"
    assert len(labels) == len(set(labels))


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("name", NAMES)
def test_the_transcript_goes_from_the_first_step_to_the_last(name: str, grain: str) -> None:
    found = list(paragraphs(lesson(name), grain, notation("brackets"), 4))
    assert len(found) == len(lesson(name).walk(grain))
    assert any(by in paragraph for paragraph in found for by in ("∂L/∂x", "∂L/∂X"))
    assert all("dL/dr" not in paragraph.partition("\n")[2] for paragraph in found)


PAGES = [
    *((name, grain, "brackets") for name in NAMES for grain in GRAINS),
    *(
        (name, "layer", preset)
        for name in ("around-one-batch", "at-the-output")
        for preset in PRESETS
        if preset != "brackets"
    ),
]


@pytest.mark.parametrize(("name", "grain", "preset"), PAGES)
def test_every_step_is_a_page(name: str, grain: str, preset: str, shelf: Flask) -> None:
    walk = lesson(name).walk(grain)
    chosen = range(1, len(walk) + 1)
    if grain == "number":  # one of each kind and layer
        chosen = sorted(
            {(q.kind, q.layer): n for n, q in enumerate(map(walk.anchor, chosen), 1)}.values()
        )
    for n in chosen:
        asked = f"/lessons/{name}/steps/{n}?grain={grain}&notation={preset}"
        answer = shelf.test_client().get(asked, follow_redirects=True)
        assert answer.status_code == 200, (n, str(walk.anchor(n)))
        for table in read(answer.get_data(as_text=True)).root.all("table"):
            assert [*table.all("caption")] or "aria-label" in table.attributes, n
            assert all("scope" in head.attributes for head in table.all("th")), n


def test_the_first_page_tells_of_the_skip_connection(shelf: Flask) -> None:
    assert "from layer 1 to layer 2" in get("/lessons/around-one", shelf).get_data(as_text=True)
    assert "from the inputs to layer 1; from the inputs to layer 2" in get(
        "/lessons/two-from-the-input", shelf
    ).get_data(as_text=True)
