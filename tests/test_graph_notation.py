"""The notations of a formula: its derivatives as df/dx, ∂f/∂x or x̄, on pages, in frames and in
files. Nothing else of it changes, and a screen reader hears the same in all.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest

from tests.htmltree import read
from tests.test_graph import of_text
from tests.visiting import get, sound
from tutor.cli.main import main
from tutor.engine.graph import quantity
from tutor.notation.conventions import PRESETS
from tutor.notation.latex import LatexLines
from tutor.notation.node_names import DERIVATIVES, alphabet
from tutor.notation.plain import PlainText

FORMULA = {"expression": "sum(A@x)*beta1", "A": "[[1, 2], [3, 4]]", "x": "[1, -1]", "beta1": "2"}
NEURON = "/lessons/neuron-error"
D, ROUND = '<mi mathvariant="normal">d</mi>', "<mi>∂</mi>"


def step(n: int, place: str = "/formula", **chosen: str) -> str:
    answer = get(f"{place}/steps/{n}?{urlencode({**FORMULA, **chosen})}")
    text = (
        get(answer.headers.get("Location") or "").text if answer.status_code == 302 else answer.text
    )
    assert read(text).problems == []
    return text


@pytest.mark.parametrize("grain", ["number", "layer", "pass"])
def test_each_notation_writes_the_derivatives_of_the_result_in_its_way(grain: str) -> None:
    last = {"number": 12, "layer": 7, "pass": 2}[grain]
    usual, partial, bar = (
        step(last, grain=grain, notation=notation) for notation in ("d", "partial", "bar")
    )
    assert D in usual
    assert D not in partial + bar
    assert partial.count(ROUND) == usual.count(ROUND) + usual.count(D)
    assert bar.count(ROUND) == usual.count(ROUND)  # local derivatives stay as they are
    assert "<mo>¯</mo>" in bar
    assert "<mo>¯</mo>" not in usual + partial


def test_it_is_read_out_alike() -> None:
    spoken = [
        re.findall('<math aria-label="([^"]*)', step(9, notation=notation))
        for notation in DERIVATIVES
    ]
    assert spoken[0] == spoken[1] == spoken[2]
    assert any("derivative of f with respect to" in text for text in spoken[0])


def test_plain_text_and_latex_have_bars_too() -> None:
    graph, names = of_text("x1*alpha*rate", {"x1": 1, "alpha": 2, "rate": 3}).graph, alphabet("bar")
    found = [quantity(graph.derivative(node).kind) for node in graph.values]
    plain, latex = PlainText(names, 4), LatexLines(names, 4)
    bar = "\N{COMBINING MACRON}"
    assert [plain.name(q) for q in found] == [f"x{bar}_1", f"α{bar}", f"r{bar}a{bar}t{bar}e{bar}"]
    assert [latex.quantity(q) for q in found][:2] == [r"\bar{x}_1", r"\bar{\alpha}"]
    assert r"\overline{" in latex.quantity(found[2])


@pytest.mark.parametrize("address", [f"{NEURON}/steps/9", f"/embed{NEURON}/steps/9"])
def test_a_lesson_and_a_frame_have_it_and_their_links_keep_it(address: str) -> None:
    root = sound(f"{address}?notation=bar").root
    assert "notation=bar" in (root.one("a", id="next").attributes["href"] or "")
    assert "<mo>¯</mo>" in get(f"{address}?notation=bar").text


def test_it_is_chosen_in_the_settings() -> None:
    form = sound(f"{NEURON}/steps/9?notation=bar").root.one("details", cls="settings")
    options = {
        option.attributes["value"]: "selected" in option.attributes
        for select in form.all("select")
        if select.attributes.get("name") == "notation"
        for option in select.all("option")
    }
    assert options == {"d": False, "partial": False, "bar": True}
    short = get(f"{NEURON}/steps/9?notation=d&decimals=4")
    assert short.headers["Location"] == f"{NEURON}/steps/9"
    query = urlencode(FORMULA)
    short = get(f"/formula/steps/9?{query}&notation=d&decimals=4&paper=")
    assert short.status_code == 302
    assert get(short.headers["Location"]).status_code == 200
    chosen = get(f"/formula/steps/9?{query}&notation=bar&decimals=4").headers["Location"]
    assert chosen.endswith("&notation=bar")
    assert get(chosen).status_code == 200


@pytest.mark.parametrize("preset", PRESETS)
def test_a_notation_of_networks_says_nothing_of_a_formula(preset: str) -> None:
    answer = get(f"{NEURON}/steps/9?decimals=4&notation={preset}")
    assert answer.headers["Location"] == f"{NEURON}/steps/9"
    formula = sound(f"/formula?{urlencode({**FORMULA, 'notation': preset})}").root
    assert not [*formula.all("p", cls="notice")]


def test_an_unknown_one_is_told_what_there_is() -> None:
    text = get(f"{NEURON}/steps/9?notation=runes").text
    assert "notation “runes” is not known" in text
    assert "Choices: d, partial, bar." in text


def test_files_have_it_and_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    for kind, sign in (("html", "<mo>¯</mo>"), ("latex", r"\bar{"), ("key", "<mo>¯</mo>")):
        plain = get(f"{NEURON}/export/{kind}").text
        chosen = get(f"{NEURON}/export/{kind}?notation=bar").text
        assert sign in chosen, kind
        assert sign not in plain, kind
        assert "notation bar" in chosen
        assert "notation" not in plain.partition("Made from")[2][:200]
    assert main(["steps", "scenarios/graphs/neuron-error.yaml", "--notation", "partial"]) == 0
    assert "∂f/∂q" in capsys.readouterr().out
    assert main(["steps", "scenarios/1-2-3-1-sigmoid.yaml", "--notation", "bar"]) == 2
    assert "a network has no notation 'bar'" in capsys.readouterr().err
