"""Scenarios as text: what is written reads back as the same scenario, looks like the examples, and
is the same each time.
"""

from __future__ import annotations

import dataclasses
import re
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.strategies import scenario_data
from tests.turns import Timed
from tutor import limits
from tutor.errors import TutorError
from tutor.scenario import dump, reader, strict_yaml
from tutor.scenario.reader import Scenario

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "scenarios").glob("*-*.yaml"))

SMALL: dict[str, Any] = {
    "format": 1,
    "title": "A",
    "network": {
        "inputs": 1,
        "layers": ({"units": 1, "activation": "sigmoid", "weights": ((0.5,),), "biases": (0.25,)},),
        "loss": {"name": "squared_error"},
    },
    "data": {"inputs": ((1,),), "targets": ((1,),)},
    "training": {"learning_rate": 0.1},
}
EXAMPLE = """\
format: 1
title: A 1-2-3-1 sigmoid network by hand
course: CPE 486/586, Spring 2026
about: One paragraph in our own words.
network:
  inputs: 1
  layers:
    - {units: 2, activation: sigmoid, weights: [[0.1], [0.1]], biases: [0.1, 0.2]}
    - {units: 3, activation: sigmoid, weights: [[0.2, 0.1], [0.3, 0.2], [0.1, 0.3]], biases: [0.3, 0.1, 0.2]}
    - {units: 1, activation: sigmoid, weights: [[0.4, 0.2, 0.6]], biases: [0.5]}
  loss: {name: binary_cross_entropy, reduction: sum}
data:
  inputs: [[2]]
  targets: [[1]]
training: {learning_rate: 0.1}
notation: {preset: letters}
display: {decimals: 6}
printed:
  - {quantity: "a[3][1]", value: "0.7739", where: "Forward Propagation, layer 3"}
"""


def again(text: str, of: Scenario) -> Scenario:
    """The scenario of a text, under the name of another one."""
    return dataclasses.replace(reader.parse(text, "x.yaml"), id=of.id, where=of.where)


def titled(title: str, **more: Any) -> Scenario:
    return reader.parse_data({**SMALL, "title": title, **more}, "x.yaml")


def holds(found: Scenario) -> str:
    """The text, after everything that is promised of it was looked at."""
    text = dump.write(found)
    back = again(text, found)
    assert back == found
    assert dump.write(back) == text
    data = dump.as_data(found)
    assert typed(strict_yaml.load(text, "x.yaml").data) == typed(data)
    assert again(dump.write(reader.parse_data(data, "x.yaml")), found) == found
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert all(c.isprintable() for c in text if c not in "\n\u200c\u200d")
    return text


def typed(value: Any) -> Any:
    """Plain data with the kind of each value, for 1, 1.0 and true are equal."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    return tuple(map(typed, value)) if isinstance(value, tuple) else (type(value), value)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_shipped_scenario_reads_back_as_it_is(path: Path) -> None:
    text = holds(reader.load(path))
    assert max(map(len, text.splitlines())) <= dump.WIDTH


def test_a_canonical_text_is_written_as_it_was_read() -> None:
    assert dump.write(reader.parse(EXAMPLE, "x.yaml")) == EXAMPLE


@given(scenario_data())
def test_random_scenarios_with_nasty_texts_read_back_as_they_are(data: dict[str, Any]) -> None:
    holds(reader.parse_data(data, "x.yaml"))


NASTY = [
    "null", "Null", "~", "true", "False", "none", "yes", "no", "on", "1", "1e3", "-1", "0x10", "010", "1_000", ".5", ".inf", "-.INF",
    ".nan", "2026-01-05", "12:30:45", "---", "...", "- a", "-", "? a", "?", ": a", ":", "a: b", "a:", "a :b", "a#b",
    "a #b", "# a", "#", "&a", "*a",
    "!a", "!!str a", "|", ">", ">-", "%a", "@a", "`a`", "'a'", '"a"', "'", '"', "\\", "\\n", "a\\", "{a}", "[a]", "a, b", "a]", "a}",
    "<<", "=", "a  b", "a   b", "שלום עולם", "\u200fא\u200e", "a\u200bb", "👩\u200d🔬", "😀", "é", "e\u0301", "\u00ad-", "a\u00a0b",
    "<script>alert(1)</script>",
    "<!-- -->", "&lt;", "{{ 7 * 7 }}", "${a}", "ﬀ", "½", "٣", "x" * 200, "x y " * 50, "x  y " * 40, " ".join(["a" * 59] * 3),
    "a" * 118 + " " + "b" * 20, "http://example.org/a?b=c#d", "a\\u0000", "\U000e0041b", "\U0010ffff.",
]  # fmt: skip


@pytest.mark.parametrize("nasty", NASTY)
def test_a_text_comes_back_wherever_it_stands(nasty: str) -> None:
    entry = {"quantity": "loss", "value": "0.25", "where": nasty}
    holds(
        titled(
            nasty,
            learn=(nasty, nasty),
            course=nasty,
            about=nasty,
            lecture={"deck": nasty},
            printed=(entry,),
        )
    )


@given(st.text(min_size=1, max_size=200))
@example("a\n\nb\n  c\n   \nd")
@example("a\tb\n\tc")
@example("x" * 90 + "\n" + "y  z " * 22)
def test_any_text_that_a_file_may_hold_comes_back(text: str) -> None:
    data = {**SMALL, "title": text, "about": text, "notes": ({"at": "loss", "text": text},)}
    if reader.problems_of(data):
        return
    holds(reader.parse_data(data, "x.yaml"))


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(1e300)
@example(5e-324)
@example(1e16)
@example(9999999999999998.0)
@example(123456789012345680.0)
@example(-2.5e-7)
def test_a_number_comes_back_to_the_last_bit(x: float) -> None:
    data = {**SMALL, "data": {"inputs": ((x,),), "targets": ((1,),)}}
    text = holds(reader.parse_data(data, "x.yaml"))
    (back,) = reader.parse(text, "x.yaml").inputs[0]
    assert struct.pack("d", back) == struct.pack("d", x + 0.0)


@pytest.mark.parametrize(
    ("x", "written"),
    [(0.1, "0.1"), (2.0, "2"), (2, "2"), (-0.25, "-0.25"), (1e-7, "1e-07"), (-0.0, "0"), (0.0, "0"),
     (1e300, "1e+300"), (1e15, "1000000000000000")],
)  # fmt: skip
def test_a_number_is_written_the_short_way(x: float, written: str) -> None:
    text = dump.write(
        reader.parse_data({**SMALL, "data": {"inputs": ((x,),), "targets": ((1,),)}}, "x.yaml")
    )
    assert f"\n  inputs: [[{written}]]\n" in text


def test_equal_scenarios_have_equal_texts() -> None:
    spoken = EXAMPLE.replace(
        "learning_rate: 0.1", "batch: full, iterations: 1, optimizer: sgd, learning_rate: 1e-1"
    )
    spoken = spoken.replace("[[2]]", "\n    - [2.0]")
    assert dump.write(reader.parse(spoken, "y.yaml")) == EXAMPLE
    zero, minus = (samples(1, x) for x in (0.0, -0.0))
    assert zero == minus
    assert dump.write(zero) == dump.write(minus)


def test_what_is_at_its_default_is_left_out() -> None:
    assert list(dump.as_data(titled("A"))) == ["format", "title", "network", "data", "training"]
    made = {"units": 1, "activation": "sigmoid", "init": {"scheme": "he", "scale": 1.0, "seed": 0}}
    network = {
        **SMALL["network"],
        "layers": (made, {**made, "biases": "none"}, {**made, "biases": (1,)}),
    }
    layers = dump.as_data(titled("A", network=network))["network"]["layers"]
    assert [layer.get("biases") for layer in layers] == [None, "none", (1,)]
    assert [layer["init"] for layer in layers] == [{"scheme": "he"}] * 3


def test_long_texts_are_folded_and_several_lines_stay_lines() -> None:
    text = holds(
        titled(
            "A",
            about="word " * 60,
            notes=({"at": "loss", "text": f"one\n\n  two: 2\n{'three ' * 20}"},),
        )
    )
    assert re.search(r"^about: >-\n(  word( word)*\n){3}", text, re.MULTILINE)
    assert "    text: |-\n      one\n\n        two: 2\n      three three three" in text


def test_a_layer_that_is_too_long_for_a_line_has_a_row_in_each() -> None:
    rows = tuple((0.123456789,) * 9 for _ in range(3))
    layer = {"units": 3, "activation": "relu", "weights": rows, "biases": "none"}
    network = {**SMALL["network"], "inputs": 9, "layers": (layer,)}
    text = holds(
        titled("A", network=network, data={"inputs": ((0,) * 9,), "targets": ((0, 0, 0),)})
    )
    assert (
        f"    - units: 3\n      activation: relu\n      weights:\n        - [{', '.join(['0.123456789'] * 9)}]\n"
        in text
    )


# ---- addresses ----


def test_a_content_id_is_that_of_the_text_alone() -> None:
    one = dump.content_id(EXAMPLE)
    assert re.fullmatch(r"saved-[a-z2-7]{20}", one)
    assert one == dump.content_id(EXAMPLE) == "saved-" + one[6:]
    assert one != dump.content_id(EXAMPLE + "#")
    assert reader.scenario_id(f"{one}.yaml") == one


# ---- limits ----


def matrix(rows: int, columns: int, x: float) -> tuple[tuple[float, ...], ...]:
    return ((x,) * columns,) * rows


def samples(count: int, x: float) -> Scenario:
    return titled("A", data={"inputs": ((x,),) * count, "targets": ((x,),) * count})


def wide(units: int, columns: int, x: float) -> Scenario:
    layers = (
        {
            "units": units,
            "activation": "relu",
            "weights": matrix(units, columns, x),
            "biases": "none",
        },
        {"units": 1, "activation": "relu", "weights": matrix(1, units, x), "biases": "none"},
    )
    network = {**SMALL["network"], "inputs": columns, "layers": layers}
    return titled("A", network=network, data={"inputs": matrix(1, columns, x), "targets": ((1,),)})


def test_a_text_that_would_be_too_large_with_a_row_in_each_line_is_written_closely() -> None:
    found = wide(1_000, 7, 0.125)
    assert len(dump._lines(dump.as_data(found), compact=True)) < limits.FILE_BYTES
    assert len(dump._lines(dump.as_data(found), compact=False)) > limits.FILE_BYTES
    text = holds(found)
    assert "weights: [[0.125,0.125,0.125,0.125,0.125,0.125,0.125],[" in text


def test_a_lesson_that_no_file_can_hold_is_refused_with_the_limit() -> None:
    with pytest.raises(
        TutorError, match=r"cannot be written as a file: it has [0-9.]+ KB; the limit is 64 KB$"
    ):
        dump.write(wide(1_000, 12, 0.125))


def test_a_lesson_with_more_entries_than_a_file_may_have_is_refused_with_the_limit() -> None:
    entry = {"expression": "1", "at": "loss", "value": "7", "where": "a", "slip": "a"}
    found = titled("A", printed=(entry,) * 500)
    with pytest.raises(
        TutorError, match=f"cannot be written as a file: has more than {limits.ENTRIES:,} entries"
    ):
        dump.write(found)


def test_numbers_with_large_exponents_count_as_they_do_for_the_reader() -> None:
    holds(samples(500, 1e-99))
    with pytest.raises(TutorError, match="entries"):
        dump.write(wide(580, 9, 1e300))


@pytest.mark.parametrize(
    "found",
    [samples(1_000, 0.1), wide(1_000, 7, 0.125), wide(100, 80, 0.123)],
    ids=["samples", "rows", "columns"],
)
def test_writing_a_large_lesson_takes_a_moment(timed: Timed, found: Scenario) -> None:
    assert timed(lambda: dump.write(found), 0.25) < 0.25
