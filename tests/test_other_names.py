"""Names as students write them lead to the number that is meant."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest

from tests.visiting import fragment, get
from tutor.engine.other_names import in_graph, in_network

ONE, GRAPH = "/lessons/1-2-3-1-sigmoid/quantities", "/lessons/sum-times/quantities"


@pytest.mark.parametrize(
    ("written", "ours"),
    [
        ("dL/dx[1]", "dL/da[0][1]"),
        ("∂L/∂x1", "dL/da[0][1]"),
        ("dL/dW[1][1,2]", "dL/dw[1][1,2]"),
        ("dJ/dw2[3,1]", "dL/dw[2][3,1]"),
        ("w1[1,2]", "w[1][1,2]"),
        ("w_1[1,2]", "w[1][1,2]"),
        ("w[1,1,2]", "w[1][1,2]"),
        ("w[1][1][2]", "w[1][1,2]"),
        ("w[1](1, 2)", "w[1][1,2]"),
        ("W[1][1, 2]", "w[1][1,2]"),
        ("yhat[1]", "a[3][1]"),
        ("y_hat[1]@2", "a[3][1]@2"),
        ("dL/dŷ[1]", "dL/da[3][1]"),
        ("delta[2][1]", "dL/dz[2][1]"),
        ("z2[1]", "z[2][1]"),
        ("b2(1)", "b[2][1]"),
        ("x1", "x[1]"),
        ("L", "loss"),
        ("Loss", "loss"),
        ("w12", ""),
        ("w[1][1]", ""),
        ("q[1]", ""),
        ("hello world", ""),
        ("", ""),
    ],
)
def test_another_writing_is_brought_to_ours(written: str, ours: str) -> None:
    assert in_network(written, 3) == ours


def test_the_only_layer_need_not_be_written() -> None:
    assert in_network("w[1,2]", 1) == "w[1][1,2]"
    assert in_network("dL/dw[1,2]", 1) == "dL/dw[1][1,2]"
    assert in_network("w[1,2]", 2) == ""


def test_a_formula_takes_round_parentheses_and_curly_signs() -> None:
    assert in_graph("∂f / ∂v(2)") == "df/dv[2]"
    assert in_graph("M[1][2]") == "M[1,2]"
    assert in_graph("∂f/∂v(2)", "L", {"L", "v"}) == "dL/dv[2]"
    assert in_graph("dL/dv[2]", "f", {"f", "v", "L"}) == "dL/dv[2]"


@pytest.mark.parametrize(
    ("name", "ours"),
    [("dL/dx[1]", "dL/da[0][1]"), ("w1[1,1]", "w[1][1,1]"), ("yhat[1]", "a[3][1]")],
)
def test_its_address_leads_to_the_page_with_all_that_it_asks(name: str, ours: str) -> None:
    answer = get(f"{ONE}/{quote(name)}?iteration=2&step=3")
    assert answer.status_code == 302
    assert unquote(answer.headers["Location"]) == f"{ONE}/{ours}?iteration=2&step=3"
    assert f'data-name="{ours}"' in get(answer.headers["Location"]).text
    asked = get(f"{ONE}?name={quote(name)}")
    assert unquote(asked.headers["Location"]) == f"{ONE}/{ours}"


def test_in_a_formula_too() -> None:
    answer = get(f"{GRAPH}/{quote('∂f/∂x')}")
    assert answer.headers["Location"] == f"{GRAPH}/df/dx"
    assert fragment(f"{GRAPH}/df/dx").status_code == 200


@pytest.mark.parametrize("name", ["dL/dx[9]", "w9[1,2]", "delta[1][77]", "q[1]"])
def test_what_no_writing_means_is_still_refused(name: str) -> None:
    answer = get(f"{ONE}/{quote(name)}")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text
