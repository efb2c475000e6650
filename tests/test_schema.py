"""The JSON Schema of scenario files: it takes what the loader takes, has a word for every key, and
editors can fetch it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from jsonschema import Draft202012Validator

from app import create_app
from tests.strategies import scenario_data
from tutor.scenario import dump, reader, strict_yaml
from tutor.scenario.reader import load
from tutor.scenario.schema import EXAMPLES, MEANINGS, PATH, schema

ROOT = Path(__file__).parents[1]
FILES = [
    *sorted((ROOT / "scenarios").glob("*-*.yaml")),
    *sorted((ROOT / "docs" / "examples").iterdir()),
]
SCHEMA = schema("http://localhost/schema/scenario.json")
VALIDATOR = Draft202012Validator(SCHEMA)
SMALL = """\
format: 1
title: A
network:
  inputs: 1
  layers:
    - {units: 2, activation: leaky_relu, slope: 0.1, weights: [[1], [2]], biases: [0, 0]}
    - {units: 2, activation: softmax, init: {scheme: he}}
  loss: {name: cross_entropy}
data: {inputs: [[1]], targets: [[0, 1]]}
training: {learning_rate: 0.1}
printed: [{quantity: loss, value: "0.5", where: page 1}]
"""


def listed(data: Any) -> Any:
    """Plain data with lists, as JSON has them."""
    if isinstance(data, dict):
        return {key: listed(value) for key, value in data.items()}
    return [listed(value) for value in data] if isinstance(data, tuple) else data


def refusals(text: str) -> list[str]:
    return [
        error.message
        for error in VALIDATOR.iter_errors(listed(strict_yaml.load(text, "x.yaml").data))
    ]


def parts(part: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key of the schema, as the documentation writes it; what may be a bare name too is a
    choice between this name and a mapping.
    """
    for choice in part.get("anyOf", ()):
        yield from parts(choice, path)
    for key, inner in part.get("properties", {}).items():
        name = f"{path}.{key}" if path else key
        yield name, inner
        yield from parts(inner, name)
    if "description" in part.get("items", {}):
        yield f"{path}[]", part["items"]
    if "items" in part:
        yield from parts(part["items"], f"{path}[]")


KEYS = dict(parts(SCHEMA))


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_it_is_made_of_things_that_every_editor_knows() -> None:
    text = json.dumps(SCHEMA)
    for word in ('"$ref"', '"$defs"', "(?P", '"null"'):
        assert word not in text


def test_every_key_has_its_meaning_and_no_meaning_is_of_a_key_that_is_not_there() -> None:
    assert set(KEYS) == set(MEANINGS)
    assert {key: part["description"] for key, part in KEYS.items()} == dict(MEANINGS)
    assert set(EXAMPLES) <= set(MEANINGS)


def test_unknown_keys_are_refused_everywhere() -> None:
    for key, part in [
        ("", SCHEMA),
        *KEYS.items(),
        *((f"{key}[]", value.get("items", {})) for key, value in KEYS.items()),
        *((key, choice) for key, value in KEYS.items() for choice in value.get("anyOf", ())),
    ]:
        assert "properties" not in part or part["additionalProperties"] is False, key


def test_a_file_is_a_network_or_a_formula_and_not_both() -> None:
    formula = "format: 1\ntitle: F\ngraph: {expression: x*y, values: {x: 1, y: [1/2, 2]}}\n"
    assert refusals(formula) == []
    assert refusals(formula + "training: {learning_rate: 1}\n")
    assert refusals("format: 1\ntitle: F\n")
    assert refusals(formula.replace("x: 1", "x: true"))


@pytest.mark.parametrize("key", EXAMPLES)
def test_an_example_is_what_may_stand_there(key: str) -> None:
    for value in EXAMPLES[key]:
        assert not list(Draft202012Validator(KEYS[key]).iter_errors(value))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_that_comes_with_the_tutor_is_taken(path: Path) -> None:
    assert refusals(path.read_text(encoding="utf-8")) == []
    assert refusals(dump.write(load(path))) == []


@given(scenario_data())
def test_whatever_the_loader_takes_is_taken(data: dict[str, Any]) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(listed(data))] == []


WRONG = [
    "optimizer: [adam]", "optimizer: {}", "optimizer: {name: lion}", "optimizer: {name: adam, momentum: 0.9}",
    "optimizer: {name: adam, beta1: 1}", "optimizer: {name: adam, beta2: -0.1}", "optimizer: {name: adam, epsilon: 0}",
    "optimizer: {name: sgd, momentum: 0.9}", "optimizer: {name: adam, beta: 0.9}", "optimizer: {name: momentum, momentum: x}",
    "schedule: linear", "schedule: {every: 3}", "schedule: {name: step, every: 0}", "schedule: {name: cosine, factor: 0.5}",
    "schedule: {name: constant, every: 2}", "schedule: {name: exponential, factor: 0}", "l2: {}", "l2: {weight: 0}",
    "l2: {weight: 0.1, form: l1}", "clip: 1", "clip: {}", "clip: {norm: 0}", "clip: {value: -1}", "clip: {norm: 1, value: 1}",
]  # fmt: skip
"""What cannot stand in a training."""
TAKEN = [
    "optimizer: sgd", "optimizer: {name: sgd}", "optimizer: adam", "optimizer: {name: adam, beta1: 1/3, beta2: 0, epsilon: 1e-8}",
    "optimizer: {name: nesterov, momentum: 0}", "optimizer: {name: rmsprop, alpha: 0.9}", "optimizer: {name: adamw, weight_decay: 0}",
    "schedule: constant", "schedule: {name: step, every: 1, factor: 2}", "schedule: {name: cosine, period: 10, minimum: 0}",
    "l2: {weight: 1/2}", "l2: {weight: 1, form: norm}", "clip: {norm: 1/2}", "clip: {value: 3}",
]  # fmt: skip

BROKEN = [
    ("format: 1", "format: 2"), ("format: 1", "format: 1\nhello: 1"), ("title: A\n", ""), ("title: A", "title: 3"),
    ("title: A", 'title: " "'), ("title: A", "title: " + "a" * 201), ("title: A", "title: A\norigin: ../x"),
    ("title: A", "title: A\norigin: ''"), ("title: A", "title: A\nlearn: [a, b, c, d, e]"), ("title: A", "title: A\nlecture: {}"),
    ("title: A", "title: A\nlecture: {deck: 3}"), ("inputs: 1\n", "inputs: 0\n"), ("inputs: 1\n", "inputs: 1.5\n"),
    ("units: 2, activation: leaky_relu", "units: 1000000, activation: leaky_relu"), ("leaky_relu", "swish"), ("leaky_relu", "relu"),
    ("slope: 0.1", "alpha: 1"), ("slope: 0.1, ", "slope: x, "), ("[[1], [2]]", "[[1], [x]]"), ("[[1], [2]]", "[1, 2]"),
    ("biases: [0, 0]", "biases: nothing"), (", biases: [0, 0]", ""), ("biases: [0, 0]", "biases: 0"), ("weights: [[1], [2]], ", ""),
    ("biases: [0, 0]", "biases: [0, 0], init: {scheme: he}"), ("init: {scheme: he}", "init: {scheme: best}"),
    ("init: {scheme: he}", "init: {scheme: he, scale: -1}"), ("init: {scheme: he}", "init: {scheme: he, seed: -1}"),
    ("units: 2, activation: softmax", "units: 1, activation: softmax"), ("cross_entropy", "hinge"), ("{name: cross_entropy}", "{}"),
    ("[[0, 1]]}", "[]}"), ("inputs: [[1]], ", ""), ("learning_rate: 0.1", "learning_rate: 0"),
    ("learning_rate: 0.1", "learning_rate: fast"), ("learning_rate: 0.1", "learning_rate: 0.1, optimizer: lion"),
    ("learning_rate: 0.1", "learning_rate: 0.1, l2: 0.1"), ("learning_rate: 0.1", "learning_rate: 0.1, iterations: 0"),
    *(("learning_rate: 0.1", f"learning_rate: 0.1, {wrong}") for wrong in WRONG),
    ("slope: 0.1, ", "slope: 0.1, dropout: 1, "), ("slope: 0.1, ", "slope: 0.1, dropout: -0.1, "),
    ("learning_rate: 0.1}", "learning_rate: 0.1}\nnotation: {preset: mine}"),
    ("learning_rate: 0.1}", "learning_rate: 0.1}\ndisplay: {decimals: 13}"), ('"0.5"', "0.5"), ('"0.5"', '"half"'),
    ("quantity: loss, ", ""), ("quantity: loss", "quantity: loss, expression: '1'"), ("quantity: loss", "expression: '1'"),
    (", where: page 1", ""), (", where: page 1", ", where: page 1, slip: a, left_open: b"),
    (", where: page 1", ", where: page 1, left_open: ' '"),
]  # fmt: skip


def test_the_small_file_is_taken_before_it_is_broken() -> None:
    assert refusals(SMALL) == []


@pytest.mark.parametrize(("old", "new"), BROKEN, ids=lambda text: text[:30])
def test_a_broken_file_is_refused(old: str, new: str) -> None:
    assert SMALL.count(old) == 1, old
    text = SMALL.replace(old, new)
    assert refusals(text)


@pytest.mark.parametrize("setting", TAKEN)
def test_what_the_loader_takes_in_a_training_is_taken(setting: str) -> None:
    text = SMALL.replace("learning_rate: 0.1", f"learning_rate: 0.1, {setting}")
    reader.parse(text.replace("printed:", "learn: []\n#"), "x.yaml")
    assert refusals(text) == []


@pytest.mark.parametrize("setting", WRONG)
def test_what_is_refused_in_a_training_is_refused_by_the_loader_too(setting: str) -> None:
    with pytest.raises(reader.ScenarioError):
        reader.parse(
            SMALL.replace("learning_rate: 0.1", f"learning_rate: 0.1, {setting}"), "x.yaml"
        )


def test_an_optimizer_and_a_schedule_may_be_a_bare_name() -> None:
    for part in ("optimizer", "schedule"):
        bare, mapping = KEYS[f"training.{part}"]["anyOf"]
        assert bare["enum"] == mapping["properties"]["name"]["enum"]
        assert KEYS[f"training.{part}"]["default"] == bare["enum"][0]


FRACTIONS = [
    ("learning_rate: 0.1", "learning_rate: 1/3"), ("slope: 0.1", "slope: -1/3"), ("[[1], [2]]", "[[1/3], [2]]"),
    ("biases: [0, 0]", "biases: [1/2, 0]"), ("init: {scheme: he}", "init: {scheme: he, scale: 3 / 2}"), ("[[0, 1]]", "[[1/3, 2/3]]"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new"), FRACTIONS, ids=lambda text: text[:30])
def test_a_fraction_is_taken_where_the_loader_takes_one(old: str, new: str) -> None:
    assert SMALL.count(old) == 1, old
    reader.parse(SMALL.replace(old, new).replace("printed:", "learn: []\n#"), "x.yaml")
    assert refusals(SMALL.replace(old, new)) == []


@pytest.mark.parametrize("text", ["1/0", "1/2/3", "0.5/2", "a/b", "1/-2", "/2", "x 1/3"])
def test_what_is_no_fraction_is_not(text: str) -> None:
    assert refusals(SMALL.replace("learning_rate: 0.1", f"learning_rate: {text}"))


# ---- the address ----


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(ROOT / "scenarios").test_client()


def test_editors_can_fetch_it(client: FlaskClient) -> None:
    response = client.get(PATH)
    assert response.status_code == 200
    assert response.content_type == "application/schema+json"
    assert response.headers["Cache-Control"] == "no-cache"
    assert response.get_json(force=True) == SCHEMA
    assert client.head(PATH).status_code == 200


def test_it_calls_itself_by_the_address_that_it_was_fetched_from(client: FlaskClient) -> None:
    response = client.get(PATH, base_url="https://tutor.example.org")
    assert json.loads(response.data)["$id"] == "https://tutor.example.org/schema/scenario.json"


def test_the_documentation_says_how_an_editor_finds_it() -> None:
    text = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    assert re.search(
        rf"^# yaml-language-server: \$schema=http://127\.0\.0\.1:8000{PATH}$", text, re.MULTILINE
    )
