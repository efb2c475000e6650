"""The words of the steps: every kind of step has them, they are whole sentences, and each term is
explained once.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings

from tests.strategies import problems
from tests.visiting import NAMES, WALKS, context, scenario, steps
from tutor.engine.activations import activation
from tutor.engine.kinds import KINDS, PHASES, STATISTICS
from tutor.engine.losses import loss
from tutor.engine.network import Layer, Network, frozen
from tutor.engine.order import NumberOrder, Stage, stages
from tutor.engine.quantity import Quantity
from tutor.engine.trace import FLAT, OVERFLOW, UNDEFINED, EarlyEnd, Trace, run
from tutor.lesson.explain import (
    OUT_OF_RANGE,
    PHASE_ABOUT,
    PHASE_TITLES,
    ROUNDED,
    TERMS,
    Explanation,
    explain,
    explain_phase,
    explain_stage,
    explain_stop,
)
from tutor.lesson.setup import build
from tutor.lesson.titles import unit
from tutor.lesson.walk import open_lesson
from tutor.pages.view import View
from tutor.scenario.reader import parse

if TYPE_CHECKING:
    from tutor.lesson.setup import Setup

LEFT_OVER = re.compile(r"[{}]|None|nan|inf\b|\d\.\d{5}|  |\.\.|,,| \.| ,|Quantity|_")


def assert_reads_well(words: Explanation) -> None:
    assert words.title
    assert words.title[0].isupper() or words.title[0] in "∂σ"
    assert not words.title.endswith(".")
    assert len(words.title) < 90
    assert words.why.endswith((".", "?"))
    assert words.why[0].isupper() or words.why[0] == "“"
    assert 20 < len(words.why) < 420
    assert not LEFT_OVER.search(words.title + words.why), words
    if words.term:
        assert not words.term[1].endswith(".")
    if words.reason:
        assert len(words.why) <= 100
        assert words.why != words.reason
        assert_reads_well(Explanation(words.title, words.reason))


@pytest.mark.parametrize(("name", "grain"), WALKS)
def test_every_step_has_a_title_and_says_why_in_whole_sentences(name: str, grain: str) -> None:
    titles = []
    for _, shown in steps(name, View(grain=grain)):
        assert_reads_well(Explanation(shown.title, shown.why, shown.term, shown.reason))
        titles.append(shown.title)
    assert len(set(titles)) == len(titles), (
        "each step has a title of its own, so that the history can be told apart"
    )


@given(problems(depth=3, units=3, samples=2, wide=False))
@settings(max_examples=60)
def test_every_step_of_any_network_has_its_words(problem: Setup) -> None:
    trace = run(problem.network, problem.x, problem.y, problem.eta)
    if trace.stop:
        return
    for q in NumberOrder.of(trace.network, trace.samples, trace.blocked):
        assert_reads_well(explain(trace, q))
    for stage in stages(trace.network, trace.samples, trace.blocked):
        assert_reads_well(explain_stage(trace, stage))


SKIP = """
format: 1
title: A skip connection
network:
  inputs: 1
  layers: [{units: 1, activation: tanh, weights: [[0.5]], biases: none, skip: 1}]
  loss: {name: squared_error}
data: {inputs: [[1]], targets: [[0]]}
training: {learning_rate: 0.1}
"""


LEARNING = """
format: 1
title: Everything between a gradient and an update
network:
  inputs: 1
  layers:
    - {units: 2, activation: tanh, weights: [[0.5], [0.3]], biases: [0.1, 0.2], dropout: 0.5}
    - {units: 1, activation: identity, weights: [[0.4, 0.6]], biases: [0.1]}
  loss: {name: squared_error}
data: {inputs: [[1], [2]], targets: [[0], [1]]}
training:
  learning_rate: 0.1
  optimizer: adamw
  schedule: {name: cosine, period: 10}
  l2: {weight: 0.1, form: norm}
  clip: {norm: 0.5}
"""


ONE_INPUT = """\
format: 1
title: One input
network:
  inputs: 1
  layers: [{units: 1, activation: identity, weights: [[1]], biases: none}]
  loss: {name: squared_error}
training: {learning_rate: 0.1}
data:
  inputs: [[1], [3]]
  targets: [[1], [0]]
"""


def test_every_computed_kind_of_quantity_occurs_in_the_lessons() -> None:
    scaled = [f"{ONE_INPUT}  scale: {name}\n" for name in STATISTICS]
    texts = (SKIP, LEARNING, *scaled)
    own = [open_lesson(parse(text, "own.yaml")).walk("number") for text in texts]
    seen = {q.kind for walk in (*(context(name).walk for name in NAMES), *own) for q in walk.order}
    computed = {kind for kind in KINDS if not Quantity(kind).given} - {"(loss-loss+)/loss"}
    assert seen == computed | {"x"}


SAME = {"dL/db": "dL/dw", "b+": "w+"}


@pytest.mark.parametrize("grain", ["number", "layer"])
@pytest.mark.parametrize("name", NAMES)
def test_each_term_is_explained_once_where_it_first_appears(name: str, grain: str) -> None:
    walk = context(name, View(grain=grain)).walk
    said: Counter[str] = Counter()
    for n, shown in steps(name, View(grain=grain)):
        if shown.term:
            said[shown.term[0]] += 1
            kind = next(kind for kind, term in TERMS.items() if term == shown.term)
            assert [
                k for k in range(1, n) if SAME.get(walk.anchor(k).kind, walk.anchor(k).kind) == kind
            ] == []
    reached = {SAME.get(walk.anchor(n).kind, walk.anchor(n).kind) for n in range(1, len(walk) + 1)}
    assert said == Counter(TERMS[kind][0] for kind in reached if kind in TERMS)


@given(problems(depth=3, units=3, samples=2, wide=False))
@settings(max_examples=40)
def test_no_network_explains_a_term_twice(problem: Setup) -> None:
    trace = run(problem.network, problem.x, problem.y, problem.eta)
    for order in (
        [explain(trace, q) for q in NumberOrder.of(trace.network, trace.samples)]
        if not trace.stop
        else [],
        [explain_stage(trace, stage) for stage in stages(trace.network, trace.samples)]
        if not trace.stop
        else [],
    ):
        said = Counter(words.term[0] for words in order if words.term)
        assert not [term for term, count in said.items() if count > 1]


def test_every_phase_has_a_title_and_a_sentence() -> None:
    assert tuple(PHASE_TITLES) == tuple(PHASE_ABOUT) == PHASES
    for phase in PHASES:
        assert_reads_well(explain_phase(phase))


def test_a_unit_is_named_by_its_place() -> None:
    network = context("1-2-3-1-sigmoid").trace.network
    assert unit(network, 1, 2) == "unit 2 of hidden layer 1"
    assert unit(network, 3, 1) == "the output"
    one_hidden = context("3-2-3-softmax").trace.network
    assert unit(one_hidden, 1, 2) == "hidden unit 2"
    assert unit(one_hidden, 2, 3) == "output 3"
    narrow = of_layers((1, "tanh"), (1, "tanh"), (1, "tanh")).network
    assert unit(narrow, 2, 1) == "the unit in hidden layer 2"


# ---- where a walk ends early ----


def small(
    name: str = "sigmoid", weight: float = 1.0, x: float = 1.0, y: float = 0.0, eta: float = 0.1
) -> Trace:
    """Two layers of one unit, the first linear; squared error."""
    layers = (
        Layer(frozen([[weight]]), None, activation("identity")),
        Layer(frozen([[weight]]), None, activation(name)),
    )
    return run(Network(layers, loss("squared_error"), "mean"), frozen([[x]]), frozen([[y]]), eta)


@pytest.mark.parametrize("name", ["step", "sign"])
def test_a_flat_activation_is_named_and_the_reason_is_its_derivative(name: str) -> None:
    trace = small(name)
    assert trace.stop is not None
    assert trace.stop.why == FLAT
    text = explain_stop(trace, trace.stop)
    assert f"The {name} function" in text
    assert "derivative is 0" in text
    assert text.endswith(".")


def test_an_overflow_names_the_number_the_layer_and_what_would_help() -> None:
    trace = small("identity", 1e200)
    assert trace.stop == EarlyEnd(Quantity("z", 2, 1), OVERFLOW)
    text = explain_stop(trace, trace.stop)
    for part in ("the pre-activation of the output is", "64-bit", "308", "learning rate"):
        assert part in text
    assert text.endswith(".")


def test_what_is_no_number_is_said_to_be_undefined() -> None:
    trace = small()
    text = explain_stop(trace, EarlyEnd(Quantity("dL/dw", 2, 1, 1), UNDEFINED))
    assert "the gradient of a weight of the output is not a number" in text
    assert "undefined" in text
    assert text.endswith(".")


def test_an_infinite_loss_has_no_layer_to_name() -> None:
    text = explain_stop(small(), EarlyEnd(Quantity("loss"), OVERFLOW))
    assert "loss is larger" in text
    assert "layer" not in text.split("larger")[0]


def test_the_stop_is_shown_at_the_last_step_and_nowhere_else() -> None:
    told = [bool(shown.stop) for _, shown in steps("perceptron-step")]
    assert told == [False] * (len(told) - 1) + [True]
    assert not any(shown.stop for _, shown in steps("1-2-3-1-sigmoid"))


@pytest.mark.parametrize("text", [OUT_OF_RANGE.text, ROUNDED.text])
def test_the_longer_explanations_are_whole_sentences(text: str) -> None:
    assert text.endswith(".")
    assert not LEFT_OVER.search(text)


# ---- words that depend on the numbers ----


@pytest.mark.parametrize(
    ("eta", "start"),
    [(0.1, "Yes."), (1e-320, "No, it is exactly the same"), (5.0, "No, it has grown.")],
)
def test_the_end_says_whether_the_loss_has_fallen_stayed_or_grown(eta: float, start: str) -> None:
    trace = small("identity", eta=eta)
    assert explain(trace, Quantity("loss-loss+")).why.startswith(start)
    assert explain(trace, Quantity("loss-loss+")).title == "Did the loss fall?"


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (5.0, "negative, so the weight goes up"),
        (-5.0, "positive, so the weight goes down"),
        (1.0, "0, so the weight stays the same"),
    ],
)
def test_an_update_says_which_way_the_weight_goes(y: float, said: str) -> None:
    assert said in explain(small("identity", y=y), Quantity("w+", 1, 1, 1)).why


def test_the_slope_of_relu_at_its_kink_is_explained() -> None:
    at, beside = (explain(small("relu", x=x), Quantity("da/dz", 2, 1)).why for x in (0.0, 1.0))
    assert at.startswith(beside)
    assert len(at) > len(beside)


def test_the_bound_of_a_sigmoids_slope_is_named() -> None:
    assert "never larger than 0.25" in explain(small("sigmoid"), Quantity("da/dz", 2, 1)).why


def test_several_samples_are_named_and_added_up() -> None:
    trace = context("linear-regression").trace
    assert explain(trace, Quantity("z", 1, 1, 0, 3)).title.endswith(", sample 3")
    assert "all 4 samples" in explain(trace, Quantity("loss")).why
    assert "all 4 samples" in explain(trace, Quantity("dL/dw", 1, 1, 1)).why
    assert "Average over the samples" in explain(trace, Quantity("loss")).why
    assert "divide by 4" in explain(trace, Quantity("loss")).why
    problem = build(scenario("linear-regression"))
    summed = run(replace(problem.network, reduction="sum"), problem.x, problem.y, 0.1)
    assert "all 4 samples: the batch loss is their sum" in explain(summed, Quantity("loss")).why


def test_a_samples_loss_is_named_once_and_has_nothing_of_the_mean() -> None:
    trace = context("linear-regression").trace
    assert explain(trace, Quantity("loss", sample=1)).title == "Loss of sample 1"
    assert explain(trace, Quantity("loss+", sample=3)).title == "New loss of sample 3"
    assert explain(trace, Quantity("loss")).title == "Loss of the batch"
    assert "1/4" not in explain(trace, Quantity("loss", sample=2)).why
    whole = explain_stage(trace, Stage("loss", "loss", per_sample=True))
    assert whole.title == "Loss of each sample"


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_where_a_formula_has_the_factor_of_the_mean_the_words_say_where_it_comes_from(
    reduction: str,
) -> None:
    layers = (Layer(frozen([[0.5]]), frozen([0.1]), activation("sigmoid")),)
    network = Network(layers, loss("binary_cross_entropy"), reduction)
    trace = run(network, frozen([[1.0], [2.0], [3.0]]), frozen([[0.0], [1.0], [1.0]]), 0.1)
    said = [
        explain(trace, Quantity(kind, 1, 1, 0, s)).why
        for kind in ("dL/da", "dL/dz")
        for s in (1, 2, 3)
    ]
    said += [explain(trace, q).why for q in (Quantity("dL/dw", 1, 1, 1), Quantity("dL/db", 1, 1))]
    said += [explain_stage(trace, Stage("backward", kind, 1)).why for kind in ("dL/da", "dL/dz")]
    assert all(("1/3" in why and "mean" in why) == (reduction == "mean") for why in said), said


def of_layers(
    *layers: tuple[int, str],
    samples: int = 1,
    biases: bool = True,
    learns: bool = True,
    under: str = "squared_error",
) -> Trace:
    """A network of one input and layers of (units, activation)."""
    sizes = [1, *(units for units, _ in layers)]
    parts = tuple(
        Layer(
            frozen(np.full((n, m), 0.3)),
            frozen(np.full(n, 0.1)) if biases else None,
            activation(name),
            learns,
            learns,
        )
        for m, (n, name) in zip(sizes, layers, strict=False)
    )
    x, y = np.linspace(1.0, 2.0, samples)[:, None], np.full((samples, sizes[-1]), 1 / sizes[-1])
    return run(Network(parts, loss(under), "mean"), frozen(x), frozen(y), 0.1)


def test_nothing_is_added_up_over_samples_where_there_is_one() -> None:
    one, three = (of_layers((2, "tanh"), (1, "identity"), samples=samples) for samples in (1, 3))
    for kind in ("dL/dw", "dL/db"):
        assert "sample" not in explain_stage(one, Stage("backward", kind, 1)).why
        assert "added up over the samples" in explain_stage(three, Stage("backward", kind, 1)).why
    assert (
        "both samples" in explain(of_layers((1, "tanh"), samples=2), Quantity("dL/dw", 1, 1, 1)).why
    )


@pytest.mark.parametrize(
    ("units", "said"),
    [(1, "through the output."), (2, "through both outputs."), (3, "through all 3 outputs.")],
)
def test_the_units_on_the_paths_to_the_loss_are_counted_as_one_says_it(
    units: int, said: str
) -> None:
    trace = of_layers((2, "tanh"), (units, "identity"))
    assert said in explain(trace, Quantity("dL/da", 1, 1)).why


def test_a_sum_is_told_with_what_it_has() -> None:
    narrow, bare = of_layers((2, "tanh"), (1, "tanh")), of_layers((1, "tanh"), biases=False)
    assert (
        explain(narrow, Quantity("z", 1, 1)).why
        == "Multiply the input by its weight, then add the bias."
    )
    assert explain(narrow, Quantity("z", 2, 1)).why.startswith(
        "Multiply each activation of the hidden layer by its weight, add the products, then"
    )
    assert explain(bare, Quantity("z", 1, 1)).why == "Multiply the input by its weight."
    assert "bias" not in explain_stage(bare, Stage("forward", "z", 1)).why
    assert "new weight and bias" in explain(narrow, Quantity("z+", 1, 1)).why
    assert "new weights and bias" in explain(narrow, Quantity("z+", 2, 1)).why
    frozen_one = of_layers((1, "tanh"), learns=False)
    assert "new weight" not in explain(frozen_one, Quantity("z+", 1, 1)).why


def test_only_an_output_is_read_as_a_probability() -> None:
    trace = of_layers((2, "sigmoid"), (1, "sigmoid"))
    assert "probability" not in explain(trace, Quantity("a", 1, 1)).why
    assert "probability" in explain(trace, Quantity("a", 2, 1)).why


def test_a_probability_shrinks_because_the_denominator_grows() -> None:
    why = explain(context("3-2-3-softmax").trace, Quantity("da/dz", 2, 1, 2)).why
    assert "its numerator stays" in why
    assert "denominator" in why
    assert "has to" not in why


def test_no_lesson_says_that_a_layer_passes_on_a_quarter_at_most() -> None:
    notes = " ".join(note.text for note in scenario("vanishing-gradient").notes)
    assert "no layer can pass on" not in notes
    assert "no sigmoid passes on more than a quarter" in notes


@pytest.mark.parametrize(
    ("slope", "said"),
    [
        (0.1, "negative ones by 0.1, so no unit goes silent."),
        (0.0, "multiplies negative ones by 0."),
        (2.0, "by 2, so no"),
    ],
)
def test_a_leaky_relu_is_told_with_its_own_slope(slope: float, said: str) -> None:
    assert said in activation("leaky_relu", slope=slope).about
    assert "α" not in activation("elu", alpha=0.5).about


def test_what_lies_behind_a_flat_activation_is_not_said_to_stop_learning() -> None:
    trace = small("step")
    assert trace.stop is not None
    assert "every gradient of this layer and of the layers before it" in explain_stop(
        trace, trace.stop
    )
    assert "smooth" not in explain_stop(trace, trace.stop)


def test_no_text_says_that_a_layer_alone_bounds_a_gradient() -> None:
    assert "layer" not in activation("sigmoid").gradient
    assert "weights" in activation("sigmoid").gradient


def test_a_squared_error_of_one_output_adds_nothing_up() -> None:
    assert "adds up" not in explain(of_layers((1, "identity")), Quantity("loss")).why
    assert "adds up" in explain(of_layers((2, "identity")), Quantity("loss")).why
    decided = explain(context("3-2-3-softmax").trace, Quantity("loss")).why
    shared = explain(of_layers((2, "softmax"), under="cross_entropy"), Quantity("loss")).why
    assert shared.startswith(decided)
    assert "share" in shared


def test_an_error_signal_of_a_saturated_output_does_not_claim_the_chain_rule() -> None:
    layers = (Layer(frozen([[1.0]]), None, activation("sigmoid")),)
    trace = run(
        Network(layers, loss("binary_cross_entropy"), "mean"),
        frozen([[50.0], [1.0]]),
        frozen([[0.0], [0.0]]),
        0.1,
    )
    around, along = (explain(trace, Quantity("dL/dz", 1, 1, 0, s)).why for s in (1, 2))
    assert "cannot be computed" in around
    assert "Chain rule" in along
    assert "cannot be computed" in explain_stage(trace, Stage("backward", "dL/dz", 1)).why


def test_a_softmax_is_told_with_all_its_pre_activations() -> None:
    trace = context("3-2-3-softmax").trace
    assert "sum" in explain(trace, Quantity("a", 2, 1)).why
    own, other = (explain(trace, Quantity("da/dz", 2, 1, k)).why for k in (1, 2))
    assert "its own" in own
    assert "pre-activation 2" in other
    assert np.isfinite(trace.value(Quantity("da/dz", 2, 1, 2)))
