"""Tables as people type and paste them: separators, decimal commas, headers, ragged rows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.builder.grid import MOST_CELLS, Grid, lines, pasted


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("1,2\n3,4", (("1", "2"), ("3", "4"))),
        ("1, 2\r\n3, 4\r\n", (("1", "2"), ("3", "4"))),
        ("1;2\n3;4", (("1", "2"), ("3", "4"))),
        ("1,5;2\n3;4,25", (("1,5", "2"), ("3", "4,25"))),
        ("1\t2\n3\t4", (("1", "2"), ("3", "4"))),
        ("0,5\t1,5", (("0,5", "1,5"),)),
        ("1 2\n\n3   4\n", (("1", "2"), ("3", "4"))),
        ("0,5 1,5", (("0,5", "1,5"),)),
        ('"1","2"', (("1", "2"),)),
        ("", ()),
        (" \n ", ()),
        ("7", (("7",),)),
    ],
)
def test_a_text_is_taken_apart_at_its_own_separator(
    text: str, cells: tuple[tuple[str, ...], ...]
) -> None:
    assert lines(text) == cells
    assert Grid.of_text(text) == Grid(cells, text)


def test_a_first_line_of_words_is_left_out_and_said_so() -> None:
    found = pasted("height,weight\n1,2\n3,4", 2)
    assert found.cells == (("1", "2"), ("3", "4"))
    assert "height weight" in found.said
    assert "skipped" in found.said
    assert not found.problem


def test_ragged_rows_are_named_and_change_nothing() -> None:
    found = pasted("1,2\n3\n4,5,6", 2)
    assert not found.cells
    assert (
        found.problem
        == "expected 2 numbers in each row, got 1 in row 2, and 1 other row does not fit; nothing was changed"
    )


def test_one_number_a_line_may_have_a_decimal_comma() -> None:
    assert pasted("0,5\n1,25", 1).cells == (("0,5",), ("1,25",))


def test_one_number_and_a_bias_are_told_from_a_decimal_comma() -> None:
    assert pasted("0.5,1.25\n2,3", 1, bias=True).cells == (("0.5", "1.25"), ("2", "3"))
    assert pasted("0, 5\n1, 25", 1, bias=True).cells == (("0", "5"), ("1", "25"))
    assert pasted("0,5\n1,25", 1, bias=True).cells == (("0,5",), ("1,25",))


@pytest.mark.parametrize(
    "text",
    [
        "[[1, 2], [3, 4]]",
        "[[1. 2.]\n [3. 4.]]",
        "- [1, 2]\n- [3,\n   4]",
        "array([[1., 2.],\n [3., 4.]])",
    ],
)
def test_a_matrix_in_brackets_is_taken_by_its_rows(text: str) -> None:
    assert [tuple(map(float, row)) for row in pasted(text, 2).cells] == [(1, 2), (3, 4)]


@pytest.mark.parametrize("text", ["", "\n\n", "   "])
def test_nothing_to_paste_is_said(text: str) -> None:
    assert "nothing was pasted" in pasted(text, 2).problem


def test_far_too_many_numbers_are_refused() -> None:
    assert "more than 20,000" in pasted("1 " * 20_001, 2).problem


def test_a_long_table_is_one_text_and_a_short_one_has_cells() -> None:
    assert Grid.of_rows([["1"] * MOST_CELLS]).text is None
    long = Grid.of_rows([["1"] * (MOST_CELLS + 1)])
    assert long.text is not None
    assert Grid.of_text(long.text) == long


def test_resizing_keeps_what_is_there() -> None:
    grid = Grid((("1", "2"), ("3", "4")))
    assert grid.resized(3, 1, lambda r, c: f"{r}{c}").cells == (("1",), ("3",), ("20",))
    assert grid.resized(2, 2, lambda r, c: "x") is grid


@given(st.text(max_size=200), st.integers(1, 5))
def test_any_text_gives_a_table_or_a_reason(text: str, columns: int) -> None:
    found = pasted(text, columns)
    assert bool(found.cells) != bool(found.problem)
    assert all(len(row) == columns for row in found.cells)
