"""Data of lessons: JSON and CSV give back every quantity, to the last bit."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import extreme_problems, problems
from tests.test_code_exports import ALL, big, lesson, lesson_of
from tutor.engine.order import NumberOrder
from tutor.engine.quantity import parse
from tutor.export import data
from tutor.export.data import COLUMNS, as_csv, as_json, text_cell
from tutor.lesson.setup import Setup
from tutor.lesson.walk import Lesson, open_lesson
from tutor.scenario.reader import parse as parse_file


def from_json(of: Lesson) -> dict[str, float]:
    return dict(json.loads("".join(as_json(of)), parse_constant=pytest.fail)["quantities"])


def rows(of: Lesson) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(as_csv(of)), newline=""), strict=True))


def from_csv(of: Lesson) -> dict[str, float]:
    return {row["quantity"]: float(row["value"]) for row in rows(of)}


@pytest.mark.parametrize("name", ALL)
def test_json_gives_back_every_quantity(name: str) -> None:
    of = lesson(name)
    found = from_json(of)
    for quantity, value in found.items():
        assert value == of.trace.value(parse(quantity))
    order = NumberOrder.of(of.trace.network, of.trace.samples, of.trace.blocked)
    # the last is no contract name
    end = order.rank(of.trace.stop.quantity) if of.trace.stop else len(order) - 1
    assert [str(order[k]) for k in range(end)] == [
        q for q in found if not parse(q).given and q in set(map(str, order))
    ]


@pytest.mark.parametrize("name", ALL)
def test_json_is_what_the_command_line_prints(name: str) -> None:
    out = io.StringIO()
    data.write(lesson(name), out)
    assert "".join(as_json(lesson(name))) == out.getvalue()


@pytest.mark.parametrize("name", ALL)
def test_csv_has_a_row_for_each_quantity_of_the_json_in_its_order(name: str) -> None:
    of = lesson(name)
    assert list(from_csv(of).items()) == list(from_json(of).items())
    for row in rows(of):
        q = parse(row["quantity"])
        assert row["kind"] == q.kind
        assert row["layer"] == (str(q.layer) if q.of.layered else "")
        assert [row[key] for key in ("i", "j", "sample")] == [
            str(n or "") for n in (q.i, q.j, q.sample)
        ]


def test_the_header_says_what_the_columns_are() -> None:
    assert next(as_csv(lesson("perceptron-step"))).startswith(
        "quantity,kind,layer,i,j,sample,value\nx[1],x,,1,,,1.0\n"
    )
    assert '"w[1][1,2]",w,1,1,2,,0.4\n' in "".join(as_csv(lesson("perceptron-step")))


BATCHES = """format: 1
title: Batches
network: {inputs: 1, layers: [{units: 1, activation: tanh, weights: [[0.5]], biases: [0]}], loss: {name: squared_error}}
data: {inputs: [[1], [2], [3], [4], [5]], targets: [[0], [1], [0], [1], [0]], split: {train: 0.8, test: 0.2}}
training: {learning_rate: 0.1, batch: %s, shuffle: {seed: 3}, iterations: 9}
"""


@pytest.mark.parametrize("size", ["full", "2", "online"])
@pytest.mark.parametrize("iteration", [1, 4])
def test_csv_says_which_samples_of_the_data_set_a_batch_has(size: str, iteration: int) -> None:
    of = open_lesson(parse_file(BATCHES % size, "batches.yaml"), iteration=iteration)
    found = rows(of)
    assert list(found[0]) == [*COLUMNS, "data_sample"]
    batch = json.loads("".join(as_json(of)))["batch"]["samples"]
    inputs = [row for row in found if row["kind"] == "x"]
    assert [int(row["data_sample"]) for row in inputs] == batch
    assert [float(row["value"]) for row in inputs] == batch  # sample 1 is 1, and so on
    for row in found:
        q = parse(row["quantity"])
        about_one = bool(q.sample) or q.of.per_sample
        assert row["data_sample"] == (str(batch[max(q.sample, 1) - 1]) if about_one else "")
    assert {row["data_sample"] for row in found if row["kind"] in {"w", "loss-loss+"}} == {""}


def test_csv_without_batches_has_the_columns_of_always() -> None:
    for name in ALL:
        if lesson(name).batch is None:
            assert list(rows(lesson(name))[0]) == list(COLUMNS)


@given(problems())
@settings(max_examples=40)
def test_json_and_csv_of_any_network_hold_the_same(problem: Setup) -> None:
    of = lesson_of(problem)
    assert from_csv(of) == from_json(of)


@given(extreme_problems())
@settings(max_examples=60)
def test_json_and_csv_end_at_the_same_place(problem: Setup) -> None:
    of = lesson_of(problem)
    assert from_csv(of) == from_json(of)


def test_both_come_in_pieces_and_need_little_memory() -> None:
    of = big()
    pieces: Any
    for pieces in (as_json, as_csv):
        tracemalloc.start()
        sizes = [len(piece) for piece in pieces(of)]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(sizes) > 20
        assert peak < sum(sizes) / 2 + 3_000_000


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_spreadsheet_runs_no_text(start: str) -> None:
    cell = text_cell(start + 'cmd|"/c calc"!A1')
    ((read,),) = csv.reader(io.StringIO(cell, newline=""), strict=True)
    assert read == "'" + start + 'cmd|"/c calc"!A1'


@given(st.text())
def test_a_text_cell_is_one_cell_with_its_text(text: str) -> None:
    found = list(csv.reader(io.StringIO(text_cell(text) + ",end", newline=""), strict=True))
    assert found[0][-1] == "end"
    assert found[0][0] in {text, "'" + text}
    assert not found[0][0].startswith(("=", "+", "-", "@", "\t", "\r"))
