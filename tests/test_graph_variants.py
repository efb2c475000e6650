"""Versions of formulas with new values: the same for ever, fit for a worksheet, on sheet and key."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient

from app import create_app
from tests.htmltree import read
from tests.test_worked import OF_THE_FILE
from tutor.engine.graph_nudge import GraphNudger
from tutor.lesson.graph_lesson import open_graph
from tutor.lesson.graph_variants import LARGEST, SMALLEST, flat, graph_variant, graph_variants
from tutor.lesson.variants import VariantError
from tutor.scenario import reader
from tutor.scenario.reader import GraphScenario

ROOT = Path(__file__).parents[1] / "scenarios"
FILES = sorted((*ROOT.glob("graphs/*.yaml"), *ROOT.glob("operations/*.yaml")))


def formulas() -> dict[str, GraphScenario]:
    read_ = (reader.load(file) for file in FILES if file.stem != "course")
    return {found.id: found for found in read_ if isinstance(found, GraphScenario)}


FORMULAS = formulas()
HEAD = "format: 1\ntitle: A\ngraph:\n"


def formula(text: str) -> GraphScenario:
    found = reader.parse(HEAD + text, "a.yaml")
    assert isinstance(found, GraphScenario)
    return found


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app().test_client()


@pytest.mark.parametrize("name", FORMULAS)
def test_versions_keep_signs_shapes_and_kinds_of_numbers_and_end_as_the_original(name: str) -> None:
    own = FORMULAS[name]
    before = open_graph(own)
    for found in graph_variants(own, 3, 7):
        after = open_graph(found)
        assert (after.stop is None) == (before.stop is None)
        assert len(after.walk("number")) == len(before.walk("number"))
        for key, value in own.graph.values.items():
            old, new = np.array(value), np.array(found.graph.values[key])
            assert old.shape == new.shape
            assert (np.sign(old) == np.sign(new)).all()
            if (old == old.round()).all():
                assert (new == new.round()).all()
            assert (new * 10 == (new * 10).round()).all() or (old == new).all()
        assert found.printed == found.checks == found.notes == ()


@pytest.mark.parametrize("name", FORMULAS)
def test_versions_are_different_and_the_same_when_drawn_again(name: str) -> None:
    own = FORMULAS[name]
    found = graph_variants(own, 4, 1)
    values = [str(one.graph.values) for one in (own, *found)]
    assert len({*values}) == 5
    assert str(graph_variant(own, 1, 3).graph.values) == values[3]
    assert [one.title for one in found] == [f"{own.title} (version {n})" for n in range(1, 5)]


def test_the_values_of_a_version_are_those_of_ever() -> None:
    assert graph_variant(FORMULAS["sum-times"], 7, 1).graph.values == {"x": -7, "y": 8, "z": -2}
    assert graph_variant(FORMULAS["used-twice"], 1, 2).graph.values == {"x": 1.0, "y": -2.0}
    assert flat(graph_variant(FORMULAS["softmax"], 3, 1).graph.values["z"]) == (8.0, 6.0, 0.0)


@pytest.mark.parametrize("name", FORMULAS)
def test_the_derivatives_of_a_version_can_be_worked_with(name: str) -> None:
    before = open_graph(FORMULAS[name]).trace
    for found in graph_variants(FORMULAS[name], 3, 5):
        trace = open_graph(found).trace
        for value in trace.graph.differentiate:
            kind = trace.graph.derivative(trace.graph.by_name[value]).kind
            sizes, old = np.abs(trace[kind]), np.abs(before[kind])
            assert sizes.min() > SMALLEST or not old.min() > SMALLEST
            assert sizes.max() < LARGEST or not old.max() < LARGEST


def test_the_derivatives_of_a_version_are_central_differences() -> None:
    trace = open_graph(graph_variant(FORMULAS["neuron-error"], 2, 1)).trace
    nudger = GraphNudger(trace)
    for name in ("w0", "w1", "w2"):
        assert nudger.central(trace.graph.parse(name), 1e-5).error < 1e-6


@pytest.mark.parametrize(
    "expression", ["log(x - y)", "sqrt(x)/(x - y)", "log(x) + sqrt(y - x*x/4)", "1/(x - y)**3"]
)
def test_what_is_under_a_root_or_a_logarithm_stays_in_its_domain(expression: str) -> None:
    own = formula(f"  expression: {expression}\n  values: {{x: 3, y: 2.5}}\n")
    for found in graph_variants(own, 10, 1):
        assert open_graph(found).stop is None


def test_classes_masks_and_settings_stay_as_they_are() -> None:
    for found in graph_variants(FORMULAS["attention-head"], 3, 2):
        assert found.graph.values["d"] == FORMULAS["attention-head"].graph.values["d"]
        assert found.graph.values["G"] == FORMULAS["attention-head"].graph.values["G"]
    alone = formula("  expression: a*b\n  values: {a: 1, b: 1}\n")
    assert graph_variant(alone, 1, 1).graph.values != alone.graph.values


def test_where_nothing_fits_the_reason_is_said() -> None:
    own = formula("  expression: log(x) + log(2 - x)\n  values: {x: 1.5}\n")
    found = {graph_variant(own, 3, n).graph.values["x"] for n in range(1, 6)}
    assert len(found) == 5
    with pytest.raises(VariantError, match="most often"):
        graph_variants(own, 40, 3)


# ---- files ----


def sheets(client: FlaskClient, address: str) -> dict[str, str]:
    answers = {}
    for kind in ("worksheet", "key"):
        answer = client.get(address.format(kind=kind))
        assert answer.status_code == 200, answer.text
        assert set(read(answer.text).problems) <= OF_THE_FILE
        answers[kind] = answer.text
    return answers


@pytest.mark.parametrize(
    "address",
    [
        "/lessons/sum-times/export/{kind}?seed=7&version=2",
        "/formula/export/{kind}?expression=(x%2By)*z&x=-2&y=5&z=-4&seed=7&version=2",
    ],
)
def test_sheet_and_key_of_a_version_have_one_mark_and_its_values(
    client: FlaskClient, address: str
) -> None:
    found = sheets(client, address)
    marks = {kind: re.findall(r"· sheet (\w+)", text) for kind, text in found.items()}
    assert marks["worksheet"] == marks["key"] != []
    own = sheets(client, address.replace("seed=7&version=2", ""))
    assert re.findall(r"· sheet (\w+)", own["key"]) != marks["key"]
    assert all("version 2 of seed 7" in text for text in found.values())


@pytest.mark.parametrize(
    "address",
    [
        "/lessons/neuron-error/export/class-set?versions=3",
        "/formula/export/class-set?expression=a*b%2Bsin(a)&a=2&b=3&versions=3",
    ],
)
def test_a_class_set_has_a_cover_and_each_paper_once(client: FlaskClient, address: str) -> None:
    page = read(client.get(address).text)
    assert set(page.problems) <= OF_THE_FILE | {"7 headings of level 1"}
    places = [sheet.attributes["id"] for sheet in page.root.all("article", cls="sheet")]
    assert places == [f"{kind}-{n}" for kind in ("worksheet", "key") for n in (1, 2, 3)]
    leads = [a.attributes["href"] for a in next(iter(page.root.all("table"))).all("a")]
    assert leads == [f"#{kind}-{n}" for n in (1, 2, 3) for kind in ("worksheet", "key")]


def test_the_export_page_of_a_formula_asks_for_seed_and_version(client: FlaskClient) -> None:
    text = client.get("/lessons/sum-times/export?kind=worksheet&seed=7").text
    assert 'name="seed"' in text
    assert 'name="version"' in text
    assert 'name="versions"' in client.get("/lessons/sum-times/export?kind=class-set").text
    wrong = client.get("/lessons/sum-times/export/worksheet?seed=x")
    assert wrong.status_code == 400


def test_new_numbers_take_the_place_of_a_readers_own(client: FlaskClient) -> None:
    plain = client.get("/lessons/sum-times/export/csv?seed=7").text
    changed = client.get("/lessons/sum-times/export/csv?seed=7&x=3").text
    assert "x,x,,,-7.0" in plain
    assert "x,x,,,3.0" not in changed
