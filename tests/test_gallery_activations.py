"""The activation page: every number it shows is the engine's, whatever the address says."""

import math
import re
import types
from dataclasses import fields, is_dataclass
from pathlib import Path
from urllib.parse import parse_qsl

import jinja2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tutor import number
from tutor.engine.activations import NAMES, activation, softmax, softmax_jacobian
from tutor.engine.derivation import softmax_of
from tutor.engine.quantity import Quantity
from tutor.engine.tree import Numbers, evaluate
from tutor.pages import activation_query
from tutor.pages.activation_formulas import Softmax, SoftmaxRow, along_first
from tutor.pages.activation_query import Asked, QueryField
from tutor.pages.activations import ActivationCard, ActivationsPage, CardFormula, SettingLink, page

ZS = [
    -1e308,
    -800.0,
    -37.0,
    -2.0,
    -1e-300,
    0.0,
    1e-300,
    0.5,
    1.0,
    20.0,
    37.0,
    800.0,
    1e308,
    1.7976931348623157e308,
]
FINITE = st.floats(allow_nan=False, allow_infinity=False)
KEYS = st.sampled_from(["z", "slope", "alpha", "logits"])
NUMBERISH = st.text("0123456789.,-+eE/;∞ −naif", max_size=50)


def cards(shown: ActivationsPage) -> dict[str, ActivationCard]:
    return {card.key: card for card in (*shown.cards, *shown.flat)}


def engine(card: ActivationCard, asked: Asked) -> tuple[float, float | None]:
    """f and f′ from the table of activations, without the page's own code."""
    parameters = {"leaky_relu": {"slope": asked.slope}, "elu": {"alpha": asked.alpha}}.get(
        card.key, {}
    )
    rule = activation(card.key, **parameters)
    with np.errstate(all="ignore"):
        a = rule.f(np.array([asked.z]))
        return float(a[0]), None if rule.slope is None else float(
            rule.derivative(np.array([asked.z]), a)[0]
        )


def render(root: Path, shown: ActivationsPage) -> str:
    shell = jinja2.DictLoader(
        {
            "shell.html": "<title>{% block title %}{% endblock %}</title>{% block main %}{% endblock %}"
        }
    )
    loader = jinja2.ChoiceLoader([shell, jinja2.FileSystemLoader(root / "templates")])
    env = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    return env.get_template("activations.html").render(page=shown)


def assert_shows(formula: CardFormula, value: float) -> None:
    assert formula.value == value
    sign = "=" if number.is_exact(value) else "≈"
    assert formula.result.striptags() == sign + number.shown(value).replace("e", "·10")


@pytest.mark.parametrize("z", ZS)
@pytest.mark.parametrize("query", [{}, {"slope": "0.1", "alpha": "2.5"}])
def test_every_number_shown_is_the_engines(z: float, query: dict[str, str]) -> None:
    shown = page({"z": repr(z), **query})
    assert shown.asked.z == z
    for card in cards(shown).values():
        a, slope = engine(card, shown.asked)
        assert_shows(card.forward, a)
        assert (card.backward is None) == (slope is None) == bool(card.flat)
        if card.backward is not None and slope is not None:
            assert_shows(card.backward, slope)


@given(z=FINITE, slope=st.floats(1e-9, 0.999), alpha=st.floats(1e-9, 10.0))
def test_every_finite_z_has_finite_results(z: float, slope: float, alpha: float) -> None:
    shown = page({"z": repr(z), "slope": repr(slope), "alpha": repr(alpha)})
    assert not any(field.message for field in shown.fields)
    for card in cards(shown).values():
        assert (card.forward.value, card.backward and card.backward.value) == engine(
            card, shown.asked
        )
        assert math.isfinite(card.forward.value)


@pytest.mark.parametrize(
    "logits",
    [
        (2.0, 1.0, -1.0),
        (0.0, 0.0, 0.0),
        (800.0, 799.0, -800.0),
        (-800.0, -801.0, -800.0),
        (1e308, -1e308, 0.0),
        (-55.0, -56.0, -718.0),
    ],
)
def test_the_softmax_shows_the_engines_probabilities_and_jacobian(
    logits: tuple[float, float, float],
) -> None:
    shown = page({"logits": " ".join(map(repr, logits))}).softmax
    with np.errstate(over="ignore"):
        a = softmax(np.array(logits))
    jacobian = softmax_jacobian(a)
    assert shown.values == tuple(map(tuple, jacobian.tolist()))
    assert [row.cells for row in shown.jacobian] == [
        tuple(number.shown(v) for v in row) for row in jacobian
    ]
    assert [row.cells for row in shown.probabilities] == [
        (number.shown(z), number.shown(p)) for z, p in zip(logits, a, strict=True)
    ]
    for formula, value in zip(shown.formulas, (a[0], jacobian[0, 0], jacobian[0, 1]), strict=True):
        assert_shows(formula, float(value))
    assert bool(shown.remark) == bool(np.any((a == 0) | (a == 1)))


@given(st.tuples(FINITE, FINITE, FINITE) | st.tuples(*[st.floats(-750, 750)] * 3))
def test_the_fraction_of_the_softmax_comes_to_the_engines_probability(
    logits: tuple[float, float, float],
) -> None:
    with np.errstate(all="ignore"):
        a = softmax(np.array(logits))
    env = Numbers({Quantity("z", 1, k): z for k, z in enumerate(logits, 1)})
    for i in (1, 2, 3):
        assert evaluate(softmax_of(Quantity("z", 1, i), np.array(logits)), env) == pytest.approx(
            a[i - 1], rel=1e-12, abs=1e-300
        )


def test_the_drawing_of_the_softmax_is_the_softmax_with_two_logits_fixed() -> None:
    first, slope = along_first((9.0, 1.0, -1.0))
    a = softmax(np.array([0.3, 1.0, -1.0]))
    assert first(np.array([0.3]))[0] == pytest.approx(a[0], rel=1e-15)
    assert slope(np.array([0.3]))[0] == pytest.approx(softmax_jacobian(a)[0, 0], rel=1e-15)


def test_every_activation_of_the_tutor_is_on_the_page() -> None:
    assert set(cards(page({}))) == set(NAMES) - {"softmax"}


def test_at_0_each_kink_shows_the_choice_that_the_engine_makes() -> None:
    shown = cards(page({"z": "0", "slope": "0.1", "alpha": "2"}))
    assert {key: card.backward.value for key, card in shown.items() if card.backward} == {
        "identity": 1.0, "sigmoid": 0.25, "tanh": 1.0, "relu": 0.0, "leaky_relu": 0.1, "elu": 2.0, "softplus": 0.5,
    }  # fmt: skip
    assert all(shown[key].kink for key in ("relu", "leaky_relu", "elu", "step", "sign"))
    assert "does not exist at z = 0" in shown["step"].flat
    assert "is 0" in cards(page({"z": "1"}))["step"].flat


@pytest.mark.parametrize(
    ("z", "word"), [(800.0, "exactly 0"), (20.0, "is 2.061e−9 short of 1"), (0.5, "")]
)
def test_what_float64_does_to_a_saturated_sigmoid_is_said(z: float, word: str) -> None:
    remark = cards(page({"z": repr(z)}))["sigmoid"].remark
    assert word in remark
    assert bool(word) == bool(remark)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu", "leaky_relu", "elu", "identity"])
def test_no_derivative_is_larger_than_the_bound_that_is_named(name: str) -> None:
    rule = activation(name)
    z = np.linspace(-20, 20, 4001)
    assert np.abs(rule.derivative(z, rule.f(z))).max() == pytest.approx(rule.bound, rel=1e-12)
    assert number.shown(rule.bound or 0) in cards(page({}))[name].steepest


@pytest.mark.parametrize(("key", "other"), [("sigmoid", lambda z: np.exp(z) / (1 + np.exp(z))),
                                            ("tanh", lambda z: (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)))])  # fmt: skip
def test_what_is_also_written_is_the_same_function(key: str, other: types.FunctionType) -> None:
    z = np.linspace(-6, 6, 25)
    assert other(z) == pytest.approx(activation(key).f(z), rel=1e-12)
    assert cards(page({}))[key].also


@pytest.mark.parametrize(
    ("key", "text", "word"),
    [
        ("z", "abc", "not a number"),
        ("z", "nan", "not a number"),
        ("z", "inf", "not a number"),
        ("z", "1e999", "too large"),
        ("z", "1/0", "divides by zero"),
        ("z", "9" * 60, "at most 40 characters"),
        ("slope", "1.5", "below 1"),
        ("slope", "0", "above 0"),
        ("alpha", "-1", "above 0"),
        ("alpha", "1e300", "up to 10"),
        ("logits", "1 2", "hree numbers"),
        ("logits", "1 x 3", "not a number"),
        ("logits", "1;2;1e999", "too large"),
    ],
)
def test_nonsense_keeps_its_place_with_a_message_and_the_default_is_shown(
    key: str, text: str, word: str
) -> None:
    shown = page({key: text})
    (bad,) = [field for field in shown.fields if field.message]
    assert (bad.name, bad.text) == (key, text)
    assert word in bad.message
    assert "The page shows" in bad.message
    assert shown.asked == activation_query.DEFAULT


@pytest.mark.parametrize(
    "text", ["1 2 -0.5", "1, 2, -0.5", "1,2,-0.5", "1;2;-0,5", " 1  2 −0,5 ", "1 4/2 -1/2"]
)
def test_three_logits_are_read_however_they_are_kept_apart(text: str) -> None:
    assert page({"logits": text}).asked.logits == (1.0, 2.0, -0.5)


def test_a_blank_field_means_the_default() -> None:
    shown = page({"z": " ", "logits": ""})
    assert shown.asked == activation_query.DEFAULT
    assert [field.text for field in shown.fields] == ["0.5", "0.01", "1", "2 1 -1"]
    assert not any(field.message for field in shown.fields)


def test_a_name_that_the_page_does_not_know_is_ignored_with_a_word() -> None:
    assert "“speed”" in page({"speed": "3"}).notice
    assert page({"z": "3"}).notice == ""


@given(
    z=FINITE,
    slope=st.floats(1e-9, 0.999),
    alpha=st.floats(1e-9, 10.0),
    logits=st.tuples(FINITE, FINITE, FINITE),
)
def test_an_address_leads_back_to_the_same_numbers(
    z: float, slope: float, alpha: float, logits: tuple[float, float, float]
) -> None:
    asked = Asked(z, slope, alpha, logits)
    read = activation_query.read(dict(parse_qsl(asked.address()[1:])))
    assert read == asked
    assert not any(field.message for field in read.fields)


def test_the_links_to_other_numbers_keep_the_rest() -> None:
    shown = page({"z": "0.5", "alpha": "2"})
    assert [link.label for link in shown.tries if link.here] == ["0.5"]
    assert all("alpha=2" in link.address for link in shown.tries)
    slopes = cards(shown)["leaky_relu"].links
    assert [(link.label, link.here) for link in slopes] == [
        ("slope 0.01", True),
        ("slope 0.1", False),
    ]
    assert page(dict(parse_qsl(slopes[1].address[1:]))).asked == Asked(alpha=2.0, slope=0.1)


@given(st.dictionaries(KEYS | st.text(max_size=30), st.text(max_size=120) | NUMBERISH, max_size=6))
@example({"z": "\x00\ud800"})
@example({"logits": ";;"})
def test_no_query_is_an_error(query: dict[str, str]) -> None:
    shown = page(query)
    values = (shown.asked.z, shown.asked.slope, shown.asked.alpha, *shown.asked.logits)
    assert all(math.isfinite(value) for value in values)
    for field in shown.fields:
        text = query.get(field.name, "")
        assert field.text == activation_query.printable(text) or not text.strip()
        field.text.encode()
        field.message.encode()


@pytest.mark.parametrize(
    "query", [{}, {"z": "0"}, {"z": "-1e308", "logits": "1e308 -1e308 0"}, {"z": "x", "speed": "y"}]
)
def test_the_template_shows_every_page_once(root: Path, query: dict[str, str]) -> None:
    html = render(root, page(query))
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'aria-(?:labelledby|describedby)="([^" ]+)', html)) <= set(ids)
    assert html.count("<svg") == len(NAMES)
    assert " style=" not in html
    assert "<script" not in html
    assert html.count('scope="col"') == 7
    assert html.count('scope="row"') == 6
    assert html.count("<caption") == 2


@pytest.mark.parametrize(
    "payload",
    [
        "<script>alert(1)</script>",
        '"><svg onload=alert(1)>',
        "' autofocus onfocus=alert(1) '",
        "</math><img src=x>",
    ],
)
def test_markup_in_a_query_is_shown_as_text(root: Path, payload: str) -> None:
    for key in ("z", "slope", "alpha", "logits", payload):
        html = render(root, page({key: payload}))
        assert payload not in html
        assert "<script" not in html
        assert "<img" not in html


@pytest.mark.parametrize(
    "kind",
    [
        ActivationsPage,
        ActivationCard,
        CardFormula,
        SettingLink,
        Softmax,
        SoftmaxRow,
        Asked,
        QueryField,
    ],
)
def test_every_field_of_the_page_data_is_documented_and_frozen(root: Path, kind: type) -> None:
    assert is_dataclass(kind)
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    source = (
        root / "tutor" / f"{kind.__module__.removeprefix('tutor.').replace('.', '/')}.py"
    ).read_text(encoding="utf-8")
    body = source.split(f"class {kind.__name__}:")[1]
    for field in fields(kind):
        assert re.search(rf'\n    {field.name}: [^\n]+\n    """', body) or kind is Asked, field.name
