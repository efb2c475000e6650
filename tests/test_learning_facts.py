"""The first page of a lesson says how its network learns, where that is not plain gradient
descent.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.visiting import get, page
from tutor.lesson.walk import open_lesson
from tutor.pages.context import Context
from tutor.pages.overview import facts
from tutor.pages.view import View
from tutor.scenario import reader

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"
FACTS = [
    ("optimizer-momentum", "Optimizer", "momentum: μ = 0.8"),
    ("optimizer-nesterov", "Optimizer", "Nesterov momentum: μ = 0.8"),
    ("optimizer-adagrad", "Optimizer", "AdaGrad: ε = 1e-10"),
    ("optimizer-rmsprop", "Optimizer", "RMSProp: ρ = 0.9, ε = 1e-06"),
    ("optimizer-adam", "Optimizer", "Adam: β₁ = 0.8, β₂ = 0.95, ε = 1e-08"),
    ("optimizer-adamw", "Optimizer", "AdamW: β₁ = 0.9, β₂ = 0.999, ε = 1e-08, weight decay λ = 0.05"),
    ("schedule-step", "Schedule", "step: learning rate × 0.5 after every 10 iterations"),
    ("schedule-exponential", "Schedule", "exponential: learning rate × 0.98 in each iteration"),
    ("schedule-cosine", "Schedule", "cosine: learning rate down to 0.05 in 50 iterations"),
    ("schedule-inverse-time", "Schedule", "inverse time: learning rate / (1 + 0.1 (t − 1)) in iteration t"),
    ("l2-squared", "Penalty", "½ λ‖W‖² over all weights, λ = 0.1"),
    ("l2-norm", "Penalty", "λ‖W‖ over all weights, λ = 0.1"),
    ("clip-norm", "Clipping", "gradient scaled down to length 0.5 where it is longer"),
    ("clip-value", "Clipping", "each number of the gradient at least −0.3 and at most 0.3"),
    ("dropout", "Dropout", "50% of layer 1"),
]  # fmt: skip
LEARNING = {"Optimizer", "Schedule", "Penalty", "Clipping", "Dropout"}


@pytest.mark.parametrize(("name", "heading", "words"), FACTS)
def test_the_first_page_names_what_is_not_plain_gradient_descent_and_nothing_else(
    name: str, heading: str, words: str
) -> None:
    lesson = open_lesson(reader.load(EXAMPLES / f"{name}.yaml"))
    found = dict(facts(Context(lesson, View())))
    assert {key: text for key, text in found.items() if key in LEARNING} == {heading: words}


def test_a_lesson_of_plain_gradient_descent_says_nothing_of_it() -> None:
    shown = page("/lessons/1-2-3-1-sigmoid").root
    assert not LEARNING & {term.text for term in shown.all("dt")}


def test_changes_of_an_address_are_named_too() -> None:
    address = "/lessons/1-2-3-1-sigmoid?optimizer=adam&beta1=0.5&dropout[1]=0.25&dropout[2]=0.5"
    text = get(address).text
    assert "Adam: β₁ = 0.5, β₂ = 0.999, ε = 1e-08" in text
    assert "25% of layer 1, 50% of layer 2" in text
