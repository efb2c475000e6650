"""Rows of matrices stand under the columns of the diagram."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.htmltree import read
from tests.visiting import context, deep_network, get, steps
from tutor.draw.diagram import drawing
from tutor.lesson.walk import open_lesson
from tutor.pages.alignment import STEP, WIDTH, centres, slot_edges
from tutor.pages.context import Context
from tutor.pages.overview import beginning
from tutor.pages.step_page import StepPage, step_page
from tutor.pages.view import View

places = st.lists(
    st.tuples(st.floats(0.001, 0.999), st.integers(1, 80)),
    min_size=2,
    max_size=11,
    unique_by=lambda x: x[0],
).map(sorted)


@given(places)
def test_slots_are_as_wide_as_it_takes_and_never_over_one_another(
    columns: list[tuple[float, int]],
) -> None:
    middles, needs = zip(*columns, strict=True)
    edges = slot_edges(middles, needs)
    room = max(WIDTH, sum(needs))
    for need, (left, right) in zip(needs, edges, strict=True):
        assert 0 <= left <= right <= 100
        assert left % STEP == right % STEP == 0
        assert abs(right - left - 100 * need / room) <= STEP
    assert all(a[1] <= b[0] for a, b in pairwise(edges))


def test_slots_with_room_between_them_are_around_their_middles() -> None:
    middles, needs = (0.06, 0.2, 0.4, 0.58, 0.78, 0.93), (11, 12, 16, 13, 20, 8)
    for middle, (left, right) in zip(middles, slot_edges(middles, needs), strict=True):
        assert abs((left + right) / 2 - 100 * middle) <= STEP / 2
    assert slot_edges((0.5, 0.6), (20, 20)) == [(40, 60), (60, 80)]
    assert slot_edges((0.5, 0.9), (20, 40)) == [(40, 60), (60, 100)]


def test_a_place_has_the_middle_of_its_column() -> None:
    layout = drawing(beginning(context("3-2-3-softmax"))).layout
    found = centres(layout, 2, range(6))
    assert found == sorted(found)
    for place, column in zip((0, 2, 4), layout.columns, strict=True):
        assert found[place] == layout.centre(column) / layout.width
    assert layout.columns[1].entrance < found[1] * layout.width < layout.columns[1].x
    assert found[5] == layout.loss[0] / layout.width


def test_a_layer_that_is_not_drawn_has_a_place_between_those_that_are() -> None:
    opened = Context(open_lesson(deep_network(12)), View(notation="letters"))
    layout = drawing(beginning(opened)).layout
    assert len(layout.columns) < 13
    found = centres(layout, 12, range(26))
    assert found == sorted(found)


def rows(shown: StepPage) -> list[list[str]]:
    """The symbols of each slot, row by row, read out."""
    return [
        [
            " ".join(
                read(str(m.symbol)).root.one("math").attributes["aria-label"] for m in slot.matrices
            )
            for slot in row.slots
            if slot.css.startswith("slot")
        ]
        for row in shown.matrices
    ]


def test_the_row_of_the_softmax_deck_is_in_the_order_of_its_slide() -> None:
    opened = context("3-2-3-softmax")
    assert rows(step_page(opened, 3)) == [["X", "V", "Q H", "W", "Z P", "Y"]]
    forward, back = rows(step_page(opened, 17))
    assert forward == ["X", "V", "Q H", "W", "Z P", "Y"]
    names = [[name.split(" ")[4] for name in slot.split("derivative of ")[1:]] for slot in back]
    assert names == [[], ["V"], ["Q", "Q", "H"], ["W"], ["Z", "Z", "P"], []]


@pytest.mark.parametrize("grain", ["number", "layer", "pass"])
def test_both_rows_of_a_step_have_the_same_slots(grain: str) -> None:
    for _, shown in steps("3-2-3-softmax", View(grain=grain)):
        assert len({tuple(slot.css for slot in row.slots) for row in shown.matrices}) == 1
        for row, (heading, matrices) in zip(shown.matrices, shown.tables.by_matrix, strict=True):
            assert row.heading == heading
            assert tuple(m for slot in row.slots for m in slot.matrices) == matrices


def test_a_step_without_such_rows_has_no_ruler() -> None:
    for address, rulers in (("3-2-3-softmax/steps/17", 2), ("1-2-3-1-sigmoid/steps/17", 0)):
        root = read(get(f"/lessons/{address}").text).root
        found = list(root.all("svg", cls="ruler"))
        assert len(found) == rulers
        for ruler in found:
            assert ruler.attributes["viewbox"] == root.one("svg", cls="net").attributes["viewbox"]
