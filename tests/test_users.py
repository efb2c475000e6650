"""Who uses a number, held to the formulas themselves: turned round, they say the same."""

from __future__ import annotations

from collections import defaultdict

import pytest

from tests.visiting import NAMES, deep_network, scenario
from tutor.engine.derivation import derive
from tutor.engine.quantity import Quantity, parse
from tutor.engine.trace import Trace
from tutor.engine.tree import leaves
from tutor.engine.users import leading_to, users
from tutor.lesson.walk import open_lesson
from tutor.scenario.reader import parse as scenario_of

SMALL = [name for name in NAMES if max(scenario(name).network.sizes) <= 8]


def turned_round(trace: Trace, numbers: list[Quantity]) -> dict[Quantity, set[Quantity]]:
    """Who uses each number, by looking through the formulas of all."""
    found = defaultdict(set)
    for user in numbers:
        try:
            used = leaves(derive(trace, user).tree, trace)
        except KeyError:
            continue
        for ref in used:
            found[ref.quantity].add(user)
    return found


@pytest.mark.parametrize("name", [name for name in SMALL if scenario(name).data.samples <= 8])
def test_the_users_of_a_number_are_those_whose_formula_has_it(name: str) -> None:
    walk = open_lesson(scenario(name), input_gradients=True).walk("number")
    numbers = list(walk.order)[: len(walk)]
    wanted = turned_round(walk.trace, [*numbers, Quantity("(loss-loss+)/loss")])
    assert wanted
    for q in {*numbers, *wanted}:
        found = [user for one in users(walk.trace, q) for user in one.first(None)]
        assert len(found) == len(set(found)) == sum(one.count for one in users(walk.trace, q))
        known = {user for user in found if user in wanted[q] or user in numbers}
        assert known == wanted[q], q


def test_of_a_long_sum_the_numbers_in_its_middle_are_users_and_used() -> None:
    trace = open_lesson(deep_network(2, inputs=30, units=20)).trace
    (forward, *_) = users(trace, parse("a[1][9]"))
    assert (forward.kind, forward.layer, forward.count) == ("z", 2, 20)
    assert forward.first(2) == (parse("z[2][1]"), parse("z[2][2]"))
    (alone, *_) = users(trace, parse("w[1][7,15]"))
    assert alone.first(None) == (parse("z[1][7]"),)
    gradients = {one.kind: one.count for one in users(trace, parse("dL/dz[2][9]"))}
    assert gradients == {"dL/db": 1, "dL/dw": 20, "dL/da": 20}


def test_every_weight_is_in_a_penalty_that_is_too_long_to_be_written_out() -> None:
    text = (
        "format: 1\ntitle: Penalty\nnetwork: {inputs: 9, layers: [{units: 4, activation: tanh, "
        "init: {scheme: xavier, seed: 1}}], loss: {name: squared_error}}\n"
        "data: {inputs: [[1,2,3,4,5,6,7,8,9]], targets: [[1,2,3,4]]}\n"
        "training: {learning_rate: 0.1, l2: {weight: 0.1, form: squared}}\n"
    )
    trace = open_lesson(scenario_of(text, "penalty.yaml")).trace
    assert "penalty" in {one.kind for one in users(trace, parse("w[1][3,5]"))}


def test_what_leads_to_a_number_is_of_its_own_pass_and_what_enters_there() -> None:
    trace = open_lesson(scenario("1-2-3-1-sigmoid")).trace
    assert parse("w[1][1,1]") in leading_to(trace, parse("z[3][1]"))
    back = leading_to(trace, parse("dL/dw[2][1,1]"))
    assert {parse("dL/dz[3][1]"), parse("w[3][1,1]"), parse("a[1][1]")} <= back
    assert not {parse("w[1][1,1]"), parse("z[1][1]"), parse("dL/dz[1][1]")} & back
