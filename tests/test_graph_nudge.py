"""Values of formulas moved a little: what is measured agrees with backpropagation, and corners and
places without a value are told.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from app import create_app
from tests.htmltree import Element, read
from tests.visiting import get
from tutor.engine.graph_nudge import GraphNudger
from tutor.engine.nudge import check
from tutor.engine.quantity import Quantity
from tutor.lesson.graph_lesson import open_graph
from tutor.scenario import reader
from tutor.scenario.reader import GraphScenario

FOLDER = Path(__file__).parents[1] / "scenarios"
FILES = sorted(p for f in ("graphs", "operations") for p in (FOLDER / f).glob("*.yaml"))
EDGES = """\
format: 1
title: Edges
graph:
  expression: "relu(a) + max(b, c) + log(d) + k*abs(m) + g**1.5 + sum(relu(v)*v) + max(u, u)"
  values: {a: 0, b: 1, c: 1, d: 2, k: 3, m: 0, g: 0, u: 2, v: [0, 2, -1]}
"""
CHAIN = "".join(f" + sin(x)*{n}" for n in range(1, 700))
LARGE = f"format: 1\ntitle: Large\ngraph: {{expression: 'x{CHAIN}', values: {{x: 0.5}}}}\n"


def nudger(text: str) -> GraphNudger:
    found = reader.parse(text, "a.yaml")
    assert isinstance(found, GraphScenario)
    return GraphNudger(open_graph(found).trace)


def named(found: GraphNudger, name: str) -> Quantity:
    return found.graph.parse(name)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    folder = tmp_path_factory.mktemp("shelf")
    (folder / "edges.yaml").write_text(EDGES)
    (folder / "large.yaml").write_text(LARGE)
    (folder / "stop.yaml").write_text(
        "format: 1\ntitle: Stop\ngraph: {expression: log(x)*of, values: {x: -1, of: 2}}\n"
    )
    return create_app(FOLDER, folder).test_client()


def root(client: FlaskClient, address: str, status: int = 200) -> Element:
    answer = client.get(address)
    assert answer.status_code == status, address
    page = read(answer.text)
    assert page.problems == []
    return page.root


def rows(found: Element) -> dict[str, str]:
    table = next(t for t in found.all("table") if t.one("caption").text == "Measured and derived")
    return {r.one("th").text: r.one("td").text for r in table.one("tbody").all("tr")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_in_every_lesson_the_gradients_are_those_that_are_measured(path: Path) -> None:
    found = nudger(path.read_text())
    whole = check(found, most=200)
    assert whole.differ == ()
    assert whole.of == sum(found.graph.by_name[name].size for name in found.graph.differentiate)
    assert whole.worst is not None
    assert whole.worst.error < 1e-5


def test_many_values_at_once_and_one_by_one_give_the_same_results() -> None:
    found = nudger((FOLDER / "graphs" / "neuron-error.yaml").read_text())
    q, values = named(found, "w1"), [-1.0, 0.0, 0.25, 7.5]
    assert found._single(q)
    assert found.results(q, values) == [found._moved(q, v)[found.graph.result.kind] for v in values]
    assert found.results(q, [found.value(q)]) == [found.here]


def test_an_entry_of_a_list_is_moved_alone() -> None:
    found = nudger(EDGES)
    at = found.central(named(found, "v[2]"))
    assert at.value == 2
    assert at.slope == pytest.approx(4)
    assert at.agrees
    assert not at.corner  # another entry stands at the corner of relu


def test_only_values_with_a_derivative_can_be_nudged() -> None:
    found = nudger((FOLDER / "graphs" / "neuron-error.yaml").read_text())
    assert [
        name for name in ("w0", "w1", "x1", "q", "f", "df/dw0") if found.can(named(found, name))
    ] == ["w0", "w1"]


@pytest.mark.parametrize(
    ("name", "left", "right", "takes", "where"),
    [
        ("a", "0", "1", "0", "in n1, the input is 0"),
        ("b", "0", "1", "0.5", "both inputs are equal"),
        ("m", "−3", "3", "0", "the input is 0"),
    ],
)
def test_at_a_corner_the_page_says_both_slopes_and_what_backpropagation_takes(
    name: str, left: str, right: str, takes: str, where: str, client: FlaskClient
) -> None:
    found = root(client, f"/lessons/edges/quantities/{name}")
    told = rows(found)
    assert float(told["slope to the left"].replace("−", "-")) == pytest.approx(
        float(left.replace("−", "-")), abs=1e-6
    )
    assert float(told["slope to the right"]) == pytest.approx(float(right), abs=1e-6)
    verdict = found.one("section", cls="nudge").text
    assert "has a corner at exactly this value" in verdict
    assert where in verdict
    assert f"backpropagation takes {takes}." in verdict


def test_two_equal_inputs_that_move_together_are_no_corner(client: FlaskClient) -> None:
    text = root(client, "/lessons/edges/quantities/u").one("section", cls="nudge").text
    assert "corner" not in text
    assert "Both ways agree" in text


def test_where_the_moved_formula_has_no_value_the_page_says_where_and_why(
    client: FlaskClient,
) -> None:
    found = root(client, "/lessons/edges/quantities/d?nudge.at=-0.5").one("section", cls="nudge")
    assert re.search(r"At 0 the result f has no value: in n\d, 0 has no logarithm\.", found.text)
    assert "It has no value at 0." in found.text  # the curve
    below = root(client, "/lessons/edges/quantities/g").one("section", cls="nudge")
    assert "has no real power with the exponent" in below.text
    assert rows(below)["f with h less"] == "no value"
    assert rows(below)["relative error"] == "–"
    assert "nan" not in below.text.lower()


def test_a_slider_and_h_come_from_the_address(client: FlaskClient) -> None:
    found = root(client, "/lessons/sum-times/quantities/x?nudge.h=0.1&nudge.at=-1")
    form = found.one("form", cls="ask-form")
    assert form.one("input", id="nudge-at").attributes["name"] == "nudge.at"
    assert form.one("select").attributes["name"] == "nudge.h"
    assert "At −1 the result f is −16; the tangent says −16." in found.text
    assert rows(found)["f with h less"].startswith("−11.6")


@pytest.mark.parametrize("h", ["0.1", "1e-05", "1e-12"])
def test_the_shown_results_give_the_shown_slope(h: str, client: FlaskClient) -> None:
    page = root(client, f"/lessons/sigmoid-circuit/quantities/w1?nudge.h={h}")
    told = {k: float(v.replace("−", "-")) for k, v in rows(page).items()}
    below, above = told["f with h less"], told["f with h more"]
    assert below != above
    slope = (above - below) / (2 * float(h))
    assert told["central difference: their difference ÷ 2h"] == pytest.approx(slope, abs=1e-10)


def test_the_input_that_a_max_leaves_out_is_no_gradient_too_small(client: FlaskClient) -> None:
    text = root(client, "/lessons/max-switch/quantities/w").one("section", cls="nudge").text
    assert "Both ways give 0: moved by this h, the result f stays the same" in text
    assert "rounding" not in text
    check = root(client, "/lessons/max-switch/check").one("article").text
    assert "1 where both ways give 0" in check
    assert "too small" not in check


def test_a_value_is_changed_for_good_from_its_curve(client: FlaskClient) -> None:
    found = root(client, "/lessons/sum-times/quantities/x").one("section", cls="nudge")
    more = next(a.attributes["href"] or "" for a in found.all("a") if a.text.startswith("+"))
    assert more == "/lessons/sum-times/quantities/x?x=-1.8"
    assert "−1.8" in root(client, more).one("p", cls="answer").text


def test_nothing_is_nudged_before_its_derivative_is_known(client: FlaskClient) -> None:
    def text(n: int) -> str:
        return client.get(f"/lessons/sum-times/quantities/x?step={n}").text

    last = next(n for n in range(1, 9) if "Nudge it" in text(n))
    assert last > 2
    assert f"Once step {last} is done, you can nudge it here." in text(last - 1)
    assert '<svg class="chart"' not in text(last - 1)


def test_a_value_that_is_not_differentiated_says_so(client: FlaskClient) -> None:
    text = root(client, "/lessons/neuron-error/quantities/y").text
    assert "f is not differentiated with respect to y here." in text
    assert "Nudge it" not in text


# ---- the check of all ----


def test_the_check_of_a_formula_has_its_values_and_the_worst_error(client: FlaskClient) -> None:
    found = root(client, "/lessons/neuron-error/check")
    assert "All 3 gradients were checked." in found.text
    assert re.search(r"worst relative error is \d\.\de−1\d, at w\d", found.text)
    assert "the two values of f" in found.text
    table = next(t for t in found.all("table") if "central differences" in t.one("caption").text)
    assert [r.one("a").text for r in table.one("tbody").all("tr")] == ["w0", "w1", "w2"]
    assert "loss" not in found.one("article").text
    assert "Nothing stands out: no node is saturated" in found.text


def test_the_check_counts_corners_and_places_without_a_value(client: FlaskClient) -> None:
    found = root(client, "/lessons/edges/check")
    text = found.one("article").text
    assert text.count("1 at a corner of the result f") == 4  # a, b, c, m
    assert text.count("1 with no value on one side") == 1  # g
    assert "Backpropagation agrees with what is measured" in text


def test_another_number_is_drawn_by_its_name(client: FlaskClient) -> None:
    found = root(client, "/lessons/edges/check?check.of=d")
    assert "Given value: d" in found.text
    assert "smallest at h" in found.text
    parabola = root(client, "/lessons/edges/check?check.of=v[2]").text
    assert "exact for straight lines and parabolas" in parabola
    corner = root(client, "/lessons/edges/check?check.of=a").text
    assert "no h brings the two together" in corner


@pytest.mark.parametrize("name", ["zz", "n1", "q"])
def test_a_number_that_cannot_be_checked_is_refused_with_what_can_be(
    name: str, client: FlaskClient
) -> None:
    found = root(client, f"/lessons/neuron-error/check?check.of={quote(name)}", 404)
    field = found.one("input", id="check-of")
    assert field.attributes["aria-invalid"] == "true"
    assert field.attributes["name"] == "check.of"
    assert found.one("p", id="check-problem").text


def test_a_walk_that_ends_early_has_nothing_to_check(client: FlaskClient) -> None:
    found = root(client, "/lessons/stop/check?of=3")
    assert "The walk ends early" in found.text
    assert "is ignored" not in found.text  # a value may be called so
    assert "Check the gradient" not in root(client, "/lessons/stop").text


def test_a_large_formula_is_nudged_and_checked_within_the_budget(client: FlaskClient) -> None:
    found = root(client, "/lessons/large/quantities/x")
    assert "Both ways agree" in found.text
    assert '<svg class="chart"' in client.get("/lessons/large/quantities/x").text
    assert "The only gradient was checked." in root(client, "/lessons/large/check").text


def test_the_first_page_leads_to_all_numbers_and_to_the_check(client: FlaskClient) -> None:
    found = root(client, "/lessons/sum-times")
    hrefs = {a.text: a.attributes["href"] or "" for a in found.all("a")}
    assert hrefs["Any number"] == "/lessons/sum-times/quantities"
    assert hrefs["Check the gradient"] == "/lessons/sum-times/check"
    for address in ("Any number", "Check the gradient"):
        assert root(client, hrefs[address])


def test_of_very_many_values_one_in_several_is_checked() -> None:
    names = [f"v{n}" for n in range(90)]
    values = ", ".join(f"{name}: 2" for name in names)
    text = f"format: 1\ntitle: Many\ngraph: {{expression: '{'*'.join(names)}', values: {{{values}}}}}\n"
    found = check(nudger(text), most=30)
    assert (found.checked, found.of) == (30, 90)
    assert [len(one.checked) for one in found.arrays[:4]] == [1, 0, 0, 1]
    assert check(nudger(text), most=90).checked == 90


def test_errors_that_are_the_same_for_every_h_are_one_line_that_says_so() -> None:
    straight, bent = (
        get(f"/lessons/{lesson}/check").text for lesson in ("max-switch", "sigmoid-circuit")
    )
    assert "central and one-sided difference, which are the same here" in straight
    assert "the curve is straight here" in straight
    assert "line-2" not in straight.partition("Health of the gradient")[0]
    assert "one-sided difference" in bent
    assert "line-2" in bent.partition("Health of the gradient")[0]
    assert "the same here" not in bent
