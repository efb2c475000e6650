"""Tables fill up as the walk goes on: what has been computed stands there, what has not is visibly empty."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.htmltree import Element, read
from tests.visiting import NAMES, WALKS, context, get, steps, texts
from tutor import number
from tutor.desk import GAP, Cell, Table, some
from tutor.notation import PRESETS
from tutor.page import StepPage
from tutor.quantity import parse
from tutor.view import View

VERIFIED = {"z+", "a+", "loss+", "loss-loss+", "(loss-loss+)/loss"}
STATES = {"", "todo", "uses", "makes", "gap"}


def all_tables(shown: StepPage) -> list[Table]:
    return [*shown.tables.ledgers, *(table for _, matrices in shown.tables.strips for table in matrices)]


def cells(shown: StepPage) -> Iterator[Cell]:
    for table in all_tables(shown):
        for row in table.rows:
            yield from row.cells


def views(name: str) -> list[View]:
    return [View(grain=grain, notation=notation) for grain in ("number", "layer", "pass") for notation in ("", "letters", "brackets")]


@pytest.mark.parametrize("name", NAMES)
def test_a_cell_has_a_number_exactly_where_the_walk_has_come_by(name: str) -> None:
    counted = 0
    for view in views(name):
        opened = context(name, view)
        for n, shown in list(steps(name, view))[::3]:
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
                    assert float(digits) == float(number.plain(opened.trace.value(q), opened.decimals)), (n, cell)
    assert counted > 20


@pytest.mark.parametrize("name", NAMES)
def test_numbers_of_the_verification_are_shown_in_the_verification_only(name: str) -> None:
    for view in views(name):
        opened = context(name, view)
        for n, shown in steps(name, view):
            if opened.walk.phase(n) != "verify":
                assert not [cell for cell in cells(shown) if cell.text and cell.name and parse(cell.name).kind in VERIFIED]
            if opened.walk.phase(n) in {"forward", "loss"}:
                assert not [cell for cell in cells(shown) if cell.text and cell.name.startswith(("dL/", "da/", "w+", "b+"))]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "perceptron-step"])
def test_the_new_number_is_marked_in_a_table_of_its_step(name: str) -> None:
    opened, missing = context(name), []
    for n, shown in steps(name):
        q = str(opened.walk.anchor(n))
        marked = [cell.name for cell in cells(shown) if cell.state == "makes"]
        assert set(marked) <= {q, *(str(made) for formula in shown.formulas for made in formula.makes)}
        if q not in marked:
            missing.append(q)
    kinds = {parse(q).kind for q in missing}
    assert kinds <= {"loss", "loss+", "da/dz", "loss-loss+", "dL/dw", "dL/db"}, missing
    assert len(missing) <= len(opened.walk) // 4, missing


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
    for _, text in list(texts("1-2-3-1-sigmoid", view))[::10]:
        for cell in read(text).root.all("td", cls="todo"):
            assert cell.text == "not yet"


def test_the_letters_of_the_softmax_deck_are_the_tables_of_its_slide() -> None:
    root = read(get("/lessons/3-2-3-softmax/steps/12").text).root
    captions = [" ".join(table.elements[0].text.split()) for table in root.all("table", cls="matrix")]
    for wanted in ("Inputs", "Weights", "Linear", "Hidden", "Logits", "Probs", "Labels"):
        assert any(caption.startswith(wanted) for caption in captions), captions
    assert any("(3×1)" in c or "(1×3)" in c for c in captions)


def test_several_samples_stand_in_rows() -> None:
    root = read(get("/lessons/linear-regression/steps/3").text).root
    rows = [row for table in root.all("table", cls="ledger") for row in table.all("tr")]
    assert [row.elements[0].text for row in rows if row.elements[0].tag == "th"][:4] == [f"sample {s}" for s in range(1, 5)]


@given(count=st.integers(1, 2000), focus=st.lists(st.integers(-3, 2000), max_size=2), most=st.integers(6, 10))
def test_of_many_rows_the_first_the_last_and_those_in_focus_are_shown(count: int, focus: list[int], most: int) -> None:
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
