"""The page on which a formula is typed: walked at once, with all of it in the address; what is wrong
with it and where.
"""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from flask.testing import FlaskClient

from app import create_app
from tests.htmltree import read
from tutor import limits
from tutor.pages.formula_page import EXAMPLES
from tutor.pages.formula_view import AROUND, asked, typed
from tutor.scenario import reader

QUERY = "expression=(x%2By)*z&x=-2&y=5&z=-4"


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app().test_client()


def lines(text: str) -> str:
    return "/formula?" + urlencode({"text": text})


def test_an_empty_page_asks_for_a_formula(client: FlaskClient) -> None:
    answer = client.get("/formula")
    assert answer.status_code == 200
    assert read(answer.text).problems == []
    assert "<textarea" in answer.text
    assert "Nodes" not in answer.text


@pytest.mark.parametrize(("title", "text"), EXAMPLES)
def test_every_example_is_walked_to_its_end(title: str, text: str, client: FlaskClient) -> None:
    found = client.get(lines(text))
    assert found.status_code == 303
    page = client.get(found.headers["Location"])
    assert page.status_code == 200, title
    assert read(page.text).problems == []
    assert "Why it stops" not in page.text
    first = client.get(f"/formula/steps/1?{urlsplit(found.headers['Location']).query}")
    assert first.status_code == 200
    assert read(first.text).problems == []


def test_a_typed_formula_gets_an_address_that_shows_the_same(client: FlaskClient) -> None:
    answer = client.get(lines("f = (x + y)*z\nx = -2; y = 5\n\nz = -4\n"))
    address = answer.headers["Location"]
    assert address == "/formula?expression=(x+%2B+y)*z&x=-2&y=5&z=-4"
    text = client.get(address).text
    assert "f = −12" in text
    assert "x = -2" in text


def test_what_has_no_value_is_1_and_the_page_says_so(client: FlaskClient) -> None:
    answer = client.get(lines("sin(a) + b"))
    assert dict(parse_qsl(urlsplit(answer.headers["Location"]).query)) == {
        "expression": "sin(a) + b", "a": "1", "b": "1",
    }  # fmt: skip
    text = client.get("/formula?expression=sin(a)*b&a=2").text
    assert "b has no value, so it is 1." in text


def test_the_result_is_what_no_other_line_uses_and_may_have_any_name() -> None:
    found = typed("q = x*2\nL = q**2\nx = 3")
    assert found.scenario is not None
    assert (found.scenario.graph.result, found.scenario.graph.expression) == ("L", "q**2")
    assert found.scenario.graph.names == {"q": "x*2"}
    assert typed("L = q**2\nq = x*2\nx = 3").pairs == (
        *found.pairs[:2], ("q", "x*2"), ("x", "3"),
    )  # fmt: skip


def test_lists_and_rows_are_values_too(client: FlaskClient) -> None:
    found = typed("f = sum(M*k) + sum(v)\nM = [[1, 2], [3, 1/2]]\nk = 2\nv = [1, 2]")
    assert found.scenario is not None
    assert found.scenario.graph.values["M"] == ((1.0, 2.0), (3.0, 0.5))
    assert asked(dict(found.pairs)).scenario == found.scenario


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "f = (x + y",
            ["At character 7: a closing parenthesis is missing.", '<b class="mark">␣</b>'],
        ),
        ("f = x # y", ["cannot be used here", '<b class="mark">#</b>']),
        ("f = sgmoid(x)", ["there is no function called sgmoid; did you mean sigmoid?"]),
        ("x = 1", ["There is no formula yet"]),
        ("", ["There is no formula yet"]),
        ("f = 2*3", ["It has no value that could change"]),
        ("log(-1)", ["At n1, the logarithm of a negative number, −1,", "It has no value that"]),
        ("2*(1/0)", ["At n1, the denominator is 0.", "It has no value that could change"]),
        ("f = x\nf = y", ["f has a line already"]),
        ("x + y\nx*y", ["There is a formula without a name already"]),
        ("f = x + y\ng = x*y", ["g is not used in the formula"]),
        ("f = a*b\na = [1, 2]", ["a list of 2, but only a single number"]),
        ("f = x*y\nx = [1, two]", ["is not a number"]),
        ("f = grain*2\ngrain = 3", ["grain is a setting in the address"]),
        ("f = a + x\na = b\nb = a", ["go round in a circle"]),
    ],
)
def test_what_cannot_be_walked_is_said_with_its_place(
    text: str, words: list[str], client: FlaskClient
) -> None:
    answer = client.get(lines(text))
    assert answer.status_code == 422
    assert read(answer.text).problems == []
    for word in words:
        assert word in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_front_and_build_page_lead_to_the_formula_where_the_head_has_no_room(
    client: FlaskClient,
) -> None:
    for address in ("/", "/build"):
        main = read(client.get(address).text).root.one("main")
        assert "/formula" in [link.attributes.get("href") for link in main.all("a")]


def test_a_name_close_to_a_value_that_is_used_nowhere_is_asked_about(client: FlaskClient) -> None:
    answer = client.get(lines("f = x*weigth\nx = 2\nweight = 3"))
    assert answer.status_code == 422
    assert "At character 3: weigth has no value; did you mean weight?" in answer.text
    assert client.get(lines("f = x*weigth\nx = 2")).status_code == 303  # it gets 1, as it is said


def test_of_a_long_formula_only_the_place_of_the_problem_is_shown(client: FlaskClient) -> None:
    text = read(client.get(lines(f"f = {'(' * 500}x{')' * 500}")).text).root.one("pre").text
    assert len(text) <= 2 * AROUND + 3
    assert (text[0], text[-1]) == ("(", "…")


def test_the_place_of_a_problem_shows_what_cannot_be_seen(client: FlaskClient) -> None:
    text = read(client.get("/formula?expression=x%E2%80%AEy%E2%80%A8z").text).root.one("pre").text
    assert text == r"x\u202ey\u2028z"


def test_a_walk_that_stops_says_at_which_node_and_why(client: FlaskClient) -> None:
    text = client.get("/formula?expression=log(x)*y&x=-2&y=1").text
    assert (
        "The walk ends at n1: the logarithm of a negative number, −2, is not a real number" in text
    )
    assert "/formula/accumulation" not in text
    for page in ("steps/1", "export", "share"):
        assert client.get(f"/formula/{page}?expression=log(x)*y&x=-2&y=1").status_code == 200
    for page in ("accumulation", "jacobians/n1"):
        answer = client.get(f"/formula/{page}?expression=log(x)*y&x=-2&y=1")
        assert answer.status_code == 404
        assert "ends at n1: the logarithm of a negative number, −2, is not a real" in answer.text


def test_what_is_too_long_for_an_address_names_the_limit(client: FlaskClient) -> None:
    text = "f = " + "x + " * limits.FORMULA + "x"
    for address in (lines(text), f"/formula?expression={'x*' * limits.FORMULA}x"):
        answer = client.get(address)
        assert answer.status_code == 422
        assert f"the limit is {limits.FORMULA:,}" in answer.text


# ---- its steps and files ----


def test_the_steps_stand_under_addresses_with_the_formula_in_them(client: FlaskClient) -> None:
    text = client.get(f"/formula/steps/5?{QUERY}").text
    assert "Derivative with respect to n1" in text
    assert f'href="6?{QUERY.replace("&", "&amp;")}"' in text
    assert f'href="/formula?{QUERY.replace("&", "&amp;")}"' in text
    fragment = client.get(f"/formula/steps/5?{QUERY}", headers={"HX-Request": "true"}).text
    assert "<html" not in fragment
    assert "Derivative with respect to n1" in fragment
    assert client.get(f"/formula/steps?{QUERY}").headers["Location"] == f"/formula/steps/1?{QUERY}"
    assert client.get(f"/formula/steps/99?{QUERY}").status_code == 404
    assert client.get(f"/formula/steps/2?{QUERY}&grain=pass").status_code == 200
    assert "is not known" in client.get(f"/formula/steps/2?{QUERY}&grain=bits").text


def test_a_changed_value_is_another_address_of_the_same_step(client: FlaskClient) -> None:
    answer = client.post(f"/formula/steps/2/change?{QUERY}", data={"x": "1/2", "y": "5"})
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/formula/steps/2?{QUERY.replace('x=-2', 'x=0.5')}"
    refused = client.post(f"/formula/steps/2/change?{QUERY}", data={"x": "ten"})
    assert refused.status_code == 422
    assert "is not a number" in refused.text
    unchanged = client.get(f"/formula/steps/2/change?{QUERY}")
    assert unchanged.headers["Location"] == f"/formula/steps/2?{QUERY}"


def test_it_can_be_taken_away_and_becomes_a_lesson(client: FlaskClient) -> None:
    text = client.get(f"/formula/scenario.yaml?{QUERY}").text
    found = reader.parse(text, "mine.yaml")
    assert dict(found.graph.values) == {"x": -2.0, "y": 5.0, "z": -4.0}  # type: ignore[attr-defined]
    answer = client.post("/open", data={"text": text, "do": "check"})
    assert "graph of 5 nodes, 7 steps" in answer.text
    data = json.loads(client.get(f"/formula/export/json?{QUERY}").text)
    assert data["quantities"]["df/dz"] == 3.0
    page = client.get(f"/formula/export?{QUERY}&kind=numpy").text
    assert "q = " not in page
    assert 'name="expression" value="(x+y)*z"' in page
    download = client.get(f"/formula/export?{QUERY}&kind=csv&do=download")
    assert download.headers["Location"].startswith("/formula/export/csv?expression=")
    assert client.get(download.headers["Location"]).status_code == 200
    assert client.get(f"/formula/export/numpy-run?{QUERY}").status_code == 404


def test_it_can_be_shared_and_framed(client: FlaskClient) -> None:
    text = client.get(f"/formula/share?{QUERY}&step=3").text
    assert "/formula/steps/3?expression=(x%2By)*z" in text
    assert "/embed/formula/steps/3?" in text
    framed = client.get(f"/embed/formula/steps/3?{QUERY}")
    assert framed.status_code == 200
    assert "frame-ancestors *" in framed.headers["Content-Security-Policy"]
    assert client.get(f"/formula/accumulation?{QUERY}").status_code == 200


@pytest.mark.parametrize("page", ["steps/1", "export", "export/json", "share", "scenario.yaml"])
def test_an_address_without_a_formula_is_told_so(page: str, client: FlaskClient) -> None:
    for query in ("", "?x=1", "?expression=x%2B", "?expression=x&x=abc%20d"):
        answer = client.get(f"/formula/{page}{query}")
        assert answer.status_code == 400
        assert "no formula that can be walked" in answer.text


def test_a_letter_and_a_function_with_one_sign_are_said_apart(client: FlaskClient) -> None:
    page = client.get("/formula/steps/3?expression=a*sigmoid(sigma)&a=2&sigma=0").text
    assert (
        'aria-label="equals sigmoid of sigma"'
        in client.get("/formula/steps/1?expression=a*sigmoid(sigma)&a=2&sigma=0").text
    )
    assert 'aria-label="derivative of f with respect to sigma"' in page
