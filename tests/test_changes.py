"""What if: changes read from addresses and forms, made in a scenario, marked on pages; and nothing
else is different.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from tests.htmltree import read as read_page
from tests.visiting import NAMES, fragment, get, library, page, scenario, tutor
from tutor import number
from tutor.engine.quantity import Quantity
from tutor.lesson import changes
from tutor.lesson.changeable import KINDS, Changeable, part, sizes, value
from tutor.lesson.changes import (
    LONGEST,
    MOST,
    ChangeError,
    apply,
    edited,
    listed,
    query,
    read,
    told,
    without,
)
from tutor.lesson.setup import build
from tutor.lesson.walk import open_lesson
from tutor.pages.view import View
from tutor.scenario import dump, reader
from tutor.scenario.knobs import CHOICES, KNOBS
from tutor.scenario.reader import Scenario, parse

ONE = "1-2-3-1-sigmoid"
LARGE = """
format: 1
title: Large
network:
  inputs: 784
  layers:
    - {units: 128, activation: relu, init: {scheme: he, seed: 1}}
    - {units: 64, activation: relu, init: {scheme: he, seed: 2}}
    - {units: 10, activation: softmax, init: {scheme: xavier, seed: 3}}
  loss: {name: cross_entropy}
data:
  inputs: [[%s]]
  targets: [[1, 0, 0, 0, 0, 0, 0, 0, 0, 0]]
training: {learning_rate: 0.1}
""" % ", ".join(["0.5"] * 784)  # noqa: UP031  (braces of the YAML)


def parts(lesson: Scenario) -> Iterator[Changeable]:
    """Every part of a lesson that can be changed."""
    many = len(lesson.inputs) > 1
    for s in range(1, len(lesson.inputs) + 1):
        yield from (
            Changeable("x", 0, j, 0, s if many else 0) for j in range(1, lesson.network.inputs + 1)
        )
        yield from (
            Changeable("y", 0, i, 0, s if many else 0)
            for i in range(1, lesson.network.sizes[-1] + 1)
        )
    for number_, layer in enumerate(lesson.network.layers, 1):
        for i in range(1, layer.units + 1):
            yield from (
                Changeable("w", number_, i, j)
                for j in range(1, lesson.network.sizes[number_ - 1] + 1)
            )
            if layer.biases is not None:
                yield Changeable("b", number_, i)
        yield from (Changeable(kind, number_) for kind in ("activation", "slope", "alpha"))
        if number_ < len(lesson.network.layers):
            yield Changeable("dropout", number_)
    yield from (Changeable(kind) for kind in ("learning_rate", "loss", "reduction"))
    yield from (Changeable(kind) for kind in (*CHOICES, *KNOBS))


BELONGING = {"slope", "alpha", *KNOBS}
"""What is there only with an activation or an optimizer of its own."""
NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["1/3", "0,5", "-0", "-1e-3", " 2 ", "+7.50", "1e5", "−0.3"]),
)
WORDS = st.sampled_from(
    [
        "sigmoid",
        "tanh",
        "softmax",
        "leaky_relu",
        "elu",
        "step",
        "squared_error",
        "cross_entropy",
        "sum",
        "mean",
        *(word for words in CHOICES.values() for word in words),
    ]
)


@st.composite
def wishes(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """A lesson and changes that someone may want of it, sensible or not."""
    name = draw(st.sampled_from(NAMES))
    names = st.sampled_from([str(part) for part in parts(scenario(name))])
    return name, draw(st.dictionaries(names, st.one_of(NUMBERS, WORDS), max_size=6))


@given(wishes())
def test_an_address_brings_back_the_changes_that_wrote_it(wish: tuple[str, dict[str, str]]) -> None:
    name, wanted = wish
    found, _ = read(wanted, scenario(name))
    again, notices = read(dict(parse_qsl(query(found))), scenario(name))
    assert (again, notices) == (found, ())
    assert len(query(found)) <= LONGEST


@given(wishes())
def test_whatever_is_read_can_be_made_and_every_change_is_really_one(
    wish: tuple[str, dict[str, str]],
) -> None:
    name, wanted = wish
    own = scenario(name)
    found, _ = read(wanted, own)
    made = apply(own, found)
    for change in listed(own, found):
        assert str(change.part) in wanted
        assert change.old != change.new
        now = value(made, change.part)
        assert now == (change.new if isinstance(now, str) else float(change.new))
    untouched = [
        part for part in parts(own) if str(part) not in dict(found) and part.kind not in BELONGING
    ]
    assert all(value(made, part) == value(own, part) for part in untouched)
    build(made)


MANGLED = st.one_of(
    st.text(max_size=14),
    st.from_regex(r"[xywbz]\[[-0-9,\[\]@]{0,12}", fullmatch=True),
    st.from_regex(r"(activation|slope|alpha)\[[0-9a-z]{0,5}\]?", fullmatch=True),
)


@given(
    query=st.dictionaries(MANGLED, st.text(max_size=50), max_size=5), name=st.sampled_from(NAMES)
)
def test_any_query_at_all_is_read(query: dict[str, str], name: str) -> None:
    found, notices = read(query, scenario(name))
    assert all(notice.isprintable() and len(notice) < 400 for notice in notices)
    assert apply(scenario(name), found)
    _, problems = edited((), query, scenario(name))
    assert all(message.isprintable() for message in problems.values())


def test_changes_stand_in_one_order_whatever_order_they_were_typed_in() -> None:
    wanted = {
        "activation[1]": "tanh",
        "learning_rate": "0.5",
        "b[1][2]": "3",
        "w[2][1,2]": "3",
        "w[1][2,1]": "3",
        "y[1]": "0",
        "x[1]": "3",
    }
    found, notices = read(wanted, scenario(ONE))
    assert notices == ()
    assert [name for name, _ in found] == [
        "x[1]",
        "y[1]",
        "w[1][2,1]",
        "w[2][1,2]",
        "b[1][2]",
        "learning_rate",
        "activation[1]",
    ]
    assert found == read(dict(reversed(wanted.items())), scenario(ONE))[0]


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("1/3", "0.3333333333333333"), ("0,5", "0.5"), ("1e-3", "0.001"), ("1e-7", "1e-07"), ("1e16", "1e16"), (" +2.0 ", "2"),
     ("-.3", "-0.3"), ("−7", "-7"), ("-0", "0")],
)  # fmt: skip
def test_a_number_is_read_as_people_write_it_and_written_in_one_way(
    text: str, canonical: str
) -> None:
    assert read({"w[1][1,1]": text}, scenario(ONE)) == ((("w[1][1,1]", canonical),), ())


def test_what_the_lesson_has_anyway_is_no_change() -> None:
    same = {
        "w[1][1,1]": "1/10",
        "x[1]": "2,0",
        "loss": "binary_cross_entropy",
        "activation[2]": "sigmoid",
        "learning_rate": "1e-1",
    }
    assert read(same, scenario(ONE)) == ((), ())


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("w[9][1,1]", "1", "the network has 3 layers"),
        ("w[1][1]", "1", "a w is written w[2][1,3]"),
        ("x[1]@1", "1", "there is one sample, so leave out @1"),
        ("z[1][1]", "1", "is computed"),
        ("w[1][1,1]", "abc", "is not a number"),
        ("w[1][1,1]", "", "no number here"),
        ("w[1][1,1]", "1/0", "divides by zero"),
        ("w[1][1,1]", "1e999", "too large"),
        ("w[1][1,1]", "nan", "is not a number"),
        ("learning_rate", "0", "above 0"),
        ("activation[4]", "tanh", "there is no layer 4"),
        ("activation[1]", "cube", "choose one of"),
        ("activation[3]", "tanh", "needs a sigmoid in the last layer"),
        ("activation[3]", "softmax", "a softmax of one unit"),
        ("loss", "cross_entropy", "needs a softmax"),
        ("reduction", "max", "choose one of sum, mean"),
        ("slope[1]", "0.5", "belongs to leaky_relu"),
        ("y[1]", "2", "needs targets from 0 to 1"),
        ("optimizer", "lion", "choose one of sgd, momentum"),
        ("schedule", "stairs", "choose one of constant, step"),
        ("penalty", "l1", "choose one of none, squared, norm"),
        ("clipping", "length", "choose one of none, norm, value"),
        ("beta1", "0.8", "belongs to adam or adamw, but the optimizer here is sgd"),
        ("beta1", "1", "at least 0 and below 1, got 1"),
        ("momentum", "-0.1", "at least 0 and below 1, got -0.1"),
        ("epsilon", "0", "above 0, got 0"),
        ("weight_decay", "-1", "at least 0, got -1"),
        ("every", "0.5", "at least 1, got 0.5"),
        ("factor", "2", "belongs to step or exponential, but the schedule here is constant"),
        ("l2", "0.1", "belongs to squared or norm, but the penalty here is none"),
        ("l2", "0", "above 0, got 0"),
        ("clip", "2", "belongs to norm or value, but the clipping here is none"),
        ("clip", "0", "above 0, got 0"),
        ("alpha", "0.5", "belongs to rmsprop"),
        ("dropout[1]", "1", "below 1, got 1; it is the share that is dropped"),
        ("dropout[2]", "half", "is not a number"),
        ("dropout[3]", "0.5", "dropout is for hidden layers"),
        ("dropout[4]", "0.5", "there is no layer 4"),
    ],
)
def test_what_makes_no_sense_is_ignored_by_an_address_and_refused_elsewhere(
    name: str, text: str, reason: str
) -> None:
    found, (notice,) = read({name: text}, scenario(ONE))
    assert found == ()
    assert reason in notice
    with pytest.raises(ChangeError) as caught:
        apply(scenario(ONE), ((name, text),))
    fault = caught.value.faults[0]
    assert reason in fault.message
    assert (fault.name, fault.found) in {(name, text), ("activation[3]", text)}
    after, problems = edited((), {name: text}, scenario(ONE))
    assert after == ()
    assert reason in " ".join(problems.values())


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ChangeError) as caught:
        apply(scenario(ONE), (("w[7][1,1]", "1"), ("b[1][1]", "x"), ("loss", "cross_entropy")))
    assert [fault.name for fault in caught.value.faults] == ["w[7][1,1]", "b[1][1]", "loss"]


def test_a_name_that_stands_twice_counts_once_and_is_told() -> None:
    found, (notice,) = read(MultiDict([("x[1]", "3"), ("x[1]", "4")]), scenario(ONE))
    assert found == (("x[1]", "3"),)
    assert "more than once" in notice


def test_of_what_does_not_fit_together_the_rest_is_kept() -> None:
    found, (notice,) = read({"activation[3]": "tanh", "w[1][1,1]": "3"}, scenario(ONE))
    assert found == (("w[1][1,1]", "3"),)
    assert "activation[3]" in notice


def test_loss_and_output_can_be_changed_together() -> None:
    both = {"activation[3]": "tanh", "loss": "squared_error"}
    found, notices = read(both, scenario(ONE))
    assert (dict(found), notices) == (both, ())
    lesson = open_lesson(apply(scenario(ONE), found))
    assert lesson.trace.network.loss.name == "squared_error"
    assert lesson.trace.network.layer(3).activation.name == "tanh"


def test_two_targets_that_sum_to_one_can_be_changed_together_only() -> None:
    own = scenario("3-2-3-softmax")
    assert read({"y[1]": "0.5"}, own)[0] == ()
    row = {f"y[{i}]": text for i, text in enumerate(("0.5", "0.25", "0.25"), 1)}
    found, notices = read(row, own)
    assert notices == ()
    assert apply(own, found).targets == ((0.5, 0.25, 0.25),)


def test_more_changes_than_an_address_can_hold_are_told() -> None:
    large = parse(LARGE, "large.yaml")
    wanted = {f"x[{j}]": "0.25" for j in range(1, 150)}
    found, notices = read(wanted, large)
    assert len(found) == MOST
    assert "lesson of your own" in notices[0]
    after, problems = edited((), wanted, large)
    assert after == ()
    assert "lesson of your own" in problems[""]
    found, notices = read(
        {f"w[1][{i},{j}]": "-1.2345678901234567e-300" for i in range(1, 10) for j in range(1, 11)},
        large,
    )
    assert len(query(found)) <= LONGEST
    assert notices


# ---- into a scenario ----


def test_a_changed_lesson_is_the_lesson_of_the_file_with_the_same_numbers() -> None:
    text = (Path(__file__).parents[1] / "scenarios" / f"{ONE}.yaml").read_text(encoding="utf-8")
    by_hand = text.replace("    - [2.0]\n", "    - [-1.5]\n").replace(
        "[0.4, 0.2, 0.6]", "[0.4, -0.3, 0.6]"
    )
    by_hand = by_hand.replace("learning_rate: 0.1", "learning_rate: 0.75")
    assert by_hand.count("-1.5") == by_hand.count("-0.3") == by_hand.count("0.75") == 1
    hand = parse(by_hand[: by_hand.index("\nprinted:")], f"{ONE}.yaml")
    made = apply(
        scenario(ONE),
        read({"x[1]": "-3/2", "w[3][1,2]": "-0,3", "learning_rate": "0.75"}, scenario(ONE))[0],
    )
    assert (made.network, made.data, made.training) == (hand.network, hand.data, hand.training)
    here, there = open_lesson(made), open_lesson(hand)
    names = list(here.walk("number").order)
    assert names == list(there.walk("number").order)
    assert [here.trace.value(q) for q in names] == [there.trace.value(q) for q in names]


def test_what_speaks_of_the_originals_numbers_is_dropped_and_the_texts_stay() -> None:
    own = scenario(ONE)
    made = apply(own, (("x[1]", "3"),))
    assert (made.printed, made.notes, made.checks, made.lecture) == ((), (), (), None)
    assert (made.id, made.title, made.about, made.learn, made.notation) == (
        own.id,
        own.title,
        own.about,
        own.learn,
        own.notation,
    )
    assert apply(own, ()) is own


def test_a_layer_made_by_a_scheme_is_written_out_only_where_it_is_touched() -> None:
    large = parse(LARGE, "large.yaml")
    found, notices = read({"w[2][3,4]": "0.5"}, large)
    assert notices == ()
    made = apply(large, found)
    assert [layer.init is None for layer in made.network.layers] == [False, True, False]
    before, after = build(large).network, build(made).network
    differs = np.argwhere(before.layer(2).weights != after.layer(2).weights)
    assert differs.tolist() == [[2, 3]]
    assert after.layer(2).weights[2, 3] == 0.5
    assert np.array_equal(before.layer(1).weights, after.layer(1).weights)


def test_rows_that_are_not_touched_are_not_copied() -> None:
    own = scenario(ONE)
    made = apply(own, (("w[2][2,1]", "9"),))
    assert made.network.layers[0] is own.network.layers[0]
    old, new = (lesson.network.layers[1].weights or () for lesson in (own, made))
    assert [a is b for a, b in zip(old, new, strict=True)] == [True, False, True]
    assert made.data is own.data


def test_a_parameter_goes_with_its_activation() -> None:
    own = scenario(ONE)
    now, problems = edited((), {"activation[1]": "leaky_relu", "slope[1]": "0.2"}, own)
    assert (dict(now), problems) == ({"activation[1]": "leaky_relu", "slope[1]": "0.2"}, {})
    assert read({"activation[1]": "leaky_relu", "slope[1]": "0.01"}, own)[0] == (
        ("activation[1]", "leaky_relu"),
    )
    after, problems = edited(now, {"activation[1]": "tanh", "slope[1]": "0.2"}, own)
    assert (dict(after), problems) == ({"activation[1]": "tanh"}, {})
    assert without(now, "activation[1]") == ()
    assert dict(without(now, "slope[1]")) == {"activation[1]": "leaky_relu"}


ADAM = reader.load(Path(__file__).parents[1] / "docs" / "examples" / "optimizer-adam.yaml")
"""A lesson with beta1 0.8 and beta2 0.95."""


@pytest.mark.parametrize(("address", "training", "said"), [
    ("optimizer=adam&beta1=0.8", {"optimizer": {"name": "adam", "beta1": 0.8}}, "optimizer from sgd to adam, beta1 from 0.9 to 0.8"),
    ("optimizer=rmsprop&alpha=0.9", {"optimizer": {"name": "rmsprop", "alpha": 0.9}}, "optimizer from sgd to rmsprop, alpha from 0.99 to 0.9"),
    ("optimizer=adagrad&epsilon=1e-08", {"optimizer": {"name": "adagrad", "epsilon": 1e-8}},
     "optimizer from sgd to adagrad, epsilon from 1e-10 to 1e-08"),
    ("schedule=step&every=3&factor=0.1", {"schedule": {"name": "step", "every": 3, "factor": 0.1}},
     "schedule from constant to step, every from 100 to 3, factor from 0.5 to 0.1"),
    ("penalty=squared", {"l2": {"weight": 0.01}}, "penalty from none to squared"),
    ("penalty=norm&l2=0.2", {"l2": {"weight": 0.2, "form": "norm"}}, "penalty from none to norm, l2 from 0.01 to 0.2"),
    ("clipping=value&clip=0.5", {"clip": {"value": 0.5}}, "clipping from none to value, clip from 1 to 0.5"),
    ("clipping=norm", {"clip": {"norm": 1}}, "clipping from none to norm"),
])  # fmt: skip
def test_how_a_lesson_learns_can_be_changed_by_its_address(
    address: str, training: dict[str, Any], said: str
) -> None:
    own = scenario(ONE)
    found, notices = read(dict(parse_qsl(address)), own)
    assert (query(found), notices) == (address, ())
    made = apply(own, found)
    assert made.training.model_dump(exclude_defaults=True) == {"learning_rate": 0.1, **training}
    assert told(listed(own, found)) == f"Changed from the original: {said}."
    assert parse(dump.write(made), "x.yaml").training == made.training
    assert open_lesson(made).trace.finite
    assert all(changes.structural(name) for name, _ in found if name in CHOICES)


@pytest.mark.parametrize(("typed", "word", "size"), [
    ("online", "online", 1), ("1", "online", 1), (" 4 ", "4", 4), ("Online", "online", 1),
])  # fmt: skip
def test_the_batch_can_be_changed_and_is_written_in_one_way(
    typed: str, word: str, size: int
) -> None:
    own = scenario("batch-descent")
    found, notices = read({"batch": typed}, own)
    assert (found, notices) == ((("batch", word),), ())
    made = apply(own, found)
    assert (made.batch, made.training.learning_rate) == (size, own.training.learning_rate)
    assert open_lesson(made, 3).trace.samples == size
    assert parse(dump.write(made), "x.yaml").training == made.training
    assert changes.structural("batch")
    assert read({"batch": "full"}, own) == ((), ())
    assert read({"batch": str(own.data.training_samples)}, own) == ((), ())


@pytest.mark.parametrize("typed", ["0", "9999", "-1", "1.5", "some", "", "٤"])
def test_a_batch_that_makes_no_sense_is_refused_with_the_limit(typed: str) -> None:
    own = scenario("batch-descent")
    changed, (notice,) = read({"batch": typed}, own)
    assert changed == ()
    assert f"full, online or a whole number of samples from 1 to {own.data.samples}" in notice


def test_one_sample_is_the_full_batch() -> None:
    _, (notice,) = read({"batch": "2"}, scenario(ONE))
    assert "expected full, for there is one sample; got '2'" in notice
    assert read({"batch": "online"}, scenario(ONE)) == ((), ())


def test_numbers_of_other_samples_are_not_told_as_changed() -> None:
    address = "/lessons/batch-descent/steps/1?batch=online"
    answer = get(address)
    assert answer.status_code == 200
    assert "batch was full → online" in " ".join(page(address).root.text.split())
    step = page(address).root.one("article", cls="board")
    assert "was" not in step.text.split()


def test_an_optimizer_chosen_anew_has_its_usual_numbers() -> None:
    assert apply(ADAM, (("optimizer", "adamw"),)).training.optimizer.beta1 is None
    assert apply(ADAM, (("beta2", "0.5"),)).training.optimizer.beta1 == 0.8
    assert read({"optimizer": "adamw", "beta1": "0.9"}, ADAM)[0] == (("optimizer", "adamw"),)
    assert read({"beta1": "0.8", "optimizer": "adam"}, ADAM)[0] == ()
    now = read({"beta1": "0.7", "beta2": "0.5"}, ADAM)[0]
    shown = {"beta1": "0.7", "beta2": "0.5", "epsilon": "1e-08"}
    for fields in ({**shown, "optimizer": "sgd"}, {"optimizer": "sgd", **shown}):
        assert edited(now, fields, ADAM) == ((("optimizer", "sgd"),), {})
    after, problems = edited((), {"optimizer": "sgd", "momentum": "0.5"}, ADAM)
    assert after == ()
    assert problems == {
        "momentum": "belongs to momentum or nesterov, but the optimizer here is sgd."
    }
    both = (("optimizer", "adamw"), ("beta1", "0.5"))
    assert without(both, "optimizer") == ()
    assert without(both, "beta1") == both[:1]


def test_a_share_of_a_hidden_layer_can_be_dropped() -> None:
    own = scenario(ONE)
    found, notices = read({"dropout[2]": "1/4"}, own)
    assert (query(found), notices) == ("dropout[2]=0.25", ())
    assert [layer.dropout for layer in apply(own, found).network.layers] == [0, 0.25, 0]
    assert read({"dropout[2]": "0"}, own) == ((), ())
    assert changes.structural("dropout[2]")


def test_the_parameter_and_the_optimizers_number_of_one_name_are_two_parts() -> None:
    wanted = {
        "optimizer": "rmsprop",
        "alpha": "0.5",
        "activation[1]": "elu",
        "alpha[1]": "2",
    }
    own = scenario(ONE)
    found, notices = read(wanted, own)
    assert (dict(found), notices) == (wanted, ())
    made = apply(own, found)
    assert made.training.optimizer.alpha == 0.5
    assert made.network.layers[0].parameters == {"alpha": 2}
    assert dict(without(found, "optimizer")).keys() == {"activation[1]", "alpha[1]"}
    assert dict(without(found, "activation[1]")).keys() == {"optimizer", "alpha"}


def test_fields_that_say_what_is_there_change_nothing() -> None:
    own = scenario(ONE)
    now = read({"x[1]": "3"}, own)[0]
    assert edited(now, {"x[1]": "3.0", "w[1][1,1]": "0.1", "loss": own.loss.name}, own) == (now, {})
    assert edited(now, {"x[1]": "2"}, own) == ((), {})


def test_the_sentence_for_files_has_old_and_new() -> None:
    own = scenario(ONE)
    assert told(listed(own, read({"x[1]": "1/2", "loss": "squared_error"}, own)[0])) == (
        "Changed from the original: x[1] from 2 to 0.5, loss from binary_cross_entropy to squared_error."
    )
    assert told(()) == ""


SAMPLED = """
format: 1
title: Sampled
network: {inputs: 2, layers: [{units: 2, activation: tanh, init: {scheme: he, seed: 1}},
  {units: 1, activation: sigmoid, weights: [[1, -1]], biases: [0]}], loss: {name: binary_cross_entropy}}
data: {generator: {name: circle, samples: 12, seed: 4}, split: {train: 0.75, test: 0.25}}
training: {learning_rate: 0.1, batch: 4, iterations: 9}
"""


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("batch", "full", ("batch: 4", "batch: full")),
        ("batch", "online", ("batch: 4", "batch: online")),
        ("batch", " 03 ", ("batch: 4", "batch: 3")),
        ("shuffle", "7", ("batch: 4", "batch: 4, shuffle: {seed: 7}")),
        ("data_seed", "5", ("12, seed: 4", "12, seed: 5")),
        ("seed[1]", "8", ("he, seed: 1", "he, seed: 8")),
    ],
)
def test_batches_and_seeds_are_changed_as_a_file_would_say_it(
    name: str, text: str, lines: tuple[str, str]
) -> None:
    lesson, other = (parse(t, "sampled.yaml") for t in (SAMPLED, SAMPLED.replace(*lines)))
    wanted, notices = read({name: text}, lesson)
    assert (wanted, notices) == (((name, text.strip().lstrip("0")),), ())
    found = apply(lesson, wanted)
    assert (found.network, found.data, found.training) == (
        other.network,
        other.data,
        other.training,
    )
    assert found != lesson
    assert read({name: str(value(lesson, part(name, lesson)))}, lesson) == ((), ())


def test_a_shuffle_is_taken_away_by_none() -> None:
    shuffled = parse(SAMPLED.replace("batch: 4", "batch: 4, shuffle: {seed: 0}"), "sampled.yaml")
    assert apply(shuffled, (("shuffle", "none"),)).training.shuffle is None
    assert read({"shuffle": "none"}, parse(SAMPLED, "sampled.yaml")) == ((), ())


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("batch", "10", "a whole number of samples from 1 to 9; got '10'"),
        ("shuffle", "yes", "expected none or a whole number from 0 to 4,294,967,295, got 'yes'"),
        ("shuffle", "-1", "got '-1'"),
        ("seed[1]", "", "got ''"),
        ("data_seed", "4294967296", "expected a whole number from 0 to 4,294,967,295"),
        ("seed[2]", "1", "the weights of layer 2 are written down, not made by a seed"),
        ("seed[3]", "1", "there is no layer 3 here"),
    ],
)
def test_a_batch_or_a_seed_that_makes_no_sense_is_told(name: str, text: str, words: str) -> None:
    lesson = parse(SAMPLED, "sampled.yaml")
    found, notices = read({name: text}, lesson)
    assert found == ()
    assert words in notices[0]
    assert words in edited((), {name: text}, lesson)[1][name]


def test_written_samples_have_no_seed() -> None:
    found, notices = read({"data_seed": "1"}, scenario(ONE))
    assert found == ()
    assert "the samples of this lesson are written down, not made by a seed" in notices[0]


def test_numbers_after_another_seed_are_those_that_it_makes() -> None:
    lesson = parse(SAMPLED, "sampled.yaml")
    seeds = (("data_seed", "5"), ("seed[1]", "8"))
    other = apply(lesson, seeds)
    names = ("x[1]@2", "y[1]@3", "w[1][2,1]")
    numbers = {name: str(value(other, part(name, other))) for name in names}
    assert numbers != {name: str(value(lesson, part(name, lesson))) for name in names}
    # a form that holds all of them changes nothing
    assert edited(seeds, numbers, lesson) == (seeds, {})
    changed = apply(lesson, (*seeds, ("w[1][2,1]", "0.5")))
    assert changed.network.layers[0].weights is not None
    assert changed.network.layers[0].weights[0] == tuple(
        build(other).network.layers[0].weights[0].tolist()
    )


def test_the_kinds_are_those_that_the_documentation_names() -> None:
    assert KINDS == (
        "x",
        "y",
        "w",
        "b",
        "learning_rate",
        "batch",
        "shuffle",
        "data_seed",
        "loss",
        "reduction",
        "activation",
        "slope",
        "alpha",
        "dropout",
        "seed",
        "l2",
        "optimizer",
        "schedule",
        "penalty",
        "clipping",
        "momentum",
        "beta1",
        "beta2",
        "epsilon",
        "weight_decay",
        "every",
        "factor",
        "period",
        "minimum",
        "decay",
        "clip",
    )
    assert sizes(scenario(ONE)).samples == 1
    assert not changes.structural("w[1][1,1]")


# ---- on pages ----

CHANGED = {"x[1]": "3", "w[2][1,2]": "-0.3", "learning_rate": "0.5"}
QUERY = query(read(CHANGED, scenario(ONE))[0])


@pytest.mark.parametrize("grain", ["number", "layer", "pass"])
def test_every_step_shows_the_changed_lessons_numbers_and_marks_what_differs_and_only_that(
    grain: str,
) -> None:
    own, new = (
        open_lesson(scenario(ONE)),
        open_lesson(apply(scenario(ONE), read(CHANGED, scenario(ONE))[0])),
    )
    marked = plain = 0
    for n in range(1, len(new.walk(grain)) + 1):
        shown = page(f"/lessons/{ONE}/steps/{n}?grain={grain}&{QUERY}")
        assert shown.problems == []
        for cell in shown.root.all("td"):
            if "data-q" not in cell.attributes or cell.attributes["data-q"] == "":
                continue
            q = changes_quantity(cell.attributes["data-q"])
            before, after = own.trace.value(q), new.trace.value(q)
            olds = list(cell.all("del"))
            assert cell.text.startswith(number.shown(after, 4))
            assert bool(olds) == (before != after)
            if olds:
                marked += 1
                assert olds[0].text == "was " + number.apart(before, after, 4)
            else:
                plain += 1
    assert marked > 20
    assert plain > 5


def changes_quantity(name: str) -> Quantity:
    from tutor.engine.quantity import parse as quantity

    return quantity(name)


def test_the_result_of_a_step_says_what_it_was() -> None:
    own = open_lesson(scenario(ONE))
    for n in range(1, len(own.walk("number")) + 1, 7):
        root = page(f"/lessons/{ONE}/steps/{n}?{QUERY}").root
        old = own.trace.value(own.walk("number").anchor(n))
        assert number.shown(old, 4) in root.one("p", cls="was").text
    # not behind that weight yet
    assert not list(page(f"/lessons/{ONE}/steps/1?w[3][1,1]=3").root.all("p", cls="was"))


def test_a_lesson_without_changes_has_no_mark() -> None:
    for name in NAMES:
        root = page(f"/lessons/{name}/steps/5").root
        assert not [
            *root.all("del"),
            *root.all("ins"),
            *root.all("section", cls="changed"),
            *root.all("p", cls="was"),
        ]


def test_a_change_too_small_to_see_is_told_with_more_digits() -> None:
    text = fragment(f"/lessons/{ONE}/steps/2?w[1][1,1]=0.1000001").text
    assert "was </span>0.5744425" in text


def test_the_diagram_marks_the_changed_numbers_with_their_old_ones() -> None:
    root = page(f"/lessons/{ONE}/steps/7?{QUERY}").root
    marks = {
        next(iter(g.all("text"))).attributes["data-q"]: g.one("title").text
        for g in root.all("g", cls="changed")
    }
    assert marks == {"x[1]": "x[1] was 2", "w[2][1,2]": "w[2][1,2] was 0.1"}


def test_each_change_has_a_link_that_takes_it_back_and_stays_at_the_step() -> None:
    root = page(f"/lessons/{ONE}/steps/30?decimals=6&{QUERY}").root
    links = [link.attributes["href"] for link in root.all("a", cls="reset")]
    left = [dict(parse_qsl(urlsplit(link).query)) for link in links]
    assert [set(CHANGED) - set(rest) for rest in left] == [
        {"x[1]"},
        {"w[2][1,2]"},
        {"learning_rate"},
        set(CHANGED),
    ]
    assert {urlsplit(link).path for link in links} == {f"/lessons/{ONE}/steps/30"}
    assert {rest["decimals"] for rest in left} == {"6"}
    assert all(get(link).status_code == 200 for link in links)


def test_what_of_the_lecture_is_left_out_is_said() -> None:
    assert (
        "The numbers on the slides"
        in page(f"/lessons/{ONE}/steps/7?x[1]=3").root.one("section", cls="changed").text
    )
    assert not list(page(f"/lessons/{ONE}/steps/7?x[1]=3").root.all("aside", cls="slide"))


def test_percent_encoded_names_are_read_too() -> None:
    plain, coded = (
        fragment(f"/lessons/{ONE}/steps/9?{q}").text
        for q in ("w[2][1,2]=0.5", "w%5B2%5D%5B1%2C2%5D=0.5")
    )
    assert plain == coded
    assert "w[2][1,2]" in plain


@pytest.mark.parametrize(
    "junk",
    [
        "w[2][1,2]=abc",
        "w[99][1,1]=1",
        "x[1]=&x[1]=",
        "activation[1]=",
        "loss=cross_entropy",
        "w[[=1",
        "x[1]=%00%ff",
    ],
)
def test_a_bad_address_is_a_page_with_a_notice(junk: str) -> None:
    answer = get(f"/lessons/{ONE}/steps/9?{junk}")
    assert answer.status_code == 200
    assert 'class="notice"' in answer.text


def test_every_page_that_takes_a_view_follows_the_changes() -> None:
    for address in ("", "/export", "/steps/33/chain"):
        assert get(f"/lessons/{ONE}{address}?{QUERY}").status_code == 200
    for kind in ("html", "worksheet", "numpy", "torch", "notebook", "latex"):
        text = get(f"/lessons/{ONE}/export/{kind}?{QUERY}").text
        assert "from 0.1 to -0.3" in text.replace("\\", "").replace("{-}", "-"), kind
    assert get(f"/lessons/{ONE}/export/json?{QUERY}").json["changed"]["x[1]"] == {
        "old": "2",
        "new": "3",
    }
    assert "without your changes" in get(f"/lessons/{ONE}/slides?{QUERY}").text


# ---- what is remembered ----


@pytest.mark.parametrize("place", ["/export", "/share?step=7"])
def test_pages_about_a_changed_lesson_say_what_was_changed(place: str) -> None:
    joined = "&" if "?" in place else "?"
    found = page(f"/lessons/{ONE}{place}{joined}x[1]=3&loss=squared_error").root.all(
        "p", cls="notice"
    )
    assert [notice.text for notice in found] == [
        "Changed from the original: x[1] from 2 to 3, loss from binary_cross_entropy to squared_error."
    ]
    assert not list(page(f"/lessons/{ONE}{place}").root.all("p", cls="notice"))


def test_the_page_of_a_whole_chain_lists_what_was_changed_as_its_step_does() -> None:
    place = f"/lessons/{ONE}/steps/33"
    changes = "?x[1]=3&loss=squared_error"
    (chain,) = page(f"{place}/chain{changes}").root.all("section", cls="changed")
    (step,) = page(f"{place}{changes}").root.all("section", cls="changed")
    assert chain.text == step.text
    assert "x[1]" not in chain.text
    assert not list(page(f"{place}/chain").root.all("section", cls="changed"))


def test_a_version_with_new_numbers_does_not_tell_of_changed_numbers() -> None:
    found = page(f"/lessons/{ONE}/export?seed=3&x[1]=3&loss=squared_error").root.all(
        "p", cls="notice"
    )
    assert [notice.text for notice in found] == [
        "Changed from the original: loss from binary_cross_entropy to squared_error."
    ]


def test_the_first_page_of_a_changed_lesson_says_whose_numbers_its_words_are_about() -> None:
    said = "The description below is about the lesson’s own numbers."
    assert said in get(f"/lessons/{ONE}?x[1]=3").text
    assert said not in get(f"/lessons/{ONE}").text
    for beside in ("steps/7", "jacobians/2", "graph", "check", "quantities/x[1]", "paper"):
        assert said not in get(f"/lessons/{ONE}/{beside}?x[1]=3&paper=3").text
    assert said in get("/lessons/max-switch?x=4").text
    assert said not in get("/lessons/max-switch/steps/3?x=4").text


def test_a_changed_formula_says_what_of_it_is_not_shown() -> None:
    step = page("/lessons/sigmoid-circuit/steps/3?w0=1").root
    said = "The notes and the closed forms belong to the lesson’s own numbers"
    assert said in step.one("section", cls="changed").text


def test_a_changed_lesson_is_made_once_and_shared_by_its_views() -> None:
    shown = library()
    own = scenario(ONE)
    view = View(changes=read({"x[1]": "5"}, own)[0])
    with tutor().app_context():
        assert shown.lesson(own, view) is shown.lesson(own, View("layer", changes=view.changes))
        assert shown.step(own, view, 3) is shown.step(own, view, 3)
        assert shown.step(own, view, 3) != shown.step(own, View(), 3)
    assert shown.context(own, view).original is shown.lesson(own)
    assert shown.context(own, View()).original is None
    assert (
        shown.lesson(own, view).scenario is shown.lesson(own, replace(view, iteration=2)).scenario
    )


# ---- the form ----


def send(step: str, fields: dict[str, str], **headers: str) -> Any:
    return (
        tutor()
        .test_client()
        .post(
            f"/lessons/{step}",
            data=fields,
            headers={name.replace("_", "-"): text for name, text in headers.items()},
        )
    )


def test_a_form_that_makes_sense_leads_to_the_address_of_the_same_step() -> None:
    answer = send(
        f"{ONE}/steps/40/change?grain=number&w[2][1,2]=0.5&decimals=6",
        {"x[1]": "1/3", "w[2][1,2]": "0.5", "colour": "red"},
    )
    assert answer.status_code == 303
    assert (
        answer.headers["Location"]
        == f"/lessons/{ONE}/steps/40?decimals=6&x[1]=0.3333333333333333&w[2][1,2]=0.5"
    )


def test_a_form_that_makes_no_sense_comes_back_with_what_was_typed_and_why() -> None:
    answer = send(
        f"{ONE}/steps/40/change", {"x[1]": "0,5", "w[2][1,2]": '"><script>', "b[1][1]": "abc"}
    )
    assert answer.status_code == 422
    from tests.htmltree import read as tree

    shown = tree(answer.text)
    assert shown.problems == []
    assert (
        "open"
        in next(
            box for box in shown.root.all("details") if box.attributes.get("id") == "whatif"
        ).attributes
    )
    fields = {
        field.attributes["name"]: field
        for field in shown.root.all("input")
        if "name" in field.attributes
    }
    assert fields["x[1]"].attributes["value"] == "0,5"
    assert "aria-invalid" not in fields["x[1]"].attributes
    told_ = {p.attributes["id"]: p.text for p in shown.root.all("p", cls="problem")}
    for name, text in (("w[2][1,2]", '"><script>'), ("b[1][1]", "abc")):
        assert fields[name].attributes["value"] == text
        assert fields[name].attributes["aria-invalid"] == "true"
        assert "is not a number" in told_[fields[name].attributes["aria-describedby"]]
    assert "Step 40 of 79" in answer.text


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_sites_form_is_refused(site: str) -> None:
    assert send(f"{ONE}/steps/4/change", {"x[1]": "3"}, Sec_Fetch_Site=site).status_code == 403


def test_the_form_has_every_given_number_and_every_choice() -> None:
    root = page(f"/lessons/{ONE}/steps/4").root
    form = next(form for form in root.all("form") if form.attributes.get("id") == "what-if")
    names = {field.attributes["name"] for field in [*form.all("input"), *form.all("select")]}
    wanted = {str(part) for part in parts(scenario(ONE)) if part.kind not in BELONGING}
    assert names == wanted
    assert "slope[1]" in get(f"/lessons/{ONE}/steps/4?activation[1]=leaky_relu").text


def test_the_form_has_the_numbers_of_what_is_chosen() -> None:
    address = f"/lessons/{ONE}/steps/4?optimizer=adam&penalty=norm&l2=0.2&beta1=0.8"
    form = page(address).root.one("form", id="what-if")
    fields = {field.attributes["name"]: field.attributes["value"] for field in form.all("input")}
    assert {"beta1": "0.8", "beta2": "0.999", "epsilon": "1e-08", "l2": "0.2"}.items() <= (
        fields.items()
    )
    assert not {"momentum", "alpha", "weight_decay", "clip", "every"} & fields.keys()
    changed = [" ".join(row.text.split()) for row in page(address).root.all("li")]
    for told_ in ("optimizer was gradient descent → Adam", "beta 1 was 0.9 → 0.8"):
        assert any(told_ in text.replace("Reset", " Reset") for text in changed), changed


def test_a_number_of_another_optimizer_is_refused_beside_its_field() -> None:
    answer = send(f"{ONE}/steps/4/change", {"beta1": "0.8", "penalty": "norm"})
    assert answer.status_code == 422
    shown = read_page(answer.text)
    field = next(f for f in shown.root.all("input") if f.attributes.get("name") == "beta1")
    assert field.attributes["value"] == "0.8"
    assert field.attributes["aria-invalid"] == "true"
    assert "belongs to adam or adamw, but the optimizer here is sgd." in answer.text
    sent = send(f"{ONE}/steps/4/change", {"optimizer": "momentum", "beta1": "0.9"})
    assert sent.headers["Location"].endswith("?optimizer=momentum")


def test_the_form_shows_each_number_as_the_lesson_writes_it_and_all_its_digits() -> None:
    form = page("/lessons/3-2-3-softmax/steps/1?w[1][1,2]=1/3").root.one("form", id="what-if")
    labels = {label.attributes["for"]: label.text for label in form.all("label")}
    assert labels["if-w[1][1,2]"].startswith("v21")
    assert labels["if-learning_rate"].startswith("Learning rate")
    sizes_of = {
        field.attributes["name"]: int(field.attributes["size"] or 0) for field in form.all("input")
    }
    assert sizes_of["w[1][1,2]"] == len("0.3333333333333333")
    assert sizes_of["w[1][1,1]"] == len("0.4963")


def test_where_the_steps_change_the_same_number_is_found_again() -> None:
    own = scenario("3-2-3-softmax")
    walk = open_lesson(own).walk("number")
    n = walk.step_of(Quantity("dL/dw", 1, 1, 2))
    answer = send(
        f"3-2-3-softmax/steps/{n}/change", {"activation[2]": "sigmoid", "loss": "squared_error"}
    )
    there = get(answer.headers["Location"])
    assert there.status_code == 200
    new = open_lesson(
        apply(own, read({"activation[2]": "sigmoid", "loss": "squared_error"}, own)[0])
    ).walk("number")
    assert f"/steps/{new.step_of(Quantity('dL/dw', 1, 1, 2))}?" in unquote(
        answer.headers["Location"]
    )
    resets = [
        link.attributes["href"]
        for link in page(answer.headers["Location"]).root.all("a", cls="reset")
    ]
    assert resets[-1] == f"/lessons/3-2-3-softmax/steps/{n}"


def test_behind_the_end_of_a_changed_lesson_one_sees_its_last_step() -> None:
    answer = get(f"/lessons/{ONE}/steps/79?activation[3]=step&loss=squared_error")
    assert answer.status_code == 200
    assert "With your changes this lesson ends at step" in answer.text
    assert get(f"/lessons/{ONE}/steps/80").status_code == 404
    assert (
        send(
            f"{ONE}/steps/79/change", {"activation[3]": "step", "loss": "squared_error"}
        ).status_code
        == 303
    )


def test_numbers_that_overflow_are_a_page_too() -> None:
    answer = get(f"/lessons/{ONE}/steps/60?w[1][1,1]=1e308&x[1]=1e308&activation[1]=identity")
    assert answer.status_code == 200
    assert "why it stops" in answer.text.lower()


def test_a_large_network_asks_for_a_name_and_a_value(tmp_path: Path) -> None:
    from app import create_app

    (tmp_path / "large.yaml").write_text(LARGE, encoding="utf-8")
    client = create_app(tmp_path).test_client()
    text = client.get("/lessons/large/steps/1").text
    assert 'name="value"' in text
    form = text[text.index('id="whatif"') : text.index("</form>", text.index('id="whatif"'))]
    assert "w[1][1,2]" not in form
    for fields, status, said in (
        ({"name": "w[2][3,4]", "value": "1/2"}, 303, ""),
        ({"name": "w[2][300,4]", "value": "1/2"}, 422, "layer 2 has 64 units"),
        ({"name": "w[2][3,4]", "value": "x"}, 422, "is not a number"),
        ({"name": "", "value": "3"}, 422, "which number"),
        ({"name": "", "value": ""}, 303, ""),
    ):
        answer = client.post("/lessons/large/steps/1/change", data=fields)
        assert answer.status_code == status
        assert said in answer.text
    assert client.get("/lessons/large/steps/100000?w[2][3,4]=0.5").status_code == 200


@given(query=st.dictionaries(MANGLED, st.one_of(NUMBERS, WORDS, st.text(max_size=20)), max_size=4))
@settings(max_examples=60)
def test_no_address_at_all_breaks_a_page(query: dict[str, str]) -> None:
    answer = tutor().test_client().get(f"/lessons/{ONE}/steps/9", query_string=query)
    assert answer.status_code in {200, 302, 404}
    answer = tutor().test_client().post(f"/lessons/{ONE}/steps/9/change", data=query)
    assert answer.status_code in {303, 422}


def test_the_form_reads_symbols_out_and_no_internal_names() -> None:
    root = read_page(get("/lessons/1-2-3-1-sigmoid/steps/3").text).root
    labels = {
        field.attributes["name"]: field.attributes.get("aria-label", "")
        for field in root.all("input")
        if field.attributes.get("id", "").startswith("if-")
    }
    assert labels["w[2][2,1]"] == "weight w 1 2 of layer 2"
    assert labels["b[1][1]"] == "bias w 0 1 of layer 1"
    assert not [label for label in labels.values() if "[" in label]


def test_a_lesson_without_a_lecture_does_not_speak_of_one() -> None:
    for name, whose in (("one-weight", "lesson"), ("1-2-3-1-sigmoid", "lecture")):
        options = read_page(get(f"/lessons/{name}/steps/1").text).root.all("option")
        assert [f"(the {whose}’s own)" in option.text for option in options].count(True) == 1
