"""Numbers with a name inside a formula, such as the mean and the spread of layer normalisation: the
formula has the name, or its number; what the name stands for has a formula of its own.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.visiting import get, sound
from tutor.engine.graph import Formula, Graph, quantity
from tutor.engine.graph_paper import on_paper
from tutor.engine.graph_trace import GraphTrace, walked
from tutor.engine.quantity import Quantity
from tutor.engine.tree import Collected, Named, Node, Rounded, evaluate, walk
from tutor.lesson.graph_formula import GraphFormulaWriter
from tutor.notation.latex import LatexLines
from tutor.notation.mathml import Answered, Line
from tutor.notation.node_names import alphabet
from tutor.notation.plain import PlainText
from tutor.notation.speech import Words
from tutor.notation.writer import NUMBERS, RULE, SYMBOLS
from tutor.scenario.formula_text import parse

ROW = {"c": [1.0, 4.0, 3.0, 4.0], "x": [9.0, 1.0, 3.0, 3.0]}


def traced(**values: object) -> GraphTrace:
    """The trace of sum(c*layernorm(x)) over these values."""
    arrays = {name: np.array(value, dtype=np.float64) for name, value in values.items()}
    shapes = {name: array.shape for name, array in arrays.items()}
    names = {"z": parse("layernorm(x)").expression}
    return walked(Graph.of(Formula(parse("sum(c*z)").expression, names), shapes), arrays)


def plain(trace: GraphTrace, tree: Node, mode: str) -> str:
    return PlainText(alphabet(), 4, mode, env=trace).line(tree)


def test_the_formula_of_layer_normalisation_has_mean_and_spread_by_name_or_as_numbers() -> None:
    trace = traced(**ROW)
    tree = trace.graph.tree(trace.graph.parse("z[1]"))
    assert plain(trace, tree, SYMBOLS) == "(x_1 − mean(x))/spread(x)"
    assert plain(trace, tree, NUMBERS) == "(9 − 4)/3.0000"


def test_its_way_back_is_the_chain_rule_by_name_and_short_in_symbols() -> None:
    trace = traced(**ROW)
    tree = trace.graph.tree(trace.graph.parse("df/dx[2]"))
    assert plain(trace, tree, RULE).count("∂") == 8
    short = "(df/dz_2 − mean(df/dz) − z_2·mean(df/dz ⊙ z))/spread(x)"
    assert plain(trace, tree, SYMBOLS) == short
    assert plain(trace, tree, NUMBERS) == "(4 − 3 − (−1.0000) × (−1.1667))/3.0000"


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 12)])
def test_the_short_form_is_what_the_chain_rule_adds_up_to(shape: tuple[int, ...]) -> None:
    draw = np.random.default_rng(3)
    trace = traced(c=draw.normal(size=shape), x=draw.normal(size=shape))
    node = trace.graph.by_name["x"]
    for q in node.entries(trace.graph.derivative(node).kind):
        tree = trace.graph.tree(q)
        assert isinstance(tree, Collected)
        chain, short = (float(evaluate(form, trace)) for form in (tree.rule, tree.of))
        assert chain == pytest.approx(trace.value(q), rel=1e-9, abs=1e-12)
        assert short == pytest.approx(trace.value(q), rel=1e-9, abs=1e-12)


def test_each_name_has_a_formula_of_its_own_in_reading_order() -> None:
    trace = traced(**ROW)
    lines = Line(alphabet(), 4, env=trace)
    formula = GraphFormulaWriter(trace, alphabet(), 4, lines=lines).number(
        trace.graph.parse("df/dx[1]")
    )
    said = [part.left.split('"')[1] for part in formula.names]
    assert said == [
        "mean of (derivative of f with respect to z)",
        "mean of (derivative of f with respect to z element-wise times z)",
        "spread of x",
        "mean of x",
    ]
    assert all([line.label for line in part.lines][-1] == "value" for part in formula.names)
    assert {str(q) for q in formula.uses} >= {"x[1]", "x[4]", "z[3]", "df/dz[2]"}


def test_a_row_of_an_array_is_named_with_its_number() -> None:
    trace = traced(c=[[1, 2], [3, 4]], x=[[1, 5], [2, 2]])
    tree = trace.graph.tree(trace.graph.parse("z[2,1]"))
    assert plain(trace, tree, SYMBOLS) == "(x_{2,1} − mean(x^(2)))/spread(x^(2))"
    spoken = Words(alphabet(), 4, SYMBOLS, env=trace).write(tree)
    assert "spread of (x row 2)" in spoken
    latex = LatexLines(alphabet(), 4, None, trace).tree(tree, SYMBOLS)
    assert r"\operatorname{spread}" in latex


def test_what_is_added_to_the_variance_is_written_as_the_text_has_it() -> None:
    trace = traced(**ROW)
    tree = trace.graph.tree(trace.graph.parse("z[1]"))
    (spread,) = (part for part in walk(tree) if isinstance(part, Named) and part.word == "spread")
    for lines in (Line(alphabet(), 4, env=trace), LatexLines(alphabet(), 4, None, trace)):
        assert "0.00001" in lines.tree(spread.of, SYMBOLS)


def test_whoever_types_the_shown_numbers_gets_the_named_one_as_shown() -> None:
    trace = traced(c=[1, 2], x=[1, 2.00004])
    named = next(
        part
        for part in walk(trace.graph.tree(trace.graph.parse("z[1]")))
        if isinstance(part, Named) and part.word == "mean"
    )
    shown = Rounded(trace, lambda value: round(value, 2))
    assert float(evaluate(named, trace)) == pytest.approx(1.50002)
    assert float(evaluate(named, shown)) == 1.5


def test_on_paper_a_number_with_a_name_is_written_down_rounded_too() -> None:
    paper = on_paper(traced(c=[1, 2, 2], x=[1, 2, 2]), 2, given=4)
    tree = paper.graph.tree(paper.graph.parse("z[1]"))
    named = {
        part.word: float(evaluate(part, paper)) for part in walk(tree) if isinstance(part, Named)
    }
    assert named == {"mean": 1.67, "spread": 0.47}
    assert paper.value(paper.graph.parse("z[1]")) == -1.43  # (1 − 1.67)/0.47


def test_what_a_worksheet_leaves_open_is_not_given_away_by_a_name() -> None:
    trace = traced(**ROW)
    tree = trace.graph.tree(trace.graph.parse("df/dx[1]"))

    def hidden(q: Quantity) -> bool:
        return q == quantity("node:z", (2,))

    drawn = Line(alphabet(), 4, hidden, env=trace).tree(tree, NUMBERS)
    assert "blank" in drawn
    assert "1.1667" not in drawn
    key = Answered(hidden, alphabet(), 4, NUMBERS, None, trace).write(tree)
    assert '<mrow class="answer"><mo>−</mo><mn>1.1667</mn></mrow>' in key


@pytest.mark.parametrize("path", ["steps/43", "quantities/df/dx[1]"])
def test_a_page_says_what_the_names_stand_for(path: str) -> None:
    address = f"/lessons/layer-norm/{path}"
    assert "What the names stand for" in get(address).text
    assert sound(address).problems == []
