"""The word that is meant by one that nobody knows, and where it is offered: files, form, text,
addresses, what if.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.filling import opened, problems, sent, sound
from tests.visiting import page, scenario, tutor
from tutor.engine.activations import NAMES as ACTIVATIONS
from tutor.engine.losses import NAMES as LOSSES
from tutor.lesson.changeable import BadChangeError, part
from tutor.notation.conventions import PRESETS
from tutor.pages.view import read
from tutor.scenario import reader as scenarios
from tutor.scenario.problem import ScenarioError
from tutor.suggestion import meant

TEXT = """\
format: 1
title: A
network:
  inputs: 1
  layers:
    - {units: 1, activation: sigmoid, weights: [[1]], biases: [0]}
  loss: {name: squared_error}
data: {inputs: [[1]], targets: [[1]]}
training: {learning_rate: 0.1}
notation: {preset: brackets}
"""


@pytest.mark.parametrize(("typed", "ours"), [
    ("ReLU", "relu"), ("RELU", "relu"), ("Rectifier", "relu"), ("LeakyReLU", "leaky_relu"), ("leaky relu", "leaky_relu"),
    ("Tanh", "tanh"), ("tanhh", "tanh"), ("TANHH", "tanh"), ("hyperbolic tangent", "tanh"), ("logistic", "sigmoid"), ("σ", "sigmoid"),
    ("sigmoind", "sigmoid"), ("linear", "identity"), ("none", "identity"), ("Heaviside", "step"), ("signum", "sign"),
    ("Soft-Max", "softmax"),
])  # fmt: skip
def test_an_activation_by_another_name(typed: str, ours: str) -> None:
    assert meant(typed, ACTIVATIONS) == ours


@pytest.mark.parametrize(("typed", "ours"), [
    ("mse", "squared_error"), ("MSE", "squared_error"), ("mean-squared-error", "squared_error"), ("bce", "binary_cross_entropy"),
    ("BinaryCrossEntropy", "binary_cross_entropy"), ("ce", "cross_entropy"), ("crossentropy", "cross_entropy"),
    ("Cross Entropy", "cross_entropy"), ("categorical_crossentropy", "cross_entropy"), ("NLL", "cross_entropy"),
    ("half mse", "half_squared_error"),
])  # fmt: skip
def test_a_loss_by_another_name(typed: str, ours: str) -> None:
    assert meant(typed, LOSSES) == ours


@pytest.mark.parametrize("typed", ["", " ", "swish", "magic", "×", "\0", "猫", "x" * 10_000])
def test_what_is_near_nothing_is_met_with_no_guess(typed: str) -> None:
    assert [meant(typed, known) for known in (ACTIVATIONS, LOSSES, tuple(PRESETS))] == ["", "", ""]


@given(st.text(max_size=80), st.lists(st.text(max_size=20), max_size=5))
def test_only_a_known_word_is_ever_meant(typed: str, known: list[str]) -> None:
    assert meant(typed, known) in {"", *known}
    assert all(
        meant(word, known) == word or meant(word, known).casefold() == word.casefold().strip()
        for word in known
        if word.strip()
    )


# ---- files, text page, form ----

SLIPS = [
    ("activation: sigmoid", "activation: ReLU", "did you mean relu?"), ("name: squared_error", "name: mse", "did you mean squared_error?"),
    ("name: squared_error", "name: bce", "did you mean binary_cross_entropy?"),
    ("learning_rate: 0.1", "lr: 0.1", "did you mean learning_rate?"),
    ("learning_rate: 0.1", "eta: 0.1", "did you mean learning_rate?"), ("preset: brackets", "preset: Letters", "did you mean letters?"),
    ("preset: brackets", "preset: left superscripts", "did you mean left_superscripts?"),
    ("biases: [0]", "bias: [0]", "did you mean biases?"),
    ("weights: [[1]]", "W: [[1]]", "did you mean weights?"), ("units: 1", "neurons: 1", "did you mean units?"),
    ("learning_rate: 0.1", "learning_rate: 0.1, epochs: 3", "did you mean iterations?"),
    ("weights: [[1]]", "init: {scheme: glorot}", "did you mean xavier?"),
    ("title: A", "title: A\nnotes: [{at: 'dl/dw[1][1,1]', text: b}]", "did you mean dL/dw[1][1,1]?"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "typed", "said"), SLIPS, ids=lambda text: text[:25])
def test_a_file_is_told_what_was_probably_meant(right: str, typed: str, said: str) -> None:
    assert TEXT.count(right) == 1
    with pytest.raises(ScenarioError) as refused:
        scenarios.parse(TEXT.replace(right, typed), "a.yaml")
    assert said in str(refused.value)


def test_an_optimizer_is_known_in_any_case() -> None:
    with pytest.raises(ScenarioError, match=r"'Adam' is not known; did you mean adam\?"):
        scenarios.parse(
            TEXT.replace("learning_rate: 0.1", "learning_rate: 0.1, optimizer: Adam"), "a.yaml"
        )


def test_the_text_page_says_it_too() -> None:
    answer = (
        tutor()
        .test_client()
        .post("/open", data={"do": "check", "text": TEXT.replace("sigmoid", "ReLU")})
    )
    assert answer.status_code == 422
    assert "did you mean relu?" in answer.text


@pytest.mark.parametrize(("name", "typed", "said"), [
    ("activation[1]", "ReLU", "did you mean relu?"), ("loss", "bce", "did you mean binary_cross_entropy?"),
    ("notation", "Letters", "did you mean letters?"),
])  # fmt: skip
def test_the_form_says_it_beside_the_field(name: str, typed: str, said: str) -> None:
    form = opened()
    form[name] = typed
    answer = sent(form)
    assert said in problems(sound(answer))[name]


# ---- addresses ----


@pytest.mark.parametrize(("query", "said"), [
    ({"lr": "0.3"}, "Did you mean learning_rate?"), ({"eta": "0.3"}, "did you mean learning_rate?"),
    ({"W[1][1,1]": "2"}, "Did you mean w[1][1,1]?"), ({"activation[1]": "ReLU"}, "did you mean relu?"),
    ({"loss": "bce"}, "did you mean binary_cross_entropy?"), ({"Loss": "squared_error"}, "Did you mean loss?"),
    ({"notation": "Letters"}, "Did you mean letters?"), ({"grain": "layers"}, "Did you mean layer?"),
    ({"Notation": "letters"}, "Did you mean notation?"), ({"activation": "relu"}, "Did you mean activation[1]?"),
])  # fmt: skip
def test_an_address_is_told_what_was_probably_meant(query: dict[str, str], said: str) -> None:
    (notice,) = read(query, scenario("1-2-3-1-sigmoid"))[1]
    assert said in notice


@pytest.mark.parametrize(("name", "said"), [
    ("lr", "did you mean learning_rate?"), ("W[2][1,1]", r"did you mean w\[2\]\[1,1\]?"),
    ("weights[2][1,1]", r"did you mean w\[2\]\[1,1\]?"),
    ("act[2]", r"did you mean activation\[2\]?"), ("activation", r"did you mean activation\[1\]?"),
])  # fmt: skip
def test_what_if_is_told_what_was_probably_meant(name: str, said: str) -> None:
    with pytest.raises(BadChangeError, match=said):
        part(name, scenario("1-2-3-1-sigmoid"))


def test_a_link_with_a_name_in_capitals_says_so_on_the_page() -> None:
    shown = page("/lessons/1-2-3-1-sigmoid/steps/3?activation[1]=ReLU&lr=0.3")
    notices = [notice.text for notice in shown.root.all("p", cls="notice")]
    assert any("did you mean relu?" in notice for notice in notices)
    assert any("Did you mean learning_rate?" in notice for notice in notices)


@pytest.mark.parametrize(
    ("address", "said"), [("pytorch", "did you mean torch?"), ("NumPy", "did you mean numpy?")]
)
def test_a_kind_of_export_by_another_name(address: str, said: str) -> None:
    answer = tutor().test_client().get(f"/lessons/1-2-3-1-sigmoid/export/{address}")
    assert answer.status_code == 404
    assert said in answer.text
