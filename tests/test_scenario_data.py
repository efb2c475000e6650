"""Scenarios from plain data, as a form gives it: the same checks and words as for a file, each at
its exact path.
"""

from __future__ import annotations

import copy
import math
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.strategies import scenario_data
from tests.turns import Timed
from tutor import limits
from tutor.lesson import validation
from tutor.scenario import reader, strict_yaml
from tutor.scenario.dump import as_data, write
from tutor.scenario.problem import ScenarioError, written

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "scenarios").glob("*-*.yaml"))
WHERE = "x.yaml"
Data = dict[str, Any]

GOOD: Data = {
    "format": 1,
    "title": "A",
    "network": {
        "inputs": 2,
        "layers": (
            {"units": 2, "activation": "tanh", "weights": ((1, 2), (3, 4)), "biases": (0, 0)},
            {"units": 2, "activation": "softmax", "weights": ((1, 2), (3, 4)), "biases": "none"},
        ),
        "loss": {"name": "cross_entropy"},
    },
    "data": {"inputs": ((1, 2), (3, 4)), "targets": ((0, 1), (0.5, 0.5))},
    "training": {"learning_rate": 0.1},
}


def put(*path_and_value: Any, data: Data = GOOD) -> Data:
    """The sound data with another value at a path; the value `...` takes the key away."""
    *path, value = path_and_value
    changed = _thawed(copy.deepcopy(data))
    inner: Any = changed
    for part in path[:-1]:
        inner = inner[part]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return _frozen(changed)


def _thawed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _thawed(inner) for key, inner in value.items()}
    return [_thawed(inner) for inner in value] if isinstance(value, tuple) else value


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _frozen(inner) for key, inner in value.items()}
    return tuple(_frozen(inner) for inner in value) if isinstance(value, list) else value


def refused(data: Data) -> list[tuple[Any, str]]:
    """The problems, after `parse_data` was seen to say the same."""
    found = reader.problems_of(data)
    assert found
    with pytest.raises(ScenarioError) as caught:
        reader.parse_data(data, WHERE)
    told = caught.value.problems
    assert {(p.where, p.line) for p in told} == {(WHERE, 0)}
    if len(found) <= 50:
        assert [(p.path, p.message) for p in told] == list(
            dict.fromkeys((written(path), message) for path, message in found)
        )
    for problem in told:
        assert str(problem).isprintable()
        assert len(str(problem)) < 1000
        assert problem.message
    return found


LAYER = ("network", "layers", 1)
ROW = (*LAYER, "weights", 1)
HUGE = 10**5000

BAD = [
    # Matrices and counts
    (put(*ROW, (1,)), ROW, "expected 2 numbers, got 1"),
    (put(*LAYER, "weights", ((1, 2), (3, 4), (5, 6))), (*LAYER, "weights"), "expected 2 rows of 2, got 3 rows of 2"),
    (put(*LAYER, "weights", ((1, 2, 3), (4, 5, 6))), (*LAYER, "weights"), "expected 2 rows of 2, got 2 rows of 3"),
    (put(*LAYER, "weights", ()), (*LAYER, "weights"), "expected 2 rows of 2, got 0 rows"),
    (put(*LAYER, "biases", (1,)), (*LAYER, "biases"), "expected 2 numbers, got 1"),
    (put("data", "inputs", 1, (1, 2, 3)), ("data", "inputs", 1), "expected 2 numbers as in network.inputs, got 3"),
    (put("data", "targets", 0, (1,)), ("data", "targets", 0), "expected 2 numbers as in the units of the last layer, got 1"),
    (put("data", "targets", ((0, 1),)), ("data", "targets"), "expected 2 rows, one per row of data.inputs, got 1 row"),
    (put("data", "inputs", ()), ("data", "inputs"), "is empty; there must be at least one"),
    # Not a number, or none that can be computed with
    (put(*ROW, 0, "x"), (*ROW, 0), "expected a number, got the word 'x'"),
    (put(*ROW, 0, "0,5"), (*ROW, 0), "expected a number, got the word '0,5'; write a decimal point, not a comma"),
    (put(*ROW, 0, math.nan), (*ROW, 0), "expected a finite number, got the number nan"),
    (put(*ROW, 1, math.inf), (*ROW, 1), "expected a finite number, got the number inf"),
    (put("data", "targets", 1, 0, -math.inf), ("data", "targets", 1, 0), "expected a finite number, got the number -inf"),
    (put(*ROW, 0, True), (*ROW, 0), "expected a number, got true"),
    (put(*ROW, 0, None), (*ROW, 0), "has no value; give one or leave the key out"),
    (put(*ROW, 0, (1,)), (*ROW, 0), "expected a number, got a list of 1"),
    (put(*ROW, 0, {}), (*ROW, 0), "expected a number, got a mapping of keys to values"),
    (put(*ROW, 0, HUGE), (*ROW, 0), "is a number of more than 64 digits"),
    (put("training", "learning_rate", math.nan), ("training", "learning_rate"), "expected a finite number, got the number nan"),
    (put("training", "learning_rate", 0), ("training", "learning_rate"), "expected a number above 0, got 0"),
    (put("training", "learning_rate", -HUGE), ("training", "learning_rate"), "is a number of more than 64 digits"),
    (put("display", {"decimals": HUGE}), ("display", "decimals"), "is a number of more than 64 digits"),
    # Sizes
    (put(*LAYER, "units", 10**6), (*LAYER, "units"), "expected a whole number from 1 to 1,024, got 1000000"),
    (put(*LAYER, "units", 0), (*LAYER, "units"), "expected a whole number from 1 to 1,024, got 0"),
    (put("network", "inputs", -1), ("network", "inputs"), "expected a whole number from 1 to 1,024, got -1"),
    (put("network", "layers", ()), ("network", "layers"), "is empty; there must be at least one"),
    (put("network", "layers", (GOOD["network"]["layers"][0],) * 33), ("network", "layers"), "expected at most 32 entries, got 33"),
    (put("data", "inputs", ((1, 2),) * 1001), ("data", "inputs"), "expected at most 1,000 entries, got 1,001"),
    (put("title", "x" * 201), ("title",), "expected at most 200 characters, got 201"),
    # Losses and outputs
    (put(*LAYER, {"units": 1, "activation": "softmax", "weights": ((1, 2),), "biases": "none"}), (*LAYER, "activation"),
     "a softmax of one unit is always 1; use sigmoid, or give it two units or more"),
    (put("data", "targets", 0, (0.5, 0.6)), ("data", "targets", 0), "cross_entropy needs targets that sum to 1; these sum to 1.1"),
    (put("data", "targets", 0, (2, -1)), ("data", "targets", 0, 0), "cross_entropy needs targets from 0 to 1, got 2"),
    (put(*LAYER, "activation", "sigmoid"), ("network", "loss", "name"),
     "cross_entropy needs a softmax in the last layer, got sigmoid"),
    # Keys
    (put("titel", "A"), ("titel",), "is not a key of the format; did you mean title?"),
    (put("title", ...), ("title",), "is missing; give the lesson a name"),
    (put(*LAYER, "dropout", 1), (*LAYER, "dropout"),
     "expected a number of at least 0 and below 1, got 1; it is the share that is dropped"),
    (put(*LAYER, "dropout", 0.5), (*LAYER, "dropout"), "dropout is for hidden layers; the outputs are the answer"),
    (put("graph", {}), ("graph",), "takes the place of network and data; leave one of them out"),
    (put(3, 1), (), "a key must be a word"),
    (put("training", "optimizer", {"name": "adam", "beta1": math.nan}), ("training", "optimizer", "beta1"), "expected a finite number, got the number nan"),
    (put("training", "optimizer", None), ("training", "optimizer"), "has no value; give one or leave the key out"),
    (put("training", "schedule", ("step",)), ("training", "schedule"),
     "expected the name of a schedule, or a mapping with its name and numbers, got a list of 1"),
    (put("training", "clip", {"norm": math.inf}), ("training", "clip", "norm"), "expected a finite number, got the number inf"),
    (put("training", "l2", {"weight": True}), ("training", "l2", "weight"), "expected a number, got true"),
    (put("training", "batch", "offline"), ("training", "batch"), "'offline' is not known; known here: full, online, or a number of samples"),
    # Texts
    (put("title", "a\0b"), ("title",), "has the character U+0000, which is not allowed in a text"),
    (put("title", "\u202eabc"), ("title",), "has the character U+202E, which is not allowed in a text"),
    (put("notes", ({"at": "loss", "text": "\ud800"},)), ("notes", 0, "text"), "has the character U+D800, which is not allowed in a text"),
    (put("title", "\u200b\u200d"), ("title",), "expected a text, got one with nothing to read"),
    (put("a\0b", 1), (), "has the character U+0000, which is not allowed in a text"),
    (put("title", b"A"), ("title",), "is a bytes, which a file cannot hold"),
    (put("title", None), ("title",), "has no value; give one or leave the key out"),
    (put("origin", "../../etc/passwd"), ("origin",),
     "expected the id of a lesson, 1 to 80 of a-z, 0-9 and -, such as two-layers, got '../../etc/passwd'"),
    (put("origin", ""), ("origin",), "expected the id of a lesson, 1 to 80 of a-z, 0-9 and -, such as two-layers, got ''"),
    (put("origin", "a" * 81), ("origin",),
     f"expected the id of a lesson, 1 to 80 of a-z, 0-9 and -, such as two-layers, got '{'a' * 39}…'"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "path", "message"), BAD, ids=[message[:40] for *_, message in BAD]
)
def test_a_problem_is_told_at_its_exact_path(data: Data, path: Any, message: str) -> None:
    assert (path, message) in refused(data)


def test_sound_data_give_no_problem_and_a_scenario() -> None:
    assert reader.problems_of(GOOD) == []
    found = reader.parse_data(GOOD, "a/b.yaml")
    assert (found.id, found.where, found.origin, found.network.sizes) == (
        "b",
        "a/b.yaml",
        "",
        (2, 2, 2),
    )


def test_all_problems_come_at_once() -> None:
    data = put(*ROW, 0, "x", data=put("title", ..., data=put("data", "inputs", 0, (1,))))
    assert [path for path, _ in refused(data)] == [("title",), (*ROW, 0), ("data", "inputs", 0)]


def test_nothing_is_said_twice() -> None:
    found = reader.problems_of(put(*LAYER, "weights", (("x", "y"), ("x", "y"))))
    assert len(found) == len(set(found)) == 4


def test_lists_inside_one_another_without_end_are_refused() -> None:
    value: Any = 1
    for _ in range(20_000):
        value = (value,)
    deep = (*("network", "layers"), *[0] * 15)
    (problem,) = reader.problems_of({"network": {"layers": value}})
    assert problem == (deep, "more than 16 lists and mappings inside each other")
    refused({"network": {"layers": value}})


@pytest.mark.parametrize("target", [2, -0.5])
def test_a_sigmoid_may_be_asked_for_what_it_cannot_reach_by_a_squared_error_only(
    target: float,
) -> None:
    one = {"units": 1, "activation": "sigmoid", "weights": ((1, 2),), "biases": (0,)}
    data = put(*LAYER, one, data=put("data", {"inputs": ((1, 2),), "targets": ((target,),)}))
    for name in ("squared_error", "half_squared_error"):
        assert reader.problems_of(put("network", "loss", "name", name, data=data)) == []
    assert refused(put("network", "loss", "name", "binary_cross_entropy", data=data)) == [
        (("data", "targets", 0, 0), f"binary_cross_entropy needs targets from 0 to 1, got {target}")
    ]


NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}",
    "שלום",
    "a\u200bb",
    "\u200fא\u200e",
    "👩\u200d🔬",
]


@pytest.mark.parametrize("text", NASTY)
def test_html_and_odd_characters_are_texts_like_any_other(text: str) -> None:
    slide = {"quantity": "loss", "value": "1", "where": text, "slip": text}
    check = {"quantity": "eta", "equals": "{eta}", "text": text, "where": text}
    texts = {
        "title": text,
        "course": text,
        "about": text,
        "learn": (text,),
        "lecture": {"deck": text},
    }
    data = {
        **GOOD,
        **texts,
        "printed": (slide,),
        "notes": ({"at": "loss", "text": text},),
        "checks": (check,),
    }
    found = reader.parse_data(data, WHERE)
    assert (found.title, found.about, found.learn[0], found.notes[0].text) == (text,) * 4
    assert reader.parse(write(found), WHERE) == found


@pytest.mark.parametrize("text", NASTY)
def test_html_where_a_name_belongs_is_refused_in_words(text: str) -> None:
    for data in (
        put(*LAYER, "activation", text), put("notes", ({"at": text, "text": "a"},)), put("notation", {"preset": text}), put("origin", text),
        put("checks", ({"quantity": "eta", "equals": text},)), put("printed", ({"quantity": "eta", "value": text, "where": "a"},)),
        put(text, 1), put(*ROW, 0, text), put("network", text), put("data", text),
    ):  # fmt: skip
        refused(data)


# ---- one path for texts and data ----


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_and_its_data_give_the_same_scenario(path: Path) -> None:
    data = strict_yaml.load(path.read_text(encoding="utf-8"), WHERE).data
    assert isinstance(data, dict)
    assert (
        reader.parse_data(data, str(path))
        == reader.load(path)
        == reader.parse_data(as_data(reader.load(path)), str(path))
    )


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=3)
    | st.sampled_from(["none", "softmax", "loss", "z[1][1]", "1.5", "{loss} ^ 2", 10**70, 1e308, (), {}]) | st.none().map(lambda _: HUGE),
    lambda inner: st.lists(inner, max_size=4).map(tuple) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, tuple)
        else ()
    )
    return [path, *(found for key, item in inner for found in _paths(item, (*path, key)))]


@given(scenario_data(), st.integers(0, 10_000), VALUES)
def test_sound_data_with_another_value_somewhere_have_an_answer(
    data: Data, place: int, value: Any
) -> None:
    paths = _paths(data)[1:]
    changed = put(*paths[place % len(paths)], value, data=data)
    if reader.problems_of(changed):
        refused(changed)
    else:
        found = reader.parse_data(changed, WHERE)
        assert reader.parse(write(found), WHERE) == found


@given(st.dictionaries(st.sampled_from(list(GOOD)) | st.text(max_size=6), VALUES, max_size=8))
@example({})
def test_any_data_have_an_answer(data: Data) -> None:
    refused(data)


def _mutated(text: str, chance: random.Random) -> str:
    lines = text.splitlines()
    at = chance.randrange(len(lines))
    change = chance.randrange(4)
    if change == 0:
        del lines[at]
    elif change == 1:
        lines[at] = lines[at].replace(
            chance.choice("0123456789"), chance.choice(["x", "-1", "1e9", "''", "[]"])
        )
    elif change == 2:
        lines.insert(at, lines[chance.randrange(len(lines))])
    else:
        key, colon, _ = lines[at].partition(":")
        lines[at] = (
            key
            + colon
            + chance.choice([" 1", " none", " [1]", " {}", " x", " 1000000", " true", " .5"])
        )
    return "\n".join(lines)


@given(st.sampled_from(FILES), st.randoms(use_true_random=False))
def test_a_mutated_file_is_told_the_same_as_text_and_as_data(
    path: Path, chance: random.Random
) -> None:
    text = _mutated(path.read_text(encoding="utf-8"), chance)
    try:
        document = strict_yaml.load(text, WHERE)
    except ScenarioError:
        return
    if not isinstance(document.data, dict):
        return
    found = {(written(place), message) for place, message in reader.problems_of(document.data)}
    assert told(text) == found or len(found) > 40


def told(text: str) -> set[tuple[str, str]]:
    """The problems of a text, without their lines."""
    try:
        reader.parse(text, WHERE)
    except ScenarioError as error:
        return {(problem.path, problem.message) for problem in error.problems}
    return set()


# ---- a text as its author wants to know it ----


def test_a_text_is_checked_as_a_file_is() -> None:
    path = FILES[0]
    assert (
        validation.check_text(path.read_text(encoding="utf-8"), str(path)).scenario
        == validation.check(str(path)).scenario
    )


def test_a_text_is_told_what_only_the_computed_numbers_show() -> None:
    text = write(
        reader.parse_data(
            put("printed", ({"quantity": "loss", "value": "7", "where": "page 1"},)), WHERE
        )
    )
    with pytest.raises(
        ScenarioError,
        match=r"^typed in:\d+: printed\[0\]\.value: the slide prints 7, but the engine has .*; say why",
    ):
        validation.check_text(text, "typed in")


# ---- time ----

# About as much as a text of 64 KB can hold of each.
WIDE = tuple(tuple(0.5 for _ in range(400)) for _ in range(400))
LARGE: dict[str, Data] = {
    "texts for numbers": put(*LAYER, "weights", (("x",) * 400,) * 40),
    "infinite numbers": put(*LAYER, "weights", ((math.inf,) * 400,) * 40),
    "ragged rows": put(*LAYER, "weights", tuple((1.0,) * (n % 5) for n in range(2_000))),
    "wrong samples": put("data", "inputs", tuple((1.0,) * (n % 5) for n in range(20_000))),
    "a large matrix": put(
        "network",
        "layers",
        ({"units": 400, "activation": "relu", "weights": WIDE, "biases": "none"},),
    ),
    "many unknown keys": {**GOOD, **{f"titl{n}": 1 for n in range(2_500)}},
    "many keys that are no words": {**GOOD, **dict.fromkeys(range(20_000), 1)},
    "many wrong slides": put(
        "printed", ({"quantity": "z[9][9]", "value": "x", "where": ""},) * 500
    ),
    "a long text": put("about", "a" * 65_000),
    "many layers": put("network", "layers", (GOOD["network"]["layers"][0],) * 9_000),
}


@pytest.mark.parametrize("name", LARGE)
def test_large_bad_data_are_answered_in_a_moment(timed: Timed, name: str) -> None:
    def twice() -> None:
        assert reader.problems_of(LARGE[name])
        with pytest.raises(ScenarioError):
            reader.parse_data(LARGE[name], WHERE)

    assert timed(twice, 0.5) < 0.5


def test_the_limits_are_those_that_the_cases_stand_for() -> None:
    assert (limits.UNITS, limits.LAYERS, limits.SAMPLES, limits.DEPTH) == (1_024, 32, 1_000, 16)
