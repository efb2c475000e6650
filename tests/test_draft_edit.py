"""The buttons of the form: what they keep, what they add, and that they never fail."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from tests.visiting import NAMES, scenario
from tutor.builder import checked
from tutor.builder.checked import Draft
from tutor.builder.edit import OPERATIONS, edited, fitted
from tutor.builder.fields import SCHEMES
from tutor.builder.grid import readable
from tutor.lesson.dataset import made
from tutor.scenario.model import Generator, GeneratorName

BLANK = checked.blank()


def with_fields(start: Draft, changes: dict[str, str]) -> Draft:
    return checked.of_form(MultiDict({**checked.fields(start), **changes}))


def pasted(start: Draft, where: str, text: str) -> Draft:
    return replace(start, pastes=MappingProxyType({where: text}))


def is_sound(found: Draft) -> bool:
    return not checked.checked(found)[1]


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_fits_as_it_is(name: str) -> None:
    start = checked.of_scenario(scenario(name))
    assert checked.fields(fitted(start).draft) == checked.fields(start)
    assert not fitted(start).said


def test_more_units_keep_the_numbers_and_add_friendly_ones() -> None:
    after = edited(with_fields(BLANK, {"units[1]": "3", "inputs": "4"}), "resize")
    first, second = after.draft.layers
    assert (
        first.weights.rows,
        first.weights.columns,
        second.weights.columns,
        first.bias.columns,
    ) == (3, 4, 3, 3)
    assert first.weights.cells[0][:2] == ("0.5", "-0.3")
    assert all(readable(cell) for row in first.weights.cells for cell in row)
    assert after.draft.x.columns == 4
    assert "resized" in after.said
    assert is_sound(after.draft)
    assert edited(with_fields(BLANK, {"units[1]": "3", "inputs": "4"}), "resize") == after, (
        "the same numbers each time"
    )


def test_fewer_units_and_samples_cut_the_tables() -> None:
    after = edited(
        with_fields(BLANK, {"units[1]": "1", "inputs": "1", "samples": "3"}), "resize"
    ).draft
    assert after.layers[0].weights.cells == (("0.5",),)
    assert (after.x.rows, after.x.columns, after.y.rows) == (3, 1, 3)
    assert is_sound(after)


def test_an_unreadable_size_changes_nothing() -> None:
    start = with_fields(BLANK, {"units[1]": "many", "inputs": "1000000", "samples": "x"})
    after = edited(start, "resize").draft
    assert after.layers == start.layers
    assert (after["inputs"], after.samples) == ("1000000", "x")


def test_a_new_hidden_layer_stands_before_the_output() -> None:
    after = edited(BLANK, "add-layer").draft
    assert [layer["activation"] for layer in after.layers] == ["tanh", "tanh", "sigmoid"]
    assert after.layers[0] == BLANK.layers[0]
    assert is_sound(after)


def test_layers_are_removed_and_moved() -> None:
    three = edited(BLANK, "add-layer").draft
    assert [layer["units"] for layer in edited(three, "remove-layer:2").draft.layers] == ["2", "1"]
    assert is_sound(edited(three, "remove-layer:1").draft)
    moved = edited(with_fields(three, {"units[1]": "4"}), "move-down:1").draft
    assert [layer["units"] for layer in moved.layers] == ["2", "4", "1"]
    assert moved == edited(with_fields(three, {"units[1]": "4"}), "move-up:2").draft
    assert is_sound(moved)


def test_the_last_layer_and_the_last_sample_stay() -> None:
    one = edited(BLANK, "remove-layer:1").draft
    assert len(one.layers) == 1
    refused = edited(one, "remove-layer:1")
    assert len(refused.draft.layers) == 1
    assert refused.problems == {"layers": "a network has at least one layer"}
    assert edited(BLANK, "remove-sample:1").problems == {
        "samples": "a lesson has at least one sample"
    }


def test_samples_are_added_and_the_right_one_is_removed() -> None:
    two = edited(BLANK, "add-sample").draft
    assert two.x.cells[0] == ("1", "0.5")
    assert (two.x.rows, two.y.rows, two.samples) == (2, 2, "2")
    assert is_sound(two)
    assert edited(two, "remove-sample:1").draft.x.cells == two.x.cells[1:]


def test_new_targets_for_cross_entropy_name_one_class() -> None:
    start = checked.of_scenario(scenario("3-2-3-softmax"))
    after = edited(
        replace(start, drop=frozenset({"printed", "notes", "checks"})), "add-sample"
    ).draft
    assert after.y.cells[1] == ("0", "1", "0")
    assert is_sound(after)


def test_the_seed_that_is_shown_is_the_one_that_made_the_numbers() -> None:
    start = with_fields(BLANK, {"seed[1]": "7"})
    first = edited(start, "fill:1")
    assert first.draft.layers[0]["seed"] == "7"
    assert first.draft.layers[0].weights != BLANK.layers[0].weights
    assert "seed 7" in first.said
    again = edited(first.draft, "fill:1")
    assert again.draft == first.draft
    assert "already" in again.said
    assert "Other numbers" in again.said
    copied = with_fields(BLANK, {"seed[1]": first.draft.layers[0]["seed"]})
    assert edited(copied, "fill:1").draft.layers[0] == first.draft.layers[0]


def test_other_numbers_are_those_of_the_next_seed() -> None:
    first = edited(BLANK, "fill:1").draft
    second = edited(first, "other:1")
    third = edited(second.draft, "other:1").draft
    assert [found.layers[0]["seed"] for found in (first, second.draft, third)] == ["1", "2", "3"]
    assert len({found.layers[0].weights for found in (BLANK, first, second.draft, third)}) == 4
    assert len({found.layers[0].bias for found in (BLANK, first, second.draft, third)}) == 4
    assert (
        edited(with_fields(BLANK, {"seed[1]": "2"}), "fill:1").draft.layers[0].weights
        == second.draft.layers[0].weights
    )
    assert "seed 2" in second.said
    assert all(abs(float(cell)) <= 0.9 for row in third.layers[0].weights.cells for cell in row)
    assert second.draft.layers[1] == BLANK.layers[1]


def test_after_the_last_seed_comes_the_first() -> None:
    last = with_fields(BLANK, {"seed[1]": str(2**32 - 1)})
    assert edited(last, "other:1").draft.layers[0]["seed"] == "0"


def test_other_numbers_of_a_rule_are_those_of_its_next_seed() -> None:
    after = edited(
        with_fields(BLANK, {"fill[1]": "xavier", "seed[1]": "3"}), "other:1"
    ).draft.layers[0]
    assert (after["fill"], after["seed"], after.weights) == ("xavier", "4", BLANK.layers[0].weights)


@pytest.mark.parametrize("seed", ["123456", "4000000000", " 12 "])
def test_every_seed_has_numbers_of_its_own(seed: str) -> None:
    drawn = {
        edited(with_fields(BLANK, {"seed[1]": text}), "fill:1").draft.layers[0].weights
        for text in ("0", "1", seed)
    }
    assert len(drawn) == 3


@pytest.mark.parametrize("seed", ["", "x", "-1", "1.5", "4294967296", "²"])
@pytest.mark.parametrize("action", ["fill:1", "other:1"])
def test_a_seed_that_is_none_is_said_beside_its_field_and_no_number_changes(
    seed: str, action: str
) -> None:
    start = with_fields(BLANK, {"seed[1]": seed})
    after = edited(start, action)
    assert "a whole number from 0 to 4,294,967,295" in after.problems["seed[1]"]
    assert after.draft.layers == start.layers


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_scheme_becomes_numbers_only_when_asked(scheme: str) -> None:
    start = with_fields(BLANK, {"fill[1]": scheme, "scale[1]": "0.5", "seed[1]": "3"})
    assert edited(start, "check").draft.layers[0]["fill"] == scheme
    after = edited(start, "fill:1").draft
    assert after.layers[0]["fill"] == "given"
    assert all(
        len(cell.lstrip("-").partition(".")[2]) <= 2
        for row in after.layers[0].weights.cells
        for cell in row
    )
    assert is_sound(after)
    assert edited(start, "fill:1").draft == after


@pytest.mark.parametrize(
    ("field", "text"), [("scale[1]", "x"), ("scale[1]", "-1"), ("scale[1]", "1e300"), ("seed[1]", "-1"), ("seed[1]", "")]
)  # fmt: skip
def test_a_scheme_says_what_is_wrong_with_scale_and_seed(field: str, text: str) -> None:
    after = edited(with_fields(BLANK, {"fill[1]": "normal", field: text}), "fill:1")
    assert field in after.problems
    assert after.draft.layers[0].weights == BLANK.layers[0].weights


def test_small_numbers_of_a_scheme_are_not_rounded_away() -> None:
    after = edited(with_fields(BLANK, {"fill[1]": "uniform", "scale[1]": "1e-5"}), "fill:1").draft
    assert all(float(cell) != 0 for row in after.layers[0].weights.cells for cell in row)


def test_one_pasted_row_is_one_unit() -> None:
    assert "Layer 1 now has 1 unit" in edited(pasted(BLANK, "1", "0.5 0.6"), "paste:1").said


def test_pasted_weights_bring_their_number_of_units() -> None:
    after = edited(pasted(BLANK, "1", "u;v\n1;2\n3;4\n5,5;6"), "paste:1")
    assert after.draft.layers[0].weights.cells == (("1", "2"), ("3", "4"), ("5,5", "6"))
    assert after.draft.layers[0]["units"] == "3"
    assert "skipped" in after.said
    assert "now has 3 units" in after.said
    assert not after.draft.pastes
    assert is_sound(after.draft)


@pytest.mark.parametrize("text", [
    "1\t2\t0,5\n3\t4\t0,7", "[[1, 2, 0.5],\n [3, 4, 0.7]]", "w1,w2,bias\n1,2,0.5\n3,4,0.7", "[[1. 2. 0.5]\n [3. 4. 0.7]]",
    "1;2;0.5\n3;4;0.7",
])  # fmt: skip
def test_pasted_weights_may_bring_the_biases_in_a_last_column(text: str) -> None:
    after = edited(pasted(BLANK, "1", text), "paste:1")
    assert not after.problems
    found = checked.data(after.draft)["network"]["layers"][0]
    assert (found["weights"], found["biases"]) == (((1, 2), (3, 4)), (0.5, 0.7))
    assert "the last number of each is its bias" in after.said
    assert is_sound(after.draft)


def test_more_units_come_with_their_biases() -> None:
    after = edited(pasted(BLANK, "1", "1 2 5\n3 4 6\n5 6 7"), "paste:1")
    assert after.draft.layers[0].bias.cells == (("5", "6", "7"),)
    assert "now has 3 units" in after.said


def test_a_layer_without_biases_takes_none() -> None:
    after = edited(
        pasted(with_fields(BLANK, {"biases[1]": "none"}), "1", "1 2 5\n3 4 6"), "paste:1"
    )
    assert (
        after.problems["paste[1]"]
        == "expected 2 numbers in each row, got 3 in row 1, and 1 other row does not fit; nothing was changed"
    )


def test_rows_with_and_without_a_bias_do_not_go_together() -> None:
    after = edited(pasted(BLANK, "1", "1 2 5\n3 4"), "paste:1")
    assert (
        after.problems["paste[1]"]
        == "expected 2 numbers or, with the bias, 3 in each row, got 2 in row 2; nothing was changed"
    )


def test_pasted_samples_take_the_place_of_all() -> None:
    after = edited(pasted(BLANK, "data", "1\t2\t0\n3\t4\t1"), "paste:data").draft
    assert (after.x.cells, after.y.cells, after.samples) == (
        (("1", "2"), ("3", "4")),
        (("0",), ("1",)),
        "2",
    )
    assert is_sound(after)


@pytest.mark.parametrize("where", ["1", "2", "data"])
def test_what_cannot_be_pasted_stays_in_its_field(where: str) -> None:
    after = edited(pasted(BLANK, where, "1,2,3,4\n1"), f"paste:{where}")
    assert f"paste[{where}]" in after.problems
    assert after.draft.pastes[where] == "1,2,3,4\n1"
    assert after.draft.layers == BLANK.layers


def test_new_inputs_of_a_number_that_makes_a_long_text() -> None:
    after = edited(
        with_fields(BLANK, {"inputs": "300", "fill[1]": "he", "samples": "3"}), "fill:data"
    ).draft
    assert after.rows is not None
    assert (after.x.rows, after.x.columns, after.y.rows) == (3, 300, 3)
    assert is_sound(after)


def test_many_samples_are_one_text_that_stays_as_it_is() -> None:
    rows = "\n".join(f"{n} {n} 1" for n in range(100))
    after = edited(pasted(BLANK, "data", rows), "paste:data").draft
    assert after.rows is not None
    assert (after.x.rows, after.y.rows) == (100, 100)
    assert checked.fields(checked.of_form(MultiDict(checked.fields(after)))) == checked.fields(
        after
    )
    assert is_sound(after)
    assert edited(after, "check").draft == after
    grown = edited(after, "add-sample").draft
    assert grown.height == 101
    assert is_sound(grown)


def test_a_text_of_samples_follows_a_new_number_of_inputs() -> None:
    rows = "\n".join(f"{n} {n} 1" for n in range(100))
    start = edited(pasted(BLANK, "data", rows), "paste:data").draft
    after = edited(with_fields(start, {"inputs": "3"}), "resize").draft
    assert (after.x.columns, after.y.columns) == (3, 1)
    assert after.x.cells[5][:2] == ("5", "5")
    assert after.y.cells == start.y.cells
    assert is_sound(after)


@pytest.mark.parametrize("name", get_args(GeneratorName))
def test_made_samples_can_be_written_into_the_table(name: str) -> None:
    asked = {"generator": name, "made_samples": "12", "data_seed": "3", "loss": "squared_error"}
    generator = Generator.model_validate({"name": name, "samples": 12, "seed": 3})
    start = edited(with_fields(BLANK, {**asked, "inputs": str(generator.inputs)}), "resize").draft
    after = edited(start, "fill:data")
    assert after.said
    assert not after.draft.made
    assert is_sound(after.draft)
    x, y = made(generator)
    assert np.allclose([[float(text) for text in row] for row in after.draft.x.cells], x, atol=5e-5)
    assert np.allclose([[float(text) for text in row] for row in after.draft.y.cells], y, atol=5e-5)


def test_too_many_made_samples_are_not_written_into_the_table() -> None:
    asked = {"generator": "blobs", "made_samples": "1000", "classes": "10", "labels": "one_hot"}
    after = edited(with_fields(BLANK, asked), "fill:data")
    assert after.draft.made
    said = after.problems["made_samples"]
    assert said == "1,000 samples are 12,000 numbers; the form holds up to 6,000"


def test_what_no_generator_can_make_is_written_nowhere() -> None:
    start = with_fields(BLANK, {"generator": "circle", "made_samples": "many"})
    assert edited(start, "fill:data").draft == start


def test_pasted_samples_are_typed_ones() -> None:
    start = with_fields(BLANK, {"generator": "circle"})
    after = edited(pasted(start, "data", "1 2 0\n3 4 1"), "paste:data").draft
    assert not after.made
    assert after.x.cells == (("1", "2"), ("3", "4"))


def test_a_table_too_large_for_the_form_is_refused_and_a_rule_is_not() -> None:
    start = with_fields(BLANK, {"units[1]": "1024", "inputs": "1024"})
    assert "let a rule make its weights" in edited(start, "resize").problems["fill[1]"]
    ruled = edited(with_fields(start, {"fill[1]": "xavier", "units[1]": "100"}), "resize")
    assert not ruled.problems
    assert is_sound(ruled.draft)
    assert "fill[1]" in edited(with_fields(start, {"fill[1]": "xavier"}), "fill:1").problems


def test_a_deep_network_has_a_thousand_fields_at_most() -> None:
    deep = BLANK
    for _ in range(10):
        deep = edited(deep, "add-layer").draft
    wide = edited(with_fields(deep, {f"units[{n}]": "13" for n in range(1, 12)}), "resize").draft
    assert sum(name.startswith(("w[", "b[")) for name in checked.fields(wide)) <= 1_020
    assert is_sound(wide)
    assert checked.fields(
        edited(checked.of_form(MultiDict(checked.fields(wide))), "check").draft
    ) == checked.fields(wide)


ACTIONS = [
    f"{name}{where}"
    for name in (*OPERATIONS, "resize", "check", "none")
    for where in ("", ":1", ":2", ":33", ":x", ":data", ":0")
]


@pytest.mark.parametrize("action", ACTIONS)
def test_every_button_works_on_a_sound_draft_and_on_an_empty_one(action: str) -> None:
    assert edited(BLANK, action).draft.layers
    edited(checked.of_form(MultiDict()), action)


@settings(max_examples=80)
@given(
    st.lists(st.sampled_from(ACTIONS), max_size=8),
    st.lists(st.tuples(st.sampled_from(list(checked.fields(BLANK))), st.sampled_from(["1", "3", "", "x", "12"]))),
)  # fmt: skip
def test_any_row_of_buttons_keeps_the_draft_whole(
    actions: list[str], changes: list[tuple[str, str]]
) -> None:
    now = with_fields(BLANK, dict(changes))
    for action in actions:
        now = edited(checked.of_form(MultiDict(checked.fields(now))), action).draft
        assert checked.fields(checked.of_form(MultiDict(checked.fields(now)))) == checked.fields(
            now
        )
    checked.checked(now)
