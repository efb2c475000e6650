"""Tables fill up as the walk goes on: what has been computed stands there, what has not is visibly
empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.htmltree import Element, read
from tests.visiting import NAMES, WALKS, context, deep_network, get, scenario, steps, texts
from tutor import number
from tutor.engine.quantity import Quantity, parse
from tutor.export.latex_document import document
from tutor.export.worked import Sheet, worked
from tutor.lesson.walk import open_lesson
from tutor.notation.conventions import PRESETS
from tutor.pages.cells import GAP, Cell, Table, some
from tutor.pages.context import Context
from tutor.pages.overview import given as given_matrices
from tutor.pages.step_page import StepPage, step_page
from tutor.pages.view import View
from tutor.scenario.reader import parse as read_scenario

VERIFIED = {"z+", "a+", "loss+", "loss-loss+", "(loss-loss+)/loss"}
STATES = {"", "todo", "uses", "makes", "gap"}


def all_tables(shown: StepPage) -> list[Table]:
    return [
        *shown.tables.by_row,
        *(table for _, matrices in shown.tables.by_matrix for table in matrices),
    ]


def cells(shown: StepPage) -> Iterator[Cell]:
    for table in all_tables(shown):
        for row in table.rows:
            yield from row.cells


def views(name: str) -> list[View]:
    return [
        View(grain=grain, notation=notation)
        for grain in ("number", "layer", "pass")
        for notation in ("", "letters", "brackets")
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_cell_has_a_number_exactly_where_the_walk_has_come_by(name: str) -> None:
    counted = 0
    for view in views(name):
        opened = context(name, view)
        for n, shown in steps(name, view, every=3):
            for cell in cells(shown):
                assert cell.state in STATES
                if cell.state == "gap":
                    assert not cell.name
                    continue
                q = parse(cell.name)
                known = q.given or opened.walk.known(q, n)
                assert (cell.state != "todo") == known, (n, cell)
                assert bool(cell.text) == known
                if known:
                    counted += 1
                    digits = cell.text.replace(number.MINUS, "-")
                    assert float(digits) == float(
                        number.plain(opened.trace.value(q), opened.decimals)
                    ), (n, cell)
    assert counted > 20


@pytest.mark.parametrize("name", NAMES)
def test_numbers_of_the_verification_are_shown_in_the_verification_only(name: str) -> None:
    for view in views(name):
        opened = context(name, view)
        for n, shown in steps(name, view):
            if opened.walk.phase(n) != "verify":
                assert not [
                    cell
                    for cell in cells(shown)
                    if cell.text and cell.name and parse(cell.name).kind in VERIFIED
                ]
            if opened.walk.phase(n) in {"forward", "loss"}:
                assert not [
                    cell
                    for cell in cells(shown)
                    if cell.text and cell.name.startswith(("dL/", "da/", "w+", "b+"))
                ]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "perceptron-step"])
def test_the_new_number_is_marked_in_a_table_of_its_step(name: str) -> None:
    opened, missing = context(name), []
    for n, shown in steps(name):
        q = str(opened.walk.anchor(n))
        marked = [cell.name for cell in cells(shown) if cell.state == "makes"]
        assert set(marked) <= {
            q,
            *(str(made) for formula in shown.formulas for made in formula.makes),
        }
        if q not in marked:
            missing.append(q)
    kinds = {parse(q).kind for q in missing}
    assert kinds <= {"loss", "loss+", "da/dz", "loss-loss+", "dL/dw", "dL/db"}, missing
    assert len(missing) <= len(opened.walk) // 4, missing


@pytest.mark.parametrize("notation", ["", "letters"])
@pytest.mark.parametrize(("name", "grain"), WALKS)
def test_whatever_a_step_makes_has_a_cell(name: str, grain: str, notation: str) -> None:
    view = View(grain=grain, notation=notation)
    opened = context(name, view)
    for n, shown in steps(name, view):
        if opened.trace.stop and n == len(opened.walk):
            continue
        marked = {cell.name for cell in cells(shown) if cell.state == "makes"}
        assert marked, n
        if grain == "number":
            assert marked == set(map(str, shown.makes)), n


@pytest.mark.parametrize("preset", ["", "parentheses", "brackets"])
def test_the_slopes_of_a_softmax_are_a_matrix_that_fills_up(preset: str) -> None:
    opened = context("3-2-3-softmax", View(notation=preset))
    first = opened.walk.step_of(parse("da/dz[2][1,1]"))
    wanted = [[f"da/dz[2][{i},{j}]" for j in (1, 2, 3)] for i in (1, 2, 3)]
    for done in range(1, 10):
        shown = step_page(opened, first + done - 1)
        (square,) = (
            table
            for table in all_tables(shown)
            if table.shape == "3×3" and table.rows[0].cells[0].name == "da/dz[2][1,1]"
        )
        assert [[cell.name for cell in row.cells] for row in square.rows] == wanted
        states = [cell.state for row in square.rows for cell in row.cells]
        assert states == [""] * (done - 1) + ["makes"] + ["todo"] * (9 - done)
        if preset:
            quantity = opened.line.quantity
            assert square.columns == tuple(quantity(parse(f"z[2][{j}]")) for j in (1, 2, 3))
            assert [row.header for row in square.rows] == [
                quantity(parse(f"a[2][{i}]")) for i in (1, 2, 3)
            ]


SOFTMAX_BATCH = """\
format: 1
title: Three samples, two classes
network: {inputs: 1, layers: [{units: 2, activation: softmax, weights: [[0.5], [-1]], biases: [0.1, 0]}], loss: {name: cross_entropy}}
data: {inputs: [[1], [2], [-1]], targets: [[1, 0], [0, 1], [1, 0]]}
training: {learning_rate: 0.1}
"""


@pytest.mark.parametrize("notation", ["", "letters"])
@pytest.mark.parametrize(
    "layers", ["", "{units: 2, activation: tanh, weights: [[1], [2]], biases: none}, "]
)
def test_of_several_samples_each_number_has_a_cell_at_its_step(notation: str, layers: str) -> None:
    text = SOFTMAX_BATCH.replace("layers: [", f"layers: [{layers}")
    if layers:
        text = text.replace("[[0.5], [-1]]", "[[0.5, 1], [-1, 2]]")
    opened = Context(open_lesson(read_scenario(text, "batch.yaml")), View(notation=notation))
    for n in range(1, len(opened.walk) + 1):
        shown = step_page(opened, n)
        marked = {cell.name for cell in cells(shown) if cell.state == "makes"}
        assert marked == set(map(str, shown.makes)), n


def test_at_the_end_the_loss_has_what_it_fell_by_beside_it() -> None:
    opened = context("1-2-3-1-sigmoid")
    shown = step_page(opened, len(opened.walk))
    (losses,) = (table for table in all_tables(shown) if table.caption == "Loss")
    drop, part = parse("loss-loss+"), parse("(loss-loss+)/loss")
    assert losses.columns == (
        "before",
        "after",
        opened.line.quantity(drop),
        opened.line.quantity(part),
    )
    assert [cell.state for cell in losses.rows[0].cells] == ["uses", "uses", "makes", "makes"]
    before = step_page(opened, len(opened.walk) - 1)
    assert [table.columns for table in all_tables(before) if table.caption == "Loss"] == [
        ("before", "after")
    ]


def test_the_column_of_the_samples_losses_is_not_headed_as_the_loss_of_the_batch_is() -> None:
    opened = context("linear-regression")
    shown = step_page(opened, opened.walk.step_of(parse("loss")))
    samples, batch = (
        table for table in all_tables(shown) if "ℒ" in str(table.columns) or table.caption == "Loss"
    )
    assert (
        samples.columns[-1]
        == opened.formulas.line.matrix("loss", 0)
        != opened.formulas.line.quantity(parse("loss"))
    )
    assert [row.cells[-1].text for row in samples.rows] == ["0.25", "2.25", "6.25", "2.25"]
    assert [cell.text for row in batch.rows for cell in row.cells] == ["2.75"]


@pytest.mark.parametrize(("name", "grain"), WALKS)
def test_a_table_has_a_caption_headers_and_rows_of_one_length(name: str, grain: str) -> None:
    for _, shown in steps(name, View(grain=grain)):
        for table in all_tables(shown):
            assert table.caption or table.symbol
            assert table.rows
            widths = {len(row.cells) for row in table.rows}
            assert len(widths) == 1
            if table.columns:
                assert widths == {len(table.columns)}
                assert all(row.header for row in table.rows)
            else:
                assert table.symbol
                assert "×" in table.shape


@pytest.mark.parametrize("preset", PRESETS)
def test_what_is_empty_says_so_in_words_and_never_0(preset: str) -> None:
    view = View(notation="" if preset == "brackets" else preset)
    for _, text in texts("1-2-3-1-sigmoid", view, every=10):
        for cell in read(text).root.all("td", cls="todo"):
            assert cell.text == "not yet"


def test_the_letters_of_the_softmax_deck_are_the_tables_of_its_slide() -> None:
    root = read(get("/lessons/3-2-3-softmax/steps/12").text).root
    captions = [
        " ".join(table.elements[0].text.split()) for table in root.all("table", cls="matrix")
    ]
    for wanted in ("Inputs", "Weights", "Linear", "Hidden", "Logits", "Probs", "Labels"):
        assert any(caption.startswith(wanted) for caption in captions), captions
    assert any("(3×1)" in c or "(1×3)" in c for c in captions)


def test_matrices_of_a_deep_network_say_which_layers_they_are_of() -> None:
    opened = Context(open_lesson(deep_network(5)), View(notation="letters"))
    for n in range(1, len(opened.walk) + 1):
        shown = step_page(opened, n)
        for heading, matrices in shown.tables.by_matrix:
            layers = {
                parse(c.name).layer
                for m in matrices
                for row in m.rows
                for c in row.cells
                if parse(c.name).layer
            }
            assert all(re.search(rf"\b{layer}\b", heading) for layer in layers), (heading, layers)
            assert heading.endswith("of 5")


def test_several_samples_stand_in_rows() -> None:
    root = read(get("/lessons/linear-regression/steps/3").text).root
    rows = [row for table in root.all("table", cls="ledger") for row in table.all("tr")]
    assert [row.elements[0].text for row in rows if row.elements[0].tag == "th"][:4] == [
        f"sample {s}" for s in range(1, 5)
    ]


@given(
    count=st.integers(1, 2000),
    focus=st.lists(st.integers(-3, 2000), max_size=2),
    most=st.integers(6, 10),
)
def test_of_many_rows_the_first_the_last_and_those_in_focus_are_shown(
    count: int, focus: list[int], most: int
) -> None:
    rows = some(count, focus, most)
    kept = [row for row in rows if row != GAP]
    assert kept == sorted(set(kept))
    assert {1, count} | {f for f in focus if 1 <= f <= count} <= set(kept)
    assert len(kept) <= most + 2
    for before, row, after in zip(rows, rows[1:], rows[2:], strict=False):
        if row == GAP:
            assert after > before + 1
    assert (GAP in rows) == (len(kept) < count)


def _table_of(root: Element, start: str) -> Element:
    return next(table for table in root.all("table") if table.elements[0].text.startswith(start))


def test_a_table_fills_up_from_step_to_step() -> None:
    empty = []
    for n in range(1, 13):
        table = _table_of(read(get(f"/lessons/1-2-3-1-sigmoid/steps/{n}").text).root, "Units")
        empty.append(sum("todo" in cell.classes for cell in table.all("td")))
    assert empty == list(range(11, -1, -1))


# ---- matrices: what is drawn, its caption and its symbol ----

FILES = {
    "worked solution": Sheet(), "interactive": Sheet(interactive=True), "worksheet": Sheet(blanks="all"),
    "answer key": Sheet(blanks="all", answers=True),
}  # fmt: skip
LARGE = f"""
format: 1
title: Large
course: Tests
network:
  inputs: 9
  layers: [{{units: 8, activation: relu, init: {{scheme: he, seed: 1}}}}, {{units: 7, activation: identity, init: {{scheme: he, seed: 2}}}}]
  loss: {{name: squared_error}}
data: {{inputs: {[[0.1 * (i + s) for i in range(9)] for s in range(10)]}, targets: {[[0.5] * 7 for _ in range(10)]}}}
training: {{learning_rate: 0.1}}
"""


def in_notation(name: str, preset: str, **more: str) -> View:
    """The view of a lesson in a notation; its own is chosen by leaving it out."""
    return View(notation="" if preset == scenario(name).notation.preset else preset, **more)


def wrong_captions(page: Element) -> list[str]:
    """Matrices that are drawn with other rows or columns than their caption says; what is left out
    is marked by gaps.
    """
    return [
        table.elements[0].named
        for table in page.all("table", cls="matrix")
        if not _is_as_captioned(table)
    ]


def _is_as_captioned(table: Element) -> bool:
    match = re.search(r"\((\d+)×(\d+)\)$", table.elements[0].named)
    rows = [list(row.all("td")) for row in table.all("tr")]
    return match is not None and all(
        len(kept) == int(count) if len(kept) == len(lines) else len(kept) < int(count)
        for count, lines in zip(match.groups(), (rows, list(zip(*rows, strict=True))), strict=True)
        for kept in [[line for line in lines if not all("gap" in cell.classes for cell in line)]]
    )


def shared_symbols(page: Element) -> list[str]:
    """Symbols, drawn or read out, that stand for two matrices of a page; and matrices of a strip
    that have one in common.
    """
    shared, meanings = [], dict[str, tuple[str, int]]()
    for strip in page.all("section", cls="strip"):
        tables = list(strip.all("table", cls="matrix"))
        for how in (lambda e: "".join(e.text.split()), lambda e: e.attributes["aria-label"]):
            symbols = [how(table.elements[0].one("math")) for table in tables]
            shared += [symbol for symbol in symbols if symbols.count(symbol) > 1]
            for symbol, table in zip(symbols, tables, strict=True):
                names = [
                    cell.attributes["data-q"]
                    for cell in table.all("td")
                    if "data-q" in cell.attributes
                ]
                meaning = (parse(names[0]).kind, parse(names[0]).layer) if names else None
                if meaning and meanings.setdefault(symbol, meaning) != meaning:
                    shared.append(symbol)
    return shared


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", NAMES)
def test_on_pages_a_matrix_is_drawn_as_its_caption_says_under_a_symbol_of_its_own(
    name: str, preset: str
) -> None:
    view = in_notation(name, preset, grain="layer")
    pages = [
        get(f"/lessons/{name}?notation={preset}").text,
        *(text for _, text in texts(name, view)),
    ]
    for root in (read(text).root for text in pages):
        assert wrong_captions(root) == []
        assert shared_symbols(root) == []


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", NAMES)
def test_in_files_a_matrix_is_drawn_as_its_caption_says_under_a_symbol_of_its_own(
    name: str, preset: str
) -> None:
    view = in_notation(name, preset, grain="layer")
    for kind, sheet in FILES.items():
        root = read("".join(worked(open_lesson(scenario(name)), view, sheet))).root
        assert list(root.all("table", cls="matrix")), kind
        assert wrong_captions(root) == [], kind
        assert shared_symbols(root) == [], kind


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", NAMES)
def test_latex_draws_the_given_matrices_in_the_shapes_of_the_page_under_symbols_of_their_own(
    name: str, preset: str
) -> None:
    opened = context(name, in_notation(name, preset))
    tex = "".join(document(opened, ()))
    found = re.findall(
        r"^\$\\displaystyle (.+) = \\begin\{bmatrix\} (.+) \\end\{bmatrix\}", tex, re.MULTILINE
    )
    shapes = [
        f"{body.count(chr(92) * 2) + 1}×{body.split(chr(92) * 2)[0].count('&') + 1}"
        for _, body in found
    ]
    assert shapes == [table.shape for table in given_matrices(opened)]
    symbols = [symbol for symbol, _ in found]
    assert len(set(symbols)) == len(symbols)


@pytest.mark.parametrize("preset", PRESETS)
def test_biases_stand_as_the_notation_stands_vectors(preset: str) -> None:
    tables = list(
        given_matrices(context("1-2-3-1-sigmoid", in_notation("1-2-3-1-sigmoid", preset)))
    )
    shapes = [table.shape for table in tables if table.caption.startswith("Biases")]
    assert shapes == (
        ["2×1", "3×1", "1×1"] if PRESETS[preset].vectors == "columns" else ["1×2", "1×3", "1×1"]
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_several_samples_stand_side_by_side_in_columns_and_below_each_other_in_rows(
    preset: str,
) -> None:
    inputs = next(
        given_matrices(context("linear-regression", in_notation("linear-regression", preset)))
    )
    names = [[parse(cell.name) for cell in row.cells] for row in inputs.rows]
    by_rows = [[Quantity("x", 0, i, 0, s) for i in (1, 2)] for s in (1, 2, 3, 4)]
    assert names == (
        [list(column) for column in zip(*by_rows, strict=True)]
        if PRESETS[preset].vectors == "columns"
        else by_rows
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_a_large_matrix_has_the_shape_of_all_of_it_in_its_caption(preset: str) -> None:
    tables = list(
        given_matrices(Context(open_lesson(read_scenario(LARGE, "large")), View(notation=preset)))
    )
    columns, turned = PRESETS[preset].vectors == "columns", PRESETS[preset].weights_turned
    wanted = [
        (columns, 10, 9),
        (turned, 8, 9),
        (columns, 1, 8),
        (turned, 7, 8),
        (columns, 1, 7),
        (columns, 10, 7),
    ]
    assert [table.shape for table in tables] == [
        f"{across}×{down}" if turn else f"{down}×{across}" for turn, down, across in wanted
    ]
    for table in tables:
        assert len(table.rows) == int(table.shape.split("×")[0]) or any(
            cell.state == "gap" for row in table.rows for cell in row.cells
        )


# ---- at the end: what the iteration changed ----


@pytest.mark.parametrize("notation", ["", "letters", "brackets"])
@pytest.mark.parametrize(("name", "grain"), WALKS)
def test_the_last_step_lists_every_parameter_before_its_gradient_and_after(
    name: str, grain: str, notation: str
) -> None:
    opened = context(name, View(grain=grain, notation=notation))
    trace, last = opened.trace, len(opened.walk)
    assert all(step_page(opened, n).closing is None for n in {1, last // 2, last - 1})
    end = step_page(opened, last)
    if trace.stop:
        assert end.closing is None
        return
    assert end.closing is not None
    assert end.closing.columns == ("before", "gradient", "after")
    assert (len(end.closing.rows), end.closing_note) == (trace.network.parameters, "")
    for row in end.closing.rows:
        before, gradient, after = (parse(cell.name) for cell in row.cells)
        assert row.header == opened.line.quantity(before)
        assert (gradient.of.by, after.of.before) == (before.of.name, before.of.name)
        for q, cell in zip((before, gradient, after), row.cells, strict=True):
            assert (q.layer, q.i, q.j, q.sample) == (before.layer, before.i, before.j, 0)
            assert cell.text == number.shown(trace.value(q), opened.decimals)


def test_of_a_large_network_the_last_step_lists_the_output_layer_and_says_so() -> None:
    opened = Context(open_lesson(deep_network(4, units=8)), View())
    end = step_page(opened, len(opened.walk))
    assert end.closing is not None
    assert end.closing.caption == "Weights and biases of the output layer"
    named = [parse(cell.name) for row in end.closing.rows for cell in row.cells if cell.name]
    assert {q.layer for q in named} == {4}
    assert "240 weights and biases" in end.closing_note


def test_what_does_not_learn_is_fixed_in_the_closing_table() -> None:
    text = (
        "format: 1\ntitle: Frozen\nnetwork:\n  inputs: 1\n  layers:\n"
        "    - {units: 1, activation: tanh, weights: [[0.5]], biases: [0.1], trainable: {weights: false}}\n"
        "    - {units: 1, activation: sigmoid, weights: [[0.5]], biases: [0.1]}\n"
        "  loss: {name: squared_error}\ndata: {inputs: [[1]], targets: [[1]]}\n"
        "training: {learning_rate: 0.5}\n"
    )
    opened = Context(open_lesson(read_scenario(text, "frozen.yaml")), View())
    end = step_page(opened, len(opened.walk))
    assert end.closing is not None
    fixed = [row for row in end.closing.rows if "fixed" in row.html]
    assert len(end.closing.rows) == 4
    assert [[cell.text for cell in row.cells] for row in fixed] == [["0.5", "fixed", "fixed"]]
